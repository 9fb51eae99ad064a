"""What changed in the fairness audit: its verdict, each comparison's, and how each group fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.change.estimates import ABSENT, CLEAR, ONE_CARD, both_cells, unit
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
    before, after = two.pair("audit.verdict")
    said = [
        f"The fairness audit says {after}, as last time."
        if before == after
        else f"The fairness audit now says {after}; last time {before}."
    ]
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
        for name, metric, then, now, verdict in lines
        if verdict == CLEAR
    ]
    if clear:
        return [f"Groups for which a figure changed by more than chance: {'; '.join(clear[:4])}{_more(clear)}."]
    compared = any(verdict != ONE_CARD and not verdict.startswith("not shown") for *_, verdict in lines)
    return ["For no protected group is there a clear change."] if compared else []


def _more(names: list[str]) -> str:
    return "; and others" if len(names) > 4 else ""


def _group_lines(two: Two) -> list[tuple[str, str, Cell, Cell, str]]:
    """Each group and metric of either card: name, metric, both cells, what may be said."""
    lines: list[tuple[str, str, Cell, Cell, str]] = []
    for key, metrics in _groups(two).items():
        name = _whom(two, *key)
        for metric in OF_GROUPS:
            before, after = (side.get(metric) for side in metrics)
            if before is None and after is None:
                continue
            if before is None or after is None:
                there = both_cells(before or after or {}, before or after or {}, metric)[0]
                cells = (ABSENT, there) if before is None else (there, ABSENT)
                lines.append((name, metric, *cells, ONE_CARD))
            else:
                lines.append((name, metric, *both_cells(before, after, metric), two.verdict(before, after)))
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
        (name, f"{measure_words(metric)}{unit(metric)}", then, now, verdict)
        for name, metric, then, now, verdict in _group_lines(two)
    ]
    return table("Each group, last time and now", ("Group", "What", THEN, NOW, "Is it a change?"), rows, METHOD)
