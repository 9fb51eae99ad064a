"""The figures of an audit as numbers: each with its alternative text, data table, unit and n.

Each names its kind of picture as ``drawing`` (`riskmodels.reports.audit_charts`), which is made of its table and
nothing else. They are narrow, so that they can be read on a phone, and stand side by side on a wide page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.contrasts import harmful_side
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, PASS
from riskmodels.assessment.audit.words import is_too_few
from riskmodels.reports.audit_words import (
    LEFT,
    METRICS,
    RIGHT,
    against,
    many,
    metric_name,
    metric_short,
    needing,
    sides,
    title_of,
)
from riskmodels.reports.cells import capital
from riskmodels.reports.comparison_words import listing
from riskmodels.reports.evaluation_figures import per_100
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
Figure = dict[str, Any]
SOURCE = "the audit"
MOST_LINES = 5  # in one picture of lines, so that each can be told from the others
ENDS = ("at least", "at most")
RATIO_COLUMNS = ("Group", "Characteristic", "What", "Compared with", "Ratio", *ENDS, "Verdict", "Side")
READING_COLUMNS = ("What", "Limits from", "to", "Left of 1", "Right of 1")
MARKS = (
    "Full and round: PASS. Square: FAIL. Hollow: INSUFFICIENT EVIDENCE. Shaded: the limits. Lines: simultaneous 95% "
    "intervals; an arrow says that one "
    "goes on, or that the ratio lies further out or is not shown."
)


def _figure(name: str, drawing: str, title: str, alt: str, unit: str, n: int | None, table: Row) -> Figure:
    return {
        "id": name, "drawing": drawing, "title": title, "alt": alt, "unit": unit, "n": n, "curve": None,
        "table": table, "narrow": True,
    }  # fmt: skip


# ---------------------------------------------------------------- ratios against the limits


def ratio_figures(found: Row) -> list[Figure]:
    """For each characteristic, the ratios of its groups against the limits; none where nothing can be drawn."""
    made = (ratio_figure(found, [name], f"ratios-{name}", note=None) for name in found["titles"])
    return [figure for figure in made if figure is not None]


def ratio_figure(
    found: Row,
    attributes: Collection[str] | None = None,
    name: str = "groups",
    metrics: Collection[str] | None = None,
    note: str | None = MARKS,
) -> Figure | None:
    """A dot and an interval for the ratio of every group and metric, against the limits; None where none can be drawn.

    What is drawn carries a verdict: all that is compared with a reference group or with a group's own risks, and what
    FAILs against everybody else. Groups too few to judge are not drawn.

    Parameters
    ----------
    found : a published audit
    attributes, metrics : which to draw; all by default
    note : what the marks mean
    """
    drawn = [
        row
        for row in found["contrasts"]
        if (attributes is None or row["attribute"] in attributes) and (metrics is None or row["metric"] in metrics)
        if _can_be_drawn(row)
    ]
    if not any(row["ratio"] is not None or _side(found, row) for row in drawn):
        return None
    titles, order = list(found["titles"]), list(METRICS)
    drawn.sort(key=lambda row: (titles.index(row["attribute"]), order.index(row["metric"])))
    rows = [
        [
            capital(str(row["label"])), title_of(found, row["attribute"]), metric_name(found, row["metric"]),
            against(row), row["ratio"], row["low"], row["high"], row["verdict"], _side(found, row),
        ]
        for row in drawn
    ]  # fmt: skip
    columns: tuple[str, ...] = RATIO_COLUMNS
    if not any(row[-1] for row in rows):  # every ratio is shown
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    reading = [
        [metric_name(found, metric), *(limits_of(found, metric) or (None, None)), *sides(metric)]
        for metric in dict.fromkeys(row["metric"] for row in drawn)
    ]
    about = listing([title_of(found, name) for name in attributes or ()])
    figure = _figure(
        name, "ratios", about or "Is each group treated alike?", _ratios_in_words(drawn, about),
        "ratio; 1 is equal", found["n"],
        content(f"Ratios with their intervals{', ' + about if about else ''}", columns, rows, SOURCE, note),
    )  # fmt: skip
    return {**figure, "curve": content("The limits, and what each side means", READING_COLUMNS, reading, "the policy")}


def _can_be_drawn(row: Row) -> bool:
    """What carries a verdict, though its number be hidden; nothing of groups too few to judge."""
    judged = row["family"] == "primary" or (row["family"] == "second" and row["verdict"] == FAIL)
    return judged and not is_too_few(row) and (row["ratio"] is None or row["low"] is not None)


def _side(found: Row, row: Row) -> str:
    """On which side of 1 a ratio lies that is not shown, where it is known who is worse off."""
    side = harmful_side(row["metric"], found["purpose"])
    if row["ratio"] is not None or row["worse_off"] is None or side is None:
        return ""
    harmful = LEFT if side == "below" else RIGHT
    if row["worse_off"] == row["label"]:
        return harmful
    return RIGHT if harmful == LEFT else LEFT


def _ratios_in_words(drawn: Sequence[Row], about: str) -> str:
    verdicts = [row["verdict"] for row in drawn]
    counts = [
        f"{verdicts.count(verdict)} {verdict}" for verdict in (FAIL, INSUFFICIENT, PASS) if verdict in verdicts
    ]  # fmt: skip
    failed = [
        f"{row['label']}, {metric_short(row['metric'])}, {_times(row)} {against(row)}"
        for row in drawn
        if row["verdict"] == FAIL
    ]
    said = f"{about}: marks" if about else "Marks"
    said += f" with intervals against shaded limits around 1: {listing(counts)}."
    return f"{said} FAIL: {'; '.join(failed)}." if failed else said


def _times(row: Row) -> str:
    return "not shown, compared with" if row["ratio"] is None else f"{row['ratio']:.2f} times"


def limits_of(found: Row, metric: str) -> tuple[float, float] | None:
    """The limits of a metric: as the audit gives them, else those of the shipped policy if it is the one applied."""
    given = found.get("policy")
    if isinstance(given, Mapping):
        low, high = given["slope_band" if metric == "calibration_slope" else "ratio_band"]
        return float(low), float(high)
    shipped = load_policy()
    return shipped.band(metric) if shipped.sha256 == found["policy_sha256"] else None


# ---------------------------------------------------------------- who is on the list


def composition_figures(found: Row) -> list[Figure]:
    """For each characteristic, who is ranked, who needs help and who is on the list."""
    figures = []
    columns = ("Group", f"Of 100 {many(found)} ranked", f"Of 100 {needing(found)}", "Of 100 on the list")
    for name in found["titles"]:
        rows: list[list[Any]] = [
            [capital(str(row["label"])), *(per_100(row[key]) for key in ("in_cohort", "in_need", "on_list"))]
            for row in found["composition"]
            if row["attribute"] == name
        ]
        shown = [row for row in rows if None not in row]
        if not shown:
            continue
        title = title_of(found, name)
        widest = max(shown, key=lambda row: abs(row[3] - row[2]))
        alt = (
            f"Three marks for each group. They differ most for {widest[0]}: {widest[1]:g} of 100 ranked, {widest[2]:g} "
            f"of 100 {needing(found)}, {widest[3]:g} of 100 on the list."
        )
        note = "Need is counted among those whose outcome is known."
        figures.append(
            _figure(
                f"composition-{name}", "composition", f"{title}: who is on the list", alt, "of 100 each time",
                found["n"],
                content(f"Who is on the list, {title}", columns, rows, SOURCE, note),
            )
        )  # fmt: skip
    return figures


# ---------------------------------------------------------------- curves, places, pooled rates


def curve_figures(found: Row) -> list[Figure]:
    """A rate along an attribute that is a number, such as age."""
    figures = []
    for row in found.get("curves") or ():
        points = [point for point in row.get("points") or () if point.get("value") is not None]
        if len(points) < 2:
            continue
        number, metric = title_of(found, row["attribute"]), metric_name(found, row["metric"])
        rows = [[point["at"], *(per_100(point[end]) for end in ("value", "low", "high"))] for point in points]
        least, most = min(rows, key=lambda line: line[1]), max(rows, key=lambda line: line[1])
        figures.append(
            _figure(
                f"curve-{row['attribute']}-{row['metric']}", "curve", f"{metric}, by {number.lower()}",
                f"A curve with its 95% band. Lowest at {least[0]:g} ({least[1]:g} of 100), highest at {most[0]:g} "
                f"({most[1]:g} of 100).",
                "of 100", None,
                content(f"{metric}, by {number.lower()}", (number, "Of 100", *ENDS), rows, SOURCE),
            )
        )  # fmt: skip
    return figures


def sweep_figures(found: Row) -> list[Figure]:
    """How many of those in need the list finds in each group, as places grow."""
    figures = []
    for name in dict.fromkeys(row["attribute"] for row in found.get("sweep") or ()):
        own = [row for row in found["sweep"] if row["attribute"] == name and row["recall"].get("value") is not None]
        labels = _few_lines(found, name, own)
        rows = [
            [
                capital(str(row["label"])), row["share"],
                *(per_100(row["recall"].get(end)) for end in ("value", "low", "high")),
            ]
            for row in own
            if row["label"] in labels
        ]  # fmt: skip
        if len({row[1] for row in rows}) < 2:
            continue
        title, what = title_of(found, name), metric_name(found, "recall")
        today = [f"{row[0]} {row[2]:g}" for row in rows if row[1] == 1]
        alt = f"A line for each of {len(labels)} groups: of 100 {needing(found)}, how many the list finds, from "
        alt += f"{min(row[1] for row in rows):g} to {max(row[1] for row in rows):g} times today's places."
        left = len({row["label"] for row in own}) - len(labels)
        figures.append(
            _figure(
                f"sweep-{name}", "sweep", f"{title}: with fewer places, and with more",
                f"{alt} With today's: {', '.join(today)}." if today else alt,
                f"of 100 {many(found)} {needing(found)}", None,
                content(
                    f"{what}, {title}", ("Group", "Times today's places", "Of 100", *ENDS), rows, SOURCE,
                    f"The {left} groups between them are in the table of all groups." if left else None,
                ),
            )
        )  # fmt: skip
    return figures


def _few_lines(found: Row, attribute: str, rows: Sequence[Row]) -> list[str]:
    """At most so many groups as can be told apart: the reference, and the lowest and the highest today."""
    today = {row["label"]: row["recall"]["value"] for row in rows if row["share"] == 1}
    labels = sorted(dict.fromkeys(row["label"] for row in rows), key=lambda label: today.get(label, 0.0))
    if len(labels) <= MOST_LINES:
        return labels
    reference = {
        row["reference_label"]
        for row in found["contrasts"]
        if row["attribute"] == attribute and row["against"] == "reference"
    }
    ends = [*labels[:2], *labels[-2:]]
    return [label for label in labels if label in ends or label in reference]


def pooled_figures(found: Row) -> list[Figure]:
    """Each group's own rate beside the partially pooled one."""
    figures = []
    pooled = [row for row in found.get("pooled") or () if row.get("value") is not None]
    for name, metric in dict.fromkeys((row["attribute"], row["metric"]) for row in pooled):
        rows: list[list[Any]] = [
            [capital(str(row["label"])), *(per_100(row[key]) for key in ("own", "value", "low", "high", "weight"))]
            for row in pooled
            if (row["attribute"], row["metric"]) == (name, metric)
        ]
        title, what = title_of(found, name), metric_name(found, metric)
        furthest = max(rows, key=lambda row: abs(row[2] - row[1]) if row[1] is not None else 0.0)
        moved = "" if furthest[1] is None else f" It moves most for {furthest[0]}: {furthest[1]:g} to {furthest[2]:g}."
        figures.append(
            _figure(
                f"pooled-{name}-{metric}", "pooled", f"{title}: {what[:1].lower()}{what[1:]}",
                f"For each group a hollow mark, its own rate, and a full one with an interval, the pooled rate.{moved}",
                "of 100", None,
                content(
                    f"Own and pooled, {title}: {what}",
                    ("Group", "Own, of 100", "Pooled, of 100", *ENDS, "Weight of its own, of 100"), rows, SOURCE,
                ),
            )
        )  # fmt: skip
    return figures
