"""The card's figures as numbers: each with its alternative text, data table, unit and n.

The drawing (`riskmodels.reports.charts`) takes these tables and nothing else, so a picture cannot say what the card
does not. ``FIGURES`` is the table of them: to add one, write its function here, add its row, and draw it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.shown import FEWEST, HIDDEN
from riskmodels.cards.words import Language, capital, day, listing, of_100

Results = Mapping[str, Any]  # performance, audit, explanation, attrition: published


def _per_100(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def people_per_100(results: Results, language: Language) -> Figure | str:
    """Of 100 on the list: how many needed help, how many did not, how many are not known."""
    at = results["at_capacity_counts"]
    if not at.get("selected"):
        return "nobody was selected"
    parts = [
        [capital(language.needed), at["hits"]],
        [capital(language.not_needed), at["selected"] - at["unknown"] - at["hits"]],
        ["Not known", at["unknown"]],
    ]
    if parts[2][1] == 0:
        parts.pop()
    elif parts[2][1] < FEWEST or (parts[1][1] < FEWEST and len(parts) == 3):
        parts[1:] = [[f"{parts[1][0]}, or not known", parts[1][1] + parts[2][1]]]
    if min(count for _, count in parts) < FEWEST:
        return HIDDEN
    shares = whole_of_100([count for _, count in parts])
    rows = tuple((words, share) for (words, _), share in zip(parts, shares, strict=True))
    said = listing([f"{share}: {words.lower()}" for words, share in rows])
    return Figure(
        id="people_per_100",
        title=f"Of 100 {language.many} on the list",
        alt=f"One hundred figures, one for each of 100 {language.many} on the list. {capital(said)}.",
        table=Table(
            caption=f"Of 100 {language.many} on the list",
            columns=("What became of them", "Of 100"),
            rows=rows,
            source="run",
        ),
        unit=f"{language.many} of 100",
        n=results["performance"]["at_capacity"].get("selected"),
    )


def whole_of_100(counts: Sequence[int]) -> list[int]:
    """Shares of 100 that add up to 100: the largest remainders are rounded up."""
    total = sum(counts)
    exact = [100 * count / total for count in counts]
    floors = [int(value) for value in exact]
    order = sorted(range(len(counts)), key=lambda position: floors[position] - exact[position])
    for position in order[: 100 - sum(floors)]:
        floors[position] += 1
    return floors


def calibration(results: Results, language: Language) -> Figure | str:
    """What was predicted against what happened."""
    curve = results["performance"].get("calibration_curve") or {}
    bins = [one for one in curve.get("bins") or [] if one["observed"].get("value") is not None]
    if not bins:
        return "no bin holds 10 people with the outcome and 10 without"
    rows = tuple(
        (
            _per_100(one["low"]), _per_100(one["high"]), one["n"], _per_100(one["mean_risk"]),
            _per_100(one["observed"]["value"]), _per_100(one["observed"].get("low")), _per_100(one["observed"].get("high")),
        )
        for one in bins
    )  # fmt: skip
    worst = max(bins, key=lambda one: abs(one["observed"]["value"] - one["mean_risk"]))
    points = [point for point in curve.get("spline") or [] if bins[0]["low"] <= point["risk"] <= bins[-1]["high"]]
    line = tuple(tuple(_per_100(point[key]) for key in ("risk", "observed", "low", "high")) for point in points)
    return Figure(
        id="calibration",
        title="Do the risks come true?",
        alt=(
            f"Dots and a curve of how often the outcome came about against the risk that was predicted, in {len(bins)} groups from low "
            "risk to high. On the diagonal the two agree. They differ most where the predicted risk was about "
            f"{of_100(worst['mean_risk'])} of 100: there it came about for {of_100(worst['observed']['value'])} of 100."
        ),
        table=Table(
            caption="Predicted and observed, for each group of risks",
            columns=("Risk from", "to", "People", "Predicted, of 100", "Came about, of 100", "at least", "at most"),
            rows=rows,
            source="run",
            note="At least and at most: 95% interval. Neighbouring groups are joined until each holds 10 people of each kind.",
        ),
        curve=Table(
            caption="The smooth curve",
            columns=("Predicted, of 100", "Came about, of 100", "at least", "at most"),
            rows=line,
            source="run",
        ),
        unit="of 100, among people whose outcome is known",
        n=results["performance"].get("known"),
    )


def groups(results: Results, language: Language) -> Figure | str:
    """The verdict-bearing rate of each group beside its reference group's band."""
    audit = results["audit"]
    metric = "fpr" if audit.get("purpose") == "punitive" else "recall"
    what = {
        "recall": (
            f"Who {language.needed} and is on the list",
            f"of 100 {language.many} who {language.needed}, how many are on the list",
        ),
        "fpr": (
            f"Who {language.not_needed} and is on the list",
            f"of 100 {language.many} who {language.not_needed}, how many are on the list",
        ),
    }[metric]
    references = {
        row["attribute"]: row["reference"]
        for row in audit["contrasts"]
        if row.get("against", "reference") == "reference"
    }
    rows, left_out = [], []
    for row in audit["rows"]:
        if " x " in row["attribute"] or row["attribute"] not in references:
            continue
        rate = row["metrics"].get(metric) or {}
        if rate.get("value") is None or rate.get("low") is None:
            left_out.append(row["label"])
            continue
        is_reference = row["group"] == references[row["attribute"]]
        people = row.get("positives") if metric == "recall" else row.get("n")
        rows.append(
            (
                results["attribute_words"](row["attribute"]), row["label"], people, _per_100(rate["value"]), _per_100(rate["low"]),
                _per_100(rate["high"]), "reference" if is_reference else "",
            )
        )  # fmt: skip
    if not rows:
        return "no group is large enough to show"
    lowest, highest = min(rows, key=lambda row: row[3]), max(rows, key=lambda row: row[3])
    note = "The band is 0.8 to 1.25 times the rate of the reference group. A group passes only if the whole of its interval lies in it."
    if left_out:
        note += f" Not shown, too few people: {listing(list(dict.fromkeys(left_out)))}."
    return Figure(
        id="groups",
        title=what[0],
        alt=(
            f"For each group, {what[1]}, as a dot with its interval, beside the band of its reference group. The lowest is {lowest[1]} with "
            f"{lowest[3]:g}, the highest {highest[1]} with {highest[3]:g}."
        ),
        table=Table(
            caption=capital(what[1]),
            columns=("Characteristic", "Group", "People", "Of 100", "at least", "at most", "Role"),
            rows=tuple(rows),
            source="run",
            note=note,
        ),
        unit=what[1],
        n=audit.get("known"),
    )


