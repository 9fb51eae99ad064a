"""Where what was planted may stand, and why. Whatever is not named here may hold none of it.

Names, addresses, numbers and the like, in columns that nobody asked for, are in no row: they may stand nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What the study reads of a person, and what nobody else may see.
READ = frozenset({"id", "home", "note", "rare", "ward", "team", "group", "kind"})
IDS = frozenset({"id"})
IDS_AND_HOMES = frozenset({"id", "home"})


@dataclass(frozen=True)
class Allowed:
    """``holds_people``: the file is for its owner alone, and a folder above it is closed to others."""

    pattern: str
    kinds: frozenset[str]
    why: str
    holds_people: bool = True

    def covers(self, where: str, kind: str) -> bool:
        return kind in self.kinds and re.fullmatch(self.pattern, where) is not None


ALLOWED = (
    Allowed(r"out/(list|matrix|half)\.(csv|xlsx|parquet)", IDS, "the scored file is the list of people"),
    Allowed(r"out/(list|matrix|half)\.decisions-\w+/decisions-[a-z]+\.xlsx", IDS, "a team decides about each of them"),
    Allowed(r"out/(list|matrix|half)\.rejects\.csv", IDS, "by contract: row number and id of whoever was not scored"),
    Allowed(r"out/(list|half)\.for-school_nurse\.csv", IDS, "whom a role is to look after"),
    Allowed(r"work/runs/\w+/[\w-]+/predictions\.parquet", IDS_AND_HOMES, "by contract: entity_id and cluster_id"),
    Allowed(r"work/runs/\w+/[\w-]+/ranking\.parquet", IDS_AND_HOMES, "by contract: the ranking of those people"),
    Allowed(r"work/batches/\w+/\w+/people\.parquet", IDS, "what `trace` and `letter` look people up in"),
    Allowed(r"work/cache/results/\w\w/[\w.]+\.parquet", READ, "the tables as they were read, kept for the next time"),
    Allowed(r"work/cache/engine/.*", READ, "what DuckDB had no room for in memory"),
    Allowed(r"(out/\.\w+\.csv\.work|work/batches/\w+/\.riskmodels-\w+\.part)/.*", IDS_AND_HOMES,
            "a list that was stopped half-way, kept for --resume"),
    Allowed(r"tmp/riskmodels-.*", READ, "what a process that was killed could not take away"),
    Allowed(r"out/drafted/register\.yaml", frozenset({"header"}),
            "a draft of a study describes the columns of a table by their names, for whoever handed it in", False),
)  # fmt: skip


def allowed(where: str, kind: str) -> Allowed | None:
    return next((row for row in ALLOWED if row.covers(where, kind)), None)
