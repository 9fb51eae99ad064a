"""What people say for items of standards: known numbers only, and one of a text and a confirmation."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.errors import StudyError
from riskmodels.study import Answers
from riskmodels.study.problems import validated
from tests.cards.example_card import ANSWERS

SAID = {"owner": "Chair", "text": "Said."}


def answers(**more: Any) -> Answers:
    return validated(Answers, {**ANSWERS, **more}, "answers.yaml")


def test_numbers_that_yaml_reads_as_numbers_are_taken_as_they_stand() -> None:
    read = answers(tripod={4: SAID, "3c": SAID}, atrs={0.4: SAID, "2.1.4.1": SAID})
    assert set(read.tripod) == {"4", "3c"}
    assert set(read.atrs) == {"0.4", "2.1.4.1"}


@pytest.mark.parametrize(
    ("section", "key", "message"),
    [
        ("tripod", "3d", r"answers\.yaml: tripod\.3d: TRIPOD\+AI has no item of this number; did you mean '3[abc]'\?"),
        ("tripod", 99, r"tripod\.99: TRIPOD\+AI has no item of this number"),
        ("atrs", "2.4.5.1", r"atrs\.2\.4\.5\.1: the ATRS has no field of this number; did you mean '2\.4\.\d\.1'\?"),
        ("atrs", "zzz", r"atrs\.zzz: the ATRS has no field of this number; they run from 0\.1 to 2\.5\.2"),
        ("tripod", True, r"answers\.yaml: tripod"),
    ],
)
def test_an_unknown_number_is_named(section: str, key: Any, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        answers(**{section: {key: SAID}})
    assert "\n" not in str(caught.value)


def test_a_number_that_stands_twice_is_refused() -> None:
    with pytest.raises(StudyError, match=r"atrs: 0\.4 stands there twice"):
        answers(atrs={0.4: SAID, "0.4": SAID})


def test_digits_are_read_in_either_case() -> None:
    assert answers(atrs={"0.1": {"owner": "Chair", "confirms": " 3FA9C1D2 "}}).atrs["0.1"].confirms == "3fa9c1d2"


@pytest.mark.parametrize("digits", [12345678, "3fa9c1d", "3fa9c1d2e", "zzzzzzzz", 1.5, ""])
def test_what_are_no_digits_is_refused(digits: Any) -> None:
    with pytest.raises(StudyError, match=r"atrs\.0\.1\.confirms: is the eight digits printed beside the draft"):
        answers(atrs={"0.1": {"owner": "Chair", "confirms": digits}})


def test_a_text_and_a_confirmation_are_one_too_many() -> None:
    with pytest.raises(StudyError, match=r"atrs\.0\.1: has a text and confirms a draft; keep one"):
        answers(atrs={"0.1": {**SAID, "confirms": "3fa9c1d2"}})
