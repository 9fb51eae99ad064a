"""The audit's tables: evidence counted once, then rows by group, missing groups, proxies, who is on the list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.contrasts import Comparison, Measured, measure
from riskmodels.assessment.audit.counting.counting import Binned, count
from riskmodels.assessment.audit.counting.counts import (
    FN,
    FP,
    SELECTED_UNKNOWN,
    TN,
    TP,
    UNSELECTED_UNKNOWN,
    Counted,
    Replicates,
    Stratum,
    resample,
)
from riskmodels.assessment.audit.counting.group_auc import group_aucs
from riskmodels.assessment.audit.counting.people import people_in
from riskmodels.assessment.audit.metrics import (
    NOT_A_RATE,
    PROPORTIONS,
    parts,
    rate_estimate,
    too_few,
)
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.estimate import Estimate

Row = dict[str, Any]
KNOWN = (TN, FP, FN, TP)
LISTED = (FP, TP, SELECTED_UNKNOWN)
# The counts of a group's row, and the cells that each is the sum of.
NUMBERS = {
    "n": (*KNOWN, UNSELECTED_UNKNOWN, SELECTED_UNKNOWN), "unknown": (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN),
    "positives": (FN, TP), "selected": LISTED, "tp": (TP,), "fp": (FP,), "fn": (FN,), "tn": (TN,),
}  # fmt: skip


@dataclass(frozen=True)
class Basis:
    """What verdicts are made from, without a row. The strata of single attributes come first, in the order of
    ``attributes``; ``counted.slopes`` belong to them.
    """

    attributes: tuple[Attribute, ...]
    strata: tuple[Stratum, ...]
    counted: Counted
    found: Replicates

    @property
    def slopes(self) -> np.ndarray:
        return self.counted.slopes


@dataclass(frozen=True)
class Evidence(Basis):
    """Everything that the tables are made from: beside the counts the rows, as given and by bin of risk.

    status (n,): 0, 1, or 2 for not known; risk (n,); clusters (n,) or None.
    """

    status: np.ndarray
    risk: np.ndarray
    clusters: np.ndarray | None
    binned: Binned


def gather(
    attributes: Sequence[Attribute],
    pairs: Sequence[tuple[str, str]],
    status: np.ndarray,
    selected: np.ndarray,
    risk: np.ndarray,
    clusters: np.ndarray | None,
    policy: Policy,
    seed: int,
) -> Evidence:
    """Count by group and by intersection, fit the slopes, bootstrap the counts."""
    strata = [
        Stratum(attribute.name, group, label, unknown)
        for attribute in attributes
        for group, label, unknown in zip(attribute.groups, attribute.labels, attribute.unknown, strict=True)
    ]
    places = {attribute.name: place for place, attribute in enumerate(attributes)}
    crossed = []
    for first, second in pairs:
        if first in places and second in places:
            number, own = _crossed(attributes[places[first]], attributes[places[second]], policy)
            crossed.append((places[first], places[second], number))
            strata += own
    counted, binned = count(
        [attribute.codes for attribute in attributes],
        [len(attribute.groups) for attribute in attributes],
        crossed,
        status,
        selected,
        risk,
        clusters,
    )
    found = resample(counted, policy.replicates, np.random.default_rng(seed))
    return Evidence(tuple(attributes), tuple(strata), counted, found, status, risk, clusters, binned)


def _crossed(first: Attribute, second: Attribute, policy: Policy) -> tuple[np.ndarray, list[Stratum]]:
    """The intersections that are large enough to show, and the number of each (G1, G2); -1 for others and where a group
    is not known.
    """
    size = (len(first.groups), len(second.groups))
    people = np.bincount(first.codes * size[1] + second.codes, minlength=size[0] * size[1]).reshape(size)
    number = np.full(size, -1, dtype=np.int64)
    strata: list[Stratum] = []
    for one, other in np.argwhere(people >= policy.floors.show).tolist():
        if first.unknown[one] or second.unknown[other]:
            continue
        number[one, other] = len(strata)
        group = f"{first.groups[one]} × {second.groups[other]}"
        label = f"{first.labels[one]} × {second.labels[other]}"
        strata.append(Stratum(f"{first.name} × {second.name}", group, label, False, intersection=True))
    return number, strata


# ---------------------------------------------------------------- rows by group


def group_rows(evidence: Evidence, policy: Policy, noun: str) -> tuple[Row, ...]:
    """One row for each group: counts, expected events, and every metric with its interval or the reason it has none."""
    rows: list[Row] = []
    binned = evidence.binned
    for attribute, profile in zip(evidence.attributes, binned.profiles, strict=True):
        for area in group_aucs(attribute.codes, profile, binned.bins, evidence.status, binned.clusters):
            rows.append(_group_row(evidence, len(rows), area, policy, noun))
    return tuple(rows)


def _group_row(evidence: Evidence, index: int, area: Estimate, policy: Policy, noun: str) -> Row:
    stratum, found = evidence.strata[index], evidence.found
    cells = found.counts[index]
    metrics: Row = {}
    for metric in PROPORTIONS:
        top, bottom = parts(found.resampled[:, index], metric)
        spread = float((top / np.maximum(bottom, 1)).std(ddof=1))
        people = int(people_in(found.presence[index], PROPORTIONS[metric].bottom))
        metrics[metric] = rate_estimate(cells, spread, metric, policy, noun, people)
    for metric in ("oe_ratio", "calibration_slope"):
        own = measure(Comparison(index, None, metric, "primary", "prediction"), found, evidence.slopes)
        metrics[metric] = _calibration(own, metric, policy, noun)
    metrics["auc"] = _auc(area, cells, policy, noun)
    return {
        "attribute": stratum.attribute, "group": stratum.group, "label": stratum.label,
        "n": int(cells.sum()), "positives": int(cells[[FN, TP]].sum()), "selected": int(cells[list(LISTED)].sum()),
        "tp": int(cells[TP]), "fp": int(cells[FP]), "fn": int(cells[FN]), "tn": int(cells[TN]),
        "unknown": int(cells[[UNSELECTED_UNKNOWN, SELECTED_UNKNOWN]].sum()),
        "unknown_selected": int(cells[SELECTED_UNKNOWN]), "expected": float(found.expected[index]),
        "people": {name: int(people_in(found.presence[index], part)) for name, part in NUMBERS.items()},
        "metrics": metrics, "shown": int(cells.sum()) >= policy.floors.show,
    }  # fmt: skip


def _calibration(own: Measured, metric: str, policy: Policy, noun: str) -> Row:
    if own.smallest_denominator < policy.floors.show:
        return {"value": None, "reason": f"not shown ({too_few(policy.floors.show, NOT_A_RATE[metric], noun)})"}
    if own.ratio is None or own.centre is None or own.se is None:
        return {"value": None, "reason": own.reason}
    half = NormalDist().inv_cdf((1 + policy.level) / 2) * own.se
    low, high = own.centre - half, own.centre + half
    if metric == "oe_ratio":
        low, high = min(math.exp(low), own.ratio), max(math.exp(high), own.ratio)
    return {"value": own.ratio, "low": low, "high": high, "n": own.smallest_denominator}


def _auc(area: Estimate, cells: np.ndarray, policy: Policy, noun: str) -> Row:
    rarer = int(min(cells[[FN, TP]].sum(), cells[[TN, FP]].sum()))
    if rarer < policy.floors.show:
        return {"value": None, "reason": f"not shown ({too_few(policy.floors.show, NOT_A_RATE['auc'], noun)})"}
    return area.to_dict()


# ---------------------------------------------------------------- people whose group is not known


def missing_rows(evidence: Basis, metrics: Sequence[str], policy: Policy) -> tuple[Row, ...]:
    """For each attribute the share whose group is not known, and what they could do to the ratios at worst and at best.

    The share is that of people, or of those whom a rate that carries a verdict is of, whichever is larger.
    At worst for a group, all of them with a miss belong to it and all with a hit to its reference; at best the other
    way round. The bounds are given from ``policy.missing.bounds_above`` on, for the rates that carry a verdict.
    """
    rows, start = [], 0
    for attribute in evidence.attributes:
        counts = evidence.found.counts[start : start + len(attribute.groups)]
        start += len(attribute.groups)
        unknown = np.array(attribute.unknown)
        bottoms = [counts.sum(axis=1), *(parts(counts, metric)[1] for metric in metrics if metric in PROPORTIONS)]
        share = max(float(bottom[unknown].sum() / max(bottom.sum(), 1)) for bottom in bottoms)
        bounds: list[Row] | None = None
        if share > policy.missing.bounds_above and not unknown[attribute.reference]:
            bounds = [
                _bound(attribute, counts, group, metric)
                for metric in metrics
                if metric in PROPORTIONS
                for group in np.flatnonzero(~unknown).tolist()
                if group != attribute.reference
            ]
        rows.append({"attribute": attribute.name, "share": share, "bounds": bounds})
    return tuple(rows)


def _bound(attribute: Attribute, counts: np.ndarray, group: int, metric: str) -> Row:
    hits, bottoms = parts(counts, metric)
    unknown = np.array(attribute.unknown)
    extra, misses = int(hits[unknown].sum()), int((bottoms - hits)[unknown].sum())

    def ratio(with_hits: int, with_misses: int) -> float | None:
        """One gets all the unknown hits, the other all the unknown misses."""
        bottom, other = bottoms[with_hits] + extra, bottoms[with_misses] + misses
        if bottom == 0 or other == 0 or hits[with_misses] == 0:
            return None
        return float((hits[with_hits] + extra) / bottom / (hits[with_misses] / other))

    highest, lowest = ratio(group, attribute.reference), ratio(attribute.reference, group)
    return {
        "group": attribute.groups[group], "label": attribute.labels[group], "metric": metric,
        "low": 1 / lowest if lowest else None, "high": highest,
    }  # fmt: skip


# ---------------------------------------------------------------- proxies and composition


def proxy_rows(evidence: Evidence, policy: Policy) -> tuple[Row, ...]:
    """How well the risk alone tells each group from everybody else: area under the curve, either way round."""
    n, in_bin = len(evidence.risk), evidence.binned.bins.size
    ranks = np.cumsum(in_bin) - (in_bin - 1) / 2
    rows = []
    for attribute, profile in zip(evidence.attributes, evidence.binned.profiles, strict=True):
        people = profile.sum(axis=1)
        sizes, sums = people.sum(axis=1), (people * ranks).sum(axis=1)
        for place, (group, label) in enumerate(zip(attribute.groups, attribute.labels, strict=True)):
            own, rest = int(sizes[place]), n - int(sizes[place])
            row: Row = {"attribute": attribute.name, "group": group, "label": label, "auc_features": None}
            if min(own, rest) < policy.floors.show:
                rows.append(row | {"auc_score": None, "flagged": False, "reason": "too few to tell"})
                continue
            area = float((sums[place] - own * (own + 1) / 2) / (own * rest))
            rows.append(row | {"auc_score": area, "flagged": max(area, 1 - area) > policy.proxy_auc})
    return tuple(rows)


def composition_rows(evidence: Evidence) -> tuple[Row, ...]:
    """Who is on the list, who is in the cohort, and who turned out to have the outcome: each group's share of each."""
    everybody = evidence.found.everybody
    wholes = {"on_list": LISTED, "in_cohort": (*KNOWN, UNSELECTED_UNKNOWN, SELECTED_UNKNOWN), "in_need": (FN, TP)}
    rows = []
    for index, stratum in enumerate(evidence.strata):
        if stratum.intersection:
            continue
        row: Row = {"attribute": stratum.attribute, "group": stratum.group, "label": stratum.label}
        for name, cells in wholes.items():
            whole = int(everybody[list(cells)].sum())
            row[name] = float(evidence.found.counts[index][list(cells)].sum() / whole) if whole else None
        rows.append(row)
    return tuple(rows)
