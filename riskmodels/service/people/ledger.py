"""The ledger: one line for each batch, aggregates only, and the record of each as long as it is kept."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import DataError
from riskmodels.service.people.record import BATCH, BatchNote, read_batch
from riskmodels.workspace import Workspace

Say = Callable[[str], None]
# What stands in the ledger leads to folders, so it must look like what we write.
SOUND = {"batch_id": re.compile(r"[0-9a-f]{8,64}"), "study": re.compile(r"[a-z][a-z0-9_]*")}
NEEDED = {"version", "model_sha256", "as_of_date", "scored_on", "stage", "example", "scored"}


@dataclass(frozen=True)
class KnownBatch:
    """``line``: as in the ledger. ``folder``: its record; None once that was deleted."""

    line: dict[str, Any]
    folder: Path | None


def ledger_line(note: BatchNote) -> dict[str, Any]:
    """What the ledger says of a batch: which model, which day, how many; nobody by name."""
    return {
        "batch_id": note.batch_id,
        "study": note.study,
        "version": note.version,
        "model_sha256": note.model_sha256,
        "card_sha256": note.card_sha256,
        "record_sha256": note.record_sha256,
        "as_of_date": note.as_of.isoformat(),
        "scored_on": note.scored_on.isoformat(),
        "stage": note.stage,
        "example": note.example,
        **note.counts,
    }


def first_scored_on(workspace: Workspace, study: str, batch_id: str) -> dt.date | None:
    """The day on which a batch was scored first, by the ledger or, after a crash, by its record; None for a new one.

    The same batch run again gives the same list, so the first day stands. Raises OutsideError if the ledger may not be
    read.
    """
    folder = workspace.batch(study, batch_id)
    with suppress(DataError, ValueError):
        for line in read_ledger(workspace):
            if line["batch_id"] == batch_id:
                return dt.date.fromisoformat(line["scored_on"])
        return read_batch(folder).scored_on if (folder / BATCH).is_file() else None
    return None


def last_scored_on(workspace: Workspace, study: str) -> dt.date | None:
    """The newest day on which a batch of this study was first scored; None where there is none."""
    found: list[dt.date] = []
    for line in read_ledger(workspace):
        if line["study"] == study:
            with suppress(ValueError, TypeError):  # a line that was damaged tells no day
                found.append(dt.date.fromisoformat(line["scored_on"]))
    return max(found, default=None)


def seals_seen(workspace: Workspace, study: str) -> tuple[str, ...]:
    """The newest seals of a study's record as its batches saw them: each is still on a record that nobody put back."""
    lines = (line for line in read_ledger(workspace) if line["study"] == study)
    return tuple(dict.fromkeys(str(line["record_sha256"]) for line in lines if line.get("record_sha256")))


def append_batch(workspace: Workspace, note: BatchNote) -> bool:
    """Write a batch into the ledger, and say whether there was anything to write.

    The same batch run again is the same line; run again under another approval, it has a new one, which counts.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse.
    """
    path = workspace.ledger
    with storage.locked(path):
        line = ledger_line(note)
        if line in read_ledger(workspace):
            return False
        text = json.dumps(line, ensure_ascii=False)
        # A line that a crash cut short keeps its own line, or it would swallow this one.
        so_far = storage.read_bytes(path) if path.exists() else b""
        storage.append_line(path, f"\n{text}" if so_far and not so_far.endswith(b"\n") else text)
    return True


def read_ledger(workspace: Workspace, say: Say | None = None) -> list[dict[str, Any]]:
    """Every batch, in the order in which they were first run, each by its last line, as its record has it. A line that
    cannot be read, as a crash leaves one, is left out and ``say`` is told.

    Raises
    ------
    OutsideError
        if the file may not be read.
    """
    if not workspace.ledger.exists():
        return []
    found: dict[str, dict[str, Any]] = {}
    for number, text in enumerate(storage.read_bytes(workspace.ledger).split(b"\n"), 1):
        if not text.strip():
            continue
        line = _line(text)
        if line is not None:
            found[line["batch_id"]] = line
        elif say is not None:
            say(
                f"{workspace.ledger}, line {number}: is cut short or damaged and is passed over; "
                "run its batch again to have it back"
            )
    return list(found.values())


def known_batches(workspace: Workspace, say: Say | None = None) -> list[KnownBatch]:
    """Every batch of the ledger, then those that have a record and, after a crash, no line."""
    found = []
    for line in read_ledger(workspace, say):
        folder = workspace.batch(line["study"], line["batch_id"])
        found.append(KnownBatch(line, folder if (folder / BATCH).is_file() else None))
    seen = {batch.line["batch_id"] for batch in found}
    for path in sorted(workspace.ledger.parent.glob(f"[!.]*/[!.]*/{BATCH}")):
        if path.parent.name in seen:
            continue
        try:
            found.append(KnownBatch(ledger_line(read_batch(path.parent)), path.parent))
        except DataError as error:
            if say is not None:
                say(str(error))
    return found


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or not line.keys() >= NEEDED:
        return None
    sound = (isinstance(line.get(key), str) and pattern.fullmatch(line[key]) for key, pattern in SOUND.items())
    return line if all(sound) else None
