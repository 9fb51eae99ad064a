"""Where a person stands, in each batch that has a record."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.models.reasons import RULE_WITHHELD
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.people.ledger import append_batch, known_batches
from riskmodels.service.people.record import PEOPLE
from riskmodels.service.people.trace import NOT_REGISTERED, batch_row, trace_people
from riskmodels.workspace import Workspace
from tests.service.people.made_batch import NOT_REACHED, facts_of, write

STUDY = "early_reading_support"
ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16
STATES = {(STUDY, 1, "a" * 64): "WITHDRAWN"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Three batches of the same forty people, each in another order."""
    workspace = Workspace(tmp_path / "work")
    for seed, batch_id in enumerate((ONE, TWO, THREE)):
        write(workspace.batch(STUDY, batch_id), 40, 4, seed=seed, batch_id=batch_id)
        append_batch(workspace, facts_of(40, 4, batch_id=batch_id))
    return workspace


def test_each_batch_says_what_it_gave(workspace: Workspace) -> None:
    trace = trace_people(known_batches(workspace), ["P0000007", "P0000008"], STATES)
    assert (trace.searched, trace.gone, trace.unreadable) == (3, (), ())
    assert [[seen.batch["batch_id"] for seen in one] for one in trace.people] == [[ONE, TWO, THREE]] * 2
    for one in trace.people:
        for seen in one:
            row = seen.row()
            assert row["model_state_today"] == "WITHDRAWN"
            assert row["of"] == 40
            assert row["listed"] == (row["rank"] <= 4)
            assert row["not_listed_because"] == (None if row["listed"] else NOT_REACHED)
            assert "P0000007" not in str(row)


def test_a_rule_is_said_only_where_it_may_be_told(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    for batch_id in (ONE, TWO):
        write(workspace.batch(STUDY, batch_id), 40, 4, batch_id=batch_id, because="has a sealed case")
        append_batch(workspace, facts_of(40, 4, batch_id=batch_id))
    frame = pl.read_parquet(workspace.batch(STUDY, ONE) / PEOPLE)
    off = frame.filter(~pl.col("listed"))["entity_id"][0]

    def told(line: Mapping[str, Any]) -> set[str]:
        return {"has a sealed case"} if line["batch_id"] == ONE else {"another rule"}

    (seen,) = trace_people(known_batches(workspace), [off], {}, told=told).people
    assert [one.row()["not_listed_because"] for one in seen] == ["has a sealed case", RULE_WITHHELD]
    # Where nobody says which may be told, none is.
    (seen,) = trace_people(known_batches(workspace), [off], {}).people
    assert [one.person.not_listed_because for one in seen] == [RULE_WITHHELD] * 2


@pytest.mark.parametrize("because", [words for words in BECAUSE.values() if words])
def test_what_the_places_decided_is_always_said(tmp_path: Path, because: str) -> None:
    workspace = Workspace(tmp_path / "work")
    frame = write(workspace.batch(STUDY, ONE), 10, 1, batch_id=ONE, because=because)
    append_batch(workspace, facts_of(10, 1, batch_id=ONE))
    (seen,) = trace_people(known_batches(workspace), [frame["entity_id"][-1]], {}).people
    assert seen[0].row()["not_listed_because"] == because


def test_nobody_is_an_answer(workspace: Workspace) -> None:
    trace = trace_people(known_batches(workspace), ["P7", "p0000007"], {})
    assert trace.people == ((), ())
    assert trace.searched == 3


def test_the_same_person_twice(workspace: Workspace) -> None:
    trace = trace_people(known_batches(workspace), ["P0000007", "P0000007"], {})
    assert trace.people[0] == trace.people[1]
    assert len(trace.people[0]) == 3


def test_a_record_that_is_gone_and_one_that_is_damaged(workspace: Workspace) -> None:
    shutil.rmtree(workspace.batch(STUDY, ONE))
    (workspace.batch(STUDY, TWO) / PEOPLE).write_bytes(b"PAR1")
    said: list[str] = []
    trace = trace_people(known_batches(workspace), ["P0000007"], {}, said.append)
    assert [seen.batch["batch_id"] for seen in trace.people[0]] == [THREE]
    assert [line["batch_id"] for line in trace.gone] == [ONE]
    assert [line["batch_id"] for line in trace.unreadable] == [TWO]
    assert len(said) == 1
    assert "P0000007" not in said[0]


def test_what_a_batch_was(workspace: Workspace) -> None:
    shutil.rmtree(workspace.batch(STUDY, ONE))
    rows = [batch_row(batch, {}) for batch in known_batches(workspace)]
    assert [row["record"] for row in rows] == ["gone", "kept", "kept"]
    assert {row["model_state_today"] for row in rows} == {NOT_REGISTERED}
    assert not any("P00" in str(row) for row in rows)
