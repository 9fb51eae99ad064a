from __future__ import annotations

from typing import Any

from riskmodels.assessment.audit.answers import to_be_answered


def row(verdict: str, label: str, metric: str = "recall", family: str = "primary", **more: Any) -> dict[str, Any]:
    return {
        "attribute": "race", "group": label, "label": label, "metric": metric, "family": family, "verdict": verdict,
        "reference_label": "white", "worse_off": None,
    } | more  # fmt: skip


def asked(*contrasts: dict[str, Any], **more: Any) -> tuple[str, ...]:
    return to_be_answered({"contrasts": contrasts, "not_audited": []} | more, {"race": "ethnic group"})


def test_harm_first_then_what_lacks_evidence_then_flagged_gaps() -> None:
    open_ = [row("INSUFFICIENT EVIDENCE", label, metric) for label in "ab" for metric in ("recall", "oe_ratio")]
    flagged = row("look here", "c", "for", "exploratory")
    failed = row("FAIL", "d", worse_off="d")
    passed = [row("PASS", "e"), row("INSUFFICIENT EVIDENCE", "f", family="second")]
    left_out = [{"attribute": "disability", "accepted": False}, {"attribute": "sex", "accepted": True}]
    assert asked(flagged, *open_, *passed, failed, not_audited=left_out) == (
        "FAIL. Ethnic group: d, whom the list finds.",
        "NOT AUDITED. disability.",
        "INSUFFICIENT EVIDENCE. Ethnic group, 4 comparisons: a and b.",
        "Flagged gap. Ethnic group, 1 gap: c.",
    )


def test_the_side_that_is_worse_off_is_named_and_many_groups_are_counted() -> None:
    assert asked(row("FAIL", "d", worse_off="white")) == ("FAIL. Ethnic group: white, beside d, whom the list finds.",)
    many = [row("INSUFFICIENT EVIDENCE", label) for label in "abcdefg"]
    assert asked(*many) == ("INSUFFICIENT EVIDENCE. Ethnic group, 7 comparisons: a, b, c, d and 3 others.",)
    assert asked(row("PASS", "a")) == ()
