"""The audit in sentences that read well with any label: natural frequencies first, the verdict after them.

Groups that fare alike share a sentence: harm is said one by one and first, then what could not be told, what passed,
and in one sentence for each characteristic what too few people leave unjudged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.risk_words import risks_in_words
from riskmodels.assessment.audit.verdicts import (
    FAIL,
    INSUFFICIENT,
    OUTCOMES_UNKNOWN,
    PASS,
    SMALL_BY_POLICY,
    TOO_FEW,
    TOO_WIDE,
)
from riskmodels.data.group_names import NOT_RECORDED

Row = Mapping[str, Any]

NOUNS = {"person": "people", "household": "households", "place": "places"}
# A ratio below the first, or above the second: so large a difference that it goes without a number.
VERY_LARGE = (0.2, 5.0)
A_GAP = "There is a difference, and it is more than chance."
NOTHING_WOULD_SHOW = "Even a very large difference would not have shown."

_NEED, _OUTCOME = "who needed help", "who had the outcome"
# metric -> of whom it is, what the list does, and the rate that says it
_RATES = {
    "recall": ("{need}", "the list misses", "fnr"),
    "fpr": ("{who} did not have the outcome", "the list wrongly picks", "fpr"),
    "fdr": ("on the list", "it wrongly picked", "fdr"),
    "selection_rate": ("in all", "the list picks", "selection_rate"),
}
_QUESTIONS = {
    "recall": "whom the list finds",
    "fnr": "whom the list misses",
    "fpr": "whom it wrongly picks",
    "fdr": "how often the list is wrong",
    "selection_rate": "how many are on the list",
    "oe_ratio": "whether the risks come true",
    "calibration_slope": "whether high and low risks are right",
}


def in_words(
    rows: Sequence[Row],
    contrasts: Sequence[Row],
    titles: Mapping[str, str],
    *,
    purpose: str,
    measures: str,
    noun: str,
    judged: Mapping[str, int],
    provisional: bool,
    who: str | None = None,
) -> tuple[str, ...]:
    """The whole, each harm, what could not be told, what passed, and what too few people leave unjudged.

    Parameters
    ----------
    rows, contrasts : as in the audit, exact or published: what is not shown there is not said here
    titles : attribute -> its name in words
    noun : what is counted, in the plural
    who : "who" or "that"; as fits the noun unless given
    """
    who = who or ("that" if noun in (NOUNS["household"], NOUNS["place"]) else "who")
    need = _NEED if measures == "need" and purpose == "assistive" else _OUTCOME
    said = _Sentences({(row["attribute"], row["group"]): row for row in rows}, titles, noun, who, need)
    sentences = [judged_in_words(judged)]
    if provisional:
        sentences.append(
            "All verdicts are provisional: the outcome is a service's contact or decision, so equal rates may mean "
            "equal attention rather than equal need."
        )
    sentences += [*risks_in_words(contrasts), *(said.alone(contrast) for contrast in failures(contrasts))]
    primary = [row for row in contrasts if row["family"] == "primary" and not is_too_few(row)]
    for verdict in (INSUFFICIENT, PASS):
        alike: dict[tuple[Any, ...], list[Row]] = {}
        for row in primary:
            if row["verdict"] == verdict:
                key = (row["attribute"], row["metric"], row["reference"], row["reason"], beyond_chance(row))
                alike.setdefault(key, []).append(row)
        sentences += [said.alone(found[0]) if len(found) == 1 else said.together(found) for found in alike.values()]
    return (*sentences, *too_few_in_words(contrasts, titles, noun))


def question_of(metric: str) -> str:
    """What a metric asks, in a few words that stand in a sentence."""
    return _QUESTIONS.get(metric, metric.replace("_", " "))


def judged_in_words(judged: Mapping[str, int]) -> str:
    """``Judged 3 of 9: harm found in 1, cannot judge 6.``"""
    said = (
        f"Judged {judged['passed'] + judged['failed']} of {judged['comparisons']}: harm found in {judged['failed']}, "
        f"cannot judge {judged['insufficient']}."
    )
    others = judged.get("failed_against_others")
    return f"{said} Against everybody else, harm found in {others}." if others else said


def titled(titles: Mapping[str, str], attribute: str) -> str:
    """An attribute's name as a sentence begins with it; those of an intersection joined."""
    name = " × ".join(titles.get(part, part.replace("_", " ")) for part in attribute.split(" × "))
    return f"{name[:1].upper()}{name[1:]}"


def per_hundred(rate: float) -> str:
    """A rate as a count out of 100: ``about 40``, ``fewer than 1``, ``none``."""
    count = round(100 * rate)
    if count == 0:
        return "none" if rate == 0 else "fewer than 1"
    return f"about {count}"


# ---------------------------------------------------------------- which contrasts


