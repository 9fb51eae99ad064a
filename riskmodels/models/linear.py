"""Families that are a constant, one column, or a weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riskmodels.errors import DataError, StudyError
from riskmodels.models.additive import Additive, AnyTerm, Bend, Levels, Line, settled
from riskmodels.models.logit import auc, fit_logistic, log_odds, significant, smoothed_log_odds
from riskmodels.models.matrix import UNSEEN, Column, Matrix
from riskmodels.models.splines import knots_of, restricted_cubic_basis
from riskmodels.study import LogisticSettings

LEAST_OF_EACH_CLASS = 5
FOLDS = 5


def checked_outcome(matrix: Matrix, outcome: np.ndarray) -> np.ndarray:
    """The outcome as float64 [n] of 0 and 1, enough of each.

    Raises
    ------
    DataError
        if it is not 0 or 1 for every fit row, or has fewer than 5 of either.
    """
    values = np.asarray(outcome, dtype=np.float64)
    if values.shape != (len(matrix),) or not np.isin(values, (0.0, 1.0)).all():
        raise DataError(
            f"outcome: needs 0 or 1 for each of the {len(matrix)} fit rows; leave out rows whose outcome is not known"
        )
    events = int(values.sum())
    if events in (0, len(values)):
        raise DataError(
            f"outcome: only one class in the fit rows ({events} events in {len(values)}); check outcome.happens and "
            "outcome.known, or use earlier as_of_dates"
        )
    if min(events, len(values) - events) < LEAST_OF_EACH_CLASS:
        raise DataError(
            f"outcome: {events} events in {len(values)} fit rows are too few of one class to learn from (at least "
            f"{LEAST_OF_EACH_CLASS} of each); use more as_of_dates or a longer horizon"
        )
    return values


def fit_base_rate(matrix: Matrix, outcome: np.ndarray) -> Additive:
    """The same score for everybody: the log-odds of the rate in the fit rows."""
    return settled(log_odds(float(checked_outcome(matrix, outcome).mean())), [], matrix)


# ---------------------------------------------------------------- one column


def fit_single_best_column(matrix: Matrix, outcome: np.ndarray) -> Additive:
    """A sort by one column: the one with the best AUC on the fit rows, the earlier of equals.

    A category is judged by rates that were made without the row's fifth of the data; otherwise a column with many
    values and no meaning would win.
    """
    known = checked_outcome(matrix, outcome)
    best, best_auc, rate = 0, -1.0, float(known.mean())
    fold = np.arange(len(known)) % FOLDS
    for position, column in enumerate(matrix.columns):
        values = matrix.values[:, position]
        if column.kind == "category":
            judged = np.empty(len(known))
            for number in range(FOLDS):
                held = fold == number
                _, levels = _levels(column, values[~held], known[~held], rate)
                judged[held] = levels.of(values[held], column)
        else:
            _, line = _line(column, values, known)
            judged = line.of(values, column)
        found = round(auc(judged, known), 12)
        if found > best_auc:
            best, best_auc = position, found
    return _fit_column(best, matrix, known)


def fit_named_column(name: str | None, where: str, matrix: Matrix, outcome: np.ndarray) -> Additive:
    """A sort by the column that the study names: the rate of each place, or today's ranking.

    The direction of a number is learned, so a ranking may count from the top or from the bottom.

    Raises
    ------
    StudyError
        if no feature has that name.
    """
    if name not in matrix.names:
        raise StudyError(f"{where}: no feature is called {name!r} (known: {', '.join(matrix.names)})")
    return _fit_column(matrix.position(name), matrix, checked_outcome(matrix, outcome))


def _fit_column(position: int, matrix: Matrix, outcome: np.ndarray) -> Additive:
    column, values = matrix.columns[position], matrix.values[:, position]
    if column.kind == "category":
        offset, levels = _levels(column, values, outcome, float(outcome.mean()))
        return settled(offset, [levels], matrix)
    offset, line = _line(column, values, outcome)
    return settled(offset, [line], matrix)


def _levels(column: Column, values: np.ndarray, outcome: np.ndarray, rate: float) -> tuple[float, Levels]:
    """The smoothed log-odds of each value of a category, less those of the mean rate."""
    count = len(column.vocabulary)
    place = np.where(np.isnan(values), count + 1, np.where(values == UNSEEN, count, values)).astype(np.int64)
    rows = np.bincount(place, minlength=count + 2)
    events = np.bincount(place, weights=outcome, minlength=count + 2)
    offset = log_odds(rate)
    # Rounded to decimals, not digits: what is nought is to be nought.
    smoothed = np.round(smoothed_log_odds(events, rows, rate) - offset, 8) + 0.0
    *levels, unseen, missing = smoothed.tolist()
    return offset, Levels(column.name, dict(zip(column.vocabulary, levels, strict=True)), missing, unseen)


def _line(column: Column, values: np.ndarray, outcome: np.ndarray) -> tuple[float, Line]:
    """A logistic regression on the recorded values; the missing are placed by their own, smoothed, rate."""
    rate = float(outcome.mean())
    here = ~np.isnan(values)
    recorded, events = values[here], outcome[here]
    centre, scale = _centre_and_scale(recorded)
    if scale > 0 and 0 < events.sum() < len(events):
        z = (recorded - centre) / scale
        (offset, slope), _, _ = fit_logistic(np.column_stack([np.ones(len(z)), z]), events, np.ones(len(z)))
    else:
        offset = float(smoothed_log_odds(events.sum(), len(events), rate))
        slope, scale = 0.0, 1.0
    absent = outcome[~here]
    missing = float(smoothed_log_odds(absent.sum(), len(absent), rate)) - offset if len(absent) else 0.0
    return float(offset), Line(column.name, significant(slope / scale), centre, significant(missing))


def _centre_and_scale(recorded: np.ndarray) -> tuple[float, float]:
    if not len(recorded) or recorded.min() == recorded.max():
        return 0.0, 0.0
    return significant(float(recorded.mean())), significant(float(recorded.std()))


# ---------------------------------------------------------------- a weighted sum


def fit_weighted_sum(
    matrix: Matrix, outcome: np.ndarray, settings: LogisticSettings, weights: np.ndarray | None = None
) -> Additive:
    """Ridge-penalised logistic regression (scikit-learn; ``settings.c`` is the inverse penalty).

    Numbers are standardised, with a flag where they are missing; those of ``settings.splines`` bend, each column of
    their spline being standardised too. Categories are one column a value, the most common being the reference. A value
    that was not learned moves the score neither way, unless the fit rows had such values.

    Parameters
    ----------
    weights : [n], how much each row counts; all alike unless given

    Raises
    ------
    StudyError
        if a feature that is to bend is a category, has one value only, or is not there.
    """
    known = checked_outcome(matrix, outcome)
    _refuse_what_cannot_bend(matrix, settings.splines)
    blocks, builders, widths = [], [], []
    for place, column in enumerate(matrix.columns):
        block, build = _block(column, matrix.values[:, place], settings.knots if column.name in settings.splines else 0)
        blocks.append(block)
        builders.append(build)
        widths.append(block.shape[1])
    design = np.concatenate(blocks, axis=1)
    del blocks, block  # as large as the design itself
    slopes, offset = _ridge(design, known, settings.c, weights)
    means = design.mean(axis=0)
    terms: list[AnyTerm] = []
    for column, build, end, width in zip(matrix.columns, builders, np.cumsum(widths), widths, strict=True):
        own = slice(end - width, end)
        terms.append(build(column, slopes[own], means[own]))
    return settled(offset, terms, matrix)


def _refuse_what_cannot_bend(matrix: Matrix, names: Sequence[str]) -> None:
    for name in names:
        where = "models.candidates.logistic.splines"
        if name not in matrix.names:
            raise StudyError(f"{where}: no feature is called {name!r} (known: {', '.join(matrix.names)})")
        position = matrix.position(name)
        if matrix.columns[position].kind == "category":
            raise StudyError(f"{where}: {name!r} is a category, and only a number can bend; take it out")
        recorded = matrix.values[:, position]
        recorded = recorded[~np.isnan(recorded)]
        if not len(recorded) or recorded.min() == recorded.max():
            raise StudyError(f"{where}: {name!r} has one value at most in the fit rows, and cannot bend; take it out")


def _ridge(design: np.ndarray, outcome: np.ndarray, c: float, weights: np.ndarray | None) -> tuple[np.ndarray, float]:
    if not design.shape[1]:
        return np.zeros(0), log_odds(float(np.average(outcome, weights=weights)))
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # One thread: with more, the sums are added in another order and the last bits differ.
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-9, max_iter=200)
        model.fit(design, outcome, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _block(column: Column, values: np.ndarray, knots: int) -> tuple[np.ndarray, Any]:
    """The design columns of one feature, and what turns their weights into a term. ``knots``: 0 for a line."""
    if column.kind == "category":
        return _category_block(column, values)
    placed = knots_of(values[~np.isnan(values)], knots) if knots else ()
    return _bending_block(values, placed) if placed else _number_block(values)


def _number_block(values: np.ndarray) -> tuple[np.ndarray, Any]:
    absent = np.isnan(values)
    centre, scale = _centre_and_scale(values[~absent])
    parts = [np.where(absent, 0.0, (values - centre) / scale)] if scale > 0 else []
    if absent.any() and not absent.all():
        parts.append(absent.astype(np.float64))
    block = np.column_stack(parts) if parts else np.zeros((len(values), 0))

    def term(column: Column, weights: np.ndarray, means: np.ndarray) -> Line:
        slope = significant(weights[0] / scale) if scale > 0 else 0.0
        missing = significant(weights[-1]) if len(weights) == 1 + (scale > 0) else 0.0
        return Line(column.name, slope, centre, missing)

    return block, term


def _bending_block(values: np.ndarray, knots: tuple[float, ...]) -> tuple[np.ndarray, Any]:
    absent = np.isnan(values)
    basis = restricted_cubic_basis(np.where(absent, knots[0], values), np.array(knots))
    centres, scales = basis[~absent].mean(axis=0), basis[~absent].std(axis=0)
    parts = [np.where(absent[:, None], 0.0, (basis - centres) / scales)]
    if absent.any():
        parts.append(absent[:, None].astype(np.float64))

    def term(column: Column, weights: np.ndarray, means: np.ndarray) -> Bend:
        slopes = tuple(significant(float(slope)) for slope in weights[: len(scales)] / scales)
        level = significant(sum(slope * float(centre) for slope, centre in zip(slopes, centres, strict=True)))
        missing = significant(weights[-1]) if len(weights) > len(scales) else 0.0
        return Bend(column.name, knots, slopes, level, missing)

    return np.concatenate(parts, axis=1), term


def _category_block(column: Column, values: np.ndarray) -> tuple[np.ndarray, Any]:
    reference = column.vocabulary.index(str(column.typical)) if column.vocabulary else None
    present: list[float] = [
        code for code in range(len(column.vocabulary)) if code != reference and (values == code).any()
    ]
    if (values == UNSEEN).any():
        present.append(UNSEEN)
    parts = [(values == code).astype(np.float64) for code in present]
    absent = np.isnan(values)
    if absent.any() and not absent.all():
        parts.append(absent.astype(np.float64))
    block = np.column_stack(parts) if parts else np.zeros((len(values), 0))

    def term(column: Column, weights: np.ndarray, means: np.ndarray) -> Levels:
        neutral = significant(float(np.sum(weights * means)))
        by_code = dict(zip(present, (significant(weight) for weight in weights), strict=False))
        levels = {value: by_code.get(code, 0.0) for code, value in enumerate(column.vocabulary)}
        missing = significant(weights[-1]) if len(weights) > len(present) else neutral
        return Levels(column.name, levels, missing, by_code.get(UNSEEN, neutral))

    return block, term
