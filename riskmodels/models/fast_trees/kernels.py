"""The loops that run for every row and tree.

Rows go through in blocks, column by column, so that each loop over a block's rows is one that the compiler turns into
vector instructions. A tree's decisions for a row are one 64-bit word, from which a right turn takes bits away: with the
masks of `score_rows` the leaves it rules out (QuickScorer; Lucchese et al. 2015), with those of `explain_rows` the
node's own bit.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from riskmodels.models.fast_trees.compiling import BOOL, F64, I32, I64, U8, U32, U64, compiled, given

# The types of arguments stand in front of each function, for the compiler.
# mypy: allow-untyped-defs, allow-untyped-calls

# Rows of a block. Every block reads all tables once, so fewer rows cost more; with more, a block's own columns and sums
# leave the cache.
BLOCK = 2_048
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@intrinsic
def _trailing_zeros(_context, _word):
    def generate(_context, builder, _signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@compiled(given(F64, 2, "A"), I64, I64, given(I64), given(I64), given(I64), given(I32), F64[:, ::1], U32[:, ::1])
def _take(values, first, rows, used, coded, code_edges, code_of, columns, codes):
    """One block of the used columns, and of those with category sets the place of each row's category in the masks.

    A category is the number without its fraction. What is negative, too large or NaN goes right everywhere: place 0.
    """
    for c in range(len(used)):
        column, f = columns[c], used[c]
        for r in range(rows):
            column[r] = values[first + r, f]
    for k in range(len(coded)):
        column, own = columns[coded[k]], codes[k]
        known = code_of[code_edges[k] : code_edges[k + 1]]
        most = np.float64(len(known))
        for r in range(rows):
            x = column[r]
            own[r] = np.uint32(known[np.int64(x)]) if -1.0 < x < most and most > 0.0 else np.uint32(0)


@compiled(
    I64, I64, F64[:, ::1], U32[:, ::1],
    given(I64), given(I32), given(F64), given(BOOL), given(U64), given(I64), given(I32), given(I64), given(U64),
    U64[::1],
)  # fmt: skip
def _decide(
    tree, rows, columns, codes,
    steps, step_column, threshold, missing_left, keeps, set_steps, set_step_code, set_starts, set_keeps, words,
):  # fmt: skip
    """One tree's word for each row of a block."""
    for r in range(rows):
        words[r] = ALL
    for step in range(steps[tree], steps[tree + 1]):
        column, t, keep = columns[step_column[step]], threshold[step], keeps[step]
        if missing_left[step]:
            for r in range(rows):
                words[r] &= keep if column[r] > t else ALL
        else:
            for r in range(rows):
                words[r] &= ALL if column[r] <= t else keep
    for step in range(set_steps[tree], set_steps[tree + 1]):
        own, masks = codes[set_step_code[step]], set_keeps[set_starts[step] :]
        for r in range(rows):
            words[r] &= masks[own[r]]


@compiled(
    given(F64, 2, "A"), I64, I64, given(I64), given(I64), given(I64), given(I32),
    given(I64), given(I32), given(F64), given(BOOL), given(U64), given(I64), given(I32), given(I64), given(U64),
    given(I64), given(F64), F64[::1],
)  # fmt: skip
def score_rows(
    values, begin, end, used, coded, code_edges, code_of,
    steps, step_column, threshold, missing_left, keeps, set_steps, set_step_code, set_starts, set_keeps,
    leaves, leaf_value, scores,
):  # fmt: skip
    """Raw scores of the rows from ``begin`` to ``end``, added up in the order of the trees."""
    block = min(BLOCK, end - begin)
    columns, codes = np.empty((len(used), block)), np.empty((len(coded), block), np.uint32)
    words = np.empty(block, np.uint64)
    for first in range(begin, end, BLOCK):
        rows = min(BLOCK, end - first)
        _take(values, first, rows, used, coded, code_edges, code_of, columns, codes)
        out = scores[first : first + rows]
        out[:] = 0.0
        for tree in range(len(leaves) - 1):
            _decide(
                tree, rows, columns, codes, steps, step_column, threshold, missing_left, keeps,
                set_steps, set_step_code, set_starts, set_keeps, words,
            )  # fmt: skip
            own = leaf_value[leaves[tree] : leaves[tree + 1]]
            for r in range(rows):
                out[r] += own[_trailing_zeros(words[r])]  # type: ignore[call-arg]


@compiled(I64, U64[::1], U64, U64, U64, U32[::1])
def _add_test(rows, words, mask, value, bit, index):
    """One more bit of a piece's index: does a row satisfy all above the piece on one feature?"""
    for r in range(rows):
        index[r] |= np.uint32(bit) if words[r] & mask == value else np.uint32(0)


