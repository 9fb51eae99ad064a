"""Harm is found as often as the policy asks, and as often as was forecast before there was a model."""

from __future__ import annotations

import pytest

from riskmodels.assessment.audit import FAIL, PASS
from tests.simulations.audit_worlds import foretold
from tests.simulations.conftest import Scale
from tests.simulations.coverage import within_chance
from tests.simulations.findings import Findings

CASES = [
    *(("two", metric, verdict) for metric in ("recall", "oe_ratio", "calibration_slope") for verdict in (PASS, FAIL)),
    *(("six", metric, verdict) for metric in ("recall", "oe_ratio", "calibration_slope") for verdict in (PASS, FAIL)),
    *(("several", metric, verdict) for metric in ("recall", "calibration_slope") for verdict in (PASS, FAIL)),
    *(("mixed", metric, verdict) for metric in ("recall", "fpr") for verdict in (PASS, FAIL)),
    *(("dates", metric, verdict) for metric in ("recall", "oe_ratio", "calibration_slope") for verdict in (PASS, FAIL)),
    ("six of 500", "recall", FAIL),
    ("six of 600", "recall", FAIL),
    ("few", "recall", FAIL),
    ("few", "oe_ratio", PASS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("world", "metric", "verdict"), CASES)
def test_the_forecast_comes_true(world: str, metric: str, verdict: str, scale: Scale, findings: Findings) -> None:
    found = foretold(world, metric, verdict, scale.audits)
    findings.foretold.append(found)
    assert found.holds, f"forecast {found.chance:.0%}, found {found.count} of {found.samples}"


@pytest.mark.slow
@pytest.mark.parametrize(("world", "least"), [("two", 0.90), ("six of 500", 0.75), ("six of 600", 0.85)])
def test_a_recall_of_six_tenths_is_found(world: str, least: float, scale: Scale) -> None:
    """500 positives suffice between two groups; among six, whose intervals are wider, 600 are not quite enough."""
    found = foretold(world, "recall", FAIL, scale.audits)
    assert within_chance(found.count, found.samples, least, 1.0), f"{found.count} of {found.samples}"
