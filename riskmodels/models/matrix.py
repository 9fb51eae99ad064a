"""From a table of features to a matrix of numbers, as learned from the fit rows alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from riskmodels.data.features import Features, FeatureSpec
from riskmodels.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNSEEN = -1.0
# A value that fewer people share says something of them, and too little about the outcome: it counts as unseen.
LEAST_ROWS_OF_A_VALUE = 10
# So many people lie beyond either end of a learned range, so that an end is never one person's value.
LEAST_ROWS_BEYOND_RANGE = 5
TAIL = 0.005


@dataclass(frozen=True)
class Column:
    """One feature: its definition, and what the fit rows taught about it.

    Attributes
    ----------
    vocabulary : the values of a category, sorted; a value's place is its code
    fill : what stands in for a missing number (missing: median or zero); None keeps it missing
    typical : the median of a number, the most common value of a category; None where nothing was recorded
    low, high : the range that held all but the most extreme half per cent at each end (at least 5 rows)
    """

    name: str
    take: str
    of: str
    last: str
    source: str
    kind: Literal["number", "category"]
    missing: str
    vocabulary: tuple[str, ...] = ()
    fill: float | None = None
    typical: float | str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Matrix:
    """Rows as numbers.

    ``values`` is float64 [n, p]: numbers as they are, categories as codes, -1 for a category value that was not
    learned, NaN for missing. ``recorded`` is bool [n, p]: False where the frame held nothing, filled in or not.
    """

    values: np.ndarray
    recorded: np.ndarray
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def __len__(self) -> int:
        return len(self.values)

    def at(self, rows: np.ndarray) -> Matrix:
        """The rows of a boolean mask or of positions."""
        return Matrix(self.values[rows], self.recorded[rows], self.columns)

    def position(self, name: str) -> int:
        return self.names.index(name)


@dataclass(frozen=True)
class Encoder:
    """How a frame of features becomes a matrix. Learned once, then fixed."""

    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def encode(self, frame: pl.DataFrame | pd.DataFrame) -> Matrix:
        """Encode rows in the order they come. Further columns of the frame are not looked at.

        Raises
        ------
        DataError
            naming the column that is not there, or is not of the kind the model learned from.
        """
        held = named_columns(frame, self.names)
        # By columns, as they are written: by rows, each number would touch a cache line of its own.
        values = np.empty((held.height, len(self.columns)), order="F")
        recorded = np.empty(values.shape, dtype=bool, order="F")
        for position, column in enumerate(self.columns):
            if column.kind == "number":
                encoded = _numbers(held[column.name])
                recorded[:, position] = ~np.isnan(encoded)
                if column.fill is not None:
                    encoded = np.where(recorded[:, position], encoded, column.fill)
            else:
                texts = _texts(held[column.name])
                encoded = _codes(texts, column.vocabulary)
                recorded[:, position] = ~np.isnan(encoded)
            values[:, position] = encoded
        return Matrix(values, recorded, self.columns)


def fit_encoder(features: Features, rows: Any = None) -> Encoder:
    """Learn vocabularies, imputation, typical values and ranges from the fit rows and no others.

    Parameters
    ----------
    features : the features of all rows
    rows : boolean mask of the fit rows [n] (numpy or polars), or their positions; None takes every row

    Raises
    ------
    DataError
        if there is no fit row, or a column is not of its kind.
    """
    frame = features.frame
    if rows is not None:
        chosen = np.asarray(rows)
        frame = frame.filter(pl.Series(chosen)) if chosen.dtype == bool else frame[chosen]
    if frame.is_empty():
        raise DataError("features: there is no row to learn from; use earlier as_of_dates, or check the cohort's steps")
    held = named_columns(frame, tuple(spec.name for spec in features.specs))
    return Encoder(tuple(_learn(spec, held[spec.name]) for spec in features.specs))


def _learn(spec: FeatureSpec, series: pl.Series) -> Column:
    if spec.kind == "category":
        counts = (
            _texts(series).drop_nulls().value_counts(name="rows").sort("rows", series.name, descending=[True, False])
        )
        common = counts.filter(pl.col("rows") >= LEAST_ROWS_OF_A_VALUE)[series.name].to_list()
        return _column(spec, "category", vocabulary=tuple(sorted(common)), typical=common[0] if common else None)
    recorded = _numbers(series)
    if spec.missing == "zero":
        recorded = np.where(np.isnan(recorded), 0.0, recorded)
    # Sorted first: numpy sorts faster than it finds three places.
    recorded = np.sort(recorded[~np.isnan(recorded)])
    if not len(recorded):
        return _column(spec, "number", fill=0.0 if spec.missing == "zero" else None)
    tail = min(max(TAIL, LEAST_ROWS_BEYOND_RANGE / len(recorded)), 0.25)
    low, median, high = np.quantile(recorded, [tail, 0.5, 1.0 - tail])
    unit = rounding_unit(high - low, 3)
    typical = rounded(median, unit)
    return _column(
        spec,
        "number",
        fill={"median": typical, "zero": 0.0}.get(spec.missing),
        typical=typical,
        low=rounded(low, unit, math.floor),
        high=rounded(high, unit, math.ceil),
    )


def _column(spec: FeatureSpec, kind: Literal["number", "category"], **learned: Any) -> Column:
    return Column(spec.name, spec.take, spec.of, spec.last, spec.source, kind, spec.missing, **learned)


# ---------------------------------------------------------------- rounding


def rounding_unit(spread: float, digits: int) -> float:
    """The power of ten that leaves so many digits of a spread; 0 where there is no spread."""
    return 10.0 ** (math.floor(math.log10(spread)) + 1 - digits) if spread > 0 and math.isfinite(spread) else 0.0


def rounded(value: float, unit: float, how: Any = round) -> float:
    """A value as a whole multiple of the unit, written as shortly as that allows."""
    if unit == 0.0:
        return float(value)
    # The first rounding takes off what the division itself adds, so that 2.0000000000000004 is not taken up to 3.
    return float(f"{how(round(float(value) / unit, 6)) * unit:.12g}")


# ---------------------------------------------------------------- reading columns


def named_columns(frame: pl.DataFrame | pd.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """These columns of a frame, in this order, as Polars reads them.

    Raises
    ------
    DataError
        naming the column that is not there, stands there twice, or holds values of several types.
    """
    have = list(frame.columns)
    missing = [name for name in names if name not in have]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"features: the column {missing[0]!r} is not there{more}; give every column that the model learned from"
        )
    if isinstance(frame, pl.DataFrame):
        return frame.select(names)
    return pl.DataFrame([_from_pandas(frame, name) for name in names])


def _from_pandas(frame: pd.DataFrame, name: str) -> pl.Series:
    found = frame[name]
    if getattr(found, "ndim", 1) != 1:
        raise DataError(f"features: the column {name!r} stands there twice; keep one")
    try:
        return pl.from_pandas(found).rename(name)
    # pyarrow's own words quote the value that it could not read.
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        raise DataError(
            f"features: the column {name!r} holds values of several types; make it all numbers or all text"
        ) from None


def _numbers(series: pl.Series) -> np.ndarray:
    """A column as float64 with NaN for missing."""
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise DataError(
            f"features: the column {series.name!r} is {_kind_of(series)} where numbers are needed; convert it"
        )
    values: np.ndarray = series.cast(pl.Float64).fill_null(math.nan).to_numpy()
    infinite = np.isinf(values)
    if infinite.any():
        row = int(infinite.argmax()) + 1
        raise DataError(f"features: the column {series.name!r} is infinite in row {row}; leave it empty there")
    return values


def _texts(series: pl.Series) -> pl.Series:
    """A column as String with null for missing; true and false are words, and whole numbers have no decimals."""
    if series.dtype in (pl.String, pl.Null):
        return series.cast(pl.String)
    if isinstance(series.dtype, (pl.Categorical, pl.Enum)) or series.dtype == pl.Boolean or series.dtype.is_integer():
        return series.cast(pl.String)
    if series.dtype.is_float():
        known = series.fill_nan(None)
        whole = known.drop_nulls()
        if ((whole == whole.round()) & (whole.abs() < 2.0**53)).all():
            return known.cast(pl.Int64).cast(pl.String)
    raise DataError(f"features: the column {series.name!r} is {_kind_of(series)} where text is needed; convert it")


def _codes(texts: pl.Series, vocabulary: tuple[str, ...]) -> np.ndarray:
    """Codes as float64: -1 for a value that was not learned, NaN for missing."""
    places = {value: float(code) for code, value in enumerate(vocabulary)}
    distinct = texts.unique().drop_nulls().to_list()
    known = texts.replace_strict(
        distinct, [places.get(value, UNSEEN) for value in distinct], default=None, return_dtype=pl.Float64
    )
    return known.fill_null(math.nan).to_numpy().astype(np.float64)


def _kind_of(series: pl.Series) -> str:
    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        return "text"
    return "dates" if series.dtype.is_temporal() else "fractions" if series.dtype.is_numeric() else "something else"
