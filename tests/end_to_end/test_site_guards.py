"""A register does not mislead: whose record counts, what is no decision, and what may not vanish from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.cards import renderings
from riskmodels.workspace import Workspace
from tests.conftest import ROOT
from tests.end_to_end import registers as given
from tests.end_to_end.test_site import files_of, listed, site
from tests.reports.test_page import Page

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards without their pictures, which take the time and are tried where they are drawn."""
    monkeypatch.setattr(renderings, "draw_figures", lambda figures: {})


# ---------------------------------------------------------------- whose record counts


def test_a_mistyped_workspace_never_makes_a_withdrawn_tool_look_approved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = given.card("reading")
    tool = given.put(tmp_path / "cards", "reading", content)
    workspace = Workspace(tmp_path / "work")
    given.decide(workspace.reviews("reading"), content)
    for name in ("jsonl", "head"):
        shutil.copy(workspace.reviews("reading").with_suffix(f".{name}"), tool / f"review.{name}")
    given.decide(workspace.reviews("reading"), content, given.WITHDRAWAL)
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "runs").mkdir(parents=True)
    for name, code, said in (
        ("wrok", 2, "no such folder"), ("empty", 2, "holds no models"), ("other", 6, "does not agree with"),
    ):  # fmt: skip
        assert site(tmp_path / "cards", tmp_path / "site", "--workspace", str(tmp_path / name)) == code
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert not (tmp_path / "site").exists()
    assert site(tmp_path / "cards", tmp_path / "site", "--workspace", str(workspace.root)) == 0
    assert listed(tmp_path / "site")["reading"]["state"] == "WITHDRAWN"


# ---------------------------------------------------------------- what was decided, and what was not


def test_a_withdrawal_of_an_earlier_model_does_not_seem_to_stop_the_approved_one(tmp_path: Path) -> None:
    before, now = given.card("reading", model="cd" * 32), given.card("reading")
    tool = given.put(tmp_path / "cards", "reading", now, {"2026-11-21": before})
    for content, raw in ((before, None), (now, None), (before, given.WITHDRAWAL)):
        given.decide(tool / "review.jsonl", content, raw)
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    assert listed(tmp_path / "site")["reading"]["state"] == "APPROVED"
    said = "An earlier model of this tool (version 1) was withdrawn on 22 November 2026 by the head of schools"
    for name in ("index.html", "reading/index.html", "reading/changes.html"):
        assert said in Page((tmp_path / "site" / name).read_bytes()).text, name
    text = Page((tmp_path / "site" / "reading" / "changes.html").read_bytes()).text
    assert "The use of an earlier model was stopped" in text
    assert "It does not hold for version 2, which is of another model." in text
    assert "Its use was stopped" not in text


def test_an_example_and_an_approval_to_explore_are_not_in_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, raw in (("shown", {"example": True}), ("tried", {"stage": "explore"}), ("linked", {"stage": "link"})):
        tool = given.put(tmp_path / "cards", name)
        given.decide(tool / "review.jsonl", given.card(name), {**given.DECISION, **raw})
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    out = capsys.readouterr().out
    tags = {"shown": "EXAMPLE: APPROVED", "tried": "APPROVED TO EXPLORE", "linked": "APPROVED TO LINK"}
    for name, tag in tags.items():
        assert f"{tag}: {name.capitalize()}\n" in out
        assert not listed(tmp_path / "site")[name]["in_use"]
        for file in ("index.html", "card.html", "card-public.html"):
            page = (tmp_path / "site" / name / file).read_bytes()
            assert tag in Page(page).text, (name, file)
            assert b'class="status status-pass"' not in page
            assert b'class="status status-approved"' not in page
    assert "Tools approved for use" not in Page((tmp_path / "site" / "index.html").read_bytes()).text


