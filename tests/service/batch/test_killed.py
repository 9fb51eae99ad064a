"""A run that is killed at any moment, and resumed, ends in the same bytes as one that was left alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from riskmodels.errors import OutsideError
from riskmodels.service.batch import folder_beside, working_beside
from tests.data.small_study import BASE
from tests.models.planted import make_world
from tests.service.batch.cohorts import RULES, cohort

CHILD = Path(__file__).with_name("child.py")
EARLIER = b"the list of last month"


@dataclass(frozen=True)
class Case:
    """What a child is given, what it makes when it is left alone, and how long that takes once it is ready."""

    folder: Path
    expected: tuple[bytes, bytes]
    seconds: float


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("case")
    (folder / "model").mkdir()
    for name, content in make_world().model("logistic", "venn_abers").to_files().items():
        (folder / "model" / name).write_bytes(content)
    cohort(6_000, 3, different=500, doubled=100, rejected=0.05).write_parquet(folder / "rows.parquet")
    (folder / "study.json").write_text(json.dumps({**BASE, "service_rules": RULES}, default=str))
    child = start(folder, folder / "alone.list", 2)
    began = time.monotonic()
    assert child.wait() == 0
    return Case(folder, files(folder / "alone.list"), time.monotonic() - began)


def start(folder: Path, output: Path, threads: int, *, resume: bool = False) -> subprocess.Popen[bytes]:
    """A child that has loaded everything."""
    command = [sys.executable, str(CHILD), str(folder), str(output), str(threads), "resume" if resume else "anew"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        assert said.readline() == b"ready\n"
    return child


def files(output: Path) -> tuple[bytes, bytes]:
    return output.read_bytes(), output.with_suffix(".rejects").read_bytes()


def killed_and_resumed(case: Case, folder: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    output = folder / "out.list"
    for earlier in (output, output.with_suffix(".rejects")):
        earlier.write_bytes(EARLIER)
    resume = False
    for _ in range(draw.integers(1, 4)):
        child = start(case.folder, output, int(draw.integers(1, 3)), resume=resume)
        time.sleep(draw.uniform(0, 1.1 * case.seconds))
        child.kill()
        child.wait()
        # The earlier list stands, or the new one; if the new one, its rejects took their place before it.
        assert output.read_bytes() in (EARLIER, case.expected[0])
        if output.read_bytes() != EARLIER:
            assert files(output) == case.expected
        resume = True
    assert start(case.folder, output, int(draw.integers(1, 3)), resume=True).wait() == 0
    assert files(output) == case.expected
    assert not folder_beside(output).exists()
    assert sorted(path.name for path in folder.iterdir()) == ["out.list", "out.rejects"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_killed_and_resumed_it_is_the_same(case: Case, tmp_path: Path, seed: int) -> None:
    killed_and_resumed(case, tmp_path, seed)


@pytest.mark.slow
def test_killed_many_times_it_is_the_same(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for seed in range(50 if request.config.getoption("--full") else 8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        killed_and_resumed(case, folder, 100 + seed)


def test_two_runs_on_one_output_and_the_second_is_told(case: Case, tmp_path: Path) -> None:
    output = tmp_path / "out.list"
    said = "another run is writing this output"
    with working_beside(output, False, lambda said: None):
        command = [sys.executable, str(CHILD), str(case.folder), str(output), "1", "anew"]
        second = subprocess.run(command, capture_output=True, check=False)
        assert second.returncode != 0
        assert said in second.stderr.decode()
        with pytest.raises(OutsideError, match=said), working_beside(output, True, lambda said: None):
            pass
    assert sorted(tmp_path.iterdir()) == []
