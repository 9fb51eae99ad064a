"""Section 8 of the card as tables: the verdicts, and what stands behind them.

Groups of one characteristic that are alike in what cannot be said of them share a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.audit.contrasts import harmful_side
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, LOOK_HERE
from riskmodels.assessment.audit.words import (
    beyond_chance,
    is_too_few,
    what_the_data_tell,
    why,
)
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import (
    count_cell,
    of_100_cell,
    ratio_cell,
    with_range,
    with_range_foreseen,
    worst_and_best_cell,
)
from riskmodels.cards.words import Language, attribute_words, capital, listing, measure_words
from riskmodels.study import Study

Row = Mapping[str, Any]

CALIBRATION_METRICS = ("oe_ratio", "calibration_slope")
AGAINST = {"others": "everybody else", "prediction": "its own risks"}
CONTRAST = ("Group", "Compared with", "What", "Verdict", "Ratio (95% interval)", "Why, or what would have shown")
LEGEND = (
    "PASS: the whole interval lies within the limits. FAIL: the whole interval lies outside, and the gap matters. "
    "INSUFFICIENT EVIDENCE: the data cannot tell whether there is a gap that is large enough to matter, or, where the "
    "last column says so, the gap is real but within what the fairness policy allows. Neither is a pass."
)
NOT_SHOWN = "Not shown: a small number of people, or one that would give it away."
# metric -> heading; all per 100
GROUP_METRICS = {
    "recall": "Found by the list, of 100 with the outcome",
    "precision": "Rightly listed, of 100 on the list",
    "fpr": "Listed, of 100 without the outcome",
    "selection_rate": "On the list, of 100",
    "base_rate": "With the outcome, of 100",
    "oe_ratio": "Came about, for each 100 foreseen",
}


@dataclass(frozen=True)
class Named:
    """How the groups of a study are called."""

    study: Study
    language: Language

    def title(self, attribute: str) -> str:
        return capital(attribute_words(self.study.file, attribute))

    def groups(self, rows: Sequence[Row]) -> str:
        """``Age: under 45 and 45-54``, for rows of one characteristic."""
        return f"{self.title(rows[0]['attribute'])}: {listing([str(row.get('label') or row['group']) for row in rows])}"

    def reason(self, row: Row) -> str:
        """Why there is no verdict, said of those whom the study counts."""
        return why(row).replace("people", self.language.many)


def audit_tables(study: Study, audit: Row, language: Language) -> dict[str, Table]:
    """The audit as tables: verdicts first, then what stands behind them."""
    named = Named(study, language)
    primary = [row for row in audit["contrasts"] if row["family"] == "primary"]
    rates = [row for row in primary if row["metric"] not in CALIBRATION_METRICS]
    return {
        "verdicts": _verdicts("Verdicts: is each group treated alike?", rates, named),
        "others": _others(audit, named),
        "risks": _verdicts(
            "Verdicts: does a risk mean the same in each group?",
            [row for row in primary if row["metric"] in CALIBRATION_METRICS],
            named,
        ),
        "not_audited": Table(
            caption="Not audited",
            columns=("Characteristic", "Reason", "Accepted"),
            rows=tuple(
                (capital(str(row["attribute"])), row.get("reason") or "No reason given", bool(row.get("accepted")))
                for row in audit["not_audited"]
            ),
            source="study.yaml: not_audited",
        ),
        "composition": _composition(audit, named),
        "look_here": Table(
            caption="Gaps that stand out: they alone cannot fail the list, but somebody must answer for each",
            columns=CONTRAST,
            rows=contrast_lines(
                [r for r in audit["contrasts"] if r["family"] == "exploratory" and r["verdict"] == LOOK_HERE], named
            ),
            source="run: audit",
        ),
        "also_features": Table(
            caption="Protected characteristics that the model was offered",
            columns=("Characteristic", "Reason"),
            rows=tuple(
                (named.title(name), spec.also_feature)
                for name, spec in study.file.protected.items()
                if spec.also_feature
            ),
            source="study.yaml: protected",
        ),
        "groups": _groups(audit, named),
        "missing": Table(
            caption="Group not recorded",
            columns=("Characteristic", "Not recorded, of 100", "Ratio at worst and at best"),
            rows=tuple(line for row in audit.get("missing") or [] for line in _missing_lines(named, row)),
            source="run: audit",
        ),
    }


# ---------------------------------------------------------------- contrasts


def _verdicts(caption: str, rows: Sequence[Row], named: Named) -> Table:
    return Table(
        caption=caption, columns=CONTRAST, rows=contrast_lines(rows, named), source="run: audit", note=LEGEND
    )  # fmt: skip


def _others(audit: Row, named: Named) -> Table:
    """Each group against everybody else: what fails, and what is more than chance."""
    rows = [row for row in audit["contrasts"] if row["family"] == "second"]
    told = told_of_others(audit["contrasts"])
    note = (
        f"Of {len(rows)} comparisons, only what fails or is more than chance stands here. The others may be chance, or "
        "are too few to judge or to show. A FAIL here counts as any other. INSUFFICIENT EVIDENCE is "
        "not a pass."
    )
    return Table(
        caption="Verdicts: each group against everybody else",
        columns=CONTRAST,
        rows=contrast_lines(told, named),
        source="run: audit",
        note=note,
    )


def told_of_others(contrasts: Sequence[Row]) -> list[Row]:
    """Of the comparisons with everybody else, those that a table names: what fails, and what is more than chance."""
    rows = [row for row in contrasts if row["family"] == "second"]
    return [row for row in rows if row["verdict"] == FAIL or (beyond_chance(row) and not is_too_few(row))]


def contrast_lines(contrasts: Sequence[Row], named: Named) -> tuple[tuple[Cell, ...], ...]:
    """Harm first, then what could not be told, what passed, what is not shown, and what is too few to judge.

    Groups of which no more can be said share a line: too few to judge in the same way, or not shown. Each group whose
    ratio is shown has a line of its own.
    """
    return tuple(_contrast_line(rows, named) for rows in lines_of(contrasts))


def lines_of(contrasts: Sequence[Row]) -> list[list[Row]]:
    """The comparisons of each line of a table, in the order of its lines."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for place, row in enumerate(contrasts):
        shared = row["verdict"] != FAIL and (is_too_few(row) or _is_hidden(row))
        own = () if shared else (place,)
        key = (row["attribute"], row["reference"], row["metric"], row["verdict"], row.get("reason"), *own)
        alike.setdefault(key, []).append(row)
    return sorted(alike.values(), key=_rank)


