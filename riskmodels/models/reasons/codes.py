"""Reasons as numbers: what moved each person's score most, the value behind it, its day, and what is doubtful."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from riskmodels.data.features import NEVER, NEVER_OR_UNSEEN, UNSEEN_SOURCE, FeatureSpec
from riskmodels.models.matrix import UNSEEN, Matrix
from riskmodels.models.reasons.groups import Group, groups_of, summed
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import Period

RAISING, LOWERING = 3, 1
PLACES = RAISING + LOWERING
NONE = -1
UNKNOWN_DAY = int(np.iinfo(np.int32).min)
# One person's reasons: three that raise the score, the strongest first, then one that lowers it.
REASON_TYPE = np.dtype(
    [
        ("feature", np.int16, (PLACES,)),  # position of the feature that says it; -1 where there is no reason
        ("value", np.float64, (PLACES,)),  # as encoded; infinite where it never happened, NaN where nothing is known
        ("day", np.int32, (PLACES,)),  # of the fact, in days from 1970-01-01; UNKNOWN_DAY
        ("uncertain", np.bool_, (PLACES,)),  # a close call: other samples of the same data may well give another
        ("missing", np.uint64),  # bit i: the i-th of `key_facts` was not recorded
        ("outside", np.uint64),  # bit i: the i-th of `key_facts` lies where the model has hardly learned
        ("stale", np.uint64),  # bit i: the i-th of `watched_facts` is older than the study allows
        ("unseen", np.uint64),  # bit i: the i-th of `partial_sources` cannot speak of the person
    ]
)
BITS = 64
# What moves the odds by less than one per cent is no reason.
LEAST_CONTRIBUTION = 0.01
# A feature is a key fact if it makes at least this share of the average movement of the score.
KEY_SHARE = 0.1
# Nearer to the typical value than this share of the range, a number is neither high nor low; and only further than
# this beyond the range it is outside: the range leaves out half a per cent at each end that the model did learn from.
FAR = 0.1
# A reason is uncertain if it stands before the first that is not said by less than this share of what refits change in
# the two. Measured on the people at the top of two shipped studies: of 100 refits, 36 to 48 keep a third reason that is
# called uncertain among the three, and 60 to 83 one that is not. A larger share finds more of those that refits drop
# (0.25: 47 to 62 in 100, 0.75: 85 to 96), but calls two third reasons in three uncertain, and nobody reads that.
CLEAR = 0.25


def reason_codes(
    model: RiskModel,
    matrix: Matrix,
    contributions: np.ndarray | None = None,
    days: np.ndarray | Mapping[str, np.ndarray] | None = None,
    as_of: dt.date | None = None,
) -> np.ndarray:
    """Each row's reasons, `REASON_TYPE` [n].

    Features that say the same thing count as one: their contributions are added up, and the one that contributes most
    in the direction of the sum says it, recorded or not (of two alike, the first). A group whose sum is below
    `LEAST_CONTRIBUTION` is no reason. With c its sum and w its wobble, a reason is uncertain if
    c - c' < 0.25 sqrt(w^2 + w'^2), where c' and w' are of the strongest that is not said (`RiskModel.wobble`).

    Parameters
    ----------
    contributions : float64 [n, p], if they are at hand; worked out otherwise
    days : the day of the fact behind each value, int32 days from 1970-01-01 or `UNKNOWN_DAY`: [n, p], or [n] for each
        feature by name
    as_of : the day from which the age of facts counts; without it no fact is called stale
    """
    parts = model.fitted.contributions(matrix) if contributions is None else contributions
    groups = groups_of(model.reasons)
    together = summed(parts, groups)
    unseen = _unseen(model, matrix)
    wobble = np.array([*(model.wobble.get(group.says, 0.0) for group in groups), 0.0])  # the last: of no group
    held = _days_of(matrix, days)
    codes = np.zeros(len(matrix), dtype=REASON_TYPE)
    first = 0
    for sign, top in ((1.0, RAISING), (-1.0, LOWERING)):
        chosen, size = _strongest(sign * together, top + bool(model.wobble))
        for place in range(top):
            speaker = _speaker(chosen[place], parts, sign, groups)
            _fill(codes, first + place, speaker, matrix, held, _never(model, unseen, speaker))
            if model.wobble:
                unclear = size[place] - size[top] < CLEAR * np.hypot(wobble[chosen[place]], wobble[chosen[top]])
                codes["uncertain"][:, first + place] = unclear & (chosen[place] != NONE)
        first += top
    codes["unseen"] = unseen
    _mark_caveats(codes, model, matrix, held, as_of)
    return codes


def _strongest(together: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and sizes of the largest, int64 and float64 [top, n], one row for each place.

    Where none is left that is a reason, the position is -1 and the size `LEAST_CONTRIBUTION`. ``together`` is used up.
    """
    rows = np.arange(len(together))
    chosen = np.full((top, len(together)), NONE)
    size = np.full((top, len(together)), LEAST_CONTRIBUTION)
    for place in range(top if together.size else 0):
        best = together.argmax(axis=1)
        found = together[rows, best]
        together[rows, best] = -np.inf
        chosen[place] = np.where(found >= LEAST_CONTRIBUTION, best, NONE)
        np.maximum(found, LEAST_CONTRIBUTION, out=size[place])
    return chosen, size


