"""A ranked list made by hand, in slices of any size, and what its batch was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from riskmodels.models.reasons import REASON_TYPE
from riskmodels.service.people.record import BatchNote, open_record
from riskmodels.service.shapes import Slice

DAY = dt.date(2026, 6, 30)
NOT_REACHED = "not reached: the places went to people with a higher risk"
REASON_PLACES = REASON_TYPE["feature"].shape[0]


def ranked(
    count: int, listed: int, seed: int = 1, because: str = NOT_REACHED
) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """The list, who is explained (those listed), and their codes."""
    rng = np.random.default_rng(seed)
    on = np.arange(count) < listed
    codes = np.zeros(listed, dtype=REASON_TYPE)
    codes["feature"] = rng.integers(-1, 9, (listed, REASON_PLACES))
    codes["value"] = rng.random((listed, REASON_PLACES)).round(3)
    codes["value"][::3, 0] = np.nan
    codes["uncertain"] = rng.random((listed, REASON_PLACES)) < 0.5
    codes["missing"] = rng.integers(0, 2**63, listed, dtype=np.uint64) + np.uint64(2**63)
    frame = pl.DataFrame(
        {
            "row_number": rng.permutation(count) + 1,
            "entity_id": pl.Series(rng.permutation(count)).cast(pl.String),
            "as_of_date": pl.Series([DAY]).new_from_index(0, count),
            "risk": np.sort(rng.random(count))[::-1],
            "band": np.where(np.arange(count) < count / 2, "high", "lower"),
            "rank": np.arange(1, count + 1, dtype=np.int32),
            "selected": on,
            "listed": on,
            "not_listed_because": pl.select(pl.when(pl.Series(on)).then(None).otherwise(pl.lit(because))).to_series(),
            "team": pl.Series([None, "north"] * count, dtype=pl.String).head(count),
        }
    ).with_columns(entity_id="P" + pl.col("entity_id").str.zfill(7))
    return frame, on, codes


def slices(frame: pl.DataFrame, explained: np.ndarray, codes: np.ndarray, size: int) -> Iterator[Slice]:
    before = np.concatenate([[0], np.cumsum(explained)])
    for start in range(0, frame.height, size):
        end = min(start + size, frame.height)
        yield Slice(frame[start:end], explained[start:end], codes[before[start] : before[end]])


def facts_of(count: int, listed: int, **more: object) -> BatchNote:
    given: dict[str, object] = {
        "batch_id": "0123456789abcdef",
        "study": "early_reading_support",
        "version": 1,
        "model_sha256": "a" * 64,
        "card_sha256": "c" * 64,
        "as_of": DAY,
        "scored_on": DAY + dt.timedelta(days=1),
        "counts": {
            "rows_in": count, "scored": count, "rejected": 0, "listed": listed, "excluded": 0, "places": listed,
        },
        "options": {"explain": "selected"},
        "output": "list.csv",
        "who": None,
        "stage": "pilot",
        "example": False,
    }  # fmt: skip
    return BatchNote.model_validate(given | more)


def write(
    folder: Path,
    count: int,
    listed: int,
    size: int = 1000,
    seed: int = 1,
    because: str = NOT_REACHED,
    **more: object,
) -> pl.DataFrame:
    """Make a batch and keep its record; the list as it was."""
    frame, on, codes = ranked(count, listed, seed, because)
    with open_record(folder) as record:
        for part in slices(frame, on, codes, size):
            record.write(part)
        record.close(facts_of(count, listed, **more))
    return frame
