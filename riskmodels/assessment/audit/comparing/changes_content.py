"""What a comparison reads of an audit, and what is refused before anything is made of it: a file may be any file."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, ValidationError, model_validator

from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.suppression import PROFILES, Profile
from riskmodels.errors import DataError
from riskmodels.study import Section

Row = dict[str, Any]

KEY = ("attribute", "group", "reference", "metric", "against")
ADVICE = "give what `riskmodels audit --json` wrote, or a run's audit.json"
SLOPE = "calibration_slope"
LEAST, MOST = 1e-12, 1e12
"""Ratios nearer to 0, or larger, are none that people were counted for; and what is made of them would overflow."""
NEAR = 1e-6


def printable(value: Any) -> Any:
    """A text in one line, without characters that steer a terminal or turn a line round; other values as they are."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        c for c in value if unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in ("Zl", "Zp")
    )


Text = Annotated[str, BeforeValidator(printable), Field(min_length=1)]
Number = Annotated[float, Field(strict=True, ge=-MOST, le=MOST)]
Width = Annotated[float, Field(strict=True, ge=0.2, le=100)]


class Measured(Section):
    """A group's own rate."""

    model_config = ConfigDict(extra="ignore")

    value: Number | None
    low: Number | None = None
    high: Number | None = None
    n: Annotated[int, Field(strict=True, ge=0)] | None = None
    reason: Text | None = None


class OwnRow(Section):
    """A group."""

    model_config = ConfigDict(extra="ignore")

    attribute: Text
    group: Text
    label: Text
    shown: StrictBool = False
    metrics: dict[Text, Measured]

    @model_validator(mode="after")
    def _rates_are_rates(self) -> OwnRow:
        for name, found in self.metrics.items():
            least, most = (-MOST if name == SLOPE else 0.0), (1.0 if name in PROPORTIONS else MOST)
            if any(
                n is not None and not least - NEAR <= n <= most + NEAR for n in (found.value, found.low, found.high)
            ):
                raise ValueError(f"{name} is no rate")
            _refuse_turned(name, found.low, found.high)
        return self


class KeptContrast(Section):
    """A contrast: which, and its interval."""

    model_config = ConfigDict(extra="ignore")

    attribute: Text
    group: Text
    label: Text
    reference: Text
    reference_label: Text
    metric: Text
    against: Literal["reference", "others", "prediction", "group"]
    family: Literal["primary", "second", "exploratory"]
    ratio: Number | None
    low: Number | None
    high: Number | None
    verdict: Text | None

    @model_validator(mode="after")
    def _ratios_are_ratios(self) -> KeptContrast:
        for name in ("ratio", "low", "high"):
            number = getattr(self, name)
            if number is not None and self.metric != SLOPE and number != 0 and number < LEAST:
                raise ValueError(f"{name} is no ratio")
        _refuse_turned("the interval", self.low, self.high)
        return self


class AuditContent(Section):
    """What a comparison reads of an audit, exact or published."""

    model_config = ConfigDict(extra="ignore")

    purpose: Literal["assistive", "punitive", "mixed"]
    outcome_measures: Literal["need", "service"]
    level: Literal["person", "household", "place"]
    provisional: StrictBool = False
    policy_name: Text
    policy_sha256: Text
    widened: tuple[Text, ...] = ()
    critical_values: dict[Literal["treatment", "meaning"], Width]
    titles: dict[Text, Text]
    rows: tuple[OwnRow, ...]
    contrasts: tuple[KeptContrast, ...]

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> AuditContent:
        _refuse_twice("rows", [(row.attribute, row.group) for row in self.rows])
        _refuse_twice("contrasts", [tuple(getattr(row, name) for name in KEY) for row in self.contrasts])
        asked = {question_of(row.family, row.against) for row in self.contrasts if row.low is not None} - {None}
        for question in sorted(str(name) for name in asked - set(self.critical_values)):
            raise ValueError(f"critical_values.{question} is missing")
        return self


def question_of(family: str, against: str) -> str | None:
    """The simultaneous family of a contrast's interval; None where it stands alone."""
    if family == "exploratory":
        return None
    return "meaning" if against == "prediction" else "treatment"


def audit_content(raw: Any, name: str) -> Row:
    """What a comparison reads of an audit, exact or published; names and labels printable.

    Parameters
    ----------
    raw : as read from JSON, or `Audit.to_dict()`
    name : of the audit, or of its file, as errors call it

    Raises
    ------
    DataError
        if it is no audit, or its parts do not fit each other.
    """
    try:
        content = AuditContent.model_validate(dict(raw) if isinstance(raw, Mapping) else raw)
    except ValidationError as error:
        raise DataError(f"{name}: is not an audit of this version ({_problem(error)}); {ADVICE}") from None
    # What was not there stays away: an estimate without an interval has no ends.
    return content.model_dump(exclude_unset=True)


def read_audit(raw: Any, name: str, profile: Profile | str = "sro-10") -> Row:
    """What a comparison reads of a published audit. An exact one is refused: a comparison copies what it is made of.

    Parameters
    ----------
    raw, name : as in `audit_content`
    profile : that by which the other audit is published; one that hides less must not be put beside it

    Raises
    ------
    DataError
        as `audit_content`; or if the audit is exact, or was published by rules that hide less.
    """
    content = audit_content(raw, name)
    rules = PROFILES[profile] if isinstance(profile, str) else profile
    if "disclosure" not in raw:
        raise DataError(
            f"{name}: is an exact audit, whose small numbers must not be shown; {ADVICE}, not an exact file"
        )
    said = raw["disclosure"]
    below, base = (said.get(key) if isinstance(said, Mapping) else None for key in ("below", "rounded_to"))
    if type(below) is not int or type(base) is not int:
        raise DataError(f"{name}: does not say how its small numbers were hidden (disclosure); {ADVICE}")
    if below < rules.below or base < rules.base:
        raise DataError(
            f"{name}: hides fewer small numbers than {rules.name}; audit those predictions again with "
            f"--small-numbers {rules.name}"
        )
    return content


# ---------------------------------------------------------------- what is refused


def _refuse_turned(name: str, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"{name} has a low end above the high one")


def _refuse_twice(where: str, keys: Sequence[tuple[str, ...]]) -> None:
    if len(set(keys)) < len(keys):
        raise ValueError(f"two of its {where} are of the same name")


def _problem(error: ValidationError) -> str:
    """The first problem in one line, without the value that caused it."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = printable(".".join(str(part) for part in problem["loc"] if part != "[key]"))[:80]
    said = problem["msg"].removeprefix("Input ").removeprefix("Value error, ")
    plainly = {"missing": "is missing", "model_type": "should be an object", "string_too_short": "is empty"}
    said = printable(plainly.get(problem["type"], said))[:160]
    return f"{where}: {said}" if where else said
