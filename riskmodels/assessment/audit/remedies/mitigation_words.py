"""What was tried in sentences: what it would do for a group, and its price, of 100 each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.remedies.trials import COULD, SIMULATION, TODAY, rate_of
from riskmodels.assessment.audit.words import NOUNS, per_hundred
from riskmodels.study import PROTECTED_BY_LAW

Row = Mapping[str, Any]

# What comes before any of the experiments, in the order of the fairness policy.
FIRST = (
    "First, the outcome: does it show the same need in every group, or who was looked at? No reweighing mends an "
    "outcome that was recorded unevenly.",
    "Second, the data of the group that fares worse: records that are missing, late or held elsewhere.",
    "Only then one score for all, taught on reweighed records; then the number of places; then a person who looks "
    "again at those whom the list misses or picks.",
)
NOT_FOR_USE = (
    "Simulations show what parity would cost and are not for use: a different cut-off for each group, or a place by "
    "lot, cannot be explained to the person."
)
SEX_OR_RACE = "sex or race"
UNLAWFUL = (
    "Simulations show what parity would cost and cannot be used: a different cut-off because of sex or race is prima "
    "facie direct discrimination (Equality Act 2010, s.13), and a place by lot cannot be explained to the person."
)
NAMES = {
    TODAY: "today's list",
    "other_family": "another way of ranking",
    "without_stand_ins": "a score without stand-ins for the group",
    "reweighed": "one score, taught on reweighed records",
    "reduction": "a score held to parity, with lots (reduction)",
    "thresholds": "a cut-off for each group, with lots (threshold optimiser)",
    "equal_cuts": "a cut-off for each group that reaches the same share",
}


SHORT = {
    TODAY: "today", "other_family": "other ranking", "without_stand_ins": "no stand-ins", "reweighed": "reweighed",
    "reduction": "equal score, lots", "thresholds": "own cut-offs, lots", "equal_cuts": "own cut-offs",
}  # fmt: skip


def short_name_of(row: Row) -> str:
    """A trial as a label beside its mark."""
    return f"{row['share']:g} x places" if row["name"] == "places" else SHORT[row["name"]]


def name_of(row: Row) -> str:
    """A trial in a few words."""
    if row["name"] == "places":
        share = row["share"]
        return {0.5: "half the places", 1.5: "half as many places again", 2.0: "twice the places"}.get(
            share, f"{share:g} times the places"
        )
    return NAMES[row["name"]]


def in_words(
    found: Row,
    titles: Mapping[str, str] | None = None,
    *,
    noun: str | None = None,
    who: str | None = None,
    laws: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """What to do first, what each attribute's trials came to, and what may not be used.

    Parameters
    ----------
    found : a `Mitigation` as plain values, exact or published: what is not shown there is not said here
    titles : attribute -> its name in words; the experiments' own by default
    noun, who : what is counted, in the plural, and ``who`` or ``that``; by the study's level by default
    laws : attribute -> the protected characteristic that it is, or none; all are taken for protected by default
    """
    found = {
        **found, "titles": titles or found["titles"], "noun": noun or NOUNS[found["level"]],
        "who": who or ("who" if found["level"] == "person" else "that"),
    }  # fmt: skip
    sentences = [*found["first"]]
    by_attribute: dict[str, list[Row]] = {}
    for row in found["points"]:
        by_attribute.setdefault(row["attribute"], []).append(row)
    for attribute, rows in by_attribute.items():
        title = found["titles"].get(attribute, attribute)
        sentences += [_capital(f"{title}: {line}") for line in attribute_in_words(rows, found)]
    simulated = dict.fromkeys(row["attribute"] for row in found["points"] if row["kind"] == SIMULATION)
    if simulated:
        sentences.append(_not_for_use(list(simulated), laws))
    return tuple(sentences)


def _not_for_use(attributes: Sequence[str], laws: Mapping[str, str] | None) -> str:
    """Why a simulation may not be used: the law where it protects one of the attributes, else plain words."""
    if laws is None or any(name not in laws for name in attributes):
        return UNLAWFUL
    protected = [law for law in PROTECTED_BY_LAW if law in {laws[name] for name in attributes}]
    if not protected:
        return NOT_FOR_USE
    return UNLAWFUL if set(protected) <= {"sex", "race"} else UNLAWFUL.replace(SEX_OR_RACE, " or ".join(protected))


def attribute_in_words(rows: Sequence[Row], found: Row) -> list[str]:
    """Today's gap, what narrows it and at what price, or that nothing does."""
    today = rows[0]
    said = [_today(today, found)]
    if today["gap"].get("value") is None or not _is_clear(today):
        return said  # what is not shown, or could be chance, is not mended
    tried = [row for row in rows[1:] if row["kind"] == COULD]
    helps = [row for row in tried if row["narrower"]]
    if not helps:
        said.append(
            "nothing tried that could be done narrows the gap by more than chance; smaller gaps below may be luck."
        )
    said += [price_in_words(row, today, found) for row in helps]
    cheapest = [row for row in rows[1:] if row["kind"] == SIMULATION and row["narrower"]]
    if cheapest:
        best = min(cheapest, key=lambda row: abs(row["gap"].get("value") or 0.0))
        said.append(price_in_words(best, today, found))
    return said


