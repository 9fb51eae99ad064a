"""What the page of an audit says, in plain English. It is made of the published audit and says nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.contrasts import harmful_side
from riskmodels.assessment.audit.counted import unknown_in_words, unknown_on_list
from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.risk_words import (
    NOT_TREATMENT,
    RISKS_ARE_WRONG,
    is_of_risks,
    off_for_everybody,
    only_risks_fail,
)
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, NOT_AUDITED, PASS
from riskmodels.assessment.audit.words import NOUNS, beyond_chance, failures, is_too_few, judged_in_words, per_hundred
from riskmodels.reports.cells import capital, label
from riskmodels.reports.comparison_words import listing

Row = Mapping[str, Any]

# metric -> a heading of its own, and what lies to the left of 1 and to the right for a group's ratio.
METRICS = {
    "recall": ("Found, of those {need}", "found less often", "found more often"),
    "fnr": ("Missed, of those {need}", "missed less often", "missed more often"),
    "fpr": ("Wrongly picked, of those without the outcome", "fewer wrong picks", "more wrong picks"),
    "fdr": ("Wrongly picked, of those on the list", "fewer wrong picks", "more wrong picks"),
    "for": ("Missed, of those not on the list", "missed less often", "missed more often"),
    "precision": ("Rightly picked, of those on the list", "fewer right picks", "more right picks"),
    "selection_rate": ("On the list, of all", "picked less often", "picked more often"),
    "base_rate": ("With the outcome, of all", "less common", "more common"),
    "oe_ratio": ("Cases that came about, for each one predicted", "risks too high", "risks too low"),
    "calibration_slope": ("How far apart the risks are (slope)", "too far apart", "too close together"),
    "auc": ("Pairs put in the right order (AUC)", "", ""),
}
LEFT, RIGHT = "left of 1", "right of 1"  # on which side of equal a ratio lies that is not shown
NEED = {"need": "who needed help", "service": "with the outcome"}

PURPOSES = {
    "assistive": "To be on the list means an offer of help. The harm to look for is to need help and be missed.",
    "punitive": "To be on the list is unwelcome. The harm to look for is to be picked wrongly.",
    "mixed": "To be on the list brings help, and is unwelcome too. To be missed is a harm, and so is to be picked "
    "wrongly.",
}
MEANINGS = {
    FAIL: (
        "A group is treated worse, by more than chance and more than the policy allows",
        "It may go ahead only if each FAIL, and each comparison that could not be judged, is answered by name in the "
        "record of the review, with a reason and an end date.",
    ),
    NOT_AUDITED: (
        "A protected characteristic was left out, and nobody has accepted why",
        "Supply it, or say in the study why it cannot be had. Until then nothing is known of how its groups are "
        "treated.",
    ),
    INSUFFICIENT: (
        "No harm was found, but some comparisons could not be judged: this is not a pass",
        "It may go ahead only if each comparison that could not be judged is answered by name in the record of the "
        "review, with a reason and an end date.",
    ),
    PASS: (
        "Every comparison lies within the limits of the policy",
        "Differences of the size that the policy forbids are ruled out for the groups on this page. It says nothing of "
        "groups or characteristics that are not on it.",
    ),
}
# The ground of the first screen, which has no colour of its own for NOT AUDITED.
GROUNDS = {PASS: "use", FAIL: "do_not_use", INSUFFICIENT: "too_little_data"}
VERDICT_NOTE = (
    "PASS: the whole interval lies within the limits. FAIL: the whole interval lies outside, and the difference "
    "matters. INSUFFICIENT EVIDENCE: the data cannot tell whether there is a difference that is large enough to "
    "matter. It is not a pass."
)
WHAT_ELSE = (
    "Talk with people of the group, and with those who speak for them, before going live. Write down what they said "
    "and what was changed.",
    "Let two reviewers, each by themselves, read a sample of cases from the group, on the list and off it. Compare "
    "how often they would have decided otherwise with a sample of the largest group.",
    "Read complaints, objections and appeals by group, and ask who could not make one.",
    "Pool more years, as long as neither the service nor the records have changed.",
    "Share counts with other areas that use the same list.",
    "State in the decision that the group could not be judged, who accepts this, and on which day it is looked at "
    "again.",
)
METHOD = (
    "A rate is compared as a ratio: that of the group, divided by that of its reference group or of everybody else.",
    "Intervals of ratios are simultaneous: all that belong to one question hold at once, in 95 of 100 such audits. "
    "There are two questions, how groups are treated and what their risks mean. They come from a bootstrap of the "
    "counts, in which rows that belong together (a person, a household) are drawn together.",
    "Intervals of a single group's own rate are plain 95% intervals.",
    "People whose group is not recorded are a group of their own. They are never left out, and no group is guessed.",
    "A single verdict does not say why groups differ, nor that the list does good. It says whether they are treated "
    "alike by the measures of the policy.",
)
SAFEGUARDS = (
    "Whoever thinks that the list got them wrong asks the service that uses it. How to do so, and who answers, stands "
    "in the model card.",
)


# ---------------------------------------------------------------- names


def many(found: Row) -> str:
    """What is counted: people, households, places."""
    return NOUNS[found["level"]]


def needing(found: Row) -> str:
    said = NEED["need" if found["outcome_measures"] == "need" and found["purpose"] == "assistive" else "service"]
    return said if many(found) == "people" else said.replace("who ", "that ")


def title_of(found: Row, attribute: str) -> str:
    """An attribute's name in words; of an intersection, both names."""
    titles = found["titles"]
    return capital(" × ".join(titles.get(part, label(part).lower()) for part in attribute.split(" × ")))


