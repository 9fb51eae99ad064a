"""The page and the Markdown of a review record: every kind of record has words, and both renderings say the same."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.governance.acts import ACTS
from riskmodels.reports.review_page import render_review, render_review_markdown
from riskmodels.reports.review_words import KINDS, condition_state, said
from tests.reports.test_page import EVIL, Page

SEAL = "5" * 64
ANSWER = {"sex: F: recall": {"reason": "Looked at by hand", "expires": "2027-05-20"}}
DECISION: dict[str, Any] = {
    "stage": "pilot", "advice": "do not proceed", "conditions": [
        {"text": "Tell parents", "owner": "head", "due": "2027-01-31", "status": "open", "evidence": None},
        {"text": "Report", "owner": "analyst", "due": None, "status": "met", "evidence": "The report"},
    ],
    "dissent": [], "conflicts_of_interest": ["One"], "quorum": {"members": 9, "lay": 4, "specialist": 3},
    "meeting": {"date": "2026-11-20", "minute": "DEC-4"}, "owner_role": "director", "owner_decision": "approve",
    "reason": "It is how we learn", "expires": "2027-05-20", "answers": ANSWER, "trained_by_role": "analyst",
    "approved_by_role": "director",
}  # fmt: skip
SAID: dict[str, dict[str, Any]] = {
    "decision": DECISION,
    "withdrawal": {"reason": "The source changed", "owner_role": "director", "minute": None, "instead": "Teachers ask"},
    "promotion": {"stage": "pilot", "version": 2, "by_role": "head", "reason": "Drift", "rollback": True},
    "evidence": {"decision": 1, "condition": 1, "evidence": "The letter", "by_role": "head"},
    "purge": {"artefact": "exact_counts", "kept_for": "24 months", "due": "2026-11-01", "by_role": None,
              "files": [{"path": "runs/x/audit_exact.json", "sha256": "a" * 64, "bytes": 1200}]},
}  # fmt: skip
TITLES = {
    "decision": "Approved for a pilot, until 20 May 2027",
    "withdrawal": "Its use was stopped",
    "promotion": "Version 2 became champion again, for a pilot",
    "evidence": "Condition 1 of record 1 was met",
    "purge": "1 file was deleted: exact counts",
}
STATUS = {"state": "APPROVED", "words": "APPROVED until 20 May 2027.", "example": False, "stage": "pilot"}
CONDITION: dict[str, Any] = {
    "number": 1, "text": "Tell parents", "owner": "head", "due": "2027-01-31", "state": "overdue", "evidence": None,
    "met_on": None, "met_by": None, "record": None,
}  # fmt: skip


def row(number: int, kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "record": number, "recorded_on": "2026-11-23", "kind": kind, "version": 2, "example": False, "act": SAID[kind],
        "departs_from_advice": kind == "decision", "model_sha256": "a" * 64, "card_sha256": "b" * 64,
        "data_sha256": "", "policy_sha256": "", "sha256": SEAL, **changes,
    }  # fmt: skip


def account(**changes: Any) -> dict[str, Any]:
    version = {"version": 2, "model_sha256": "a" * 64, "card_sha256": "b" * 64, "status": STATUS, "decision": 1,
               "conditions": [CONDITION], "champion_since": "2026-11-23"}  # fmt: skip
    return {
        "study": "reading_help", "today": "2027-02-01", "versions": [version], "records": len(SAID), "seal": SEAL,
        "history": [row(number, kind) for number, kind in enumerate(SAID, 1)],
        "gate": [{"rule": "champion", "holds": True, "words": "champion since"},
                 {"rule": "conditions in time", "holds": False, "words": "a condition is overdue"}],
        **changes,
    }  # fmt: skip


def test_every_kind_of_record_has_words() -> None:
    assert set(KINDS) == set(ACTS) == set(SAID)
    assert {kind: said(row(1, kind)).title for kind in SAID} == TITLES
    assert said(row(1, "withdrawal", example=True)).title == "EXAMPLE: Its use was stopped"


def test_a_decision_says_all_of_it() -> None:
    lines = dict(said(row(1, "decision")).lines)
    assert lines["Advice of the committee"] == ("do not proceed",)
    assert lines["Departs from the advice"] == ("It is how we learn",)
    assert "Reason given" not in lines
    assert lines["Quorum"] == ("9 members, 4 lay, 3 specialist",)
    assert lines["Conditions"] == (
        "Condition 1: Tell parents (head, by 31 January 2027)", "Condition 2: Report (analyst; met: The report)",
    )  # fmt: skip
    assert (lines["Dissent"], lines["Conflicts of interest"]) == (("none",), ("One",))
    assert lines["Answers to the audit"] == ("Sex: F: recall: Looked at by hand (until 20 May 2027)",)
    follows = said(row(1, "decision", departs_from_advice=False))
    assert dict(follows.lines)["Reason given"] == ("It is how we learn",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "OVERDUE since 31 January 2027"),
        ({"state": "open"}, "open"),
        ({"state": "met"}, "met when it was decided"),
        ({"state": "met", "record": 4, "met_on": "2027-01-30", "met_by": "head"},
         "met on 30 January 2027 (record 4, by the head)"),
    ],
)  # fmt: skip
def test_the_state_of_a_condition(changes: dict[str, Any], words: str) -> None:
    assert condition_state({**CONDITION, **changes}) == words


def test_both_renderings_say_the_same_and_the_page_is_sound() -> None:
    page = Page(render_review(account(), "reading_help/2"))
    page.refuse_broken()
    page.refuse_fetching()
    told = render_review_markdown(account(), "reading_help/2").decode()
    for words in (*TITLES.values(), "OVERDUE since 31 January 2027", "It is SHUT: 1 of its rules does not hold.", SEAL,
                  "Champion since 23 November 2026"):  # fmt: skip
        assert words in page.text, words
        assert words in told, words
    assert page.text.index("APPROVED As it stood on 1 February 2027.") < page.text.index("Where it stands")


def test_the_same_account_gives_the_same_bytes() -> None:
    assert render_review(account(), "x") == render_review(account(), "x")


def test_nothing_is_said_where_there_is_nothing() -> None:
    empty = account(versions=[], history=[], gate=None, records=0)
    page = Page(render_review(empty, "reading_help"))
    page.refuse_broken()
    assert "No version of this study is registered." in page.text
    assert "Nothing was decided yet." in page.text
    assert "The gate" not in page.text
    render_review_markdown(empty, "reading_help")


def test_what_people_wrote_stays_text() -> None:
    evil = {**DECISION, "reason": EVIL, "dissent": [EVIL], "owner_role": EVIL}
    told = account(history=[row(1, "decision", act=evil)])
    told["versions"][0]["conditions"] = [{**CONDITION, "text": EVIL, "owner": EVIL, "evidence": EVIL}]
    page = Page(render_review(told, EVIL))
    page.refuse_broken()
    page.refuse_fetching()
    assert "<script" not in render_review_markdown(told, EVIL).decode()
