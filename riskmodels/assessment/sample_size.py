"""Whether there was enough data to learn a model from, and to test it with: Riley's criteria.

They are for regressions and for people who are seen once. Both limits are said with the answer: trees need more, and
where people stand in the data on several dates their number is given beside that of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from riskmodels.assessment.intervals import Floats, Units, Z
from riskmodels.errors import DataError
from riskmodels.models.matrix import Matrix

SHRINKAGE, OPTIMISM, MARGIN = 0.9, 0.05, 0.05
"""Targets in development: a slope of at least 0.9 on new data, R2 and the overall risk within 0.05 (Riley 2020)."""

OE_WIDTH, SLOPE_WIDTH, C_WIDTH = 0.2, 0.2, 0.1
"""Targets in validation: widths of 95% intervals (Riley 2021, and the defaults of its authors' pmvalsampsize)."""

TREES_NEED = 10
"""Trees can take over ten times the events of a regression to be stable (van der Ploeg, Austin & Steyerberg 2014)."""

NODES = 150  # of the quadrature: ten digits of R2 for any C statistic up to 0.99

Verdict = Literal["enough", "too_little", "few_people", "lower_limit"]


# ---------------------------------------------------------------- what is needed


@dataclass(frozen=True)
class DevelopmentSize:
    """Rows needed by each criterion, the largest of them, and the events (also per parameter) that these hold."""

    shrinkage: int
    optimism: int
    overall_risk: int
    needed: int
    needed_events: int
    events_per_parameter: float | None


@dataclass(frozen=True)
class ValidationSize:
    """Rows needed for each measure to be known precisely, the largest of them, and the events that these hold."""

    oe_ratio: int
    calibration_slope: int
    auc: int
    needed: int
    needed_events: int


def largest_cox_snell(prevalence: float) -> float:
    """Cox and Snell's R2 of a perfect model: 1 - (q^q (1 - q)^(1 - q))^2. Source: Riley et al. 2019, eq. 23."""
    return 1 - math.exp(2 * _null(prevalence))


def cox_snell_of_auc(auc: float, prevalence: float) -> float:
    """Cox and Snell's R2 of a calibrated model with this C statistic: 1 - exp(-2 (log-likelihood gained per row)).

    The linear predictor is taken to be normal with variance m^2 = 2 probit(C)^2 in those with the event and those
    without, its means m^2 apart, which makes the logistic model exact. Riley et al. 2021 simulate it; here it is
    integrated by Gauss and Hermite's rule, so that there is no chance in it.

    Raises
    ------
    DataError
        for a C statistic outside (0.5, 1), or a prevalence outside (0, 1).
    """
    lp, weight = linear_predictor(auc, prevalence)
    return float(1 - math.exp(-2 * (_log_likelihood(lp, weight, prevalence) - _null(prevalence))))


def development_size(
    cox_snell: float,
    parameters: int,
    prevalence: float,
    *,
    shrinkage: float = SHRINKAGE,
    optimism: float = OPTIMISM,
    margin: float = MARGIN,
) -> DevelopmentSize:
    """Rows needed to learn a logistic regression from. Source: Riley et al. 2019 and 2020.

    1. uniform shrinkage S of at least 0.9: n = p / ((S - 1) ln(1 - R2 / S));
    2. apparent and adjusted Nagelkerke R2 within 0.05: the same with S = R2 / (R2 + 0.05 max R2);
    3. the overall risk to within 0.05: n = (1.96 / 0.05)^2 q (1 - q).

    Parameters
    ----------
    cox_snell : expected R2 of Cox and Snell, above 0
    parameters : p, candidates after encoding, whether they end in the model or not
    prevalence : q, share of rows with the event

    Raises
    ------
    DataError
        for an R2 that is not above 0 and below its largest value at this prevalence, or a number of parameters below 0.
    """
    largest = largest_cox_snell(_checked_prevalence(prevalence))
    if not 0 < cox_snell < largest:
        raise DataError(f"R2: {cox_snell:.4g} is not above 0 and below {largest:.4g}, the most at this prevalence")
    if parameters < 0:
        raise DataError(f"parameters: {parameters} is below 0; give the number of columns after encoding")

    def for_shrinkage(target: float) -> int:
        return math.ceil(parameters / ((target - 1) * math.log(1 - cox_snell / target)))

    first = for_shrinkage(shrinkage)
    second = for_shrinkage(cox_snell / (cox_snell + optimism * largest))
    third = math.ceil((Z / margin) ** 2 * prevalence * (1 - prevalence))
    needed = max(first, second, third)
    per_parameter = needed * prevalence / parameters if parameters else None
    return DevelopmentSize(first, second, third, needed, math.ceil(needed * prevalence), per_parameter)


def validation_size(
    auc: float,
    prevalence: float,
    *,
    oe_width: float = OE_WIDTH,
    slope_width: float = SLOPE_WIDTH,
    auc_width: float = C_WIDTH,
) -> ValidationSize:
    """Rows needed to test a calibrated model with, so that 95% intervals are no wider than asked. Riley et al. 2021.

    - O/E (of 1): n = (1 - q) / (q s^2), where the interval exp(-+ 1.96 s) has the width asked;
    - slope (of 1): n = I00 / (s^2 (I00 I11 - I01^2)), with I the Fisher information of one row, by the linear predictor
      of `cox_snell_of_auc`;
    - C statistic: Newcombe's (2006) standard error,
      s^2 = C (1 - C) (1 + (n/2 - 1) ((1 - C)/(2 - C) + C/(1 + C))) / (n^2 q (1 - q)), solved for n.

    Raises
    ------
    DataError
        for a C statistic outside (0.5, 1), or a prevalence outside (0, 1).
    """
    lp, weight = linear_predictor(auc, prevalence)
    for_oe = (1 - prevalence) / (prevalence * (math.asinh(oe_width / 2) / Z) ** 2)

    risk = 1 / (1 + np.exp(-lp))
    spread = weight * risk * (1 - risk)
    level, both, slope = (float((spread * lp**power).sum()) for power in (0, 1, 2))
    for_slope = level / ((slope_width / (2 * Z)) ** 2 * (level * slope - both**2))

    concordance = auc * (1 - auc)
    shape = (1 - auc) / (2 - auc) + auc / (1 + auc)
    # a n^2 - b n - c = 0
    a = (auc_width / (2 * Z)) ** 2 * prevalence * (1 - prevalence)
    b, c = concordance * shape / 2, concordance * (1 - shape)
    for_auc = (b + math.sqrt(b**2 + 4 * a * c)) / (2 * a)

    first, second, third = (math.ceil(size) for size in (for_oe, for_slope, for_auc))
    needed = max(first, second, third)
    return ValidationSize(first, second, third, needed, math.ceil(needed * prevalence))


def linear_predictor(auc: float, prevalence: float) -> tuple[Floats, Floats]:
    """Points and weights of the linear predictor of a calibrated model: two normals, those with the event first."""
    from scipy.special import ndtri

    if not 0.5 < auc < 1:
        raise DataError(f"C statistic: {auc:.4g} is not above 0.5 and below 1; there is no size to work out from it")
    _checked_prevalence(prevalence)
    distance = math.sqrt(2) * float(ndtri(auc))
    point, weight = _normal()
    level = math.log(prevalence / (1 - prevalence)) - distance**2 / 2
    lp = np.concatenate([level + distance * (point + distance), level + distance * point])
    return lp, np.concatenate([prevalence * weight, (1 - prevalence) * weight])


@cache
def _normal() -> tuple[Floats, Floats]:
    """Points and weights of a standard normal distribution (Gauss and Hermite)."""
    point, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return point, weight / weight.sum()


def _log_likelihood(lp: Floats, weight: Floats, prevalence: float) -> float:
    half = lp.size // 2
    gained = np.concatenate([-np.logaddexp(0, -lp[:half]), -np.logaddexp(0, lp[half:])])
    return float((weight * gained).sum())


def _null(prevalence: float) -> float:
    """Log-likelihood per row of the same risk for all."""
    q = _checked_prevalence(prevalence)
    return q * math.log(q) + (1 - q) * math.log(1 - q)


def _checked_prevalence(prevalence: float) -> float:
    if not 0 < prevalence < 1:
        raise DataError(f"prevalence: {prevalence:.4g} is not above 0 and below 1; both kinds of outcome are needed")
    return prevalence


# ---------------------------------------------------------------- what there was


@dataclass(frozen=True)
class Sample:
    """Rows with a known outcome and their events; distinct people (clusters) and those of them with any event.

    Somebody on three dates is three rows, but tells less than three people: the number that counts lies between.
    """

    n: int
    events: int
    people: int
    people_with_event: int


def sample_of(outcome: Floats, units: Units) -> Sample:
    """Count rows and people.

    Parameters
    ----------
    outcome : shape (n,), 0/1, of rows whose outcome is known
    units : their clusters
    """
    n, events = outcome.size, int(outcome.sum())
    if units is None:
        return Sample(n, events, n, events)
    with_event = np.bincount(units.of_row, weights=outcome, minlength=units.count) > 0
    return Sample(n, events, units.count, int(with_event.sum()))


def parameters_of(matrix: Matrix, splines: Collection[str] = (), knots: int = 0) -> int:
    """Candidate parameters of a regression on these columns, the intercept not counted.

    A number has one (one less than its knots where it is a spline), a category one less than its values, and what is
    missing in some rows one more. Columns that never vary have none.
    """
    total = 0
    for place, column in enumerate(matrix.columns):
        absent = np.isnan(matrix.values[:, place])
        recorded = matrix.values[~absent, place]
        if column.kind == "category":
            total += max(np.unique(recorded).size - 1, 0)
        elif recorded.size and recorded.min() < recorded.max():
            total += knots - 1 if column.name in splines else 1
        total += bool(absent.any() and not absent.all())
    return total


@dataclass(frozen=True)
class EnoughData:
    """What Riley's criteria ask for beside what there was.

    ``to_learn`` and ``to_test``: ``enough`` if the distinct people alone would do, ``few_people`` if only the rows do,
    ``too_little`` if not even these; None, with a ``reason``, where nothing could be worked out. ``at_least``: the
    model is no regression and what is needed to learn is a lower limit: ``lower_limit`` says that it is met, ``enough``
    that ten times the events are there.
    """

    parameters: int
    auc: float | None
    prevalence: float | None
    at_least: bool
    fit: Sample
    test: Sample
    cox_snell: float | None = None
    development: DevelopmentSize | None = None
    validation: ValidationSize | None = None
    to_learn: Verdict | None = None
    to_test: Verdict | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the counts of people carry the names that disclosure control goes by."""
        plain = asdict(self)
        for name, sample in (("fit", self.fit), ("test", self.test)):
            people = {"n": sample.people, "events": sample.people_with_event}
            plain[name] = {"n": sample.n, "events": sample.events, "people": people}
        return plain


def enough_data(
    fit: Sample, test: Sample, *, parameters: int, auc: float | None, regression: bool = True
) -> EnoughData:
    """Compare what was needed with what there was.

    R2 is worked out from the C statistic on the test rows, which holds no optimism, at their prevalence.

    Parameters
    ----------
    fit, test : what the model was learned from and tested with
    parameters : candidates, after encoding; see `parameters_of`
    auc : C statistic on the test rows; None if it could not be computed
    regression : False for trees, which need more (`TREES_NEED`)
    """
    prevalence = test.events / test.n if test.n else None
    found = EnoughData(parameters, auc, prevalence, not regression, fit, test, reason=_why_not(auc, prevalence))
    if found.reason or auc is None or prevalence is None:
        return found
    cox_snell = cox_snell_of_auc(auc, prevalence)
    learn, check = development_size(cox_snell, parameters, prevalence), validation_size(auc, prevalence)
    to_learn = _verdict(fit, learn)
    if not regression and to_learn == "enough":
        to_learn = "enough" if fit.people_with_event >= TREES_NEED * learn.needed_events else "lower_limit"
    return replace(
        found,
        cox_snell=cox_snell,
        development=learn,
        validation=check,
        to_learn=to_learn,
        to_test=_verdict(test, check),
    )


def _why_not(auc: float | None, prevalence: float | None) -> str | None:
    if prevalence is None:
        return "no test row has a known outcome"
    if not 0 < prevalence < 1:
        return "the test rows hold one kind of outcome only"
    if auc is None:
        return "the C statistic could not be computed"
    if auc <= 0.5:
        return "the ranking does no better than chance, and no amount of data is worked out for that"
    return "the ranking is perfect on the test rows, which no amount of data explains" if auc >= 1 else None


def _verdict(had: Sample, size: DevelopmentSize | ValidationSize) -> Verdict:
    if had.n < size.needed or had.events < size.needed_events:
        return "too_little"
    return "enough" if had.people >= size.needed and had.people_with_event >= size.needed_events else "few_people"
