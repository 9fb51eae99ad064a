"""What happened next: 1, 0, or unknown, and why unknown. An unknown outcome is never 0."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.predicates import Window, holds, undated_in
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile, fact_word, parts_of

STATUSES = ("known", "immature", "unobserved")


@dataclass(frozen=True)
class Outcomes:
    """``frame``: entity_id, as_of_date, outcome (Int8, null unless known), outcome_status; row by row as the cohort."""

    frame: pl.DataFrame
    known_before: dt.date

    def status_table(self) -> pl.DataFrame:
        """as_of_date, then how many are known, immature and unobserved, and how many events among the known."""
        counts = [(pl.col("outcome_status") == status).sum().alias(status) for status in STATUSES]
        return (
            self.frame.group_by("as_of_date")
            .agg(*counts, pl.col("outcome").sum().cast(pl.Int64).alias("events"))
            .sort("as_of_date")
        )


def build_outcomes(cohort: Cohort, tables: Tables, study: StudyFile, known_before: dt.date) -> Outcomes:
    """The outcome of every cohort row, by what was recorded before ``known_before``.

    An outcome looks at facts with event_date in [as_of, as_of + horizon). It is *immature* until as_of + horizon + lag,
    *unobserved* when nothing says that it did or did not happen, and only otherwise *known*.

    A backtest at a past date passes that date, so it learns only from what was recorded by then.
    """
    frames = []
    for (as_of,), rows in cohort.rows.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        window = Window.horizon(as_of, study.outcome.horizon, known_before)
        if study.outcome.mature_on(as_of) > known_before:
            status = pl.Series("outcome_status", ["immature"] * rows.height, dtype=pl.String)
            outcome = pl.Series("outcome", [None] * rows.height, dtype=pl.Int8)
        else:
            happened = holds(study.outcome.happens, rows, tables, study, window)
            seen = happened | holds(study.outcome.known, rows, tables, study, window)
            # A record of the outcome without its date may be the outcome: it is not a "no".
            seen &= happened | ~_maybe_happened(rows, tables, study, window)
            status = pl.select(pl.when(seen).then(pl.lit("known")).otherwise(pl.lit("unobserved"))).to_series()
            outcome = pl.select(pl.when(seen).then(happened.cast(pl.Int8))).to_series()
        frames.append(
            rows.select("entity_id", "as_of_date").with_columns(
                outcome.alias("outcome"), status.alias("outcome_status")
            )
        )
    return Outcomes(pl.concat(frames), known_before)


def _maybe_happened(rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window) -> pl.Series:
    """Whether each person has an undated record of a fact that the outcome asks for."""
    words = {word for part in parts_of(study.outcome.happens) if (word := fact_word(part))}
    people = [undated_in(tables, study.facts[word], window) for word in sorted(words)]
    return rows["entity_id"].is_in(pl.concat(people).to_list() if people else [])
