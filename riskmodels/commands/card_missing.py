"""What a card does not say, and who can say it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels.commands.cards import beside_card, find_card
from riskmodels.errors import UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.cards.missing import Gap


@dataclass(frozen=True)
class MissingReport:
    """The gaps of one card: all of them, or those of one owner."""

    study: str
    gaps: tuple[Gap, ...]

    def by_owner(self) -> dict[str, list[Gap]]:
        """Each owner's gaps, so that each person can be sent their part; owners in alphabetical order."""
        owners = sorted({gap.owner for gap in self.gaps}, key=str.casefold)
        return {owner: [gap for gap in self.gaps if gap.owner == owner] for owner in owners}

    def to_dict(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "owners": {owner: [gap.to_dict() for gap in gaps] for owner, gaps in self.by_owner().items()},
        }

    def to_yaml(self) -> str:
        from riskmodels.cards.missing_yaml import skeleton

        return skeleton(self.gaps)


def card_missing(reference: str, workspace: Workspace, today: dt.date, *, owner: str | None = None) -> MissingReport:
    """What is not provided in a model's card.

    Parameters
    ----------
    reference : a model, a run's folder, or a file ``card.json``
    owner : only what this role is to provide

    Raises
    ------
    CardError
        if card.json is missing, damaged, of another model, or not the one that was registered.
    UsageError
        for an owner who has nothing to provide.
    """
    from riskmodels.cards.missing import missing

    found = find_card(reference, workspace)
    beside = beside_card(found, workspace, today, "none")
    gaps = missing(found.card.to_dict(), beside.status, beside.sign_off)
    if owner is not None:
        owners = sorted({gap.owner for gap in gaps}, key=str.casefold)
        if owner not in owners:
            raise UsageError(
                f"--owner {owner}: has nothing to provide; those who have: {', '.join(owners) or 'nobody'}"
            )
        gaps = tuple(gap for gap in gaps if gap.owner == owner)
    return MissingReport(found.card.study, gaps)
