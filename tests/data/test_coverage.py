"""Whose rows are read: links, consents, objections. Whoever may not be used is nowhere in what was read."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.caching import Steps
from riskmodels.data.coverage import Coverage, Tally, near_misses, read_objections
from riskmodels.data.engines import Engine
from riskmodels.data.features import FeatureSpec, build_features, plan_features
from riskmodels.data.linkage import linkage_by_date
from riskmodels.data.links import linked_through
from riskmodels.data.predicates import Window, holds
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Table, Tables, read_tables
from riskmodels.errors import DataError, StudyError
from riskmodels.service.cohort import open_matrix
from riskmodels.study import Link, StudyFile
from tests.data.small_study import cohort_of, in_folder, on_dates, study_file, table

PEOPLE = """
id matched known
a  true    2019-01-01
b  false   2019-01-01
c  1       2020-02-01
d  -       2019-01-01
"""
RECORDS = """
id happened   known      kind
a  2019-05-01 2019-05-02 visit
b  2019-05-01 2019-05-02 visit
c  2019-05-01 2019-05-02 visit
d  2019-05-01 -          visit
"""
# Their ids: x and y are a's, z is c's; w was matched to two people; v too weakly; u was rejected; t has no rows.
MATCHES = """
id theirs status   sure
a  x      certain  1.0
a  y      probable 0.95
c  z      certain  0.9
b  w      certain  0.95
c  w      certain  0.95
d  v      certain  0.5
d  u      rejected 1.0
d  -      certain  1.0
c  t      certain  0.92
"""
POLICE = """
theirs happened   known      kind
x      2019-06-01 2019-06-02 called
y      2019-06-03 -          called
z      2019-06-04 2019-06-05 called
w      2019-06-06 2019-06-07 called
v      2019-06-08 2019-06-09 called
u      2019-06-10 2019-06-11 called
s      2019-06-12 2019-06-13 called
"""
EQUALITY = "id sex\na f\nb m\nc f\nd m"
THROUGH = {"through": "matches", "id": "theirs", "status": "status", "accept": ["certain", "probable"],
           "confidence": "sure", "at_least": 0.9}  # fmt: skip
FILES = {"people": PEOPLE, "records": RECORDS, "matches": MATCHES, "police": POLICE, "equality": EQUALITY}


def study_of(link: dict[str, Any] | None = None, *, dated: bool = False, **rest: Any) -> StudyFile:
    """Our people and records; another agency's, linked somehow; and equality data, kept for the audit."""
    facts = {"event_date": "happened", "known_date": "known", "kind": "kind"}
    sources = {
        "police": {"file": "police.csv", "entity": "theirs", **facts, "link": link or THROUGH},
        "people": {"file": "people.csv", "entity": "id", "known_date": "known"},
        "records": {"file": "records.csv", "entity": "id", **facts},
        "matches": {"file": "matches.csv", "entity": "id", **({"known_date": "known"} if dated else {})},
        "equality": {"file": "equality.csv", "entity": "id", "use": "audit"},
    }
    if "flag" in sources["police"]["link"]:
        del sources["matches"]
    sources["police"] |= rest.pop("police", {})
    sources["records"] |= rest.pop("records", {})
    words = {
        "visit": {"in": "records", "kind": "visit"}, "anything": {"in": "records"}, "called": {"in": "police"},
    }  # fmt: skip
    protected = {"sex": {"column": "equality.sex", "law": "sex"}}
    return study_file(sources=sources, facts=words, protected=protected, **rest)


def read(folder: Path, study: StudyFile | None = None, **changed: Any) -> Tables:
    study = study or study_of()
    arguments = {name: changed.pop(name) for name in ("engine", "cache", "uses", "objections_for") if name in changed}
    frames = {name: table(text) if isinstance(text, str) else text for name, text in {**FILES, **changed}.items()}
    for name, frame in frames.items():
        frame.write_csv(folder / f"{name}.csv")
    columns = {name: frames[name].columns for name in study.sources}
    return read_tables(folder, in_folder(folder, study, columns), **arguments)


