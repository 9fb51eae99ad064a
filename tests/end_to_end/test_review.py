"""From the form to the archive on the real study: what a committee's secretary and an owner do, in their order."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from riskmodels.__main__ import run
from riskmodels.workspace import Workspace
from tests.conftest import TODAY

STUDY = "early_reading_support"
FILLED = {
    "advice": "proceed with conditions",
    "members": "9",
    "lay": "5",
    "specialist": "4",
    "date": TODAY.isoformat(),
    "minute": "DEC-2026-11",
    "owner_role": "Head of School Improvement",
    "owner_decision": "approve",
    "expires": "2027-05-22",
    "trained_by_role": "Analytics Manager",
    "approved_by_role": "Head of School Improvement",
    '"gender"': "Girls and boys were compared on one year's test only",
    '"ethnicity"': "Some groups have too few pupils to judge",
    '"free_lunch"': "Many pupils have no test next spring",
}
CONDITIONS = """conditions:
- text: Write to every home before any school is given a list
  owner: Reading Team Manager
  due: 2027-01-31
- text: Report each term how often teachers went against the list
  owner: Analytics Manager
  due: 2027-04-30
"""


@pytest.fixture
def ours(workspace: Workspace) -> Workspace:
    """The demo's workspace without its MLflow: who is told, and how, is another matter."""
    (workspace.root / "mlflow.db").unlink()
    return workspace


def call(workspace: Workspace, *arguments: object, dated: bool = True) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    day = ["--today", TODAY.isoformat()] if dated else []
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*map(str, arguments), "--workspace", str(workspace.root), *day])
    return code, out.getvalue(), err.getvalue()


def fill_in(form: Path) -> None:
    """As a secretary does: a text after each colon, the help left where it is."""
    text = form.read_text(encoding="utf-8").replace("conditions:\n", CONDITIONS, 1)
    for key, value in FILLED.items():
        text, times = re.subn(rf"(?m)^( *{re.escape(key)}:)$", rf"\1 {value}", text)
        assert times == 1, key
    form.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_from_the_form_to_the_archive(ours: Workspace, tmp_path: Path) -> None:
    form, name = tmp_path / "decision.yaml", f"{STUDY}/1"
    code, out, _ = call(ours, "review", "open", name, "--stage", "pilot", "--output", form)
    assert code == 0
    (count,) = re.findall(r"^(\d+) verdicts of the audit have to be answered", out, flags=re.MULTILINE)
    asked = form.read_text(encoding="utf-8")
    assert len(re.findall(r"(?m)^  # (?:FAIL|INSUFFICIENT EVIDENCE|FLAGGED GAP): ", asked)) == int(count) > 20

    code, out, err = call(ours, "review", "record", name, form)
    assert (code, out, err.count("\n")) == (6, "", 1)
    assert "not filled in yet: advice, quorum.members" in err

    fill_in(form)
    before = ours.reviews(STUDY).read_bytes()
    code, out, err = call(ours, "review", "record", name, form, "--dry-run")
    assert (code, err) == (0, "")
    assert "It would be number 3" in out
    assert ours.reviews(STUDY).read_bytes() == before

    code, out, err = call(ours, "review", "record", name, form)
    assert (code, err) == (0, "")
    assert "Outstanding (2):" in out
    assert "It is champion for pilot already" in out
    (seal,) = re.findall(r"^Seal, for the minutes: ([0-9a-f]{64})$", out, flags=re.MULTILINE)

    said = ("--evidence", "The letters of 20 November", "--by", "Reading Team Manager")
    assert call(ours, "review", "met", name, "--condition", 1, *said)[0] == 0
    code, out, _ = call(ours, "review", "show", name)
    assert code == 0
    assert "1. met on 22 November 2026 (record 4, by the Reading Team Manager)" in out
    assert "2. open. Analytics Manager, by 30 April 2027" in out
    assert "The gate to score is open" in out

    code, out, _ = call(ours, "review", "verify", "--seal", seal, dated=False)
    assert (code, out.count("WRONG")) == (0, 0)
    assert call(ours, "review", "export", STUDY, "--output", tmp_path / "archive")[0] == 0
    assert seal in (tmp_path / "archive" / "record.md").read_text(encoding="utf-8")

    text = ours.reviews(STUDY).read_text(encoding="utf-8")
    ours.reviews(STUDY).write_text(text.replace("letters of 20", "letters of 30"), encoding="utf-8")
    code, out, _ = call(ours, "review", "verify", "--seal", seal, dated=False)
    assert code == 6
    assert f"{STUDY}: WRONG: " in out
    assert "line 4: was edited" in out