def _speaker(chosen: np.ndarray, parts: np.ndarray, sign: float, groups: tuple[Group, ...]) -> np.ndarray:
    """Position of the feature that says it for its group, [n]: the one with the largest part that way; -1 for none."""
    feature = np.array([*(group.members[0] for group in groups), NONE])[chosen]  # -1 picks the last
    for number, group in enumerate(groups):
        if len(group.members) > 1:
            rows = np.flatnonzero(chosen == number)
            members = np.array(group.members)
            feature[rows] = members[(sign * parts[np.ix_(rows, members)]).argmax(axis=1)]
    return feature


def _fill(
    codes: np.ndarray, place: int, feature: np.ndarray, matrix: Matrix, days: np.ndarray | None, never: np.ndarray
) -> None:
    """One place of every row: the feature that says it, its value and its day.

    ``never``: bool [n], whether it never happened where nothing was recorded.
    """
    rows = np.arange(len(matrix))
    nought = np.array([column.missing == "zero" for column in matrix.columns], dtype=bool)
    recorded = matrix.recorded[rows, feature]
    known = (feature >= 0) & (recorded | nought[feature])
    value = np.where(known, matrix.values[rows, feature], np.nan)
    codes["feature"][:, place] = feature
    codes["value"][:, place] = np.where(never & ~recorded, np.inf, value)
    codes["day"][:, place] = UNKNOWN_DAY if days is None else np.where(known, days[rows, feature], UNKNOWN_DAY)


def _days_of(matrix: Matrix, days: np.ndarray | Mapping[str, np.ndarray] | None) -> np.ndarray | None:
    if days is None or isinstance(days, np.ndarray):
        return days
    held = np.full(matrix.values.shape, UNKNOWN_DAY, dtype=np.int32, order="F")
    for name, column in days.items():
        held[:, matrix.position(name)] = column
    return held


# ---------------------------------------------------------------- whom a source cannot speak of


@lru_cache(maxsize=64)
def partial_sources(specs: tuple[FeatureSpec, ...]) -> dict[tuple[str, str | None], tuple[int, ...]]:
    """Sources that may not speak of everybody, (source, by), and the positions of the features that show it.

    They are those that have a number for whomever the source covers. A source without any does not show it.
    """
    found: dict[tuple[str, str | None], list[int]] = {}
    for position, spec in enumerate(specs):
        if spec.nothing == UNSEEN_SOURCE and spec.missing != "zero" and spec.kind == "number":
            found.setdefault((spec.source, spec.by), []).append(position)
    return {source: tuple(positions) for source, positions in list(found.items())[:BITS]}


