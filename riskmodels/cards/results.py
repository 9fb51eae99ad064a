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
    spelled,
    value_cell,
    with_range,
)
from riskmodels.cards.words import (
    FAMILIES,
    Language,
    attribute_words,
    capital,
    day,
    label,
    listing,
    meaning_of,
    measure_words,
    of_100,
)
from riskmodels.study import Study

Row = Mapping[str, Any]
AGAINST = {"others": "everybody else", "prediction": "its own risks"}
# Verdicts of exploratory contrasts that must be answered.
LOOK_HERE = ("look here", "FAIL", "INSUFFICIENT EVIDENCE")


# ---------------------------------------------------------------- 7 how well


def performance_tables(performance: Mapping[str, Any], language: Language, column: str | None) -> dict[str, Table]:
    return {
        "list": _list_table(performance.get("at_capacity") or {}, language),
        "families": _families_table(performance, language, column),
        "per_date": _per_date_table(performance.get("per_date") or [], language),
        "measures": Table(
            caption="Measures, for specialists",
            columns=("Measure", "Value", "95% interval", "What it means"),
            rows=tuple(
                (measure_words(name), value_cell(estimate), interval_cell(estimate), meaning_of(name))
                for name, estimate in (performance.get("overall") or {}).items()
            ),
            source="run: performance",
        ),
    }


def _list_table(at: Mapping[str, Any], language: Language) -> Table:
    many, known = language.many, " (among those whose outcome is known)"
    bounds = at.get("precision_bounds") or [None, None]
    recall_bounds = at.get("recall_bounds") or [None, None]
    some_unknown = bool(at.get("leads_with_bounds"))
    rows: list[tuple[Cell, ...]] = []
    if some_unknown:
        rows += [
            (
                f"On the list, and {language.needed}",
                bounds_cell(bounds),
                "Outcome not known for some: these are the two extremes",
            ),
            (f"{capital(language.needed)}, and are on the list", bounds_cell(recall_bounds), "As above"),
        ]
    precision, recall = at.get("precision") or {}, at.get("recall") or {}
    tail = known if some_unknown else ""
    rows += [
        (
            f"On the list, and {language.needed}{tail}",
            of_100_cell(precision.get("value"), precision),
            range_cell(precision),
        ),
        (
            f"{capital(language.needed)}, and are on the list{tail}",
            of_100_cell(recall.get("value"), recall),
            range_cell(recall),
        ),
        ("On the list, and the outcome is not known", of_100_cell(at.get("unknown_share")), ""),
        (f"All {many}: on the list", of_100_cell(at.get("selection_rate")), ""),
    ]
    return Table(
        caption=f"The list, of 100 {many} each time",
        columns=("Who", "Of 100", "Could be (95% interval)"),
        rows=tuple(rows),
        source="run: performance",
        note=f"{count_cell(at.get('selected'))} were on the list; the outcome is known for {count_cell(at.get('known'))} of them and not for {count_cell(at.get('unknown'))}.",
    )


def _families_table(performance: Mapping[str, Any], language: Language, column: str | None) -> Table:
    chosen = (performance.get("comparison") or {}).get("chosen")
    rows = []
    for row in performance.get("families") or []:
        words = (
            f"a simple sort by {column}"
            if row["model"] == "single_best_column" and column
            else FAMILIES.get(row["model"], row["model"])
        )
        words = capital(words) + (" (chosen)" if row["model"] == chosen else "")
        precision, auc = row.get("precision_at_k") or {}, row.get("auc") or {}
        rows.append(
            (
                words, with_range(precision, per_100=True), with_range(auc, per_100=True), with_range(row.get("brier_score") or {}),
                with_range(row.get("difference") or {}) if row.get("difference") else "–",
            )
        )  # fmt: skip
    criterion = label((performance.get("comparison") or {}).get("criterion") or "brier_score").lower()
    note = f"Ranges are 95% intervals. Gain: how much lower the {criterion} is than that of the best simple rule; above 0 is better."
    if (performance.get("at_capacity") or {}).get("leads_with_bounds"):
        note += " All figures are for those whose outcome is known, who may differ from the rest."
    return Table(
        caption="Against simple rules, on the same people",
        columns=(
            "Way of choosing", f"Of 100 on its list, {language.needed}", "Of 100 pairs, put the right one first (AUC)", "Brier score (lower is better)", "Gain",
        ),
        rows=tuple(rows),
        source="run: performance",
        note=note,
    )  # fmt: skip


