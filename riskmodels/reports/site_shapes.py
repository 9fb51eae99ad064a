"""What the pages of a public register are made from: tools, their versions, and what happened on which day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.reports.states import APPROVED, NOT_IN_USE, is_used


@dataclass(frozen=True)
class Download:
    """A file beside a tool's page. ``path`` is relative to the tool's folder; ``size`` in bytes."""

    path: str
    edition: str
    size: int


@dataclass(frozen=True)
class Version:
    """One card of a tool. ``number``: 1 is the oldest that is kept.

    ``status``: {state, words, until, example, stage}; ``replaced_on``: None for the newest, and where nobody wrote it
    down; ``change``: from the version before, {words, substantive, tables}, or None for the oldest.
    """

    number: int
    model_version: str
    card_sha256: str
    status: Mapping[str, Any]
    replaced_on: dt.date | None
    replaced: bool
    change: Mapping[str, Any] | None
    downloads: Sequence[Download]

    @property
    def folder(self) -> str:
        """Where its files stand, seen from the tool's page."""
        return f"earlier/{self.number}/" if self.replaced else ""


@dataclass(frozen=True)
class Event:
    """What happened on a day.

    ``id``: its anchor on the page; ``seal``: a digest that names it for good; ``folded``: more items, which few will
    want; ``more``: the anchor of a place that says more.
    """

    id: str
    seal: str
    day: dt.date
    title: str
    paragraphs: Sequence[str]
    items: Sequence[str] = ()
    folded: Sequence[str] = ()
    more: str | None = None


@dataclass(frozen=True)
class Tool:
    """``card``: the newest, in its public edition; ``versions``: newest first; ``events``: newest first.

    ``notice``: {state, on, by, why, instead} or None; ``withdrawn``: sentences about other models of the tool that were
    stopped; ``records``: the digest of every line of the review record.
    """

    name: str
    card: Mapping[str, Any]
    status: Mapping[str, Any]
    versions: Sequence[Version]
    events: Sequence[Event]
    notice: Mapping[str, Any] | None = None
    withdrawn: Sequence[str] = ()
    records: Sequence[str] = ()

    @property
    def in_use(self) -> bool:
        """Whether a real decision lets the list of any version be used today."""
        return any(is_used(one.status) for one in self.versions)

    @property
    def stopped(self) -> bool:
        """Whether it is over: not in use, and waiting for nothing."""
        return self.status["state"] in NOT_IN_USE and self.approved is None

    @property
    def approved(self) -> Version | None:
        """The newest version that is approved today, of those in use if any is; not always the newest."""
        approved = [one for one in self.versions if one.status["state"] == APPROVED and not one.status.get("example")]
        return next((one for one in approved if is_used(one.status)), approved[0] if approved else None)

    @property
    def last_changed(self) -> dt.date | None:
        return max((event.day for event in self.events), default=None)


@dataclass(frozen=True)
class TakenOut:
    """What an earlier register showed and this one does not. ``what``: "The tool", "Version 1", "The notice"."""

    name: str
    title: str
    what: str
    on: dt.date


@dataclass(frozen=True)
class Register:
    """``removed``: what was taken out on purpose, now or before; oldest first."""

    title: str
    organisation: str | None
    today: dt.date
    tools: Sequence[Tool]
    removed: Sequence[TakenOut] = ()
