"""Which model scores: promote, withdraw, go back. Each is one line in the study's record, or nothing at all.

MLflow is told too, for those who look there. A promotion asks it first, since a server may allow that to approvers
alone; a withdrawal never waits for it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.gates import case_of, name_of
from riskmodels.commands.mirrors import ask_mlflow, tell_mlflow
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import GateError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from riskmodels.governance.chain import Digests
    from riskmodels.governance.registry import Entry, ResolvedModel
    from riskmodels.governance.review import Approval


@dataclass(frozen=True)
class PromotionReport:
    """``before``: the version that was champion until now; None where there was none. ``already``: nothing changed."""

    study: str
    version: int
    stage: str
    until: dt.date
    before: int | None
    record: int
    already: bool = False
    warning: str | None = None


@dataclass(frozen=True)
class WithdrawalReport:
    """``batches``: the batches that the model made, as the ledger has them. ``notice``: where it was written.
    ``already``: it was withdrawn before, by ``record``, and only its notice was asked for. ``back_to``: the version
    that was champion before and is not withdrawn; it has to pass the gate anew."""

    study: str
    version: int | None
    record: int
    was_champion: bool
    batches: tuple[dict[str, Any], ...]
    notice: Path | None
    already: bool = False
    back_to: int | None = None
    warning: str | None = None


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

    entry = registered(found)
    path = workspace.reviews(found.study)
    seen = read_chain(path)
    progress("asking the gate")
    approval = gate.open_for_promotion(case_of(found, workspace, today, stage=stage, by_role=by_role))
    now = champion(seen)
    before = None if now is None else now.promotion.version
    is_champion = now is not None and now.digests == (entry.model_sha256, entry.card_sha256)
    if now is not None and is_champion and now.promotion.stage == approval.stage:
        warning = tell_mlflow(found.study, workspace, tracking_uri, progress)
        return _report(found, approval, before, now.began.seq, already=True, warning=warning)
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
    return _report(
        found, approval, before, record.seq, warning=tell_mlflow(found.study, workspace, tracking_uri, progress)
    )


def withdraw(
    reference: str,
    workspace: Workspace,
    today: dt.date,
    *,
    by_role: str,
    reason: str,
    instead: str | None = None,
    minute: str | None = None,
    notice: Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress = silent,
) -> WithdrawalReport:
    """Stop the use of a model at once, whichever card it was approved with. Cards and register say so from now on.

    Parameters
    ----------
    instead : what people are offered now
    notice : a folder of the public register, in which ``notice.yaml`` is written

    Raises
    ------
    GateError
        if there is nothing to withdraw, or the record is broken.
    OutsideError
        if the disk refuses. That MLflow cannot be told is a warning: the model is withdrawn.
    """
    from riskmodels.governance import registry
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.chain import read_chain, writing
    from riskmodels.governance.champions import champion, previous
    from riskmodels.governance.review import governing
    from riskmodels.service.people.ledger import read_ledger

    found = registry.resolve(workspace, reference)
    entry = registered(found)
    path = workspace.reviews(found.study)
    standing = governing(read_chain(path), entry.model_sha256, entry.card_sha256)
    if notice is not None:
        storage.refuse_unwritable(notice / "notice.yaml")
    act = checked_act(
        Withdrawal,
        {
            "reason": reason, "owner_role": by_role, "minute": minute, "instead": instead,
            "example": bool(standing is not None and standing.act.example),
        },
    )  # fmt: skip
    text = None if notice is None else notice_of(act, today)
    with writing(path, today) as writer:
        now = champion(writer.chain)
        standing = governing(writer.chain, entry.model_sha256, entry.card_sha256)
        already = standing if standing is not None and isinstance(standing.act, Withdrawal) else None
        record = already or writer.append(act, digests_of(entry))
        earlier = previous(writer.chain)
    warning = tell_mlflow(found.study, workspace, tracking_uri, progress)
    if already is not None:
        assert isinstance(already.act, Withdrawal)
        if notice is None:
            raise GateError(
                f"{name_of(found)} was withdrawn on {already.recorded_on} by the {already.act.owner_role}; nothing was "
                "changed"
            )
        # Whoever was stopped before it was written gets the notice of the act that stands.
        text = notice_of(already.act, already.recorded_on)
    if notice is not None and text is not None:
        storage.write_whole(notice / "notice.yaml", text, mode=0o644)
    touched = tuple(line for line in read_ledger(workspace) if line["model_sha256"] == entry.model_sha256)
    return WithdrawalReport(
        found.study, entry.version, record.seq, now is not None and now.began.model_sha256 == entry.model_sha256,
        touched, None if notice is None else notice / "notice.yaml", already is not None,
        None if earlier is None else earlier.promotion.version, warning,
    )  # fmt: skip


def notice_of(act: Any, today: dt.date) -> bytes:
    """The retirement notice of a withdrawal, for the public register. Raises GateError if its words blame people."""
    from riskmodels.errors import StudyError
    from riskmodels.governance.notice import Notice
    from riskmodels.study import validated

    said = {"state": "withdrawn", "on": today, "by": act.owner_role, "why": act.reason}
    said |= {"instead": act.instead} if act.instead else {}
    try:
        validated(Notice, said, "notice")
    except StudyError as problem:
        raise GateError(str(problem)) from None
    return storage.write_yaml(said)


# ---------------------------------------------------------------- within


def registered(found: ResolvedModel) -> Entry:
    """Raises UsageError for a model that is not registered in the workspace."""
    if found.entry is None:
        raise UsageError("this model is not registered in the workspace; run its study there, then name it by study")
    return found.entry


def digests_of(entry: Entry) -> Digests:
    from riskmodels.governance.chain import Digests

    return Digests(entry.model_sha256, entry.card_sha256, entry.data_sha256, entry.policy_sha256)


def checked_act(schema: Any, said: dict[str, Any]) -> Any:
    """An act from what was typed. Raises GateError, naming what is wrong."""
    from riskmodels.errors import StudyError
    from riskmodels.governance.contacts import refuse_contacts
    from riskmodels.study import validated

    try:
        act = validated(schema, said, schema.__name__.lower())
    except StudyError as problem:
        raise GateError(str(problem)) from None
    refuse_contacts(act, schema.__name__.lower())
    return act


def _report(
    found: ResolvedModel,
    approval: Approval,
    before: int | None,
    record: int,
    *,
    already: bool = False,
    warning: str | None = None,
) -> PromotionReport:
    assert found.version is not None
    return PromotionReport(
        found.study, found.version, approval.stage, approval.expires, before, record, already, warning
    )
