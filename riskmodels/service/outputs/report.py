"""The one-page report of a batch."""

from __future__ import annotations

from riskmodels.assessment.suppression import Profile
from riskmodels.reports.batch_page import render_batch
from riskmodels.service.outputs.facts import BatchFacts
from riskmodels.service.outputs.published_batch import published_batch


def batch_report(facts: BatchFacts, profile: Profile) -> str:
    """HTML that needs no network and no scripts, and names nobody. The same facts give the same text.

    Parameters
    ----------
    profile : which counts may be shown
    """
    return render_batch(published_batch(facts, profile)).decode()
