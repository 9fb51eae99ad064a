"""The file that a secretary saves: whether it can be read at all, and what in it would be lost without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from riskmodels import storage
from riskmodels.errors import GateError, StudyError, UsageError

# How other kinds of files begin, and what people call those.
NO_PLAIN_TEXT = {
    b"PK\x03\x04": "a Word document",
    b"\xd0\xcf\x11\xe0": "a Word document",
    b"{\\rtf": "a document with formatting",
    b"%PDF": "a PDF",
}
QUOTES = "put straight quotes round the text"
# What YAML says of it -> what to do. Whatever else it says, quotes help most often.
YAML_IN_WORDS = {
    "mapping values": f"holds a second colon; {QUOTES}",
    "found character '\\t'": "begins with a tab; use spaces instead",
    "expected <block end>": f"{QUOTES}, or begin the line where those beside it begin",
    "could not find expected ':'": f"this or the line above has no colon after its name; write one, or {QUOTES}",
    "found unexpected end of stream": "a quote is opened and never closed; close it",
    "found unknown escape": "a text in double quotes holds a backslash; use single quotes",
}
OURS = re.compile("the key .* stands twice|a key must be one word|the calendar has no day")
_YAML_PROBLEM = re.compile(r"(?s)(?P<file>.*), line (?P<line>\d+), column \d+: (?P<problem>.*)")


def read_form(path: Path) -> Any:
    """What the file holds.

    Raises
    ------
    UsageError
        if there is no such file.
    GateError
        if it is not plain text, or not a form, or holds what would not be recorded: the line is named.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise UsageError(f"{path}: {what}; name the form that was filled in (`riskmodels review open MODEL` writes it)")
    try:
        text = storage.read_bytes(path, StudyError)
        for start, kind in NO_PLAIN_TEXT.items():
            if text.startswith(start):
                raise GateError(f"{path}: is {kind}; save it as plain text (UTF-8)")
        raw = storage.parse_yaml(text, path)
    except StudyError as problem:
        raise GateError(_yaml_in_words(str(problem))) from None
    if raw is None:
        raise GateError(f"{path}: is empty; `riskmodels review open MODEL` writes a form to fill in")
    for line in _lines_with_more(text.decode()):
        raise GateError(f"{path}, line {line}: what stands after # would not be recorded; {QUOTES}, or take that out")
    return raw


def _yaml_in_words(said: str) -> str:
    found = _YAML_PROBLEM.fullmatch(said)
    if found is None:
        return said
    if OURS.match(found["problem"]):
        return f"{found['file']}, line {found['line']}: {found['problem']}"
    words = (words for start, words in YAML_IN_WORDS.items() if found["problem"].startswith(start))
    return f"{found['file']}, line {found['line']}: {next(words, QUOTES)}"


def _lines_with_more(text: str) -> Iterator[int]:
    """The lines on which a value is followed by a #: YAML drops the rest, and nobody would be told.

    Lines of comment are help. After a quoted text, or above lines that belong to a key, nothing of a value is lost.
    """
    tokens = [token for token in yaml.scan(text, Loader=yaml.SafeLoader) if not isinstance(token, _NO_WORDS)]
    for token, follows in zip(tokens, [*tokens[1:], None], strict=True):
        plain = isinstance(token, yaml.ScalarToken) and token.plain
        blank = isinstance(token, yaml.ValueToken | yaml.BlockEntryToken) and not isinstance(follows, _BELOW)
        end = token.end_mark
        if (plain or blank) and re.match(r"[ \t]+#", text[end.index : end.index + 200]):
            yield end.line + 1


_NO_WORDS = (yaml.StreamStartToken, yaml.StreamEndToken, yaml.DocumentStartToken, yaml.DocumentEndToken)
_BELOW = (yaml.ScalarToken, yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockEntryToken)
