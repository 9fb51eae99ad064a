"""How far a model must be changed on new data: kept, its risks corrected, or fitted anew.

The closed test of Vergouwe et al. (2017) holds the most far-reaching change against ever larger simple ones, and takes
the simplest that is not beaten. Each hypothesis contains those before it, so a good model is changed in at most 5% of
data sets, however many steps there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from riskmodels.errors import DataError, UsageError
from riskmodels.models.logit import fit_bent, fit_logistic, gram, logistic, one_thread, significant, softplus
from riskmodels.models.risk_curves import Beta, Calibrator, Chain, Curve

Method = Literal["keep", "in_the_large", "slope", "curve", "refit"]
SIMPLER: tuple[Method, ...] = ("keep", "in_the_large", "slope")
# Fewer of either class leave too little to tell a model that went wrong from one that had bad luck.
LEAST_EVENTS = 20
# With fewer to each coefficient the likelihood ratio of a refit is too large too often (Peduzzi et al. 1996).
EVENTS_PER_COEFFICIENT = 10
# A column that others account for but for this share of its variance adds nothing to them.
ACCOUNTED_FOR = 1e-8
NO_DESIGN = "no columns were given to weigh anew, so a refit was not tested"
FALLS = "the risk does not rise with the score on these rows, so that no correction of it will do"


@dataclass(frozen=True)
class Step:
    """One test of the procedure: ``against`` is the simpler change, ``within`` the one it is held against.

    ``statistic`` is twice the difference of the log-likelihoods, ``degrees`` the coefficients that differ, and
    ``design_effect`` how many times larger clusters make it (1 where none repeats); ``p`` allows for that.
    """

    against: Method
    within: Method
    statistic: float
    degrees: int
    p: float
    design_effect: float = 1.0


@dataclass(frozen=True)
class Update:
    """What to do with a model.

    Attributes
    ----------
    method : ``keep``; ``in_the_large``, a new intercept; ``slope``, a new intercept and slope; ``curve``, a beta curve;
        ``refit``, new coefficients; None where it could not be decided
    intercept, slope, bend : log-odds become intercept + slope * log-odds - bend * ln(1 - risk); None for a refit
    tests : the steps that were taken, in their order
    reason : why nothing could be decided, or what could not be tested; None where all was
    """

    method: Method | None
    intercept: float | None
    slope: float | None
    bend: float | None
    tests: tuple[Step, ...]
    n: int
    events: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def closed_test(
    outcome: Any,
    score: Any,
    design: Any = None,
    clusters: Any = None,
    level: float = 0.05,
    *,
    simpler: Sequence[Method] = SIMPLER,
) -> Update:
    """The simplest change of a model that new data do not reject in favour of the most far-reaching one.

    Each simpler change is tested against the refit by its likelihood ratio, the simplest first: keeping the model
    (1 + p degrees of freedom for p columns beside its score), a new intercept (p), a new intercept and slope (p - 1).
    The first that is not significant is chosen, else the refit. Without ``design`` the beta curve (Kull, Silva Filho
    and Flach 2017) stands in for the refit, as the most that can be done with the score alone.

    Where clusters repeat, the statistic is not chi-squared but a weighted sum of such: it is divided by the mean of the
    weights, which are the design effects of the coefficients tested, and referred to an F distribution whose first
    degrees are Satterthwaite's and whose second are the clusters less one (Rao and Scott 1984; Lumley and Scott 2014).
    A robust Wald test would need far more clusters than coefficients. A design effect below 1 counts as 1.

    Source: Vergouwe et al. 2017, Statistics in Medicine 36, 4529-4539.

    Parameters
    ----------
    outcome : 0 or 1 [n], of people whom the model did not learn from
    score : [n], the log-odds of the model's risk
    design : [n, p], what a refit may weigh anew, such as each feature's contribution (`refit_columns`)
    clusters : [n], ids of rows that belong together
    level : of each test, and so of the whole
    simpler : the simpler changes to consider, simplest first; the rest are ruled out

    Raises
    ------
    DataError
        if the arrays do not match, or hold gaps or infinities.
    """
    y, s = _checked(outcome, score)
    groups = _numbered(clusters, len(y))
    weighed = None if design is None else _checked_design(design, len(y))
    if min(y.sum(), len(y) - y.sum()) < LEAST_EVENTS:
        return _undecided(f"fewer than {LEAST_EVENTS} rows of the rarer outcome are too few to test on", y)
    if groups is not None and groups.max() == 0:
        return _undecided("all rows belong to one cluster", y)
    if s.max() - s.min() <= 1e-12 * np.abs(s).max():
        return _undecided("the model gives everybody the same risk", y)
    with one_thread(0 if weighed is None else 2 + weighed.shape[1]):
        columns, fits, reason = _fits(y, s, weighed)
        fullest = fits[-1]
        chosen, tests = fullest, list[Step]()
        for fit in fits[:-1]:
            if fit.method in simpler and fit.rises:
                tests.append(_test(fit, fullest, columns, y, groups))
                if tests[-1].p >= level:
                    chosen = fit
                    break
    rows, events = len(y), int(y.sum())
    if chosen.method == "refit" or not chosen.rises:
        reason = reason if chosen.method == "refit" else FALLS
        return Update("refit", None, None, None, tuple(tests), rows, events, reason)
    intercept, slope, bend = (significant(each, 12) for each in (chosen.intercept, chosen.slope, chosen.bend))
    return Update(chosen.method, intercept, slope, bend, tuple(tests), rows, events, reason)


def refit_columns(contributions: np.ndarray, rarer: int) -> np.ndarray:
    """What a refit may weigh anew, as many columns as ``rarer`` rows of the rarer outcome can carry.

    A column for each feature whose contributions [n, p] spread most, and one for the rest of them together.
    """
    room = max(rarer // EVENTS_PER_COEFFICIENT - 2, 1)
    if contributions.shape[1] <= room:
        return contributions
    order = np.argsort(-contributions.std(axis=0), kind="stable")
    own, rest = np.sort(order[: room - 1]), np.sort(order[room - 1 :])
    return np.column_stack([contributions[:, own], contributions[:, rest].sum(axis=1)])


# ---------------------------------------------------------------- what is done


def apply(update: Update, scores: np.ndarray) -> np.ndarray:
    """The updated log-odds [n] of a model's log-odds [n].

    Raises
    ------
    UsageError
        if the model is to be fitted anew, or nothing was decided.
    """
    curve = correction(update)
    given = np.asarray(scores, dtype=np.float64)
    if isinstance(curve, Curve):
        return curve.intercept + curve.slope * given
    return curve.intercept - curve.a * softplus(-given) + curve.b * softplus(given)


def recalibrated(calibrator: Calibrator, update: Update) -> Calibrator:
    """The calibrator with the update after it: what the updated model is saved with. Raises as `apply` does."""
    curve = correction(update)
    if update.method == "keep":
        return calibrator
    if isinstance(calibrator, Chain):
        return Chain(calibrator.first, (*calibrator.then, curve), calibrator.note)
    return Chain(calibrator, (curve,))


def correction(update: Update) -> Curve | Beta:
    """The update as a calibrator of the model's log-odds. Raises as `apply` does."""
    if update.intercept is None or update.slope is None or update.bend is None:
        why = "the model is to be fitted anew; run the study again" if update.method == "refit" else update.reason
        raise UsageError(f"update: there is no correction to apply: {why}")
    if update.method != "curve":
        return Curve(update.intercept, update.slope)
    return Beta(update.intercept, update.slope, max(update.slope + update.bend, 0.0))