def refusal(folder: Path, study: StudyFile | None = None, **changed: Any) -> str:
    with pytest.raises((DataError, StudyError)) as caught:
        read(folder, study, **changed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def covered(found: Table) -> dict[str, str]:
    assert found.covered is not None
    assert list(found.covered.schema.items())[:2] == [("entity_id", pl.String), ("from_date", pl.Date)]
    assert found.covered["entity_id"].is_unique().all()
    return {row["entity_id"]: str(row["from_date"]) for row in found.covered.iter_rows(named=True)}


def spans(found: Table) -> list[tuple[str, str, str | None]]:
    """Who is covered from when until when."""
    assert found.covered is not None
    assert found.covered.schema == {"entity_id": pl.String, "from_date": pl.Date, "until_date": pl.Date}
    return sorted(found.covered.with_columns(pl.col("from_date", "until_date").cast(pl.String)).iter_rows())


def rows(found: Table) -> list[tuple[str, str, str]]:
    frame = found.frame.select("entity_id", pl.col("event_date", "known_date").cast(pl.String))
    return sorted(frame.iter_rows())


# ---------------------------------------------------------------- links through a source of matches


def test_matches_are_taken_as_they_were_made(tmp_path: Path) -> None:
    tables = read(tmp_path)
    police = tables["police"]
    assert rows(police) == [("a", "2019-06-01", "2019-06-02"), ("c", "2019-06-04", "2019-06-05")]
    assert covered(police) == {"a": "0001-01-01", "c": "0001-01-01"}
    assert police.undated is not None
    assert police.undated["entity_id"].to_list() == ["a"]
    link = {"source": "police", "linked": 2, "not_linked": 2, "ambiguous": 1, "below_confidence": 1, "share": 0.5}
    assert tables.links == (link,)
    quality = {row["source"]: row for row in tables.quality}["police"]
    # v, u and s are matched to nobody; t is matched, and has no rows; the one row of w is not used.
    assert (quality["ids_not_matched"], quality["matches_without_rows"], quality["ambiguous_rows"]) == (3, 1, 1)
    assert tables["records"].covered is None
    assert list(tables.tables) == ["police", "people", "records", "matches", "equality"]


def test_a_match_counts_from_the_day_it_was_known(tmp_path: Path) -> None:
    dated = "id theirs status sure known\na x certain 1 2020-01-01\nc z certain 1 2019-01-01\na y certain 1 2021-01-01"
    police = read(tmp_path, study_of(dated=True), matches=dated)["police"]
    assert covered(police) == {"a": "2020-01-01", "c": "2019-01-01"}
    assert rows(police) == [("a", "2019-06-01", "2020-01-01"), ("c", "2019-06-04", "2019-06-05")]


def test_a_later_match_does_not_undo_an_earlier_one_for_the_time_before(tmp_path: Path) -> None:
    """What is learned later must not change the past: from then on the rows of that id are not used."""
    first = "id theirs status sure known\na x certain 1 2019-01-01\nc z certain 1 2019-01-01"
    later = f"{first}\nb x certain 1 2020-01-01"
    calls = "theirs happened known kind\n" + "\n".join(
        f"x {day} {day} called" for day in ("2019-12-31", "2020-01-01", "2020-06-01")
    )
    before = read(tmp_path, study_of(dated=True), matches=first, police=calls)["police"]
    after = read(tmp_path, study_of(dated=True), matches=later, police=calls)
    assert len(rows(before)) == 3
    assert rows(after["police"]) == [("a", "2019-12-31", "2019-12-31")]
    # From the day on which it was not clear any more whose rows they are, nothing is known of a: not "no calls".
    assert spans(before) == [("a", "2019-01-01", None), ("c", "2019-01-01", None)]
    assert spans(after["police"]) == [("a", "2019-01-01", "2020-01-01"), ("c", "2019-01-01", None)]
    assert after.links[0]["ambiguous"] == 1
    assert (after.links[0]["linked"], after.links[0]["not_linked"]) == (1, 3)


CALLS = "theirs happened known kind\n" + "\n".join(f"x {day} {day} called" for day in ("2019-06-01", "2020-06-01"))


def test_a_match_that_is_revoked_ends_on_the_day_it_was_known(tmp_path: Path) -> None:
    matches = (
        "id theirs status sure known\na x certain 1 2019-01-01\na x rejected 1 2020-01-01\nc z certain 1 2019-01-01"
    )
    tables = read(tmp_path, study_of(dated=True), matches=matches, police=CALLS)
    assert spans(tables["police"]) == [("a", "2019-01-01", "2020-01-01"), ("c", "2019-01-01", None)]
    assert rows(tables["police"]) == [("a", "2019-06-01", "2019-06-01")]
    assert tables.quality[0]["ambiguous_rows"] == 1
    # On the same day, what is not accepted counts; and a match that is too weak by now is not accepted.
    same = matches.replace("rejected 1 2020", "rejected 1 2019")
    assert spans(read(tmp_path, study_of(dated=True), matches=same)["police"]) == [("c", "2019-01-01", None)]
    weak = matches.replace("rejected 1", "certain 0.5")
    assert spans(read(tmp_path, study_of(dated=True), matches=weak)["police"]) == spans(tables["police"])


def test_a_match_that_is_put_right_gives_the_rows_to_the_other(tmp_path: Path) -> None:
    matches = """
    id theirs status   sure known
    a  x      certain  1    2019-01-01
    a  x      rejected 1    2020-01-01
    b  x      certain  1    2020-03-01
    """
    police = read(tmp_path, study_of(dated=True), matches=matches, police=CALLS)["police"]
    assert spans(police) == [("a", "2019-01-01", "2020-01-01"), ("b", "2020-03-01", None)]
    assert rows(police) == [
        ("a", "2019-06-01", "2019-06-01"), ("b", "2019-06-01", "2020-03-01"), ("b", "2020-06-01", "2020-06-01"),
    ]  # fmt: skip


def test_a_match_that_is_accepted_again_covers_again(tmp_path: Path) -> None:
    matches = "id theirs status sure known\n" + "\n".join(
        f"a x {status} 1 {day}-01" for status, day in
        [("certain", "2019-01"), ("rejected", "2019-05"), ("certain", "2020-01"), ("rejected", "2020-03")]
    )  # fmt: skip
    police = read(tmp_path, study_of(dated=True), matches=matches, police=CALLS.replace("2019-06", "2019-02"))["police"]
    assert spans(police) == [("a", "2019-01-01", "2019-05-01"), ("a", "2020-01-01", "2020-03-01")]
    assert rows(police) == [("a", "2019-02-01", "2019-02-01")]
    between = read(tmp_path, study_of(dated=True), matches=matches, police=CALLS)["police"]
    assert rows(between) == [("a", "2019-06-01", "2020-01-01")]  # known while it was revoked; the other never


def test_whoever_had_rows_by_a_match_that_has_ended_is_not_covered_by_another(tmp_path: Path) -> None:
    """They still stand under that name, and may be of somebody else."""
    matches = """
    id theirs status   sure known
    a  x      certain  1    2019-01-01
    a  y      certain  1    2019-02-01
    a  x      rejected 1    2020-01-01
    a  x      certain  1    2020-05-01
    """
    police = read(tmp_path, study_of(dated=True), matches=matches, police=CALLS)["police"]
    assert spans(police) == [("a", "2019-01-01", "2020-01-01"), ("a", "2020-05-01", None)]


@pytest.mark.parametrize(
    ("line", "linked", "everybody"),
    [
        ({"take": "count"}, "unseen", "unseen"),  # whomever it covers has a count: without one, nobody could look
        ({"take": "ratio", "over": "{}", "missing": "zero"}, "unseen", "unseen"),  # so it is where nought is filled in
        ({"take": "ratio", "over": "{}"}, "unknown", "unknown"),
        ({"take": "days_since_last"}, "never or unseen", "never"),
        ({"take": "days_since_first", "missing": "zero"}, "never or unseen", "never"),
    ],
)
def test_what_it_means_where_nothing_is_recorded(tmp_path: Path, line: dict, linked: str, everybody: str) -> None:
    """Calls are of a linked source, visits of one that covers everybody."""
    for fact, expected in (("called", linked), ("visit", everybody)):
        said = {key: text.format(fact) for key, text in line.items()} | {"name": "x", "of": fact, "words": "w"}
        study = study_of(features=[said])
        assert plan_features(read(tmp_path, study), study)[0].nothing == expected


def test_a_feature_of_somebody_who_is_no_longer_covered_is_unknown(tmp_path: Path) -> None:
    matches = (
        "id theirs status sure known\na x certain 1 2019-01-01\na x rejected 1 2020-01-01\nc z certain 1 2019-01-01"
    )
    feature = {"name": "calls", "take": ["count", "any"], "of": "called", "words": "w", "missing": "zero"}
    dates = [dt.date(2020, 1, 1), dt.date(2020, 1, 2)]
    study = study_of(dated=True, features=[feature], **on_dates(*dates))
    tables = read(tmp_path, study, matches=matches, police=CALLS)
    cohort = cohort_of("a", "c", "b", dates=tuple(dates))
    found = build_features(cohort, tables, study).frame
    assert found["calls_count"].to_list() == [1, 0, None, None, 0, None]
    assert found["calls_any"].to_list() == [1, 0, None, None, 0, None]
    rows_of_c = [row["covered"] for row in linkage_by_date(tables, cohort) if row["source"] == "police"]
    assert rows_of_c == [2, 1]
    for predicate, expected in (
        ({"any": "called"}, [[True, False, False], [False, False, False]]),
        ({"none": "called"}, [[False, True, False], [False, True, False]]),
    ):
        step = study_of(dated=True, **on_dates(*dates, steps=[{"step": "s", "keep": predicate}]))
        for day, true in zip(dates, expected, strict=True):
            part = cohort.rows.filter(pl.col("as_of_date") == day)
            assert holds(step.cohort.steps[0].keep, part, tables, step, Window.before(day)).to_list() == true


DAY = dt.date(2020, 1, 1)
status_days = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from([True, True, False]), st.integers(0, 5)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(status_days, st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 6)), max_size=5), st.integers(0, 7))
def test_revoking_later_changes_nothing_known_before(
    said: list[tuple[str, str, bool, int]], facts: list[tuple[str, int]], today: int
) -> None:
    """Of every day, an oracle that reads only what was known by then says who is covered and which rows are theirs."""
    as_of = DAY + dt.timedelta(days=today)

    def seen(taken: list[tuple[str, str, bool, int]]) -> dict[str, int | None]:
        if not taken:
            return dict.fromkeys("abc")
        frame = pl.DataFrame(taken, schema=["entity_id", "theirs", "holds", "n"], orient="row").with_columns(
            (pl.lit(DAY) + pl.duration(days="n")).alias("known_date"),
            pl.when("holds").then(pl.lit("ok")).otherwise(pl.lit("rejected")).alias("status"),
        )
        try:
            linked = linked_through("police", Link(through="matches", id="theirs", status="status", accept="ok"), frame)
        except DataError:
            return dict.fromkeys("abc")  # no match is accepted
        raw = pl.DataFrame(facts, schema={"entity_id": pl.String, "n": pl.Int64}, orient="row")
        raw = raw.with_columns((pl.lit(DAY) + pl.duration(days="n")).alias("known_date")).drop("n")
        kept = Coverage(linked.matches, linked.covered).apply(raw, Tally()).filter(pl.col("known_date") < as_of)
        ids = pl.Series(list("abc"))
        of_whom = covered_on(linked.covered, ids, as_of)
        return {one: kept.filter(entity_id=one).height if yes else None for one, yes in zip(ids, of_whom, strict=True)}

    known = [row for row in said if row[3] < today]
    assert seen(said) == seen(known)
    expected: dict[str, int | None] = dict.fromkeys("abc")
    owners = {}  # their id -> day -> whose it alone was, by what was known on that day
    for theirs in "xyz":
        for day in range(today):
            latest = {}
            for who in "abc":
                of_pair = [(n, holds) for one, other, holds, n in known if (one, other) == (who, theirs) and n <= day]
                if of_pair:
                    newest = max(n for n, _ in of_pair)
                    latest[who] = all(holds for n, holds in of_pair if n == newest)
            accepted = [who for who, holds in latest.items() if holds]
            owners[theirs, day] = accepted[0] if len(accepted) == 1 else None
    for who in "abc":
        ever = {theirs for (theirs, _), owner in owners.items() if owner == who}
        if ever and all(owners[theirs, today - 1] == who for theirs in ever):
            expected[who] = sum(theirs in ever and n < today for theirs, n in facts)
    assert seen(known) == expected


