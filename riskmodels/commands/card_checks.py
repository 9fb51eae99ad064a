"""A card held to its mechanical checks, as it stands today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.cards import (
    EDITIONS,
    FORMATS,
    FoundCard,
    beside_card,
    card_of,
    earlier_card,
    earlier_cards,
    edition_of,
    find_card,
    refuse_unknown,
)
from riskmodels.errors import GateError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.cards.checks import Checked
    from riskmodels.governance.registry import ResolvedModel

IN_PUBLIC = " (public edition)"


@dataclass(frozen=True)
class CardCheckReport:
    """``rows``: of `riskmodels.cards.checks.check_whole`; ``not_checked``: what they leave out, in words."""

    rows: tuple[dict[str, Any], ...]
    edition: str
    sha256: str
    not_checked: str

    @property
    def passed(self) -> bool:
        return all(row["passed"] for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        return {
            "edition": self.edition,
            "card_sha256": self.sha256,
            "passed": self.passed,
            "checks": list(self.rows),
            "not_checked": self.not_checked,
        }


def check_model_card(
    reference: str,
    workspace: Workspace,
    today: dt.date,
    *,
    edition: str = "committee",
    since: str | None = None,
    formats: Sequence[str] = FORMATS,
) -> CardCheckReport:
    """Hold a card to every check, writing nothing.

    Parameters
    ----------
    reference : a model, a run's folder, or a file ``card.json`` (or its folder)
    since : as `riskmodels.commands.cards.card`; what is hidden is held against every version before in any case
    formats : with ``pdf`` among them, that is made and looked at too; all others always are

    Raises
    ------
    CardError, UsageError
        as `riskmodels.commands.cards.card`.
    """
    from riskmodels.cards.checks import NOT_CHECKED, check_whole

    refuse_unknown(edition, formats)
    found = find_card(reference, workspace)
    rows = check_whole(_checked(found, workspace, today, edition, since, "pdf" in formats))
    return CardCheckReport(tuple(rows), edition, found.sha256, NOT_CHECKED)


def failing_checks(model: ResolvedModel, workspace: Workspace, stage: str, today: dt.date) -> list[str]:
    """The checks that hold up this stage and that a model's card fails; of the public edition, if no other fails.

    It is the card of this very model, not one that happens to lie under its name.
    """
    from riskmodels.cards.checks import check_whole, failing

    found = card_of(model, workspace)
    for edition in EDITIONS:
        names = failing(check_whole(_checked(found, workspace, today, edition, None, False)), stage)
        if names:
            return names if edition == EDITIONS[0] else [f"{name}{IN_PUBLIC}" for name in names]
    return []


def refuse_unfit_card(model: ResolvedModel, workspace: Workspace, stage: str, today: dt.date) -> None:
    """Raises GateError if a model's card fails a check that holds up this stage."""
    failing = failing_checks(model, workspace, stage, today)
    if failing:
        name = model.study if model.version is None else f"{model.study}/{model.version}"
        public = failing[0].endswith(IN_PUBLIC)
        names = ", ".join(one.removesuffix(IN_PUBLIC) for one in failing)
        raise GateError(
            f"the card may not be approved for {stage}, since {'its public edition' if public else 'it'} fails its "
            f"checks ({names}); see what to do with: riskmodels card {name} --check"
            f"{' --edition public' if public else ''} --workspace {workspace.root}"
        )


def card_schema_file() -> bytes:
    """JSON Schema 2020-12 of ``card.json``, as it is published."""
    from riskmodels.cards.card import card_schema

    return storage.canonical_json(card_schema())


def _checked(
    found: FoundCard, workspace: Workspace, today: dt.date, edition: str, since: str | None, pdf: bool
) -> Checked:
    """The card in this edition, beside the other edition and all versions before, which the same readers may have."""
    from riskmodels.cards.checks import Checked

    other = edition_of(found, "public" if edition == "committee" else "committee")
    before = {card.digest: card.to_dict() for card in earlier_cards(found, workspace)}
    asked = earlier_card(found, workspace, since)
    if asked is not None:
        before[asked.digest] = asked.to_dict()
    return Checked(
        edition_of(found, edition),
        beside_card(found, workspace, today, since, edition),
        (other, *before.values()),
        found.sha256,
        pdf,
    )
