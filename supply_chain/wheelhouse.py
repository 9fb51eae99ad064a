"""Collect what a machine without a network needs: wheels only, each checked against the lock, and our own."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from riskmodels import __version__, storage
from riskmodels.errors import UsageError
from supply_chain.lock import Locked, as_text, read_lock
from supply_chain.machines import SYSTEMS, Machine
from supply_chain.wheels import only_wheels, pip

ROOT = Path(__file__).parents[1]
REQUIREMENTS, SUMS = "requirements.txt", "SHA256SUMS"
FOR_EVERYBODY = 0o644
# The first day that a zip file can hold, so that our wheel is the same bytes whenever it is built.
EARLIEST = {"SOURCE_DATE_EPOCH": "315532800"}


def this_machine() -> Machine:
    """The kind of machine that we are on. Raises UsageError where it is none of `SYSTEMS`."""
    system = platform.system().lower()
    if system not in SYSTEMS or platform.machine().lower() not in ("x86_64", "amd64"):
        raise UsageError(f"say both --system and --python: this machine is none of {', '.join(SYSTEMS)} (64 bits)")
    return Machine(system, ".".join(map(str, sys.version_info[:2])))


def build_own_wheel(into: Path) -> Path:
    """Build ours from this checkout, with the build tool of the lock, and without a network."""
    pip(
        "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(into), str(ROOT),
        environment=EARLIEST,
    )  # fmt: skip
    return into / f"riskmodels-{__version__}-py3-none-any.whl"


def collect(to: Path, machine: Machine) -> int:
    """Fill the folder ``to``, which appears whole; return how many wheels it holds.

    Beside the wheels it holds the rows of the lock for that machine, ours among them, and the SHA-256 of every file.

    Raises
    ------
    UsageError
        if a row has no wheel for that machine, or its hash is not the lock's.
    OutsideError
        if the index cannot be reached, or the disk refuses.
    """
    lock = read_lock((ROOT / REQUIREMENTS).read_text(encoding="utf-8"), REQUIREMENTS)
    wanted = [row for row in lock if row.is_wanted(machine.environment)]
    storage.refuse_unwritable(to, folder=True)
    with storage.outside_world(to), storage.folder_made_whole(to) as folder:
        asked = folder / REQUIREMENTS
        asked.write_bytes(as_text(wanted).encode())
        pip(
            "download", "--quiet", "--require-hashes", "--ignore-requires-python", *only_wheels(machine),
            "--dest", str(folder), "-r", str(asked),
        )  # fmt: skip
        ours = Locked("riskmodels", __version__, None, frozenset({_sha256(build_own_wheel(folder))}))
        asked.write_bytes(as_text([*wanted, ours]).encode())
        digests = {path.name: _sha256(path) for path in folder.iterdir()}
        (folder / SUMS).write_bytes(sums_of(digests))
        for path in folder.iterdir():
            path.chmod(FOR_EVERYBODY)
    return len(digests) - 1


def sums_of(digests: Mapping[str, str]) -> bytes:
    """A list of files and their SHA-256, as ``sha256sum --check`` reads it."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
