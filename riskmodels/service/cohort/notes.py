"""What the sources cannot say of a list that is made today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import narwhals as nw
import polars as pl

from riskmodels.assessment.suppression import PROFILES, published_count
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile

MOST_DAYS = 31  # without a new record, before it is said


def notes_of(view: pl.DataFrame, tables: Tables, study: StudyFile, today: dt.date) -> tuple[str, ...]:
    """What whoever uses a list must know of it; nothing where rules could be asked as they should.

    Parameters
    ----------
    view : of the cohort, as `riskmodels.data.service_rules.service_view` gives it
    """
    notes = list(old_records(newest_records(tables, study, today), today)) if study.clock == "calendar" else []
    if undated := int(view["undated"].sum()):
        notes.append(undated_note(undated, study))
    return tuple(notes)


def undated_note(people: int, study: StudyFile) -> str:
    """How many people are left off for want of a date; as counts are published, since it stands in the report too."""
    profile = PROFILES[study.disclosure]
    shown = published_count(people, profile)
    many = f"fewer than {profile.below}" if shown is None else f"{'about ' if profile.base > 1 else ''}{shown:,}"
    return (
        f"{many} of the cohort are left off only because a record lacks a date: that it happened is known, not when; "
        "mend the dates"
    )


def newest_records(tables: Tables, study: StudyFile, today: dt.date) -> dict[str, dt.date | None]:
    """The dated sources that service rules look at -> the newest day, up to today, on which something became known."""
    found: dict[str, dt.date | None] = {}
    for name in sorted(study.sources_of([rule.exclude for rule in study.service_rules])):
        if tables[name].is_dated:
            seen = tables[name].scan().filter(nw.col("known_date") <= today)
            found[name] = seen.select(nw.col("known_date").max()).collect().to_polars().item()
    return found


def old_records(newest: dict[str, dt.date | None], today: dt.date) -> Iterable[str]:
    """A line for each source that has long told nothing new.

    Parameters
    ----------
    newest : as `newest_records` has them
    """
    old = {name: day for name, day in newest.items() if day is None or (today - day).days > MOST_DAYS}
    days = [day for day in old.values() if day is not None]
    if len(old) == len(newest) and len(days) == len(old) and days:
        # Where nothing at all is new, one line says so.
        yield f"the newest record is of {max(days)}: who died, moved or objected since is not known"
        return
    for name, day in old.items():
        which = f"the newest record of {name} is of {day}" if day else f"{name} holds no record known by today"
        yield f"{which}: what happened since is not known, and service rules ask it"
