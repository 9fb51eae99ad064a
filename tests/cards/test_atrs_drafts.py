"""What drafts of the public record say, and that they say no more than the card does."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from riskmodels.cards.checks import CHECKS, Checked
from riskmodels.cards.editions import public_edition
from riskmodels.cards.records.atrs import Field, build_record
from tests.cards import example_card as example

Card = dict[str, Any]
OWN_TIME = "No date here is one of the calendar: a date stands for a number of days since each pupil's own start."


def plain(**file: Any) -> Card:
    return example.card(example.study(file) if file else None).to_dict()


def record(card: Card) -> dict[str, Field]:
    return {field.item: field for field in build_record(card)}


def text(card: Card, item: str) -> str:
    return str(record(card)[item].text)


# ---------------------------------------------------------------- what the card advises, and the audit's verdict


def advised(card: Card, **changes: Any) -> Card:
    """The card with another advice, verdict or tally, and its fields confirmed as the first one drafts them."""
    made = copy.deepcopy(card)
    made["annex"]["atrs_answers"] = {
        item: {"value": None, "confirms": field.digits, "owner": "Head", "source": "answers.yaml"}
        for item, field in record(card).items()
        if field.digits
    }
    made["summary"]["recommendation"]["headline"] = changes.get(
        "headline", card["summary"]["recommendation"]["headline"]
    )
    made["audit"]["verdict"] = changes.get("verdict", card["audit"]["verdict"])
    made["audit"]["tally"]["failed_against_others"] = changes.get("others", 0)
    return made


@pytest.mark.parametrize("item", ["2.2.1", "2.4.2.7"])
def test_the_advice_and_the_verdict_come_first(item: str) -> None:
    card = advised(plain(), headline="Do not use this list as it stands; see section 8.", verdict="FAIL")
    lines = text(card, item).split("\n")
    assert lines[0] == (
        "What the model card advises: Do not use this list as it stands; see section 8 of the model card."
    )
    assert lines[1].startswith("Verdict of the fairness audit: FAIL. It found harm to at least one group.")


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INSUFFICIENT EVIDENCE", "NOT AUDITED"])
def test_each_verdict_is_explained_and_only_a_pass_is_one(verdict: str) -> None:
    said = text(advised(plain(), verdict=verdict), "2.4.2.7").split("\n")[1]
    assert verdict in said
    assert ("not a pass" in said) == (verdict in ("INSUFFICIENT EVIDENCE", "NOT AUDITED"))


@pytest.mark.parametrize(
    "changes", [{"headline": "Use the list to help staff decide."}, {"verdict": "FAIL"}, {"others": 5}]
)
def test_another_advice_or_verdict_breaks_the_confirmation(changes: Card) -> None:
    card = plain()
    card["audit"]["verdict"] = "PASS"
    card["audit"]["tally"]["failed_against_others"] = 0
    assert record(advised(card))["2.4.2.7"].status == "confirmed"
    assert record(advised(card, **changes))["2.4.2.7"].status == "drafted"


def test_what_fails_against_everybody_else_or_on_the_list_as_used_is_said() -> None:
    card = advised(plain(), others=3)
    card["audit"]["words"] += ["On the list that the service would use, comparisons that fail: 2."]
    said = text(card, "2.4.2.7")
    assert "Of comparisons of a group with everybody else, 3 failed." in said
    assert "On the list that the service would use, comparisons that fail: 2." in said


# ---------------------------------------------------------------- what the model uses, and what it was offered


def used(card: Card, *names: str) -> Card:
    """The card with the scores depending on these fields."""
    table = card["how_it_works"]["features"]
    place = table["columns"].index("Used")
    for row in table["rows"]:
        row[place] = row[0] in names
    return card


def declared(characteristic: str) -> Card:
    card = plain()
    table = card["audit"]["tables"]["also_features"]
    table["rows"] = [[characteristic, "Pupils of one age are alike."]]
    return card


def test_a_characteristic_is_used_only_where_the_scores_depend_on_it() -> None:
    unused = text(used(declared("Age"), "reading score this spring"), "2.4.3.4")
    assert "offered to the model, and not used: Age." in unused
    assert "that the model uses" not in unused
    taken = text(used(declared("Age"), "age"), "2.4.3.4")
    assert "Protected characteristics that the model uses: Age (used: Pupils of one age are alike)." in taken
    assert "not used" not in taken
    other = text(used(declared("Date of birth"), "age"), "2.4.3.4")
    assert "offered to the model, under other names: Date of birth." in other


def test_a_source_that_no_score_depends_on_is_only_offered() -> None:
    card = used(plain(), "age")  # of pupils
    lines = text(card, "2.4.2.8").split("\n")
    assert lines[0] == "pupils: used by the model, whose scores depend on it."
    assert lines[1] == "records: offered to the model; no field that its scores depend on comes from it."
    assert lines[2] == "equality: the audit only."
    in_use = text(card, "2.4.4.1").split("\n")
    assert in_use[0].startswith("Read anew for each list: pupils (")
    assert in_use[1].startswith("Offered to the model: records (")


def test_a_source_that_only_waits_in_the_register_is_not_of_the_model() -> None:
    card = plain()
    place = card["data"]["register"]["columns"].index("Used for")
    card["data"]["register"]["rows"][1][place] = "nothing in this study"
    found = record(card)
    assert "records: nothing in this study." in str(found["2.4.2.8"].text)
    assert ": records (" not in str(found["2.4.4.1"].text)
    assert str(found["2.4.4.2"].text).endswith("used only to check that the list is fair: equality.")


# ---------------------------------------------------------------- time, people and third parties


@pytest.mark.parametrize("item", ["2.3.3", "2.4.2.8", "2.4.3.3", "2.4.3.5"])
def test_days_of_each_ones_own_time_are_not_published_as_dates(item: str) -> None:
    assert OWN_TIME in text(plain(clock="relative"), item)
    assert "calendar" not in text(plain(), item)


def test_the_end_of_an_agreement_is_a_date_of_the_calendar_on_either_clock() -> None:
    said = text(plain(clock="relative"), "2.4.3.9")
    assert "It ends on 31 August 1990." in said
    assert "calendar" not in said


def test_who_decides_is_what_people_say_of_it_or_nothing() -> None:
    said = {"who_decides": {"owner": "Head", "text": "The head of the school decides."}}
    card = example.card(example.study(answers={"people_process": said})).to_dict()
    assert text(card, "2.4.1.1").endswith("\nWho decides: The head of the school decides.")
    assert "decides" not in text(plain(), "2.4.1.1")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("No", "drafted"),
        ("no.", "drafted"),
        ("No, but Acme Ltd hosts it and sees every score.", "empty"),
        ("No. Except that Acme Ltd built the model.", "empty"),
        ("Northby Data Ltd built it.", "empty"),
    ],
)
def test_only_a_plain_no_makes_the_five_fields_of_a_third_party_not_applicable(said: str, status: str) -> None:
    answers = {"atrs": {"2.1.4": {"owner": "Head", "text": said}}}
    found = record(example.card(example.study(answers=answers)).to_dict())
    assert {found[f"2.1.4.{number}"].status for number in range(1, 6)} == {status}


# ---------------------------------------------------------------- one rounding


@pytest.mark.parametrize("edition", ["committee", "public"])
def test_the_brier_score_is_the_cards_to_the_last_digit(edition: str) -> None:
    card = plain()
    card["performance"]["overall"]["brier_score"] |= {"value": 0.7134, "low": 0.7084, "high": 0.7183}
    card = card if edition == "committee" else public_edition(card, "0" * 64)
    assert "Brier score, where lower is better: 0.7134 (0.7084 to 0.7183)." in text(card, "2.4.2.7")
    assert CHECKS["record"](Checked(card))[0], CHECKS["record"](Checked(card))[1]
