"""No text of a list runs as a formula, and every text can be had back."""

from __future__ import annotations

import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.service.outputs.formulas import SIGNS, is_risky, neutralise, restore

# OWASP's list of beginnings, its payloads, and ways around a filter that looks at the first sign alone.
ATTACKS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\ttext", "\rtext", "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")', "=DDE(\"cmd\";\"/C calc\";\"x\")", "-2+3+cmd|' /C calc'!D2", "@SUM(1+9)*cmd|' /C'!A0",
    "  =1", "\u00a0=1", "\u3000=1", "\u200b=1", "\ufeff=1", "\x00=1", "\u202e=1", " \t =1", "\uff1d1+1", "\uff0b1",
    "\uff0d1", "\uff201", " \uff1d1", "\ufe661", "'=1", "''=1", "=", "-",
)  # fmt: skip
HARMLESS = ("Anna", "0007", "a=b", "5 - 3", "", " ", "'", "'n Beetje", "O'Neil", "not recorded", "£5", "(=1)", "é-")


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_gets_an_apostrophe_and_can_be_had_back(text: str) -> None:
    frame = pl.DataFrame({"entity_id": [text], "reason_1": [text], "risk": [0.5]})
    made = neutralise(frame)
    assert made.rows() == [(f"'{text}", f"'{text}", 0.5)]
    assert is_risky(text)
    assert restore(made).equals(frame)


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    frame = pl.DataFrame({"a": [text, None]})
    assert neutralise(frame).equals(frame)
    assert restore(frame).equals(frame)
    assert not is_risky(text)


beginnings = st.text(st.sampled_from([*SIGNS, "'", " ", "\t", "\r", "\n", "\u200b", "a", "1", "\u3000"]), max_size=6)


@given(st.lists(st.builds(str.__add__, beginnings, st.text(max_size=4)), max_size=8))
def test_whatever_was_written_comes_back(texts: list[str]) -> None:
    frame = pl.DataFrame({"a": texts}, schema={"a": pl.String})
    made = neutralise(frame)
    assert restore(made).equals(frame)
    assert made["a"].n_unique() == frame["a"].n_unique()
    for text, out in zip(texts, made["a"], strict=True):
        assert (out != text) == is_risky(text)
        # Nothing but an apostrophe may stand first where a formula could begin.
        assert not is_risky(out) or out.startswith("'")


def test_one_text_and_a_column_are_judged_alike_after_every_sign_there_is() -> None:
    # Unassigned signs are left out: the two libraries may know different editions of Unicode.
    signs = [
        chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF and chr(code).isprintable()
    ]
    signs += [chr(code) for code in (*range(0x20), *range(0x7F, 0xA1), 0xAD, 0x1680, *range(0x2000, 0x2010), 0x2028,
                                     0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)]  # fmt: skip
    texts = [f"{sign}=1" for sign in signs]
    column = neutralise(pl.DataFrame({"a": texts}))["a"]
    assert [text for text, out in zip(texts, column, strict=True) if (out != text) != is_risky(text)] == []
