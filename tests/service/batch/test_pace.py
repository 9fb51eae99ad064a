from __future__ import annotations

import pytest

from riskmodels.service.batch.pace import Pace, in_words


def test_says_rate_and_time_left_at_most_once_a_second() -> None:
    """100 rows at 0.4 s: too early to say. 300 at 1.2 s: 250 a second, 700 left take 2.8 s. 1,000 at 1.3 s: the end."""
    now, said = [0.0], list[str]()
    pace = Pace("scored", 1_000, said.append, clock=lambda: now[0])
    for moment, rows in ((0.4, 100), (1.2, 200), (1.3, 700)):
        now[0] = moment
        pace.add(rows)
    assert said == [
        "scored: 300 of 1,000 rows, 250 a second, about 3 s left",
        "scored: 1,000 of 1,000 rows, 769 a second",
    ]


def test_rows_of_an_earlier_run_are_done_and_say_nothing_of_the_rate() -> None:
    now, said = [0.0], list[str]()
    pace = Pace("scored", 1_000, said.append, clock=lambda: now[0])
    pace.keep(900)
    now[0] = 2.0
    pace.add(50)
    assert said == ["scored: 950 of 1,000 rows, 25 a second, about 2 s left"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89.4, "89 s"), (90, "2 min"), (5_399, "90 min"), (9_000, "2.5 h")]
)
def test_time_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
