"""What acting on a made-up list does, as `riskmodels.cards` takes it: plain values, exact."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import rows_of
from riskmodels.assessment.use_of_list import assess_use
from riskmodels.models.ranking import rank
from riskmodels.study import Capacity
from riskmodels.study.use import Help, Money

MONEY = Money(place_costs=(100, 200), success_saves=(0, 4000))
HELP = Help(take_up=(0.5, 0.8), effect=(-0.1, 0.3))


def use(
    people: int = 2500, places: int = 300, unknown: float = 0.15, dates: int = 2, seed: int = 1, **changes: Any
) -> dict[str, Any]:
    """Half of the people of one date are there on the next, with another risk."""
    rng = np.random.default_rng(seed)
    parts = []
    for date in range(dates):
        risk = rng.beta(1, 3, people)
        known = rng.random(people) >= unknown
        outcome = [int(y) if k else None for y, k in zip(rng.random(people) < risk, known, strict=True)]
        parts.append(
            pl.DataFrame(
                {
                    "entity_id": [f"p{one}" for one in rng.permutation(2 * people)[:people]],
                    "as_of_date": [dt.date(2020 + date, 9, 1)] * people,
                    "stage": "test",
                    "model": "m",
                    "score": risk,
                    "risk": risk,
                    "outcome": outcome,
                    "outcome_status": np.where(known, "known", "unobserved"),
                },
                schema_overrides={"outcome": pl.Int8},
            ).with_columns(cluster_id="entity_id")
        )
    ranking = rank(pl.concat(parts), "m", Capacity(places=places), seed=3)
    given = {"money": MONEY, "help_on_offer": HELP, "thresholds": (0.2, 0.4)} | changes
    found: dict[str, Any] = plain(assess_use(rows_of(ranking, ranking.places), ranking.frame, ranking.places, **given))
    return found
