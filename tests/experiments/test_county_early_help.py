"""The county study: it loads, its tables are read as they are registered, and its files say all they must."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from riskmodels.data.cohort import build_cohort
from riskmodels.data.dataset import Dataset, build_dataset
from riskmodels.data.groups import build_groups
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.data.synthetic import EXTRACTED_ON
from riskmodels.data.tables import Tables, check_kinds, read_tables
from riskmodels.errors import OutsideError
from riskmodels.study import PROTECTED_BY_LAW, Study, load_study

FOLDER = Path(__file__).parents[2] / "experiments" / "county_early_help"
TABLES = ("people", "events", "police", "housing", "health", "equality")
GROUP = "White other"


def auc(score: np.ndarray, outcome: np.ndarray) -> float:
    rank = pl.Series(score).rank("average").to_numpy()
    events = int(outcome.sum())
    return float((rank[outcome].sum() - events * (events + 1) / 2) / (events * (len(outcome) - events)))


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("county_early_help_prepare", FOLDER / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(FOLDER)


@pytest.fixture(scope="module")
def tables(prepare: ModuleType, study: Study, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("county")
    prepare.prepare(folder)
    for name in TABLES:
        assert pl.read_parquet(folder / f"{name}.parquet").columns == list(study.register.sources[name].columns)
    return read_tables(folder, study)


@pytest.fixture(scope="module")
def splits(study: Study) -> Splits:
    return plan_splits(study.file, study.extracted_on)


@pytest.fixture(scope="module")
def dataset(study: Study, tables: Tables, splits: Splits) -> Dataset:
    check_kinds(tables, study.file)
    return build_dataset(build_cohort(tables, study.file), tables, study.file, splits, study.extracted_on)


def test_every_origin_has_dates_to_learn_from_and_calibrate_on(study: Study, splits: Splits) -> None:
    assert len(splits.origins) == 4
    assert all(len(split.fit) >= 3 and split.how == "later" for split in splits.all)
    assert study.file.outcome.mature_on(study.file.cohort.dates[-1]) <= study.extracted_on


def test_base_rate_and_unknown_outcomes_at_every_date(dataset: Dataset) -> None:
    status = dataset.outcomes.status_table()
    assert status["immature"].sum() == 0
    assert (status["events"] / status["known"]).is_between(0.05, 0.12).all()
    assert (status["unobserved"] / status["known"]).is_between(0.005, 0.1).all()
    assert (dataset.cohort.rows.group_by("as_of_date").len()["len"] > 2500).all()
    dropped = dataset.cohort.attrition.filter(pl.col("step") != "in the extract")
    assert (dropped["dropped"] > 0).all()


def test_features_are_many_and_none_is_protected(study: Study, dataset: Dataset) -> None:
    frame = dataset.features.frame
    assert 12 <= len(dataset.features.specs) <= 20
    for spec in dataset.features.specs:
        assert frame[spec.name].n_unique() > 1, spec.name
        assert spec.value or (spec.high and spec.low), spec.name
    assert not {spec.of.split(".")[0] for spec in dataset.features.specs} & {"equality"}
    assert study.file.protected["age"].also_feature
    known = dataset.outcomes.frame["outcome"]
    seen = known.is_not_null()
    strongest = max(
        auc(frame[spec.name].filter(seen).fill_null(0).to_numpy(), known.drop_nulls().to_numpy() == 1)
        for spec in dataset.features.specs
        if spec.kind == "number"
    )
    assert 0.6 < strongest < 0.72  # a signal, and not a leak


def test_groups_cover_the_law_or_say_why_not(study: Study, tables: Tables, dataset: Dataset) -> None:
    laws = {spec.law for spec in study.file.protected.values()} - {"none"}
    assert laws | set(study.file.not_audited) == set(PROTECTED_BY_LAW)
    last = dataset.cohort.rows.filter(pl.col("as_of_date") == study.file.cohort.dates[-1])
    groups = build_groups(last, tables, study.file)
    for name, spec in study.file.protected.items():
        assert groups[name].is_null().mean() < 0.1, name
        assert spec.reference is None or spec.reference in set(groups[name]), name
    sizes = dict(groups["ethnicity"].value_counts().iter_rows())
    assert sizes["Any other"] < 100 < sizes["Black"] < sizes["White British"]


def test_the_planted_group_has_fewer_facts_and_as_many_outcomes(study: Study, tables: Tables, dataset: Dataset) -> None:
    groups = build_groups(dataset.cohort.rows, tables, study.file)
    rows = dataset.features.frame.with_columns(groups["ethnicity"], dataset.outcomes.frame["outcome"])
    means = rows.group_by("ethnicity").agg(
        pl.col("days_absent_12_months", "police_contacts_24_months", "outcome").mean()
    )
    seen_less, reference = (
        means.row(by_predicate=pl.col("ethnicity") == name, named=True) for name in (GROUP, "White British")
    )
    assert seen_less["days_absent_12_months"] < 0.75 * reference["days_absent_12_months"]
    assert seen_less["police_contacts_24_months"] < 0.75 * reference["police_contacts_24_months"]
    assert 0.8 < seen_less["outcome"] / reference["outcome"] < 1.35


def test_prepare_as_a_script(prepare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
    assert prepare.main([str(tmp_path / "new")]) == 0
    assert sorted(path.stem for path in (tmp_path / "new").iterdir()) == sorted(TABLES)
    blocked = tmp_path / "new" / "people.parquet"
    assert prepare.main([str(blocked)]) == 7
    with pytest.raises(OutsideError):
        prepare.prepare(blocked)


def test_answers_are_whole_short_and_plain(study: Study) -> None:
    """Flesch-Kincaid grade (Kincaid 1975) of 7 at the most; the run answers the six questions about numbers."""
    import pyphen

    answers = study.answers
    assert answers.fictional
    assert "fictional" in answers.organisation
    assert set(answers.questions) == set(range(1, 21)) - {4, 5, 6, 10, 13, 18}
    sections = (answers.purpose, answers.people_process, answers.risks, answers.law, answers.monitoring)
    said = {"ask": answers.ask, "cannot_see": answers.cannot_see}
    said |= {name: answer for section in sections for name, answer in section.items()}
    said |= {str(number): answer for number, answer in answers.questions.items()}
    said |= {f"tripod {item}": answer for item, answer in answers.tripod.items()}
    assert {name for name, answer in said.items() if answer.text is None} == {"cost", "override_rate"}
    hyphenation = pyphen.Pyphen(lang="en_GB")
    for name, answer in said.items():
        text = answer.text or ""
        words = re.findall(r"[\w'-]+", text)
        if words:
            sentences = [sentence for sentence in re.split(r"[.!?:](?:\s|$)", text) if sentence.strip()]
            syllables = sum(len(hyphenation.positions(word)) + 1 for word in words)
            grade = 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59
            assert grade <= 7, (name, grade)


def test_everything_is_said_to_be_made_up(study: Study) -> None:
    assert "Everything here is made up" in (FOLDER / "README.md").read_text(encoding="utf-8")
    for source in study.register.sources.values():
        assert source.how.startswith("Drawn by a program from a seed.")
        assert source.owner.startswith("Fictional:")
        assert source.extracted_on == EXTRACTED_ON
