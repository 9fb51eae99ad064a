"""Slow and obvious: one row, one tree and one leaf at a time, in plain Python, straight from the definitions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

ZERO = float(np.float32(1e-35))


def trees_of(text: str) -> list[dict[str, Any]]:
    """A booster's trees: lists of numbers by the names that LightGBM's text gives them."""
    found = []
    for block in text[: text.index("end of trees")].split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
        found.append({name: [float(part) for part in value.split()] for name, value in fields.items()})
    return found


def goes_left(tree: dict[str, Any], node: int, x: float) -> bool:
    """Whether a value goes left, as LightGBM's manual and its model text have it."""
    kind = int(tree["decision_type"][node])
    if kind & 1:
        if math.isnan(x) or not -1 < x < 2**31:
            return False
        number = int(tree["threshold"][node])
        begin, end = (int(tree["cat_boundaries"][number + more]) for more in (0, 1))
        word = begin + int(x) // 32
        return word < end and bool(int(tree["cat_threshold"][word]) >> (int(x) % 32) & 1)
    if abs(x) <= ZERO:
        x = 0.0
    if math.isnan(x):
        if kind >> 2 == 2:
            return bool(kind & 2)
        x = 0.0
    return x <= tree["threshold"][node]


def leaf_of(tree: dict[str, Any], row: np.ndarray) -> int:
    at = 0
    while len(tree["leaf_value"]) > 1:
        side = "left_child" if goes_left(tree, at, row[int(tree["split_feature"][at])]) else "right_child"
        at = int(tree[side][at])
        if at < 0:
            return ~at
    return 0


def score(trees: list[dict[str, Any]], row: np.ndarray) -> float:
    total = 0.0
    for tree in trees:
        total += tree["leaf_value"][leaf_of(tree, row)]
    return total


def paths(tree: dict[str, Any], row: np.ndarray) -> Iterator[tuple[float, dict[int, tuple[bool, float]]]]:
    """For each leaf its value, and for each feature above it whether the row satisfies all that the path asks of it,
    and the share of the fit's rows that do at those nodes."""
    if len(tree["leaf_value"]) == 1:
        return
    waiting: list[tuple[int, dict[int, tuple[bool, float]]]] = [(0, {})]
    while waiting:
        at, above = waiting.pop()
        if at < 0:
            yield tree["leaf_value"][~at], above
            continue
        feature = int(tree["split_feature"][at])
        left = goes_left(tree, at, row[feature])
        for side, here in (("left_child", left), ("right_child", not left)):
            child = int(tree[side][at])
            count = tree["leaf_count"][~child] if child < 0 else tree["internal_count"][child]
            met, share = above.get(feature, (True, 1.0))
            further = {feature: (met and here, share * count / tree["internal_count"][at])}
            waiting.append((child, {**above, **further}))


def contributions(trees: list[dict[str, Any]], row: np.ndarray) -> np.ndarray:
    """Shapley's own sum over every subset of the features above each leaf: path-dependent TreeSHAP, with no trick."""
    given = np.zeros(len(row))
    for tree in trees:
        for value, above in paths(tree, row):
            features = list(above)
            for feature in features:
                others = [other for other in features if other != feature]
                met, share = above[feature]
                for size in range(len(features)):
                    weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(features))
                    for known in combinations(others, size):
                        rest = math.prod(
                            float(above[other][0]) if other in known else above[other][1] for other in others
                        )
                        given[feature] += value * weight * rest * (met - share)
    return given
