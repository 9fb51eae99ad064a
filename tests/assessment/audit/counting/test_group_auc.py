import numpy as np
import pytest

from riskmodels.assessment.audit.counting.counting import count
from riskmodels.assessment.audit.counting.group_auc import group_aucs
from riskmodels.assessment.discrimination import auc


def aucs(codes, size, status, risk, clusters=None):
    _, found = count([codes], [size], [], status, np.zeros(len(risk), dtype=bool), risk, clusters)
    return group_aucs(codes, found.profiles[0], found.bins, status, found.clusters)


@pytest.mark.parametrize("together", ["alone", "people", "households"])
def test_each_groups_auc_is_that_of_its_rows(together):
    rng = np.random.default_rng(1)
    n = 3000
    home = None if together == "alone" else rng.integers(0, 1200, n)
    codes = rng.integers(0, 3, n) if home is None or together == "households" else rng.integers(0, 3, 1200)[home]
    risk = np.round(rng.beta(2, 4, n), 3)
    status = np.where(rng.random(n) < 0.1, 2, (rng.random(n) < risk).astype(int))
    for group, found in enumerate(aucs(codes, 4, status, risk, home)[:3]):
        rows = (codes == group) & (status < 2)
        oracle = auc(status[rows], risk[rows], None if home is None else home[rows])
        assert found.n == oracle.n
        assert [found.value, found.low, found.high] == pytest.approx([oracle.value, oracle.low, oracle.high], abs=1e-9)


def test_bins_cost_next_to_nothing():
    rng = np.random.default_rng(2)
    risk = rng.beta(1.2, 6, 60_000)
    status = (rng.random(60_000) < risk).astype(int)
    codes = rng.integers(0, 2, 60_000)
    for group, found in enumerate(aucs(codes, 2, status, risk)):
        oracle = auc(status[codes == group], risk[codes == group])
        assert [found.value, found.low, found.high] == pytest.approx([oracle.value, oracle.low, oracle.high], abs=5e-6)


@pytest.mark.parametrize(
    ("status", "risk", "clusters"),
    [
        ([2, 2, 2, 2], [0.1, 0.2, 0.3, 0.4], None),
        ([0, 0, 2, 0], [0.1, 0.2, 0.3, 0.4], None),
        ([1, 1, 1, 2], [0.1, 0.2, 0.3, 0.4], None),
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3], None),
        ([0, 1, 0, 0], [0.1, 0.2, 0.3, 0.4], None),
        ([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], [0, 1, 2, 1]),
    ],
    ids=["nothing known", "no event", "all events", "constant", "one event", "events of one cluster"],
)
def test_what_cannot_be_computed_says_so_as_ever(status, risk, clusters):
    status, risk = np.array(status), np.array(risk)
    together = None if clusters is None else np.array(clusters)
    found = aucs(np.zeros(4, dtype=int), 1, status, risk, together)[0]
    known = status < 2
    assert found == auc(status[known], risk[known], None if clusters is None else together[known])
