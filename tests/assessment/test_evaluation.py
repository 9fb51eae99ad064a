from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.calibration_statistics import lowess_errors, spiegelhalter
from riskmodels.assessment.decisions import decision_row
from riskmodels.assessment.discrimination import delong
from riskmodels.assessment.evaluation import ALWAYS_AT, MEASURES, evaluate
from riskmodels.assessment.intervals import Z, clusters_of, critical_value
from riskmodels.assessment.loess import loess_errors
from riskmodels.assessment.logistic import logit
from riskmodels.errors import DataError, StudyError
from riskmodels.storage import canonical_json

NAMED = {
    "n": None, "events": None, "unknown": None, "auc": {"value", "low", "high", "se"}, "average_precision": None,
    "brier": None, "scaled_brier": None, "calibration_in_the_large": {"value", "se", "low", "high"},
    "calibration_slope": {"value", "se", "low", "high"}, "oe_ratio": {"value", "low", "high"}, "ici": None, "e50": None,
    "e90": None, "emax": None, "eavg_lowess": None, "e90_lowess": None, "emax_lowess": None,
    "spiegelhalter": {"z", "p"},
}  # fmt: skip
DAYS = np.array(["2023-01-01", "2024-01-01"], dtype="datetime64[D]")


def made_up(seed: int = 0, n: int = 400):
    rng = np.random.default_rng(seed)
    risk = rng.beta(1.5, 5, n).clip(0.001, 0.999)
    return (rng.random(n) < risk**1.2).astype(float), risk, rng.random(n) < 0.85, rng.integers(0, n // 3, n)


def nulls(value, path=()):
    """The path of every null, items of lists by what tells them apart, as ``not_computed`` writes them."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from nulls(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            named = [each[key] for key in ("k", "threshold", "as_of_date") if isinstance(each, dict) and key in each]
            yield from nulls(each, (*path, str(named[0] if named else number)))


def unexplained(found):
    """Nulls without a reason at their own path or above it."""
    ways = {path: {".".join(path[: end + 1]) for end in range(len(path))} for path in nulls(found)}
    return [path for path, above in ways.items() if not above & set(found["not_computed"])]


def test_the_named_keys_have_the_named_shapes():
    y, p, known, ids = made_up()
    found = evaluate(y, p, known=known, entity_ids=ids, capacities=[20], thresholds=[0.2]).to_dict()
    for key, parts in NAMED.items():
        assert isinstance(found[key], dict if parts else (int, float)), key
        assert parts is None or set(found[key]) == parts
    assert list(found)[:3] == ["n", "events", "unknown"]
    assert set(found["spline_curve"][0]) >= {"risk", "observed", "low", "high"}
    assert set(found["net_benefit"][0]) == {
        "threshold", "model", "low", "high", "all", "none", "interventions_avoided",
    }  # fmt: skip
    row = found["at_capacity"][0]
    assert {"k", "hits", "precision", "recall"} <= set(row)
    assert set(row["precision"]) == {"value", "low", "high"}
    assert isinstance(row["recall"], float)
    assert found["not_computed"] == {}
    assert set(found["intervals"]) == {"average_precision", "brier", "scaled_brier"}
    assert json.loads(canonical_json(found)) == found


@pytest.mark.parametrize("clustered", [False, True])
def test_figures_are_those_of_the_known_rows(clustered):
    y, p, known, ids = made_up(1)
    found = evaluate(
        np.where(known, y, np.nan), p, known=known, entity_ids=ids if clustered else None, thresholds=[0.3]
    )
    few = clusters_of(ids[known], int(known.sum())) if clustered else None
    assert (found.n, found.events, found.unknown) == (400, int(y[known].sum()), int((~known).sum()))
    for name, measure in MEASURES.items():
        here, there = found.measures[name].to_dict(), measure(y[known], p[known], few).to_dict()
        assert here == pytest.approx(there, rel=1e-10), name
    smoothed = loess_errors(y[known], p[known])
    smoothed |= {f"{name}_lowess": each for name, each in lowess_errors(y[known], p[known]).items()}
    assert {name: found.measures[name] for name in smoothed} == smoothed
    assert found.measures["spiegelhalter_z"].value == pytest.approx(spiegelhalter(y[known], p[known], few)[0].value)
    assert found.net_benefit == (decision_row(y[known], p[known], 0.3, few),)


def test_standard_errors_are_those_of_a_glm():
    y, p, _, _ = made_up(2)
    errors = evaluate(y, p, known=np.ones(400, bool)).standard_errors
    design = sm.add_constant(logit(p))
    slope = sm.GLM(y, design, family=sm.families.Binomial()).fit(tol=1e-12)
    level = sm.GLM(y, np.ones(400), family=sm.families.Binomial(), offset=logit(p)).fit(tol=1e-12)
    assert errors["calibration_slope"] == pytest.approx(slope.bse[1], rel=1e-5)
    assert errors["calibration_in_the_large"] == pytest.approx(level.bse[0], rel=1e-5)


def test_the_standard_error_of_a_cut_interval_is_not_cut():
    """AUC 24/25, se 0.05: the interval would reach above 1."""
    y, p = np.array([0] * 5 + [1] * 5), np.array([0.1, 0.2, 0.3, 0.4, 0.65, 0.6, 0.7, 0.8, 0.9, 0.95])
    found = evaluate(y, p, known=np.ones(10, bool)).to_dict()["auc"]
    assert found["value"] == pytest.approx(24 / 25)
    assert found["high"] == 1.0
    assert found["se"] == pytest.approx(math.sqrt(delong(y.astype(float), p)[1]))
    assert found["se"] > (found["high"] - found["value"]) / Z


def test_the_standard_error_of_clusters_is_not_that_of_the_normal():
    """Eight clusters: the interval is se times Student's t on 7."""
    y, p, _, _ = made_up(3)
    ids = np.arange(400) % 8
    slope = evaluate(y, p, known=np.ones(400, bool), entity_ids=ids).to_dict()["calibration_slope"]
    assert critical_value(clusters_of(ids, 400)) == pytest.approx(2.365, abs=0.001)
    assert (slope["high"] - slope["low"]) / 2 / slope["se"] == pytest.approx(2.365, abs=0.001)


# ---------------------------------------------------------------- lists, dates, unknown outcomes


def test_unknown_rows_take_their_place():
    """Places 2: risks 0.9 (unknown) and 0.8 (event). Of one known, one hit; between 1/2 and 2/2 of the places."""
    found = evaluate(
        np.array([np.nan, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.3, 0.2, 0.1]), known=[False, True, True, True, True],
        capacities=[2],
    ).to_dict()  # fmt: skip
    (row,) = found["at_capacity"]
    assert (row["hits"], row["selected"], row["known"], row["unknown"]) == (1, 2, 1, 1)
    assert row["precision"]["value"] == 1.0
    assert row["precision_bounds"] == {"low": 0.5, "high": 1.0}
    assert row["recall"] == 0.5


def test_each_date_has_its_own_places_and_its_own_figures():
    y, p, known, _ = made_up(4)
    which = np.arange(400) % 2
    ids = np.arange(400) // 2
    found = evaluate(y, p, known=known, entity_ids=ids, dates=DAYS[which], capacities=[30]).to_dict()
    assert [one["as_of_date"] for one in found["per_date"]] == ["2023-01-01", "2024-01-01"]
    assert found["at_capacity"][0]["selected"] == 60
    for number, one in enumerate(found["per_date"]):
        here = which == number
        alone = evaluate(y[here], p[here], known=known[here], entity_ids=ids[here], capacities=[30]).to_dict()
        for key in ("n", "events", "unknown", *MEASURES, "at_capacity", "intervals"):
            assert one[key] == alone[key], key
    assert found["at_capacity"][0]["hits"] == sum(one["at_capacity"][0]["hits"] for one in found["per_date"])


def test_ties_are_ordered_by_id_where_each_id_stands_once_on_a_list():
    y, p, known, repeated = made_up(5)
    p = np.round(p, 1).clip(0.05, 0.95)
    once = np.arange(400)
    ways = {
        "ids": evaluate(y, p, known=known, entity_ids=once, capacities=[50]),
        "no ids": evaluate(y, p, known=known, capacities=[50]),
        "ids repeat": evaluate(y, p, known=known, entity_ids=repeated, capacities=[50]),
        "on other dates": evaluate(y, p, known=known, entity_ids=once // 2, dates=DAYS[once % 2], capacities=[50]),
    }
    assert {name: way.ties for name, way in ways.items()} == {
        "ids": "ordered", "no ids": "expected", "ids repeat": "expected", "on other dates": "ordered",
    }  # fmt: skip
    assert isinstance(ways["ids"].at_capacity[0]["hits"], int)
    assert ways["no ids"].at_capacity[0]["hits"] % 1 > 0
    assert "several rows" in ways["ids repeat"].notes[0]
    assert ways["ids"].notes == ways["on other dates"].notes == ()


def test_other_seeds_make_other_draws_of_the_same_places():
    y, p, known, _ = made_up(6)
    p = np.round(p, 1).clip(0.05, 0.95)
    rows = [
        evaluate(y, p, known=known, entity_ids=np.arange(400), capacities=[50], seed=seed).to_dict()
        for seed in range(9)
    ]
    assert len({row["at_capacity"][0]["hits"] for row in rows}) > 1
    assert {row["at_capacity"][0]["selected"] for row in rows} == {50}
    assert len({row["auc"]["value"] for row in rows}) == 1


def test_dates_without_ids_are_warned_of():
    y, p, known, _ = made_up(7)
    notes = evaluate(y, p, known=known, dates=DAYS[np.arange(400) % 2], notes=["read so"]).notes
    assert notes[0] == "read so"
    assert "intervals may be too narrow" in notes[1]


def test_more_places_than_rows():
    y, p, known, _ = made_up(8)
    found = evaluate(y, p, known=known, capacities=[500])
    assert found.at_capacity[0]["selected"] == 400
    assert found.at_capacity[0]["recall"].value == 1.0
    assert "fewer rows than 500 places" in found.notes[-1]


# ---------------------------------------------------------------- curves


def test_the_spline_is_read_where_asked_once_each_in_order():
    y, p, known, _ = made_up(9)
    found = evaluate(y, p, known=known, at=[0.3, 0.1, 0.3, 0.02])
    assert [row["risk"] for row in found.spline_curve] == [*ALWAYS_AT, 0.3, 0.02]
    again = evaluate(y, p, known=known, at=[0.02])
    assert again.spline_curve[-1] == found.spline_curve[-1]


def test_beyond_the_risks_the_spline_is_said_to_be_extrapolated():
    y, p, known, _ = made_up(10)
    p = 0.6 * p / p.max()
    found = evaluate(y, p, known=known)
    assert p[known].min() < 0.05
    assert [row["extrapolated"] for row in found.spline_curve] == [False, False, False, False, True]
    assert "as far out as 0.75" in found.notes[-1]


def test_the_decision_curve_stands_at_round_thresholds():
    """The 99th percentile of an even spread up to 0.5 is 0.495: steps of 0.05, nine of them."""
    found = evaluate(np.resize([0, 1, 0], 500), np.linspace(0.001, 0.5, 500), known=np.ones(500, bool))
    assert [row["threshold"] for row in found.decision_curve] == [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45]


# ---------------------------------------------------------------- what has no answer

ROWS = 60
SPREAD = np.linspace(0.01, 0.99, ROWS)
MIXED = np.resize([0.0, 1.0, 0.0], ROWS)
ALL = np.ones(ROWS, dtype=bool)
THREE = (np.arange(ROWS) % 20 == 19).astype(float)
AWKWARD = {
    "no rows": ([], [], []),
    "one row": ([1], [0.4], [True]),
    "all unknown": (MIXED, SPREAD, ~ALL),
    "no event": (np.zeros(ROWS), SPREAD, ALL),
    "only events": (np.ones(ROWS), SPREAD, ALL),
    "three events": (THREE, SPREAD, ALL),
    "constant": (MIXED, np.full(ROWS, 0.3), ALL),
    "two risks": (MIXED, np.resize([0.2, 0.6], ROWS), ALL),
    "nought and one": (MIXED, np.resize([0.0, 1.0], ROWS), ALL),
    "all nought": (MIXED, np.zeros(ROWS), ALL),
    "nearly all tied": (MIXED, np.where(np.arange(ROWS) < 55, 0.3, SPREAD), ALL),
    "separated": ((SPREAD > 0.5).astype(float), SPREAD, ALL),
    "one known": (MIXED, SPREAD, np.arange(ROWS) == 1),
    "two known": (MIXED, SPREAD, np.arange(ROWS) < 2),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("how", ["plain", "clusters", "one cluster", "dates"])
def test_every_null_has_its_reason(name, how):
    outcome, risk, known = AWKWARD[name]
    rows = len(outcome)
    ids = {
        "plain": None,
        "clusters": np.arange(rows) // 3,
        "one cluster": np.zeros(rows),
        "dates": np.arange(rows) // 2,
    }
    found = evaluate(
        outcome, risk, known=known, entity_ids=ids[how], dates=DAYS[np.arange(rows) % 2] if how == "dates" else None,
        capacities=[1, 10], thresholds=[0.2, 0.9], at=[0.33],
    ).to_dict()  # fmt: skip
    assert unexplained(found) == []
    assert all(reason for reason in found["not_computed"].values())
    canonical_json(found)


def test_three_events_give_values_without_intervals():
    found = evaluate(THREE, SPREAD, known=ALL, capacities=[10], thresholds=[0.2]).to_dict()
    assert found["events"] == 3
    for name in ("auc", "calibration_slope", "oe_ratio"):
        assert found[name]["value"] is not None
        assert found[name]["low"] is None
        assert "events 3, non-events 57" in found["not_computed"][f"{name}.low"]
    assert found["auc"]["se"] is None
    assert found["brier"] is not None
    assert found["intervals"]["brier"]["low"] is None
    assert found["net_benefit"][0]["model"] is not None
    assert found["net_benefit"][0]["low"] is None
    assert {row["observed"] for row in found["spline_curve"]} == {None}


def test_nothing_known_gives_no_number_but_counts():
    found = evaluate(MIXED, SPREAD, known=~ALL, capacities=[10], thresholds=[0.2]).to_dict()
    assert (found["n"], found["events"], found["unknown"]) == (ROWS, 0, ROWS)
    numbers = [
        found[key]["value"] if parts and "value" in parts else found[key] for key, parts in list(NAMED.items())[3:]
    ]
    assert numbers[:-1] == [None] * (len(numbers) - 1)
    assert found["spiegelhalter"] == {"z": None, "p": None}
    assert found["at_capacity"][0]["hits"] is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"outcome": [0, 1]}, DataError),
        ({"outcome": [0, 1, 2]}, DataError),
        ({"risk": [0.1, 0.2]}, DataError),
        ({"risk": [0.1, 0.2, 1.2]}, DataError),
        ({"risk": [0.1, 0.2, np.nan]}, DataError),
        ({"entity_ids": ["a", "b"]}, DataError),
        ({"entity_ids": ["a", "b", None]}, DataError),
        ({"dates": DAYS}, DataError),
        ({"dates": np.array(["2024-01-01", "2024-01-01", "NaT"], dtype="datetime64[D]")}, DataError),
        ({"thresholds": [1.0]}, StudyError),
        ({"at": [0.0]}, StudyError),
    ],
)
def test_bad_input_is_refused(changed, error):
    rows = {"outcome": [0, 1, 0], "risk": [0.1, 0.2, 0.3], "known": [True] * 3} | changed
    with pytest.raises(error):
        evaluate(rows.pop("outcome"), rows.pop("risk"), **rows)