def _is_hidden(row: Row) -> bool:
    return row.get("ratio") is None and row.get("low") is None


def _rank(rows: Sequence[Row]) -> int:
    row = rows[0]
    if row["verdict"] == FAIL:
        return 0
    if is_too_few(row):
        return 4
    if _is_hidden(row):
        return 3
    return 1 if row["verdict"] in (INSUFFICIENT, LOOK_HERE) else 2


def _contrast_line(rows: Sequence[Row], named: Named) -> tuple[Cell, ...]:
    row = rows[0]
    against = AGAINST.get(row.get("against", ""), row.get("reference_label") or row["reference"])
    ratio = "too few" if len(rows) > 1 and is_too_few(row) else "; ".join(dict.fromkeys(map(ratio_cell, rows)))
    told = what_the_data_tell(rows) if row["verdict"] == INSUFFICIENT else ""
    if row["verdict"] == INSUFFICIENT and _is_hidden(row) and not why(row):
        told = "The data cannot tell."
    said = " ".join(part for part in (_sentence(named.reason(row)), told) if part)
    return named.groups(rows), against, _what(row["metric"], named), row["verdict"], ratio, said


def _what(metric: str, named: Named) -> str:
    """What is compared, and on which side of 1 the group itself is the worse off."""
    said, side = capital(measure_words(metric)), harmful_side(metric, named.study.file.purpose)
    return f"{said} ({side} 1 is worse)" if side else said


def _sentence(text: str) -> str:
    return f"{capital(text)}." if text else ""


# ---------------------------------------------------------------- groups


