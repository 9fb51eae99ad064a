"""What changed in how well it does, in words first: of 100, last time and now, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.change.estimates import (
    ABSENT,
    CHANCE,
    CLEAR,
    HIDDEN_ON_ONE,
    NO_INTERVAL,
    NOT_COMPARED,
    ONE_CARD,
    SAME,
    both_bounds,
    both_cells,
    finer,
    is_hidden,
    judge,
    unit,
)
from riskmodels.cards.change.speech import NOW, THEN, Card, Speech, days, some, table, test_dates
from riskmodels.cards.words import at, capital, measure_words, of_100, spoken

Row = Mapping[str, Any]
Say = Callable[[str, str], str]  # a number, and "now " or nothing
METHOD = (
    "In brackets: 95% intervals. More than chance: the interval of the difference leaves out 0. It takes the people of "
    "the two cards as different people; where they are the same, a small change is easily missed. Where nothing "
    "changed, about one figure in twenty still seems to."
)
VERDICTS = {
    CLEAR: "This is more than chance.",
    CHANCE: "This could be chance.",
    NO_INTERVAL: "We cannot say whether this is chance.",
}
LIST, OVERALL = "performance.at_capacity", "performance.overall"
COLUMNS = ("Figure", THEN, NOW, "Is it a change?")
LEADING = ("auc", "oe_ratio", "base_rate")  # said in sentences of their own, where they changed


@dataclass(frozen=True)
class Two:
    """Two cards, the earlier first, and whether their figures are of the same outcome of the same kind of people."""

    old: Card
    new: Card
    speech: Speech
    comparable: bool

    def pair(self, path: str) -> tuple[Any, Any]:
        return at(self.old, path), at(self.new, path)

    def estimates(self, path: str) -> tuple[Row, Row]:
        before, after = self.pair(path)
        return before or {}, after or {}

    def verdict(self, before: Row, after: Row) -> str:
        return judge(before, after) if self.comparable else NOT_COMPARED

    @property
    def leads_with_bounds(self) -> bool:
        return any(self.pair(f"{LIST}.leads_with_bounds"))


def figures_in_words(two: Two) -> list[str]:
    """Sentences on the list, on how well people are ranked, and on what makes the two cards less alike."""
    if not two.comparable:
        return ["The outcome, or whom it is about, is another one. So no figure of the two cards can be compared."]
    both_sides = two.leads_with_bounds
    said = [*(_bounds(two) if both_sides else [_missed(two), _right(two)]), _unknown(two), _length(two)]
    if both_sides:
        said.append("The figures that follow are for those whose outcome is known, who may differ from the rest.")
    return [sentence for sentence in (*said, *_measures(two)) if sentence]


def _then_and_now(say: Say, before: str, after: str, verdict: str) -> str:
    """What is now with last time's beside it, and whether that could be chance; said once where both print alike."""
    if before == after:
        return f"{say(after, '')}, as last time."
    return f"{say(after, 'now ')}; last time {before}. {VERDICTS.get(verdict, '')}".strip()


def _shares(before: float, after: float, verdict: str, *, rest: bool = False) -> tuple[str, str]:
    """Both of 100, or what each leaves of it; with a decimal where whole numbers would hide a change that is one."""
    if of_100(before) == of_100(after) and verdict not in (SAME, CHANCE):
        return finer(*((1 - share if rest else share) for share in (before, after)))
    first, second = (spoken(share, "rest_of_100" if rest else "per_100") for share in (before, after))
    return first, second


def _missed(two: Two) -> str:
    before, after = two.estimates(f"{LIST}.recall")
    who = f"{two.speech.many} {two.speech.that} {two.speech.needed}"
    if None in (before.get("value"), after.get("value")):
        return f"How many {who} the list misses cannot be compared: {_why(before, after)}."
    verdict = two.verdict(before, after)
    first, second = _shares(before["value"], after["value"], verdict, rest=True)
    return _then_and_now(lambda number, now: f"It {now}misses {number} of 100 {who}", first, second, verdict)


