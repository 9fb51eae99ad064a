from __future__ import annotations

import math

import pytest

from riskmodels.models.fast_trees.text import decimals, fields_of, parts_of, whole, wholes


def test_numbers_as_lightgbm_writes_them():
    assert wholes("0 -1 12 4294967295") == [0, -1, 12, 4294967295]
    assert wholes("") == decimals("") == []
    assert whole("7") == 7
    assert decimals("0 -0.5 1.0000000180025095e-35 -1e+300 2e5") == [0, -0.5, 1.0000000180025095e-35, -1e300, 2e5]
    assert decimals("inf 1 -inf", endless=True) == [math.inf, 1, -math.inf]
    assert decimals("inf", endless=True) == [math.inf]


ODD = [
    "1_0",
    "-0_1",
    "\u0661",
    "\u00b2",
    "+1",
    "0x1",
    " 1",
    "1 ",
    "1  2",
    "1\t2",
    "1\n",
    "1\r",
    "1\x1c2",
    "nan",
    "-",
    "a",
]


@pytest.mark.parametrize("text", [*ODD, "1.0", "01", "-0", "12345678901", "1e3"])
def test_what_only_python_takes_for_whole_numbers_is_refused(text):
    with pytest.raises(ValueError, match=r"^$"):
        wholes(text)


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("text", [*ODD, "1e400", "-1e400", ".5", "5.", "1E5", "infinity", "Inf", "1  inf"])
def test_what_only_python_takes_for_decimals_is_refused(text, endless):
    with pytest.raises(ValueError, match=r"^$"):
        decimals(text, endless)


def test_no_end_is_a_number_only_where_it_may_be():
    with pytest.raises(ValueError, match=r"^$"):
        decimals("1 inf")


@pytest.mark.parametrize("count", ["", "1 2"])
def test_one_number_is_one(count):
    with pytest.raises(ValueError, match="values to unpack"):
        whole(count)


def test_parts_and_fields():
    header, trees = parts_of("tree\nversion=v4\n\nTree=0\na=1=2\nb=\n\n\nTree=1\na=1\n\n\nend of trees\nTree=2\n")
    assert header == "tree\nversion=v4\n\n"
    assert trees == ["Tree=0\na=1=2\nb=\n\n\n", "Tree=1\na=1\n\n\n"]
    assert fields_of(trees[0]) == {"a": "1=2", "b": ""}
    assert fields_of("Tree=0\na=1\x1cb=2\u2028\n") == {"a": "1\x1cb=2\u2028"}


@pytest.mark.parametrize("text", ["Tree=1\nend of trees\n", "Tree=0\nTree=0\nend of trees\n", "Tree=0\n"])
def test_trees_that_are_not_in_order_are_refused(text):
    with pytest.raises(ValueError):
        parts_of(text)


@pytest.mark.parametrize("block", ["Tree=0\na=1\n\nb=2\n", "Tree=0\na=1\na=1\n", "Tree=0\nprose\n"])
def test_lines_that_are_no_fields_are_refused(block):
    with pytest.raises(ValueError):
        fields_of(block)
