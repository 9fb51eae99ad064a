"""Reasons in the study's words, with the person's own value and the day it was recorded."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from riskmodels.data.features import DAYS_IN_A_YEAR, OF_DAYS, UNKNOWN, FeatureSpec
from riskmodels.models.matrix import UNSEEN, Column
from riskmodels.models.reasons.caveats import caveats_in_words
from riskmodels.models.reasons.codes import FAR, LOWERING, RAISING, UNKNOWN_DAY, reason_codes
from riskmodels.models.reasons.roles import WITHHELD
from riskmodels.models.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd

# Stands once at the head of a list, in its dictionary, on every sheet and in the report; never in a row.
NOT_A_CAUSE = (
    "A reason says what moved the number for this person against the average. It is not a cause, and changing it need "
    "not change what happens."
)
# Stands behind a reason (`UNCERTAIN` in codes.py), but not in a letter; what it means is said beside `NOT_A_CAUSE`.
CLOSE_CALL = " (a close call)"
CLOSE_CALL_MEANS = (
    "A reason that is called a close call is nearly as strong as the next one that is not said: learned from other "
    "people of the same kind, the model would as often as not name another in its place."
)
PLACES = (*(f"reason_{place + 1}" for place in range(RAISING)), *(f"lowers_{place + 1}" for place in range(LOWERING)))
WORDS = (*PLACES, "caveats")
# Whose day is that of the very value; what is counted or added up has many days.
OF_ONE_DAY = ("latest", "first")
MOST_DECIMALS = 6
OF_A_WINDOW = ("count", "sum", "mean", "min", "max", "distinct", "episodes")
OF_CHANGE = ("change", "trend", "rate_change")
# What a number counts, where it stands behind the study's own phrase.
YEARLY = " a year"
OF_A_YEAR = ("trend", "rate")
UNITS = dict.fromkeys(OF_A_YEAR, YEARLY) | {
    "mean": " on average", "max": " at the highest", "min": " at the lowest",
}  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
# Where the day goes in a text that has one.
DAY = "\0"
NO_DAY = ("", "", "")


def top_reasons(model: RiskModel, frame: pl.DataFrame | pd.DataFrame) -> dict[str, list[str | None]]:
    """Reasons and caveats for each row of a frame of features: `reason_words` of its `reason_codes`.

    Returns
    -------
    dict of lists of length n: ``reason_1`` to ``reason_3`` (what raised the score most, strongest first),
    ``lowers_1`` (what lowered it most) and ``caveats``. None where there is nothing to say.
    """
    said = reason_words(model, reason_codes(model, model.encoder.encode(frame)))
    return {name: column.to_list() for name, column in said.items()}


def reason_words(
    model: RiskModel,
    codes: np.ndarray,
    shown: np.ndarray | None = None,
    withheld: str | Sequence[str] = WITHHELD,
    *,
    dated: bool = True,
    close_calls: bool = True,
) -> dict[str, pl.Series]:
    """Reasons and caveats in words: each different value of a feature is put into words once.

    Parameters
    ----------
    codes : what `reason_codes` gave, `REASON_TYPE` [n]
    shown : bool [features], such as from `shown_to`; everything is shown unless given
    withheld : what stands for a feature that is not shown: the same for all, or one text for each feature
    dated : whether to say on which day a value was recorded; a study whose clock is relative has no days to say
    close_calls : whether to say which reasons that raise the risk are uncertain, if they may be seen (`CLOSE_CALL`)

    Returns
    -------
    dict of String series of length n by the names `WORDS`, null where there is nothing to say.
    """
    columns = model.encoder.columns
    hidden = [withheld] * len(columns) if isinstance(withheld, str) else withheld
    may = np.ones(len(columns), dtype=bool) if shown is None else shown
    close = codes["uncertain"] & np.append(may, False)[codes["feature"]] & (np.arange(RAISING + LOWERING) < RAISING)
    asked = pl.DataFrame(
        {
            "feature": codes["feature"].T.ravel(),
            "raises": np.repeat(np.arange(RAISING + LOWERING) < RAISING, len(codes)),
            "close": (close & close_calls).T.ravel(),
            # By its bits a number is a key like any other, and NaN is itself.
            "value": _as_shown(codes["value"], codes["feature"], columns).T.ravel().view(np.int64),
            "day": codes["day"].T.ravel(),
        }
    )
    distinct = asked.select("feature", "raises", "value").filter(pl.col("feature") >= 0).unique()
    texts: list[tuple[str, str | None, str | None]] = []
    values = distinct["value"].to_numpy().view(np.float64).tolist()
    for feature, raises, value in zip(distinct["feature"].to_list(), distinct["raises"].to_list(), values, strict=True):
        if not may[feature]:
            texts.append((hidden[feature], None, None))
            continue
        spec, column = model.reasons[feature], columns[feature]
        fits = _fits(model.directions.get(spec.name), spec, column, value, raises=raises)
        plain = _phrase(spec, column, value, dated=False, fits=fits)
        of_one_day = dated and spec.take in OF_ONE_DAY
        before, day, after = (
            _phrase(spec, column, value, dated=True, fits=fits).partition(DAY) if of_one_day else NO_DAY
        )
        texts.append((plain, before, after) if day else (plain, None, None))
    names = ("plain", "before", "after")
    said = distinct.hstack(pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String), orient="row"))
    on_day = pl.when(pl.col("day") != UNKNOWN_DAY).then("day").cast(pl.Date).dt.to_string("%-d %B %Y")
    # Null wherever there is no day, or none belongs to the text.
    told = pl.concat_str(pl.col("before"), on_day, pl.col("after"))
    ending = pl.when("close").then(pl.lit(CLOSE_CALL)).otherwise(pl.lit(""))
    answer = asked.join(said, on=["feature", "raises", "value"], how="left", maintain_order="left").select(
        (pl.coalesce(told, "plain") + ending).alias("text")
    )["text"]
    found = {name: answer.slice(place * len(codes), len(codes)).alias(name) for place, name in enumerate(PLACES)}
    return {**found, "caveats": caveats_in_words(model, codes, shown, hidden)}


def say(spec: FeatureSpec, column: Column, value: float, day: dt.date | None = None) -> str:
    """One value of one feature in plain words. ``value`` as in `REASON_TYPE`: a number or a code, infinite or NaN.

    ``day``: when it was recorded; said of a ``latest`` or ``first`` value, which is of one day.
    """
    shown = float(_as_shown(np.array([value]), np.array([0]), (column,))[0])
    text = _phrase(spec, column, shown, dated=day is not None)
    return text.replace(DAY, f"{day.day} {MONTHS[day.month - 1]} {day.year}") if day else text


def _phrase(spec: FeatureSpec, column: Column, value: float, *, dated: bool, fits: bool = True) -> str:
    """``value`` as it is shown (`_as_shown`); ``dated``: with `DAY` where the day goes, if it is of one day; ``fits``:
    whether the study's phrases suggest what the reason says (`_fits`)."""
    recorded = f"recorded {DAY}" if dated and spec.take in OF_ONE_DAY else ""
    alone = f" ({recorded})" if recorded else ""
    if math.isnan(value):
        return f"{spec.words}: " + ("not recorded" if spec.nothing == UNKNOWN else "not known")
    if value == math.inf and spec.take in OF_DAYS:
        never = spec.none or f"{spec.words}: never on record"
        return never + _during(spec, never)
    if column.kind == "category":
        if value == UNSEEN:
            return f"{spec.words}: a value that the model did not learn from" + alone
        level = column.vocabulary[int(value)]
        return (spec.value.replace("{value}", level) if spec.value else f"{spec.words}: {level}") + alone
    here = plain_number(value, column)
    if spec.value:
        return spec.value.replace("{value}", here) + alone
    if spec.take == "any":
        phrase = (spec.high if value > 0 else spec.low) if fits else None
        return phrase or f"{spec.words}: {'yes' if value > 0 else 'no'}"
    usual = plain_number(column.typical, column) if isinstance(column.typical, float) else None
    phrase = _high_or_low(spec, column, value) if usual != here and fits else None
    typical = f"typical is {usual}" if usual not in (None, here) else ""
    if value == 0 and spec.none and spec.take not in OF_DAYS:
        return f"{spec.none}{_window(spec, spec.none)}" + (f" ({typical})" if typical else "")
    if phrase is None or usual is None:
        aside = "; ".join(part for part in (recorded, typical) if part)
        yearly = YEARLY if spec.take in OF_A_YEAR and YEARLY not in spec.words else ""
        return f"{spec.words}: {here}{yearly}{_window(spec, spec.words)}" + (f" ({aside})" if aside else "")
    if spec.take in OF_DAYS:
        ago, usual = _lengths(value, float(column.typical or 0.0))
        return f"{phrase} ({ago} ago; typical is {usual})"
    inside = f"{here}{UNITS.get(spec.take, '')}{_window(spec, phrase)}" + (f", {recorded}" if recorded else "")
    return f"{phrase} ({inside}; {typical})"


