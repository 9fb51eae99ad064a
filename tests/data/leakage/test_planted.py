"""Every detector finds the leak that is planted for it."""

from __future__ import annotations

import re

import pytest

from riskmodels.data.leakage import DETECTORS
from tests.data.leakage.planted import PLANTED, SILENT, Plant

CASES = [(check, plant) for check, plants in PLANTED.items() for plant in plants]


@pytest.mark.parametrize(("check", "plant"), CASES, ids=[f"{check}-{plant[0].__name__}" for check, plant in CASES])
def test_a_planted_leak_is_found(check: str, plant: Plant) -> None:
    make, said = plant
    result, words = DETECTORS[check].detect(make())
    assert result == "concern", words
    assert said in words
    # A message may hold the names of columns and groups, dates and counts; an id of the county never.
    assert not re.search(r"P\d{7}|H\d{6}", words)


def test_every_detector_has_a_planted_leak() -> None:
    assert {*PLANTED, "known_date"} == set(DETECTORS)
    assert len(DETECTORS) >= 18


@pytest.mark.parametrize("plant", SILENT, ids=[plant[0].__name__ for plant in SILENT])
def test_what_is_not_recorded_is_unknown_and_named(plant: Plant) -> None:
    make, said = plant
    result, words = DETECTORS["known_date"].detect(make())
    assert result == "unknown"
    assert said in words
