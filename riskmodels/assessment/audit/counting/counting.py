"""From rows to counts: everything about the rows that a verdict needs, in one pass for each pair of attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.audit.counting.coded_rows import Codes, Sorted, in_order_of, runs_of
from riskmodels.assessment.audit.counting.counts import CELLS, UNKNOWN, Counted, cells_of
from riskmodels.assessment.audit.counting.patterns import patterns_of
from riskmodels.assessment.audit.counting.people import SETS, presence_of_clusters, presence_of_rows
from riskmodels.assessment.audit.counting.risk_bins import RiskBins, bin_risk, exact_sums, log_odds
from riskmodels.assessment.audit.metrics import Slopes, calibration_slopes
from riskmodels.models.logit import one_thread

KNOWN_CELLS = UNKNOWN * 2
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Binned:
    """The rows by bin of risk: profiles (G, 6, F) people of each attribute by group, cell and bin."""

    profiles: tuple[np.ndarray, ...]
    bins: RiskBins
    clusters: Sorted | None


def count(
    codes: Sequence[np.ndarray],
    sizes: Sequence[int],
    pairs: Sequence[tuple[int, int, np.ndarray]],
    status: np.ndarray,
    selected: np.ndarray,
    risk: np.ndarray,
    clusters: np.ndarray | None,
) -> tuple[Counted, Binned]:
    """Count by stratum.

    Parameters
    ----------
    codes, sizes : for each attribute (n,) codes and the number of its groups
    pairs : two positions among the attributes and, for each combination of their groups (G1, G2), the number of its
        intersection among those of the pair, -1 for none
    status : (n,) 0 no event, 1 event, 2 not known
    selected : (n,) bool
    risk : (n,) predicted risk
    clusters : (n,) numbers from 0 of what is resampled whole; None where each row stands alone
    """
    coded = Codes(tuple(part.astype(np.int32, copy=False) for part in codes), tuple(int(size) for size in sizes))
    cells, bins = cells_of(status, selected), bin_risk(risk)
    together = None if clusters is None else in_order_of(clusters)
    profiles = tuple(_profile(part, size, cells, bins) for part, size in zip(coded.of_row, coded.sizes, strict=True))
    slopes = [calibration_slopes(*outcomes(profile), log_odds(bins.risk)) for profile in profiles]
    counts = np.concatenate([profile.sum(axis=2) for profile in profiles])
    held = np.where(status < UNKNOWN, risk, 0.0)
    if together is None:
        moments, sums = _moments_of_rows(coded, cells, bins, profiles, slopes)
    else:
        moments, sums = _moments_of_clusters(coded, cells, bins, slopes, together)
    present, everybody_present = _presence(coded, cells, counts, together)
    pair_counts, pair_moments, pair_presence = _pairs(coded, pairs, cells, together, int(sum(coded.sizes[:1])), moments)
    counted = Counted(
        sizes=coded.sizes,
        units=len(status) if together is None else len(together.start),
        counts=counts,
        expected=np.concatenate(
            [exact_sums(held, part, size) for part, size in zip(coded.of_row, coded.sizes, strict=True)]
        ),
        slopes=np.concatenate([fit.slope for fit in slopes]),
        moments=moments,
        sums=sums,
        patterns=patterns_of(coded, cells, counts, together),
        presence=present,
        everybody_present=everybody_present,
        pair_counts=pair_counts,
        pair_moments=pair_moments,
        pair_presence=pair_presence,
    )
    return counted, Binned(profiles, bins, together)


def _presence(
    codes: Codes, cells: np.ndarray, counts: np.ndarray, clusters: Sorted | None
) -> tuple[np.ndarray, np.ndarray]:
    """(S, 64) and (64,) units of each stratum, and of all, by the set of cells in which they have rows."""
    if clusters is None:
        present = presence_of_rows(counts)
        return present, present[: codes.sizes[0]].sum(axis=0)
    cell = cells[clusters.order]
    strata = [
        presence_of_clusters(part[clusters.order], cell, clusters, size)
        for part, size in zip(codes.of_row, codes.sizes, strict=True)
    ]
    return np.concatenate(strata), presence_of_clusters(np.zeros_like(cell), cell, clusters, 1)[0]


def outcomes(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G, F) people with and without the outcome by bin of risk, of a profile."""
    return profile[:, 2:4].sum(axis=1), profile[:, 0:2].sum(axis=1)


