"""Numbers: page one's stand in the card at their paths, and every numeral of every rendering is the card's.

A rendering is read back (`riskmodels.cards.reading_back`) and held to the card by where a number stands: a cell
by its table and row, a fact by its label, a line under a picture by the picture's table, and a sentence as a whole. A
number that merely occurs somewhere else in the card is not enough.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.checks.checked import Card, Checked, Verdict, facts_of, some, tables_of, texts_of
from riskmodels.cards.reading_back import Block, PageTable, Written
from riskmodels.cards.words import at, spoken
from riskmodels.reports.cells import cell_text, day_text, label
from riskmodels.reports.glossary import ACCESSIBILITY, GLOSSARY
from riskmodels.reports.outline import SECTIONS
from riskmodels.reports.visible import visible

# A run of digits with its thousands and decimals.
NUMERAL = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Said on every page of every card: the places on the page, and the people that shares are given of.
PLACES = re.compile(r"\b(?:[Ss]ections?|[Rr]ecord|[Qq]uestion) \d+(?:(?:, | and | to )\d+)*")
OF = "100"
ON_EVERY_CARD = {OF, "8"}
# A cell such as "12 to 15" is a number, not a sentence: it counts where it stands and nowhere else.
BARE = re.compile(
    r"(?:[\d.,%×+\-–() ]|about|and|between|fewer|more|no limit|not|of|or|per|than|to|(?:day|week|month|year)s?)*"
)
LONGEST_NUMBER = 40  # characters; a digest may be of digits alone
MOST_QUOTED = 60


# ---------------------------------------------------------------- page one


def prose_agrees(checked: Checked) -> Verdict:
    """Every number that the run says on page one is taken from the card."""
    card = checked.card
    wrong = [number["path"] for number in card["summary"]["numbers"] if not _stands(at(card, number["path"]), number)]
    taken = {number["text"] for number in card["summary"]["numbers"]}
    known = ON_EVERY_CARD | set(NUMERAL.findall(" ".join(_study_words(card))))
    for block in card["summary"]["blocks"]:
        if block["source"] == "run":
            wrong += [
                f"{block['id']}: {text}"
                for text in numerals(block["text"])
                if text not in taken | known and not _is_part(text, taken)
            ]
    return not wrong, (
        f"page one says what the card does not hold: {some(wrong)}; build the card again"
        if wrong
        else "page one's numbers are the card's"
    )


def numerals(text: str) -> list[str]:
    return [found.rstrip(",.") for found in NUMERAL.findall(text)]


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


def _is_part(text: str, taken: set[str]) -> bool:
    """ "fewer than 1" and "more than 99" are said as words around a number."""
    return any(text in said.split() for said in taken)


# ---------------------------------------------------------------- every rendering


def renderings_agree(checked: Checked) -> Verdict:
    """Every numeral of every rendering of the card is the card's, where it stands."""
    held = Held.of(visible(checked.card))
    wrong = [f"{name}: {text}" for name, written in checked.written.items() for text in foreign_numbers(written, held)]
    return not wrong, (
        f"numbers that are not the card's: {some(wrong, 3)}; render the card again"
        if wrong
        else f"every number in {' and '.join(checked.written)} is the card's"
    )


def foreign_numbers(written: Written, held: Held) -> list[str]:
    """What a rendering says with a number that the card does not hold there, quoted."""
    blocks = [block.text[:MOST_QUOTED] for block in written.blocks if not held.has(block)]
    return blocks + [text[:MOST_QUOTED] for table in written.tables for text in held.strangers(table)]


