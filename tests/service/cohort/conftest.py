"""A small cohort file that is as it should be, and how it is opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.data.features import FeatureSpec
from riskmodels.service.cohort import MatrixParts, open_matrix
from riskmodels.study import StudyFile
from tests.data.small_study import study_file

AS_OF = dt.date(2020, 7, 1)


def spec(name: str, kind: str = "number") -> FeatureSpec:
    return FeatureSpec(name, "count", "visit", "ever", "records", kind, "keep", name)


SPECS = (spec("visits"), spec("score"), spec("ward", "category"), spec("home", "category"))
GOOD = pl.DataFrame(
    {
        "entity_id": [f"p{number}" for number in range(60)],
        "visits": [float(number % 7) for number in range(60)],
        "score": [number / 8 if number % 5 else None for number in range(60)],
        "ward": [["north", "south", "é"][number % 3] for number in range(60)],
        "home": [["flat", None][number % 2] for number in range(60)],
    }
)
RULES: dict[str, Any] = {
    "service_rules": [
        {"exclude": {"any": "visit"}, "because": "already has help", "owner": "o", "kind": "already_known"},
        {"exclude": {"any": "test"}, "because": "died", "owner": "o", "kind": "died"},
    ]
}
TEAMS: dict[str, Any] = {"capacity": {"by": "people.area", "places": {"north": 2, "south": 1}}}
HOUSEHOLDS: dict[str, Any] = {
    "list_unit": "household",
    "cohort": {"as_of_dates": [AS_OF], "steps": [], "cluster": "people.home"},
}
PROTECTED: dict[str, Any] = {"protected": {"sex": {"column": "people.gender", "law": "sex"}}}


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., MatrixParts]:
    """Open a file, or a frame that is first written to ``cohort.parquet``."""

    def open_(
        cohort: pl.DataFrame | Path | str,
        study: StudyFile | None = None,
        *,
        specs: tuple[FeatureSpec, ...] = SPECS,
        as_of: dt.date | None = AS_OF,
        objectors: frozenset[str] = frozenset(),
        **more: Any,
    ) -> MatrixParts:
        if isinstance(cohort, pl.DataFrame):
            cohort.write_parquet(tmp_path / "cohort.parquet")
            cohort = tmp_path / "cohort.parquet"
        return open_matrix(cohort, specs, study or study_file(), as_of, objectors, tmp_path / "work", **more)

    return open_