def _profile(code: np.ndarray, size: int, cells: np.ndarray, bins: RiskBins) -> np.ndarray:
    fine = len(bins.risk)
    place = (code * CELLS + cells) * fine + bins.of_row
    return np.bincount(place, minlength=size * CELLS * fine).reshape(size, CELLS, fine)


# ---------------------------------------------------------------- second moments


def _features(fit: Slopes, risk: np.ndarray) -> np.ndarray:
    """(G, 2, 6, F): the risk, and the influence on the slope, of a row by group, cell and bin; 0 where not known."""
    influence = fit.influence(log_odds(risk))
    features = np.zeros((len(influence), 2, CELLS, len(risk)))
    features[:, 0, :KNOWN_CELLS] = risk
    features[:, 1, :KNOWN_CELLS] = np.repeat(influence, 2, axis=1)
    return features


def _moments_of_rows(
    codes: Codes, cells: np.ndarray, bins: RiskBins, profiles: Sequence[np.ndarray], slopes: Sequence[Slopes]
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over rows of u u', and of the sums among u.

    Block by block, from the counts of each pair of attributes by cell and coarse bin: small tables, however many rows.
    """
    strata, coarse = sum(codes.sizes), len(bins.coarse_risk)
    moments = np.zeros((8 * strata, 8 * strata))
    features = [_features(fit, bins.coarse_risk) for fit in slopes]
    in_cell = cells * coarse + bins.coarse.astype(np.int32)[bins.of_row]
    for one, size in enumerate(codes.sizes):
        for other in range(one, len(codes.sizes)):
            if one == other:
                table = np.zeros((size, size, CELLS, coarse))
                by_bin = np.add.reduceat(profiles[one], np.unique(bins.coarse, return_index=True)[1], axis=2)
                table[np.arange(size), np.arange(size)] = by_bin
            else:
                shape = (size, codes.sizes[other], CELLS, coarse)
                place = (codes.of_row[one] * shape[1] + codes.of_row[other]) * (CELLS * coarse) + in_cell
                table = np.bincount(place, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
            # g, h: groups of the one and of the other; c: cell; b: bin; k, l: risk and influence.
            mine, theirs = features[one], features[other]
            (here, sums), (there, others) = (_places(codes, place, strata) for place in (one, other))
            for row, column, block in (
                (here[:, None], there[None], table.sum(axis=3)),
                (here[:, None, None], others[None, :, :, None], np.einsum("ghcb,hkcb->ghkc", table, theirs)),
                (there[None, :, None], sums[:, None, :, None], np.einsum("ghcb,gkcb->ghkc", table, mine)),
                (sums[:, None, :, None], others[None, :, None], np.einsum("ghcb,gkcb,hlcb->ghkl", table, mine, theirs)),
            ):
                moments[row, column] = block
                moments[column, row] = block
    moments = np.tril(moments) + np.tril(moments, -1).T
    # A row is in one cell of the first attribute: its counts there add up to 1.
    return moments, moments[: codes.sizes[0] * CELLS, strata * CELLS :].sum(axis=0)


def _places(codes: Codes, attribute: int, strata: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the counts (G, 6), and the sums of risks and influences (G, 2), of an attribute's groups stand in u."""
    here = codes.offsets[attribute] + np.arange(codes.sizes[attribute])[:, None]
    return here * CELLS + np.arange(CELLS), here + strata * (CELLS + np.arange(2))


def _moments_of_clusters(
    codes: Codes, cells: np.ndarray, bins: RiskBins, slopes: Sequence[Slopes], clusters: Sorted
) -> tuple[np.ndarray, np.ndarray]:
    """Sum over clusters of u u', and of the sums among u, a block of clusters at a time.

    Risks and influences are first rounded to whole multiples of so large a unit that neither their sums nor the sums of
    their products are ever rounded: in whatever order the rows stand, the bits are the same.
    """
    strata = sum(codes.sizes)
    width = 8 * strata
    moments, sums = np.zeros((width, width)), np.zeros(2 * strata)
    influences = [_coarsely(fit.influence(log_odds(bins.risk))) for fit in slopes]
    risk = _coarsely(bins.risk)
    step = max(1, _CHUNK // width)
    ends = np.append(clusters.start, len(cells))
    with one_thread(width):
        for first in range(0, len(clusters.start), step):
            last = min(first + step, len(clusters.start))
            rows = clusters.order[ends[first] : ends[last]]
            line = (clusters.of_row[ends[first] : ends[last]] - first) * width
            cell, place = cells[rows], bins.of_row[rows]
            known = cell < KNOWN_CELLS
            at, added = [], []
            for code, offset, influence in zip(codes.of_row, codes.offsets, influences, strict=True):
                group = code[rows]
                stratum = line + offset + group
                moved = influence[group, np.minimum(cell // 2, 1), place]
                at += [line + (offset + group) * CELLS + cell, stratum + strata * CELLS, stratum + strata * (CELLS + 1)]
                added += [np.ones(len(rows)), np.where(known, risk[place], 0.0), np.where(known, moved, 0.0)]
            block = np.bincount(np.concatenate(at), np.concatenate(added), minlength=(last - first) * width)
            table = block.reshape(last - first, width)
            moments += table.T @ table
            sums += table[:, strata * CELLS :].sum(axis=0)
    return moments, sums


def _coarsely(values: np.ndarray) -> np.ndarray:
    """Rounded to 1 part in 16,384 of the largest, or a little less: a power of two."""
    unit = 2.0 ** (math.frexp(float(np.abs(values).max(initial=0.0)))[1] - 14)
    return np.asarray(np.rint(values / unit) * unit)


# ---------------------------------------------------------------- intersections


def _pairs(
    codes: Codes,
    pairs: Sequence[tuple[int, int, np.ndarray]],
    cells: np.ndarray,
    clusters: Sorted | None,
    first: int,
    moments: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts (P, 6) of the intersections, moments (P, 12, 12) of their counts and everybody's, presence (P, 64)."""
    everybody = moments[: first * CELLS, : first * CELLS].reshape(first, CELLS, first, CELLS).sum(axis=(0, 2))
    counts, within, across = [np.zeros((0, CELLS), dtype=np.int64)], [np.zeros((0, 6, 6))], [np.zeros((0, 6, 6))]
    present = [np.zeros((0, SETS), dtype=np.int64)]
    if clusters is not None:
        cell = cells[clusters.order]
        in_all = np.bincount(clusters.of_row * CELLS + cell, minlength=len(clusters.start) * CELLS).reshape(-1, CELLS)
    for one, other, number in pairs:
        code = codes.of_row[one] * codes.sizes[other] + codes.of_row[other]
        table = np.bincount(code * CELLS + cells, minlength=number.size * CELLS).reshape(-1, CELLS)
        kept = np.flatnonzero(number.ravel() >= 0)
        kept = kept[np.argsort(number.ravel()[kept])]
        counts.append(table[kept])
        if clusters is None:
            own = table[kept][:, :, None] * np.eye(CELLS)
            within.append(own)
            across.append(own)
            present.append(presence_of_rows(table[kept]))
            continue
        code = code[clusters.order]
        place, size = code * CELLS + cell, number.size
        across.append(_weighted(place, size, in_all, clusters.of_row)[kept])
        present.append(presence_of_clusters(code, cell, clusters, size)[kept])
        run, runs = runs_of(code, clusters, size)
        in_run = np.bincount(run * CELLS + cell, minlength=runs * CELLS).reshape(-1, CELLS)
        within.append(_weighted(place, size, in_run, run)[kept])
    own, mixed = np.concatenate(within), np.concatenate(across)
    whole = np.broadcast_to(everybody, own.shape)
    both = np.block([[own, mixed], [mixed.transpose(0, 2, 1), whole]])
    return np.concatenate(counts), both, np.concatenate(present)


def _weighted(place: np.ndarray, size: int, counts: np.ndarray, of_row: np.ndarray) -> np.ndarray:
    """(G, 6, 6): for each group and cell the sum over its rows of the counts of what the row belongs to."""
    columns = [np.bincount(place, weights=column[of_row], minlength=size * CELLS) for column in counts.T]
    return np.stack(columns, axis=1).reshape(size, CELLS, CELLS)
