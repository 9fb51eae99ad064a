"""A model held against newer outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.commands.gates import study_of_run
from riskmodels.commands.sources import Progress, engine_named, silent
from riskmodels.errors import DataError, UsageError
from riskmodels.study import Study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.service.updating import UpdateFindings


@dataclass(frozen=True)
class UpdateReport:
    study: str
    version: int | None
    findings: UpdateFindings
    output: Path | None


def update(
    reference: str,
    data: Path,
    workspace: Workspace,
    dates: Sequence[dt.date],
    extracted_on: dt.date,
    output: Path | None = None,
    progress: Progress = silent,
    *,
    engine: str = "polars",
    memory_limit: str | None = None,
) -> UpdateReport:
    """Say whether a model is to be kept, corrected or fitted again. Nothing is changed, and nobody is listed.

    Parameters
    ----------
    data : the folder of the study's sources, extracted anew
    dates : as-of dates after those that the model learned from

    Raises
    ------
    UsageError
        without a date, or for one that the model learned from or whose outcome is not over.
    DataError
        if a source may not be used, or does not fit the study.
    """
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.data.register import refuse_unpermitted
    from riskmodels.data.tables import read_tables
    from riskmodels.governance import registry
    from riskmodels.models.risk_model import RiskModel, read_model_folder
    from riskmodels.service.updating import hold_against

    if not dates:
        raise UsageError("update: name at least one day whose outcome is known by now, with --as-of YYYY-MM-DD")
    if not data.is_dir():
        raise DataError(f"{data}: no such folder of data")
    if output is not None:
        storage.refuse_unwritable(output)
    found = registry.resolve(workspace, reference)
    study = study_of_run(found, read_card_file(found.card_path))
    refuse_unpermitted(study, ("model",), extracted_on)
    _refuse_learned_from(study, dates)
    model = RiskModel.from_files(read_model_folder(found.model_folder))
    progress("reading the newer extract")
    tables = read_tables(
        data, study, uses=("model",), extracted_on=extracted_on, engine=engine_named(engine, memory_limit, workspace)
    )
    progress("holding the model against the newer outcomes")
    report = UpdateReport(
        found.study, found.version, hold_against(model, tables, study.file, dates, extracted_on), output
    )
    if output is not None:
        storage.write_whole(output, storage.canonical_json(report.findings.to_dict()))
    return report


def _refuse_learned_from(study: Study, dates: Sequence[dt.date]) -> None:
    """The model in service learned from every date of the study that was mature at its extract, and so from outcomes up
    to the day on which the last of them was. A day before that looks ahead to what the model was taught.
    """
    mature_on = study.file.outcome.mature_on
    taught = [day for day in study.file.cohort.dates if mature_on(day) <= study.extracted_on]
    for day in dates:
        if taught and day < mature_on(taught[-1]):
            raise UsageError(
                f"--as-of {day}: the model learned outcomes recorded up to {mature_on(taught[-1])}; use that day or a "
                "later one"
            )
