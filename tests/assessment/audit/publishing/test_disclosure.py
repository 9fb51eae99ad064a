import copy
import json
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.assessment.suppression import (
    PROFILES,
    complementary,
    count_in_words,
    hidden_rows,
    published_count,
    ranges_by_subtraction,
)
from riskmodels.study import PROTECTED_BY_LAW, Protected

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
    assert row["metrics"]["selection_rate"]["value"] == round(275 / 1280, 2)
    contrast = next(c for c in published["contrasts"] if (c["group"], c["metric"]) == ("b", "recall"))
    assert contrast["ratio"] == pytest.approx((75 / 150) / (150 / 300), abs=0.001)
    before = next(c for c in exact["contrasts"] if (c["group"], c["metric"]) == ("b", "recall"))
    assert before["ratio"] == pytest.approx((73 / 150) / (149 / 300))
    # With 150 of 300 against 75 of 150 the log ratio has the standard error sqrt(0.5 / 75 + 0.5 / 150) = 0.1.
    half = 0.1 * published["critical_values"]["treatment"]
    assert contrast["high"] == pytest.approx(np.exp(half), abs=0.011)
    # The exact interval reaches past the band, which is why there is no PASS: so must this one, exp(-half) or not.
    assert (contrast["low"], contrast["band"][0]) == (0.79, 0.8)
    assert contrast["high"] / contrast["low"] == pytest.approx(before["high"] / before["low"], rel=0.1)
    assert published["verdict"] == exact["verdict"]
    assert [c["verdict"] for c in published["contrasts"]] == [c["verdict"] for c in exact["contrasts"]]
    assert published["disclosure"] == {"profile": "sro-10", "below": 10, "rounded_to": 5}


@pytest.mark.parametrize("seed", range(40))
def test_an_interval_says_what_the_verdict_says_of_the_band_and_of_one(seed):
    rng = np.random.default_rng(seed)
    groups = {name: tuple(rng.integers(12, (900, 150, 160, 160, 40, 30))) for name in "abc"}
    exact = audited(groups)
    published, _ = publish(exact, SRO)
    judged = 0
    for before, after in zip(exact["contrasts"], published["contrasts"], strict=True):
        if after["low"] is None:
            continue
        assert after["low"] <= after["ratio"] <= after["high"]
        assert [after["high"] < 1, after["low"] > 1] == [before["high"] < 1, before["low"] > 1]
        if before["band"] and not (before["reason"] or "").startswith("too few"):
            judged += 1
            assert _against(before["band"], before) == _against(before["band"], after)
    assert judged


def _against(band, row):
    """Whether an interval lies within the band, below it, or above it."""
    return band[0] <= row["low"] and row["high"] <= band[1], row["high"] < band[0], row["low"] > band[1]


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
                # The band is the policy's, and the same for everybody.
                assert numbers_in({name: part for name, part in row.items() if name != "band"}) == []
    row = next(row for row in published["rows"] if row["group"] == "c")
    assert not row["shown"]
    assert row["metrics"]["recall"] == {"value": None, "reason": NOT_SHOWN}
    assert {
        "where": "rows, race: c",
        "what": "n, positives, selected, tp, fn, fp, tn and what is made of them",
        "why": NOT_SHOWN,
    } in log
    assert published["in_words"][-1].startswith("Race: too few people to judge anything for c")


