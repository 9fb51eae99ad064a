"""The command that evaluates a file of predictions."""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.cli.app import app, print_table
from riskmodels.errors import ExitCode, UsageError

Found = Mapping[str, Any]


@app.command(
    epilog="Example: riskmodels evaluate predictions.csv --outcome reoffended --risk score --capacity 100 "
    "--threshold 0.2 --html evaluation.html"
)
def evaluate(
    predictions: Annotated[Path, typer.Argument(help="A .csv or .parquet file with a row for each prediction.")],
    outcome: Annotated[
        str, typer.Option("--outcome", help="The column that says whether it came about; empty where unknown.")
    ],
    risk: Annotated[str, typer.Option("--risk", help="The column of risks, from 0 to 1.")],
    entity: Annotated[
        str | None, typer.Option("--entity", help="The column of ids: rows of one id are not independent.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The column of dates: each has a list of its own.")
    ] = None,
    capacity: Annotated[list[int] | None, typer.Option("--capacity", help="Places, on each date; repeatable.")] = None,
    threshold: Annotated[
        list[float] | None, typer.Option("--threshold", help="A risk from which help is worth it; repeatable.")
    ] = None,
    at: Annotated[
        list[float] | None, typer.Option("--at", help="A risk at which to read the calibration curve; repeatable.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write everything, as JSON.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write everything, as a page.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides between equal risks at the last place.")] = 0,
    weights: Annotated[str | None, typer.Option("--weights", hidden=True)] = None,
) -> int:
    """Evaluate any file of predictions, a vendor's too, without a study. Exact counts: not for publication."""
    from riskmodels import commands

    if weights is not None:
        raise UsageError(
            "--weights is not handled: intervals, ranks and both smoothers here take every row as one; give a file in "
            "which each row stands for one person, or leave the weights out"
        )
    report = commands.evaluate(
        predictions, outcome=outcome, risk=risk, entity=entity, as_of=as_of, capacities=capacity or (),
        thresholds=threshold or (), at=at or (), seed=seed, json=json, html=html,
    )  # fmt: skip
    for note in report.found["notes"]:
        print(f"riskmodels: note: {note}", file=sys.stderr)
    _print_found(report.found)
    for name, path in (("JSON", report.json), ("Page", report.html)):
        if path is not None:
            print(f"\n{name}:  {path}")
    return ExitCode.DONE


def _print_found(found: Found) -> None:
    from riskmodels.reports.evaluation_words import in_short, measures_of, paths_in_words, reasons_of

    for sentence in in_short(found):
        print(textwrap.fill(sentence, 100, initial_indent="- ", subsequent_indent="  "))
    print()
    lines = [
        {"measure": one.name, "value": _short(one.value), "95% interval": _interval(one.low, one.high),
         "what it says": one.meaning}
        for one in measures_of(found)
    ]  # fmt: skip
    print_table(lines, lines[0])
    _print_rows("What came about at some risks", [_read_line(row) for row in found["spline_curve"]])
    _print_rows("Net benefit", [_benefit_line(row) for row in found["net_benefit"]])
    each = " on each date" if "per_date" in found else ""
    _print_rows(f"The highest risks, to so many places{each}", [_place_line(row) for row in found["at_capacity"]])
    _print_rows("Date by date", [_date_line(row) for row in found.get("per_date", ())])
    if found["not_computed"]:
        print("\nNot computed")
    for reason, paths in reasons_of(found).items():
        print(textwrap.fill(f"{paths_in_words(paths)}: {reason}", 100, initial_indent="- ", subsequent_indent="  "))


def _print_rows(title: str, lines: list[dict[str, str]]) -> None:
    if lines:
        print(f"\n{title}")
        print_table(lines, lines[0])


def _read_line(row: Found) -> dict[str, str]:
    remark = "extrapolated: no risk in the file is as far out" if row["extrapolated"] else ""
    ends = _interval(row["low"], row["high"])
    return {"risk": f"{row['risk']:g}", "came about": _short(row["observed"]), "95% interval": ends, "": remark}


def _benefit_line(row: Found) -> dict[str, str]:
    ends = _interval(row["low"], row["high"])
    return {
        "from a risk of": f"{row['threshold']:g}", "acting on the risks": _short(row["model"]), "95% interval": ends,
        "helping all": _short(row["all"]), "helping none": _short(row["none"]),
        "interventions avoided": _short(row["interventions_avoided"]),
    }  # fmt: skip


def _place_line(row: Found) -> dict[str, str]:
    precision, bounds = row["precision"], row["precision_bounds"]
    return {
        "places": f"{row['k']:,}", "with a place": f"{row['selected']:,.6g}", "known": f"{row['known']:,.6g}",
        "hits": "not computed" if row["hits"] is None else f"{row['hits']:,.6g}",
        "precision": _short(precision["value"]), "95% interval": _interval(precision["low"], precision["high"]),
        "bounds": _interval(bounds["low"], bounds["high"]) if row["unknown"] else "", "recall": _short(row["recall"]),
    }  # fmt: skip


def _date_line(row: Found) -> dict[str, str]:
    auc, ratio = row["auc"], row["oe_ratio"]
    return {
        "as of": row["as_of_date"], "rows": f"{row['n']:,}", "events": f"{row['events']:,}",
        "unknown": f"{row['unknown']:,}", "AUC": _short(auc["value"]),
        "95% interval": _interval(auc["low"], auc["high"]), "O/E": _short(ratio["value"]),
        "95% interval of O/E": _interval(ratio["low"], ratio["high"]), "Brier": _short(row["brier"]),
    }  # fmt: skip


def _short(value: float | None) -> str:
    """Three decimals, and of small numbers three digits, as far as six decimals."""
    if value is None:
        return "not computed"
    if value and abs(value) < 0.1:
        small = f"{value:.{min(6, 2 - math.floor(math.log10(abs(value))))}f}"
        if float(small):
            return small
    return f"{value:.3f}".replace("-0.000", "0.000")


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_short(low)} to {_short(high)}"
