from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment import calibration_statistics, discrimination
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.performance import METRICS, Performance, assess_performance
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import Ranking, rank
from riskmodels.study import Capacity

DAYS = (dt.date(2021, 9, 1), dt.date(2022, 9, 1))
PEOPLE = 400
PLACES = 60
SEED = 5
BASELINES = ("base_rate", "points")


def made_up_predictions(seed: int = 1, unknown: float = 0.05, base_rate: float = 0.2) -> pl.DataFrame:
    """Two test dates of the same people; a constant, a coarse rule and a good model; some outcomes unknown."""
    rng = np.random.default_rng(seed)
    n = PEOPLE * len(DAYS)
    risk = rng.beta(1, 1 / base_rate - 1, n).clip(0.005, 0.99)
    outcome = (rng.random(n) < risk).astype(np.int8)
    known = rng.random(n) >= unknown
    entity = np.tile([f"p{i:04d}" for i in range(PEOPLE)], len(DAYS))
    risks = {"base_rate": np.full(n, base_rate), "points": np.round(risk, 1).clip(0.05, 0.95), "logistic": risk}
    parts = [
        pl.DataFrame(
            {
                "entity_id": entity,
                "as_of_date": [day for day in DAYS for _ in range(PEOPLE)],
                "origin": np.repeat(np.arange(len(DAYS)), PEOPLE).astype(np.int16),
                "stage": "test",
                "model": model,
                "score": values * 10,
                "risk": values,
                "outcome": [int(y) if k else None for y, k in zip(outcome, known, strict=True)],
                "outcome_status": np.where(known, "known", "unobserved"),
                "cluster_id": entity,
            },
            schema_overrides={"outcome": pl.Int8},
        )
        for model, values in risks.items()
    ]
    frame = pl.concat(parts)
    return pl.concat([frame, frame.head(50).with_columns(stage=pl.lit("calibrate"))])


def assess(
    predictions: pl.DataFrame, model: str = "logistic", ranking: Ranking | None = None, **changes
) -> Performance:
    ranking = ranking or rank(predictions, model, Capacity(places=PLACES), SEED)
    arguments = {
        "places": ranking.places,
        "thresholds": (0.2, 0.4),
        "criterion": "brier_score",
        "baselines": BASELINES,
        "best_baseline": "points",
        "seed": SEED,
    }
    return assess_performance(ranking, predictions, **(arguments | changes))


@pytest.fixture(scope="module")
def predictions():
    return made_up_predictions()


@pytest.fixture(scope="module")
def performance(predictions):
    return assess(predictions)


@pytest.fixture(scope="module")
def known(predictions):
    """The rows with a known outcome of the good model."""
    return predictions.filter(
        (pl.col("model") == "logistic") & (pl.col("stage") == "test") & (pl.col("outcome_status") == "known")
    )


def test_counts(performance, known):
    assert performance.model == "logistic"
    assert performance.n == 2 * PEOPLE
    assert performance.known == known.height
    assert performance.unknown == 2 * PEOPLE - known.height
    assert performance.events == known["outcome"].sum()


@pytest.mark.parametrize("name", METRICS)
def test_overall_is_each_statistic_on_the_known_rows_with_people_as_clusters(performance, known, name):
    expected = METRICS[name](known["outcome"], known["risk"], known["cluster_id"])
    found = performance.overall[name]
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert found.n == known.height


def test_every_date_stands_alone(performance, known):
    assert [row["as_of_date"] for row in performance.per_date] == [day.isoformat() for day in DAYS]
    for row, day in zip(performance.per_date, DAYS, strict=True):
        here = known.filter(pl.col("as_of_date") == day)
        assert row["n"] == PEOPLE
        assert (row["known"], row["events"]) == (here.height, here["outcome"].sum())
        assert row["auc"] == pytest.approx(discrimination.auc(here["outcome"], here["risk"]).to_dict())
        assert row["oe_ratio"] == pytest.approx(
            calibration_statistics.oe_ratio(here["outcome"], here["risk"]).to_dict()
        )
        top = known.filter(pl.col("as_of_date") == day).sort("risk", descending=True)
        assert row["selected"] == PLACES
        assert row["precision_at_k"]["value"] > top["outcome"].mean()