def test_a_small_cell_hides_what_is_made_of_it_and_keeps_the_rest():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12), "c": (300, 30, 40, 4, 20, 12)})
    published, log = publish(exact, SRO)
    row = next(row for row in published["rows"] if row["group"] == "c")
    assert (row["n"], row["positives"], row["selected"]) == (405, 45, 45)
    assert (row["tp"], row["fn"], row["fp"], row["tn"]) == (None, None, 30, 300)
    values = {metric: found["value"] for metric, found in row["metrics"].items()}
    assert values["recall"] is values["fnr"] is values["precision"] is values["base_rate"] is None
    assert (values["fpr"], values["selection_rate"]) == (
        round(30 / 330, 3),  # below 0.1
        round(45 / 405, 2),
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


# ---------------------------------------------------------------- attacks on what is published of a table


COUNTS = ("tn", "fp", "fn", "tp")
RATES = ("recall", "fnr", "fpr", "fdr", "for", "precision", "selection_rate", "base_rate")


def random_groups(seed, sizes=None, names="abc"):
    """Groups of 60 to 200 people whose outcomes are all known."""
    rng = np.random.default_rng([seed, 4])
    groups = {}
    for name, size in zip(names, rng.integers(60, 200, len(names)) if sizes is None else sizes, strict=True):
        had = rng.random(size) < 0.45
        listed = rng.random(size) < np.where(had, 0.6, 0.35)
        table = [int((had == outcome)[listed == chosen].sum()) for outcome in (False, True) for chosen in (False, True)]
        groups[name] = (*table, 0, 0)
    return groups


def row_of(published, group, attribute="race"):
    return next(row for row in published["rows"] if (row["attribute"], row["group"]) == (attribute, group))


def tables_of(row):
    """Every table of a group whose counts and sums would have been rounded to those of its published row."""
    within = [range(_least(row[name]), row[name] + 3) for name in COUNTS]
    sums = {"n": (0, 1, 2, 3), "positives": (2, 3), "selected": (1, 3)}
    return [
        table
        for table in product(*within)
        if all(abs(sum(table[cell] for cell in cells) - row[name]) <= 2 for name, cells in sums.items())
    ]


def _least(count):
    return max(count - 2, 10)


def made_of_counts(row):
    """What a published row says that is made of its table, intervals and all."""
    return {name: row[name] for name in (*COUNTS, "n", "positives", "selected")} | {
        metric: row["metrics"][metric] for metric in RATES
    }


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_a_published_row_leaves_many_tables(seed):
    """An attack: of the 5^4 tables that round alike, which would have had these very intervals?"""
    groups = random_groups(seed)
    published, _ = publish(audited(groups), SRO)
    tried = 0
    for name in groups:
        row = row_of(published, name)
        if None in (row[cell] for cell in COUNTS):
            continue
        left = 0
        for table in tables_of(row)[::3]:
            again, _ = publish(audited({**groups, name: (*table, 0, 0)}), SRO)
            left += made_of_counts(row_of(again, name)) == made_of_counts(row)
        assert left >= 5, (name, left)
        tried += 1
    assert tried


def oracle(published):
    """All that is published of a table beyond its group's row: contrasts of rates, and the width of their family."""
    contrasts = [row for row in published["contrasts"] if row["metric"] in RATES]
    return published["critical_values"]["treatment"], contrasts


@pytest.mark.parametrize("seed", range(6))
def test_contrasts_and_critical_values_do_not_single_out_a_table(seed, monkeypatch):
    """The attacker has the software, the seed, and every other group's table: whichever table of this group gives all
    the published numbers again may be the one.
    """
    monkeypatch.setitem(globals(), "QUICK", load_policy())  # fewer resamples than in earnest would vary too much
    groups = random_groups(seed)
    published, _ = publish(audited(groups), SRO)
    row = row_of(published, "b")
    assert None not in (row[cell] for cell in COUNTS)
    by_width = alike = 0
    tables = tables_of(row)
    for table in tables[:: max(1, len(tables) // 40)]:
        again, _ = publish(audited(groups | {"b": (*table, 0, 0)}), SRO)
        by_width += oracle(again)[0] == oracle(published)[0]
        alike += oracle(again) == oracle(published)
    assert by_width >= 5
    assert alike >= 5


@pytest.mark.parametrize("seed", range(8))
def test_subtraction_across_two_attributes_does_not_pin_a_hidden_group(seed):
    """Race has a hidden group of seven, sex none: what is left of the sexes once the other races are taken away?"""
    groups = random_groups(seed, (90, 70, 7))
    rng = np.random.default_rng(seed)
    status, selected, race = [], [], []
    for group, cells in groups.items():
        for place, count in enumerate(cells):
            status += [place // 2] * count
            selected += [bool(place % 2)] * count
            race += [group] * count
    sex = rng.choice(["f", "m"], len(race))
    found = audit_predictions(
        status, rng.uniform(0.1, 0.6, len(race)), selected, {"race": race, "sex": sex}, purpose="assistive", seed=1,
        policy=QUICK, excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."),
    ).to_dict()  # fmt: skip
    published, _ = publish(found, SRO)
    assert row_of(published, "c")["n"] is None
    rows = {"f": "sex", "m": "sex", "a": "race", "b": "race"}
    shown = {group: row_of(published, group, attribute) for group, attribute in rows.items()}
    for cell, name in enumerate(COUNTS):
        counts = {group: row[name] for group, row in shown.items()}
        if None in counts.values():
            continue
        ranges = {group: {table[cell] for table in tables_of(shown[group])} for group in rows if _whole(shown[group])}
        ranges |= {
            group: set(range(_least(count), count + 3)) for group, count in counts.items() if group not in ranges
        }
        least, most = ({group: pick(own) for group, own in ranges.items()} for pick in (min, max))
        low = least["f"] + least["m"] - most["a"] - most["b"]
        high = most["f"] + most["m"] - least["a"] - least["b"]
        assert min(high, 7) - max(low, 0) >= 1, (name, low, high)


def _whole(row):
    return None not in (row[name] for name in COUNTS)


@pytest.mark.parametrize("small", [3, 6, 8])
def test_composition_leaves_the_size_of_a_hidden_group_open(small):
    """Whatever the hidden group's size is, the same shares are published while the whole is rounded alike."""
    told = {}
    for size in range(1, 10):
        groups = {"a": (30, 20, 15, 25, 0, 0), "b": (22, 16, 14, 18, 0, 0), "c": (size, 0, 0, 0, 0, 0)}
        published, _ = publish(audited(groups), SRO)
        assert row_of(published, "c")["n"] is None
        told.setdefault(json.dumps([published["n"], published["composition"]]), []).append(size)
    assert len(next(sizes for sizes in told.values() if small in sizes)) >= 2


def test_composition_is_made_of_the_published_counts():
    published, _ = publish(audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12)}), SRO)
    shares = {row["group"]: row for row in published["composition"]}
    # 1,279 and 647 of 1,926 people; 273 and 137 of 410 on the list; 300 and 150 of 450 with the outcome.
    assert [shares["a"][name] for name in ("in_cohort", "on_list", "in_need")] == [
        round(1280 / 1925, 2), round(275 / 410, 2), round(300 / 450, 2),
    ]  # fmt: skip


# ---------------------------------------------------------------- people, not rows


def on_dates(people, dates, groups):
    """An audit of people who are each of one group on many dates; half of the rows had the outcome, half are listed."""
    person = np.repeat(np.arange(people), dates)
    n = person.size
    rng = np.random.default_rng(5)
    status, selected = rng.permutation(np.arange(n) % 2), rng.permutation(np.arange(n) % 2) == 1
    return audit_predictions(
        status, rng.uniform(0.1, 0.6, n), selected, {"race": np.repeat(groups, dates)}, purpose="assistive", seed=1,
        policy=QUICK, clusters=person, excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."),
    ).to_dict()  # fmt: skip


def test_two_people_on_many_dates_are_two_people():
    exact = on_dates(302, 24, ["tiny"] * 2 + ["a"] * 60 + ["b"] * 240)
    tiny = row_of(exact, "tiny")
    assert (tiny["n"], tiny["people"]["n"]) == (48, 2)
    assert min(tiny[name] for name in COUNTS) >= 1
    published, log = publish(exact, SRO)
    shown = row_of(published, "tiny")
    assert numbers_in({name: part for name, part in shown.items() if name != "band"}) == []
    assert shown["metrics"]["recall"]["reason"] == NOT_SHOWN
    # The next larger group goes with it: the whole less the others would tell.
    assert row_of(published, "a")["n"] is None
    assert row_of(published, "b")["n"] == 5760
    assert '"people"' not in json.dumps(published["rows"])
    assert any(line["where"] == "rows, race: tiny" for line in log)


def test_a_row_without_people_is_of_one_person_a_row():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12)})
    without = copy.deepcopy(exact)
    for row in without["rows"]:
        row.pop("people", None)
    assert publish(without, SRO) == publish(exact, SRO)


