"""The fairness audit: who is treated worse, how sure can we be, and what could not be judged."""

from riskmodels.assessment.audit.auditing import audit_groups, audit_predictions
from riskmodels.assessment.audit.own_metrics import metric_frame
from riskmodels.assessment.audit.result import Audit
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, NOT_AUDITED, PASS

__all__ = ["FAIL", "INSUFFICIENT", "NOT_AUDITED", "PASS", "Audit", "audit_groups", "audit_predictions", "metric_frame"]
