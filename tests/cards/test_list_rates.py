"""Whoever knows how long a list is does not find out how few on it are unknown: not from bounds, nor from decimals."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.checks.checked import Checked
from riskmodels.cards.checks.counts import versions
from riskmodels.cards.differencing import ALONE, _fits, _lists, _system, recovered
from riskmodels.cards.list_rates import coarse_precision, hidden_of_dates, precision_of, told_by
from riskmodels.cards.shown import Shown, published_performance
from riskmodels.cards.use_published import published_use
from tests.cards import example_card as example
from tests.cards.example_use import use

PEOPLE = sorted(name for name, profile in PROFILES.items() if profile.below)


def estimate(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits / n, n)
    return {"value": hits / n, "low": low, "high": high, "n": n}


def listed(selected: int, unknown: int, hits: int, events: int = 240, cohort_unknown: int = 400) -> dict[str, Any]:
    """A list as `at_capacity` tells of it; many of the cohort are unknown, which says nothing of the list."""
    return {
        "selected": selected,
        "precision_bounds": [hits / selected, (hits + unknown) / selected],
        "recall_bounds": [hits / (events + cohort_unknown), (hits + unknown) / (events + unknown)],
        "precision": estimate(hits, selected - unknown),
        "recall": estimate(hits, events),
    }


def performance(lists: list[tuple[int, int, int]]) -> dict[str, Any]:
    """Several test dates, each a list (selected, unknown, hits)."""
    raw = copy.deepcopy(example.performance())
    first = raw["per_date"][0]
    raw["per_date"] = []
    for number, one in enumerate(lists):
        found = listed(*one)
        row = {**first, "as_of_date": f"20{10 + number}-01-01", "n": 3050, "known": 2650, "unknown": 400, "events": 240}
        row |= {"selected": one[0], "precision_at_k": found["precision"], "recall_at_k": found["recall"]}
        raw["per_date"].append(row | {name: found[name] for name in ("precision_bounds", "recall_bounds")})
    selected, unknown, hits = (sum(one[place] for one in lists) for place in range(3))
    dates = len(lists)
    whole = listed(selected, unknown, hits, 240 * dates, 400 * dates)
    raw |= {"n": 3050 * dates, "known": 2650 * dates, "unknown": 400 * dates, "events": 240 * dates}
    raw["at_capacity"] |= {**whole, "known": selected - unknown, "unknown": unknown, "hits": hits}
    raw["at_capacity"]["leads_with_bounds"] = True
    return raw


def card(shown: dict[str, Any], lists: list[tuple[int, int, int]], profile: str) -> dict[str, Any]:
    """As much of a card as the check of versions reads."""
    made = copy.deepcopy(example.card().to_dict())
    made["edition_profile"]["disclosure"] = profile
    each = {row["as_of_date"]: one[0] for row, one in zip(shown["per_date"], lists, strict=True)}
    at = {**shown["at_capacity"], "places_each": each}
    made["performance"] |= {name: shown[name] for name in ("per_date", "n", "known", "unknown", "events")}
    made["performance"] |= {"at_capacity": at, "use": None}
    made["audit"]["rows"] = []
    return made


LISTS = [(150, 2, 53), (150, 4, 49), (150, 2, 47), (150, 7, 49)]


@pytest.mark.parametrize("profile", PEOPLE)
def test_bounds_go_by_the_unknown_on_the_list_and_not_in_the_cohort(profile: str) -> None:
    shown = Shown(PROFILES[profile])
    safe = published_performance(performance(LISTS), shown)
    few = [row for row, (_, unknown, _) in zip(safe["per_date"], LISTS, strict=True) if unknown < shown.profile.below]
    assert len(few) >= 3
    for row in few:
        assert row["precision_bounds"] == row["recall_bounds"] == [None, None]
        assert row["precision_at_k"]["n"] == {"sro-10": 145, "dfe-cin": 150, "nhs-round5": 145}[profile]
    assert any("2010-01-01.bounds" in line["where"] for line in shown.log)


def test_page_one_does_not_lead_with_bounds_that_are_hidden() -> None:
    at = published_performance(performance([(150, 4, 49)]), Shown())["at_capacity"]
    assert at["precision_bounds"] == [None, None]
    assert at["leads_with_bounds"] is False
    assert (at["precision"]["value"], at["known"], at["unknown"]) == (0.34, 145, None)
    assert published_performance(performance([(150, 14, 49)]), Shown())["at_capacity"]["leads_with_bounds"] is True


def test_one_date_alone_is_not_hidden_where_all_dates_tell_the_sum() -> None:
    assert hidden_of_dates([12, 2, 30], PROFILES["sro-10"]) == [True, True, False]
    assert hidden_of_dates([0, 2, 30], PROFILES["sro-10"]) == [False, True, True]
    assert hidden_of_dates([0, 0, 30], PROFILES["sro-10"]) == [False] * 3
    assert hidden_of_dates([2, 3], PROFILES["places"]) == [False] * 2


@pytest.mark.parametrize("profile", PEOPLE)
@settings(max_examples=40, deadline=None)
@given(length=st.integers(40, 900), unknown=st.integers(1, 9), share=st.floats(0.25, 0.75))
def test_a_coarse_precision_leaves_the_reader_several_numbers(
    profile: str, length: int, unknown: int, share: float
) -> None:
    rules = PROFILES[profile]
    unknown = min(unknown, rules.below - 1)
    known = length - unknown
    hits = min(max(round(share * known), rules.below), known - rules.below)  # no handful, which would be hidden
    made = coarse_precision(estimate(hits, known), length, rules)
    alike = [
        other for other in range(1, rules.below)
        if any(coarse_precision(estimate(hits, length - other), length, rules) == made
               for hits in range(rules.below, length - other - rules.below + 1))
    ]  # fmt: skip
    assert unknown in alike
    assert len(alike) >= rules.leave
    found = told_by({"precision_bounds": [None, None]}, {**made, "value": round(made["value"], 3)}, rules)
    assert found is not None
    assert found.known[0] <= known <= found.known[1]


def test_a_rule_whose_list_has_few_unknown_is_coarse_in_the_table_of_families() -> None:
    raw = performance([(300, 40, 90)])
    raw["families"][0]["precision_at_k"] = estimate(81, 293)
    safe = published_performance(raw, Shown())
    assert safe["at_capacity"]["precision"]["value"] == 0.346
    assert (safe["families"][0]["precision_at_k"]["value"], safe["families"][0]["precision_at_k"]["n"]) == (0.28, 295)
    assert precision_of(estimate(81, 260), 300, PROFILES["sro-10"]) == estimate(81, 260)


def test_sizes_with_few_unknown_or_few_more_than_another_are_coarse() -> None:
    raw = use(people=2500, places=300, unknown=0.02, dates=2)
    safe = published_use(raw, Shown())
    exact = {round(row["relative"], 3): row for row in raw["capacity_sweep"]}
    told = [row for row in safe["capacity_sweep"] if row["precision_bounds"] != [None, None]]
    for row in safe["capacity_sweep"]:
        if 0 < exact[row["relative"]]["unknown"] < 10:
            assert row["selected"] < 110 or row["precision"]["value"] == round(row["precision"]["value"], 2)
            assert row["known"] == row["precision"]["n"]
            assert (row["unknown"], row["precision_bounds"]) == (None, [None, None])
    assert len(told) < len(safe["capacity_sweep"])
    (own,) = [row for row in raw["capacity_sweep"] if row["own"]]
    if own["unknown"] < 10:
        assert safe["assumed"]["precision"]["value"] == round(safe["assumed"]["precision"]["value"], 2)


# ---------------------------------------------------------------- the check that plays the attacker


def by_the_old_rule(profile: str) -> dict[str, Any]:
    """Bounds shown, since many of the cohort are unknown, and three decimals."""
    made = published_performance(performance(LISTS), Shown(PROFILES[profile]))
    for row, one in zip(made["per_date"], LISTS, strict=True):
        found = listed(*one)
        row["precision_bounds"] = [round(end, 3) for end in found["precision_bounds"]]
        value = found["precision"]
        row["precision_at_k"] = {name: round(value[name], 3) for name in ("value", "low", "high")} | {
            "n": 5 * round(value["n"] / 5)
        }
    return card(made, LISTS, profile)


def test_a_card_by_the_old_rule_is_found_out() -> None:
    found = recovered([by_the_old_rule("sro-10")])
    assert {(one.where, one.how) for one in found} == {
        (f"performance, 20{10 + place}-01-01: on it, unknown", ALONE) for place in range(4)
    }
    passed, said = versions(Checked(by_the_old_rule("sro-10")))
    assert not passed
    assert "performance, 2010-01-01: on it, unknown" in said


@pytest.mark.parametrize("profile", PEOPLE)
def test_a_card_by_the_rule_that_holds_is_clean_and_the_truth_fits_it(profile: str) -> None:
    safe = published_performance(performance(LISTS), Shown(PROFILES[profile]))
    made = card(safe, LISTS, profile)
    told = _lists(0, made)
    system = _system(told)
    assert _fits(system)
    for one in told:
        if one.value is None and len(one.cells) == 1:
            (place,) = [number for number, row in enumerate(safe["per_date"]) if row["as_of_date"] == one.cells[0][1]]
            least, most = system.range_of(one.cells) or (0, 0)
            assert least <= LISTS[place][1] <= (most if most is not None else 150)
    assert [one for one in recovered([made]) if "on it, unknown" in one.where] == []


def test_sizes_are_put_together_too() -> None:
    """Of three decimals of a list of half the places, one number of unknown is all that is left."""
    made = card(published_performance(performance(LISTS), Shown()), LISTS, "sro-10")
    own = {**made["performance"]["at_capacity"], "own": True, "times": 1.0, "of_ranked": None}
    half = {"own": False, "times": 0.5, "selected": 300, "unknown": None, "hits": 105, "precision_bounds": [None, None]}
    half |= {"precision": {"value": 0.356, "low": 0.3, "high": 0.41, "n": 295}}
    made["performance"]["use"] = {"capacity_sweep": [half, own]}
    assert "performance.use.capacity_sweep.0: on it, unknown" in {one.where for one in recovered([made])}
    half["precision"] |= {"value": 0.36, "n": 300}
    assert recovered([made]) == []
