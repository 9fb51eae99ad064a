"""A file of predictions, whoever made it: outcome, risk, and where they are named entity, date, groups and more.

What vendors and spreadsheets write is understood where it can only mean one thing (true and false, yes and no, numbers
as text, percentages), and refused where it cannot. What was understood is said in ``notes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.data.columns import as_dates, as_ids
from riskmodels.data.faults import Faults
from riskmodels.data.headers import refuse_lost_header
from riskmodels.data.readers import File
from riskmodels.errors import DataError, UsageError
from riskmodels.study.spelling import meant

YES, NO = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n")
BLANK = ("", "na", "n/a", "<na>", "nan", "null", "none", "unknown")
# Of a group these are nothing; "none" and "unknown" are not: people may have no religion, or not say.
NO_GROUP = ("", "na", "n/a", "<na>", "nan", "null")
PERCENT_ABOVE = 1.5  # a largest number above this, and half of them above 1: no few wrong probabilities look so
UTC = "UTC"  # where days of times with an offset are counted; of all others it is their own day


@dataclass(frozen=True)
class PredictionFile:
    """Rows in an order that does not depend on the file's: by date, entity, risk, outcome, and then by all the rest.

    ``outcome`` is 0 where it is not ``known``. What no column was named for is None, or empty. ``households`` and
    ``groups`` are null where nothing is recorded; ``groups`` are text, numbers or booleans, ``features`` text or
    numbers, as they were understood.
    """

    outcome: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]
    risk: npt.NDArray[np.float64] | None
    entity_ids: pl.Series | None
    dates: npt.NDArray[np.datetime64] | None
    notes: tuple[str, ...]
    households: pl.Series | None = None
    selected: npt.NDArray[np.bool_] | None = None
    excluded: npt.NDArray[np.bool_] | None = None
    groups: pl.DataFrame = field(default_factory=pl.DataFrame)
    features: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def n(self) -> int:
        return self.outcome.size


def read_predictions(
    path: Path,
    *,
    outcome: str,
    risk: str | None,
    entity: str | None = None,
    as_of: str | None = None,
    household: str | None = None,
    selected: str | None = None,
    excluded: str | None = None,
    groups: Sequence[str] = (),
    features: Sequence[str] = (),
) -> PredictionFile:
    """Read the columns that are named from a .csv or .parquet file.

    Parameters
    ----------
    selected, excluded : columns of yes and no: who is on a list that was made elsewhere; whom the service leaves out

    Raises
    ------
    UsageError
        if one column is named for two things.
    DataError
        if the file is no table or has no rows; if a column is missing, or holds what cannot be understood: in one line
        that has the column, how many rows and the first of them, and never a value.
    """
    single = {
        "--outcome": outcome, "--risk": risk, "--entity": entity, "--as-of": as_of, "--household": household,
        "--selected": selected, "--excluded": excluded,
    }  # fmt: skip
    several = [(option, name) for option, names in (("--groups", groups), ("--features", features)) for name in names]
    frame = _columns(path, [*((option, name) for option, name in single.items() if name is not None), *several])
    faults = Faults(path.name)
    columns = [_outcome(frame[outcome], faults)]
    notes: tuple[str, ...] = ()
    if risk is not None:
        values, notes = _risk(frame[risk], faults)
        columns.append(values)
    if entity is not None:
        columns.append(as_ids(frame[entity], faults))
    if as_of is not None:
        columns.append(as_dates(frame[as_of], UTC, faults).alias("as_of_date"))
        faults.note(columns[-1].is_null().alias(as_of), "rows have no date", "every row needs one")
    if household is not None:
        columns.append(_group(frame[household], path.name).cast(pl.String).alias("household"))
    for name, column in (("selected", selected), ("excluded", excluded)):
        if column is not None:
            columns.append(_flag(frame[column], faults).alias(name))
    columns += [_group(frame[name], path.name).alias(f"group:{name}") for name in groups]
    columns += [_feature(frame[name], path.name).alias(f"feature:{name}") for name in features]
    rows = pl.DataFrame(columns)
    if entity is not None and as_of is not None:
        again = (~rows.select(pl.struct("entity_id", "as_of_date").is_first_distinct()).to_series()).alias(entity)
        faults.note(again, "rows are of the same entity and as-of date as another", "keep one of each")
    faults.refuse(UTC)
    first = [name for name in ("as_of_date", "entity_id", "risk", "outcome") if name in rows.columns]
    rows = rows.sort([*first, *(name for name in rows.columns if name not in first)])
    return PredictionFile(
        outcome=rows["outcome"].fill_null(False).cast(pl.Float64).to_numpy(),
        known=rows["outcome"].is_not_null().to_numpy(),
        risk=None if risk is None else rows["risk"].to_numpy(),
        entity_ids=None if entity is None else rows["entity_id"],
        dates=None if as_of is None else rows["as_of_date"].to_numpy(),
        notes=notes,
        households=None if household is None else rows["household"],
        selected=None if selected is None else rows["selected"].to_numpy(),
        excluded=None if excluded is None else rows["excluded"].to_numpy(),
        groups=rows.select(pl.col(f"group:{name}").alias(name) for name in groups),
        features=rows.select(pl.col(f"feature:{name}").alias(name) for name in features),
    )


def _columns(path: Path, named: Sequence[tuple[str, str]]) -> pl.DataFrame:
    taken: dict[str, str] = {}
    for option, column in named:
        if column in taken and taken[column] == option:
            raise UsageError(f"{option} names the column {column!r} twice; name it once")
        if column in taken:
            advice = "name one column for each"
            if {taken[column], option} == {"--groups", "--features"}:
                advice = "what makes the groups tells them apart by itself: leave it out of --features"
            raise UsageError(f"{taken[column]} and {option} both name the column {column!r}; {advice}")
        taken[column] = option
    if not path.exists():
        raise DataError(f"{path}: no such file")
    file = File(path, path.name)
    missing = next((item for item in named if item[1] not in file.columns), None)
    if missing is not None:
        option, column = missing
        if len(file.columns) == 1 and any(mark in file.columns[0] for mark in ";\t|"):
            raise DataError(f"{path.name}: its columns are not parted by commas; save it with commas between them")
        refuse_lost_header(path.name, file.columns)
        raise DataError(f"{path.name}: has no column {column!r} ({option}){meant(column, file.columns)}")
    for column in taken:
        if f"{column}_duplicated_0" in file.columns:  # what the reader calls the second of two
            raise DataError(f"{path.name}: has two columns {column!r}; rename one, so that it is clear which is meant")
    (frame,) = file.batches(tuple(taken), None)
    if not frame.height:
        raise DataError(f"{path.name}: has a header, but no rows")
    for column in taken:
        kind = frame[column].dtype
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            raise DataError(f"{path.name}, column {column!r}: holds {kind}; store one plain value in each row")
    return frame


# ---------------------------------------------------------------- yes and no


def _outcome(column: pl.Series, faults: Faults) -> pl.Series:
    """Whether there was an event, null where that is not known."""
    if column.dtype.is_temporal():
        raise DataError(f"{faults.file}, column {column.name!r}: holds dates; give an outcome of 0 or 1")
    advice = "write 1 where the event came about, 0 where it did not, and nothing where that is not known"
    return _yes_or_no(column, faults, advice).alias("outcome")


def _flag(column: pl.Series, faults: Faults) -> pl.Series:
    """Yes or no, in every row."""
    if column.dtype.is_temporal():
        raise DataError(f"{faults.file}, column {column.name!r}: holds dates; give 1 for yes and 0 for no")
    advice = "write 1 for yes and 0 for no"
    flag = _yes_or_no(column, faults, advice)
    faults.note(flag.is_null().alias(column.name), "rows have neither yes nor no", advice)
    return flag


def _yes_or_no(column: pl.Series, faults: Faults, advice: str) -> pl.Series:
    """True or false, null where nothing is said."""
    if column.dtype == pl.Boolean:
        return column
    if column.dtype.is_numeric():
        number = _without_nan(column)
        given = number.is_not_null()
    else:
        text = _text(column).str.to_lowercase()
        given, number = text.is_not_null(), text.cast(pl.Float64, strict=False)
        for words, value in ((YES, 1.0), (NO, 0.0)):
            number = number.set(text.is_in(words).fill_null(False), value)
    faults.note(
        (given & ~number.is_in([0.0, 1.0]).fill_null(False)).alias(column.name),
        "rows hold something other than 0 and 1, true and false, or yes and no",
        advice,
    )
    return number == 1.0


# ---------------------------------------------------------------- risk


def _risk(column: pl.Series, faults: Faults) -> tuple[pl.Series, tuple[str, ...]]:
    """Probabilities, and what was understood of how they are written."""
    name = column.name
    if column.dtype == pl.Boolean or column.dtype.is_temporal():
        raise DataError(f"{faults.file}, column {name!r}: holds {column.dtype}, not risks; give numbers from 0 to 1")
    signed = pl.repeat(False, len(column), eager=True)
    if column.dtype.is_numeric():
        number = _without_nan(column)
        given = number.is_not_null()
    else:
        text = _text(column)
        given, signed = text.is_not_null(), text.str.ends_with("%").fill_null(False)
        bare = text.str.strip_suffix("%").str.strip_chars_end()
        number = bare.cast(pl.Float64, strict=False).fill_nan(None)
        comma = (bare.str.contains(r"^[0-9]+,[0-9]+$").fill_null(False)).alias(name)
        faults.note(comma, "rows have a decimal comma", "write 0.12 with a point")
    faults.note((given & number.is_null()).alias(name), "rows are not numbers")
    faults.note((~given).alias(name), "rows have no risk", "score every row, or leave such rows out and say why")
    with_sign = bool((signed | ~given).all() and signed.any())
    if signed.any() and not with_sign:
        unlike = (given & ~signed).alias(name)
        faults.note(unlike, "rows have no percent sign, and others have one", "write all risks one way")
    beyond = int((number > 1).sum())
    without_sign = bool(number.is_between(0, 100).all() and (number > PERCENT_ABOVE).any()) and 2 * beyond > len(number)
    most = 100 if with_sign or without_sign else 1
    faults.note(
        ((number < 0) | (number > most)).alias(name),
        f"rows are outside 0 to {most}",
        "give probabilities, or percentages with their sign",
    )
    if most == 1:
        return number.alias("risk"), ()
    how = "have a percent sign" if with_sign else "are mostly above 1, and none is above 100"
    said = f"The risks in {name!r} {how}: they were taken for percentages and divided by 100."
    return (number / 100).alias("risk"), (said,)


# ---------------------------------------------------------------- groups and features


def _group(column: pl.Series, file: str) -> pl.Series:
    """Numbers and booleans as they are, anything else as text on one line; null where nothing is recorded."""
    if column.dtype.is_temporal():
        raise DataError(
            f"{file}, column {column.name!r}: holds dates; give a group, such as a band of age, in each row"
        )
    if column.dtype.is_float():
        return column.fill_nan(None)
    if column.dtype.is_integer() or column.dtype == pl.Boolean:
        return column
    one_line = column.cast(pl.String).str.replace_all(r"[\p{C}\s]+", " ")
    return _text(one_line, NO_GROUP)


def _feature(column: pl.Series, file: str) -> pl.Series:
    """Numbers where all of its values are numbers, text otherwise."""
    if column.dtype.is_temporal():
        raise DataError(f"{file}, column {column.name!r}: holds dates; give a number of days, or leave it out")
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return _without_nan(column)
    text = _text(column, NO_GROUP)
    number = text.cast(pl.Float64, strict=False)
    return number.fill_nan(None) if number.null_count() == text.null_count() else text


# ---------------------------------------------------------------- columns


def _without_nan(column: pl.Series) -> pl.Series:
    return column.cast(pl.Float64).fill_nan(None)


def _text(column: pl.Series, blank: tuple[str, ...] = BLANK) -> pl.Series:
    """Text without blanks around it; null where it says that there is nothing."""
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(blank).fill_null(False), None)
