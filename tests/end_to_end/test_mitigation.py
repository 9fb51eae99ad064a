"""``run --mitigate``: in the card and in Python, and nowhere near scoring."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from riskmodels import load_study, run_study
from riskmodels.assessment.audit.remedies.mitigation_words import FIRST, UNLAWFUL
from riskmodels.cards.mitigation_tables import HEADING, NOT_RUN
from riskmodels.commands.runs import run_files
from riskmodels.pipeline import StudyRun
from riskmodels.storage import canonical_json
from tests.conftest import ROOT, STUDY, TODAY, Demo

pytestmark = pytest.mark.slow
STARTED = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PAGE = ROOT / "docs" / "mitigation.md"


@pytest.fixture(scope="module")
def tried(demo: Demo) -> StudyRun:
    return run_study(load_study(STUDY), demo.data, today=TODAY, mitigate=True)


def part_of(run: StudyRun) -> Mapping[str, Any]:
    return next(part for part in run.card.to_dict()["audit"]["closer"] if part["id"] == "mitigation")


def test_without_the_flag_one_line_says_that_it_was_not_run(demo: Demo) -> None:
    found = demo.report.run.run
    assert found.mitigation is None
    assert part_of(found)["words"] == [NOT_RUN]
    assert "mitigation" not in found.figures


def test_section_8_says_what_it_would_take(tried: StudyRun) -> None:
    part = part_of(tried)
    assert part["heading"] == HEADING
    assert part["words"][: len(FIRST)] == list(FIRST)
    assert part["words"][-1] == UNLAWFUL
    rows = part["tables"]["mitigation"]["rows"]
    assert {row[2] for row in rows} == {"could be done", "simulation only"}
    assert {row[0].split(":")[0] for row in rows} == {"Gender", "Ethnicity", "Free lunch"}


def test_the_picture_says_no_more_than_its_table(tried: StudyRun) -> None:
    figure = next(figure for figure in tried.card.to_dict()["figures"] if figure["id"] == "mitigation")
    assert b"<svg" in tried.figures["mitigation"]
    page = run_files(tried, STARTED, TODAY)["card/card.html"].decode()
    assert figure["alt"].split(".")[0] in page
    assert HEADING in page


def test_only_the_published_form_leaves_the_run(tried: StudyRun) -> None:
    """Every count of people in the files that are shown is a multiple of five, and none is below ten."""
    shown = json.loads(run_files(tried, STARTED, TODAY)["audit/audit.json"])["mitigation"]
    assert shown["disclosure"]["profile"] == "sro-10"
    for row in shown["points"]:
        counts = [group[name] for group in row["groups"] for name in ("tp", "fn", "fp", "tn")]
        for count in [*counts, row["reached"]]:
            assert count is None or (count >= 10 and count % 5 == 0)


def test_the_model_is_the_same_byte_for_byte(tried: StudyRun, demo: Demo) -> None:
    plain = demo.report.run.run
    assert tried.model.to_files() == plain.model.to_files()
    assert tried.ranking.frame.equals(plain.ranking.frame)
    assert canonical_json(tried.audit.to_dict()) == canonical_json(plain.audit.to_dict())


def test_the_model_holds_no_protected_column(tried: StudyRun) -> None:
    question = tried.study.file
    protected = {spec.column.split(".")[-1] for spec in question.protected.values() if not spec.also_feature}
    used = {column.of.split(".")[-1] for column in tried.model.encoder.columns}
    assert not protected & used
    assert not protected & set(tried.model.encoder.names)


def test_the_page_shows_the_flag_that_exists() -> None:
    from riskmodels.cli import app

    options = {option for each in get_command(app).commands["run"].params for option in each.opts}  # type: ignore[attr-defined]
    assert "--mitigate" in options
    assert "--mitigate" in PAGE.read_text()
    for name in re.findall(r"`(riskmodels/[\w/]+\.py)`", PAGE.read_text()):
        assert (Path(ROOT) / name).exists(), name
