"""The grammar of a booster's text: what LightGBM writes, and nothing that only looks like it.

LightGBM trusts what it reads, and Python reads more than it should: ``int`` takes "1_0" and the digits of every script,
and ``splitlines`` ends a line at signs that LightGBM takes for letters. So both sides are held to the same letters.
"""

from __future__ import annotations

import math
import re

END = "end of trees\n"
CATEGORICAL, DEFAULT_LEFT = 1, 2
# Two bits, and above them one of three ways in which a value can be missing.
MOST_DECISION = 11

_WHOLE = r"(?:0|-?[1-9][0-9]{0,9})"
_DECIMAL = r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
WHOLES = re.compile(f"{_WHOLE}(?: {_WHOLE})*")
# A threshold above every number parts those who have one from those who have none.
ENDLESS = frozenset(("inf", "-inf"))
DECIMALS = re.compile(f"{_DECIMAL}(?: {_DECIMAL})*")


def parts_of(text: str) -> tuple[str, list[str]]:
    """What stands above the trees, and each tree with its first line. Raises ValueError unless they are in order."""
    header, *trees = re.split(r"^(?=Tree=[0-9]+\n)", text[: text.index(END)], flags=re.MULTILINE)
    if not all(tree.startswith(f"Tree={number}\n") for number, tree in enumerate(trees)):
        raise ValueError
    return header, trees


def fields_of(block: str) -> dict[str, str]:
    """The fields below a block's first line. Raises ValueError if a line is none, is empty, or stands there twice."""
    lines = block.rstrip("\n").split("\n")[1:]
    fields = dict(line.split("=", 1) for line in lines)
    if len(fields) != len(lines):
        raise ValueError
    return fields


def wholes(text: str) -> list[int]:
    """Whole numbers with a space between them. Raises ValueError for anything else."""
    if text and not WHOLES.fullmatch(text):
        raise ValueError
    return [int(part) for part in text.split(" ")] if text else []


def whole(text: str) -> int:
    """One whole number. Raises ValueError for anything else."""
    (number,) = wholes(text)
    return number


def decimals(text: str, endless: bool = False) -> list[float]:
    """Numbers with a space between them, finite ones unless "inf" may stand there too. Raises ValueError otherwise."""
    parts = text.split(" ") if text else []
    written = " ".join(part for part in parts if part not in ENDLESS) if endless else text
    if written and not DECIMALS.fullmatch(written):
        raise ValueError
    numbers = [float(part) for part in parts]
    # A number too large for float64 is not infinity, but no number of LightGBM's.
    if any(math.isinf(number) and part not in ENDLESS for number, part in zip(numbers, parts, strict=True)):
        raise ValueError
    return numbers
