"""The page of models works without eyes, network or scripts; its pictures are its tables, and words stay text."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from riskmodels.commands.standing import models
from riskmodels.reports.models_figures import MOST_VERSIONS, STILL, figures_of, timeline
from riskmodels.reports.models_page import render_models
from riskmodels.workspace import Workspace
from tests.governance.recorded import DIRECTOR, HEAD, Recorded, busy_workspace, day
from tests.reports.test_page import EVIL, Page

TODAY = day("2026-12-01")


def made(folder: Path) -> bytes:
    """The page of two made-up studies in which most has happened that can."""
    busy_workspace(Workspace(folder))
    return render_models(models(Workspace(folder), TODAY).found)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    workspace = Workspace(tmp_path_factory.mktemp("busy") / "work")
    busy_workspace(workspace)
    return models(workspace, TODAY).found


@pytest.fixture(scope="module")
def page(found: dict[str, Any]) -> Page:
    return Page(render_models(found))


def test_same_bytes_twice(found: dict[str, Any]) -> None:
    assert render_models(found) == render_models(copy.deepcopy(found))


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_the_top_says_which_models_may_not_be_used(found: dict[str, Any], page: Page) -> None:
    above = page.text.partition("Where every model stands As it")[0]
    assert "NO LISTS TODAY Reading help." in above
    assert "Warm homes" not in above.partition("Contents")[0]
    assert "NO LISTS TODAY" not in Page(render_models(all_well(found))).text


def all_well(found: dict[str, Any]) -> dict[str, Any]:
    rows = [{**row, "stopped": [], "holds": row["version"] is not None} for row in found["in_use"]]
    return {**found, "in_use": rows, "actions": []}


def test_what_waits_stands_under_the_role_that_has_to_do_it(page: Page) -> None:
    waits = page.text.partition("By role.")[2].partition("Approvals and champions over time")[0]
    roles = [text for level, text in page.headings if level == 3]
    assert roles[:3] == ["Head of service", "Team manager", "Director of children's services"]
    first, second = waits.index("Team manager"), waits.index("Director of children's services")
    assert (
        "NO LISTS UNTIL THIS IS DONE. Late since 20 November 2026 (11 days ago): condition 1 is late" in waits[:first]
    )
    assert "By 5 December 2026 (4 days left): condition 2 is due" in waits[first:second]
    assert "By 12 December 2026 (11 days left): the approval ends; have it reviewed again." in waits[second:]
    assert "`" not in page.text


def test_nothing_that_waits_is_said_too(found: dict[str, Any]) -> None:
    assert "Nothing is late, and nothing ends within 30 days." in Page(render_models(all_well(found))).text


def test_states_are_words_in_tags_with_edges_of_their_own(found: dict[str, Any]) -> None:
    text = render_models(found).decode()
    for state, look in (
        ("APPROVED", "pass"), ("EXPIRED", "fail"), ("WITHDRAWN", "fail"), ("AWAITING REVIEW", "unsure"),
        ("APPROVED TO EXPLORE", "unsure"),
    ):  # fmt: skip
        assert f'<strong class="tag tag-{look}">{state}</strong>' in text, state
    example = [{**row, "example": True} if row["state"] == "APPROVED" else row for row in found["versions"]]
    assert '<strong class="tag tag-unsure">EXAMPLE: APPROVED</strong>' in (
        render_models({**found, "versions": example}).decode()
    )


def test_each_study_has_a_picture_with_words_and_a_table(found: dict[str, Any], page: Page) -> None:
    reading, homes = figures_of(found)
    assert [image["alt"] for image in page.all("img")] == [reading["alt"], homes["alt"]]
    assert reading["alt"] == (
        "Bars over time for 3 versions, up to 1 December 2026. Version 3 is champion since 30 July 2026, and is "
        "approved until 12 December 2026."
    )
    assert "No version is champion now." in homes["alt"]
    rows = reading["table"]["rows"]
    assert [row[:4] for row in rows if row[0] == 1] == [
        [1, "approved", "2026-01-10", "2026-07-09"],
        [1, "champion", "2026-01-12", "2026-05-04"],
        [1, "champion", "2026-06-10", "2026-07-30"],
    ]
    assert [row[3] for row in rows if row[:2] == [3, "champion"]] == [STILL]
    assert homes["table"]["rows"][1] == [1, "approved", "2026-02-10", "2026-05-01", "pilot, an example", "a withdrawal"]
    assert page.text.count("The numbers in this figure") == 2


def test_a_withdrawal_has_a_mark_and_a_short_time_has_days(tmp_path: Path, found: dict[str, Any]) -> None:
    recorded = Recorded(Workspace(tmp_path))
    entry = recorded.version()
    recorded.decide(entry, "2026-11-30")
    recorded.promote(entry, "2026-11-30")
    recorded.withdraw(entry, "2026-11-30")
    short = timeline(figures_of(models(recorded.workspace, day("2026-11-30")).found)[0]).decode()
    reading, homes = (timeline(figure).decode() for figure in figures_of(found))
    for text in ("30 Nov", "15 Dec", "30 Dec", "withdrawn"):
        assert text in short, text
    assert "withdrawn" in homes
    assert "withdrawn" not in reading


def test_the_history_says_who_moved_it_and_why_it_ended(page: Page) -> None:
    history = page.text.partition("Each champion there was, the newest first.")[2]
    assert (
        f"Version 1 pilot 10 June 2026 30 July 2026 50 2 Brought back by the {HEAD} (record 5: Lists were too short). "
        f"Replaced by version 3 (by the {HEAD}, record 8)."
    ) in history
    assert f"Withdrawn: The meter readings were of other homes (by the {DIRECTOR}, record 3)." in history


def test_many_versions_leave_a_picture_of_the_newest(tmp_path: Path) -> None:
    recorded = Recorded(Workspace(tmp_path))
    for number in range(MOST_VERSIONS + 2):
        entry = recorded.version()
        recorded.decide(entry, f"2026-01-{number + 1:02d}")
    found = models(recorded.workspace, TODAY).found
    (figure,) = figures_of(found)
    assert [row[0] for row in figure["table"]["rows"]] == list(range(MOST_VERSIONS + 2, 2, -1))
    assert figure["reading"].startswith("The newest 12 versions; 2 older are in the tables below.")
    # What is over for more than three years is left to the tables.
    assert figures_of(models(recorded.workspace, day("2031-01-01")).found) == []


def test_a_single_day_can_be_drawn(tmp_path: Path) -> None:
    recorded = Recorded(Workspace(tmp_path))
    entry = recorded.version()
    recorded.decide(entry, "2026-12-01", expires="2026-12-01")
    recorded.promote(entry, "2026-12-01")
    assert len(Page(render_models(models(recorded.workspace, TODAY).found)).all("img")) == 1


def test_nothing_at_all_is_a_page_too(tmp_path: Path) -> None:
    page = Page(render_models(models(Workspace(tmp_path), TODAY).found))
    page.refuse_broken()
    assert "No model is registered here." in page.text
    assert page.all("img") == []


@pytest.mark.parametrize("evil", EVIL if isinstance(EVIL, (list, tuple)) else [EVIL])
def test_whatever_people_wrote_stays_text(tmp_path: Path, evil: str) -> None:
    evil = evil.replace("\u202e", "")  # a record that holds what does not show is refused
    recorded = Recorded(Workspace(tmp_path), title=evil)
    entry = recorded.version()
    condition = {"text": evil, "owner": evil, "due": "2026-11-01"}
    recorded.decide(entry, "2026-10-01", advice="proceed with conditions", conditions=[condition])
    recorded.promote(entry, "2026-10-01", reason=evil, by_role=evil)
    recorded.withdraw(entry, "2026-11-10", evil)
    recorded.promote(entry, "2026-11-11", reason=evil)
    page = Page(render_models(models(recorded.workspace, TODAY).found))
    assert page.unbalanced == page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "form"}
    assert " ".join(evil.split()) in page.text


def test_every_reference_of_the_pages_words_is_explained(page: Page) -> None:
    assert "The champion of a study is the version that makes its lists" in page.text
    assert not re.search(r"\b(None|nan|null|True|False)\b", page.text)
