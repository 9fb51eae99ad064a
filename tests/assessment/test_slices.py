from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.calibration_statistics import brier_score, calibration_slope, oe_ratio
from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.influence import Influence
from riskmodels.assessment.intervals import Clusters, of_rows
from riskmodels.assessment.slices import assess_slices, seen_before, spread_of
from riskmodels.errors import DataError
from tests.assessment.made_up_rows import few_rows, ranked_rows


def rows_of(found, name):
    (one,) = [each for each in found.to_dict()["slices"] if each["name"] == name]
    return {row["label"]: row for row in one["rows"]}


def test_each_slice_is_the_figures_of_its_rows():
    rows = ranked_rows(dates=3)
    region = np.array(["North", "South", "East"])[np.random.default_rng(1).integers(0, 3, rows.n)]
    found = rows_of(assess_slices(rows, {"region": region}), "region")
    assert list(found) == ["East", "North", "South"]
    for label, row in found.items():
        here = rows.of(region == label)
        known = here.known_only()
        of = (known.outcome, known.risk, known.units)
        for name, metric in (
            ("auc", auc),
            ("brier_score", brier_score),
            ("oe_ratio", oe_ratio),
            ("calibration_slope", calibration_slope),
        ):
            assert row[name] == metric(*of).to_dict()
        listed = at_capacity(here.outcome, here.known, here.selected, here.units)
        assert row["precision"] == listed["precision"].to_dict()
        assert row["recall"] == listed["recall"].to_dict()
        assert row["precision_bounds"] == listed["precision_bounds"]
        assert (row["n"], row["known"], row["events"]) == (here.n, known.n, known.events)
        assert row["selected"] == listed["selected"]
    for name in ("n", "known", "unknown", "events", "selected"):
        whole = {
            "n": rows.n,
            "known": rows.known.sum(),
            "unknown": (~rows.known).sum(),
            "events": rows.events,
            "selected": rows.selected.sum(),
        }
        assert sum(row[name] for row in found.values()) == whole[name]


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ([True, False, True], ["no", "yes"]),
        ([None, "b", "a"], ["a", "b", "not recorded"]),
        ([2.0, np.nan, 2.0], ["2.0", "not recorded"]),
        (pl.Series(["x", "x", "x"]), ["x"]),
        (np.array([3, 1, 3]), ["1", "3"]),
    ],
)
def test_labels_of_every_kind(given, labels):
    found = assess_slices(few_rows([1, 0, None], [0.1, 0.2, 0.3]), {"kind": given})
    assert list(rows_of(found, "kind")) == labels


def test_three_events_give_a_brier_score_and_a_precision_and_reasons_for_the_rest():
    rows = few_rows([1, 1, 1] + [0] * 17, [0.3] * 20, [1] * 8 + [0] * 12)
    row = rows_of(assess_slices(rows, {"all": ["one"] * 20}), "all")["one"]
    assert row["brier_score"]["value"] == pytest.approx((3 * 0.49 + 17 * 0.09) / 20)
    assert row["precision"]["value"] == pytest.approx(3 / 8)
    assert row["recall"]["value"] == 1.0
    for name in ("auc", "oe_ratio", "calibration_slope"):
        assert "3 events" in row[name]["reason"]


def test_a_slice_that_nobody_knows_or_lists():
    rows = few_rows([None, None, 1, 0], [0.1, 0.2, 0.3, 0.4])
    found = rows_of(assess_slices(rows, {"half": ["a", "a", "b", "b"]}), "half")
    assert found["a"]["known"] == 0
    assert "no row" in found["a"]["brier_score"]["reason"]
    assert "nobody was selected" in found["b"]["precision"]["reason"]


def test_wrong_number_of_labels_is_refused():
    with pytest.raises(DataError, match=r"slices\.region: 3 labels for 4 rows"):
        assess_slices(few_rows([1, 0, 1, 0], [0.1] * 4), {"region": ["a", "b", "c"]})


def test_seen_before():
    frame = pl.DataFrame({"entity_id": ["a", "b", "a", "c"], "origin": pl.Series([0, 0, 1, 1], dtype=pl.Int16)})
    taught = {0: pl.Series(["b", "b"]), 1: pl.Series(["a", "b"])}
    assert seen_before(frame, taught).tolist() == [False, True, True, False]


# ---------------------------------------------------------------- do slices differ?

VALUES, VARIANCES = np.array([0.4, 0.9, 0.6, 1.6]), np.array([0.01, 0.04, 0.02, 0.05])


def spread(values=VALUES, variances=VARIANCES):
    """Each slice of two rows that add -+ sqrt(variance/2)."""
    found = [
        Influence(value, np.sqrt(v / 2) * np.array([1.0, -1.0])) for value, v in zip(values, variances, strict=True)
    ]
    return spread_of("oe_ratio", found, np.repeat(np.arange(len(values)), 2), None)


