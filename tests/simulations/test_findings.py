"""The page says what was found, and what was not run is not on it."""

from __future__ import annotations

from riskmodels.assessment.estimate import Estimate
from tests.simulations.alarms import Alarms, Alike
from tests.simulations.attrition import Held
from tests.simulations.coverage import Coverage
from tests.simulations.findings import Findings
from tests.simulations.schemes import Scheme


def test_every_row_is_told() -> None:
    found = Findings(
        coverage=[
            Coverage("auc", "people", 1000.4, 400, 2000, 1900),
            Coverage("oe_ratio", "rare", 2400, 1200, 2000, 1840),
        ],
        held=[Held("both", "precision", 0.236, 2000, 2000, 0.576, 272, 440)],
        alarms=[Alarms("slices", "auc", Alike(24, 25), 200, 198, 30)],
        schemes={
            1: (
                Scheme("what came true", Estimate(0.63, 0.61, 0.65), Estimate(1.02)),
                (Scheme("random rows", Estimate(0.823, 0.81, 0.84), Estimate(0.98)),),
            )
        },
    )
    lines = found.page().splitlines()
    assert "| AUC | people | 1000 | 400 | 2000 | 95.0% | 0.5% | yes |  |" in lines
    assert "| O/E | rare | 2400 | 1200 | 2000 | 92.0% | 0.6% | **no** | at the limit |" in lines
    assert "| slices | 24 | 25 | AUC | 0.9 | 200 | 198 | 15.0% | 5% | **no** |" in lines
    assert "| risk and outcome | 24% | precision at k, this list | 2000 | 100.0% | 0.58 | 13.6% | 22.0% |" in lines
    assert "| 1 | random rows | 0.823 (0.810 to 0.840) | +0.193 | 0.98 |" in lines


def test_what_did_not_run_is_left_out() -> None:
    assert "## " not in Findings().page()
