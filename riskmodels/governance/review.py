"""The review record: who advised what, who decided, until when.

A committee secretary writes one decision as a small YAML file; `record` checks it and appends it to the study's chain.
Each line of the chain carries the digest of the line before it, and a small head file beside it holds the length and
the last digest, so an edit, a deletion, a reordering and a cut are all noticed by `read_chain`. This shows tampering;
it does not prevent it: whoever may write the whole folder can rebuild it, so keep a copy where they cannot.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from riskmodels import storage, study
from riskmodels.errors import CardError, GateError, StudyError

try:
    import fcntl
except ImportError:  # Windows has no such lock: there, two writers at once are noticed by the chain, not prevented.
    fcntl = None  # type: ignore[assignment]

STAGES_IN_USE = ("pilot", "live")
TO_ANSWER = ("FAIL", "INSUFFICIENT EVIDENCE")
LONGEST = {"pilot": study.Period(6, "month")}
LONGEST_OTHERWISE = study.Period(12, "month")
FIRST = "0" * 64


# ---------------------------------------------------------------- what a secretary writes


def _role(value: str) -> str:
    if re.search(r"@|\d{5}", value.replace(" ", "")):
        raise ValueError("names a role, never a person's contact details")
    return value


def _sentences(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _named(value: str) -> str:
    if value.strip(" *:") == "":
        raise ValueError("name what is answered, as in 'sex: F: recall'; '*' would answer what nobody has read")
    return value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Role = Annotated[Text, AfterValidator(_role)]
Sentences = Annotated[tuple[Text, ...], BeforeValidator(_sentences)]


class Condition(study.Section):
    """What the committee asks for; overdue while it is open after its due date."""

    text: Text
    owner: Role
    due: dt.date | None = None
    evidence: Text | None = None
    status: Literal["open", "met"] = "open"

    @model_validator(mode="after")
    def _met_is_shown(self) -> Condition:
        if self.status == "met" and self.evidence is None:
            raise ValueError("a condition that is met names its evidence")
        return self

    def is_overdue(self, today: dt.date) -> bool:
        return self.status == "open" and self.due is not None and self.due < today


class Quorum(study.Section):
    members: int = Field(ge=1)
    lay: int = Field(ge=0)
    specialist: int = Field(ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Quorum:
        if self.lay + self.specialist > self.members:
            raise ValueError(f"{self.lay} lay and {self.specialist} specialist members are more than {self.members}")
        return self


class Meeting(study.Section):
    date: dt.date
    minute: Text


class Answer(study.Section):
    """Why a FAIL or INSUFFICIENT EVIDENCE is accepted, and until when."""

    reason: Text
    expires: dt.date


class Decision(study.Section):
    """The committee's advice on one model and card, and what the senior responsible owner decided."""

    kind: Literal["decision"] = "decision"
    stage: Literal["explore", "link", "pilot", "live"]
    advice: Literal["proceed", "proceed with conditions", "more information", "do not proceed"]
    conditions: tuple[Condition, ...] = ()
    dissent: Sentences = ()
    conflicts_of_interest: Sentences = ()
    quorum: Quorum
    meeting: Meeting
    owner_role: Role
    owner_decision: Literal["approve", "refuse"]
    reason: Text | None = None
    expires: dt.date | None = None
    answers: dict[Annotated[Text, AfterValidator(_named)], Answer] = Field(default_factory=dict)
    trained_by_role: Role
    approved_by_role: Role
    example: bool = False

    @property
    def departs_from_advice(self) -> bool:
        return self.advice.startswith("proceed") != (self.owner_decision == "approve")

    @model_validator(mode="after")
    def _holds_together(self) -> Decision:
        if self.advice == "proceed with conditions" and not self.conditions:
            raise ValueError("conditions: is empty, but the advice is 'proceed with conditions'")
        if self.departs_from_advice and self.reason is None:
            raise ValueError(f"reason: {self.owner_decision!r} departs from the advice {self.advice!r}; say why")
        if _same_role(self.trained_by_role, self.approved_by_role, self.owner_role):
            raise ValueError("approved_by_role: the role that trained the model cannot also approve it; name another")
        return self

    @model_validator(mode="after")
    def _ends_in_time(self) -> Decision:
        if self.owner_decision == "approve" and self.expires is None:
            raise ValueError("expires: an approval ends; give the last day on which it holds")
        longest = LONGEST.get(self.stage, LONGEST_OTHERWISE)
        latest = longest.after(self.meeting.date)
        if self.expires is not None and self.expires > latest:
            raise ValueError(
                f"expires: {self.expires} is more than {longest} after the meeting of {self.meeting.date}; "
                f"{self.stage} may be approved until {latest} at most"
            )
        return self


