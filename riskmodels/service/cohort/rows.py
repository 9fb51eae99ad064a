"""One part's rows: who can be scored, with what, and who cannot, for which reason. Nobody is dropped in silence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.service.cohort.columns import EXCLUDED, HOUSEHOLD, ID, TEAM, Columns, Wanted
from riskmodels.service.cohort.objections import refuse_decimal_ids
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart

if TYPE_CHECKING:
    import pyarrow as pa

# code -> reason. A row has the first of these that holds; ``duplicate_id`` is for whoever sees all parts of a cohort.
REASONS = {
    "missing_id": "the row has no id",
    "objected": "the person objected to being scored",
    "duplicate_id": "the id stands more than once, so it is not clear which row is right",
    "unknown_rule": f"the column {EXCLUDED!r} holds something that is not a service rule of the study",
    "not_a_number": "a column that must be a number holds something else",
    "not_finite": "a number is infinite",
}
UNKNOWN_RULE = -1
WHOLE = 2.0**53  # below it, every whole number is a Float64
TRUTHS = {"true": 1.0, "false": 0.0}


@dataclass
class _Faults:
    """What is wrong with rows: code, reason and the rows it is true of, the first to hold before the others."""

    found: list[tuple[str, str, pl.Series]] = field(default_factory=list)

    def note(self, code: str, rows: pl.Series, column: str = "") -> None:
        if rows.any():
            reason = f"{REASONS[code]}: {column}" if column else REASONS[code]
            self.found.append((code, reason, rows.fill_null(False)))


def check_rows(
    part: pa.Table, wanted: Wanted, columns: Columns, objectors: frozenset[str], first: int, file: str
) -> CheckedPart:
    """Check the rows of one part.

    A row is rejected, with its number, a code and a reason (`REASONS`), if it has no id, its person objected, a number
    is infinite or text, or ``excluded`` names no rule of the study. A number may be written as text; true and false are
    1 and 0; an empty text and NaN are missing. A category that the model has not learned is scored, with a caveat.
    Whoever objected, or is left off by a rule that closes their household, closes it though their row is rejected; so
    does an ``excluded`` that names no rule, for nobody knows what it says.
    An id that stands twice is not looked for here, not even within the part: it may stand in another part as well, so
    whoever has seen all of them rejects every row of it.

    Parameters
    ----------
    part : the columns of ``columns``, whose types `riskmodels.service.cohort.columns.check_columns` has passed
    first : the number of the first row
    file : what a message calls it

    Raises
    ------
    DataError
        if ids were written as decimals.
    """
    faults, made = _Faults(), {}
    ids = _ids(part.column(ID), file)
    faults.note("missing_id", ids.is_null())
    objected = ids.is_in(list(objectors)).fill_null(False)
    faults.note("objected", objected)
    excluded = pl.Series(EXCLUDED, [None], dtype=pl.Int16).new_from_index(0, part.num_rows)
    if wanted.rules:
        said = as_texts(part.column(EXCLUDED))
        places = {because: place for place, because in enumerate(wanted.rules)}
        excluded = said.replace_strict(places, default=UNKNOWN_RULE, return_dtype=pl.Int16).alias(EXCLUDED)
        excluded = excluded.zip_with(said.is_not_null(), pl.Series([None], dtype=pl.Int16))
        faults.note("unknown_rule", excluded == UNKNOWN_RULE)
    wrong, infinite = {}, {}
    for spec in wanted.specs:
        made[spec.name], wrong[spec.name], infinite[spec.name] = _feature(part.column(spec.name), spec)
    for code, by_column in (("not_a_number", wrong), ("not_finite", infinite)):
        for name, rows in by_column.items():
            if rows is not None:
                faults.note(code, rows, name)
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, part.num_rows)
    frame = pl.DataFrame(
        [
            pl.int_range(first, first + part.num_rows, dtype=pl.Int64, eager=True).alias("row_number"),
            ids,
            *(values.alias(name) for name, values in made.items()),
            excluded,
            (known_teams(as_texts(part.column(columns.team)), wanted.teams) if columns.team else empty).alias(TEAM),
            (as_texts(part.column(HOUSEHOLD)) if wanted.household else empty).alias(HOUSEHOLD),
        ]
    )
    closing = excluded.is_in([*wanted.closing, UNKNOWN_RULE]).fill_null(False)
    return _parted(frame, faults, closing | objected)


def _parted(frame: pl.DataFrame, faults: _Faults, closing: pl.Series) -> CheckedPart:
    """``closing``: whose household is left alone."""
    if not faults.found:
        return CheckedPart(frame, pl.DataFrame(schema=REJECT_SCHEMA), frame.height)
    first = pl.Series([None], dtype=pl.Int32).new_from_index(0, frame.height)
    for place, (_, _, rows) in reversed(list(enumerate(faults.found))):
        first = pl.select(pl.when(rows).then(pl.lit(place, pl.Int32)).otherwise(first)).to_series()
    bad = frame.select("row_number", ID).with_columns(first.alias("fault")).drop_nulls("fault")
    said = pl.DataFrame(
        {
            "fault": range(len(faults.found)),
            "code": [code for code, _, _ in faults.found],
            "reason": [reason for _, reason, _ in faults.found],
        },
        schema_overrides={"fault": pl.Int32},
    )
    rejects = bad.join(said, on="fault", how="left", maintain_order="left").select(*REJECT_SCHEMA)
    closed = frozenset(frame[HOUSEHOLD].filter(closing & first.is_not_null()).drop_nulls())
    return CheckedPart(frame.filter(first.is_null()), rejects, frame.height, closed)


# ---------------------------------------------------------------- columns


def known_teams(teams: pl.Series, declared: Collection[str]) -> pl.Series:
    """Everybody's team, null where the study gives it no places: what else stands there may be a person's name."""
    return teams.set(~teams.is_in(list(declared)).fill_null(False), None)


def as_texts(column: pa.ChunkedArray) -> pl.Series:
    """A column as text without blanks around it, null where nothing is left."""
    return _texts(column)[0]


def _ids(column: pa.ChunkedArray, file: str) -> pl.Series:
    ids = as_texts(column).alias(ID)
    refuse_decimal_ids(file, ids)
    return ids


def _feature(column: pa.ChunkedArray, spec: FeatureSpec) -> tuple[pl.Series, pl.Series | None, pl.Series | None]:
    """Its values, and of which rows they are no number, or infinite (None: of none)."""
    if spec.kind == "category":
        texts, infinite = _texts(column)
        return texts, None, infinite
    held = _held(column)
    if held.dtype == pl.Null:
        return held.cast(pl.Float64), None, None
    wrong = None
    if held.dtype == pl.String:
        numbers = held.cast(pl.Float64, strict=False)
        if numbers.null_count() > held.null_count():
            numbers, wrong = _numbers_in(held, numbers)
    else:
        numbers = held.cast(pl.Float64)
    if numbers.is_nan().any():
        numbers = numbers.fill_nan(None)
    infinite = numbers.is_infinite()
    return numbers, wrong, infinite if infinite.any() else None


def _numbers_in(texts: pl.Series, numbers: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Numbers with blanks around them, truths, and nothing but blanks; and which texts are none of these."""
    tidy = texts.str.strip_chars()
    truths = tidy.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Float64)
    again = tidy.cast(pl.Float64, strict=False)
    numbers = numbers.zip_with(numbers.is_not_null(), again.zip_with(again.is_not_null(), truths))
    return numbers, numbers.is_null() & texts.is_not_null() & (tidy != "")


