from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.models.risk_curves import (
    Beta,
    Chain,
    Curve,
    Stairs,
    Steps,
    VennAbers,
    load_calibrator,
    log_odds_of,
    risk_interval,
)

STEPS = Steps((-1.0, 0.5, 2.0), (0.1, 0.3, 0.8))
VENN_ABERS = VennAbers(0.5, Stairs((-2, 3), (0.0, 0.2, 0.6)), Stairs((-4, 0), (0.1, 0.4, 0.9)))


def logit(risk: float) -> float:
    return float(np.log(risk / (1 - risk)))


def test_ends_are_near_certain_and_no_more():
    for curve in (Curve(0.0, 1.0), Beta(0.0, 0.5, 2.0), Chain(Curve(0.0, 1.0), (Beta(0.0, 1.0, 1.0),))):
        ends = curve.apply(np.array([-np.inf, -1e308, 1e308, np.inf]))
        np.testing.assert_allclose(ends, [1e-6, 1e-6, 1 - 1e-6, 1 - 1e-6], rtol=1e-12)
    assert Curve(0.0, 0.0).apply(np.array([-np.inf, np.inf])).tolist() == [0.5, 0.5]


def test_beta_by_hand():
    """p = 0.2: odds = e^0.3 * 0.2^0.5 / 0.8^2."""
    odds = np.exp(0.3) * 0.2**0.5 / 0.8**2
    assert Beta(0.3, 0.5, 2.0).apply(np.array([logit(0.2)]))[0] == pytest.approx(odds / (1 + odds), rel=1e-12)


def test_beta_with_equal_powers_is_a_sigmoid():
    scores = np.linspace(-8, 8, 200)
    np.testing.assert_allclose(Beta(0.3, 0.7, 0.7).apply(scores), Curve(0.3, 0.7).apply(scores), rtol=1e-12)


def test_venn_abers_by_hand():
    """A unit of 0.5: the score 1.3 is cell 3, so p0 = 0.6 and p1 = 0.9, and the risk 0.9 / (1 - 0.6 + 0.9)."""
    scores = np.array([-9.0, -1.1, 1.3])
    low, high = VENN_ABERS.interval(scores)
    assert low.tolist() == [1e-6, 0.2, 0.6]  # cell -2 begins the second step
    assert high.tolist() == [0.1, 0.4, 0.9]
    expected = [0.1 / 1.1, 0.4 / 1.2, 0.9 / 1.3]
    np.testing.assert_allclose(VENN_ABERS.apply(scores), expected, rtol=1e-12)


def test_a_chain_by_hand():
    """A risk of 0.3, then an intercept of 1 and half the slope, then twice the odds."""
    chain = Chain(STEPS, (Curve(1.0, 0.5), Curve(np.log(2.0), 1.0)))
    odds = 2 * np.exp(1.0) * (0.3 / 0.7) ** 0.5
    assert chain.apply(np.array([0.5]))[0] == pytest.approx(odds / (1 + odds), rel=1e-9)


def test_a_chain_takes_the_interval_along():
    chain = Chain(VENN_ABERS, (Curve(1.0, 0.5),))
    scores = np.array([-1.1, 1.3])
    low, high = risk_interval(chain, scores)
    expected = [Curve(1.0, 0.5).apply(log_odds_of(end)) for end in VENN_ABERS.interval(scores)]
    np.testing.assert_array_equal([low, high], expected)
    assert risk_interval(Chain(STEPS, ()), scores) is None
    assert risk_interval(Curve(0.0, 1.0), scores) is None


rising = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=6, unique=True).map(sorted)
powers = st.floats(0, 5, width=32)
curves = st.builds(Curve, st.floats(-5, 5, width=32), powers)
betas = st.builds(Beta, st.floats(-5, 5, width=32), powers, powers)
steps = rising.flatmap(
    lambda scores: st.lists(st.floats(0, 1, width=32), min_size=len(scores), max_size=len(scores)).map(
        lambda risks: Steps(tuple(scores), tuple(sorted(risks)))
    )
)


@settings(max_examples=150, deadline=None)
@given(first=st.one_of(curves, betas, steps, st.just(VENN_ABERS)), then=st.lists(st.one_of(curves, betas), max_size=3))
def test_no_chain_ever_falls_and_each_comes_back_from_json(first, then):
    chain = Chain(first, tuple(then))
    near = np.linspace(-60, 60, 400)
    scores = np.sort(np.concatenate([near, np.nextafter(near, np.inf), [-1e9, 1e9]]))
    risks = chain.apply(scores)
    assert (np.diff(risks) >= 0).all()
    again = load_calibrator(json.loads(json.dumps(chain.to_dict())))
    assert again == chain
    np.testing.assert_array_equal(again.apply(scores), risks)


def changed(calibrator, **fields) -> dict:
    return json.loads(json.dumps(calibrator.to_dict())) | fields


@pytest.mark.parametrize(
    "raw",
    [
        {"shape": "steps", "scores": [0.0, 1.0], "risks": [0.5, 0.4], "note": None},
        {"shape": "steps", "scores": [1.0, 1.0], "risks": [0.4, 0.5], "note": None},
        {"shape": "steps", "scores": [], "risks": [], "note": None},
        {"shape": "steps", "scores": [1.0], "risks": [0.4, 0.5], "note": None},
        {"shape": "curve", "slope": -1.0, "intercept": 0.0},
        {"shape": "beta", "intercept": 0.0, "a": -0.1, "b": 1.0},
        {"shape": "beta", "intercept": 0.0, "a": 0.1, "b": -1.0},
        {"shape": "beta", "intercept": 0.0, "a": 0.1},
        {"shape": "line", "slope": 1.0, "intercept": 0.0},
        changed(VENN_ABERS, unit=0.0),
        changed(VENN_ABERS, unit=-0.5),
        changed(VENN_ABERS, low={"starts": [3, -2], "risks": [0.0, 0.2, 0.6]}),
        changed(VENN_ABERS, low={"starts": [3, 3], "risks": [0.0, 0.2, 0.6]}),
        changed(VENN_ABERS, low={"starts": [-2, 3], "risks": [0.0, 0.6, 0.2]}),
        changed(VENN_ABERS, low={"starts": [-2, 3], "risks": [-0.1, 0.2, 0.6]}),
        changed(VENN_ABERS, low={"starts": [-2, 3], "risks": [0.0, 0.2]}),
        changed(VENN_ABERS, low={"starts": [-2.5, 3], "risks": [0.0, 0.2, 0.6]}),
        changed(VENN_ABERS, low={"starts": [-2, 2**60], "risks": [0.0, 0.2, 0.6]}),
        changed(VENN_ABERS, low={"starts": [-2, 3], "risks": [0.3, 0.3, 0.6]}),  # above the high risk at first
        changed(VENN_ABERS, high={"starts": [-4, 0], "risks": [0.1, 0.4, 1.1]}),
        changed(VENN_ABERS, high={"starts": [-4, 0], "risks": [0.1, 0.4, 0.5]}),  # below the low one at last
        changed(Chain(STEPS, ()), first={"shape": "chain", "first": STEPS.to_dict(), "then": []}),
        changed(Chain(STEPS, ()), then=[STEPS.to_dict()]),
        changed(Chain(STEPS, ()), then=[{"shape": "curve", "intercept": 0.0, "slope": -1.0}]),
        {"slope": 1.0},
        [],
    ],
)
def test_refuses_what_is_no_calibrator(raw):
    with pytest.raises(ValueError):
        load_calibrator(raw)
