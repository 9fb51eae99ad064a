"""The whole chain on real records, from the folder of a study to a list."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from riskmodels import commands, storage
from riskmodels.models.risk_model import RiskModel, read_model_folder
from riskmodels.pipeline import run_study
from riskmodels.service.shapes import SCORED_SCHEMA
from riskmodels.study import load_study
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, ROOT, STUDY, TODAY, Demo


def test_the_run_leaves_a_whole_folder(demo: Demo) -> None:
    folder = demo.report.run.folder
    for name in (
        "study/study.yaml", "riskmodel/manifest.json", "card/card.json", "card/card.html", "card/card.md",
        "audit/audit.json", "checks/checks.json", "explain/drivers.json", "predictions.parquet", "run.json",
    ):  # fmt: skip
        assert (folder / name).stat().st_size > 0, name
    assert any((folder / "figures").glob("*.svg"))
    assert (folder / "predictions.parquet").stat().st_mode & 0o077 == 0


def test_the_simple_sort_is_what_the_card_recommends(demo: Demo) -> None:
    """On these records no complex model beats the last reading score on the future (right-answer two of twelve)."""
    card = json.loads((demo.report.run.folder / "card" / "card.json").read_bytes())
    assert card["summary"]["recommendation"]["code"] == "simple_rule"
    assert "reading score this spring" in card["summary"]["recommendation"]["headline"]
    assert demo.report.run.run.model.family == "single_best_column"


def test_page_one_leads_with_bounds(demo: Demo) -> None:
    """Well over half of the list has no test next spring, so no single precision figure may lead."""
    at_capacity = demo.report.run.run.performance.at_capacity
    assert at_capacity["selected"] == 500
    assert at_capacity["unknown"] > 250
    assert at_capacity["leads_with_bounds"]
    blocks = {block.heading: block.text for block in demo.report.run.run.card.summary.blocks}
    assert "between 34 and 95" in blocks["How often is the list right?"]


def test_everybody_eligible_is_ranked(demo: Demo) -> None:
    run = demo.report.run.run
    cohort = run.dataset.cohort.rows.filter(pl.col("as_of_date") == run.ranking.frame["as_of_date"][0])
    assert sorted(run.ranking.frame["entity_id"]) == sorted(cohort["entity_id"])
    assert run.ranking.frame["selected"].sum() == 500


def test_metrics_audit_and_list_use_one_ranking(demo: Demo) -> None:
    """The counts of the audit and of performance are the ranking's own, group by group and in all."""
    run = demo.report.run.run
    known = run.ranking.frame.filter(pl.col("outcome").is_not_null())
    hits = known.filter(pl.col("selected") & (pl.col("outcome") == 1)).height
    assert run.performance.at_capacity["hits"] == hits
    rows = [row for row in run.audit.to_dict()["rows"] if row["attribute"] == "gender"]
    assert sum(row["tp"] for row in rows) == hits
    assert sum(row["selected"] for row in rows) == 500


def test_scoring_was_refused_before_the_decision(demo: Demo) -> None:
    assert "riskmodels review record" in demo.report.refusal
    assert demo.report.status["state"] == "APPROVED"
    assert demo.report.status["words"].startswith("EXAMPLE DECISION")


def test_the_list_accounts_for_everybody(demo: Demo) -> None:
    assert demo.report.score is not None
    scored = pl.read_csv(demo.report.score.output, infer_schema_length=None)
    rejects = pl.read_csv(demo.report.score.rejects)
    assert scored.columns == list(SCORED_SCHEMA)
    assert scored.height + rejects.height == demo.report.score.counts["rows_in"] > 6000
    assert scored["listed"].sum() == 500
    assert scored["rank"].to_list() == list(range(1, scored.height + 1))
    assert scored.filter(pl.col("listed"))["reason_1"].null_count() == 0
    assert demo.report.score.output.stat().st_mode & 0o077 == 0


def test_the_service_model_loads_and_gives_the_same_risks(demo: Demo) -> None:
    run = demo.report.run.run
    loaded = RiskModel.from_files(read_model_folder(demo.report.run.folder / "riskmodel"))
    frame = run.dataset.features.frame
    assert (loaded.predict_risk(frame) == run.model.predict_risk(frame)).all()
    assert loaded.model_sha256 == run.model.model_sha256


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    """Model, card, figures and list, byte for byte; only run.json has a clock."""
    workspace = Workspace(tmp_path / "again")
    again = commands.demo(STUDY, workspace, TODAY)
    first, second = demo.report.run.folder, again.run.folder
    names = sorted(path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second).as_posix() for path in second.rglob("*") if path.is_file())
    differing = [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()]
    assert differing == ["run.json"]
    assert demo.report.score is not None
    assert again.score is not None
    assert demo.report.score.output.read_bytes() == again.score.output.read_bytes()


def test_deleting_outcomes_never_changes_the_list(demo: Demo, workspace: Workspace, tmp_path: Path) -> None:
    """Everything after the as-of date is taken away; the list of 1988 stays as it was."""
    data = workspace.data("early_reading_support")
    day = pl.date(1988, 6, 30)
    lists = []
    for name in ("whole", "cut"):
        if name == "cut":
            for file in ("records.parquet", "equality.parquet"):
                frame = pl.read_parquet(data / file)
                storage.write_whole(
                    data / file, storage.table_bytes(frame.filter(pl.col("known_on") < day), ".parquet")
                )
        output = tmp_path / f"{name}.csv"
        commands.score(
            "early_reading_support", data, output, workspace, TODAY, as_of=AS_OF.replace(year=1988), capacity=500
        )
        lists.append(pl.read_csv(output, infer_schema_length=None).drop("batch_id"))
    assert lists[0].equals(lists[1])


def test_the_committed_card_agrees_with_a_fresh_run(demo: Demo) -> None:
    """To the precision shown: every value but the digests of the machine's own floating point."""
    committed = json.loads((ROOT / "model_cards" / "early_reading_support" / "card.json").read_bytes())
    fresh = json.loads((demo.report.run.folder / "card" / "card.json").read_bytes())
    for card in (committed, fresh):
        card["model"].pop("sha256")
        card["model"].pop("version")
    _agree(committed, fresh, "card")


def _agree(committed: object, fresh: object, path: str) -> None:
    if isinstance(committed, dict):
        assert isinstance(fresh, dict)
        assert list(committed) == list(fresh), path
        for key, value in committed.items():
            _agree(value, fresh[key], f"{path}.{key}")
    elif isinstance(committed, list):
        assert isinstance(fresh, list)
        assert len(committed) == len(fresh), path
        for index, value in enumerate(committed):
            _agree(value, fresh[index], f"{path}[{index}]")
    elif isinstance(committed, float):
        assert fresh == pytest.approx(committed, rel=2e-3, abs=2e-4), path
    else:
        assert committed == fresh, path


@pytest.mark.slow
def test_from_python_without_writing_anything(demo: Demo) -> None:
    found = run_study(load_study(STUDY), demo.data)
    assert found.card.to_bytes() == demo.report.run.run.card.to_bytes()


def test_a_choice_that_lost_on_the_test_is_named(demo: Demo) -> None:
    """LightGBM was chosen before the test and did not hold up there; the card must not say that nothing looked."""
    found = demo.report.run.run
    assert found.choice.handed_over == "lightgbm"
    (part,) = [part for part in found.card.performance.closer if part.id == "selection"]
    assert "Before them gradient boosted trees (LightGBM) was chosen." in str(part.tables["selection"].note)
    assert "that rule took its place" in " ".join(part.words)
