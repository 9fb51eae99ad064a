"""Several cards of one study put together: planted leaks are found, and honest cards give nothing away."""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit.publishing.published_groups import choose, publish_row
from riskmodels.assessment.suppression import PROFILES, published_count
from riskmodels.cards.differencing import ALONE, SHOWN, WORKED_OUT, Recovered, _system, _table, _targets, recovered
from riskmodels.cards.editions import public_edition
from riskmodels.cards.published_cells import SUMS, atoms_of, tells
from riskmodels.cards.shown import Shown, published_performance
from tests.cards import example_card as example

Cells = Mapping[str, int]
CELLS = ("tn", "fp", "fn", "tp", "off", "on")
SHIPPED = sorted((Path(__file__).parents[2] / "model_cards").glob("*/card.json"))


def summed(tables: Sequence[Sequence[int]]) -> dict[str, int]:
    cells = {cell: sum(table[place] for table in tables) for place, cell in enumerate(CELLS)}
    return {name: sum(cells[kind] for kind in kinds) for name, kinds in SUMS.items()}


def small_card(
    groups: Mapping[str, Mapping[str, Sequence[int]]],
    profile: str = "sro-10",
    model: str = "m",
    hide: Sequence[str] | None = None,
    data: str = "x",
) -> dict[str, Any]:
    """A card with all that subtraction needs. ``groups``: group -> date -> its six cells; published as a card is.

    ``hide``: instead of what disclosure control would hide, these groups and no other.
    """
    rules, dates = PROFILES[profile], sorted({date for tables in groups.values() for date in tables})
    rows: list[dict[str, Any]] = []
    for group, tables in groups.items():
        metrics = {name: {"value": None, "reason": "none here"} for name in ("selection_rate", "recall", "fpr")}
        rows.append(
            {"attribute": "race", "group": group, **summed(list(tables.values())), "unknown_selected": 0,
             "expected": None, "metrics": metrics}
        )  # fmt: skip
    whole = {name: sum(row[name] for row in rows) for name in SUMS}
    blocks, whys, _ = choose(rows, rules, "people")
    for row in rows:
        key = "race", row["group"]
        if hide is not None:
            blocks[key] = set() if row["group"] in hide else {"size", "margins", "hits", "alarms"}
            whys[key] = "not shown (fewer than 10 people)" if row["n"] < rules.below else "not shown (to protect)"
        publish_row(row, blocks[key], whys[key], rules)
    told = {name: published_count(count, rules) for name, count in whole.items()}
    per_date = []
    for date in dates:
        own = summed([tables[date] for tables in groups.values()])
        known = {
            "n": own["n"],
            "known": own["n"] - own["unknown"],
            "unknown": own["unknown"],
            "events": own["positives"],
        }
        per_date.append({"as_of_date": date, **{name: published_count(count, rules) for name, count in known.items()}})
    return {
        "study": "s",
        "edition_profile": {"edition": "committee", "disclosure": profile},
        "model": {"version": model, "sha256": model},
        "digests": {"data": data},
        "data": {"attrition": {"rows": []}},
        "performance": {
            "n": told["n"], "known": published_count(whole["n"] - whole["unknown"], rules), "unknown": told["unknown"],
            "events": told["positives"], "overall": {}, "per_date": per_date,
            "at_capacity": {"selected": told["selected"], "hits": told["tp"]},
        },
        "audit": {"rows": rows},
    }  # fmt: skip


def of_size(sizes: Mapping[str, int], date: str = "2020-01-01") -> dict[str, dict[str, tuple[int, ...]]]:
    """Groups of so many people, none of whom had the outcome, was listed, or is unknown."""
    return {group: {date: (size, 0, 0, 0, 0, 0)} for group, size in sizes.items()}


# ---------------------------------------------------------------- planted leaks


