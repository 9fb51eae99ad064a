"""The picture of what it would take."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.reports.charts import draw_figures
from riskmodels.reports.mitigation_charts import LABEL, spread


def figure(rows):
    return {"id": "mitigation", "table": {"columns": [], "rows": rows}}


ROWS = [
    ["Sex", "Today's list", "today", "could be done", 12.0, 60.0, "yes"],
    ["Sex", "Twice the places", "2 x places", "could be done", 9.0, 50.0, ""],
    ["Sex", "One score, taught on reweighed records", "reweighed", "could be done", 4.0, 58.0, "yes"],
    ["Sex", "A cut-off for each group", "equal cuts", "simulation only", 0.0, 59.0, "yes"],
    ["Age", "Today's list", "today", "could be done", 0.0, 60.0, "yes"],
]


def test_the_same_table_gives_the_same_picture():
    first, again = (draw_figures([figure(ROWS)])["mitigation"] for _ in range(2))
    assert first == again
    assert first.startswith(b"<?xml")


def test_another_table_gives_another_picture():
    moved = [[*row[:4], row[4] + 1, *row[5:]] for row in ROWS]
    assert draw_figures([figure(moved)])["mitigation"] != draw_figures([figure(ROWS)])["mitigation"]


def test_names_by_hand():
    assert spread([0.1, 0.15, 0.9], 0.1) == pytest.approx([0.1, 0.2, 0.9])
    assert spread([0.95, 0.97, 0.99], 0.1) == pytest.approx([0.8, 0.9, 1.0])
    assert spread([], 0.1) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted))
def test_no_two_names_stand_on_each_other(heights):
    made = spread(heights, LABEL)
    assert all(second - first >= LABEL - 1e-9 for first, second in pairwise(made))
    assert max(made) <= 1 + 1e-9
    assert min(made) >= -1e-9 or len(made) * LABEL > 1
