"""What cannot be done is refused in one line, with the right exit code, and changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.governance.acting import HEAD, Acting, acts, name
from tests.governance.conftest import STUDY
from tests.interrupted import at_step, fill, forbid, steps_left

BY = ("--by", HEAD)
WHY = ("--reason", "Fewer found")
REFUSED: dict[str, tuple[list[str], int, str]] = {
    "unknown stage": (["promote", name(3), "--stage", "soon", *BY], 6, "soon is asked for, but the decision is for"),
    "stage not decided": (
        ["promote", name(3), "--stage", "live", *BY],
        6,
        "live is asked for, but the decision is for",
    ),
    "self-promotion": (["promote", name(3), "--by", "data scientist"], 6, "trained the model and cannot promote it"),
    "self-promotion, spaced": (["promote", name(3), "--by", "  data \t scientist "], 6, "cannot promote it too"),
    "self-promotion, in capitals": (["promote", name(3), "--by", "DATA Scientist"], 6, "cannot promote it too"),
    "self-rollback": (["rollback", STUDY, "--by", "Data  scientist", *WHY], 6, "cannot promote it too"),
    "nobody promotes": (["promote", name(3)], 2, "--by: is needed"),
    "a blank promotes": (["promote", name(3), "--by", " \t"], 2, "--by: is needed"),
    "nobody withdraws": (["withdraw", name(2), *WHY], 2, "--by: is needed"),
    "withdrawn for nothing": (["withdraw", name(2), *BY], 2, "--reason: is needed"),
    "withdrawn for a blank": (["withdraw", name(2), *BY, "--reason", " "], 2, "--reason: is needed"),
    "back for nothing": (["rollback", STUDY, *BY], 2, "--reason: is needed"),
    "an address promotes": (["promote", name(3), "--by", "head@council.example"], 6, "names a role, never a person"),
    "an address withdraws": (["withdraw", name(2), "--by", "a@b", *WHY], 6, "names a role, never a person"),
    "a telephone goes back": (["rollback", STUDY, "--by", "01632 960 123", *WHY], 6, "names a role, never a person"),
    "unknown version": (["promote", f"{STUDY}/9", *BY], 2, "has no version 9; it has 1 to 3"),
    "unknown study": (["withdraw", "reading_hope", *BY, *WHY], 2, "no such study among the registered models"),
    "unknown study to go back": (["rollback", "reading_hope", *BY, *WHY], 2, "no such study among the registered"),
    "a version to go back to": (["rollback", name(1), *BY, *WHY], 2, "is not a name"),
    "unknown alias": (["promote", f"{STUDY}@best", *BY], 2, "has no alias 'best'"),
    "a path": (["promote", "../../etc", *BY], 2, "no model lies there"),
}


@pytest.mark.parametrize(("command", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_typed_wrongly_is_one_line(acting: Acting, command: list[str], code: int, words: str) -> None:
    assert words in acting.told(code, *command)


def test_the_same_act_rightly_typed_is_done(acting: Acting) -> None:
    assert acting.act("promote", name(3), "--stage", "pilot", *BY)[0] == 0
    assert acting.champion == 3


# ---------------------------------------------------------------- done again, and nothing to go back to


def test_done_again_it_changes_nothing(acting: Acting) -> None:
    before = acting.bytes()
    code, said = acting.act("promote", name(2), *BY)
    assert (code, acting.bytes()) == (0, before)
    assert "is the champion already" in said
    assert acting.act("withdraw", name(2), *BY, *WHY)[0] == 0
    assert "was withdrawn on 2026-11-23 by the head of service" in acting.told(6, "withdraw", name(2), *BY, *WHY)


def test_there_is_no_way_back_to_what_was_withdrawn(acting: Acting) -> None:
    assert acting.act("withdraw", name(1), *BY, *WHY)[0] == 0
    assert "no earlier champion is left to go back to" in acting.told(6, "rollback", STUDY, *BY, *WHY)


def test_there_is_no_way_back_to_what_expired(acting: Acting) -> None:
    told = acting.told(6, "rollback", STUDY, *BY, *WHY, today=date(2027, 5, 21))
    assert "the approval expired on 2027-05-20" in told


def test_nor_forth_to_what_was_withdrawn_before_it_was_promoted(acting: Acting) -> None:
    assert acting.act("withdraw", name(3), *BY, *WHY)[0] == 0
    assert "the model was withdrawn on 2026-11-23" in acting.told(6, "promote", name(3), *BY)


@pytest.mark.parametrize("alias", ["champion", "previous"])
def test_what_no_model_is_now_is_a_matter_for_the_gate(acting: Acting, alias: str) -> None:
    for version in (1, 2):
        assert acting.act("withdraw", name(version), *BY, *WHY)[0] == 0
    assert f"has no {alias} now" in acting.told(6, "promote", f"{STUDY}@{alias}", *BY)


@pytest.mark.parametrize("act", sorted({*acts(Acting(None))} - {"withdraw"}))  # type: ignore[arg-type]
def test_a_clock_that_was_set_back_is_told(acting: Acting, act: str) -> None:
    told = acting.told(6, *acts(acting)[act][0], today=date(2026, 11, 22))
    assert "today is 2026-11-22, but the record was last written on 2026-11-23; correct the clock" in told


# ---------------------------------------------------------------- what lies in the workspace


INDEXES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut short": lambda whole: whole[: len(whole) // 2],
    "a list": lambda whole: b"[]",
    "deeply nested": lambda whole: b"[" * 100_000,
    "not text": lambda whole: b"\xff\xfe" + whole,
    "a version taken out": lambda whole: json.dumps(
        {STUDY: {"versions": json.loads(whole)[STUDY]["versions"][1:], "aliases": {}}}
    ).encode(),
    "a folder outside": lambda whole: whole.replace(b'"runs/', b'"../runs/'),
    "a champion of its own": lambda whole: whole.replace(b'"candidate": 3', b'"candidate": 3, "champion": 3'),
}


@pytest.mark.parametrize("fault", INDEXES)
def test_a_damaged_index_of_models_is_told(acting: Acting, fault: str) -> None:
    index = acting.workspace.models_index
    index.write_bytes(INDEXES[fault](index.read_bytes()))
    for command in (["promote", name(3), *BY], ["withdraw", name(2), *BY, *WHY], ["rollback", STUDY, *BY, *WHY]):
        assert "models.json" in acting.told(5, *command)


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b"2027-05-20", b"2029-05-20"), *lines[3:]]


CHAINS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "edited": edited,
    "a line taken out": lambda lines: [*lines[:2], *lines[3:]],
    "the last line taken off": lambda lines: lines[:-1],
    "the last line cut short": lambda lines: [*lines[:-1], lines[-1][:-1]],
    "moved": lambda lines: [*lines[:-2], lines[-1], lines[-2]],
}


@pytest.mark.parametrize("fault", CHAINS)
def test_on_a_broken_record_nothing_is_done(acting: Acting, tmp_path: Path, fault: str) -> None:
    assert edited(acting.chain.read_bytes().splitlines(True)) != acting.chain.read_bytes().splitlines(True)
    acting.chain.write_bytes(b"".join(CHAINS[fault](acting.chain.read_bytes().splitlines(True))))
    (tmp_path / "cohort.csv").write_text("entity_id\n")
    score = ["score", name(2), tmp_path / "cohort.csv", "--as-of", "2026-11-01", "--output", tmp_path / "list.csv"]
    for command in (*(command for command, *_ in acts(acting).values()), score):
        assert f"{STUDY}.jsonl, line" in acting.told(6, *command)
    code, said = acting.act("models")
    assert code == 0
    assert "RECORD BROKEN" in said
    assert acting.call("review", "verify", today=None)[0] == 6


def test_a_file_where_the_records_should_be(acting: Acting) -> None:
    folder = acting.chain.parent
    folder.rename(folder.with_name("elsewhere"))
    folder.write_bytes(b"")
    assert "no review decides on this model" in acting.told(6, "promote", name(3), *BY)
    assert "cannot be written" in acting.told(7, "withdraw", name(2), *BY, *WHY)
    assert "cannot be written" in acting.told(7, "review", "record", name(2), acting.decision)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the platform has no links")
def test_records_behind_a_link_are_not_obeyed(acting: Acting) -> None:
    """A disk of their own is mounted there; a link could be laid by anybody who may write the workspace."""
    folder, elsewhere = acting.chain.parent, acting.workspace.root.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    before = (elsewhere / acting.chain.name).read_bytes()
    for command, *_ in acts(acting).values():
        assert acting.act(*command)[0] in (6, 7)
    assert (elsewhere / acting.chain.name).read_bytes() == before


def test_a_record_that_leads_nowhere_is_missed(acting: Acting, tmp_path: Path) -> None:
    acting.chain.unlink()
    acting.chain.symlink_to(tmp_path / "nowhere")
    for command, *_ in acts(acting).values():
        assert "is not a plain file" in acting.told(6, *command)
    assert not (tmp_path / "nowhere").exists()


# ---------------------------------------------------------------- the disk


def refused_by_the_disk(acting: Acting, act: str, step: int, deed: Callable[[], None], *, lasts: bool) -> bool:
    """Whether the disk was asked for so many steps. What came of it is the whole act, or nothing, and it is said."""
    command, kind, after = acts(acting)[act]
    before, held, was = acting.kinds, acting.bytes(), acting.champion
    with at_step(step, acting.workspace.root, deed, lasts=lasts):
        code, said = acting.act(*command)
        met = steps_left() < 0
    lines = said.splitlines()
    if code == 0:
        assert (acting.kinds, acting.champion) == ([*before, kind], after)
        return met
    assert (code, len(lines)) == (7, 1), said
    assert lines[0].startswith("riskmodels: "), said
    stands = f"record {len(before) + 1} stands" in said
    assert acting.kinds == ([*before, kind] if stands else before)
    assert acting.champion == (after if stands else was)
    if not stands:
        assert acting.bytes()[f"governance/{STUDY}.jsonl"] == held[f"governance/{STUDY}.jsonl"]
        code, said = acting.act(*command)
        assert code == 0, said
        assert acting.kinds == [*before, kind]
    return True


DISKS = [pytest.param("promote", fill, True, id="promote, full from then on")] + [
    pytest.param(act, deed, lasts, id=f"{act}, {'full' if deed is fill else 'read-only'}", marks=pytest.mark.slow)
    for act, deed, lasts in [
        *((act, fill, False) for act in acts(Acting(None))),  # type: ignore[arg-type]
        *((act, forbid, True) for act in acts(Acting(None))),  # type: ignore[arg-type]
    ]
]


@pytest.mark.parametrize(("act", "deed", "lasts"), DISKS)
def test_a_disk_that_refuses_at_any_step(
    acted_once: Any, acting: Acting, tmp_path: Path, act: str, deed: Callable[[], None], lasts: bool
) -> None:
    from tests.governance.acting import copy_of

    step = 0
    while refused_by_the_disk(copy_of(acted_once, tmp_path / f"{step}"), act, step, deed, lasts=lasts):
        step += 1
    assert step > 8
