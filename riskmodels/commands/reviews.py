"""Decisions of the ethics committee, and the state of each model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import CardError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import ResolvedModel


def record_review(reference: str, decision: Any, workspace: Workspace, today: dt.date) -> Any:
    """Write a committee's decision into the study's chain. ``decision`` is a YAML file or an already parsed mapping.

    Raises
    ------
    GateError
        if the decision does not hold together, does not fit the model and its audit, or approves a pilot or live use of
        a model whose card fails a check that holds it up.
    """
    from riskmodels.commands.card_checks import refuse_unfit_card
    from riskmodels.governance import decision as decisions
    from riskmodels.governance import registry, review

    found = registry.resolve(workspace, reference)
    entry = _registered(found)
    parsed = (
        decisions.parse_decision(decision) if isinstance(decision, Mapping) else decisions.load_decision(Path(decision))
    )
    # A withdrawal must be possible even when the card has been lost.
    card_bytes = None if isinstance(parsed, decisions.Withdrawal) else storage.read_bytes(found.card_path, CardError)
    if (
        isinstance(parsed, decisions.Decision)
        and parsed.owner_decision == "approve"
        and parsed.stage in decisions.STAGES_IN_USE
    ):
        refuse_unfit_card(found, workspace, parsed.stage, today)
    return review.record(
        workspace.reviews(found.study),
        parsed,
        model_sha256=entry.model_sha256,
        card_sha256=entry.card_sha256,
        data_sha256=entry.data_sha256,
        policy_sha256=entry.policy_sha256,
        today=today,
        card=card_bytes,
    )


def show_review(
    reference: str, workspace: Workspace, today: dt.date
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The status of a model, its sign-off records, and each rule of the gate with its state."""
    from riskmodels.governance import gate, registry
    from riskmodels.governance.review import read_chain, sign_off_rows, status_banner

    found = registry.resolve(workspace, reference)
    card_bytes = storage.read_bytes(found.card_path, CardError)
    chain = read_chain(workspace.reviews(found.study))
    files = gate.read_model_folder(found.model_folder)
    registered = found.entry.model_dump(mode="json") if found.entry else None
    model_sha256 = found.entry.model_sha256 if found.entry else gate.verify_manifest(files)
    status = status_banner(storage.sha256(card_bytes), model_sha256, chain, today, registered=found.entry is not None)
    rules = gate.explain_gate(files, card_bytes, workspace.reviews(found.study), registered=registered, today=today)
    return status, sign_off_rows(chain, model_sha256), rules


def _registered(found: ResolvedModel) -> Any:
    if found.entry is None:
        raise UsageError("this model is not registered in the workspace; run its study there, then name it by study")
    return found.entry


def models(workspace: Workspace, today: dt.date) -> list[dict[str, Any]]:
    """What exists, in which state."""
    from riskmodels.governance import registry

    return registry.states(workspace, today)
