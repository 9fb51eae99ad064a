"""The made-up county: the same each time, with what was planted in it, and with a truth that is true."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.data.synthetic import (
    ETHNICITY,
    EXTRACTED_ON,
    KINDS,
    SIGNALS,
    START,
    County,
    make_county,
    true_risk,
    write_county,
)
from riskmodels.data.synthetic_knobs import EDGES, PHI, QUARTER_STARTS
from riskmodels.errors import DataError, UsageError
from riskmodels.study import Period

TABLES = ("people", "events", "equality")
HALF_YEAR = Period(6, "month")
DATES = tuple(dt.date(year, month, 1) for year in range(2020, 2026) for month in (4, 10))
GROUP = "White other"


@pytest.fixture(scope="module")
def county() -> County:
    return make_county()


def facts(county: County, *kinds: str) -> pl.DataFrame:
    return county.events.filter(pl.col("kind").is_in(kinds))


def auc(score: np.ndarray, outcome: np.ndarray) -> float:
    rank = pl.Series(score).rank("average").to_numpy()
    events = int(outcome.sum())
    return float((rank[outcome].sum() - events * (events + 1) / 2) / (events * (len(outcome) - events)))


def followed(county: County, dates: tuple[dt.date, ...] = DATES) -> pl.DataFrame:
    """Children without a start in the last year who stay for the next half: true_risk and what happened (outcome)."""
    starts = facts(county, "social_care_start").select("entity_id", "happened_on")
    rows = []
    for as_of in dates:
        end, year_ago = HALF_YEAR.after(as_of), Period(12, "month").before(as_of)
        recent = starts.filter(pl.col("happened_on").is_between(year_ago, as_of, closed="left")).select("entity_id")
        coming = starts.filter(pl.col("happened_on").is_between(as_of, end, closed="left")).select("entity_id")
        here = true_risk(county, [as_of], HALF_YEAR).join(county.people, on="entity_id")
        here = here.filter(pl.col("followed_until") >= end).join(recent, on="entity_id", how="anti")
        rows.append(here.with_columns(outcome=pl.col("entity_id").is_in(coming["entity_id"].to_list())))
    return pl.concat(rows)


# ---------------------------------------------------------------- the same each time


def test_the_same_arguments_give_the_same_county(county: County) -> None:
    again, other = make_county(6000, 1), make_county(6000, 2)
    for name in TABLES:
        assert_frame_equal(getattr(county, name), getattr(again, name))
        assert not getattr(county, name).equals(getattr(other, name))
    assert_frame_equal(true_risk(county, DATES[:2], HALF_YEAR), true_risk(again, DATES[:2], HALF_YEAR))


def test_the_same_bytes_twice_under_the_name_asked_for(tmp_path: Path) -> None:
    small = make_county(300, 3)
    for folder in ("one", "two"):
        write_county(tmp_path / folder, small, entity="child_id")
    for name in TABLES:
        content = (tmp_path / "one" / f"{name}.parquet").read_bytes()
        assert content == (tmp_path / "two" / f"{name}.parquet").read_bytes()
        assert pl.read_parquet(content).columns == ["child_id", *getattr(small, name).columns[1:]]


def test_one_knob_moves_nothing_else(county: County) -> None:
    other = make_county(base_rate=0.03, outcome_recorded={"Asian": 0.5}, unseen=0.4)
    kept = [*KINDS, "moved_away"]
    assert_frame_equal(facts(county, *kept), facts(other, *kept))
    assert_frame_equal(county.people, other.people)
    assert facts(other, "social_care_start").height < 0.5 * facts(county, "social_care_start").height


def test_quick() -> None:
    began = time.process_time()
    make_county(6000, 9)
    assert time.process_time() - began < 2


# ---------------------------------------------------------------- sizes and dates


def test_sizes(county: County) -> None:
    people = county.people
    assert people.height == people["entity_id"].n_unique() == 6000
    assert people["entity_id"].str.contains(r"^P\d{7}$").all()
    assert set(county.events["kind"]) == {*KINDS, "review", "moved_away", "social_care_start"}
    assert set(county.events["entity_id"]) | set(county.equality["entity_id"]) <= set(people["entity_id"])
    assert 100_000 < county.events.height < 300_000
    assert people.group_by("household_id").agg(pl.col("ward").n_unique())["ward"].max() == 1
    assert people.group_by("household_id").len()["len"].max() == 4
    # Ids say nothing of households.
    assert (people["household_id"] == people["household_id"].shift()).sum() < 10


def test_ethnic_groups_have_uneven_sizes(county: County) -> None:
    shares = county.equality.unique("entity_id")["ethnicity"].value_counts(normalize=True)
    found = dict(shares.iter_rows())
    assert found.pop(None) == pytest.approx(0.02, abs=0.01)
    for group, share in ETHNICITY.items():
        assert found[group] == pytest.approx(0.98 * share, abs=0.025)


def test_dates_are_sane(county: County) -> None:
    events = county.events.join(county.people, on="entity_id")
    assert (events["known_on"] >= events["happened_on"]).all()
    assert events["known_on"].max() <= EXTRACTED_ON
    assert events["happened_on"].min() >= START
    assert (events["happened_on"] >= events["born_on"]).all()
    assert (county.people["born_on"] <= EXTRACTED_ON).all()
    stays = events.filter(pl.col("kind") != "moved_away")
    assert (stays["happened_on"] <= stays["followed_until"]).all()
    left = events.filter(pl.col("kind") == "moved_away")
    assert (left["happened_on"] == left["followed_until"]).all()
    school = events.filter(pl.col("kind").is_in(["school_absence", "exclusion"]))
    assert ((school["happened_on"] - school["born_on"]).dt.total_days() >= 5 * 365).all()


def test_some_records_come_late(county: County) -> None:
    starts = facts(county, "social_care_start").filter(pl.col("happened_on") < dt.date(2026, 1, 1))
    lag = (starts["known_on"] - starts["happened_on"]).dt.total_days()
    assert 0.02 < (lag >= 30).mean() < 0.08
    assert lag.quantile(0.95) <= 61  # the study's lag: two months
    assert lag.max() < 300


def test_equality_is_dated_and_a_disability_can_be_found_later(county: County) -> None:
    equality = county.equality
    assert equality["known_on"].is_between(START, EXTRACTED_ON).all()
    assert not equality.select("entity_id", "known_on").is_duplicated().any()
    twice = equality.filter(pl.col("entity_id").is_duplicated(), pl.col("disability").is_not_null())
    first, last = (twice.sort("known_on").unique("entity_id", keep=keep) for keep in ("first", "last"))
    assert first.height > 50
    assert set(first["disability"]) == {"not disabled"}
    assert set(last["disability"]) == {"disabled"}
    for name in ("sex", "ethnicity", "deprivation"):
        assert equality.group_by("entity_id").agg(pl.col(name).n_unique())[name].max() == 1


def test_brothers_and_sisters_share_the_rent(county: County) -> None:
    arrears = facts(county, "housing_arrears").join(county.people, on="entity_id")
    pair = arrears.group_by("household_id", "happened_on").agg(pl.col("value").unique(), pl.col("entity_id").n_unique())
    assert pair["value"].list.len().max() <= 3
    assert (pair["entity_id"] > 1).mean() > 0.25
    assert (pair.filter(pl.col("entity_id") > 1)["value"].list.len() == 1).mean() > 0.98


def test_no_case_starts_while_one_is_open(county: County) -> None:
    starts = facts(county, "social_care_start").sort("entity_id", "happened_on")
    since = starts.select(pl.col("happened_on").diff().over("entity_id").dt.total_days()).drop_nulls().to_series()
    assert len(since) > 100
    assert since.min() >= 60


# ---------------------------------------------------------------- the truth


def test_true_risk_ranks_outcomes_and_is_calibrated(county: County) -> None:
    rows = followed(county)
    outcome, risk = rows["outcome"].to_numpy(), rows["true_risk"].to_numpy()
    assert 0.05 < outcome.mean() < 0.12
    assert auc(risk, outcome) > 0.75
    assert outcome.sum() / risk.sum() == pytest.approx(1, abs=0.06)
    tenth = np.argsort(np.argsort(risk)) * 10 // len(risk)
    for part in (0, 4, 8, 9):  # four standard errors, widened for children who come again
        rate, expected = outcome[tenth == part].mean(), risk[tenth == part].mean()
        assert abs(rate - expected) < 4 * 1.3 * np.sqrt(expected / (tenth == part).sum())


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3])
def test_base_rate_is_what_was_asked(rate: float) -> None:
    risk = true_risk(make_county(3000, 4, base_rate=rate), DATES, HALF_YEAR)["true_risk"]
    assert risk.mean() == pytest.approx(rate, rel=0.08)


def test_true_risk_without_moving_need_is_one_line_of_arithmetic() -> None:
    """From one quarter's first day for two quarters: 1 - exp(-(hazard + hazard)), except where somebody turns 18."""
    county = make_county(500, 5, signal="one_column")
    truth, quarter = county.truth, 10
    as_of = QUARTER_STARTS[quarter]
    found = dict(true_risk(county, [as_of], HALF_YEAR).select("entity_id", "true_risk").iter_rows())
    expected = 1 - np.exp(-np.exp(truth.level[:, quarter]) - np.exp(truth.level[:, quarter + 1]))
    grown = truth.children.adult < EDGES[quarter + 2]
    checked = 0
    for child, name in enumerate(truth.entity_id):
        if name in found and not grown[child]:
            assert found[name] == pytest.approx(expected[child], rel=1e-9)
            checked += 1
        elif name in found:
            assert found[name] < expected[child]
    assert checked > 100


