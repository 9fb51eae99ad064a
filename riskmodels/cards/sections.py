"""The sections of the card that the study folder fills: answers, how it works, explanation. Data: `data_section`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from riskmodels.cards.blank import answer_in
from riskmodels.cards.card import Cell, ExplanationSection, Fact, Facts, HowItWorks, Table
from riskmodels.cards.cells import of_100_cell
from riskmodels.cards.indexes import NOT_YET
from riskmodels.cards.words import Language, day, family_words, line_words, listing, of_100
from riskmodels.data.features import NOUGHT_WHEN_NOTHING
from riskmodels.study import Answer, FeatureLine, Study

Row = Mapping[str, Any]

# What a complete card has an answer for; answers.yaml may say more.
EXPECTED = {
    "purpose": ("intended_use", "never_used_for", "alternatives"),
    "people_process": ("when_flagged", "when_not_flagged", "who_decides", "human_check", "putting_mistakes_right"),
    "risks": ("harms_if_wrongly_named", "harms_if_missed", "trade_offs"),
    "law": (
        "lawful_basis",
        "data_protection_impact_assessment",
        "equality_impact_assessment",
        "automated_decisions",
        "objection",
    ),
    "monitoring": ("review", "stop_rules", "retirement", "retention", "who_sees"),
}

IF_MISSING = {
    "keep": "kept as missing",
    "zero": "counted as none",
    "median": "set to the middle value",
    "category": "a category of its own",
}


# ---------------------------------------------------------------- what people say


def answered(study: Study, section: str, tables: Mapping[str, Table] | None = None) -> Facts:
    """A section of ``answers.yaml``, with a gap for each expected answer that is not there."""
    given: Mapping[str, Answer] = getattr(study.answers, section)
    facts = {key: answer_fact(answer, f"answers.yaml: {section}.{key}") for key, answer in given.items()}
    for key in EXPECTED[section]:
        source = f"answers.yaml: {section}.{key}"
        facts.setdefault(key, Fact(value=None, source=source, owner=study.answers.owner_role))
    return Facts(facts=facts, tables=dict(tables or {}))


def answer_fact(answer: Answer, source: str) -> Fact:
    """A blank, or words that only stand for an answer, are a gap."""
    return Fact(value=answer_in(answer.text), source=source, owner=answer.owner)


# ---------------------------------------------------------------- 6 how it works


def build_how_it_works(
    study: Study,
    language: Language,
    family: str,
    test_dates: Sequence[str],
    column: str | None,
    used: Collection[str] = (),
) -> HowItWorks:
    """How it works, in words, facts, and a line for each field.

    Parameters
    ----------
    column : words of the column that the single best column sorts by
    used : the feature columns that the chosen family's scores depend on
    """
    file = study.file
    measured = "a measured need" if file.outcome.measures == "need" else "a contact with a service, or its decision"
    known = {
        "outcome": (file.outcome.words, "outcome.words"),
        "looks_ahead": (str(file.outcome.horizon), "outcome.horizon"),
        "recorded_within": (str(file.outcome.lag), "outcome.lag"),
        "the_outcome_is": (measured, "outcome.measures"),
        "places": (capacity_words(study), "capacity"),
        "seed": (str(file.seed), "seed"),
    }
    return HowItWorks(
        words=tuple(_how_words(study, language, family_words(family, column), test_dates)),
        facts={
            key: Fact(value=value, source=f"study.yaml: {source}", owner=study.answers.owner_role)
            for key, (value, source) in known.items()
        },
        features=Table(
            caption="What the model looks at",
            columns=("Field", "Used", "Source", "About", "Seen by", "Taken as", "Looks back", "If missing"),
            rows=tuple(_feature_cells(study, line, used) for line in file.features),
            source="study.yaml: features, and register.yaml",
            note="Used: whether the scores of the way that was chosen depend on it.",
        ),
    )


def _feature_cells(study: Study, line: FeatureLine, used: Collection[str]) -> tuple[Cell, ...]:
    """One line of features: where it comes from, whom it is about, who may see it."""
    source = study.file.source_of(line.take[0], line.of)
    entry = study.register.sources[source]
    nought = line.missing == "zero" or set(line.take) <= set(NOUGHT_WHEN_NOTHING)
    missing = IF_MISSING["zero" if nought else line.missing]
    if nought and (study.file.sources[source].link or study.file.sources[source].consented):
        missing += "; kept as missing for those not linked"
    return (
        line_words(line),
        any(column.name in used for column in line.columns),
        source,
        line.about or entry.about,
        "; ".join(line.seen_by or entry.seen_by) or f"Not provided (owner: {entry.owner})",
        listing([take.replace("_", " ") for take in line.take]),
        listing([str(last) for last in line.last]),
        missing,
    )


def _how_words(study: Study, language: Language, chosen: str, test_dates: Sequence[str]) -> list[str]:
    split = study.file.split
    words = [
        f"On a given day the model looks at what was known of each {language.one} before that day. It gives each a "
        f"risk between 0 and 1: how likely it is that the {language.one} {language.outcome}. All are ranked by "
        "risk, and the list is the top of that ranking.",
        f"The way chosen is {chosen}. Several ways were tried, simplest first. A more complex one is taken only if it "
        "is better by more than chance.",
    ]
    if test_dates and study.file.clock == "calendar":
        words.append(
            f"It learned from earlier dates only, and was tested on {listing([day(date) for date in test_dates])}."
        )
    words.append(
        "The figures in this card belong to the recipe, judged at each test date. The model that would be used is the "
        "same recipe, fitted once more on all data whose outcome is known."
    )
    if split.calibrate == "grouped":
        words.append(f"Risks were calibrated on other {language.many} of the same dates. {split.why_grouped}")
    else:
        words.append("Risks were calibrated on a later slice of time than the model learned from.")
    return words


def capacity_words(study: Study) -> str:
    capacity = study.file.capacity
    if capacity.share is not None:
        return f"{of_100(capacity.share)} of 100 on each list"
    if isinstance(capacity.places, dict):
        return "; ".join(f"{team}: {places:,}" for team, places in capacity.places.items())
    return f"{capacity.places:,} on each list"


# ---------------------------------------------------------------- 9 explanation


def reasons_words(fields: int) -> str:
    """How many reasons a name on the list comes with: three at the most, and no more than fields count."""
    return {0: "no reason of its own", 1: "one reason", 2: "up to two reasons"}.get(fields, "up to three reasons")


def build_explanation(explanation: Row, language: Language) -> ExplanationSection:
    """How scores are explained. The six kinds look through the whole card: `riskmodels.cards.annex.indexed`."""
    said = (
        f"Each {language.one} on the list comes with {reasons_words(len(explanation['drivers']))} in plain words. A "
        "reason says what moved the score. It does not say what causes the outcome, and it blames nobody."
    )
    rows = tuple((row["words"], of_100_cell(row["share"]), row["direction"]) for row in explanation["drivers"])
    return ExplanationSection(
        words=(said,),
        method=explanation["method"],
        drivers=Table(
            caption="What drives a score",
            columns=("Field", "Parts of 100", "Direction"),
            rows=rows,
            source="run: explanation",
        ),
        kinds=NOT_YET,
    )
