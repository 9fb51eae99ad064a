"""The card's figures as numbers: each with its alternative text, data table, unit and n.

The drawing (`riskmodels.reports.charts`) takes these tables and nothing else, so a picture cannot say what the card
does not. ``FIGURES`` is the table of them: to add one, write its function here, add its row, and draw it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.audit_findings import verdict_metrics
from riskmodels.cards.card import Figure, Table
from riskmodels.cards.mitigation_figures import mitigation
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.time_figures import over_time
from riskmodels.cards.use_figures import capacity_sweep
from riskmodels.cards.words import Language, attribute_words, capital, day, listing, of_100
from riskmodels.reports.audit_figures import ratio_figure
from riskmodels.study import StudyFile

MOST_CURVE_ROWS = 20
MOST_DRIVERS = 10
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """What the figures are made from, as published."""

    study: StudyFile
    language: Language
    performance: Row
    audit: Row
    explanation: Row
    attrition: tuple[Row, ...]
    test_dates: tuple[str, ...]


def build_figures(results: Results) -> tuple[tuple[Figure, ...], dict[str, str]]:
    """Every figure that can be shown, and why the others cannot."""
    made = {name: build(results) for name, build in FIGURES.items()}
    figures = tuple(figure for figure in made.values() if isinstance(figure, Figure))
    return figures, {f"figures.{name}": reason for name, reason in made.items() if isinstance(reason, str)}


def per_100(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1) + 0.0


# ---------------------------------------------------------------- the list


def people_per_100(results: Results) -> Figure | str:
    """Of 100 on the list: how many needed help, how many did not, how many are not known."""
    language, at_capacity = results.language, results.performance["at_capacity"]
    if not at_capacity["of_100"]:
        return HIDDEN
    words = {
        "right": capital(language.needed),
        "wrong": capital(language.not_needed),
        "not_known": "Not known",
        "wrong_or_not_known": f"{capital(language.not_needed)}, or not known",
    }
    rows = tuple((words[part], count) for part, count in at_capacity["of_100"].items())
    said = listing([f"{count}: {kind.lower()}" for kind, count in rows])
    title = f"Of 100 {language.many} on the list"
    people = results.study.level == "person"
    marks = "figures" if people else "squares"
    return Figure(
        id="people_per_100" if people else "units_per_100",
        title=title,
        alt=f"One hundred {marks}, one for each of 100 {language.many} on the list. {capital(said)}.",
        table=Table(caption=title, columns=("What became of them", "Of 100"), rows=rows, source="run: performance"),
        unit=f"{language.many} of 100",
        n=at_capacity.get("selected"),
    )


def attrition(results: Results) -> Figure | str:
    """From everybody in the data to the list, on the latest test date."""
    many, dates = results.language.many, results.test_dates
    rows = [
        row
        for row in results.attrition
        if dates and str(row["as_of_date"]) == dates[-1] and row["remaining"] is not None
    ]
    if not rows:
        return "no test date has a count that may be shown"
    flow = [(capital(row["step"]), row["remaining"]) for row in rows]
    places = results.performance["at_capacity"]["places_each"].get(dates[-1])
    if places:
        flow.append(("On the list (places)", places))
    return Figure(
        id="attrition",
        title=f"From the data to the list, {day(dates[-1])}",
        alt=f"Bars that get shorter: {listing([f'{words}, {count:,}' for words, count in flow])}.",
        table=Table(
            caption=f"How many {many} are left after each step, {day(dates[-1])}",
            columns=("Step", capital(many)),
            rows=tuple(flow),
            source="run: cohort attrition",
        ),
        unit=many,
        n=flow[0][1],
    )


def unknown_by_fifth(results: Results) -> Figure | str:
    """How often the outcome is not known, from the lowest risks to the highest."""
    many = results.language.many
    fifths = [row for row in results.performance["unknown_by_fifth"] if row.get("share") is not None]
    if not fifths:
        return "too few unknown outcomes to show"
    if not any(row["share"] for row in fifths):
        return "every outcome is known"
    names = {1: "Lowest risk", 5: "Highest risk"}
    rows = tuple((names.get(row["fifth"], f"{row['fifth']} of 5"), row["n"], per_100(row["share"])) for row in fifths)
    return Figure(
        id="unknown_by_fifth",
        title="Whose outcome is not known",
        alt=(
            f"Bars for equal groups of {many}, by risk. {rows[0][0]}: the outcome is not known for {rows[0][2]:g} of "
            f"100. {rows[-1][0]}: for {rows[-1][2]:g} of 100."
        ),
        table=Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk", capital(many), "Not known, of 100"),
            rows=rows,
            source="run: performance",
        ),
        unit=f"of 100 {many} ranked",
        n=results.performance.get("n"),
    )


# ---------------------------------------------------------------- how well


def calibration(results: Results) -> Figure | str:
    """What was predicted against what happened."""
    curve, many = results.performance["calibration_curve"], results.language.many
    bins = [one for one in curve["bins"] if one["observed"].get("value") is not None]
    if not bins:
        return f"no group of risks holds enough {many} with the outcome and without"
    worst = max(bins, key=lambda one: abs(one["observed"]["value"] - one["mean_risk"]))
    ends = ("at least", "at most")
    return Figure(
        id="calibration",
        title="Do the risks come true?",
        alt=(
            f"Dots and a curve of how often the outcome came about against the predicted risk, for {len(bins)} groups "
            "from low risk to high. On the diagonal the two agree. They differ most where the risk was about "
            f"{of_100(worst['mean_risk'])} of 100: it came about for {of_100(worst['observed']['value'])} of 100."
        ),
        table=Table(
            caption="Predicted and observed, for each group of risks",
            columns=("Risk from", "to", capital(many), "Predicted, of 100", "Came about, of 100", *ends),
            rows=tuple(
                (
                    per_100(one["low"]),
                    per_100(one["high"]),
                    one["n"],
                    per_100(one["mean_risk"]),
                    *(per_100(one["observed"].get(end)) for end in ("value", "low", "high")),
                )
                for one in bins
            ),
            source="run: performance",
            note=f"At least and at most: 95% interval. Groups are joined until each holds 10 {many} of each kind.",
        ),
        curve=Table(
            caption="The smooth curve",
            columns=("Predicted, of 100", "Came about, of 100", *ends),
            rows=_thinned(curve.get("spline") or []),
            source="run: performance",
        ),
        unit=f"of 100, among {many} whose outcome is known",
        n=results.performance.get("known"),
    )


def _thinned(points: list[Row]) -> tuple[tuple[float | None, ...], ...]:
    """The curve at no more points than a reader can use; both ends are kept."""
    step = max(1, -(-len(points) // MOST_CURVE_ROWS))
    kept = [*points[:-1:step], *points[-1:]]
    return tuple(tuple(per_100(point[key]) for key in ("risk", "observed", "low", "high")) for point in kept)


def net_benefit(results: Results) -> Figure | str:
    """Whether acting on the risks does more good than helping all or none."""
    many = results.language.many
    points = [row for row in results.performance["net_benefit"] if row["model"].get("value") is not None]
    if not points:
        return "no threshold could be computed"
    rows = tuple(
        (
            per_100(row["threshold"]),
            *(per_100(row["model"].get(end)) for end in ("value", "low", "high")),
            per_100(row["all"]),
            0.0,
        )
        for row in points
    )
    better = sum(row["model"]["value"] > max(row["all"] or 0.0, 0.0) for row in points)
    return Figure(
        id="net_benefit",
        title="Is it worth acting on?",
        alt=(
            f"Net benefit of acting on the risks, of helping all and of helping none, at {len(rows)} levels of "
            f"risk. Acting on the risks is best at {better} of the {len(rows)}."
        ),
        table=Table(
            caption=f"Net benefit for 100 {many}",
            columns=(
                "If help is worth it from a risk of (of 100)",
                "Acting on the risks",
                "at least",
                "at most",
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
    )


# ---------------------------------------------------------------- groups and drivers


def group_ratios(results: Results) -> Figure | str:
    """The ratios that the verdicts on how groups are treated look at, against the limits."""
    rates = verdict_metrics(results.audit)
    found = ratio_figure(results.audit, name="group_ratios", metrics=rates) if rates else None
    if found is None:
        return "no ratio of two groups can be judged and shown"
    return Figure(**{name: found[name] for name in Figure.model_fields})


def groups(results: Results) -> Figure | str:
    """The verdict-bearing rate of each group beside its reference group's band."""
    language, audit = results.language, results.audit
    metric = "fpr" if audit.get("purpose") == "punitive" else "recall"
    who = language.not_needed if metric == "fpr" else language.needed
    unit = f"of 100 {language.many} {language.that} {who}, how many are on the list"
    references = {row["attribute"]: row["reference"] for row in audit["contrasts"] if row.get("against") == "reference"}
    rows: list[tuple[Any, ...]] = []
    left_out: list[str] = []
    for row in audit["rows"]:
        rate = row["metrics"].get(metric) or {}
        if row["attribute"] not in references:
            continue
        if rate.get("value") is None or rate.get("low") is None:
            left_out.append(row["label"])
            continue
        role = "reference" if row["group"] == references[row["attribute"]] else ""
        ends = (per_100(rate[end]) for end in ("value", "low", "high"))
        title = capital(attribute_words(results.study, row["attribute"]))
        rows.append((title, row["label"], rate.get("n"), *ends, role))
    if not rows:
        return "no group is large enough to show"
    lowest, highest = min(rows, key=lambda row: row[3]), max(rows, key=lambda row: row[3])
    note = (
        "The band is 0.8 to 1.25 times the rate of the reference group. The verdicts use the interval of the "
        "ratio, which allows for many comparisons."
    )
    if left_out:
        note += f" Not shown, since numbers are small: {listing(list(dict.fromkeys(left_out)))}."
    return Figure(
        id="groups",
        title=f"On the list, of {language.many} {language.that} {who}",
        alt=(
            f"For each group, {unit}, as a dot with its interval, beside the band of its reference group. The lowest "
            f"is {lowest[1]} with {lowest[3]:g}, the highest {highest[1]} with {highest[3]:g}."
        ),
        table=Table(
            caption=capital(unit),
            columns=("Characteristic", "Group", capital(language.many), "Of 100", "at least", "at most", "Role"),
            rows=tuple(rows),
            source="run: audit",
            note=note,
        ),
        unit=unit,
        n=audit.get("known"),
    )


def drivers(results: Results) -> Figure | str:
    """What moves the score, on average."""
    found = results.explanation["drivers"][:MOST_DRIVERS]
    if not found:
        return "the same risk for all has no drivers"
    rows = tuple((row["words"], round(100 * row["share"]), row["direction"]) for row in found)
    return Figure(
        id="drivers",
        title="What drives a score",
        alt=f"How much each field moves the score. First comes {rows[0][0]}, with {rows[0][1]} of 100 parts.",
        table=Table(
            caption="How much each field moves the score",
            columns=("Field", "Parts of 100", "Direction"),
            rows=rows,
            source="run: explanation",
            note="It says what moves the score, not what causes the outcome.",
        ),
        unit="parts of 100 of the average size of all contributions",
        n=results.explanation.get("n"),
    )


FIGURES: dict[str, Callable[[Results], Figure | str]] = {
    "people_per_100": people_per_100,
    "attrition": attrition,
    "unknown_by_fifth": unknown_by_fifth,
    "calibration": calibration,
    "net_benefit": net_benefit,
    "capacity_sweep": capacity_sweep,
    "over_time": over_time,
    "group_ratios": group_ratios,
    "groups": groups,
    "mitigation": mitigation,
    "drivers": drivers,
}
