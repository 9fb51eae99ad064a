"""Teams that have places: some that nobody is of, and none at all."""

from __future__ import annotations

import dataclasses

from riskmodels.data.leakage.teams import empty_teams
from tests.data.leakage.made_county import clean
from tests.data.leakage.planted_in_time_and_people import a_team_whose_name_is_written_another_way


def test_a_study_without_teams_passes() -> None:
    assert empty_teams(clean()) == ("pass", "there are no teams: one list for all")


def test_the_share_of_people_without_a_team_is_said() -> None:
    found = a_team_whose_name_is_written_another_way()
    result, said = empty_teams(found)
    assert result == "concern"
    # 74 of 1,517 children live in the one ward whose name is right; 1,443 of 1,517 are 95 in 100.
    assert said.endswith("on 2025-10-01, 95% are of no team that has places")
    assert empty_teams(dataclasses.replace(found, tables=None)) == ("unknown", "the source tables were not given")