def test_an_example_that_a_real_decision_followed_stays_in_the_history_as_one(tmp_path: Path) -> None:
    """The case without the fault: what governs the card of a real organisation is no example."""
    cards = tmp_path / "cards"
    given.put(cards, "b")
    given.example_on_a_real_tool(cards)
    given.decide(cards / "b" / "review.jsonl", (cards / "b" / "card.json").read_bytes())
    assert site(cards, tmp_path / "site") == 0
    assert listed(tmp_path / "site")["b"]["in_use"]
    text = Page((tmp_path / "site" / "b" / "changes.html").read_bytes()).text
    assert "Example: approved for a pilot" in text


def test_a_tool_that_was_only_explored_may_be_said_never_to_have_proceeded(tmp_path: Path) -> None:
    """The case without the fault."""
    tool = given.put(tmp_path / "cards", "b")
    given.decide(tool / "review.jsonl", given.card("b"), {**given.DECISION, "stage": "explore"})
    given.decide(tool / "review.jsonl", given.card("b"), given.WITHDRAWAL)
    (tool / "notice.yaml").write_text(given.NEVER)
    assert site(tmp_path / "cards", tmp_path / "site") == 0


def test_an_agreement_that_ended_since_the_version_before_is_told(tmp_path: Path) -> None:
    """The days are those on which each version took its predecessor's place; the newest stands today."""
    cards = {
        name: json.loads(given.card("b", model=digest * 32)) for name, digest in (("1", "cd"), ("2", "ef"), ("3", "ab"))
    }
    columns = cards["3"]["data"]["register"]["columns"]
    for one in cards.values():
        one["data"]["register"]["rows"][0][columns.index("Agreement expires")] = "2026-11-15"
    raw = {name: storage.canonical_json(one) for name, one in cards.items()}
    given.put(tmp_path / "cards", "b", raw["3"], {"2026-11-10": raw["1"], "2026-11-12": raw["2"]})
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    text = Page((tmp_path / "site" / "b" / "changes.html").read_bytes()).text
    newest, _, before = text.partition("What changed from version 1")
    assert "ended on 15 November 2026, which is since the last card" in newest
    assert "15 November 2026" not in before


