"""An audit as sections, each a list of parts that the page knows how to show. What is not there costs no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.answers import HEADING, to_be_answered
from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, LOOK_HERE, PASS
from riskmodels.assessment.audit.words import is_too_few, too_few_in_words
from riskmodels.reports.audit_figures import (
    MARKS,
    SOURCE,
    Figure,
    composition_figures,
    curve_figures,
    limits_of,
    pooled_figures,
    ratio_figures,
    sweep_figures,
)
from riskmodels.reports.audit_hidden import hidden_lines
from riskmodels.reports.audit_tables import (
    by_group,
    changes_table,
    contrasts_table,
    missing_table,
    not_audited_table,
    pooled_table,
    proxies_table,
    sweep_table,
)
from riskmodels.reports.audit_words import (
    METHOD,
    SAFEGUARDS,
    VERDICT_NOTE,
    WHAT_ELSE,
    many,
    summary_of,
    title_of,
)
from riskmodels.reports.cells import label
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import Part, Section, bullets, heading, plain_facts, table, texts, words_explained
from riskmodels.reports.profile_tables import content

Row = Mapping[str, Any]
EXPLORATORY = (
    "Many pairs of groups and other measures were looked at. These differences stand out even so. They cannot fail the "
    "list alone, but each must be answered: why does it differ, and is that as it should be?"
)
NOTHING_STANDS_OUT = "Pairs of groups and other measures were looked at: none stands out."
COMPOSITION = (
    "Where a group's share of the list is well below its share of those in need, the list passes it by. Where it is "
    "well above, the list picks the group more than need explains."
)
SWEEP = "How many are found in each group if there were fewer places, or more. A gap may close with more, or widen."
MISSING = (
    "At worst, all whose group is not recorded and who were missed belong to the one group, and all who were found to "
    "the other; at best the other way round. The true ratio lies between."
)
PROXIES = (
    "How well a group can be told from the risk alone, and from all features together: 0.5 is not at all, 0 and 1 are "
    "certain. "
    "What gives a group away can stand in for it."
)
POOLED = (
    "A small group's own rate moves much by chance. Here each is drawn towards the rate of all, the more so the fewer "
    "there are. This is secondary evidence: no verdict rests on it, and it hides a group that truly differs."
)
AFTER = "Rates judged again, on the list without those whom the service's own rules take off it."
ABOUT = {
    "study": "Study", "question": "Question", "file": "File", "outcome": "Outcome",
    "risk": "Column of risks", "groups": "Groups",
    "capacity": "Places", "threshold": "Listed from a risk of", "selected": "Column of who is on the list",
    "entity": "Column of people", "household": "Column of households", "as_of": "Column of as-of dates",
    "laws": "What the law calls them", "excluded": "Column of who is left out", "features": "Columns of features",
}  # fmt: skip
MOST_OPEN = 8  # rows of a table, or sentences, that need no folding
SAID_ELSEWHERE = ("purpose", "misses")
TERMS = ("AUC", "Base rate", "Bootstrap", "Calibration", "Calibration slope", "Capacity", "Interval",
         "Observed to expected (O/E)", "Precision", "Proxy", "Recall")  # fmt: skip


def audit_outline(found: Row) -> tuple[tuple[Section, ...], list[Figure]]:
    """The sections of a published audit, in order, and its figures.

    Parameters
    ----------
    found : see `riskmodels.reports.audit_page.render_audit`
    """
    ratios, composed = ratio_figures(found), composition_figures(found)
    curves, sweeps, pooled = curve_figures(found), sweep_figures(found), pooled_figures(found)
    parts = [
        ("The verdict", _verdict(found)),
        ("Is each group treated alike?", _ratios(found, ratios)),
        (_what_changed(found), _changes(found)),
        ("Each verdict", _verdicts(found)),
        ("The numbers of each group", _groups(found)),
        ("Who is on the list", [*texts([COMPOSITION]), *_panels(composed)] if composed else []),
        ("Age and other numbers, as curves", _panels(curves)),
        ("With fewer places, and with more", _sweep(found, sweeps)),
        ("Where else to look", _look_here(found)),
        ("Whose group is not recorded", _missing(found)),
        ("Proxies", _proxies(found)),
        ("After the service's own exclusions", _after(found)),
        ("Small groups: pooled estimates", _pooled(found, pooled)),
        ("What was not audited", [table(not_audited_table(found))] if found["not_audited"] else []),
        ("How this was done", _method(found)),
    ]
    numbered = enumerate(((title, each) for title, each in parts if each), 1)
    sections = tuple(Section(number, title, tuple(each)) for number, (title, each) in numbered)
    return sections, [*ratios, *composed, *curves, *sweeps, *pooled]


def _panels(figures: Sequence[Figure]) -> list[Part]:
    """Narrow figures, side by side where the page is wide."""
    return [{"kind": "panels", "figures": list(figures)}] if figures else []


# ---------------------------------------------------------------- the sections


def _verdict(found: Row) -> list[Part]:
    take_care = bullets([f"Take care: {note}" for note in found.get("notes") or ()])
    answers = to_be_answered(found, found["titles"])
    checklist = [heading(HEADING), *_folded(answers)] if answers else []
    return [{"kind": "page_one", "summary": summary_of(found)}, *checklist, *take_care, *texts(SAFEGUARDS)]


def _folded(items: Sequence[str]) -> list[Part]:
    """The first of a long list open, the others folded."""
    cut = len(items) if len(items) <= MOST_OPEN + MOST_OPEN // 2 else MOST_OPEN
    more = list(items[cut:])
    return [
        *bullets(items[:cut]),
        *([{"kind": "list", "items": more, "fold": f"{len(more)} more"}] if more else []),
    ]


def _what_changed(found: Row) -> str:
    """By which column the other list goes, where it is one of the same people."""
    beside = (found.get("changes") or {}).get("beside")
    return f"This list beside the one by {beside}" if beside else "What changed"


def _changes(found: Row) -> list[Part]:
    """Against another audit (`riskmodels.assessment.audit.comparing`): sentences, then comparison by comparison."""
    changes = found.get("changes") or {}
    rows: Sequence[Row] = changes.get("rows") or ()
    said = [str(line) for line in changes.get("in_words") or ()]
    notes = [str(note) for note in changes.get("notes") or () if str(note) not in said]
    first, after = (notes, []) if changes.get("beside") else ([], [f"Take care: {note}" for note in notes])
    return [
        *texts(first),
        *bullets(said[:MOST_OPEN]),
        *([{"kind": "list", "items": said[MOST_OPEN:], "fold": "More of what changed"}] if said[MOST_OPEN:] else []),
        *bullets(after),
        *([table(changes_table(found, rows), fold=True)] if rows else []),
    ]


def _ratios(found: Row, ratios: Sequence[Figure]) -> list[Part]:
    limits = limits_of(found, "recall")
    said = ["Each mark is a group's rate divided by that of the group it is compared with. At 1 they are equal."]
    if limits:
        said.append(
            f"The policy allows ratios from {limits[0]:.2f} to {limits[1]:.2f}. A group passes only if its whole "
            "interval lies there: a mark within the limits is not enough."
        )
    drawn = [*texts([" ".join(said), MARKS]), *_panels(ratios)] if ratios else []
    return [*drawn, *_few(found)]


def _few(found: Row) -> list[Part]:
    """Groups too few to judge, in one list, and what can be done for them instead."""
    named = too_few_in_words(found["contrasts"], found["titles"], many(found))
    if not named:
        return []
    return [
        heading("Too few to judge"),
        *texts(["Not in the figures, since so few give any ratio by chance. That no harm was found says nothing."]),
        {"kind": "list", "items": list(named), "fold": "Groups too few to judge"},
        heading("What can be done where numbers cannot tell"),
        *bullets(WHAT_ELSE),
    ]


def _verdicts(found: Row) -> list[Part]:
    """A table for each verdict: FAILs open, what is long folded; then everybody else."""
    primary = [row for row in found["contrasts"] if row["family"] == "primary"]
    second = [row for row in found["contrasts"] if row["family"] == "second"]
    judged = [row for row in primary if not is_too_few(row)]
    parts: list[Part] = texts([VERDICT_NOTE]) if primary else []
    for verdict in (FAIL, INSUFFICIENT, PASS):
        rows = [row for row in judged if row["verdict"] == verdict]
        if rows:
            shown = contrasts_table(found, rows, f"{verdict}: {len(rows)}")
            parts.append(table(shown, fold=verdict != FAIL and len(rows) > MOST_OPEN))
    few = [row for row in primary if is_too_few(row)]
    if few:
        parts.append(table(contrasts_table(found, few, f"{INSUFFICIENT}, too few: {len(few)}"), fold=True))
    if second:
        second.sort(key=lambda row: row["verdict"] != FAIL)
        note = "A FAIL here counts towards the whole; the other verdicts do not."
        parts.append(table(contrasts_table(found, second, f"Against everybody else: {len(second)}", note), fold=True))
    said = [str(line) for line in found["in_words"][1:]]
    return [*parts, *([{"kind": "list", "items": said, "fold": "Each comparison in words"}] if said else [])]


def _groups(found: Row) -> list[Part]:
    return [part for first, others in by_group(found) for part in (table(first), table(others, fold=True))]


def _sweep(found: Row, sweeps: Sequence[Figure]) -> list[Part]:
    return [*texts([SWEEP]), *_panels(sweeps), table(sweep_table(found), fold=True)] if sweeps else []


def _look_here(found: Row) -> list[Part]:
    """By adjusted p; the first of those that stand out are open."""
    rows = [row for row in found["contrasts"] if row["family"] == "exploratory"]
    if not rows:
        return []
    rows.sort(key=lambda row: 2.0 if row["p_adjusted"] is None else row["p_adjusted"])
    here = [row for row in rows if row["verdict"] == LOOK_HERE]
    others = [row for row in rows if row["verdict"] != LOOK_HERE]
    first, more = here[:MOST_OPEN], here[MOST_OPEN:]
    return [
        *texts([EXPLORATORY if here else NOTHING_STANDS_OUT]),
        *_some(found, first, f"Look here: {len(here)}{', the first ' + str(MOST_OPEN) if more else ''}", fold=False),
        *_some(found, more, f"Look here: {len(more)} more", fold=True),
        *_some(found, others, f"Nothing stands out, or too few: {len(others)}", fold=True),
    ]


def _some(found: Row, rows: Sequence[Row], caption: str, *, fold: bool) -> list[Part]:
    return [table(contrasts_table(found, rows, caption, p=True), fold=fold)] if rows else []


def _proxies(found: Row) -> list[Part]:
    """What is flagged is open."""
    rows: Sequence[Row] = found["proxies"]
    flagged, others = [row for row in rows if row["flagged"]], [row for row in rows if not row["flagged"]]
    if not rows:
        return []
    return [
        *texts([PROXIES if flagged else f"{PROXIES} No group is told well enough to be flagged."]),
        *([table(proxies_table(found, flagged, f"Flagged: {len(flagged)}"))] if flagged else []),
        *([table(proxies_table(found, others, f"Not flagged: {len(others)}"), fold=True)] if others else []),
    ]


def _missing(found: Row) -> list[Part]:
    shown = missing_table(found)
    if not shown["rows"]:
        return []
    bounded = any(row["bounds"] for row in found["missing"])
    return [*texts([MISSING] if bounded else []), table(shown)]


def _after(found: Row) -> list[Part]:
    after = found.get("after_exclusions")
    if not after:
        return []
    rows = [
        [f"{title_of(found, row['attribute'])}: {row['label']}",
         row.get("reason") or "not shown" if row.get("rate") is None else round(100 * row["rate"], 1)]
        for row in after.get("excluded") or ()
    ]  # fmt: skip
    primary = [row for row in after.get("contrasts") or () if row["family"] == "primary" and not is_too_few(row)]
    excluded = content("Whom the service's rules take off", ["Group", "Taken off, of 100"], rows, SOURCE)
    return [
        *texts([AFTER]),
        {"kind": "verdict", "verdict": after["verdict"]},
        *bullets([str(line) for line in (after.get("in_words") or ())[:MOST_OPEN]]),
        *([table(excluded)] if rows else []),
        *([table(contrasts_table(found, primary, "Verdicts after exclusions"), fold=True)] if primary else []),
    ]


def _pooled(found: Row, pooled: Sequence[Figure]) -> list[Part]:
    return [*texts([POOLED]), *_panels(pooled), table(pooled_table(found), fold=True)] if pooled else []


def _method(found: Row) -> list[Part]:
    about = [(ABOUT.get(key, label(key)), _line(value), "") for key, value in found["about"].items()
             if key not in SAID_ELSEWHERE and value not in (None, "", [], (), {})]  # fmt: skip
    below = found["disclosure"]["below"]
    hidden: Sequence[Row] = found.get("hidden") or ()
    rules = []
    if below:
        rules.append(
            f"Counts of fewer than {below} are not shown, others are rounded to {found['disclosure']['rounded_to']}, "
            "and where a hidden count could be worked out from others, more is hidden. Verdicts rest on exact counts."
        )
    rules += [f"The policy is more lenient than the default: {where}." for where in found["widened"]]
    policy = [
        ("Policy", found["policy_name"], ""),
        ("Policy SHA-256", found["policy_sha256"], ""),
        ("Rows", found["n"], ""),
        ("Outcome known", found["known"], ""),
        ("Drawn together", f"{found['units']:,} people, households or rows", ""),
        *(
            (f"Half-width of intervals, {_QUESTIONS.get(name, name)}", f"{width:.2f} standard errors", "")
            for name, width in found["critical_values"].items()
        ),
    ]
    unseen = content("What is not shown", ["Characteristic", "What", "Why"], hidden_lines(found, hidden), SOURCE)
    return [
        plain_facts([*about, *policy]),
        *bullets([*METHOD, *rules]),
        *([table(unseen, fold=True)] if hidden else []),
        *words_explained(*TERMS),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
    ]


_QUESTIONS = {"treatment": "how groups are treated", "meaning": "what risks mean"}


def _line(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {label(str(part)).lower()}" for name, part in value.items())
    return ", ".join(str(one) for one in value) if isinstance(value, (list, tuple)) else value
