"""Sections 7 and 8 of the card: how well it does and how fairly, as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import (
    bounds_cell,
    count_cell,
    detectable_cell,
    interval_cell,
    of_100_cell,
    plain,
    range_cell,
    ratio_cell,
    value_cell,
    with_range,
    worst_and_best_cell,
)
from riskmodels.cards.words import (
    Language,
    attribute_words,
    capital,
    day,
    family_words,
    listing,
    meaning_of,
    measure_words,
    of_100,
)
from riskmodels.study import Study

Row = Mapping[str, Any]


# ---------------------------------------------------------------- 7 how well


def performance_tables(performance: Row, language: Language, column: str | None) -> dict[str, Table]:
    return {
        "list": _list_table(performance["at_capacity"], language),
        "families": _families_table(performance, language, column),
        "per_date": _per_date_table(performance["per_date"], language),
        "measures": Table(
            caption="Measures, for specialists",
            columns=("Measure", "Value", "95% interval", "What it means"),
            rows=tuple(
                (measure_words(name), value_cell(estimate), interval_cell(estimate), meaning_of(name, language.many))
                for name, estimate in performance["overall"].items()
            ),
            source="run: performance",
        ),
    }


def _list_table(at: Row, language: Language) -> Table:
    """The list per 100; where many outcomes are unknown, what must be true comes before what was seen."""
    leads, many = bool(at.get("leads_with_bounds")), language.many
    tail = " (among those whose outcome is known)" if leads else ""
    listed, found = f"On the list: {language.needed}", f"{capital(language.needed)}: on the list"
    precision, recall = at.get("precision") or {}, at.get("recall") or {}
    # The same number as in the picture, whose parts add up to 100.
    not_known = at["of_100"].get("not_known")
    rows: list[tuple[Cell, ...]] = []
    if leads:
        extremes = "the two extremes, since some outcomes are not known"
        rows += [
            (listed, bounds_cell(at.get("precision_bounds") or (None, None)), extremes),
            (found, bounds_cell(at.get("recall_bounds") or (None, None)), extremes),
        ]
    rows += [
        (f"{listed}{tail}", of_100_cell(precision.get("value"), precision), range_cell(precision)),
        (f"{found}{tail}", of_100_cell(recall.get("value"), recall), range_cell(recall)),
        (
            "On the list: outcome not known",
            f"{not_known} of 100" if not_known else of_100_cell(at.get("unknown_share")),
            "",
        ),
        ("Ranked: on the list", of_100_cell(at.get("selection_rate")), ""),
    ]
    counts = [_said(count_cell(at.get(name))) for name in ("selected", "known", "unknown")]
    return Table(
        caption=f"The list, of 100 {many} each time",
        columns=("Who", "Of 100", "Could be (95% interval)"),
        rows=tuple(rows),
        source="run: performance",
        note=(
            f"On the list: {counts[0]}. Outcome known: {counts[1]}. Not known: {counts[2]}. Intervals are of this "
            "list: another one, made by the same rule, would name others."
        ),
    )


def _said(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _families_table(performance: Row, language: Language, column: str | None) -> Table:
    comparison = performance.get("comparison") or {}
    criterion = measure_words(comparison.get("criterion") or "brier_score")
    note = f"Ranges: 95% intervals. Gain: how far the {criterion} is below the best simple rule's. Above 0 is better."
    if performance["at_capacity"].get("leads_with_bounds"):
        note += " All figures are for those whose outcome is known, who may differ from the rest."
    rows = []
    for row in performance["families"]:
        chosen = " (chosen)" if row["model"] == comparison.get("chosen") else ""
        gain = with_range(row["difference"]) if row.get("difference") else "the rule to beat"
        rows.append(
            (
                capital(family_words(row["model"], column)) + chosen,
                with_range(row.get("precision_at_k"), per_100=True),
                with_range(row.get("auc"), per_100=True),
                with_range(row.get("brier_score")),
                gain,
            )
        )
    return Table(
        caption=f"Against simple rules, on the same {language.many}",
        columns=(
            "Way of choosing",
            f"Of 100 on its list, {language.needed}",
            "Of 100 pairs, put the right one first (AUC)",
            "Brier score (lower is better)",
            "Gain",
        ),
        rows=tuple(rows),
        source="run: performance",
        note=note,
    )


def _per_date_table(dates: Sequence[Row], language: Language) -> Table:
    rows = tuple(
        (
            day(row["as_of_date"]),
            *(count_cell(row.get(name)) for name in ("n", "known", "events")),
            with_range(row.get("auc"), per_100=True),
            with_range(row.get("oe_ratio")),
            with_range(row.get("precision_at_k"), per_100=True),
        )
        for row in dates
    )
    return Table(
        caption="Each test date",
        columns=(
            "As of",
            capital(language.many),
            "Outcome known",
            "Came about",
            "Of 100 pairs, right one first",
            "Observed to expected",
            f"Of 100 on the list, {language.needed}",
        ),
        rows=rows,
        source="run: performance",
        note="All figures are for those whose outcome is known.",
    )


def performance_words(study: Study, performance: Row, language: Language) -> tuple[str, ...]:
    """What the figures say: pairs, cases, last year, neighbours, today's practice."""
    words = []
    if study.file.clock == "relative":
        words.append("Nothing here was tested on the future: the data have no calendar.")
    overall, dates = performance["overall"], performance["per_date"]
    auc, oe = (overall.get(name, {}).get("value") for name in ("auc", "oe_ratio"))
    ranked = (performance.get("comparison") or {}).get("chosen") != "base_rate"
    if not ranked:
        words.append(f"All {language.many} have the same risk, so chance alone decides which are on the list.")
    elif auc is not None:
        words.append(
            f"Take two {language.many}, {language.who} {language.needed} and {language.who} {language.not_needed}. Of "
            f"100 such pairs, the ranking puts the right one first in {of_100(auc)}. A coin would do so in 50."
        )
    if oe is not None:
        words.append(f"For each 100 cases that the risks foresee, {100 * oe:.0f} came about.")
    if ranked:
        words.append(_over_time(dates))
    words.append("No neighbouring area was compared.")
    if "current_practice" not in {row["model"] for row in performance["families"]}:
        words.append("There is no record of today's choices, so the list could not be compared with them.")
    return tuple(words)


