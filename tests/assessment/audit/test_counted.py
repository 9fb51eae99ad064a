from __future__ import annotations

from typing import Any

import pytest

from riskmodels.assessment.audit.counted import counted_in_words, unknown_in_words, unknown_on_list


def row(attribute: str, selected: int | None, tp: int | None, fp: int | None) -> dict[str, Any]:
    return {"attribute": attribute, "selected": selected, "tp": tp, "fp": fp}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"n": 9010, "units": 4940}, "9,010 predictions of about 4,940 people"),
        ({"n": 9010, "units": 9010}, "9,010 people"),
        ({"n": 9010, "units": None}, "9,010 people"),
        ({"n": None, "units": None}, "The number of people is not shown"),
        (
            {"n": 90, "units": 40, "about": {"household": "home"}},
            "90 predictions of about 40 households or people on their own",
        ),
        ({"n": 60, "units": 20, "level": "place"}, "60 predictions of about 20 places"),
    ],
)
def test_rows_are_not_called_people(found: dict[str, Any], said: str) -> None:
    assert counted_in_words({"level": "person", **found}) == said


def test_how_many_of_the_list_have_no_known_result() -> None:
    # Sex shows 100 + 100 on the list, of which 40 + 38 are known: 122 of 200 have no result. Race shows fewer.
    rows = [row("sex", 100, 10, 30), row("sex", 100, 8, 30), row("race", 50, 25, 25), row("race", 90, None, None)]
    assert unknown_on_list(rows) == pytest.approx(0.61)
    assert unknown_in_words(0.61) == (
        "These rates are of those whose result is known; of 100 on the list, about 61 have none."
    )
    assert unknown_on_list([row("race", 90, None, None)]) is None
    # Rounding may make the parts more than the whole.
    assert unknown_on_list([row("race", 90, 45, 50)]) == 0.0
    assert unknown_in_words(0.1) == unknown_in_words(None) == ""
