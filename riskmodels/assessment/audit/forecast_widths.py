"""How wide simultaneous intervals will be: the audit's comparisons, and how they will be correlated.

The covariance of two log ratios made of counts is the sum over cells of count times both slopes (delta method on the
multinomial). Characteristics are taken to be crossed at random. Then contrasts between the groups of one attribute do
not depend on those of another; and observed to expected, in which no group is subtracted, has the correlation
sqrt(s t) between groups of different attributes that hold the shares s and t of all events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from riskmodels.assessment.audit.counts import FN, TP
from riskmodels.assessment.audit.expected_groups import ExpectedGroup
from riskmodels.assessment.audit.metrics import PROPORTIONS, parts
from riskmodels.assessment.audit.verdicts import QUESTIONS
from riskmodels.assessment.intervals import Floats

DRAWS, SEED = 20_000, 20_160_613


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
    own = np.maximum(cells[here], 1e-9)
    slopes = np.zeros((len(asked), *own.shape))
    for line, contrast in enumerate(asked):
        place = here.index(contrast.group)
        others = [other for other in range(len(here)) if other != place]
        against = others if contrast.reference is None else [here.index(contrast.reference)]
        slopes[line, place] += _slope_of_log(own[place], contrast.metric)
        slopes[line, against] -= _slope_of_log(own[against].sum(axis=0), contrast.metric)
    # A count moves by its square root.
    moves = (slopes * np.sqrt(own)).reshape(len(asked), -1)
    deviation = np.sqrt(np.maximum((moves**2).sum(axis=1), 1e-300))[:, None]
    return np.asarray((moves / deviation) @ rng.standard_normal((moves.shape[1], DRAWS)))


def _slope_of_log(cells: Floats, metric: str) -> Floats:
    """(6,) derivative of the log of a rate by each of its counts."""
    rate, (top, bottom) = PROPORTIONS[metric], parts(cells, metric)
    slope = np.zeros(cells.size)
    slope[list(rate.top)] += 1 / top
    slope[list(rate.bottom)] -= 1 / bottom
    return slope


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
