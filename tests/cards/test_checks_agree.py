"""A card that contradicts itself: each planted lie is found by the check that is there for it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from riskmodels.cards.checks import CHECKS
from riskmodels.cards.checks.agrees import RULES
from riskmodels.cards.evidence import Evidence
from tests.cards.test_checks import block, whole_card

Card = dict[str, Any]


@pytest.fixture(scope="module")
def whole() -> Card:
    return whole_card()


def verdicts_pass(card: Card) -> None:
    tables = card["audit"]["tables"]
    cells = [(row, place) for table in tables.values() for row in table["rows"] for place in range(len(row))]
    for row, place in cells:
        row[place] = "PASS" if row[place] in ("FAIL", "INSUFFICIENT EVIDENCE") else row[place]


def overall(card: Card) -> None:
    card["audit"]["verdict"] = "PASS" if card["audit"]["verdict"] != "PASS" else "FAIL"


def advice(**given: Any) -> Callable[[Card], None]:
    return lambda card: card["summary"]["recommendation"].update(given)


def simple_family(card: Card) -> None:
    card["model"]["family"] = "points"
    advice(code="use", headline="Use it to help staff decide.")(card)


def figure(card: Card, name: str = "people_per_100") -> Card:
    return next(one for one in card["figures"] if one["id"] == name)


def counts(card: Card) -> None:
    """80, 10 and 10 of 100, whatever the section says."""
    for place, row in enumerate(figure(card)["table"]["rows"]):
        row[1] = 10 if place else 80


def cell(table: str, row: int, place: int, text: str) -> Callable[[Card], None]:
    return lambda card: card["performance"]["tables"][table]["rows"][row].__setitem__(place, text)


def without(name: str) -> Callable[[Card], None]:
    return lambda card: card["summary"].update(blocks=[one for one in card["summary"]["blocks"] if one["id"] != name])


def all_is_well(card: Card) -> None:
    card["summary"]["numbers"] = []
    for one in card["summary"]["blocks"]:
        one["text"] = "All is well." if one["source"] == "run" else one["text"]


def hidden(card: Card) -> None:
    card["annex"]["suppressed"]["rows"] = []
    card["performance"]["words"].append("The rest is not shown.")


LIES: dict[str, tuple[str, Callable[[Card], Any]]] = {
    "every cell a pass": ("audit_agrees", verdicts_pass),
    "another verdict": ("audit_agrees", overall),
    "a line of verdicts left out": ("audit_agrees", lambda card: card["audit"]["tables"]["verdicts"]["rows"].pop()),
    "no table of verdicts": ("audit_agrees", lambda card: card["audit"]["tables"].pop("verdicts")),
    "use it": ("advice_agrees", advice(code="use", headline="Use it to help staff decide.")),
    "another first line": ("advice_agrees", advice(headline="This list is right and fair.")),
    "other reasons": ("advice_agrees", advice(reasons=["It fails no check."])),
    "a complex model that is a simple rule": ("advice_agrees", simple_family),
    "a cell of a test date": ("tables_agree", cell("per_date", 0, 6, "96 (90 to 99)")),
    "a cell of the list": ("tables_agree", cell("list", 0, 1, "99 of 100")),
    "a cell of the ways": ("tables_agree", cell("families", 0, 1, "99 (98 to 100)")),
    "a cell of the measures": ("tables_agree", cell("measures", 0, 1, "0.99")),
    "sentences of the section": (
        "tables_agree", lambda card: card["performance"].update(words=["It is right for 99 of 100 and misses nobody."])
    ),
    "sentences of the audit": ("audit_agrees", lambda card: card["audit"].update(words=["All of them passed."])),
    "a line too few": ("tables_agree", lambda card: card["performance"]["tables"]["per_date"]["rows"].pop()),
    "no table of the list": ("tables_agree", lambda card: card["performance"]["tables"].pop("list")),
    "the table of a picture": ("figures_agree", counts),
    "the alternative text": (
        "figures_agree",
        lambda card: figure(card).update(alt="One hundred figures. 99: needed help and 1: did not need help."),
    ),
    "the title of a picture": ("figures_agree", lambda card: figure(card).update(title="Of 100, 99 needed help")),
    "the table of those missed": (
        "figures_agree",
        lambda card: figure(card, "missed_per_100")["table"]["rows"][0].__setitem__(1, 99),
    ),
    "no pictures": ("figures_agree", lambda card: card.update(figures=[])),
    "nobody treated worse": ("page_one_whole", without("worse")),
    "nothing that it cannot see": ("page_one_whole", without("cannot_see")),
    "a number that people gave": (
        "page_one_whole",
        lambda card: block(card).update(text="Of 100 people on the list, 99 had the outcome.", source="answers"),
    ),
    "words in place of a number": ("page_one_whole", lambda card: block(card).update(text="Nearly all needed help.")),
    "all is well": ("page_one_whole", all_is_well),
    "an answer of its own": (
        "page_one_whole", lambda card: card["questions"][3].update(answer="It is never wrong: 100 of 100.")
    ),
    "a question twice": ("page_one_whole", lambda card: card["questions"][3].update(number=5)),
    "no checks of the data": ("annex_whole", lambda card: card["annex"]["checks"].update(rows=[])),
    "nothing hidden": ("annex_whole", hidden),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LIES))
def test_a_card_that_contradicts_itself_is_found(whole: Card, name: str) -> None:
    check, lie = LIES[name]
    card = copy.deepcopy(whole)
    assert CHECKS[check](card)[0]
    lie(card)
    passed, words = CHECKS[check](card)
    assert not passed
    assert "build the card again" in words


def test_the_public_edition_agrees_with_itself(whole: Card) -> None:
    from riskmodels.cards.editions import public_edition

    public = public_edition(whole, "a" * 64)
    for check in {check for check, _ in LIES.values()}:
        assert CHECKS[check](public) == CHECKS[check](whole)
    counts(public)
    assert not CHECKS["figures_agree"](public)[0]


BAD = {"auc_low": 0.5, "auc_high": 0.7, "test_events": 50, "provisional": True}


@pytest.mark.parametrize("verdict", ["FAIL", "NOT AUDITED", "INSUFFICIENT EVIDENCE"])
def test_each_reason_has_the_word_that_it_is_known_by(verdict: str) -> None:
    given: dict[str, Any] = {**BAD, "verdict": verdict}
    evidence = Evidence("lightgbm", "points", None, 0.0, oe_ratio=None, oe_floors=(0.8, 1.2), **given)
    said = {word: advice.reason for rule, word in RULES.items() if (advice := rule(evidence)) is not None}
    assert len(said) >= 3
    assert all(word in reason for word, reason in said.items())
