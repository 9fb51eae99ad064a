"""The pieces of the audit benchmark on a few people: what is timed must be what is said."""

from __future__ import annotations

import pytest

from benchmarks import audit, audit_sides


def test_all_sides_say_the_same_of_every_group() -> None:
    ours = audit_sides.ours(3000, 2)["told"]
    assert len(ours) == 8
    for theirs in (audit_sides.with_pandas(3000, 2), audit_sides.with_fairlearn(3000, 2, pairs=True)):
        audit.refuse_other_metrics(ours, theirs["told"], "peer")


def test_another_answer_is_no_benchmark() -> None:
    told = {"sex=group 0": [0.5, None]}
    audit.refuse_other_metrics(told, {"sex=group 0": [0.5, 0.0]}, "peer")
    with pytest.raises(audit.OtherAnswerError, match=r"peer says 0\.6 of sex=group 0, ours 0\.5"):
        audit.refuse_other_metrics(told, {"sex=group 0": [0.6, 0.0]}, "peer")
    with pytest.raises(audit.OtherAnswerError, match="other groups"):
        audit.refuse_other_metrics(told, {}, "peer")


def test_our_side_audits_everything_that_is_said() -> None:
    found = audit_sides.ours(5000, 5, people=2000)
    assert found["groups"] == 2 + 6 + 4 + 5 + 8
    # All ten pairs; intersections of fewer than ten people are not kept.
    assert 200 < found["intersections"] <= 12 + 8 + 10 + 16 + 24 + 30 + 48 + 20 + 32 + 40
    assert set(found["steps"]) == {"audit"}
