"""Of the data's profile, nothing is shown that stands on fewer than ten people, by whatever door."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.profile_disclosure import (
    WIDE_GAP,
    difference,
    publish_profile,
    published_counts,
    published_differences,
    published_groups,
)
from riskmodels.assessment.suppression import PROFILES, window

SRO = PROFILES["sro-10"]


def linked(*groups: tuple[str, int, int], reference: str = "white") -> list[dict[str, Any]]:
    """Groups as (name, how many, of whom linked)."""
    return [
        {
            "source": "police",
            "attribute": "ethnicity",
            "group": name,
            "reference": name == reference,
            "n": n,
            "covered": k,
        }
        for name, n, k in groups
    ]


def shown(rows: list[dict[str, Any]], widest: float = WIDE_GAP) -> dict[str, dict[str, Any]]:
    return {row["group"]: row for row in published_groups(rows, "covered", SRO, widest, [], "linkage")}


def profile(**changes: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("register", "quality", "attrition", "attrition_differences", "outcome_status", "outcome_by_group", "features",
         "feature_missing", "feature_missing_by_group", "column_missing", "recording_lag", "facts_by_month", "breaks",
         "linkage", "linkage_by_date"), (),
    )  # fmt: skip
    enough = {"rows": 500, "events": 90, "people": 71, "columns": 12, "floor": 10}
    return {"study": "s", "title": "S", "level": "person", **empty, "enough": enough, **changes}


# ---------------------------------------------------------------- gaps between groups


def test_a_planted_gap_of_fifteen_points_is_a_concern_and_its_absence_is_not() -> None:
    planted = shown(linked(("white", 2000, 1900), ("roma", 400, 320)))
    assert planted["roma"]["concern"] == "lower"
    assert planted["white"]["concern"] is None
    assert planted["roma"]["gap"] == pytest.approx(-0.15, abs=0.01)
    assert planted["roma"]["gap_low"] < -0.15 < planted["roma"]["gap_high"] < 0
    assert not shown(linked(("white", 2000, 1900), ("roma", 400, 378)))["roma"]["concern"]


def test_where_the_reference_is_the_one_less_linked_the_gap_is_the_other_way() -> None:
    assert shown(linked(("white", 2000, 1600), ("roma", 400, 380)))["roma"]["concern"] == "higher"


def test_a_wide_gap_of_a_few_people_may_be_chance() -> None:
    rows = shown(linked(("white", 2000, 1900), ("roma", 12, 10)))
    assert not rows["roma"]["concern"]


def test_a_concern_is_found_although_its_numbers_are_not_shown() -> None:
    # Of the reference nearly everybody is linked: four are not, which is not shown.
    rows = shown(linked(("white", 2000, 1996), ("roma", 400, 330)))
    assert rows["white"]["share"] is None
    assert rows["roma"]["concern"]
    assert rows["roma"]["gap"] is None


def test_no_gap_is_made_of_those_of_whom_nothing_is_recorded() -> None:
    rows = shown(linked(("white", 2000, 1900), ("Not recorded", 400, 100)))
    assert not rows["Not recorded"]["concern"]
    assert rows["Not recorded"]["gap"] is None


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe 1998, table II, example (a): 56/70 - 48/80, method 10
    gap, low, high = difference(56, 70, 48, 80)
    assert (round(gap, 4), round(low, 4), round(high, 4)) == (0.2, 0.0524, 0.3339)


# ---------------------------------------------------------------- small numbers


def test_shares_are_of_rounded_counts_with_intervals_as_wide_as_the_exact() -> None:
    row = shown(linked(("white", 2001, 1903), ("roma", 402, 318)))["roma"]
    assert (row["n"], row["covered"], row["share"]) == (400, 320, 0.8)
    low, high = wilson(318 / 402, 402)
    assert row["high"] - row["low"] == pytest.approx(high - low, abs=0.0021)


def test_few_linked_or_few_not_linked_are_hidden_with_another_group() -> None:
    rows = shown(linked(("white", 2000, 1900), ("asian", 300, 280), ("roma", 100, 93)))
    assert rows["roma"]["reason"] == "not shown (fewer than 10 people)"
    assert rows["roma"]["n"] == 100  # how many there are is no secret
    assert rows["white"]["share"] is not None
    # 20 of the group next in size; without it the seven would be found by subtraction
    assert rows["asian"]["reason"] in (None, "not shown (to protect a small number)")
    few = shown(linked(("white", 2000, 1900), ("roma", 6, 3)))
    assert few["roma"]["n"] is None
    assert few["roma"]["share"] is None


def test_a_small_group_is_not_found_by_subtraction() -> None:
    rows = shown(linked(("white", 2000, 1900), ("asian", 300, 280), ("roma", 9, 9)))
    assert rows["roma"]["n"] is None
    total, others = window(2309, SRO), [row["n"] for row in rows.values() if row["n"] is not None]
    free = sum(row["n"] is None for row in rows.values()) > 1  # another hidden group may be of any size
    possible = [
        n
        for n in range(10)
        if free
        or (
            n + sum(window(k, SRO)[1] for k in others) >= total[0]
            and n + sum(window(k, SRO)[0] for k in others) <= total[1]
        )
    ]
    assert len(possible) >= SRO.leave


def test_none_is_shown_only_where_it_is_so_for_every_group() -> None:
    everybody = shown(linked(("white", 2000, 2000), ("roma", 400, 400)))
    assert {row["share"] for row in everybody.values()} == {1.0}
    some = shown(linked(("white", 2000, 1900), ("roma", 400, 400)))
    assert some["roma"]["share"] is None


sizes = st.tuples(st.integers(0, 60), st.integers(0, 400))


@settings(max_examples=80, deadline=None)
@given(groups=st.lists(sizes, min_size=1, max_size=6))
def test_whatever_the_groups_no_small_number_is_shown(groups: list[tuple[int, int]]) -> None:
    groups = [(few, many) for few, many in groups if few + many]
    if not groups:
        return
    rows = shown(linked(*((f"g{i}", few + many, few) for i, (few, many) in enumerate(groups)), reference="g0"))
    parts = [sum(column) for column in zip(*groups, strict=True)]
    for (few, many), row in zip(groups, rows.values(), strict=True):
        if row["share"] is not None:
            assert all(part >= 10 or total == 0 for part, total in zip((few, many), parts, strict=True))
            assert row["covered"] % 5 == 0
            assert row["low"] <= row["share"] <= row["high"]
        if row["n"] is not None:
            assert few + many >= 10
            assert row["n"] % 5 == 0
        else:
            assert row["share"] is None


# ---------------------------------------------------------------- the other tables


def test_those_left_out_are_compared_by_rounded_shares() -> None:
    rows = [
        {"as_of_date": "2020-07-01", "step": 1, "words": "on roll", "attribute": "sex", "group": group,
         "dropped": dropped, "kept": kept, "dropped_share": 0.123456, "kept_share": 0.2, "standardised_difference": 0.7}
        for group, dropped, kept in (("f", 201, 1002), ("m", 99, 998), ("Not recorded", 3, 40))
    ]  # fmt: skip
    log: list[dict[str, str]] = []
    found = {row["group"]: row for row in published_differences(rows, SRO, log)}
    assert found["Not recorded"]["dropped"] is None
    assert found["Not recorded"]["dropped_share"] is None
    assert any("Not recorded" in line["where"] for line in log)
    assert found["f"]["dropped"] == 200
    assert found["f"]["dropped_share"] == round(200 / 305, 3)
    one, other = 200 / 305, 1000 / 2040
    by_hand = (one - other) / math.sqrt((one * (1 - one) + other * (1 - other)) / 2)
    assert found["f"]["standardised_difference"] == pytest.approx(by_hand, abs=0.01)


def test_counts_hide_handfuls_and_show_none_where_it_tells_of_nobody() -> None:
    rows = [
        {
            "as_of_date": "2020-07-01",
            "known": 0,
            "immature": 0,
            "unobserved": 4,
            "events": 31,
            "moved_away": 0,
            "died": 3,
        }
    ]
    found = published_counts(rows, SRO, [], "outcome_status")[0]
    assert found == {
        "as_of_date": "2020-07-01", "known": None, "immature": 0, "unobserved": None, "events": 30, "moved_away": 0,
        "died": None,
    }  # fmt: skip


def test_facts_of_fewer_than_ten_people_are_not_shown_nor_their_kind_named() -> None:
    months = [
        {"source": "records", "kind": "visit", "month": "2020-01", "facts": 41, "people": 30},
        {"source": "records", "kind": "visit", "month": "2020-02", "facts": 41, "people": 2},
        {"source": "records", "kind": "rare", "month": "2020-01", "facts": 300, "people": 1},
    ]
    found = publish_profile(profile(facts_by_month=months))[0]["facts_by_month"]
    assert [(row["kind"], row["month"], row["facts"]) for row in found] == [
        ("visit", "2020-01", 40), ("visit", "2020-02", None),
    ]  # fmt: skip
    assert all("people" not in row for row in found)


def lag(**changes: Any) -> dict[str, Any]:
    row = {"source": "records", "known_date_recorded": True, "quarter": None, "n": 812, "median": 4, "most": 31,
           "people": 300, "undated": 42}  # fmt: skip
    return publish_profile(profile(recording_lag=[{**row, **changes}]))[0]["recording_lag"][0]


def test_a_lag_of_few_people_is_not_shown() -> None:
    assert (lag()["median"], lag()["most"], lag()["n"]) == (4, 31, 810)
    assert lag()["undated_share"] == round(40 / 850, 3)
    few = lag(people=9)
    assert (few["median"], few["most"], few["n"]) == (None, None, None)
    assert "fewer than 10" in few["reason"]
    assert lag(undated=3)["undated"] is None
    assert lag(undated=3)["undated_share"] is None
    assert lag(undated=0)["undated_share"] == 0


def test_an_unknown_lag_says_why() -> None:
    assert lag(known_date_recorded=False, median=None, most=None)["reason"].startswith("unknown")


def test_shares_that_stand_alone() -> None:
    rows = [
        {"source": "records", "column": name, "n": 500, "missing": k} for name, k in (("a", 0), ("b", 4), ("c", 51))
    ]
    rows.append({"source": "records", "column": "d", "n": 500, "missing": 500})
    found = publish_profile(profile(column_missing=rows))[0]["column_missing"]
    assert [row["share"] for row in found] == [0.0, None, 0.1, 1.0]


@pytest.mark.parametrize(("events", "enough"), [(119, False), (120, True)])
def test_enough_is_decided_on_the_exact_count(events: int, enough: bool) -> None:
    row = {"rows": 500, "events": events, "people": 80, "columns": 12, "floor": 10}
    found = publish_profile(profile(enough=row))[0]["enough"]
    assert (found["events"], found["events_for_each_column"], found["enough"]) == (120, 10.0, enough)


def test_publishing_twice_is_the_same_as_once_and_the_log_holds_no_number() -> None:
    exact = profile(linkage=linked(("white", 2000, 1900), ("roma", 7, 3)))
    once, log = publish_profile(exact)
    assert publish_profile(once) == (once, ())
    assert log
    assert not any(digit in line["where"] + line["what"] for line in log for digit in "23456789")
    assert exact == profile(linkage=linked(("white", 2000, 1900), ("roma", 7, 3)))