def failures(contrasts: Sequence[Row]) -> list[Row]:
    """Every FAIL, those against a reference first; what fails against everybody else too is said once."""
    failed = [row for row in contrasts if row["verdict"] == FAIL]
    ordered = [row for family in ("primary", "second") for row in failed if row["family"] == family]
    once: dict[tuple[str, str, str], Row] = {}
    for row in ordered:
        once.setdefault((row["attribute"], row["group"], row["metric"]), row)
    return list(once.values())


def is_too_few(contrast: Row) -> bool:
    """Whether there are too few people for a verdict, whatever they show."""
    return (contrast.get("reason") or "").startswith(TOO_FEW)


def is_small(contrast: Row) -> bool:
    """Whether the difference is real, and one that the policy lets pass."""
    return (contrast.get("reason") or "").startswith(SMALL_BY_POLICY)


def why(contrast: Row) -> str:
    """Why there is no verdict, in a few words; nothing where the interval is merely too wide."""
    reason = contrast.get("reason") or ""
    return "" if reason.startswith(TOO_WIDE) else reason


def what_the_data_tell(contrasts: Sequence[Row]) -> str:
    """Of contrasts of one metric without a verdict: that they are more than chance, or what would have shown."""
    if any(beyond_chance(row) and not is_small(row) and not is_too_few(row) for row in contrasts):
        return f"{A_GAP} The data cannot tell whether it is large enough to matter."
    return detectable_in_words(contrasts)


def beyond_chance(contrast: Row) -> bool:
    """Whether the whole interval lies on one side of equality; False where it is not shown."""
    low, high = contrast.get("low"), contrast.get("high")
    return (low is not None and low > 1) or (high is not None and high < 1)


# ---------------------------------------------------------------- too few, and what could have been seen


def too_few_in_words(contrasts: Sequence[Row], titles: Mapping[str, str], noun: str) -> tuple[str, ...]:
    """One sentence for each characteristic with groups too small for a verdict on anything, or on something."""
    asked: dict[str, dict[str, dict[str, bool]]] = {}
    for row in contrasts:
        if row["family"] == "primary":
            asked.setdefault(row["attribute"], {}).setdefault(row["label"], {})[row["metric"]] = is_too_few(row)
    sentences = []
    for attribute, groups in asked.items():
        hopeless = [label for label, few in groups.items() if all(few.values())]
        others = {label: few for label, few in groups.items() if label not in hopeless}
        parts = [f"anything for {_listed(hopeless)}"] if hopeless else []
        metrics = dict.fromkeys(metric for few in others.values() for metric in few)
        for metric in sorted(metrics, key=lambda name: list(_QUESTIONS).index(name) if name in _QUESTIONS else 0):
            having = [label for label, few in others.items() if metric in few]
            small = [label for label in having if others[label][metric]]
            whole = "any group" if not hopeless else "the others"
            if small:
                of = whole if len(small) == len(having) > 1 else _listed(small)
                parts.append(f"{_QUESTIONS.get(metric, metric)} for {of}")
        if parts:
            sentences.append(
                f"{_capital(titles.get(attribute, attribute))}: too few {noun} to judge {'; '.join(parts)}."
            )
    return tuple(sentences)


def detectable_in_words(contrasts: Sequence[Row]) -> str:
    """What would have shown as harm, said of contrasts of one metric; nothing where a difference did show or is hidden.

    Parameters
    ----------
    contrasts : with ``minimum_detectable``: the ratio (or slope) nearest to 1 that would have been a FAIL
    """
    open_ = [
        row for row in contrasts if row["verdict"] == INSUFFICIENT and row.get("low") is not None
        and not is_too_few(row) and not is_small(row) and not beyond_chance(row) and row["reason"] != OUTCOMES_UNKNOWN
    ]  # fmt: skip
    if not open_:
        return ""
    seen = [row for row in open_ if (smallest := row["minimum_detectable"]) and _is_sayable(smallest)]
    if not seen:
        return NOTHING_WOULD_SHOW
    nearest = min((row["minimum_detectable"] for row in seen), key=lambda ratio: max(ratio, 1 / ratio))
    said = f"{'Only' if len(seen) == 1 else 'At best, only'} {_least(seen[0]['metric'], nearest)} would have shown."
    unseen = [str(row["label"]) for row in open_ if row not in seen]
    return f"{said} For {_listed(unseen)}, not even a very large difference." if unseen else said


def _is_sayable(ratio: float) -> bool:
    return VERY_LARGE[0] <= ratio <= VERY_LARGE[1]


def _least(metric: str, ratio: float) -> str:
    if metric == "calibration_slope":
        return f"a slope of {ratio:.2f} or less"
    count = f"{100 * ratio:.0f} or {'less' if ratio < 1 else 'more'}"
    if metric == "oe_ratio":
        return f"{count.replace('less', 'fewer')} cases for each 100 that the risks foresee"
    return f"a rate of {_times(ratio)} the other group's, or {'less' if ratio < 1 else 'more'},"


def _times(ratio: float) -> str:
    return f"{100 * ratio:.0f}% of" if ratio < 1 else f"{ratio:.1f} times"


# ---------------------------------------------------------------- sentences