def metric_name(found: Row, metric: str) -> str:
    return METRICS[metric][0].format(need=needing(found)) if metric in METRICS else label(metric)


def sides(metric: str) -> tuple[str, str]:
    """What a ratio below 1 says of a group, and one above."""
    return METRICS[metric][1:] if metric in METRICS else ("lower", "higher")


def against(contrast: Row) -> str:
    return {"others": "everybody else", "prediction": "its own risks"}.get(
        contrast["against"], str(contrast["reference_label"])
    )


# ---------------------------------------------------------------- which groups cannot be judged


def hopeless(found: Row) -> dict[str, list[str]]:
    """attribute -> groups for which nothing could be judged, for want of numbers."""
    judged: dict[tuple[str, str], bool] = {}
    for row in found["contrasts"]:
        if row["family"] == "primary":
            key = row["attribute"], row["label"]
            judged[key] = judged.get(key, False) or not is_too_few(row)
    groups: dict[str, list[str]] = {}
    for (attribute, group), any_judged in judged.items():
        if not any_judged:
            groups.setdefault(attribute, []).append(group)
    return groups


# ---------------------------------------------------------------- natural frequencies


def worst_off(found: Row) -> Row | None:
    """The comparison to show first: a FAIL before others, then the largest ratio. None if there is none.

    Only rates, against a reference group; a FAIL also against everybody else. It may be one whose numbers are not
    shown: no smaller difference takes its place.
    """
    asked = [
        row
        for row in found["contrasts"]
        if row["metric"] in PROPORTIONS and not is_too_few(row)
        if row["verdict"] == FAIL or (row["family"] == "primary" and row["ratio"])
    ]
    order = sorted(asked, key=_first_worst)
    return order[0] if order else None


def _first_worst(row: Row) -> tuple[bool, bool, bool, float]:
    return row["verdict"] != FAIL, not row["ratio"], row["family"] != "primary", -abs(math.log(row["ratio"] or 1))


def frequencies(found: Row, contrast: Row) -> str:
    """A comparison of rates of 100, the group that is worse off first."""
    rows = {(row["attribute"], row["group"]): row for row in found["rows"]}
    metric, noun = contrast["metric"], many(found)
    of, verb, shown = {
        "recall": (f"{noun} {needing(found)}", "the list misses", "fnr"),
        "fpr": (f"{noun} without the outcome", "the list wrongly picks", "fpr"),
        "fdr": (f"{noun} on the list", "it wrongly picked", "fdr"),
        "selection_rate": (noun, "the list picks", "selection_rate"),
    }.get(metric, (noun, f"{metric_name(found, metric).lower()} counts", metric))
    here = _rate(rows.get((contrast["attribute"], contrast["group"])), shown)
    there = _rate(rows.get((contrast["attribute"], contrast["reference"])), shown)
    if contrast["against"] == "others" and here is not None and contrast["gap"] is not None:
        gap = contrast["gap"] if shown == metric else -contrast["gap"]
        there = min(max(here - gap, 0.0), 1.0)
    if contrast["ratio"] is None or here is None or there is None:
        return ""
    other = "among everybody else" if contrast["against"] == "others" else f"in the group {contrast['reference_label']}"
    said = [f"{per_hundred(here)} in the group {contrast['label']}", f"{per_hundred(there)} {other}"]
    return f"Of 100 {of}, {verb} {' and '.join(said if _group_is_worse(found, contrast) else said[::-1])}."


def _group_is_worse(found: Row, contrast: Row) -> bool:
    return (contrast["ratio"] > 1) == (harmful_side(contrast["metric"], found["purpose"]) == "above")


def _rate(row: Row | None, metric: str) -> float | None:
    return None if row is None else row["metrics"].get(metric, {}).get("value")


def how_sure(contrast: Row) -> str:
    if contrast["verdict"] == FAIL:
        return "This is more than chance, and more than the policy allows."
    if contrast["verdict"] == PASS:
        return "This lies within the limits of the policy."
    if beyond_chance(contrast):
        return "It is more than chance, but the data cannot tell whether it is more than the policy allows."
    return "It could be chance: the data cannot tell."


