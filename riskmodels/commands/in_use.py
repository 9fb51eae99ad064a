"""Nothing is deleted from under a command that works: those who work hold a workspace together, a purge alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from riskmodels import storage
from riskmodels.workspace import Workspace

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

IN_USE = "in_use"


@contextmanager
def in_use(workspace: Workspace) -> Iterator[None]:
    """Work in a workspace, beside others who do. Raises OutsideError if a purge is under way."""
    if not workspace.root.is_dir():  # it is made when there is something to put into it
        yield
        return
    busy = f"{workspace.root}: `riskmodels purge` is deleting what is due there; try again when it has ended"
    with storage.together(workspace.root / IN_USE, busy):
        yield


@contextmanager
def purging(workspace: Workspace) -> Iterator[None]:
    """Have a workspace alone. Raises OutsideError if somebody works in it, or the disk refuses."""
    busy = f"{workspace.root}: is in use by another command; nothing was deleted: purge it when that has ended"
    with storage.together(workspace.root / IN_USE, busy, alone=True):
        yield


def works_in_workspace(verb: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """A verb that holds the workspace it is given for as long as it runs."""

    @functools.wraps(verb)
    def held(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        workspace = next(value for value in (*args, *kwargs.values()) if isinstance(value, Workspace))
        with in_use(workspace):
            return verb(*args, **kwargs)

    return held