def net_benefit(results: Results, language: Language) -> Figure | str:
    """Whether acting on the risks does more good than helping everybody or nobody."""
    points = [row for row in results["performance"].get("net_benefit") or [] if row["model"].get("value") is not None]
    if not points:
        return "no threshold could be computed"
    rows = tuple(
        (
            _per_100(row["threshold"]), _per_100(row["model"]["value"]), _per_100(row["model"].get("low")),
            _per_100(row["model"].get("high")), _per_100(row["all"]), 0.0,
        )
        for row in points
    )  # fmt: skip
    better = [row for row in rows if row[1] is not None and row[4] is not None and row[1] > max(row[4], 0)]
    return Figure(
        id="net_benefit",
        title="Is it worth acting on?",
        alt=(
            f"Net benefit of acting on the risks, of helping everybody and of helping nobody, at {len(rows)} levels of risk. Acting on the "
            f"risks is best at {len(better)} of the {len(rows)} levels."
        ),
        table=Table(
            caption=f"Net benefit for 100 {language.many}",
            columns=(
                "If help is worth it from a risk of (of 100)",
                "Acting on the risks",
                "at least",
                "at most",
                "Helping everybody",
                "Helping nobody",
            ),
            rows=rows,
            source="run",
            note=(
                f"Net benefit: {language.many} rightly helped, less those helped without need, weighed by how much a wrong offer matters "
                "(Vickers and Elkin 2006). Higher is better."
            ),
        ),
        unit=f"net benefit for 100 {language.many} whose outcome is known",
        n=results["performance"].get("known"),
    )


