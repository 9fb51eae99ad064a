from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment import use_of_list
from riskmodels.assessment.decisions import at_capacity, decision_row
from riskmodels.assessment.intervals import Z
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import rows_of
from riskmodels.assessment.use_of_list import (
    SHARES,
    WINDOW,
    assess_use,
    avoided,
    capacity_sweep,
    marginal_person,
    regression_to_mean,
)
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import Ranking, rank
from riskmodels.study import Capacity
from riskmodels.study.use import Help, Money

DAYS = (dt.date(2021, 9, 1), dt.date(2022, 9, 1), dt.date(2023, 9, 1))
DATA_A = pl.read_csv(Path(__file__).parents[1] / "reference/df_binary.csv")
MONEY, HELP = Money(place_costs=(100, 200), success_saves=(0, 4000)), Help(take_up=(0.5, 0.8), effect=(-0.1, 0.3))


def predictions(sizes=(300, 200), unknown: float = 0.1, digits: int = 2, seed: int = 1, household: int = 1):
    """Some people on several dates; risks are rounded, so that many are tied; some outcomes are unknown."""
    rng = np.random.default_rng(seed)
    parts = []
    for day, n in zip(DAYS, sizes, strict=False):
        people = rng.permutation(2 * max(sizes))[:n]
        risk = rng.beta(1, 3, n).round(digits)
        outcome = (rng.random(n) < risk).astype(int)
        known = rng.random(n) >= unknown
        parts.append(
            pl.DataFrame(
                {
                    "entity_id": [f"p{one}" for one in people],
                    "as_of_date": [day] * n,
                    "origin": 0,
                    "stage": "test",
                    "model": "m",
                    "score": risk,
                    "risk": risk,
                    "outcome": [int(y) if k else None for y, k in zip(outcome, known, strict=True)],
                    "outcome_status": np.where(known, "known", "unobserved"),
                    "cluster_id": [f"h{one // household}" for one in people],
                },
                schema_overrides={"outcome": pl.Int8},
            )
        )
    return pl.concat(parts)


def ranked(frame: pl.DataFrame, **capacity) -> Ranking:
    return rank(frame, "m", Capacity(**(capacity or {"places": 40})), seed=3)


def by_hand(*lists) -> pl.DataFrame:
    """A ranking from one list a date, best first: (entity, risk, outcome or None)."""
    rows = [
        {"entity_id": entity, "as_of_date": day, "risk": risk, "outcome": outcome, "rank": position}
        for day, people in zip(DAYS, lists, strict=False)
        for position, (entity, risk, outcome) in enumerate(people, 1)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"outcome": pl.Int8, "rank": pl.Int32})
    return frame.with_columns(
        outcome_status=pl.when(pl.col("outcome").is_null()).then(pl.lit("unobserved")).otherwise(pl.lit("known")),
        cluster_id="entity_id",
    )


def listed(frame: pl.DataFrame, places: int):
    chosen = Ranking("m", frame.with_columns(selected=pl.col("rank") <= places), {})
    counts = {day.isoformat(): places for day in frame["as_of_date"].unique()}
    return rows_of(chosen, counts), counts


# ---------------------------------------------------------------- the sweep


@pytest.mark.parametrize("capacity", [{"places": 40}, {"share": 0.13}, {"places": 1}, {"places": 200}])
@pytest.mark.parametrize("household", [1, 3])
def test_the_own_list_is_the_one_that_metrics_and_services_see(capacity, household):
    """Ties included: most risks here are shared by several people."""
    ranking = ranked(predictions(household=household), **capacity)
    rows = rows_of(ranking, ranking.places)
    (own,) = [row for row in capacity_sweep(rows, ranking.places) if row["own"]]
    expected = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    del expected["leads_with_bounds"]
    assert {name: own[name] for name in expected} == expected


