"""Where our own code is excused from a security rule, and that each excuse says why."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = ("riskmodels", "pipelines", "experiments", "supply_chain")
EXCUSED = {
    "S105": "a verdict called PASS is no password",
    "S314": "the picture that is parsed is one that we drew a moment ago",
    "S603": "our own interpreter, arguments as a list, no shell",
    "S608": "names of tables and columns are quoted by us; there is no other way to name them",
    "S704": "our own style sheet, or letters that were escaped one by one",
}


def excuses() -> list[tuple[Path, int, str, str]]:
    """(file, line, rules, reason) of each exception to a security rule."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                if said := re.search(r"#\s*noqa:\s*(S\d+(?:,\s*S\d+)*)(.*)$", line):
                    found.append((path, number, said[1], said[2].strip()))
    return found


def test_security_rules_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "S", "--ignore", "S101", "--no-cache", *FOLDERS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


def test_they_would_be_broken_by_what_they_are_for(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "import pickle\npickle.loads(b'')\neval('1')\nimport subprocess\nsubprocess.run('ls', shell=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "S", "--no-cache", "--isolated", planted],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert {"S301", "S307", "S602"} <= set(re.findall(r"^(S\d+)", done.stdout, flags=re.MULTILINE))


def test_every_exception_is_on_the_list_and_no_other() -> None:
    assert {rule for _, _, rules, _ in excuses() for rule in re.split(r",\s*", rules)} == set(EXCUSED)


def test_every_exception_says_why_in_its_place() -> None:
    assert [f"{path.name}:{number}" for path, number, _, why in excuses() if not why.startswith("- ")] == []


def test_no_rule_is_excused_wholesale() -> None:
    bare = [
        f"{path.name}:{number}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"#\s*noqa(?!:)|#\s*nosec|ruff:\s*noqa|#\s*type:\s*ignore(?!\[)", line)
    ]
    assert bare == []


def decides_by_assert(source: str) -> list[int]:
    """Lines of asserts that do something: without a call ``python -O`` takes nothing away but a statement."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
        and not all(
            isinstance(one.func, ast.Name) and one.func.id in ("isinstance", "all", "set", "len")
            for one in ast.walk(node.test)
            if isinstance(one, ast.Call)
        )
    ]


def test_no_assert_of_governance_calls_anything() -> None:
    assert decides_by_assert("assert may_use(model)") == [1]
    assert decides_by_assert("assert isinstance(act, Decision)") == []
    folder = ROOT / "riskmodels" / "governance"
    assert {path.name: lines for path in folder.rglob("*.py") if (lines := decides_by_assert(path.read_text()))} == {}
