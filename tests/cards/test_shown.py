"""Nothing below 10 and nothing unrounded enters a card, by whatever door."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.shown import (
    Shown,
    counted,
    merged_bins,
    people_of_100,
    published_audit,
    published_performance,
    rounded,
    whole_of_100,
)
from tests.cards import example_card as example


def small_performance() -> dict[str, Any]:
    """Hands full of people in every part of a Performance."""
    raw = copy.deepcopy(example.performance())
    raw |= {"n": 43, "known": 36, "unknown": 7, "events": 8}
    raw["at_capacity"] |= {"selected": 40, "known": 33, "unknown": 7, "hits": 6, "precision_bounds": [6 / 40, 13 / 40]}
    raw["at_capacity"]["precision"] |= {"value": 6 / 33, "n": 33}
    raw["at_capacity"]["recall"] |= {"value": 6 / 8, "n": 8}
    raw["per_date"][0] |= {"n": 43, "known": 36, "unknown": 7, "events": 8, "selected": 40}
    raw["per_date"][0]["precision_at_k"] = {"value": 6 / 33, "low": 0.1, "high": 0.4, "n": 33}
    raw["unknown_by_fifth"][0] |= {"n": 43, "unknown": 7, "share": 7 / 43}
    raw["overall"]["base_rate"] = {"value": 8 / 36, "low": 0.1, "high": 0.4, "n": 36}
    return raw


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{position}")
    else:
        yield path, value


@pytest.mark.parametrize(("unknown", "hidden"), [(7, True), (9, True), (10, False), (0, False), (60, False)])
def test_bounds_do_not_count_the_unknown_that_are_hidden(unknown: int, hidden: bool) -> None:
    """Of 300 on the list, 68 to 75 need it: .227 to .25 are seven apart."""
    raw = copy.deepcopy(example.performance())
    bounds = {"precision_bounds": [68 / 300, (68 + unknown) / 300], "recall_bounds": [0.4, 0.45]}
    raw["at_capacity"] |= {"selected": 300, "known": 300 - unknown, "unknown": unknown, "hits": 68, **bounds}
    shown = Shown()
    at = published_performance(raw, shown)["at_capacity"]
    assert (at["precision_bounds"] == at["recall_bounds"] == [None, None]) is hidden
    assert (at["unknown"] is None) is hidden
    assert ({"where": "performance.at_capacity.bounds", "what": "share", "why": shown.hidden} in shown.log) is hidden
    again = published_performance({**raw, "at_capacity": at}, Shown())["at_capacity"]
    assert again["precision_bounds"] == at["precision_bounds"]


def test_small_counts_and_the_shares_made_of_them_are_hidden() -> None:
    shown = Shown()
    safe = published_performance(small_performance(), shown)
    at = safe["at_capacity"]
    assert (safe["n"], safe["known"], safe["unknown"], safe["events"]) == (45, 35, None, None)
    assert (at["selected"], at["unknown"], at["hits"]) == (40, None, None)
    assert at["precision"]["value"] is None
    assert "fewer than 10" in at["precision"]["reason"]
    assert at["recall"]["value"] is None
    assert at["precision_bounds"][0] is None
    assert at["recall_bounds"][0] is None
    assert safe["per_date"][0]["precision_at_k"]["value"] is None
    assert safe["overall"]["base_rate"]["value"] is None
    assert safe["unknown_by_fifth"][0]["share"] is None
    said = " ".join(line["where"] for line in shown.log)
    assert "hits" in said
    assert "unknown_by_fifth" in said


def test_the_log_says_where_but_never_what() -> None:
    shown = Shown()
    published_performance(small_performance(), shown)
    assert shown.log
    assert all(set(line) == {"where", "what", "why"} for line in shown.log)
    assert {line["what"] for line in shown.log} == {"count", "share"}


@pytest.mark.parametrize("make", [example.performance, small_performance])
def test_publishing_twice_is_the_same_as_once(make: Any) -> None:
    once = published_performance(make(), Shown())
    assert published_performance(once, Shown()) == once
    audit = published_audit(example.audit(), Shown())
    assert published_audit(audit, Shown()) == audit


def test_an_exact_audit_is_published_and_its_small_groups_are_gone() -> None:
    exact = example.audit()
    small = next(row for row in exact["rows"] if row["group"] == "amindian")
    assert small["n"] == 8
    safe = published_audit(exact, Shown())
    row = next(row for row in safe["rows"] if row["group"] == "amindian")
    assert row["n"] is None
    assert all(metric["value"] is None for metric in row["metrics"].values())


def test_only_names_without_people_keep_small_numbers() -> None:
    # Anything whole and below 10 in a published performance or audit is no count of people.
    allowed = {
        "fifth",
        "of_100",
        "below",
        "rounded_to",
        "comparisons",
        "passed",
        "failed",
        "insufficient",
        "failed_against_others",
    }
    for tree in (published_performance(small_performance(), Shown()), published_audit(example.audit(), Shown())):
        for path, value in leaves(tree):
            if isinstance(value, int) and not isinstance(value, bool) and value < 10:
                assert path.split(".")[-1] in allowed, path


def test_nothing_has_more_digits_than_it_deserves() -> None:
    safe = published_performance(example.performance(), Shown())
    assert safe["overall"]["brier_score"]["value"] == 0.1235
    for path, value in leaves(safe):
        if isinstance(value, float):
            assert round(value, 4) == value, path


def test_zero_is_shown_where_nobody_is_told_about() -> None:
    row = counted(
        [{"as_of_date": "2020-01-01", "known": 0, "immature": 0, "unobserved": 3, "events": 0}], "x", Shown()
    )[0]
    assert row == {"as_of_date": "2020-01-01", "known": None, "immature": 0, "unobserved": None, "events": None}


def bins(*groups: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "low": i / 10,
            "high": (i + 1) / 10,
            "n": n,
            "mean_risk": (i + 0.5) / 10,
            "observed": {"value": events / n, "n": n},
        }
        for i, (n, events) in enumerate(groups)
    ]


def test_bins_are_joined_until_each_holds_ten_of_each_kind() -> None:
    # 4 + 9 = 13 events in 150; then 20 of 60; then 58 of 60 has 2 without, so it joins the bin before it.
    found = merged_bins(bins((100, 4), (50, 9), (60, 20), (60, 58)), Shown())
    assert [(one["n"], one["low"], one["high"]) for one in found] == [(150, 0.0, 0.2), (120, 0.2, 0.4)]
    low, high = wilson(13 / 150, 150)
    assert found[0]["observed"] == {"value": 13 / 150, "low": low, "high": high, "n": 150}
    assert found[0]["mean_risk"] == pytest.approx((0.05 * 100 + 0.15 * 50) / 150)


def test_too_few_people_make_no_bin() -> None:
    assert merged_bins(bins((20, 1), (20, 2)), Shown()) == []
    assert merged_bins([], Shown()) == []


def test_parts_of_100_add_up_and_hide_handfuls() -> None:
    assert people_of_100({"selected": 500, "hits": 170, "unknown": 306}, Shown()) == {
        "right": 34,
        "wrong": 5,
        "not_known": 61,
    }
    assert people_of_100({"selected": 500, "hits": 320, "unknown": 4}, Shown()) == {
        "right": 64,
        "wrong_or_not_known": 36,
    }
    assert people_of_100({"selected": 500, "hits": 320, "unknown": 0}, Shown()) == {"right": 64, "wrong": 36}
    assert people_of_100({"selected": 500, "hits": 3, "unknown": 0}, Shown()) == {}
    assert people_of_100({}, Shown()) == {}


@settings(max_examples=60)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=4))
def test_whole_of_100_is_whole(counts: list[int]) -> None:
    shares = whole_of_100(counts)
    assert sum(shares) == 100
    assert all(abs(share - 100 * count / sum(counts)) < 1 for share, count in zip(shares, counts, strict=True))


def test_no_minus_nought() -> None:
    assert str(rounded(-0.00001)) == "0.0"


@pytest.mark.parametrize(("rules", "said"), [("places", "too few to show"), ("sro-10", "not shown")])
def test_of_places_too_few_is_not_called_hidden(rules: str, said: str) -> None:
    reason = "not shown (fewer than 10 places that had the outcome)"
    audit = {"disclosure": {}, "rows": [{"metrics": {"recall": {"value": None, "reason": reason}}}]}
    found = published_audit(audit, Shown(PROFILES[rules]))["rows"][0]["metrics"]["recall"]["reason"]
    assert found == f"{said} (fewer than 10 places that had the outcome)"
