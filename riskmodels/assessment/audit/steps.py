"""The audit's steps: from rows to its tables, each table by the module that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.contrasts import measure
from riskmodels.assessment.audit.counting.counts import cells_of
from riskmodels.assessment.audit.further.curves import curve_rows
from riskmodels.assessment.audit.further.exclusions import after_exclusions
from riskmodels.assessment.audit.further.pooling import pooled_rows
from riskmodels.assessment.audit.further.sweep import sweep_rows
from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.questions import comparisons
from riskmodels.assessment.audit.tables import (
    LISTED,
    Basis,
    Evidence,
    Row,
    composition_rows,
    gather,
    group_rows,
    missing_rows,
    proxy_rows,
)
from riskmodels.assessment.audit.verdicts import INSUFFICIENT, contrast_rows

NOBODY_LISTED = "nobody is on the list, so that there is no selection to judge"
EVERYBODY_LISTED = "everybody is on the list, so that there is no selection to judge"

NO_TABLES: dict[str, tuple[Row, ...]] = dict.fromkeys(("rows", "contrasts", "missing", "proxies", "composition"), ())


@dataclass(frozen=True)
class Asked:
    """What is asked of the rows: ``metrics`` carry a verdict."""

    metrics: tuple[str, ...]
    purpose: str
    policy: Policy
    noun: str
    seed: int


@dataclass(frozen=True)
class Rows:
    """The rows without the list: status (n,) 0, 1, or 2 for not known; risk (n,); clusters (n,) or None."""

    attributes: tuple[Attribute, ...]
    status: np.ndarray
    risk: np.ndarray
    clusters: np.ndarray | None

    def gather(self, chosen: np.ndarray, pairs: Sequence[tuple[str, str]], asked: Asked) -> Evidence:
        return gather(
            self.attributes, pairs, self.status, chosen, self.risk, self.clusters, asked.policy, asked.seed
        )  # fmt: skip


def audit_tables(evidence: Evidence, asked: Asked) -> tuple[dict[str, tuple[Row, ...]], dict[str, float]]:
    missing = missing_rows(evidence, asked.metrics, asked.policy)
    contrasts, widths = judged_contrasts(evidence, missing, asked, asked.metrics)
    tables = {
        "rows": group_rows(evidence, asked.policy, asked.noun),
        "contrasts": contrasts,
        "missing": missing,
        "proxies": proxy_rows(evidence, asked.policy),
        "composition": composition_rows(evidence),
    }
    return tables, widths


def judged_contrasts(
    basis: Basis, missing: Sequence[Row], asked: Asked, metrics: Sequence[str]
) -> tuple[tuple[Row, ...], dict[str, float]]:
    """Every comparison with its verdict. A list of nobody, or of everybody, treats all alike and proves nothing."""
    capped = {row["attribute"] for row in missing if row["share"] > asked.policy.missing.cap_above}
    questions = comparisons(basis, metrics, asked.policy)
    measured = [measure(question, basis.found, basis.slopes) for question in questions]
    rows, widths = contrast_rows(
        questions, measured, basis.strata, basis.found, capped, asked.purpose, asked.policy, asked.noun
    )
    on_list, people = int(basis.found.everybody[list(LISTED)].sum()), int(basis.found.everybody.sum())
    if 0 < on_list < people:
        return rows, widths
    nothing: Row = {
        "verdict": INSUFFICIENT, "reason": EVERYBODY_LISTED if on_list else NOBODY_LISTED, "worse_off": None,
        "minimum_detectable": None,
    }  # fmt: skip
    return tuple(
        row if row["family"] == "exploratory" or row["against"] == "prediction" else row | nothing for row in rows
    ), widths


def further_tables(
    rows: Rows, chosen: np.ndarray, depth: np.ndarray | None, asked: Asked
) -> dict[str, tuple[Row, ...]]:
    attributes, clusters, policy, noun = rows.attributes, rows.clusters, asked.policy, asked.noun
    cells = cells_of(rows.status, chosen)
    return {
        "sweep": () if depth is None else sweep_rows(attributes, rows.status, depth, clusters, policy, noun),
        "curves": curve_rows(attributes, cells, clusters, asked.purpose, policy, noun),
        "pooled": pooled_rows(attributes, cells, clusters, asked.metrics, policy, noun),
    }


def with_features(proxies: Sequence[Row], told: Sequence[Row]) -> tuple[Row, ...]:
    """What the features tell of a group beside what the risk alone tells; flagged if either does."""
    names = ("auc_features", "carried_by", "left_out")
    found = {(row["attribute"], row["group"]): row for row in told}
    merged: list[Row] = []
    for row in proxies:
        own = found.get((row["attribute"], row["group"]), {})
        merged.append(
            row | {name: own[name] for name in names if name in own}
            | {"flagged": row["flagged"] or bool(own.get("flagged")), "reason": row.get("reason") or own.get("reason")}
        )  # fmt: skip
    return tuple(merged)


def judged_after(
    rows: Rows,
    excluded: np.ndarray,
    chosen: np.ndarray,
    tables: Mapping[str, Sequence[Row]],
    titles: Mapping[str, str],
    asked: Asked,
) -> Row:
    """How the list without the excluded is judged, by the same steps."""
    rates = [metric for metric in asked.metrics if metric in PROPORTIONS]
    contrasts, _ = judged_contrasts(rows.gather(chosen, (), asked), tables["missing"], asked, rates)
    verdicts = [row for row in contrasts if row["family"] != "exploratory"]
    return after_exclusions(
        rows.attributes, rows.status, excluded, chosen, verdicts, tables["contrasts"], titles, asked.noun
    )
