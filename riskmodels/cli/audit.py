"""The command that audits a file of predictions for fairness."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from riskmodels.cli.app import app, progress
from riskmodels.errors import ExitCode, UsageError

COLUMN = "COLUMN"


@app.command(
    epilog="Example: riskmodels audit predictions.csv --outcome reoffended --risk score --capacity 100 --groups "
    "sex,race --purpose assistive --not-audited all='not held by the service' --html audit.html"
)
def audit(
    predictions: Annotated[
        Path | None, typer.Argument(help="A .csv or .parquet file with a row for each prediction.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", metavar=COLUMN, help="Whether it came about; empty where unknown."),
    ] = None,
    risk: Annotated[str | None, typer.Option("--risk", metavar=COLUMN, help="Risks, from 0 to 1.")] = None,
    groups: Annotated[
        str | None, typer.Option("--groups", metavar="COLUMNS", help="Columns of groups, parted by commas.")
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option("--purpose", help="What the list does: assistive (offers help), punitive (unwelcome) or mixed."),
    ] = None,
    capacity: Annotated[int | None, typer.Option("--capacity", help="Places, on each date.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="The risk from which on everybody is selected.")
    ] = None,
    selected: Annotated[
        str | None, typer.Option("--selected", metavar=COLUMN, help="Who is on a list that was made elsewhere.")
    ] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", metavar=COLUMN, help="Ids: rows of one id are not independent.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar=COLUMN, help="Dates: each has a list of its own.")
    ] = None,
    household: Annotated[
        str | None, typer.Option("--household", metavar=COLUMN, help="Households: their rows are not independent.")
    ] = None,
    excluded: Annotated[
        str | None,
        typer.Option("--excluded", metavar=COLUMN, help="Whom the service leaves out: audited again without them."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="COLUMNS", help="What the model knew: do they give a group away?"),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", metavar="COLUMN=GROUP", help="Whom to compare with; else the largest. Repeatable."),
    ] = None,
    bands: Annotated[
        list[str] | None,
        typer.Option("--bands", metavar="COLUMN=25,45", help="Where to cut numbers, such as ages. Repeatable."),
    ] = None,
    law: Annotated[
        list[str] | None,
        typer.Option("--law", metavar="COLUMN=LAW", help="Which protected characteristic it is. Repeatable."),
    ] = None,
    not_audited: Annotated[
        list[str] | None,
        typer.Option("--not-audited", metavar="LAW=REASON", help="Why one, or all others, is left out. Repeatable."),
    ] = None,
    intersections: Annotated[bool, typer.Option("--intersections", help="Look at every two columns together.")] = False,
    measures: Annotated[
        str | None, typer.Option("--measures", help="What the outcome is: need, or service (its contact or decision).")
    ] = None,
    level: Annotated[str, typer.Option("--level", help="What a row is: person, household or place.")] = "person",
    policy: Annotated[Path | None, typer.Option("--policy", help="A fairness policy; the default one else.")] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="The JSON of another audit, to compare with.")
    ] = None,
    against_risk: Annotated[
        str | None,
        typer.Option("--against-risk", metavar=COLUMN, help="Another model's risks: its list is compared with this."),
    ] = None,
    against_selected: Annotated[
        str | None, typer.Option("--against-selected", metavar=COLUMN, help="Another list, compared with --selected.")
    ] = None,
    small_numbers: Annotated[
        str,
        typer.Option(
            "--small-numbers",
            help="Which counts are shown: sro-10, dfe-cin, nhs-round5, or places (no people counted).",
        ),
    ] = "sro-10",
    json: Annotated[Path | None, typer.Option("--json", help="Write the audit, as it may be shown, as JSON.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the audit as a page.")] = None,
    counts: Annotated[
        Path | None, typer.Option("--counts", help="Write the exact counts: for their owner alone, and for --verify.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="For the bootstrap, and between equal risks.")] = 0,
    verify: Annotated[
        Path | None, typer.Option("--verify", help="Work out every verdict anew from such a file of counts; no more.")
    ] = None,
) -> int:
    """Audit any file of predictions for fairness: who is treated worse, how sure is it, what could not be judged."""
    from riskmodels import commands
    from riskmodels.cli.audit_lines import print_audit, print_verification
    from riskmodels.commands.audit_options import Columns, OtherList, Outputs, Said

    if verify is not None:
        if predictions is not None:
            raise UsageError("--verify needs no predictions: it works from the file of counts alone")
        others = {
            "--json": json, "--html": html, "--counts": counts, "--policy": policy, "--against": against,
                  "--capacity": capacity, "--threshold": threshold, "--groups": groups, "--outcome": outcome,
        }  # fmt: skip
        given = [option for option, value in others.items() if value is not None]
        if given:
            raise UsageError(f"--verify stands alone, and looks at nothing else: leave out {', '.join(given)}")
        verification = commands.verify_audit(verify)
        print_verification(verification)
        return ExitCode.DONE if verification.agrees else ExitCode.FILE
    if predictions is None or outcome is None or groups is None or purpose is None:
        wanted = {"PREDICTIONS": predictions, "--outcome": outcome, "--groups": groups, "--purpose": purpose}
        missing = [name for name, value in wanted.items() if value is None]
        raise UsageError(f"audit needs {', '.join(missing)}; see riskmodels audit --help")
    report = commands.audit(
        predictions,
        Columns(
            outcome, _names(groups, "--groups"), risk=risk, selected=selected, entity=entity, as_of=as_of,
            household=household, excluded=excluded, features=_names(features or "", "--features"),
        ),
        purpose=purpose,
        capacity=capacity,
        threshold=threshold,
        said=Said(
            laws=_pairs(law, "--law"),
            references=_pairs(reference, "--reference"),
            bands={column: _numbers(cuts, column) for column, cuts in _pairs(bands, "--bands").items()},
            not_audited=_pairs(not_audited, "--not-audited"),
        ),
        measures=measures,
        level=level,
        intersections=intersections,
        policy=policy,
        against=against,
        other=OtherList(against_risk, against_selected) if against_risk or against_selected else None,
        small_numbers=small_numbers,
        seed=seed,
        outputs=Outputs(json=json, html=html, counts=counts),
        progress=progress(),
    )  # fmt: skip
    for note in report.notes:
        print(f"riskmodels: note: {note}", file=sys.stderr)
    print_audit(report)
    return report.exit_code


# ---------------------------------------------------------------- reading options


def _names(text: str, option: str) -> tuple[str, ...]:
    if not text.strip():
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if "" in names:
        raise UsageError(f"{option}: there is a comma without a column beside it")
    return names


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{option}: reads NAME=VALUE, and one of them is missing")
        if name in pairs:
            raise UsageError(f"{option}: {name!r} is given twice; give it once")
        pairs[name] = value
    return pairs


def _numbers(text: str, column: str) -> tuple[float, ...]:
    try:
        cuts = tuple(float(part) for part in text.split(","))
    except ValueError:
        cuts = ()
    if not cuts or any(cut != cut or abs(cut) == float("inf") for cut in cuts):
        raise UsageError(f"--bands {column}: give the numbers to cut at, as in --bands {column}=25,45")
    return cuts
