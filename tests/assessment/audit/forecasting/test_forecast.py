"""What the audit will be able to judge: against exact binomials, tables of Dunnett, and the audit's own questions."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from riskmodels.assessment.audit import FAIL, PASS, audit_predictions
from riskmodels.assessment.audit.forecasting.expected_groups import ExpectedCohort, ExpectedGroup, Repeats, expect
from riskmodels.assessment.audit.forecasting.forecast import at_capacity, forecast
from riskmodels.assessment.audit.forecasting.forecast_chances import ObservedToExpected, RateRatio, Rule, Slope, reaches
from riskmodels.assessment.audit.forecasting.forecast_shown import (
    assumed_in_words,
    forecast_lines,
    never_in_words,
    publish_forecast,
    settled_in_words,
)
from riskmodels.assessment.audit.forecasting.forecast_widths import Contrast, simultaneous_widths
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.verdicts import OUTCOMES_UNKNOWN, verdict_of
from riskmodels.assessment.sample_size import linear_predictor, validation_size
from riskmodels.assessment.suppression import Profile
from riskmodels.errors import DataError, StudyError
from riskmodels.study import PROTECTED_BY_LAW, Protected

POLICY = load_policy()
RULE = Rule(1.96, POLICY.ratio_band, POLICY.smallest_gap)
CAPACITY = 0.171  # a recall of 0.40 at a base rate of 0.2
ONCE = Repeats()
MANY = 1_000_000  # replicates, so that their own chance is nil


def group(label, people, base_rate=0.2, attribute="race", known=1.0, **more):
    return ExpectedGroup(attribute, label, label, people, known, base_rate, **more)


def cohort(*groups, repeats=ONCE):
    return ExpectedCohort(groups, 0.2, repeats)


def told(found, label, metric):
    return next(row for row in found.rows if (row["label"], row["metric"]) == (label, metric))


# ---------------------------------------------------------------- the assumed model


def test_a_place_for_17_in_100_finds_40_in_100_of_those_with_the_outcome():
    """d = sqrt(2) probit(0.75) = 0.954; cut at d + 0.253: Phi(-0.253) = 0.40, and Phi(-1.207) = 0.114 of the others;
    0.2 * 0.40 + 0.8 * 0.114 = 0.171."""
    recall, fpr = at_capacity(0.75, 0.2, CAPACITY)
    assert recall == pytest.approx(0.4, abs=0.001)
    assert fpr == pytest.approx(0.1137, abs=0.001)
    assert 0.2 * recall + 0.8 * fpr == pytest.approx(CAPACITY)


def test_a_better_model_finds_more_and_room_for_all_finds_all():
    recalls = [at_capacity(auc, 0.1, 0.05)[0] for auc in (0.55, 0.65, 0.75, 0.85)]
    assert recalls == sorted(recalls)
    assert recalls[0] > 0.05
    assert at_capacity(0.75, 0.2, 1.0) == pytest.approx((1, 1))


# ---------------------------------------------------------------- chances


def exactly(n, other, rate, ratio):
    """Slow and obvious: all counts with their binomial chances, each pair judged by the audit's own rule."""
    passes = fails = 0.0
    of_x, of_y = binom.pmf(range(n + 1), n, rate * ratio), binom.pmf(range(other + 1), other, rate)
    for x in np.flatnonzero(of_x > 1e-6).tolist():
        for y in np.flatnonzero(of_y > 1e-6).tolist():
            p, q = (x + 0.5) / (n + 1), (y + 0.5) / (other + 1)
            half = 1.96 * math.sqrt((1 - p) / (n * p) + (1 - q) / (other * q))
            low, high = p / q * math.exp(-half), p / q * math.exp(half)
            said = verdict_of(low, high, x / n - y / other, POLICY.ratio_band, POLICY.smallest_gap)
            passes += of_x[x] * of_y[y] * (said == PASS)
            fails += of_x[x] * of_y[y] * (said == FAIL)
    return passes, fails


@pytest.mark.parametrize(
    ("n", "other", "rate", "ratio"),
    [(200, 400, 0.4, 1.0), (200, 400, 0.4, 0.6), (300, 300, 0.6, 1.0), (150, 250, 0.15, 0.6), (120, 300, 0.25, 1.67)],
)
def test_chances_are_those_of_exact_binomials(n, other, rate, ratio):
    assert RateRatio(rate, n, other, MANY).chances(ratio, RULE) == pytest.approx(
        exactly(n, other, rate, ratio), abs=0.03
    )


