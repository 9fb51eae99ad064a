"""The data dictionary and the page of the columns: one table, every column, in the words of the study."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.models.risk_curves import Curve
from riskmodels.service.outputs.columns import ANY_TEXT, LIST_COLUMNS, columns_page, dictionary
from riskmodels.service.outputs.formulas import HOW_TO_UNDO
from riskmodels.service.shapes import SCORED_SCHEMA
from riskmodels.study import StudyFile, load_study
from riskmodels.study.use import Capacity, ServiceRule

ROOT = Path(__file__).parents[3]
PLAIN: Any = SimpleNamespace(calibrator=Curve(0.0, 1.0))


@pytest.fixture(scope="module")
def study() -> StudyFile:
    return load_study(ROOT / "experiments" / "early_reading_support").file


def read(content: bytes) -> dict[str, dict[str, str]]:
    frame = pl.read_csv(io.BytesIO(content), infer_schema_length=0).fill_null("")
    assert frame.columns == ["column", "type", "meaning", "values", "may be empty when"]
    return {row["column"]: row for row in frame.iter_rows(named=True)}


def test_every_column_of_the_list_in_its_order(study: StudyFile) -> None:
    assert list(LIST_COLUMNS) == list(SCORED_SCHEMA)
    assert list(read(dictionary(study, PLAIN))) == [*SCORED_SCHEMA, ANY_TEXT]


def test_the_page_is_the_table() -> None:
    page = (ROOT / "docs" / "scoring-columns.md").read_text(encoding="utf-8")
    assert page == columns_page()
    for name, column in LIST_COLUMNS.items():
        assert f"| `{name}` |" in page
        assert "|" not in column.meaning + column.values + column.empty


def test_it_says_how_to_undo_what_was_done_to_formulas(study: StudyFile) -> None:
    assert read(dictionary(study, PLAIN))[ANY_TEXT]["meaning"] == HOW_TO_UNDO
    assert HOW_TO_UNDO in " ".join(columns_page().split())


def test_the_words_of_rules_are_those_that_the_role_may_read(study: StudyFile) -> None:
    """From whom a rule is hidden, the dictionary hides it too."""
    rule = ServiceRule(exclude={"any": "on_roll"}, because="secret", owner="o")  # type: ignore[arg-type]
    ruled = study.model_copy(update={"service_rules": (rule,)})
    told = {rules: read(dictionary(ruled, PLAIN, None, rules))["not_listed_because"]["values"] for rules in
            (None, ("left off by a rule",))}  # fmt: skip
    assert told[None].startswith("secret; ")
    assert told["left off by a rule",].startswith("left off by a rule; ")
    assert "secret" not in told["left off by a rule",]


def test_the_words_of_the_study_the_model_and_the_role(study: StudyFile) -> None:
    places = Capacity(places={"North": 3, "South": 4}, by="pupils.area")
    lines = read(dictionary(study.model_copy(update={"capacity": places}), PLAIN, "caseworker"))
    assert study.question in lines["risk"]["meaning"]
    assert lines["team"]["values"] == "North, South"
    assert all(band in lines["band"]["values"] for band in study.bands)
    assert lines["risk_low"]["may be empty when"] == "always: this model gives no range"
    assert "caseworker" in lines["reason_1"]["meaning"]
    assert "a factor your team may not see" in lines["lowers_1"]["meaning"]
    assert "may not see" not in read(dictionary(study, PLAIN))["reason_1"]["meaning"]


def test_a_model_with_a_range_says_when_there_is_none(study: StudyFile) -> None:
    from riskmodels.models.calibration import fit_venn_abers

    scores = np.linspace(-2, 2, 40)
    ranged: Any = SimpleNamespace(calibrator=fit_venn_abers(scores, (scores > 0).astype(float)))
    assert "always" not in read(dictionary(study, ranged))["risk_low"]["may be empty when"]


def test_types_in_words(study: StudyFile) -> None:
    kinds = {name: row["type"] for name, row in read(dictionary(study, PLAIN)).items()}
    assert (kinds["entity_id"], kinds["as_of_date"], kinds["rank"]) == ("text", "date", "whole number")
    assert (kinds["risk"], kinds["listed"]) == ("decimal number", "true or false")


def test_same_study_same_bytes(study: StudyFile) -> None:
    assert dictionary(study, PLAIN) == dictionary(study, PLAIN)
