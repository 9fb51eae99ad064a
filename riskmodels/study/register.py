"""``register.yaml``: where each source comes from and on what terms."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from riskmodels.study.section import Section


class Assessment(Section):
    """An assessment that was made: where it stands and of which day it is."""

    reference: str
    date: dt.date


class RegisterEntry(Section):
    """What the governance officer must know of one source. ``lawful_basis`` is that of Article 6 of the UK GDPR."""

    words: str
    owner: str
    collected_for: str
    how: str
    about: Literal["person", "household", "place"]
    spatial_level: str | None = None
    lawful_basis: str
    special_category: tuple[str, ...] = ()  # such as health or ethnic origin: Article 9
    criminal_offence: bool = False  # Article 10
    special_category_condition: str | None = None
    schedule_1_condition: str | None = None
    agreement: str | None = None
    agreement_expires: dt.date | None = None
    dpia: Assessment | None = None
    permitted_purposes: tuple[str, ...] = ()
    asked: str | None = None  # was anybody asked whether it may be used so, and what did they say
    people_were_told: str | None = None
    seen_by: tuple[str, ...] = ()
    retention: str
    extracted_on: dt.date
    columns: dict[str, str]


class Register(Section):
    """What this study uses the data for: ``purpose`` to make lists, ``audit_purpose`` to check that they are fair.

    The permitted purposes of every source must include the one that it is used for.
    """

    purpose: str
    audit_purpose: str | None = None
    sources: dict[str, RegisterEntry]
