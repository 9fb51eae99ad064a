"""What is an answer, and what only stands in its place; and that such words leave a gap in the card."""

import pytest

from riskmodels.cards.blank import answer_in, is_answer
from riskmodels.cards.sections import answer_fact
from riskmodels.study import Answer

BLANK = [
    None, "", " ", "\n\t", "-", "–", "...", "?", "n/a", "N/A", "n.a.", "NA", "Not applicable.", "To follow.", "TBA",
    "tbc", "TBD", "to be confirmed", "To be decided later.", "as above", "See below", "ditto", "Not provided",
    "not yet provided", "Not known.", "unknown", "pending", "XXX", "Coming soon!", "(to be added)",
    "More details to follow",
]  # fmt: skip
SAID = [
    "None.", "No", "Yes.", "0", "12", "As above the age of 18.", "A rule to follow.", "Nobody yet.", 0, False, True,
    "Not known to the service before.", "Unknown outcomes are counted.", "Said.", "Ja", "否",
]  # fmt: skip


@pytest.mark.parametrize("text", BLANK)
def test_no_answer(text: object) -> None:
    assert not is_answer(text)
    assert answer_in(text) is None


@pytest.mark.parametrize("text", SAID)
def test_an_answer(text: object) -> None:
    assert is_answer(text)


@pytest.mark.parametrize("text", ["To follow.", " ", "n/a"])
def test_a_fact_without_an_answer_is_a_gap_with_its_owner(text: str) -> None:
    fact = answer_fact(Answer.model_construct(text=text, owner="Solicitor"), "answers.yaml: law.objection")
    assert (fact.value, fact.owner) == (None, "Solicitor")
