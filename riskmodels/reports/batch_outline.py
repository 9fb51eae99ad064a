"""The report of a batch as sections, each a list of parts that the page knows how to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskmodels.assessment.stability_index import MUCH, SOMEWHAT
from riskmodels.reports.batch_figures import Figure, Row
from riskmodels.reports.cells import capital, day_text, label
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.how_right import how_right
from riskmodels.reports.parts import Part, Section, bullets, heading, plain_facts, table, texts
from riskmodels.reports.profile_tables import content, per_100

PEOPLE_DECIDE = (
    "People decide. The list says who may need help; it decides nothing, and nobody may be turned down because of it.",
    "A risk of 30 of 100 means: of 100 people with such records about 30 will have the outcome, and about 70 will not.",
    "The reasons say what in the records moved the number. They are not causes, and nobody is to blame for them.",
    "Some who need help are not on the list, as the records do not show it. Each team's sheet has room to add them.",
    "Whoever objects to being scored is left out from the next list on; anybody may ask what was used about them.",
)
OF = "this batch"
NOT_SHOWN = "not shown"
HIDDEN = (
    "A group whose part of the list is far from its part of everybody scored is worth a question: it may be a true "
    "difference in need, or in what the records show. The model card has the fairness audit."
)


def batch_outline(found: Row, figures: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections of a batch's report, in order. ``found``: `riskmodels.service.outputs.published_batch`."""
    parts = [
        ("In short", bullets([*in_short(found), PEOPLE_DECIDE[0]])),
        ("Everybody is accounted for", _accounts(found)),
        ("Team by team", _teams(found)) if found["teams"] else None,
        ("How high the risks are", _risks(found, figures)),
        ("Who is on the list", _composition(found)),
        ("The model and its approval", _model(found)),
        ("How to read this", [*bullets(PEOPLE_DECIDE), heading("Accessibility statement"), *texts(ACCESSIBILITY)]),
    ]
    return tuple(
        Section(number, title, tuple(each))
        for number, (title, each) in enumerate((part for part in parts if part is not None), 1)
    )


def in_short(found: Row) -> list[str]:
    """The batch in a few sentences, warnings included."""
    places = _places(found["places"])
    if found["full"]:
        lines = [f"{_people(found, found['scored'])} scored. The list fills all of its {places}."]
    else:
        listed = _how_many(found, found["listed"])
        lines = [f"{_people(found, found['scored'])} scored. The list has {listed} of them, for {places}: not all are "
                 "filled."]  # fmt: skip
    if found["left_off"]["any"]:
        lines.append(f"{_people(found, found['left_off']['count'])} left off the list by a rule of the service.")
    if found["not_scored"]["any"]:
        rows, whole = (_how_many(found, one) for one in (found["not_scored"]["count"], found["rows_in"]))
        lines.append(f"Of {whole} rows, {rows} could not be scored: see the file of rejects.")
    if found["too_few_explained"]:
        lines.append(f"Take care: {_people(found, found['explained']).lower()} given reasons, fewer than are listed.")
    drift = found["drift"]
    if drift is not None and drift["words"] not in ("alike", "not known"):
        lines.append(
            f"Take care: how the risks are spread is {drift['words']} from the model's test. Ask whoever answers for "
            "the model before you act on the list."
        )
    lines += [f"Take care: {warning}" for warning in found["warnings"]]
    return lines


def _people(found: Row, count: int | None) -> str:
    if count == 1:
        return "1 person was"
    said = _how_many(found, count)
    return f"{said[0].upper()}{said[1:]} people were"


def _how_many(found: Row, count: int | None) -> str:
    return f"fewer than {found['profile']['below']}" if count is None else f"{count:,}"


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count:,} places"


# ---------------------------------------------------------------- the sections


