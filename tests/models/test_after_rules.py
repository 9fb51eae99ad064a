"""The ranked list once the service's rules, teams and households count, date by date."""

import datetime as dt

import polars as pl
import pytest

from riskmodels.errors import StudyError
from riskmodels.models.places import EXCLUDED, HOUSEHOLD, HOUSEHOLD_CLOSED, LISTED, NO_TEAM, NOT_REACHED
from riskmodels.models.ranking import Ranking, after_rules
from tests.data.small_study import BASE, study_file

FIRST, SECOND = dt.date(2026, 3, 1), dt.date(2026, 9, 1)
RULES = [
    {"exclude": {"any": "visit"}, "because": "has help", "owner": "o", "kind": "already_known"},
    {"exclude": {"any": "test"}, "because": "died", "owner": "o", "kind": "died"},
]


def ranking(*days):
    """As many rows on each day, in the order of their ranks."""
    frame = pl.DataFrame(
        [(f"p{rank}", day, rank) for day, many in days for rank in range(1, many + 1)],
        schema={"entity_id": pl.String, "as_of_date": pl.Date, "rank": pl.Int32}, orient="row",
    )  # fmt: skip
    return Ranking("m", frame, {})


def view(of, excluded=None, team=None, household=None, closed=()):
    nobody = [None] * of.frame.height
    return of.frame.select("entity_id", "as_of_date").with_columns(
        pl.Series("excluded", excluded or nobody, dtype=pl.Int16),
        pl.lit(False).alias("already_known"),
        pl.Series("team", team or nobody, dtype=pl.String),
        pl.Series("household", household or nobody, dtype=pl.String),
        pl.Series("household_closed", [row in closed for row in range(of.frame.height)]),
    )


def test_the_next_in_rank_take_the_places_of_those_who_are_excluded():
    # Two places on each date. First date: ranks 1 and 3 are excluded, so 2 and 4 have them. Second: nobody is.
    of = ranking((FIRST, 5), (SECOND, 3))
    seen = view(of, excluded=[0, None, 0, None, None, None, None, None])
    study = study_file(service_rules=RULES, capacity={"places": 2})
    first, second = [EXCLUDED, LISTED, EXCLUDED, LISTED, NOT_REACHED], [LISTED, LISTED, NOT_REACHED]
    assert after_rules(of, seen, study)["fate"].to_list() == first + second
    # The order of the view does not matter, nor that of the ranking's rows.
    mixed = Ranking("m", of.frame.reverse(), {})
    assert after_rules(mixed, seen, study)["fate"].to_list() == (first + second)[::-1]


def test_where_more_are_excluded_than_are_left_places_stay_empty():
    of = ranking((FIRST, 3))
    found = after_rules(of, view(of, [0, 0, None]), study_file(service_rules=RULES, capacity={"places": 2}))
    assert found["fate"].to_list() == [EXCLUDED, EXCLUDED, LISTED]


def test_teams_and_households_count_on_each_date_anew():
    # x1 has the household's place on the first date; on the second it is closed, since p4 of it died.
    of = ranking((FIRST, 4), (SECOND, 4))
    seen = view(
        of, excluded=[None, None, None, None, None, None, None, 1], team=["n", "n", "s", "?"] * 2,
        household=["x", "y", "x", "z", "x", "y", "z", "x"], closed=(4, 7),
    )  # fmt: skip
    study = study_file(
        service_rules=RULES, capacity={"places": {"n": 1, "s": 1}, "by": "people.area"}, list_unit="household",
        cohort={**BASE["cohort"], "cluster": "people.home"},
    )  # fmt: skip
    found = after_rules(of, seen, study)
    assert found["fate"].to_list() == [
        LISTED, NOT_REACHED, HOUSEHOLD, NO_TEAM, HOUSEHOLD_CLOSED, LISTED, LISTED, EXCLUDED,
    ]  # fmt: skip
    assert found.columns == [*seen.columns, "fate"]


def test_more_places_than_people_is_refused():
    of = ranking((FIRST, 1))
    with pytest.raises(StudyError, match="2 places for a cohort of 1"):
        after_rules(of, view(of), study_file(service_rules=RULES, capacity={"places": 2}))