def _high_or_low(spec: FeatureSpec, column: Column, value: float) -> str | None:
    """The study's phrase for a number far from the typical one; None where it is near, or the phrase not true."""
    typical = column.typical
    if not isinstance(typical, float):
        return None
    if abs(value - typical) < FAR * ((column.high or 0.0) - (column.low or 0.0)):
        return None
    # What fell less than is typical has not risen.
    if spec.take in OF_CHANGE and value * (value - typical) <= 0:
        return None
    return spec.high if value > typical else spec.low


def _fits(direction: int | None, spec: FeatureSpec, column: Column, value: float, *, raises: bool) -> bool:
    """Whether a high or low value suggests to a reader what the reason says: that it raises the risk, or lowers it.

    ``direction`` is what the data say of the feature alone (`riskmodels.models.reasons.directions`); None where nobody
    looked. Beside other features a rising score may lower the risk, and "concern has been rising" would look wrong.
    """
    if direction is None or column.kind == "category":
        return True
    middle = 0.5 if spec.take == "any" else column.typical
    return isinstance(middle, float) and (direction * (value - middle) > 0) == raises and direction != 0


def _lengths(*days: float) -> list[str]:
    """Lengths of time in one unit: years where nobody counts the days any more and none is below half a year."""
    if max(days) < 2 * DAYS_IN_A_YEAR or min(days) < DAYS_IN_A_YEAR / 2:
        return [f"{one:,.0f} day" + ("s" if round(one) != 1 else "") for one in days]
    years = [one / DAYS_IN_A_YEAR for one in days]
    told = [f"{one:.0f}" if one >= 10 else f"{one:.1f}".removesuffix(".0") for one in years]
    return [f"{one} year" + ("s" if one != "1" else "") for one in told]


