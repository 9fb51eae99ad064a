"""Where settings are searched: what a study may say, and its own among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.models.tuning.spaces import SPACES, Range, own_settings, replaced, space_of
from riskmodels.study import ExplainableBoostingSettings, LightGBMSettings, LogisticSettings, Section

SECTIONS: dict[str, Section] = {
    "logistic": LogisticSettings(),
    "explainable_boosting": ExplainableBoostingSettings(),
    "lightgbm": LightGBMSettings(),
}


def test_every_family_that_a_study_may_tune_has_a_space() -> None:
    assert set(SPACES) == set(SECTIONS)


@pytest.mark.parametrize("family", SPACES)
@pytest.mark.parametrize("end", ["low", "high"])
def test_both_ends_are_settings_that_a_study_may_say(family: str, end: str) -> None:
    section = SECTIONS[family]
    at_end = {
        name: getattr(found, end) for name, found in space_of(family, own_settings(family, section), 5_000).items()
    }
    assert own_settings(family, replaced(section, at_end)) == at_end


@pytest.mark.parametrize(
    ("rows", "own", "low", "high"),
    [
        (100_000, 40, 10, 400),
        # A tenth of the rows that the smallest fold learns from.
        (900, 40, 10, 90),
        (300, 25, 10, 30),
        # Widened to hold the study's own.
        (300, 40, 10, 40),
        (100_000, 1_000, 10, 1_000),
        (100_000, 2, 2, 400),
        # Few rows: below ten.
        (60, 5, 5, 6),
        (60, 6, 6, 6),
        (5, 1, 1, 1),
    ],
)
def test_leaves_are_bounded_by_the_rows(rows: int, own: int, low: int, high: int) -> None:
    settings = own_settings("lightgbm", LightGBMSettings(min_rows_in_leaf=own))
    assert space_of("lightgbm", settings, rows)["min_rows_in_leaf"] == Range(low, high, whole=True)


@given(st.floats(1e-4, 1e3), st.floats(0, 1))
def test_a_proposal_is_rounded_within_its_range(own: float, share: float) -> None:
    found = Range(1e-3, 1e2).holding(own)
    proposed = found.low * (found.high / found.low) ** share
    tried = found.settled(proposed)
    assert found.low <= tried <= found.high
    assert tried == pytest.approx(proposed, rel=0.006)
    assert tried in (found.low, found.high) or float(f"{tried:.3g}") == tried


def test_what_is_not_tuned_stays() -> None:
    own = LightGBMSettings(trees=7, monotone={"need": "rises"})
    new = replaced(own, {"trees": 9})
    assert new == LightGBMSettings(trees=9, monotone={"need": "rises"})
    assert replaced(LogisticSettings(splines=("need",), knots=5), {"c": 2.0}).model_dump() == {
        "c": 2.0, "splines": ("need",), "knots": 5,
    }  # fmt: skip
