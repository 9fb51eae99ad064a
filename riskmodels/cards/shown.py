"""What may be shown, and with how many digits: every number passes here before it enters a card.

Counts go by the study's disclosure profile; the audit is published by `riskmodels.assessment.audit.publishing`.
Publishing twice is the same as once, so what was made safe before passes unchanged; but for a share at the very limit,
which the second time may be hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import (
    PROFILES,
    SMALL_OR_TELLING,
    Profile,
    behind_rates,
    hidden_rows,
    not_shown,
    published_count,
)
from riskmodels.assessment.suppression import rounded as round_to_base
from riskmodels.cards.list_rates import about_known, are_few, coarse_list, hidden_of_dates, precision_of, unknown_on
from riskmodels.cards.rounded_rates import of_rounded, rate_of_rounded

COUNTS = {
    "n", "known", "unknown", "events", "selected", "hits", "positives", "tp", "fp", "fn", "tn", "immature",
    "unobserved", "remaining", "dropped", "rows", "entities", "undated",
}  # fmt: skip
# Counts of records or of what is missing, where none at all tells nothing about anybody.
MAY_BE_NONE = {"unknown", "immature", "unobserved", "dropped", "undated"}
ESTIMATE = {"value", "low", "high"}
# Shares of people whose numerator, or the rest, could be a handful.
SHARES = {"precision", "recall", "base_rate", "precision_at_k", "recall_at_k", "observed", "yield"}
DECIMALS = {
    "brier_score": 4, "difference": 4, "p": 4, "p_adjusted": 4, "log_loss": 4, "model": 4, "all": 4,
    "interventions_avoided": 4, "change": 4, "loss": 4, "regret": 4, "mean_regret": 4, "worst_regret": 4, "cost": 5,
    "auc_cost": 4,
}  # fmt: skip
PER_DATE = ("precision_at_k", "recall_at_k", "base_rate")
HIDDEN = SMALL_OR_TELLING


@dataclass
class Shown:
    """The disclosure profile of a card, and a log of where something was hidden, without saying what."""

    profile: Profile = PROFILES["sro-10"]
    log: list[dict[str, str]] = field(default_factory=list)

    @property
    def hidden(self) -> str:
        return not_shown(self.profile)

    def note(self, where: str, what: str, why: str | None = None) -> None:
        line = {"where": where, "what": what, "why": why or self.hidden}
        if line not in self.log:
            self.log.append(line)

    def count(self, n: int | None, *, none_is_fine: bool = False) -> int | None:
        """A count of people as it may be shown; None where it may not."""
        if n is None or (n == 0 and none_is_fine):
            return n
        return published_count(n, self.profile)

    def is_handful(self, share: float | None, n: int | None) -> bool:
        """Whether a share of n people stands on too few, or leaves too few out."""
        return share is not None and n is not None and min(share * n, (1 - share) * n) < self.profile.below - 0.5

    def is_small(self, n: int) -> bool:
        return n < self.profile.below

    def share(self, part: int, whole: int) -> float | None:
        """A share of people, of the rounded counts where the profile says so."""
        if self.profile.rounded_rates:
            part, whole = (round_to_base(count, self.profile) for count in (part, whole))
        return round(min(part / whole, 1.0), 3) if whole else None


def rounded(value: Any, key: str = "") -> Any:
    """A float to the decimals its name deserves; everything else as it is."""
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    return round(value, DECIMALS.get(key, 3)) + 0.0  # no minus nought


# ---------------------------------------------------------------- results as a whole


def published_performance(raw: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """A Performance as it may stand in a card."""
    curve = dict(raw.get("calibration_curve") or {})
    curve["bins"] = merged_bins(curve.get("bins") or [], shown)
    made = {
        **raw,
        "calibration_curve": curve,
        "at_capacity": _at_capacity(raw.get("at_capacity") or {}, shown),
        "per_date": _dates(raw, shown),
        "families": [_family(row, raw.get("at_capacity") or {}, shown) for row in raw.get("families") or []],
        "unknown_by_fifth": [_fifth(row, shown) for row in raw.get("unknown_by_fifth") or []],
    }
    result: dict[str, Any] = _walk(made, "performance", "", shown)
    return result


def _at_capacity(raw: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """The list; where few on it are unknown there are no bounds, so that nothing may lead with them."""
    unknown = raw.get("unknown", 0)
    if unknown is None:  # as it was published before
        return dict(raw)
    few = are_few(unknown, shown.profile)
    safe = _with_safe_bounds(raw, "performance.at_capacity", shown, shown.hidden if few else None)
    if not few:
        return safe
    return {**safe, "leads_with_bounds": False, "known": about_known(raw["selected"], raw["known"], shown.profile)}


def _family(row: Mapping[str, Any], at: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """A way of choosing; its list is as long as the list itself."""
    found = row.get("precision_at_k")
    return {**row, "precision_at_k": precision_of(found, at.get("selected"), shown.profile)} if found else dict(row)


def _dates(raw: Mapping[str, Any], shown: Shown) -> list[dict[str, Any]]:
    """The test dates, with a share hidden of those that would give another date's away: that of all dates is told too.

    What was hidden before stays so and hides no more. So it is with how many on each date's list are unknown.
    """
    rows = [dict(row) for row in raw.get("per_date") or []]
    for name in PER_DATE:
        told = [row for row in rows if (row.get(name) or {}).get("value") is not None and row[name].get("n")]
        tops = [(round(row[name]["value"] * row[name]["n"]), row[name]["n"]) for row in told]
        counts = np.array([[top, n - top] for top, n in tops], dtype=np.int64).reshape(-1, 2)
        _, protecting = hidden_rows(counts, behind_rates(shown.profile))
        for row, hide in zip(told, protecting, strict=True):
            if hide:
                shown.note(f"performance.per_date, {row['as_of_date']}: {name}", "share", HIDDEN)
                row[name] = {"value": None, "reason": HIDDEN}
    unknown = [unknown_on(row.get("selected"), row.get("precision_at_k")) for row in raw.get("per_date") or []]
    few = hidden_of_dates(unknown, shown.profile)
    return [
        _with_safe_bounds(row, f"performance.per_date, {row['as_of_date']}", shown, HIDDEN if hide else None)
        for row, hide in zip(rows, few, strict=True)
    ]


def published_audit(raw: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """An Audit as it may stand in a card; an exact one is published first."""
    audit: Mapping[str, Any] = raw
    if "disclosure" not in raw:
        audit, log = publish(raw, shown.profile)
        for line in log:
            shown.note(*(str(line[key]) for key in ("where", "what", "why")))
    result: dict[str, Any] = _walk(audit, "audit", "", shown)
    return result


def _walk(value: Any, where: str, key: str, shown: Shown) -> Any:
    if isinstance(value, Mapping):
        if key in SHARES and shown.is_handful(value.get("value"), value.get("n")):
            shown.note(where, "share")
            return {"value": None, "reason": shown.hidden}
        if shown.profile.rounded_rates:
            value = rate_of_rounded(value, shown.profile) if key in SHARES else of_rounded(value, shown.profile)
        # The ends of an estimate are rounded like the measure that they belong to.
        return {
            name: _walk(inner, f"{where}.{name}", key if name in ESTIMATE else str(name), shown)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_walk(inner, f"{where}[{position}]", key, shown) for position, inner in enumerate(value)]
    if key in COUNTS and isinstance(value, int) and not isinstance(value, bool):
        count = shown.count(value, none_is_fine=key in MAY_BE_NONE)
        if count is None:
            shown.note(where, "count")
        return count
    if key == "reason" and isinstance(value, str) and not shown.profile.below:
        # Nothing is hidden of places: where the audit shows no rate, it is since there are too few to make one.
        return value.replace("not shown (fewer than", "too few to show (fewer than")
    return rounded(value, key)


def _with_safe_bounds(raw: Mapping[str, Any], where: str, shown: Shown, few_unknown: str | None) -> dict[str, Any]:
    """Bounds are shares too: an end is hidden where the people who make it, or those it leaves out, are a handful.

    The ends lie as far apart as outcomes on the list are unknown, so that where those are few both are hidden, and the
    rates coarse (`riskmodels.cards.list_rates`).
    """
    safe, selected = dict(raw), raw.get("selected")
    precision, recall = raw.get("precision_bounds"), raw.get("recall_bounds")
    if few_unknown:
        shown.note(f"{where}.bounds", "share", few_unknown)
        return coarse_list(raw, shown.profile)
    if not precision or not recall or not selected:
        return safe
    hide = [shown.is_handful(end, selected) for end in precision]
    safe["precision_bounds"] = [None if hidden else end for end, hidden in zip(precision, hide, strict=True)]
    # The ends of both are made of the same people on the list.
    few = [end is not None and shown.is_small(round(end * selected)) for end in precision]
    safe["recall_bounds"] = [None if small else end for end, small in zip(recall, few, strict=True)]
    for name, hidden_ends in (("precision_bounds", hide), ("recall_bounds", few)):
        if any(hidden_ends):
            shown.note(f"{where}.{name}", "share")
    return safe


def people_of_100(at_capacity: Mapping[str, Any], shown: Shown) -> dict[str, int]:
    """Of 100 on the list: how many are known to be right, known to be wrong, and not known. They add up to 100.

    A part that is a handful of people is joined with another (``wrong_or_not_known``); nothing if that does not help.
    """
    selected, hits, unknown = (at_capacity.get(name) for name in ("selected", "hits", "unknown"))
    if not selected or hits is None or unknown is None:
        return {}
    parts = {"right": hits, "wrong": selected - hits - unknown, "not_known": unknown}
    if unknown == 0:
        del parts["not_known"]
    elif shown.is_small(unknown) or shown.is_small(parts["wrong"]):
        parts = {"right": hits, "wrong_or_not_known": selected - hits}
    if any(shown.is_small(count) for count in parts.values()):
        return {}
    if shown.profile.rounded_rates:
        parts = {name: round_to_base(count, shown.profile) for name, count in parts.items()}
    return dict(zip(parts, whole_of_100(list(parts.values())), strict=True))


def whole_of_100(counts: Sequence[int]) -> list[int]:
    """Shares of 100 that add up to 100: the largest remainders are rounded up."""
    total = sum(counts)
    exact = [100 * count / total for count in counts]
    floors = [int(value) for value in exact]
    order = sorted(range(len(counts)), key=lambda position: floors[position] - exact[position])
    for position in order[: 100 - sum(floors)]:
        floors[position] += 1
    return floors


def _fifth(row: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    if row["unknown"] is None or row["n"] is None:
        return dict(row)
    unknown, known = row["unknown"], row["n"] - row["unknown"]
    if any(count > 0 and shown.is_small(count) for count in (unknown, known)):
        shown.note(f"performance.unknown_by_fifth, {row['fifth']}", "share")
        return {**row, "unknown": None, "share": None}
    if shown.profile.rounded_rates and row["n"]:
        return {**row, "share": shown.share(row["unknown"], row["n"])}
    return dict(row)


def counted(
    rows: Sequence[Mapping[str, Any]], where: str, shown: Shown, exits: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Rows of a table of counts (attrition, outcome status, data quality), made safe.

    Parameters
    ----------
    exits : keys that count people who left, of whom there may be none
    """
    safe = [_walk(row, where, "", shown) for row in rows]
    for row, line in zip(rows, safe, strict=True):
        for name in (name for name in exits if name in row):
            line[name] = shown.count(row[name], none_is_fine=True)
            if line[name] is None and row[name] is not None:
                shown.note(f"{where}.{name}", "count")
    return safe


