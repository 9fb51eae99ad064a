"""A cohort in files: one, a folder or a pattern; every row has its number, and the same files are the same cohort."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.errors import DataError, OutsideError, UsageError
from riskmodels.service.cohort import MatrixParts, parquet
from riskmodels.service.cohort import parts as files
from tests.data.small_study import study_file
from tests.service.cohort.conftest import AS_OF, GOOD, PROTECTED, RULES, SPECS, TEAMS

Open = Callable[..., MatrixParts]


def everything(parts: MatrixParts) -> pl.DataFrame:
    return pl.concat([parts.read(number).frame for number in range(parts.count)])


def in_parts(folder: Path, *frames: pl.DataFrame, suffix: str = ".parquet") -> Path:
    folder.mkdir()
    for place, frame in enumerate(frames):
        path = folder / f"part-{place}{suffix}"
        frame.write_csv(path) if suffix == ".csv" else frame.write_parquet(path)
    return folder


# ---------------------------------------------------------------- where it stands


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_a_folder_and_a_pattern_are_the_same_people(opened: Open, tmp_path: Path, suffix: str) -> None:
    whole = in_parts(tmp_path / "one", GOOD, suffix=suffix) / f"part-0{suffix}"
    folder = in_parts(tmp_path / "three", GOOD.head(20), GOOD[20:21], GOOD[21:], suffix=suffix)
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").touch()
    one, three, pattern = opened(whole), opened(folder), opened(f"{folder}/part-*{suffix}")
    expected = GOOD.with_row_index("row_number", offset=1).cast({"row_number": pl.Int64})
    for parts in (one, three, pattern):
        found = everything(parts)
        assert found.select(expected.columns).equals(expected)
        assert (parts.rows_in, parts.as_of, parts.ignored, parts.routed) == (60, AS_OF, (), {})
    assert (one.count, three.count, pattern.count) == (1, 3, 3)
    assert three.sha256 == pattern.sha256
    assert [three.where(row) for row in (1, 20, 21, 22, 60)] == [
        (f"part-0{suffix}", 1), (f"part-0{suffix}", 20), (f"part-1{suffix}", 1), (f"part-2{suffix}", 1),
        (f"part-2{suffix}", 39),
    ]  # fmt: skip
    for outside in (0, 61):
        with pytest.raises(IndexError):
            three.where(outside)


def test_large_row_groups_are_cut(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_MOST", 16)
    GOOD.write_parquet(tmp_path / "a.parquet")
    parts = opened(tmp_path / "a.parquet")
    assert [parts.read(number).rows_in for number in (3, 0, 1, 2, 1)] == [12, 16, 16, 16, 16]
    assert everything(parts)["row_number"].to_list() == list(range(1, 61))
    assert parts.read(1).frame.equals(parts.read(1).frame)


def test_a_part_may_be_empty_but_not_all(opened: Open, tmp_path: Path) -> None:
    assert opened(in_parts(tmp_path / "a", GOOD.clear(), GOOD, GOOD.clear())).rows_in == 60
    with pytest.raises(DataError, match=r"^b: has no rows to score"):
        opened(in_parts(tmp_path / "b", GOOD.clear(), GOOD.clear()))
    with pytest.raises(DataError, match="has no rows to score"):
        opened(in_parts(tmp_path / "c", GOOD.clear(), suffix=".csv") / "part-0.csv")


def test_what_is_no_cohort(opened: Open, tmp_path: Path) -> None:
    folder = in_parts(tmp_path / "parts", GOOD)
    with pytest.raises(DataError, match=r"nowhere.parquet: no such file or folder"):
        opened(tmp_path / "nowhere.parquet")
    with pytest.raises(DataError, match="no file has a name like this"):
        opened(f"{folder}/*.csv")
    with pytest.raises(DataError, match="is not a file; name one"):
        opened(f"{tmp_path}/par*")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no .parquet or .csv file to score, and none of the study's sources"):
        opened(tmp_path / "empty")
    (folder / "notes.txt").write_text("notes")
    with pytest.raises(DataError, match=r"1 of its files and folders are no .parquet or .csv parts; take them out"):
        opened(folder)
    with pytest.raises(DataError, match=r"^notes.txt: only .parquet and .csv tables are read"):
        opened(folder / "notes.txt")
    (folder / "notes.txt").unlink()
    GOOD.write_csv(folder / "more.csv")
    with pytest.raises(DataError, match=r"some parts are .parquet and some .csv"):
        opened(folder)


def test_a_file_whose_name_looks_like_a_pattern(opened: Open, tmp_path: Path) -> None:
    GOOD.write_parquet(tmp_path / "cohort[1].parquet")
    assert opened(tmp_path / "cohort[1].parquet").rows_in == 60


def test_a_part_with_another_schema_is_named(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^part-1.parquet: has no column 'ward'"):
        opened(in_parts(tmp_path / "a", GOOD, GOOD.drop("ward")))
    with pytest.raises(DataError, match=r"^part-1.parquet, column 'visits': holds text, but numbers in part-0.parquet"):
        opened(in_parts(tmp_path / "b", GOOD, GOOD.cast({"visits": pl.String})))


def test_a_file_that_changes_while_it_is_opened(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest would be that of other rows."""

    def digest(path: Path, name: str) -> str:
        found = parquet.sha256(path, name)
        GOOD.head(5).write_csv(path)
        return found

    monkeypatch.setattr(files, "sha256", digest)
    with pytest.raises(OutsideError, match=r"^part-0.csv: was changed while it was read"):
        opened(in_parts(tmp_path / "a", GOOD, suffix=".csv"))


