"""What a decision may be recorded on, and what is registered: held to the card, the index and the gate's own rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from riskmodels import commands, storage
from riskmodels.commands import runs
from riskmodels.data.leakage import DETECTORS
from riskmodels.errors import GateError, ModelFileError, UsageError
from riskmodels.governance import gate
from riskmodels.governance.acts import parse_decision
from riskmodels.governance.registry import read_index
from riskmodels.workspace import Workspace
from tests.governance.acting import Acting, add_version, name
from tests.governance.conftest import DECISION, FOLDER, STUDY, TODAY, make_card, make_files
from tests.governance.review_workspace import Made

WITHDRAWAL = parse_decision({"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"})
NEW: dict[str, Any] = {"meeting": {"date": str(TODAY), "minute": "DEC-NEW"}}


# ---------------------------------------------------------------- which version


def record(acting: Acting, reference: str, **changes: Any) -> Any:
    return commands.record_review(reference, {**DECISION, **NEW, **changes}, acting.workspace, TODAY)


def digests(acting: Acting, version: int) -> dict[str, str]:
    entry = read_index(acting.workspace)[STUDY].versions[version - 1]
    return {"model_sha256": entry.model_sha256, "card_sha256": entry.card_sha256}


def test_a_decision_that_names_its_card_lands_on_that_version(acting: Acting) -> None:
    assert record(acting, STUDY, **digests(acting, 1)).name == name(1)  # not the champion, which is 2
    assert acting.records[-1].card_sha256 == digests(acting, 1)["card_sha256"]
    assert record(acting, f"{STUDY}@candidate", **digests(acting, 3)).name == name(3)
    with pytest.raises(GateError, match=f"no version of {STUDY} has this card"):
        record(acting, STUDY, card_sha256="a" * 64)
    with pytest.raises(GateError, match="model_sha256: the decision names"):
        record(acting, STUDY, **digests(acting, 1) | {"model_sha256": "a" * 64})


@pytest.mark.parametrize("reference", [STUDY, f"{STUDY}@candidate", f"{STUDY}@champion", f"models:/{STUDY}"])
def test_a_decision_that_names_no_card_is_recorded_on_a_version_alone(acting: Acting, reference: str) -> None:
    add_version(acting.workspace, "fourth")  # trained after the committee met
    before = acting.bytes()
    with pytest.raises(UsageError, match=f"such as {STUDY}/4, or fill in the form of `riskmodels review open"):
        record(acting, reference)
    assert acting.bytes() == before
    line = acting.told(2, "review", "record", reference, acting.decision)
    assert "names no version, and the decision names no card" in line


# ---------------------------------------------------------------- what the card says


@pytest.mark.parametrize(("key", "what"), [("d", "data"), ("e", "policy of the fairness audit")])
def test_an_index_with_other_data_or_another_policy_is_not_sealed(made: Made, key: str, what: str) -> None:
    made.decide()
    made.promote()
    index = made.workspace.models_index
    index.write_text(index.read_text().replace(key * 64, "0" * 64))
    before = made.bytes()
    refusal: dict[str, Any] = {"owner_decision": "refuse", "advice": "do not proceed", "expires": None}
    for changes in ({}, refusal):
        with pytest.raises(GateError, match=f"models.json names 000000000000 as the {what}, and the card {key * 12}"):
            made.decide(**NEW, **changes)
    assert made.bytes() == before
    rows = {row["rule"]: row for row in commands.gate(made.name, made.workspace, TODAY).rows}
    assert not rows["the data and policy are those decided on"]["holds"]


def test_evidence_is_sealed_with_what_was_decided_on(made: Made) -> None:
    made.decide()
    index = made.workspace.models_index
    index.write_text(index.read_text().replace("d" * 64, "0" * 64))
    commands.record_evidence(made.name, made.workspace, TODAY, condition=1, evidence="Sent", by_role="head of service")
    assert made.records[-1].data_sha256 == "d" * 64


def with_concern(made: Made, check: str, answer: str) -> None:
    """The registered card as it would be if a check had raised a concern."""
    (path,) = made.workspace.runs(STUDY).glob("*/card/card.json")
    card = json.loads(path.read_bytes())
    rows = [[check, "concern", "never tested on the present", answer]]
    card["annex"]["checks"] = {"columns": ["Check", "Result", "Evidence", "Accepted because"], "rows": rows}
    before, content = storage.sha256(path.read_bytes()), storage.canonical_json(card)
    path.write_bytes(content)
    index = made.workspace.models_index
    index.write_text(index.read_text().replace(before, storage.sha256(content)))


def test_live_use_is_not_approved_of_what_was_never_tested_on_the_present(made: Made) -> None:
    with_concern(made, DETECTORS["break_spanned"].words, "The law will be watched.")
    with pytest.raises(GateError, match="never tested on the present"):
        made.decide(stage="live")
    assert made.records == []
    assert made.decide(stage="pilot").approval


@pytest.mark.parametrize("stage", ["pilot", "live"])
def test_use_is_not_approved_while_a_concern_has_no_answer(made: Made, stage: str) -> None:
    with_concern(made, "Fields are as complete when scoring as when learning", "")
    with pytest.raises(GateError, match="raised a concern that nobody has answered"):
        made.decide(stage=stage)
    assert made.records == []
    assert made.decide(stage="link").approval


def test_what_was_recorded_meanwhile_is_not_overruled_unread(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A withdrawal comes while a decision is checked and its files are kept."""
    monkeypatch.setattr("riskmodels.commands.deposits.deposit", lambda *asked: made.append(WITHDRAWAL))
    with pytest.raises(GateError, match="meanwhile director recorded a withdrawal"):
        made.decide(**NEW)
    assert [line.act.kind for line in made.records] == ["withdrawal"]


