"""Ranked rows of a made-up county: people with a lasting frailty who stand on several dates."""

from __future__ import annotations

import datetime as dt

import numpy as np

from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.ranked_rows import RankedRows


def ranked_rows(
    people: int = 400,
    dates: int = 4,
    seed: int = 0,
    *,
    drift: float = 0.0,
    fade: float = 0.0,
    frailty: float = 1.0,
    unknown: float = 0.1,
    every: int = 365,
    share: float = 0.1,
    clustered: bool = True,
) -> RankedRows:
    """``drift`` is added to the log odds each date, so that risks fall behind; ``fade`` blunts the ranking."""
    rng = np.random.default_rng([seed, people, dates])
    n = people * dates
    number = np.repeat(np.arange(dates), people)
    hidden = np.tile(rng.normal(size=people), dates) * frailty
    linear = -1.8 + hidden + 0.7 * rng.normal(size=n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-(linear + drift * number)))).astype(float)
    seen = linear + fade * number * rng.normal(size=n)
    risk = 1 / (1 + np.exp(-seen))
    known = rng.random(n) >= unknown
    days = np.array([np.datetime64(dt.date(2015, 9, 1) + dt.timedelta(every * i)) for i in range(dates)])
    rank = np.empty(n, dtype=np.int64)
    for i in range(dates):
        here = slice(i * people, (i + 1) * people)
        rank[here] = np.argsort(np.argsort(-risk[here])) + 1
    return RankedRows(
        outcome=np.where(known, outcome, 0.0),
        known=known,
        risk=risk,
        selected=rank <= share * people,
        rank=rank,
        ranked=np.full(n, people),
        dates=days[number],
        units=clusters_of(np.tile(np.arange(people), dates), n) if clustered else None,
    )


def few_rows(outcome: list[int | None], risk: list[float], selected: list[int] | None = None) -> RankedRows:
    """Rows of one date, each a person; None where the outcome is not known."""
    n = len(outcome)
    known = np.array([value is not None for value in outcome])
    rank = np.argsort(np.argsort(-np.array(risk), kind="stable"), kind="stable") + 1
    return RankedRows(
        outcome=np.array([float(value or 0) for value in outcome]),
        known=known,
        risk=np.array(risk),
        selected=np.array(selected, dtype=bool) if selected else np.zeros(n, dtype=bool),
        rank=rank,
        ranked=np.full(n, n),
        dates=np.full(n, np.datetime64("2020-01-01")),
        units=None,
    )
