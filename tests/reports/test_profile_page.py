"""The page of the data's profile: every number on it may be shown, and it works without eyes, network or scripts."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import re
from typing import Any

import pytest

from riskmodels.reports.profile_figures import MOST_MONTHS
from riskmodels.reports.profile_outline import SECTIONS
from riskmodels.reports.profile_page import render_profile
from tests.reports.example_profile import profile
from tests.reports.test_page import EVIL, Page, contrast

CHECKS = [
    {"check": "too_good", "words": "No column is too good", "result": "pass", "evidence": "AUC 0.71", "accepted": None},
    {"check": "outcome_unknown", "words": "The outcome is known", "result": "concern", "evidence": "unknown for 8%",
     "accepted": "People move."},
]  # fmt: skip
GAPS = [{"source": "records", "key": "asked", "words": "not said whether anybody was asked if it may be used so"}]


def made(**changes: Any) -> bytes:
    return render_profile({**profile(), **changes}, checks=CHECKS, gaps=GAPS)


@pytest.fixture(scope="module")
def content() -> bytes:
    return made()


@pytest.fixture(scope="module")
def page(content: bytes) -> Page:
    return Page(content)


def test_same_bytes_twice(content: bytes) -> None:
    assert made() == content


def test_every_section_in_order(page: Page) -> None:
    assert [section["id"] for section in page.all("section")] == [f"section-{k}" for k in range(1, len(SECTIONS) + 1)]
    for title, _ in SECTIONS:
        assert title in page.text


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_each_figure_is_a_picture_with_words_and_a_table(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) == 4  # who is left, lag, months, links
    for picture in pictures:
        assert len(str(picture["alt"])) > 40
        svg = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)
    assert page.text.count("The numbers in this figure") == 4


def test_a_failing_link_and_every_concern_lead(page: Page) -> None:
    lead = page.text.partition("What stands out")[2].partition("Where the data come from")[2][:1200]
    assert (
        "Far fewer of the group roma (ethnicity) than of white could be linked to police: 80 of 100, against 95" in lead
    )
    # A check is called after the good case: its name must not open what is said of a concern.
    assert "Unknown for 8%. (Check: The outcome is known.)" in lead
    assert "score at visits" in lead
    assert "There may be too little data" in lead
    assert "1 thing is not said" in lead


def test_with_nothing_to_say_it_says_so() -> None:
    rows = [{**row, "covered": row["n"]} for row in profile()["linkage"]]
    enough = {**profile()["enough"], "columns": 3}
    quiet = {**profile(), "linkage": rows, "enough": enough, "feature_missing_by_group": []}
    assert "Nothing stands out" in Page(render_profile(quiet, checks=CHECKS[:1])).text


def test_the_register_is_told_with_its_gaps(page: Page) -> None:
    for said in (
        "health",
        "Article 9(2)(h)",
        "DPIA 7",
        "1 May 2025",
        "Not provided (owner: Head of Visits)",
        GAPS[0]["words"],
    ):
        assert said in page.text
    assert re.search(r"None stated [^.]*Schedule 1 condition", page.text)


def test_exits_lag_months_and_breaks_are_told(page: Page) -> None:
    assert "Moved away" in page.text
    assert "a new case system" in page.text
    months = page.text.partition("Facts in each month: records Month")[2]
    assert "2024-03 not shown not shown" in months  # of four people
    assert "2024-05 0 0" in months  # no facts at all
    assert "2024-06 100 100" in months


def test_nothing_of_a_handful_is_on_the_page(page: Page, content: bytes) -> None:
    """Seven people of one group, six of them linked, three left out; a quarter of three people; four empty cells."""
    html = content.decode()
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    asian = [row for row in rows if re.search(r"<t[hd](?: scope=.row.)?(?: class=.name.)?>(?:Ethnicity: )?asian<", row)]
    assert len(asian) >= 4
    for row in asian:
        assert not re.findall(r'class="numeric[^"]*">([^<]*)<', row), row
    caption = ">Missing in each field, of 100, by ethnicity, as of 1 January 2025</span></caption>"
    heat = html.partition(caption)[2].partition("</table>")[0]
    place = re.findall(r"<th scope=.col.[^>]*>([^<]*)<", heat).index("asian")
    assert re.findall(r"<t[hd][^>]*>([^<]*)<", heat.partition("<tbody>")[2])[place].startswith("not shown")
    assert "2024 Q1 4 31 300 2024 Q2 not shown not shown not shown 2024 Q3 6 33 305" in page.text
    numbers = {int(text.replace(",", "")) for text in re.findall(r'<td class="numeric">(\d[\d,]*)</td>', html)}
    assert not numbers & {1203, 2497, 2311, 251, 186, 41, 702, 913, 303, 1900, 320, 2296}


def test_an_exact_profile_and_a_published_one_give_the_same_numbers() -> None:
    from riskmodels.assessment.profile_disclosure import publish_profile

    published, hidden = publish_profile(profile())
    twice = Page(render_profile(published, checks=CHECKS, gaps=GAPS)).text
    assert hidden
    assert twice.partition("What is not shown")[0] == Page(made()).text.partition("What is not shown")[0]


def test_what_people_write_stays_text() -> None:
    evil = copy.deepcopy(profile())
    evil["title"] = evil["register"][0]["words"] = evil["breaks"][0]["what"] = EVIL
    for row in evil["linkage"]:
        row["group"] = EVIL if row["group"] == "roma" else row["group"]
    for row in evil["facts_by_month"]:
        row["kind"] = EVIL if row["kind"] == "call" else row["kind"]
    found = Page(render_profile(evil, checks=[{**CHECKS[1], "evidence": EVIL}], gaps=[{**GAPS[0], "words": EVIL}]))
    assert not {tag for tag, _ in found.elements} & {"script"}
    assert all(str(picture["src"]).startswith("data:image/svg+xml;base64,") for picture in found.all("img"))
    assert found.unbalanced == []
    assert EVIL in found.text


def test_only_the_last_years_are_drawn() -> None:
    rows = [
        {"source": "records", "kind": None, "month": f"{year}-{month:02d}", "facts": 50, "people": 40}
        for year in range(2005, 2025) for month in range(1, 13)
    ]  # fmt: skip
    found = Page(made(facts_by_month=rows)).text
    assert f"The last {MOST_MONTHS} months" in found
    assert "2014-12 50" not in found
    assert "2015-01 50" in found


def test_a_profile_of_next_to_nothing_is_a_page() -> None:
    empty = {name: [] for name, value in profile().items() if isinstance(value, list)}
    found = Page(
        render_profile(
            {**profile(), **empty, "enough": {"rows": 0, "events": 0, "people": 0, "columns": 0, "floor": 10}}
        )
    )
    assert found.unbalanced == []
    assert found.all("img") == []
    assert "No source is linked" in found.text


def test_today_is_an_argument(content: bytes) -> None:
    assert b"Page made on" not in content
    assert b"Page made on 1 March 2026" in render_profile(profile(), today=dt.date(2026, 3, 1))


def test_dates_are_not_broken_over_lines(content: bytes) -> None:
    html = content.decode()
    assert '<th scope="col" class="date">1 January 2025</th>' in html
    assert not re.search(r"<t[hd](?: scope=.(?:row|col).)?>\d{1,2} [A-Z][a-z]+ \d{4}<", html)


def test_what_is_hidden_is_counted_by_table_and_listed_in_a_fold(content: bytes) -> None:
    html = content.decode().partition('id="section-12"')[2]
    counts = html.partition("How much is not shown</span></caption>")[2].partition("</table>")[0]
    listed = re.findall(r"<tr>\s*<th scope=.row.[^>]*>", html.partition("<details>")[2].partition("</table>")[0])
    assert sum(map(int, re.findall(r'class="numeric">(\d+)<', counts))) == len(listed) > 3
    assert "Linked, by group" in counts


def test_of_places_nothing_is_said_of_people() -> None:
    page = Page(render_profile({**profile(), "level": "place"}, disclosure="places"))
    said = page.text.partition("What stands out")[2]
    for word in ("fewer than", "Everybody", "All people", "different people", "10 people", "Each person"):
        assert word not in said, word
    assert "All places of that date" in said
    assert "Counts are of places, not of people" in said


def test_by_group_names_its_date(page: Page) -> None:
    assert "Outcome not recorded, by group, as of 1 January 2025" in page.text
    none = Page(made(outcome_by_group=[])).text
    assert "on a date on which it is no longer too early: None." in none


def test_heat_is_readable(content: bytes) -> None:
    grounds = re.findall(r"\.heat-\d \{ background: (#[0-9a-f]{6})", content.decode())
    assert len(grounds) == 4
    assert all(contrast("#0b0c0c", ground) >= 4.5 for ground in grounds)
    assert re.search(r'class="numeric heat-1">28', content.decode())  # the number itself stands there
