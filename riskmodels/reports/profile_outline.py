"""The data's profile as sections, each a list of parts that the page knows how to show.

``SECTIONS`` is the order of the page. To add to a section, add a part to its function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskmodels.assessment.audit.forecasting.forecast_shown import never_in_words, settled_in_words
from riskmodels.assessment.suppression import SMALL_OR_TELLING
from riskmodels.reports.cells import capital, day_text, label, spelled
from riskmodels.reports.parts import Part, Section, bullets, plain_facts, records, table, texts
from riskmodels.reports.profile_figures import Figure
from riskmodels.reports.profile_hidden import hidden_parts
from riskmodels.reports.profile_tables import (
    NOUNS,
    Row,
    audit_forecast,
    blank,
    by_group,
    cell,
    content,
    heat,
    linkage_concern,
    per_100,
    who,
)

NOTABLE, MOST_NOTABLE = 0.1, 15
# Not every source has these; for any other key a gap is a gap.
MAY_BE_LEFT_OUT = ("special_category", "special_category_condition", "schedule_1_condition", "agreement_expires")
LABELS = {
    "words": "What it is", "use": "Used for", "lawful_basis": "Lawful basis (Article 6)",
    "special_category": "Special categories (Article 9)", "criminal_offence": "Criminal offences (Article 10)",
    "dpia": "Data protection impact assessment", "asked": "Was anybody asked",
    "people_were_told": "What people were told", "retention": "Kept for", "spatial_level": "How fine its places are",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A published profile, and what else was found: {source, key, words} of the register, checks, what is hidden, and
    what the audit will be able to judge."""

    profile: Row
    figures: Sequence[Figure]
    checks: Sequence[Row]
    gaps: Sequence[Row]
    hidden: Sequence[Row] = field(default=())
    forecast: Row | None = None

    @property
    def many(self) -> str:
        return NOUNS[self.profile["level"]]

    def figure(self, start: str) -> list[Part]:
        return [{"kind": "figure", "figure": figure} for figure in self.figures if figure["id"].startswith(start)]


# ---------------------------------------------------------------- the sections


def _stands_out(found: Found) -> list[Part]:
    profile = found.profile
    said = [linkage_concern(row, profile["linkage"]) for row in profile["linkage"] if row["concern"]]
    missing = [row for row in profile["feature_missing_by_group"] if row["concern"]]
    if missing:
        words = {row["feature"]: row["words"] for row in profile["features"]}
        names = list(dict.fromkeys(words.get(row["feature"], row["feature"]) for row in missing))
        said.append(f"There is no value for some groups more often than for others: {'; '.join(names)}.")
    # A check is called after the good case, so its name before the evidence would say the opposite of what was found.
    concerns = [row for row in found.checks if row["result"] == "concern"]
    said += [f"{capital(row['evidence'])}. (Check: {row['words']}.)" for row in concerns]
    unknown = [row["words"] for row in found.checks if row["result"] == "unknown"]
    if unknown:
        said.append(f"Checks that could not tell: {'; '.join(unknown)}.")
    if not profile["enough"]["enough"]:
        said.append("There may be too little data: see the events for each column below.")
    if found.gaps:
        many = "1 thing is" if len(found.gaps) == 1 else f"{len(found.gaps)} things are"
        said.append(f"The register is not complete: {many} not said, or will soon run out.")
    return bullets(said) or texts(["Nothing stands out. What was looked at is below."])


def _register(found: Found) -> list[Part]:
    rows = found.profile["register"]
    keys = list(dict.fromkeys(["source", "words", *(key for row in rows for key in row)]))
    return [
        records(
            content(
                "Data register",
                [LABELS.get(key, label(key)) for key in keys],
                [[_said(row, key) for key in keys] for row in rows],
                "register.yaml",
            )
        ),
        table(
            content(
                "What the register does not say, and what runs out soon",
                ["Source", "Key", "What"],
                [(row["source"], row["key"], row["words"]) for row in found.gaps],
                "register.yaml",
            )
        ),
    ]


def _said(row: Row, key: str) -> Any:
    value = row.get(key)
    if key == "use":
        return {"model": "the model", "audit": "the audit only"}[str(value)]
    if value is None or (isinstance(value, (list, tuple, str)) and not value):
        return "None stated" if key in MAY_BE_LEFT_OUT else f"Not provided (owner: {row['owner']})"
    return spelled(value)


