"""Made-up people get what the study says, or a line in words; an example that cannot be run says why."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskmodels.data.examples import ExampleResult, run_examples
from riskmodels.errors import OutsideError, StudyError
from riskmodels.study import Examples, Study, load_study
from tests.data.small_study import BASE, in_folder, study_file

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(path.parent.name for path in EXPERIMENTS.glob("*/examples.yaml"))

COLUMNS = {
    "people": ["id", "born", "group", "area", "linked"],
    "records": ["id", "happened", "known", "kind", "value"],
    "equality": ["id", "sex"],
}
SECTIONS: dict[str, Any] = {
    "sources": {**BASE["sources"], "equality": {"file": "equality.csv", "entity": "id", "use": "audit"}},
    "cohort": {
        "as_of_dates": [dt.date(2020, 7, 1)],
        "steps": [
            {"step": "seen", "keep": {"any": "anything", "last": "12 months"}},
            {"step": "not often", "drop": {"count": "visit", "above": 1}},
        ],
    },
    "features": [
        {"name": "visits", "take": "count", "of": "visit", "last": ["90 days", "ever"], "words": "visits"},
        {"name": "latest", "take": "latest", "of": "test.value", "words": "latest test"},
        {"name": "mean", "take": "mean", "of": "test.value", "words": "mean test"},
        {"name": "group", "take": "attribute", "of": "people.group", "missing": "category", "words": "group"},
        {"name": "area", "take": "attribute", "of": "people.area", "words": "area"},
    ],
    "protected": {"sex": {"column": "equality.sex", "law": "sex"}},
}
VISIT = {"kind": "visit", "happened": "2020-06-01", "known": "2020-06-02"}
ROWS: dict[str, Any] = {"people": [{"group": "a"}], "records": [VISIT]}


def study_with(*examples: dict[str, Any], columns: dict[str, list[str]] = COLUMNS, **sections: Any) -> Study:
    """The small study with two steps and five features, and these examples."""
    study = in_folder(Path("a_study"), study_file(**{**SECTIONS, **sections}), columns)
    return replace(study, examples=_examples(*examples))


def _examples(*examples: dict[str, Any]) -> Examples:
    made = [{"name": f"example {n}", "as_of": dt.date(2020, 7, 1), **example} for n, example in enumerate(examples)]
    return Examples.model_validate({"examples": made})


def differences(rows: dict[str, Any] = ROWS, **expected: Any) -> tuple[str, ...]:
    (result,) = run_examples(study_with({"rows": rows, **expected}))
    assert result.agrees == (not result.differences)
    return result.differences


# ---------------------------------------------------------------- the shipped studies


@pytest.mark.parametrize("name", SHIPPED)
def test_the_examples_of_a_shipped_study_agree(name: str) -> None:
    study = load_study(EXPERIMENTS / name)
    results = run_examples(study)
    assert study.examples is not None
    assert results == tuple(ExampleResult(example.name, True) for example in study.examples.examples)


def test_the_examples_of_the_two_first_studies_show_every_sort_of_outcome_and_a_dropped_person() -> None:
    for name in ("early_reading_support", "county_early_help"):
        study = load_study(EXPERIMENTS / name)
        assert study.examples is not None
        shown = {example.outcome for example in study.examples.examples}
        assert {0, 1, "unobserved"} <= shown
        assert any(example.dropped_at for example in study.examples.examples)


@pytest.mark.parametrize(
    ("name", "was", "becomes", "difference"),
    [
        ("early_reading_support", "percentile: {at_most: 25}", "percentile: {below: 25}", "outcome: expected 1, got 0"),
        ("early_reading_support", "horizon: 11 months", "horizon: 9 months", "outcome: expected 1, got unobserved"),
        ("early_reading_support", "keep: {any: on_roll, last: 12 months}", "keep: {any: on_roll, last: 24 months}",
         "in_cohort: expected false, got true"),
        ("early_reading_support", "take: change, of: reading_test.percentile, last: 24 months",
         "take: change, of: reading_test.percentile, last: 12 months",
         "features.reading_change: expected -8, got missing"),
        ("county_early_help", "drop: {any: social_care_start, last: 12 months}",
         "drop: {any: social_care_start, last: 11 months}", "in_cohort: expected false, got true"),
        ("county_early_help", "at_least: 5, below: 17", "at_least: 5, below: 16",
         "in_cohort: expected true, got false (dropped at 'aged 5 to 16')"),
        ("county_early_help", "known: {followed_until: people.followed_until}", "known: {any: review}",
         "outcome: expected 0, got unobserved"),
    ],
)  # fmt: skip
def test_a_definition_that_was_changed_is_noticed(
    tmp_path: Path, name: str, was: str, becomes: str, difference: str
) -> None:
    folder = Path(shutil.copytree(EXPERIMENTS / name, tmp_path / name))
    text = (folder / "study.yaml").read_text()
    assert text.count(was) == 1
    (folder / "study.yaml").write_text(text.replace(was, becomes))
    said = [line for result in run_examples(load_study(folder)) for line in result.differences]
    assert difference in said


# ---------------------------------------------------------------- what came out otherwise


def test_what_agrees_is_said_in_no_words() -> None:
    features = {"visits_90_days": 1, "visits_ever": 1, "latest": None, "group": "a", "area": None}
    assert differences(in_cohort=True, features=features) == ()
    assert differences(in_cohort=True, outcome="unobserved") == ()


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ({"in_cohort": False}, "in_cohort: expected false, got true"),
        ({"dropped_at": "seen"}, "in_cohort: expected false, got true"),
        ({"outcome": 1}, "outcome: expected 1, got unobserved"),
        ({"features": {"visits_ever": 34}}, "features.visits_ever: expected 34, got 1"),
        ({"features": {"visits_ever": None}}, "features.visits_ever: expected missing, got 1"),
        ({"features": {"visits_ever": "one"}}, "features.visits_ever: expected 'one', got 1"),
        ({"features": {"latest": 0}}, "features.latest: expected 0, got missing"),
        ({"features": {"group": "b"}}, "features.group: expected 'b', got 'a'"),
        ({"features": {"group": 1}}, "features.group: expected 1, got 'a'"),
    ],
)
def test_a_wrong_expectation_is_said_in_words(expected: dict[str, Any], difference: str) -> None:
    assert differences(**expected) == (difference,)


def test_every_difference_is_said_and_each_example_for_itself() -> None:
    right = {"rows": ROWS, "in_cohort": True}
    wrong = {"rows": ROWS, "outcome": 0, "features": {"visits_ever": 2, "group": "a", "area": 1}}
    assert run_examples(study_with(right, wrong)) == (
        ExampleResult("example 0", True),
        ExampleResult(
            "example 1",
            False,
            (
                "outcome: expected 0, got unobserved",
                "features.visits_ever: expected 2, got 1",
                "features.area: expected 1, got missing",
            ),
        ),
    )


def test_numbers_agree_to_nine_decimals() -> None:
    rows = {**ROWS, "records": [VISIT, *({**VISIT, "kind": "test", "value": value} for value in (0.1, 0.2, 0.3))]}
    assert differences(rows, features={"mean": 0.2}) == ()
    assert differences(rows, features={"mean": 0.2 + 1e-10}) == ()
    assert differences(rows, features={"mean": 0.20000001}) == ("features.mean: expected 0.20000001, got 0.2",)


# ---------------------------------------------------------------- who is in

OFTEN = {**ROWS, "records": [VISIT, {**VISIT, "happened": "2020-06-03", "known": "2020-06-03"}]}
LONG_AGO = {**ROWS, "records": [{**VISIT, "happened": "2019-06-30", "known": "2019-07-01"}]}


def test_the_step_that_dropped_them_is_named() -> None:
    assert differences(OFTEN, dropped_at="not often") == ()
    assert differences(LONG_AGO, dropped_at="seen", in_cohort=False) == ()
    assert differences({"people": [{}]}, dropped_at="seen") == ()
    assert differences(OFTEN, dropped_at="seen") == ("dropped_at: expected 'seen', got 'not often'",)
    assert differences(OFTEN, in_cohort=True) == ("in_cohort: expected true, got false (dropped at 'not often')",)


def test_who_does_not_stand_in_the_extract_is_dropped_before_the_first_step() -> None:
    rows = {"records": [VISIT]}
    assert differences(rows, dropped_at="in the extract") == ()
    assert differences(rows, in_cohort=True) == ("in_cohort: expected true, got false (dropped at 'in the extract')",)
    assert differences({}, in_cohort=False) == ()


def test_nobody_out_of_the_cohort_has_an_outcome_or_features() -> None:
    assert differences(OFTEN, outcome=0, features={"visits_ever": 2}) == (
        "outcome: has no value, since they are not in the cohort",
        "features.visits_ever: has no value, since they are not in the cohort",
    )


# ---------------------------------------------------------------- the clock

AHEAD = {"kind": "visit", "happened": "2020-07-01", "known": "2020-07-01"}


def test_the_day_itself_belongs_to_the_outcome() -> None:
    rows = {**ROWS, "records": [VISIT, AHEAD]}
    assert differences(rows, outcome=1, features={"visits_ever": 1}) == ()
    late = {"kind": "test", "happened": "2020-09-30", "known": "2021-12-31"}
    assert differences({**ROWS, "records": [VISIT, late]}, outcome=0) == ()
    assert differences({**ROWS, "records": [VISIT, {**late, "happened": "2020-10-01"}]}, outcome="unobserved") == ()


def test_an_outcome_is_immature_until_the_day_of_the_extract_has_seen_it() -> None:
    # Extracted on 31 December 2021: a horizon of three months and a lag of one end on 1 January 2022 or a day later.
    visits = [{**VISIT, "happened": "2021-08-01", "known": "2021-08-01"}, {**AHEAD, "happened": "2021-09-05"}]
    visits[1]["known"] = "2021-09-06"
    for as_of, outcome in ((dt.date(2021, 9, 1), 1), (dt.date(2021, 9, 2), "immature")):
        example = {"rows": {**ROWS, "records": visits}, "as_of": as_of, "outcome": outcome}
        assert run_examples(study_with(example))[0].differences == ()


def test_a_lag_to_be_estimated_is_taken_to_be_none() -> None:
    outcome = {**BASE["outcome"], "lag": "estimate"}
    example = {"rows": {**ROWS, "records": [VISIT, AHEAD]}, "outcome": 1}
    assert run_examples(study_with(example, outcome=outcome))[0].agrees


@pytest.mark.parametrize(
    "day", ["2020-06-01", dt.date(2020, 6, 1), dt.datetime(2020, 6, 1, 23, 30), "2020-06-01 23:30", " 2020-06-01 "]
)
def test_dates_may_stand_as_text_or_as_dates(day: Any) -> None:
    rows = {**ROWS, "records": [{**VISIT, "happened": day}]}
    assert differences(rows, features={"visits_90_days": 1}) == ()


# ---------------------------------------------------------------- rows and ids


def test_a_source_without_rows_says_nothing() -> None:
    features = {"visits_ever": 0, "latest": None, "group": None, "area": None}
    study = study_with(
        {"rows": {"people": [{}]}, "features": features}, cohort={"as_of_dates": [dt.date(2020, 7, 1)], "steps": []}
    )
    assert run_examples(study)[0].differences == ()


@pytest.mark.parametrize("given", [7, "007", "P 7"])
def test_an_id_may_be_given_or_left_out(given: Any) -> None:
    rows = {"people": [{"group": "a"}], "records": [{**VISIT, "id": given}]}
    assert differences(rows, features={"visits_ever": 1, "group": "a"}) == ()


def test_two_people_are_no_example() -> None:
    with pytest.raises(StudyError, match=r"a_study.examples.yaml: 'example 0': rows: an example is one person"):
        differences({"people": [{"id": 1}], "records": [{**VISIT, "id": 2}]}, in_cohort=True)


def test_what_a_column_holds_is_told_by_every_example() -> None:
    """A code of digits stays a code where another example has a word in its place; numbers stay numbers."""
    number = {"rows": {**ROWS, "people": [{"area": "7"}]}, "features": {"area": 7}}
    assert run_examples(study_with(number))[0].differences == ()
    code = {"rows": {**ROWS, "people": [{"area": "7"}]}, "features": {"area": "7"}}
    word = {"rows": {**ROWS, "people": [{"area": "x"}]}, "features": {"area": "x"}}
    assert [result.differences for result in run_examples(study_with(code, word))] == [(), ()]


def test_a_study_without_examples_has_none_to_run() -> None:
    assert run_examples(in_folder(Path("a_study"), study_file(**SECTIONS), COLUMNS)) == ()


# ---------------------------------------------------------------- links, places, consents

MATCHES = {"id": "theirs", "status": "status", "accept": ["sure"], "confidence": "sureness", "at_least": 0.9}
LINKED: dict[str, Any] = {
    "sources": {
        **BASE["sources"],
        "matches": {"file": "matches.csv", "entity": "id"},
        "theirs": {**BASE["sources"]["records"], "file": "theirs.csv", "entity": "their_id",
                   "link": {"through": "matches", **MATCHES}},
        "flagged": {**BASE["sources"]["records"], "file": "flagged.csv", "link": {"flag": "people.linked"}},
        "areas": {"file": "areas.csv", "entity": "code", "level": "place"},
    },
    "facts": {**BASE["facts"], "call": {"in": "theirs"}, "note": {"in": "flagged"}},
    "cohort": {"as_of_dates": [dt.date(2020, 7, 1)], "steps": []},
    "features": [
        {"name": "calls", "take": "count", "of": "call", "words": "calls"},
        {"name": "notes", "take": "count", "of": "note", "words": "notes"},
        {"name": "decile", "take": "attribute", "of": "areas.decile", "by": "people.area", "words": "decile"},
    ],
    "protected": {},
}  # fmt: skip
LINKED_COLUMNS = {
    **{name: COLUMNS[name] for name in ("people", "records")},
    "matches": ["id", "theirs", "status", "sureness"],
    "theirs": ["their_id", "happened", "known", "kind"],
    "flagged": ["id", "happened", "known", "kind"],
    "areas": ["code", "decile"],
}


@pytest.mark.parametrize(
    ("rows", "features"),
    [
        ({"people": [{"linked": True, "area": "E1"}], "areas": [{"code": "E1", "decile": 3}],
          "matches": [{"status": "sure", "sureness": 0.95}], "theirs": [VISIT], "flagged": [VISIT]},
         {"calls": 1, "notes": 1, "decile": 3}),
        ({"people": [{"linked": True}], "matches": [{"status": "sure", "sureness": 1, "theirs": "x"}],
          "theirs": [{"their_id": "x", **VISIT}, {"their_id": "y", **VISIT}]},
         {"calls": 1, "notes": 0, "decile": None}),
        ({"people": [{"linked": False, "area": "E2"}], "areas": [{"code": "E1", "decile": 3}],
          "matches": [{"status": "sure", "sureness": 0.5}], "theirs": [VISIT], "flagged": [VISIT]},
         {"calls": None, "notes": None, "decile": None}),
        ({"people": [{}]}, {"calls": None, "notes": None}),
    ],
)  # fmt: skip
def test_links_and_places_are_followed(rows: dict[str, Any], features: dict[str, Any]) -> None:
    (result,) = run_examples(study_with({"rows": rows, "features": features}, columns=LINKED_COLUMNS, **LINKED))
    assert result.differences == ()


def test_consent_is_taken_as_given_unless_the_rows_say_otherwise() -> None:
    consents = {"file": "c.csv", "entity": "who", "source": "what", "given_on": "given", "withdrawn_on": "withdrawn"}
    sources = {**SECTIONS["sources"], "records": {**BASE["sources"]["records"], "consented": True}}
    given = {"what": "records", "given": "2020-06-20"}

    def visits(rows: list[dict[str, Any]] | None, expected: float | None) -> dict[str, Any]:
        more = {} if rows is None else {"consents": rows}
        return {"rows": {**ROWS, **more}, "features": {"visits_ever": expected}}

    study = study_with(
        visits(None, 1),
        visits([given], 1),
        visits([{**given, "given": "2020-07-01"}], None),
        visits([{**given, "withdrawn": "2020-06-25"}], None),
        visits([], None),
        sources=sources, consents=consents, cohort={"as_of_dates": [dt.date(2020, 7, 1)], "steps": []},
    )  # fmt: skip
    assert [result.differences for result in run_examples(study)] == [()] * 5
    with pytest.raises(StudyError, match=r"rows.consents: has no column 'whom'"):
        run_examples(replace(study, examples=_examples(visits([{"whom": "x"}], None))))


# ---------------------------------------------------------------- what cannot be run


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({"rows": {"record": []}, "in_cohort": True}, r"rows: no source is called 'record'; did you mean 'records'"),
        ({"rows": {"equality": [{"sex": "f"}]}, "in_cohort": True}, r"rows: 'equality' is kept for the audit"),
        ({"rows": {"people": [{"grup": "a"}]}, "in_cohort": True}, r"rows.people: has no column 'grup'; did you mean"),
        ({"rows": ROWS, "features": {"visits": 1}}, r"features: none is called 'visits'"),
        ({"rows": ROWS, "dropped_at": "sen"}, r"dropped_at: no step is called 'sen'; did you mean 'seen'"),
        ({"rows": {"people": [{"group": ["a"]}]}, "in_cohort": True}, r"rows: a value is one word, .* not a list"),
        ({"rows": {"people": [{}, {}]}, "in_cohort": True}, r"rows.people, column 'id': 1 id stands more than once"),
        ({"rows": {**ROWS, "records": [VISIT, {**VISIT, "happened": "1/6/2020"}]}, "in_cohort": True},
         r"rows.records, column 'happened': 1 row is not a date .*row 2"),
        ({"rows": {**ROWS, "records": [{**VISIT, "known": "2020-05-01"}]}, "in_cohort": True},
         r"rows.records, column 'known': 1 row is known before the event"),
        ({"rows": {**ROWS, "records": [{**VISIT, "known": "2022-05-01"}]}, "in_cohort": True},
         r"rows.records, column 'known': 1 row is dated after 2021-12-31"),
        ({"rows": {**ROWS, "records": [{**VISIT, "id": None}]}, "in_cohort": True},
         r"rows.records, column 'id': 1 row has no id"),
    ],
)  # fmt: skip
def test_an_example_that_cannot_be_run_says_where(example: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=rf"^a_study/examples.yaml: 'example 0': {said}"):
        run_examples(study_with(example))


def test_a_disk_without_room_for_the_rows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(OutsideError, match="No space left on device"):
        differences(in_cohort=True)