def test_spread_is_that_of_a_meta_analysis():
    from statsmodels.stats.meta_analysis import combine_effects

    found = spread()
    theirs = combine_effects(VALUES, VARIANCES, method_re="dl")
    assert found["q"] == pytest.approx(theirs.q)
    assert found["df"] == 3
    assert found["i2"] == pytest.approx(theirs.i2)
    assert found["tau2"] == pytest.approx(theirs.tau2)
    assert np.log(found["mean"]) == pytest.approx(theirs.mean_effect_re)
    assert found["verdict"] == "more than chance"
    # 95% of other slices: mean -+ t(2) sqrt(tau2 + se2) (Higgins, Thompson & Spiegelhalter 2009)
    half = 4.302653 * np.sqrt(theirs.tau2 + theirs.var_eff_w_re)
    assert np.log(found["range"]) == pytest.approx(
        [theirs.mean_effect_re - half, theirs.mean_effect_re + half], rel=1e-5
    )


def test_slices_that_are_alike():
    found = spread(values=[0.5, 0.5, 0.5, 0.5])
    assert (found["q"], found["i2"], found["tau2"]) == pytest.approx((0, 0, 0), abs=1e-12)
    assert found["verdict"] == "no more than chance"


def test_one_slice_or_none_has_no_spread():
    found = spread_of("auc", [Influence(0.5, np.array([0.1])), "3 events"], np.array([0]), None)
    assert (found["verdict"], found["slices"]) == ("not computed", 1)
    assert "fewer than two" in found["reason"]
    assert spread([0.2, 0.4], [0.01, 0.01])["range"] is None


def test_a_slice_of_fewer_than_twenty_events_is_not_compared():
    """Slices a and b of 20 events, c of 19: two are compared, and one is left out; it keeps figures of its own."""
    rng = np.random.default_rng(2)
    outcome = [1] * 20 + [0] * 40 + [1] * 20 + [0] * 40 + [1] * 19 + [0] * 40
    rows = few_rows(outcome, rng.uniform(0.1, 0.6, len(outcome)).tolist())
    (found,) = assess_slices(rows, {"part": ["a"] * 60 + ["b"] * 60 + ["c"] * 59}).slices
    for spread in found["spread"].values():
        assert (spread["slices"], spread["left_out"]) == (2, 1)
        assert spread["df"] == 1
    assert found["rows"][2]["auc"].value is not None
    (found,) = assess_slices(rows.of(np.arange(60, 179)), {"part": ["b"] * 60 + ["c"] * 59}).slices
    assert found["spread"]["auc"]["verdict"] == "not computed"
    assert "(fewer than 20 events or non-events are known)" in found["spread"]["auc"]["reason"]


@pytest.mark.parametrize(("metric", "p", "verdict"), [("auc", 0.03, "no more"), ("oe_ratio", 0.03, "more")])
def test_an_auc_must_differ_by_more_than_a_ratio(metric, p, verdict):
    """Two slices whose difference is 2.17 standard errors: p = 0.03."""
    variance = (1 / 2.1701) ** 2 / 2
    found = [Influence(value, np.sqrt(variance / 2) * np.array([1.0, -1.0])) for value in (0.0, 1.0)]
    told = spread_of(metric, found, np.array([0, 0, 1, 1]), None)
    assert told["p"] == pytest.approx(p, rel=1e-3)
    assert told["verdict"] == f"{verdict} than chance"


def test_regions_that_differ_are_told_from_regions_that_do_not():
    rows = ranked_rows(people=2000, dates=2, seed=4)
    region = np.random.default_rng(5).integers(0, 4, rows.n)
    alike = assess_slices(rows, {"region": region}).to_dict()["slices"][0]["spread"]
    assert alike["auc"]["verdict"] == alike["oe_ratio"]["verdict"] == "no more than chance"
    worse = replace(
        rows,
        risk=np.where(
            region == 2, np.clip(rows.risk * 0.5 + 0.3 * np.random.default_rng(6).random(rows.n), 0.01, 0.99), rows.risk
        ),
    )
    found = assess_slices(worse, {"region": region}).to_dict()["slices"][0]["spread"]
    assert found["auc"]["verdict"] == found["oe_ratio"]["verdict"] == "more than chance"
    assert found["auc"]["range"][0] < found["auc"]["mean"] < found["auc"]["range"][1]


def test_people_in_two_slices_are_one_cluster():
    """The same rows twice under two labels: the slices are equal, and their joint covariance knows it."""
    rows = ranked_rows(people=200, dates=1, clustered=False).known_only()
    twice = rows.of(np.tile(np.arange(rows.n), 2))
    half = np.repeat(["a", "b"], rows.n)
    apart = assess_slices(replace(twice, units=None), {"half": half}).to_dict()["slices"][0]["spread"]["auc"]
    assert apart["q"] == pytest.approx(0, abs=1e-9)
    together = replace(twice, units=Clusters(np.tile(np.arange(rows.n), 2), rows.n))
    assert of_rows(together.units, half == "a") is None
    # Their difference has no variance at all, so there is nothing to test.
    found = assess_slices(together, {"half": half}).to_dict()["slices"][0]["spread"]["auc"]
    assert found["verdict"] == "not computed"


def test_plain_values_are_json():
    told = assess_slices(ranked_rows(), {"odd": np.arange(1600) % 2 == 1}).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
