"""A cohort that stands in files: one matrix file, or a folder or pattern of parts."""

from __future__ import annotations

import datetime as dt
import glob
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from riskmodels import storage
from riskmodels.data.features import FeatureSpec
from riskmodels.errors import DataError, UsageError
from riskmodels.service.cohort.columns import (
    DAY,
    EXCLUDED,
    ID,
    TEXT,
    Columns,
    Wanted,
    check_columns,
    refuse_other_schema,
)
from riskmodels.service.cohort.objections import NearMisses
from riskmodels.service.cohort.parquet import ParquetRows, Stretch, file_state, refuse_changed, sha256
from riskmodels.service.cohort.rows import as_texts, check_rows
from riskmodels.service.cohort.spool import spool
from riskmodels.service.shapes import CheckedPart
from riskmodels.study import StudyFile

if TYPE_CHECKING:
    import pyarrow as pa

AS_THE_FILE_SAYS = "service rules, stale facts and days of facts are as the file says"
SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class MatrixParts:
    """A cohort in files, in parts of at most 65,536 rows (`riskmodels.service.shapes.CohortParts`).

    Rows are numbered from 1 over all files, one after another in the order of their names, as they stand in each; lines
    without anything on them are no rows. `where` says to which row of which file a number belongs. ``ignored``: columns
    that neither model nor study asks for. ``routed`` is empty: whom a route is true of is told from the sources only.
    So is ``closed``: rows say which households they close. ``notes``: what whoever uses the list must know of it.
    """

    as_of: dt.date
    sha256: str
    rows_in: int
    ignored: tuple[str, ...] = ()
    routed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    _files: tuple[tuple[ParquetRows, Columns], ...] = field(default=(), repr=False)
    _parts: tuple[tuple[int, Stretch, int], ...] = field(default=(), repr=False)  # file, rows, number of the first
    _wanted: Wanted = field(default_factory=lambda: Wanted(()), repr=False)
    _objectors: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def count(self) -> int:
        return len(self._parts)

    def read(self, number: int) -> CheckedPart:
        """Part ``number``, checked. Safe to call from several threads, and always the same.

        Raises
        ------
        DataError
            if the file is damaged there, or an id was written as a decimal.
        OutsideError
            if the file was changed since it was opened.
        """
        place, stretch, first = self._parts[number]
        file, columns = self._files[place]
        table = file.read(stretch, columns.names, _few_texts(columns, self._wanted))
        return check_rows(table, self._wanted, columns, self._objectors, first, file.name)

    def where(self, row_number: int) -> tuple[str, int]:
        """The file that a row stands in, and its row there, from 1."""
        ends = [0]
        for file, _ in self._files:
            ends.append(ends[-1] + file.rows)
        if not 1 <= row_number <= ends[-1]:
            raise IndexError(f"there is no row {row_number}; rows are numbered from 1 to {ends[-1]}")
        place = bisect_right(ends, row_number - 1) - 1
        return self._files[place][0].name, row_number - ends[place]


def open_matrix(
    cohort: str | Path,
    specs: Iterable[FeatureSpec],
    study: StudyFile,
    as_of: dt.date | None,
    objectors: frozenset[str],
    work: Path,
    *,
    not_before: dt.date | None = None,
) -> MatrixParts:
    """A cohort to score from its file or files. Footers, ids and dates are looked at; the rest is read part by part.

    Each file holds ``entity_id`` and a column for each feature; ``as_of_date`` too, unless ``as_of`` says it. Where the
    study has service rules, ``excluded`` holds the reason (``because``) of the one that leaves a person off, or
    nothing; where its places are by team, a column named as in ``capacity.by``, or ``team``, says whose list a person
    may be on; where it lists households, ``household`` says who lives together.

    Parameters
    ----------
    cohort : a .parquet or .csv file, a folder of them, or a pattern such as ``cohort/part-*.parquet``
    objectors : ids of people who objected to being scored
    work : a folder to work in; a CSV file is first put there as Parquet
    not_before : the last day the model learned from: a cohort of an earlier day is refused, unless the study's clock is
        relative

    Raises
    ------
    DataError
        in one line, if files do not hold a cohort that this model can score.
    UsageError
        if the day is not said, or said in two ways.
    OutsideError
        if a file cannot be read, or the work folder not be written to.
    """
    wanted = Wanted.of(specs, study)
    paths = _files_of(cohort)
    states = [file_state(path, path.name) for path in paths]
    digests = [sha256(path, path.name) for path in paths]
    files = [_opened(path, digest, wanted, work) for path, digest in zip(paths, digests, strict=True)]
    for path, state in zip(paths, states, strict=True):
        refuse_changed(path, path.name, state)
    (one, of_one), *others = files
    for file, columns in others:
        refuse_other_schema(file.name, columns, one.name, of_one)
    rows_in = sum(file.rows for file, _ in files)
    if rows_in == 0:
        raise DataError(f"{Path(cohort).name}: has no rows to score")
    day = _surveyed(files, as_of, objectors)
    refuse_older(day, not_before, study)
    decides = {
        "files": digests,
        "objections": sorted(objectors),
        "as_of": str(day),
        "study": study.model_dump(mode="json", include={"service_rules", "capacity", "list_unit", "routes"}),
    }
    return MatrixParts(
        day,
        storage.sha256(storage.canonical_json(decides)),
        rows_in,
        of_one.ignored,
        notes=(AS_THE_FILE_SAYS,) if _taken_on_trust(wanted, study) else (),
        _files=tuple(files),
        _parts=tuple(_parts(files)),
        _wanted=wanted,
        _objectors=objectors,
    )


