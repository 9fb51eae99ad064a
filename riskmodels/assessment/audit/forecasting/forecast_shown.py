"""The forecast made fit to be shown, and said in words.

Sizes of groups are counts of people: small ones are hidden and the others rounded, as everywhere. Chances are rounded
to five in a hundred, which is as near as the forecast is held to come, so that no size can be worked out from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskmodels.assessment.audit.forecasting.forecast import HARDLY, SURELY, UNEQUAL
from riskmodels.assessment.audit.verdicts import OUTCOMES_UNKNOWN
from riskmodels.assessment.suppression import PROFILES, Profile, hidden_rows, not_shown, published_count, would_show

Row = dict[str, Any]
NEAREST = 0.05
NEVER = "never"
YES, PERHAPS, NO = "yes", "perhaps", "no"
WHAT = {
    "recall": "found by the list", "fnr": "missed by the list", "fpr": "wrongly picked", "fdr": "wrong on the list",
    "for": "missed off the list", "precision": "right on the list", "selection_rate": "on the list",
    "oe_ratio": "risks come true", "calibration_slope": "spread of the risks",
}  # fmt: skip


def publish_forecast(found: Mapping[str, Any], rules: Profile | str = "sro-10", noun: str = "people") -> Row:
    """A forecast as it may be shown.

    Parameters
    ----------
    found : `Forecast.to_dict()`

    Returns
    -------
    the same keys. Of each row ``judged`` is yes, perhaps or no; a number that is not shown is None, with a ``reason``.
    """
    rules = PROFILES[rules] if isinstance(rules, str) else rules
    hidden: dict[tuple[str, str], str] = {}
    for attribute in dict.fromkeys(row["attribute"] for row in found["rows"]):
        groups = {row["group"]: row for row in found["rows"] if row["attribute"] == attribute}
        events = [round(row["positives"]) for row in groups.values()]
        counts = np.array([[n, row["people"] - n] for n, row in zip(events, groups.values(), strict=True)])
        hide, protecting = hidden_rows(counts, rules)
        for group, is_hidden, protects in zip(groups, hide, protecting, strict=True):
            if is_hidden:
                hidden[attribute, group] = would_show(rules) if protects else not_shown(rules, noun)
    assumed = {key: round(value, 3) for key, value in found["assumed"].items()}
    rows = [_shown(row, hidden.get((row["attribute"], row["group"])), rules) for row in found["rows"]]
    widths = {question: round(width, 2) for question, width in found["widths"].items()}
    return {**found, "assumed": assumed, "widths": widths, "rows": rows}


def _shown(row: Mapping[str, Any], why: str | None, rules: Profile) -> Row:
    judged = row["judged"]
    shown: Row = {**row, "judged": YES if judged >= SURELY else NO if judged <= HARDLY else PERHAPS}
    if why is not None:
        numbers = dict.fromkeys(("people", "positives", "expected", "clears", "catches", "smallest"))
        return {**shown, **numbers, "reason": row["reason"] or why}
    for key in ("people", "positives", "expected"):
        shown[key] = published_count(round(row[key]), rules)
    for key in ("clears", "catches", "smallest"):
        shown[key] = None if row[key] is None else round(round(row[key] / NEAREST) * NEAREST, 2)
    shown["ratio"] = round(row["ratio"], 2)
    return shown


# ---------------------------------------------------------------- in words


def settled_in_words(found: Mapping[str, Any]) -> str:
    """ "Of 9 comparisons the audit can be expected to settle 3." """
    total, settled = found["comparisons"], found["settled"]
    if total == 0:
        return "There is nothing that the audit could compare."
    comparisons = "1 comparison" if total == 1 else f"{total} comparisons"
    said = f"Of {comparisons} the audit can be expected to settle {settled or 'none'}."
    unknown = sum(row["reason"] == OUTCOMES_UNKNOWN for row in found.get("rows", ()))
    return f"{said} Of {unknown} too many outcomes will not be known to say." if unknown else said


def assumed_in_words(found: Mapping[str, Any]) -> str:
    """What the forecast rests on."""
    assumed = found["assumed"]
    places, recall = (f"{100 * assumed[key]:.0f}" for key in ("capacity", "recall"))
    never = any(not row["can_fail"] and row["judged"] != NO for row in found["rows"])
    gap = "Never: the difference would be too small, or the rate too high, for a FAIL. " if never else ""
    return (
        f"For a model of moderate strength (an AUC of {assumed['auc']:.2f}), which with {places} places for each 100 "
        f"would find {recall} of 100 with the outcome. Much worse: a ratio of {UNEQUAL:g}, or {1 / UNEQUAL:.2f} where "
        f"more is worse. {gap}Settled: both chances are {100 * found['power']:.0f} in 100 or better. Chances are to "
        "the nearest 5."
    )


def never_in_words(found: Mapping[str, Any], noun: str = "people") -> list[str]:
    """One sentence for each attribute with groups of which nothing can be judged."""
    judged = {(row["attribute"], row["label"]) for row in found["rows"] if row["judged"] != NO}
    hopeless: dict[str, dict[str, None]] = {}
    for row in found["rows"]:
        if (row["attribute"], row["label"]) not in judged:
            hopeless.setdefault(row["attribute"], {})[row["label"]] = None
    return [
        f"Too few {noun} to judge anything ({attribute.replace('_', ' ')}): {', '.join(labels)}."
        for attribute, labels in hopeless.items()
    ]


def forecast_lines(found: Mapping[str, Any]) -> list[Row]:
    """The comparisons that may be judged, for a table: chances of 100, and words where there is no number."""
    lines = []
    for row in found["rows"]:
        if row["judged"] == NO:
            continue
        hidden = row["reason"] if row["people"] is None else None
        line: Row = {key: row[key] for key in ("attribute", "label", "judged")}
        line["what"] = WHAT[row["metric"]]
        line["people"], line["expected"] = row["people"], row["expected"]
        for key in ("clears", "catches"):
            line[key] = None if row[key] is None else round(100 * row[key])
        line["smallest"] = row["smallest"]
        for key in ("people", "expected", "clears", "catches", "smallest"):
            if line[key] is None:
                line[key] = hidden or (NEVER if key == "catches" and not row["can_fail"] else "none")
        lines.append(line)
    return lines
