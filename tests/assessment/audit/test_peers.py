"""Mistakes of other audit tools that were reproduced; each test shows the mistake, and that we answer rightly."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, true_positive_rate

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.models.ranking import rank
from riskmodels.study import Capacity, Protected

QUICK = load_policy().model_copy(update={"replicates": 1000})

# People who did not reoffend within two years, and who did, by COMPAS score: low, then medium or high. Published by
# Larson, Mattu, Kirchner & Angwin, "How We Analyzed the COMPAS Recidivism Algorithm" (ProPublica, 23 May 2016).
COMPAS = {"African-American": (990, 805, 532, 1369), "Caucasian": (1139, 349, 461, 505)}  # TN, FP, FN, TP


def rows_of(counts):
    """People with such counts of TN, FP, FN and TP in each group."""
    outcome, selected, group = [], [], []
    for name, (tn, fp, fn, tp) in counts.items():
        outcome += [0] * (tn + fp) + [1] * (fn + tp)
        selected += [False] * tn + [True] * fp + [False] * fn + [True] * tp
        group += [name] * (tn + fp + fn + tp)
    return np.array(outcome), np.array(selected), np.array(group)


def audited(outcome, selected, groups, purpose="assistive", risk=None, **more):
    risk = np.full(len(outcome), 0.3) if risk is None else risk
    return audit_predictions(
        outcome, risk, selected, groups, purpose=purpose, seed=1, policy=QUICK, **more
    )  # fmt: skip


def contrast_of(found, group, metric, attribute="race"):
    return next(
        row for row in found.contrasts
        if (row["attribute"], row["group"], row["metric"], row["against"]) == (attribute, group, metric, "reference")
    )  # fmt: skip


def row_of(found, group, attribute="race"):
    return next(row for row in found.rows if (row["attribute"], row["group"]) == (attribute, group))


def two_sample_p(hits, n, other_hits, others):
    """Two-sided p of equal proportions, pooled."""
    pooled = (hits + other_hits) / (n + others)
    z = (hits / n - other_hits / others) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / others))
    return math.erfc(abs(z) / math.sqrt(2))


# ---------------------------------------------------------------- significance among the wrong people


def test_false_positive_rates_are_tested_among_all_negatives():
    """Aequitas tests the FPR among the selected, which is the test of the FDR: 0.05 where the FPR's own p is 2e-37."""
    (tn, fp, _, tp), (other_tn, other_fp, _, other_tp) = COMPAS.values()
    among_selected = two_sample_p(fp, fp + tp, other_fp, other_fp + other_tp)
    among_negatives = two_sample_p(fp, fp + tn, other_fp, other_fp + other_tn)
    assert among_selected == pytest.approx(0.05, abs=0.001)
    assert among_negatives == pytest.approx(2e-37, rel=0.1)

    outcome, selected, race = rows_of(COMPAS)
    reference = {"race": Protected(column="x.race", law="race", reference="Caucasian")}
    found = audited(outcome, selected, {"race": race}, "punitive", protected=reference)
    fpr, fdr = (contrast_of(found, "African-American", metric) for metric in ("fpr", "fdr"))
    assert fpr["ratio"] == pytest.approx((805 / 1795) / (349 / 1488))  # 1.91
    assert fpr["p"] < 1e-30
    assert (fpr["verdict"], fpr["worse_off"]) == ("FAIL", "African-American")
    assert fdr["ratio"] == pytest.approx((805 / 2174) / (349 / 854))  # 0.91
    assert fdr["p"] == pytest.approx(among_selected, abs=0.02)
    assert fdr["verdict"] != "FAIL"


# ---------------------------------------------------------------- one "Unknown" for all columns


def test_unknown_in_two_columns_are_two_groups():
    """Aequitas keys p-values by the value alone: the second column's "Unknown" overwrites the first one's.

    Here the Unknown of one column are found half as often as others, the Unknown of the other just as often.
    """
    rng = np.random.default_rng(1)
    n = 12_000
    race = np.where(rng.random(n) < 0.3, "Unknown", "a")
    faith = np.where(rng.random(n) < 0.3, "Unknown", "b")
    outcome = (rng.random(n) < 0.3).astype(int)
    selected = rng.random(n) < np.where(outcome == 1, np.where(race == "Unknown", 0.3, 0.6), 0.05)
    both = audited(outcome, selected, {"race": race, "faith": faith})
    p = {}
    for name, column in {"race": race, "faith": faith}.items():
        own = row_of(both, "Unknown", name)
        assert own["n"] == (column == "Unknown").sum()
        alone = audited(outcome, selected, {name: column})
        assert own["metrics"]["recall"] == row_of(alone, "Unknown", name)["metrics"]["recall"]
        p[name] = contrast_of(both, "Unknown", "recall", name)["p"]
        assert p[name] == pytest.approx(contrast_of(alone, "Unknown", "recall", name)["p"], rel=0.6, abs=0.02)
    assert p["race"] < 1e-20
    assert p["faith"] > 0.01


