"""For whom does it work? The same figures in each slice of the cohort: people seen before or not, regions, sources.

A slice is not a protected group: those are the audit's (`riskmodels.assessment.audit`), which gives verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.calibration_statistics import brier_score, calibration_slope, oe_ratio
from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.estimate import not_computed
from riskmodels.assessment.influence import (
    INFLUENCES,
    LOGARITHMIC,
    Influence,
    Integers,
    homogeneity,
    joint_covariance,
    stacked,
)
from riskmodels.assessment.intervals import Floats, Units, checked_risk
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import Mask, RankedRows
from riskmodels.assessment.trend import too_few_to_compare
from riskmodels.errors import DataError

NOT_RECORDED = "not recorded"
CHANCE = {"auc": 0.01, "oe_ratio": 0.05}
"""Below this p slices are said to differ. That of the AUC is too small where slices have few events, for an AUC and its
estimated variance go together: at 0.01, of 10 to 100 slices of 20 events or more that are alike 1 to 6 of 100 ways of
slicing are said to differ; at 0.05 it would be 5 to 23 (tests/simulations/alarms.py).
"""
COMPARED = {"auc": auc, "oe_ratio": oe_ratio, "calibration_slope": calibration_slope}
"""Compare events with non-events, so they need a handful of each; Brier, precision and recall do not."""


@dataclass(frozen=True)
class Slices:
    """One row for each way of slicing: {name, rows, spread}; see `assess_slices`."""

    slices: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        return {"slices": plain(self.slices)}


def assess_slices(rows: RankedRows, labels: Mapping[str, Any]) -> Slices:
    """Performance in each slice, and whether slices differ by more than chance.

    Parameters
    ----------
    rows : the whole cohort of every test date, as `ranked_rows.rows_of` takes it from the ranking
    labels : name of a way of slicing -> shape (n,), the label of each row in the ranking's order: text, numbers or
        booleans ("yes" and "no"); null where it is not recorded, which is a slice of its own

    Returns
    -------
    For each name ``rows`` of {label, n, known, unknown, events, selected, hits, auc, brier_score, oe_ratio,
    calibration_slope, precision, recall, precision_bounds, recall_bounds}, by label; and ``spread``: {auc, oe_ratio},
    each as `spread_of` gives it.

    Raises
    ------
    DataError
        if there is not one label for each row, or a risk is missing or no probability.
    """
    checked_risk(rows.risk, rows.n)
    return Slices(tuple(_sliced(rows, name, given) for name, given in labels.items()))


def seen_before(frame: pl.DataFrame, taught: Mapping[int, pl.Series]) -> Mask:
    """Whether each ranked person had taught the model (or its calibrator) that ranked them, on an earlier date.

    Parameters
    ----------
    frame : `Ranking.frame`
    taught : origin -> ids of the people in its fit and calibration rows
    """
    parts = pl.concat(
        [
            pl.DataFrame({"entity_id": ids.unique()}).select(
                "entity_id", pl.lit(origin).cast(frame.schema["origin"]).alias("origin"), pl.lit(True).alias("seen")
            )
            for origin, ids in taught.items()
        ]
    )
    joined = frame.select("entity_id", "origin").join(
        parts, on=["entity_id", "origin"], how="left", maintain_order="left"
    )
    seen: Mask = joined["seen"].fill_null(False).to_numpy()
    return seen


# ---------------------------------------------------------------- one way of slicing


def _sliced(rows: RankedRows, name: str, given: Any) -> dict[str, Any]:
    names, code = _coded(name, given, rows.n)
    made: list[dict[str, Any]] = []
    found: dict[str, list[Influence | str]] = {metric: [] for metric in SPREADS}
    for label, part in zip(names, _parts(rows, code, len(names)), strict=True):
        known = part.known_only()
        made.append({"label": label} | _slice(part, known))
        for metric, scale in SPREADS.items():
            one = too_few_to_compare(known) or INFLUENCES[metric](known)
            found[metric].append(one if isinstance(one, str) else scale(one))
    part_of, units = code[rows.known], rows.known_only().units
    spread = {metric: spread_of(metric, found[metric], part_of, units) for metric in SPREADS}
    return {"name": name, "rows": tuple(made), "spread": spread}


def _coded(name: str, given: Any, n: int) -> tuple[list[str], Integers]:
    """The labels in order, those not recorded last, and the number of each row's."""
    series = given if isinstance(given, pl.Series) else pl.Series(name, given, strict=False)
    if series.len() != n:
        raise DataError(f"slices.{name}: {series.len()} labels for {n} rows; give one for each row of the ranking")
    if series.dtype == pl.Boolean:
        series = series.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    series = series.cast(pl.String)
    names = series.drop_nulls().unique().sort().to_list()
    code = series.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(len(names)).to_numpy()
    return names + [NOT_RECORDED] * bool(series.null_count()), code


def _parts(rows: RankedRows, code: Integers, count: int) -> Iterator[RankedRows]:
    """The rows of each slice in turn, by one sort rather than a pass for each."""
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code, minlength=count)).tolist()
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield rows.of(order[start:end])


