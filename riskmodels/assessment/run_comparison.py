"""Finished runs of a study against each other: is the later one better, and do their lists name the same people?

Runs are compared on what both can be judged by: the rows of their common test dates that both ranked and whose outcome
both know. Differences are paired, so that what moves both alike cancels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.intervals import difference_of_independent
from riskmodels.assessment.list_overlap import Overlap, compare_lists, shared_list
from riskmodels.assessment.paired_bootstrap import REPLICATES
from riskmodels.assessment.paired_measures import Difference, paired_differences
from riskmodels.assessment.paired_rows import RankedRun, pair

GROUP_METRICS = ("recall", "selection_rate")
DECIMALS = 3  # as in the cards that the rates are taken from


@dataclass(frozen=True)
class RunComparison:
    """A second run against a first: what is common, the differences, the lists. Counts are exact; see
    `riskmodels.assessment.comparison_disclosure.publish_comparison`.
    """

    first: str
    second: str
    counts: dict[str, Any]
    differences: tuple[Difference, ...]
    overlap: Overlap

    def to_dict(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "counts": dict(self.counts),
            "differences": [difference.to_dict() for difference in self.differences],
            "overlap": self.overlap.to_dict(),
        }


def compare_runs(
    first: RankedRun, second: RankedRun, *, thresholds: Sequence[float], bands: Mapping[str, float], seed: int
) -> RunComparison:
    """Compare two runs; every difference is positive where the second is the better one.

    Parameters
    ----------
    first, second : from `ranked_run`
    thresholds : risks in (0, 1) at which net benefit is compared
    bands : name -> the risk from which it reaches, lowest first, from 0
    seed : of the resamples; the same seed gives the same intervals

    Raises
    ------
    DataError
        if the runs share no test date or nobody, or know different outcomes of the same people.
    StudyError
        for a threshold outside (0, 1).
    """
    both = pair(first, second)
    return RunComparison(
        first.name,
        second.name,
        dict(both.counts) | {"replicates": REPLICATES},
        paired_differences(both.first, both.second, both.units, thresholds=thresholds, seed=seed),
        compare_lists(both, bands),
    )


def list_matrix(runs: Sequence[RankedRun]) -> list[list[tuple[int, int, int] | None]]:
    """`shared_list` of each run (rows) with each (columns)."""
    return [[shared_list(one, other) for other in runs] for one in runs]


# ---------------------------------------------------------------- groups


def compare_groups(
    first: Iterable[Mapping[str, Any]], second: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Each protected group's recall and selection rate in both runs, from the rows of two published audits.

    The interval of a difference takes the two as independent (`difference_of_independent`), which they are not: they
    are of the same people, and so it is wider than a paired one would be.

    Returns
    -------
    rows {attribute, group, label, metric, first, second, difference, verdict}, the first three estimates as plain
    values, ``verdict`` being higher, lower, no clear change or not computed (of the second run).
    """
    others = {(row["attribute"], row["group"]): row for row in second}
    rows = []
    for row in first:
        other = others.get((row["attribute"], row["group"]))
        if other is None:
            continue
        for metric in GROUP_METRICS:
            sides = [each["metrics"].get(metric) or {"value": None} for each in (row, other)]
            difference = _independent_difference(*sides)
            rows.append(
                {
                    **{name: row[name] for name in ("attribute", "group", "label")}, "metric": metric,
                    "first": dict(sides[0]), "second": dict(sides[1]), "difference": difference,
                    "verdict": _change(difference),
                }
            )  # fmt: skip
    return tuple(rows)


def _independent_difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    ends: list[Any] = [each.get(end) for each in (first, second) for end in ("value", "low", "high")]
    v1, l1, u1, v2, l2, u2 = ends
    if v1 is None or v2 is None:
        reason = (first if v1 is None else second).get("reason") or "not in both cards"
        return {"value": None, "reason": reason}
    if any(end is None for end in ends):
        return {"value": round(v2 - v1, DECIMALS), "reason": "one of the two has no interval"}
    low, high = difference_of_independent((v1, l1, u1), (v2, l2, u2))
    interval = {"value": v2 - v1, "low": low, "high": high}
    return {end: round(value, DECIMALS) + 0.0 for end, value in interval.items()}


def _change(difference: Mapping[str, Any]) -> str:
    if difference["value"] is None:
        return "not computed"
    low, high = difference.get("low"), difference.get("high")
    if low is None or high is None or low <= 0 <= high:
        return "no clear change"
    return "higher" if low > 0 else "lower"
