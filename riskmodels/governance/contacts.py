"""How to reach a person, in what people write into a record: it stays there for good, so it is refused.

A value that is refused is never repeated, in no message. Only what has a form can be found so: e-mail addresses and
long numbers. A name cannot, so the words of a form ask for roles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.errors import GateError
from riskmodels.governance.written import shown
from riskmodels.study import Section

EMAIL, TELEPHONE, NHS_NUMBER = "an e-mail address", "a telephone number or a person's number", "an NHS number"
LEAST_DIGITS = 10  # of a British telephone number, and of an NHS number
LEAST_DIGITS_ABROAD = 8  # after a plus
_EMAIL = re.compile(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+")
# Days, and years such as 2025-26, have as many digits when they stand side by side.
_DAYS = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|(?:19|20)\d\d[-/]\d{2,4}")
_NUMBER = re.compile(r"(?<![\w,])\+?\(?\d(?:[\s().\-]{0,3}\d)+(?!\w)")
_NHS_DIGITS = 10
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")


def contact_in(text: str) -> str | None:
    """What kind of contact detail a text seems to hold: `EMAIL`, `TELEPHONE` or `NHS_NUMBER`; None for none."""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    if _EMAIL.search(text):
        return EMAIL
    for found in _NUMBER.finditer(re.sub(rf"(?<!\d)(?:{_DAYS.pattern})(?!\d)", ",", text)):
        digits = re.sub(r"\D", "", found[0])
        if is_nhs_number(digits):
            return NHS_NUMBER
        if len(digits) >= (LEAST_DIGITS_ABROAD if found[0].startswith("+") else LEAST_DIGITS):
            return TELEPHONE
    return None


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits pass the check of an NHS number: modulus 11, weights 10 to 2 (NHS Data Dictionary)."""
    if len(digits) != _NHS_DIGITS or digits[0] == "0":
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return (0 if check == 11 else check) == int(digits[-1])  # a check of 10 is no number, and equals no digit


def refuse_contacts(act: Section, where: str) -> None:
    """Raises GateError, naming the path of the text that holds a contact detail, never the detail."""
    for path, text in _texts(act.model_dump(mode="json"), ""):
        kind = contact_in(text)
        if kind is not None:
            raise GateError(
                f"{where}: {shown(path)}: holds what looks like {kind}; what is recorded stays for good, so write "
                "in words who it is by role, and put nothing there by which a person is reached or found"
            )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for number, (name, inner) in enumerate(value.items(), 1):
            below = f"{path}.{name}" if path else str(name)
            if path == "answers":  # people write these names, so they are looked at before they are said
                yield f"{path}, name {number}", str(name)
            yield from () if name.endswith("sha256") else _texts(inner, below)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]")
