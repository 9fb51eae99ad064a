"""What is refused of a booster's text, and that nothing is of what LightGBM writes."""

from __future__ import annotations

import re

import pytest

from riskmodels.errors import ModelFileError
from riskmodels.models.booster_text import portable, refuse_malformed
from tests.models.fast_trees.boosters import fitted, table
from tests.models.fast_trees.test_trees import SHAPES


def forged(text: str, pattern: str, change) -> str:
    found, count = re.subn(pattern, change, text, count=1, flags=re.MULTILINE)
    assert count == 1
    return found


def resized(text: str) -> str:
    """With the lengths of the trees as they are, which LightGBM goes by."""
    blocks = re.split(r"^(?=Tree=\d+\n)", text[: text.index("end of trees\n")], flags=re.MULTILINE)[1:]
    sizes = " ".join(str(len(block.encode())) for block in blocks)
    return re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", text, flags=re.MULTILINE)


def with_an_empty_set(text: str) -> str:
    """The last set of the first tree that has some gets no categories, and its number goes on."""
    text = forged(text, r"^(cat_boundaries=0(?: \d+)* )(\d+)$", r"\g<1>\2 \2")
    at = text.index("cat_boundaries=")
    begin = text.rindex("num_cat=", 0, at)
    end = text.index("\n", begin)
    return resized(f"{text[:begin]}num_cat={int(text[begin + 8 : end]) + 1}{text[end:]}")


FORGERIES = {
    "a child that is its own parent": lambda t: forged(t, r"^left_child=-?\d+", "left_child=0"),
    "a child outside the tree": lambda t: forged(t, r"^left_child=-?\d+", "left_child=9999"),
    "a leaf outside the tree": lambda t: forged(t, r"^right_child=-?\d+", "right_child=-9999"),
    "a feature outside the row": lambda t: forged(t, r"^split_feature=\d+", "split_feature=5"),
    "fewer leaf values than leaves": lambda t: forged(t, r"^leaf_value=\S+ ", "leaf_value="),
    "more leaves than values": lambda t: forged(t, r"^num_leaves=\d+", "num_leaves=200"),
    "a leaf worth nothing that is a number": lambda t: forged(t, r"^leaf_value=\S+", "leaf_value=nan"),
    "a set outside the sets": lambda t: forged(t, r"^cat_boundaries=0 \d+", "cat_boundaries=0 99"),
    "more sets than there are": lambda t: forged(t, r"^num_cat=[1-9]\d*", "num_cat=99"),
    "linear leaves": lambda t: forged(t, r"^is_linear=0", "is_linear=1"),
    "another objective": lambda t: forged(t, r"^objective=.*$", "objective=regression"),
    "other features": lambda t: forged(t, r"^max_feature_idx=4", "max_feature_idx=9"),
    "a tree less": lambda t: forged(t, r"^tree_sizes=\d+ ", "tree_sizes="),
    "lengths that lead out of the file": lambda t: forged(t, r"^tree_sizes=\d+ ", "tree_sizes=99999999 "),
    "trees that do not count on": lambda t: forged(t, r"^Tree=1$", "Tree=7"),
    "a set of no categories": with_an_empty_set,
    "an empty line in a tree": lambda t: resized(forged(t, r"^(leaf_value=.*)$", r"\1\n")),
    "a whole number with a stroke": lambda t: resized(forged(t, r"^(left_child=.*)-1\b", r"\1-0_1")),
    "digits of another script": lambda t: resized(forged(t, r"^num_leaves=(\d)", "num_leaves=\u0661")),
    "another end of line": lambda t: resized(forged(t, r"^(leaf_value=.*)\n", "\\1\x1c\n")),
    "two ends of line": lambda t: resized(forged(t, r"^(num_cat=.*)\n", "\\1\r\n")),
    "an end of line in the header": lambda t: forged(t, r"^version=v4", "version=v4\x0bx"),
    "a field that stands twice": lambda t: resized(forged(t, r"^(num_leaves=.*\n)", r"\1\1")),
    "a decision that is none": lambda t: resized(forged(t, r"^decision_type=\d+", "decision_type=258")),
    "a way of missing that is none": lambda t: resized(forged(t, r"^decision_type=\d+", "decision_type=14")),
    "a threshold that is no number": lambda t: resized(forged(t, r"^threshold=\S+", "threshold=nan")),
    "a threshold too large for a number": lambda t: resized(forged(t, r"^threshold=\S+", "threshold=1e400")),
    "a leaf of nobody": lambda t: resized(forged(t, r"^leaf_count=\d+", "leaf_count=0")),
    "a node of fewer than nobody": lambda t: resized(forged(t, r"^internal_count=\d+", "internal_count=-5")),
    "a node of more than any": lambda t: resized(forged(t, r"^internal_count=\d+", "internal_count=4294967296")),
    "a weight that is no number": lambda t: resized(forged(t, r"^leaf_weight=\S+", "leaf_weight=nan")),
    "a node's weight that has no end": lambda t: resized(forged(t, r"^internal_weight=\S+", "internal_weight=inf")),
    "a gain that is a word": lambda t: resized(forged(t, r"^split_gain=\S+", "split_gain=large")),
    "an average of the trees": lambda t: forged(t, r"^(objective=.*)$", r"average_output\n\1"),
    "a name too few": lambda t: forged(t, r"^feature_names=\S+ ", "feature_names="),
    "a direction too few": lambda t: forged(t, r"^(objective=.*)$", r"\1\nmonotone_constraints=0 1"),
    "parameters after the end": lambda t: t + "parameters:\n[num_threads: 64]\nend of parameters\n",
    "cut short": lambda t: t[: len(t) // 2],
    "nothing": lambda t: "",
    "prose": lambda t: "tree\nend of trees\n",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_refuses_a_forged_text(world, how):
    text = world.fit("lightgbm").text
    refuse_malformed(text, 5)
    with pytest.raises(ModelFileError, match=r"booster\.txt"):
        refuse_malformed(FORGERIES[how](text), 5)


ODDLY_FITTED = {name: more for name, more in SHAPES.items() if more.get("objective", "binary") == "binary"}


@pytest.mark.parametrize("how", ODDLY_FITTED)
def test_takes_whatever_lightgbm_writes(how):
    booster = fitted(table(1_500, 9, 3, seed=1), 3, trees=20, **ODDLY_FITTED[how])
    refuse_malformed(portable(booster.model_to_string()), 9)


def test_takes_trees_that_never_part_and_thresholds_without_end(world):
    alone = fitted(table(60, 4, 0, seed=1), 0, trees=2, min_data_in_leaf=50).model_to_string()
    assert "num_leaves=1\n" in alone
    refuse_malformed(portable(alone), 4)
    endless = forged(world.fit("lightgbm").text, r"^threshold=\S+", "threshold=inf")
    refuse_malformed(resized(endless), 5)
