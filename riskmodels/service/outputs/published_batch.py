"""A batch as its report may show it: rounded, without small numbers, nor any that would give one away.

The places are no secret, and so neither is that all of them are filled. Every other count is published by the study's
disclosure profile. Exact counts stand in the list, in the file of rejects, and on the screen of whoever made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.stability_index import stability_index
from riskmodels.assessment.suppression import Profile, first_found_out, published_count, window
from riskmodels.service.outputs.composition import published
from riskmodels.service.outputs.facts import RISK_EDGES, BatchFacts, Tally

EXCLUDED, REJECTED = "excluded", "rejected"
# What of the facts is told otherwise, or not at all.
EXACT = ("households", "no_team", "risks", "trained", "risk_edges")


def published_batch(facts: BatchFacts, profile: Profile) -> dict[str, Any]:
    """`BatchFacts.to_dict` as the report may show it.

    Counts of people are rounded, or None; ``households`` and ``no_team`` are left out where there is nobody. Added:
    ``full``, whether every place is filled; ``too_few_explained``, whether somebody listed has no reasons; ``left_off``
    and ``not_scored``, {any, count} of the exclusions and the rejects together; ``risk_bins``, rows {low, high, n,
    of_100, of_100_before}, ranges joined until each holds enough people, so that none is hidden; ``drift``, {words,
    value, reason}, None if one of the two spreads is not known; ``profile``, {below, base}.
    """
    fates = {"not_reached": facts.not_reached}
    # Nobody of these is not told of at all, so that there is no small count to hide.
    fates |= {name: count for name in ("households", "no_team") if (count := getattr(facts, name))}
    fates |= {f"{EXCLUDED} {place}": tally.count for place, tally in enumerate(facts.excluded)}
    rejects = {f"{REJECTED} {place}": tally.count for place, tally in enumerate(facts.rejected)}
    hidden = _hidden(facts, fates, rejects, profile)
    shown = {
        name: None if name in hidden else published_count(count, profile) for name, count in (fates | rejects).items()
    }
    plain = {name: value for name, value in facts.to_dict().items() if name not in EXACT}
    drift = stability_index(facts.trained, facts.risks) if facts.trained and facts.risks else None
    full = facts.listed == facts.places
    listed = facts.listed if full else published_count(facts.listed, profile)
    return {
        **plain,
        "rows_in": published_count(facts.rows_in, profile),
        "scored": published_count(facts.scored, profile),
        "listed": listed,
        "full": full,
        "explained": listed if facts.explained == facts.listed else published_count(facts.explained, profile),
        "too_few_explained": facts.explained < facts.listed,
        **{name: shown[name] for name in fates if not name.startswith(EXCLUDED)},
        "excluded": _tallies(facts.excluded, shown, EXCLUDED),
        "rejected": _tallies(facts.rejected, shown, REJECTED),
        "left_off": _sum(facts.excluded, profile),
        "not_scored": _sum(facts.rejected, profile),
        "teams": _teams(facts, profile),
        "bands": _bands(facts, profile),
        "risk_bins": _risk_bins(facts, profile),
        "drift": drift and {"words": drift.words, "value": drift.value, "reason": drift.reason},
        "profile": {"below": profile.below, "base": profile.base},
    }


def _tallies(tallies: Sequence[Tally], shown: Mapping[str, int | None], what: str) -> list[dict[str, Any]]:
    return [
        {"words": tally.words, "count": shown[f"{what} {place}"], "owner": tally.owner}
        for place, tally in enumerate(tallies)
    ]


def _sum(tallies: Sequence[Tally], profile: Profile) -> dict[str, Any]:
    count = sum(tally.count for tally in tallies)
    return {"any": count > 0, "count": published_count(count, profile)}


# ---------------------------------------------------------------- what became of everybody


def _hidden(facts: BatchFacts, fates: Mapping[str, int], rejects: Mapping[str, int], profile: Profile) -> set[str]:
    """Which of the counts to hide from somebody who puts the whole page together.

    Known are the list (exactly), the rounded totals of all rows, of all who were scored, left off and not scored, and
    every rounded count that is shown. What small ones can then still be is found by linear programming
    (`riskmodels.assessment.suppression.first_found_out`); while one is found too closely, the smallest that is shown is
    hidden too. People without a team stand in the table of the teams as well, so hiding them here would be for nothing.
    """
    counts = {**fates, **rejects}
    names, rules = list(counts), [name for name in fates if name.startswith(EXCLUDED)]
    hidden = {name for name, count in counts.items() if count < profile.below}
    while True:
        small = [name for name in names if name in hidden and counts[name] < profile.below]
        cells = {name: np.eye(len(names))[place] for place, name in enumerate(names)}
        # Sums that the page tells rounded, and what of each is known exactly beside these counts.
        known = [(list(fates), facts.listed), (names, facts.listed), (rules, 0), (list(rejects), 0)]
        known += [([name], 0) for name in names if name not in hidden]
        sums: list[np.ndarray] = []
        windows: list[tuple[int, int | None]] = []
        for some, beside in known:
            if some:
                least, most = window(sum(counts[name] for name in some) + beside, profile)
                sums.append(np.sum([cells[name] for name in some], axis=0))
                windows.append((max(0, least - beside), max(0, most - beside)))
        sums += [cells[name] for name in small]
        windows += [(0, profile.below - 1)] * len(small)
        rest = [name for name in names if name not in hidden and name != "no_team"]
        if not small or not rest:
            return hidden
        if first_found_out(np.array(sums), windows, np.array([cells[name] for name in small]), profile) is None:
            return hidden
        hidden.add(min(rest, key=lambda name: counts[name]))


# ---------------------------------------------------------------- teams, bands, risks


def _teams(facts: BatchFacts, profile: Profile) -> list[dict[str, Any]]:
    """As a characteristic of a file of groups would be shown, which may be the teams or lie within them."""
    counts = {str(place): [team.scored, team.listed] for place, team in enumerate(facts.teams)}
    rows = published("team", counts, profile) if counts else []
    return [
        {"team": team.team, "places": team.places, "scored": row.scored, "listed": row.listed}
        for team, row in zip(facts.teams, rows, strict=True)
    ]


def _bands(facts: BatchFacts, profile: Profile) -> list[dict[str, Any]]:
    counts = {band.band: [band.scored, band.listed] for band in facts.bands}
    rows = published("band", counts, profile) if counts else []
    return [
        {"band": band.band, "starts": band.starts, "scored": row.scored, "listed": row.listed}
        for band, row in zip(facts.bands, rows, strict=True)
    ]


def _risk_bins(facts: BatchFacts, profile: Profile) -> list[dict[str, Any]]:
    """Neighbouring ranges joined until each holds enough people of the batch, and of the test or nobody of it."""
    if not sum(facts.risks):
        return []
    before = facts.trained if sum(facts.trained) else (0,) * len(facts.risks)
    joined: list[list[float]] = []
    for low, high, now, earlier in zip(RISK_EDGES, RISK_EDGES[1:], facts.risks, before, strict=False):
        if joined and not _is_enough(joined[-1], facts, profile):
            joined[-1] = [joined[-1][0], high, joined[-1][2] + now, joined[-1][3] + earlier]
        else:
            joined.append([low, high, now, earlier])
    while len(joined) > 1 and not _is_enough(joined[-1], facts, profile):
        last = joined.pop()
        joined[-1] = [joined[-1][0], last[1], joined[-1][2] + last[2], joined[-1][3] + last[3]]
    if not joined or not _is_enough(joined[0], facts, profile):
        return []
    counts = [[published_count(int(count), profile) or 0 for count in row[2:]] for row in joined]
    totals = [sum(column) for column in zip(*counts, strict=True)]
    return [
        {
            "low": row[0],
            "high": row[1],
            "n": now,
            "of_100": round(100 * now / totals[0], 1),
            "of_100_before": round(100 * earlier / totals[1], 1) if totals[1] else None,
        }
        for row, (now, earlier) in zip(joined, counts, strict=True)
    ]


def _is_enough(row: Sequence[float], facts: BatchFacts, profile: Profile) -> bool:
    return row[2] >= profile.below and (row[3] >= profile.below or not sum(facts.trained))
