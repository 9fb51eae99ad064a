"""No detector raises an alarm about a county without a fault, and what cannot be told there is known beforehand."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from riskmodels.data.leakage import DETECTORS, Evidence, look_for_leaks
from tests.data.leakage.made_county import county
from tests.data.leakage.planted_in_columns_and_records import linked, sorted_by_shares

SEEDS = (1, 2, 3)
PEOPLE = 6000
# A half year's cohort of a small county is too small to tell a proxy from chance; a strong one it would still find.
# The household and the links of its people bear no date.
UNKNOWN = {"post_outcome_proxy", "known_date"}


def without_a_fault(seed: int) -> Evidence:
    """Linked records with the same gaps for all, objectors who are gone, a model that learns from its own rows."""
    raw = county(seed, PEOPLE, unlinked=0.04)
    objectors = raw["people"]["entity_id"].sample(30, seed=seed)
    said = pl.DataFrame({"id": objectors, "scope": ["training", "all", "scoring"] * 10})
    objections = {"file": "objections.csv", "entity": "id", "scope": "scope"}
    found = linked(
        0.0, {**raw, "objections": said}, objections=objections, breaks=[{"date": "2024-01-01", "what": "a law"}]
    )
    gone = frozenset(said.filter(pl.col("scope") != "scoring")["id"])
    return sorted_by_shares(dataclasses.replace(found, objectors=gone), learned_from_all=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_alarm_without_a_leak(seed: int) -> None:
    findings = look_for_leaks(without_a_fault(seed))
    assert {finding.check: finding.evidence for finding in findings if finding.result == "concern"} == {}
    assert {finding.check for finding in findings} == set(DETECTORS)
    assert {finding.check for finding in findings if finding.result == "unknown"} <= UNKNOWN
