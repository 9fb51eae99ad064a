"""The data's profile as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.profile_disclosure import publish_profile
from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template
from riskmodels.reports.profile_charts import draw_profile
from riskmodels.reports.profile_figures import figures_of
from riskmodels.reports.profile_outline import Found, profile_outline


def render_profile(
    profile: Mapping[str, Any],
    *,
    checks: Sequence[Mapping[str, Any]] = (),
    gaps: Sequence[Mapping[str, Any]] = (),
    disclosure: str = "sro-10",
    forecast: Mapping[str, Any] | None = None,
    today: dt.date | None = None,
) -> bytes:
    """The data audit as a page. The same arguments give the same bytes; every number is one that may be published.

    Parameters
    ----------
    profile : `riskmodels.data.profile.Profile.to_dict()`, exact or published
    checks : rows {check, words, result, evidence, accepted} of the leak detectors
    gaps : rows {source, key, words} of `riskmodels.data.register.register_gaps`
    disclosure : the profile of disclosure control, as the study names it
    forecast : of `riskmodels.assessment.audit.forecasting.forecast_shown.publish_forecast`, where there is one
    today : printed as the day on which the page was made
    """
    published, hidden = publish_profile(profile, disclosure)
    figures = figures_of(published)
    text = template("profile.html").render(
        title=published["title"],
        study=published["study"],
        below=published["disclosure"]["below"],
        sections=profile_outline(Found(published, figures, checks, gaps, hidden, forecast)),
        figures={name: data_uri(svg) for name, svg in draw_profile(figures).items()},
        today=today,
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)
