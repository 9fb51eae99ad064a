from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.errors import DataError, StudyError, UsageError
from riskmodels.models.places import (
    BLOCK,
    EXCLUDED,
    HOUSEHOLD,
    HOUSEHOLD_CLOSED,
    LISTED,
    NO_TEAM,
    NOT_REACHED,
    Places,
    Share,
    parse_capacity,
    places_asked,
    places_of,
    within,
)
from tests.data.small_study import study_file

TEAMS = {"places": {"north": 20, "south": 10}, "by": "people.area"}


def one_by_one(places, excluded, team, household, closed=()):
    """The same said of one person after the other: slow, and plain to read."""
    left, housed, codes = dict(places), set(), []
    for row, out in enumerate(excluded):
        home = household[row] if household is not None else None
        mine = None if None in places else team[row]
        if out:
            codes.append(EXCLUDED)
        elif home in closed and home is not None:
            codes.append(HOUSEHOLD_CLOSED)
        elif None not in places and not places.get(mine):
            codes.append(NO_TEAM)
        elif home is not None and home in housed:
            codes.append(HOUSEHOLD)
        elif left[mine] == 0:
            codes.append(NOT_REACHED)
        else:
            codes.append(LISTED)
            left[mine] -= 1
            housed.add(home)
    return codes


@st.composite
def lists(draw):
    rows = draw(st.integers(0, 40))
    teams = draw(st.sampled_from([None, ("a",), ("a", "b", "c")]))
    if teams is None:
        places = {None: draw(st.integers(0, 12))}
        team = None
    else:
        places = {name: draw(st.integers(0, 5)) for name in teams}
        team = draw(st.lists(st.sampled_from([*teams, "elsewhere", None]), min_size=rows, max_size=rows))
    excluded = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    homes = st.lists(st.sampled_from(["h1", "h2", "h3", "h4", "h5", None]), min_size=rows, max_size=rows)
    household = draw(st.none() | homes)
    closed = draw(st.sets(st.sampled_from(["h1", "h2", "h9"])))
    cuts = sorted(draw(st.lists(st.integers(0, rows), max_size=4)))
    return places, excluded, team, household, closed, cuts


@given(lists())
def test_one_call_or_many_say_what_one_by_one_says(case):
    places, excluded, team, household, closed, cuts = case
    expected = one_by_one(places, excluded, team, household, closed)
    assert Places(places, closed).take(excluded, team, household).tolist() == expected
    filled, found = Places(places, closed), []
    for start, end in zip([0, *cuts], [*cuts, len(excluded)], strict=True):
        parts = (None if values is None else values[start:end] for values in (team, household))
        found += filled.take(np.array(excluded[start:end], dtype=bool), *parts).tolist()
    assert found == expected
    assert filled.total - sum(filled.left.values()) == found.count(LISTED)


@given(lists())
def test_nobody_is_lost_no_team_is_over_full_and_a_household_has_one_place(case):
    places, excluded, team, household, closed, _ = case
    codes = Places(places, closed).take(excluded, team, household)
    assert codes.size == len(excluded)
    assert set(codes.tolist()) <= set(range(6))
    listed = np.flatnonzero(codes == LISTED)
    assert not np.array(excluded, dtype=bool)[listed].any()
    assert (codes == EXCLUDED).sum() == sum(excluded)
    given_out = Counter(None if team is None else team[row] for row in listed)
    assert all(count <= places[name] for name, count in given_out.items())
    if household is not None:
        homes = [household[row] for row in listed if household[row] is not None]
        assert len(homes) == len(set(homes))
        assert not set(homes) & closed
    # Whoever was not reached found every place of the team given out.
    for row in np.flatnonzero(codes == NOT_REACHED):
        name = None if team is None else team[row]
        assert given_out[name] == places[name]


def test_the_next_in_rank_take_the_places_of_those_who_are_excluded():
    # Two places; ranks 1 and 3 are excluded, so 2 and 4 have them and 5 is not reached.
    codes = Places({None: 2}).take([True, False, True, False, False])
    assert codes.tolist() == [EXCLUDED, LISTED, EXCLUDED, LISTED, NOT_REACHED]


def test_a_household_whose_first_member_finds_a_full_team_may_have_a_place_through_the_next():
    # a has one place, and x takes it. y1 finds it full; y2, of team b, has the household's place; y3 comes too late.
    codes = Places({"a": 1, "b": 2}).take([False] * 4, ["a", "a", "b", "b"], ["x", "y", "y", "y"])
    assert codes.tolist() == [LISTED, NOT_REACHED, LISTED, HOUSEHOLD]


def test_an_excluded_member_leaves_the_place_to_the_next_of_the_household_unless_the_household_is_closed():
    case = ([True, False, False], None, ["x", "x", "y"])
    assert Places({None: 5}).take(*case).tolist() == [EXCLUDED, LISTED, LISTED]
    assert Places({None: 5}, closed=["x"]).take(*case).tolist() == [EXCLUDED, HOUSEHOLD_CLOSED, LISTED]