def _over_time(dates: Sequence[Row]) -> str:
    """The first test date against the last, and whether they differ by more than chance."""
    if len(dates) < 2:
        return "There is one test date, so there is no last year to compare with."
    first, last = (row.get("auc") or {} for row in (dates[0], dates[-1]))
    if first.get("value") is None or last.get("value") is None:
        return "The first and the last test date cannot be compared."
    said = (
        f"From {day(dates[0]['as_of_date'])} to {day(dates[-1]['as_of_date'])} the pairs put right went from "
        f"{of_100(first['value'])} to {of_100(last['value'])} of 100."
    )
    if any(estimate.get(end) is None for estimate in (first, last) for end in ("low", "high")):
        return f"{said} We cannot say whether this is chance."
    apart = first["high"] < last["low"] or last["high"] < first["low"]
    return f"{said} This is more than chance." if apart else f"{said} There is no clear change: this could be chance."


# ---------------------------------------------------------------- 8 audit

AGAINST = {"others": "everybody else", "prediction": "its own risks"}
LOOK_HERE = "look here"
CONTRAST = ("Group", "Compared with", "What", "Verdict", "Ratio (95% interval)", "Why, or what could have been seen")
# metric -> heading; per 100, save for the last
GROUP_METRICS = {
    "recall": "Found by the list, of 100 with the outcome",
    "precision": "Rightly listed, of 100 on the list",
    "fpr": "Listed, of 100 without the outcome",
    "selection_rate": "On the list, of 100",
    "base_rate": "With the outcome, of 100",
    "oe_ratio": "Observed to expected",
}


