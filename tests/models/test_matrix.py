from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from riskmodels.data.features import Features, FeatureSpec
from riskmodels.errors import DataError
from riskmodels.models.matrix import fit_encoder, rounded, rounding_unit


def features_of(columns: dict[str, list], **kinds: tuple[str, str]) -> Features:
    """Columns with their (kind, missing); number and keep where nothing is said."""
    specs = tuple(
        FeatureSpec(name, "latest", "f.x", "ever", "f", *kinds.get(name, ("number", "keep")), words=name)
        for name in columns
    )
    return Features(pl.DataFrame(columns), specs)


TEN = 10


def test_learns_from_the_fit_rows_alone():
    values = [float(n) for n in range(100)] + [1e9] * 100
    groups = ["b"] * 60 + ["a"] * 40 + ["later"] * 100
    features = features_of({"x": values, "g": groups}, x=("number", "median"), g=("category", "keep"))
    encoder = fit_encoder(features, np.arange(200) < 100)
    x, g = encoder.columns
    assert g.vocabulary == ("a", "b")
    assert g.typical == "b"
    assert x.fill == x.typical == 49.5
    # 5 of 100 rows lie beyond either end: the quantiles 0.05 and 0.95 of 0..99 are 4.95 and 94.05.
    assert (x.low, x.high) == (4.9, 94.1)
    assert fit_encoder(features, pl.Series([True] * 100 + [False] * 100)) == encoder
    assert fit_encoder(features, np.arange(100)) == encoder


def test_range_is_never_one_persons_value():
    draw = np.random.default_rng(0)
    for rows in (12, 40, 3_000):
        values = draw.normal(size=rows)
        (column,) = fit_encoder(features_of({"x": values.tolist()})).columns
        assert (values < column.low).sum() >= min(4, rows // 5)
        assert (values > column.high).sum() >= min(4, rows // 5)


def test_half_a_per_cent_lies_beyond_either_end():
    values = np.arange(10_000.0)
    (column,) = fit_encoder(features_of({"x": values.tolist()})).columns
    # Quantiles 49.995 and 9949.005, rounded outwards to three digits of the spread of 9,899.
    assert (column.low, column.high) == (40.0, 9950.0)


@pytest.mark.parametrize(("missing", "expected"), [("keep", math.nan), ("zero", 0.0), ("median", 2.0)])
def test_imputation(missing, expected):
    encoder = fit_encoder(features_of({"x": [1.0, 2.0, 3.0, None]}, x=("number", missing)))
    matrix = encoder.encode(pl.DataFrame({"x": [None, 7.0]}, schema={"x": pl.Float64}))
    np.testing.assert_array_equal(matrix.values[:, 0], [expected, 7.0])
    np.testing.assert_array_equal(matrix.recorded[:, 0], [False, True])


def test_zero_counts_towards_the_typical_value():
    (column,) = fit_encoder(features_of({"x": [None, None, None, 8.0, 9.0]}, x=("number", "zero"))).columns
    assert column.typical == 0.0


def test_categories_unseen_rare_and_missing():
    groups = ["b"] * TEN + ["a"] * TEN + ["rare"] * (TEN - 1) + [None]
    encoder = fit_encoder(features_of({"g": groups}, g=("category", "category")))
    matrix = encoder.encode(pl.DataFrame({"g": ["a", "b", "rare", "new", None]}))
    np.testing.assert_array_equal(matrix.values[:, 0], [0, 1, -1, -1, math.nan])
    np.testing.assert_array_equal(matrix.recorded[:, 0], [True, True, True, True, False])


def test_nothing_recorded():
    features = features_of(
        {"x": pl.Series([None] * 12, dtype=pl.Float64), "g": pl.Series([None] * 12, dtype=pl.String)},
        x=("number", "median"),
        g=("category", "keep"),
    )
    encoder = fit_encoder(features)
    assert [column.typical for column in encoder.columns] == [None, None]
    assert encoder.columns[0].low is None
    matrix = encoder.encode(pl.DataFrame({"x": [1, None], "g": [None, "new"]}))
    np.testing.assert_array_equal(matrix.values, [[1.0, math.nan], [math.nan, -1.0]])


def mixed() -> Features:
    return features_of(
        {"x": [1.0, None, 3.0] * TEN, "g": ["2", "true", None] * TEN}, g=("category", "keep"), x=("number", "keep")
    )


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"g": ["2", "true", None], "x": [1, None, 3], "more": ["y"] * 3}),
        pl.DataFrame({"x": [1.0, math.nan, 3.0], "g": ["2", "true", None]}),
        pl.DataFrame(
            {"x": pl.Series([1, None, 3], dtype=pl.Int8), "g": pl.Series(["2", "true", None], dtype=pl.Categorical)}
        ),
        pd.DataFrame({"x": [1.0, None, 3.0], "g": ["2", "true", None]}),
        pd.DataFrame({"x": pd.array([1, None, 3], dtype="Int64"), "g": pd.Categorical(["2", "true", None])}),
        pd.DataFrame({"x": [1.0, None, 3.0], "g": ["2", "true", None]}, index=[7, 7, 1]).astype({"g": object}),
    ],
)
def test_every_kind_of_frame_encodes_alike(frame):
    matrix = fit_encoder(mixed()).encode(frame)
    np.testing.assert_array_equal(matrix.values, [[1.0, 0.0], [math.nan, 1.0], [3.0, math.nan]])


