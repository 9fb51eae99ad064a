from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from riskmodels.models.matrix import Column
from riskmodels.models.reasons import key_facts, plain_number, say, top_reasons
from tests.models.planted import SPECS, spec

READING, ABSENCES, INCOME, CLASS_TYPE, SCHOOL = SPECS


def number(typical: float | None, low: float = 0.0, high: float = 100.0, missing: str = "keep") -> Column:
    return Column("x", "latest", "f.x", "ever", "f", "number", missing, typical=typical, low=low, high=high)


def category(*vocabulary: str) -> Column:
    return Column("x", "latest", "f.x", "ever", "f", "category", "keep", vocabulary, typical=vocabulary[0])


@pytest.mark.parametrize(
    ("words", "column", "value", "expected"),
    [
        (READING, number(50.0), 12.0, "a low reading score (12; typical is 50)"),
        (READING, number(50.0), 87.6, "a high reading score (88; typical is 50)"),
        (READING, number(50.0), 54.0, "reading score: 54 (typical is 50)"),
        (READING, number(50.0), 50.0, "reading score: 50"),
        (READING, number(50.0), math.nan, "reading score not recorded"),
        (READING, number(None), 3.0, "reading score: 3"),
        (INCOME, number(30_000.0, 9_000, 60_000), 12_345.6, "household income: 12,346"),
        (ABSENCES, number(0.0, 0, 4), 2.0, "many absences (2; typical is 0)"),
        (ABSENCES, number(1.25, 0, 4), 0.0, "few absences (0; typical is 1.2)"),
        (spec("x", value="aged {value}"), number(40.0), 71.2, "aged 71"),
        (spec("x", high="a large share"), number(0.05, 0.0, 0.4), 0.31, "a large share (0.31; typical is 0.05)"),
        (CLASS_TYPE, category("large", "small"), 1.0, "a small class"),
        (SCHOOL, category("a", "b"), 1.0, "school: b"),
        (SCHOOL, category("a", "b"), math.nan, "school not recorded"),
        (CLASS_TYPE, category("a", "b"), -1.0, "kind of class: a value that the model did not learn from"),
        (spec("x", "category", value="{value.__class__} {0}"), category("a"), 0.0, "{value.__class__} {0}"),
    ],
)  # fmt: skip
def test_one_value_in_words(words, column, value, expected):
    assert say(words, column, value) == expected


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        (1234.5, number(100.0), "1,234"),
        (-0.04, number(2.0, 0, 5), "0"),
        (2.25, number(2.0, 0, 5), "2.2"),
        (0.0123, number(0.01, 0.0, 0.04), "0.012"),
    ],
)
def test_plain_numbers(value, column, expected):
    assert plain_number(value, column) == expected


def test_reasons_are_the_strongest_contributions(world):
    """The same, said slowly row by row."""
    for family in ("logistic", "points", "lightgbm"):
        model = world.model(family)
        frame = world.frame[:200]
        found = top_reasons(model, frame)
        parts = model.contributions(frame)
        matrix = model.encoder.encode(frame)
        for row in range(200):
            order = sorted(range(5), key=lambda place: (-parts[row, place], place))
            raising = [place for place in order if parts[row, place] >= 0.01][:3]
            lowering = [place for place in reversed(order) if parts[row, place] <= -0.01][:1]
            said = []
            for place in (*raising, *[None] * (3 - len(raising)), *(lowering or [None])):
                if place is None:
                    said.append(None)
                    continue
                column = matrix.columns[place]
                known = matrix.recorded[row, place] or column.missing == "zero"
                said.append(say(SPECS[place], column, matrix.values[row, place] if known else math.nan))
            assert [found[name][row] for name in ("reason_1", "reason_2", "reason_3", "lowers_1")] == said


def test_imputed_and_zero_values_are_told_apart(world):
    model = world.model("logistic")
    frame = pl.DataFrame(
        {"reading": [10.0], "absences": [None], "income": [None], "class_type": ["large"], "school": [None]},
        schema_overrides={"absences": pl.Float64, "income": pl.Float64, "school": pl.String},
    )
    found = top_reasons(model, frame)
    assert found["reason_1"] == ["a low reading score (10; typical is 52)"]
    assert found["reason_2"] == ["a large class"]
    assert found["lowers_1"] == ["absences: 0"]


def test_key_facts_and_their_caveats(world):
    model = world.model("logistic")
    assert [SPECS[place].name for place in key_facts(model)] == ["reading", "absences", "class_type", "school"]
    frame = pl.DataFrame(
        {
            "reading": [None, 50.0, 50.0, None, 1e6],
            "absences": [0.0, 40.0, None, 99.0, 0.0],
            "income": [None, -1.0, 1e9, 30_000.0, 30_000.0],
            "class_type": ["large", "small", "a new kind", None, "large"],
            "school": ["school 01"] * 5,
        }
    )
    assert top_reasons(model, frame)["caveats"] == [
        "key facts missing: reading score",
        "outside the range the model learned from: absences",
        "outside the range the model learned from: kind of class",
        "outside the range the model learned from: absences; key facts missing: reading score, kind of class",
        "outside the range the model learned from: reading score",
    ]
    plain = frame[:1].with_columns(pl.lit(50.0).alias("reading"))
    assert top_reasons(model, plain)["caveats"] == [None]


def test_the_ends_of_what_was_learned_are_not_outside(world):
    """Half a per cent of the fit rows lies beyond either end of the range."""
    model = world.model("current_practice")
    column = model.encoder.columns[2]
    income = world.frame["income"].drop_nulls()
    ends = [income.quantile(0.002), income.quantile(0.998), column.low - 9_000, column.high + 9_000]
    assert ends[0] < column.low < column.high < ends[1]
    outside = "outside the range the model learned from: household income"
    frame = world.frame[:4].with_columns(pl.Series("income", ends))
    assert top_reasons(model, frame)["caveats"] == [None, None, outside, outside]


def test_what_hardly_moves_the_score_is_no_reason(world):
    model = world.model("logistic")
    reading = next(term for term in model.fitted.terms if term.feature == "reading")
    tiny = replace(model, fitted=replace(model.fitted, terms=(replace(reading, slope=1e-6, mean=0.0),)))
    found = top_reasons(tiny, world.frame.filter(pl.col("reading").is_not_null())[:50])
    assert set(found["reason_1"]) == set(found["lowers_1"]) == {None}


def test_base_rate_has_no_reasons(world):
    found = top_reasons(world.model("base_rate"), world.frame[:3])
    assert found == {
        "reason_1": [None] * 3,
        "reason_2": [None] * 3,
        "reason_3": [None] * 3,
        "lowers_1": [None] * 3,
        "caveats": ["the same for everybody"] * 3,
    }


def test_more_reasons_than_features_and_no_rows(world):
    model = world.model("points")
    found = top_reasons(model, world.frame[:4], top=7)
    assert found["reason_7"] == [None] * 4
    assert {len(column) for column in top_reasons(model, world.frame[:0]).values()} == {0}


def test_a_persons_reasons_do_not_depend_on_who_else_is_in_the_file(world):
    model = world.model("lightgbm")
    together = top_reasons(model, world.frame[:40])
    for row in range(0, 40, 7):
        alone = top_reasons(model, world.frame[row : row + 1])
        assert {name: column[0] for name, column in alone.items()} == {n: c[row] for n, c in together.items()}


def test_polars_and_pandas_alike(world):
    model = world.model("logistic")
    assert top_reasons(model, world.frame[:30]) == top_reasons(model, world.frame[:30].to_pandas())
    assert np.all([len(column) == 30 for column in top_reasons(model, world.frame[:30]).values()])
