"""Parts and dates that are alike are seldom said to differ."""

from __future__ import annotations

import pytest

from tests.simulations.alarms import CASES, Alarms, Alike, simulate
from tests.simulations.conftest import Scale
from tests.simulations.findings import Findings


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "alike"), CASES, ids=str)
def test_what_is_alike_is_seldom_said_to_differ(kind: str, alike: Alike, scale: Scale, findings: Findings) -> None:
    # Dates are drawn in a tenth of the time, and their false alarms are fewer.
    found = simulate(kind, alike, scale.alarms * (4 if kind == "dates" else 1))
    findings.alarms += found
    assert not [f"{one.measure}: {one.alarms} of {one.replicates}" for one in found if not one.holds]


def test_slices_of_many_events_are_compared() -> None:
    assert [one.compared for one in simulate("slices", Alike(4, 60), 5)] == [5, 5]


@pytest.mark.parametrize(("alarms", "holds"), [(0, True), (10, True), (21, True), (22, False), (60, False)])
def test_of_few_samples_chance_is_allowed_for(alarms: int, holds: bool) -> None:
    """Of 200: 22 or more come less than once in a thousand times at 5%."""
    assert Alarms("slices", "auc", Alike(10, 25), 200, 200, alarms).holds is holds