@pytest.mark.parametrize(
    ("before", "after", "size", "leaks"),
    [
        ("sro-10", "nhs-round5", 8, True), ("sro-10", "nhs-round5", 7, False), ("sro-10", "dfe-cin", 7, True),
        ("sro-10", "places", 3, True), ("sro-10", "sro-10", 8, False),
    ],
)  # fmt: skip
def test_a_profile_that_shows_what_another_hid_is_found(before: str, after: str, size: int, leaks: bool) -> None:
    groups = of_size({"a": 300, "c": size, "d": 4})
    cards = [small_card(groups, before), small_card(groups, after)]
    assert not recovered(cards[:1])
    assert not recovered(cards[1:])
    found = [one for one in recovered(cards) if one.where == "audit, race: c, n"]
    assert bool(found) is leaks
    if leaks:
        assert found[0].how == SHOWN
        assert [name.split()[1] for name in found[0].cards] == ["1", "2"]
        assert str(size) not in found[0].where + found[0].how


def test_a_total_without_complementary_suppression_is_found_in_one_card() -> None:
    # 9 + 12 + 12 = 33, told as 35: less two that are at most 12, at least 9 are left, and they are fewer than 10.
    groups = of_size({"a": 9, "b": 12, "c": 12})
    assert recovered([small_card(groups)]) == []
    planted = small_card(groups, hide=["a"])
    assert Recovered("audit, race: a, n", ("card 1 (committee, version m, sro-10)",), ALONE) in recovered([planted])


def test_versions_that_hide_different_groups_beside_a_small_one_are_found() -> None:
    groups = of_size({"a": 9, "b": 12, "c": 12})
    first, second = small_card(groups, hide=["a", "b"]), small_card(groups, hide=["a", "c"], model="k")
    assert recovered([first]) == recovered([second]) == recovered([first, first]) == []
    found = {one.where: one for one in recovered([first, second])}
    assert found["audit, race: a, n"].how == WORKED_OUT
    assert len(found["audit, race: a, n"].cards) == 2


def test_a_share_of_one_date_that_all_dates_give_away_is_found() -> None:
    """Of 100 a date, 44 of 200 and 37 of 100 leave 7: hidden, and found."""
    raw = copy.deepcopy(example.performance())
    raw["at_capacity"] |= {"selected": 200, "known": 200, "unknown": 0, "hits": 44,
                           "precision": {"value": 0.22, "n": 200}}  # fmt: skip
    raw["per_date"] = [
        {**raw["per_date"][0], "as_of_date": date, "precision_at_k": {"value": hits / 100, "n": 100}}
        for date, hits in (("1987-06-30", 37), ("1988-06-30", 7))
    ]
    raw |= {name: 2 * raw[name] for name in ("n", "known", "unknown", "events")}  # two such dates
    card = example.card().to_dict()
    card["performance"] |= published_performance(raw, Shown())
    assert [row["precision_at_k"]["value"] for row in card["performance"]["per_date"]] == [None, None]
    assert not [one for one in recovered([card]) if "precision" in one.where]
    card["performance"]["per_date"][0]["precision_at_k"] = {"value": 0.37, "n": 100}  # without the second hidden
    found = [one for one in recovered([card]) if "precision" in one.where]
    assert [one.where for one in found] == ["performance, 1988-06-30, precision_at_k, right"]


def test_a_step_whose_number_the_others_leave_no_choice_is_found() -> None:
    card = small_card(of_size({"a": 300, "b": 200}), "sro-10")
    card["data"]["attrition"]["rows"] = [["1 May", "in the extract", 0, 500], ["1 May", "over 18", None, 500]]
    assert recovered([card]) == []
    leak = copy.deepcopy(card)  # a card of places, and so exact, tells the same step
    leak["edition_profile"]["disclosure"] = "places"
    leak["data"]["attrition"]["rows"] = [["1 May", "in the extract", 0, 502], ["1 May", "over 18", 3, 499]]
    assert "data, 1 May, over 18, left out" in [one.where for one in recovered([card, leak])]


def test_cards_of_other_people_are_not_put_together() -> None:
    groups, others = of_size({"a": 9, "b": 12, "c": 12}), of_size({"a": 900, "b": 1200, "c": 1200})
    first, second = small_card(groups, hide=["a", "b"]), small_card(others, hide=["a", "c"], data="y")
    assert recovered([first, second]) == []
    # Though what each gives away by itself is found all the same.
    assert [one.how for one in recovered([small_card(groups, hide=["a"]), second])] == [ALONE]
    other_study = {**small_card(groups, hide=["a", "c"], model="k"), "study": "t"}
    assert recovered([first, other_study]) == []


