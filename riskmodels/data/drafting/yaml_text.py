"""YAML that a person will edit: comments above and beside the lines, nothing wider than a page."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from riskmodels.data.drafting.names import one_line

WIDTH = 110
CHECK = "CHECK: "

Notes = Mapping[str, str]


def write_notes_and_yaml(
    value: Mapping[str, Any], notes: Notes, above: Mapping[str, tuple[str, ...]], flow: bool
) -> str:
    """YAML with comments.

    Parameters
    ----------
    notes : path (``sources.records.entity``, ``features[0]``) -> the comment at the end of that line
    above : path -> the paragraphs of comment before it; at the top level a blank line goes first
    flow : whether a short mapping below the top level stands on one line, in braces
    """
    lines: list[str] = []
    for key, item in value.items():
        if key in above and lines:
            lines.append("")
        lines += _emit(str(key), key, item, 0, notes, above, flow)
    return "\n".join(lines) + "\n"


def _emit(
    path: str, key: Any, value: Any, depth: int, notes: Notes, above: Mapping[str, tuple[str, ...]], flow: bool
) -> list[str]:
    pad = "  " * depth
    lines = [line for paragraph in above.get(path, ()) for line in _comment(paragraph, pad)]
    head = f"{pad}{_flow(key)}:"
    note = notes.get(path)
    children = value.items() if isinstance(value, Mapping) else ()
    if not value or not isinstance(value, (Mapping, list, tuple)):
        return lines + _scalar(head, value, note, pad)
    inside = any(other.startswith((f"{path}.", f"{path}[")) for other in (*notes, *above))
    nested = any(isinstance(item, (Mapping, list, tuple)) and item for _, item in children)
    short = f"{head} {_flow(value)}"
    as_block = isinstance(value, Mapping) and (not flow or (depth == 0 and nested) or len(value) > 5)
    if len(short) <= WIDTH and not inside and not as_block:
        return lines + _with_note(short, note, pad)
    lines += _with_note(head, note, pad)
    for name, item in children:
        lines += _emit(f"{path}.{name}", name, item, depth + 1, notes, above, flow)
    if not isinstance(value, Mapping):
        for number, item in enumerate(value):
            inner = f"{pad}  "
            *first, last = _wrapped(inner, item)
            own = notes.get(f"{path}[{number}]")
            lines += [*_comment(own, inner), *first, last] if first else _with_note(last, own, inner)
    return lines


def _scalar(head: str, value: Any, note: str | None, pad: str) -> list[str]:
    line = f"{head} {_plain(value)}"
    if len(line) <= WIDTH or not isinstance(value, str) or value != one_line(value):
        return _with_note(line, note, pad)
    text = textwrap.wrap(value, WIDTH - len(pad) - 2, break_long_words=False, break_on_hyphens=False)
    return [*_with_note(f"{head} >-", note, pad), *(f"{pad}  {part}" for part in text)]


def _wrapped(pad: str, item: Any) -> list[str]:
    """One item of a list; a long mapping in braces goes on below itself."""
    if not isinstance(item, Mapping) or not item:
        return [f"{pad}- {_flow(item)}"]
    parts = [f"{_flow(key)}: {_flow(value)}" for key, value in item.items()]
    lines, line = [], f"{pad}- {{{parts[0]}"
    for part in parts[1:]:
        if len(line) + len(part) + 3 > WIDTH:
            lines.append(line + ",")
            line = f"{pad}   {part}"
        else:
            line += f", {part}"
    return [*lines, line + "}"]


def _with_note(line: str, note: str | None, pad: str) -> list[str]:
    if not note:
        return [line]
    noted = f"{line}  # {one_line(note)}"
    return [noted] if len(noted) <= WIDTH else [*_comment(note, pad), line]


def _comment(note: str | None, pad: str) -> list[str]:
    wrapped = textwrap.wrap(one_line(note or ""), WIDTH - len(pad) - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{pad}# {part}" for part in wrapped]


def _flow(value: Any) -> str:
    """One value on one line, quoted wherever YAML would take it for something else."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    # Inside a list, so that what is special within braces is quoted too.
    return _dump([value], value)[1:-1]


def _plain(value: Any) -> str:
    """As `_flow`, outside braces, where less needs quotes."""
    return _dump(value, value) if isinstance(value, str) else _flow(value)


def _dump(value: Any, inner: Any) -> str:
    style = '"' if isinstance(inner, str) and not inner.isprintable() else None
    dumped = yaml.safe_dump(value, default_flow_style=True, default_style=style, allow_unicode=True, width=10**9)
    return dumped.removesuffix("...\n").strip()
