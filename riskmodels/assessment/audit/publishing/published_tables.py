"""Disclosure control of the audit's further tables: lists of other lengths, curves, pooled rates.

What is shown of them is made of the numbers that the groups' own rows may show, or of people who are enough by
themselves, so that no hidden number can be found by putting tables together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from riskmodels.assessment.audit.further.pooling import pool_groups
from riskmodels.assessment.audit.further.sweep import TODAY
from riskmodels.assessment.audit.publishing.published_groups import Key, people, rounded_parts
from riskmodels.assessment.audit.publishing.published_numbers import Row, outward, rate_of_counts, rounded_value
from riskmodels.assessment.suppression import SMALL_OR_TELLING, Profile, published_count

Blocks = Mapping[Key, set[str]]

# Cumulative counts of one group: list length -> (with the outcome, without it) on that list. 0 is nobody's list, and
# everybody's is the last.
_Counts = dict[float, tuple[int, int]]
_NOBODY, _EVERYBODY = 0.0, float("inf")


# ---------------------------------------------------------------- lists of other lengths


def publish_sweep(rows: Sequence[Row], groups: Sequence[Row], blocks: Blocks, profile: Profile) -> list[Row]:
    """Show the points of the sweep that give nobody away, and say which are hidden.

    The lists hold one another, so that two points also tell who is on one of them and not on the other. A point is
    shown only if at least ``profile.below`` people with the outcome, and as many without it, lie between it and the
    next point shown on either side, up to nobody and everybody; where people have several rows each, so many times as
    many rows. And where a point is hidden in one group, it is hidden
    in at least one other that has enough people around it: then nothing can be found by subtracting the groups that are
    shown from the whole, since somebody in one of them could as well be in the other.

    Parameters
    ----------
    rows : the sweep, exact; made fit to be shown in place
    groups : the audit's exact rows by group
    blocks : (attribute, group) -> the blocks of its own row that are shown
    """
    by_key = {(row["attribute"], row["group"]): row for row in groups}
    counts: dict[str, dict[str, _Counts]] = {}
    least: dict[str, dict[str, float]] = {}
    for row in rows:
        whole = by_key[row["attribute"], row["group"]]
        ends = {_NOBODY: (0, 0), _EVERYBODY: (whole["positives"], whole["fp"] + whole["tn"])}
        of_group = counts.setdefault(row["attribute"], {}).setdefault(row["group"], ends)
        of_group[row["share"]] = row["tp"], row["fp"]
        least.setdefault(row["attribute"], {})[row["group"]] = profile.below * _rows_per_person(whole)
    shown = {
        attribute: _shown_points(of_groups, {group: blocks[attribute, group] for group in of_groups}, least[attribute])
        for attribute, of_groups in counts.items()
    }
    hidden: dict[Key, list[str]] = {}
    for row in rows:
        key = row["attribute"], row["group"]
        tp, selected = row.pop("tp"), row.pop("selected")
        del row["fp"]
        if row["share"] not in shown[row["attribute"]][row["group"]]:
            hidden.setdefault(key, []).append(f"{row['share']:g}")
            row |= {metric: {"value": None, "reason": SMALL_OR_TELLING} for metric in ("recall", "selection_rate")}
            continue
        hits, misses = (published_count(count, profile) or 0 for count in (tp, by_key[key]["positives"] - tp))
        listed, everybody = (published_count(count, profile) or 0 for count in (selected, by_key[key]["n"]))
        for metric, top, bottom in (("recall", hits, hits + misses), ("selection_rate", listed, everybody)):
            if row[metric]["value"] is not None:
                row[metric] = rate_of_counts(row[metric], top, bottom)
    return [
        {"where": f"sweep, {attribute}: {group}", "what": f"rates at {', '.join(shares)} times the places",
         "why": SMALL_OR_TELLING}
        for (attribute, group), shares in hidden.items()
    ]  # fmt: skip


def _rows_per_person(row: Row) -> float:
    """On average, of those with the outcome, without it, or of all: the most of them."""
    names = ("n", "positives", "fp", "tn")
    return max((row[name] / people(row, name) for name in names if people(row, name)), default=1.0)


def _shown_points(
    counts: Mapping[str, _Counts], blocks: Mapping[str, set[str]], least: Mapping[str, float]
) -> dict[str, set[float]]:
    """The list lengths that are shown of each group of one attribute."""
    shown = {group: _own_points(counts[group], least[group]) if "hits" in blocks[group] else set() for group in counts}
    for share in sorted({share for of_group in counts.values() for share in of_group}):
        having = [group for group in counts if share in shown[group]]
        # Today's list is that of the groups' own rows, which are protected already.
        if share != TODAY and 0 < len(having) < len(counts):
            smallest = min(having, key=lambda group: (counts[group][_EVERYBODY], group))
            shown[smallest].discard(share)
    return shown


def _own_points(counts: _Counts, least: float) -> set[float]:
    """Today's list, and of the others, the nearest first, those with enough people between them and the next."""
    kept = {_NOBODY, TODAY, _EVERYBODY}
    for share in sorted(set(counts) - kept, key=lambda share: (max(share, 1 / share), share)):
        ordered = sorted(kept | {share})
        steps = [step for step in pairwise(ordered) if share in step]
        if all(
            after - before >= least
            for first, second in steps
            for before, after in zip(counts[first], counts[second], strict=True)
        ):
            kept.add(share)
    return kept - {_NOBODY, _EVERYBODY}


