"""What the words and short forms on a card mean, in plain words, and where a text uses them.

To add a word, add its line to ``GLOSSARY``, in the order of the alphabet; a card shows the lines of the words it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

GLOSSARY = {
    "A&E": "Accident and emergency: the part of a hospital for people who need help at once.",
    "AA": "The second of three levels of WCAG, which public websites must reach.",
    "AER": "Applied Econometrics with R: a collection of programs and data that anybody may use.",
    "As-of date": "The day on which the list is made, or was in the test. Only what was known before it is used.",
    "ATRS": "Algorithmic Transparency Recording Standard: the UK's form for public records of such tools.",
    "AUC": "Area under the curve: of two people, one with the outcome and one not, how often the right one is first.",
    "Average precision": "How often a list is right, averaged over lists of every length.",
    "Base rate": "How common the outcome is among those whose outcome is known.",
    "Bootstrap": "People are drawn from the records again and again, to see how far a figure moves by chance.",
    "Break": "A day on which a law, a system or a way of recording changed, so that records before and after differ.",
    "Brier score": "The average squared error of the risks. Lower is better.",
    "Calibration": "Whether risks come true: of 100 people with a risk of 0.3, about 30 should have the outcome.",
    "Calibration in the large": "Whether risks are right on the whole. Above 0: they are too low. Below 0: too high.",
    "Calibration slope": "Whether high and low risks are right. Below 1: they are too extreme. Above 1: too timid.",
    "Calibrator": "What turns a model's score into a risk. Sigmoid, isotonic, beta and Venn-Abers are kinds of it.",
    "Capacity": "How many places there are on a list.",
    "CC BY": "A licence under which a text may be shared if its author is named.",
    "Closed test": "Asks which is the least change that is enough, so that nothing is changed without good evidence.",
    "Cohort": "Everybody who is ranked on an as-of date.",
    "CSV": "A table as plain text, which any spreadsheet opens.",
    "DPIA": "Data protection impact assessment: what could go wrong for those whose data are used, and the remedy.",
    "EqIA": "Equality impact assessment: what a change means for groups that the law protects.",
    "FAIL": "Of an audit: the difference lies outside the limits, by more than chance.",
    "FIB-4": "A score of scarring of the liver, made from age and three blood tests.",
    "Fold": "A part of the records that judges what was learned from the others.",
    "GDPR": "General Data Protection Regulation: the law about the use of personal data. The UK has its own version.",
    "GPL": "A licence under which a program may be used, changed and shared by anybody.",
    "HDL": "High-density lipoprotein, the good cholesterol in the blood.",
    "Horizon": "How far ahead the outcome is looked for.",
    "ICI": "Integrated calibration index: how far risks are from what came about, on average. 0 is best.",
    "ICO": "Information Commissioner's Office: the UK's office for data protection.",
    "INSUFFICIENT EVIDENCE": "Of an audit: the data cannot tell whether there is a gap that is large enough to matter. "
    "That is not a pass.",
    "Interval": "A range that would hold the true value in about 95 of 100 such studies.",
    "JSON": "A form of plain text that programs read. The card is kept in it.",
    "Learning curve": "How good the ranking gets as there are more cases to learn from.",
    "LGPL": "A kind of GPL, which asks less of programs that use the program.",
    "LightGBM": "A program that learns many small decision trees and adds them up.",
    "Linked": "Somebody whose records in another agency could be found. Of others, that agency's records say nothing.",
    "Log loss": "How surprised the risks were by what came about, on average. Lower is better.",
    "LSOA": "Lower layer super output area: a small area of the census.",
    "MLflow": "A program that keeps a record of each run and its files.",
    "Net benefit": "People rightly helped, less people helped without need, weighed by how much a wrong offer matters.",
    "NHS": "National Health Service.",
    "NOT ANSWERED": "Of a list of things to report: nobody has answered it yet.",
    "NOT AUDITED": "Of an audit: nothing was checked. That is not a pass.",
    "Observed to expected (O/E)": "Outcomes that came about for each one that the risks add up to. 1 is best.",
    "PASS": "Of an audit: the whole interval lies within the limits.",
    "PDF": "A form of document that looks the same on every machine and in print.",
    "Precision": "Of those on the list, the share who have the outcome.",
    "Proxy": "A field that stands in for something else, such as the area for poverty.",
    "Recall": "Of those who have the outcome, the share on the list.",
    "Regression to the mean": "Those picked when a risk looks highest tend to look less extreme later, helped or not.",
    "Regret": "How much worse a way of choosing did on a test date than the one that turned out best that day.",
    "SHA-256": "A digest: a number made from a file, so that any change to the file can be seen.",
    "Standardised difference": "A difference of shares in units of their spread. Beyond 0.1, either way, is notable.",
    "STAR": "Student/Teacher Achievement Ratio: a trial of class sizes in Tennessee.",
    "Take-up": "Of those who are offered help, the share who accept it.",
    "TRIPOD+AI": "A list of what a report of a prediction model should say (Collins and others 2024).",
    "Tuning": "A search for the settings of a model, on records from before any test date.",
    "UK": "United Kingdom.",
    "URL": "The address of a web page.",
    "Venn-Abers": "A calibrator that gives two risks, one from each possible outcome, and so shows how unsure it is.",
    "WCAG": "Web Content Accessibility Guidelines: what makes a page usable for everybody.",
    "YAML": "A form of plain text in which a study is written.",
}

ACCESSIBILITY = (
    "This page needs no network and no scripts. It is made to work by keyboard, with a screen reader, printed and on a "
    "phone. Every figure has a text and a table with its numbers. Colour is never the only sign. On a "
    "screen, wide tables and pictures scroll.",
    "It aims at WCAG 2.2, level AA.",
)


def terms_in(text: str, *, short_forms_only: bool = False) -> list[str]:
    """The terms of the glossary that a text uses, each once, in the order of their first use.

    A short form counts as it is written; a word in any case, and with an s. Of two terms that begin at the same place
    the longer one is meant.
    """
    found = (term_of(match) for match in pattern(short_forms_only).finditer(text))
    return list(dict.fromkeys(found))


def explained(terms: Iterable[str]) -> dict[str, str]:
    """The terms with what they mean, and with the terms that this takes, in the order of the glossary."""
    wanted, open_terms = set[str](), list(terms)
    while open_terms:
        term = open_terms.pop()
        if term not in wanted:
            wanted.add(term)
            open_terms += terms_in(GLOSSARY[term])
    return {term: words for term, words in GLOSSARY.items() if term in wanted}


def is_short_form(term: str) -> bool:
    """Whether a term is an abbreviation or a name in capitals, which means one thing wherever it stands."""
    return sum(letter.isupper() for letter in term.partition(" (")[0]) > 1


@cache
def pattern(short_forms_only: bool = False) -> re.Pattern[str]:
    """Every spelling of every term, the longest first; what matched is a term by `term_of`."""
    spellings = sorted((spelling for term in GLOSSARY for spelling in _spellings(term)), key=len, reverse=True)
    forms = [
        re.escape(spelling) if is_short_form(spelling) else f"(?i:{re.escape(spelling)})"
        for spelling in spellings
        if is_short_form(spelling) or not short_forms_only
    ]
    return re.compile(rf"(?<![\w&-])({'|'.join(forms)})s?(?![\w-])")


def term_of(match: re.Match[str]) -> str:
    """The term of the glossary that a match of `pattern` is a spelling of."""
    return _by_spelling()[match[1].casefold()]


@cache
def _by_spelling() -> dict[str, str]:
    return {spelling.casefold(): term for term in GLOSSARY for spelling in _spellings(term)}


def _spellings(term: str) -> list[str]:
    """``Observed to expected (O/E)`` is written in either way."""
    long, _, short = term.partition(" (")
    return [long, short.rstrip(")")] if short else [long]
