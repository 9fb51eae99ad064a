"""Two editions of one card: the committee's, which is the truth, and the public's, made from it and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def public_edition(card: Mapping[str, Any], committee_sha256: str) -> dict[str, Any]:
    """The public edition, as plain JSON values of the same schema.

    Parameters
    ----------
    committee_sha256 : digest of the committee's ``card.json``, which the public edition names
    """
    edition = {**card["edition_profile"], "edition": "public", "of": committee_sha256}
    return {**card, "edition_profile": edition}
