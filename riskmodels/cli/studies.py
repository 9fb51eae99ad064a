"""Commands about a study: demo, run, check, new."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.cli.app import (
    WORK,
    DataOption,
    EngineOption,
    ExplainOption,
    MemoryOption,
    NoCacheOption,
    StudyFolder,
    Today,
    TrackingOption,
    WorkspaceOption,
    app,
    day_of,
    print_table,
    progress,
    read_day,
)
from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace


@app.command(epilog="Example: riskmodels demo --workspace work/demo")
def demo(
    study: Annotated[
        Path | None, typer.Option("--study", help="A study folder; the reading study unless given.")
    ] = None,
    workspace: WorkspaceOption = WORK / "demo",
) -> int:
    """Run the whole chain on real data: study, card, refusal, EXAMPLE decision, list."""
    from riskmodels import commands
    from riskmodels.tracking import without_password

    report = commands.demo(study or commands.default_study(), Workspace(workspace), day_of(None), progress())
    run = report.run
    _print_findings(run)
    print(f"\nScoring without an approval was refused, as it should be:\n  {report.refusal}")
    if report.score is None:
        print("\nThis study ships no example decision, so no list was made.")
    else:
        counts = report.score.counts
        print(
            "\nThen an EXAMPLE decision for a pilot was recorded, so that you can see the rest. It is made up. A real\n"
            "committee would read the card, ask its questions and record its advice; the senior responsible owner\n"
            "would decide. Its approver then made the model champion: only the champion scores.\n"
            f"\nList:  {report.score.output}\n"
            f"       {counts['rows_in']} people in = {counts['scored']} scored + {counts['rejected']} rejected; "
            f"{counts['listed']} listed for {counts['places']} places"
        )
    print(f"Card:  {report.card_html}  (open it in a browser)")
    print(f"State: {report.status['words']}")
    print(
        f"MLflow: {Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri {without_password(run.tracking_uri)}"
    )
    return _with_reason(run, strict=False)


@app.command(epilog="Example: riskmodels run experiments/early_reading_support --workspace work")
def run(
    study: StudyFolder,
    workspace: WorkspaceOption = WORK,
    data: DataOption = None,
    tracking_uri: TrackingOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 10 or 11 when the audit fails or cannot judge.")
    ] = False,
    engine: EngineOption = "polars",
    memory_limit: MemoryOption = None,
    no_cache: NoCacheOption = False,
    explain: ExplainOption = False,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Look deeper: stability of the list, whether more data would help, what each source adds."
        ),
    ] = False,
    draws: Annotated[int, typer.Option("--draws", help="With --deep: how often people are drawn anew.")] = 50,
    mitigate: Annotated[
        bool,
        typer.Option("--mitigate", help="Try what it would take to narrow the gaps between groups, and at what price."),
    ] = False,
    today: Today = None,
) -> int:
    """Run a study whole: train, test on the future, audit, explain, write the card, register the candidate."""
    from riskmodels import commands

    if draws < 5:
        raise UsageError(f"--draws: fewer than 5 say nothing, got {draws}")
    report = commands.run(
        study, Workspace(workspace), data, tracking_uri, progress(), engine=engine, memory_limit=memory_limit,
        keep=not no_cache, today=read_day(today, "--today"), deep=draws if deep else 0, mitigate=mitigate,
    )  # fmt: skip
    if explain:
        _print_steps(report.steps)
    _print_findings(report)
    print(f"\nCard:  {report.card_html}")
    print(f"Model: {report.study}/{report.version} (candidate; not approved)")
    name, where = f"{report.study}/{report.version}", Workspace(workspace).as_option
    print(f"Next:  riskmodels review open {name} --stage pilot{where}   (writes the committee's form, decision.yaml)")
    print(f"Then:  riskmodels review record {name} decision.yaml{where}   (once it is filled in)")
    return _with_reason(report, strict)


def _with_reason(report: Any, strict: bool) -> int:
    """The exit code of a finished run; where it is not 0, a line that says why."""
    open_ = [finding.words for finding in report.run.checks if finding.result == "concern" and not finding.accepted]
    if open_:
        print(
            f"riskmodels: {len(open_)} of the checks raised a concern that the study does not answer ({open_[0]}); no "
            "list can be made until it is answered under accepted",
            file=sys.stderr,
        )
    code = report.exit_code(strict)
    missing = [row["attribute"] for row in report.run.audit.to_dict()["not_audited"] if not row["accepted"]]
    if code == ExitCode.NOT_AUDITED:
        why = f"not audited: {', '.join(missing)}; give each a column under protected, or a reason under not_audited"
    else:
        why = f"the audit's verdict is {report.run.audit.to_dict()['verdict']}"
    if code != ExitCode.DONE:
        print(f"riskmodels: the run is finished, but {why} (exit {int(code)})", file=sys.stderr)
    return int(code)


def _print_findings(report: Any) -> None:
    import textwrap

    summary = report.run.card.summary
    print(f"\n{textwrap.fill(summary.recommendation.headline, 100)}\n")
    for block in summary.blocks:
        print(textwrap.fill(f"{block.heading}: {block.text}", 100, subsequent_indent="  "))


def _print_steps(steps: Iterable[Any]) -> None:
    print("Steps")
    rows = [{"step": step.name, "was": "reused" if step.reused else "made", "because": step.why} for step in steps]
    print_table(rows, ["was", "step", "because"])


def _print_forecast(found: Mapping[str, Any] | None, level: str) -> None:
    import textwrap

    from riskmodels.assessment.audit.forecasting.forecast_shown import (
        assumed_in_words,
        forecast_lines,
        never_in_words,
        settled_in_words,
    )
    from riskmodels.assessment.audit.words import NOUNS

    print("\nWhat the fairness audit will be able to judge")
    if found is None:
        print("Nothing is known before the first test date that would tell.")
        return
    print(settled_in_words(found))
    many = NOUNS[level]
    titles = {"people": many, "expected": "rests on", "clears": "cleared if alike", "catches": "caught if much worse"}
    rows = [{titles.get(key, key): value for key, value in line.items()} for line in forecast_lines(found)]
    if rows:
        print_table(
            rows,
            ["attribute", "label", "what", many, "rests on", "judged", "cleared if alike", "caught if much worse"],
        )
    for said in (*never_in_words(found, many), assumed_in_words(found)):
        print(textwrap.fill(said, 110))


@app.command(epilog="Example: riskmodels check experiments/early_reading_support --profile profile.html")
def check(
    study: StudyFolder,
    workspace: WorkspaceOption = WORK,
    data: DataOption = None,
    profile: Annotated[
        Path | None, typer.Option("--profile", help="Write the data audit as a page: register, quality, gaps, checks.")
    ] = None,
    engine: EngineOption = "polars",
    memory_limit: MemoryOption = None,
    no_cache: NoCacheOption = False,
    explain: ExplainOption = False,
    today: Today = None,
) -> int:
    """Validate everything of a study short of training: register, data, examples, cohort, outcomes, features, leaks."""
    from riskmodels import commands

    report = commands.check(
        study, Workspace(workspace), data, progress(), profile=profile, engine=engine, memory_limit=memory_limit,
        keep=not no_cache, today=read_day(today, "--today"),
    )  # fmt: skip
    if explain:
        _print_steps(report.steps)
    ready = report.prepared
    print("Who is in the cohort")
    print_table(report.attrition, ["as_of_date", "step", "dropped", "remaining"])
    print("\nWhat is known of the outcome")
    print_table(report.outcome_status, report.outcome_status[0])
    if report.lag_was_estimated:
        print(f"The lag was estimated from the records: {ready.study.file.outcome.lag}.")
    print("\nHow it will be tested")
    print("\n".join(report.origins))
    print(f"\nFeatures ({len(report.features)})")
    print_table(report.features, report.features[0])
    if ready.examples:
        print(f"\nExamples: {len(ready.examples)} made-up cases, and the definitions agree with each")
    if ready.tables.objected:
        counts = ", ".join(f"{count} from {scope}" for scope, count in ready.tables.objected.items())
        print(f"\nObjections honoured: {counts}")
        if ready.tables.objections_met_nobody:
            print(
                f"{ready.tables.objections_met_nobody} of {ready.tables.objections} objections are of nobody in these "
                "tables: check how their ids are written."
            )
    if ready.tables.links:
        print("\nLinks between agencies")
        links = [{**row, "share": f"{row['share']:.1%}"} for row in ready.tables.links]
        print_table(links, links[0])
    print("\nChecks")
    print_table(report.checks, ["result", "words", "evidence", "accepted"])
    _print_forecast(report.forecast, ready.study.file.level)
    if ready.gaps:
        print("\nGaps in the register")
        print_table(ready.gaps, ["source", "key", "words"])
    unanswered = [row for row in report.checks if row["result"] == "concern" and not row["accepted"]]
    if unanswered:
        noun = "concern is" if len(unanswered) == 1 else "concerns are"
        keys = ", ".join(f"accepted.{row['check']}" for row in unanswered)
        print(
            f"\n{len(unanswered)} {noun} not answered, and no list can be made until they are: mend them, or write the"
        )
        print(f"reason under {keys} in study.yaml.")
    if report.not_audited:
        print(
            f"\nNOT AUDITED: {', '.join(report.not_audited)}; give each a column under protected, or a reason under "
            "not_audited. A run would end with 12."
        )
    if report.profile is not None:
        print(f"\nProfile: {report.profile}  (open it in a browser)")
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels new studies/family_help --from people.csv --from contacts.csv")
def new(
    folder: Annotated[Path, typer.Argument(help="The study folder to make.")],
    files: Annotated[list[Path], typer.Option("--from", help="A table of yours (.csv or .parquet); repeat for each.")],
    question: Annotated[str | None, typer.Option("--question", help="The question that the study asks.")] = None,
    ask: Annotated[
        bool, typer.Option("--ask/--guess", help="Ask about what matters, or guess it all.")
    ] = sys.stdin.isatty(),
) -> int:
    """Draft a study folder from your own files. What is guessed is marked CHECK."""
    from riskmodels import commands

    def put(asked: Any) -> str:
        choices = f" [{', '.join(asked.choices[:8])}]" if asked.choices else ""
        said = str(typer.prompt(f"{asked.words}{choices}", default=asked.guess))
        # Enter accepts the guess without having checked it, so it keeps its CHECK mark.
        return "" if said == asked.guess else said

    draft = commands.new(folder, files, question, put if ask else None, day_of(None))
    print(f"Wrote {', '.join(sorted(draft.files))} to {folder}")
    unsure = [guess for guess in draft.guesses if not guess.sure]
    print(
        f"{len(draft.guesses)} things were guessed, {len(unsure)} of them unsurely; each is marked CHECK in the files."
    )
    data = files[0].parent
    print(
        f"Next:  edit {folder / 'study.yaml'} and register.yaml (nothing is run on special category data without its "
        f"condition), then: riskmodels check {folder} --data {data}"
    )
    return ExitCode.DONE
