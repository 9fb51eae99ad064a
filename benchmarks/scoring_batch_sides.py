"""What ``scoring_batch.py`` measures, each side in a process of its own: our batch, LightGBM alone, pandas with shap.

The model has 400 trees of 31 leaves over 40 columns: counts, amounts and categories, some of each missing. The cohort
is a Parquet file in row groups of 65,536.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import Steps

SEED = 17
NUMBERS, LEVELS = 34, (3, 6, 12, 24, 60, 150)
REDRAWN = 6  # columns drawn anew in every row group; the others come again
ROWS_IN_A_GROUP, GROUPS_DRAWN, ROWS_TO_FIT = 65_536, 4, 60_000
AS_OF = dt.date(2024, 1, 1)
SHARE_LISTED = 0.14
TOP = 1_000
STUDY: dict[str, Any] = {
    "schema": 1, "study": "bench", "title": "Bench", "question": "Who?", "seed": SEED, "purpose": "assistive",
    "level": "person", "clock": "relative",
    "sources": {"people": {"file": "people.csv", "entity": "id"},
                "records": {"file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known"}},
    "facts": {"record": {"in": "records"}},
    "cohort": {"as_of_dates": [AS_OF], "steps": []},
    "outcome": {"name": "recorded", "words": "is recorded", "measures": "need", "happens": {"any": "record"},
                "known": {"any": "record"}, "horizon": "3 months", "lag": "1 month"},
    "features": [{"name": "records", "take": "count", "of": "record", "words": "records"}],
    "split": {"test": {"dates": [AS_OF]}, "calibrate": "grouped", "why_grouped": "a bench"},
    "capacity": {"share": SHARE_LISTED},
}  # fmt: skip


# ---------------------------------------------------------------- the model and its cohort


def drawn(rows: int, seed: int) -> dict[str, np.ndarray | pl.Series]:
    """Columns of so many rows, as a cohort file has them."""
    rng = np.random.default_rng([SEED, seed])
    columns: dict[str, np.ndarray | pl.Series] = {}
    for number in range(NUMBERS):
        values = rng.poisson(0.5 + number / 8, rows).astype(np.float64)
        values = np.round(values * rng.lognormal(0, 0.3, rows), 2) if number % 2 else values
        columns[f"n{number}"] = np.where(rng.random(rows) < 0.1, np.nan, values)
    for number, levels in enumerate(LEVELS):
        names = pl.Series([f"level {level}" for level in range(levels)] + [None])
        columns[f"c{number}"] = names.gather(rng.integers(0, levels + 1, rows))
    return columns


def make_model(folder: str, trees: int) -> None:
    """Fit and save the model."""
    from riskmodels.data.features import Features, FeatureSpec
    from riskmodels.models.boosting import fit_boosted_trees
    from riskmodels.models.matrix import fit_encoder
    from riskmodels.models.risk_curves import Curve
    from riskmodels.models.risk_model import RiskModel
    from riskmodels.study import LightGBMSettings

    frame = pl.DataFrame(drawn(ROWS_TO_FIT, 0))
    specs = tuple(
        FeatureSpec(name, "latest", f"records.{name}", "ever", "records", kind, missing, f"the {name}")
        for name in frame.columns
        for kind, missing in [("number", "keep") if name[0] == "n" else ("category", "category")]
    )
    encoder = fit_encoder(Features(frame, specs))
    matrix = encoder.encode(frame)
    known = np.nan_to_num(matrix.values)
    need = known[:, :NUMBERS] @ np.linspace(-0.2, 0.3, NUMBERS) + np.sin(known[:, NUMBERS:]).sum(axis=1)
    rng = np.random.default_rng(SEED)
    outcome = (rng.random(len(need)) < 1 / (1 + np.exp(2 - (need - need.mean()) / need.std()))).astype(np.int8)
    settings = LightGBMSettings(trees=trees, leaves=31, learning_rate=0.05, min_rows_in_leaf=50)
    fitted = fit_boosted_trees(matrix, outcome, settings, SEED, 1)
    model = RiskModel("bench", "lightgbm", fitted, encoder, Curve(-0.1, 0.9), specs)
    (Path(folder) / "model").mkdir(parents=True)
    for name, content in model.to_files().items():
        (Path(folder) / "model" / name).write_bytes(content)


def make_cohort(folder: str, rows: int) -> None:
    """Write a cohort of so many rows, a row group at a time."""
    import pyarrow.parquet as pq

    bases = [drawn(ROWS_IN_A_GROUP, 1 + number) for number in range(min(GROUPS_DRAWN, -(-rows // ROWS_IN_A_GROUP)))]
    writer = None
    for number, first in enumerate(range(0, rows, ROWS_IN_A_GROUP)):
        anew = dict(list(drawn(ROWS_IN_A_GROUP, 100 + number).items())[:REDRAWN])
        size = min(ROWS_IN_A_GROUP, rows - first)
        ids = pl.Series("entity_id", [f"p{10**9 + row * 7919 % 10**9}" for row in range(first, first + size)])
        table = pl.DataFrame([ids]).hstack(pl.DataFrame({**bases[number % len(bases)], **anew})[:size]).to_arrow()
        writer = writer or pq.ParquetWriter(Path(folder) / f"cohort-{rows}.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


# ---------------------------------------------------------------- ours


def ours(folder: str, rows: int, explain: str, cores: int, employ: Any = None) -> dict[str, Any]:
    """Parquet to Parquet: checked, scored, ranked, listed, explained, in words, written, in its place.

    ``employ``: who scores the parts, if not the threads of this process.
    """
    from riskmodels.models.reasons import reason_words
    from riskmodels.models.risk_model import RiskModel, read_model_folder
    from riskmodels.service.batch import publish, score_batch, working_beside
    from riskmodels.service.cohort import open_matrix
    from riskmodels.service.outputs.lists import open_list
    from riskmodels.service.shapes import SCORED_SCHEMA, WORDS
    from riskmodels.study import parse_study_file

    began, step = time.monotonic(), Steps()
    first: list[float] = []

    def progress(said: str) -> None:
        if said.startswith("scored") and not first:
            first.append(time.process_time())

    model = RiskModel.from_files(read_model_folder(Path(folder) / "model"))
    approved: Any = SimpleNamespace(model=model, version=1, model_sha256=model.model_sha256)
    study = parse_study_file(STUDY)
    output = Path(folder) / f"list-{rows}-{explain}-{cores}.parquet"
    step("load")
    with working_beside(output, False, progress) as work:
        cohort = Path(folder) / f"cohort-{rows}.parquet"
        parts = open_matrix(cohort, model.reasons, study, AS_OF, frozenset(), work)
        step("open")
        places = {None: round(SHARE_LISTED * rows)}
        batch = score_batch(
            approved, parts, study, places=places, explain=explain, threads=cores, work=work, progress=progress,  # type: ignore[arg-type]
            employ=employ,
        )  # fmt: skip
        step("score")
        with open_list(work / "list", "parquet") as written:
            for piece in batch.slices():
                words = reason_words(model, piece.codes)
                where = np.full(piece.frame.height, -1)
                where[piece.explained] = np.arange(len(piece.codes))
                at = pl.Series(where).replace(-1, None)
                frame = piece.frame.with_columns(words[name].gather(at).alias(name) for name in WORDS)
                written.write(frame.select(list(SCORED_SCHEMA)))
        step("write")
        publish(work, {"list": output})
    risk = pl.scan_parquet(output).select(pl.col("risk").sum().alias("sum"), pl.len().alias("rows"))
    top = pl.scan_parquet(output).select("risk").head(TOP).collect()["risk"].to_list()
    explained = pl.scan_parquet(output).select(pl.col("reason_1").is_not_null().sum()).collect().item()
    told = risk.collect().row(0, named=True)
    size = output.stat().st_size
    with output.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    output.unlink()
    return {
        "steps": step.spent, "wall_s": time.monotonic() - began, "first_cpu_s": first[0] if first else None,
        "sum": told["sum"], "rows": told["rows"], "top": top, "explained": explained, "counts": batch.counts,
        "output_mb": size / 2**20, "output_sha256": digest,
    }  # fmt: skip


# ---------------------------------------------------------------- the peers


def with_lightgbm(folder: str, rows: int, cores: int) -> dict[str, Any]:
    """Load each row group and ask the booster for its raw scores: no list, no reasons, nothing written."""
    import lightgbm
    import pyarrow.parquet as pq

    step = Steps()
    # What the booster is given is a matrix of numbers already: our encoder's, uncounted.
    encoder = _encoder(folder)
    booster = lightgbm.Booster(model_file=str(Path(folder) / "model" / "booster.txt"))
    step("import")
    scores = []
    with pq.ParquetFile(Path(folder) / f"cohort-{rows}.parquet") as file:
        for group in range(file.num_row_groups):
            frame: Any = pl.from_arrow(file.read_row_group(group))
            step("load")
            values = _as_lightgbm_wants(encoder, frame)
            step("encode")
            scores.append(booster.predict(values, raw_score=True, num_threads=cores))
            step("predict")
    risk = _calibrated(folder, np.concatenate(scores))
    top = np.sort(risk)[::-1][:TOP].tolist()
    return {"steps": step.spent, "sum": float(risk.sum()), "rows": len(risk), "top": top}


def with_pandas_and_shap(folder: str, rows: int, cores: int) -> dict[str, Any]:
    """What somebody writes first: read everything, shap for everybody, three reasons each, one CSV file."""
    import lightgbm
    import pandas as pd
    import shap

    step = Steps()
    encoder = _encoder(folder)
    booster = lightgbm.Booster(model_file=str(Path(folder) / "model" / "booster.txt"))
    booster.params["num_threads"] = cores
    explainer = shap.TreeExplainer(booster)
    step("import")
    frame = pd.read_parquet(Path(folder) / f"cohort-{rows}.parquet")
    values = pd.DataFrame(_as_lightgbm_wants(encoder, pl.from_pandas(frame)), columns=encoder.names)
    risk = _calibrated(folder, np.asarray(booster.predict(values, raw_score=True, num_threads=cores)))
    parts = explainer.shap_values(values)
    parts = parts[-1] if isinstance(parts, list) else parts
    made = []
    for row in range(len(frame)):
        best = np.argsort(-parts[row])[:3]
        made.append([f"{encoder.names[place]}: {values.iloc[row, place]}" for place in best])
    out = pd.DataFrame(made, columns=["reason_1", "reason_2", "reason_3"])
    out.insert(0, "risk", risk)
    out.insert(0, "entity_id", frame["entity_id"])
    out = out.sort_values("risk", ascending=False)
    out.to_csv(Path(folder) / "naive.csv", index=False)
    step("all")
    return {"steps": step.spent, "sum": float(risk.sum()), "rows": len(risk), "top": out["risk"].head(TOP).tolist()}


def _encoder(folder: str) -> Any:
    from riskmodels.models.risk_model import RiskModel, read_model_folder

    return RiskModel.from_files(read_model_folder(Path(folder) / "model")).encoder


def _as_lightgbm_wants(encoder: Any, frame: pl.DataFrame) -> np.ndarray:
    from riskmodels.models.boosting import inputs_of

    return inputs_of(encoder.encode(frame))


def _calibrated(folder: str, scores: np.ndarray) -> np.ndarray:
    from riskmodels.models.risk_curves import load_calibrator

    return load_calibrator(json.loads((Path(folder) / "model" / "calibrator.json").read_text())).apply(scores)
