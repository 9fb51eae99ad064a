"""Known vulnerabilities of what the lock installs: pip-audit asks, and what it could not ask is never "clean"."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from riskmodels.errors import OutsideError
from supply_chain.lock import Locked

COULD_NOT = "known vulnerabilities could not be looked up"


def vulnerabilities_in(report: dict[str, Any]) -> list[str]:
    """What a report of ``pip-audit --format json`` found, a line for each advisory.

    Raises
    ------
    OutsideError
        if it passed over a package: pip-audit then says "no known vulnerabilities" of what it never looked up.
    """
    skipped = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    if skipped:
        others = f" and {len(skipped) - 1} more" if len(skipped) > 1 else ""
        raise OutsideError(f"{COULD_NOT}: the source of advisories does not answer for {skipped[0]}{others}")
    return [
        f"{one['name']} {one['version']}: {found['id']}; {_mended(found['fix_versions'])}"
        for one in report["dependencies"]
        for found in one["vulns"]
    ]


def _mended(versions: Sequence[str]) -> str:
    return f"mended in {', '.join(versions)}" if versions else "not mended yet"


def look_up(rows: Sequence[Locked], address: str | None = None) -> list[str]:
    """Ask for the known vulnerabilities of every row, those for other machines included.

    Parameters
    ----------
    address : of a source of advisories in the manner of OSV; pip-audit's own choice unless given

    Raises
    ------
    OutsideError
        if the source cannot be reached, does not know a package, or pip-audit is not installed.
    """
    if importlib.util.find_spec("pip_audit") is None:
        raise OutsideError(f"{COULD_NOT}: pip-audit is not installed; pip install -r requirements-security.txt")
    found = []
    for part in ((rows[0],), *each_name_once(rows[1:])):  # the first one alone: no use in asking 150 times in vain
        found += vulnerabilities_in(_ask(part, address))
    return found


def each_name_once(rows: Iterable[Locked]) -> Iterator[list[Locked]]:
    """Rows in parts that hold no package twice: a file of requirements cannot."""
    parts: list[dict[str, Locked]] = []
    for row in rows:
        part = next((one for one in parts if row.name not in one), None)
        if part is None:
            parts.append(part := {})
        part[row.name] = row
    return (list(part.values()) for part in parts)


def _ask(rows: Sequence[Locked], address: str | None) -> dict[str, Any]:
    source = ["--vulnerability-service", "osv", "--osv-url", address] if address else []
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.txt"
        asked.write_text("".join(f"{row.name}=={row.version}\n" for row in rows), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own interpreter, arguments as a list, no shell
            [
                sys.executable, "-m", "pip_audit", "--requirement", str(asked), "--no-deps", "--disable-pip",
                "--format", "json", "--progress-spinner", "off", *source,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise OutsideError(f"{COULD_NOT}: the source of advisories cannot be reached") from None
    return report
