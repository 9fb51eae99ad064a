"""The commands: parse, call, print, exit codes. What they do is in `commands/`."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace

app = typer.Typer(
    name="riskmodels",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Predict who may need early help, honestly: one study file, one command, a card that a committee can read. "
    "The model never decides; people do.",
)
review_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The ethics committee's decisions: record and show them."
)
app.add_typer(review_app, name="review")

StudyFolder = Annotated[Path, typer.Argument(help="A study folder, such as experiments/early_reading_support.")]
Model = Annotated[str, typer.Argument(help="A model: STUDY, STUDY/3, STUDY@candidate, or a run's folder.")]
WorkspaceOption = Annotated[Path, typer.Option("--workspace", help="Where all state is kept.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The folder of the study's sources.")]
TrackingOption = Annotated[
    str | None, typer.Option("--tracking-uri", help="An MLflow store; the workspace's own unless given.")
]
Today = Annotated[str | None, typer.Option("--today", hidden=True)]
EngineOption = Annotated[
    str, typer.Option("--engine", help="What counts the facts: polars, duckdb (under --memory-limit) or spark.")
]
MemoryOption = Annotated[
    str | None, typer.Option("--memory-limit", help="How much memory duckdb may use, such as 1GB; 2GB unless given.")
]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="Make every step anew, and keep nothing.")]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Say of each step whether it was made or taken from the cache, and why.")
]
WORK = Path("work")


def _progress() -> Callable[[str], None]:
    start = time.monotonic()

    def say(message: str) -> None:
        print(f"[{time.monotonic() - start:6.1f} s] {message}", file=sys.stderr, flush=True)

    return say


def _day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: a date reads like 2024-06-30, got {text!r}") from None


def _print_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    columns = list(columns)
    cells = [[("" if row.get(name) is None else str(row.get(name))) for name in columns] for row in rows]
    widths = [max([len(name), *(len(line[index]) for line in cells)]) for index, name in enumerate(columns)]
    for line in [columns, *cells]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


@app.command(epilog="Example: riskmodels demo --workspace work/demo")
def demo(
    study: Annotated[
        Path | None, typer.Option("--study", help="A study folder; the reading study unless given.")
    ] = None,
    workspace: WorkspaceOption = WORK / "demo",
) -> int:
    """Run the whole chain on real data: study, card, refusal, EXAMPLE decision, list."""
    from riskmodels import commands

    report = commands.demo(study or commands.default_study(), Workspace(workspace), dt.date.today(), _progress())
    run = report.run
    _print_findings(run)
    print(f"\nScoring without an approval was refused, as it should be:\n  {report.refusal}")
    if report.score is None:
        print("\nThis study ships no example decision, so no list was made.")
    else:
        counts = report.score.batch.counts
        print(
            "\nThen an EXAMPLE decision for a pilot was recorded, so that you can see the rest. It is made up. A real\n"
            "committee would read the card, ask its questions and record its advice; the senior responsible owner\n"
            "would decide.\n"
            f"\nList:  {report.score.output}\n"
            f"       {counts['rows_in']} people in = {counts['scored']} scored + {counts['rejected']} rejected; "
            f"{counts['listed']} listed for {counts['places']} places"
        )
    print(f"Card:  {report.card_html}  (open it in a browser)")
    print(f"State: {report.status['words']}")
    print(f"MLflow: {Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri {run.tracking_uri}")
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
    today: Today = None,
) -> int:
    """Run a study whole: train, test on the future, audit, explain, write the card, register the candidate."""
    from riskmodels import commands

    report = commands.run(
        study, Workspace(workspace), data, tracking_uri, _progress(), engine=engine, memory_limit=memory_limit,
        keep=not no_cache, today=_day(today, "--today"),
    )  # fmt: skip
    if explain:
        _print_steps(report.steps)
    _print_findings(report)
    print(f"\nCard:  {report.card_html}")
    print(f"Model: {report.study}/{report.version} (candidate; not approved)")
    print(f"Next:  riskmodels review record {report.study}/{report.version} DECISION.yaml --workspace {workspace}")
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
    _print_table(rows, ["was", "step", "because"])


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
        study, Workspace(workspace), data, _progress(), profile=profile, engine=engine, memory_limit=memory_limit,
        keep=not no_cache, today=_day(today, "--today"),
    )  # fmt: skip
    if explain:
        _print_steps(report.steps)
    ready = report.prepared
    print("Who is in the cohort")
    _print_table(report.attrition, ["as_of_date", "step", "dropped", "remaining"])
    print("\nWhat is known of the outcome")
    _print_table(report.outcome_status, report.outcome_status[0])
    if report.lag_was_estimated:
        print(f"The lag was estimated from the records: {ready.study.file.outcome.lag}.")
    print("\nHow it will be tested")
    print("\n".join(report.origins))
    print(f"\nFeatures ({len(report.features)})")
    _print_table(report.features, report.features[0])
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
        _print_table(links, links[0])
    print("\nChecks")
    _print_table(report.checks, ["result", "words", "evidence", "accepted"])
    if ready.gaps:
        print("\nGaps in the register")
        _print_table(ready.gaps, ["source", "key", "words"])
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


@app.command(epilog="Example: riskmodels card early_reading_support --output card/")
def card(
    model: Model,
    workspace: WorkspaceOption = WORK,
    output: Annotated[
        Path | None, typer.Option("--output", help="A folder to write to; the run's own unless given.")
    ] = None,
    today: Today = None,
) -> int:
    """Write a model's card as it stands today: card.html, card.md, card.json."""
    from riskmodels import commands

    path, status = commands.card(model, Workspace(workspace), output, _day(today, "--today") or dt.date.today())
    print(f"{status['words']}\nCard:  {path}")
    return ExitCode.DONE


