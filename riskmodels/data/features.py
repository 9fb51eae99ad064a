"""What was known of each person before each as-of date, as columns.

Facts are tallied long and sparse, once for all as-of dates (`riskmodels.data.tallies`), and go wide only here. What a
line may ``take`` is a row of `riskmodels.data.aggregations.AGGREGATIONS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.caching import NO_CACHE, Steps
from riskmodels.data.aggregations import AGGREGATIONS, NOUGHT_WHEN_NOTHING
from riskmodels.data.batches import Asked, known_then, taken_of_facts
from riskmodels.data.cohort import Cohort
from riskmodels.data.members import Members
from riskmodels.data.queries import days
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Table, Tables
from riskmodels.data.windows import DAYS_IN_A_YEAR
from riskmodels.errors import StudyError
from riskmodels.study import EACH, OF_A_SOURCE, FeatureLine, Period, PlannedColumn, StudyFile

__all__ = [
    "AGGREGATIONS",
    "DAYS_IN_A_YEAR",
    "NOUGHT_WHEN_NOTHING",
    "FeatureSpec",
    "Features",
    "build_features",
    "plan_features",
]
OF_ONE_VALUE = ("latest", "first", "mode", "attribute")
OF_DAYS = ("days_since_first", "days_since_last")
# What it means where nothing is recorded.
UNKNOWN, NEVER, NEVER_OR_UNSEEN, UNSEEN_SOURCE = "unknown", "never", "never or unseen", "unseen"


@dataclass(frozen=True)
class FeatureSpec:
    """One column: what it is made of, how to say it, whom it is about and who may see it.

    ``missing`` is what the encoder does with what is not recorded, and ``nothing`` what that means: it never happened
    (`NEVER`), the source cannot speak of the person (`UNSEEN_SOURCE`: whomever it covers has a number), either of the
    two, or nobody knows. ``each``: (column, value) where only rows with that value count; ``over``, ``gap``, ``than``
    and ``by`` are the line's. What is not ``in_reasons`` counts and is not said.
    """

    name: str
    take: str
    of: str
    last: str
    source: str
    kind: str  # "number" or "category"
    missing: str
    words: str
    high: str | None = None
    low: str | None = None
    value: str | None = None
    about: str = "person"
    seen_by: tuple[str, ...] = ()
    each: tuple[str, str] | None = None
    over: str | None = None
    gap: str | None = None
    than: str | None = None
    by: str | None = None
    says: str = ""  # columns with the same word say the same thing: one reason for all of them
    stale_after: str | None = None
    nothing: str = UNKNOWN
    none: str | None = None
    in_reasons: bool = True


@dataclass(frozen=True)
class Features:
    """``frame``: entity_id, as_of_date, then a column for each spec: Float64 (numbers) or String (categories)."""

    frame: pl.DataFrame
    specs: tuple[FeatureSpec, ...]

    @property
    def names(self) -> list[str]:
        return [spec.name for spec in self.specs]


# ---------------------------------------------------------------- the columns


def plan_features(tables: Tables, study: StudyFile) -> tuple[FeatureSpec, ...]:
    """The columns that the study's feature lines make, in their order.

    Raises
    ------
    StudyError
        if a line takes a date as it stands.
    """
    lines = [(line, study.source_of(line.take[0], line.of)) for line in study.features]
    schemas = {source: tables[source].schema for source in {source for _, source in lines}}
    return tuple(
        _spec(column, line, source, schemas[source], tables, study) for line, source in lines for column in line.columns
    )


def _spec(
    column: PlannedColumn, line: FeatureLine, source: str, schema: pl.Schema, tables: Tables, study: StudyFile
) -> FeatureSpec:
    take, each = column.take, column.each
    kind = "number"
    if take in OF_ONE_VALUE:
        held = schema[line.of.partition(".")[2]]
        if held == pl.Date:
            raise StudyError(f"features ({line.name}).of: {line.of} holds dates; take age, or days since a fact")
        kind = "category" if held == pl.String else "number"

    def said(words: str | None) -> str | None:
        return words.replace(EACH, each[1]) if words and each else words

    words = str(said(line.words))
    if each and EACH not in line.words:
        words += f": {each[1]}"
    if len(line.take) > 1:
        words += f" ({take.replace('_', ' ')})"
    if len(line.last) > 1 and take not in OF_A_SOURCE:
        words += f", {'at any time' if column.last.amount is None else f'last {column.last}'}"
    # Where not everybody is covered, nought is filled in for those who are: the encoder must leave the others alone.
    # The median of a count is most often nought as well.
    of_us = tables[line.by.partition(".")[0] if line.by else source]
    nought = line.missing == "zero" or (line.missing == "median" and take in NOUGHT_WHEN_NOTHING)
    missing = "keep" if nought and of_us.covered is not None else line.missing
    gap, than = (None if period is None else str(period) for period in (line.gap, line.than))
    about = line.about or study.level_of(source)
    return FeatureSpec(
        column.name, take, line.of, str(column.last), source, kind, missing, words, said(line.high), said(line.low),
        line.value, about, line.seen_by, each, line.over, gap, than, line.by,
        line.says or (f"{line.name}: {each[1]}" if each else line.name),
        None if line.stale_after is None else str(line.stale_after),
        _nothing(take, line.missing, everybody=of_us.covered is None and line.by is None),
        said(line.none), line.in_reasons,
    )  # fmt: skip


def _nothing(take: str, missing: str, *, everybody: bool) -> str:
    """What it means where nothing is recorded. ``everybody``: whether the source can speak of everybody."""
    if take in OF_DAYS:
        return NEVER if everybody else NEVER_OR_UNSEEN
    return UNSEEN_SOURCE if take in NOUGHT_WHEN_NOTHING or missing == "zero" else UNKNOWN


# ---------------------------------------------------------------- the matrix


def build_features(cohort: Cohort, tables: Tables, study: StudyFile, steps: Steps = NO_CACHE) -> Features:
    """Every feature of every cohort row, from facts with event_date and known_date before its as-of date.

    Whoever a source does not cover has no feature from it, not even a nought.

    Parameters
    ----------
    steps : each line's columns are a step, made again only if the line or what it is made from has changed

    Returns
    -------
    Features
        ``frame`` has the cohort's rows in the cohort's order.
    """
    specs = plan_features(tables, study)
    lines = {f"features.{line.name}": line for line in study.features}
    columns = {name: [column.name for column in line.columns] for name, line in lines.items()}

    def make(names: list[str]) -> dict[str, pl.DataFrame]:
        wanted = {column for name in names for column in columns[name]}
        made = _columns(cohort.rows, [spec for spec in specs if spec.name in wanted], tables, study)
        return {name: pl.DataFrame([made.pop(column) for column in columns[name]]) for name in names}

    wanted: dict[str, dict[str, Any]] = {name: {} for name in lines}
    if steps.folder is not None:
        of_cohort = storage.sha256(cohort.rows.select("entity_id", "as_of_date").write_csv().encode())
        wanted = {name: {"cohort": of_cohort, **_made_from(line, tables, study)} for name, line in lines.items()}
    made = steps.frames(wanted, make)
    rows = cohort.rows.select("entity_id", "as_of_date")
    return Features(rows.hstack([column for name in lines for column in made[name].get_columns()]), specs)


def _columns(
    rows: pl.DataFrame, specs: Sequence[FeatureSpec], tables: Tables, study: StudyFile
) -> dict[str, pl.Series]:
    """The columns of these specs, for rows with entity_id and as_of_date."""
    if rows.is_empty():
        return {
            spec.name: pl.Series(spec.name, [], pl.String if spec.kind == "category" else pl.Float64) for spec in specs
        }
    zeros = {column.name for line in study.features if line.missing == "zero" for column in line.columns}
    made: dict[str, pl.Series] = {}
    for several, members, covered in by_source(rows, specs, tables):
        table, dates = tables[several[0].source], rows["as_of_date"]
        taken = _of_attributes(several, table, members, dates) | _of_facts(several, tables, study, members)
        for spec in several:
            made[spec.name] = _finished(spec, taken.pop(spec.name), spec.name in zeros, covered)
    return made


def by_source(
    rows: pl.DataFrame, specs: Sequence[FeatureSpec], tables: Tables
) -> Iterator[tuple[list[FeatureSpec], Members, pl.Series | None]]:
    """The specs of each source: for whom its facts are tallied, and whether it can speak of each row (None: of all)."""
    dates = rows["as_of_date"]
    together: dict[tuple[str, str | None], list[FeatureSpec]] = {}
    for spec in specs:
        together.setdefault((spec.source, spec.by), []).append(spec)
    ours = Members.of(rows["entity_id"], dates)
    for (source, by), several in together.items():
        if by is None:
            yield several, ours, _covered(tables[source], rows["entity_id"], dates)
            continue
        # Our own column holds the id of the household or place whose facts these are.
        our_source, _, column = by.partition(".")
        ids = known_then(tables[our_source], column, ours).cast(pl.String)
        yield several, Members.of(ids, dates), _covered(tables[our_source], rows["entity_id"], dates)


def _of_facts(specs: Sequence[FeatureSpec], tables: Tables, study: StudyFile, members: Members) -> dict[str, pl.Series]:
    asked, halves = [], {}
    for spec in specs:
        if spec.take not in OF_A_SOURCE:
            asked.append(asked_for(spec.name, spec.of, spec, study))
            if AGGREGATIONS[spec.take].with_over is not None:
                halves[spec.name] = f"{spec.name} (over)"
                asked.append(asked_for(halves[spec.name], str(spec.over), spec, study))
    taken = taken_of_facts(asked, tables, members)
    for spec in specs:
        with_over = AGGREGATIONS[spec.take].with_over if spec.name in halves else None
        if with_over is not None:
            upper, lower = (
                taken.pop(name).fill_null(float("nan")).to_numpy() for name in (spec.name, halves[spec.name])
            )
            taken[spec.name] = pl.Series(with_over(upper, lower), nan_to_null=True)
    return taken


def asked_for(name: str, of: str, spec: FeatureSpec, study: StudyFile) -> Asked:
    """What a spec asks of its source's facts, under a name."""
    head, _, column = of.partition(".")
    gap, than = (None if text is None else Period.parse(text) for text in (spec.gap, spec.than))
    return Asked(name, spec.take, study.facts[head], column or None, Period.parse(spec.last), gap, than, spec.each)


