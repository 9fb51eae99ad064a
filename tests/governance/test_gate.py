from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.data.leakage import DETECTORS
from riskmodels.errors import CardError, DataError, GateError, ModelFileError, RiskModelsError
from riskmodels.governance import gate
from riskmodels.governance.acts import Evidence, parse_decision
from riskmodels.governance.chain import Digests, writing
from riskmodels.governance.rules import GATES
from riskmodels.study import load_study
from tests.governance.conftest import DECISION, FOLDER

TODAY = dt.date(2026, 11, 23)


def ask(governed: Any, **changes: Any) -> gate.ApprovedModel:
    return gate.open_for_scoring(governed.case(**changes))


def explained(governed: Any, act: str = "score", **changes: Any) -> dict[str, dict[str, Any]]:
    return {row["rule"]: row for row in gate.explain_gate(governed.case(**changes), act)}


@pytest.fixture
def approved(governed: Any) -> Any:
    governed.decide()
    governed.promote()
    return governed


def test_an_approved_model_opens(approved: Any, loaded: list[dict[str, bytes]]) -> None:
    opened = ask(approved)
    assert (opened.model_sha256, opened.card_sha256) == (approved.model_sha256, approved.card_sha256)
    assert (opened.version, opened.approval.stage, opened.model.study_id) == (1, "pilot", "reading_help")
    assert loaded == [approved.files]
    assert opened.model.to_files() == approved.files
    assert all(row["holds"] for row in explained(approved).values())


def test_a_folder_opens_as_its_files_do(approved: Any, tmp_path: Path) -> None:
    storage.write_folder(tmp_path / "riskmodel", approved.files)
    files = gate.read_model_folder(tmp_path / "riskmodel")
    assert ask(approved, files=files).model_sha256 == approved.model_sha256


# ---------------------------------------------------------------- each rule


def changed_file(governed: Any) -> dict[str, Any]:
    return {"files": {**governed.files, "model.json": governed.files["model.json"].replace(b"-0.02", b"-0.20")}}


def missing_file(governed: Any) -> dict[str, Any]:
    return {"files": {name: content for name, content in governed.files.items() if name != "features.json"}}


def added_file(governed: Any) -> dict[str, Any]:
    return {"files": {**governed.files, "extra.pkl": b"\x80\x04."}}


def no_manifest(governed: Any) -> dict[str, Any]:
    return {"files": {"model.json": b"{}"}}


def nested_manifest(governed: Any) -> dict[str, Any]:
    return {"files": {**governed.files, "manifest.json": b"[" * 200_000}}


def edited_and_relisted(governed: Any) -> dict[str, Any]:
    files = changed_file(governed)["files"]
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["model.json"] = storage.sha256(files["model.json"])
    return {"files": {**files, "manifest.json": storage.canonical_json(manifest)}}


def not_registered(governed: Any) -> dict[str, Any]:
    return {"registered": {}}


def edited_card(governed: Any) -> dict[str, Any]:
    return {"card": governed.card.replace(b"FAIL", b"PASS")}


def other_approval(governed: Any) -> dict[str, Any]:
    changed = edited_and_relisted(governed)
    digest = storage.sha256(changed["files"]["manifest.json"])
    card = governed.card.replace(governed.model_sha256.encode(), digest.encode())
    return changed | {"card": card, "registered": {"model_sha256": digest, "card_sha256": storage.sha256(card)}}


def other_card_approved(governed: Any) -> dict[str, Any]:
    changed = edited_card(governed)
    return changed | {"registered": {**governed.registered, "card_sha256": storage.sha256(changed["card"])}}


def card_of_another_model(governed: Any) -> dict[str, Any]:
    changed = edited_and_relisted(governed)
    digest = storage.sha256(changed["files"]["manifest.json"])
    return changed | {"registered": {**governed.registered, "model_sha256": digest}}


def card_without_audit(governed: Any) -> dict[str, Any]:
    card = governed.card.replace(b'"verdict"', b'"opinion"')
    return {"card": card, "registered": {**governed.registered, "card_sha256": storage.sha256(card)}}


