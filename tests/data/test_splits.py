"""Rolling origins with the maturity gap, and who is held out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.data.splits import Split, Splits, assert_no_overlap, held_out, plan_splits, seeded_hash
from riskmodels.errors import LeakError, StudyError
from riskmodels.study import StudyFile
from tests.data.small_study import BASE, study_file

MONTHS = tuple(dt.date(2020, month, 1) for month in range(1, 13))
EXTRACT = dt.date(2021, 6, 30)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def study(calibrate: str = "later", horizon: str = "2 months", lag: str = "1 month", **test: Any) -> StudyFile:
    return study_file(
        cohort={"as_of_dates": list(MONTHS)},
        outcome={**BASE["outcome"], "horizon": horizon, "lag": lag},
        split={"test": test or {"last": 2}, "calibrate": calibrate, "why_grouped": "small"},
    )


def test_later_calibrates_on_the_last_mature_dates_and_fits_before_them_with_the_gap_again() -> None:
    splits = plan_splits(study(), EXTRACT)
    november, december = splits.origins
    # Three months before 1 November is 1 August: eight dates are mature, a quarter of them are two.
    assert november == Split(0, day("2020-11-01"), MONTHS[:4], MONTHS[6:8], day("2020-11-01"), "later")
    # Nine mature dates, of which round(2.25) = 2 calibrate: August and September; the outcome of May is over by August.
    assert december == Split(1, day("2020-12-01"), MONTHS[:5], MONTHS[7:9], day("2020-12-01"), "later")
    # The service fit stands on the day of the extract and uses every date: a quarter of twelve are three.
    assert splits.service == Split(2, EXTRACT, MONTHS[:7], MONTHS[9:], None, "later")
    assert splits.all == (*splits.origins, splits.service)


def test_grouped_fits_and_calibrates_on_the_same_dates() -> None:
    origin = plan_splits(study("grouped"), EXTRACT).origins[0]
    assert origin.fit == origin.calibrate == MONTHS[:8]
    assert origin.how == "grouped"


def test_dates_to_test_on_may_be_named() -> None:
    splits = plan_splits(study(dates=["2020-08-01", "2020-12-01"]), EXTRACT)
    assert [split.test for split in splits.origins] == [day("2020-08-01"), day("2020-12-01")]


@settings(max_examples=60)
@given(
    horizon=st.integers(1, 8), lag=st.integers(0, 3), tests=st.integers(1, 4), how=st.sampled_from(["later", "grouped"])
)
def test_no_outcome_that_teaches_is_open_on_the_test_date(horizon: int, lag: int, tests: int, how: str) -> None:
    planned = study(how, f"{horizon} months", f"{lag} months", last=tests)
    try:
        splits = plan_splits(planned, EXTRACT)
    except StudyError:
        return
    for split in splits.all:
        for taught in (*split.fit, *split.calibrate):
            # Months all through, so the gap can be counted on fingers: horizon and lag lie between.
            months = 12 * (split.stands_on.year - taught.year) + split.stands_on.month - taught.month
            assert months >= horizon + lag
        if how == "later":
            assert split.calibrate[0].month - split.fit[-1].month >= horizon + lag
            assert set(split.fit).isdisjoint(split.calibrate)


def test_when_the_gap_leaves_nothing_to_fit_on_grouped_is_named() -> None:
    with pytest.raises(StudyError) as caught:
        plan_splits(study(horizon="5 months", dates=["2020-08-01"]), EXTRACT)
    said = str(caught.value)
    assert said.startswith("split.calibrate: later leaves no date to fit on at 2020-08-01; add earlier as_of_dates, or")
    assert "calibrate: grouped" in said
    # The same dates do for the other way.
    assert plan_splits(study("grouped", "5 months", dates=["2020-08-01"]), EXTRACT).origins[0].fit == MONTHS[:2]


def test_an_origin_without_a_mature_date_is_refused() -> None:
    with pytest.raises(StudyError, match="split: at 2020-03-01 no as-of date has a mature outcome to learn from"):
        plan_splits(study("grouped", dates=["2020-03-01"]), EXTRACT)


def test_test_dates_whose_outcomes_are_all_open_are_refused() -> None:
    with pytest.raises(StudyError, match=r"split\.test: no test date has a mature outcome by 2021-02-28"):
        plan_splits(study(dates=["2020-12-01"]), day("2021-02-28"))
    plan_splits(study(dates=["2020-12-01"]), day("2021-03-01"))


@pytest.mark.parametrize("part", ["fit", "calibrate"])
@pytest.mark.parametrize("origin", ["test", "service"])
def test_a_planted_overlap_is_a_leak(part: str, origin: str) -> None:
    planned = study("grouped")
    splits = plan_splits(planned, EXTRACT)
    assert_no_overlap(splits, planned)
    # Three months on, 2 August is one day too late for 1 November, and 1 April for the extract of 30 June.
    late = day("2020-08-02") if origin == "test" else day("2021-04-01")
    if origin == "test":
        planted = dataclasses.replace(splits.origins[0], **{part: (late,)})
        splits = Splits((planted, *splits.origins[1:]), splits.service)
    else:
        splits = Splits(splits.origins, dataclasses.replace(splits.service, **{part: (late,)}))
    with pytest.raises(LeakError, match=f"the outcome of {late} is not over by .*; the model would see the future"):
        assert_no_overlap(splits, planned)


def test_a_planted_overlap_of_fit_and_calibration_is_a_leak() -> None:
    planned = study()
    splits = plan_splits(planned, EXTRACT)
    first = splits.origins[0]
    planted = dataclasses.replace(first, fit=(*first.fit, MONTHS[4]))  # one date nearer to July
    with pytest.raises(LeakError, match="the outcome of 2020-05-01 is not over by 2020-07-01"):
        assert_no_overlap(Splits((planted,), splits.service), planned)


# ---------------------------------------------------------------- held out

CLUSTERS = pl.Series([f"home {i // 3}" for i in range(6000)])


def test_whole_clusters_are_held_out_near_their_share() -> None:
    out = held_out(CLUSTERS, 0.25, seed=7)
    together = pl.DataFrame({"cluster": CLUSTERS, "out": out}).group_by("cluster").agg(pl.col("out").n_unique())
    assert together["out"].to_list() == [1] * 2000
    # Of 2,000 clusters a quarter are drawn: the standard deviation of the share is sqrt(.25 * .75 / 2000) = .0097.
    assert out.mean() == pytest.approx(0.25, abs=4 * 0.0097)
    assert held_out(CLUSTERS, 0.5, seed=7).mean() == pytest.approx(0.5, abs=4 * 0.0112)


def test_the_draw_depends_on_the_seed_and_on_nothing_else() -> None:
    out = held_out(CLUSTERS, 0.25, seed=7)
    assert (held_out(CLUSTERS, 0.25, seed=7) == out).all()
    assert (held_out(CLUSTERS, 0.25, seed=8) != out).any()
    # Neither on the order of the rows nor on who else is there.
    shuffled = np.random.default_rng(1).permutation(len(CLUSTERS))
    assert (held_out(CLUSTERS[shuffled.tolist()], 0.25, seed=7) == out[shuffled]).all()
    assert (held_out(CLUSTERS[:300], 0.25, seed=7) == out[:300]).all()


def test_who_is_held_out_has_no_better_luck_in_ties() -> None:
    """The draw and the tie rule use different hashes, or the held-out people would win every tie."""
    ids = [f"p{i}" for i in range(4000)]
    out = held_out(pl.Series(ids), 0.5, seed=7)
    first_half = np.argsort(seeded_hash(ids, 7))[:2000]
    # 2,000 people drawn with even chances: the share's standard deviation is about .011.
    assert out[first_half].mean() == pytest.approx(0.5, abs=0.05)


def test_the_hash_is_blake2b_of_the_id_keyed_by_the_seed() -> None:
    expected = hashlib.blake2b("Zoë".encode(), digest_size=8, key=(7).to_bytes(8, "big")).digest()
    assert seeded_hash(["Zoë"], 7).tolist() == [int.from_bytes(expected, "big")]
    assert seeded_hash([], 7).dtype == np.uint64
