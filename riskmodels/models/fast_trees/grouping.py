"""Which leaves share a table: each tree is cut into pieces by dynamic programming.

A piece is a top node, some of the inner nodes below it that hang together, and every leaf that hangs on them. Where a
row goes in the piece depends on one bit a node. What lies above the piece matters only through one bit for each feature
met there: does the row satisfy all that the path asks of it? Those two kinds of bits index the piece's table. A leaf
may also stand alone, below its path; where that needs more bits than a table may have, it is *deep*, and is worked out
row by row.

The best cut is found bottom-up: best[u, k] is the least cost of a piece's part below u with u and k - 1 more nodes,
alone[u] that of all leaves below u if pieces begin there. A feature that two branches of a piece both bring in is
counted twice, which errs only in the choice.
"""

from __future__ import annotations

import numpy as np

from riskmodels.models.fast_trees.compiling import F64, I32, I64, U8, U64, compiled, given

# The types of arguments stand in front of each function, for the compiler.
# mypy: allow-untyped-defs, allow-untyped-calls

# What a lookup for one row costs: a piece at all, each feature above it as a test, each feature as a table's column.
PER_PIECE, PER_TEST, PER_COLUMN = 2.0, 0.3, 1.0
# Each feature of a deep leaf, for each point of the quadrature.
PER_POINT = 0.35
MOST_BITS = 16
NOT_A_TREE = -1
# Rows of the notes kept on a tree's inner nodes while it is cut.
PARENT, SIDE, ABOVE, FRESH, ORDER, SIZE, WAITING, TOPS = range(8)
LEFT, RIGHT = 1, 0


@compiled(given(I32), given(I32), given(I32), I64[:, ::1])
def _walk(feature, left, right, notes):
    """Preorder, with how many features lie above each node and whether its own is new. False if this is no tree."""
    n = len(feature)
    notes[WAITING, 0], notes[PARENT, 0], notes[ABOVE, 0] = 0, -1, 0
    found, held = 0, 1
    while held:
        held -= 1
        u = notes[WAITING, held]
        notes[ORDER, found] = u
        found += 1
        fresh, a = 1, notes[PARENT, u]
        while a >= 0:
            if feature[a] == feature[u]:
                fresh = 0
                break
            a = notes[PARENT, a]
        notes[FRESH, u] = fresh
        for side in (RIGHT, LEFT):
            child = left[u] if side == LEFT else right[u]
            if child >= 0:
                if found + held >= n:
                    return False
                notes[PARENT, child], notes[SIDE, child], notes[ABOVE, child] = u, side, notes[ABOVE, u] + fresh
                notes[WAITING, held] = child
                held += 1
    return found == n


