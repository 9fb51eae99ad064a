"""May this model be used now? The one place that decides.

`RULES` is the gate: a table of rules, each a function that says whether it holds and in which words. `explain_gate`
prints the table; `open_for_scoring` refuses on the first rule that does not hold, and is the only maker of an
`ApprovedModel`, which scoring and the champion alias insist on. The model is not loaded before every rule holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import GateError, RiskModelsError
from riskmodels.governance.decision import STAGES_IN_USE, Decision, Withdrawal, parse_card, unanswered
from riskmodels.governance.review import Approval, Record, approval_in, governing, read_chain

if TYPE_CHECKING:
    from riskmodels.models.risk_model import RiskModel

MANIFEST = "manifest.json"
_THE_GATE = object()


@dataclass(frozen=True)
class ApprovedModel:
    """A model that may score people today. Only `open_for_scoring` can make one.

    Raises
    ------
    GateError
        when made anywhere else.
    """

    model: RiskModel
    approval: Approval
    model_sha256: str
    card_sha256: str
    version: int | None
    token: InitVar[object] = None

    def __post_init__(self, token: object) -> None:
        if token is not _THE_GATE:
            raise GateError("an ApprovedModel comes from gate.open_for_scoring alone; ask the gate")


# ---------------------------------------------------------------- the model's files


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


# ---------------------------------------------------------------- the rules


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    files: Mapping[str, bytes]
    card: bytes
    chain_path: Path
    registered: Mapping[str, Any]
    today: dt.date

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
            raise GateError(f"{why}; put this card to the committee, then `riskmodels review record` its decision")
        return found

    @property
    def decision(self) -> Decision:
        """The decision in force. Raises GateError if the latest word is a withdrawal."""
        if isinstance(self.record.decision, Withdrawal):
            raise GateError(
                f"the model was withdrawn on {self.record.recorded_on} by the {self.record.decision.owner_role}: "
                f"{self.record.decision.reason}; use another version, or have this one reviewed again"
            )
        return self.record.decision


Rule = Callable[[Case], str]
"""Returns words when the rule holds; raises, saying what to do next, when it does not."""


def _files_are_whole(case: Case) -> str:
    return f"the manifest {case.model_sha256[:12]} lists exactly these files"


def _model_is_registered(case: Case) -> str:
    if case.registered.get("model_sha256") != case.model_sha256:
        raise GateError(
            "this model is not the registered one; score the registered version, or run the study to register it"
        )
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
    may_register(parse_card(case.card))
    return "the card holds a fairness audit and leak checks"


def _concerns_are_answered(case: Case) -> str:
    found = unanswered_concerns(parse_card(case.card))
    if found:
        raise GateError(
            f"a check of the data raised a concern that nobody has answered ({found[0]}); answer it under accepted in "
            "study.yaml, run the study, and have it reviewed"
        )
    return "every concern of a check has its answer in the card"


def _record_is_unbroken(case: Case) -> str:
    return f"all {len(case.chain)} lines of the review record verify"


def _clock_is_right(case: Case) -> str:
    last = max((line.recorded_on for line in case.chain), default=case.today)
    if case.today < last:
        raise GateError(f"today is {case.today}, but the record was last written on {last}; correct the clock")
    return f"today, {case.today}, is not before the last record"


def _is_reviewed(case: Case) -> str:
    return f"record {case.record.seq} decides on exactly this model and card"


def _is_not_withdrawn(case: Case) -> str:
    return f"the latest word on it is a {case.decision.kind}"


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
    from riskmodels.data.leakage import DETECTORS

    if case.decision.stage != "live":
        return "it is not in live use, which alone asks for a test on the present"
    # An answer explains the concern; it does not make up for the test.
    if DETECTORS["break_spanned"].words in _concerns(parse_card(case.card)):
        raise GateError(
            "the approval is for live use, but the model was never tested on the present: a known break came after its "
            "last test; approve a pilot, or test again once outcomes from after the break are known"
        )
    return "tested after the last known break, or none is known"


def _is_not_expired(case: Case) -> str:
    expires = case.decision.expires
    if expires is None or case.today > expires:
        raise GateError(
            f"the approval expired on {expires}; have the model reviewed again (`riskmodels review record`)"
        )
    return f"approved until {expires}"


def _verdicts_are_answered(case: Case) -> str:
    missing = unanswered(case.decision, parse_card(case.card), case.today)
    if missing:
        raise GateError(
            f"{len(missing)} of the audit's verdicts have no answer in date, the first: {missing[0]}; "
            "answer each by name in a new decision (`riskmodels review record`)"
        )
    return "every FAIL and INSUFFICIENT EVIDENCE is answered by name"


def _conditions_are_in_time(case: Case) -> str:
    overdue = [condition for condition in case.decision.conditions if condition.is_overdue(case.today)]
    if overdue:
        raise GateError(
            f"a condition is overdue since {overdue[0].due} (owner: {overdue[0].owner}): {overdue[0].text}; "
            "meet it, then record the decision again with its evidence (`riskmodels review record`)"
        )
    still_open = sum(condition.status == "open" for condition in case.decision.conditions)
    return f"no condition is overdue ({still_open} open)"


RULES: dict[str, Rule] = {
    "the model's files are whole": _files_are_whole,
    "the model is registered": _model_is_registered,
    "the card is registered": _card_is_registered,
    "the card is of this model": _card_is_of_this_model,
    "audited and checked for leaks": _audited_and_checked,
    "concerns answered": _concerns_are_answered,
    "the review record is unbroken": _record_is_unbroken,
    "the clock is right": _clock_is_right,
    "reviewed": _is_reviewed,
    "not withdrawn": _is_not_withdrawn,
    "approved": _is_approved,
    "the stage allows use": _stage_allows_use,
    "tested on the present": _tested_on_the_present,
    "not expired": _is_not_expired,
    "verdicts answered": _verdicts_are_answered,
    "conditions in time": _conditions_are_in_time,
}


# ---------------------------------------------------------------- the gate


def unanswered_concerns(card: Mapping[str, Any]) -> list[str]:
    """The checks that raised a concern which the study does not answer, by their words."""
    return [check for check, answer in _concerns(card).items() if not answer]


def _concerns(card: Mapping[str, Any]) -> dict[str, str | None]:
    """The checks that raised a concern, by their words, and why each was accepted."""
    table = card.get("annex", {}).get("checks") or {"columns": [], "rows": []}
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return {str(row["Check"]): row.get("Accepted because") for row in rows if row.get("Result") == "concern"}


def may_register(card: Mapping[str, Any]) -> None:
    """Refuse a card without a fairness audit or without leak checks.

    Raises
    ------
    GateError
    """
    audit, annex = card.get("audit"), card.get("annex")
    checks = annex.get("checks") if isinstance(annex, Mapping) else None
    if not isinstance(audit, Mapping) or not audit.get("verdict"):
        raise GateError("the card holds no fairness audit, and no model is registered without one; run the study whole")
    if not (checks.get("rows") if isinstance(checks, Mapping) else checks):
        raise GateError("the card holds no leak checks, and no model is registered without them; run the study whole")


def explain_gate(
    files: Mapping[str, bytes] | str | Path,
    card: bytes,
    chain_path: Path,
    *,
    registered: Mapping[str, Any] | None,
    today: dt.date,
) -> list[dict[str, Any]]:
    """Every rule and its state: ``{rule, holds, words}``. Parameters as in `open_for_scoring`.

    Raises
    ------
    ModelFileError
        if the folder cannot be read at all.
    """
    case = _case(files, card, chain_path, registered, today)
    table = []
    for name, rule in RULES.items():
        try:
            words, holds = rule(case), True
        except RiskModelsError as refusal:
            words, holds = str(refusal), False
        table.append({"rule": name, "holds": holds, "words": words})
    return table


def open_for_scoring(
    files: Mapping[str, bytes] | str | Path,
    card: bytes,
    chain_path: Path,
    *,
    registered: Mapping[str, Any] | None,
    today: dt.date,
) -> ApprovedModel:
    """Check every rule, then load the model.

    Parameters
    ----------
    files : the files of the ``riskmodel/`` folder, or the folder
    card : the bytes of ``card.json``
    chain_path : the study's review record
    registered : the entry of the models index (``model_sha256``, ``card_sha256``, ``version``); None if there is none

    Raises
    ------
    ModelFileError
        if a file of the model is missing, changed, or cannot be loaded (exit 5).
    CardError
        if the card is not readable (exit 5).
    GateError
        if any other rule does not hold (exit 6): one sentence that says what to do next.
    """
    from riskmodels.models.risk_model import RiskModel

    case = _case(files, card, chain_path, registered, today)
    for rule in RULES.values():
        rule(case)
    approval = approval_in(case.record)
    if approval is None:
        raise GateError("the decision is not an approval; have the model reviewed (`riskmodels review record`)")
    return ApprovedModel(
        model=RiskModel.from_files(dict(case.files)),
        approval=approval,
        model_sha256=case.model_sha256,
        card_sha256=case.card_sha256,
        version=case.registered.get("version"),
        token=_THE_GATE,
    )


def _case(
    files: Mapping[str, bytes] | str | Path,
    card: bytes,
    chain_path: Path,
    registered: Mapping[str, Any] | None,
    today: dt.date,
) -> Case:
    held = files if isinstance(files, Mapping) else read_model_folder(files)
    return Case(dict(held), card, Path(chain_path), registered or {}, today)
