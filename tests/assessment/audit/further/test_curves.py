import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from riskmodels.assessment.audit.coding import code_groups
from riskmodels.assessment.audit.counting.counts import cells_of
from riskmodels.assessment.audit.further.curves import curve_rows
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.models.splines import PLACES, restricted_cubic_basis
from riskmodels.study import Protected

POLICY = load_policy()


def curves(ages, status, selected, clusters=None, purpose="assistive", bands=(40, 60)):
    spec = Protected(column="x.age", law="age", bands=bands)
    attribute = code_groups("age", pl.Series(np.asarray(ages)).cast(pl.String), spec, POLICY)
    return curve_rows(
        [attribute], cells_of(np.asarray(status), np.asarray(selected)), clusters, purpose, POLICY, "people"
    )


def made(n=4000, seed=1, whole=True):
    """Ages, and who of those with the outcome is found: fewer, the older."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(18, 90, n) if whole else rng.uniform(18, 90, n)
    truth = 1 / (1 + np.exp((ages - 50) / 20))
    return ages, np.ones(n, dtype=int), rng.random(n) < truth


@pytest.mark.parametrize("clustered", [False, True])
def test_the_curve_is_statsmodels_on_the_same_spline(clustered):
    ages, status, selected = made()
    clusters = np.repeat(np.arange(len(ages) // 4), 4) if clustered else None
    row = curves(ages, status, selected, clusters)[0]
    knots = np.array([np.sort(ages)[int(np.ceil(share * len(ages))) - 1] for share in PLACES[4]], dtype=float)

    def design(at):
        return np.column_stack([np.ones(len(at)), restricted_cubic_basis(np.asarray(at, dtype=float), knots)])

    options = {"cov_type": "cluster", "cov_kwds": {"groups": clusters, "use_correction": False}} if clustered else {}
    fit = sm.GLM(selected.astype(float), design(ages), family=sm.families.Binomial()).fit(**options)
    at = [point["at"] for point in row["points"]]
    where = design(at)
    assert [point["value"] for point in row["points"]] == pytest.approx(fit.predict(where), abs=1e-6)
    half = [
        np.log(point["high"] / (1 - point["high"])) - np.log(point["value"] / (1 - point["value"]))
        for point in row["points"]
    ]
    groups = len(ages) // 4
    # Student's t on 999 degrees of freedom, and G / (G - 1).
    z = 1.962341 * np.sqrt(groups / (groups - 1)) if clustered else 1.959964
    assert half == pytest.approx(z * np.sqrt(np.einsum("ij,jk,ik->i", where, fit.cov_params(), where)), rel=1e-4)


@pytest.mark.parametrize("whole", [True, False])
def test_the_curve_finds_what_was_planted(whole):
    ages, status, selected = made(20_000, whole=whole)
    points = curves(ages, status, selected)[0]["points"]
    assert len(points) > 10
    for point in points:
        assert point["value"] == pytest.approx(1 / (1 + np.exp((point["at"] - 50) / 20)), abs=0.03)
        assert point["low"] < point["value"] < point["high"]
        near = np.abs(ages - point["at"]) <= 5
        assert point["n"] == pytest.approx(near.sum(), rel=0.4)


def test_one_number_that_is_far_off_changes_nothing_much():
    ages, status, selected = made(20_000)
    ages = ages.astype(float)
    ages[0] = 1e9
    points = curves(ages, status, selected)[0]["points"]
    assert len(points) > 10
    for point in points:
        assert point["value"] == pytest.approx(1 / (1 + np.exp((point["at"] - 50) / 20)), abs=0.03)


def test_points_lie_where_people_are():
    rng = np.random.default_rng(1)
    ages = np.concatenate([rng.integers(20, 40, 1000), rng.integers(70, 90, 1000), [55] * 20])
    row = curves(ages, np.ones(2020, dtype=int), rng.random(2020) < 0.4)[0]
    at = np.array([point["at"] for point in row["points"]])
    # The step is 5 and so is the reach: at 50 to 60 there are only the twenty who are 55.
    assert at.min() <= 25
    assert at.max() >= 85
    assert not ((at >= 50) & (at <= 60)).any()
    assert all(point["n"] >= POLICY.floors.ratio for point in row["points"])


@pytest.mark.parametrize(
    ("purpose", "metrics"), [("assistive", ["recall"]), ("punitive", ["recall", "fpr"]), ("mixed", ["recall", "fpr"])]
)
def test_the_purpose_decides_which_rates(purpose, metrics):
    ages, _, selected = made(2000)
    status = np.random.default_rng(2).integers(0, 3, 2000)
    rows = curves(ages, status, selected, purpose=purpose)
    assert [row["metric"] for row in rows] == metrics
    assert all(len(row["points"]) > 5 for row in rows)


def test_without_bands_there_is_no_curve():
    attribute = code_groups("race", pl.Series(["a", "b"] * 50), Protected(column="x.race", law="race"), POLICY)
    assert curve_rows([attribute], np.full(100, 3), None, "assistive", POLICY, "people") == ()


def test_what_cannot_be_drawn_says_why():
    ages, status, selected = made(200)
    reasons = [
        curves(ages[:20], status[:20], selected[:20])[0],
        curves(ages, status, np.ones(200, dtype=bool))[0],
        curves(ages, status, selected, np.zeros(200, dtype=int))[0],
        curves(ages, status, ages > 50)[0],
        curves(np.arange(40) * 1000.0, np.ones(40, dtype=int), np.arange(40) % 2 == 0)[0],
    ]
    assert [row["points"] for row in reasons] == [[]] * 5
    assert [row["reason"] for row in reasons] == [
        "fewer than 30 people who had the outcome",
        "no curve: the list treats everybody alike here",
        "no interval: all rows belong to one cluster",
        "the curve has no finite fit: too few events, or too few different values",
        "no curve: nowhere are there 30 people near each other",
    ]


def test_people_who_prefer_not_to_say_are_left_out():
    ages, status, selected = made(1000)
    words = np.where(np.arange(1000) % 10 == 0, "Prefer not to say", ages.astype(str))
    stated = np.arange(1000) % 10 != 0
    left = curves(ages[stated], status[stated], selected[stated])
    spec = Protected(column="x.age", law="age", bands=(40, 60))
    attribute = code_groups("age", pl.Series(words), spec, POLICY)
    assert curve_rows([attribute], cells_of(status, selected), None, "assistive", POLICY, "people") == left


def test_a_few_people_on_many_dates_are_a_few():
    """Of 60 people 20 are in their eighties, on 30 dates each: 600 rows, and too few for a point."""
    person = np.repeat(np.arange(60), 30)
    ages = np.where(person < 40, 20 + person // 20, 85)
    ages = ages + np.tile(np.arange(30) // 10, 60)
    selected = np.random.default_rng(1).random(1800) < 0.4
    status = np.ones(1800, dtype=int)
    assert {point["at"] > 60 for point in curves(ages, status, selected)[0]["points"]} == {False, True}
    points = curves(ages, status, selected, person)[0]["points"]
    assert points
    assert max(point["at"] for point in points) < 60
    few = curves(ages[person >= 40], status[person >= 40], selected[person >= 40], person[person >= 40] - 40)[0]
    assert few["reason"] == "fewer than 30 people who had the outcome"


def test_numbers_that_are_not_finite_are_left_out():
    ages, status, selected = made(1000)
    words = np.where(np.arange(1000) % 10 == 0, "inf", ages.astype(str))
    words[5::10] = "nan"
    known = np.arange(1000) % 5 != 0
    assert curves(words, status, selected) == curves(ages[known], status[known], selected[known])


@pytest.mark.parametrize("whole", [True, False])
def test_the_order_of_rows_does_not_matter(whole):
    ages, status, selected = made(1000, whole=whole)
    clusters, order = np.repeat(np.arange(500), 2), np.random.default_rng(3).permutation(1000)
    one = curves(ages, status, selected, clusters)[0]
    other = curves(ages[order], status[order], selected[order], clusters[order])[0]
    for mine, yours in zip(one["points"], other["points"], strict=True):
        assert mine == pytest.approx(yours)
