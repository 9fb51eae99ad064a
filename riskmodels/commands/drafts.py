"""A study drafted from a user's own files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import UsageError


def new(folder: Path, files: list[Path], question: str | None, ask: Any, today: dt.date) -> Any:
    """Draft a study folder from a user's own files; everything guessed is marked for checking."""
    import re

    from riskmodels.data.draft import draft_study

    if not files:
        raise UsageError(
            "name the files that hold your data: riskmodels new FOLDER --from people.csv --from events.csv"
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty; name a new folder")
    name = re.sub(r"[^a-z0-9_]+", "_", folder.name.lower()).strip("_") or "study"
    draft = draft_study(
        {path.name: storage.read_table(path) for path in files}, name=name, question=question, answers=ask, today=today
    )
    storage.write_folder(folder, draft.files, mode=0o644)
    return draft
