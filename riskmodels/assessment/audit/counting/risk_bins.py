"""Risks in bins, so that what is made of risks can be counted: expected events, calibration, the order of people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FINE = 4096
COARSE = 256
LEAST = 1e-6


@dataclass(frozen=True)
class RiskBins:
    """Bins in order of risk; people with the same risk share one.

    of_row (n,) int32; size and risk (F,): people in each bin and their mean risk; coarse (F,): the coarse bin that each
    belongs to; coarse_risk (C,).
    """

    of_row: np.ndarray
    size: np.ndarray
    risk: np.ndarray
    coarse: np.ndarray
    coarse_risk: np.ndarray


def bin_risk(risk: np.ndarray) -> RiskBins:
    """At most 4,096 bins, and 256 coarse ones made of them. Up to so many different risks each is a bin of its own.

    Half of the edges are quantiles, half are evenly spaced in log odds: the tails, where a calibration slope has its
    leverage, are cut as finely as the middle. Everything is added up in order of risk, never in row order.

    Parameters
    ----------
    risk : (n,) in [0, 1], n > 0
    """
    n = len(risk)
    order = np.argsort(risk)
    ordered = risk[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) > FINE:
        odds = log_odds(ordered[[0, -1]])
        spaced = 1 / (1 + np.exp(-np.linspace(odds[0], odds[1], FINE // 2)))
        quantiles = ordered[np.arange(FINE // 2) * n // (FINE // 2)]
        starts = np.unique(np.searchsorted(ordered, np.concatenate([ordered[:1], quantiles, spaced])))
        starts = starts[starts < n]
    size = np.diff(starts, append=n)
    of_row = np.empty(n, dtype=np.int32)
    of_row[order] = np.repeat(np.arange(len(starts), dtype=np.int32), size)
    total = np.add.reduceat(ordered, starts)
    coarse = np.arange(len(starts)) // math.ceil(len(starts) / COARSE)
    return RiskBins(of_row, size, total / size, coarse, np.bincount(coarse, total) / np.bincount(coarse, size))


def log_odds(risk: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of risks clipped to [1e-6, 1 - 1e-6]."""
    clipped = np.clip(risk, LEAST, 1 - LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def exact_sums(values: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    """(size,) sums of numbers in [0, 1] by code: the same bits in whatever order the rows stand.

    They are first rounded to whole multiples of a power of two so fine that no sum is ever rounded.
    """
    unit = 2.0 ** (52 - max(len(values), 1).bit_length())
    return np.asarray(np.bincount(code, weights=np.rint(values * unit), minlength=size) / unit)
