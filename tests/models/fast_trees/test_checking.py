from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from riskmodels.models.fast_trees import FastTrees, check_against_lightgbm
from riskmodels.models.fast_trees.checking import other_order
from tests.models.fast_trees.boosters import fitted, strange, table


@pytest.fixture(scope="module")
def some():
    values = table(800, 6, 2, seed=1)
    booster = fitted(values, 2, trees=10, num_leaves=15)
    return FastTrees.of(booster.model_to_string(), 6), booster, strange(values, 1)


def test_says_nothing_where_all_agrees(some):
    fast, booster, values = some
    assert check_against_lightgbm(fast, booster, values) is None
    assert check_against_lightgbm(fast, booster, values[:0]) is None


def with_changed(fast: FastTrees, part: str, place: int, change) -> FastTrees:
    arrays = list(getattr(fast.program, part))
    arrays[place] = change(arrays[place].copy())
    return replace(fast, program=replace(fast.program, **{part: tuple(arrays)}))


def test_sees_a_score_that_is_off_by_the_last_bit(some):
    fast, booster, values = some
    off = with_changed(fast, "scoring", -1, lambda leaf_values: np.nextafter(leaf_values, 9))
    said = check_against_lightgbm(off, booster, values)
    assert said is not None
    assert "raw scores are not LightGBM's to the bit in" in said
    assert "contributions" not in said


def test_sees_contributions_that_are_off(some):
    fast, booster, values = some
    off = with_changed(fast, "explaining", -3, lambda tables: tables * 1.01)
    said = check_against_lightgbm(off, booster, values)
    assert said is not None
    assert "contributions are further than 1e-05 from LightGBM's in" in said
    assert "add up to the score" in said


@dataclass(frozen=True)
class Answers:
    """Trees that answer what they are told to."""

    scores: np.ndarray
    contributions: np.ndarray
    base: float

    def score(self, values: np.ndarray) -> np.ndarray:
        return self.scores

    def score_and_contributions(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.scores, self.contributions


def test_what_is_no_number_agrees_with_nothing(some):
    fast, booster, values = some
    scores, contributions = fast.score_and_contributions(values)
    assert check_against_lightgbm(Answers(scores, contributions, fast.base), booster, values) is None
    gone = contributions.copy()
    middle = np.argsort(gone, axis=1)[:, 3]  # neither among those that raise most nor, of six, among those that lower
    gone[np.arange(5), middle[:5]] = np.nan
    said = check_against_lightgbm(Answers(scores, gone, fast.base), booster, values)
    assert said is not None
    assert f"contributions are further than 1e-05 from LightGBM's in 5 of {len(values)} rows" in said
    assert f"contributions do not add up to the score to 1e-06 in 5 of {len(values)} rows" in said
    said = check_against_lightgbm(Answers(scores * np.nan, contributions, fast.base), booster, values)
    assert said == f"raw scores are not LightGBM's to the bit in {len(values)} of {len(values)} rows"
    said = check_against_lightgbm(Answers(scores, contributions, np.nan), booster, values)
    assert said == f"contributions do not add up to the score to 1e-06 in {len(values)} of {len(values)} rows"


def test_sees_another_base(some):
    fast, booster, values = some
    said = check_against_lightgbm(replace(fast, base=fast.base + 2e-6), booster, values)
    assert said == f"contributions do not add up to the score to 1e-06 in {len(values)} of {len(values)} rows"


def test_sees_the_trees_of_another_model(some):
    _, booster, values = some
    other = FastTrees.of(fitted(table(800, 6, 2, seed=2), 2, trees=10, num_leaves=15, seed=9).model_to_string(), 6)
    said = check_against_lightgbm(other, booster, values)
    assert said is not None
    assert "the 3 features that raise the score most" in said
    assert "the 3 features that lower the score most" in said


def test_order_matters_unless_lightgbm_itself_ties():
    theirs = np.array([[4.0, 3.0, 2.0, 1.0]] * 5)
    theirs[3, 3] = 2.0 - 1e-10  # the fourth ties with the third
    theirs[4, 3] = 2.0 - 1e-8  # and here it does not
    ours = np.array(
        [
            [4.0, 3.0, 2.0, 1.0],
            [3.0, 4.0, 2.0, 1.0],  # the first two stand the other way round
            [4.0, 3.0, 1.0, 2.0],  # another third
            [4.0, 3.0, 1.9, 2.0],
            [4.0, 3.0, 1.9, 2.0],
        ]
    )
    assert other_order(ours, theirs).tolist() == [False, True, True, False, True]
    assert other_order(theirs[:, :2], theirs[:, :2]).tolist() == [False] * 5  # fewer features than places
