"""Text that a spreadsheet would run as a formula, made harmless, and how to get the text back as it was."""

from __future__ import annotations

import unicodedata

import polars as pl

# What begins a formula (OWASP, "CSV injection"): these signs, their wide and small forms too, also after blanks, line
# breaks, control characters and letters without width, which programs strip before they look.
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_BEGINS = rf"(?:[\s\p{{Cc}}\p{{Cf}}]*[{SIGNS.replace('-', '')}-]|[\t\r\n])"
# Apostrophes before it count too: else a text that had one could not be told from one that was given one.
RISKY, GIVEN = f"^'*{_BEGINS}", f"^'+{_BEGINS}"
HOW_TO_UNDO = (
    "In CSV a text that a spreadsheet would run as a formula has an apostrophe (') put before it. To undo it, take one "
    "apostrophe away from the start of a text whose first sign after its apostrophes and blanks is = + - or @ (or one "
    "of their wide forms), or whose apostrophes are followed by a tab or a line break."
)


def neutralise(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before each text that begins like a formula. `restore` undoes it.

    The ids are text like any other. No two different texts become the same.
    """
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(RISKY)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in text
    )


def restore(frame: pl.DataFrame) -> pl.DataFrame:
    """The texts as they were before `neutralise`."""
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(GIVEN)).then(pl.col(name).str.slice(1)).otherwise(pl.col(name)).alias(name)
        for name in text
    )


def is_risky(text: str) -> bool:
    """Whether one text begins like a formula: as `RISKY`, for cells that are written one at a time."""
    bare = text.lstrip("'")
    if bare[:1].isalnum():
        return False
    if bare.startswith(("\t", "\r", "\n")):
        return True
    first = next((letter for letter in bare if not _is_blank(letter)), "")
    return first != "" and first in SIGNS


def _is_blank(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")
