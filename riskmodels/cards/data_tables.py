"""What else section 5 says of the data: links, gaps between groups, objections, and what the register leaves open.

``TABLES`` is the list of them: each takes what was found, already fit to be shown, and gives a table or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskmodels.assessment.profile_disclosure import publish_profile, published_differences
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import count_cell, of_100_cell, range_cell
from riskmodels.cards.data_section import REGISTER
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import Language, attribute_words, capital, day, label, of_100
from riskmodels.data.register import ENDS_SOON
from riskmodels.study import StudyFile

Row = Mapping[str, Any]
NOTABLE, MOST_NOTABLE = 0.1, 20
WHOLE_PROFILE = "The profile of the data has them all."


@dataclass(frozen=True)
class Known:
    """What is known of the data beside quality, attrition and outcomes; every number may be shown."""

    study: StudyFile
    language: Language
    profile: Row | None = None
    differences: Sequence[Row] = ()
    gaps: Sequence[Row] = ()
    objected: Mapping[str, int | None] = field(default_factory=dict)
    links: Sequence[Row] = ()
    examples: Mapping[str, int] | None = None

    def rows(self, name: str) -> Sequence[Row]:
        return [] if self.profile is None else self.profile[name]


def publish_known(
    study: StudyFile,
    language: Language,
    shown: Shown,
    *,
    profile: Row | None,
    differences: Sequence[Row],
    gaps: Sequence[Row],
    objected: Mapping[str, int],
    links: Sequence[Row],
    examples: Mapping[str, int] | None,
) -> Known:
    """Exact findings, made fit to be shown. What depends on the day is left to the page, which knows it."""
    published = None
    if profile is not None:
        published, hidden = publish_profile(profile, shown.profile)
        for line in hidden:
            shown.note(**line)
    log: list[dict[str, str]] = []
    compared = published_differences(differences, shown.profile, log)
    for line in log:
        shown.note(**line)
    return Known(
        study,
        language,
        published,
        compared,
        [row for row in gaps if row["key"] != ENDS_SOON],
        {scope: shown.count(count, none_is_fine=True) for scope, count in objected.items()},
        [_link(row, shown) for row in links],
        examples,
    )


def _link(row: Row, shown: Shown) -> Row:
    """Linked and not linked are shown together or not at all: there is no secret about how many there are of both."""
    linked, rest = row["linked"], row["not_linked"]
    hide = any(0 < count < shown.profile.below for count in (linked, rest))
    if hide:
        shown.note(f"data.links, {row['source']}", "count and share")
    line = {name: shown.count(row.get(name) or 0, none_is_fine=True) for name in ("ambiguous", "below_confidence")}
    both = (None if hide else shown.count(count, none_is_fine=True) for count in (linked, rest))
    share = None if hide or not linked + rest else linked / (linked + rest)
    return {"source": row["source"], **dict(zip(("linked", "not_linked"), both, strict=True)), "share": share, **line}


# ---------------------------------------------------------------- the tables


def _gaps(known: Known) -> Table | None:
    return Table(
        caption="What the register does not say",
        columns=("Source", "Key", "What"),
        rows=tuple((row["source"], REGISTER.get(row["key"], label(row["key"])), row["words"]) for row in known.gaps),
        source="register.yaml",
    )


def _links(known: Known) -> Table | None:
    if not known.links:
        return None
    many = known.language.many
    return Table(
        caption=f"How many {many} each source could be linked to",
        columns=("Source", "Linked", "Not linked", "Linked, of 100", "Not clear whose", "Match too weak"),
        rows=tuple(
            (
                row["source"],
                count_cell(row["linked"]),
                count_cell(row["not_linked"]),
                of_100_cell(row["share"]),
                count_cell(row["ambiguous"]),
                count_cell(row["below_confidence"]),
            )
            for row in known.links
        ),
        source="run: links",
        note=f"Of {many} who are not linked, a source says nothing. That is never counted as no events.",
    )


def _linkage(known: Known) -> Table | None:
    rows = known.rows("linkage")
    if not rows:
        return None
    lines = []
    for row in rows:
        gap = "" if row["gap"] is None else points(row["gap"])
        lines.append(
            (
                row["source"],
                _group(known, row),
                count_cell(row["n"]),
                of_100_cell(row["share"], row),
                _range(row),
                "the reference" if row["reference"] else gap,
                "look here" if row["concern"] else "",
            )
        )
    return Table(
        caption="Linked, by group",
        columns=(
            "Source",
            "Group",
            capital(known.language.many),
            "Of 100",
            "Could be",
            "Points from the reference",
            "",
        ),
        rows=tuple(lines),
        source="run: linkage",
        note="Each counts once, as of the latest date. Look here: 10 points or more, beyond chance.",
    )


def _missing_by_group(known: Known) -> Table | None:
    rows = known.rows("feature_missing_by_group")
    if not rows:
        return None
    words: dict[str, str] = {row["feature"]: row["words"] for row in known.rows("features")}
    wide = [row for row in rows if row["concern"]]
    wide.sort(key=lambda row: -abs(row["gap"] or 0))
    reference = {(row["feature"], row["attribute"]): row for row in rows if row["reference"]}
    lines = tuple(
        (
            capital(words.get(row["feature"], str(row["feature"]))),
            _group(known, row),
            of_100_cell(row["share"], row),
            of_100_cell(
                reference[row["feature"], row["attribute"]]["share"], reference[row["feature"], row["attribute"]]
            ),
        )
        for row in wide[:MOST_NOTABLE]
    )
    note = "No value may mean that nothing happened. Gaps of 5 points or more that are beyond chance."
    return Table(
        caption="Fields without a value: gaps between groups",
        columns=("Field", "Group", "No value, of 100", "Of 100 of the reference group"),
        rows=lines,
        source="run: features",
        note=f"{note} The widest {MOST_NOTABLE}. {WHOLE_PROFILE}" if len(wide) > MOST_NOTABLE else note,
    )


def _attrition_differences(known: Known) -> Table | None:
    if not known.differences:
        return None
    last = max(str(row["as_of_date"]) for row in known.differences)
    rows = [row for row in known.differences if str(row["as_of_date"]) == last]
    rows = [row for row in rows if abs(row["standardised_difference"] or 0) >= NOTABLE]
    rows.sort(key=lambda row: -abs(row["standardised_difference"]))
    lines = tuple(
        (
            capital(row["words"]),
            _group(known, row),
            of_100_cell(row["dropped_share"]),
            of_100_cell(row["kept_share"]),
            row["standardised_difference"],
        )
        for row in rows[:MOST_NOTABLE]
    )
    note = f"As of {day(last)}. Standardised differences of {NOTABLE} or more, either way (Austin 2009)."
    return Table(
        caption="How those left out differ from those kept",
        columns=("Step", "Group", "Of 100 left out", "Of 100 kept", "Standardised difference"),
        rows=lines,
        source="run: cohort attrition",
        note=f"{note} The widest {MOST_NOTABLE}. {WHOLE_PROFILE}" if len(rows) > MOST_NOTABLE else note,
    )


def _objections(known: Known) -> Table | None:
    if known.study.objections is None:
        return None
    rows = tuple((label(scope), count_cell(count)) for scope, count in known.objected.items())
    return Table(
        caption="Objections that were honoured",
        columns=("Objected to", f"{capital(known.language.many)} whose rows were left out"),
        rows=rows,
        source="run: objections",
        note="Nobody who objects to scoring is on a list.",
    )


def _enough(known: Known) -> Table | None:
    if known.profile is None:
        return None
    enough = known.profile["enough"]
    each = enough["events_for_each_column"]
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Outcomes that are known, on all dates", count_cell(enough["rows"])),
        ("Of these, came about", count_cell(enough["events"])),
        (f"Different {known.language.many} for whom it did", count_cell(enough["people"])),
        ("Candidate columns", str(enough["columns"])),
        ("Came about, for each candidate column", count_cell(None) if each is None else f"{each:,.0f}"),
        (f"A simple floor of {enough['floor']} for each column", "reached" if enough["enough"] else "not reached"),
    )
    note = "A first look, not a sample size."
    return Table(
        caption="Whether there is enough", columns=("What", "How much"), rows=rows, source="run: outcomes", note=note
    )


def _breaks(known: Known) -> Table | None:
    if not known.study.breaks:
        return None
    rows = tuple((day(one.date), one.what, ", ".join(one.affects) or "everything") for one in known.study.breaks)
    columns = ("Date", "What changed", "Affects")
    return Table(caption="Breaks in the records", columns=columns, rows=rows, source="study.yaml: breaks")


def _examples(known: Known) -> Table | None:
    if not known.examples or not known.examples["given"]:
        return None
    given, agree = known.examples["given"], known.examples["agree"]
    return Table(
        caption="Made-up examples",
        columns=("What", "How many"),
        rows=(("Made-up examples in examples.yaml", str(given)), ("Came out as they should", str(agree))),
        source="run: examples.yaml",
        note="Each is a made-up case with dated rows, and the membership, outcome and fields that it should get.",
    )


TABLES: dict[str, Callable[[Known], Table | None]] = {
    "links": _links,
    "linkage": _linkage,
    "attrition_differences": _attrition_differences,
    "missing_by_group": _missing_by_group,
    "enough": _enough,
    "breaks": _breaks,
    "examples": _examples,
    "objections": _objections,
    "gaps": _gaps,
}


def data_tables(known: Known) -> dict[str, Table]:
    """Every table that there is something for."""
    made = {name: build(known) for name, build in TABLES.items()}
    return {name: table for name, table in made.items() if table is not None}


# ---------------------------------------------------------------- words


def linkage_words(known: Known) -> list[str]:
    """A sentence for each group of whom a source can speak far less often, or far more, than of its reference group."""
    said = []
    for row, fewer, more in _concerns(known):
        words = f"Fewer {_of_group(known, fewer)} could be linked to {row['source']} than {_of_group(known, more)}"
        if fewer["share"] is not None and more["share"] is not None:
            words += f": {of_100(fewer['share'])} of 100, against {of_100(more['share'])}"
        said.append(f"{words}. Of those who are not linked, it says nothing.")
    return said


def linkage_in_short(known: Known) -> str | None:
    """The widest of these gaps without numbers, for page one."""
    found = _concerns(known)
    if not found:
        return None
    row, fewer, more = max(found, key=lambda one: abs(one[0]["gap"] or 0))
    said = f"{capital(row['source'])} can say less of {_of_group(known, fewer)} than of {_of_group(known, more)}."
    said += " Fewer of their records could be found."
    return f"{said} Section 5 has more such gaps." if len(found) > 1 else said


def _concerns(known: Known) -> list[tuple[Row, Row, Row]]:
    """Each concern, with who is linked less often and who more."""
    rows = known.rows("linkage")
    reference = {(row["source"], row["attribute"]): row for row in rows if row["reference"]}
    pairs = [(row, reference[row["source"], row["attribute"]]) for row in rows if row["concern"]]
    return [(row, row, other) if row["concern"] == "lower" else (row, other, row) for row, other in pairs]


def _of_group(known: Known, row: Row) -> str:
    return f"{known.language.many} of the group {row['group']}"


def _group(known: Known, row: Row) -> str:
    if row["attribute"] is None:
        return f"All {known.language.many}"
    return f"{capital(attribute_words(known.study, row['attribute']))}: {row['group']}"


def _range(row: Row) -> str:
    return "" if row["share"] is None else str(range_cell({**row, "value": row["share"]}))


def points(gap: float) -> str:
    """A difference of shares in points of 100, with its sign."""
    whole = round(100 * gap)
    return f"{whole:+d}" if whole else "0"
