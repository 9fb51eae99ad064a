"""An audit as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.audit.counted import counted_in_words
from riskmodels.reports.audit_charts import draw_audit
from riskmodels.reports.audit_outline import audit_outline
from riskmodels.reports.audit_words import many
from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template


def render_audit(found: Mapping[str, Any]) -> bytes:
    """``audit --html``. The same audit gives the same bytes.

    Parameters
    ----------
    found : the published audit (`riskmodels.assessment.audit.publishing`), with ``about`` (study or file,
        outcome, risk, and whatever else says what was audited; ``purpose`` and ``misses`` are sentences: what a place
        on the list leads to, and what the outcome may miss). May have ``notes`` (sentences), ``hidden`` (what
        `publish` hid), ``policy`` (`Policy` as plain values), ``changes`` ({in_words, rows}), ``sweep``, ``curves``,
        ``pooled`` and ``after_exclusions``.
    """
    sections, figures = audit_outline(found)
    text = template("audit.html").render(
        title=found["about"].get("study") or found["about"]["file"],
        counted=counted_in_words(found),
        many=many(found),
        policy=found["policy_name"],
        policy_sha256=found["policy_sha256"],
        provisional=found["provisional"],
        below=found["disclosure"]["below"],
        sections=sections,
        figures={name: data_uri(svg) for name, svg in draw_audit(figures).items()},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)
