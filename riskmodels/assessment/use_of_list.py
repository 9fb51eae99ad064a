"""What acting on the list does: other list sizes, the people at the cut, and what changes by itself.

All of it is read off the canonical ranking, so that it agrees with the metrics and with the list that a team gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.assumed_benefit import assumed_benefit
from riskmodels.assessment.decisions import precision_at_k, precision_bounds, recall_at_k, recall_bounds
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    checked_outcome,
    checked_risk,
    clusters_of,
    mean,
    of_rows,
    proportion,
    variance_of_sum,
    wald,
)
from riskmodels.assessment.ranked_rows import Mask, RankedRows
from riskmodels.errors import DataError, StudyError
from riskmodels.study.use import Help, Money

TIMES = (1.0, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0)  # the places as they are come first: nothing else stands in their stead
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
WINDOW = 50  # people with a known outcome on either side of the cut
Counts = npt.NDArray[np.int64]


def assess_use(
    rows: RankedRows,
    frame: pl.DataFrame,
    places: Mapping[str, int],
    *,
    money: Money | None,
    help_on_offer: Help | None,
    thresholds: Sequence[float],
) -> dict[str, Any]:
    """Everything that acting on the list does.

    Parameters
    ----------
    rows, places : the ranking as `riskmodels.assessment.ranked_rows.rows_of` takes it, and the places it was given
    frame : the ranking's own frame, in the same order; only ``entity_id`` is read
    money, help_on_offer : what the study states, or None
    thresholds : risks in (0, 1) at which avoided interventions are counted

    Returns
    -------
    {capacity_sweep, marginal, assumed, regression_to_mean, interventions_avoided}: see the functions of these names.

    Raises
    ------
    DataError
        if the frame has another number of rows, or a risk is missing.
    StudyError
        for a threshold outside (0, 1).
    """
    if frame.height != rows.n:
        raise DataError(f"ranking: {frame.height} rows for {rows.n} that are assessed; give the ranking's own frame")
    checked_risk(rows.risk, rows.n)
    sweep, known = capacity_sweep(rows, places), rows.known_only()
    own = next(row for row in sweep if row["own"])
    return {
        "capacity_sweep": list(sweep),
        "marginal": marginal_person(rows, places),
        "assumed": assumed_benefit(own["precision"], own["precision_bounds"], money, help_on_offer),
        "regression_to_mean": regression_to_mean(rows, frame["entity_id"]),
        "interventions_avoided": [
            {"threshold": each, "avoided": avoided(known.outcome, known.risk, each, known.units)} for each in thresholds
        ],
    }


# ---------------------------------------------------------------- lists of other sizes


def capacity_sweep(rows: RankedRows, places: Mapping[str, int]) -> tuple[dict[str, Any], ...]:
    """Precision and recall of lists of other sizes, shortest first.

    A size is so many times the places (``times``) or a share of everybody ranked (``of_ranked``), rounded for each
    date, at least 1. Sizes beyond the cohort of any date are left out, and of two with one total the first is kept. The
    row with ``own`` is the list itself.

    Returns
    -------
    rows {times, of_ranked, own, relative, selected, known, unknown, hits, precision, recall, precision_bounds,
    recall_bounds, selection_rate}. ``relative`` is the size as a multiple of the list itself; ``selected`` and what
    follows are as in `riskmodels.assessment.decisions.at_capacity`.
    """
    days, day_of, ranked = _days(rows)
    own = np.array([places[day] for day in days], dtype=np.int64)
    event = rows.known & (rows.outcome == 1)
    events, unknown = int(event.sum()), int((~rows.known).sum())
    table: dict[int, dict[str, Any]] = {}
    for times, share, sizes in _sizes(own, ranked):
        if sizes.sum() in table:
            continue
        chosen = rows.rank <= sizes[day_of]
        selected, hits = int(chosen.sum()), int((chosen & event).sum())
        unknown_here = selected - int((chosen & rows.known).sum())
        table[int(sizes.sum())] = {
            "times": times,
            "of_ranked": share,
            "own": times == 1,
            "relative": selected / max(int(rows.selected.sum()), 1),
            "selected": selected,
            "known": selected - unknown_here,
            "unknown": unknown_here,
            "hits": hits,
            "precision": precision_at_k(rows.outcome, rows.known, chosen, rows.units),
            "recall": recall_at_k(rows.outcome, rows.known, chosen, rows.units),
            "precision_bounds": precision_bounds(hits, unknown_here, selected),
            "recall_bounds": recall_bounds(hits, events - hits, unknown_here, unknown - unknown_here),
            "selection_rate": selected / rows.n if rows.n else None,
        }
    return tuple(table[total] for total in sorted(table))


def _sizes(own: Counts, ranked: Counts) -> list[tuple[float | None, float | None, Counts]]:
    """(times the places, share of the ranked, size on each date) of every list that all dates have people for."""
    rules = [(times, None, times * own) for times in TIMES] + [(None, share, share * ranked) for share in SHARES]
    found = []
    for times, share, exact in rules:
        sizes = np.maximum(np.floor(exact + 0.5).astype(np.int64), 1)
        # More places than people is everybody: that is how the list itself is made.
        sizes = np.minimum(sizes, ranked) if times == 1 else sizes
        if (sizes <= ranked).all():
            found.append((times, share, sizes))
    return found


def _days(rows: RankedRows) -> tuple[list[str], Counts, Counts]:
    """The dates in ISO form, the position of each row's date among them, and how many were ranked on each."""
    # Rows stand together by date, so that there are few places to look for one; right in any order.
    begins = np.append(True, rows.dates[1:] != rows.dates[:-1])[: rows.n]
    days = np.unique(rows.dates[begins])
    day_of = np.searchsorted(days, rows.dates).astype(np.int64)
    return [str(day) for day in days], day_of, np.bincount(day_of, minlength=days.size).astype(np.int64)