def test_places_have_nothing_to_hide() -> None:
    groups = of_size({"a": 3, "b": 12})
    assert recovered([small_card(groups, "places"), small_card(groups, "places", model="k")]) == []


# ---------------------------------------------------------------- made-up tables


counts = st.one_of(st.integers(0, 12), st.integers(10, 60))
table = st.tuples(counts, counts, counts, counts, st.integers(0, 12), st.integers(0, 12))
two_dates = st.lists(st.tuples(table, table), min_size=2, max_size=3)


@settings(max_examples=6, deadline=None)
@given(two_dates, st.sampled_from(["sro-10", "dfe-cin", "nhs-round5"]))
def test_the_truth_lies_within_what_is_worked_out_and_one_card_is_clean(
    tables: list[tuple[tuple[int, ...], tuple[int, ...]]], profile: str
) -> None:
    """Of every hidden number, and of every date by itself: else the attack would rest on something false."""
    dates = ("2020-01-01", "2021-01-01")
    groups = {f"g{place}": dict(zip(dates, pair, strict=True)) for place, pair in enumerate(tables)}
    later = {group: {dates[1]: pair[dates[1]]} for group, pair in groups.items()}
    cards = [small_card(groups, profile), small_card(later, profile)]
    told = [one for place, card in enumerate(cards) for one in tells(place, card, atoms_of(cards))]
    atoms = {" ".join(map(str, held)): date for date, held in atoms_of(cards).items()}
    own = [one for one in told if _table(one) == "race"]
    system = _system(own)
    for one in _targets(own):
        truth = sum(groups[group][atoms[held]][CELLS.index(kind)] for _, group, held, _, kind in one.cells)
        between = system.range_of(one.cells)
        assert between is not None
        assert between[0] <= truth <= (truth if between[1] is None else between[1]), one.where
    assert [one for one in recovered(cards[1:]) if one.how != SHOWN] == []


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 25), min_size=3, max_size=3), st.data())
def test_what_is_found_of_sizes_agrees_with_trying_every_table(sizes: list[int], data: st.DataObject) -> None:
    """Three groups, some of them hidden: each size from 0 to 79 is tried against all that the card tells."""
    names = ("a", "b", "c")
    hidden = data.draw(st.sets(st.sampled_from(names), min_size=1))
    hidden |= {name for name, size in zip(names, sizes, strict=True) if size < 10}
    card = small_card(of_size(dict(zip(names, sizes, strict=True))), hide=sorted(hidden))
    for row in card["audit"]["rows"]:  # as in the public edition, only sizes
        for name in set(SUMS) - {"n"}:
            del row[name]
        row["metrics"] = {"selection_rate": row["metrics"]["selection_rate"]}
    for name in ("known", "unknown", "events"):
        del card["performance"][name]
    card["performance"]["at_capacity"] = {}
    shown = {row["group"]: row["n"] for row in card["audit"]["rows"]}
    total = card["performance"]["n"]
    card["performance"]["per_date"] = []
    allowed = [range(80) if shown[name] is None else range(max(shown[name] - 2, 10), shown[name] + 3) for name in names]
    ends = (0, 240) if total is None else (max(total - 2, 10), total + 2)
    fits = [(a, b, c) for a in allowed[0] for b in allowed[1] for c in allowed[2] if ends[0] <= a + b + c <= ends[1]]
    told = [one for one in tells(0, card, atoms_of([card])) if _table(one) == "race"]
    system = _system(told)
    for place, name in enumerate(names):
        one = next(one for one in told if one.where == f"audit, race: {name}, n")
        between = system.range_of(one.cells)
        assert between is not None
        least, most = min(table[place] for table in fits), max(table[place] for table in fits)
        assert between[0] == least
        assert most == (79 if between[1] is None else between[1])


# ---------------------------------------------------------------- whole cards


@pytest.mark.parametrize("profile", ["sro-10", "dfe-cin", "nhs-round5"])
def test_the_example_and_its_public_edition_are_clean(profile: str) -> None:
    card = example.card(example.study({"disclosure": profile})).to_dict()
    assert recovered([card, public_edition(card, "d" * 64)]) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_cards_and_their_public_editions_are_clean(path: Path) -> None:
    card = json.loads(path.read_bytes())
    assert recovered([card, public_edition(card, "d" * 64)]) == []
