from __future__ import annotations

from riskmodels.reports.how_right import how_right


def row(told: float, value: float, low: float | None, high: float | None, n: int = 196, unknown: float = 0.02):
    return {"told": told, "happened": {"value": value, "low": low, "high": high, "n": n}, "unknown": unknown}


LIST = row(0.346, 0.338, 0.301, 0.378, 585)
SAID = (
    "When the list was tested, the model expected the outcome of 35 in 100 people on it; 34 in 100 had it (it could be "
    "30 to 38)."
)


def test_a_list_whose_top_was_told_too_much():
    """Over the whole list told and happened agree; of the highest 200 half were foreseen, and 38 in 100 came about."""
    assert how_right(LIST, row(0.49, 0.383, 0.314, 0.456)) == (
        f"{SAID} Of some 200 with the highest numbers it expected it of 49 in 100 people; 38 in 100 had it (it could "
        "be 31 to 46). So the highest numbers are too high: they say who comes first, not how likely it is."
    )


def test_a_top_that_was_told_rightly_or_is_not_known():
    assert how_right(LIST, None) == SAID
    assert "too high" not in how_right(LIST, row(0.4, 0.383, 0.314, 0.456))
    assert "too high" not in how_right(LIST, row(0.2, 0.383, 0.314, 0.456))  # fewer than came about


def test_how_many_outcomes_are_not_known_is_told_where_they_are_many():
    assert "Of 62 in 100 on the tested list nobody knows how it went." in how_right(LIST | {"unknown": 0.616}, None)
    assert "nobody knows" not in how_right(LIST, None)


def test_too_few():
    assert how_right(None, None).startswith("Too few outcomes are known")
    assert how_right(row(0.3, 0.3, None, None), None).startswith("Too few outcomes are known")
