"""What of the audit belongs on page one: every harm, and the clearest gap that no verdict settled.

Page one and section 8 are made of the same contrasts, so that they cannot contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskmodels.assessment.audit.contrasts import harmful_side
from riskmodels.assessment.audit.verdicts import INSUFFICIENT, LOOK_HERE
from riskmodels.assessment.audit.words import beyond_chance, failures, is_small
from riskmodels.cards.audit_tables import CALIBRATION_METRICS
from riskmodels.cards.words import attribute_words
from riskmodels.study import Study

Row = Mapping[str, Any]
MOST_NOT_RECORDED = 0.2
ON_THE_LIST = "selection_rate"


@dataclass(frozen=True)
class Finding:
    """One contrast, said of whoever fares worse.

    who : the group in words, as "free lunch: not entitled"; group : its label alone; against : the other side
    row, against_row : where the two stand in ``audit.rows``; None for everybody else, and for intersections
    more : whether the other side has more of what is counted; None where that may not be said
    kind : "harm"; "clear": more than chance, by how much is not known; "small": real, and small by the policy;
        "open": may be chance
    """

    who: str
    group: str
    against: str
    metric: str
    kind: Literal["harm", "clear", "small", "open"]
    row: int | None
    against_row: int | None
    more: bool | None
    size: float
    is_shown: bool

    @property
    def subject(self) -> str:
        """``who`` as a sentence begins with it, before a colon."""
        return self.who.replace(": ", ", ", 1)


def harms(study: Study, audit: Row) -> list[Finding]:
    """Every FAIL, who is missed or wrongly listed before whose risks are off."""
    found = [_finding(study, audit, row, "harm") for row in failures(audit["contrasts"])]
    # A group that fails against its reference is also what the reference fails against: said once.
    once = {(one.who, one.metric, one.against): one for one in found}
    primary = {(one.who, one.metric) for one in once.values() if one.against_row is not None}
    kept = [one for one in once.values() if one.against_row is not None or (one.who, one.metric) not in primary]
    return sorted(kept, key=lambda one: one.metric in CALIBRATION_METRICS)


def gaps(study: Study, audit: Row) -> list[Finding]:
    """Gaps in who is listed or missed that no verdict settled, the clearest first and then the widest.

    "Cannot judge" must not hide on page one whom it looks worst for: where nothing is more than chance, the widest gap
    that may be chance is given. What carries no verdict, intersections among it, counts where it is flagged.
    """
    judged = verdict_metrics(audit)
    found = []
    for row in audit["contrasts"]:
        if row["metric"] not in {*judged, ON_THE_LIST} or (kind := _kind(row)) is None:
            continue
        one = _finding(study, audit, row, kind)
        if one.is_shown or (one.row is None and kind == "clear"):
            found.append(one)
    order = ("clear", "small", "open")
    found.sort(key=lambda one: (order.index(one.kind), one.metric not in judged, one.row is None, -one.size))
    once: dict[tuple[str, str], Finding] = {}
    for one in found:
        once.setdefault((one.who, one.metric), one)
    return list(once.values())


def verdict_metrics(audit: Row) -> set[str]:
    """The rates that carry a verdict in this audit."""
    return {row["metric"] for row in audit["contrasts"] if row["family"] == "primary"} - set(CALIBRATION_METRICS)


def _kind(row: Row) -> Literal["clear", "small", "open"] | None:
    if row["family"] == "exploratory":
        return "clear" if row["verdict"] == LOOK_HERE else None
    if row["verdict"] != INSUFFICIENT:
        return None
    if is_small(row):
        return "small"
    if beyond_chance(row):
        return "clear"
    return "open" if row["family"] == "primary" and row.get("ratio") else None


def not_recorded(audit: Row) -> list[int]:
    """Where in ``audit.missing`` the characteristics stand that are not recorded for more than 20 of 100."""
    return [
        place for place, row in enumerate(audit.get("missing") or ()) if (row.get("share") or 0.0) > MOST_NOT_RECORDED
    ]


def less_written_down(audit: Row, checks: Sequence[Row]) -> list[str]:
    """Groups of which the check of recording found far less written down than of others."""
    said = " ".join(f": {row['evidence']}" for row in checks if row["check"] == "recording_gap" and _is_concern(row))
    labels = dict.fromkeys(str(row["label"]) for row in audit["rows"])
    return [label for label in labels if any(f"{mark} {label} (by up to" in said for mark in (":", ";"))]


def _is_concern(row: Row) -> bool:
    return bool(row.get("result") == "concern" and row.get("evidence"))


# ---------------------------------------------------------------- one contrast


def _finding(study: Study, audit: Row, contrast: Row, kind: Literal["harm", "clear", "small", "open"]) -> Finding:
    position = {(row["attribute"], row["group"]): index for index, row in enumerate(audit["rows"])}
    metric, ratio = contrast["metric"], contrast.get("ratio")
    group, other = (position.get((contrast["attribute"], contrast[side])) for side in ("group", "reference"))
    name, against = str(contrast["label"]), str(contrast["reference_label"])
    title = attribute_words(study.file, contrast["attribute"])
    more = None if ratio is None else ratio < 1
    if other is None and contrast.get("against") == "others":
        against = "all others"
    elif contrast.get("worse_off") == contrast["reference_label"] and other is not None:
        # Said of whoever fares worse, whichever was the reference.
        group, other, name, against = other, group, against, name
        more = None if more is None else not more
    who = f"{title}: {name}"
    if group is None and " × " in name:
        who = name.replace(" × ", ", ")
    elif other is None and contrast.get("worse_off") == contrast["reference_label"]:
        who = f"all but {title}: {name}"
    if more is None and contrast.get("worse_off") is not None:
        worse_is_above = harmful_side(metric, audit["purpose"]) == "above"
        more = not worse_is_above if contrast["worse_off"] == name else worse_is_above
    shown = [place for place in (group, other) if place is not None]
    return Finding(
        who=who, group=name, against=against, metric=metric, kind=kind, row=group, against_row=other, more=more,
        size=abs(math.log(ratio)) if ratio else 0.0,
        is_shown=group is not None and all(_has(audit, place, metric) for place in shown),
    )  # fmt: skip


def _has(audit: Row, position: int, metric: str) -> bool:
    metrics = audit["rows"][position].get("metrics") or {}
    return (metrics.get(metric) or {}).get("value") is not None
