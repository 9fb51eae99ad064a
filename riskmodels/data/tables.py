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
from riskmodels.study import Age, Attribute, FollowedUntil, Source, Study, StudyFile, parts_of

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
    """source -> column -> what it must hold: number, date, text or anything.

    A column that holds anything is a number where every value is one; text keeps codes such as 007 as they stand.

    Raises
    ------
    StudyError
        if one column is used as two different things.
    """
    used: dict[str, dict[str, str]] = {name: {} for name in study.sources}

    def use(of: str, holds: str, source: str | None = None) -> None:
        head, _, column = of.partition(".")
        known = used[source or head]
        before = known.get(column, "label")
        weak = [word for word in ("label", "anything") if word in (before, holds)]
        if before != holds and not weak:
            raise StudyError(f"study.yaml: {of} is used as {before} and as {holds}; use two columns, or use it one way")
        # The stronger demand stands; a label is text unless somebody needs it to be something else.
        known[column] = before if holds in weak[:1] else holds

    for name, fact in study.facts.items():
        for column, condition in fact.where.items():
            use(f"{name}.{column}", condition.holds, fact.source)
    numeric = ("sum", "mean", "min", "max", "change", "trend")
    for line in study.features:
        for take in line.take if "." in line.of else ():
            holds = "date" if take == "age" else "number" if take in numeric else "anything"
            if take in ("latest", "first", "attribute") and line.missing == "category":
                holds = "text"
            use(line.of, holds, study.source_of(take, line.of))
    predicates = [step.keep or step.drop for step in study.cohort.steps]
    predicates += [study.outcome.happens, study.outcome.known, *(rule.exclude for rule in study.service_rules)]
    for part in (part for predicate in predicates for part in parts_of(predicate)):
        if isinstance(part, Attribute):
            use(part.attribute, part.holds)
        elif isinstance(part, Age):
            use(part.age, "date")
        elif isinstance(part, FollowedUntil):
            use(part.followed_until, "date")
    for spec in study.protected.values():
        use(spec.column, "anything" if spec.bands else "label")
    if study.cohort.cluster:
        use(study.cohort.cluster, "text")
    return {
        source: {column: "text" if holds == "label" else holds for column, holds in columns.items()}
        for source, columns in used.items()
    }


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
        entry = study.register.sources[name]
        for column in used[name]:
            if column not in entry.columns:
                where = study.folder / "register.yaml"
                raise StudyError(f"{where}: sources.{name}.columns lacks {column!r}, which the study uses; register it")
        path = Path(folder) / source.file
        raw = storage.read_table(path)
        extracted_on = dt.date.max if newer_extract else entry.extracted_on
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


def _normalise(
    file: str, raw: pl.DataFrame, source: Source, used: Mapping[str, str], extracted_on: dt.date
) -> tuple[pl.DataFrame, int]:
    """The table under our names and types, and how many rows were left out for want of a date."""
    keys = dict(zip(KEYS, (source.entity, source.event_date, source.known_date, source.kind), strict=True))
    for column in [*(name for name in keys.values() if name), *used]:
        if column not in raw.columns:
            raise DataError(f"{file}: has no column {column!r} (columns: {', '.join(raw.columns[:20])})")
    if raw.height == 0:
        raise DataError(f"{file}: has no rows")

    # Built by position, so that one column may serve as event date and knowledge date, or as a key and a feature.
    columns = [_ids(file, raw[source.entity])]
    for key in ("event_date", "known_date"):
        if name := keys[key]:
            columns.append(_dates(file, raw[name], source.time_zone).alias(key))
    if source.kind:
        columns.append(_text(file, raw[source.kind]).alias("kind"))
    for name, holds in used.items():
        if name not in KEYS:
            columns.append(_values(file, raw[name], holds, source.time_zone))
        elif keys[name] != name or holds == "number":
            raise DataError(f"{file}: the column name {name!r} is reserved; rename the column")
    frame = pl.DataFrame(columns)
    if source.event_date and not source.known_date:
        # Without a knowledge date the best that can be said is that a fact was known when it happened.
        frame = frame.with_columns(pl.col("event_date").alias("known_date"))

    dates = [key for key in ("event_date", "known_date") if key in frame.columns]
    _refuse_impossible_dates(file, frame, {key: keys[key] or str(source.event_date) for key in dates}, extracted_on)
    if not dates:
        again = ~frame["entity_id"].is_first_distinct()
        if again.any():
            raise DataError(
                f"{file}, column {source.entity!r}: {_rows(again)} repeat an id (first repeat: row {_first_row(again)}); "
                "a table without dates has one row for each"
            )
        return frame, 0
    whole = frame.drop_nulls(dates)
    if whole.height == 0:
        raise DataError(f"{file}: no row has all its dates ({', '.join(sorted(dates))}); mend the extract")
    return whole, frame.height - whole.height


