"""What the service itself says of a cohort: whom its rules leave off, who is of which team, and who lives together.

A row without one of its dates says that something happened, not when: a rule holds wherever it may (`holds` with
``undated="may"``), since to leave somebody off costs less than to ring the bereaved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import polars as pl

from riskmodels.data.predicates import Undated, Window, attribute_rows, holds
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile
from riskmodels.study.use import ServiceRule

# Kinds of rule that leave a whole household alone where households are listed: a call or a letter reaches everybody in
# it, so it would reach the bereaved, whoever objected, the record nobody may know of, or the home called last week.
CLOSE_THE_HOUSEHOLD = ("contacted", "died", "objected", "restricted")


def has_service_view(study: StudyFile) -> bool:
    """Whether the service's list is another than the model's: the study has rules, teams, or lists households."""
    return bool(study.service_rules) or study.capacity.by is not None or study.list_unit == "household"


def windows_of(study: StudyFile, as_of: dt.date, today: dt.date | None = None) -> tuple[Window, ...]:
    """What a rule is asked of: what was known before the as-of date and, where a list is made today, what is by today.

    On a relative clock today has no date: all that is recorded is what is known today.
    """
    before = Window.before(as_of)
    if today is None:
        return (before,)
    return before, Window.everything(as_of) if study.clock == "relative" else Window.up_to(today)


def service_view(
    rows: pl.DataFrame,
    tables: Tables,
    study: StudyFile,
    today: dt.date | None = None,
    objectors: Collection[str] = (),
) -> pl.DataFrame:
    """Rules, team and household of each cohort row, as they were known before its as-of date.

    Parameters
    ----------
    rows : cohort rows of any as-of dates: entity_id and as_of_date
    today : the day a list is made on: whoever a rule holds for on either day is left off (`windows_of`)
    objectors : ids of people who objected to being scored: they close their household as a rule of kind objected does

    Returns
    -------
    In the order of ``rows``: entity_id, as_of_date, ``excluded`` (Int16: the place in study.service_rules of the first
    rule that holds, see `first_of`; null where none does), ``already_known`` (Boolean: a rule of that kind holds, first
    or not), ``undated`` (Boolean: no rule would hold but for rows without their dates), ``team`` (String; null without
    teams, and where it is not known), ``household`` (String; null where not known, and unless the study lists
    households) and ``household_closed`` (Boolean), see `households`.
    """
    parts = []
    numbered = rows.with_row_index("row")
    for (as_of,), part in numbered.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        windows = windows_of(study, as_of, today)
        truths = rules_that_hold(part, tables, study, windows)
        known = [true for rule, true in zip(study.service_rules, truths, strict=True) if rule.kind == "already_known"]
        seen = part.select("row", "entity_id", "as_of_date").with_columns(
            first_of(truths, part.height, study).alias("excluded"),
            pl.any_horizontal(known).alias("already_known") if known else pl.lit(False).alias("already_known"),
            _only_undated(part, truths, tables, study, windows).alias("undated"),
            teams_on(part, tables, study, as_of).alias("team"),
            *households(part, tables, study, windows, objectors),
        )
        parts.append(seen)
    return pl.concat(parts).sort("row").drop("row")


def rules_that_hold(
    rows: pl.DataFrame, tables: Tables, study: StudyFile, windows: Sequence[Window], undated: Undated = "may"
) -> list[pl.Series]:
    """For each of the study's rules, whether it is true of each row in any of the windows. Boolean, never null."""
    return [_holds(rule, rows, tables, study, windows, undated) for rule in study.service_rules]


def any_rule_holds(
    kinds: Collection[str], rows: pl.DataFrame, tables: Tables, study: StudyFile, windows: Sequence[Window]
) -> pl.Series:
    """Whether a rule of one of these kinds is true of each row in any of the windows. Boolean, never null."""
    result = pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows.height)
    for rule in study.service_rules:
        if rule.kind in kinds:
            result = result | _holds(rule, rows, tables, study, windows, "may")
    return result


def _holds(
    rule: ServiceRule,
    rows: pl.DataFrame,
    tables: Tables,
    study: StudyFile,
    windows: Sequence[Window],
    undated: Undated,
) -> pl.Series:
    first, *others = (holds(rule.exclude, rows, tables, study, window, undated) for window in windows)
    for other in others:
        first = first | other
    return first