def test_clusters_widen_a_published_rate():
    """Each person's outcome is the same on all of 8 dates: the design effect is near 8, and told to one decimal."""
    person = np.repeat(np.arange(120), 8)
    had = np.repeat(np.arange(120) % 2, 8)
    found = audit_predictions(
        had, np.random.default_rng(1).uniform(0.1, 0.6, person.size), np.repeat(np.arange(120) % 4 < 2, 8),
        {"race": np.repeat(np.where(np.arange(120) < 70, "a", "b"), 8)}, purpose="assistive", seed=1, policy=QUICK,
        clusters=person, excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."),
    ).to_dict()  # fmt: skip
    published, _ = publish(found, SRO)
    exact, shown = (row_of(audit, "a")["metrics"]["base_rate"] for audit in (found, published))
    assert shown["high"] - shown["low"] == pytest.approx(exact["high"] - exact["low"], abs=0.02)


# ---------------------------------------------------------------- unknown outcomes at worst and at best


def test_bounds_are_made_of_rounded_counts_and_rounded_outward():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 4, 3)})
    published, _ = publish(exact, SRO)
    # 75 not known; of 275 on the list 150 and 100 are known, so 25 are not, and 50 off the list.
    # Recall: from 150 / (300 + 50) = 0.428... to (150 + 25) / (300 + 25) = 0.538...
    assert row_of(published, "a")["metrics"]["recall"]["bounds"] == [0.42, 0.54]
    # Seven are too few to be shown, and so is what they could do.
    assert row_of(exact, "b")["metrics"]["recall"]["bounds"]
    assert row_of(published, "b")["unknown"] is None
    assert "bounds" not in row_of(published, "b")["metrics"]["recall"]