class Withdrawal(study.Section):
    """Use of a model stops at once, whichever card it was approved with."""

    kind: Literal["withdrawal"] = "withdrawal"
    reason: Text
    owner_role: Role
    minute: Text | None = None
    example: bool = False


KINDS: dict[str, type[Decision] | type[Withdrawal]] = {"decision": Decision, "withdrawal": Withdrawal}


def _same_role(trainer: str, *others: str) -> bool:
    return " ".join(trainer.casefold().split()) in {" ".join(other.casefold().split()) for other in others}


def parse_decision(raw: Any, where: str = "decision") -> Decision | Withdrawal:
    """Check a decision that is already a mapping. Raises GateError, naming the path of the key."""
    kind = raw.get("kind", "decision") if isinstance(raw, dict) else "decision"
    if not isinstance(kind, str) or kind not in KINDS:
        raise GateError(f"{where}: kind: is one of {', '.join(KINDS)}")
    try:
        checked: Decision | Withdrawal = study._validate(KINDS[kind], raw, where)
    except StudyError as problem:
        raise GateError(str(problem)) from None
    return checked


def load_decision(path: str | Path) -> Decision | Withdrawal:
    """Read a decision as the secretary wrote it. Raises GateError: file, path of the key, what is wrong."""
    try:
        raw = storage.read_yaml(Path(path))
    except StudyError as problem:
        raise GateError(str(problem)) from None
    return parse_decision(raw, str(path))


# ---------------------------------------------------------------- what the audit asks to be answered


def parse_card(content: bytes) -> dict[str, Any]:
    """A card as a mapping. Raises CardError."""
    try:
        card = json.loads(content)
    except (ValueError, RecursionError):
        card = None
    if not isinstance(card, dict):
        raise CardError("card.json: is not a model card; restore it from the run it came from")
    return card


def verdicts_to_answer(card: Mapping[str, Any]) -> list[str]:
    """The keys ``attribute: group: metric`` of every primary contrast judged FAIL or INSUFFICIENT EVIDENCE.

    Raises
    ------
    CardError
        if the card holds no audit: nothing to answer and nothing examined are not the same.
    """
    audit = card.get("audit")
    contrasts = audit.get("contrasts") if isinstance(audit, Mapping) else None
    if not isinstance(contrasts, Sequence):
        raise CardError("card.json: audit.contrasts is missing; audit the model and build its card again")
    try:
        keys = [
            f"{row['attribute']}: {row['group']}: {row['metric']}"
            for row in contrasts
            if row["family"] == "primary" and row["verdict"] in TO_ANSWER
        ]
    except (KeyError, TypeError):
        raise CardError("card.json: audit.contrasts is not readable; build the card again") from None
    return list(dict.fromkeys(keys))


def unanswered(decision: Decision, card: Mapping[str, Any], today: dt.date) -> list[str]:
    """The verdicts that no answer covers on this day. ``sex`` covers ``sex: F``, which covers ``sex: F: recall``."""
    lasting = [key for key, answer in decision.answers.items() if answer.expires >= today]
    return [
        verdict
        for verdict in verdicts_to_answer(card)
        if not any(verdict == key or verdict.startswith(f"{key}: ") for key in lasting)
    ]


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
    with locked(path):
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock that belongs to ``path``: one writer at a time, across processes."""
    path = Path(path)
    with storage.outside_world(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, storage.OWNER_ONLY)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


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
    """What stands at the top of a card today: ``{state, words, until, example}``.

    ``state`` is DRAFT, AWAITING REVIEW, APPROVED, EXPIRED, WITHDRAWN or REFUSED; ``until`` is an ISO date or None.
    """
    found = governing(chain, model_sha256, card_sha256)
    until = None
    if found is None and not registered:
        state, words = "DRAFT", "DRAFT. This model is not registered. Do not use it."
    elif found is None:
        earlier = any(line.model_sha256 == model_sha256 for line in chain)
        note = " An earlier card of this model was decided on; this one was not." if earlier else ""
        state, words = "AWAITING REVIEW", f"AWAITING REVIEW. No decision names this card. Do not use the model.{note}"
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
