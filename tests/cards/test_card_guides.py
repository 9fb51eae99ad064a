"""docs/how-to-read-a-card.md and docs/training-hour.md: each marked number is the card's, and what they list is whole.

A number is followed by a mark that no reader sees: ``34<!--county per_100 performance.at_capacity.precision.value-->``
names a shipped card, how the number is said, and where it stands in its ``card.json``. When a card is made anew, the
test says which number to write instead.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from riskmodels.cards.reading import reading_grade
from riskmodels.reports.outline import SECTIONS
from riskmodels.reports.page import ADVICE, STATES, VERDICTS

ROOT = Path(__file__).parents[2]
READ, TRAIN = ROOT / "docs" / "how-to-read-a-card.md", ROOT / "docs" / "training-hour.md"
CARDS = {
    "county": "county_early_help", "reading": "early_reading_support", "school": "school_reading_specialist",
    "heart": "heart_health_checks",
}  # fmt: skip
MARK = re.compile(r"((?:[A-Z]+ ?)+|[\d,]+)<!--(\w+) (\w+) ([\w.]+)-->")
SAID = {
    "count": lambda value: f"{value:,}",
    "per_100": lambda value: f"{100 * value:.0f}",
    "rest_of_100": lambda value: f"{100 - round(100 * value)}",
    "text": str,
}


@cache
def card(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "model_cards" / CARDS[name] / "card.json").read_bytes())
    return found


def at(found: Any, path: str) -> Any:
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def wrong_numbers(text: str) -> list[str]:
    """A line for each marked number that is not the card's, with what the card says."""
    found = []
    for said, name, kind, path in MARK.findall(text):
        true = SAID[kind](at(card(name), path))
        if said.strip() != true:
            found.append(f"says {said.strip()}, but {CARDS[name]}/card.json has {true} at {path}")
    return found


def unmarked(text: str) -> list[str]:
    """Numbers of a worked example that no mark holds; "100" and numbers of sections need none."""
    rest = re.sub(r"\bsections? \d+\b", "", MARK.sub("", text), flags=re.I)
    return [number for number in re.findall(r"\d+(?:,\d{3})*", rest) if number != "100"]


@pytest.mark.parametrize("page", [READ, TRAIN])
def test_every_marked_number_is_the_card_s(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(MARK.findall(text)) == text.count("<!--") - text.count("<!-- ")
    assert wrong_numbers(text) == []
    one = next(match for match in MARK.finditer(text) if match[1].isdigit())
    planted = text[: one.start(1)] + str(int(one[1]) + 1) + text[one.end(1) :]
    assert len(wrong_numbers(planted)) == 1


def test_no_number_of_the_worked_example_stands_alone() -> None:
    text = READ.read_text(encoding="utf-8")
    example = text[text.index("<!-- worked example -->") : text.index("<!-- end -->")]
    assert len(MARK.findall(example)) > 10
    assert unmarked(example) == []
    assert unmarked(example + " It is 12.") == ["12"]


def test_no_number_of_an_answer_stands_alone() -> None:
    text = TRAIN.read_text(encoding="utf-8")
    answers = re.findall(r"<details><summary>Answers</summary>(.*?)</details>", text, re.S)
    assert len(answers) == 4
    for answer in answers:
        assert unmarked(re.sub(r"^\d\. ", "", answer, flags=re.M)) == []


def test_what_the_guides_say_in_words_is_what_the_cards_say() -> None:
    advice = {name: card(name)["summary"]["recommendation"]["code"] for name in CARDS}
    assert advice == {
        "county": "use_with_conditions", "reading": "simple_rule", "school": "too_little_data", "heart": "do_not_use",
    }  # fmt: skip
    county = card("county")
    assert county["people_process"]["facts"]["override_rate"]["value"] is None
    assert county["purpose"]["facts"]["cost"]["value"] is None
    assert "by more than chance" in next(
        block["text"] for block in county["summary"]["blocks"] if block["id"] == "simple"
    )
    # "Even a list that made no mistake would miss more than a third of them."
    at_capacity = county["performance"]["at_capacity"]
    assert at_capacity["selected"] / at_capacity["recall"]["n"] < 2 / 3


def test_the_guide_has_every_section_advice_status_and_verdict_of_a_card() -> None:
    text = READ.read_text(encoding="utf-8")
    for number, (title, _) in SECTIONS.items():
        assert f"| {number} {title} |" in text
    for words in [*ADVICE.values(), *VERDICTS]:
        assert f"| {words} |" in text
    assert [state for state in STATES if not re.search(rf"^\| [A-Z, ]*\b{state}\b", text, re.M)] == []


@pytest.mark.parametrize("page", [READ, TRAIN])
def test_the_guides_read_as_plainly_as_a_card(page: Path) -> None:
    text = re.sub(r"<!--.*?-->|<[^>]+>|^[|>#].*$|[*`]", "", page.read_text(encoding="utf-8"), flags=re.M)
    assert reading_grade(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)) <= 7
