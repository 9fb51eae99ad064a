"""A process of its own that calls commands one after the other, and keeps all that they say and log.

    python driver.py PLAN FOLDER

The plan is JSON: ``{"steps": [{"name": ..., "argv": [...]}, ...]}``. A step may have ``stdin``; ``env``, variables for
it alone; ``raises``, ``{"at": "module:name", "kind": "ValueError", "text": ...}``: what a function of ours raises when
it is called; ``kills``, the name of such a function: the process ends there without another word. FOLDER gets
``NAME.out``, ``NAME.err``, ``logged.txt`` and ``codes.json``.
"""

from __future__ import annotations

import builtins
import importlib
import io
import json
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Keeper(logging.Handler):
    """Everything that any logger says, with the exceptions that it carries."""

    def __init__(self, path: Path) -> None:
        super().__init__(0)
        self.stream = path.open("a", encoding="utf-8", errors="replace")
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + "\n")
        except Exception:
            self.stream.write(f"{record.name} {record.msg} {record.args}\n")
        self.stream.flush()


@contextmanager
def said_to(folder: Path, name: str, stdin: str | None) -> Iterator[None]:
    """Both streams of the process itself, so that what a library's C code writes is kept as well."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    files = [os.open(folder / f"{name}.{end}", os.O_WRONLY | os.O_CREAT | os.O_APPEND) for end in ("out", "err")]
    given, sys.stdin = sys.stdin, io.StringIO(stdin or "")
    try:
        for place, file in enumerate(files, 1):
            os.dup2(file, place)
        yield
    finally:
        sys.stdin = given
        sys.stdout.flush()
        sys.stderr.flush()
        for place, file in enumerate(before, 1):
            os.dup2(file, place)
        for file in (*files, *before):
            os.close(file)


@contextmanager
def replaced(place: str, by: Callable[..., Any]) -> Iterator[None]:
    """A function of ours, or a method, replaced in its home."""
    module, _, name = place.partition(":")
    owner: Any = importlib.import_module(module)
    *way, last = name.split(".")
    for part in way:
        owner = getattr(owner, part)
    found = owner.__dict__[last] if isinstance(owner, type) else getattr(owner, last)
    setattr(owner, last, by)
    try:
        yield
    finally:
        setattr(owner, last, found)


@contextmanager
def nothing() -> Iterator[None]:
    yield


def raising(kind: str, text: str) -> Callable[..., Any]:
    def raises(*_: Any, **__: Any) -> Any:
        if kind == "full":
            raise OSError(28, "No space left on device")
        raise getattr(builtins, kind)(text)

    return raises


def killing(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def call(step: dict[str, Any], folder: Path) -> int:
    from riskmodels.__main__ import run

    for name, value in step.get("env", {}).items():
        os.environ[name] = value
    fault, kills = step.get("raises"), step.get("kills")
    change = replaced(kills, killing) if kills else nothing()
    if fault:
        change = replaced(fault["at"], raising(fault["kind"], fault["text"]))
    try:
        with said_to(folder, step["name"], step.get("stdin")), change:
            try:
                return run(step["argv"])
            except BaseException:
                # What Python itself would print as the process ended.
                sys.excepthook(*sys.exc_info())
                return -1
    finally:
        for name in step.get("env", {}):
            os.environ.pop(name, None)


def main(plan: dict[str, Any], folder: Path) -> None:
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    logging.getLogger().addHandler(Keeper(folder / "logged.txt"))
    logging.getLogger().setLevel(0)
    codes: dict[str, int] = {}
    for step in plan["steps"]:
        began = time.process_time()
        codes[step["name"]] = call(step, folder)
        (folder / "codes.json").write_text(json.dumps(codes))
        with (folder / "seconds.txt").open("a") as file:
            file.write(f"{time.process_time() - began:6.2f} {step['name']}\n")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
