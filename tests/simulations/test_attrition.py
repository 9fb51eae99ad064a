"""Bounds hold whatever the reason an outcome is lost; weights mend what depends on risk, and nothing more."""

from __future__ import annotations

import pytest

from tests.simulations.attrition import MECHANISMS, Held, simulate
from tests.simulations.conftest import Scale
from tests.simulations.findings import Findings

FEW_ROWS = 200_000


def told(found: list[Held]) -> list[str]:
    return [f"{one.figure}: bounds {one.bounds}, weighted {one.weighted} of {one.replicates}" for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_bounds_and_weights(mechanism: str, scale: Scale, findings: Findings) -> None:
    found = simulate(mechanism, scale.attrition, scale.rows)
    findings.held += found
    assert not told([one for one in found if one.bounds < one.replicates])  # they hold for the rows at hand, always
    if MECHANISMS[mechanism].weighting_helps:
        assert not told([one for one in found if not one.weighting_holds])


def test_bounds_hold_where_the_known_rows_mislead() -> None:
    """Events and high risks are lost: hardly an interval of the known rows holds the truth, and every bound does."""
    found = simulate("both", 40, FEW_ROWS)
    assert not told([one for one in found if one.bounds < one.replicates])
    assert all(one.plain < 0.8 * one.replicates for one in found)
    assert all(0.05 < one.width < 1.5 for one in found)  # they say something