def test_the_same_match_twice_is_one(tmp_path: Path) -> None:
    twice = MATCHES + "a x certain 1\n"
    assert read(tmp_path, matches=twice).links == read(tmp_path).links


def test_none_of_the_matches_fits(tmp_path: Path) -> None:
    said = refusal(tmp_path, police=POLICE.replace("\n", "\nP-").removesuffix("P-").replace("\nP-theirs", "\ntheirs"))
    assert said.startswith("police.csv: none of its 7 ids is among the accepted matches; check link.id")


def test_no_match_is_accepted(tmp_path: Path) -> None:
    said = refusal(tmp_path, study_of({**THROUGH, "accept": "sure"}))
    assert said == "sources.police.link: no match of matches is accepted; check accept and at_least"
    said = refusal(tmp_path, matches=MATCHES.replace("0.95", "95"))
    assert said == "sources.police.link: matches.sure must lie between 0 and 1"


def test_a_list_of_matches_that_is_more_has_one_row_for_each(tmp_path: Path) -> None:
    """Several matches for one person are fine; an attribute taken from among them is not."""
    feature = {"name": "sure", "take": "attribute", "of": "matches.grade", "words": "w"}
    graded = table(MATCHES).with_columns(pl.lit("1").alias("grade"))
    said = refusal(tmp_path, study_of(features=[feature]), matches=graded)
    assert said.startswith("matches.csv, column 'id': 5 ids stand more than once (first repeated: row 2)")