def test_standard_errors_by_hand():
    """Katz 1978: sqrt(0.6 / 200 + 0.6 / 800) at 0.40 of 500 and of 2,000."""
    rates = RateRatio(0.4, 500, 2000, MANY)
    assert rates.se(np.array([1.0]))[0] == pytest.approx(math.sqrt(0.6 / 200 + 0.6 / 800))
    # O/E of 100 expected of which the risk explains 0.3: sqrt((1 - 0.3) / 100); clusters count double.
    assert ObservedToExpected(0.2, 100, 0.3, 1.0).se(np.array([1.0]))[0] == pytest.approx(math.sqrt(0.007))
    assert ObservedToExpected(0.2, 100, 0.3, 2.0).se(np.array([1.0]))[0] == pytest.approx(math.sqrt(0.014))


def test_the_slope_is_known_as_well_as_riley_says():
    lp, weight = linear_predictor(0.75, 0.2)
    rows = validation_size(0.75, 0.2, slope_width=0.2).calibration_slope
    assert Slope(1.0, rows, lp, weight).se(np.array([1.0]))[0] == pytest.approx(0.1 / 1.96, rel=0.001)


def test_observed_to_expected_passes_and_fails_as_a_normal_would():
    sampling = ObservedToExpected(0.3, 200, 0.4, 1.0)
    se = math.sqrt(0.6 / 200)
    inside = norm.cdf(math.log(1.25) / se - 1.96) - norm.cdf(math.log(0.8) / se + 1.96)
    assert sampling.chances(1.0, RULE)[0] == pytest.approx(inside)
    se = math.sqrt((0.6 - 0.4) / 200)
    assert sampling.chances(1 / 0.6, RULE)[1] == pytest.approx(
        norm.sf((math.log(1.25) + 1.96 * se + math.log(0.6)) / se)
    )


def test_a_fail_needs_a_gap_that_matters():
    """At a base rate of 0.06 an O/E of 1.67 is 4 in 100 more: found for sure, and no FAIL."""
    assert ObservedToExpected(0.06, 50_000, 0.1, 1.0).chances(1 / 0.6, RULE)[1] < 0.001
    assert ObservedToExpected(0.06, 50_000, 0.1, 1.0).smallest(np.array([1.3, 1.5, 1.67]), RULE, 0.84) is None
    assert ObservedToExpected(0.06, 50_000, 0.1, 1.0).smallest(np.array([1.3, 1.5, 1.9]), RULE, 0.84) == 1.9


@given(n=st.integers(100, 3000), rate=st.floats(0.1, 0.8), width=st.floats(1.96, 3.5))
@settings(max_examples=60, deadline=None)
def test_chances_are_chances_and_equal_groups_do_not_fail(n, rate, width):
    passes, fails = RateRatio(rate, n, 2 * n, MANY).chances(1.0, Rule(width, POLICY.ratio_band, POLICY.smallest_gap))
    assert 0 <= passes <= 1
    assert fails < 0.01
    more, _ = RateRatio(rate, 2 * n, 4 * n, MANY).chances(1.0, Rule(width, POLICY.ratio_band, POLICY.smallest_gap))
    assert more >= passes - 0.02


def test_the_smallest_ratio_is_the_first_with_the_power():
    rates = RateRatio(0.4, 500, 2000, MANY)
    found = rates.smallest(np.linspace(0.79, 0.3, 400), RULE, norm.ppf(0.8))
    assert found is not None
    assert rates.chances(found, RULE)[1] == pytest.approx(0.8, abs=0.06)
    assert RateRatio(0.4, 20, 2000, MANY).smallest(np.linspace(0.79, 0.3, 400), RULE, norm.ppf(0.8)) is None


@pytest.mark.parametrize(("expected", "of", "floor"), [(100, 500, 100), (110, 550, 100), (480, 2400, 500)])
def test_whether_a_count_reaches_the_floor(expected, of, floor):
    assert reaches(expected, of, floor) == pytest.approx(binom.sf(floor - 1, of, expected / of), abs=0.01)


