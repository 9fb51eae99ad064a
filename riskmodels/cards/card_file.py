"""``card.json`` as plain values: read strictly, since a committee's decision stands on what it says.

A file may come from anywhere, so what is no card is refused before anything is built from it: too large, too deep,
a key said twice (two readers would see two cards), or a number that JSON does not have.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import CardError

MOST_BYTES = 20_000_000
MOST_DEPTH = 40
LONGEST_NAME = 40  # characters of a key that a message quotes


def read_card_file(path: Path) -> bytes:
    """The bytes of a model's ``card.json``, which may be anybody's by now: of a plain file, not larger than a card is.

    Raises
    ------
    CardError
        if it is not there, cannot be read, is a link, folder, device, pipe or socket, or is too large.
    """
    return storage.read_plain_file(path, MOST_BYTES, CardError)


def parse_card_file(content: bytes) -> dict[str, Any]:
    """The file as a mapping.

    Raises
    ------
    CardError
        saying what is wrong, in one line.
    """
    if len(content) > MOST_BYTES:
        raise CardError(f"card.json: is larger than {MOST_BYTES:,} bytes, so it is not a model card")
    try:
        raw = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except CardError:
        raise
    except RecursionError:
        raise CardError(f"card.json: is nested deeper than {MOST_DEPTH}, so it is not a model card") from None
    except ValueError as problem:  # JSON that is broken, no UTF-8, or an endless number
        where = f", line {problem.lineno}, column {problem.colno}" if isinstance(problem, json.JSONDecodeError) else ""
        raise CardError(f"card.json{where}: is not readable as JSON; restore it from the run it came from") from None
    if not isinstance(raw, dict):
        raise CardError("card.json: is not a model card; name the card.json of a run")
    _refuse_unusable(raw)
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise CardError(f"card.json: the key {twice[:LONGEST_NAME]!a} stands twice in one place; build the card again")
    return found


def _no_number(word: str) -> None:
    raise CardError(f"card.json: {word} is not a number in JSON; build the card again")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise CardError("card.json: holds a number too large to be one; build the card again")
    return value


def _refuse_unusable(raw: dict[str, Any]) -> None:
    """Level by level, without recursion: what is too deep, and half characters, which no file can be written with."""
    level: list[Any] = [raw]
    for _ in range(MOST_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str) and not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
                raise CardError("card.json: holds half a character; restore it from the run it came from")
        if not inner:
            return
        level = inner
    raise CardError(f"card.json: is nested deeper than {MOST_DEPTH}, so it is not a model card")
