"""The whole chain on one study."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.commands.cards import card
from riskmodels.commands.promotions import promote
from riskmodels.commands.reviews import record_review
from riskmodels.commands.runs import RunReport, run
from riskmodels.commands.scores import ScoreReport, score
from riskmodels.commands.sources import Progress, data_folder, silent
from riskmodels.errors import UsageError
from riskmodels.study import Study
from riskmodels.workspace import Workspace


@dataclass(frozen=True)
class DemoReport:
    run: RunReport
    refusal: str
    approval: Any
    score: ScoreReport | None
    card_html: Path
    status: dict[str, Any]


def demo(study_folder: Path, workspace: Workspace, today: dt.date, progress: Progress = silent) -> DemoReport:
    """The whole chain on one study: run, be refused, record the EXAMPLE decision, score, render the card."""
    from riskmodels.errors import GateError

    found = run(study_folder, workspace, progress=progress, today=today)
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
        approval = record_review(reference, example_decision(template, found, today), workspace, today).approval
        progress("making it the champion")
        promote(reference, workspace, today, by_role=approved_by(template))
        scored = score(reference, data, output, workspace, today, as_of=as_of, progress=progress)
    written = card(reference, workspace, None, today)
    return DemoReport(found, refusal, approval, scored, written.page, written.status)


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
    from riskmodels.governance.decision import CROSSED, verdicts_to_answer
    from riskmodels.study import Period

    raw: dict[str, Any] = storage.read_yaml(template)
    expires = Period(6, "month").after(today)
    raw["meeting"] = {**raw.get("meeting", {}), "date": today}
    raw["expires"] = expires
    raw["conditions"] = [
        condition if condition.get("status") == "met" else {**condition, "due": expires}
        for condition in raw.get("conditions", [])
    ]
    verdicts = verdicts_to_answer(found.run.card.to_dict())
    needed = {name for verdict in verdicts for name in verdict.split(":")[0].strip().split(CROSSED)}
    # As in the form, an answer is a text and holds as long as the approval.
    answers = {
        name: {**(answer if isinstance(answer, dict) else {"reason": answer}), "expires": expires}
        for name, answer in raw.get("answers", {}).items()
        if name in needed
    }
    return {**raw, "answers": answers}


def approved_by(template: Path) -> str:
    """Who approved, by the example decision: the role that then makes the model champion."""
    return str(storage.read_yaml(template)["approved_by_role"])


def default_study() -> Path:
    """The shipped study that the demo runs: beside the package in a checkout, inside it when installed."""
    here = Path(sys.modules["riskmodels"].__file__ or "").resolve().parent
    for base in (here.parent, here / "_shipped"):
        folder = base / "experiments" / "early_reading_support"
        if (folder / "study.yaml").is_file():
            return folder
    raise UsageError("the shipped studies are not installed; name a study folder with --study")
