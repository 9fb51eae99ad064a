import numpy as np
import pytest

from riskmodels.assessment.audit.counting.risk_bins import COARSE, FINE, bin_risk, exact_sums


def test_few_different_risks_are_a_bin_each():
    bins = bin_risk(np.array([0.4, 0.1, 0.4, 0.9, 0.1]))
    assert bins.of_row.tolist() == [1, 0, 1, 2, 0]
    assert bins.size.tolist() == [2, 2, 1]
    assert bins.risk == pytest.approx([0.1, 0.4, 0.9])
    assert bins.coarse.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "shape", [(1.2, 6.0), (0.1, 3.0), (30.0, 2.0)], ids=["usual", "most near none", "most near all"]
)
def test_many_risks_are_cut_in_order_and_ties_stay_together(shape):
    rng = np.random.default_rng(1)
    risk = np.round(rng.beta(*shape, 100_000), 6)
    bins = bin_risk(risk)
    assert len(bins.risk) <= FINE
    assert len(bins.coarse_risk) <= COARSE
    order = np.argsort(risk)
    assert (np.diff(bins.of_row[order]) >= 0).all()
    assert (
        bins.of_row[order][1:][np.diff(risk[order]) == 0] == bins.of_row[order][:-1][np.diff(risk[order]) == 0]
    ).all()
    assert bins.size.tolist() == np.bincount(bins.of_row).tolist()
    for bin_ in (0, len(bins.risk) // 2, len(bins.risk) - 1):
        assert bins.risk[bin_] == pytest.approx(risk[bins.of_row == bin_].mean())
    coarse = bins.coarse[bins.of_row]
    assert bins.coarse_risk == pytest.approx(np.bincount(coarse, weights=risk) / np.bincount(coarse))


def test_the_tails_are_cut_finely_too():
    """A thousandth of the people have risks from 0.5 to 1: quantiles alone would put them into four bins."""
    rng = np.random.default_rng(1)
    risk = np.concatenate([rng.uniform(0.0, 0.1, 99_900), rng.uniform(0.5, 1.0, 100)])
    assert len(np.unique(bin_risk(risk).of_row[-100:])) > 60


@pytest.mark.parametrize("risk", [[0.0, 1.0] * 5000, [0.3] * 10_000])
def test_extreme_risks_are_binned(risk):
    assert len(bin_risk(np.array(risk)).risk) == len(set(risk))


def test_sums_have_the_same_bits_in_any_order():
    rng = np.random.default_rng(1)
    values, code = rng.random(50_000), rng.integers(0, 7, 50_000)
    found = exact_sums(values, code, 8)
    order = rng.permutation(50_000)
    assert np.array_equal(found, exact_sums(values[order], code[order], 8))
    assert not np.array_equal(np.bincount(code, weights=values), np.bincount(code[order], weights=values[order])), (
        "plain sums would do"
    )
    assert found[:7] == pytest.approx(np.bincount(code, weights=values), abs=1e-7)
    assert found[7] == 0
