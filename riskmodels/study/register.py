"""``register.yaml``: where each source comes from and on what terms."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from riskmodels.study.section import Section, Slug

PLACEHOLDERS = ("", "-", "?", "check", "n/a", "na", "none", "not said yet", "tba", "tbc", "tbd", "todo", "unknown")


def _stated(value: str) -> str:
    if " ".join(value.split()).casefold().rstrip(".:") in PLACEHOLDERS:
        raise ValueError("says nothing; write it out, or leave the key out until somebody knows")
    return value


Stated = Annotated[str, AfterValidator(_stated)]


class Assessment(Section):
    """An assessment that was made: where it stands and of which day it is."""

    reference: Stated
    date: dt.date


class RegisterEntry(Section):
    """What the governance officer must know of one source. ``lawful_basis`` is that of Article 6 of the UK GDPR.

    ``may_show_to``: the roles (as in ``score --role``) that may read a reason made of this source; everybody who may
    see the list where it is left out. A ``restricted`` source must say, even if the answer is nobody.
    """

    words: str
    owner: str
    collected_for: str
    how: str
    about: Literal["person", "household", "place"]
    spatial_level: str | None = None
    lawful_basis: str
    special_category: tuple[str, ...] = ()  # such as health or ethnic origin: Article 9
    criminal_offence: bool = False  # Article 10
    special_category_condition: Stated | None = None
    schedule_1_condition: Stated | None = None
    agreement: str | None = None
    agreement_expires: dt.date | None = None
    dpia: Assessment | None = None
    permitted_purposes: tuple[Stated, ...] = ()
    asked: str | None = None  # was anybody asked whether it may be used so, and what did they say
    people_were_told: str | None = None
    seen_by: tuple[str, ...] = ()
    sensitivity: Literal["ordinary", "sensitive", "restricted"] = "ordinary"
    may_show_to: tuple[Slug, ...] | None = None
    retention: str
    extracted_on: dt.date
    columns: dict[str, str]

    @model_validator(mode="after")
    def _restricted_to_somebody(self) -> RegisterEntry:
        if self.sensitivity == "restricted" and self.may_show_to is None:
            raise ValueError("may_show_to: a restricted source names the roles that may see it, or [] for none")
        return self


class Register(Section):
    """What this study uses the data for: ``purpose`` to make lists, ``audit_purpose`` to check that they are fair.

    The permitted purposes of every source must include the one that it is used for.
    """

    purpose: Stated
    audit_purpose: Stated | None = None
    sources: dict[str, RegisterEntry]
