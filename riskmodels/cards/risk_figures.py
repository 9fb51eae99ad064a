"""The figures of whether risks come true and whether acting on them pays, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.cells import fine_100
from riskmodels.cards.words import capital, of_100

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

Row = Mapping[str, Any]
MOST_CURVE_ROWS = 20
ENDS = ("at least", "at most")


def calibration(results: Results) -> Figure | str:
    """What was predicted against what happened."""
    curve, language = results.performance["calibration_curve"], results.language
    many = language.many
    bins = [one for one in curve["bins"] if one["observed"].get("value") is not None]
    if not bins:
        return f"no group of risks holds enough {many} with the outcome and without"
    worst = max(bins, key=lambda one: abs(one["observed"]["value"] - one["mean_risk"]))
    highest = max(bins, key=lambda one: one["mean_risk"])
    return Figure(
        id="calibration",
        title=(
            f"{_come_true(highest, alone=len(bins) == 1)}f 100 {many} given a risk of about "
            f"{of_100(highest['mean_risk'])} of 100, {of_100(highest['observed']['value'])} {language.needed}"
        ),
        reading=(
            "On the dashed line, risks come true. A dot above it means that more came about than the risks said; below "
            "it, fewer. An upright line that reaches the dashed one: the gap could be chance."
        ),
        alt=(
            f"Dots and a curve of how often the outcome came about against the predicted risk, for {len(bins)} groups "
            "from low risk to high. On the diagonal the two agree. They differ most where the risk was about "
            f"{of_100(worst['mean_risk'])} of 100: it came about for {of_100(worst['observed']['value'])} of 100."
        ),
        table=Table(
            caption="Predicted and observed, for each group of risks",
            columns=("Risk from, of 100", "to", capital(many), "Predicted, of 100", "Came about, of 100", *ENDS),
            rows=tuple(
                (
                    fine_100(one["low"]),
                    fine_100(one["high"]),
                    one["n"],
                    fine_100(one["mean_risk"]),
                    *(fine_100(one["observed"].get(end)) for end in ("value", "low", "high")),
                )
                for one in bins
            ),
            source="run: performance",
            note=f"At least and at most: 95% interval. Groups are joined until each holds 10 {many} of each kind.",
        ),
        curve=Table(
            caption="The smooth curve",
            columns=("Predicted, of 100", "Came about, of 100", *ENDS),
            rows=_thinned(curve.get("spline") or []),
            source="run: performance",
        ),
        unit=f"of 100, among {many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )


def _come_true(one: Row, *, alone: bool) -> str:
    """Whether the highest risks came true within chance, as the opening of a title that goes on "of 100"."""
    observed, risks = one["observed"], "Risks" if alone else "The highest risks"
    if observed.get("low") is None or observed.get("high") is None:
        return "O"
    if observed["low"] <= one["mean_risk"] <= observed["high"]:
        return f"{risks} come true: o"
    return f"{risks} are too {'low' if observed['value'] > one['mean_risk'] else 'high'}: o"


def _thinned(points: list[Row]) -> tuple[tuple[float | None, ...], ...]:
    """The curve at no more points than a reader can use; both ends are kept."""
    step = max(1, -(-len(points) // MOST_CURVE_ROWS))
    kept = [*points[:-1:step], *points[-1:]]
    return tuple(
        tuple(fine_100(point[key], whole_from=100) for key in ("risk", "observed", "low", "high")) for point in kept
    )


def net_benefit(results: Results) -> Figure | str:
    """Whether acting on the risks does more good than helping all or none."""
    many = results.language.many
    points = [row for row in results.performance["net_benefit"] if row["model"].get("value") is not None]
    if not points:
        return "no threshold could be computed"
    rows = tuple(
        (
            fine_100(row["threshold"]),
            *(fine_100(row["model"].get(end)) for end in ("value", "low", "high")),
            fine_100(row["all"]),
            0.0,
        )
        for row in points
    )
    better = sum(row["model"]["value"] > max(row["all"] or 0.0, 0.0) for row in points)
    more = "does more good" if better else "does no more good"
    levels = f", at {better} of {len(rows)} levels of risk" if better else ""
    return Figure(
        id="net_benefit",
        title=f"Acting on the risks {more} than helping all or none{levels}",
        reading=(
            "The highest line does the most good. From left to right, a wrong offer of help counts for more. The "
            "shaded band is the 95% interval."
        ),
        alt=(
            f"Net benefit of acting on the risks, of helping all and of helping none, at {len(rows)} levels of "
            f"risk. Acting on the risks is best at {better} of the {len(rows)}."
        ),
        table=Table(
            caption=f"Net benefit for 100 {many}",
            columns=(
                "If help is worth it from a risk of (of 100)",
                "Acting on the risks",
                *ENDS,
                "Helping all",
                "Helping none",
            ),
            rows=rows,
            source="run: performance",
            note=(
                f"Net benefit: {many} rightly helped, less those helped without need, weighed by how much a wrong "
                "offer matters (Vickers and Elkin 2006). Higher is better."
            ),
        ),
        unit=f"net benefit for 100 {many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )
