"""Scoring asks the gate, accounts for every row, and writes whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from riskmodels import commands
from riskmodels.errors import DataError, GateError, ModelFileError, OutsideError, UsageError
from riskmodels.study import Study
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, TODAY, Demo

MODEL = "early_reading_support"


@pytest.fixture
def matrix(demo: Demo) -> pl.DataFrame:
    """A cohort file: entity_id and the model's features, of the newest date."""
    frame = demo.report.run.run.dataset.features.frame
    return frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).drop("as_of_date").head(200)


def score(workspace: Workspace, cohort: Path, output: Path, **more: object) -> commands.ScoreReport:
    options = {"as_of": AS_OF, "today": TODAY} | more
    return commands.score(MODEL, cohort, output, workspace, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the gate


def test_expired_approval(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="expired"):
        score(workspace, demo.data, tmp_path / "list.csv", today=TODAY.replace(year=2027, month=6))
    assert not (tmp_path / "list.csv").exists()


@pytest.mark.parametrize("file", ["model.json", "calibrator.json", "features.json", "reasons.json"])
def test_changed_model_file(workspace: Workspace, demo: Demo, tmp_path: Path, file: str) -> None:
    path = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "riskmodel" / file
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelFileError, match=file):
        score(workspace, demo.data, tmp_path / "list.csv")


