"""The record of a review as lines of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.reports.cells import day_text
from riskmodels.reports.review_words import condition_state, said
from riskmodels.reports.visible import visible_text

Row = Mapping[str, Any]
WIDTH = 100


def account_lines(found: Row) -> Iterator[str]:
    """A model's state, its conditions, and all that was recorded on it; the gate is a table of its own."""
    (version,) = found["versions"]
    yield from _wrapped(version["status"]["words"])
    if version["champion_since"]:
        yield f"Champion since {day_text(version['champion_since'])}."
    yield from condition_lines(version)
    yield ""
    yield "What was recorded" if found["history"] else "Nothing was recorded on it."
    for row in found["history"]:
        words = said(row)
        yield ""
        yield from _wrapped(f"{row['record']}. {day_text(row['recorded_on'])}: {words.title}")
        for name, texts in words.lines:
            yield from labelled(name, texts)
        yield f"     Seal: {row['sha256']}"


def condition_lines(version: Row) -> Iterator[str]:
    """The conditions of the decision in force, what is overdue in capitals."""
    if not version["conditions"]:
        return
    yield ""
    yield f"Conditions (of record {version['decision']})"
    for row in version["conditions"]:
        due = f"by {day_text(row['due'])}" if row["due"] else "no day"
        state = condition_state(row)
        yield from _wrapped(f"{row['number']}. {state}. {row['owner']}, {due}: {row['text']}", "  ")
        if row["evidence"]:
            yield from _wrapped(f"Evidence: {row['evidence']}", "     ")


def labelled(name: str, texts: tuple[str, ...]) -> Iterator[str]:
    """``Advice: proceed``, or a label with a line for each of several texts below it."""
    if len(texts) == 1:
        yield from _wrapped(f"{name}: {texts[0]}", "     ")
        return
    yield f"     {name}:"
    for text in texts:
        yield from _wrapped(f"- {text}", "       ")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        visible_text(text), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
