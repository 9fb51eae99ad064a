"""The sides of ``audit.py``, each on the same made-up rows: our audit, pandas, and fairlearn's MetricFrame.

Whose outcome came about follows the risk; groups come in uneven sizes and have nothing to do with it. All sides get the
groups in the form that they like best (categories) and have imported their libraries before anything is counted.
"""

from __future__ import annotations

import importlib
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import Steps, peak_mb

SEED = 11
SIZES = {
    "sex": 2, "ethnicity": 6, "disability": 4, "religion": 5, "age_band": 8,
    "orientation": 7, "care": 3, "deprivation": 10, "district": 9,
}  # fmt: skip
ON_LIST = 0.1
METRICS = ("recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate", "base_rate")
LIBRARIES = (
    "fairlearn.metrics", "pandas", "scipy.sparse", "scipy.special", "threadpoolctl", "riskmodels.assessment.audit",
)  # fmt: skip

Told = dict[str, list[float]]


def made_up(rows: int, attributes: int) -> dict[str, Any]:
    """outcome, risk and selected (n,), and for each attribute int8 codes (n,)."""
    rng = np.random.default_rng([SEED, rows])
    risk = rng.beta(1.2, 6.0, rows)
    found: dict[str, Any] = {
        "risk": risk,
        "outcome": (rng.random(rows) < risk).astype(np.int8),
        "selected": risk >= np.quantile(risk, 1 - ON_LIST),
    }
    for name, size in list(SIZES.items())[:attributes]:
        shares = 1 / np.arange(1, size + 1)
        found[name] = np.searchsorted(np.cumsum(shares / shares.sum())[:-1], rng.random(rows)).astype(np.int8)
    return found


def _names(size: int) -> list[str]:
    return [f"group {number}" for number in range(size)]


def _imported() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)


# ---------------------------------------------------------------- ours


def ours(rows: int, attributes: int, people: int | None = None) -> dict[str, Any]:
    """The whole audit, all pairs and verdicts included; with ``people``, rows are of so many at random."""
    from riskmodels.assessment.audit import audit_predictions

    _imported()
    made = made_up(rows, attributes)
    names = list(SIZES)[:attributes]
    groups = {
        name: pl.Series(_names(SIZES[name])).gather(made.pop(name).astype(np.uint32)).cast(pl.Categorical)
        for name in names
    }
    clusters = None if people is None else np.random.default_rng(SEED).integers(0, people, rows)
    before = peak_mb()
    steps = Steps()
    found = audit_predictions(
        made["outcome"], made["risk"], made["selected"], groups,
        purpose="assistive", seed=SEED, intersections="all", clusters=clusters,
    )  # fmt: skip
    steps("audit")
    told = {
        f"{row['attribute']}={row['group']}": [row["metrics"][metric]["value"] for metric in METRICS]
        for row in found.rows
    }
    counted = found.exact.basis.counted if found.exact else None
    return {
        "steps": steps.spent,
        "told": told,
        "groups": len(found.rows),
        "contrasts": len(found.contrasts),
        "intersections": 0 if counted is None else len(counted.pair_counts),
        "before_mb": before,
    }


# ---------------------------------------------------------------- peers


def with_pandas(rows: int, attributes: int) -> dict[str, Any]:
    """Point metrics of every group and pair: a groupby of counts, then the same formulas. No interval, no verdict."""
    import pandas as pd

    _imported()
    frame = _frame(made_up(rows, attributes), attributes)
    steps = Steps()
    told: Told = {}
    for by in _by(attributes):
        counts = frame.groupby([*by, "outcome", "selected"], observed=False).size().unstack(["outcome", "selected"])
        tn, fp, fn, tp = (counts[outcome, selected] for outcome in (0, 1) for selected in (False, True))
        rates = pd.DataFrame(
            {
                "recall": tp / (tp + fn), "fnr": fn / (tp + fn), "fpr": fp / (fp + tn), "fdr": fp / (fp + tp),
                "for": fn / (fn + tn), "precision": tp / (fp + tp), "selection_rate": (fp + tp) / (tn + fp + fn + tp),
                "base_rate": (fn + tp) / (tn + fp + fn + tp),
            }
        )  # fmt: skip
        if len(by) == 1:
            told |= {
                f"{by[0]}={group}": list(map(float, row))
                for group, row in zip(rates.index, rates.to_numpy(), strict=True)
            }
    steps("metrics")
    return {"steps": steps.spent, "told": told}


def with_fairlearn(rows: int, attributes: int, pairs: bool, replicates: int = 0) -> dict[str, Any]:
    """The same metrics by MetricFrame; with ``replicates``, its own row bootstrap too."""
    from fairlearn import metrics
    from sklearn.metrics import precision_score

    _imported()
    frame = _frame(made_up(rows, attributes), attributes)
    outcome, selected = frame["outcome"].to_numpy(), frame["selected"].to_numpy().astype(np.int8)
    asked = {
        "recall": metrics.true_positive_rate,
        "fnr": metrics.false_negative_rate,
        "fpr": metrics.false_positive_rate,
        "fdr": lambda y, picked: 1 - precision_score(y, picked, zero_division=0),
        "for": lambda y, picked: float(y[picked == 0].mean()),
        "precision": lambda y, picked: precision_score(y, picked, zero_division=0),
        "selection_rate": metrics.selection_rate,
        "base_rate": lambda y, picked: float(y.mean()),
    }
    drawn = {"n_boot": replicates, "ci_quantiles": [0.025, 0.975], "random_state": SEED} if replicates else {}
    steps = Steps()
    told: Told = {}
    for by in _by(attributes) if pairs else _by(attributes)[:attributes]:
        found = metrics.MetricFrame(
            metrics=asked, y_true=outcome, y_pred=selected, sensitive_features=frame[list(by)], **drawn
        ).by_group
        if len(by) == 1:
            told |= {
                f"{by[0]}={group}": list(map(float, row))
                for group, row in zip(found.index, found.to_numpy(), strict=True)
            }
    steps("metrics")
    return {"steps": steps.spent, "told": told}


def _frame(made: dict[str, Any], attributes: int) -> Any:
    import pandas as pd

    categories = {name: pd.Categorical.from_codes(made[name], _names(SIZES[name])) for name in list(SIZES)[:attributes]}
    return pd.DataFrame({"outcome": made["outcome"], "selected": made["selected"], **categories})


def _by(attributes: int) -> list[tuple[str, ...]]:
    names = list(SIZES)[:attributes]
    return [*((name,) for name in names), *combinations(names, 2)]