class _Sentences:
    """Says contrasts, with the rates of their groups."""

    def __init__(
        self, by_group: Mapping[tuple[str, str], Row], titles: Mapping[str, str], noun: str, who: str, need: str
    ) -> None:
        self.by_group, self.titles, self.noun, self.who = by_group, titles, noun, who
        self.need = need.replace("who", who)

    def alone(self, contrast: Row) -> str:
        """One contrast: the group comes first."""
        name = f"{self._title(contrast)}, {_label(contrast)}"
        metric, here = contrast["metric"], self._here(contrast)
        if here is None:
            said = f"{_QUESTIONS.get(metric, metric)} is not shown"
        elif metric == "oe_ratio":
            said = f"for 100 cases that the risks foresee, {per_hundred(here)} came about"
        elif metric == "calibration_slope":
            said = f"{_spread(here)} (slope {here:.2f})"
        else:
            there = self._there(contrast, here)
            other = "it is not shown" if there is None else per_hundred(there)
            said = f"{self._asked(metric)} {per_hundred(here)}; {_compared('it is', contrast)}, {other}"
        return f"{name}: {said}. {_ending(contrast, [contrast])}"

    def together(self, contrasts: Sequence[Row]) -> str:
        """Contrasts of one metric with one reference and one verdict: the groups follow one another."""
        first, metric = contrasts[0], contrasts[0]["metric"]
        shown = [(row, here) for row in contrasts if (here := self._here(row)) is not None]
        hidden = [_label(row) for row in contrasts if self._here(row) is None]
        lacking = f"not shown for {_listed(hidden)}" if hidden else ""
        if not shown:
            said = f"{_QUESTIONS.get(metric, metric)} is {lacking}"
        else:
            say = "{:.2f}".format if metric == "calibration_slope" else per_hundred
            said = "; ".join([*(f"{_label(row)}, {say(here)}" for row, here in shown), *([lacking] if lacking else [])])
            if metric == "oe_ratio":
                said = f"for 100 cases that the risks foresee, so many came about: {said}"
            elif metric == "calibration_slope":
                said = f"{_QUESTIONS[metric]} (slope; 1 is right, below 1 too extreme, above 1 too flat): {said}"
            else:
                there = self._there(*shown[0])
                other = "it is not shown" if there is None else per_hundred(there)
                said = f"{self._asked(metric)}: {said}; and {_compared('they are', first)}, {other}"
        return f"{self._title(first)}: {said}. {_ending(first, contrasts)}"

    def _title(self, contrast: Row) -> str:
        return _capital(self.titles.get(contrast["attribute"], contrast["attribute"]))

    def _asked(self, metric: str) -> str:
        asked, verb, _ = _RATES.get(metric, ("in all", f"{metric} counts", metric))
        return f"of 100 {self.noun} {asked.format(need=self.need, who=self.who)}, {verb}"

    def _here(self, contrast: Row) -> float | None:
        row = self.by_group.get((contrast["attribute"], contrast["group"]))
        return _value(row, _shown_as(contrast["metric"]))

    def _there(self, contrast: Row, here: float) -> float | None:
        """The rate that a group's own is compared with; everybody else's is what the gap leaves."""
        if contrast.get("against") != "others":
            row = self.by_group.get((contrast["attribute"], contrast["reference"]))
            return _value(row, _shown_as(contrast["metric"]))
        gap = contrast.get("gap")
        if gap is None:
            return None
        return min(max(here + gap if contrast["metric"] == "recall" else here - gap, 0.0), 1.0)


def _shown_as(metric: str) -> str:
    return _RATES[metric][2] if metric in _RATES else metric


def _value(row: Row | None, metric: str) -> float | None:
    if row is None or not row.get("shown"):
        return None
    value = row["metrics"].get(metric, {}).get("value")
    return None if value is None else float(value)


def _label(contrast: Row) -> str:
    return "not recorded" if contrast["label"] == NOT_RECORDED else str(contrast["label"])


def _compared(verb: str, contrast: Row) -> str:
    if contrast.get("against") == "others":
        return "among everybody else"
    return f"in the group {verb} compared with ({contrast['reference_label']})"


def _spread(slope: float) -> str:
    if 0.95 <= slope <= 1.05:
        return "high and low risks are about right"
    return (
        "high risks are too high and low ones too low" if slope < 1 else "high risks are too low and low ones too high"
    )


def _ending(contrast: Row, alike: Sequence[Row]) -> str:
    verdict = contrast["verdict"]
    if verdict == FAIL and contrast.get("worse_off"):
        return f"FAIL: {contrast['worse_off']} worse off."
    more = what_the_data_tell(alike) if verdict == INSUFFICIENT else ""
    # "Cannot tell" is not said twice of a difference that is more than chance.
    unsure = "the data cannot tell" if verdict == INSUFFICIENT and not more.startswith(A_GAP) else ""
    reason = why(contrast) or unsure
    said = f"{verdict}: {reason}." if reason and verdict != PASS else f"{verdict}."
    return f"{said} {more}" if more else said


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
