"""A withdrawal stops the model that was meant, at any day, by whichever route; and no other."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from riskmodels import commands, storage
from riskmodels.errors import GateError
from riskmodels.governance import registry
from tests.governance.acting import Acting, name
from tests.governance.conftest import DECISION, STUDY, TODAY
from tests.governance.recorded import Recorded

BY = ("--by", "head of service")
WHY = ("--reason", "The source changed")
MISTYPED = dt.date(2027, 11, 23)
WITHDRAWAL = {"kind": "withdrawal", "reason": "The source changed", "owner_role": "head of service"}


@pytest.fixture
def written(acting: Acting) -> Path:
    """A withdrawal as a secretary writes it."""
    path = acting.decision.with_name("withdrawal.yaml")
    path.write_text(yaml.safe_dump(WITHDRAWAL))
    return path


def add_card(acting: Acting) -> int:
    """Version 4: the model of version 2, with another card, which is approved."""
    workspace = acting.workspace
    entry = registry.read_index(workspace)[STUDY].versions[1]
    folder = workspace.runs(STUDY) / "20261123T100000-recarded"
    for part in ("riskmodel", "study"):
        source = workspace.root / entry.folder / part
        storage.write_folder(folder / part, {one.name: one.read_bytes() for one in source.iterdir()})
    card = storage.read_json(workspace.root / entry.folder / "card" / "card.json", GateError)
    content = storage.canonical_json({**card, "title": "With another card"})
    storage.write_folder(folder / "card", {"card.json": content})
    (folder / "run.json").write_bytes(b"{}\n")
    return registry.register(workspace, STUDY, entry.model_dump(mode="json", exclude={"version"}) | {
        "card_sha256": storage.sha256(content), "folder": folder.relative_to(workspace.root).as_posix(),
    })  # fmt: skip


# ---------------------------------------------------------------- which model is meant


def test_a_study_alone_is_its_champion_and_never_another_model(acting: Acting) -> None:
    assert f"Withdrawn: {name(2)};" in acting.act("withdraw", STUDY, *BY, *WHY)[1]
    told = acting.told(6, "withdraw", STUDY, *BY, *WHY)
    assert "has no champion, so the study alone names no model to withdraw; name the version: " in told
    assert f"{name(1)}, {name(2)} (withdrawn), {name(3)}" in told
    assert acting.kinds.count("withdrawal") == 1


def test_a_study_alone_in_a_file_is_its_champion_too(acting: Acting, written: Path) -> None:
    assert f"Withdrawn: {name(2)};" in acting.act("review", "record", STUDY, written)[1]
    assert "has no champion" in acting.told(6, "review", "record", STUDY, written)


def test_an_alias_still_means_what_it_says(acting: Acting) -> None:
    assert f"Withdrawn: {name(3)};" in acting.act("withdraw", f"{STUDY}@candidate", *BY, *WHY)[1]
    assert acting.champion == 2


# ---------------------------------------------------------------- once more, for a model with another card


def test_it_is_withdrawn_again_while_it_is_champion_with_another_card(acting: Acting) -> None:
    assert acting.act("withdraw", name(2), *BY, *WHY)[0] == 0
    version = add_card(acting)
    after = {"date": "2026-11-24", "minute": "DEC-2026-11-05"}
    day = dt.date(2026, 11, 24)
    commands.record_review(name(version), {**DECISION, "meeting": after}, acting.workspace, day)
    commands.promote(name(version), acting.workspace, day, by_role="head of service")
    assert acting.champion == version
    code, said = acting.act("withdraw", name(2), *BY, *WHY, today=day)
    assert (code, acting.kinds.count("withdrawal")) == (0, 2), said
    assert f"This stops version {version} too: it is the same model." in said
    told = acting.told(6, "withdraw", name(2), *BY, *WHY, today=day)
    assert "was withdrawn on 2026-11-24 by the head of service; nothing was changed" in told


# ---------------------------------------------------------------- after a day to come


def test_a_day_to_come_on_record_keeps_nobody_from_withdrawing(acting: Acting, tmp_path: Path) -> None:
    assert acting.act("promote", name(3), *BY, today=dt.date(2026, 12, 23))[0] == 0
    code, said = acting.act("withdraw", name(3), *BY, *WHY, "--notice", tmp_path / "notice")
    assert (code, acting.champion) == (0, None)
    assert "Note: today is 2026-11-23, but the record goes on to 2026-12-23, so the withdrawal bears that day" in said
    assert acting.records[-1].recorded_on == dt.date(2026, 12, 23)
    assert b"2026-12-23" in (tmp_path / "notice" / "notice.yaml").read_bytes()


def test_verify_notes_days_to_come(acting: Acting) -> None:
    acting.act("withdraw", name(3), *BY, *WHY, today=MISTYPED)
    number = len(acting.records)
    (study,) = commands.verify_reviews(acting.workspace, today=TODAY).studies
    assert study.problems == ()
    assert study.notes[0].startswith(f"record {number} is of {MISTYPED}, which is still to come (today is {TODAY})")
    (study,) = commands.verify_reviews(acting.workspace, today=MISTYPED).studies
    assert not any("still to come" in note for note in study.notes)


# ---------------------------------------------------------------- one core for both routes


def test_a_file_says_and_does_what_the_command_does(acting: Acting, written: Path) -> None:
    entry = registry.read_index(acting.workspace)[STUDY].versions[1]
    Recorded(acting.workspace).score(entry, "2026-11-23")
    code, said = acting.act("review", "record", name(2), written)
    assert code == 0, said
    assert f"Withdrawn: {name(2)}; it scores nobody from now on" in said
    assert "It made 1 batch:" in said
    assert f"{STUDY} has no champion now. To go back to version 1:" in said
    assert f"Seal, for the minutes: {acting.records[-1].sha256}" in said
    assert "was withdrawn on 2026-11-23" in acting.told(6, "review", "record", name(2), written)
    assert acting.kinds.count("withdrawal") == 1


def test_a_file_that_is_only_tried_withdraws_nothing(acting: Acting, written: Path) -> None:
    before = acting.bytes()
    code, said = acting.act("review", "record", name(2), written, "--dry-run")
    assert (code, acting.bytes()) == (0, before)
    assert "Nothing was recorded." in said


def test_a_file_withdraws_after_a_day_to_come(acting: Acting, written: Path) -> None:
    assert acting.act("promote", name(3), *BY, today=dt.date(2026, 12, 23))[0] == 0
    assert acting.act("review", "record", name(3), written)[0] == 0
    assert acting.champion is None
