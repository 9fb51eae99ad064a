"""The report of a batch says what its facts say, to everybody, and names nobody."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.service.outputs.facts import BandFacts, BatchFacts, Tally, TeamFacts
from riskmodels.service.outputs.report import batch_report
from tests.reports.test_page import Page
from tests.service.outputs.example_batch import facts, scored


def page_of(**changes: Any) -> Page:
    return Page(batch_report(facts(**changes)).encode())


def test_no_id_of_the_list_is_on_the_page() -> None:
    said = batch_report(facts())
    for entity in scored()["entity_id"]:
        assert entity not in Page(said.encode()).text


def test_same_facts_same_text() -> None:
    assert batch_report(facts()) == batch_report(facts())


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


@settings(deadline=None, max_examples=40)
@given(batches())
def test_every_number_of_the_facts_stands_on_the_page(batch: BatchFacts) -> None:
    page = Page(batch_report(batch).encode())
    assert row(page, "On the list", batch.listed)
    assert row(page, "places went to higher risks", batch.not_reached)
    assert row(page, "All people scored", batch.scored)
    assert row(page, "All rows of the cohort", batch.rows_in)
    assert row(page, "has the place", batch.households) == bool(batch.households)
    assert row(page, "No team with places", batch.no_team) == bool(batch.no_team)
    for rule in batch.excluded:
        assert row(page, f"Left off: {rule.words}", rule.count, rule.owner)
    assert row(page, "The row has no id", batch.rejected[0].count)
    for team in batch.teams:
        assert row(page, str(team.team), team.places, team.scored, team.listed)
    for band in batch.bands:
        assert row(page, band.band, int(100 * band.starts), band.scored, band.listed)


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
        ({"explained": 7}, "Take care: 7 people were given reasons, fewer than are on the list."),
        ({"places": 53}, "Not filled: 3 places."),
        ({"version": None}, "Version not registered"),
        ({}, "1 person was left off the list by a rule of the service."),
        ({}, "2 of 1,200 rows could not be scored"),
        ({}, "People decide."),
        ({}, "Population stability index 0.00"),
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
    assert "0 people were scored." in text
    assert re.search(r"All rows of the cohort 2\b", text)
