"""What a draft of a field takes from a card: facts, words, tables, and the nouns of the study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.words import NOUNS, at, capital
from riskmodels.reports.cells import cell_text

ONE_OF = {many: one for nouns in NOUNS.values() for one, many in nouns.items()}
# What the register says of itself where its owner said nothing.
SAYS_NOTHING = ("None stated", "", None)
# What the card's register says that a source is used for.
FOR_THE_MODEL, FOR_THE_AUDIT = "the model", "the audit only"
DAY = re.compile(r"\b\d{1,2} [A-Z][a-z]+ \d{4}\b|\b\d{4}-\d{2}-\d{2}\b")
OWN_TIME = "Time is counted in days since each"  # how a card begins to say that its days are none of the calendar


@dataclass(frozen=True)
class Taken:
    """A card of either edition as plain values, read so that what is not there is left out."""

    card: Mapping[str, Any]

    # -- words

    def at(self, path: str) -> Any:
        return at(self.card, path)

    def fact(self, path: str) -> str | None:
        """The text of a fact, as ``law.objection``; None if nobody gave it."""
        section, _, key = path.partition(".")
        value = self.at(f"{section}.facts.{key}.value")
        return None if value in (None, "") else cell_text(value)

    def facts(self, *paths: str) -> str | None:
        """The texts of these facts as paragraphs; None unless the first is there."""
        found = [self.fact(path) for path in paths]
        return paragraphs(*found) if found[0] is not None else None

    def labelled(self, *pairs: tuple[str, str]) -> str | None:
        """Facts as paragraphs that each begin with a heading; None if there is none."""
        return paragraphs(*(f"{name}: {text}" for name, path in pairs if (text := self.fact(path))))

    def block(self, name: str) -> str | None:
        found = (block for block in self.at("summary.blocks") or () if block["id"] == name)
        block = next(found, None)
        if block is None or block["source"] != "run":
            return None
        return apart(str(block["text"]))

    @property
    def advice(self) -> str | None:
        """What the card says first of all: what it advises."""
        headline = self.at("summary.recommendation.headline")
        return f"What the model card advises: {apart(str(headline))}" if headline else None

    def dated(self, text: str | None) -> str | None:
        """A text whose dates are the study's; where they are none of the calendar, it begins by saying so."""
        counted = any(str(words).startswith(OWN_TIME) for words in self.at("data.words") or ())
        if not text or not counted or not DAY.search(text):
            return text
        return (
            "No date here is one of the calendar: a date stands for a number of days since each "
            f"{self.one}'s own start.\n{text}"
        )

    def words(self, path: str) -> str | None:
        return " ".join(self.at(path) or ()) or None

    # -- nouns

    @property
    def many(self) -> str:
        """Who is ranked: the heading of the column that counts them."""
        columns = list(self.at("data.unknown_by_fifth.columns") or ())
        return str(columns[1]).lower() if len(columns) > 1 else "people"

    @property
    def one(self) -> str:
        return ONE_OF.get(self.many, "person")

    @property
    def outcome(self) -> str | None:
        return self.fact("how_it_works.outcome")

    # -- tables

    def rows(self, path: str) -> list[dict[str, Any]]:
        """A table's rows by the names of their columns."""
        table = self.at(path) or {"columns": (), "rows": ()}
        return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]

    @property
    def sources(self) -> list[dict[str, Any]]:
        return self.rows("data.register")

    @property
    def in_use(self) -> list[dict[str, Any]]:
        """The sources that the model may read; the others only check that it is fair, or wait in the register."""
        return [row for row in self.sources if row.get("Used for") == FOR_THE_MODEL]

    @property
    def fields(self) -> list[str]:
        """What the scores depend on, in words."""
        return [str(row["Field"]) for row in self.rows("how_it_works.features") if row.get("Used")]

    @property
    def used_sources(self) -> set[str]:
        """The sources of the fields that the scores depend on."""
        return {str(row["Source"]) for row in self.rows("how_it_works.features") if row.get("Used")}

    @property
    def all_fields(self) -> list[str]:
        return [str(row["Field"]) for row in self.rows("how_it_works.features")]


def apart(text: str) -> str:
    """A text of the card for a record, which stands apart from the sections that the text names."""
    return re.sub(r"\b(section \d+)\b", r"\1 of the model card", text, flags=re.IGNORECASE)


def paragraphs(*texts: str | None) -> str | None:
    """The texts that are there, one a line; None if there is none."""
    return "\n".join(text.strip() for text in texts if text and text.strip()) or None


def each(rows: Sequence[Mapping[str, Any]], column: str, name: str = "Source") -> list[tuple[str, list[str]]]:
    """What a column says, and the rows that say it, so that nothing is said twice. Rows may say nothing."""
    said: dict[str, list[str]] = {}
    for row in rows:
        value = row.get(column)
        if value not in SAYS_NOTHING:
            said.setdefault(sentence(cell_text(value)), []).append(str(row[name]))
    return list(said.items())


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    text = capital(" ".join(text.split()))
    return text if not text or text[-1] in ".!?" else f"{text}."