def test_every_size_is_the_list_that_so_many_places_would_have_made():
    frame = predictions((400,))
    ranking = ranked(frame)
    sweep = capacity_sweep(rows_of(ranking, ranking.places), ranking.places)
    # 40 places; 1, 2, 5, 10 and 20 of 100 ranked are 4, 8, 20, 40 and 80: three of these are there as multiples.
    assert [row["selected"] for row in sweep] == [4, 8, 20, 30, 40, 50, 60, 80, 120]
    for row in sweep:
        other = ranked(frame, places=row["selected"])
        there = rows_of(other, other.places)
        expected = at_capacity(there.outcome, there.known, there.selected, there.units)
        assert {name: row[name] for name in expected if name in row} == {
            name: value for name, value in expected.items() if name in row
        }


def test_sizes_by_hand():
    """Four places of ten ranked: half, three quarters ... twice are 2, 3, 4, 5, 6 and 8; three times is too many.

    1, 2, 5 and 10 of 100 are one person; 20 of 100 are two, which is half the places already.
    """
    rows, places = listed(by_hand([(f"p{i}", 1 - i / 10, int(i < 3)) for i in range(10)]), 4)
    sweep = capacity_sweep(rows, places)
    assert [row["selected"] for row in sweep] == [1, 2, 3, 4, 5, 6, 8]
    assert [row["times"] for row in sweep] == [None, 0.5, 0.75, 1, 1.25, 1.5, 2]
    assert sweep[0]["of_ranked"] == SHARES[0]
    # The first three have the event.
    assert [row["hits"] for row in sweep] == [1, 2, 3, 3, 3, 3, 3]
    assert [row["precision"].value for row in sweep] == pytest.approx([1, 1, 1, 3 / 4, 3 / 5, 1 / 2, 3 / 8])
    assert [row["recall"].value for row in sweep] == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1, 1])


def test_a_size_is_left_out_where_one_date_has_not_so_many_people():
    ranking = ranked(predictions((300, 100)), places=40)
    sweep = capacity_sweep(rows_of(ranking, ranking.places), ranking.places)
    assert max(row["times"] or 0 for row in sweep) == 2  # three times 40 is more than the 100 of the second date


def test_more_places_than_people_is_everybody():
    frame = by_hand([("a", 0.9, 1), ("b", 0.5, 0), ("c", 0.1, None)])
    rows, places = listed(frame, 7)
    (own,) = [row for row in capacity_sweep(rows, places) if row["own"]]
    assert (own["selected"], own["known"], own["unknown"], own["selection_rate"]) == (3, 2, 1, 1.0)


