from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from riskmodels.errors import DataError
from riskmodels.models.families import MODELS
from riskmodels.models.reasons import fit_wobble, uncertainty
from tests.models.planted import SETTINGS, SPECS, STUDY

SPECS_BY_WORD = tuple(replace(spec, says=spec.name) for spec in SPECS)


def fitter(family: str):
    return partial(MODELS[family].fit, settings=SETTINGS[family], seed=3, threads=1, study=STUDY)


def wobble_of(world, family: str, specs=SPECS_BY_WORD, seed: int = 5, **how) -> dict[str, float]:
    people = np.arange(len(world.matrix))
    return fit_wobble(fitter(family), world.matrix, world.outcome, people, specs, seed, **how)


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_wobble_is_what_samples_of_the_same_size_differ_by(world, share, monkeypatch):
    """Forty bootstraps of everybody, done apart; also where each draw is of far fewer people than half."""
    monkeypatch.setattr(uncertainty, "MOST_ROWS", int(share * len(world.matrix)))
    found = wobble_of(world, "logistic", refits=40)
    fit, seen = fitter("logistic"), []
    rows = world.matrix.at(np.arange(0, len(world.matrix), 3))
    for number in range(40):
        drawn = np.random.default_rng([77, number]).integers(0, len(world.matrix), len(world.matrix))
        seen.append(fit(world.matrix.at(drawn), world.outcome[drawn]).contributions(rows))
    expected = np.sqrt((np.std(seen, axis=0, ddof=1) ** 2).mean(axis=0))
    assert list(found) == [spec.name for spec in SPECS]
    # Both are estimates from forty fits: within a third of each other.
    np.testing.assert_allclose(list(found.values()), expected, rtol=0.35)


def test_the_same_seed_gives_the_same_and_another_another(world):
    assert wobble_of(world, "lightgbm") == wobble_of(world, "lightgbm")
    assert wobble_of(world, "logistic", seed=6) != wobble_of(world, "logistic", seed=5)


def test_words_have_one_wobble_and_what_is_not_used_has_none(world):
    together = tuple(replace(spec, says="x") for spec in SPECS)
    assert list(wobble_of(world, "logistic", together)) == ["x"]
    assert list(wobble_of(world, "single_best_column")) == ["reading"]
    assert wobble_of(world, "base_rate") == {}


def test_people_are_drawn_whole(world):
    """One cluster in two holds everybody with an odd number: a half is all of one kind."""
    seen = []

    def fit(matrix, outcome):
        seen.append(len(matrix))
        return fitter("logistic")(matrix, outcome)

    clusters = np.array(["few"] * 1_000 + ["many"] * (len(world.matrix) - 1_000))
    fit_wobble(fit, world.matrix, world.outcome, clusters, SPECS_BY_WORD, 5)
    assert set(seen) <= {1_000, len(world.matrix) - 1_000}


def test_too_few_events_to_refit_is_no_wobble(world):
    def fit(matrix, outcome):
        raise DataError("too few")

    people = np.arange(len(world.matrix))
    assert fit_wobble(fit, world.matrix, world.outcome, people, SPECS_BY_WORD, 5) == {}
