"""The 95% intervals hold the truth 93 to 97 times in 100, the same person on several dates included."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulations.conftest import Scale
from tests.simulations.coverage import (
    LEAST_AT_THE_LIMIT,
    MANY,
    Coverage,
    simulate,
    truth,
    within_chance,
)
from tests.simulations.findings import Findings
from tests.simulations.worlds import WORLDS, population

FEW_ROWS = 200_000
MUST_HOLD = ("auc", "calibration_slope", "oe_ratio", "precision", "net_benefit")
RIGHT = [name for name, world in WORLDS.items() if world.right]


def told(found: list[Coverage]) -> list[str]:
    return [f"{one.statistic} in {one.world}: {one.covered} of {one.replicates}" for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_intervals_cover(world: str, scale: Scale, findings: Findings) -> None:
    found = simulate(world, scale.coverage, rows=scale.rows)
    findings.coverage += found
    assert not told([one for one in found if one.promised and not one.holds])
    least = LEAST_AT_THE_LIMIT
    low = [one for one in found if one.share < least and not within_chance(one.covered, one.replicates, least, 1.0)]
    assert not told(low)


def test_intervals_cover_the_same_people_on_several_dates() -> None:
    found = simulate("people", 100, MUST_HOLD, FEW_ROWS)
    assert not told([one for one in found if not one.holds])


def test_blind_to_households_they_would_not_cover() -> None:
    """The simulation can tell: with every row taken for a stranger, too few intervals hold the truth."""
    found = {
        one.statistic: one
        for one in simulate("households", 150, ("base_rate", "oe_ratio"), FEW_ROWS, told_of_clusters=False)
    }
    assert all(one.share < 0.9 and not one.holds for one in found.values()), told(list(found.values()))


@pytest.mark.parametrize("world", RIGHT)
def test_the_truth_of_right_risks_is_what_it_must_be(world: str) -> None:
    """O/E 1, slope 1, intercept 0: within four standard errors of a population of this size."""
    everybody = population(world, FEW_ROWS)
    events = everybody.outcome.sum()
    assert truth("oe_ratio", world, FEW_ROWS) == pytest.approx(1, abs=4 * np.sqrt(2 / events))
    assert truth("calibration_slope", world, FEW_ROWS) == pytest.approx(1, abs=0.03)
    assert truth("calibration_in_the_large", world, FEW_ROWS) == pytest.approx(0, abs=4 * np.sqrt(2 / events))
    assert truth("base_rate", world, FEW_ROWS) == pytest.approx(
        everybody.expected.mean(), abs=4 * 0.5 / np.sqrt(events)
    )


@pytest.mark.parametrize(
    ("covered", "holds"), [(929, False), (930, True), (950, True), (970, True), (971, False), (1000, False)]
)
def test_a_thousand_samples_are_taken_at_their_word(covered: int, holds: bool) -> None:
    assert Coverage("auc", "people", 1000, 400, MANY, covered).holds is holds


def test_of_few_samples_chance_is_allowed_for() -> None:
    """Of 200: fewer than 174 come less than once in a thousand times at 93%; all 200 come twice at 97%."""
    holds = [covered for covered in range(201) if Coverage("auc", "people", 1000, 400, 200, covered).holds]
    assert holds == list(range(174, 201))
