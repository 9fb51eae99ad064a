"""From a column of group values to codes: labels, bands, the reference, and people whose group is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.audit.policy import Policy
from riskmodels.data.group_names import EMPTY, NOT_RECORDED, band_labels, finite, in_bands, recorded
from riskmodels.errors import DataError, StudyError
from riskmodels.study import Protected

NOBODY = "It is not recorded for anybody."
MOST_NUMBERS = 20  # more different numbers are a quantity, not the names of groups


@dataclass(frozen=True)
class Attribute:
    """One protected characteristic, coded.

    ``codes`` (n,) int32 points into ``groups`` (the value as recorded) and ``labels`` (as shown). ``unknown`` marks
    groups that only say that the group is not known. ``reference`` is the position of the reference group. ``numbers``
    (n,) are what bands were made of, nan where there is none; None where there are no bands.
    """

    name: str
    words: str
    law: str
    codes: np.ndarray
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    unknown: tuple[bool, ...]
    reference: int
    numbers: np.ndarray | None = None


def as_series(values: Any, where: str) -> pl.Series:
    """A column of any kind as a Polars series: Polars, pandas, pyarrow, NumPy, lists. Raises DataError for others."""
    import narwhals as nw

    try:
        if isinstance(values, pl.Series):
            return values
        if isinstance(values, np.ndarray) and values.dtype.kind in "biufU":
            return pl.Series(values=values)
        if isinstance(values, (list, tuple, np.ndarray)):
            cells = np.asarray(values, dtype=object).tolist()
            kinds = {type(cell) for cell in cells if cell is not None and cell == cell}
            if len(kinds) > 1:
                cells = [None if cell is None or cell != cell else str(cell) for cell in cells]
            return pl.Series(values=cells)
        series: pl.Series = nw.from_native(values, series_only=True).to_polars()
        return series
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        raise DataError(f"{where}: is not a column of text, categories, numbers or booleans") from None


def as_text(values: Any, where: str) -> pl.Series:
    """Group values of any kind as text, null where nothing is recorded.

    ``2``, ``2.0`` and ``"2"`` are the same group; blank text is nothing, and so are the words that programs write for
    it, such as ``nan``. Raises DataError.
    """
    series = as_series(values, where)
    try:
        if series.dtype.is_float():
            series = series.fill_nan(None)
            if (series == series.round()).all() and series.is_finite().all():
                series = series.cast(pl.Int64)
        return recorded(series)
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: is not a column of text, categories, numbers or booleans") from None


def outcome_status(outcome: Any) -> np.ndarray:
    """(n,) 0, 1, or 2 where the outcome is missing. Raises DataError for anything else."""
    try:
        values = as_series(outcome, "outcome").cast(pl.Float64).fill_nan(None)
    except pl.exceptions.PolarsError:
        raise DataError("outcome: must be 0, 1 or missing") from None
    wrong = (~values.drop_nulls().is_in([0.0, 1.0])).sum()
    if wrong:
        raise DataError(f"outcome: {wrong} rows hold something other than 0, 1 or missing")
    return np.asarray(values.fill_null(2.0).cast(pl.Int8).to_numpy())


def flags(selected: Any, where: str = "selected") -> np.ndarray:
    """(n,) bool. Raises DataError unless every row says true or false (or 1 or 0)."""
    series = as_series(selected, where)
    try:
        values = series.cast(pl.Float64)
    except pl.exceptions.PolarsError:
        values = pl.Series([None], dtype=pl.Float64)
    if values.null_count() or not values.is_in([0.0, 1.0]).all():
        raise DataError(f"{where}: every row must say true or false (or 1 or 0)")
    return np.asarray(values.to_numpy() == 1.0)


def cluster_codes(clusters: Any, rows: int) -> np.ndarray | None:
    """(n,) a number from 0 for each row, equal where the cluster is; None where every row stands alone.

    Raises DataError if there is not one cluster for each row.
    """
    if clusters is None:
        return None
    ids = as_series(clusters, "clusters").alias("cluster")
    if ids.len() != rows or ids.null_count():
        raise DataError(f"clusters: {ids.len() - ids.null_count()} for {rows} rows; there must be one for each")
    if ids.n_unique() == rows:
        return None
    first = ids.to_frame().with_row_index("row").select(pl.col("row").first().over("cluster"))
    return np.asarray(first.to_series().cast(pl.Int64).to_numpy())


def code_groups(name: str, values: pl.Series, spec: Protected, policy: Policy) -> Attribute | str:
    """Code one protected characteristic, or say why it cannot be audited.

    Parameters
    ----------
    values : (n,) text, null where not recorded

    Raises
    ------
    StudyError
        if the reference named in the study is not one of the groups, or one of those that are not known; if a label
        makes a group of what is read as nothing recorded.
    """
    banded = in_bands(values, spec.bands) if spec.bands else values
    if banded.null_count() == banded.len():
        return NOBODY
    distinct = banded.drop_nulls().unique().sort()
    words = {_plainly(word) for word in (*policy.missing.words, NOT_RECORDED)}
    _refuse_labels_of_nothing(name, spec, words)
    if not spec.bands and (numbers := _unnamed_numbers(distinct, spec, words)) > MOST_NUMBERS:
        return f"It has {numbers} different numbers; give bands, or labels that name them."
    if distinct.len() > policy.most_groups:
        return (
            f"It has {distinct.len()} different values, more than the {policy.most_groups} that can be audited; "
            "group them, or name bands."
        )
    groups, labels, position = _groups_and_labels(distinct.to_list(), spec, words)
    if banded.null_count() and NOT_RECORDED not in labels:
        groups, labels = [*groups, NOT_RECORDED], [*labels, NOT_RECORDED]
    unknown = tuple(
        _plainly(label) in words or _plainly(group) in words for group, label in zip(groups, labels, strict=True)
    )
    if all(unknown):
        return NOBODY
    codes = banded.fill_null(NOT_RECORDED).replace_strict(
        {NOT_RECORDED: len(groups) - 1, **position}, return_dtype=pl.Int32
    )
    sizes = np.bincount(codes.to_numpy(), minlength=len(groups))
    reference = _reference(name, spec, groups, labels, unknown, sizes)
    return Attribute(
        name,
        spec.words or name.replace("_", " "),
        spec.law,
        codes.to_numpy(),
        tuple(groups),
        tuple(labels),
        unknown,
        reference,
        finite(values).fill_null(np.nan).to_numpy() if spec.bands else None,
    )


def _refuse_labels_of_nothing(name: str, spec: Protected, unknown: set[str]) -> None:
    for value, label in spec.labels.items():
        if value.casefold() in EMPTY and _plainly(label) not in unknown:
            raise StudyError(
                f"protected.{name}.labels: {value!r} is read as nothing recorded, so it cannot be {label!r}; write "
                "another code for that group in the data"
            )


def _unnamed_numbers(distinct: pl.Series, spec: Protected, unknown: set[str]) -> int:
    """How many numbers a column has that no label names; none where it has words too, but for the unknown."""
    values = [value for value in distinct.to_list() if value not in spec.labels and _plainly(value) not in unknown]
    numbers = pl.Series(values, dtype=pl.String).cast(pl.Float64, strict=False)
    return 0 if numbers.null_count() else numbers.len()


def _groups_and_labels(
    distinct: list[str], spec: Protected, unknown: set[str]
) -> tuple[list[str], list[str], dict[str, int]]:
    """Groups in the order they are shown: bands upwards, the study's labels as it gives them, then the others as they
    count or by name; people who are not in any group last.

    Values that share a label are one group, named by the first of them.
    """
    by_label: dict[str, list[str]] = {}
    for value in distinct:
        by_label.setdefault(spec.labels.get(value, value), []).append(value)
    given = band_labels(spec.bands) if spec.bands else tuple(dict.fromkeys(spec.labels.values()))
    places = {label: place for place, label in enumerate(given)}

    def place_of(label: str) -> tuple[bool, bool, int, list[tuple[bool, int, str]]]:
        return _plainly(label) in unknown, label == NOT_RECORDED, places.get(label, len(places)), _as_counted(label)

    labels = sorted(by_label, key=place_of)
    groups = [by_label[label][0] for label in labels]
    position = {value: place for place, label in enumerate(labels) for value in by_label[label]}
    return groups, labels, position


def _plainly(word: str) -> str:
    """In whatever case, with whatever apostrophe and blanks."""
    return " ".join(word.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold().split())


def _as_counted(label: str) -> list[tuple[bool, int, str]]:
    """A key under which 2 stands before 10, in ``Stage 2`` as well."""
    parts = re.split(r"([0-9]+)", label)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _reference(
    name: str, spec: Protected, groups: list[str], labels: list[str], unknown: tuple[bool, ...], sizes: np.ndarray
) -> int:
    known = [label for label, is_unknown in zip(labels, unknown, strict=True) if not is_unknown]
    if spec.reference is not None:
        for names in (groups, labels):
            if spec.reference in names:
                place = names.index(spec.reference)
                if unknown[place]:
                    raise StudyError(
                        f"protected.{name}.reference: {spec.reference!r} says that the group is not known; name one of "
                        f"the others ({', '.join(known)})"
                    )
                return place
        raise StudyError(
            f"protected.{name}.reference: {spec.reference!r} is not one of the groups ({', '.join(sorted(labels))})"
        )
    return int(np.argmax(np.where(unknown, -1, sizes)))


def not_audited(
    laws: tuple[str, ...], audited: set[str], excused: Mapping[str, str], refused: Mapping[str, tuple[str, str]]
) -> tuple[dict[str, Any], ...]:
    """What was not audited, each with its reason and whether the study accepts that.

    Parameters
    ----------
    laws : the characteristics that must be audited or excused
    audited : those of them that were
    excused : characteristic -> the study's reason
    refused : attribute -> (its law, why it could not be audited); an excuse does not hide that it was supplied
    """
    rows = []
    for attribute, (law, reason) in refused.items():
        if law not in laws:
            rows.append({"attribute": attribute, "reason": reason, "accepted": False})
    for law in laws:
        if law not in audited:
            why = " ".join(dict.fromkeys(reason for of, reason in refused.values() if of == law))
            if law not in excused:
                reason = why or "It was not supplied, and no reason is given."
            elif why:
                reason = f"{excused[law].rstrip('. ')}. It was supplied, and could not be audited: {why}"
            else:
                reason = excused[law]
            rows.append({"attribute": law, "reason": reason, "accepted": law in excused})
    return tuple(rows)
