"""The report of a batch as sections, each a list of parts that the page knows how to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskmodels.assessment.stability_index import MUCH, SOMEWHAT, StabilityIndex
from riskmodels.reports.batch_figures import Figure, Row, drift_of
from riskmodels.reports.cells import capital, day_text, label
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.outline import Part, Section, bullets, heading, plain_facts, table, texts
from riskmodels.reports.profile_tables import content, per_100

PEOPLE_DECIDE = (
    "People decide. The list says who may need help; it decides nothing, and nobody may be turned down because of it.",
    "A risk of 30 of 100 means: of 100 people with such records about 30 will have the outcome, and about 70 will not.",
    "The reasons say what in the records moved the number. They are not causes, and nobody is to blame for them.",
    "Some who need help are not on the list, as the records do not show it. Each team's sheet has room to add them.",
    "Whoever objects to being scored is left out from the next list on; anybody may ask what was used about them.",
)
LEAST_CHANCE_SAID = 0.01
OF = "this batch"
HIDDEN = (
    "Counts are to the nearest 5, and small ones are not shown. A group whose part of the list is far from its part of "
    "everybody scored is worth a question: it may be a true difference in need, or in what the records show. The "
    "model card has the fairness audit."
)


def batch_outline(found: Row, figures: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections of a batch's report, in order. ``found``: `riskmodels.service.outputs.facts.BatchFacts.to_dict`."""
    drift = drift_of(found)
    parts = [
        ("In short", bullets([*in_short(found, drift), PEOPLE_DECIDE[0]])),
        ("Everybody is accounted for", _accounts(found)),
        ("Team by team", _teams(found)) if found["teams"] else None,
        ("How high the risks are", _risks(found, figures, drift)),
        ("Who is on the list", _composition(found)),
        ("The model and its approval", _model(found)),
        ("How to read this", [*bullets(PEOPLE_DECIDE), heading("Accessibility statement"), *texts(ACCESSIBILITY)]),
    ]
    return tuple(
        Section(number, title, tuple(each))
        for number, (title, each) in enumerate((part for part in parts if part is not None), 1)
    )


def in_short(found: Row, drift: StabilityIndex | None) -> list[str]:
    """The batch in a few sentences, warnings included."""
    rejected = sum(row["count"] for row in found["rejected"])
    excluded = sum(row["count"] for row in found["excluded"])
    lines = [
        f"{_people(found['scored'])} scored. The list has {found['listed']:,} of them, for {_places(found['places'])}."
    ]
    if excluded:
        lines.append(f"{_people(excluded)} left off the list by a rule of the service.")
    if rejected:
        lines.append(f"{rejected:,} of {found['rows_in']:,} rows could not be scored: see the file of rejects.")
    if found["listed"] < found["places"] and found["scored"]:
        lines.append(f"Not filled: {_places(found['places'] - found['listed'])}.")
    share = per_100(found["explained"] / found["scored"]) if found["scored"] else None
    if share is not None and found["explained"] < found["listed"]:
        lines.append(f"Take care: {_people(found['explained'])} given reasons, fewer than are on the list.")
    if drift is not None and drift.words not in ("alike", "not known"):
        lines.append(
            f"Take care: how the risks are spread is {drift.words} from the model's test. Ask whoever answers for the "
            "model before you act on the list."
        )
    lines += [f"Take care: {warning}" for warning in found["warnings"]]
    return lines


def _people(count: int) -> str:
    return "1 person was" if count == 1 else f"{count:,} people were"


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count:,} places"


# ---------------------------------------------------------------- the sections


def _accounts(found: Row) -> list[Part]:
    elsewhere = [
        ["Somebody else of the household has the place", found["households"], ""],
        ["No team with places", found["no_team"], ""],
    ]
    rows = [
        ["On the list", found["listed"], ""],
        ["Not reached: the places went to higher risks", found["not_reached"], ""],
        *(row for row in elsewhere if row[1]),
        # A rule that leaves nobody off is told too: it may have stopped working.
        *([f"Left off: {row['words']}", row["count"], row["owner"]] for row in found["excluded"]),
        ["All people scored", found["scored"], ""],
    ]
    columns = ["What became of them", "People", "Who answers for the rule"]
    shown = content("Everybody who was scored", columns, rows, OF)
    if not any(row[2] for row in rows):
        shown = {**shown, "columns": columns[:2], "rows": [row[:2] for row in rows]}
    rejects = [[capital(row["words"]), row["count"]] for row in found["rejected"]]
    lines = [["Scored", found["scored"]], *rejects, ["All rows of the cohort", found["rows_in"]]]
    what = content(
        "Every row that came in", ["What became of it", "Rows"], lines, OF,
        "The file of rejects has each row that was not scored, with its number and the reason." if rejects else None,
    )  # fmt: skip
    return [table(shown), table(what)]


