"""Cohort, features and outcomes side by side, and what each origin may learn from."""

from __future__ import annotations

import datetime as dt

from polars.testing import assert_frame_equal

from riskmodels.data.cohort import build_cohort
from riskmodels.data.dataset import build_dataset
from riskmodels.data.splits import plan_splits
from tests.data.small_study import EXTRACTED_ON, study_file, tables_of

DATES = tuple(dt.date(2020, month, 1) for month in (1, 4, 7, 10))
RECORDS = """
id happened   known      kind
a  2020-01-15 2020-01-15 visit
a  2020-02-15 2021-01-15 visit
b  2020-02-15 2020-02-15 test
b  2020-03-01 2021-01-15 visit
b  2020-07-15 2020-07-15 test
"""


def test_an_origin_learns_from_what_was_recorded_before_it() -> None:
    study = study_file(
        cohort={"as_of_dates": list(DATES)},
        split={"test": {"dates": list(DATES[2:])}, "calibrate": "grouped", "why_grouped": "small"},
    )
    tables = tables_of(study, people="id\na\nb", records=RECORDS)
    splits = plan_splits(study, EXTRACTED_ON)
    data = build_dataset(build_cohort(tables, study), tables, study, splits, EXTRACTED_ON)

    keys = ["entity_id", "as_of_date"]
    for frame in (data.features.frame, data.outcomes.frame, *(found.frame for found in data.outcomes_at.values())):
        assert_frame_equal(frame.select(keys), data.cohort.rows.select(keys))
    assert set(data.outcomes_at) == set(DATES[2:])

    # b of 1 January: tested in February, and visited in March, which came to light a year later. In July b's outcome
    # was a plain no; the extract knows better. Learning from the latter in July would be learning from the future.
    def b_of_january(outcomes: object) -> object:
        frame = getattr(outcomes, "frame", outcomes)
        return frame.filter(entity_id="b", as_of_date=DATES[0])["outcome"].item()

    july, october = splits.origins
    assert b_of_january(data.learned_at(july)) == 0
    assert b_of_january(data.learned_at(october)) == 0
    assert b_of_january(data.learned_at(splits.service)) == 1
    assert b_of_january(data.outcomes) == 1
    # In July nothing of April (3 months and a month) could be trusted yet; the extract knows.
    assert set(data.learned_at(july).filter(as_of_date=DATES[1])["outcome_status"]) == {"immature"}
    assert set(data.outcomes.frame.filter(as_of_date=DATES[1])["outcome_status"]) == {"unobserved"}