# ---------------------------------------------------------------- widths


@pytest.mark.parametrize(("others", "width"), [(1, 1.96), (2, 2.21), (3, 2.35), (5, 2.51)])
def test_groups_of_one_size_against_one_reference_are_dunnetts(others, width):
    """Two-sided, 5%, infinitely many degrees of freedom (Dunnett 1964, table 2b)."""
    groups = [group(str(k), 1000, reference=k == 0) for k in range(others + 1)]
    cells = np.tile([700.0, 100, 120, 80, 0, 0], (others + 1, 1))
    asked = [Contrast(k, 0, "recall") for k in range(1, others + 1)]
    found = simultaneous_widths(asked, np.ones(len(asked), bool), groups, cells, 0.95)
    assert found["treatment"] == pytest.approx(width, abs=0.02)


def test_calibration_of_groups_of_one_attribute_is_independent():
    """Sidak 1967: of 6 independent intervals, 1 - 0.95^(1/6)."""
    groups = [group(str(k), 1000) for k in range(3)]
    cells = np.tile([700.0, 100, 120, 80, 0, 0], (3, 1))
    asked = [Contrast(k, None, metric) for k in range(3) for metric in ("oe_ratio", "calibration_slope")]
    found = simultaneous_widths(asked, np.ones(6, bool), groups, cells, 0.95)
    assert found["meaning"] == pytest.approx(norm.ppf(1 - (1 - 0.95 ** (1 / 6)) / 2), abs=0.02)


def test_two_attributes_that_are_the_whole_cohort_each_ask_but_once():
    """One group each: both are everybody, so that their O/E is one and the same number."""
    groups = [group("all", 1000, attribute=name) for name in ("race", "sex")]
    cells = np.tile([700.0, 100, 120, 80, 0, 0], (2, 1))
    asked = [Contrast(k, None, "oe_ratio") for k in range(2)]
    found = simultaneous_widths(asked, np.ones(2, bool), groups, cells, 0.95)
    assert found["meaning"] == pytest.approx(1.96, abs=0.02)


def test_only_groups_with_enough_people_widen_the_intervals():
    large = (group("a", 8000, reference=True), group("b", 2000))
    with_small = forecast(cohort(*large, *(group(f"small {k}", 100) for k in range(9))), CAPACITY, "assistive", POLICY)
    without = forecast(cohort(*large), CAPACITY, "assistive", POLICY)
    assert with_small.widths["meaning"] == pytest.approx(without.widths["meaning"], abs=0.03)
    assert without.widths["treatment"] == pytest.approx(1.96, abs=0.001)


# ---------------------------------------------------------------- the forecast


def test_two_groups_of_the_policys_setting():
    """Recall 0.40, reference 2,000, group 500: cleared 91 times in 100 (fairness.json)."""
    found = forecast(cohort(group("a", 10_000, reference=True), group("b", 2500)), CAPACITY, "assistive", POLICY)
    row = told(found, "b", "recall")
    assert row["positives"] == row["expected"] == pytest.approx(500)
    assert row["clears"] == pytest.approx(0.91, abs=0.02)
    assert row["catches"] > 0.9
    assert 0.6 < row["smallest"] < 0.7
    assert row["settles"]
    assert told(found, "b", "calibration_slope")["judged"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("positives", "clears"), [(20, 0.0), (50, 0.0), (200, 0.39), (500, 0.91)])
def test_the_policys_table(positives, clears):
    found = forecast(
        cohort(group("a", 10_000, reference=True), group("b", 5 * positives)), CAPACITY, "assistive", POLICY
    )
    assert told(found, "b", "recall")["clears"] == pytest.approx(clears, abs=0.02)