def card_with_an_open_concern(governed: Any) -> dict[str, Any]:
    card = json.loads(governed.card)
    row = ["Fields are as complete when scoring as when learning", "concern", "half as often", ""]
    card["annex"]["checks"] = {"columns": ["Check", "Result", "Evidence", "Accepted because"], "rows": [row]}
    changed = storage.canonical_json(card)
    return {"card": changed, "registered": {**governed.registered, "card_sha256": storage.sha256(changed)}}


def broken_chain(governed: Any) -> dict[str, Any]:
    governed.path.write_bytes(governed.path.read_bytes().replace(b"2027-05-20", b"2029-05-20"))
    return {}


def put_back(governed: Any) -> dict[str, Any]:
    """A batch was made when the record held a line that it does not hold now."""
    return {"seals_seen": ("a" * 64,)}


def clock_set_back(governed: Any) -> dict[str, Any]:
    return {"today": TODAY - dt.timedelta(days=1)}


def withdrawn(governed: Any) -> dict[str, Any]:
    governed.withdraw()
    return {}


def refused(governed: Any) -> dict[str, Any]:
    governed.decide(owner_decision="refuse", advice="do not proceed", expires=None)
    return {}


def only_linking(governed: Any) -> dict[str, Any]:
    """An approval to link alone does not end a pilot; the pilot was refused first."""
    refused(governed)
    governed.decide(stage="link")
    return {}


def another_data_set_in_the_index(governed: Any) -> dict[str, Any]:
    return {"registered": {**governed.registered, "data_sha256": "0" * 64}}


def another_policy_in_the_record(governed: Any) -> dict[str, Any]:
    governed.put(parse_decision({**DECISION, "dissent": []}), policy="0" * 64)
    return {}


def a_card_that_names_no_data(governed: Any) -> dict[str, Any]:
    card = json.loads(governed.card)
    del card["digests"]["data"]
    governed.card = storage.canonical_json(card)
    governed.decide()
    governed.promote()
    return {"card": governed.card, "registered": governed.registered}


def with_an_answered_break(governed: Any) -> None:
    """Puts before the committee a card that says why a break after the last test was accepted."""
    card = json.loads(governed.card)
    row = [DETECTORS["break_spanned"].words, "concern", "never tested on the present", "The law will be watched."]
    card["annex"]["checks"] = {"columns": ["Check", "Result", "Evidence", "Accepted because"], "rows": [row]}
    governed.card = storage.canonical_json(card)


def live_but_never_tested_on_the_present(governed: Any) -> dict[str, Any]:
    with_an_answered_break(governed)
    governed.decide(stage="live")
    return {}


def expired(governed: Any) -> dict[str, Any]:
    return {"today": dt.date(2027, 5, 21)}


def answer_lapsed(governed: Any) -> dict[str, Any]:
    return {"today": dt.date(2027, 4, 1)}


def condition_overdue(governed: Any) -> dict[str, Any]:
    return {"today": dt.date(2027, 2, 1)}


def ended_before_today(governed: Any) -> dict[str, Any]:
    return {"not_before": TODAY + dt.timedelta(days=1)}


def not_promoted(governed: Any) -> dict[str, Any]:
    governed.withdraw()
    governed.decide_again()
    return {}


def another_promoted(governed: Any) -> dict[str, Any]:
    other = dataclasses.replace(governed, card=governed.card.replace(b"PASS", b"NOT AUDITED"))
    other.promote(version=2)
    return {}


def promoted_for_another_stage(governed: Any) -> dict[str, Any]:
    governed.promote(stage="live")
    return {}


def agreement_ended(governed: Any) -> dict[str, Any]:
    """The same study with an agreement that is over: its digests stand in the card that the committee saw."""
    folder = governed.path.parent / "ended"
    shutil.copytree(FOLDER, folder)
    register = folder / "register.yaml"
    ends = "    agreement_expires: 2020-01-01\n    permitted_purposes:"
    register.write_text(register.read_text().replace("    permitted_purposes:", ends, 1))
    study = load_study(folder)
    card = json.loads(governed.card)
    card["digests"] |= {"study": study.digest, "answers": study.answers_digest}
    governed.card = storage.canonical_json(card)
    governed.decide()
    governed.promote()
    return {"study_folder": folder, "card": governed.card, "registered": governed.registered}


