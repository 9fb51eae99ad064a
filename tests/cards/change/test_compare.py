"""A change as a whole: nothing changed, swapped sides, nothing silent, nothing hidden derived."""

from __future__ import annotations

import copy
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.cards.change import compare_cards
from riskmodels.cards.change.compare import NOTHING
from riskmodels.cards.change.estimates import HIDDEN, HIDDEN_ON_ONE
from tests.cards.change.pairs import all_of, change, changed, estimate, original, put

AT = "performance.at_capacity"


@pytest.mark.parametrize("bounds", [False, True])
def test_the_same_card_has_not_changed(bounds: bool) -> None:
    found = compare_cards(original(bounds=bounds), original(bounds=bounds))
    assert found.words == (NOTHING,)
    assert found.is_nothing
    assert not found.resets_approval
    assert found.tables == found.fields == {}
    assert found.substantive == found.figures == ()


def test_both_cards_are_identified_by_their_digest() -> None:
    from tests.cards import example_card as example

    found = compare_cards(original(), changed(put("digests.data", "7" * 64)))
    assert found.against["card_sha256"] == example.card(performance=example.performance(unknown=20)).digest
    assert found.card["card_sha256"] != found.against["card_sha256"]
    assert found.against["test_dates"] == ["1988-06-30"]


def test_plain_values_and_the_same_twice() -> None:
    import json

    old, new = original(), changed(put(f"{AT}.recall", estimate(0.6, 0.03)))
    kept = copy.deepcopy((old, new))
    assert json.dumps(compare_cards(old, new).to_dict()) == json.dumps(compare_cards(old, new).to_dict())
    assert (old, new) == kept


values = st.integers(20, 80).map(lambda percent: estimate(percent / 100, 0.04))


@settings(max_examples=12, deadline=None)
@given(values, values, st.sampled_from(["audit", "purpose", "none"]))
def test_swapping_the_cards_swaps_before_and_after(recall, auc, also) -> None:
    plants = {
        "audit": put("audit.verdict", "FAIL"),
        "purpose": put("question", "Which pupils?"),
        "none": lambda card: None,
    }
    old = original()
    new = changed(all_of(put(f"{AT}.recall", recall), put("performance.overall.auc", auc), plants[also]))
    there, back = compare_cards(old, new), compare_cards(new, old)
    assert there.tables.keys() == back.tables.keys()
    for name in ("figures", "measures", "groups", "verdicts", "answers"):
        for one, other in zip(*(each.tables[name].rows if name in each.tables else () for each in (there, back)),
                              strict=True):  # fmt: skip
            places = (2, 3) if name == "groups" else (-2, -1) if name == "verdicts" else (1, 2)
            if name == "answers":
                places = (2, 3)
            assert [one[place] for place in places] == [other[place] for place in reversed(places)]
    assert there.resets_approval == back.resets_approval
    # More than chance is said of who is missed only where the two intervals say so.
    gap = abs(recall["value"] - 0.505)
    clear = any("misses" in words and words.endswith("This is more than chance.") for words in there.words)
    assert clear == (gap > (0.039**2 + 0.04**2) ** 0.5 + 0.001)


def test_every_part_that_differs_is_listed_and_no_other() -> None:
    found = change(
        all_of(
            put("explanation.method", "Another method."),
            put("law.facts.lawful_basis.value", "Public task."),
            lambda card: card["not_computed"].update({"figures.other": "no reason"}),
            lambda card: card["figures"].pop(),
        )
    )
    gone = original()["figures"][-1]["title"]
    assert set(found.tables["parts"].rows) == {
        ("9 Explanations", "Method", "differs"),
        ("11 Law and assessments", "Facts: lawful basis", "differs"),
        ("Not computed", "Figures.other", "only now"),
        ("Figures", gone, "only last time"),
    }


def test_every_number_that_differs_is_listed_and_paired_by_what_it_is_of() -> None:
    def plant(card):
        card["performance"]["families"].reverse()  # their order says nothing
        row = next(row for row in card["performance"]["families"] if row["model"] == "points")
        row["auc"] = estimate(0.7, 0.014)

    (row,) = change(plant).fields["performance"].rows
    assert row == ("Families, points: AUC, of 100", "82 (81 to 83)", "70 (69 to 71)", "more than chance")


