"""How the card says things: nouns, names of families and measures, dates, and numbers per 100."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from riskmodels.cards.card import Number
from riskmodels.study import EACH, FeatureLine, StudyFile

# ---------------------------------------------------------------- people and outcome

# The study's own word, when an id column of its level is named after one of these; otherwise the first of them.
NOUNS = {
    "person": {
        "person": "people", "adult": "adults", "carer": "carers", "child": "children", "client": "clients",
        "learner": "learners", "parent": "parents", "patient": "patients", "pupil": "pupils", "resident": "residents",
        "student": "students", "tenant": "tenants",
    },
    "household": {"household": "households", "family": "families", "home": "homes"},
    "place": {
        "place": "places", "area": "areas", "building": "buildings", "district": "districts", "estate": "estates",
        "neighbourhood": "neighbourhoods", "school": "schools", "street": "streets", "ward": "wards",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Language:
    """The words of one study: who is listed, and what the outcome is called in a sentence."""

    one: str
    many: str
    who: str  # "one who" or "one that"
    needed: str  # "needed help"
    not_needed: str
    need: str
    outcome: str

    @property
    def that(self) -> str:
        """ "who" of people, "that" of households and places."""
        return self.who.removeprefix("one ")

    @property
    def meaning(self) -> str:
        """What the card's short word for the outcome stands for."""
        if self.need == "need help":
            article = "an" if self.one[0] in "aeiou" else "a"
            return f"Here, {article} {self.one} {self.that} needs help is {self.who} {self.outcome}."
        return f"Here, the outcome is that the {self.one} {self.outcome}."


def language_of(study: StudyFile) -> Language:
    nouns = NOUNS[study.level]
    ids = (source.entity for name, source in study.sources.items() if study.level_of(name) == study.level)
    one = next((noun for noun in (id_.removesuffix("_id") for id_ in ids) if noun in nouns), next(iter(nouns)))
    many = nouns[one]
    who = "one who" if study.level == "person" else "one that"
    # "Need" is the right word only for a measured need that help answers.
    if study.outcome.measures == "need" and study.purpose == "assistive":
        return Language(one, many, who, "needed help", "did not need help", "need help", study.outcome.words)
    return Language(one, many, who, "had the outcome", "did not have it", "have the outcome", study.outcome.words)


def feature_words(study: StudyFile, name: str | None) -> str | None:
    """The study's phrase for a feature column, whose name may carry its aggregation and window."""
    if name is None:
        return None
    lines = sorted(study.features, key=lambda line: -len(line.name))
    found = next((line for line in lines if name == line.name or name.startswith(f"{line.name}_")), None)
    if found is None:
        return name
    values = [column.each[1] for column in found.columns if column.name == name and column.each]
    return found.words.replace(EACH, values[0]) if values else line_words(found)


def line_words(line: FeatureLine) -> str:
    """A feature line's phrase, with every value that it is taken for."""
    if line.each is None:
        return line.words
    return line.words.replace(EACH, listing([str(value) for value in next(iter(line.each.values()))], "or"))


def attribute_words(study: StudyFile, name: str) -> str:
    """A protected characteristic, or two that are crossed, in the study's words."""
    parts = []
    for part in name.split(" × "):
        spec = study.protected.get(part)
        parts.append((spec.words if spec and spec.words else part).replace("_", " "))
    return " × ".join(parts)


# ---------------------------------------------------------------- families and measures

FAMILIES = {
    "base_rate": "the same risk for all",
    "single_best_column": "a simple sort by one column",
    "points": "a points tally",
    "place_only": "the area alone",
    "current_practice": "today's way of choosing",
    "logistic": "logistic regression",
    "explainable_boosting": "an explainable boosting machine",
    "lightgbm": "gradient boosted trees (LightGBM)",
}


def family_words(family: str, column: str | None) -> str:
    """A family in words; the single best column by its name, where that is known."""
    if family == "single_best_column" and column:
        return f"a simple sort by {column}"
    return FAMILIES.get(family, family.replace("_", " "))


