import doctest

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from sklearn.metrics import roc_auc_score

from riskmodels.assessment.audit import own_metrics
from riskmodels.assessment.audit.own_metrics import metric_frame, metric_rows
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.suppression import Profile
from riskmodels.errors import DataError


def test_the_examples_say_what_happens():
    found = doctest.testmod(own_metrics)
    assert found.attempted >= 7
    assert found.failed == 0


def people(n=600, seed=1):
    rng = np.random.default_rng(seed)
    race = rng.choice(np.array(["a", "b", None], dtype=object), n, p=[0.6, 0.3, 0.1])
    risk = rng.random(n)
    return (rng.random(n) < risk).astype(int), risk, race


def test_a_metric_of_ones_own_is_that_of_each_group():
    """Whatever it takes: here an area under the curve, of risks rather than lists; missing groups are kept."""
    outcome, risk, race = people()
    frame = metric_frame(roc_auc_score, outcome, pl.Series(risk), pd.Series(race))
    assert isinstance(frame, MetricFrame)
    assert set(frame.by_group.index) == {"a", "b", "Not recorded"}
    for group, own in {"a": race == "a", "b": race == "b", "Not recorded": pd.isna(race)}.items():
        assert frame.by_group[group] == pytest.approx(roc_auc_score(outcome[own], risk[own]))


def test_shown_are_rounded_numbers_of_groups_that_are_large_enough():
    outcome, risk, race = people()
    race[:5] = "few"
    rows = metric_rows({"area": roc_auc_score, "mean": lambda _, risk: risk.mean()}, outcome, risk, race)
    assert [(row["group"], row["metric"]) for row in rows] == [
        (group, metric) for group in ("Not recorded", "a", "b", "few") for metric in ("area", "mean")
    ]
    by_group = {row["group"]: row for row in rows if row["metric"] == "mean"}
    assert by_group["a"]["value"] == round(risk[race == "a"].mean(), 2)
    assert by_group["a"]["n"] % 5 == 0
    assert (by_group["few"]["value"], by_group["few"]["n"]) == (None, None)
    assert by_group["few"]["reason"] == "not shown (fewer than 10 people)"
    # Were counts not rounded, the few could be found by subtraction: the smallest other group would go with them.
    exact = Profile("exact", below=10, base=1, leave=2)
    rows = {row["group"]: row for row in metric_rows(roc_auc_score, outcome, risk, race, profile=exact)}
    assert rows["Not recorded"]["reason"] == "not shown (to protect a small number)"
    assert rows["a"]["reason"] is None


def test_the_policys_floor_hides_more_and_no_policy_hides_less():
    outcome, _, race = people()
    higher = load_policy().model_copy(update={"floors": load_policy().floors.model_copy(update={"show": 300})})
    rows = {row["group"]: row for row in metric_rows(selection_rate, outcome, outcome, race, policy=higher)}
    assert rows["b"]["reason"] == "not shown (fewer than 300 people)"
    lower = load_policy().model_copy(update={"floors": load_policy().floors.model_copy(update={"show": 1})})
    race[:9] = "few"
    rows = {row["group"]: row for row in metric_rows(selection_rate, outcome, outcome, race, policy=lower)}
    assert rows["few"]["value"] is None


def test_where_a_metric_gives_no_number_it_is_said():
    outcome, listed, race = [1] * 20 + [0] * 20, [1, 0] * 20, ["a"] * 20 + ["b"] * 20
    rows = metric_rows(lambda y, s: float(s[y == 1].mean()) if y.any() else float("nan"), outcome, listed, race)
    assert [(row["value"], row["reason"]) for row in rows] == [
        (0.5, None), (None, "the metric gives no number here"),
    ]  # fmt: skip


def test_columns_that_cannot_be_read():
    with pytest.raises(DataError, match="groups: is not a column"):
        metric_frame(selection_rate, [0, 1], [0, 1], [object(), object()])
