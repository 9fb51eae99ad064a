"""The lines that say which features to make."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from riskmodels.study.periods import Period, WindowText
from riskmodels.study.section import Section, Slug, one_or_many

AGGREGATIONS = (
    "count", "any", "sum", "mean", "min", "max", "latest", "first", "change", "trend",
    "days_since_first", "days_since_last", "attribute", "age",
)  # fmt: skip
OF_A_SOURCE = ("attribute", "age")  # what is taken of source.column; everything else is taken of a fact


class FeatureLine(Section):
    """One line of ``features``; lists of ``take`` and ``last`` make several features."""

    name: Slug
    take: Annotated[tuple[Literal[AGGREGATIONS], ...], BeforeValidator(one_or_many)]  # type: ignore[valid-type]
    of: str
    last: Annotated[tuple[WindowText, ...], BeforeValidator(one_or_many)] = (Period(None, "ever"),)
    missing: Literal["keep", "zero", "median", "category"] = "keep"
    words: str
    high: str | None = None
    low: str | None = None
    value: str | None = None

    @property
    def columns(self) -> tuple[tuple[str, str, Period], ...]:
        """What the line makes: (column name, take, window) of each feature."""
        made = []
        for take in self.take:
            windows = self.last if take not in OF_A_SOURCE else self.last[:1]
            for last in windows:
                name = self.name + (f"_{take}" if len(self.take) > 1 else "")
                made.append((name + (f"_{last}".replace(" ", "_") if len(windows) > 1 else ""), take, last))
        return tuple(made)
