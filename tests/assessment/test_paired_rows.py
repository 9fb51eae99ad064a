"""Which rows two runs are compared on, what is counted of the others, and what is refused."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from riskmodels.assessment.paired_rows import pair, ranked_run
from riskmodels.errors import DataError
from tests.assessment.compared_runs import DAYS, county, made, ranking

FIRST = {("a", 0): (0.9, 1), ("b", 0): (0.7, 0), ("c", 0): (0.5, None), ("d", 0): (0.2, 0), ("a", 1): (0.4, 0)}


def test_rows_of_both_with_an_outcome_that_both_know():
    # a and d are known to both; c is known to nobody; b only to the first; e was ranked by the second only.
    second = {("a", 0): (0.8, 1), ("b", 0): (0.1, None), ("c", 0): (0.3, None), ("d", 0): (0.6, 0), ("e", 0): (0.7, 1)}
    found = pair(made("A", FIRST), made("B", second))
    assert found.days == [DAYS[0]]
    assert (found.first.outcome.tolist(), found.first.risk.tolist()) == ([1.0, 0.0], [0.9, 0.2])
    assert (found.second.risk.tolist(), found.second.selected.tolist()) == ([0.8, 0.6], [True, False])
    assert found.first.selected.tolist() == [True, False]
    assert found.counts == {
        "days": ["2020-01-01"], "days_only_first": ["2021-01-01"], "days_only_second": [],
        "rows": 4, "rows_only_first": 0, "rows_only_second": 1, "known": 2, "events": 1, "known_in_one_only": 1,
        "outcomes_that_differ": 0,
    }  # fmt: skip


def test_everybody_whom_either_ranked_is_there_once():
    second = {("a", 0): (0.8, 1), ("e", 0): (0.7, 1)}
    rows = pair(made("A", FIRST), made("B", second)).everyone
    assert rows["entity_id"].to_list() == ["a", "b", "c", "d", "e"]
    # Of those whom only one ranked, its own outcome; of those whom both did, what both know.
    assert rows["outcome"].to_list() == [1, 0, None, 0, 1]
    assert rows["rank_second"].to_list() == [1, None, None, None, 2]
    assert rows["selected_second"].to_list() == [True, False, False, False, True]


def test_the_order_of_the_files_does_not_matter():
    first, second = county(noise=0.4), county(noise=0.8)
    shuffled = second.sample(fraction=1, shuffle=True, seed=3)
    one, other = (pair(ranked_run("A", first), ranked_run("B", each)) for each in (second, shuffled))
    assert one.everyone.equals(other.everyone)
    assert one.second.risk.tobytes() == other.second.risk.tobytes()


def test_people_on_two_dates_are_clusters():
    frame = county(people=50, unknown=0.0)
    found = pair(ranked_run("A", frame), ranked_run("B", frame))
    assert found.units.count == 50
    assert found.first.outcome.size == 100


def test_no_common_date_and_nobody_in_common():
    with pytest.raises(DataError, match="A and B: have no test date in common"):
        pair(made("A", {("a", 0): (0.9, 1)}), made("B", {("a", 1): (0.9, 1)}))
    with pytest.raises(DataError, match="A and B: ranked nobody in common"):
        pair(made("A", {("a", 0): (0.9, 1)}), made("B", {("b", 0): (0.9, 1)}))


@pytest.mark.parametrize(("people", "changed", "refused"), [(1000, 1, False), (1000, 2, True), (999, 1, True)])
def test_other_outcomes_of_the_same_rows_are_few_or_refused(people, changed, refused):
    rows = {(f"p{number}", 0): (number / 2000, number % 2) for number in range(people)}
    other = dict(rows)
    for number in range(changed):
        risk, outcome = rows[f"p{number}", 0]
        other[f"p{number}", 0] = (risk, 1 - outcome)
    if refused:
        with pytest.raises(DataError, match=f"{changed} of {people} rows have another outcome"):
            pair(made("A", rows), made("B", other))
    else:
        counts = pair(made("A", rows), made("B", other)).counts
        assert (counts["known"], counts["outcomes_that_differ"]) == (people - changed, changed)


def edit(**columns):
    return lambda frame: frame.with_columns(**columns)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop("risk"), "no column 'risk' of numbers"),
        (edit(as_of_date=pl.lit("2020-01-01")), "no column 'as_of_date' of dates"),
        (edit(outcome=pl.lit(0.5)), "no column 'outcome' of whole numbers"),
        (edit(outcome=pl.lit(2)), "outcomes other than 0 and 1"),
        (edit(risk=pl.lit(float("nan"))), "a gap in a column"),
        (edit(cluster_id=pl.lit(None, dtype=pl.String)), "a gap in a column"),
        (edit(risk=pl.col("risk") * 100), "risks that are no probability"),
        (edit(outcome_status=pl.lit("known")), "outcomes that do not go with their status"),
        (edit(entity_id=pl.lit("a"), rank=pl.col("rank")), "rows that stand twice"),
        (edit(rank=pl.col("rank") + 1), "ranks that do not run from 1"),
        (edit(rank=pl.lit(1)), "ranks that do not run from 1"),
        (edit(selected=~pl.col("selected")), "a list that is not the top of its ranking"),
        (lambda frame: frame.clear(), "rows, which is none"),
    ],
)
def test_a_ranking_that_is_not_one_is_refused_in_one_line(change, words):
    with pytest.raises(DataError) as refused:
        ranked_run("A", change(ranking(FIRST)))
    assert words in str(refused.value)
    assert str(refused.value).startswith("A: ranking.parquet")
    assert "\n" not in str(refused.value)


def test_days_are_in_order():
    assert made("A", FIRST).days == [dt.date(2020, 1, 1), dt.date(2021, 1, 1)]
