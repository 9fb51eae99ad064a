"""What waits for somebody, whose it is, and by when. Each line says what to do.

To add one: a function that yields actions, a row in ``LOOKS``, a test that brings it about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riskmodels.errors import CardError, GateError
from riskmodels.governance.acts import Withdrawal
from riskmodels.governance.chain import Record
from riskmodels.governance.champions import reigns
from riskmodels.governance.decision import STAGES_IN_USE, Decision, unanswered
from riskmodels.governance.overview import SOON_DAYS, View, decision_of
from riskmodels.governance.registry import Entry
from riskmodels.governance.review import conditions_of

KEEPER = "whoever keeps the records"


@dataclass(frozen=True)
class Action:
    """``who`` has to do ``what``, by the end of ``day`` where it has one. ``stops``: nothing is scored until then."""

    study: str
    version: int | None
    who: str
    what: str
    day: dt.date | None = None
    stops: bool = False

    def row(self, today: dt.date) -> dict[str, Any]:
        """As plain values, with the days that are left; below 0 where it is late."""
        left = None if self.day is None else (self.day - today).days
        return {**asdict(self), "day": None if self.day is None else self.day.isoformat(), "days_left": left}


def actions_of(view: View) -> list[Action]:
    """What waits for somebody in one study, the most urgent first."""
    return in_order(action for look in LOOKS for action in look(view))


def in_order(actions: Iterable[Action]) -> list[Action]:
    """What stops the scoring first, then by day, then what has none."""
    return sorted(actions, key=lambda one: (not one.stops, one.day or dt.date.max, one.study, one.version or 0))


# ---------------------------------------------------------------- the record itself


def _record(view: View) -> Iterator[Action]:
    if isinstance(view.chain, GateError):
        yield Action(view.study, None, KEEPER, str(view.chain), stops=True)


def _clock(view: View) -> Iterator[Action]:
    days = [line.recorded_on for line in view.lines] + [batch.scored_on for batch in view.batches]
    last = max(days, default=view.today)
    if last > view.today:
        what = f"correct the clock, or the time zone: it is {view.today}, and something was recorded on {last} already"
        yield Action(view.study, None, KEEPER, what, stops=True)


def _index(view: View) -> Iterator[Action]:
    if view.reign is not None and view.champion is None:
        what = "the champion of the record is not among the registered models; restore models.json from a copy"
        yield Action(view.study, view.reign.promotion.version, KEEPER, what, stops=True)


# ---------------------------------------------------------------- the champion


def _card(view: View) -> Iterator[Action]:
    for version, fault in view.faults.items():
        stops = view.champion is not None and version == view.champion.version
        yield Action(view.study, version, KEEPER, fault, stops=stops)


def _approval(view: View) -> Iterator[Action]:
    if view.champion is None or view.reign is None:
        return
    found, version = view.decided(view.champion), view.champion.version
    decision, who = decision_of(found), view.owner_of(view.champion)
    if decision is None:
        yield Action(view.study, version, who, "no decision names this card; have it reviewed", stops=True)
    elif decision.owner_decision != "approve" or decision.expires is None:
        what = f"use was refused (record {_seq(found)}); withdraw it, or go back to the champion before it"
        yield Action(view.study, version, who, what, stops=True)
    elif decision.stage != view.reign.promotion.stage:
        what = f"it was promoted for {view.reign.promotion.stage}, and the decision now is for {decision.stage}; "
        yield Action(view.study, version, decision.approved_by_role, f"{what}promote it again, or withdraw it",
                     stops=True)  # fmt: skip
    elif decision.expires < view.today:
        what = "the approval is over; have it reviewed again, or withdraw it"
        yield Action(view.study, version, who, what, decision.expires, stops=True)
    elif _is_soon(decision.expires, view):
        yield Action(view.study, version, who, "the approval ends; have it reviewed again", decision.expires)


def _conditions(view: View) -> Iterator[Action]:
    """Of the champion, and of a candidate that was approved: a condition that is late keeps it from being promoted."""
    for entry in _in_play(view):
        found = view.decided(entry)
        if found is None:
            continue
        for number, condition in enumerate(conditions_of(view.lines, found), 1):
            late = condition.is_overdue(view.today)
            if condition.status == "open" and condition.due is not None and (late or _is_soon(condition.due, view)):
                what = f"condition {number} is {'late' if late else 'due'}: {condition.text}"
                stops = late and entry == view.champion
                yield Action(view.study, entry.version, condition.owner, what, condition.due, stops)


def _answers(view: View) -> Iterator[Action]:
    """An answer to the audit holds until its day; then its verdict wants another. One that ends with the approval is
    part of its review."""
    entry = view.champion
    decision = None if entry is None else decision_of(view.decided(entry))
    facts = None if entry is None else view.cards.get(entry.version)
    if entry is None or decision is None or facts is None or not facts.content:
        return
    day = _first_without(decision, facts.content, view)
    if day is not None and day != decision.expires:
        over = day < view.today
        count = len(unanswered(decision, facts.content, max(view.today, day + dt.timedelta(days=1))))
        many = "1 verdict of the audit" if count == 1 else f"{count} verdicts of the audit"
        what = f"the answer to {many} {'is over' if over else 'ends'}; have it answered in a new decision"
        yield Action(view.study, entry.version, decision.owner_role, what, day, over)


def _first_without(decision: Decision, card: Any, view: View) -> dt.date | None:
    """The last day on which each verdict has its answer, if it is over or comes soon."""
    try:
        for day in sorted({answer.expires for answer in decision.answers.values()}):
            if _is_soon(day, view) and unanswered(decision, card, day + dt.timedelta(days=1)):
                return day
    except CardError:
        return None
    return None


def _agreements(view: View) -> Iterator[Action]:
    facts = None if view.champion is None else view.cards.get(view.champion.version)
    if view.champion is None or facts is None:
        return
    for source, day in facts.agreements:
        if _is_soon(day, view):
            over = day < view.today
            what = f"the agreement for the data of {source} {'is over' if over else 'ends'}; renew it"
            yield Action(view.study, view.champion.version, facts.owner, what, day, over)


# ---------------------------------------------------------------- the candidate


def _candidate(view: View) -> Iterator[Action]:
    entry = view.candidate
    if entry is None or entry == view.champion or isinstance(view.chain, GateError):
        return
    found = view.decided(entry)
    decision = decision_of(found)
    if found is None:
        yield Action(view.study, entry.version, view.owner_of(entry), "put its card to the committee, or let it be")
    elif (
        decision is not None
        and decision.owner_decision == "approve"
        and decision.stage in STAGES_IN_USE
        and decision.expires is not None
        and decision.expires >= view.today
        and not _was_champion_since(view, entry, found)
    ):
        what = f"it is approved for {decision.stage} and not in use; promote it, or let it be"
        yield Action(view.study, entry.version, decision.approved_by_role, what, decision.expires)


def _was_champion_since(view: View, entry: Entry, decided: Record) -> bool:
    """Whether somebody moved it in and out again: then nobody forgot it."""
    digests = (entry.model_sha256, entry.card_sha256)
    return any(reign.digests == digests and reign.began.seq > decided.seq for reign in reigns(view.lines))


# ---------------------------------------------------------------- what was done and should not have been


def _used_outside(view: View) -> Iterator[Action]:
    for entry in view.known.versions:
        made = view.used_outside(entry)
        if made:
            found = view.decided(entry)
            after = "after it was withdrawn" if found and isinstance(found.act, Withdrawal) else "without an approval"
            last = max(batch.scored_on for batch in made)
            what = (
                f"it made {len(made)} {'list' if len(made) == 1 else 'lists'} {after}, the last on {last}; find out "
                f"how, and who was on them (`riskmodels trace --model {view.study}/{entry.version}`)"
            )
            yield Action(view.study, entry.version, view.owner_of(entry), what)


def _withdrawn(view: View) -> Iterator[Action]:
    """Of late: its lists are still out, and whatever has the same model is stopped too, which nobody may have meant."""
    for entry in view.known.versions:
        found = view.decided(entry)
        if found is None or not isinstance(found.act, Withdrawal):
            continue
        if (view.today - found.recorded_on).days > SOON_DAYS:
            continue
        made = view.used(entry)
        said = []
        if found.card_sha256 != entry.card_sha256:
            said.append(f"it is stopped too: it is the same model as one withdrawn on {found.recorded_on}")
        if made:
            many = "list" if len(made) == 1 else f"{len(made)} lists"
            last = max(batch.scored_on for batch in made)
            when = f"of {last}" if len(made) == 1 else f"the last of {last}"
            said.append(f"tell the team that holds its {many}, {when}: it was withdrawn on {found.recorded_on}")
        if said:
            yield Action(view.study, entry.version, view.owner_of(entry), "; ".join(said))


LOOKS: tuple[Callable[[View], Iterator[Action]], ...] = (
    _record,
    _clock,
    _index,
    _card,
    _approval,
    _conditions,
    _answers,
    _agreements,
    _candidate,
    _used_outside,
    _withdrawn,
)


def _is_soon(day: dt.date, view: View) -> bool:
    """Whether a day is over, or within the time in which somebody ought to be told."""
    return (day - view.today).days <= SOON_DAYS


def _in_play(view: View) -> Sequence[Entry]:
    champion, candidate = view.champion, view.candidate
    found = [] if champion is None else [champion]
    decision = None if candidate is None else decision_of(view.decided(candidate))
    if candidate is not None and candidate != champion and decision is not None:
        found += [candidate] if decision.owner_decision == "approve" else []
    return found


def _seq(found: Record | None) -> int | None:
    return None if found is None else found.seq