def test_the_list_is_made_from_everybody(predictions, performance):
    """The 60 highest risks of each date, unknown outcomes included."""
    listed = (
        predictions.filter((pl.col("model") == "logistic") & (pl.col("stage") == "test"))
        .sort("risk", descending=True)
        .group_by("as_of_date")
        .head(PLACES)
    )
    found = performance.at_capacity
    hits, unknown = int(listed["outcome"].sum()), int(listed["outcome"].null_count())
    assert found["places"] == found["selected"] == 2 * PLACES
    assert (found["hits"], found["unknown"]) == (hits, unknown)
    assert found["precision"].value == pytest.approx(hits / (2 * PLACES - unknown))
    assert found["precision_bounds"] == pytest.approx([hits / 120, (hits + unknown) / 120])
    assert found["recall"].value == pytest.approx(hits / performance.events)
    assert found["recall_bounds"][0] <= found["recall"].value <= found["recall_bounds"][1]


def test_bounds_enclose_what_the_hidden_outcomes_would_have_said():
    """The same people with every outcome known, and with 40% hidden where risk is high: bounds enclose, points miss."""
    whole = made_up_predictions(2, unknown=0.0)
    hidden = whole.with_columns(
        outcome_status=pl.when((pl.col("outcome") == 0) & (pl.col("risk") > 0.3))
        .then(pl.lit("unobserved"))
        .otherwise("outcome_status")
    ).with_columns(outcome=pl.when(pl.col("outcome_status") == "known").then("outcome"))
    ranking = rank(whole, "logistic", Capacity(places=PLACES), SEED)
    truth = assess(whole, ranking=ranking).at_capacity
    seen = assess(hidden, ranking=rank(hidden, "logistic", Capacity(places=PLACES), SEED)).at_capacity
    assert seen["leads_with_bounds"]
    assert seen["selected"] == truth["selected"]
    assert seen["precision"].low > truth["precision"].value
    for name in ("precision", "recall"):
        low, high = seen[f"{name}_bounds"]
        assert low - 1e-12 <= truth[name].value <= high + 1e-12


def test_families_are_all_there_on_the_same_rows(performance, known):
    rows = {row["model"]: row for row in performance.families}
    assert list(rows) == ["base_rate", "points", "logistic"]
    assert [row["baseline"] for row in performance.families] == [True, True, False]
    for row in rows.values():
        assert row["brier_score"].n == row["auc"].n == known.height
    assert rows["base_rate"]["auc"].value == 0.5
    assert rows["base_rate"]["auc"].reason
    assert rows["logistic"]["brier_score"] == performance.overall["brier_score"]
    assert rows["logistic"]["precision_at_k"] == performance.at_capacity["precision"]
    assert rows["points"]["difference"] is None
    assert rows["base_rate"]["difference"].high < 0 < rows["logistic"]["difference"].value


@pytest.mark.parametrize("model", ["base_rate", "points", "logistic"])
def test_a_family_gets_the_precision_of_its_own_canonical_list(predictions, performance, model):
    """Ties included: the constant's list is chance, and it is the same chance everywhere."""
    frame = rank(predictions, model, Capacity(places=PLACES), SEED).frame
    listed = frame.filter(pl.col("selected") & (pl.col("outcome_status") == "known"))
    (row,) = [row for row in performance.families if row["model"] == model]
    assert row["precision_at_k"].value == pytest.approx(listed["outcome"].mean())
    assert row["precision_at_k"].n == listed.height


