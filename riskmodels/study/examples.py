"""``examples.yaml``: made-up people, and what the study should make of them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, model_validator

from riskmodels.study.section import Section


class Example(Section):
    """One made-up person (or household, or place) on one day, with the rows that each source holds of them.

    ``rows``: source -> rows, by the source's own column names; the id may be left out, and dates may stand as text.
    ``features``: column -> number, text, or null for missing; only those named are compared.
    """

    name: str
    as_of: dt.date
    rows: dict[str, tuple[dict[str, Any], ...]] = Field(default_factory=dict)
    in_cohort: bool | None = None
    dropped_at: str | None = None
    outcome: Literal[0, 1, "immature", "unobserved"] | None = None
    features: dict[str, float | str | None] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Example:
        if self.dropped_at is not None and self.in_cohort:
            raise ValueError("somebody who is in the cohort was not dropped at a step")
        if self.in_cohort is None and self.dropped_at is None and self.outcome is None and not self.features:
            raise ValueError("expects nothing; say in_cohort, dropped_at, outcome or features")
        return self


class Examples(Section):
    examples: tuple[Example, ...] = Field(min_length=1)
