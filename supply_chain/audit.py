"""Is what we install what the lock says, and is nothing wrong with it? To add a check: one function, one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from riskmodels.errors import OutsideError, UsageError
from supply_chain import advisories, wheels
from supply_chain.installed import Installed, not_as_locked, read_environment, without_licence
from supply_chain.lock import Locked, faults_of, read_lock, together
from supply_chain.machines import PYTHONS, Machine
from supply_chain.wheelhouse import this_machine


@dataclass(frozen=True)
class Case:
    """What is checked: the text of each file of locked requirements, the first one being what everybody installs."""

    texts: dict[str, str]
    environment: Path
    advisories_at: str | None = None

    @cached_property
    def locks(self) -> dict[str, tuple[Locked, ...]]:
        return {name: read_lock(text, name) for name, text in self.texts.items()}

    @cached_property
    def core(self) -> tuple[Locked, ...]:
        return next(iter(self.locks.values()))

    @cached_property
    def everything(self) -> tuple[Locked, ...]:
        return together(self.locks.values())

    @cached_property
    def found(self) -> tuple[Installed, ...]:
        return read_environment(self.environment)


def _well_formed(case: Case) -> list[str]:
    return [fault for name, text in case.texts.items() for fault in faults_of(text, name)]


def _installed(case: Case) -> list[str]:
    here = this_machine().environment
    return not_as_locked([row for row in case.core if row.is_wanted(here)], case.everything, case.found)


def _licences(case: Case) -> list[str]:
    return without_licence(case.found)


def _wheels(case: Case) -> list[str]:
    problems = []
    for machine in (this_machine(), *(Machine("windows", python) for python in PYTHONS)):
        rows = [row for row in case.core if row.is_wanted(machine.environment)]
        where = f"{machine.system}, Python {machine.python}: "
        try:
            problems += [where + said for said in wheels.not_as_locked(rows, wheels.look_up(rows, machine))]
        except UsageError as refused:
            problems.append(f"{where}{refused}")
    return problems


def _vulnerabilities(case: Case) -> list[str]:
    return advisories.look_up(case.everything, case.advisories_at)


@dataclass(frozen=True)
class Check:
    says: str
    find: Callable[[Case], list[str]]
    asks_the_network: bool = False


CHECKS: tuple[Check, ...] = (
    Check("every row names one version and its SHA-256, and no address", _well_formed),
    Check("what is installed is what the lock says", _installed),
    Check("every package states its licence", _licences),
    Check("every row is a wheel of that hash, none withdrawn, here and on Windows", _wheels, asks_the_network=True),
    Check("no known vulnerability", _vulnerabilities, asks_the_network=True),
)


@dataclass(frozen=True)
class Answer:
    """``problems`` is None where nobody could look; ``why_not`` says why."""

    check: Check
    problems: list[str] | None
    why_not: str = ""

    @property
    def lines(self) -> list[str]:
        if self.problems is None:
            return [f"NOT LOOKED AT  {self.check.says}: {self.why_not}"]
        state = "no  " if self.problems else "yes "
        return [f"{state} {self.check.says}", *(f"       {problem}" for problem in self.problems)]


def audit(case: Case, offline: bool = False) -> list[Answer]:
    """Every check of `CHECKS`, whatever the others found."""
    answers = []
    for check in CHECKS:
        if offline and check.asks_the_network:
            answers.append(Answer(check, None, "--offline was said"))
            continue
        try:
            answers.append(Answer(check, check.find(case)))
        except OutsideError as problem:
            answers.append(Answer(check, None, str(problem)))
        except UsageError as problem:
            answers.append(Answer(check, [str(problem)]))
    return answers
