"""The quality of the data as counts: what is missing, how late it comes, whom each source speaks of, where it breaks.

Everything here is exact and for the run alone. `riskmodels.assessment.profile_disclosure` makes of it what may be
shown: rates, intervals, gaps between groups, and no number of fewer than ten people.

People come again on many dates, and not all for equally long: each one's last row would be, for whoever left, the row
in which they left. Where groups are compared, it is on one date for all, so that the numbers add up to that date's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.attrition import attrition_differences
from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features
from riskmodels.data.group_names import name_groups
from riskmodels.data.linkage import linkage, linkage_by_date
from riskmodels.data.one_each import count_groups
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.recording import facts_by_month, recording_lag
from riskmodels.data.tables import KEYS, Table, Tables
from riskmodels.study import Register, StudyFile

ROW = ["entity_id", "as_of_date"]
ENOUGH_EVENTS = 10  # for each candidate column: the simple floor (Peduzzi 1996), until a sample size is worked out
Row = dict[str, Any]
Rows = tuple[Row, ...]


@dataclass(frozen=True)
class Profile:
    """Tidy rows, each a dict of plain values; ``n`` counts rows or people, and stands beside what is a part of it.

    register : {source, ...}, each entry of the register but its columns
    quality : {source, rows, entities, ...}, as `riskmodels.data.tables.Tables.quality` holds them
    attrition : {as_of_date, step, dropped, remaining}
    attrition_differences : see `riskmodels.data.attrition.attrition_differences`
    outcome_status : {as_of_date, known, immature, unobserved, events} and a count for each exit
    outcome_by_group : {attribute, group, reference, as_of_date, n, unobserved}, on the latest as-of date on which it is
        for nobody too early to know; no rows where there is no such date
    enough : {rows, events, people, columns, floor}, over all dates whose outcome is known
    features : {feature, words, source, take, last, missing, about, seen_by}
    feature_missing : {feature, as_of_date, n, missing}; as_of_date None is all dates together
    feature_missing_by_group : {feature, attribute, group, reference, as_of_date, n, missing}, on the latest as-of date
    column_missing : {source, column, n, missing}, of the source's own rows
    recording_lag : {source, known_date_recorded, quarter, n, median, most, people, undated}, in days; quarter None is
        all of them. 95 of 100 do not exceed ``most``; there are at least so many ``people``
    facts_by_month : {source, kind, month, facts, people}; kind None where the source names none
    breaks : {date, what, sources}, as the study declares them; no sources means all of them
    linkage : {source, how, attribute, group, reference, n, covered}; attribute and group None is everybody
    linkage_by_date : {source, as_of_date, n, covered}
    """

    study: str
    title: str
    level: str
    register: Rows
    quality: Rows
    attrition: Rows
    attrition_differences: Rows
    outcome_status: Rows
    outcome_by_group: Rows
    enough: Row
    features: Rows
    feature_missing: Rows
    feature_missing_by_group: Rows
    column_missing: Rows
    recording_lag: Rows
    facts_by_month: Rows
    breaks: Rows
    linkage: Rows
    linkage_by_date: Rows

    def to_dict(self) -> Row:
        """Plain JSON values: dates as ISO text."""
        plain: Row = _plain(asdict(self))
        return plain


def build_profile(
    tables: Tables,
    cohort: Cohort,
    outcomes: Outcomes,
    features: Features,
    groups: pl.DataFrame | None,
    study: StudyFile,
    register: Register,
) -> Profile:
    """The quality profile of a study's data.

    Parameters
    ----------
    groups : entity_id, as_of_date and a column for each protected characteristic, for the cohort's rows
        (`riskmodels.data.groups.build_groups`); None or rows that are lacking count as not recorded
    """
    named = _named(cohort, groups, study)
    facts = [table for table in tables.tables.values() if table.is_facts]
    months = [row for table in facts for row in facts_by_month(table)]
    return Profile(
        study=study.study,
        title=study.title,
        level=study.level,
        register=tuple(
            {"source": name, "use": source.use, **register.sources[name].model_dump(exclude={"columns"})}
            for name, source in study.sources.items()
        ),
        quality=tuple(dict(row) for row in tables.quality),
        attrition=tuple(cohort.attrition.to_dicts()),
        attrition_differences=attrition_differences(cohort, tables, study),
        outcome_status=tuple(outcomes.status_table().to_dicts()),
        outcome_by_group=tuple(_outcome_by_group(outcomes, named, study)),
        enough=_enough(outcomes, features),
        features=tuple(_feature_lines(features, study, register)),
        feature_missing=tuple(_feature_missing(features)),
        feature_missing_by_group=tuple(_feature_missing_by_group(features, named, study)),
        column_missing=tuple(row for table in tables.tables.values() for row in column_missing(table)),
        recording_lag=tuple(row for table in facts for row in recording_lag(table, months)),
        facts_by_month=tuple(months),
        breaks=tuple(
            {"date": one.date, "what": one.what, "sources": _sources_of(one.affects, study)} for one in study.breaks
        ),
        linkage=tuple(linkage(tables, cohort, named, study)),
        linkage_by_date=tuple(linkage_by_date(tables, cohort)),
    )


def _named(cohort: Cohort, groups: pl.DataFrame | None, study: StudyFile) -> pl.DataFrame:
    """The names of the groups of each cohort row."""
    rows = cohort.rows.select(ROW)
    if groups is None:
        return rows
    beside = rows.join(groups, on=ROW, how="left", maintain_order="left", validate="1:1")
    return name_groups(beside, study)


# ---------------------------------------------------------------- missing


def _feature_missing(features: Features) -> Iterator[Row]:
    nulls = [pl.col(name).null_count().alias(name) for name in features.names]
    everything = features.frame.select(pl.len().alias("n"), *nulls).to_dicts()[0]
    by_date = features.frame.group_by("as_of_date").agg(pl.len().alias("n"), *nulls).sort("as_of_date").to_dicts()
    for name in features.names:
        for row in ({"as_of_date": None, **everything}, *by_date):
            yield {"feature": name, "as_of_date": row["as_of_date"], "n": row["n"], "missing": row[name]}


def _feature_missing_by_group(features: Features, named: pl.DataFrame, study: StudyFile) -> Iterator[Row]:
    flags = {name: f"missing {name}" for name in features.names}  # a feature may be called as a characteristic is
    missing = features.frame.select(*ROW, *(pl.col(name).is_null().alias(flag) for name, flag in flags.items()))
    last = named["as_of_date"].max()
    rows = named.filter(pl.col("as_of_date") == pl.col("as_of_date").max()).join(
        missing, on=ROW, how="left", validate="1:1"
    )
    groups = list(count_groups(rows, list(flags.values()), study))
    for name, flag in flags.items():
        for who, counts in groups:
            yield {"feature": name, **who, "as_of_date": last, "n": counts["n"], "missing": counts[flag]}


def column_missing(table: Table) -> Iterator[Row]:
    """How many of a source's own rows have no value, for each of its columns."""
    names = [name for name in table.schema.names() if name not in KEYS]
    if not names:
        return
    # Spark adds up no truths, only numbers.
    nulls = [nw.col(name).is_null().cast(nw.Int64).sum().alias(name) for name in names]
    counts = table.scan().select(nw.len().alias("number of rows"), *nulls).collect().to_polars().to_dicts()[0]
    for name in names:
        yield {"source": table.name, "column": name, "n": counts["number of rows"], "missing": int(counts[name] or 0)}


