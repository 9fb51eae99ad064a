"""The metrics of one group, each with its interval and its own denominator."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.audit.counting.counts import FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.intervals import wilson

ALL_CELLS = (TN, FP, FN, TP, UNSELECTED_UNKNOWN, SELECTED_UNKNOWN)


@dataclass(frozen=True)
class Proportion:
    """A rate made of cells. ``adds``: unknown outcomes that could raise the rate, ``others``: that could lower it."""

    top: tuple[int, ...]
    bottom: tuple[int, ...]
    of: str
    adds: tuple[int, ...] = ()
    others: tuple[int, ...] = ()


_ON_LIST, _OFF_LIST = "on the list with a known outcome", "off the list with a known outcome"
# To add a rate: one row here, one in the tests.
PROPORTIONS: dict[str, Proportion] = {
    "recall": Proportion((TP,), (FN, TP), "who had the outcome", (SELECTED_UNKNOWN,), (UNSELECTED_UNKNOWN,)),
    "fnr": Proportion((FN,), (FN, TP), "who had the outcome", (UNSELECTED_UNKNOWN,), (SELECTED_UNKNOWN,)),
    "fpr": Proportion((FP,), (TN, FP), "who did not have the outcome", (SELECTED_UNKNOWN,), (UNSELECTED_UNKNOWN,)),
    "fdr": Proportion((FP,), (FP, TP), _ON_LIST, (SELECTED_UNKNOWN,), (SELECTED_UNKNOWN,)),
    "for": Proportion((FN,), (TN, FN), _OFF_LIST, (UNSELECTED_UNKNOWN,), (UNSELECTED_UNKNOWN,)),
    "precision": Proportion((TP,), (FP, TP), _ON_LIST, (SELECTED_UNKNOWN,), (SELECTED_UNKNOWN,)),
    "selection_rate": Proportion((FP, TP, SELECTED_UNKNOWN), ALL_CELLS, "in all"),
    "base_rate": Proportion(
        (FN, TP), (TN, FP, FN, TP), "with a known outcome",
        (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN), (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN),
    ),
}  # fmt: skip
NOT_A_RATE = {
    "oe_ratio": "who had the outcome, or were expected to",
    "calibration_slope": "who had the outcome, or as many who did not",
    "auc": "who had the outcome, or as many who did not",
}


def parts(cells: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of a rate, from counts of shape (..., 6)."""
    rate = PROPORTIONS[metric]
    return cells[..., list(rate.top)].sum(axis=-1), cells[..., list(rate.bottom)].sum(axis=-1)


def bounds(cells: np.ndarray, metric: str) -> tuple[float, float] | None:
    """The rate if all unknown outcomes had turned out at worst and at best; None where they cannot change it."""
    rate = PROPORTIONS[metric]
    if not rate.adds or cells[[UNSELECTED_UNKNOWN, SELECTED_UNKNOWN]].sum() == 0:
        return None
    top, bottom = (int(part) for part in parts(cells, metric))
    more, fewer = int(cells[list(rate.adds)].sum()), int(cells[list(rate.others)].sum())
    if bottom + fewer == 0 or bottom + more == 0:
        return None
    return top / (bottom + fewer), (top + more) / (bottom + more)


# ---------------------------------------------------------------- calibration slope


@dataclass(frozen=True)
class Slopes:
    """Lines fitted to the log odds, one for each group: intercept and slope (G,), nan where none could be fitted.

    ``weight`` (2, G): the slope's row of the inverse information.
    """

    intercept: np.ndarray
    slope: np.ndarray
    weight: np.ndarray

    def influence(self, x: np.ndarray) -> np.ndarray:
        """(G, 2, F): what one more person without and with the outcome, at log odds x (F,), adds to the slope.

        The slope of a resample is, to first order, the slope plus the sum of influences. 0 where there is no slope.
        """
        line = np.nan_to_num(self.intercept)[:, None] + np.nan_to_num(self.slope)[:, None] * x
        p = _probability(line)
        leverage = self.weight[0][:, None] + self.weight[1][:, None] * x
        return np.stack([-leverage * p, leverage * (1 - p)], axis=1)


