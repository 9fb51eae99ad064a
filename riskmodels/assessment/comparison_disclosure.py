"""Disclosure control: a comparison of runs made fit to be shown. The rules themselves stand in `suppression`.

Two figures that may each be shown can give a handful of people away by their difference: the few whom a change of the
model treats differently. So a difference is shown only where nobody, or enough people, are treated differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.suppression import (
    PROFILES,
    SMALL_OR_TELLING,
    Profile,
    complementary,
    not_shown,
    published_count,
    rounded,
)

Row = dict[str, Any]
DECIMALS, OF_SHARES = 4, 3
SHARES = ("precision_at_k", "recall_at_k")
LISTS = ("both", "only_first", "only_second")
# Of these there may be none: nobody tells nothing about anybody.
MAY_BE_NONE = {"rows_only_first", "rows_only_second", "known_in_one_only", "outcomes_that_differ"}
AS_THEY_ARE = {"days", "days_only_first", "days_only_second", "replicates"}


def publish_comparison(exact: Mapping[str, Any], profile: Profile | str = "sro-10") -> tuple[Row, tuple[Row, ...]]:
    """A comparison (`RunComparison.to_dict()`) as it may be shown, and the list of what was hidden: {where, why}.

    Counts are rounded, and hidden where they are small; shares of lists are made of the rounded counts. A measure is
    hidden for both runs where it stands on a handful of people, and its difference where a handful are treated
    differently. Which is better is said from the exact figures.
    """
    rules = PROFILES[profile] if isinstance(profile, str) else profile
    log: list[Row] = []
    shown = {
        "first": exact["first"],
        "second": exact["second"],
        "counts": {
            name: value if name in AS_THEY_ARE else _count(value, rules, none_is_fine=name in MAY_BE_NONE)
            for name, value in exact["counts"].items()
        },
        "differences": [_difference(row, rules, log) for row in exact["differences"]],
        "overlap": _overlap(exact["overlap"], rules, log),
    }
    return shown, tuple(log)


def publish_shared(counts: tuple[int, int, int] | None, profile: Profile) -> Row:
    """One cell of the matrix of lists: the share of the first list that is on the second, or why it is not shown."""
    if counts is None:
        return {"value": None, "reason": "no test date in common"}
    both, only_first, only_second = counts
    shown = _list_counts({"both": both, "only_first": only_first, "only_second": only_second}, profile)
    value = _share(shown["both"], shown["only_first"])
    return {"value": value} if value is not None else {"value": None, "reason": _too_alike(counts, profile)}


# ---------------------------------------------------------------- differences


def _difference(row: Mapping[str, Any], profile: Profile, log: list[Row]) -> Row:
    shown = {**row, "moved": _count(row["moved"], profile, none_is_fine=True)}
    decimals = OF_SHARES if row["measure"] in SHARES else DECIMALS
    for side in ("first", "second"):
        shown[side] = _estimate(row[side], profile, decimals)
    shown["difference"] = _estimate(row["difference"], profile, None)
    hide = []
    if row["measure"] in SHARES and any(_is_handful(row[side], profile) for side in ("first", "second")):
        hide, why = ["first", "second", "difference"], SMALL_OR_TELLING
    elif 0 < row["moved"] < profile.below and row["difference"]["value"] is not None:
        hide, why = ["second", "difference"], not_shown(profile, "people are treated differently")
    for name in hide:
        shown[name] = {"value": None, "reason": why}
    if hide:
        shown["verdict"] = "not shown"
        _note(log, f"differences, {row['measure']}", why)
    return shown


def _estimate(estimate: Mapping[str, Any], profile: Profile, decimals: int | None) -> Row:
    """An estimate with its number of rows as it may be shown, to so many decimals, or (None) three significant digits,
    so that an interval that leaves out 0 still does.
    """
    shown = dict(estimate)
    for end in ("value", "low", "high"):
        if shown.get(end) is not None:
            exact = float(shown[end])
            shown[end] = float(f"{exact:.3g}") if decimals is None else round(exact, decimals) + 0.0
    if shown.get("n") is not None:
        shown["n"] = published_count(shown["n"], profile)
    return shown


def _is_handful(estimate: Mapping[str, Any], profile: Profile) -> bool:
    """Whether a share stands on too few, or leaves too few out."""
    if estimate["value"] is None:
        return False
    hits = estimate["value"] * estimate["n"]
    return bool(min(hits, estimate["n"] - hits) < profile.below - 0.5)


# ---------------------------------------------------------------- lists


def _overlap(exact: Mapping[str, Any], profile: Profile, log: list[Row]) -> Row:
    only = {side: _one_only(exact[side], profile) for side in LISTS[1:]}
    # The hits of one side and the difference of the two would give away those of the other.
    shares = all(each["precision"]["value"] is not None for each in only.values())
    if not shares and any(exact[side]["precision"]["value"] is not None for side in only):
        for each in only.values():
            if each["precision"]["value"] is not None:
                each |= {"hits": None, "precision": {"value": None, "reason": SMALL_OR_TELLING}}
    if not shares and any(exact[side]["listed"] for side in only):
        _note(log, "overlap, the outcomes of those on one list only", SMALL_OR_TELLING)
    unknown = [exact[side]["unknown"] for side in only]
    bounds_tell = any(0 < count < profile.below for count in unknown)
    return {
        "pooled": _shared(exact["pooled"], profile),
        "per_date": _per_date(exact["per_date"], profile, log),
        **only,
        "hits_difference": rounded(exact["hits_difference"], profile) if shares else None,
        "hits_bounds": [rounded(end, profile) for end in exact["hits_bounds"]] if shares and not bounds_tell else None,
        "who_differs": _who_differs(exact["who_differs"], profile, log),
    }


def _one_only(exact: Mapping[str, Any], profile: Profile) -> Row:
    shown = {name: _count(exact[name], profile, none_is_fine=True) for name in ("listed", "known", "unknown")}
    share = exact["precision"]
    if _is_handful(share, profile):
        return {**shown, "hits": None, "precision": {"value": None, "reason": SMALL_OR_TELLING}}
    return {**shown, "hits": _count(exact["hits"], profile), "precision": _estimate(share, profile, OF_SHARES)}


def _per_date(rows: Sequence[Mapping[str, Any]], profile: Profile, log: list[Row]) -> list[Row]:
    hidden = {name: _hidden([row[name] for row in rows], profile) for name in LISTS}
    shown = []
    for place, row in enumerate(rows):
        kept = {name: None if hidden[name][place] else rounded(row[name], profile) for name in LISTS}
        shown.append(_shared(row, profile, kept))
        if None in kept.values():
            _note(log, f"overlap, {row['as_of_date']}", SMALL_OR_TELLING)
    return shown


def _shared(row: Mapping[str, Any], profile: Profile, kept: Mapping[str, int | None] | None = None) -> Row:
    counts = _list_counts(row, profile) if kept is None else dict(kept)
    shown = {
        "as_of_date": row["as_of_date"],
        **counts,
        "of_first": _share(counts["both"], counts["only_first"]),
        "of_second": _share(counts["both"], counts["only_second"]),
        "jaccard": _share(counts["both"], counts["only_first"], counts["only_second"]),
        "by_chance": None if row["by_chance"] is None else round(row["by_chance"], 2),
        "rank_correlation": _estimate(row["rank_correlation"], profile, OF_SHARES),
    }
    if shown["of_first"] is None or shown["of_second"] is None:
        exact = tuple(row[name] for name in LISTS)
        shown["reason"] = _too_alike(exact, profile) if kept is None else SMALL_OR_TELLING
    return shown


def _list_counts(row: Mapping[str, Any], profile: Profile) -> dict[str, int | None]:
    return {name: _count(row[name], profile, none_is_fine=True) for name in LISTS}


def _too_alike(counts: Sequence[int], profile: Profile) -> str:
    both, *only = counts
    if both + sum(only) == 0:
        return "nobody is on either list"
    if 0 < both < profile.below:
        return f"fewer than {profile.below} are on both"
    return f"all but fewer than {profile.below} are on both"


def _who_differs(rows: Sequence[Mapping[str, Any]], profile: Profile, log: list[Row]) -> list[Row]:
    shown = []
    for by in dict.fromkeys(row["by"] for row in rows):
        table = [dict(row) for row in rows if row["by"] == by]
        for name in LISTS:
            counts = [row[name] for row in table]
            if None in counts:
                continue
            for row, hide in zip(table, _hidden(counts, profile), strict=True):
                row[name] = None if hide else rounded(row[name], profile)
                if hide:
                    _note(log, f"who differs, {by}: {row['group']}", SMALL_OR_TELLING)
        shown += table
    return shown


# ---------------------------------------------------------------- numbers


def _hidden(counts: Sequence[int], profile: Profile) -> list[bool]:
    """Which counts of a column to hide whose total is shown; of a column of nobody, none."""
    return complementary(list(counts), profile) if any(counts) else [False] * len(counts)


def _note(log: list[Row], where: str, why: str) -> None:
    line = {"where": where, "why": why}
    if line not in log:
        log.append(line)


def _count(value: int, profile: Profile, *, none_is_fine: bool = False) -> int | None:
    return 0 if value == 0 and none_is_fine else published_count(value, profile)


def _share(part: int | None, *rest: int | None) -> float | None:
    """A share made of counts that are shown; None where one is not, or there is nobody."""
    counts = [part, *rest]
    whole = sum(count or 0 for count in counts)
    if part is None or any(count is None for count in counts) or not whole:
        return None
    return round(part / whole, 3)
