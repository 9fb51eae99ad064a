"""What a detector may look at, and how it says what it found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort, build_cohort
from riskmodels.data.features import Features, build_features
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Split, Splits
from riskmodels.data.tables import Tables
from riskmodels.study import Register, StudyFile

PASS, CONCERN, UNKNOWN = "pass", "concern", "unknown"
MOST_NAMED = 6
# As counts are published under the rule sro-10, whose table stands in a layer above this one.
FEWEST_SHOWN = 10
ROUNDED_TO = 5

Verdict = tuple[str, str]
# Outcomes row by row as the cohort (Int8, null unless known) and an origin -> a score for each row of its test date.
Predict = Callable[[pl.Series, Split], np.ndarray]


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a detector may look at; one that lacks what it needs answers *unknown*.

    Parameters
    ----------
    cohort, features, outcomes : row by row alike; the outcomes as the whole extract tells them
    tables : the sources that all of it was made from
    groups : entity_id, as_of_date and a column for each protected characteristic
    register : which day each source was extracted on
    scoring : features of a cohort whose outcomes nobody can know yet; made from the tables unless given
    predict : fits a simple model as the run would, on the outcomes it is handed, and scores an origin's test date
    objectors : ids of those who object to training
    """

    cohort: Cohort
    features: Features
    outcomes: Outcomes
    splits: Splits
    study: StudyFile
    tables: Tables | None = None
    groups: pl.DataFrame | None = None
    register: Register | None = None
    scoring: Features | None = None
    predict: Predict | None = None
    objectors: frozenset[str] | None = None

    @cached_property
    def outcome(self) -> np.ndarray:
        """1.0, 0.0, or NaN where it is not known. Shape [rows]."""
        return self.outcomes.frame["outcome"].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    @cached_property
    def known(self) -> np.ndarray:
        """The numbers of the rows whose outcome is known."""
        return np.flatnonzero(~np.isnan(self.outcome))

    @property
    def extracted_on(self) -> dt.date | None:
        """The day up to which every source of the model had been extracted."""
        if self.register is None:
            return None
        used = [name for name, source in self.study.sources.items() if source.use == "model"]
        return min(self.register.sources[name].extracted_on for name in used)

    @cached_property
    def to_come(self) -> Features | None:
        """Of whom no outcome can be known yet: ``scoring``, or everybody as they stood on the day of the extract."""
        if self.scoring is not None or self.tables is None or self.extracted_on is None:
            return self.scoring
        cohort = build_cohort(self.tables, self.study, [self.extracted_on], allow_empty=True)
        return build_features(cohort, self.tables, self.study) if cohort.rows.height else None

    def draw(self, rows: np.ndarray, most: int, use: str) -> np.ndarray:
        """At most so many of these rows, in order, drawn by the study's seed; ``use`` keeps two draws apart."""
        if len(rows) <= most:
            return rows
        rng = np.random.default_rng([self.study.seed, *use.encode()])
        return np.sort(rng.choice(rows, most, replace=False))


@dataclass(frozen=True)
class Finding:
    check: str
    words: str
    result: str  # pass | concern | unknown
    evidence: str
    hard: bool
    accepted: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {
            "check": self.check, "words": self.words, "result": self.result, "evidence": self.evidence,
            "accepted": self.accepted,
        }  # fmt: skip


# ---------------------------------------------------------------- words


def counted(count: int, noun: str = "") -> str:
    """A number of people, rows, ids or outcomes as it may be shown: 1 to 9 are hidden, others to the nearest 5."""
    if 0 < count < FEWEST_SHOWN:
        said = f"fewer than {FEWEST_SHOWN}"
    elif count == 0:
        said = "0"
    else:
        said = f"about {(2 * count + ROUNDED_TO) // (2 * ROUNDED_TO) * ROUNDED_TO:,}"
    return f"{said} {noun}".strip()


def named(names: Iterable[str]) -> str:
    """The names, or the first of many."""
    found = list(names)
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + more
