"""Whether a table has lost its header, so that somebody's row stands where the names of columns should."""

from __future__ import annotations

import re
from collections.abc import Iterable

from riskmodels.errors import DataError

# A date, a number with decimals or of many digits, a postcode, an email address, a telephone number.
VALUE = re.compile(
    r"\d{4}-\d\d-\d\d.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|[-+]?\d+\.\d+|[\d -]{7,}|\+\d[\d -]*|\S+@\S+\.\S+|"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    re.IGNORECASE,
)


def refuse_lost_header(file: str, names: Iterable[str]) -> None:
    """Raises DataError if any of the names can only be a value; it quotes none of them."""
    if any(VALUE.fullmatch(name.strip()) for name in names):
        raise DataError(
            f"{file}: its first line looks like a row, not like the names of columns; write the names above it"
        )
