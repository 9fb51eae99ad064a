from __future__ import annotations

import re
from collections.abc import Callable

import lightgbm
import numpy as np
import pytest

from riskmodels.models.fast_trees import FastTrees, NotCovered
from riskmodels.models.fast_trees.parsing import ZERO, read_booster
from tests.models.fast_trees.boosters import drawn, fitted, table


@pytest.fixture(scope="module")
def text() -> str:
    return fitted(table(500, 6, 2, seed=1), 2, trees=4, num_leaves=9).model_to_string()


def test_reads_what_lightgbm_says_of_its_trees(text):
    forest = read_booster(text, 6)
    theirs = lightgbm.Booster(model_str=text).dump_model()["tree_info"]
    assert forest.trees == 4
    assert np.diff(forest.leaves).tolist() == [tree["num_leaves"] for tree in theirs]
    root = theirs[2]["tree_structure"]
    at = forest.nodes[2]
    assert forest.feature[at] == root["split_feature"]
    assert forest.count[at] == root["internal_count"] == 500
    leaf = root
    while "left_child" in leaf:
        leaf = leaf["left_child"]
    assert forest.leaf_value[forest.leaves[2] + leaf["leaf_index"]] == leaf["leaf_value"]
    assert forest.leaf_count[forest.leaves[2] + leaf["leaf_index"]] == leaf["leaf_count"]


def test_what_lies_next_to_zero_is_zero():
    # A threshold at or just above zero lets all of it pass, and one just below none: the values that LightGBM takes for
    # zero are those up to 1e-35 from it.
    line = "threshold=0 1e-36 -1e-36 -1e-30 2"
    tree = (
        f"num_leaves=6\nnum_cat=0\nsplit_feature=0 0 0 0 0\n{line}\ndecision_type=2 2 2 2 2\nleft_child=1 2 3 4 -1\n"
        "right_child=-2 -3 -4 -5 -6\nleaf_value=1 2 3 4 5 6\nleaf_count=1 1 1 1 1 1\ninternal_count=6 5 4 3 2\n"
    )
    read = read_booster(drawn(1, [1], 1, 0).split("Tree=0")[0] + f"Tree=0\n{tree}\nend of trees\n", 1)
    below = np.nextafter(-ZERO, -1)
    assert read.threshold.tolist() == [ZERO, ZERO, below, -1e-30, 2.0]
    assert read.missing_left.tolist() == [True, True, False, False, True]


# ---------------------------------------------------------------- not covered


def refit(**parameters: object) -> str:
    values = table(600, 4, 0, seed=2, gone=0.0)
    return fitted(values, 0, trees=2, **parameters).model_to_string()


def multiclass() -> str:
    values = table(300, 4, 0, seed=2)
    settings = {"objective": "multiclass", "num_class": 3, "verbosity": -1}
    return lightgbm.train(settings, lightgbm.Dataset(values, label=np.arange(300) % 3), 2).model_to_string()


