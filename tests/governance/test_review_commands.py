"""`riskmodels review open|record|met|show` on a workspace that holds one registered version."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands, storage
from riskmodels.errors import GateError
from riskmodels.governance.acts import Evidence, Purge, parse_decision
from riskmodels.governance.chain import Digests, read_chain, writing
from tests.governance.acting import add_version
from tests.governance.conftest import DECISION, STUDY, TODAY
from tests.governance.review_workspace import Made
from tests.reports.test_page import Page

TYPED = [
    "--stage", "pilot", "--advice", "proceed with conditions", "--condition",
    "Tell parents | head of service | 2027-01-31", "--dissent", "One lay member would wait",
    "--members", "9", "--lay", "4", "--specialist", "3",
    "--meeting", "2026-11-20", "--minute", "DEC-4", "--owner-role", "director", "--decision", "approve",
    "--expires", "2027-05-20", "--answer", "sex: F: recall = Looked at by hand", "--answer", "ethnicity = Too few",
    "--trained-by", "data scientist", "--approved-by", "director",
]  # fmt: skip


def typed(*taken_out: str, **changed: str) -> list[str]:
    """The options without some, and with others changed: ``stage="live"``."""
    pairs = [(TYPED[place], TYPED[place + 1]) for place in range(0, len(TYPED), 2)]
    found: list[str] = []
    for name, value in pairs:
        if name not in taken_out:
            found += [name, changed.get(name[2:].replace("-", "_"), value)]
    return found


# ---------------------------------------------------------------- open


def test_the_form_is_written_once_and_never_over_what_was_filled_in(made: Made, tmp_path: Path) -> None:
    form = tmp_path / "decision.yaml"
    ask = ("review", "open", made.name, "--stage", "pilot", "--output", form)
    code, out, _ = made.call(*ask)
    assert code == 0
    assert "3 verdicts of the audit have to be answered by name" in out
    empty = form.read_bytes()
    assert made.call(*ask)[0] == 0  # nobody wrote in it
    form.write_bytes(empty.replace(b"advice:", b"advice: proceed"))
    filled = form.read_bytes()
    assert "somebody may have filled it in" in made.refused(2, *ask)
    assert form.read_bytes() == filled != empty
    assert "not filled in yet: " in made.refused(6, "review", "record", made.name, form)


def test_the_form_lies_beside_who_asks_for_it(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert made.call("review", "open", made.name)[0] == 0
    assert (tmp_path / "decision.yaml").stat().st_mode & 0o777 == 0o644


def test_a_form_is_of_what_was_registered(made: Made, tmp_path: Path) -> None:
    (card,) = made.workspace.runs(STUDY).glob("*/card/card.json")
    card.write_bytes(card.read_bytes() + b" ")
    line = made.refused(5, "review", "open", made.name, "--output", tmp_path / "form.yaml")
    assert "is not the card that was registered" in line


def test_a_study_alone_is_its_newest_version_without_a_decision(made: Made, tmp_path: Path) -> None:
    add_version(made.workspace, "second")
    out = made.call("review", "open", STUDY, "--output", tmp_path / "a.yaml")[1]
    assert out.startswith(f"A form for the decision on {STUDY}/2: ")
    assert f"{tmp_path / 'a.yaml'} --dry-run --workspace {made.workspace.root}" in out
    commands.record_review(f"{STUDY}/2", DECISION, made.workspace, TODAY)
    made.promote(version=2)
    assert f"{STUDY}/1: " in made.call("review", "open", STUDY, "--output", tmp_path / "b.yaml")[1]
    made.decide()
    line = made.refused(2, "review", "open", STUDY, "--output", tmp_path / "c.yaml")
    assert f"every version is decided on; name the one to be decided on again, such as {STUDY}/2" in line


# ---------------------------------------------------------------- record


def test_a_decision_that_is_typed_is_the_one_that_is_written(made: Made, tmp_path: Path) -> None:
    code, out, _ = made.call("review", "record", made.name, *TYPED)
    assert code == 0
    assert f"Recorded as number 1 on {made.name}: Approved for a pilot, until 20 May 2027" in out
    assert "Outstanding (1):" in out
    assert f"riskmodels promote {made.name} --by 'director'" in out
    (record,) = made.records
    assert f"Seal, for the minutes: {record.sha256}" in out
    raw = {**DECISION, "owner_role": "director", "approved_by_role": "director", "example": False,
           "meeting": {"date": "2026-11-20", "minute": "DEC-4"}, "dissent": "One lay member would wait",
           "conditions": [{"text": "Tell parents", "owner": "head of service", "due": "2027-01-31"}],
           "answers": {"sex: F: recall": "Looked at by hand", "ethnicity": "Too few"}}  # fmt: skip
    assert record.act == parse_decision(raw)


@pytest.mark.parametrize("as_file", [True, False])
def test_a_dry_run_asks_all_and_records_nothing(made: Made, tmp_path: Path, as_file: bool) -> None:
    path = tmp_path / "decision.yaml"
    path.write_text(json.dumps(DECISION))
    said: list[Any] = [path] if as_file else TYPED
    before = made.bytes()
    code, out, _ = made.call("review", "record", made.name, *said, "--dry-run")
    assert code == 0
    assert f"Nothing was recorded. It would be number 1 on {made.name}: " in out
    assert "Approved for a pilot, until 20 May 2027" in out
    assert made.bytes() == before
    assert "is in the past" in made.refused(
        6, "review", "record", made.name, *said, "--dry-run", today=dt.date(2027, 6, 1)
    )
    made.decide(dt.date(2026, 11, 24), dissent=[])
    assert "correct the clock" in made.refused(6, "review", "record", made.name, *said, "--dry-run")


def test_what_comes_next_depends_on_what_was_decided(made: Made) -> None:
    refusal = typed("--condition", "--expires", decision="refuse", advice="do not proceed")
    assert "It may not be used." in made.call("review", "record", made.name, *refusal)[1]
    assert "scores nobody; a pilot" in made.call("review", "record", made.name, *typed(stage="link"))[1]
    assert "riskmodels promote" in made.call("review", "record", made.name, *TYPED)[1]
    made.promote()
    again = typed(minute="DEC-5")
    assert "It is champion for pilot already" in made.call("review", "record", made.name, *again)[1]
    out = made.call("review", "record", made.name, *typed(stage="live"))[1]
    assert "This ends the pilot use until it is promoted: nobody is scored.\nNext, to have it used: " in out


BAD: dict[str, tuple[int, list[str], str]] = {
    "unknown stage": (6, typed(stage="production"), "stage: write explore, link, pilot or live"),
    "self-approval": (6, typed(trained_by=" Director"), "the role that trained the model cannot also approve it"),
    "a meeting to come": (6, typed(meeting="2026-12-01"), "meeting.date: 2026-12-01 is still to come"),
    "an end in the past": (6, typed(expires="2026-11-22"), "expires: 2026-11-22 is in the past"),
    "an end too late": (6, typed(expires="2027-05-21"), "pilot may be approved until 2027-05-20 at most"),
    "no owner": (2, typed(condition="Tell parents | | 2027-01-31"), "--condition 1: names no owner"),
    "no owner at all": (2, typed(condition="Tell parents"), "--condition 1: names no owner"),
    "no text": (2, typed(condition=" | head | 2027-01-31"), "--condition 1: reads 'TEXT | OWNER | DUE'"),
    "too much": (2, typed(condition="a | b | 2027-01-31 | d"), "--condition 1: reads 'TEXT | OWNER | DUE'"),
    "no day": (6, typed(condition="Tell parents | head"), "conditions[0].due: is missing"),
    "a day that is none": (6, typed(condition="Tell parents | head | soon"), "conditions[0].due: "),
    "due before the meeting": (6, typed(condition="Tell | head | 2026-11-19"), "2026-11-19 is before the meeting of"),
    "due in the past": (6, typed(condition="Tell | head | 2026-11-22"), "conditions[0].due: 2026-11-22 is in the past"),
    "an answer without a reason": (2, typed(answer="sex ="), "--answer 1: reads 'NAME = REASON'"),
    "the same answer twice": (2, typed(answer="sex = yes"), "--answer 2: the same name is answered twice"),
    "not answered": (6, [*typed("--answer"), "--answer", "sex = fine"], "not filled in yet: answers.ethnicity (all 2)"),
    "departs in silence": (6, typed(advice="do not proceed"), "reason: 'approve' departs from the advice"),
    "contact details": (6, [*TYPED, "--reason", "ask jo@example.org"], "reason: holds what looks like an e-mail"),
    "half of it": (6, typed("--advice", "--members"), "not filled in yet: advice, quorum.members"),
    "half of it, and no answers": (6, typed("--advice", "--answer"), "yet: advice, answers.sex: F: recall, answers"),
    "before the card": (6, typed(meeting="2026-11-17", expires="2027-05-17"), "17 was before this card"),
    "due after the end": (6, typed(condition="Tell | head | 2027-05-21"), "after the approval ends, on 20"),
    "nothing": (2, [], "name the file of the decision"),
    "no file": (2, ["nowhere.yaml"], "nowhere.yaml: no such file"),
    "both": (2, ["nowhere.yaml", *TYPED], "as a file or by options, not both"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "options", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_one_line_and_nothing_is_recorded(
    made: Made, code: int, options: list[str], words: str
) -> None:
    assert words in made.refused(code, "review", "record", made.name, *options)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n", "3\n", "a: [", "kind: promotion\n", "a: 1\na: 2\n"])
def test_a_file_that_is_no_decision_is_one_line(made: Made, tmp_path: Path, text: str) -> None:
    (tmp_path / "decision.yaml").write_text(text)
    assert "decision.yaml" in made.refused(6, "review", "record", made.name, tmp_path / "decision.yaml")


def test_a_form_of_another_version_is_refused(made: Made) -> None:
    with pytest.raises(GateError, match="card_sha256: the decision names aaaaaaaaaaaa…, but this card is"):
        made.decide(card_sha256="a" * 64)


def test_a_broken_record_takes_nothing_more(made: Made) -> None:
    made.decide()
    made.chain.write_bytes(made.chain.read_bytes().replace(b"parents", b"pupils"))
    for arguments in (["record", made.name, *TYPED], ["record", made.name, *TYPED, "--dry-run"], ["show", made.name],
                      ["met", made.name, "--condition", "1", "--evidence", "Sent", "--by", "head"]):  # fmt: skip
        assert "line 1: was edited" in made.refused(6, "review", *arguments)


@pytest.mark.parametrize("maker", ["mkstemp", "mkdtemp"])
def test_a_full_disk_is_one_line_and_nothing_is_half_done(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: str
) -> None:
    made.decide()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, maker, full)
    asked: list[list[Any]] = [["export", STUDY, "--output", tmp_path / "archive"]]
    if maker == "mkstemp":
        asked = [
            ["record", made.name, *TYPED],
            ["met", made.name, "--condition", "1", "--evidence", "Sent", "--by", "head"],
            ["open", made.name, "--output", tmp_path / "form.yaml"],
            ["show", made.name, "--html", tmp_path / "page.html"],
        ]
    for arguments in asked:
        assert "No space left on device" in made.refused(7, "review", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_a_folder_that_may_not_be_written_is_one_line(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.decide()
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and allowed(path, mode, **more))
    for arguments in (["open", made.name, "--output", tmp_path / "form.yaml"],
                      ["show", made.name, "--html", tmp_path / "page.html"],
                      ["export", STUDY, "--output", tmp_path / "archive"]):  # fmt: skip
        assert "cannot be written (no permission in" in made.refused(7, "review", *arguments)


# ---------------------------------------------------------------- met


def met(made: Made, condition: object = 1, **options: Any) -> list[Any]:
    said = {"--condition": condition, "--evidence": "The letter of 30 November", "--by": "head of service", **options}
    found: list[Any] = ["review", "met", made.name]
    for name, value in said.items():
        found += [] if value is None else [name, value]
    return found


def test_evidence_meets_a_condition_and_the_gate_sees_it(made: Made) -> None:
    made.decide()
    made.promote()
    late = dt.date(2027, 2, 1)
    rules = {row["rule"]: row["holds"] for row in commands.show_review(made.name, made.workspace, late).account["gate"]}
    assert not rules["conditions in time"]
    code, out, _ = made.call(*met(made), today=late)
    assert code == 0
    assert "Recorded as number 3: condition 1 is met.\nNo condition of the decision is open now.\n" in out
    act = made.records[-1].act
    assert isinstance(act, Evidence)
    assert (act.decision, act.condition, act.by_role, act.example) == (1, 1, "head of service", True)
    rules = {row["rule"]: row["holds"] for row in commands.show_review(made.name, made.workspace, late).account["gate"]}
    assert rules["conditions in time"]


def test_evidence_that_fits_nothing_is_refused(made: Made) -> None:
    assert "no decision is recorded" in made.refused(6, *met(made))
    made.decide()
    assert "record 1, the decision in force, has the conditions 1 to 1" in made.refused(6, *met(made, 2))
    assert "has the conditions 1 to 1" in made.refused(6, *met(made, 0))
    for option in ("--condition", "--evidence", "--by"):
        assert f"{option}: is needed" in made.refused(2, *met(made, **{option: None}))
    assert "--evidence: is needed" in made.refused(2, *met(made, **{"--evidence": " "}))
    assert "by_role: names a role" in made.refused(6, *met(made, **{"--by": "jo@example.org"}))
    assert "review met: evidence: holds what" in made.refused(6, *met(made, **{"--evidence": "0113 496 0000"}))
    assert made.call(*met(made))[0] == 0
    assert "is met already" in made.refused(6, *met(made))
    made.append(parse_decision({"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"}))
    assert "was withdrawn on 2026-11-23" in made.refused(6, *met(made))


def test_a_condition_that_was_met_when_it_was_decided_is_met(made: Made) -> None:
    made.decide(conditions=[{"text": "Tell", "owner": "head", "status": "met", "evidence": "Letter"}])
    assert "is met already" in made.refused(6, *met(made))


def test_a_new_decision_asks_its_own_conditions_anew(made: Made) -> None:
    made.decide()
    made.call(*met(made))
    made.decide_again()
    assert made.call(*met(made))[0] == 0
    assert [getattr(record.act, "decision", None) for record in made.records] == [None, 1, None, 3]


def test_of_two_who_record_evidence_at_once_the_second_is_told(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.decide()
    checked = commands.promotions.checked_act

    def slowly(*arguments: Any) -> Any:
        monkeypatch.setattr(commands.promotions, "checked_act", checked)
        made.promote()  # somebody else, meanwhile
        return checked(*arguments)

    monkeypatch.setattr(commands.promotions, "checked_act", slowly)
    with pytest.raises(GateError, match="meanwhile head of service recorded a promotion"):
        commands.record_evidence(made.name, made.workspace, TODAY, condition=1, evidence="Sent", by_role="head")
    assert len(made.records) == 2


# ---------------------------------------------------------------- show


@pytest.fixture
def told(made: Made) -> Made:
    """Every kind of record there is."""
    two = [{"text": "Tell parents", "owner": "head of service", "due": "2027-01-31"},
           {"text": "Report each term", "owner": "analyst", "due": "2027-03-31"}]  # fmt: skip
    made.decide(conditions=two, advice="do not proceed", reason="The pilot is how we learn", example=False)
    made.promote()
    made.call(*met(made, 2))
    folder = next(made.workspace.runs(STUDY).iterdir()).relative_to(made.workspace.root).as_posix()
    file = {"path": f"{folder}/predictions.parquet", "sha256": "a" * 64, "bytes": 1200}
    for path in (file, {**file, "path": "batches/other/x/people.parquet"}):
        said = {"artefact": "predictions", "kept_for": "24 months", "due": "2026-11-01", "files": [path]}
        with writing(made.chain, TODAY) as writer:
            writer.append(Purge.model_validate(said), Digests())
    withdrawal = {"kind": "withdrawal", "reason": "The source changed", "owner_role": "director", "minute": "DEC-9"}
    made.append(parse_decision(withdrawal))
    made.decide_again(conditions=two, example=False)
    return made


ORDER = [
    "1. 23 November 2026: Approved for a pilot, until 20 May 2027",
    "Departs from the advice: The pilot is how we learn",
    "Conditions:",
    "Condition 1: Tell parents (head of service, by 31 January 2027)",
    "Dissent: One lay member would wait for another year of data",
    "Conflicts of interest: none",
    "2. 23 November 2026: Version 1 became champion, for a pilot",
    "3. 23 November 2026: Condition 2 of record 1 was met",
    "4. 23 November 2026: 1 file was deleted: predictions",
    "6. 23 November 2026: Its use was stopped",
    "Minute: DEC-9",
    "7. 23 November 2026: Approved for a pilot, until 20 May 2027",
    "The gate to score is SHUT",
]


def test_everything_that_was_recorded_on_a_model_is_shown_in_order(told: Made) -> None:
    code, out, _ = told.call("review", "show", told.name, today=dt.date(2027, 2, 1))
    assert code == 0
    assert "1. OVERDUE since 31 January 2027. head of service" in out
    assert "2. open. analyst, by 31 March 2027: Report each term" in out
    places = [out.find(words) for words in ORDER]
    assert places == sorted(places)
    assert -1 not in places
    assert "5. 23" not in out  # a purge that is not of this model's run
    assert "[" not in out.replace("[1m", "")  # no lists of Python
    assert told.records[0].sha256 in out


def test_a_condition_that_is_met_shows_by_what_and_by_whom(made: Made) -> None:
    made.decide()
    made.call(*met(made))
    out = made.call("review", "show", made.name)[1]
    assert "1. met on 23 November 2026 (record 2, by the head of service). head of service" in out
    assert "Evidence: The letter of 30 November" in out


def test_as_json_it_is_whole(told: Made) -> None:
    account = json.loads(told.call("review", "show", told.name, "--json")[1])
    assert [row["kind"] for row in account["history"]] == [
        "decision", "promotion", "evidence", "purge", "withdrawal", "decision",
    ]  # fmt: skip
    assert [row["state"] for row in account["versions"][0]["conditions"]] == ["open", "open"]
    assert account["history"][0]["departs_from_advice"] is True
    assert account["seal"] == told.records[-1].sha256
    assert account["records"] == 7


def test_the_page_says_the_same_and_is_sound(told: Made, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    late = dt.date(2027, 2, 1)
    assert f"Page: {path}" in told.call("review", "show", told.name, "--html", path, today=late)[1]
    page = Page(path.read_bytes())
    page.refuse_broken()
    page.refuse_fetching()
    for words in ("OVERDUE since 31 January 2027", "Departs from the advice", "Its use was stopped", "It is SHUT"):
        assert words in page.text
    first = path.read_bytes()
    told.call("review", "show", told.name, "--html", path, today=late)
    assert path.read_bytes() == first


def test_a_decision_that_another_replaced_says_so(told: Made) -> None:
    account = json.loads(told.call("review", "show", told.name, "--json")[1])
    assert [row["replaced_by"] for row in account["history"]] == [6, None, None, None, None, None]
    assert told.call("review", "show", told.name)[1].count("Stands no longer: replaced by record 6") == 1


def test_rules_that_wait_for_the_same_say_it_once(made: Made) -> None:
    out = made.call("review", "show", made.name)[1]
    assert out.count("put this card to the committee") == 1
    made.decide()
    made.append(parse_decision({"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"}))
    out = " ".join(made.call("review", "show", made.name)[1].split())
    assert "record 2, a withdrawal, is the latest word on this model" in out
    assert "promote this one" not in out
    assert out.count("the model was withdrawn on 2026-11-23") == 1


def test_nothing_recorded_is_said(made: Made) -> None:
    out = made.call("review", "show", made.name)[1]
    assert "AWAITING REVIEW" in out
    assert "Nothing was recorded on it." in out


def test_what_people_wrote_cannot_steer_a_terminal_or_a_page(made: Made, tmp_path: Path) -> None:
    evil = "<b>all is well</b>\n9. APPROVED"
    for unseen in ("\x1b[2J", "\u202e"):
        with pytest.raises(GateError, match="holds a character that does not show"):
            made.decide(dissent=[f"{unseen}{evil}"])
    made.decide(dissent=[evil], reason=evil)
    out = made.call("review", "show", made.name, "--html", tmp_path / "page.html")[1]
    assert not any(line.startswith("9. APPROVED") for line in out.splitlines())
    assert "<b>" not in (tmp_path / "page.html").read_text()
    assert storage.read_json(made.workspace.models_index)  # and the record took it as it is
    assert evil in read_chain(made.chain)[0].act.dissent[0]  # type: ignore[union-attr]