@compiled(
    I64, I64, given(U64), given(U64), given(F64), given(F64), given(F64), F64, U32[::1], given(I32), I64, F64[:, ::1],
    F64[:, ::1],
)  # fmt: skip
def _explain_deep(
    rows, depth, mask, value, share, points, weights, leaf_value, index, column, score_at, sums, products
):
    """One deep leaf by quadrature, for every row of a block; the index says which features a row satisfies."""
    orders = (depth + 1) // 2
    every = np.uint32((1 << depth) - 1)
    score = sums[score_at]
    for r in range(rows):
        score[r] += leaf_value if index[r] == every else 0.0
    for q in range(orders):
        product, t = products[q], points[q]
        product[:rows] = leaf_value * weights[q]
        for j in range(depth):
            bit, low = np.uint32(1 << j), (1 - t) * share[j]
            high = t + low
            for r in range(rows):
                product[r] *= high if index[r] & bit else low
    for j in range(depth):
        bit, own = np.uint32(1 << j), sums[column[j]]
        for q in range(orders):
            product, t = products[q], points[q]
            high, low = (1 - share[j]) / (t + (1 - t) * share[j]), -1 / (1 - t)
            for r in range(rows):
                own[r] += product[r] * (high if index[r] & bit else low)


@compiled(
    given(F64, 2, "A"), I64, I64, given(I64), given(I64), given(I64), given(I32),
    given(I64), given(I32), given(F64), given(BOOL), given(U64), given(I64), given(I32), given(I64), given(U64),
    given(I64), given(F64), given(I64), given(I64), given(U8), given(U8), given(I64), given(U64), given(U64),
    given(F64), given(I64), given(I32), given(I64), given(F64), given(F64, 2), given(F64, 2), F64[::1], F64[:, ::1],
)  # fmt: skip
def explain_rows(
    values, begin, end, used, coded, code_edges, code_of,
    steps, step_column, threshold, missing_left, keeps, set_steps, set_step_code, set_starts, set_keeps,
    leaves, leaf_value, leaf_of_piece, tree_pieces, shift, inner, tests, mask, value, share,
    piece_columns, column_of, starts, tables, points, weights, scores, contributions,
):  # fmt: skip
    """Raw scores and contributions [columns, rows] of the rows from ``begin`` to ``end``."""
    block = min(BLOCK, end - begin)
    columns, codes = np.empty((len(used), block)), np.empty((len(coded), block), np.uint32)
    words, index = np.empty(block, np.uint64), np.empty(block, np.uint32)
    # A column of sums for each used feature; the last holds the scores.
    sums = np.empty((len(used) + 1, block))
    products = np.empty((points.shape[1], block))
    score = sums[len(used)]
    for first in range(begin, end, BLOCK):
        rows = min(BLOCK, end - first)
        _take(values, first, rows, used, coded, code_edges, code_of, columns, codes)
        sums[:] = 0.0
        for tree in range(len(leaves) - 1):
            if leaves[tree + 1] - leaves[tree] == 1:
                constant = leaf_value[leaves[tree]]
                for r in range(rows):
                    score[r] += constant
                continue
            _decide(
                tree, rows, columns, codes, steps, step_column, threshold, missing_left, keeps,
                set_steps, set_step_code, set_starts, set_keeps, words,
            )  # fmt: skip
            for piece in range(tree_pieces[tree], tree_pieces[tree + 1]):
                down, own = np.uint64(shift[piece]), np.uint64((1 << inner[piece]) - 1)
                for r in range(rows):
                    index[r] = np.uint32((words[r] >> down) & own)
                for test in range(tests[piece], tests[piece + 1]):
                    bit = np.uint64(1 << (inner[piece] + test - tests[piece]))
                    _add_test(rows, words, mask[test], value[test], bit, index)
                at, width = piece_columns[piece], piece_columns[piece + 1] - piece_columns[piece]
                if starts[piece + 1] == starts[piece]:
                    _explain_deep(
                        rows, width, mask, value, share[tests[piece] :], points[(width + 1) // 2],
                        weights[(width + 1) // 2], leaf_value[leaf_of_piece[piece]], index, column_of[at:], len(used),
                        sums, products,
                    )  # fmt: skip
                    continue
                patterns = (starts[piece + 1] - starts[piece]) // (1 + width)
                table = tables[starts[piece] : starts[piece + 1]]
                for r in range(rows):
                    score[r] += table[index[r]]
                for c in range(width):
                    part, out = table[(1 + c) * patterns : (2 + c) * patterns], sums[column_of[at + c]]
                    for r in range(rows):
                        out[r] += part[index[r]]
        scores[first : first + rows] = score[:rows]
        for c in range(len(used)):
            contributions[used[c], first : first + rows] = sums[c, :rows]
