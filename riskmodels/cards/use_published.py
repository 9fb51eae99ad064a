"""What acting on the list does, fit to be shown: no handful of people, in a number or between two of them.

Lists of other sizes hold one another, so two of them side by side tell about those who are on one only. A size is shown
if that difference, too, is of enough people with the outcome and without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.list_rates import NO_BOUNDS, about_known, are_few, coarse_list, coarse_precision
from riskmodels.cards.shown import HIDDEN, Shown, counted

DIGITS = 3  # of a sum of money or a rate made of the precision: the ranges are far wider
WHERE = "performance.use"
ROUGH_DIGITS = 2  # where the precision has no more
NOBODY = {"known": 0, "hits": 0}
COARSE = "coarse"  # in a row, while it is made: about how many are known, where its rates are coarse
Row = Mapping[str, Any]


def published_use(raw: Row, shown: Shown) -> dict[str, Any]:
    """The result of `riskmodels.assessment.use_of_list.assess_use`, as plain values, as it may stand in a card.

    Publishing twice is the same as once.
    """
    if not raw or "disclosure" in raw:
        return dict(raw)
    sweep = _sweep(raw["capacity_sweep"], shown)
    safe: dict[str, Any] = {
        **raw,
        "marginal": _marginal(raw["marginal"], sweep, shown),
        "assumed": _assumed(raw["assumed"], sweep, shown),
        "regression_to_mean": _regression(raw["regression_to_mean"], shown),
        "capacity_sweep": [_told(row) for row in sweep],
        "disclosure": shown.profile.name,
    }
    return counted([safe], WHERE, shown)[0]


# ---------------------------------------------------------------- sizes


def _sweep(rows: Sequence[Row], shown: Shown) -> list[dict[str, Any]]:
    """The list itself, and from it outwards every size that differs enough from the last one kept."""
    own = next(place for place, row in enumerate(rows) if row["own"])
    start = _bounded(rows[own], None, shown)
    longer = _outwards(rows[own + 1 :], start, shown)
    shorter = _outwards(rows[:own][::-1], start, shown)
    if len(longer) + len(shorter) + 1 < len(rows):
        shown.note(f"{WHERE}.capacity_sweep", "sizes of the list")
    return [*shorter[::-1], start, *longer]


def _outwards(rows: Sequence[Row], start: dict[str, Any], shown: Shown) -> list[dict[str, Any]]:
    kept, last = [], start
    told = None if COARSE in start else start
    for row in rows:
        hits, known = abs(row["hits"] - last["hits"]), abs(row["known"] - last["known"])
        if shown.is_small(hits) or shown.is_small(known - hits) or _is_small(row, shown):
            continue
        last = _bounded(row, told, shown)
        told = told if COARSE in last else last
        kept.append(last)
    return kept


def _bounded(row: Row, told: Row | None, shown: Shown) -> dict[str, Any]:
    """A size with its bounds, which tell how many are not known, and less those of the last size, of the step.

    So do its rates, since everybody knows how long it is: those are coarse then. ``told``: the last size that has them.
    """
    beside = told["unknown"] if told is not None and not are_few(row["unknown"], shown.profile) else 0
    step = -1 if told is not None and row["selected"] < told["selected"] and beside else 1
    if are_few(step * (row["unknown"] - beside), shown.profile):
        shown.note(f"{WHERE}.capacity_sweep.bounds", "share")
        known = about_known(row["selected"], row["known"], shown.profile, beside, step)
        return {**coarse_list(row, shown.profile, beside, step), COARSE: known}
    if _is_small(row, shown) or shown.is_handful(row["recall"].get("value"), row["recall"].get("n")):
        shown.note(f"{WHERE}.capacity_sweep.bounds", "share")
        return {**row, **NO_BOUNDS}
    return dict(row)


def _told(row: Row) -> dict[str, Any]:
    """A size as it may stand in a card: of coarse rates it says about how many they are made of."""
    told = {name: value for name, value in row.items() if name != COARSE}
    return {**told, "known": row[COARSE], "unknown": None} if COARSE in row else told


def _is_small(row: Row, shown: Shown) -> bool:
    return shown.is_small(row["hits"]) or shown.is_small(row["known"] - row["hits"])


# ---------------------------------------------------------------- the people at the cut, then and later


def _marginal(raw: Row, sweep: Sequence[Row], shown: Shown) -> dict[str, Any]:
    """A side is hidden where, beside a size of the list, it tells of a handful; the difference with either side."""
    own = next(place for place, row in enumerate(sweep) if row["own"])
    # Lists that end, and lists that begin, at the cut: all are made of the same people as the side, and some others.
    beside = {"inside": [NOBODY, *sweep[:own]], "outside": sweep[own + 1 :]}
    safe = dict(raw)
    for side, sizes in beside.items():
        if _tells(raw[side]["observed"], [_step(row, sweep[own]) for row in sizes], shown):
            shown.note(f"{WHERE}.marginal.{side}", "share", HIDDEN)
            safe[side] = {**raw[side], "observed": {"value": None, "reason": HIDDEN}}
    found = [safe[side]["observed"] for side in beside]
    if any(one.get("reason") == HIDDEN or shown.is_handful(one.get("value"), one.get("n")) for one in found):
        shown.note(f"{WHERE}.marginal.difference", "share")
        safe["difference"] = {"value": None, "reason": shown.hidden}
    return safe


def _step(row: Row, own: Row) -> tuple[int, int]:
    """How many known, and how many of them right, a size has more or fewer than the list itself."""
    return abs(row["known"] - own["known"]), abs(row["hits"] - own["hits"])


def _tells(observed: Row, steps: Sequence[tuple[int, int]], shown: Shown) -> bool:
    if observed.get("value") is None:
        return False
    known, hits = observed["n"], round(observed["value"] * observed["n"])
    apart = [(abs(step - known), abs(right - hits)) for step, right in steps]
    return any(n and (shown.is_small(right) or shown.is_small(abs(n - right))) for n, right in apart)


def _regression(raw: Row, shown: Shown) -> dict[str, Any]:
    safe = dict(raw)
    for who, found in raw.items():
        if found["remaining"] and shown.is_small(found["remaining"]):
            shown.note(f"{WHERE}.regression_to_mean.{who}", "mean")
            hidden = {"value": None, "reason": shown.hidden}
            safe[who] = {**found, "then": hidden, "later": hidden, "change": hidden}
    return safe


# ---------------------------------------------------------------- what is assumed


def _assumed(raw: Row, sweep: Sequence[Row], shown: Shown) -> dict[str, Any]:
    """A range made of a hidden precision is hidden with it; the others are rounded."""
    own = next(row for row in sweep if row["own"])
    precision, finest = raw["precision"], ROUGH_DIGITS if COARSE in own else DIGITS
    hidden = shown.is_handful(precision.get("value"), precision.get("n"))
    if COARSE in own:
        raw = {**raw, "precision": coarse_precision(precision, own["selected"], shown.profile)}
    no_bounds = own["precision_bounds"][0] is None

    def of(found: Row, digits: int = DIGITS) -> dict[str, Any]:
        if "low" in found:
            return {**found, "low": significant(found["low"], digits), "high": significant(found["high"], digits)}
        if hidden:
            return {view: {"low": None, "high": None, "reason": shown.hidden} for view in found}
        return {view: of(range_, finest) for view, range_ in found.items() if not (view == "unknown" and no_bounds)}

    fixed = ("assumed", "precision", "stated", "not_stated")
    return {name: value if name in fixed else of(value) for name, value in raw.items()}


def significant(value: float | None, digits: int = DIGITS) -> float | None:
    """A number to so many digits that count."""
    if not value:
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
