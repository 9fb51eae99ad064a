"""What runs the definitions: Polars in memory, DuckDB under a memory limit, Spark beyond one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl


@dataclass(frozen=True)
class Engine:
    """Where facts are held and counted. ``folder`` is where an engine that spills may write."""

    name: str
    memory_limit: str | None = None
    folder: Path | None = None

    def scan(self, held: pl.DataFrame | Path) -> nw.LazyFrame[Any]:
        """Rows in memory or in a Parquet file, as a lazy frame of this engine."""
        return nw.from_native(held.lazy() if isinstance(held, pl.DataFrame) else pl.scan_parquet(held))


POLARS = Engine("polars")
