"""What the record says of one model and card: who advised what, who decided, until when, and what stands today.

A committee secretary writes one decision as a small YAML file; `record` checks it and appends it to the study's chain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels.governance.acts import Act, Evidence, Withdrawal
from riskmodels.governance.chain import Digests, Record, writing
from riskmodels.governance.decision import STAGES, STAGES_IN_USE, Condition, Decision
from riskmodels.governance.recordable import refuse_out_of_order, refuse_today


@dataclass(frozen=True)
class Approval:
    """A decision that allows one model with one card at one stage, until the end of the day ``expires``."""

    stage: str
    decided_on: dt.date
    expires: dt.date
    minute: str
    owner_role: str
    conditions: tuple[Condition, ...]
    example: bool
    model_sha256: str
    card_sha256: str
    seq: int
    record_sha256: str


def record(
    path: Path,
    decision: Decision | Withdrawal,
    *,
    model_sha256: str,
    card_sha256: str,
    data_sha256: str,
    policy_sha256: str,
    today: dt.date,
    card: bytes | None = None,
    follows: int | None = None,
) -> Approval | None:
    """Append a decision to a study's chain; return the approval, if it is one.

    Parameters
    ----------
    card : the bytes of ``card.json``; needed for a decision (its verdicts must be answered), not for a withdrawal
    follows : as in `riskmodels.governance.chain.writing`

    Raises
    ------
    GateError
        if the decision breaks a rule today, is older than what was recorded since its meeting, or the chain is broken
        or has grown since the caller looked; nothing is then written.
    OutsideError
        if the disk refuses.
    """
    if isinstance(decision, Decision):
        refuse_today(decision, card, model_sha256, card_sha256, today)
    with writing(path, today, follows=follows) as writer:
        if isinstance(decision, Decision):
            refuse_out_of_order(writer.chain, decision, model_sha256, card_sha256)
        written = writer.append(decision, Digests(model_sha256, card_sha256, data_sha256, policy_sha256))
    return approval_in(written)


# ---------------------------------------------------------------- what the chain says of one model and card


def governing(chain: Sequence[Record], model_sha256: str, card_sha256: str) -> Record | None:
    """The decision or withdrawal that stands for exactly this model and card.

    It is the latest; a withdrawal counts for every card of its model. Two decisions leave an approval as it was: a
    refusal of a later stage ("not live yet" does not end a pilot), and an approval to explore or to link while the use
    that was approved is in date.
    """
    standing: Record | None = None
    for found in chain:
        if found.model_sha256 != model_sha256:
            continue
        if isinstance(found.act, Withdrawal):
            standing = found
            continue
        decides = isinstance(found.act, Decision) and found.card_sha256 == card_sha256
        if decides and not _refuses_a_later_stage(found.act, standing) and not _allows_less_beside(found, standing):
            standing = found
    return standing


def _refuses_a_later_stage(decision: Act, standing: Record | None) -> bool:
    before = standing.act if standing is not None else None
    return (
        isinstance(decision, Decision)
        and decision.owner_decision == "refuse"
        and isinstance(before, Decision)
        and before.owner_decision == "approve"
        and STAGES.index(decision.stage) > STAGES.index(before.stage)
    )


def _allows_less_beside(found: Record, standing: Record | None) -> bool:
    now, before = found.act, standing.act if standing is not None else None
    return (
        isinstance(now, Decision)
        and now.owner_decision == "approve"
        and now.stage not in STAGES_IN_USE
        and isinstance(before, Decision)
        and before.owner_decision == "approve"
        and before.stage in STAGES_IN_USE
        and before.expires is not None
        and found.recorded_on <= before.expires
    )


def conditions_of(chain: Sequence[Record], found: Record) -> tuple[Condition, ...]:
    """The conditions of a decision as they stand by now: what was recorded as met since then is met."""
    if not isinstance(found.act, Decision):
        return ()
    met = {
        line.act.condition: line.act
        for line in chain
        if isinstance(line.act, Evidence) and line.act.decision == found.seq
    }
    return tuple(
        condition.model_copy(update={"status": "met", "evidence": met[number].evidence}) if number in met else condition
        for number, condition in enumerate(found.act.conditions, 1)
    )


def current_approval(chain: Sequence[Record], model_sha256: str, card_sha256: str, today: dt.date) -> Approval | None:
    """The approval that holds today for exactly these digests, at whatever stage. The day it expires still counts."""
    found = governing(chain, model_sha256, card_sha256)
    approval = approval_in(found, chain) if found is not None else None
    return approval if approval is not None and today <= approval.expires else None


def approval_in(found: Record, chain: Sequence[Record] = ()) -> Approval | None:
    """The approval that a record gives, with its conditions as the chain has them by now; None where it gives none."""
    digests = Digests(found.model_sha256, found.card_sha256)
    return approval_of(found.act, digests, found.seq, found.sha256, conditions_of(chain, found))


def approval_of(
    act: Act, digests: Digests, seq: int, seal: str = "", conditions: tuple[Condition, ...] | None = None
) -> Approval | None:
    """The approval that an act gives, or would give if it were recorded; None where it gives none.

    Parameters
    ----------
    seal : of its record; empty while it has none
    conditions : as they stand by now; as the decision has them unless given
    """
    if not isinstance(act, Decision) or act.owner_decision != "approve" or act.expires is None:
        return None
    return Approval(
        stage=act.stage,
        decided_on=act.meeting.date,
        expires=act.expires,
        minute=act.meeting.minute,
        owner_role=act.owner_role,
        conditions=act.conditions if conditions is None else conditions,
        example=act.example,
        model_sha256=digests.model,
        card_sha256=digests.card,
        seq=seq,
        record_sha256=seal,
    )


def status_banner(
    card_sha256: str, model_sha256: str, chain: Sequence[Record], today: dt.date, *, registered: bool = True
) -> dict[str, Any]:
    """What stands at the top of a card today: ``{state, words, until, example, stage}``.

    ``state`` is DRAFT, AWAITING REVIEW, APPROVED, EXPIRED, WITHDRAWN or REFUSED; ``until`` is an ISO date or None;
    ``stage`` is the one that was decided on, or None.
    """
    found = governing(chain, model_sha256, card_sha256)
    until = None
    if found is None and not registered:
        state, words = "DRAFT", "DRAFT. This model is not registered. Do not use it."
    elif found is None:
        earlier = any(line.model_sha256 == model_sha256 for line in chain)
        note = " An earlier card of this model was decided on; this one was not." if earlier else ""
        state = "AWAITING REVIEW"
        words = f"{state}. No decision names this card. Do not use the model until one does.{note}"
    elif isinstance(found.act, Withdrawal):
        state = "WITHDRAWN"
        words = f"WITHDRAWN on {_day(found.recorded_on)} by the {found.act.owner_role}: {found.act.reason}"
    else:
        assert isinstance(found.act, Decision)
        state, words = _banner_of(found.act, conditions_of(chain, found), today)
        until = found.act.expires if state in ("APPROVED", "EXPIRED") else None
    example = found is not None and found.act.example
    return {
        "state": state,
        "words": f"EXAMPLE DECISION, NOT A REAL ONE. {words}" if example else words,
        "until": until.isoformat() if until else None,
        "example": example,
        "stage": found.act.stage if found is not None and isinstance(found.act, Decision) else None,
    }


def sign_off_rows(chain: Sequence[Record], model_sha256: str) -> list[dict[str, Any]]:
    """Every record on a model, oldest first, for the card's sign-off section: plain texts and lists of texts."""
    rows = []
    for found in chain:
        if found.model_sha256 == model_sha256 and isinstance(found.act, Decision | Withdrawal):
            sealed = {
                "card_sha256": found.card_sha256,
                "model_sha256": found.model_sha256,
                "record_sha256": found.sha256,
            }
            start = {"record": found.seq, "recorded_on": found.recorded_on.isoformat(), "kind": found.act.kind}
            rows.append(
                {**start, "example": found.act.example, **_said(found.act, conditions_of(chain, found)), **sealed}
            )
    return rows


