"""From the text of a booster to flat arrays, without LightGBM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.models.fast_trees.text import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MOST_DECISION,
    decimals,
    fields_of,
    parts_of,
    whole,
    wholes,
)

# A decision for each inner node is a bit of one 64-bit word, and so is each leaf.
MOST_LEAVES = 64
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
# LightGBM takes what lies this near to zero for zero; its constant is a float32.
ZERO = float(np.float32(1e-35))
JUST_BELOW_ZERO = float(np.nextafter(-ZERO, -np.inf))


class NotCovered(Exception):  # noqa: N818 - not an error: LightGBM itself answers then
    """Why the fast kernel leaves a booster to LightGBM, in words."""


@dataclass(frozen=True)
class Forest:
    """Trees one after the other: N inner nodes, L leaves, S category sets in all.

    Attributes
    ----------
    nodes, leaves : int64 [trees + 1], where each tree's inner nodes and leaves begin
    feature : int32 [N]
    threshold : float64 [N]; a number goes left if it is at most this
    missing_left : bool [N], whether NaN goes left
    set_of : int32 [N], the node's category set; -1 for a number
    left, right : int32 [N], within the tree: an inner node, or ~leaf
    count, leaf_count : float64 [N], [L], rows of the fit
    leaf_value : float64 [L]
    set_edges : int64 [S + 1], where each set's words begin in ``set_words``
    set_words : uint32, bit c of a set is category c
    """

    columns: int
    nodes: np.ndarray
    leaves: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    set_of: np.ndarray
    left: np.ndarray
    right: np.ndarray
    count: np.ndarray
    leaf_count: np.ndarray
    leaf_value: np.ndarray
    set_edges: np.ndarray
    set_words: np.ndarray

    @property
    def trees(self) -> int:
        return len(self.nodes) - 1

    def expected(self) -> float:
        """The mean score over the rows of the fit: what contributions start from."""
        total = 0.0
        for first, end in zip(self.leaves[:-1].tolist(), self.leaves[1:].tolist(), strict=True):
            values, counts = self.leaf_value[first:end], self.leaf_count[first:end]
            total += float(values[0]) if end - first == 1 else float(values @ counts / counts.sum())
        return total


def read_booster(text: str, columns: int) -> Forest:
    """The trees of a booster's text.

    Raises
    ------
    NotCovered
        for other objectives than one score a row, linear leaves, zero as missing, more than 64 leaves, rows that were
        not counted, and a text that does not hold together.
    """
    try:
        header, trees = parts_of(text)
        _refuse_header(header, columns)
        return _read([fields_of(tree) for tree in trees], columns)
    except (KeyError, ValueError, IndexError, OverflowError):
        raise NotCovered("the text does not hold together as a set of trees") from None


def _refuse_header(header: str, columns: int) -> None:
    lines = header.split("\n")
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    if whole(fields["num_class"]) != 1 or whole(fields["num_tree_per_iteration"]) != 1:
        raise NotCovered("the booster gives more than one score a row (multiclass)")
    if "average_output" in lines:
        raise NotCovered("the booster averages its trees (a random forest)")
    if whole(fields["max_feature_idx"]) != columns - 1:
        raise NotCovered(f"the booster was not fitted on {columns} columns")


def _read(trees: list[dict[str, str]], columns: int) -> Forest:
    if any(whole(tree["is_linear"]) for tree in trees if "is_linear" in tree):
        raise NotCovered("the trees are linear in their leaves")
    sizes = np.array([whole(tree["num_leaves"]) for tree in trees], dtype=np.int64)
    if (sizes > MOST_LEAVES).any():
        raise NotCovered(f"a tree has {sizes.max()} leaves, and the kernel holds {MOST_LEAVES}")
    if (sizes < 1).any():
        raise ValueError
    nodes, leaves = (np.concatenate([[0], np.cumsum(sizes - less)]) for less in (1, 0))
    split = [tree for tree, size in zip(trees, sizes, strict=True) if size > 1]

    def inner(name: str, kind: Any, less: int = 1) -> np.ndarray:
        return _joined([tree[name] for tree in split], kind, sizes[sizes > 1] - less)

    kinds = inner("decision_type", np.int64)
    threshold = np.array([cut for tree in split for cut in decimals(tree["threshold"], endless=True)])
    if len(threshold) != len(kinds):
        raise ValueError
    categorical = (kinds & CATEGORICAL) > 0
    missing = kinds >> 2
    if (~categorical & (missing == MISSING_ZERO)).any():
        raise NotCovered("zero counts as missing (zero_as_missing)")
    if ((kinds < 0) | (kinds > MOST_DECISION)).any():
        raise ValueError
    set_of, set_edges, set_words = _sets(split, categorical, threshold, sizes[sizes > 1] - 1)
    leaf_count = np.ones(leaves[-1])
    leaf_count[np.repeat(sizes > 1, sizes)] = inner("leaf_count", np.float64, 0)
    forest = Forest(
        columns,
        nodes.astype(np.int64),
        leaves.astype(np.int64),
        inner("split_feature", np.int32),
        np.where(threshold >= 0, np.maximum(threshold, ZERO), np.minimum(threshold, JUST_BELOW_ZERO)),
        np.where(missing == MISSING_NAN, (kinds & DEFAULT_LEFT) > 0, threshold >= 0) & ~categorical,
        set_of,
        inner("left_child", np.int32),
        inner("right_child", np.int32),
        inner("internal_count", np.float64),
        leaf_count,
        _joined([tree["leaf_value"] for tree in trees], np.float64, sizes),
        set_edges,
        set_words,
    )
    _refuse_unsound(forest, sizes)
    return forest


def _joined(texts: list[str], kind: Any, sizes: np.ndarray) -> np.ndarray:
    """One list of numbers from all trees, each holding as many as it must."""
    if [text.count(" ") + 1 for text in texts] != sizes.tolist():
        raise ValueError
    read: Callable[[str], list[Any]] = decimals if kind is np.float64 else wholes
    return np.array([number for text in texts for number in read(text)], dtype=kind)


def _sets(
    split: list[dict[str, str]], categorical: np.ndarray, threshold: np.ndarray, inner: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Category sets of all trees in one list; a categorical node's threshold numbers a set of its own tree."""
    sizes, words, own = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint32)], []
    for tree in split:
        own.append(whole(tree["num_cat"]))
        if own[-1]:
            edges = np.array(wholes(tree["cat_boundaries"]), dtype=np.int64)
            bits = np.array(wholes(tree["cat_threshold"]), dtype=np.uint32)
            if len(edges) != own[-1] + 1 or edges[0] or (np.diff(edges) < 1).any() or edges[-1] != len(bits):
                raise ValueError
            sizes.append(np.diff(edges))
            words.append(bits)
    number = np.where(categorical, threshold, -1)
    before = np.cumsum(own, dtype=np.int64) - own
    if (categorical & ((number < 0) | (number != np.floor(number)) | (number >= np.repeat(own, inner)))).any():
        raise ValueError
    set_of = np.where(categorical, number + np.repeat(before, inner), -1).astype(np.int32)
    return set_of, np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64), np.concatenate(words)


def _refuse_unsound(forest: Forest, sizes: np.ndarray) -> None:
    """Every leaf and every node but the root hangs on exactly one node, and every index stays inside."""
    if ((forest.feature < 0) | (forest.feature >= forest.columns)).any():
        raise ValueError
    inner, begins = sizes - 1, (forest.nodes + forest.leaves)[:-1]
    children = np.concatenate([forest.left, forest.right]).astype(np.int64)
    tree = np.tile(np.repeat(np.arange(len(sizes)), inner), 2)
    if ((children >= inner[tree]) | (children < -sizes[tree])).any():
        raise ValueError
    # A tree's inner nodes and then its leaves, numbered through.
    hung = np.where(children >= 0, children, inner[tree] + ~children) + begins[tree]
    expected = np.ones(forest.nodes[-1] + forest.leaves[-1], dtype=np.int64)
    expected[begins] = 0
    if (np.bincount(hung, minlength=len(expected)) != expected).any():
        raise ValueError
    if min(forest.count.min(initial=1), forest.leaf_count.min(initial=1)) < 1:
        raise NotCovered("a leaf was reached by no row of the fit, so it has no share of its parent")
