"""What the model told of tested people, and what then happened to them: on the list, and near any one risk.

A calibration curve over everybody can hide the top, where the list is made: there are few people there. What is said to
a worker or a person rests on what happened to those who were tested near them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.intervals import clusters_of, proportion

# Fewer say too little, and would be few enough to be known; many more are no longer near.
NEAREST = 200
LEAST = 50


@dataclass(frozen=True)
class ToldAndHappened:
    """``told``: mean risk of those whose outcome is known. ``happened``: their share with the outcome, by clusters.

    ``unknown``: of all, the share whose outcome is not known (0 to 1).
    """

    told: float
    happened: Estimate
    unknown: float

    @property
    def agrees(self) -> bool | None:
        """Whether what was told lies within the interval of what happened; None without an interval."""
        if self.happened.low is None or self.happened.high is None:
            return None
        return self.happened.low <= self.told <= self.happened.high


def on_the_list(ranking: pl.DataFrame) -> ToldAndHappened | None:
    """Of everybody on the tested lists: None where fewer than 50 of their outcomes are known.

    Parameters
    ----------
    ranking : frame of a `riskmodels.models.ranking.Ranking`: risk, outcome, cluster_id, selected
    """
    return _of(ranking.filter("selected"))


def near(ranking: pl.DataFrame, risk: float, rows: int = NEAREST) -> ToldAndHappened | None:
    """Of the tested rows whose risks are nearest to one risk; None where fewer than 50 of their outcomes are known.

    Rows as near as the last one are all taken, so that it is not chance who is counted.
    """
    away = (ranking["risk"] - risk).abs()
    furthest = away.sort()[min(rows, ranking.height) - 1] if ranking.height else 0.0
    return _of(ranking.filter(away <= furthest))


def _of(rows: pl.DataFrame) -> ToldAndHappened | None:
    known = rows.drop_nulls("outcome")
    if known.height < LEAST:
        return None
    outcome = known["outcome"].to_numpy().astype(np.float64)
    happened = proportion(outcome, clusters_of(known["cluster_id"], known.height))
    return ToldAndHappened(float(known["risk"].to_numpy().mean()), happened, 1.0 - known.height / rows.height)