def _refuse_impossible_dates(file: str, frame: pl.DataFrame, names: Mapping[str, str], extracted_on: dt.date) -> None:
    for key, name in names.items():
        late = frame[key] > extracted_on
        if late.any():
            raise DataError(
                f"{file}, column {name!r}: {_rows(late)} are dated after {extracted_on}, the day of the extract "
                f"(first: row {_first_row(late)}); correct them, or extracted_on in register.yaml"
            )
    if len(names) == 2:
        early = frame["known_date"] < frame["event_date"]
        if early.any():
            raise DataError(
                f"{file}, column {names['known_date']!r}: {_rows(early)} are known before they happened (first: row "
                f"{_first_row(early)}); check which column is event_date and which is known_date"
            )


# ---------------------------------------------------------------- columns


def _rows(mask: pl.Series) -> str:
    count = int(mask.sum())
    return f"{count} row{'s' if count != 1 else ''}"


def _first_row(mask: pl.Series) -> int:
    """Row numbers count from 1, below the header, as a spreadsheet shows them without it."""
    return int(mask.fill_null(False).arg_true()[0]) + 1


def _refuse(file: str, column: pl.Series, bad: pl.Series, fault: str, advice: str = "correct them") -> None:
    """One line if any row is bad: the column, how many, the first; never a value."""
    if bad.any():
        raise DataError(
            f"{file}, column {column.name!r}: {_rows(bad)} {fault} (first: row {_first_row(bad)}); {advice}"
        )


def _trimmed(column: pl.Series) -> pl.Series:
    """Text without blanks around it; nothing but blanks is no value, as in a CSV file."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        return column.str.strip_chars().replace("", None)
    return column.fill_nan(None) if column.dtype.is_float() else column


def _ids(file: str, column: pl.Series) -> pl.Series:
    ids = _trimmed(column)
    _refuse(file, ids, ids.is_null(), "have no id", "every row needs one")
    if ids.dtype == pl.String:
        decimal = ids.str.contains(r"^\d+\.0*$|^\d(\.\d+)?[eE]\+?\d+$")
    else:
        decimal = pl.Series(column.name, [not ids.dtype.is_integer()]).extend_constant(False, 0)
    _refuse(file, ids, decimal, "have an id that was read as a decimal, which loses digits", "store ids as text")
    return ids.cast(pl.String).alias("entity_id")


def _text(file: str, column: pl.Series) -> pl.Series:
    """Codes and words as they stand; 1.0 is 1, since a column of whole numbers with gaps often arrives so."""
    column = _trimmed(column)
    if column.dtype.is_float() and (column.drop_nulls() == column.drop_nulls().round(0)).all():
        column = column.cast(pl.Int64, strict=False)
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}; store it as text")
    return column.cast(pl.String)


def _dates(file: str, column: pl.Series, time_zone: str | None) -> pl.Series:
    column = _trimmed(column)
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone and time_zone:
            column = column.dt.convert_time_zone(time_zone)
        return column.dt.date()
    if column.dtype == pl.String:
        parsed = _parsed_dates(column)
        _refuse(file, column, parsed.is_null() & column.is_not_null(), "are not dates such as 2024-06-30")
        return parsed
    raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}, not dates such as 2024-06-30")


def _parsed_dates(column: pl.Series) -> pl.Series:
    """Text as dates; null for all but 2024-06-30, with or without a time behind it."""
    day = column.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$").str.to_date("%Y-%m-%d", strict=False)
    return day.alias(column.name)


def _values(file: str, column: pl.Series, holds: str, time_zone: str | None) -> pl.Series:
    """A column as Float64, Date or String, by what the study needs of it and what it holds."""
    column = _trimmed(column)
    if column.null_count() == len(column):
        raise DataError(
            f"{file}, column {column.name!r}: is empty in every row; take it out of the study, or mend the extract"
        )
    if holds == "date":
        return _dates(file, column, time_zone)
    if holds == "text":
        return _text(file, column)
    if column.dtype == pl.String:
        number = column.cast(pl.Float64, strict=False)
        truth = column.str.to_lowercase().replace_strict(
            {"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64
        )
        number = number if truth.null_count() > column.null_count() else truth
        bad = number.is_null() & column.is_not_null()
        if bad.any() and holds == "anything":
            days = _parsed_dates(column)
            return days if days.null_count() == column.null_count() else column
        _refuse(file, column, bad, "are not numbers")
        column = number
    if isinstance(column.dtype, (pl.Date, pl.Datetime)) and holds == "anything":
        return _dates(file, column, time_zone)
    if not column.dtype.is_numeric() and column.dtype != pl.Boolean:
        raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}, not numbers")
    number = column.cast(pl.Float64).fill_nan(None)
    _refuse(file, column, number.is_infinite(), "are infinite")
    return number


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
