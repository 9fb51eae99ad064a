"""The ways in for a model: two in Python, and the commands that are given one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from riskmodels import commands
from riskmodels.errors import ExitCode, RiskModelsError
from riskmodels.models.risk_model import RiskModel, read_model_folder
from riskmodels.workspace import Workspace
from tests.end_to_end.served import TODAY, Called, call

Command = Callable[[Workspace, str, Path], Called]


def _score(workspace: Workspace, model: str, beside: Path) -> object:
    return commands.score(model, beside / "cohort.csv", beside / "list.csv", workspace, TODAY)


def _card(workspace: Workspace, model: str, beside: Path) -> object:
    return commands.card(model, workspace, beside / "card", TODAY)


def _review_show(workspace: Workspace, model: str, beside: Path) -> object:
    """The rules of the gate, as the command prints them."""
    rows = commands.gate(model, workspace, TODAY).rows
    print("\n".join(f"{'yes' if row['holds'] else 'NO'} {row['rule']}: {row['words']}" for row in rows))
    return commands.show_review(model, workspace, TODAY)


def _verb(verb: Callable[[Workspace, str, Path], object]) -> Command:
    """What the command does, without building the whole command line anew for each of a thousand calls."""

    def command(workspace: Workspace, model: str, beside: Path) -> Called:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                verb(workspace, model, beside)
            except RiskModelsError as error:
                return Called(int(error.exit_code), "", f"riskmodels: {error}\n")
        return Called(int(ExitCode.DONE), out.getvalue(), "")

    return command


VERBS: dict[str, Command] = {"score": _verb(_score), "card": _verb(_card), "review show": _verb(_review_show)}


def _line(*words: Any) -> Command:
    return lambda workspace, model, beside: call(
        workspace, *(word(model, beside) if callable(word) else word for word in words)
    )


COMMANDS: dict[str, Command] = {
    "score": _line("score", lambda model, _: model, lambda _, beside: beside / "cohort.csv", "--output",
                   lambda _, beside: beside / "list.csv"),
    "card": _line("card", lambda model, _: model, "--output", lambda _, beside: beside / "card"),
    "review show": _line("review", "show", lambda model, _: model),
    "gate": _line("gate", lambda model, _: model),
}  # fmt: skip


def read_and_load(folder: Path) -> RiskModel:
    return RiskModel.from_files(read_model_folder(folder))


def as_a_mapping(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, as somebody might bring it who does not use `read_model_folder`."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
