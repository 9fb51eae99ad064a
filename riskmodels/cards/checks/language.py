"""Whether a lay reader can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskmodels.cards.checks.answers import SECTIONS
from riskmodels.cards.checks.checked import Card, Checked, Verdict, facts_of, some, tables_of
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.summary import MOST_WORDS, page_one_text
from riskmodels.cards.words import sentences_of, word_count
from riskmodels.reports.glossary import GLOSSARY

BEST_GRADE, WORST_GRADE = 7.0, 9.0
LONGEST_SENTENCE = 30
FEWEST_WORDS = 30  # from which a text has a grade worth the name
# Two capitals in one word, such as DPIA, EqIA or LSOA; a plural s belongs to it.
ACRONYM = re.compile(r"(?<![\w.@/-])(?=\w*[A-Z]\w*[A-Z])[A-Z][A-Za-z]{1,7}(?![\w@/-])")
EVERYDAY = {"UK", "OK", "PDF", "HTML"}
# Words that the card prints in capitals, so that nobody misses them.
CAPITALS = {
    "PASS", "FAIL", "FAILS", "INSUFFICIENT", "EVIDENCE", "NOT", "AUDITED", "ANSWERED", "EXPIRED", "EXAMPLE", "DRAFT",
    "WHO",
}  # fmt: skip


def short(checked: Checked) -> Verdict:
    words = word_count(page_one_text(checked.card["summary"]))
    said = f"page one has {words} words (at most {MOST_WORDS})"
    return words <= MOST_WORDS, said if words <= MOST_WORDS else f"{said}; shorten the answers it opens with"


def reads_easily(checked: Checked) -> Verdict:
    """Flesch-Kincaid grade of page one: 7 is the aim, above 9 fails."""
    grade = reading_grade(page_one_text(checked.card["summary"]))
    aim = "" if grade <= BEST_GRADE else f"; aim for {BEST_GRADE:.0f}, with shorter words and sentences"
    return grade <= WORST_GRADE, f"page one reads at grade {grade:.1f} (at most {WORST_GRADE:.0f}{aim})"


def short_sentences(checked: Checked) -> Verdict:
    lines = page_one_text(checked.card["summary"]).splitlines()
    longest = max((word_count(sentence) for line in lines for sentence in sentences_of(line)), default=0)
    said = f"the longest sentence of page one has {longest} words (at most {LONGEST_SENTENCE})"
    return longest <= LONGEST_SENTENCE, said if longest <= LONGEST_SENTENCE else f"{said}; make it two"


def answers_read_easily(checked: Checked) -> Verdict:
    """As page one, for each answer that people gave."""
    hard = []
    for path, text in _answers(checked.card):
        longest = max(word_count(sentence) for sentence in sentences_of(text))
        if longest > LONGEST_SENTENCE:
            hard.append(f"{path} (a sentence of {longest} words)")
        elif word_count(text) >= FEWEST_WORDS and (grade := reading_grade(text)) > WORST_GRADE:
            hard.append(f"{path} (grade {grade:.0f})")
    return not hard, f"hard to read: {some(hard)}; say it in shorter words" if hard else "the answers read easily"


def _answers(card: Card) -> Iterator[tuple[str, str]]:
    for section in SECTIONS:
        for path, fact in facts_of(card[section], section):
            if isinstance(fact["value"], str) and word_count(fact["value"]):
                yield path, fact["value"]
    for question in card["questions"]:
        if question["answer"] and word_count(question["answer"]):
            yield f"questions.{question['number']}", question["answer"]


def acronyms(checked: Checked) -> Verdict:
    """Every short form stands in the glossary, or is said in full beside it: "impact assessment (DPIA)"."""
    glossary = " ".join(GLOSSARY)
    text = "\n".join(_prose(checked.card))
    found = {word.removesuffix("s") if word[:-1].isupper() else word for word in ACRONYM.findall(text)}
    unknown = sorted(
        word
        for word in found - CAPITALS - EVERYDAY
        if not re.search(rf"\b{word}\b", glossary) and f"({word})" not in text and f"{word} (" not in text
    )
    return not unknown, (
        f"not in the glossary: {some(unknown, 10)}; write them out, or say them in full once with the short form in "
        "brackets"
        if unknown
        else "every short form is explained"
    )


def _prose(card: Card) -> Iterator[str]:
    """What is there to be read: no names of keys, columns of the data or digests."""
    summary = card["summary"]
    yield page_one_text(summary)
    for section in ("data", "how_it_works", "performance", "audit", "explanation"):
        yield from card[section]["words"]
        for part in card[section].get("closer") or ():
            yield from (*part["words"], *part["items"], part["heading"])
    yield from (text for _, text in _answers(card))
    yield from (text for question in card["questions"] for text in (question["question"], question["answer"] or ""))
    for figure in card["figures"]:
        yield from (figure["title"], figure["alt"], figure["unit"])
    for _, table in tables_of(card):
        yield from (table["caption"], table.get("note") or "", *table["columns"])
