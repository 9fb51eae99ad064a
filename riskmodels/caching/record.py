"""What stands of one study beside the results: definitions and digests only, no value of a row."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.caching.ingredients import FORMAT
from riskmodels.errors import DataError, OutsideError


@dataclass(frozen=True)
class Record:
    """``steps``: step name -> made_by and ingredients, when it was last made.

    ``results``: the keys of all results that are the study's; ``left_out``: what -> the digest of who is left out.
    """

    steps: dict[str, Any] = field(default_factory=dict)
    results: frozenset[str] = frozenset()
    left_out: dict[str, str] = field(default_factory=dict)


def read_record(path: Path) -> Record | None:
    """The record, an empty one where there is none yet; None if it cannot be read."""
    try:
        found = storage.read_json(path)
    except DataError:
        return None if os.path.lexists(path) else Record()
    except OutsideError:
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    steps, results, left_out = (found.get(part) for part in ("steps", "results", "left_out"))
    if not (isinstance(steps, dict) and isinstance(results, list) and isinstance(left_out, dict)):
        return None
    whole = all(isinstance(text, str) for text in (*results, *left_out.values())) and all(
        isinstance(step, dict) and all(isinstance(step.get(part), dict) for part in ("made_by", "ingredients"))
        for step in steps.values()
    )
    return Record(steps, frozenset(results), left_out) if whole else None


def write_record(path: Path, record: Record) -> None:
    """Put it in place of the one that is there. The lock of the cache must be held. Raises OutsideError."""
    whole = {
        "format": FORMAT, "steps": dict(sorted(record.steps.items())), "results": sorted(record.results),
        "left_out": dict(sorted(record.left_out.items())),
    }  # fmt: skip
    storage.write_whole(path, storage.canonical_json(whole))
