"""What the card advises: use it, use it with conditions, a simple rule instead, too little data, or do not use.

`RULES` stand in order. Each looks at the evidence and says nothing or gives its advice; the first to speak decides, and
everything the others found stands beside it as a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskmodels.cards.card import Code, Recommendation
from riskmodels.data.leakage import HARD
from riskmodels.study import BASELINES

FEWEST_EVENTS = 100
WIDEST_AUC = 0.15
NO_BETTER_THAN_CHANCE = 0.51
MOST_UNKNOWN = 0.10
CALIBRATION_METRICS = ("oe_ratio", "calibration_slope")


@dataclass(frozen=True)
class Evidence:
    """What the advice rests on. Numbers are as published in the card; None where there is none.

    ``gain_low``: lower 95% limit of the gain of the chosen family over the best baseline, in the study's criterion.
    ``failed``: contrasts of the audit that failed, each {who, metric}.
    """

    family: str
    baseline: str
    gain_low: float | None
    gain_floor: float
    auc_low: float | None
    auc_high: float | None
    oe_ratio: float | None
    oe_floors: tuple[float, float]
    last_oe: tuple[float, float] | None = None  # interval on the latest of several test dates
    test_events: int | None = None
    fit_events: int | None = None
    verdict: str = "PASS"
    failed: tuple[Mapping[str, str], ...] = ()
    provisional: bool = False
    unknown_share: float = 0.0
    concerns: Mapping[str, str | None] = field(default_factory=dict)  # check -> the reason it was accepted for
    column: str | None = None  # words of the single best column
    level: str = "person"
    others_better: bool = False  # a family that was not chosen beat the best baseline on the test, beyond chance


Advice = tuple[Code, str, str]  # code, headline, reason


def leaks(evidence: Evidence) -> Advice | None:
    found = [check for check in evidence.concerns if check in HARD and not evidence.concerns[check]]
    if not found:
        return None
    return (
        "do_not_use",
        "Do not use this. The data let the model see the future.",
        "A leak was found, so no figure here can be trusted.",
    )


def too_few_events(evidence: Evidence) -> Advice | None:
    """Fewer than 100 events to learn from or to test on, or an AUC known no better than within 0.15."""
    headline = "There is too little data for this question. Do not use a list of named people."
    if evidence.level != "person":
        headline = "There is too little data for this question. Do not use the list."
    instead = "Use a simple rule, look at areas, or pool data with neighbours."
    for events, what in ((evidence.fit_events, "learn from"), (evidence.test_events, "test on")):
        if events is not None and events < FEWEST_EVENTS:
            return "too_little_data", headline, f"There are fewer than {FEWEST_EVENTS} cases to {what}. {instead}"
    if (
        evidence.auc_low is not None
        and evidence.auc_high is not None
        and evidence.auc_high - evidence.auc_low > WIDEST_AUC
    ):
        return "too_little_data", headline, f"The test cannot tell a good model from a poor one. {instead}"
    return None


def no_discrimination(evidence: Evidence) -> Advice | None:
    """The AUC's interval reaches a coin's, or the same risk for all did as well."""
    headline = "Do not use this. The model does no better than chance."
    if evidence.family == "base_rate" and evidence.others_better:
        # What won on the rows kept for choosing did not win on the test, and the test is not for choosing.
        return (
            "too_little_data",
            "Too little data to choose how to make the list: do not use this yet.",
            "On the test some ways beat the same risk for all, but not the one that was chosen before it. Choose "
            "on more data.",
        )
    if evidence.family == "base_rate":
        return "do_not_use", headline, "No way that we tried beat the same risk for all."
    if evidence.auc_low is not None and evidence.auc_low <= NO_BETTER_THAN_CHANCE:
        return "do_not_use", headline, "It may put them in no better order than a coin would."
    return None


def failed_audit(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "FAIL":
        return None
    names = list(dict.fromkeys(row["who"] for row in evidence.failed))
    only_risks = bool(names) and all(row["metric"] in CALIBRATION_METRICS for row in evidence.failed)
    how = "Its risks are wrong for" if only_risks else "It treats"
    worse = "" if only_risks else " worse"
    headline = f"Do not use this list as it stands. {how} some groups{worse}."
    if len(names) == 1:
        headline = f"Do not use this list as it stands. {how} one group{worse} ({names[0]})."
    return "do_not_use", headline, "The fairness audit found harm. Each finding must be put right, or answered by name."


def wrong_risks(evidence: Evidence) -> Advice | None:
    """Observed to expected outside the study's floors, on the whole or beyond doubt on the latest date."""
    low, high = evidence.oe_floors
    value = evidence.oe_ratio
    if value is not None and not low <= value <= high:
        how = "too high" if value < low else "too low"
        return (
            "do_not_use",
            f"Do not use this list until its risks are corrected. They are {how}.",
            f"The risks are {how} on the whole.",
        )
    if evidence.last_oe is not None and (evidence.last_oe[1] < low or evidence.last_oe[0] > high):
        how = "too high" if evidence.last_oe[1] < low else "too low"
        headline = f"Do not use this list until its risks are corrected. They have become {how}."
        return "do_not_use", headline, f"On the latest test date the risks are {how}. They have drifted."
    return None