@compiled(given(I32), given(I32), I64, I64[:, ::1], F64[:, ::1], I64[:, ::1])
def _choose(left, right, bits, notes, best, taken):
    """The best cut of one tree: SIZE says how many nodes the piece has that begins at a node, 0 where none does."""
    alone = np.zeros(len(left))
    for place in range(len(left) - 1, -1, -1):
        u = notes[ORDER, place]
        on_l, on_r = left[u], right[u]
        above, reach = notes[ABOVE, u], notes[ABOVE, u] + notes[FRESH, u]
        lone_leaf = PER_PIECE + (PER_TEST + PER_COLUMN) * reach
        if reach > bits:
            lone_leaf = PER_PIECE + reach * (PER_TEST + PER_POINT * ((reach + 1) // 2))
        best[u, :] = np.inf
        for i in range(bits):
            if i and on_l < 0:
                break
            on_left = best[on_l, i] if i else (alone[on_l] if on_l >= 0 else 0.0)
            for j in range(bits - i):
                if j and on_r < 0:
                    break
                cost = PER_COLUMN * notes[FRESH, u] + on_left
                cost += best[on_r, j] if j else (alone[on_r] if on_r >= 0 else 0.0)
                if cost < best[u, 1 + i + j]:
                    best[u, 1 + i + j], taken[u, 1 + i + j] = cost, i
        alone[u] = (alone[on_l] if on_l >= 0 else lone_leaf) + (alone[on_r] if on_r >= 0 else lone_leaf)
        notes[SIZE, u] = 0
        for k in range(1, bits - above + 1):
            cost = PER_PIECE + (PER_TEST + PER_COLUMN) * above + best[u, k]
            if cost < alone[u]:
                alone[u], notes[SIZE, u] = cost, k


@compiled(
    given(I32), given(I32), I64, I64[:, ::1], given(I64, 2),
    U8[::1], I64[::1], I64[::1], I64[::1], U8[::1], U8[::1],
)  # fmt: skip
def _give_out(left, right, pieces, notes, taken, bit_of, piece_of_leaf, hangs_on, hangs_side, shift, inner):
    """Number the pieces from ``pieces`` on, and nodes so that a piece's follow each other. Returns the next piece."""
    tops, bit = 1, 0
    notes[TOPS, 0] = 0
    counts = np.empty(64, np.int64)
    while tops:
        tops -= 1
        top = notes[TOPS, tops]
        k = notes[SIZE, top]
        own = pieces
        if k:
            hangs_on[own], hangs_side[own], shift[own], inner[own] = notes[PARENT, top], notes[SIDE, top], bit, k
            pieces += 1
        notes[WAITING, 0], counts[0], held = top, k, 1
        while held:
            held -= 1
            u, k = notes[WAITING, held], counts[held]
            bit_of[u] = bit
            bit += 1
            for side in (RIGHT, LEFT):
                child = left[u] if side == LEFT else right[u]
                part = 0
                if k:
                    part = taken[u, k] if side == LEFT else k - 1 - taken[u, k]
                if child >= 0 and part:
                    notes[WAITING, held], counts[held] = child, part
                    held += 1
                elif child >= 0:
                    notes[TOPS, tops] = child
                    tops += 1
                elif k:
                    piece_of_leaf[~child] = own
                else:
                    piece_of_leaf[~child] = pieces
                    hangs_on[pieces], hangs_side[pieces], shift[pieces], inner[pieces] = u, side, 0, 0
                    pieces += 1
    return pieces


@compiled(
    given(I64), given(I64), given(I32), given(I32), given(I32), I64,
    U8[::1], I64[::1], I64[::1], U8[::1], U8[::1], I64[::1], U64[::1], U64[::1], I32[::1], I64[::1], I32[::1],
)  # fmt: skip
def cut(
    nodes, leaves, feature, left, right, bits,
    bit_of, piece_of_leaf, tree_pieces, shift, inner, tests, mask, value, tested, columns, column_of,
):  # fmt: skip
    """Cut every tree; fills what comes after ``bits``, and returns how many pieces there are (NOT_A_TREE: no tree).

    N inner nodes, L leaves in all; there are at most L pieces, and at most 64 tests and columns to each.

    Parameters
    ----------
    bit_of : [N], each node's place in its tree's word of decisions, where 1 is left
    piece_of_leaf : [L]; -1 where the tree is one leaf
    tree_pieces : [trees + 1], where each tree's pieces begin
    shift, inner : [L], where a piece's own bits begin in the word, and how many there are
    tests : [L + 1], where each piece's tests begin in ``mask``, ``value`` and ``tested``
    mask, value, tested : (word & mask) == value where a row satisfies all above the piece on the feature ``tested``
    columns : [L + 1], where each piece's features begin in ``column_of``, those tested first
    """
    notes, best, taken = (
        np.zeros((8, 64), np.int64),
        np.empty((64, MOST_BITS + 1)),
        np.zeros((64, MOST_BITS + 1), np.int64),
    )
    hangs_on, hangs_side = np.empty(len(shift), np.int64), np.empty(len(shift), np.int64)
    pieces = n_tests = n_columns = 0
    tests[0] = columns[0] = 0
    for tree in range(len(nodes) - 1):
        tree_pieces[tree] = first = pieces
        at, end, at_leaf, end_leaf = nodes[tree], nodes[tree + 1], leaves[tree], leaves[tree + 1]
        if at == end:
            piece_of_leaf[at_leaf] = -1
            continue
        own, on_left, on_right = feature[at:end], left[at:end], right[at:end]
        if not _walk(own, on_left, on_right, notes):
            return NOT_A_TREE
        _choose(on_left, on_right, bits, notes, best, taken)
        numbers = bit_of[at:end]
        pieces = _give_out(
            on_left,
            on_right,
            first,
            notes,
            taken,
            numbers,
            piece_of_leaf[at_leaf:end_leaf],
            hangs_on,
            hangs_side,
            shift,
            inner,
        )
        for piece in range(first, pieces):
            u, side = hangs_on[piece], hangs_side[piece]
            start = n_tests
            while u >= 0:
                place = start
                while place < n_tests and tested[place] != own[u]:
                    place += 1
                if place == n_tests:
                    tested[place], mask[place], value[place] = own[u], 0, 0
                    n_tests += 1
                bit = np.uint64(1) << np.uint64(numbers[u])
                mask[place] |= bit
                if side == LEFT:
                    value[place] |= bit
                side, u = notes[SIDE, u], notes[PARENT, u]
            begin = n_columns
            for place in range(start, n_tests):
                column_of[n_columns] = tested[place]
                n_columns += 1
            for u in range(end - at):
                if shift[piece] <= numbers[u] < shift[piece] + inner[piece]:
                    place = begin
                    while place < n_columns and column_of[place] != own[u]:
                        place += 1
                    if place == n_columns:
                        column_of[place] = own[u]
                        n_columns += 1
            tests[piece + 1], columns[piece + 1] = n_tests, n_columns
    tree_pieces[len(nodes) - 1] = pieces
    return pieces
