"""The list that the service would use beside the model's own: counted by hand, and against plain loops."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.list_after_rules import NOBODY_KNOWN, assess_after_rules
from riskmodels.assessment.ranked_rows import rows_of
from riskmodels.data.service_rules import closed_households
from riskmodels.errors import DataError
from riskmodels.models.places import LISTED
from riskmodels.models.ranking import Ranking, after_rules
from tests.data.small_study import BASE, study_file

DAY = dt.date(2026, 3, 1)
KNOWN = {"exclude": {"any": "visit"}, "because": "has help", "owner": "team lead", "kind": "already_known"}
DIED = {"exclude": {"any": "test"}, "because": "died", "owner": "records", "kind": "died"}
HOMES = {"list_unit": "household", "cohort": {**BASE["cohort"], "cluster": "people.home"}}


def case(study, outcomes, *, excluded=None, already=None, team=None, household=None, day=DAY):
    """A list in the order of its ranks; an outcome of None is not known."""
    rows = len(outcomes)
    places = study.capacity.of(rows)
    frame = pl.DataFrame(
        {
            "entity_id": [f"p{rank}" for rank in range(rows)],
            "as_of_date": [day] * rows,
            "rank": range(1, rows + 1),
            "risk": np.linspace(0.9, 0.1, rows),
            "outcome": outcomes,
            "outcome_status": ["unobserved" if one is None else "known" for one in outcomes],
            "cluster_id": household or [f"p{rank}" for rank in range(rows)],
            "selected": [rank < places for rank in range(rows)],
        },
        schema_overrides={"outcome": pl.Int8},
    )
    excluded, homes = excluded or [None] * rows, household or [None] * rows
    alone = closed_households(
        pl.Series(excluded, dtype=pl.Int16), pl.Series(homes, dtype=pl.String), study.service_rules
    )
    view = frame.select("entity_id", "as_of_date").with_columns(
        pl.Series("excluded", excluded, dtype=pl.Int16),
        pl.Series("already_known", already or [False] * rows, dtype=pl.Boolean),
        pl.Series("team", team or [None] * rows, dtype=pl.String),
        pl.Series("household", homes, dtype=pl.String),
        pl.Series("household_closed", [home in alone for home in homes]),
    )
    ranking = Ranking("m", frame, {day.isoformat(): places})
    served = after_rules(ranking, view, study)
    return rows_of(ranking, ranking.places), served


def test_both_lists_side_by_side():
    # Four places. Ranks 1 (has help), 3 (died) are left off, 5 and 6 move up; died stands after has help in the study.
    study = study_file(service_rules=[KNOWN, DIED], capacity={"places": 4})
    rows, served = case(
        study, [1, 1, 0, None, 1, 0, 1, 0],
        excluded=[0, None, 1, None, None, None, None, 0],
        already=[True, False, False, False, False, False, False, True],
    )  # fmt: skip
    found = assess_after_rules(rows, served, study).to_dict()
    assert (found["unit"], found["ranked"], found["places"], found["teams"]) == ("person", 8, 4, [])
    assert found["fates"] == [
        {"fate": "listed", "n": 4},
        {"fate": "excluded", "n": 2, "rule": "has help", "kind": "already_known", "owner": "team lead"},
        {"fate": "excluded", "n": 1, "rule": "died", "kind": "died", "owner": "records"},
        {"fate": "not_reached", "n": 1},
    ]
    # The model's list: 1 1 0 ?, two of three known; of four events two. The service's: 1 ? 1 0, the same shares.
    ours, theirs = found["model_list"], found["service_list"]
    assert (ours["hits"], ours["known"], ours["precision"]["value"], ours["recall"]["value"]) == (2, 3, 2 / 3, 0.5)
    assert (theirs["hits"], theirs["known"], theirs["precision"]["value"], theirs["recall"]["value"]) == (
        2,
        3,
        2 / 3,
        0.5,
    )
    assert theirs["precision_bounds"] == [0.5, 0.75]
    # On one of them only: ranks 1, 3, 5 and 6, with outcomes 1 0 1 0.
    assert found["apart"] == {"n": 4, "known": 4, "unknown": 0, "hits": 2}
    assert found["already_known"] == {"n": 1, "known": 1, "unknown": 0, "hits": 1}
    # Without ranks 1 and 8: the model's list is 1 0 ?, of three events one; of its three known places one is new need.
    new = found["new"]
    assert new["ranked"] == {"n": 6, "known": 5, "unknown": 1, "hits": 3}
    assert new["model_list"]["precision"]["value"] == 0.5
    assert new["model_list"]["recall"]["value"] == pytest.approx(1 / 3)
    assert new["model_list"]["yield"]["value"] == pytest.approx(1 / 3)
    assert new["model_list"]["yield_bounds"] == [0.25, 0.5]
    assert new["service_list"]["recall"]["value"] == pytest.approx(2 / 3)
    assert new["service_list"]["yield"] == new["service_list"]["precision"] == theirs["precision"]
    # Of the new on one list only: ranks 3, 5 and 6.
    assert new["apart"] == {"n": 3, "known": 3, "unknown": 0, "hits": 1}


def test_where_no_rule_says_who_is_known_that_is_the_reason():
    study = study_file(service_rules=[DIED], capacity={"places": 2})
    found = assess_after_rules(*case(study, [1, 0, 1], excluded=[0, None, None]), study)
    assert found.already_known == {"reason": NOBODY_KNOWN}
    assert found.new is None


def test_by_team_on_all_dates_and_a_list_nobody_is_on():
    study = study_file(capacity={"places": {"n": 1, "s": 2, "w": 1}, "by": "people.area"})
    rows, served = case(study, [1, 0, None, 1, 1], team=["n", "n", "s", "s", None])
    found = assess_after_rules(rows, served, study).to_dict()
    picked = [(row["team"], row["places"], row["selected"], row["known"], row["hits"]) for row in found["teams"]]
    assert picked == [("n", 1, 1, 1, 1), ("s", 2, 2, 1, 1), ("w", 1, 0, 0, 0)]
    assert found["teams"][1]["precision_bounds"] == [0.5, 1.0]
    assert found["teams"][2]["precision"] == {"value": None, "n": 0, "reason": "nobody was selected"}
    assert [(row["fate"], row["n"]) for row in found["fates"]] == [("listed", 3), ("no_team", 1), ("not_reached", 1)]


def test_intervals_are_of_households():
    study = study_file(service_rules=[KNOWN], capacity={"places": 6}, **HOMES)
    homes = ["a", "a", "b", "c", "d", "e", "e", "f"]
    rows, served = case(study, [1, 0, 0, 1, 0, 1, 1, 0], household=homes)
    found = assess_after_rules(rows, served, study)
    listed = served["fate"].to_numpy() == LISTED
    assert listed.tolist() == [True, False, True, True, True, True, False, True]
    expected = at_capacity(rows.outcome, rows.known, listed, clusters_of(pl.Series(homes), 8))
    assert found.service_list == expected
    # No rule of this study closes a household, so there is no row for that.
    assert [(row["fate"], row["n"]) for row in found.fates] == [
        ("listed", 6), ("excluded", 0), ("household", 2), ("not_reached", 0),
    ]  # fmt: skip


def test_rows_that_do_not_match_are_refused():
    study = study_file(service_rules=[KNOWN], capacity={"places": 1})
    rows, served = case(study, [1, 0])
    with pytest.raises(DataError, match="served: 1 rows for 2"):
        assess_after_rules(rows, served.head(1), study)


ROW = st.tuples(
    st.sampled_from([0, 1, None]), st.sampled_from([None, 0, 1]), st.sampled_from(["n", "s", "?", None]),
    st.sampled_from(["h1", "h2", "h3", "h4", "h5"]),
)  # fmt: skip


@given(st.lists(ROW, min_size=4, max_size=30), st.booleans(), st.booleans())
def test_everybody_ranked_is_counted_once_and_nobody_who_is_left_off_is_listed(people, teams, homes):
    capacity = {"places": {"n": 2, "s": 2}, "by": "people.area"} if teams else {"places": 4}
    study = study_file(service_rules=[KNOWN, DIED], capacity=capacity, **(HOMES if homes else {}))
    outcomes, excluded, team, household = (list(column) for column in zip(*people, strict=True))
    already = [rule == 0 for rule in excluded]
    rows, served = case(study, outcomes, excluded=excluded, already=already, team=team, household=household)
    found = assess_after_rules(rows, served, study)
    assert sum(row["n"] for row in found.fates) == found.ranked == len(people)
    listed = [row for row, fate in enumerate(served["fate"]) if fate == LISTED]
    assert all(excluded[row] is None for row in listed)
    assert found.fates[0]["n"] == found.service_list["selected"] == len(listed) <= found.places == 4
    if homes:
        assert len({household[row] for row in listed}) == len(listed)
        assert not {household[row] for row in listed} & {household[row] for row in range(rows.n) if excluded[row] == 1}
    if teams:
        assert all(row["selected"] <= row["places"] for row in found.teams)
        assert sum(row["hits"] for row in found.teams) == found.service_list["hits"]
    new = found.new
    assert new["service_list"]["hits"] == found.service_list["hits"]
    mine = sum(1 for row in range(4) if outcomes[row] == 1 and excluded[row] != 0)
    known = sum(1 for row in range(4) if outcomes[row] is not None)
    assert new["model_list"]["yield"].value == (mine / known if known else None)
    low, high = new["model_list"]["yield_bounds"]
    assert low <= mine / 4 <= high
