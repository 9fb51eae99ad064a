"""run_study(): from dated records to a card, as one story. Nothing is written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.assessment.audit import Audit, audit_groups
from riskmodels.assessment.audit.further.proxies import study_proxies
from riskmodels.assessment.audit.remedies.mitigation import Mitigation, try_mitigations
from riskmodels.assessment.deep import Deep, look_deeper
from riskmodels.assessment.detail import Detail, Learned, assess_detail
from riskmodels.assessment.explanation import Explanation, explain
from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.performance import Performance, assess_performance
from riskmodels.assessment.sample_size import parameters_of, sample_of
from riskmodels.assessment.slices import seen_before
from riskmodels.caching import NO_CACHE, Steps
from riskmodels.cards.build import build_card
from riskmodels.cards.card import ModelCard
from riskmodels.data.dataset import Dataset
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.leakage import Finding
from riskmodels.data.preparing import Prepared, prepare_study
from riskmodels.data.service_rules import has_service_view, service_view
from riskmodels.data.slices import build_slices
from riskmodels.data.splits import Split, Splits
from riskmodels.data.tables import Tables
from riskmodels.models.choosing import Choice, choose_model
from riskmodels.models.places import EXCLUDED, HOUSEHOLD_CLOSED, LISTED
from riskmodels.models.ranking import Ranking, after_rules, rank
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.training import (
    NO_ESTIMATORS,
    Predictions,
    backtest,
    fit_risk_models,
    fits_on_shuffled,
    prepare_origin,
    taught_people,
)
from riskmodels.models.tuning import TuningResult, tune
from riskmodels.reports.charts import draw_figures
from riskmodels.study import BASELINES, Study, StudyFile

Progress = Callable[[str], None]
KEYS = ("entity_id", "as_of_date")
SIMPLEST_SORT = "single_best_column"  # the card names its column, whichever family was chosen


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
    detail: Detail
    tuning: TuningResult
    deep: Deep | None = None
    mitigation: Mitigation | None = None

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
    store: Path | None = None,
    estimators: Mapping[str, Any] = NO_ESTIMATORS,
    deep: int = 0,
    mitigate: bool = False,
) -> StudyRun:
    """The main job. The same study, data and seed give the same model, card and list, byte for byte.

    Parameters
    ----------
    study : from `load_study`
    data : the tables, or the folder in which the study's sources stand
    progress : called with a few words as each step begins
    today : the day on which agreements to share data must still hold; the clock's unless given
    engine, steps : what counts the facts, and which results are kept; neither changes what is found
    store : where trials of tuning are kept, so that a search that was stopped goes on
    estimators : name -> anything with scikit-learn's fit and predict_proba. It is compared with our families and stands
        in the card's table; it never goes into service, since it cannot be saved as text or explain itself
    deep : draws of people for the stability of the list, and with it the learning curve and what each source adds; 0
        leaves them out, and the card says so
    mitigate : whether to try what it would take to narrow the gaps between groups (experiments; none can score)

    Raises
    ------
    StudyError, DataError, LeakError
        in one line: what, where, what to do.
    UsageError
        if an estimator cannot be used.
    """
    ready = prepare_study(
        study, data, today=today, engine=engine, steps=steps, predictor=fits_on_shuffled, progress=progress
    )
    tables, splits, dataset = ready.tables, ready.splits, ready.dataset
    tuning = tune(dataset, splits, ready.study.file, store=store, progress=progress)
    question = tuning.study
    ready = replace(ready, study=replace(ready.study, file=question))

    slices = build_slices(tested_rows(ready), tables, question)  # what cannot be told apart is refused before the fits
    predictions = backtest(dataset, splits, question, progress, estimators)
    progress("choosing, and testing the choice on dates it has not seen")
    choice, ranking, performance = settle(choose_model(predictions, question, splits.choosing), predictions, question)

    progress("auditing fairness")
    told = study_proxies(ranking, dataset.features, ready.groups, question)
    served = as_served(ranking, ready)
    audit = audit_ranking(ranking, ready.groups, question, told, served)

    progress("fitting the model for service, and explaining it")
    in_service = fit_risk_models(dataset, splits, (choice.model, SIMPLEST_SORT), question, in_service=choice.model)
    model, simplest = in_service[choice.model], in_service[SIMPLEST_SORT]
    explanation = explain(model, dataset.features, question.seed)

    progress("looking closer: over time, for whom, what is not known, what acting on the list does")
    detail = assess_detail(
        ranking,
        predictions,
        performance,
        question,
        labels=labels_of(ranking, slices, ready),
        learned=learned(ready),
        served=served,
        handed_over=choice.handed_over,
        verdicts=verdicts(audit, ranking, predictions, ready.groups, question),
    )
    found = look_deeper(dataset, splits, ranking, question, replicates=deep, progress=progress) if deep else None

    tried = None
    if mitigate:
        tried = try_mitigations(dataset, splits, ranking, predictions, ready.groups, question, progress=progress)

    progress("writing the card")
    card = build_card(
        ready.study,
        performance=performance,
        detail=detail,
        deep=found,
        tuning=tuning.to_dict(),
        audit=audit,
        mitigation=tried,
        explanation=explanation,
        model=_identity(model, question),
        digests=_digests(study, tables, audit),
        cohort_attrition=ready.cohort.attrition.to_dicts(),
        outcome_status=dataset.outcomes.status_table().to_dicts(),
        quality=tables.quality,
        splits=[_split(split, dataset) for split in splits.all],
        checks=[finding.to_dict() for finding in ready.checks],
        baseline_column=max(simplest.fitted.importance, key=lambda name: simplest.fitted.importance[name]),
        profile=ready.profile.to_dict(),
        attrition_differences=ready.profile.attrition_differences,
        register_gaps=ready.gaps,
        objected=tables.objected,
        links=tables.links,
        examples={"given": len(ready.examples), "agree": sum(example.agrees for example in ready.examples)},
    )
    return StudyRun(
        ready, predictions, choice, ranking, performance, audit, model, explanation, card,
        draw_figures(card.to_dict()["figures"]), detail, tuning, found, tried,
    )  # fmt: skip


def audit_ranking(
    ranking: Ranking,
    groups: pl.DataFrame,
    question: StudyFile,
    feature_proxies: Sequence[dict[str, Any]] = (),
    served: pl.DataFrame | None = None,
) -> Audit:
    """The fairness audit of one ranking; ``groups`` in any order.

    ``feature_proxies`` come from `study_proxies`; ``served`` from `as_served`. Excluded are those whom a rule leaves
    off, their own or one that leaves their whole household alone; teams and households then decide who is listed.
    """
    in_order = ranking.frame.select(KEYS).join(groups, on=KEYS, how="left", maintain_order="left")
    excluded = None if served is None else served["fate"].is_in([EXCLUDED, HOUSEHOLD_CLOSED])
    after = None if served is None else served["fate"] == LISTED
    return audit_groups(
        ranking, in_order, question, seed=question.seed, feature_proxies=feature_proxies, excluded=excluded,
        selected_after=after,
    )  # fmt: skip


def as_served(ranking: Ranking, ready: Prepared) -> pl.DataFrame | None:
    """What the service's rules, teams and households make of each ranked row; None where the study has none of them."""
    question = ready.study.file
    if not has_service_view(question):
        return None
    return after_rules(ranking, service_view(tested_rows(ready), ready.tables, question), question)


