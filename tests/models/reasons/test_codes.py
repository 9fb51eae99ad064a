from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodels.models.reasons import REASON_TYPE, UNKNOWN_DAY, key_facts, reason_codes, watched_facts
from riskmodels.models.reasons.codes import LEAST_CONTRIBUTION
from tests.models.planted import SPECS
from tests.models.reasons.made import feature, made_model

A, B, C, D = (feature(name) for name in "abcd")
EPOCH = dt.date(1970, 1, 1)


def days(*dates: str) -> np.ndarray:
    return np.array([(dt.date.fromisoformat(date) - EPOCH).days for date in dates], dtype=np.int32)


def test_a_record_has_a_fixed_width():
    """4 places of 2 + 8 + 4 + 1 bytes, and four masks of 8."""
    assert REASON_TYPE.itemsize == 4 * (2 + 8 + 4 + 1) + 4 * 8
    made = made_model([A, B], [[0.2, -0.1]])
    assert reason_codes(made.model, made.matrix).dtype == REASON_TYPE


def test_three_that_raise_and_one_that_lowers():
    made = made_model([A, B, C, D], [[0.1, 0.4, -0.3, 0.2], [-0.1, 0.005, -0.4, -0.2]])
    codes = reason_codes(made.model, made.matrix)
    assert codes["feature"].tolist() == [[1, 3, 0, 2], [-1, -1, -1, 2]]
    assert codes["value"][0].tolist() == [7.0] * 4
    assert np.isnan(codes["value"][1][:3]).all()
    assert (codes["day"] == UNKNOWN_DAY).all()
    assert not codes["uncertain"].any()


def test_contributions_at_hand_are_not_worked_out_again():
    made = made_model([A, B], [[0.2, -0.1]])
    other = np.array([[-0.5, 0.5]])
    assert reason_codes(made.model, made.matrix, other)["feature"].tolist() == [[1, -1, -1, 0]]
    assert other.tolist() == [[-0.5, 0.5]]


# ---------------------------------------------------------------- what says the same thing


GROUPED = [feature("a", says="x"), feature("b", says="x"), feature("c"), feature("d", says="x")]


@pytest.mark.parametrize(
    ("parts", "raises", "lowers"),
    [
        # x adds up to 0.5 and is said by its largest; c comes second.
        ([0.1, 0.3, 0.2, 0.1], [1, 2], -1),
        # x adds up to 0.2 - 0.3 + 0.05 = -0.05: it lowers, and the one that lowers says so.
        ([0.2, -0.3, 0.2, 0.05], [2], 1),
        # Of two alike the first says it.
        ([0.2, 0.2, 0.1, 0.0], [0, 2], -1),
        # Two that cancel out are no reason, neither for nor against.
        ([0.3, -0.3, 0.0, 0.0], [], -1),
        # Three that are too small alone are a reason together: 0.004 + 0.005 + 0.003 = 0.012.
        ([0.004, 0.005, 0.0, 0.003], [1], -1),
    ],
)
def test_features_that_say_the_same_count_as_one(parts, raises, lowers):
    made = made_model(GROUPED, [parts])
    found = reason_codes(made.model, made.matrix)["feature"][0].tolist()
    assert found == [*raises, *[-1] * (3 - len(raises)), lowers]


def test_the_largest_says_it_even_if_it_is_not_recorded():
    made = made_model(GROUPED, [[0.1, 0.3, 0.0, 0.0]], [[3.0, math.nan, 1.0, 1.0]])
    codes = reason_codes(made.model, made.matrix)
    assert codes["feature"][0, 0] == 1
    assert np.isnan(codes["value"][0, 0])


@settings(max_examples=150, deadline=None)
@given(
    arrays.arrays(float, (4, 6), elements=st.floats(-2, 2).map(lambda value: round(value, 3))),
    st.lists(st.sampled_from("xyz"), min_size=6, max_size=6),
)
def test_never_the_same_thing_twice_and_always_the_strongest(parts, says):
    """The same, said slowly: sums by word in order, the largest first, of two alike the first."""
    specs = [feature(f"f{place}", says=word) for place, word in enumerate(says)]
    made = made_model(specs, parts)
    codes = reason_codes(made.model, made.matrix)
    for row in range(4):
        sums = {word: sum(parts[row, place] for place in range(6) if says[place] == word) for word in says}
        words = sorted((word for word in sums if sums[word] >= LEAST_CONTRIBUTION), key=lambda word: -sums[word])[:3]
        chosen = [place for place in codes["feature"][row, :3] if place >= 0]
        assert [sums[says[place]] for place in chosen] == pytest.approx([sums[word] for word in words])
        assert len({says[place] for place in chosen}) == len(chosen)
        for place in chosen:
            assert parts[row, place] == max(parts[row, other] for other in range(6) if says[other] == says[place])


