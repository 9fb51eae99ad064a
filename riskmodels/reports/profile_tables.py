"""The tables of the data's profile: shares as numbers of 100, intervals, gaps, and words where there is no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.forecasting.forecast_shown import assumed_in_words, forecast_lines
from riskmodels.reports.cells import label

Row = Mapping[str, Any]
NOUNS = {"person": "people", "household": "households", "place": "places"}  # by the study's level


def content(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], source: str, note: str | None = None
) -> Row:
    return {
        "caption": caption,
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "source": source,
        "note": note,
    }


def cell(row: Row, key: str) -> Any:
    """A share as a number of 100, or why there is none."""
    return per_100(row[key]) if row[key] is not None else row.get("reason") or ""


def interval(row: Row, low: str = "low", high: str = "high") -> str:
    return "" if row[low] is None else f"{per_100(row[low]):g} to {per_100(row[high]):g}"


def who(row: Row) -> str:
    return f"{label(row['attribute'])}: {row['group']}" if row["attribute"] else "All"


def blank(value: Any) -> Any:
    return "" if value is None else value


def per_100(share: float | None) -> float | None:
    """A share as a number of 100."""
    return None if share is None else round(100 * share, 1) + 0.0


def heat(content: Row, *, fold: bool = False) -> dict[str, Any]:
    """A table of numbers of 100 on a ground that darkens with the number."""
    return {"kind": "heat", "table": content, "fold": fold}


def by_group(rows: Sequence[Row], caption: str, source: str, many: str, first: str | None = None) -> Row:
    """Groups beside each other: how many, a share, its interval and its gap to the reference group."""
    lines = [
        (
            *([row[first]] if first else []), who(row) + (" (reference)" if row["reference"] else ""), row["n"],
            cell(row, "share"), interval(row), "" if row["gap"] is None else per_100(row["gap"]),
            interval(row, "gap_low", "gap_high"), "look here" if row["concern"] else "",
        )
        for row in rows
    ]  # fmt: skip
    columns = ["Group", label(many), "Of 100", "95% interval", "Gap to the reference", "95% interval of the gap", "Gap"]
    return content(caption, [*([label(first)] if first else []), *columns], lines, source)


def linkage_concern(row: Row, rows: Sequence[Row]) -> str:
    """In words, of whom a source can speak less often; with numbers where they may be shown."""
    table = [one for one in rows if (one["source"], one["attribute"]) == (row["source"], row["attribute"])]
    reference = next(one for one in table if one["reference"])
    fewer, more = (row, reference) if row["concern"] == "lower" else (reference, row)
    group = f"the group {fewer['group']} ({label(row['attribute']).lower()})"
    said = f"Far fewer of {group} than of {more['group']} could be linked to {row['source']}"
    if fewer["share"] is not None and more["share"] is not None:
        said += f": {per_100(fewer['share']):g} of 100, against {per_100(more['share']):g}"
    return f"{said}. Of those who are not linked it says nothing."


def audit_forecast(found: Row, many: str) -> Row:
    """What the audit will be able to judge: one line for each comparison that is not hopeless."""
    lines = [
        (
            f"{label(row['attribute'])}: {row['label']}", row["what"], row["people"], row["expected"], row["judged"],
            row["clears"], row["catches"], row["smallest"],
        )
        for row in forecast_lines(found)
    ]  # fmt: skip
    columns = [
        "Group", "What", label(many), "Rests on", "Judged", "Cleared if alike, of 100", "Caught if much worse, of 100",
        "Smallest ratio caught",
    ]  # fmt: skip
    caption = "What the fairness audit will be able to judge"
    return content(caption, columns, lines, "run: cohort, earlier outcomes", assumed_in_words(found))
