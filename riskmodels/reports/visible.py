"""What people wrote, without the characters that nobody sees: they could make a page read as what it does not say.

Overrides of the reading direction turn letters round; characters of no width hide or split words; control characters
break files. Letters of every script stay, and so do the joiners that some scripts and emoji need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

# Control characters save tab and line ends; bidirectional embeddings, overrides and isolates (UAX #9); characters
# without a width; tags, which can carry a text that no reader sees; and halves of characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f\ud800-\udfff]"
)
# A joiner beside a letter of English joins nothing: it only makes one word look like another.
IDLE_JOINER = re.compile("(?<![\u0600-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\U0010ffff])")


def visible_text(text: str) -> str:
    """A text with what cannot be seen taken out; line ends of other systems become a space."""
    if text.isascii() and text.isprintable():
        return text
    return IDLE_JOINER.sub("", UNSEEN.sub(lambda found: " " if found[0] in "\u2028\u2029" else "", text))


def visible(value: Any) -> Any:
    """The same value with every text in it made visible, keys of mappings too; dataclasses stay what they are."""
    if isinstance(value, str):
        return visible_text(value)
    if isinstance(value, Mapping):
        return {visible(key): visible(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(visible(inner) for inner in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: visible(getattr(value, field.name)) for field in fields(value)})
    return value
