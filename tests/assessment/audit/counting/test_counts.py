import itertools

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from riskmodels.assessment.audit.contrasts import Comparison, measure
from riskmodels.assessment.audit.counting import patterns
from riskmodels.assessment.audit.counting.counting import count
from riskmodels.assessment.audit.counting.counts import cells_of, resample
from riskmodels.assessment.audit.metrics import PROPORTIONS, calibration_slopes, parts

REPLICATES = 3000
SIZES = [2, 3]
CROSSED = np.arange(6).reshape(2, 3)


def sample(n=1200, seed=5):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 2, n), rng.integers(0, 3, n)]
    risk = rng.beta(1.5, 4, n)
    outcome = (rng.random(n) < risk).astype(np.int8)
    status = np.where(rng.random(n) < 0.1, 2, outcome)
    selected = risk >= np.quantile(risk, 0.7)
    return codes, risk, status, selected


def people_on_two_dates(n=600, seed=5):
    """Each person twice with the same history: the truth is far wider than rows would say."""
    codes, risk, status, selected = sample(n, seed)
    twice = [np.repeat(column, 2) for column in (risk, status, selected)]
    return [np.repeat(part, 2) for part in codes], *twice, np.repeat(np.arange(n), 2)


def households(homes=300, seed=5):
    """One to five people in a home: of different sexes, alike in risk and outcome, listed or not together."""
    rng = np.random.default_rng(seed)
    home = np.repeat(np.arange(homes), rng.integers(1, 6, homes))
    n = len(home)
    risk = np.clip(rng.beta(1.5, 4, homes)[home] + rng.normal(0, 0.02, n), 0.001, 0.999)
    status = np.where(rng.random(n) < 0.1, 2, (rng.random(homes)[home] < risk).astype(int))
    codes = [rng.integers(0, 2, n), rng.integers(0, 3, homes)[home]]
    return codes, risk, status, rng.random(homes)[home] < 0.2 + risk, home


def bootstrapped(codes, risk, status, selected, clusters=None, replicates=REPLICATES, seed=1):
    counted, _ = count(codes, SIZES, [(0, 1, CROSSED)], status, selected, risk, clusters)
    return resample(counted, replicates, np.random.default_rng(seed)), counted.slopes


def slopes_of_rows(status, risk, codes, size):
    """Every row its own bin: the plain logistic regression."""
    known = np.flatnonzero(status < 2)
    events, others = np.zeros((size, len(known))), np.zeros((size, len(known)))
    for table, outcome in ((events, 1), (others, 0)):
        here = np.flatnonzero(status[known] == outcome)
        table[codes[known][here], here] = 1
    return calibration_slopes(events, others, np.log(risk[known] / (1 - risk[known])))


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
        for part, size in zip(codes, SIZES, strict=True):
            for group in range(size):
                own = np.bincount(cells[part[rows] == group], minlength=6)
                line += [np.divide(*parts(own, metric)) for metric in ("recall", "fpr", "fdr", "selection_rate")]
                inside = rows[(part[rows] == group) & (status[rows] < 2)]
                line.append((status[inside] == 1).sum() / risk[inside].sum())
            line += slopes_of_rows(status[rows], risk[rows], part[rows], size).slope.tolist()
        statistics.append(line)
    return np.array(statistics)


def as_statistics(found, slopes):
    lines = []
    start = 0
    for size in SIZES:
        for group in range(start, start + size):
            for metric in ("recall", "fpr", "fdr", "selection_rate"):
                top, bottom = parts(found.resampled[:, group], metric)
                lines.append(top / bottom)
            events = found.resampled[:, group][:, [2, 3]].sum(axis=1)
            lines.append(events / found.resampled_expected[:, group])
        lines += [slopes[group] + found.slope_shift[:, group] for group in range(start, start + size)]
        start += size
    return np.stack(lines, axis=1)


@pytest.fixture(scope="module")
def oracles():
    made = {}

    def oracle(rows):
        if rows not in made:
            columns = {"rows": lambda: (*sample(n=600), None), "people": people_on_two_dates, "homes": households}[rows]
            made[rows] = columns(), rows_drawn_again(*columns(), 400, seed=2)
        return made[rows]

    return oracle


@pytest.mark.parametrize("one_by_one", [4096, 30, 0], ids=["every pattern drawn", "rare ones drawn", "none drawn"])
@pytest.mark.parametrize("rows", ["rows", "people", "homes"])
def test_the_count_bootstrap_is_the_row_bootstrap(rows, one_by_one, oracles, monkeypatch):
    monkeypatch.setattr(patterns, "MOST_PATTERNS", one_by_one)
    columns, slow = oracles(rows)
    fast = as_statistics(*bootstrapped(*columns))
    # A standard deviation from 400 draws is known to within 3.5%, and there are 30 of them.
    assert np.std(fast, axis=0) == pytest.approx(np.std(slow, axis=0), rel=0.17)
    distance = (fast.mean(axis=0) - slow.mean(axis=0)) / (np.std(slow, axis=0) / np.sqrt(400))
    # The slope is followed to first order only: its small bias is not.
    assert np.abs(distance[[i for i in range(30) if i not in (10, 11, 27, 28, 29)]]).mean() < 2
    # Contrasts need the correlations, also those between attributes.
    assert np.abs(np.corrcoef(fast.T) - np.corrcoef(slow.T)).mean() < 0.06


