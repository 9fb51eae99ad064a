"""What a check is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from riskmodels.cards.reading_back import Page, Written, read_html, read_markdown
from riskmodels.cards.renderings import Beside, render
from riskmodels.reports.markdown import render_card_markdown
from riskmodels.reports.page import render_card
from riskmodels.reports.visible import visible

Card = Mapping[str, Any]
Verdict = tuple[bool, str]
Stage = Literal["pilot", "live"]
NOBODY_DECIDED = Beside({"state": "DRAFT", "words": "DRAFT."})


@dataclass(frozen=True)
class Checked:
    """A card of either edition as plain JSON values, what stands beside it, and its renderings, made when asked for.

    ``published``: the other edition of it, and earlier versions, that the same readers may have; ``committee_sha256``:
    digest of the committee's ``card.json``, which a public edition was made from; ``pdf``: whether it is looked at too,
    which takes long.
    """

    card: Card
    beside: Beside = NOBODY_DECIDED
    published: Sequence[Card] = ()
    committee_sha256: str | None = None
    pdf: bool = False

    @cached_property
    def html(self) -> bytes:
        return next(iter(render(self.card, ("html",), self.beside).values()))

    @cached_property
    def page(self) -> Page:
        return read_html(self.html)

    @cached_property
    def written(self) -> dict[str, Written]:
        """By format, what a page says of the card alone: no review, no change, no day, and a text for each picture."""
        card = visible(self.card)
        return {
            "html": read_html(render_card(card, status=NOBODY_DECIDED.status)).written,
            "md": read_markdown(render_card_markdown(card, NOBODY_DECIDED.status)),
        }


@dataclass(frozen=True)
class Check:
    """A row of `CHECKS`. ``blocks``: the stages that may not be approved while it fails; none of them: a warning.

    ``of_page``: whether the page has to be made for it; ``of_pdf``: or the PDF, which takes long and is made when it is
    asked for.
    """

    what: str
    run: Callable[[Checked], Verdict]
    blocks: tuple[Stage, ...] = ("pilot", "live")
    of_page: bool = False
    of_pdf: bool = False

    def __call__(self, card: Card | Checked) -> Verdict:
        return self.run(card if isinstance(card, Checked) else Checked(card))


def texts_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a card with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_of(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from texts_of(inner, f"{path}.{position}")


def tables_of(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every table of a card with its path, those of figures included."""
    if isinstance(value, Mapping):
        if {"caption", "columns", "rows", "source"} <= set(value):
            yield path, value
            return
        for key, inner in value.items():
            yield from tables_of(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from tables_of(inner, f"{path}.{position}")


def facts_of(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every fact of a card with its path."""
    if isinstance(value, Mapping):
        if {"value", "source", "owner"} <= set(value):
            yield path, value
            return
        for key, inner in value.items():
            yield from facts_of(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from facts_of(inner, f"{path}.{position}")


def some(found: Sequence[str], most: int = 5) -> str:
    """The first of what was found, and whether there is more."""
    return f"{', '.join(found[:most])}{f' and {len(found) - most} more' if len(found) > most else ''}"
