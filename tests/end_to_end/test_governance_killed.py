"""The real commands, killed at random moments, in a workspace with its MLflow: the state is the old or the new one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from riskmodels import commands, storage
from riskmodels.commands.demonstration import example_decision
from riskmodels.governance.chain import read_chain
from riskmodels.governance.champions import champion, previous
from riskmodels.governance.registry import read_index
from riskmodels.workspace import Workspace
from tests.conftest import STUDY, TODAY, Demo

NAME = "early_reading_support"
HEAD = "Head of School Improvement"
ROOT, WARM = Path(__file__).parents[2], Path(__file__).with_name("warm.py")
POLL = 0.001
LATE = TODAY.replace(year=2031)  # all that is due by then
# What changes a study a little, so that another model comes of it.
CHANGES = {"second": "calibrator: isotonic", "third": "calibrator: none"}


@dataclass(frozen=True)
class Shell:
    """A command line that is warm."""

    process: subprocess.Popen[str]
    said: Path

    def start(self, *arguments: object) -> int:
        self.said.unlink(missing_ok=True)
        pipe: IO[str] | None = self.process.stdin
        assert pipe is not None
        pipe.write(json.dumps({"arguments": [str(one) for one in arguments], "said": str(self.said)}) + "\n")
        pipe.flush()
        return int(self._answer())

    def end(self) -> int:
        return int(self._answer())

    def call(self, *arguments: object) -> tuple[int, str]:
        self.start(*arguments)
        return self.end(), self.text()

    def text(self) -> str:
        return self.said.read_text() if self.said.exists() else ""

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@dataclass(frozen=True)
class Place:
    """A workspace in which version 2 is champion and version 1 was, both approved, and what else the acts need."""

    workspace: Workspace
    folder: Path

    def act(self, name: str) -> list[object]:
        by = ["--by", HEAD]
        first, second = f"{NAME}/1", f"{NAME}/2"
        words: dict[str, list[object]] = {
            "run": ["run", self.folder / "third", "--data", self.workspace.data(NAME)],
            "promote": ["promote", first, *by],
            "rollback": ["rollback", NAME, *by, "--reason", "Fewer found"],
            "withdraw": ["withdraw", second, *by, "--reason", "The spring test changed"],
            "record": ["review", "record", second, self.folder / "decision.yaml"],
            "met": ["review", "met", second, "--condition", 1, "--evidence", "Letter of 1 December", *by],
            "purge": ["purge", "--due", *by],
        }
        return [*words[name], *self.where, "--today", LATE if name == "purge" else TODAY]

    @property
    def where(self) -> list[object]:
        return ["--workspace", self.workspace.root]

    @property
    def kinds(self) -> list[str]:
        return [line.act.kind for line in read_chain(self.workspace.reviews(NAME))]

    @property
    def versions(self) -> int:
        return len(read_index(self.workspace)[NAME].versions)

    def copy(self, folder: Path) -> Place:
        shutil.copytree(self.workspace.root, folder / "work")
        return replace(self, workspace=Workspace(folder / "work"))


ACTS = {"run": 3, "promote": 1, "rollback": 1, "withdraw": None, "record": 2, "met": 2, "purge": 2}
LINES = {"promote": "promotion", "rollback": "promotion", "withdraw": "withdrawal", "record": "decision",
         "met": "evidence", "purge": "purge"}  # fmt: skip


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    said = tmp_path_factory.mktemp("shell") / "said"
    with subprocess.Popen(
        [sys.executable, WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Shell(process, said)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def place(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(demo.workspace.root, folder / "work")
    workspace = Workspace(folder / "work")
    for name, change in CHANGES.items():
        shutil.copytree(STUDY, folder / name)
        text = (folder / name / "study.yaml").read_text()
        (folder / name / "study.yaml").write_text(text.replace("calibrator: sigmoid", change))
    found = commands.run(folder / "second", workspace, demo.data, today=TODAY)
    assert found.version == 2
    decision = example_decision(STUDY / "example_decision.yaml", found, TODAY)
    again = {**decision, "meeting": {**decision["meeting"], "minute": "EXAMPLE-AGAIN"}}
    (folder / "decision.yaml").write_bytes(storage.write_yaml(again))
    commands.record_review(f"{NAME}/2", decision, workspace, TODAY)
    commands.promote(f"{NAME}/2", workspace, TODAY, by_role=HEAD)
    first, second = read_index(workspace)[NAME].versions
    assert first.model_sha256 != second.model_sha256
    return Place(workspace, folder)


# ---------------------------------------------------------------- what must hold


def told_by_mlflow(place: Place) -> dict[str, tuple[str, str]]:
    """Each alias of the live model -> the digests of the model and the card that it points at."""
    query = """
        SELECT a.alias, t.key, t.value FROM registered_model_aliases a JOIN model_version_tags t
        ON t.name = a.name AND t.version = a.version WHERE a.name = ? AND t.key IN ('model.sha256', 'card.sha256')
    """
    found: dict[str, dict[str, str]] = {}
    with closing(sqlite3.connect(place.workspace.root / "mlflow.db")) as store:
        for alias, key, value in store.execute(query, (f"{NAME}-live",)):
            found.setdefault(alias, {})[key] = value
    return {alias: (tags["model.sha256"], tags["card.sha256"]) for alias, tags in found.items()}


def said_by_record(place: Place) -> dict[str, tuple[str, str]]:
    chain = read_chain(place.workspace.reviews(NAME))
    reigns = {"champion": champion(chain), "previous": previous(chain)}
    return {alias: reign.digests for alias, reign in reigns.items() if reign is not None}


def is_consistent(shell: Shell, place: Place) -> None:
    code, said = shell.call("models", *place.where, "--today", LATE)
    assert (code, "RECORD BROKEN" in said) == (0, False), said
    code, said = shell.call("review", "verify", *place.where)
    assert code == 0, said
    for entry in read_index(place.workspace)[NAME].versions:
        run = place.workspace.root / entry.folder
        assert storage.sha256((run / "riskmodel" / "manifest.json").read_bytes()) == entry.model_sha256
        assert storage.sha256((run / "card" / "card.json").read_bytes()) == entry.card_sha256


def happened(before: Place, now: Place, act: str) -> bool:
    """Whether the act did; that it did whole or not at all."""
    was, kinds = before.kinds, now.kinds
    assert kinds[: len(was)] == was
    if act == "run":
        assert kinds == was
        assert now.versions in (2, 3)
        return now.versions == 3
    more = kinds[len(was) :]
    assert set(more) <= {LINES[act]}
    assert act == "purge" or len(more) <= 1
    assert now.versions == 2
    assert more or said_by_record(now) == said_by_record(before)
    return bool(more)


def is_done(shell: Shell, before: Place, now: Place, act: str, *, told: bool) -> None:
    """The new state, and that MLflow shows it. ``told``: whether the act itself has ended, and so told it."""
    assert happened(before, now, act)
    reign = champion(read_chain(now.workspace.reviews(NAME)))
    if act in LINES:
        assert (None if reign is None else reign.promotion.version) == ACTS[act]
    if not told:
        code, said = shell.call("tell-mlflow", NAME, *now.where)
        assert code == 0, said
    assert told_by_mlflow(now) == said_by_record(now)
    if act == "run":
        entry = read_index(now.workspace)[NAME].versions[2]
        with closing(sqlite3.connect(now.workspace.root / "mlflow.db")) as store:
            query = "SELECT count(*) FROM model_version_tags WHERE name = ? AND key = 'card.sha256' AND value = ?"
            assert store.execute(query, (NAME, entry.card_sha256)).fetchone() == (1,)


# ---------------------------------------------------------------- when to die


def aims(shell: Shell, now: Place, act: str) -> list[Callable[[], bool]]:
    """Moments at which much is half done."""
    root = now.workspace.root
    head, record = now.workspace.reviews(NAME).with_suffix(".head"), now.workspace.reviews(NAME)
    index, runs = now.workspace.models_index.read_bytes(), len(list(now.workspace.runs(NAME).iterdir()))

    def changes(path: Path) -> Callable[[], bool]:
        before = path.stat().st_mtime_ns, path.stat().st_size
        return lambda: (path.stat().st_mtime_ns, path.stat().st_size) != before

    if act == "run":
        return [
            lambda: len(list(now.workspace.runs(NAME).iterdir())) > runs,  # the folder is being filled, or there
            lambda: now.workspace.models_index.read_bytes() != index,  # registered, and not yet logged
            lambda: "logging to MLflow" in shell.text(),
        ]
    return [
        changes(head), changes(record), changes(root / "mlflow.db"), lambda: "asking MLflow" in shell.text(),
        lambda: (root / "mlflow.db-journal").exists(),
    ]  # fmt: skip


def kill(shell: Shell, child: int, when: Callable[[], bool]) -> bool:
    """Kill it once ``when`` is true; False if it ended before."""
    with suppress(ProcessLookupError):
        while not when():
            os.kill(child, 0)
            time.sleep(POLL)
        os.kill(child, signal.SIGKILL)
    code = shell.end()
    assert code in (0, -signal.SIGKILL), shell.text()
    return code != 0


def some_time_after(root: Path, name: str, seconds: float) -> Callable[[], bool]:
    """So long after a file of this name is there."""
    seen: list[float] = []

    def when() -> bool:
        if not seen and any(root.glob(name)):
            seen.append(time.monotonic())
        return bool(seen) and time.monotonic() > seen[0] + seconds

    return when


def moment(draw: np.random.Generator, shell: Shell, now: Place, act: str, seconds: float) -> Callable[[], bool]:
    if draw.random() < 0.5:
        possible = aims(shell, now, act)
        return possible[int(draw.integers(len(possible)))]
    end = time.monotonic() + draw.uniform(0.1, 1.05) * seconds
    return lambda: time.monotonic() > end


@pytest.mark.slow
def test_killed_at_random_every_act_happens_whole_or_not_at_all(
    shell: Shell, place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seconds: dict[str, float] = {}
    names, ends = list(ACTS), []
    for seed in range(50 if request.config.getoption("--full") else 8):
        draw, act = np.random.default_rng([seed, 8]), names[seed % len(names)]
        if act not in seconds:
            alone = place.copy(tmp_path / "alone")
            began = time.monotonic()
            code, said = shell.call(*alone.act(act))
            assert code == 0, said
            seconds[act] = time.monotonic() - began
            is_done(shell, place, alone, act, told=True)
            shutil.rmtree(tmp_path / "alone")
        now = place.copy(tmp_path / f"{seed}")
        when = moment(draw, shell, now, act, seconds[act])
        died = kill(shell, shell.start(*now.act(act)), when)
        is_consistent(shell, now)
        was_done = happened(place, now, act)
        ends.append((act, died, was_done))
        # Nobody tidies up; what was not done is done now, and what was may be done again, but for going back.
        told = not died
        if not (was_done and act in ("rollback", "record")):
            code, said = shell.call(*now.act(act))
            assert code == (6 if was_done and act in ("withdraw", "met") else 0), (seed, act, said)
            told = code == 0 or act == "withdraw"
        is_done(shell, place, now, act, told=told)
        is_consistent(shell, now)
        shutil.rmtree(tmp_path / f"{seed}")
    assert any(died for _, died, _ in ends), ends


@pytest.mark.slow
def test_killed_while_its_store_is_made_the_first_run_leaves_none_or_a_whole_one(
    shell: Shell, place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """MLflow makes its tables one by one, and never mends a database that has only some of them."""
    now = place.copy(tmp_path / "first")
    root = now.workspace.root
    for seed in range(12 if request.config.getoption("--full") else 2):
        (root / "mlflow.db").unlink(missing_ok=True)
        shutil.rmtree(root / "mlartifacts", ignore_errors=True)
        child = shell.start(*now.act("run"))
        kill(shell, child, some_time_after(root, ".mlflow.db.*.part", np.random.default_rng([seed, 9]).uniform(0, 2)))
        code, said = shell.call(*now.act("run"))
        assert code == 0, said
        assert list(root.glob(".mlflow.db.*.part*")) == []
        assert now.versions == 3
