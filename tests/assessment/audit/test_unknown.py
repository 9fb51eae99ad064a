"""What must not be judged as if it were known: outcomes that are not, and people who stand behind many rows."""

import numpy as np
import pytest

from riskmodels.assessment.audit import FAIL, INSUFFICIENT, PASS, audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.verdicts import OUTCOMES_UNKNOWN
from riskmodels.study import PROTECTED_BY_LAW

QUICK = load_policy().model_copy(update={"replicates": 300})
EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")


def audited(status, selected, race, **more):
    risk = np.full(len(status), 0.3)
    return audit_predictions(
        status, risk, selected, {"race": race}, purpose="assistive", seed=1, excused=EXCUSED, policy=QUICK, **more
    )


def of(*groups):
    """Rows of groups given as {(outcome or None, selected): count}."""
    status, selected, race = [], [], []
    for name, cells in groups:
        for (outcome, listed), count in cells.items():
            status += [np.nan if outcome is None else outcome] * count
            selected += [listed] * count
            race += [name] * count
    return np.array(status, dtype=float), np.array(selected), np.array(race)


def recall_of(found, group):
    (row,) = [r for r in found.contrasts if (r["group"], r["metric"], r["family"]) == (group, "recall", "primary")]
    return row


def test_misses_that_are_not_known_do_not_make_an_unequal_list_pass():
    # Among known outcomes 40 and 41 of 100 are found. A sixth of b is not known, all off the list: had they needed
    # help, it would have been 400 of 2,600.
    rows = of(
        ("a", {(1, True): 1640, (1, False): 2360, (0, True): 500, (0, False): 16000}),
        ("b", {(1, True): 400, (1, False): 600, (0, True): 200, (0, False): 8000, (None, False): 1600}),
    )
    row = recall_of(audited(*rows), "b")
    assert row["verdict"] == INSUFFICIENT
    assert row["reason"] == OUTCOMES_UNKNOWN
    assert row["bounds"][0] == pytest.approx((400 / 2600) / (1640 / 4000))
    assert row["bounds"][1] == pytest.approx((400 / 1000) / (1640 / 4000))
    assert row["minimum_detectable"] is None


def test_a_few_unknown_outcomes_leave_the_verdict():
    rows = of(
        ("a", {(1, True): 1600, (1, False): 2400, (0, True): 500, (0, False): 16000}),
        ("b", {(1, True): 1600, (1, False): 2400, (0, True): 500, (0, False): 6000, (None, False): 300}),
    )
    row = recall_of(audited(*rows), "b")
    assert (row["verdict"], row["bounds"]) == (PASS, None)


def test_harm_that_no_unknown_outcome_could_undo_still_fails():
    # Of b at best (100 + 100) / (1000 + 100), of a at worst 2000 / 4000.
    rows = of(
        ("a", {(1, True): 2000, (1, False): 2000, (0, True): 500, (0, False): 5000}),
        ("b", {(1, True): 100, (1, False): 900, (0, True): 300, (0, False): 300, (None, True): 100}),
    )
    row = recall_of(audited(*rows), "b")
    assert row["verdict"] == FAIL
    assert row["bounds"][1] == pytest.approx((200 / 1100) / 0.5)


def test_harm_among_the_known_does_not_fail_where_the_unknown_could_undo_it():
    rows = of(
        ("a", {(1, True): 2000, (1, False): 2000, (0, True): 500, (0, False): 5000}),
        ("b", {(1, True): 100, (1, False): 900, (0, True): 100, (0, False): 300, (None, True): 900}),
    )
    assert recall_of(audited(*rows), "b")["verdict"] == INSUFFICIENT


def test_a_group_of_whom_nobody_was_found_fails():
    rows = of(
        ("a", {(1, True): 115, (1, False): 472, (0, True): 100, (0, False): 3000}),
        ("b", {(1, False): 100, (0, True): 10, (0, False): 800}),
        ("c", {(1, True): 40, (1, False): 160, (0, True): 30, (0, False): 800}),
    )
    row = recall_of(audited(*rows), "b")
    assert row["verdict"] == FAIL
    assert row["ratio"] == 0.0
    assert row["worse_off"] == "b"


@pytest.mark.parametrize("people", [5, 12])
def test_twenty_rows_each_of_a_few_people_are_too_few_to_judge(people):
    rows = of(
        ("a", {(1, True): 900, (1, False): 100, (0, True): 100, (0, False): 3000}),
        ("b", {(1, True): 20 * people, (0, False): 400}),
    )
    n = len(rows[0])
    clusters = np.arange(n)
    positive = (rows[2] == "b") & (rows[0] == 1)
    clusters[positive] = n + np.arange(positive.sum()) // 20
    alone, together = audited(*rows), audited(*rows, clusters=clusters)
    row = recall_of(together, "b")
    assert row["verdict"] == INSUFFICIENT
    assert row["reason"].startswith("too few to judge")
    if people == 12:
        assert recall_of(alone, "b")["verdict"] == PASS
    (own,) = [r for r in together.rows if r["group"] == "b"]
    assert own["people"]["positives"] == people


def test_the_share_that_is_not_recorded_is_that_among_those_in_need():
    # Of all people 1 in 100 has no group recorded; of those in need a third.
    rows = of(
        ("a", {(1, True): 200, (1, False): 200, (0, False): 30000}),
        ("b", {(1, True): 200, (1, False): 200, (0, False): 30000}),
        ("Not recorded", {(1, True): 10, (1, False): 390, (0, False): 200}),
    )
    (missing,) = audited(*rows).missing
    assert missing["share"] == pytest.approx(400 / 1200)
    assert missing["bounds"]
    assert recall_of(audited(*rows), "b")["verdict"] == INSUFFICIENT
