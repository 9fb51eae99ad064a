import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit import audit_groups, audit_predictions
from riskmodels.assessment.audit.coding import code_groups
from riskmodels.assessment.audit.further.nested_lists import count_nested
from riskmodels.assessment.audit.further.sweep import SHARES, checked_depth, sweep_rows
from riskmodels.assessment.audit.policy import Floors, load_policy
from riskmodels.assessment.intervals import clusters_of, of_rows, proportion
from riskmodels.errors import DataError
from riskmodels.models.ranking import rank
from riskmodels.study import PROTECTED_BY_LAW, Capacity, Protected

POLICY = load_policy()
SHOW_ALL = POLICY.model_copy(update={"floors": Floors(show=1, ratio=1, verdict=100, slope_events=500)})
EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")


def coded(groups, policy=POLICY):
    return code_groups(
        "race", pl.Series([str(group) for group in groups]), Protected(column="x.race", law="race"), policy
    )


def swept(groups, status, depth, clusters=None, policy=SHOW_ALL):
    return sweep_rows([coded(groups)], np.array(status), np.array(depth, dtype=float), clusters, policy, "people")


def point(rows, group, share):
    return next(row for row in rows if (row["group"], row["share"]) == (group, share))


def test_a_list_of_each_length_by_hand():
    # Two places. Group a holds ranks 1, 3, 5 and b 2, 4, 6; the outcome comes at ranks 1, 2, 3, 6; depth = rank / 2.
    status, depth = [1, 1, 1, 0, 0, 1], np.arange(1, 7) / 2
    rows = swept("ababab", status, depth)
    # Half the places: rank 1 alone. The list itself: 1, 2. One and a half: 1 to 3. Three times: everybody.
    assert [row["recall"]["value"] for row in rows if row["group"] == "a"] == [0, 0.5, 0.5, 0.5, 1, 1, 1]
    assert [row["recall"]["value"] for row in rows if row["group"] == "b"] == [0, 0, 0, 0.5, 0.5, 0.5, 1]
    assert point(rows, "a", 2.0)["selection_rate"] | {"low": 0, "high": 0} == {
        "value": 2 / 3,
        "low": 0,
        "high": 0,
        "n": 3,
    }
    assert (point(rows, "b", 3.0)["tp"], point(rows, "b", 3.0)["fp"], point(rows, "b", 3.0)["selected"]) == (2, 1, 3)


def test_it_ends_with_a_list_of_everybody():
    # Six people for four places: ranks reach 1.5 times the places, and no further.
    rows = swept("ababab", [1, 1, 1, 0, 0, 1], np.arange(1, 7) / 4)
    assert sorted({row["share"] for row in rows}) == [0.25, 0.5, 0.75, 1.0, 1.5]
    assert point(rows, "a", 1.5)["recall"]["value"] == 1


def test_those_who_are_never_listed_are_in_the_denominator_alone():
    rows = swept("aab", [1, 1, 1], [0.5, np.nan, 1.0])
    assert point(rows, "a", 1.0)["recall"]["value"] == 0.5


def test_small_denominators_have_a_reason():
    status = [1] * 9 + [0] * 20
    rows = swept(["a"] * 9 + ["b"] * 20, status, np.arange(1, 30) / 10, policy=POLICY)
    assert point(rows, "a", 1.0)["recall"]["reason"] == "not shown (fewer than 10 people who had the outcome)"
    assert point(rows, "b", 1.0)["recall"]["reason"] == "nobody who had the outcome"
    assert point(rows, "b", 1.0)["selection_rate"]["value"] == 1 / 20


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 1, 3, 25]))
def test_points_and_intervals_are_those_of_one_list_at_a_time(seed, cluster_size):
    """The slow way: each list by itself, each interval from the rows."""
    rng = np.random.default_rng(seed)
    n = 150
    groups, status = rng.choice(["a", "b", "c"], n), rng.integers(0, 3, n)
    depth = (rng.permutation(n) + 1) / 40
    clusters = None if cluster_size is None else rng.integers(0, n // cluster_size, n)
    units = clusters_of(clusters, n)
    for row in swept(groups, status, depth, clusters):
        listed, own = depth <= row["share"], groups == row["group"]
        for metric, base in (("recall", own & (status == 1)), ("selection_rate", own)):
            expected = proportion(listed[base].astype(float), of_rows(units, base))
            found = row[metric]
            if expected.value is None:
                assert found["value"] is None
                continue
            assert (found["value"], found["n"]) == (pytest.approx(expected.value), expected.n)
            assert found.get("low") == (None if expected.low is None else pytest.approx(expected.low))
            assert found.get("high") == (None if expected.high is None else pytest.approx(expected.high))
            assert found.get("reason") == expected.reason


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    n = 500
    groups, status, depth = rng.choice(["a", "b"], n), rng.integers(0, 3, n), (rng.permutation(n) + 1) / 100
    clusters, order = rng.integers(0, 200, n), rng.permutation(n)
    assert swept(groups, status, depth, clusters) == swept(groups[order], status[order], depth[order], clusters[order])


def test_clusters_that_are_alike_count_once():
    """Everybody twice, as one cluster: the effective number of rows is that of people."""
    codes, level = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 0, 1])
    once = count_nested(codes, 2, level, 1, None)
    twice = count_nested(np.repeat(codes, 2), 2, np.repeat(level, 2), 1, np.repeat(np.arange(5), 2))
    assert (twice.hits == 2 * once.hits).all()
    assert twice.clusters.tolist() == once.n.tolist() == [2, 3]
    # G / (G - 1) over n / (n - 1): 2 for two people of four rows becomes 2 * (2 / 1) / (4 / 3) = 3.
    assert twice.effect[:, 0] == pytest.approx([3.0, 2 * (3 / 2) / (6 / 5)])