REFUSED = {
    "65 leaves": (lambda: drawn(3, [65], 4, 0), "a tree has 65 leaves, and the kernel holds 64"),
    "25 features on a path": (
        lambda: next(
            text for seed in range(99) if len(set(re.search(r"split_feature=(.*)", text := drawn(
                seed, [60], 40, 0, "right chain"))[1].split())) > 25
        ), "a path asks about more than 24 features"),
    "linear leaves": (lambda: refit(linear_tree=True, num_leaves=4), "linear in their leaves"),
    "zero as missing": (lambda: refit(zero_as_missing=True, num_leaves=4), "zero counts as missing"),
    "several classes": (multiclass, "more than one score a row"),
    "a random forest": (
        lambda: refit(boosting="rf", bagging_fraction=0.5, bagging_freq=1, num_leaves=4), "averages its trees"
    ),
    "a leaf without rows": (
        lambda: re.sub(r"leaf_count=\d+", "leaf_count=0", drawn(4, [8], 4, 0)), "reached by no row of the fit"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_says_why_it_does_not_cover_a_booster(what):
    make, words = REFUSED[what]
    text = make()
    columns = int(re.search(r"max_feature_idx=(\d+)", text)[1]) + 1
    lightgbm.Booster(model_str=text)
    with pytest.raises(NotCovered, match=words):
        FastTrees.of(text, columns)


def forged(pattern: str, new: str | Callable[[re.Match[str]], str]):
    def change(text: str) -> str:
        found, count = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
        assert count == 1
        return found

    return change


FORGED = {
    "nothing": lambda text: "",
    "prose": lambda text: "tree\nend of trees\n",
    "a child that is its own parent": forged(r"^left_child=-?\d+", "left_child=0"),
    "a child outside the tree": forged(r"^left_child=-?\d+", "left_child=9999"),
    "a leaf outside the tree": forged(r"^right_child=-?\d+", "right_child=-9999"),
    "a feature outside the row": forged(r"^split_feature=\d+", "split_feature=6"),
    "a feature before the row": forged(r"^split_feature=\d+", "split_feature=-1"),
    "fewer leaf values than leaves": forged(r"^leaf_value=\S+ ", "leaf_value="),
    "more leaves than values": forged(r"^num_leaves=\d+", "num_leaves=60"),
    "a leaf worth nothing that is a number": forged(r"^leaf_value=\S+", "leaf_value=nan"),
    "a threshold that is no number": forged(r"^threshold=\S+", "threshold=nan"),
    "a set outside the sets": forged(r"^cat_boundaries=0 \d+", "cat_boundaries=0 99"),
    "sets that run back": forged(r"^cat_boundaries=0 \d+", "cat_boundaries=0 -1"),
    "a set of no categories": lambda text: forged(r"^cat_boundaries=0 (\d+)", r"cat_boundaries=0 0 \1")(
        forged(r"^num_cat=[1-9]\d*", lambda found: f"num_cat={int(found[0][8:]) + 1}")(text)
    ),
    "a decision below nought": forged(r"^(decision_type=(?:.* )?)(?:2|8|10)\b", r"\1-6"),
    "a number that only Python reads": forged(r"^(left_child=.*)-1\b", r"\1-0_1"),
    "an empty line": forged(r"^num_cat=", "\nnum_cat="),
    "more sets than there are": forged(r"^num_cat=[1-9]\d*", "num_cat=99"),
    "bits that do not fit": forged(r"^cat_threshold=\d+", "cat_threshold=4294967296"),
    "counts of other leaves": forged(r"^leaf_count=\d+ ", "leaf_count="),
    "a kind of missing that is not known": forged(r"^decision_type=\d+", "decision_type=14"),
    "no kind of decision": forged(r"^decision_type=.*\n", ""),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_text_that_does_not_hold_together_is_not_covered(text, how):
    with pytest.raises(NotCovered, match="does not hold together"):
        FastTrees.of(FORGED[how](text), 6)


def test_a_ring_apart_from_the_root_is_not_covered():
    # Nodes 1 and 2 hang on each other, so every node and leaf hangs on exactly one: but no path reaches them.
    tree = (
        "num_leaves=4\nnum_cat=0\nsplit_feature=0 0 0\nthreshold=1 2 3\ndecision_type=2 2 2\nleft_child=-1 2 1\n"
        "right_child=-2 -3 -4\nleaf_value=1 2 3 4\nleaf_count=1 1 1 1\ninternal_count=4 3 2\n"
    )
    ring = drawn(1, [1], 1, 0).split("Tree=0")[0] + f"Tree=0\n{tree}\nend of trees\n"
    with pytest.raises(NotCovered, match="does not hold together"):
        FastTrees.of(ring, 1)


def test_other_columns_are_not_covered(text):
    with pytest.raises(NotCovered, match="not fitted on 7 columns"):
        FastTrees.of(text, 7)
