"""Disclosure control: an audit made fit to be shown. The rules themselves stand in `suppression`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.audit.further.exclusions import exclusions_in_words
from riskmodels.assessment.audit.publishing.published_contrasts import Whole, publish_contrast, publish_p_values, wholes
from riskmodels.assessment.audit.publishing.published_groups import BOTH, NEEDS, Key, choose, publish_row
from riskmodels.assessment.audit.publishing.published_numbers import Row, outward, rounded_value
from riskmodels.assessment.audit.publishing.published_tables import publish_curves, publish_pooled, publish_sweep
from riskmodels.assessment.audit.words import NOUNS, in_words
from riskmodels.assessment.suppression import PROFILES, Profile, hidden_rows, not_shown, published_count, would_show


def publish(audit: Mapping[str, Any], profile: Profile | str = "sro-10") -> tuple[Row, tuple[Row, ...]]:
    """An exact audit as it may be shown, and the list of what was hidden.

    Each group's numbers come in blocks: its size; how many had the outcome and were selected; how many of those with
    the outcome were selected; how many of those without. A block is shown only if none of its counts, nor what they
    leave over, is small, in rows or in people, and if no hidden number can then be worked out. Rates and their
    intervals are made of the rounded counts; other intervals are rounded so that their width does not tell of the exact
    ones. Verdicts are the exact audit's.

    Parameters
    ----------
    audit : `Audit.to_dict()`; one that was published before passes unchanged
    profile : a profile, or the name of one as in ``study.disclosure``

    Returns
    -------
    the published audit, with ``disclosure`` naming the profile; and rows {where, what, why}
    """
    if "disclosure" in audit:
        return copy.deepcopy(dict(audit)), ()
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    published: Row = copy.deepcopy(dict(audit))
    noun = NOUNS[published["level"]]
    blocks, why, log = choose(published["rows"], profile, noun)
    log += publish_sweep(published["sweep"], audit["rows"], blocks, profile)
    log += publish_curves(published["curves"], audit["rows"], profile)
    behind, everybody = _by_key(audit["rows"]), wholes(audit["rows"], profile)
    for name in ("n", "known", "units"):
        published[name] = published_count(published[name], profile)
    # To the nearest even tenth: more digits would be a fingerprint of the exact table.
    published["critical_values"] = {
        name: round(round(width * 5) / 5, 1) for name, width in audit["critical_values"].items()
    }
    for row in published["rows"]:
        key = row["attribute"], row["group"]
        publish_row(row, blocks[key], why[key], profile)
    shown = _by_key(published["rows"])
    for contrast in published["contrasts"]:
        log += publish_contrast(contrast, shown, behind, blocks, everybody, published["critical_values"], profile)
    publish_p_values(published["contrasts"], audit["contrasts"])
    _publish_composition(published["composition"], shown, everybody, blocks, why)
    _publish_shares(published, everybody, blocks, why, profile)
    published["pooled"] = publish_pooled(published["pooled"], shown, blocks, NEEDS)
    if published["after_exclusions"] is not None:
        log += _publish_exclusions(published, blocks, profile, noun)
    published["in_words"] = list(
        in_words(
            published["rows"], published["contrasts"], published["titles"], purpose=published["purpose"],
            measures=published["outcome_measures"], noun=noun, judged=published["judged"],
            provisional=published["provisional"],
        )
    )  # fmt: skip
    published["disclosure"] = {"profile": profile.name, "below": profile.below, "rounded_to": profile.base}
    return published, tuple(log)


# ---------------------------------------------------------------- shares


def _by_key(rows: Sequence[Row]) -> dict[Key, Row]:
    return {(row["attribute"], row["group"]): row for row in rows}


def _publish_composition(
    rows: Sequence[Row],
    shown: Mapping[Key, Row],
    everybody: Mapping[str, Whole],
    blocks: Mapping[Key, set[str]],
    whys: Mapping[Key, str],
) -> None:
    """Each group's share of the cohort, of the list and of those with the outcome.

    Its published count over the rounded whole: nothing new to a reader who knows both.
    """
    made_of = {"in_cohort": "n", "on_list": "selected", "in_need": "positives"}
    for row in rows:
        key = row["attribute"], row["group"]
        for name, count in made_of.items():
            own, whole = shown[key][count], everybody[row["attribute"]].counts[count]
            row[name] = None if own is None or row[name] is None or not whole else rounded_value(min(own / whole, 1.0))
        if "margins" not in blocks[key]:
            row["reason"] = whys[key]


def _publish_shares(
    audit: Row,
    everybody: Mapping[str, Whole],
    blocks: Mapping[Key, set[str]],
    whys: Mapping[Key, str],
    profile: Profile,
) -> None:
    """Areas and shares that speak of a hidden group."""
    for row in audit["proxies"]:
        key = row["attribute"], row["group"]
        if "size" not in blocks[key]:
            row |= {"auc_score": None, "auc_features": None, "flagged": False, "reason": whys[key]}
            row |= {"carried_by": []} if "carried_by" in row else {}
        for name in ("auc_score", "auc_features"):
            row[name] = None if row.get(name) is None else round(row[name], 2)
        for part in row.get("carried_by", ()):
            part["share"] = round(part["share"], 2)
    for row in audit["missing"]:
        of_attribute = [shown for (attribute, _), shown in blocks.items() if attribute == row["attribute"]]
        if row["share"] and not all("size" in shown for shown in of_attribute):
            row |= {"share": None, "reason": would_show(profile)}
        if row["bounds"] and not all(shown >= BOTH for shown in of_attribute):
            row |= {"bounds": None, "reason": would_show(profile)}
        if row["share"]:
            row["share"] = _coarse(row["share"], everybody[row["attribute"]], profile)
        for bound in row["bounds"] or ():
            bound["low"], bound["high"] = outward(bound["low"], bound["high"], places=2)


def _coarse(share: float, whole: Whole, profile: Profile) -> float:
    """A share of the people, the list, or those with or without the outcome, no finer than their rounded counts."""
    counts = whole.counts
    smallest = min(counts["n"], counts["selected"], counts["positives"], counts["fp"] + counts["tn"])
    step = max(0.01, profile.base / max(smallest, profile.base))
    return round(min(max(round(share / step), 1) * step, 1.0), 2)


# ---------------------------------------------------------------- after exclusions


def _publish_exclusions(audit: Row, blocks: Mapping[Key, set[str]], profile: Profile, noun: str) -> list[Row]:
    """The verdicts on the list after exclusions, and numbers where enough people of a group are excluded.

    The list as it was is published too: what has changed between them must not tell of a few.
    """
    after: Row = audit["after_exclusions"]
    counts = after.pop("counts")
    of_list, why, _ = choose(counts, profile, noun)
    behind, everybody, exact = (
        _by_key(copy.deepcopy(counts)),
        wholes(counts, profile),
        copy.deepcopy(after["contrasts"]),
    )
    log, told = _publish_rates(after["excluded"], blocks, profile, noun)
    both = {key: shown & blocks[key] if key in told else set() for key, shown in of_list.items()}
    for row in counts:
        key = row["attribute"], row["group"]
        publish_row(row, both[key], why[key], profile)
    shown = _by_key(counts)
    for contrast in after["contrasts"]:
        log += [
            line | {"where": f"after_exclusions: {line['where']}"}
            for line in publish_contrast(contrast, shown, behind, both, everybody, audit["critical_values"], profile)
        ]
    publish_p_values(after["contrasts"], exact)
    after["in_words"] = exclusions_in_words(after, audit["contrasts"], audit["titles"], noun)
    return log


def _publish_rates(
    rows: Sequence[Row], blocks: Mapping[Key, set[str]], profile: Profile, noun: str
) -> tuple[list[Row], set[Key]]:
    """Each group's share of people excluded, hidden where they, or those who are not, are few; and whose are shown."""
    log: list[Row] = []
    told: set[Key] = set()
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        table = np.array([[row["excluded"], row["n"] - row["excluded"]] for row in own])
        no_size = np.array(["size" not in blocks[attribute, row["group"]] for row in own])
        hidden, protecting = hidden_rows(table, profile, no_size)
        for row, hide, protects in zip(own, hidden, protecting, strict=True):
            out, n = (published_count(row.pop(name), profile) for name in ("excluded", "n"))
            if hide or out is None or not n:
                row |= {"rate": None, "reason": would_show(profile) if protects else not_shown(profile, noun)}
                where = f"after_exclusions: excluded, {attribute}: {row['group']}"
                log.append({"where": where, "what": "the share", "why": row["reason"]})
            else:
                row["rate"] = round(out / n, 2)
                told.add((attribute, row["group"]))
    return log, told
