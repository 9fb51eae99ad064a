"""An audit under each profile: nothing small, nothing unrounded, nothing to be worked out, and verdicts that agree."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.own_metrics import metric_rows
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.assessment.suppression import PROFILES, possible, window
from riskmodels.study import PROTECTED_BY_LAW

OF_PEOPLE = sorted(name for name, profile in PROFILES.items() if profile.below)
QUICK = load_policy().model_copy(update={"replicates": 200})
CELLS = ("tn", "fp", "fn", "tp", "off", "on")
MADE_OF = {
    "n": CELLS, "positives": ("fn", "tp"), "selected": ("fp", "tp", "on"), "unknown": ("off", "on"), "tp": ("tp",),
    "fp": ("fp",), "fn": ("fn",), "tn": ("tn",),
}  # fmt: skip


def audited(groups):
    status, selected, race = [], [], []
    for group, cells in groups.items():
        for place, count in enumerate(cells):
            status += [(0, 0, 1, 1, None, None)[place]] * count
            selected += [bool(place % 2)] * count
            race += [group] * count
    risk = np.random.default_rng(1).uniform(0.1, 0.6, len(race))
    return audit_predictions(
        status, risk, selected, {"race": race}, purpose="assistive", seed=1, policy=QUICK,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."),
    ).to_dict()  # fmt: skip


def counts_in(value, key=""):
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in counts_in(inner, name)]
    if isinstance(value, (list, tuple)):
        return [found for inner in value for found in counts_in(inner, key)]
    names = {*MADE_OF, "known", "expected", "units"}
    return [(key, value)] if key in names and isinstance(value, int) and not isinstance(value, bool) else []


def wrong_in(published, profile):
    return [key for key, value in counts_in(published) if value < profile.below or value % profile.base]


@pytest.mark.parametrize("name", OF_PEOPLE)
@pytest.mark.parametrize("seed", range(3))
def test_no_count_is_small_or_unrounded_and_intervals_say_what_verdicts_say(name, seed):
    rng = np.random.default_rng(seed)
    exact = audited(
        {group: tuple(rng.integers(2, (900, 150, 60, 60, 40, 30))) for group in "abcd"} | {"e": (9, 2, 6, 1, 0, 0)}
    )
    profile = PROFILES[name]
    published, log = publish(exact, name)
    assert wrong_in(exact, profile)
    assert not wrong_in(published, profile)
    assert any(line["where"] == "rows, race: e" for line in log)
    for before, after in zip(exact["contrasts"], published["contrasts"], strict=True):
        assert before["verdict"] == after["verdict"]
        if after["low"] is not None:
            assert after["low"] <= after["ratio"] <= after["high"]
            assert [after["high"] < 1, after["low"] > 1] == [before["high"] < 1, before["low"] > 1]
    assert publish(published, name) == (published, ())
    json.dumps(published, allow_nan=False)


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_count_at_the_limit_is_shown_and_one_below_is_not(name):
    profile = PROFILES[name]
    big = {"a": (803, 101, 151, 149, 0, 0), "b": (402, 52, 77, 73, 0, 0), "d": (402, 52, 77, 73, 0, 0)}
    for found, shown in ((profile.below - 1, False), (profile.below, True)):
        published, log = publish(audited({**big, "c": (300, 60, 60, found, 0, 0)}), name)
        row = next(row for row in published["rows"] if row["group"] == "c")
        assert (row["tp"] is not None) == (row["metrics"]["recall"]["value"] is not None) == shown
        assert any(line["where"] == "rows, race: c" for line in log) != shown
        if not shown:
            assert row["metrics"]["recall"]["reason"] == f"not shown (fewer than {profile.below} people)"


small_or_large = st.one_of(st.integers(0, 12), st.integers(10, 60))
tables = st.lists(st.tuples(*[small_or_large] * 4, st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=4)


@pytest.mark.parametrize("name", OF_PEOPLE)
@settings(max_examples=8, deadline=None)
@given(tables.filter(lambda rows: all(sum(row) > 0 for row in rows) and sum(sum(row[:4]) for row in rows) > 0))
def test_suppression_cannot_be_undone(name, rows):
    """An attacker who knows every rounded total solves for each hidden small number."""
    profile = PROFILES[name]
    exact = audited({f"g{number}": row for number, row in enumerate(rows)})
    published, _ = publish(exact, name)
    if not any(row["shown"] for row in published["rows"]):
        return
    facts, windows = [], []
    lines = {
        (place, count): np.array([[group == place and cell in cells for cell in CELLS] for group in range(len(rows))])
        .ravel().astype(float) for place in range(len(rows)) for count, cells in MADE_OF.items()
    }  # fmt: skip
    for place, row in enumerate(published["rows"]):
        for count in MADE_OF:
            if row[count] is not None:
                facts.append(lines[place, count])
                windows.append(window(row[count], profile))
    for count in MADE_OF:
        facts.append(sum(lines[place, count] for place in range(len(rows))))
        windows.append(window(sum(row[count] for row in exact["rows"]), profile))
    for place, (mine, shown) in enumerate(zip(exact["rows"], published["rows"], strict=True)):
        for count in ("n", "positives", "tp", "fp", "fn", "tn"):
            if shown[count] is None and mine[count] < profile.below:
                found = possible(np.array(facts), windows, lines[place, count])
                assert found is not None
                assert min(found[1], profile.below - 1) - found[0] >= profile.leave - 1 - 1e-6, (count, mine)


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_metric_of_the_users_own_hides_as_few_as_the_profile_says(name):
    groups = ["a"] * 40 + ["b"] * 20 + ["c"] * 3
    rows = metric_rows(
        lambda true, chosen: float(np.mean(true)), [0, 1] * 31 + [1], [1, 0] * 31 + [1], groups, profile=name
    )
    shown = {row["group"]: row for row in rows}
    assert shown["c"]["value"] is shown["c"]["n"] is None
    assert shown["a"]["n"] == 40
