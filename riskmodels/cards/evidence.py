"""What the advice rests on, and what of it has to be worked out from the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """What the advice rests on. Numbers are as published in the card; None where there is none.

    ``gain_low``: lower 95% limit of the gain of the chosen family over the best baseline, in the study's criterion.
    ``failed``: contrasts of the audit that failed, each {who, metric}.
    ``oe_by_date``: observed to expected on each test date, earliest first, each {as_of_date, value, low, high}.
    ``decays``: whether it left its floors over the test dates by more than chance, where that was tested.
    """

    family: str
    baseline: str
    gain_low: float | None
    gain_floor: float
    auc_low: float | None
    auc_high: float | None
    oe_ratio: float | None
    oe_floors: tuple[float, float]
    oe_by_date: tuple[Mapping[str, Any], ...] = ()
    decays: bool | None = None
    test_events: int | None = None
    fit_events: int | None = None
    verdict: str = "PASS"
    failed: tuple[Mapping[str, str], ...] = ()
    provisional: bool = False
    unknown_share: float = 0.0
    concerns: Mapping[str, str | None] = field(default_factory=dict)  # check -> the reason it was accepted for
    column: str | None = None  # words of the single best column
    area_alone: bool = False  # the simple rule looks at nothing but the place
    level: str = "person"
    others_better: bool = False  # a family that was not chosen beat the best baseline on the test, beyond chance


def oe_by_date(performance: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Observed to expected on each test date, as `Evidence` takes it, from a performance as it is published."""
    return tuple(
        {"as_of_date": row["as_of_date"], **(row.get("oe_ratio") or {})} for row in performance.get("per_date") or ()
    )


def fit_events(splits: Sequence[Mapping[str, Any]], outcome_status: Sequence[Mapping[str, Any]]) -> int | None:
    """Events among the known outcomes of the dates that teach, at the origin that has fewest."""
    events = {str(row["as_of_date"]): row.get("events") for row in outcome_status}
    totals = []
    for split in splits:
        if split.get("test") is None:
            continue
        if split.get("fit_events") is not None:
            totals.append(int(split["fit_events"]))
            continue
        found = [events.get(str(day)) for day in split.get("fit") or ()]
        if found and all(count is not None for count in found):
            totals.append(sum(int(count) for count in found if count is not None))
    return min(totals) if totals else None