def test_true_risk_agrees_with_a_simulation_of_need(county: County) -> None:
    """The slow way, from mid-quarter: a child's own need drawn onwards 4,000 times."""
    as_of, end = dt.date(2023, 2, 10), dt.date(2023, 8, 10)
    first, last, now = (as_of - START).days, (end - START).days, QUARTER_STARTS.index(dt.date(2023, 1, 1))
    found = true_risk(county, [as_of], HALF_YEAR)
    position = {name: child for child, name in enumerate(county.truth.entity_id)}
    rng, signal = np.random.default_rng(1), SIGNALS["many"]
    for name, risk in found.sample(15, seed=2).select("entity_id", "true_risk").iter_rows():
        child = position[name]
        if county.truth.children.adult[child] < last:
            continue
        moving, total = np.full(4000, county.truth.moving[child, now]), np.zeros(4000)
        for quarter in (now, now + 1, now + 2):
            if quarter > now:
                moving = PHI * moving + rng.normal(0, signal.moving * np.sqrt(1 - PHI**2), 4000)
            days = min(last, EDGES[quarter + 1]) - max(first, EDGES[quarter])
            length = EDGES[quarter + 1] - EDGES[quarter]
            total += days / length * np.exp(county.truth.level[child, quarter] + signal.hazard * moving)
        assert risk == pytest.approx(1 - np.exp(-total).mean(), rel=0.06)