def test_reasons_are_the_strongest_contributions(world):
    """A real model of each kind, row by row; the word "kind" holds two of its five features."""
    specs = (*SPECS[:3], replace(SPECS[3], says="kind"), replace(SPECS[4], says="kind"))
    for family in ("logistic", "points", "lightgbm", "explainable_boosting"):
        model = replace(world.model(family), reasons=specs)
        frame = world.frame[:200]
        parts = model.contributions(frame)
        codes = reason_codes(model, model.encoder.encode(frame))
        for row in range(200):
            sums = [*parts[row, :3], parts[row, 3] + parts[row, 4]]
            raises = [place for place in sorted(range(4), key=lambda place: -sums[place]) if sums[place] >= 0.01][:3]
            speaker = int(parts[row, 3:].argmax()) + 3
            said = [speaker if place == 3 else place for place in raises]
            assert codes["feature"][row, :3].tolist() == said + [-1] * (3 - len(said))


def test_no_rows():
    made = made_model([A], np.empty((0, 1)))
    assert reason_codes(made.model, made.matrix).shape == (0,)


# ---------------------------------------------------------------- values and days


def test_a_day_is_that_of_the_feature_that_is_said():
    made = made_model([A, B, C], [[0.3, 0.2, -0.1], [0.1, 0.2, 0.3]], [[1, 2, 3], [4, math.nan, 6]])
    by_name = {"a": days("1988-05-30", "1988-06-01"), "b": days("2001-02-03", "2001-02-04")}
    codes = reason_codes(made.model, made.matrix, days=by_name)
    expected = [
        [*days("1988-05-30", "2001-02-03"), UNKNOWN_DAY, UNKNOWN_DAY],
        # Second comes b, which is not recorded, whatever day is given for it.
        [UNKNOWN_DAY, UNKNOWN_DAY, *days("1988-06-01"), UNKNOWN_DAY],
    ]
    assert codes["day"].tolist() == expected
    whole = np.column_stack([by_name["a"], by_name["b"], np.full(2, UNKNOWN_DAY, dtype=np.int32)])
    assert reason_codes(made.model, made.matrix, days=whole).tobytes() == codes.tobytes()


def test_nought_is_a_value_where_missing_means_nought():
    counted = replace(A, missing="zero")
    made = made_model([counted, B], [[0.3, 0.2]], [[math.nan, math.nan]])
    made.matrix.values[:, 0] = 0.0
    assert reason_codes(made.model, made.matrix)["value"][0, :2].tolist()[0] == 0.0
    assert np.isnan(reason_codes(made.model, made.matrix)["value"][0, 1])


# ---------------------------------------------------------------- uncertain


def test_a_reason_is_uncertain_if_refits_change_more_than_parts_it_from_the_next():
    """Wobbles of 0.1: 0.25 sqrt(0.01 + 0.01) = 0.035. The fourth is 0.25; 0.28 is too near, 0.40 is not."""
    specs = [feature(name) for name in "abcde"]
    made = made_model(specs, [[0.5, 0.4, 0.28, 0.25, -0.4]], wobble=dict.fromkeys("abcde", 0.1))
    assert reason_codes(made.model, made.matrix)["uncertain"].tolist() == [[False, False, True, False]]
    calm = made_model(specs, [[0.5, 0.4, 0.28, 0.25, -0.4]], wobble=dict.fromkeys("abcde", 0.01))
    assert not reason_codes(calm.model, calm.matrix)["uncertain"].any()


def test_without_a_next_one_a_reason_must_stand_out_from_nothing():
    """Nothing is said below 0.01: 0.03 - 0.01 < 0.25 * 0.1, and 0.2 - 0.01 is not."""
    made = made_model([A, B, C], [[0.2, 0.03, -0.03], [-0.2, 0.0, 0.0]], wobble={"a": 0.1, "b": 0.1, "c": 0.1})
    uncertain = reason_codes(made.model, made.matrix)["uncertain"].tolist()
    assert uncertain == [[False, True, False, True], [False, False, False, False]]


# ---------------------------------------------------------------- what is doubtful


def test_key_facts_make_a_tenth_of_the_movement_each():
    made = made_model([A, B, C], [[0, 0, 0]], importance={"a": 0.9, "b": 0.09, "c": 0.1})
    assert key_facts(made.model) == [0]
    assert key_facts(made_model([A, B], [[0, 0]], importance={}).model) == []


