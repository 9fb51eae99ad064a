"""Boosters for the tests: fitted ones, and trees drawn as text."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

HEADER = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx={last}
objective=binary sigmoid:1
feature_names={names}
feature_infos={infos}
tree_sizes={sizes}

"""


def table(rows: int, columns: int, categories: int, seed: int, gone: float = 0.1) -> np.ndarray:
    """[rows, columns] by columns: first categories, then whole numbers and decimals in turn, some of each missing."""
    random = np.random.default_rng([seed, 1])
    values = np.empty((rows, columns), order="F")
    for place in range(columns):
        if place < categories:
            values[:, place] = random.integers(0, 3 + 9 * place, rows)
        elif place % 2:
            values[:, place] = random.poisson(2, rows)
        else:
            values[:, place] = random.normal(size=rows)
    values[random.random(values.shape) < gone] = np.nan
    return values


def strange(values: np.ndarray, seed: int) -> np.ndarray:
    """A copy in which a third of the numbers are ones that no model expects."""
    random = np.random.default_rng([seed, 2])
    odd = [-1.0, -0.5, -0.0, 0.5, 2.7, 1e-36, -1e-36, 1e-34, 31.0, 32.0, 99.0, 2.0**31, 2.0**32 + 3, 1e300, -1e300]
    odd += [np.inf, -np.inf, np.nan]
    drawn = random.choice(odd, size=values.shape)
    return np.where(random.random(values.shape) < 1 / 3, drawn, values)


def fitted(values: np.ndarray, categories: int, trees: int, seed: int = 3, **parameters: Any) -> lightgbm.Booster:
    """A booster on these rows, whose outcome hangs on all columns and on some pairs."""
    random = np.random.default_rng([seed, 3])
    known = np.nan_to_num(values, nan=1.0)
    push = (known @ random.normal(size=values.shape[1])) + 2 * np.sin(known[:, 0] * known[:, -1])
    outcome = push + random.logistic(size=len(values)) * 2 > np.median(push)
    settings = {
        "objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True, "force_col_wise": True,
        "seed": seed, "min_data_in_leaf": 3, "min_data_per_group": 3, "cat_smooth": 1, "max_depth": -1, **parameters,
    }  # fmt: skip
    data = lightgbm.Dataset(
        values, label=outcome.astype(float), categorical_feature=list(range(categories)), params=settings
    )
    return lightgbm.train(settings, data, num_boost_round=trees)


def as_text(trees: list[str], columns: int) -> str:
    blocks = [f"Tree={number}\n{tree}\n\n" for number, tree in enumerate(trees)]
    header = HEADER.format(
        last=columns - 1,
        names=" ".join(f"c{place}" for place in range(columns)),
        infos=" ".join("none" for _ in range(columns)),
        sizes=" ".join(str(len(block)) for block in blocks),
    )
    return header + "".join(blocks) + "end of trees\n\npandas_categorical:null\n"


def drawn_tree(random: np.random.Generator, leaves: int, columns: int, categories: int, shape: str) -> str:
    """One tree as text. ``shape``: a chain, whose every right turn ends; or any way of splitting leaves further.

    Thresholds come from a few values, zero and its neighbours among them, so that values often lie on them.
    """
    if leaves == 1:
        return f"num_leaves=1\nnum_cat=0\nleaf_value={random.normal()!r}\nis_linear=0\nshrinkage=1\n".replace(
            "np.float64(", ""
        ).replace(")", "")
    left, right, hung = [-1], [-2], [(0, 0), (0, 1)]  # where each leaf hangs
    for leaf in range(2, leaves):
        split = leaf - 2 if shape == "left chain" else leaf - 1 if shape == "right chain" else random.integers(leaf)
        split = 0 if shape == "left chain" else split
        parent, side = hung[split]
        node = len(left)
        (right if side else left)[parent] = node
        left.append(~split)
        right.append(~leaf)
        hung[split] = (node, 0)
        hung.append((node, 1))
    counts = random.integers(1, 50, leaves)
    inner = np.zeros(leaves - 1, dtype=int)
    for node in range(leaves - 2, -1, -1):  # a child's number is above its parent's
        inner[node] = sum(counts[~child] if child < 0 else inner[child] for child in (left[node], right[node]))
    features = random.integers(0, columns, leaves - 1)
    kinds, cuts, edges, words = [], [], [0], []
    for feature in features:
        if feature < categories:
            kinds.append(1 | int(random.choice([0, 8])))
            cuts.append(str(len(edges) - 1))
            words += [str(word) for word in random.integers(0, 2**32, random.integers(1, 3))]
            edges.append(len(words))
        else:
            kinds.append(int(random.choice([0, 2, 8, 10])))
            cuts.append(repr(float(random.choice([-1.5, -1e-35, -1e-36, 0.0, 1e-36, 1e-35, 0.5, 1.0, 2.0, 1e300]))))
    lines = {
        "num_leaves": [leaves], "num_cat": [len(edges) - 1], "split_feature": features, "split_gain": inner * 0 + 1,
        "threshold": cuts, "decision_type": kinds, "left_child": left, "right_child": right,
        "leaf_value": [repr(float(value)) for value in random.normal(size=leaves)], "leaf_weight": counts,
        "leaf_count": counts, "internal_value": inner * 0, "internal_weight": inner, "internal_count": inner,
        **({"cat_boundaries": edges, "cat_threshold": words} if words else {}), "is_linear": [0], "shrinkage": [1],
    }  # fmt: skip
    return "".join(f"{name}={' '.join(map(str, parts))}\n" for name, parts in lines.items())


def drawn(seed: int, sizes: list[int], columns: int, categories: int, shape: str = "any") -> str:
    """A booster's text with trees of so many leaves each."""
    random = np.random.default_rng([seed, 4])
    return as_text([drawn_tree(random, leaves, columns, categories, shape) for leaves in sizes], columns)
