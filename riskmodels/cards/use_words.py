"""What acting on the list does, in sentences that anybody can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.cards.use_tables import RISK_IS_NOT_BENEFIT, count_words, gap_words, money, size_words, span
from riskmodels.cards.words import Language, capital, of_100
from riskmodels.study import Study

Row = Mapping[str, Any]

NOT_STATED = (
    "How many take up help, and what it does for them, was not stated in the study. So no costs or savings are worked "
    "out."
)
NO_MONEY = "What a place costs and what a success saves were not stated. So no money is worked out."


def use_words(performance: Row, language: Language, study: Study) -> tuple[str, ...]:
    """Sentences on ``performance["use"]``; none where there is nothing.

    Parameters
    ----------
    performance : as published, with ``use`` as `riskmodels.cards.use_published.published_use` gives it
    """
    use = performance.get("use") or {}
    if not use:
        return ()
    leads = performance["at_capacity"].get("leads_with_bounds")
    return (
        *(["These figures are for those whose outcome is known, who may differ from the rest."] if leads else []),
        *_sweep_words(use["capacity_sweep"], language),
        *_marginal_words(use["marginal"], language),
        *_assumed_words(use["assumed"], language),
        *_regression_words(use["regression_to_mean"], language),
    )


# ---------------------------------------------------------------- what was measured


def _sweep_words(rows: list[Row], language: Language) -> Iterator[str]:
    shown = [row for row in rows if row["precision"].get("value") is not None]
    own = next((row for row in shown if row["own"]), None)
    if own is None or len(shown) < 2:
        return
    yield f"Of 100 on the list as it is, {of_100(own['precision']['value'])} {language.needed}."
    for row, kind in ((shown[0], "shortest"), (shown[-1], "longest")):
        if row is not own and row["recall"].get("value") is not None:
            size = size_words(row)
            yield (
                f"On the {kind} list we tried ({size[0].lower()}{size[1:]}), {of_100(row['precision']['value'])} of "
                f"100 {language.needed}. Of 100 {language.many} {language.that} {language.needed}, it finds "
                f"{of_100(row['recall']['value'])}."
            )


def _marginal_words(marginal: Row, language: Language) -> Iterator[str]:
    inside, outside = marginal["inside"], marginal["outside"]
    shares = [side["observed"].get("value") for side in (inside, outside)]
    if None in shares or None in (inside["n"], outside["n"]):
        return
    yield (
        f"Just inside the cut (the last {inside['n']} on the list), {of_100(shares[0])} of 100 {language.needed}. Just "
        f"below it (the next {outside['n']}) it is {of_100(shares[1])} of 100. {gap_words(marginal['difference'])}"
    )


def _regression_words(regression: Row, language: Language) -> Iterator[str]:
    listed = regression["listed"]
    change = listed["change"]
    if change.get("value") is None:
        reason = change.get("reason") or "not computed"
        yield f"How far risks fall by themselves after the day of the list could not be seen: {reason}."
        return
    then, later = (of_100(listed[name]["value"]) for name in ("then", "later"))
    if change["value"] >= 0 or then == later:
        yield (
            f"The mean risk of those on a list went from {then} of 100 to {later} of 100 by the next test date. These "
            "lists were made for a test: no help came of them."
        )
        return
    yield (
        f"{capital(language.many)} are put on the list when their risk looks highest. Of those ranked again on the "
        f"next test date, the mean risk fell from {then} of 100 to {later} of 100. These lists were made for a test: "
        "no help came of them."
    )
    if change.get("high") is not None and change["high"] < 0:
        yield (
            "So such a fall comes without any help from the list (regression to the mean). Whoever compares before "
            "with after, and nothing else, will think that help does more than it does."
        )
    else:
        yield "This fall could be chance."


# ---------------------------------------------------------------- what is assumed


def _assumed_words(assumed: Row, language: Language) -> Iterator[str]:
    if "prevented_per_100" not in assumed:
        yield NOT_STATED
        return
    prevented = _widest(assumed["prevented_per_100"])
    if prevented:
        yield f"{_prevented_words(prevented, language)} That is assumed, and was not measured."
    if "saved_per_100" in assumed:
        yield from _saving_words(assumed)
    else:
        yield NO_MONEY
    yield RISK_IS_NOT_BENEFIT


def _prevented_words(prevented: Row, language: Language) -> str:
    """What 100 places prevent, or bring about, as assumed."""
    low, high = prevented["low"], prevented["high"]
    if low < 0 < high:
        more, fewer = (count_words(end) for end in (-low, high))
        return (
            f"If help works as assumed, then for each 100 places {fewer} fewer {language.many} {language.need} at "
            f"best, and {more} more at worst. So harm was not ruled out."
        )
    if high <= 0:
        return "As assumed, help does no good."
    fewer = f"{span(prevented, 'count')} fewer {language.many}"
    return f"If help works as assumed, then for each 100 places {fewer} {language.need}."


def _saving_words(assumed: Row) -> Iterator[str]:
    """Whether money is saved, lost, or either, over all that was assumed or could be chance."""
    saved, unit = _widest(assumed["saved_per_100"]), assumed["stated"]["currency"]
    if not saved:
        return
    if saved["low"] >= 0:
        yield f"On these terms 100 places save {span(saved, unit)} more than they cost."
    elif saved["high"] <= 0:
        lost = {"low": -saved["high"], "high": -saved["low"]}
        yield f"On these terms 100 places cost {span(lost, unit)} more than they save."
    else:
        low, high = money(-saved["low"], unit), money(saved["high"], unit)
        yield f"100 places could lose {low} or save {high}. So money alone does not decide this."
    needed = _widest(assumed["break_even_effect"])
    if needed and needed["low"] > 1:
        yield "No effect of help could cover the cost."


def _widest(found: Row) -> dict[str, float] | None:
    """From the least to the most over every view of the precision; None where an end has no number."""
    lows = [view["low"] for view in found.values() if view.get("low") is not None]
    highs = [view["high"] for view in found.values() if view.get("high") is not None]
    if not lows:
        return None
    return {"low": min(lows), "high": max(highs, default=float("inf"))}
