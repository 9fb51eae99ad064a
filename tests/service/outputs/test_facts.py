"""The facts of a batch: everybody is accounted for, and nothing but plain values leaves them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.errors import RiskModelsError
from riskmodels.service.outputs.facts import RISK_EDGES, BandFacts, Tally, TeamFacts, risk_counts
from tests.service.outputs.example_batch import RISKS, facts


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"rows_in": 1201}, "rows in are 1201, their parts 1200"),
        ({"rejected": ()}, "rows in are 1200, their parts 1198"),
        ({"listed": 49}, "people scored are 1198, their parts 1197"),
        ({"excluded": (Tally("died", 2),)}, "people scored"),
        ({"bands": (BandFacts("lower", 0.0, 1197, 50),)}, "people in the bands"),
        ({"risks": (1, *RISKS[1:])}, "risks counted"),
        ({"teams": (TeamFacts("North", 50, 700, 49),)}, "people on the teams' lists are 50, their parts 49"),
    ],
)
def test_a_batch_that_loses_somebody_cannot_be_told(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(RiskModelsError, match=what):
        facts(**changes)


def test_plain_values_and_nothing_else() -> None:
    plain = facts().to_dict()
    assert json.loads(json.dumps(plain))["as_of"] == "2026-09-01"
    assert plain["model_version"] == "3"
    assert facts(version=None).model_version == "not registered"


def test_share_explained() -> None:
    assert facts(explained=599).explained_share == pytest.approx(0.5)
    empty = {"rows_in": 2, "scored": 0, "listed": 0, "not_reached": 0, "households": 0, "no_team": 0, "excluded": (),
             "teams": (), "bands": (), "risks": ()}  # fmt: skip
    assert facts(**empty).explained_share is None


def test_edges_by_hand() -> None:
    # A bin holds its lower end; the last its upper end as well.
    assert risk_counts(np.array([0.0, 0.0099, 0.01, 0.5, 0.9, 1.0])) == (2, 1, *[0] * 7, 1, 0, 0, 0, 2)
    assert risk_counts(np.array([])) == (0,) * (len(RISK_EDGES) - 1)


@given(st.lists(st.floats(0, 1), max_size=30), st.lists(st.floats(0, 1), max_size=30))
def test_slice_by_slice_the_counts_add_up(one: list[float], two: list[float]) -> None:
    parts = [risk_counts(np.array(risks)) for risks in (one, two)]
    assert tuple(map(sum, zip(*parts, strict=True))) == risk_counts(np.array([*one, *two]))
    assert sum(parts[0]) == len(one)
