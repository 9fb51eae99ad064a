"""The same definitions give the same features, whichever engine holds the facts."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from riskmodels.data.engines import Engine
from riskmodels.data.features import Features, build_features
from riskmodels.study import Period, Predicate
from tests.data.everything_study import (
    DATES,
    EVERYTHING,
    Covered,
    Rows,
    all_rows,
    coverage,
    everybody,
    everything_tables,
)

DUCKDB = Engine("duckdb", memory_limit="200MB")


def features_on(engine: Engine, rows: Rows, covered: Covered) -> Features:
    with tempfile.TemporaryDirectory() as folder:
        return build_features(everybody(), everything_tables(rows, covered, engine, Path(folder)), EVERYTHING)


@settings(max_examples=6, deadline=None)
@given(rows=all_rows(), covered=coverage())
def test_duckdb_gives_the_same_bytes_as_polars(rows: Rows, covered: Covered) -> None:
    ours, theirs = features_on(Engine("polars"), rows, covered), features_on(DUCKDB, rows, covered)
    assert ours.specs == theirs.specs
    assert_frame_equal(ours.frame, theirs.frame, check_exact=True)
