from __future__ import annotations

import copy
from typing import Any

from riskmodels.cards.card import Figure
from riskmodels.cards.figures import Results
from riskmodels.cards.time_figures import over_time, risk_over_time
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
    assert figure.table.rows[1][1:] == (60, 58, 62, 88, 86, 90)
    assert figure.curve is not None
    assert figure.curve.rows == (("1 September 1986", "Two tests a year"), ("1 March 1988", "A new case system"))
    assert figure.title == "On 3 test dates, between 50 and 70 of 100 on the list needed help"
    assert "needed help, from 50 on the first to 70 on the last" in figure.alt
    assert "put right, from 90 on the first to 86 on the last" in figure.alt
    assert "A new case system on 1 March 1988" in figure.alt


def test_what_was_foreseen_stands_beside_what_came_about() -> None:
    figure = risk_over_time(results())
    assert isinstance(figure, Figure)
    # 20 of 100 came about; on the last date 1.2 for each one foreseen, so 16.7 were.
    assert figure.table.rows[2] == ("30 June 1988", 17, 20, 18, 22, 120, 118, 122)
    assert figure.title == "Of 100 pupils on 30 June 1988, 17 were foreseen and 20 needed help"
    assert "on the last, 17 and 20" in figure.alt
    given = results()
    for one in given.performance["per_date"][:2]:
        one["oe_ratio"] = {"value": None, "reason": "few"}
    assert risk_over_time(given) == "there are not two test dates to compare"


def test_no_break_is_said() -> None:
    figure = over_time(results(breaks=[]))
    assert isinstance(figure, Figure)
    assert figure.curve is None
    assert "No break in the records is declared" in figure.alt


def test_one_date_is_no_line() -> None:
    assert over_time(results(dates=1)) == "there are not two test dates to compare"


def test_a_date_without_figures_is_left_out_and_a_gap_stays_a_gap() -> None:
    given = results()
    dates, none = given.performance["per_date"], {"value": None, "reason": "few"}
    dates[0] |= {"auc": none, "precision_at_k": none}
    dates[1] |= {"auc": none}
    figure = over_time(given)
    assert isinstance(figure, Figure)
    assert len(figure.table.rows) == 2
    assert figure.table.rows[0][1:] == (60, 58, 62, None, None, None)


def test_without_the_list_the_title_tells_of_the_pairs() -> None:
    given = results()
    for one in given.performance["per_date"]:
        one["precision_at_k"] = {"value": None, "reason": "few"}
    figure = over_time(given)
    assert isinstance(figure, Figure)
    assert figure.title == "On 3 test dates, between 86 and 90 of 100 pairs were put right"
