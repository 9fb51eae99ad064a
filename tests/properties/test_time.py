"""What happens, or becomes known, on the as-of date or later changes nothing that is said of that date.

Facts may be changed, added or taken away: as long as either of their dates, before and after the change, is not before
the as-of date, its cohort, its attrition and its features stay as they were. Deleting outcomes is one case of this; so
is that somebody is linked, or consents, only then.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from riskmodels.data.aggregations import AGGREGATIONS
from riskmodels.data.cohort import build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.groups import build_groups
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.tables import Table, Tables
from riskmodels.errors import DataError
from riskmodels.study import StudyFile, parse_study_file

FIRST, AS_OF = dt.date(2020, 1, 1), dt.date(2020, 7, 1)
IDS = "abcd"
WITHOUT_COLUMN = ("count", "any", "rate", "rate_change", "ratio", "episodes", "days_since_first", "days_since_last")
SHORT = ("count", "latest", "first", "rate", "rate_change", "mode", "distinct")
OTHER_KEYS = {"rate_change": {"than": "60 days"}, "episodes": {"gap": "30 days"}, "ratio": {"over": "anything"}}


def _line(take: str, fact: str, **rest: Any) -> dict[str, Any]:
    """Everything that may be taken, over a short window or over all time."""
    of = fact if take in WITHOUT_COLUMN else f"{fact}.value"
    last = "30 days" if take in SHORT else "ever"
    line = {"name": f"{fact}_{take}", "take": take, "of": of, "last": last, "words": take}
    return {**line, **OTHER_KEYS.get(take, {}), **rest}


STUDY: StudyFile = parse_study_file(
    {
        "schema": 1,
        "study": "time",
        "title": "Time",
        "question": "Who?",
        "seed": 7,
        "purpose": "assistive",
        "level": "person",
        "clock": "calendar",
        "sources": {
            "records": {"file": "r.csv", "entity": "id", "event_date": "event", "known_date": "known", "kind": "kind"},
            "homes": {"file": "h.csv", "entity": "id", "known_date": "known"},
            "police": {
                "file": "p.csv", "entity": "id", "event_date": "event", "known_date": "known",
                "link": {"flag": "homes.linked"},
            },
            "streets": {
                "file": "s.csv", "entity": "id", "event_date": "event", "known_date": "known", "level": "household",
            },
            "equality": {"file": "e.csv", "entity": "id", "known_date": "known", "use": "audit"},
        },
        "facts": {
            "visit": {"in": "records", "kind": "visit"},
            "high": {"in": "records", "where": {"value": {"above": 0}}},
            "anything": {"in": "records"},
            "police": {"in": "police"},
            "street": {"in": "streets"},
        },
        "cohort": {
            "as_of_dates": [FIRST, AS_OF],
            "steps": [
                {"step": "seen", "keep": {"any": "anything", "last": "24 months"}},
                {"step": "not too often", "drop": {"count": "visit", "above": 3}},
                {"step": "not closed", "drop": {"attribute": "homes.closed", "equals": 1}},
                {"step": "not often met", "drop": {"count": "police", "above": 2}},
            ],
            "cluster": "homes.household",
        },
        "outcome": {
            "name": "visited",
            "words": "is visited",
            "measures": "need",
            "happens": {"any": "visit"},
            "known": {"any": "anything"},
            "horizon": "3 months",
            "lag": "1 month",
        },
        "features": [
            *(_line(take, "high") for take in AGGREGATIONS),
            *(_line(take, "police") for take in AGGREGATIONS if take != "ratio"),
            *(_line(take, "street", by="homes.household") for take in ("count", "latest", "days_since_last")),
            _line("count", "visit", each={"kind": ["visit", "test"]}),
            {"name": "closed", "take": "attribute", "of": "homes.closed", "words": "closed"},
        ],
        "split": {"test": {"dates": [AS_OF]}, "calibrate": "grouped", "why_grouped": "small"},
        "capacity": {"places": 1},
        "protected": {"sex": {"column": "equality.sex", "law": "sex"}},
    }
)  # fmt: skip

values = st.sampled_from([None, -1.0, 1.0, 2.5])
kinds = st.sampled_from(["visit", "test"])


@st.composite
def record(draw: st.DrawFn, unseen: bool) -> tuple[str, dt.date, dt.date, str, float | None]:
    """A fact of somebody; if ``unseen``, one that becomes known on the as-of date at the earliest."""
    event = AS_OF + dt.timedelta(draw(st.sampled_from([-400, -200, -31, -30, -29, -1, 0, 1, 60])))
    known = event + dt.timedelta(draw(st.sampled_from([0, 1, 30, 500])))
    if unseen:
        known = max(known, AS_OF)
    return draw(st.sampled_from(IDS)), event, known, draw(kinds), draw(values)


@st.composite
def home(draw: st.DrawFn, unseen: bool) -> tuple[str, dt.date, str, float]:
    ago = draw(st.sampled_from([0, 1, 90] if unseen else [-300, -1, 0, 1]))
    who, household = draw(st.sampled_from(IDS)), draw(st.sampled_from("xyz"))
    return who, AS_OF + dt.timedelta(ago), household, draw(st.sampled_from([0.0, 0.0, 1.0]))


Covered = dict[str, dt.date]
RECORD = {
    "entity_id": pl.String, "event_date": pl.Date, "known_date": pl.Date, "kind": pl.String, "value": pl.Float64,
}  # fmt: skip
HOME = {"entity_id": pl.String, "known_date": pl.Date, "household": pl.String, "closed": pl.Float64}


def tables_of(records: list[tuple], homes: list[tuple], covered: Covered | None = None) -> Tables:  # type: ignore[type-arg]
    """The facts of records are those of the police too, and those of the streets that are called like people."""
    everything = pl.DataFrame(records, schema=RECORD, orient="row")
    of_whom = [(who, day) for who, day in (dict.fromkeys(IDS, FIRST) if covered is None else covered).items()]
    frames = {
        "records": everything,
        "police": everything.filter(pl.col("entity_id").is_in([who for who, _ in of_whom])),
        "streets": everything.with_columns(pl.col("entity_id").replace(dict(zip(IDS, "xyzx", strict=True)))),
        "homes": pl.DataFrame(homes, schema=HOME, orient="row"),
        "equality": pl.DataFrame(
            [(who, day, household) for who, day, household, _ in homes],
            schema={"entity_id": pl.String, "known_date": pl.Date, "sex": pl.String},
            orient="row",
        ),
    }
    police = pl.DataFrame(of_whom, schema={"entity_id": pl.String, "from_date": pl.Date}, orient="row")
    return Tables(
        {
            name: Table(name, STUDY.sources[name], frame, covered=police if name == "police" else None)
            for name, frame in frames.items()
        }
    )


def said_of_the_date(tables: Tables) -> list[pl.DataFrame] | None:
    """Everything that is said of the as-of date: who, why not the others, what was known of them, in which groups."""
    try:
        cohort = build_cohort(tables, STUDY, [AS_OF])
    except DataError:
        return None  # nobody was left
    features = build_features(cohort, tables, STUDY)
    return [cohort.rows, cohort.attrition, features.frame, build_groups(cohort.rows, tables, STUDY)]


def assert_same(first: list[pl.DataFrame] | None, second: list[pl.DataFrame] | None) -> None:
    assert (first is None) == (second is None)
    for one, other in zip(first or [], second or [], strict=True):
        assert_frame_equal(one, other, check_exact=True)


@settings(max_examples=25, deadline=None)
@given(
    seen=st.lists(record(unseen=False), min_size=4, max_size=12),
    added=st.lists(record(unseen=True), min_size=1, max_size=6),
    seen_homes=st.lists(home(unseen=False), min_size=2, max_size=6),
    added_homes=st.lists(home(unseen=True), max_size=3),
    shuffle=st.randoms(use_true_random=False),
)
def test_what_is_not_yet_known_changes_nothing(seen, added, seen_homes, added_homes, shuffle) -> None:  # type: ignore[no-untyped-def]
    """Adding facts that are not known before the date; taken the other way round, deleting them."""
    records, homes = seen + added, seen_homes + added_homes
    shuffle.shuffle(records)
    shuffle.shuffle(homes)
    assert_same(said_of_the_date(tables_of(seen, seen_homes)), said_of_the_date(tables_of(records, homes)))


@settings(max_examples=15, deadline=None)
@given(
    seen=st.lists(record(unseen=False), min_size=4, max_size=12),
    one=record(unseen=True),
    other=record(unseen=True),
    homes=st.lists(home(unseen=False), min_size=2, max_size=6),
)
def test_changing_such_a_fact_changes_nothing(seen, one, other, homes) -> None:  # type: ignore[no-untyped-def]
    assert_same(said_of_the_date(tables_of([*seen, one], homes)), said_of_the_date(tables_of([*seen, other], homes)))


@settings(max_examples=15, deadline=None)
@given(
    records=st.lists(record(unseen=False), min_size=4, max_size=12),
    homes=st.lists(home(unseen=False), min_size=2, max_size=6),
    covered=st.dictionaries(st.sampled_from(IDS), st.sampled_from([dt.date(1, 1, 1), FIRST, AS_OF - dt.timedelta(1)])),
    later=st.dictionaries(st.sampled_from(IDS), st.sampled_from([AS_OF, AS_OF + dt.timedelta(1)]), min_size=1),
)
def test_whoever_is_covered_from_the_date_on_is_not_covered_on_it(records, homes, covered, later) -> None:  # type: ignore[no-untyped-def]
    """Somebody who is linked or consents on the day or later is like somebody who never was."""
    only_later = {who: day for who, day in later.items() if who not in covered}
    before = said_of_the_date(tables_of(records, homes, covered))
    after = said_of_the_date(tables_of(records, homes, covered | only_later))
    assert_same(before, after)
    if before is not None:
        of_police = [name for name in before[2].columns if name.startswith("police_")]
        nothing = before[2].filter(~pl.col("entity_id").is_in(list(covered))).select(of_police)
        assert nothing.null_count().sum_horizontal().sum() == nothing.height * len(of_police)


@settings(max_examples=15, deadline=None)
@given(
    records=st.lists(record(unseen=False), min_size=6, max_size=14),
    homes=st.lists(home(unseen=False), min_size=2, max_size=6),
)
def test_deleting_outcomes_changes_the_outcomes_alone(records, homes) -> None:  # type: ignore[no-untyped-def]
    """Everything on or after the date is taken away: nobody enters or leaves, and no feature moves."""
    kept = [row for row in records if row[1] < AS_OF and row[2] < AS_OF]
    whole, past = tables_of(records, homes), tables_of(kept, homes)
    assert_same(said_of_the_date(whole), said_of_the_date(past))
    if said_of_the_date(past) is not None:
        cohort = build_cohort(past, STUDY, [AS_OF])
        statuses = build_outcomes(cohort, past, STUDY, dt.date(2022, 1, 1)).frame["outcome_status"]
        assert set(statuses) == {"unobserved"}


@settings(max_examples=15, deadline=None)
@given(
    records=st.lists(record(unseen=False), min_size=4, max_size=12),
    late=st.lists(record(unseen=True), min_size=1, max_size=4),
    homes=st.lists(home(unseen=False), min_size=2, max_size=6),
)
def test_an_origin_learns_nothing_from_what_was_recorded_after_it(records, late, homes) -> None:  # type: ignore[no-untyped-def]
    """The outcomes of the first date, as they stood on the second."""
    try:
        cohort = build_cohort(tables_of(records, homes), STUDY, [FIRST])
    except DataError:
        return
    before = build_outcomes(cohort, tables_of(records, homes), STUDY, AS_OF).frame
    after = build_outcomes(cohort, tables_of(records + late, homes), STUDY, AS_OF).frame
    assert_frame_equal(before, after)


def test_the_property_can_fail() -> None:
    """A fact of the day before does change the day: the facts drawn above are near enough to the date to matter."""
    yesterday = AS_OF - dt.timedelta(1)
    base = [("a", dt.date(2020, 3, 1), dt.date(2020, 3, 1), "visit", 1.0)]
    homes = [("a", dt.date(2020, 1, 1), "x", 0.0)]
    first = said_of_the_date(tables_of(base, homes))
    second = said_of_the_date(tables_of([*base, ("a", yesterday, yesterday, "visit", 2.5)], homes))
    assert first is not None
    assert second is not None
    changed = [name for name in first[2].columns if first[2][name].to_list() != second[2][name].to_list()]
    assert {f"high_{take}" for take in ("count", "latest", "trend", "days_since_last", "rate_change")} <= set(changed)
    assert {"police_count", "street_count", "visit_count_visit"} <= set(changed)
