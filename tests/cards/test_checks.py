"""Each check of the card itself with its fault planted, and with none. The pages: `test_checks_pages`."""

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from riskmodels.cards.checks import CHECKS, Checked, check_card, check_whole, failing
from riskmodels.cards.indexes import REASON_MISSING
from riskmodels.cards.renderings import Beside
from riskmodels.data import leakage
from tests.cards import example_card as example
from tests.cards.test_checks_pages import PAGE_FAULTS

Card = dict[str, Any]
TODAY = dt.date(1989, 7, 1)


@pytest.fixture(scope="module")
def whole() -> Card:
    """A card that passes everything: each gap filled."""
    return whole_card()


def whole_card() -> Card:
    card = example.card().to_dict()
    for section in ("ask", "purpose", "people_process", "risks", "law", "monitoring"):
        for fact in card[section]["facts"].values():
            fact["value"] = fact["value"] or "Said."
    for question in card["questions"]:
        question["answer"] = question["answer"] or "Said."
    for row in card["annex"]["tripod"]["rows"]:
        row[2] = "answered by a person"
    listed = card["annex"]["checks"]["rows"]
    listed += [[name, "ok", "", ""] for name in leakage.HARD[len(listed) :]]
    return card


def test_a_whole_card_passes(whole: Card) -> None:
    rows = check_whole(Checked(whole))
    assert [row for row in rows if row["result"] != "pass"] == []
    assert [row["check"] for row in rows] == [name for name in CHECKS if name != "pdf"], "the PDF is asked for"


def block(card: Card, name: str = "right") -> Card:
    return next(block for block in card["summary"]["blocks"] if block["id"] == name)


def ended(card: Card) -> None:
    register = card["data"]["register"]
    register["rows"][0][register["columns"].index("Agreement expires")] = "1989-06-30"


HARD = "Multidisciplinary organisational considerations necessitate administrative collaboration."
FAULTS: dict[str, Callable[[Card], Any]] = {
    "schema": lambda card: card.pop("audit"),
    "complete": lambda card: card["law"]["facts"]["objection"].update(value=None),
    "further_answers": lambda card: card["law"]["facts"].update(
        more={"value": None, "source": "answers.yaml: law.more", "owner": "Solicitor"}
    ),
    "tripod": lambda card: card["annex"]["tripod"]["rows"][3].__setitem__(2, "NOT ANSWERED"),
    "no_placeholders": lambda card: card["purpose"]["facts"]["intended_use"].update(value="TBC by the team"),
    "sources": lambda card: card["data"]["quality"].update(source=" "),
    "agreements": ended,
    "short": lambda card: card["summary"]["blocks"].append({**block(card), "text": "It is so. " * 120}),
    "reads_easily": lambda card: [one.update(text=HARD) for one in card["summary"]["blocks"]],
    "short_sentences": lambda card: block(card).update(text="and so on " * 12),
    "answers_read_easily": lambda card: card["risks"]["facts"]["trade_offs"].update(value=f"{HARD} " * 6),
    "acronyms": lambda card: card["law"]["facts"]["lawful_basis"].update(value="The LGPQ allows it."),
    "figures_are_whole": lambda card: card["figures"][0].update(alt=" "),
    "intervals": lambda card: next(one for one in card["figures"] if one["id"] == "calibration")["table"].update(
        columns=["Risk from", "to", "n", "Predicted", "Came about", "low", "high"]
    ),
    "prose_agrees": lambda card: block(card).update(text=block(card)["text"].replace("61", "71")),
    "disclosure": lambda card: card["audit"]["rows"][0].update(tp=7),
    "edition": lambda card: card["edition_profile"].update(edition="public"),
    # More of each of these: tests/cards/test_checks_agree.py.
    "page_one_whole": lambda card: card["summary"].update(blocks=card["summary"]["blocks"][1:]),
    "advice_agrees": lambda card: card["summary"]["recommendation"].update(headline="Use it."),
    "audit_agrees": lambda card: card["audit"]["judged"].update(passed=70),
    "tables_agree": lambda card: card["performance"]["tables"]["per_date"]["rows"][0].__setitem__(4, "99 (98 to 99)"),
    "figures_agree": lambda card: card["figures"].clear(),
    "annex_whole": lambda card: card["annex"]["checks"]["rows"].clear(),
}


