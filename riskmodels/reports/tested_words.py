"""What a list was worth when it was tested, in the words that its readers get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# More without a known outcome than this make it a guess.
MANY_UNKNOWN = 0.1


def tested_in_words(tested: Mapping[str, Any] | None) -> str:
    """One paragraph of `riskmodels.assessment.told_and_happened.ToldAndHappened` as plain values."""
    happened = (tested or {}).get("happened") or {}
    if tested is None or happened.get("low") is None:
        return "Too few outcomes are known of people on tested lists to say how right such a list is."
    value, low, high, told, unknown = (
        round(100 * share)
        for share in (happened["value"], happened["low"], happened["high"], tested["told"], tested["unknown"])
    )
    said = (
        f"When the list was tested, the model expected the outcome of {told} in 100 people on it; {value} in 100 had "
        f"it (it could be {low} to {high})."
    )
    if not happened["low"] <= tested["told"] <= happened["high"]:
        more = "more" if tested["told"] > happened["value"] else "fewer"
        said += f" So at the top of the list the model expects {more} than come true: read high risks with care."
    if tested["unknown"] > MANY_UNKNOWN:
        said += f" Of {unknown} in 100 on the tested list nobody knows how it went."
    return said
