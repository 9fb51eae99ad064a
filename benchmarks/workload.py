"""The bench workload: dated events of people with a latent need.

20,000 people and about 993,000 events of eight types from 2018 to 2023, with a severity, a place and a duration. Need
moves from quarter to quarter and drives every type; two groups are recorded differently, so an audit has something to
find. Everything is made up and comes from a seed. Where a folder ``shared/bench`` with ``generate_events.py`` stands
beside the project, its events are used instead: the same size, shape and columns.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import ROOT

SHARED = ROOT.parent / "shared" / "bench" / "generate_events.py"
PEOPLE, EVENTS_EACH = 20_000, 49.66
FIRST_DAY, END, QUARTERS = dt.date(2018, 1, 1), dt.date(2024, 1, 1), 24
LOCATIONS = ("school", "clinic", "street", "home", "office", "online")
# Type: its share of all events, and how strongly need drives it.
TYPES = {
    "school_absence": (0.366, 0.5), "gp_visit": (0.254, 0.2), "benefit_change": (0.095, 0.3),
    "police_contact": (0.081, 0.8), "ae_attendance": (0.077, 0.4), "housing_contact": (0.073, 0.6),
    "csc_referral": (0.030, 1.6), "exclusion": (0.024, 0.9),
}  # fmt: skip
PEOPLE_IN_A_CHUNK = 20_000


# ---------------------------------------------------------------- the events


def make_people(people: int, seed: int = 7, first_id: int = 1) -> tuple[pl.DataFrame, np.ndarray]:
    """People, and their latent need: float [people, quarters], mean about 0 and standard deviation about 1."""
    rng = np.random.default_rng([seed, first_id, 1])
    ethnicity = rng.choice(list("ABCDE"), people, p=[0.6, 0.15, 0.12, 0.08, 0.05])
    decile = rng.integers(1, 11, people)
    born = np.datetime64("2001-01-01") + rng.integers(0, 17 * 365, people)
    lasting = 0.75 * rng.standard_normal(people) + 0.08 * (5.5 - decile)
    passing = np.empty((people, QUARTERS))
    passing[:, 0] = rng.standard_normal(people)
    for quarter in range(1, QUARTERS):
        passing[:, quarter] = 0.8 * passing[:, quarter - 1] + 0.6 * rng.standard_normal(people)
    frame = pl.DataFrame(
        {
            "entity_id": np.arange(first_id, first_id + people),
            "dob": born.astype("datetime64[D]"),
            "sex": rng.choice(["F", "M"], people),
            "ethnicity": ethnicity,
            "imd_decile": decile,
            "ward": rng.integers(1, 25, people),
            "known_from": np.full(people, np.datetime64(FIRST_DAY, "D")),
        }
    )
    return frame, lasting[:, None] + 0.6 * passing


def make_events(
    people: pl.DataFrame, need: np.ndarray, events_each: float = EVENTS_EACH, seed: int = 7
) -> pl.DataFrame:
    """The events of these people in order of date and person, about ``events_each`` each."""
    first_id = int(people["entity_id"][0])
    rng = np.random.default_rng([seed, first_id, 2])
    group = people["ethnicity"].to_numpy()
    recorded = np.where(group == "E", 0.7, 1.0)[:, None]  # less is written down about group E
    edges = np.linspace(0, (END - FIRST_DAY).days, QUARTERS + 1).round().astype(np.int64)
    who, when, what, severity, duration = [], [], [], [], []
    for kind, (share, drive) in enumerate(TYPES.values()):
        rate = np.exp(drive * need) * recorded
        if list(TYPES)[kind] == "police_contact":
            rate *= np.where(group == "B", 1.8, 1.0)[:, None]  # more contacts at the same need
        count = rng.poisson(rate * (share * events_each / QUARTERS / rate.mean()))
        person, quarter = np.nonzero(count)
        times = count[person, quarter]
        person, quarter = np.repeat(person, times), np.repeat(quarter, times)
        size = len(person)
        span = edges[quarter + 1] - edges[quarter]
        felt = need[person, quarter]
        value = np.clip(np.round(3 + felt + 1.6 * rng.standard_normal(size), 2), 0, 10)
        value[rng.random(size) < 0.08] = np.nan
        who.append(person)
        when.append(edges[quarter] + (rng.random(size) * span).astype(np.int64))
        what.append(np.full(size, kind, dtype=np.uint32))
        severity.append(value)
        duration.append(rng.poisson(2 + np.clip(felt, 0, 4)))
    person, day = np.concatenate(who), np.concatenate(when)
    order = np.lexsort((person, day))
    place = rng.integers(0, len(LOCATIONS), len(order)).astype(np.uint32)
    return pl.DataFrame(
        {
            "entity_id": people["entity_id"].gather(person[order]),
            "event_date": np.datetime64(FIRST_DAY, "D") + day[order],
            "event_type": pl.Series(np.array(list(TYPES))[np.concatenate(what)[order]]),
            "severity": pl.Series(np.concatenate(severity)[order]).fill_nan(None),
            "location": pl.Series(np.array(LOCATIONS)[place]),
            "duration_days": np.concatenate(duration)[order],
        }
    ).with_row_index("event_id", offset=1)


def chunks(people: int, events_each: float, seed: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """People and their events, some people at a time, so that any number of events fits in memory."""
    for first in range(1, people + 1, PEOPLE_IN_A_CHUNK):
        some, need = make_people(min(PEOPLE_IN_A_CHUNK, people + 1 - first), seed, first)
        yield some, make_events(some, need, events_each, seed)


def write_workload(
    folder: Path, people: int = PEOPLE, events_each: float = EVENTS_EACH, *, suffix: str = ".csv", seed: int = 7
) -> int:
    """people and events in the folder; returns how many events. The shared generator makes its own size alone."""
    folder.mkdir(parents=True, exist_ok=True)
    if SHARED.exists() and suffix == ".csv" and events_each == EVENTS_EACH:
        command = [sys.executable, str(SHARED), str(folder), "--people", str(people), "--seed", str(seed)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return int(pl.scan_csv(folder / "events.csv").select(pl.len()).collect().item())
    if suffix == ".csv":
        everybody, need = make_people(people, seed)
        events = make_events(everybody, need, events_each, seed)
        everybody.write_csv(folder / "people.csv")
        events.write_csv(folder / "events.csv")
        return events.height
    return _write_parquet(folder, people, events_each, seed)


def _write_parquet(folder: Path, people: int, events_each: float, seed: int) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    everybody, count, writer = [], 0, None
    for some, events in chunks(people, events_each, seed):
        everybody.append(some)
        table = events.with_columns(pl.col("event_id") + count).to_arrow()
        table = table.cast(pa.schema([pa.field(f.name, _plain(f.type)) for f in table.schema]))
        writer = writer or pq.ParquetWriter(folder / "events.parquet", table.schema)
        writer.write_table(table)
        count += events.height
    assert writer is not None
    writer.close()
    pl.concat(everybody).write_parquet(folder / "people.parquet")
    return count


def _plain(held: Any) -> Any:
    import pyarrow as pa

    return pa.string() if pa.types.is_large_string(held) or pa.types.is_string(held) else held
