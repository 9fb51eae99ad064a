"""What no register may show, whatever was decided: a card that tells of too few people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riskmodels.errors import GateError

# The checks of a card that its publication hangs on; a withdrawal or a retirement makes no small number safe. What
# several cards give away together is looked for among all versions (`riskmodels.commands.site_tools`).
BEFORE_PUBLISHING = ("disclosure", "rendered_counts")
# Of a card whose very bytes no decision names: whether it was changed by hand. One that was decided on stays as it was,
# though an older package made its tables.
HOLDS_TOGETHER = ("audit_agrees", "advice_agrees", "figures_agree")


def refuse_unsafe_cards(name: str, path: Path, editions: Sequence[Mapping[str, Any]], *, decided: bool = False) -> None:
    """Look at every edition of one card before anything of it is written.

    Parameters
    ----------
    name : the tool's
    path : where its card lies
    editions : the same card in each of its editions, as plain values
    decided : whether a record names the digest of exactly this card

    Raises
    ------
    GateError
        naming the tool, the edition and the check.
    """
    from riskmodels.cards.checks import CHECKS, Checked

    for card in editions:
        checked = Checked(card)
        for check in (*BEFORE_PUBLISHING, *(() if decided else HOLDS_TOGETHER)):
            passed, words = CHECKS[check](checked)
            if not passed:
                edition = card["edition_profile"]["edition"]
                raise GateError(f"{path}: the {edition} edition of {name} may not be published ({check}): {words}")