def _right(two: Two) -> str:
    before, after = two.estimates(f"{LIST}.precision")
    many, needed = two.speech.many, two.speech.needed
    if None in (before.get("value"), after.get("value")):
        return f"How often the list is right cannot be compared: {_why(before, after)}."
    verdict = two.verdict(before, after)
    first, second = _shares(before["value"], after["value"], verdict)
    return _then_and_now(
        lambda number, now: f"Of 100 {many} on the list, {number} {now}{needed}", first, second, verdict
    )


def _why(before: Row, after: Row) -> str:
    if is_hidden(before) or is_hidden(after):
        return HIDDEN_ON_ONE
    reasons = [str(side.get("reason") or "") for side in (before, after)]
    return next((reason.removesuffix(".") for reason in reasons if reason), "one card has no such figure")


def _bounds(two: Two) -> list[str]:
    """Where a card leads with bounds, bounds are compared: they hold whatever the unknown outcomes were."""
    many, needed = two.speech.many, two.speech.needed

    def finds(number: str, now: str) -> str:
        return f"Of 100 {many} {two.speech.that} {needed}, it {now}finds {number}"

    def is_right(number: str, now: str) -> str:
        return f"Of 100 {many} on the list, {number} {now}{needed}"

    return [
        _bound(*two.pair(f"{LIST}.recall_bounds"), finds, "How many are missed"),
        _bound(*two.pair(f"{LIST}.precision_bounds"), is_right, "How often the list is right"),
    ]


def _bound(before: Any, after: Any, say: Say, what: str) -> str:
    if any(end is None for end in (*(before or (None,)), *(after or (None,)))):
        return f"{what} cannot be compared: the range is {HIDDEN_ON_ONE}."
    first, second = (f"between {of_100(low)} and {of_100(high)}" for low, high in (before, after))
    if list(before) == list(after):
        return f"{say(second, '')}, as last time."
    if first == second:
        lows, highs = (finer(*ends) for ends in zip(before, after, strict=True))
        first, second = (f"between {low} and {high}" for low, high in zip(lows, highs, strict=True))
    said = f"{say(second, 'now ')}; last time {first}."
    if before[0] <= after[1] and after[0] <= before[1]:
        return f"{said} The ranges overlap, so we cannot say whether this changed."
    return f"{said} The ranges lie apart, so these lists do differ. Whether that is more than chance we cannot say."


def _unknown(two: Two) -> str:
    shares = two.pair(f"{LIST}.unknown_share")
    if None in shares or of_100(shares[0]) == of_100(shares[1]):
        return ""
    before, after = (of_100(share) for share in shares)
    return f"Of 100 on the list, the outcome of {after} is not known; last time {before}."


def _length(two: Two) -> str:
    found = two.pair(f"{LIST}.selection_rate")
    rates: list[Any] = [rate.get("value") if isinstance(rate, Mapping) else rate for rate in found]
    if None in rates or of_100(rates[0]) == of_100(rates[1]):
        return ""
    before, after = (of_100(rate) for rate in rates)
    effect = "A longer list finds more" if rates[1] > rates[0] else "A shorter list misses more"
    return f"The list now takes {after} of 100 {two.speech.many}; last time {before}. {effect}, whoever is on it."


# ---------------------------------------------------------------- measures of all who are ranked


def _measures(two: Two) -> list[str]:
    found = {name: two.estimates(f"{OVERALL}.{name}") for name in _names(two)}
    judged = {name: two.verdict(*sides) for name, sides in found.items()}
    said = [SENTENCES[name](two, *found[name], judged[name]) for name in LEADING if judged.get(name) in VERDICTS]
    rest = [name for name in found if name not in LEADING]
    clear = [
        f"{measure_words(name)} (now {after}, last time {before})"
        for name in rest
        if judged[name] == CLEAR
        for before, after in [_values(*found[name], name)]
    ]
    unclear = [measure_words(name) for name in rest if judged[name] == CHANCE]
    if clear:
        said.append(f"Other figures that changed by more than chance: {some(clear)}.")
    if unclear:
        said.append(f"No clear change in: {some(unclear)}.")
    if found and all(verdict == SAME for verdict in judged.values()):
        said.append("All other figures on how well it ranks are the same.")
    return said


def _names(two: Two) -> list[str]:
    return list(dict.fromkeys(name for card in two.pair(OVERALL) for name in card or ()))


