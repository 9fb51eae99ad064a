"""What a list was worth when it was tested, in the words that its readers get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

# More without a known outcome than this make it a guess.
MANY_UNKNOWN = 0.1


def how_right(tested: Row | None, top: Row | None) -> str:
    """One paragraph of two `riskmodels.assessment.told_and_happened.ToldAndHappened` as plain values.

    Parameters
    ----------
    tested : everybody on the tested lists
    top : the tested people with the highest risks
    """
    if tested is None or tested["happened"]["low"] is None:
        return "Too few outcomes are known of people on tested lists to say how right such a list is."
    said = f"When the list was tested, the model expected the outcome of {_told(tested, 'people on it')}."
    if top is not None and top["happened"]["low"] is not None:
        some = 50 * round(top["happened"]["n"] / 50)  # the exact number would tell how many outcomes are not known
        said += f" Of some {some:,} with the highest numbers it expected it of {_told(top, 'people')}."
        if top["told"] > top["happened"]["high"]:
            said += " So the highest numbers are too high: they say who comes first, not how likely it is."
    if tested["unknown"] > MANY_UNKNOWN:
        said += f" Of {round(100 * tested['unknown'])} in 100 on the tested list nobody knows how it went."
    return said


def _told(tested: Row, people: str) -> str:
    happened = tested["happened"]
    told, value, low, high = (
        round(100 * share) for share in (tested["told"], happened["value"], happened["low"], happened["high"])
    )
    return f"{told} in 100 {people}; {value} in 100 had it (it could be {low} to {high})"
