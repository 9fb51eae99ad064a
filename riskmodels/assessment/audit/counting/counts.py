"""Speed comes from counts: count once, then bootstrap the counts.

Every threshold metric is a function of the counts (group x outcome x selected), and a row bootstrap of counts *is* a
multinomial over the distinct *patterns* of cells that people have, over all attributes at once, so that contrasts stay
correlated. Where rows belong together (one person on several dates, one household), what is resampled is the whole
cluster, and a pattern is that of a cluster.

With many patterns only those that touch the smallest counts are drawn one by one; the sums over all others are large,
and are drawn from their normal limit, with their own exact covariance. Expected events and calibration slopes follow
the counts by linear regression, plus a normal residual: all second moments are those of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from riskmodels.assessment.audit.counting.drawing_order import in_drawing_order
from riskmodels.models.logit import NARROW, one_thread

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TN, FP, FN, TP, UNSELECTED_UNKNOWN, SELECTED_UNKNOWN = range(6)
CELLS = 6
UNKNOWN = 2
_CHUNK = 2_000_000
# Of a variance: what is added to each, so that sums which always add up to the same can be told apart from noise.
_RIDGE = 1e-7


@dataclass(frozen=True)
class Stratum:
    """A group whose counts are kept: of one attribute, or of the intersection of two."""

    attribute: str
    group: str
    label: str
    unknown: bool
    intersection: bool = False


@dataclass(frozen=True)
class Patterns:
    """Units that are drawn one by one, the same ones together.

    multiplicity (P,): units of each pattern; start (P + 1,), column and value: row p counts value[i] rows in
    column[i], for i from start[p] to start[p + 1]. A column is stratum * 6 + cell.
    """

    multiplicity: np.ndarray
    start: np.ndarray
    column: np.ndarray
    value: np.ndarray

    def table(self, width: int) -> csr_array:
        from scipy.sparse import csr_array

        shape = (len(self.multiplicity), width)
        return csr_array((self.value.astype(np.float64), self.column, self.start), shape=shape)


@dataclass(frozen=True)
class Counted:
    """All that a verdict needs to know of the rows, counted: from it and a seed every resample is the same again.

    sizes: groups of each attribute, S in all; units: rows, or clusters of them. counts (S, 6): people by stratum and
    cell; expected (S,): sum of risks over known outcomes; slopes (S,), nan where none could be fitted.

    moments (8 S, 8 S): sum over units of u u', where u are a unit's 6 S counts, its S sums of risks and its S sums of
    influences on the slope, in bins of risk; sums (2 S,): of the latter two over all units.

    presence (S, 64), pair_presence (P, 64) and everybody_present (64,): units by the set of cells in which they have
    rows (`riskmodels.assessment.audit.counting.people`).

    pair_counts (P, 6) and pair_moments (P, 12, 12): the same of each intersection, u being the unit's counts in it and
    its counts in all.
    """

    sizes: tuple[int, ...]
    units: int
    counts: np.ndarray
    expected: np.ndarray
    slopes: np.ndarray
    moments: np.ndarray
    sums: np.ndarray
    patterns: Patterns
    presence: np.ndarray
    everybody_present: np.ndarray
    pair_counts: np.ndarray
    pair_moments: np.ndarray
    pair_presence: np.ndarray


@dataclass(frozen=True)
class Replicates:
    """What was counted and what a resample would have counted.

    counts (G, 6): people by stratum and cell, the S strata of single attributes first; resampled (B, S, 6): those of
    the S strata; everybody (6,) and resampled_everybody (B, 6): the same for the whole; expected (S,) and
    resampled_expected (B, S): sum of risks over known outcomes; slope_shift (B, S): change of the calibration slope.

    presence (G, 64) and everybody_present (64,): units by the set of cells in which they have rows.

    pair_covariance (G - S, 12, 12): of the resampled counts of an intersection and of everybody: exploratory contrasts
    need no more than a standard error.
    """

    counts: np.ndarray
    resampled: np.ndarray
    everybody: np.ndarray
    resampled_everybody: np.ndarray
    expected: np.ndarray
    resampled_expected: np.ndarray
    slope_shift: np.ndarray
    units: int
    presence: np.ndarray
    everybody_present: np.ndarray
    pair_covariance: np.ndarray = field(default_factory=lambda: np.zeros((0, 2 * CELLS, 2 * CELLS)))


def cells_of(status: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """The cell of each row: TN, FP, FN, TP, or not known (not selected, selected).

    Parameters
    ----------
    status : (n,) 0 no event, 1 event, 2 not known
    selected : (n,) bool
    """
    return status.astype(np.int32) * 2 + selected.astype(np.int32)


def resample(counted: Counted, replicates: int, rng: np.random.Generator) -> Replicates:
    """Bootstrap the counts: as many units as there are, drawn with replacement.

    What groups are called, and the order in which they and the attributes are given, change nothing of what is drawn.
    """
    strata = len(counted.counts)
    ordered, place = in_drawing_order(counted)
    with one_thread(NARROW + 1):
        drawn = _drawn_counts(ordered, replicates, rng)
        expected, shift = _drawn_sums(ordered, drawn, rng)
    resampled = drawn.reshape(replicates, strata, CELLS)
    # The groups of the first attribute are everybody.
    first = slice(0, ordered.sizes[0])
    everybody = ordered.counts[first].sum(axis=0)
    totals = np.concatenate([counted.pair_counts, np.broadcast_to(everybody, counted.pair_counts.shape)], axis=1)
    return Replicates(
        counts=np.concatenate([counted.counts, counted.pair_counts]),
        resampled=resampled[:, place],
        everybody=everybody,
        resampled_everybody=resampled[:, first].sum(axis=1),
        expected=counted.expected,
        resampled_expected=expected[:, place],
        slope_shift=shift[:, place],
        pair_covariance=counted.pair_moments - totals[:, :, None] * totals[:, None, :] / counted.units,
        units=counted.units,
        presence=np.concatenate([counted.presence, counted.pair_presence]),
        everybody_present=counted.everybody_present,
    )


def _drawn_counts(counted: Counted, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """(B, 6 S) counts: patterns drawn one by one, and the sum of all other units from its normal limit."""
    width = counted.counts.size
    multiplicity, table = counted.patterns.multiplicity, counted.patterns.table(width)
    one_by_one = int(multiplicity.sum())
    others = counted.units - one_by_one
    drawn = np.zeros((replicates, width))
    apart = rng.binomial(counted.units, one_by_one / counted.units, size=replicates)
    if one_by_one:
        step = max(1, _CHUNK // len(multiplicity))
        for start in range(0, replicates, step):
            part = rng.multinomial(apart[start : start + step], multiplicity / one_by_one)
            drawn[start : start + step] = (table.T @ part.T.astype(np.float64)).T
    if others:
        scaled = table.copy()
        scaled.data = scaled.data * np.repeat(multiplicity, np.diff(table.indptr))
        mean = (counted.counts.ravel() - multiplicity @ table) / others
        second = (counted.moments[:width, :width] - (table.T @ scaled).toarray()) / others
        touched = np.flatnonzero(mean > 0)
        covariance = (second - np.outer(mean, mean))[np.ix_(touched, touched)]
        noise = rng.standard_normal((replicates, len(touched))) @ _root(covariance)
        left = (counted.units - apart)[:, None]
        drawn[:, touched] += left * mean[touched] + np.sqrt(left) * noise
    return np.maximum(drawn, 0.0)


def _drawn_sums(counted: Counted, drawn: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(B, S) expected events and changes of the slope that go with the counts drawn."""
    strata, width = len(counted.counts), counted.counts.size
    totals = np.concatenate([counted.counts.ravel(), counted.sums])
    covariance = counted.moments - np.outer(totals, totals) / counted.units
    scale = np.sqrt(np.maximum(np.diag(covariance)[:width], _RIDGE))
    among = covariance[:width, :width] / np.outer(scale, scale) + _RIDGE * np.eye(width)
    across = covariance[:width, width:] / scale[:, None]
    slope = np.linalg.solve(among, across)
    residual = covariance[width:, width:] - across.T @ slope
    noise = rng.standard_normal((len(drawn), 2 * strata)) @ _root(residual)
    moved = ((drawn - totals[:width]) / scale) @ slope + noise
    return counted.expected + moved[:, :strata], moved[:, strata:]


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root: unlike other roots it is unique, so that row order cannot change what is drawn."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
