"""Section 8 looked at closer: groups too few to judge, other numbers of places, age, pooled rates, the service's own
rules, proxies, and what was tried against a gap.

``PARTS`` is the table of them: each is made of what the published audit holds, and left out where it holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.audit.answers import HEADING as TO_BE_ANSWERED
from riskmodels.assessment.audit.answers import to_be_answered
from riskmodels.assessment.audit.further.exclusions import judged_again_in_words
from riskmodels.assessment.audit.words import too_few_in_words
from riskmodels.cards.audit_tables import (
    CALIBRATION_METRICS,
    CONTRAST,
    LEGEND,
    Named,
    briefly,
    contrast_lines,
    joined,
    lines_by_group,
    reason_of,
)
from riskmodels.cards.card import Cell, CloserPart, Table
from riskmodels.cards.cells import of_100_cell, plain, ratio_cell, with_range
from riskmodels.cards.mitigation_tables import mitigation_part
from riskmodels.cards.words import capital, feature_words, listing, measure_words, of_100
from riskmodels.reports.audit_words import WHAT_ELSE

Row = Mapping[str, Any]
PLACES = {
    0.25: "A quarter of the places", 0.5: "Half", 0.75: "Three quarters", 1: "Today's places",
    1.5: "Half as many again", 2: "Twice as many", 3: "Three times as many",
}  # fmt: skip
MOST_CARRIERS, LEAST_CARRIED = 3, 0.05
MOST_POINTS = 20


@dataclass(frozen=True)
class Audited:
    """What the parts are made from: the audit as published, and the words of its study."""

    audit: Row
    named: Named

    def found(self, key: str) -> Sequence[Row]:
        return self.audit.get(key) or ()


def closer_audit(audited: Audited) -> tuple[CloserPart, ...]:
    """Every part that there is something to say in."""
    return tuple(part for build in PARTS if (part := build(audited)) is not None)


# ---------------------------------------------------------------- what is left to people, and too few


def answers(audited: Audited) -> CloserPart | None:
    """What somebody must answer for by name before the list is used."""
    titles = {row["attribute"]: audited.named.title(row["attribute"]) for row in audited.found("contrasts")}
    items = to_be_answered(audited.audit, titles)
    if not items:
        return None
    return CloserPart(id="to_be_answered", heading=TO_BE_ANSWERED, words=(), items=items, tables={})


def too_few(audited: Audited) -> CloserPart | None:
    """Who cannot be judged, and what can be done for them all the same."""
    titles = {row["attribute"]: audited.named.title(row["attribute"]) for row in audited.found("contrasts")}
    said = too_few_in_words(audited.found("contrasts"), titles, audited.named.language.many)
    if not said:
        return None
    return CloserPart(
        id="too_few",
        heading="Groups too few to judge, and what else can be done",
        words=(*said, "No numbers will settle this soon. So, for each of these groups:"),
        items=WHAT_ELSE,
        tables={},
    )


# ---------------------------------------------------------------- other lists


def places(audited: Audited) -> CloserPart | None:
    """Whom the list would find with fewer places, and with more."""
    rows = audited.found("sweep")
    if not rows:
        return None
    language = audited.named.language
    shares = sorted({float(row["share"]) for row in rows})
    by_group: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        group = by_group.setdefault((row["attribute"], row["group"]), {**row, "at": {}})
        group["at"][float(row["share"])] = row.get("recall") or {}
    groups = list(by_group.values())

    def hidden(unseen: Sequence[Row]) -> tuple[Cell, ...]:
        why = [next(iter(row["at"].values())).get("reason") for row in unseen]
        return reason_of((), *why), *["not shown"] * (len(shares) - 1)

    return CloserPart(
        id="places",
        heading="With fewer places, and with more",
        words=(),
        tables={
            "sweep": Table(
                caption=f"Found by the list, of 100 {language.many} {language.that} {language.needed}",
                columns=("Group", *(PLACES.get(share, f"{share:g} times the places") for share in shares)),
                rows=lines_by_group(
                    groups,
                    audited.named,
                    lambda row: tuple(briefly(with_range(row["at"].get(share), per_100=True)) for share in shares),
                    lambda row: all(found.get("value") is None for found in row["at"].values()),
                    hidden,
                ),
                source="run: audit",
                note="Ranges: 95% intervals of each number by itself. They do not allow for the many numbers here.",
            )
        },
    )


def after_exclusions(audited: Audited) -> CloserPart | None:
    """The audit of the list that the service would use: after its rules, with its teams and households."""
    after = audited.audit.get("after_exclusions")
    if not after:
        return None
    named = audited.named
    contrasts = [row for row in after["contrasts"] if row["family"] == "primary"]
    return CloserPart(
        id="after_exclusions",
        heading="On the list that the service would use",
        words=(
            judged_again_in_words(after["judged"], audited.found("contrasts")),
        ),
        items=tuple(_changed(contrasts, audited)),
        tables={
            "excluded": Table(
                caption="Left out by the service's rules",
                columns=("Group", f"Of 100 {named.language.many} in the group"),
                rows=lines_by_group(
                    after.get("excluded") or [],
                    named,
                    lambda row: (of_100_cell(row.get("rate"), row),),
                    lambda row: row.get("rate") is None,
                    lambda rows: (reason_of(rows),),
                ),
                source="run: audit",
            ),
            "after": Table(
                caption="Verdicts on the list that the service would use",
                columns=CONTRAST,
                rows=contrast_lines([row for row in contrasts if row["metric"] not in CALIBRATION_METRICS], named),
                source="run: audit",
                note=LEGEND,
            ),
        },
    )  # fmt: skip


def _changed(after: Sequence[Row], audited: Audited) -> list[str]:
    """Every verdict that the service's rules change."""

    def key(row: Row) -> tuple[str, ...]:
        return row["attribute"], row["group"], row["reference"], row["metric"]

    before = {key(row): row["verdict"] for row in audited.found("contrasts") if row["family"] == "primary"}
    return [
        f"{audited.named.groups([row])}, {measure_words(row['metric'])}: {row['verdict']}, where it was "
        f"{before[key(row)]}."
        for row in after
        if before.get(key(row), row["verdict"]) != row["verdict"]
    ]


