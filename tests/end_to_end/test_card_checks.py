"""`riskmodels card MODEL --check`, the published schema, and an approval that a failing card holds up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskmodels import __main__, commands, storage
from riskmodels.cards.checks import CHECKS
from riskmodels.errors import GateError
from riskmodels.workspace import Workspace
from tests.cards import example_card as example
from tests.conftest import ROOT, STUDY, TODAY

NAME = "early_reading_support"
EVERY = [name for name, check in CHECKS.items() if not check.of_pdf]
CALL = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CALL:
    """Run a command; its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = __main__.run([*map(str, arguments), "--today", str(TODAY)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A card outside any workspace, with gaps."""
    storage.write_whole(tmp_path / "draft" / "card.json", example.card().to_bytes())
    return tmp_path / "draft"


def test_the_demos_card_passes(call: CALL, workspace: Workspace) -> None:
    """It was approved, so it must; TRIPOD+AI alone holds up a live use and no pilot."""
    code, out, _ = call("card", NAME, "--check", "--workspace", workspace.root)
    lines = {line.split()[1]: line for line in out.splitlines()[:-1]}
    assert list(lines) == EVERY
    failed = {name for name, line in lines.items() if line.startswith("FAIL")}
    assert failed <= {"tripod"}
    assert code == (5 if failed else 0)
    assert "Not checked here: axe-core" in out


def test_a_draft_may_fail_and_says_what_to_do(call: CALL, draft: Path, tmp_path: Path) -> None:
    code, out, err = call("card", draft, "--check", "--workspace", tmp_path / "work")
    assert (code, err) == (5, "")
    complete = next(line for line in out.splitlines() if " complete " in line)
    assert complete.startswith("FAIL")
    assert "answers.yaml: purpose.alternatives (Head of Schools)" in complete
    assert "[holds up pilot and live]" in complete
    assert [path.name for path in draft.iterdir()] == ["card.json"], "a check writes nothing"
    assert not (tmp_path / "work").exists()


def test_as_json(call: CALL, draft: Path, tmp_path: Path) -> None:
    code, out, _ = call("card", draft, "--check", "--json", "--workspace", tmp_path / "work")
    found = json.loads(out)
    assert code == 5
    assert found["passed"] is False
    assert found["card_sha256"] == storage.sha256((draft / "card.json").read_bytes())
    assert [row["check"] for row in found["checks"]] == EVERY
    assert set(found["checks"][0]) == {"check", "what", "result", "passed", "words", "blocks"}


def test_with_an_output_the_card_is_written_too(call: CALL, draft: Path, tmp_path: Path) -> None:
    code, out, _ = call("card", draft, "--check", "--output", tmp_path / "out", "--workspace", tmp_path / "work")
    assert code == 5
    assert f"Card:  {tmp_path / 'out' / 'card.html'}" in out
    assert (tmp_path / "out" / "card.json").read_bytes() == (draft / "card.json").read_bytes()


def test_the_public_edition_is_checked_as_such(call: CALL, draft: Path, tmp_path: Path) -> None:
    _, out, _ = call("card", draft, "--check", "--edition", "public", "--workspace", tmp_path / "work")
    edition = next(line for line in out.splitlines() if " edition " in line)
    assert storage.sha256((draft / "card.json").read_bytes())[:12] in edition


def test_wrong_options_are_refused(call: CALL, draft: Path, tmp_path: Path) -> None:
    assert call("card", draft, "--json", "--workspace", tmp_path)[0] == 2
    assert call("card", draft, "--check", "--edition", "mine", "--workspace", tmp_path)[0] == 2
    assert call("card", draft, "--check", "--format", "doc", "--workspace", tmp_path)[0] == 2
    assert call("card", tmp_path / "nothing", "--check", "--workspace", tmp_path)[0] == 2


# ---------------------------------------------------------------- approvals


@pytest.fixture
def decision(workspace: Workspace) -> dict[str, Any]:
    """The example decision as the demo recorded it, taken again by a meeting of its own; it names its card."""
    from riskmodels.governance.chain import read_chain

    line = read_chain(workspace.reviews(NAME))[0]
    found: dict[str, Any] = line.act.model_dump(mode="json")
    meeting = {"date": TODAY, "minute": "EXAMPLE-AGAIN"}
    return {**found, "meeting": meeting, "expires": line.act.expires, "card_sha256": line.card_sha256}


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have these checks fail, and all others pass, without looking at the card."""

    def plant(*names: str) -> None:
        rows = [
            {"check": name, "passed": name not in names, "blocks": list(check.blocks)} for name, check in CHECKS.items()
        ]
        monkeypatch.setattr("riskmodels.cards.checks.check_whole", lambda checked: rows)

    return plant


def test_an_approval_is_held_up_by_a_failing_card(
    workspace: Workspace, decision: dict[str, Any], fails: Callable[..., None]
) -> None:
    fails("short", "links")
    before = workspace.reviews(NAME).read_bytes()
    with pytest.raises(GateError) as caught:
        commands.record_review(NAME, decision, workspace, TODAY)
    said = str(caught.value)
    assert "may not be approved for pilot, since it fails its checks (short, links)" in said
    assert f"riskmodels card {NAME}/1 --check" in said
    assert workspace.reviews(NAME).read_bytes() == before


def test_without_the_fault_it_is_recorded(workspace: Workspace, decision: dict[str, Any]) -> None:
    before = workspace.reviews(NAME).read_bytes()
    commands.record_review(NAME, decision, workspace, TODAY)
    assert workspace.reviews(NAME).read_bytes().count(b"\n") == before.count(b"\n") + 1


@pytest.mark.parametrize(
    "change",
    [{"stage": "link"}, {"owner_decision": "refuse", "expires": None}],
    ids=["an approval to link data", "a refusal"],
)
def test_what_allows_no_use_is_not_held_up(
    workspace: Workspace, decision: dict[str, Any], fails: Callable[..., None], change: dict[str, Any]
) -> None:
    fails("short")
    commands.record_review(NAME, {**decision, **change}, workspace, TODAY)


def test_a_withdrawal_is_never_held_up(workspace: Workspace, fails: Callable[..., None]) -> None:
    fails("short")
    withdrawal = {"kind": "withdrawal", "reason": "It is over.", "owner_role": "Head of School Improvement"}
    commands.record_review(NAME, withdrawal, workspace, TODAY)


@pytest.mark.parametrize(("stage", "held_up"), [("pilot", False), ("live", True)])
def test_tripod_holds_up_live_alone(
    workspace: Workspace, decision: dict[str, Any], fails: Callable[..., None], stage: str, held_up: bool
) -> None:
    fails("tripod", "acronyms")  # the second is a warning
    if held_up:
        with pytest.raises(GateError, match=r"approved for live, since it fails its checks \(tripod\)"):
            commands.record_review(NAME, {**decision, "stage": stage}, workspace, TODAY)
    else:
        commands.record_review(NAME, {**decision, "stage": stage}, workspace, TODAY)


# ---------------------------------------------------------------- the schema


def test_the_published_schema_is_todays() -> None:
    published = ROOT / "model_cards" / "schema.json"
    assert published.read_bytes() == commands.card_schema_file(), (
        "write it anew: riskmodels card schema --output model_cards/schema.json"
    )


def test_the_schema_is_printed_or_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert __main__.run(["card", "schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert __main__.run(["card", "schema", "--output", str(tmp_path / "new" / "schema.json")]) == 0
    assert (tmp_path / "new" / "schema.json").read_text() == printed
    assert __main__.run(["card", "schema", "--output", str(tmp_path / "new")]) == 7


def test_the_shipped_study_is_what_is_approved() -> None:
    """The decision that the demo records is for a pilot, as its checks are."""
    assert storage.read_yaml(STUDY / "example_decision.yaml")["stage"] == "pilot"


# ---------------------------------------------------------------- whose card is looked at


def test_a_folder_with_the_studys_name_stands_in_for_no_card(
    workspace: Workspace, decision: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that passes lies where the command runs, under the name of a study whose card fails."""
    from riskmodels.cards.checks import Checked
    from riskmodels.commands.cards import find_card

    own = storage.sha256(find_card(NAME, workspace).content)
    storage.write_whole(tmp_path / NAME / "card.json", example.card().to_bytes())
    monkeypatch.chdir(tmp_path)

    def looked_at(checked: Checked) -> list[dict[str, Any]]:
        theirs = checked.card["study"] == NAME
        return [{"check": "short", "passed": not theirs, "blocks": ["pilot", "live"]}]

    monkeypatch.setattr("riskmodels.cards.checks.check_whole", looked_at)
    with pytest.raises(GateError, match=r"fails its checks \(short\)"):
        commands.record_review(NAME, decision, workspace, TODAY)
    for reference in (NAME, f"{NAME}@candidate", f"{NAME}/1"):
        assert find_card(reference, workspace).sha256 == own
    assert find_card(f"./{NAME}", workspace).card.study == example.card().study


def test_an_approval_is_held_up_by_its_public_edition(
    workspace: Workspace, decision: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskmodels.cards.checks import Checked

    def looked_at(checked: Checked) -> list[dict[str, Any]]:
        public = checked.card["edition_profile"]["edition"] == "public"
        return [{"check": "links", "passed": not public, "blocks": ["pilot", "live"]}]

    monkeypatch.setattr("riskmodels.cards.checks.check_whole", looked_at)
    with pytest.raises(GateError, match=r"its public edition fails its checks \(links\).* --edition public"):
        commands.record_review(NAME, decision, workspace, TODAY)


@pytest.mark.parametrize("since", [None, "none"])
def test_what_is_hidden_is_held_against_every_version_before(workspace: Workspace, since: str | None) -> None:
    """Readers have the older versions, whichever of them the page is compared with, or none."""
    from riskmodels.commands.card_checks import _checked
    from riskmodels.commands.cards import find_card

    first = find_card(f"{NAME}/1", workspace)
    (other,) = _checked(first, workspace, TODAY, "committee", "none", False).published
    assert other["edition_profile"]["edition"] == "public"
    again = first.card.model_copy(update={"title": f"{first.card.title}, again"})
    later = replace(first, version=(first.version or 0) + 1, card=again)
    published = _checked(later, workspace, TODAY, "committee", since, False).published
    assert first.card.to_dict() in published
