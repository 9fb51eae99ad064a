"""The kernel against LightGBM's own answers, and against the definition itself."""

from __future__ import annotations

import pickle

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.models.fast_trees import FastTrees, NotCovered, building, check_against_lightgbm, kernels, trees
from tests.models.fast_trees import oracles
from tests.models.fast_trees.boosters import as_text, drawn, drawn_tree, fitted, strange, table

# Far inside the 1e-5 that is promised: everything is float64, and a path of 24 features loses the last digits.
EXACT = 1e-9


def held_to_lightgbm(booster: lightgbm.Booster, text: str, values: np.ndarray) -> FastTrees:
    """The kernel's trees, once they have answered as LightGBM does."""
    fast = FastTrees.of(text, booster.num_feature())
    assert check_against_lightgbm(fast, booster, values) is None
    theirs = booster.predict(values, pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(fast.contributions(values), theirs[:, :-1], rtol=0, atol=EXACT)
    assert fast.base == pytest.approx(theirs[0, -1], abs=EXACT)
    return fast


# ---------------------------------------------------------------- models that LightGBM fitted

SHAPES = {
    "stumps": {"num_leaves": 2},
    "seven leaves": {"num_leaves": 7},
    "deep paths": {"num_leaves": 31, "learning_rate": 0.3},
    "as many leaves as are held": {"num_leaves": 64},
    "bounded depth": {"num_leaves": 63, "max_depth": 6},
    "categories one against the rest": {"num_leaves": 15, "max_cat_to_onehot": 100},
    "monotone": {"num_leaves": 15, "monotone_constraints": [0, 0, 0, 1, -1, 1, 0, 0, -1]},
    "bagged rows and columns": {"num_leaves": 15, "bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.4},
    "missing not told apart": {"num_leaves": 15, "use_missing": False},
    "dart": {"num_leaves": 7, "boosting": "dart", "drop_rate": 0.5},
    "regression": {"num_leaves": 7, "objective": "regression"},
    "large steps": {"num_leaves": 31, "learning_rate": 1.0},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_gives_what_lightgbm_gives(shape):
    values = table(1_500, 9, 3, seed=1)
    booster = fitted(values, 3, trees=20, **SHAPES[shape])
    held_to_lightgbm(booster, booster.model_to_string(), np.vstack([values[:300], strange(values, 1)[:300]]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000), rows=st.integers(30, 400), columns=st.integers(2, 24), categories=st.integers(0, 6),
    gone=st.sampled_from([0.0, 0.1, 0.9]), leaves=st.integers(2, 64), trees_=st.integers(1, 30),
    rate=st.sampled_from([0.01, 0.1, 1.0]), depth=st.sampled_from([-1, 2, 6]),
)  # fmt: skip
def test_gives_what_lightgbm_gives_whatever_is_fitted(
    seed, rows, columns, categories, gone, leaves, trees_, rate, depth
):
    values = table(rows, columns, min(categories, columns), seed, gone)
    booster = fitted(
        values, min(categories, columns), trees_, seed, num_leaves=leaves, learning_rate=rate, max_depth=depth
    )
    held_to_lightgbm(booster, booster.model_to_string(), np.vstack([values[:60], strange(values, seed)[:60]]))


def test_a_constant_model():
    values = table(200, 4, 0, seed=2)
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 150},
        lightgbm.Dataset(values, label=np.arange(200.0) < 30),
        3,
    )
    fast = held_to_lightgbm(booster, booster.model_to_string(), values)
    assert not fast.contributions(values).any()


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [7, 31, 64])
def test_a_thousand_trees(leaves):
    values = table(3_000, 20, 4, seed=3)
    booster = fitted(values, 4, trees=1_000, num_leaves=leaves, learning_rate=0.05)
    held_to_lightgbm(booster, booster.model_to_string(), np.vstack([values[:300], strange(values, 3)[:100]]))


# ---------------------------------------------------------------- trees that nobody fitted

