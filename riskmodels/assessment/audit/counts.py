"""Speed comes from counts: count once, then bootstrap the table.

Every threshold metric is a function of the counts (group x outcome x selected), and a row bootstrap of counts *is* a
multinomial over them. The joint over all attributes is kept, so that contrasts stay correlated. Where rows belong
together (one person on several dates, one household), the unit that is resampled is the whole cluster, and the
multinomial runs over the distinct *patterns* of cells that clusters have; a row alone is the simplest pattern.

Two sums per group are not counts: the expected events and the influence on the calibration slope. In a resample they
follow their cells' means, plus a Gaussian residual with the covariance that remains inside the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TN, FP, FN, TP, UNSELECTED_UNKNOWN, SELECTED_UNKNOWN = range(6)
CELLS = 6
UNKNOWN = 2
_TABLE_LIMIT = 4_000_000
_CHUNK = 2_000_000
_ZOBRIST = 20_160_613


@dataclass(frozen=True)
class Stratum:
    """A group whose counts are kept: of one attribute, or of the intersection of two."""

    attribute: str
    group: str
    label: str
    unknown: bool
    intersection: bool = False


@dataclass(frozen=True)
class Replicates:
    """What was counted and what a resample would have counted.

    counts (G, 6) and resampled (B, G, 6): people by stratum and cell; everybody (6,) and resampled_everybody (B, 6):
    the same for the whole; expected (S,) and resampled_expected (B, S): sum of risks over known outcomes; slope_shift
    (B, S): change of the calibration slope. The S strata of single attributes come first among the G.
    """

    counts: np.ndarray
    resampled: np.ndarray
    everybody: np.ndarray
    resampled_everybody: np.ndarray
    expected: np.ndarray
    resampled_expected: np.ndarray
    slope_shift: np.ndarray
    units: int


def cells_of(status: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """The cell of each row: TN, FP, FN, TP, or not known (not selected, selected).

    Parameters
    ----------
    status : (n,) 0 no event, 1 event, 2 not known
    selected : (n,) bool
    """
    return status.astype(np.int64) * 2 + selected.astype(np.int64)


def joint_codes(codes: Sequence[np.ndarray], sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Every row's combination of groups, numbered from 0 without holes, and one row that shows each combination.

    Sparse: only combinations that occur get a number, however many attributes there are.
    """
    joint, size = np.zeros(len(codes[0]), dtype=np.int64), 1
    for part, count in zip(codes, sizes, strict=True):
        joint, size = _compact(joint * count + part, size * count)
    example = np.empty(size, dtype=np.int64)
    example[joint[::-1]] = np.arange(len(joint) - 1, -1, -1)
    return joint, example


def _compact(code: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    if size > _TABLE_LIMIT:
        occupied, compact = np.unique(code, return_inverse=True)
        return compact, len(occupied)
    occupied = np.flatnonzero(np.bincount(code, minlength=size))
    place = np.zeros(size, dtype=np.int64)
    place[occupied] = np.arange(len(occupied))
    return place[code], len(occupied)


def replicate(
    cells: np.ndarray,
    codes: Sequence[np.ndarray],
    sizes: Sequence[int],
    pairs: Sequence[np.ndarray],
    pair_sizes: Sequence[int],
    risk: np.ndarray,
    slope_influence: Sequence[np.ndarray],
    clusters: np.ndarray | None,
    replicates: int,
    rng: np.random.Generator,
) -> Replicates:
    """Count by stratum, and bootstrap the counts.

    Parameters
    ----------
    cells : (n,) from `cells_of`
    codes, sizes : for each attribute (n,) codes and the number of its groups
    pairs, pair_sizes : the same for intersections; a code of -1 belongs to none
    risk : (n,) predicted risk
    slope_influence : for each attribute (n,) each row's influence on the slope of its group; 0 where not known
    clusters : (n,) codes from 0 of what is resampled whole; None where each row stands alone
    """
    from scipy.sparse import csr_array

    singles = int(sum(sizes))
    joint, example = joint_codes([*codes, *(part + 1 for part in pairs)], [*sizes, *(size + 1 for size in pair_sizes)])
    cell, occupied = _compact(joint * CELLS + cells, len(example) * CELLS)
    first = _first_rows(cell, occupied)
    size = np.bincount(cell, minlength=occupied)
    known = cells < UNKNOWN * 2

    offsets = np.concatenate([[0], np.cumsum([*sizes, *pair_sizes])]).astype(np.int64)
    groups = int(offsets[-1])
    rows, columns, values = [], [], []
    residuals, residual_columns = [], []
    here = np.arange(occupied)
    for index, part in enumerate([*codes, *pairs]):
        group = part[first]
        member = group >= 0
        rows.append(here[member])
        columns.append((offsets[index] + group[member]) * CELLS + cells[first[member]])
        values.append(np.ones(int(member.sum())))
    for kind, per_attribute in enumerate(([np.where(known, risk, 0.0)] * len(codes), slope_influence)):
        for index, (part, value) in enumerate(zip(codes, per_attribute, strict=True)):
            mean = np.bincount(cell, weights=value, minlength=occupied) / size
            column = kind * singles + offsets[index] + part
            rows.append(here)
            columns.append(groups * CELLS + column[first])
            values.append(mean)
            residuals.append(value - mean[cell])
            residual_columns.append(column)
    width = groups * CELLS + 2 * singles
    sums = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(occupied, width))
    spread = _residual_covariance(
        np.stack(residuals, axis=1), np.stack(residual_columns, axis=1), 2 * singles, clusters
    )

    multiplicity, patterns = _patterns(cell, occupied, size, clusters)
    resampled = _resample(multiplicity, patterns @ sums if patterns is not None else sums, replicates, rng)
    noise = rng.standard_normal((replicates, 2 * singles)) @ _root(spread)
    totals = size @ sums
    counted = groups * CELLS
    extra = resampled[:, counted:] + noise
    counts = np.rint(totals[:counted]).astype(np.int64).reshape(groups, CELLS)
    redrawn = np.rint(resampled[:, :counted]).reshape(replicates, groups, CELLS)
    return Replicates(
        counts=counts,
        resampled=redrawn,
        # The groups of the first attribute are everybody.
        everybody=counts[: sizes[0]].sum(axis=0),
        resampled_everybody=redrawn[:, : sizes[0]].sum(axis=1),
        expected=totals[counted : counted + singles],
        resampled_expected=extra[:, :singles],
        slope_shift=extra[:, singles:],
        units=int(multiplicity.sum()),
    )


