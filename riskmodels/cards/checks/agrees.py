"""Whether a card contradicts itself: its verdict and its advice are what its comparisons and figures come to.

What the card holds twice is worked out again from the one that the run wrote, by the code that made the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riskmodels.assessment.audit.verdicts import overall_verdict, tally
from riskmodels.cards.audit_section import counted_words
from riskmodels.cards.audit_tables import CALIBRATION_METRICS, lines_of, told_of_others
from riskmodels.cards.checks.checked import Card, Checked, Verdict, some
from riskmodels.cards.checks.numbers import numerals
from riskmodels.cards.evidence import Evidence
from riskmodels.cards.recommendation import (
    Advice,
    audit_cannot_tell,
    failed_audit,
    no_discrimination,
    not_audited,
    provisional_verdicts,
    too_few_events,
)
from riskmodels.study import BASELINES

Row = Mapping[str, Any]
VERDICT = "Verdict"
# What each advice may be used for; a rule that spoke allows no more than it said.
ALLOWS = {"use": 3, "use_with_conditions": 2, "simple_rule": 1, "too_little_data": 0, "do_not_use": 0}
# code -> what its first line cannot do without
SAYS = {
    "use": ("Use it to help staff decide",),
    "use_with_conditions": ("on terms that you set",),
    "simple_rule": ("simple", "tally", "area", "Today's way", "today's way"),
    "too_little_data": ("too little data", "Too little data"),
    "do_not_use": ("Do not use",),
}
# The rules whose evidence the card itself holds, each with a word that its reason cannot do without: a card of an
# earlier version may say it in other words. Of too little data it may give another reason, since it knows how many
# cases there were to learn from.
RULES: dict[Callable[[Evidence], Advice | None], str] = {
    too_few_events: "",
    no_discrimination: "",
    failed_audit: "harm",
    not_audited: "checked",
    audit_cannot_tell: "by name",
    provisional_verdicts: "service",
}


def audit_agrees(checked: Checked) -> Verdict:
    """The verdict, the counts and the tables of the audit are those of its comparisons."""
    audit = checked.card["audit"]
    wrong = [*_counts(audit), *_words(audit), *_tables(audit)]
    return not wrong, (
        f"the audit says other than its comparisons: {some(wrong)}; build the card again"
        if wrong
        else "the audit's verdict and tables are what its comparisons come to"
    )


def _counts(audit: Row) -> Iterator[str]:
    judged = tally(audit["contrasts"])
    unaccepted = any(not row.get("accepted") for row in audit["not_audited"])
    if audit["verdict"] != overall_verdict(judged, unaccepted):
        yield "audit.verdict"
    for name, counted in judged.items():
        for place in ("judged", "tally"):
            if audit.get(place, {}).get(name, counted) != counted:
                yield f"audit.{place}.{name}"


def _words(audit: Row) -> Iterator[str]:
    """The first sentence of the section counts its comparisons."""
    said = audit["words"][0] if audit["words"] else ""
    if "tally" in audit and numerals(said) != numerals(counted_words(audit["tally"])):
        yield "audit.words.0"


def _tables(audit: Row) -> Iterator[str]:
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    of = {
        "verdicts": [row for row in primary if row["metric"] not in CALIBRATION_METRICS],
        "others": told_of_others(audit["contrasts"]),
        "risks": [row for row in primary if row["metric"] in CALIBRATION_METRICS],
    }
    for name, contrasts in of.items():
        table = audit["tables"].get(name)
        if table is None:
            yield f"audit.tables.{name} (it is not there)"
            continue
        if VERDICT not in table["columns"]:
            continue  # a row that stands in for what an edition leaves out
        place, lines = table["columns"].index(VERDICT), lines_of(contrasts)
        if len(lines) != len(table["rows"]):
            yield f"audit.tables.{name} ({len(table['rows'])} lines of {len(lines)})"
            continue
        for position, (line, row) in enumerate(zip(lines, table["rows"], strict=True)):
            if row[place] != line[0]["verdict"]:
                yield f"audit.tables.{name}.rows.{position} ({row[0]}: {row[place]})"


def advice_agrees(checked: Checked) -> Verdict:
    """The advice is no better than the audit and the figures allow, gives their reasons, and its first line says it."""
    card = checked.card
    given = card["summary"]["recommendation"]
    reasons = " ".join(given["reasons"])
    wrong = []
    for rule, word in RULES.items():
        advice = rule(_evidence(card))
        if advice is not None and ALLOWS[given["code"]] > ALLOWS[advice.code]:
            wrong.append(f"the advice {given['code']} ({advice.reason})")
        if advice is not None and word not in reasons:
            wrong.append(f"the reasons (that {advice.reason!r} is not there)")
    if card["model"]["family"] in BASELINES and ALLOWS[given["code"]] > ALLOWS["simple_rule"]:
        wrong.append(f"the advice {given['code']} (a simple rule was chosen)")
    if not any(words in given["headline"] for words in SAYS[given["code"]]):
        wrong.append(f"the first line ({given['code']} is not what it says)")
    return not wrong, (
        f"page one says other than its evidence: {some(wrong, 3)}; build the card again"
        if wrong
        else "the advice is one that the audit and the figures allow"
    )


def _evidence(card: Card) -> Evidence:
    """What the card itself holds of the evidence; the rest is left open, which no rule of `RULES` speaks to."""
    performance, audit = card["performance"], card["audit"]
    auc = performance["overall"].get("auc") or {}
    return Evidence(
        family=card["model"]["family"],
        baseline="",
        gain_low=None,
        gain_floor=0.0,
        auc_low=auc.get("low"),
        auc_high=auc.get("high"),
        oe_ratio=None,
        oe_floors=(0.0, 0.0),
        test_events=performance["events"],
        verdict=audit["verdict"],
        provisional=bool(audit.get("provisional")),
    )
