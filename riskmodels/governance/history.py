"""What was so when: how long each approval held, who was champion on a day, and what each champion was used for.

All of it comes from the record and the ledger. A day has no hours in a record, so whatever began or ended on a day
counts for the whole of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from riskmodels.errors import GateError
from riskmodels.governance.acts import Promotion, Withdrawal
from riskmodels.governance.chain import Record
from riskmodels.governance.champions import Reign, champion, reigns
from riskmodels.governance.decision import STAGES_IN_USE, Decision
from riskmodels.governance.review import approval_in, governing, status_banner
from riskmodels.governance.standing import BROKEN


@dataclass(frozen=True)
class Batch:
    """A list that was made: with which version, on which day, for which stage.

    ``record_sha256``: the newest seal of the record then; None in a ledger that does not tell it.
    """

    study: str
    version: int | None
    model_sha256: str
    scored_on: dt.date
    stage: str
    record_sha256: str | None = None


@dataclass(frozen=True)
class Span:
    """How long one approval held. ``until`` is its last day; ``ended`` the record that ended it early, if one did."""

    began: Record
    until: dt.date
    ended: Record | None = None

    @property
    def since(self) -> dt.date:
        return self.began.recorded_on

    @property
    def decision(self) -> Decision:
        assert isinstance(self.began.act, Decision)
        return self.began.act


def batches_by_study(ledger: Iterable[Mapping[str, Any]]) -> dict[str, list[Batch]]:
    """The lines of the ledger by study; a line that tells no day is left out."""
    found: dict[str, list[Batch]] = {}
    for line in ledger:
        with suppress(ValueError, TypeError):
            day = dt.date.fromisoformat(line["scored_on"])
            batch = Batch(
                line["study"], line["version"], line["model_sha256"], day, str(line["stage"]), line.get("record_sha256")
            )
            found.setdefault(batch.study, []).append(batch)
    return found


# ---------------------------------------------------------------- approvals


def approvals(of_model: Sequence[Record], model_sha256: str, card_sha256: str) -> list[Span]:
    """Every approval of one model and card, in order. ``of_model``: the lines that are about this model."""
    found: list[Span] = []
    standing: Record | None = None
    for place, line in enumerate(of_model, 1):
        now = governing(of_model[:place], model_sha256, card_sha256)
        if now is None or now is standing:
            continue
        if found and found[-1].began is standing and line.recorded_on <= found[-1].until:
            found[-1] = Span(found[-1].began, line.recorded_on, line)
        standing = now
        approval = approval_in(now)
        if approval is not None:
            found.append(Span(now, approval.expires))
    return found


def outside(spans: Sequence[Span], batches: Iterable[Batch]) -> list[Batch]:
    """The batches that were made on a day on which no approval allowed a list."""
    uses = [span for span in spans if span.decision.stage in STAGES_IN_USE]
    return [batch for batch in batches if not any(span.since <= batch.scored_on <= span.until for span in uses)]


# ---------------------------------------------------------------- champions


def champion_on(
    study: str, chain: Sequence[Record] | GateError, day: dt.date, *, is_past: bool = True
) -> dict[str, Any]:
    """Who was champion of a study at the end of a day, and who had moved it.

    Keys: study, version, stage, example, state (of its approval on that day), until, since, by_role, reason, record,
    rollback, model_sha256, card_sha256; all None where there was none; and words, which say so either way.
    """
    names = (
        "version", "stage", "example", "state", "until", "since", "by_role", "reason", "record", "rollback",
        "model_sha256", "card_sha256",
    )  # fmt: skip
    nothing: dict[str, Any] = {"study": study, **dict.fromkeys(names)}
    if isinstance(chain, GateError):
        return {**nothing, "state": BROKEN, "words": f"not known: {chain}"}
    by_then = [line for line in chain if line.recorded_on <= day]
    reign = champion(by_then)
    if reign is None:
        return {**nothing, "words": _why_none(by_then, is_past)}
    status = status_banner(reign.began.card_sha256, reign.began.model_sha256, by_then, day)
    row = _moved(study, reign) | {
        "state": status["state"],
        "until": status["until"],
        "since": reign.began.recorded_on.isoformat(),
        "model_sha256": reign.began.model_sha256,
        "card_sha256": reign.began.card_sha256,
    }
    return {**nothing, **row, "words": f"version {row['version']}, for {row['stage']}; {status['words']}"}


def _why_none(by_then: Sequence[Record], is_past: bool) -> str:
    ended = [reign.ended for reign in reigns(by_then) if reign.ended is not None]
    if not ended:
        return f"no champion: no model {'had been made one by then' if is_past else 'has been made one'}"
    last = ended[-1]
    assert isinstance(last.act, Withdrawal)
    return (
        f"no champion: the last was withdrawn on {last.recorded_on} by the {last.act.owner_role} (record {last.seq}): "
        f"{last.act.reason}"
    )


def reign_rows(study: str, chain: Sequence[Record], batches: Sequence[Batch], today: dt.date) -> list[dict[str, Any]]:
    """Every champion of a study, oldest first: from when until when, who moved it and why, and what it was used for.

    Keys: study, version, stage, example, by_role, reason, record, rollback, from, until (None while it lasts), days,
    ended_by (None, "promotion" or "withdrawal"), ended_words, ended_by_role, ended_record, batches, last_used.
    """
    found = reigns(chain)
    used = _batches_of(found, batches, {line.sha256: line.seq for line in chain})
    rows = []
    for reign, made in zip(found, used, strict=True):
        began, ended = reign.began.recorded_on, reign.ended
        act = None if ended is None else ended.act
        rows.append(
            {
                **_moved(study, reign),
                "from": began.isoformat(),
                "until": None if ended is None else ended.recorded_on.isoformat(),
                "days": ((today if ended is None else ended.recorded_on) - began).days,
                "ended_by": None if act is None else act.kind,
                "ended_words": _ended_words(reign),
                "ended_by_role": getattr(act, "by_role", None) or getattr(act, "owner_role", None),
                "ended_record": None if ended is None else ended.seq,
                "batches": len(made),
                "last_used": max((batch.scored_on for batch in made), default=began).isoformat() if made else None,
            }
        )
    return rows


def _moved(study: str, reign: Reign) -> dict[str, Any]:
    act = reign.promotion
    return {
        "study": study, "version": act.version, "stage": act.stage, "example": act.example, "by_role": act.by_role,
        "reason": act.reason, "record": reign.began.seq, "rollback": act.rollback,
    }  # fmt: skip


def _ended_words(reign: Reign) -> str | None:
    act = None if reign.ended is None else reign.ended.act
    if isinstance(act, Withdrawal):
        return f"withdrawn: {act.reason}"
    if not isinstance(act, Promotion):
        return None
    if act.version == reign.promotion.version:
        return f"promoted again, for {act.stage}"
    how = "went back to" if act.rollback else "replaced by"
    return f"{how} version {act.version}" + (f": {act.reason}" if act.reason else "")


def _batches_of(found: Sequence[Reign], batches: Iterable[Batch], seals: Mapping[str, int]) -> list[list[Batch]]:
    """The batches of each reign: by the record that was the newest when a list was made, where the ledger tells it.

    Else by the day; on one on which a model's reign ended and another of it began, the stage tells.
    """
    used: list[list[Batch]] = [[] for _ in found]
    places: dict[tuple[int | None, str], list[int]] = {}
    for place, reign in enumerate(found):
        places.setdefault((reign.promotion.version, reign.began.model_sha256), []).append(place)
    for batch in batches:
        fitting = [
            place
            for place in places.get((batch.version, batch.model_sha256), ())
            if _lasted(found[place], batch, seals)
        ]
        of_stage = [place for place in fitting if found[place].promotion.stage == batch.stage]
        if fitting:
            used[(of_stage or fitting)[-1]].append(batch)
    return used


def _lasted(reign: Reign, batch: Batch, seals: Mapping[str, int]) -> bool:
    newest = seals.get(batch.record_sha256 or "")
    if newest is not None:
        return reign.began.seq <= newest and (reign.ended is None or newest < reign.ended.seq)
    day = batch.scored_on
    return reign.began.recorded_on <= day and (reign.ended is None or day <= reign.ended.recorded_on)
