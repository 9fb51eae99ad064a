"""What cannot be right in a record whose seals all fit: things that our own commands never write, in one line each.

`read_chain` finds what was changed after it was written. This finds what was written by another hand: a champion
without an approval, evidence for no condition, a list that was made before there was a champion.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from riskmodels.governance.acts import Evidence, Promotion, Purge
from riskmodels.governance.chain import Record
from riskmodels.governance.champions import champion
from riskmodels.governance.decision import Decision, same_role
from riskmodels.governance.recordable import out_of_order, too_few
from riskmodels.governance.registry import Entry
from riskmodels.governance.review import governing


def contradictions(chain: Sequence[Record]) -> list[str]:
    """What contradicts itself in a record, first to last."""
    found = [
        f"record {after.seq} is of {after.recorded_on}, before record {before.seq} of {before.recorded_on}"
        for before, after in pairwise(chain)
        if after.recorded_on < before.recorded_on
    ]
    for place, line in enumerate(chain):
        before = chain[:place]
        if isinstance(line.act, Decision):
            found += _decision(line, line.act, before)
        elif isinstance(line.act, Promotion):
            found += _promotion(line, line.act, before)
        elif isinstance(line.act, Evidence):
            found += _evidence(line, line.act, before)
    return found


def _decision(line: Record, act: Decision, before: Sequence[Record]) -> Iterator[str]:
    for problem in (*out_of_order(before, act, line.model_sha256, line.card_sha256), *too_few(act)):
        yield f"record {line.seq} of {line.recorded_on} was not to be recorded: {problem}"
    if act.meeting.date > line.recorded_on:
        yield f"record {line.seq} of {line.recorded_on} is of a meeting that came later, on {act.meeting.date}"
    if act.owner_decision == "approve" and act.expires is not None and act.expires < line.recorded_on:
        yield f"record {line.seq} of {line.recorded_on} approves until {act.expires}, which was over by then"


def _promotion(line: Record, act: Promotion, before: Sequence[Record]) -> Iterator[str]:
    standing = governing(before, line.model_sha256, line.card_sha256)
    decision = standing.act if standing is not None else None
    what = f"record {line.seq} makes version {act.version} champion for {act.stage}"
    if not isinstance(decision, Decision) or decision.owner_decision != "approve" or decision.stage != act.stage:
        yield f"{what}, but no approval for {act.stage} was in force"
    elif decision.expires is not None and decision.expires < line.recorded_on:
        yield f"{what}, but the approval had ended on {decision.expires}"
    elif same_role(decision.trained_by_role, act.by_role):
        yield f"{what} by the {act.by_role}, who trained it"


def _evidence(line: Record, act: Evidence, before: Sequence[Record]) -> Iterator[str]:
    decided = before[act.decision - 1].act if act.decision <= len(before) else None
    what = f"record {line.seq} says that condition {act.condition} of record {act.decision} is met"
    if not isinstance(decided, Decision) or act.condition > len(decided.conditions):
        yield f"{what}, and there is none"
    elif any(
        isinstance(one.act, Evidence) and (one.act.decision, one.act.condition) == (act.decision, act.condition)
        for one in before
    ):
        yield f"{what}, which an earlier record says already"


def unlisted(chain: Sequence[Record], entries: Sequence[Entry]) -> list[str]:
    """The records on versions that are not registered, or that are registered with other digests or another number."""
    found = []
    known = {(entry.model_sha256, entry.card_sha256): entry for entry in entries}
    for line in chain:
        if isinstance(line.act, Purge):
            continue
        entry = known.get((line.model_sha256, line.card_sha256))
        if entry is None:
            found.append(
                f"record {line.seq} is on a model or card ({line.model_sha256[:12]}) that models.json does not list"
            )
        elif (entry.data_sha256, entry.policy_sha256) != (line.data_sha256, line.policy_sha256):
            found.append(
                f"record {line.seq} names other data or another policy than version {entry.version} in models.json"
            )
        elif isinstance(line.act, Promotion) and line.act.version != entry.version:
            found.append(
                f"record {line.seq} makes version {line.act.version} champion, but the model is version "
                f"{entry.version} in models.json"
            )
    return found


def unexplained_batches(chain: Sequence[Record], ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """The batches of a study that were made on a day on which their model was not champion at any time.

    Parameters
    ----------
    ledger : lines of the ledger, of this study alone
    """
    found = []
    for line in ledger:
        try:
            day = dt.date.fromisoformat(str(line["scored_on"]))
        except ValueError:
            found.append(f"batch {line['batch_id']} has no day in the ledger")
            continue
        if not _was_champion(chain, str(line["model_sha256"]), day):
            found.append(f"batch {line['batch_id']} was made on {day} by a model that was not champion on that day")
    return found


def _was_champion(chain: Sequence[Record], model_sha256: str, day: dt.date) -> bool:
    """At some moment of the day: at its beginning, or from a promotion on that day."""
    before = champion(chain, day - dt.timedelta(days=1))
    if before is not None and before.began.model_sha256 == model_sha256:
        return True
    return any(
        isinstance(line.act, Promotion) and line.recorded_on == day and line.model_sha256 == model_sha256
        for line in chain
    )