def drivers(results: Results, language: Language) -> Figure | str:
    """What moves the score, on average."""
    found = results["explanation"]["drivers"][:10]
    if not found:
        return "the same risk for everybody has no drivers"
    rows = tuple((row["words"], round(100 * row["share"]), row["direction"]) for row in found)
    return Figure(
        id="drivers",
        title="What drives a score",
        alt=f"Bars of how much each field moves the score on average. {capital(rows[0][0])} is first, with {rows[0][1]} of 100 parts.",
        table=Table(
            caption="How much each field moves the score",
            columns=("Field", "Parts of 100", "Direction"),
            rows=rows,
            source="run",
            note="It says what moves the score, not what causes the outcome.",
        ),
        unit="parts of 100 of the average size of all contributions",
        n=results["explanation"].get("n"),
    )


def attrition(results: Results, language: Language) -> Figure | str:
    """From everybody in the data to the list, on the latest test date."""
    dates = results["test_dates"]
    rows = [
        row
        for row in results["attrition"]
        if dates and str(row["as_of_date"]) == dates[-1] and row["remaining"] is not None
    ]
    if not rows:
        return "no test date has a count that may be shown"
    flow = [(capital(row["step"]), row["remaining"]) for row in rows]
    places = (results["performance"]["at_capacity"].get("places_each") or {}).get(dates[-1])
    if places:
        flow.append(("On the list (places)", places))
    return Figure(
        id="attrition",
        title=f"From the data to the list, {day(dates[-1])}",
        alt=f"Bars that get shorter: {listing([f'{words}, {count:,}' for words, count in flow])}.",
        table=Table(
            caption=f"How many {language.many} are left after each step, {day(dates[-1])}",
            columns=("Step", capital(language.many)),
            rows=tuple(flow),
            source="run",
        ),
        unit=language.many,
        n=flow[0][1],
    )


def unknown_by_fifth(results: Results, language: Language) -> Figure | str:
    """How often the outcome is not known, from the lowest risks to the highest."""
    fifths = [row for row in results["performance"].get("unknown_by_fifth") or [] if row.get("share") is not None]
    if not fifths or not any(row["share"] for row in fifths):
        return "every outcome is known" if fifths else "too few unknown outcomes to show"
    rows = tuple((_fifth_words(row["fifth"]), row["n"], _per_100(row["share"])) for row in fifths)
    return Figure(
        id="unknown_by_fifth",
        title="Whose outcome is not known",
        alt=(
            f"Bars for five equal groups by risk. Of 100 {language.many} the outcome is not known for {rows[0][2]:g} in the group with the "
            f"lowest risk, and for {rows[-1][2]:g} in the group with the highest."
        ),
        table=Table(
            caption="Outcome not known, by fifth of risk",
            columns=("Fifth of risk", capital(language.many), "Not known, of 100"),
            rows=rows,
            source="run",
        ),
        unit=f"of 100 {language.many} ranked",
        n=results["performance"].get("n"),
    )


def _fifth_words(fifth: int) -> str:
    return {1: "Lowest risk", 5: "Highest risk"}.get(fifth, f"{fifth} of 5")


FIGURES: dict[str, Callable[[Results, Language], Figure | str]] = {
    "people_per_100": people_per_100,
    "attrition": attrition,
    "unknown_by_fifth": unknown_by_fifth,
    "calibration": calibration,
    "net_benefit": net_benefit,
    "groups": groups,
    "drivers": drivers,
}


def build_figures(results: Results, language: Language) -> tuple[tuple[Figure, ...], dict[str, str]]:
    """Every figure that can be shown, and why the others cannot."""
    made = {name: build(results, language) for name, build in FIGURES.items()}
    figures = tuple(figure for figure in made.values() if isinstance(figure, Figure))
    return figures, {f"figures.{name}": reason for name, reason in made.items() if isinstance(reason, str)}