def test_an_undated_table_has_one_row_for_each_after_linking_too(tmp_path: Path) -> None:
    """Two of their ids for one of ours would repeat that person wherever the table is joined."""
    study = study_of_attributes()
    said = refusal(tmp_path, study, police="theirs grade\nx 1\ny 2\nz 3")
    assert said == (
        "police.csv: 1 of our people has several rows once ids are matched; a table without dates has one row for each"
    )
    frame = read(tmp_path, study, police="theirs grade\nx 1\nz 3\ns 4")["police"].frame
    assert frame.sort("entity_id").rows() == [("a", 1.0), ("c", 3.0)]


def study_of_attributes() -> StudyFile:
    """The other agency's table holds one row for each, without dates."""
    base = study_of()
    sources = {name: source.model_dump(exclude_defaults=True) for name, source in base.sources.items()}
    sources["police"] = {"file": "police.csv", "entity": "theirs", "link": THROUGH}
    words = {"visit": {"in": "records", "kind": "visit"}, "anything": {"in": "records"}}
    feature = {"name": "grade", "take": "attribute", "of": "police.grade", "words": "w"}
    return study_file(sources=sources, facts=words, features=[feature])


# ---------------------------------------------------------------- links by flag

FLAG = {"flag": "people.matched"}
FLAGGED = POLICE.replace("theirs", "id").replace("x ", "a ").replace("y ", "b ").replace("z ", "c ").replace("w ", "d ")


