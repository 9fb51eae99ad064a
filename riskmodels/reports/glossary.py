"""What the words and short forms on a card mean, in plain words."""

from __future__ import annotations

GLOSSARY = {
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
    "Closed test": "Asks which is the least change that is enough, so that nothing is changed without good evidence.",
    "Cohort": "Everybody who is ranked on an as-of date.",
    "DPIA": "Data protection impact assessment.",
    "EqIA": "Equality impact assessment.",
    "Fold": "A part of the records that judges what was learned from the others.",
    "Horizon": "How far ahead the outcome is looked for.",
    "ICI": "Integrated calibration index: how far risks are from what came about, on average. 0 is best.",
    "Interval": "A range that would hold the true value in about 95 of 100 such studies.",
    "Learning curve": "How good the ranking gets as there are more cases to learn from.",
    "Linked": "Somebody whose records in another agency could be found. Of others, that agency's records say nothing.",
    "Log loss": "How surprised the risks were by what came about, on average. Lower is better.",
    "Net benefit": "People rightly helped, less people helped without need, weighed by how much a wrong offer matters.",
    "Observed to expected (O/E)": "Outcomes that came about for each one that the risks add up to. 1 is best.",
    "Precision": "Of those on the list, the share who have the outcome.",
    "Proxy": "A field that stands in for something else, such as the area for poverty.",
    "Recall": "Of those who have the outcome, the share on the list.",
    "Regression to the mean": "Those picked when a risk looks highest tend to look less extreme later, helped or not.",
    "Regret": "How much worse a way of choosing did on a test date than the one that turned out best that day.",
    "SHA-256": "A digest: a number made from a file, so that any change to the file can be seen.",
    "Standardised difference": "A difference of shares in units of their spread. Beyond 0.1, either way, is notable.",
    "Take-up": "Of those who are offered help, the share who accept it.",
    "TRIPOD+AI": "A list of what a report of a prediction model should say (Collins and others 2024).",
    "Tuning": "A search for the settings of a model, on records from before any test date.",
    "Venn-Abers": "A calibrator that gives two risks, one from each possible outcome, and so shows how unsure it is.",
}

ACCESSIBILITY = (
    "This page needs no network and no scripts. It is made to work by keyboard, with a screen reader, printed and on a "
    "phone. Every figure has a text and a table with its numbers. Colour is never the only sign. Wide tables and "
    "pictures scroll.",
    "It aims at WCAG 2.2, level AA.",
)


def words_of(*terms: str) -> list[tuple[str, str, str]]:
    """These terms with what they mean, as facts of a page that has no glossary of its own."""
    return [(term, GLOSSARY[term], "") for term in terms]
