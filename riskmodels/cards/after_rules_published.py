"""The list after the service's rules, fit to be shown: no handful in a number, nor between two that stand side by side.

The model's own list and the service's share most of their people, and so does each with its part that is not already
known. Of two such figures the second is hidden where those who make the difference are a handful, with the outcome or
without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from riskmodels.assessment.suppression import SMALL_OR_TELLING, complementary, hidden_rows
from riskmodels.cards.list_rates import NO_BOUNDS, are_few, coarse_list
from riskmodels.cards.shown import Shown, counted

WHERE = "performance.after_rules"
HIDDEN = {"value": None, "reason": SMALL_OR_TELLING}
Row = Mapping[str, Any]


def published_after_rules(raw: Row, shown: Shown) -> dict[str, Any]:
    """`riskmodels.assessment.list_after_rules.ListAfterRules.to_dict()` as it may stand in a card.

    Counts of people by whom two lists differ stay out. Publishing twice is the same as once.
    """
    if not raw or "disclosure" in raw:
        return dict(raw)
    apart = tells(raw["apart"], shown)
    new = raw["new"]
    safe: dict[str, Any] = {
        "unit": raw["unit"],
        "ranked": shown.count(raw["ranked"]),
        "fates": _fates(raw, shown),
        "model_list": _figures(raw["model_list"], "model_list", shown),
        "service_list": _figures(raw["service_list"], "service_list", shown, apart, raw["apart"]["unknown"]),
        "already_known": {name: raw["already_known"][name] for name in ("reason",) if name in raw["already_known"]},
        "new": None,
        "teams": _teams(raw["teams"], apart, shown),
        "disclosure": shown.profile.name,
    }
    if new is not None:
        already = tells(raw["already_known"], shown)
        events = (raw["model_list"]["recall"].get("n") or 0) - new["ranked"]["hits"]
        found = events > 0 and shown.is_small(events)  # of the events, those of people already known
        safe["new"] = {
            "model_list": _among_new(new["model_list"], "model_list", shown, already, already or found),
            "service_list": _among_new(
                new["service_list"], "service_list", shown, apart or tells(new["apart"], shown), apart or found
            ),
        }
    return counted([safe], WHERE, shown)[0]


def tells(differ: Row, shown: Shown) -> bool:
    """Whether two figures side by side would tell of a handful: ``differ`` counts those who are in one of them only."""
    hits, others = differ["hits"], differ["known"] - differ["hits"]
    return bool(differ["n"]) and (shown.is_small(hits) or shown.is_small(others))


def _fates(raw: Row, shown: Shown) -> list[dict[str, Any]]:
    """Places are no secret, and so neither is how many are listed; all others add up to the rest of those ranked."""
    listed, *others = (dict(row) for row in raw["fates"])
    for row, hide in zip(others, complementary([row["n"] for row in others], shown.profile), strict=True):
        if hide:
            shown.note(f"{WHERE}.fates, {row.get('rule') or row['fate']}", "count")
            row["n"] = None
    return [listed, *others]


def _figures(raw: Row, name: str, shown: Shown, hide: bool = False, unknown_apart: int = 0) -> dict[str, Any]:
    """Precision and recall of a list with their bounds, unless few outcomes are unknown: bounds tell how many are."""
    safe = {key: raw[key] for key in ("selected", "precision", "recall", "precision_bounds", "recall_bounds")}
    if hide:
        shown.note(f"{WHERE}.{name}", "share", SMALL_OR_TELLING)
        safe |= {"precision": HIDDEN, "recall": HIDDEN}
    if are_few(raw["unknown"], shown.profile) or are_few(unknown_apart, shown.profile):
        return coarse_list(safe, shown.profile)
    if hide or shown.is_small(raw["hits"]) or shown.is_small(raw["known"] - raw["hits"]):
        safe |= NO_BOUNDS
    return safe


def _among_new(raw: Row, name: str, shown: Shown, hide: bool, hide_recall: bool) -> dict[str, Any]:
    """Bounds stay out: with those of the whole list they would count the unknown among the few already known."""
    if hide or hide_recall:
        shown.note(f"{WHERE}.new.{name}", "share", SMALL_OR_TELLING)
    return {
        "precision": HIDDEN if hide else raw["precision"],
        "recall": HIDDEN if hide_recall else raw["recall"],
        "yield": HIDDEN if hide else raw["yield"],
    }


def _teams(rows: list[Row], hide_all: bool, shown: Shown) -> list[dict[str, Any]]:
    """Each team's precision, hidden where few are behind it, or where it would give such a team away.

    The teams add up to the list. Precision stands at three digits, from which its counts can be worked out, and with
    them how many outcomes of the team are unknown: all three are taken to be known exactly, so that of one hidden team
    alone the others would tell. That none is unknown tells nothing of anybody.
    """
    exact = replace(shown.profile, base=1)
    counts = np.array(
        [[row["hits"], row["known"] - row["hits"], row["unknown"] or exact.below] for row in rows], dtype=np.int64
    ).reshape(-1, 3)
    hidden, _ = hidden_rows(counts, exact, np.full(len(rows), hide_all))
    safe = []
    for row, hide in zip(rows, hidden, strict=True):
        if hide:
            shown.note(f"{WHERE}.teams, {row['team']}", "share", SMALL_OR_TELLING)
        safe.append(
            {
                "team": row["team"],
                "places": row["places"],
                "full": row["selected"] == row["places"],
                "selected": row["selected"],
                "precision": HIDDEN if hide else row["precision"],
            }
        )
    return safe