@dataclass(frozen=True)
class Held:
    """What a card holds, by where it may be said.

    ``texts``: whole; ``by_numeral``: texts that are sentences or names, by each number in them; ``facts``: pairs of
    label and value; ``rows``: by caption, each row's cells; ``figures``: by title, the numbers of its table.
    """

    texts: frozenset[str]
    by_numeral: Mapping[str, frozenset[str]]
    facts: frozenset[tuple[str, str]]
    rows: Mapping[str, tuple[tuple[str, ...], ...]]
    figures: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, card: Card) -> Held:
        fixed = [*GLOSSARY, *GLOSSARY.values(), *ACCESSIBILITY]
        fixed += [f"{number}{point} {section[0]}" for number, section in SECTIONS.items() for point in ("", ".")]
        fixed += [f"{question['number']}. {question['question']}" for question in card["questions"]]
        tables = [table for _, table in tables_of(card)]
        # A row may be named by its first two cells, such as the number of an item and what it asks.
        fixed += [": ".join(map(cell_text, row[:2])) for table in tables for row in table["rows"]]
        said = [*fixed, *(text for _, text in texts_of(card)), *_keys(card)]
        texts = {line for text in said for line in _lines(text)}
        by_numeral: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            if not _is_bare(text):
                for numeral in numerals(text):
                    by_numeral[numeral].add(text)
        rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for table in tables:
            rows[_plain(table["caption"])] += [tuple(_plain(cell_text(cell)) for cell in row) for row in table["rows"]]
        figures = {
            _plain(figure["title"]).rstrip("."): frozenset(
                numeral
                for cell in [figure["n"], *(cell for row in figure["table"]["rows"] for cell in row)]
                for numeral in numerals(cell_text(cell))
            )
            for figure in card["figures"]
        }
        return cls(
            frozenset(texts),
            {numeral: frozenset(found) for numeral, found in by_numeral.items()},
            frozenset(_facts(card, tables)),
            {caption: tuple(found) for caption, found in rows.items()},
            figures,
        )

    def has(self, block: Block) -> bool:
        """Whether every number of a block is the card's."""
        if not NUMERAL.search(block.text) or (block.label, block.text) in self.facts:
            return True
        if block.tag == "li" and tuple(block.text.partition(": ")[::2]) in self.facts:
            return True
        if block.text in self.texts and not _is_bare(block.text):
            return True
        told = self.figures.get(block.figure, frozenset()) | {OF}
        covered = bytearray(len(block.text))  # where a whole text of the card stands
        for place in PLACES.finditer(block.text):
            _cover(covered, *place.span())
        tried: set[str] = set()
        for found in NUMERAL.finditer(block.text):
            numeral = found[0].rstrip(",.")
            if numeral in told or covered[found.start()]:
                continue
            for known in self.by_numeral.get(numeral, frozenset()) - tried:
                tried.add(known)
                for begin in _places(block.text, known):
                    _cover(covered, begin, begin + len(known))
            if not covered[found.start()]:
                return False
        return True

    def strangers(self, table: PageTable) -> list[str]:
        """Cells whose numbers no row of the card's table of that caption has; of an unknown table, what no text has."""
        rows = self.rows.get(table.caption)
        found = []
        for row in table.rows:
            told = [cell for cell in row if NUMERAL.search(cell)]
            if rows is None:
                found += [cell for cell in told if not self.has(Block(cell))]
            elif told and tuple(row) not in rows and not _is_part_of_a_row(row, rows):
                found.append(f"{table.caption}: {' | '.join(row)}")
        return found


def _is_part_of_a_row(row: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a longer row has these cells in this order: a page may leave columns out."""
    told = [cell for cell in row if cell]
    longer = (iter(known) for known in rows if len(known) > len(row))
    return any(all(cell in rest for cell in told) for rest in longer)


def _is_bare(text: str) -> bool:
    return len(text) < LONGEST_NUMBER and BARE.fullmatch(text) is not None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> set[str]:
    """A text as it is written, in the ways that a page may write it."""
    plain = _plain(text)
    return {plain, day_text(plain), plain.lower()} if plain else set()


def _cover(covered: bytearray, begin: int, end: int) -> None:
    covered[begin:end] = b"\x01" * (end - begin)


def _places(text: str, known: str) -> Iterator[int]:
    """Where a text stands in another, not in the midst of a word or a number."""
    begin = text.find(known)
    while begin >= 0:
        end = begin + len(known)
        before, after = text[begin - 1 : begin], text[end : end + 1]
        if not (before.isalnum() and known[0].isalnum()) and not (after.isalnum() and known[-1].isalnum()):
            yield begin
        begin = text.find(known, begin + 1)


def _facts(card: Card, tables: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What may stand beside a label: facts, and the cells of tables that are shown as records."""
    for path, fact in facts_of(card):
        yield label(path.rpartition(".")[2]), _plain(cell_text(fact["value"]))
    for table in tables:
        for row in table["rows"]:
            yield from ((column, _plain(cell_text(cell))) for column, cell in zip(table["columns"], row, strict=True))


def _keys(value: Any) -> Iterator[str]:
    """Names of keys, which a page may print."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (key, label(key))
            yield from _keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _keys(inner)
