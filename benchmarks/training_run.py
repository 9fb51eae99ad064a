"""Our side of ``training.py``'s whole run: every step of `run_study`, and what it costs without the steps inside it."""

from __future__ import annotations

import datetime as dt
import importlib
import time
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from benchmarks.training_data import use_threads
from riskmodels import pipeline
from riskmodels.commands.runs import run_files
from riskmodels.models import training
from riskmodels.study import load_study

# What the steps import when they first need it; imported before anything is counted, since it is the same for any data.
LIBRARIES = (
    "fairlearn.metrics", "jinja2", "lightgbm", "matplotlib.pyplot", "optuna", "scipy.stats", "shap", "skmisc.loess",
    "sklearn.isotonic", "sklearn.linear_model", "statsmodels.nonparametric.smoothers_lowess",
)  # fmt: skip
FITTING = ("backtest", "fit_risk_models")
BEFORE = ("prepare_study", "tune")


class Exclusive:
    """CPU seconds of named functions, those of named functions inside them left out.

    ``spent``: (outermost name, own name) -> CPU seconds.
    """

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], float] = {}
        self._open: list[str] = []
        self._inside: list[float] = []

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            since = time.process_time()
            self._open.append(name)
            self._inside.append(0.0)
            try:
                return function(*arguments, **named)
            finally:
                whole = time.process_time() - since
                key = (self._open[0], name)
                self._open.pop()
                self.spent[key] = self.spent.get(key, 0.0) + whole - self._inside.pop()
                if self._inside:
                    self._inside[-1] += whole

        return counted


def whole(study: str, data: str) -> dict[str, Any]:
    """Run the study to its card and the files of its folder."""
    use_threads()
    since = time.process_time()
    for name in LIBRARIES:
        importlib.import_module(name)
    imports = time.process_time() - since
    clock = Exclusive()
    for name, function in list(vars(pipeline).items()):
        ours = isinstance(function, FunctionType) and function.__module__.startswith("riskmodels.")
        if ours and name != "run_study":
            setattr(pipeline, name, clock.timed(name, function))
    for name in ("fit_recipe", "prepare_origin"):
        setattr(training, name, clock.timed(name, getattr(training, name)))
    since = time.process_time()
    found = pipeline.run_study(load_study(study), data)
    between = time.process_time() - since - sum(clock.spent.values())
    clock.timed("run_files", run_files)(found, dt.datetime.now(dt.UTC))
    clock.spent["run_study", "run_study"] = between
    return {
        "imports": imports,
        **parts(clock.spent),
        "model": found.choice.model,
        "families": list(found.study.file.models.families),
        "rows": found.dataset.features.frame.height,
    }


def parts(spent: dict[tuple[str, str], float]) -> dict[str, Any]:
    """What came before, the fits, and everything after them, as CPU seconds by the name of the outermost step.

    ``fits``: encoding, fitting and calibrating, wherever a model is made that is tested or goes into service. A fit, or
    an encoding, that another step asks for belongs to that step.
    """
    before: dict[str, float] = {}
    fits: dict[str, float] = {}
    after: dict[str, float] = {}
    for (outermost, name), seconds in spent.items():
        if outermost in BEFORE:
            kind, step = before, outermost
        elif outermost in FITTING and name in ("fit_recipe", "prepare_origin"):
            kind, step = fits, name
        else:
            kind, step = after, outermost
        kind[step] = kind.get(step, 0.0) + seconds
    return {"before": before, "fits": fits, "after": after}