@pytest.mark.parametrize("purpose", ["assistive", "punitive", "mixed"])
@pytest.mark.parametrize("measures", ["need", "service"])
def test_the_questions_are_those_of_the_audit(purpose, measures):
    rng = np.random.default_rng(1)
    race, sex = rng.choice(["a", "b", "c"], 900, p=[0.6, 0.3, 0.1]), rng.choice(["f", "m"], 900)
    risk = rng.uniform(0.05, 0.6, 900)
    excused = dict.fromkeys(PROTECTED_BY_LAW, "Not here.")
    audit = audit_predictions(
        rng.random(900) < risk, risk, risk > 0.4, {"race": race, "sex": sex}, purpose=purpose, measures=measures,
        seed=1, policy=POLICY.model_copy(update={"replicates": 200}), excused=excused,
    )  # fmt: skip
    largest = "f" if (sex == "f").mean() > 0.5 else "m"
    groups = [group(name, 300, reference=name == "a") for name in "abc"]
    groups += [group(name, 300, attribute="sex", reference=name == largest) for name in "fm"]
    found = forecast(cohort(*groups), 0.1, purpose, POLICY, measures=measures)
    asked = [(row["attribute"], row["group"], row["metric"]) for row in audit.contrasts if row["family"] == "primary"]
    assert sorted(asked) == sorted((row["attribute"], row["group"], row["metric"]) for row in found.rows)


def test_harm_lies_above_1_where_more_is_worse():
    groups = group("a", 9000, reference=True), group("b", 4000)
    assistive, punitive = (forecast(cohort(*groups), 0.2, purpose, POLICY) for purpose in ("assistive", "punitive"))
    assert told(assistive, "b", "recall")["ratio"] == 0.6
    assert told(assistive, "b", "oe_ratio")["ratio"] == pytest.approx(1 / 0.6)
    assert told(punitive, "b", "oe_ratio")["ratio"] == 0.6
    assert told(punitive, "b", "fpr")["ratio"] == pytest.approx(1 / 0.6)


def test_hopeless_groups_are_said_to_be_so():
    found = forecast(cohort(group("a", 10_000, reference=True), group("b", 100)), CAPACITY, "assistive", POLICY)
    row = told(found, "b", "recall")
    assert row["judged"] == row["clears"] == row["catches"] == pytest.approx(0, abs=1e-6)
    assert row["smallest"] is None
    assert row["reason"] == "fewer than 100 people who had the outcome"


def test_what_can_be_no_fail_has_its_reason():
    """A base rate of 0.05: an O/E of 1.67 is 3 in 100 more. One of 0.7 cannot be 1.67 times as high."""
    rare = forecast(cohort(group("a", 90_000, 0.05, reference=True), group("b", 9000, 0.05)), 0.2, "assistive", POLICY)
    row = told(rare, "b", "oe_ratio")
    assert (row["can_fail"], row["catches"], row["settles"]) == (False, None, False)
    assert row["reason"] == "a ratio of 1.67 would be a difference of at most 5 in 100, which is no FAIL"
    often = forecast(cohort(group("a", 9000, 0.7, reference=True)), 0.2, "assistive", POLICY)
    assert told(often, "a", "oe_ratio")["reason"] == "no ratio can be 1.67: the rate would be above 1"


def test_where_the_group_is_not_known_for_many_nothing_is_cleared():
    unknown = group("Not recorded", 4000, unknown=True)
    found = forecast(cohort(group("a", 8000, reference=True), group("b", 3000), unknown), CAPACITY, "assistive", POLICY)
    assert {row["clears"] for row in found.rows} == {0.0}
    assert told(found, "b", "recall")["catches"] > 0.5
    assert "not known for more than 20 in 100" in told(found, "b", "recall")["reason"]


@pytest.mark.parametrize(("known", "clears"), [(1.0, True), (0.97, True), (0.7, False)])
def test_where_many_outcomes_will_not_be_known_nothing_is_settled(known, clears):
    found = forecast(
        cohort(group("a", 40_000, known=known, reference=True), group("b", 40_000, known=known)),
        CAPACITY,
        "assistive",
        POLICY,
    )
    for metric in ("recall", "oe_ratio"):
        row = told(found, "b", metric)
        assert (row["clears"] > 0.9) == clears
        assert (row["reason"] == OUTCOMES_UNKNOWN) != clears


def test_the_same_people_again_tell_less():
    groups = group("a", 10_000, reference=True), group("b", 3000)
    once, thrice = (
        forecast(cohort(*groups, repeats=Repeats(rows, 0.5)), CAPACITY, "assistive", POLICY) for rows in (1.0, 3.0)
    )
    for metric in ("recall", "oe_ratio", "calibration_slope"):
        assert told(thrice, "b", metric)["clears"] < told(once, "b", metric)["clears"] + 1e-9
        assert told(thrice, "b", metric)["smallest"] is None or (
            abs(math.log(told(thrice, "b", metric)["smallest"])) > abs(math.log(told(once, "b", metric)["smallest"]))
        )