# ---------------------------------------------------------------- the models compared


@dataclass(frozen=True)
class _Fit:
    """One way to change the model. The first ``free`` of the columns are weighed, the others left out."""

    method: Method
    free: int
    likelihood: float
    log_odds: np.ndarray  # [n]
    intercept: float = 0.0
    slope: float = 1.0
    bend: float = 0.0

    @property
    def rises(self) -> bool:
        return self.slope > 0 or self.slope + self.bend > 0


def _fits(y: np.ndarray, s: np.ndarray, design: np.ndarray | None) -> tuple[np.ndarray, list[_Fit], str | None]:
    """Columns [n, k], every change that has a finite fit, simplest first, and what could not be tested.

    The columns are a constant, the score, and what the fullest change has beside them.
    """
    centre, scale = float(s.mean()), float(s.std())
    columns = np.column_stack([np.ones(len(s)), (s - centre) / scale])
    fits = [_Fit("keep", 0, float(np.sum(y * s - np.logaddexp(0.0, s))), s)]
    recalibrations: tuple[tuple[Method, int], ...] = (("in_the_large", 1), ("slope", 2))
    for method, free in recalibrations:
        coefficients, likelihood, reached = fit_logistic(columns[:, :free], y, np.ones(len(y)), s)
        if not reached:
            return columns, fits, "the score separates the outcomes: a slope has no finite fit"
        more = float(coefficients[1]) / scale if free == 2 else 0.0
        log_odds = s + np.einsum("ij,j->i", columns[:, :free], coefficients)
        fits.append(_Fit(method, free, likelihood, log_odds, float(coefficients[0]) - more * centre, 1.0 + more))
    reason = NO_DESIGN
    if design is not None:
        beside = _beside(columns, design)
        whole = np.column_stack([columns, beside])
        needed = EVENTS_PER_COEFFICIENT * whole.shape[1]
        reason = f"a refit of {whole.shape[1]} coefficients needs {needed} rows of each outcome, and was not tested"
        if min(y.sum(), len(y) - y.sum()) >= needed and beside.shape[1]:
            coefficients, likelihood, reached = fit_logistic(whole, y, np.ones(len(y)), s)
            if reached:
                log_odds = s + np.einsum("ij,j->i", whole, coefficients)
                return whole, [*fits, _Fit("refit", whole.shape[1], likelihood, log_odds)], None
            reason = "a refit has no finite fit on these rows, and was not tested"
    bent = fit_bent(s, y)
    if bent is not None:
        log_odds = bent.intercept - bent.a * softplus(-s) + bent.b * softplus(s)
        fits.append(_Fit("curve", 3, bent.likelihood, log_odds, bent.intercept, bent.a, bent.b - bent.a))
        columns = np.column_stack([columns, softplus(s)])
    return columns, fits, reason