def test_people_of_a_household_with_a_place_are_told_so_even_when_every_place_is_given_out():
    filled = Places({None: 1})
    assert filled.take([False], None, ["x"]).tolist() == [LISTED]
    assert filled.full
    assert filled.take([False, False], None, ["y", "x"]).tolist() == [NOT_REACHED, HOUSEHOLD]


def test_blocks_change_nothing():
    rng = np.random.default_rng(7)
    rows = 2 * BLOCK + 17
    names = [f"t{number}" for number in range(30)]
    places = {name: 100 * (1 + number) for number, name in enumerate(names)}  # some fill in the first block, some never
    excluded = rng.random(rows) < 0.1
    team = pl.Series(rng.choice([*names, "elsewhere"], rows))
    household = pl.Series([f"h{number}" for number in rng.integers(0, rows // 2, rows)])
    codes = Places(places).take(excluded, team, household)
    assert codes.tolist() == one_by_one(places, excluded, team.to_list(), household.to_list())


@pytest.mark.parametrize(
    ("places", "arguments", "error", "words"),
    [
        ({"a": 1}, ([False],), DataError, "team: is needed"),
        ({"a": 1}, ([False], ["a", "a"]), DataError, "team: 2 values for 1 rows"),
        ({None: 1}, ([False], None, []), DataError, "household: 0 values for 1 rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(places, arguments, error, words):
    with pytest.raises(error, match=words):
        Places(places).take(*arguments)


@pytest.mark.parametrize(("places", "words"), [({None: 1, "a": 1}, "not both"), ({"a": -1}, "below 0")])
def test_places_that_cannot_be_are_refused(places, words):
    with pytest.raises(UsageError, match=words):
        Places(places)


# ---------------------------------------------------------------- --capacity


@pytest.mark.parametrize(
    ("capacity", "text", "found"),
    [
        ({"places": 30}, "30", {None: 30}),
        ({"places": 30}, "1", {None: 1}),
        ({"share": 0.1}, "500", {None: 500}),
        (TEAMS, "north=20,south=10", {"north": 20, "south": 10}),
        (TEAMS, " south = 3 ", {"south": 3}),
    ],
)
def test_a_service_may_fill_the_study_s_places_or_fewer(capacity, text, found):
    assert parse_capacity(text, study_file(capacity=capacity)) == found


@pytest.mark.parametrize(
    ("capacity", "text", "words"),
    [
        ({"places": 30}, "31", "31 places are more than the study's 30"),
        ({"places": 30}, "0", "'0' is not a number of places"),
        ({"places": 30}, "-1", "'-1' is not a number of places"),
        ({"places": 30}, "2.5", "'2.5' is not a number of places"),
        ({"places": 30}, "²", "is not a number of places"),
        ({"places": 30}, "", "'nothing' is not a number of places"),
        ({"places": 30}, "north=1", "this study has no teams; say one number of places"),
        (TEAMS, "10", "this study has teams: say TEAM=PLACES for each, such as north=20,south=10"),
        (TEAMS, "north=21", "21 places for north are more than the study's 20"),
        (TEAMS, "east=1", "no team is called 'east'; the study's teams are north, south"),
        (TEAMS, "north=1,north=2", "'north' stands there twice"),
        (TEAMS, "north=0", "'0' is not a number of places"),
        (TEAMS, "north=", "'nothing' is not a number of places"),
    ],
)
def test_what_capacity_cannot_be_is_refused_in_one_line(capacity, text, words):
    with pytest.raises(UsageError, match=words) as raised:
        parse_capacity(text, study_file(capacity=capacity))
    assert "\n" not in str(raised.value)


def test_the_places_of_a_list_are_by_team_or_one_number():
    assert places_of(study_file(capacity={"share": 0.1}).capacity, 200) == {None: 20}
    assert places_of(study_file(capacity=TEAMS).capacity, 200) == {"north": 20, "south": 10}
    with pytest.raises(StudyError, match="30 places for a cohort of 29"):
        places_of(study_file(capacity=TEAMS).capacity, 29)


def test_a_share_is_held_against_the_cohort():
    assert within({None: 20}, {None: 20}) == {None: 20}
    with pytest.raises(UsageError, match="21 places are more than the study's 20"):
        within({None: 21}, {None: 20})


def test_a_share_is_of_those_who_are_ranked() -> None:
    assert Share(0.1).of(500) == {None: 50}
    assert Share(0.1).of(3) == {None: 1}
    assert Share(0.1, asked=20).of(500) == {None: 20}
    with pytest.raises(UsageError, match="51 places are more than the study's 50"):
        Share(0.1, asked=51).of(500)


def test_what_is_asked_of_a_list() -> None:
    share, teams = study_file(capacity={"share": 0.1}), study_file(capacity=TEAMS)
    assert places_asked(None, share, 500) == Share(0.1)
    assert places_asked("20", share, 500) == Share(0.1, asked=20)
    with pytest.raises(UsageError, match="51 places are more than the study's 50"):
        places_asked("51", share, 500)
    assert places_asked(None, teams, 200) == {"north": 20, "south": 10}
    assert places_asked("north=5", teams, 200) == {"north": 5}
    with pytest.raises(StudyError, match="30 places for a cohort of 29"):
        places_asked(None, teams, 29)
