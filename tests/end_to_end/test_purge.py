"""What is due is deleted and is on record; what is not ours stays, and everything else still works."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from riskmodels import commands, storage
from riskmodels.errors import DataError
from riskmodels.governance.acts import Purge
from riskmodels.governance.chain import read_chain
from riskmodels.governance.retention import ARTEFACTS
from riskmodels.service.people.ledger import known_batches, read_ledger
from riskmodels.workspace import Workspace
from tests.conftest import ROOT, TODAY
from tests.end_to_end.purged import (
    BY,
    FAR,
    GOES,
    KEPT_FOR_EVER,
    STUDY,
    draft_in,
    files_in,
    on_record,
    run_of,
    withdraw,
    write_policy,
)
from tests.end_to_end.served import call, refused

# ---------------------------------------------------------------- what goes, and what stays


def test_what_is_due_goes_and_is_on_record(workspace: Workspace) -> None:
    before = files_in(workspace)
    called = call(workspace, "purge", *BY, today=FAR)
    assert called.code == 0, called
    after = files_in(workspace)
    gone = before.keys() - after.keys()
    assert gone
    assert on_record(workspace) == {path: storage.sha256(before[path]) for path in gone}
    assert {path for path in before if GOES.match(path)} == gone
    said = [line.act for line in read_chain(workspace.reviews(STUDY)) if isinstance(line.act, Purge)]
    assert {act.by_role for act in said} == {"information governance officer"}
    assert {act.artefact: act.kept_for for act in said} == {
        "batches": "24 months", "predictions": "24 months", "exact_counts": "24 months", "source_tables": "12 months",
        "cache": "30 days",
    }  # fmt: skip
    # All else is as it was, byte for byte, but for the record and the cache's own list.
    changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    assert changed == {f"governance/{STUDY}.jsonl", f"governance/{STUDY}.head", f"cache/{STUDY}.json"}
    assert {path for path in before if KEPT_FOR_EVER.match(path)} <= after.keys()
    assert not (workspace.root / "data" / STUDY).exists()
    assert not list((workspace.root / "batches" / STUDY).iterdir())
    assert f"{len(gone)} files" in called.out
    # There is nothing left to do, and nothing more on record.
    again = call(workspace, "purge", *BY, today=FAR)
    assert again.out == "Deleted: 0 files; nothing is due.\n"
    assert files_in(workspace) == after


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--due", "--dry-run")])
def test_nothing_goes_without_due(workspace: Workspace, words: tuple[str, ...]) -> None:
    before = files_in(workspace)
    called = call(workspace, "purge", STUDY, *words, today=FAR)
    assert called.code == 0
    assert "\nDue\n" in called.out
    assert f"Not ours to delete, wherever they were put: {STUDY}-1989-06-30.csv" in called.out
    assert files_in(workspace) == before


def test_it_tells_what_there_is_of_each_kind_and_what_is_due_next(workspace: Workspace) -> None:
    told = call(workspace, "purge", today=TODAY).out
    shown = told.partition("What there is\n")[2].splitlines()
    assert shown[0].split() == ["artefact", "files", "size", "oldest", "first", "due"]
    rows = {row["artefact"]: row for row in commands.purge(STUDY, workspace, TODAY).artefacts}
    assert {line.split()[0] for line in shown[1 : len(rows) + 1]} == set(rows)
    first = min(row["first_due"] for row in rows.values())
    names = [name for name, row in rows.items() if row["first_due"] == first]
    assert f"Next due: {', '.join(names)}, {first}." in told


def test_nobody_is_named(workspace: Workspace) -> None:
    ids = set(pl.read_parquet(run_of(workspace) / "predictions.parquet")["entity_id"].unique().sort().head(200))
    before = workspace.reviews(STUDY).read_text()
    out = call(workspace, "purge", "--json", *BY, today=FAR).said + workspace.reviews(STUDY).read_text()[len(before) :]
    assert not ids & set(re.findall(r"\w+", out))
    assert ids & set(re.findall(r"\w+", (workspace.root / "lists" / f"{STUDY}-1989-06-30.csv").read_text()))


def test_a_batch_goes_on_the_day_its_time_is_over(workspace: Workspace) -> None:
    write_policy(workspace, f"studies: {{{STUDY}: {{batches: 10 days}}}}")
    for days, there in ((9, True), (10, False)):
        assert call(workspace, "purge", *BY, today=TODAY + dt.timedelta(days=days)).code == 0
        assert (known_batches(workspace)[0].folder is not None) is there


def test_the_champion_keeps_its_test_until_it_is_withdrawn(workspace: Workspace) -> None:
    run = run_of(workspace)
    made = json.loads((run / "run.json").read_text()) | {"started": "2026-01-01T10:00:00+00:00"}
    (run / "run.json").write_bytes(storage.canonical_json(made))
    write_policy(workspace, "periods: {predictions: 1 day, exact_counts: 1 day}")
    called = call(workspace, "purge", *BY, today=TODAY)
    assert f"{STUDY}/1 is the champion" in called.out
    assert (run / "ranking.parquet").exists()
    assert not (run / "audit_exact.json").exists()
    withdraw(workspace, TODAY)
    call(workspace, "purge", *BY, today=TODAY)
    assert not (run / "ranking.parquet").exists()
    assert not (run / "predictions.parquet").exists()
    assert (run / "riskmodel" / "manifest.json").exists()


def test_a_draft_goes_whole_and_a_copy_of_a_version_does_not(workspace: Workspace) -> None:
    draft = draft_in(workspace)
    copy = Path(shutil.copytree(run_of(workspace), draft.with_name("a-copy")))
    assert call(workspace, "purge", *BY, today=FAR).code == 0
    assert not draft.exists()
    assert sorted(path.name for path in copy.iterdir()) == sorted(path.name for path in run_of(workspace).iterdir())
    assert (copy / "riskmodel" / "manifest.json").exists()


def test_a_draft_with_something_of_somebody_s_is_left_whole(workspace: Workspace) -> None:
    draft = draft_in(workspace)
    (draft / "my notes.txt").write_text("mine")
    called = call(workspace, "purge", *BY, today=FAR)
    assert "holds 1 that riskmodels did not write; move it away" in called.out
    assert (draft / "predictions.parquet").exists()
    (draft / "my notes.txt").unlink()
    call(workspace, "purge", *BY, today=FAR)
    assert not draft.exists()


def test_without_an_index_no_run_is_taken_for_a_draft(workspace: Workspace) -> None:
    draft = draft_in(workspace)
    workspace.models_index.unlink()
    called = call(workspace, "purge", *BY, today=FAR)
    assert "there is no models.json to say that it was never registered" in called.out
    assert (draft / "riskmodel" / "manifest.json").exists()


def test_a_run_of_unknown_age_stays(workspace: Workspace) -> None:
    (run_of(workspace) / "run.json").write_text("{}")
    called = call(workspace, "purge", *BY, today=FAR)
    assert "run.json cannot be read, so nobody can tell its age" in called.out
    assert (run_of(workspace) / "predictions.parquet").exists()


def test_a_batch_without_a_line_has_one_before_it_goes(workspace: Workspace) -> None:
    (line,) = read_ledger(workspace)
    workspace.ledger.unlink()
    call(workspace, "purge", *BY, today=FAR)
    assert read_ledger(workspace) == [line]
    assert known_batches(workspace)[0].folder is None


def test_what_a_killed_command_left_goes_too(workspace: Workspace) -> None:
    left = [
        workspace.root / "runs" / STUDY / ".2026.abc.part" / "new" / "predictions.parquet",
        workspace.root / "data" / f".{STUDY}.abc.part" / "new" / "pupils.parquet",
        workspace.root / "batches" / STUDY / ".riskmodels-abc.part" / "new" / "people.parquet",
        workspace.cache / "engine" / "riskmodels-abc" / "spill.tmp",
    ]
    for path in left:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"people")
    call(workspace, "purge", *BY, today=TODAY)
    assert all(path.exists() for path in left)
    call(workspace, "purge", *BY, today=FAR)
    assert not any(path.parents[1].exists() for path in left[:3])
    assert not left[3].parent.exists()


def test_a_cached_table_of_another_study_stays(workspace: Workspace) -> None:
    record = json.loads((workspace.cache / f"{STUDY}.json").read_text())
    mine, others = record["results"][0], record["results"][1]
    for name, results in ((STUDY, [mine]), ("another", [others])):
        (workspace.cache / f"{name}.json").write_bytes(storage.canonical_json({**record, "results": results}))
    called = call(workspace, "purge", STUDY, *BY, today=FAR)
    assert called.code == 0, called
    left = {path.name.partition(".")[0] for path in workspace.cache.glob("results/*/*.parquet")}
    assert left == {others}  # what nobody claims goes as well
    assert json.loads((workspace.cache / f"{STUDY}.json").read_text())["results"] == []


def test_a_file_of_tonight_is_of_the_council_s_day(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 23:30 UTC on 30 June it is 1 July in London: kept for a day, it goes on the 2nd."""
    stamp = workspace.data(STUDY) / ".prepared"
    moment = dt.datetime(2027, 6, 30, 23, 30, tzinfo=dt.UTC).timestamp()
    os.utime(stamp, (moment, moment))
    write_policy(workspace, "periods: {source_tables: 1 day}")
    rows = commands.purge(STUDY, workspace, dt.date(2027, 7, 1)).rows
    assert [row.due for row in rows if row.item.artefact == "source_tables"] == [dt.date(2027, 7, 2)]
    monkeypatch.setenv("RISKMODELS_TIME_ZONE", "America/New_York")
    rows = commands.purge(STUDY, workspace, dt.date(2027, 7, 1)).rows
    assert [row.due for row in rows if row.item.artefact == "source_tables"] == [dt.date(2027, 7, 1)]


