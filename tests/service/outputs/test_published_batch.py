"""What the report of a batch tells of its counts, held against every batch that would be told alike."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.suppression import PROFILES, published_count
from riskmodels.service.outputs.composition import published
from riskmodels.service.outputs.facts import BandFacts, BatchFacts, Tally, TeamFacts
from riskmodels.service.outputs.published_batch import published_batch
from tests.service.outputs.example_batch import RISKS, facts

RULES = PROFILES["sro-10"]


def batch(listed: int, rules: list[int], rejects: list[int], **changes: Any) -> BatchFacts:
    people = listed + sum(rules) + changes.pop("not_reached", 1000)
    nothing: dict[str, Any] = {"households": 0, "no_team": 0, "teams": (), "bands": (), "risks": (), "trained": ()}
    return facts(
        rows_in=people + sum(rejects), scored=people, listed=listed, places=listed, explained=listed,
        not_reached=people - listed - sum(rules),
        excluded=tuple(Tally(f"rule {place}", count, owner="o") for place, count in enumerate(rules)),
        rejected=tuple(Tally(f"why {place}", count) for place, count in enumerate(rejects)), **nothing | changes,
    )  # fmt: skip


def counts_of(found: dict[str, Any]) -> list[int | None]:
    return [row["count"] for name in ("excluded", "rejected") for row in found[name]]


def told(found: dict[str, Any]) -> tuple[Any, ...]:
    names = ("rows_in", "scored", "listed", "not_reached")
    sums = [found[name]["count"] for name in ("left_off", "not_scored")]
    return (*(found[name] for name in names), *sums, *counts_of(found))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 60), st.lists(st.integers(0, 40), max_size=5), st.lists(st.integers(1, 40), max_size=4),
    st.integers(0, 60),
)  # fmt: skip
def test_no_small_count_is_shown_and_the_others_are_rounded(
    listed: int, rules: list[int], rejects: list[int], missed: int
) -> None:
    exact = batch(listed, rules, rejects, not_reached=missed)
    found = published_batch(exact, RULES)
    for count, shown in zip([*rules, *rejects, missed], [*counts_of(found), found["not_reached"]], strict=True):
        assert shown in (None, published_count(count, RULES))


@pytest.mark.parametrize(
    ("rules", "rejects", "missed"),
    [
        # The windows of four rounded counts may meet at one end of their total: 13 + 13 + 13 + 13 = 52, shown as 50.
        ([13, 13, 13], [1], 13),
        ([0, 13], [13, 2], 13),
        ([4], [], 12),
        ([12, 3], [12, 1], 12),
    ],
)
def test_a_hidden_count_may_still_be_two_things(rules: list[int], rejects: list[int], missed: int) -> None:
    """Every batch near it is made, and those that would be told alike are looked at."""
    found = told(published_batch(batch(0, rules, rejects, not_reached=missed), RULES))
    small = [place for place, count in enumerate([*rules, *rejects]) if count < 10]
    seen: dict[int, set[int]] = {place: set() for place in small}
    hidden = [place for place, count in enumerate(found[6:]) if count is None]
    ranges = [
        range(10 if place not in small else 0, 18) if place in hidden else range(max(count - 2, 10), count + 3)
        for place, count in enumerate([*rules, *rejects])
    ]
    for counts in itertools.product(*ranges, range(missed - 2, missed + 3)):
        *others, rest = counts
        rules_now, rejects_now = others[: len(rules)], others[len(rules) :]
        people = sum(rules_now) + rest
        sums = (people + sum(rejects_now), people, None, rest, sum(rules_now), sum(rejects_now))
        pairs = [pair for pair in zip([*sums, *others], found, strict=True) if None not in pair]
        if all(published_count(one, RULES) == shown for one, shown in pairs):
            for place in small:
                seen[place].add(others[place])
    assert all(len(values) >= 2 for values in seen.values())


def test_counts_whose_windows_meet_hide_one_more() -> None:
    """Four counts of 13 are shown as 15, so at least 13 each; 52 in all are shown as 50, so at most 52: the fifth, none
    at all, would be known."""
    found = published_batch(batch(0, [13, 13, 13, 0], [], not_reached=13), RULES)
    shown = [*counts_of(found), found["not_reached"]]
    assert shown.count(None) == 2
    assert shown[3] is None


def test_teams_are_shown_as_a_file_of_groups_that_is_the_teams() -> None:
    """Else one table would give back what the other hides."""
    teams = (TeamFacts("North", 40, 700, 40), TeamFacts("South", 8, 490, 8), TeamFacts("West", 2, 8, 2))
    found = published_batch(facts(teams=teams, listed=50), RULES)["teams"]
    same = published("team", {str(team.team): [team.scored, team.listed] for team in teams}, RULES)
    assert [(row["scored"], row["listed"]) for row in found] == [(row.scored, row.listed) for row in same]
    assert [row["places"] for row in found] == [40, 8, 2]
    assert found[2]["scored"] is None
    assert [row["listed"] for row in found[1:]] == [None, None]


def test_small_bands_are_hidden() -> None:
    bands = (BandFacts("lower", 0.0, 1190, 42), BandFacts("high", 0.5, 8, 8))
    found = published_batch(facts(bands=bands), RULES)["bands"]
    # 1,190 is 1,188 to 1,192, so that of 1,198 people the high may be any from 6 on.
    assert [(row["scored"], row["listed"]) for row in found] == [(1190, 40), (None, None)]


@pytest.mark.parametrize("trained", [RISKS, ()])
def test_ranges_of_risk_are_joined_until_nothing_is_hidden(trained: tuple[int, ...]) -> None:
    found = published_batch(facts(trained=trained), RULES)["risk_bins"]
    assert [(row["low"], row["high"]) for row in found][-2:] == [(0.5, 0.6), (0.6, 1.0)]
    assert all(row["n"] >= 10 and row["n"] % 5 == 0 for row in found)
    assert sum(row["of_100"] for row in found) == pytest.approx(100, abs=0.5)
    assert (found[0]["of_100_before"] is None) == (not trained)


def test_few_people_make_no_picture() -> None:
    few = batch(3, [], [], not_reached=4, risks=(7, *[0] * 13))
    found = published_batch(few, RULES)
    assert found["risk_bins"] == []
    assert (found["scored"], found["listed"]) == (None, 3)


def test_a_list_that_is_not_full_is_a_count_like_others() -> None:
    found = published_batch(facts(places=53, listed=50, explained=50), RULES)
    assert (found["full"], found["listed"], found["explained"]) == (False, 50, 50)
    few = batch(
        3,
        [],
        [],
        not_reached=0,
    )
    assert published_batch(few, RULES)["listed"] == 3
    short = facts(listed=3, not_reached=1187, places=9, explained=3, teams=(), bands=(), risks=())
    assert [published_batch(short, RULES)[name] for name in ("full", "listed", "explained")] == [False, None, None]