def flagged(**rest: Any) -> StudyFile:
    return study_of(FLAG, police={"entity": "id"}, **rest)


def test_a_flag_of_ours_says_who_is_linked_and_since_when(tmp_path: Path) -> None:
    tables = read(tmp_path, flagged(), police=FLAGGED)
    assert covered(tables["police"]) == {"a": "2019-01-01", "c": "2020-02-01"}
    assert rows(tables["police"]) == [("a", "2019-06-01", "2019-06-02"), ("c", "2019-06-04", "2020-02-01")]
    assert tables.links[0] == {
        "source": "police", "linked": 2, "not_linked": 2, "ambiguous": 0, "below_confidence": 0, "share": 0.5,
    }  # fmt: skip


def test_a_flag_without_dates_covers_always(tmp_path: Path) -> None:
    sources = {name: source.model_dump(exclude_defaults=True) for name, source in flagged().sources.items()}
    sources["people"] = {"file": "people.csv", "entity": "id"}
    words = {name: fact.model_dump(by_alias=True, exclude_defaults=True) for name, fact in flagged().facts.items()}
    tables = read(tmp_path, study_file(sources=sources, facts=words), police=FLAGGED)
    assert covered(tables["police"]) == {"a": "0001-01-01", "c": "0001-01-01"}


def test_a_flag_that_is_taken_back_later_stays_for_the_time_before(tmp_path: Path) -> None:
    """A row that becomes known later must not change what was known; from then on they are not linked."""
    tables = read(tmp_path, flagged(), police=FLAGGED, people=PEOPLE + "a false 2021-01-01\na true 2021-06-01\n")
    assert spans(tables["police"]) == [
        ("a", "2019-01-01", "2021-01-01"), ("a", "2021-06-01", None), ("c", "2020-02-01", None),
    ]  # fmt: skip


def test_a_flag_that_is_no_flag(tmp_path: Path) -> None:
    said = refusal(tmp_path, flagged(), police=FLAGGED, people=PEOPLE.replace("true ", "2    "))
    assert said.startswith("sources.police.link.flag: people.matched holds more than true and false")
    said = refusal(tmp_path, flagged(), police=FLAGGED, people=PEOPLE.replace("true ", "false").replace(" 1 ", " 0 "))
    assert said.startswith("sources.police.link.flag: people.matched is true of nobody")
    said = refusal(tmp_path, flagged(), police=FLAGGED, people=PEOPLE.replace("true ", "yes  "))
    assert said.startswith("people.csv, column 'matched': 1 row is not a number")


# ---------------------------------------------------------------- consents

CONSENTS = """
id source  given_on   withdrawn_on
a  records 2020-01-01 -
b  records 2019-01-01 -
c  records 2019-01-01 2021-01-01
d  police  2019-01-01 -
"""


def consenting(**rest: Any) -> StudyFile:
    consents = {
        "file": "consents.csv", "entity": "id", "source": "source", "given_on": "given_on",
        "withdrawn_on": "withdrawn_on",
    }  # fmt: skip
    return study_of(records={"consented": True}, consents=consents, **rest)


def test_a_consented_source_is_used_for_those_who_consent_from_the_day_they_did(tmp_path: Path) -> None:
    tables = read(tmp_path, consenting(), consents=CONSENTS)
    assert rows(tables["records"]) == [("a", "2019-05-01", "2020-01-01"), ("b", "2019-05-01", "2019-05-02")]
    assert covered(tables["records"]) == {"a": "2020-01-01", "b": "2019-01-01"}
    undated = tables["records"].undated
    assert undated is not None
    assert undated.is_empty()  # d's row has no date, and d did not consent to this source
    assert {row["source"]: row for row in tables.quality}["records"]["people_not_covered"] == 2
    assert not read(tmp_path, study_of())["records"].frame.equals(tables["records"].frame)


