from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskmodels.models.reasons import REASON_TYPE, SAME_FOR_ALL, reason_words
from tests.models.reasons.made import feature, made_model

OTHERS = "other samples of the same data would give other reasons"
SPECS = [
    feature("days_3", says="days", words="days missed, last 3 months"),
    feature("days_12", says="days", words="days missed, last 12 months"),
    feature("score", words="reading score", stale_after="12 months"),
    feature("test", words="maths score", stale_after="12 months"),
    feature("ward", words="ward", stale_after="5 years"),
]


def codes(said: int = 3, uncertain: tuple[int, ...] = (), **masks: int) -> np.ndarray:
    made = np.zeros(1, dtype=REASON_TYPE)
    made["feature"] = [[*range(said), *[-1] * (3 - said), -1]]
    for place in uncertain:
        made["uncertain"][0, place] = True
    for name, bits in masks.items():
        made[name] = bits
    return made


def caveat(made: np.ndarray, shown=None, **how) -> str | None:
    model = made_model(SPECS, np.zeros((1, 5))).model
    return reason_words(model, made, None if shown is None else np.array(shown), **how)["caveats"].to_list()[0]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (codes(), None),
        (codes(missing=0b00100), "key facts missing: reading score"),
        (codes(outside=0b10001), "outside the range the model learned from: days missed, last 3 months, ward"),
        # What says the same thing is named once, by what its words share.
        (codes(missing=0b00111), "key facts missing: days missed, reading score"),
        # Watched are the score, the test and the ward: bits 0, 1 and 2.
        (codes(stale=0b011), "more than 12 months old: reading score, maths score"),
        (codes(stale=0b101), "more than 12 months old: reading score; more than 5 years old: ward"),
        (codes(uncertain=(2,)), f"reason 3 uncertain: {OTHERS}"),
        (codes(uncertain=(1, 2)), f"reasons 2 and 3 uncertain: {OTHERS}"),
        (codes(uncertain=(0, 1, 2)), f"reasons uncertain: {OTHERS}"),
        (codes(said=1, uncertain=(0,)), f"reasons uncertain: {OTHERS}"),
        # What lowers is one of many alike: nothing is said of it.
        (codes(uncertain=(3,)), None),
        (
            codes(outside=0b1, missing=0b100, stale=0b100, uncertain=(2,)),
            "outside the range the model learned from: days missed, last 3 months; key facts missing: reading score; "
            f"more than 5 years old: ward; reason 3 uncertain: {OTHERS}",
        ),
    ],
)
def test_what_is_doubtful_in_words(made, expected):
    assert caveat(made) == expected


def test_what_may_not_be_seen_is_named_once_and_not_what_is_wrong_with_it():
    hidden = "a factor your team may not see"
    everything = codes(outside=0b11, missing=0b00100, stale=0b101)
    assert caveat(everything, [False] * 5) == f"doubtful: {hidden}"
    assert caveat(everything, [True, False, False, True, True]) == (
        "outside the range the model learned from: days missed, last 3 months; more than 5 years old: ward; "
        f"doubtful: {hidden}"
    )
    assert caveat(everything, [True] * 5) == caveat(everything)
    assert caveat(codes(missing=0b11000), [False] * 5, withheld=["a", "b", "c", "d", "e"]) == "doubtful: d, e"


def test_a_model_without_features_is_the_same_for_everybody():
    made = made_model([replace(SPECS[0])], [[0.0]], importance={})
    found = reason_words(made.model, np.concatenate([codes(said=0), codes(said=0)]))
    assert found["caveats"].to_list() == [SAME_FOR_ALL] * 2
