"""What may be asked of one batch, and what is refused before model or cohort are looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels.errors import UsageError
from riskmodels.study import Study, StudyFile

if TYPE_CHECKING:
    from riskmodels.service.outputs.lists import Format
    from riskmodels.service.shapes import Explain

LOCAL, SPARK = "local", "spark"


@dataclass(frozen=True)
class Asked:
    """What was asked of one batch, checked as far as that goes without looking at model or cohort."""

    output: Path
    format: Format
    today: dt.date
    capacity: str | None = None
    explain: Explain = "selected"
    groups: Path | None = None
    exclude: Path | None = None
    role: str | None = None
    engine: str = LOCAL
    threads: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        from riskmodels.service.outputs.lists import LISTS
        from riskmodels.service.shapes import EXPLAIN

        if self.format not in LISTS:
            raise UsageError(f"{self.output}: write to a .parquet, .csv or .xlsx file, or say which with --format")
        ending = self.output.suffix.removeprefix(".")
        if ending in LISTS and ending != self.format:
            raise UsageError(
                f"{self.output}: --format {self.format} is another format than its ending says; change one"
            )
        if self.explain not in EXPLAIN:
            raise UsageError(f"--explain is {', '.join(EXPLAIN[:-1])} or {EXPLAIN[-1]}, got {self.explain!r}")
        if self.threads < 0:
            raise UsageError(f"--threads must be 0 (all cores) or more, got {self.threads}")


def last_tested(study: StudyFile) -> dt.date:
    """The last day on which the model was tested: what lies before it, the model learned from."""
    if study.split.test.dates is not None:
        return max(study.split.test.dates)
    return max(study.cohort.dates)


def refuse_unknown_role(role: str | None, study: Study) -> None:
    """A role that was misspelt would see less than it may, and nobody would know why. Raises UsageError."""
    from riskmodels.models.reasons import known_roles

    known = sorted(known_roles(study))
    if role is not None and role not in known:
        which = f"the register names {', '.join(known)}" if known else "every role may see every source; leave it out"
        raise UsageError(f"--role {role}: no source of the register says may_show_to for it; {which}")
