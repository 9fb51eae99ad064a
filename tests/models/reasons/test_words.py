from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.models.matrix import Column
from riskmodels.models.reasons import (
    UNKNOWN_DAY,
    WORDS,
    key_facts,
    plain_number,
    reason_codes,
    reason_words,
    say,
    top_reasons,
)
from tests.models.planted import SPECS, spec
from tests.models.reasons.made import made_model

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
        (READING, number(50.0), math.nan, "reading score: not recorded"),
        (READING, number(None), 3.0, "reading score: 3"),
        (INCOME, number(30_000.0, 9_000, 60_000), 12_345.6, "household income: 12,346 (typical is 30,000)"),
        (ABSENCES, number(0.0, 0, 4), 2.0, "many absences (2; typical is 0)"),
        (ABSENCES, number(1.25, 0, 4), 0.0, "few absences (0; typical is 1.2)"),
        (spec("x", value="aged {value}"), number(40.0), 71.2, "aged 71"),
        (spec("x", high="a large share"), number(0.05, 0.0, 0.4), 0.31, "a large share (0.31; typical is 0.05)"),
        (CLASS_TYPE, category("large", "small"), 1.0, "a small class"),
        (SCHOOL, category("a", "b"), 1.0, "school: b"),
        (SCHOOL, category("a", "b"), math.nan, "school: not recorded"),
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


LATEST = spec("x", words="score", high="a high score", low="a low score")
DAY = dt.date(1988, 5, 30)


@pytest.mark.parametrize(
    ("words", "column", "value", "expected"),
    [
        (LATEST, number(50.0), 12.0, "a low score (12, recorded 30 May 1988; typical is 50)"),
        (LATEST, number(50.0), 52.0, "score: 52 (recorded 30 May 1988; typical is 50)"),
        (LATEST, number(50.0), 50.0, "score: 50 (recorded 30 May 1988)"),
        (LATEST, number(50.0), math.nan, "score: not recorded"),
        (spec("x", value="aged {value}"), number(40.0), 71.2, "aged 71 (recorded 30 May 1988)"),
        (CLASS_TYPE, category("large", "small"), 1.0, "a small class (recorded 30 May 1988)"),
        (SCHOOL, category("a", "b"), 0.0, "school: a (recorded 30 May 1988)"),
        (replace(LATEST, take="first"), number(50.0), 12.0, "a low score (12, recorded 30 May 1988; typical is 50)"),
        # What is counted or added up has many days.
        (replace(LATEST, take="sum"), number(50.0), 12.0, "a low score (12 in the last 12 months; typical is 50)"),
        (replace(LATEST, take="attribute"), number(50.0), 12.0, "a low score (12; typical is 50)"),
    ],
)  # fmt: skip
def test_a_value_of_one_day_is_said_with_it(words, column, value, expected):
    assert say(words, column, value, DAY) == expected


def taken(take: str, **said: str | None):
    return replace(LATEST, take=take, **said)


