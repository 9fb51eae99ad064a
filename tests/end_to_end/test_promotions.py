"""Which model scores, from the command line: promote, score, withdraw, go back, rebuild."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands, storage
from riskmodels.commands.demonstration import approved_by
from riskmodels.errors import UsageError
from riskmodels.governance.chain import read_chain
from riskmodels.governance.champions import champion
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, STUDY, TODAY, Demo
from tests.end_to_end.served import Called, refused
from tests.end_to_end.served import call as call_on

NAME = "early_reading_support"
OWNER = approved_by(STUDY / "example_decision.yaml")
LATER = TODAY + dt.timedelta(days=1)


def call(workspace: Workspace, *arguments: object, today: dt.date = TODAY) -> Called:
    return call_on(workspace, *arguments, today=today)


def score(workspace: Workspace, demo: Demo, output: Path, model: str = NAME, today: dt.date = TODAY) -> Any:
    return call(workspace, "score", model, demo.data, "--as-of", AS_OF, "--output", output, today=today)


def second_version(workspace: Workspace) -> None:
    """The same model with a card that says one word more: another version, which nobody has decided on."""
    from riskmodels.governance import registry

    first = registry.read_index(workspace)[NAME].versions[0]
    folder = workspace.root / first.folder
    copy = folder.with_name(folder.name + "b")
    shutil.copytree(folder, copy)
    card = json.loads((copy / "card" / "card.json").read_bytes())
    card["title"] += " (again)"
    (copy / "card" / "card.json").write_bytes(storage.canonical_json(card))
    entry = first.model_dump(mode="json", exclude={"version"}) | {
        "folder": copy.relative_to(workspace.root).as_posix(),
        "card_sha256": storage.sha256((copy / "card" / "card.json").read_bytes()),
    }
    assert registry.register(workspace, NAME, entry) == 2
    # It was never logged; what MLflow makes of promotions has its own tests.
    (workspace.root / "mlflow.db").unlink()


def approve_second(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, today: dt.date = LATER) -> None:
    """The first version's decision, for the second; the card itself was looked at when the first was decided on."""
    monkeypatch.setattr("riskmodels.commands.card_checks.failing_checks", lambda *given: [])
    decision = read_chain(workspace.reviews(NAME))[0].act.model_dump(mode="json")
    commands.record_review(f"{NAME}/2", decision, workspace, today)


