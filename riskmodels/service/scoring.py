"""Score a cohort with an approved model: everybody gets a risk, some a place on the list, each listed one reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError
from riskmodels.governance.gate import ApprovedModel
from riskmodels.models.ranking import order
from riskmodels.models.reasons import top_reasons
from riskmodels.models.risk_curves import risk_interval
from riskmodels.service.cohort_file import CohortToScore
from riskmodels.study import StudyFile

NOT_REACHED = "not reached: the places went to people with a higher risk"
COLUMNS = (
    "entity_id", "as_of_date", "risk", "risk_low", "risk_high", "band", "rank", "selected", "listed",
    "not_listed_because", "reason_1", "reason_2", "reason_3", "lowers_1", "caveats", "model_version", "model_sha256",
    "batch_id",
)  # fmt: skip
TEXTS = ("reason_1", "reason_2", "reason_3", "lowers_1", "caveats")


@dataclass(frozen=True)
class Batch:
    """``scored``: the columns `COLUMNS`, best first. ``rejects``: row_number, entity_id, code, reason."""

    batch_id: str
    scored: pl.DataFrame
    rejects: pl.DataFrame
    counts: dict[str, int]


def score_cohort(
    approved: ApprovedModel,
    cohort: CohortToScore,
    study: StudyFile,
    *,
    capacity: int | None = None,
    explain: str = "selected",
) -> Batch:
    """Rank everybody, fill the places, give reasons.

    Parameters
    ----------
    capacity : places; the study's own unless given
    explain : ``selected`` (those listed), ``all`` or ``none``

    Raises
    ------
    DataError
        if nobody is left to score.
    """
    if cohort.frame.height == 0:
        why = ", ".join(f"{count} {code}" for code, count in sorted(cohort.rejects["code"].value_counts().iter_rows()))
        raise DataError(f"nobody of {cohort.rows_in} can be scored: {why or 'the cohort is empty'}; mend the rows")
    frame = cohort.frame
    score = approved.model.score(frame)
    risk = approved.model.calibrator.apply(score)
    interval = risk_interval(approved.model.calibrator, score)
    position = order(frame["entity_id"].to_list(), risk, score, study.seed).tolist()
    frame = frame[position]
    places = study.capacity.of(frame.height) if capacity is None else min(capacity, frame.height)
    excluded = frame["excluded"].is_not_null().to_numpy()
    rank = np.arange(1, frame.height + 1, dtype=np.int32)
    listed = ~excluded & (np.cumsum(~excluded) <= places)
    because = [None if on else why or NOT_REACHED for on, why in zip(listed, frame["excluded"], strict=True)]
    batch_id = _batch_id(approved, cohort, places, explain)
    scored = pl.DataFrame(
        {
            "entity_id": frame["entity_id"],
            "as_of_date": frame["as_of_date"],
            "risk": risk[position],
            **_ends(interval, position),
            "band": _bands(risk[position], study.bands),
            "rank": rank,
            "selected": rank <= places,
            "listed": listed,
            "not_listed_because": pl.Series(because, dtype=pl.String),
        }
    )
    wanted = {"selected": listed, "all": np.ones(frame.height, dtype=bool), "none": np.zeros(frame.height, dtype=bool)}[
        explain
    ]
    scored = scored.with_columns(_reasons(approved, frame, wanted)).with_columns(
        pl.lit(str(approved.version)).alias("model_version"),
        pl.lit(approved.model_sha256).alias("model_sha256"),
        pl.lit(batch_id).alias("batch_id"),
    )
    counts = {
        "rows_in": cohort.rows_in,
        "scored": scored.height,
        "rejected": cohort.rejects.height,
        "listed": int(listed.sum()),
        "excluded": int(excluded.sum()),
        "places": places,
    }
    return Batch(batch_id, scored.select(COLUMNS), cohort.rejects, counts)


def _ends(interval: tuple[np.ndarray, np.ndarray] | None, position: list[int]) -> dict[str, pl.Series]:
    """The ends of each risk's interval, where the calibrator has one (Venn-Abers)."""
    nothing = pl.Series([None] * len(position), dtype=pl.Float64)
    low, high = (nothing, nothing) if interval is None else (pl.Series(end[position]) for end in interval)
    return {"risk_low": low, "risk_high": high}


def batch_files(batch: Batch, suffix: str) -> tuple[bytes, bytes]:
    """The list and the rejects as bytes; in CSV a text that a spreadsheet would run as a formula is neutralised."""
    scored = neutralise(batch.scored) if suffix == ".csv" else batch.scored
    return storage.table_bytes(scored, suffix), storage.table_bytes(neutralise(batch.rejects), ".csv")


def neutralise(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that begins like a formula (OWASP, CSV injection)."""
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    risky = r"^[=+\-@\t\r]"
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(risky)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in text
    )


def _bands(risk: np.ndarray, bands: dict[str, float]) -> list[str]:
    names, starts = list(bands), np.array(list(bands.values()))
    return [names[index] for index in np.searchsorted(starts, risk, side="right") - 1]


def _reasons(approved: ApprovedModel, frame: pl.DataFrame, wanted: np.ndarray) -> list[pl.Series]:
    found = top_reasons(approved.model, frame.filter(pl.Series(wanted))) if wanted.any() else {}
    where = np.flatnonzero(wanted)
    columns = []
    for name in TEXTS:
        values = np.full(frame.height, None, dtype=object)
        if name in found:
            values[where] = found[name]
        columns.append(pl.Series(name, values.tolist(), dtype=pl.String))
    return columns


def _batch_id(approved: ApprovedModel, cohort: CohortToScore, places: int, explain: str) -> str:
    """The same model, cohort and settings are the same batch."""
    people = storage.sha256("\n".join(cohort.frame["entity_id"].to_list()).encode())
    day = str(cohort.frame["as_of_date"][0])
    parts = [approved.model_sha256, cohort.sha256, people, day, places, explain]
    return storage.sha256(storage.canonical_json(parts))[:16]
