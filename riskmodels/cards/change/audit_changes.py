"""What changed in the fairness audit: its verdict, each comparison's, and how each group fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.change.estimates import ABSENT, CLEAR, ENDS, ONE_CARD, both_cells, unit
from riskmodels.cards.change.headline import METHOD, Two
from riskmodels.cards.change.speech import NOW, THEN, some, table
from riskmodels.cards.words import at, label, measure_words

Row = Mapping[str, Any]
Key = tuple[str, ...]
OF_GROUPS = ("recall", "precision", "selection_rate", "oe_ratio")
COMPARED = ("attribute", "group", "reference", "metric", "against")
FAIL = "FAIL"
AGAINST = {"others": "everybody else", "prediction": "its own risks"}


def audit_in_words(two: Two) -> list[str]:
    """The verdict, comparisons that fail now or no longer do, and groups that fare otherwise by more than chance."""
    said = [_verdict(*two.pair("audit.verdict"))]
    changed = _verdicts(two)
    newly = [_named(two, key) for key, (_, now) in changed.items() if now == FAIL]
    no_longer = [f"{_named(two, key)} (now {now})" for key, (then, now) in changed.items() if then == FAIL]
    if newly:
        said.append(f"It now fails for: {some(newly)}.")
    if no_longer:
        said.append(f"It no longer fails for: {some(no_longer)}.")
    if len(changed) > len(newly) + len(no_longer):
        which = "Other verdicts" if newly or no_longer else "Verdicts of single comparisons"
        said.append(f"{which} of the audit changed. A table below lists each of them.")
    return [*said, *_groups_in_words(two)]


def _verdict(before: str | None, after: str | None) -> str:
    if before is None and after is None:
        return "Neither card holds a verdict of a fairness audit."
    if after is None:
        return f"This card holds no verdict of a fairness audit; last time it was {before}."
    if before is None:
        return f"The fairness audit says {after}; the last card held no verdict."
    if before == after:
        return f"The fairness audit says {after}, as last time."
    return f"The fairness audit now says {after}; last time {before}."


def _verdicts(two: Two) -> dict[Key, tuple[str, str]]:
    """Comparisons whose verdict is not what it was, with both; of one card only where the other did not make them."""
    old, new = (
        {_key(row): str(row["verdict"]) for row in at(card, "audit.contrasts") or ()} for card in (two.old, two.new)
    )
    absent = "not compared"
    both = {key: (old.get(key, absent), new.get(key, absent)) for key in dict.fromkeys((*old, *new))}
    return {key: verdicts for key, verdicts in both.items() if verdicts[0] != verdicts[1]}


def _key(row: Row) -> Key:
    return tuple(str(row.get(name)) for name in COMPARED)


def _group_name(card: Row, attribute: str, group: str) -> str:
    title = (at(card, "audit.titles") or {}).get(attribute, attribute)
    rows = (*(at(card, "audit.rows") or ()), *(at(card, "audit.contrasts") or ()))
    found = (row for row in rows if (str(row["attribute"]), str(row["group"])) == (attribute, group))
    return f"{label(str(title))}: {next((row['label'] for row in found), group)}"


def _whom(two: Two, attribute: str, group: str) -> str:
    """A group by its label on the later card, or on the earlier where it is no longer there."""
    rows = at(two.new, "audit.contrasts") or ()
    here = any((str(row["attribute"]), str(row["group"])) == (attribute, group) for row in rows)
    rows = at(two.new, "audit.rows") or ()
    here = here or any((str(row["attribute"]), str(row["group"])) == (attribute, group) for row in rows)
    return _group_name(two.new if here else two.old, attribute, group)


def _against(two: Two, key: Key) -> str:
    attribute, _, reference, _, against = key
    if against in AGAINST:
        return AGAINST[against]
    return _whom(two, attribute, reference).partition(": ")[2]


def _named(two: Two, key: Key) -> str:
    """``gender: female, found by the list, against male``."""
    whom = _whom(two, key[0], key[1])
    return f"{whom[:1].lower()}{whom[1:]}, {_lower(measure_words(key[3]))}, against {_against(two, key)}"


def _lower(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _groups_in_words(two: Two) -> list[str]:
    if not two.comparable:
        return []
    lines = _group_lines(two)
    clear = [
        f"{name[:1].lower()}{name[1:]}, {_lower(measure_words(metric))} (now {now}, last time {then})"
        for name, metric, then, now, verdict, _ in lines
        if verdict == CLEAR
    ]
    compared = sum(line.can_tell for line in lines)
    said = []
    if clear:
        said.append(f"Groups for which a figure changed by more than chance: {'; '.join(clear[:4])}{_more(clear)}.")
    if compared < len(lines):
        none = "; in none of these is there a clear change" if compared and not clear else ""
        said.append(f"Of {len(lines)} figures of protected groups, {compared or 'none'} can be compared{none}.")
    elif lines and not clear:
        said.append("For no protected group is there a clear change.")
    return said


def _more(names: list[str]) -> str:
    return "; and others" if len(names) > 4 else ""


class GroupLine(NamedTuple):
    """One figure of one group. ``can_tell``: whether both cards have it with an interval."""

    group: str
    metric: str
    then: Cell
    now: Cell
    verdict: str
    can_tell: bool


def _group_lines(two: Two) -> list[GroupLine]:
    """Each group and metric of either card."""
    lines: list[GroupLine] = []
    for key, metrics in _groups(two).items():
        name = _whom(two, *key)
        for metric in OF_GROUPS:
            before, after = (side.get(metric) for side in metrics)
            if before is None and after is None:
                continue
            if before is None or after is None:
                there = both_cells(before or after or {}, before or after or {}, metric)[0]
                then, now = (ABSENT, there) if before is None else (there, ABSENT)
                lines.append(GroupLine(name, metric, then, now, ONE_CARD, False))
            else:
                verdict = two.verdict(before, after)
                whole = all(side.get(end) is not None for side in (before, after) for end in ENDS)
                then, now = both_cells(before, after, metric)
                lines.append(GroupLine(name, metric, then, now, verdict, whole))
    return lines


def _groups(two: Two) -> dict[tuple[str, str], tuple[Row, Row]]:
    """Each group of either card, and its metrics on both."""
    old, new = (
        {(str(row["attribute"]), str(row["group"])): row["metrics"] for row in at(card, "audit.rows") or ()}
        for card in (two.old, two.new)
    )
    return {key: (old.get(key, {}), new.get(key, {})) for key in dict.fromkeys((*old, *new))}


def group_pairs(two: Two, metric: str) -> list[tuple[str, Row, Row]]:
    """Each group that has a metric on both cards: its name, then and now."""
    return [
        (_whom(two, *key), old[metric], new[metric])
        for key, (old, new) in _groups(two).items()
        if metric in old and metric in new
    ]


# ---------------------------------------------------------------- tables


def verdicts_table(two: Two) -> Table:
    rows = [
        (_whom(two, key[0], key[1]), measure_words(key[3]), _against(two, key), *verdicts)
        for key, verdicts in _verdicts(two).items()
    ]
    return table("Verdicts of the audit that changed", ("Group", "What", "Against", THEN, NOW), rows)


def groups_table(two: Two) -> Table:
    rows = [
        (line.group, f"{measure_words(line.metric)}{unit(line.metric)}", line.then, line.now, line.verdict)
        for line in _group_lines(two)
    ]
    return table("Each group, last time and now", ("Group", "What", THEN, NOW, "Is it a change?"), rows, METHOD)
