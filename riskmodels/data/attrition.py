"""How those whom a step of the cohort left out differ from those whom it kept.

Like the cohort itself, this depends only on what was known before each as-of date.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.group_names import in_order, name_groups, pool_rare_groups
from riskmodels.data.groups import build_groups
from riskmodels.data.tables import Tables
from riskmodels.study import Age, Protected, StudyFile, parts_of

# Where a study protects nothing, people are told apart by age alone, if it knows when they were born.
AGES = (5.0, 12.0, 18.0, 25.0, 45.0, 65.0)
KEYS = ["entity_id", "as_of_date"]


def attrition_differences(cohort: Cohort, tables: Tables, study: StudyFile) -> tuple[dict[str, Any], ...]:
    """Each step's groups, among those that it left out and those that it kept, on each as-of date.

    Exact counts: `riskmodels.assessment.profile_disclosure` makes them fit to be shown.

    Returns
    -------
    Rows {as_of_date, step, words, attribute, group, dropped, kept, dropped_share, kept_share,
    standardised_difference}. ``step`` is its place from 1; a step that left out nobody on a date has no rows there.
    """
    asked = _asked(tables, study)
    if not asked.protected or cohort.dropped.is_empty():
        return ()
    kept = cohort.rows.select(*KEYS, pl.lit(None, dtype=cohort.dropped.schema["step"]).alias("step"))
    people = pl.concat([kept, cohort.dropped.select(*KEYS, "step")]).sort("as_of_date", maintain_order=True)
    named = name_groups(pool_rare_groups(build_groups(people, tables, asked), asked), asked)
    people = people.join(named, on=KEYS, how="left", maintain_order="left", validate="1:1")
    rows = []
    for day, place in cohort.dropped.select("as_of_date", "step").unique().sort("as_of_date", "step").iter_rows():
        there = people.filter(pl.col("as_of_date") == day, pl.col("step").is_null() | (pl.col("step") >= place))
        left_out = (there["step"] == place).fill_null(False)
        for name in named.columns[len(KEYS) :]:
            for line in _compared(there[name], left_out, asked.protected[name]):
                step = study.cohort.steps[place - 1].step
                rows.append({"as_of_date": day, "step": place, "words": step, "attribute": name, **line})
    return tuple(rows)


def standardised_difference(one: float, other: float) -> float | None:
    """The difference of two shares in units of their pooled standard deviation. Source: Austin 2009.

    None where one share is nought and the other is whole: there is no spread to measure it by.
    """
    spread = (one * (1 - one) + other * (1 - other)) / 2
    if spread == 0:
        return 0.0 if one == other else None
    return (one - other) / math.sqrt(spread)


def _compared(groups: pl.Series, left_out: pl.Series, spec: Protected) -> list[dict[str, Any]]:
    """The groups of everybody whom a step looked at, among those it left out and the others."""
    dropped, kept = (dict(groups.filter(side).value_counts().iter_rows()) for side in (left_out, ~left_out))
    of_dropped, of_kept = int(left_out.sum()), int((~left_out).sum())
    lines = []
    for group in in_order(groups.unique().to_list(), spec):
        counts = dropped.get(group, 0), kept.get(group, 0)
        shares = counts[0] / of_dropped, counts[1] / of_kept if of_kept else 0.0
        lines.append(
            {
                "group": group,
                "dropped": counts[0],
                "kept": counts[1],
                "dropped_share": shares[0],
                "kept_share": shares[1],
                "standardised_difference": standardised_difference(*shares) if of_kept else None,
            }
        )
    return lines


def _asked(tables: Tables, study: StudyFile) -> StudyFile:
    """The study with those of its protected characteristics whose tables were read; else with age."""
    protected = {name: spec for name, spec in study.protected.items() if spec.column.split(".")[0] in tables.tables}
    born = _birthdays(study)
    if not study.protected and born and born.split(".")[0] in tables.tables:
        protected = {"age": Protected(column=born, law="age", bands=AGES)}
    return study.model_copy(update={"protected": protected})


def _birthdays(study: StudyFile) -> str | None:
    """The column by which the study counts ages, if it does."""
    taken = [line.of for line in study.features if "age" in line.take and not line.by]
    predicates = [step.keep or step.drop for step in study.cohort.steps]
    taken += [part.age for predicate in predicates for part in parts_of(predicate) if isinstance(part, Age)]
    return next(iter(taken), None)