DRAWN = st.tuples(
    st.integers(0, 100_000), st.lists(st.integers(1, 64), min_size=1, max_size=6), st.integers(1, 40),
    st.integers(0, 3), st.sampled_from(["any", "left chain", "right chain"]),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(DRAWN)
def test_gives_what_lightgbm_gives_of_drawn_trees(what):
    seed, sizes, columns, categories, shape = what
    text = drawn(seed, sizes, columns, min(categories, columns), shape)
    booster = lightgbm.Booster(model_str=text)
    values = strange(table(40, columns, min(categories, columns), seed), seed)
    try:
        fast = FastTrees.of(text, columns)
    except NotCovered as why:
        assert "more than 24 features" in str(why)  # noqa: PT017
        longest = max(len(above) for tree in oracles.trees_of(text) for _, above in oracles.paths(tree, values[0]))
        assert longest > 24
        return
    assert check_against_lightgbm(fast, booster, values) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 9))
def test_gives_what_the_definition_gives(seed, sizes, columns):
    text = drawn(seed, sizes, columns, min(2, columns))
    slow, values = oracles.trees_of(text), strange(table(8, columns, min(2, columns), seed), seed)
    scores, contributions = FastTrees.of(text, columns).score_and_contributions(values)
    assert scores.tolist() == [oracles.score(slow, row) for row in values]
    expected = np.array([oracles.contributions(slow, row) for row in values])
    np.testing.assert_allclose(contributions, expected, rtol=0, atol=EXACT)


def test_a_case_by_hand():
    # One split of 10 rows at 0.5, 4 of them left with 1.0, 6 right with -1.0. The mean is (4 - 6) / 10 = -0.2, so the
    # only feature gives 1.0 - -0.2 = 1.2 on the left and -1.0 - -0.2 = -0.8 on the right. NaN counts as 0: left.
    text = as_text(
        [
            "num_leaves=2\nnum_cat=0\nsplit_feature=1\nthreshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n"
            "leaf_value=1 -1\nleaf_count=4 6\ninternal_count=10\nis_linear=0\nshrinkage=1"
        ],
        2,
    )
    fast = FastTrees.of(text, 2)
    scores, contributions = fast.score_and_contributions(np.array([[9.0, 0.5], [9.0, 0.6], [9.0, np.nan]]))
    assert fast.base == pytest.approx(-0.2)
    assert scores.tolist() == [1.0, -1.0, 1.0]
    np.testing.assert_allclose(contributions, [[0, 1.2], [0, -0.8], [0, 1.2]], atol=1e-15)


@pytest.mark.parametrize("bits", range(3, 9))
def test_narrow_tables_give_the_same(bits, monkeypatch):
    text = drawn(5, [64, 31, 15, 64], 20, 3)
    values = strange(table(700, 20, 3, 5), 5)
    wide = FastTrees.of(text, 20)
    monkeypatch.setattr(building, "BITS", bits)
    narrow = FastTrees.of(text, 20)
    assert sum(part.nbytes for part in narrow.program.explaining) <= sum(
        part.nbytes for part in wide.program.explaining
    )
    np.testing.assert_array_equal(narrow.score(values), wide.score(values))
    np.testing.assert_allclose(narrow.contributions(values), wide.contributions(values), rtol=0, atol=EXACT)


