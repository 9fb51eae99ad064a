"""A run with all that it can look at: deep, with an estimator from Python, and with what the study assumes of help."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier

from riskmodels import load_study, run_study
from riskmodels.__main__ import run
from riskmodels.cards.deep_tables import NOT_RUN
from riskmodels.errors import UsageError
from riskmodels.models.outside import ONLY_COMPARED
from riskmodels.pipeline import StudyRun
from riskmodels.storage import parse_yaml
from riskmodels.study import parse_study_file
from riskmodels.workspace import Workspace
from tests.conftest import STUDY, TODAY, Demo

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-good.md"
COUNTY = ROOT / "experiments" / "county_early_help" / "study.yaml"
PARTS = {"use", "over_time", "slices", "unknown", "selection", "enough_data", "deep", "calibration"}


@pytest.fixture(scope="module")
def looked(demo: Demo) -> StudyRun:
    study = load_study(STUDY)
    raw = parse_yaml((STUDY / "study.yaml").read_bytes(), STUDY)
    raw |= {
        "help": {"take_up": [0.4, 0.7], "effect": [-0.1, 0.3]},
        "money": {"place_costs": [300, 500], "success_saves": [0, 4000]},
    }
    study = replace(study, file=parse_study_file(raw))
    forest = RandomForestClassifier(n_estimators=20, min_samples_leaf=20, n_jobs=1)
    return run_study(study, demo.data, today=TODAY, estimators={"forest": forest}, deep=5)


def closer(found: StudyRun) -> dict[str, Any]:
    return {part.id: part for part in found.card.performance.closer}


def test_every_part_is_in_the_card(looked: StudyRun) -> None:
    parts = closer(looked)
    assert set(parts) == PARTS
    for part in parts.values():
        assert part.words or part.tables
        assert all(table.rows for table in part.tables.values()), part.id


def test_an_estimator_is_compared_and_nothing_else(looked: StudyRun) -> None:
    families = {row["model"]: row for row in looked.performance.families}
    assert families["forest"]["auc"].value > 0.8
    assert not families["forest"]["baseline"]
    assert looked.model.family != "forest"
    assert "forest" not in {row["model"] for row in looked.detail.selection.families}
    assert "Forest" in str(looked.card.performance.tables["families"].rows)


def test_an_estimator_that_is_none_is_refused(demo: Demo) -> None:
    with pytest.raises(UsageError, match="needs fit and predict_proba"):
        run_study(load_study(STUDY), demo.data, today=TODAY, estimators={"mine": object()})
    assert "never explained, saved or scored" in ONLY_COMPARED


def test_what_is_assumed_is_called_assumed(looked: StudyRun) -> None:
    part = closer(looked)["use"]
    said = " ".join(part.words)
    assert "assumed" in said
    assert "harm" in said
    assert "Risk is not benefit" in said
    assert "assumed" in part.tables


def test_the_list_at_its_own_size_is_the_list_of_the_headline(looked: StudyRun) -> None:
    (own,) = [row for row in looked.detail.use["capacity_sweep"] if row["own"]]
    headline = looked.performance.at_capacity
    assert (own["hits"], own["selected"]) == (headline["hits"], headline["selected"])
    assert own["precision"] == headline["precision"]
    assert own["recall"] == headline["recall"]


def test_an_ordinary_run_says_that_it_did_not_look_deeper(demo: Demo) -> None:
    part = closer(demo.report.run.run)["deep"]
    assert part.words == (NOT_RUN,)
    assert demo.report.run.run.deep is None


def test_a_deep_run_gives_the_same_model_and_list(looked: StudyRun, demo: Demo) -> None:
    """Looking deeper, and comparing more, changes nothing of what goes into service."""
    ordinary = demo.report.run.run
    assert looked.model.to_files()["model.json"] == ordinary.model.to_files()["model.json"]
    assert looked.ranking.frame.equals(ordinary.ranking.frame)


def test_the_card_of_a_closer_look_names_nobody(looked: StudyRun) -> None:
    text = looked.card.to_bytes().decode()
    ids = looked.ranking.frame["entity_id"].head(200).to_list()
    assert not any(re.search(rf"\b{re.escape(name)}\b", text) for name in ids if len(name) > 4)


def test_fewer_than_five_draws_are_refused(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", str(STUDY), "--workspace", str(workspace.root), "--deep", "--draws", "2"]) == 2
    assert capsys.readouterr().err.strip() == "riskmodels: --draws: fewer than 5 say nothing, got 2"


def test_the_page_of_docs_belongs_to_a_study_and_names_files_that_exist() -> None:
    text = PAGE.read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    study = parse_study_file(parse_yaml(COUNTY.read_bytes(), COUNTY) | parse_yaml(block.encode(), PAGE))
    assert study.help is not None
    assert study.slices == ("people.ward",)
    named = re.findall(r"`(assessment/[a-z_]+\.py)`", text)
    assert len(named) > 8
    assert all((ROOT / "riskmodels" / name).is_file() for name in named)


def test_the_run_is_written_with_its_parts(demo: Demo) -> None:
    written = json.loads((demo.report.run.folder / "card" / "card.json").read_text())
    assert {part["id"] for part in written["performance"]["closer"]} == PARTS
    page = (demo.report.run.folder / "card" / "card.html").read_text()
    for part in written["performance"]["closer"]:
        assert part["heading"] in page
