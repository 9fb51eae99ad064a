"""The rules of the gate: each a function that says in which words it holds, or refuses in words that say what to do.

To add a rule: one function, one row in the tables of the acts that ask it, one test that breaks it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.data.register import refuse_unpermitted
from riskmodels.errors import GateError
from riskmodels.governance import card_rules
from riskmodels.governance.acts import Withdrawal
from riskmodels.governance.chain import Record, read_chain
from riskmodels.governance.champions import champion
from riskmodels.governance.decision import STAGES_IN_USE, Condition, Decision, parse_card, same_role, unanswered
from riskmodels.governance.review import conditions_of, governing
from riskmodels.study import Study, load_kept_study

MANIFEST = "manifest.json"


def read_model_folder(folder: str | Path) -> dict[str, bytes]:
    """The files of a ``riskmodel/`` folder, read once. Raises ModelFileError, as in `riskmodels.models.risk_model`."""
    from riskmodels.models import risk_model

    return risk_model.read_model_folder(folder)


def verify_manifest(files: Mapping[str, bytes]) -> str:
    """Check every file against the manifest; return the manifest's own SHA-256, which is ``model_sha256``.

    Raises
    ------
    ModelFileError
        naming the file that is missing, changed or not listed.
    """
    from riskmodels.models import risk_model

    risk_model.verify_manifest(files)
    return storage.sha256(files[MANIFEST])


def refuse_another_study(files: Mapping[str, bytes], study: str) -> None:
    """Raises GateError if a model was trained for another study than the one whose record it is held to.

    The manifest names it under the model's digest: an entry and a record under another name would let a model score
    that was withdrawn under its own.
    """
    from riskmodels.models import risk_model

    own = risk_model.verify_manifest(files)["study"]
    if own != study:
        raise GateError(
            f"the model was trained for the study {own}, and this is the record of {study}; score it under {own}, and "
            "restore models.json from a copy"
        )


def refuse_put_back(chain: Sequence[Record], seals_seen: Sequence[str]) -> None:
    """Raises GateError if the record once held a line that it does not hold now: an older copy is in its place."""
    there = {line.sha256 for line in chain}
    gone = [seal for seal in seals_seen if seal not in there]
    if gone:
        raise GateError(
            f"the review record is older than a list that was made by it: the seal {gone[0][:12]}… stands in "
            "batches/ledger.jsonl and not on the record; restore the newest copy of the record"
        )


def reviewed_study(folder: Path, card: Mapping[str, Any]) -> Study:
    """A study's folder as the run kept it, held to the digests in the card.

    Raises
    ------
    ModelFileError
        if a file of it is not the one that the card was built from.
    """
    digests = card.get("digests")
    named = (digests.get("study"), digests.get("answers")) if isinstance(digests, Mapping) else (None, None)
    return load_kept_study(folder, named)


@dataclass(frozen=True)
class Case:
    """What the rules look at.

    Parameters
    ----------
    files : the files of the ``riskmodel/`` folder
    card : the bytes of ``card.json``
    chain_path : the study's record
    registered : the entry of the models index; empty where there is none
    study_folder : the study as the run kept it, whose register says what its sources may be used for
    not_before : the newest day on which anything was done with this workspace; the clock is not before it
    seals_seen : the newest seals of the record as the study's batches saw them
    stage, by_role : what is asked for, and by whom, where a model is to be promoted
    failing_checks : for a stage, the checks of the card that hold it up, by name
    """

    files: Mapping[str, bytes]
    card: bytes
    chain_path: Path
    registered: Mapping[str, Any]
    today: dt.date
    study_folder: Path | None = None
    not_before: dt.date | None = None
    seals_seen: Sequence[str] = ()
    stage: str | None = None
    by_role: str | None = None
    failing_checks: Callable[[str], Sequence[str]] | None = None

    @cached_property
    def model_sha256(self) -> str:
        return verify_manifest(self.files)

    @cached_property
    def card_sha256(self) -> str:
        return storage.sha256(self.card)

    @cached_property
    def chain(self) -> list[Record]:
        return read_chain(self.chain_path)

    @cached_property
    def record(self) -> Record:
        found = governing(self.chain, self.model_sha256, self.card_sha256)
        if found is None:
            other = any(self.model_sha256 == line.model_sha256 for line in self.chain)
            why = (
                "the review record decides on another card of this model"
                if other
                else "no review decides on this model"
            )
            raise GateError(
                f"{why}; put this card to the committee: `riskmodels review open MODEL` writes the form of its "
                "decision, and `riskmodels review record` takes it"
            )
        return found

    @property
    def decision(self) -> Decision:
        """The decision in force. Raises GateError if the latest word is a withdrawal."""
        act = self.record.act
        if isinstance(act, Withdrawal):
            raise GateError(
                f"the model was withdrawn on {self.record.recorded_on} by the {act.owner_role}: "
                f"{act.reason}; use another version, or have this one reviewed again"
            )
        assert isinstance(act, Decision)
        return act

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return conditions_of(self.chain, self.record) if self.decision.conditions else ()

    @cached_property
    def study(self) -> Study:
        """The study as it was reviewed: its definitions make the cohort, so the card names them by digest."""
        if self.study_folder is None:
            raise GateError("the study of this model is not with it; restore the study/ folder of its run")
        return reviewed_study(self.study_folder, parse_card(self.card))


Rule = Callable[[Case], str]
"""Returns words when the rule holds; raises, saying what to do next, when it does not."""


def _files_are_whole(case: Case) -> str:
    return f"the manifest {case.model_sha256[:12]} lists exactly these files"


def _model_is_registered(case: Case) -> str:
    if case.registered.get("model_sha256") != case.model_sha256:
        raise GateError(
            "this model is not the registered one; score the registered version, or run the study to register it"
        )
    refuse_another_study(case.files, case.chain_path.stem)
    return "the registered model has this digest"


def _card_is_registered(case: Case) -> str:
    if case.registered.get("card_sha256") != case.card_sha256:
        raise GateError(
            "the card is not the one registered with this model; restore card.json, or register and review it anew"
        )
    return f"the registered card has the digest {case.card_sha256[:12]}"


def _card_is_of_this_model(case: Case) -> str:
    model = parse_card(case.card).get("model")
    if not isinstance(model, Mapping) or model.get("sha256") != case.model_sha256:
        raise GateError("the card describes another model; register the model with the card of its own run")
    return "the card describes this model"


def _audited_and_checked(case: Case) -> str:
    card_rules.may_register(parse_card(case.card))
    return "the card holds a fairness audit and leak checks"


def _concerns_are_answered(case: Case) -> str:
    card_rules.refuse_unanswered_concerns(parse_card(case.card))
    return "every concern of a check has its answer in the card"


def _record_is_unbroken(case: Case) -> str:
    return f"all {len(case.chain)} lines of the review record verify"


def _record_was_not_put_back(case: Case) -> str:
    refuse_put_back(case.chain, case.seals_seen)
    return f"every seal that the ledger of batches has seen ({len(case.seals_seen)}) is on the record"


def _clock_is_right(case: Case) -> str:
    last = max((line.recorded_on for line in case.chain), default=case.today)
    if case.today < last:
        raise GateError(f"today is {case.today}, but the record was last written on {last}; correct the clock")
    if case.not_before is not None and case.today < case.not_before:
        raise GateError(
            f"today is {case.today}, but the workspace was last written on {case.not_before}; correct the clock"
        )
    return f"today, {case.today}, is not before anything on record"


def _is_reviewed(case: Case) -> str:
    if isinstance(case.record.act, Withdrawal):
        return f"record {case.record.seq}, a withdrawal, is the latest word on this model"
    return f"record {case.record.seq} decides on exactly this model and card"


def _is_not_withdrawn(case: Case) -> str:
    return f"the latest word on it is a {case.decision.kind}"


def _data_and_policy_are_as_decided(case: Case) -> str:
    """The card says what it was built from; the index and the record name it beside, and neither may say otherwise."""
    card = parse_card(case.card)
    entry = {key: str(case.registered.get(f"{key}_sha256")) for key in card_rules.SEALED}
    card_rules.refuse_other_inputs(card, entry, "models.json")
    sealed = {"data": case.record.data_sha256, "policy": case.record.policy_sha256}
    card_rules.refuse_other_inputs(card, sealed, f"record {case.record.seq}")
    return "the card, the index and the record name the same data and policy"


def _is_approved(case: Case) -> str:
    decision = case.decision
    if decision.owner_decision != "approve":
        raise GateError(
            f"the {decision.owner_role} decided against use on {decision.meeting.date} (advice: {decision.advice}); "
            "meet what was asked and have it reviewed again"
        )
    return f"approved by the {decision.owner_role} (minute {decision.meeting.minute})"


def _stage_allows_use(case: Case) -> str:
    stage = case.decision.stage
    if stage not in STAGES_IN_USE:
        raise GateError(f"the approval is for the stage {stage!r}, which scores nobody; ask the committee for a pilot")
    return f"the stage is {stage}"


def _tested_on_the_present(case: Case) -> str:
    if case.decision.stage != "live":
        return "it is not in live use, which alone asks for a test on the present"
    card_rules.refuse_untested(parse_card(case.card), case.decision.stage)
    return "tested after the last known break, or none is known"


def _is_not_expired(case: Case) -> str:
    expires = case.decision.expires
    if expires is None or case.today > expires:
        raise GateError(
            f"the approval expired on {expires}; have the model reviewed again (`riskmodels review open MODEL`)"
        )
    return f"approved until {expires}"


def _verdicts_are_answered(case: Case) -> str:
    missing = unanswered(case.decision, parse_card(case.card), case.today)
    if missing:
        raise GateError(
            f"{len(missing)} of the audit's verdicts have no answer in date, the first: {missing[0]}; "
            "answer each by name in a new decision (`riskmodels review open MODEL`)"
        )
    return "every FAIL, INSUFFICIENT EVIDENCE and flagged gap is answered by name"


def _conditions_are_in_time(case: Case) -> str:
    overdue = [condition for condition in case.conditions if condition.is_overdue(case.today)]
    if overdue:
        number = case.conditions.index(overdue[0]) + 1
        raise GateError(
            f"a condition is overdue since {overdue[0].due} (owner: {overdue[0].owner}): {overdue[0].text}; "
            f"meet it, then record its evidence (`riskmodels review met MODEL --condition {number}`)"
        )
    still_open = sum(condition.status == "open" for condition in case.conditions)
    return f"no condition is overdue ({still_open} open)"


def _card_is_complete(case: Case) -> str:
    if case.failing_checks is None:
        raise GateError("the card was not held to its checks; promote the model with `riskmodels promote`")
    failing = case.failing_checks(case.decision.stage)
    if failing:
        raise GateError(
            f"the card fails checks that hold up {case.decision.stage} ({', '.join(failing)}); see what to do with "
            "`riskmodels card MODEL --check`"
        )
    return f"the card passes every check that {case.decision.stage} asks for"


def _stage_is_the_decided_one(case: Case) -> str:
    if case.stage is not None and case.stage != case.decision.stage:
        raise GateError(
            f"{case.stage} is asked for, but the decision is for {case.decision.stage}; promote for that, or have "
            f"{case.stage} decided on"
        )
    return f"the decision is for {case.decision.stage}"


def _another_moves_it(case: Case) -> str:
    """That another role approves is asked of every decision as it is read (`riskmodels.governance.decision`)."""
    trainer = case.decision.trained_by_role
    if case.by_role is not None and same_role(trainer, case.by_role):
        raise GateError(
            f"the {case.by_role} trained the model and cannot promote it too; somebody else has to (--by ROLE)"
        )
    return f"trained by the {trainer}, approved by the {case.decision.approved_by_role}"


def _is_champion(case: Case) -> str:
    reign = champion(case.chain)
    if reign is None or reign.digests != (case.model_sha256, case.card_sha256):
        # What is not approved cannot be promoted: what stands in the way of that is what helps.
        _is_approved(case)
        _is_not_expired(case)
        if reign is None:
            raise GateError(
                "no model is champion, and only the champion scores; promote this one (`riskmodels promote`)"
            )
        raise GateError(
            f"the champion is version {reign.promotion.version}, and only the champion scores; promote this one "
            "(`riskmodels promote`) or score that one"
        )
    if reign.promotion.stage != case.decision.stage:
        raise GateError(
            f"the model was promoted for {reign.promotion.stage}, and the decision now is for {case.decision.stage}; "
            "promote it again (`riskmodels promote`)"
        )
    return f"champion since {reign.began.recorded_on} for {reign.promotion.stage}, by the {reign.promotion.by_role}"


def _agreements_hold(case: Case) -> str:
    refuse_unpermitted(case.study, ("model",), case.today, scoring=True)
    return "every source may be used for this, and every agreement is in date"


# ---------------------------------------------------------------- which rules each act asks


REGISTER: dict[str, Rule] = {
    "the model's files are whole": _files_are_whole,
    "the card is of this model": _card_is_of_this_model,
    "audited and checked for leaks": _audited_and_checked,
}
_ASKED_OF_EVERY_USE: dict[str, Rule] = {
    "the model's files are whole": _files_are_whole,
    "the model is registered": _model_is_registered,
    "the card is registered": _card_is_registered,
    "the card is of this model": _card_is_of_this_model,
    "audited and checked for leaks": _audited_and_checked,
    "concerns answered": _concerns_are_answered,
    "the review record is unbroken": _record_is_unbroken,
    "the review record was not put back": _record_was_not_put_back,
    "the clock is right": _clock_is_right,
    "reviewed": _is_reviewed,
    "not withdrawn": _is_not_withdrawn,
    "the data and policy are those decided on": _data_and_policy_are_as_decided,
    "approved": _is_approved,
    "the stage allows use": _stage_allows_use,
    "tested on the present": _tested_on_the_present,
    "not expired": _is_not_expired,
    "verdicts answered": _verdicts_are_answered,
    "conditions in time": _conditions_are_in_time,
}
PROMOTE: dict[str, Rule] = {
    **_ASKED_OF_EVERY_USE,
    "decided for this stage": _stage_is_the_decided_one,
    "moved by another than trained it": _another_moves_it,
    "the card is complete": _card_is_complete,
}
SCORE: dict[str, Rule] = {
    **_ASKED_OF_EVERY_USE,
    "champion": _is_champion,
    "agreements in date": _agreements_hold,
}
GATES: dict[str, dict[str, Rule]] = {"register": REGISTER, "promote": PROMOTE, "score": SCORE}
