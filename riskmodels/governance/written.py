"""What people write into an act: texts that show whole, roles that can be told apart, days and counts as they stand.

A record is read on terminals, pages and paper for years. A letter that does not show could make it say something else
there, and a letter that only looks like another could make one role two.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

# Of no width, though Unicode counts them as letters or marks: fillers, and selectors that can carry a hidden text.
_NO_WIDTH = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]")


def unseen(text: str) -> str | None:
    """The first character that does not show, by its code point and name; None where every one does.

    The end of a line shows, and so do blanks of other widths, which word processors write.
    """
    for letter in text:
        blank = letter == "\n" or unicodedata.category(letter) == "Zs"
        if not blank and (not letter.isprintable() or _NO_WIDTH.match(letter)):
            return f"U+{ord(letter):04X}, {unicodedata.name(letter, 'a control character').lower()}"
    return None


def shown(text: str) -> str:
    """A text with a mark in the place of each character that does not show."""
    return text if unseen(text) is None else "".join("\ufffd" if unseen(letter) else letter for letter in text)


def spelled(role: str) -> str:
    """The letters and digits of a role, without what people write differently: capitals, blanks, marks, accents."""
    parts = unicodedata.normalize("NFKD", role).casefold()
    return "".join(letter for letter in unicodedata.normalize("NFKD", parts) if letter.isalnum())


def _all_shown(value: str) -> str:
    found = unseen(value)
    if found is not None:
        raise ValueError(f"holds a character that does not show ({found}); take it out, or write the text anew")
    return value


def _role(value: str) -> str:
    if re.search(r"@|\d{5}", value.replace(" ", "")):
        raise ValueError("names a role, never a person's contact details")
    if "\n" in value:
        raise ValueError("names a role, in one line")
    letters = spelled(value)
    if not letters.isascii() or not re.search("[a-z]", letters):
        raise ValueError(
            "names a role, in the letters A to Z (with or without accents): others look like them and are not, which "
            "would make one role two"
        )
    return value


def _sentences(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _day(value: Any) -> Any:
    """Days alone: a number would be taken for seconds since 1970, and a time of day for its day."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"the calendar has no day {value.strip()}") from None
    raise ValueError("is not a day; a day reads like 2026-11-30")


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_all_shown)]
Role = Annotated[Text, AfterValidator(_role)]
Sentences = Annotated[tuple[Text, ...], BeforeValidator(_sentences)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Day = Annotated[dt.date, BeforeValidator(_day)]
Whole = Annotated[int, Field(strict=True)]  # true is no 1, and "9" no 9
Flag = Annotated[bool, Field(strict=True)]
