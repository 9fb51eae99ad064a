"""From trees to what the loops read: steps of decisions with their masks, and pieces with their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.models.fast_trees.parsing import MOST_LEAVES, Forest, NotCovered

# Bits that index a table. A wider table saves lookups and leaves fewer leaves to be worked out row by row, but no
# longer stays in a core's cache: 8 and 9 are as fast as each other, and 8 takes half the memory.
BITS = 8
FEWEST_BITS = 3
# Large forests get narrower tables rather than more memory.
MOST_NUMBERS = 24 * 2**20


@dataclass(frozen=True, eq=False)
class Program:
    """Arguments of the loops in `kernels`, in their order.

    ``taking``: how a block of rows is taken up. ``scoring`` and ``explaining``: what follows, for each of the two.
    """

    taking: tuple[np.ndarray, ...]
    scoring: tuple[np.ndarray, ...]
    explaining: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Pieces:
    """The cut of a forest, as `grouping.cut` describes it."""

    bit_of: np.ndarray
    of_leaf: np.ndarray
    of_tree: np.ndarray
    shift: np.ndarray
    inner: np.ndarray
    tests: np.ndarray
    mask: np.ndarray
    value: np.ndarray
    tested: np.ndarray
    columns: np.ndarray
    column_of: np.ndarray
    starts: np.ndarray  # where each piece's table begins; nothing there for a deep leaf


def build(forest: Forest) -> Program:
    """All that the loops read. Raises NotCovered for a path with too many features, and for what is no tree."""
    from riskmodels.models.fast_trees import masks, tables

    pieces = _cut(forest)
    steps = tables.quadrature()
    tabled, share = np.zeros(pieces.starts[-1]), np.zeros(len(pieces.mask))
    deepest = tables.fill(
        forest.nodes, forest.leaves, forest.feature, forest.left, forest.right, forest.count, forest.leaf_count,
        forest.leaf_value, pieces.bit_of, pieces.of_leaf, pieces.shift, pieces.inner, pieces.tests, pieces.tested,
        pieces.columns, pieces.column_of, pieces.starts, *steps, tabled, share,
    )  # fmt: skip
    if deepest > tables.DEEPEST:
        raise NotCovered(f"a path asks about more than {tables.DEEPEST} features")

    used = np.unique(forest.feature).astype(np.int64)
    place = np.zeros(forest.columns, dtype=np.int32)
    place[used] = np.arange(len(used))
    leaf_keeps, ordered = np.empty(len(forest.feature), dtype=np.uint64), np.empty(len(forest.leaf_value))
    masks.rule_out(forest.nodes, forest.leaves, forest.left, forest.right, forest.leaf_value, leaf_keeps, ordered)
    bit_keeps = ~(np.uint64(1) << pieces.bit_of.astype(np.uint64))
    coded, numbers, sets, (leaf_sets, bit_sets) = _decisions(forest, place, (leaf_keeps, bit_keeps))
    numeric = forest.set_of < 0
    leaf_of_piece = np.zeros(len(pieces.shift), dtype=np.int64)
    leaf_of_piece[pieces.of_leaf[pieces.of_leaf >= 0]] = np.flatnonzero(pieces.of_leaf >= 0)
    return Program(
        (used, *coded),
        (*numbers, leaf_keeps[numeric], *sets, leaf_sets, forest.leaves, ordered),
        (
            *numbers, bit_keeps[numeric], *sets, bit_sets, forest.leaves, forest.leaf_value, leaf_of_piece,
            pieces.of_tree, pieces.shift, pieces.inner, pieces.tests, pieces.mask, pieces.value, share,
            pieces.columns, place[pieces.column_of], pieces.starts, tabled, *steps,
        ),
    )  # fmt: skip


def _cut(forest: Forest) -> Pieces:
    """The best cut with the widest tables that memory allows."""
    for bits in range(BITS, FEWEST_BITS - 1, -1):
        pieces = _cut_at(forest, bits)
        if pieces.starts[-1] <= MOST_NUMBERS:
            break
    return pieces


def _cut_at(forest: Forest, bits: int) -> Pieces:
    from riskmodels.models.fast_trees import grouping

    inner_nodes, leaves = len(forest.feature), len(forest.leaf_value)
    # A piece has no more tests than nodes above it, and no more columns than its tree has nodes.
    depth = min(MOST_LEAVES, int(np.diff(forest.leaves).max(initial=1)))
    room = leaves * depth + MOST_LEAVES
    bit_of, of_leaf = np.zeros(inner_nodes, dtype=np.uint8), np.zeros(leaves, dtype=np.int64)
    of_tree = np.zeros(forest.trees + 1, dtype=np.int64)
    shift, inner = np.zeros((2, leaves), dtype=np.uint8)
    tests, columns = np.zeros((2, leaves + 1), dtype=np.int64)
    mask, value = np.zeros((2, room), dtype=np.uint64)
    tested, column_of = np.zeros((2, room), dtype=np.int32)
    found = grouping.cut(
        forest.nodes, forest.leaves, forest.feature, forest.left, forest.right, bits,
        bit_of, of_leaf, of_tree, shift, inner, tests, mask, value, tested, columns, column_of,
    )  # fmt: skip
    if found == grouping.NOT_A_TREE:
        raise NotCovered("the text does not hold together as a set of trees")
    shift, inner, tests, columns = shift[:found], inner[:found], tests[: found + 1], columns[: found + 1]
    used = np.diff(tests) + inner
    sizes = np.where(used > bits, 0, (1 + np.diff(columns)) << np.minimum(used, bits))
    return Pieces(
        bit_of, of_leaf, of_tree, shift, inner, tests, mask[: tests[-1]].copy(), value[: tests[-1]].copy(),
        tested[: tests[-1]].copy(), columns, column_of[: columns[-1]].copy(),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )  # fmt: skip


def _decisions(forest: Forest, place: np.ndarray, keeps: tuple[np.ndarray, np.ndarray]) -> tuple[Any, ...]:
    """Every tree's decisions: numbers one by one, categories by one lookup for each (tree, feature).

    Returns what `kernels._take` needs about categories, the steps of numbers, the steps of categories, and the masks
    of the latter for each of ``keeps``.
    """
    from riskmodels.models.fast_trees import masks

    numeric = forest.set_of < 0
    tree = np.repeat(np.arange(forest.trees), np.diff(forest.nodes))
    numbers = (
        _edges(np.bincount(tree[numeric], minlength=forest.trees)), place[forest.feature[numeric]],
        forest.threshold[numeric], forest.missing_left[numeric],
    )  # fmt: skip
    features, code = np.unique(forest.feature[~numeric], return_inverse=True)
    set_of = forest.set_of[~numeric]
    words = np.diff(forest.set_edges)[set_of]
    widest = np.zeros(len(features), dtype=np.int64)
    np.maximum.at(widest, code, words)
    code_edges = _edges(32 * widest)
    code_of = np.zeros(code_edges[-1], dtype=np.int32)
    known = np.zeros(len(features), dtype=np.int64)
    masks.catalogue(forest.set_edges, forest.set_words, set_of, code, code_edges, code_of, known)
    # One table for each tree and feature, in the order of the trees.
    pairs, pair = np.unique(tree[~numeric] * max(len(features), 1) + code, return_inverse=True)
    own = pairs % max(len(features), 1)
    starts = _edges(1 + known[own])
    if starts[-1] > MOST_NUMBERS:
        raise NotCovered("the sets of categories are too large for tables")
    sets = (
        _edges(np.bincount(pairs // max(len(features), 1), minlength=forest.trees)), own.astype(np.int32), starts,
    )  # fmt: skip
    tables = []
    for keep in keeps:
        mask = np.full(starts[-1], np.iinfo(np.uint64).max, dtype=np.uint64)
        masks.rule_out_sets(
            forest.set_edges, forest.set_words, set_of, code, code_edges, code_of, starts[pair], keep[~numeric],
            1 + known[code], mask,
        )  # fmt: skip
        tables.append(mask)
    return (place[features].astype(np.int64), code_edges, code_of), numbers, sets, tables


def _edges(sizes: np.ndarray) -> np.ndarray:
    """int64: where things of these sizes begin, one after the other, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