def test_a_number_on_one_card_only_is_listed() -> None:
    found = change(lambda card: card["performance"]["overall"].pop("auc"))
    assert ("AUC, of 100", "88 (87 to 89)", "not on this card", "on one card only") in found.fields["performance"].rows
    back = compare_cards(changed(lambda card: card["performance"]["overall"].pop("auc")), original())
    assert ("AUC, of 100", "not on this card", "88 (87 to 89)", "on one card only") in back.fields["performance"].rows


# ---------------------------------------------------------------- nothing hidden is derived


def group(card, name):
    return next(row for row in card["audit"]["rows"] if row["group"] == name)


def hide(name):
    hidden = {"value": None, "reason": "not shown (a small number, or one that would give it away)"}

    def plant(card):
        row = group(card, name)
        row["metrics"] = dict.fromkeys(row["metrics"], hidden)
        for key in ("n", "positives", "selected", "tp", "fp", "fn", "tn"):
            row[key] = None

    return plant


def test_two_groups_hidden_on_different_cards_are_shown_on_neither() -> None:
    found = compare_cards(changed(hide("white")), changed(hide("afam")))
    rows = [row for row in found.tables["groups"].rows if row[0] in ("Ethnicity: white", "Ethnicity: African American")]
    assert rows
    assert {row[2:] for row in rows} == {(HIDDEN, HIDDEN, HIDDEN_ON_ONE)}
    listed = [row for row in found.fields["audit"].rows if re.match("Ethnicity, (white|afam):", str(row[0]))]
    assert listed
    assert {row[1:] for row in listed} == {(HIDDEN, HIDDEN, HIDDEN_ON_ONE)}
    shown = {row[0] for figure in found.figures for row in figure.table.rows}
    assert not {"Ethnicity: white", "Ethnicity: African American"} & shown
    # Without anything hidden both stand there.
    open_ = change(put("digests.data", "7" * 64))
    assert {"Ethnicity: white", "Ethnicity: African American"} <= {
        row[0] for figure in open_.figures for row in figure.table.rows
    }


def test_a_cell_with_the_profiles_mark_is_shown_on_neither_side() -> None:
    """dfe-cin writes "c" where a number is hidden."""

    def mark(card):
        card["data"]["missing"]["rows"][0][2] = "c"

    kept = original()["data"]["missing"]["rows"][0][2]
    rows = change(mark).fields["data"].rows
    assert [row[1:] for row in rows if HIDDEN in row] == [(HIDDEN, HIDDEN, HIDDEN_ON_ONE)]
    assert not any(kept in row or "c" in row for row in rows)


def test_counts_of_people_are_not_set_side_by_side() -> None:
    """One date more: what lies between two counts is the count of that date, which neither card has checked."""

    def grow(card):
        group(card, "female")["tp"] += 5
        card["performance"]["n"] += 5
        for row in card["data"]["outcome_status"]["rows"]:
            row[1] += 5

    found = change(grow)
    assert not any(isinstance(cell, int) for content in found.fields.values() for row in content.rows for cell in row)
    assert ("7 How well it works", "N", "differs") in found.tables["parts"].rows
    places = compare_cards(changed(put("edition_profile.disclosure", "places")),
                           changed(all_of(put("edition_profile.disclosure", "places"), grow)))  # fmt: skip
    assert any(isinstance(cell, int) for content in places.fields.values() for row in content.rows for cell in row)


# ---------------------------------------------------------------- bad cards


def test_braces_and_markup_in_what_people_wrote_are_only_text() -> None:
    evil = "{0.__class__} <script>alert(1)</script> %s"

    def plant(card):
        card["purpose"]["facts"]["intended_use"]["value"] = evil
        card["performance"]["tables"]["list"]["caption"] = f"The list, of 100 {evil} each time"
        card["performance"]["overall"]["auc"] = estimate(0.7, 0.01)

    found = change(plant)
    assert any(evil in words for words in found.words)
    assert any(evil in words for words in found.substantive)


def test_cards_that_lack_parts_are_compared_by_what_they_have() -> None:
    def bare(card):
        card["performance"]["tables"] = {}
        card["performance"]["at_capacity"] = {}
        card["performance"]["overall"] = {}
        card["performance"]["per_date"] = []
        card["audit"]["rows"] = card["audit"]["contrasts"] = []
        card["audit"].pop("titles", None)

    found = change(bare)
    assert any(words.startswith("How many people who had the outcome the list misses cannot") for words in found.words)
    assert compare_cards(changed(bare), changed(all_of(bare, put("digests.data", "7" * 64)))).words