def verdicts(
    audit: Audit, ranking: Ranking, predictions: Predictions, groups: pl.DataFrame, question: StudyFile
) -> dict[str, str | None]:
    """The audit's verdict for every family that tells people apart: who would be treated worse had it been chosen?"""
    found: dict[str, str | None] = {ranking.model: audit.to_dict()["verdict"]}
    for family in question.models.families:
        if family not in found and family != "base_rate":
            other = rank(predictions.frame, family, question.capacity, question.seed)
            found[family] = audit_ranking(other, groups, question).to_dict()["verdict"]
    return found


def tested_rows(ready: Prepared) -> pl.DataFrame:
    """The cohort rows of every test date."""
    rows = ready.cohort.rows
    return rows.filter(rows["as_of_date"].is_in([split.test for split in ready.splits.origins]))


def labels_of(ranking: Ranking, slices: pl.DataFrame, ready: Prepared) -> pl.DataFrame:
    """By what the test rows are told apart: whether they were seen before, the study's slices, whom sources know."""
    taught = taught_people(ready.dataset, ready.splits, ready.study.file)
    keys = ranking.frame.select(KEYS)
    labels = keys.join(slices, on=KEYS, how="left", maintain_order="left")
    return labels.with_columns(pl.Series("seen", seen_before(ranking.frame, taught)))


def learned(ready: Prepared) -> Learned:
    """What the latest origin learned from, counted as rows and as people."""
    question = ready.study.file
    _, fit, _ = prepare_origin(ready.dataset, ready.splits.origins[-1], question)
    units = clusters_of(fit.rows["entity_id"], len(fit.outcome))
    logistic = question.models.candidates.logistic
    splines, knots = (logistic.splines, logistic.knots) if logistic else ((), 0)
    return Learned(sample_of(fit.outcome, units), parameters_of(fit.matrix, splines, knots))


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
    simpler = Choice(choice.best_baseline, choice.best_baseline, choice.criterion, choice.steps, choice.model)
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
