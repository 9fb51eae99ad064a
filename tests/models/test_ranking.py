"""One list for everybody: its order, its ties, and what it must not depend on."""

from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from riskmodels.errors import StudyError
from riskmodels.models.ranking import Ranking, order, rank
from riskmodels.study import Capacity

SPRING, AUTUMN = dt.date(2020, 4, 1), dt.date(2020, 10, 1)
SEED = 7


def predictions(rows: list[tuple[str, dt.date, float, float]], **columns: str) -> pl.DataFrame:
    """A predictions table from (id, day, risk, score); every outcome is known and 0 unless a test says otherwise."""
    frame = pl.DataFrame(
        rows,
        schema={"entity_id": pl.String, "as_of_date": pl.Date, "risk": pl.Float64, "score": pl.Float64},
        orient="row",
    )
    return frame.select(
        "entity_id",
        "as_of_date",
        pl.lit(0, dtype=pl.Int16).alias("origin"),
        pl.lit(columns.get("stage", "test")).alias("stage"),
        pl.lit(columns.get("model", "logistic")).alias("model"),
        "score",
        "risk",
        pl.lit(0, dtype=pl.Int8).alias("outcome"),
        pl.lit("known").alias("outcome_status"),
        pl.col("entity_id").alias("cluster_id"),
    )


def listed(ranking: Ranking, day: dt.date = SPRING) -> list[str]:
    return ranking.frame.filter(pl.col("as_of_date") == day).sort("rank")["entity_id"].to_list()


def luck(entity_id: str, seed: int) -> int:
    """The tie rule, spelt out: 8 bytes of blake2b of the id, keyed by the seed; the smaller number goes first."""
    return int.from_bytes(hashlib.blake2b(entity_id.encode(), digest_size=8, key=seed.to_bytes(8, "big")).digest())


def test_highest_risk_first_on_each_date() -> None:
    frame = predictions(
        [
            ("a", SPRING, 0.2, 0),
            ("b", SPRING, 0.9, 0),
            ("c", SPRING, 0.5, 0),
            ("a", AUTUMN, 0.7, 0),
            ("b", AUTUMN, 0.1, 0),
        ]
    )
    ranking = rank(frame, "logistic", Capacity(places=1), SEED)
    assert listed(ranking, SPRING) == ["b", "c", "a"]
    assert listed(ranking, AUTUMN) == ["a", "b"]
    assert ranking.frame["rank"].to_list() == [1, 2, 3, 1, 2]
    assert ranking.frame["selected"].to_list() == [True, False, False, True, False]
    assert ranking.places == {"2020-04-01": 1, "2020-10-01": 1}
    assert ranking.frame.columns == [
        "entity_id", "as_of_date", "origin", "score", "risk", "outcome", "outcome_status", "cluster_id", "rank",
        "selected",
    ]  # fmt: skip
    assert ranking.frame.schema["rank"] == pl.Int32


def test_equal_risks_fall_back_to_the_score() -> None:
    """Isotonic calibration makes long runs of equal risks; within one the raw score decides."""
    frame = predictions(
        [("a", SPRING, 0.3, -1.0), ("b", SPRING, 0.3, 2.0), ("c", SPRING, 0.3, 1.0), ("d", SPRING, 0.4, -9)]
    )
    assert listed(rank(frame, "logistic", Capacity(places=2), SEED)) == ["d", "b", "c", "a"]


def test_full_ties_are_broken_by_the_seeded_hash() -> None:
    ids = [f"p{i}" for i in range(30)]
    frame = predictions([(i, SPRING, 0.5, 0.0) for i in ids])
    for seed in (SEED, 8):
        assert listed(rank(frame, "logistic", Capacity(places=5), seed)) == sorted(ids, key=lambda i: luck(i, seed))
    # And so neither by the order of the rows nor by the ids themselves.
    assert listed(rank(frame, "logistic", Capacity(places=5), SEED)) != ids


tied = st.sampled_from([0.1, 0.2, 0.3])


@settings(max_examples=50)
@given(values=st.lists(st.tuples(tied, tied), min_size=1, max_size=25), shuffle=st.randoms(use_true_random=False))
def test_the_list_does_not_depend_on_the_order_of_the_rows(
    values: list[tuple[float, float]], shuffle: st.random.Random
) -> None:
    rows = [(f"p{i}", SPRING, risk, score) for i, (risk, score) in enumerate(values)]
    ranking = rank(predictions(rows), "logistic", Capacity(places=1), SEED)
    # Slow and obvious: sort by risk, then score, then the tie rule.
    assert listed(ranking) == [row[0] for row in sorted(rows, key=lambda r: (-r[2], -r[3], luck(r[0], SEED)))]
    again = list(rows)
    shuffle.shuffle(again)
    assert_frame_equal(rank(predictions(again), "logistic", Capacity(places=1), SEED).frame, ranking.frame)


@settings(max_examples=30)
@given(outcomes=st.lists(st.sampled_from([None, 0, 1]), min_size=8, max_size=8))
def test_deleting_outcomes_never_changes_the_list(outcomes: list[int | None]) -> None:
    frame = predictions([(f"p{i}", SPRING, (i % 3) / 4, float(i % 2)) for i in range(8)])
    changed = frame.with_columns(
        pl.Series("outcome", outcomes, dtype=pl.Int8),
        pl.Series("outcome_status", ["unobserved" if outcome is None else "known" for outcome in outcomes]),
    )
    kept = ["entity_id", "as_of_date", "risk", "score", "rank", "selected"]
    first, second = (rank(each, "logistic", Capacity(places=3), SEED).frame for each in (frame, changed))
    assert_frame_equal(first.select(kept), second.select(kept))
    assert second.height == 8  # everybody is ranked, known or not
    # Each outcome stays with its person.
    assert dict(second["entity_id", "outcome"].iter_rows()) == dict(changed["entity_id", "outcome"].iter_rows())


def test_only_the_test_rows_of_one_model_are_ranked() -> None:
    rows = [("a", SPRING, 0.5, 0.0)]
    frame = pl.concat(
        [predictions(rows), predictions(rows, model="points"), predictions(rows, model="points", stage="calibrate")]
    )
    ranking = rank(frame, "points", Capacity(places=1), SEED)
    assert (ranking.model, ranking.frame.height) == ("points", 1)


def test_places_by_share_follow_the_cohort_of_each_date() -> None:
    rows = [(f"p{i}", SPRING, i / 40, 0.0) for i in range(40)] + [(f"p{i}", AUTUMN, i / 10, 0.0) for i in range(10)]
    ranking = rank(predictions(rows), "logistic", Capacity(share=0.1), SEED)
    assert ranking.places == {"2020-04-01": 4, "2020-10-01": 1}
    assert ranking.frame.group_by("as_of_date").agg(pl.col("selected").sum()).sort("as_of_date").rows() == [
        (SPRING, 4),
        (AUTUMN, 1),
    ]


def test_more_places_than_people_are_refused() -> None:
    with pytest.raises(StudyError, match="2 places for a cohort of 1"):
        rank(predictions([("a", SPRING, 0.5, 0.0)]), "logistic", Capacity(places=2), SEED)


def test_order_gives_row_positions() -> None:
    positions = order(["a", "b", "c"], np.array([0.1, 0.3, 0.3]), np.array([0.0, 1.0, 2.0]), SEED)
    assert positions.tolist() == [2, 1, 0]
