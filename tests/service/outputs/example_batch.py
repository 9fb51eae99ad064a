"""A made-up batch: 1,200 rows, two teams, one person who died, one who objected."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from riskmodels.service.outputs.facts import BandFacts, BatchFacts, GroupFacts, Tally, TeamFacts
from riskmodels.service.shapes import SCORED_SCHEMA

BATCH = "00c0ffee00c0ffee"
RISKS = (300, 200, 198, 200, 100, 60, 60, 40, 20, 10, 6, 3, 1, 0)  # of the fourteen bins: 1,198 people


def facts(**changes: Any) -> BatchFacts:
    """1,200 rows = 1,198 + 2 rejects; 1,198 people = 50 + 1,140 + 5 + 2 + 1."""
    given: dict[str, Any] = {
        "study": "reading", "title": "Reading support", "question": "Who should be offered reading help?",
        "batch_id": BATCH, "as_of": dt.date(2026, 9, 1), "scored_on": dt.date(2026, 9, 3), "version": 3,
        "model_sha256": "ab" * 32, "stage": "pilot", "expires": dt.date(2027, 3, 31), "owner_role": "Head of Reading",
        "minute": "12/2026", "example": False, "rows_in": 1200, "scored": 1198, "listed": 50, "not_reached": 1140,
        "places": 50, "households": 5, "no_team": 2,
        "rejected": (Tally("the row has no id", 1, "missing_id"), Tally("the person objected", 1, "objected")),
        "excluded": (Tally("died", 1, owner="Registrar"),),
        "teams": (TeamFacts("North", 30, 700, 30), TeamFacts("South", 20, 496, 20)),
        "bands": (BandFacts("lower", 0.0, 1058, 0), BandFacts("raised", 0.2, 120, 30), BandFacts("high", 0.5, 20, 20)),
        "risks": RISKS, "trained": tuple(3 * count for count in RISKS), "explained": 50, "groups_file": True,
        "composition": (
            GroupFacts("sex", "F", 600, 20, 50.0, 40.0), GroupFacts("sex", "M", 600, 30, 50.0, 60.0),
            GroupFacts("language", "English", 1100, None, 91.7, None, "not shown"),
            GroupFacts("language", "Other", 100, None, 8.3, None, "not shown"),
        ),
    }  # fmt: skip
    return BatchFacts(**{**given, **changes})


def scored(rows: int = 50, **columns: Any) -> pl.DataFrame:
    """The first rows of a list, best first; ``columns`` are put in place of ours."""
    place = np.arange(rows)
    risk = 0.9 * 0.997**place + 0.1 / 3
    given: dict[str, Any] = {
        "entity_id": [f"{number:06d}" for number in place], "as_of_date": dt.date(2026, 9, 1), "risk": risk,
        "risk_low": None, "risk_high": None, "band": "high", "rank": place + 1, "selected": place < 50,
        "listed": place < 50, "not_listed_because": [None if number < 50 else "not reached" for number in place],
        "team": ["North" if number % 5 < 3 else "South" for number in place],
        "reason_1": "absent 23 days last term; typical is 4", "reason_2": "reading score 61 on 3 June; typical is 100",
        "reason_3": None, "lowers_1": "was read to at home", "caveats": None, "model_version": "3",
        "model_sha256": "ab" * 32, "batch_id": BATCH,
    }  # fmt: skip
    columns = {**given, **columns}
    texts = {
        name: value if isinstance(value, (list, np.ndarray)) else [value] * rows for name, value in columns.items()
    }
    return pl.DataFrame(texts, strict=False).cast(SCORED_SCHEMA)  # type: ignore[arg-type]