@pytest.mark.parametrize("withdrawn", ["2019-01-01", "2021-12-31", "2022-01-01"])
def test_a_withdrawal_takes_every_row(tmp_path: Path, withdrawn: str) -> None:
    """Even one that is dated after the extract: the file says that they do not consent any more."""
    tables = read(tmp_path, consenting(), consents=f"{CONSENTS}".replace("2019-01-01 -", f"2019-01-01 {withdrawn}", 1))
    assert "b" not in covered(tables["records"])
    assert "b" not in tables["records"].frame["entity_id"]


def test_consent_that_was_given_anew_counts_from_then(tmp_path: Path) -> None:
    tables = read(tmp_path, consenting(), consents=CONSENTS + "c records 2021-06-01 -\n")
    assert covered(tables["records"])["c"] == "2021-06-01"


@pytest.mark.parametrize(
    ("history", "since"),
    [
        ("c records 2019-01-01 -\nc records 2019-01-01 2021-01-01", None),
        ("c records 2021-01-01 -", None),  # given on the day of the withdrawal
        ("c records 2021-01-02 -", "2021-01-02"),
        ("c records 2020-01-01 -\nc records 2021-06-01 -", "2021-06-01"),
        ("c records 2021-06-01 -\nc records 2021-06-01 2021-07-01", None),
        ("c records 2021-06-01 -\nc police 2021-06-01 2021-07-01", "2021-06-01"),
        ("c records 2021-06-01 -\nb records 2021-06-01 2021-07-01", "2021-06-01"),
    ],
)
def test_a_withdrawal_stands_although_the_file_keeps_what_was_given_before(
    tmp_path: Path, history: str, since: str | None
) -> None:
    tables = read(tmp_path, consenting(), consents=f"{CONSENTS}{history}\n")
    assert covered(tables["records"]).get("c") == since
    assert ("c" in tables["records"].frame["entity_id"]) == (since is not None)


def test_consent_that_was_given_after_the_extract_is_none_yet(tmp_path: Path) -> None:
    tables = read(tmp_path, consenting(), consents=CONSENTS.replace("2020-01-01", "2022-01-01"))
    assert "a" not in covered(tables["records"])


def test_consent_and_link_together(tmp_path: Path) -> None:
    study = study_of(
        police={"consented": True},
        consents={
            "file": "consents.csv", "entity": "id", "source": "source", "given_on": "given_on",
            "withdrawn_on": "withdrawn_on",
        },
    )  # fmt: skip
    tables = read(
        tmp_path, study, consents="id source given_on withdrawn_on\na police 2020-03-01 -\nb police 2019-01-01 -"
    )
    assert covered(tables["police"]) == {"a": "2020-03-01"}
    assert rows(tables["police"]) == [("a", "2019-06-01", "2020-03-01")]


@pytest.mark.parametrize(
    ("consents", "words"),
    [
        (CONSENTS.replace("records", "recrods"), "sources.records.consented: nobody consents to it"),
        (CONSENTS.replace("2020-01-01", "-"), "consents.csv, column 'given_on': 1 row has no date (first: row 1)"),
        (CONSENTS.replace("2020-01-01", "01/02/2020"), "consents.csv, column 'given_on': 1 row is not a date"),
        (CONSENTS.replace("2021-01-01", "2018-01-01"), "column 'withdrawn_on': 1 row is withdrawn before"),
        (CONSENTS.replace("given_on ", "given "), "consents.csv: has no column 'given_on'"),
    ],
)
def test_consents_that_are_wrong(tmp_path: Path, consents: str, words: str) -> None:
    assert words in refusal(tmp_path, consenting(), consents=consents)


def test_consents_that_are_not_there(tmp_path: Path) -> None:
    assert "consents.csv: no such file" in refusal(tmp_path, consenting())


# ---------------------------------------------------------------- objections

OBJECTIONS = """
id scope
a  training
b  audit
c  all
d  Scoring
e  training
"""


def objecting(**rest: Any) -> StudyFile:
    return study_of(objections={"file": "objections.csv", "entity": "id", "scope": "scope"}, **rest)


def everything(found: Tables, use: str) -> str:
    """All that was read for a use, as text."""
    parts = []
    for each in found.tables.values():
        if each.source.use == use:
            frames = [each.frame, *(frame for frame in (each.undated, each.covered) if frame is not None)]
            parts += [frame.write_csv() for frame in frames]
    return "\n".join(parts)