def test_todays_places_agree_with_the_rows_by_group():
    frame = pl.DataFrame(
        {
            "entity_id": [f"p{number}" for number in range(600)],
            "as_of_date": [dt.date(2024, 1, 1)] * 400 + [dt.date(2025, 1, 1)] * 200,
            "origin": [0] * 600,
            "stage": ["test"] * 600,
            "model": ["points"] * 600,
            "score": np.random.default_rng(1).random(600),
            "risk": np.full(600, 0.3),
            "outcome": pl.Series(np.random.default_rng(2).integers(0, 2, 600), dtype=pl.Int8),
            "outcome_status": ["known"] * 600,
            "cluster_id": [f"p{number}" for number in range(600)],
        }
    )
    ranking = rank(frame, "points", Capacity(share=0.2), seed=1)
    assert ranking.places == {"2024-01-01": 80, "2025-01-01": 40}
    study = _Study()
    groups = ranking.frame.select("entity_id", "as_of_date").with_columns(
        race=pl.Series(np.random.default_rng(3).choice(["a", "b"], 600))
    )
    found = audit_groups(ranking, groups, study, seed=1, policy=POLICY.model_copy(update={"replicates": 200}))
    assert {row["share"] for row in found.sweep} == set(SHARES)
    for row in found.rows:
        today = point(found.sweep, row["group"], 1.0)
        assert (today["tp"], today["fp"], today["selected"]) == (row["tp"], row["fp"], row["selected"])
        assert today["recall"]["value"] == row["metrics"]["recall"]["value"]
    # Twice the places: 160 and 80 of them.
    assert sum(point(found.sweep, group, 2.0)["selected"] for group in "ab") == 240


class _Study:
    """As much of a study as an audit reads."""

    protected = {"race": Protected(column="x.race", law="race")}  # noqa: RUF012
    purpose, level, not_audited = "assistive", "person", EXCUSED
    outcome = type("Outcome", (), {"measures": "need"})
    fairness = type("Fairness", (), {"intersections": "all", "policy": "default"})


@pytest.mark.parametrize(
    "column",
    [
        [0.5, None, 1.0],
        np.array([0.5, np.nan, 1.0]),
        pl.Series([0.5, None, 1.0]),
        pd.Series([0.5, None, 1.0], dtype="Float64"),
    ],
)
def test_a_depth_may_be_missing_and_of_any_kind(column):
    depth = checked_depth(column, np.array([True, False, True]))
    assert depth[[0, 2]].tolist() == [0.5, 1.0]
    assert np.isnan(depth[1])


def test_a_list_of_nobody_is_swept():
    rows = swept("ab", [1, 1], [np.nan, np.nan])
    assert [(row["share"], row["recall"]["value"]) for row in rows] == [(1.0, 0.0), (1.0, 0.0)]


def test_without_a_depth_there_is_no_sweep():
    found = audit_predictions(
        [0, 1] * 20, [0.3] * 40, [True, False] * 20, {"race": ["a", "a", "b", "b"] * 10}, purpose="assistive", seed=1,
        policy=POLICY.model_copy(update={"replicates": 200}), excused=EXCUSED,
    )  # fmt: skip
    assert found.sweep == ()
    assert checked_depth(None, np.array([True])) is None


@pytest.mark.parametrize(
    ("depth", "said"),
    [
        ([0.5], "depth: 1 values for 3"),
        (["x", "y", "z"], "depth: holds something that is not a number"),
        ([0.5, 1.5, 0.9], "depth: 2 rows do not fit the list"),
        ([0.5, np.nan, 2.0], "depth: 1 rows do not fit the list"),
        ([0.0, 1.0, 2.0], "depth: 1 rows do not fit the list"),
    ],
)
def test_a_depth_that_does_not_fit_is_one_line(depth, said):
    with pytest.raises(DataError, match=said):
        checked_depth(depth, np.array([True, True, False]))
