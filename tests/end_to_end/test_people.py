"""Answering a person: the model of the demo, and a batch whose record is made by hand."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodels import commands
from riskmodels.__main__ import run
from riskmodels.errors import DataError, ModelFileError, UsageError
from riskmodels.governance import registry
from riskmodels.models.reasons import RULE_WITHHELD, reason_codes
from riskmodels.models.risk_model import RiskModel, read_model_folder
from riskmodels.reports.cells import day_text
from riskmodels.service.outputs import decision_columns as sheet
from riskmodels.service.people.ledger import append_batch, ledger_line, read_ledger
from riskmodels.service.people.record import PEOPLE, BatchNote, open_record, read_batch
from riskmodels.service.shapes import Slice
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, ROOT, TODAY, Demo

STUDY = "early_reading_support"
BATCH = "0123456789abcdef"
LISTED, COUNT = 20, 120
NOT_REACHED = "not reached: the places went to people with a higher risk"
DOCUMENT = (ROOT / "docs" / "answering-people.md").read_text()


@dataclass(frozen=True)
class Made:
    workspace: Workspace
    ids: list[str]  # best first; the first `LISTED` are on the list

    @property
    def folder(self) -> Path:
        return self.workspace.batch(STUDY, BATCH)


def make_batch(workspace: Workspace, frame: pl.DataFrame) -> Made:
    """What `riskmodels score` leaves of these people: a record and a line."""
    found = registry.resolve(workspace, STUDY)
    assert found.entry is not None
    model = RiskModel.from_files(read_model_folder(found.model_folder))
    frame = frame.with_columns(risk=pl.Series(model.predict_risk(frame))).sort("risk", "entity_id", descending=True)
    codes = reason_codes(model, model.encoder.encode(frame))
    on = np.arange(frame.height) < LISTED
    scored = frame.select(
        pl.int_range(1, frame.height + 1).alias("row_number"),
        "entity_id",
        "as_of_date",
        "risk",
        pl.when(pl.col("risk") >= 0.5).then(pl.lit("high")).otherwise(pl.lit("lower")).alias("band"),
        pl.int_range(1, frame.height + 1, dtype=pl.Int32).alias("rank"),
        pl.Series("selected", on),
        pl.Series("listed", on),
        pl.when(pl.Series(on)).then(None).otherwise(pl.lit(NOT_REACHED)).alias("not_listed_because"),
        pl.lit(None, dtype=pl.String).alias("team"),
    )
    facts = BatchNote(
        batch_id=BATCH, study=STUDY, version=found.version, model_sha256=found.entry.model_sha256,
        card_sha256=found.entry.card_sha256, as_of=scored["as_of_date"][0], scored_on=TODAY,
        counts={"rows_in": COUNT, "scored": COUNT, "rejected": 0, "listed": LISTED, "places": LISTED}, options={},
        output="list.csv", who=None, stage="pilot", example=True,
    )  # fmt: skip
    made = Made(workspace, scored["entity_id"].to_list())
    with open_record(made.folder) as record:
        record.write(Slice(scored, on, codes[on]))
        record.close(facts)
    append_batch(workspace, facts)
    return made


@pytest.fixture
def people(demo: Demo) -> pl.DataFrame:
    frame = demo.report.run.run.dataset.features.frame
    newest = frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).sort("entity_id")
    return newest.gather_every(newest.height // COUNT).head(COUNT)


@pytest.fixture
def made(workspace: Workspace, people: pl.DataFrame) -> Made:
    return make_batch(workspace, people)


def letter(made: Made, one: str, **more: object) -> str:
    return commands.letter(one, BATCH, made.workspace, TODAY, **more).content.decode()  # type: ignore[arg-type]


def refused(made: Made, one: str, batch: str = BATCH) -> str:
    with pytest.raises((DataError, UsageError)) as error:
        commands.letter(one, batch, made.workspace, TODAY)
    return str(error.value)


# ---------------------------------------------------------------- what `score` leaves


def test_a_batch_that_was_scored_is_answered_for(workspace: Workspace, demo: Demo) -> None:
    report = demo.report.score
    assert report is not None
    rows = pl.read_csv(report.output, infer_schema=False)
    first, last = (rows.row(place, named=True) for place in (0, -1))
    trace = commands.trace([first["entity_id"], last["entity_id"]], workspace, TODAY)
    assert (trace.searched, trace.gone, trace.unreadable) == (1, (), ())
    for row, ((seen,), rank) in zip((first, last), zip(trace.people, (1, rows.height), strict=True), strict=True):
        assert seen.batch["batch_id"] == row["batch_id"]
        assert seen.person.risk == pytest.approx(float(row["risk"]))
        assert (seen.person.band, seen.person.rank) == (row["band"], rank)
        assert seen.person.not_listed_because == row["not_listed_because"]
    text = commands.letter(first["entity_id"], first["batch_id"], workspace, TODAY).content.decode()
    assert first["reason_1"].lower() in " ".join(text.split()).lower()
    assert not any(one in text for one in rows["entity_id"])


def test_a_batch_run_again_later_keeps_its_first_day(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    """Ledger, record, report and letter all say the day on which the list was made first."""
    runs = [
        commands.score(STUDY, demo.data, tmp_path / f"{day}.csv", workspace, day, AS_OF)
        for day in (TODAY, TODAY + dt.timedelta(days=3))
    ]
    (batch_id,) = {run.batch_id for run in runs}
    (line,) = [line for line in read_ledger(workspace) if line["batch_id"] == batch_id]
    note = read_batch(workspace.batch(STUDY, batch_id))
    assert line == ledger_line(note)
    assert note.scored_on == TODAY
    one = pl.read_csv(runs[1].output, infer_schema=False)["entity_id"][0]
    text = " ".join(commands.letter(one, batch_id, workspace, TODAY).content.decode().split())
    assert f"The list was made on {day_text(TODAY.isoformat())}." in text
    assert runs[0].files_by_name["Report"].read_bytes() == runs[1].files_by_name["Report"].read_bytes()


# ---------------------------------------------------------------- trace


def test_trace_says_what_the_batch_gave(made: Made) -> None:
    trace = commands.trace([made.ids[0], made.ids[-1], "nobody"], made.workspace, TODAY, batch=BATCH)
    first, last = (seen[0].row() for seen in trace.people[:2])
    assert (first["rank"], first["of"], first["listed"], first["has_reasons"]) == (1, COUNT, True, True)
    assert (last["rank"], last["listed"], last["not_listed_because"]) == (COUNT, False, NOT_REACHED)
    assert first["model_state_today"] == "APPROVED"
    assert trace.people[2] == ()


def test_every_batch_a_model_touched(made: Made) -> None:
    rows = commands.batches(made.workspace, TODAY, model=f"{STUDY}/1")
    assert BATCH in [row["batch_id"] for row in rows]
    assert {row["version"] for row in rows} == {1}
    with pytest.raises(UsageError, match="no version 2"):
        commands.batches(made.workspace, TODAY, model=f"{STUDY}/2")
    with pytest.raises(UsageError, match="--study"):
        commands.batches(made.workspace, TODAY, study="another")


def test_a_damaged_index_of_models_does_not_keep_the_answer_back(made: Made) -> None:
    made.workspace.models_index.write_text("{")
    said: list[str] = []
    trace = commands.trace([made.ids[0]], made.workspace, TODAY, batch=BATCH, progress=said.append)
    assert trace.people[0][0].model_state == "NOT REGISTERED"
    assert any("models.json" in line for line in said)


# ---------------------------------------------------------------- letter


@pytest.mark.parametrize("place", [0, LISTED - 1, LISTED, COUNT - 1])
def test_a_letter_says_nothing_of_anybody_else(made: Made, demo: Demo, place: int, tmp_path: Path) -> None:
    """Were everybody else another person with other values, this one's letter would be the same bytes."""
    one = made.ids[place]
    text = letter(made, one)
    assert not any(other in text for other in made.ids)
    frame = demo.report.run.run.dataset.features.frame
    newest = frame.filter(pl.col("as_of_date") == frame["as_of_date"].max())
    newest = newest.with_columns(risk=pl.Series(demo.report.run.run.model.predict_risk(newest)))
    own = newest.filter(pl.col("entity_id") == one)
    strangers = newest.filter(~pl.col("entity_id").is_in(made.ids)).sample(fraction=1, shuffle=True, seed=1)
    above = strangers.filter(pl.col("risk") > own["risk"][0]).head(place)
    below = strangers.filter(pl.col("risk") < own["risk"][0]).head(COUNT - 1 - place)
    shutil.rmtree(made.folder)
    again = make_batch(made.workspace, pl.concat([above, own, below]).drop("risk"))
    assert again.ids.index(one) == place
    assert len(set(again.ids) & set(made.ids)) == 1
    assert letter(again, one) == text


