"""The fairness audit: who is treated worse, how sure can we be, and what could not be judged.

The story, in order: `auditing` takes the rows in; `coding` names the groups; `counting/` counts once and resamples the
counts; `questions` says who is compared with whom; `contrasts` (and `small_counts`) measure, by the rates of `metrics`;
`verdicts` judge, by the `policy` and by what `unknown` outcomes allow; `tables`, `further/` and `steps` make the rest;
`words`, `risk_words`, `counted` and `answers` say it; `result` holds it, exact, and `exact` lets it be verified;
`publishing/` makes it fit to be shown. Before a run `forecasting/` says what can be judged; after it `comparing/` says
what changed, and `remedies/` what it would take. `lists`, `without_risk` and `own_metrics` are for any predictions.
"""

from riskmodels.assessment.audit.auditing import audit_groups, audit_predictions
from riskmodels.assessment.audit.own_metrics import metric_frame
from riskmodels.assessment.audit.result import Audit
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, NOT_AUDITED, PASS

__all__ = ["FAIL", "INSUFFICIENT", "NOT_AUDITED", "PASS", "Audit", "audit_groups", "audit_predictions", "metric_frame"]
