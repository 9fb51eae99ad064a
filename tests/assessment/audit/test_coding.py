import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from riskmodels.assessment.audit.coding import (
    as_text,
    cluster_codes,
    code_groups,
    flags,
    not_audited,
    outcome_status,
)
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.errors import DataError, StudyError
from riskmodels.study import Protected

POLICY = load_policy()
WORDS = ["b", None, "a", "b"]
NUMBERS = [2, None, 1, 2]


def coded(values, **spec):
    return code_groups("race", as_text(values, "race"), Protected(column="equality.race", law="race", **spec), POLICY)


@pytest.mark.parametrize(
    "column",
    [
        WORDS,
        np.array(WORDS, dtype=object),
        pl.Series(WORDS),
        pl.Series(WORDS, dtype=pl.Categorical),
        pl.Series(WORDS, dtype=pl.Enum(["a", "b"])),
        pd.Series(WORDS),
        pd.Series(WORDS, dtype="category"),
        pd.Series(WORDS, dtype="string"),
        pd.Series(WORDS, dtype=object),
        pa.chunked_array([WORDS]),
        ["b", " ", "a", "b "],
    ],
)
def test_words_of_any_dtype_are_the_same_groups(column):
    attribute = coded(column)
    assert attribute.groups == ("a", "b", "Not recorded")
    assert attribute.codes.tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize(
    "column",
    [
        NUMBERS,
        np.array([2.0, np.nan, 1.0, 2.0]),
        pl.Series(NUMBERS),
        pl.Series(NUMBERS, dtype=pl.Float64),
        pd.Series(NUMBERS),
        pd.Series(NUMBERS, dtype="Int64"),
        ["2", None, "1", "2"],
        [2, None, "1", "2"],
    ],
)
def test_numbers_of_any_dtype_are_the_same_groups(column):
    attribute = coded(column)
    assert attribute.groups == ("1", "2", "Not recorded")
    assert attribute.codes.tolist() == [1, 2, 0, 1]


def test_booleans_are_groups():
    expected = coded([True, False, None]).codes.tolist()
    assert expected == coded(pd.Series([True, False, None], dtype="boolean")).codes.tolist() == [1, 0, 2]


def test_bands_take_their_lower_end_and_stand_in_order():
    attribute = coded([44.9, 45, 54.99, 55, 110, 3, None], bands=(45, 55), reference="45-54")
    assert attribute.labels == ("under 45", "45-54", "55 and over", "Not recorded")
    assert attribute.codes.tolist() == [0, 1, 1, 2, 2, 0, 3]
    assert attribute.labels[attribute.reference] == "45-54"


def test_bands_keep_those_who_prefer_not_to_say():
    attribute = coded(["30", "Prefer not to say", "60"], bands=(45,))
    assert attribute.labels == ("under 45", "45 and over", "Prefer not to say")
    assert attribute.unknown == (False, False, True)


EMPTY = ["nan", "NaN", "NA", "n/a", "NULL", "<NA>", " "]


def test_what_programs_write_for_an_empty_cell_is_no_group():
    attribute = coded(["b", *EMPTY, "a"])
    assert attribute.groups == ("a", "b", "Not recorded")
    assert attribute.codes.tolist() == [1, *[2] * 7, 0]


def test_none_is_a_group():
    assert coded(["None", "Christian", None]).groups == ("Christian", "None", "Not recorded")


def test_what_is_no_number_is_in_no_band():
    """ "nan" sorts above every cut point, and so do infinite numbers: they were the oldest."""
    attribute = coded([*EMPTY, "inf", "-Infinity", "30", "70", "Refused"], bands=(45,))
    assert attribute.labels == ("under 45", "45 and over", "Refused", "Not recorded")
    assert attribute.codes.tolist() == [*[3] * 9, 0, 1, 2]
    assert np.nan_to_num(attribute.numbers, nan=-1).tolist() == [*[-1] * 9, 30, 70, -1]
    assert coded(np.array([np.inf, 30, 70]), bands=(45,)).codes.tolist() == [2, 0, 1]
    assert coded(["inf", None], bands=(45,)) == "It is not recorded for anybody."


def test_a_label_does_not_make_a_group_of_what_is_read_as_nothing():
    with pytest.raises(StudyError, match=r"protected\.race\.labels: 'NA' is read as nothing recorded") as refused:
        coded(["a", "NA"], labels={"NA": "North African"})
    assert "\n" not in str(refused.value)
    assert coded(["a", "b", "NA"], labels={"NA": "not known"}).labels == ("a", "b", "Not recorded")


@pytest.mark.parametrize(
    "word",
    ["Refused", "declined", "Prefer not to disclose", "Undisclosed", "Not provided", "NOT ASKED", "Don't know",
     "Don\N{RIGHT SINGLE QUOTATION MARK}t  know", "dont know", "Not answered"],
)  # fmt: skip
def test_who_did_not_say_is_no_group_to_compare_with(word):
    attribute = coded([word] * 5 + ["a", "b", "b"])
    assert attribute.unknown == (False, False, True)
    assert attribute.labels[attribute.reference] == "b"


