"""What a person's number cannot be trusted for, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.models.reasons.codes import key_facts, partial_sources, watched_facts
from riskmodels.models.reasons.groups import groups_of, words_of
from riskmodels.models.risk_model import RiskModel

One = TypeVar("One")
# Each mask of a record, and what is said of its features or sources, in this order.
MASKS = {
    # Why not is not said: no match, no consent and a gap in the source look alike.
    "unseen": "records not seen, there may be some",
    "outside": "outside the range the model learned from",
    "missing": "key facts missing",
    "stale": "more than {stale_after} old",
}
SAME_FOR_ALL = "the same for everybody"


def caveats_in_words(
    model: RiskModel, codes: np.ndarray, shown: np.ndarray | None, withheld: Sequence[str]
) -> pl.Series:
    """One text for each row, null where there is nothing to say.

    Parameters
    ----------
    shown, withheld : which features may be named, and what stands for each of the others
    """
    keys, watched = key_facts(model), watched_facts(model)
    if not any(model.fitted.importance.values()):
        return pl.Series("caveats", [SAME_FOR_ALL] * len(codes), dtype=pl.String)
    asked = pl.DataFrame({name: codes[name] for name in MASKS})
    # The same few combinations come again and again: each is put into words once.
    distinct = asked.unique()
    positions = {"outside": keys, "missing": keys, "stale": watched}
    sources = list(partial_sources(model.reasons))
    parts = [
        {
            bits: _unseen(_of(bits, sources), model.reasons, shown, withheld)
            if name == "unseen"
            else _part(name, _of(bits, positions[name]), model.reasons, shown, withheld)
            for bits in distinct[name].unique()
        }
        for name in MASKS
    ]
    texts = []
    for masks in distinct.iter_rows():
        found = [of[bits] for of, bits in zip(parts, masks, strict=True)]
        texts.append(_joined([words for words, _ in found], [hidden for _, hidden in found]))
    answer = distinct.with_columns(pl.Series("caveats", texts, dtype=pl.String))
    return asked.join(answer, on=asked.columns, how="left", maintain_order="left")["caveats"]


def _unseen(
    sources: Sequence[tuple[str, str | None]],
    specs: tuple[FeatureSpec, ...],
    shown: np.ndarray | None,
    withheld: Sequence[str],
) -> tuple[list[str], list[str]]:
    """Which sources cannot speak of a person. One may be named if any feature made of it may."""
    named, hidden = [], []
    for source in sources:
        those = [place for place in partial_sources(specs)[source] if specs[place].in_reasons]
        if any(shown is None or shown[place] for place in those):
            named.append(source[0].replace("_", " "))
        elif those:
            hidden.append(withheld[those[0]])
    return [f"{MASKS['unseen']}: {', '.join(dict.fromkeys(named))}"] if named else [], hidden


def _part(
    name: str,
    positions: Sequence[int],
    specs: tuple[FeatureSpec, ...],
    shown: np.ndarray | None,
    withheld: Sequence[str],
) -> tuple[list[str], list[str]]:
    """What one mask says, and what stands for those of its features that may not be named."""
    seen = [position for position in positions if shown is None or shown[position]]
    together: dict[str, list[int]] = {}
    for position in seen:
        what = MASKS[name].replace("{stale_after}", str(specs[position].stale_after))
        together.setdefault(what, []).append(position)
    hidden = [withheld[position] for position in positions if position not in seen]
    return [f"{what}: {_listed(those, specs)}" for what, those in together.items()], hidden


def _joined(parts: Sequence[list[str]], hidden: Sequence[list[str]]) -> str | None:
    said = list(chain.from_iterable(parts))
    if names := dict.fromkeys(chain.from_iterable(hidden)):
        # Said once, and not what is the matter: that a record is missing is itself a fact about somebody.
        said.append("doubtful: " + ", ".join(names))
    return "; ".join(said) or None


def _of(bits: int, listed: Sequence[One]) -> list[One]:
    return [one for place, one in enumerate(listed) if bits >> place & 1]


def _listed(positions: Sequence[int], specs: tuple[FeatureSpec, ...]) -> str:
    """Names of features, those that say the same thing once."""
    named = []
    for group in groups_of(specs):
        together = [specs[position] for position in group.members if position in positions]
        named += [words_of(together)] if together else []
    return ", ".join(dict.fromkeys(named))
