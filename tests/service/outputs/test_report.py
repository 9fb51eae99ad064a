"""The report of a batch says what its facts say, to everybody, and names nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.suppression import PROFILES, Profile, published_count
from riskmodels.service.outputs.facts import BandFacts, BatchFacts, Tally, TeamFacts
from riskmodels.service.outputs.report import batch_report
from tests.reports.test_page import Page
from tests.service.outputs.example_batch import facts, scored

RULES = PROFILES["sro-10"]


def page_of(profile: Profile = RULES, **changes: Any) -> Page:
    return Page(batch_report(facts(**changes), profile).encode())


def test_no_id_of_the_list_is_on_the_page() -> None:
    said = batch_report(facts(), RULES)
    for entity in scored()["entity_id"]:
        assert entity not in Page(said.encode()).text


def test_same_facts_same_text() -> None:
    assert batch_report(facts(), RULES) == batch_report(facts(), RULES)


number = st.integers(0, 3000)


@st.composite
def batches(draw: st.DrawFn) -> BatchFacts:
    listed, missed, households, no_team, died, contacted, bad = (draw(number) for _ in range(7))
    people = listed + missed + households + no_team + died + contacted
    north = draw(st.integers(0, listed))
    high = draw(st.integers(0, people))
    return facts(
        rows_in=people + bad, scored=people, listed=listed, not_reached=missed, households=households, no_team=no_team,
        excluded=(Tally("died", died, owner="Registrar"), Tally("contacted", contacted, owner="Manager")),
        rejected=(Tally("the row has no id", bad, "missing_id"),), places=listed + draw(number), risks=(), trained=(),
        teams=(TeamFacts("North", north, 5000, north), TeamFacts("South", 4001, 6000, listed - north)),
        bands=(BandFacts("lower", 0.0, people - high, 0), BandFacts("high", 0.5, high, listed)), explained=listed,
    )  # fmt: skip


def row(page: Page, *cells: Any) -> bool:
    return " ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells) in page.text


def test_of_places_every_number_stands_on_the_page_as_it_is() -> None:
    page, batch = page_of(PROFILES["places"]), facts()
    assert row(page, "All people scored", batch.scored)
    assert row(page, "All rows of the cohort", batch.rows_in)
    assert row(page, "Left off: died", 1, "Registrar")
    assert row(page, "The person objected", 1)
    assert row(page, "North", 30, 700, 30)
    assert row(page, "90 to 100", 0)
    assert "nearest" not in page.text


@settings(deadline=None, max_examples=40)
@given(batches())
def test_every_number_of_the_facts_stands_on_the_page_rounded_or_is_not_shown(batch: BatchFacts) -> None:
    page = Page(batch_report(batch, RULES).encode())

    def told(begin: str, count: int, *after: Any) -> bool:
        shown = published_count(count, RULES)
        return (shown is not None and row(page, begin, shown, *after)) or row(page, begin, "not shown", *after)

    assert told("places went to higher risks", batch.not_reached)
    assert told("All people scored", batch.scored)
    assert told("All rows of the cohort", batch.rows_in)
    assert ("has the place" in page.text) == bool(batch.households)
    assert ("No team with places" in page.text) == bool(batch.no_team)
    for rule in batch.excluded:
        assert told(f"Left off: {rule.words}", rule.count, rule.owner)
    assert told("The row has no id", batch.rejected[0].count)
    for begin in (*(f"{team.team} {team.places:,}" for team in batch.teams), "lower 0", "high 50"):
        assert row(page, begin)
    assert "Nobody is lost." in page.text


def test_one_person_is_not_on_the_page_nor_told_by_the_totals() -> None:
    """1,200 rows = 1,198 scored + one without an id + one who objected; one died, and two have no team."""
    page = page_of()
    for begin in ("The row has no id", "The person objected", "Left off: died", "No team with places"):
        assert row(page, begin, "not shown"), begin
    assert row(page, "All people scored", 1200)
    assert row(page, "All rows of the cohort", 1200)
    assert not any(number in page.text for number in ("1,198", "1198"))
    assert "Fewer than 10 people were left off the list by a rule of the service." in page.text
    assert "Of 1,200 rows, fewer than 10 could not be scored" in page.text


def test_small_counts_of_groups_are_not_on_the_page() -> None:
    page = page_of()
    assert row(page, "F", 600, 50, 20, 40)
    assert row(page, "English", 1100, "91.7", "not shown not shown")
    assert row(page, "Other", 100, "8.3", "not shown not shown")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"groups_file": False, "composition": ()}, "No file of groups was given (--groups)"),
        ({"trained": ()}, "The risks of the model's test are not at hand"),
        ({"trained": (9, *[0] * 13)}, "cannot be said: nearly all expected risks lie in one bin"),
        (
            {"trained": (0, 0, 0, 0, 0, 0, 0, 500, 500, 500, 500, 500, 500, 500)},
            "very differently from the model's test",
        ),
        ({"warnings": ("Two sources are late.",)}, "Take care: Two sources are late."),
        ({"explained": 7}, "Take care: fewer than 10 people were given reasons, fewer than are listed."),
        ({"places": 53}, "The list has 50 of them, for 53 places: not all are filled."),
        ({"version": None}, "Version not registered"),
        ({}, "1,200 people were scored. The list fills all of its 50 places."),
        ({}, "People decide."),
        ({}, "Population stability index 0.00"),
        ({"trained": (0, 0, 0, 0, 0, 0, 0, 500, 500, 500, 500, 500, 500, 500)}, "it may be chance."),
        ({}, "Siddiqi 2006"),
        ({}, "Approved until 31 March 2027"),
    ],
)
def test_it_says(changes: dict[str, Any], said: str) -> None:
    assert said in page_of(**changes).text


def test_a_spread_that_differs_leads() -> None:
    first = page_of(trained=(0,) * 7 + (500,) * 7).text.partition("Everybody is accounted for")[2]
    assert (
        "Take care: how the risks are spread is very different from the model's test" in first.partition("2 Every")[0]
    )


def test_an_example_says_so_before_everything() -> None:
    text = page_of(example=True).text
    assert text.index("EXAMPLE ONLY") < text.index("Reading support: report of a batch", 100)
    assert "EXAMPLE ONLY" not in page_of().text


def test_a_batch_of_nobody_can_be_told() -> None:
    nobody = dict.fromkeys(("scored", "listed", "not_reached", "households", "no_team", "explained"), 0)
    nothing = dict.fromkeys(("excluded", "teams", "bands", "risks", "trained", "composition"), ())
    text = page_of(rows_in=2, groups_file=False, **nobody, **nothing).text
    assert "Fewer than 10 people were scored." in text
    assert "All rows of the cohort not shown" in text