def study_changed(governed: Any) -> dict[str, Any]:
    folder = governed.path.parent / "changed"
    shutil.copytree(FOLDER, folder)
    (folder / "study.yaml").write_text((folder / "study.yaml").read_text() + "\n# and a word more\n")
    return {"study_folder": folder}


REFUSALS: dict[Callable[[Any], dict[str, Any]], tuple[str, type[RiskModelsError], str]] = {
    changed_file: ("the model's files are whole", ModelFileError, "model.json: was changed after the model was saved"),
    missing_file: ("the model's files are whole", ModelFileError, "features.json: is missing from the saved model"),
    added_file: ("the model's files are whole", ModelFileError, "extra.pkl: does not belong in a saved model"),
    no_manifest: ("the model's files are whole", ModelFileError, "manifest.json: is missing"),
    nested_manifest: ("the model's files are whole", ModelFileError, "manifest.json: is not readable"),
    edited_and_relisted: ("the model is registered", GateError, "not the registered one"),
    not_registered: ("the model is registered", GateError, "not the registered one"),
    edited_card: ("the card is registered", GateError, "the card is not the one registered"),
    card_of_another_model: ("the card is of this model", GateError, "the card describes another model"),
    card_without_audit: ("audited and checked for leaks", GateError, "no fairness audit"),
    card_with_an_open_concern: (
        "concerns answered",
        GateError,
        "(Fields are as complete when scoring as when learning)",
    ),
    broken_chain: ("the review record is unbroken", GateError, "line 1: was edited"),
    put_back: ("the review record was not put back", GateError, "older than a list that was made by it: the seal aaaa"),
    clock_set_back: ("the clock is right", GateError, "today is 2026-11-22, but the record was last written on"),
    other_approval: ("reviewed", GateError, "no review decides on this model"),
    other_card_approved: ("reviewed", GateError, "decides on another card of this model"),
    withdrawn: ("not withdrawn", GateError, "withdrawn on 2026-11-23 by the director: The source table changed"),
    another_data_set_in_the_index: (
        "the data and policy are those decided on",
        GateError,
        "models.json names 000000000000 as the data, and the card",
    ),
    another_policy_in_the_record: (
        "the data and policy are those decided on",
        GateError,
        "record 3 names 000000000000 as the policy of the",
    ),
    a_card_that_names_no_data: (
        "the data and policy are those decided on",
        GateError,
        "as the data, and the card None",
    ),
    refused: ("approved", GateError, "decided against use on 2026-11-20 (advice: do not proceed)"),
    only_linking: ("the stage allows use", GateError, "the stage 'link', which scores nobody"),
    live_but_never_tested_on_the_present: ("tested on the present", GateError, "never tested on the present"),
    expired: ("not expired", GateError, "the approval expired on 2027-05-20"),
    answer_lapsed: ("verdicts answered", GateError, "2 of the audit's verdicts have no answer in date"),
    ended_before_today: ("the clock is right", GateError, "but the workspace was last written on 2026-11-24"),
    not_promoted: ("champion", GateError, "no model is champion, and only the champion scores"),
    another_promoted: ("champion", GateError, "the champion is version 2, and only the champion scores"),
    promoted_for_another_stage: ("champion", GateError, "promoted for live, and the decision now is for pilot"),
    agreement_ended: ("agreements in date", DataError, "agreement_expires: the agreement ended on 2020-01-01"),
    study_changed: ("agreements in date", ModelFileError, "a file of the study was changed after the card was built"),
    condition_overdue: ("conditions in time", GateError, "overdue since 2027-01-31 (owner: head of service)"),
}


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.__name__)
def test_each_fault_is_refused_by_its_rule_before_anything_is_loaded(
    approved: Any, loaded: list[dict[str, bytes]], fault: Callable[[Any], dict[str, Any]]
) -> None:
    rule, error, words = REFUSALS[fault]
    changes = fault(approved)
    with pytest.raises(error) as refusal:
        ask(approved, **changes)
    message = str(refusal.value)
    assert words in message
    assert "\n" not in message
    assert loaded == []
    row = explained(approved, **changes)[rule]
    assert not row["holds"]
    assert row["words"] == message


def test_a_model_never_tested_on_the_present_may_have_a_pilot(governed: Any) -> None:
    with_an_answered_break(governed)
    governed.decide(stage="pilot")
    governed.promote()
    assert ask(governed).approval.stage == "pilot"