def test_only_the_champion_scores_and_the_other_is_told_how(
    workspace: Workspace, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_version(workspace)
    approve_second(workspace, monkeypatch)
    refused(
        score(workspace, demo, tmp_path / "list.csv", f"{NAME}/2", LATER), 6,
        "the champion is version 1, and only the champion scores", "riskmodels promote",
    )  # fmt: skip
    assert not (tmp_path / "list.csv").exists()
    promoted = call(workspace, "promote", f"{NAME}/2", "--by", OWNER, today=LATER)
    assert promoted.code == 0, promoted
    assert f"Champion: {NAME}/2 in the place of {NAME}/1, for pilot, approved until 2027-05-22" in promoted.out
    assert score(workspace, demo, tmp_path / "list.csv", f"{NAME}/2", LATER).code == 0
    refused(score(workspace, demo, tmp_path / "old.csv", f"{NAME}/1", LATER), 6, "the champion is version 2")


def test_promoting_the_champion_again_changes_nothing(workspace: Workspace) -> None:
    before = workspace.reviews(NAME).read_bytes()
    again = call(workspace, "promote", NAME, "--by", OWNER)
    assert (again.code, workspace.reviews(NAME).read_bytes()) == (0, before)
    assert "is the champion already" in again.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--by", "Analytics  manager"], 6, "trained the model and cannot promote it too"),
        (["--by", "someone@council.example"], 6, "names a role, never a person's contact details"),
        ([], 2, "--by: is needed"),
        (["--by", " "], 2, "--by: is needed"),
        (["--by", OWNER, "--stage", "live"], 6, "live is asked for, but the decision is for pilot"),
        (["--by", OWNER, "--stage", "soon"], 6, "soon is asked for"),
    ],
)
def test_a_promotion_is_refused_in_one_line(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    second_version(workspace)
    approve_second(workspace, monkeypatch, TODAY)
    before = workspace.reviews(NAME).read_bytes()
    called = call(workspace, "promote", f"{NAME}/2", *arguments)
    refused(called, code, words)
    assert workspace.reviews(NAME).read_bytes() == before


def test_a_version_that_nobody_decided_on_is_not_promoted(workspace: Workspace) -> None:
    second_version(workspace)
    refused(call(workspace, "promote", f"{NAME}/2", "--by", OWNER), 6, "decides on another card of this model")
    refused(call(workspace, "promote", f"{NAME}/9", "--by", OWNER), 2, "has no version 9")
    refused(call(workspace, "promote", "nothing", "--by", OWNER), 2, "no such study among the registered models")


def test_a_withdrawal_stops_scoring_and_is_said_everywhere(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    register = tmp_path / "register" / NAME
    gone = call(
        workspace, "withdraw", NAME, "--by", OWNER, "--reason", "The spring test changed", "--minute", "M-7",
        "--instead", "Teachers choose, as before", "--notice", register,
    )  # fmt: skip
    assert gone.code == 0, gone
    assert f"Withdrawn: {NAME}/1; it scores nobody from now on" in gone.out
    assert f"Seal, for the minutes: {read_chain(workspace.reviews(NAME))[-1].sha256}" in gone.out
    assert "Tell the team that holds these lists" in gone.out
    assert f"riskmodels publish {NAME}/1 FOLDER --workspace {workspace.root}" in gone.out
    assert "--instead" not in gone.out, "it was said"
    batch = json.loads(workspace.ledger.read_text().splitlines()[0])
    assert batch["batch_id"] in gone.out, "the batches that it touched are listed"
    refused(score(workspace, demo, tmp_path / "list.csv"), 6, "the model was withdrawn on 2026-11-22")
    assert not (tmp_path / "list.csv").exists()
    shown = call(workspace, "card", NAME, "--output", tmp_path / "card")
    assert shown.code == 0
    assert "WITHDRAWN on 22 November 2026" in (tmp_path / "card" / "card.html").read_text()
    notice = storage.read_yaml(register / "notice.yaml")
    assert (notice["state"], notice["instead"]) == ("withdrawn", "Teachers choose, as before")
    again = call(workspace, "withdraw", f"{NAME}/1", "--by", OWNER, "--reason", "Again")
    refused(again, 6, "was withdrawn on 2026-11-22")
    refused(call(workspace, "rollback", NAME, "--by", OWNER, "--reason", "Drift"), 6, "no earlier champion is left")


def test_a_withdrawal_names_the_other_versions_that_it_stops_and_what_it_does_not_say(workspace: Workspace) -> None:
    second_version(workspace)
    gone = call(workspace, "withdraw", f"{NAME}/1", "--by", OWNER, "--reason", "The spring test changed")
    assert gone.code == 0, gone
    assert "This stops version 2 too: it is the same model." in gone.out
    assert "It does not say what people are offered now (--instead says it)" in gone.out


def test_a_withdrawal_whose_notice_blames_people_records_nothing(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.reviews(NAME).read_bytes()
    called = call(
        workspace, "withdraw", NAME, "--by", OWNER, "--reason", "Lazy families", "--notice", tmp_path / "register"
    )  # fmt: skip
    refused(called, 6, "blames people")
    assert (workspace.reviews(NAME).read_bytes(), (tmp_path / "register").exists()) == (before, False)


def test_going_back_asks_the_gate_again_and_leaves_the_history(
    workspace: Workspace, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_version(workspace)
    approve_second(workspace, monkeypatch)
    assert call(workspace, "promote", f"{NAME}/2", "--by", OWNER, today=LATER).code == 0
    refused(call(workspace, "rollback", NAME, "--by", OWNER, today=LATER), 2, "--reason: is needed")
    late = dt.date(2027, 6, 1)
    refused(call(workspace, "rollback", NAME, "--by", OWNER, "--reason", "x", today=late), 6, "expired on 2027-05-22")
    back = call(workspace, "rollback", NAME, "--by", OWNER, "--reason", "Fewer found", today=LATER)
    assert back.code == 0, back
    assert f"Champion: {NAME}/1 in the place of {NAME}/2" in back.out
    assert f"Seal, for the minutes: {read_chain(workspace.reviews(NAME))[-1].sha256}" in back.out
    assert "checking the card, both editions" in back.err
    assert score(workspace, demo, tmp_path / "list.csv", f"{NAME}@champion", LATER).code == 0
    chain = read_chain(workspace.reviews(NAME))
    on = {day: champion(chain, day).promotion.version for day in (TODAY, LATER)}  # type: ignore[union-attr]
    assert on == {TODAY: 1, LATER: 1}
    assert champion(chain, TODAY - dt.timedelta(days=1)) is None
    assert [line.act.version for line in chain if line.act.kind == "promotion"] == [1, 2, 1]
    again = call(workspace, "rollback", NAME, "--by", OWNER, "--reason", "Fewer found", today=LATER)
    refused(again, 6, "no earlier champion is left to go back to")


@pytest.mark.slow
def test_a_withdrawn_model_is_rebuilt_to_the_bit_from_the_record_alone(
    workspace: Workspace, demo: Demo, tmp_path: Path
) -> None:
    assert call(workspace, "withdraw", NAME, "--by", OWNER, "--reason", "The spring test changed").code == 0
    kept = {path.name: path.read_bytes() for path in (next(workspace.runs(NAME).iterdir()) / "riskmodel").iterdir()}
    shutil.rmtree(workspace.runs(NAME))
    out = tmp_path / "rebuilt"
    # The clock and the register of today do not matter: nobody is scored.
    report = commands.rebuild(f"{NAME}/1", workspace, demo.data, out)
    assert report.same_model
    assert report.same_card
    assert {path.name: path.read_bytes() for path in (out / "riskmodel").iterdir()} == kept


def test_a_rebuild_asks_for_the_sources_that_prepare_py_made(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match=f"prepare.py is not kept with a decision; .* --data {workspace.data(NAME)}"):
        commands.rebuild(f"{NAME}/1", workspace)


def test_a_rebuild_of_what_nobody_decided_on_says_so(workspace: Workspace) -> None:
    second_version(workspace)
    with pytest.raises(UsageError, match="no decision names it"):
        commands.rebuild(f"{NAME}/2", workspace)
