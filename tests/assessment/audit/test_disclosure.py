import copy
import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.disclosure import publish
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.suppression import (
    PROFILES,
    complementary,
    count_in_words,
    hidden_rows,
    published_count,
    ranges_by_subtraction,
)
from riskmodels.study import PROTECTED_BY_LAW

SRO = PROFILES["sro-10"]
QUICK = load_policy().model_copy(update={"replicates": 200})
CELLS = ("tn", "fp", "fn", "tp", "off", "on")
NOT_SHOWN = "not shown (fewer than 10 people)"


def audited(groups, purpose="assistive", **more):
    """An audit of groups given by their cells, as in CELLS."""
    status, selected, race = [], [], []
    for group, cells in groups.items():
        for place, count in enumerate(cells):
            status += [(0, 0, 1, 1, None, None)[place]] * count
            selected += [bool(place % 2)] * count
            race += [group] * count
    risk = np.random.default_rng(1).uniform(0.1, 0.6, len(race))
    found = audit_predictions(
        status, risk, selected, {"race": race}, purpose=purpose, seed=1, policy=QUICK,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."), **more,
    )  # fmt: skip
    return found.to_dict()


def numbers_in(value):
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_in(part)]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in numbers_in(part)]
    return [] if value is None or isinstance(value, (bool, str)) else [value]


# ---------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, None), (1, None), (9, None), (10, 10), (12, 10), (13, 15), (17, 15), (18, 20), (1002, 1000)],
)
def test_counts_below_ten_are_hidden_and_others_rounded_to_five(count, shown):
    assert published_count(count, SRO) == shown


def test_counts_in_words():
    assert count_in_words(3, SRO) == NOT_SHOWN
    assert count_in_words(1234, SRO, "pupils") == "about 1,235 pupils"


def test_two_hidden_counts_protect_each_other():
    assert complementary([3, 5, 100, 200], SRO) == [True, True, False, False]
    assert complementary([40, 50, 60], SRO) == [False, False, False]


def test_one_hidden_count_takes_a_second_with_it_where_subtraction_would_tell():
    # 9 + 12 + 12 = 33: 35 - 10 - 10 leaves 15, so at least 9: found.
    assert complementary([9, 12, 12], SRO) == [True, True, False]


def test_one_hidden_count_may_stand_alone_where_rounding_protects_it():
    # 5 + 100 = 105: 105 - 100 leaves 5, give or take 4.
    assert complementary([5, 100], SRO) == [True, False]
    assert ranges_by_subtraction(np.array([5, 100]), np.array([True, False]), SRO) == [(1, 9)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_no_hidden_count_can_be_found_by_subtraction(counts):
    """Whatever could be published alike is tried; a hidden count always has at least two values left."""
    hidden = np.array(complementary(counts, SRO))
    if hidden.all():
        return
    total = sum(counts)
    total_low, total_high = _window(total)
    shown = [_window(count) for count, is_hidden in zip(counts, hidden, strict=True) if not is_hidden]
    most_hidden = total_high - sum(low for low, _ in shown)
    least_hidden = total_low - sum(high for _, high in shown)
    small = [count for count, is_hidden in zip(counts, hidden, strict=True) if is_hidden and count < 10]
    large = int(hidden.sum()) - len(small)
    for _ in small:
        possible = [
            value
            for value in range(10)
            if value <= most_hidden and (large or value + 9 * (len(small) - 1) >= least_hidden)
        ]
        assert len(possible) >= 2


def _window(count):
    same = [
        other
        for other in range(max(0, count - 10), count + 10)
        if published_count(other, SRO) == published_count(count, SRO)
    ]
    return min(same), max(same)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=5))
def test_every_small_row_is_hidden_and_protection_is_told_apart(rows):
    counts = np.array(rows)
    hidden, protecting = hidden_rows(counts, SRO)
    small = (counts < 10).any(axis=1)
    assert (hidden == (small | protecting)).all()
    assert not (small & protecting).any()


# ---------------------------------------------------------------- an audit