# ---------------------------------------------------------------- closer at the groups


def curves(audited: Audited) -> CloserPart | None:
    """A rate along a characteristic that is a number, such as age."""
    tables = {}
    for row in audited.found("curves"):
        points = [point for point in row.get("points") or () if point.get("value") is not None]
        if len(points) < 2:
            continue
        title, what = audited.named.title(row["attribute"]), capital(measure_words(row["metric"]))
        step = max(1, -(-len(points) // MOST_POINTS))
        tables[f"{row['attribute']}_{row['metric']}"] = Table(
            caption=f"{what}, by {title.lower()}",
            columns=(title, "Of 100, and range"),
            rows=tuple((plain(point["at"]), with_range(point, per_100=True)) for point in points[::step]),
            source="run: audit",
            note="A smooth curve through all ages, not a count at each. Ranges: 95% intervals."
            if row["attribute"] == "age"
            else "A smooth curve, not a count at each number. Ranges: 95% intervals.",
        )
    if not tables:
        return None
    names = listing(
        list(dict.fromkeys(audited.named.title(row["attribute"]).lower() for row in audited.found("curves")))
    )
    return CloserPart(id="curves", heading=f"Without bands: by {names}", words=(), tables=tables)


def pooled(audited: Audited) -> CloserPart | None:
    """Each group's rate, drawn towards the others' as far as it stands on few people."""
    rows = audited.found("pooled")
    if not rows:
        return None
    named = audited.named
    tables = {}
    for metric in dict.fromkeys(row["metric"] for row in rows):
        tables[metric] = Table(
            caption=f"Own and pooled rates: {measure_words(metric)}",
            columns=("Group", "Its own, of 100", "Pooled, of 100", "Own numbers' weight, of 100", "Pooled ratio"),
            rows=lines_by_group(
                [row for row in rows if row["metric"] == metric],
                named,
                lambda row: (
                    "not shown" if row.get("own") is None else of_100(row["own"]),
                    with_range(row, per_100=True),
                    of_100_cell(row.get("weight"), row),
                    _pooled_ratio(row),
                ),
                lambda row: row.get("value") is None,
                lambda unseen: (reason_of(unseen), *["not shown"] * 3),
            ),
            source="run: audit",
            note="Secondary evidence: it carries no verdict. Ratio: to the group that others are compared with.",
        )
    return CloserPart(
        id="pooled",
        heading="Small groups, helped by the others",
        words=(
            "A small group's own rate jumps about by chance. Here each is drawn towards that of the others, the more "
            "so the fewer it stands on. This can hide a real gap of a small group.",
        ),
        tables=tables,
    )


def _pooled_ratio(row: Row) -> Cell:
    if row.get("ratio") is None:
        return "the group compared with" if row.get("weight") is not None else "not shown"
    return ratio_cell({"ratio": row["ratio"], "low": row.get("ratio_low"), "high": row.get("ratio_high")})


def proxies(audited: Audited) -> CloserPart | None:
    """How well each group can be told from the score, and from the fields that it is made of."""
    rows = audited.found("proxies")
    if not rows:
        return None
    named, file = audited.named, audited.named.study.file
    with_features = any(row.get("auc_features") is not None for row in rows)

    def carriers(row: Row) -> str:
        most = carriers_of(row)[:MOST_CARRIERS]
        return listing([f"{feature_words(file, part['feature'])} ({of_100(part['share'])} of 100)" for part in most])

    def cells(row: Row) -> tuple[Cell, ...]:
        score = _area(row, "auc_score")
        if not with_features:
            return score, bool(row.get("flagged"))
        return score, _area(row, "auc_features"), carriers(row), bool(row.get("flagged"))

    def hidden(unseen: Sequence[Row]) -> tuple[Cell, ...]:
        return reason_of(unseen), *(("not shown", "") if with_features else ()), joined([False])

    columns = ("From the score", "From the fields", "Most of which lies in") if with_features else ("From the score",)
    return CloserPart(
        id="proxies",
        heading="Stand-ins for a group",
        words=(
            "From the score or the fields alone, how well can it be guessed who belongs to a group? 0.5 is a coin's "
            "guess; 0 and 1 are certain.",
        ),
        tables={
            "proxies": Table(
                caption="How well each group can be told",
                columns=("Group", *columns, "Flagged"),
                rows=lines_by_group(
                    rows,
                    named,
                    cells,
                    lambda row: row.get("auc_score") is None and row.get("auc_features") is None,
                    hidden,
                ),
                source="run: audit",
            )
        },
    )


def carriers_of(row: Row) -> list[Row]:
    """The fields by which a group can be told, those that carry most first; without what carries next to nothing."""
    parts = (part for part in row.get("carried_by") or () if part["share"] >= LEAST_CARRIED)
    return sorted(parts, key=lambda part: -part["share"])


def _area(row: Row, key: str) -> Cell:
    return row.get("reason") or "not computed" if row.get(key) is None else plain(row[key])


# ---------------------------------------------------------------- what was tried


def mitigation(audited: Audited) -> CloserPart | None:
    """What was tried against a gap, each with its price; or that nothing was."""
    named = audited.named
    return mitigation_part(named.study.file, audited.audit.get("mitigation"), named.language, named.title)


PARTS: tuple[Callable[[Audited], CloserPart | None], ...] = (
    answers,
    too_few,
    after_exclusions,
    places,
    curves,
    pooled,
    proxies,
    mitigation,
)
