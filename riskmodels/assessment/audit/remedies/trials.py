"""What an experiment would do, in numbers: people reached, the gap between two groups, and what it costs.

An experiment is judged by its expected selection: for each ranked row the chance of a place, 0 or 1 for a list and in
between where chance decides. Every interval is of this list at these risks, with clusters whole, and every change from
today is paired on the same people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import Floats, variance_of_sum, wald
from riskmodels.assessment.ranked_rows import RankedRows

Row = dict[str, Any]
COULD = "could be done"
SIMULATION = "simulation only"
TODAY = "today"
# The rate by which a group's treatment is judged: its name, and the outcome of those it is about.
RATES = {"assistive": ("recall", 1.0), "punitive": ("fpr", 0.0), "mixed": ("recall", 1.0)}
NO_RANKING = "no one order of people stands behind it"


@dataclass(frozen=True, eq=False)
class Trial:
    """One thing that was tried. ``selection`` (n,): the chance of a place, in the order of the ranking; ``risk`` (n,)
    where there is one order of people, else None. ``features``: those that were left out.
    """

    name: str
    kind: str
    selection: Floats
    risk: Floats | None
    family: str
    features: tuple[str, ...] = ()
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Ground:
    """What all trials of one attribute are judged on.

    ``judged``: positions of the groups with enough people for a verdict. ``worse`` and ``better``: of those, the
    reference and the group furthest from it today, whichever of the two fares worse first.
    """

    rows: RankedRows
    attribute: Attribute
    metric: str
    counted: np.ndarray
    judged: tuple[int, ...]
    worse: int
    better: int

    def of(self, group: int) -> np.ndarray:
        """(n,) bool: the rows that the rate of this group is made of."""
        return self.counted & (self.attribute.codes == group)


def ground_of(rows: RankedRows, attribute: Attribute, purpose: str, policy: Policy) -> Ground | str:
    """The ground for one attribute, or why nothing can be tried.

    Parameters
    ----------
    attribute : coded in the order of ``rows``
    """
    metric, outcome = RATES[purpose]
    counted = rows.known & (rows.outcome == outcome)
    sizes = np.bincount(attribute.codes[counted], minlength=len(attribute.groups))
    judged = [
        place
        for place, unknown in enumerate(attribute.unknown)
        if not unknown and sizes[place] >= policy.floors.verdict
    ]
    if len(judged) < 2:
        had = "had the outcome" if outcome else "did not have the outcome"
        return f"fewer than two of its groups have {policy.floors.verdict} known rows that {had}"
    reference = attribute.reference if attribute.reference in judged else max(judged, key=lambda place: sizes[place])
    plain = Ground(rows, attribute, metric, counted, tuple(judged), reference, reference)
    rates = {place: float(rows.selected[plain.of(place)].mean()) for place in judged}
    furthest = max((place for place in judged if place != reference), key=lambda p: abs(rates[p] - rates[reference]))
    # Few found of those in need, or many wrongly picked: either is worse.
    harm = rates[reference] - rates[furthest] if outcome else rates[furthest] - rates[reference]
    worse, better = (furthest, reference) if harm >= 0 else (reference, furthest)
    return Ground(rows, attribute, metric, counted, tuple(judged), worse, better)


# ---------------------------------------------------------------- one trial in numbers


def measure_trial(trial: Trial, today: Trial, ground: Ground) -> Row:
    """A trial as a row.

    ``reached``: expected number of listed rows that had the outcome; ``precision``: of those listed with a known
    outcome; ``more_reached`` and ``precision_change``: less today's, paired. ``gap``: how much worse the group
    ``worse`` fares than ``better`` (recall of the better less that of the worse; false positive rate the other way
    round), below 0 where it has turned; ``gap_change`` less today's, paired. ``ratio``: the worst ratio of any judged
    group to the better one, with the interval of that one ratio; ``largest_gap``: between any two judged groups that
    is furthest from the better one. ``narrower``: whether the two groups come nearer to each other beyond chance.
    """
    rows, attribute = ground.rows, ground.attribute
    now, then = today.selection, trial.selection
    known = rows.known
    is_today = trial.name == TODAY
    gap, gap_change = _gap(then, ground), None if is_today else _gap(then, ground, less=now)
    row: Row = {
        "attribute": attribute.name, "name": trial.name, "kind": trial.kind, "family": trial.family,
        "features": list(trial.features), "share": trial.share,
        "places": float(then.sum()), "reached": float((then * rows.outcome)[known].sum()),
        "precision": _precision(then, rows).to_dict(),
        "more_reached": None if is_today else _more_reached(then - now, rows).to_dict(),
        "precision_change": None if is_today else _precision(then, rows, less=now).to_dict(),
        "auc": _auc(trial, rows).to_dict(), "metric": ground.metric,
        "worse": attribute.groups[ground.worse], "worse_label": attribute.labels[ground.worse],
        "better": attribute.groups[ground.better], "better_label": attribute.labels[ground.better],
        "gap": gap.to_dict(), "gap_change": None if gap_change is None else gap_change.to_dict(),
        "narrower": None if gap_change is None else _narrower(now, then, ground),
        **_worst_ratio(then, ground),
        "groups": [_group_row(place, then, ground) for place in range(len(attribute.groups))],
    }  # fmt: skip
    row["largest_gap"] = largest_gap(row)
    return row


def _auc(trial: Trial, rows: RankedRows) -> Estimate:
    if trial.risk is None:
        return not_computed(NO_RANKING)
    known = rows.known_only()
    if known.too_few:
        return not_computed(known.too_few, known.n)
    return auc(known.outcome, trial.risk[rows.known], known.units)


def _precision(selection: Floats, rows: RankedRows, less: Floats | None = None) -> Estimate:
    """Of the places with a known outcome, the share that reach somebody who had it; less another selection's."""
    value, influence = _share(selection, rows)
    if less is not None:
        other, of_other = _share(less, rows)
        value, influence = value - other, influence - of_other
    within = (0.0, 1.0) if less is None else (-1.0, 1.0)
    if math.isnan(value):
        return not_computed("nobody on the list has a known outcome", 0)
    return wald(value, variance_of_sum(influence, rows.units), int(rows.known.sum()), rows.units, within)