def test_a_large_audit_is_shown_whole_and_rounded():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12)})
    published, log = publish(exact, SRO)
    assert log == ()
    row = published["rows"][0]
    assert [row[name] for name in ("n", "positives", "selected", "tp", "fp", "fn", "tn", "unknown")] == [
        1280, 300, 275, 150, 100, 150, 805, 75,
    ]  # fmt: skip
    assert row["metrics"]["recall"]["value"] == pytest.approx(150 / 300)
    assert row["metrics"]["selection_rate"]["value"] == pytest.approx(275 / 1280, abs=0.001)
    contrast = next(c for c in published["contrasts"] if (c["group"], c["metric"]) == ("b", "recall"))
    assert contrast["ratio"] == pytest.approx((75 / 150) / (150 / 300), abs=0.001)
    before = next(c for c in exact["contrasts"] if (c["group"], c["metric"]) == ("b", "recall"))
    assert before["ratio"] == pytest.approx((73 / 150) / (149 / 300))
    assert contrast["high"] / contrast["low"] == pytest.approx(before["high"] / before["low"], rel=0.01)
    assert published["verdict"] == exact["verdict"]
    assert [c["verdict"] for c in published["contrasts"]] == [c["verdict"] for c in exact["contrasts"]]
    assert published["disclosure"] == {"profile": "sro-10", "below": 10, "rounded_to": 5}


def test_the_exact_audit_is_not_changed():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (4, 1, 1, 0, 0, 0)})
    before = copy.deepcopy(exact)
    publish(exact, "sro-10")
    assert exact == before


def test_a_group_of_nine_carries_no_number():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12), "c": (6, 1, 1, 1, 0, 0)})
    assert next(row["n"] for row in exact["rows"] if row["group"] == "c") == 9
    assert not next(row["shown"] for row in exact["rows"] if row["group"] == "c")
    published, log = publish(exact, SRO)
    for table in ("rows", "contrasts", "composition", "proxies"):
        for row in published[table]:
            if row["group"] == "c":
                assert numbers_in(row) == []
    row = next(row for row in published["rows"] if row["group"] == "c")
    assert not row["shown"]
    assert row["metrics"]["recall"] == {"value": None, "reason": NOT_SHOWN}
    assert {
        "where": "rows, race: c",
        "what": "n, positives, selected, tp, fn, fp, tn and what is made of them",
        "why": NOT_SHOWN,
    } in log
    assert published["in_words"][-1] == "Race: too few people to judge anything for c."


def test_a_small_cell_hides_what_is_made_of_it_and_keeps_the_rest():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12), "c": (300, 30, 40, 4, 20, 12)})
    published, log = publish(exact, SRO)
    row = next(row for row in published["rows"] if row["group"] == "c")
    assert (row["n"], row["positives"], row["selected"]) == (405, 45, 45)
    assert (row["tp"], row["fn"], row["fp"], row["tn"]) == (None, None, 30, 300)
    values = {metric: found["value"] for metric, found in row["metrics"].items()}
    assert values["recall"] is values["fnr"] is values["precision"] is values["base_rate"] is None
    assert (values["fpr"], values["selection_rate"]) == (
        pytest.approx(30 / 330, abs=0.001),
        pytest.approx(45 / 405, abs=0.001),
    )
    assert [entry["where"] for entry in log if entry["where"].startswith("rows")] == ["rows, race: c"]
    recall = next(c for c in published["contrasts"] if (c["group"], c["metric"]) == ("c", "recall"))
    assert recall["ratio"] is recall["low"] is recall["p"] is None
    assert recall["verdict"] == "INSUFFICIENT EVIDENCE"


def test_verdicts_stand_where_numbers_do_not():
    exact = audited({"a": (8030, 1010, 500, 500, 0, 0), "b": (4020, 520, 300, 3, 0, 0)})
    published, _ = publish(exact, SRO)
    contrast = next(c for c in published["contrasts"] if (c["group"], c["metric"]) == ("b", "recall"))
    assert (contrast["verdict"], contrast["worse_off"], contrast["ratio"]) == ("FAIL", "b", None)