# ---------------------------------------------------------------- links


LINKED: dict[str, Callable[[Workspace], Path]] = {
    "a file of a run": lambda workspace: run_of(workspace) / "predictions.parquet",
    "a draft": lambda workspace: draft_in(workspace),
    "a folder of a draft": lambda workspace: draft_in(workspace) / "figures",
    "a batch": lambda workspace: next((workspace.root / "batches" / STUDY).iterdir()),
    "a batch's people": lambda workspace: next((workspace.root / "batches" / STUDY).iterdir()) / "people.parquet",
    "the batches of a study": lambda workspace: workspace.root / "batches" / STUDY,
    "the source tables": lambda workspace: workspace.data(STUDY),
    "a source table": lambda workspace: workspace.data(STUDY) / "pupils.parquet",
    "all source tables": lambda workspace: workspace.root / "data",
    "the cache": lambda workspace: workspace.cache,
    "all runs": lambda workspace: workspace.root / "runs",
}


@pytest.mark.parametrize("case", LINKED)
def test_no_link_is_followed(workspace: Workspace, tmp_path: Path, case: str) -> None:
    linked = LINKED[case](workspace)
    outside = tmp_path / "outside"
    shutil.move(linked, outside)
    linked.symlink_to(outside)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} or {
        outside: outside.read_bytes()
    }
    called = call(workspace, "purge", *BY, today=FAR)
    assert called.code == 0, called
    assert linked.is_symlink()
    assert all(path.read_bytes() == content for path, content in before.items())


