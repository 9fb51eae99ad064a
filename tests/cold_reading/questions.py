"""Ten decision questions that a committee must be able to answer from a card alone, and where the right answer stands.

``python tests/cold_reading/questions.py model_cards/STUDY/card.json`` prints the questions with what a right answer
holds. To try a card on a reader: give them the page and the questions, and nothing else; nine of ten should be right.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question, and the card's own texts that hold its answer. ``first_page``: whether page one alone must do."""

    question: str
    right: Callable[[Card], list[str]]
    first_page: bool = False


def block(card: Card, name: str) -> str:
    return next(str(one["text"]) for one in card["summary"]["blocks"] if one["id"] == name)


def fact(card: Card, section: str, key: str) -> str:
    found = card[section]["facts"][key]
    return str(found["value"]) if found["value"] is not None else f"Not provided (owner: {found['owner']})"


def answer(card: Card, number: int) -> str:
    found = card["questions"][number - 1]
    return str(found["answer"]) if found["answer"] is not None else f"Not answered (owner: {found['owner']})"


QUESTIONS: tuple[Asked, ...] = (
    Asked(
        "What is the list for, and what may it never be used for?",
        lambda card: [fact(card, "purpose", "intended_use"), fact(card, "purpose", "never_used_for")],
    ),
    Asked(
        "Of 100 on the list, how many turn out to be wrongly named, as far as is known?",
        lambda card: [block(card, "right")],
        first_page=True,
    ),
    Asked(
        "Of 100 whom the list should find, how many does it miss?",
        lambda card: [block(card, "missed")],
        first_page=True,
    ),
    Asked(
        "Is it better than a simple sort or rule?",
        lambda card: [block(card, "simple")],
        first_page=True,
    ),
    Asked(
        "What does the card advise you to do?",
        lambda card: [card["summary"]["recommendation"]["headline"]],
        first_page=True,
    ),
    Asked(
        "Is any group treated worse? How sure is that, and who was not looked at?",
        lambda card: [block(card, "worse"), card["audit"]["verdict"]],
    ),
    Asked(
        "Is the outcome need itself, or contact with a service? What follows from that?",
        lambda card: [answer(card, 7)],
    ),
    Asked(
        "What may you not conclude from a high risk, or from this card?",
        lambda card: [fact(card, "ask", "what_this_cannot_see"), *card["explanation"]["words"]],
    ),
    Asked(
        "What must happen before it is used for real people?",
        lambda card: [
            fact(card, "law", "data_protection_impact_assessment"),
            fact(card, "law", "equality_impact_assessment"),
            fact(card, "ask", "what_we_ask_you_to_decide"),
        ],
    ),
    Asked(
        "When will you look at it again, and what stops it before then?",
        lambda card: [fact(card, "monitoring", "review"), fact(card, "monitoring", "stop_rules")],
    ),
)


def main(path: str) -> None:
    card = json.loads(Path(path).read_bytes())
    for number, asked in enumerate(QUESTIONS, 1):
        print(f"{number}. {asked.question}{' (page one alone)' if asked.first_page else ''}")
        for text in asked.right(card):
            print(f"   - {text}")


if __name__ == "__main__":
    main(sys.argv[1])
