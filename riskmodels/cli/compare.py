"""The command that compares finished runs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.cli.app import WORK, WorkspaceOption, app, print_table, progress
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


@app.command(epilog="Example: riskmodels compare early_reading_support/1 early_reading_support/2 --html compare.html")
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Runs, the one to compare with first: STUDY, STUDY/3, STUDY@candidate, or a run's folder."),
    ] = None,
    with_: Annotated[
        str | None,
        typer.Option("--with", help="Compare with what this alias points at, such as champion; RUN is the candidate."),
    ] = None,
    workspace: WorkspaceOption = WORK,
    html: Annotated[Path | None, typer.Option("--html", help="Write the comparison as a page.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the comparison whole, as JSON.")] = None,
) -> int:
    """Compare finished runs: paired differences with intervals, and how far their lists name the same people."""
    from riskmodels import commands

    report = commands.compare(runs or [], Workspace(workspace), alias=with_, html=html, json=json, progress=progress())
    for number, one in enumerate(report.found["comparisons"]):
        print("\n" * (number > 0), end="")
        _print_comparison(one, {run["name"]: run["short"] for run in report.found["runs"]})
    if len(report.found["comparisons"]) > 1:
        _print_lists(report.found)
    for name, path in (("Page", report.html), ("JSON", report.json)):
        if path is not None:
            print(f"\n{name}:  {path}")
    return ExitCode.DONE


def _print_comparison(one: Mapping[str, Any], names: Mapping[str, str]) -> None:
    from riskmodels.reports.comparison_words import in_order

    print(f"{one['second']} against {one['first']}\n")
    for words in (*one["words"], *(f"Take care: {warning}" for warning in one["warnings"])):
        print(textwrap.fill(words, 100, initial_indent="- ", subsequent_indent="  "))
    print()
    sides = {side: names[one[side]] for side in ("first", "second")}
    lines = [_line(row, sides) for row in in_order(one["differences"])]
    print_table(lines, lines[0])


def _line(row: Mapping[str, Any], sides: Mapping[str, str]) -> dict[str, Any]:
    from riskmodels.reports.cells import cell_text
    from riskmodels.reports.comparison_words import measure_name, signed

    gain = row["difference"]
    values = {name: "" if row[side]["value"] is None else cell_text(row[side]["value"]) for side, name in sides.items()}
    return {
        "measure": measure_name(row), **values,
        "better by": signed(gain["value"]), "from": signed(gain.get("low")), "to": signed(gain.get("high")),
        "in words": row["verdict"] if gain["value"] is not None else f"{row['verdict']}: {gain['reason']}",
    }  # fmt: skip


def _print_lists(found: Mapping[str, Any]) -> None:
    from riskmodels.reports.comparison_words import of_100

    print("\nOf 100 on one list (line), how many are on another (column)")
    names = found["lists"]["runs"]
    lines = [
        {"": name}
        | {
            other: cell["reason"] if cell["value"] is None else of_100(cell["value"])
            for other, cell in zip(names, row, strict=True)
        }
        for name, row in zip(names, found["lists"]["of_100"], strict=True)
    ]
    print_table(lines, ["", *names])