def test_a_dry_run_says_that_a_decision_is_too_old(made: Made) -> None:
    made.decide()
    made.append(WITHDRAWAL)
    with pytest.raises(GateError, match="knew nothing of the withdrawal"):
        commands.record_review(made.name, {**DECISION, "dissent": []}, made.workspace, TODAY, dry_run=True)


# ---------------------------------------------------------------- registering


def of_another_model() -> tuple[dict[str, bytes], bytes]:
    return make_files(), make_card(make_files("another"))


def with_a_changed_file() -> tuple[dict[str, bytes], bytes]:
    files = make_files()
    return {**files, "model.json": files["model.json"] + b" "}, make_card(files)


def unaudited() -> tuple[dict[str, bytes], bytes]:
    return make_files(), make_card(make_files()).replace(b'"verdict"', b'"opinion"')


FAULTS: dict[Callable[[], tuple[dict[str, bytes], bytes]], tuple[type[Exception], str]] = {
    of_another_model: (GateError, "the card describes another model"),
    with_a_changed_file: (ModelFileError, "was changed after the model was saved"),
    unaudited: (GateError, "no fairness audit"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_run_is_registered_by_the_rules_that_the_gate_explains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], tuple[dict[str, bytes], bytes]]
) -> None:
    error, words = FAULTS[fault]
    saved, card = fault()
    files = {f"riskmodel/{name}": content for name, content in saved.items()} | {"card/card.json": card}
    dataset = SimpleNamespace(features=SimpleNamespace(frame=None))
    found = SimpleNamespace(card=None, model=SimpleNamespace(model_sha256="a" * 64), dataset=dataset)
    monkeypatch.setattr("riskmodels.pipeline.run_study", lambda *asked, **options: found)
    monkeypatch.setattr("riskmodels.models.reading_back.refuse_unfaithful", lambda *asked: None)
    monkeypatch.setattr(runs, "since_last_card", lambda *asked: None)
    monkeypatch.setattr(runs, "run_files", lambda *asked, **options: files)
    workspace = Workspace(tmp_path / "work")
    with pytest.raises(error, match=words):
        runs.run(FOLDER, workspace, data=tmp_path, today=TODAY)
    assert read_index(workspace) == {}
    assert not list(workspace.root.glob("runs/*/*"))


def test_what_is_whole_may_be_registered(governed: Any) -> None:
    gate.open_for_registration(governed.case(registered={}))
