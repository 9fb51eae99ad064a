"""The locked requirements: what they say, and what is wrong with them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from riskmodels.errors import UsageError

HASH = re.compile(r"--hash=(\S+)")
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
BUILT = re.compile(r"\.(?:whl|tar\.gz|zip)$")


@dataclass(frozen=True)
class Locked:
    """One row: a package, its version, where it is wanted, and the SHA-256 of each file that it may come as."""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]

    def is_wanted(self, environment: Mapping[str, str]) -> bool:
        return self.marker is None or self.marker.evaluate(dict(environment))


@dataclass(frozen=True)
class _Line:
    """A row as it stands in the file."""

    number: int
    text: str

    @property
    def requirement(self) -> str:
        return HASH.split(self.text)[0].strip()

    @property
    def hashes(self) -> list[str]:
        return HASH.findall(self.text)


def _lines(text: str) -> Iterator[_Line]:
    """Rows with their continuations joined, without comments; numbered by where each begins."""
    begun, parts = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        begun = begun if parts else number
        content = re.sub(r"(^|\s)#.*$", "", line)
        parts.append(content.removesuffix("\\").strip())
        if not content.endswith("\\"):
            if joined := " ".join(parts).strip():
                yield _Line(begun, joined)
            parts = []


# ---------------------------------------------------------------- what may be wrong with a row


def _option(line: _Line) -> str | None:
    if line.text.startswith("-"):
        return "an option (another index, another file, an editable folder) has no place in a lock"
    return None


def _address(line: _Line) -> str | None:
    if "://" in line.requirement or BUILT.search(line.requirement) or re.search(r"@\s*\S+[:/]", line.requirement):
        return "comes from an address or a file of its own; a lock names a package and a version"
    return None


def _not_pinned(line: _Line) -> str | None:
    try:
        specifiers = list(Requirement(line.requirement).specifier)
    except InvalidRequirement:
        return "is not a requirement"
    pinned = len(specifiers) == 1 and specifiers[0].operator == "==" and "*" not in specifiers[0].version
    return None if pinned else "is not one exact version"


def _no_hash(line: _Line) -> str | None:
    return None if line.hashes else "has no hash"


def _other_hash(line: _Line) -> str | None:
    return None if all(SHA256.fullmatch(one) for one in line.hashes) else "has a hash that is no SHA-256"


FAULTS: tuple[Callable[[_Line], str | None], ...] = (_option, _address, _not_pinned, _no_hash, _other_hash)


def faults_of(text: str, where: str) -> list[str]:
    """Everything that is wrong with a file of locked requirements, a line each; empty if it is as it should be."""
    found = []
    for line in _lines(text):
        fault = next((said for check in FAULTS if (said := check(line))), None)
        if fault:
            found.append(f"{where}, line {line.number}: {line.text.split()[0]}: {fault}")
    return found


def read_lock(text: str, where: str) -> tuple[Locked, ...]:
    """The rows of a file of locked requirements.

    Raises
    ------
    UsageError
        naming the first thing that is wrong with it; `faults_of` names all.
    """
    if faults := faults_of(text, where):
        raise UsageError(faults[0])
    rows = []
    for line in _lines(text):
        asked = Requirement(line.requirement)
        version = next(iter(asked.specifier)).version
        hashes = frozenset(one.removeprefix("sha256:") for one in line.hashes)
        rows.append(Locked(canonicalize_name(asked.name), version, asked.marker, hashes))
    return tuple(rows)


def together(locks: Iterable[Iterable[Locked]]) -> tuple[Locked, ...]:
    """The rows of several files, each once, in order of name and version: the same text in any order of the files."""
    rows = {(row.name, row.version, str(row.marker or "")): row for lock in locks for row in lock}
    return tuple(rows[key] for key in sorted(rows))


def as_text(rows: Iterable[Locked]) -> str:
    """Rows as a file of requirements, without the conditions on where each is wanted."""
    return "".join(
        f"{row.name}=={row.version}" + "".join(f" \\\n    --hash=sha256:{one}" for one in sorted(row.hashes)) + "\n"
        for row in rows
    )
