"""What an evaluation says, in plain English: the name and the meaning of each measure, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.reports.comparison_words import listing, of_100

Row = Mapping[str, Any]
MEANINGS = {
    "auc": ("AUC", "Share of pairs in which the event has the higher risk; by chance 0.5."),
    "average_precision": ("Average precision", "Precision over all lengths of list; by chance, the base rate."),
    "brier": ("Brier score", "Mean squared distance of risk from outcome; lower is better."),
    "scaled_brier": ("Scaled Brier score", "0 is no better than the base rate for everybody, 1 is perfect."),
    "oe_ratio": ("Observed to expected (O/E)", "Events for each one that the risks add up to; above 1, too low."),
    "calibration_in_the_large": ("Calibration in the large", "0 is right; above 0, risks are too low on the whole."),
    "calibration_slope": ("Calibration slope", "1 is right; below 1 risks are too extreme, above 1 too timid."),
    "ici": ("ICI", "Mean distance of a risk from what came about at that risk (loess)."),
    "e50": ("E50", "The distance that half of the rows do not exceed (loess)."),
    "e90": ("E90", "The distance that 9 of 10 rows do not exceed (loess)."),
    "emax": ("Emax", "The largest distance (loess)."),
    "eavg_lowess": ("Eavg, by lowess", "As ICI, with the smoother of R's val.prob."),
    "e90_lowess": ("E90, by lowess", "As E90, with the smoother of R's val.prob."),
    "emax_lowess": ("Emax, by lowess", "As Emax, with the smoother of R's val.prob."),
    "spiegelhalter": ("Spiegelhalter's z", "A test of calibration: beyond 2 either way, risks are off."),
}
"""Name and meaning by the key in the JSON, in the order in which they are shown."""

PATHS = (
    (r"per_date\.[^.]+\.(.*)", "{} on some dates"),
    (r"at_capacity\.(\d+)\.(.*)", "{1} with {0} places"),
    (r"net_benefit\.([0-9.e-]+?)(|\.low|\.high)", "net benefit from a risk of {0}"),
    (r"(decision_curve|calibration_bins)\..*", "{}"),
)
"""What a path looks like, and its words; the last group is a path itself."""

ENOUGH_UNKNOWN = 0.1  # a share of unknown outcomes that makes the bounds the thing to read


@dataclass(frozen=True)
class Measure:
    """One line of the table of measures; ``reason`` says why a value, or its interval, is missing."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    meaning: str
    reason: str | None


def measures_of(found: Row) -> Iterator[Measure]:
    """The measures of an evaluation's JSON, in order."""
    for key, (name, meaning) in MEANINGS.items():
        here = found[key]
        parts = here if isinstance(here, Mapping) else {"value": here, **found["intervals"].get(key, {})}
        value = parts["z"] if key == "spiegelhalter" else parts["value"]
        if key == "spiegelhalter" and value is not None:
            meaning = f"{meaning} p {parts['p']:.3g}."
        reasons = (found["not_computed"].get(path) for path in (key, f"{key}.low", f"intervals.{key}.low"))
        reason = next((reason for reason in reasons if reason), None)
        yield Measure(name, value, parts.get("low"), parts.get("high"), meaning, reason)


def reasons_of(found: Row) -> dict[str, list[str]]:
    """reason -> the names of all that could not be computed because of it."""
    by_reason: dict[str, list[str]] = {}
    for path, reason in found["not_computed"].items():
        by_reason.setdefault(reason, []).append(path)
    return by_reason


def in_short(found: Row) -> list[str]:
    """What the figures come to, for somebody who knows none of them."""
    return [*_counts(found), *_order(found), *_level(found), *_spread(found), *_lists(found)]


def _counts(found: Row) -> list[str]:
    n, events, unknown = found["n"], found["events"], found["unknown"]
    known = n - unknown
    said = f"{n:,} {'row was' if n == 1 else 'rows were'} read, each a prediction."
    if not known:
        return [f"{said} No outcome is known, so nothing can be said of how good the risks are."]
    if unknown:
        said += f" For {unknown:,} the outcome is not known. Of the other {known:,}, {events:,} had the event:"
    else:
        said += f" The outcome of all is known: {events:,} had the event,"
    return [f"{said} {of_100(events / known)} of 100."]


def _order(found: Row) -> list[str]:
    auc = found["auc"]
    if auc["value"] is None:
        return []
    said = (
        "Order: take a row that had the event and one that did not. The first has the higher risk in "
        f"{of_100(auc['value'])} of 100 such pairs{_between(auc)}; 50 would be a coin toss."
    )
    if auc["low"] is not None and auc["low"] <= 0.5 <= auc["high"]:
        said += " The risks may order rows no better than a coin."
    elif auc["high"] is not None and auc["high"] < 0.5:
        said += " That is worse than a coin: check which value of the outcome is the event."
    return [said]


def _level(found: Row) -> list[str]:
    ratio = found["oe_ratio"]
    if ratio["value"] is None:
        return []
    said = f"Level: where the risks add up to 100 events, {100 * ratio['value']:.0f} came about"
    if ratio["low"] is None:
        return [f"{said}."]
    verdict = "the level may well be right"
    if ratio["low"] > 1:
        verdict = "the risks are too low on the whole"
    elif ratio["high"] < 1:
        verdict = "the risks are too high on the whole"
    return [f"{said} ({100 * ratio['low']:.0f} to {100 * ratio['high']:.0f}): {verdict}."]


def _spread(found: Row) -> list[str]:
    slope = found["calibration_slope"]
    if slope["low"] is None:
        return []
    verdict = "may well be as far apart as they should be"
    if slope["high"] < 1:
        verdict = "are too extreme: high and low ones lie further apart than they should"
    elif slope["low"] > 1:
        verdict = "are too timid: high and low ones lie closer together than they should"
    return [f"Spread: the risks {verdict} (slope {slope['value']:.2f}, {slope['low']:.2f} to {slope['high']:.2f})."]


def _lists(found: Row) -> list[str]:
    said = []
    each = " on each date" if "per_date" in found else ""
    for row in found["at_capacity"]:
        precision = row["precision"]
        if precision["value"] is None:
            continue
        words = (
            f"With {row['k']:,} {'place' if row['k'] == 1 else 'places'}{each}: of 100 with a place whose outcome is "
            f"known, {of_100(precision['value'])} had the event{_between(precision)}."
        )
        if row["recall"] is not None:
            words += f" Of 100 known events, {of_100(row['recall'])} are among them."
        if row["unknown"] > ENOUGH_UNKNOWN * row["selected"]:
            low, high = (of_100(row["precision_bounds"][end]) for end in ("low", "high"))
            words += f" Whatever became of the others with a place, it lies between {low} and {high} of 100."
        said.append(words)
    return said


def _between(parts: Row) -> str:
    return "" if parts["low"] is None else f" ({of_100(parts['low'])} to {of_100(parts['high'])})"


def paths_in_words(paths: Iterable[str]) -> str:
    """What was not computed, each thing once."""
    return listing(list(dict.fromkeys(_in_words(path) for path in paths)))


def _in_words(path: str) -> str:
    """A path of ``not_computed``, such as ``per_date.2024-06-30.auc.low``, in words."""
    for pattern, words in PATHS:
        if found := re.fullmatch(pattern, path):
            return words.format(*found.groups()[:-1], _in_words(found[found.re.groups]))
    key = re.sub(r"^intervals\.|\.(low|high|se)$", "", path)
    return MEANINGS[key][0] if key in MEANINGS else key.replace("_", " ").replace(".", " ")
