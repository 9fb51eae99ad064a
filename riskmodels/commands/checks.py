"""Everything of a study short of training, looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, data_folder, engine_named, silent, steps_of
from riskmodels.study import ESTIMATE, PROTECTED_BY_LAW, Study, load_study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.caching import StepLog
    from riskmodels.data.preparing import Prepared


@dataclass(frozen=True)
class CheckReport:
    """What ``check`` found. ``not_audited``: characteristics protected by law, neither audited nor excused."""

    prepared: Prepared
    steps: tuple[StepLog, ...]
    profile: Path | None
    not_audited: tuple[str, ...]
    lag_was_estimated: bool

    @property
    def attrition(self) -> list[dict[str, Any]]:
        return self.prepared.cohort.attrition.to_dicts()

    @property
    def outcome_status(self) -> list[dict[str, Any]]:
        return self.prepared.dataset.outcomes.status_table().to_dicts()

    @property
    def checks(self) -> list[dict[str, Any]]:
        return [finding.to_dict() for finding in self.prepared.checks]

    @property
    def features(self) -> list[dict[str, Any]]:
        """Each with its source, window, whom it is about, and who may see it: its own line says, or the register."""
        register = self.prepared.study.register.sources
        return [
            {
                "name": spec.name, "source": spec.source, "window": spec.last, "about": spec.about,
                "words": spec.words, "seen by": "; ".join(spec.seen_by or register[spec.source].seen_by),
            }
            for spec in self.prepared.dataset.features.specs
        ]  # fmt: skip

    @property
    def origins(self) -> list[str]:
        return [
            f"test {split.test}: learns from {split.fit[0]} to {split.fit[-1]}, calibrates {split.how}"
            for split in self.prepared.splits.origins
        ]


def check(
    study_folder: Path,
    workspace: Workspace,
    data: Path | None = None,
    progress: Progress = silent,
    *,
    profile: Path | None = None,
    engine: str = "polars",
    memory_limit: str | None = None,
    keep: bool = True,
    today: dt.date | None = None,
) -> CheckReport:
    """Validate everything of a study short of training; with ``profile``, write what was found as a page.

    Raises
    ------
    StudyError, DataError, LeakError
        in one line: what, where, what to do.
    """
    from riskmodels.data.preparing import prepare_study
    from riskmodels.models.training import fits_on_shuffled

    study = load_study(study_folder)
    if profile is not None:
        storage.refuse_unwritable(profile)
    steps = steps_of(study, workspace, keep)
    prepared = prepare_study(
        study,
        data_folder(study, workspace, data, progress),
        today=today,
        engine=engine_named(engine, memory_limit, workspace),
        steps=steps,
        predictor=fits_on_shuffled,
        progress=progress,
    )
    if profile is not None:
        progress("writing the profile")
        storage.write_whole(profile, profile_page(prepared), mode=0o644)
    estimated = study.file.outcome.lag == ESTIMATE
    return CheckReport(prepared, tuple(steps.log), profile, _not_audited(study), estimated)


def profile_page(prepared: Prepared) -> bytes:
    """The data audit as one page; counts and shares are those that may be published."""
    from riskmodels.reports.profile_page import render_profile

    checks = [finding.to_dict() for finding in prepared.checks]
    return render_profile(
        prepared.profile.to_dict(), checks=checks, gaps=prepared.gaps, disclosure=prepared.study.file.disclosure
    )


def _not_audited(study: Study) -> tuple[str, ...]:
    audited = {spec.law for spec in study.file.protected.values()}
    return tuple(name for name in PROTECTED_BY_LAW if name not in audited and name not in study.file.not_audited)