def test_masks_have_a_bit_for_each_key_fact():
    """Range 0 to 10, a tenth beyond it is outside: from -1 to 11 is inside."""
    made = made_model([A, B, C], np.zeros((3, 3)), [[11.0, 5, math.nan], [11.1, -1.1, 5], [math.nan, -1.0, 5]])
    codes = reason_codes(made.model, made.matrix)
    assert codes["missing"].tolist() == [0b100, 0, 0b001]
    assert codes["outside"].tolist() == [0, 0b011, 0]
    assert codes["stale"].tolist() == [0, 0, 0]


def test_a_fact_is_stale_a_day_after_its_time():
    """12 months before 1 January 2024 is 1 January 2023: that day still counts."""
    specs = [A, replace(B, stale_after="12 months"), replace(C, stale_after="30 days")]
    made = made_model(specs, np.zeros((4, 3)))
    told = np.full((4, 3), UNKNOWN_DAY, dtype=np.int32)
    told[:, 0] = days("1950-01-01")
    told[:3, 1] = days("2023-01-01", "2022-12-31", "2023-12-31")
    told[:3, 2] = days("2023-12-02", "2023-12-01", "1969-12-31")
    codes = reason_codes(made.model, made.matrix, days=told, as_of=dt.date(2024, 1, 1))
    assert watched_facts(made.model) == [1, 2]
    assert codes["stale"].tolist() == [0b00, 0b11, 0b10, 0b00]
    assert not reason_codes(made.model, made.matrix, days=told)["stale"].any()


def test_at_most_64_facts_are_watched_and_none_that_the_model_does_not_use():
    specs = [feature(f"f{place}", stale_after="1 year") for place in range(70)]
    sizes = {f"f{place}": float(place) for place in range(70)}
    made = made_model(specs, np.zeros((1, 70)), importance=sizes)
    assert watched_facts(made.model) == list(range(6, 70))
    assert watched_facts(made_model(specs, np.zeros((1, 70)), importance={"f3": 1.0}).model) == [3]
    old = np.full((1, 70), days("1990-01-01")[0])
    codes = reason_codes(made.model, made.matrix, days=old, as_of=dt.date(2024, 1, 1))
    assert codes["stale"].tolist() == [2**64 - 1]


# ---------------------------------------------------------------- what is not said, and what never happened


def test_what_is_not_in_reasons_counts_and_is_not_said():
    """The ward pulls most; b and c are said, and the model's numbers stay as they are."""
    silent = replace(A, in_reasons=False)
    made = made_model([silent, B, C], [[0.9, 0.3, -0.2]])
    assert reason_codes(made.model, made.matrix)["feature"].tolist() == [[1, -1, -1, 2]]
    alone = made_model([silent], [[0.9]])
    assert reason_codes(alone.model, alone.matrix)["feature"].tolist() == [[-1] * 4]


def test_of_those_that_say_the_same_only_what_is_in_reasons_is_added_up():
    specs = [feature("a", says="x", in_reasons=False), feature("b", says="x"), feature("c")]
    made = made_model(specs, [[0.9, 0.1, 0.2]])
    assert reason_codes(made.model, made.matrix)["feature"].tolist() == [[2, 1, -1, -1]]


@pytest.mark.parametrize(
    ("nothing", "count", "expected"),
    [
        ("never", 0.0, math.inf),
        ("never", math.nan, math.nan),  # by a home that nobody knows
        ("never or unseen", 0.0, math.inf),
        ("never or unseen", math.nan, math.nan),
        ("never or unseen", None, math.nan),  # nothing shows whom the source covers
        ("never", None, math.inf),
        ("unknown", 0.0, math.nan),
    ],
)
def test_never_is_told_from_not_known(nothing, count, expected):
    since = feature("since", take="days_since_last", nothing=nothing)
    others = [] if count is None else [feature("count", take="count", nothing="unseen")]
    values = [math.nan] if count is None else [math.nan, count]
    made = made_model([since, *others], [[0.5, *[0.0 for _ in others]]], values)
    assert str(reason_codes(made.model, made.matrix)["value"][0][0]) == str(expected)


def test_never_is_not_filled_in():
    """A line may fill in nought days where it never happened; the model takes it, and nobody reads "0 days ago"."""
    since = replace(feature("since", take="days_since_last", nothing="never"), missing="zero")
    made = made_model([since], [[0.5]], [0.0])
    made.matrix.recorded[:] = False
    assert reason_codes(made.model, made.matrix)["value"][0][0] == math.inf
