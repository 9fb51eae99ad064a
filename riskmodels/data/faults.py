"""What is wrong with the rows of one source, counted over all of its batches and told in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import polars as pl

from riskmodels.errors import DataError

ONE = {
    "rows are not dates": "row is not a date", "rows are not numbers": "row is not a number", "rows are": "row is",
    "rows have": "row has", "rows hold": "row holds", "ids stand": "id stands", "ids differ": "id differs",
}  # fmt: skip


@dataclass
class _Fault:
    advice: str
    word: str  # what the first of them is called
    rows: int = 0
    first: int = 0
    looks: set[str] = field(default_factory=set)


@dataclass
class Faults:
    """What is wrong with the rows of one source. Row numbers count from 1, below the header."""

    file: str
    before: int = 0  # rows in the batches that came before
    found: dict[tuple[str, str], _Fault] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)  # how many there are in each column
    clocks: dict[str, dict[str, int]] = field(default_factory=dict)  # column -> kind of time -> first row that has it

    def note(
        self,
        bad: pl.Series,
        fault: str,
        advice: str = "correct them",
        word: str = "first",
        looks: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Count the bad rows of a column (the name of ``bad``). The first fault to be noted is the first to be told."""
        here = self.found.setdefault((bad.name, fault), _Fault(advice, word))
        if not bad.any():
            return
        rows = bad.fill_null(False).arg_true()
        here.first = here.first or self.before + int(rows[0]) + 1
        here.rows += len(rows)
        here.looks |= set(looks())

    def note_texts(self, column: pl.Series, bad: pl.Series, fault: str, advice: str) -> None:
        """As `note`, where it is the texts ``bad`` that are wrong wherever they stand."""
        none = pl.Series(column.name, [], dtype=pl.Boolean)
        self.note(column.is_in(bad.implode()) if len(bad) else none, fault, advice)

    def note_clocks(self, column: str, **clocks: pl.Series) -> None:
        """Where a column first has a time ``without`` an offset from UTC, and where one ``with`` it."""
        firsts = self.clocks.setdefault(column, {})
        for clock, rows in clocks.items():
            if clock not in firsts and rows.any():
                firsts[clock] = self.before + int(rows.arg_true()[0]) + 1

    def refuse(self, time_zone: str | None = None) -> None:
        """Raise DataError for the first thing that is wrong: column, how many rows and the first; never a value."""
        for column, firsts in self.clocks.items():
            if len(firsts) == 2:
                raise DataError(
                    f"{self.file}, column {column!r}: some times have an offset from UTC (first: row {firsts['with']}) "
                    f"and some have none (first: row {firsts['without']}); give every one its offset, or none"
                )
            if "with" in firsts and time_zone is None:
                raise DataError(
                    f"{self.file}, column {column!r}: times have an offset from UTC (first: row {firsts['with']}); say "
                    "in study.yaml where their days are counted, such as time_zone: Europe/London"
                )
        for (column, fault), here in self.found.items():
            if here.rows:
                many = f"{here.rows} {_of_one(fault) if here.rows == 1 else fault}"
                looks = f"{'it looks' if here.rows == 1 else 'they look'} {' and '.join(sorted(here.looks))}"
                advice = f"{looks}: write the year first, for the order is not guessed" if here.looks else here.advice
                raise DataError(f"{self.file}, column {column!r}: {many} ({here.word}: row {here.first}); {advice}")
        for column, values in self.values.items():
            if not values and self.before:
                advice = "take it out of the study, or mend the extract"
                raise DataError(f"{self.file}, column {column!r}: is empty in every row; {advice}")


def _of_one(fault: str) -> str:
    for many, one in ONE.items():
        fault = fault.replace(many, one)
    return fault
