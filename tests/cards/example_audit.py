"""A published audit in small, made by hand: two characteristics, and contrasts to be added."""

from __future__ import annotations

from typing import Any

from riskmodels.assessment.audit.verdicts import SMALL_BY_POLICY, TOO_FEW, TOO_WIDE

INSUFFICIENT = "INSUFFICIENT EVIDENCE"
WIDE, FEW = f"{TOO_WIDE} 0.80 to 1.25", f"{TOO_FEW}: fewer than 100 people who had the outcome"
SMALL = f"{SMALL_BY_POLICY}: at most 5 in 100"
HIDDEN = "not shown (fewer than 10 people)"
GROUPS = {"ethnicity": ("white", "African American", "Asian", "55-64"), "gender": ("male", "female")}


def rates(**values: float | None) -> dict[str, Any]:
    return {
        name: {"value": None, "reason": HIDDEN}
        if value is None
        else {"value": value, "low": value - 0.02, "high": value + 0.02, "n": 500}
        for name, value in values.items()
    }


def row(attribute: str, label: str, recall: float | None = 0.4, **more: Any) -> dict[str, Any]:
    missed = None if recall is None else 1 - recall
    metrics = rates(
        recall=recall, fnr=missed, selection_rate=recall, precision=recall, fpr=recall, fdr=recall, base_rate=recall,
        oe_ratio=recall, calibration_slope=recall, auc=recall,
    )  # fmt: skip
    return {
        "attribute": attribute, "group": label, "label": label, "n": 500, "positives": 200, "shown": True,
        "metrics": metrics,
    } | more  # fmt: skip


def contrast(label: str, verdict: str, metric: str = "recall", **more: Any) -> dict[str, Any]:
    given = {
        "attribute": "ethnicity", "group": label, "label": label, "reference": "white", "reference_label": "white",
        "metric": metric, "against": "reference", "family": "primary", "verdict": verdict, "ratio": 0.9, "low": 0.6,
        "high": 1.3, "gap": -0.02, "p": 0.2, "p_adjusted": 0.4, "worse_off": None, "minimum_detectable": None,
        "reason": None,
    } | more  # fmt: skip
    if given["against"] != "reference":
        name = {"others": "everybody else", "prediction": "its own predicted risk"}[given["against"]]
        given |= {"reference": name, "reference_label": name}
    return given


def audit(*contrasts: dict[str, Any], rows: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """As published, and as `riskmodels.cards.audit_section.as_the_card_says_it` takes it."""
    primary = [one["verdict"] for one in contrasts if one["family"] == "primary"]
    second = [one["verdict"] for one in contrasts if one["family"] == "second"]
    return {
        "n": 1000, "known": 1000, "purpose": "assistive", "outcome_measures": "need", "provisional": False,
        "verdict": "FAIL" if "FAIL" in (*primary, *second) else INSUFFICIENT,
        "rows": rows or [row(name, label) for name, labels in GROUPS.items() for label in labels],
        "contrasts": list(contrasts), "not_audited": [], "missing": [], "proxies": [], "composition": [],
        "judged": {
            "comparisons": len(primary), "passed": primary.count("PASS"), "failed": primary.count("FAIL"),
            "insufficient": primary.count(INSUFFICIENT), "failed_against_others": second.count("FAIL"),
        },
    } | more  # fmt: skip
