"""Everything of a study short of training, looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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
    """What ``check`` found.

    ``not_audited``: characteristics protected by law, neither audited nor excused. ``forecast``: what the audit will be
    able to judge, as it may be shown (`riskmodels.assessment.audit.forecasting`); None where it cannot be told.
    """

    prepared: Prepared
    steps: tuple[StepLog, ...]
    profile: Path | None
    not_audited: tuple[str, ...]
    lag_was_estimated: bool
    forecast: Mapping[str, Any] | None

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
    forecast = audit_forecast(prepared)
    if profile is not None:
        progress("writing the profile")
        storage.write_whole(profile, profile_page(prepared), mode=0o644)
    estimated = study.file.outcome.lag == ESTIMATE
    return CheckReport(prepared, tuple(steps.log), profile, _not_audited(study), estimated, forecast)


def profile_page(prepared: Prepared) -> bytes:
    """The data audit as one page; counts and shares are those that may be published."""
    from riskmodels.reports.profile_page import render_profile

    return render_profile(
        prepared.profile.to_dict(),
        checks=[finding.to_dict() for finding in prepared.checks],
        gaps=prepared.gaps,
        disclosure=prepared.study.file.disclosure,
        forecast=audit_forecast(prepared),
    )


def audit_forecast(prepared: Prepared) -> dict[str, Any] | None:
    """What the fairness audit will be able to judge, as it may be shown; None where there is nothing to go by.

    Of the outcome only that is used which was recorded before the first test date.

    Raises
    ------
    StudyError
        if there is no such fairness policy, or a reference is not one of the groups.
    """
    import polars as pl

    from riskmodels.assessment.audit.forecasting.expected_groups import expect
    from riskmodels.assessment.audit.forecasting.forecast import forecast
    from riskmodels.assessment.audit.forecasting.forecast_shown import publish_forecast
    from riskmodels.assessment.audit.policy import load_policy
    from riskmodels.assessment.audit.words import NOUNS

    question, dataset = prepared.study.file, prepared.dataset
    tests = [split.test for split in prepared.splits.origins if split.test is not None]
    mature = [day for day in tests if question.outcome.mature_on(day) <= prepared.study.extracted_on]
    policy = load_policy(question.fairness.policy)
    learned = dataset.outcomes_at[min(tests)].frame
    cohort = expect(prepared.cohort.rows, prepared.groups, learned, mature, question.protected, policy)
    if cohort is None:
        return None
    rows = prepared.cohort.rows.filter(pl.col("as_of_date").is_in(mature))
    sizes = rows["as_of_date"].value_counts()["count"].to_list()
    capacity = sum(question.capacity.of(size) for size in sizes) / rows.height
    noun = NOUNS[question.level]
    found = forecast(cohort, capacity, question.purpose, policy, measures=question.outcome.measures, noun=noun)
    return publish_forecast(found.to_dict(), question.disclosure, noun)


def _not_audited(study: Study) -> tuple[str, ...]:
    audited = {spec.law for spec in study.file.protected.values()}
    return tuple(name for name in PROTECTED_BY_LAW if name not in audited and name not in study.file.not_audited)
