"""Section 5 of the card: where the data come from, how good they are, whom they leave out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, DataSection, Table
from riskmodels.cards.cells import count_cell, of_100_cell
from riskmodels.cards.words import Language, attribute_words, capital, day, label, listing
from riskmodels.study import RegisterEntry, Study

Row = Mapping[str, Any]

# Not every source has these; for any other field of the register a gap is a gap.
MAY_BE_LEFT_OUT = ("special_category", "special_category_condition", "schedule_1_condition", "agreement_expires")
REGISTER = {
    "words": "What it is",
    "owner": "Owner",
    "collected_for": "Collected for",
    "how": "How",
    "about": "About",
    "spatial_level": "How fine its places are",
    "lawful_basis": "Lawful basis (Article 6)",
    "special_category": "Special categories (Article 9)",
    "special_category_condition": "Special category condition",
    "criminal_offence": "Criminal offences (Article 10)",
    "schedule_1_condition": "Schedule 1 condition",
    "agreement": "Agreement",
    "agreement_expires": "Agreement expires",
    "dpia": "Data protection impact assessment",
    "permitted_purposes": "Permitted purposes",
    "asked": "Was anybody asked",
    "people_were_told": "What people were told",
    "seen_by": "Seen by",
    "retention": "Kept for",
    "extracted_on": "Extracted on",
}


def build_data(
    study: Study,
    language: Language,
    *,
    quality: Sequence[Row],
    attrition: Sequence[Row],
    status: Sequence[Row],
    fifths: Sequence[Row],
    concerns: Sequence[str],
    tables: Mapping[str, Table],
) -> DataSection:
    """The data section, from rows that may be shown.

    Parameters
    ----------
    concerns : sentences on groups of whom a source can speak far less often
    tables : what else is known of the data (`riskmodels.cards.data_tables`)
    """
    exits = tuple(study.file.outcome.exits)
    fixed = {
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
        "outcome_status": _outcome_status(status, exits),
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
    words = (*_words(study, language), *concerns)
    return DataSection.model_validate({"words": words, **fixed, "tables": dict(tables)})


def _outcome_status(status: Sequence[Row], exits: Sequence[str]) -> Table:
    said = listing([label(name).lower() for name in exits])
    note = "An outcome that is not known is never counted as one that did not come about."
    return Table(
        caption="For whom the outcome is known",
        columns=("As of", "Known", "Of these, came about", "Too early to know", "Not recorded", *map(label, exits)),
        rows=tuple(
            (
                day(row["as_of_date"]),
                *(count_cell(row.get(name)) for name in ("known", "events", "immature", "unobserved")),
                *(count_cell(row.get(name, 0)) for name in exits),
            )
            for row in status
        ),
        source="run: outcomes",
        note=f"{note} Not recorded includes those who left first: {said}." if exits else note,
    )


def _words(study: Study, language: Language) -> tuple[str, ...]:
    file = study.file
    features = [attribute_words(file, name) for name, spec in file.protected.items() if spec.also_feature]
    count = len(file.sources)
    words = [
        f"The data come from {count} source{'s' if count > 1 else ''}. The register below says who owns each, and what "
        "it was for."
    ]
    if features:
        words.append(
            f"Equality data are kept in tables of their own. The model was offered {listing(features)} too: see "
            "section 8."
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
    if isinstance(value, bool):
        return value
    if key == "dpia" and value is not None:
        value = f"{value.reference}, {day(value.date)}"
    if isinstance(value, dt.date):
        value = value.isoformat()
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