def _teams(found: Row) -> list[Part]:
    rows = [
        [row["team"] if row["team"] is not None else "No team", row["places"], row["scored"], row["listed"]]
        for row in found["teams"]
    ]
    return [table(content("Each team's list", ["Team", "Places", "Scored", "On the list"], rows, OF))]


def _risks(found: Row, figures: Sequence[Figure], drift: StabilityIndex | None) -> list[Part]:
    drawn: list[Part] = [{"kind": "figure", "figure": figure} for figure in figures]
    rows = [[row["band"], per_100(row["starts"]), row["scored"], row["listed"]] for row in found["bands"]]
    bands = content("People by band", ["Band", "From a risk of, of 100", "Scored", "On the list"], rows, OF)
    return [*texts(drift_in_words(drift)), *drawn, *([table(bands)] if rows else [])]


def drift_in_words(drift: StabilityIndex | None) -> list[str]:
    """What the stability index says, with its value and where its reading comes from."""
    if drift is None:
        return ["The risks of the model's test are not at hand, so nothing is said of whether these differ."]
    if drift.value is None:
        return [f"Whether the risks are spread as in the model's test cannot be said: {drift.reason}."]
    said = {
        "alike": "The risks are spread much as in the model's test.",
        "somewhat different": "The risks are spread somewhat differently from the model's test: find out why.",
        "very different": "The risks are spread very differently from the model's test. Find out why before you act: "
        "the people, the records or the way of recording may have changed.",
    }[drift.words]
    # In a large batch chance does next to nothing, and "below 0.00" would only puzzle.
    chance = ""
    if drift.by_chance is not None and drift.by_chance >= LEAST_CHANCE_SAID:
        chance = (
            f" Chance alone stays below {drift.by_chance:.2f} in 95 of 100 such batches (Yurdakul and Naranjo 2020)."
        )
    return [
        f"{said} (Population stability index {drift.value:.2f}: from {SOMEWHAT:g} on somewhat, from {MUCH:g} on very "
        f"different; Siddiqi 2006.{chance})"
    ]


def _composition(found: Row) -> list[Part]:
    if not found["groups_file"]:
        return texts(["No file of groups was given (--groups), so nothing can be said here."])
    parts: list[Part] = texts([HIDDEN])
    for name in dict.fromkeys(row["attribute"] for row in found["composition"]):
        rows = [
            [row["group"], *(_shown(row, key) for key in ("scored", "of_100_scored", "listed", "of_100_listed"))]
            for row in found["composition"]
            if row["attribute"] == name
        ]
        columns = ["Group", "Scored", "Of 100 scored", "On the list", "Of 100 on the list"]
        parts.append(table(content(label(name), columns, rows, "this batch, and the file of groups")))
    return parts


def _shown(row: Row, key: str) -> Any:
    """A number that may be shown, or words: a share is hidden with its count, or has nobody to be a share of."""
    count = row[key.removeprefix("of_100_")]
    return row[key] if row[key] is not None else "not shown" if count is None else "nobody"


def _model(found: Row) -> list[Part]:
    example = [("Example", "Yes. The approval is an example, and nobody may act on this list.", "")]
    return [
        plain_facts(
            [
                ("Version", found["model_version"], ""),
                ("Digest", found["model_sha256"], ""),
                ("Approved for", found["stage"], f"the {found['owner_role']}, minute {found['minute']}"),
                ("Approved until", day_text(found["expires"]), "the review record"),
                ("Scored on", day_text(found["scored_on"]), ""),
                ("People given reasons", found["explained"], ""),
                *(example if found["example"] else []),
            ]
        )
    ]
