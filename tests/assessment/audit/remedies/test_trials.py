"""A trial in numbers: by hand, against fairlearn, and against a plain bootstrap of people."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, true_positive_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, roc_auc_score

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.policy import Floors, load_policy
from riskmodels.assessment.audit.remedies.trials import (
    COULD,
    NO_RANKING,
    SIMULATION,
    TODAY,
    Ground,
    Trial,
    ground_of,
    largest_gap,
    measure_trial,
    rate_of,
    with_frontier,
)
from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.ranked_rows import RankedRows

SMALL = load_policy().model_copy(update={"floors": Floors(show=1, ratio=1, verdict=2, slope_events=500)})


def rows_of(outcome, selected, risk=None, known=None, clusters=None):
    n = len(outcome)
    risk = np.linspace(0.9, 0.1, n) if risk is None else np.asarray(risk)
    return RankedRows(
        np.asarray(outcome, dtype=float), np.ones(n, bool) if known is None else np.asarray(known), risk,
        np.asarray(selected, dtype=bool), np.arange(1, n + 1), np.full(n, n),
        np.full(n, "2020-01-01", dtype="datetime64[D]"), clusters_of(clusters, n),
    )  # fmt: skip


def groups_of(codes, names="abc", unknown=()):
    labels = tuple(names[: int(max(codes)) + 1])
    return Attribute("race", "race", "race", np.asarray(codes), labels, labels, tuple(n in unknown for n in labels), 0)


def ground(outcome, selected, codes, purpose="assistive", policy=SMALL, unknown=(), **more):
    found = ground_of(rows_of(outcome, selected, **more), groups_of(codes, unknown=unknown), purpose, policy)
    assert isinstance(found, Ground)
    return found


def trial(selection, name="reweighed", kind=COULD, risk=None, share=1.0):
    return Trial(name, kind, np.asarray(selection, dtype=float), risk, "logistic", share=share)


# ---------------------------------------------------------------- by hand


# Group a has four cases, of which the list has two; b has four, of which it has one. Two places are in vain.
OUTCOME = [1, 1, 1, 1, 0, 1, 1, 1, 1, 0]
CODES = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
LISTED = [1, 1, 0, 0, 1, 1, 0, 0, 0, 1]
# One place in vain goes to a case of b instead.
MENDED = [1, 1, 0, 0, 0, 1, 1, 0, 0, 1]


def test_a_trial_by_hand():
    on = ground(OUTCOME, LISTED, CODES)
    today = trial(LISTED, TODAY)
    before, after = measure_trial(today, today, on), measure_trial(trial(MENDED), today, on)
    assert (before["worse"], before["better"]) == ("b", "a")
    assert before["gap"]["value"] == pytest.approx(0.5 - 0.25)
    assert before["ratio"]["value"] == pytest.approx(0.5)
    assert before["precision"]["value"] == pytest.approx(3 / 5)
    assert before["more_reached"] is None
    assert after["gap"]["value"] == pytest.approx(0.0)
    assert after["gap_change"]["value"] == pytest.approx(-0.25)
    assert after["ratio"]["value"] == pytest.approx(1.0)
    assert after["reached"] == 4
    assert after["places"] == 5
    assert after["more_reached"]["value"] == pytest.approx(1.0)
    assert after["precision_change"]["value"] == pytest.approx(4 / 5 - 3 / 5)
    assert [(g["tp"], g["fn"], g["fp"], g["tn"]) for g in after["groups"]] == [(2, 2, 0, 1), (2, 2, 1, 0)]
    assert after["narrower"] is False  # of eight cases, one says nothing beyond chance
    assert with_frontier([before, after])[0]["frontier"] is False
    assert with_frontier([before, after])[1]["frontier"] is True


def test_false_alarms_by_hand():
    """Punitive: of a's two without the outcome none is picked, of b's two one is: b fares worse, by 50 of 100."""
    on = ground([1, 0, 0, 1, 0, 0], [1, 0, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0], purpose="punitive")
    now = measure_trial(trial(on.rows.selected, TODAY), trial(on.rows.selected, TODAY), on)
    assert (now["worse"], now["better"], now["metric"]) == ("b", "a", "fpr")
    assert now["gap"]["value"] == pytest.approx(0.5)
    assert now["ratio"]["value"] is None  # the better-off group's rate is 0
    assert now["largest_gap"] == pytest.approx(0.5)


def test_where_the_reference_fares_worse_it_is_named_so():
    on = ground(OUTCOME, LISTED, [1 - code for code in CODES])
    assert on.attribute.groups[on.worse] == "a"
    assert on.attribute.groups[on.better] == "b"


def test_unknown_outcomes_and_unknown_groups_are_not_counted():
    known = [True] * 9 + [False]
    on = ground(OUTCOME, LISTED, [*CODES[:-2], 2, 2], known=known, unknown="c")
    assert on.judged == (0, 1)
    now = measure_trial(trial(LISTED, TODAY), trial(LISTED, TODAY), on)
    assert now["precision"]["value"] == pytest.approx(3 / 4)
    assert now["places"] == 5


def test_too_few_to_judge_is_said():
    found = ground_of(rows_of(OUTCOME, LISTED), groups_of(CODES), "assistive", load_policy())
    assert found == "fewer than two of its groups have 100 known rows that had the outcome"


def test_a_simulation_has_no_one_ranking():
    on = ground(OUTCOME, LISTED, CODES)
    assert measure_trial(trial(MENDED, kind=SIMULATION), trial(LISTED, TODAY), on)["auc"] == {
        "value": None, "reason": NO_RANKING,
    }  # fmt: skip


# ---------------------------------------------------------------- oracles


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["assistive", "punitive"]))
def test_point_figures_are_fairlearn_s_and_scikit_learn_s(seed, purpose):
    rng = np.random.default_rng(seed)
    n = 200
    outcome, codes, listed = rng.integers(0, 2, n), np.arange(n) % 3, rng.random(n) < 0.4
    risk = rng.random(n)
    on = ground(outcome, listed, codes, purpose, risk=risk)
    row = measure_trial(trial(listed, TODAY, risk=risk), trial(listed, TODAY), on)
    rate = true_positive_rate if purpose == "assistive" else false_positive_rate
    frame = MetricFrame(metrics=rate, y_true=outcome, y_pred=listed, sensitive_features=codes)
    ours = [rate_of(group, row["metric"]) for group in row["groups"]]
    np.testing.assert_allclose(ours, frame.by_group)
    assert row["precision"]["value"] == pytest.approx(precision_score(outcome, listed, zero_division=0))
    assert row["auc"]["value"] == pytest.approx(roc_auc_score(outcome, risk))
    assert row["largest_gap"] == pytest.approx(max(abs(ours[g] - ours[on.better]) for g in range(3)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_an_expected_selection_is_the_mean_of_its_lists(seed):
    """Rates and people reached are linear in the chances: half of one list and half of another lie half way."""
    rng = np.random.default_rng(seed)
    outcome, codes = rng.integers(0, 2, 60), np.arange(60) % 2
    one, other = rng.random(60) < 0.3, rng.random(60) < 0.3
    on = ground(outcome, one | other, codes)
    lists = [
        measure_trial(trial(each), trial(one, TODAY), on) for each in (one, other, (one.astype(float) + other) / 2)
    ]
    for name in ("reached", "places"):
        assert lists[2][name] == pytest.approx((lists[0][name] + lists[1][name]) / 2)
    assert lists[2]["gap"]["value"] == pytest.approx((lists[0]["gap"]["value"] + lists[1]["gap"]["value"]) / 2)


def test_intervals_are_a_bootstrap_s_of_whole_households():
    """2,000 rows of 1,000 households alike inside: the linearised standard errors against 800 resamples."""
    rng = np.random.default_rng(3)
    need = np.repeat(rng.normal(0, 1, 1000), 2)
    codes = np.repeat(rng.integers(0, 2, 1000), 2)
    outcome = (rng.random(2000) < 1 / (1 + np.exp(-(need - 0.5)))).astype(float)
    now = need - 0.8 * codes + rng.normal(0, 0.3, 2000) > 0.4
    then = need - 0.2 * codes + rng.normal(0, 0.3, 2000) > 0.5
    household = np.repeat(np.arange(1000), 2)
    on = ground(outcome, now, codes, clusters=household)
    row = measure_trial(trial(then), trial(now, TODAY), on)

    def figures(rows):
        y, g = outcome[rows], codes[rows]
        found = []
        for listed in (now[rows], then[rows]):
            a, b = ((listed & (g == k) & (y == 1)).sum() / ((g == k) & (y == 1)).sum() for k in (0, 1))
            found.append((a - b, (listed & (y == 1)).sum() / listed.sum(), (listed & (y == 1)).sum()))
        (gap, precision, hits), (gap_, precision_, hits_) = found
        return gap_, gap_ - gap, precision_ - precision, hits_ - hits

    drawn = []
    for _ in range(800):
        pick = rng.integers(0, 1000, 1000)
        drawn.append(figures(np.concatenate([2 * pick, 2 * pick + 1])))
    errors = np.std(drawn, axis=0)
    names = ("gap", "gap_change", "precision_change", "more_reached")
    np.testing.assert_allclose([row[name]["value"] for name in names], figures(np.arange(2000)))
    ours = [(row[name]["high"] - row[name]["low"]) / 2 / 1.96 for name in names]
    np.testing.assert_allclose(ours, errors, rtol=0.12)
    assert row["narrower"] is True


# ---------------------------------------------------------------- the frontier


def point(precision, gap, kind=COULD, share=1.0):
    return {"precision": {"value": precision}, "largest_gap": gap, "kind": kind, "share": share}


def test_the_frontier_by_hand():
    rows = [
        point(0.60, 0.20), point(0.55, 0.10), point(0.54, 0.12), point(0.58, 0.02, SIMULATION),
        point(0.57, 0.05, SIMULATION), point(0.90, 0.01, share=0.5), point(None, 0.0),
    ]  # fmt: skip
    # The third is outdone by the second; the simulation that reaches more with a smaller gap pushes aside another
    # simulation only; a shorter list and one of which a figure is not shown are not compared.
    assert [row["frontier"] for row in with_frontier(rows)] == [True, True, False, True, False, None, None]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_something_is_always_on_the_frontier_and_nothing_on_it_is_outdone(pairs):
    rows = with_frontier([point(benefit / 10, gap / 10) for benefit, gap in pairs])
    best = [pair for pair, row in zip(pairs, rows, strict=True) if row["frontier"]]
    assert best
    for benefit, gap in best:
        assert not any((b > benefit and g <= gap) or (b >= benefit and g < gap) for b, g in pairs)


def test_a_shorter_list_alone_is_not_fairer():
    """Half as many found in both groups: half the gap in points, and the same ratio."""
    rng = np.random.default_rng(1)
    codes = np.repeat([0, 1], 2000)
    outcome = np.ones(4000)
    now = rng.random(4000) < np.where(codes == 1, 0.4, 0.6)
    then = now & (rng.random(4000) < 0.5)
    row = measure_trial(trial(then, share=0.5), trial(now, TODAY), ground(outcome, now, codes))
    assert row["gap_change"]["high"] < 0
    assert row["narrower"] is False


def test_a_longer_list_alone_is_not_fairer():
    """Recall 0.20 v 0.40 today, 0.50 v 0.80 on a list twice as long: the ratio goes from 0.50 to 0.625, which is
    clearly nearer to 1, and the points from 0.20 to 0.30. At 0.70 v 0.80 they are 0.10, and the gap is narrower.
    """
    codes, place = np.repeat([0, 1], 2000), np.tile(np.arange(2000) / 2000, 2)
    now = place < np.where(codes == 1, 0.2, 0.4)
    on = ground(np.ones(4000), now, codes)
    wider, narrower = (
        measure_trial(trial(place < np.where(codes == 1, *rates), share=2.0), trial(now, TODAY), on)
        for rates in ((0.5, 0.8), (0.7, 0.8))
    )
    assert wider["ratio"]["low"] > 0.5
    assert wider["gap_change"]["value"] == pytest.approx(0.1)
    assert wider["narrower"] is False
    assert narrower["narrower"] is True


def test_a_gap_that_is_turned_round_is_no_narrower_one():
    """0.40 v 0.60 today; then 0.58 v 0.50, which is clearly the other way round, or 0.55 v 0.54, which is not."""
    rng = np.random.default_rng(2)
    codes = np.repeat([0, 1], 4000)
    now, draw = rng.random(8000) < np.where(codes == 1, 0.4, 0.6), rng.random(8000)
    on = ground(np.ones(8000), now, codes)
    turned, closed = (
        measure_trial(trial(draw < np.where(codes == 1, *rates)), trial(now, TODAY), on)
        for rates in ((0.58, 0.50), (0.55, 0.54))
    )
    assert turned["gap"]["high"] < 0
    assert abs(turned["gap"]["value"]) < 0.15
    assert turned["narrower"] is False
    assert closed["narrower"] is True


def test_a_gap_of_a_group_that_is_not_shown_is_not_known():
    row = {"metric": "recall", "better": "a", "groups": [
        {"group": "a", "judged": True, "tp": 10, "fn": 10}, {"group": "b", "judged": True, "tp": None, "fn": None},
    ]}  # fmt: skip
    assert largest_gap(row) is None
