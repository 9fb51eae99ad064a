"""run_study(): from dated records to a card, as one story. Nothing is written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.assessment.audit import Audit, audit_groups
from riskmodels.assessment.explanation import Explanation, explain
from riskmodels.assessment.performance import Performance, assess_performance
from riskmodels.cards.build import build_card
from riskmodels.cards.card import ModelCard
from riskmodels.data.cohort import Cohort, build_cohort
from riskmodels.data.dataset import Dataset, build_dataset
from riskmodels.data.groups import build_groups
from riskmodels.data.leakage import Evidence, Finding, look_for_leaks
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.data.tables import Tables, check_kinds, read_tables
from riskmodels.models.ranking import Ranking, rank
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.training import Choice, Predictions, backtest, choose_model, fit_risk_model
from riskmodels.study import BASELINES, Study

Progress = Callable[[str], None]


@dataclass(frozen=True)
class StudyRun:
    """Everything that one run of a study found."""

    study: Study
    tables: Tables
    cohort: Cohort
    dataset: Dataset
    splits: Splits
    checks: tuple[Finding, ...]
    predictions: Predictions
    choice: Choice
    ranking: Ranking
    performance: Performance
    audit: Audit
    model: RiskModel
    explanation: Explanation
    card: ModelCard
    figures: Mapping[str, bytes]


def run_study(study: Study, data: Tables | str | Path, progress: Progress = lambda message: None) -> StudyRun:
    """The main job. The same study, data and seed give the same model, card and list, byte for byte.

    Parameters
    ----------
    study : from `load_study`
    data : the tables, or the folder in which the study's sources stand
    progress : called with a few words as each step begins

    Raises
    ------
    StudyError, DataError, LeakError
        in one line: what, where, what to do.
    """
    question = study.file
    progress("reading and checking the data")
    tables = data if isinstance(data, Tables) else read_tables(Path(data), study)
    check_kinds(tables, question)
    cohort = build_cohort(tables, question)
    splits = plan_splits(question, study.extracted_on)
    progress("building outcomes and features")
    dataset = build_dataset(cohort, tables, question, splits, study.extracted_on)
    checks = look_for_leaks(Evidence(cohort, dataset.features, dataset.outcomes, splits, question))
    predictions = backtest(dataset, splits, question, progress)
    choice = choose_model(predictions, question)
    progress("assessing performance on the future")
    choice, ranking, performance = settle(choice, predictions, study)
    progress("auditing fairness")
    groups = build_groups(ranking.frame, tables, question)
    audit = audit_groups(ranking, groups, question, seed=question.seed)
    progress("fitting the service model")
    model = fit_risk_model(dataset, splits, choice.model, question)
    progress("explaining it")
    explanation = explain(model, dataset.features, question.seed)
    progress("writing the card")
    card, figures = _card(study, tables, cohort, dataset, splits, checks, choice, performance, audit, model, explanation)
    return StudyRun(
        study, tables, cohort, dataset, splits, checks, predictions, choice, ranking, performance, audit, model, explanation,
        card, figures,
    )  # fmt: skip


def settle(choice: Choice, predictions: Predictions, study: Study) -> tuple[Choice, Ranking, Performance]:
    """Judge the choice on the future; hand over to the best baseline if the gain is not real there.

    The rule stands before the test dates are looked at: a complex model that does not beat the best baseline by more
    than ``floors.gain_over_baselines``, with its whole interval, on the test dates is not the one that goes into
    service. Any bias this has is towards the simpler model.
    """
    question = study.file
    ranking = rank(predictions.frame, choice.model, question.capacity, question.seed)
    performance = _assess(ranking, predictions, choice, study)
    gain = performance.comparison["difference"]
    real = gain is not None and gain.low is not None and gain.low > question.floors.gain_over_baselines
    if choice.model in BASELINES or real:
        return choice, ranking, performance
    settled = Choice(choice.best_baseline, choice.best_baseline, choice.criterion, choice.steps)
    ranking = rank(predictions.frame, settled.model, question.capacity, question.seed)
    return settled, ranking, _assess(ranking, predictions, settled, study)


def _assess(ranking: Ranking, predictions: Predictions, choice: Choice, study: Study) -> Performance:
    question = study.file
    return assess_performance(
        ranking,
        predictions.frame,
        places=ranking.places,
        thresholds=question.thresholds,
        criterion=question.models.choose_by,
        baselines=BASELINES,
        best_baseline=choice.best_baseline,
        seed=question.seed,
    )
