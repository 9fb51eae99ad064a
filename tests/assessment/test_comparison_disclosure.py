"""No number of a comparison tells of fewer than ten people, nor can one be worked out from two that may be shown."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.comparison_disclosure import publish_comparison, publish_shared
from riskmodels.assessment.paired_rows import ranked_run
from riskmodels.assessment.run_comparison import compare_runs
from riskmodels.assessment.suppression import PROFILES
from tests.assessment.compared_runs import county

HOW = {"thresholds": (0.2,), "bands": {"lower": 0.0, "raised": 0.3, "high": 0.6}, "seed": 3}
SRO, PLACES = PROFILES["sro-10"], PROFILES["places"]


@pytest.fixture(scope="module")
def exact():
    first, second = (ranked_run(name, county(noise=noise)) for name, noise in (("A", 0.9), ("B", 0.2)))
    return compare_runs(first, second, **HOW).to_dict()


def counts_in(value, key=""):
    """Every count of people in what is shown."""
    if isinstance(value, dict):
        return [found for name, each in value.items() for found in counts_in(each, name)]
    if isinstance(value, list):
        return [found for each in value for found in counts_in(each, key)]
    is_count = isinstance(value, int) and key not in ("replicates", "hits_difference", "hits_bounds")
    return [value] if is_count else []


def test_counts_are_rounded_and_shares_are_made_of_rounded_counts(exact):
    shown, _ = publish_comparison(exact)
    counts = counts_in(shown)
    assert len(counts) > 40
    assert all(count == 0 or (count >= 10 and count % 5 == 0) for count in counts)
    pooled = shown["overlap"]["pooled"]
    assert pooled["of_first"] == round(pooled["both"] / (pooled["both"] + pooled["only_first"]), 3)
    assert json.dumps(shown, allow_nan=False)


def test_verdicts_and_signs_are_those_of_the_exact_figures(exact):
    shown, _ = publish_comparison(exact)
    for before, after in zip(exact["differences"], shown["differences"], strict=True):
        if after["verdict"] == "not shown":
            continue
        assert after["verdict"] == before["verdict"]
        for end in ("low", "high"):
            assert (after["difference"][end] > 0) == (before["difference"][end] > 0)
            assert after["difference"][end] == pytest.approx(before["difference"][end], rel=0.005)


def test_places_are_not_people(exact):
    shown, log = publish_comparison(exact, "places")
    assert shown["counts"] == exact["counts"]
    assert shown["overlap"]["who_differs"] == exact["overlap"]["who_differs"]
    assert log == ()


def difference(measure="brier_score", moved=100, first=0.5, second=0.6, n=400):
    return {
        "measure": measure, "better": "lower", "first": {"value": first, "n": n}, "second": {"value": second, "n": n},
        "difference": {"value": 0.1, "low": 0.05, "high": 0.2, "n": n}, "verdict": "worse", "method": "x",
        "moved": moved, "threshold": None,
    }  # fmt: skip


def published(exact, **changes):
    changed = copy.deepcopy(exact) | changes
    shown, log = publish_comparison(changed)
    return shown, log


@pytest.mark.parametrize(("moved", "hidden"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_difference_that_tells_of_a_handful_is_hidden(exact, moved, hidden):
    shown, log = published(exact, differences=[difference(moved=moved)])
    (row,) = shown["differences"]
    assert (row["verdict"] == "not shown") == hidden
    # The first run's own figure stands in its card; with the second's beside it, the few could be told.
    assert row["first"]["value"] == 0.5
    assert (row["second"]["value"] is None) == (row["difference"]["value"] is None) == hidden
    assert row["moved"] == {0: 0, 10: 10}.get(moved)
    assert any("brier_score" in line["where"] for line in log) == hidden
    if hidden:
        assert row["difference"]["reason"] == "not shown (fewer than 10 people are treated differently)"


@pytest.mark.parametrize(
    ("share", "n", "hidden"), [(9 / 400, 400, True), (10 / 400, 400, False), (391 / 400, 400, True), (0.5, 30, False)]
)
def test_a_share_of_a_handful_is_hidden_for_both(exact, share, n, hidden):
    shown, _ = published(exact, differences=[difference("recall_at_k", second=share, n=n)])
    (row,) = shown["differences"]
    assert (row["first"]["value"] is None) == (row["second"]["value"] is None) == hidden


def overlap(exact, both, only_first, only_second, **more):
    found = copy.deepcopy(exact["overlap"])
    counts = {"both": both, "only_first": only_first, "only_second": only_second}
    found["pooled"] |= counts
    found["per_date"] = [found["per_date"][0] | counts]
    return found | more


@pytest.mark.parametrize(
    ("counts", "of_first", "reason"),
    [
        ((93, 7, 7), None, "all but fewer than 10 are on both"),
        ((7, 93, 93), None, "fewer than 10 are on both"),
        ((100, 0, 0), 1.0, None),
        ((0, 100, 100), 0.0, None),
        ((72, 28, 28), 0.7, None),  # 70 of 70 + 30
        ((0, 0, 0), None, "nobody is on either list"),
    ],
)
def test_lists_that_differ_by_a_handful(exact, counts, of_first, reason):
    shown, _ = published(exact, overlap=overlap(exact, *counts))
    for row in (shown["overlap"]["pooled"], shown["overlap"]["per_date"][0]):
        assert row["of_first"] == of_first
    assert shown["overlap"]["pooled"].get("reason") == reason
    cell = publish_shared(counts, SRO)
    assert (cell["value"], cell.get("reason")) == (of_first, reason)


def test_no_date_in_common():
    assert publish_shared(None, SRO) == {"value": None, "reason": "no test date in common"}
    assert publish_shared((3, 4, 5), PLACES) == {"value": 0.429}


def one_side(listed, known, hits):
    share = {"value": hits / known, "low": 0.1, "high": 0.9, "n": known}
    return {"listed": listed, "known": known, "hits": hits, "unknown": listed - known, "precision": share}


@pytest.mark.parametrize(
    ("first", "second", "shown_both"),
    [((60, 40, 20), (60, 40, 25), True), ((60, 40, 9), (60, 40, 25), False), ((60, 40, 20), (60, 40, 35), False)],
)
def test_what_became_of_one_side_is_shown_with_the_other_or_not_at_all(exact, first, second, shown_both):
    sides = {"only_first": one_side(*first), "only_second": one_side(*second)}
    shown, _ = published(exact, overlap=exact["overlap"] | sides)
    for side in sides:
        assert (shown["overlap"][side]["precision"]["value"] is not None) == shown_both
        assert (shown["overlap"][side]["hits"] is not None) == shown_both
    assert (shown["overlap"]["hits_difference"] is not None) == shown_both
    assert (shown["overlap"]["hits_bounds"] is not None) == shown_both


def test_a_handful_of_unknown_outcomes_has_no_bounds(exact):
    sides = {"only_first": one_side(45, 40, 20), "only_second": one_side(60, 40, 20)}
    shown, _ = published(exact, overlap=exact["overlap"] | sides)
    assert shown["overlap"]["hits_bounds"] is None
    assert shown["overlap"]["hits_difference"] is not None


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_hidden_group_cannot_be_found_from_the_total(exact_counts):
    """Whoever knows the rounded total and what is shown is left with two values or more for each small group."""
    rows = [
        {"by": "risk_band_first", "group": str(place), "both": count, "only_first": 20, "only_second": 20}
        for place, count in enumerate(exact_counts)
    ]
    exact = {
        "pooled": SHARED, "per_date": [SHARED], "only_first": one_side(60, 40, 20), "only_second": one_side(60, 40, 20),
        "hits_difference": 0, "hits_bounds": [0, 0], "who_differs": rows,
    }  # fmt: skip
    shown, _ = publish_comparison({"first": "A", "second": "B", "counts": {}, "differences": [], "overlap": exact})
    column = [row["both"] for row in shown["overlap"]["who_differs"]]
    if not any(exact_counts):
        assert column == [0] * len(column)
        return
    assert all(value is None or (value >= 10 and value % 5 == 0) for value in column)
    small = [place for place, count in enumerate(exact_counts) if count < 10]
    assert all(column[place] is None for place in small)
    hidden = [place for place, value in enumerate(column) if value is None]
    if len(small) == len(hidden) == 1:
        left = round(sum(exact_counts) / 5) * 5 - sum(value for value in column if value is not None)
        slack = 2 * (1 + len(column) - 1)
        assert min(left + slack, 9) - max(left - slack, 0) >= 1


SHARED = {
    "as_of_date": None, "both": 100, "only_first": 60, "only_second": 60, "by_chance": 0.1,
    "rank_correlation": {"value": 0.5, "n": 400},
}  # fmt: skip
