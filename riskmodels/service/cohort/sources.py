"""A cohort made anew from the study's own sources, on a day, by the definitions that the model was trained with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.caching import digest_of_frame
from riskmodels.data.cohort import Cohort, build_cohort
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.fact_days import days_of_facts
from riskmodels.data.features import build_features
from riskmodels.data.service_rules import service_view
from riskmodels.data.tables import Tables, read_tables
from riskmodels.errors import UsageError
from riskmodels.service.cohort.columns import EXCLUDED, HOUSEHOLD, ID, TEAM, Wanted
from riskmodels.service.cohort.notes import notes_of
from riskmodels.service.cohort.objections import NearMisses
from riskmodels.service.cohort.parquet import ROWS_AT_MOST
from riskmodels.service.cohort.parts import refuse_older, table_files
from riskmodels.service.cohort.routes import routed
from riskmodels.service.cohort.rows import REASONS, known_teams
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart, day_of
from riskmodels.study import Study, StudyFile


@dataclass(frozen=True)
class SourceParts:
    """A cohort made from sources, in parts of at most 65,536 rows (`riskmodels.service.shapes.CohortParts`).

    It is held in memory. Rows are numbered from 1 in the order of the ids. ``routed``: the place of each of the study's
    routes -> the ids of those it is true of (`riskmodels.service.cohort.routes.routed`). ``closed``: the households of
    the cohort that are left alone, because of whomever. ``notes``: what whoever uses the list must know of it.
    """

    as_of: dt.date
    sha256: str
    routed: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    ignored: tuple[str, ...] = ()
    closed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    _frame: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    _objectors: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def rows_in(self) -> int:
        return self._frame.height

    @property
    def count(self) -> int:
        return -(-self.rows_in // ROWS_AT_MOST)

    def read(self, number: int) -> CheckedPart:
        """Part ``number``. Safe to call from several threads, and always the same."""
        if not 0 <= number < self.count:
            raise IndexError(f"there is no part {number}; parts are numbered from 0 to {self.count - 1}")
        part = self._frame.slice(number * ROWS_AT_MOST, ROWS_AT_MOST)
        objected = part[ID].is_in(list(self._objectors))
        rejects = part.filter(objected).select(
            "row_number", ID, pl.lit("objected").alias("code"), pl.lit(REASONS["objected"]).alias("reason")
        )
        return CheckedPart(part.filter(~objected), rejects.cast(REJECT_SCHEMA), part.height)  # type: ignore[arg-type]


def is_sources(folder: Path, study: StudyFile) -> bool:
    """Whether a folder holds the study's sources, and not the parts of a matrix.

    It does if any file of a source of the model stands in it; or if all those sources are in databases, and no table
    does.
    """
    if not folder.is_dir():
        return False
    sources = [source for source in study.sources.values() if source.use == "model"]
    if any(source.file and (folder / source.file).exists() for source in sources):
        return True
    return all(source.database for source in sources) and not table_files(folder)


def open_sources(
    folder: Path,
    study: Study,
    as_of: dt.date | None,
    objectors: frozenset[str],
    today: dt.date,
    engine: Engine = POLARS,
    *,
    not_before: dt.date | None = None,
) -> SourceParts:
    """Build the cohort and its features on ``as_of``, by the definitions the model was trained with.

    Only sources that the model uses are read: equality data never comes near a score. Each row has the first service
    rule that holds, as was known then or is known today, its team and household, and the days of the facts behind
    features (`riskmodels.data.fact_days.days_of_facts`).

    Parameters
    ----------
    objectors : ids of people who objected to being scored
    today : the day of the extract, on which the list is made
    not_before : the last day the model learned from: an earlier one is refused, unless the study's clock is relative

    Raises
    ------
    UsageError
        without a date.
    DataError
        if the sources do not fit the study.
    """
    if as_of is None:
        raise UsageError("a folder of sources is scored on a day; name it with --as-of YYYY-MM-DD")
    refuse_older(as_of, not_before, study.file)
    # Those who objected to scoring stay in the tables, so that each can be rejected by name of reason.
    tables = read_tables(folder, study, uses=("model",), extracted_on=today, engine=engine, objections_for=())
    cohort = build_cohort(tables, study.file, [as_of])
    near = NearMisses(objectors)
    near.see(cohort.rows[ID])
    near.refuse()
    view = service_view(cohort.rows, tables, study.file, today, objectors)
    flagged = routed(cohort.rows, tables, study.file, as_of, objectors, today)
    decides = {
        "tables": tables.sha256,
        # What is known today, not the day itself: a run that was stopped may go on tomorrow if no rule says otherwise.
        "view": digest_of_frame(view),
        "routed": {str(place): list(ids) for place, ids in flagged.items()},
        "objections": sorted(objectors),
        "as_of": str(as_of),
        "study": study.digest,
    }
    return SourceParts(
        as_of,
        storage.sha256(storage.canonical_json(decides)),
        flagged,
        closed=frozenset(view.filter("household_closed")["household"]),
        notes=notes_of(view, tables, study.file, today),
        _frame=_frame(cohort, view, tables, study.file),
        _objectors=objectors,
    )


def _frame(cohort: Cohort, view: pl.DataFrame, tables: Tables, study: StudyFile) -> pl.DataFrame:
    features = build_features(cohort, tables, study)
    wanted = Wanted.of(features.specs, study)  # refuses features named as the columns below
    view = view.with_columns(known_teams(view[TEAM], wanted.teams).alias(TEAM))
    days = days_of_facts(cohort.rows, features.specs, tables, study)
    frame = pl.concat([features.frame.drop("as_of_date"), view.select(EXCLUDED, TEAM, HOUSEHOLD)], how="horizontal")
    frame = frame.with_columns(day.alias(day_of(feature)) for feature, day in days.items())
    return frame.with_row_index("row_number", offset=1).cast({"row_number": pl.Int64})
