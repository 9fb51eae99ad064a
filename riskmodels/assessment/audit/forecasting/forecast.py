"""What the audit will be able to judge: known before a model is trained, from the sizes of the groups.

For each comparison that will carry a verdict: how many it rests on, the chance that a group treated alike is cleared,
and the chance that one treated much worse is caught. The bands, floors, standard errors and simultaneous widths are
those of the audit.

Two things are assumed. A model of moderate discrimination (`AUC`) is there, whose scores are normal with equal spread
in those with the outcome and those without; with the base rate and the capacity this gives the recall. And the
characteristics are crossed at random, so that contrasts between groups are correlated within an attribute alone, as the
multinomial has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.audit.contrasts import GRID, harmful_side
from riskmodels.assessment.audit.counting.counts import CELLS, FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit.forecasting.expected_groups import ExpectedCohort, ExpectedGroup, Repeats
from riskmodels.assessment.audit.forecasting.forecast_chances import (
    ObservedToExpected,
    RateRatio,
    Rule,
    Sampling,
    Slope,
    reaches,
)
from riskmodels.assessment.audit.forecasting.forecast_widths import Contrast, simultaneous_widths
from riskmodels.assessment.audit.metrics import NOT_A_RATE, PROPORTIONS, parts, too_few
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.tables import KNOWN
from riskmodels.assessment.audit.unknown import UnknownOutcomes, unknown_between
from riskmodels.assessment.audit.verdicts import OUTCOMES_UNKNOWN
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.logistic import expit
from riskmodels.assessment.sample_size import linear_predictor
from riskmodels.errors import DataError

Row = dict[str, Any]

AUC = 0.75
"""Between a screening tool that is hardly worth its places (0.70) and a strong one (0.80)."""

UNEQUAL = 0.6
"""The ratio, or its inverse on the side where more is worse, that an audit should not miss."""

ALIKE = 0.5
"""Correlation of what is decided on two rows of one cluster that had the same outcome."""

SURELY, HARDLY = 0.95, 0.05  # chances to be judged from which on it is said to be so, or not to be


@dataclass(frozen=True)
class Forecast:
    """``rows``: one for each comparison that will carry a verdict, in the order of the audit.

    Each has attribute, group, label, metric, reference (None: its own prediction), people, positives; ``expected``,
    what the comparison rests on, and the ``floor`` it must reach; the chances (0 to 1) to be ``judged`` at all, of a
    PASS if the group is treated alike (``clears``), of a FAIL at ``ratio`` (``catches``; None where that can be no
    FAIL, ``can_fail`` then being false); the ``smallest`` ratio found with the policy's power, None if there is none;
    ``settles``, whether both chances reach that power; and a ``reason`` where they cannot.
    """

    purpose: str
    policy_sha256: str
    assumed: Mapping[str, float]
    widths: Mapping[str, float]
    power: float
    rows: tuple[Row, ...]

    def to_dict(self) -> Row:
        return {
            "purpose": self.purpose, "policy_sha256": self.policy_sha256, "assumed": dict(self.assumed),
            "widths": dict(self.widths), "power": self.power, "comparisons": len(self.rows),
            "settled": sum(row["settles"] for row in self.rows), "rows": [dict(row) for row in self.rows],
        }  # fmt: skip


def forecast(
    cohort: ExpectedCohort,
    capacity: float,
    purpose: str,
    policy: Policy,
    *,
    measures: str = "need",
    noun: str = "people",
    auc: float = AUC,
) -> Forecast:
    """What the audit will be able to judge.

    Parameters
    ----------
    capacity : share of the people on a test date for whom there is a place, in (0, 1]
    auc : of the model that is yet to be made, in (0.5, 1)

    Raises
    ------
    DataError
        if the AUC or the capacity is not in its range, or everybody or nobody has the outcome.
    """
    if not 0 < capacity <= 1:
        raise DataError(
            f"capacity: {capacity:.4g} is not above 0 and at most 1; give the share for whom there is a place"
        )
    linear_predictor(auc, cohort.base_rate)  # refuses what it cannot be made for
    recall, fpr = at_capacity(auc, cohort.base_rate, capacity)
    cells = np.array([_cells(group, recall, fpr, capacity) for group in cohort.groups]).reshape(-1, CELLS)
    asked = _asked(cohort.groups, policy.primary(purpose, measures))
    rests_on = np.array(
        [
            _rests_on(contrast, cells) / rows_each(contrast.metric, cohort.repeats, cohort.base_rate)
            for contrast in asked
        ]
    )
    floors = np.array([_floor(contrast.metric, policy) for contrast in asked])
    widths = simultaneous_widths(asked, rests_on >= floors, cohort.groups, cells, policy.level)
    # Everybody once: each attribute's groups are everybody.
    first = [group.attribute == cohort.groups[0].attribute for group in cohort.groups] if cohort.groups else []
    audit = _Audit(
        cohort.groups, cells, cells[first].sum(axis=0), cohort.repeats, cohort.base_rate, auc, purpose, policy, noun,
        widths,
    )  # fmt: skip
    rows = tuple(audit.row(contrast) for contrast in asked if not contrast.second)
    assumed = {
        "auc": auc, "capacity": capacity, "base_rate": cohort.base_rate, "recall": recall, "fpr": fpr,
        "rows_each": cohort.repeats.rows,
    }  # fmt: skip
    return Forecast(purpose, policy.sha256, assumed, widths, policy.power, rows)


def rows_each(metric: str, repeats: Repeats, base_rate: float) -> float:
    """How many of the rows that a comparison rests on are of one person: the audit's floors count people.

    Of the other rows of somebody with the outcome, a share ``repeats.again`` has it too; of somebody on the list,
    `ALIKE` are on it; of everybody else, nearly all stay what they are.
    """
    again = ALIKE if repeats.again is None else repeats.again
    alike = {
        "recall": again, "fnr": again, "oe_ratio": again, "calibration_slope": again,
        "fpr": 1 - base_rate * (1 - again) / (1 - base_rate), "fdr": ALIKE, "precision": ALIKE,
    }.get(metric, 1.0)  # fmt: skip
    return 1 + (repeats.rows - 1) * alike


def at_capacity(auc: float, base_rate: float, capacity: float) -> tuple[float, float]:
    """Recall and false positive rate of the top ``capacity`` by a binormal score.

    Those with the outcome are N(d, 1), the others N(0, 1), d = sqrt(2) probit(AUC); the cut-off t solves
    base_rate Phi(d - t) + (1 - base_rate) Phi(-t) = capacity. Source: Pepe 2003, section 4.4.
    """
    normal = NormalDist()
    distance = math.sqrt(2) * normal.inv_cdf(auc)
    low, high = -40.0, 40.0
    for _ in range(80):
        cut = (low + high) / 2
        chosen = base_rate * normal.cdf(distance - cut) + (1 - base_rate) * normal.cdf(-cut)
        low, high = (cut, high) if chosen > capacity else (low, cut)
    return normal.cdf(distance - cut), normal.cdf(-cut)


# ---------------------------------------------------------------- what is compared


def _cells(group: ExpectedGroup, recall: float, fpr: float, capacity: float) -> Floats:
    """(6,) expected counts."""
    known = group.people * group.known
    events, unknown = known * group.base_rate, group.people - known
    cells = np.zeros(CELLS)
    cells[[TP, FN]] = events * recall, events * (1 - recall)
    cells[[FP, TN]] = (known - events) * fpr, (known - events) * (1 - fpr)
    cells[[SELECTED_UNKNOWN, UNSELECTED_UNKNOWN]] = unknown * capacity, unknown * (1 - capacity)
    return cells


def _asked(groups: Sequence[ExpectedGroup], metrics: Sequence[str]) -> list[Contrast]:
    """The audit's comparisons: with the reference, with everybody else, and with a group's own prediction."""
    asked = []
    for attribute in dict.fromkeys(group.attribute for group in groups):
        own = [place for place, group in enumerate(groups) if group.attribute == attribute]
        reference = next((place for place in own if groups[place].reference), own[0])
        for place in own:
            for metric in metrics:
                if metric not in PROPORTIONS:
                    asked.append(Contrast(place, None, metric))
                elif place != reference:
                    asked.append(Contrast(place, reference, metric))
            if len(own) > 2:
                asked += [Contrast(place, None, metric, second=True) for metric in metrics if metric in PROPORTIONS]
    return asked


def _floor(metric: str, policy: Policy) -> int:
    return policy.floors.slope_events if metric == "calibration_slope" else policy.floors.verdict


def _rests_on(contrast: Contrast, cells: Floats) -> float:
    """The denominator that decides whether a comparison may be judged."""
    own = cells[contrast.group]
    if contrast.metric == "oe_ratio":
        return float(own[[FN, TP]].sum())
    if contrast.metric == "calibration_slope":
        return float(min(own[[FN, TP]].sum(), own[[TN, FP]].sum()))
    return min(_sides(contrast, cells))


def _sides(contrast: Contrast, cells: Floats) -> tuple[float, float]:
    """The denominators of a rate in the group and in what it is compared with."""
    own = cells[contrast.group]
    # Everybody else are never fewer than the smaller of two groups: only the group itself can be too small.
    other = own if contrast.reference is None else cells[contrast.reference]
    return float(parts(own, contrast.metric)[1]), float(parts(other, contrast.metric)[1])


# ---------------------------------------------------------------- one comparison


@dataclass(frozen=True)
class _Audit:
    """What every comparison of the audit to come has in common."""

    groups: Sequence[ExpectedGroup]
    cells: Floats
    everybody: Floats
    repeats: Repeats
    base_rate: float
    auc: float
    purpose: str
    policy: Policy
    noun: str
    widths: Mapping[str, float]

    def row(self, contrast: Contrast) -> Row:
        group, metric = self.groups[contrast.group], contrast.metric
        below = harmful_side(metric, self.purpose) != "above"
        ratio = UNEQUAL if below else 1 / UNEQUAL
        sampling = self._sampling(contrast)
        rule = Rule(self.widths[contrast.question], self.policy.band(metric), self.policy.smallest_gap)
        judged, capped = self._judged(contrast), self._capped(group.attribute)
        cannot = self._cannot_fail(ratio, sampling)
        passes, fails = (self._stands(contrast, at) for at in (1.0, ratio))
        clears = judged * sampling.chances(1.0, rule)[0] if passes and not capped else 0.0
        catches = None if cannot else judged * sampling.chances(ratio, rule)[1] * fails
        power_z = NormalDist().inv_cdf(self.policy.power)
        low, high = rule.band
        ratios = np.flip(GRID[low > GRID]) if below else GRID[high < GRID]
        return {
            "attribute": group.attribute, "group": group.group, "label": group.label, "metric": metric,
            "reference": None if contrast.reference is None else self.groups[contrast.reference].label,
            "people": group.people, "positives": float(self.cells[contrast.group, [FN, TP]].sum()),
            "expected": _rests_on(contrast, self.cells) / self._each(metric),
            "floor": _floor(metric, self.policy), "judged": judged,
            "clears": clears, "ratio": ratio, "catches": catches, "can_fail": cannot is None,
            "smallest": sampling.smallest(ratios, rule, power_z) if judged > HARDLY else None,
            "settles": min(clears, catches or 0.0) >= self.policy.power,
            "reason": self._reason(metric, judged, capped) or (None if passes or fails else OUTCOMES_UNKNOWN) or cannot,
        }  # fmt: skip

    def _stands(self, contrast: Contrast, ratio: float) -> bool:
        """Whether a verdict would stand beside the outcomes that will not be known: a PASS at 1, else a FAIL."""
        other = () if contrast.reference is None else (self.cells[contrast.reference],)
        if contrast.metric in PROPORTIONS and not other:
            other = (self.everybody - self.cells[contrast.group],)
        unknown = unknown_between(contrast.metric, self.cells[contrast.group], *other)
        if unknown.ratio is not None:
            low, high = unknown.ratio
            unknown = UnknownOutcomes(unknown.share, (low * ratio, high * ratio))
        return unknown.leave(ratio == 1.0, contrast.metric, self.policy)

    def _sampling(self, contrast: Contrast) -> Sampling:
        own, metric = self.cells[contrast.group], contrast.metric
        effect = self._effect(metric)
        if metric in PROPORTIONS:
            top, bottom = parts(self.everybody, metric)
            mine, other = (max(side, 1e-9) / effect for side in _sides(contrast, self.cells))
            return RateRatio(float(top / bottom), mine, other, self.policy.replicates)
        known, events = max(float(own[list(KNOWN)].sum()), 1e-9), max(float(own[[FN, TP]].sum()), 1e-9)
        base_rate = min(max(self.groups[contrast.group].base_rate, 1e-4), 1 - 1e-4)
        lp, weight = linear_predictor(self.auc, base_rate)
        if metric == "calibration_slope":
            return Slope(1.0, known / effect, lp, weight)
        risk = expit(lp)
        of_events = float((weight * risk**2).sum() / (weight * risk).sum())
        return ObservedToExpected(base_rate, events, of_events, effect)

    def _effect(self, metric: str) -> float:
        """How many times larger clusters make the variance: 1 + (rows - 1) times the correlation of two of them (Kish
        1965).

        Two rows of a cluster count towards the same rate only if both had the same outcome; of those that did, the
        decisions have the correlation `ALIKE`. Calibration rests on the outcomes alone.
        """
        rate = self.base_rate
        again = ALIKE if self.repeats.again is None else self.repeats.again
        outcomes = max(0.0, (again - rate) / (1 - rate))
        correlation = {
            "recall": again * ALIKE, "fnr": again * ALIKE, "fpr": (1 - rate * (1 - again) / (1 - rate)) * ALIKE,
            "selection_rate": ALIKE,
        }.get(metric, outcomes)  # fmt: skip
        return 1 + (self.repeats.rows - 1) * correlation

    def _judged(self, contrast: Contrast) -> float:
        """Chance that everything a comparison rests on reaches the floor.

        Those expected are risks or shares, and certain; those counted are binomial.
        """
        metric, floor = contrast.metric, _floor(contrast.metric, self.policy)
        own, each = self.cells[contrast.group], self._each(contrast.metric)
        if metric == "oe_ratio":
            expected = float(own[[FN, TP]].sum()) / each
            return 1.0 if expected >= floor else reaches(expected, float(own[list(KNOWN)].sum()), floor)
        if metric == "calibration_slope":
            return reaches(_rests_on(contrast, self.cells) / each, float(own[list(KNOWN)].sum()), floor)
        sides = (side / each for side in _sides(contrast, self.cells))
        wholes = float(own.sum()), float((own if contrast.reference is None else self.cells[contrast.reference]).sum())
        return math.prod(reaches(side, whole, floor) for side, whole in zip(sides, wholes, strict=True))

    def _each(self, metric: str) -> float:
        return rows_each(metric, self.repeats, self.base_rate)

    def _capped(self, attribute: str) -> bool:
        own = [group for group in self.groups if group.attribute == attribute]
        unknown = sum(group.people for group in own if group.unknown)
        return unknown > self.policy.missing.cap_above * sum(group.people for group in own)

    def _cannot_fail(self, ratio: float, sampling: Sampling) -> str | None:
        """Why no group whose ratio is this would be a FAIL, if so."""
        if not sampling.possible(np.array([ratio]))[0]:
            return f"no ratio can be {ratio:.2f}: the rate would be above 1"
        if abs(ratio - 1) * sampling.level <= self.policy.smallest_gap:
            gap = round(100 * self.policy.smallest_gap)
            return f"a ratio of {ratio:.2f} would be a difference of at most {gap} in 100, which is no FAIL"
        return None

    def _reason(self, metric: str, judged: float, capped: bool) -> str | None:
        if judged <= HARDLY:
            of = NOT_A_RATE[metric] if metric in NOT_A_RATE else PROPORTIONS[metric].of
            return too_few(_floor(metric, self.policy), of, self.noun)
        if capped:
            share = round(100 * self.policy.missing.cap_above)
            return f"the group is not known for more than {share} in 100, so that nothing can be cleared"
        return None
