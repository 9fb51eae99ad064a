"""The review record: who advised what, who decided, until when.

A committee secretary writes one decision as a small YAML file; `record` checks it and appends it to the study's chain.
Each line of the chain carries the digest of the line before it, and a small head file beside it holds the length and
the last digest, so an edit, a deletion, a reordering and a cut are all noticed by `read_chain`. This shows tampering;
it does not prevent it: whoever may write the whole folder can rebuild it, so keep a copy where they cannot.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from riskmodels import storage
from riskmodels.errors import GateError
from riskmodels.governance.decision import (
    KINDS,
    STAGES_IN_USE,
    Condition,
    Decision,
    Withdrawal,
    parse_card,
    unanswered,
)

FIRST = "0" * 64


# ---------------------------------------------------------------- the chain


@dataclass(frozen=True)
class Record:
    """One line of the chain. ``previous`` is the ``sha256`` of the line before; ``sha256`` seals this one."""

    seq: int
    previous: str
    recorded_on: dt.date
    decision: Decision | Withdrawal
    model_sha256: str
    card_sha256: str
    data_sha256: str
    policy_sha256: str
    sha256: str


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


def read_chain(path: Path) -> list[Record]:
    """Every record of a study, first to last, each one verified. A study without a record has an empty chain.

    Raises
    ------
    GateError
        naming the line that was edited, moved or cut, or saying that lines are missing at the end.
    """
    path = Path(path)
    head = _read_head(path)  # before the lines: a writer moves the head last
    lines = storage.read_bytes(path, GateError).split(b"\n") if path.exists() else [b""]
    unfinished = lines.pop()
    chain: list[Record] = []
    for number, line in enumerate(lines, 1):
        chain.append(_read_line(path, number, line, chain[-1].sha256 if chain else FIRST))
    if unfinished and head is not None and head["seq"] == len(chain):
        raise GateError(
            f"{path}, line {len(chain) + 1}: is unfinished (recording it was interrupted); "
            "delete this line and record the decision again"
        )
    if unfinished:
        raise _broken(path, len(chain) + 1, "is cut short")
    _compare_with_head(path, chain, head)
    return chain


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
) -> Approval | None:
    """Append a decision to a study's chain; return the approval, if it is one.

    Parameters
    ----------
    card : the bytes of ``card.json``; needed for a decision (its verdicts must be answered), not for a withdrawal

    Raises
    ------
    GateError
        if the decision breaks a rule today, or the chain is broken; nothing is then written.
    OutsideError
        if the disk refuses.
    """
    path = Path(path)
    if isinstance(decision, Decision):
        _refuse_today(decision, card, card_sha256, today)
    with storage.locked(path):
        chain = read_chain(path)
        if chain and today < chain[-1].recorded_on:
            raise GateError(
                f"today is {today}, but the record was last written on {chain[-1].recorded_on}; correct the clock"
            )
        previous = chain[-1].sha256 if chain else FIRST
        body = {
            "seq": len(chain) + 1,
            "previous": previous,
            "recorded_on": today.isoformat(),
            "decision": decision.model_dump(mode="json"),
            "digests": {"model": model_sha256, "card": card_sha256, "data": data_sha256, "policy": policy_sha256},
        }
        seal = storage.sha256(_line(body))
        # The first time, so that a missing head is a deleted one; later, to catch up after an interruption.
        _write_head(path, len(chain), previous)
        storage.append_line(path, _line({**body, "sha256": seal}).decode())
        written = read_chain(path)[-1]  # a full disk can cut a line: nobody is told before it reads back
        _write_head(path, written.seq, seal)
    return approval_in(written)


def _refuse_today(decision: Decision, card: bytes | None, card_sha256: str, today: dt.date) -> None:
    if decision.meeting.date > today:
        raise GateError(
            f"meeting.date: {decision.meeting.date} is still to come; record the decision after the meeting"
        )
    if card is None or storage.sha256(card) != card_sha256:
        raise GateError("the card is not the one that was registered; record the decision on the registered card")
    if decision.owner_decision == "refuse":
        return
    if decision.expires is None or decision.expires < today:
        raise GateError(f"expires: {decision.expires} is in the past; the approval would never hold")
    for index, condition in enumerate(decision.conditions):
        if condition.is_overdue(today):
            raise GateError(f"conditions[{index}].due: {condition.due} is in the past; show that it is met, or move it")
    for key, answer in decision.answers.items():
        if answer.expires < today:
            raise GateError(f"answers.{key}.expires: {answer.expires} is in the past; the answer would never hold")
    audited = {str(row.get("attribute")) for row in parse_card(card)["audit"].get("contrasts") or ()}
    for key in decision.answers:
        if key.split(":")[0].strip() not in audited:
            raise GateError(f"answers.{key}: the audit holds no such characteristic ({', '.join(sorted(audited))})")
    missing = unanswered(decision, parse_card(card), today)
    if missing:
        raise GateError(
            f"answers: {len(missing)} of the audit's verdicts not answered by name: {'; '.join(missing[:5])}"
            f"{' and more' if len(missing) > 5 else ''}; give each a reason and an expiry"
        )


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _read_line(path: Path, number: int, line: bytes, previous: str) -> Record:
    try:
        body = json.loads(line)
        seal = body.pop("sha256")
        # The bytes are compared too, so that there is one way only to write a record.
        intact = storage.sha256(_line(body)) == seal and _line({**body, "sha256": seal}) == line
        if not intact:
            raise _broken(path, number, "was edited")
        if body["seq"] != number or body["previous"] != previous:
            raise _broken(path, number, "does not follow the line before it (lines were moved or taken out)")
        digests = {f"{name}_sha256": digest for name, digest in body["digests"].items()}
        recorded_on = dt.date.fromisoformat(body["recorded_on"])
        decision = KINDS[body["decision"]["kind"]].model_validate(body["decision"])
        return Record(number, previous, recorded_on, decision, **digests, sha256=seal)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        raise _broken(path, number, "is not a review record") from None


def _broken(path: Path, number: int, what: str) -> GateError:
    return GateError(
        f"{path}, line {number}: {what}; restore the review record from a copy: nothing is scored until then"
    )


def _head_path(path: Path) -> Path:
    return path.with_suffix(".head")


def _read_head(path: Path) -> dict[str, Any] | None:
    if not _head_path(path).exists():
        return None
    head: dict[str, Any] = storage.read_json(_head_path(path), GateError)
    seq = head.get("seq") if isinstance(head, dict) else None
    if not isinstance(seq, int) or seq < 0 or not isinstance(head.get("sha256"), str):
        raise GateError(f"{_head_path(path)}: is not the head of a review record; restore it from a copy")
    return head


def _write_head(path: Path, seq: int, seal: str) -> None:
    storage.write_whole(_head_path(path), storage.canonical_json({"seq": seq, "sha256": seal}))


def _compare_with_head(path: Path, chain: list[Record], head: dict[str, Any] | None) -> None:
    """The chain ends where the head says, or one line later if the writer was stopped between the two writes."""
    if head is None:
        if chain:
            raise GateError(f"{_head_path(path)}: is missing, so a cut could not be seen; restore it from a copy")
        return
    if head["seq"] > len(chain):
        raise _broken(path, len(chain) + 1, f"is missing ({head['seq']} were recorded)")
    at_head = chain[head["seq"] - 1].sha256 if head["seq"] else FIRST
    if len(chain) - head["seq"] > 1 or at_head != head["sha256"]:
        raise _broken(path, len(chain), "does not agree with the head file")


# ---------------------------------------------------------------- what the chain says of one model and card


def governing(chain: Sequence[Record], model_sha256: str, card_sha256: str) -> Record | None:
    """The latest record on exactly this model and card; a withdrawal counts for every card of its model."""
    for found in reversed(chain):
        same_card = found.card_sha256 == card_sha256 or isinstance(found.decision, Withdrawal)
        if found.model_sha256 == model_sha256 and same_card:
            return found
    return None


def current_approval(chain: Sequence[Record], model_sha256: str, card_sha256: str, today: dt.date) -> Approval | None:
    """The approval that holds today for exactly these digests, at whatever stage. The day it expires still counts."""
    found = governing(chain, model_sha256, card_sha256)
    approval = approval_in(found) if found is not None else None
    return approval if approval is not None and today <= approval.expires else None


def approval_in(found: Record) -> Approval | None:
    decision = found.decision
    if not isinstance(decision, Decision) or decision.owner_decision != "approve" or decision.expires is None:
        return None
    return Approval(
        stage=decision.stage,
        decided_on=decision.meeting.date,
        expires=decision.expires,
        minute=decision.meeting.minute,
        owner_role=decision.owner_role,
        conditions=decision.conditions,
        example=decision.example,
        model_sha256=found.model_sha256,
        card_sha256=found.card_sha256,
        seq=found.seq,
        record_sha256=found.sha256,
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
    elif isinstance(found.decision, Withdrawal):
        state = "WITHDRAWN"
        words = f"WITHDRAWN on {_day(found.recorded_on)} by the {found.decision.owner_role}: {found.decision.reason}"
    else:
        state, words = _banner_of(found.decision, today)
        until = found.decision.expires if state in ("APPROVED", "EXPIRED") else None
    example = found is not None and found.decision.example
    return {
        "state": state,
        "words": f"EXAMPLE DECISION, NOT A REAL ONE. {words}" if example else words,
        "until": until.isoformat() if until else None,
        "example": example,
        "stage": found.decision.stage if found is not None and isinstance(found.decision, Decision) else None,
    }


def sign_off_rows(chain: Sequence[Record], model_sha256: str) -> list[dict[str, Any]]:
    """Every record on a model, oldest first, for the card's sign-off section: plain texts and lists of texts."""
    rows = []
    for found in chain:
        if found.model_sha256 == model_sha256:
            sealed = {
                "card_sha256": found.card_sha256,
                "model_sha256": found.model_sha256,
                "record_sha256": found.sha256,
            }
            start = {"record": found.seq, "recorded_on": found.recorded_on.isoformat(), "kind": found.decision.kind}
            rows.append({**start, "example": found.decision.example, **_said(found.decision), **sealed})
    return rows


def _said(decision: Decision | Withdrawal) -> dict[str, Any]:
    if isinstance(decision, Withdrawal):
        return {"owner_role": decision.owner_role, "reason": decision.reason, "minute": decision.minute}
    quorum = decision.quorum
    return {
        "stage": decision.stage,
        "meeting": decision.meeting.date.isoformat(),
        "minute": decision.meeting.minute,
        "quorum": f"{quorum.members} members, {quorum.lay} lay, {quorum.specialist} specialist",
        "advice": decision.advice,
        "conditions": [_condition_in_words(condition) for condition in decision.conditions],
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


def _banner_of(decision: Decision, today: dt.date) -> tuple[str, str]:
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
    still_open = sum(condition.status == "open" for condition in decision.conditions)
    conditions = f" Conditions still open: {still_open}." if still_open else ""
    return "APPROVED", f"APPROVED until {_day(decision.expires)} ({stage}) by {source}.{conditions}"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