# ---------------------------------------------------------------- the people at the cut


def marginal_person(rows: RankedRows, places: Mapping[str, int]) -> dict[str, Any]:
    """The last places on the list against the next below it: what a place more or less does.

    On each side, the ranks nearest the cut on every date, as few as hold `WINDOW` people with a known outcome.

    Returns
    -------
    {inside, outside: {n, unknown, mean_risk, observed}, difference}. ``n`` have a known outcome, ``unknown`` have none;
    ``mean_risk`` and ``observed`` are of those ``n``. ``difference`` is the observed share inside less that outside,
    with the variance of cluster sums.
    """
    days, day_of, _ = _days(rows)
    beyond = rows.rank - np.array([places[day] for day in days], dtype=np.int64)[day_of]
    inside, within = _nearest(rows, -beyond, beyond <= 0)
    outside, without = _nearest(rows, beyond - 1, beyond > 0)
    few = f"fewer than {WINDOW} people {{}} the list have a known outcome"
    return {
        "inside": _side(rows, inside, within, few.format("on")),
        "outside": _side(rows, outside, without, few.format("below")),
        "difference": _difference(rows, inside, outside, "there are too few people on one side of the cut"),
    }


def _nearest(rows: RankedRows, distance: Counts, side: Mask) -> tuple[Mask | None, Mask | None]:
    """Of one side, the rows near the cut whose outcome is known, and those whose is not. None if there are too few."""
    usable = distance[side & rows.known]
    if usable.size < WINDOW:
        return None, None
    near = side & (distance <= np.partition(usable, WINDOW - 1)[WINDOW - 1])
    return near & rows.known, near & ~rows.known


def _side(rows: RankedRows, near: Mask | None, not_known: Mask | None, too_few: str) -> dict[str, Any]:
    if near is None or not_known is None:
        return {"n": None, "unknown": None, "mean_risk": None, "observed": not_computed(too_few)}
    return {
        "n": int(near.sum()),
        "unknown": int(not_known.sum()),
        "mean_risk": float(rows.risk[near].mean()),
        "observed": proportion(rows.outcome[near], of_rows(rows.units, near)),
    }


