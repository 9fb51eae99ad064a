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
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, StudyError
from riskmodels.study import Age, Attribute, FollowedUntil, Source, Study, StudyFile, parts_of

MOST_KINDS_SHOWN = 30
LOCAL_DATE = r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"
KEYS = ("entity_id", "event_date", "known_date", "kind")
# What is asked of a column: the stronger demand stands, and two of the strongest cannot both be met.
STRENGTH = {"label": 0, "anything": 1, "text": 2, "number": 2, "date": 2}


@dataclass(frozen=True)
class Table:
    """One source. ``frame``: entity_id, event_date, known_date and kind where the source has them, then columns.

    ``covered`` says of whom the source can speak, and from when: entity_id and from_date (Date), a row each. Somebody
    who is not in it is *not linked*, or did not consent: nothing is known of them, which is not "no events". None
    means everybody.
    """

    name: str
    source: Source
    frame: pl.DataFrame
    sha256: str = ""
    undated: pl.DataFrame | None = None  # facts set aside because one of their dates is not recorded
    covered: pl.DataFrame | None = None

    def scan(self) -> nw.LazyFrame[Any]:
        """The rows, on whichever engine holds them."""
        return nw.from_native(self.frame.lazy())

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
        columns = used[source or head]
        before = columns.get(column, "label")
        if before != holds and STRENGTH[before] == STRENGTH[holds]:
            raise StudyError(f"study.yaml: {of} is used as {before} and as {holds}; use it one way, or use two columns")
        columns[column] = max(before, holds, key=STRENGTH.__getitem__)

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
    folder: Path, study: Study, uses: tuple[str, ...] = ("model", "audit"), extracted_on: dt.date | None = None
) -> Tables:
    """Read the sources of a study.

    Parameters
    ----------
    folder : where the sources' files stand
    extracted_on : the day of this extract, where it is not the registered one but newer, as a cohort to score is
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
        path = Path(folder) / str(source.file)
        raw = storage.read_table(path)
        _refuse_missing_columns(path.name, raw, source, used[name], set(entry.columns))
        frame, undated = _normalise(path.name, raw, source, used[name], extracted_on or entry.extracted_on)
        tables[name] = Table(name, source, frame, storage.sha256(path.read_bytes()), undated)
    return Tables(tables, tuple(_quality(table) for table in tables.values()))


def check_kinds(tables: Tables, study: StudyFile) -> None:
    """Every kind that the study names must occur. Raises DataError."""
    for name, fact in study.facts.items():
        there = set(tables[fact.source].frame["kind"].unique()) if fact.kind else set()
        for kind in fact.kind or ():
            if kind not in there:
                # Many kinds are no kinds: the column may hold ids, which no message may show.
                found = ", ".join(sorted(map(str, there))) if len(there) <= MOST_KINDS_SHOWN else f"{len(there)} others"
                raise DataError(f"facts.{name}.kind: {kind!r} does not occur in {fact.source} (there: {found})")


def _refuse_missing_columns(
    file: str, raw: pl.DataFrame, source: Source, used: Mapping[str, str], registered: set[str]
) -> None:
    keys = (source.entity, source.event_date, source.known_date, source.kind)
    for column in [*(name for name in keys if name), *used]:
        if column not in raw.columns:
            # Only names that the register knows are shown: a file without a header has a person in its first line.
            there = ", ".join(name for name in raw.columns if name in registered) or "none that the register knows"
            raise DataError(f"{file}: has no column {column!r} (columns: {there}); check its header and the study")


def _normalise(
    file: str, raw: pl.DataFrame, source: Source, used: Mapping[str, str], extracted_on: dt.date
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """The table under our names and types, and the rows that were set aside for want of a date."""
    keys = dict(zip(KEYS, (source.entity, source.event_date, source.known_date, source.kind), strict=True))
    if raw.height == 0:
        raise DataError(f"{file}: has no rows")

    # Built by position, so that one column may serve as event date and knowledge date, or as a key and a feature.
    columns = [_ids(file, raw[source.entity])]
    dated = {key: name for key, name in keys.items() if key in ("event_date", "known_date") and name}
    columns += [_dates(file, raw[name], source.time_zone).alias(key) for key, name in dated.items()]
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
    for key in dates:
        late = (frame[key] > extracted_on).alias(keys[key] or str(source.event_date))
        fault = f"rows are dated after {extracted_on}, the day of the extract"
        _refuse(file, late, fault, "correct them, or extracted_on in register.yaml")
    if len(dates) == 2:
        early = (frame["known_date"] < frame["event_date"]).alias(keys["known_date"] or "")
        _refuse(file, early, "rows are known before the event", "check which column is event_date and which known_date")
    if not dates:
        again = (~frame["entity_id"].is_first_distinct()).alias(source.entity)
        _refuse(file, again, "ids stand more than once", "a table without dates has one row for each", "first repeated")
        return frame, None
    whole = frame.drop_nulls(dates)
    if whole.height == 0:
        raise DataError(f"{file}: no row has all its dates ({', '.join(sorted(dates))}); mend the extract")
    return whole, frame.filter(pl.any_horizontal(pl.col(dates).is_null()))


# ---------------------------------------------------------------- columns

ONE = {
    "rows are not dates": "row is not a date", "rows are not numbers": "row is not a number", "rows are": "row is",
    "rows have": "row has", "ids stand": "id stands",
}  # fmt: skip


def _refuse(file: str, bad: pl.Series, fault: str, advice: str = "correct them", first: str = "first") -> None:
    """One line if any row is bad: the column (the name of ``bad``), how many, the first; never a value.

    Row numbers count from 1, below the header, as a spreadsheet shows them without it.
    """
    rows = bad.fill_null(False).arg_true()
    if len(rows) == 1:
        for many, one in ONE.items():
            fault = fault.replace(many, one)
    if len(rows):
        raise DataError(f"{file}, column {bad.name!r}: {len(rows)} {fault} ({first}: row {int(rows[0]) + 1}); {advice}")


def _trimmed(column: pl.Series) -> pl.Series:
    """Text without blanks around it; nothing but blanks is no value, as in a CSV file."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        return column.str.strip_chars().replace("", None)
    return column.fill_nan(None) if column.dtype.is_float() else column


