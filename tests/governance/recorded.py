"""A workspace with versions, decisions, promotions and batches, written without any model or run behind them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from riskmodels import storage
from riskmodels.governance.acts import Evidence, Promotion, Withdrawal
from riskmodels.governance.chain import Digests, Record, writing
from riskmodels.governance.decision import Decision
from riskmodels.governance.registry import Entry, read_index, register
from riskmodels.workspace import Workspace

STUDY = "reading_help"
ANALYST, HEAD, DIRECTOR = "data scientist", "head of service", "director of children's services"
SIX_MONTHS = 181


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@dataclass(frozen=True)
class Recorded:
    """One study. Each act is on a day; nothing is checked, so that the record can hold what a gate would refuse."""

    workspace: Workspace
    study: str = STUDY
    title: str = "Reading help"

    def version(self, on: str = "2026-01-05", **card: Any) -> Entry:
        """Register a version with a card of its own. ``agreement``: the last day of its pupils' agreement."""
        number = len(read_index(self.workspace).get(self.study, Entries()).versions) + 1
        folder = f"runs/{self.study}/run_{number}"
        content = json.dumps(self._card(number, **card)).encode()
        storage.write_folder(self.workspace.root / folder / "card", {"card.json": content})
        model = storage.sha256(f"{self.study} {card.get('model', number)}".encode())
        register(self.workspace, self.study, {
            "model_sha256": model, "card_sha256": storage.sha256(content), "data_sha256": "d" * 64,
            "policy_sha256": "e" * 64, "folder": folder, "registered_on": day(on),
            "verdict": "INSUFFICIENT EVIDENCE", "recommendation": "use_with_conditions",
        })  # fmt: skip
        return read_index(self.workspace)[self.study].versions[number - 1]

    def _card(self, number: int, *, agreement: str = "None stated", model: Any = None) -> dict[str, Any]:
        columns = ["Source", "Used for", "Agreement expires"]
        rows = [["pupils", "the model", agreement], ["equality", "the audit only", "2020-01-01"]]
        contrasts = [{"attribute": "sex", "group": "F", "metric": "recall", "verdict": "FAIL", "family": "primary"}]
        return {
            "study": self.study, "title": self.title, "number": number, "organisation": {"owner": HEAD},
            "data": {"register": {"columns": columns, "rows": rows}}, "audit": {"contrasts": contrasts},
        }  # fmt: skip

    def decide(self, entry: Entry, on: str, **changes: Any) -> Record:
        until = (day(on) + dt.timedelta(days=SIX_MONTHS)).isoformat()
        said = {
            "stage": "pilot", "advice": "proceed", "quorum": {"members": 9, "lay": 4, "specialist": 3},
            "meeting": {"date": on, "minute": f"DEC-{on}"}, "owner_role": DIRECTOR, "owner_decision": "approve",
            "expires": until, "answers": {"sex": {"reason": "Looked at by hand", "expires": until}},
            "trained_by_role": ANALYST, "approved_by_role": HEAD, **changes,
        }  # fmt: skip
        return self._write(Decision.model_validate(said), entry, on)

    def promote(self, entry: Entry, on: str, **changes: Any) -> Record:
        said = {"stage": "pilot", "version": entry.version, "by_role": HEAD, **changes}
        return self._write(Promotion.model_validate(said), entry, on)

    def withdraw(self, entry: Entry, on: str, reason: str = "The source changed") -> Record:
        return self._write(Withdrawal(reason=reason, owner_role=DIRECTOR), entry, on)

    def meet(self, entry: Entry, on: str, decision: int, condition: int) -> Record:
        said = {"decision": decision, "condition": condition, "evidence": "The letter", "by_role": HEAD}
        return self._write(Evidence.model_validate(said), entry, on)

    def score(self, entry: Entry, *days: str, stage: str = "pilot") -> None:
        """A batch on each day."""
        for on in days:
            number = len(self.workspace.ledger.read_bytes().splitlines()) if self.workspace.ledger.exists() else 0
            line = {
                "batch_id": f"{number:016x}", "study": self.study, "version": entry.version,
                "model_sha256": entry.model_sha256, "card_sha256": entry.card_sha256, "as_of_date": on,
                "scored_on": on, "stage": stage, "example": False, "scored": 100,
            }  # fmt: skip
            storage.append_line(self.workspace.ledger, json.dumps(line))

    def _write(self, act: Any, entry: Entry, on: str) -> Record:
        with writing(self.workspace.reviews(self.study), day(on)) as writer:
            return writer.append(act, Digests(entry.model_sha256, entry.card_sha256, "d" * 64, "e" * 64))


@dataclass(frozen=True)
class Entries:
    """A study that is not registered yet."""

    versions: tuple[Entry, ...] = ()


def busy_workspace(workspace: Workspace) -> None:
    """Two studies on 1 December 2026, with most of what can happen to a model in them."""
    reading = Recorded(workspace)
    first = reading.version("2026-01-05")
    reading.decide(first, "2026-01-10", expires="2026-07-09")
    reading.promote(first, "2026-01-12", reason="The committee's pilot begins")
    reading.score(first, "2026-01-15", "2026-02-15", "2026-03-15")
    second = reading.version("2026-04-01")
    reading.decide(second, "2026-04-20", expires="2026-10-19")
    reading.promote(second, "2026-05-04")
    reading.score(second, "2026-05-05", "2026-06-05")
    reading.promote(first, "2026-06-10", rollback=True, reason="Lists were too short")
    reading.score(first, "2026-06-12", "2026-07-20")
    third = reading.version("2026-06-20", agreement="2026-12-20")
    decision = reading.decide(third, "2026-06-28", expires="2026-12-12", advice="proceed with conditions", conditions=[
        {"text": "Tell parents in writing", "owner": HEAD, "due": "2026-11-20"},
        {"text": "Report overrides each month", "owner": "team manager", "due": "2026-12-05"},
        {"text": "Publish the record", "owner": "information governance officer", "due": "2026-08-01"},
    ])  # fmt: skip
    reading.meet(third, "2026-07-30", decision.seq, 3)
    reading.promote(third, "2026-07-30")
    reading.score(third, "2026-08-01", "2026-09-01", "2026-10-01", "2026-11-02")
    reading.version("2026-11-25")
    homes = Recorded(workspace, "warm_homes", "Warm homes")
    early = homes.version("2026-02-01")
    homes.decide(early, "2026-02-10", expires="2026-08-09", example=True)
    homes.promote(early, "2026-02-11", example=True)
    homes.score(early, "2026-02-12")
    homes.withdraw(early, "2026-05-01", "The meter readings were of other homes")
    homes.score(early, "2026-05-09")
    later = homes.version("2026-09-01")
    homes.decide(later, "2026-09-20", stage="explore", expires="2027-03-01")
