"""Commands called in a process whose every folder is a test's own, and what that process leaves behind."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tests.canaries import planted, seen
from tests.canaries.county import TODAY, write_data, write_given, write_registered_study

DRIVER = Path(__file__).with_name("driver.py")

LEFT_OPEN = 0o077


def made(root: Path) -> Town:
    """A town with all that is handed in, before any command is called."""
    town = Town(root)
    ids = write_data(town.data)
    write_registered_study(town.study)
    write_given(town.given, ids)
    return town


def step(name: str, *argv: object, **more: Any) -> dict[str, Any]:
    return {"name": name, "argv": [str(word) for word in argv], **more}


@dataclass
class Town:
    """Where everything stands. ``root`` holds nothing but what is named here."""

    root: Path
    codes: dict[str, int] = field(default_factory=dict)
    # What others could read or write while a process of ours worked -> with which permissions.
    open_once: dict[Path, int] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "given" / "data"

    @property
    def given(self) -> Path:
        return self.root / "given"

    @property
    def study(self) -> Path:
        return self.given / "study"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def said(self) -> Path:
        return self.root / "said"

    @property
    def watched(self) -> tuple[Path, ...]:
        """All that a command of ours may write to."""
        return self.work, self.out, *(self.root / name for name in ("tmp", "home", "cwd"))

    def at(self, command: str, *argv: object) -> tuple[object, ...]:
        """A command that works in this workspace, on this day."""
        return command, *argv, "--workspace", self.work, "--today", TODAY.isoformat()

    def call(self, *steps: Mapping[str, Any], umask: int = 0o000, **variables: str) -> dict[str, int]:
        """Call the commands in one new process, and watch its folders until it ends: name of step -> exit code."""
        for folder in (*self.watched, self.said):
            if folder != self.work:  # it is ours to make
                folder.mkdir(parents=True, exist_ok=True)
        plan = self.root / "plan.json"
        plan.write_text(json.dumps({"steps": steps}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "RISK"))}
        environment |= {
            "TMPDIR": str(self.root / "tmp"), "HOME": str(self.root / "home"), "NUMBA_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "2", **variables,
        }  # fmt: skip
        command = [sys.executable, str(DRIVER), str(plan), str(self.said)]
        with (
            (self.said / "process.out").open("ab") as out,
            (self.said / "process.err").open("ab") as err,
            subprocess.Popen(
                command, cwd=self.root / "cwd", env=environment, umask=umask, stdout=out, stderr=err
            ) as process,
        ):
            while process.poll() is None:
                self._watch()
                time.sleep(0.01)
        codes = self.said / "codes.json"
        found: dict[str, int] = json.loads(codes.read_text()) if codes.exists() else {}
        codes.unlink(missing_ok=True)  # a process that is killed says of its last step nothing
        self.codes |= found
        return found

    def _watch(self) -> None:
        for path, mode in _open_to_others(self.watched):
            self.open_once[path] = self.open_once.get(path, 0) | mode

    def paths(self) -> Iterator[Path]:
        """Everything that was left, by whatever process; the watched folders themselves are the test's."""
        for folder in (*self.watched, self.said):
            yield from sorted(folder.rglob("*"))

    def finds(self) -> Iterator[planted.Found]:
        """Whatever of the planted values stands anywhere: in names, in files, in what was said."""
        for path in self.paths():
            where = path.relative_to(self.root).as_posix()
            yield from planted.find(where, where)
            if path.is_file() and not path.is_symlink():
                once: dict[str, planted.Found] = {}
                for text in seen.texts_of_file(path):
                    for one in planted.find(text, where):
                        once.setdefault(one.kind, one)
                yield from once.values()

    def batch(self) -> str:
        """The id of the first list."""
        return str(self._list()["batch_id"][0])

    def listed(self) -> str:
        """The id of somebody on the first list."""
        return str(self._list().filter(pl.col("listed") == "true")["entity_id"][0])

    def _list(self) -> pl.DataFrame:
        return pl.read_csv(self.out / "list.csv", infer_schema=False)

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def err(self, name: str) -> str:
        return (self.said / f"{name}.err").read_text(encoding="utf-8", errors="replace")

    def out_of(self, name: str) -> str:
        return (self.said / f"{name}.out").read_text(encoding="utf-8", errors="replace")


def _open_to_others(folders: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    """Files and folders that others may read or write, and the permissions of each; those in a folder that others
    cannot enter are none of them. Some may go while they are looked at."""
    waiting = [str(folder) for folder in folders if folder.exists() and folder.stat().st_mode & LEFT_OPEN]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    mode = stat.S_IMODE(found.st_mode)
                    if not mode & LEFT_OPEN:
                        continue
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
                    elif not stat.S_ISREG(found.st_mode):
                        continue
                    yield Path(entry.path), mode
        except OSError:
            continue
