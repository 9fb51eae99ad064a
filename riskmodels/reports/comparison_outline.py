"""A comparison of runs as sections, each a list of parts that the page knows how to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import capital, day_text, label
from riskmodels.reports.comparison_figures import LISTS, PAIRED, Figure, counts_of, differences_figure, lists_figure
from riskmodels.reports.comparison_words import (
    BETTER,
    BY,
    GROUP_METRICS,
    in_order,
    measure_name,
    signed,
    where_in_words,
)
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import Part, Section, bullets, heading, plain_facts, table, texts, words_explained
from riskmodels.reports.profile_tables import content, heat, per_100

Row = Mapping[str, Any]
METHOD = (
    "Differences are paired: both runs are judged on the same rows, so that what moves both alike cancels. A "
    "difference above 0 always means that the later run is better.",
    "The interval of the AUC is DeLong's for paired curves. All others come from a cluster bootstrap: all rows of a "
    "person or household are drawn together, {replicates:,} times, for both runs at once. Intervals are of 95%.",
    '"No clear change" means that the interval holds 0. Many measures are compared: where nothing changed at all, '
    "about one in twenty of them still seems clear. Whoever tries many runs and keeps the best by these figures will "
    "find it less good later.",
)
TERMS = (
    "AUC", "Average precision", "Bootstrap", "Brier score", "Calibration slope", "Interval", "Log loss", "Net benefit",
    "Observed to expected (O/E)",
)  # fmt: skip
OF_GROUPS = (
    "From the two cards. The interval takes the two runs as independent, though they are of the same people; a paired "
    "one would be narrower."
)


def comparison_outline(found: Row) -> tuple[tuple[Section, ...], list[Figure]]:
    """The sections of a comparison (see `riskmodels.commands.comparisons.compare`), in order, and its figures."""
    names = {run["name"]: run["short"] for run in found["runs"]}
    many = len(found["comparisons"]) > 1
    parts: list[tuple[str, list[Part]]] = [("In words", _words(found))]
    if many:
        parts.append(("All runs", _all_runs(found, names)))
    figures: list[Figure] = []
    for number, one in enumerate(found["comparisons"], 1):
        drawn = [
            figure for figure in (differences_figure(one, names, number), lists_figure(one, names, number)) if figure
        ]
        figures += drawn
        end = f": {names[one['second']]}" if many else ""
        parts += [
            (f"Differences{end}", _differences(one, names, drawn)),
            (f"The two lists{end}", _lists(one, names, drawn)),
            (f"Who differs{end}", _who_differs(one, names)),
            (f"Protected groups{end}", _groups(one, names)),
            (f"What changed{end}", _changed(one, names)),
        ]
    parts += [("The runs", _runs(found)), ("How this was done", _method(found))]
    return tuple(Section(number, title, tuple(each)) for number, (title, each) in enumerate(parts, 1)), figures


# ---------------------------------------------------------------- the sections


def _figure(drawn: Sequence[Figure], kind: str) -> list[Part]:
    return [{"kind": "figure", "figure": figure} for figure in drawn if figure["drawing"] == kind]


def _words(found: Row) -> list[Part]:
    parts: list[Part] = []
    for one in found["comparisons"]:
        if len(found["comparisons"]) > 1:
            parts.append(heading(f"{capital(_short(found, one['second']))} against {_short(found, one['first'])}"))
        parts += [
            *bullets(one["words"]),
            *([heading("Take care"), *bullets(one["warnings"])] if one["warnings"] else []),
        ]
    return parts


def _short(found: Row, name: str) -> str:
    return str(next(run["short"] for run in found["runs"] if run["name"] == name))


def _all_runs(found: Row, names: Row) -> list[Part]:
    measures = in_order(found["comparisons"][0]["differences"])
    verdicts = [{row["measure"]: row for row in one["differences"]} for one in found["comparisons"]]
    lines = [[capital(measure_name(row)), *(_gain(each.get(row["measure"])) for each in verdicts)] for row in measures]
    first = names[found["comparisons"][0]["first"]]
    seconds = [capital(names[one["second"]]) for one in found["comparisons"]]
    shorts = [names[name] for name in found["lists"]["runs"]]
    shares = [
        [f"On the list of {short}", *(_cell_of_100(cell) for cell in row)]
        for short, row in zip(shorts, found["lists"]["of_100"], strict=True)
    ]
    return [
        table(content(f"Difference to {first}", ["Measure", *seconds], lines, PAIRED)),
        heat(content("Of 100 on one list, how many are on another", ["List", *shorts], shares, LISTS)),
    ]


def _gain(row: Row | None) -> str:
    if row is None:
        return "not compared"
    value = row["difference"]["value"]
    return row["verdict"] if value is None else f"{signed(value)}: {row['verdict']}"


def _cell_of_100(cell: Row) -> Any:
    return cell["reason"] if cell["value"] is None else per_100(cell["value"])


def _differences(one: Row, names: Row, drawn: Sequence[Figure]) -> list[Part]:
    rows = [
        [
            capital(measure_name(row)), *(_value(row[side]) for side in ("first", "second")),
            signed(row["difference"]["value"]) or str(row["difference"].get("reason", "")),
            _interval(row["difference"]), row["verdict"], BETTER[row["better"]], row["method"],
        ]
        for row in in_order(one["differences"])
    ]  # fmt: skip
    columns = [
        "Measure", *(capital(names[one[side]]) for side in ("first", "second")), "Better by", "95% interval",
        "In words", "What is good", "How the interval was made",
    ]  # fmt: skip
    said = "Above 0 the later run is better. Each run's own figures, with their own intervals, stand in its card."
    return [*_figure(drawn, "differences"), table(content("Measure by measure", columns, rows, PAIRED, said))]


def _value(estimate: Row) -> Any:
    return estimate.get("reason", "") if estimate["value"] is None else estimate["value"]


def _interval(estimate: Row) -> str:
    if estimate["value"] is None:
        return ""
    if estimate.get("low") is None:
        return str(estimate.get("reason", ""))
    return f"{signed(estimate['low'])} to {signed(estimate['high'])}"


def _lists(one: Row, names: Row, drawn: Sequence[Figure]) -> list[Part]:
    overlap = one["overlap"]
    first, second = names[one["first"]], names[one["second"]]
    rows = [
        [day_text(row["as_of_date"]) if row["as_of_date"] else "All dates", *counts_of(row), *_shares(row)]
        for row in (overlap["pooled"], *(overlap["per_date"] if len(overlap["per_date"]) > 1 else ()))
    ]
    columns = [
        "When", "On both", f"Only {first}", f"Only {second}", f"Of 100 on {first}, on both",
        "Of 100 on either, on both", "By chance, of 100", "Correlation of ranks",
    ]  # fmt: skip
    note = (
        "By chance: of a list drawn at random. Correlation: Spearman's, of all whom both ranked; 1 is the same order."
    )
    only = [
        [
            f"Only on the list of {names[one[side]]}", *(each[name] for name in ("listed", "known", "unknown", "hits")),
            _value_of_100(each["precision"]), _interval_of_100(each["precision"]),
        ]
        for side, each in (("first", overlap["only_first"]), ("second", overlap["only_second"]))
    ]  # fmt: skip
    heads = ["Who", "Listed", "Outcome known", "Not known", "Had the outcome", "Of 100 known", "95% interval"]
    return [
        *_figure(drawn, "lists"),
        table(content("How far the two lists agree", columns, rows, LISTS, note)),
        table(content("What became of those on one list only", heads, only, LISTS)),
    ]


def _shares(row: Row) -> list[Any]:
    reason = row.get("reason", "")
    if reason.startswith("not shown") and None in counts_of(row):
        reason = "not shown"  # the counts beside it are not shown either, and the reason stands at the end of the page
    shares = [reason if row[name] is None else per_100(row[name]) for name in ("of_first", "jaccard")]
    return [*shares, per_100(row["by_chance"]) if row["by_chance"] is not None else "", _value(row["rank_correlation"])]


def _value_of_100(estimate: Row) -> Any:
    return estimate.get("reason", "") if estimate["value"] is None else per_100(estimate["value"])


def _interval_of_100(estimate: Row) -> str:
    if estimate["value"] is None or estimate.get("low") is None:
        return ""
    return f"{per_100(estimate['low']):g} to {per_100(estimate['high']):g}"


def _who_differs(one: Row, names: Row) -> list[Part]:
    first, second = names[one["first"]], names[one["second"]]
    rows = one["overlap"]["who_differs"]
    parts: list[Part] = []
    for by in dict.fromkeys(row["by"] for row in rows):
        here = [row for row in rows if row["by"] == by]
        with_both = by != "standing_on_the_other"
        columns = ["Who", *(["On both"] if with_both else []), f"Only {first}", f"Only {second}"]
        lines = [
            [capital(row["group"]), *([row["both"]] if with_both else []), row["only_first"], row["only_second"]]
            for row in here
        ]
        parts.append(table(content(BY[by].format(first=first, second=second), columns, lines, LISTS)))
    return parts or texts(["Nobody is on one list only."])


def _groups(one: Row, names: Row) -> list[Part]:
    if not one["groups"]:
        return texts(["The two cards hold no group that can be compared."])
    lines = [
        [
            f"{label(row['attribute'])}: {row['label']}", GROUP_METRICS[row["metric"]],
            *(_value_of_100(row[side]) for side in ("first", "second")), _value_of_100(row["difference"]),
            _interval_of_100(row["difference"]), _group_verdict(row),
        ]
        for row in one["groups"]
    ]  # fmt: skip
    columns = [
        "Group", "What, of 100", capital(names[one["first"]]), capital(names[one["second"]]), "Difference",
        "95% interval", "In words",
    ]  # fmt: skip
    return [table(content("Groups in both cards", columns, lines, "card.json of both: audit", OF_GROUPS))]


def _group_verdict(row: Row) -> str:
    """What is hidden was computed: it is not shown."""
    hidden = row["difference"]["value"] is None and str(row["difference"].get("reason", "")).startswith("not shown")
    return "not shown" if hidden else str(row["verdict"])


def _changed(one: Row, names: Row) -> list[Part]:
    columns = ["Setting", capital(names[one["first"]]), capital(names[one["second"]])]
    lines = [[row["key"], row["first"], row["second"]] for row in one["changed"]]
    counts = one["counts"]
    facts = [
        ("Dates that both were tested on", ", ".join(day_text(day) for day in counts["days"])),
        ("Dates of the first only", ", ".join(day_text(day) for day in counts["days_only_first"]) or "none"),
        ("Dates of the second only", ", ".join(day_text(day) for day in counts["days_only_second"]) or "none"),
        ("Ranked by both on these dates", counts["rows"]),
        ("Ranked by the first only", counts["rows_only_first"]),
        ("Ranked by the second only", counts["rows_only_second"]),
        ("Outcome known to both, and the same", counts["known"]),
        ("Of these, came about", counts["events"]),
        ("Outcome known to one only, left out", counts["known_in_one_only"]),
        ("Outcome known differently, left out", counts["outcomes_that_differ"]),
    ]
    shown = [
        (name, "not shown" if value is None else value, "compare: ranking.parquet of both") for name, value in facts
    ]
    return [
        table(content("Settings that differ", columns, lines, "study.yaml and card.json of both")),
        heading("What was compared"),
        plain_facts(shown),
    ]


def _runs(found: Row) -> list[Part]:
    columns = ["Run", "Called here", "Family", "Audit", "Model", "Card"]
    lines = [
        [run["name"], run["short"], run["family_words"], run["audit_verdict"], run["model_sha256"][:12],
         run["card_sha256"][:12]]
        for run in found["runs"]
    ]  # fmt: skip
    return [table(content("The runs", columns, lines, "card.json", "Of each digest the first 12 digits."))]


def _method(found: Row) -> list[Part]:
    replicates = found["comparisons"][0]["counts"]["replicates"]
    hidden = found["disclosure"]["hidden"]
    below = found["disclosure"]["below"]
    said = [each.format(replicates=replicates) for each in METHOD]
    if below:
        said.append(
            f"Counts of fewer than {below} are not shown and others are rounded. So is a difference that would tell of "
            f"fewer than {below} whom the two runs treat differently."
        )
    names = {run["name"]: run["short"] for run in found["runs"]}
    pairs = {one["second"]: {side: names[one[side]] for side in ("first", "second")} for one in found["comparisons"]}
    rows = [
        [capital(names.get(row["comparison"], row["comparison"])),
         where_in_words(row["where"], pairs.get(row["comparison"], {})), row["why"]]
        for row in hidden
    ]  # fmt: skip
    return [
        *texts(said),
        table(content("What is not shown", ["Run", "Where", "Why"], rows, "compare: disclosure control")),
        *words_explained(*TERMS),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
    ]
