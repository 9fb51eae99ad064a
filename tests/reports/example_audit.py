"""An audit of made-up pupils, published, with everything that its page knows how to show."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.comparing.changes import changed
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.reports.audit_page import render_audit
from riskmodels.study import Protected

ABOUT = {
    "file": "vendor.csv", "outcome": "needed_help", "risk": "score", "groups": ["sex", "ethnicity", "age"],
    "capacity": 900,
}  # fmt: skip
PROTECTED = {
    "sex": Protected(column="groups.sex", law="sex"),
    "ethnicity": Protected(column="groups.ethnicity", law="race", reference="White British"),
    "age": Protected(column="groups.age", law="age", bands=[5, 8, 12]),
}
SHARES = (0.25, 0.5, 1.0, 2.0)


def audit(**more: Any) -> dict[str, Any]:
    """As the page gets it: published, with ``about`` and ``notes``; ``more`` is added or put in place."""
    return {**copy.deepcopy(_published()), "about": ABOUT, "notes": ["Ties were put in an order."], **more}


@cache
def _published(purpose: str = "assistive", measures: str = "need") -> dict[str, Any]:
    """6,000 pupils; the risks of one group are far too low, and one group is tiny."""
    rng = np.random.default_rng(5)
    n = 6_000
    groups = {
        "sex": rng.choice(["female", "male"], n),
        "ethnicity": rng.choice(
            ["White British", "Bangladeshi", "Black Caribbean", "Gypsy or Irish Traveller", None], n,
            p=[0.6, 0.2, 0.124, 0.006, 0.07],
        ),
        "age": rng.integers(5, 16, n),
    }  # fmt: skip
    truth = 1 / (1 + np.exp(1.5 - 1.2 * rng.normal(size=n)))
    outcome = (rng.random(n) < truth).astype(float)
    outcome[rng.random(n) < 0.03] = np.nan
    risk = truth * np.where(groups["ethnicity"] == "Bangladeshi", 0.6, 1.0)
    selected = np.zeros(n, dtype=bool)
    selected[np.argsort(-risk)[:900]] = True
    found = audit_predictions(
        outcome, risk, selected, groups, purpose=purpose, seed=1, measures=measures, protected=PROTECTED,
        intersections=[("sex", "ethnicity")], excused={"disability": "The schools do not hold it."},
    )  # fmt: skip
    return publish(found.to_dict())[0]


def made() -> bytes:
    """The page with everything on it."""
    found = audit()
    return render_audit({**found, **extras(found)})


def of_purpose(purpose: str, measures: str = "need") -> dict[str, Any]:
    return {**copy.deepcopy(_published(purpose, measures)), "about": ABOUT}


def extras(found: dict[str, Any]) -> dict[str, Any]:
    """Made-up rows of the shapes that an audit may have besides."""
    keys = [{name: row[name] for name in ("attribute", "group", "label")} for row in found["rows"]]
    hidden = {"value": None, "reason": "not shown (fewer than 10 people)"}
    sweep, pooled = [], []
    for key, row in zip(keys, found["rows"], strict=True):
        own = row["metrics"]["recall"]["value"]
        for share in SHARES:
            at = hidden
            if own is not None:
                value = round(1 - (1 - own) ** share, 3)
                at = {"value": value, "low": max(value - 0.03, 0), "high": min(value + 0.03, 1), "n": 100}
            sweep.append({**key, "share": share, "recall": at, "selection_rate": at})
        if row["attribute"] == "ethnicity":
            empty = dict.fromkeys(("own", "value", "low", "high", "weight", "ratio", "ratio_low", "ratio_high"))
            numbers = empty if own is None else {
                "own": own, "value": 0.7 * own + 0.12, "low": 0.6 * own, "high": 0.8 * own + 0.2, "weight": 0.7,
                "ratio": 0.9, "ratio_low": 0.7, "ratio_high": 1.2,
            }  # fmt: skip
            reason = hidden["reason"] if own is None else None
            pooled.append({**key, "metric": "recall", **numbers, "reason": reason})
    points = [
        {"at": at, "value": 0.3 + at / 100, "low": 0.25 + at / 100, "high": 0.36, "n": 200} for at in range(5, 16)
    ]
    carried = [{"feature": "absence rate", "share": 0.4}]
    return {
        "sweep": sweep,
        "pooled": pooled,
        "curves": [
            {"attribute": "age", "metric": "recall", "points": points, "reason": None},
            {"attribute": "age", "metric": "selection_rate", "points": [], "reason": "too few to draw"},
        ],
        "after_exclusions": {
            "excluded": [{**keys[0], "rate": 0.08}, {**keys[1], "rate": None}], "verdict": "INSUFFICIENT EVIDENCE",
            "judged": found["judged"], "contrasts": found["contrasts"], "in_words": ["Judged 4 of 5 after exclusions."],
        },
        "proxies": [{**row, "auc_features": 0.81, "carried_by": carried, "reason": None} for row in found["proxies"]],
        "changes": changed(found, found).to_dict(),
        "hidden": [{"where": "rows, ethnicity", "what": "tp, fn", "why": hidden["reason"]}],
    }  # fmt: skip