# ---------------------------------------------------------------- nothing vanishes without a word


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The cards of a register that was written: two tools, one with a version before, a decision and a notice."""
    cards = tmp_path / "cards"
    given.put(cards, "a")
    tool = given.put(cards, "b", given.card("b"), {"2026-11-21": given.card("b", model="cd" * 32)})
    given.decide(tool / "review.jsonl", given.card("b"))
    given.decide(tool / "review.jsonl", given.card("b"), given.WITHDRAWAL)
    (tool / "notice.yaml").write_text(given.RETIRED)
    assert site(cards, tmp_path / "site") == 0
    return cards


def _without(*names: str) -> Any:
    def take(cards: Path) -> None:
        for name in names:
            path = cards / "b" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return take


def _only_the_approval(cards: Path) -> None:
    """The record as it was before the withdrawal, and no notice."""
    _without("review.jsonl", "review.head", "notice.yaml")(cards)
    given.decide(cards / "b" / "review.jsonl", given.card("b"))


VANISHED: dict[str, tuple[Any, str, str | None]] = {
    "the tool": (_without("."), "b: is missing", "The tool B (b)"),
    "a version": (_without("earlier"), "b: version 1 of the card (", "Version 1 of B (b)"),
    "the notice": (_without("notice.yaml"), "b: its notice.yaml is missing", "The notice of B (b)"),
    "the record": (_without("review.jsonl", "review.head"), "b: record 1 of its review is missing", None),
    "the withdrawal": (_only_the_approval, "b: record 2 of its review is missing", None),
}


@pytest.mark.parametrize("what", VANISHED)
def test_nothing_vanishes_from_a_register_without_a_word(
    what: str, shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take, said, line = VANISHED[what]
    before = files_of(tmp_path / "site")
    take(shown)
    for options in ((), ("--dry-run",), ("--remove", "a")):
        capsys.readouterr()
        assert site(shown, tmp_path / "site", *options) == 6
        error = capsys.readouterr().err
        assert said in error
        assert "which this register shows" in error
        assert error.count("\n") == 1
        assert files_of(tmp_path / "site") == before
    if line is None:  # a decision stays as long as its tool
        assert "--remove" not in error
        assert site(shown, tmp_path / "site", "--remove", "b") == 6
        return
    assert "--remove b" in error
    for options in (("--remove", "b"), ("--remove", "b"), ()):  # and the line stays
        assert site(shown, tmp_path / "site", *options) == 0
        told = f"{line} was taken out of this register on 22 November 2026."
        assert told in capsys.readouterr().out
        assert told in Page((tmp_path / "site" / "index.html").read_bytes()).text


def test_the_same_cards_over_the_same_register_give_the_same_bytes(shown: Path, tmp_path: Path) -> None:
    before = files_of(tmp_path / "site")
    assert site(shown, tmp_path / "site") == 0
    assert files_of(tmp_path / "site") == before


def test_a_name_in_remove_of_which_nothing_is_missing_is_refused(
    shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "c\n"):
        assert site(shown, tmp_path / "site", "--remove", name) == 2
        error = capsys.readouterr().err
        assert "nothing of this tool is missing" in error
        assert error.count("\n") == 1


def test_a_listing_that_was_edited_hides_nothing(
    shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site" / "register.json"
    raw = json.loads(path.read_bytes())
    path.write_bytes(storage.canonical_json({**raw, "tools": [{"name": 3}]}))
    assert site(shown, tmp_path / "site") == 2
    assert "register.json: tools.0.name: is not as a register wrote it" in capsys.readouterr().err


def test_an_earlier_version_that_gives_a_number_away_can_be_taken_out_as_the_refusal_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version before was in the register by itself; then the newest came, beside which it gives a number away."""
    cards = tmp_path / "cards"
    given.put(cards, "a")
    given.put(cards, "b")
    given.gives_away(cards)
    (cards / "b" / "card.json").write_bytes((cards / "b" / "earlier" / "1" / "card.json").read_bytes())
    shutil.rmtree(cards / "b" / "earlier")
    assert site(cards, tmp_path / "site") == 0
    given.gives_away(cards)
    assert site(cards, tmp_path / "site") == 5
    assert "(with --remove b if the register showed it)" in capsys.readouterr().err
    shutil.rmtree(cards / "b" / "earlier")
    assert site(cards, tmp_path / "site") == 6
    assert site(cards, tmp_path / "site", "--remove", "b") == 0


# ---------------------------------------------------------------- what is shown of too few people


@pytest.mark.parametrize("notice", [False, True])
@pytest.mark.parametrize("where", ["now", "before"])
def test_a_card_that_tells_of_too_few_is_not_published_whatever_became_of_the_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str, notice: bool
) -> None:
    raw = json.loads(given.card("reading", model="cd" * 32))
    raw["performance"]["at_capacity"]["hits"] = 3
    unsafe, safe = storage.canonical_json(raw), given.card("reading")
    content, earlier = (unsafe, {}) if where == "now" else (safe, {"2026-11-21": unsafe})
    tool = given.put(tmp_path / "cards", "reading", content, earlier)
    if notice:
        (tool / "notice.yaml").write_text(given.RETIRED, encoding="utf-8")
    assert site(tmp_path / "cards", tmp_path / "site") == 6
    error = capsys.readouterr().err
    assert "the committee edition of reading may not be published (disclosure)" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "site").exists()


def test_a_sentence_about_three_people_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = json.loads(given.card("reading"))
    raw["performance"]["words"].append("Of the group, 3 people were missed.")
    given.put(tmp_path / "cards", "reading", storage.canonical_json(raw))
    assert site(tmp_path / "cards", tmp_path / "site") == 6
    assert "(rendered_counts)" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_card_that_was_changed_by_hand_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless a decision names these very bytes, which nobody can then have changed."""
    raw = json.loads((ROOT / "model_cards" / "early_reading_support" / "card.json").read_bytes())
    raw["audit"]["verdict"] = "PASS"
    given.put(tmp_path / "cards", "reading", storage.canonical_json(raw))
    assert site(tmp_path / "cards", tmp_path / "site") == 6
    assert "(audit_agrees)" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
