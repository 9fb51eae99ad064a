"""Scores a cohort and publishes the list, as a process of its own that can be killed: FOLDER OUTPUT THREADS RESUME.

FOLDER holds ``model/``, ``rows.parquet`` and ``study.json``. Says "ready" once everything is loaded.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from riskmodels import storage
from riskmodels.models.risk_model import RiskModel, read_model_folder
from riskmodels.service.batch import publish, score_batch, working_beside
from riskmodels.service.shapes import CheckedPart
from riskmodels.study import parse_study_file

PARTS = 12


class Parts:
    as_of = dt.date(2020, 1, 1)
    sha256 = "0" * 64
    count = PARTS
    closed = frozenset[str]()

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows
        self.rows_in = rows.height

    def read(self, number: int) -> CheckedPart:
        edges = [self.rows_in * place // PARTS for place in (number, number + 1)]
        rows = self.rows[edges[0] : edges[1]]
        bad = rows.filter(pl.col("code").is_not_null())
        rejects = bad.select("row_number", "entity_id", "code", pl.col("code").alias("reason"))
        return CheckedPart(rows.filter(pl.col("code").is_null()).drop("code"), rejects, rows.height)


def main(folder: Path, output: Path, threads: int, resume: bool) -> None:
    approved = SimpleNamespace(
        model=RiskModel.from_files(read_model_folder(folder / "model")), version=1, model_sha256="5" * 64
    )
    study = parse_study_file(json.loads((folder / "study.json").read_text()))
    parts = Parts(pl.read_parquet(folder / "rows.parquet"))
    print("ready", flush=True)
    with working_beside(output, resume, lambda said: None) as work:
        batch = score_batch(
            cast("Any", approved), cast("Any", parts), study, places={None: 150}, threads=threads, work=work,
            resume=resume, progress=lambda said: None,
        )  # fmt: skip
        listed = pl.concat([piece.frame for piece in batch.slices()])
        codes = b"".join(piece.codes.tobytes() for piece in batch.slices())
        (work / "list").write_bytes(storage.table_bytes(listed, ".parquet"))
        (work / "rejects").write_bytes(storage.table_bytes(pl.concat(list(batch.rejects())), ".csv") + codes)
        publish(work, {"rejects": output.with_suffix(".rejects"), "list": output})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "resume")
