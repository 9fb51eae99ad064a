"""What a person's number cannot be trusted for, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.models.reasons.codes import RAISING, key_facts, watched_facts
from riskmodels.models.reasons.groups import groups_of, words_of
from riskmodels.models.risk_model import RiskModel

# Each mask of a record, and what is said of its features, in this order.
MASKS = {
    "outside": "outside the range the model learned from",
    "missing": "key facts missing",
    "stale": "more than {stale_after} old",
}
SAME_FOR_ALL = "the same for everybody"
UNCERTAIN = "other samples of the same data would give other reasons"


def caveats_in_words(
    model: RiskModel, codes: np.ndarray, shown: np.ndarray | None, withheld: Sequence[str]
) -> pl.Series:
    """One text for each row, null where there is nothing to say.

    Parameters
    ----------
    shown, withheld : which features may be named, and what stands for each of the others
    """
    keys, watched = key_facts(model), watched_facts(model)
    if not keys:
        return pl.Series("caveats", [SAME_FOR_ALL] * len(codes), dtype=pl.String)
    # How many reasons are said and which are uncertain, as one number: bit 3 and up, and bits 0 to 2.
    said = (codes["feature"][:, :RAISING] >= 0).sum(axis=1)
    doubt = (codes["uncertain"][:, :RAISING] << np.arange(RAISING)).sum(axis=1) | said << RAISING
    asked = pl.DataFrame({name: codes[name] for name in MASKS} | {"doubt": doubt})
    # The same few combinations come again and again: each is put into words once.
    distinct = asked.unique()
    positions = {"outside": keys, "missing": keys, "stale": watched}
    parts = [
        {
            bits: _part(name, _of(bits, positions[name]), model.reasons, shown, withheld)
            for bits in distinct[name].unique()
        }
        for name in MASKS
    ]
    texts = []
    for *masks, doubtful in distinct.iter_rows():
        found = [of[bits] for of, bits in zip(parts, masks, strict=True)]
        texts.append(_joined([words for words, _ in found], [hidden for _, hidden in found], doubtful))
    answer = distinct.with_columns(pl.Series("caveats", texts, dtype=pl.String))
    return asked.join(answer, on=asked.columns, how="left", maintain_order="left")["caveats"]


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


def _joined(parts: Sequence[list[str]], hidden: Sequence[list[str]], doubtful: int) -> str | None:
    said = list(chain.from_iterable(parts))
    if names := dict.fromkeys(chain.from_iterable(hidden)):
        # Said once, and not what is the matter: that a record is missing is itself a fact about somebody.
        said.append("doubtful: " + ", ".join(names))
    if doubt := _uncertain(doubtful >> RAISING, [bool(doubtful >> place & 1) for place in range(RAISING)]):
        said.append(doubt)
    return "; ".join(said) or None


def _uncertain(said: int, uncertain: Sequence[bool]) -> str | None:
    """Which of the reasons that raise the risk are doubtful. What lowers it most is nearly always close to the next."""
    doubtful = [str(place + 1) for place, doubt in enumerate(uncertain) if doubt]
    if not doubtful:
        return None
    if len(doubtful) == said:
        return f"reasons uncertain: {UNCERTAIN}"
    return f"reason{'s' if len(doubtful) > 1 else ''} {' and '.join(doubtful)} uncertain: {UNCERTAIN}"


def _of(bits: int, positions: Sequence[int]) -> list[int]:
    return [position for place, position in enumerate(positions) if bits >> place & 1]


def _listed(positions: Sequence[int], specs: tuple[FeatureSpec, ...]) -> str:
    """Names of features, those that say the same thing once."""
    named = []
    for group in groups_of(specs):
        together = [specs[position] for position in group.members if position in positions]
        named += [words_of(together)] if together else []
    return ", ".join(dict.fromkeys(named))
