"""The figures of groups, and of what drives a score, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT
from riskmodels.cards.audit_findings import verdict_metrics
from riskmodels.cards.card import Figure, Table
from riskmodels.cards.cells import whole_100
from riskmodels.cards.words import attribute_words, capital, listing
from riskmodels.reports.audit_figures import ratio_figure

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

MOST_DRIVERS = 10


def group_ratios(results: Results) -> Figure | str:
    """The ratios that the verdicts on how groups are treated look at, against the limits."""
    rates = verdict_metrics(results.audit)
    found = ratio_figure(results.audit, name="group_ratios", metrics=rates) if rates else None
    if found is None:
        return "no ratio of two groups can be judged and shown"
    verdicts = [str(row[7]) for row in found["table"]["rows"]]
    failed, unsure = verdicts.count(FAIL), verdicts.count(INSUFFICIENT)
    title = f"Of {len(verdicts)} comparisons drawn here, {failed or 'none'} {'fail' if failed > 1 else 'fails'}"
    if unsure:
        title += f"; for {unsure} the data cannot tell"
    reading = (
        "In the middle, two groups are treated alike. A mark further left or right means less or more often, as the "
        "words above it say. Lines are how far chance could have moved it."
    )
    taken = {name: found[name] for name in Figure.model_fields if name in found}
    return Figure(**{**taken, "title": title, "reading": reading})


def groups(results: Results) -> Figure | str:
    """The verdict-bearing rate of each group beside its reference group's band."""
    language, audit = results.language, results.audit
    metric = "fpr" if audit.get("purpose") == "punitive" else "recall"
    who = f"{language.many} {language.that} {language.not_needed if metric == 'fpr' else language.needed}"
    unit = f"of 100 {who}, how many are on the list"
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
        ends = (whole_100(rate[end]) for end in ("value", "low", "high"))
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
        title=f"Of 100 {who}, the list {'names' if metric == 'fpr' else 'finds'} {_range(lowest, highest)}",
        reading=(
            "Each dot is a group; its line is the 95% interval. Where lines of two groups overlap, the gap may be "
            "chance. Shaded: close enough to the group that the others are compared with."
        ),
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
        narrow=True,
    )


def _range(lowest: tuple[Any, ...], highest: tuple[Any, ...]) -> str:
    if lowest[3] == highest[3]:
        return f"{lowest[3]:g} in each group shown"
    first, last = (f"{row[3]:g} ({row[0]}: {row[1]})" for row in (lowest, highest))
    return f"{first} to {last}"


def drivers(results: Results) -> Figure | str:
    """What moves the score, on average."""
    found = results.explanation["drivers"][:MOST_DRIVERS]
    if not found:
        return "the same risk for all has no drivers"
    rows = tuple((row["words"], round(100 * row["share"]), row["direction"]) for row in found)
    first = rows[0][0]
    return Figure(
        id="drivers",
        title=(
            f"Only one field moves the score: {first}"
            if len(rows) == 1
            else f"{capital(first)} moves the score most: {rows[0][1]} of 100 parts"
        ),
        reading=(
            "The longer a bar, the more the field moves a score up or down, on average. It does not say that the field "
            "is a cause."
        ),
        alt=f"How much each field moves the score. First comes {first}, with {rows[0][1]} of 100 parts.",
        table=Table(
            caption="How much each field moves the score",
            columns=("Field", "Parts of 100", "Direction"),
            rows=rows,
            source="run: explanation",
            note="It says what moves the score, not what causes the outcome. An average over all, without an interval.",
        ),
        unit="parts of 100 of the average size of all contributions",
        n=results.explanation.get("n"),
        narrow=True,
    )
