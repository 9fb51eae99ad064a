"""The composition of a batch by group: counted right, whatever the pieces, and nobody can be found in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.suppression import PROFILES, rounded, window
from riskmodels.errors import DataError
from riskmodels.service.outputs.composition import MOST_GROUPS, composition, published, read_groups
from riskmodels.study import Protected, StudyFile, load_study

ROOT = Path(__file__).parents[3]
SRO = PROFILES["sro-10"]


@cache
def reading() -> StudyFile:
    return load_study(ROOT / "experiments" / "early_reading_support").file


@pytest.fixture
def study() -> StudyFile:
    return reading()


def file_of(folder: Path, **columns: Any) -> Path:
    path = folder / "groups.csv"
    pl.DataFrame(columns, strict=False).write_csv(path)
    return path


def people(**groups: tuple[int, int]) -> pl.DataFrame:
    """So many scored and listed of each gender; nothing is recorded of ``none``."""
    rows = [(gender, number < listed) for gender, (scored, listed) in groups.items() for number in range(scored)]
    return pl.DataFrame(
        {"entity_id": [f"{number}" for number in range(len(rows))], "listed": [listed for _, listed in rows],
         "gender": [None if gender == "none" else gender for gender, _ in rows]}
    )  # fmt: skip


# ---------------------------------------------------------------- the file


def test_a_file_is_read_with_the_names_of_the_study(tmp_path: Path, study: StudyFile) -> None:
    path = file_of(tmp_path, entity_id=["1 ", "2"], ethnicity=["afam", " n/a"], hobby=["chess", None])
    groups = read_groups(path, study)
    assert groups.rows() == [("1", "African American", "chess"), ("2", None, None)]
    pl.DataFrame({"entity_id": [1, 2], "gender": ["male", "female"]}).write_parquet(tmp_path / "g.parquet")
    assert read_groups(tmp_path / "g.parquet", study)["entity_id"].to_list() == ["1", "2"]


def test_a_number_is_put_in_the_bands_of_the_study(tmp_path: Path, study: StudyFile) -> None:
    aged = study.model_copy(update={"protected": {"age": Protected(column="a.b", law="age", bands=(10.0, 20.0))}})
    groups = read_groups(file_of(tmp_path, entity_id=range(90), age=range(90)), aged)
    assert groups["age"].unique().sort().to_list() == ["10-19", "20 and over", "under 10"]


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"id": ["1"], "sex": ["F"]}, "no column entity_id"),
        ({"entity_id": ["1"]}, "no column of groups"),
        ({"entity_id": ["1", "2", "1"], "sex": ["F", "F", "M"]}, r"row 1 stands more than once \(2 people in 3 rows\)"),
        ({"entity_id": ["1", " "], "sex": ["F", "F"]}, "row 2 has no entity_id"),
        ({"entity_id": ["1", None], "sex": ["F", "F"]}, "row 2 has no entity_id"),
        ({"entity_id": range(41), "postcode": range(41)}, "postcode has 41 different groups, more than 40"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    tmp_path: Path, study: StudyFile, columns: dict[str, Any], match: str
) -> None:
    with pytest.raises(DataError, match=match) as refusal:
        read_groups(file_of(tmp_path, **columns), study)
    assert "\n" not in str(refusal.value)


def test_lists_in_a_parquet_file_are_refused(tmp_path: Path, study: StudyFile) -> None:
    pl.DataFrame({"entity_id": ["1"], "sex": [["F"]]}).write_parquet(tmp_path / "g.parquet")
    with pytest.raises(DataError, match="does not hold words or numbers"):
        read_groups(tmp_path / "g.parquet", study)


def test_forty_groups_are_not_too_many(tmp_path: Path, study: StudyFile) -> None:
    assert (
        read_groups(file_of(tmp_path, entity_id=range(80), a=[k % MOST_GROUPS for k in range(80)]), study).height == 80
    )


# ---------------------------------------------------------------- the counts


def test_counts_by_hand(study: StudyFile) -> None:
    # 203 men of whom 31 listed, 98 women of whom 22, 40 people of whom nothing is recorded, 13 of them listed.
    batch = people(male=(203, 31), female=(98, 22), none=(40, 13))
    rows = composition(batch.select("entity_id", "gender"), [batch.drop("gender")], study)
    assert [(row.group, row.scored, row.listed) for row in rows] == [
        ("female", 100, 20), ("male", 205, 30), ("Not recorded", 40, 15),
    ]  # fmt: skip
    # Of the rounded totals, 340 and 65 (341 and 66).
    assert [row.of_100_listed for row in rows] == [30.8, 46.2, 23.1]
    assert rows[1].of_100_scored == 60.3
    assert all(row.reason is None for row in rows)


def test_groups_of_few_that_the_study_does_not_name_are_one(study: StudyFile) -> None:
    """A club of nine is not named, for its name may be a person's; the study's own groups keep theirs."""
    ids = [f"p{n}" for n in range(100)]
    clubs = ["chess"] * 60 + ["Maria Weber"] * 9 + ["Jo Weber"] * 31
    groups = pl.DataFrame({"entity_id": ids, "club": clubs, "ethnicity": ["African American"] * 4 + ["white"] * 96})
    scored = pl.DataFrame({"entity_id": ids, "listed": [n % 2 == 0 for n in range(100)]})
    rows = composition(groups, [scored], study)
    assert [row.group for row in rows] == ["Jo Weber", "Other small groups", "chess", "African American", "white"]
    places = study.model_copy(update={"level": "place"})
    assert "Maria Weber" in [row.group for row in composition(groups, [scored], places)]


def test_who_has_no_row_is_not_recorded_and_who_is_not_scored_does_not_count(study: StudyFile) -> None:
    batch = people(male=(60, 20), female=(60, 20))
    groups = pl.concat([batch.select("entity_id", "gender")[:100], pl.DataFrame({"entity_id": ["x"], "gender": ["m"]})])
    rows = composition(groups, [batch.drop("gender")], study)
    assert {row.group: row.scored for row in rows} == {"male": 60, "female": 40, "Not recorded": 20}


def test_small_counts_are_hidden_and_what_would_give_them_away(study: StudyFile) -> None:
    batch = people(male=(300, 60), female=(300, 40), other=(40, 4))
    rows = {row.group: row for row in composition(batch.select("entity_id", "gender"), [batch.drop("gender")], study)}
    assert (rows["other"].scored, rows["other"].listed, rows["other"].of_100_listed) == (40, None, None)
    assert rows["other"].reason is not None
    assert rows["male"].listed == 60


def test_a_file_of_other_people_is_refused(study: StudyFile) -> None:
    batch = people(male=(60, 20))
    with pytest.raises(DataError, match="knows nobody who was scored"):
        composition(batch.select(entity_id="x" + pl.col("entity_id"), gender="gender"), [batch.drop("gender")], study)


def test_columns_named_like_those_of_a_list_are_groups_all_the_same(study: StudyFile) -> None:
    batch = people(male=(60, 20), female=(60, 30)).with_columns(team=pl.lit("North"))
    groups = batch.select("entity_id", listed="gender", team="gender")
    rows = composition(groups, [batch], study)
    assert [(row.attribute, row.group, row.listed) for row in rows] == [
        (name, *row) for name in ("listed", "team") for row in (("female", 30), ("male", 20))
    ]


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 341), max_size=5).map(sorted), seed=st.integers(0, 9))
def test_the_pieces_do_not_change_the_counts(cuts: list[int], seed: int) -> None:
    study = reading()
    batch = people(male=(203, 31), female=(98, 22), none=(40, 13)).sample(fraction=1, shuffle=True, seed=seed)
    pieces = [batch[start:end] for start, end in zip([0, *cuts], [*cuts, 341], strict=True)]
    groups = batch.select("entity_id", "gender")
    assert composition(groups, pieces, study) == composition(groups, [batch], study)


# ---------------------------------------------------------------- what may be shown

tables = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda two: [sum(two), two[0]]),
                  min_size=1, max_size=5)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(tables)
def test_no_small_count_is_shown_and_every_other_one_is_rounded(counts: list[list[int]]) -> None:
    rows = published("a", {str(place): pair for place, pair in enumerate(counts)}, SRO)
    for row, pair in zip(rows, counts, strict=True):
        for shown, share, count in ((row.scored, row.of_100_scored, pair[0]), (row.listed, row.of_100_listed, pair[1])):
            assert shown is None or (count >= 10 and shown == rounded(count, SRO))
            assert share is None or shown is not None
        assert (row.reason is not None) == (row.scored is None or row.listed is None)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=2, max_size=3))
def test_whoever_tries_every_table_finds_no_small_count(cells: list[tuple[int, int]]) -> None:
    # A slow oracle: each table that would be published alike and has the same exact totals, by trying them all.
    counts = [[listed + others, listed] for listed, others in cells]
    rows = published("a", {str(place): pair for place, pair in enumerate(counts)}, SRO)
    totals = np.array(counts).sum(axis=0)
    choices = []
    for row, pair in zip(rows, counts, strict=True):
        ranges = []
        for shown, count in ((row.scored, pair[0]), (row.listed, pair[1])):
            low, high = (0, int(totals[0])) if shown is None else window(shown, SRO)
            if shown is None and count < 10:
                high = 9
            ranges.append((low, high))
        choices.append([(s, one) for s in range(ranges[0][0], ranges[0][1] + 1)
                        for one in range(ranges[1][0], min(s, ranges[1][1]) + 1)])  # fmt: skip
    possible = _tables(choices, (int(totals[0]), int(totals[1])))
    # Where a whole column is hidden, its total alone says what can be known, and that is told anyway.
    whole = [all(row.scored is None for row in rows), all(row.listed is None for row in rows)]
    for place, pair in enumerate(counts):
        for column, count in enumerate(pair):
            if count < 10 and not whole[column]:
                assert len({table[place][column] for table in possible}) >= SRO.leave, (counts, rows)


def _tables(choices: list[list[tuple[int, int]]], totals: tuple[int, int]) -> list[tuple[tuple[int, int], ...]]:
    if len(choices) == 1:
        return [(totals,)] if totals in set(choices[0]) else []
    return [
        (first, *rest)
        for first in choices[0]
        if first[0] <= totals[0] and first[1] <= totals[1]
        for rest in _tables(choices[1:], (totals[0] - first[0], totals[1] - first[1]))
    ]


def test_of_places_everything_is_shown() -> None:
    (row,) = published("a", {"one": [3, 1]}, PROFILES["places"])
    assert (row.scored, row.listed, row.of_100_listed) == (3, 1, 100.0)