def audit_tables(study: Study, audit: Row, language: Language) -> dict[str, Table]:
    """The audit as tables: verdicts first, then what stands behind them."""

    def group(row: Row) -> str:
        return f"{capital(attribute_words(study.file, row['attribute']))}: {row.get('label') or row['group']}"

    def contrast(row: Row) -> tuple[Cell, ...]:
        against = AGAINST.get(row.get("against", ""), row.get("reference_label") or row["reference"])
        reason = row.get("reason") or detectable_cell(row)
        return group(row), against, capital(measure_words(row["metric"])), row["verdict"], ratio_cell(row), reason

    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    # Harm first, and last what nobody could judge.
    primary.sort(key=lambda row: 0 if row["verdict"] == "FAIL" else 1 if row.get("ratio") is not None else 2)
    look_here = [row for row in audit["contrasts"] if row["family"] != "primary" and row["verdict"] == LOOK_HERE]
    found = [
        Table(
            caption="Verdicts",
            columns=CONTRAST,
            rows=tuple(contrast(row) for row in primary),
            source="run: audit",
            note=(
                "PASS: the whole interval lies within the limits. FAIL: the whole interval lies outside, and the gap "
                "matters. INSUFFICIENT EVIDENCE: the data cannot tell; it is not a pass."
            ),
        ),
        Table(
            caption="Not audited",
            columns=("Characteristic", "Reason", "Accepted"),
            rows=tuple(
                (capital(str(row["attribute"])), row.get("reason") or "No reason given", bool(row.get("accepted")))
                for row in audit["not_audited"]
            ),
            source="study.yaml: not_audited",
        ),
        Table(
            caption="Who is on the list",
            columns=(
                "Group",
                f"Of 100 {language.many} ranked",
                "Of 100 on the list",
                f"Of 100 {language.that} {language.needed}",
            ),
            rows=tuple(
                (group(row), *(of_100_cell(row.get(key), row) for key in ("in_cohort", "on_list", "in_need")))
                for row in audit.get("composition") or []
            ),
            source="run: audit",
            note="Need is counted among those whose outcome is known.",
        ),
        Table(
            caption="Each group",
            columns=("Group", capital(language.many), f"Known that they {language.needed}", *GROUP_METRICS.values()),
            rows=tuple(_group_cells(group(row), row) for row in audit["rows"]),
            source="run: audit",
        ),
        Table(
            caption="Look here: differences that cannot fail the list alone, but must be answered",
            columns=CONTRAST,
            rows=tuple(contrast(row) for row in look_here),
            source="run: audit",
        ),
        Table(
            caption="Proxies: how well a group can be told from the score (0.5: not at all, 0 or 1: fully)",
            columns=("Group", "From the score", "Flagged"),
            rows=tuple((group(row), _area(row), bool(row.get("flagged"))) for row in audit.get("proxies") or []),
            source="run: audit",
        ),
        Table(
            caption="Group not recorded",
            columns=("Characteristic", "Not recorded, of 100", "Ratio at worst and at best"),
            rows=tuple(line for row in audit.get("missing") or [] for line in _missing_lines(study, row)),
            source="run: audit",
        ),
        Table(
            caption="Protected characteristics that the model uses",
            columns=("Characteristic", "Reason"),
            rows=tuple(
                (capital(attribute_words(study.file, name)), spec.also_feature)
                for name, spec in study.file.protected.items()
                if spec.also_feature
            ),
            source="study.yaml: protected",
        ),
    ]
    names = ("verdicts", "not_audited", "composition", "groups", "look_here", "proxies", "missing", "also_features")
    return dict(zip(names, found, strict=True))


def _group_cells(name: str, row: Row) -> tuple[Cell, ...]:
    """A group that is not shown keeps its line, in words."""
    rates = (with_range(row["metrics"].get(metric) or {}, per_100=metric != "oe_ratio") for metric in GROUP_METRICS)
    return name, count_cell(row.get("n")), count_cell(row.get("positives")), *rates


def _area(row: Row) -> Cell:
    return row.get("reason") or "not computed" if row.get("auc_score") is None else plain(row["auc_score"])


def _missing_lines(study: Study, row: Row) -> list[tuple[Cell, ...]]:
    name, share = capital(attribute_words(study.file, row["attribute"])), of_100_cell(row.get("share"), row)
    bounds = row.get("bounds") or []
    return [
        (f"{name}: {bound['label']}, {measure_words(bound['metric'])}", share, worst_and_best_cell(bound))
        for bound in bounds
    ] or [(name, share, row.get("reason") or "too few to matter")]


def audit_words(audit: Row, study: Study) -> tuple[str, ...]:
    judged = audit["tally"]
    words = [
        f"Of {judged['comparisons']} comparisons, {judged['passed']} passed and {judged['failed']} failed. For "
        f"{judged['insufficient']} the data cannot tell."
    ]
    if audit.get("provisional"):
        words.append(
            "Every verdict is provisional: the outcome is contact with a service, or a service's decision. It is not "
            "need itself."
        )
    words += [str(line) for line in audit.get("in_words") or [] if "FAIL" in str(line)]
    flagged = [row for row in audit.get("proxies") or [] if row.get("flagged")]
    if flagged:
        names = listing(list(dict.fromkeys(attribute_words(study.file, row["attribute"]) for row in flagged)))
        words.append(f"The score gives away {names}: it may act as a stand-in.")
    if audit.get("widened"):
        names = listing([str(name) for name in audit["widened"]])
        words.append(f"The fairness policy was made more lenient than the default: {names}.")
    words.append("No mitigation was tried.")
    return tuple(dict.fromkeys(words))