def test_bounds_of_a_ratio_are_rounded_outward_where_it_is_shown():
    exact = audited({"a": (803, 101, 151, 149, 52, 23), "b": (402, 52, 77, 73, 31, 12), "c": (300, 30, 40, 4, 20, 12)})
    for row in exact["contrasts"]:
        row["bounds"] = [0.7251, 1.2349]
    published, _ = publish(exact, SRO)
    recall = {row["group"]: row for row in published["contrasts"] if row["metric"] == "recall"}
    assert recall["b"]["bounds"] == [0.72, 1.24]
    assert recall["c"]["bounds"] is None


# ---------------------------------------------------------------- lists of other lengths


SHARES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


def swept(groups, policy=QUICK):
    """An audit of groups given by how many with and without the outcome come onto the list at each length.

    The eighth pair is of those whom no list holds; a third number would be of those whose outcome is not known.
    """
    status, depth, race = [], [], []
    for group, steps in groups.items():
        for place, counts in enumerate(steps):
            for outcome, count in zip((1, 0, None), counts, strict=False):
                status += [outcome] * count
                depth += [(*SHARES, 4.0)[place]] * count
                race += [group] * count
    depth = np.array(depth)
    return audit_predictions(
        status, np.random.default_rng(1).uniform(0.1, 0.6, len(race)), depth <= 1, {"race": race}, purpose="assistive",
        seed=1, policy=policy, excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."), depth=depth,
    ).to_dict()  # fmt: skip


