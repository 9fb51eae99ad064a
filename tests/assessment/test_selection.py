from __future__ import annotations

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.calibration_statistics import loss_difference, mean_loss, oe_ratio
from riskmodels.assessment.selection import BEST, select_over_time
from riskmodels.errors import DataError
from riskmodels.models.choosing import choose_model
from riskmodels.models.training import Predictions
from tests.cards import example_card as example

FAMILIES = ("base_rate", "single_best_column", "points", "logistic", "lightgbm")
TESTS = (dt.date(2020, 9, 1), dt.date(2021, 9, 1), dt.date(2022, 9, 1))
PEOPLE = 500
# How much noise each family adds to the true log odds; base_rate knows nothing.
NOISE = {"single_best_column": 1.2, "points": 0.9, "logistic": 0.3, "lightgbm": 0.25}
STUDY = example.study({"models": {"candidates": {"logistic": {}, "lightgbm": {}}}}).file


def made_up(seed: int = 1, noise: dict[str, float] = NOISE, unknown: float = 0.1, shift=None) -> pl.DataFrame:
    """Each origin calibrates two years before its test date; ``shift`` (family, date) -> added to the log odds."""
    rng = np.random.default_rng(seed)
    ids = [f"p{i:03d}" for i in range(PEOPLE)]
    parts = []
    for origin, test in enumerate(TESTS):
        for stage, day in (("calibrate", test.replace(year=test.year - 2)), ("test", test)):
            linear = -1.5 + rng.normal(size=PEOPLE)
            outcome = rng.random(PEOPLE) < 1 / (1 + np.exp(-linear))
            known = rng.random(PEOPLE) >= (unknown if stage == "test" else 0)
            for family in FAMILIES:
                seen = linear + noise.get(family, 0) * rng.normal(size=PEOPLE) + (shift or {}).get((family, day), 0)
                risk = np.full(PEOPLE, outcome.mean()) if family == "base_rate" else 1 / (1 + np.exp(-seen))
                parts.append(
                    pl.DataFrame(
                        {
                            "entity_id": ids,
                            "as_of_date": [day] * PEOPLE,
                            "origin": pl.Series([origin] * PEOPLE, dtype=pl.Int16),
                            "stage": stage,
                            "model": family,
                            "score": risk,
                            "risk": risk,
                            "outcome": pl.Series(
                                [int(y) if k else None for y, k in zip(outcome, known, strict=True)], dtype=pl.Int8
                            ),
                            "outcome_status": np.where(known, "known", "unobserved"),
                            "cluster_id": ids,
                        }
                    )
                )
    return pl.concat(parts)


@pytest.fixture(scope="module")
def frame():
    return made_up()


@pytest.fixture(scope="module")
def found(frame):
    return select_over_time(Predictions(frame), STUDY, {"lightgbm": "PASS", "points": "FAIL"})


def known_rows(frame, family, day):
    return frame.filter(
        (pl.col("stage") == "test")
        & (pl.col("model") == family)
        & (pl.col("as_of_date") == day)
        & pl.col("outcome").is_not_null()
    )


def family_row(found, name):
    return next(row for row in found.families if row["model"] == name)


def test_each_origin_is_the_paired_difference_with_its_best(frame, found):
    assert [row["as_of_date"] for row in found.origins] == list(TESTS)
    for origin in found.origins:
        day = origin["as_of_date"]
        losses = {}
        for row in origin["families"]:
            here = known_rows(frame, row["model"], day)
            losses[row["model"]] = mean_loss(here["outcome"], here["risk"], "brier_score").value
            assert row["loss"].value == pytest.approx(losses[row["model"]])
            assert row["oe_ratio"].value == pytest.approx(oe_ratio(here["outcome"], here["risk"]).value)
            assert row["inside_floors"] == (0.8 <= row["oe_ratio"].value <= 1.25)
        best = min(losses, key=losses.get)
        assert origin["best"] == best
        for row in origin["families"]:
            if row["model"] == best:
                assert (row["regret"].value, row["regret"].low, row["regret"].reason) == (0.0, None, BEST)
                continue
            here, other = known_rows(frame, best, day), known_rows(frame, row["model"], day)
            expected = loss_difference(here["outcome"], here["risk"], other["risk"], "brier_score")
            assert (row["regret"].value, row["regret"].low, row["regret"].high) == pytest.approx(
                (expected.value, expected.low, expected.high)
            )