# ---------------------------------------------------------------- outcomes and features


def _outcome_by_group(outcomes: Outcomes, named: pl.DataFrame, study: StudyFile) -> Iterator[Row]:
    too_early = (pl.col("outcome_status") == "immature").any().over("as_of_date")
    mature = outcomes.frame.filter(~too_early)
    last = mature["as_of_date"].max()
    unobserved = (pl.col("outcome_status") == "unobserved").alias("is unobserved")
    status = mature.filter(pl.col("as_of_date") == pl.col("as_of_date").max()).select(*ROW, unobserved)
    rows = named.join(status, on=ROW, how="inner", validate="1:1")
    for who, counts in count_groups(rows, ["is unobserved"], study):
        yield {**who, "as_of_date": last, "n": counts["n"], "unobserved": counts["is unobserved"]}


def _enough(outcomes: Outcomes, features: Features) -> Row:
    known = outcomes.frame.filter(pl.col("outcome").is_not_null())
    events = known.filter(pl.col("outcome") == 1)
    return {
        "rows": known.height,
        "events": events.height,
        "people": events["entity_id"].n_unique(),
        "columns": len(features.specs),
        "floor": ENOUGH_EVENTS,
    }


def _sources_of(affects: Sequence[str], study: StudyFile) -> list[str]:
    """The sources of facts and sources that are named."""
    return sorted({study.facts[word].source if word in study.facts else word for word in affects})


def _feature_lines(features: Features, study: StudyFile, register: Register) -> Iterator[Row]:
    words = {spec.name: spec.words for spec in features.specs}
    for line in study.features:
        for column in line.columns:
            source = study.source_of(column.take, line.of)
            entry = register.sources[source]
            yield {
                "feature": column.name,
                "words": words.get(column.name, line.words),
                "source": source,
                "take": column.take,
                "last": str(column.last),
                "missing": line.missing,
                "about": line.about or entry.about,
                "seen_by": list(line.seen_by or entry.seen_by),
            }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, dt.date) else value