def test_every_check_has_its_fault() -> None:
    assert set(FAULTS) | set(PAGE_FAULTS) == set(CHECKS)
    assert set(PAGE_FAULTS) == {name for name, check in CHECKS.items() if check.of_page}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_planted_fault_is_found(whole: Card, name: str) -> None:
    card = copy.deepcopy(whole)
    beside = Beside({"state": "DRAFT", "words": "DRAFT."}, today=TODAY)
    assert CHECKS[name](Checked(card, beside))[0]
    FAULTS[name](card)
    # A card without its audit has no other check to pass.
    passed, words = CHECKS[name](Checked(card, beside))
    assert not passed
    assert words


# ---------------------------------------------------------------- what holds up what


def test_what_nobody_answered_of_tripod_holds_up_live_alone(whole: Card) -> None:
    card = copy.deepcopy(whole)
    FAULTS["tripod"](card)
    rows = check_card(card)
    assert failing(rows) == failing(rows, "live") == ["tripod"]
    assert failing(rows, "pilot") == []


def test_an_expected_answer_holds_up_both(whole: Card) -> None:
    card = copy.deepcopy(whole)
    FAULTS["complete"](card)
    assert failing(check_card(card), "pilot") == failing(check_card(card), "live") == ["complete"]


def test_a_warning_holds_up_nothing(whole: Card) -> None:
    card = copy.deepcopy(whole)
    FAULTS["further_answers"](card)
    FAULTS["acronyms"](card)
    rows = {row["check"]: row for row in check_card(card)}
    assert rows["further_answers"]["result"] == rows["acronyms"]["result"] == "warning"
    assert failing(list(rows.values())) == []
    assert "law.more (Solicitor)" in rows["further_answers"]["words"]


