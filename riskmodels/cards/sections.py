"""The sections of the card that the study folder fills: answers, data, how it works, explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, DataSection, ExplanationSection, Fact, Facts, HowItWorks, Table
from riskmodels.cards.cells import count_cell, of_100_cell
from riskmodels.cards.words import Language, attribute_words, capital, day, family_words, listing, of_100
from riskmodels.data.features import NOUGHT_WHEN_NOTHING
from riskmodels.study import Answer, RegisterEntry, Study

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

# Not every source has these; for any other field of the register a gap is a gap.
MAY_BE_LEFT_OUT = ("special_category_condition", "agreement_expires")
REGISTER = {
    "words": "What it is",
    "owner": "Owner",
    "collected_for": "Collected for",
    "how": "How",
    "about": "About",
    "lawful_basis": "Lawful basis",
    "special_category_condition": "Special category condition",
    "agreement": "Agreement",
    "agreement_expires": "Agreement expires",
    "permitted_purposes": "Permitted purposes",
    "people_were_told": "What people were told",
    "retention": "Kept for",
    "extracted_on": "Extracted on",
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
    text = " ".join(answer.text.split()) if answer.text else None
    return Fact(value=text or None, source=source, owner=answer.owner)


# ---------------------------------------------------------------- 5 data


def build_data(
    study: Study,
    language: Language,
    quality: Sequence[Row],
    attrition: Sequence[Row],
    status: Sequence[Row],
    fifths: Sequence[Row],
) -> DataSection:
    tables = {
        "register": _register(study),
        "columns": _columns(study),
        "quality": _quality(quality),
        "missing": Table(
            caption="What is missing",
            columns=("Source", "Column", "Missing, of 100 rows"),
            rows=tuple(
                (row["source"], column, of_100_cell(share))
                for row in quality
                for column, share in (row.get("missing") or {}).items()
            ),
            source="run: data quality",
        ),
        "attrition": Table(
            caption=f"Who is counted: {language.many} left after each step",
            columns=("As of", "Step", "Left out", "Remaining"),
            rows=tuple(
                (day(row["as_of_date"]), capital(row["step"]), count_cell(row["dropped"]), count_cell(row["remaining"]))
                for row in attrition
            ),
            source="run: cohort attrition",
            note="Decided from what was known before each date. Nothing that came later changes it.",
        ),
        "outcome_status": Table(
            caption="For whom the outcome is known",
            columns=("As of", "Known", "Of these, came about", "Too early to know", "Not recorded"),
            rows=tuple(
                (
                    day(row["as_of_date"]),
                    *(count_cell(row.get(name)) for name in ("known", "events", "immature", "unobserved")),
                )
                for row in status
            ),
            source="run: outcomes",
            note="An outcome that is not known is never counted as one that did not come about.",
        ),
        "unknown_by_fifth": Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk (1 is lowest)", capital(language.many), "Not known", "Not known, of 100"),
            rows=tuple(
                (row["fifth"], count_cell(row["n"]), count_cell(row["unknown"]), of_100_cell(row.get("share")))
                for row in fifths
            ),
            source="run: performance",
        ),
    }
    return DataSection.model_validate({"words": _data_words(study, language), **tables})


def _data_words(study: Study, language: Language) -> tuple[str, ...]:
    file = study.file
    features = [attribute_words(file, name) for name, spec in file.protected.items() if spec.also_feature]
    count = len(file.sources)
    words = [
        f"The data come from {count} source{'s' if count > 1 else ''}. The register below says who owns each, and what "
        "it was for."
    ]
    if features:
        words.append(
            f"Equality data are kept in tables of their own. The model also uses {listing(features)}: see section 8."
        )
    else:
        words.append(
            "Equality data are kept in tables of their own. They are used to check the list, never to make it."
        )
    if file.clock == "relative":
        words.append(
            f"Time is counted in days since each {language.one}'s own start, so nothing was tested on the future."
        )
    return tuple(words)


def _register(study: Study) -> Table:
    uses = {"model": "the model", "audit": "the audit only"}
    rows = []
    for name, entry in study.register.sources.items():
        first, *others = (_register_cell(entry, key) for key in REGISTER)
        source = study.file.sources.get(name)
        rows.append((name, first, uses[source.use] if source else "nothing in this study", *others))
    titles = list(REGISTER.values())
    columns = ("Source", titles[0], "Used for", *titles[1:])
    return Table(caption="Data register", columns=columns, rows=tuple(rows), source="register.yaml")


def _register_cell(entry: RegisterEntry, key: str) -> Cell:
    value = getattr(entry, key)
    text = " ".join(str("; ".join(value) if isinstance(value, tuple) else value or "").split())
    return text or ("None stated" if key in MAY_BE_LEFT_OUT else f"Not provided (owner: {entry.owner})")


def _columns(study: Study) -> Table:
    rows = tuple(
        (name, column, " ".join(words.split()))
        for name, entry in study.register.sources.items()
        for column, words in entry.columns.items()
    )
    return Table(caption="Columns", columns=("Source", "Column", "What it holds"), rows=rows, source="register.yaml")


def _quality(quality: Sequence[Row]) -> Table:
    rows = []
    for row in quality:
        dated, lag = row.get("first_date"), row.get("recording_lag_days_95")
        rows.append(
            (
                row["source"],
                *(count_cell(row.get(name)) for name in ("rows", "entities")),
                day(row["first_date"]) if dated else "undated",
                day(row["last_date"]) if dated else "undated",
                "undated" if lag is None else f"{lag} days",
                count_cell(row.get("undated", 0)),
            )
        )
    return Table(
        caption="What each source holds",
        columns=("Source", "Rows", "Different ids", "From", "To", "Recorded within (95 of 100)", "Left out: no date"),
        rows=tuple(rows),
        source="run: data quality",
    )


# ---------------------------------------------------------------- 6 how it works


def build_how_it_works(
    study: Study, language: Language, family: str, test_dates: Sequence[str], column: str | None
) -> HowItWorks:
    file = study.file
    measured = "a measured need" if file.outcome.measures == "need" else "a contact with a service, or its decision"
    known = {
        "outcome": (file.outcome.words, "outcome.words"),
        "looks_ahead": (str(file.outcome.horizon), "outcome.horizon"),
        "recorded_within": (str(file.outcome.lag), "outcome.lag"),
        "the_outcome_is": (measured, "outcome.measures"),
        "places": (_capacity(study), "capacity"),
        "seed": (str(file.seed), "seed"),
    }
    rows = tuple(
        (
            line.words,
            listing([take.replace("_", " ") for take in line.take]),
            listing([str(last) for last in line.last]),
            IF_MISSING["zero" if set(line.take) <= set(NOUGHT_WHEN_NOTHING) else line.missing],
        )
        for line in file.features
    )
    return HowItWorks(
        words=tuple(_how_words(study, language, family_words(family, column), test_dates)),
        facts={
            key: Fact(value=value, source=f"study.yaml: {source}", owner=study.answers.owner_role)
            for key, (value, source) in known.items()
        },
        features=Table(
            caption="What the model looks at",
            columns=("Field", "Taken as", "Looks back", "If missing"),
            rows=rows,
            source="study.yaml: features",
        ),
    )


def _how_words(study: Study, language: Language, chosen: str, test_dates: Sequence[str]) -> list[str]:
    split = study.file.split
    words = [
        f"On a given day the model looks at what was known of each {language.one} before that day. It gives each a "
        f"risk between 0 and 1: how likely it is that the {language.one} {language.outcome}. Everybody is ranked by "
        "risk, and the list is the top of that ranking.",
        f"The way chosen is {chosen}. Several ways were tried, simplest first. A more complex one is taken only if it "
        "is better by more than chance.",
    ]
    if test_dates and study.file.clock == "calendar":
        words.append(
            f"It learned from earlier dates only, and was tested on {listing([day(date) for date in test_dates])}."
        )
    words.append(
        "The figures in this card belong to the recipe, judged at each test date. The model in service is the same "
        "recipe, fitted once more on all data whose outcome is known."
    )
    if split.calibrate == "grouped":
        words.append(f"Risks were calibrated on other people of the same dates. {split.why_grouped}")
    else:
        words.append("Risks were calibrated on a later slice of time than the model learned from.")
    return words


def _capacity(study: Study) -> str:
    capacity = study.file.capacity
    if capacity.share is not None:
        return f"{of_100(capacity.share)} of 100 on each list"
    if isinstance(capacity.places, dict):
        return "; ".join(f"{team}: {places:,}" for team, places in capacity.places.items())
    return f"{capacity.places:,} on each list"


# ---------------------------------------------------------------- 9 explanation

# The six kinds of explanation, and the sections of the card that give them.
KINDS = (
    ("Rationale", "Why this score: what drives scores, and three reasons for each name", "sections 6 and 9"),
    ("Responsibility", "Who built it, who decides, whom to ask", "sections 3, 4 and 14"),
    ("Data", "What was used, and where it comes from", "section 5"),
    ("Fairness", "Who is treated worse", "section 8"),
    ("Safety and performance", "How often it is wrong, and what stops it", "sections 7 and 12"),
    ("Impact", "What it may do to people", "section 10"),
)


def build_explanation(explanation: Row, language: Language) -> ExplanationSection:
    said = (
        f"Each {language.one} on the list comes with three reasons in plain words. A reason says what moved the score. "
        "It does not say what causes the outcome, and it blames nobody."
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
        kinds=Table(
            caption="The six kinds of explanation (Information Commissioner's Office)",
            columns=("Kind", "What it says", "Where"),
            rows=KINDS,
            source="this card",
        ),
    )
