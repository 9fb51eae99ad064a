"""``register.yaml``: where each source comes from and on what terms."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from riskmodels.study.section import Section


class RegisterEntry(Section):
    """What the governance officer must know of one source."""

    words: str
    owner: str
    collected_for: str
    how: str
    about: Literal["person", "household", "place"]
    lawful_basis: str
    special_category_condition: str | None = None
    agreement: str | None = None
    agreement_expires: dt.date | None = None
    permitted_purposes: tuple[str, ...] = ()
    people_were_told: str | None = None
    retention: str
    extracted_on: dt.date
    columns: dict[str, str]


class Register(Section):
    sources: dict[str, RegisterEntry]
