"""A model made by hand, whose contributions are whatever a test says."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.models.matrix import Column, Matrix


def feature(name: str, **said: Any) -> FeatureSpec:
    made = {"take": "latest", "of": f"f.{name}", "last": "12 months", "source": "f", "kind": "number", "words": name}
    return FeatureSpec(name=name, missing="keep", **{**made, "says": name, **said})


def column(spec: FeatureSpec, **learned: Any) -> Column:
    if spec.kind == "category":
        learned = {"vocabulary": ("a", "b"), "typical": "a", **learned}
    else:
        learned = {"typical": 5.0, "low": 0.0, "high": 10.0, **learned}
    made = (spec.name, spec.take, spec.of, spec.last, spec.source, spec.kind, spec.missing)
    return Column(*made, **learned)


@dataclass
class Made:
    model: Any
    matrix: Matrix


def made_model(
    specs: list[FeatureSpec],
    contributions: Any,
    values: Any = None,
    *,
    columns: list[Column] | None = None,
    wobble: dict[str, float] | None = None,
    importance: dict[str, float] | None = None,
    directions: dict[str, int] | None = None,
) -> Made:
    """Every number is 7 and recorded unless given; NaN is not recorded. Every feature is as important as the next."""
    parts = np.array(contributions, dtype=float).reshape(-1, len(specs))
    held = np.full(parts.shape, 7.0) if values is None else np.array(values, dtype=float).reshape(parts.shape)
    told = tuple(columns or [column(spec) for spec in specs])
    sizes = {spec.name: 1.0 for spec in specs} if importance is None else importance
    fitted = SimpleNamespace(contributions=lambda matrix: parts, importance=sizes)
    encoder = SimpleNamespace(columns=told)
    learned = {"wobble": wobble or {}, "directions": directions or {}}
    model = SimpleNamespace(reasons=tuple(specs), fitted=fitted, encoder=encoder, **learned)
    return Made(model, Matrix(held, ~np.isnan(held), told))