def test_true_risk_grows_with_the_horizon_and_stays_inside_the_years(county: County) -> None:
    short, long = (true_risk(county, DATES[:1], Period(months, "month"))["true_risk"] for months in (3, 12))
    assert ((long >= short) & (short > 0) & (long < 1)).all()
    assert (long > short).mean() > 0.99
    for day in (START, dt.date(2026, 3, 1)):
        with pytest.raises(DataError, match="true_risk"):
            true_risk(county, [day], HALF_YEAR)


# ---------------------------------------------------------------- what was planted


def by_ethnicity(county: County, *kinds: str) -> dict[str, int]:
    groups = county.equality.unique("entity_id").select("entity_id", "ethnicity")
    counts = facts(county, *kinds).join(groups, on="entity_id").group_by("ethnicity").len()
    return dict(counts.iter_rows())


def test_under_recording_thins_the_facts_of_one_group_and_nothing_else(county: County) -> None:
    planted = make_county(under_recorded={GROUP: 0.4})
    before, after = by_ethnicity(county, *KINDS), by_ethnicity(planted, *KINDS)
    assert after.pop(GROUP) / before.pop(GROUP) == pytest.approx(0.6, abs=0.02)
    assert {group: before[group] for group in ETHNICITY if group != GROUP} == {
        group: after[group] for group in ETHNICITY if group != GROUP
    }
    others = ("social_care_start", "review", "moved_away")
    assert_frame_equal(facts(county, *others), facts(planted, *others))
    assert planted.events.join(county.events, on=county.events.columns, how="anti", nulls_equal=True).height == 0


