"""What a right turn takes away from a row's word of decisions: at a node on a number, or by the set of a category."""

from __future__ import annotations

import numpy as np

from riskmodels.models.fast_trees.compiling import F64, I32, I64, U32, U64, compiled, given

# The types of arguments stand in front of each function, for the compiler.
# mypy: allow-untyped-defs, allow-untyped-calls


@compiled(given(I64), given(I64), given(I32), given(I32), given(F64), U64[::1], F64[::1])
def rule_out(nodes, leaves, left, right, leaf_value, keeps, ordered):
    """Which leaves stand after a right turn, a bit each from left to right, and each tree's values in that order.

    After every right turn of a row has ruled out the leaves on the left, its leaf is the first that stands.
    """
    below, first, order = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    waiting = np.empty(64, np.int64)
    for tree in range(len(nodes) - 1):
        at, n, at_leaf = nodes[tree], nodes[tree + 1] - nodes[tree], leaves[tree]
        if n == 0:
            ordered[at_leaf] = leaf_value[at_leaf]
            continue
        waiting[0], held, found = 0, 1, 0
        while held:
            held -= 1
            u = waiting[held]
            order[found] = u
            found += 1
            for child in (left[at + u], right[at + u]):
                if child >= 0:
                    waiting[held] = child
                    held += 1
        for place in range(n - 1, -1, -1):
            u, below[order[place]] = order[place], 0
            for child in (left[at + u], right[at + u]):
                below[u] += below[child] if child >= 0 else 1
        first[0] = 0
        for place in range(n):
            u = order[place]
            on_l, on_r = left[at + u], right[at + u]
            on_left = below[on_l] if on_l >= 0 else 1
            keeps[at + u] = ~(((np.uint64(1) << np.uint64(on_left)) - np.uint64(1)) << np.uint64(first[u]))
            for child, begin in ((on_l, first[u]), (on_r, first[u] + on_left)):
                if child >= 0:
                    first[child] = begin
                else:
                    ordered[at_leaf + begin] = leaf_value[at_leaf + ~child]


@compiled(given(I64), given(U32), given(I32), given(I64), given(I64), I32[::1], I64[::1])
def catalogue(set_edges, set_words, set_of, code, code_edges, code_of, known):
    """Number the categories of each feature that stand in any of its sets, from 1; ``known`` counts them."""
    for node in range(len(set_of)):
        base, begin = code_edges[code[node]], set_edges[set_of[node]]
        for category in range(32 * (set_edges[set_of[node] + 1] - begin)):
            if set_words[begin + (category >> 5)] >> np.uint32(category & 31) & np.uint32(1):
                code_of[base + category] = 1
    for feature in range(len(code_edges) - 1):
        for place in range(code_edges[feature], code_edges[feature + 1]):
            if code_of[place]:
                known[feature] += 1
                code_of[place] = known[feature]


@compiled(
    given(I64), given(U32), given(I32), given(I64), given(I64), given(I32), given(I64), given(U64), given(I64), U64[::1]
)
def rule_out_sets(set_edges, set_words, set_of, code, code_edges, code_of, starts, keeps, sizes, masks):
    """Each category's mask in the tables of (tree, feature): at every node whose set it is not in, it turns right."""
    for node in range(len(set_of)):
        base, begin, keep = code_edges[code[node]], set_edges[set_of[node]], keeps[node]
        own = masks[starts[node] : starts[node] + sizes[node]]
        words = set_edges[set_of[node] + 1] - begin
        own[0] &= keep
        for category in range(code_edges[code[node] + 1] - base):
            place = code_of[base + category]
            inside = (category >> 5) < words and set_words[begin + (category >> 5)] >> np.uint32(
                category & 31
            ) & np.uint32(1)
            if place and not inside:
                own[place] &= keep