def not_audited(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "NOT AUDITED":
        return None
    headline = "Do not use this yet. It was not audited in full."
    return "do_not_use", headline, "A protected group was not checked, and nobody has said why."


SIMPLE = {
    "points": "A points tally does as well as the complex model: use the tally.",
    "place_only": "The area alone does as well as the complex model: target areas, not people.",
    "current_practice": "Today's way of choosing does as well as the complex model: keep it.",
}


def simple_rule(evidence: Evidence) -> Advice | None:
    """A baseline was chosen, or the gain over the best one does not clear the study's floor."""
    if evidence.family in BASELINES:
        rule = evidence.family
    elif evidence.gain_low is None or evidence.gain_low <= evidence.gain_floor:
        rule = evidence.baseline
    else:
        return None
    if rule == "base_rate":
        if evidence.others_better:
            return None  # said by no_discrimination, and the next line would deny it
        return (
            "do_not_use",
            "Do not use this. The model does no better than chance.",
            "The same risk for all did as well.",
        )
    column = evidence.column or "one column"
    headline = SIMPLE.get(rule, f"A simple sort by {column} does as well as the complex model: use that.")
    if evidence.level != "person":
        headline = headline.replace(", not people", "")
    if evidence.others_better:
        return "simple_rule", headline, "A complex model did better on the test only. Choose again on more data."
    return "simple_rule", headline, "No complex model beat the simple rule by more than chance."


def most_outcomes_unknown(evidence: Evidence) -> Advice | None:
    if evidence.unknown_share <= MOST_UNKNOWN:
        return None
    return _with_conditions("Find out what became of those with no result, or judge by the ranges below.")


def provisional_verdicts(evidence: Evidence) -> Advice | None:
    if not evidence.provisional:
        return None
    return _with_conditions("The outcome is contact with a service, not need. Every verdict is provisional.")


def audit_cannot_tell(evidence: Evidence) -> Advice | None:
    if evidence.verdict != "INSUFFICIENT EVIDENCE":
        return None
    return _with_conditions("Some groups are too small to judge. Somebody must answer for each by name.")


def accepted_concerns(evidence: Evidence) -> Advice | None:
    found = [check for check in evidence.concerns if check in HARD and evidence.concerns[check]]
    return (
        _with_conditions("A check of the data raised a concern, which was accepted with a reason.") if found else None
    )


def unanswered_concerns(evidence: Evidence) -> Advice | None:
    if all(evidence.concerns.values()):
        return None
    return _with_conditions("A check of the data raised a concern that nobody has answered. No list until it is.")


def never_tested_on_the_present(evidence: Evidence) -> Advice | None:
    if "break_spanned" not in evidence.concerns:
        return None
    return _with_conditions("It was never tested on the present: things changed after the last test. Do not go live.")


def _with_conditions(reason: str) -> Advice:
    return "use_with_conditions", "The list can be used to help staff decide, but only on the terms below.", reason


def better_than_a_simple_rule(evidence: Evidence) -> Advice | None:
    if evidence.gain_low is None or evidence.family in BASELINES or evidence.gain_low <= evidence.gain_floor:
        return None
    return (
        "use",
        "The list can be used to help staff decide. It does better than a simple rule.",
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
    most_outcomes_unknown,
    provisional_verdicts,
    audit_cannot_tell,
    accepted_concerns,
    unanswered_concerns,
    never_tested_on_the_present,
    better_than_a_simple_rule,
)


def recommend(evidence: Evidence) -> Recommendation:
    """The advice: the first rule that speaks decides, every reason found is kept."""
    advice = [found for rule in RULES if (found := rule(evidence)) is not None]
    code, headline, _ = advice[0]
    # What speaks for a model is no reason against it.
    reasons = [reason for said, _, reason in advice if said != "use" or code.startswith("use")]
    return Recommendation(code=code, headline=headline, reasons=tuple(dict.fromkeys(reasons)))


# ---------------------------------------------------------------- from results to evidence


def fit_events(splits: Sequence[Mapping[str, Any]], outcome_status: Sequence[Mapping[str, Any]]) -> int | None:
    """Events among the known outcomes of the dates that teach, at the origin that has fewest."""
    events = {str(row["as_of_date"]): row.get("events") for row in outcome_status}
    totals = []
    for split in splits:
        if split.get("test") is None:
            continue
        if split.get("fit_events") is not None:
            totals.append(int(split["fit_events"]))
            continue
        found = [events.get(str(day)) for day in split.get("fit") or ()]
        if found and all(count is not None for count in found):
            totals.append(sum(int(count) for count in found if count is not None))
    return min(totals) if totals else None
