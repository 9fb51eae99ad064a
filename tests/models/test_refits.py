"""The recipe fitted again on other people, fewer people and fewer columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from riskmodels.models.refits import _Draws, bootstrap_refits, grouped_refits, learning_refits, refits_without
from riskmodels.models.training import Teaching, backtest, cohort_of, prepare_origin, teaching_rows
from tests.models.made_dataset import SOURCES, a_dataset, a_study, the_splits


@pytest.fixture(scope="module")
def world():
    study = a_study()
    return a_dataset(), the_splits(study), study


def test_rows_that_stand_twice_count_twice(world):
    data, splits, study = world
    own = teaching_rows(data, splits.origins[0], study)
    _, fit, calibrate = prepare_origin(data, splits.origins[0], study, Teaching(np.repeat(own.fit, 2), own.calibrate))
    assert len(fit.outcome) == 2 * len(own.fit)
    assert fit.outcome.sum() == 2 * data.outcomes.frame["outcome"].to_numpy()[own.fit].sum()
    assert len(calibrate.outcome) == len(own.calibrate)


def test_a_draw_takes_people_whole(world):
    """400 people, each with one calibration row: every person's fit rows appear as often as that row does."""
    data, splits, study = world
    own = teaching_rows(data, splits.origins[-1], study)
    drawn = _Draws(data, own).draw(np.random.default_rng(1))
    ids = data.cohort.rows["entity_id"].to_numpy()
    rows_each = len(own.fit) // 400
    times = dict(zip(*np.unique(ids[drawn.calibrate], return_counts=True), strict=True))
    fitted = dict(zip(*np.unique(ids[drawn.fit], return_counts=True), strict=True))
    per_person = len(own.calibrate) // 400
    assert {name: count // rows_each for name, count in fitted.items()} == {
        name: count // per_person for name, count in times.items()
    }
    assert sum(times.values()) == per_person * 400
    assert max(times.values()) > per_person  # somebody was drawn twice


def test_refits_differ_from_each_other_and_repeat_with_the_seed(world):
    data, splits, study = world
    looked_at = np.arange(5)
    first, again = (
        bootstrap_refits(data, splits.origins[-1], study, "logistic", looked_at, replicates=3) for _ in range(2)
    )
    assert first.risk.shape == (3, 400)
    assert first.reasons.shape == (3, 5, 3)
    assert np.array_equal(first.risk, again.risk)
    assert np.abs(first.risk[0] - first.risk[1]).max() > 1e-4
    other = bootstrap_refits(
        data, splits.origins[-1], study.model_copy(update={"seed": 8}), "logistic", looked_at, replicates=1
    )
    assert not np.array_equal(first.risk[0], other.risk[0])


def test_a_family_that_the_rule_would_not_choose_is_held_fast(world):
    data, splits, study = world
    held = bootstrap_refits(data, splits.origins[-1], study, "points", np.arange(2), replicates=2)
    assert not held.chosen_anew
    assert set(held.families) == {"points"}


def test_draws_without_events_are_counted(world):
    _, splits, study = world
    data = a_dataset(people=60, base=-3.7)
    found = bootstrap_refits(data, splits.origins[-1], study, "single_best_column", np.arange(1), replicates=8)
    assert found.failed + len(found.families) == 8
    assert found.failed > 0


def test_learning_takes_more_people_at_each_share(world):
    data, splits, study = world
    points = learning_refits(data, splits.origins[-1], "logistic", study, repeats=2)
    one = [point for point in points if point.repeat == 0]
    assert [point.share for point in one] == sorted(point.share for point in one)
    events = [point.fit_events for point in one]
    assert events == sorted(events)
    assert one[-1].share == 1.0
    whole = backtest(data, splits, study).frame.filter(
        (pl.col("model") == "logistic") & (pl.col("stage") == "test") & (pl.col("origin") == 1)
    )
    assert one[-1].predicted["risk"].to_list() == whole["risk"].to_list()  # everybody: the ordinary fit


def test_nobody_is_predicted_by_a_fit_that_saw_them(world):
    """Outcomes of one person are turned round: her own grouped risk must not move, whatever others' do."""
    data, splits, study = world
    before = grouped_refits(data, splits, "logistic", study).frame
    hers = pl.col("entity_id") == "p0007"
    turned = data.outcomes.frame.with_columns(
        pl.when(hers).then(1 - pl.col("outcome")).otherwise(pl.col("outcome")).cast(pl.Int8).alias("outcome")
    )
    outcomes = replace(data.outcomes, frame=turned)
    changed = replace(data, outcomes=outcomes, outcomes_at=dict.fromkeys(data.outcomes_at, outcomes))
    after = grouped_refits(changed, splits, "logistic", study).frame
    assert before.height == after.height == 800
    assert before.filter(hers)["risk"].to_list() == after.filter(hers)["risk"].to_list()
    assert before.filter(~hers)["risk"].to_list() != after.filter(~hers)["risk"].to_list()


def test_columns_left_out_are_not_used(world):
    data, splits, _ = world
    spline = a_study(candidates={"logistic": {"splines": ["calls"]}})
    found = refits_without(
        data, splits, "logistic", spline, {"without police": ["calls"], "without all": list(SOURCES)}
    )
    assert found.frame["model"].unique().to_list() == ["without police"]
    scrambled = data.features.frame.with_columns(pl.col("calls").reverse())
    other = replace(data, features=replace(data.features, frame=scrambled))
    again = refits_without(other, splits, "logistic", spline, {"without police": ["calls"]})
    assert again.frame["risk"].to_list() == found.frame["risk"].to_list()
    assert len(cohort_of(data, splits.origins[0])) == 400


def test_copies_of_a_person_are_people_of_their_own_but_share_a_fold(world):
    """Two copies of somebody are two people to the rule that chooses, and one to the folds of calibration."""
    data, splits, study = world
    drawn = _Draws(data, teaching_rows(data, splits.origins[-1], study)).draw(np.random.default_rng(2))
    _, _, calibrate = prepare_origin(data, splits.origins[-1], study, drawn)
    rows = calibrate.rows.select("drawn_from", "cluster_id", "as_of_date")
    assert not rows.is_duplicated().any()
    often = rows.group_by("drawn_from").agg(pl.col("cluster_id").n_unique(), pl.len())
    dates = rows["as_of_date"].n_unique()
    assert (often["len"] == dates * often["cluster_id"]).all()
    assert often["cluster_id"].max() > 1
