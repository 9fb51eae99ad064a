"""What drives a risk: exact, in order, and without a dot for a person."""

from __future__ import annotations

import numpy as np
import pytest
import shap

from riskmodels.assessment.explanation import explain
from riskmodels.models.training import fit_risk_model
from tests.conftest import Demo


@pytest.fixture(scope="module")
def run(demo: Demo):  # type: ignore[no-untyped-def]
    return demo.report.run.run


def test_one_column_has_one_driver(run) -> None:  # type: ignore[no-untyped-def]
    drivers = run.explanation.drivers
    assert [driver["feature"] for driver in drivers] == ["reading_now"]
    assert drivers[0]["share"] == pytest.approx(1.0)
    assert drivers[0]["direction"] == "higher lowers the risk"


@pytest.mark.parametrize("family", ["logistic", "lightgbm", "points"])
def test_every_family_is_explained(run, family: str) -> None:  # type: ignore[no-untyped-def]
    """Shares sum to one, sizes fall, and the strongest driver is the reading score in every family."""
    model = fit_risk_model(run.dataset, run.splits, family, run.study.file)
    found = explain(model, run.dataset.features, seed=1)
    sizes = [driver["mean_abs"] for driver in found.drivers]
    assert sum(driver["share"] for driver in found.drivers) == pytest.approx(1.0)
    assert sizes == sorted(sizes, reverse=True)
    assert found.drivers[0]["feature"] == "reading_now"
    assert found.n == 5000
    assert found.figure_svg is not None
    assert found.figure_svg.startswith(b"<?xml")


def test_trees_agree_with_shap(run) -> None:  # type: ignore[no-untyped-def]
    """shap's TreeExplainer on the same booster gives the same mean sizes."""
    model = fit_risk_model(run.dataset, run.splits, "lightgbm", run.study.file)
    frame = run.dataset.features.frame.head(400)
    ours = model.contributions(frame)
    theirs = shap.TreeExplainer(model.fitted.booster).shap_values(model.encoder.encode(frame).values)
    theirs = theirs[-1] if isinstance(theirs, list) else theirs
    assert np.abs(ours).mean(axis=0) == pytest.approx(np.abs(theirs).mean(axis=0), abs=1e-6)


def test_the_base_rate_has_no_driver(run) -> None:  # type: ignore[no-untyped-def]
    model = fit_risk_model(run.dataset, run.splits, "base_rate", run.study.file)
    found = explain(model, run.dataset.features, seed=1)
    assert found.drivers == ()
    assert found.figure_svg is None
