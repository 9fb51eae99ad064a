"""What a user says of an audit of predictions, and what is refused of it before any work."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from riskmodels import storage
from riskmodels.errors import UsageError

PURPOSES, MEASURES, LEVELS = ("assistive", "punitive", "mixed"), ("need", "service"), ("person", "household", "place")


@dataclass(frozen=True)
class Columns:
    """What the columns of a file of predictions are: a name for each, None where there is none."""

    outcome: str
    groups: tuple[str, ...]
    risk: str | None = None
    selected: str | None = None
    entity: str | None = None
    as_of: str | None = None
    household: str | None = None
    excluded: str | None = None
    features: tuple[str, ...] = ()

    def of_the_other(self, other: OtherList) -> Columns:
        """The same columns, with the risks or the list of another model."""
        return replace(self, risk=other.risk, selected=other.selected, features=(), excluded=None)


@dataclass(frozen=True)
class OtherList:
    """Another list of the same people to compare with: its column of risks, or of who is selected."""

    risk: str | None = None
    selected: str | None = None

    @property
    def column(self) -> str:
        return self.risk or self.selected or ""


@dataclass(frozen=True)
class Said:
    """What a user says of the groups: column -> law, reference or cut points; law -> why it is not audited."""

    laws: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    not_audited: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Something to take care of: ``said`` stands in the audit, ``advice`` on the terminal only, where options are."""

    said: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.said} {self.advice}".strip()


@dataclass(frozen=True)
class Outputs:
    """Where to write: the published audit as JSON and as a page, and the exact counts, for their owner alone."""

    json: Path | None = None
    html: Path | None = None
    counts: Path | None = None

    def by_option(self) -> dict[str, Path]:
        named = {"--json": self.json, "--html": self.html, "--counts": self.counts}
        return {option: path for option, path in named.items() if path is not None}


# ---------------------------------------------------------------- what is refused


def refuse_wrong_comparison(columns: Columns, other: OtherList | None, against: Path | None) -> None:
    """Raise UsageError unless another list can be put beside this one row by row."""
    if other is None:
        return
    option = "--against-selected" if other.risk is None else "--against-risk"
    if against is not None or None not in (other.risk, other.selected):
        raise UsageError("--against, --against-risk and --against-selected are three comparisons; give one of them")
    if (other.risk is None) != (columns.selected is not None):
        need = "--selected" if other.risk is None else "--capacity or --threshold"
        raise UsageError(f"{option} compares two lists made alike: it goes with {need}")
    if columns.entity is None:
        raise UsageError(f"{option} needs --entity, the column of ids: it compares the same people on both lists")
    if other.column in (columns.risk, columns.selected):
        raise UsageError(f"{option} names the column {other.column!r} of the list itself; name that of the other")


def refuse_wrong_options(
    columns: Columns, purpose: str, capacity: int | None, threshold: float | None, measures: str | None, level: str,
    small_numbers: str, seed: int,
) -> None:  # fmt: skip
    """Raise UsageError if options contradict each other, or are none that there are."""
    from riskmodels.assessment.suppression import PROFILES

    ways = {"--capacity": capacity, "--threshold": threshold, "--selected": columns.selected}
    given = [option for option, value in ways.items() if value is not None]
    if len(given) != 1:
        but = f"not {' and '.join(given)} together" if given else "none of them was given"
        raise UsageError(f"say who is on the list with one of --capacity, --threshold and --selected; {but}")
    if columns.risk is None and columns.selected is None:
        raise UsageError(f"--risk is needed with {given[0]}; only where --selected is given can it be left out")
    if not columns.groups:
        raise UsageError("--groups names the columns of groups, as in --groups sex,race")
    both = [column for column in columns.features if column in columns.groups]
    if both:
        raise UsageError(
            f"--features: {both[0]!r} is one of --groups too, and a group always gives itself away; name in --features "
            "only what the model knew besides"
        )
    for option, value, known in (
        ("--purpose", purpose, PURPOSES),
        ("--measures", measures or "need", MEASURES),
        ("--level", level, LEVELS),
        ("--small-numbers", small_numbers, tuple(PROFILES)),
    ):
        if value not in known:
            raise UsageError(f"{option} is {', '.join(known[:-1])} or {known[-1]}, got {value!r}")
    if small_numbers == "places" and level != "place":
        raise UsageError("--small-numbers places hides nothing, so it is for counts of places only: say --level place")
    if capacity is not None and capacity < 1:
        raise UsageError(f"--capacity is a number of places, 1 or more, got {capacity}")
    if threshold is not None and not (math.isfinite(threshold) and 0 < threshold < 1):
        raise UsageError(f"--threshold is a risk above 0 and below 1, such as 0.2, got {threshold:g}")
    if not 0 <= seed < 2**64:
        raise UsageError(f"--seed is a whole number, 0 or more, got {seed}")


def refuse_wrong_outputs(inputs: Mapping[str, Path | None], outputs: Outputs) -> None:
    """Raise UsageError if an output would overwrite an input or another; OutsideError if it cannot be written.

    Parameters
    ----------
    inputs : what it is called -> where it stands
    """
    taken = {path.resolve(): name for name, path in inputs.items() if path is not None}
    for option, path in outputs.by_option().items():
        if path.resolve() in taken:
            raise UsageError(f"{option} would overwrite {taken[path.resolve()]}; name another file")
        taken[path.resolve()] = option
        storage.refuse_unwritable(path)
