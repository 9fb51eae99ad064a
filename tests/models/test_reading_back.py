from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskmodels.errors import ModelFileError
from riskmodels.models.families import MODELS
from riskmodels.models.fast_trees import FastTrees
from riskmodels.models.reading_back import refuse_unfaithful
from riskmodels.models.risk_curves import Curve
from riskmodels.models.risk_model import RiskModel
from tests.models.planted import make_world


@pytest.fixture(scope="module")
def later():
    return make_world(rows=700, seed=99).frame


@pytest.mark.parametrize("family", MODELS)
def test_every_family_is_what_it_was(world, later, family):
    refuse_unfaithful(world.model(family), later)
    refuse_unfaithful(world.model(family), later[:1])


def test_a_saved_form_with_other_risks_is_refused(world, later, monkeypatch):
    model = world.model("logistic")
    other = replace(model, calibrator=Curve(0.0, 0.5))
    monkeypatch.setattr(RiskModel, "from_files", classmethod(lambda cls, files: other))
    with pytest.raises(ModelFileError, match="other risks once it is saved"):
        refuse_unfaithful(model, later)


def test_a_kernel_that_explains_otherwise_is_refused(world, later, monkeypatch):
    """One contribution of one row, off by a thousandth."""
    answered = FastTrees.score_and_contributions

    def wrong(self: FastTrees, values: np.ndarray, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        scores, parts = answered(self, values, threads)
        parts[-1, 0] += 1e-3
        return scores, parts

    monkeypatch.setattr(FastTrees, "score_and_contributions", wrong)
    with pytest.raises(ModelFileError, match="the fast kernel is not the model"):
        refuse_unfaithful(world.model("lightgbm"), later)
