"""The pieces of the training and quality benchmarks on a few people: what is timed must be what is said."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    quality,
    quality_boosting,
    quality_data,
    quality_flaml,
    training,
    training_data,
    training_figures,
    training_fits,
    training_folds,
    training_run,
)
from riskmodels.assessment.estimate import Estimate
from riskmodels.study import LightGBMSettings, load_study

pytestmark = pytest.mark.slow

SMALL = training_data.DATES[-4:]
PEOPLE = 300


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The rows of a small bench, as the children of both benchmarks read them."""
    folder = tmp_path_factory.mktemp("bench")
    study, data = training_data.write_bench(folder, PEOPLE, SMALL)
    out = str(folder / "kept")
    counts = training_data.keep(str(study), str(data), out)
    assert counts["columns"] == 108
    quality_data.keep(str(study), out, str(data))
    return out


# ---------------------------------------------------------------- training


def test_the_study_has_one_candidate_with_the_package_s_own_settings(tmp_path: Path) -> None:
    study, _ = training_data.write_bench(tmp_path, 20, SMALL)
    families = load_study(study).file.models.families
    assert list(families) == ["base_rate", "single_best_column", "points", "lightgbm"]
    assert families["lightgbm"] == LightGBMSettings() == training_data.SETTINGS


def test_the_plain_fit_has_the_rows_that_we_fit_and_calibrate_on(kept: str) -> None:
    found, given = training_data.kept(kept), np.load(Path(kept) / training_data.MATRIX)
    split = found.splits.origins[-1]
    taught = found.data.cohort.rows["as_of_date"].is_in(list(split.fit))
    known = found.data.learned_at(split)["outcome"].is_not_null()
    assert len(given["values"]) == len(given["outcome"]) == int((taught & known).sum())
    assert given["outcome"].sum() == found.data.learned_at(split)["outcome"].filter(taught & known).sum()


def test_every_side_that_fits_tells_people_apart(kept: str) -> None:
    ours, plain = training_fits.ours(kept), training_fits.plain(kept, repeatable=True)
    others = [plain, training_fits.plain(kept, repeatable=False), training_fits.cross_fitted(kept)]
    assert all(0.55 < side["auc"] < 0.95 for side in (ours, *others))
    assert set(ours["steps"]) == {"matrix", "fit", "predict"}
    assert all(seconds > 0 for side in (ours, *others) for seconds in side["steps"].values())


def test_a_peer_that_ranks_otherwise_is_refused() -> None:
    training.refuse_other_aucs({"ours": 0.800, "peer": 0.8029})
    with pytest.raises(training.OtherAnswerError, match=r"peer has an AUC of 0\.8040"):
        training.refuse_other_aucs({"ours": 0.800, "peer": 0.804})


def test_folds_that_share_a_binning_lose_as_much(kept: str) -> None:
    shared, anew = (side(kept, trials=1) for side in (training_folds.shared, training_folds.anew))
    assert np.shape(shared["losses"]) == np.shape(anew["losses"])
    assert np.abs(np.subtract(shared["losses"], anew["losses"])).max() < 0.02


def test_figures_are_those_of_scikit_learn_and_the_formulas(tmp_path: Path) -> None:
    plainly = training_figures.said_plainly(4_000)["told"]
    study, _ = training_data.write_bench(tmp_path, 20, SMALL)
    assessed = training_figures.assessed(4_000, str(study))
    assert training_figures.other_figures(training_figures.evaluated(4_000)["told"], plainly) == []
    assert training_figures.other_figures(assessed["told"], plainly) == []
    assert assessed["selected"] == 200
    assert training_figures.other_figures({**plainly, "brier": plainly["brier"] * (1 + 1e-6)}, plainly) == ["brier"]


def test_a_step_does_not_count_the_steps_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock goes on by what each function says it costs: backtest 1, the fit inside it 10, another step 2.
    now = [0.0]
    monkeypatch.setattr(training_run.time, "process_time", lambda: now[0])

    def spend(seconds: float) -> None:
        now[0] += seconds

    clock = training_run.Exclusive()
    fit = clock.timed("fit_recipe", lambda: spend(10.0))
    clock.timed("backtest", lambda: (spend(1.0), fit()))()
    clock.timed("audit", lambda: (spend(2.0), fit()))()
    assert clock.spent == {
        ("backtest", "fit_recipe"): 10.0, ("backtest", "backtest"): 1.0, ("audit", "fit_recipe"): 10.0,
        ("audit", "audit"): 2.0,
    }  # fmt: skip
    # The fit that a later step asks for is that step's.
    assert training_run.parts(clock.spent) == {
        "before": {}, "fits": {"fit_recipe": 10.0}, "after": {"backtest": 1.0, "audit": 12.0}
    }  # fmt: skip


# ---------------------------------------------------------------- quality


