"""A source's columns under our names and types: ids, dates, numbers and text. What cannot be read right is refused.

Rows may come in batches: `survey` looks first at the columns whose type follows from all of their values, and
`riskmodels.data.faults.Faults` counts what is wrong over all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Set

import polars as pl

from riskmodels.data.faults import Faults
from riskmodels.errors import DataError
from riskmodels.study import Source

KEYS = ("entity_id", "event_date", "known_date", "kind")
NUMBER, DATE, TEXT, WHOLE = "number", "date", "text", "whole"
# What a column is that holds no value at all, by what it must hold.
EMPTY = {NUMBER: {NUMBER}, DATE: {DATE}, TEXT: {TEXT}, "anything": {NUMBER}}
DTYPES = {NUMBER: pl.Float64(), DATE: pl.Date(), TEXT: pl.String()}

TIMESTAMP = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9](?:\.[0-9]+)?)?"
    r" ?(Z|UTC|[+-](?:0[0-9]|1[0-8])(?::?[0-5][0-9])?)?)?$"
)
# What a date that is refused looks like; which of its numbers is the day is never guessed.
SLASHED = r"^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-](?:[0-9]{4}|[0-9]{2})(?:[T ].*)?$"
DAY_FIRST, MONTH_FIRST, EITHER = (
    "day-first, as in 31/12/2024",
    "month-first, as in 12/31/2024",
    "day-first or month-first, as in 05/04/2024",
)
LOST_DIGITS = "that loses digits: store ids as text"
WRITTEN_AS_DECIMAL = r"^[0-9]+\.0*$|^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$"


# ---------------------------------------------------------------- a source


def refuse_reserved(file: str, source: Source, used: Mapping[str, str]) -> None:
    """Our own names for the keys may not be the names of other columns. Raises DataError."""
    for name, holds in used.items():
        if name in KEYS and (_keys(source)[name] != name or holds == NUMBER):
            raise DataError(f"{file}: the column name {name!r} is reserved; rename the column")


def _keys(source: Source) -> dict[str, str | None]:
    return dict(zip(KEYS, (source.entity, source.event_date, source.known_date, source.kind), strict=True))


def asked_of(source: Source, used: Mapping[str, str]) -> dict[str, str]:
    """column -> what it must hold, for those that have a type of their own."""
    named = [source.kind] if source.kind else []
    return {**dict.fromkeys(named, TEXT), **{column: holds for column, holds in used.items() if column not in KEYS}}


def undecided(batch: pl.DataFrame, asked: Mapping[str, str]) -> dict[str, str]:
    """The columns whose type, or way of writing, follows from their values, which may stand in other batches."""

    def follows(column: str, holds: str) -> bool:
        kind = batch[column].dtype
        if holds == TEXT:
            return kind.is_float() or kind == pl.Decimal
        return holds not in (NUMBER, DATE) and kind in (pl.String, pl.Categorical, pl.Enum)

    return {column: holds for column, holds in asked.items() if follows(column, holds)}


def survey(batch: pl.DataFrame, asked: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """column -> what all of its values in this batch could be; of several batches, it is what each of them could be.

    A column without a value has no entry.
    """
    kept = {column: _without_blanks(batch[column]) for column in asked}
    valued = {column for column, values in kept.items() if values.count() or values.dtype.is_temporal()}
    return {column: _possible(kept[column], holds) for column, holds in asked.items() if column in valued}


def known_before(batch: pl.DataFrame, source: Source, day: dt.date, columns: Iterable[str]) -> pl.DataFrame:
    """Some columns of the rows that were known before a day; no rows of a source without dates."""
    when = source.known_date or source.event_date
    if when is None:
        return batch.clear()
    # What is wrong with a date is said when all rows are read.
    early = as_dates(batch[when], source.time_zone, Faults(str(source.file or source.table))) < day
    return batch.select(list(columns)).filter(early)


def _possible(column: pl.Series, holds: str) -> frozenset[str]:
    if holds in (NUMBER, DATE):
        return frozenset({holds})
    if holds == TEXT:
        return frozenset({TEXT, WHOLE} if _is_whole(column) else {TEXT})
    if column.dtype.is_temporal():
        return frozenset({DATE})
    if column.dtype != pl.String:
        return frozenset({NUMBER, TEXT})
    found = {TEXT}
    if _as_numbers(column).count() == column.count():
        found.add(NUMBER)
    elif _parsed(column.drop_nulls().unique())["day"].null_count() == 0:
        found.add(DATE)
    return frozenset(found)


def normalise(
    batch: pl.DataFrame,
    source: Source,
    used: Mapping[str, str],
    surveyed: Mapping[str, frozenset[str]],
    extracted_on: dt.date,
    faults: Faults,
    one_row_each: bool = False,
) -> pl.DataFrame:
    """The rows under our names and types; ``faults`` is told what is wrong with them.

    Parameters
    ----------
    surveyed : column -> what its values can be, as `survey` found it; one without an entry has no value
    one_row_each : whether an id may stand there only once (all rows must then come in one batch)

    Returns
    -------
    DataFrame
        entity_id, event_date, known_date and kind where the source has them, then the columns used. Rows without one of
        their dates are still there.
    """
    keys, zone = _keys(source), source.time_zone
    # Built by position, so that one column may serve as event date and knowledge date, or as a key and a feature.
    columns = [as_ids(batch[source.entity], faults)]
    dated = {key: name for key, name in keys.items() if key in ("event_date", "known_date") and name}
    columns += [as_dates(batch[name], zone, faults).alias(key) for key, name in dated.items()]
    if source.kind:
        columns.append(as_text(batch[source.kind], faults, WHOLE in surveyed.get(source.kind, {WHOLE})).alias("kind"))
    for name in used:
        if name not in KEYS:
            columns.append(_values(batch[name], surveyed.get(name, EMPTY[used[name]]), zone, faults))
    frame = pl.DataFrame(columns)
    if source.event_date and not source.known_date:
        # Without a knowledge date the best that can be said is that a fact was known when it happened.
        frame = frame.with_columns(pl.col("event_date").alias("known_date"))

    for key in (key for key in ("event_date", "known_date") if key in frame.columns):
        late = (frame[key] > extracted_on).alias(keys[key] or str(source.event_date))
        fault = f"rows are dated after {extracted_on}, the day of the extract"
        faults.note(late, fault, "correct them, or extracted_on in register.yaml")
    if source.event_date and source.known_date:
        early = (frame["known_date"] < frame["event_date"]).alias(source.known_date)
        advice = "check which column is event_date and which known_date"
        if source.time_zone:
            advice += f", and whether both are times of {source.time_zone}"
        faults.note(early, "rows are known before the event", advice)
    if one_row_each:
        again = (~frame["entity_id"].is_first_distinct()).alias(source.entity)
        advice = "a table without dates has one row for each"
        faults.note(again, "ids stand more than once", advice, "first repeated")
    faults.before += batch.height
    return frame


def _values(column: pl.Series, surveyed: Set[str], zone: str | None, faults: Faults) -> pl.Series:
    """A column as Float64, Date or String."""
    holds = next(holds for holds in (NUMBER, DATE, TEXT) if holds in surveyed)
    column = _trimmed(column, faults)
    if not column.count():
        values = pl.Series(column.name, [None] * len(column), dtype=DTYPES[holds])
    elif holds == DATE:
        values = as_dates(column, zone, faults)
    else:
        values = as_text(column, faults, WHOLE in surveyed) if holds == TEXT else as_numbers(column, faults)
    faults.values[column.name] = faults.values.get(column.name, 0) + values.count()
    return values


# ---------------------------------------------------------------- columns


def _without_blanks(column: pl.Series) -> pl.Series:
    """Text without blanks around it; nothing but blanks is no value, as in a CSV file."""
    if column.dtype in (pl.Categorical, pl.Enum, pl.Null):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        # Far fewer texts than rows, mostly; and a column that is tidy already is not copied.
        texts = column.unique()
        if ((texts.str.strip_chars() != texts) | (texts == "")).any():
            return column.str.strip_chars().replace("", None)
        return column
    return column.fill_nan(None) if column.dtype.is_float() else column


def _trimmed(column: pl.Series, faults: Faults) -> pl.Series:
    column = _without_blanks(column)
    if column.dtype == pl.String:
        texts = column.drop_nulls().unique()
        nul = texts.filter(texts.str.contains("\0", literal=True))
        faults.note_texts(column, nul, "rows hold NUL bytes", "the file is damaged, or not UTF-8 text; export it again")
    return column


def as_ids(column: pl.Series, faults: Faults) -> pl.Series:
    """Ids as text, digit by digit as they stand; those that may have lost digits are refused."""
    ids = _trimmed(column, faults)
    if isinstance(ids.dtype, pl.Decimal) and ids.dtype.scale == 0:
        ids = ids.cast(pl.Int128)
    if ids.dtype != pl.String and not ids.dtype.is_integer():
        raise DataError(f"{faults.file}, column {ids.name!r}: ids were read as {ids.dtype}; {LOST_DIGITS}")
    written = ids.dtype == pl.String
    ids = ids.cast(pl.String)
    faults.note(ids.is_null(), "rows have no id", "every row needs one")
    if written:
        each = ids.drop_nulls().unique()
        decimal = each.filter(each.str.contains(WRITTEN_AS_DECIMAL))
        faults.note_texts(ids, decimal, "rows have an id that was written as a decimal", LOST_DIGITS)
        advice = "write them one way, or they are taken for different people"
        faults.note_texts(ids, _twins(each), "rows have an id that is also written without the blank inside it", advice)
    return ids.alias("entity_id")


def _twins(ids: pl.Series) -> pl.Series:
    """Ids with a blank inside, which may belong there, unless the same id is written without it as well."""
    blank = ids.filter(ids.str.contains(r"\s"))
    bare = blank.str.replace_all(r"\s+", "")
    return blank.filter(bare.is_in(ids.implode()) | bare.is_duplicated())


def as_text(column: pl.Series, faults: Faults, whole: bool = True) -> pl.Series:
    """Codes and words as they stand; where they are ``whole``, 1.0 is 1: whole numbers with gaps often arrive so."""
    column = _trimmed(column, faults)
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(f"{faults.file}, column {column.name!r}: holds {column.dtype}; store it as text")
    if whole and (column.dtype.is_float() or column.dtype == pl.Decimal):
        # One by one: a number with decimals that came later does not change how those before it are written.
        each = _are_whole(column)
        return column.cast(pl.Int64, strict=False).cast(pl.String).zip_with(each, column.cast(pl.String))
    return column.cast(pl.String)


def _is_whole(column: pl.Series) -> bool:
    return not (column.dtype.is_float() or column.dtype == pl.Decimal) or bool(_are_whole(column).all())


def _are_whole(column: pl.Series) -> pl.Series:
    return (column == column.round(0)) & (column.abs() < 2**53)


def as_numbers(column: pl.Series, faults: Faults) -> pl.Series:
    """Numbers; true and false are 1 and 0."""
    if column.dtype == pl.String:
        number = _as_numbers(column)
        faults.note(number.is_null() & column.is_not_null(), "rows are not numbers")
        column = number
    if not column.dtype.is_numeric() and column.dtype != pl.Boolean:
        raise DataError(f"{faults.file}, column {column.name!r}: holds {column.dtype}, not numbers")
    number = column.cast(pl.Float64).fill_nan(None)
    faults.note(number.is_infinite(), "rows are infinite")
    return number


def _as_numbers(column: pl.Series) -> pl.Series:
    number = column.cast(pl.Float64, strict=False)
    if number.count() < column.count():
        truths = {"true": 1.0, "false": 0.0}
        truth = column.str.to_lowercase().replace_strict(truths, default=None, return_dtype=pl.Float64)
        return number.zip_with(number.is_not_null(), truth)
    return number


def as_dates(column: pl.Series, zone: str | None, faults: Faults) -> pl.Series:
    """Days; of a time with an offset from UTC the day that it was in ``zone``, and of any other time its own day."""
    column = _trimmed(column, faults)
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime):
        clock = "with" if column.dtype.time_zone else "without"
        faults.note_clocks(column.name, **{clock: column.is_not_null()})
        return (column.dt.convert_time_zone(zone) if zone and clock == "with" else column).dt.date()
    if not column.count():
        return pl.Series(column.name, [None] * len(column), dtype=pl.Date)
    if column.dtype != pl.String:
        raise DataError(f"{faults.file}, column {column.name!r}: holds {column.dtype}, not dates such as 2024-06-30")
    # Each text is parsed once: there are far fewer days than rows.
    texts = column.drop_nulls().unique()
    parsed = _parsed(texts, zone)
    days = column.replace_strict(texts, parsed["day"], default=None, return_dtype=pl.Date)
    bad = (days.is_null() & column.is_not_null()).alias(column.name)
    faults.note(
        bad, "rows are not dates such as 2024-06-30", looks=lambda: _looks(texts.filter(parsed["day"].is_null()))
    )
    for clock in ("with", "without"):
        if clock not in faults.clocks.get(column.name, {}) and parsed["clock"].eq(clock).any():
            faults.note_clocks(column.name, **{clock: column.is_in(texts.filter(parsed["clock"] == clock).implode())})
    return days


def _parsed(texts: pl.Series, zone: str | None = None) -> pl.DataFrame:
    """``day``, null for all but 2024-06-30, alone or with a time; ``clock``: time ``with`` or ``without`` an offset."""
    parts = pl.DataFrame({"text": texts}).select(pl.col("text").str.extract_groups(TIMESTAMP).alias("parts"))
    parts = parts.unnest("parts").rename({"1": "day", "2": "hour", "3": "minute", "4": "offset"})
    parts = parts.with_columns(pl.col("day").str.to_date("%Y-%m-%d", strict=False))
    clock = pl.when(pl.col("offset").is_not_null()).then(pl.lit("with"))
    parts = parts.with_columns(clock.when(pl.col("hour").is_not_null()).then(pl.lit("without")).alias("clock"))
    if zone is None or not parts["offset"].count():
        return parts.select("day", "clock")
    hours, minutes = pl.col("offset").str.slice(1, 2), pl.col("offset").str.extract(r"^.{3}:?([0-9]{2})$")
    ahead = pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1) * (
        60 * hours.cast(pl.Int32, strict=False).fill_null(0) + minutes.cast(pl.Int32, strict=False).fill_null(0)
    )
    local = 60 * pl.col("hour").cast(pl.Int32) + pl.col("minute").cast(pl.Int32)
    moment = pl.col("day").cast(pl.Datetime("us")) + pl.duration(minutes=local - ahead)
    there = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    return parts.select(pl.when(pl.col("offset").is_null()).then("day").otherwise(there).alias("day"), "clock")


def _looks(texts: pl.Series) -> set[str]:
    """What texts that are not dates look like."""
    parts = pl.DataFrame({"text": texts}).select(pl.col("text").str.extract_groups(SLASHED).alias("parts"))
    first, second = (parts["parts"].struct.field(part).cast(pl.Int32).drop_nulls() for part in ("1", "2"))
    looks = {DAY_FIRST} if ((first > 12) & (second <= 12)).any() else set()
    looks |= {MONTH_FIRST} if ((first <= 12) & (second > 12)).any() else set()
    return looks or ({EITHER} if ((first <= 12) & (second <= 12)).any() else set())