def test_comparison_is_the_paired_difference(performance, known, predictions):
    points = predictions.filter(
        (pl.col("model") == "points") & (pl.col("stage") == "test") & (pl.col("outcome_status") == "known")
    )
    expected = calibration_statistics.loss_difference(
        known["outcome"], known["risk"], points["risk"], "brier_score", known["cluster_id"]
    )
    found = performance.comparison
    assert (found["chosen"], found["baseline"], found["criterion"]) == ("logistic", "points", "brier_score")
    assert found["difference"].value == pytest.approx(expected.value)
    assert (found["difference"].low, found["difference"].high) == pytest.approx((expected.low, expected.high))
    assert found["auc_difference"].value > 0


def test_log_loss_can_be_the_criterion(predictions, performance):
    found = assess(predictions, criterion="log_loss")
    assert found.comparison["criterion"] == "log_loss"
    assert all("log_loss" in row and "brier_score" in row for row in found.families)
    assert found.comparison["difference"].value != performance.comparison["difference"].value


def test_row_order_of_the_predictions_does_not_matter(predictions, performance):
    shuffled = predictions.sample(fraction=1.0, shuffle=True, seed=3)
    again = assess(shuffled)
    by_model = [sorted(each.to_dict()["families"], key=lambda row: row["model"]) for each in (again, performance)]
    assert by_model[0] == by_model[1]
    assert again.to_dict()["at_capacity"] == performance.to_dict()["at_capacity"]


def test_deleting_outcomes_never_changes_the_list(predictions):
    deleted = predictions.with_columns(outcome=pl.lit(None, dtype=pl.Int8), outcome_status=pl.lit("immature"))
    before, after = (rank(each, "logistic", Capacity(places=PLACES), SEED).frame for each in (predictions, deleted))
    assert before["entity_id"].equals(after["entity_id"])
    found = assess(deleted)
    assert (found.known, found.events, found.at_capacity["selected"]) == (0, 0, 2 * PLACES)
    assert found.at_capacity["precision_bounds"] == [0, 1]
    assert all(estimate.value is None and estimate.reason for estimate in found.overall.values())
    assert {"auc", "brier_score", "at_capacity.precision", "calibration_curve.spline"} <= set(found.not_computed)


def test_unknown_by_fifth_adds_up(performance):
    assert [row["fifth"] for row in performance.unknown_by_fifth] == [1, 2, 3, 4, 5]
    assert sum(row["n"] for row in performance.unknown_by_fifth) == performance.n
    assert sum(row["unknown"] for row in performance.unknown_by_fifth) == performance.unknown


def test_calibration_curve_and_net_benefit_have_their_shape(performance):
    assert {"risk", "observed", "low", "high"} == set(performance.calibration_curve["spline"][0])
    assert {"low", "high", "n", "mean_risk", "observed"} == set(performance.calibration_curve["bins"][0])
    assert sum(row["n"] for row in performance.calibration_curve["bins"]) == performance.known
    assert [row["threshold"] for row in performance.net_benefit] == [0.2, 0.4]


def test_the_constant_family_can_be_the_chosen_one(predictions):
    found = assess(predictions, model="base_rate", best_baseline="base_rate")
    assert found.overall["auc"].value == 0.5
    assert found.overall["calibration_slope"].value is None
    assert "same for everybody" in found.not_computed["calibration_slope"]
    assert "itself the best baseline" in found.not_computed["comparison.difference"]
    assert found.comparison["auc_difference"] is None
    assert found.calibration_curve["spline"] == []
    assert len(found.calibration_curve["bins"]) == 1


def test_a_handful_of_events_is_not_enough(predictions):
    ids = predictions.filter(pl.col("outcome") == 1)["entity_id"].unique(maintain_order=True).to_list()[:1]
    rare = predictions.with_columns(
        outcome=pl.when(pl.col("outcome").is_not_null()).then(pl.col("entity_id").is_in(ids).cast(pl.Int8))
    )
    found = assess(rare)
    assert 1 <= found.events < 5
    for name in ("auc", "average_precision", "calibration_slope", "oe_ratio", "eavg"):
        assert "of each are needed" in found.overall[name].reason
        assert name in found.not_computed
    assert found.overall["brier_score"].value is not None
    assert found.overall["base_rate"].low < found.overall["base_rate"].value
    assert f"per_date.{DAYS[0].isoformat()}.auc" in found.not_computed
    assert "families.logistic.auc" in found.not_computed
    assert "comparison.auc_difference" in found.not_computed