# ---------------------------------------------------------------- ties in the order of the rows


def test_ties_are_not_broken_by_row_order():
    """With all scores equal, the first rows of a table sorted by group are one group: 20% selected against 0%."""
    n, places = 4000, 400
    by_group = np.arange(n)
    naive = np.argsort(-np.full(n, 0.5), kind="stable")[:places]
    assert [(naive < n // 2).sum() / (n // 2), (naive >= n // 2).sum() / (n // 2)] == [0.2, 0.0]
    counted = []
    for order in (by_group, by_group[::-1], np.random.default_rng(1).permutation(n)):
        frame = pl.DataFrame(
            {
                "entity_id": [f"p{number}" for number in order], "as_of_date": [dt.date(2024, 1, 1)] * n,
                "origin": [0] * n, "stage": ["test"] * n, "model": ["tally"] * n, "score": [0.5] * n,
                "risk": [0.5] * n, "outcome": pl.Series(order % 2, dtype=pl.Int8), "outcome_status": ["known"] * n,
                "cluster_id": [f"p{number}" for number in order],
            }
        )  # fmt: skip
        listed = rank(frame, "tally", Capacity(places=places), seed=3).frame
        race = np.where(listed["entity_id"].str.slice(1).cast(pl.Int64).to_numpy() < n // 2, "a", "b")
        found = audited(listed["outcome"], listed["selected"], {"race": race})
        counted.append([{name: row[name] for name in ("group", "tp", "fp", "fn", "tn")} for row in found.rows])
        # Chance decides: 200 of each group, with a standard deviation of 9.5.
        assert [row["selected"] for row in found.rows] == pytest.approx([200, 200], abs=30)
    # The same people are on the list, however the table was arranged.
    assert counted[0] == counted[1] == counted[2]


# ---------------------------------------------------------------- a group in which nobody had the outcome


def test_a_group_without_positives_has_no_recall():
    """fairlearn says 0, and so finds the largest gap there can be: 1.0."""
    counts = {"empty": (20, 30, 0, 0), "full": (30, 20, 0, 50)}
    outcome, selected, race = rows_of(counts)
    frame = MetricFrame(
        metrics=true_positive_rate, y_true=outcome, y_pred=selected.astype(int), sensitive_features=race
    )
    assert frame.by_group.to_dict() == {"empty": 0.0, "full": 1.0}
    assert frame.difference() == 1.0
    found = audited(outcome, selected, {"race": race})
    assert row_of(found, "empty")["metrics"]["recall"] == {"value": None, "reason": "nobody who had the outcome"}
    contrast = next(row for row in found.contrasts if row["metric"] == "recall" and row["against"] == "reference")
    assert contrast["ratio"] is contrast["gap"] is contrast["low"] is None
    assert contrast["verdict"] == "INSUFFICIENT EVIDENCE"


# ---------------------------------------------------------------- people without a group


@pytest.mark.parametrize(
    "column",
    [
        lambda race: pd.Series(race.astype(object)).where(race != "c", None),
        lambda race: pd.Series(race.astype(object)).where(race != "c", np.nan),
        lambda race: pd.Series(race, dtype="string").where(pd.Series(race != "c"), pd.NA),
        lambda race: pd.Series(race, dtype="category").where(race != "c"),
        lambda race: pl.Series(race).replace("c", None),
        lambda race: np.where(race == "c", "", race),
    ],
    ids=["None", "nan", "NA", "category", "null", "blank"],
)
def test_people_whose_group_is_missing_are_a_group(column):
    """They vanish from Aequitas' tables, in which the groups then do not add up to everybody."""
    rng = np.random.default_rng(1)
    race = rng.choice(["a", "b", "c"], 2000, p=[0.5, 0.3, 0.2])
    outcome, selected = rng.integers(0, 2, 2000), rng.random(2000) < 0.5
    found = audited(outcome, selected, {"race": column(race)})
    assert {row["group"]: row["n"] for row in found.rows} == {
        "a": (race == "a").sum(), "b": (race == "b").sum(), "Not recorded": (race == "c").sum(),
    }  # fmt: skip
    assert sum(row["positives"] for row in found.rows) == outcome.sum()
    assert contrast_of(found, "Not recorded", "recall")["p"] is not None
    in_need = outcome == 1
    assert found.missing[0]["share"] == pytest.approx(max((race == "c").mean(), (race[in_need] == "c").mean()))


# ---------------------------------------------------------------- columns that are not plain objects


@pytest.mark.parametrize("dtype", ["category", "string", "string[pyarrow]", "str", "ordered"])
def test_categories_and_strings_are_audited(dtype):
    """Aequitas refuses both."""
    outcome, selected, race = rows_of(COMPAS)
    kind = pd.CategoricalDtype(["Caucasian", "African-American"], ordered=True) if dtype == "ordered" else dtype
    found = audited(outcome, selected, {"race": pd.Series(race, dtype=kind)}, "punitive")
    assert found.to_dict() == audited(outcome, selected, {"race": race}, "punitive").to_dict()
