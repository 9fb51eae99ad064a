"""The sections of the card that the run and the study file fill: data, how it works, how well, audit, explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, DataSection, ExplanationSection, Fact, Facts, HowItWorks, Table
from riskmodels.cards.cells import count_cell, of_100_cell
from riskmodels.cards.words import FAMILIES, Language, attribute_words, capital, day, listing, of_100
from riskmodels.study import Answer, Study

Row = Mapping[str, Any]

# What a complete card has an answer for; answers.yaml may say more.
EXPECTED = {
    "purpose": ("intended_use", "never_used_for", "alternatives"),
    "people_process": ("when_flagged", "when_not_flagged", "who_decides", "human_check", "putting_mistakes_right"),
    "risks": ("harms_if_wrongly_named", "harms_if_missed", "trade_offs"),
    "law": (
        "lawful_basis", "data_protection_impact_assessment", "equality_impact_assessment", "automated_decisions", "objection",
    ),
    "monitoring": ("review", "stop_rules", "retirement", "retention", "who_sees"),
}  # fmt: skip


# ---------------------------------------------------------------- what people say


def answered(study: Study, section: str, tables: Mapping[str, Table] | None = None) -> Facts:
    """A section of ``answers.yaml``, with a gap for each expected answer that is not there."""
    given: Mapping[str, Answer] = getattr(study.answers, section)
    facts = {key: answer_fact(answer, f"answers.yaml: {section}.{key}") for key, answer in given.items()}
    for key in EXPECTED[section]:
        facts.setdefault(key, Fact(value=None, source=f"answers.yaml: {section}.{key}", owner=study.answers.owner_role))
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
    return DataSection(
        words=_data_words(study, language),
        register=_register(study),
        columns=_columns(study),
        quality=_quality(quality),
        missing=_missing(quality),
        attrition=Table(
            caption=f"Who is counted: {language.many} left after each step",
            columns=("As of", "Step", "Left out", "Remaining"),
            rows=tuple(
                (day(row["as_of_date"]), capital(row["step"]), count_cell(row["dropped"]), count_cell(row["remaining"]))
                for row in attrition
            ),
            source="run: cohort attrition",
            note="Decided from what was known before each date. Nothing that came later changes it.",
        ),
        outcome_status=Table(
            caption="For whom the outcome is known",
            columns=("As of", "Known", "Of these, came about", "Too early to know", "Not recorded"),
            rows=tuple(
                (
                    day(row["as_of_date"]),
                    count_cell(row["known"]),
                    count_cell(row.get("events")),
                    count_cell(row["immature"]),
                    count_cell(row["unobserved"]),
                )
                for row in status
            ),
            source="run: outcomes",
            note="An outcome that is not known is never counted as one that did not come about.",
        ),
        unknown_by_fifth=Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk (1 is lowest)", capital(language.many), "Not known", "Not known, of 100"),
            rows=tuple(
                (row["fifth"], count_cell(row["n"]), count_cell(row["unknown"]), of_100_cell(row.get("share")))
                for row in fifths
            ),
            source="run: performance",
        ),
    )


def _data_words(study: Study, language: Language) -> tuple[str, ...]:
    file = study.file
    words = [
        f"The data come from {len(file.sources)} sources. Each is in the register below, with its owner and what it was collected for.",
        "Equality data are kept in a table of their own. They are used to check the list, never to make it.",
    ]
    features = [name for name, spec in file.protected.items() if spec.also_feature]
    if features:
        names = listing([attribute_words(file, name) for name in features])
        words[1] = (
            f"Equality data are kept in a table of their own. The model also uses {names}; the reason stands in section 8."
        )
    if file.clock == "relative":
        words.append(
            f"Time is counted in days since each {language.one}'s own start. So nothing here was tested on the future."
        )
    return tuple(words)


def _register(study: Study) -> Table:
    fields = (
        ("What it is", "words"), ("Owner", "owner"), ("Collected for", "collected_for"), ("How", "how"), ("About", "about"),
        ("Lawful basis", "lawful_basis"), ("Special category condition", "special_category_condition"), ("Agreement", "agreement"),
        ("Agreement expires", "agreement_expires"), ("Permitted purposes", "permitted_purposes"),
        ("What people were told", "people_were_told"), ("Kept for", "retention"), ("Extracted on", "extracted_on"),
    )  # fmt: skip
    rows = []
    for name, entry in study.register.sources.items():
        cells: list[Cell] = [name]
        for _, key in fields:
            value = getattr(entry, key)
            if isinstance(value, tuple):
                value = "; ".join(value) or None
            text = " ".join(str(value).split()) if value else None
            cells.append(text or f"Not provided (owner: {entry.owner})")
        used = study.file.sources[name].use if name in study.file.sources else None
        cells.insert(2, {"model": "the model", "audit": "the audit only"}.get(used or "", "nothing in this study"))
        rows.append(tuple(cells))
    names = [title for title, _ in fields]
    columns = ("Source", names[0], "Used for", *names[1:])
    return Table(caption="Data register", columns=columns, rows=tuple(rows), source="register.yaml")


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
        span = f"{day(row['first_date'])} to {day(row['last_date'])}" if row.get("first_date") else "undated"
        lag = f"{row['recording_lag_days_95']} days" if row.get("recording_lag_days_95") is not None else "–"
        rows.append(
            (
                row["source"],
                count_cell(row.get("rows")),
                count_cell(row.get("entities")),
                span,
                lag,
                count_cell(row.get("undated", 0)),
            )
        )
    return Table(
        caption="What each source holds",
        columns=(
            "Source",
            "Rows",
            "Who (different ids)",
            "From, to",
            "Recorded within (95 of 100)",
            "Left out for lack of a date",
        ),
        rows=tuple(rows),
        source="run: data quality",
    )


def _missing(quality: Sequence[Row]) -> Table:
    rows = tuple(
        (row["source"], column, of_100_cell(share))
        for row in quality
        for column, share in (row.get("missing") or {}).items()
    )
    return Table(
        caption="What is missing",
        columns=("Source", "Column", "Missing, of 100 rows"),
        rows=rows,
        source="run: data quality",
    )


# ---------------------------------------------------------------- 6 how it works


def build_how_it_works(
    study: Study, language: Language, family: str, test_dates: Sequence[str], column: str | None
) -> HowItWorks:
    file = study.file
    owner = study.answers.owner_role
    name = f"a simple sort by {column}" if family == "single_best_column" and column else FAMILIES.get(family, family)
    words = [
        f"On a given day the model looks at what was known of each {language.one} before that day. It gives each one a risk between 0 and 1: "
        f"how likely it is that the {language.one} {language.outcome}. Everybody is ranked by risk, and the list is the top of that ranking.",
        f"The way chosen is {name}. Several ways were tried, simplest first. A more complex one is taken only if it is better by more than chance.",
        f"It learned from earlier dates only, and was tested on {listing([day(date) for date in test_dates])}."
        if test_dates and file.clock == "calendar"
        else "It was tested on people it had not learned from.",
        "The figures in this card belong to the recipe, judged at each test date. The model in service is the same recipe, fitted "
        "once more on all data whose outcome is known.",
    ]
    if file.split.calibrate == "grouped" and file.split.why_grouped:
        words.append(f"Risks were calibrated on other people of the same dates. {file.split.why_grouped}")
    else:
        words.append("Risks were calibrated on a later slice of time than the model learned from.")
    source = "study.yaml"
    facts = {
        "outcome": Fact(value=file.outcome.words, source=f"{source}: outcome.words", owner=owner),
        "looks_ahead": Fact(value=str(file.outcome.horizon), source=f"{source}: outcome.horizon", owner=owner),
        "recorded_within": Fact(value=str(file.outcome.lag), source=f"{source}: outcome.lag", owner=owner),
        "the_outcome_is": Fact(
            value="a measured need"
            if file.outcome.measures == "need"
            else "a contact with a service, or a service's decision",
            source=f"{source}: outcome.measures",
            owner=owner,
        ),
        "places": Fact(value=_capacity(study), source=f"{source}: capacity", owner=owner),
        "seed": Fact(value=file.seed, source=f"{source}: seed", owner=owner),
    }
    missing = {
        "keep": "kept as missing",
        "zero": "counted as none",
        "median": "set to the middle value",
        "category": "a category of its own",
    }
    rows = tuple(
        (
            line.words,
            listing([take.replace("_", " ") for take in line.take]),
            listing([str(last) for last in line.last]),
            missing[line.missing],
        )
        for line in file.features
    )
    features = Table(
        caption="What the model looks at",
        columns=("Field", "Taken as", "Looks back", "If missing"),
        rows=rows,
        source="study.yaml: features",
    )
    return HowItWorks(words=tuple(words), facts=facts, features=features)


def _capacity(study: Study) -> str:
    capacity = study.file.capacity
    if capacity.share is not None:
        return f"{of_100(capacity.share)} of 100 on each list"
    if isinstance(capacity.places, dict):
        return "; ".join(f"{team}: {places:,}" for team, places in capacity.places.items())
    return f"{capacity.places:,} on each list"


# ---------------------------------------------------------------- 9 explanation


def build_explanation(explanation: Mapping[str, Any], language: Language) -> ExplanationSection:
    rows = tuple((row["words"], of_100_cell(row["share"]), row["direction"]) for row in explanation["drivers"])
    kinds = (
        ("Rationale", "Why this score: what drives scores, and three reasons for each person", "sections 6 and 9"),
        ("Responsibility", "Who built it, who decides, whom to ask", "sections 4 and 14"),
        ("Data", "What was used, and where it comes from", "section 5"),
        ("Fairness", "Who is treated worse", "section 8"),
        ("Safety and performance", "How often it is wrong, and what stops it", "sections 7 and 12"),
        ("Impact", "What it may do to people", "section 10"),
    )
    return ExplanationSection(
        words=(
            f"Each {language.one} on the list comes with three reasons in plain words. A reason says what moved the score. It does not say what "
            "causes the outcome, and it blames nobody.",
        ),
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
            rows=kinds,
            source="card",
        ),
    )
