"""Everything of a study short of training: tables read and permitted, cohort, outcomes, features, checks, profile.

`prepare_study` is what ``check`` shows and what ``run`` goes on from, so that the two can never disagree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.caching import NO_CACHE, Steps
from riskmodels.data.cohort import Cohort, build_cohort, check_capacity, who_there_is
from riskmodels.data.coverage import read_objections
from riskmodels.data.dataset import Dataset, build_dataset
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.examples import ExampleResult, run_examples
from riskmodels.data.group_names import pool_rare_groups
from riskmodels.data.groups import build_groups
from riskmodels.data.joins import check_joins
from riskmodels.data.leakage import Evidence, Finding, Predict, look_for_leaks
from riskmodels.data.outcomes import with_lag
from riskmodels.data.profile import Profile, build_profile
from riskmodels.data.register import refuse_unpermitted, register_gaps
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.data.tables import Tables, check_kinds, read_tables
from riskmodels.errors import StudyError
from riskmodels.study import Study, StudyFile, clock

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """What a model is fitted on, and what is known of it. An estimated lag stands in ``study.file`` in days."""

    study: Study
    tables: Tables
    cohort: Cohort
    splits: Splits
    dataset: Dataset
    groups: pl.DataFrame
    checks: tuple[Finding, ...]
    profile: Profile
    gaps: tuple[Mapping[str, Any], ...]
    examples: tuple[ExampleResult, ...]


def prepare_study(
    study: Study,
    data: Tables | str | Path,
    *,
    today: dt.date | None = None,
    engine: Engine = POLARS,
    steps: Steps = NO_CACHE,
    predictor: Callable[[Dataset, StudyFile], Predict] | None = None,
    progress: Progress = lambda message: None,
) -> Prepared:
    """Read, check and build everything that training needs.

    Parameters
    ----------
    data : the tables, or the folder in which the study's sources stand
    today : the day on which agreements must still hold; the clock's unless given
    engine : what holds and counts the facts; the same definitions, whichever it is
    steps : results that are kept between runs
    predictor : makes what the check with shuffled outcomes fits (this layer knows no model)

    Raises
    ------
    StudyError, DataError, LeakError
        in one line: what, where, what to do.
    """
    today = today or clock.today()
    refuse_unpermitted(study, ("model", "audit"), today)
    examples = run_examples(study)
    _refuse_disagreement(study, examples)
    progress("reading and checking the data")
    tables = data if isinstance(data, Tables) else read_tables(Path(data), study, engine=engine, cache=steps)
    check_kinds(tables, study.file)
    check_joins(tables, study.file)
    objectors = None
    if study.file.objections is not None and not isinstance(data, Tables):
        objectors = read_objections(Path(data), study, "training")
    question = with_lag(study.file, tables)
    cohort = cached_cohort(tables, question, steps)
    check_capacity(cohort, question)
    splits = plan_splits(question, study.extracted_on)

    progress("building outcomes and features")
    dataset = build_dataset(cohort, tables, question, splits, study.extracted_on, steps)
    groups = pool_rare_groups(build_groups(cohort.rows, tables, question), question)
    progress("looking for leaks, gaps and breaks")
    checks = look_for_leaks(
        Evidence(
            cohort, dataset.features, dataset.outcomes, splits, question,
            tables=tables, groups=groups, register=study.register,
            predict=predictor(dataset, question) if predictor is not None else None, objectors=objectors,
        )
    )  # fmt: skip
    profile = build_profile(tables, cohort, dataset.outcomes, dataset.features, groups, question, study.register)
    gaps = register_gaps(study, today)
    return Prepared(
        replace(study, file=question), tables, cohort, splits, dataset, groups, checks, profile, tuple(gaps), examples,
    )  # fmt: skip


def _refuse_disagreement(study: Study, examples: Iterable[ExampleResult]) -> None:
    """The definitions must give the made-up people what the study says they get."""
    wrong = [result for result in examples if not result.agrees]
    if wrong:
        more = f" (and {len(wrong) - 1} more examples)" if len(wrong) > 1 else ""
        raise StudyError(
            f"{study.folder / 'examples.yaml'}: {wrong[0].name!r}: {'; '.join(wrong[0].differences)}{more}; mend the "
            "definitions, or the example"
        )


def cached_cohort(tables: Tables, study: StudyFile, steps: Steps) -> Cohort:
    """The cohort, built only if its steps, or a source they look at, changed."""
    predicates = [step.keep or step.drop for step in study.cohort.steps]
    read = study.sources_of(predicates) | ({study.cohort.cluster.split(".")[0]} if study.cohort.cluster else set())
    ingredients = {
        "cohort": study.cohort.model_dump(mode="json", by_alias=True),
        "facts": study.facts_of(predicates),
        "tables": tables.digests(read | {table.name for table in who_there_is(tables, study)}),
    }
    names = {f"cohort.{part}": ingredients for part in ("rows", "attrition", "dropped")}

    def make(missing: list[str]) -> Mapping[str, pl.DataFrame]:
        made = build_cohort(tables, study)
        return {name: getattr(made, name.partition(".")[2]) for name in missing}

    found = steps.frames(names, make)
    return Cohort(found["cohort.rows"], found["cohort.attrition"], found["cohort.dropped"])
