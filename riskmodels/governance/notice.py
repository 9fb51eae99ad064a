"""The notice of a tool that is no longer used, or never was: since when, why, by which role, what takes its place.

It stands in the public register beside the tool's cards, and the register shows its words in the place of a status.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from riskmodels import storage, study
from riskmodels.errors import CardError, GateError, StudyError
from riskmodels.governance.chain import Record
from riskmodels.governance.decision import STAGES_IN_USE
from riskmodels.governance.review import approval_in, current_approval
from riskmodels.governance.written import Role, Text
from riskmodels.study.wording import ALIKE, BLAME

# A tool may have failed to help, and an owner may have refused it: nobody is blamed by that.
SAID_OF_TOOLS = re.compile(r"(?:fail\w* to|refus\w*)", re.IGNORECASE)


def _blameless(value: str) -> str:
    text = " ".join(value.translate(ALIKE).split())
    for pattern, instead in BLAME.items():
        for found in re.findall(rf"\b(?:{pattern})\b", text, flags=re.IGNORECASE):
            if not SAID_OF_TOOLS.fullmatch(found):
                raise ValueError(f"{found!r} blames people; say {instead}")
    return value


Words = Annotated[Text, AfterValidator(_blameless)]


class Notice(study.Section):
    """``notice.yaml``. ``by`` is a role; ``instead`` is what people are offered now."""

    state: Literal["never_proceeded", "retired", "withdrawn"]
    on: dt.date
    by: Role
    why: Words
    instead: Words | None = None

    @property
    def words(self) -> str:
        """The state, the day, the role and the reason, as one status."""
        day = f"{self.on.day} {self.on:%B %Y}"
        if self.state == "never_proceeded":
            return f"NEVER PROCEEDED. Stopped on {day}, before it was used, by the {self.by}: {self.why}"
        return f"{self.state.upper()} on {day} by the {self.by}: {self.why}"

    def status(self) -> dict[str, Any]:
        """As `riskmodels.governance.review.status_banner`."""
        state = self.state.replace("_", " ").upper()
        return {"state": state, "words": self.words, "until": None, "example": False, "stage": None}


def load_notice(path: Path, today: dt.date) -> Notice:
    """Read ``notice.yaml``.

    Raises
    ------
    CardError
        if it is not readable, names a key that there is not, blames people, or begins after ``today``.
    """
    try:
        notice = study.validated(Notice, storage.read_yaml(path), str(path))
    except StudyError as problem:
        raise CardError(str(problem)) from None
    if notice.on > today:
        raise CardError(f"{path}: on: {notice.on} is still to come; publish the notice on that day")
    return notice


def refuse_notice(notice: Notice, chain: Sequence[Record], today: dt.date, where: Path) -> None:
    """A notice alone stops no list, and says nothing that the review record says otherwise, of whatever card.

    Raises
    ------
    GateError
        if the record approves any card today; if the tool never proceeded, and a pilot or live use was ever approved.
    """
    for line in chain:
        approval = current_approval(chain, line.model_sha256, line.card_sha256, today)
        if approval is not None:
            raise GateError(
                f"{where}: says {notice.state}, but the review record approves the tool until {approval.expires} "
                f"(record {approval.seq}); withdraw it first (riskmodels withdraw)"
            )
        approval = approval_in(line)
        if notice.state == "never_proceeded" and approval is not None and approval.stage in STAGES_IN_USE:
            raise GateError(
                f"{where}: says never_proceeded, but record {approval.seq} approved the stage {approval.stage} on "
                f"{approval.decided_on}; write retired or withdrawn"
            )
