"""What the service itself says of a cohort: whom its rules leave off, who is of which team, and who lives together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from riskmodels.data.predicates import Window, attribute_rows, holds
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile
from riskmodels.study.use import ServiceRule

# Kinds of rule that leave a whole household alone where households are listed: a call or a letter reaches everybody in
# it, so it would reach the bereaved, whoever objected, the record nobody may know of, or the home called last week.
CLOSE_THE_HOUSEHOLD = ("contacted", "died", "objected", "restricted")


def has_service_view(study: StudyFile) -> bool:
    """Whether the service's list is another than the model's: the study has rules, teams, or lists households."""
    return bool(study.service_rules) or study.capacity.by is not None or study.list_unit == "household"


def service_view(rows: pl.DataFrame, tables: Tables, study: StudyFile) -> pl.DataFrame:
    """Rules, team and household of each cohort row, as they were known before its as-of date.

    Parameters
    ----------
    rows : cohort rows of any as-of dates: entity_id, as_of_date and cluster_id

    Returns
    -------
    In the order of ``rows``: entity_id, as_of_date, ``excluded`` (Int16: the place in study.service_rules of the first
    rule that holds, see `first_of`; null where none does), ``already_known`` (Boolean: a rule of that kind holds, first
    or not), ``team`` (String; null without teams, and where it is not known), ``household`` (String; null unless the
    study lists households).
    """
    parts = []
    numbered = rows.with_row_index("row")
    for (as_of,), part in numbered.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        truths = rules_that_hold(part, tables, study, as_of)
        known = [true for rule, true in zip(study.service_rules, truths, strict=True) if rule.kind == "already_known"]
        seen = part.select("row", "entity_id", "as_of_date").with_columns(
            first_of(truths, part.height, study).alias("excluded"),
            pl.any_horizontal(known).alias("already_known") if known else pl.lit(False).alias("already_known"),
            teams_on(part, tables, study, as_of).alias("team"),
            households(part, study).alias("household"),
        )
        parts.append(seen)
    return pl.concat(parts).sort("row").drop("row")


def excluded_because(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.Series:
    """Why each person of the cohort is left off the list, by the first rule that holds; null where none does.

    Parameters
    ----------
    rows : the cohort on ``as_of``, with ``entity_id``
    """
    first = first_of(rules_that_hold(rows, tables, study, as_of), rows.height, study)
    because = {place: rule.because for place, rule in enumerate(study.service_rules)}
    return first.replace_strict(because, return_dtype=pl.String, default=None).alias("excluded")


def rules_that_hold(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> list[pl.Series]:
    """For each of the study's rules, whether it is true of each row. Boolean, never null."""
    return [holds(rule.exclude, rows, tables, study, Window.before(as_of)) for rule in study.service_rules]


def first_of(truths: Sequence[pl.Series], rows: int, study: StudyFile) -> pl.Series:
    """The place in the study of the first rule that is true of each row, Int16; null where none is.

    Where households are listed, rules that leave the household alone come before the others: of somebody who has help
    and has died, what counts for those they live with is the death.
    """
    places = list(range(len(truths)))
    if study.list_unit == "household":
        places.sort(key=lambda place: study.service_rules[place].kind not in CLOSE_THE_HOUSEHOLD)
    first = pl.Series("excluded", [None], dtype=pl.Int16).new_from_index(0, rows)
    for place in reversed(places):
        first = first.zip_with(~truths[place], pl.Series([place], dtype=pl.Int16).new_from_index(0, rows))
    return first


def teams_on(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.Series:
    """The team of each row by ``capacity.by``, as it was known then. String; null where not known, or without teams."""
    if study.capacity.by is None:
        return pl.Series("team", [None], dtype=pl.String).new_from_index(0, rows.height)
    values = attribute_rows(tables, study.capacity.by, as_of).collect().to_polars()
    found = rows.select("entity_id").join(values, on="entity_id", how="left", maintain_order="left")
    return found["value"].cast(pl.String).alias("team")


def households(rows: pl.DataFrame, study: StudyFile) -> pl.Series:
    """Who lives together, by ``cohort.cluster``. String; null unless the study lists households."""
    if study.list_unit != "household":
        return pl.Series("household", [None], dtype=pl.String).new_from_index(0, rows.height)
    return rows["cluster_id"].cast(pl.String).alias("household")


def closed_households(excluded: pl.Series, household: pl.Series, rules: Sequence[ServiceRule]) -> set[str]:
    """Households of one list that are left alone since a rule of a kind that closes them holds for somebody in it.

    Parameters
    ----------
    excluded, household : (n,) as `service_view` gives them, of one as-of date (all parts of a cohort together)
    """
    closing = [place for place, rule in enumerate(rules) if rule.kind in CLOSE_THE_HOUSEHOLD]
    return set(household.filter(excluded.is_in(closing)).drop_nulls())