def points_of(published, group):
    return {row["share"]: row for row in published["sweep"] if row["group"] == group}


def shown_shares(published, group):
    return [share for share, row in points_of(published, group).items() if row["recall"]["value"] is not None]


LARGE = [(31, 62)] * 7 + [(200, 900)]


def test_a_large_sweep_is_shown_whole_and_rounded():
    exact = swept({"a": LARGE, "b": LARGE})
    published, log = publish(exact, SRO)
    assert log == ()
    assert shown_shares(published, "a") == list(SHARES)
    # Half the places hold 62 of the 417 with the outcome, about 60 and 355; and 186 of 1,751 people.
    half = points_of(published, "a")[0.5]
    assert half["recall"]["value"] == round(60 / 415, 2)
    assert half["recall"]["n"] == 415
    assert half["selection_rate"]["value"] == round(185 / 1750, 2)
    today = next(row for row in published["rows"] if row["group"] == "a")
    assert points_of(published, "a")[1.0]["recall"]["value"] == today["metrics"]["recall"]["value"]
    assert set(half) == {"attribute", "group", "label", "share", "recall", "selection_rate"}


@pytest.mark.parametrize("few", [(4, 62), (31, 4), (0, 62), (31, 0)])
def test_points_that_would_tell_of_a_few_people_by_their_difference_are_hidden(few):
    """Between today's list and one half as long again come so few with, or without, the outcome."""
    steps = [*LARGE[:4], few, *LARGE[5:]]
    published, log = publish(swept({"a": LARGE, "b": steps, "c": [(310, 620)] * 8}), SRO)
    # The next larger group is hidden with it, so that subtracting from all would not tell.
    assert shown_shares(published, "b") == shown_shares(published, "a") == [0.25, 0.5, 0.75, 1.0, 2.0, 3.0]
    assert shown_shares(published, "c") == list(SHARES)
    hidden = points_of(published, "b")[1.5]
    assert hidden["recall"] == hidden["selection_rate"] == {
        "value": None, "reason": "not shown (a small number, or one that would give it away)",
    }  # fmt: skip
    assert {line["where"] for line in log} == {"sweep, race: a", "sweep, race: b"}
    assert {line["what"] for line in log} == {"rates at 1.5 times the places"}


def test_a_group_whose_recall_is_hidden_has_no_sweep():
    published, _ = publish(swept({"a": LARGE, "b": [(2, 62)] * 4 + [(20, 62)] * 4, "c": [(310, 620)] * 8}), SRO)
    assert next(row["tp"] for row in published["rows"] if row["group"] == "b") is None
    assert shown_shares(published, "b") == []
    assert shown_shares(published, "a") == [1.0]
    assert shown_shares(published, "c") == list(SHARES)