def test_the_same_arguments_give_the_same_forecast():
    groups = cohort(group("a", 10_000, reference=True), group("b", 3000), group("c", 900))
    assert forecast(groups, 0.1, "mixed", POLICY) == forecast(groups, 0.1, "mixed", POLICY)


def test_nobody_to_compare_and_room_for_everybody():
    assert forecast(cohort(), 0.1, "mixed", POLICY).to_dict()["comparisons"] == 0
    found = forecast(cohort(group("a", 10_000, reference=True), group("b", 3000)), 1.0, "mixed", POLICY)
    assert told(found, "b", "recall")["clears"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("auc", "capacity", "said"), [(0.5, 0.1, "0.5 is not"), (1.0, 0.1, "1 is not"), (0.75, 0.0, "capacity")]
)
def test_what_cannot_be_assumed_is_refused(auc, capacity, said):
    with pytest.raises(DataError, match=said):
        forecast(cohort(group("a", 100)), capacity, "assistive", POLICY, auc=auc)


# ---------------------------------------------------------------- from a study's own data

TESTS = [dt.date(2023, 1, 1), dt.date(2024, 1, 1)]
BEFORE = dt.date(2021, 1, 1)


def frames():
    """200 people on both test dates: 150 of group x, 40 of y, 10 not recorded. Before: 160 of x, of whom 120 are known
    and 30 had the outcome; 20 of y, of whom 10 are known and 6 had it."""
    people = [f"p{k}" for k in range(200)]
    race = ["x"] * 150 + ["y"] * 40 + [None] * 10
    earlier = [f"p{k}" for k in range(150)] + [f"q{k}" for k in range(10)] + [f"p{k}" for k in range(150, 170)]
    earlier_race = ["x"] * 160 + ["y"] * 20
    status = ["known"] * 120 + ["unobserved"] * 40 + ["known"] * 10 + ["unobserved"] * 10
    outcome = [1] * 30 + [0] * 90 + [None] * 40 + [1] * 6 + [0] * 4 + [None] * 10
    days = [BEFORE] * 180 + [TESTS[0]] * 200 + [TESTS[1]] * 200
    keys = {"entity_id": earlier + people + people, "as_of_date": days}
    rows = pl.DataFrame({**keys, "cluster_id": keys["entity_id"]})
    groups = pl.DataFrame({**keys, "race": earlier_race + race + race})
    learned = pl.DataFrame(
        {
            **keys, "outcome": outcome + [None] * 400, "outcome_status": status + ["immature"] * 400,
        },
        schema_overrides={"outcome": pl.Int8},
    )  # fmt: skip
    return rows, groups, learned


RACE = {"race": Protected(column="groups.race", law="race", labels={"x": "Ex"})}


def test_what_to_expect_of_each_group():
    found = expect(*frames(), TESTS, RACE, POLICY)
    x, y, nobody = found.groups
    assert (x.label, x.people, x.known, x.base_rate, x.reference) == ("Ex", 300, 120 / 160, 30 / 120, True)
    # Ten known outcomes tell nothing of y: everybody's 130 of 180, and 36 of 130.
    assert (y.label, y.people, y.known, y.base_rate) == ("y", 80, 130 / 180, 36 / 130)
    assert (nobody.label, nobody.people, nobody.unknown) == ("Not recorded", 20, True)
    assert found.base_rate == 36 / 130
    assert found.repeats == Repeats(2.0, None)


def test_whose_outcome_comes_again():
    """One cluster of three earlier rows, two with the outcome: of each one's two other rows one has it too."""
    rows, groups, learned = frames()
    rows = rows.with_columns(
        pl.when(pl.col("entity_id").is_in(["p28", "p29", "p30"])).then(pl.lit("home")).otherwise("cluster_id").alias(
            "cluster_id"
        )
    )  # fmt: skip
    assert expect(rows, groups, learned, TESTS, RACE, POLICY).repeats.again == pytest.approx(2 / 4)
    # (197 people of 2 rows, one home of 6): (197 * 4 + 36) / 400.
    assert expect(rows, groups, learned, TESTS, RACE, POLICY).repeats.rows == pytest.approx((197 * 4 + 36) / 400)