@pytest.mark.parametrize(
    ("words", "column", "value", "expected"),
    [
        (taken("count"), number(0.0, 0, 4), 3.0, "a high score (3 in the last 12 months; typical is 0)"),
        (taken("count", last="ever"), number(0.0, 0, 4), 3.0, "a high score (3; typical is 0)"),
        (taken("count", high=None), number(0.0, 0, 4), 3.0, "score: 3 in the last 12 months (typical is 0)"),
        # A line with several windows says them in its words.
        (taken("sum", words="score, last 12 months"), number(5.0), 5.0, "score, last 12 months: 5"),
        (taken("mean"), number(5.0, 0, 10), 9.0, "a high score (9 on average in the last 12 months; typical is 5)"),
        (taken("max"), number(5.0, 0, 10), 9.0, "a high score (9 at the highest in the last 12 months; typical is 5)"),
        # Yes and no are not numbers.
        (taken("any"), number(0.0, 0, 1), 1.0, "a high score"),
        (taken("any"), number(0.0, 0, 1), 0.0, "a low score"),
        (taken("any", high=None), number(0.0, 0, 1), 1.0, "score: yes"),
        (taken("any", low=None), number(1.0, 0, 1), 0.0, "score: no"),
        # Days have a unit, and are counted in years where they are many: 2 x 365.25 = 730.5.
        (taken("days_since_last"), number(440.0, 0, 900), 83.0, "a low score (83 days ago; typical is 440 days)"),
        (taken("days_since_last"), number(440.0, 0, 900), 1.0, "a low score (1 day ago; typical is 440 days)"),
        (taken("days_since_last"), number(440.0, 0, 900), 730.0, "a high score (730 days ago; typical is 440 days)"),
        (taken("days_since_first"), number(2_640.0, 0, 9_000), 731.0,
         "a low score (2 years ago; typical is 7.2 years)"),
        (taken("days_since_first"), number(2_640.0, 0, 9_000), 7_305.0,
         "a high score (20 years ago; typical is 7.2 years)"),
        # One unit for both: years where the longer is above two years, and neither below half a year.
        (taken("days_since_last"), number(440.0, 0, 3_000), 1_972.0,
         "a high score (5.4 years ago; typical is 1.2 years)"),
        (taken("days_since_last"), number(2_640.0, 0, 9_000), 90.0, "a low score (90 days ago; typical is 2,640 days)"),
        (taken("days_since_last"), number(370.0, 0, 3_000), 1_972.0, "a high score (5.4 years ago; typical is 1 year)"),
        (taken("days_since_last", last="ever"), number(440.0), math.inf, "score: never on record"),
        (taken("days_since_last"), number(440.0), math.inf, "score: never on record in the last 12 months"),
        (taken("days_since_last", none="no visit", last="ever"), number(440.0), math.inf, "no visit"),
        (taken("days_since_last", none="no visit"), number(440.0), math.inf, "no visit in the last 12 months"),
        (taken("days_since_last", none="no visit"), number(440.0, 0, 900), 0.0,
         "a low score (0 days ago; typical is 440 days)"),
        (taken("days_since_last", nothing="never or unseen"), number(440.0), math.nan, "score: not known"),
        (taken("count", nothing="unseen"), number(0.0), math.nan, "score: not known"),
        (taken("count", none="no visit"), number(0.0), 0.0, "no visit in the last 12 months"),
        (taken("count", none="no visit"), number(2.0, 0, 4), 0.0, "no visit in the last 12 months (typical is 2)"),
        (taken("count", none="no visit", last="ever"), number(2.0, 0, 4), 4.0, "a high score (4; typical is 2)"),
        # What fell less than is typical has not risen.
        (taken("change"), number(-10.0, -50, 50), 40.0, "a high score (40; typical is -10)"),
        (taken("change"), number(-40.0, -50, 50), -20.0, "score: -20 (typical is -40)"),
        (taken("change"), number(40.0, -50, 50), 20.0, "score: 20 (typical is 40)"),
        (taken("trend"), number(0.0, -5, 5), -3.1, "a low score (-3.1 a year; typical is 0)"),
        (taken("trend"), number(0.0, -50, 50), -3.1, "score: -3.1 a year (typical is 0)"),
        (taken("trend", words="change a year"), number(0.0, -50, 50), -3.1, "change a year: -3.1 (typical is 0)"),
    ],
)  # fmt: skip
def test_a_number_says_over_what_time_and_of_what(words, column, value, expected):
    assert say(words, column, value) == expected