def test_reasons_are_the_person_s_own(made: Made, people: pl.DataFrame) -> None:
    one = made.ids[0]
    mark = people.filter(pl.col("entity_id") == one)["reading_now"][0]
    assert f"low reading score this spring ({mark:.0f}; typical is" in " ".join(letter(made, one).split())
    assert "We have no reasons for you on record." in letter(made, made.ids[-1])


def test_who_is_not_there_gets_one_line_and_no_more(made: Made) -> None:
    lines = {refused(made, one) for one in ("SECRET-1", " SECRET-2 ", "")}
    assert len(lines) == 1
    (line,) = lines
    assert "SECRET" not in line
    assert line.startswith("no letter can be written: nobody of this id")


def test_a_batch_that_is_not_there_or_no_longer(made: Made) -> None:
    assert "--batch: no such batch here" in refused(made, made.ids[0], "SECRET")
    assert "SECRET" not in refused(made, made.ids[0], "SECRET")
    shutil.rmtree(made.folder)
    line = refused(made, made.ids[0])
    assert "was deleted or never kept" in line
    assert made.ids[0] not in line
    trace = commands.trace([made.ids[0]], made.workspace, TODAY)
    assert BATCH in [line["batch_id"] for line in trace.gone]


def test_another_model_than_the_batch_was_made_with(made: Made) -> None:
    path = made.folder / "batch.json"
    batch = json.loads(path.read_text())
    path.write_text(json.dumps(batch | {"card_sha256": "0" * 64}))
    with pytest.raises(ModelFileError, match="is not the model and card"):
        letter(made, made.ids[0])