def _per_date_table(dates: Sequence[Row], language: Language) -> Table:
    rows = tuple(
        (
            day(row["as_of_date"]), count_cell(row.get("n")), count_cell(row.get("known")), count_cell(row.get("events")), with_range(row.get("auc") or {}, per_100=True),
            with_range(row.get("oe_ratio") or {}), with_range(row.get("precision_at_k") or {}, per_100=True),
        )
        for row in dates
    )  # fmt: skip
    return Table(
        caption="Each test date",
        columns=(
            "As of", capital(language.many), "Outcome known", "Came about", "Of 100 pairs, right one first", "Observed to expected",
            f"Of 100 on the list, {language.needed}",
        ),
        rows=rows,
        source="run: performance",
    )  # fmt: skip


def performance_words(study: Study, performance: Mapping[str, Any], language: Language) -> tuple[str, ...]:
    """Last month, last year, neighbours, in words."""
    words = []
    dates = performance.get("per_date") or []
    if study.file.clock == "relative":
        words.append("Nothing here was tested on the future: the data have no calendar.")
    auc = (performance.get("overall") or {}).get("auc") or {}
    if auc.get("value") is not None:
        words.append(
            f"Take one of the {language.many} who {language.needed}, and one who {language.not_needed}. Of 100 such pairs, the ranking puts "
            f"the right one first in {of_100(auc['value'])}. A coin would do so in 50."
        )
    oe = (performance.get("overall") or {}).get("oe_ratio") or {}
    if oe.get("value") is not None:
        words.append(f"For each 100 cases that the risks add up to, {oe['value'] * 100:.0f} came about.")
    if len(dates) < 2:
        words.append("There is one test date, so there is no last year to compare with.")
    else:
        first, last = dates[0], dates[-1]
        pair = [(row.get("auc") or {}).get("value") for row in (first, last)]
        if None not in pair:
            words.append(
                f"From {day(first['as_of_date'])} to {day(last['as_of_date'])} the pairs put right went from {of_100(pair[0])} to "
                f"{of_100(pair[1])} of 100. {_clear_change(first['auc'], last['auc'])}"
            )
    words.append("No neighbouring area was compared.")
    if "current_practice" not in {row["model"] for row in performance.get("families") or []}:
        words.append("There is no record of today's choices, so the list could not be compared with them.")
    return tuple(words)


def _clear_change(first: Row, last: Row) -> str:
    if any(estimate.get("low") is None for estimate in (first, last)):
        return "We cannot say whether this is chance."
    apart = first["high"] < last["low"] or last["high"] < first["low"]
    return "This is more than chance." if apart else "There is no clear change: this could be chance."


# ---------------------------------------------------------------- 8 audit


