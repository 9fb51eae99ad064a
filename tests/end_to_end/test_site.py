"""`riskmodels site` and `publish`: a folder of cards in, a register out, or one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
import json
import os
import posixpath
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.__main__ import run
from riskmodels.cards import renderings
from riskmodels.workspace import Workspace
from tests.browser.chromium import PROGRAM, Chromium
from tests.conftest import ROOT
from tests.end_to_end import registers as given
from tests.reports.test_page import Page

TODAY = given.TODAY.isoformat()
PAGE = ROOT / "docs" / "public-register.md"
LOOK = """(async () => {
  const inside = (part) => part.closest(".scroll, .picture, .skip, .hidden");
  const wide = [...document.body.querySelectorAll("*")].filter(
    (part) => !inside(part) && part.getBoundingClientRect().right > innerWidth + 1);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, { runOnly: tags });
  return { violations: found.violations.map((one) => one.id), wide: wide.map((part) => part.outerHTML.slice(0, 200)) };
})()"""
CARD_PAGES = re.compile(r"card(-public)?\.html")


def site(cards: Path, output: Path, *options: str) -> int:
    return run(["site", str(cards), "--output", str(output), "--today", TODAY, *options])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads((folder / "register.json").read_bytes())["tools"]}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards without their pictures, which take the time and are tried where they are drawn."""
    monkeypatch.setattr(renderings, "draw_figures", lambda figures: {})


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register of a tool in every state; its cards stand in ``cards`` beside it."""
    folder = tmp_path_factory.mktemp("states")
    given.every_state(folder / "cards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renderings, "draw_figures", lambda figures: {})
        assert site(folder / "cards", folder / "site", "--organisation", "Northby Council") == 0
    return folder / "site"


# ---------------------------------------------------------------- what it shows


def test_each_tool_has_its_state_today(states: Path) -> None:
    found = listed(states)
    assert {name: one["state"] for name, one in found.items()} == {
        "approved": "APPROVED", "awaiting": "AWAITING REVIEW", "expired": "EXPIRED", "refused": "REFUSED",
        "withdrawn": "WITHDRAWN", "retired": "RETIRED", "never": "NEVER PROCEEDED",
    }  # fmt: skip
    assert found["approved"]["until"] == "2027-05-20"
    assert found["withdrawn"]["until"] is None
    assert [one["last_changed"] for one in map(found.get, ("awaiting", "approved", "expired", "retired"))] == [
        None, TODAY, "2026-07-10", "2026-10-01"
    ]  # fmt: skip
    index = Page((states / "index.html").read_bytes()).text
    assert "Tools approved for use (1)" in index
    assert "Tools that are not in use yet (1)" in index
    assert "Tools that are over, or never began (5)" in index
    assert [name for name, one in found.items() if one["in_use"]] == ["approved"]
    for one in found.values():
        assert one["state"] in Page((states / one["name"] / "card-public.html").read_bytes()).text


def test_the_full_card_is_the_very_file_that_decisions_name(states: Path) -> None:
    content = (states / "approved" / "card.json").read_bytes()
    assert content == (states.parent / "cards" / "approved" / "card.json").read_bytes()
    assert listed(states)["approved"]["card_sha256"] == storage.sha256(content)
    public = json.loads((states / "approved" / "card-public.json").read_bytes())
    assert public["edition_profile"]["of"] == storage.sha256(content)


def test_what_changed_when_is_told_from_the_record_and_the_versions(states: Path) -> None:
    text = Page((states / "approved" / "changes.html").read_bytes()).text
    order = [
        "Approved for a pilot, until 20 May 2027", "22 November 2026", "The committee met on 20 November 2026",
        "Condition: Tell parents in writing", "Version 2 of the card was published", "21 November 2026",
        "Version 2, today's card", "Version 1", "A later version took its place",
    ]  # fmt: skip
    places = [text.index(said) for said in order]
    assert places == sorted(places)
    stopped = Page((states / "withdrawn" / "changes.html").read_bytes()).text
    assert stopped.index("Its use was stopped") < stopped.index("Approved for a pilot")
    never = Page((states / "never" / "index.html").read_bytes()).text
    assert "It never proceeded on 1 September 2026" in never
    assert "The committee asked for better records first." in never


def test_the_card_of_a_tool_that_stopped_does_not_say_that_it_may_be_used(states: Path) -> None:
    for name, said in (
        ("retired", "used, or was meant to use"), ("never", "used, or was meant to use"),
        ("withdrawn", "used, or was meant to use"), ("approved", "uses or may use"), ("awaiting", "uses or may use"),
    ):  # fmt: skip
        for file in ("card-public.html", "card-public.md"):
            text = (states / name / file).read_text(encoding="utf-8")
            assert f"A public record of a tool that Northby Council (fictional) {said}." in text, (name, file)


def test_every_link_of_every_page_leads_to_a_file_of_the_register(states: Path) -> None:
    files = files_of(states)
    pages = {name: Page(content) for name, content in files.items() if name.endswith(".html")}
    ids = {name: {one.get("id") for _, one in page.elements} for name, page in pages.items()}
    for name, page in pages.items():
        page.refuse_fetching()
        assert page.unbalanced == page.open == [], name
        assert [level for level, _ in page.headings].count(1) == 1
        for link in page.all("a"):
            target, _, anchor = str(link["href"]).partition("#")
            if target.startswith("mailto:"):
                continue
            where = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
            assert where in files, (name, link["href"])
            assert not anchor or anchor in ids[where], (name, link["href"])
    reached = {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), str(link["href"]).partition("#")[0]))
        for name, page in pages.items() for link in page.all("a")
    }  # fmt: skip
    assert set(files) - reached == set()
    assert json.loads(files["register.json"])["files"].keys() == files.keys() - {"register.json"}


@pytest.mark.slow
def test_a_browser_finds_every_page_accessible_whole_on_a_phone_and_fetching_nothing(
    states: Path, tmp_path: Path
) -> None:
    """WCAG 2.2 AA by axe-core, everything unfolded. Cards have a test of their own: here is one, with its way back."""
    script = os.environ.get("RISKMODELS_AXE")
    if PROGRAM is None or not script or not Path(script).is_file():
        pytest.skip("needs chromium, and RISKMODELS_AXE naming axe.min.js of the npm package axe-core")
    axe = Path(script).read_text(encoding="utf-8")
    pages = [path for path in sorted(states.rglob("*.html")) if not CARD_PAGES.fullmatch(path.name)]
    pages.append(states / "approved" / "earlier" / "1" / "card-public.html")
    assert len(pages) == 3 + 2 * 7 + 1
    with Chromium(tmp_path / "profile") as browser:
        for path in pages:
            for width in (320, 1600):
                browser.open(path.as_uri(), width=width)
                browser.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
                browser.run(axe)
                found = browser.run(LOOK)
                assert found == {"violations": [], "wide": []}, (path, width)
                assert browser.requests == [path.as_uri()]
        planted = tmp_path / "planted.html"
        fault = b'<p style="color: #bbb; width: 900px">Faint and wide</p></main>'
        planted.write_bytes((states / "index.html").read_bytes().replace(b"</main>", fault))
        browser.open(planted.as_uri(), width=320)
        browser.run(axe)
        found = browser.run(LOOK)
        assert found["violations"] == ["color-contrast"]
        assert "Faint and wide" in found["wide"][0]


def test_the_way_back_leads_from_an_earlier_card_to_the_register(states: Path) -> None:
    page = Page((states / "approved" / "earlier" / "1" / "card.html").read_bytes())
    trail = [one["href"] for one in page.all("a")][1:4]
    assert trail == ["../../../index.html", "../../index.html", "../../changes.html"]


def test_the_same_folder_on_the_same_day_gives_the_same_bytes(states: Path, plain: None, tmp_path: Path) -> None:
    shutil.copytree(states.parent / "cards", tmp_path / "copy")
    assert site(tmp_path / "copy", tmp_path / "site", "--organisation", "Northby Council") == 0
    assert files_of(tmp_path / "site") == files_of(states)


def test_a_waiting_card_says_that_an_earlier_one_may_still_be_used(plain: None, tmp_path: Path) -> None:
    before, now = given.card("reading", model="cd" * 32), given.card("reading")
    tool = given.put(tmp_path / "cards", "reading", now, {"v9": given.card("reading", model="ef" * 32), "v10": before})
    given.decide(tool / "review.jsonl", before)
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    found = listed(tmp_path / "site")["reading"]
    assert found["state"] == "AWAITING REVIEW"
    assert "Version 2 is still approved for a pilot, until 20 May 2027." in found["words"]
    assert "APPROVED" in Page((tmp_path / "site" / "reading" / "earlier" / "2" / "card.html").read_bytes()).text


def test_an_empty_folder_makes_a_register_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "README.md").write_text("Cards go here.")
    assert site(tmp_path / "cards", tmp_path / "site", "--title", "Our tools") == 0
    page = Page((tmp_path / "site" / "index.html").read_bytes())
    assert "There is no tool in this register today." in page.text
    assert page.headings[0] == (1, "Our tools")


def test_what_people_wrote_in_a_card_stays_text_on_every_page(plain: None, tmp_path: Path) -> None:
    sharp = '"><script>alert(1)</script>\u202e'
    given.put(tmp_path / "cards", "sharp", given.card("sharp", sharp, question=sharp))
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    for name, content in files_of(tmp_path / "site").items():
        if name.endswith(".html"):
            assert not Page(content).all("script"), name
            assert "\u202e".encode() not in content, name
    assert "\u202e".encode() not in (tmp_path / "site" / "feed.xml").read_bytes()


# ---------------------------------------------------------------- a workspace's record


def test_the_record_of_a_workspace_is_used_and_a_copy_must_agree_with_it(
    plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = given.card("reading")
    tool = given.put(tmp_path / "cards", "reading", content)
    workspace = Workspace(tmp_path / "work")
    given.decide(workspace.reviews("reading"), content)
    options = ("--workspace", str(workspace.root))
    assert site(tmp_path / "cards", tmp_path / "site") == 0
    assert listed(tmp_path / "site")["reading"]["state"] == "AWAITING REVIEW"
    assert site(tmp_path / "cards", tmp_path / "site", *options) == 0
    assert listed(tmp_path / "site")["reading"]["state"] == "APPROVED"
    shutil.copy(workspace.reviews("reading"), tool / "review.jsonl")
    shutil.copy(workspace.reviews("reading").with_suffix(".head"), tool / "review.head")
    given.decide(workspace.reviews("reading"), content, given.WITHDRAWAL)
    assert site(tmp_path / "cards", tmp_path / "site", *options) == 0
    assert listed(tmp_path / "site")["reading"]["state"] == "WITHDRAWN"
    (tool / "review.jsonl").unlink()
    (tool / "review.head").unlink()
    given.decide(tool / "review.jsonl", content, given.REFUSAL)
    capsys.readouterr()
    assert site(tmp_path / "cards", tmp_path / "site", *options) == 6
    assert "does not agree with" in capsys.readouterr().err


# ---------------------------------------------------------------- what is refused, in one line


def _broken(cards: Path) -> None:
    (cards / "b" / "card.json").write_text('{"schema_version": 2')


def _public(cards: Path) -> None:
    from riskmodels.cards.editions import public_edition

    card = json.loads(given.card("b"))
    (cards / "b" / "card.json").write_bytes(storage.canonical_json(public_edition(card, "a" * 64)))


def _second(cards: Path) -> None:
    (cards / "b" / "card.json").write_bytes(given.card("a", model="cd" * 32))


def _other_study(cards: Path) -> None:
    given.put(cards, "b", given.card("b"), {"1": given.card("a")})


def _no_card(cards: Path) -> None:
    (cards / "b" / "card.json").unlink()


def _chain_cut(cards: Path) -> None:
    given.decide(cards / "b" / "review.jsonl", given.card("b"))
    (cards / "b" / "review.jsonl").write_bytes(b"")


def _chain_edited(cards: Path) -> None:
    path = cards / "b" / "review.jsonl"
    given.decide(path, given.card("b"))
    path.write_bytes(path.read_bytes().replace(b"2027-05-20", b"2029-05-20"))


def _still_approved(cards: Path) -> None:
    given.decide(cards / "b" / "review.jsonl", given.card("b"))
    (cards / "b" / "notice.yaml").write_text(given.RETIRED)


def _approved_card_not_kept(state: str, stage: str) -> Any:
    """A notice on a tool whose approved card is no longer among those that are kept."""

    def write(cards: Path) -> None:
        given.decide(cards / "b" / "review.jsonl", given.card("b", model="cd" * 32), {**given.DECISION, "stage": stage})
        given.decide(cards / "b" / "review.jsonl", given.card("b", model="ef" * 32), given.REFUSAL)
        if state == "never_proceeded":
            given.decide(cards / "b" / "review.jsonl", given.card("b", model="cd" * 32), given.WITHDRAWAL)
        (cards / "b" / "notice.yaml").write_text(given.RETIRED.replace("retired", state))

    return write


def _notice(**changes: str) -> Any:
    def write(cards: Path) -> None:
        lines = [line for line in given.RETIRED.splitlines() if line.partition(":")[0] not in changes]
        lines += [f"{key}: {value}" for key, value in changes.items()]
        (cards / "b" / "notice.yaml").write_text("\n".join(lines))

    return write


def _linked(name: str) -> Any:
    def link(cards: Path) -> None:
        target = cards.parent / "elsewhere"
        shutil.move(cards / "b", target)
        if name == ".":
            (cards / "b").symlink_to(target)
            return
        (cards / "b").mkdir()
        (cards / "b" / "card.json").write_bytes(given.card("b"))
        (cards / "b" / name).unlink(missing_ok=True)
        (cards / "b" / name).parent.mkdir(exist_ok=True)
        (cards / "b" / name).symlink_to(target / "card.json")

    return link


def _named(name: str) -> Any:
    return lambda cards: os.rename(cards / "b", cards / name)


REFUSED: dict[str, tuple[Any, int, str]] = {
    "a broken card": (_broken, 5, "b/card.json, line 1"),
    "a public edition": (_public, 5, "b/card.json: is a public edition"),
    "a second card of a study": (_second, 5, "b: is a second card of the study a"),
    "an earlier card of another study": (_other_study, 5, "b/earlier/1/card.json: is a card of the study a, not of b"),
    "a folder without a card": (_no_card, 5, "b: holds no card.json"),
    "a record that was cut": (_chain_cut, 6, "b/review.jsonl, line 1: is missing"),
    "a record that was edited": (_chain_edited, 6, "b/review.jsonl, line 1: was edited"),
    "a notice on what is approved": (_still_approved, 6, "b/notice.yaml: says retired, but the review record approves"),
    "a notice on an approved card that is not kept": (
        _approved_card_not_kept("retired", "pilot"), 6, "approves the tool until 2027-05-20 (record 1)",
    ),
    "never proceeded after a pilot": (
        _approved_card_not_kept("never_proceeded", "pilot"), 6, "but record 1 approved the stage pilot on 2026-11-20",
    ),
    "never proceeded after live use": (
        _approved_card_not_kept("never_proceeded", "live"), 6, "but record 1 approved the stage live on 2026-11-20",
    ),
    "an example of a decision on a real tool": (
        given.example_on_a_real_tool, 6,
        "b/review.jsonl: record 1 is an example of a decision, and Northby Council is not fictional",
    ),
    "a number that two versions give away": (given.gives_away, 5, "b: its cards give away a number of few people"),
    "a notice without a reason": (_notice(why=""), 5, "b/notice.yaml: why: "),
    "a notice with an unknown key": (_notice(reason="None."), 5, "reason: unknown key"),
    "a notice that blames": (_notice(why="Chaotic families did not engage."), 5, "blames people"),
    "a notice that names somebody": (_notice(by="head, 01234 567890"), 5, "names a role"),
    "a notice of tomorrow": (_notice(on="2026-11-23"), 5, "on: 2026-11-23 is still to come"),
    "a notice of an unknown state": (_notice(state="paused"), 5, "state: "),
    "a link to a tool": (_linked("."), 5, "b: is a link"),
    "a link to a card": (_linked("card.json"), 5, "b/card.json: is a link"),
    "a link to a notice": (_linked("notice.yaml"), 5, "b/notice.yaml: is a link"),
    "a link to an earlier version": (_linked("earlier/1"), 5, "b/earlier/1: is a link"),
    "a name with a space": (_named("b b"), 5, "lower-case letters"),
    "a name with markup": (_named("<b>"), 5, "lower-case letters"),
    "a name in capitals": (_named("B"), 5, "lower-case letters"),
    "a name with a line end": (_named("b\nc"), 5, "lower-case letters"),
    "an earlier version of tomorrow": (
        lambda cards: given.put(cards, "b", given.card("b"), {"2026-11-23": given.card("b", model="cd" * 32)}),
        5, "2026-11-23 is still to come",
    ),
    "an earlier version of no day": (
        lambda cards: given.put(cards, "b", given.card("b"), {"2026-02-30": given.card("b", model="cd" * 32)}),
        5, "the calendar has no day 2026-02-30",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_one_bad_tool_among_good_ones_stops_all_in_one_line(
    name: str, plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, code, said = REFUSED[name]
    given.put(tmp_path / "cards", "a")
    given.put(tmp_path / "cards", "b")
    plant(tmp_path / "cards")
    assert site(tmp_path / "cards", tmp_path / "site") == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "elsewhere") == ["cards"]


def test_versions_that_give_nothing_away_are_published_together(plain: None, tmp_path: Path) -> None:
    """The case without the fault: the version before hides what the newest hides."""
    given.put(tmp_path / "cards", "b", given.card("b"), {"1": given.card("b", model="cd" * 32)})
    assert site(tmp_path / "cards", tmp_path / "site") == 0


def test_what_is_said_of_a_tool_in_a_notice_is_no_blame(plain: None, tmp_path: Path) -> None:
    """The case without the fault."""
    given.put(tmp_path / "cards", "b")
    _notice(why="It failed to find those who need help, and the committee refused it.")(tmp_path / "cards")
    assert site(tmp_path / "cards", tmp_path / "site") == 0


# ---------------------------------------------------------------- where it is written


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    given.put(tmp_path / "cards", "a")
    return tmp_path / "cards"


def test_an_earlier_register_is_replaced_whole(cards: Path, plain: None, tmp_path: Path) -> None:
    assert site(cards, tmp_path / "site") == 0
    assert (tmp_path / "site" / "a").is_dir()
    shutil.move(cards / "a", cards / "b")
    assert site(cards, tmp_path / "site", "--remove", "a") == 0
    assert not (tmp_path / "site" / "a").exists()
    assert (tmp_path / "site" / "b" / "index.html").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "site").stat().st_mode & 0o055 == 0o055
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards", "site"]


def test_a_folder_of_something_else_is_left_alone(
    cards: Path, plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("Years of work.")
    assert site(cards, tmp_path / "site") == 2
    assert "no register of ours" in capsys.readouterr().err
    (tmp_path / "site" / "register.json").write_text('{"kind": "something else", "files": {}}')
    assert site(cards, tmp_path / "site") == 2
    assert (tmp_path / "site" / "thesis.txt").read_text() == "Years of work."


def test_a_file_that_somebody_added_to_a_register_is_not_lost(
    cards: Path, plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site(cards, tmp_path / "site") == 0
    (tmp_path / "site" / "a" / "letter.txt").write_text("Dear all")
    capsys.readouterr()
    assert site(cards, tmp_path / "site") == 2
    assert "'a/letter.txt', which no register wrote" in capsys.readouterr().err
    assert (tmp_path / "site" / "a" / "letter.txt").exists()


def test_the_cards_themselves_are_never_written_over(
    cards: Path, plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (cards, cards / "site", tmp_path, tmp_path / "elsewhere" / ".." / "cards"):
        assert site(cards, output) == 2, output
        assert "is read; write the register elsewhere" in capsys.readouterr().err
    (tmp_path / "link").symlink_to(tmp_path / "new")
    assert site(cards, tmp_path / "link") == 2
    assert "is a link" in capsys.readouterr().err
    assert list(files_of(cards)) == ["a/card.json"]
    assert site(tmp_path / "nowhere", tmp_path / "site") == 2
    assert site(cards, tmp_path / "site", "--title", "two\nlines") == 2
    assert site(cards, tmp_path / "site", "--organisation", " ") == 2


def test_a_disk_that_refuses_leaves_the_register_as_it_was(
    cards: Path, plain: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site(cards, tmp_path / "site") == 0
    before = files_of(tmp_path / "site")
    given.put(cards, "b")

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert site(cards, tmp_path / "site") == 7
    assert files_of(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards", "site"]


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(
    cards: Path, plain: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site(cards, tmp_path / "site", "--dry-run") == 0
    said = capsys.readouterr().out
    assert not (tmp_path / "site").exists()
    assert "AWAITING REVIEW: A" in said
    names = re.findall(r"^ *[\d,]+  (\S+)$", said, re.MULTILINE)
    assert site(cards, tmp_path / "site") == 0
    assert names == sorted(files_of(tmp_path / "site"))


# ---------------------------------------------------------------- publish


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A workspace with one model, approved for a pilot."""
    workspace = Workspace(tmp_path / "work")
    given.registered(workspace, "early_reading_support")
    return workspace