def test_numbers_and_truth_as_categories():
    encoder = fit_encoder(mixed())
    numbers = pd.DataFrame({"x": [True, False], "g": [2.0, None]})
    np.testing.assert_array_equal(encoder.encode(numbers).values, [[1.0, 0.0], [0.0, math.nan]])
    truth = pl.DataFrame({"x": [1.0, 1.0], "g": [True, None]})
    np.testing.assert_array_equal(encoder.encode(truth).values[:, 1], [1.0, math.nan])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pl.DataFrame({"g": ["2"]}), "the column 'x' is not there"),
        (pl.DataFrame({"other": ["2"]}), r"'x' is not there \(and 1 more\)"),
        (pl.DataFrame({"x": ["secret"], "g": ["2"]}), "the column 'x' is text where numbers are needed"),
        (pl.DataFrame({"x": [dt.date(2020, 1, 1)], "g": ["2"]}), "the column 'x' is dates where numbers are needed"),
        (pl.DataFrame({"x": [1.0], "g": [2.5]}), "the column 'g' is fractions where text is needed"),
        (pl.DataFrame({"x": [math.inf], "g": ["2"]}), "the column 'x' is infinite in row 1"),
        (pd.DataFrame({"x": [1.0, "secret"], "g": ["2", "2"]}, dtype=object), "the column 'x' holds values of several"),
        (pd.DataFrame([[1.0, 2.0, "2"]], columns=["x", "x", "g"]), "the column 'x' stands there twice"),
    ],
)
def test_refuses_what_it_cannot_read_in_one_line(frame, words):
    with pytest.raises(DataError, match=words) as refusal:
        fit_encoder(mixed()).encode(frame)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_refuses_to_learn_from_nobody():
    with pytest.raises(DataError, match="no row to learn from"):
        fit_encoder(mixed(), np.zeros(30, dtype=bool))


def test_order_of_rows_is_kept_and_rows_can_be_taken(world):
    again = world.encoder.encode(world.frame[::-1])
    np.testing.assert_array_equal(again.values[::-1], world.matrix.values)
    part = world.matrix.at(np.array([5, 2]))
    np.testing.assert_array_equal(part.values, world.matrix.values[[5, 2]])
    assert len(part) == 2


def test_rounding():
    assert rounding_unit(80.0, 2) == 1.0
    assert rounding_unit(0.0, 2) == 0.0
    assert rounded(1984.7, 0.5) == 1984.5
    assert rounded(0.30000000000000004, 0.1, math.ceil) == 0.3
    assert rounded(7.1, 0.0) == 7.1
