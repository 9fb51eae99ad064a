"""May this decision be recorded, today and after all that was recorded before? Asked before it is written, and by
`review verify` of what another hand may have written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from riskmodels import storage
from riskmodels.errors import GateError
from riskmodels.governance.acts import Withdrawal
from riskmodels.governance.chain import Record
from riskmodels.governance.decision import STAGES_IN_USE, Decision, parse_card, unanswered, verdicts_to_answer
from riskmodels.governance.written import unseen

FEWEST_MEMBERS = 3


def refuse_today(decision: Decision, card: bytes | None, model_sha256: str, card_sha256: str, today: dt.date) -> None:
    """Raises GateError if a decision may not be recorded on this model and card on this day."""
    for what, named, held in (
        ("model", decision.model_sha256, model_sha256), ("card", decision.card_sha256, card_sha256)
    ):  # fmt: skip
        if named not in (None, held):
            raise GateError(
                f"{what}_sha256: the decision names {str(named)[:12]}…, but this {what} is {held[:12]}…; record it "
                "on the version that the committee looked at"
            )
    if decision.meeting.date > today:
        raise GateError(
            f"meeting.date: {decision.meeting.date} is still to come; record the decision after the meeting"
        )
    if card is None or storage.sha256(card) != card_sha256:
        raise GateError("the card is not the one that was registered; record the decision on the registered card")
    _refuse_hidden_names(decision, card)
    if decision.owner_decision == "refuse":
        return
    for problem in too_few(decision):
        raise GateError(problem)
    if decision.expires is None or decision.expires < today:
        raise GateError(f"expires: {decision.expires} is in the past; the approval would never hold")
    for index, condition in enumerate(decision.conditions):
        if condition.is_overdue(today):
            raise GateError(f"conditions[{index}].due: {condition.due} is in the past; show that it is met, or move it")
        if condition.status == "open" and condition.due is not None and condition.due > decision.expires:
            raise GateError(
                f"conditions[{index}].due: {condition.due} is after the approval ends, on {decision.expires}; give an "
                "earlier day"
            )
    _refuse_answers(decision, card, today)


def _refuse_hidden_names(decision: Decision, card: bytes) -> None:
    """The names of the audit may hold what does not show, since data may; no other name of an answer has to."""
    for number, key in enumerate(decision.answers, 1):
        found = unseen(key)
        if found and not any(f"{one}: ".startswith(f"{key}: ") for one in verdicts_to_answer(parse_card(card))):
            raise GateError(
                f"answers, name {number}: holds a character that does not show ({found}), and is no name of the audit; "
                "write it as `riskmodels review open` does"
            )


def _refuse_answers(decision: Decision, card: bytes, today: dt.date) -> None:
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


def refuse_out_of_order(chain: Sequence[Record], decision: Decision, model_sha256: str, card_sha256: str) -> None:
    """Raises GateError if an approval would undo what was recorded after its meeting."""
    for problem in out_of_order(chain, decision, model_sha256, card_sha256):
        raise GateError(problem)


def too_few(decision: Decision) -> Iterator[str]:
    """That an approval of use was advised by fewer than a committee is, with its lay and specialist members."""
    quorum = decision.quorum
    in_use = decision.owner_decision == "approve" and decision.stage in STAGES_IN_USE
    if in_use and (quorum.members < FEWEST_MEMBERS or not quorum.lay or not quorum.specialist):
        yield (
            f"quorum: {quorum.members} members, {quorum.lay} lay and {quorum.specialist} specialist; {decision.stage} "
            f"use is advised by {FEWEST_MEMBERS} at least, one of them lay and one a specialist: put it to them"
        )


def out_of_order(before: Sequence[Record], decision: Decision, model_sha256: str, card_sha256: str) -> Iterator[str]:
    """Why an approval may not follow these records: an old one, recorded again, would undo what was decided since.

    A committee that decides once more says so in a minute of its own. A refusal may always be recorded.
    """
    if decision.owner_decision != "approve":
        return
    held = decision.meeting.date
    for line in (one for one in before if one.model_sha256 == model_sha256):
        if isinstance(line.act, Withdrawal):
            known = {_minute(one) for one in before if one.model_sha256 == model_sha256 and one.seq <= line.seq}
            if held < line.recorded_on or (held == line.recorded_on and decision.meeting.minute in known):
                yield (
                    f"meeting.date: the meeting of {held} (minute {decision.meeting.minute}) knew nothing of the "
                    f"withdrawal of {line.recorded_on} (record {line.seq}); have the model reviewed again"
                )
        elif isinstance(line.act, Decision) and line.card_sha256 == card_sha256:
            if line.act == decision:
                yield (
                    f"the same decision stands in the record already (record {line.seq}); to decide again, hold a "
                    "meeting and record its own minute"
                )
            elif held < line.act.meeting.date:
                yield (
                    f"meeting.date: {held} is before the meeting of {line.act.meeting.date} that decided since (record "
                    f"{line.seq}); have the model reviewed again"
                )


def _minute(line: Record) -> str | None:
    if isinstance(line.act, Decision):
        return line.act.meeting.minute
    return line.act.minute if isinstance(line.act, Withdrawal) else None
