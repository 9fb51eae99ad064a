"""One effectful story for each verb: read, run, write, log, gate. Used by the command line, pipelines/ and Python.

Nothing here prints: each verb takes ``progress`` and returns what there is to say. A file for each kind of verb:
``sources`` (where the data stand), ``checks``, ``runs``, ``cards``, ``reviews``, ``scores``, ``drafts``,
``demonstration``, ``comparisons``, ``evaluations``, ``audits``, ``people``.
"""

from __future__ import annotations

from riskmodels.commands.audits import AuditReport, audit, verify_audit
from riskmodels.commands.cards import CardReport, card
from riskmodels.commands.checks import CheckReport, check
from riskmodels.commands.comparisons import ComparisonReport, compare
from riskmodels.commands.demonstration import DemoReport, default_study, demo, example_decision, service_date
from riskmodels.commands.drafts import new
from riskmodels.commands.evaluations import EvaluationReport, evaluate
from riskmodels.commands.people import LetterReport, batches, letter, trace
from riskmodels.commands.reviews import models, record_review, show_review
from riskmodels.commands.runs import RunReport, run, run_files
from riskmodels.commands.scores import ScoreReport, score
from riskmodels.commands.sources import data_folder
from riskmodels.commands.updates import UpdateReport, update

__all__ = [
    "AuditReport",
    "CardReport",
    "CheckReport",
    "ComparisonReport",
    "DemoReport",
    "EvaluationReport",
    "LetterReport",
    "RunReport",
    "ScoreReport",
    "UpdateReport",
    "audit",
    "batches",
    "card",
    "check",
    "compare",
    "data_folder",
    "default_study",
    "demo",
    "evaluate",
    "example_decision",
    "letter",
    "models",
    "new",
    "record_review",
    "run",
    "run_files",
    "score",
    "service_date",
    "show_review",
    "trace",
    "update",
    "verify_audit",
]
