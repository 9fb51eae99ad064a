"""What acting on the list does: net benefit at a threshold, precision and recall at capacity, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    NO_ROWS,
    Floats,
    Units,
    checked_outcome,
    checked_risk,
    clusters_of,
    critical_value,
    mean,
    of_rows,
    proportion,
    variance_of_sum,
    wilson,
)
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import order

LEAD_WITH_BOUNDS_ABOVE = 0.10
Mask = npt.NDArray[np.bool_]


# ---------------------------------------------------------------- net benefit


def net_benefit(outcome: Any, risk: Any, threshold: float, clusters: Any = None) -> Estimate:
    """True positives less weighted false positives, per person, when everybody with risk >= threshold is helped.

    TP/n - FP/n * t/(1 - t). It is a mean of one contribution per row (1, -t/(1 - t) or 0), so its standard error is
    sd/sqrt(n), or that of cluster sums. Source: Vickers & Elkin 2006.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean
    risk : shape (n,), probabilities
    threshold : above 0 and below 1
    clusters : shape (n,), ids of rows that belong together

    Raises
    ------
    StudyError
        for a threshold outside (0, 1).
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    """
    weight = _odds(threshold)
    y = checked_outcome(outcome)
    helped = checked_risk(risk, y.size) >= threshold
    return mean(np.where(helped, y - weight * (1 - y), 0.0), clusters_of(clusters, y.size))


def net_benefit_of_all(outcome: Any, threshold: float) -> float | None:
    """Net benefit of helping everybody: q - (1 - q) t/(1 - t), with q the base rate. Helping nobody has 0."""
    weight = _odds(threshold)
    y = checked_outcome(outcome)
    return float(y.mean() - weight * (1 - y.mean())) if y.size else None


def interventions_avoided(model: float, everybody: float, threshold: float) -> float:
    """Unneeded interventions avoided per person against helping everybody, with no event missed on balance.

    (net benefit - net benefit of all) / (t/(1 - t)). Source: Vickers et al. 2008.
    """
    return (model - everybody) / _odds(threshold)


def decision_row(outcome: Any, risk: Any, threshold: float, clusters: Any = None) -> dict[str, Any]:
    """One row of a decision curve: {threshold, model: Estimate, all, none, interventions_avoided}."""
    model, everybody = net_benefit(outcome, risk, threshold, clusters), net_benefit_of_all(outcome, threshold)
    avoided = None
    if model.value is not None and everybody is not None:
        avoided = interventions_avoided(model.value, everybody, threshold)
    return {
        "threshold": float(threshold),
        "model": model,
        "all": everybody,
        "none": 0.0,
        "interventions_avoided": avoided,
    }


def _odds(threshold: float) -> float:
    if not 0 < threshold < 1:
        raise StudyError(f"thresholds: {threshold} is not above 0 and below 1; give risks such as 0.2")
    return threshold / (1 - threshold)


# ---------------------------------------------------------------- at capacity


def at_capacity(outcome: Any, known: Any, selected: Any, clusters: Any = None) -> dict[str, Any]:
    """Precision and recall of the selected, where the outcome is known, and between which bounds the whole could lie.

    Parameters
    ----------
    outcome : shape (n,), 0/1 where known; anything elsewhere
    known, selected : shape (n,), boolean, for everybody who was ranked
    clusters : shape (n,), ids of rows that belong together

    Returns
    -------
    {selected, known, unknown, hits, precision, recall, precision_bounds, recall_bounds, selection_rate,
    leads_with_bounds}. ``known`` and ``unknown`` count the selected. ``leads_with_bounds``: more than 10% of the
    selected, or of everybody ranked, have no known outcome. For the bounds see `precision_bounds`, `recall_bounds`.

    Raises
    ------
    DataError
        if the arrays do not match.
    """
    is_known, chosen = _mask(known, "known"), _mask(selected, "selected")
    everything = np.asarray(outcome)
    n = is_known.size
    if chosen.size != n or everything.shape != (n,):
        raise DataError(f"selected: {chosen.size} values, known: {n}, outcome: {everything.size}; they must match")
    y = np.zeros(n)
    y[is_known] = checked_outcome(everything[is_known])
    units = clusters_of(clusters, n)
    event = is_known & (y == 1)
    hits, missed = int((event & chosen).sum()), int((event & ~chosen).sum())
    unknown_selected, unknown_others = int((chosen & ~is_known).sum()), int((~chosen & ~is_known).sum())
    places_filled = int(chosen.sum())
    return {
        "selected": places_filled,
        "known": places_filled - unknown_selected,
        "unknown": unknown_selected,
        "hits": hits,
        "precision": precision_at_k(y, is_known, chosen, units),
        "recall": recall_at_k(y, is_known, chosen, units),
        "precision_bounds": precision_bounds(hits, unknown_selected, places_filled),
        "recall_bounds": recall_bounds(hits, missed, unknown_selected, unknown_others),
        "selection_rate": places_filled / n if n else None,
        "leads_with_bounds": _too_many(unknown_selected, places_filled) or _too_many(int((~is_known).sum()), n),
    }


def precision_at_k(outcome: Floats, known: Mask, selected: Mask, units: Units) -> Estimate:
    """Share of events among the selected whose outcome is known; Wilson's interval.

    The interval is for *this list*: it covers the mean true risk of the people on it, of which the hits are one draw.
    Lists of that length from other people reach down to another risk; that variation comes on top, and matters only
    where precision falls steeply at the end of the list.
    """
    nobody = "nobody selected has a known outcome" if selected.any() else "nobody was selected"
    return _share(outcome, selected & known, units, nobody)


def recall_at_k(outcome: Floats, known: Mask, selected: Mask, units: Units) -> Estimate:
    """Share of the known events that were selected; Wilson's interval on the effective number of events.

    How many are selected is fixed, so hits are drawn among them and misses among the others: a row's residual is
    (1 - R)(y - p) if it was selected and -R (y - p) if not, with p the rate among the selected, or the others. The
    effective number is R (1 - R) over the variance of their mean per event (Korn & Graubard 1998). Drawing each event's
    place by itself would claim a third less than is known. Where all of the selected, or of the others, had the event,
    their draw shows no spread, and that is done.
    """
    event = known & (outcome == 1)
    one_by_one = _share(selected.astype(float), event, units, "no known row has an event")
    recall = one_by_one.value
    if recall is None or one_by_one.low is None or not 0 < recall < 1:
        return one_by_one
    y, chosen, here = outcome[known], selected[known], of_rows(units, known)
    rates = (float(y[~chosen].mean()), float(y[chosen].mean()))
    variance = variance_of_sum(np.where(chosen, 1 - recall, -recall) * (y - np.where(chosen, rates[1], rates[0])), here)
    if max(rates) == 1 or not variance:
        return one_by_one
    events = float(event.sum())
    low, high = wilson(recall, recall * (1 - recall) * events**2 / variance, critical_value(here))
    return Estimate(recall, low, high, int(events))


def precision_bounds(hits: float, unknown_selected: float, selected: float) -> list[float | None]:
    """Where precision would lie if every unknown outcome were known: [all of them no event, all of them events].

    Bounds hold for the list at hand whatever the reason an outcome is missing; they carry no sampling error. Source:
    Manski 1989.
    """
    if not selected:
        return [None, None]
    return [hits / selected, (hits + unknown_selected) / selected]


def recall_bounds(hits: float, missed: float, unknown_selected: float, unknown_others: float) -> list[float | None]:
    """Where recall would lie if every unknown outcome were known. Source: Horowitz & Manski 2000.

    With a events among the unknown selected and b among the other unknown, recall is
    (hits + a)/(hits + a + missed + b): it rises in a and falls in b. So the worst case makes all unknown selected
    non-events and all other unknown events, and the best case the reverse. Where that leaves no event at all recall is
    undefined, and the nearest case that has one is taken.
    """
    worst = hits + missed + unknown_others
    best = hits + unknown_selected + missed
    low = hits / worst if worst else (1.0 if unknown_selected else None)
    high = (hits + unknown_selected) / best if best else (0.0 if unknown_others else None)
    return [low, high]


def unknown_by_fifth(rank: Any, ranked: Any, known: Any) -> tuple[dict[str, Any], ...]:
    """How many outcomes are unknown by fifth of risk, 1 being the lowest: rows of {fifth, n, unknown, share}.

    Parameters
    ----------
    rank : shape (n,), place on the list of that as-of date, from 1 for the highest risk
    ranked : shape (n,), how many were on that list
    known : shape (n,), boolean
    """
    fifth = 5 - (np.asarray(rank, dtype=np.int64) - 1) * 5 // np.asarray(ranked, dtype=np.int64)
    is_known = _mask(known, "known")
    rows = []
    for number in range(1, 6):
        inside = fifth == number
        n, unknown = int(inside.sum()), int((inside & ~is_known).sum())
        rows.append({"fifth": number, "n": n, "unknown": unknown, "share": unknown / n if n else None})
    return tuple(rows)


def select(entity_ids: Sequence[str] | pl.Series, risk: Floats, score: Floats, places: int, seed: int) -> Mask:
    """Who is in the first ``places`` of `riskmodels.models.ranking.order`, for one as-of date.

    Only rows tied at the last place are put in order, so that ids of everybody else need not be hashed.
    """
    chosen = np.zeros(risk.size, dtype=bool)
    if places >= risk.size:
        return ~chosen
    if places <= 0:
        return chosen
    tied = np.arange(risk.size)
    left = places
    for values in (risk, score):
        within = np.asarray(values)[tied]
        last = np.partition(within, within.size - left)[within.size - left]
        above = within > last
        chosen[tied[above]] = True
        left -= int(above.sum())
        tied = tied[within == last]
    by_hash = order(pl.Series(entity_ids)[tied].to_list(), risk[tied], score[tied], seed)
    chosen[tied[by_hash[:left]]] = True
    return chosen


def _share(values: Floats, rows: Mask, units: Units, none: str) -> Estimate:
    if not rows.any():
        return not_computed(none, 0)
    return proportion(values[rows], of_rows(units, rows), NO_ROWS)


def _mask(values: Any, name: str) -> Mask:
    array = np.asarray(values)
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise DataError(f"{name}: holds something other than true and false")
    return array.astype(bool)


def _too_many(unknown: int, rows: int) -> bool:
    return rows > 0 and unknown > LEAD_WITH_BOUNDS_ABOVE * rows
