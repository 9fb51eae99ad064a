"""The gate, asked about a model of a workspace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.governance.rules import Case
    from riskmodels.study import Study

ACTS = ("register", "promote", "score")


@dataclass(frozen=True)
class GateReport:
    """``rows``: each rule of ``act`` with its state, as `riskmodels.governance.gate.explain_gate`."""

    name: str
    act: str
    rows: tuple[dict[str, Any], ...]

    @property
    def opens(self) -> bool:
        return all(row["holds"] for row in self.rows)


def gate(
    reference: str,
    workspace: Workspace,
    today: dt.date,
    *,
    act: str = "score",
    stage: str | None = None,
    by_role: str | None = None,
    tracking_uri: str | None = None,
) -> GateReport:
    """Each rule that a model has to pass to be registered, promoted or used, and whether it holds today.

    Raises
    ------
    UsageError
        if there is no such model or act.
    ModelFileError, CardError
        if its files cannot be read at all.
    """
    from riskmodels.commands.fetched_models import resolve_model
    from riskmodels.governance.gate import explain_gate

    if act not in ACTS:
        raise UsageError(f"--for {act}: a model is asked to be one of {', '.join(ACTS)}")
    found = resolve_model(reference, workspace, tracking_uri)
    rows = explain_gate(case_of(found, workspace, today, stage=stage, by_role=by_role), act)
    return GateReport(name_of(found), act, tuple(rows))


def case_of(
    found: ResolvedModel,
    workspace: Workspace,
    today: dt.date,
    *,
    stage: str | None = None,
    by_role: str | None = None,
    progress: Progress = silent,
) -> Case:
    """What the gate looks at: the files of the model and its card as they are now, read once.

    Raises
    ------
    ModelFileError, CardError
        if they cannot be read.
    """
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.commands.card_checks import failing_checks
    from riskmodels.governance.rules import Case, read_model_folder
    from riskmodels.service.people.ledger import last_scored_on, seals_seen

    def failing(asked: str) -> Sequence[str]:
        progress("checking the card, both editions")  # which takes longer than all else
        return failing_checks(found, workspace, asked, today)

    return Case(
        files=read_model_folder(found.model_folder),
        card=read_card_file(found.card_path),
        chain_path=workspace.reviews(found.study),
        registered=found.entry.model_dump(mode="json") if found.entry else {},
        today=today,
        study_folder=found.folder / "study",
        not_before=last_scored_on(workspace, found.study),
        seals_seen=seals_seen(workspace, found.study),
        stage=stage,
        by_role=by_role,
        failing_checks=failing,
    )


def study_of_run(found: ResolvedModel, card_bytes: bytes) -> Study:
    """The study as it was reviewed. Raises ModelFileError if a file of it was changed since."""
    from riskmodels.governance.decision import parse_card
    from riskmodels.governance.rules import reviewed_study

    return reviewed_study(found.folder / "study", parse_card(card_bytes))


def name_of(found: ResolvedModel) -> str:
    return found.study if found.version is None else f"{found.study}/{found.version}"
