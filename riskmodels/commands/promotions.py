"""Which model scores: promote, and go back. Each is one line in the study's record, or nothing at all.

MLflow is told too, for those who look there. A promotion asks it first, since a server may allow that to approvers
alone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels.commands.gates import case_of
from riskmodels.commands.mirrors import ask_mlflow, tell_mlflow
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.chain import Digests, Record
    from riskmodels.governance.registry import Entry, ResolvedModel
    from riskmodels.governance.review import Approval


@dataclass(frozen=True)
class PromotionReport:
    """``before``: the version that was champion until now; None where there was none. ``already``: nothing changed.
    ``seal``: of that record, to be noted elsewhere. ``note``: that the decision names another role for this."""

    study: str
    version: int
    stage: str
    until: dt.date
    before: int | None
    record: int
    already: bool = False
    warning: str | None = None
    seal: str = ""
    note: str | None = None


def promote(
    reference: str,
    workspace: Workspace,
    today: dt.date,
    *,
    by_role: str,
    stage: str | None = None,
    reason: str | None = None,
    tracking_uri: str | None = None,
    progress: Progress = silent,
) -> PromotionReport:
    """Make a model the champion of its study: the only one that scores, until another is, or it is withdrawn.

    Parameters
    ----------
    by_role : who moves it; never the role that trained it
    stage : pilot or live; the decision's own unless given, and refused where it is another

    Raises
    ------
    GateError
        if a rule of the gate does not hold, or somebody else changed the record meanwhile.
    OutsideError
        if MLflow or the disk refuses; nothing is then recorded.
    """
    from riskmodels.governance import registry

    found = registry.resolve(workspace, reference if "@" in reference or "/" in reference else f"{reference}@candidate")
    return _promote(found, workspace, today, by_role, stage, reason, False, tracking_uri, progress)


def rollback(
    study: str,
    workspace: Workspace,
    today: dt.date,
    *,
    by_role: str,
    reason: str,
    tracking_uri: str | None = None,
    progress: Progress = silent,
) -> PromotionReport:
    """Make the champion before this one the champion again. It has to pass the gate anew.

    Raises
    ------
    GateError
        if there is none to go back to, or it may no longer be used.
    """
    from riskmodels.governance import registry

    known = registry.read_index(workspace).get(study)
    if known is not None and registry.PREVIOUS not in registry.aliases(workspace, study, known):
        raise GateError(
            f"{study}: no earlier champion is left to go back to; promote another version, or withdraw this one"
        )
    found = registry.resolve(workspace, f"{study}@{registry.PREVIOUS}")
    return _promote(found, workspace, today, by_role, None, reason, True, tracking_uri, progress)


def _promote(
    found: ResolvedModel,
    workspace: Workspace,
    today: dt.date,
    by_role: str,
    stage: str | None,
    reason: str | None,
    is_rollback: bool,
    tracking_uri: str | None,
    progress: Progress,
) -> PromotionReport:
    from riskmodels.governance import gate
    from riskmodels.governance.acts import Promotion
    from riskmodels.governance.chain import read_chain, writing
    from riskmodels.governance.champions import champion
    from riskmodels.governance.decision import Decision, not_named
    from riskmodels.governance.review import governing

    entry = registered(found)
    path = workspace.reviews(found.study)
    seen = read_chain(path)
    progress("asking the gate")
    approval = gate.open_for_promotion(
        case_of(found, workspace, today, stage=stage, by_role=by_role, progress=progress)
    )
    now = champion(seen)
    before = None if now is None else now.promotion.version
    is_champion = now is not None and now.digests == (entry.model_sha256, entry.card_sha256)
    if now is not None and is_champion and now.promotion.stage == approval.stage:
        warning = tell_mlflow(found.study, workspace, tracking_uri, progress)
        return _report(found, approval, before, now.began, already=True, warning=warning)
    act = checked_act(
        Promotion,
        {
            "stage": approval.stage, "version": entry.version, "by_role": by_role, "reason": reason,
            "rollback": is_rollback, "example": approval.example,
        },
    )  # fmt: skip
    # Before the record is held: a slow server keeps nobody from withdrawing a model.
    progress("asking MLflow")
    ask_mlflow(found.study, entry, workspace, tracking_uri, progress)
    # Of two who do this at once the second finds a longer record than the one it judged by.
    with writing(path, today, follows=len(seen)) as writer:
        record = writer.append(act, digests_of(entry))
    standing = governing(seen, entry.model_sha256, entry.card_sha256)
    note = not_named(standing.act, by_role) if standing is not None and isinstance(standing.act, Decision) else None
    warning = tell_mlflow(found.study, workspace, tracking_uri, progress)
    return _report(found, approval, before, record, warning=warning, note=note)


# ---------------------------------------------------------------- within


def registered(found: ResolvedModel) -> Entry:
    """Raises UsageError for a model that is not registered in the workspace."""
    if found.entry is None:
        raise UsageError("this model is not registered in the workspace; run its study there, then name it by study")
    return found.entry


def digests_of(entry: Entry) -> Digests:
    from riskmodels.governance.chain import Digests

    return Digests(entry.model_sha256, entry.card_sha256, entry.data_sha256, entry.policy_sha256)


# An act that is called as one of its keys is said by its command, or the key would stand there twice.
WRITTEN_AS = {"Evidence": "review met"}


def checked_act(schema: Any, said: dict[str, Any]) -> Any:
    """An act from what was typed. Raises GateError, naming what is wrong."""
    from riskmodels.errors import StudyError
    from riskmodels.governance.contacts import refuse_contacts
    from riskmodels.study import validated

    where = WRITTEN_AS.get(schema.__name__, schema.__name__.lower())
    try:
        act = validated(schema, said, where)
    except StudyError as problem:
        raise GateError(str(problem)) from None
    refuse_contacts(act, where)
    return act


def _report(
    found: ResolvedModel,
    approval: Approval,
    before: int | None,
    record: Record,
    *,
    already: bool = False,
    warning: str | None = None,
    note: str | None = None,
) -> PromotionReport:
    assert found.version is not None
    return PromotionReport(
        found.study, found.version, approval.stage, approval.expires, before, record.seq, already, warning,
        record.sha256, note,
    )  # fmt: skip
