"""The experiments, one function each: another list for the same people, or the chance of a place under a simulation.

An experiment hands back a `Trial`, which holds numbers for the rows of past test dates, or the reason why it could not
be made. What was fitted on the way is dropped with the function that fitted it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.remedies.simulations import (
    equal_cuts,
    filled,
    learned_by_reduction,
    optimised_thresholds,
)
from riskmodels.assessment.audit.remedies.stand_ins import TELLING, telling_features
from riskmodels.assessment.audit.remedies.trials import COULD, SIMULATION, TODAY, Ground, Trial
from riskmodels.assessment.decisions import select
from riskmodels.assessment.family_comparison import aligned
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.ranked_rows import RankedRows, rows_of
from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Split, Splits
from riskmodels.models.group_blind import light_features, weighable, weighted_refits
from riskmodels.models.ranking import Ranking
from riskmodels.models.refits import refits_without
from riskmodels.models.training import Predictions, cohort_of, prepare_origin, teaching_rows
from riskmodels.study import StudyFile

Progress = Callable[[str], None]
KEYS = ("entity_id", "as_of_date")
SHARES = (0.5, 1.5, 2.0)
CANNOT_RANK = "the features that are left do not tell people apart"


# ---------------------------------------------------------------- what is shared by all attributes


@dataclass(frozen=True, eq=False)
class Asked:
    """``place`` [n]: where each ranked row stands in the cohort. ``lists``: trials that are alike for every attribute.
    ``light``: for each origin what the light estimator learns from.
    """

    dataset: Dataset
    splits: Splits
    ranking: Ranking
    predictions: Predictions
    study: StudyFile
    rows: RankedRows
    place: np.ndarray
    refitted: str
    refit_study: StudyFile
    lists: tuple[Trial, ...]
    progress: Progress
    light: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)

    @property
    def today(self) -> Trial:
        return self.lists[0]

    def list_of(self, frame: pl.DataFrame) -> tuple[Floats, Floats] | None:
        """The selection and the risk that other predictions of the ranked rows give; None if some have none."""
        scored = aligned(self.ranking.frame, frame)
        if scored is None or scored[0].min() == scored[0].max():
            return None
        risk, score = scored
        chosen = np.zeros(self.rows.n)
        for day in self.rows.days:
            today = np.flatnonzero(self.rows.dates == np.datetime64(day))
            ids = self.ranking.frame["entity_id"][today]
            chosen[today] = select(
                ids, risk[today], score[today], self.ranking.places[day.isoformat()], self.study.seed
            )
        return chosen, risk

    def days(self) -> Iterator[tuple[Split, np.ndarray]]:
        """Each origin with the positions of its rows in the ranking."""
        for split in self.splits.origins:
            yield split, np.flatnonzero(self.rows.dates == np.datetime64(str(split.test)))


def ask(
    dataset: Dataset,
    splits: Splits,
    ranking: Ranking,
    predictions: Predictions,
    study: StudyFile,
    progress: Progress,
) -> Asked:
    rows = rows_of(ranking, ranking.places)
    cohort = dataset.cohort.rows.select(KEYS).with_row_index("place")
    place = ranking.frame.select(KEYS).join(cohort, on=KEYS, how="left", maintain_order="left")["place"].to_numpy()
    refitted, refit_study = weighable(ranking.model, study)
    lists = [Trial(TODAY, COULD, rows.selected.astype(np.float64), rows.risk, ranking.model)]
    for share in SHARES:
        places = np.array([ranking.places[day.isoformat()] for day in rows.dates.tolist()])
        chosen = (rows.rank <= np.minimum(np.round(share * places), rows.ranked)).astype(np.float64)
        lists.append(Trial("places", COULD, chosen, rows.risk, ranking.model, share=share))
    asked = Asked(
        dataset, splits, ranking, predictions, study, rows, place, refitted, refit_study, tuple(lists), progress,
    )  # fmt: skip
    if refitted == ranking.model:
        return asked
    own = predictions.frame.filter(pl.col("model") == refitted, pl.col("stage") == "test")
    if own.is_empty():
        own = weighted_refits(dataset, splits, refitted, refit_study, _unweighted, refitted, progress).frame
    made = asked.list_of(own)
    return replace(asked, lists=(*lists, Trial("other_family", COULD, *made, refitted))) if made else asked


def _unweighted(rows: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    return np.ones(len(outcome))


def on_list(whole: Attribute, place: np.ndarray, named: bool) -> Attribute:
    """The attribute of the ranked rows; where the study names no reference, their own largest group is it."""
    codes = whole.codes[place]
    sizes = np.bincount(codes, minlength=len(whole.groups)) * ~np.array(whole.unknown)
    reference = whole.reference if named or not sizes.any() else int(np.argmax(sizes))
    return replace(whole, codes=codes, reference=reference, numbers=None)


def _without_stand_ins(asked: Asked, whole: Attribute, ground: Ground) -> Trial | str:
    """The features that tell the worse-off group best are left out, and the family fitted without them."""
    split = asked.splits.origins[-1]
    _, fit, _ = prepare_origin(asked.dataset, split, asked.study)
    taught = teaching_rows(asked.dataset, split, asked.study).fit
    telling = telling_features(fit.matrix, whole.codes[taught] == ground.worse)
    if not telling:
        return f"no feature tells the group apart (an area of {TELLING:.2f} or more)"
    if len(telling) == len(fit.matrix.names):
        return "every feature tells the group apart"
    name = "without_stand_ins"
    frame = refits_without(
        asked.dataset, asked.splits, asked.refitted, asked.refit_study, {name: telling}, asked.progress
    ).frame
    made = asked.list_of(frame)
    return Trial(name, COULD, *made, asked.refitted, tuple(telling)) if made else CANNOT_RANK


def _reweighed(asked: Asked, whole: Attribute, ground: Ground) -> Trial | str:
    """Fit rows weighted so that outcome and group are independent among them (Kamiran & Calders 2012)."""
    own = _apart(whole.codes, ground.judged)

    def weighting(rows: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        return reweighing(own[rows], outcome)

    frame = weighted_refits(
        asked.dataset, asked.splits, asked.refitted, asked.refit_study, weighting, "reweighed", asked.progress
    ).frame
    made = asked.list_of(frame)
    return Trial("reweighed", COULD, *made, asked.refitted) if made else CANNOT_RANK


def reweighing(groups: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """P(group) P(outcome) / P(group, outcome) of each row: their mean is 1 if every group has both outcomes.

    Parameters
    ----------
    groups, outcome : [n] codes from 0, and 0 or 1

    Source: Kamiran & Calders 2012.
    """
    cell = groups * 2 + outcome.astype(np.int64)
    joint = np.bincount(cell, minlength=2 * (int(groups.max()) + 1)).astype(np.float64)
    by_group, by_outcome = joint.reshape(-1, 2).sum(axis=1), joint.reshape(-1, 2).sum(axis=0)
    expected = np.outer(by_group, by_outcome).ravel() / len(groups)
    found: np.ndarray = expected[cell] / joint[cell]
    return found


def _apart(codes: np.ndarray, judged: Sequence[int]) -> np.ndarray:
    """[n] a number for each judged group, and one for everybody else: cells of a handful would get wild weights."""
    own = np.full(len(codes), len(judged), dtype=np.int64)
    for number, group in enumerate(judged):
        own[codes == group] = number
    return own


# ---------------------------------------------------------------- simulations


def _reduction(asked: Asked, whole: Attribute, ground: Ground) -> Trial | str:
    own = _apart(whole.codes, ground.judged)
    chance = np.zeros(asked.rows.n)
    for split, here in asked.days():
        if split.origin not in asked.light:
            asked.light[split.origin] = light_features(asked.dataset, split, asked.study)
        taught, features, outcome, asked_of = asked.light[split.origin]
        judged = own[taught] < len(ground.judged)
        rng = np.random.default_rng([asked.study.seed, *b"reduction", split.origin])
        # The cohort's order, and where the ranking has each of its rows.
        cohort = cohort_of(asked.dataset, split)
        order = np.searchsorted(cohort, asked.place[here])
        made = learned_by_reduction(
            features[judged], outcome[judged], own[taught][judged], asked_of[order], ground.metric,
            int(asked.rows.selected[here].sum()), rng,
        )  # fmt: skip
        if isinstance(made, str):
            return made
        chance[here] = filled(made, asked.rows.rank[here], int(asked.rows.selected[here].sum()))
    return Trial("reduction", SIMULATION, chance, None, "logistic")


def _thresholds(asked: Asked, whole: Attribute, ground: Ground) -> Trial | str:
    own = _apart(whole.codes, ground.judged)
    frame = asked.predictions.frame.filter(pl.col("model") == asked.ranking.model, pl.col("stage") == "calibrate")
    cohort = asked.dataset.cohort.rows.select(KEYS).with_columns(pl.Series("group", own))
    frame = frame.join(cohort, on=KEYS, how="left", maintain_order="left").filter(pl.col("outcome").is_not_null())
    chance = asked.rows.selected.astype(np.float64)
    for split, here in asked.days():
        taught = frame.filter(pl.col("origin") == split.origin, pl.col("group") < len(ground.judged))
        free = here[own[asked.place[here]] < len(ground.judged)]
        made = optimised_thresholds(
            taught["risk"].to_numpy(), taught["outcome"].to_numpy(), taught["group"].to_numpy(),
            asked.rows.risk[free], own[asked.place[free]], ground.metric, int(asked.rows.selected[free].sum()),
        )  # fmt: skip
        if isinstance(made, str):
            return made
        chance[free] = filled(made, asked.rows.rank[free], int(asked.rows.selected[free].sum()))
    return Trial("thresholds", SIMULATION, chance, None, asked.ranking.model)


def _equal_cuts(asked: Asked, whole: Attribute, ground: Ground) -> Trial | str:
    own = _apart(ground.attribute.codes, ground.judged)
    own[own == len(ground.judged)] = -1
    chosen = np.zeros(asked.rows.n)
    for _, here in asked.days():
        chosen[here] = equal_cuts(asked.rows.rank[here], ground.counted[here], own[here], asked.rows.selected[here])
    return Trial("equal_cuts", SIMULATION, chosen, None, asked.ranking.model)


# To add an experiment: a function here, its words in `mitigation_words`, a test.
ATTEMPTS: dict[str, Callable[[Asked, Attribute, Ground], Trial | str]] = {
    "without_stand_ins": _without_stand_ins,
    "reweighed": _reweighed,
    "reduction": _reduction,
    "thresholds": _thresholds,
    "equal_cuts": _equal_cuts,
}