def _texts(column: pa.ChunkedArray) -> tuple[pl.Series, pl.Series | None]:
    """Text without blanks around it, null where nothing is left; and which rows were infinite numbers (None: none).

    True and false are words, and whole numbers have no decimals: as the encoder of a model writes them.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        # Far fewer texts than rows: each is tidied once.
        array = column.combine_chunks()
        array = array if isinstance(array, pa.DictionaryArray) else array.unify_dictionaries().chunk(0)
        words, infinite = _texts(pa.chunked_array([array.dictionary]))
        places = _series(pa.chunked_array([array.indices])).cast(pl.UInt32)
        return words.gather(places), None if infinite is None else infinite.gather(places)
    held = _held(column)
    if held.dtype == pl.String:
        return _tidy(held), None
    if held.dtype.is_float():
        held = held.fill_nan(None)
        infinite = held.is_infinite()
        whole = (held == held.round()) & (held.abs() < WHOLE)
        texts = held.cast(pl.Int64, strict=False).cast(pl.String).zip_with(whole, held.cast(pl.String))
        return texts, infinite if infinite.any() else None
    return held.cast(pl.String), None


def _tidy(texts: pl.Series) -> pl.Series:
    texts = texts.str.strip_chars()
    return texts.set(texts == "", None) if (texts == "").any() else texts


def _held(column: pa.ChunkedArray) -> pl.Series:
    """As Polars holds it: String, Boolean, Null, an integer type or a float type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _held(pc.cast(column, kind.value_type))
    if pa.types.is_decimal(kind):
        # Exactly where it is whole; an id may be longer than 64 bits.
        return _series(pc.cast(column, pa.string() if kind.scale == 0 else pa.float64()))
    return _series(pc.cast(column, pa.float32()) if pa.types.is_float16(kind) else column)


def _series(column: pa.ChunkedArray) -> pl.Series:
    found: Any = pl.from_arrow(column)
    return found if isinstance(found, pl.Series) else pl.Series(found)
