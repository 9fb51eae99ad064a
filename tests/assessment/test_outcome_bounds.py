from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.outcome_bounds import auc_bounds, brier_bounds, oe_bounds


def every_assignment(outcome, known):
    """All that the outcomes could be."""
    unknown = np.flatnonzero(~known)
    for guess in itertools.product((0.0, 1.0), repeat=unknown.size):
        whole = outcome.copy()
        whole[unknown] = guess
        yield whole


cases = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.booleans(), st.sampled_from([0.05, 0.1, 0.3, 0.3, 0.5, 0.9])), max_size=8
)


@given(cases)
def test_bounds_are_the_extremes_of_all_assignments(rows):
    outcome, known, risk = (np.array([row[i] for row in rows]) for i in range(3))
    outcome, known, risk = outcome.astype(float), known.astype(bool), risk.astype(float)
    outcome = np.where(known, outcome, 0.0)
    whole = list(every_assignment(outcome, known))
    aucs = [found for each in whole if (found := auc(each, risk).value) is not None]
    expected = [min(aucs), max(aucs)] if aucs else [None, None]
    assert auc_bounds(outcome, known, risk) == pytest.approx(expected)
    if not rows:
        return
    assert brier_bounds(outcome, known, risk) == pytest.approx(
        [f(float(((each - risk) ** 2).mean()) for each in whole) for f in (min, max)]
    )
    assert oe_bounds(outcome, known, risk) == pytest.approx(
        [f(each.sum() / risk.sum() for each in whole) for f in (min, max)]
    )


def test_five_rows_by_hand():
    """Risks .1 .2 .3 .4 .5; outcomes 0 ? 1 ? 1. O/E: 2/1.5 and 4/1.5. Brier: known .01 + .49 + .25 = .75, the unknown
    .04 + .16 at best and .64 + .36 at worst. AUC: 0 0 1 0 1 gives (2 + 3)/6; 0 0 1 1 1 gives 1; 0 1 1 0 1 gives 4/6."""
    outcome, known, risk = np.array([0.0, 0, 1, 0, 1]), np.array([True, False, True, False, True]), np.arange(1, 6) / 10
    assert oe_bounds(outcome, known, risk) == pytest.approx([2 / 1.5, 4 / 1.5])
    assert brier_bounds(outcome, known, risk) == pytest.approx([0.95 / 5, 1.75 / 5])
    assert auc_bounds(outcome, known, risk) == pytest.approx([4 / 6, 1.0])


def test_nothing_expected_has_no_ratio():
    nothing = np.zeros(3)
    assert oe_bounds(nothing, np.array([True, True, False]), nothing) == [None, None]


def test_known_outcomes_leave_no_room():
    outcome, risk = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.3, 0.3, 0.2])
    known = np.ones(4, dtype=bool)
    low, high = auc_bounds(outcome, known, risk)
    assert low == high == pytest.approx(auc(outcome, risk).value)