def random_steps(seed):
    """Two or three groups of which few, or nobody, come onto the list at some lengths."""
    rng = np.random.default_rng(seed)
    many, few = rng.integers(10, 60, (rng.integers(2, 4), 8, 3)), rng.integers(0, 14, (1, 8, 3))
    found = np.where(rng.random(many.shape) < 0.25, few, many)
    found[..., 2] = np.where(rng.random(found.shape[:2]) < 0.3, found[..., 2] // 10, 0)
    return found.tolist()


@pytest.mark.parametrize(
    "groups",
    [
        [[*[(20, 30, 0)] * 5, (0, 30, 0), (0, 30, 0), (20, 30, 0)], [(30, 30, 0)] * 8],
        [[(12, 12, 0)] * 8, [(0, 0, 0)] * 7 + [(12, 12, 0)], [(30, 30, 0)] * 8],
        [[*[(11, 40, 0)] * 4, (1, 12, 2), *[(15, 12, 0)] * 3], [(30, 30, 0)] * 8, [(12, 11, 0)] * 8],
        # 23 and 0 of one group and 103 of each other, in all 332: were the 0 hidden alone, it would follow from the
        # edges of the roundings, 332 - 3 * 103 - 23.
        [[(5, 10, 0), *[(6, 10, 0)] * 3, (0, 30, 0), *[(20, 30, 0)] * 3]]
        + [[*[(20, 30, 0)] * 4, (23, 30, 0), *[(30, 30, 0)] * 3]] * 3,
        *map(random_steps, range(8)),
    ],
)
def test_nobody_can_be_found_by_putting_points_together(groups):
    """An attacker knows every rounded total at every length, and the rules. For each small number of people who come
    onto the list between two lengths, at least two values are possible, by linear programming.
    """
    published, _ = publish(swept({f"g{number}": steps for number, steps in enumerate(groups)}), SRO)
    names = [row["group"] for row in published["rows"]]
    shape = len(groups), 8, 3  # groups, steps, with the outcome or without or not known
    truth = np.array([groups[int(name[1:])] for name in names])
    sums, low, high = [], [], []

    def mask(group, steps, kinds):
        line = np.zeros(shape)
        line[slice(None) if group is None else group, slice(*steps), kinds] = 1
        return line.ravel()

    def learn(line, shown=True, least=0):
        count = int(line @ truth.ravel())
        window = _window(count) if shown else (least, 1e6)
        sums.append(line)
        low.append(max(window[0], least))
        high.append(window[1])

    made_of = {
        "n": ((0, 8), [0, 1, 2]), "positives": ((0, 8), [0]), "selected": ((0, 4), [0, 1, 2]), "tp": ((0, 4), [0]),
        "fn": ((4, 8), [0]), "fp": ((0, 4), [1]), "tn": ((4, 8), [1]), "unknown": ((0, 8), [2]),
    }  # fmt: skip
    for name, (steps, kinds) in made_of.items():
        learn(mask(None, steps, kinds))
        for group, row in enumerate(published["rows"]):
            small = row[name] is None and truth[group, slice(*steps)][:, kinds].sum() < 10 and name == "n"
            learn(mask(group, steps, kinds), shown=row[name] is not None or small)
    shown = [[0, *(SHARES.index(share) + 1 for share in shown_shares(published, name)), 8] for name in names]
    for place in range(1, 8):
        learn(mask(None, (0, place), [0]))
        learn(mask(None, (0, place), [0, 1, 2]))
    for group, places in enumerate(shown):
        for place in places[1:-1]:
            learn(mask(group, (0, place), [0]))
            learn(mask(group, (place, 8), [0]))
            learn(mask(group, (0, place), [0, 1, 2]))
        for step in pairwise(places):
            # The rule: so many people lie between a point and its neighbours. Today's list is not there by the rule.
            rule = 10 if set(step) - {0, 4, 8} else 0
            learn(mask(group, step, [0]), shown=False, least=rule)
            learn(mask(group, step, [1]), shown=False, least=rule)
    table = np.array(sums)
    limits = {"A_ub": np.vstack([table, -table]), "b_ub": [*high, *(-np.array(low))]}
    for group, name in enumerate(names):
        for first, last in [*pairwise(range(9)), (0, 2), (3, 5), (5, 7)]:
            for kind in (0, 1):
                if truth[group, first:last, kind].sum() >= 10 or {first, last} <= {0, 4, 8}:
                    continue
                target = mask(group, (first, last), [kind])
                least, most = (sign * linprog(sign * target, method="highs", **limits).fun for sign in (1, -1))
                assert most - least >= 1, (name, first, last, kind, least, most)


# ---------------------------------------------------------------- curves, pooled rates, proxies


def with_further_tables():
    """Ages and five groups, one of them small."""
    rng = np.random.default_rng(1)
    n = 6000
    race = rng.choice(["a", "b", "c", "d", "e"], n, p=[0.4, 0.3, 0.2, 0.095, 0.005])
    age = rng.integers(18, 90, n)
    status = (rng.random(n) < 0.3).astype(int)
    rank = rng.permutation(n) + 1
    return audit_predictions(
        status, np.full(n, 0.3), rank <= 1500, {"race": race, "age": age}, purpose="mixed", seed=1, policy=QUICK,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."), depth=rank / 1500,
        protected={"age": Protected(column="x.age", law="age", bands=(40, 60))},
        excluded=rng.random(n) < np.where(race == "a", 0.1, 0.2), selected_after=np.zeros(n, dtype=bool),
        feature_proxies=[
            {"attribute": "race", "group": group, "auc_features": 0.81234, "flagged": group == "a",
             "carried_by": [{"feature": "postcode", "share": 0.61234}]}
            for group in "ae"
        ],
    ).to_dict()  # fmt: skip


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_publishing_twice_is_the_same_as_once(profile):
    once, _ = publish(with_further_tables(), profile)
    assert publish(once, profile) == (once, ())
    json.dumps(once, allow_nan=False)
    for table in ("sweep", "curves", "pooled"):
        assert once[table]
    assert "hits" not in json.dumps(once["curves"])
    assert "counts" not in once["after_exclusions"]


def test_a_curve_keeps_points_with_enough_of_both_kinds_near():
    exact = with_further_tables()
    recall = next(row for row in exact["curves"] if row["metric"] == "recall")
    recall["points"][0] |= {"n": 60, "hits": 9}
    recall["points"][1] |= {"n": 60, "hits": 51}
    recall["points"][2] |= {"n": 60, "hits": 10}
    published, log = publish(exact)
    kept = next(row for row in published["curves"] if row["metric"] == "recall")
    assert [point["at"] for point in kept["points"]] == [point["at"] for point in recall["points"][2:]]
    assert all(point["n"] is None for point in kept["points"])
    assert all(round(point[name], 2) == point[name] for point in kept["points"] for name in ("value", "low", "high"))
    assert "curves, age: recall" in {line["where"] for line in log}
    for point in recall["points"]:
        point["hits"] = 1
    bare = next(row for row in publish(exact)[0]["curves"] if row["metric"] == "recall")
    assert (bare["points"], bare["reason"]) == ([], "not shown (a small number, or one that would give it away)")


def test_published_pooled_rates_are_made_of_what_is_shown_and_of_nothing_else():
    """However the hidden group fares, the others' pooled rates are the same."""
    cells = {"a": (803, 101, 151, 149, 0, 0), "b": (402, 52, 77, 73, 0, 0), "c": (300, 60, 60, 40, 0, 0)}
    one, other = (
        publish(audited(cells | {"d": hidden}))[0]["pooled"] for hidden in ((20, 5, 8, 1, 0, 0), (20, 5, 1, 8, 0, 0))
    )
    assert one == other
    assert [row["own"] for row in one] == [0.5, 0.5, 0.4, None]
    assert one[3]["reason"] in (NOT_SHOWN, "not shown (to protect a small number)")
    assert numbers_in({name: value for name, value in one[3].items() if name != "level"}) == []
    assert one[2]["own"] < one[2]["value"] < 0.5


def test_proxies_of_a_hidden_group_are_hidden():
    exact = with_further_tables()
    proxies = {(row["attribute"], row["group"]): row for row in publish(exact)[0]["proxies"]}
    assert proxies["race", "a"]["auc_features"] == 0.81
    assert proxies["race", "a"]["carried_by"] == [{"feature": "postcode", "share": 0.61}]
    assert proxies["race", "a"]["flagged"]
    small = audited({"a": (803, 101, 151, 149, 52, 23), "c": (6, 1, 1, 1, 0, 0)}, feature_proxies=[
        {"attribute": "race", "group": "c", "auc_features": 0.9, "flagged": True,
         "carried_by": [{"feature": "postcode", "share": 1.0}]},
    ])  # fmt: skip
    row = next(row for row in publish(small)[0]["proxies"] if row["group"] == "c")
    assert (row["auc_features"], row["carried_by"], row["flagged"]) == (None, [], False)