# ---------------------------------------------------------------- the first screen


def summary_of(found: Row) -> dict[str, Any]:
    """The verdict, what follows from it, and the blocks beneath, as the first part of the page."""
    headline, follows = MEANINGS[found["verdict"]]
    only_risks = found["verdict"] == FAIL and only_risks_fail(found["contrasts"])
    if only_risks:
        headline = off_for_everybody(found["contrasts"]) or RISKS_ARE_WRONG
    reasons = (
        judged_in_words(found["judged"]), unknown_in_words(unknown_on_list(found["rows"])),
        NOT_TREATMENT if only_risks else "", *_failed(found), follows,
    )  # fmt: skip
    return {
        "verdict": found["verdict"],
        "recommendation": {
            "code": GROUNDS.get(found["verdict"], "unaudited"),
            "headline": f"{headline}.",
            "reasons": [reason for reason in reasons if reason],
        },
        "blocks": [
            {"id": name, "heading": title, "text": text, "source": "run"}
            for name, title, text in _blocks(found)
            if text
        ],
    }  # fmt: skip


def _failed(found: Row) -> list[str]:
    """The groups that a FAIL is about, each with what is worse for it: how they are treated, then their risks.

    That a score is wrong for everybody is said once, not of each group.
    """
    everybody = off_for_everybody(found["contrasts"])
    failed: dict[bool, dict[str, list[str]]] = {False: {}, True: {}}
    for row in failures(found["contrasts"]):
        if everybody and row["metric"] == "calibration_slope":
            continue
        named = row["worse_off"] or row["label"]
        who = f"{title_of(found, row['attribute'])}: {named}"
        failed[is_of_risks(row)].setdefault(who, []).append(_what_is_worse(found, row, named))
    treated, risks = (
        [f"{who} ({listing(list(dict.fromkeys(said)))})." for who, said in groups.items()]
        for groups in (failed[False], failed[True])
    )
    alone = everybody is not None and only_risks_fail(found["contrasts"])  # then it is the headline
    return [*treated, *([f"{everybody}."] if everybody and not alone else []), *(f"Risks. {line}" for line in risks)]


def _what_is_worse(found: Row, row: Row, named: str) -> str:
    """The side on which the named group lies, which may be the one that is compared with."""
    low, high = sides(row["metric"])
    harm = harmful_side(row["metric"], found["purpose"])
    if harm and row["worse_off"]:
        return high if harm == "above" else low
    if row["ratio"] is None:
        return metric_short(row["metric"])
    return high if (row["ratio"] > 1) == (named == row["label"]) else low


def metric_short(metric: str) -> str:
    """The first words of a metric's name, to stand in a sentence."""
    name = METRICS[metric][0] if metric in METRICS else label(metric)
    return name.partition(",")[0].lower()


def _blocks(found: Row) -> list[tuple[str, str, str]]:
    return [
        ("worst", "The largest difference", _largest(found)),
        ("purpose", "What it is for", f"{found['about'].get('purpose') or ''} {PURPOSES[found['purpose']]}".strip()),
        ("outcome", "The outcome, and what it may miss", _outcome(found)),
        ("unjudged", "Who could not be judged", _unjudged(found)),
        ("left-out", "What was not audited", _left_out(found)),
    ]


def _largest(found: Row) -> str:
    worst = worst_off(found)
    if worst is None:
        return ""
    said = frequencies(found, worst)
    if not said and worst["verdict"] != FAIL:
        return ""
    who = f"{title_of(found, worst['attribute'])}: {worst['worse_off'] or worst['label']}"
    return f"{said or f'{who}. The numbers are not shown, to protect a small one.'} {how_sure(worst)}"


def _outcome(found: Row) -> str:
    said = (
        "The outcome is a service's contact or decision, not need itself. So every verdict is provisional: equal rates "
        "may mean equal attention, not equal need."
        if found["outcome_measures"] == "service"
        else "The outcome is taken to be need itself: whoever needed help and was never recorded is missing here."
    )
    return f"{said} {found['about'].get('misses') or ''}".strip()


def _unjudged(found: Row) -> str:
    named = [
        f"{title_of(found, attribute)}: {listing(groups)}" for attribute, groups in hopeless(found).items()
    ]  # fmt: skip
    return f"Too few for any verdict: {'; '.join(named)}." if named else ""


def _left_out(found: Row) -> str:
    rows: Sequence[Row] = found["not_audited"]
    if not rows:
        return ""
    open_ones = [row["attribute"] for row in rows if not row["accepted"]]
    said = f"{capital(listing([label(row['attribute']).lower() for row in rows]))}."
    return f"{said} {'No reason was accepted for ' + str(len(open_ones)) + ' of them.' if open_ones else ''}".strip()