# ---------------------------------------------------------------- calibration bins


def merged_bins(bins: Sequence[Mapping[str, Any]], shown: Shown) -> list[dict[str, Any]]:
    """Calibration bins, each joined with the next until it holds enough people with the outcome and without.

    The interval of a joined bin is Wilson's (1927). Bins that are left over join the last one.
    """
    joined: list[list[Mapping[str, Any]]] = []
    for one in bins:
        if joined and not _is_enough(joined[-1], shown):
            joined[-1].append(one)
        else:
            joined.append([one])
    if len(joined) > 1 and not _is_enough(joined[-1], shown):
        joined[-2:] = [joined[-2] + joined[-1]]
    return [_join(group) for group in joined if _is_enough(group, shown)]


def _events(one: Mapping[str, Any]) -> int:
    return round((one["observed"].get("value") or 0.0) * (one["n"] or 0))


def _is_enough(group: Sequence[Mapping[str, Any]], shown: Shown) -> bool:
    n, events = sum(one["n"] or 0 for one in group), sum(_events(one) for one in group)
    return not shown.is_small(min(events, n - events))


def _join(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if len(group) == 1:
        return dict(group[0])
    n, events = sum(one["n"] for one in group), sum(_events(one) for one in group)
    low, high = wilson(events / n, n)
    return {
        "low": group[0]["low"],
        "high": group[-1]["high"],
        "n": n,
        "mean_risk": sum(one["mean_risk"] * one["n"] for one in group) / n,
        "observed": {"value": events / n, "low": low, "high": high, "n": n},
    }
