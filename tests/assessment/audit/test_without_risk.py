"""Decisions without risks: what they can be audited for, and that the rest is not passed over."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodels.assessment.audit import FAIL, INSUFFICIENT, NOT_AUDITED, PASS, audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.without_risk import CALIBRATION, NO_RISK, audit_without_risk
from riskmodels.study import PROTECTED_BY_LAW

QUICK = load_policy().model_copy(update={"replicates": 400})
EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")


def decisions(ratio: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two groups of n; recall is 0.5 in the first and 0.5 times the ratio in the second."""
    rng = np.random.default_rng(4)
    group = np.repeat(["a", "b"], n)
    risk = rng.beta(2, 3, 2 * n)
    outcome = (rng.random(2 * n) < risk).astype(int)
    chance = np.where(outcome == 1, np.where(group == "b", 0.5 * ratio, 0.5), 0.1)
    return outcome, risk, rng.random(2 * n) < chance, group


@pytest.mark.parametrize(
    ("ratio", "excused", "verdict"),
    [
        (1.0, EXCUSED | {CALIBRATION: "The vendor gives no risks."}, PASS),
        (1.0, EXCUSED, NOT_AUDITED),
        (0.5, EXCUSED, FAIL),
    ],
)
def test_calibration_is_not_audited_unless_that_is_accepted(
    ratio: float, excused: dict[str, str], verdict: str
) -> None:
    """Leaving the risks out must not be a way round a verdict that every purpose asks for."""
    outcome, _, selected, group = decisions(ratio)
    found = audit_without_risk(
        outcome, selected, {"race": group}, policy=QUICK, excused=excused, purpose="assistive", seed=1
    )
    assert found.verdict == verdict
    (row,) = [row for row in found.not_audited if row["attribute"] == CALIBRATION]
    assert row["accepted"] == (CALIBRATION in excused)
    assert {row["metric"] for row in found.contrasts if row["family"] == "primary"} == {"recall"}


def test_what_is_not_made_of_risks_is_the_same_as_with_them() -> None:
    outcome, risk, selected, group = decisions(0.9)
    more = {"policy": QUICK, "excused": EXCUSED, "purpose": "mixed", "seed": 1}
    without = audit_without_risk(outcome, selected, {"race": group}, **more)  # type: ignore[arg-type]
    with_risk = audit_predictions(outcome, risk, selected, {"race": group}, **more)  # type: ignore[arg-type]
    for one, other in zip(without.rows, with_risk.rows, strict=True):
        for metric in ("recall", "fpr", "fdr", "selection_rate"):
            assert one["metrics"][metric] == pytest.approx(other["metrics"][metric])
        for metric in ("oe_ratio", "calibration_slope", "auc"):
            assert one["metrics"][metric] == {"value": None, "reason": NO_RISK}
            assert other["metrics"][metric]["value"] is not None
    assert all(row["auc_score"] is None and row["reason"] == NO_RISK for row in without.proxies)
    ratios = {
        (row["metric"], row["group"]): row["ratio"] for row in with_risk.contrasts if row["against"] == "reference"
    }
    assert ratios
    for row in without.contrasts:
        if row["against"] == "reference":
            assert row["ratio"] == pytest.approx(ratios[row["metric"], row["group"]])


def test_a_policy_without_calibration_asks_for_none() -> None:
    outcome, _, selected, group = decisions(1.0, n=60)
    policy = QUICK.model_copy(update={"every_purpose": ()})
    found = audit_without_risk(
        outcome, selected, {"race": group}, policy=policy, excused=EXCUSED, purpose="assistive", seed=1
    )
    assert CALIBRATION not in {row["attribute"] for row in found.not_audited}
    assert found.verdict == INSUFFICIENT