def publish(workspace: Workspace, cards: Path, day: str, *options: str, model: str = "early_reading_support") -> int:
    return run(["publish", model, str(cards), "--workspace", str(workspace.root), "--today", day, *options])


def test_publishing_keeps_the_card_before_and_brings_the_record_up_to_date(
    made: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = tmp_path / "cards"
    assert publish(made, cards, TODAY) == 0
    assert "APPROVED" in capsys.readouterr().out
    tool = cards / "early_reading_support"
    newest = (tool / "card.json").read_bytes()
    assert sorted(files_of(tool)) == ["card.json", "review.head", "review.jsonl"]
    before = files_of(tool)
    assert publish(made, cards, "2026-11-23") == 0
    assert files_of(tool) == before
    (tool / "card.json").write_bytes(given.card("early_reading_support"))
    assert publish(made, cards, "2026-11-24") == 0
    (tool / "card.json").write_bytes(given.card("early_reading_support", model="cd" * 32))
    assert publish(made, cards, "2026-11-24") == 0
    assert sorted(path.name for path in (tool / "earlier").iterdir()) == ["2026-11-24", "2026-11-24-2"]
    assert (tool / "card.json").read_bytes() == newest


def test_what_may_not_be_published_is_not(made: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cards = tmp_path / "cards"
    given.put(cards, "taken", given.card("another"))
    loose = tmp_path / "card.json"
    loose.write_bytes(given.card("early_reading_support"))
    for code, said, options, model in (
        (2, "lower-case letters", ("--name", "../escape"), "early_reading_support"),
        (5, "is the card of the study another", ("--name", "taken"), "early_reading_support"),
        (2, "is not registered", (), str(loose)),
    ):
        assert publish(made, cards, TODAY, *options, model=model) == code
        assert said in capsys.readouterr().err
    assert list(files_of(cards)) == ["taken/card.json"]
    given.decide(cards / "early_reading_support" / "review.jsonl", given.card("early_reading_support"))
    assert publish(made, cards, TODAY) == 6
    assert "does not agree with" in capsys.readouterr().err
    assert not (cards / "early_reading_support" / "card.json").exists()


# ---------------------------------------------------------------- the documentation, and the shipped cards


def test_the_commands_of_the_documentation_run(
    made: Workspace, plain: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^riskmodels (.+)$", text, flags=re.MULTILINE)
    assert len(lines) >= 3
    given.put(tmp_path / "model_cards", "old_tool")
    for line in lines:
        if "--remove" in line:
            shutil.rmtree(tmp_path / "model_cards" / "old_tool")
        assert run([*shlex.split(line, comments=True), "--today", TODAY]) == 0, line
    assert (tmp_path / "public" / "early_reading_support" / "index.html").exists()


def test_the_notice_of_the_documentation_is_one(tmp_path: Path) -> None:
    from riskmodels.governance.notice import load_notice

    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "notice.yaml").write_text(block)
    assert load_notice(tmp_path / "notice.yaml", dt.date(2027, 1, 1)).state == "retired"


@pytest.mark.slow
def test_the_shipped_cards_make_a_register(plain: None, tmp_path: Path) -> None:
    assert site(ROOT / "model_cards", tmp_path / "site") == 0
    found = listed(tmp_path / "site")
    assert len(found) == 4
    assert {one["state"] for one in found.values()} == {"AWAITING REVIEW"}
    assert all(one["fictional"] for one in found.values())
    assert "These are examples." in Page((tmp_path / "site" / "index.html").read_bytes()).text
