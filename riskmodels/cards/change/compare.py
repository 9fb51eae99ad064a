"""From two cards to what changed between them, in words first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels import storage
from riskmodels.cards.card import Figure, Table
from riskmodels.cards.change.audit_changes import audit_in_words, groups_table, verdicts_table
from riskmodels.cards.change.fields import number_tables
from riskmodels.cards.change.headline import Two, figures_in_words, figures_table, measures_table, what_was_tested
from riskmodels.cards.change.parts import parts_table
from riskmodels.cards.change.pictures import change_figures
from riskmodels.cards.change.said_changes import (
    answers_in_words,
    answers_table,
    questions_in_words,
    questions_table,
    register_in_words,
    register_table,
)
from riskmodels.cards.change.speech import Card, quote, speech_of, test_dates
from riskmodels.cards.change.substantive import substantive_changes
from riskmodels.cards.words import at

SCHEMA_VERSION = 1
NOTHING = "Nothing changed."
ANEW = "An earlier approval does not cover these changes of substance:"
NONE_OF_SUBSTANCE = (
    "Nothing of substance was found to have changed. A new card still needs a decision of its own before it is used."
)
# Two cards' figures are of the same thing where these are alike.
SAME_OUTCOME = (
    "how_it_works.facts.outcome.value", "how_it_works.facts.looks_ahead.value",
    "how_it_works.facts.the_outcome_is.value", "audit.level",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What changed from one card to the next.

    ``against`` and ``card`` identify the two: study, version, model, digests, edition and test dates. ``words`` come
    first; each of ``substantive`` says from what to what. ``tables`` are short enough for a card; ``fields`` hold every
    number that differs, by section. ``resets_approval``: whether any change is one of substance.
    """

    against: Mapping[str, Any]
    card: Mapping[str, Any]
    words: tuple[str, ...]
    substantive: tuple[str, ...]
    tables: Mapping[str, Table]
    fields: Mapping[str, Table]
    figures: tuple[Figure, ...]
    resets_approval: bool

    @property
    def is_nothing(self) -> bool:
        return self.words == (NOTHING,)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, which is what renderings take."""
        return {
            "schema_version": SCHEMA_VERSION,
            "against": dict(self.against),
            "card": dict(self.card),
            "words": list(self.words),
            "substantive": list(self.substantive),
            "tables": {name: content.model_dump(mode="json") for name, content in self.tables.items()},
            "fields": {name: content.model_dump(mode="json") for name, content in self.fields.items()},
            "figures": [figure.model_dump(mode="json") for figure in self.figures],
            "resets_approval": self.resets_approval,
        }


def compare_cards(
    old: Mapping[str, Any], new: Mapping[str, Any], *, since: dt.date | None = None, today: dt.date | None = None
) -> Change:
    """What changed from one card to the next. Pure: the same two cards and days give the same change.

    Parameters
    ----------
    old, new : cards of the same edition as plain JSON values (`ModelCard.to_dict`)
    since, today : when the old card was made and what day it is, for agreements that ended between; no day is read
        from a clock
    """
    identity = {"against": _identity(old), "card": _identity(new)}
    if old == new:
        return Change(**identity, words=(NOTHING,), substantive=(), tables={}, fields={}, figures=(),
                      resets_approval=False)  # fmt: skip
    two = Two(old, new, speech_of(new), all(at(old, path) == at(new, path) for path in SAME_OUTCOME))
    substantive = substantive_changes(old, new)
    words = [
        *_studies(old, new),
        *_advice(old, new),
        *figures_in_words(two),
        *audit_in_words(two),
        *questions_in_words(old, new),
        *answers_in_words(old, new),
        *register_in_words(old, new, since, today),
        *what_was_tested(two),
        ANEW if substantive else NONE_OF_SUBSTANCE,
    ]
    tables = {
        "figures": figures_table(two),
        "measures": measures_table(two),
        "groups": groups_table(two),
        "verdicts": verdicts_table(two),
        "questions": questions_table(old, new),
        "answers": answers_table(old, new),
        "register": register_table(old, new),
        "parts": parts_table(old, new),
    }
    return Change(
        **identity,
        words=tuple(words),
        substantive=tuple(substantive),
        tables={name: content for name, content in tables.items() if content.rows},
        fields={name: content for name, content in number_tables(two).items() if content.rows},
        figures=change_figures(two),
        resets_approval=bool(substantive),
    )


def _identity(card: Card) -> dict[str, Any]:
    return {
        "study": card["study"],
        "title": card["title"],
        "version": at(card, "model.version"),
        "model_sha256": at(card, "model.sha256"),
        "card_sha256": storage.sha256(storage.canonical_json(dict(card))),
        "digests": dict(at(card, "digests") or {}),
        "edition": at(card, "edition_profile.edition"),
        "disclosure": at(card, "edition_profile.disclosure"),
        "test_dates": test_dates(card),
    }


def _studies(old: Card, new: Card) -> list[str]:
    if old["study"] == new["study"]:
        return []
    return [f"The last card is of another study: {quote(old['title'])}. This one is of {quote(new['title'])}."]


def _advice(old: Card, new: Card) -> list[str]:
    before, after = (at(card, "summary.recommendation") or {} for card in (old, new))
    said = f"Our advice now: {quote(after.get('headline'))}"
    if before == after:
        return [f"Our advice is as last time: {quote(after.get('headline'))}"]
    if before.get("code") == after.get("code"):
        return [f"Our advice is of the same kind as last time. {said}"]
    return [f"Our advice changed. {said} Last time: {quote(before.get('headline'))}"]
