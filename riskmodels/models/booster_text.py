"""The text of a booster as a model keeps it: what is taken off as it is saved, and what is refused as it is read."""

from __future__ import annotations

import re
from itertools import pairwise

from riskmodels.errors import ModelFileError
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

BOOSTER_FILE = "booster.txt"
# The fields of a tree that hold a number for each leaf, or for each inner node.
MEASURED = ("split_gain", "threshold", "leaf_weight", "internal_value", "internal_weight")
COUNTED = ("split_feature", "decision_type", "left_child", "right_child", "leaf_count", "internal_count")
MAY_BE_ENDLESS = ("split_gain", "threshold")
MOST_LEAVES = 255


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
    names, infos = (fields[name].split(" ") for name in ("feature_names", "feature_infos"))
    directions = wholes(fields.get("monotone_constraints", ""))
    return (
        header.startswith("tree\n")
        and header.rstrip("\n") + "\n\n" == header
        and all(value.isprintable() for value in fields.values())
        and fields["objective"] == "binary sigmoid:1"
        and whole(fields["max_feature_idx"]) == columns - 1
        and whole(fields["num_class"]) == whole(fields["num_tree_per_iteration"]) == 1
        and whole(fields["label_index"]) >= 0
        and len(names) == len(infos) == columns
        and all(names)
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
