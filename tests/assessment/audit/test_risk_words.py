from __future__ import annotations

from typing import Any

import pytest

from riskmodels.assessment.audit.risk_words import (
    NOT_TREATMENT,
    TOO_EXTREME,
    TOO_FLAT,
    off_for_everybody,
    only_risks_fail,
    risks_in_words,
)


def slope(value: float | None, verdict: str = "FAIL", family: str = "primary") -> dict[str, Any]:
    return {"metric": "calibration_slope", "ratio": value, "verdict": verdict, "family": family}


RECALL = {"metric": "recall", "ratio": 0.5, "verdict": "FAIL", "family": "primary"}
PASSED = slope(1.0, "PASS")


def test_a_fail_of_the_risks_alone_is_not_called_treatment() -> None:
    assert only_risks_fail([slope(0.6), RECALL | {"verdict": "PASS"}])
    assert not only_risks_fail([slope(0.6), RECALL])
    assert not only_risks_fail([PASSED])
    assert risks_in_words([slope(0.6), PASSED]) == (NOT_TREATMENT,)
    assert risks_in_words([RECALL]) == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([slope(0.6), slope(0.7), slope(1.0, "INSUFFICIENT EVIDENCE")], TOO_EXTREME),
        ([slope(1.4), slope(1.5)], TOO_FLAT),
        ([slope(0.6), slope(1.5)], None),  # each wrong in its own way
        ([slope(0.6), slope(0.7), PASSED], None),
        ([slope(0.6)], None),  # one group is not everybody
        ([slope(0.6), slope(None)], None),  # what is not shown is not said
        ([slope(0.6), slope(0.7, family="second")], None),
    ],
)
def test_a_slope_that_is_off_in_every_group_is_the_scores(rows: list[dict[str, Any]], said: str | None) -> None:
    assert off_for_everybody(rows) == said
