"""Gradient-boosted trees: LightGBM's only home."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodels.errors import ModelFileError, StudyError
from riskmodels.models.fast_trees import FastTrees, NotCovered, check_against_lightgbm
from riskmodels.models.fast_trees.text import (
    CATEGORICAL,
    END,
    MOST_DECISION,
    decimals,
    fields_of,
    parts_of,
    whole,
    wholes,
)
from riskmodels.models.linear import checked_outcome
from riskmodels.models.logit import significant
from riskmodels.models.matrix import UNSEEN, Matrix
from riskmodels.study import LightGBMSettings

if TYPE_CHECKING:
    import lightgbm

BOOSTER_FILE = "booster.txt"
# Below so many numbers, threads wait for each other longer than they work, above all on a busy machine.
WORTH_SHARING = 4_000_000
# Deeper trees cost three times as much to explain and gave nothing.
DEPTH = 6
ROWS_FOR_IMPORTANCE = 1_000
# The fields of a tree that hold a number for each leaf, or for each inner node.
MEASURED = ("split_gain", "threshold", "leaf_weight", "internal_value", "internal_weight")
COUNTED = ("split_feature", "decision_type", "left_child", "right_child", "leaf_count", "internal_count")
MAY_BE_ENDLESS = ("split_gain", "threshold")
MOST_LEAVES = 255
DIRECTIONS = {"rises": 1, "falls": -1}


@dataclass(frozen=True)
class Boosted:
    """A booster as text. ``base`` is the mean score that contributions start from.

    Contributions are exact path-dependent TreeSHAP values (Lundberg et al. 2020), as LightGBM computes them. A model
    that was read from its file answers by the fast kernel, wherever that covers its trees; one that was just fitted
    answers by LightGBM, which is there anyway. Both give the same scores to the bit.
    """

    text: str
    base: float
    importance: dict[str, float]
    threads: int = field(default=0, compare=False)  # 0: as many as there are cores
    loaded: bool = field(default=False, compare=False)

    @cached_property
    def booster(self) -> lightgbm.Booster:
        import lightgbm

        try:
            return lightgbm.Booster(model_str=self.text)
        except (lightgbm.basic.LightGBMError, ValueError):
            raise ModelFileError(f"{BOOSTER_FILE}: LightGBM does not read it; restore the model from its run") from None

    @property
    def fast(self) -> FastTrees | None:
        """The trees as the fast kernel holds them; None where it does not cover them."""
        return self._fast if isinstance(self._fast, FastTrees) else None

    @property
    def not_fast_because(self) -> str | None:
        """Why LightGBM answers in place of the kernel, in words; None where the kernel covers the trees."""
        return self._fast if isinstance(self._fast, str) else None

    @cached_property
    def _fast(self) -> FastTrees | str:
        try:
            return FastTrees.of(self.text, _columns_of(self.text))
        except NotCovered as why:
            return str(why)

    def verify_fast(self, sample: Matrix) -> str | None:
        """Hold the kernel to LightGBM on these rows: None where they agree, or in words what differs.

        None too where the kernel does not cover the trees, as LightGBM then answers itself. Imports LightGBM.
        """
        return None if self.fast is None else check_against_lightgbm(self.fast, self.booster, inputs_of(sample))

    def score(self, matrix: Matrix) -> np.ndarray:
        """Raw scores in log-odds, float64 [n]."""
        if self.loaded and self.fast:
            return self.fast.score(inputs_of(matrix), self._cores)
        scores: np.ndarray = self._predict(matrix, raw_score=True)
        return scores

    def contributions(self, matrix: Matrix) -> np.ndarray:
        """float64 [n, p]; ``base`` plus a row's sum is its score, to 1e-6."""
        if self.loaded and self.fast:
            return self.fast.contributions(inputs_of(matrix), self._cores)
        parts: np.ndarray = self._predict(matrix, pred_contrib=True)[:, :-1]
        return parts

    def score_and_contributions(self, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
        """`score` and `contributions`, in one pass over the rows where the kernel answers."""
        if self.loaded and self.fast:
            return self.fast.score_and_contributions(inputs_of(matrix), self._cores)
        return self.score(matrix), self.contributions(matrix)

    @property
    def _cores(self) -> int:
        from riskmodels.data.engines import cores

        return self.threads or cores()

    def _predict(self, matrix: Matrix, **what: bool) -> np.ndarray:
        if not len(matrix):
            return np.zeros((0, len(matrix.columns) + 1) if "pred_contrib" in what else 0)
        predicted = self.booster.predict(inputs_of(matrix), num_threads=self.threads, **what)
        return np.asarray(predicted, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        return {"base": self.base, "importance": self.importance}

    def to_files(self) -> dict[str, bytes]:
        return {BOOSTER_FILE: self.text.encode()}


def fit_boosted_trees(
    matrix: Matrix,
    outcome: np.ndarray,
    settings: LightGBMSettings,
    seed: int,
    threads: int,
    weights: np.ndarray | None = None,
) -> Boosted:
    """Binary log-loss, depth at most 6, categories split as sets. One thread or many give the same bytes.

    With a feature of ``settings.monotone`` the score never falls (or never rises) as the recorded value goes up, all
    else the same; a missing value is held to nothing.

    Parameters
    ----------
    weights : [n], how much each row counts; all alike unless given

    Raises
    ------
    StudyError
        if a feature of ``settings.monotone`` is a category, or is not there.
    """
    import lightgbm

    known = checked_outcome(matrix, outcome)
    if matrix.values.size < WORTH_SHARING:
        threads = 1
    parameters = parameters_of(matrix, settings, seed, threads)
    categories = [place for place, column in enumerate(matrix.columns) if column.kind == "category"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = lightgbm.Dataset(
            inputs_of(matrix),
            label=known,
            weight=weights,
            categorical_feature=categories,
            params=parameters,
            free_raw_data=True,
        )
        booster = lightgbm.train(parameters, data, num_boost_round=settings.trees)
    text = portable(booster.model_to_string())
    # From here on it is the text that predicts, so what was fitted and what is saved cannot differ.
    fitted = Boosted(text, 0.0, {}, threads)
    some = matrix.at(np.unique(np.linspace(0, len(matrix) - 1, ROWS_FOR_IMPORTANCE).astype(np.int64)))
    parts = fitted._predict(some, pred_contrib=True)
    sizes = np.abs(parts[:, :-1]).mean(axis=0)
    importance = {name: significant(float(size), 4) for name, size in zip(matrix.names, sizes, strict=True) if size > 0}
    return Boosted(text, float(parts[0, -1]), importance, threads)


def parameters_of(matrix: Matrix, settings: LightGBMSettings, seed: int, threads: int) -> dict[str, Any]:
    """What LightGBM is told. Raises StudyError as `fit_boosted_trees` does."""
    parameters = {
        "objective": "binary",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": DEPTH,
        "min_data_in_leaf": settings.min_rows_in_leaf,
        # By columns, each histogram is added up by one thread in the order of the rows.
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    directions = _directions(matrix, settings.monotone)
    return {**parameters, "monotone_constraints": directions} if any(directions) else parameters


def _directions(matrix: Matrix, monotone: Mapping[str, str]) -> list[int]:
    """1 where the score may only rise with a column, -1 where it may only fall, 0 where it is free."""
    where = "models.candidates.lightgbm.monotone"
    for name in monotone:
        if name not in matrix.names:
            raise StudyError(f"{where}: no feature is called {name!r} (known: {', '.join(matrix.names)})")
        if matrix.columns[matrix.position(name)].kind == "category":
            raise StudyError(f"{where}: {name!r} is a category, whose values have no order; take it out")
    return [DIRECTIONS[monotone[name]] if name in monotone else 0 for name in matrix.names]


def inputs_of(matrix: Matrix) -> np.ndarray:
    """LightGBM knows one kind of absent category, so a value that was not learned counts as missing there.

    Not a copy where every category was learned: only to be read.
    """
    categories = [place for place, column in enumerate(matrix.columns) if column.kind == "category"]
    if not (matrix.values[:, categories] == UNSEEN).any():
        return matrix.values
    values = matrix.values.copy(order="K")
    for place in categories:
        values[values[:, place] == UNSEEN, place] = np.nan
    return values


def portable(text: str) -> str:
    """A booster's text without what depends on the machine, and without the extremes of the data.

    The parameters name the number of threads; ``feature_infos`` holds each feature's lowest and highest value, which
    are one person's. Neither is used in predicting.
    """
    trees = text[: text.index(END)] + END
    trees = re.sub(
        r"^feature_infos=(.*)$",
        lambda found: "feature_infos=" + " ".join("none" for _ in found[1].split(" ")),
        trees,
        flags=re.MULTILINE,
    )
    return trees + "\npandas_categorical:null\n"


# ---------------------------------------------------------------- reading


def load_boosted_trees(raw: Mapping[str, Any], columns: int, booster: bytes) -> Boosted:
    """The trees from their file.

    Raises
    ------
    ModelFileError
        if the text is not one of ours, or a tree points outside itself: LightGBM trusts what it reads.
    """
    text = booster.decode("utf-8")
    refuse_malformed(text, columns)
    importance = {str(name): float(size) for name, size in raw["importance"].items()}
    return Boosted(text, float(raw["base"]), importance, loaded=True)


def _columns_of(text: str) -> int:
    found = re.search(r"^max_feature_idx=(\d+)$", text, flags=re.MULTILINE)
    return int(found[1]) + 1 if found else 0


def refuse_malformed(text: str, columns: int) -> None:
    """Check that the text is in the letters that LightGBM writes, every index in every tree stays inside, and no path
    returns to where it was. What passes, neither LightGBM nor the kernel stumbles over.

    Raises
    ------
    ModelFileError
        if not.
    """
    try:
        header, trees = parts_of(text)
        sound = (
            portable(text) == text
            and _is_sound_header(header, trees, columns)
            and all(_is_sound(tree, columns) for tree in trees)
        )
    except (KeyError, ValueError, IndexError):
        sound = False
    if not sound:
        raise ModelFileError(
            f"{BOOSTER_FILE}: is not a set of trees that this version writes; restore the model from its run"
        )


def _is_sound_header(header: str, trees: list[str], columns: int) -> bool:
    fields = fields_of(header)
    directions = wholes(fields.get("monotone_constraints", ""))
    return (
        header.startswith("tree\n")
        and header.rstrip("\n") + "\n\n" == header
        and all(value.isprintable() for value in fields.values())
        and fields["objective"] == "binary sigmoid:1"
        and whole(fields["max_feature_idx"]) == columns - 1
        and whole(fields["num_class"]) == whole(fields["num_tree_per_iteration"]) == 1
        and whole(fields["label_index"]) >= 0
        and len(fields["feature_names"].split(" ")) == len(fields["feature_infos"].split(" ")) == columns
        and len(directions) in (0, columns)
        and all(-1 <= direction <= 1 for direction in directions)
        # LightGBM steps from tree to tree by these lengths, wherever they lead.
        and wholes(fields["tree_sizes"]) == [len(tree.encode()) for tree in trees]
    )


def _is_sound(tree: str, columns: int) -> bool:
    fields = fields_of(tree)
    leaves = whole(fields["num_leaves"])
    if not 1 <= leaves <= MOST_LEAVES or len(decimals(fields["leaf_value"])) != leaves or whole(fields["is_linear"]):
        return False
    if len(decimals(fields["shrinkage"])) != 1 or tree.rstrip("\n") + "\n\n\n" != tree:
        return False
    if leaves == 1:
        return not whole(fields["num_cat"])
    inner = leaves - 1
    measured = {name: decimals(fields[name], name in MAY_BE_ENDLESS) for name in MEASURED}
    counted = {name: wholes(fields[name]) for name in COUNTED}
    if any(len(numbers) != inner + name.startswith("leaf") for name, numbers in (measured | counted).items()):
        return False
    if not all(1 <= rows < 2**31 for rows in (*counted["leaf_count"], *counted["internal_count"])):
        return False
    # Every leaf (as ~leaf) and every node but the root hangs on exactly one node, so no path from the root comes back.
    hung = sorted(counted["left_child"] + counted["right_child"]) == [*range(-leaves, 0), *range(1, inner)]
    inside = all(0 <= feature < columns for feature in counted["split_feature"])
    known = all(0 <= kind <= MOST_DECISION for kind in counted["decision_type"])
    cuts = zip(fields["threshold"].split(" "), counted["decision_type"], strict=True)
    used = [whole(cut) for cut, kind in cuts if kind & CATEGORICAL]
    return hung and inside and known and _sets_are_sound(fields, used)


def _sets_are_sound(fields: dict[str, str], used: list[int]) -> bool:
    """Categorical splits name a set by number, and the sets lie one after the other in one list of bits."""
    sets = whole(fields["num_cat"])
    if not sets:
        return not used
    edges, bits = wholes(fields["cat_boundaries"]), wholes(fields["cat_threshold"])
    return (
        len(edges) == sets + 1
        and edges[0] == 0
        and all(begin < end for begin, end in pairwise(edges))
        and edges[-1] == len(bits)
        and all(0 <= word < 2**32 for word in bits)
        and all(0 <= number < sets for number in used)
    )
