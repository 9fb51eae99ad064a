"""What may stand in a study's record: a line of it is one of these acts, and an act is a change of state.

A committee's secretary writes a `Decision` or a `Withdrawal`. The others are written by the commands that do what they
say, behind the gate: nobody makes a champion by writing a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from riskmodels import study
from riskmodels.errors import GateError, StudyError
from riskmodels.governance.contacts import refuse_contacts
from riskmodels.governance.decision import Decision
from riskmodels.governance.written import Day, Digest, Flag, Role, Text, Whole, shown


class Withdrawal(study.Section):
    """Use of a model stops at once, whichever card it was approved with. ``instead``: what people are offered now."""

    kind: Literal["withdrawal"] = "withdrawal"
    reason: Text
    owner_role: Role
    minute: Text | None = None
    instead: Text | None = None
    example: Flag = False


class Promotion(study.Section):
    """From here on this model is the champion: the one that scores. ``rollback``: it was champion before."""

    kind: Literal["promotion"] = "promotion"
    stage: Literal["pilot", "live"]
    version: Whole = Field(ge=1)
    by_role: Role
    reason: Text | None = None
    rollback: Flag = False
    example: Flag = False

    @model_validator(mode="after")
    def _says_why(self) -> Promotion:
        if self.rollback and self.reason is None:
            raise ValueError("reason: going back is always for a reason; give it")
        return self


class Evidence(study.Section):
    """A condition of a decision is met. ``decision``: the number of its record; ``condition``: from 1."""

    kind: Literal["evidence"] = "evidence"
    decision: Whole = Field(ge=1)
    condition: Whole = Field(ge=1)
    evidence: Text
    by_role: Role
    example: Flag = False


class PurgedFile(study.Section):
    """A file that is no more; ``path`` is relative to the workspace, and may hold what any file's name may."""

    path: Annotated[str, StringConstraints(min_length=1)]
    sha256: Digest
    bytes: Whole = Field(ge=0)


class Purge(study.Section):
    """What was deleted, since its retention was over."""

    kind: Literal["purge"] = "purge"
    artefact: Annotated[Text, StringConstraints(pattern=r"^[a-z_]+$")]
    kept_for: Text
    due: Day
    files: tuple[PurgedFile, ...] = Field(min_length=1)
    by_role: Role | None = None
    example: Flag = False


Act = Decision | Withdrawal | Promotion | Evidence | Purge
ACTS: dict[str, type[Act]] = {
    "decision": Decision,
    "withdrawal": Withdrawal,
    "promotion": Promotion,
    "evidence": Evidence,
    "purge": Purge,
}
WRITTEN_BY_PEOPLE = ("decision", "withdrawal")


def parse_decision(raw: Any, where: str = "decision") -> Decision | Withdrawal:
    """Check a decision or withdrawal that is already a mapping. Raises GateError, naming the path of each key."""
    # It takes time to load, and the record is read by every command.
    from riskmodels.governance.filled_forms import filled, wrong_with

    if not isinstance(raw, dict):
        raise GateError(f"{where}: is no decision; `riskmodels review open MODEL` writes the form of one")
    kind = raw.get("kind", "decision")
    if not isinstance(kind, str) or kind not in WRITTEN_BY_PEOPLE:
        raise GateError(f"{where}: kind: is one of {', '.join(WRITTEN_BY_PEOPLE)}")
    said = filled(raw) if kind == "decision" else raw
    wrong = wrong_with(said) if kind == "decision" else []
    if wrong:
        raise GateError(shown(f"{where}: {'; '.join(wrong)}"))
    try:
        act = study.validated(Decision, said, where) if kind == "decision" else study.validated(Withdrawal, said, where)
    except StudyError as problem:
        raise GateError(shown(str(problem))) from None  # it may repeat a key, and whoever looks is at a terminal
    refuse_contacts(act, where)
    return act


def load_decision(path: str | Path) -> Decision | Withdrawal:
    """Read a decision as the secretary wrote it.

    Raises
    ------
    UsageError
        if there is no such file.
    GateError
        naming the file, the line or the path of the key, and what to do about it.
    """
    from riskmodels.governance.form_files import read_form

    return parse_decision(read_form(Path(path)), str(path))
