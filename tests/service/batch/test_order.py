from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.models.ranking import order
from riskmodels.service.batch import order as ours
from riskmodels.service.batch.shards import RECORD

VALUES = st.sampled_from([-2.0, -0.0, 0.0, 0.5, 1.0, 3.0])


def records_of(rows: list[tuple[float, float, int]]) -> np.ndarray:
    """score, risk, hash"""
    records = np.zeros(len(rows), dtype=RECORD)
    for place, name in enumerate(("score", "risk", "hash")):
        records[name] = [row[place] for row in rows]
    return records


@given(rows=st.lists(st.tuples(VALUES, VALUES, st.integers(0, 3))))
def test_any_scores_and_risks_are_put_in_order(rows: list[tuple[float, float, int]]) -> None:
    """Whatever the calibrator does: risk, then score, then hash, then the row, by Python's own sort."""
    expected = sorted(range(len(rows)), key=lambda row: (-rows[row][1], -rows[row][0], rows[row][2], row))
    assert ours.best_first(records_of(rows)).tolist() == expected


@given(rows=st.lists(st.tuples(VALUES, st.just(0.0), st.integers(0, 2**64 - 1))), data=st.data())
def test_it_is_the_one_ranking(rows: list[tuple[float, float, int]], data: st.DataObject) -> None:
    from riskmodels.data.splits import seeded_hash

    ids = [f"p{row}" for row in range(len(rows))]
    seed = data.draw(st.integers(0, 9))
    records = records_of(rows)
    records["risk"] = np.floor(records["score"])
    records["hash"] = seeded_hash(ids, seed)
    expected = order(ids, records["risk"], records["score"], seed)
    assert ours.best_first(records).tolist() == expected.tolist()


@given(
    rows=st.lists(st.tuples(VALUES, VALUES, st.integers(0, 3))),
    keys=st.lists(st.tuples(VALUES, VALUES, st.integers(0, 3))),
)
def test_places_of_keys_are_counts_of_what_comes_before(
    rows: list[tuple[float, float, int]], keys: list[tuple[float, float, int]]
) -> None:
    records, wanted = records_of(rows), records_of(keys)
    records, wanted = records[ours.best_first(records)], wanted[ours.best_first(wanted)]

    def key(record: np.void) -> tuple[float, float, int]:
        return -record["risk"], -record["score"], int(record["hash"])

    expected = [sum(key(record) < key(one) for record in records) for one in wanted]
    assert ours.places_of_keys(records, wanted).tolist() == expected
