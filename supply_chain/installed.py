"""What is installed in an environment: which version of what, under which licence, needing what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from riskmodels.errors import UsageError
from supply_chain.lock import Locked

# Comes with every new environment, or is ours: in no lock.
NOT_LOCKED = frozenset({"pip", "setuptools", "wheel", "riskmodels"})
# Read in the licence file or the source of the package, whose metadata does not say.
READ_BY_HAND = {"huey": "MIT", "interpret-core": "MIT", "skops": "MIT"}
SAYS_NOTHING = {"OSI Approved", "UNKNOWN", ""}
LONGEST_NAME = 40  # of a licence; the older field often holds its whole text


@dataclass(frozen=True)
class Installed:
    """``licence`` as its makers state it, None where they do not; ``needs`` are names, those of extras left out."""

    name: str
    version: str
    licence: str | None
    needs: tuple[str, ...]


def read_environment(folder: Path) -> tuple[Installed, ...]:
    """Everything installed in a virtual environment, in order of name.

    Raises
    ------
    UsageError
        if the folder is none.
    """
    places = [*folder.glob("lib/python3*/site-packages"), *folder.glob("Lib/site-packages")]
    if not places:
        raise UsageError(
            f"{folder}: is not a virtual environment; make one (make .venv/.ready), or name another with --environment"
        )
    found = [installed(one.metadata, one.requires or ()) for one in metadata.distributions(path=[str(places[0])])]
    return tuple(sorted(found, key=lambda one: one.name))


def installed(said: metadata.PackageMetadata, requires: Iterable[str]) -> Installed:
    """One package, from its metadata."""
    asked = [Requirement(line) for line in requires]
    needs = {canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})}
    name = canonicalize_name(said["Name"])
    return Installed(name, said["Version"], licence_of(name, said), tuple(sorted(needs)))


def licence_of(name: str, said: metadata.PackageMetadata) -> str | None:
    """As stated: an SPDX expression, else the older field where it is short, else the classifiers."""
    stated = {key: said[key] for key in ("License-Expression", "License") if key in said}
    classifiers = [
        line.rpartition("::")[2].strip() for line in said.get_all("Classifier") or () if line.startswith("License ::")
    ]
    short = stated.get("License", "")
    short = short if len(short) <= LONGEST_NAME and "\n" not in short else ""
    for candidate in (stated.get("License-Expression", ""), short, " or ".join(classifiers)):
        if candidate not in SAYS_NOTHING:
            return candidate
    return READ_BY_HAND.get(name)


# ---------------------------------------------------------------- held against the lock


def not_as_locked(wanted: Sequence[Locked], allowed: Sequence[Locked], found: Iterable[Installed]) -> list[str]:
    """Where an environment and the lock differ, a line each.

    Parameters
    ----------
    wanted : the rows that must be installed here
    allowed : those that may be: of the extras' locks too
    """
    here = {one.name: one.version for one in found}
    versions: dict[str, set[str]] = {}
    for row in (*wanted, *allowed):
        versions.setdefault(row.name, set()).add(row.version)
    problems = [
        f"{row.name} {row.version}: is in the lock, and not installed" for row in wanted if row.name not in here
    ]
    for name, version in sorted(here.items()):
        if name in NOT_LOCKED:
            continue
        if name in versions and version not in versions[name]:
            problems.append(f"{name} {version}: is installed, but the lock says {' or '.join(sorted(versions[name]))}")
        elif name not in versions:
            problems.append(f"{name} {version}: is installed, and in no lock")
    return problems


def without_licence(found: Iterable[Installed]) -> list[str]:
    """Packages whose licence nobody states, a line each."""
    return [
        f"{one.name} {one.version}: states no licence; read its licence file, and enter it in READ_BY_HAND"
        for one in found
        if one.licence is None
    ]
