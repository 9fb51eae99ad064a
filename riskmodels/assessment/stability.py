"""How far the list, the risks and the reasons depend on who happened to be in the data.

The whole procedure was done again on people drawn with replacement (`riskmodels.models.refits`); here the lists that
came out are compared with the list at hand. Source: Riley and Collins 2023, *Stability of clinical prediction models*.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.decisions import select
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.ranked_rows import FEWEST_EVENTS
from riskmodels.models.refits import BootstrapRefits

FEWEST_REFITS = 5
FIRM = 0.9
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stability:
    """What refits say of the list, or why they say nothing.

    ``overlap``: of the places, the share given to the same people: {mean, low, high}, the last two being the 5th and
    95th percentile over refits. ``firm``: share of the listed who are listed in at least 90% of refits. ``chance``:
    the overlap that two lists drawn at random would have. ``risk_shift``: mean absolute difference between a person's
    risk and a refit's, over all and over the listed. ``reasons``: share of the listed whose first reason is among a
    refit's first three. ``families``: how often each was chosen.
    """

    refits: int
    failed: int
    chosen_anew: bool
    places: int
    overlap: dict[str, float]
    firm: float
    chance: float
    risk_shift: dict[str, float]
    auc: dict[str, float] | None
    reasons: float | None
    families: tuple[dict[str, Any], ...]
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def assess_stability(refits: BootstrapRefits, listed: Mask, risk: Floats, seed: int) -> Stability | str:
    """Compare the refits with the list at hand.

    Parameters
    ----------
    refits : what each refit says of the cohort of the last test date
    listed, risk : shape (n,), in the order of ``refits.rows``: the list at hand
    seed : the study's, for ties at the last place

    Returns
    -------
    Stability, or the reason why there is none.
    """
    made, places = len(refits.families), int(listed.sum())
    if made < FEWEST_REFITS:
        return f"only {made} of {made + refits.failed} draws had enough cases to fit on"
    ids = refits.rows["entity_id"]
    lists = np.array(
        [select(ids, refits.risk[row], refits.score[row], places, seed) for row in range(made)], dtype=bool
    )
    overlap = (lists & listed).sum(axis=1) / max(places, 1)
    shift = np.abs(refits.risk - risk)
    return Stability(
        refits=made,
        failed=refits.failed,
        chosen_anew=refits.chosen_anew,
        places=places,
        overlap=_spread(overlap),
        firm=float((lists.mean(axis=0)[listed] >= FIRM).mean()) if places else 0.0,
        chance=places / len(listed),
        risk_shift={"all": float(shift.mean()), "listed": float(shift[:, listed].mean()) if places else 0.0},
        auc=_aucs(refits),
        reasons=_agreement(refits),
        families=tuple(
            {"model": name, "share": count / made} for name, count in sorted(Counter(refits.families).items())
        ),
    )


def _spread(values: Floats) -> dict[str, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def _aucs(refits: BootstrapRefits) -> dict[str, float] | None:
    known = refits.rows["outcome"].is_not_null().to_numpy()
    outcome = refits.rows["outcome"].drop_nulls().cast(pl.Float64).to_numpy()
    if min(outcome.sum(), len(outcome) - outcome.sum()) < FEWEST_EVENTS:
        return None
    found = [auc(outcome, risk[known]).value for risk in refits.risk]
    return _spread(np.array([value for value in found if value is not None]))


def _agreement(refits: BootstrapRefits) -> float | None:
    """Of the rows looked at that have a first reason: how often it is among the first three of a refit."""
    first = refits.own_reasons[:, 0] if len(refits.own_reasons) else np.zeros(0, dtype=np.int64)
    has = first >= 0
    if not has.any():
        return None
    return float((refits.reasons[:, has, :] == first[has][None, :, None]).any(axis=2).mean())


# ---------------------------------------------------------------- more data, and less


def learning_curve(points: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Rows of a learning curve, the repeats of a share averaged: {share, events, brier_score, auc, repeats}.

    Parameters
    ----------
    points : {share, events, brier_score, auc} of each refit; ``events`` are those
        it learned from; an AUC may be None
    """
    rows = []
    for share in sorted({point["share"] for point in points}):
        here = [point for point in points if point["share"] == share]
        aucs = [point["auc"] for point in here if point["auc"] is not None]
        rows.append(
            {
                "share": share,
                "events": round(float(np.mean([point["events"] for point in here]))),
                "brier_score": float(np.mean([point["brier_score"] for point in here])),
                "auc": float(np.mean(aucs)) if aucs else None,
                "repeats": len(here),
            }
        )
    return tuple(rows)