def _values(before: Row, after: Row, name: str) -> tuple[str, str]:
    """Both values without their intervals."""
    first, second = both_cells({"value": before["value"]}, {"value": after["value"]}, name)
    return str(first), str(second)


def _auc(two: Two, before: Row, after: Row, verdict: str) -> str:
    start = f"Take pairs of {two.speech.many}, one {two.speech.that} {two.speech.needed} and one not."
    first, second = _shares(before["value"], after["value"], verdict)
    said = _then_and_now(
        lambda number, now: f"Of 100 pairs, the ranking {now}puts the right one first in {number}",
        first,
        second,
        verdict,
    )
    return f"{start} {said}"


def _oe(two: Two, before: Row, after: Row, verdict: str) -> str:
    first, second = (f"{100 * side['value']:.0f}" for side in (before, after))
    if first == second and verdict not in (SAME, CHANCE):
        first, second = finer(before["value"], after["value"])
    return _then_and_now(
        lambda number, now: f"For each 100 cases that the risks foresee, {number} {now}came about",
        first,
        second,
        verdict,
    )


def _base_rate(two: Two, before: Row, after: Row, verdict: str) -> str:
    start = f"Of 100 {two.speech.many} whose outcome is known"
    first, second = _shares(before["value"], after["value"], verdict)
    return _then_and_now(lambda number, now: f"{start}, {number} {now}{two.speech.needed}", first, second, verdict)


SENTENCES: dict[str, Callable[[Two, Row, Row, str], str]] = {"auc": _auc, "oe_ratio": _oe, "base_rate": _base_rate}


# ---------------------------------------------------------------- the table


def figures_table(two: Two) -> Table:
    """The figures that are said in words, of both cards, and what may be said of each."""
    needed = two.speech.needed
    rows: list[tuple[Cell, ...]] = []
    for path, words in (("precision", f"On the list: {needed}"), ("recall", f"{capital(needed)}: on the list")):
        if two.leads_with_bounds:
            rows.append((f"{words}, of 100, at the extremes", *both_bounds(*two.pair(f"{LIST}.{path}_bounds")), ""))
            words = f"{words} (outcome known)"
        rows.append(_line(two, words, path, f"{LIST}.{path}"))
    rows += [_line(two, measure_words(name), name, f"{OVERALL}.{name}") for name in LEADING]
    return table("The main figures, last time and now", COLUMNS, rows, METHOD)


def measures_table(two: Two) -> Table:
    """The other measures of how well people are ranked and risks come true."""
    names = [name for name in _names(two) if name not in LEADING]
    rows = [_line(two, measure_words(name), name, f"{OVERALL}.{name}") for name in names]
    return table("Measures for specialists, last time and now", COLUMNS, rows, METHOD)


def _line(two: Two, words: str, measure: str, path: str) -> tuple[Cell, ...]:
    before, after = two.estimates(path)
    absent = [side == {} for side in (before, after)]
    if any(absent):
        cells = tuple(ABSENT if gone else both_cells(side, side, measure)[0]
                      for gone, side in zip(absent, (before, after), strict=True))  # fmt: skip
        return (f"{words}{unit(measure)}", *cells, ONE_CARD)
    return (f"{words}{unit(measure)}", *both_cells(before, after, measure), two.verdict(before, after))


# ---------------------------------------------------------------- what stands behind the figures


def what_was_tested(two: Two) -> list[str]:
    """Against which card, on which dates, and on which data."""
    version = at(two.old, "model.version")
    before, after = test_dates(two.old), test_dates(two.new)
    said = []
    if before and before == after:
        said.append(f"Both cards were tested on {days(after)}.")
    elif before and after:
        said.append(f"This card was tested on {days(after)}; the last one on {days(before)}.")
    same = at(two.old, "model.sha256") == at(two.new, "model.sha256")
    if same:
        said.append(f"The model in service would be the same (version {version}).")
    else:
        said.append(f"The model is another one: version {at(two.new, 'model.version')}, last time {version}.")
    data = two.pair("digests.data")
    if None not in data:
        said.append("The data are the same." if data[0] == data[1] else "The data are not the same as last time.")
    return said
