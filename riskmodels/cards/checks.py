"""Mechanical checks of a card: a draft may fail them, an approved card may not.

``CHECKS`` is the table: each check takes the card as plain JSON values and gives ``(passed, words)``. To add one, write
it, add its row, and plant its fault in a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riskmodels.assessment.suppression import PROFILES, Profile
from riskmodels.cards.card import ModelCard
from riskmodels.cards.indexes import NOT_ANSWERED
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.shown import COUNTS, MAY_BE_NONE
from riskmodels.cards.summary import MOST_WORDS, page_one_text
from riskmodels.cards.words import at, sentences_of, spoken, word_count
from riskmodels.errors import CardError
from riskmodels.storage import canonical_json

BEST_GRADE, WORST_GRADE = 7.0, 9.0
LONGEST_SENTENCE = 30
PLACEHOLDER = re.compile(
    r"\b(?:TODO|TBC|TBD|FIXME|XXX+|lorem ipsum|more information needed|to be (?:confirmed|completed|decided))\b|"
    r"\[[.…]+\]",
    re.I,
)
# A run of digits with its thousands and decimals.
NUMERAL = re.compile(r"\d[\d,]*(?:\.\d+)?")
Verdict = tuple[bool, str]
Card = Mapping[str, Any]


def check_card(card: ModelCard | Card) -> list[dict[str, Any]]:
    """Every check, in order: rows of {check, passed, words}."""
    plain = card.to_dict() if isinstance(card, ModelCard) else card
    found = []
    for name, check in CHECKS.items():
        passed, words = check(plain)
        found.append({"check": name, "passed": passed, "words": words})
    return found


def missing_answers(card: Card) -> list[dict[str, str]]:
    """What nobody has answered: rows of {what, owner, where}, ``where`` being its key in ``answers.yaml``."""
    found = [
        {"what": key.replace("_", " "), "owner": fact["owner"], "where": fact["source"]}
        for section in ("ask", "purpose", "people_process", "risks", "law", "monitoring")
        for key, fact in card[section]["facts"].items()
        if fact["value"] is None
    ]
    found += [
        {
            "what": question["question"],
            "owner": question["owner"],
            "where": f"answers.yaml: questions.{question['number']}",
        }
        for question in card["questions"]
        if question["answer"] is None
    ]
    return found


# ---------------------------------------------------------------- the checks


def schema(card: Card) -> Verdict:
    try:
        ModelCard.from_bytes(canonical_json(dict(card)))
    except CardError as problem:
        return False, str(problem)
    return True, "the card has the shape of its schema"


def complete(card: Card) -> Verdict:
    missing = missing_answers(card)
    if not missing:
        return True, "every question has an answer"
    some = "; ".join(f"{line['where']} ({line['owner']})" for line in missing[:5])
    return False, f"{len(missing)} not answered: {some}{' and more' if len(missing) > 5 else ''}"


def tripod(card: Card) -> Verdict:
    empty = [row[0] for row in card["annex"]["tripod"]["rows"] if row[2] == NOT_ANSWERED]
    return (
        not empty,
        f"TRIPOD+AI items not answered: {', '.join(empty)}" if empty else "every TRIPOD+AI item is answered",
    )


def no_placeholders(card: Card) -> Verdict:
    found = [path for path, text in _texts(card) if PLACEHOLDER.search(text)]
    return not found, f"placeholder text in {', '.join(found[:5])}" if found else "no placeholder text"


def short(card: Card) -> Verdict:
    words = word_count(page_one_text(card["summary"]))
    return words <= MOST_WORDS, f"page one has {words} words (at most {MOST_WORDS})"


def reads_easily(card: Card) -> Verdict:
    """Flesch-Kincaid grade of page one: 7 is the aim, above 9 fails."""
    grade = reading_grade(page_one_text(card["summary"]))
    aim = "" if grade <= BEST_GRADE else f"; aim for {BEST_GRADE:.0f}"
    return grade <= WORST_GRADE, f"page one reads at grade {grade:.1f} (at most {WORST_GRADE:.0f}{aim})"


def short_sentences(card: Card) -> Verdict:
    sentences = [sentence for line in page_one_text(card["summary"]).splitlines() for sentence in sentences_of(line)]
    longest = max((word_count(sentence) for sentence in sentences), default=0)
    return (
        longest <= LONGEST_SENTENCE,
        f"the longest sentence of page one has {longest} words (at most {LONGEST_SENTENCE})",
    )


def figures_are_whole(card: Card) -> Verdict:
    lacking = [
        figure["id"]
        for figure in card["figures"]
        if not (figure["alt"].strip() and figure["unit"].strip() and figure["table"]["rows"] and figure["n"])
    ]
    return (
        not lacking,
        f"without alternative text, table, unit or n: {', '.join(lacking)}" if lacking else "every figure is whole",
    )


def prose_agrees(card: Card) -> Verdict:
    """Every number that the run says on page one is taken from the card."""
    wrong = [number["path"] for number in card["summary"]["numbers"] if not _stands(at(card, number["path"]), number)]
    taken = {number["text"] for number in card["summary"]["numbers"]}
    known = {"100", "8"} | set(NUMERAL.findall(" ".join(_study_words(card))))
    for block in card["summary"]["blocks"]:
        if block["source"] == "run":
            wrong += [
                f"{block['id']}: {text}"
                for text in map(_trimmed, NUMERAL.findall(block["text"]))
                if text not in taken | known and not _is_part(text, taken)
            ]
    return (
        not wrong,
        f"page one says what the card does not hold: {', '.join(wrong[:5])}"
        if wrong
        else "page one's numbers are the card's",
    )


def disclosure(card: Card) -> Verdict:
    """No count below the profile's limit, and none that is not rounded, in any part that came from the run.

    In the tables of the data a whole number is a count, and none at all may be shown.
    """
    profile = PROFILES[card["edition_profile"]["disclosure"]]
    found = [path for path, key, value in _counts(card) if value is not None and not _may_show(key, value, profile)]
    found += [path for path, value in _data_counts(card) if value != 0 and not _may_show("", value, profile)]
    return (
        not found,
        f"counts that may not be shown: {', '.join(found[:5])}"
        if found
        else f"no count below {profile.below}, all rounded to {profile.base}",
    )


CHECKS: dict[str, Callable[[Card], Verdict]] = {
    "schema": schema,
    "complete": complete,
    "tripod": tripod,
    "no_placeholders": no_placeholders,
    "short": short,
    "reads_easily": reads_easily,
    "short_sentences": short_sentences,
    "figures_are_whole": figures_are_whole,
    "prose_agrees": prose_agrees,
    "disclosure": disclosure,
}


# ---------------------------------------------------------------- walking a card


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{position}")


def _counts(card: Card) -> Iterator[tuple[str, str, Any]]:
    for section in ("performance", "audit"):
        yield from _counts_in(card[section], section, "")


def _data_counts(card: Card) -> Iterator[tuple[str, int]]:
    data = card["data"]
    tables = {name: data[name] for name in ("quality", "attrition", "outcome_status")} | data.get("tables", {})
    for name, table in tables.items():
        for line, row in enumerate(table["rows"]):
            for cell in row:
                if isinstance(cell, int) and not isinstance(cell, bool):
                    yield f"data.{name}.rows.{line}", cell


def _counts_in(value: Any, path: str, key: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _counts_in(inner, f"{path}.{name}", str(name))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _counts_in(inner, f"{path}.{position}", key)
    elif key in COUNTS and isinstance(value, int) and not isinstance(value, bool):
        yield path, key, value


def _may_show(key: str, value: int, profile: Profile) -> bool:
    return (value == 0 and key in MAY_BE_NONE) or (value >= profile.below and value % profile.base == 0)


def _stands(value: Any, number: Mapping[str, Any]) -> bool:
    return isinstance(value, (int, float)) and spoken(value, number["kind"]) == number["text"]


def _study_words(card: Card) -> list[str]:
    """What the study itself says: its numbers may stand in prose."""
    facts = card["how_it_works"]["facts"]
    return [
        card["title"],
        card["question"],
        str(facts["outcome"]["value"]),
        *(str(row[0]) for row in card["how_it_works"]["features"]["rows"]),
        # Sources and groups may have a number in their name.
        *(f"{row[0]} {row[1]}" for row in card["data"].get("tables", {}).get("linkage", {"rows": ()})["rows"]),
        *(str(row["label"]) for row in card["audit"]["rows"]),
    ]


def _trimmed(text: str) -> str:
    return text.rstrip(",.")


def _is_part(text: str, taken: set[str]) -> bool:
    """ "fewer than 1" and "more than 99" are said as words around a number."""
    return any(text in said.split() for said in taken)
