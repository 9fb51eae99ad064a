from __future__ import annotations

import numpy as np
import pytest

from riskmodels.models.matrix import Matrix
from riskmodels.models.reasons import directions
from tests.models.reasons.made import column, feature

SAID = feature("x", high="high")


def found(values, outcome, clusters=None, spec=SAID) -> dict[str, int]:
    held = np.array(values, dtype=float)[:, None]
    matrix = Matrix(held, ~np.isnan(held), (column(spec),))
    people = np.arange(len(held)) if clusters is None else np.array(clusters)
    return directions(matrix, np.array(outcome, dtype=np.int8), people, (spec,))


@pytest.mark.parametrize(
    ("values", "outcome", "expected"),
    [
        # u = (x - 1/2)(y - 1/2) = 1/4 for all 8: 2 >= 1.96 sqrt(8/16).
        ([0] * 4 + [1] * 4, [0] * 4 + [1] * 4, 1),
        ([1] * 4 + [0] * 4, [0] * 4 + [1] * 4, -1),
        # Half the signs the other way: the sum is 0.
        ([0, 1] * 4, [0, 0, 1, 1] * 2, 0),
        ([0] * 8, [0] * 4 + [1] * 4, 0),  # one value only
        ([0] * 4 + [1] * 4, [1] * 8, 0),  # one outcome only
        # Not recorded is left out.
        ([np.nan] * 8 + [0] * 4 + [1] * 4, [1, 0] * 4 + [0] * 4 + [1] * 4, 1),
    ],
)
def test_which_way_a_high_value_points(values, outcome, expected):
    assert found(values, outcome) == {"x": expected}


def test_rows_of_one_cluster_tell_one_thing():
    """Two clusters, each with a sum of u of 1: 2 < 1.96 sqrt(1 + 1) = 2.77."""
    values = outcome = [0] * 4 + [1] * 4
    assert found(values, outcome, clusters=["a"] * 4 + ["b"] * 4) == {"x": 0}


def test_chance_is_rarely_taken_for_a_direction():
    """Of 400 features of noise, 5 in 100 by construction: 20, give or take 3 standard deviations of 4.4."""
    rng = np.random.default_rng(2)
    clusters, outcome = np.repeat(np.arange(150), 2), np.repeat(rng.integers(0, 2, 150), 2)
    ways = [found(np.repeat(rng.normal(size=150), 2), outcome, clusters)["x"] for _ in range(400)]
    assert 7 <= sum(way != 0 for way in ways) <= 33


def test_only_of_what_has_a_phrase_and_is_recorded():
    assert found([0.0, 1.0], [0, 1], spec=feature("x")) == {}
    assert found([0.0, 1.0], [0, 1], spec=feature("x", kind="category", high="high")) == {}
    assert found([np.nan, np.nan], [0, 1]) == {}