def test_outcomes_can_be_recorded_less_for_one_group(county: County) -> None:
    planted = make_county(outcome_recorded={"White British": 0.5})
    before, after = (by_ethnicity(one, "social_care_start") for one in (county, planted))
    assert after["White British"] / before["White British"] == pytest.approx(0.5, abs=0.04)
    assert after["Asian"] == before["Asian"]
    assert by_ethnicity(planted, *KINDS) == by_ethnicity(county, *KINDS)


def test_without_a_knob_groups_are_recorded_alike(county: County) -> None:
    sizes = dict(county.equality.unique("entity_id")["ethnicity"].value_counts().iter_rows())
    rates = {group: count / sizes[group] for group, count in by_ethnicity(county, "school_absence").items()}
    assert rates[GROUP] / rates["White British"] == pytest.approx(1, abs=0.2)


def test_unlinked_children_have_no_facts_of_that_agency(county: County) -> None:
    planted = make_county(unlinked=0.2)
    for agency, kind in (("police", "police_contact"), ("housing", "housing_arrears"), ("health", "ae_attendance")):
        linked = planted.people.select("entity_id", pl.col(f"{agency}_linked").alias("linked"))
        assert 1 - linked["linked"].mean() == pytest.approx(0.2, abs=0.02)
        assert facts(planted, kind).join(linked, on="entity_id")["linked"].all()
    assert county.people["police_linked"].all()
    assert_frame_equal(facts(planted, "exclusion"), facts(county, "exclusion"))


def test_outcomes_are_unknown_more_often_where_risk_is_high(county: County) -> None:
    risk = true_risk(county, DATES, HALF_YEAR).join(county.people, on="entity_id")
    lost = pl.col("followed_until") < pl.col("as_of_date").dt.offset_by("6mo")
    rows = risk.with_columns(lost=lost, high=pl.col("true_risk") > pl.col("true_risk").quantile(2 / 3))
    shares = dict(rows.group_by("high").agg(pl.col("lost").mean()).iter_rows())
    assert 0.005 < shares[False] < 0.04
    assert shares[True] > 1.15 * shares[False]


def test_reviews_are_missed_more_often_where_risk_is_high() -> None:
    county = make_county(unseen=0.3, by_need=1.0)
    as_of = DATES[4]
    risk = true_risk(county, [as_of], HALF_YEAR).join(county.people, on="entity_id")
    risk = risk.filter(pl.col("followed_until") >= HALF_YEAR.after(as_of))
    coming = facts(county, "review").filter(
        pl.col("happened_on").is_between(as_of, HALF_YEAR.after(as_of), closed="left")
    )
    missed = ~risk["entity_id"].is_in(coming["entity_id"].to_list())
    high = risk["true_risk"] > risk["true_risk"].quantile(2 / 3)
    assert missed.filter(high).mean() > missed.filter(~high).mean() + 0.15
    assert 0.2 < missed.mean() < 0.5


def test_drift_changes_how_often_cases_start() -> None:
    starts = facts(make_county(drift=-0.4), "social_care_start")["happened_on"].dt.year()
    assert (starts == 2025).sum() < 0.35 * (starts == 2019).sum()


def test_drift_may_set_in_later() -> None:
    starts = facts(make_county(drift=1.0, drift_from=dt.date(2024, 1, 1)), "social_care_start")["happened_on"].dt.year()
    counts = [(starts == year).sum() for year in (2021, 2023, 2025)]
    assert counts[1] < 1.15 * counts[0]  # nothing yet
    # In the middle of 2025 the hazard is exp(1.5) = 4.5 times what it was; open cases start no other.
    assert 2.5 * counts[1] < counts[2] < 4.5 * counts[1]


def test_a_break_changes_what_is_written_down(county: County) -> None:
    day = dt.date(2024, 1, 1)
    planted = make_county(break_on=day)
    for kind, share in (("school_absence", 0.4), ("police_contact", 0.4), ("ae_attendance", 1.0)):
        counts = [facts(one, kind).filter(pl.col("happened_on") >= day).height for one in (planted, county)]
        assert counts[0] / counts[1] == pytest.approx(share, rel=0.1)
        earlier = pl.col("happened_on") < day
        assert facts(planted, kind).filter(earlier).height == pytest.approx(
            facts(county, kind).filter(earlier).height, rel=0.05
        )


