"""Why this person: the strongest contributions in plain words, and what the number cannot be trusted for.

A reason says what moved the number for this person against the average, not what causes the outcome.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.models.matrix import UNSEEN, Column, Matrix
from riskmodels.models.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

# What moves the odds by less than one per cent is no reason.
LEAST_CONTRIBUTION = 0.01
# A feature is a key fact if it makes at least this share of the average movement of the score.
KEY_SHARE = 0.1
# Nearer to the typical value than this share of the range, a number is neither high nor low; and only further than
# this beyond the range it is outside: the range leaves out half a per cent at each end that the model did learn from.
FAR = 0.1
LOWERING = 1
SAME_FOR_ALL = "the same for everybody"


def top_reasons(model: RiskModel, frame: pl.DataFrame | pd.DataFrame, top: int = 3) -> dict[str, list[str | None]]:
    """Reasons and caveats for each row.

    Returns
    -------
    dict of lists of length n: ``reason_1`` to ``reason_<top>`` (what raised the score most, strongest first),
    ``lowers_1`` (what lowered it most) and ``caveats``. None where there is nothing to say.
    """
    matrix = model.encoder.encode(frame)
    contributions = model.fitted.contributions(matrix)
    raising = _strongest(contributions, top)
    lowering = _strongest(-contributions, LOWERING)
    answer = {f"reason_{place + 1}": _in_words(model.reasons, matrix, chosen) for place, chosen in enumerate(raising)}
    answer |= {f"lowers_{place + 1}": _in_words(model.reasons, matrix, chosen) for place, chosen in enumerate(lowering)}
    answer["caveats"] = _caveats(model, matrix)
    return answer


def _strongest(contributions: np.ndarray, top: int) -> list[np.ndarray]:
    """Column positions of the largest contributions, one array [n] for each place; -1 where none is left."""
    left = contributions.copy()
    rows = np.arange(len(left))
    places = []
    for _ in range(top):
        if not left.size:
            places.append(np.full(len(left), -1))
            continue
        best = left.argmax(axis=1)
        places.append(np.where(left[rows, best] >= LEAST_CONTRIBUTION, best, -1))
        left[rows, best] = -np.inf
    return places


def _in_words(specs: tuple[FeatureSpec, ...], matrix: Matrix, chosen: np.ndarray) -> list[str | None]:
    texts = np.full(len(matrix), None, dtype=object)
    for position in np.unique(chosen[chosen >= 0]):
        rows = np.flatnonzero(chosen == position)
        # Each different value is put into words once.
        values = np.where(matrix.recorded[rows, position], matrix.values[rows, position], np.nan)
        if matrix.columns[position].missing == "zero":
            values = matrix.values[rows, position]
        distinct, which = np.unique(values, return_inverse=True)
        said = np.array(
            [say(specs[position], matrix.columns[position], value) for value in distinct.tolist()], dtype=object
        )
        texts[rows] = said[which]
    words: list[str | None] = texts.tolist()
    return words


def say(spec: FeatureSpec, column: Column, value: float) -> str:
    """One value of one feature in plain words. ``value`` as encoded: a number or a code, NaN for missing."""
    if math.isnan(value):
        return f"{spec.words} not recorded"
    if column.kind == "category":
        if value == UNSEEN:
            return f"{spec.words}: a value that the model did not learn from"
        level = column.vocabulary[int(value)]
        return spec.value.replace("{value}", level) if spec.value else f"{spec.words}: {level}"
    here = plain_number(value, column)
    if spec.value:
        return spec.value.replace("{value}", here)
    if not isinstance(column.typical, float):
        return f"{spec.words}: {here}"
    usual = plain_number(column.typical, column)
    far = abs(value - column.typical) >= FAR * ((column.high or 0.0) - (column.low or 0.0))
    phrase = spec.high if value > column.typical else spec.low
    if phrase is None or here == usual:
        return f"{spec.words}: {here}"
    return f"{phrase} ({here}; typical is {usual})" if far else f"{spec.words}: {here} (typical is {usual})"


def plain_number(value: float, column: Column) -> str:
    """Whole where the typical value is above 10, one decimal otherwise, more where the whole range is below 1."""
    typical = abs(column.typical) if isinstance(column.typical, float) else abs(value)
    spread = (column.high or 0.0) - (column.low or 0.0)
    decimals = 0 if typical > 10 else 1
    if 0 < spread < 1:
        decimals = min(1 - math.floor(math.log10(spread)), 6)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


# ---------------------------------------------------------------- caveats


def key_facts(model: RiskModel) -> list[int]:
    """Positions of the features that carry the model: at least a tenth of the average movement of the score each."""
    sizes = np.array([model.fitted.importance.get(column.name, 0.0) for column in model.encoder.columns])
    total = float(sizes.sum())
    return [int(place) for place in np.flatnonzero(sizes >= KEY_SHARE * total)] if total > 0 else []


def _caveats(model: RiskModel, matrix: Matrix) -> list[str | None]:
    """What of the key facts is missing, or lies where the model has hardly learned. Others matter too little to say."""
    keys = key_facts(model)
    if not keys:
        return [SAME_FOR_ALL] * len(matrix)
    missing = np.zeros((len(matrix), len(keys)), dtype=bool)
    outside = np.zeros((len(matrix), len(keys)), dtype=bool)
    for place, position in enumerate(keys):
        column, values = matrix.columns[position], matrix.values[:, position]
        recorded = matrix.recorded[:, position]
        missing[:, place] = ~recorded & (column.missing != "zero")
        if column.kind == "category":
            outside[:, place] = values == UNSEEN
        elif column.low is not None and column.high is not None:
            margin = FAR * (column.high - column.low)
            outside[:, place] = recorded & ((values < column.low - margin) | (values > column.high + margin))
    names = [model.reasons[position].words for position in keys]
    # The same few combinations come again and again: each is put into words once.
    distinct, which = np.unique(np.hstack([outside, missing]), axis=0, return_inverse=True)
    said = np.array([_caveat(row[: len(keys)], row[len(keys) :], names) for row in distinct], dtype=object)
    caveats: list[str | None] = said[which.ravel()].tolist() if len(matrix) else []
    return caveats


def _caveat(outside: np.ndarray, missing: np.ndarray, names: list[str]) -> str | None:
    parts = []
    if outside.any():
        parts.append("outside the range the model learned from: " + _listed(outside, names))
    if missing.any():
        parts.append("key facts missing: " + _listed(missing, names))
    return "; ".join(parts) or None


def _listed(which: np.ndarray, names: list[str]) -> str:
    return ", ".join(name for name, use in zip(names, which, strict=True) if use)
