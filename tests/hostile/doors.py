"""The ways in for a model: two in Python, and the commands that are given one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from riskmodels.models.risk_model import RiskModel, read_model_folder
from riskmodels.workspace import Workspace
from tests.end_to_end.served import Called, call

Command = Callable[[Workspace, str, Path], Called]


def _score(workspace: Workspace, model: str, beside: Path) -> Called:
    return call(workspace, "score", model, beside / "cohort.csv", "--output", beside / "list.csv")


COMMANDS: dict[str, Command] = {
    "score": _score,
    "card": lambda workspace, model, beside: call(workspace, "card", model, "--output", beside / "card"),
    "review show": lambda workspace, model, beside: call(workspace, "review", "show", model),
}


def read_and_load(folder: Path) -> RiskModel:
    return RiskModel.from_files(read_model_folder(folder))


def as_a_mapping(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, as somebody might bring it who does not use `read_model_folder`."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
