"""What the card advises: use it, use it with conditions, a simple rule instead, too little data, or do not use.

`RULES` stand in order. Each looks at the evidence and says nothing or gives its advice; the first to speak decides, and
everything the others found stands beside it as a reason. Some findings must be read before any list is used, whichever
rule decides: their caution stands on the first line with the advice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.card import Code, Recommendation
from riskmodels.cards.evidence import Evidence
from riskmodels.cards.words import day
from riskmodels.data.leakage import HARD
from riskmodels.study import BASELINES

FEWEST_EVENTS = 100
WIDEST_AUC = 0.15
NO_BETTER_THAN_CHANCE = 0.51
MOST_UNKNOWN = 0.10
MOST_NAMED = 2  # groups, on the first line
MOST_CAUTIONS = 2  # on the first line; more would hide the advice
CALIBRATION_METRICS = ("oe_ratio", "calibration_slope")
BREAK_SPANNED = "break_spanned"


@dataclass(frozen=True)
class Advice:
    """What one rule says.

    ``headline``: the first line, if this rule decides. ``caution``: what belongs on the first line whoever decides.
    ``whole``: there is no list to be careful with, so the headline stands alone.
    """

    code: Code
    headline: str
    reason: str
    caution: str | None = None
    whole: bool = False


# ---------------------------------------------------------------- no list


def leaks(evidence: Evidence) -> Advice | None:
    found = [check for check in evidence.concerns if check in HARD and not evidence.concerns[check]]
    if not found:
        return None
    return Advice(
        "do_not_use",
        "Do not use this. The data let the model see the future.",
        "A leak was found, so no figure here can be trusted.",
        whole=True,
    )


INSTEAD = "Use a simple rule, look at areas, or pool data with neighbours."


def too_few_events(evidence: Evidence) -> Advice | None:
    """Fewer than 100 events to learn from or to test on, or an AUC known no better than within 0.15."""
    reason = None
    for events, what in ((evidence.fit_events, "learn from"), (evidence.test_events, "test on")):
        if reason is None and events is not None and events < FEWEST_EVENTS:
            reason = f"There are fewer than {FEWEST_EVENTS} cases to {what}."
    low, high = evidence.auc_low, evidence.auc_high
    if reason is None and low is not None and high is not None and high - low > WIDEST_AUC:
        reason = "The test cannot tell a good model from a poor one."
    if reason is None:
        return None
    if evidence.level == "person":
        headline = f"There is too little data to list named people. {INSTEAD}"
        return Advice("too_little_data", headline, reason, whole=True)
    headline = "There is too little data for this question. Do not use the list."
    return Advice("too_little_data", headline, f"{reason} {INSTEAD}", whole=True)


def no_discrimination(evidence: Evidence) -> Advice | None:
    """The AUC's interval reaches a coin's, or the same risk for all did as well."""
    headline = "Do not use this. The model does no better than chance."
    if evidence.family == "base_rate" and evidence.others_better:
        # What won on the rows kept for choosing did not win on the test, and the test is not for choosing.
        return Advice(
            "too_little_data",
            "Too little data to choose how to make the list: do not use this yet.",
            "On the test some ways beat the same risk for all, but not the one that was chosen before it. Choose "
            "on more data.",
            whole=True,
        )
    if evidence.family == "base_rate":
        return Advice("do_not_use", headline, "No way that we tried beat the same risk for all.", whole=True)
    if evidence.auc_low is not None and evidence.auc_low <= NO_BETTER_THAN_CHANCE:
        return Advice("do_not_use", headline, "It may put them in no better order than a coin would.", whole=True)
    return None


# ---------------------------------------------------------------- a list that must not be used as it stands


def failed_audit(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "FAIL":
        return None
    names = list(dict.fromkeys(row["who"] for row in evidence.failed))
    only_risks = bool(names) and all(row["metric"] in CALIBRATION_METRICS for row in evidence.failed)
    how = "Its risks are wrong for" if only_risks else "It treats"
    worse = "" if only_risks else " worse"
    of = "one group" if len(names) == 1 else "some groups"
    more = "; and others" if len(names) > MOST_NAMED else ""
    who = f" ({'; '.join(names[:MOST_NAMED])}{more})" if names else ""
    headline = f"Do not use this list as it stands. {how} {of}{worse}{who}."
    return Advice(
        "do_not_use", headline, "The fairness audit found harm. Each finding must be put right, or answered by name."
    )


def wrong_risks(evidence: Evidence) -> Advice | None:
    """Observed to expected outside the study's floors: on the whole, or at the end of the test dates.

    At the end means on the latest of several dates: with its whole interval, or as the end of a move that is more than
    chance. Of a handful of events O/E says nothing.
    """
    if evidence.test_events is not None and evidence.test_events < FEWEST_EVENTS:
        return None
    dates = [row for row in evidence.oe_by_date if row.get("value") is not None]
    moved = _moved(dates) if evidence.decays is None else evidence.decays
    last = dates[-1] if len(dates) > 1 else None
    gone = None
    if last is not None and (moved or _surely_outside(last, evidence.oe_floors)):
        gone = _outside(last["value"], evidence.oe_floors)
    overall = _outside(evidence.oe_ratio, evidence.oe_floors)
    if gone is None and overall is None:
        return None
    said = f"They have become {gone}." if gone and (moved or not overall) else f"They are {gone or overall}."
    reason = f"{_trend(dates) if last else ''} Correct them on newer data, and test again."
    return Advice("do_not_use", f"Do not use this list until its risks are corrected. {said}", reason.strip())


def _outside(value: float | None, floors: tuple[float, float]) -> str | None:
    """What is wrong with risks of this O/E, if anything."""
    if value is None or floors[0] <= value <= floors[1]:
        return None
    return "too high" if value < floors[0] else "too low"


def _surely_outside(row: Mapping[str, Any], floors: tuple[float, float]) -> bool:
    low, high = row.get("low"), row.get("high")
    return low is not None and high is not None and (high < floors[0] or low > floors[1])


def _moved(dates: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the intervals of the first and the last test date do not touch."""
    if len(dates) < 2 or any(dates[end].get(side) is None for end in (0, -1) for side in ("low", "high")):
        return False
    return bool(dates[0]["high"] < dates[-1]["low"] or dates[-1]["high"] < dates[0]["low"])


