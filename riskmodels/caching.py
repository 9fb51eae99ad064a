"""Steps that are not done twice: results kept under the digest of everything they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Steps:
    """One study's view of the cache; without a folder every step is made anew."""

    folder: Path | None
    study: str

    def frame(self, name: str, ingredients: Mapping[str, Any], make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame that ``make`` gives, made only if one of its ingredients has changed."""
        return make()


NO_CACHE = Steps(None, "")