# Somebody who objects to nothing, and is linked.
WITH_F = {"records": RECORDS + "f 2019-05-01 2019-05-02 visit\n", "matches": MATCHES + "f s certain 1\n"}
CANARIES = {name: re.sub(r"(?m)^([abcd]) ", r"canary_\1 ", text) for name, text in {**FILES, **WITH_F}.items()}


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("kept", [False, True])
def test_canaries_appear_nowhere_in_what_they_objected_to(tmp_path: Path, engine: str, kept: bool) -> None:
    objections = OBJECTIONS.replace("\n", "\ncanary_").removesuffix("canary_").replace("\ncanary_id", "\nid")
    cache = Steps(tmp_path / "cache", "small") if kept else Steps(None, "")
    tables = read(tmp_path, objecting(), engine=Engine(engine), cache=cache, **CANARIES, objections=objections)
    model, audit = everything(tables, "model"), everything(tables, "audit")
    assert "canary_a" not in model
    assert "canary_c" not in model
    assert "canary_b" in model
    assert "canary_d" in model
    assert "canary_a" in audit
    assert "canary_b" not in audit
    assert "canary_c" not in audit
    # e is in no source, and d objected to being scored, which is not what is done here.
    assert tables.objected == {"training": 2, "audit": 2}
    assert tables.links[0]["linked"] == 1
    for path in (tmp_path / "cache").rglob("*"):
        assert not path.is_file() or (b"canary_c" not in path.read_bytes())
    again = read(tmp_path, objecting(), engine=Engine(engine), cache=cache, **CANARIES, objections=objections)
    assert again.objected == tables.objected
    assert everything(again, "model") == model


@pytest.mark.parametrize("objector", ["b", "c"])
def test_an_id_that_an_objector_shares_is_still_ambiguous(tmp_path: Path, objector: str) -> None:
    """Their rows may not be used under the name of the other person that the id was matched to."""
    tables = read(tmp_path, objecting(), **WITH_F, objections=f"id scope\n{objector} training")
    assert tables.links[0]["ambiguous"] == 1
    assert "2019-06-06" not in everything(tables, "model")
    assert {"b", "c"} - {objector} <= set(tables["people"].frame["entity_id"])


def test_without_objections_everybody_is_there(tmp_path: Path) -> None:
    tables = read(tmp_path, **CANARIES)
    assert all(f"canary_{one}" in everything(tables, use) for one in "abcd" for use in ("model", "audit"))
    assert tables.objected == {}


def test_scoring_keeps_the_rows_so_that_each_can_be_rejected(tmp_path: Path) -> None:
    tables = read(tmp_path, objecting(), objections=OBJECTIONS, uses=("model",), objections_for=())
    assert set(tables["people"].frame["entity_id"]) == {"a", "b", "c", "d"}
    assert tables.objected == {}
    study = in_folder(tmp_path, objecting(), {name: ["x"] for name in FILES})
    assert read_objections(tmp_path, study, "scoring") == {"c", "d"}
    assert read_objections(tmp_path, study, "training") == {"a", "c", "e"}
    assert read_objections(tmp_path, in_folder(tmp_path, study_of(), {}), "training") == frozenset()


def test_a_changed_objection_is_honoured_although_the_rest_is_kept(tmp_path: Path) -> None:
    cache = Steps(tmp_path / "cache", "small")
    first = read(tmp_path, objecting(), cache=cache, **WITH_F, objections=OBJECTIONS)
    second = read(tmp_path, objecting(), cache=cache, **WITH_F, objections=OBJECTIONS + "b training\n")
    assert "b" in first["people"].frame["entity_id"]
    assert "b" not in second["people"].frame["entity_id"]
    assert first["people"].digest != second["people"].digest
    assert first.sha256 != second.sha256


def test_nobody_objected_yet(tmp_path: Path) -> None:
    tables = read(tmp_path, objecting(), objections=table("id scope"))
    assert tables.objected == {"training": 0, "audit": 0}


@pytest.mark.parametrize(
    ("objections", "words"),
    [
        (
            OBJECTIONS.replace("a  training", "a  trainig"),
            "column 'scope': 1 row has no scope that is known (first: row 1)",
        ),
        (OBJECTIONS.replace("a  training", "a  -"), "column 'scope': 1 row has no scope that is known (first: row 1)"),
        (OBJECTIONS.replace("a  training", "-  all"), "column 'id': 1 row has no id"),
        (OBJECTIONS.replace("a  training", "A  training"), "1 objections match ids of the sources only if case"),
        (OBJECTIONS.replace("a  training", "00a training"), "1 objections match ids of the sources only if case"),
        (OBJECTIONS.replace("scope", "scop"), "objections.csv: has no column 'scope'"),
    ],
)
def test_objections_that_are_wrong(tmp_path: Path, objections: str, words: str) -> None:
    assert words in refusal(tmp_path, objecting(), objections=objections)


