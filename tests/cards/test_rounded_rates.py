"""Under the profile that says so, a rate is that of rounded counts, wherever it stands in a card."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import PROFILES, rounded
from riskmodels.cards.rounded_rates import of_rounded, rate_of_rounded
from riskmodels.cards.shown import Shown, people_of_100, published_performance
from tests.cards import example_card as example

NHS = PROFILES["nhs-round5"]


def test_the_arithmetic() -> None:
    # 127 of 483 is 0.263; rounded, 125 of 485.
    found = rate_of_rounded({"value": 127 / 483, "n": 483}, NHS)
    assert found == {"value": round(125 / 485, 3), "n": 483}
    low, high = wilson(127 / 483, 483)
    there = rate_of_rounded({"value": 127 / 483, "low": low, "high": high, "n": 483}, NHS)
    assert (there["low"], there["high"]) == pytest.approx(wilson(125 / 485, 485), abs=1e-3)


@settings(max_examples=300)
@given(st.integers(1, 60_000), st.data())
def test_every_count_that_rounds_alike_has_one_rate_and_rounding_twice_is_once(n: int, data: st.DataObject) -> None:
    top = data.draw(st.integers(0, n))
    once = rate_of_rounded({"value": top / n, "n": n}, NHS)
    bottom = rounded(n, NHS)
    if not bottom:
        return
    exact = min(rounded(top, NHS) / bottom, 1.0)
    assert once["value"] == pytest.approx(exact, abs=0.00051)
    again = {"value": once["value"], "n": bottom}
    assert rate_of_rounded(again, NHS) == again


@settings(max_examples=200)
@given(st.integers(20, 3000), st.data())
def test_bounds_tell_rounded_counts_only(selected: int, data: st.DataObject) -> None:
    """Ten right, and some unknown: the ends are made of what is published of them."""
    hits = data.draw(st.integers(8, selected))
    unknown = data.draw(st.integers(0, selected - hits))
    events, elsewhere = hits + data.draw(st.integers(8, 3000)), data.draw(st.integers(0, 3000))
    row = {
        "selected": selected, "selection_rate": selected / (selected * 7),
        "precision_bounds": [hits / selected, (hits + unknown) / selected],
        "recall_bounds": [hits / (events + elsewhere), (hits + unknown) / (events + unknown)],
    }  # fmt: skip
    made = of_rounded(row, NHS)
    low, high = made["precision_bounds"]
    assert low == pytest.approx(min(rounded(hits, NHS) / rounded(selected, NHS), 1), abs=0.0006)
    assert high == pytest.approx(min(rounded(hits + unknown, NHS) / rounded(selected, NHS), 1), abs=0.0006)
    worst = rounded(hits, NHS) / rounded(events + elsewhere, NHS)
    assert made["recall_bounds"][0] == pytest.approx(min(worst, 1), abs=0.0006)
    # What was made so passes unchanged.
    again = {**made, "selected": rounded(selected, NHS)}
    assert of_rounded(again, NHS) == again


def shares_in(value: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        own = [(path, value)] if isinstance(value.get("value"), float) and value.get("n") else []
        return own + [found for key, inner in value.items() for found in shares_in(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for place, inner in enumerate(value) for found in shares_in(inner, f"{path}.{place}")]
    return []


def made_of_counts(rules: str) -> list[bool]:
    shown = published_performance(example.performance(), Shown(PROFILES[rules]))
    names = ("precision", "recall", "precision_at_k", "base_rate", "observed")
    found = [share for path, share in shares_in(shown) if path.split(".")[-1] in names]
    assert len(found) > 12
    return [
        any(abs(top / share["n"] - share["value"]) <= 0.0005 for top in range(0, share["n"] + 1, 5)) for share in found
    ]


def test_every_rate_of_a_card_is_that_of_rounded_counts() -> None:
    assert all(made_of_counts("nhs-round5"))
    assert not all(made_of_counts("sro-10"))  # whose rates are the exact ones


def test_fifths_lists_and_people_of_100_too() -> None:
    raw = copy.deepcopy(example.performance())
    shown = Shown(NHS)
    safe = published_performance(raw, shown)
    fifth = safe["unknown_by_fifth"][4]
    assert (fifth["n"], fifth["unknown"], fifth["share"]) == (620, 20, round(20 / 620, 3))
    assert safe["at_capacity"]["selection_rate"] == round(500 / 3105, 3)
    assert safe["at_capacity"]["precision_bounds"] == [305 / 500, 325 / 500]  # 307, and 327 with the unknown
    assert shown.share(17, 483) == round(15 / 485, 3)
    assert Shown().share(17, 483) == round(17 / 483, 3)
    # 127 right, 54 wrong, 319 not known: 125, 55 and 320.
    at = {"selected": 500, "hits": 127, "unknown": 319}
    assert people_of_100(at, shown) == {"right": 25, "wrong": 11, "not_known": 64}
