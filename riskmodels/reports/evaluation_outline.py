"""An evaluation as sections, each a list of parts that the page knows how to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.evaluation_figures import ENDS, Figure, benefit_rows, per_100
from riskmodels.reports.evaluation_words import in_short, measures_of, paths_in_words, reasons_of
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import Part, Section, bullets, heading, plain_facts, table, texts, words_explained
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
EXACT = (
    "This page shows exact counts, small ones too, to whoever holds the file. It is not for publication: a count of a "
    "few people can give somebody away."
)
CALIBRATION = (
    "Risks come true if, of 100 rows with a risk of 30 of 100, about 30 have the event. Below the diagonal risks are "
    "too high, above it too low."
)
BENEFIT = (
    "Who helps everybody with a risk of 20 of 100 or more holds that reaching one event is worth four offers made "
    "without need. Net benefit counts events reached, less needless offers at that price (Vickers and Elkin 2006). "
    "Acting on the risks is worth it where its line is the highest, and clearly so where the whole band is."
)
METHOD = (
    "Intervals are of 95%: DeLong's for the AUC, Wilson's for shares, and for the others the usual formula. Where rows "
    "share an entity they are not independent, and each interval allows for it.",
    "Rows without a known outcome are ranked like all others, for a service would have ranked them too. All other "
    "figures leave them out. The bounds say where a figure would lie if each of these outcomes were known.",
    "Distances between risk and outcome (ICI, E50, E90, Emax) have no interval. Smoothing leaves them above 0 even for "
    "perfect risks, the more so the fewer the rows.",
    "The figures say how good the risks are in this file. They do not say that acting on them does good, that they are "
    "fair, or that they will be as good elsewhere or later.",
)
TERMS = (
    "AUC", "Average precision", "Base rate", "Brier score", "Calibration", "Calibration in the large",
    "Calibration slope", "ICI", "Interval", "Net benefit", "Observed to expected (O/E)", "Precision",
)  # fmt: skip
LABELS = {
    "file": "File", "outcome": "Column of outcomes", "risk": "Column of risks", "entity": "Column of entities",
    "as_of": "Column of as-of dates",
}  # fmt: skip
TIES = {
    "ordered": "Equal risks at the last place are put in an order made from the id and the seed {seed}.",
    "expected": "Equal risks at the last place are a draw: each such row counts by its chance of a place, so that hits "
    "may be fractions.",
}


def evaluation_outline(found: Row, figures: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections of an evaluation (the JSON of ``evaluate``), in order."""
    parts = [
        ("In short", _short(found)),
        ("Do the risks come true?", _calibration(found, figures)),
        ("Is it worth acting on them?", _benefit(found, figures)),
        ("With so many places", _places(found)),
        *([("Date by date", _dates(found))] if "per_date" in found else []),
        ("Every measure", _measures(found)),
        ("What could not be computed", _missing(found)),
        ("How this was done", _method(found)),
    ]
    return tuple(Section(number, title, tuple(each)) for number, (title, each) in enumerate(parts, 1))


# ---------------------------------------------------------------- the sections


def _short(found: Row) -> list[Part]:
    notes = bullets([f"Take care: {note}" for note in found["notes"]])
    return [*bullets(in_short(found)), *notes, *texts([EXACT])]


def _figure(figures: Sequence[Figure], name: str) -> list[Part]:
    drawn: list[Part] = [{"kind": "figure", "figure": figure} for figure in figures if figure["id"] == name]
    return drawn or texts(["There is no figure: it needs known outcomes, with the event and without."])


def _calibration(found: Row, figures: Sequence[Figure]) -> list[Part]:
    lines = [
        (
            per_100(row["risk"]), *(_number(per_100(row[key])) for key in ("observed", "low", "high")),
            "no risk in the file is as far out" if row["extrapolated"] else "",
        )
        for row in sorted(found["spline_curve"], key=lambda row: row["risk"])
    ]  # fmt: skip
    read = content(
        "What came about at some risks",
        ["Risk, of 100", "Came about, of 100", *ENDS, "Remark"],
        lines,
        found["about"]["file"],
        "Read from a smooth curve: a spline with five knots, fitted to all known outcomes.",
    )
    return [*texts([CALIBRATION]), *_figure(figures, "calibration"), table(without_blanks(read))]


