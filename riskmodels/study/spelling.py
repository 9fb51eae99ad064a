"""Which name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(word: str, names: Iterable[str]) -> str:
    """What to say after a word that nobody knows: the one that was probably meant, or those there are."""
    known = list(names)
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known) or 'none'})"
