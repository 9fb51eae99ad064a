"""One study as it stands on a day: its versions, which of them is in use, and what each was used for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from riskmodels.errors import GateError
from riskmodels.governance.chain import Record
from riskmodels.governance.champions import Reign, champion
from riskmodels.governance.decision import Decision
from riskmodels.governance.history import Batch, Span, approvals, champion_on, outside
from riskmodels.governance.registry import CANDIDATE, Entry, Registered
from riskmodels.governance.review import conditions_of, governing
from riskmodels.governance.standing import study_states

SOON_DAYS = 30
OWNER = "whoever answers for the study"


@dataclass(frozen=True)
class CardFacts:
    """What is read of a card: ``owner`` answers for the study; ``agreements`` are of the sources that the model reads,
    each with its last day; ``content`` is the card itself, whose verdicts want answers."""

    title: str
    owner: str
    agreements: tuple[tuple[str, dt.date], ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """A study, its record (or what is wrong with it) and its batches, looked at on a day.

    ``cards``: of those versions whose card matters today, by version; ``faults``: what is wrong with theirs.
    """

    study: str
    known: Registered
    chain: Sequence[Record] | GateError
    batches: Sequence[Batch]
    today: dt.date
    cards: Mapping[int, CardFacts] = field(default_factory=dict)
    faults: Mapping[int, str] = field(default_factory=dict)

    @property
    def lines(self) -> Sequence[Record]:
        """The record, or nothing where it is broken."""
        return () if isinstance(self.chain, GateError) else self.chain

    @cached_property
    def of_model(self) -> Mapping[str, Sequence[Record]]:
        found: dict[str, list[Record]] = {}
        for line in self.lines:
            found.setdefault(line.model_sha256, []).append(line)
        return found

    @cached_property
    def reign(self) -> Reign | None:
        return champion(self.lines)

    @property
    def champion(self) -> Entry | None:
        """The version that scores, if the index still has it."""
        digests = None if self.reign is None else self.reign.digests
        return next((one for one in self.known.versions if (one.model_sha256, one.card_sha256) == digests), None)

    @property
    def candidate(self) -> Entry | None:
        number = self.known.aliases.get(CANDIDATE)
        return None if number is None else self.known.versions[number - 1]

    @property
    def title(self) -> str:
        found = [self.cards[one.version].title for one in (self.champion, self.candidate)
                 if one is not None and one.version in self.cards]  # fmt: skip
        return found[0] if found else self.study

    def decided(self, entry: Entry) -> Record | None:
        """The decision or withdrawal in force for a version."""
        return governing(self.of_model.get(entry.model_sha256, ()), entry.model_sha256, entry.card_sha256)

    def spans(self, entry: Entry) -> list[Span]:
        return approvals(self.of_model.get(entry.model_sha256, ()), entry.model_sha256, entry.card_sha256)

    def used(self, entry: Entry) -> Sequence[Batch]:
        return self._used.get((entry.version, entry.model_sha256), ())

    @cached_property
    def _used(self) -> Mapping[tuple[int | None, str], Sequence[Batch]]:
        found: dict[tuple[int | None, str], list[Batch]] = {}
        for batch in self.batches:
            found.setdefault((batch.version, batch.model_sha256), []).append(batch)
        return found

    def used_outside(self, entry: Entry) -> list[Batch]:
        """The batches that a version made when no approval allowed it; none is known where the record is broken."""
        return [] if isinstance(self.chain, GateError) else outside(self.spans(entry), self.used(entry))

    def owner_of(self, entry: Entry | None) -> str:
        """Who decided on a version, or else who answers for the study."""
        found = None if entry is None else self.decided(entry)
        if found is not None:
            return str(getattr(found.act, "owner_role", OWNER))
        facts = None if entry is None else self.cards.get(entry.version)
        return facts.owner if facts is not None else OWNER


def version_rows(view: View) -> list[dict[str, Any]]:
    """Every version of a study.

    Keys: those of `standing.states`, days_left, next_due, batches, last_used and used_outside. next_due is the first
    day by which an open condition is to be met; used_outside, how many batches were made when no approval allowed it,
    is None where the record is broken.
    """
    rows = study_states(view.study, view.known, view.chain, view.today)
    for row, entry in zip(rows, view.known.versions, strict=True):
        used = view.used(entry)
        row["days_left"] = days_left(row["until"], view.today)
        row["next_due"] = _next_due(view, entry)
        row["batches"] = len(used)
        row["last_used"] = max(batch.scored_on for batch in used).isoformat() if used else None
        row["used_outside"] = None if isinstance(view.chain, GateError) else len(view.used_outside(entry))
    return rows


def in_use_row(view: View, stopped: Sequence[str]) -> dict[str, Any]:
    """What a study scores with: the keys of `history.champion_on`, title, days_left, batches, last_used, holds and
    stopped.

    Parameters
    ----------
    stopped : why the champion may not be used today (`riskmodels.governance.actions`)
    """
    # All of the record counts, whatever the clock says.
    newest = max((line.recorded_on for line in view.lines), default=view.today)
    row = champion_on(view.study, view.chain, max(newest, view.today), is_past=False)
    entry = view.champion
    used = view.used(entry) if entry is not None else ()
    return {
        **row,
        "title": view.title,
        "days_left": days_left(row["until"], view.today),
        "batches": len(used),
        "last_used": max(batch.scored_on for batch in used).isoformat() if used else None,
        "holds": row["version"] is not None and not stopped,
        "stopped": list(stopped),
    }


def _next_due(view: View, entry: Entry) -> str | None:
    found = view.decided(entry)
    conditions = () if found is None else conditions_of(view.lines, found)
    due = [one.due for one in conditions if one.status == "open" and one.due is not None]
    return min(due).isoformat() if due else None


def days_left(until: str | None, today: dt.date) -> int | None:
    """Days until a last day; below 0 where it is over."""
    return None if until is None else (dt.date.fromisoformat(until) - today).days


def decision_of(found: Record | None) -> Decision | None:
    return found.act if found is not None and isinstance(found.act, Decision) else None