def test_the_workspace_itself_may_be_reached_by_a_link(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(workspace.root)
    assert "Deleted: 0 files" not in call(Workspace(tmp_path / "link"), "purge", *BY, today=FAR).out
    assert not (run_of(workspace) / "predictions.parquet").exists()


# ---------------------------------------------------------------- bad input


BAD: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "no period": ("periods: {batches: soon}", (), 3, "retention.yaml: periods.batches: a period reads like"),
    "negative": ("periods: {batches: -3 months}", (), 3, "retention.yaml: periods.batches: a period reads like"),
    "unknown artefact": ("periods: {batch: 3 days}", (), 3, "periods.batch: unknown key; did you mean 'batches'?"),
    "not YAML": ("periods: [", (), 3, "retention.yaml"),
    "a study nobody knows": ("studies: {reading: {cache: 3 days}}", (), 2, "studies.reading: nothing is kept of such"),
    "unknown study": ("", ("reading",), 2, f"nothing is kept here of a study of that name; there is {STUDY}"),
    "no role": ("", ("--due",), 2, "--by: say in which role you delete"),
    "a person": ("", ("--due", "--by", "jo@council.example"), 2, "--by: names a role, never a person's contact"),
    "an empty role": ("", ("--due", "--by", " "), 2, "--by: "),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_nothing_goes(workspace: Workspace, case: str) -> None:
    text, words, code, said = BAD[case]
    if text:
        write_policy(workspace, text)
    before = files_in(workspace)
    refused(call(workspace, "purge", *(words or BY), today=FAR), code, said)
    assert files_in(workspace) == before


def test_a_day_before_the_last_on_record_is_refused(workspace: Workspace) -> None:
    write_policy(workspace, "periods: {batches: 1 day}")
    before = files_in(workspace)
    refused(call(workspace, "purge", *BY, today=TODAY - dt.timedelta(days=1)), 6, "correct the clock")
    assert files_in(workspace) == before


def test_a_broken_record_stops_it(workspace: Workspace) -> None:
    path = workspace.reviews(STUDY)
    path.write_bytes(path.read_bytes().replace(b"pilot", b"live!", 1))
    before = files_in(workspace)
    refused(call(workspace, "purge", *BY, today=FAR), 6, "was edited")
    assert files_in(workspace) == before


def test_no_workspace(tmp_path: Path) -> None:
    refused(call(Workspace(tmp_path / "nowhere"), "purge"), 2, "no such workspace")
    assert not (tmp_path / "nowhere").exists()


# ---------------------------------------------------------------- afterwards


@pytest.mark.slow
def test_every_other_command_still_works_and_says_what_is_gone(workspace: Workspace, tmp_path: Path) -> None:
    data = shutil.copytree(workspace.data(STUDY), tmp_path / "data")
    run, (line,) = run_of(workspace), read_ledger(workspace)
    write_policy(workspace, "periods: {batches: 1 day, source_tables: 1 day, exact_counts: 1 day, predictions: 1 day}")
    made = json.loads((run / "run.json").read_text()) | {"started": "2026-01-01T10:00:00+00:00"}
    (run / "run.json").write_bytes(storage.canonical_json(made))
    old = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    os.utime(workspace.data(STUDY) / ".prepared", (old, old))
    day = TODAY + dt.timedelta(days=1)
    assert call(workspace, "purge", *BY, today=day).code == 0
    gone = {"batches", "source_tables", "exact_counts"}
    acts = [one.act for one in read_chain(workspace.reviews(STUDY))]
    assert {act.artefact for act in acts if isinstance(act, Purge)} == gone

    for name in ("predictions.parquet", "ranking.parquet"):  # the champion's stay; without them it must work, too
        shutil.move(run / name, tmp_path / name)
    person = pl.read_parquet(data / "pupils.parquet")["pupil_id"].cast(pl.String)[0]
    traced = call(workspace, "trace", person, today=day)
    assert traced.code == 0
    assert f"The record of batch {line['batch_id']} ({STUDY}, 1989-06-30) is deleted" in traced.out
    refused(
        call(workspace, "letter", person, "--batch", line["batch_id"], today=day),
        4,
        "the record of this batch was deleted",
    )
    for words in (("models",), ("review", "show", STUDY), ("card", STUDY), ("trace",)):
        assert call(workspace, *words, today=day).code == 0, words
    words = ("score", STUDY, data, "--as-of", "1989-06-30", "--output", tmp_path / "list.csv")
    scored = call(workspace, *words, today=day)
    assert scored.code == 0, scored
    again = [one for one in known_batches(workspace) if one.folder is not None]
    assert [one.line["batch_id"] for one in again] == [line["batch_id"]]

    for name in ("predictions.parquet", "ranking.parquet"):
        shutil.move(tmp_path / name, run / name)
    withdraw(workspace, day)
    assert call(workspace, "purge", *BY, today=day).code == 0
    with pytest.raises(DataError, match=rf"ranking.parquet: was deleted on {day}, after 1 day \(record \d+\)"):
        commands.compare([f"{STUDY}/1", f"{STUDY}/1"], workspace)
    # A batch that is scored again is of the day it was first scored, so its record is due at once.
    assert known_batches(workspace)[0].folder is None


# ---------------------------------------------------------------- the page


def test_the_page_s_policy_and_defaults_are_true(workspace: Workspace) -> None:
    page = (ROOT / "docs" / "retention.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    write_policy(workspace, example)
    told = json.loads(call(workspace, "purge", "--json", today=FAR).out)
    kept_for = {line["artefact"]: (line["kept_for"], line["said_in"]) for line in told["periods"]}
    assert kept_for["batches"] == ("12 months", f"retention.yaml, studies.{STUDY}")
    assert kept_for["cache"] == ("2 weeks", "retention.yaml")
    assert kept_for["drafts"] == ("3 months", "default")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+ \w+) \| [^|]+ \|$", page, flags=re.MULTILINE)
    assert dict(rows) == {name: str(artefact.default) for name, artefact in ARTEFACTS.items()}


def test_the_page_s_commands_run(workspace: Workspace) -> None:
    page = (ROOT / "docs" / "retention.md").read_text()
    (block,) = re.findall(r"```\n(.*?)```", page.split("## Who decides")[0], flags=re.DOTALL)
    lines = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    assert len(lines) == 4
    for words in lines:
        assert call(workspace, *words, today=FAR).code == 0, words
    assert not workspace.data(STUDY).exists()
