from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulations.findings import Findings
from tests.simulations.worlds import ROWS_OF_POPULATION


@dataclass(frozen=True)
class Scale:
    """How many samples of each world, with lost outcomes, of parts that are alike, of audits; counties; rows of a
    population."""

    coverage: int
    attrition: int
    alarms: int
    audits: int
    counties: int
    rows: int


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    if request.config.getoption("--full"):
        return Scale(4000, 2000, 1000, 500, 3, ROWS_OF_POPULATION)
    return Scale(200, 200, 200, 100, 1, 400_000)


@pytest.fixture(scope="session")
def findings(request: pytest.FixtureRequest) -> Iterator[Findings]:
    """What the tests find; written to the file that ``--full`` names, when all have run."""
    found = Findings()
    yield found
    if file := request.config.getoption("--full"):
        Path(file).write_text(found.page(), encoding="utf-8")
