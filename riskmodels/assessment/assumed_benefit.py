"""What the list would cost and could save, if help did what is *assumed* of it. Risk is not benefit.

One number here is measured: the precision of the list. Take-up, effect and money are what the study states, as ranges,
and every answer is a range over all that was stated: below 0 where help may do harm. Nothing says who gains from help.
Those who take it up are taken to need it as often as the others on the list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from riskmodels.assessment.estimate import Estimate
from riskmodels.study.use import Help, Money

Ends = Sequence[float]

NO_HELP = "the study does not state take-up and effect of help"
NO_MONEY = "the study does not state what a place costs and a success saves"
NO_LIMIT = "without a limit: somewhere in the ranges nobody in need is reached, or nothing is saved"


@dataclass(frozen=True)
class Range:
    """From the least to the most that assumptions allow. An end is None where there is no such limit."""

    low: float | None
    high: float | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"low": self.low, "high": self.high}
        return found | ({"reason": self.reason} if self.reason else {})


def over(rule: Callable[..., float], *ranges: Ends) -> Range:
    """The least and the most of a rule over all combinations of the ends of its arguments' ranges.

    Exact for every rule below: each is monotone in each argument while the others stay (interval arithmetic on
    vertices, Moore 1966).
    """
    values = [rule(*corner) for corner in product(*ranges)]
    low, high = (end if math.isfinite(end) else None for end in (min(values), max(values)))
    return Range(low, high, None if low is not None and high is not None else NO_LIMIT)


# ---------------------------------------------------------------- the rules


def cost_per_person_reached(place_costs: float, take_up: float) -> float:
    """Cost of a place over take-up. A place costs the same when the offer is declined: it is counted as offered."""
    return _over_share(place_costs, take_up)


def cost_per_person_in_need_reached(place_costs: float, take_up: float, precision: float) -> float:
    """Cost of a place over take-up times precision."""
    return _over_share(place_costs, take_up * precision)


def prevented_per_100(precision: float, take_up: float, effect: float) -> float:
    """Cases prevented by 100 offers: 100 x precision x take-up x effect. Below 0: cases brought about."""
    return 100 * precision * take_up * effect


def saved_per_100(precision: float, take_up: float, effect: float, success_saves: float, place_costs: float) -> float:
    """What 100 offers save, less what they cost: prevented x saving - 100 x cost. Below 0: a loss."""
    return prevented_per_100(precision, take_up, effect) * success_saves - 100 * place_costs


def break_even_effect(precision: float, take_up: float, success_saves: float, place_costs: float) -> float:
    """The effect from which the savings cover the cost: cost / (precision x take-up x saving). Above 1: none does."""
    return _over_share(place_costs, precision * take_up * success_saves)


def _over_share(cost: float, share: float) -> float:
    return cost / share if share > 0 else math.inf


# ---------------------------------------------------------------- all together


def assumed_benefit(
    precision: Estimate, bounds: Sequence[float | None], money: Money | None, help_on_offer: Help | None
) -> dict[str, Any]:
    """Cost and effect of the list over the assumed ranges.

    Parameters
    ----------
    precision : of the list, among its rows whose outcome is known
    bounds : least and greatest precision, whatever became of those whose outcome is not known

    Returns
    -------
    {assumed: True, precision, stated, not_stated} and, where ``help`` is stated, ``reached_per_100`` and
    ``prevented_per_100``; with money also ``cost_per_person_reached``, ``cost_per_person_in_need_reached``,
    ``saved_per_100`` and ``break_even_effect``. ``stated`` repeats the assumptions, ``not_stated``
    says what is missing.

    What depends on precision has three ranges {low, high}: ``measured`` takes precision as it was found, so that its
    width is that of the assumptions alone; ``sampling`` lets it move in its 95% interval too; ``unknown`` between its
    bounds (only if some on the list have no known outcome).
    """
    found: dict[str, Any] = {
        "assumed": True,
        "precision": precision,
        "stated": (help_on_offer.model_dump(mode="json") if help_on_offer else {})
        | (money.model_dump(mode="json") if money else {}),
        "not_stated": [reason for reason, part in ((NO_HELP, help_on_offer), (NO_MONEY, money)) if part is None],
    }
    if help_on_offer is None:
        return found
    shares = _precisions(precision, bounds)

    def by_precision(rule: Callable[..., float], *ranges: Ends) -> dict[str, Any]:
        return {
            name: (share if isinstance(share, Range) else over(rule, *ranges, share)).to_dict()
            for name, share in shares.items()
        }

    take_up, effect = help_on_offer.take_up, help_on_offer.effect
    found["reached_per_100"] = over(lambda share: 100 * share, take_up).to_dict()
    found["prevented_per_100"] = by_precision(lambda t, e, p: prevented_per_100(p, t, e), take_up, effect)
    if money is None:
        return found
    costs, saves = money.place_costs, money.success_saves
    return found | {
        "cost_per_person_reached": over(cost_per_person_reached, costs, take_up).to_dict(),
        "cost_per_person_in_need_reached": by_precision(cost_per_person_in_need_reached, costs, take_up),
        "saved_per_100": by_precision(
            lambda t, e, s, c, p: saved_per_100(p, t, e, s, c), take_up, effect, saves, costs
        ),
        "break_even_effect": by_precision(lambda t, s, c, p: break_even_effect(p, t, s, c), take_up, saves, costs),
    }


def _precisions(precision: Estimate, bounds: Sequence[float | None]) -> dict[str, Ends | Range]:
    """Between which ends precision may lie, by what is let vary; or why there are none."""
    if precision.value is None:
        nothing = Range(None, None, precision.reason)
        return {"measured": nothing, "sampling": nothing}
    found: dict[str, Ends | Range] = {"measured": (precision.value, precision.value)}
    if precision.low is None or precision.high is None:
        found["sampling"] = Range(None, None, precision.reason)
    else:
        found["sampling"] = (precision.low, precision.high)
    low, high = bounds
    if low is not None and high is not None and low < high:
        found["unknown"] = (low, high)
    return found