def _taken_on_trust(wanted: Wanted, study: StudyFile) -> bool:
    """Whether a list of this study depends on days that a file of features does not have."""
    return bool(study.service_rules) or any(spec.stale_after for spec in wanted.specs)


def refuse_older(day: dt.date, not_before: dt.date | None, study: StudyFile) -> None:
    """A model does not score the past it learned from. Raises DataError."""
    if not_before is not None and day < not_before and study.clock != "relative":
        raise DataError(
            f"the cohort is of {day}, and the model learned from data up to {not_before}: what it would be told it "
            "already knows; score a later day"
        )


# ---------------------------------------------------------------- files


def table_files(folder: Path) -> list[Path]:
    """The Parquet and CSV files of a folder, in the order of their names; marks such as _SUCCESS are not looked at."""
    return [path for path in _shown(folder) if path.is_file() and path.suffix in SUFFIXES]


def _shown(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))


def _files_of(cohort: str | Path) -> list[Path]:
    path = Path(cohort)
    if path.is_dir():
        there = _shown(path)
        paths = table_files(path)
        if not paths:
            raise DataError(f"{path}: holds no .parquet or .csv file to score, and none of the study's sources")
        if len(paths) < len(there):
            raise DataError(
                f"{path}: {len(there) - len(paths)} of its files and folders are no .parquet or .csv parts; take them "
                "out, or name the parts with a pattern"
            )
    elif path.exists() or not glob.has_magic(str(cohort)):
        paths = [path]
    else:
        paths = sorted(Path(found) for found in glob.glob(str(cohort)))
        if not paths:
            raise DataError(f"{cohort}: no file has a name like this")
    for one in paths:
        if not one.is_file():
            raise DataError(f"{one}: no such file or folder" if not one.exists() else f"{one}: is not a file; name one")
        if one.suffix not in SUFFIXES:
            raise DataError(f"{one.name}: only .parquet and .csv tables are read; convert it")
    if len({one.suffix for one in paths}) > 1:
        raise DataError(f"{cohort}: some parts are .parquet and some .csv; write the parts of a cohort alike")
    return paths


def _opened(path: Path, digest: str, wanted: Wanted, work: Path) -> tuple[ParquetRows, Columns]:
    if path.suffix == ".parquet":
        file = ParquetRows.of(path, path.name)
        return file, check_columns(path.name, file.schema, wanted)
    found: list[Columns] = []

    def kept(header: pa.Schema) -> list[str]:
        found.append(check_columns(path.name, header, wanted))
        return [*found[0].names, *([DAY] if found[0].dated else [])]

    return ParquetRows.of(spool(path, digest, kept, work), path.name), found[0]


def _parts(files: list[tuple[ParquetRows, Columns]]) -> Iterable[tuple[int, Stretch, int]]:
    first = 1
    for place, (file, _) in enumerate(files):
        for stretch in file.stretches():
            yield place, stretch, first
            first += stretch.rows


def _few_texts(columns: Columns, wanted: Wanted) -> list[str]:
    """The columns that hold the same few texts again and again."""
    few = [spec.name for spec in wanted.specs if spec.kind == "category"]
    few += [name for name in (EXCLUDED, columns.team) if name]
    return [name for name in few if columns.holds.get(name) == TEXT]


# ---------------------------------------------------------------- what must be known of all rows


def _surveyed(files: list[tuple[ParquetRows, Columns]], as_of: dt.date | None, objectors: frozenset[str]) -> dt.date:
    """The day of the cohort. Raises DataError if rows are of different days, or an objection nearly meets somebody."""
    dated = files[0][1].dated
    if not dated and as_of is None:
        raise UsageError(f"{files[0][0].name}: has no column {DAY}; name the day with --as-of YYYY-MM-DD")
    asked = [*([DAY] if dated else []), *([ID] if objectors else [])]
    near, day = NearMisses(objectors), None
    for file, _ in files if asked else ():
        for table in file.batches(asked):
            if objectors:
                near.see(as_texts(table.column(ID)))
            if dated:
                day = _one_day(file.name, as_texts(table.column(DAY)), day)
    near.refuse()
    if day is not None and as_of is not None and as_of != day:
        raise UsageError(f"--as-of says {as_of}, but the file is of {day}")
    found = as_of if day is None else day
    assert found is not None
    return found


def _one_day(file: str, texts: pl.Series, before: dt.date | None) -> dt.date | None:
    days = texts.str.slice(0, 10).unique()
    if len(days) > 1 or days.null_count():
        raise DataError(f"{file}: column {DAY} must hold one day; score one date at a time")
    try:
        found = dt.date.fromisoformat(str(days[0]))
    except ValueError:
        raise DataError(f"{file}: column {DAY} must hold dates such as 2024-06-30") from None
    if before is not None and found != before:
        raise DataError(f"{file}: column {DAY} must hold one day; score one date at a time")
    return found