@pytest.mark.parametrize(
    "columns", [(*sample(), None), people_on_two_dates(), households()], ids=["rows", "people", "homes"]
)
def test_the_spread_of_sums_is_that_of_their_units(columns):
    """Every variance and covariance, against the sums of each unit, by loops."""
    codes, risk, status, selected, clusters = columns
    units = np.arange(len(risk)) if clusters is None else clusters
    cells = cells_of(status, selected)
    held = np.zeros((units.max() + 1, 5, 6))
    expected, moved = np.zeros((units.max() + 1, 5)), np.zeros((units.max() + 1, 5))
    slopes = [slopes_of_rows(status, risk, part, size) for part, size in zip(codes, SIZES, strict=True)]
    for row, unit in enumerate(units):
        for part, fit, offset in zip(codes, slopes, (0, 2), strict=True):
            group = part[row]
            held[unit, offset + group, cells[row]] += 1
            if status[row] < 2:
                expected[unit, offset + group] += risk[row]
                x = np.log(risk[row] / (1 - risk[row]))
                moved[unit, offset + group] += fit.influence(np.array([x]))[group, status[row], 0]
    sums = np.concatenate([held.reshape(len(held), -1), expected, moved], axis=1)
    counted, _ = count(codes, SIZES, [], status, selected, risk, clusters)
    spread = np.sqrt(np.outer(np.diag(sums.T @ sums), np.diag(sums.T @ sums)))
    # Risks stand in at most 256 bins here: what that changes is below a hundredth of what they vary.
    assert counted.moments == pytest.approx(sums.T @ sums, rel=1e-9, abs=0.01 * spread.max())
    assert (np.abs(counted.moments - sums.T @ sums) <= 0.01 * spread + 1e-9).all()


def test_clusters_are_resampled_whole():
    codes, risk, status, selected, people = people_on_two_dates(400)
    alone, _ = bootstrapped([part[::2] for part in codes], risk[::2], status[::2], selected[::2])
    twice, _ = bootstrapped(codes, risk, status, selected, people)
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
        assert found.expected[2 + group] == pytest.approx(risk[(codes[1] == group) & (status < 2)].sum(), abs=1e-9)
    whole = np.bincount(cells, minlength=6)
    for part in (found.counts[:2], found.counts[2:5], found.counts[5:]):
        assert part.sum(axis=0).tolist() == whole.tolist() == found.everybody.tolist()
    assert (found.resampled[:, :2].sum(axis=1) == found.resampled[:, 2:5].sum(axis=1)).all()
    assert (found.resampled_everybody.sum(axis=1) == len(risk)).all()


def test_sums_of_the_normal_limit_add_up_too(monkeypatch):
    monkeypatch.setattr(patterns, "MOST_PATTERNS", 10)
    found, _ = bootstrapped(*sample(20_000), replicates=500)
    assert (found.resampled != np.rint(found.resampled)).any()
    assert found.resampled[:, :2].sum(axis=1) == pytest.approx(found.resampled[:, 2:5].sum(axis=1), abs=1e-3)
    assert found.resampled_everybody.sum(axis=1) == pytest.approx(20_000, abs=1e-3)


def test_small_counts_are_drawn_one_by_one(monkeypatch):
    """A group of 12 among 3,000: its counts are whole people, whatever the others are drawn from."""
    monkeypatch.setattr(patterns, "MOST_PATTERNS", 20)
    codes, risk, status, selected = sample(3000)
    codes[0] = (np.arange(3000) % 250 == 0).astype(int)
    found, _ = bootstrapped(codes, risk, status, selected)
    drawn = found.resampled[:, 1]
    assert (drawn == np.rint(drawn)).all()
    assert (found.resampled[:, 0] != np.rint(found.resampled[:, 0])).any()
    # Nobody at all: exp(-12) of a Poisson count of 12 is too rare to see; 3 or fewer has a chance of 0.0023.
    assert (drawn.sum(axis=1) <= 3).mean() == pytest.approx(0.0023, abs=0.003)
    assert drawn.sum(axis=1).std() == pytest.approx(np.sqrt(12), rel=0.05)


