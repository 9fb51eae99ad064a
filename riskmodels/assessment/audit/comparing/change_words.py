"""What changed between two audits or two lists, in sentences: natural frequencies first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.audit.words import NOUNS, per_hundred, titled

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Telling:
    """How two sides are told apart: ``{0}`` and ``{1}`` are what each of them shows."""

    counts: str  # who, and what the list does with them
    ratios: str
    spreads: str
    verbs: Mapping[str, str]
    whole: str


OVER_TIME = Telling(
    "{verb} {0}; now {1}",
    "the ratio {of}was {0} and is {1}",
    "the slope was {0} and is {1}",
    {"recall": "the list missed", "fpr": "the list wrongly picked", "fdr": "it wrongly picked",
     "selection_rate": "the list picked"},
    "the two audits",
)  # fmt: skip
OF_TWO_LISTS = Telling(
    "{verb} {0} on the first list, and {1} on the second",
    "the ratio {of}is {0} on the first and {1} on the second",
    "the slope is {0} on the first and {1} on the second",
    {"recall": "missing are", "fpr": "wrongly picked are", "fdr": "wrongly picked are", "selection_rate": "picked are"},
    "the two lists",
)  # fmt: skip
_OF_WHOM = {
    "recall": "{need}", "fpr": "{who} did not have the outcome", "fdr": "on the list", "selection_rate": "in all",
}  # fmt: skip
_SHOWN_AS = {"recall": "fnr"}
# What a ratio is of, where no counts are said with it.
_RATIO_OF = {
    "recall": "of those found ", "fnr": "of those missed ", "fpr": "of those wrongly picked ",
    "fdr": "of wrong picks ", "for": "of those left out who had the outcome ", "precision": "of right picks ",
    "selection_rate": "of those picked ",
}  # fmt: skip


def changes_in_words(
    rows: Sequence[Row],
    groups: Sequence[Row],
    sides: tuple[Sequence[Row], Sequence[Row]],
    titles: Mapping[str, str],
    audit: Mapping[str, Any],
    telling: Telling,
) -> tuple[str, ...]:
    """The whole; each primary contrast that changed beyond chance; for whom nothing did, and what cannot be told.

    Parameters
    ----------
    rows, groups : of `Changes` or of `ListChanges`, exact or published: what is not shown there is not said here
    sides : the rows by group of both audits
    audit : an audit or its keys ``purpose``, ``outcome_measures`` and ``level``
    """
    primary = [row for row in rows if row["family"] == "primary"]
    counts = [sum(row["verdict"] == verdict for row in primary) for verdict in _VERDICTS]
    tally = "; ".join(f"{verdict}: {count}" for verdict, count in zip(_VERDICTS, counts, strict=True))
    sentences = [f"Comparisons in {telling.whole}: {len(primary)}. Changed {tally}."]
    said = _Sentences(groups, sides, titles, audit, telling)
    beyond = [row for row in primary if row["verdict"] == _VERDICTS[0]]
    named = {(row["attribute"], row["group"]) for row in beyond}
    # Of a group that was named, its other metrics, and the same against everybody else, would say it again.
    beyond += [
        row for row in rows
        if row["verdict"] == _VERDICTS[0] and row["family"] != "primary"
        and (row["attribute"], row["group"]) not in named
    ]  # fmt: skip
    chance = [row for row in primary if row["verdict"] == _VERDICTS[1]]
    sentences += [said.of(row) for row in beyond]
    treated = [row for row in chance if row["against"] != "prediction"]
    sentences += _together(treated, titles, "no change beyond chance in how groups are treated")
    sentences += _together(
        [row for row in chance if row["against"] == "prediction"], titles,
        "no change beyond chance in what the risks mean",
    )  # fmt: skip
    sentences += _together(
        [row for row in primary if row["verdict"] == _VERDICTS[3]], titles, "not everything can be told"
    )
    return tuple(sentences)


def _together(rows: Sequence[Row], titles: Mapping[str, str], said: str) -> list[str]:
    """One sentence for each characteristic, with all its groups."""
    labels: dict[str, dict[str, None]] = {}
    for row in rows:
        labels.setdefault(row["attribute"], {})[str(row["label"])] = None
    return [f"{titled(titles, attribute)}: {said}, for {', '.join(groups)}." for attribute, groups in labels.items()]


_VERDICTS = ("beyond chance", "may be chance", "the same", "cannot be told")


class _Sentences:
    def __init__(
        self,
        groups: Sequence[Row],
        sides: tuple[Sequence[Row], Sequence[Row]],
        titles: Mapping[str, str],
        audit: Mapping[str, Any],
        telling: Telling,
    ) -> None:
        self.own = {(row["attribute"], row["group"], row["metric"]): row for row in groups}
        self.sides = [{(row["attribute"], row["group"]): row for row in side} for side in sides]
        self.titles, self.telling, self.noun = titles, telling, NOUNS[audit["level"]]
        self.who = "who" if self.noun == "people" else "that"
        need = audit["outcome_measures"] == "need" and audit["purpose"] == "assistive"
        self.need = f"{self.who} {'needed help' if need else 'had the outcome'}"

    def of(self, row: Row) -> str:
        parts = [part for part in (self._counts(row), self._ratios(row)) if part]
        return f"{titled(self.titles, row['attribute'])}, {row['label']}: {'; '.join(parts)}."

    def _counts(self, row: Row) -> str | None:
        metric = row["metric"]
        rates = [self._rate(side, row) for side in self.sides]
        if None in rates:
            return None
        shown = [per_hundred(rate) for rate in rates if rate is not None]
        if metric == "oe_ratio":
            return f"for 100 cases that the risks foresee, {shown[0]} came about; now {shown[1]}"
        if metric not in self.telling.verbs:
            return None
        asked = _OF_WHOM[metric].format(need=self.need, who=self.who)
        told = self.telling.counts.format(*shown, verb=self.telling.verbs[metric])
        own = self.own.get((row["attribute"], row["group"], metric))
        return f"of 100 {self.noun} {asked}, {told}{_surely(own)}"

    def _ratios(self, row: Row) -> str:
        before, after = (f"{side['ratio']:.2f}" for side in (row["before"], row["after"]))
        slope, own = row["metric"] == "calibration_slope", row["against"] == "prediction"
        of = "" if self._counts(row) else _RATIO_OF.get(row["metric"], "")
        told = (self.telling.spreads if slope else self.telling.ratios).format(before, after, of=of)
        beside = "beside what the risks foresee" if own else f"beside {row['reference_label']}"
        went = {"equal": "nearer to equal", "unequal": "further from equal"}.get(row["towards"] or "")
        if before == after:
            went = None
        if own and went:
            went = went.replace("equal", "1")
        return f"{beside}, {told}{f', {went}' if went else ''} ({row['verdict']})"

    def _rate(self, side: Mapping[tuple[str, str], Row], row: Row) -> float | None:
        group = side.get((row["attribute"], row["group"]))
        if group is None or not group.get("shown"):
            return None
        value = group["metrics"].get(_SHOWN_AS.get(row["metric"], row["metric"]), {}).get("value")
        return None if value is None else float(value)


def _surely(own: Row | None) -> str:
    """Whether a change of the group's own rate could be chance."""
    if own is None or own["verdict"] in ("not computed", "not shown"):
        return ""
    return " (may be chance)" if own["verdict"] == "no clear change" else " (beyond chance)"
