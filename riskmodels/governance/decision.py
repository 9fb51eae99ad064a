"""A committee's decision: what its secretary writes, and which of the audit's verdicts it must answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence, Set
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from riskmodels import study
from riskmodels.errors import CardError
from riskmodels.governance.written import Day, Digest, Flag, Role, Sentences, Text, Whole, spelled

STAGES = ("explore", "link", "pilot", "live")  # in the order in which a committee is asked
STAGES_IN_USE = ("pilot", "live")
TO_ANSWER = ("FAIL", "INSUFFICIENT EVIDENCE")
FLAGGED = "look here"
CROSSED = " × "  # between the two characteristics of an intersection
LONGEST = {"pilot": study.Period(6, "month")}
LONGEST_OTHERWISE = study.Period(12, "month")


# ---------------------------------------------------------------- what a secretary writes


def _named(value: str) -> str:
    if value.strip(" *:") == "":
        raise ValueError("name what is answered, as in 'sex: F: recall'; '*' would answer what nobody has read")
    return value


# A name of the audit may hold whatever the data hold; whether it is one is asked when the card is there.
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_named)]


class Condition(study.Section):
    """What the committee asks for; overdue while it is open after its due date."""

    text: Text
    owner: Role
    due: Day | None = None
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
    members: Whole = Field(ge=1)
    lay: Whole = Field(ge=0)
    specialist: Whole = Field(ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Quorum:
        if self.lay + self.specialist > self.members:
            raise ValueError(f"{self.lay} lay and {self.specialist} specialist members are more than {self.members}")
        return self


class Meeting(study.Section):
    date: Day
    minute: Text


class Answer(study.Section):
    """Why a FAIL or INSUFFICIENT EVIDENCE is accepted, and until when."""

    reason: Text
    expires: Day


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
    expires: Day | None = None
    answers: dict[Named, Answer] = Field(default_factory=dict)
    trained_by_role: Role
    approved_by_role: Role
    # The digests that the committee had before it; held to those of the model that the decision is recorded on.
    model_sha256: Digest | None = None
    card_sha256: Digest | None = None
    example: Flag = False

    @property
    def departs_from_advice(self) -> bool:
        return self.advice.startswith("proceed") != (self.owner_decision == "approve")

    @model_validator(mode="after")
    def _holds_together(self) -> Decision:
        if self.advice == "proceed with conditions" and not self.conditions:
            raise ValueError("conditions: is empty, but the advice is 'proceed with conditions'")
        if self.departs_from_advice and self.reason is None:
            raise ValueError(f"reason: {self.owner_decision!r} departs from the advice {self.advice!r}; say why")
        if same_role(self.trained_by_role, self.approved_by_role, self.owner_role):
            raise ValueError("approved_by_role: the role that trained the model cannot also approve it; name another")
        return self

    @model_validator(mode="after")
    def _conditions_end(self) -> Decision:
        if self.owner_decision == "approve" and self.stage in STAGES_IN_USE:
            for index, condition in enumerate(self.conditions):
                if condition.status == "open" and condition.due is None:
                    raise ValueError(f"conditions[{index}].due: is missing; a condition of use has a day to be met by")
        return self

    @model_validator(mode="after")
    def _conditions_come_later(self) -> Decision:
        for index, condition in enumerate(self.conditions):
            if condition.status == "open" and condition.due is not None and condition.due < self.meeting.date:
                raise ValueError(
                    f"conditions[{index}].due: {condition.due} is before the meeting of {self.meeting.date}; give a "
                    "later day, or show that it is met"
                )
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


def same_role(one: str, *others: str) -> bool:
    """Whether a role is one of the others, however it is spaced, capitalised and punctuated."""
    return spelled(one) in {spelled(other) for other in others}


def not_named(decision: Decision, by_role: str, owner: str | None = None) -> str | None:
    """In words, that an act is by a role that the decision does not name for it; None where it does.

    It is said and not refused: whoever is named may be away, and a role may be called otherwise by now.

    Parameters
    ----------
    owner : of the condition that the act is about, if it is about one
    """
    if same_role(by_role, decision.approved_by_role, decision.owner_role, *([] if owner is None else [owner])):
        return None
    about = "" if owner is None else f"the {owner} for this condition and "
    return (
        f"the decision names {about}the {decision.approved_by_role} as its approver, not the {by_role}; it is on "
        "record all the same, so let them know"
    )


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
    """The keys ``attribute: group: metric`` of every primary contrast judged FAIL or INSUFFICIENT EVIDENCE, of
    every group that FAILs against everybody else, and of every gap that is flagged: it cannot fail a list alone.

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
        keys = [f"{row['attribute']}: {row['group']}: {row['metric']}" for row in contrasts if is_to_answer(row)]
    except (KeyError, TypeError):
        raise CardError("card.json: audit.contrasts is not readable; build the card again") from None
    return list(dict.fromkeys(keys))


def is_to_answer(row: Mapping[str, Any]) -> bool:
    """Whether a contrast of an audit is one that somebody answers for by name."""
    return (
        (row["family"] == "primary" and row["verdict"] in TO_ANSWER)
        or (row["family"] == "second" and row["verdict"] == "FAIL")
        or (row["family"] == "exploratory" and row["verdict"] == FLAGGED)
    )


def unanswered(decision: Decision, card: Mapping[str, Any], today: dt.date) -> list[str]:
    """The verdicts that no answer covers on this day.

    ``sex`` covers ``sex: F``, which covers ``sex: F: recall``. ``sex`` and ``age`` together cover ``sex × age``.
    """
    lasting = {key for key, answer in decision.answers.items() if answer.expires >= today}
    return [verdict for verdict in verdicts_to_answer(card) if not covers(lasting, verdict)]


def covers(keys: Set[str], verdict: str) -> bool:
    """Whether answers under these keys answer a verdict, as `unanswered` has it."""
    if any(verdict == key or verdict.startswith(f"{key}: ") for key in keys):
        return True
    crossed = verdict.split(": ")[0].split(CROSSED)
    return len(crossed) > 1 and keys >= set(crossed)