def _window(spec: FeatureSpec, words: str) -> str:
    """Over what time a number was counted or added up, unless the words say so already."""
    return _during(spec, words) if spec.take in OF_A_WINDOW else ""


def _during(spec: FeatureSpec, words: str) -> str:
    return "" if spec.last == "ever" or f"last {spec.last}" in words else f" in the last {spec.last}"


def plain_number(value: float, column: Column) -> str:
    """Whole where the typical value is above 10, one decimal otherwise, more where the whole range is below 1."""
    decimals = _decimals(column, value)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _decimals(column: Column, value: float) -> int:
    typical = abs(column.typical) if isinstance(column.typical, float) else abs(value)
    spread = (column.high or 0.0) - (column.low or 0.0)
    if 0 < spread < 1:
        return min(1 - math.floor(math.log10(spread)), MOST_DECIMALS)
    return 0 if typical > 10 else 1


def _as_shown(values: np.ndarray, feature: np.ndarray, columns: tuple[Column, ...]) -> np.ndarray:
    """Numbers with the decimals they are shown with, so that what reads the same is put into words once."""
    numbers = [column.kind == "number" and isinstance(column.typical, float) for column in columns]
    # A column without a typical value is shown number by number; the last stands for no feature at all.
    tens = [10.0 ** _decimals(column, 0.0) if use else np.nan for column, use in zip(columns, numbers, strict=True)]
    scale = np.array([*tens, np.nan])[feature]
    with np.errstate(over="ignore"):
        rounded = np.rint(values * scale) / scale
    # Nought has one sign, and NaN one form: they are compared by their bits.
    return np.where(np.isfinite(rounded), rounded, np.where(np.isnan(values), np.nan, values)) + 0.0