def _accounts(found: Row) -> list[Part]:
    elsewhere = {"households": "Somebody else of the household has the place", "no_team": "No team with places"}
    rows = [
        ["On the list", _shown(found["listed"]), ""],
        ["Not reached: the places went to higher risks", _shown(found["not_reached"]), ""],
        *([words, _shown(found[name]), ""] for name, words in elsewhere.items() if name in found),
        # A rule that leaves nobody off is told too: it may have stopped working.
        *([f"Left off: {row['words']}", _shown(row["count"]), row["owner"]] for row in found["excluded"]),
        ["All people scored", _shown(found["scored"]), ""],
    ]
    columns = ["What became of them", "People", "Who answers for the rule"]
    shown = content("Everybody who was scored", columns, rows, OF)
    if not any(row[2] for row in rows):
        shown = {**shown, "columns": columns[:2], "rows": [row[:2] for row in rows]}
    rejects = [[capital(row["words"]), _shown(row["count"])] for row in found["rejected"]]
    lines = [["Scored", _shown(found["scored"])], *rejects, ["All rows of the cohort", _shown(found["rows_in"])]]
    what = content(
        "Every row that came in", ["What became of it", "Rows"], lines, OF,
        "The file of rejects has each row that was not scored, with its number and the reason." if rejects else None,
    )  # fmt: skip
    return [*texts(["Nobody is lost. Every row that came in was scored or rejected, and whoever was scored is on the "
                    "list or left off for one of the reasons below. Both sums were checked, exactly, before anything "
                    f"was written.{_rounding(found)}"]), table(shown), table(what)]  # fmt: skip


def _rounding(found: Row) -> str:
    base, below = (found["profile"][name] for name in ("base", "below"))
    if not below:
        return ""
    return (
        f" On this page counts are to the nearest {base}, so that they need not add up. Those below {below} are not "
        "shown, nor those that would tell them: one person is a person."
    )


def _teams(found: Row) -> list[Part]:
    rows = [
        [
            row["team"] if row["team"] is not None else "No team",
            row["places"],
            *map(_shown, (row["scored"], row["listed"])),
        ]
        for row in found["teams"]
    ]
    return [table(content("Each team's list", ["Team", "Places", "Scored", "On the list"], rows, OF))]


def _risks(found: Row, figures: Sequence[Figure]) -> list[Part]:
    drawn: list[Part] = [{"kind": "figure", "figure": figure} for figure in figures]
    rows = [
        [row["band"], per_100(row["starts"]), *map(_shown, (row["scored"], row["listed"]))] for row in found["bands"]
    ]
    bands = content("People by band", ["Band", "From a risk of, of 100", "Scored", "On the list"], rows, OF)
    return [
        *texts([*drift_in_words(found["drift"]), how_right(found["tested"], found["tested_top"])]),
        *drawn,
        *([table(bands)] if rows else []),
    ]


def drift_in_words(drift: Row | None) -> list[str]:
    """What the stability index says, with its value and where its reading comes from."""
    if drift is None:
        return ["The risks of the model's test are not at hand, so nothing is said of whether these differ."]
    if drift["value"] is None:
        return [f"Whether the risks are spread as in the model's test cannot be said: {drift['reason']}."]
    said = {
        "alike": "The risks are spread much as in the model's test.",
        "somewhat different": "The risks are spread somewhat differently from the model's test: find out why.",
        "very different": "The risks are spread very differently from the model's test. Find out why before you act: "
        "the people, the records or the way of recording may have changed.",
    }[drift["words"]]
    chance = "" if drift["words"] == "alike" else " Among few people, or where households are alike, it may be chance."
    return [
        f"{said}{chance} (Population stability index {drift['value']:.2f}: from {SOMEWHAT:g} on somewhat, from "
        f"{MUCH:g} on very different; Siddiqi 2006.)"
    ]


def _composition(found: Row) -> list[Part]:
    if not found["groups_file"]:
        return texts(["No file of groups was given (--groups), so nothing can be said here."])
    parts: list[Part] = texts([HIDDEN])
    for name in dict.fromkeys(row["attribute"] for row in found["composition"]):
        rows = [
            [row["group"], *(_share_shown(row, key) for key in ("scored", "of_100_scored", "listed", "of_100_listed"))]
            for row in found["composition"]
            if row["attribute"] == name
        ]
        columns = ["Group", "Scored", "Of 100 scored", "On the list", "Of 100 on the list"]
        parts.append(table(content(label(name), columns, rows, "this batch, and the file of groups")))
    return parts


def _shown(count: int | None) -> int | str:
    return NOT_SHOWN if count is None else count


def _share_shown(row: Row, key: str) -> Any:
    """A number that may be shown, or words: a share is hidden with its count, or has nobody to be a share of."""
    count = row[key.removeprefix("of_100_")]
    return row[key] if row[key] is not None else NOT_SHOWN if count is None else "nobody"


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
                ("People given reasons", _shown(found["explained"]), ""),
                *(example if found["example"] else []),
            ]
        )
    ]
