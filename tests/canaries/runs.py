"""Commands called in a process whose every folder is a test's own, and what that process leaves behind."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.canaries import planted, seen
from tests.canaries.county import TODAY

DRIVER = Path(__file__).with_name("driver.py")
# The package's own folder, where machine code is kept, is none of the test's: it is named so that nothing lands in HOME.
LEFT_OPEN = 0o077


def step(name: str, *argv: object, **more: Any) -> dict[str, Any]:
    return {"name": name, "argv": [str(word) for word in argv], **more}


@dataclass
class Town:
    """Where everything stands. ``root`` holds nothing but what is named here."""

    root: Path
    codes: dict[str, int] = field(default_factory=dict)
    # Path -> the widest permissions that it was ever seen with while a process of ours worked.
    open_once: dict[Path, int] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "given" / "data"

    @property
    def given(self) -> Path:
        return self.root / "given"

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
            folder.mkdir(parents=True, exist_ok=True)
        plan = self.root / "plan.json"
        plan.write_text(json.dumps({"steps": steps}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "RISK"))}
        environment |= {
            "TMPDIR": str(self.root / "tmp"), "HOME": str(self.root / "home"), "NUMBA_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "2", **variables,
        }  # fmt: skip
        with subprocess.Popen(
            [sys.executable, str(DRIVER), str(plan), str(self.said)], cwd=self.root / "cwd", env=environment,
            umask=umask, stdout=(self.said / "process.out").open("ab"), stderr=(self.said / "process.err").open("ab"),
        ) as process:  # fmt: skip
            while process.poll() is None:
                self._watch()
        found: dict[str, int] = json.loads((self.said / "codes.json").read_text())
        self.codes |= found
        return found

    def _watch(self) -> None:
        for path, mode in _modes(self.watched):
            if mode & LEFT_OPEN:
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

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def err(self, name: str) -> str:
        return (self.said / f"{name}.err").read_text(encoding="utf-8", errors="replace")

    def out_of(self, name: str) -> str:
        return (self.said / f"{name}.out").read_text(encoding="utf-8", errors="replace")


def _modes(folders: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    """Permissions of all that stands in folders, of which some may go while they are looked at."""
    waiting = [str(folder) for folder in folders]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
                    elif not stat.S_ISREG(found.st_mode):
                        continue
                    yield Path(entry.path), stat.S_IMODE(found.st_mode)
        except OSError:
            continue
