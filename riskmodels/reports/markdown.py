"""The card as Markdown: the same sections, facts and tables as the page, for places that show text only."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import NOT_ANSWERED, NOT_PROVIDED, cell_text, is_number, label, said_once
from riskmodels.reports.outline import outline
from riskmodels.reports.page import ADVICE, about_public, banner

Lines = list[str]


def render_card_markdown(
    card: Mapping[str, Any],
    status: Mapping[str, Any],
    *,
    sign_off: Sequence[Mapping[str, Any]] = (),
    today: dt.date | None = None,
    change: Mapping[str, Any] | None = None,
) -> bytes:
    """``card.md``. The same arguments give the same bytes; what people wrote cannot become markup."""
    lines = [
        f"# {plain(card['title'])}: model card",
        f"**{plain(banner(status)['state'])}** {plain(banner(status)['words'])}",
        plain(card["organisation"]["name"]),
        plain(card["question"]),
        f"Model version {plain(card['model']['version'])}. {plain(label(card['edition_profile']['edition']))} edition.",
        *(f"**{name}.** {plain(words)}" for name, words in about_public(card, status)),
    ]
    for section in outline(card, sign_off, today, change):
        lines.append(f"## {section.number}. {plain(section.title)}")
        for part in section.parts:
            lines += PARTS[part["kind"]](part)
    return ("\n\n".join(lines) + "\n").encode()


def plain(value: Any) -> str:
    """A value as one line of Markdown that shows just these characters."""
    text = " ".join(cell_text(value).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text)
    # At the start of a line these would make a list, a rule or a heading.
    return re.sub(r"^([-+=]|\d+(?=[.)]))", r"\\\1" if not text[:1].isdigit() else r"\1", text)


# ---------------------------------------------------------------- parts


def _text(part: Mapping[str, Any]) -> Lines:
    return [_paragraph(part["text"])]


def _paragraph(text: str) -> str:
    """A paragraph that begins with a number and a full stop is not a list."""
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", plain(text))


def _heading(part: Mapping[str, Any]) -> Lines:
    return [f"### {plain(part['text'])}"]


def _list(part: Mapping[str, Any]) -> Lines:
    title = [f"**{plain(part['fold'])}**"] if "fold" in part else []
    return [*title, "\n".join(f"- {plain(item)}" for item in part["items"])]


def _facts(part: Mapping[str, Any]) -> Lines:
    lines = []
    for fact in part["facts"]:
        value = NOT_PROVIDED.format(owner=fact["owner"]) if fact["value"] is None else fact["value"]
        source = f" ({plain(fact['from'][:1].lower() + fact['from'][1:])})" if fact["from"] else ""
        lines.append(f"- **{plain(fact['label'])}**: {plain(value)}{source}")
    return ["\n".join(lines), *([plain(part["note"])] if part["note"] else [])]


def _glossary(part: Mapping[str, Any]) -> Lines:
    return ["\n".join(f"- **{plain(term)}**: {plain(words)}" for term, words in part["terms"])]


def _table(part: Mapping[str, Any]) -> Lines:
    return _content(part["table"])


def _content(given: Mapping[str, Any]) -> Lines:
    table = said_once(given)
    notes = [*([table["note"]] if table.get("note") else []), *table["said"], f"Source: {table['source']}."]
    source = " ".join(plain(note) for note in notes)
    if not table["rows"]:
        return [f"**{plain(table['caption'])}**: None.", source]
    first = table["rows"][0]
    rows = [
        [plain(column) for column in table["columns"]],
        ["---:" if is_number(value) else "---" for value in first],
        *([plain(value) for value in row] for row in table["rows"]),
    ]
    return [f"**{plain(table['caption'])}**", "\n".join(f"| {' | '.join(row)} |" for row in rows), source]


def _figure(part: Mapping[str, Any]) -> Lines:
    figure = part["figure"]
    based = f" Based on {cell_text(figure['n'])}." if figure["n"] is not None else ""
    reading = f" {plain(figure['reading'])}" if figure.get("reading") else ""
    return [
        f"**{plain(figure['title'])}.** {plain(figure['alt'])}{reading} Unit: {plain(figure['unit'])}.{based}",
        *_content(figure["table"]),
    ]


def _records(part: Mapping[str, Any]) -> Lines:
    lines = []
    for record in part["records"]:
        name, words = record["title"]
        lines.append(f"**{plain(name)}: {plain(words)}**")
        lines.append("\n".join(f"- {plain(name)}: {plain(value)}" for name, value in record["lines"]))
    return [*lines, f"Source: {plain(part['source'])}."]


def _record(part: Mapping[str, Any]) -> Lines:
    return [
        f"### {plain(part['title'])}",
        "\n".join(f"- **{plain(name)}**: {plain('; '.join(values))}" for name, values in part["lines"]),
    ]


def _questions(part: Mapping[str, Any]) -> Lines:
    lines = []
    for question in part["questions"]:
        answer = question["answer"] if question["answer"] is not None else NOT_ANSWERED.format(owner=question["owner"])
        lines.append(
            f"**{question['number']}. {plain(question['question'])}** {plain(answer)} "
            f"(More in section {question['section']}.)"
        )
    return lines


def _verdict(part: Mapping[str, Any]) -> Lines:
    return [f"**{plain(part['verdict'])}**"]


def _page_one(part: Mapping[str, Any]) -> Lines:
    advice = part["summary"]["recommendation"]
    lines = [
        f"**Our advice: {ADVICE[advice['code']]}**",
        f"**{plain(advice['headline'])}**",
        "\n".join(f"- {plain(reason)}" for reason in advice["reasons"]),
    ]
    for block in part["summary"]["blocks"]:
        lines += [f"### {plain(block['heading'])}", _paragraph(block["text"])]
    return lines


PARTS: dict[str, Callable[[Mapping[str, Any]], Lines]] = {
    "text": _text,
    "says": _text,
    "glossary": _glossary,
    "heading": _heading,
    "list": _list,
    "facts": _facts,
    "table": _table,
    "figure": _figure,
    "records": _records,
    "record": _record,
    "questions": _questions,
    "verdict": _verdict,
    "page_one": _page_one,
}