def test_intersections_are_shown_by_their_own_cells():
    rng = np.random.default_rng(1)
    n = 3000
    sex = rng.choice(["f", "m"], n)
    race = rng.choice(["a", "b", "c"], n, p=[0.6, 0.35, 0.05])
    outcome, selected = rng.integers(0, 2, n), rng.random(n) < 0.15
    found = audit_predictions(
        outcome, rng.uniform(0.2, 0.8, n), selected, {"sex": sex, "race": race}, purpose="assistive", seed=1,
        policy=QUICK, intersections=[("sex", "race")],
    )  # fmt: skip
    published, _ = publish(found.to_dict(), SRO)
    hidden = 0
    for exact, shown in zip(found.contrasts, published["contrasts"], strict=True):
        if exact["attribute"] == "sex × race":
            small = exact["smallest_cell"] < 10
            hidden += small and exact["ratio"] is not None
            assert (shown["ratio"] is None) == (small or exact["ratio"] is None)
        assert "smallest_cell" not in shown
    assert hidden


def test_the_log_and_the_published_audit_are_json():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12), "c": (30, 3, 4, 4, 2, 1)})
    published, log = publish(exact, SRO)
    json.dumps([published, log], allow_nan=False)
    assert log
    assert all(numbers_in(entry) == [] for entry in log)


def test_places_are_called_places():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "c": (3, 1, 1, 0, 0, 0)}, level="place")
    published, _ = publish(exact, SRO)
    assert published["rows"][1]["metrics"]["recall"]["reason"] == "not shown (fewer than 10 places)"


small_or_large = st.one_of(st.integers(0, 12), st.integers(10, 60))
tables = st.lists(st.tuples(*[small_or_large] * 4, st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=4)


@settings(max_examples=25, deadline=None)
@example([(51, 10, 40, 9, 4, 57), (7, 6, 27, 32, 0, 0)])
@given(tables.filter(lambda rows: all(sum(row) > 0 for row in rows) and sum(sum(row[:4]) for row in rows) > 0))
def test_suppression_cannot_be_undone(rows):
    """An attacker who knows every rounded total solves for each hidden small number by linear programming."""
    groups = {f"g{number}": row for number, row in enumerate(rows)}
    exact = audited(groups)
    published, _ = publish(exact, SRO)
    if not any(row["shown"] for row in published["rows"]):
        return
    sums, low, high = [], [], []

    def learn(group, names, value):
        """What is published of a sum of cells, of one group or (None) of all."""
        line = np.zeros((len(rows), 6))
        line[slice(None) if group is None else group, [CELLS.index(name) for name in names]] = 1
        least, most = (0, 1e6) if value is None else _window(value)
        sums.append(line.ravel())
        low.append(least)
        high.append(most)

    made_of = {
        "n": CELLS, "positives": ("fn", "tp"), "selected": ("fp", "tp", "on"), "unknown": ("off", "on"),
        "tp": ("tp",), "fp": ("fp",), "fn": ("fn",), "tn": ("tn",),
    }  # fmt: skip
    order = {row["group"]: place for place, row in enumerate(published["rows"])}
    for row in published["rows"]:
        for name, cells in made_of.items():
            learn(order[row["group"]], cells, row[name])
    for name, cells in made_of.items():
        learn(None, cells, published_count(sum(row[name] for row in exact["rows"]), SRO))
    table = np.array(sums)
    for mine, shown in zip(exact["rows"], published["rows"], strict=True):
        for name in ("n", "positives", "tp", "fp", "fn", "tn"):
            if shown[name] is not None or mine[name] >= 10:
                continue
            target = np.zeros((len(rows), 6))
            target[order[shown["group"]], [CELLS.index(cell) for cell in made_of[name]]] = 1
            ends = [
                linprog(
                    sign * target.ravel(), A_ub=np.vstack([table, -table]), b_ub=[*high, *(-np.array(low))],
                    method="highs",
                ).fun
                * sign
                for sign in (1, -1)
            ]  # fmt: skip
            assert min(ends[1], 9) - ends[0] >= 1, (name, mine, ends)