def lines_by_group(
    rows: Sequence[Row],
    named: Named,
    cells: Callable[[Row], tuple[Cell, ...]],
    is_hidden: Callable[[Row], bool],
    hidden: Callable[[Sequence[Row]], tuple[Cell, ...]],
) -> tuple[tuple[Cell, ...], ...]:
    """A line for each group; those of which nothing is shown share one at the end of their characteristic.

    Parameters
    ----------
    cells : what follows the name of a group
    hidden : what follows the names of groups that are hidden
    """
    lines: list[tuple[Cell, ...]] = []
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        lines += [(named.groups([row]), *cells(row)) for row in own if not is_hidden(row)]
        if unseen := [row for row in own if is_hidden(row)]:
            lines.append((named.groups(unseen), *hidden(unseen)))
    return tuple(lines)


def joined(cells: Sequence[Cell]) -> Cell:
    """Cells of groups that share a line, in the order of their names."""
    if len(cells) == 1 or len(set(cells)) == 1:
        return cells[0]
    return listing([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells])


def briefly(cell: Cell) -> Cell:
    """Why a number is not shown stands once, below the table."""
    return "not shown" if isinstance(cell, str) and cell.startswith("not shown") else cell


def reason_of(rows: Sequence[Row], *reasons: str | None) -> str:
    return next((reason for reason in (*(row.get("reason") for row in rows), *reasons) if reason), "not shown")


def _composition(audit: Row, named: Named) -> Table:
    language, shares = named.language, ("in_cohort", "on_list", "in_need")

    def hidden(rows: Sequence[Row]) -> tuple[Cell, ...]:
        ranked = [of_100_cell(row.get("in_cohort"), row) for row in rows]
        return joined(ranked), reason_of(rows), "not shown"

    return Table(
        caption="Who is on the list, beside who is ranked and who needs it",
        columns=(
            "Group",
            f"Of 100 {language.many} ranked",
            "Of 100 on the list",
            f"Of 100 {language.that} {language.needed}",
        ),
        rows=lines_by_group(
            audit.get("composition") or [],
            named,
            lambda row: tuple(of_100_cell(row.get(key), row) for key in shares),
            lambda row: row.get("on_list") is None and row.get("in_need") is None,
            hidden,
        ),
        source="run: audit",
        note="Need is counted among those whose outcome is known.",
    )


def _groups(audit: Row, named: Named) -> Table:
    language = named.language

    def cells(row: Row) -> tuple[Cell, ...]:
        rates = (_rate(metric, row["metrics"].get(metric) or {}) for metric in GROUP_METRICS)
        return tuple(briefly(cell) for cell in (count_cell(row.get("n")), count_cell(row.get("positives")), *rates))

    def is_hidden(row: Row) -> bool:
        found = (row["metrics"].get(metric) or {} for metric in GROUP_METRICS)
        return all(estimate.get("value") is None for estimate in found)

    def hidden(rows: Sequence[Row]) -> tuple[Cell, ...]:
        sizes = joined([briefly(count_cell(row.get("n"))) for row in rows])
        return sizes, *["not shown"] * (1 + len(GROUP_METRICS))

    return Table(
        caption="Each group",
        columns=("Group", capital(language.many), f"Known that they {language.needed}", *GROUP_METRICS.values()),
        rows=lines_by_group(audit["rows"], named, cells, is_hidden, hidden),
        source="run: audit",
        note=NOT_SHOWN if named.study.file.disclosure != "places" else None,
    )


def _rate(metric: str, estimate: Row) -> Cell:
    return with_range_foreseen(estimate) if metric == "oe_ratio" else with_range(estimate, per_100=True)


def _missing_lines(named: Named, row: Row) -> list[tuple[Cell, ...]]:
    name, share = named.title(row["attribute"]), of_100_cell(row.get("share"), row)
    bounds = row.get("bounds") or []
    return [
        (f"{name}: {bound['label']}, {measure_words(bound['metric'])}", share, worst_and_best_cell(bound))
        for bound in bounds
    ] or [(name, share, row.get("reason") or "too few to matter")]
