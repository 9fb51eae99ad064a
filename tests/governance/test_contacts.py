"""Contact details are found in what people write, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.errors import GateError
from riskmodels.governance.acts import parse_decision
from riskmodels.governance.contacts import EMAIL, NHS_NUMBER, TELEPHONE, contact_in, is_nhs_number
from tests.governance.conftest import DECISION

FOUND = {
    "ask jo.bloggs@example.org about it": EMAIL,
    "write to <jo@example>": EMAIL,
    "write to jo＠example.org": EMAIL,  # a wide @
    "NHS 943 476 5919": NHS_NUMBER,
    "case 9434765919 is one of them": NHS_NUMBER,
    "943-476-5919": NHS_NUMBER,
    "943\u200b4765919": NHS_NUMBER,  # a blank of no width
    "ring 0113 496 0000": TELEPHONE,
    "(0113) 4960000": TELEPHONE,
    "0113\u2013496\u20130000": TELEPHONE,  # dashes
    "+44 113 496 000": TELEPHONE,
    "pupil 123456789012": TELEPHONE,
}
NOT_FOUND = [
    "one lay member @ home",
    "meetings of 2026-11-20 2027-05-20",
    "from 20/11/2026 20/05/2027",
    "years 2024-25 2025-26 2026-27",
    "minute DEC-2026-11-04",
    "1 000 000 of 11 598 pupils",
    "12,345,678,901 rows",
    "0.05 0.10 0.20",
    "card 398a1187fe3ddb8a5b8eaf540f1d21bbcfc30d9a0ae36f2cdfae3a37030d7d9d",
    "",
]


@pytest.mark.parametrize(("text", "kind"), FOUND.items())
def test_a_contact_detail_is_found(text: str, kind: str) -> None:
    assert contact_in(text) == kind


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert contact_in(text) is None


@pytest.mark.parametrize(
    ("digits", "valid"),
    [("9434765919", True), ("9434765918", False), ("4010232137", True), ("943476591", False), ("0000000000", False)],
)
def test_the_check_digit_of_an_nhs_number(digits: str, valid: bool) -> None:
    assert is_nhs_number(digits) is valid


PLACES: dict[str, dict[str, Any]] = {
    "reason": {"reason": "{}"},
    "dissent[0]": {"dissent": ["{}"]},
    "conflicts_of_interest[1]": {"conflicts_of_interest": ["fine", "{}"]},
    "meeting.minute": {"meeting": {"date": "2026-11-20", "minute": "{}"}},
    "conditions[0].text": {"conditions": [{"text": "{}", "owner": "head", "due": "2027-01-31"}]},
    "conditions[0].evidence": {"conditions": [{"text": "Do", "owner": "head", "status": "met", "evidence": "{}"}]},
    "answers.ethnicity.reason": {"answers": {"ethnicity": {"reason": "{}", "expires": "2027-03-31"}}},
    "answers, name 1": {"answers": {"sex {}": {"reason": "fine", "expires": "2027-03-31"}}},
}


def fill(value: Any, detail: str) -> Any:
    if isinstance(value, str):
        return value.replace("{}", detail)
    if isinstance(value, dict):
        return {fill(key, detail): fill(inner, detail) for key, inner in value.items()}
    return [fill(inner, detail) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("detail", ["jo@example.org", "0113 496 0000", "943 476 5919"])
@pytest.mark.parametrize("path", PLACES)
def test_each_free_text_is_looked_at_and_the_detail_is_not_repeated(path: str, detail: str) -> None:
    with pytest.raises(GateError) as refusal:
        parse_decision({**DECISION, **fill(PLACES[path], detail)}, "decision.yaml")
    assert str(refusal.value).startswith(f"decision.yaml: {path}: holds what looks like a")
    assert detail not in str(refusal.value)


@pytest.mark.parametrize("path", PLACES)
def test_the_same_decision_without_the_detail_is_taken(path: str) -> None:
    assert parse_decision({**DECISION, **fill(PLACES[path], "the service")})


def test_a_withdrawal_is_looked_at_too() -> None:
    said = {"kind": "withdrawal", "reason": "A parent (0113 496 0000) rang", "owner_role": "director"}
    with pytest.raises(GateError, match="reason: holds what looks like a telephone number"):
        parse_decision(said)
