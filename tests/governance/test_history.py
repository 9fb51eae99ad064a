"""What was so when, held to the slow way: asking the record day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskmodels.errors import GateError
from riskmodels.governance.chain import Record, read_chain
from riskmodels.governance.champions import champion
from riskmodels.governance.history import Batch, approvals, batches_by_study, champion_on, outside, reign_rows
from riskmodels.governance.registry import read_index
from riskmodels.governance.review import current_approval
from riskmodels.service.people.ledger import read_ledger
from riskmodels.workspace import Workspace
from tests.governance.recorded import DIRECTOR, HEAD, STUDY, Recorded, busy_workspace, day

TODAY = day("2026-12-01")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("busy") / "work")
    busy_workspace(workspace)
    return workspace


@pytest.fixture(scope="module")
def chain(busy: Workspace) -> list[Record]:
    return read_chain(busy.reviews(STUDY))


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(Workspace(tmp_path / "work"))


def every_day() -> Iterator[dt.date]:
    start = day("2026-01-01")
    return (start + dt.timedelta(days=number) for number in range(500))


@pytest.mark.parametrize("study", [STUDY, "warm_homes"])
def test_approvals_are_what_the_record_says_day_by_day(busy: Workspace, study: str) -> None:
    lines = read_chain(busy.reviews(study))
    held = 0
    for entry in read_index(busy)[study].versions:
        of_model = [line for line in lines if line.model_sha256 == entry.model_sha256]
        spans = approvals(of_model, entry.model_sha256, entry.card_sha256)
        for one in every_day():
            by_evening = [line for line in lines if line.recorded_on <= one]
            by_morning = [line for line in lines if line.recorded_on < one]
            slow = any(
                current_approval(by_then, entry.model_sha256, entry.card_sha256, one) is not None
                for by_then in (by_evening, by_morning)
            )
            assert any(span.since <= one <= span.until for span in spans) == slow, (entry.version, one)
            held += slow
    assert held > 100


def test_who_was_champion_is_what_the_record_says_day_by_day(chain: list[Record]) -> None:
    rows = reign_rows(STUDY, chain, [], TODAY)
    seen = set()
    for one in every_day():
        found = champion(chain, one)
        version = None if found is None else found.promotion.version
        said = champion_on(STUDY, chain, one)
        assert said["version"] == version
        by_evening = [
            row["version"] for row in rows
            if row["from"] <= one.isoformat() and (row["until"] is None or one.isoformat() < row["until"])
        ]  # fmt: skip
        assert by_evening == ([] if version is None else [version]), one
        seen.add(version)
    assert seen == {None, 1, 2, 3}


def test_a_champion_is_told_with_who_moved_it_and_the_state_of_that_day(chain: list[Record]) -> None:
    before, after, late = (champion_on(STUDY, chain, day(one)) for one in ("2026-06-09", "2026-06-10", "2026-07-15"))
    assert (before["version"], before["rollback"], before["record"]) == (2, False, 4)
    assert (after["version"], after["rollback"], after["record"], after["by_role"]) == (1, True, 5, HEAD)
    assert (after["reason"], after["since"], after["until"]) == ("Lists were too short", "2026-06-10", "2026-07-09")
    assert (after["state"], late["state"]) == ("APPROVED", "EXPIRED")
    assert champion_on(STUDY, chain, day("2026-01-11"))["words"] == "no champion: no model had been made one by then"
    today = champion_on(STUDY, [], day("2026-01-11"), is_past=False)
    assert today["words"] == "no champion: no model has been made one"
    withdrawn = champion_on(STUDY, chain[:-1], day("2026-06-10"))
    assert len({frozenset(row) for row in (before, after, withdrawn)}) == 1


def test_a_withdrawn_champion_leaves_none_and_the_words_say_why(busy: Workspace) -> None:
    homes = read_chain(busy.reviews("warm_homes"))
    assert champion_on("warm_homes", homes, day("2026-04-30"))["version"] == 1
    found = champion_on("warm_homes", homes, day("2026-05-01"))
    assert found["version"] is None
    assert found["words"] == (
        f"no champion: the last was withdrawn on 2026-05-01 by the {DIRECTOR} (record 3): The meter readings were of "
        "other homes"
    )


def test_a_broken_record_says_so_instead_of_nobody() -> None:
    found = champion_on(STUDY, GateError("line 3: was edited"), TODAY)
    assert (found["version"], found["words"]) == (None, "not known: line 3: was edited")


def test_each_reign_says_how_it_ended_and_what_it_was_used_for(busy: Workspace, chain: list[Record]) -> None:
    batches = batches_by_study(read_ledger(busy))
    rows = reign_rows(STUDY, chain, batches[STUDY], TODAY)
    told = [(row["version"], row["batches"], row["last_used"], row["ended_by"], row["ended_words"]) for row in rows]
    assert told == [
        (1, 3, "2026-03-15", "promotion", "replaced by version 2"),
        (2, 2, "2026-06-05", "promotion", "went back to version 1: Lists were too short"),
        (1, 2, "2026-07-20", "promotion", "replaced by version 3"),
        (3, 4, "2026-11-02", None, None),
    ]
    assert [row["days"] for row in rows] == [112, 37, 50, 124]
    (homes,) = reign_rows("warm_homes", read_chain(busy.reviews("warm_homes")), batches["warm_homes"], TODAY)
    # Its second list was made after the reign, and is not of it.
    assert (homes["batches"], homes["ended_words"]) == (1, "withdrawn: The meter readings were of other homes")
    assert (homes["ended_by_role"], homes["example"]) == (DIRECTOR, True)


def test_on_the_day_of_a_change_the_stage_tells_which_reign_a_list_is_of(recorded: Recorded) -> None:
    entry = recorded.version()
    recorded.promote(entry, "2026-02-01")
    recorded.promote(entry, "2026-03-01", stage="live")
    recorded.score(entry, "2026-03-01", "2026-02-10", "2026-03-01")
    recorded.score(entry, "2026-03-01", stage="live")
    batches = batches_by_study(read_ledger(recorded.workspace))[STUDY]
    rows = reign_rows(STUDY, read_chain(recorded.workspace.reviews(STUDY)), batches, TODAY)
    assert [(row["stage"], row["batches"]) for row in rows] == [("pilot", 3), ("live", 1)]
    assert rows[0]["ended_words"] == "promoted again, for live"


def test_the_record_that_was_newest_tells_which_reign_a_list_is_of(recorded: Recorded) -> None:
    """Promoted, replaced and brought back on one day, always for the pilot: the day and the stage cannot tell."""
    first, second = recorded.version(), recorded.version()
    begun = recorded.promote(first, "2026-02-01")
    recorded.promote(second, "2026-02-01")
    back = recorded.promote(first, "2026-02-01", rollback=True, reason="Too short")
    chain = read_chain(recorded.workspace.reviews(STUDY))
    batches = [
        Batch(STUDY, first.version, first.model_sha256, day("2026-02-01"), "pilot", seal)
        for seal in (begun.sha256, begun.sha256, back.sha256, None)
    ]
    assert [row["batches"] for row in reign_rows(STUDY, chain, batches, TODAY)] == [2, 0, 2]
    line = {"study": STUDY, "version": 1, "model_sha256": "a", "scored_on": "2026-02-01", "stage": "pilot"}
    told = batches_by_study([line, {**line, "record_sha256": "b" * 64}])[STUDY]
    assert [batch.record_sha256 for batch in told] == [None, "b" * 64]


def test_lists_outside_every_approval_are_found(busy: Workspace, recorded: Recorded) -> None:
    found = {}
    for study, batches in batches_by_study(read_ledger(busy)).items():
        lines = read_chain(busy.reviews(study))
        for entry in read_index(busy)[study].versions:
            spans = approvals([line for line in lines if line.model_sha256 == entry.model_sha256],
                              entry.model_sha256, entry.card_sha256)  # fmt: skip
            made = [batch for batch in batches if batch.version == entry.version]
            found[study, entry.version] = [batch.scored_on.isoformat() for batch in outside(spans, made)]
    assert {key: days for key, days in found.items() if days} == {
        (STUDY, 1): ["2026-07-20"],
        ("warm_homes", 1): ["2026-05-09"],
    }
    # An approval to explore allows no list.
    entry = recorded.version()
    recorded.decide(entry, "2026-02-01", stage="explore")
    recorded.score(entry, "2026-02-02")
    lines = read_chain(recorded.workspace.reviews(STUDY))
    made = batches_by_study(read_ledger(recorded.workspace))[STUDY]
    assert len(outside(approvals(lines, entry.model_sha256, entry.card_sha256), made)) == 1


def test_a_withdrawal_of_the_day_counts_from_the_next(recorded: Recorded) -> None:
    """A record has no hours, so a list of the same day may have come first."""
    entry = recorded.version()
    recorded.decide(entry, "2026-02-01")
    recorded.withdraw(entry, "2026-03-01")
    recorded.score(entry, "2026-03-01", "2026-03-02")
    lines = read_chain(recorded.workspace.reviews(STUDY))
    made = batches_by_study(read_ledger(recorded.workspace))[STUDY]
    spans = approvals(lines, entry.model_sha256, entry.card_sha256)
    assert [batch.scored_on.isoformat() for batch in outside(spans, made)] == ["2026-03-02"]
    assert [(span.until, span.ended) for span in spans] == [(day("2026-03-01"), lines[1])]


def test_what_comes_after_an_approval_is_over_does_not_lengthen_it(recorded: Recorded) -> None:
    entry = recorded.version()
    recorded.decide(entry, "2026-02-01", expires="2026-03-01")
    recorded.withdraw(entry, "2026-04-01")
    lines = read_chain(recorded.workspace.reviews(STUDY))
    (span,) = approvals(lines, entry.model_sha256, entry.card_sha256)
    assert (span.until, span.ended) == (day("2026-03-01"), None)


@pytest.mark.parametrize("damage", [{"scored_on": "soon"}, {"scored_on": None}, {"scored_on": 3}])
def test_a_line_of_the_ledger_without_a_day_is_left_out(damage: dict[str, Any]) -> None:
    line = {"study": STUDY, "version": 1, "model_sha256": "a", "scored_on": "2026-02-01", "stage": "pilot"}
    assert len(batches_by_study([line, line | damage])[STUDY]) == 1
