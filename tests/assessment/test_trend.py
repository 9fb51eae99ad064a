from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.influence import INFLUENCES, Influence
from riskmodels.assessment.intervals import Z, of_rows
from riskmodels.assessment.trend import difference, too_few_to_compare, trend_of
from tests.assessment.made_up_rows import few_rows, ranked_rows

DAYS = [dt.date(2020, 1, 1), dt.date(2021, 1, 1), dt.date(2022, 1, 1), dt.date(2023, 1, 1)]


def by_date(rows):
    """Known rows, the position of each one's date, and the dates."""
    known = rows.known_only()
    part = np.searchsorted(np.array(rows.days, dtype="datetime64[D]"), known.dates)
    return known, part, rows.days


def trend(rows, metric):
    known, part, days = by_date(rows)
    found = [INFLUENCES[metric](known.of(part == number)) for number in range(len(days))]
    return trend_of(metric, found, days, part, known.units)


def test_five_rows_by_hand():
    """Dates 0 and 1 year apart with values 1 and 3 and variances .01 + .01 = .02: 2, -+ 1.96 sqrt(.02)."""
    part = np.array([0, 0, 1, 1, 1])
    spread = Influence(1.0, np.array([0.0707107, -0.0707107])), Influence(3.0, np.array([0.1, 0.0, 0.0]))
    row = trend_of("brier_score", spread, DAYS[:2], part, None)
    assert (row["per"], row["scale"], row["verdict"], row["scatter_p"]) == ("difference", "sum", "rises", None)
    assert row["change"].value == pytest.approx(2.0)
    assert row["change"].low == pytest.approx(2 - Z * math.sqrt(0.02), abs=1e-6)
    assert row["change"].n == 5


def test_slope_is_that_of_weighted_least_squares():
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    part = np.repeat(np.arange(4), 50)
    found = [
        Influence(value, rng.normal(size=50) * spread)
        for value, spread in ((0.8, 0.01), (0.7, 0.02), (0.75, 0.01), (0.6, 0.03))
    ]
    row = trend_of("auc", found, DAYS, part, None)
    years = np.array([(day - DAYS[0]).days / 365.25 for day in DAYS])
    weights = np.array([1 / np.sum(one.values**2) for one in found])
    fit = sm.WLS([one.value for one in found], sm.add_constant(years), weights=weights).fit(cov_type="fixed scale")
    assert row["per"] == "year"
    assert row["change"].value == pytest.approx(fit.params[1])
    assert row["change"].high - row["change"].value == pytest.approx(Z * fit.bse[1])
    assert row["p"] == pytest.approx(fit.pvalues[1])


def test_one_date_has_no_trend():
    row = trend(ranked_rows(dates=1), "auc")
    assert row["change"].value is None
    assert "one test date" in row["change"].reason
    assert (row["verdict"], row["p"]) == ("not computed", None)


def test_a_date_of_few_events_is_left_out_and_two_such_leave_nothing():
    found = [
        Influence(0.8, np.array([0.1, -0.1])),
        "3 events and 9 non-events are known",
        Influence(0.7, np.array([0.1, -0.1])),
    ]
    part = np.array([0, 0, 1, 2, 2])
    row = trend_of("auc", found, DAYS[:3], part, None)
    assert row["dates"] == [DAYS[0], DAYS[2]]
    assert row["change"].n == 4
    row = trend_of("auc", [found[0], found[1], found[1]], DAYS[:3], part, None)
    assert "3 events" in row["change"].reason


@pytest.mark.parametrize(("events", "others", "few"), [(20, 20, False), (19, 40, True), (40, 19, True), (0, 40, True)])
def test_twenty_of_either_outcome_can_be_compared(events, others, few):
    rows = few_rows([1] * events + [0] * others, [0.3] * (events + others))
    reason = too_few_to_compare(rows)
    assert (reason is not None) == few
    assert reason is None or reason == "fewer than 20 events or non-events are known"


def test_observed_to_expected_changes_by_a_factor():
    """Twice as much after one year: log 2, back as 2."""
    found = [Influence(math.log(ratio), np.array([0.1, -0.1])) for ratio in (1.0, 2.0)]
    row = trend_of("oe_ratio", found, DAYS[:2], np.array([0, 0, 1, 1]), None)
    assert row["scale"] == "factor"
    assert row["change"].value == pytest.approx(2.0)
    assert row["change"].low == pytest.approx(2 * math.exp(-Z * math.sqrt(0.04)))


@pytest.mark.parametrize(
    ("values", "verdict", "steady"),
    [
        ((0.8, 0.8, 0.8, 0.8), "no clear change", True),
        ((0.9, 0.8, 0.7, 0.6), "falls", True),
        ((0.8, 0.8, 0.5, 0.7), "falls", False),
    ],
)
def test_verdict_and_scatter(values, verdict, steady):
    found = [Influence(value, np.array([0.01, -0.01])) for value in values]
    row = trend_of("auc", found, DAYS, np.repeat(np.arange(4), 2), None)
    assert row["verdict"] == verdict
    assert (row["scatter_p"] > 0.05) == steady


def test_the_same_people_on_every_date_make_a_difference_surer():
    """A frailty that lasts and that the risks do not see cancels in the difference of two dates."""
    rows = ranked_rows(people=800, dates=2, frailty=2.0)
    blind = replace(rows, risk=np.random.default_rng(1).uniform(0.1, 0.4, rows.n))
    known, part, days = by_date(blind)
    found = [INFLUENCES["oe_ratio"](known.of(part == number)) for number in (0, 1)]
    together, strangers = (trend_of("oe_ratio", found, days, part, units)["change"] for units in (known.units, None))
    assert together.value == strangers.value
    assert math.log(together.high / together.low) < 0.9 * math.log(strangers.high / strangers.low)


@pytest.mark.parametrize("metric", ["auc", "brier_score", "calibration_slope", "oe_ratio", "precision_at_k"])
def test_interval_is_as_wide_as_the_spread_over_cohorts(metric):
    """Independent oracle: draw the whole county anew, and see how much the slope really varies."""
    rows = [ranked_rows(people=300, dates=3, seed=seed, frailty=1.5, share=0.3) for seed in range(120)]
    found = [trend(each, metric)["change"] for each in rows]
    on_log = np.log if metric == "oe_ratio" else np.asarray
    spread = np.std([on_log(one.value) for one in found], ddof=1)
    claimed = np.mean([(on_log(one.high) - on_log(one.low)) / 2 / 1.968 for one in found])
    assert claimed == pytest.approx(spread, rel=0.2)


def test_difference_of_two_sets_that_share_people():
    known, part, _ = by_date(ranked_rows(people=300, dates=2))
    sides = [INFLUENCES["auc"](known.of(part == number)) for number in (0, 1)]
    found = difference(*sides, part, known.units)
    aucs = [auc(known.outcome[part == i], known.risk[part == i], of_rows(known.units, part == i)).value for i in (0, 1)]
    assert found.value == pytest.approx(aucs[1] - aucs[0])
    assert found.low < found.value < found.high


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["auc", "oe_ratio", "calibration_slope"])
def test_interval_covers_no_change(metric):
    """1,000 counties in which nothing changes: the interval of the trend leaves out none in 3 to 7 of 100."""
    none = 1.0 if metric == "oe_ratio" else 0.0
    found = [trend(ranked_rows(people=400, dates=4, seed=seed), metric)["change"] for seed in range(1000)]
    covered = np.mean([one.low <= none <= one.high for one in found])
    assert 0.93 <= covered <= 0.97
