"""What the words and short forms on a card mean, in plain words."""

from __future__ import annotations

GLOSSARY = {
    "As-of date": "The day on which the list is made, or was in the test. Only what was known before it is used.",
    "ATRS": "Algorithmic Transparency Recording Standard: the UK's form for public records of such tools.",
    "AUC": "Area under the curve: of two people, one with the outcome and one not, how often the right one is first.",
    "Base rate": "How common the outcome is among those whose outcome is known.",
    "Brier score": "The average squared error of the risks. Lower is better.",
    "Calibration": "Whether risks come true: of 100 people with a risk of 0.3, about 30 should have the outcome.",
    "Calibration slope": "Whether risks are spread as they should be. Below 1: too extreme. Above 1: too timid.",
    "Cohort": "Everybody who is ranked on an as-of date.",
    "DPIA": "Data protection impact assessment.",
    "EqIA": "Equality impact assessment.",
    "Horizon": "How far ahead the outcome is looked for.",
    "Interval": "A range that would hold the true value in about 95 of 100 such studies.",
    "Linked": "Somebody whose records in another agency could be found. Of others, that agency's records say nothing.",
    "Net benefit": "People rightly helped, less people helped without need, weighed by how much a wrong offer matters.",
    "Observed to expected (O/E)": "Outcomes that came about for each one that the risks add up to. 1 is best.",
    "Precision": "Of those on the list, the share who have the outcome.",
    "Proxy": "A field that stands in for something else, such as the area for poverty.",
    "Recall": "Of those who have the outcome, the share on the list.",
    "SHA-256": "A digest: a number made from a file, so that any change to the file can be seen.",
    "Standardised difference": "A difference of shares in units of their spread. Beyond 0.1, either way, is notable.",
    "TRIPOD+AI": "A list of what a report of a prediction model should say (Collins and others 2024).",
}

ACCESSIBILITY = (
    "This page needs no network and no scripts. It is made to work by keyboard, with a screen reader, printed and on a "
    "phone. Every figure has a text and a table with its numbers. Colour is never the only sign. Wide tables scroll.",
    "It aims at WCAG 2.2, level AA.",
)
