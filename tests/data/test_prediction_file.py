"""Files of predictions as vendors write them: understood where they can only mean one thing, refused where not."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from riskmodels.data.prediction_file import read_predictions
from riskmodels.errors import DataError, UsageError

RISKS = [0.1, 0.2, 0.3, 0.4]
WANTED = [0.0, 1.0, 0.0, 1.0]


def written(tmp_path, columns, kind="csv"):
    path = tmp_path / f"predictions.{kind}"
    frame = pl.DataFrame(columns, strict=False)
    frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    return path


def read(path, **more):
    return read_predictions(path, outcome="y", risk="p", **more)


@pytest.mark.parametrize(
    "outcome",
    [
        [0, 1, 0, 1],
        [0.0, 1.0, 0.0, 1.0],
        [False, True, False, True],
        ["FALSE", "TRUE", "FALSE", "TRUE"],
        ["False", "True", "false", "true"],
        ["no", "Yes", "NO", "yes "],
        ["N", "Y", "n", "y"],
        ["0", "1", "0.0", "1.0"],
    ],
    ids=["whole", "float", "boolean", "TRUE", "mixed case", "yes and no", "letters", "numbers as text"],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_outcome_is_read_however_it_is_written(tmp_path, outcome, kind):
    """A boolean must not be modelled as the wrong class: true is the event."""
    found = read(written(tmp_path, {"y": outcome, "p": RISKS}, kind))
    assert found.outcome.tolist() == WANTED
    assert found.known.all()
    assert found.notes == ()


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([0, 1, 0, 1], dtype="Int8"),
        pd.Series([False, True, False, True], dtype="boolean"),
        pd.Series(["no", "yes", "no", "yes"], dtype="category"),
        pd.Series(["no", "yes", "no", "yes"], dtype="string"),
        pd.Series([0, 1, 0, 1], dtype="category"),
        pd.Series([Decimal(0), Decimal(1), Decimal(0), Decimal(1)]),
        pd.Series([0, 1, 0, 1], dtype="uint64"),
        pd.Series([0, 1, 0, 1], dtype="float32"),
    ],
    ids=lambda series: str(series.dtype),
)
def test_what_pandas_writes_is_read(tmp_path, series):
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"y": series, "p": pd.Series(RISKS, dtype="float64")}).to_parquet(path)
    assert read(path).outcome.tolist() == WANTED


@pytest.mark.parametrize("nothing", ["", "NA", "n/a", "NaN", "null", "None", "unknown", "  "])
def test_unknown_outcomes_in_text(tmp_path, nothing):
    found = read(written(tmp_path, {"y": ["0", nothing, "0", "1"], "p": RISKS}))
    assert found.known.tolist() == [True, False, True, True]
    assert found.outcome.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("outcome", [[0.0, np.nan, None, 1.0], [False, None, None, True], [None] * 4])
def test_unknown_outcomes_in_parquet(tmp_path, outcome):
    found = read(written(tmp_path, {"y": outcome, "p": RISKS}, "parquet"))
    assert found.known.tolist() == [each is not None and each == each for each in outcome]


@pytest.mark.parametrize(
    "risk",
    [
        ["0.1", " 0.2", "0.3 ", "4e-1"],
        [Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), Decimal("0.4")],
        pl.Series(RISKS, dtype=pl.Float32),
        pl.Series(["0.1", "0.2", "0.3", "0.4"], dtype=pl.Categorical),
    ],
    ids=["text", "decimal", "float32", "category"],
)
def test_risks_are_read_however_they_are_stored(tmp_path, risk):
    found = read(written(tmp_path, {"y": [0, 1, 0, 1], "p": risk}, "parquet"))
    assert found.risk == pytest.approx(RISKS, rel=1e-6)


def test_risks_of_nought_and_one_are_risks(tmp_path):
    assert read(written(tmp_path, {"y": [0, 1], "p": [0, 1]}, "parquet")).risk.tolist() == [0, 1]


@pytest.mark.parametrize("percentages", [["10%", "20 %", "30.0%", "40%"], [10, 20, 30, 40], [10.0, 20.0, 30.0, 40.0]])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_percentages_are_noticed_and_said(tmp_path, percentages, kind):
    found = read(written(tmp_path, {"y": [0, 1, 0, 1], "p": percentages}, kind))
    assert found.risk == pytest.approx(RISKS)
    (note,) = found.notes
    assert "taken for percentages and divided by 100" in note
    assert "'p'" in note


def test_small_percentages_with_a_sign_are_percentages(tmp_path):
    """0.1% to 0.4%: without the sign they could not be told from risks."""
    found = read(written(tmp_path, {"y": [0, 1, 0, 1], "p": [f"{risk}%" for risk in RISKS]}))
    assert found.risk == pytest.approx([risk / 100 for risk in RISKS])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"p": [0.1, 1.2, 0.3, 0.4]}, "column 'p': 1 row is outside 0 to 1 (first: row 2)"),
        ({"p": [0.1, 1.7, 0.3, 0.4]}, "1 row is outside 0 to 1"),  # no percentages: the others would be tiny
        ({"p": [0.1, -0.2, -0.3, 0.4]}, "2 rows are outside 0 to 1 (first: row 2)"),
        ({"p": [10, 20, 300, 40]}, "4 rows are outside 0 to 1"),
        ({"p": ["10%", "20%", "300%", "40%"]}, "1 row is outside 0 to 100"),
        ({"p": [1.0, 1.2, 1.3, 1.4]}, "3 rows are outside 0 to 1"),
        ({"p": [0.1, None, None, 0.4]}, "2 rows have no risk (first: row 2)"),
        ({"p": ["0.1", "NaN", "NA", ""]}, "3 rows have no risk"),
        ({"p": [None] * 4}, "4 rows have no risk"),
        ({"p": ["10%", "0.2", "30%", "0.4"]}, "2 rows have no percent sign, and others have one (first: row 2)"),
        ({"p": ["0.1", "high", "low", "0.4"]}, "2 rows are not numbers (first: row 2)"),
        ({"p": ["0,1", "0,2", "0,3", "0,4"]}, "decimal comma"),
        ({"y": [0, 1, 2, 1]}, "1 row holds something other than 0 and 1"),
        ({"y": ["guilty", "free", "free", "free"]}, "4 rows hold something other than 0 and 1"),
        ({"y": ["1", "0", "inf", "1"]}, "1 row holds something other than 0 and 1"),
        ({"i": ["a", None, "c", ""]}, "column 'i': 2 rows have no id"),
        ({"d": ["2024-01-01", "", "2024-01-01", "2024-01-01"]}, "column 'd': 1 row has no date"),
        ({"d": ["31/12/2024"] * 4}, "they look day-first"),
        ({"i": ["a", "a", "b", "a"]}, "column 'i': 2 rows are of the same entity and as-of date as another"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path, columns, words):
    rows = {"y": [0, 1, 0, 1], "p": RISKS, "i": list("abcd"), "d": ["2024-01-01"] * 4} | columns
    path = written(tmp_path, rows)
    with pytest.raises(DataError) as refused:
        read(path, entity="i", as_of="d")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    for secret in ("guilty", "high", "1.7", "300", "31/12"):
        assert secret not in str(refused.value).replace("31/12/2024: write", "")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"p": [True, False, True, True]}, "holds Boolean, not risks"),
        ({"p": [np.nan, 0.2, 0.3, 0.4]}, "1 row has no risk"),
        ({"p": [0.1, 0.2, np.inf, 0.4]}, "1 row is outside 0 to 1"),
        ({"p": [[0.1], [0.2], [0.3], [0.4]]}, "store one plain value"),
        ({"y": pl.Series(["2024-01-01"] * 4).str.to_date()}, "holds dates"),
        ({"i": [1.0, 2.0, 3.0, 4.0]}, "loses digits"),
    ],
)
def test_types_that_are_none_of_it_are_refused(tmp_path, columns, words):
    path = written(tmp_path, {"y": [0, 1, 0, 1], "p": RISKS, "i": list("abcd")} | columns, "parquet")
    with pytest.raises(DataError, match=words):
        read(path, entity="i")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty, without even a header"),
        (b"y,p\n", "has a header, but no rows"),
        (b"y;p\n0;0.1\n", "not parted by commas"),
        (b"y\tp\n0\t0.1\n", "not parted by commas"),
        (b"outcome,p\n0,0.1\n", "has no column 'y'"),
        (b"y,risk\n0,0.1\n", "has no column 'p' (--risk)"),
        ("y,p\n0,0.1\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, content, words):
    path = tmp_path / "predictions.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        read(path)
    assert words in str(refused.value)


def test_a_slip_in_a_name_is_put_right(tmp_path):
    path = written(tmp_path, {"reoffended": [0], "risk_score": [0.1]})
    with pytest.raises(DataError, match="did you mean 'risk_score'"):
        read_predictions(path, outcome="reoffended", risk="risk_scor")


def test_one_column_is_one_thing(tmp_path):
    with pytest.raises(UsageError, match="--outcome and --risk both name the column 'p'"):
        read_predictions(written(tmp_path, {"p": [0, 1]}), outcome="p", risk="p")


@pytest.mark.parametrize("name", ["nowhere.csv", "predictions.xlsx"])
def test_files_that_are_not_read(tmp_path, name):
    (tmp_path / "predictions.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=name):
        read(tmp_path / name)


def test_order_of_rows_does_not_matter(tmp_path):
    rng = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "y": rng.choice(["0", "1", ""], 200), "p": rng.integers(1, 99, 200) / 100,
            "i": [f"p{number // 2}" for number in range(200)],
            "d": [f"202{number % 2}-01-01" for number in range(200)],
        }
    )  # fmt: skip
    for columns in ({}, {"entity": "i"}, {"as_of": "d"}, {"entity": "i", "as_of": "d"}):
        found = [
            read(written(tmp_path, each.to_dict(as_series=True)), **columns)
            for each in (rows, rows.sample(200, shuffle=True, seed=1))
        ]
        for name in ("outcome", "known", "risk", "entity_ids", "dates"):
            one, other = (getattr(each, name) for each in found)
            assert (one is None and other is None) or np.array_equal(np.asarray(one), np.asarray(other)), name


# ---------------------------------------------------------------- what an audit reads besides


def test_without_more_columns_there_is_nothing_more(tmp_path):
    found = read(written(tmp_path, {"y": [0, 1, 0, 1], "p": RISKS}))
    assert (found.households, found.selected, found.excluded) == (None, None, None)
    assert (found.groups.width, found.features.width, found.n) == (0, 0, 4)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_lists_households_groups_and_features_are_read(tmp_path, kind):
    path = written(
        tmp_path,
        {
            "y": [0, 1, 0, 1], "p": RISKS, "on": ["yes", "no", "No", "YES"], "out": [0, 0, 1, 0],
            "home": ["h1", None, "h1", "h2"], "sex": ["F", "M", "F", None], "imd": [1, 2, 3, None],
            "visits": [1, 2, 3, None], "area": ["x", "y", "z", None],
        },
        kind,
    )  # fmt: skip
    found = read(
        path, selected="on", excluded="out", household="home", groups=("sex", "imd"), features=("visits", "area")
    )
    assert found.selected.tolist() == [True, False, False, True]
    assert found.excluded.tolist() == [False, False, True, False]
    assert found.households.to_list() == ["h1", None, "h1", "h2"]
    assert found.groups["sex"].to_list() == ["F", "M", "F", None]
    assert [None if each is None else int(each) for each in found.groups["imd"]] == [1, 2, 3, None]
    assert found.features["visits"].to_list() == [1.0, 2.0, 3.0, None]
    assert found.features["area"].to_list() == ["x", "y", "z", None]


def test_a_list_can_be_read_without_risks(tmp_path):
    found = read_predictions(written(tmp_path, {"y": [0, 1], "on": [1, 0]}), outcome="y", risk=None, selected="on")
    assert found.risk is None
    assert dict(zip(found.outcome.tolist(), found.selected.tolist(), strict=True)) == {0.0: True, 1.0: False}


@pytest.mark.parametrize(
    ("value", "group"),
    [
        ("None", "None"), ("none", "none"), ("Unknown", "Unknown"), ("", None), (" NA ", None), ("nan", None),
        (" two\n lines\x1b", "two lines"),
    ],
)  # fmt: skip
def test_no_religion_is_a_group_and_nothing_is_none(tmp_path, value, group):
    """A word that means that nothing was recorded is nothing; a word that people answered is their group."""
    path = written(tmp_path, {"y": [0, 1], "p": [0.1, 0.2], "religion": [value, "Sikh"]})
    assert read(path, groups=("religion",)).groups["religion"].to_list() == [group, "Sikh"]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["a", None, "a", "b"], dtype="category"),
        pd.Series(["a", None, "a", "b"], dtype="string"),
        pd.Series(["a", None, "a", "b"], dtype="object"),
    ],
    ids=lambda series: str(series.dtype),
)
def test_groups_that_pandas_writes_are_read(tmp_path, series):
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"y": [0, 1, 0, 1], "p": RISKS, "race": series}).to_parquet(path)
    assert read(path, groups=("race",)).groups["race"].to_list() == ["a", None, "a", "b"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"on": [1, 0, None, 1]}, "column 'on': 1 row has neither yes nor no (first: row 3)"),
        ({"on": ["1", "0", "maybe", "1"]}, "column 'on': 1 row holds something other than 0 and 1"),
        ({"out": ["", "", "1", "0"]}, "column 'out': 2 rows have neither yes nor no"),
        ({"on": pl.Series(["2024-01-01"] * 4).str.to_date()}, "column 'on': holds dates"),
        ({"race": pl.Series(["2024-01-01"] * 4).str.to_date()}, "column 'race': holds dates"),
        ({"visits": pl.Series(["2024-01-01"] * 4).str.to_date()}, "column 'visits': holds dates"),
    ],
)
def test_lists_and_groups_that_cannot_be_understood_are_refused(tmp_path, columns, words):
    rows = {"y": [0, 1, 0, 1], "p": RISKS, "on": [1, 0, 1, 0], "out": [0] * 4, "race": list("abab"), "visits": [1] * 4}
    path = written(tmp_path, rows | columns, "parquet")
    with pytest.raises(DataError) as refused:
        read(path, selected="on", excluded="out", groups=("race",), features=("visits",))
    assert words in str(refused.value)
    assert "maybe" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"groups": ("y",)}, "--outcome and --groups both name the column 'y'"),
        ({"groups": ("p",)}, "--risk and --groups both name the column 'p'"),
        ({"groups": ("s", "s")}, "--groups names the column 's' twice"),
        ({"groups": ("s",), "features": ("s",)}, "--groups and --features both name the column 's'"),
        ({"entity": "s", "household": "s"}, "--entity and --household both name the column 's'"),
    ],
)
def test_one_column_is_one_thing_in_an_audit_too(tmp_path, more, words):
    with pytest.raises(UsageError, match=words):
        read(written(tmp_path, {"y": [0, 1], "p": [0.1, 0.2], "s": ["a", "b"]}), **more)


def test_order_of_rows_does_not_matter_to_any_column(tmp_path):
    rng = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "y": rng.integers(0, 2, 300), "p": rng.integers(1, 4, 300) / 4, "on": rng.integers(0, 2, 300),
            "sex": rng.choice(["F", "M", ""], 300), "home": rng.choice(["h1", "h2", ""], 300),
        }
    )  # fmt: skip
    found = [
        read(written(tmp_path, each.to_dict(as_series=True)), selected="on", household="home", groups=("sex",))
        for each in (rows, rows.sample(300, shuffle=True, seed=1))
    ]
    for one, other in zip(*([each.outcome, each.risk, each.selected] for each in found), strict=True):
        assert np.array_equal(one, other)
    assert found[0].groups.equals(found[1].groups)
    assert found[0].households.equals(found[1].households)