def _slice(rows: RankedRows, known: RankedRows) -> dict[str, Any]:
    few = not_computed(known.too_few, known.n) if known.too_few else None
    listed = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    return {
        "n": rows.n,
        "known": known.n,
        "unknown": rows.n - known.n,
        "events": known.events,
        "brier_score": brier_score(known.outcome, known.risk, known.units),
        **{name: few or of(known.outcome, known.risk, known.units) for name, of in COMPARED.items()},
        **{
            key: listed[key] for key in ("selected", "hits", "precision", "recall", "precision_bounds", "recall_bounds")
        },
    }


# ---------------------------------------------------------------- do slices differ?


def _as_logit(one: Influence) -> Influence | str:
    """An AUC on the logit scale, on which slices scatter evenly. Source: Snell et al. 2018."""
    share = one.value
    if not 0 < share < 1:
        return "the AUC is 0 or 1"
    return Influence(math.log(share / (1 - share)), one.values / (share * (1 - share)))


SPREADS: dict[str, Callable[[Influence], Influence | str]] = {"auc": _as_logit, "oe_ratio": lambda one: one}
"""Of what it is asked whether slices differ, and the scale it is asked on: logit AUC and log O/E."""


def spread_of(metric: str, found: Sequence[Influence | str], part: Integers, units: Units) -> dict[str, Any]:
    """Whether a statistic differs between slices by more than chance, and by how much.

    Slices of fewer than `trend.FEWEST_COMPARED` events or non-events take no part and are counted in ``left_out``.

    Q is Cochran's, on the joint covariance V of the slices, since people may stand in two; I2 = (Q - df)/Q is the share
    of the scatter that is not chance. The variance between slices is the moment estimate with weights 1/V[k, k]:
    tau2 = (sum of w (v - mean)^2 - trace(A V)) / trace(A), A = diag(w) - ww'/sum(w), which is DerSimonian and Laird's
    where V is diagonal. ``range`` is where another such slice would lie, 19 times of 20: mean -+ t(K - 2)
    sqrt(tau2 + se2), given for three slices or more. Sources: Cochran 1954; DerSimonian & Laird 1986; DerSimonian &
    Kacker 2007; Higgins & Thompson 2002; Higgins, Thompson & Spiegelhalter 2009.

    Parameters
    ----------
    found : the statistic in each slice on the scale of `SPREADS`, or why there is none
    part : shape (n,), each row's slice

    Returns
    -------
    {slices, left_out, q, df, p, i2, tau2, mean, range, verdict, reason}: how many slices were compared and how many
    not; ``mean`` and ``range`` as AUC or O/E; ``verdict`` is "more than chance" (p below `CHANCE`), "no more than
    chance" or "not computed"
    """
    used = [number for number, one in enumerate(found) if isinstance(one, Influence)]
    keys = ("q", "df", "p", "i2", "tau2", "mean", "range")
    counts = {"slices": len(used), "left_out": len(found) - len(used)}
    nothing = counts | dict.fromkeys(keys) | {"verdict": "not computed"}
    if len(used) < 2:
        why = next((f" ({one})" for one in found if isinstance(one, str)), "")
        return nothing | {"reason": f"fewer than two slices have a value{why}"}
    values, influence, position = stacked(found, used, part)
    covariance = joint_covariance(influence, position, len(used), units)
    test = homogeneity(values, covariance, np.ones((len(used), 1)))
    if test is None:
        return nothing | {"reason": "the slices have too few clusters between them to compare"}
    between = _between(values, covariance)
    mean, ends = _elsewhere(values, covariance, between)
    back = math.exp if metric in LOGARITHMIC else lambda x: 1 / (1 + math.exp(-x))
    return counts | {
        "q": test.q,
        "df": test.df,
        "p": test.p,
        "i2": max(0.0, (test.q - test.df) / test.q) if test.q > 0 else 0.0,
        "tau2": between,
        "mean": back(mean),
        "range": None if ends is None else [back(end) for end in ends],
        "verdict": "more than chance" if test.p < CHANCE[metric] else "no more than chance",
        "reason": None,
    }


def _between(values: Floats, covariance: Floats) -> float:
    """The variance between slices, never below 0; see `spread_of`."""
    weights = 1 / np.diag(covariance)
    inner = np.diag(weights) - np.outer(weights, weights) / weights.sum()
    scatter = np.einsum("i,ij,j->", values, inner, values)
    return max(0.0, float((scatter - (inner * covariance).sum()) / np.trace(inner)))


def _elsewhere(values: Floats, covariance: Floats, between: float) -> tuple[float, tuple[float, float] | None]:
    """The mean of slices, weighted by 1/(their variance + that between them), and where another one would lie."""
    weights = 1 / (np.diag(covariance) + between)
    weights = weights / weights.sum()
    mean = float((weights * values).sum())
    if values.size < 3:
        return mean, None
    from scipy.special import stdtrit

    variance = float(np.einsum("i,ij,j->", weights, covariance, weights) + between * np.square(weights).sum())
    half = float(stdtrit(values.size - 2, 0.975)) * math.sqrt(between + variance)
    return mean, (mean - half, mean + half)
