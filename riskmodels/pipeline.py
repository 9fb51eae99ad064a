"""run_study(): from dated records to a card, as one story. Nothing is written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels.assessment.audit import Audit, audit_groups
from riskmodels.assessment.explanation import Explanation, explain
from riskmodels.assessment.performance import Performance, assess_performance
from riskmodels.caching import NO_CACHE, Steps
from riskmodels.cards.build import build_card
from riskmodels.cards.card import ModelCard
from riskmodels.data.dataset import Dataset
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.leakage import Finding
from riskmodels.data.preparing import Prepared, prepare_study
from riskmodels.data.splits import Split, Splits
from riskmodels.data.tables import Tables
from riskmodels.models.choosing import Choice, choose_model
from riskmodels.models.ranking import Ranking, rank
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.training import Predictions, backtest, fit_risk_model, fits_on_shuffled
from riskmodels.reports.charts import draw_figures
from riskmodels.study import BASELINES, Study, StudyFile

Progress = Callable[[str], None]


@dataclass(frozen=True)
class StudyRun:
    """Everything that one run of a study found. ``figures``: id -> SVG."""

    prepared: Prepared
    predictions: Predictions
    choice: Choice
    ranking: Ranking
    performance: Performance
    audit: Audit
    model: RiskModel
    explanation: Explanation
    card: ModelCard
    figures: Mapping[str, bytes]

    @property
    def study(self) -> Study:
        return self.prepared.study

    @property
    def tables(self) -> Tables:
        return self.prepared.tables

    @property
    def splits(self) -> Splits:
        return self.prepared.splits

    @property
    def dataset(self) -> Dataset:
        return self.prepared.dataset

    @property
    def checks(self) -> tuple[Finding, ...]:
        return self.prepared.checks


def run_study(
    study: Study,
    data: Tables | str | Path,
    progress: Progress = lambda message: None,
    *,
    today: dt.date | None = None,
    engine: Engine = POLARS,
    steps: Steps = NO_CACHE,
) -> StudyRun:
    """The main job. The same study, data and seed give the same model, card and list, byte for byte.

    Parameters
    ----------
    study : from `load_study`
    data : the tables, or the folder in which the study's sources stand
    progress : called with a few words as each step begins
    today : the day on which agreements to share data must still hold; the clock's unless given
    engine, steps : what counts the facts, and which results are kept; neither changes what is found

    Raises
    ------
    StudyError, DataError, LeakError
        in one line: what, where, what to do.
    """
    ready = prepare_study(
        study, data, today=today, engine=engine, steps=steps, predictor=fits_on_shuffled, progress=progress
    )
    question, tables, splits, dataset = ready.study.file, ready.tables, ready.splits, ready.dataset

    predictions = backtest(dataset, splits, question, progress)
    progress("choosing, and testing the choice on dates it has not seen")
    choice, ranking, performance = settle(choose_model(predictions, question, splits.choosing), predictions, question)

    progress("auditing fairness")
    groups = ranking.frame.select("entity_id", "as_of_date").join(
        ready.groups, on=["entity_id", "as_of_date"], how="left", maintain_order="left"
    )
    audit = audit_groups(ranking, groups, question, seed=question.seed)

    progress("fitting the model for service, and explaining it")
    model = fit_risk_model(dataset, splits, choice.model, question)
    explanation = explain(model, dataset.features, question.seed)

    progress("writing the card")
    card = build_card(
        ready.study,
        performance=performance,
        audit=audit,
        explanation=explanation,
        model=_identity(model, question),
        digests=_digests(study, tables, audit),
        cohort_attrition=ready.cohort.attrition.to_dicts(),
        outcome_status=dataset.outcomes.status_table().to_dicts(),
        quality=tables.quality,
        splits=[_split(split, dataset) for split in splits.all],
        checks=[finding.to_dict() for finding in ready.checks],
        baseline_column=_single_best_column(dataset, splits, question),
        profile=ready.profile.to_dict(),
        attrition_differences=ready.profile.attrition_differences,
        register_gaps=ready.gaps,
        objected=tables.objected,
        links=tables.links,
        examples={"given": len(ready.examples), "agree": sum(example.agrees for example in ready.examples)},
    )
    return StudyRun(
        ready, predictions, choice, ranking, performance, audit, model, explanation, card,
        draw_figures(card.to_dict()["figures"]),
    )  # fmt: skip


def settle(choice: Choice, predictions: Predictions, question: StudyFile) -> tuple[Choice, Ranking, Performance]:
    """Judge the choice on the future; hand over to the best baseline if the gain is not real there.

    The rule stands before the test dates are looked at: a complex model that does not beat the best baseline by more
    than ``floors.gain_over_baselines``, with its whole interval, on the test dates is not the one that goes into
    service. Any bias this has is towards the simpler model.
    """
    ranking, performance = _tested(choice, predictions, question)
    gain = performance.comparison["difference"]
    real = gain is not None and gain.low is not None and gain.low > question.floors.gain_over_baselines
    if choice.model in BASELINES or real:
        return choice, ranking, performance
    simpler = Choice(choice.best_baseline, choice.best_baseline, choice.criterion, choice.steps)
    return simpler, *_tested(simpler, predictions, question)


def _tested(choice: Choice, predictions: Predictions, question: StudyFile) -> tuple[Ranking, Performance]:
    ranking = rank(predictions.frame, choice.model, question.capacity, question.seed)
    performance = assess_performance(
        ranking,
        predictions.frame,
        places=ranking.places,
        thresholds=question.thresholds,
        criterion=question.models.choose_by,
        baselines=BASELINES,
        best_baseline=choice.best_baseline,
        seed=question.seed,
    )
    return ranking, performance


def _identity(model: RiskModel, question: StudyFile) -> dict[str, Any]:
    recipe = {
        "family": model.family,
        "settings": question.models.families[model.family].model_dump(),
        "calibrator": question.models.calibrator,
        "calibrate": question.split.calibrate,
        "choose_by": question.models.choose_by,
        "seed": question.seed,
    }
    parameters = {"model": model.fitted.to_dict(), "calibrator": model.calibrator.to_dict()}
    return {"sha256": model.model_sha256, "family": model.family, "recipe": recipe, "parameters": parameters}


def _digests(study: Study, tables: Tables, audit: Audit) -> dict[str, str]:
    return {
        "study": study.digest,
        "answers": study.answers_digest,
        "data": tables.sha256,
        "policy": audit.to_dict()["policy_sha256"],
    }


def _split(split: Split, dataset: Dataset) -> dict[str, Any]:
    rows = dataset.learned_at(split)
    fit_events = int(rows.filter(rows["as_of_date"].is_in(list(split.fit)))["outcome"].sum())
    return {
        "origin": split.origin,
        "stands_on": split.stands_on.isoformat(),
        "fit": [day.isoformat() for day in split.fit],
        "calibrate": [day.isoformat() for day in split.calibrate],
        "test": split.test.isoformat() if split.test else None,
        "how": split.how,
        "fit_events": fit_events,
    }


def _single_best_column(dataset: Dataset, splits: Splits, question: StudyFile) -> str:
    """The column by which the single-column rule would sort in service, whichever family was chosen."""
    rule = fit_risk_model(dataset, splits, "single_best_column", question)
    return max(rule.fitted.importance, key=lambda name: rule.fitted.importance[name])
