"""A study run whole, and what stays of it."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.card_changes import since_last_card
from riskmodels.commands.checks import audit_forecast, profile_page
from riskmodels.commands.in_use import works_in_workspace
from riskmodels.commands.sources import Progress, data_folder, engine_named, silent, steps_of, version_of
from riskmodels.errors import ExitCode
from riskmodels.study import clock, load_study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.caching import StepLog
    from riskmodels.cards.change import Change
    from riskmodels.pipeline import StudyRun

CACHE_BYTES = 4 * 1024**3  # what is kept beyond this goes, the longest unused first
CARD_FORMATS = ("json", "html", "md")
PACKAGES = (
    "duckdb",
    "fairlearn",
    "lightgbm",
    "mlflow",
    "narwhals",
    "numpy",
    "optuna",
    "pandas",
    "polars",
    "riskmodels",
    "scikit-learn",
    "scipy",
    "shap",
    "statsmodels",
)


@dataclass(frozen=True)
class RunReport:
    study: str
    run: StudyRun
    folder: Path
    version: int
    tracking_uri: str
    run_id: str
    steps: tuple[StepLog, ...] = ()

    @property
    def card_html(self) -> Path:
        return self.folder / "card" / "card.html"

    def exit_code(self, strict: bool) -> ExitCode:
        """12 always when something was left unaudited without a reason; 10 and 11 only under ``strict``."""
        audit = self.run.audit.to_dict()
        verdict = audit["verdict"]
        if not all(row["accepted"] for row in audit["not_audited"]):
            return ExitCode.NOT_AUDITED
        if strict and (verdict == "FAIL" or self.run.card.summary.recommendation.code == "do_not_use"):
            return ExitCode.FAIL
        if strict and verdict == "INSUFFICIENT EVIDENCE":
            return ExitCode.INSUFFICIENT_EVIDENCE
        return ExitCode.DONE


@works_in_workspace
def run(
    study_folder: Path,
    workspace: Workspace,
    data: Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress = silent,
    *,
    engine: str = "polars",
    memory_limit: str | None = None,
    keep: bool = True,
    today: dt.date | None = None,
    deep: int = 0,
    mitigate: bool = False,
) -> RunReport:
    """Run a study whole: train, test, audit, explain, write the card, register the candidate, log to MLflow.

    ``keep``: take what an earlier run or check has made of the same data and definitions from the workspace's cache.
    ``deep``: draws of people for the stability of the list; 0 leaves out all that `run --deep` looks at.
    ``mitigate``: whether to try what it would take to narrow the gaps between groups.
    """
    from riskmodels import tracking
    from riskmodels.governance import gate, registry
    from riskmodels.models.reading_back import refuse_unfaithful
    from riskmodels.pipeline import run_study

    started = dt.datetime.now(dt.UTC)
    study = load_study(study_folder)
    storage.refuse_unwritable(workspace.models_index)
    steps = steps_of(study, workspace, keep)
    found = run_study(
        study,
        data_folder(study, workspace, data, progress),
        progress,
        today=today,
        engine=engine_named(engine, memory_limit, workspace),
        steps=steps,
        store=workspace.tuning(study.name) if keep else None,
        deep=deep,
        mitigate=mitigate,
    )
    progress("reading the saved model back")
    refuse_unfaithful(found.model, found.dataset.features.frame)
    files = run_files(found, started, today, since_last_card(found.card, workspace), draws=deep)
    saved = {name.removeprefix("riskmodel/"): text for name, text in files.items() if name.startswith("riskmodel/")}
    day = today or clock.today()
    gate.open_for_registration(gate.Case(saved, files["card/card.json"], workspace.reviews(study.name), {}, day))
    folder = workspace.runs(study.name) / f"{started:%Y%m%dT%H%M%S}-{found.model.model_sha256[:8]}"
    storage.sweep_folders(folder.parent)  # what a run that was killed had begun: it holds people
    storage.write_folder(folder, files)
    entry = {
        "model_sha256": found.model.model_sha256,
        "card_sha256": storage.sha256(files["card/card.json"]),
        "data_sha256": found.tables.sha256,
        "policy_sha256": found.audit.to_dict()["policy_sha256"],
        "folder": folder.relative_to(workspace.root).as_posix(),
        "registered_on": day.isoformat(),
        "verdict": found.audit.to_dict()["verdict"],
        "recommendation": found.card.summary.recommendation.code,
    }
    version = registry.register(workspace, study.name, entry)
    steps.prune(CACHE_BYTES)
    progress("logging to MLflow")
    uri = tracking.resolve_tracking_uri(workspace, tracking_uri)
    logged = tracking.log_training(workspace, uri, _record(found, folder, entry, version))
    return RunReport(study.name, found, folder, version, logged.tracking_uri, logged.run_id, tuple(steps.log))


def run_files(
    found: StudyRun,
    started: dt.datetime,
    today: dt.date | None = None,
    change: Change | None = None,
    *,
    draws: int = 0,
) -> dict[str, bytes]:
    """Every file of a run's folder. Only ``run.json`` differs between two runs of the same study.

    ``draws``: as ``deep`` of `run`. ``change``: what changed since an earlier card, which the card's pages show and
    ``card.json`` does not hold.
    """
    from riskmodels.assessment.audit.exact import counts_file
    from riskmodels.cards.renderings import Beside, render
    from riskmodels.governance.review import status_banner

    card_bytes = found.card.to_bytes()
    card = found.card.to_dict()
    status = status_banner(storage.sha256(card_bytes), found.model.model_sha256, [], started.date())
    files = {f"study/{name}": content for name, content in found.study.files}
    files |= {f"riskmodel/{name}": content for name, content in found.model.to_files().items()}
    files |= {f"figures/{name}.svg": content for name, content in found.figures.items()}
    beside = Beside(status, change=None if change is None else change.to_dict())
    files |= {f"card/{name}": content for name, content in render(card, CARD_FORMATS, beside).items()}
    files["audit/audit.json"] = storage.canonical_json(card["audit"])
    files["audit/audit.html"] = audit_page(found)
    files["explain/drivers.json"] = storage.canonical_json(found.explanation.to_dict())
    if found.explanation.figure_svg:
        files["explain/drivers.svg"] = found.explanation.figure_svg
    files["checks/checks.json"] = storage.canonical_json([finding.to_dict() for finding in found.checks])
    files["checks/profile.html"] = profile_page(found.prepared)
    files["checks/forecast.json"] = storage.canonical_json(audit_forecast(found.prepared))
    # Owner-only, never logged: they hold ids or exact counts.
    files["predictions.parquet"] = storage.table_bytes(found.predictions.frame, ".parquet")
    files["ranking.parquet"] = storage.table_bytes(found.ranking.frame, ".parquet")
    files["audit_exact.json"] = storage.canonical_json(found.audit.to_dict())
    if found.audit.exact is not None:  # nothing could be audited
        files["audit_counts.json"] = counts_file(found.audit)
    files["run.json"] = storage.canonical_json(
        {
            "study": found.study.name,
            "started": started.isoformat(timespec="seconds"),
            "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "packages": {name: version_of(name) for name in PACKAGES},
            "seed": found.study.file.seed,
            "deep": draws,
            "mitigate": found.mitigation is not None,
            "agreements_held_on": (today or clock.today()).isoformat(),
        }
    )
    return files


def audit_page(found: StudyRun) -> bytes:
    """The fairness audit as a page of its own, as it may be shown."""
    from riskmodels.assessment.audit.policy import load_policy
    from riskmodels.assessment.audit.publishing.disclosure import publish
    from riskmodels.reports.audit_page import render_audit

    question = found.study.file
    published, hidden = publish(found.audit.to_dict(), question.disclosure)
    about = {
        "study": question.title, "question": question.question, "outcome": question.outcome.words,
        "groups": list(question.protected),
    }  # fmt: skip
    policy = load_policy(question.fairness.policy).model_dump(mode="json")
    return render_audit({**published, "policy": policy, "hidden": list(hidden), "about": about, "notes": []})


def _record(found: StudyRun, folder: Path, entry: Mapping[str, str], version: int) -> Any:
    from riskmodels.tracking import RunRecord

    question = found.study.file
    # What the card shows, and no more: counts and rates that it hides are hidden here too.
    shown = found.card.to_dict()["performance"]
    metrics = _values(shown["overall"])
    at_capacity = _values({name: shown["at_capacity"].get(name) for name in ("precision", "recall")})
    metrics |= {f"{name}_at_capacity": value for name, value in at_capacity.items()}
    families = {
        str(row["model"]): _values({name: row.get(name) for name in ("brier_score", "auc", "precision_at_k")})
        for row in shown["families"]
    }
    # No param named as one of MLproject's is: `mlflow run` has logged those already, and they cannot be changed.
    params = {
        "family": found.model.family,
        "best_baseline": found.choice.best_baseline,
        "calibrator": question.models.calibrator,
        "deep": "yes" if found.deep else "not run",
        "mitigate": "yes" if found.mitigation else "not run",
        "calibrate": question.split.calibrate,
        "horizon": str(question.outcome.horizon),
        "features": str(len(found.dataset.features.specs)),
        "seed": str(question.seed),
        "purpose": question.purpose,
    }
    tags = {
        "study": question.study,
        "model.sha256": entry["model_sha256"],
        "card.sha256": entry["card_sha256"],
        "data.digest": entry["data_sha256"],
        "audit.verdict": entry["verdict"],
        "recommendation": entry["recommendation"],
        "gates.status": "awaiting review",
        "ethics.status": "not reviewed",
        "registry.version": str(version),
    }
    inputs = tuple(
        (spec.name, "double" if spec.kind == "number" else "string") for spec in found.dataset.features.specs
    )
    return RunRecord(question.study, folder, params, metrics, families, tags, inputs, found.tuning.trials)


def _values(estimates: Mapping[str, Any]) -> dict[str, float]:
    found = {name: estimate.get("value") for name, estimate in estimates.items() if isinstance(estimate, Mapping)}
    return {name: float(value) for name, value in found.items() if value is not None}
