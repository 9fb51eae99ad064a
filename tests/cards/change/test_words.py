"""The sentences of a change: each planted, and the case without; every number in them is one of the cards'."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from riskmodels.cards.change import compare_cards
from riskmodels.cards.words import of_100
from tests.cards.change.pairs import all_of, change, changed, estimate, original, put

AT, OVERALL = "performance.at_capacity", "performance.overall"


def sentence(found, start: str) -> str:
    (said,) = [words for words in found.words if words.startswith(start)]
    return said


def test_whom_it_misses_by_more_than_chance_and_not() -> None:
    # Found: 0.505 (0.466 to 0.544) before; missed is the rest of 100 of what page one prints as found.
    clear = change(put(f"{AT}.recall", estimate(0.62, 0.039)))
    assert "It now misses 38 of 100 pupils who needed help; last time 49. This is more than chance." in clear.words
    could = change(put(f"{AT}.recall", estimate(0.53, 0.039)))
    assert "It now misses 47 of 100 pupils who needed help; last time 49. This could be chance." in could.words
    no_interval = change(put(f"{AT}.recall", {"value": 0.62, "n": 400}))
    assert sentence(no_interval, "It now misses").endswith("We cannot say whether this is chance.")
    same = change(put(f"{AT}.precision", estimate(0.7, 0.04)))
    assert "It misses 49 of 100 pupils who needed help, as last time." in same.words


def test_how_often_the_list_is_right() -> None:
    found = change(put(f"{AT}.precision", estimate(0.75, 0.043)))
    assert "Of 100 pupils on the list, 75 now needed help; last time 64. This is more than chance." in found.words


def test_what_is_hidden_on_one_card_is_said_to_be_so() -> None:
    hidden = {"value": None, "reason": "not shown (fewer than 10 people)"}
    found = change(put(f"{AT}.recall", hidden))
    said = sentence(found, "How many pupils who needed help the list misses")
    assert said.endswith("cannot be compared: not shown on one of the cards.")
    assert not any("It now misses" in words for words in found.words)


def test_bounds_are_compared_as_ranges() -> None:
    overlap = change(put(f"{AT}.recall_bounds", [0.35, 0.7]), bounds=True)
    said = sentence(overlap, "Of 100 pupils who needed help")
    assert said.startswith(
        "Of 100 pupils who needed help, it now finds between 35 and 70; last time between 31 and 65."
    )
    assert said.endswith("The ranges overlap, so we cannot say whether this changed.")
    apart = change(put(f"{AT}.recall_bounds", [0.7, 0.8]), bounds=True)
    assert "The ranges lie apart" in sentence(apart, "Of 100 pupils who needed help")
    hidden = change(put(f"{AT}.recall_bounds", [0.7, None]), bounds=True)
    assert "How many are missed cannot be compared: the range is not shown on one of the cards." in hidden.words
    assert "This is more than chance" not in " ".join((*overlap.words, *apart.words, *hidden.words))
    assert any("for those whose outcome is known" in words for words in overlap.words)


def test_a_card_without_bounds_is_compared_with_one_that_leads_with_them_by_bounds() -> None:
    found = compare_cards(original(), original(bounds=True))
    assert sentence(found, "Of 100 pupils on the list, between")
    assert not any("misses" in words for words in found.words)


@pytest.mark.parametrize("path", ["how_it_works.facts.outcome.value", "audit.level"])
def test_figures_of_another_outcome_are_not_compared(path: str) -> None:
    found = change(all_of(put(path, "household"), put(f"{AT}.recall", estimate(0.9, 0.01))))
    assert any("no figure of the two cards can be compared" in words for words in found.words)
    assert "more than chance" not in " ".join(found.words)
    assert {row[3] for row in found.tables["figures"].rows} <= {"cannot be compared"}
    assert {row[-1] for row in found.fields["performance"].rows} <= {"cannot be compared", "", "on one card only"}
    assert found.figures == ()


def test_a_list_of_another_length_is_warned_of() -> None:
    found = change(put(f"{AT}.selection_rate", 0.25))
    assert (
        "The list now takes 25 of 100 pupils; last time 16. A longer list finds more, whoever is on it." in found.words
    )
    shorter = change(put(f"{AT}.selection_rate", 0.1))
    assert sentence(shorter, "The list now takes").endswith("A shorter list misses more, whoever is on it.")


def test_measures_of_the_ranking() -> None:
    found = change(
        all_of(
            put(f"{OVERALL}.auc", estimate(0.92, 0.01)),
            put(f"{OVERALL}.oe_ratio", estimate(1.06, 0.06)),
            put(f"{OVERALL}.calibration_slope", estimate(1.6, 0.08)),
            put(f"{OVERALL}.average_precision", estimate(0.72, 0.03)),
        )
    )
    assert sentence(found, "Take pairs").endswith(
        "Of 100 pairs, the ranking now puts the right one first in 92; last time 88. This is more than chance."
    )
    assert sentence(found, "For each 100 cases") == (
        "For each 100 cases that the risks foresee, 106 now came about; last time 104. This could be chance."
    )
    assert "Calibration slope (now 1.6, last time 1.03)" in sentence(found, "Other figures that changed")
    assert sentence(found, "No clear change in") == "No clear change in: Average precision."


def test_advice_that_changed_and_advice_that_did_not() -> None:
    other = change(
        all_of(
            put("summary.recommendation.code", "do_not_use"), put("summary.recommendation.headline", "Do not use this.")
        )
    )
    assert other.words[0].startswith("Our advice changed. Our advice now: “Do not use this.” Last time: “")
    assert change(put("risks.facts.harms_if_missed.value", "x")).words[0].startswith("Our advice is as last time: “")


def test_a_card_without_a_verdict_of_an_audit() -> None:
    was = original()["audit"]["verdict"]
    bare = changed(put("audit.verdict", None))
    for old, new, said in (
        (original(), bare, f"This card holds no verdict of a fairness audit; last time it was {was}."),
        (bare, original(), f"The fairness audit says {was}; the last card held no verdict."),
        (bare, changed(all_of(put("audit.verdict", None), put("title", "x"))), "Neither card holds a verdict of a"),
    ):
        words = compare_cards(old, new).words
        assert any(line.startswith(said) for line in words)
        assert not any("None" in line for line in words)


def contrast(card):
    rows = card["audit"]["contrasts"]
    return next(row for row in rows if row["attribute"] == "gender" and row["metric"] == "recall")


def test_verdicts_of_the_audit() -> None:
    def fails(card):
        card["audit"]["verdict"] = "FAIL"
        contrast(card)["verdict"] = "FAIL"

    found = change(fails)
    was = original()["audit"]["verdict"]
    assert f"The fairness audit now says FAIL; last time {was}." in found.words
    said = sentence(found, "It now fails for")
    assert "gender: female, found by the list, against male" in said
    back = compare_cards(changed(fails), original())
    assert "gender: female, found by the list, against male (now" in sentence(back, "It no longer fails for")
    (row,) = found.tables["verdicts"].rows
    assert row[-1] == "FAIL"


def test_other_verdicts_are_left_to_the_table() -> None:
    found = change(lambda card: contrast(card).update(verdict="look here"))
    assert "Verdicts of single comparisons of the audit changed. A table below lists each of them." in found.words
    assert not any("fails for" in words for words in found.words)
    assert len(found.tables["verdicts"].rows) == 1


def test_a_group_that_fares_otherwise() -> None:
    def plant(card):
        row = next(row for row in card["audit"]["rows"] if row["group"] == "female")
        row["metrics"]["recall"] = estimate(0.9, 0.01)

    said = sentence(change(plant), "Groups for which")
    assert "gender: female, found by the list (now 90 (89 to 91), last time" in said


def test_questions_answered_and_no_longer() -> None:
    found = change(all_of(put("questions.18.answer", "It cost little."), put("questions.0.answer", None)))
    questions = original()["questions"]
    assert f"Question 19 ({questions[18]['question']}) is newly answered." in found.words
    assert f"Question 1 ({questions[0]['question']}) is no longer answered." in found.words
    assert any("It cost little." in row for row in found.tables["questions"].rows)


def test_answers_that_are_new_gone_or_other() -> None:
    found = change(
        all_of(
            put("law.facts.lawful_basis.value", "Public task."),
            put("monitoring.facts.review.value", None),
            put("risks.facts.harms_if_missed.value", "Help may come late."),
            put("people_process.facts.when_flagged.owner", "Somebody else"),
        )
    )
    assert "Newly answered: lawful basis." in found.words
    assert "No longer answered: review." in found.words
    assert "Answers in other words: harms if missed." in found.words
    rows = {row[1]: row for row in found.tables["answers"].rows}
    assert rows["Harms if missed"][2:] == ("A child may wait a year for help.", "Help may come late.", "changed")
    assert rows["When flagged"][2:] == ("Reading Manager", "Somebody else", "another owner")


def test_what_the_run_says_of_itself_is_no_answer() -> None:
    """An earlier schema kept a line of the run's own among the facts."""
    fact = {"value": "This is the first card.", "source": "run", "owner": "x"}
    with_it = changed(lambda card: card["ask"]["facts"].update(what_changed=fact))
    found = compare_cards(with_it, original())
    assert not any("answered" in words for words in found.words)
    assert ("2 What we ask you to decide", "Facts: what changed", "only last time") in found.tables["parts"].rows