def test_a_page_is_not_made_for_checks_of_the_card(whole: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskmodels.cards.checks.checked.render", lambda *given: pytest.fail("a page was made"))
    assert [row["check"] for row in check_card(whole)] == [name for name, check in CHECKS.items() if not check.of_page]


@pytest.mark.parametrize("said", [REASON_MISSING, "facts filled, reason missing"])
def test_facts_without_a_persons_reason_are_no_answer(whole: Card, said: str) -> None:
    """An older card says it in other words."""
    card = copy.deepcopy(whole)
    card["annex"]["tripod"]["rows"][7][2] = said
    passed, words = CHECKS["tripod"](card)
    assert not passed
    assert card["annex"]["tripod"]["rows"][7][0] in words


def test_gaps_of_an_approval_are_named_with_key_and_owner() -> None:
    passed, words = CHECKS["complete"](example.card().to_dict())
    assert not passed
    assert "answers.yaml: people_process.who_decides (Head of Schools)" in words
    assert "and 20 more" in words or " more;" in words


# ---------------------------------------------------------------- one by one


def test_a_number_changed_in_the_results_no_longer_agrees(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["performance"]["at_capacity"]["recall"]["value"] = 0.61
    assert not CHECKS["prose_agrees"](card)[0]


def test_an_unrounded_count_is_found(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["performance"]["at_capacity"]["hits"] = 307
    assert not CHECKS["disclosure"](card)[0]


def test_an_unrounded_count_under_a_picture_is_found(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["figures"][0]["n"] = 7
    assert "figures." in CHECKS["disclosure"](card)[1]


@pytest.mark.parametrize("text", ["TODO", "more information needed", "[...]", "XXXX", "to be confirmed"])
def test_placeholders(whole: Card, text: str) -> None:
    card = copy.deepcopy(whole)
    card["monitoring"]["facts"]["review"]["value"] = f"We will {text} it."
    assert not CHECKS["no_placeholders"](card)[0]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("We did a DPIA, an EqIA and two DPIAs.", True),
        ("The local police unit (LPUX) holds them.", True),
        ("The LPUX (local police unit) holds them.", True),
        ("The LPUX holds them.", False),
        ("It is NOT ANSWERED: see fs@ABCD.example and sro-AB.", True),
        ("I think A is so. UK law says it.", True),
    ],
)
def test_short_forms(whole: Card, text: str, passes: bool) -> None:
    card = copy.deepcopy(whole)
    card["law"]["facts"]["objection"]["value"] = text
    assert CHECKS["acronyms"](card)[0] is passes
    assert passes or "LPUX" in CHECKS["acronyms"](card)[1]


@pytest.mark.parametrize(("day", "passes"), [(dt.date(1990, 8, 31), True), (dt.date(1990, 9, 1), False)])
def test_an_agreement_holds_until_its_last_day(whole: Card, day: dt.date, passes: bool) -> None:
    beside = Beside({"state": "DRAFT", "words": "DRAFT."}, today=day)
    assert CHECKS["agreements"](Checked(whole, beside))[0] is passes
    assert CHECKS["agreements"](whole)[0], "a card by itself knows no day"


@pytest.mark.parametrize(
    ("end", "passes"),
    [
        ("1 January 2020", False),
        ("soon", False),
        ("", False),
        ("None stated", True),
        (None, True),
        ("2040-03-31", True),
    ],
)
def test_an_end_that_is_no_date_holds_up_the_agreement(whole: Card, end: str | None, passes: bool) -> None:
    card = copy.deepcopy(whole)
    register = card["data"]["register"]
    register["rows"][0][register["columns"].index("Agreement expires")] = end
    beside = Beside({"state": "DRAFT", "words": "DRAFT."}, today=TODAY)
    passed, words = CHECKS["agreements"](Checked(card, beside))
    assert passed is passes
    assert (str(register["rows"][0][0]) in words) is (end != "2040-03-31"), "what has no end is named too"


def test_a_register_whose_columns_were_renamed_holds_up_the_agreements(whole: Card) -> None:
    card = copy.deepcopy(whole)
    columns = card["data"]["register"]["columns"]
    columns[columns.index("Agreement expires")] = "Agreement ends"
    assert "Agreement ends" in CHECKS["agreements"](card)[1]
    rows = {row["check"]: row for row in check_card(card)}
    assert not rows["agreements"]["passed"]
    assert not rows["complete"]["passed"], "what cannot be looked at does not pass"


BLANKS = ["-", "n/a", "N/A.", "To follow.", "TBA", " ", "as above", "Not provided", "not provided yet", "…", "???"]


@pytest.mark.parametrize("text", BLANKS)
def test_what_only_stands_for_an_answer_is_a_gap(whole: Card, text: str) -> None:
    card = copy.deepcopy(whole)
    card["law"]["facts"]["objection"]["value"] = card["questions"][18]["answer"] = text
    for name in ("complete", "no_placeholders"):
        passed, words = CHECKS[name](card)
        assert not passed
        assert "law" in words
        assert "questions.19" in words


def test_an_expected_answer_that_is_not_even_named_is_a_gap(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["law"]["facts"], card["ask"]["facts"] = {}, {}
    words = CHECKS["complete"](card)[1]
    assert words.startswith("7 not answered: answers.yaml: ask (Head of Schools)")
    assert "answers.yaml: law.lawful_basis (Head of Schools)" in words


def test_a_public_edition_names_the_card_it_was_made_from(whole: Card) -> None:
    public = {**whole, "edition_profile": {**whole["edition_profile"], "edition": "public", "of": "ab" * 32}}
    assert CHECKS["edition"](Checked(public))[0]
    assert CHECKS["edition"](Checked(public, committee_sha256="ab" * 32))[0]
    assert not CHECKS["edition"](Checked(public, committee_sha256="cd" * 32))[0]
    committee = {**whole, "edition_profile": {**whole["edition_profile"], "of": "ab" * 32}}
    assert not CHECKS["edition"](Checked(committee))[0]
