"""Groups that are treated alike are seldom said to be treated worse, and small ones are never cleared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskmodels.assessment.audit.verdicts import QUESTIONS
from tests.simulations.audit_worlds import WORLDS, Harm, name, said, tabled
from tests.simulations.conftest import Scale
from tests.simulations.coverage import LEAST, within_chance
from tests.simulations.findings import Findings

PUBLISHED = json.loads((Path(__file__).parents[1] / "reference" / "fairness.json").read_text())["policy_behaviour"]
TABLE = list(
    zip(
        PUBLISHED["group_positives"],
        PUBLISHED["naive_rule_false_alarm"],
        PUBLISHED["interval_rule_pass_when_equal"],
        strict=True,
    )
)
UNEVEN = ("two", "six", "several", "mixed", "dates")


@pytest.mark.slow
@pytest.mark.parametrize("world", UNEVEN)
def test_groups_treated_alike_seldom_fail_and_the_intervals_hold_together(
    world: str, scale: Scale, findings: Findings
) -> None:
    found = said(world, None, scale.audits)
    findings.audits.append(found)
    assert found.holds, f"{found.alarms} of {found.samples}"
    for question in QUESTIONS:
        assert within_chance(found.held[question], found.samples, LEAST, 1.0), f"{question}: {found.held[question]}"


@pytest.mark.slow
@pytest.mark.parametrize("world", ["six", "several", "mixed"])
def test_of_a_hopeless_group_it_is_said_that_nothing_can_be_judged(world: str, scale: Scale) -> None:
    """60 positives and 20, at most: neither is ever cleared, and 95 times in 100 at least they are not found harmed."""
    found = said(world, None, scale.audits)
    for group in ("4", "5"):
        for metric in ("recall", "oe_ratio", "calibration_slope"):
            key = name(0), group, metric
            assert found.passed[key] == 0
            assert within_chance(found.samples - found.failed[key], found.samples, 0.95, 1.0)


@pytest.mark.slow
def test_nothing_is_judged_of_too_few_even_where_they_are_harmed(scale: Scale) -> None:
    found = said("too few", Harm("recall", 0.6), scale.audits)
    key = name(0), "1", "recall"
    assert found.passed[key] == found.failed[key] == 0


@pytest.mark.slow
@pytest.mark.parametrize(("positives", "outside", "passes"), TABLE)
def test_the_policys_table(positives: int, outside: float, passes: float, scale: Scale, findings: Findings) -> None:
    found = tabled(positives, (outside, passes), scale.audits * 4)
    findings.tabled.append(found)
    for share, published in ((found.outside, outside), (found.passed, passes)):
        # The published shares are simulated as well, and rounded: to within 4 points of either.
        count = round(share * found.samples)
        assert within_chance(count, found.samples, max(published - 0.04, 0.0), min(published + 0.04, 1.0))
    if positives == 20:
        assert found.passed == 0


def test_the_simulation_can_tell_a_harmed_group_from_one_treated_alike() -> None:
    assert said("two", Harm("recall", 0.4), 5, replicates=400).failed[name(0), "1", "recall"] == 5
    assert said("two", None, 5, replicates=400).alarms == 0


@pytest.mark.parametrize("world", WORLDS)
def test_the_groups_of_each_attribute_are_everybody(world: str) -> None:
    one = WORLDS[world]
    for attribute, positives in enumerate(one.positives):
        assert one.sizes(attribute).sum() == one.people
        assert one.people * one.dates == pytest.approx(sum(positives) * 5, rel=0.001)