def _unseen(model: RiskModel, matrix: Matrix) -> np.ndarray:
    """Which of `partial_sources` cannot speak of each row, as bits, uint64 [n]: none of their numbers is there."""
    unseen = np.zeros(len(matrix), dtype=np.uint64)
    for place, positions in enumerate(partial_sources(model.reasons).values()):
        there = matrix.recorded[:, positions[0]].copy()
        for position in positions[1:]:
            there |= matrix.recorded[:, position]
        unseen |= np.where(there, np.uint64(0), np.uint64(1 << place))
    return unseen


def _bits(model: RiskModel) -> np.ndarray:
    """The bit of each feature's source, uint64 [features]; 0 where nothing shows whom the source can speak of."""
    place = {source: np.uint64(1 << number) for number, source in enumerate(partial_sources(model.reasons))}
    return np.array([place.get((spec.source, spec.by), 0) for spec in model.reasons], dtype=np.uint64)


def _never(model: RiskModel, unseen: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Whether a feature that has nothing recorded never happened, bool [n]."""
    bits = _bits(model)
    may = [
        spec.nothing == NEVER or (spec.nothing == NEVER_OR_UNSEEN and bit > 0)
        for spec, bit in zip(model.reasons, bits, strict=True)
    ]
    answer: np.ndarray = np.array([*may, False])[feature] & (np.append(bits, np.uint64(0))[feature] & unseen == 0)
    return answer


# ---------------------------------------------------------------- caveats


def key_facts(model: RiskModel) -> list[int]:
    """Positions of the features that carry the model: at least a tenth of the average movement of the score each.

    What is not in reasons is left out here too.
    """
    sizes = _sizes(model)
    total = float(sizes.sum())
    found = [int(place) for place in np.flatnonzero(sizes >= KEY_SHARE * total)] if total > 0 else []
    return [place for place in found if model.reasons[place].in_reasons]


def watched_facts(model: RiskModel) -> list[int]:
    """Positions of the features that the model uses and the study calls stale after a time: the 64 largest."""
    sizes = _sizes(model)
    watched = [spec.stale_after is not None and spec.in_reasons for spec in model.reasons]
    said = [place for place, watch in enumerate(watched) if watch and sizes[place] > 0]
    return sorted(sorted(said, key=lambda place: (-sizes[place], place))[:BITS])


def _sizes(model: RiskModel) -> np.ndarray:
    return np.array([model.fitted.importance.get(column.name, 0.0) for column in model.encoder.columns])


def _mark_caveats(
    codes: np.ndarray, model: RiskModel, matrix: Matrix, days: np.ndarray | None, as_of: dt.date | None
) -> None:
    """What of the key facts is missing, or lies where the model has hardly learned. Others matter too little to say.

    What never happened is not missing; nor, once more, is what a source holds that cannot speak of the person.
    """
    bits = _bits(model)
    for place, position in enumerate(key_facts(model)):
        bit = np.uint64(1 << place)
        column, values = matrix.columns[position], matrix.values[:, position]
        recorded = matrix.recorded[:, position]
        spec = model.reasons[position]
        if (
            column.missing != "zero"
            and spec.nothing != NEVER
            and (spec.nothing != NEVER_OR_UNSEEN or not bits[position])
        ):
            said = recorded | (codes["unseen"] & bits[position] > 0)
            codes["missing"] |= np.where(said, np.uint64(0), bit)
        if column.kind == "category":
            codes["outside"] |= np.where(values == UNSEEN, bit, np.uint64(0))
        elif column.low is not None and column.high is not None:
            margin = FAR * (column.high - column.low)
            beyond = recorded & ((values < column.low - margin) | (values > column.high + margin))
            codes["outside"] |= np.where(beyond, bit, np.uint64(0))
    if days is None or as_of is None:
        return
    epoch = dt.date(1970, 1, 1)
    for place, position in enumerate(watched_facts(model)):
        oldest = (Period.parse(str(model.reasons[position].stale_after)).before(as_of) - epoch).days
        day = days[:, position]
        stale = (day != UNKNOWN_DAY) & (day < oldest)
        codes["stale"] |= np.where(stale, np.uint64(1 << place), np.uint64(0))
