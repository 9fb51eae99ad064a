"""Page one's answer to "who is treated worse?": harm in natural frequencies, or the clearest gap without a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.risk_words import off_for_everybody, only_risks_fail
from riskmodels.assessment.audit.verdicts import LOOK_HERE, PASS
from riskmodels.cards.audit_findings import Finding, not_recorded, verdict_metrics
from riskmodels.cards.audit_tables import CALIBRATION_METRICS
from riskmodels.cards.words import Language, Numbers, attribute_words, capital, listing, measure_words
from riskmodels.study import Study

MOST_HARMS = 2
MOST_NAMES = 2
# Of the group that fares worse; then of the other one, which has this number, or more of them, or fewer.
HARMS = {
    "recall": ("of 100 {many} {who} {need}, the list finds {this}", "it finds"),
    "fpr": ("of 100 {many} {who} {not_needed}, the list holds {this}", "it holds"),
    "fdr": ("of 100 {many} on the list, {this} {not_needed}", "it is"),
    "selection_rate": ("of 100 {many}, the list holds {this}", "it holds"),
}
WHICH = {
    "recall": ("the list finds fewer of them", "the list finds more of them"),
    "fpr": ("the list holds fewer of them for no need", "the list holds more of them for no need"),
    "fdr": ("the list is wrong for fewer of them", "the list is wrong for more of them"),
    "selection_rate": ("the list holds fewer of them", "the list holds more of them"),
}


def worse(language: Language, numbers: Numbers, harms: Sequence[Finding], gaps: Sequence[Finding]) -> str:
    """Who is treated worse, how much of that could not be judged, and what was not checked."""
    audit = numbers.card["audit"]
    said = _harms(language, numbers, harms) if harms else [_no_harm(audit, gaps)]
    said += _not_told(numbers)
    if gaps and not harms:
        said.append(_gap(language, numbers, gaps))
    if audit["tally"]["not_audited"]:
        others = "others" if "Section 8" in " ".join(said) else "others (section 8)"
        said.append(f"Not checked: {listing(_not_audited(audit, others))}.")
    return " ".join(said)


def _not_audited(audit: Mapping[str, Any], others: str) -> list[str]:
    """Names of what was not audited; a long list is cut to a few."""
    names = [str(row["attribute"]) for row in audit["not_audited"]]
    return names if len(names) <= MOST_NAMES + 1 else [*names[:MOST_NAMES], others]


def lacking_records(study: Study, numbers: Numbers, unwritten: Sequence[str]) -> str:
    """Of whom the group is often not recorded, and of which groups far less was written down."""
    said = []
    for place in not_recorded(numbers.card["audit"]):
        title = capital(attribute_words(study.file, numbers.card["audit"]["missing"][place]["attribute"]))
        said.append(f"{title} is not recorded for {numbers.per_100(f'audit.missing.{place}.share')} of 100.")
    if unwritten:
        said.append(f"Far less is written down of {listing(unwritten)}.")
    return " ".join(said)


# ---------------------------------------------------------------- sentences


def _harms(language: Language, numbers: Numbers, harms: Sequence[Finding]) -> list[str]:
    """The first harms, once what is wrong for everybody; and that nobody is treated worse where only risks fail."""
    contrasts = numbers.card["audit"]["contrasts"]
    everybody = off_for_everybody(contrasts)
    own = [one for one in harms if everybody is None or one.metric != "calibration_slope"]
    said = [_rates(language, numbers, one) for one in own[:MOST_HARMS]]
    if len(said) == MOST_HARMS and own[0].who == own[1].who:
        said[1] = said[1].replace(capital(own[1].subject), "The same group", 1)
    if len(own) > len(said):
        said.append("Section 8 has the others.")
    risks = ["No group was found to be treated worse, but the risks are wrong."] if only_risks_fail(contrasts) else []
    return [*risks, *said, *([f"{everybody}."] if everybody else [])]


def _no_harm(audit: Mapping[str, Any], gaps: Sequence[Finding]) -> str:
    tally, clear = audit["tally"], bool(gaps) and gaps[0].kind == "clear"
    if not tally["comparisons"]:
        return "No group was compared."
    if tally["insufficient"] == tally["comparisons"]:
        if clear or tally["real_but_small"]:
            return "No check gave a verdict, and that is not a pass."
        return "We cannot say. The groups are too small to judge any of them, and that is not a pass."
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    if any(row["verdict"] == PASS and row["metric"] not in CALIBRATION_METRICS for row in primary):
        return "We found no harm to the groups that we could judge."
    what = "missed" if "recall" in verdict_metrics(audit) else "wrongly listed"
    if clear:
        return f"No check could tell who is {what} more."
    return f"We cannot say who is {what} more. Where we could judge, risks were about right."


def _not_told(numbers: Numbers) -> list[str]:
    tally, said = numbers.card["audit"]["tally"], []
    if 0 < tally["cannot_tell"] < tally["comparisons"]:
        few, all_ = (numbers.count(f"audit.tally.{name}") for name in ("cannot_tell", "comparisons"))
        said.append(f"For {few} of {all_} checks the data cannot tell if a gap matters.")
    if tally["real_but_small"]:
        small = numbers.count("audit.tally.real_but_small")
        said.append(f"In {small} a real gap is within the set limit.")
    return said


def _gap(language: Language, numbers: Numbers, gaps: Sequence[Finding]) -> str:
    first, audit = gaps[0], numbers.card["audit"]
    said = _rates(language, numbers, first)
    if first.kind == "clear":
        several = sum(one.kind == "clear" for one in gaps) > 1
        listed = " in who is listed" if first.metric == "selection_rate" else ""
        said = f"{'Some gaps' if several else 'One gap'}{listed} {'are' if several else 'is'} more than chance. {said}"
        if first.metric not in verdict_metrics(audit):
            said += " Their needs may differ too."
        return f"{said} Section 8 has more." if several else said
    if first.kind == "small":
        return f"The widest of those: {said}"
    if any(row["verdict"] == LOOK_HERE for row in audit["contrasts"]):
        return f"The widest such gap: {said} Section 8 has more to look at."
    return f"The widest such gap: {said} This may be chance."


def _rates(language: Language, numbers: Numbers, one: Finding) -> str:
    """One finding in natural frequencies, of whoever fares worse."""
    who, metric = capital(one.subject), one.metric
    this, that = (f"audit.rows.{place}.metrics.{metric}.value" for place in (one.row, one.against_row))
    if metric == "oe_ratio" and numbers.has(this):
        return f"{who}: for 100 cases that the risks foresee, {numbers.per_100(this)} come about."
    if metric == "calibration_slope":
        return f"{who}: high and low risks are not as far apart as they should be."
    more = "not the same" if one.more is None else "more" if one.more else "fewer"
    if not numbers.has(this):
        how = f"{measure_words(metric)} less fairly than {one.against}"
        if metric in WHICH and one.more is not None:
            how = f"{WHICH[metric][not one.more]} than of {one.against}"
        return f"{who}: {how}." if one.row is None else f"{who}: {how}. The numbers are too small to show."
    many = language.many
    if numbers.card["performance"]["at_capacity"].get("leads_with_bounds") and metric != "selection_rate":
        many += " with a known result"
    said, verb = HARMS[metric]
    said = said.format(
        many=many, who=language.that, need=language.needed, not_needed=language.not_needed, this=numbers.per_100(this)
    )
    if one.who.startswith("all but "):
        # The number is that of the group which is left out.
        return f"{capital(one.subject.removeprefix('all but '))}: {said}. For all others {verb} {more}."
    return f"{who}: {said}. For {one.against} {verb} {numbers.per_100(that) if numbers.has(that) else more}."
