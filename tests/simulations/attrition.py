"""Outcomes that go missing for a reason: do the bounds hold, and does weighting put right what it says it can?

Somebody's outcome is unknown with log-odds ``level + by_risk * (logit(risk) - mean) + by_outcome * outcome``. Bounds
are held against what the same sample gives with every outcome known. Intervals, of the known rows alone and weighted by
the inverse probability of being known, are held against the truth of the world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.logistic import expit, logit
from riskmodels.assessment.performance import METRICS
from riskmodels.assessment.ranked_rows import RankedRows
from riskmodels.assessment.unknown_outcomes import assess_unknown
from tests.simulations.coverage import LEAST, MANY, STATISTICS, truth, within_chance
from tests.simulations.worlds import ROWS_OF_POPULATION, WORLDS, Sample, stream

WORLD = "people"
ROUND_OFF = 1e-12
FIGURES = ("auc", "oe_ratio", "brier_score", "precision", "recall")


@dataclass(frozen=True)
class Mechanism:
    """What a lost outcome depends on."""

    words: str
    level: float
    by_risk: float = 0.0
    by_outcome: float = 0.0

    @property
    def weighting_helps(self) -> bool:
        """Whether being known depends on nothing but what the weights look at."""
        return self.by_outcome == 0

    def known(self, sample: Sample, rng: np.random.Generator) -> np.ndarray:
        at = logit(sample.risk)
        lost = expit(self.level + self.by_risk * (at - at.mean()) + self.by_outcome * sample.outcome)
        return rng.random(sample.outcome.size) >= lost


MECHANISMS = {
    "chance": Mechanism("nothing", -1.4),
    "risk": Mechanism("risk: the higher, the more", -1.4, by_risk=1.0),
    "outcome": Mechanism("the outcome: events are lost more", -1.7, by_outcome=1.3),
    "no outcome": Mechanism("the outcome: events are kept more", -1.1, by_outcome=-1.3),
    "both": Mechanism("risk and outcome", -1.8, by_risk=1.0, by_outcome=1.3),
}


@dataclass(frozen=True)
class Held:
    """Of so many samples: how often the bounds held the full-data figure, and each kind of interval the truth."""

    mechanism: str
    figure: str
    unknown: float
    replicates: int
    bounds: int
    width: float
    plain: int
    weighted: int

    @property
    def bounds_hold(self) -> bool:
        return self.bounds >= 0.95 * self.replicates

    @property
    def weighting_holds(self) -> bool:
        """93%, or above: weights that were estimated are taken as given, which makes their intervals wide."""
        if self.replicates >= MANY:
            return self.weighted >= LEAST * self.replicates
        return within_chance(self.weighted, self.replicates, LEAST, 1.0)


def simulate(mechanism: str, replicates: int, rows: int = ROWS_OF_POPULATION) -> list[Held]:
    """Lose outcomes of so many samples in this way."""
    counts = {figure: {"bounds": 0, "plain": 0, "weighted": 0} for figure in FIGURES}
    widths, unknown = dict.fromkeys(FIGURES, 0.0), 0.0
    for number in range(replicates):
        sample = WORLDS[WORLD].draw(stream(WORLD, "sample", number))
        known = MECHANISMS[mechanism].known(sample, stream(mechanism, "lost", number))
        whole, _ = figures(ranked(sample, np.ones(known.size, dtype=bool)))
        plain, bounds = figures(ranked(sample, known))
        weighted = assess_unknown(ranked(sample, known)).weighted
        unknown += float((~known).mean()) / replicates
        for figure in FIGURES:
            of_list = STATISTICS[figure].of_list
            right = truth(figure, WORLD, rows) if of_list is None else of_list(sample)
            low, high = bounds[figure]
            counts[figure]["bounds"] += low - ROUND_OFF <= whole[figure].value <= high + ROUND_OFF
            counts[figure]["plain"] += inside(plain[figure], right)
            counts[figure]["weighted"] += inside(weighted[figure], right)
            widths[figure] += (high - low) / replicates
    return [Held(mechanism, figure, unknown, replicates, width=widths[figure], **counts[figure]) for figure in FIGURES]


def figures(rows: RankedRows) -> tuple[dict[str, Estimate], dict[str, list[float]]]:
    """Each figure of the rows whose outcome is known, and between which bounds that of all rows lies."""
    seen, unknown = rows.known_only(), assess_unknown(rows)
    listed = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    own = {name: METRICS[name](seen.outcome, seen.risk, seen.units) for name in FIGURES if name in METRICS}
    bounds = unknown.bounds | {name: listed[f"{name}_bounds"] for name in ("precision", "recall")}
    return own | {name: listed[name] for name in ("precision", "recall")}, bounds


def ranked(sample: Sample, known: np.ndarray) -> RankedRows:
    """The sample as one list; what is not known is not there to be seen."""
    n = sample.outcome.size
    return RankedRows(
        outcome=np.where(known, sample.outcome, 0.0),
        known=known,
        risk=sample.risk,
        selected=sample.selected,
        rank=np.argsort(np.argsort(-sample.risk)) + 1,
        ranked=np.full(n, n),
        dates=np.full(n, np.datetime64("2020-01-01")),
        units=sample.units,
    )


def inside(found: Estimate, right: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= right <= found.high
