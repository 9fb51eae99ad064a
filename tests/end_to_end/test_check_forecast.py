"""`riskmodels check` says what the audit will be able to judge, and the audit of the same study agrees."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from riskmodels import __main__, commands
from riskmodels.assessment.audit import INSUFFICIENT
from riskmodels.assessment.audit.verdicts import OUTCOMES_UNKNOWN
from riskmodels.commands.checks import audit_forecast
from riskmodels.workspace import Workspace
from tests.conftest import STUDY, TODAY, Demo


@pytest.fixture(scope="module")
def report(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> commands.CheckReport:
    root = tmp_path_factory.mktemp("check")
    return commands.check(STUDY, Workspace(root / "work"), demo.data, profile=root / "profile.html", today=TODAY)


def test_what_it_says_can_be_judged_is_what_the_audit_judges(demo: Demo, report: commands.CheckReport) -> None:
    assert report.forecast is not None
    audit = demo.report.run.run.audit
    real = {
        (row["attribute"], row["group"], row["metric"]): not (row["reason"] or "").startswith("too few")
        for row in audit.contrasts
        if row["family"] == "primary"
    }
    foretold = {(row["attribute"], row["group"], row["metric"]): row["judged"] for row in report.forecast["rows"]}
    assert foretold.keys() == real.keys()
    wrong = [key for key, judged in foretold.items() if judged != "perhaps" and (judged == "yes") != real[key]]
    assert not wrong
    assert {"yes", "no"} <= set(foretold.values())
    # Of 100 pupils on the list 61 have no known result: it expects to settle nothing, and the audit settles nothing.
    assert not any(row["settles"] for row in report.forecast["rows"])
    assert {row["verdict"] for row in audit.contrasts if row["family"] == "primary"} == {INSUFFICIENT}
    assert sum(row["reason"] == OUTCOMES_UNKNOWN for row in report.forecast["rows"]) >= 10


def test_it_costs_little(report: commands.CheckReport) -> None:
    before = time.process_time()
    audit_forecast(report.prepared)
    assert time.process_time() - before < 0.5


def test_the_page_has_its_table(report: commands.CheckReport) -> None:
    assert report.profile is not None
    page = report.profile.read_text(encoding="utf-8")
    assert "What the fairness audit will be able to judge" in page
    assert "Of 36 comparisons the audit can be expected to settle none." in page


def test_the_terminal_says_it(demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data", str(demo.data), "--workspace", str(tmp_path), "--today", str(TODAY)]
    assert __main__.run(["check", str(STUDY), *where]) == 0
    said = capsys.readouterr().out.partition("What the fairness audit will be able to judge")[2]
    assert said.startswith(
        "\nOf 36 comparisons the audit can be expected to settle none. Of 13 too many outcomes will not"
    )
    assert "Too few people to judge anything (ethnicity):" in said
    assert "an AUC of 0.75" in said