def _only_undated(
    rows: pl.DataFrame, truths: Sequence[pl.Series], tables: Tables, study: StudyFile, windows: Sequence[Window]
) -> pl.Series:
    """Whom rules leave off only since rows lack their dates. ``truths``: where rules may hold."""
    nobody = pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows.height)
    asked = [tables[name].undated for name in study.sources_of([rule.exclude for rule in study.service_rules])]
    if not any(aside is not None and aside.height for aside in asked):
        return nobody
    by_day = rules_that_hold(rows, tables, study, windows, "aside")
    may, does = (pl.select(pl.any_horizontal(each)).to_series() for each in (list(truths), by_day))
    return may & ~does


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
    return _beside(rows, attribute_rows(tables, study.capacity.by, as_of).collect().to_polars()).alias("team")


def _beside(rows: pl.DataFrame, values: pl.DataFrame) -> pl.Series:
    """``value`` of each row as text."""
    found = rows.select("entity_id").join(values, on="entity_id", how="left", maintain_order="left")
    return found["value"].cast(pl.String)


# ---------------------------------------------------------------- households


def households(
    rows: pl.DataFrame, tables: Tables, study: StudyFile, windows: Sequence[Window], objectors: Collection[str] = ()
) -> tuple[pl.Series, pl.Series]:
    """``household``, who lives together by ``cohort.cluster``, and ``household_closed``, whether it is left alone.

    The household is that of the first window. It is the last window's where only that one is known, and where only
    that one is left alone: somebody may have moved, since the as-of date, to where nobody is to be rung. String, null
    for somebody who shares with nobody known; and Boolean.
    """
    if study.list_unit != "household" or study.cohort.cluster is None:
        nobody = pl.Series("household", [None], dtype=pl.String).new_from_index(0, rows.height)
        return nobody, pl.Series("household_closed", [False], dtype=pl.Boolean).new_from_index(0, rows.height)
    closed = _left_alone(tables, study, windows, objectors)
    home, *later = (
        _beside(rows, attribute_rows(tables, study.cohort.cluster, window.attributes_by).collect().to_polars())
        for window in windows
    )
    alone = home.is_in(closed.implode()).fill_null(False)
    for now in later:
        alone_now = now.is_in(closed.implode()).fill_null(False)
        home = home.zip_with(home.is_not_null() & (alone | ~alone_now), now)
        alone = alone | alone_now
    return home.alias("household"), alone.alias("household_closed")


def _left_alone(tables: Tables, study: StudyFile, windows: Sequence[Window], objectors: Collection[str]) -> pl.Series:
    """The households of everybody, in the cohort or not, whom a rule that closes them holds for, or who objected.

    Somebody's households are the last that was recorded by each window's day, and any without a day: of the dead none
    is recorded any more.
    """
    column = str(study.cohort.cluster)
    homes = [pl.DataFrame(schema={"entity_id": pl.String, "value": pl.String})]
    for window in windows:
        recorded = attribute_rows(tables, column, window.attributes_by, filled=True).collect().to_polars()
        homes.append(recorded.select("entity_id", pl.col("value").cast(pl.String)))
    source, _, name = column.partition(".")
    if (aside := tables[source].undated) is not None:
        known = pl.col("known_date").is_null() | (pl.col("known_date") < max(each.known_by for each in windows))
        homes.append(aside.filter(known).select("entity_id", pl.col(name).cast(pl.String).alias("value")).drop_nulls())
    every = pl.concat(homes).unique()
    people = every.select(pl.col("entity_id").unique().sort())
    alone = any_rule_holds(CLOSE_THE_HOUSEHOLD, people, tables, study, windows)
    alone = alone | people["entity_id"].is_in(list(objectors))
    return every.join(people.filter(alone), on="entity_id", how="semi")["value"].unique()


def closed_households(excluded: pl.Series, household: pl.Series, rules: Sequence[ServiceRule]) -> set[str]:
    """Households of one list that are left alone since a rule of a kind that closes them holds for somebody in it.

    Parameters
    ----------
    excluded, household : (n,) as `service_view` gives them, of one as-of date (all parts of a cohort together)
    """
    return set(household.filter(excluded.is_in(closing_places(rules))).drop_nulls())


def closing_places(rules: Sequence[ServiceRule]) -> list[int]:
    """The places of the rules that leave a whole household alone."""
    return [place for place, rule in enumerate(rules) if rule.kind in CLOSE_THE_HOUSEHOLD]
