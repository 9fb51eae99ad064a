"""What a decision is about: which version of a study, and whether the gate would let it do what it approves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmodels.errors import GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.decision import Decision
    from riskmodels.governance.registry import Entry


def version_meant(reference: str, act: Decision | Withdrawal, workspace: Workspace) -> str:
    """The reference of the one version that a decision may be recorded on.

    A study's name means another version once one is trained or promoted, so it is not enough: the decision has to say
    which card the committee looked at, and that card's version is meant.

    Raises
    ------
    UsageError
        if neither the reference nor the decision names a version.
    GateError
        if the decision names a card that no version of the study has.
    """
    from riskmodels.governance import registry
    from riskmodels.governance.decision import Decision

    found = registry.REFERENCE.fullmatch(reference.removeprefix("models:/"))
    known = registry.read_index(workspace).get(found["study"]) if found else None
    if not isinstance(act, Decision) or found is None or known is None or found["version"]:
        return reference
    study = found["study"]
    if act.card_sha256 is None:
        last = f"{study}/{len(known.versions)}"
        raise UsageError(
            f"{reference}: names no version, and the decision names no card; name the version that the committee "
            f"looked at, such as {last}, or fill in the form of `riskmodels review open {last}`"
        )
    if found["alias"]:
        return reference
    version = next((one.version for one in reversed(known.versions) if one.card_sha256 == act.card_sha256), None)
    if version is None:
        raise GateError(
            f"card_sha256: the decision names {act.card_sha256[:12]}…, and no version of {study} has this card; record "
            "it in the workspace of the version that the committee looked at"
        )
    return f"{study}/{version}"


def refuse_shut(decision: Decision, card: bytes, entry: Entry) -> None:
    """Raises GateError if a decision would seal what the card does not say, or approve a use that the gate refuses."""
    from riskmodels.governance import card_rules
    from riskmodels.governance.decision import STAGES_IN_USE, parse_card

    known = parse_card(card)
    named = {"data": entry.data_sha256, "policy": entry.policy_sha256}
    card_rules.refuse_other_inputs(known, named, "models.json")
    if decision.owner_decision == "approve" and decision.stage in STAGES_IN_USE:
        card_rules.refuse_unanswered_concerns(known)
        card_rules.refuse_untested(known, decision.stage)
