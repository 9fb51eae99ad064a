"""Where a person stands in the batches: which model, what risk, listed or not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from riskmodels.errors import DataError
from riskmodels.models.reasons import RULE_WITHHELD
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.people.ledger import KnownBatch, Say
from riskmodels.service.people.record import PersonRecord, find_people

NOT_REGISTERED = "NOT REGISTERED"
# A version as the ledger names it (study, version, digest of its model) -> its state today.
States = Mapping[tuple[str, int | None, str], str]
# A line of the ledger -> the reasons of its study's rules that the reader may read.
Told = Callable[[Mapping[str, Any]], Collection[str]]
# What the places decide is said of nobody's records.
OURS = frozenset(words for words in BECAUSE.values() if words is not None)


@dataclass(frozen=True)
class Seen:
    """A person in one batch, as the reader may know it. ``model_state``: of the model, today."""

    batch: Mapping[str, Any]
    model_state: str
    person: PersonRecord

    def row(self) -> dict[str, Any]:
        """As plain values, without reasons and without who it is."""
        batch, person = self.batch, self.person
        return {
            "batch_id": batch["batch_id"],
            "study": batch["study"],
            "as_of_date": batch["as_of_date"],
            "scored_on": batch["scored_on"],
            "model_version": batch["version"],
            "model_sha256": batch["model_sha256"],
            "model_state_today": self.model_state,
            "example": batch["example"],
            "risk": person.risk,
            "band": person.band,
            "rank": person.rank,
            "of": batch["scored"],
            "selected": person.selected,
            "listed": person.listed,
            "not_listed_because": person.not_listed_because,
            "team": person.team,
            "has_reasons": person.codes is not None,
        }


@dataclass(frozen=True)
class Trace:
    """``people``: for each id asked for, in its order, the batches it was in. ``gone``: batches without a record, which
    cannot say who was in them. ``unreadable``: batches whose record is damaged."""

    people: tuple[tuple[Seen, ...], ...]
    searched: int
    gone: tuple[Mapping[str, Any], ...]
    unreadable: tuple[Mapping[str, Any], ...]


def nothing_told(line: Mapping[str, Any]) -> Collection[str]:
    """Where nobody says which rules may be read, none is."""
    return ()


def trace_people(
    batches: Iterable[KnownBatch],
    ids: Sequence[str],
    states: States,
    say: Say | None = None,
    told: Told = nothing_told,
) -> Trace:
    """Look for people in the record of every batch; one that is damaged does not hide the others.

    A rule that is not among those ``told`` reads `RULE_WITHHELD`.
    """
    seen: dict[str, list[Seen]] = {one: [] for one in ids}
    searched, gone, unreadable = 0, [], []
    for batch in batches:
        if batch.folder is None:
            gone.append(batch.line)
            continue
        try:
            found = find_people(batch.folder, ids)
        except DataError as error:
            unreadable.append(batch.line)
            if say is not None:
                say(str(error))
            continue
        searched += 1
        for one, person in found.items():
            seen[one].append(Seen(batch.line, state_of(batch.line, states), _as_told(person, batch.line, told)))
    return Trace(tuple(tuple(seen[one]) for one in ids), searched, tuple(gone), tuple(unreadable))


def _as_told(person: PersonRecord, line: Mapping[str, Any], told: Told) -> PersonRecord:
    why = person.not_listed_because
    if why is None or why in OURS or why in told(line):
        return person
    return replace(person, not_listed_because=RULE_WITHHELD)


def batch_row(batch: KnownBatch, states: States) -> dict[str, Any]:
    """What a batch was: its line of the ledger, the model's state today, and whether its record is kept."""
    record = "kept" if batch.folder is not None else "gone"
    return {**batch.line, "model_state_today": state_of(batch.line, states), "record": record}


def state_of(line: Mapping[str, Any], states: States) -> str:
    return states.get((line["study"], line["version"], line["model_sha256"]), NOT_REGISTERED)
