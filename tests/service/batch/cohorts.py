"""Cohorts in memory, a model to score them with, and the simple way of scoring them: all at once, row by row."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.data.service_rules import closed_households
from riskmodels.governance.gate import ApprovedModel
from riskmodels.models.places import EXCLUDED, LISTED, Places, Share
from riskmodels.models.ranking import order
from riskmodels.models.reasons import REASON_TYPE, reason_codes
from riskmodels.models.risk_curves import risk_interval
from riskmodels.models.risk_model import RiskModel
from riskmodels.service.batch import ScoredBatch, score_batch
from riskmodels.service.batch.duplicates import KEPT_CODES
from riskmodels.service.batch.slices import BECAUSE, COLUMNS
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart
from riskmodels.study import StudyFile
from tests.data.small_study import study_file
from tests.models.planted import make_world

AS_OF = dt.date(2020, 1, 1)
RULE = {"exclude": {"any": "visit", "last": "12 months"}, "owner": "the service"}
RULES = ({**RULE, "because": "in service already"}, {**RULE, "because": "has died", "kind": "died"})
FEATURES = ("reading", "absences", "income", "class_type", "school")


@dataclass(frozen=True)
class Approved:
    """What scoring asks of an approved model."""

    model: RiskModel
    version: int | None = 3
    model_sha256: str = "5" * 64


@dataclass(frozen=True)
class Parts:
    """A cohort in memory, cut into parts. ``hook`` is told the number of each part that is read."""

    rows: pl.DataFrame  # a row for each row in: the columns of a checked part, and ``code`` where it is rejected
    cuts: tuple[int, ...] = ()
    as_of: dt.date = AS_OF
    hook: Callable[[int], None] = field(default=lambda number: None, compare=False)
    closed: frozenset[str] = frozenset()

    @property
    def sha256(self) -> str:
        return storage.sha256(storage.table_bytes(self.rows, ".parquet"))

    @property
    def count(self) -> int:
        return len(self.cuts) + 1

    @property
    def rows_in(self) -> int:
        return self.rows.height

    def read(self, number: int) -> CheckedPart:
        self.hook(number)
        start, stop = (0, *self.cuts, self.rows_in)[number : number + 2]
        rows = self.rows[start:stop]
        return CheckedPart(good(rows), rejects(rows), rows.height, closed_by_rejects(rows))


def closed_by_rejects(rows: pl.DataFrame) -> frozenset[str]:
    """The households of rejected rows that the second of `RULES` is true of."""
    return frozenset(rows.filter(pl.col("code").is_not_null() & (pl.col("excluded") == 1))["household"].drop_nulls())


def good(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("code").is_null()).drop("code")


def rejects(rows: pl.DataFrame) -> pl.DataFrame:
    bad = rows.filter(pl.col("code").is_not_null())
    return bad.select("row_number", "entity_id", "code", pl.col("code").alias("reason")).cast(
        cast("Any", REJECT_SCHEMA)
    )


@cache
def approved(family: str = "logistic", calibrator: str = "isotonic") -> ApprovedModel:
    return cast("ApprovedModel", Approved(make_world().model(family, calibrator)))


def study(**sections: Any) -> StudyFile:
    return study_file(**{"service_rules": RULES, **sections})


def cohort(
    size: int,
    seed: int = 0,
    *,
    different: int | None = None,
    doubled: int = 0,
    rejected: float = 0.0,
    excluded: float = 0.1,
    teams: Sequence[str | None] = (None,),
    households: int | None = None,
) -> pl.DataFrame:
    """Rows of a cohort.

    Parameters
    ----------
    different : how many rows differ in their features, so that the others have the same scores
    doubled : how many rows take the id of another
    """
    draw = np.random.default_rng(seed)
    world = make_world(max(size, 10), seed + 100).frame.select(FEATURES)
    features = world[draw.integers(0, min(different or size, size), size)] if size else world[:0]
    ids = [f"person {number}" for number in draw.permutation(size)]
    for row in draw.integers(0, max(size, 1), doubled if size > 1 else 0):
        ids[row] = ids[draw.integers(0, size)]
    code = np.where(draw.random(size) < rejected, "not_a_number", "")
    return pl.DataFrame(
        {
            "row_number": np.arange(1, size + 1, dtype=np.int64),
            "entity_id": pl.Series(ids, dtype=pl.String),
            "excluded": pl.Series(
                np.where(draw.random(size) < excluded, draw.integers(0, 2, size), -1), dtype=pl.Int16
            ),
            "team": pl.Series([teams[place] for place in draw.integers(0, len(teams), size)], dtype=pl.String),
            "household": pl.Series(
                [None if households is None else f"home {place}" for place in draw.integers(0, households or 1, size)],
                dtype=pl.String,
            ),
            "code": pl.Series(code.tolist(), dtype=pl.String),
        }
    ).with_columns(pl.col("excluded").replace(-1, None), pl.col("code").replace("", None), *features.get_columns())


def score(
    parts: Parts,
    work: Path,
    *,
    model: ApprovedModel | None = None,
    places: Mapping[str | None, int] | Share | None = None,
    study_file: StudyFile | None = None,
    **options: Any,
) -> ScoredBatch:
    return score_batch(
        model or approved(),
        parts,
        study_file or study(),
        places=places or {None: 5},
        work=work,
        **{"progress": lambda said: None, **options},
    )


# ---------------------------------------------------------------- what came out


@dataclass(frozen=True)
class Out:
    """Everything of a batch, in memory."""

    frame: pl.DataFrame
    explained: np.ndarray
    codes: np.ndarray
    rejects: pl.DataFrame


def all_of(batch: ScoredBatch) -> Out:
    slices = list(batch.slices())
    return Out(
        pl.concat([piece.frame for piece in slices]),
        np.concatenate([piece.explained for piece in slices]),
        np.concatenate([piece.codes for piece in slices]),
        pl.concat(list(batch.rejects())),
    )


def bytes_of(batch: ScoredBatch) -> bytes:
    """Everything of a batch as bytes, slice by slice: what a writer would be given."""
    content = [repr((batch.batch_id, batch.counts, batch.excluded_by_rule, batch.rejected_by_code)).encode()]
    content.append(batch.histogram.tobytes())
    for piece in batch.slices():
        content += [storage.table_bytes(piece.frame, ".parquet"), piece.explained.tobytes(), piece.codes.tobytes()]
    return b"".join([*content, *(storage.table_bytes(frame, ".parquet") for frame in batch.rejects())])


def same(one: Out, other: Out) -> None:
    assert one.frame.equals(other.frame, null_equal=True)
    assert one.rejects.equals(other.rejects, null_equal=True)
    np.testing.assert_array_equal(one.explained, other.explained)
    assert one.codes.tobytes() == other.codes.tobytes()


# ---------------------------------------------------------------- the simple way


def simply(
    rows: pl.DataFrame,
    model: ApprovedModel,
    study: StudyFile,
    places: Mapping[str | None, int],
    explain: str,
    batch_id: str,
) -> Out:
    """The whole cohort at once."""
    times = Counter(who for who, code in zip(rows["entity_id"], rows["code"], strict=True) if code != "missing_id")
    codes = [
        "duplicate_id" if times[who] > 1 and code not in KEPT_CODES else code
        for who, code in zip(rows["entity_id"], rows["code"], strict=True)
    ]
    rows = rows.with_columns(pl.Series("new", codes, dtype=pl.String))
    frame = rows.filter(pl.col("new").is_null())
    thrown = rows.filter(pl.col("new").is_not_null()).select("row_number", "entity_id", pl.col("new").alias("code"))
    risk_model = model.model
    raw = risk_model.score(frame)
    risk = risk_model.calibrator.apply(raw)
    position = order(frame["entity_id"].to_list(), risk, raw, study.seed)
    ranked, ends = frame[position], risk_interval(risk_model.calibrator, raw)
    homes = ranked["household"] if study.list_unit == "household" else None
    closed = closed_households(rows["excluded"], rows["household"], study.service_rules) if homes is not None else ()
    became = Places(places, closed).take(ranked["excluded"].is_not_null().to_numpy(), ranked["team"], homes)
    why = [
        study.service_rules[rule].because if code == EXCLUDED else BECAUSE[code]
        for code, rule in zip(became.tolist(), ranked["excluded"], strict=True)
    ]
    rank = np.arange(1, ranked.height + 1, dtype=np.int32)
    names, starts = list(study.bands), list(study.bands.values())
    columns = {
        "risk": risk[position],
        "risk_low": [None] * len(rank) if ends is None else ends[0][position],
        "risk_high": [None] * len(rank) if ends is None else ends[1][position],
        "band": [
            max(name for name in zip(starts, names, strict=True) if name[0] <= value)[1] for value in risk[position]
        ],
        "rank": rank,
        "selected": rank <= sum(places.values()),
        "listed": became == LISTED,
        "not_listed_because": pl.Series(why, dtype=pl.String),
    }
    scored = ranked.select("row_number", "entity_id", "team").with_columns(
        pl.lit(AS_OF).alias("as_of_date"),
        pl.lit(str(model.version)).alias("model_version"),
        pl.lit(model.model_sha256).alias("model_sha256"),
        pl.lit(batch_id).alias("batch_id"),
        *(pl.Series(name, values) for name, values in columns.items()),
    )
    scored = scored.cast({"risk_low": pl.Float64, "risk_high": pl.Float64, "band": pl.String})
    explained = {"selected": became == LISTED, "all": rank > 0, "none": rank < 0}[explain]
    some = ranked.filter(pl.Series(explained))
    found = reason_codes(risk_model, risk_model.encoder.encode(some)) if some.height else np.zeros(0, REASON_TYPE)
    return Out(scored.select(COLUMNS), explained, found, thrown)
