import numpy as np
import pytest

from riskmodels.assessment.audit.counts import cells_of, joint_codes, replicate
from riskmodels.assessment.audit.metrics import PROPORTIONS, calibration_slopes, parts

REPLICATES = 3000


def sample(n=1200, seed=5):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 2, n), rng.integers(0, 3, n)]
    risk = rng.beta(1.5, 4, n)
    outcome = (rng.random(n) < risk).astype(np.int8)
    status = np.where(rng.random(n) < 0.1, 2, outcome)
    selected = risk >= np.quantile(risk, 0.7)
    return codes, risk, status, selected


def bootstrapped(codes, risk, status, selected, clusters=None, replicates=REPLICATES, seed=1):
    known = status < 2
    sizes = [2, 3]
    fits = [calibration_slopes(status, known, risk, part, size) for part, size in zip(codes, sizes, strict=True)]
    found = replicate(
        cells_of(status, selected), codes, sizes, [codes[0] * 3 + codes[1]], [6], risk,
        [fit.influence for fit in fits], clusters, replicates, np.random.default_rng(seed),
    )  # fmt: skip
    return found, np.concatenate([fit.slope for fit in fits])


def rows_drawn_again(codes, risk, status, selected, clusters, replicates, seed):
    """The slow, obvious oracle: draw rows (or clusters) with replacement, compute everything anew."""
    rng = np.random.default_rng(seed)
    n = len(risk)
    members = (
        [[row] for row in range(n)] if clusters is None else [np.flatnonzero(clusters == c) for c in set(clusters)]
    )
    statistics = []
    for _ in range(replicates):
        rows = np.concatenate([members[unit] for unit in rng.integers(0, len(members), len(members))])
        cells, line = cells_of(status[rows], selected[rows]), []
        for part, size in zip(codes, (2, 3), strict=True):
            for group in range(size):
                own = np.bincount(cells[part[rows] == group], minlength=6)
                line += [np.divide(*parts(own, metric)) for metric in ("recall", "fpr", "fdr", "selection_rate")]
                inside = rows[(part[rows] == group) & (status[rows] < 2)]
                line.append((status[inside] == 1).sum() / risk[inside].sum())
            line += calibration_slopes(status[rows], status[rows] < 2, risk[rows], part[rows], size).slope.tolist()
        statistics.append(line)
    return np.array(statistics)


def as_statistics(found, slopes):
    lines = []
    start = 0
    for size in (2, 3):
        for group in range(start, start + size):
            for metric in ("recall", "fpr", "fdr", "selection_rate"):
                top, bottom = parts(found.resampled[:, group], metric)
                lines.append(top / bottom)
            events = found.resampled[:, group][:, [2, 3]].sum(axis=1)
            lines.append(events / found.resampled_expected[:, group])
        lines += [slopes[group] + found.slope_shift[:, group] for group in range(start, start + size)]
        start += size
    return np.stack(lines, axis=1)


@pytest.mark.parametrize("clustered", [False, True], ids=["rows", "clusters"])
def test_the_count_bootstrap_is_the_row_bootstrap(clustered):
    codes, risk, status, selected = sample(n=600)
    clusters = None
    if clustered:
        # Each person twice, with nearly the same history: the truth is far wider than rows would say.
        codes = [np.repeat(part, 2) for part in codes]
        risk, status, selected = np.repeat(risk, 2), np.repeat(status, 2), np.repeat(selected, 2)
        clusters = np.repeat(np.arange(600), 2)
    fast = as_statistics(*bootstrapped(codes, risk, status, selected, clusters))
    slow = rows_drawn_again(codes, risk, status, selected, clusters, 400, seed=2)
    # A standard deviation from 400 draws is known to within 3.5%, and there are 30 of them.
    assert np.std(fast, axis=0) == pytest.approx(np.std(slow, axis=0), rel=0.17)
    distance = (fast.mean(axis=0) - slow.mean(axis=0)) / (np.std(slow, axis=0) / np.sqrt(400))
    # The slope is followed to first order only: its small bias is not.
    assert np.abs(distance[[i for i in range(30) if i % 6 != 5]]).mean() < 2
    # Contrasts need the correlations, also those between attributes.
    assert np.abs(np.corrcoef(fast.T) - np.corrcoef(slow.T)).mean() < 0.06


def test_clusters_are_resampled_whole():
    codes, risk, status, selected = sample(n=400)
    alone, _ = bootstrapped(codes, risk, status, selected)
    twice, _ = bootstrapped(
        [np.repeat(part, 2) for part in codes], np.repeat(risk, 2), np.repeat(status, 2), np.repeat(selected, 2),
        np.repeat(np.arange(400), 2),
    )  # fmt: skip
    assert twice.units == 400
    assert (twice.counts == 2 * alone.counts).all()
    assert (twice.resampled % 2 == 0).all()
    assert twice.resampled.std(axis=0) == pytest.approx(2 * alone.resampled.std(axis=0), rel=0.12, abs=0.05)


def test_counts_are_exact_and_add_up():
    codes, risk, status, selected = sample()
    found, _ = bootstrapped(codes, risk, status, selected)
    cells = cells_of(status, selected)
    for group in range(2):
        assert found.counts[group].tolist() == np.bincount(cells[codes[0] == group], minlength=6).tolist()
    for group in range(3):
        assert found.counts[2 + group].tolist() == np.bincount(cells[codes[1] == group], minlength=6).tolist()
        assert found.expected[2 + group] == pytest.approx(risk[(codes[1] == group) & (status < 2)].sum())
    whole = np.bincount(cells, minlength=6)
    for part in (found.counts[:2], found.counts[2:5], found.counts[5:]):
        assert part.sum(axis=0).tolist() == whole.tolist() == found.everybody.tolist()
    assert (found.resampled[:, :2].sum(axis=1) == found.resampled[:, 2:5].sum(axis=1)).all()
    assert (found.resampled_everybody.sum(axis=1) == len(risk)).all()


def test_nobody_is_in_the_intersection_coded_minus_one():
    codes, risk, status, selected = sample()
    crossed = np.where(codes[0] == 0, codes[1], -1)
    found = replicate(
        cells_of(status, selected), codes, [2, 3], [crossed], [3], risk, [np.zeros(len(risk))] * 2, None, 200,
        np.random.default_rng(1),
    )  # fmt: skip
    assert found.counts[5:].sum() == (codes[0] == 0).sum()


def test_joint_codes_are_sparse():
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, 50, 1000) for _ in range(9)]
    joint, example = joint_codes(codes, [50] * 9)
    distinct = {tuple(part[row] for part in codes) for row in range(1000)}
    assert len(example) == len(distinct) == joint.max() + 1
    for part in codes:
        assert (part[example][joint] == part).all()


def test_the_seed_decides_the_draws():
    codes, risk, status, selected = sample()
    one, same, other = (bootstrapped(codes, risk, status, selected, replicates=200, seed=s)[0] for s in (1, 1, 2))
    assert (one.resampled == same.resampled).all()
    assert (one.slope_shift == same.slope_shift).all()
    assert (one.resampled != other.resampled).any()


def test_every_rate_is_covered_by_the_table():
    assert set(PROPORTIONS) == {"recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate", "base_rate"}