def test_the_leak_is_there_only_when_planted(county: County) -> None:
    assert facts(county, "plan_meeting").height == 0
    leaky = make_county(leak=True)
    rows = followed(leaky, DATES[2:6])
    meetings = facts(leaky, "plan_meeting").select("entity_id", "happened_on", "known_on")
    assert (meetings["happened_on"] == meetings["known_on"]).all()
    seen = rows.join(meetings, on="entity_id").filter(
        pl.col("happened_on").is_between(
            pl.col("as_of_date").dt.offset_by("-200d"), pl.col("as_of_date"), closed="left"
        )
    )
    leaked = rows.join(seen, on=["entity_id", "as_of_date"], how="left", maintain_order="left")
    leaked = leaked.unique(["entity_id", "as_of_date"], maintain_order=True)["happened_on"].is_not_null()
    assert auc(leaked.to_numpy().astype(float), rows["outcome"].to_numpy()) > 0.97


# ---------------------------------------------------------------- where the risk can come from


def risk_and_facts(signal: str) -> tuple[County, pl.DataFrame]:
    county = make_county(3000, 6, signal=signal)
    risk = true_risk(county, [DATES[8]], HALF_YEAR).join(county.people, on="entity_id")
    grown = Period(17, "year").before(DATES[8])
    return county, risk.filter(pl.col("born_on") > grown)


def test_signal_none_is_one_risk_for_all() -> None:
    _, rows = risk_and_facts("none")
    assert rows["true_risk"].max() - rows["true_risk"].min() < 1e-9


def test_signal_place_is_one_risk_for_each_ward() -> None:
    _, rows = risk_and_facts("place")
    spread = rows.group_by("ward").agg(pl.col("true_risk").max() - pl.col("true_risk").min(), pl.len())
    assert spread["true_risk"].max() < 1e-9
    assert rows["true_risk"].max() > 3 * rows["true_risk"].min()


def test_signal_one_column_shows_in_the_latest_review_alone() -> None:
    county, rows = risk_and_facts("one_column")
    before = county.events.filter(pl.col("happened_on") < DATES[8])
    latest = before.filter(pl.col("kind") == "review").sort("happened_on").unique("entity_id", keep="last")
    seen = rows.join(latest.select("entity_id", "value"), on="entity_id")
    assert seen.select(pl.corr("true_risk", "value", method="spearman")).item() > 0.99
    absent = before.filter(pl.col("kind") == "school_absence").group_by("entity_id").len("absent")
    both = rows.filter(pl.col("born_on") < dt.date(2012, 1, 1)).join(absent, on="entity_id")
    assert abs(both.select(pl.corr("true_risk", "absent", method="spearman")).item()) < 0.1


def test_signal_tally_is_a_count_of_what_happened_in_a_year() -> None:
    county, rows = risk_and_facts("tally")
    year = county.events.filter(
        pl.col("happened_on").is_between(Period(12, "month").before(DATES[8]), DATES[8], closed="left")
    )
    kinds = year.filter(pl.col("kind").is_in(["police_contact", "housing_arrears", "ae_attendance", "early_help"]))
    tally = kinds.group_by("entity_id").agg(pl.col("kind").n_unique().alias("tally"))
    settled = rows.filter(pl.col("born_on") < dt.date(2021, 1, 1)).join(tally, on="entity_id", how="left")
    settled = settled.with_columns(pl.col("tally").fill_null(0))
    assert settled.select(pl.corr("true_risk", "tally", method="spearman")).item() > 0.9


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"signal": "loud"}, "many, one_column"),
        ({"under_recorded": {"Martian": 0.2}}, "White British"),
        ({"outcome_recorded": {"Asian": 1.2}}, "between 0 and 1"),
        ({"base_rate": 0.0}, "base_rate"),
        ({"unlinked": -0.1}, "unlinked"),
        ({"people": 0}, "at least 1"),
    ],
)
def test_a_knob_out_of_range_is_refused_in_one_line(knobs: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        make_county(**knobs)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_very_small_county_is_still_one() -> None:
    county = make_county(3, 1, moved=1.0)
    assert county.people.height == 3
    assert county.events.schema == make_county(50).events.schema