def _beside(columns: np.ndarray, design: np.ndarray) -> np.ndarray:
    """What the design says beyond the constant and the score: as many uncorrelated columns as it has to say."""
    scales = design.std(axis=0)
    varying = scales > ACCOUNTED_FOR * np.abs(design).max(axis=0, initial=0.0)
    rest = (design[:, varying] - design[:, varying].mean(axis=0)) / scales[varying]
    rest -= columns @ (gram(columns, rest) / len(rest))
    spread, directions = np.linalg.eigh(gram(rest, rest) / len(rest))
    kept = spread > ACCOUNTED_FOR
    return rest @ (directions[:, kept] / np.sqrt(spread[kept]))


def _test(simple: _Fit, full: _Fit, columns: np.ndarray, y: np.ndarray, groups: np.ndarray | None) -> Step:
    """The likelihood ratio of one change within the fullest."""
    from scipy.stats import chi2, f

    statistic = max(2.0 * (full.likelihood - simple.likelihood), 0.0)
    degrees = full.free - simple.free
    if groups is None:
        p, effect = chi2.sf(statistic, degrees), 1.0
    else:
        effects = _design_effects(columns, y - logistic(full.log_odds), full.log_odds, groups, simple.free)
        mean, square = np.trace(effects) / degrees, np.trace(effects @ effects) / degrees
        effect = max(float(mean), 1.0)
        p = f.sf(statistic / (degrees * effect), degrees * mean**2 / square, groups.max())
    return Step(simple.method, full.method, significant(statistic), degrees, significant(float(p)), significant(effect))


def _design_effects(
    columns: np.ndarray, residuals: np.ndarray, log_odds: np.ndarray, groups: np.ndarray, first: int
) -> np.ndarray:
    """Covariance by cluster sums over that of independent rows, [k, k], of the coefficients from ``first`` on."""
    risk = logistic(log_odds)
    inverse = np.linalg.inv(gram(columns, columns * (risk * (1.0 - risk))[:, None]))
    sums = np.column_stack([np.bincount(groups, weights=column * residuals) for column in columns.T])
    clustered = inverse @ gram(sums, sums) @ inverse * (len(sums) / (len(sums) - 1))
    effects: np.ndarray = np.linalg.solve(inverse[first:, first:], clustered[first:, first:])
    return effects


# ---------------------------------------------------------------- what comes in


def _checked(outcome: Any, score: Any) -> tuple[np.ndarray, np.ndarray]:
    y, s = np.asarray(outcome, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if y.ndim != 1 or not np.isin(y, (0.0, 1.0)).all():
        raise DataError("outcome: holds something other than 0 and 1; leave out the rows that are not known")
    if s.shape != y.shape or not np.isfinite(s).all():
        raise DataError(f"score: must be a finite log-odds for each of the {len(y)} outcomes")
    return y, s


def _checked_design(design: Any, rows: int) -> np.ndarray:
    given = np.asarray(design, dtype=np.float64)
    if given.ndim != 2 or len(given) != rows or not np.isfinite(given).all():
        raise DataError(f"design: must be a table of numbers without gaps, a row for each of {rows} outcomes")
    return given


def _numbered(clusters: Any, rows: int) -> np.ndarray | None:
    """Clusters counted from 0, int64 [n]; None where every row is its own."""
    if clusters is None:
        return None
    distinct, number = np.unique(np.asarray(clusters), return_inverse=True)
    if len(number) != rows:
        raise DataError(f"cluster_id: {len(number)} values for {rows} outcomes; there must be one for each")
    return number if len(distinct) < rows else None


def _undecided(reason: str, y: np.ndarray) -> Update:
    return Update(None, None, None, None, (), len(y), int(y.sum()), reason)
