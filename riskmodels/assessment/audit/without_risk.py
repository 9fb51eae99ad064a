"""The audit of a list whose risks nobody gave: who was selected, and what came about, without what risks mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from riskmodels.assessment.audit.auditing import audit_predictions
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.result import Audit, Row
from riskmodels.assessment.audit.verdicts import overall_verdict

CALIBRATION = "calibration"
NO_RISK = "no risks were given"
_OF_RISK = ("oe_ratio", "calibration_slope", "auc")


def audit_without_risk(
    outcome: Any, selected: Any, groups: Mapping[str, Any], *, policy: Policy, excused: Mapping[str, str], **more: Any
) -> Audit:
    """As `audit_predictions`, where there are decisions and no risks.

    Calibration within group carries a verdict for every purpose. Here it cannot be judged, so it is NOT AUDITED, unless
    ``excused`` has a reason under ``calibration``. Whatever else is made of risks has the reason instead of a value.
    """
    asked = policy.model_copy(update={"every_purpose": ()})
    # One risk for everybody: nothing that is kept below is made of it.
    found = audit_predictions(
        outcome, np.full(len(selected), 0.5), selected, groups, policy=asked, excused=excused, **more
    )
    left: list[Row] = list(found.not_audited)
    if policy.every_purpose:
        reason = excused.get(CALIBRATION, f"Whether risks mean the same in every group cannot be said: {NO_RISK}.")
        left.append({"attribute": CALIBRATION, "reason": reason, "accepted": CALIBRATION in excused})
    return replace(
        found,
        not_audited=tuple(left),
        verdict=overall_verdict(found.judged, any(not row["accepted"] for row in left)),
        rows=tuple(_row_without_risk(row) for row in found.rows),
        proxies=tuple(row | {"auc_score": None, "flagged": False, "reason": NO_RISK} for row in found.proxies),
        curves=tuple(row for row in found.curves if row["metric"] not in _OF_RISK),
        pooled=tuple(row for row in found.pooled if row["metric"] not in _OF_RISK),
    )


def _row_without_risk(row: Row) -> Row:
    metrics = row["metrics"] | {metric: {"value": None, "reason": NO_RISK} for metric in _OF_RISK}
    return row | {"metrics": metrics, "expected": None}
