"""What changed from one card to the next: `compare_cards` gives a `Change`, whose words come first."""

from __future__ import annotations

from riskmodels.cards.change.compare import Change, compare_cards

__all__ = ["Change", "compare_cards"]