# ---------------------------------------------------------------- curves


def publish_curves(rows: Sequence[Row], groups: Sequence[Row], profile: Profile) -> list[Row]:
    """Keep the points that have enough hits and enough misses near them; say of no point how many people those are.

    The numbers of people near neighbouring points would tell, by their difference, of those between. Where people have
    several rows each, enough is so many times as many rows.

    Parameters
    ----------
    groups : the audit's exact rows by group
    """
    log: list[Row] = []
    for row in rows:
        kept = []
        own = [group for group in groups if group["attribute"] == row["attribute"]]
        least = profile.below * max(map(_rows_per_person, own), default=1.0)
        for point in row["points"]:
            hits = point.pop("hits")
            if min(hits, point["n"] - hits) >= least:
                low, high = outward(point["low"], point["high"], places=2)
                ends = {"value": round(point["value"], 2), "low": low, "high": high}
                kept.append({**point, **ends, "n": None if profile.below else point["n"]})
        if len(kept) < len(row["points"]):
            where = f"curves, {row['attribute']}: {row['metric']}"
            log.append({"where": where, "what": "points with few people near", "why": SMALL_OR_TELLING})
            row["reason"] = row["reason"] if kept else SMALL_OR_TELLING
        row["points"] = kept
    return log


# ---------------------------------------------------------------- pooled rates


def publish_pooled(
    rows: Sequence[Row], groups: Mapping[Key, Row], blocks: Blocks, needs: Mapping[str, set[str]]
) -> list[Row]:
    """The rates pooled again, from what is shown of each group alone.

    The mean that groups are drawn towards holds all that are in the pool: with a hidden one among them, it could be
    worked out from the others.

    Parameters
    ----------
    rows : the exact pooled rates
    groups : the published rows by group
    needs : metric -> the blocks that it is made of
    """
    published: list[Row] = []
    for attribute, metric in dict.fromkeys((row["attribute"], row["metric"]) for row in rows):
        own = [row for row in rows if (row["attribute"], row["metric"]) == (attribute, metric)]
        hidden, tops, bottoms = [], np.zeros(len(own)), np.zeros(len(own))
        for place, row in enumerate(own):
            group = groups[attribute, row["group"]]
            reason = row["reason"]
            if needs[metric] <= blocks[attribute, row["group"]] and group["metrics"][metric]["value"] is not None:
                tops[place], bottoms[place] = rounded_parts(group, metric)
            else:
                reason = group["metrics"][metric].get("reason") or reason or SMALL_OR_TELLING
            hidden.append(reason)
        names = [{name: row[name] for name in ("attribute", "group", "label", "metric")} for row in own]
        effects = np.array([1.0 if row["effect"] is None else max(round(row["effect"], 1), 1.0) for row in own])
        reference = next((place for place, row in enumerate(own) if row["is_reference"]), None)
        again = pool_groups(names, tops, bottoms, effects, hidden, reference, own[0]["level"])
        published += [
            {
                name: rounded_value(value) if isinstance(value, float) and name != "level" else value
                for name, value in row.items()
            }
            for row in again
        ]
    return published
