"""May this model be registered, promoted, used now? The one place that decides.

The rules stand in `riskmodels.governance.rules`, in a table for each of the three. `explain_gate` prints a table;
`open_for_registration`, `open_for_promotion` and `open_for_scoring` refuse on the first rule that does not hold. The
last is the only maker of an `ApprovedModel`, on which scoring insists. The model is not loaded before every rule holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from riskmodels.errors import GateError, RiskModelsError
from riskmodels.governance.card_rules import may_register, unanswered_concerns
from riskmodels.governance.review import Approval, approval_in
from riskmodels.governance.rules import (
    GATES,
    MANIFEST,
    PROMOTE,
    REGISTER,
    SCORE,
    Case,
    Rule,
    read_model_folder,
    verify_manifest,
)

if TYPE_CHECKING:
    from riskmodels.models.risk_model import RiskModel
    from riskmodels.study import Study

__all__ = [
    "MANIFEST",
    "ApprovedModel",
    "Case",
    "explain_gate",
    "may_register",
    "open_for_promotion",
    "open_for_registration",
    "open_for_scoring",
    "read_model_folder",
    "unanswered_concerns",
    "verify_manifest",
]
_THE_GATE = object()


@dataclass(frozen=True)
class ApprovedModel:
    """A model that may score people today. Only `open_for_scoring` can make one.

    ``record_sha256``: the newest seal of the record that says so. It is not pickled or copied: kept in a file it would
    open no gate again.

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
    study: Study
    record_sha256: str = ""
    token: InitVar[object] = None

    def __post_init__(self, token: object) -> None:
        if token is not _THE_GATE:
            raise GateError("an ApprovedModel comes from gate.open_for_scoring alone; ask the gate")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise GateError("an ApprovedModel is not kept or sent: it holds for today alone; ask the gate again")


def explain_gate(case: Case, act: str = "score") -> list[dict[str, Any]]:
    """Every rule of an act ("register", "promote" or "score") and its state: ``{rule, holds, words}``."""
    table = []
    for name, rule in GATES[act].items():
        try:
            words, holds = rule(case), True
        except RiskModelsError as refusal:
            words, holds = str(refusal), False
        table.append({"rule": name, "holds": holds, "words": words})
    return table


def open_for_registration(case: Case) -> None:
    """Check every rule that a model has to pass before it becomes a version.

    Raises
    ------
    ModelFileError, CardError
        if a file of the model, or the card, is not what it was (exit 5).
    GateError
        if the card is of another model, or holds no audit or no leak checks (exit 6).
    """
    _refuse(case, REGISTER)


def open_for_promotion(case: Case) -> Approval:
    """Check every rule; the approval under which the model may become champion.

    Raises
    ------
    ModelFileError, CardError
        if a file of the model, or the card, is not what it was (exit 5).
    GateError
        if any other rule does not hold (exit 6): one sentence that says what to do next.
    """
    _refuse(case, PROMOTE)
    return _approval(case)


def open_for_scoring(case: Case) -> ApprovedModel:
    """Check every rule, then load the model.

    Raises
    ------
    ModelFileError
        if a file of the model is missing, changed, or cannot be loaded (exit 5).
    CardError
        if the card is not readable (exit 5).
    DataError
        if a source may not be used for this, or its agreement has ended (exit 4).
    GateError
        if any other rule does not hold (exit 6): one sentence that says what to do next.
    """
    from riskmodels.models.risk_model import RiskModel

    _refuse(case, SCORE)
    return ApprovedModel(
        model=RiskModel.from_files(dict(case.files)),
        approval=_approval(case),
        model_sha256=case.model_sha256,
        card_sha256=case.card_sha256,
        version=case.registered.get("version"),
        study=case.study,
        record_sha256=case.chain[-1].sha256,
        token=_THE_GATE,
    )


def _refuse(case: Case, rules: Mapping[str, Rule]) -> None:
    for rule in rules.values():
        rule(case)


def _approval(case: Case) -> Approval:
    approval = approval_in(case.record, case.chain)
    if approval is None:
        raise GateError("the decision is not an approval; have the model reviewed (`riskmodels review open MODEL`)")
    return approval
