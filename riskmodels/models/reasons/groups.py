"""Features that say the same thing, so that a list never gives one reason twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from riskmodels.data.features import FeatureSpec


@dataclass(frozen=True)
class Group:
    """``says``: the word that its features share; ``members``: their positions, in order."""

    says: str
    members: tuple[int, ...]


@lru_cache(maxsize=64)
def groups_of(specs: tuple[FeatureSpec, ...]) -> tuple[Group, ...]:
    """Features by what they say, in the order of each group's first. One without a word has its own name, and one that
    is not ``in_reasons`` is in no group."""
    found: dict[str, list[int]] = {}
    for position, spec in enumerate(specs):
        if spec.in_reasons:
            found.setdefault(spec.says or spec.name, []).append(position)
    return tuple(Group(says, tuple(members)) for says, members in found.items())


def summed(contributions: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
    """What each group adds to the score, float64 [n, groups], from what each feature adds, [n, features]."""
    together = np.empty((len(contributions), len(groups)))
    for place, group in enumerate(groups):
        first, *others = group.members
        together[:, place] = contributions[:, first]
        for position in others:
            together[:, place] += contributions[:, position]
    return together


def words_of(specs: Sequence[FeatureSpec]) -> str:
    """Features that say the same thing in words: what their own words share, or else the words of the first."""
    first, *others = (spec.words for spec in specs)
    parts = re.split(r"(?=[,:] | \()", first)
    for length in range(len(parts), 0, -1):
        shared = "".join(parts[:length])
        if all(words == shared or re.match(r"[,:] | \(", words.removeprefix(shared)) for words in others):
            return shared
    return first