def test_live_use_is_open_to_what_was_tested_on_the_present(governed: Any) -> None:
    governed.decide(stage="live")
    governed.promote(stage="live")
    assert ask(governed).approval.stage == "live"


NOT_PROMOTED: dict[str, tuple[str, dict[str, Any], str]] = {
    "another stage": ("decided for this stage", {"stage": "live"}, "live is asked for, but the decision is for pilot"),
    "its trainer": ("moved by another than trained it", {"by_role": " Data  scientist"}, "cannot promote it too"),
    "a poor card": (
        "the card is complete",
        {"failing_checks": lambda stage: ["reading grade"] if stage == "pilot" else []},
        "fails checks that hold up pilot (reading grade)",
    ),
    "an unchecked card": ("the card is complete", {"failing_checks": None}, "was not held to its checks"),
}


@pytest.mark.parametrize("fault", NOT_PROMOTED)
def test_each_fault_is_refused_a_promotion_by_its_rule(governed: Any, fault: str) -> None:
    governed.decide()
    assert gate.open_for_promotion(governed.case(stage="pilot", by_role="head of service")).stage == "pilot"
    rule, changes, words = NOT_PROMOTED[fault]
    with pytest.raises(GateError, match=re.escape(words)) as refusal:
        gate.open_for_promotion(governed.case(**changes))
    row = explained(governed, "promote", **changes)[rule]
    assert (row["holds"], row["words"]) == (False, str(refusal.value))


def test_every_rule_has_a_fault_that_it_refuses() -> None:
    tested = {rule for rule, _, _ in REFUSALS.values()} | {rule for rule, _, _ in NOT_PROMOTED.values()}
    assert tested == {rule for rules in GATES.values() for rule in rules}


def test_what_is_refused_to_score_is_refused_a_promotion_too(governed: Any) -> None:
    """The champion's own two rules apart, a promotion asks all that a score asks."""
    assert set(GATES["score"]) - set(GATES["promote"]) == {"champion", "agreements in date"}
    assert set(GATES["register"]) <= set(GATES["promote"])


def test_not_live_yet_does_not_end_a_pilot(approved: Any) -> None:
    approved.decide(stage="live", owner_decision="refuse", advice="more information", expires=None, answers={})
    assert ask(approved).approval.stage == "pilot"
    approved.decide(stage="link", owner_decision="refuse", advice="do not proceed", expires=None, answers={})
    with pytest.raises(GateError, match="decided against use"):
        ask(approved)


@pytest.mark.parametrize("stage", ["explore", "link"])
def test_leave_to_explore_or_link_does_not_end_a_pilot(approved: Any, stage: str) -> None:
    approved.decide(stage=stage)
    assert ask(approved).approval.stage == "pilot"
    assert ask(approved).approval.seq == 1


def test_after_a_pilot_leave_to_link_is_what_stands(approved: Any) -> None:
    after = dt.date(2027, 5, 21)
    lasting = {"reason": "Read and accepted", "expires": "2027-11-20"}
    approved.decide(
        after, stage="link", expires="2027-11-20", answers={"sex": lasting, "ethnicity": lasting}, conditions=[],
        advice="proceed",
    )  # fmt: skip
    with pytest.raises(GateError, match="the stage 'link', which scores nobody"):
        ask(approved, today=after)


def test_leave_for_live_use_shuts_the_pilot_until_it_is_promoted(approved: Any) -> None:
    approved.decide(stage="live")
    with pytest.raises(GateError, match="promoted for pilot, and the decision now is for live"):
        ask(approved)


def test_evidence_meets_a_condition_without_a_new_decision(approved: Any) -> None:
    late = dt.date(2027, 2, 1)
    with pytest.raises(GateError, match=r"overdue since 2027-01-31 .*riskmodels review met MODEL --condition 1"):
        ask(approved, today=late)
    said = {"decision": 1, "condition": 1, "evidence": "letter of 30 January", "by_role": "head of service"}
    with writing(approved.path, late) as writer:
        writer.append(Evidence.model_validate(said), Digests(approved.model_sha256, approved.card_sha256))
    opened = ask(approved, today=late)
    assert [(one.status, one.evidence) for one in opened.approval.conditions] == [("met", "letter of 30 January")]


