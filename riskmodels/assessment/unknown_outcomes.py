"""What the unknown outcomes could change: bounds that always hold, weights that hold if an assumption does, and how
many of the unknown would have to be events before the list is no better than a rule.

The data cannot say which is nearest to the truth. Bounds take every unknown outcome at its worst and at its best.
Weighting assumes that those who are not known are like those with the same risk, on the same date, who are. It cannot
put right what depends on the outcome itself: where trouble is why somebody was lost from sight, the weighted figures
are as wrong as the plain ones, and only the bounds hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from riskmodels.assessment.decisions import precision_bounds, recall_bounds
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import Floats, checked_risk, of_rows
from riskmodels.assessment.outcome_bounds import auc_bounds, brier_bounds, oe_bounds
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import RankedRows
from riskmodels.assessment.weighting import (
    Weights,
    known_weights,
    weighted_auc,
    weighted_brier,
    weighted_oe,
    weighted_recall,
    weighted_share,
)

TRIM = 0.99
ABOVE, BELOW, DEPENDS = "above whatever became of them", "below whatever became of them", "depends on them"
WEIGHTED = ("auc", "oe_ratio", "brier_score", "precision", "recall")


@dataclass(frozen=True)
class UnknownOutcomes:
    """Figures that say what is not known.

    Attributes
    ----------
    n, known, unknown : rows ranked, and how many of their outcomes are known and not
    selected, hits, unknown_selected : the list: its length, events among those known, and how many are not known
    bounds : {auc, oe_ratio, brier_score, precision, recall}, each [least, greatest]
    weighted : the same figures, each an `Estimate`, with inverse-probability weights
    weights : {made_of, quantile, limit, cut, left_out, effective}, see `weighting.Weights`; or {reason}
    tipping : rows of {against, precision, needed, verdict}, see `tipping_point`
    """

    n: int
    known: int
    unknown: int
    selected: int
    hits: int
    unknown_selected: int
    bounds: dict[str, list[float | None]]
    weighted: dict[str, Estimate]
    weights: dict[str, Any]
    tipping: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def assess_unknown(
    rows: RankedRows,
    *,
    against: Mapping[str, float] | None = None,
    covariates: Floats | None = None,
    trim: float = TRIM,
) -> UnknownOutcomes:
    """Bounds, weighted figures and tipping points of one model's ranking.

    Parameters
    ----------
    rows : the whole cohort of every test date, as `ranked_rows.rows_of` takes it from the ranking
    against : rule -> precision of its list, for the tipping points; the base rate of the known is always there
    covariates : shape (n, p), what else was known before the as-of date and may tell who will be known
    trim : quantile of the weights at which they are cut

    Raises
    ------
    DataError
        if a risk is missing or no probability, or ``covariates`` or ``trim`` cannot be used.
    """
    checked_risk(rows.risk, rows.n)
    listed, unknown = rows.selected, ~rows.known
    hits = int(rows.outcome[listed & rows.known].sum())
    selected, unknown_selected = int(listed.sum()), int((listed & unknown).sum())
    weights = known_weights(rows, trim, covariates)
    rules = dict(against or {})
    if rows.known.any():
        rules = {"base_rate": float(rows.outcome[rows.known].mean())} | rules
    return UnknownOutcomes(
        n=rows.n,
        known=int(rows.known.sum()),
        unknown=int(unknown.sum()),
        selected=selected,
        hits=hits,
        unknown_selected=unknown_selected,
        bounds={
            "auc": auc_bounds(rows.outcome, rows.known, rows.risk),
            "oe_ratio": oe_bounds(rows.outcome, rows.known, rows.risk),
            "brier_score": brier_bounds(rows.outcome, rows.known, rows.risk),
            "precision": precision_bounds(hits, unknown_selected, selected),
            "recall": recall_bounds(hits, rows.events - hits, unknown_selected, int(unknown.sum()) - unknown_selected),
        },
        weighted=_weighted(rows, weights),
        weights={"reason": weights} if isinstance(weights, str) else _described(weights, trim),
        tipping=tuple(
            {"against": rule} | tipping_point(hits, selected, unknown_selected, precision)
            for rule, precision in rules.items()
            if selected
        ),
    )


def _weighted(rows: RankedRows, weights: Weights | str) -> dict[str, Estimate]:
    counted = rows.known if isinstance(weights, str) else weights.values > 0
    used = rows.of(counted)
    reason = weights if isinstance(weights, str) else used.too_few
    if reason or isinstance(weights, str):
        return dict.fromkeys(WEIGHTED, not_computed(str(reason), used.n))
    w = weights.values[counted]
    arrays = used.outcome, used.risk, w, used.units
    found = {"auc": weighted_auc(*arrays), "oe_ratio": weighted_oe(*arrays), "brier_score": weighted_brier(*arrays)}
    nobody = not_computed("nobody selected has a known outcome", 0)
    on_list = used.selected
    found["precision"] = found["recall"] = nobody
    if on_list.any():
        found["precision"] = weighted_share(used.outcome[on_list], w[on_list], of_rows(used.units, on_list))
    if (used.outcome == 1).any():
        found["recall"] = weighted_recall(used.outcome, on_list, w, used.units)
    return found


def _described(weights: Weights, trim: float) -> dict[str, Any]:
    told = ("made_of", "limit", "cut", "left_out", "effective")
    return {"quantile": trim} | {name: getattr(weights, name) for name in told}


def tipping_point(hits: int, selected: int, unknown: int, precision: float) -> dict[str, Any]:
    """What share of the unknown on the list must be events for its precision not to fall below another.

    The precision is (hits + s u)/k with a share s of the u unknown; it reaches r at s = (r k - hits)/u.

    Parameters
    ----------
    hits : events among those on the list whose outcome is known
    selected : the length of the list, at least 1
    unknown : how many on the list are not known
    precision : of the rule that the list is held against

    Returns
    -------
    {precision, needed, verdict}: ``needed`` is None where no outcome of the unknown changes the answer
    """
    worst, best = precision_bounds(hits, unknown, selected)
    if worst is None or best is None or worst >= precision or best < precision:
        verdict = BELOW if best is not None and best < precision else ABOVE
        return {"precision": precision, "needed": None, "verdict": verdict}
    return {"precision": precision, "needed": (precision * selected - hits) / unknown, "verdict": DEPENDS}
