"""In what state every version of every model stands on a day, as the records say it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from riskmodels import storage
from riskmodels.errors import GateError
from riskmodels.governance.chain import Record, read_chain
from riskmodels.governance.registry import Entry, Registered, aliases_in, read_index
from riskmodels.governance.review import conditions_of, governing, status_banner
from riskmodels.governance.rules import MANIFEST
from riskmodels.workspace import Workspace

BROKEN = "RECORD BROKEN"
# Larger than any of ours; what is cut there has another digest than a registered one.
MOST_MANIFEST, MOST_CARD = 1 << 20, 20_000_000
UNSEEN = {"data_sha256", "policy_sha256"}


def states(workspace: Workspace, today: dt.date) -> list[dict[str, Any]]:
    """Every version and its state, newest last, then the runs that were never registered (DRAFT).

    Keys: study, version, aliases, state, words, until, stage, example, conditions_open, conditions_overdue, verdict,
    recommendation, registered_on, folder, model_sha256, card_sha256; None where a draft has none. A study whose review
    record is broken has the state RECORD BROKEN.
    """
    index = read_index(workspace)
    rows = []
    for study, known in sorted(index.items()):
        rows += study_states(study, known, read_record(workspace, study), today)
    return rows + drafts(workspace, index)


def read_record(workspace: Workspace, study: str) -> list[Record] | GateError:
    """A study's record, or what is wrong with it: one that is broken does not hide the others."""
    try:
        return read_chain(workspace.reviews(study))
    except GateError as broken:
        return broken


def study_states(
    study: str, known: Registered, chain: Sequence[Record] | GateError, today: dt.date
) -> list[dict[str, Any]]:
    """The rows of one study's versions, as in `states`."""
    pointing = known.aliases if isinstance(chain, GateError) else aliases_in(chain, known)
    of_model: dict[str, list[Record]] = {}
    for line in () if isinstance(chain, GateError) else chain:
        of_model.setdefault(line.model_sha256, []).append(line)
    rows = []
    for entry in known.versions:
        named = sorted(name for name, version in pointing.items() if version == entry.version)
        row = {"study": study, "aliases": named, **entry.model_dump(mode="json", exclude=UNSEEN)}
        if isinstance(chain, GateError):
            rows.append(row | _unknown(chain))
        else:
            rows.append(row | _state(entry, of_model.get(entry.model_sha256, ()), chain, today))
    return rows


def drafts(workspace: Workspace, index: Mapping[str, Registered]) -> list[dict[str, Any]]:
    """The runs that were never registered as a version of their own, as in `states`."""
    entries = [entry for known in index.values() for entry in known.versions]
    digests = {(entry.model_sha256, entry.card_sha256) for entry in entries}
    found = _unregistered(workspace, {entry.folder for entry in entries})
    return [row for row in found if (row["model_sha256"], row["card_sha256"]) not in digests]


# ---------------------------------------------------------------- within


def _unknown(broken: GateError) -> dict[str, Any]:
    nothing = dict.fromkeys(("until", "stage", "conditions_open", "conditions_overdue"))
    return {"state": BROKEN, "words": str(broken), "example": False, **nothing}


def _state(entry: Entry, of_model: Sequence[Record], chain: Sequence[Record], today: dt.date) -> dict[str, Any]:
    """``of_model``: the lines of the chain that are about this model, which alone decide on it."""
    found = governing(of_model, entry.model_sha256, entry.card_sha256)
    conditions = conditions_of(chain, found) if found else ()
    banner = status_banner(entry.card_sha256, entry.model_sha256, of_model, today)
    return {
        "state": banner["state"],
        "words": banner["words"],
        "until": banner["until"],
        "stage": banner["stage"],
        "example": banner["example"],
        "conditions_open": sum(condition.status == "open" for condition in conditions),
        "conditions_overdue": sum(condition.is_overdue(today) for condition in conditions),
    }


def _unregistered(workspace: Workspace, folders: Collection[str]) -> Iterator[dict[str, Any]]:
    for manifest in sorted((workspace.root / "runs").glob(f"[!.]*/[!.]*/riskmodel/{MANIFEST}")):
        run = manifest.parent.parent
        folder = run.relative_to(workspace.root).as_posix()
        # A pipe in its place would be waited for without an end.
        if folder in folders or not manifest.is_file():
            continue
        card = run / "card" / "card.json"
        yield {
            "study": run.parent.name,
            "version": None,
            "aliases": [],
            "state": "DRAFT",
            "words": "DRAFT. This run is not registered as a version of its own.",
            "until": None,
            "stage": None,
            "example": False,
            "conditions_open": 0,
            "conditions_overdue": 0,
            "verdict": None,
            "recommendation": None,
            "registered_on": None,
            "folder": folder,
            "model_sha256": storage.sha256(storage.read_bytes(manifest, most=MOST_MANIFEST)),
            "card_sha256": storage.sha256(storage.read_bytes(card, most=MOST_CARD)) if card.is_file() else None,
        }
