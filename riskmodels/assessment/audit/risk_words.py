"""Whether it is the risks that are wrong rather than how groups are treated: two kinds of harm, said apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.metrics import NOT_A_RATE
from riskmodels.assessment.audit.verdicts import FAIL, PASS

Row = Mapping[str, Any]

RISKS_ARE_WRONG = "The risks are wrong for some groups"
NOT_TREATMENT = "What fails is what the risks say. That a group is treated worse was not found."
TOO_EXTREME = "The score is too extreme for everybody: high risks are too high, and low ones too low"
TOO_FLAT = "The score is too flat for everybody: high risks are too low, and low ones too high"
_LEAST_GROUPS = 2


def is_of_risks(contrast: Row) -> bool:
    """Whether a comparison asks what the risks mean, not how a group is treated."""
    return contrast["metric"] in NOT_A_RATE


def only_risks_fail(contrasts: Sequence[Row]) -> bool:
    """Whether something fails, and all of it rests on calibration."""
    failed = [row for row in contrasts if row["verdict"] == FAIL]
    return bool(failed) and all(map(is_of_risks, failed))


def off_for_everybody(contrasts: Sequence[Row]) -> str | None:
    """Where the slope of every group that could be judged is off, and on the same side: how the score is wrong.

    None as well where fewer than two groups could be judged, or a slope is not shown.
    """
    judged = [
        row for row in contrasts
        if row["metric"] == "calibration_slope" and row["family"] == "primary" and row["verdict"] in (PASS, FAIL)
    ]  # fmt: skip
    slopes = [row["ratio"] for row in judged]
    if len(judged) < _LEAST_GROUPS or None in slopes or any(row["verdict"] == PASS for row in judged):
        return None
    if all(slope < 1 for slope in slopes):
        return TOO_EXTREME
    return TOO_FLAT if all(slope > 1 for slope in slopes) else None


def risks_in_words(contrasts: Sequence[Row]) -> tuple[str, ...]:
    """That only the risks fail, and that a score is wrong in the same way for everybody; nothing where neither is."""
    said = [NOT_TREATMENT] if only_risks_fail(contrasts) else []
    if everybody := off_for_everybody(contrasts):
        said.append(f"{everybody}. So it is in every group whose slope could be judged.")
    return tuple(said)
