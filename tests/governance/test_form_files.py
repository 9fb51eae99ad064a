"""A form as secretaries save it, with what goes wrong: each is refused in words that say what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from riskmodels.errors import GateError, UsageError
from riskmodels.governance import acts, forms
from riskmodels.governance.decision import Decision
from tests.governance.conftest import DECISION, TODAY, contrast

TEXT = yaml.safe_dump({**DECISION, "reason": "REASON"}, sort_keys=False)


def loaded(tmp_path: Path, text: str | bytes) -> Decision:
    path = tmp_path / "form.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    found = acts.load_decision(path)
    assert isinstance(found, Decision)
    return found


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(GateError) as refused:
        loaded(tmp_path, text)
    said = str(refused.value)
    assert "\n" not in said
    for jargon in ("Input should", "and 1 more", "mapping", "token", "column"):
        assert jargon not in said
    return said.removeprefix(str(tmp_path / "form.yaml"))


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


WRONG = {
    "a colon": (edited("REASON", "so: it is"), "holds a second colon; put straight quotes round the text"),
    "a tab": (edited("  members:", "\tmembers:"), "begins with a tab; use spaces"),
    "a sign": (edited("REASON", "*so it is"), "put straight quotes round the text"),
    "after a #": (edited("REASON", "see minute #12"), "what stands after # would not be recorded; put straight quotes"),
    "nothing but a #": (edited("REASON", "#12"), "what stands after # would not be recorded"),
    "a British day": (edited("'2026-11-20'", "20/11/2026"), ": meeting.date: is not a day; a day reads like 2026-11-"),
    "a month": (edited("expires: '2027-05-20'\nanswers", "expires: May 2027\nanswers"), ": expires: is not a day"),
    "a time": (edited("'2026-11-20'", "2026-11-20 10:00"), ": meeting.date: is not a day"),
    "yes": (edited("owner_decision: approve", "owner_decision: yes"), ": owner_decision: write approve or refuse"),
    "in words": (edited("members: 9", "members: nine"), ": quorum.members: write a whole number in figures, as in 9"),
    "a placeholder": (edited("REASON", "tbc"), ": reason: is only a placeholder"),
    "the example": (edited("Tell parents in writing", "What has to be done"), ": conditions[0].text: is only a placeh"),
    "one line": (edited("- text: Tell parents in writing\n  owner: head of service\n  due: '2027-01-31'", "- Do"),
                 ": conditions[0]: write each as '- text: WHAT'"),
    "none where one is needed": (edited("conditions:\n- text: Tell parents in writing\n  owner: head of service\n  due:"
                                        " '2027-01-31'", "conditions: none"), ": conditions: is empty, but the advice"),
    "empty": ("# only help\n", ": is empty; `riskmodels review open MODEL` writes a form"),
    "a Word document": (b"PK\x03\x04\x14\x00", ": is a Word document; save it as plain text"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_what_people_write_wrongly_is_said_in_their_words(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = edited("REASON", "tbc").replace("lay: 4", "lay: four").replace("'2026-11-20'", "20 November")
    text = text.replace("stage: pilot", "stage: trial").replace("  minute: DEC-2026-11-04\n", "")
    text = text.replace("owner_role: director of children's services\n", "")
    assert refusal(tmp_path, text) == (
        ": not filled in yet: meeting.minute, owner_role; stage: write explore, link, pilot or live; quorum.lay: "
        "write a whole number in figures, as in 9; meeting.date: is not a day; a day reads like 2026-11-30; "
        "reason: is only a placeholder; write what is meant, or leave it empty"
    )


def test_the_line_that_would_lose_words_is_named_and_help_is_left_alone(tmp_path: Path) -> None:
    text = "# help # of two\n" + edited("REASON", "'see minute #12'  # quoted\n# help")
    assert loaded(tmp_path, text).reason == "see minute #12"
    number = text.splitlines().index("stage: pilot") + 1
    assert f", line {number}: " in refusal(tmp_path, text.replace("stage: pilot", "stage: pilot # or live"))


def test_capitals_and_none_are_taken(tmp_path: Path) -> None:
    text = edited("owner_decision: approve", "owner_decision: Approve").replace(
        "conflicts_of_interest: []", "conflicts_of_interest: None."
    )
    text = text.replace("advice: proceed with conditions", "advice: Proceed with conditions.")
    found = loaded(tmp_path, text)
    assert (found.owner_decision, found.advice, found.conflicts_of_interest) == (
        "approve",
        "proceed with conditions",
        (),
    )


def test_no_file_is_a_matter_of_usage(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(UsageError, match="name the form that was filled in"):
            acts.load_decision(path)


def test_the_form_says_what_is_published_where_it_lies_and_what_one_answer_covers() -> None:
    card = {"audit": {"contrasts": [contrast("sex × age", "F × 7", "recall", "FAIL")]}}
    text = forms.blank_form(
        card,
        name="reading_help/1",
        model_sha256="a" * 64,
        card_sha256="b" * 64,
        today=TODAY,
        workspace=" --workspace w",
    ).decode()
    said = " ".join(text.replace("\n# ", " ").split())
    assert "reasons, answers, dissent and evidence stand word for word in the public register" in said
    assert "riskmodels review record reading_help/1 FILE --workspace w" in said
    assert '  # Answers to "sex" and "age", both of them, cover these too.\n' in text
