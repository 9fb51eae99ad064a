"""What a study may say, and in which words it is told that it may not."""

from __future__ import annotations

import copy
import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels.errors import StudyError
from riskmodels.storage import read_yaml
from riskmodels.study import AGGREGATIONS, AsOfDates, Capacity, CohortSection, Period, load_study, parse_study_file

ROOT = Path(__file__).parents[1]
READING = ROOT / "experiments" / "early_reading_support"
HEART = Path(__file__).parent / "studies" / "heart_health_checks.yaml"
NOTHING = object()
RULE = {"exclude": {"any": "on_roll"}, "because": "known", "owner": "o"}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture(scope="module")
def reading() -> dict[str, Any]:
    raw = read_yaml(READING / "study.yaml")
    assert isinstance(raw, dict)
    return raw


def changed(raw: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the study with one key set, or taken out; a path reads like ``split.test.last`` or ``features.0``."""
    raw = copy.deepcopy(raw)
    *inner, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    here: Any = raw
    for part in inner:
        here = here[part]
    if value is NOTHING:
        del here[last]
    else:
        here[last] = value
    return raw


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(StudyError) as caught:
        parse_study_file(raw)
    said = str(caught.value)
    assert said.startswith("study.yaml: ")
    assert "\n" not in said
    return said.removeprefix("study.yaml: ")


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("path", [READING / "study.yaml", HEART, ROOT / "experiments/county_early_help/study.yaml"])
def test_example_studies_are_read(path: Path) -> None:
    raw = read_yaml(path)
    study = parse_study_file(raw)
    assert study.study == raw["study"]
    assert len(study.features) == len(raw["features"])
    assert study.outcome.horizon == Period.parse(raw["outcome"]["horizon"])


def test_the_whole_folder_is_read(tmp_path: Path) -> None:
    study = load_study(READING)
    assert study.name == "early_reading_support"
    assert set(study.file.sources) <= set(study.register.sources)
    assert load_study(READING / "study.yaml").digest == study.digest
    # What people say in the card changes neither the study's digest nor, with it, the model's.
    folder = Path(shutil.copytree(READING, tmp_path / "study"))
    (folder / "answers.yaml").write_bytes((folder / "answers.yaml").read_bytes() + b"\n# mended\n")
    assert load_study(folder).digest == study.digest
    assert load_study(folder).answers_digest != study.answers_digest


def test_a_study_cannot_be_changed(reading: dict[str, Any]) -> None:
    study = parse_study_file(reading)
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 1  # type: ignore[misc]


def test_the_extract_is_as_old_as_its_oldest_source_for_the_model() -> None:
    study = load_study(READING)
    entries = study.register.sources
    older = entries["pupils"].model_copy(update={"extracted_on": day("1989-06-01")})
    ancient = entries["equality"].model_copy(update={"extracted_on": day("1980-01-01")})
    register = study.register.model_copy(update={"sources": {**entries, "pupils": older, "equality": ancient}})
    changed = type(study)(study.folder, study.file, register, study.answers, study.files)
    assert changed.extracted_on == day("1989-06-01")


@pytest.mark.parametrize("missing", ["study.yaml", "register.yaml", "answers.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = Path(shutil.copytree(READING, tmp_path / "study"))
    (folder / missing).unlink()
    with pytest.raises(StudyError, match=f"{missing}: no such file"):
        load_study(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="nowhere: no such study folder; `riskmodels new` makes one"):
        load_study(tmp_path / "nowhere")


def test_a_source_must_be_registered(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(READING, tmp_path / "study"))
    text = (folder / "register.yaml").read_text().replace("\n  equality:", "\n  equalities:")
    (folder / "register.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"register\.yaml: sources\.equality is missing; every source must be reg"):
        load_study(folder)


def test_there_are_twenty_questions(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(READING, tmp_path / "study"))
    text = (folder / "answers.yaml").read_text()
    more = text.replace("\nquestions:\n", "\nquestions:\n  21: {text: more, owner: nobody}\n")
    assert more != text
    (folder / "answers.yaml").write_text(more)
    with pytest.raises(StudyError, match=r"answers\.yaml: questions: there are twenty questions; 21 is not one"):
        load_study(folder)


@pytest.mark.parametrize("raw", [None, [], "study", 1])
def test_a_study_is_keys_and_values(raw: Any) -> None:
    with pytest.raises(StudyError, match="must hold keys and values"):
        parse_study_file(raw)


# ---------------------------------------------------------------- typos: the path, and what was meant


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("titel", "x", "titel: unknown key; did you mean 'title'?"),
        ("split.horizon_dys", 90, "split.horizon_dys: unknown key (known: test, calibrate, why_grouped"),
        ("split.why_groupd", "x", "split.why_groupd: unknown key; did you mean 'why_grouped'?"),
        ("sources.pupils.entty", "x", "sources.pupils.entty: unknown key; did you mean 'entity'?"),
        ("facts.low_reading.were", {}, "facts.low_reading.were: unknown key; did you mean 'where'?"),
        (
            "facts.low_reading.where.percentile",
            {"at_mst": 25},
            "facts.low_reading.where.percentile.at_mst: unknown key; did you mean 'at_most'?",
        ),
        (
            "cohort.as_of_dates",
            {"first": "1986-06-30", "last": "1988-06-30", "evry": "1 year"},
            "cohort.as_of_dates.evry: unknown key; did you mean 'every'?",
        ),
        ("cohort.steps.0.kep", {}, "cohort.steps[0].kep: unknown key; did you mean 'keep'?"),
        (
            "cohort.steps.0.keep",
            {"any": "on_roll", "lst": "12 months"},
            "cohort.steps[0].keep.lst: unknown key; did you mean 'last'?",
        ),
        (
            "cohort.steps.0.keep",
            {"not": {"all_of": [{"any": "on_roll"}, {"count": "on_roll", "at_lest": 3}]}},
            "cohort.steps[0].keep.not.all_of[1].at_lest: unknown key; did you mean 'at_least'?",
        ),
        ("cohort.steps.0.keep", {"anny": "on_roll"}, "cohort.steps[0].keep: needs one of the words any, none, first_"),
        ("cohort.steps.0.keep", {"anyof": []}, "; did you mean 'any_of'?"),
        ("outcome.hapens", {}, "outcome.hapens: unknown key; did you mean 'happens'?"),
        ("features.0.tke", "count", "features[0].tke: unknown key; did you mean 'take'?"),
        ("models.candidates.lightgbn", {}, "models.candidates.lightgbn: unknown key; did you mean 'lightgbm'?"),
        ("models.candidates.lightgbm.tree", 3, "models.candidates.lightgbm.tree: unknown key; did you mean 'trees'?"),
        ("capacity.placs", 3, "capacity.placs: unknown key; did you mean 'places'?"),
        ("protected.gender.colum", "x", "protected.gender.colum: unknown key; did you mean 'column'?"),
        ("not_audited.agee", "x", "not_audited: the law protects no 'agee'; did you mean 'age'?"),
        # Words of the study itself.
        ("facts.low_reading.in", "recrds", "facts.low_reading.in: no source is called 'recrds'; did you mean"),
        ("outcome.happens", {"any": "low_readin"}, "outcome.happens: no fact is called 'low_readin'; did you mean"),
        ("outcome.known", {"not": {"none": "readin"}}, "outcome.known: no fact is called 'readin'"),
        ("cohort.steps.0.keep", {"any_of": [{"count": "on_rol", "above": 1}]}, "cohort.steps[0]: no fact is called"),
        ("cohort.steps.0.keep", {"attribute": "pupls.x", "equals": "a"}, "cohort.steps[0]: no source is called"),
        ("cohort.steps.0.keep", {"age": "pupls.x", "above": 1}, "cohort.steps[0]: no source is called 'pupls'"),
        ("cohort.cluster", "pupls.family", "cohort.cluster: no source is called 'pupls'; did you mean 'pupils'?"),
        ("outcome.known", {"followed_until": "pupls.x"}, "outcome.known: no source is called 'pupls'"),
        ("features.0.of", "reading_tst.percentile", "features[0] (reading_now).of: no fact is called 'reading_tst'"),
        ("features.7.of", "pupls.born_on", "features[7] (age).of: age needs source.column; did you mean 'pupils'?"),
        ("protected.gender.column", "equalty.gender", "protected.gender.column: no source is called 'equalty'"),
        (
            "service_rules",
            [{"exclude": {"any": "on_rol"}, "because": "b", "owner": "o"}],
            "service_rules[0]: no fact is called 'on_rol'; did you mean 'on_roll'?",
        ),
        ("breaks", [{"date": "1987-01-01", "what": "w", "affects": ["on_rol"]}], "breaks[0].affects: no fact or"),
        ("models.place", "school_typ", "models.place: no feature is called 'school_typ'; did you mean 'school_type'?"),
        ("fairness.intersections", [["gender", "etnicity"]], "fairness.intersections: 'etnicity' does not stand under"),
    ],
)  # fmt: skip
def test_a_typo_is_named_with_what_was_meant(reading: dict[str, Any], path: str, value: Any, said: str) -> None:
    assert said in refusal(changed(reading, path, value))


def test_intersections_are_pairs_or_all(reading: dict[str, Any]) -> None:
    assert parse_study_file(changed(reading, "fairness.intersections", "all")).fairness.intersections == "all"
    said = refusal(changed(reading, "fairness.intersections", "every"))
    assert said == "fairness.intersections: Input should be 'all'"
    said = refusal(changed(reading, "fairness.intersections", [["gender"]]))
    assert said.startswith("fairness.intersections[0][1]: is missing")


def test_a_missing_key_is_named(reading: dict[str, Any]) -> None:
    assert refusal(changed(reading, "outcome.horizon", NOTHING)) == "outcome.horizon: is missing"
    # The unknown key is the more telling of two problems.
    typo = changed(changed(reading, "outcome.horizon", NOTHING), "outcome.horizn", "11 months")
    assert refusal(typo) == "outcome.horizn: unknown key; did you mean 'horizon'? (and 1 more)"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("schema", 2, "schema: Input should be 1"),
        ("seed", "many", "seed: Input should be a valid integer"),
        ("seed", -1, "seed: Input should be greater than or equal to 0"),
        ("purpose", "helpful", "purpose: Input should be 'assistive', 'punitive' or 'mixed'"),
        ("purpose", NOTHING, "purpose: is missing"),
        ("sources", {}, "sources: "),
        ("sources.pupils.file", "../pupils.csv", "sources.pupils.file: a source's file is a relative path"),
        ("sources.pupils.file", "/pupils.csv", "sources.pupils.file: a source's file is a relative path"),
        ("sources.pupils.time_zone", "Europe/Londn", "sources.pupils.time_zone: no such time zone"),
        ("sources.pupils.file", None, "sources.pupils: say either 'file' or 'database'"),
        ("sources.pupils.table", "pupils", "a .csv or .parquet file has none"),
        ("sources.pupils.file", "cases.duckdb", "a database needs 'table'"),
        ("sources.pupils.database", "postgresql://user:word@host/cases", "the environment variable that holds"),
        ("sources.pupils.consented", True, "say under consents which file holds who consented"),
        (
            "sources.areas",
            {"file": "areas.csv", "entity": "area", "level": "place", "consented": True},
            "sources.areas.consented: consents are kept by the ids of the study's level (person) only",
        ),
        ("sources.records.link", {}, "say either 'flag'"),
        ("sources.records.link", {"flag": "pupils.matched", "id": "x"}, "a link by flag has no other keys"),
        ("sources.records.link", {"through": "matches"}, "names the column of its ids"),
        ("sources.records.link", {"through": "matches", "id": "x"}, "no source is called 'matches'"),
        ("sources.records.link", {"through": "records", "id": "x"}, "must be another source"),
        ("sources.records.link", {"through": "pupils", "id": "x", "status": "s"}, "status and accept"),
        ("sources.records.link", {"through": "pupils", "id": "x", "at_least": 0.5}, "confidence and at_least"),
        ("sources.records.level", "household", "name our column that holds its id, as in by: people.area"),
        ("features.0.by", "pupils.area", "holds our own ids; take 'by' out"),
        ("features.3.take", "rate", "so many a year: it needs a window with a length"),
        ("features.0.take", "ratio", "ratio needs over"),
        ("features.0.over", "on_roll", "over belongs to take: ratio"),
        ("features.0.take", "episodes", "episodes needs gap"),
        ("features.0.than", "12 months", "than belongs to take: rate_change"),
        ("features.0.each", {"kind": []}, "each names one column and its values"),
        ("features.0.last", "-3 months", "a period reads like"),
        ("outcome.lag", "guess", "a period reads like"),
        ("outcome.exits", {"left": {"any": "lft"}}, "outcome.exits.left: no fact is called 'lft'"),
        ("facts.Low", {"in": "records"}, "facts.Low: a name has lower-case letters, digits and _"),
        ("facts.on_roll.in", "pupils", "facts.on_roll.in: sources.pupils names no event_date, so it holds no facts"),
        ("facts.low_reading.where.percentile", {}, "facts.low_reading.where.percentile: a condition needs one of"),
        ("facts.low_reading.where.percentile", {"at_most": "low"}, "percentile.at_most: a limit is a number, a date"),
        ("facts.low_reading.where.percentile", {"at_most": float("nan")}, "percentile.at_most: a limit is a number"),
        ("facts.low_reading.where.percentile", {"equals": [1, 2]}, "percentile.equals: is one word, one number"),
        (
            "facts.low_reading.where.percentile",
            {"at_most": 25, "one_of": ["a"]},
            "percentile: a condition asks for numbers, for dates or for words, not for several of them",
        ),
        ("cohort.as_of_dates", [], "cohort: as_of_dates must be at least one date, each once, earliest first"),
        ("cohort.as_of_dates", ["1988-06-30", "1987-06-30"], "cohort: as_of_dates must be at least one date"),
        ("cohort.as_of_dates", ["1988-06-30", "1988-06-30"], "cohort: as_of_dates must be at least one date"),
        ("cohort.as_of_dates", ["1988-06-30", "June"], "cohort.as_of_dates[1]: Input should be a valid date"),
        (
            "cohort.as_of_dates",
            {"first": "1987-01-01", "last": "1986-01-01", "every": "1 month"},
            "cohort.as_of_dates: first is not after last",
        ),
        (
            "cohort.as_of_dates",
            {"first": "1987-01-01", "last": "1988-01-01", "every": "ever"},
            "cohort.as_of_dates: first is not after last, and every has a length",
        ),
        (
            "cohort.as_of_dates",
            {"first": "1987-01-01", "last": "1988-01-01", "every": "0 months"},
            "cohort.as_of_dates.every: a window is at least one month long",
        ),
        ("cohort.steps.0.drop", {"any": "on_roll"}, "cohort.steps[0]: a step has either 'keep' or 'drop'"),
        ("cohort.steps.0.keep", {"count": "on_roll"}, "cohort.steps[0].keep: a condition needs one of"),
        ("cohort.steps.0.keep", {"count": "on_roll", "equals": "two"}, "keep: a count is compared with a number"),
        ("cohort.steps.0.keep", {"age": "pupils.born_on", "equals": 7}, "keep: an age is compared with whole years"),
        ("cohort.steps.0.keep", {"age": "pupils.born_on", "above": 6.5}, "keep: an age is compared with whole years"),
        ("cohort.steps.0.keep", {"attribute": "gender", "equals": "m"}, "keep.attribute: reads source.column"),
        ("cohort.steps.0.keep", {"all_of": []}, "cohort.steps[0].keep.all_of: "),
        ("outcome.horizon", "11 moons", "outcome.horizon: a period reads like '90 days', '12 months' or 'ever'"),
        ("outcome.horizon", "ever", "outcome: horizon and lag have a length, not 'ever'"),
        ("outcome.horizon", "0 days", "outcome.horizon: a window is at least one day long"),
        ("outcome.measures", "want", "outcome.measures: Input should be 'need' or 'service'"),
        ("features", [], "features: "),
        ("features.0.take", "newest", "features[0].take[0]: Input should be 'count', 'any'"),
        ("features.0.of", "reading_test", "features[0] (reading_now).of: latest needs a column, as in"),
        ("features.0.last", ["12 months", "soon"], "features[0].last[1]: a period reads like"),
        ("features.0.name", "maths_now", "features: two of them make the column 'maths_now'; rename one"),
        ("features.0.name", "as_of_date", "features: the name 'as_of_date' is taken"),
        ("split.test", {"dates": ["1990-06-30"]}, "split.test.dates: 1990-06-30 is not one of cohort.as_of_dates"),
        ("split.test", {"dates": []}, "split.test: dates must be at least one date, each once"),
        ("split.test", {"dates": ["1988-06-30", "1988-06-30"]}, "split.test: dates must be at least one date"),
        ("split.test", {"last": 3}, "split.test.last: 3 leaves no as-of date to learn from"),
        ("split.test", {"last": 0}, "split.test.last: Input should be greater than or equal to 1"),
        ("split.test", {"dates": ["1988-06-30"], "last": 1}, "split.test: say either 'dates' or 'last'"),
        ("split.why_grouped", NOTHING, "split: calibrate: grouped needs why_grouped, which the card prints"),
        ("capacity", {"places": 5, "share": 0.1}, "capacity: say either 'places' or 'share'"),
        ("capacity", {"places": 0}, "capacity: places must be at least 1"),
        ("capacity", {"places": "many"}, "capacity.places: Input should be a valid integer"),
        ("capacity", {"share": 5}, "capacity.share: Input should be less than 1"),
        ("capacity", {"places": {"north": 1}}, "capacity: capacity by team needs 'by'"),
        ("list_unit", "household", "list_unit: household needs cohort.cluster"),
        ("service_rules", [RULE | {"owner": " "}], "service_rules[0].owner: is empty; a rule has"),
        ("service_rules", [RULE | {"because": ""}], "service_rules[0].because: is empty"),
        ("service_rules", [RULE, RULE | {"because": "known "}], "service_rules: two rules give the reason 'known'"),
        ("routes", [{"when": {"any": "on_roll"}, "to": "lead", "because": "b", "owner": ""}], "routes[0].owner: is"),
        ("service_rules", [RULE | {"kind": "dead"}], "service_rules[0].kind: Input should be 'already_known'"),
        ("bands", {"low": 0.1, "high": 0.5}, "bands: the first band starts at risk 0"),
        ("bands", {"low": 0, "high": 0.5, "higher": 0.5}, "bands: the first band starts at risk 0"),
        ("bands", {"low": 0, "high": 5}, "bands: the first band starts at risk 0"),
        ("thresholds", [0.2, 20], "thresholds[1]: Input should be less than 1"),
        ("floors.gain_over_baselines", float("nan"), "floors.gain_over_baselines: Input should be a finite number"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(reading: dict[str, Any], path: str, value: Any, said: str) -> None:
    assert said in refusal(changed(reading, path, value))


def test_two_lines_that_make_one_column_are_refused(reading: dict[str, Any]) -> None:
    """Lists of take and last make names of their own, which may meet the name of another line."""
    first = {"name": "r", "take": ["latest", "mean"], "of": "reading_test.percentile", "words": "w"}
    other = {"name": "r_mean", "take": "count", "of": "on_roll", "words": "w"}
    assert "two of them make the column 'r_mean'" in refusal(changed(reading, "features", [first, other]))


# ---------------------------------------------------------------- equality data


def test_a_protected_column_as_a_feature_needs_a_reason(reading: dict[str, Any]) -> None:
    line = {"name": "sex", "take": "attribute", "of": "pupils.Gender", "words": "gender"}
    raw = changed(reading, "features", [*reading["features"], line])
    assert refusal(raw) == (
        "features[8] (sex): uses the protected characteristic 'gender'; take it out, or write the reason under "
        "protected.gender.also_feature"
    )
    parse_study_file(changed(raw, "protected.gender.also_feature", "Every score of this kind uses it."))


def test_age_is_a_protected_characteristic_whatever_its_column_is_called(reading: dict[str, Any]) -> None:
    raw = changed(reading, "protected.age", {"column": "equality.years", "law": "age", "bands": [6, 7]})
    assert "features[7] (age): uses the protected characteristic 'age'" in refusal(raw)
    parse_study_file(changed(raw, "protected.age.also_feature", "Reading grows with age."))


def test_equality_data_is_read_by_the_audit_alone(reading: dict[str, Any]) -> None:
    feature = {"name": "g", "take": "attribute", "of": "equality.ethnicity", "words": "w"}
    dated = changed(reading, "sources.equality.event_date", "known_on")
    step = [{"step": "s", "keep": {"attribute": "equality.gender", "equals": "male"}}]
    rule = [{"exclude": {"attribute": "equality.gender", "equals": "male"}, "because": "b", "owner": "o"}]
    for raw, said in [
        (changed(reading, "features", [feature]), "features[0] (g).of: 'equality' is kept for the audit"),
        (changed(dated, "facts.on_roll.in", "equality"), "facts.on_roll.in: 'equality' is kept for the audit"),
        (changed(reading, "cohort.steps", step), "cohort.steps[0]: 'equality' is kept for the audit"),
        (changed(reading, "cohort.cluster", "equality.family"), "cohort.cluster: 'equality' is kept for the audit"),
        (changed(reading, "service_rules", rule), "service_rules[0]: 'equality' is kept for the audit"),
    ]:
        assert said in refusal(raw)


# ---------------------------------------------------------------- capacity


def test_more_places_than_people() -> None:
    capacity = Capacity(places=10)
    assert capacity.of(10) == 10
    with pytest.raises(StudyError, match=r"capacity\.places: 10 places for a cohort of 9; everybody could be offered"):
        capacity.of(9)


def test_a_share_is_at_least_one_place() -> None:
    assert [Capacity(share=0.1).of(size) for size in (1, 14, 16, 1000)] == [1, 1, 2, 100]


# ---------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("period", "from_day", "before", "after"),
    [
        ("1 day", "2020-03-01", "2020-02-29", "2020-03-02"),
        ("1 day", "2021-03-01", "2021-02-28", "2021-03-02"),
        ("2 weeks", "2020-01-08", "2019-12-25", "2020-01-22"),
        ("1 month", "2021-01-31", "2020-12-31", "2021-02-28"),
        ("1 month", "2020-01-31", "2019-12-31", "2020-02-29"),
        ("1 month", "2020-03-31", "2020-02-29", "2020-04-30"),
        ("12 months", "2020-02-29", "2019-02-28", "2021-02-28"),
        ("1 year", "2020-02-29", "2019-02-28", "2021-02-28"),
        ("4 years", "2020-02-29", "2016-02-29", "2024-02-29"),
        ("18 months", "2020-08-31", "2019-02-28", "2022-02-28"),
        ("1095 days", "2000-01-02", "1997-01-02", "2003-01-01"),
        ("ever", "2020-01-01", "0001-01-01", "9999-12-31"),
        # What would leave the calendar stops at its end.
        ("3000 years", "2020-06-30", "0001-01-01", "5020-06-30"),
        ("99999999999 days", "2020-06-30", "0001-01-01", "9999-12-31"),
        ("9000 years", "2020-06-30", "0001-01-01", "9999-12-31"),
    ],
)
def test_periods_at_month_ends_and_in_leap_years(period: str, from_day: str, before: str, after: str) -> None:
    read = Period.parse(period)
    assert read.before(day(from_day)) == day(before)
    assert read.after(day(from_day)) == day(after)
    assert Period.parse(str(read)) == read


@pytest.mark.parametrize("text", ["", "12", "months", "-1 month", "1.5 months", "12 monthss", "one month", "Ever"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="a period reads like '90 days', '12 months' or 'ever'"):
        Period.parse(text)


def dates(first: str, last: str, every: str) -> list[str]:
    section = CohortSection(as_of_dates=AsOfDates(first=day(first), last=day(last), every=every))  # type: ignore[arg-type]
    return [str(date) for date in section.dates]


def test_dates_at_a_distance_from_the_first() -> None:
    assert dates("2020-01-01", "2020-07-01", "3 months") == ["2020-01-01", "2020-04-01", "2020-07-01"]
    assert dates("2020-01-01", "2020-06-30", "3 months") == ["2020-01-01", "2020-04-01"]
    assert dates("2020-01-01", "2020-01-01", "1 day") == ["2020-01-01"]
    # Counted from the first each time: February does not pull March back to the 29th.
    assert dates("2020-01-31", "2020-04-30", "1 month") == ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]
    # The calendar ends, and so do the dates.
    assert dates("9999-11-30", "9999-12-31", "1 month") == ["9999-11-30", "9999-12-30", "9999-12-31"]


def test_an_outcome_is_mature_after_horizon_and_lag(reading: dict[str, Any]) -> None:
    outcome = parse_study_file(reading).outcome
    assert outcome.mature_on(day("1986-06-30")) == day("1987-06-30")  # 11 months, then 1 month


# ---------------------------------------------------------------- features


def test_lists_make_a_column_for_each_take_and_window(reading: dict[str, Any]) -> None:
    line = {
        "name": "r", "take": ["count", "latest"], "of": "reading_test.percentile",
        "last": ["3 months", "ever"], "words": "w",
    }  # fmt: skip
    study = parse_study_file(changed(reading, "features", [line]))
    assert [(column.name, column.take, str(column.last)) for column in study.features[0].columns] == [
        ("r_count_3_months", "count", "3 months"),
        ("r_count_ever", "count", "ever"),
        ("r_latest_3_months", "latest", "3 months"),
        ("r_latest_ever", "latest", "ever"),
    ]


def test_each_makes_a_column_for_each_value(reading: dict[str, Any]) -> None:
    line = {
        "name": "n", "take": "count", "of": "on_roll", "last": ["3 months", "ever"],
        "each": {"class_type": ["small", "Regular + aide"]}, "words": "w",
    }  # fmt: skip
    columns = parse_study_file(changed(reading, "features", [line])).features[0].columns
    assert [(column.name, column.each) for column in columns] == [
        ("n_3_months_small", ("class_type", "small")),
        ("n_3_months_regular_aide", ("class_type", "Regular + aide")),
        ("n_ever_small", ("class_type", "small")),
        ("n_ever_regular_aide", ("class_type", "Regular + aide")),
    ]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("on_rol", "no fact is called 'on_rol'"),
        ("on_roll", "both name a column, or neither"),
        ("visit.minutes", "both facts of a ratio stand in one source"),
    ],
)
def test_a_ratio_divides_like_by_like(reading: dict[str, Any], over: str, words: str) -> None:
    raw = changed(reading, "sources.visits", {"file": "v.csv", "entity": "id", "event_date": "on"})
    raw = changed(raw, "facts.visit", {"in": "visits"})
    line = {"name": "r", "take": "ratio", "of": "reading_test.percentile", "over": over, "words": "w"}
    assert words in refusal(changed(raw, "features", [line]))


def test_what_a_predicate_looks_at(reading: dict[str, Any]) -> None:
    study = parse_study_file(reading)
    predicates = [study.cohort.steps[0].keep, study.outcome.happens]
    assert study.sources_of(predicates) == {"records"}
    assert list(study.facts_of(predicates)) == ["low_reading", "on_roll"]


def test_the_table_of_aggregations_is_whole() -> None:
    from riskmodels.data import features

    assert {*features.AGGREGATIONS, "attribute", "age"} == set(AGGREGATIONS)
    assert len(AGGREGATIONS) == len(set(AGGREGATIONS))


def test_baselines_come_first_whether_listed_or_not(reading: dict[str, Any]) -> None:
    raw = changed(reading, "models", {"candidates": {"lightgbm": {}}, "place": "school_type"})
    families = parse_study_file(raw).models.families
    assert list(families) == ["base_rate", "single_best_column", "points", "place_only", "lightgbm"]


# ---------------------------------------------------------------- YAML


def study_text(tmp_path: Path, old: str, new: str) -> Path:
    folder = Path(shutil.copytree(READING, tmp_path / "study"))
    text = (folder / "study.yaml").read_text()
    assert old in text
    (folder / "study.yaml").write_text(text.replace(old, new, 1))
    return folder


def test_a_key_said_twice_is_refused(tmp_path: Path) -> None:
    folder = study_text(tmp_path, "\nseed: ", "\nseed: 1\nseed: ")
    with pytest.raises(StudyError, match=r"study\.yaml, line \d+, column 1: the key 'seed' stands twice"):
        load_study(folder)


def test_yes_and_no_are_words(tmp_path: Path) -> None:
    folder = study_text(tmp_path, "kind: enrolment}", "kind: [NO, yes, on, Off, y]}")
    assert load_study(folder).file.facts["on_roll"].kind == ("NO", "yes", "on", "Off", "y")


def test_a_day_that_the_calendar_lacks_is_named(tmp_path: Path) -> None:
    folder = study_text(tmp_path, "1987-06-30", "1987-06-31")
    with pytest.raises(StudyError, match=r"study\.yaml, line \d+, column \d+: the calendar has no day 1987-06-31"):
        load_study(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("money: {place_costs: [500, 300], success_saves: [0, 1]}", "place_costs: is a range of sums from 0 up"),
        ("money: {place_costs: [1, 2], success_saves: [-5, 1]}", "success_saves: is a range of sums from 0 up"),
        ("help: {take_up: [0.9, 0.1], effect: [0, 0.2]}", "take_up: is a range, the lower end first"),
        ("help: {take_up: [0.1, 1.5], effect: [0, 0.2]}", "less than or equal to 1"),
        ("slices: [pupils.born_on, pupils.born_on]", "slices names a column twice"),
        ("slices: [equality.gender]", "is kept for the audit"),
    ],
)
def test_what_is_assumed_and_told_apart_is_checked(tmp_path: Path, line: str, said: str) -> None:
    key = line.partition(":")[0]
    old = "\nmoney: " if key == "money" else "\nbreaks: []"
    folder = study_text(tmp_path, old, f"\n{line}\n# " if key == "money" else f"\nbreaks: []\n{line}")
    with pytest.raises(StudyError) as refused:
        load_study(folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_spline_is_named_once(tmp_path: Path) -> None:
    folder = study_text(tmp_path, "logistic: {c: 1.0}", "logistic: {c: 1.0, splines: [age, age]}")
    with pytest.raises(StudyError, match="splines names a feature twice"):
        load_study(folder)


# ---------------------------------------------------------------- study and register together


def registered(tmp_path: Path, roles: str, line: str) -> Path:
    """The county's study with ``line`` in it, its police records shown to ``roles``."""
    folder = tmp_path / "study"
    shutil.copytree(ROOT / "experiments" / "county_early_help", folder)
    study, register = folder / "study.yaml", folder / "register.yaml"
    key = line.partition(":")[0]
    kept = [row for row in study.read_text().splitlines() if not row.startswith(f"{key}:")]
    study.write_text("\n".join([*kept, line, ""]))
    register.write_text(register.read_text().replace("\n  people:\n", f"\n  people:\n    may_show_to: {roles}\n", 1))
    return folder


TEAMS = "capacity: {places: {north: 100, south: 50}, by: people.ward}"
ROUTE = (
    "routes: [{when: {attribute: people.police_linked, equals: true}, to: nurse, because: found, owner: school nurse}]"
)


@pytest.mark.parametrize(
    ("roles", "line", "said"),
    [
        (
            "[nurse]",
            TEAMS,
            "capacity.by: teams are read by everybody who sees the list, and the register shows people ",
        ),
        ("[]", TEAMS, "capacity.by: "),
        ("[police, lead]", ROUTE, "routes[0]: nurse is not among those to whom the register shows people "),
        ("[]", ROUTE, "routes[0]: nurse "),
        ("[lead, nurse]", ROUTE, None),
    ],
)
def test_nobody_is_told_of_a_source_that_the_register_keeps_from_them(
    tmp_path: Path, roles: str, line: str, said: str | None
) -> None:
    folder = registered(tmp_path, roles, line)
    if said is None:
        assert load_study(folder).file.routes[0].to == "nurse"
        return
    with pytest.raises(StudyError) as refused:
        load_study(folder)
    assert said in str(refused.value)
    assert str(folder / "study.yaml") in str(refused.value)
    assert "\n" not in str(refused.value)
