"""Disclosure control looked at once more, on what a reader gets: the tables and the sentences of a rendering.

A card is safe by how it is made. This reads a page as a stranger would, who knows the card's profile and not where a
number comes from: in every column that could count people, and in every sentence that counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.reading_back import PageTable, Written

Card = Mapping[str, Any]

# Columns that count nobody: shares, measures, sizes of a list in places, and what is said of the model and the study.
NO_COUNT = re.compile(
    r".*\bof (?:each )?100\b.*|at least|at most|risk from|to|ratio|value|item|parameter|parts.*|points.*|size.*|"
    r"helping.*|acting on.*|observed to expected.*|brier.*|auc|.*slope.*|from the .*|how many|how much|"
    r"fifth.*|fields.*|on average \(.*|"
    r"places.*|times the.*|gain|change.*|could be.*|evidence|result|section|where|before|after|.*standardised.*|own.*",
    re.I,
)
# A cell that is nothing but counts, one or several, and words for those that are hidden.
COUNTS = re.compile(r"(?:\d[\d,]*|not shown(?: \([^()]*\))?|about|and|or|fewer|more|[,;\s])+")
NUMERAL = re.compile(r"(?<![\d.,])\d[\d,]*(?![\d.]|,\d)")
HIDDEN = re.compile(r"not shown \([^()]*\)")
# Numbers in a sentence about 100 people are shares.
OF_100 = re.compile(r"\b100\b")
# "One" is no count: no one, one of them.
IN_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
EXAMPLE = re.compile(r"\btake two\b", re.I)  # of nobody in particular
PEOPLE = ("children", "women", "men", "girls", "boys", "adults", "patients", "pupils", "tenants", "residents")
NOT_GROUPS = {"yes", "not recorded", "not known", "other"}
# Sections that the package writes; in the others people may say that two people look at each case.
GENERATED = ("performance", "audit")
SENTENCE = re.compile(r"(?<=[.:;!?])\s+")


def small_counts(written: Written, card: Card) -> list[str]:
    """Where a rendering shows a count of people below the limit of the card's profile; never the count itself.

    Parameters
    ----------
    written : a page read back (`riskmodels.cards.reading_back`), of either edition, in HTML or Markdown
    card : the card that it was made from
    """
    below = PROFILES[card["edition_profile"]["disclosure"]].below
    if not below:
        return []
    found = [f"table {table.caption!r}, column {column!r}" for table in written.tables
             for column, counts in _columns(table) if any(0 < count < below for count in counts)]  # fmt: skip
    counted, generated = _Counted(_nouns(card)), set(_texts(card, GENERATED))
    # A heading counts nobody: "4 People and process".
    for block in (block for block in written.blocks if not re.fullmatch("h[1-6]", block.tag)):
        if counted.few(block.text, below, in_words=block.text in generated):
            found += [f"the {block.tag or 'text'} that begins {block.text[:40]!r}"]
    # A page draws its pictures from these, and a reader who does not see hears them.
    found += [
        f"the picture {figure['id']}, its {name}" for figure in card["figures"] for name in ("title", "alt", "reading")
        if counted.few(str(figure.get(name) or ""), below, in_words=True)
    ]  # fmt: skip
    return list(dict.fromkeys(found))


def table_counts(table: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """The whole numbers of a card's own table that count people, each with its line."""
    places = [place for place, name in enumerate(table["columns"]) if place and not NO_COUNT.fullmatch(name.strip())]
    for line, row in enumerate(table["rows"]):
        for cell in (row[place] for place in places if place < len(row)):
            if isinstance(cell, int) and not isinstance(cell, bool):
                yield line, cell


def _columns(table: PageTable) -> Iterator[tuple[str, list[int]]]:
    """Each column that could count people, with its counts. The first names what a row is about."""
    for place, column in enumerate(table.head):
        if place and not NO_COUNT.fullmatch(column.strip()):
            cells = [row[place] for row in table.rows if len(row) > place and COUNTS.fullmatch(row[place])]
            numerals = [text for cell in cells for text in NUMERAL.findall(HIDDEN.sub("", cell))]
            yield column, [_number(text) for text in numerals]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


class _Counted:
    """Numbers of people in a sentence: "3 people", "3 such people", "3 of 12 such people", and, where the card's own
    text is read and not somebody's answer, "three people"."""

    def __init__(self, nouns: str) -> None:
        number, after = r"(?<![\d.,])(\d[\d,]*)", rf"(?: (?:more|other|such|of the|of these|of those))?[ ](?:{nouns})\b"
        self.numerals = re.compile(rf"{number}(?: (?:out )?of (?:the |these )?\d[\d,]*)?{after}", re.I)
        self.words = re.compile(rf"\b({'|'.join(IN_WORDS)}){after}", re.I)

    def few(self, text: str, below: int, *, in_words: bool) -> bool:
        sentences = [one for one in SENTENCE.split(EXAMPLE.sub("", HIDDEN.sub("", text))) if not OF_100.search(one)]
        counts = [_number(found) for one in sentences for found in self.numerals.findall(one)]
        if in_words:
            counts += [IN_WORDS.index(found.lower()) + 2 for one in sentences for found in self.words.findall(one)]
        return any(0 < count < below for count in counts)


def _texts(value: Any, keys: Sequence[str] = ()) -> Iterator[str]:
    """Every text of a value, or of these keys of it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in keys or value:
            yield from _texts(value[key])
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _nouns(card: Card) -> str:
    """What the study calls its people and its groups, and what anybody may call people."""
    many = str(card["performance"]["tables"]["per_date"]["columns"][1])
    groups = [str(row["label"]).lower() for row in card["audit"]["rows"]]
    named = [label for label in groups if re.fullmatch(r"[^\W\d].{2,}", label) and label not in NOT_GROUPS]
    found = (many.lower(), "people", "persons", "households", *PEOPLE, *named)
    return "|".join(re.escape(noun) for noun in dict.fromkeys(found))
