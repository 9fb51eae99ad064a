"""Page one: short answers in plain words, at most 350 of them, every number taken from the card by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Block, Recommendation, Summary
from riskmodels.cards.words import Language, Numbers, capital, family_words, listing, measure_words, opening, word_count
from riskmodels.study import BASELINES, Answer, Study

MOST_WORDS = 350
# What people say may take up what the run leaves, but never so little that it says nothing.
FEWEST_ANSWER_WORDS = 18
HANDFUL = "We cannot give this number without pointing at a few people."

CALIBRATION_METRICS = {"oe_ratio", "calibration_slope"}


def build_summary(
    study: Study,
    language: Language,
    recommendation: Recommendation,
    results: Mapping[str, Any],
    *,
    column: str | None,
    named: Sequence[Mapping[str, str]],
    unresolved: Mapping[str, Any] | None = None,
    others_better: bool = False,
    unlinked: str | None = None,
) -> Summary:
    """The one-page summary.

    Parameters
    ----------
    results : the published ``{"performance": ..., "audit": ...}`` of this card, which every number is taken from
    column : words of the column that the single best column sorts by
    named : the contrasts that failed, each {who, reference_label, metric, row, reference_row, ...}; the last two are
        positions in ``audit.rows``
    unresolved : the widest gap that the audit could not settle, in the same form
    others_better : whether a family that was not chosen beat the best baseline on the test
    unlinked : of which group a source can say far less than of another, if of any
    """
    numbers = Numbers(results)
    run = [
        Block(id="what", heading="What it is", text=_what(study, language), source="run"),
        Block(id="right", heading="How often is the list right?", text=_right(language, numbers), source="run"),
        Block(id="missed", heading="Who is missed?", text=_missed(language, numbers), source="run"),
        Block(
            id="simple",
            heading="Is it better than a simple rule?",
            text=_simple(language, numbers, column, others_better),
            source="run",
        ),
        Block(
            id="worse", heading="Who is treated worse?", text=_worse(language, numbers, named, unresolved), source="run"
        ),
    ]
    if unlinked:
        run.append(Block(id="unlinked", heading="Whose records are lacking?", text=unlinked, source="run"))
    used = sum(word_count(f"{block.heading} {block.text}") for block in run)
    used += word_count(" ".join([recommendation.headline, *recommendation.reasons])) + 16
    left = max(FEWEST_ANSWER_WORDS, (MOST_WORDS - used) // 2)
    said = [
        _said("cannot_see", "What this cannot see", study.answers.cannot_see, left, 2),
        _said("ask", "What we ask you", study.answers.ask, left, 2),
    ]
    return Summary(recommendation=recommendation, blocks=(*run, *said), numbers=tuple(numbers.taken.values()))


def page_one_text(summary: Mapping[str, Any]) -> str:
    """Page one as one text, for the counts of words and the reading grade. Takes the summary as plain JSON values."""
    advice = summary["recommendation"]
    parts = [advice["headline"], *advice["reasons"]]
    for block in summary["blocks"]:
        parts += [block["heading"], block["text"]]
    return "\n".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts)


# ---------------------------------------------------------------- the blocks


def _what(study: Study, language: Language) -> str:
    flag = {
        "assistive": "leads to an offer of help",
        "punitive": "can be unwelcome",
        "mixed": "can bring help, and can be unwelcome",
    }[study.file.purpose]
    said = f"{study.file.question} To be on the list {flag}. {language.meaning}"
    if study.answers.fictional:
        body = "council" if "council" in study.answers.organisation.lower() else "body"
        said += f" The {body} in this card is made up."
    return said


def _right(language: Language, numbers: Numbers) -> str:
    many, at = language.many, "performance.at_capacity"
    if numbers.card["performance"]["at_capacity"].get("leads_with_bounds"):
        return f"{_between(language, numbers)} {_why_no_closer(numbers, language)}"
    if not numbers.has(f"{at}.precision.value"):
        return HANDFUL
    of_100 = numbers.card["performance"]["at_capacity"]["of_100"]
    if "not_known" in of_100:
        right, wrong, unknown = (numbers.count(f"{at}.of_100.{part}") for part in ("right", "wrong", "not_known"))
        said = f"Of 100 {many} on the list, {right} {language.needed}, {wrong} {language.not_needed}, and for {unknown}"
        known = numbers.per_100(f"{at}.precision.value")
        return f"{said} we do not know. Of 100 who are known, {known} {language.needed}{_give_or_take(numbers)}."
    right, wrong = numbers.per_100(f"{at}.precision.value"), numbers.rest_of_100(f"{at}.precision.value")
    said = f"Of 100 {many} on the list, {right} {language.needed}{_give_or_take(numbers)}"
    return f"{said}, and {wrong} {language.not_needed}."


def _give_or_take(numbers: Numbers) -> str:
    at = "performance.at_capacity.precision"
    if not numbers.has(f"{at}.low", f"{at}.high"):
        return ""
    return f" (by chance, from {numbers.per_100(f'{at}.low')} to {numbers.per_100(f'{at}.high')})"


def _between(language: Language, numbers: Numbers) -> str:
    at = "performance.at_capacity.precision_bounds"
    many = language.many
    if numbers.has(f"{at}.0", f"{at}.1"):
        low, high = numbers.per_100(f"{at}.0"), numbers.per_100(f"{at}.1")
        return f"Of 100 {many} on the list, between {low} and {high} {language.needed}."
    if numbers.has(f"{at}.0"):
        return f"Of 100 {many} on the list, {numbers.per_100(f'{at}.0')} or more {language.needed}."
    if numbers.has(f"{at}.1"):
        return f"Of 100 {many} on the list, {numbers.per_100(f'{at}.1')} or fewer {language.needed}."
    return HANDFUL


def _why_no_closer(numbers: Numbers, language: Language) -> str:
    path = "performance.at_capacity.of_100.not_known"
    if numbers.has(path):
        return f"We cannot say more closely, since {numbers.count(path)} of the 100 have no known result."
    return f"We cannot say more closely, since many {language.many} have no known result."


def _missed(language: Language, numbers: Numbers) -> str:
    at = "performance.at_capacity"
    who = f"Of 100 {language.many} {language.that} {language.needed}"
    if numbers.card["performance"]["at_capacity"].get("leads_with_bounds"):
        if not numbers.has(f"{at}.recall_bounds.0", f"{at}.recall_bounds.1"):
            return HANDFUL
        low, high = numbers.per_100(f"{at}.recall_bounds.0"), numbers.per_100(f"{at}.recall_bounds.1")
        return f"{who}, the list finds between {low} and {high}. It misses the rest."
    if not numbers.has(f"{at}.recall.value"):
        return HANDFUL
    found, missed = numbers.per_100(f"{at}.recall.value"), numbers.rest_of_100(f"{at}.recall.value")
    each = " on each list" if len(numbers.card["performance"]["at_capacity"].get("places_each") or ()) > 1 else ""
    places = f" There are only {numbers.count(f'{at}.places')} places{each}." if numbers.has(f"{at}.places") else ""
    return f"{who}, the list finds {found} and misses {missed}.{places}"


def _simple(language: Language, numbers: Numbers, column: str | None, others_better: bool) -> str:
    performance = numbers.card["performance"]
    comparison = performance.get("comparison") or {}
    chosen, baseline = comparison.get("chosen"), comparison.get("baseline")
    rows = {row["model"]: position for position, row in enumerate(performance["families"])}
    if chosen in BASELINES:
        tried = [name for name in rows if name not in BASELINES]
        said = f"No. This list is a simple rule: {family_words(chosen, column)}."
        if chosen == "base_rate":
            said = f"No. All {language.many} have the same risk here, so chance alone decides which are on the list."
        if others_better:
            return f"{said} On the test another way did better, but it was not chosen before the test."
        if len(tried) == 1:
            return f"{said} We tried a complex model too. It did no better, beyond chance."
        return f"{said} We tried complex models too. They did no better, beyond chance." if tried else said
    gain = (comparison.get("difference") or {}).get("low")
    answer = (
        "Yes: its risks fit better, by more than chance." if gain is not None and gain > 0 else "Not beyond chance."
    )
    simple = family_words(baseline or "", column)
    ours, theirs = (f"performance.families.{rows.get(name, -1)}.precision_at_k.value" for name in (chosen, baseline))
    if performance["at_capacity"].get("leads_with_bounds"):
        # A figure for those whose result is known would be read as one for the list.
        return f"{answer} The best simple rule is {simple}. Both were judged on those with a known result."
    if not numbers.has(ours, theirs):
        return f"{answer} The best simple rule is {simple}."
    return (
        f"{answer} Of 100 {language.many} on this list, {numbers.per_100(ours)} {language.needed}. With {simple} it is "
        f"{numbers.per_100(theirs)}."
    )


def _worse(
    language: Language,
    numbers: Numbers,
    named: Sequence[Mapping[str, Any]],
    unresolved: Mapping[str, Any] | None,
) -> str:
    audit = numbers.card["audit"]
    said = [_harm(language, numbers, failed) for failed in named[:2]]
    if len(said) == 2 and named[0]["who"] == named[1]["who"]:
        said[1] = said[1].replace(capital(str(named[1]["who"])), "The same group", 1)
    if len(named) > len(said):
        said.append("Section 8 has the others.")
    judged = audit["tally"]
    if not named and judged["comparisons"] and judged["insufficient"] == judged["comparisons"]:
        said.append("We cannot say. The groups are too small to judge any of them, and that is not a pass.")
    elif not named and judged["comparisons"]:
        checked = {
            row["metric"] for row in audit["contrasts"] if row["family"] == "primary" and row["verdict"] == "PASS"
        }
        if checked - CALIBRATION_METRICS:
            said.append("We found no harm to the groups that we could judge.")
        else:
            said.append("We cannot say who is missed more. Risks were about right for the groups that we could judge.")
    elif not named:
        said.append("No group was compared.")
    if 0 < judged["insufficient"] < judged["comparisons"]:
        few = numbers.count("audit.tally.insufficient")
        said.append(f"For {few} of {numbers.count('audit.tally.comparisons')} checks the data cannot tell.")
    if unresolved and not named:
        chance = "Chance alone would seldom do this." if unresolved.get("beyond_chance") else "This may be chance."
        said.append(f"The widest such gap: {_harm(language, numbers, unresolved)} {chance}")
    if judged["not_audited"]:
        said.append(f"Not checked: {listing(not_audited_words(audit))}.")
    return " ".join(said)


def not_audited_words(audit: Mapping[str, Any], most: int = 3) -> list[str]:
    """Names of what was not audited; a long list is cut to a few, and the rest counted in words."""
    names = [str(row["attribute"]) for row in audit["not_audited"]]
    return names if len(names) <= most + 1 else [*names[:most], "others (section 8)"]


HARMS = {
    "recall": "of 100 {many} {who} {need}, the list finds {this}. For {reference} it finds {that}.",
    "fpr": "of 100 {many} {who} {not_needed}, {this} are on the list. For {reference} it is {that}.",
    "fdr": "of 100 {many} on the list, {this} {not_needed}. For {reference} it is {that}.",
    "selection_rate": "of 100 {many}, {this} are on the list. For {reference} it is {that}.",
}


def _harm(language: Language, numbers: Numbers, failed: Mapping[str, Any]) -> str:
    """One failed contrast in natural frequencies."""
    who, metric = capital(str(failed["who"])), failed["metric"]
    path = "audit.rows.{}.metrics.{}.value"
    this, that = (path.format(failed[row], metric) for row in ("row", "reference_row"))
    if metric == "oe_ratio" and numbers.has(this):
        return f"{who}: for 100 cases that the risks foresee, {numbers.per_100(this)} come about."
    if metric == "calibration_slope":
        return f"{who}: high and low risks are not told apart as they should be."
    if metric not in HARMS or not numbers.has(this):
        other = failed["reference_label"]
        return f"{who}: {measure_words(metric)} less fairly than {other}. The numbers are too small to show."
    many = language.many
    if numbers.card["performance"]["at_capacity"].get("leads_with_bounds") and metric != "selection_rate":
        many += " with a known result"
    said = HARMS[metric].format(
        many=many, who=language.that, need=language.needed, not_needed=language.not_needed,
        reference=failed["reference_label"],
        this=numbers.per_100(this), that=numbers.per_100(that) if numbers.has(that) else "not the same",
    )  # fmt: skip
    return f"{who}: {said}"


def _said(block: str, heading: str, answer: Answer, words: int, section: int) -> Block:
    if not answer.text or not answer.text.strip():
        return Block(id=block, heading=heading, text=f"Not provided (owner: {answer.owner}).", source="none")
    text, cut = opening(answer.text, words)
    return Block(
        id=block, heading=heading, text=f"{text} (More in section {section}.)" if cut else text, source="answers"
    )
