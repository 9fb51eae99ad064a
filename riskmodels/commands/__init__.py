"""One effectful story for each verb: read, run, write, log, gate. Used by the command line, pipelines/ and Python.

Nothing here prints: each verb takes ``progress`` and returns what there is to say. A file for each kind of verb:
``sources`` (where the data stand), ``checks``, ``runs``, ``cards``, ``reviews``, ``review_checks``, ``review_exports``,
``gates``, ``promotions``, ``deposits``, ``mirrors`` (MLflow), ``standing`` (what is in use, and what waits),
``scores``, ``drafts``, ``demonstration``, ``comparisons``, ``evaluations``, ``audits``, ``people``, ``purges``,
``publishing``, ``sites``.
"""

from __future__ import annotations

from riskmodels.commands.audits import AuditReport, audit, verify_audit
from riskmodels.commands.card_changes import ChangeReport, card_diff
from riskmodels.commands.card_checks import CardCheckReport, card_schema_file, check_model_card
from riskmodels.commands.card_missing import MissingReport, card_missing
from riskmodels.commands.cards import CardReport, card
from riskmodels.commands.checks import CheckReport, check
from riskmodels.commands.comparisons import ComparisonReport, compare
from riskmodels.commands.demonstration import DemoReport, default_study, demo, example_decision, service_date
from riskmodels.commands.deposits import RebuildReport, rebuild
from riskmodels.commands.drafts import new
from riskmodels.commands.evaluations import EvaluationReport, evaluate
from riskmodels.commands.gates import GateReport, gate
from riskmodels.commands.mirrors import tell_record
from riskmodels.commands.people import LetterReport, batches, letter, trace
from riskmodels.commands.promotions import PromotionReport, promote, rollback
from riskmodels.commands.publishing import PublishReport, publish
from riskmodels.commands.purges import PurgeReport, purge
from riskmodels.commands.review_checks import VerifyReport, verify_reviews
from riskmodels.commands.review_exports import ExportReport, export_review
from riskmodels.commands.review_forms import FormReport, open_review
from riskmodels.commands.reviews import (
    EvidenceReport,
    ReviewReport,
    ShowReport,
    record_evidence,
    record_review,
    show_review,
)
from riskmodels.commands.runs import RunReport, run, run_files
from riskmodels.commands.scores import ScoreReport, score
from riskmodels.commands.sites import SiteReport, site
from riskmodels.commands.sources import data_folder
from riskmodels.commands.standing import ModelsReport, champions, history, models
from riskmodels.commands.updates import UpdateReport, update
from riskmodels.commands.withdrawals import WithdrawalReport, withdraw

__all__ = [
    "AuditReport",
    "CardCheckReport",
    "CardReport",
    "ChangeReport",
    "CheckReport",
    "ComparisonReport",
    "DemoReport",
    "EvaluationReport",
    "EvidenceReport",
    "ExportReport",
    "FormReport",
    "GateReport",
    "LetterReport",
    "MissingReport",
    "ModelsReport",
    "PromotionReport",
    "PublishReport",
    "PurgeReport",
    "RebuildReport",
    "ReviewReport",
    "RunReport",
    "ScoreReport",
    "ShowReport",
    "SiteReport",
    "UpdateReport",
    "VerifyReport",
    "WithdrawalReport",
    "audit",
    "batches",
    "card",
    "card_diff",
    "card_missing",
    "card_schema_file",
    "champions",
    "check",
    "check_model_card",
    "compare",
    "data_folder",
    "default_study",
    "demo",
    "evaluate",
    "example_decision",
    "export_review",
    "gate",
    "history",
    "letter",
    "models",
    "new",
    "open_review",
    "promote",
    "publish",
    "purge",
    "rebuild",
    "record_evidence",
    "record_review",
    "rollback",
    "run",
    "run_files",
    "score",
    "service_date",
    "show_review",
    "site",
    "tell_record",
    "trace",
    "update",
    "verify_audit",
    "verify_reviews",
    "withdraw",
]