# ---------------------------------------------------------------- size


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True])
def test_a_million_rows_take_at_most_ten_seconds_of_processor(clustered):
    n = 1_000_000
    rng = np.random.default_rng(0)
    risk = rng.beta(1, 8, n).clip(1e-4, 1 - 1e-4)
    outcome = (rng.random(n) < risk).astype(float)
    ids = rng.integers(0, n // 3, n) if clustered else None
    before = time.process_time()
    found = evaluate(
        outcome, risk, known=rng.random(n) < 0.9, entity_ids=ids, capacities=[1000, 20_000], thresholds=[0.1, 0.2]
    )
    found.to_dict()
    assert time.process_time() - before < 10
    assert found.not_computed == {}
    assert found.measures["calibration_slope"].value == pytest.approx(1, abs=0.02)


def test_published_file_in_memory():
    """The rest of the published values goes through the command line: tests/end_to_end/test_evaluate.py."""
    data = pl.read_csv(Path(__file__).parents[1] / "reference" / "df_binary.csv")
    found = evaluate(data["cancer"], data["cancerpredmarker"], known=np.ones(750, bool), capacities=[50])
    assert found.at_capacity[0]["hits"] == 33


ROW = st.tuples(
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 1e-300, 1e-9, 0.1, 0.1, 0.5, 0.9, 1 - 1e-9, 1.0]) | st.floats(0, 1),
    st.booleans(),
    st.integers(0, 5),
)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROW, max_size=40), clustered=st.booleans(), dated=st.booleans())
def test_whatever_the_rows_there_is_a_number_or_a_reason(rows, clustered, dated):
    """No crash, no warning, no NaN (which is not JSON), and every null explained."""
    outcome, risk, known, ids = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    found = evaluate(
        outcome, risk, known=known, entity_ids=ids if clustered else None,
        dates=DAYS[np.arange(len(rows)) % 2] if dated else None, capacities=[1, 3], thresholds=[0.3],
    ).to_dict()  # fmt: skip
    canonical_json(found)
    assert unexplained(found) == []
