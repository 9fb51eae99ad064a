"""What a comparison of runs says, in plain English. It is made of the published comparison and says nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import capital, day_text, label

Row = Mapping[str, Any]
LEAD_WITH_UNKNOWN_ABOVE = 0.10
MOST_GROUPS_NAMED = 5
NAMES = {
    "auc": "ordering (AUC)",
    "brier_score": "Brier score",
    "log_loss": "log loss",
    "oe_ratio": "observed to expected (O/E)",
    "calibration_slope": "calibration slope",
    "average_precision": "average precision",
    "precision_at_k": "how often the list is right",
    "recall_at_k": "how many are found",
}
LEADS = ("recall_at_k", "precision_at_k")
BETTER = {
    "higher": "higher is better", "lower": "lower is better", "nearer 1": "nearer 1 is better",
    "nearer 1 as a ratio": "nearer 1 is better, as a ratio",
}  # fmt: skip
ONE_IN_TWENTY = "Where nothing changed at all, about one in twenty still seems clear."
BY = {
    "standing_on_the_other": "Where they stand on the other list",
    "risk_band_first": "Band of risk by {first}",
    "risk_band_second": "Band of risk by {second}",
    "ranked_before": "Whether they were ranked before",
}
WHERE = {"overlap": "the two lists", "who differs": "who differs", "differences": "differences"}
GROUP_METRICS = {"recall": "found by the list", "selection_rate": "on the list"}


def measure_name(row: Row) -> str:
    """A measure in words; net benefit with the risk that it is read at."""
    if row["threshold"] is not None:
        return f"net benefit from a risk of {100 * row['threshold']:g} of 100"
    return NAMES.get(row["measure"], label(row["measure"]).lower())


def signed(value: float | None) -> str:
    """A difference with its sign and about three digits: +0.0123, -0.4, 0."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:+.{min(digits, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def of_100(share: float) -> str:
    """A share as a number of 100, without claiming none or all by rounding."""
    if 0 < share < 0.005:
        return "fewer than 1"
    return "more than 99" if 0.995 <= share < 1 else str(math.floor(100 * share + 0.5))


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Differences in the order in which they are shown: what the list does comes first."""
    return sorted(rows, key=lambda row: LEADS.index(row["measure"]) if row["measure"] in LEADS else len(LEADS))


def listing(items: Sequence[str]) -> str:
    """``a, b and c``."""
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


# ---------------------------------------------------------------- the words of one comparison


def words_of(comparison: Row, names: Mapping[str, str], speech: Mapping[str, str]) -> list[str]:
    """A published comparison in sentences, what matters most first.

    Parameters
    ----------
    comparison : of `publish_comparison`, with ``groups``
    names : what each run is called in a sentence, such as "version 2"
    speech : {many, that, needed}, as in "pupils", "who", "needed help"
    """
    first, second = names[comparison["first"]], names[comparison["second"]]
    by_name = {row["measure"]: row for row in comparison["differences"]}
    said = [
        _scope(comparison["counts"], first, second, speech),
        _found(by_name["recall_at_k"], first, second, speech),
        _right(by_name["precision_at_k"], first, second, speech),
        _unknown(comparison["overlap"], second, speech),
        *_lists(comparison["overlap"], first, second, speech, by_name["precision_at_k"]["verdict"]),
        *_measures(comparison["differences"], second),
        _groups(comparison["groups"], second),
    ]
    return [sentence for sentence in said if sentence]


def _scope(counts: Row, first: str, second: str, speech: Row) -> str:
    days = counts["days"]
    when = f"on {day_text(days[0])}"
    if len(days) > 1:
        when = f"on {len(days)} test dates from {day_text(days[0])} to {day_text(days[-1])}"
    known = "few" if counts["known"] is None else f"about {counts['known']:,}"
    each = ", each counted once for each date" if len(days) > 1 else ""
    return (
        f"{capital(second)} is compared with {first} {when}, on {known} {speech['many']} {_whom(speech)} both ranked "
        f"and whose outcome both know{each}."
    )


def _whom(speech: Row) -> str:
    return "whom" if speech["that"] == "who" else "that"


def _found(row: Row, first: str, second: str, speech: Row) -> str:
    before, after = _both_of_100(row)
    lead = {
        "better": f"{capital(second)} finds more",
        "worse": f"{capital(second)} finds fewer",
        "no clear change": "No clear change in how many are found",
        "the same": f"Both find the same {speech['many']}",
    }.get(row["verdict"])
    if lead is None:
        return f"How many are found cannot be compared: {_why(row)}."
    whom = f"Of 100 {speech['many']} {speech['that']} {speech['needed']}"
    if row["verdict"] == "the same":
        return f"{lead}. {whom}, that is about {before}."
    return f"{lead}. {whom}, the list of {first} holds about {before}, and that of {second} about {after}.{_range(row)}"


def _right(row: Row, first: str, second: str, speech: Row) -> str:
    before, after = _both_of_100(row)
    lead = {
        "better": "The list is right more often",
        "worse": "The list is right less often",
        "no clear change": "No clear change in how often the list is right",
        "the same": "The list is right as often as before",
    }.get(row["verdict"])
    if lead is None:
        return f"How often the list is right cannot be compared: {_why(row)}."
    known = f"Of 100 on the list of {first} whose outcome is known, about {before} {speech['needed']}"
    if row["verdict"] == "the same":
        return f"{lead}. {known}."
    return f"{lead}. {known}. On that of {second} it is about {after}.{_range(row)}"


def _both_of_100(row: Row) -> tuple[str, str]:
    values = [row[side]["value"] for side in ("first", "second")]
    first, second = ("" if value is None else of_100(value) for value in values)
    return first, second


def _range(row: Row) -> str:
    """The interval of a difference of shares, in numbers of 100."""
    low, high = row["difference"].get("low"), row["difference"].get("high")
    if low is None or high is None:
        return ""
    ends = [f"{abs(100 * end):.1f}".removesuffix(".0") + (" fewer" if end < 0 else " more") for end in (low, high)]
    return f" The difference could be anything from {ends[0]} to {ends[1]}."


def _why(row: Row) -> str:
    reasons = [row[side].get("reason") for side in ("difference", "first", "second")]
    return str(next((reason for reason in reasons if reason), "there is no interval")).removesuffix(".")


def _unknown(overlap: Row, second: str, speech: Row) -> str:
    """Said where it could turn the answer: many of those on one list only have no known outcome."""
    only, bounds = [overlap["only_first"], overlap["only_second"]], overlap["hits_bounds"]
    listed, unknown = (sum(each[name] or 0 for each in only) for name in ("listed", "unknown"))
    if bounds is None or not listed or unknown <= LEAD_WITH_UNKNOWN_ABOVE * listed:
        return ""
    low, high = (f"about {abs(end):,} {'fewer' if end < 0 else 'more'}" for end in bounds)
    return (
        f"What became of about {unknown:,} of the {listed:,} on one list only is not known. Whatever it was, the list "
        f"of {second} holds between {low} and {high} {speech['that']} {speech['needed']}."
    )


def _lists(overlap: Row, first: str, second: str, speech: Row, verdict: str) -> list[str]:
    pooled = overlap["pooled"]
    if pooled["of_first"] is None:
        return [
            f"{capital(pooled['reason'])} lists." if "both" in pooled["reason"] else f"{capital(pooled['reason'])}."
        ]
    if pooled["only_first"] == pooled["only_second"] == 0:
        return [f"The two lists hold the same {speech['many']}: of 100 on the one, 100 are on the other."]
    # Whole numbers that make 100, and neither none nor all by rounding.
    least, most = (1 if pooled["both"] else 0), (99 if pooled["only_first"] else 100)
    same = min(max(math.floor(100 * pooled["of_first"] + 0.5), least), most)
    chance = "" if pooled["by_chance"] is None else f" By chance alone it would be {of_100(pooled['by_chance'])}."
    said = [f"Of 100 on the list of {first}, {same} are on that of {second} too.{chance}"]
    shares = [overlap[side]["precision"]["value"] for side in ("only_first", "only_second")]
    if None not in shares and same < 100:
        dropped, added = (of_100(share) for share in shares)
        # The two lists differ in these alone, so that what is not clear of the lists is not clear of them.
        chance = " That could be chance." if verdict == "no clear change" else ""
        said.append(
            f"Of 100 {_whom(speech)} only {first} lists and whose outcome is known, {dropped} {speech['needed']}. Of "
            f"100 {_whom(speech)} only {second} lists, it is {added}.{chance}"
        )
    standing = [row for row in overlap["who_differs"] if row["by"] == "standing_on_the_other"]
    counts = [row[side] for row in standing for side in ("only_first", "only_second")]
    near = next((row for row in standing if row["group"].startswith("just below")), None)
    if near is not None and None not in counts and sum(counts):
        share = (near["only_first"] + near["only_second"]) / sum(counts)
        said.append(f"Of 100 who are on one list only, {of_100(share)} stand just below the cut of the other.")
    return said


def _measures(rows: Sequence[Row], second: str) -> list[str]:
    """The other measures, by what is to be said of them."""
    said = []
    rest = [row for row in rows if row["measure"] not in LEADS]
    for verdict, words in (("better", "is clearly better in"), ("worse", "is clearly worse in")):
        found = [measure_name(row) for row in rest if row["verdict"] == verdict]
        if found:
            said.append(f"{capital(second)} {words}: {listing(found)}.")
    if said:
        said.append(f"But {len(rest)} such measures were compared. {ONE_IN_TWENTY}")
    unclear = [measure_name(row) for row in rest if row["verdict"] == "no clear change"]
    if unclear:
        said.append(f"No clear change in: {listing(unclear)}.")
    same = [row for row in rest if row["verdict"] == "the same"]
    if len(same) == len(rest):
        said.append("All other measures are the same.")
    elif same:
        said.append(f"The same: {listing([measure_name(row) for row in same])}.")
    rest = [row for row in rest if row["verdict"] in ("not computed", "cannot tell", "not shown")]
    if rest:
        said.append(f"Could not be compared: {listing([measure_name(row) for row in rest])}.")
    return said


def _groups(rows: Sequence[Row], second: str) -> str:
    judged = [row for row in rows if row["verdict"] != "not computed"]
    if not judged:
        return "No protected group can be compared." if rows else ""
    clear = [row for row in judged if row["verdict"] in ("higher", "lower")]
    groups = len({(row["attribute"], row["group"]) for row in judged})
    if not clear:
        return f"By protected group, no clear change in any of the {groups} that can be compared."
    named = [
        f"{label(row['attribute']).lower()} {row['label']}, {GROUP_METRICS[row['metric']]}: {row['verdict']}"
        for row in clear[:MOST_GROUPS_NAMED]
    ]
    more = f"; and {len(clear) - len(named)} more" if len(clear) > len(named) else ""
    return f"By protected group, with {second} there is a clear change in: {'; '.join(named)}{more}."


def where_in_words(where: str, names: Mapping[str, str]) -> str:
    """Where something is hidden, as disclosure control names it (``overlap, 2024-10-01``), in the words of the page."""
    part, _, rest = where.partition(", ")
    by, colon, group = rest.partition(": ")
    if by in BY:
        by = BY[by].format(**{"first": "the first", "second": "the second", **names})
    words = NAMES.get(rest) or (f"{by}: {group}" if colon else day_text(by).replace("_", " "))
    return capital(f"{WHERE.get(part, part)}: {words}" if rest else WHERE.get(part, part))
