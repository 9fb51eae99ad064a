"""What a row's pattern of bits adds to each feature: exact path-dependent TreeSHAP, worked out once for each pattern.

A leaf of value v below d features gives feature i, for a row with o_j = 1 where it satisfies the path on feature j,

    v (o_i - z_i) * integral over t from 0 to 1 of product over j != i of (t o_j + (1 - t) z_j),

where z_j is the share of the fit's rows that go on at the path's nodes on j, multiplied (Lundberg et al. 2020). The
integrand is a polynomial of degree d - 1 in t, so that Gauss-Legendre quadrature at ceil(d / 2) points is exact.
"""

from __future__ import annotations

import numpy as np

from riskmodels.models.fast_trees.compiling import F64, I32, I64, U8, compiled, given

# The types of arguments stand in front of each function, for the compiler.
# mypy: allow-untyped-defs, allow-untyped-calls

# Unique features on a path; further ones would need more points than are kept.
DEEPEST = 24
# Bits that index a table.
WIDEST = 10


def quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Points and weights on [0, 1] of every order up to that of the deepest path: [order, place], order 0 unused."""
    most = DEEPEST // 2
    points, weights = np.zeros((most + 1, most)), np.zeros((most + 1, most))
    for order in range(1, most + 1):
        at, weight = np.polynomial.legendre.leggauss(order)
        points[order, :order], weights[order, :order] = (at + 1) / 2, weight / 2
    return points, weights


@compiled(I32[::1], F64[::1], I64, F64, F64[:, ::1], given(F64), given(F64))
def _leaf_table(unused, share, depth, leaf_value, table, points, weights):
    """table[pattern, i] for one leaf, with bit j of the pattern saying o_j."""
    for pattern in range(1 << depth):
        for i in range(depth):
            table[pattern, i] = 0.0
        for q in range((depth + 1) // 2):
            t = points[q]
            product = leaf_value * weights[q]
            for j in range(depth):
                product *= (t + (1 - t) * share[j]) if pattern >> j & 1 else (1 - t) * share[j]
            for i in range(depth):
                if pattern >> i & 1:
                    table[pattern, i] += product * (1 - share[i]) / (t + (1 - t) * share[i])
                else:
                    table[pattern, i] -= product / (1 - t)


@compiled(
    given(I64), given(I64), given(I32), given(I32), given(I32), given(F64), given(F64), given(F64),
    given(U8), given(I64), given(U8), given(U8), given(I64), given(I32), given(I64), given(I32), given(I64),
    given(F64, 2), given(F64, 2), F64[::1], F64[::1],
)  # fmt: skip
def fill(
    nodes, leaves, feature, left, right, count, leaf_count, leaf_value,
    bit_of, piece_of_leaf, shift, inner, tests, tested, columns, column_of, starts,
    points, weights, tables, test_share,
):  # fmt: skip
    """Fill ``tables`` for every piece, and ``test_share`` (z of each test) for the deep leaves.

    The piece's table stands at ``starts[piece]``, as [1 + columns, patterns]: first the value of the leaf that a row of
    this pattern reaches (0 for none in this piece), then what it adds to each of the piece's features. A pattern's low
    bits are the piece's own nodes, its high bits the tests. Returns the most features on a path.
    """
    share, kept, mask, value, place = (
        np.empty(64),
        np.empty(64, np.int32),
        np.empty(64, np.int64),
        np.empty(64, np.int64),
        np.empty(64, np.int64),
    )
    leaf_table = np.empty((1 << WIDEST, WIDEST))
    parent, side = np.empty(64, np.int64), np.empty(64, np.int64)
    deepest = 0
    for tree in range(len(nodes) - 1):
        at, n, at_leaf = nodes[tree], nodes[tree + 1] - nodes[tree], leaves[tree]
        if n == 0:
            continue
        for u in range(n):
            for which in range(2):
                child = left[at + u] if which else right[at + u]
                if child >= 0:
                    parent[child], side[child] = u, which
        for u in range(n):
            for which in range(2):
                child = left[at + u] if which else right[at + u]
                if child >= 0:
                    continue
                leaf = at_leaf + ~child
                piece = piece_of_leaf[leaf]
                a, b, depth, below = u, which, 0, leaf_count[leaf]
                while True:
                    j = 0
                    while j < depth and kept[j] != feature[at + a]:
                        j += 1
                    if j == depth:
                        kept[j], share[j], mask[j], value[j] = feature[at + a], 1.0, 0, 0
                        depth += 1
                        if depth > DEEPEST:
                            return depth
                    share[j] *= below / count[at + a]
                    below = count[at + a]
                    own = np.int64(bit_of[at + a]) - np.int64(shift[piece])
                    if 0 <= own < inner[piece]:
                        mask[j] |= 1 << own
                        value[j] |= b << own
                    if a == 0:
                        break
                    b, a = side[a], parent[a]
                deepest = max(deepest, depth)
                n_tests = tests[piece + 1] - tests[piece]
                for test in range(n_tests):
                    j = 0
                    while kept[j] != tested[tests[piece] + test]:
                        j += 1
                    mask[j] |= 1 << (inner[piece] + test)
                    value[j] |= 1 << (inner[piece] + test)
                    test_share[tests[piece] + test] = share[j]
                if starts[piece + 1] == starts[piece]:
                    continue
                for j in range(depth):
                    place[j] = 0
                    while column_of[columns[piece] + place[j]] != kept[j]:
                        place[j] += 1
                _leaf_table(
                    kept,
                    share,
                    depth,
                    leaf_value[leaf],
                    leaf_table,
                    points[(depth + 1) // 2],
                    weights[(depth + 1) // 2],
                )
                patterns = 1 << (n_tests + inner[piece])
                table = tables[starts[piece] : starts[piece + 1]]
                for pattern in range(patterns):
                    o = np.int64(0)
                    for j in range(depth):
                        o |= np.int64((pattern & mask[j]) == value[j]) << j
                    if o == (1 << depth) - 1:
                        table[pattern] = leaf_value[leaf]
                    for j in range(depth):
                        table[(1 + place[j]) * patterns + pattern] += leaf_table[o, j]
    return deepest
