"""The command line itself: its name, the options that commands share, and how they print."""

from __future__ import annotations

import datetime as dt
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.errors import UsageError

SECRET_WORDS = re.compile(r"[?&;](?:\w*password|passwd|pwd|\w*token|\w*secret|\w*key)=", re.IGNORECASE)

app = typer.Typer(
    name="riskmodels",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # they show what an error says, which may quote a person
    help="Predict who may need early help, honestly: one study file, one command, a card that a committee can read. "
    "The model never decides; people do.",
)
review_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The ethics committee's decisions: the form, the record, and whether it is whole.",
)
app.add_typer(review_app, name="review")


def _say_version(wanted: bool) -> None:
    if wanted:
        from riskmodels import __version__

        print(f"riskmodels {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    pass


def _without_secret(address: str | None) -> str | None:
    """Raises UsageError for an address with a password in it, without repeating it."""
    if address is None:
        return None
    scheme, _, rest = address.partition("://")
    # Not of a file's path, in which an @ is an @.
    account = "" if scheme.lower() in ("", "file", "sqlite") else rest.rpartition("@")[0]
    if SECRET_WORDS.search(rest) or ":" in account or (account and scheme.lower() in ("http", "https")):
        raise UsageError(
            "--tracking-uri: holds a password, and whoever uses this machine can read a command line; leave it out, "
            "and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (for a database, the address in "
            "MLFLOW_TRACKING_URI)"
        )
    return address


StudyFolder = Annotated[Path, typer.Argument(help="A study folder, such as experiments/early_reading_support.")]
Model = Annotated[str, typer.Argument(help="A model: STUDY, STUDY/3, STUDY@candidate, or a run's folder.")]
WorkspaceOption = Annotated[Path, typer.Option("--workspace", help="Where all state is kept.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The folder of the study's sources.")]
TrackingOption = Annotated[
    str | None,
    typer.Option("--tracking-uri", help="An MLflow store; the workspace's own unless given.", callback=_without_secret),
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


def progress() -> Callable[[str], None]:
    start = time.monotonic()

    def say(message: str) -> None:
        print(f"[{time.monotonic() - start:6.1f} s] {message}", file=sys.stderr, flush=True)

    return say


def read_day(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: a date reads like 2024-06-30, got {text!r}") from None


def day_of(text: str | None) -> dt.date:
    """The day that was given, or else today's where the council is. Raises UsageError."""
    from riskmodels.study import clock

    return read_day(text, "--today") or clock.today()


def needed(value: str | None, option: str) -> str:
    """What was given for an act that is recorded. Raises UsageError for nothing, and for blanks."""
    if value is None or not value.strip():
        raise UsageError(f"{option}: is needed; it stands in the record for good")
    return value


def print_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    columns = list(columns)
    cells = [[("" if row.get(name) is None else str(row.get(name))) for name in columns] for row in rows]
    widths = [max([len(name), *(len(line[index]) for line in cells)]) for index, name in enumerate(columns)]
    for line in [columns, *cells]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
