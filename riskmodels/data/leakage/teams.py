"""Do the teams that have places stand in the data? A team whose name is written another way would get an empty list."""

from __future__ import annotations

import datetime as dt

from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, named
from riskmodels.data.service_rules import teams_on


def empty_teams(evidence: Evidence) -> Verdict:
    """On the latest as-of date somebody of the cohort is of each team that ``capacity.places`` names."""
    study, rows = evidence.study, evidence.cohort.rows
    if not isinstance(study.capacity.places, dict):
        return PASS, "there are no teams: one list for all"
    if evidence.tables is None:
        return UNKNOWN, "the source tables were not given"
    day = rows["as_of_date"].max()
    if not isinstance(day, dt.date):
        return UNKNOWN, "nobody is in the cohort"
    teams = teams_on(rows.filter(rows["as_of_date"] == day), evidence.tables, study, day)
    found = set(teams.drop_nulls())
    missing = [team for team in study.capacity.places if team not in found]
    without = 1 - int(teams.is_in(list(study.capacity.places)).sum()) / teams.len()
    said = f"on {day.isoformat()}, {without:.0%} are of no team that has places"
    if missing:
        return CONCERN, f"by {study.capacity.by}, nobody is of: {named(missing)}; {said}"
    return PASS, f"somebody is of each team; {said}"