@pytest.mark.parametrize("word", ["None", "Not applicable", "Other"])
def test_a_fact_about_people_is_a_group(word):
    assert coded([word] * 5 + ["a", "b", "b"]).unknown == (False, False, False)


@pytest.mark.parametrize("reference", ["Refused", "refused to say", "Not recorded"])
def test_a_reference_that_is_not_known_is_refused(reference):
    with pytest.raises(
        StudyError, match=rf"reference: '{reference}' says that .* one of the others \(a, b\)"
    ) as refused:
        coded(["Refused", "a", "b", None], labels={"Refused": "refused to say"}, reference=reference)
    assert "\n" not in str(refused.value)


def test_values_with_one_label_are_one_group():
    attribute = coded(["M", "m", "F"], labels={"M": "male", "m": "male", "F": "female"})
    assert attribute.labels == ("male", "female")
    assert attribute.groups == ("M", "F")
    assert attribute.codes.tolist() == [0, 0, 1]


def test_groups_stand_as_the_study_labels_them_and_numbers_as_they_count():
    fifths = {"q1": "poorest fifth", "q2": "second fifth", "q5": "richest fifth"}
    attribute = coded(["q5", "q2", "q1", "stage 10", "stage 2", None], labels=fifths)
    assert attribute.labels == (*fifths.values(), "stage 2", "stage 10", "Not recorded")


@pytest.mark.parametrize("reference", ["F", "female"])
def test_a_reference_is_named_by_value_or_label(reference):
    attribute = coded(["A", "A", "F"], labels={"F": "female"}, reference=reference)
    assert attribute.labels[attribute.reference] == "female"


def test_the_largest_group_whose_members_are_known_is_the_default_reference():
    attribute = coded(["z", "z", "y", "Unknown", "Unknown", "Unknown", None])
    assert attribute.labels == ("y", "z", "Unknown", "Not recorded")
    assert attribute.reference == 1


def test_an_unknown_reference_is_refused_with_the_groups():
    with pytest.raises(StudyError, match=r"protected.race.reference: 'c' is not one of the groups \(a, b\)"):
        coded(["a", "b"], reference="c")


def test_free_text_is_not_audited():
    reason = coded([f"text {number}" for number in range(5000)])
    assert reason.startswith("It has 5000 different values")


@pytest.mark.parametrize(
    "column", [np.arange(21), np.arange(21) / 7, [str(number) for number in range(21)], [*range(21), None, "Unknown"]]
)
def test_numbers_without_bands_are_not_audited(column):
    assert coded(column) == "It has 21 different numbers; give bands, or labels that name them."
    assert len(coded(column, bands=(1, 2)).labels) >= 3


def test_few_numbers_named_numbers_and_numbers_among_words_are_groups():
    assert len(coded([*range(20)]).groups) == 20
    assert len(coded([*range(30)], labels={str(number): f"ward {number}" for number in range(30)}).groups) == 30
    assert len(coded([*range(30), "north"]).groups) == 31


@pytest.mark.parametrize("column", [[None, None], ["Unknown", None]])
def test_a_column_that_says_nothing_is_not_audited(column):
    assert coded(column) == "It is not recorded for anybody."


@pytest.mark.parametrize("column", [[0, 1, None], [False, True, None], [0.0, 1.0, np.nan], ["0", "1", None]])
def test_outcomes_may_be_missing(column):
    assert outcome_status(column).tolist() == [0, 1, 2]


@pytest.mark.parametrize("column", [[0, 2], ["yes", "no"], [0.5, 1]])
def test_other_outcomes_are_refused(column):
    with pytest.raises(DataError, match="outcome"):
        outcome_status(column)


@pytest.mark.parametrize("column", [[1, None], ["maybe", "no"], [0, 3]])
def test_every_row_is_on_the_list_or_not(column):
    with pytest.raises(DataError, match="selected"):
        flags(column)


def test_clusters_are_told_apart():
    codes = cluster_codes(["x", "y", "x", "z"], 4)
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3
    assert cluster_codes(["x", "y", "z"], 3) is None
    with pytest.raises(DataError, match="clusters"):
        cluster_codes(["x", None], 2)


def test_an_excuse_does_not_hide_what_was_supplied():
    refused = {"ward": ("race", "It has 80 different values."), "born": ("race", "It is not recorded for anybody.")}
    rows = not_audited(("race", "sex"), {"sex"}, {"race": "Not held."}, refused)
    said = "It has 80 different values. It is not recorded for anybody."
    assert rows == (
        {
            "attribute": "race",
            "reason": f"Not held. It was supplied, and could not be audited: {said}",
            "accepted": True,
        },
    )
    assert not_audited(("race",), set(), {}, refused)[0] == {"attribute": "race", "reason": said, "accepted": False}


def test_what_is_not_audited_needs_a_reason():
    refused = {"ethnicity": ("race", "It is not recorded."), "lunch": ("none", "Free text.")}
    rows = not_audited(("age", "race", "sex"), {"sex"}, {"age": "One school year."}, refused)
    assert {row["attribute"]: (row["reason"], row["accepted"]) for row in rows} == {
        "lunch": ("Free text.", False),
        "age": ("One school year.", True),
        "race": ("It is not recorded.", False),
    }
