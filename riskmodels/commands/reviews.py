"""Decisions of the ethics committee, and the state of each model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.commands.sources import silent
from riskmodels.errors import CardError
from riskmodels.workspace import Workspace


def record_review(
    reference: str, decision: Any, workspace: Workspace, today: dt.date, *, tracking_uri: str | None = None
) -> Any:
    """Write a committee's decision into the study's record. ``decision`` is a YAML file or an already parsed mapping.

    What was decided on is kept beside the record as it was, so that it can be rebuilt from there.

    Raises
    ------
    GateError
        if the decision does not hold together, does not fit the model and its audit, or approves a pilot or live use of
        a model whose card fails a check that holds it up.
    """
    from riskmodels.commands.card_checks import refuse_unfit_card
    from riskmodels.commands.deposits import deposit
    from riskmodels.commands.promotions import registered, tell_mlflow
    from riskmodels.governance import acts, registry, review
    from riskmodels.governance.decision import STAGES_IN_USE, Decision

    found = registry.resolve(workspace, reference)
    entry = registered(found)
    parsed = acts.parse_decision(decision) if isinstance(decision, Mapping) else acts.load_decision(Path(decision))
    # A withdrawal must be possible even when the card has been lost.
    card_bytes = None if isinstance(parsed, acts.Withdrawal) else storage.read_bytes(found.card_path, CardError)
    if isinstance(parsed, Decision) and parsed.owner_decision == "approve" and parsed.stage in STAGES_IN_USE:
        refuse_unfit_card(found, workspace, parsed.stage, today)
    if isinstance(parsed, Decision):
        deposit(found, workspace)
    approval = review.record(
        workspace.reviews(found.study),
        parsed,
        model_sha256=entry.model_sha256,
        card_sha256=entry.card_sha256,
        data_sha256=entry.data_sha256,
        policy_sha256=entry.policy_sha256,
        today=today,
        card=card_bytes,
    )
    tell_mlflow(found.study, workspace, tracking_uri, silent)
    return approval


def show_review(
    reference: str, workspace: Workspace, today: dt.date
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The status of a model, its sign-off records, and each rule of the gate with its state."""
    from riskmodels.commands.gates import case_of
    from riskmodels.governance import gate, registry
    from riskmodels.governance.chain import read_chain
    from riskmodels.governance.review import sign_off_rows, status_banner

    found = registry.resolve(workspace, reference)
    case = case_of(found, workspace, today)
    chain = read_chain(workspace.reviews(found.study))
    model_sha256 = found.entry.model_sha256 if found.entry else case.model_sha256
    status = status_banner(case.card_sha256, model_sha256, chain, today, registered=found.entry is not None)
    return status, sign_off_rows(chain, model_sha256), gate.explain_gate(case)


def models(workspace: Workspace, today: dt.date) -> list[dict[str, Any]]:
    """What exists, in which state."""
    from riskmodels.governance import registry

    return registry.states(workspace, today)