# name -> what it is called, and what it means
MEASURES = {
    "auc": ("AUC", "Of two people, one with the outcome and one without, how often the right one is put first."),
    "average_precision": ("Average precision", "How often a list is right, averaged over lists of every length."),
    "brier_score": ("Brier score", "The mean squared error of the risks. Lower is better."),
    "log_loss": ("Log loss", "The mean surprise at what happened. Lower is better."),
    "scaled_brier": ("Scaled Brier score", "The share of a guess's error that is removed. 1 is perfect, 0 a guess."),
    "calibration_in_the_large": (
        "Calibration in the large",
        "Risks too high (below 0) or too low (above) on the whole.",
    ),
    "calibration_slope": ("Calibration slope", "Risks too extreme (below 1) or too timid (above 1)."),
    "oe_ratio": (
        "Observed to expected (O/E)",
        "Outcomes that happened for each one that the risks add up to. 1 is best.",
    ),
    "base_rate": ("Base rate", "How common the outcome is."),
    "spiegelhalter_z": ("Spiegelhalter's z", "Calibration: how far from 0 is too far to be chance."),
    "spiegelhalter_p": ("Spiegelhalter's p", "How likely so large a z would be by chance."),
    "eavg": ("Eavg", "The mean gap between the risks and a smooth curve of what happened."),
    "e90": ("E90", "The gap to that curve that 90 of 100 risks stay below."),
    "emax": ("Emax", "The largest gap to that curve."),
    "recall": ("found by the list", "Of people with the outcome, the share on the list."),
    "fnr": ("missed by the list", "Of people with the outcome, the share not on the list."),
    "fpr": ("listed without the outcome", "Of people without the outcome, the share on the list."),
    "fdr": ("wrongly listed", "Of people on the list, the share without the outcome."),
    "for": ("wrongly left out", "Of people not on the list, the share with the outcome."),
    "precision": ("rightly listed", "Of people on the list, the share with the outcome."),
    "selection_rate": ("on the list", "Of all that are ranked, the share on the list."),
}


# How many digits after the point a specialist's table gives; 2 of the others.
DIGITS = {"brier_score": 3, "log_loss": 3, "base_rate": 3, "eavg": 3, "e90": 3, "emax": 3, "spiegelhalter_z": 1}


def digits_of(name: str) -> int:
    return DIGITS.get(name, 2)


def measure_words(name: str) -> str:
    return MEASURES[name][0] if name in MEASURES else name.replace("_", " ")


def meaning_of(name: str, many: str = "people") -> str:
    """What a measure means, said of those whom the study counts."""
    return MEASURES[name][1].replace("people", many) if name in MEASURES else ""


# ---------------------------------------------------------------- text

LONGEST_WORD = 12  # on average, in an opening: keeps one endless word from filling the page


def label(key: str) -> str:
    """``never_used_for`` -> "Never used for"."""
    text = key.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def listing(items: Sequence[str], word: str = "and") -> str:
    """``a, b and c``."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def day(value: Any) -> str:
    """``1988-06-30`` -> "30 June 1988"; anything else as it is."""
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            return str(value)
    return f"{value.day} {value:%B %Y}" if isinstance(value, dt.date) else str(value)


def sentences_of(text: str) -> list[str]:
    """A text as its sentences, white space made plain."""
    return [part for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if part]


def word_count(text: str) -> int:
    return len(re.findall(r"[^\W_]+(?:['’\-.,/][^\W_]+)*", text))


def opening(text: str, words: int) -> tuple[str, bool]:
    """The first sentences of a text, at most ``words`` words, and whether anything was left out.

    A first sentence that is too long by itself is cut after its last whole word that fits.
    """
    kept: list[str] = []
    for sentence in sentences_of(text):
        so_far = " ".join([*kept, sentence])
        if word_count(so_far) > words or len(so_far) > LONGEST_WORD * words:
            break
        kept.append(sentence)
    if kept:
        return " ".join(kept), len(kept) < len(sentences_of(text))
    pieces = text.split()
    short = " ".join(pieces[:words])[: LONGEST_WORD * words]
    return (f"{short} …", True) if short != " ".join(pieces) else (short, False)


# ---------------------------------------------------------------- numbers


def of_100(value: float) -> str:
    """A share as people of 100, without claiming nobody or everybody by rounding."""
    if 0 < value < 0.005:
        return "fewer than 1"
    if 0.995 <= value < 1:
        return "more than 99"
    return str(math.floor(value * 100 + 0.5))


def at(tree: Any, path: str) -> Any:
    """The value at a dotted path: keys of mappings, positions of lists. None when there is nothing."""
    for part in path.split("."):
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, (list, tuple)) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree


def spoken(value: float, kind: str) -> str:
    """A value as page one prints it (see `riskmodels.cards.card.Number`)."""
    if kind == "count":
        return f"{value:,.0f}"
    text = of_100(value)
    if kind == "per_100":
        return text
    # What is left of the number printed, so that the two always make 100.
    return (
        str(100 - int(text))
        if text.isdigit()
        else {"fewer than 1": "more than 99", "more than 99": "fewer than 1"}[text]
    )


@dataclass
class Numbers:
    """Takes numbers out of the card by path, so that prose can say nothing that the card does not hold."""

    card: Mapping[str, Any]
    taken: dict[tuple[str, str], Number] = field(default_factory=dict)

    def has(self, *paths: str) -> bool:
        return all(isinstance(at(self.card, path), (int, float)) for path in paths)

    def per_100(self, path: str) -> str:
        return self._take(path, "per_100")

    def rest_of_100(self, path: str) -> str:
        return self._take(path, "rest_of_100")

    def count(self, path: str) -> str:
        return self._take(path, "count")

    def _take(self, path: str, kind: Literal["per_100", "rest_of_100", "count"]) -> str:
        text = spoken(at(self.card, path), kind)
        self.taken[path, kind] = Number(text=text, path=path, kind=kind)
        return text