def _attrition(found: Found) -> list[Part]:
    rows, differences = found.profile["attrition"], found.profile["attrition_differences"]
    last = max((str(row["as_of_date"]) for row in differences), default="")
    latest = [row for row in differences if str(row["as_of_date"]) == last]
    notable = [row for row in latest if abs(row["standardised_difference"] or 0) >= NOTABLE]
    notable.sort(key=lambda row: -abs(row["standardised_difference"]))
    columns = ["Group", "Of 100 left out", "Of 100 kept", "Standardised difference"]
    parts = [
        *found.figure("attrition"),
        table(
            content(
                "Left after each step",
                ["As of", "Step", "Left out", "Left"],
                [(str(row["as_of_date"]), label(row["step"]), row["dropped"], row["remaining"]) for row in rows],
                "run: cohort attrition",
                "Decided from what was known before each date. Nothing that came later changes it.",
            ),
            fold=True,
        ),
        table(
            content(
                "Where those left out differ most from those kept, on the latest date",
                ["Step", *columns],
                [(label(row["words"]), *_difference(row)) for row in notable[:MOST_NOTABLE]],
                "run: cohort attrition",
                f"Standardised differences of {NOTABLE} or more, either way, are often called notable (Austin 2009).",
            )
        ),
    ]
    for words in dict.fromkeys(row["words"] for row in latest):
        lines = [_difference(row) for row in latest if row["words"] == words]
        caption = f"Left out and kept: {words}"
        parts.append(table(content(caption, columns, lines, "run: cohort attrition"), fold=True))
    return parts


def _difference(row: Row) -> tuple[Any, ...]:
    return who(row), cell(row, "dropped_share"), cell(row, "kept_share"), blank(row["standardised_difference"])


def _outcomes(found: Found) -> list[Part]:
    rows = found.profile["outcome_status"]
    keys = ["known", "events", "immature", "unobserved"]
    exits = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in ("as_of_date", *keys)]
    titles = ["Known", "Of these, came about", "Too early to know", "Not recorded", *(label(key) for key in exits)]
    note = "An outcome that is not known is never counted as one that did not come about."
    if exits:
        note += f" Among those not recorded: {', '.join(label(key).lower() for key in exits)}."
    return [
        table(
            content(
                "For whom the outcome is known",
                ["As of", *titles],
                [(str(row["as_of_date"]), *(row.get(key, 0) for key in (*keys, *exits))) for row in rows],
                "run: outcomes",
                note,
            )
        ),
        _outcome_by_group(found),
    ]


def _outcome_by_group(found: Found) -> Part:
    rows, caption = found.profile["outcome_by_group"], "Outcome not recorded, by group"
    if not rows:
        return table(content(f"{caption}, on a date on which it is no longer too early", [], [], "run: outcomes"))
    note = f"All {found.many} of that date: the latest on which it is for none of them too early to know."
    caption = f"{caption}, as of {day_text(str(rows[0]['as_of_date']))}"
    return table({**by_group(rows, caption, "run: outcomes", found.many), "note": note}, fold=True)


def _missing(found: Found) -> list[Part]:
    profile = found.profile
    dates = list(dict.fromkeys(str(row["as_of_date"]) for row in profile["feature_missing"] if row["as_of_date"]))
    over_time: dict[str, dict[str, Any]] = {}
    for row in profile["feature_missing"]:
        over_time.setdefault(row["feature"], {})[str(row["as_of_date"] or "all")] = cell(row, "share")
    parts = [
        heat(
            content(
                "Missing in each field, of 100, on each date",
                ["Field", "All dates", *map(day_text, dates)],
                [(name, *(line[key] for key in ("all", *dates))) for name, line in over_time.items()],
                "run: features",
                "A darker ground is a larger number.",
            )
        )
    ]
    for attribute in dict.fromkeys(row["attribute"] for row in profile["feature_missing_by_group"]):
        rows = [row for row in profile["feature_missing_by_group"] if row["attribute"] == attribute]
        groups = list(dict.fromkeys(row["group"] for row in rows))
        by_field: dict[str, list[Any]] = {}
        for row in rows:
            by_field.setdefault(row["feature"], []).append(cell(row, "share"))
        looked = [f"{row['feature']} ({row['group']})" for row in rows if row["concern"]]
        note = f"All {found.many} of the latest date. A darker ground is a larger number."
        note += f" Gaps of 5 or more that are more than chance: {', '.join(looked)}." if looked else ""
        day = day_text(str(rows[0]["as_of_date"]))
        caption = f"Missing in each field, of 100, by {label(attribute).lower()}, as of {day}"
        lines = [(name, *values) for name, values in by_field.items()]
        parts.append(heat(content(caption, ["Field", *groups], lines, "run: features", note), fold=True))
    columns = [(row["source"], row["column"], row["n"], cell(row, "share")) for row in profile["column_missing"]]
    whole = content("Missing in each source", ["Source", "Column", "Rows", "Missing, of 100"], columns, "run: sources")
    return [*parts, table(whole, fold=True)]