def test_the_future_is_not_looked_at():
    """Whatever the test dates' own outcomes are, the forecast is the same."""
    rows, groups, learned = frames()
    known = learned.with_columns(
        pl.when(pl.col("as_of_date") > BEFORE).then(1).otherwise("outcome").cast(pl.Int8).alias("outcome"),
        pl.when(pl.col("as_of_date") > BEFORE)
        .then(pl.lit("known"))
        .otherwise("outcome_status")
        .alias("outcome_status"),
    )
    assert expect(rows, groups, known, TESTS, RACE, POLICY) == expect(rows, groups, learned, TESTS, RACE, POLICY)


def test_where_nothing_is_known_before_the_tests_there_is_no_forecast():
    rows, groups, learned = frames()
    nothing = learned.with_columns(pl.lit(None, dtype=pl.Int8).alias("outcome"), outcome_status=pl.lit("unobserved"))
    assert expect(rows, groups, nothing, TESTS, RACE, POLICY) is None


def test_an_unknown_reference_is_refused_and_what_cannot_be_audited_is_left_out():
    rows, groups, learned = frames()
    wrong = {"race": Protected(column="groups.race", law="race", reference="z")}
    with pytest.raises(StudyError, match=r"protected\.race\.reference"):
        expect(rows, groups, learned, TESTS, wrong, POLICY)
    empty = groups.with_columns(pl.lit(None, dtype=pl.String).alias("race"))
    assert expect(rows, empty, learned, TESTS, RACE, POLICY).groups == ()


# ---------------------------------------------------------------- what is shown of it


def shown(rules="sro-10"):
    groups = (
        group("white", 10_003, reference=True), group("black", 2502), group("asian", 640), group("roma", 22),
        group("f", 6000, attribute="sex", reference=True), group("m", 7167, attribute="sex"),
    )  # fmt: skip
    return publish_forecast(forecast(cohort(*groups), CAPACITY, "assistive", POLICY).to_dict(), rules)


def test_small_groups_carry_no_number_and_others_are_rounded():
    rows = {(row["label"], row["metric"]): row for row in shown()["rows"]}
    # 22 people, 4 expected: small. Rounding already keeps it from being worked out, so no other is hidden with it.
    numbers = ("people", "positives", "expected", "clears", "catches", "smallest")
    assert {rows["roma", "recall"][key] for key in numbers} == {None}
    assert rows["roma", "recall"]["judged"] == "no"
    assert rows["asian", "recall"]["people"] == 640
    black = rows["black", "recall"]
    assert (black["people"], black["positives"]) == (2500, 500)
    for key in ("clears", "catches", "smallest"):
        assert black[key] * 20 == pytest.approx(round(black[key] * 20))


def test_it_is_said_in_words():
    found = shown()
    assert (
        settled_in_words(found)
        == f"Of {found['comparisons']} comparisons the audit can be expected to settle {found['settled']}."
    )
    assert settled_in_words({"comparisons": 1, "settled": 0}).startswith("Of 1 comparison the audit")
    assert settled_in_words({"comparisons": 0, "settled": 0}) == "There is nothing that the audit could compare."
    assert never_in_words(found) == ["Too few people to judge anything (race): roma."]
    assert "an AUC of 0.75" in assumed_in_words(found)
    assert "would find 40 of 100" in assumed_in_words(found)


def test_where_counts_are_not_rounded_another_is_hidden_with_a_small_one():
    found = shown(Profile("exact", below=10, base=1, leave=2))
    asian = next(line for line in forecast_lines(found) if line["label"] == "asian")
    assert asian["people"] == asian["clears"] == "not shown (to protect a small number)"
    assert asian["judged"] == "yes"


def test_the_table_leaves_out_what_is_never_judged():
    lines = forecast_lines(shown())
    assert "roma" not in {line["label"] for line in lines}
    black = next(line for line in lines if line["label"] == "black" and line["what"] == "found by the list")
    assert black["clears"] == round(black["clears"] / 5) * 5
