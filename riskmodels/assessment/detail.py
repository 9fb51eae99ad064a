"""What stands behind the headline figures: over time, for whom, what is not known, what acting on the list does.

Each part is a function of the ranking's rows in a module of its own; this is where they are asked together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from riskmodels.assessment.calibration_effect import calibration_effect
from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.list_after_rules import ListAfterRules, assess_after_rules
from riskmodels.assessment.over_time import OverTime, assess_over_time, longest_lookback
from riskmodels.assessment.performance import Performance
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import RankedRows, rows_of
from riskmodels.assessment.sample_size import EnoughData, Sample, enough_data, sample_of
from riskmodels.assessment.selection import SelectionOverTime, select_over_time
from riskmodels.assessment.slices import Slices, assess_slices
from riskmodels.assessment.unknown_outcomes import UnknownOutcomes, assess_unknown
from riskmodels.assessment.use_of_list import assess_use
from riskmodels.models.families import MODELS
from riskmodels.models.ranking import Ranking
from riskmodels.models.training import Predictions
from riskmodels.study import StudyFile

KEYS = ("entity_id", "as_of_date")
NOT_REGRESSIONS = ("lightgbm", "explainable_boosting")


@dataclass(frozen=True)
class Learned:
    """What the latest origin learned from: its fit rows, and how many parameters a regression on them would have."""

    fit: Sample
    parameters: int


@dataclass(frozen=True)
class Detail:
    """Results beside `Performance`; each part's own class or function says what it holds."""

    calibration: tuple[dict[str, Any], ...]
    over_time: OverTime
    slices: Slices
    unknown: UnknownOutcomes
    selection: SelectionOverTime
    use: dict[str, Any]
    enough: EnoughData
    handed_over: str | None
    after_rules: ListAfterRules | None = None

    def to_dict(self) -> dict[str, Any]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.to_dict() if hasattr(value, "to_dict") else plain(value) for name, value in found.items()}


def assess_detail(
    ranking: Ranking,
    predictions: Predictions,
    performance: Performance,
    study: StudyFile,
    *,
    labels: pl.DataFrame,
    learned: Learned,
    verdicts: Mapping[str, str | None],
    served: pl.DataFrame | None = None,
    handed_over: str | None = None,
) -> Detail:
    """Everything that a ranking and the other families' predictions tell beside the headline figures.

    Parameters
    ----------
    ranking : the canonical ranking of the family that is used
    performance : what `assess_performance` says of it
    labels : entity_id, as_of_date, and a column for each way of telling test rows apart, null where not recorded
    learned : what the latest origin learned from
    verdicts : family -> audit verdict, as far as families were audited
    served : what the service's rules, teams and households make of each ranked row, in the order of the ranking
        (`riskmodels.models.ranking.after_rules`); None where the study has none of them
    handed_over : the family that was chosen before the test and lost there, if one did

    Raises
    ------
    DataError
        if a risk is missing or no probability, or the families were tested on different rows.
    """
    rows = rows_of(ranking, ranking.places)
    known = rows.known_only()
    auc = performance.overall["auc"].value
    return Detail(
        calibration=_calibration(ranking, rows),
        over_time=assess_over_time(
            rows, study.breaks, study.outcome.horizon, longest_lookback(study.features), study.floors.oe_ratio
        ),
        slices=assess_slices(rows, _in_order(ranking, labels)),
        unknown=assess_unknown(rows, against=_rules(performance)),
        selection=select_over_time(predictions, study, verdicts),
        use=assess_use(
            rows,
            ranking.frame,
            ranking.places,
            money=study.money,
            help_on_offer=study.help,
            thresholds=study.thresholds,
        ),
        enough=enough_data(
            learned.fit,
            sample_of(known.outcome, clusters_of(ranking.frame["entity_id"].filter(pl.Series(rows.known)), known.n)),
            parameters=learned.parameters,
            auc=auc,
            regression=ranking.model not in NOT_REGRESSIONS,
        ),
        handed_over=handed_over,
        after_rules=None if served is None else assess_after_rules(rows, served, study),
    )


def _calibration(ranking: Ranking, rows: RankedRows) -> tuple[dict[str, Any], ...]:
    known = rows.known_only()
    score = ranking.frame["score"].to_numpy()[rows.known]
    log_odds = MODELS[ranking.model].log_odds
    return calibration_effect(known.outcome, known.risk, score, known.units, log_odds=log_odds, too_few=known.too_few)


def _in_order(ranking: Ranking, labels: pl.DataFrame) -> dict[str, pl.Series]:
    """The labels in the ranking's order."""
    joined = ranking.frame.select(KEYS).join(labels, on=KEYS, how="left", maintain_order="left")
    return {name: joined[name] for name in labels.columns if name not in KEYS}


def _rules(performance: Performance) -> dict[str, float]:
    """The precision of each simple rule's own list, for the tipping points."""
    found = {row["model"]: row["precision_at_k"].value for row in performance.families if row["baseline"]}
    return {name: value for name, value in found.items() if value is not None}
