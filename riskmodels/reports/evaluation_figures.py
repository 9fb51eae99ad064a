"""The two figures of an evaluation as numbers: each with its alternative text, data table, unit and n.

They are drawn as the card's are (`riskmodels.reports.charts`), from these tables and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.comparison_words import of_100
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
Figure = dict[str, Any]
ENDS = ("at least", "at most")
MOST_CURVE_ROWS = 21


def per_100(share: float | None) -> float | None:
    """A share as a number of 100: to one decimal, or three where it is below 1, as rare outcomes need."""
    return None if share is None else round(100 * share, 1 if abs(share) >= 0.01 else 3) + 0.0


def figures_of(found: Row) -> list[Figure]:
    """The figures that there is something to draw for."""
    return [figure for figure in (calibration(found), net_benefit(found)) if figure is not None]


def calibration(found: Row) -> Figure | None:
    """What was predicted against what came about: groups of rows, and the spline."""
    bins = found["calibration_bins"]
    if not bins or found["not_computed"].get("auc"):
        return None
    worst = max(bins, key=lambda one: abs(one["observed"]["value"] - one["mean_risk"]))
    source = found["about"]["file"]
    curve = found["calibration_curve"]
    return {
        "id": "calibration",
        "narrow": True,
        "title": "Predicted risk against what came about",
        "alt": f"Dots{' and a curve' if curve else ''} of how often the event came about against the predicted risk, "
        f"for {len(bins)} groups from low risk to high. On the diagonal the two agree. They differ most where the "
        f"risk was about {of_100(worst['mean_risk'])} of 100: it came about for {of_100(worst['observed']['value'])}.",
        "unit": "of 100 rows whose outcome is known",
        "n": found["n"] - found["unknown"],
        "table": content(
            "Predicted and observed, for groups of about equally many rows",
            ["Risk from", "to", "Rows", "Predicted, of 100", "Came about, of 100", *ENDS],
            [
                [
                    *(per_100(one[key]) for key in ("low", "high")), one["n"], per_100(one["mean_risk"]),
                    *(per_100(one["observed"][end]) for end in ("value", "low", "high")),
                ]
                for one in bins
            ],
            source,
            "At least and at most: 95% interval.",
        ),
        "curve": content(
            "The smooth curve",
            ["Predicted, of 100", "Came about, of 100", *ENDS],
            [[per_100(row[key]) for key in ("risk", "observed", "low", "high")] for row in _thinned(curve)],
            source,
        ),
    }  # fmt: skip


def _thinned(points: list[Row]) -> list[Row]:
    """The curve at no more points than a reader can use; both ends are kept."""
    step = max(1, -(-len(points) // MOST_CURVE_ROWS))
    return [*points[:-1:step], *points[-1:]]


def net_benefit(found: Row) -> Figure | None:
    """Whether acting on the risks does more good than helping all or none, at round thresholds."""
    rows = [row for row in found["decision_curve"] if row["model"] is not None]
    if len(rows) < 2 or not found["events"]:
        return None
    better = sum(row["model"] > max(row["all"], 0.0) for row in rows)
    return {
        "id": "net_benefit",
        "narrow": True,
        "title": "Net benefit of acting on the risks",
        "alt": f"Net benefit of acting on the risks, of helping all and of helping none, at {len(rows)} levels of "
        f"risk. Acting on the risks has the highest line at {'all of them' if better == len(rows) else better}.",
        "unit": "net benefit for 100 rows whose outcome is known",
        "n": found["n"] - found["unknown"],
        "table": content(
            "Net benefit for 100 rows",
            [
                "If help is worth it from a risk of (of 100)",
                "Acting on the risks",
                *ENDS,
                "Helping all",
                "Helping none",
            ],
            benefit_rows(rows),
            found["about"]["file"],
        ),
        "curve": None,
    }


def benefit_rows(rows: list[Row]) -> list[list[Any]]:
    """Threshold, net benefit with its interval, that of helping all and of helping none; numbers of 100."""
    return [[per_100(row[key]) for key in ("threshold", "model", "low", "high", "all", "none")] for row in rows]
