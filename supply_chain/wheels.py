"""Is every row of the lock to be had as a wheel, for each kind of machine? pip's own resolver says.

A wheel is unpacked; a source package runs its own code when it is installed, and may want a compiler.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from riskmodels.errors import OutsideError, UsageError
from supply_chain.lock import Locked
from supply_chain.machines import Machine

# pip's words when it tries again, which is all that it says of a network that is not there.
UNREACHABLE = "Retrying ("
YANKED = re.compile(r"yanked version: '([^']+)' candidate")


@dataclass(frozen=True)
class Found:
    """The file that pip would install."""

    name: str
    file: str
    sha256: str
    yanked: bool


def pip(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run pip; ``environment`` adds to ours. Returns its warnings.

    Raises
    ------
    UsageError
        in pip's own words, if it refuses.
    OutsideError
        if the package index cannot be reached.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter, arguments as a list, no shell
        [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "--retries", "2"],
        capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    if done.returncode:
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        # Without a network pip goes on to say that there is no such version, which nobody knows.
        if UNREACHABLE in done.stderr:
            raise OutsideError(
                "the package index cannot be reached, so nothing was looked up; try again with a network"
            )
        raise UsageError(errors[-1] if errors else f"pip ended with {done.returncode}")
    return done.stderr


def only_wheels(machine: Machine) -> list[str]:
    """What tells pip to think of another machine. It cannot judge a lock's conditions there: pass the rows wanted."""
    return [
        "--only-binary", ":all:", "--no-deps", "--implementation", "cp", "--python-version", machine.python,
        *(word for tag in machine.tags for word in ("--platform", tag)),
    ]  # fmt: skip


def look_up(rows: Iterable[Locked], machine: Machine) -> list[Found]:
    """Ask the package index which wheel each row would be on that machine. Nothing is installed or kept.

    Raises
    ------
    UsageError
        naming the first row that has no wheel there.
    OutsideError
        if the index cannot be reached.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, report = Path(folder) / "asked.txt", Path(folder) / "report.json"
        # Without hashes pip reads what the index says of a wheel; with them it would fetch each one whole.
        asked.write_text("".join(f"{row.name}=={row.version}\n" for row in rows), encoding="utf-8")
        warnings = pip(
            "install", "--quiet", "--dry-run", "--ignore-installed", "--ignore-requires-python",
            *only_wheels(machine), "--target", str(Path(folder) / "never"), "--report", str(report), "-r", str(asked),
        )  # fmt: skip
        return found_in(json.loads(report.read_text(encoding="utf-8")), warnings)


def found_in(report: dict[str, Any], warnings: str) -> list[Found]:
    """What a report of ``pip install --report`` holds (its format version 1).

    Parameters
    ----------
    warnings : what pip said beside it: older ones tell only there that a release was withdrawn
    """
    yanked = {canonicalize_name(name) for name in YANKED.findall(warnings)}
    return [
        Found(
            canonicalize_name(item["metadata"]["name"]),
            PurePosixPath(item["download_info"]["url"]).name,
            item["download_info"]["archive_info"]["hashes"]["sha256"],
            canonicalize_name(item["metadata"]["name"]) in yanked,
        )
        for item in report["install"]
    ]


def not_as_locked(rows: Sequence[Locked], found: Iterable[Found]) -> list[str]:
    """Where the lock and what would be installed differ, a line each."""
    by_name = {one.name: one for one in found}
    problems = []
    for row in rows:
        one = by_name.get(row.name)
        if one is None:
            problems.append(f"{row.name} {row.version}: was not found")
        elif not one.file.endswith(".whl"):
            problems.append(f"{row.name} {row.version}: comes as {one.file}, which is no wheel")
        elif one.sha256 not in row.hashes:
            problems.append(f"{row.name} {row.version}: the hash of {one.file} is not in the lock")
        elif one.yanked:
            problems.append(f"{row.name} {row.version}: was withdrawn by its makers; move to another version")
    return problems
