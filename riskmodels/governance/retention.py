"""How long each kind of file is kept in a workspace, and what is due to go. Nothing here touches a disk.

The periods stand in ``retention.yaml`` in the workspace, not in a study: they are about what is kept here, of every
version there ever was, so a change of them touches no digest, no card and no approval. What nobody says is kept for the
default of `ARTEFACTS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from riskmodels import study
from riskmodels.errors import StudyError
from riskmodels.governance.acts import Purge, PurgedFile
from riskmodels.governance.chain import Record
from riskmodels.governance.written import Role
from riskmodels.study import Period


@dataclass(frozen=True)
class Artefact:
    """``since``: the day from which its time is counted."""

    words: str
    since: str
    default: Period


# To add one: a row here, a field of `Periods`, a finder in `riskmodels.commands.purge_items`, a test.
ARTEFACTS: dict[str, Artefact] = {
    "batches": Artefact(
        "what a list gave each person, as trace and letter read it", "the day of the first scoring", Period(24, "month")
    ),
    "predictions": Artefact(
        "what the tests of a run said of each person", "the day of the run", Period(24, "month")
    ),
    "exact_counts": Artefact(
        "the exact counts of a run's audit, small ones too", "the day of the run", Period(24, "month")
    ),
    "drafts": Artefact("a whole run that was never registered", "the day of the run", Period(3, "month")),
    "source_tables": Artefact("the tables that prepare.py made", "the day they were made", Period(12, "month")),
    "cache": Artefact("tables kept between runs", "the day each was last used", Period(30, "day")),
    "tuning": Artefact("settings that were tried, which name nobody", "the day of the last trial", Period(6, "month")),
    "leftovers": Artefact(
        "what a command that was killed left half-written", "the day it was written", Period(30, "day")
    ),
}  # fmt: skip


# ---------------------------------------------------------------- what the governance officer writes


def _period(value: Any) -> Any:
    if isinstance(value, Period):
        return value
    try:
        return Period.parse(" ".join(str(value).lower().split()))
    except ValueError:
        raise ValueError(f"a period reads like '90 days', '2 weeks' or '18 months', got {str(value)!r}") from None


def _ends(value: Period) -> Period:
    if value.amount is None:
        raise ValueError("'ever' is no retention; say after how many days or months it goes")
    if value.amount == 0:
        raise ValueError(f"what is kept for '{value}' is gone before anybody has used it; give one day at least")
    return value


KeptFor = Annotated[Period, BeforeValidator(_period), AfterValidator(_ends)]


class Periods(study.Section):
    """A period for some of `ARTEFACTS`; None where nothing is said."""

    batches: KeptFor | None = None
    predictions: KeptFor | None = None
    exact_counts: KeptFor | None = None
    drafts: KeptFor | None = None
    source_tables: KeptFor | None = None
    cache: KeptFor | None = None
    tuning: KeptFor | None = None
    leftovers: KeptFor | None = None


class Policy(study.Section):
    """``retention.yaml``. ``studies``: what is kept for another time in one study."""

    decided_by: Role | None = None
    decided_on: dt.date | None = None
    periods: Periods = Periods()
    studies: dict[study.Slug, Periods] = Field(default_factory=dict)

    def period(self, name: str, artefact: str) -> tuple[Period, str]:
        """How long a study keeps an artefact, and where that is said."""
        own = getattr(self.studies.get(name, Periods()), artefact)
        if own is not None:
            return own, f"retention.yaml, studies.{name}"
        everywhere = getattr(self.periods, artefact)
        return (ARTEFACTS[artefact].default, "default") if everywhere is None else (everywhere, "retention.yaml")


def parse_policy(raw: Any, where: str) -> Policy:
    """Check a policy that is already a mapping. Raises StudyError: path of the key, what is wrong with it."""
    policy = study.validated(Policy, raw, where)
    for key, what in (("decided_by", "the role that decided it"), ("decided_on", "the day, as in 2026-11-20")):
        if getattr(policy, key) is None:
            raise StudyError(f"{where}: {key}: is missing; say {what}")
    return policy


# ---------------------------------------------------------------- what is due


@dataclass(frozen=True)
class Item:
    """Files that are kept and deleted together.

    ``path`` and ``files`` are relative to the workspace, ``files`` in the order in which they go. ``since`` is None
    where nobody can tell. ``run``: the folder of the run they are of. ``left_because``: why we must not touch them.
    """

    artefact: str
    study: str
    path: str
    since: dt.date | None
    files: tuple[str, ...]
    bytes: int
    run: str | None = None
    left_because: str | None = None


@dataclass(frozen=True)
class Judged:
    """``state``: due today, not yet, or kept although its time is over or not known, for the reason ``why``."""

    item: Item
    kept_for: Period
    said_in: str
    due: dt.date | None
    state: Literal["due", "not yet", "kept"]
    why: str | None = None


# What the champion's lists and letters quote.
NEEDED_BY_THE_CHAMPION = ("predictions",)


def judge(items: Iterable[Item], policy: Policy, today: dt.date, champions: Mapping[str, str]) -> list[Judged]:
    """What of this is due today. The day on which a period ends is the first on which its files may go.

    Parameters
    ----------
    champions : the folder of each champion's run -> its name
    """
    found = []
    for item in items:
        period, said_in = policy.period(item.study, item.artefact)
        due = None if item.since is None else period.after(item.since)
        over = due is None or due <= today
        why = item.left_because if over else None
        name = champions.get(item.run or "") if item.artefact in NEEDED_BY_THE_CHAMPION else None
        if over and why is None and name is not None:
            why = f"{name} is the champion: its lists and letters say how this test went"
        state: Literal["due", "not yet", "kept"] = "not yet" if not over else "due" if why is None else "kept"
        found.append(Judged(item, period, said_in, due, state, why))
    return found


def unfinished(chain: Sequence[Record], items: Iterable[Item]) -> list[PurgedFile]:
    """The files that are on record as deleted, and may still be there since a purge was stopped.

    A file that was made again since then is not among them: its item counts from another day than the one on record.
    """
    standing = {path: item for item in items for path in item.files}
    last: dict[str, tuple[Purge, PurgedFile]] = {}
    for line in chain:
        if isinstance(line.act, Purge):
            last.update({file.path: (line.act, file) for file in line.act.files})
    return [file for path, (act, file) in last.items() if path not in standing or _same_age(act, standing[path])]


def _same_age(act: Purge, item: Item) -> bool:
    return item.since is None or Period.parse(act.kept_for).after(item.since) == act.due


def said_of_deleted(chain: Sequence[Record], path: str) -> str | None:
    """That a file was deleted, and when, in half a sentence; None where no record says so.

    ``path`` is relative to the workspace.
    """
    for line in reversed(chain):
        if isinstance(line.act, Purge) and any(file.path == path for file in line.act.files):
            return f"was deleted on {line.recorded_on}, after {line.act.kept_for} (record {line.seq})"
    return None