def test_words_of_many_are_those_of_each(world):
    """Row by row with `say`, and with days of its own for the reading score."""
    for family in ("logistic", "points", "lightgbm"):
        model = world.model(family)
        matrix = model.encoder.encode(world.frame[:300])
        days = np.random.default_rng(4).integers(6_000, 6_500, 300).astype(np.int32)
        days[::3] = UNKNOWN_DAY
        codes = reason_codes(model, matrix, days={"reading": days})
        found = reason_words(model, codes)
        assert list(found) == ["reason_1", "reason_2", "reason_3", "lowers_1", "caveats"]
        for place, name in enumerate(list(found)[:4]):
            expected = []
            for code in codes:
                position, day = code["feature"][place], int(code["day"][place])
                when = None if day == UNKNOWN_DAY else dt.date(1970, 1, 1) + dt.timedelta(day)
                said = say(SPECS[position], matrix.columns[position], float(code["value"][place]), when)
                expected.append(said if position >= 0 else None)
            assert found[name].to_list() == expected
        undated = reason_words(model, codes, dated=False)
        assert "recorded 1" not in "".join(words or "" for words in undated["reason_1"].to_list())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=False, width=32),
            st.sampled_from([0.0, -0.0, 0.049, 0.05, -0.04, 1e300, -1e308]),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([number(50.0), number(2.0, 0, 5), number(0.2, 0.0, 0.4), number(None)]),
)
def test_any_number_is_said_as_it_would_be_alone(values, column):
    made = made_model([LATEST], [[1.0]] * len(values), values, columns=[column])
    found = reason_words(made.model, reason_codes(made.model, made.matrix))["reason_1"].to_list()
    assert found == [say(LATEST, column, value) for value in values]


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


def test_no_rows(world):
    model = world.model("points")
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


@pytest.mark.parametrize(
    ("direction", "value", "raises", "lowers"),
    [
        # High points to the outcome: a high value that lowers, or a low one that raises, is said plainly.
        (1, 90.0, "a high score (90; typical is 50)", "score: 90 (typical is 50)"),
        (1, 10.0, "score: 10 (typical is 50)", "a low score (10; typical is 50)"),
        (-1, 90.0, "score: 90 (typical is 50)", "a high score (90; typical is 50)"),
        (-1, 10.0, "a low score (10; typical is 50)", "score: 10 (typical is 50)"),
        # Where the data do not tell, neither phrase is said; where nobody looked, both are.
        (0, 90.0, "score: 90 (typical is 50)", "score: 90 (typical is 50)"),
        (None, 90.0, "a high score (90; typical is 50)", "a high score (90; typical is 50)"),
    ],
)
def test_a_phrase_is_not_said_against_what_it_suggests(direction, value, raises, lowers):
    known = {} if direction is None else {"x": direction}
    made = made_model([LATEST], [[0.5], [-0.5]], [value] * 2, columns=[number(50.0)], directions=known)
    found = reason_words(made.model, reason_codes(made.model, made.matrix))
    assert (found["reason_1"][0], found["lowers_1"][1]) == (raises, lowers)


def test_yes_and_no_against_what_they_suggest():
    yes = taken("any")
    made = made_model([yes], [[-0.5], [0.5]], [1.0, 0.0], columns=[number(0.0, 0, 1)], directions={"x": 1})
    found = reason_words(made.model, reason_codes(made.model, made.matrix))
    assert (found["lowers_1"][0], found["reason_1"][1]) == ("score: yes", "score: no")


def test_a_close_call_stands_behind_its_reason():
    specs = [replace(LATEST, name=name, words=name, says=name, high=None, low=None) for name in "abc"]
    made = made_model(specs, [[0.5, 0.4, -0.3]], columns=[number(7.0)] * 3)
    codes = reason_codes(made.model, made.matrix)
    codes["uncertain"][0] = [False, True, True, True]
    found = reason_words(made.model, codes)
    # There is no third reason; and what lowers is one of many alike.
    assert [found[name][0] for name in WORDS] == ["a: 7", "b: 7 (a close call)", None, "c: 7", None]
    assert reason_words(made.model, codes, close_calls=False)["reason_2"].to_list() == ["b: 7"]
    assert reason_words(made.model, codes, np.zeros(3, dtype=bool), "hidden")["reason_2"].to_list() == ["hidden"]
