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
    splines: tuple[str, ...] = Field((), description="features whose effect may bend: restricted cubic splines")
    knots: int = Field(4, ge=3, le=7, description="knots of each spline")

    @model_validator(mode="after")
    def _each_once(self) -> LogisticSettings:
        if len(set(self.splines)) != len(self.splines):
            raise ValueError("splines names a feature twice")
        return self


class LightGBMSettings(Section):
    trees: int = Field(120, ge=1, le=10_000)
    leaves: int = Field(15, ge=2, le=255)
    learning_rate: float = Field(0.05, gt=0, le=1)
    min_rows_in_leaf: int = Field(40, ge=1)
    monotone: dict[str, Literal["rises", "falls"]] = Field(
        default_factory=dict, description="features with which the risk may only rise, or only fall"
    )


class ExplainableBoostingSettings(Section):
    """Main effects only, so that each reason is about one feature."""

    bins: int = Field(64, ge=4, le=512, description="steps of each feature's shape")
    rounds: int = Field(2000, ge=1, le=50_000)
    learning_rate: float = Field(0.02, gt=0, le=1)
    min_rows_in_leaf: int = Field(40, ge=1)


class Tuning(Section):
    """Settings searched for in folds of time before every test date. ``minutes`` makes a run hard to repeat."""

    families: tuple[Literal["logistic", "lightgbm", "explainable_boosting"], ...] = ("lightgbm",)
    trials: int | None = Field(None, ge=1, le=10_000)
    minutes: float | None = Field(None, gt=0)
    folds: int = Field(3, ge=1, le=20)

    @model_validator(mode="after")
    def _budget(self) -> Tuning:
        if self.trials is None and self.minutes is None:
            raise ValueError("needs a budget: trials (repeatable), minutes, or both (whichever ends first)")
        if len(set(self.families)) != len(self.families) or not self.families:
            raise ValueError("families must name at least one family, each once")
        return self


class Candidates(Section):
    """Families, simplest first. The baselines run whether listed or not."""

    base_rate: NoSettings = NoSettings()
    single_best_column: NoSettings = NoSettings()
    points: PointsSettings = PointsSettings()
    logistic: LogisticSettings | None = None
    explainable_boosting: ExplainableBoostingSettings | None = None
    lightgbm: LightGBMSettings | None = None

    @property
    def families(self) -> dict[str, Section]:
        listed = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: settings for name, settings in listed.items() if settings is not None}


class ModelsSection(Section):
    candidates: Candidates = Candidates()
    calibrator: Literal["sigmoid", "isotonic", "beta", "venn_abers", "none", "auto"] = "sigmoid"
    choose_by: Literal["brier_score", "log_loss"] = "brier_score"
    tuning: Tuning | None = None
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

    @model_validator(mode="after")
    def _tuned_families_are_candidates(self) -> ModelsSection:
        for name in self.tuning.families if self.tuning else ():
            if getattr(self.candidates, name) is None:
                raise ValueError(f"tuning.families: {name} is not among the candidates; add it there, or take it out")
        return self
