"""The bill of materials: valid, whole, and the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskmodels import __version__
from supply_chain.__main__ import main
from supply_chain.installed import Installed, read_environment
from supply_chain.lock import read_lock
from tests.conftest import ROOT

pytest.importorskip("cyclonedx", reason="cyclonedx is not installed (requirements-security.txt)")
from supply_chain.sbom import build_sbom, faults_of

A, B = "a" * 64, "b" * 64
LOCK = f"one==1 --hash=sha256:{A} --hash=sha256:{B}\ntwo==2 ; sys_platform == 'win32' --hash=sha256:{B}\n"
FOUND = (
    Installed("one", "1", "MIT", ("two", "unheard-of")),
    Installed("riskmodels", "0.9", "Apache-2.0", ("one",)),
    Installed("two", "1.9", "BSD License", ()),
)


def built(text: str = LOCK, found: tuple[Installed, ...] = FOUND) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(build_sbom("0.9", "Apache-2.0", {"lock.txt": read_lock(text, "lock.txt")}, found))
    return made


def test_a_small_one_by_hand() -> None:
    made = built()
    assert made["metadata"]["component"]["name"] == "riskmodels"
    assert made["metadata"]["component"]["version"] == "0.9"
    one, two = made["components"]
    assert (one["name"], one["version"], one["purl"]) == ("one", "1", "pkg:pypi/one@1")
    assert one["licenses"] == [{"license": {"id": "MIT"}}]
    assert [sha["content"] for sha in one["externalReferences"][0]["hashes"]] == [A, B]
    assert "licenses" not in two, "another version is installed: its licence may be another"
    assert {"name": "riskmodels:when", "value": 'sys_platform == "win32"'} in two["properties"]
    needs = {row["ref"]: row.get("dependsOn", []) for row in made["dependencies"]}
    assert needs == {"riskmodels==0.9": ["one==1"], "one==1": [], "two==2": []}


def test_order_and_moment_change_nothing() -> None:
    lines = LOCK.splitlines()
    swapped = "\n".join(reversed(lines)) + "\n"
    assert built() == built(swapped, FOUND[::-1])
    assert "serialNumber" not in built()
    assert "timestamp" not in built()["metadata"]


def test_the_schema_refuses_what_is_not_cyclonedx() -> None:
    content = build_sbom("0.9", "Apache-2.0", {"lock.txt": read_lock(LOCK, "lock.txt")}, FOUND)
    assert faults_of(content) == []
    assert faults_of(content.replace(b'"library"', b'"librarian"')) != []


@pytest.mark.slow
def test_the_command_lists_everything_that_the_locks_install(tmp_path: Path) -> None:
    files = [ROOT / "requirements.txt", ROOT / "requirements-pdf.txt"]
    for name in ("a.json", "b.json"):
        arguments = ["sbom", *map(str, files), "--output", str(tmp_path / name), "--environment", str(ROOT / ".venv")]
        assert main(arguments) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    made = json.loads((tmp_path / "a.json").read_bytes())
    listed = {(one["name"], one["version"]) for one in made["components"]}
    assert listed == {(row.name, row.version) for path in files for row in read_lock(path.read_text(), path.name)}
    assert made["metadata"]["component"]["version"] == __version__
    here = {(one.name, one.version) for one in read_environment(ROOT / ".venv")}
    unlicensed = {(one["name"], one["version"]) for one in made["components"] if "licenses" not in one}
    assert not unlicensed & here
    ours = next(row for row in made["dependencies"] if row["ref"].startswith("riskmodels=="))
    assert {name.split("==")[0] for name in ours["dependsOn"]} >= {"polars", "mlflow", "lightgbm", "shap"}