def price_in_words(row: Row, today: Row, found: Row) -> str:
    """``With ...: of 100 places, 4 fewer would reach somebody who needs help. Of 100 ..., about 33 would be missed;
    today, about 40.``"""
    simulated = "simulation only: " if row["kind"] == SIMULATION else ""
    return f"{simulated}{name_of(row)}. {_price(row, found)}. {_group(row, today, found)}.{_chance(row)}"


def _today(today: Row, found: Row) -> str:
    worse, better = _missed(today, "worse"), _missed(today, "better")
    if worse is None or better is None:
        return "how the groups fare is not shown."
    noun, with_need = _nouns(found)
    if today["metric"] == "recall":
        said = f"of 100 {noun} {with_need}, today's list misses"
    else:
        said = f"of 100 {noun} without the outcome, today's list wrongly picks"
    said += (
        f" {per_hundred(worse)} in the group {today['worse_label']} and {per_hundred(better)} in the group "
        f"{today['better_label']}"
    )
    return f"{said}.{'' if _is_clear(today) else ' This could be chance, so no remedy can be judged.'}"


def _is_clear(today: Row) -> bool:
    """Whether one group really fares worse today."""
    low = today["gap"].get("low")
    return low is not None and low > 0


def _price(row: Row, found: Row) -> str:
    change = (row["precision_change"] or {}).get("value")
    if change is None:
        return "How many more or fewer are reached is not shown"
    whom = "somebody who needs help" if _is_need(found) else "somebody who has the outcome"
    if found["level"] != "person":
        whom = whom.replace("somebody who", "one that")
    count = round(100 * abs(change))
    often = f"{count} {'more' if change > 0 else 'fewer'}" if count else "as many"
    said = f"Of 100 places, {often} would reach {whom}"
    total = (row["more_reached"] or {}).get("value")
    if row["share"] == 1.0 or total is None:
        return said
    return f"{round(abs(total)):,} {'more' if total >= 0 else 'fewer'} would be reached in all. {said}"


def _group(row: Row, today: Row, found: Row) -> str:
    now, then = _missed(today, "worse"), _missed(row, "worse")
    if now is None or then is None:
        return "How the groups would fare is not shown"
    noun, with_need = _nouns(found)
    if row["metric"] == "recall":
        of, verb = f"{noun} {with_need}", "would be missed"
    else:
        of, verb = f"{noun} without the outcome", "would be wrongly picked"
    return f"Of 100 {of} in the group {row['worse_label']}, {per_hundred(then)} {verb}; today, {per_hundred(now)}"


def _chance(row: Row) -> str:
    """Whether the price could be nothing but chance."""
    change = row["precision_change"] or {}
    if change.get("low") is None or change.get("high") is None or not change["low"] <= 0 <= change["high"]:
        return ""
    return " The price could be chance." if round(100 * abs(change["value"])) else ""


def _missed(row: Row, side: str) -> float | None:
    """The share that is missed (or wrongly picked) in the worse-off group or the better-off one."""
    group = next(group for group in row["groups"] if group["group"] == row[side])
    rate = rate_of(group, row["metric"])
    if rate is None:
        return None
    return 1.0 - rate if row["metric"] == "recall" else rate


def _is_need(found: Row) -> bool:
    return bool(found["measures"] == "need" and found["purpose"] == "assistive")


def _nouns(found: Row) -> tuple[str, str]:
    """What is counted, and those of them whom the list is for."""
    return found["noun"], f"{found['who']} {'needed help' if _is_need(found) else 'had the outcome'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