def _benefit(found: Row, figures: Sequence[Figure]) -> list[Part]:
    parts = [*texts([BENEFIT]), *_figure(figures, "net_benefit")]
    if not found["net_benefit"]:
        return parts
    rows = [
        [*(_number(value) for value in line), _number(per_100(row["interventions_avoided"]))]
        for line, row in zip(benefit_rows(found["net_benefit"]), found["net_benefit"], strict=True)
    ]
    columns = ["From a risk of (of 100)", "Acting on the risks", *ENDS, "Helping all", "Helping none"]
    shown = content(
        "Net benefit for 100 rows, at the thresholds asked for",
        [*columns, "Needless offers saved, of 100 rows"],
        rows,
        found["about"]["file"],
        "Needless offers saved: against helping all, with no event lost on balance.",
    )
    return [*parts, table(shown)]


def _places(found: Row) -> list[Part]:
    if not found["at_capacity"]:
        return texts(["No number of places was asked for (--capacity)."])
    each = " on each date" if "per_date" in found else ""
    shown = content(
        f"The highest risks, to so many places{each}",
        [
            "Places", "With a place", "Outcome known", "Hits", "Of 100 known, hits", *ENDS,
            "Bounds, of 100 with a place", "Of 100 known events, with a place",
        ],
        [_place_line(row) for row in found["at_capacity"]],
        found["about"]["file"],
        TIES[found["ties"]].format(seed=found["seed"]),
    )  # fmt: skip
    return [table(without_blanks(shown))]


def without_blanks(content: Row) -> Row:
    """A table without the columns that have nothing to say."""
    kept = [place for place in range(len(content["columns"])) if any(row[place] != "" for row in content["rows"])]
    return {
        **content,
        "columns": [content["columns"][place] for place in kept],
        "rows": [[row[place] for place in kept] for row in content["rows"]],
    }


def _place_line(row: Row) -> list[Any]:
    low, high = (per_100(row["precision_bounds"][end]) for end in ("low", "high"))
    return [
        row["k"], row["selected"], row["known"], _number(row["hits"]),
        *(_number(per_100(row["precision"][part])) for part in ("value", "low", "high")),
        f"{low:g} to {high:g}" if row["unknown"] and row["selected"] else "", _number(per_100(row["recall"])),
    ]  # fmt: skip


def _dates(found: Row) -> list[Part]:
    shown = content(
        "Each as-of date by itself",
        [
            "As of", "Rows", "Events", "Not known", "AUC", "95% interval", "O/E", "95% interval", "Brier score",
            *(f"Hits, of 100 known with one of {row['k']:,} places" for row in found["at_capacity"]),
        ],
        [
            (
                one["as_of_date"], one["n"], one["events"], one["unknown"], *_with_interval(one["auc"]),
                *_with_interval(one["oe_ratio"]), _number(one["brier"]),
                *(_number(per_100(row["precision"]["value"])) for row in one["at_capacity"]),
            )
            for one in found["per_date"]
        ],
        found["about"]["file"],
    )  # fmt: skip
    return [table(shown)]


def _with_interval(parts: Row) -> tuple[Any, str]:
    return _number(parts["value"]), "" if parts["low"] is None else f"{parts['low']:.3f} to {parts['high']:.3f}"


def _measures(found: Row) -> list[Part]:
    rows = [
        (
            one.name, _number(one.value), "" if one.low is None else f"{one.low:.4g} to {one.high:.4g}",
            one.meaning,
        )
        for one in measures_of(found)
    ]  # fmt: skip
    columns = ["Measure", "Value", "95% interval", "What it says"]
    return [table(content("Every measure, of the rows whose outcome is known", columns, rows, found["about"]["file"]))]


def _missing(found: Row) -> list[Part]:
    rows = [(paths_in_words(paths), reason) for reason, paths in reasons_of(found).items()]
    if not rows:
        return texts(["Everything could be computed."])
    return [table(content("What has no value, or no interval, and why", ["What", "Why"], rows, found["about"]["file"]))]


def _method(found: Row) -> list[Part]:
    about = [(LABELS[key], value, "") for key, value in found["about"].items()]
    entities = [("Different entities", found["entities"], "")] if "entities" in found else []
    said = [*METHOD, *([TIES[found["ties"]].format(seed=found["seed"])] if found["at_capacity"] else [])]
    return [
        plain_facts([*about, *entities]),
        *bullets(said),
        *words_explained(*TERMS),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
    ]


def _number(value: Any) -> Any:
    return "not computed" if value is None else value
