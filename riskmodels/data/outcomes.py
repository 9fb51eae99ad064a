"""What happened next: 1, 0, or unknown, and why unknown. An unknown outcome is never 0."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.predicates import Window, facts_in, holds, undated_in
from riskmodels.data.recording import nearest_rank
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError
from riskmodels.study import ESTIMATE, Period, StudyFile, fact_word, parts_of

STATUSES = ("known", "immature", "unobserved")


@dataclass(frozen=True)
class Outcomes:
    """Row by row as the cohort.

    ``frame``: entity_id, as_of_date, outcome (Int8, null unless known), outcome_status, and ``exit``: the name of the
    first of ``outcome.exits`` that came about instead, if one did (null otherwise).
    """

    frame: pl.DataFrame
    known_before: dt.date

    def status_table(self) -> pl.DataFrame:
        """as_of_date, how many are known, immature and unobserved, how many events, and a column for each exit."""
        counts = [(pl.col("outcome_status") == status).sum().alias(status) for status in STATUSES]
        exits = self.frame["exit"].drop_nulls().unique().sort().to_list()
        return (
            self.frame.group_by("as_of_date")
            .agg(
                *counts,
                pl.col("outcome").sum().cast(pl.Int64).alias("events"),
                *((pl.col("exit") == name).sum().cast(pl.Int64).alias(name) for name in exits),
            )
            .sort("as_of_date")
        )


def with_lag(study: StudyFile, tables: Tables) -> StudyFile:
    """The study with ``lag: estimate`` put into days: the 95th percentile of known_date - event_date of the outcome.

    Of the facts that have been recorded: those that are still to come in are later than any of these, so the estimate
    errs on the short side where the extract is young.

    Raises
    ------
    DataError
        if no fact that the outcome asks for has been recorded, or its source does not say when it was known.
    """
    if study.outcome.lag != ESTIMATE:
        return study
    lags = []
    for word in _asked_for(study):
        source = study.sources[study.facts[word].source]
        if source.known_date in (None, source.event_date):
            raise DataError(
                f"outcome.lag: estimate needs to know when {word} was recorded, and sources.{study.facts[word].source} "
                "names no known_date of its own; name a lag such as '2 months'"
            )
        whenever = Window(dt.date.max, dt.date.min, dt.date.max, dt.date.max)
        rows = facts_in(tables, study.facts[word], whenever)
        dated = rows.select("event_date", "known_date").collect().to_polars()
        lags.append((dated["known_date"] - dated["event_date"]).dt.total_days())
    every = pl.concat(lags) if lags else pl.Series([], dtype=pl.Int64)
    days = nearest_rank(pl.DataFrame({"days": every}).with_columns(pl.lit(1).alias("n")))
    if days is None:
        raise DataError(
            "outcome.lag: estimate has no recorded outcome to go by; name a lag such as '2 months', or mend the facts"
        )
    lag = Period(days, "day")
    return study.model_copy(update={"outcome": study.outcome.model_copy(update={"lag": lag})})


def build_outcomes(cohort: Cohort, tables: Tables, study: StudyFile, known_before: dt.date) -> Outcomes:
    """The outcome of every cohort row, by what was recorded before ``known_before``.

    An outcome looks at facts with event_date in [as_of, as_of + horizon). It is *immature* until as_of + horizon + lag,
    *unobserved* when nothing says that it did or did not happen, or somebody left by one of ``outcome.exits`` and no
    outcome is recorded of them, and only otherwise *known*. Where it asks for facts of a source that does not cover
    somebody, their silence says nothing.

    A backtest at a past date passes that date, so it learns only from what was recorded by then.
    """
    frames = []
    for (as_of,), rows in cohort.rows.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        window = Window.horizon(as_of, study.outcome.horizon, known_before)
        exit_ = pl.Series("exit", [None] * rows.height, dtype=pl.String)
        if study.outcome.mature_on(as_of) > known_before:
            status = pl.Series("outcome_status", ["immature"] * rows.height, dtype=pl.String)
            outcome = pl.Series("outcome", [None] * rows.height, dtype=pl.Int8)
        else:
            happened = holds(study.outcome.happens, rows, tables, study, window)
            seen = holds(study.outcome.known, rows, tables, study, window)
            # A record of the outcome without its date may be the outcome: it is not a "no".
            seen &= ~_maybe_happened(rows, tables, study, window)
            seen &= _covered(rows, tables, study, as_of)
            for name, predicate in reversed(study.outcome.exits.items()):
                left = holds(predicate, rows, tables, study, window) & ~happened
                seen &= ~left
                exit_ = pl.select(pl.when(left).then(pl.lit(name)).otherwise(exit_).alias("exit")).to_series()
            seen |= happened
            status = pl.select(pl.when(seen).then(pl.lit("known")).otherwise(pl.lit("unobserved"))).to_series()
            outcome = pl.select(pl.when(seen).then(happened.cast(pl.Int8))).to_series()
        frames.append(
            rows.select("entity_id", "as_of_date").with_columns(
                outcome.alias("outcome"), status.alias("outcome_status"), exit_
            )
        )
    return Outcomes(pl.concat(frames), known_before)


def _asked_for(study: StudyFile) -> list[str]:
    return sorted({word for part in parts_of(study.outcome.happens) if (word := fact_word(part))})


def _maybe_happened(rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window) -> pl.Series:
    """Whether each person has an undated record of a fact that the outcome asks for."""
    people = [undated_in(tables, study.facts[word], window) for word in _asked_for(study)]
    return rows["entity_id"].is_in(pl.concat(people).to_list() if people else [])


def _covered(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.Series:
    """Whether every source that the outcome asks can speak of each person, until all of the horizon is recorded."""
    result = pl.Series([True] * rows.height, dtype=pl.Boolean)
    for source in sorted({study.facts[word].source for word in _asked_for(study)}):
        result &= covered_on(tables[source].covered, rows["entity_id"], as_of, study.outcome.mature_on(as_of))
    return result
