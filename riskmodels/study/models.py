"""Which as-of dates the model is tested on, and which families are tried."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from riskmodels.study.section import Section

BASELINES = ("base_rate", "single_best_column", "points", "place_only", "current_practice")


class TestDates(Section):
    dates: tuple[dt.date, ...] | None = None
    last: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_of_them(self) -> TestDates:
        if (self.dates is None) == (self.last is None):
            raise ValueError("say either 'dates' or 'last' (how many of the latest as-of dates to test on)")
        if self.dates is not None and (not self.dates or list(self.dates) != sorted(set(self.dates))):
            raise ValueError("dates must be at least one date, each once, earliest first")
        return self


class SplitSection(Section):
    test: TestDates
    calibrate: Literal["later", "grouped"]
    why_grouped: str | None = None
    calibrate_share: float = Field(0.25, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _reason(self) -> SplitSection:
        if self.calibrate == "grouped" and not self.why_grouped:
            raise ValueError("calibrate: grouped needs why_grouped, which the card prints")
        return self


class NoSettings(Section):
    pass


class PointsSettings(Section):
    most: int = Field(6, ge=1, le=30, description="the most rules a tally may have")


class LogisticSettings(Section):
    c: float = Field(1.0, gt=0, description="inverse strength of the ridge penalty, on standardised features")


class LightGBMSettings(Section):
    trees: int = Field(120, ge=1, le=10_000)
    leaves: int = Field(15, ge=2, le=255)
    learning_rate: float = Field(0.05, gt=0, le=1)
    min_rows_in_leaf: int = Field(40, ge=1)


class Candidates(Section):
    """Families, simplest first. The baselines run whether listed or not."""

    base_rate: NoSettings = NoSettings()
    single_best_column: NoSettings = NoSettings()
    points: PointsSettings = PointsSettings()
    logistic: LogisticSettings | None = None
    lightgbm: LightGBMSettings | None = None

    @property
    def families(self) -> dict[str, Section]:
        listed = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: settings for name, settings in listed.items() if settings is not None}


class ModelsSection(Section):
    candidates: Candidates = Candidates()
    calibrator: Literal["sigmoid", "isotonic", "none"] = "sigmoid"
    choose_by: Literal["brier_score", "log_loss"] = "brier_score"
    current_practice: str | None = None
    place: str | None = None

    @property
    def families(self) -> dict[str, Section]:
        """Every family to fit, in order of complexity: baselines first."""
        families = dict(self.candidates.families)
        ordered: dict[str, Section] = {}
        for name in ("base_rate", "single_best_column", "points"):
            ordered[name] = families.pop(name)
        if self.place:
            ordered["place_only"] = NoSettings()
        if self.current_practice:
            ordered["current_practice"] = NoSettings()
        return ordered | families