def test_families_add_the_origins_up(found):
    for place, row in enumerate(found.families, start=1):
        regrets = [
            next(one["regret"].value for one in origin["families"] if one["model"] == row["model"])
            for origin in found.origins
        ]
        assert row["simplicity"] == place
        assert row["mean_regret"].value == pytest.approx(np.mean(regrets))
        assert row["worst_regret"].value == pytest.approx(max(regrets))
        assert row["best_at"] == sum(origin["best"] == row["model"] for origin in found.origins)
    assert sum(row["best_at"] for row in found.families) == sum(row["picked_at"] for row in found.families) == 3


def test_mean_regret_has_people_as_clusters_over_origins(frame, found):
    """The interval from cluster sums written out: each person's part in the mean over three origins."""
    row = family_row(found, "points")
    sums: dict[str, float] = {}
    for origin in found.origins:
        here = known_rows(frame, "points", origin["as_of_date"])
        best = known_rows(frame, origin["best"], origin["as_of_date"])
        y = here["outcome"].to_numpy()
        excess = (here["risk"].to_numpy() - y) ** 2 - (best["risk"].to_numpy() - y) ** 2
        for person, value in zip(here["entity_id"], (excess - excess.mean()) / len(excess) / 3, strict=True):
            sums[person] = sums.get(person, 0.0) + value
    g = len(sums)
    half = 1.965 * np.sqrt(g / (g - 1) * sum(value**2 for value in sums.values()))
    assert row["mean_regret"].high - row["mean_regret"].value == pytest.approx(half, rel=0.001)


def test_the_rule_knows_only_what_was_known_on_the_day(frame, found):
    for origin in found.origins:
        day = origin["as_of_date"]
        by_then = frame.filter((pl.col("stage") == "calibrate") & (pl.col("origin") <= origin["origin"]))
        dates = frozenset(by_then["as_of_date"].unique().to_list())
        assert origin["picked"] == choose_model(Predictions(by_then), STUDY, dates).model
        later = frame.filter(~((pl.col("stage") == "calibrate") & (pl.col("origin") > origin["origin"])))
        alone = select_over_time(Predictions(later), STUDY)
        assert next(row["picked"] for row in alone.origins if row["as_of_date"] == day) == origin["picked"]
    assert found.rule["origins"] == 3
    picked = [
        next(one["regret"].value for one in origin["families"] if one["model"] == origin["picked"])
        for origin in found.origins
    ]
    assert found.rule["mean_regret"].value == pytest.approx(np.mean(picked))
    assert found.rule["worst_regret"].value == pytest.approx(max(picked))


def picked(frame):
    return [origin["picked"] for origin in select_over_time(Predictions(frame), STUDY).origins]


def with_points_right(frame, rows):
    """These rows as they would be if the points had known every outcome: whoever sees them picks the points."""
    right = pl.col("outcome").cast(pl.Float64) * 0.98 + 0.01
    return frame.with_columns(risk=pl.when(rows & (pl.col("model") == "points")).then(right).otherwise("risk"))


@pytest.mark.parametrize("origin", [0, 1])
def test_what_later_origins_calibrate_on_moves_no_earlier_pick(frame, found, origin):
    """Their rows may be dated before the test date (2019 and 2020 here), and their outcomes known only after it."""
    later = (pl.col("stage") == "calibrate") & (pl.col("origin") > origin)
    assert (frame.filter(later)["as_of_date"] < TESTS[origin]).any()
    before = [row["picked"] for row in found.origins]
    after = picked(with_points_right(frame, later))
    assert after[: origin + 1] == before[: origin + 1]
    assert set(after[origin + 1 :]) == {"points"}  # the rule would have picked them, had it seen those rows
    assert "points" not in before


@pytest.mark.parametrize("late", [0, 1, 365])
def test_what_is_calibrated_on_the_test_day_or_later_moves_no_pick(frame, found, late):
    """Rows of the first origin itself, dated on its test date and after."""
    own = (pl.col("stage") == "calibrate") & (pl.col("origin") == 0)
    more = with_points_right(frame.filter(own), pl.lit(True))
    before, first = [row["picked"] for row in found.origins], TESTS[0] + dt.timedelta(late)
    assert picked(pl.concat([frame, more.with_columns(as_of_date=pl.lit(first))]))[0] == before[0] != "points"
    early = more.with_columns(as_of_date=pl.lit(TESTS[0] - dt.timedelta(1)))
    assert picked(pl.concat([frame, early]))[0] == "points"


