"""One effectful story for each verb: read, run, write, log, gate. Used by the command line, pipelines/ and Python.

Nothing here prints: each verb takes ``progress`` and returns what there is to say.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import importlib.util
import platform
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.errors import (
    CardError,
    DataError,
    ExitCode,
    ModelFileError,
    OutsideError,
    RiskModelsError,
    StudyError,
    UsageError,
)
from riskmodels.study import Study, load_study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.pipeline import StudyRun
    from riskmodels.service.scoring import Batch

Progress = Callable[[str], None]
PREPARED_BY = ".prepared"
PACKAGES = (
    "lightgbm",
    "mlflow",
    "numpy",
    "pandas",
    "polars",
    "riskmodels",
    "scikit-learn",
    "scipy",
    "shap",
    "statsmodels",
)


def _silent(message: str) -> None:
    pass


# ---------------------------------------------------------------- data


def data_folder(study: Study, workspace: Workspace, data: Path | None, progress: Progress = _silent) -> Path:
    """Where the sources stand: the folder that was named, or the one that the study's prepare.py fills.

    Raises
    ------
    StudyError
        if no folder is named and the study has no prepare.py.
    """
    if data is not None:
        if not data.is_dir():
            raise DataError(f"{data}: no such folder of data")
        return data
    folder = workspace.data(study.name)
    script = study.folder / "prepare.py"
    if not script.is_file():
        raise StudyError(f"{study.folder}: has no prepare.py; name the folder of its sources with --data")
    # Prepared anew when the script or the package changed, and never left half prepared.
    made_by = f"{storage.sha256(storage.read_bytes(script))} {_version('riskmodels')}"
    stamp = folder / PREPARED_BY
    if stamp.is_file() and stamp.read_text() == made_by:
        return folder
    progress(f"preparing the data with {script.name}")
    with storage.outside_world(folder), storage.folder_made_whole(folder) as new:
        _prepare(script, new)
        (new / PREPARED_BY).write_text(made_by)
    return folder


def _prepare(script: Path, folder: Path) -> None:
    """Run a study's prepare.py. An error in it is named by its line, without what it may hold."""
    spec = importlib.util.spec_from_file_location("prepare", script)
    if spec is None or spec.loader is None:
        raise StudyError(f"{script}: cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        module.prepare(folder)
    except (RiskModelsError, OSError):
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        where = f", line {lines[-1]}" if lines else ""
        raise StudyError(
            f"{script}{where}: failed with {type(error).__name__}; mend the script, or use --data"
        ) from None


# ---------------------------------------------------------------- check


@dataclass(frozen=True)
class CheckReport:
    attrition: list[dict[str, Any]]
    outcome_status: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    features: list[tuple[str, str]]
    origins: list[str]


def check(
    study_folder: Path, workspace: Workspace, data: Path | None = None, progress: Progress = _silent
) -> CheckReport:
    """Validate everything of a study short of training."""
    from riskmodels.data.cohort import build_cohort, check_capacity
    from riskmodels.data.dataset import build_dataset
    from riskmodels.data.leakage import Evidence, look_for_leaks
    from riskmodels.data.splits import plan_splits
    from riskmodels.data.tables import check_kinds, read_tables

    study = load_study(study_folder)
    folder = data_folder(study, workspace, data, progress)
    progress("reading and checking the data")
    tables = read_tables(folder, study)
    check_kinds(tables, study.file)
    cohort = build_cohort(tables, study.file)
    splits = plan_splits(study.file, study.extracted_on)
    progress("building outcomes and features")
    dataset = build_dataset(cohort, tables, study.file, splits, study.extracted_on)
    check_capacity(cohort, study.file)
    checks = look_for_leaks(Evidence(cohort, dataset.features, dataset.outcomes, splits, study.file))
    return CheckReport(
        cohort.attrition.to_dicts(),
        dataset.outcomes.status_table().to_dicts(),
        [finding.to_dict() for finding in checks],
        [(spec.name, spec.words) for spec in dataset.features.specs],
        [
            f"test {split.test}: learns from {split.fit[0]} to {split.fit[-1]}, calibrates {split.how}"
            for split in splits.origins
        ],
    )


# ---------------------------------------------------------------- run


@dataclass(frozen=True)
class RunReport:
    study: str
    run: StudyRun
    folder: Path
    version: int
    tracking_uri: str
    run_id: str

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


def run(
    study_folder: Path,
    workspace: Workspace,
    data: Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress = _silent,
) -> RunReport:
    """Run a study whole: train, test, audit, explain, write the card, register the candidate, log to MLflow."""
    from riskmodels import tracking
    from riskmodels.governance import gate, registry
    from riskmodels.pipeline import run_study

    started = dt.datetime.now(dt.UTC)
    study = load_study(study_folder)
    storage.refuse_unwritable(workspace.models_index)
    found = run_study(study, data_folder(study, workspace, data, progress), progress)
    gate.may_register(found.card.to_dict())
    files = run_files(found, started)
    folder = workspace.runs(study.name) / f"{started:%Y%m%dT%H%M%S}-{found.model.model_sha256[:8]}"
    storage.write_folder(folder, files)
    entry = {
        "model_sha256": found.model.model_sha256,
        "card_sha256": storage.sha256(files["card/card.json"]),
        "data_sha256": found.tables.sha256,
        "policy_sha256": found.audit.to_dict()["policy_sha256"],
        "folder": folder.relative_to(workspace.root).as_posix(),
        "registered_on": started.date().isoformat(),
        "verdict": found.audit.to_dict()["verdict"],
        "recommendation": found.card.summary.recommendation.code,
    }
    version = registry.register(workspace, study.name, entry)
    progress("logging to MLflow")
    uri = tracking.resolve_tracking_uri(workspace, tracking_uri)
    logged = tracking.log_training(workspace, uri, _record(found, folder, entry, version))
    return RunReport(study.name, found, folder, version, logged.tracking_uri, logged.run_id)


def run_files(found: StudyRun, started: dt.datetime) -> dict[str, bytes]:
    """Every file of a run's folder. Only ``run.json`` differs between two runs of the same study."""
    from riskmodels.governance.review import status_banner
    from riskmodels.reports.markdown import render_card_markdown
    from riskmodels.reports.page import render_card

    card_bytes = found.card.to_bytes()
    card = found.card.to_dict()
    status = status_banner(storage.sha256(card_bytes), found.model.model_sha256, [], started.date())
    files = {f"study/{name}": content for name, content in found.study.files}
    files |= {f"riskmodel/{name}": content for name, content in found.model.to_files().items()}
    files |= {f"figures/{name}.svg": content for name, content in found.figures.items()}
    files["card/card.json"] = card_bytes
    files["card/card.html"] = render_card(card, status=status, sign_off=[], figures=found.figures, today=None)
    files["card/card.md"] = render_card_markdown(card, status)
    files["audit/audit.json"] = storage.canonical_json(card["audit"])
    files["explain/drivers.json"] = storage.canonical_json(found.explanation.to_dict())
    if found.explanation.figure_svg:
        files["explain/drivers.svg"] = found.explanation.figure_svg
    files["checks/checks.json"] = storage.canonical_json([finding.to_dict() for finding in found.checks])
    # Owner-only, never logged: they hold ids or exact counts.
    files["predictions.parquet"] = storage.table_bytes(found.predictions.frame, ".parquet")
    files["ranking.parquet"] = storage.table_bytes(found.ranking.frame, ".parquet")
    files["audit_exact.json"] = storage.canonical_json(found.audit.to_dict())
    files["run.json"] = storage.canonical_json(
        {
            "study": found.study.name,
            "started": started.isoformat(timespec="seconds"),
            "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in PACKAGES},
            "seed": found.study.file.seed,
        }
    )
    return files


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


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
    return RunRecord(question.study, folder, params, metrics, families, tags, inputs)


def _values(estimates: Mapping[str, Any]) -> dict[str, float]:
    found = {name: estimate.get("value") for name, estimate in estimates.items() if isinstance(estimate, Mapping)}
    return {name: float(value) for name, value in found.items() if value is not None}


# ---------------------------------------------------------------- card


def card(reference: str, workspace: Workspace, output: Path | None, today: dt.date) -> tuple[Path, dict[str, Any]]:
    """Render a model's card again, with its status as it is today; return the page's path and the status.

    Raises
    ------
    CardError
        if card.json is missing, damaged, or not the one that was registered.
    """
    from riskmodels.cards.card import ModelCard
    from riskmodels.governance import registry
    from riskmodels.governance.review import read_chain, sign_off_rows, status_banner
    from riskmodels.reports.markdown import render_card_markdown
    from riskmodels.reports.page import render_card

    found = registry.resolve(workspace, reference)
    content = storage.read_bytes(found.card_path, CardError)
    checked = ModelCard.from_bytes(content)
    chain = read_chain(workspace.reviews(found.study))
    model_sha256 = checked.model.sha256
    status = status_banner(storage.sha256(content), model_sha256, chain, today, registered=found.entry is not None)
    sign_off = sign_off_rows(chain, model_sha256)
    figures = {path.stem: path.read_bytes() for path in sorted((found.folder / "figures").glob("*.svg"))}
    page = checked.to_dict()
    folder = output or found.card_path.parent
    storage.write_whole(folder / "card.json", content, mode=0o644)
    storage.write_whole(
        folder / "card.md", render_card_markdown(page, status, sign_off=sign_off, today=today), mode=0o644
    )
    html = render_card(page, status=status, sign_off=sign_off, figures=figures, today=today)
    storage.write_whole(folder / "card.html", html, mode=0o644)
    return folder / "card.html", status


# ---------------------------------------------------------------- review


def record_review(reference: str, decision: Any, workspace: Workspace, today: dt.date) -> Any:
    """Write a committee's decision into the study's chain. ``decision`` is a YAML file or an already parsed mapping."""
    from riskmodels.governance import decision as decisions
    from riskmodels.governance import registry, review

    found = registry.resolve(workspace, reference)
    entry = _registered(found)
    parsed = (
        decisions.parse_decision(decision) if isinstance(decision, Mapping) else decisions.load_decision(Path(decision))
    )
    # A withdrawal must be possible even when the card has been lost.
    card_bytes = None if isinstance(parsed, decisions.Withdrawal) else storage.read_bytes(found.card_path, CardError)
    return review.record(
        workspace.reviews(found.study),
        parsed,
        model_sha256=entry.model_sha256,
        card_sha256=entry.card_sha256,
        data_sha256=entry.data_sha256,
        policy_sha256=entry.policy_sha256,
        today=today,
        card=card_bytes,
    )


def show_review(
    reference: str, workspace: Workspace, today: dt.date
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """The status of a model, its sign-off records, and each rule of the gate with its state."""
    from riskmodels.governance import gate, registry
    from riskmodels.governance.review import read_chain, sign_off_rows, status_banner

    found = registry.resolve(workspace, reference)
    card_bytes = storage.read_bytes(found.card_path, CardError)
    chain = read_chain(workspace.reviews(found.study))
    files = gate.read_model_folder(found.model_folder)
    registered = found.entry.model_dump(mode="json") if found.entry else None
    model_sha256 = found.entry.model_sha256 if found.entry else gate.verify_manifest(files)
    status = status_banner(storage.sha256(card_bytes), model_sha256, chain, today, registered=found.entry is not None)
    rules = gate.explain_gate(files, card_bytes, workspace.reviews(found.study), registered=registered, today=today)
    return status, sign_off_rows(chain, model_sha256), rules


def _registered(found: ResolvedModel) -> Any:
    if found.entry is None:
        raise UsageError("this model is not registered in the workspace; run its study there, then name it by study")
    return found.entry


def models(workspace: Workspace, today: dt.date) -> list[dict[str, Any]]:
    """What exists, in which state."""
    from riskmodels.governance import registry

    return registry.states(workspace, today)


# ---------------------------------------------------------------- score


@dataclass(frozen=True)
class ScoreReport:
    batch: Batch
    output: Path
    rejects: Path
    study: str
    version: int | None
    objections: int = 0
    objections_met: int = 0
    warning: str | None = None
    example: bool = False


def score(
    reference: str,
    cohort: Path,
    output: Path,
    workspace: Workspace,
    today: dt.date,
    as_of: dt.date | None = None,
    exclude: Path | None = None,
    capacity: int | None = None,
    explain: str = "selected",
    tracking_uri: str | None = None,
    dry_run: bool = False,
    progress: Progress = _silent,
) -> ScoreReport:
    """Score a cohort with an approved model; the list appears whole or not at all.

    Raises
    ------
    GateError
        if the model may not be used today: no approval, expired, other digests, withdrawn.
    """
    from riskmodels.governance import gate, registry
    from riskmodels.service import cohort_file, scoring

    if output.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{output}: write to a .csv or a .parquet file")
    if as_of is not None and as_of > today:
        raise UsageError(f"--as-of {as_of} is in the future; nobody is known as they will be")
    if capacity is not None and capacity < 1:
        raise UsageError(f"--capacity must be at least 1, got {capacity}")
    found = registry.resolve(workspace, reference)
    progress("asking the gate")
    card_bytes = storage.read_bytes(found.card_path, CardError)
    approved = gate.open_for_scoring(
        found.model_folder,
        card_bytes,
        workspace.reviews(found.study),
        registered=found.entry.model_dump(mode="json") if found.entry else None,
        today=today,
    )
    storage.refuse_unwritable(output)
    study = _study_of(found, card_bytes)
    _refuse_more_places(capacity, card_bytes)
    objectors = cohort_file.read_objectors(exclude)
    progress("reading the cohort")
    if cohort.is_dir():
        people = cohort_file.cohort_from_sources(cohort, study, as_of, objectors, today)
    elif cohort.exists():
        people = cohort_file.cohort_from_matrix(cohort, approved.model.reasons, study.file, as_of, objectors)
    else:
        raise DataError(f"{cohort}: no such file or folder")
    progress(f"scoring {people.frame.height} people")
    batch = scoring.score_cohort(approved, people, study.file, capacity=capacity, explain=explain)
    rejects = output.with_name(f"{output.stem}.rejects.csv")
    met = people.rejects.filter(people.rejects["code"] == "objected")["entity_id"].n_unique()
    report = ScoreReport(
        batch, output, rejects, found.study, approved.version, len(objectors), met, example=approved.approval.example
    )
    if dry_run:
        return report
    scored_bytes, reject_bytes = scoring.batch_files(batch, output.suffix)
    storage.write_together({rejects: reject_bytes, output: scored_bytes})
    try:
        _log_batch(report, approved, workspace, tracking_uri, today, progress)
    except OutsideError as error:
        # The list stands and is in the ledger; that the batch is not in MLflow must not look as if it did not.
        return replace(report, warning=str(error))
    return report


def _refuse_more_places(capacity: int | None, card_bytes: bytes) -> None:
    """Fewer places than were tested and audited are the service's choice; more are another list."""
    from riskmodels.cards.card import ModelCard

    tested = ModelCard.from_bytes(card_bytes).performance.at_capacity.get("places")
    if capacity is not None and isinstance(tested, int) and capacity > tested:
        raise UsageError(
            f"--capacity {capacity}: the model was tested, audited and approved for {tested} places; "
            "change the study and have it reviewed for more"
        )


def _study_of(found: ResolvedModel, card_bytes: bytes) -> Study:
    """The study as it was approved: its definitions make the cohort, so the card names them by digest.

    Raises
    ------
    ModelFileError
        if a file of the run's ``study/`` folder is not the one that the card was built from.
    """
    from riskmodels.cards.card import ModelCard

    study = load_study(found.folder / "study")
    digests = ModelCard.from_bytes(card_bytes).digests
    if (study.digest, study.answers_digest) != (digests.study, digests.answers):
        raise ModelFileError(
            f"{study.folder}: a file of the study was changed after the card was built; restore the folder, or run the "
            "changed study and have it reviewed"
        )
    return study


def _log_batch(
    report: ScoreReport,
    approved: Any,
    workspace: Workspace,
    tracking_uri: str | None,
    today: dt.date,
    progress: Progress,
) -> None:
    import json

    from riskmodels import tracking
    from riskmodels.assessment.suppression import PROFILES, published_count

    batch = report.batch
    line = {
        "batch_id": batch.batch_id,
        "study": report.study,
        "version": report.version,
        "model_sha256": approved.model_sha256,
        "as_of_date": str(batch.scored["as_of_date"][0]),
        "scored_on": today.isoformat(),
        "stage": approved.approval.stage,
        "example": approved.approval.example,
        **batch.counts,
    }
    # The same batch run again is the same batch: one line.
    if not workspace.ledger.exists() or f'"batch_id": "{batch.batch_id}"' not in workspace.ledger.read_text():
        storage.append_line(workspace.ledger, json.dumps(line, ensure_ascii=False))
    progress("logging the batch to MLflow")
    # Rounded, and small ones left out: one person who objected is a person.
    shown = {name: published_count(count, PROFILES["sro-10"]) for name, count in batch.counts.items()}
    tags = {"model.sha256": approved.model_sha256, "as_of_date": line["as_of_date"], "stage": approved.approval.stage}
    tracking.log_batch(
        workspace,
        tracking.resolve_tracking_uri(workspace, tracking_uri),
        report.study,
        batch.batch_id,
        tags,
        {name: count for name, count in shown.items() if count is not None},
    )


# ---------------------------------------------------------------- new


def new(folder: Path, files: list[Path], question: str | None, ask: Any, today: dt.date) -> Any:
    """Draft a study folder from a user's own files; everything guessed is marked for checking."""
    import re

    from riskmodels.data.draft import draft_study

    if not files:
        raise UsageError(
            "name the files that hold your data: riskmodels new FOLDER --from people.csv --from events.csv"
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty; name a new folder")
    name = re.sub(r"[^a-z0-9_]+", "_", folder.name.lower()).strip("_") or "study"
    draft = draft_study(
        {path.name: storage.read_table(path) for path in files}, name=name, question=question, answers=ask, today=today
    )
    storage.write_folder(folder, draft.files, mode=0o644)
    return draft


# ---------------------------------------------------------------- demo


@dataclass(frozen=True)
class DemoReport:
    run: RunReport
    refusal: str
    approval: Any
    score: ScoreReport | None
    card_html: Path
    status: dict[str, Any]


def demo(study_folder: Path, workspace: Workspace, today: dt.date, progress: Progress = _silent) -> DemoReport:
    """The whole chain on one study: run, be refused, record the EXAMPLE decision, score, render the card."""
    from riskmodels.errors import GateError

    found = run(study_folder, workspace, progress=progress)
    study = found.run.study
    data = data_folder(study, workspace, None)
    as_of = service_date(study)
    output = workspace.root / "lists" / f"{study.name}-{as_of}.csv"
    progress("trying to score without an approval")
    reference = f"{study.name}/{found.version}"
    refusal = ""
    try:
        score(reference, data, output, workspace, today, as_of=as_of, dry_run=True)
    except GateError as error:
        refusal = str(error)
    template = study.folder / "example_decision.yaml"
    approval, scored = None, None
    if template.is_file():
        progress("recording the EXAMPLE decision")
        approval = record_review(reference, example_decision(template, found, today), workspace, today)
        scored = score(reference, data, output, workspace, today, as_of=as_of, progress=progress)
    html, status = card(reference, workspace, None, today)
    return DemoReport(found, refusal, approval, scored, html, status)


def service_date(study: Study) -> dt.date:
    """The as-of date that comes after the last one, at the same distance: the cohort a service would ask about now."""
    dates = study.file.cohort.dates
    if len(dates) == 1:
        return study.extracted_on
    last, before = dates[-1], dates[-2]
    months = (last.year - before.year) * 12 + last.month - before.month
    from riskmodels.study import Period

    step = (
        Period(months, "month")
        if Period(months, "month").after(before) == last
        else Period((last - before).days, "day")
    )
    return step.after(last)


def example_decision(template: Path, found: RunReport, today: dt.date) -> dict[str, Any]:
    """The study's example decision with today's dates, answering each verdict of this run that needs an answer."""
    from riskmodels.governance.decision import verdicts_to_answer
    from riskmodels.study import Period

    raw: dict[str, Any] = storage.read_yaml(template)
    expires = Period(6, "month").after(today)
    raw["meeting"] = {**raw.get("meeting", {}), "date": today}
    raw["expires"] = expires
    needed = {key.split(":")[0].strip() for key in verdicts_to_answer(found.run.card.to_dict())}
    answers = {
        name: {**answer, "expires": expires} for name, answer in raw.get("answers", {}).items() if name in needed
    }
    return {**raw, "answers": answers}


def default_study() -> Path:
    """The shipped study that the demo runs: beside the package in a checkout, inside it when installed."""
    here = Path(sys.modules["riskmodels"].__file__ or "").resolve().parent
    for base in (here.parent, here / "_shipped"):
        folder = base / "experiments" / "early_reading_support"
        if (folder / "study.yaml").is_file():
            return folder
    raise UsageError("the shipped studies are not installed; name a study folder with --study")
