"""How stable the list is, whether more data would help, what each source adds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.calibration_effect import calibration_effect
from riskmodels.assessment.deep import look_deeper
from riskmodels.assessment.stability import assess_stability, learning_curve
from riskmodels.cards.deep_tables import NOT_RUN, deep_tables, deep_words
from riskmodels.cards.words import language_of
from riskmodels.models.ranking import rank
from riskmodels.models.refits import BootstrapRefits
from riskmodels.models.training import backtest
from tests.models.made_dataset import a_dataset, a_study, the_splits


def refits(risk: np.ndarray, *, reasons: np.ndarray | None = None, own: np.ndarray | None = None) -> BootstrapRefits:
    n = risk.shape[1]
    outcome = [1, 0] * (n // 2)
    rows = pl.DataFrame({"entity_id": [f"p{i}" for i in range(n)], "outcome": outcome}).cast({"outcome": pl.Int8})
    none = np.full((len(risk), 0, 3), -1)
    return BootstrapRefits(
        rows, risk, risk, ("points",) * len(risk), none if reasons is None else reasons,
        np.full((0, 3), -1) if own is None else own, np.arange(0), True, 0,
    )  # fmt: skip


def test_overlap_by_hand():
    """Ten people, two places: p0 and p1. Four refits keep both, one keeps p0 and takes p2: (4 * 2 + 1) / 10 = 0.9."""
    kept = np.linspace(0.9, 0.1, 10)
    swapped = kept.copy()
    swapped[[1, 2]] = swapped[[2, 1]]
    found = assess_stability(refits(np.array([kept] * 4 + [swapped])), np.arange(10) < 2, kept, seed=1)
    assert not isinstance(found, str)
    assert found.overlap["mean"] == pytest.approx(0.9)
    assert found.firm == pytest.approx(0.5)  # p0 is on all lists, p1 on 4 of 5
    assert found.chance == pytest.approx(0.2)
    # Two risks of ten move, by the gap of one place (0.8 / 9), in one refit of five.
    assert found.risk_shift["all"] == pytest.approx(2 * 0.8 / 9 / 10 / 5)
    assert found.risk_shift["listed"] == pytest.approx(0.8 / 9 / 2 / 5)


def test_reasons_by_hand():
    """One of two people keeps the first reason among the first three in every refit, the other in none: one half."""
    own = np.array([[4, 1, 2], [3, -1, -1]])
    reasons = np.array([[[1, 4, 0], [0, 1, 2]]] * 5)
    risk = np.tile(np.linspace(0.9, 0.1, 10), (5, 1))
    found = assess_stability(refits(risk, reasons=reasons, own=own), np.arange(10) < 2, risk[0], seed=1)
    assert not isinstance(found, str)
    assert found.reasons == pytest.approx(0.5)


def test_too_few_refits_say_so():
    risk = np.tile(np.linspace(0.9, 0.1, 10), (4, 1))
    assert assess_stability(refits(risk), np.arange(10) < 2, risk[0], seed=1) == (
        "only 4 of 4 draws had enough cases to fit on"
    )


def test_a_learning_curve_averages_the_repeats_of_a_share():
    rows = learning_curve(
        [
            {"share": 0.5, "events": 10, "brier_score": 0.2, "auc": 0.6},
            {"share": 0.5, "events": 12, "brier_score": 0.1, "auc": None},
            {"share": 1.0, "events": 20, "brier_score": 0.1, "auc": None},
        ]
    )
    assert rows[0] == {
        "share": 0.5, "events": 11, "brier_score": pytest.approx(0.15), "auc": 0.6, "repeats": 2,
    }  # fmt: skip
    assert rows[1]["auc"] is None


@pytest.fixture(scope="module")
def deep():
    study, data = a_study(), a_dataset(people=1200)
    splits = the_splits(study)
    ranking = rank(backtest(data, splits, study).frame, "logistic", study.capacity, study.seed)
    return look_deeper(data, splits, ranking, study, replicates=6), study


def test_the_source_that_tells_much_is_missed_and_the_idle_one_is_not(deep):
    found, _ = deep
    missed = {row["source"]: row["missed"] for row in found.sources}
    assert missed["school"]
    assert not missed["housing"]
    cost = {row["source"]: row["cost"].value for row in found.sources}
    assert cost["school"] > 10 * abs(cost["housing"])


def test_more_people_made_the_ranking_better_and_the_list_overlaps_more_than_by_chance(deep):
    found, _ = deep
    assert found.learning[0]["events"] < found.learning[-1]["events"]
    assert found.stability.overlap["mean"] > 5 * found.stability.chance
    assert not found.not_computed


def test_people_whose_past_was_kept_from_it_are_ranked_as_well(deep):
    """Three features tell nothing of who somebody is, so the paired difference is next to nothing."""
    found, _ = deep
    assert abs(found.grouped["auc_cost"].value) < 0.01


def test_the_card_says_it_in_words_and_tables(deep):
    found, study = deep
    language = language_of(study)
    plain = found.to_dict()  # with estimates as the card has them
    plain["sources"] = [_plain(row) for row in plain["sources"]]
    plain["grouped"] = _plain(plain["grouped"])
    plain["doubling"] = plain["doubling"].to_dict()
    words = " ".join(deep_words(plain, language, None))
    assert "Of 100 places on the list" in words
    assert "Could less data be used?" in words
    assert set(deep_tables(plain, language, None)) == {"stability", "learning", "sources"}
    assert deep_words(None, language, None) == (NOT_RUN,)
    assert deep_tables(None, language, None) == {}


def _plain(row):
    return {name: value.to_dict() if hasattr(value, "to_dict") else value for name, value in row.items()}


def test_without_a_second_source_it_says_so():
    study = a_study()
    data = a_dataset()
    specs = tuple(spec.__class__(**{**spec.__dict__, "source": "one"}) for spec in data.features.specs)
    data = data.__class__(
        data.cohort, data.features.__class__(data.features.frame, specs), data.outcomes, data.outcomes_at
    )
    splits = the_splits(study)
    ranking = rank(backtest(data, splits, study).frame, "points", study.capacity, study.seed)
    found = look_deeper(data, splits, ranking, study, replicates=1)
    assert found.not_computed["sources"] == "all features come from one source"
    assert found.not_computed["stability"].startswith("only 1 of 1")


# ---------------------------------------------------------------- calibration


def test_calibration_is_shown_before_and_after():
    """Scores twice too large: the slope is 1/2 before, and 1 after they are halved."""
    rng = np.random.default_rng(2)
    truth = rng.normal(-1, 1, 20_000)
    outcome = (rng.random(20_000) < 1 / (1 + np.exp(-truth))).astype(float)
    rows = {
        row["measure"]: row
        for row in calibration_effect(outcome, 1 / (1 + np.exp(-truth)), 2 * truth, None, log_odds=True)
    }
    slope = rows["calibration_slope"]
    assert slope["before"].value == pytest.approx(slope["after"].value / 2, rel=1e-4)  # two fits, to their tolerance
    assert slope["after"].low < 1 < slope["after"].high
    assert rows["brier_score"]["after"].value < rows["brier_score"]["before"].value


def test_points_have_no_risk_before_calibration():
    rows = calibration_effect(np.array([0.0, 1.0]), np.array([0.2, 0.7]), np.array([1.0, 5.0]), None, log_odds=False)
    assert all(row["before"].value is None and "points" in row["before"].reason for row in rows)


def test_where_nobody_is_told_apart_nothing_is_said_of_stability():
    study, data = a_study(), a_dataset()
    splits = the_splits(study)
    ranking = rank(backtest(data, splits, study).frame, "base_rate", study.capacity, study.seed)
    found = look_deeper(data, splits, ranking, study, replicates=5)
    assert found.stability is None
    assert found.grouped is None
    assert set(found.not_computed) == {"stability", "learning", "sources", "grouped"}
