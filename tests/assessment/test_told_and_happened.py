from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.told_and_happened import LEAST, NEAREST, near, on_the_list


def ranked(
    risk: np.ndarray, outcome: list[int | None], selected: np.ndarray | None = None, cluster=None
) -> pl.DataFrame:
    rows = len(risk)
    return pl.DataFrame(
        {
            "risk": risk,
            "outcome": pl.Series(outcome, dtype=pl.Int8),
            "selected": np.ones(rows, dtype=bool) if selected is None else selected,
            "cluster_id": [f"c{row}" for row in range(rows)] if cluster is None else cluster,
        }
    )


def test_what_was_told_of_the_list_and_what_happened():
    """60 listed at a risk of 0.6, of whom 10 are unknown and 20 of the other 50 had it: told 60, happened 40 of 100."""
    outcome = [None] * 10 + [1] * 20 + [0] * 30 + [1] * 40
    found = on_the_list(ranked(np.repeat([0.6, 0.1], [60, 40]), outcome, np.arange(100) < 60))
    assert found is not None
    assert (found.told, found.happened.value, found.happened.n) == (pytest.approx(0.6), 0.4, 50)
    assert found.unknown == pytest.approx(1 / 6)
    # Wilson's interval of 20 in 50 is 0.276 to 0.538.
    assert (found.happened.low, found.happened.high) == (pytest.approx(0.276, abs=1e-3), pytest.approx(0.538, abs=1e-3))
    assert found.agrees is False


def test_households_that_are_alike_say_less():
    outcome = [1, 1, 0, 0] * 25
    alone = on_the_list(ranked(np.full(100, 0.5), outcome))
    together = on_the_list(ranked(np.full(100, 0.5), outcome, cluster=[f"h{row // 2}" for row in range(100)]))
    assert together.happened.high - together.happened.low > 1.3 * (alone.happened.high - alone.happened.low)
    assert alone.agrees is together.agrees is True


def test_the_nearest_are_those_with_the_nearest_risks():
    """1,000 risks in steps of a thousandth; all above one half had it."""
    risk = np.arange(1000) / 1000
    frame = ranked(risk, (risk > 0.5).astype(int).tolist()).sample(fraction=1, shuffle=True, seed=1)
    low, high, edge = near(frame, 0.2), near(frame, 0.9), near(frame, 2.0)
    assert (low.happened.value, high.happened.value) == (0.0, 1.0)
    assert low.told == pytest.approx(0.2, abs=1e-3)
    assert edge.told == pytest.approx(np.mean(risk[-NEAREST:]))  # the highest there are


def test_rows_as_near_as_the_last_are_all_taken():
    frame = ranked(np.repeat([0.3, 0.4], [500, 100]), [0] * 500 + [1] * 100)
    assert near(frame, 0.39).happened.n == 600  # the 100 at 0.4, and all 500 of the next risk
    assert near(frame, 0.39, rows=100).happened.n == 100


def test_too_few_known_outcomes_say_nothing():
    outcome = [1] * (LEAST - 1) + [None] * 100
    assert on_the_list(ranked(np.full(len(outcome), 0.5), outcome)) is None
    assert near(ranked(np.full(len(outcome), 0.5), outcome), 0.5) is None
    assert near(ranked(np.zeros(0), []), 0.5) is None
