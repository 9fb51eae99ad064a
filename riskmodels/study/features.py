"""The lines that say which features to make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from riskmodels.study.periods import Period, WindowText
from riskmodels.study.section import Column, Section, Slug, one_or_many

AGGREGATIONS = (
    "count", "any", "rate", "sum", "mean", "min", "max", "distinct", "latest", "first", "mode", "change", "trend",
    "rate_change", "ratio", "episodes", "days_since_first", "days_since_last", "attribute", "age",
)  # fmt: skip
OF_A_SOURCE = ("attribute", "age")  # what is taken of source.column; everything else is taken of a fact
OF_A_COLUMN = ("sum", "mean", "min", "max", "distinct", "latest", "first", "mode", "change", "trend")
OF_NUMBERS = ("sum", "mean", "min", "max", "change", "trend")
# A word for each value of a column may stand in the features' own words; anything else is taken as it is.
EACH = "{each}"


@dataclass(frozen=True)
class PlannedColumn:
    """One column that a line makes. ``each`` is (column, value) where the line makes one for each value."""

    name: str
    take: str
    last: Period
    each: tuple[str, str] | None = None


class FeatureLine(Section):
    """One line of ``features``; lists of ``take`` and ``last``, and ``each``, make several features.

    ``over``: what a ratio is divided by. ``gap``: how far apart two facts of one episode may be. ``than``: the earlier
    window that a rate_change compares with. ``each``: a column for each of these values of a kind or column. ``by``:
    our own column that holds the id of the household or place whose facts these are. ``says``: lines with the same
    word say the same thing, so a list gives one reason for all of them (a line's own columns do, value by value of
    ``each``). ``none``: what is said where it is nought or never happened. ``stale_after``: a person whose latest such
    fact is older gets a caveat. ``in_reasons: false``: it counts, and is never given as a reason or in a caveat.
    """

    name: Slug
    take: Annotated[tuple[Literal[AGGREGATIONS], ...], BeforeValidator(one_or_many)]  # type: ignore[valid-type]
    of: str
    last: Annotated[tuple[WindowText, ...], BeforeValidator(one_or_many)] = (Period(None, "ever"),)
    over: str | None = None
    gap: WindowText | None = None
    than: WindowText | None = None
    each: dict[str, tuple[str, ...]] | None = None
    by: Column | None = None
    missing: Literal["keep", "zero", "median", "category"] = "keep"
    words: str
    high: str | None = None
    low: str | None = None
    value: str | None = None
    none: str | None = None
    in_reasons: bool = True
    about: Literal["person", "household", "place"] | None = None
    seen_by: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] = ()
    says: Slug | None = None
    stale_after: WindowText | None = None

    @property
    def columns(self) -> tuple[PlannedColumn, ...]:
        """What the line makes."""
        made = []
        for take in self.take:
            windows = self.last if take not in OF_A_SOURCE else self.last[:1]
            for last in windows:
                name = self.name + (f"_{take}" if len(self.take) > 1 else "")
                name += f"_{last}".replace(" ", "_") if len(windows) > 1 else ""
                if self.each is None:
                    made.append(PlannedColumn(name, take, last))
                    continue
                ((column, values),) = self.each.items()
                made += [PlannedColumn(f"{name}_{_as_slug(value)}", take, last, (column, value)) for value in values]
        return tuple(made)

    @model_validator(mode="after")
    def _keys_fit_what_is_taken(self) -> FeatureLine:
        for key, take in (("over", "ratio"), ("gap", "episodes"), ("than", "rate_change")):
            if (getattr(self, key) is None) == (take in self.take):
                raise ValueError(f"{take} needs {key}" if take in self.take else f"{key} belongs to take: {take}")
        if self.each is not None and (len(self.each) != 1 or not all(self.each.values())):
            raise ValueError("each names one column and its values, as in each: {kind: [visit, call]}")
        if self.each is not None and set(self.take) & {*OF_A_SOURCE, "ratio"}:
            raise ValueError("each makes columns of facts; it does not go with attribute, age or ratio")
        unending = [take for take in self.take if take in ("rate", "rate_change")]
        if unending and any(last.amount is None for last in self.last):
            raise ValueError(f"{unending[0]} is so many a year: it needs a window with a length, not 'ever'")
        if self.than is not None and self.than.amount is None:
            raise ValueError("than has a length, not 'ever'")
        return self


def _as_slug(value: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_") or "blank"
