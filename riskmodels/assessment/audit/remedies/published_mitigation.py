"""Mitigation experiments made fit to be shown, by the rules of the audit itself (`suppression`).

A group's rate is shown only where the audit shows it, and only if none of the counts behind it is small or could be
worked out from the others. Rates are made of rounded counts, and intervals are rounded so that their width does not
tell of the exact ones; expected counts of a simulation are treated as counts. Whether a gap narrows beyond chance is
the exact experiment's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from riskmodels.assessment.audit.publishing.published_numbers import (
    OF_RATIO,
    around,
    difference,
    outward,
    rounded_value,
)
from riskmodels.assessment.audit.remedies.mitigation_words import in_words, name_of
from riskmodels.assessment.audit.remedies.trials import CELLS, Row, largest_gap, rate_of, with_frontier
from riskmodels.assessment.suppression import (
    PROFILES,
    SMALL_OR_TELLING,
    Profile,
    hidden_rows,
    published_count,
    rounded,
    would_show,
)

EVERY_CELL = ("tp", "fn", "fp", "tn")


def publish_mitigation(
    found: Mapping[str, Any], audit: Mapping[str, Any], profile: Profile | str = "sro-10"
) -> tuple[Row, tuple[Row, ...]]:
    """What was tried as it may be shown, and the list of what was hidden.

    Parameters
    ----------
    found : `Mitigation.to_dict()`
    audit : the published audit of the same run: a group that it hides is hidden here
    profile : a profile, or the name of one as in ``study.disclosure``

    Returns
    -------
    the published experiments, with ``disclosure`` naming the profile; and rows {where, what, why}
    """
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    published: Row = copy.deepcopy(dict(found))
    in_audit = {(row["attribute"], row["group"]): row["metrics"] for row in audit["rows"]}
    log: list[Row] = []
    by_attribute: dict[str, list[Row]] = {}
    for point in published["points"]:
        by_attribute.setdefault(point["attribute"], []).append(point)
    points: list[Row] = []
    for rows in by_attribute.values():
        for row in rows:
            log += _publish_groups(row, in_audit, profile)
            _publish_list(row, profile)
        for row in rows[1:]:
            _publish_changes(row, rows[0], profile)
        points += with_frontier(rows)
    published["points"] = points
    published |= {name: list(published[name]) for name in ("left_out", "first")}
    published["in_words"] = list(in_words(published))
    published["disclosure"] = {"profile": profile.name, "below": profile.below, "rounded_to": profile.base}
    return published, tuple(log)


# ---------------------------------------------------------------- the groups


def _publish_groups(row: Row, in_audit: Mapping[tuple[str, str], Row], profile: Profile) -> list[Row]:
    """Round the counts that a rate is made of, hide the others, and make gap and ratio from what is left."""
    groups, metric = row["groups"], row["metric"]
    kept = CELLS[metric]
    counts = np.array([[round(group[name]) for name in kept] for group in groups])
    already = np.array([_hidden_in(in_audit.get((row["attribute"], group["group"])), metric) for group in groups])
    hidden, _ = hidden_rows(counts, profile, already)
    before = {group["group"]: rate_of(group, metric) for group in groups}
    for group, own, hide in zip(groups, counts, hidden, strict=True):
        group |= dict.fromkeys(EVERY_CELL)
        if not hide:
            group |= {name: rounded(int(count), profile) for name, count in zip(kept, own, strict=True)}
    after = {group["group"]: rate_of(group, metric) for group in groups}
    worse, better = after[row["worse"]], after[row["better"]]
    row["largest_gap"] = largest_gap(row)
    if worse is None or better is None:
        row |= {"gap": _not(profile), "gap_change": row["gap_change"] and _not(profile), "narrower": None}
    else:
        gap = better - worse if metric == "recall" else worse - better
        row["gap"] = _moved(row["gap"], gap, (-1.0, 1.0), profile)
    lowest, exact = after[row["ratio_group"]], row["ratio"].get("value")
    if lowest is None or better is None:
        row["ratio"] = _not(profile)
    elif better and exact:
        row["ratio"] = _ratio(row["ratio"], lowest / better, profile)
    where = f"mitigation, {row['attribute']}, {name_of(row)}"
    told = [name for name, rate in before.items() if rate is not None and after[name] is None]
    return [{"where": f"{where}: {name}", "what": "its rate", "why": would_show(profile)} for name in told]


def _hidden_in(metrics: Row | None, metric: str) -> bool:
    return metrics is None or metrics.get(metric, {}).get("value") is None


def _not(profile: Profile) -> Row:
    return {"value": None, "reason": SMALL_OR_TELLING if profile.below else would_show(profile)}


# ---------------------------------------------------------------- the list as a whole


def _publish_list(row: Row, profile: Profile) -> None:
    """People reached and the precision, from rounded counts; places to the same rounding."""
    precision, reached = row["precision"], round(row["reached"])
    value = precision.get("value")
    row["places"] = published_count(round(row["places"]), profile)
    if value is None or value == 0:
        hits, others = published_count(reached, profile), None
    else:
        hits = published_count(reached, profile)
        others = published_count(round(row["reached"] / value - row["reached"]), profile)
    row["reached"] = hits
    if hits is None or others is None:
        row |= {"precision": _not(profile), "reached": None}
    else:
        row["precision"] = _moved(precision, hits / (hits + others), (0.0, 1.0), profile)
    auc = row["auc"]
    if auc.get("value") is not None:
        low, high = outward(auc.get("low"), auc.get("high"), places=2)
        ends = {side: end for side, end in (("low", low), ("high", high)) if end is not None}
        row["auc"] = {"value": round(auc["value"], 2), **ends, **_rest(auc, profile)}


def _publish_changes(row: Row, today: Row, profile: Profile) -> None:
    """Differences of what is published, with intervals about as wide as the exact ones."""
    for name, of, limits in (
        ("precision_change", "precision", (-1.0, 1.0)),
        ("gap_change", "gap", (-2.0, 2.0)),
    ):
        then, now = row[of].get("value"), today[of].get("value")
        hidden = then is None or now is None
        nothing: Row = {"value": None, "reason": SMALL_OR_TELLING}
        row[name] = nothing if hidden else _moved(row[name], then - now, limits, profile)
    if row["gap_change"]["value"] is None:
        row["narrower"] = None
    if row["reached"] is None or today["reached"] is None:
        row["more_reached"] = {"value": None, "reason": SMALL_OR_TELLING}
    else:
        row["more_reached"] = _people(row["more_reached"], row["reached"] - today["reached"], profile)


# ---------------------------------------------------------------- one number


def _rest(estimate: Row, profile: Profile) -> Row:
    """What stands beside the numbers: how many there are, and why there is no interval."""
    n = {} if estimate.get("n") is None else {"n": published_count(estimate["n"], profile)}
    return n | ({} if estimate.get("reason") is None else {"reason": estimate["reason"]})


def _moved(found: Row, value: float, within: tuple[float, float], profile: Profile) -> Row:
    """An estimate at a published value; see `published_numbers.difference`."""
    return difference(found, value, profile, within) | _rest(found, profile)


def _ratio(found: Row, value: float, profile: Profile) -> Row:
    there: Row = {"value": rounded_value(value)}
    if found.get("low") is not None and found.get("high") is not None:
        there["low"], there["high"] = around(
            value, found["low"], found["high"], profile, OF_RATIO, log=True, edges=(1.0,)
        )  # fmt: skip
    return there | _rest(found, profile)


def _people(found: Row, value: int, profile: Profile) -> Row:
    """A number of people, its interval's half-width rounded up as counts are rounded."""
    there: Row = {"value": float(value)}
    if found.get("low") is not None and found.get("high") is not None:
        half = math.ceil((found["high"] - found["low"]) / 2 / profile.base) * profile.base
        there |= {"low": float(value - half), "high": float(value + half)}
    return there
