"""The ledger: one line a batch, nobody by name, and a crash costs one line at most."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from riskmodels.service.people import ledger
from riskmodels.service.people.ledger import (
    append_batch,
    first_scored_on,
    known_batches,
    ledger_line,
    read_ledger,
    seals_seen,
)
from riskmodels.workspace import Workspace
from tests.service.people.made_batch import facts_of, write

ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


def ids(workspace: Workspace) -> list[str]:
    return [line["batch_id"] for line in read_ledger(workspace)]


def test_the_same_batch_run_again_is_the_same_line(workspace: Workspace) -> None:
    assert append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    before = workspace.ledger.read_bytes()
    assert not append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    assert workspace.ledger.read_bytes() == before
    assert append_batch(workspace, facts_of(50, 5, batch_id=TWO))
    assert ids(workspace) == [ONE, TWO]


def test_a_line_is_aggregates_only() -> None:
    line = ledger_line(facts_of(50, 5, who="reading_team", output="list.csv"))
    assert (line["scored"], line["listed"]) == (50, 5)
    assert {"output", "options", "who"}.isdisjoint(line)
    assert all(isinstance(value, (str, int, bool)) for value in line.values())


def test_the_seals_that_batches_saw(workspace: Workspace) -> None:
    for batch_id, seal in ((ONE, "a" * 64), (TWO, "b" * 64), (THREE, "")):
        append_batch(workspace, facts_of(50, 5, batch_id=batch_id, record_sha256=seal))
    append_batch(workspace, facts_of(50, 5, batch_id="4" * 16, record_sha256="c" * 64, study="another"))
    assert seals_seen(workspace, "early_reading_support") == ("a" * 64, "b" * 64)
    assert seals_seen(workspace, "another") == ("c" * 64,)


def test_no_ledger_is_no_batch(workspace: Workspace) -> None:
    assert read_ledger(workspace) == []
    assert known_batches(workspace) == []


@pytest.mark.parametrize("keep", [1, 30, -2])
def test_a_torn_last_line_is_passed_over_and_said(workspace: Workspace, keep: int) -> None:
    append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    whole = len(workspace.ledger.read_bytes())
    append_batch(workspace, facts_of(50, 5, batch_id=TWO))
    text = workspace.ledger.read_bytes()
    workspace.ledger.write_bytes(text[: whole + keep] if keep > 0 else text[:keep])
    said: list[str] = []
    assert [line["batch_id"] for line in read_ledger(workspace, said.append)] == [ONE]
    assert len(said) == 1
    assert "line 2: is cut short or damaged" in said[0]
    # What is written next has a line of its own, and the torn batch can be had back.
    append_batch(workspace, facts_of(50, 5, batch_id=THREE))
    append_batch(workspace, facts_of(50, 5, batch_id=TWO))
    assert ids(workspace) == [ONE, THREE, TWO]


def test_two_that_write_at_once_wait_for_each_other(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have the same batch. Whoever comes first is held between reading and writing, until the other has read too
    or, since it waits, half a second has gone."""
    both_have_read = threading.Barrier(2)

    def slowly(read_from: Workspace) -> list[dict[str, Any]]:
        found = read_ledger(read_from)
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.5)
        return found

    monkeypatch.setattr(ledger, "read_ledger", slowly)
    with ThreadPoolExecutor(2) as pool:
        wrote = list(pool.map(append_batch, [workspace] * 2, [facts_of(50, 5, batch_id=ONE)] * 2))
    assert sorted(wrote) == [False, True]
    assert len(workspace.ledger.read_bytes().splitlines()) == 1


def test_a_whole_line_without_its_end_counts(workspace: Workspace) -> None:
    append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    workspace.ledger.write_bytes(workspace.ledger.read_bytes().rstrip(b"\n"))
    assert not append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    append_batch(workspace, facts_of(50, 5, batch_id=TWO))
    assert ids(workspace) == [ONE, TWO]


def test_run_again_under_another_approval_is_a_new_line_that_counts(workspace: Workspace) -> None:
    for note in (facts_of(50, 5, batch_id=ONE), facts_of(50, 5, batch_id=TWO)):
        assert append_batch(workspace, note)
    later = facts_of(50, 5, batch_id=ONE, stage="live")
    assert append_batch(workspace, later)
    assert not append_batch(workspace, later)
    assert ids(workspace) == [ONE, TWO]
    assert read_ledger(workspace)[0] == ledger_line(later)
    assert len(workspace.ledger.read_bytes().splitlines()) == 3


def test_the_day_of_the_first_run_stands(workspace: Workspace) -> None:
    study = "early_reading_support"
    assert first_scored_on(workspace, study, ONE) is None
    note = facts_of(20, 3, batch_id=ONE)
    append_batch(workspace, note)
    assert first_scored_on(workspace, study, ONE) == note.scored_on
    assert first_scored_on(workspace, study, TWO) is None
    # A crash took its line.
    write(workspace.batch(study, TWO), 20, 3, batch_id=TWO)
    assert first_scored_on(workspace, study, TWO) == note.scored_on
    (workspace.batch(study, TWO) / "batch.json").write_text("{")
    assert first_scored_on(workspace, study, TWO) is None


@pytest.mark.parametrize(
    "wrong",
    [{"batch_id": "../../etc"}, {"study": "../secret"}, {"batch_id": 1}, {"study": None}],
)
def test_a_line_that_leads_out_of_the_workspace_is_none(workspace: Workspace, wrong: dict[str, object]) -> None:
    append_batch(workspace, facts_of(50, 5, batch_id=ONE))
    line = ledger_line(facts_of(50, 5, batch_id=TWO)) | wrong
    with workspace.ledger.open("a") as file:
        file.write(json.dumps(line) + "\n[]\n\xff\n")
    said: list[str] = []
    assert [line["batch_id"] for line in read_ledger(workspace, said.append)] == [ONE]
    assert len(said) == 3


def test_an_older_line_without_a_card_is_read(workspace: Workspace) -> None:
    line = ledger_line(facts_of(50, 5, batch_id=ONE))
    del line["card_sha256"]
    workspace.ledger.parent.mkdir(parents=True)
    workspace.ledger.write_text(json.dumps(line) + "\n")
    assert ids(workspace) == [ONE]


def test_records_and_lines_are_one_list(workspace: Workspace) -> None:
    """A record that was deleted leaves its line; one whose line a crash took is found all the same."""
    study = "early_reading_support"
    for batch_id, in_ledger in ((ONE, True), (TWO, True), (THREE, False)):
        write(workspace.batch(study, batch_id), 20, 3, batch_id=batch_id)
        if in_ledger:
            append_batch(workspace, facts_of(20, 3, batch_id=batch_id))
    shutil.rmtree(workspace.batch(study, ONE))
    found = {batch.line["batch_id"]: batch.folder is not None for batch in known_batches(workspace)}
    assert found == {ONE: False, TWO: True, THREE: True}


def test_a_damaged_record_without_a_line_is_said(workspace: Workspace) -> None:
    folder = workspace.batch("early_reading_support", ONE)
    folder.mkdir(parents=True)
    (folder / "batch.json").write_text("{")
    said: list[str] = []
    assert known_batches(workspace, said.append) == []
    assert len(said) == 1