def _share(selection: Floats, rows: RankedRows) -> tuple[float, Floats]:
    weight = selection * rows.known
    total = float(weight.sum())
    if total == 0:
        return math.nan, weight
    value = float((weight * rows.outcome).sum() / total)
    return value, weight * (rows.outcome - value) / total


def _more_reached(change: Floats, rows: RankedRows) -> Estimate:
    """How many more people with the outcome: a total, whose variance is that of centred cluster sums."""
    each = change * rows.outcome * rows.known
    variance = variance_of_sum(each - each.mean(), rows.units)
    return wald(float(each.sum()), variance, int(rows.known.sum()), rows.units)


def _rate(selection: Floats, group: int, ground: Ground) -> tuple[float, Floats]:
    """A group's rate, and each row's influence on it."""
    own = ground.of(group)
    count = int(own.sum())
    if count == 0:
        return math.nan, np.zeros(own.size)
    value = float(selection[own].mean())
    return value, np.where(own, selection - value, 0.0) / count


def _gap(selection: Floats, ground: Ground, less: Floats | None = None) -> Estimate:
    """How much worse the worse-off group fares; less that of another selection."""
    sign = 1.0 if ground.metric == "recall" else -1.0
    value, influence = 0.0, np.zeros(ground.rows.n)
    for chosen, side in ((selection, 1.0), (less, -1.0)):
        if chosen is None:
            continue
        (better, of_better), (worse, of_worse) = (_rate(chosen, g, ground) for g in (ground.better, ground.worse))
        value += side * sign * (better - worse)
        influence = influence + side * sign * (of_better - of_worse)
    units, n = ground.rows.units, int(ground.of(ground.worse).sum())
    limit = 1.0 if less is None else 2.0
    return wald(value, variance_of_sum(influence, units), n, units, (-limit, limit))


def _narrower(now: Floats, then: Floats, ground: Ground) -> bool:
    """Whether the two rates came nearer to each other beyond chance, both as a ratio and in points.

    The ratio is what a verdict is on; in points alone, any list that finds fewer people would look fairer. A gap that
    is turned round beyond chance is another gap, to the harm of the other group.
    """
    logs, points, influences = [], [], []
    for selection in (now, then):
        (better, of_better), (worse, of_worse) = (_rate(selection, g, ground) for g in (ground.better, ground.worse))
        if better == 0 or worse == 0:
            return False
        logs.append(math.log(worse / better))
        points.append(abs(better - worse))
        influences.append(of_worse / worse - of_better / better)
    if abs(logs[1]) >= abs(logs[0]) or points[1] > points[0]:
        return False
    turned = logs[0] * logs[1] < 0 and _beyond_chance(logs[1], influences[1], ground)
    return not turned and _beyond_chance(logs[1] - logs[0], influences[1] - influences[0], ground)


