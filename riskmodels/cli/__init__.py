"""The commands: parse, call, print, exit codes. What they do is in `commands/`; a file here for each kind of verb."""

from __future__ import annotations

from riskmodels.cli import (
    audit,
    cards,
    compare,
    evaluate,
    mirror,
    models,
    people,
    promotions,
    purge,
    reviews,
    score,
    site,
    studies,
    update,
)
from riskmodels.cli.app import app

__all__ = [
    "app",
    "audit",
    "cards",
    "compare",
    "evaluate",
    "mirror",
    "models",
    "people",
    "promotions",
    "purge",
    "reviews",
    "score",
    "site",
    "studies",
    "update",
]
