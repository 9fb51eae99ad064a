"""What ``run --deep`` looks at: how stable the list is, whether more data would help, what each source adds.

Every question is answered by fitting the recipe again on other rows or columns (`riskmodels.models.refits`). It takes
as long as a hundred runs, so an ordinary run leaves it out, and the card then says "not run".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.calibration_statistics import loss_difference, mean_loss
from riskmodels.assessment.discrimination import auc, auc_difference
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.family_comparison import aligned, list_precision
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.ranked_rows import RankedRows, rows_of
from riskmodels.assessment.stability import Stability, assess_stability, learning_curve
from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Split, Splits
from riskmodels.models.ranking import Ranking
from riskmodels.models.refits import bootstrap_refits, grouped_refits, learning_refits, refits_without
from riskmodels.study import StudyFile

REPLICATES = 50
MOST_LOOKED_AT = 500
Progress = Callable[[str], None]
NOBODY_APART = "all have the same risk, so chance alone decides who is on the list"
NO_ORIGIN = "no test date has enough known cases"


@dataclass(frozen=True)
class Deep:
    """Findings of a deep run, or for each the reason why there are none (``not_computed``).

    ``learning``: rows of `learning_curve`; ``doubling``: the AUC with everybody less that with half, paired.
    ``sources``: what leaving out each source costs, and all those together that are not missed: {source, features,
    cost, auc_cost, precision_at_k, missed}. ``cost`` is the criterion's mean loss without it less with it.
    ``grouped``: the same for people whose own past was kept from the model.
    """

    replicates: int
    criterion: str
    stability: Stability | None
    learning: tuple[dict[str, Any], ...]
    sources: tuple[dict[str, Any], ...]
    grouped: dict[str, Any] | None
    not_computed: dict[str, str] = field(default_factory=dict)
    doubling: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return found | {"stability": self.stability.to_dict() if self.stability else None}


def look_deeper(
    dataset: Dataset,
    splits: Splits,
    ranking: Ranking,
    study: StudyFile,
    *,
    replicates: int = REPLICATES,
    progress: Progress = lambda message: None,
) -> Deep:
    """Stability, learning curve, what each source adds, and people whose past the model has not seen.

    Parameters
    ----------
    ranking : the canonical ranking of the family that is used
    replicates : draws of people for the stability of the list
    """
    if ranking.model == "base_rate":
        names = ("stability", "learning", "sources", "grouped")
        return Deep(replicates, study.models.choose_by, None, (), (), None, dict.fromkeys(names, NOBODY_APART))
    asked = _Asked(dataset, splits, ranking, rows_of(ranking, ranking.places), study, progress)
    why: dict[str, str] = {}
    stability = _stability(asked, replicates, why)
    learning, doubling = _learning(asked, why)
    sources = _sources(asked, why)
    return Deep(replicates, study.models.choose_by, stability, learning, sources, _grouped(asked), why, doubling)


@dataclass(frozen=True)
class _Asked:
    dataset: Dataset
    splits: Splits
    ranking: Ranking
    rows: RankedRows
    study: StudyFile
    progress: Progress


def _last_origin(splits: Splits, rows: RankedRows) -> Split | None:
    """The latest test date that can be judged."""
    for split in reversed(splits.origins):
        if rows.of(rows.dates == np.datetime64(str(split.test))).too_few is None:
            return split
    return None


def _stability(asked: _Asked, replicates: int, why: dict[str, str]) -> Stability | None:
    split = _last_origin(asked.splits, asked.rows) or asked.splits.origins[-1]
    on_list = asked.ranking.frame.filter(pl.col("as_of_date") == split.test).select("entity_id", "risk", "selected")
    cohort = asked.dataset.cohort.rows.filter(pl.col("as_of_date") == split.test).select("entity_id")
    own = cohort.join(on_list, on="entity_id", how="left", maintain_order="left")
    listed = own["selected"].to_numpy()
    looked_at = np.flatnonzero(listed)[:MOST_LOOKED_AT]
    refits = bootstrap_refits(
        asked.dataset,
        split,
        asked.study,
        asked.ranking.model,
        looked_at,
        replicates=replicates,
        progress=asked.progress,
    )
    found = assess_stability(refits, listed, own["risk"].to_numpy(), asked.study.seed)
    if isinstance(found, str):
        why["stability"] = found
        return None
    return found


def _learning(asked: _Asked, why: dict[str, str]) -> tuple[tuple[dict[str, Any], ...], Estimate | None]:
    """The curve, and how many more pairs the whole puts right than half of it (paired, on the same people)."""
    split = _last_origin(asked.splits, asked.rows)
    if split is None:
        why["learning"] = NO_ORIGIN
        return (), None
    points = []
    halves: dict[float, tuple[Floats, Floats, pl.Series]] = {}
    for point in learning_refits(asked.dataset, split, asked.ranking.model, asked.study, progress=asked.progress):
        known = point.predicted.filter(pl.col("outcome").is_not_null())
        outcome, risk = known["outcome"].to_numpy(), known["risk"].to_numpy()
        if point.repeat == 0:
            halves[point.share] = outcome, risk, known["cluster_id"]
        points.append(
            {
                "share": point.share,
                "events": point.fit_events,
                "brier_score": mean_loss(outcome, risk, "brier_score").value,
                "auc": auc(outcome, risk).value,
            }
        )
    if len({point["share"] for point in points}) < 2:
        why["learning"] = "fewer people than all leave too few cases to fit on"
        return (), None
    gain = None
    if {0.5, 1.0} <= set(halves):
        (outcome, half, ids), (_, whole, _) = halves[0.5], halves[1.0]
        gain = auc_difference(outcome, whole, half, ids)
    return learning_curve(points), gain


def _sources(asked: _Asked, why: dict[str, str]) -> tuple[dict[str, Any], ...]:
    by_source: dict[str, list[str]] = {}
    for spec in asked.dataset.features.specs:
        by_source.setdefault(spec.source, []).append(spec.name)
    if len(by_source) < 2:
        why["sources"] = "all features come from one source"
        return ()
    found = _without(by_source, asked)
    idle = [row["source"] for row in found if not row["missed"]]
    if 1 < len(idle) < len(by_source):
        # Each may be spared alone because another says the same: only together does it count.
        found += _without({" and ".join(idle): [name for source in idle for name in by_source[source]]}, asked)
    return tuple(found)


def _without(left_out: dict[str, list[str]], asked: _Asked) -> list[dict[str, Any]]:
    tried = refits_without(
        asked.dataset, asked.splits, asked.ranking.model, asked.study, left_out, asked.progress
    ).frame
    found = []
    for name, features in left_out.items():
        costs = _against(tried.filter(pl.col("model") == name), asked)
        cost = costs["cost"]
        # Without an interval we cannot say that it is not missed, unless leaving it out changed nothing at all.
        missed = cost.low > 0 if cost.low is not None else cost.value != 0
        found.append({"source": name, "features": len(features), **costs, "missed": missed})
    return found


def _grouped(asked: _Asked) -> dict[str, Any]:
    tried = grouped_refits(asked.dataset, asked.splits, asked.ranking.model, asked.study, asked.progress)
    return _against(tried.frame, asked)


def _against(tried: pl.DataFrame, asked: _Asked) -> dict[str, Any]:
    """What it costs to use these predictions and not the ranking's: paired, on the rows whose outcome is known."""
    ranking, rows = asked.ranking, asked.rows
    scored = aligned(ranking.frame, tried)
    if scored is None:
        nothing = not_computed("it could not be fitted for every row that was ranked", 0)
        return dict.fromkeys(("cost", "auc_cost", "auc", "precision_at_k"), nothing)
    known = rows.known_only()
    risk = scored[0][rows.known]
    few = not_computed(known.too_few, known.n) if known.too_few else None
    return {
        "cost": loss_difference(known.outcome, known.risk, risk, asked.study.models.choose_by, known.units),
        "auc_cost": few or auc_difference(known.outcome, known.risk, risk, known.units),
        "auc": few or auc(known.outcome, risk, known.units),
        "precision_at_k": list_precision(ranking.frame["entity_id"], rows, *scored, ranking.places, asked.study.seed),
    }
