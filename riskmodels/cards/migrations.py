"""Cards of an earlier schema, as a card of today's: a committee's decision outlives a version of this package.

``MIGRATIONS`` is the table: from a version, the function to the next one. To change the schema, raise `SCHEMA_VERSION`,
write the function, add its row, and keep a card of the old version among the tests. What is migrated is for reading:
a card's digest is that of its own bytes, so a migrated card is never written in place of the one that was decided on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from riskmodels.errors import CardError

SCHEMA_VERSION = 2
Raw = Mapping[str, Any]


def migrate(raw: Raw) -> Raw:
    """A card as plain values of today's schema; one that is of it already comes back as it is.

    Raises
    ------
    CardError
        if it names no schema, or one that this version does not read.
    """
    version = raw.get("schema_version")
    if version is None:
        raise CardError("card.json, schema_version: is missing, so it is not a model card; name the card.json of a run")
    if not isinstance(version, int) or isinstance(version, bool) or version < min(MIGRATIONS):
        raise CardError(f"card.json, schema_version: is one of {_versions()}; build the card again")
    if version > SCHEMA_VERSION:
        raise CardError(
            f"card.json: is of schema {str(version)[:9]}, and this version reads {_versions()}; it needs a newer "
            "riskmodels"
        )
    while raw["schema_version"] < SCHEMA_VERSION:
        raw = MIGRATIONS[raw["schema_version"]](raw)
    return raw


def _versions() -> str:
    return " and ".join(str(version) for version in [*MIGRATIONS, SCHEMA_VERSION])


def _from_1(raw: Raw) -> Raw:
    """2 adds which card a public edition was made from, and what people say for the items of published standards."""
    edition, annex = (part if isinstance(part := raw.get(key), Mapping) else {} for key in ("edition_profile", "annex"))
    return {
        **raw,
        "schema_version": 2,
        "edition_profile": {**edition, "of": None},
        "annex": {**annex, "tripod_answers": {}, "atrs_answers": {}},
    }


MIGRATIONS: dict[int, Callable[[Raw], Raw]] = {1: _from_1}