def expires(day):
    def plant(card):
        register = card["data"]["register"]
        for row in register["rows"]:
            row[register["columns"].index("Agreement expires")] = day if row[0] == "records" else "2099-01-01"

    return plant


def test_agreements_renewed_ended_since_and_ended_before_the_data() -> None:
    old = changed(expires("1990-08-31"))
    renewed = compare_cards(old, changed(expires("1995-08-31")))
    assert "The agreement for “records” now ends: 31 August 1995. Last time: 31 August 1990." in renewed.words

    ended = "The agreement for “records” ended on 31 August 1990, which is since the last card."
    new = changed(all_of(expires("1990-08-31"), put("digests.answers", "7" * 64)))
    days = {"since": dt.date(1990, 1, 1), "today": dt.date(1990, 9, 1)}
    assert ended in compare_cards(old, new, **days).words
    assert ended not in compare_cards(old, new, **{**days, "today": dt.date(1990, 8, 31)}).words
    assert ended not in compare_cards(old, new, **{**days, "since": dt.date(1990, 9, 1)}).words
    assert ended not in compare_cards(old, new).words  # no day is taken from a clock
    # Nobody knows when the last card was made: then it is not said to be since.
    words = compare_cards(old, new, today=dt.date(1990, 9, 1)).words
    assert "The agreement for “records” has ended: it ran until 31 August 1990." in words
    assert not any("since the last card" in line for line in words)

    late = compare_cards(old, changed(expires("1989-06-01"))).words
    assert "The data of “records” were taken out on 1 July 1989, after their agreement ended." in late
    assert not any("after their agreement ended" in words for words in renewed.words)


