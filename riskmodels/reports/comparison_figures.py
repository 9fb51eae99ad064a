"""The figures of a comparison of runs as numbers: each with its alternative text, data table, unit and n."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import capital, day_text
from riskmodels.reports.comparison_words import in_order, measure_name, signed
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
Figure = dict[str, Any]
PAIRED = "compare: rows that both ranked and whose outcome both know"
LISTS = "compare: both lists on their common dates"


def differences_figure(one: Row, names: Row, number: int) -> Figure | None:
    """The differences as dots with intervals against nought; None where none can be shown."""
    rows = [
        [
            capital(measure_name(row)), row["first"]["value"], row["second"]["value"],
            *(signed(row["difference"].get(end)) for end in ("value", "low", "high")), row["verdict"],
        ]
        for row in in_order(one["differences"])
        if row["difference"]["value"] is not None
    ]  # fmt: skip
    if not rows:
        return None
    first, second = names[one["first"]], names[one["second"]]
    clear = [row for row in rows if row[6] in ("better", "worse")]
    said = "; ".join(f"{row[0]}: {row[6]}" for row in clear) or "No interval leaves out 0"
    return {
        "id": f"differences-{number}", "drawing": "differences",
        "title": f"By how much {second} is better than {first}",
        "alt": f"A dot with its interval for each of {len(rows)} measures, against a line at 0. {said}. To the right "
        f"of the line {second} is better.",
        "unit": "how much better, each line on a scale of its own", "n": one["counts"]["known"], "curve": None,
        "table": content(
            f"By how much {second} is better than {first}",
            ["Measure", capital(first), capital(second), "Difference", "at least", "at most", "In words"],
            rows, PAIRED,
        ),
    }  # fmt: skip


def lists_figure(one: Row, names: Row, number: int) -> Figure | None:
    """How many are on both lists and on one only; None where it cannot be shown."""
    overlap = one["overlap"]
    dates = overlap["per_date"] if len(overlap["per_date"]) > 1 else []
    rows: list[list[Any]] = [
        ["All dates" if dates else day_text(overlap["per_date"][0]["as_of_date"]), *counts_of(overlap["pooled"])],
        *([day_text(row["as_of_date"]), *counts_of(row)] for row in dates),
    ]
    if None in rows[0] or not sum(rows[0][1:]):
        return None
    first, second = names[one["first"]], names[one["second"]]
    both, only_first, only_second = rows[0][1:]
    title = f"Who is on the lists of {first} and {second}"
    return {
        "id": f"lists-{number}", "drawing": "lists", "title": title,
        "alt": f"Bars in three parts. On both lists {both:,}, only on that of {first} {only_first:,}, only on that of "
        f"{second} {only_second:,}.",
        "unit": "on either list", "n": both + only_first + only_second, "curve": None,
        "table": content(
            title, ["When", "On both", f"Only {first}", f"Only {second}"], rows, LISTS,
        ),
    }  # fmt: skip


def counts_of(row: Row) -> list[int | None]:
    return [row[name] for name in ("both", "only_first", "only_second")]