def test_a_family_on_other_rows_gets_no_figures(predictions):
    fewer = pl.concat(
        [
            predictions.filter(pl.col("model") != "points"),
            predictions.filter((pl.col("model") == "points") & (pl.col("entity_id") != "p0003")),
        ]
    )
    found = assess(fewer)
    (points,) = [row for row in found.families if row["model"] == "points"]
    assert points["brier_score"].value is None
    assert "points has no predictions" in found.comparison["difference"].reason
    assert "families.points.auc" in found.not_computed
    doubled = pl.concat([fewer, fewer.filter((pl.col("model") == "points") & (pl.col("entity_id") == "p0004"))])
    newcomer = predictions.filter((pl.col("model") == "points") & (pl.col("entity_id") == "p0004")).with_columns(
        entity_id=pl.lit("newcomer")
    )
    for other_rows in (doubled, pl.concat([predictions, newcomer])):
        (points,) = [row for row in assess(other_rows).families if row["model"] == "points"]
        assert points["brier_score"].value is None


def test_an_absent_baseline_is_not_beaten_by_silence(predictions):
    found = assess(predictions, best_baseline="place_only")
    assert found.comparison["difference"].value is None
    assert "place_only has no predictions" in found.not_computed["comparison.difference"]


def test_an_outcome_that_cannot_be_known_is_refused(predictions):
    future_as_zero = predictions.with_columns(outcome=pl.col("outcome").fill_null(0))
    with pytest.raises(DataError, match="rows have an outcome that is not known"):
        assess(future_as_zero)


def test_ranking_places_and_predictions_must_agree(predictions):
    ranking = rank(predictions, "logistic", Capacity(places=PLACES), SEED)
    with pytest.raises(DataError, match="places: none given"):
        assess(predictions, ranking=ranking, places={DAYS[0].isoformat(): PLACES})
    with pytest.raises(DataError, match="rank again"):
        assess(predictions, ranking=ranking, places=dict.fromkeys(ranking.places, PLACES + 1))
    others = predictions.with_columns(risk=pl.col("risk") * 0.9)
    with pytest.raises(DataError, match="are not those of the ranking"):
        assess(others, ranking=ranking)


def test_missing_risk_and_wrong_threshold_are_refused(predictions):
    gap = predictions.with_columns(
        risk=pl.when((pl.col("entity_id") == "p0001") & (pl.col("model") == "logistic")).then(None).otherwise("risk")
    )
    with pytest.raises(DataError, match="risk"):
        assess(gap)
    with pytest.raises(StudyError, match="thresholds"):
        assess(predictions, thresholds=(0.2, 1.0))


def test_to_dict_is_plain_finite_json_and_the_same_every_time(predictions, performance):
    plain = performance.to_dict()
    assert json.dumps(plain, allow_nan=False) == json.dumps(assess(predictions).to_dict(), allow_nan=False)
    assert list(plain["overall"]["auc"]) == ["value", "low", "high", "n"]
    assert isinstance(performance.overall["auc"], Estimate)

    def walk(value):
        if isinstance(value, dict):
            assert "value" not in value or value["value"] is not None or value["reason"]
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        else:
            assert value is None or type(value) in (str, bool, int, float)
            assert not isinstance(value, float) or math.isfinite(value)

    walk(plain)


def test_pooled_dates_are_clustered_by_person(predictions, known):
    """With cluster ids that never repeat the pooled interval is the plain one; by person it is another."""
    apart = predictions.with_columns(cluster_id=pl.col("entity_id") + pl.col("as_of_date").cast(pl.String))
    plain = discrimination.auc(known["outcome"], known["risk"])
    found = assess(apart).overall["auc"]
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert assess(predictions).overall["auc"].low != found.low