@app.command(
    epilog="Example: riskmodels score early_reading_support work/data/early_reading_support --as-of 1989-06-30 "
    "--output list.csv"
)
def score(
    model: Model,
    cohort: Annotated[
        Path, typer.Argument(help="A folder of sources (with --as-of), or a file with the model's features.")
    ],
    output: Annotated[Path, typer.Option("--output", help="The list to write: .csv or .parquet.")],
    workspace: WorkspaceOption = WORK,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day to stand on, YYYY-MM-DD.")] = None,
    exclude: Annotated[
        Path | None, typer.Option("--exclude", help="People who objected: a file with a column entity_id.")
    ] = None,
    capacity: Annotated[int | None, typer.Option("--capacity", help="Places; the study's own unless given.")] = None,
    explain: Annotated[str, typer.Option("--explain", help="Reasons for: selected, all or none.")] = "selected",
    tracking_uri: TrackingOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    engine: EngineOption = "polars",
    memory_limit: MemoryOption = None,
    today: Today = None,
) -> int:
    """Score a cohort with an approved model. Refused, with exit 6, without an approval in date."""
    from riskmodels import commands

    if explain not in ("selected", "all", "none"):
        raise UsageError(f"--explain is selected, all or none, got {explain!r}")
    report = commands.score(
        model, cohort, output, Workspace(workspace), _day(today, "--today") or dt.date.today(), _day(as_of, "--as-of"),
        exclude, capacity, explain, tracking_uri, dry_run, _progress(), engine=engine, memory_limit=memory_limit,
    )  # fmt: skip
    counts = report.batch.counts
    print(f"{counts['rows_in']} people in = {counts['scored']} scored + {counts['rejected']} rejected")
    for code, count in sorted(report.batch.rejects["code"].value_counts().iter_rows()):
        print(f"  rejected: {count} {code}")
    print(
        f"{counts['listed']} listed for {counts['places']} places; {counts['excluded']} kept off by the service's rules"
    )
    if exclude is not None:
        print(f"{report.objections_met} of {report.objections} objections are of people in this cohort")
    if report.warning:
        print(f"riskmodels: the list is written, but: {report.warning}", file=sys.stderr)
    print("Nothing was written (--dry-run)." if dry_run else f"List:    {report.output}\nRejects: {report.rejects}")
    if report.example:
        print("The approval is an EXAMPLE, not a real one: this list may not be used.")
    print("The list is advice. People decide.")
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels models --workspace work")
def models(workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """What models exist, and in which state each stands today."""
    from riskmodels import commands

    rows = commands.models(Workspace(workspace), _day(today, "--today") or dt.date.today())
    if not rows:
        print(f"No models in {workspace}; make one with: riskmodels run STUDY --workspace {workspace}")
        return ExitCode.DONE
    _print_table(rows, [name for name in rows[0] if name not in ("words", "folder", "model_sha256", "card_sha256")])
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

    draft = commands.new(folder, files, question, put if ask else None, dt.date.today())
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


@review_app.command("record", epilog="Example: riskmodels review record early_reading_support/1 decision.yaml")
def review_record(
    model: Model,
    decision: Annotated[
        Path, typer.Argument(help="The decision as YAML; experiments/*/example_decision.yaml shows its shape.")
    ],
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Record a committee's decision. It names this model and this card by digest, and cannot be edited afterwards."""
    from riskmodels import commands

    approval = commands.record_review(model, decision, Workspace(workspace), _day(today, "--today") or dt.date.today())
    print("Recorded." if approval is None else f"Recorded: approved for {approval.stage} until {approval.expires}.")
    return ExitCode.DONE


@review_app.command("show", epilog="Example: riskmodels review show early_reading_support")
def review_show(model: Model, workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """Show a model's state, its recorded decisions, and each rule of the gate."""
    from riskmodels import commands

    status, records, rules = commands.show_review(
        model, Workspace(workspace), _day(today, "--today") or dt.date.today()
    )
    print(status["words"])
    for record in records:
        print("\n" + "\n".join(f"{name}: {value}" for name, value in record.items() if value not in (None, "", [])))
    print("\nThe gate")
    _print_table([{**rule, "holds": "yes" if rule["holds"] else "NO"} for rule in rules], ["holds", "rule", "words"])
    return ExitCode.DONE
