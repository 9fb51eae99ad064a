"""What drives a risk, over everybody: the only home of shap.

Contributions are exact for every family: linear and points models add up by construction, trees by path-dependent
TreeSHAP (Lundberg et al. 2020), which LightGBM computes itself. A contribution is in log-odds, against the model's
average; it says what moved the number, not what causes the outcome.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.features import Features
from riskmodels.models.families import MODELS
from riskmodels.models.risk_model import RiskModel

SAMPLE = 5_000
METHODS = {
    "base_rate": "The model gives everybody the same risk, so nothing drives it.",
    "single_best_column": "The model has one column: its contribution is the whole score.",
    "points": "A sum of points: each rule's contribution is its points.",
    "place_only": "The model has one column: its contribution is the whole score.",
    "current_practice": "Today's ranking column is the whole score.",
    "logistic": "A weighted sum: each contribution is weight times distance from the average (exact Shapley values).",
    "explainable_boosting": "One learned shape a feature: each contribution is its distance from the shape's average.",
    "lightgbm": "Exact path-dependent TreeSHAP over all trees.",
}


@dataclass(frozen=True)
class Explanation:
    """``drivers``: feature, words, mean_abs (in the score's unit), share (of all), direction; strongest first."""

    drivers: tuple[dict[str, Any], ...]
    method: str
    figure_svg: bytes | None
    n: int

    def to_dict(self) -> dict[str, Any]:
        return {"drivers": list(self.drivers), "method": self.method, "n": self.n}


def explain(model: RiskModel, features: Features, seed: int) -> Explanation:
    """Average size and direction of each feature's contribution, on a seeded sample of the newest date.

    At most 5,000 rows are looked at. Only averages leave: no row, and no dot for a person, is kept or drawn.
    """
    frame = features.frame.filter(pl.col("as_of_date") == features.frame["as_of_date"].max())
    if frame.height > SAMPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(frame.height, SAMPLE, replace=False))
        frame = frame[chosen.tolist()]
    contributions = model.contributions(frame)
    sizes = np.abs(contributions).mean(axis=0)
    total = float(sizes.sum())
    drivers = []
    for position in np.argsort(-sizes, kind="stable"):
        if sizes[position] <= 0:
            continue
        spec = features.specs[position]
        drivers.append(
            {
                "feature": spec.name,
                "words": spec.words,
                "mean_abs": float(sizes[position]),
                "share": float(sizes[position] / total),
                "direction": _direction(frame[spec.name], contributions[:, position]),
            }
        )
    unit = "log-odds" if MODELS[model.family].log_odds else "points"
    figure = _figure(contributions, [spec.words for spec in features.specs], unit) if drivers else None
    return Explanation(
        tuple(drivers), METHODS.get(model.family, "Contributions as the model reports them."), figure, frame.height
    )


def _direction(values: pl.Series, contribution: np.ndarray) -> str:
    """Whether higher values raise or lower the risk (sign of Spearman's rho, if it is at least 0.3 in size)."""
    if values.dtype == pl.String:
        return "differs by category"
    known = values.is_not_null().to_numpy()
    if known.sum() < 3:
        return "mixed"
    from scipy.stats import rankdata

    x, y = rankdata(values.to_numpy()[known]), rankdata(np.round(contribution[known], 12))
    if x.std() == 0 or y.std() == 0:
        return "mixed"
    rho = float(np.corrcoef(x, y)[0, 1])
    if abs(rho) < 0.3:
        return "mixed"
    return "higher raises the risk" if rho > 0 else "higher lowers the risk"


def _figure(contributions: np.ndarray, words: list[str], unit: str) -> bytes:
    """shap's own bar figure of mean absolute contributions, as an SVG that is the same each time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    with matplotlib.rc_context({"svg.hashsalt": "riskmodels", "svg.fonttype": "path"}):
        values = shap.Explanation(values=contributions, feature_names=words)
        axes = shap.plots.bar(values, max_display=12, show=False)
        axes.set_xlabel(f"average size of the contribution to the score ({unit})")
        buffer = io.BytesIO()
        axes.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        plt.close(axes.figure)
    return buffer.getvalue()
