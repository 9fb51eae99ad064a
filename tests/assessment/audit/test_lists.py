"""Who gets a place, and which rows belong together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit.lists import belonging_together, take_list
from riskmodels.data.splits import seeded_hash
from riskmodels.errors import DataError


def ids_of(n: int) -> pl.Series:
    return pl.Series([f"p{number}" for number in range(n)])


def test_the_highest_risks_of_each_date_are_on_its_list() -> None:
    """Two places on each date: 0.9 and 0.8 on the first, 0.4 and 0.3 on the second."""
    taken = take_list(
        np.array([0.9, 0.1, 0.8, 0.2, 0.4, 0.3]), 2, seed=0, dates=["2023", "2023", "2023", "2024", "2024", "2024"]
    )
    assert taken.selected.tolist() == [True, False, True, False, True, True]
    # Rank over places: 1/2, 3/2, 2/2 and 3/2, 1/2, 2/2.
    assert taken.depth is not None
    assert taken.depth.tolist() == [0.5, 1.5, 1.0, 1.5, 0.5, 1.0]


def test_those_left_out_are_replaced_by_the_next() -> None:
    left_out = np.array([True, False, False, False])
    taken = take_list(np.array([0.9, 0.8, 0.7, 0.6]), 2, seed=0, left_out=left_out)
    assert taken.selected.tolist() == [False, True, True, False]
    assert taken.depth is not None
    assert np.isnan(taken.depth[0])
    assert taken.depth[1:].tolist() == [0.5, 1.0, 1.5]


def test_a_list_is_short_where_too_many_are_left_out() -> None:
    taken = take_list(np.array([0.9, 0.8, 0.7]), 2, seed=0, left_out=np.array([True, True, False]))
    assert taken.selected.tolist() == [False, False, True]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.data())
def test_ties_go_by_the_seeded_hash_whatever_the_order_of_rows(seed: int, n: int, data: st.DataObject) -> None:
    places = data.draw(st.integers(1, n - 1))
    rng = np.random.default_rng(seed)
    risk, ids = rng.integers(1, 4, n) / 4, ids_of(n)
    found = set(ids.filter(pl.Series(take_list(risk, places, seed=seed, entity_ids=ids).selected)))
    # The slow oracle: sorted by risk, then by hash.
    hashes = seeded_hash(ids.to_list(), seed).tolist()
    best = sorted(range(n), key=lambda row: (-risk[row], hashes[row]))
    assert found == {f"p{row}" for row in best[:places]}
    shuffled = rng.permutation(n)
    again = take_list(risk[shuffled], places, seed=seed, entity_ids=ids[shuffled.tolist()])
    assert set(ids[shuffled.tolist()].filter(pl.Series(again.selected))) == found


def test_equal_risks_do_not_favour_the_group_that_comes_first() -> None:
    """The defect of a known library: all scores equal, and one group is selected at 20%, the other never."""
    n = 2000
    selected = take_list(np.full(n, 0.5), 200, seed=3, entity_ids=ids_of(n)).selected
    first, second = selected[: n // 2].sum(), selected[n // 2 :].sum()
    assert first + second == 200
    assert abs(first - second) < 4 * np.sqrt(200 * 0.9)  # four standard errors of a fair draw


@pytest.mark.parametrize("ids", [None, pl.Series(["a", "b", "b", "c"])])
def test_a_tie_that_nothing_decides_is_refused(ids: pl.Series | None) -> None:
    with pytest.raises(DataError, match="equal risks meet at the last place"):
        take_list(np.array([0.9, 0.5, 0.5, 0.1]), 2, seed=0, entity_ids=ids)


@pytest.mark.parametrize("places", [1, 3])
def test_a_tie_elsewhere_only_keeps_the_ranks_from_being_known(places: int) -> None:
    taken = take_list(np.array([0.9, 0.5, 0.5, 0.1]), places, seed=0)
    assert taken.selected.sum() == places
    assert taken.depth is None


@pytest.mark.parametrize(
    ("dates", "words"), [(None, "the list has 4 rows"), ([1, 1, 1, 2], "shortest list has 1 rows")]
)
def test_more_places_than_rows_are_refused(dates: list[int] | None, words: str) -> None:
    with pytest.raises(DataError, match=words):
        take_list(np.array([0.9, 0.5, 0.4, 0.1]), 4, seed=0, dates=dates)


# ---------------------------------------------------------------- rows that belong together


def same(codes: np.ndarray | None) -> set[frozenset[int]]:
    assert codes is not None
    return {frozenset(np.flatnonzero(codes == code).tolist()) for code in set(codes.tolist())}


def test_somebody_who_moves_joins_two_households() -> None:
    """p1 lived in h1, with p2, and then in h2, with p3; p4 has no household; p5 and p6 share h3."""
    people = pl.Series(["p1", "p2", "p1", "p3", "p4", "p5", "p6"])
    homes = pl.Series(["h1", "h1", "h2", "h2", None, "h3", "h3"])
    assert same(belonging_together(people, homes)) == {frozenset({0, 1, 2, 3}), frozenset({4}), frozenset({5, 6})}
    assert same(belonging_together(people, None)) == {frozenset({0, 2}), *(frozenset({row}) for row in (1, 3, 4, 5, 6))}
    assert belonging_together(None, None) is None


def test_without_a_household_a_row_stands_alone() -> None:
    assert same(belonging_together(None, pl.Series(["h", None, None, "h"]))) == {
        frozenset({0, 3}), frozenset({1}), frozenset({2}),
    }  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), st.integers(0, 7))), min_size=1, max_size=25))
def test_components_are_those_of_a_slow_search(rows: list[tuple[int, int | None]]) -> None:
    people = pl.Series([f"p{person}" for person, _ in rows])
    homes = pl.Series([None if home is None else f"h{home}" for _, home in rows], dtype=pl.String)
    groups = [{row} for row in range(len(rows))]
    for one in range(len(rows)):
        for other in range(one):
            linked = rows[one][0] == rows[other][0] or (rows[one][1] is not None and rows[one][1] == rows[other][1])
            mine = next(group for group in groups if one in group)
            theirs = next(group for group in groups if other in group)
            if linked and mine is not theirs:
                mine |= theirs
                groups.remove(theirs)
    assert same(belonging_together(people, homes)) == {frozenset(group) for group in groups}
