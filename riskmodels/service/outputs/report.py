"""The one-page report of a batch."""

from __future__ import annotations

from riskmodels.reports.batch_page import render_batch
from riskmodels.service.outputs.facts import BatchFacts


def batch_report(facts: BatchFacts) -> str:
    """HTML that needs no network and no scripts, and names nobody. The same facts give the same text."""
    return render_batch(facts.to_dict()).decode()
