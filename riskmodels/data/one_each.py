"""Counts of people by group, in which each person counts once although they come again on many dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from riskmodels.data.group_names import in_order, reference_of
from riskmodels.study import StudyFile


def latest_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Each person's row of the latest as-of date, of rows with entity_id and as_of_date."""
    return rows.sort("as_of_date", maintain_order=True).unique("entity_id", keep="last", maintain_order=True)


def count_groups(
    rows: pl.DataFrame, parts: list[str], study: StudyFile
) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Each group as {attribute, group, reference}, and its counts: ``n`` and one for each part.

    Parameters
    ----------
    rows : one for each person, with a column of names for each characteristic and Boolean ``parts``
    """
    for attribute in (name for name in study.protected if name in rows.columns):
        spec = study.protected[attribute]
        counts = rows.group_by(attribute).agg(pl.len().alias("n"), *(pl.col(part).sum() for part in parts))
        found = {row.pop(attribute): row for row in counts.to_dicts()}
        reference = reference_of({group: row["n"] for group, row in found.items()}, spec)
        for group in in_order(list(found), spec):
            yield {"attribute": attribute, "group": group, "reference": group == reference}, found[group]