def _beyond_chance(value: float, influence: Floats, ground: Ground) -> bool:
    found = wald(value, variance_of_sum(influence, ground.rows.units), ground.rows.n, ground.rows.units)
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def _worst_ratio(selection: Floats, ground: Ground) -> Row:
    """The ratio furthest from 1 on the harmful side, of a judged group to the better-off one."""
    other, of_other = _rate(selection, ground.better, ground)
    ratios = {g: _rate(selection, g, ground) for g in ground.judged if g != ground.better}
    pick = min if ground.metric == "recall" else max
    worst = pick(ratios, key=lambda g: ratios[g][0])
    rate, influence = ratios[worst]
    named = {"ratio_label": ground.attribute.labels[worst], "ratio_group": ground.attribute.groups[worst]}
    n = int(ground.of(worst).sum())
    if other == 0 or rate == 0:
        return named | {"ratio": not_computed("one of the two rates is 0", n).to_dict()}
    on_log = wald(0.0, variance_of_sum(influence / rate - of_other / other, ground.rows.units), n, ground.rows.units)
    value = rate / other
    if on_log.low is None or on_log.high is None:
        return named | {"ratio": Estimate(value, n=n, reason=on_log.reason).to_dict()}
    ends = value * math.exp(on_log.low), value * math.exp(on_log.high)
    return named | {"ratio": Estimate(value, *ends, n).to_dict()}


def _group_row(group: int, selection: Floats, ground: Ground) -> Row:
    rows, attribute = ground.rows, ground.attribute
    own = rows.known & (attribute.codes == group)
    need, listed = rows.outcome == 1, selection
    return {
        "group": attribute.groups[group], "label": attribute.labels[group], "judged": group in ground.judged,
        "tp": float(listed[own & need].sum()), "fn": float((1 - listed)[own & need].sum()),
        "fp": float(listed[own & ~need].sum()), "tn": float((1 - listed)[own & ~need].sum()),
    }  # fmt: skip


# ---------------------------------------------------------------- all trials together

CELLS = {"recall": ("tp", "fn"), "fpr": ("fp", "tn")}


def rate_of(group: Row, metric: str) -> float | None:
    """A group's rate from its counts, exact or published; None where they are not shown or there is nobody."""
    top, rest = (group[name] for name in CELLS[metric])
    if top is None or rest is None or top + rest == 0:
        return None
    return float(top / (top + rest))


def largest_gap(row: Row) -> float | None:
    """How far the judged group lies that is furthest from the better-off one, whichever way."""
    rates = {group["group"]: rate_of(group, row["metric"]) for group in row["groups"] if group["judged"]}
    other = rates.get(row["better"])
    if other is None or any(rate is None for rate in rates.values()):
        return None
    return max(abs(rate - other) for rate in rates.values() if rate is not None)


def with_frontier(rows: Sequence[Row]) -> list[Row]:
    """The rows of one attribute with ``frontier``: whether nothing reaches as many of 100 places with as small a gap.

    Compared at the same number of places: a shorter list is right more often and misses everybody alike, which is no
    fairness. A simulation does not push aside what could be done, since nobody may use it. None where the number of
    places is another, or a figure is not shown.
    """
    alike = [row for row in rows if row["share"] == 1.0]
    marked = []
    for row in rows:
        if row["share"] != 1.0:
            marked.append(row | {"frontier": None})
            continue
        rivals = [other for other in alike if other["kind"] == COULD or row["kind"] == SIMULATION]
        marked.append(row | {"frontier": _undominated(row, rivals)})
    return marked


def _undominated(row: Row, rivals: Sequence[Row]) -> bool | None:
    own = _benefit_and_gap(row)
    if own is None:
        return None
    others = [found for found in map(_benefit_and_gap, rivals) if found is not None]
    return not any(
        other[0] >= own[0] and other[1] <= own[1] and other != own  # as good in both, and better in one
        for other in others
    )


def _benefit_and_gap(row: Row) -> tuple[float, float] | None:
    benefit, gap = row["precision"].get("value"), row["largest_gap"]
    return None if benefit is None or gap is None else (round(benefit, 9), round(gap, 9))
