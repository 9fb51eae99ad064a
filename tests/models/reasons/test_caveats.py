from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskmodels.data.features import NEVER, NEVER_OR_UNSEEN, UNSEEN_SOURCE
from riskmodels.models.reasons import REASON_TYPE, SAME_FOR_ALL, partial_sources, reason_codes, reason_words
from tests.models.reasons.made import feature, made_model

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
        # A close call is said with the reason.
        (codes(uncertain=(0, 1, 2, 3)), None),
        (
            codes(outside=0b1, missing=0b100, stale=0b100),
            "outside the range the model learned from: days missed, last 3 months; key facts missing: reading score; "
            "more than 5 years old: ward",
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


def test_small_features_only_are_not_the_same_for_everybody():
    """Twenty of a twentieth each: none is a key fact, and yet they move the score."""
    specs = [feature(f"f{number}") for number in range(20)]
    made = made_model(specs, np.zeros((1, 20)))
    assert reason_words(made.model, codes(said=0))["caveats"].to_list() == [None]


# ---------------------------------------------------------------- whom a source cannot speak of

NAN = float("nan")
CALLS = feature("calls", source="police", take="count", nothing=UNSEEN_SOURCE, words="police calls")
NOTES = feature("notes", source="police", take="sum", nothing=UNSEEN_SOURCE)
SINCE_CALL = feature("since_call", source="police", take="days_since_last", last="ever", nothing=NEVER_OR_UNSEEN)
SEVERITY = feature("severity", source="police")
SINCE_VISIT = feature("since_visit", source="visits", take="days_since_last", last="ever", nothing=NEVER)
BY_HOME = feature("by_home", source="rent_book", by="people.home", take="count", nothing=UNSEEN_SOURCE)
PARTLY = [CALLS, NOTES, SINCE_CALL, SEVERITY, SINCE_VISIT, BY_HOME]
UNSEEN_POLICE = "records not seen, there may be some: police"


def partly(values: list[float], importance=None, **how):
    made = made_model(PARTLY, np.zeros(6), values, importance=importance)
    return reason_words(made.model, reason_codes(made.model, made.matrix), **how)["caveats"].to_list()[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, NAN, 1, 7, 0], None),  # never called, never visited: nothing is missing
        ([0, 0, NAN, NAN, NAN, 0], "key facts missing: severity"),
        ([NAN, NAN, NAN, NAN, 7, 0], UNSEEN_POLICE),  # said once, not of each fact
        ([NAN, NAN, NAN, NAN, NAN, NAN], f"{UNSEEN_POLICE}, rent book"),
        ([NAN, 0, NAN, 1, 7, 0], "key facts missing: police calls"),  # an empty column is no empty source
    ],
)
def test_what_never_happened_is_not_missing_and_what_nobody_could_look_at_is(values, expected):
    assert partly(values) == expected


def test_an_unseen_source_is_said_however_little_it_weighs():
    little = {spec.name: 0.001 for spec in PARTLY} | {"severity": 1.0}
    assert partly([NAN, NAN, NAN, 1, 7, 0], little) == UNSEEN_POLICE


def test_an_unseen_source_is_named_to_whom_it_may_be_shown():
    nothing = [NAN, NAN, NAN, 1, 7, NAN]
    shown = np.array([False, True, False, False, True, True])
    assert partly(nothing, shown=shown) == f"{UNSEEN_POLICE}, rent book"
    shown[1] = False
    hidden = "records not seen, there may be some: rent book; doubtful: a factor your team may not see"
    assert partly(nothing, shown=shown) == hidden


def test_sources_that_may_not_speak_of_everybody():
    zero = replace(CALLS, name="zero", source="school", missing="zero")  # filled in for everybody: all are covered
    assert partial_sources((*PARTLY, zero)) == {("police", None): (0, 1), ("rent_book", "people.home"): (5,)}
    many = tuple(replace(CALLS, name=f"c{number}", source=f"s{number}") for number in range(70))
    assert len(partial_sources(many)) == 64


def test_what_is_not_in_reasons_is_in_no_caveat():
    silent = [replace(CALLS, in_reasons=False), replace(SEVERITY, in_reasons=False, stale_after="1 month")]
    made = made_model(silent, np.zeros((1, 2)), [NAN, NAN])
    assert reason_words(made.model, reason_codes(made.model, made.matrix))["caveats"].to_list() == [None]