def _ids(file: str, column: pl.Series) -> pl.Series:
    advice = "that loses digits: store ids as text"
    ids = _trimmed(column)
    if ids.dtype != pl.String and not ids.dtype.is_integer():
        raise DataError(f"{file}, column {ids.name!r}: ids were read as {ids.dtype}; {advice}")
    ids = ids.cast(pl.String)
    _refuse(file, ids.is_null(), "rows have no id", "every row needs one")
    decimal = ids.str.contains(r"^\d+\.0*$|^\d(\.\d+)?[eE]\+?\d+$")
    _refuse(file, decimal, "rows have an id that was written as a decimal", advice)
    return ids.alias("entity_id")


def _text(file: str, column: pl.Series) -> pl.Series:
    """Codes and words as they stand; 1.0 is 1, since a column of whole numbers with gaps often arrives so."""
    column = _trimmed(column)
    if column.dtype.is_float():
        whole = (column == column.round(0)) & (column.abs() < 2**53)
        column = column.cast(pl.Int64) if whole.all() else column
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}; store it as text")
    return column.cast(pl.String)


def _dates(file: str, column: pl.Series, time_zone: str | None) -> pl.Series:
    column = _trimmed(column)
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone:
            raise DataError(
                f"{file}, column {column.name!r}: has a time zone, which is not built yet; give local dates"
            )
        return column.dt.date()
    if column.dtype == pl.String:
        parsed = _parsed_dates(column)
        _refuse(file, parsed.is_null() & column.is_not_null(), "rows are not dates such as 2024-06-30")
        return parsed
    raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}, not dates such as 2024-06-30")


def _parsed_dates(column: pl.Series) -> pl.Series:
    """Text as dates; null for all but 2024-06-30, alone or with a local time: an offset would need a time zone."""
    day = column.str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$").str.to_date(
        "%Y-%m-%d", strict=False
    )
    return day.alias(column.name)


def _values(file: str, column: pl.Series, holds: str, time_zone: str | None) -> pl.Series:
    """A column as Float64, Date or String, by what the study needs of it and what it holds."""
    column = _trimmed(column)
    if holds == "date":
        values = _dates(file, column, time_zone) if column.count() else column
    elif holds == "text":
        values = _text(file, column)
    else:
        values = _anything(file, column, holds, time_zone) if column.count() else column
    if not values.count():
        advice = "take it out of the study, or mend the extract"
        raise DataError(f"{file}, column {column.name!r}: is empty in every row; {advice}")
    return values


def _anything(file: str, column: pl.Series, holds: str, time_zone: str | None) -> pl.Series:
    """Numbers where every value is one (true and false are 1 and 0), else dates, else text: the last two if allowed."""
    if column.dtype == pl.String:
        truths = {"true": 1.0, "false": 0.0}
        number = column.str.to_lowercase().replace_strict(truths, default=None, return_dtype=pl.Float64)
        if number.count() < column.count():
            number = column.cast(pl.Float64, strict=False)
        bad = number.is_null() & column.is_not_null()
        if bad.any() and holds == "anything":
            days = _parsed_dates(column)
            return days if days.count() == column.count() else column
        _refuse(file, bad, "rows are not numbers")
        column = number
    if isinstance(column.dtype, (pl.Date, pl.Datetime)) and holds == "anything":
        return _dates(file, column, time_zone)
    if not column.dtype.is_numeric() and column.dtype != pl.Boolean:
        raise DataError(f"{file}, column {column.name!r}: holds {column.dtype}, not numbers")
    number = column.cast(pl.Float64).fill_nan(None)
    _refuse(file, number.is_infinite(), "rows are infinite")
    return number


def _quality(table: Table) -> dict[str, object]:
    """What the card says of one source: how much, from when to when, how late, how whole. Aggregates only."""
    frame = table.frame
    row: dict[str, object] = {"source": table.name, "rows": frame.height, "entities": frame["entity_id"].n_unique()}
    row["undated"] = 0 if table.undated is None else table.undated.height
    if table.is_facts:
        lag = (frame["known_date"] - frame["event_date"]).dt.total_days()
        row["first_date"] = str(frame["event_date"].min())
        row["last_date"] = str(frame["event_date"].max())
        row["recording_lag_days_95"] = int(lag.quantile(0.95, "higher") or 0)
        row["known_date_recorded"] = table.source.known_date is not None
    others = [name for name in frame.columns if name not in KEYS]
    row["missing"] = {name: round(frame[name].null_count() / max(frame.height, 1), 3) for name in others}
    return row