def _of_attributes(
    specs: Sequence[FeatureSpec], table: Table, members: Members, dates: pl.Series
) -> dict[str, pl.Series]:
    taken = {}
    for spec in specs:
        if spec.take in OF_A_SOURCE:
            value = known_then(table, spec.of.partition(".")[2], members)
            if spec.take == "age":
                value = (days(dates) - value) * (1 / DAYS_IN_A_YEAR)
            taken[spec.name] = value
    return taken


def _covered(table: Table, ids: pl.Series, dates: pl.Series) -> pl.Series | None:
    """Whether the source can speak of each row; None if of everybody."""
    return None if table.covered is None else covered_on(table.covered, ids, dates)


def _finished(spec: FeatureSpec, series: pl.Series, zero: bool, covered: pl.Series | None) -> pl.Series:
    series = series.cast(pl.String if spec.kind == "category" else pl.Float64).alias(spec.name)
    if zero and spec.kind == "number":
        series = series.fill_null(0.0)
    return series if covered is None else series.zip_with(covered, pl.Series([None], dtype=series.dtype))


# ---------------------------------------------------------------- what a line is made from


def _made_from(line: FeatureLine, tables: Tables, study: StudyFile) -> dict[str, Any]:
    """Everything that a line's columns depend on, but for the cohort: definitions, and digests of what was read."""
    facts = {of.partition(".")[0] for of in (line.of, line.over) if of and set(line.take) - set(OF_A_SOURCE)}
    sources = {study.source_of(take, line.of) for take in line.take} | {study.facts[fact].source for fact in facts}
    if line.by:
        sources.add(line.by.partition(".")[0])
    return {
        "line": line.model_dump(mode="json"),
        "facts": {name: study.facts[name].model_dump(mode="json") for name in sorted(facts)},
        "tables": tables.digests(sources),
    }