def test_everybody_has_the_same_rows(kept: str) -> None:
    given = dict(np.load(Path(kept) / quality_data.ARRAYS))
    answer = quality_data.ours(kept, minutes=1e-6)
    assert answer["tried"] == {"lightgbm": 1}  # the study's own settings, whatever the budget
    risk = quality.our_risk(Path(kept), given)
    assert risk.shape == given["outcome"].shape == given["cluster"].shape
    assert math.isclose(float(risk.mean()), float(given["outcome"].mean()), abs_tol=0.1)


def test_other_rows_are_refused(kept: str, tmp_path: Path) -> None:
    outcome = np.array([0, 1, 0])
    np.savez(tmp_path / quality_data.OURS, risk=np.array([0.1, 0.2, 0.3]), outcome=outcome[::-1] + 1)
    with pytest.raises(quality.OtherAnswerError, match="not those"):
        quality.our_risk(tmp_path, {"outcome": outcome})


def test_a_random_search_stops_at_its_budget_and_scores_every_row(kept: str) -> None:
    answer = quality_boosting.search(kept, 1.0, quality_data.ARRAYS, "hist.npz")
    given, scores = (dict(np.load(Path(kept) / name)) for name in (quality_data.ARRAYS, "hist.npz"))
    assert answer["tried"] >= 1
    assert len(scores["calibrate_0"]) == len(given["calibrate_outcome_0"])
    risk = quality.calibrated(scores, given)
    assert risk.shape == given["outcome"].shape
    assert ((risk > 0) & (risk < 1)).all()


def test_settings_are_drawn_within_their_ranges() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        settings = quality_boosting.drawn(rng, 1_000)
        assert 0.01 <= settings["learning_rate"] <= 0.2
        assert 4 <= settings["max_leaf_nodes"] <= 63
        assert 10 <= settings["min_samples_leaf"] <= 100  # a tenth of the rows


def test_a_column_that_is_missing_everywhere_is_left_out() -> None:
    rng = np.random.default_rng(2)
    values = np.column_stack([rng.random(200), np.full(200, np.nan), np.ones(200)])
    outcome = (values[:, 0] > 0.5).astype(np.int8)
    score = quality_boosting.fitted(quality_boosting.own(), np.zeros(3, dtype=bool), values, outcome)
    told = score(np.array([[0.9, 7.0, np.nan], [0.1, np.nan, 1.0]]))
    assert told[0] > 0 > told[1]


def test_flaml_is_given_columns_without_codes_or_gaps() -> None:
    fit = np.array([[1.0, 0.0], [3.0, 1.0], [np.nan, np.nan], [5.0, 1.0]])
    given = {"fit_values_0": fit, "test_values_0": np.array([[np.nan, 1.0]]), "categories_0": np.array([0, 2])}
    # The number, whether it is missing, and a column for each of the two values; the median of 1, 3, 5 is 3.
    assert quality_flaml.widened(given, "test", 0).tolist() == [[3.0, 1.0, 0.0, 1.0]]
    assert quality_flaml.widened(given, "fit", 0)[2].tolist() == [3.0, 1.0, 0.0, 0.0]


def test_a_difference_is_ours_less_the_peer_s_and_judged_by_its_whole_interval() -> None:
    outcome = np.tile([0.0, 0.0, 0.0, 1.0], 100)
    better, worse = np.where(outcome == 1, 0.6, 0.2), np.tile([0.5, 0.3, 0.2, 0.4], 100)
    clusters = np.arange(400)
    # Brier: 0.25 * 0.16 + 0.75 * 0.04 = 0.07, and (0.25 + 0.09 + 0.04 + 0.36) / 4 = 0.185.
    mine, theirs, difference = quality.compare("Brier score", outcome, better, worse, clusters)
    assert (mine, theirs, difference.value) == (pytest.approx(0.07), pytest.approx(0.185), pytest.approx(-0.115))
    assert quality.at_least_equal("Brier score", difference)
    assert not quality.at_least_equal(
        "Brier score", quality.compare("Brier score", outcome, worse, better, clusters)[2]
    )
    # AUC: 1 against 2 of 3.
    _, _, difference = quality.compare("AUC", outcome, better, worse, clusters)
    assert difference.value == pytest.approx(1 / 3)
    assert quality.at_least_equal("AUC", difference)
    assert not quality.at_least_equal("AUC", quality.compare("AUC", outcome, worse, better, clusters)[2])
    assert quality.at_least_equal("AUC", Estimate(0.1, reason="no interval")) is None


def test_flaml_is_skipped_with_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FLAML_PYTHON", raising=False)
    monkeypatch.setattr(quality.importlib.util, "find_spec", lambda name: None)
    assert quality.flaml_python() is None
    assert "skipped" in capsys.readouterr().out
    monkeypatch.setenv("FLAML_PYTHON", "/somewhere/python")
    assert quality.flaml_python() == "/somewhere/python"


# ---------------------------------------------------------------- whole


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", [training.benchmark, quality.benchmark])
def test_a_quick_run_finishes_and_judges_nothing(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "flaml_python", lambda: None)
    rows = benchmark(argparse.Namespace(quick=True, only=[], threads=None, repeats=None))
    assert len(rows) >= 2
    assert [row.note for row in rows if row.goal == "finishes"] == []
    assert all(row.holds is None for row in rows)