def test_criteria(found):
    assert family_row(found, "base_rate")["meets"]["regret"] is False
    assert family_row(found, "points")["meets"]["fairness"] is False
    assert family_row(found, "lightgbm")["meets"] == {"regret": True, "calibration": True, "fairness": True}
    assert family_row(found, "logistic")["meets"]["fairness"] is None
    assert family_row(found, "logistic")["verdict"] is None


def test_a_family_whose_risks_go_wrong_once_is_not_the_simplest_that_meets_all():
    twins = NOISE | {"logistic": 0.25}
    assert select_over_time(Predictions(made_up(noise=twins)), STUDY).simplest == "logistic"
    off = {("logistic", TESTS[1]): -0.5}
    found = select_over_time(Predictions(made_up(noise=twins, shift=off)), STUDY)
    row = family_row(found, "logistic")
    assert (row["inside_floors"], row["of_origins"]) == (2, 3)
    assert row["meets"]["calibration"] is False
    assert found.simplest == "lightgbm"


def test_a_family_that_a_simpler_one_beats_each_time():
    found = select_over_time(Predictions(made_up(noise=NOISE | {"points": 2.0, "lightgbm": 0.9})), STUDY)
    assert family_row(found, "points")["beaten_by"] in ("base_rate", "single_best_column")
    assert family_row(found, "lightgbm")["beaten_by"] == "logistic"
    assert family_row(found, "logistic")["beaten_by"] is None
    assert family_row(found, "base_rate")["beaten_by"] is None


def test_row_order_does_not_matter(frame, found):
    tests = frame.filter(pl.col("stage") == "test").sample(fraction=1.0, shuffle=True, seed=2)
    again = select_over_time(Predictions(pl.concat([frame.filter(pl.col("stage") == "calibrate"), tests])), STUDY)
    for one, other in zip(again.families, found.families, strict=True):
        assert one["mean_regret"].value == pytest.approx(other["mean_regret"].value)
        assert one["mean_regret"].high == pytest.approx(other["mean_regret"].high)


def test_log_loss(frame):
    study = example.study({"models": {"candidates": {"logistic": {}, "lightgbm": {}}, "choose_by": "log_loss"}}).file
    found = select_over_time(Predictions(frame), study)
    here = known_rows(frame, "points", TESTS[0])
    assert found.criterion == "log_loss"
    assert found.origins[0]["families"][2]["loss"].value == pytest.approx(
        mean_loss(here["outcome"], here["risk"], "log_loss").value
    )


def test_a_date_without_known_outcomes_is_no_origin(frame):
    hidden = frame.with_columns(
        outcome=pl.when((pl.col("as_of_date") != TESTS[2]) | (pl.col("stage") != "test")).then("outcome")
    )
    found = select_over_time(Predictions(hidden), STUDY)
    assert [row["as_of_date"] for row in found.origins] == list(TESTS[:2])
    nothing = select_over_time(Predictions(frame.with_columns(outcome=pl.lit(None, dtype=pl.Int8))), STUDY)
    assert (nothing.origins, nothing.simplest) == ((), None)
    assert nothing.families[0]["mean_regret"].reason


def test_few_events_have_no_ratio(frame):
    rare = frame.with_columns(
        outcome=pl.when(pl.col("outcome").is_not_null() & (pl.col("stage") == "test"))
        .then((pl.col("entity_id") < "p003").cast(pl.Int8))
        .otherwise("outcome")
    )
    found = select_over_time(Predictions(rare), STUDY)
    assert family_row(found, "points")["of_origins"] == 0
    assert family_row(found, "points")["meets"]["calibration"] is None
    assert found.simplest is None


def test_no_calibration_rows_and_nothing_to_pick(frame):
    found = select_over_time(Predictions(frame.filter(pl.col("stage") == "test")), STUDY)
    assert {origin["picked"] for origin in found.origins} == {None}
    assert "nothing to choose on" in found.origins[0]["regret"].reason
    assert found.rule["origins"] == 0
    assert found.rule["mean_regret"].value is None


def test_families_tested_on_other_rows_are_refused(frame):
    wrong = frame.filter((pl.col("model") != "points") | (pl.col("entity_id") != "p007"))
    with pytest.raises(DataError, match="points was not tested on the same rows"):
        select_over_time(Predictions(wrong), STUDY)


def test_a_missing_risk_is_refused(frame):
    wrong = frame.with_columns(
        risk=pl.when((pl.col("model") != "points") | (pl.col("entity_id") != "p007")).then("risk")
    )
    with pytest.raises(DataError, match="no probability"):
        select_over_time(Predictions(wrong), STUDY)


def test_plain_values_are_json(found):
    told = found.to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
