"""The sides of the kernel's benchmark on a few rows: what is timed must be what is said."""

from __future__ import annotations

import argparse

import pytest

from benchmarks import scoring_kernel, scoring_kernel_sides
from benchmarks.measure import Cost

SIZES = {"columns": 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("boosters"))
    answer = scoring_kernel_sides.fit(folder, "small", leaves=31, trees=6, rows=1_500, **SIZES)
    assert 5 < answer["depth"] <= answer["deepest"] <= 30
    return folder


def test_our_side_is_held_to_lightgbm(folder: str) -> None:
    answer = scoring_kernel_sides.ours(folder, "small", rows=450, check=True, **SIZES)
    assert answer["told"] is None
    assert answer["apart"] < 1e-11
    assert list(answer["steps"]) == ["build", "score", "explain"]


def test_peers_do_the_steps_that_are_compared(folder: str) -> None:
    answer = scoring_kernel_sides.lightgbm_itself(folder, "small", rows=200, explained=20, **SIZES)
    assert list(answer["steps"]) == ["score", "explain"]
    assert scoring_kernel_sides.with_shap(folder, "small", explained=20, **SIZES)["apart"] < 1e-11
    answer = scoring_kernel_sides.with_onnx(folder, "small", rows=20, **SIZES)
    assert "missing" in answer or answer["steps"]
    answer = scoring_kernel_sides.one_and_two(folder, "small", rows=9_000, times=1, **SIZES)
    assert answer["same"]


def test_another_answer_stops_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Cost(1.0, 1.0, 1.0, {"told": "raw scores are not LightGBM's to the bit", "steps": {}})
    monkeypatch.setattr(scoring_kernel, "run", lambda *_, **__: wrong)
    with pytest.raises(scoring_kernel.OtherAnswerError, match="to the bit"):
        scoring_kernel.held(scoring_kernel.Bench(), "any")


def test_a_part_that_is_not_there_is_refused() -> None:
    options = argparse.Namespace(quick=True, repeats=None, only=["nothing"])
    with pytest.raises(SystemExit, match="no part is called 'nothing'"):
        scoring_kernel.benchmark(options)


def test_what_was_measured_on_fewer_rows_is_scaled() -> None:
    (cost,) = scoring_kernel.scaled([Cost(2.0, 1.0, 5.0, None)], 10.0)
    assert (cost.cpu_s, cost.work_s, cost.peak_mb) == (20.0, 10.0, 5.0)
