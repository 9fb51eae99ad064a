from __future__ import annotations

import copy
from typing import Any

from riskmodels.cards.card import Figure
from riskmodels.cards.figures import Results
from riskmodels.cards.time_figures import over_time
from riskmodels.cards.words import language_of
from tests.cards import example_card as example

BREAKS = [
    {"date": "1988-03-01", "what": "A new case system"},
    {"date": "1986-09-01", "what": "Two tests a year", "affects": ["reading_test"]},
]


def results(dates: int = 3, breaks: list[dict[str, Any]] | None = None) -> Results:
    study = example.study({"breaks": BREAKS if breaks is None else breaks}).file
    performance = example.performance()
    (one,) = performance["per_date"]
    performance["per_date"] = [
        copy.deepcopy(one)
        | {
            "as_of_date": f"{1986 + place}-06-30",
            "auc": example.estimate(0.9 - 0.02 * place),
            "oe_ratio": example.estimate(1 + 0.1 * place),
            "base_rate": example.estimate(0.2),
            "precision_at_k": example.estimate(0.5 + 0.1 * place),
        }
        for place in range(dates)
    ]
    return Results(study, language_of(study), performance, {}, {}, (), ())


def test_a_row_for_each_test_date_and_breaks_in_order() -> None:
    figure = over_time(results())
    assert isinstance(figure, Figure)
    assert figure.id == "over_time"
    assert [row[0] for row in figure.table.rows] == ["30 June 1986", "30 June 1987", "30 June 1988"]
    assert figure.table.rows[1][1] == 88.0
    assert figure.curve is not None
    assert figure.curve.rows == (("1 September 1986", "Two tests a year"), ("1 March 1988", "A new case system"))
    assert "from 90 on the first to 86 on the last" in figure.alt
    assert "from 1.00 on the first to 1.20 on the last" in figure.alt
    assert "A new case system on 1 March 1988" in figure.alt


def test_no_break_is_said() -> None:
    figure = over_time(results(breaks=[]))
    assert isinstance(figure, Figure)
    assert figure.curve is None
    assert "No break in the records is declared" in figure.alt


def test_one_date_is_no_line() -> None:
    assert over_time(results(dates=1)) == "there are not two test dates to compare"


def test_a_date_without_figures_is_left_out_and_a_gap_stays_a_gap() -> None:
    given = results()
    dates = given.performance["per_date"]
    dates[0] |= {"auc": {"value": None, "reason": "few"}, "oe_ratio": {"value": None, "reason": "few"}}
    dates[1] |= {"auc": {"value": None, "reason": "few"}}
    figure = over_time(given)
    assert isinstance(figure, Figure)
    assert len(figure.table.rows) == 2
    assert figure.table.rows[0][1:4] == (None, None, None)