def _lag(found: Found) -> list[Part]:
    rows = [row for row in found.profile["recording_lag"] if row["quarter"] is None]
    lines = [
        (
            row["source"], row["n"], *(row["reason"] if row[key] is None else row[key] for key in ("median", "most")),
            row["undated"], "" if row["undated_share"] is None else per_100(row["undated_share"]),
        )
        for row in rows
    ]  # fmt: skip
    columns = [
        "Source", "Facts", "Half are known within, days", "95 of 100 within, days", "Left out: no date",
        "Left out, of 100",
    ]  # fmt: skip
    note = "Counted from the event until it was known. A fact without a date is left out, and counted here."
    return [table(content("Recording lag", columns, lines, "run: recording lag", note)), *found.figure("lag-")]


def _months(found: Found) -> list[Part]:
    breaks = [
        (str(row["date"]), row["what"], ", ".join(row["sources"]) or "all sources") for row in found.profile["breaks"]
    ]
    return [
        table(content("Declared breaks", ["Date", "What", "Affects"], breaks, "study.yaml: breaks")),
        *found.figure("months-"),
    ]


def _linkage(found: Found) -> list[Part]:
    rows = found.profile["linkage"]
    if not rows:
        return texts(["No source is linked or needs consent: each speaks of all."])
    how = list(dict.fromkeys((row["source"], row["how"]) for row in rows))
    dates = [
        (row["source"], str(row["as_of_date"]), row["n"], cell(row, "share"))
        for row in found.profile["linkage_by_date"]
    ]
    columns = ["Source", "As of", label(found.many), "Of 100"]
    return [
        *texts([f"Of {found.many} not linked a source says nothing. That is never counted as no events."]),
        table(content("How sources were linked", ["Source", "How"], how, "study.yaml: sources")),
        *found.figure("linkage-"),
        table(by_group(rows, "Linked, by group", "run: linkage", found.many, "source"), fold=True),
        table(content("Linked, on each date", columns, dates, "run: linkage"), fold=True),
    ]


def _enough(found: Found) -> list[Part]:
    enough = found.profile["enough"]
    reached = "reached" if enough["enough"] else "not reached"
    lines = [
        ("Outcomes that are known", enough["rows"]), ("Of these, came about", enough["events"]),
        (f"Of so many different {found.many}", enough["people"]), ("Candidate columns", enough["columns"]),
        ("Came about, for each candidate column", enough["events_for_each_column"]),
        (f"A simple floor of {enough['floor']} for each column", reached),
    ]  # fmt: skip
    shown = [(name, SMALL_OR_TELLING if value is None else value, "run: outcomes") for name, value in lines]
    said = "A simple floor, over all dates whose outcome is known. It is a first look, not a sample size."
    return [plain_facts(shown), *texts([said]), *_audit(found)]


def _audit(found: Found) -> list[Part]:
    if found.forecast is None:
        return texts(["What the fairness audit will be able to judge cannot be told: too little is known before it."])
    return [
        *texts([settled_in_words(found.forecast), *never_in_words(found.forecast, found.many)]),
        table(audit_forecast(found.forecast, found.many)),
    ]


def _checks(found: Found) -> list[Part]:
    rows = [(row["words"], row["result"], row["evidence"], row.get("accepted") or "") for row in found.checks]
    columns = ["Check", "Result", "Evidence", "Accepted because"]
    return [table(content("Checks for leaks", columns, rows, "run: leak checks"))]


def _features(found: Found) -> list[Part]:
    rows = [
        (
            row["words"], row["feature"], row["source"], row["take"].replace("_", " "), row["last"], row["about"],
            ", ".join(row["seen_by"]) or "not stated",
        )
        for row in found.profile["features"]
    ]  # fmt: skip
    columns = ["What it says", "Field", "Source", "Taken as", "Looks back", "About", "Seen by"]
    return [table(content("What the model may look at", columns, rows, "study.yaml: features, register.yaml"))]


def _hidden(found: Found) -> list[Part]:
    return hidden_parts(found.hidden, found.profile["disclosure"], found.many)


SECTIONS: tuple[tuple[str, Callable[[Found], list[Part]]], ...] = (
    ("What stands out", _stands_out),
    ("Where the data come from", _register),
    ("Who is counted", _attrition),
    ("What became of them", _outcomes),
    ("What is missing", _missing),
    ("How late records come", _lag),
    ("Records over time", _months),
    ("Whom each source can speak of", _linkage),
    ("Whether there is enough", _enough),
    ("Checks", _checks),
    ("What the model may look at", _features),
    ("What is not shown", _hidden),
)


def profile_outline(found: Found) -> tuple[Section, ...]:
    """The sections of a profile, in order."""
    return tuple(Section(number, title, tuple(parts(found))) for number, (title, parts) in enumerate(SECTIONS, 1))