@given(n=st.integers(2, 60), places=st.integers(1, 60), unknown=st.floats(0, 0.9), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_longer_lists_find_more(n, places, unknown, seed):
    ranking = ranked(predictions((n, n), unknown, seed=seed), places=min(places, n))
    sweep = capacity_sweep(rows_of(ranking, ranking.places), ranking.places)
    sizes = [row["selected"] for row in sweep]
    assert sizes == sorted(set(sizes))
    assert sizes[0] >= 1
    assert sizes[-1] <= 2 * n
    assert sum(row["own"] for row in sweep) == 1
    for name in ("hits", "known", "unknown", "selection_rate"):
        assert [row[name] for row in sweep] == sorted(row[name] for row in sweep)
    for row in sweep:
        assert row["known"] + row["unknown"] == row["selected"]
        low, high = row["precision_bounds"]
        assert low <= high


# ---------------------------------------------------------------- the people at the cut


def test_people_at_the_cut_by_hand(monkeypatch):
    """Two dates, four places, windows of three known. Inside, rank 4 of the first date is not known, so ranks 3 and 4
    are taken: known outcomes 1 (first date, rank 3) and 0, 1 (second date). Outside, ranks 5 and 6: 0, 1 and 0, 0.
    """
    monkeypatch.setattr(use_of_list, "WINDOW", 3)
    first = [("a", 0.9, 1), ("b", 0.8, 1), ("c", 0.7, 1), ("d", 0.6, None), ("e", 0.5, 0), ("f", 0.4, 1), ("g", 0.3, 1)]
    second = [("h", 0.9, 0), ("i", 0.8, 0), ("j", 0.6, 0), ("k", 0.5, 1), ("l", 0.4, 0), ("m", 0.3, 0), ("n", 0.2, 1)]
    found = marginal_person(*listed(by_hand(first, second), 4))
    inside, outside = found["inside"], found["outside"]
    assert (inside["n"], inside["unknown"], inside["mean_risk"]) == (3, 1, pytest.approx((0.7 + 0.6 + 0.5) / 3))
    assert (outside["n"], outside["unknown"], outside["mean_risk"]) == (4, 0, pytest.approx(0.4))
    assert (inside["observed"].value, outside["observed"].value) == pytest.approx((2 / 3, 1 / 4))
    # Seven people once each: variance 7/6 x (2/3 x 1/3 / 3 + 1/4 x 3/4 / 4).
    half = Z * (7 / 6 * (2 / 27 + 3 / 64)) ** 0.5
    difference = found["difference"]
    assert difference.value == pytest.approx(5 / 12)
    assert (difference.low, difference.high) == pytest.approx((5 / 12 - half, min(5 / 12 + half, 1)))


def test_the_same_person_on_both_sides_of_the_cut_is_one_cluster():
    ranking = ranked(predictions((400, 400, 400), household=2), places=90)
    rows = rows_of(ranking, ranking.places)
    found = marginal_person(rows, ranking.places)
    # Slow: the nearest ranks one by one until there are enough, then the sums of each cluster in a loop.
    sides = []
    for step, start in ((-1, 90), (1, 91)):
        near: list[int] = []
        rank_ = start
        while len(near) < WINDOW:
            near += [i for i in range(rows.n) if rows.rank[i] == rank_ and rows.known[i]]
            rank_ += step
        sides.append(near)
    rates = [rows.outcome[side].mean() for side in sides]
    sums: dict[int, float] = {}
    for side, rate, sign in zip(sides, rates, (1, -1), strict=True):
        for i in side:
            cluster = int(rows.units.of_row[i])
            sums[cluster] = sums.get(cluster, 0.0) + sign * (rows.outcome[i] - rate) / len(side)
    assert [found[side]["n"] for side in ("inside", "outside")] == [len(side) for side in sides]
    assert len(sums) < sum(map(len, sides))
    from scipy import stats

    groups = len(sums)
    half = stats.t.ppf(0.975, groups - 1) * (groups / (groups - 1) * sum(v * v for v in sums.values())) ** 0.5
    assert found["difference"].value == pytest.approx(rates[0] - rates[1])
    assert found["difference"].high == pytest.approx(rates[0] - rates[1] + half)


def test_windows_are_near_the_cut_and_hold_enough():
    ranking = ranked(predictions((300, 300), unknown=0.4), places=120)
    rows = rows_of(ranking, ranking.places)
    found = marginal_person(rows, ranking.places)
    for side in ("inside", "outside"):
        assert WINDOW <= found[side]["n"] < WINDOW + 2
    assert found["inside"]["mean_risk"] >= found["outside"]["mean_risk"]


@pytest.mark.parametrize(("places", "empty", "word"), [(30, "inside", "on"), (260, "outside", "below")])
def test_too_few_on_one_side_is_said(places, empty, word):
    ranking = ranked(predictions((300,), unknown=0.1), places=places)
    found = marginal_person(rows_of(ranking, ranking.places), ranking.places)
    assert found[empty]["observed"].reason == f"fewer than 50 people {word} the list have a known outcome"
    assert (found[empty]["n"], found["difference"].value) == (None, None)
    other = "outside" if empty == "inside" else "inside"
    assert found[other]["observed"].value is not None


# ---------------------------------------------------------------- what changes by itself


def test_risk_then_and_later_by_hand():
    """Places 2. First date: a, b listed; second: c, a listed; third: d, b listed.

    Pairs: a .9 -> .5, b .8 -> .2, c .3 -> .7 (first to second); a .5 -> .1, c .7 -> .3 (second to third). b stands on
    the first and the second date only once each; d is new. Listed at the start of the pair: a, b; then c, a.
    """
    first = [("a", 0.9, 1), ("b", 0.8, 0), ("c", 0.3, 0)]
    second = [("c", 0.7, 1), ("a", 0.5, 0), ("b", 0.2, 0)]
    third = [("d", 0.8, 0), ("c", 0.3, 0), ("a", 0.1, 0)]
    frame = by_hand(first, second, third)
    rows, _ = listed(frame, 2)
    found = regression_to_mean(rows, frame["entity_id"])
    listed_, everybody = found["listed"], found["everybody"]
    assert [(who["n"], who["remaining"]) for who in (listed_, everybody)] == [(4, 4), (6, 5)]
    assert listed_["then"].value == pytest.approx((0.9 + 0.8 + 0.7 + 0.5) / 4)
    assert listed_["later"].value == pytest.approx((0.5 + 0.2 + 0.3 + 0.1) / 4)
    assert everybody["change"].value == pytest.approx((-0.4 - 0.6 + 0.4 - 0.4 - 0.4) / 5)
    # Clusters a (twice), b, c: residuals about -.45 are .05 + .05, -.15, .05; the variance of their sum is 3/2 x .035.
    from scipy import stats

    half = stats.t.ppf(0.975, 2) * (3 / 2 * (0.1**2 + 0.15**2 + 0.05**2)) ** 0.5 / 4
    assert (listed_["change"].low, listed_["change"].value) == pytest.approx((-0.45 - half, -0.45))


def test_the_order_of_rows_does_not_matter():
    ranking = ranked(predictions((300, 300, 300)))
    shuffled = ranking.frame.sample(fraction=1.0, shuffle=True, seed=4)
    found = [
        regression_to_mean(rows_of(Ranking("m", frame, ranking.places), ranking.places), frame["entity_id"])
        for frame in (ranking.frame, shuffled)
    ]
    assert found[0]["listed"]["remaining"] > 0
    assert found[1]["listed"]["change"].low == pytest.approx(found[0]["listed"]["change"].low)


def test_only_the_next_date_counts():
    """a is gone on the second date and back on the third; b is on the first and second."""
    frame = by_hand([("a", 0.9, 1), ("b", 0.8, 0)], [("b", 0.7, 1), ("e", 0.5, 0)], [("a", 0.8, 0), ("d", 0.3, 0)])
    rows, _ = listed(frame, 1)
    found = regression_to_mean(rows, frame["entity_id"])
    assert [(found[who]["n"], found[who]["remaining"]) for who in ("listed", "everybody")] == [(2, 0), (4, 1)]
    assert found["listed"]["change"].reason == "nobody on a list was ranked on the next test date"


def test_without_a_next_date_there_is_a_reason():
    ranking = ranked(predictions((100,)))
    found = regression_to_mean(rows_of(ranking, ranking.places), ranking.frame["entity_id"])
    for who in ("listed", "everybody"):
        assert (found[who]["remaining"], found[who]["change"].value) == (0, None)
        assert found[who]["change"].reason == "there is one test date only"


def test_those_picked_at_their_worst_fall_by_themselves():
    """Risk is a lasting part and a passing part of equal spread: half of the excess is to be lost, and nobody helps."""
    rng = np.random.default_rng(8)
    n = 4000
    lasting = rng.normal(0, 0.05, n)
    lists = []
    for _ in range(2):
        risk = np.clip(0.5 + lasting + rng.normal(0, 0.05, n), 0.01, 0.99)
        order = np.argsort(-risk)
        lists.append([(f"p{i}", float(risk[i]), int(rng.random() < risk[i])) for i in order])
    frame = by_hand(*lists)
    found = regression_to_mean(listed(frame, 400)[0], frame["entity_id"])
    excess = found["listed"]["then"].value - 0.5
    assert found["listed"]["later"].value - 0.5 == pytest.approx(excess / 2, abs=0.006)
    assert found["listed"]["change"].high < 0
    assert found["everybody"]["change"].value == pytest.approx(0, abs=0.006)


# ---------------------------------------------------------------- interventions avoided


@pytest.mark.parametrize("threshold", [0.1, 0.25, 0.5])
def test_avoided_is_the_published_figure_with_an_interval(threshold):
    outcome, risk = DATA_A["cancer"].to_numpy(), DATA_A["cancerpredmarker"].to_numpy()
    found = avoided(outcome, risk, threshold)
    assert found.value == pytest.approx(decision_row(outcome, risk, threshold)["interventions_avoided"])
    if threshold == 0.25:
        assert found.value == pytest.approx(0.632, rel=1e-6)  # R dcurves
    # By its definition: the spread of the net benefits' difference over rows, times (1 - t)/t.
    odds = threshold / (1 - threshold)
    helped = (risk >= threshold).astype(float)
    difference = (helped - 1) * (outcome - odds * (1 - outcome)) / odds
    half = Z * difference.std(ddof=1) / len(risk) ** 0.5
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_avoided_with_every_row_twice_is_no_more_certain():
    outcome, risk = DATA_A["cancer"].to_numpy(), DATA_A["cancerpredmarker"].to_numpy()
    once = avoided(outcome, risk, 0.2, np.arange(750))
    twice = avoided(np.tile(outcome, 2), np.tile(risk, 2), 0.2, np.tile(np.arange(750), 2))
    assert twice.value == pytest.approx(once.value)
    assert twice.high - twice.value == pytest.approx(once.high - once.value, rel=0.01)


@pytest.mark.parametrize("threshold", [0, 1, -0.2, float("nan")])
def test_avoided_at_no_threshold(threshold):
    with pytest.raises(StudyError, match="thresholds"):
        avoided([0, 1], [0.1, 0.2], threshold)


# ---------------------------------------------------------------- all together


def assess(ranking: Ranking, **changes):
    given_ = {"money": MONEY, "help_on_offer": HELP, "thresholds": (0.2, 0.4)}
    return assess_use(rows_of(ranking, ranking.places), ranking.frame, ranking.places, **(given_ | changes))


def test_the_whole_of_it():
    ranking = ranked(predictions((300, 300)), places=80)
    found = assess(ranking)
    assert set(found) == {"capacity_sweep", "marginal", "assumed", "regression_to_mean", "interventions_avoided"}
    (own,) = [row for row in found["capacity_sweep"] if row["own"]]
    assert found["assumed"]["precision"] == own["precision"]
    assert [row["threshold"] for row in found["interventions_avoided"]] == [0.2, 0.4]
    assert "unknown" in found["assumed"]["saved_per_100"]
    json.dumps(plain(found), allow_nan=False)


def test_the_same_ranking_gives_the_same_answer():
    ranking = ranked(predictions((200, 200)), places=60)
    assert plain(assess(ranking)) == plain(assess(ranking))


def test_nobody_known_is_no_reason_to_fail():
    found = assess(ranked(predictions((80, 80), unknown=1.1), places=20))
    (own,) = [row for row in found["capacity_sweep"] if row["own"]]
    assert (own["precision"].value, own["precision_bounds"]) == (None, [0, 1])
    assert found["interventions_avoided"][0]["avoided"].value is None
    json.dumps(plain(found), allow_nan=False)


def test_another_frame_and_missing_risks_are_refused():
    ranking = ranked(predictions((50,)), places=10)
    rows = rows_of(ranking, ranking.places)
    with pytest.raises(DataError, match="ranking"):
        assess_use(rows, ranking.frame.head(9), ranking.places, money=None, help_on_offer=None, thresholds=())
    holes = Ranking("m", ranking.frame.with_columns(risk=pl.lit(None, dtype=pl.Float64)), ranking.places)
    with pytest.raises(DataError, match="risk"):
        assess(holes)
