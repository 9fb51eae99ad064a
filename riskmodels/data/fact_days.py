"""The day of the fact behind a feature: "absent 23 days" is worth more to a worker who also reads of when that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from riskmodels.data.aggregations import DAY_OF_VALUE
from riskmodels.data.batches import Asked, known_then, taken_of_facts
from riskmodels.data.features import FeatureSpec, asked_for, by_source
from riskmodels.data.queries import days
from riskmodels.data.tables import Tables
from riskmodels.study import OF_A_SOURCE, StudyFile

EPOCH = 719_163  # 1 January 1970, counted as `riskmodels.data.queries.days` does


def days_of_facts(
    rows: pl.DataFrame, specs: Sequence[FeatureSpec], tables: Tables, study: StudyFile
) -> dict[str, pl.Series]:
    """Feature -> the day of the fact behind it, for each cohort row; null where there is no such fact.

    - of what is taken ``latest`` or ``first``: the day on which the very fact happened whose value it is;
    - of anything else that has a ``stale_after``: the day of the latest such fact in the feature's window; of an
      attribute the day of the row that holds, which a table without dates does not know.

    Other features have no entry: a count has many days. Only facts that the feature itself may see are looked at, and
    nobody has a day from a source that does not cover them.

    Parameters
    ----------
    rows : entity_id and as_of_date, one row each
    """
    wanted = [spec for spec in specs if spec.take in DAY_OF_VALUE or spec.stale_after is not None]
    if rows.is_empty() or not wanted:
        return {}
    found: dict[str, pl.Series] = {}
    for several, members, covered in by_source(rows, wanted, tables):
        table = tables[several[0].source]
        before = taken_of_facts(list(_asked(several, study)), tables, members)
        ordinals = {name: days(rows["as_of_date"]) - ago for name, ago in before.items()}
        if table.is_dated:
            when = "event_date" if table.is_facts else "known_date"
            of_rows = [spec.name for spec in several if spec.take in OF_A_SOURCE]
            ordinals |= dict.fromkeys(of_rows, known_then(table, when, members)) if of_rows else {}
        for name, ordinal in ordinals.items():
            day = (ordinal - EPOCH).cast(pl.Int32).cast(pl.Date).alias(name)
            found[name] = day if covered is None else day.zip_with(covered, pl.Series([None], dtype=pl.Date))
    return {spec.name: found[spec.name] for spec in wanted if spec.name in found}


def _asked(specs: list[FeatureSpec], study: StudyFile) -> Iterator[Asked]:
    for spec in specs:
        if spec.take in OF_A_SOURCE:
            continue
        if spec.take in DAY_OF_VALUE:
            yield replace(asked_for(spec.name, spec.of, spec, study), day=True)
        else:
            yield replace(asked_for(spec.name, spec.of, spec, study), take="days_since_last", than=None)