def calibration_slopes(events: np.ndarray, others: np.ndarray, x: np.ndarray) -> Slopes:
    """Slope of the logistic regression of the outcome on the risk's log odds, in each group (Cox 1958).

    Newton's method on all groups at once.

    Parameters
    ----------
    events, others : (G, F) people of each group with and without the outcome, by bin of risk
    x : (F,) log odds of the risk in each bin
    """
    people = events + others
    rows, had = people.sum(axis=1), events.sum(axis=1)
    mean = (people * x).sum(axis=1) / np.maximum(rows, 1)
    spread = (people * (x - mean[:, None]) ** 2).sum(axis=1)
    possible = (had > 0) & (had < rows) & (spread > 1e-9 * np.maximum(rows, 1))
    # A Newton step from a moderate start; the line is shortened where a group is small or nearly separated.
    intercept, slope = np.zeros(len(people)), np.ones(len(people))
    weight = np.zeros((2, len(people)))
    moved = np.full(len(people), np.inf)
    for _ in range(50):
        p = _probability(intercept[:, None] + slope[:, None] * x)
        w, score = people * p * (1 - p), events - people * p
        a, b, c = w.sum(axis=1), (w * x).sum(axis=1), (w * x * x).sum(axis=1)
        u, v = score.sum(axis=1), (score * x).sum(axis=1)
        determinant = a * c - b * b
        fine = possible & (determinant > 1e-12 * np.maximum(a * c, 1e-300))
        safe = np.where(fine, determinant, 1.0)
        weight = np.where(fine, np.stack([-b, a]) / safe, 0.0)
        step = np.where(fine, np.stack([c * u - b * v, a * v - b * u]) / safe, 0.0)
        moved = np.where(fine, np.abs(step).max(axis=0), np.inf)
        shorten = np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(axis=0), 1e-12))
        if (moved[possible] < 1e-10).all():
            break
        intercept, slope = intercept + shorten * step[0], slope + shorten * step[1]
    fitted = possible & (moved < 1e-6) & (np.abs(slope) < 50)
    return Slopes(np.where(fitted, intercept, np.nan), np.where(fitted, slope, np.nan), np.where(fitted, weight, 0.0))


def _probability(line: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(line, -30, 30))))


# ---------------------------------------------------------------- a group's row


def too_few(floor: int, of: str, noun: str = "people") -> str:
    return f"fewer than {floor} {counted_as(noun, of)}"


def counted_as(noun: str, of: str) -> str:
    """ "people who had the outcome", "places that had the outcome"."""
    return f"{noun} {of if noun == 'people' else of.replace('who ', 'that ')}"


def rate_estimate(
    cells: np.ndarray, spread: float, metric: str, policy: Policy, noun: str, people: int
) -> dict[str, Any]:
    """A rate with its Wilson interval, or the reason why it is not shown.

    Parameters
    ----------
    cells : (6,) counts of the group
    spread : standard deviation of the rate over the resamples
    people : how many people, or clusters, the rate is of
    """
    top, bottom = (int(part) for part in parts(cells, metric))
    of = PROPORTIONS[metric].of
    if bottom == 0:
        return {"value": None, "reason": f"nobody {of}" if noun == "people" else f"no {counted_as(noun, of)}"}
    if people < policy.floors.show:
        return {"value": None, "reason": f"not shown ({too_few(policy.floors.show, of, noun)})"}
    rate = top / bottom
    binomial = rate * (1 - rate) / bottom
    # Where all rows agree the resamples do, and cannot say that rows of one person always would.
    effect = max(1.0, spread**2 / binomial if binomial > 0 else bottom / people) if people < bottom else 1.0
    low, high = wilson(rate, bottom / effect, NormalDist().inv_cdf((1 + policy.level) / 2))
    found: dict[str, Any] = {"value": rate, "low": low, "high": high, "n": bottom}
    unknown = bounds(cells, metric)
    return found | ({"bounds": list(unknown)} if unknown is not None else {})