def test_a_large_forest_gets_narrower_tables_not_more_memory(monkeypatch):
    text = drawn(6, [31] * 20, 20, 3)
    wide = len(FastTrees.of(text, 20).program.explaining[-3])
    monkeypatch.setattr(building, "MOST_NUMBERS", wide // 4)
    assert 0 < len(FastTrees.of(text, 20).program.explaining[-3]) <= wide // 4


# ---------------------------------------------------------------- inputs


@pytest.fixture(scope="module")
def some() -> tuple[FastTrees, lightgbm.Booster, np.ndarray]:
    values = table(10_000, 9, 3, seed=4)
    booster = fitted(values[:2_000], 3, trees=15, num_leaves=31)
    return FastTrees.of(booster.model_to_string(), 9), booster, values


def test_one_thread_or_more_give_the_same_bits(some):
    fast, booster, values = some
    assert len(values) > 2 * trees.SHARE
    once = fast.score_and_contributions(values)
    for threads in (2, 3):
        for one, other in zip(once, fast.score_and_contributions(values, threads), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(fast.score(values, threads), once[0])
    np.testing.assert_array_equal(once[0], booster.predict(values, raw_score=True))


@pytest.mark.parametrize("rows", [1, 2, kernels.BLOCK - 1, kernels.BLOCK, kernels.BLOCK + 1, 2 * kernels.BLOCK + 7])
def test_a_row_alone_or_in_any_block_gives_the_same_bits(some, rows):
    fast, _, values = some
    scores, contributions = fast.score_and_contributions(values[:rows])
    for row in {0, rows // 2, rows - 1}:
        alone = fast.score_and_contributions(values[row : row + 1])
        np.testing.assert_array_equal(alone[0], scores[row : row + 1])
        np.testing.assert_array_equal(alone[1], contributions[row : row + 1])


def unaligned(values: np.ndarray) -> np.ndarray:
    room = np.zeros(values.nbytes + 1, dtype=np.uint8)[1:].view(np.float64)
    room[:] = values.ravel()
    return room.reshape(values.shape)


def read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


LAID_OUT = {
    "by rows": np.ascontiguousarray,
    "by columns": np.asfortranarray,
    "every other of more": lambda values: np.repeat(np.repeat(values, 2, axis=0), 2, axis=1)[::2, ::2],
    "backwards": lambda values: values[::-1, ::-1].copy()[::-1, ::-1],
    "read only": read_only,
    "unaligned": unaligned,
    "other end first": lambda values: values.astype(">f8"),
}


@pytest.mark.parametrize("how", LAID_OUT)
def test_any_layout_gives_the_same_bits_and_is_left_as_it_was(some, how):
    fast, _, values = some
    values = values[:600]
    given_ = LAID_OUT[how](values)
    before = given_.copy()
    np.testing.assert_array_equal(fast.score(given_), fast.score(values))
    np.testing.assert_array_equal(fast.contributions(given_), fast.contributions(values))
    np.testing.assert_array_equal(given_, before)


def test_other_types_of_numbers(some):
    fast, booster, values = some
    half = values[:500].astype(np.float32)
    np.testing.assert_array_equal(fast.score(half), booster.predict(half, raw_score=True))
    whole = np.nan_to_num(values[:500], nan=-1).astype(np.int64)
    np.testing.assert_array_equal(fast.score(whole), booster.predict(whole.astype(np.float64), raw_score=True))


def test_no_rows(some):
    fast, _, values = some
    scores, contributions = fast.score_and_contributions(values[:0], threads=2)
    assert scores.shape == (0,)
    assert contributions.shape == (0, 9)


@pytest.mark.parametrize("shape", [(4,), (4, 8), (4, 10), (2, 3, 9)])
def test_refuses_rows_of_another_width(some, shape):
    fast, _, _ = some
    with pytest.raises(ValueError, match=r"must be \[rows, 9\]"):
        fast.score(np.zeros(shape))


def test_travels_to_another_process(some):
    fast, _, values = some
    again = pickle.loads(pickle.dumps(fast))
    np.testing.assert_array_equal(again.contributions(values[:50]), fast.contributions(values[:50]))


def test_a_feature_split_as_a_number_and_as_a_category():
    random = np.random.default_rng(8)
    both = [drawn_tree(random, 12, 4, categories, "any") for categories in (4, 0)]
    booster = lightgbm.Booster(model_str=as_text(both, 4))
    held_to_lightgbm(booster, as_text(both, 4), strange(table(200, 4, 4, 8), 8))