@pytest.mark.parametrize("scope", ["training", "audit", "all"])
@pytest.mark.parametrize("written", ["943 476 5919", "943-476-5919", "943.476.5919", "0943\u2011476\u00a05919"])
def test_an_objection_that_is_written_in_another_way_is_not_ignored(tmp_path: Path, scope: str, written: str) -> None:
    frames = {name: table(re.sub(r"(?m)^a ", "9434765919 ", text)) for name, text in {**FILES, **WITH_F}.items()}
    objections = pl.DataFrame({"id": [written], "scope": [scope]})
    said = refusal(tmp_path, objecting(), **frames, objections=objections)
    assert said.startswith("1 objections match ids of the sources only if case, leading zeros, blanks, dashes and dots")
    assert "476" not in said
    right = pl.DataFrame({"id": ["9434765919"], "scope": [scope]})
    assert read(tmp_path, objecting(), **frames, objections=right).objections_met_nobody == 0


@pytest.mark.parametrize("written", ["943 476 5919", "943-476-5919", "09434765919"])
def test_an_objection_to_scoring_that_is_written_in_another_way_is_not_ignored(tmp_path: Path, written: str) -> None:
    path = tmp_path / "cohort.parquet"
    pl.DataFrame({"entity_id": ["9434765919", "9434765920"], "visits": [1.0, 2.0]}).write_parquet(path)
    visits = FeatureSpec("visits", "count", "visit", "ever", "records", "number", "zero", "visits")

    def rejected(objector: str) -> list[str]:
        day, objectors = dt.date(2020, 7, 1), frozenset([objector])
        return open_matrix(path, [visits], study_file(), day, objectors, tmp_path).read(0).rejects["code"].to_list()

    assert rejected("9434765919") == ["objected"]
    assert rejected("9434765918") == []
    with pytest.raises(DataError, match="1 objections match ids of the cohort only if case, leading zeros, blanks"):
        rejected(written)


def test_near_misses_are_of_nobody_by_their_own_name() -> None:
    ids = pl.Series(["A-1", "b2", "007"])
    assert near_misses(["a1", "A-1", "B 2", "7", "c3"], ids) == {"a1", "B 2", "7"}
    assert near_misses([], ids) == set()


def test_objections_of_nobody_are_counted(tmp_path: Path) -> None:
    tables = read(tmp_path, objecting(), **WITH_F, objections=OBJECTIONS)
    # a, b, c and e objected to what is read for; e stands in no table.
    assert (tables.objections, tables.objections_met_nobody) == (4, 1)
    tables = read(tmp_path, objecting(), objections="id scope\nnobody all\nno-one all")
    assert (tables.objections, tables.objections_met_nobody) == (2, 2)
    assert tables.objected == {"training": 0, "audit": 0}
    assert (read(tmp_path).objections, read(tmp_path).objections_met_nobody) == (0, 0)


def test_who_objected_to_the_audit_is_known_wherever_their_groups_stand(tmp_path: Path) -> None:
    tables = read(tmp_path, objecting(), **WITH_F, objections=OBJECTIONS)
    assert tables.not_audited == {"b", "c"}
    assert "not_audited" not in repr(tables)
    assert read(tmp_path, objecting(), objections=OBJECTIONS, uses=("model",), **WITH_F).not_audited == frozenset()
    assert read(tmp_path).not_audited == frozenset()
    # d stands in the model's tables alone.
    alone = read(tmp_path, objecting(), **WITH_F, objections="id scope\nd audit", equality="id sex\na f\nc m")
    assert (alone.not_audited, alone.objections_met_nobody) == ({"d"}, 0)


def test_objections_that_are_not_there(tmp_path: Path) -> None:
    assert "objections.csv: no such file" in refusal(tmp_path, objecting())


def test_an_objection_that_is_met_elsewhere_is_not_a_near_miss(tmp_path: Path) -> None:
    """Ids that differ by case may be two people, where the objection is that of one of them."""
    people = PEOPLE + "A true 2019-01-01\n"
    tables = read(tmp_path, objecting(), **WITH_F, people=people, objections=OBJECTIONS)
    assert "A" in tables["people"].frame["entity_id"]
    assert "a" not in tables["people"].frame["entity_id"]


# ---------------------------------------------------------------- kept or not, on whatever engine


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_kept_table_is_the_table(tmp_path: Path, engine: str) -> None:
    plain = read(tmp_path, engine=Engine(engine))
    for _ in range(2):
        cache = Steps(tmp_path / "cache", "small")
        tables = read(tmp_path, engine=Engine(engine), cache=cache)
        assert tables.quality == plain.quality
        assert tables.links == plain.links
        assert tables.sha256 == plain.sha256
        assert tables.digests(tables.tables) == plain.digests(plain.tables)
        for name in tables.tables:
            assert tables[name].frame.equals(plain[name].frame)
            assert str(tables[name].undated) == str(plain[name].undated)
    assert all(step.reused for step in cache.log)
    assert read(tmp_path).quality == plain.quality