def test_model_and_manifest_changed_together(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    """A consistent forgery has another digest than the one that was approved."""
    from riskmodels.storage import canonical_json, sha256

    folder = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "riskmodel"
    model = folder / "calibrator.json"
    model.write_bytes(model.read_bytes() + b" ")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["calibrator.json"] = sha256(model.read_bytes())
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    with pytest.raises(GateError, match="not the registered one"):
        score(workspace, demo.data, tmp_path / "list.csv")


def test_changed_card(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    path = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "card" / "card.json"
    path.write_bytes(path.read_bytes().replace(b"simple_rule", b"use", 1))
    with pytest.raises(GateError, match="card"):
        score(workspace, demo.data, tmp_path / "list.csv")


@pytest.mark.parametrize("file", ["study.yaml", "register.yaml", "answers.yaml"])
def test_changed_study_file(workspace: Workspace, demo: Demo, tmp_path: Path, file: str) -> None:
    """The definitions of cohort and features are approved with the model: editing them is noticed."""
    path = workspace.root / demo.report.run.folder.relative_to(demo.workspace.root) / "study" / file
    path.write_text(path.read_text() + "\n# later\n")
    with pytest.raises(ModelFileError, match="changed after the card was built"):
        score(workspace, demo.data, tmp_path / "list.csv")


def test_no_review_at_all(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    shutil.rmtree(workspace.root / "governance")
    with pytest.raises(GateError, match="review"):
        score(workspace, demo.data, tmp_path / "list.csv")


# ---------------------------------------------------------------- every row accounted for


def test_objections_are_honoured(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    assert demo.report.score is not None
    first = pl.read_csv(demo.report.score.output, infer_schema_length=None).head(3)["entity_id"]
    pl.DataFrame({"entity_id": first}).write_csv(tmp_path / "objections.csv")
    report = score(workspace, demo.data, tmp_path / "list.csv", exclude=tmp_path / "objections.csv")
    scored = pl.read_csv(tmp_path / "list.csv", infer_schema_length=None)
    rejects = pl.read_csv(report.rejects)
    assert not set(first) & set(scored["entity_id"])
    assert sorted(rejects["entity_id"]) == sorted(first)
    assert rejects["code"].unique().to_list() == ["objected"]
    assert scored["listed"].sum() == 500
    assert report.counts["rows_in"] == scored.height + rejects.height


@pytest.mark.parametrize("written", ["  {} ", "{}"])
def test_an_objection_with_spaces_is_the_same_person(
    workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path, written: str
) -> None:
    one = matrix["entity_id"][0]
    padded = matrix.with_columns(pl.col("entity_id") + " ")
    padded.write_parquet(tmp_path / "cohort.parquet")
    (tmp_path / "objections.csv").write_text(f"entity_id\n{written.format(one)}\n")
    report = score(
        workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv", exclude=tmp_path / "objections.csv", capacity=10
    )
    assert report.objections_met == report.objections == 1
    assert one not in pl.read_csv(report.output, infer_schema_length=0)["entity_id"].to_list()


def test_an_objection_that_nearly_matches_stops_the_list(
    workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path
) -> None:
    matrix.write_parquet(tmp_path / "cohort.parquet")
    (tmp_path / "objections.csv").write_text(f"entity_id\n{matrix['entity_id'][0].lower()}\n")
    with pytest.raises(DataError, match="1 objections match ids of the cohort only if case"):
        score(
            workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv", exclude=tmp_path / "objections.csv",
            capacity=10,
        )  # fmt: skip


def test_objections_as_decimals_are_refused(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    pl.DataFrame({"entity_id": [101.0, None]}).write_parquet(tmp_path / "objections.parquet")
    with pytest.raises(DataError, match="store them as text"):
        score(workspace, demo.data, tmp_path / "list.csv", exclude=tmp_path / "objections.parquet")


def test_more_places_than_were_audited(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="501 places are more than the study's 500, with which the list was tested"):
        score(workspace, demo.data, tmp_path / "list.csv", capacity=501)


def test_a_date_in_the_future(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in the future"):
        score(workspace, demo.data, tmp_path / "list.csv", as_of=TODAY + dt.timedelta(days=1))


def test_the_list_stands_when_mlflow_does_not(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    """A store that cannot be reached is a warning after the list, without its password; the ledger has the batch."""
    report = score(workspace, demo.data, tmp_path / "list.csv", capacity=400, tracking_uri="nosuchdb://me:pw@host/x")
    assert (tmp_path / "list.csv").exists()
    assert report.warning is not None
    assert "pw" not in report.warning
    assert report.batch_id in workspace.ledger.read_text()


def test_each_bad_row_is_rejected_with_its_reason(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    ids = matrix["entity_id"].to_list()
    ids[1], ids[4] = None, ids[3]
    reading = [str(value) if value is not None else "" for value in matrix["reading_now"]]
    reading[6], reading[7] = "unwell", "inf"
    text = matrix.with_columns(pl.Series("entity_id", ids), pl.Series("reading_now", reading))
    text.write_csv(tmp_path / "cohort.csv")
    report = score(workspace, tmp_path / "cohort.csv", tmp_path / "list.parquet", capacity=20)
    rejects = pl.read_csv(report.rejects).select("row_number", "code").rows()
    assert rejects == [
        (2, "missing_id"), (4, "duplicate_id"), (5, "duplicate_id"), (7, "not_a_number"), (8, "not_finite"),
    ]  # fmt: skip
    scored = pl.read_parquet(tmp_path / "list.parquet")
    assert scored.height == 195
    assert scored["listed"].sum() == 20


def test_matrix_and_sources_give_the_same_risks(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    frame = demo.report.run.run.dataset.features.frame
    day = dt.date(1988, 6, 30)
    frame.filter(pl.col("as_of_date") == day).write_parquet(tmp_path / "cohort.parquet")
    score(workspace, tmp_path / "cohort.parquet", tmp_path / "one.parquet", as_of=None)
    score(workspace, demo.data, tmp_path / "two.parquet", as_of=day)
    one, two = (pl.read_parquet(tmp_path / name).drop("batch_id") for name in ("one.parquet", "two.parquet"))
    # Only the sources know the day of each fact.
    undated = pl.col("reason_1", "reason_2", "reason_3", "lowers_1").str.replace(r", recorded \d+ \w+ \d{4}", "")
    assert not one.equals(two)
    assert one.equals(two.with_columns(undated))


def test_reasons_on_request(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    matrix.write_parquet(tmp_path / "cohort.parquet")
    count = {}
    for explain in ("none", "selected", "all"):
        report = score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.parquet", explain=explain, capacity=10)
        texts = pl.read_parquet(report.output).select(pl.any_horizontal(pl.col("reason_1", "lowers_1").is_not_null()))
        count[explain] = int(texts.to_series().sum())
    assert count["none"] == 0
    assert count["selected"] == 10
    assert count["all"] > 150


def test_formulas_in_csv_are_neutralised(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    ids = ["=cmd()", "+1", "@x", *matrix["entity_id"].to_list()[3:]]
    matrix.with_columns(pl.Series("entity_id", ids)).write_parquet(tmp_path / "cohort.parquet")
    score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv", capacity=10)
    written = pl.read_csv(tmp_path / "list.csv", infer_schema_length=0)["entity_id"]
    assert not written.str.contains(r"^[=+@]").any()
    assert "'=cmd()" in written.to_list()


def test_the_same_batch_has_the_same_id_and_bytes(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    first = score(workspace, demo.data, tmp_path / "one.csv")
    second = score(workspace, demo.data, tmp_path / "two.csv")
    assert first.batch_id == second.batch_id
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    ledger = [json.loads(line) for line in workspace.ledger.read_text().splitlines()]
    assert [line["batch_id"] for line in ledger].count(first.batch_id) == 1


def test_dry_run_writes_nothing(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    before = workspace.ledger.read_bytes()
    report = score(workspace, demo.data, tmp_path / "list.csv", dry_run=True)
    assert report.counts["listed"] == 500
    assert list(tmp_path.glob("list*")) == []
    assert workspace.ledger.read_bytes() == before


def test_equality_data_is_never_read(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo.data, tmp_path / "data"))
    (data / "equality.parquet").unlink()
    assert score(workspace, data, tmp_path / "list.csv").counts["listed"] == 500


# ---------------------------------------------------------------- refused whole


def test_protected_column_in_a_cohort_file(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    matrix.with_columns(pl.lit("x").alias("ethnicity")).write_parquet(tmp_path / "cohort.parquet")
    with pytest.raises(DataError, match="protected column 'ethnicity'"):
        score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv")


def test_missing_column(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    matrix.drop("reading_now").write_parquet(tmp_path / "cohort.parquet")
    with pytest.raises(DataError, match="no column 'reading_now'"):
        score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv")


def test_ids_as_decimals(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    matrix.with_columns(pl.Series("entity_id", range(matrix.height), dtype=pl.Float64)).write_parquet(
        tmp_path / "cohort.parquet"
    )
    with pytest.raises(DataError, match="store them as text"):
        score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv")


def test_empty_and_truncated_files(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    matrix.head(0).write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(DataError, match="no rows"):
        score(workspace, tmp_path / "empty.parquet", tmp_path / "list.csv")
    matrix.write_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-50])
    with pytest.raises(DataError, match="cut short"):
        score(workspace, tmp_path / "cut.parquet", tmp_path / "list.csv")


def test_places_above_the_cohort(workspace: Workspace, matrix: pl.DataFrame, tmp_path: Path) -> None:
    from riskmodels.errors import StudyError

    matrix.write_parquet(tmp_path / "cohort.parquet")
    with pytest.raises(StudyError, match="500 places for a cohort of 200"):
        score(workspace, tmp_path / "cohort.parquet", tmp_path / "list.csv")


def test_a_folder_needs_a_date(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--as-of"):
        score(workspace, demo.data, tmp_path / "list.csv", as_of=None)


def test_unwritable_output(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutsideError, match="cannot be written"):
        score(workspace, demo.data, tmp_path / "file" / "list.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutsideError, match="is a folder"):
        score(workspace, demo.data, tmp_path / "folder.csv")


def test_an_earlier_list_survives_a_refusal(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("last month")
    with pytest.raises(GateError):
        score(workspace, demo.data, tmp_path / "list.csv", today=TODAY.replace(year=2028))
    assert (tmp_path / "list.csv").read_text() == "last month"


def test_a_source_whose_agreement_has_ended_makes_no_list(
    workspace: Workspace, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskmodels.governance import rules

    def ended(*arguments: object) -> Study:
        study = approved(*arguments)  # type: ignore[arg-type]
        entry = study.register.sources["records"].model_copy(update={"agreement_expires": dt.date(2020, 1, 1)})
        register = study.register.model_copy(update={"sources": {**study.register.sources, "records": entry}})
        return replace(study, register=register)

    approved = rules.reviewed_study
    monkeypatch.setattr(rules, "reviewed_study", ended)
    with pytest.raises(DataError, match=r"sources\.records\.agreement_expires: the agreement ended on 2020-01-01"):
        score(workspace, demo.data, tmp_path / "list.csv")
    assert not (tmp_path / "list.csv").exists()
