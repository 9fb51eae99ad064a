"""Every family on the rows of one ranking, and the chosen one against the best baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.calibration_statistics import brier_score, loss_difference, mean_loss
from riskmodels.assessment.decisions import precision_at_k, select
from riskmodels.assessment.discrimination import auc, auc_difference
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.ranked_rows import RankedRows
from riskmodels.errors import DataError
from riskmodels.models.ranking import Ranking

KEYS = ("entity_id", "as_of_date")
OTHER_ROWS = "this family did not score exactly the rows that were ranked"


@dataclass(frozen=True)
class Contest:
    """What the families are compared by."""

    criterion: str
    baselines: Sequence[str]
    best_baseline: str
    places: Mapping[str, int]
    seed: int


def compare_families(
    ranking: Ranking, predictions: pl.DataFrame, rows: RankedRows, contest: Contest
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """One row per family, and the comparison of the ranking's model with the best baseline.

    A family that did not score exactly the ranked rows gets no figures: on other rows they would compare rows, not
    families.

    Returns
    -------
    rows of {model, baseline, brier_score, auc, precision_at_k, difference}, where ``difference`` is the criterion of
    the best baseline less the family's (positive: the family is better; None for that baseline itself); and
    {chosen, baseline, criterion, difference, auc_difference}, both differences positive where the chosen one is better.

    Raises
    ------
    DataError
        if the predictions of the ranking's own model are not the ranking's.
    """
    tested = predictions.filter(pl.col("stage") == "test")
    models = tested["model"].unique(maintain_order=True).to_list()
    scored = {model: aligned(ranking.frame, tested.filter(pl.col("model") == model)) for model in models}
    own = scored.get(ranking.model)
    if own is not None and not np.array_equal(own[0], rows.risk):
        raise DataError(
            f"predictions: the risks of {ranking.model} are not those of the ranking; rank these predictions"
        )
    known = rows.known_only()
    best = scored.get(contest.best_baseline)
    against = None if best is None else best[0][rows.known]
    table = tuple(
        _family_row(model, scored[model], against, ranking.frame["entity_id"], rows, known, contest) for model in models
    )
    return table, _comparison(ranking.model, known, against, contest)


def aligned(ranked: pl.DataFrame, family: pl.DataFrame) -> tuple[Floats, Floats] | None:
    """A family's risk and score in the ranking's row order; None unless it scored these rows, each once."""
    if family.height != ranked.height:
        return None
    joined = ranked.select(KEYS).join(
        family.select(*KEYS, "risk", "score"), on=KEYS, how="left", maintain_order="left", coalesce=True
    )
    risk, score = (joined[name].cast(pl.Float64).fill_nan(None) for name in ("risk", "score"))
    if joined.height != ranked.height or risk.null_count() or score.null_count():
        return None
    return risk.to_numpy(), score.to_numpy()


def _family_row(
    model: str,
    scored: tuple[Floats, Floats] | None,
    against: Floats | None,
    entity_ids: pl.Series,
    rows: RankedRows,
    known: RankedRows,
    contest: Contest,
) -> dict[str, Any]:
    row: dict[str, Any] = {"model": model, "baseline": model in contest.baselines}
    is_best = model == contest.best_baseline
    if scored is None:
        nothing = not_computed(OTHER_ROWS, 0)
        names = (contest.criterion, "brier_score", "auc", "precision_at_k")
        return row | dict.fromkeys(names, nothing) | {"difference": None if is_best else nothing}
    here = replace(known, risk=scored[0][rows.known])
    difference = None
    if not is_best:
        difference = _gain(here, against, contest)
    return row | {
        contest.criterion: mean_loss(here.outcome, here.risk, contest.criterion, here.units),
        "brier_score": brier_score(here.outcome, here.risk, here.units),
        "auc": not_computed(here.too_few, here.n) if here.too_few else auc(here.outcome, here.risk, here.units),
        "precision_at_k": list_precision(entity_ids, rows, *scored, contest.places, contest.seed),
        "difference": difference,
    }


def list_precision(
    entity_ids: pl.Series, rows: RankedRows, risk: Floats, score: Floats, places: Mapping[str, int], seed: int
) -> Estimate:
    """Precision of the list that these risks would have made: the same places, the same rule for ties."""
    chosen = np.zeros(rows.n, dtype=bool)
    for day in rows.days:
        today = np.flatnonzero(rows.dates == np.datetime64(day))
        chosen[today] = select(entity_ids[today], risk[today], score[today], places[day.isoformat()], seed)
    return precision_at_k(rows.outcome, rows.known, chosen, rows.units)


def _comparison(chosen: str, known: RankedRows, against: Floats | None, contest: Contest) -> dict[str, Any]:
    compared = {"chosen": chosen, "baseline": contest.best_baseline, "criterion": contest.criterion}
    if chosen == contest.best_baseline:
        own = not_computed("the chosen model is itself the best baseline")
        return compared | {"difference": own, "auc_difference": None}
    difference = None
    if known.too_few:
        difference = not_computed(known.too_few, known.n)
    elif against is not None:
        difference = auc_difference(known.outcome, known.risk, against, known.units)
    return compared | {"difference": _gain(known, against, contest), "auc_difference": difference}


def _gain(known: RankedRows, against: Floats | None, contest: Contest) -> Estimate:
    if against is None:
        return not_computed(f"{contest.best_baseline} has no predictions for the rows that were ranked")
    return loss_difference(known.outcome, known.risk, against, contest.criterion, known.units)
