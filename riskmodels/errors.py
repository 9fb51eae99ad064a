"""Every error a user can meet, each with its exit code.

::

    RiskModelsError            1  our bug, if it ever shows undressed
    ├── UsageError             2  the command was called wrongly
    ├── StudyError             3  the study folder is wrong
    ├── DataError              4  the data was refused
    │   └── LeakError          4  the future would leak into the past
    ├── ModelFileError         5  a saved model was refused
    ├── CardError              5  a card was refused
    ├── GateError              6  governance does not allow it
    └── OutsideError           7  disk, permission, server

Messages say what, where and what to do, in one line. They quote columns and row numbers, never a value or an id of a
person.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    BUG = 1
    USAGE = 2
    STUDY = 3
    DATA = 4
    FILE = 5
    GATE = 6
    OUTSIDE = 7
    FAIL = 10
    INSUFFICIENT_EVIDENCE = 11
    NOT_AUDITED = 12


class RiskModelsError(Exception):
    """Base of everything we raise on purpose. ``str()`` is one line for the user."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class UsageError(RiskModelsError):
    exit_code = ExitCode.USAGE


class StudyError(RiskModelsError):
    exit_code = ExitCode.STUDY


class DataError(RiskModelsError):
    exit_code = ExitCode.DATA


class LeakError(DataError):
    pass


class ModelFileError(RiskModelsError):
    exit_code = ExitCode.FILE


class CardError(RiskModelsError):
    exit_code = ExitCode.FILE


class GateError(RiskModelsError):
    exit_code = ExitCode.GATE


class OutsideError(RiskModelsError):
    exit_code = ExitCode.OUTSIDE