def test_a_withdrawn_model_is_answered_for(made: Made) -> None:
    withdrawal = {"kind": "withdrawal", "reason": "A record was wrong.", "owner_role": "Head of School Improvement"}
    commands.record_review(STUDY, withdrawal, made.workspace, TODAY)
    trace = commands.trace([made.ids[0]], made.workspace, TODAY, batch=BATCH)
    assert trace.people[0][0].model_state == "WITHDRAWN"
    assert "We have since stopped using this model." in letter(made, made.ids[0])


def decisions(path: Path, rows: list[tuple[str, str | None, str, str]]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    page.title = sheet.SHEET
    page.append([sheet.PERSON, sheet.DECISION, sheet.DECIDER, sheet.DECIDED_ON, sheet.WHY, sheet.HOW, sheet.BATCH])
    for person, decision, decider, why in rows:
        page.append([person, decision, decider, "2026-11-24", why, sheet.LISTED, BATCH])
    book.save(path)
    return path


def test_who_decided_comes_from_the_sheet_and_why_stays_there(made: Made, tmp_path: Path) -> None:
    rows: list[tuple[str, str | None, str, str]] = [
        (made.ids[0], "offered help", "CANARY, who also sees his sister", "CANARY of a sister"),
        (made.ids[1], "not now", "CANARY worker", "CANARY words"),
        (made.ids[2], None, "CANARY worker", "CANARY words"),
    ]
    path = decisions(tmp_path / "sheet.xlsx", rows)
    text = letter(made, made.ids[0], decisions=path)
    said = " ".join(text.split())
    assert "A worker decided on 24 November 2026: offered help." in said
    assert "We noted who it was. We noted why. You can ask who it was, and why." in said
    assert "CANARY" not in text
    for undecided in (made.ids[2], made.ids[3]):
        assert "No decision is recorded here yet." in letter(made, undecided, decisions=path)


# ---------------------------------------------------------------- the command line


def call(made: Made, *arguments: str) -> int:
    return run([*arguments, "--workspace", str(made.workspace.root), "--today", TODAY.isoformat()])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_an_id_from_standard_input(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, f"{made.ids[0]}\n")
    assert call(made, "trace", "-", "--batch", BATCH) == 0
    said = capsys.readouterr()
    assert "in 1 of 1 batches searched." in said.out
    assert f"rank 1 of {COUNT}" in said.out
    assert made.ids[0] not in said.out + said.err


def test_several_ids_from_a_file(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ids.txt").write_text(f"{made.ids[4]}\r\n\n nobody \n{made.ids[0]}\n")
    assert call(made, "trace", "--ids", str(tmp_path / "ids.txt"), "--batch", BATCH, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    ranks = [[batch["rank"] for batch in one["batches"]] for one in answer["people"]]
    assert ranks == [[5], [], [1]]
    assert [one["place"] for one in answer["people"]] == [1, 2, 3]


def test_not_in_any_batch_is_an_answer(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(made, "trace", "SECRET") == 0
    said = capsys.readouterr()
    assert re.match(r"not in any batch \([12] searched\)\. ", said.out)
    assert "SECRET" not in said.out + said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "SECRET", "SECRET"),
        ("trace", "SECRET", "--nonsense", "SECRET"),
        ("trace", "--SECRET", "SECRET"),
        ("trace", "SECRET", "--ids", "ids.txt"),
        ("trace", "SECRET", "--batch", "unknown"),
        ("letter", "SECRET", "--batch", BATCH),
        ("letter", "SECRET", "SECRET", "--batch", BATCH),
        ("letter", "SECRET"),
    ],
)
def test_no_error_repeats_an_id(made: Made, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(made, *arguments) in (2, 4)
    said = capsys.readouterr()
    assert "SECRET" not in said.out + said.err
    assert len(said.err.splitlines()) == 1


def test_a_letter_is_written_for_its_owner_only(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("letter.html", "letter.md", "letter.txt", "letter.letter"):
        typed(monkeypatch, made.ids[0])
        assert call(made, "letter", "-", "--batch", BATCH, "--output", str(tmp_path / name)) == 0
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert made.ids[0] not in (tmp_path / name).read_text()
    assert (tmp_path / "letter.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "letter.letter").read_text() == (tmp_path / "letter.txt").read_text()
    said = capsys.readouterr()
    assert made.ids[0] not in said.out + said.err


def test_one_letter_is_for_one_person(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, f"{made.ids[0]}\n{made.ids[1]}\n")
    assert call(made, "letter", "-", "--batch", BATCH) == 2


def test_the_batches_without_anybody(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(made, "trace", "--batch", BATCH) == 0
    assert f"scored: {COUNT}\n" in capsys.readouterr().out
    assert call(made, "trace", "--model", f"{STUDY}/1", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["batches"]
    assert BATCH in [row["batch_id"] for row in rows]
    assert call(made, "trace") == 0
    out = capsys.readouterr().out
    assert BATCH in out
    assert not any(one in out for one in made.ids)


def test_a_study_that_cannot_be_read_tells_no_rule(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer does not wait for it; what it cannot vouch for is withheld."""
    frame = pl.read_parquet(made.folder / PEOPLE)
    table = pq.read_table(made.folder / PEOPLE)
    place = table.column_names.index("not_listed_because")
    sealed = pa.array([None if listed else "CANARY rule" for listed in frame["listed"]], pa.large_string())
    pq.write_table(table.set_column(place, "not_listed_because", sealed), made.folder / PEOPLE)
    shutil.rmtree(registry.resolve(made.workspace, STUDY).folder / "study")
    assert call(made, "trace", made.ids[-1], "--batch", BATCH) == 0
    said = capsys.readouterr()
    assert f"no: {RULE_WITHHELD}" in said.out
    assert "CANARY" not in said.out + said.err
    assert made.ids[-1] not in said.out + said.err


def test_a_letter_that_is_hard_to_read_is_said_to_be_so(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, made.ids[0])
    assert call(made, "letter", "-", "--batch", BATCH) == 0
    assert "reads at grade" not in capsys.readouterr().err
    monkeypatch.setattr("riskmodels.service.people.plain.GRADE", 1.0)
    typed(monkeypatch, made.ids[0])
    assert call(made, "letter", "-", "--batch", BATCH) == 0
    said = capsys.readouterr()
    assert re.search(r"^riskmodels: note: the letter reads at grade \d\.\d, above 1; .*answers\.yaml: ", said.err, re.M)
    assert "reads at grade" not in said.out
    assert made.ids[0] not in said.err


def test_nothing_of_an_answer_goes_to_mlflow(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (made.workspace.root / "mlflow.db").read_bytes()
    typed(monkeypatch, made.ids[0])
    call(made, "letter", "-", "--batch", BATCH)
    call(made, "trace", made.ids[0])
    assert (made.workspace.root / "mlflow.db").read_bytes() == before


# ---------------------------------------------------------------- the documentation


def test_the_commands_of_the_documentation_run(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.txt").write_text("\n".join(made.ids[:3]))
    decisions(tmp_path / "sheet.xlsx", [(made.ids[0], "offered help", "Reading lead", "agreed")])
    lines = re.findall(r"^riskmodels (.+)$", DOCUMENT, flags=re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        typed(monkeypatch, made.ids[0])
        assert call(made, *line.partition("#")[0].split()) == 0, line
        capsys.readouterr()
    assert (tmp_path / "letter.html").exists()


def test_the_letter_of_the_documentation_is_one(made: Made) -> None:
    """What is quoted there is said to everybody on a list, but for the number."""
    quoted = re.findall(r"^> (.+)$", DOCUMENT, flags=re.MULTILINE)
    assert len(quoted) >= 5
    text = " ".join(letter(made, made.ids[0]).split())
    for line in quoted:
        said = re.escape(line).replace(r"N\ of", r"\d+\ of").replace(r"other\ M", r"other\ \d+")
        assert re.search(said, text), line
