"""Predictive early-intervention risk modelling for public services.

From dated records of several agencies: a time-correct cohort, a calibrated model tested on the future, a mandatory
fairness audit, explanations, a model card, an ethics review, and scoring that refuses what was not approved.

    from riskmodels import load_study, run_study

    found = run_study(load_study("experiments/early_reading_support"), "work/data/early_reading_support")
    print(found.card.summary.recommendation.headline)

Importing this package loads nothing heavy: the names below arrive when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskmodels.assessment.audit import audit_groups
    from riskmodels.assessment.performance import assess_performance
    from riskmodels.data.cohort import build_cohort
    from riskmodels.data.features import build_features
    from riskmodels.data.outcomes import build_outcomes
    from riskmodels.data.tables import read_tables
    from riskmodels.models.estimator import RiskClassifier
    from riskmodels.models.risk_model import RiskModel
    from riskmodels.pipeline import StudyRun, run_study
    from riskmodels.study import Study, load_study

__version__ = "0.1.0"
_HOMES = {
    "RiskClassifier": "riskmodels.models.estimator",
    "RiskModel": "riskmodels.models.risk_model",
    "Study": "riskmodels.study",
    "StudyRun": "riskmodels.pipeline",
    "assess_performance": "riskmodels.assessment.performance",
    "audit_groups": "riskmodels.assessment.audit",
    "build_cohort": "riskmodels.data.cohort",
    "build_features": "riskmodels.data.features",
    "build_outcomes": "riskmodels.data.outcomes",
    "load_study": "riskmodels.study",
    "read_tables": "riskmodels.data.tables",
    "run_study": "riskmodels.pipeline",
}
__all__ = [
    "RiskClassifier",
    "RiskModel",
    "Study",
    "StudyRun",
    "__version__",
    "assess_performance",
    "audit_groups",
    "build_cohort",
    "build_features",
    "build_outcomes",
    "load_study",
    "read_tables",
    "run_study",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'riskmodels' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