def _trend(dates: Sequence[Mapping[str, Any]]) -> str:
    first, last = ((f"{100 * row['value']:.0f}", day(row["as_of_date"])) for row in (dates[0], dates[-1]))
    return f"For 100 cases that the risks foresaw, {first[0]} came about on {first[1]} and {last[0]} on {last[1]}."


def not_audited(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "NOT AUDITED":
        return None
    headline = "Do not use this yet. It was not audited in full."
    return Advice("do_not_use", headline, "A protected group was not checked, and nobody has said why.")


# ---------------------------------------------------------------- something simpler


AREA = "The area alone does as well as the complex model. Target areas, not people."
SIMPLE = {
    "points": "A points tally does as well as the complex model: use the tally.",
    "place_only": AREA,
    "current_practice": "Today's way of choosing does as well as the complex model: keep it.",
}


RULES_IN_WORDS = {
    "points": "the points tally", "place_only": "the area alone", "current_practice": "today's way of choosing",
}  # fmt: skip


def simple_rule(evidence: Evidence) -> Advice | None:
    """A baseline was chosen, or the gain over the best one does not clear the study's floor."""
    if evidence.family == "base_rate":
        return None  # said by no_discrimination
    if evidence.family in BASELINES:
        rule = evidence.family
    elif evidence.gain_low is None or evidence.gain_low <= evidence.gain_floor:
        rule = evidence.baseline
    else:
        return None
    if rule == "base_rate":
        return Advice(
            "do_not_use",
            "Do not use this. The model does no better than chance.",
            "The same risk for all did as well.",
            whole=True,
        )
    column = evidence.column or "one column"
    headline = SIMPLE.get(rule, f"A simple sort by {column} does as well as the complex model: use that.")
    if evidence.area_alone:  # a list by ward is a choice of wards, whatever rule made it
        headline = AREA
    if evidence.level != "person":
        headline = headline.replace(", not people", "")
    if evidence.others_better:
        return Advice(
            "simple_rule",
            f"For now, use {RULES_IN_WORDS.get(rule, f'a simple sort by {column}')}. On the test a complex model did "
            "better: choose again on more data.",
            "The test is not for choosing.",
        )
    than = "chance" if evidence.gain_floor <= 0 else "the study asks of it"
    return Advice("simple_rule", headline, f"No complex model beat the simple rule by more than {than}.")


# ---------------------------------------------------------------- conditions


TERMS = "Use the list to help staff decide, but only on terms that you set."
A_PILOT = "A pilot is the most that it can have, on terms that you set."
# No condition decides unless the rules before it found a real gain.
BETTER = "The list does better than a simple rule."


def never_tested_on_the_present(evidence: Evidence) -> Advice | None:
    if BREAK_SPANNED not in evidence.concerns:
        return None
    return Advice(
        "use_with_conditions",
        A_PILOT,
        "Things changed after the last test. Test again once there are results from after the change.",
        "This list was never tested on the present: do not go live.",
    )


def most_outcomes_unknown(evidence: Evidence) -> Advice | None:
    if evidence.unknown_share <= MOST_UNKNOWN:
        return None
    return Advice(
        "use_with_conditions",
        TERMS,
        "Find out what became of those with no result, or judge by the ranges below.",
        "How often the list is right is known only within a range.",
    )


def provisional_verdicts(evidence: Evidence) -> Advice | None:
    if not evidence.provisional:
        return None
    return Advice(
        "use_with_conditions",
        TERMS,
        "Those in need who met no service count here as not in need.",
        "The outcome is contact with a service. It misses need that no service saw, so no verdict on fairness is "
        "final.",
    )


def overruled_checks(evidence: Evidence) -> Advice | None:
    if not any(check in HARD and why for check, why in evidence.concerns.items()):
        return None
    return Advice(
        "use_with_conditions",
        TERMS,
        "A check of the data raised a concern, which was accepted with a reason.",
        "A check that stops a run was overruled: take no figure on trust.",
    )


def audit_cannot_tell(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "INSUFFICIENT EVIDENCE":
        return None
    return Advice(
        "use_with_conditions",
        f"{BETTER} {TERMS}",
        "Somebody must answer by name for each group that got no verdict.",
    )


def unanswered_concerns(evidence: Evidence) -> Advice | None:
    if all(evidence.concerns.values()):
        return None
    return Advice(
        "use_with_conditions",
        f"{BETTER} {TERMS}",
        "A check of the data raised a concern that nobody has answered. No list until it is.",
    )


def better_than_a_simple_rule(evidence: Evidence) -> Advice | None:
    if evidence.gain_low is None or evidence.family in BASELINES or evidence.gain_low <= evidence.gain_floor:
        return None
    return Advice(
        "use",
        f"{BETTER} Use it to help staff decide.",
        "It beats the best simple rule by more than chance.",
    )


RULES: tuple[Callable[[Evidence], Advice | None], ...] = (
    leaks,
    too_few_events,
    no_discrimination,
    failed_audit,
    wrong_risks,
    not_audited,
    simple_rule,
    never_tested_on_the_present,
    most_outcomes_unknown,
    provisional_verdicts,
    overruled_checks,
    audit_cannot_tell,
    unanswered_concerns,
    better_than_a_simple_rule,
)


def recommend(evidence: Evidence) -> Recommendation:
    """The advice: the first rule that speaks decides, every reason found is kept."""
    advice = [found for rule in RULES if (found := rule(evidence)) is not None]
    lead = advice[0]
    cautions = [one.caution for one in advice if one.caution]
    said = [] if lead.whole else cautions[:MOST_CAUTIONS]
    # What speaks for a model is no reason against it; a caution that the first line does not hold is one.
    kept = [one for one in advice if one.code != "use" or lead.code.startswith("use")]
    reasons = [
        one.reason if one.caution is None or one.caution in said else f"{one.caution} {one.reason}" for one in kept
    ]
    # What to do comes first; what to mind while doing it stands beside it.
    headline = " ".join([lead.headline, *said])
    return Recommendation(code=lead.code, headline=headline, reasons=tuple(dict.fromkeys(reasons)))