@pytest.mark.parametrize(
    "columns", [(*sample(), None), people_on_two_dates(), households()], ids=["rows", "people", "homes"]
)
def test_an_intersection_varies_as_its_units_do(columns):
    codes, risk, status, selected, clusters = columns
    crossed = np.where(np.arange(6).reshape(2, 3) == 4, -1, np.array([[3, 1, 0], [2, -1, 4]]))
    counted, _ = count(codes, SIZES, [(0, 1, crossed)], status, selected, risk, clusters)
    units = np.arange(len(risk)) if clusters is None else clusters
    cells = cells_of(status, selected)
    for one, other in itertools.product(range(2), range(3)):
        number = crossed[one, other]
        if number < 0:
            continue
        member = (codes[0] == one) & (codes[1] == other)
        held = np.zeros((units.max() + 1, 12))
        np.add.at(held, (units[member], cells[member]), 1)
        np.add.at(held, (units, cells + 6), 1)
        assert counted.pair_counts[number].tolist() == held[:, :6].sum(axis=0).tolist()
        assert counted.pair_moments[number] == pytest.approx(held.T @ held)
    assert counted.pair_counts.sum() == len(risk) - ((codes[0] == 1) & (codes[1] == 1)).sum()


@pytest.mark.parametrize("metric", ["recall", "fpr", "fdr", "selection_rate"])
@pytest.mark.parametrize(
    "columns", [(*sample(6000), None), people_on_two_dates(3000), households(2000)], ids=["rows", "people", "homes"]
)
def test_the_error_of_an_intersection_is_that_of_units_drawn_again(columns, metric):
    codes, risk, status, selected, clusters = columns
    found, slopes = bootstrapped(*columns, 200)
    units = np.arange(len(risk)) if clusters is None else clusters
    held = np.zeros((units.max() + 1, 12))
    member = (codes[0] == 1) & (codes[1] == 2)
    np.add.at(held, (units[member], cells_of(status, selected)[member]), 1)
    np.add.at(held, (units[~member], cells_of(status, selected)[~member] + 6), 1)
    rng = np.random.default_rng(3)
    drawn = np.stack([held[rng.integers(0, len(held), len(held))].sum(axis=0) for _ in range(1500)])
    (top, bottom), (other_top, other_bottom) = parts(drawn[:, :6], metric), parts(drawn[:, 6:], metric)
    ratios = np.log(top / bottom) - np.log(other_top / other_bottom)
    measured = measure(Comparison(5 + 5, None, metric, "exploratory", "others"), found, slopes)
    assert measured.draws is None
    # 1,500 draws know a standard deviation to within 2%.
    assert measured.se == pytest.approx(ratios.std(), rel=0.07)


@pytest.mark.parametrize("columns", [(*sample(), None), households()], ids=["rows", "homes"])
def test_row_order_does_not_matter(columns):
    codes, risk, status, selected, clusters = columns
    order = np.random.default_rng(1).permutation(len(risk))
    one, _ = bootstrapped(codes, risk, status, selected, clusters, 200)
    other, _ = bootstrapped(
        [part[order] for part in codes], risk[order], status[order], selected[order],
        None if clusters is None else clusters[order], 200,
    )  # fmt: skip
    for mine, theirs in zip(vars(one).values(), vars(other).values(), strict=True):
        assert np.array_equal(mine, theirs)  # to the last bit


@pytest.mark.parametrize("columns", [(*sample(5000), None), households(2000)], ids=["rows", "homes"])
def test_the_number_of_threads_does_not_matter(columns, monkeypatch):
    monkeypatch.setattr(patterns, "MOST_PATTERNS", 20)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(bootstrapped(*columns, 400)[0])
    for one, other in zip(*(vars(part).values() for part in found), strict=True):
        assert np.array_equal(one, other)


def test_many_sparse_attributes_are_counted_in_bounded_memory():
    """Nine attributes with 20 groups each: a table of all combinations would have 5e11 cells."""
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, 20, 5000) for _ in range(9)]
    risk = rng.beta(2, 5, 5000)
    counted, _ = count(codes, [20] * 9, [], (rng.random(5000) < risk).astype(int), risk > 0.4, risk, None)
    assert counted.counts.sum() == 9 * 5000
    assert counted.patterns.multiplicity.sum() <= patterns.MOST_PATTERNS
    assert counted.patterns.value.sum() == 9 * len(counted.patterns.multiplicity)


def test_the_seed_decides_the_draws():
    codes, risk, status, selected = sample()
    one, same, other = (bootstrapped(codes, risk, status, selected, replicates=200, seed=s)[0] for s in (1, 1, 2))
    assert (one.resampled == same.resampled).all()
    assert (one.slope_shift == same.slope_shift).all()
    assert (one.resampled != other.resampled).any()


def test_every_rate_is_covered_by_the_table():
    assert set(PROPORTIONS) == {"recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate", "base_rate"}