def _said(decision: Decision | Withdrawal, conditions: Sequence[Condition]) -> dict[str, Any]:
    if isinstance(decision, Withdrawal):
        return {"owner_role": decision.owner_role, "reason": decision.reason, "minute": decision.minute}
    quorum = decision.quorum
    return {
        "stage": decision.stage,
        "meeting": decision.meeting.date.isoformat(),
        "minute": decision.meeting.minute,
        "quorum": f"{quorum.members} members, {quorum.lay} lay, {quorum.specialist} specialist",
        "advice": decision.advice,
        "conditions": [_condition_in_words(condition) for condition in conditions],
        "dissent": list(decision.dissent),
        "conflicts_of_interest": list(decision.conflicts_of_interest),
        "owner_role": decision.owner_role,
        "owner_decision": decision.owner_decision,
        "reason": decision.reason,
        "expires": decision.expires.isoformat() if decision.expires else None,
        "answers": [f"{key}: {answer.reason} (until {answer.expires})" for key, answer in decision.answers.items()],
        "trained_by_role": decision.trained_by_role,
        "approved_by_role": decision.approved_by_role,
    }


def _condition_in_words(condition: Condition) -> str:
    due = f", due {condition.due}" if condition.due else ""
    evidence = f", evidence: {condition.evidence}" if condition.evidence else ""
    return f"{condition.text} (owner: {condition.owner}{due}, {condition.status}{evidence})"


def _banner_of(decision: Decision, conditions: Sequence[Condition], today: dt.date) -> tuple[str, str]:
    source = f"the {decision.owner_role}, meeting of {_day(decision.meeting.date)}, minute {decision.meeting.minute}"
    if decision.owner_decision == "refuse" or decision.expires is None:
        reason = f": {decision.reason}" if decision.reason else ""
        return "REFUSED", f"REFUSED ({source}; advice: {decision.advice}){reason}"
    stage = f"stage: {decision.stage}" + ("" if decision.stage in STAGES_IN_USE else ", which does not allow scoring")
    if today > decision.expires:
        return (
            "EXPIRED",
            f"EXPIRED on {_day(decision.expires)} ({stage}). Do not use the model until it is reviewed again.",
        )
    still_open = sum(condition.status == "open" for condition in conditions)
    left = f" Conditions still open: {still_open}." if still_open else ""
    return "APPROVED", f"APPROVED until {_day(decision.expires)} ({stage}) by {source}.{left}"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
