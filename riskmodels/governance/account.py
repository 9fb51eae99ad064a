"""What a record says, as plain values that a terminal, a page or a program can show.

Nothing here is in words for readers: those are in `riskmodels.reports.review_words`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.governance.acts import Evidence, Purge, Withdrawal
from riskmodels.governance.chain import FIRST, Record
from riskmodels.governance.champions import champion
from riskmodels.governance.decision import Decision
from riskmodels.governance.review import conditions_of, governing, status_banner

Versions = Mapping[tuple[str, str], int]
"""The digests of a model and its card -> the version that has them."""


def history(chain: Sequence[Record], versions: Versions) -> list[dict[str, Any]]:
    """Every record of a study, first to last.

    Keys: record, recorded_on, kind, version (None for what is about none, or about one that is not registered),
    example, act (as it was recorded), departs_from_advice, replaced_by (the number of the record that took the place of
    a decision; None where none did), the four digests, sha256.
    """
    return [
        {
            "record": line.seq,
            "recorded_on": line.recorded_on.isoformat(),
            "kind": line.act.kind,
            "version": versions.get((line.model_sha256, line.card_sha256)),
            "example": line.act.example,
            "act": line.act.model_dump(mode="json"),
            "departs_from_advice": isinstance(line.act, Decision) and line.act.departs_from_advice,
            "replaced_by": _replaced_by(chain, place),
            "model_sha256": line.model_sha256,
            "card_sha256": line.card_sha256,
            "data_sha256": line.data_sha256,
            "policy_sha256": line.policy_sha256,
            "sha256": line.sha256,
        }
        for place, line in enumerate(chain)
    ]


def of_model(chain: Sequence[Record], model_sha256: str, folder: str) -> list[Record]:
    """The records that are about a model, whichever its card: purges of files in its run's folder among them.

    Parameters
    ----------
    folder : the run's folder, relative to the workspace
    """
    return [
        line
        for line in chain
        if line.model_sha256 == model_sha256
        or (isinstance(line.act, Purge) and any(file.path.startswith(f"{folder}/") for file in line.act.files))
    ]


def conditions(chain: Sequence[Record], found: Record, today: dt.date) -> list[dict[str, Any]]:
    """The conditions of a decision as they stand today.

    Keys: number (from 1), text, owner, due, state ("open", "overdue" or "met"), evidence, met_on, met_by, record. The
    last three are of the record of evidence; None where the decision itself says that it is met.
    """
    met = {
        line.act.condition: (line, line.act)
        for line in chain
        if isinstance(line.act, Evidence) and line.act.decision == found.seq
    }
    rows = []
    for number, condition in enumerate(conditions_of(chain, found), 1):
        line, act = met.get(number, (None, None))
        rows.append(
            {
                "number": number,
                "text": condition.text,
                "owner": condition.owner,
                "due": None if condition.due is None else condition.due.isoformat(),
                "state": "overdue" if condition.is_overdue(today) else condition.status,
                "evidence": condition.evidence,
                "met_on": None if line is None else line.recorded_on.isoformat(),
                "met_by": None if act is None else act.by_role,
                "record": None if line is None else line.seq,
            }
        )
    return rows


def standing(
    chain: Sequence[Record], model_sha256: str, card_sha256: str, version: int | None, today: dt.date
) -> dict[str, Any]:
    """Where one version stands today.

    Keys: version, model_sha256, card_sha256, status (as `status_banner`), decision (the number of the record that
    stands; None for none), conditions (as `conditions`), champion_since (None where it is not champion).
    """
    found = governing(chain, model_sha256, card_sha256)
    reign = champion(chain)
    is_champion = reign is not None and reign.digests == (model_sha256, card_sha256)
    return {
        "version": version,
        "model_sha256": model_sha256,
        "card_sha256": card_sha256,
        "status": status_banner(card_sha256, model_sha256, chain, today, registered=version is not None),
        "decision": None if found is None or isinstance(found.act, Withdrawal) else found.seq,
        "conditions": [] if found is None else conditions(chain, found, today),
        "champion_since": reign.began.recorded_on.isoformat() if reign is not None and is_champion else None,
    }


def account(
    study: str,
    chain: Sequence[Record],
    standings: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    today: dt.date,
    gate: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """All that a page of a record shows: {study, today, versions, history, gate, records, seal}.

    Parameters
    ----------
    standings : as `standing`, one for each version that is shown
    rows : as `history`, those that are shown
    gate : as `riskmodels.governance.gate.explain_gate`; None for a page without it
    """
    return {
        "study": study,
        "today": today.isoformat(),
        "versions": list(standings),
        "history": list(rows),
        "gate": None if gate is None else list(gate),
        "records": len(chain),
        "seal": chain[-1].sha256 if chain else FIRST,
    }


def _replaced_by(chain: Sequence[Record], place: int) -> int | None:
    """Of a decision that stood: the number of the record after which another stands."""
    line = chain[place]
    if not isinstance(line.act, Decision) or governing(chain[: place + 1], line.model_sha256, line.card_sha256) != line:
        return None
    later = (
        number
        for number, one in enumerate(chain[place + 1 :], place + 2)
        if one.model_sha256 == line.model_sha256 and isinstance(one.act, Decision | Withdrawal)
    )
    found = (number for number in later if governing(chain[:number], line.model_sha256, line.card_sha256) != line)
    number = next(found, None)
    return None if number is None else chain[number - 1].seq
