"""Disclosure control looked at once more, on what a reader gets: the tables and the sentences of a rendering.

A card is safe by how it is made. This reads a page as a stranger would, who knows the card's profile and not where a
number comes from: in every column that could count people, and in every sentence that counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.reading_back import PageTable, Written

Card = Mapping[str, Any]

# Columns that count nobody: shares, measures, sizes of a list in places, and what is said of the model and the study.
NO_COUNT = re.compile(
    r".*\bof (?:each )?100\b.*|at least|at most|risk from|to|ratio|value|item|parameter|parts.*|points.*|size.*|"
    r"helping.*|acting on.*|observed to expected.*|brier.*|auc|.*slope.*|from the .*|how many|how much|fifth.*|"
    r"places.*|times the.*|gain|change.*|could be.*|evidence|result|section|where|before|after|.*standardised.*|own.*",
    re.I,
)
# A cell that is nothing but counts, one or several, and words for those that are hidden.
COUNTS = re.compile(r"(?:\d[\d,]*|not shown(?: \([^()]*\))?|about|and|or|fewer|more|[,;\s])+")
NUMERAL = re.compile(r"(?<![\d.,])\d[\d,]*(?![\d.]|,\d)")
HIDDEN = re.compile(r"not shown \([^()]*\)")
# Numbers in a sentence about 100 people are shares.
OF_100 = re.compile(r"\b100\b")
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
    counted = re.compile(rf"(?<![\d.,])(\d[\d,]*) (?:more |other |of the |of these )?(?:{_nouns(card)})\b", re.I)
    # A heading counts nobody: "4 People and process".
    for block in (block for block in written.blocks if not re.fullmatch("h[1-6]", block.tag)):
        sentences = [one for one in SENTENCE.split(HIDDEN.sub("", block.text)) if not OF_100.search(one)]
        if any(0 < _number(text) < below for sentence in sentences for text in counted.findall(sentence)):
            found += [f"the {block.tag or 'text'} that begins {block.text[:40]!r}"]
    return list(dict.fromkeys(found))


def _columns(table: PageTable) -> Iterator[tuple[str, list[int]]]:
    """Each column that could count people, with its counts. The first names what a row is about."""
    for place, column in enumerate(table.head):
        if place and not NO_COUNT.fullmatch(column.strip()):
            cells = [row[place] for row in table.rows if len(row) > place and COUNTS.fullmatch(row[place])]
            numerals = [text for cell in cells for text in NUMERAL.findall(HIDDEN.sub("", cell))]
            yield column, [_number(text) for text in numerals]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _nouns(card: Card) -> str:
    """What the study calls its people, and what anybody may call them."""
    many = str(card["performance"]["tables"]["per_date"]["columns"][1])
    return "|".join(re.escape(noun) for noun in dict.fromkeys((many.lower(), "people", "persons", "households")))
