"""The audit's tables: evidence counted once, then rows by group, missing groups, proxies, who is on the list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.contrasts import Comparison, Measured, measure
from riskmodels.assessment.audit.counts import (
    FN,
    FP,
    SELECTED_UNKNOWN,
    TN,
    TP,
    UNSELECTED_UNKNOWN,
    Replicates,
    Stratum,
    cells_of,
    replicate,
)
from riskmodels.assessment.audit.metrics import (
    NOT_A_RATE,
    PROPORTIONS,
    calibration_slopes,
    parts,
    rate_estimate,
    rows_by_group,
    too_few,
)
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.discrimination import auc

Row = dict[str, Any]
KNOWN = (TN, FP, FN, TP)
LISTED = (FP, TP, SELECTED_UNKNOWN)


@dataclass(frozen=True)
class Evidence:
    """Everything that the tables are made from.

    status (n,): 0, 1, or 2 for not known; risk (n,); clusters (n,) or None. The strata of single attributes come first,
    in the order of ``attributes``; slopes (S,) belong to them.
    """

    attributes: tuple[Attribute, ...]
    strata: tuple[Stratum, ...]
    found: Replicates
    slopes: np.ndarray
    status: np.ndarray
    risk: np.ndarray
    clusters: np.ndarray | None


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
    by_name = {attribute.name: attribute for attribute in attributes}
    pair_codes, pair_sizes = [], []
    for first, second in pairs:
        if first in by_name and second in by_name:
            codes, crossed = _crossed(by_name[first], by_name[second], policy)
            pair_codes.append(codes)
            pair_sizes.append(len(crossed))
            strata += crossed
    known = status < 2
    fits = [calibration_slopes(status, known, risk, part.codes, len(part.groups)) for part in attributes]
    found = replicate(
        cells_of(status, selected),
        [attribute.codes for attribute in attributes],
        [len(attribute.groups) for attribute in attributes],
        pair_codes,
        pair_sizes,
        risk,
        [fit.influence for fit in fits],
        clusters,
        policy.replicates,
        np.random.default_rng(seed),
    )
    slopes = np.concatenate([fit.slope for fit in fits])
    return Evidence(tuple(attributes), tuple(strata), found, slopes, status, risk, clusters)


def _crossed(first: Attribute, second: Attribute, policy: Policy) -> tuple[np.ndarray, list[Stratum]]:
    """Codes of the intersections that are large enough to show; -1 for others and where a group is not known."""
    code = first.codes.astype(np.int64) * len(second.groups) + second.codes
    sizes = np.bincount(code, minlength=len(first.groups) * len(second.groups))
    place = np.full(len(sizes), -1, dtype=np.int64)
    strata: list[Stratum] = []
    for index in np.flatnonzero(sizes >= policy.floors.show):
        one, other = divmod(int(index), len(second.groups))
        if first.unknown[one] or second.unknown[other]:
            continue
        place[index] = len(strata)
        group = f"{first.groups[one]} × {second.groups[other]}"
        label = f"{first.labels[one]} × {second.labels[other]}"
        strata.append(Stratum(f"{first.name} × {second.name}", group, label, False, intersection=True))
    return place[code], strata


# ---------------------------------------------------------------- rows by group


def group_rows(evidence: Evidence, policy: Policy, noun: str) -> tuple[Row, ...]:
    """One row for each group: counts, expected events, and every metric with its interval or the reason it has none."""
    rows, stratum = [], 0
    for attribute in evidence.attributes:
        for members in rows_by_group(attribute.codes, len(attribute.groups)):
            rows.append(_group_row(evidence, stratum, members, policy, noun))
            stratum += 1
    return tuple(rows)


def _group_row(evidence: Evidence, index: int, members: np.ndarray, policy: Policy, noun: str) -> Row:
    stratum, found = evidence.strata[index], evidence.found
    cells = found.counts[index]
    metrics: Row = {}
    for metric in PROPORTIONS:
        top, bottom = parts(found.resampled[:, index], metric)
        spread = float((top / np.maximum(bottom, 1)).std(ddof=1))
        metrics[metric] = rate_estimate(cells, spread, metric, policy, noun, clustered=evidence.clusters is not None)
    for metric in ("oe_ratio", "calibration_slope"):
        own = measure(Comparison(index, None, metric, "primary", "prediction"), found, evidence.slopes)
        metrics[metric] = _calibration(own, metric, policy, noun)
    metrics["auc"] = _auc(evidence, cells, members, policy, noun)
    return {
        "attribute": stratum.attribute, "group": stratum.group, "label": stratum.label,
        "n": int(cells.sum()), "positives": int(cells[[FN, TP]].sum()), "selected": int(cells[list(LISTED)].sum()),
        "tp": int(cells[TP]), "fp": int(cells[FP]), "fn": int(cells[FN]), "tn": int(cells[TN]),
        "unknown": int(cells[[UNSELECTED_UNKNOWN, SELECTED_UNKNOWN]].sum()),
        "unknown_selected": int(cells[SELECTED_UNKNOWN]), "expected": float(found.expected[index]),
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


def _auc(evidence: Evidence, cells: np.ndarray, members: np.ndarray, policy: Policy, noun: str) -> Row:
    rarer = int(min(cells[[FN, TP]].sum(), cells[[TN, FP]].sum()))
    if rarer < policy.floors.show:
        return {"value": None, "reason": f"not shown ({too_few(policy.floors.show, NOT_A_RATE['auc'], noun)})"}
    rows = members[evidence.status[members] < 2]
    clusters = None if evidence.clusters is None else evidence.clusters[rows]
    return auc(evidence.status[rows], evidence.risk[rows], clusters).to_dict()


# ---------------------------------------------------------------- people whose group is not known


def missing_rows(evidence: Evidence, metrics: Sequence[str], policy: Policy) -> tuple[Row, ...]:
    """For each attribute the share whose group is not known, and what they could do to the ratios at worst and at best.

    At worst for a group, all of them with a miss belong to it and all with a hit to its reference; at best the other
    way round. The bounds are given from ``policy.missing.bounds_above`` on, for the rates that carry a verdict.
    """
    rows, start = [], 0
    for attribute in evidence.attributes:
        counts = evidence.found.counts[start : start + len(attribute.groups)]
        start += len(attribute.groups)
        unknown = np.array(attribute.unknown)
        share = float(counts[unknown].sum() / counts.sum())
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
        "low": None if lowest is None else 1 / lowest, "high": highest,
    }  # fmt: skip


# ---------------------------------------------------------------- proxies and composition


def proxy_rows(evidence: Evidence, policy: Policy) -> tuple[Row, ...]:
    """How well the risk alone tells each group from everybody else: area under the curve, either way round."""
    n = len(evidence.risk)
    ranks = pl.Series(evidence.risk).rank("average").to_numpy()
    rows = []
    for attribute in evidence.attributes:
        sizes = np.bincount(attribute.codes, minlength=len(attribute.groups))
        sums = np.bincount(attribute.codes, weights=ranks, minlength=len(attribute.groups))
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


# ---------------------------------------------------------------- which questions to ask


def comparisons(evidence: Evidence, metrics: Sequence[str], policy: Policy) -> list[Comparison]:
    """Primary: each group against its reference, and against its own prediction. Second: against everybody else."""
    asked: list[Comparison] = []
    rates = [metric for metric in metrics if metric in PROPORTIONS]
    secondary = [metric for metric in policy.secondary if metric not in metrics]
    start = 0
    for attribute in evidence.attributes:
        reference = start + attribute.reference
        for index in range(start, start + len(attribute.groups)):
            if index != reference:
                asked += [Comparison(index, reference, metric, "primary", "reference") for metric in rates]
                asked += [Comparison(index, reference, metric, "exploratory", "reference") for metric in secondary]
            asked += [Comparison(index, None, m, "primary", "prediction") for m in metrics if m not in PROPORTIONS]
            # Between two groups, everybody else is the other one: nothing new to ask.
            if len(attribute.groups) > 2:
                asked += [Comparison(index, None, metric, "second", "others") for metric in rates]
        start += len(attribute.groups)
    for index in range(start, len(evidence.strata)):
        asked += [Comparison(index, None, metric, "exploratory", "others") for metric in rates]
    return asked