def _first_rows(code: np.ndarray, size: int) -> np.ndarray:
    first = np.empty(size, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)
    return first


def _patterns(
    cell: np.ndarray, occupied: int, size: np.ndarray, clusters: np.ndarray | None
) -> tuple[np.ndarray, csr_array | None]:
    """How often each distinct pattern of cells occurs among the clusters, and the cells of each pattern.

    A cluster's pattern is recognised by the sum of a random 64-bit number per cell (Zobrist hashing): clusters with the
    same cells, in whatever order, have the same sum.
    """
    from scipy.sparse import csr_array

    if clusters is None:
        return size, None
    mark = np.random.default_rng(_ZOBRIST).integers(0, 2**64, size=occupied, dtype=np.uint64)
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    sums = np.add.reduceat(mark[cell[order]], starts)
    _, shows, multiplicity = np.unique(sums, return_index=True, return_counts=True)
    lengths = np.diff(np.append(starts, len(order)))[shows]
    members = np.concatenate(
        [order[start : start + length] for start, length in zip(starts[shows], lengths, strict=True)]
    )
    rows = np.repeat(np.arange(len(shows)), lengths)
    return multiplicity, csr_array((np.ones(len(rows)), (rows, cell[members])), shape=(len(shows), occupied))


def _resample(multiplicity: np.ndarray, sums: csr_array, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """(B, K) column sums of resamples of as many units as there are."""
    units = int(multiplicity.sum())
    step = max(1, _CHUNK // len(multiplicity))
    parts = []
    for start in range(0, replicates, step):
        draws = rng.multinomial(units, multiplicity / units, size=min(step, replicates - start))
        parts.append((sums.T @ draws.T.astype(np.float64)).T)
    return np.concatenate(parts)


def _residual_covariance(
    residuals: np.ndarray, columns: np.ndarray, width: int, clusters: np.ndarray | None
) -> np.ndarray:
    """(K, K) covariance of the sums of what the cells' means leave over, summed over clusters first."""
    from scipy.sparse import csr_array

    n, parts = residuals.shape
    table = csr_array((residuals.ravel(), columns.ravel(), np.arange(0, n * parts + 1, parts)), shape=(n, width))
    if clusters is not None:
        order = np.argsort(clusters, kind="stable")
        starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
        table = csr_array((np.ones(n), order, np.append(starts, n)), shape=(len(starts), n)) @ table
    covariance = np.zeros((width, width))
    step = max(1, _CHUNK // width)
    for start in range(0, table.shape[0], step):
        block = table[start : start + step].toarray()
        covariance += block.T @ block
    return covariance


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root: unlike other roots it is unique, so that row order cannot change what is drawn."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