@pytest.mark.parametrize("today", [dt.date(2026, 11, 23), dt.date(2027, 3, 31), dt.date(2027, 5, 20)])
def test_the_last_day_still_counts(governed: Any, today: dt.date) -> None:
    lasting = {"reason": "Read and accepted", "expires": str(today)}
    condition = {"text": "Tell parents", "owner": "head of service", "due": str(today)}
    governed.decide(answers={"sex": lasting, "ethnicity": lasting}, conditions=[condition])
    governed.promote()
    assert ask(governed, today=today)


def test_a_condition_met_is_never_overdue(governed: Any) -> None:
    condition = {"text": "Tell parents", "owner": "head of service", "due": "2026-01-31"}
    governed.decide(conditions=[{**condition, "status": "met", "evidence": "letter of 30 January"}])
    governed.promote()
    assert ask(governed)


def test_a_later_decision_replaces_an_earlier_one(approved: Any) -> None:
    approved.withdraw()
    approved.decide_again()
    with pytest.raises(GateError, match="no model is champion"):
        ask(approved)
    approved.promote()
    assert ask(approved).approval.seq == 4


def test_without_a_review_there_is_one_thing_to_do(governed: Any) -> None:
    with pytest.raises(GateError, match=r"put this card to the committee: `riskmodels review open MODEL`"):
        ask(governed)


def test_a_card_that_is_not_json_is_refused_as_a_card(governed: Any) -> None:
    governed.card = b"<html>"
    with pytest.raises(CardError, match="is not a model card"):
        ask(governed)


def test_a_model_folder_holds_no_links(approved: Any, tmp_path: Path) -> None:
    folder = tmp_path / "riskmodel"
    storage.write_folder(folder, approved.files)
    (folder / "model.json").rename(tmp_path / "elsewhere.json")
    (folder / "model.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ModelFileError, match="no links"):
        ask(approved, files=gate.read_model_folder(folder))


def test_a_folder_that_is_not_there_is_one_line(approved: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is not a folder"):
        gate.read_model_folder(tmp_path / "nowhere")


# ---------------------------------------------------------------- only the gate makes an approved model


def test_an_approved_model_cannot_be_made_otherwise(approved: Any) -> None:
    opened = ask(approved)
    parts = {
        name: getattr(opened, name) for name in ("model", "approval", "model_sha256", "card_sha256", "version", "study")
    }
    with pytest.raises(GateError, match=r"gate\.open_for_scoring alone"):
        gate.ApprovedModel(**parts)
    with pytest.raises(GateError):
        gate.ApprovedModel(**parts, token=object())
    with pytest.raises(GateError):
        dataclasses.replace(opened, model_sha256="f" * 64)
    with pytest.raises(dataclasses.FrozenInstanceError):
        opened.model = None  # type: ignore[misc]
    assert "_THE_GATE" not in repr(opened)
    assert gate._THE_GATE not in vars(opened).values()


@pytest.mark.parametrize("keep", [copy.copy, copy.deepcopy, pickle.dumps], ids=["copy", "deepcopy", "pickle"])
def test_an_approved_model_cannot_be_kept_for_another_day(approved: Any, keep: Callable[[Any], Any]) -> None:
    with pytest.raises(GateError, match="is not kept or sent: it holds for today alone; ask the gate again"):
        keep(ask(approved))


def test_an_approved_model_says_by_which_record(approved: Any) -> None:
    seals = [line.sha256 for line in approved.case().chain]
    assert ask(approved, seals_seen=seals).record_sha256 == seals[-1]


# ---------------------------------------------------------------- registering


@pytest.mark.parametrize(
    ("without", "words"),
    [("audit", "no fairness audit"), ("annex", "no leak checks")],
)
def test_a_card_without_audit_or_leak_checks_is_not_registered(governed: Any, without: str, words: str) -> None:
    card = json.loads(governed.card)
    gate.may_register(card)
    gate.may_register({**card, "annex": {"checks": [{"name": "future_facts"}]}})
    for emptied in (None, {}, [], {"checks": {"columns": ["check"], "rows": []}}):
        with pytest.raises(GateError, match=words):
            gate.may_register({**card, without: emptied})
    with pytest.raises(GateError, match=words):
        gate.may_register({name: value for name, value in card.items() if name != without})
