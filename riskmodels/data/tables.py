"""Source tables, read and checked: the dated records as the study describes them.

Each table keeps only the columns that the study uses, under fixed names for the keys (`entity_id`, `event_date`,
`known_date`, `kind`). A source with an event date holds facts; one without holds attributes, dated if it has a
`known_date`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, StudyError
from riskmodels.study import Age, Attribute, CountFact, FollowedUntil, Source, Study, StudyFile, parts_of

KEYS = ("entity_id", "event_date", "known_date", "kind")


@dataclass(frozen=True)
class Table:
    """One source. ``frame`` has entity_id, then event_date, known_date, kind where the source has them, then columns."""

    name: str
    source: Source
    frame: pl.DataFrame
    sha256: str = ""
    undated: int = 0  # facts left out because one of their dates is not recorded

    @property
    def is_facts(self) -> bool:
        return self.source.event_date is not None


@dataclass(frozen=True)
class Tables:
    tables: Mapping[str, Table]
    quality: tuple[dict[str, object], ...] = field(default=())

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    @property
    def sha256(self) -> str:
        """One digest of every source file that was read."""
        return storage.sha256(storage.canonical_json({name: self.tables[name].sha256 for name in sorted(self.tables)}))


def columns_used(study: StudyFile) -> dict[str, dict[str, str]]:
    """source -> column -> what it must hold: number, date or anything."""
    used: dict[str, dict[str, str]] = {name: {} for name in study.sources}
    numeric = {"sum", "mean", "min", "max", "change", "trend"}

    def use(source: str, column: str, holds: str) -> None:
        known = used[source].get(column, "anything")
        used[source][column] = holds if known == "anything" else known

    for fact in study.facts.values():
        for column, condition in fact.where.items():
            holds = "number" if {"at_most", "at_least", "below", "above"} & set(condition.asked) else "anything"
            use(fact.source, column, holds)
    for line in study.features:
        head, _, column = line.of.partition(".")
        source = head if head in study.sources else study.facts[head].source
        if column:
            holds = "date" if "age" in line.take else "number" if numeric & set(line.take) else "anything"
            use(source, column, holds)
    predicates = [step.keep or step.drop for step in study.cohort.steps]
    predicates += [study.outcome.happens, study.outcome.known, *(rule.exclude for rule in study.service_rules)]
    for predicate in predicates:
        for part in parts_of(predicate):
            if isinstance(part, Attribute):
                use(*_split(part.attribute), "anything")
            elif isinstance(part, Age):
                use(*_split(part.age), "date")
            elif isinstance(part, FollowedUntil):
                use(*_split(part.followed_until), "date")
            elif isinstance(part, CountFact):
                continue
    for spec in study.protected.values():
        use(*_split(spec.column), "anything")
    for column in (study.cohort.cluster, study.capacity.by):
        if column:
            use(*_split(column), "anything")
    return used


def read_tables(
    folder: Path, study: Study, uses: tuple[str, ...] = ("model", "audit"), newer_extract: bool = False
) -> Tables:
    """Read the sources of a study.

    Parameters
    ----------
    folder : where the sources' files stand
    newer_extract : whether this extract may hold facts from after the registered one, as a new cohort to score does
    uses : which sources to read; scoring reads ``("model",)`` only, so equality data never comes near a score

    Raises
    ------
    DataError, StudyError
        in one line naming file, column and row number; never a value.
    """
    used = columns_used(study.file)
    tables = {}
    for name, source in study.file.sources.items():
        if source.use not in uses:
            continue
        path = Path(folder) / source.file
        raw = storage.read_table(path)
        registered = study.register.sources[name].columns
        for column in used[name]:
            if column not in registered:
                where = study.folder / "register.yaml"
                raise StudyError(f"{where}: sources.{name}.columns lacks {column!r}, which the study uses; register it")
        extracted_on = dt.date.max if newer_extract else study.register.sources[name].extracted_on
        frame, undated = _normalise(path.name, raw, source, used[name], extracted_on)
        tables[name] = Table(name, source, frame, storage.sha256(path.read_bytes()), undated)
    return Tables(tables, tuple(_quality(table) for table in tables.values()))


def check_kinds(tables: Tables, study: StudyFile) -> None:
    """Every kind that the study names must occur. Raises DataError."""
    for name, fact in study.facts.items():
        there = set(tables[fact.source].frame["kind"].unique()) if fact.kind else set()
        for kind in fact.kind or ():
            if kind not in there:
                found = ", ".join(sorted(str(value) for value in there)[:12])
                raise DataError(f"facts.{name}.kind: {kind!r} does not occur in {fact.source} (there: {found})")


def _split(column: str) -> tuple[str, str]:
    source, _, name = column.partition(".")
    return source, name


def _normalise(
    file: str, raw: pl.DataFrame, source: Source, used: Mapping[str, str], extracted_on: dt.date
) -> tuple[pl.DataFrame, int]:
    keys = {"entity_id": source.entity, "event_date": source.event_date, "known_date": source.known_date, "kind": source.kind}
    for column in [*(name for name in keys.values() if name), *used]:
        if column not in raw.columns:
            raise DataError(f"{file}: has no column {column!r} (columns: {', '.join(raw.columns[:20])})")
    if raw.height == 0:
        raise DataError(f"{file}: has no rows")

    # Built by position, so that one column may serve as event date and knowledge date, or as a key and a feature.
    columns = [_ids(file, raw[source.entity])]
    for key in ("event_date", "known_date"):
        name = keys[key]
        if name:
            columns.append(_dates(file, raw[name], source.time_zone).alias(key))
    if source.kind:
        columns.append(raw[source.kind].cast(pl.String).alias("kind"))
    taken = {column.name for column in columns}
    for name, holds in used.items():
        if name in taken:
            raise DataError(f"{file}: the column name {name!r} is reserved; rename it")
        columns.append(_values(file, raw[name], holds, source.time_zone))
    frame = pl.DataFrame(columns)

    undated = 0
    if source.event_date and not source.known_date:
        # Without a knowledge date the best that can be said is that a fact was known when it happened.
        frame = frame.with_columns(pl.col("event_date").alias("known_date"))
    dates = [key for key in ("event_date", "known_date") if key in frame.columns]
    for key in dates:
        late = frame[key] > extracted_on
        if late.any():
            raise DataError(
                f"{file}, column {keys[key] or keys['event_date']!r}: {int(late.sum())} rows are dated after {extracted_on}, the day "
                f"of the extract (first: row {_first_row(late)}); correct them, or extracted_on in register.yaml"
            )
    if len(dates) == 2:
        early = frame["known_date"] < frame["event_date"]
        if early.any():
            raise DataError(
                f"{file}: {int(early.sum())} facts are known before they happened (first: row {_first_row(early)}); "
                "check which column is event_date and which is known_date"
            )
    if dates:
        whole = frame.drop_nulls(dates)
        undated = frame.height - whole.height
        frame = whole
    elif frame["entity_id"].is_duplicated().any():
        again = ~frame["entity_id"].is_first_distinct()
        raise DataError(
            f"{file}, column {source.entity!r}: {int(again.sum())} ids stand more than once (first repeated: row {_first_row(again)}); "
            "a table without dates has one row for each"
        )
    return frame, undated


def _first_row(mask: pl.Series) -> int:
    """Row numbers count from 1, below the header, as a spreadsheet shows them without it."""
    return int(mask.fill_null(False).arg_true()[0]) + 1


def _ids(file: str, column: pl.Series) -> pl.Series:
    if column.null_count():
        raise DataError(f"{file}, column {column.name!r}: {column.null_count()} rows have no id (first: row {_first_row(column.is_null())})")
    if column.dtype.is_float():
        raise DataError(f"{file}, column {column.name!r}: ids were read as decimals, which loses digits; store them as text")
    return column.cast(pl.String).alias("entity_id")


def _dates(file: str, column: pl.Series, time_zone: str | None) -> pl.Series:
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone and time_zone:
            column = column.dt.convert_time_zone(time_zone)
        return column.dt.date()
    if column.dtype == pl.String:
        parsed = column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        bad = parsed.is_null() & column.is_not_null() & (column != "")
        if bad.any():
            raise DataError(
                f"{file}, column {column.name!r}: {int(bad.sum())} rows are not dates such as 2024-06-30 (first: row {_first_row(bad)})"
            )
        return parsed
    raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}, not dates")


def _values(file: str, column: pl.Series, holds: str, time_zone: str | None) -> pl.Series:
    if column.null_count() == len(column) or (column.dtype == pl.String and (column.fill_null("") == "").all()):
        raise DataError(f"{file}, column {column.name!r}: is empty in every row; take it out of the study, or mend the extract")
    name = column.name
    if holds == "date":
        return _dates(file, column, time_zone).alias(name)
    if column.dtype == pl.String:
        column = column.replace("", None)
        number = column.str.strip_chars().cast(pl.Float64, strict=False)
        bad = number.is_null() & column.is_not_null()
        if not bad.any():
            return number.alias(name)
        if holds == "number":
            raise DataError(f"{file}, column {name!r}: {int(bad.sum())} rows are not numbers (first: row {_first_row(bad)})")
        return column
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64).fill_nan(None)
    if isinstance(column.dtype, (pl.Date, pl.Datetime)):
        return _dates(file, column, time_zone).alias(name)
    if holds == "number":
        raise DataError(f"{file}, column {name!r}: holds {column.dtype}, not numbers")
    return column.cast(pl.String)


def _quality(table: Table) -> dict[str, object]:
    """What the card says of one source: how much, from when to when, how late, how whole. Aggregates only."""
    frame = table.frame
    row: dict[str, object] = {"source": table.name, "rows": frame.height, "entities": frame["entity_id"].n_unique()}
    row["undated"] = table.undated
    if table.is_facts:
        lag = (frame["known_date"] - frame["event_date"]).dt.total_days()
        row["first_date"] = str(frame["event_date"].min())
        row["last_date"] = str(frame["event_date"].max())
        row["recording_lag_days_95"] = int(lag.quantile(0.95, "higher") or 0)
        row["known_date_recorded"] = table.source.known_date is not None
    others = [name for name in frame.columns if name not in KEYS]
    row["missing"] = {name: round(frame[name].null_count() / max(frame.height, 1), 3) for name in others}
    return row
