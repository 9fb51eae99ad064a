"""Page one: short answers in plain words, at most 350 of them, every number taken from the card by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.audit_findings import Finding
from riskmodels.cards.blank import answer_in
from riskmodels.cards.card import Block, Recommendation, Summary
from riskmodels.cards.words import Language, Numbers, at, family_words, opening, word_count
from riskmodels.cards.worse_off import lacking_records, worse
from riskmodels.study import BASELINES, Answer, Study

MOST_WORDS = 350
# What people say may take up what the run leaves, but never so little that it says nothing.
FEWEST_ANSWER_WORDS = 18
WHERE_MORE = " Section 8 has more."
HANDFUL = "We cannot give this number without pointing at a few people."


def build_summary(
    study: Study,
    language: Language,
    recommendation: Recommendation,
    results: Mapping[str, Any],
    *,
    column: str | None,
    harms: Sequence[Finding],
    gaps: Sequence[Finding] = (),
    others_better: bool = False,
    unlinked: str | None = None,
    unwritten: Sequence[str] = (),
) -> Summary:
    """The one-page summary.

    Parameters
    ----------
    results : the published ``{"performance": ..., "audit": ...}`` of this card, which every number is taken from
    column : words of the column that the single best column sorts by
    harms, gaps : what the audit found, and what it could not settle, from `riskmodels.cards.audit_findings`
    others_better : whether a family that was not chosen beat the best baseline on the test
    unlinked : of which group a source can say far less than of another, if of any
    unwritten : groups of which far less was written down than of others
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
        Block(id="worse", heading="Who is treated worse?", text=worse(language, numbers, harms, gaps), source="run"),
    ]
    lacking = [text for text in (unlinked, lacking_records(study, numbers, unwritten)) if text]
    if lacking:
        run.append(Block(id="unlinked", heading="Whose records are lacking?", text=" ".join(lacking), source="run"))
    left = _words_left(recommendation, run)
    if left < FEWEST_ANSWER_WORDS:
        # On a full page, a sentence that only says where there is more gives way.
        run = [block.model_copy(update={"text": block.text.replace(WHERE_MORE, "")}) for block in run]
    left = max(FEWEST_ANSWER_WORDS, _words_left(recommendation, run))
    said = [
        _said("cannot_see", "What this cannot see", study.answers.cannot_see, left, 2),
        _said("ask", "What we ask you", study.answers.ask, left, 2),
    ]
    return Summary(recommendation=recommendation, blocks=(*run, *said), numbers=tuple(numbers.taken.values()))


def _words_left(recommendation: Recommendation, run: Sequence[Block]) -> int:
    """For each of the two answers that page one ends with, beside their headings and where they go on."""
    used = sum(word_count(f"{block.heading} {block.text}") for block in run)
    used += word_count(" ".join([recommendation.headline, *recommendation.reasons])) + 16
    return (MOST_WORDS - used) // 2


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
    # The question itself stands above page one, in every rendering.
    said = f"To be on the list {flag}. {language.meaning}"
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
        said = f"{said} we do not know. Of 100 who are known, {known} {language.needed}{_give_or_take(numbers)}."
        return said + _after_rules(language, numbers)
    right, wrong = numbers.per_100(f"{at}.precision.value"), numbers.rest_of_100(f"{at}.precision.value")
    said = f"Of 100 {many} on the list, {right} {language.needed}{_give_or_take(numbers)}"
    return f"{said}, and {wrong} {language.not_needed}.{_after_rules(language, numbers)}"


def _after_rules(language: Language, numbers: Numbers) -> str:
    """The list that a service would use: after its own rules, which take names off and let others move up."""
    path = "performance.after_rules.service_list.precision.value"
    if not numbers.has(path):
        return ""
    return f" After the service's own rules: {numbers.per_100(path)} of 100."


def _give_or_take(numbers: Numbers) -> str:
    at = "performance.at_capacity.precision"
    if not numbers.has(f"{at}.low", f"{at}.high"):
        return ""
    return f" (could be {numbers.per_100(f'{at}.low')} to {numbers.per_100(f'{at}.high')})"


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
    if baseline == "base_rate" and (rule := _best_rule(performance["families"])):
        # The rule to beat was drawing lots; a reader asks about a rule that somebody could use.
        surely = ", by more than chance" if gain is not None and gain > 0 else ", but not beyond chance"
        answer = f"It beats the same risk for all{surely}. Against a rule that one could use, this was not tested."
        baseline = rule
    simple = family_words(baseline or "", column)
    ours, theirs = (f"performance.families.{rows.get(name, -1)}.precision_at_k" for name in (chosen, baseline))
    if performance["at_capacity"].get("leads_with_bounds"):
        # A figure for those whose result is known would be read as one for the list.
        return f"{answer} The best simple rule is {simple}. Both were judged on those with a known result."
    if not numbers.has(f"{ours}.value", f"{theirs}.value"):
        return f"{answer} The best simple rule is {simple}."
    right, by_rule = (numbers.per_100(f"{place}.value") for place in (ours, theirs))
    return (
        f"{answer} {_beside(numbers, ours, theirs)} of 100 on it, {right} {language.needed}, and with "
        f"{simple} {by_rule}."
    )


def _best_rule(families: Sequence[Mapping[str, Any]]) -> str | None:
    """The simple rule, other than the same risk for all, whose list was right most often."""
    rules = [row for row in families if row["model"] in BASELINES and row["model"] != "base_rate"]
    known = [row for row in rules if (row.get("precision_at_k") or {}).get("value") is not None]
    return max(known, key=lambda row: row["precision_at_k"]["value"])["model"] if known else None


def _beside(numbers: Numbers, ours: str, theirs: str) -> str:
    """What may be said of the list itself: that risks fit better by more than chance does not say so of the list."""
    if not all(numbers.has(f"{place}.{end}") for place in (ours, theirs) for end in ("low", "high")):
        return "As to the list:"
    (low, high), (least, most) = (
        [at(numbers.card, f"{place}.{end}") for end in ("low", "high")] for place in (ours, theirs)
    )
    if low > most:
        return "The list is better too:"
    return "The list is worse:" if high < least else "The list may be no better:"


def _said(block: str, heading: str, answer: Answer, words: int, section: int) -> Block:
    if not answer_in(answer.text):
        return Block(id=block, heading=heading, text=f"Not provided (owner: {answer.owner}).", source="none")
    text, cut = opening(str(answer.text), words)
    return Block(
        id=block, heading=heading, text=f"{text} (More in section {section}.)" if cut else text, source="answers"
    )
