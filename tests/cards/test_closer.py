"""What stands behind the headline figures: calibration before and after, to the digits that tell the two apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from riskmodels.cards.closer import CALIBRATORS, Looked, _calibration, _published_effect
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import language_of
from riskmodels.study.models import ModelsSection
from tests.cards import example_card as example


def row(measure: str, before: float, after: float) -> dict[str, Any]:
    sides = {"before": before, "after": after}
    return {"measure": measure} | {side: {"value": at, "low": at, "high": at, "n": 812} for side, at in sides.items()}


def looked(*rows: dict[str, Any]) -> Looked:
    study = example.study()
    return Looked(study, language_of(study.file), {"calibration_effect": _published_effect(rows, Shown())}, None)


def test_each_measure_keeps_its_own_decimals() -> None:
    brier, ratio = _published_effect([row("brier_score", 0.06901, 0.06872), row("oe_ratio", 0.94111, 1.02444)], Shown())
    assert (brier["before"]["value"], brier["after"]["low"]) == (0.069, 0.0687)
    assert (ratio["before"]["value"], ratio["after"]["value"]) == (0.941, 1.024)
    assert brier["before"]["n"] == 810


@pytest.mark.parametrize(
    ("before", "said"), [(0.94, "102 came about: without it 94 would have."), (1.02, "as many as without it.")]
)
def test_the_level_before_and_after_in_words(before: float, said: str) -> None:
    (words,) = _calibration(looked(row("oe_ratio", before, 1.024))).words
    assert words.endswith(said)


def test_without_a_level_there_are_no_words() -> None:
    assert _calibration(looked(row("brier_score", 0.07, 0.06))).words == ()
    unknown = row("oe_ratio", 1.0, 1.0) | {"after": {"value": None, "reason": "no outcome is known"}}
    assert _calibration(looked(unknown)).words == ()


def test_every_calibrator_has_words() -> None:
    kinds = get_args(ModelsSection.model_fields["calibrator"].annotation)
    assert set(CALIBRATORS) == set(kinds)
    made = looked(row("oe_ratio", 1.0, 1.0))
    file = made.study.file.model_copy(
        update={"models": made.study.file.models.model_copy(update={"calibrator": "auto"})}
    )
    table = _calibration(replace(made, study=replace(made.study, file=file))).tables["calibration"]
    assert "section 15 names it" in str(table.note)
