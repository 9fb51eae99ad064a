"""The real command, killed at any moment and resumed; on a disk that is full; twice on one output."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from riskmodels.service.batch import folder_beside, working_beside
from riskmodels.workspace import Workspace
from tests.end_to_end.served import NAME, SCORED_ON, TODAY, Served, call, refused, text_of

EARLIER = b"the list of last month"
PARTS, ROWS = 12, 3_000
PHASES = (
    "reading the cohort", "scoring", "scored:", "explained:", "writing the list", "decisions", "publishing", "logging",
)  # fmt: skip
POLL = 0.002


@dataclass(frozen=True)
class Case:
    """A cohort in parts and what an undisturbed run makes of it. ``seconds``: how long that takes after its start."""

    county: Served
    folder: Path
    expected: dict[str, bytes]
    record: dict[str, bytes]
    seconds: float

    def command(self, output: Path, workspace: Workspace, threads: int, *, resume: bool = False) -> list[str]:
        words = [
            "score", NAME, self.folder / "parts", "--as-of", SCORED_ON, "--exclude", self.folder / "objected.csv",
            "--output", output, "--explain", "all", "--threads", threads, "--workspace", workspace.root,
            "--today", TODAY, *(["--resume"] if resume else []),
        ]  # fmt: skip
        return [sys.executable, "-m", "riskmodels", *map(str, words)]

    def start(self, output: Path, workspace: Workspace, threads: int, *, resume: bool = False) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(output, workspace, threads, resume=resume), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip


def made_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for what a run keeps while it works. A workbook says when it was made: its text."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): text_of(path).encode() if path.suffix == ".xlsx" else path.read_bytes()
        for path in paths
    }


def fresh(case_county: Served, folder: Path) -> Workspace:
    """The workspace without any batch."""
    root = Path(shutil.copytree(case_county.workspace.root, folder, ignore=shutil.ignore_patterns("batches", "cache")))
    return Workspace(root)


@pytest.fixture(scope="module")
def case(county: Served, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("killed")
    (folder / "parts").mkdir()
    some = county.matrix(600)
    for number in range(PARTS):
        ids = pl.format("{}-{}", pl.int_range(pl.len()) + number * ROWS, "entity_id").alias("entity_id")
        part = pl.concat([some] * (ROWS // some.height)).with_columns(ids)
        # Some cannot be scored, and some stand twice, in other parts too.
        part = part.with_columns(
            pl.when(pl.int_range(pl.len()) % 211 == 7).then(float("inf")).otherwise("days_absent").alias("days_absent"),
            pl.when(pl.int_range(pl.len()) % 499 == 3).then(pl.lit("twin")).otherwise("entity_id").alias("entity_id"),
        )
        part.write_parquet(folder / "parts" / f"{number:02d}.parquet")
    (folder / "objected.csv").write_text(f"entity_id\n{part['entity_id'][1]}\n")
    workspace = fresh(county, folder / "work")
    case = Case(county, folder, {}, {}, 0.0)
    (folder / "alone").mkdir()
    began = time.monotonic()
    child = case.start(folder / "alone" / "list.parquet", workspace, 2)
    _, said = child.communicate()
    assert child.returncode == 0, said
    seconds = time.monotonic() - began
    return Case(county, folder, made_of(folder / "alone"), made_of(workspace.root / "batches"), seconds)


def killed(child: subprocess.Popen[str], when: Callable[[], bool]) -> None:
    """Kill it once ``when`` is true, unless it ends before."""
    while child.poll() is None and not when():
        time.sleep(POLL)
    child.send_signal(signal.SIGKILL)
    child.communicate()


def moment(draw: np.random.Generator, case: Case, output: Path) -> Callable[[], bool]:
    """A moment to die: at any time, or while files take their places."""
    if draw.random() < 0.3:
        note, before = folder_beside(output) / "publishing.json", draw.random() < 0.5
        ready = [folder_beside(output) / name for name in ("decisions", "columns", "record")]
        return note.exists if before else ready[int(draw.integers(len(ready)))].exists
    end = time.monotonic() + draw.uniform(0.15, 1.05) * case.seconds
    return lambda: time.monotonic() > end


def killed_and_resumed(case: Case, folder: Path, seed: int, kills: int) -> None:
    draw = np.random.default_rng([seed, 6])
    workspace, out = fresh(case.county, folder / "work"), folder / "out"
    out.mkdir(parents=True)
    output = out / "list.parquet"
    output.write_bytes(EARLIER)
    for round_ in range(kills):
        child = case.start(output, workspace, int(draw.integers(1, 3)), resume=round_ > 0)
        killed(child, moment(draw, case, output))
        # The earlier list, or the new one with all that goes before it.
        assert output.read_bytes() in (EARLIER, case.expected["list.parquet"]), seed
        if output.read_bytes() != EARLIER:
            standing = made_of(out)
            assert {name: standing.get(name) for name in case.expected} == case.expected, seed
    last = case.start(output, workspace, int(draw.integers(1, 3)), resume=True)
    _, said = last.communicate()
    assert last.returncode == 0, (seed, said)
    assert made_of(out) == case.expected, seed
    assert made_of(workspace.root / "batches") == case.record, seed


@pytest.mark.slow
def test_killed_twice_and_resumed_it_is_the_same(case: Case, tmp_path: Path) -> None:
    killed_and_resumed(case, tmp_path, 0, kills=2)


@pytest.mark.slow
def test_killed_many_times_it_is_the_same(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for seed in range(50 if request.config.getoption("--full") else 8):
        killed_and_resumed(case, tmp_path / str(seed), 100 + seed, kills=1 + seed % 2)
        shutil.rmtree(tmp_path / str(seed))


@pytest.mark.slow
@pytest.mark.parametrize("words", PHASES)
def test_killed_in_every_phase_it_is_the_same(case: Case, tmp_path: Path, words: str) -> None:
    """As soon as the command says that it has come to it."""
    workspace, out = fresh(case.county, tmp_path / "work"), tmp_path / "out"
    out.mkdir()
    output = out / "list.parquet"
    output.write_bytes(EARLIER)
    child = case.start(output, workspace, 2)
    work = folder_beside(output)
    if words == "publishing":
        killed(child, (work / "publishing.json").exists)
    elif words == "decisions":
        # While a sheet is half written; what is left of it must not take its place with the others.
        killed(child, lambda: any(work.glob("decisions/.*.part")))
        (work / "decisions" / ".decisions-north.xlsx.left.part").touch()
    else:
        assert child.stderr is not None
        for line in child.stderr:
            if words in line:
                break
        child.kill()
        child.communicate()
    last = case.start(output, workspace, 1, resume=True)
    _, said = last.communicate()
    assert last.returncode == 0, said
    assert made_of(out) == case.expected
    assert made_of(workspace.root / "batches") == case.record


def test_an_output_that_is_being_written(county: Served, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(EARLIER)
    (tmp_path / "objected.csv").write_text("entity_id\n")
    county.matrix(40).write_parquet(tmp_path / "cohort.parquet")
    with working_beside(tmp_path / "list.csv", False, lambda said: None) as work:
        (work / "plan.json").write_text("of the first")
        for resume in ([], ["--resume"]):
            called = call(
                county.workspace, "score", NAME, tmp_path / "cohort.parquet", "--as-of", SCORED_ON, "--output",
                tmp_path / "list.csv", "--exclude", tmp_path / "objected.csv", "--capacity", "north=2", *resume,
            )  # fmt: skip
            refused(called, 7, "another run is writing this output")
        assert (work / "plan.json").read_text() == "of the first"
    assert (tmp_path / "list.csv").read_bytes() == EARLIER


@pytest.mark.slow
def test_two_runs_on_one_output(case: Case, tmp_path: Path) -> None:
    """The second is told, with exit 7; the first is unharmed."""
    workspace = fresh(case.county, tmp_path / "work")
    output = tmp_path / "out" / "list.parquet"
    output.parent.mkdir()
    first = case.start(output, workspace, 1)
    while first.poll() is None and not folder_beside(output).exists():
        time.sleep(POLL)
    second = case.start(output, workspace, 1, resume=True)
    _, said = second.communicate()
    assert first.poll() is None
    assert second.returncode == 7
    assert "another run is writing this output" in said.splitlines()[-1]
    _, said = first.communicate()
    assert first.returncode == 0, said
    assert made_of(output.parent) == case.expected
    assert made_of(workspace.root / "batches") == case.record


@pytest.mark.slow
def test_a_disk_that_is_full(case: Case, tmp_path: Path) -> None:
    """One line; the earlier list stands; with more room, --resume goes on."""
    (tmp_path / "disk").mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(tmp_path / "disk")]
    if subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("a disk of one's own needs more rights than this user has")
    try:
        workspace = fresh(case.county, tmp_path / "work")
        output = tmp_path / "disk" / "list.parquet"
        output.write_bytes(EARLIER)
        child = case.start(output, workspace, 2)
        out, said = child.communicate()
        assert child.returncode == 7, said
        assert "the disk is full; make room, then run again with --resume" in said.splitlines()[-1]
        assert out == ""
        assert output.read_bytes() == EARLIER
        assert [path.name for path in sorted(output.parent.iterdir())] == [".list.parquet.work", "list.parquet"]
        subprocess.run(["mount", "-o", "remount,size=200m", str(tmp_path / "disk")], check=True)
        child = case.start(output, workspace, 2, resume=True)
        _, said = child.communicate()
        assert child.returncode == 0, said
        assert "going on" in said
        assert made_of(output.parent) == case.expected
    finally:
        subprocess.run(["umount", str(tmp_path / "disk")], check=True)
