"""No page shows what nobody can see."""

import datetime as dt

import pytest

from riskmodels.cards.renderings import Beside
from riskmodels.reports.visible import visible, visible_text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\u202ednuora denrut\u202c b", "adnuora denrut b"),  # an override that turns letters round
        ("\u2066isolated\u2069", "isolated"),
        ("pay\u200bpal and pay\u200dpal", "paypal and paypal"),
        ("\ufeffstart\u2060", "start"),
        ("bell\x07 null\x00 escape\x1b[2J", "bell null escape[2J"),
        ("line\u2028end", "line end"),
        ("half \ud800 a character", "half  a character"),
        ("tag \U000e0041\U000e0042", "tag "),
    ],
)
def test_what_cannot_be_seen_is_taken_out(written: str, shown: str) -> None:
    assert visible_text(written) == shown


@pytest.mark.parametrize(
    "text",
    ["plain", "שלום עולם", "مرحبا", "می\u200cخواهم", "👩\u200d💻 and 🙂", "naïve – 3 × 4", "two\nlines\tand a tab"],
)
def test_letters_of_every_script_stay(text: str) -> None:
    assert visible_text(text) == text


def test_values_keep_their_shape() -> None:
    beside = Beside({"words": "a\u202eb"}, ({"reason": "c\x00"},), {"words": ["d\u200b"]}, dt.date(2026, 1, 1))
    assert visible(beside) == Beside({"words": "ab"}, ({"reason": "c"},), {"words": ["d"]}, dt.date(2026, 1, 1))
    assert visible({"k\u200b": [1, 2.5, None, True, ("x\x01",)]}) == {"k": [1, 2.5, None, True, ("x",)]}
