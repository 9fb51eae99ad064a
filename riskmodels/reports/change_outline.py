"""What changed between two cards as sections, each a list of parts that every rendering knows how to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import day_text
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import (
    Part,
    Section,
    bullets,
    glossary,
    heading,
    plain_facts,
    says,
    table,
    texts,
    with_words,
)

Row = Mapping[str, Any]
METHOD = (
    "Each card has its own figures, with their own 95% intervals. A difference is called more than chance where the "
    "interval of the difference leaves out 0. That interval is made from the two cards' intervals, as if they were of "
    "different people (Newcombe 1998).",
    "Where both cards were tested on the same people, luck moves both figures alike. Then this way is careful: what it "
    "calls more than chance is so, but it can miss a small change. `riskmodels compare` pairs the people, and sees "
    "more.",
    "Many figures are compared. Where nothing changed at all, about one in twenty of them still seems to.",
    "A number that one card does not show is not shown of the other either. Counts of people are not set side by side: "
    "what lies between two of them could be a few people.",
)


def change_outline(change: Row) -> tuple[Section, ...]:
    """The sections of a change (`riskmodels.cards.change.Change.to_dict`), in order; none that would be empty."""
    parts: list[tuple[str, list[Part]]] = [
        ("In words", _words(change)),
        ("The main figures", _main_figures(change)),
        ("Groups", _groups(change)),
        ("What people say", _said(change)),
        ("Everything that differs", _everything(change)),
        ("The two cards", _cards(change)),
        ("How this was done", _method()),
    ]
    kept = [(title, each) for title, each in parts if each]
    return with_words(Section(number, title, tuple(each)) for number, (title, each) in enumerate(kept, 1))


def _words(change: Row) -> list[Part]:
    *words, last = change["words"]
    if not words:
        return texts([last])
    return [
        *bullets(words),
        heading("What this means for an approval"),
        *texts([last]),
        *bullets(change["substantive"]),
    ]


def _figure(change: Row, name: str) -> list[Part]:
    return [{"kind": "figure", "figure": figure} for figure in change["figures"] if figure["id"] == name]


def _tables(change: Row, *names: str, fold: bool = False) -> list[Part]:
    return [table(change["tables"][name], fold=fold) for name in names if name in change["tables"]]


def _main_figures(change: Row) -> list[Part]:
    parts = [
        *_figure(change, "change_list"),
        *_tables(change, "figures"),
        *_tables(change, "measures", fold=True),
    ]
    return [*says("How well it does, on both cards."), *parts] if parts else []


def _groups(change: Row) -> list[Part]:
    parts = [
        *_figure(change, "change_groups"),
        *_tables(change, "verdicts"),
        *_tables(change, "groups", fold=True),
    ]
    return [*says("How each protected group fares, on both cards."), *parts] if parts else []


def _said(change: Row) -> list[Part]:
    parts = _tables(change, "questions", "answers", "register")
    return [*says("What people wrote that is not as it was."), *parts] if parts else []


def _everything(change: Row) -> list[Part]:
    parts = [
        *_tables(change, "parts", fold=True),
        *(table(content, fold=True) for content in change["fields"].values()),
    ]
    return [*says("Every part and every number that is not the same on both cards."), *parts] if parts else []


def _cards(change: Row) -> list[Part]:
    return [
        *says("Which two cards these are."),
        heading("This card"),
        _facts(change["card"]),
        heading("The card it is compared with"),
        _facts(change["against"]),
    ]


def _facts(card: Row) -> Part:
    dates: Sequence[str] = card["test_dates"]
    lines = [
        ("Study", card["title"]),
        ("Tested on", ", ".join(day_text(day) for day in dates) or "no test date"),
        ("Edition", f"{card['edition']}, disclosure profile {card['disclosure']}"),
        ("Model version", card["version"]),
        ("Card SHA-256", card["card_sha256"]),
        ("Model SHA-256", card["model_sha256"]),
    ]
    return plain_facts([(name, value, "") for name, value in lines])


def _method() -> list[Part]:
    return [
        *texts(METHOD),
        *glossary({}),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
    ]
