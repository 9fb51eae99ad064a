"""One planted world for all families: low reading, absences and a large class raise the risk; the rest is noise."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.features import Features, FeatureSpec
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.families import MODELS, Fitted
from riskmodels.models.matrix import Column, Encoder, Matrix, fit_encoder
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import (
    ExplainableBoostingSettings,
    LightGBMSettings,
    LogisticSettings,
    ModelsSection,
    NoSettings,
    PointsSettings,
)

ROWS = 3_000
SETTINGS: dict[str, Any] = {
    "base_rate": NoSettings(),
    "single_best_column": NoSettings(),
    "points": PointsSettings(most=6),
    "place_only": NoSettings(),
    "current_practice": NoSettings(),
    "logistic": LogisticSettings(),
    "explainable_boosting": ExplainableBoostingSettings(rounds=100),
    "lightgbm": LightGBMSettings(trees=30),
}
STUDY = SimpleNamespace(models=ModelsSection(place="school", current_practice="income"))


def spec(name: str, kind: str = "number", missing: str = "keep", **words: Any) -> FeatureSpec:
    words.setdefault("words", name)
    return FeatureSpec(name, "latest", f"facts.{name}", "12 months", "facts", kind, missing, **words)


SPECS = (
    spec("reading", words="reading score", high="a high reading score", low="a low reading score"),
    spec("absences", missing="zero", words="absences", high="many absences", low="few absences"),
    spec("income", missing="median", words="household income"),
    spec("class_type", "category", "category", words="kind of class", value="a {value} class"),
    spec("school", "category", words="school"),
)


@dataclass(frozen=True)
class World:
    features: Features
    outcome: np.ndarray
    encoder: Encoder
    matrix: Matrix

    @property
    def frame(self) -> pl.DataFrame:
        return self.features.frame

    def fit(self, family: str, *, seed: int = 3, threads: int = 1, rows: slice = slice(None)) -> Fitted:
        picked = np.arange(len(self.matrix))[rows]
        return MODELS[family].fit(
            self.matrix.at(picked), self.outcome[picked], SETTINGS[family], seed=seed, threads=threads, study=STUDY
        )

    def model(self, family: str, calibrator: str = "sigmoid") -> RiskModel:
        """Fitted on the first two thirds, calibrated on the last."""
        cut = 2 * len(self.matrix) // 3
        fitted = self.fit(family, rows=slice(0, cut))
        late = self.matrix.at(np.arange(cut, len(self.matrix)))
        learned = fit_calibrator(calibrator, fitted.score(late), self.outcome[cut:])
        return RiskModel("planted", family, fitted, self.encoder, learned, self.features.specs)


def make_world(rows: int = ROWS, seed: int = 11) -> World:
    draw = np.random.default_rng(seed)
    reading = np.clip(draw.normal(50, 25, rows), 0, 100).round()
    absences = draw.poisson(0.4, rows).astype(float)
    income = draw.normal(30_000, 8_000, rows).round()
    class_type = draw.choice(["small", "regular", "large"], rows)
    school = np.array([f"school {number:02d}" for number in draw.integers(0, 40, rows)])
    log_odds = -1.4 - 0.05 * (reading - 50) + 1.0 * (absences >= 1) + 0.8 * (class_type == "large")
    outcome = (draw.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)

    def holes(values: np.ndarray, share: float) -> list[Any]:
        gone = draw.random(rows) < share
        return [None if absent else value for value, absent in zip(values.tolist(), gone, strict=True)]

    frame = pl.DataFrame(
        {
            "entity_id": [f"p{number}" for number in range(rows)],
            "as_of_date": [dt.date(2020, 1, 1)] * rows,
            "reading": holes(reading, 0.1),
            "absences": holes(absences, 0.3),
            "income": holes(income, 0.1),
            "class_type": holes(class_type, 0.05),
            "school": school,
        }
    )
    features = Features(frame, SPECS)
    encoder = fit_encoder(features)
    return World(features, outcome, encoder, encoder.encode(frame))


def matrix_of(columns: dict[str, np.ndarray], vocabularies: dict[str, tuple[str, ...]] | None = None) -> Matrix:
    """Columns that are encoded already."""
    words = vocabularies or {}
    values = np.column_stack(list(columns.values())).astype(float)
    made = tuple(
        Column(
            name, "latest", "f.x", "ever", "f", "category" if name in words else "number", "keep",
            vocabulary=words.get(name, ()), typical=words[name][0] if name in words else 0.0,
        )
        for name in columns
    )  # fmt: skip
    return Matrix(values, ~np.isnan(values), made)