def test_data_taken_out_anew() -> None:
    def plant(card):
        register = card["data"]["register"]
        register["rows"][0][register["columns"].index("Extracted on")] = "1990-07-01"

    assert any("were taken out on 1 July 1990. Last time: 1 July 1989." in words for words in change(plant).words)


# ---------------------------------------------------------------- no number of its own


def sayable(*cards) -> set[str]:
    """Every number that two cards could be quoted with: in their texts, as a share of 100, as what is left of it."""
    said: set[str] = set()

    def walk(value) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            said.update(re.findall(r"\d+(?:\.\d+)?", value))
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                said.update(str(int(part)) for part in value.split("-"))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            said.update((str(abs(value)), f"{abs(value):.4f}".rstrip("0").rstrip("."), f"{100 * abs(value):.0f}"))
            if 0 <= value <= 1:
                share = of_100(value)
                said.update(re.findall(r"\d+", share))
                if share.isdigit():
                    said.add(str(100 - int(share)))

    for card in cards:
        walk(json.loads(json.dumps(card)))
    return said


def counted(found) -> set[str]:
    """How many figures of groups there are, and can be compared: the words say both."""
    rows = found.tables["groups"].rows if "groups" in found.tables else ()
    return {str(len(rows)), str(sum(row[-1] in ("the same", "more than chance", "could be chance") for row in rows))}


def numbers_of(text: str) -> list[str]:
    return [number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def everything(card) -> None:
    for plant in (
        put(f"{AT}.recall", estimate(0.62, 0.039)), put(f"{AT}.precision", estimate(0.71, 0.04)),
        put(f"{AT}.selection_rate", 0.21), put(f"{OVERALL}.auc", estimate(0.93, 0.011)),
        put(f"{OVERALL}.calibration_slope", estimate(1.61, 0.08)), put("model.sha256", "cd" * 32),
        put("model.version", "cd" * 6), put("how_it_works.facts.places.value", "650 on each list"),
        put("performance.per_date.0.as_of_date", "1989-06-30"), put("audit.verdict", "FAIL"), expires("1993-02-17"),
    ):  # fmt: skip
        plant(card)


@pytest.mark.parametrize("bounds", [False, True])
def test_every_number_said_is_one_of_the_two_cards(bounds: bool) -> None:
    old, new = original(bounds=bounds), changed(everything, bounds=bounds)
    found = compare_cards(old, new)
    may = sayable(old, new) | {"100"} | counted(found)
    for words in (*found.words, *found.substantive):
        assert set(numbers_of(words)) <= may, words
    for content in (*found.tables.values(), *found.fields.values()):
        for row in content.rows:
            for value in row:
                assert set(numbers_of(str(value))) <= may | {"95"}, row
    assert set(numbers_of("It now misses 77.123 of 100.")) - may  # the oracle would see a number that is nobody's
