"""Two runs compared whole, and the groups of two audits side by side."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.paired_rows import ranked_run
from riskmodels.assessment.run_comparison import compare_groups, compare_runs, list_matrix
from riskmodels.errors import DataError, StudyError
from tests.assessment.compared_runs import county

HOW = {"thresholds": (0.2, 0.4), "bands": {"lower": 0.0, "high": 0.4}, "seed": 3}


def runs(*noises):
    return [ranked_run(f"run {number}", county(noise=noise)) for number, noise in enumerate(noises)]


def test_a_run_with_less_noise_is_better():
    found = compare_runs(*runs(1.5, 0.2), **HOW)
    verdicts = {each.measure: each.verdict for each in found.differences}
    assert verdicts["auc"] == verdicts["brier_score"] == "better"
    assert next(iter(verdicts)) == "auc"
    assert list(verdicts)[-2:] == ["net_benefit_at_0.2", "net_benefit_at_0.4"]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["counts"]["replicates"] == 2000


def test_the_same_twice_is_nought_everywhere():
    found = compare_runs(*runs(0.5, 0.5), **HOW)
    assert {each.difference.value for each in found.differences} == {0.0}
    assert {each.verdict for each in found.differences} == {"the same"}
    assert found.overlap.pooled.of_first == 1.0
    assert found.overlap.hits_bounds == (0, 0)


def test_same_inputs_same_values():
    assert compare_runs(*runs(0.9, 0.5), **HOW) == compare_runs(*runs(0.9, 0.5), **HOW)


def test_of_three_lists_each_with_each():
    matrix = list_matrix(runs(0.2, 0.6, 1.2))
    for one, other in itertools.product(range(3), repeat=2):
        both, only_first, only_second = matrix[one][other]
        assert matrix[other][one] == (both, only_second, only_first)
        assert both + only_first == 120  # 60 places on each of two dates
    assert matrix[1][1] == (120, 0, 0)
    assert matrix[0][1][0] > matrix[0][2][0]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(StudyError, match=r"thresholds: 1.0 is not above 0 and below 1"):
        compare_runs(*runs(0.9, 0.5), **HOW | {"thresholds": (1.0,)})
    others = ranked_run("B", county().with_columns(entity_id="x" + county()["entity_id"]))
    with pytest.raises(DataError, match="nobody in common"):
        compare_runs(ranked_run("A", county()), others, **HOW)


# ---------------------------------------------------------------- groups


def group(name, recall, **more):
    estimate = None if recall is None else dict(zip(("value", "low", "high"), recall, strict=True))
    reason = {"value": None, "reason": "not shown (fewer than 10 people)"}
    return {
        "attribute": "sex", "group": name, "label": name.upper(), "metrics": {"recall": estimate or reason}, **more,
    }  # fmt: skip


def recalls(first, second):
    return [row for row in compare_groups(first, second) if row["metric"] == "recall"]


def test_a_difference_of_two_groups_by_hand():
    # Newcombe 1998: 0.5 (0.4, 0.6) and 0.7 (0.6, 0.8): 0.2 -+ sqrt(0.1^2 + 0.1^2) = 0.059 to 0.341.
    (row,) = recalls([group("f", (0.5, 0.4, 0.6))], [group("f", (0.7, 0.6, 0.8))])
    assert row["difference"] == {"value": 0.2, "low": 0.059, "high": 0.341}
    assert row["verdict"] == "higher"
    assert recalls([group("f", (0.7, 0.6, 0.8))], [group("f", (0.5, 0.4, 0.6))])[0]["verdict"] == "lower"


def test_the_published_example_of_newcombe():
    """56/70 - 48/80 has the interval 0.0524 to 0.3339 by method 10 (Newcombe 1998, table II, row a)."""
    first, second = ((hits / n, *wilson(hits / n, n)) for hits, n in ((48, 80), (56, 70)))
    (row,) = recalls([group("f", first)], [group("f", second)])
    assert row["difference"]["value"] == 0.2
    assert [row["difference"]["low"], row["difference"]["high"]] == pytest.approx([0.0524, 0.3339], abs=6e-4)


def test_overlapping_intervals_may_still_be_no_clear_change():
    (row,) = recalls([group("f", (0.5, 0.4, 0.6))], [group("f", (0.55, 0.45, 0.65))])
    assert row["verdict"] == "no clear change"


def test_what_is_hidden_or_missing_is_said():
    first = [group("f", None), group("m", (0.5, 0.4, 0.6)), group("x", (0.5, None, None)), group("only first", None)]
    second = [group("x", (0.7, 0.6, 0.8)), group("m", (0.5, 0.4, 0.6)), group("f", (0.7, 0.6, 0.8))]
    rows = {row["group"]: row for row in recalls(first, second)}
    assert list(rows) == ["f", "m", "x"]
    assert rows["f"]["difference"] == {"value": None, "reason": "not shown (fewer than 10 people)"}
    assert rows["f"]["verdict"] == "not computed"
    assert rows["x"]["difference"] == {"value": 0.2, "reason": "one of the two has no interval"}
    assert rows["x"]["verdict"] == "no clear change"
    assert np.isclose(rows["m"]["difference"]["value"], 0.0)
    assert rows["m"]["label"] == "M"
    # No selection rate stands in these rows.
    assert {row["verdict"] for row in compare_groups(first, second) if row["metric"] == "selection_rate"} == {
        "not computed"
    }
