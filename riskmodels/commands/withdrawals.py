"""Stop the use of a model: typed, or as a committee's file says it. MLflow is told, and never waited for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.gates import name_of
from riskmodels.commands.mirrors import tell_mlflow
from riskmodels.commands.promotions import checked_act, digests_of, registered
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import GateError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.chain import Record
    from riskmodels.governance.registry import ResolvedModel


@dataclass(frozen=True)
class WithdrawalReport:
    """``batches``: the batches that the model made, as the ledger has them. ``notice``: where it was written.
    ``already``: it was withdrawn before, by ``record``, and only its notice was asked for. ``back_to``: the version
    that was champion before and is not withdrawn; it has to pass the gate anew. ``also``: the other versions that it
    stops, since they are the same model. ``instead``: what people are offered now. ``delayed``: in words, that the
    record bears a later day than today."""

    study: str
    version: int | None
    record: int
    seal: str
    was_champion: bool
    batches: tuple[dict[str, Any], ...]
    notice: Path | None
    already: bool = False
    back_to: int | None = None
    also: tuple[int, ...] = ()
    instead: str | None = None
    delayed: str | None = None
    warning: str | None = None


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
    reference : as `registry.resolve`, but a study alone means its champion and nothing else
    instead : what people are offered now
    notice : a folder of the public register, in which ``notice.yaml`` is written

    Raises
    ------
    GateError
        if there is nothing to withdraw, or the record is broken.
    OutsideError
        if the disk refuses. That MLflow cannot be told is a warning: the model is withdrawn.
    """
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.chain import read_chain
    from riskmodels.governance.review import governing

    found = model_to_withdraw(reference, workspace)
    entry = registered(found)
    standing = governing(read_chain(workspace.reviews(found.study)), entry.model_sha256, entry.card_sha256)
    act = checked_act(
        Withdrawal,
        {
            "reason": reason, "owner_role": by_role, "minute": minute, "instead": instead,
            "example": bool(standing is not None and standing.act.example),
        },
    )  # fmt: skip
    return carry_out(found, act, workspace, today, notice=notice, tracking_uri=tracking_uri, progress=progress)


def model_to_withdraw(reference: str, workspace: Workspace) -> ResolvedModel:
    """As `registry.resolve`, but a study alone means its champion: a second "withdraw" of a study must not stop another
    model, which nobody named.

    Raises
    ------
    GateError
        listing the versions, if a study is named that has no champion.
    """
    from riskmodels.governance import registry
    from riskmodels.governance.chain import read_chain

    name = registry.bare_name(workspace, reference)
    if name is None:
        return registry.resolve(workspace, reference)
    known = registry.read_index(workspace)[name]
    chain = read_chain(workspace.reviews(name))
    if registry.CHAMPION not in registry.aliases_in(chain, known):
        versions = ", ".join(
            f"{name}/{entry.version}" + (" (withdrawn)" if _in_force(chain, entry.model_sha256) else "")
            for entry in known.versions
        )
        raise GateError(
            f"{name}: has no champion, so the study alone names no model to withdraw; name the version: {versions}"
        )
    return registry.resolve(workspace, f"{name}@{registry.CHAMPION}")


def carry_out(
    found: ResolvedModel,
    act: Withdrawal,
    workspace: Workspace,
    today: dt.date,
    *,
    notice: Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress = silent,
) -> WithdrawalReport:
    """Record a withdrawal that is already checked, wherever it was written. As `withdraw`."""
    from riskmodels.governance import registry
    from riskmodels.governance.acts import Withdrawal
    from riskmodels.governance.chain import writing
    from riskmodels.governance.champions import champion, previous
    from riskmodels.service.people.ledger import read_ledger

    entry = registered(found)
    if notice is not None:
        storage.refuse_unwritable(notice / "notice.yaml")
        notice_of(act, today)  # so that its words are refused before anything is recorded
    with writing(workspace.reviews(found.study), today, at_any_day=True) as writer:
        now = champion(writer.chain)
        already = _in_force(writer.chain, entry.model_sha256)
        record = already or writer.append(act, digests_of(entry))
        earlier = previous(writer.chain)
    warning = tell_mlflow(found.study, workspace, tracking_uri, progress)
    stands = record.act
    assert isinstance(stands, Withdrawal)
    if already is not None and notice is None:
        raise GateError(
            f"{name_of(found)} was withdrawn on {record.recorded_on} by the {stands.owner_role}; nothing was changed"
        )
    if notice is not None:
        # Whoever was stopped before it was written gets the notice of the act that stands.
        storage.write_whole(notice / "notice.yaml", notice_of(stands, record.recorded_on), mode=0o644)
    touched = tuple(line for line in read_ledger(workspace) if line["model_sha256"] == entry.model_sha256)
    versions = registry.read_index(workspace)[found.study].versions
    also = tuple(
        one.version for one in versions if one.model_sha256 == entry.model_sha256 and one.version != entry.version
    )
    delayed = (
        f"today is {today}, but the record goes on to {record.recorded_on}, so the withdrawal bears that day; correct "
        "the clock"
    )
    return WithdrawalReport(
        found.study, entry.version, record.seq, record.sha256,
        was_champion=now is not None and now.began.model_sha256 == entry.model_sha256,
        batches=touched, notice=None if notice is None else notice / "notice.yaml", already=already is not None,
        back_to=None if earlier is None else earlier.promotion.version, also=also, instead=stands.instead,
        delayed=delayed if record.recorded_on > today else None, warning=warning,
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


def _in_force(chain: Sequence[Record], model_sha256: str) -> Record | None:
    """The withdrawal of a model after which nothing allowed its use again, with whichever card."""
    from riskmodels.governance.acts import Promotion, Withdrawal
    from riskmodels.governance.decision import Decision

    found: Record | None = None
    for line in chain:
        if line.model_sha256 != model_sha256:
            continue
        if isinstance(line.act, Withdrawal):
            found = line
        elif isinstance(line.act, Promotion) or (
            isinstance(line.act, Decision) and line.act.owner_decision == "approve"
        ):
            found = None
    return found