def _difference(rows: RankedRows, first: Mask | None, second: Mask | None, too_few: str) -> Estimate:
    """Share of events in the first rows less that in the second; they may share clusters."""
    if first is None or second is None:
        return not_computed(too_few)
    both = first | second
    y, is_first = rows.outcome[both], first[both]
    shares = y[is_first].mean(), y[~is_first].mean()
    parts = np.where(is_first, (y - shares[0]) / is_first.sum(), -(y - shares[1]) / (~is_first).sum())
    units = of_rows(rows.units, both)
    return wald(float(shares[0] - shares[1]), variance_of_sum(parts, units), y.size, units, (-1.0, 1.0))


# ---------------------------------------------------------------- what changes by itself


def regression_to_mean(rows: RankedRows, entity_ids: pl.Series) -> dict[str, Any]:
    """Risk on the day somebody was put on the list, and on the next test date; and the same of everybody.

    People are listed on the day they look worst. Part of that passes whatever is done (Galton 1886), so a comparison of
    before and after takes it for an effect of help (Bland & Altman 1994). Nobody was helped because of a list that was
    made for a test, so the fall seen here is the fall to expect without it.

    Returns
    -------
    {listed, everybody: {n, remaining, then, later, change}}. Of ``n`` on test dates that have a next one, ``remaining``
    were ranked there again; ``then`` and ``later`` are their mean risks, and ``change`` the mean difference, with
    people as clusters.
    """
    days, day_of, _ = _days(rows)
    first, later = _seen_again(entity_ids, day_of, len(days))
    has_next, listed = day_of < len(days) - 1, rows.selected[first]
    nobody = "nobody on a list was ranked on the next test date" if has_next.any() else "there is one test date only"
    if all(np.ptp(rows.risk[day_of == day]) == 0 for day in range(len(days))):
        nobody = "all have the same risk on each date"  # what changes between dates is then the model, not the people
        first, later, listed = first[:0], later[:0], listed[:0]
    return {
        name: {"n": int(who.sum()), **_then_and_later(rows, first[pairs], later[pairs], nobody)}
        for name, who, pairs in (
            ("listed", has_next & rows.selected, listed),
            ("everybody", has_next, np.ones_like(listed)),
        )
    }


def _seen_again(entity_ids: pl.Series, day_of: Counts, days: int) -> tuple[Counts, Counts]:
    """Positions of the same person on a test date and on the next."""
    position = np.arange(day_of.size)
    firsts, laters = [position[:0]], [position[:0]]
    ids = pl.DataFrame({"entity_id": entity_ids, "row": position})
    on_day = [ids[np.flatnonzero(day_of == day)] for day in range(days)] if days > 1 else []
    for now, following in pairwise(on_day):
        pairs = now.join(following, on="entity_id", maintain_order="left")
        firsts.append(pairs["row"].to_numpy())
        laters.append(pairs["row_right"].to_numpy())
    return np.concatenate(firsts), np.concatenate(laters)


def _then_and_later(rows: RankedRows, first: Counts, later: Counts, nobody: str) -> dict[str, Any]:
    if not first.size:
        nothing = not_computed(nobody, 0)
        return {"remaining": 0, "then": nothing, "later": nothing, "change": nothing}
    then, now, units = rows.risk[first], rows.risk[later], of_rows(rows.units, first)
    return {
        "remaining": int(first.size),
        "then": mean(then, units),
        "later": mean(now, units),
        "change": mean(now - then, units),
    }


# ---------------------------------------------------------------- interventions avoided


def avoided(outcome: Any, risk: Any, threshold: float, clusters: Any = None) -> Estimate:
    """Unneeded interventions avoided per person against helping everybody, net of the events missed.

    (net benefit - net benefit of all) / (t/(1 - t)). It is a mean of one contribution per row: nothing where risk >= t,
    1 for a non-event below it, -(1 - t)/t for an event below it. So its standard error is that of a mean, and of
    cluster sums where people repeat. Source: Vickers et al. 2008.

    Raises
    ------
    StudyError
        for a threshold outside (0, 1).
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    """
    if not 0 < threshold < 1:
        raise StudyError(f"thresholds: {threshold} is not above 0 and below 1; give risks such as 0.2")
    y = checked_outcome(outcome)
    left_alone = checked_risk(risk, y.size) < threshold
    each = np.where(left_alone, (1 - y) - y * (1 - threshold) / threshold, 0.0)
    return mean(each, clusters_of(clusters, y.size))
