"""Do the words by which a study joins and divides its tables occur in them? If not, a mistake looks like silence."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw

from riskmodels.data.tables import Table, Tables
from riskmodels.errors import DataError
from riskmodels.study import StudyFile


def check_joins(tables: Tables, study: StudyFile) -> None:
    """Refuse a ``by`` that meets nobody, and an ``each`` that names what never occurs.

    Raises
    ------
    DataError
        naming the key of the study; the values are the study's own words, or none are shown.
    """
    for where, source, by in _joins(study):
        ours, _, column = by.partition(".")
        if source not in tables.tables or ours not in tables.tables:
            continue  # scoring reads no audit sources
        codes = _values(tables[ours], column)
        if codes and not codes & _values(tables[source], "entity_id"):
            raise DataError(
                f"{where}.by: none of the values of {by} is an id of {source}; write both alike (case, blanks, noughts)"
            )
    for index, line in enumerate(study.features):
        for column, values in (line.each or {}).items():
            source = study.source_of(line.take[0], line.of)
            missing = sorted(set(values) - _values(tables[source], column))
            if missing:
                raise DataError(
                    f"features[{index}] ({line.name}).each: {missing[0]!r} does not occur in {source}.{column}"
                )


def _joins(study: StudyFile) -> Iterator[tuple[str, str, str]]:
    for index, line in enumerate(study.features):
        if line.by:
            yield f"features[{index}] ({line.name})", study.source_of(line.take[0], line.of), line.by
    for name, spec in study.protected.items():
        if spec.by:
            yield f"protected.{name}", spec.column.split(".")[0], spec.by


def _values(table: Table, column: str) -> set[str]:
    found = table.scan().select(nw.col(column).cast(nw.String)).unique().collect().to_polars()[column]
    return set(found.drop_nulls().to_list())
