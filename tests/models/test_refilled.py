import datetime as dt

import polars as pl

from riskmodels.models.ranking import refilled


def test_the_next_in_rank_take_the_places_of_those_who_are_excluded():
    # Two places on each date. First date: ranks 1 and 3 are excluded, so 2 and 4 have them. Second: nobody is.
    first, second = dt.date(2026, 3, 1), dt.date(2026, 9, 1)
    frame = pl.DataFrame({"as_of_date": [first] * 5 + [second] * 3, "rank": [1, 2, 3, 4, 5, 1, 2, 3]})
    excluded = pl.Series([True, False, True, False, False, False, False, False])
    after = refilled(frame, excluded, {"2026-03-01": 2, "2026-09-01": 2})
    assert after.to_list() == [False, True, False, True, False, True, True, False]


def test_where_more_are_excluded_than_are_left_places_stay_empty():
    frame = pl.DataFrame({"as_of_date": [dt.date(2026, 3, 1)] * 3, "rank": [1, 2, 3]})
    assert refilled(frame, pl.Series([True, True, False]), {"2026-03-01": 2}).to_list() == [False, False, True]
