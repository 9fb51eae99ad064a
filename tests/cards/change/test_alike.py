"""What is called the same, or not clearly changed, is so: figures that print alike, and groups."""

from __future__ import annotations

import pytest

from riskmodels.cards.change import compare_cards
from tests.cards.change.pairs import all_of, change, changed, estimate, put
from tests.cards.change.test_words import AT, OVERALL, sentence


def test_what_changed_by_more_than_chance_is_never_said_to_be_as_last_time() -> None:
    """0.336 and 0.344 are both 34 of 100: the words must not deny what the table says."""
    path = f"{AT}.precision"
    old = changed(put(path, estimate(0.336, 0.001)))
    clear = compare_cards(old, changed(put(path, estimate(0.344, 0.001))))
    said = "Of 100 pupils on the list, 34.4 now needed help; last time 33.6. This is more than chance."
    assert said in clear.words
    (row,) = [row for row in clear.tables["figures"].rows if str(row[0]).startswith("On the list")]
    assert row[1:] == ("33.6 (33.5 to 33.7)", "34.4 (34.3 to 34.5)", "more than chance")
    could = compare_cards(old, changed(put(path, estimate(0.344, 0.1))))
    assert "Of 100 pupils on the list, 34 needed help, as last time." in could.words
    bare = compare_cards(old, changed(put(path, {"value": 0.344, "n": 400})))
    assert sentence(bare, "Of 100 pupils on the list, 34.4").endswith("We cannot say whether this is chance.")


@pytest.mark.parametrize(
    ("path", "values", "said"),
    [
        (f"{AT}.recall", (0.336, 0.344), "It now misses 65.6 of 100 pupils who needed help; last time 66.4."),
        (f"{OVERALL}.auc", (0.876, 0.884), "first in 88.4; last time 87.6."),
        (f"{OVERALL}.oe_ratio", (0.996, 1.004), "foresee, 100.4 now came about; last time 99.6."),
        (f"{OVERALL}.base_rate", (0.236, 0.244), "is known, 24.4 now needed help; last time 23.6."),
    ],
)
def test_a_decimal_shows_what_whole_numbers_hide(path: str, values: tuple[float, float], said: str) -> None:
    old, new = (changed(put(path, estimate(value, 0.001))) for value in values)
    assert any(f"{said} This is more than chance." in words for words in compare_cards(old, new).words)


def test_ranges_that_print_alike_and_differ_are_not_called_the_same() -> None:
    old, new = (changed(put(f"{AT}.recall_bounds", ends), bounds=True) for ends in ([0.313, 0.651], [0.306, 0.646]))
    said = "it now finds between 30.6 and 64.6; last time between 31.3 and 65.1. The ranges overlap"
    assert said in sentence(compare_cards(old, new), "Of 100 pupils who needed help")


def test_no_clear_change_is_said_only_of_groups_that_can_be_compared() -> None:
    def each(change_it):
        def plant(card):
            for row in card["audit"]["rows"]:
                row["metrics"] = {name: change_it(metric) for name, metric in row["metrics"].items()}

        return plant

    def said(*plants):
        found = change(all_of(put("title", "x"), *plants))
        rows = found.tables["groups"].rows
        return [
            words for words in found.words if "figures of protected groups" in words or "no protected" in words
        ], rows

    whole = each(lambda metric: estimate(0.5, 0.1))
    found = compare_cards(changed(whole), changed(all_of(whole, put("title", "x"))))
    assert "For no protected group is there a clear change." in found.words
    hidden, rows = said(each(lambda metric: {"value": None, "reason": "not shown (fewer than 10 people)"}))
    assert hidden == [f"Of {len(rows)} figures of protected groups, none can be compared."]
    bare, rows = said(each(lambda metric: {**metric, "value": 0.9, "low": None, "high": None}))
    assert bare == [f"Of {len(rows)} figures of protected groups, none can be compared."]

    def hide_women(card):
        row = next(row for row in card["audit"]["rows"] if row["group"] == "female")
        row["metrics"] = {
            name: {"value": None, "reason": "not shown (fewer than 10 people)"} for name in row["metrics"]
        }

    some = compare_cards(changed(whole), changed(all_of(whole, hide_women)))
    rows = some.tables["groups"].rows
    left = sum(row[-1] == "the same" for row in rows)
    assert 0 < left < len(rows)
    assert (
        f"Of {len(rows)} figures of protected groups, {left} can be compared; in none of these is there a clear change."
    ) in some.words
