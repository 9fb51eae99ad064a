"""How wide simultaneous intervals will be: the audit's comparisons, and how they will be correlated.

Rates are made of counts, and the counts that are expected are drawn again and again, as the audit's bootstrap will draw
those that are found. Characteristics are taken to be crossed at random. Then contrasts between the groups of one
attribute do not depend on those of another; and observed to expected, in which no group is subtracted, has the
correlation sqrt(s t) between groups of different attributes that hold the shares s and t of all events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from riskmodels.assessment.audit.counting.counts import FN, TP
from riskmodels.assessment.audit.forecasting.expected_groups import ExpectedGroup
from riskmodels.assessment.audit.metrics import PROPORTIONS, parts
from riskmodels.assessment.audit.verdicts import QUESTIONS
from riskmodels.assessment.intervals import Floats

DRAWS, SEED = 10_000, 20_160_613


@dataclass(frozen=True)
class Contrast:
    """``metric`` of a group (a position among the groups) with its reference; None: with everybody else if ``second``,
    otherwise with its own prediction."""

    group: int
    reference: int | None
    metric: str
    second: bool = False

    @property
    def question(self) -> str:
        """The simultaneous family it belongs to."""
        return QUESTIONS[0] if self.metric in PROPORTIONS else QUESTIONS[1]


def simultaneous_widths(
    asked: Sequence[Contrast], judged: np.ndarray, groups: Sequence[ExpectedGroup], cells: Floats, level: float
) -> dict[str, float]:
    """For each family how many standard errors make the intervals of its judged contrasts hold together (max-T).

    Parameters
    ----------
    judged : (len(asked),) which are expected to have enough people; where none has, all of the family count
    cells : (G, 6) expected counts of the groups
    """
    rng = np.random.default_rng(SEED)
    attributes = list(dict.fromkeys(group.attribute for group in groups))
    widths = {}
    for question, draw in zip(QUESTIONS, (_treatment, _meaning), strict=True):
        own = [index for index, contrast in enumerate(asked) if contrast.question == question]
        counted = [asked[index] for index in own if judged[index] or not judged[own].any()]
        # The largest so far: one attribute's draws at a time.
        largest, shared = np.zeros(DRAWS), rng.standard_normal((2, DRAWS))
        for attribute in attributes:
            here = [place for place, group in enumerate(groups) if group.attribute == attribute]
            of_it = [contrast for contrast in counted if contrast.group in here]
            if of_it:
                largest = np.maximum(largest, np.abs(draw(of_it, here, cells, shared, rng)).max(axis=0))
        single = NormalDist().inv_cdf((1 + level) / 2)
        widths[question] = max(single, float(np.quantile(largest, level)))
    return widths


def _treatment(
    asked: Sequence[Contrast], here: Sequence[int], cells: Floats, shared: Floats, rng: np.random.Generator
) -> Floats:
    """(K, DRAWS) standardised log ratios of one attribute's rates."""
    own, metrics = cells[here], sorted({contrast.metric for contrast in asked})
    drawn = rng.poisson(own, (DRAWS, *own.shape)).astype(np.float64)
    others, drawn_others = own.sum(axis=0) - own, drawn.sum(axis=1, keepdims=True) - drawn
    # (DRAWS, groups) by metric: how far the log of each rate, and of everybody else's, lies from where it should.
    moved = {metric: _log_rate(drawn, metric) - _log_rate(own, metric) for metric in metrics}
    moved_others = {metric: _log_rate(drawn_others, metric) - _log_rate(others, metric) for metric in metrics}
    found = []
    for contrast in asked:
        place, metric = here.index(contrast.group), contrast.metric
        against = (
            moved_others[metric][:, place]
            if contrast.reference is None
            else moved[metric][:, here.index(contrast.reference)]
        )
        ratio = moved[metric][:, place] - against
        found.append(ratio / max(float(ratio.std()), 1e-9))
    return np.stack(found)


def _log_rate(cells: Floats, metric: str) -> Floats:
    """Log of a rate as the audit takes it (`contrasts.measure`), of counts of shape (..., 6)."""
    top, bottom = parts(cells, metric)
    return np.asarray(np.log((top + 0.5) / (bottom + 1.0)))


def _meaning(
    asked: Sequence[Contrast], here: Sequence[int], cells: Floats, shared: Floats, rng: np.random.Generator
) -> Floats:
    """(K, DRAWS) standardised calibration of one attribute's groups.

    The groups make up everybody, whose draw the attributes share. The slope moves apart from observed to expected.
    """
    events = cells[here][:, [FN, TP]].sum(axis=1)
    part = np.sqrt(events / max(float(events.sum()), 1e-9))[:, None]
    drawn = {}
    for metric in sorted({contrast.metric for contrast in asked}):
        free = rng.standard_normal((len(here), DRAWS))
        everybody = shared[int(metric == "calibration_slope")]
        drawn[metric] = free + part * (everybody - (part * free).sum(axis=0))
    return np.stack([drawn[contrast.metric][here.index(contrast.group)] for contrast in asked])