def audit_tables(study: Study, audit: Mapping[str, Any], language: Language) -> dict[str, Table]:
    labels = {(row["attribute"], row["group"]): row["label"] for row in audit["rows"]}

    def contrast(row: Row) -> tuple[Cell, ...]:
        name = row.get("label") or labels.get((row["attribute"], row["group"]), row["group"])
        against = row.get("reference_label") or labels.get((row["attribute"], row["reference"]), row["reference"])
        if row.get("against") in AGAINST:
            against = AGAINST[row["against"]]
        return (
            capital(attribute_words(study.file, row["attribute"])), name, against, label(measure_words(row["metric"])),
            ratio_cell(row), row["verdict"], row.get("reason") or detectable_cell(row),
        )  # fmt: skip

    columns = (
        "Characteristic",
        "Group",
        "Compared with",
        "What",
        "Ratio (95% interval)",
        "Verdict",
        "Why, or what could have been seen",
    )
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    look_here = [row for row in audit["contrasts"] if row["family"] != "primary" and row["verdict"] in LOOK_HERE]
    metrics = ("recall", "precision", "fpr", "selection_rate", "base_rate", "oe_ratio")
    # A flat table must not read better than it is: groups that are not shown stay in it, in words.
    rows = tuple(
        (
            capital(attribute_words(study.file, row["attribute"])), row["label"], count_cell(row.get("n")), count_cell(row.get("positives")),
            *(with_range(row["metrics"].get(metric) or {}, per_100=metric != "oe_ratio") for metric in metrics),
        )
        for row in audit["rows"]
    )  # fmt: skip
    tables = {
        "verdicts": Table(
            caption="Verdicts",
            columns=columns,
            rows=tuple(contrast(row) for row in primary),
            source="run: audit",
            note="PASS: the whole interval lies within the limits. FAIL: the whole interval lies outside, and the gap matters. "
            "INSUFFICIENT EVIDENCE: the data cannot tell; it is not a pass.",
        ),
        "groups": Table(
            caption="Each group",
            columns=(
                "Characteristic", "Group", capital(language.many), f"Known that they {language.needed}", "Found by the list, of 100 with the outcome",
                "Rightly listed, of 100 on the list", "Listed, of 100 without the outcome", "On the list, of 100", "With the outcome, of 100",
                "Observed to expected",
            ),
            rows=rows,
            source="run: audit",
        ),
        "look_here": Table(
            caption="Look here: differences that cannot fail the list alone, but must be answered",
            columns=columns, rows=tuple(contrast(row) for row in look_here), source="run: audit",
        ),
        "not_audited": Table(
            caption="Not audited",
            columns=("Characteristic", "Reason", "Accepted"),
            rows=tuple((capital(str(row["attribute"])), row.get("reason") or "No reason given", "yes" if row.get("accepted") else "no") for row in audit["not_audited"]),
            source="study.yaml: not_audited",
        ),
        "proxies": Table(
            caption="Proxies: how well a group can be told from the score (0.5: not at all, 1: fully)",
            columns=("Characteristic", "Group", "From the score", "From all fields", "Flagged"),
            rows=tuple(
                (
                    capital(attribute_words(study.file, row["attribute"])), labels.get((row["attribute"], row["group"]), row["group"]),
                    plain(row.get("auc_score")), plain(row.get("auc_features")), "yes" if row.get("flagged") else "no",
                )
                for row in audit.get("proxies") or []
            ),
            source="run: audit",
        ),
    }  # fmt: skip
    missing = [row for row in audit.get("missing") or []]
    if missing:
        tables["missing"] = Table(
            caption="Group not recorded",
            columns=("Characteristic", "Not recorded, of 100", "Best and worst case"),
            rows=tuple(
                (
                    capital(attribute_words(study.file, row["attribute"])),
                    of_100_cell(row.get("share")),
                    spelled(row.get("bounds")),
                )
                for row in missing
            ),
            source="run: audit",
        )
    reasons = [(name, spec.also_feature) for name, spec in study.file.protected.items() if spec.also_feature]
    if reasons:
        tables["also_features"] = Table(
            caption="Protected characteristics that the model uses",
            columns=("Characteristic", "Reason"),
            rows=tuple((capital(attribute_words(study.file, name)), reason) for name, reason in reasons),
            source="study.yaml: protected",
        )
    return tables


def audit_words(audit: Mapping[str, Any], study: Study) -> tuple[str, ...]:
    judged = audit["tally"]
    words = [
        f"Verdict: {audit['verdict']}. Of {judged['comparisons']} comparisons, {judged['passed']} passed, {judged['failed']} failed, and for "
        f"{judged['insufficient']} the data cannot tell."
    ]
    if audit.get("provisional"):
        words.append(
            "Every verdict is provisional: the outcome is contact with a service, or a service's decision, and not need itself."
        )
    words += [str(line) for line in audit.get("in_words") or [] if "FAIL" in str(line)]
    flagged = [row for row in audit.get("proxies") or [] if row.get("flagged")]
    if flagged:
        names = listing(list(dict.fromkeys(attribute_words(study.file, row["attribute"]) for row in flagged)))
        words.append(f"The score gives away {names}: it may act as a stand-in.")
    words.append("No mitigation was tried.")
    return tuple(dict.fromkeys(words))
