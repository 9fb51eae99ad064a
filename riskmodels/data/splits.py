"""Which dates teach, which calibrate, which test: rolling origins with the maturity gap.

At a test date T the model may learn only from as-of dates whose outcomes were mature by then:
``as_of + horizon + lag <= T``. The service fit is the same recipe one origin later, at the day of the extract.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.errors import LeakError, StudyError
from riskmodels.study import StudyFile


@dataclass(frozen=True)
class Split:
    """One origin. ``test`` is None for the service fit. Dates are as-of dates, earliest first."""

    origin: int
    stands_on: dt.date
    fit: tuple[dt.date, ...]
    calibrate: tuple[dt.date, ...]
    test: dt.date | None
    how: str  # "later" or "grouped"


@dataclass(frozen=True)
class Splits:
    origins: tuple[Split, ...]
    service: Split

    @property
    def choosing(self) -> frozenset[dt.date]:
        """The dates on whose calibration rows the families are compared: only those before every test date.

        A later origin calibrates on rows that an earlier one was tested on; to choose on these would flatter the test.
        """
        first_test = min(split.test for split in self.origins if split.test is not None)
        return frozenset(day for split in self.origins for day in split.calibrate if day < first_test)

    @property
    def all(self) -> tuple[Split, ...]:
        return (*self.origins, self.service)


def plan_splits(study: StudyFile, extracted_on: dt.date) -> Splits:
    """Every origin, and the service fit.

    Raises
    ------
    StudyError
        if an origin has no mature date to learn from, naming what to change.
    """
    dates, plan = study.cohort.dates, study.split
    tests = plan.test.dates if plan.test.dates is not None else dates[-int(plan.test.last or 0) :]
    mature_tests = [day for day in tests if study.outcome.mature_on(day) <= extracted_on]
    if not mature_tests:
        raise StudyError(
            f"split.test: no test date has a mature outcome by {extracted_on}, the day of the extract; test on earlier "
            "dates, or shorten outcome.horizon or outcome.lag"
        )
    origins = tuple(_plan_one(number, day, day, study) for number, day in enumerate(tests))
    service = _plan_one(len(tests), extracted_on, None, study)
    splits = Splits(origins, service)
    assert_no_overlap(splits, study)
    return splits


def _plan_one(number: int, stands_on: dt.date, test: dt.date | None, study: StudyFile) -> Split:
    mature = [day for day in study.cohort.dates if study.outcome.mature_on(day) <= stands_on]
    if not mature:
        raise StudyError(
            f"split: at {stands_on} no as-of date has a mature outcome to learn from (horizon {study.outcome.horizon}, "
            f"lag {study.outcome.lag}); add earlier as_of_dates or test later"
        )
    if study.split.calibrate == "grouped":
        return Split(number, stands_on, tuple(mature), tuple(mature), test, "grouped")
    # The later slice: the last mature dates, a quarter of them, and before it the gap once more.
    size = max(1, round(len(mature) * study.split.calibrate_share))
    for count in range(size, 0, -1):
        calibrate = mature[-count:]
        fit = [day for day in mature if study.outcome.mature_on(day) <= calibrate[0]]
        if fit:
            return Split(number, stands_on, tuple(fit), tuple(calibrate), test, "later")
    raise StudyError(
        f"split.calibrate: later leaves no date to fit on at {stands_on}; add earlier as_of_dates, or use "
        "calibrate: grouped (other people, same dates) and say why in why_grouped"
    )


def assert_no_overlap(splits: Splits, study: StudyFile) -> None:
    """The outcome of every row that teaches is over before the day it must not see. Raises LeakError."""
    for split in splits.all:
        edges = [(split.fit, split.test or split.stands_on), (split.calibrate, split.test or split.stands_on)]
        if split.how == "later":
            edges.append((split.fit, split.calibrate[0]))
        for taught, edge in edges:
            late = [day for day in taught if study.outcome.mature_on(day) > edge]
            if late:
                raise LeakError(
                    f"split: the outcome of {late[0]} is not over by {edge}; the model would see the future"
                )


def held_out(cluster_ids: pl.Series, share: float, seed: int) -> np.ndarray:
    """Which rows belong to the people held out for calibration: a seeded hash of the cluster, so people stay together.

    Returns
    -------
    Boolean array, one for each row.
    """
    unique = cluster_ids.unique().sort()
    drawn = seeded_hash(unique.to_list(), seed, use=b"hold out") / np.float64(2**64) < share
    out = set(unique.filter(pl.Series(drawn)).to_list())
    return cluster_ids.is_in(list(out)).to_numpy()


def seeded_hash(entity_ids: Sequence[str], seed: int, use: bytes = b"") -> np.ndarray:
    """A number for each id, the same everywhere: 8 bytes of blake2b keyed by the seed. Draws people and breaks ties.

    ``use`` (at most 16 bytes) makes two uses independent: who is held out must not also decide who wins a tie.
    """
    key = seed.to_bytes(8, "big")
    digest = hashlib.blake2b
    return np.fromiter(
        (int.from_bytes(digest(i.encode(), digest_size=8, key=key, person=use).digest(), "big") for i in entity_ids),
        dtype=np.uint64,
        count=len(entity_ids),
    )