# ---------------------------------------------------------------- the day


def dated(*days: Any) -> pl.DataFrame:
    return GOOD.head(len(days)).with_columns(pl.Series("as_of_date", days))


@pytest.mark.parametrize("day", [AS_OF, dt.datetime(2020, 7, 1, 12), "2020-07-01", "2020-07-01T00:00:00"], ids=str)
def test_the_day_may_stand_in_the_file(opened: Open, day: Any) -> None:
    assert opened(dated(day, day), as_of=None).as_of == AS_OF
    assert opened(dated(day, day)).as_of == AS_OF
    with pytest.raises(UsageError, match="--as-of says 2020-07-02, but the file is of 2020-07-01"):
        opened(dated(day, day), as_of=dt.date(2020, 7, 2))


def test_the_day_must_be_said_once(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no column as_of_date; name the day with --as-of"):
        opened(GOOD, as_of=None)
    for days in ((AS_OF, dt.date(2020, 7, 2)), (AS_OF, None)):
        with pytest.raises(DataError, match="column as_of_date must hold one day"):
            opened(dated(*days))
    with pytest.raises(DataError, match=r"^part-1.parquet: column as_of_date must hold one day"):
        opened(in_parts(tmp_path / "days", dated(AS_OF), dated(dt.date(2021, 7, 1))))
    with pytest.raises(DataError, match=r"column as_of_date must hold dates such as 2024-06-30$"):
        opened(dated("01/07/2020", "01/07/2020"))


def test_a_cohort_older_than_what_the_model_learned_from(opened: Open) -> None:
    with pytest.raises(
        DataError, match="the cohort is of 2020-07-01, and the model learned from data up to 2020-07-02"
    ):
        opened(GOOD, not_before=dt.date(2020, 7, 2))
    assert opened(GOOD, not_before=AS_OF).rows_in == 60
    assert opened(GOOD, study_file(clock="relative"), not_before=dt.date(2020, 7, 2)).rows_in == 60


# ---------------------------------------------------------------- objections


def test_objections_are_met_in_every_part(opened: Open, tmp_path: Path) -> None:
    folder = in_parts(tmp_path / "a", GOOD.head(20), GOOD[20:].with_columns(pl.col("entity_id") + " "))
    parts = opened(folder, objectors=frozenset(["p3", "p33", "nobody"]))
    rejects = pl.concat([parts.read(number).rejects for number in range(parts.count)])
    assert rejects.select("row_number", "entity_id", "code").rows() == [(4, "p3", "objected"), (34, "p33", "objected")]


def test_an_objection_that_nearly_meets_somebody_of_any_part(opened: Open, tmp_path: Path) -> None:
    folder = in_parts(tmp_path / "a", GOOD.head(20), GOOD[20:])
    with pytest.raises(DataError, match="1 objections match ids of the cohort only if case"):
        opened(folder, objectors=frozenset(["P-33"]))
    # It is met as it is written by somebody of another part.
    other = in_parts(
        tmp_path / "b", GOOD.head(20), GOOD[20:].with_columns(pl.Series("entity_id", ["P33", *map(str, range(39))]))
    )
    with pytest.raises(DataError, match="1 objections match"):
        opened(other, objectors=frozenset(["p33"]))
    met = in_parts(tmp_path / "c", GOOD, GOOD.head(1).with_columns(pl.lit("P33").alias("entity_id")))
    assert opened(met, objectors=frozenset(["p33"])).rows_in == 61


# ---------------------------------------------------------------- what decides who is in it


def test_its_digest_covers_files_objections_rules_and_day(opened: Open) -> None:
    team = GOOD.with_columns(pl.lit("north").alias("area"))
    ruled = GOOD.with_columns(pl.lit("died").alias("excluded"))
    found = [
        opened(GOOD).sha256,
        opened(GOOD.head(59)).sha256,
        opened(GOOD, objectors=frozenset(["x"])).sha256,
        opened(GOOD, as_of=dt.date(2020, 7, 2)).sha256,
        opened(ruled).sha256,
        opened(ruled, study_file(**RULES)).sha256,
        opened(team, study_file(**TEAMS)).sha256,
    ]
    assert len(set(found)) == len(found)
    assert opened(GOOD).sha256 == opened(GOOD, study_file(title="Another title")).sha256 == found[0]


def test_further_columns_are_named_and_protected_ones_refused(opened: Open) -> None:
    more = GOOD.with_columns(pl.lit(1).alias("remark"), pl.lit(1).alias("gender"))
    assert opened(more).ignored == ("gender", "remark")
    with pytest.raises(DataError, match="protected column 'gender'"):
        opened(more, study_file(**PROTECTED))


def test_columns_may_stand_in_any_order(opened: Open) -> None:
    found = everything(opened(GOOD.select(reversed(GOOD.columns))))
    assert found.columns[2:6] == [spec.name for spec in SPECS]
    assert found.select(GOOD.columns).equals(GOOD)


def test_what_is_taken_on_trust_is_said(opened: Callable[..., MatrixParts]) -> None:
    assert opened(GOOD).notes == ()
    said = ("service rules, stale facts and days of facts are as the file says",)
    with_rules = GOOD.with_columns(pl.lit(None, dtype=pl.String).alias("excluded"))
    assert opened(with_rules, study_file(**RULES)).notes == said
    old = (replace(SPECS[0], stale_after="1 month"), *SPECS[1:])
    assert opened(GOOD, specs=old).notes == said
