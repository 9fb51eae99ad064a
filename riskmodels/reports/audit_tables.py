"""The tables of an audit's page: rates of 100 with their intervals, ratios, and words where there is no number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.verdicts import INSUFFICIENT
from riskmodels.assessment.audit.words import why
from riskmodels.reports.audit_words import METRICS, against, many, metric_name, title_of
from riskmodels.reports.cells import capital
from riskmodels.reports.comparison_words import of_100
from riskmodels.reports.evaluation_figures import per_100
from riskmodels.reports.evaluation_outline import without_blanks
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
SOURCE = "the audit"
# Of a group, besides what the list does to it.
OTHERS = ("recall", "fpr", "fdr", "for", "base_rate", "oe_ratio", "calibration_slope", "auc")


def who(found: Row, row: Row) -> str:
    return f"{title_of(found, row['attribute'])}: {row['label']}"


def estimate_in_words(estimate: Row, *, rate: bool) -> str:
    """``35 of 100 (30 to 41)``, or ``0.98 (0.93 to 1.04)``, or why there is no number."""
    if estimate.get("value") is None:
        return str(estimate.get("reason") or "not computed")
    say = of_100 if rate else "{:.2f}".format
    said = f"{say(estimate['value'])} of 100" if rate else say(estimate["value"])
    if estimate.get("low") is None or estimate.get("high") is None:
        return said
    return f"{said} ({say(estimate['low'])} to {say(estimate['high'])})"


def ratio_in_words(row: Row) -> str:
    """``0.85 (0.71 to 1.02)``; a side without a limit says so."""
    if row["ratio"] is None:
        return "not shown" if row["low"] is None else f"at least {row['low']:.2f}"
    if row["low"] is None:
        return f"{row['ratio']:.2f}"
    return (
        f"{row['ratio']:.2f} ({row['low']:.2f} to {'no limit' if row['high'] is None else format(row['high'], '.2f')})"
    )


def contrasts_table(
    found: Row, rows: Sequence[Row], caption: str, note: str | None = None, *, p: bool = False
) -> Row:  # fmt: skip
    """Comparisons, each with its verdict; with ``p``, adjusted for how many were made."""
    lines = [
        [
            who(found, row), row["verdict"], metric_name(found, row["metric"]), against(row), ratio_in_words(row),
            _p(row) if p else "", _smallest(row), _why(row),
        ]
        for row in rows
    ]  # fmt: skip
    columns = [
        "Group", "Verdict", "What", "Compared with", "Ratio (95% interval)", "Adjusted p",
        "Would have been seen, if as far from 1 as", "Remark",
    ]  # fmt: skip
    return without_blanks(content(caption, columns, lines, SOURCE, note))


def _p(row: Row) -> str:
    if row["p_adjusted"] is None:
        return ""
    return "0.001 or less" if row["p_adjusted"] <= 0.001 else f"{row['p_adjusted']:.2g}"


def _smallest(row: Row) -> str:
    smallest = row["minimum_detectable"]
    return "" if smallest is None or row["verdict"] != INSUFFICIENT else f"{smallest:.2f}"


def _why(row: Row) -> str:
    """Who is worse off, and the reason for a verdict where it says more than the verdict itself."""
    worse = f"{row['worse_off']}: worse off" if row["worse_off"] else ""
    return capital("; ".join(filter(None, (worse, why(row)))))


def by_group(found: Row) -> Iterator[tuple[Row, Row]]:
    """For each characteristic two tables of its groups: what the list does to them, and all other measures."""
    verdicts = {row["metric"] for row in found["contrasts"] if row["family"] == "primary"}
    first = [
        metric for metric in METRICS if metric in PROPORTIONS and metric in verdicts | {"precision", "selection_rate"}
    ]
    known = {metric for row in found["rows"] for metric in row["metrics"]}
    others = [metric for metric in OTHERS if metric in known and metric not in first]
    counted = {"n": capital(many(found)), "positives": "With the outcome", "selected": "On the list"}
    note = "In brackets the 95% interval."
    for name in found["titles"]:
        rows = [row for row in found["rows"] if row["attribute"] == name]
        title = title_of(found, name)
        yield (
            content(
                title, ["Group", *_names(found, first), *counted.values()],
                [
                    [
                        capital(str(row["label"])), *_estimates(row, first),
                        *("not shown" if row[key] is None else row[key] for key in counted),
                    ]
                    for row in rows
                ],
                SOURCE, f"{note} Counts are rounded." if found["disclosure"]["below"] else note,
            ),
            content(
                f"{title}: other measures", ["Group", *_names(found, others)],
                [[capital(str(row["label"])), *_estimates(row, others)] for row in rows], SOURCE, note,
            ),
        )  # fmt: skip


def _names(found: Row, metrics: Sequence[str]) -> list[str]:
    return [metric_name(found, metric) for metric in metrics]


def _estimates(row: Row, metrics: Sequence[str]) -> list[str]:
    return [estimate_in_words(row["metrics"].get(metric, {}), rate=metric in PROPORTIONS) for metric in metrics]


def changes_table(found: Row, rows: Sequence[Row]) -> Row:
    """What changed since another audit, contrast by contrast."""
    lines = [
        [
            who(found, row), row["verdict"], metric_name(found, row["metric"]), against(row),
            *(_then(row[side]) for side in ("before", "after")),
            "" if row["change"] is None else estimate_in_words({**row, "value": row["change"]}, rate=False), _p(row),
            row["reason"] or "",
        ]
        for row in rows
    ]  # fmt: skip
    columns = ["Group", "In words", "What", "Compared with", "Before", "After", "Change", "Adjusted p", "Remark"]
    note = "Change: the ratio after, divided by that before; of slopes, the difference. In brackets the 95% interval."
    return without_blanks(content("Comparison by comparison", columns, lines, SOURCE, note))


def _then(side: Row | None) -> str:
    """What one of two audits said of a comparison."""
    if not side:
        return "not compared"
    ratio = "not shown" if side.get("ratio") is None else f"{side['ratio']:.2f}"
    return f"{ratio}: {side['verdict']}" if side.get("verdict") else ratio


def missing_table(found: Row) -> Row:
    """How many have no group recorded, and the ratios at worst and at best; only where there is something to say."""
    lines = []
    for row in found["missing"]:
        if not row["share"] and not row.get("reason"):
            continue
        share = row.get("reason") or "not shown" if row["share"] is None else per_100(row["share"])
        bounds: Sequence[Row] = row["bounds"] or ()
        name = title_of(found, row["attribute"])
        lines += [
            [name, share, bound["label"], metric_name(found, bound["metric"]), _bounds(bound)] for bound in bounds
        ] or [[name, share, "", "", "" if row["share"] is None else row.get("reason") or "too few to matter"]]
    columns = ["Characteristic", "Not recorded, of 100", "Group", "What", "Ratio at worst and at best"]
    return without_blanks(content("Whose group is not recorded", columns, lines, SOURCE))


def _bounds(bound: Row) -> str:
    low, high = (bound[end] for end in ("low", "high"))
    return (
        f"{'no limit' if low is None else format(low, '.2f')} to {'no limit' if high is None else format(high, '.2f')}"
    )


def proxies_table(found: Row, rows: Sequence[Row], caption: str) -> Row:
    """How well groups can be told from the risk and from the features, and what carries it."""
    lines = [
        [
            who(found, row), *(_area(row, key) for key in ("auc_score", "auc_features")),
            _carried(row.get("carried_by") or ()),
        ]
        for row in rows
    ]  # fmt: skip
    columns = ["Group", "From the risk alone", "From all features", "Carried by"]
    return without_blanks(content(caption, columns, lines, SOURCE))


def _carried(parts: Sequence[Row]) -> str:
    return ", ".join(f"{part['feature'].replace('_', ' ')} ({per_100(part['share']):g} of 100)" for part in parts)


def _area(row: Row, key: str) -> Any:
    """The area; where there is none at all, why."""
    if row.get(key) is not None:
        return row[key]
    return row.get("reason") or "" if row.get("auc_score") is None and row.get("auc_features") is None else ""


def not_audited_table(found: Row) -> Row:
    lines = [
        [capital(str(row["attribute"]).replace("_", " ")), row["reason"] or "No reason given", bool(row["accepted"])]
        for row in found["not_audited"]
    ]
    note = "One that was not accepted stops the list: NOT AUDITED."
    return content("Not audited", ["Characteristic", "Reason", "Accepted"], lines, SOURCE, note)


def sweep_table(found: Row) -> Row:
    """Every group at every number of places."""
    lines = [
        [
            who(found, row), row["share"],
            *(estimate_in_words(row[metric], rate=True) for metric in ("recall", "selection_rate")),
        ]
        for row in found["sweep"]
    ]  # fmt: skip
    columns = ["Group", "Times today's places", metric_name(found, "recall"), metric_name(found, "selection_rate")]
    return content("All groups, by the number of places", columns, lines, SOURCE)


def pooled_table(found: Row) -> Row:
    """Own and pooled rates, with the pooled ratio to the rate of all."""
    lines = []
    for row in found["pooled"]:
        pooled = {"value": row["value"], "low": row["low"], "high": row["high"], "reason": row.get("reason")}
        ratio = {"value": row["ratio"], "low": row["ratio_low"], "high": row["ratio_high"], "reason": ""}
        own = {"value": row["own"], "reason": row.get("reason")}
        lines.append(
            [
                who(found, row), metric_name(found, row["metric"]), estimate_in_words(own, rate=True),
                estimate_in_words(pooled, rate=True),
                "" if row["ratio"] is None else estimate_in_words(ratio, rate=False),
            ]
        )  # fmt: skip
    columns = ["Group", "What", "Its own", "Pooled (95% interval)", "Pooled ratio (95% interval)"]
    return without_blanks(content("Own rates and pooled ones", columns, lines, SOURCE))
