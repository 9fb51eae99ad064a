"""Cohort, outcomes and features together, and what of them each origin could have known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from riskmodels.caching import NO_CACHE, Steps, digest_of_frame
from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features, build_features
from riskmodels.data.outcomes import Outcomes, build_outcomes
from riskmodels.data.splits import Split, Splits
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile


@dataclass(frozen=True)
class Dataset:
    """Row by row alike: ``cohort.rows``, ``features.frame``, ``outcomes.frame`` and every frame of ``outcomes_at``.

    ``outcomes`` is what the whole extract says and judges the tests; ``outcomes_at[T]`` is what was recorded before T
    and is all that a model fitted at T may learn from.
    """

    cohort: Cohort
    features: Features
    outcomes: Outcomes
    outcomes_at: Mapping[dt.date, Outcomes]

    def learned_at(self, split: Split) -> pl.DataFrame:
        """The outcomes that a model fitted at this origin may learn from."""
        return self.outcomes.frame if split.test is None else self.outcomes_at[split.test].frame


def build_dataset(
    cohort: Cohort, tables: Tables, study: StudyFile, splits: Splits, extracted_on: dt.date, steps: Steps = NO_CACHE
) -> Dataset:
    """Features of every cohort row, and its outcome as known at the extract and at every origin."""
    origins = sorted({split.test for split in splits.origins if split.test is not None})
    whole = extracted_on + dt.timedelta(days=1)
    outcomes = _outcomes(cohort, tables, study, [whole, *origins], steps)
    return Dataset(
        cohort,
        build_features(cohort, tables, study, steps),
        outcomes[whole],
        {day: outcomes[day] for day in origins},
    )


def _outcomes(
    cohort: Cohort, tables: Tables, study: StudyFile, days: list[dt.date], steps: Steps
) -> dict[dt.date, Outcomes]:
    """The outcomes as recorded before each of these days; those kept from an earlier run are not made again."""
    predicates = [study.outcome.happens, study.outcome.known, *study.outcome.exits.values()]
    ingredients = {
        "outcome": study.outcome.model_dump(mode="json", by_alias=True),
        "facts": study.facts_of(predicates),
        "cohort": digest_of_frame(cohort.rows),
        "tables": tables.digests(study.sources_of(predicates)),
    }
    wanted = {f"outcomes.{day}": {**ingredients, "known_before": day} for day in days}

    def make(missing: list[str]) -> Mapping[str, pl.DataFrame]:
        return {
            name: build_outcomes(cohort, tables, study, dt.date.fromisoformat(name.partition(".")[2])).frame
            for name in missing
        }

    found = steps.frames(wanted, make)
    return {day: Outcomes(found[f"outcomes.{day}"], day) for day in days}
