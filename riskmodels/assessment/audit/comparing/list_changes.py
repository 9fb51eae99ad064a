"""Two lists of the same people against each other (a champion and a candidate): for whom would the other be fairer?

The people are the same, so what moves both lists alike cancels: a paired comparison is surer than one of two audits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodels.assessment.audit.coding import Attribute, as_text, cluster_codes, code_groups, flags, outcome_status
from riskmodels.assessment.audit.comparing.changes import CANNOT_TELL, THE_SAME, changed_row, judged, measured_change
from riskmodels.assessment.audit.counting.counts import cells_of
from riskmodels.assessment.audit.metrics import PROPORTIONS, too_few
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.audit.result import plain
from riskmodels.assessment.audit.words import NOUNS
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.intervals import ONE_CLUSTER, Clusters, Floats, Units, clusters_of, critical_value
from riskmodels.errors import DataError
from riskmodels.study import Protected

Row = dict[str, Any]

ZERO = "nobody of one of the groups is counted on one of the lists"


@dataclass(frozen=True)
class ListChanges:
    """What differs between two lists of the same people: ``rows`` as in `Changes`, and each group's own rates.

    groups: {attribute, group, label, metric, first, second, difference, moved, verdict}; ``difference`` is second less
    first with a paired 95% interval; ``moved`` counts the people (where rows belong together: the clusters) whom the
    two lists treat differently in this metric, in ``rows`` those of both groups together.
    """

    rows: tuple[Row, ...]
    groups: tuple[Row, ...]
    purpose: str
    outcome_measures: str
    level: str
    titles: Mapping[str, str]

    def to_dict(self) -> Row:
        """As plain JSON values; numbers to six significant digits."""
        found: Row = plain(asdict(self))
        return found


def changed_lists(
    outcome: Any,
    first: Any,
    second: Any,
    groups: Mapping[str, Any],
    *,
    purpose: str,
    measures: str = "need",
    level: str = "person",
    clusters: Any = None,
    protected: Mapping[str, Protected] | None = None,
    policy: Policy | None = None,
) -> ListChanges:
    """Compare two lists of the same people, each group with its reference, in the rates that carry a verdict.

    A rate is (x + 1/2) / (n + 1) on the log scale, as in the audit. A person's influence on the log of a rate x / n is
    (counted above - x / n * counted below) / (x + 1/2); on the change of a log ratio, that of the second list less that
    of the first, of the group less the reference. Influences are summed within clusters, and the variance is that of
    these sums (Liang & Zeger 1986). Where clusters repeat, the interval takes Student's t on one less than the clusters
    that the rates of the smaller group are made of: six people on twenty dates each are six, however many others there
    are. Not judged are rates of fewer than ``policy.floors.ratio`` people, and changes that treat fewer than
    ``policy.floors.show`` differently; of rows that belong together, each cluster counts once.

    Parameters
    ----------
    outcome : (n,) 0, 1, or missing where it is not known
    first, second : (n,) true for those on the list
    groups : attribute -> (n,) values of any kind, missing where not recorded
    purpose, measures, level, clusters, protected, policy : as for `audit_predictions`

    Raises
    ------
    DataError
        if the columns do not match or do not hold what they should.
    StudyError
        if a reference is not one of the groups.
    """
    policy = policy or load_policy()
    status = outcome_status(outcome)
    n = len(status)
    lists = [flags(each) for each in (first, second)]
    columns = {name: as_text(values, f"groups.{name}") for name, values in groups.items()}
    named = {"first": len(lists[0]), "second": len(lists[1])} | {name: len(column) for name, column in columns.items()}
    for name, length in named.items():
        if length != n:
            raise DataError(f"{name}: {length} values for {n} outcomes; there must be one for each")
    together = cluster_codes(clusters, n)
    units = clusters_of(together, n)
    metrics = [metric for metric in policy.primary(purpose, measures) if metric in PROPORTIONS]
    rows: list[Row] = []
    own: list[Row] = []
    titles = {}
    cells = [cells_of(status, each) for each in lists]
    for name, column in columns.items():
        attribute = code_groups(
            name, column, (protected or {}).get(name) or Protected(column=f"groups.{name}", law="none"), policy
        )
        if isinstance(attribute, str):
            continue
        titles[name] = attribute.words
        for metric in metrics:
            sides = [_rates(each, attribute, metric) for each in cells]
            paired = _Paired(attribute, metric, sides[0], sides[1], units, policy, NOUNS[level])
            own += paired.groups()
            rows += paired.contrasts()
    return ListChanges(judged(rows), tuple(own), purpose, measures, level, titles)


# ---------------------------------------------------------------- one metric of one attribute


@dataclass(frozen=True)
class _Rates:
    """By row whether it counts above and below; by group how many do, (G,)."""

    above: npt.NDArray[np.bool_]
    below: npt.NDArray[np.bool_]
    top: Floats
    bottom: Floats

    def value(self, group: int) -> float | None:
        return float(self.top[group] / self.bottom[group]) if self.bottom[group] else None

    def log(self, group: int) -> float:
        return math.log((self.top[group] + 0.5) / (self.bottom[group] + 1.0))

    def deviations(self, codes: npt.NDArray[Any]) -> Floats:
        """(n,) counted above less the rate of the group for each counted below: nought in sum over every group."""
        rate = self.top / np.maximum(self.bottom, 1.0)
        return np.asarray(self.above - rate[codes] * self.below, dtype=np.float64)


def _rates(cells: npt.NDArray[Any], attribute: Attribute, metric: str) -> _Rates:
    made_of = PROPORTIONS[metric]
    above, below = (np.isin(cells, part) for part in (made_of.top, made_of.bottom))
    size = len(attribute.groups)
    top, bottom = (np.bincount(attribute.codes[part], minlength=size).astype(np.float64) for part in (above, below))
    return _Rates(above, below, top, bottom)


class _Paired:
    def __init__(
        self, attribute: Attribute, metric: str, first: _Rates, second: _Rates, units: Units, policy: Policy, noun: str
    ) -> None:
        self.attribute, self.metric, self.policy, self.noun = attribute, metric, policy, noun
        self.first, self.second = first, second
        self.codes, self.units = attribute.codes, units
        self.moved = self._people((first.above != second.above) | (first.below != second.below))
        self.counted = [self._people(side.below) for side in (first, second)]
        self.either = self._people(first.below | second.below)
        deviations = [side.deviations(self.codes) for side in (first, second)]
        one = isinstance(units, Clusters) and units.count < 2
        scales = [side.top + 0.5 for side in (first, second)]
        self.of_logs = None if one else self._covariance(deviations, scales)
        sizes = [np.maximum(side.bottom, 1.0) for side in (first, second)]
        self.of_rates = None if one else self._covariance(deviations, sizes)

    def _covariance(self, deviations: Sequence[Floats], scales: Sequence[Floats]) -> Floats:
        """(G, G) of the sums of influences of each group, clusters being what varies."""
        influence = deviations[1] / scales[1][self.codes] - deviations[0] / scales[0][self.codes]
        size, n = len(self.attribute.groups), len(influence)
        if self.units is None:
            return np.diag(np.bincount(self.codes, weights=influence**2, minlength=size) * n / max(n - 1, 1))
        from scipy.sparse import csr_array

        some = np.flatnonzero(influence)  # of recall, those who had the outcome
        where = self.units.of_row[some], self.codes[some]
        sums = csr_array((influence[some], where), shape=(self.units.count, size))
        return np.asarray((sums.T @ sums).toarray() * self.units.count / (self.units.count - 1))

    def _people(self, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """(G,) how many of each group have such a row; a cluster counts once in each."""
        some, size = np.flatnonzero(rows), len(self.attribute.groups)
        codes = self.codes[some]
        if self.units is not None:
            codes = np.unique(self.units.of_row[some] * size + codes) % size
        return np.bincount(codes, minlength=size)

    def _units(self, *places: int) -> Units:
        """As many as there are in the smallest of the groups: what the spread of its sums can be told from."""
        if self.units is None:
            return None
        return Clusters(self.units.of_row, int(min(self.either[place] for place in places)))

    # ------------------------------------------------------------ each group

    def groups(self) -> list[Row]:
        return [self._group(place) for place in range(len(self.attribute.groups))]

    def _group(self, place: int) -> Row:
        values = [side.value(place) for side in (self.first, self.second)]
        difference = Estimate(None, reason=None if self.of_rates is None else self._too_few(place))
        if difference.reason is None and values[0] is not None and values[1] is not None:
            gap, variance = values[1] - values[0], 0.0 if self.of_rates is None else float(self.of_rates[place, place])
            half = critical_value(self._units(place)) * math.sqrt(max(variance, 0.0))
            why = ONE_CLUSTER if self.of_rates is None else self._too_few_moved(int(self.moved[place]))
            difference = (
                Estimate(gap, reason=why)
                if why or half == 0
                else Estimate(gap, max(gap - half, -1.0), min(gap + half, 1.0))
            )
        return {
            "attribute": self.attribute.name, "group": self.attribute.groups[place],
            "label": self.attribute.labels[place], "metric": self.metric, "first": {"value": values[0]},
            "second": {"value": values[1]}, "difference": difference.to_dict(), "moved": int(self.moved[place]),
            "verdict": _verdict(difference, int(self.moved[place])),
        }  # fmt: skip

    def _too_few(self, *places: int) -> str | None:
        smallest = min(counted[place] for counted in self.counted for place in places)
        floor = self.policy.floors.ratio
        return too_few(floor, PROPORTIONS[self.metric].of, self.noun) if smallest < floor else None

    def _too_few_moved(self, moved: int) -> str | None:
        floor = self.policy.floors.show
        return f"fewer than {floor} {self.noun} are treated differently" if 0 < moved < floor else None

    # ------------------------------------------------------------ each group with its reference

    def contrasts(self) -> list[Row]:
        places = range(len(self.attribute.groups))
        return [self._contrast(place) for place in places if place != self.attribute.reference]

    def _contrast(self, place: int) -> Row:
        against = self.attribute.reference
        named = {
            "attribute": self.attribute.name, "group": self.attribute.groups[place],
            "label": self.attribute.labels[place], "reference": self.attribute.groups[against],
            "reference_label": self.attribute.labels[against], "metric": self.metric, "against": "reference",
            "family": "primary",
        }  # fmt: skip
        moved = int(self.moved[place] + self.moved[against])
        sides = [self._side(side, place) for side in (self.first, self.second)]
        row = changed_row(named, *sides) | {"moved": moved}
        reason = ONE_CLUSTER if self.of_logs is None else self._too_few(place, against) or self._too_few_moved(moved)
        if reason is None and any(not side["ratio"] for side in sides):
            reason = ZERO
        if reason or self.of_logs is None:
            return row | {"reason": reason, "verdict": CANNOT_TELL}
        if not moved:
            return row | {"change": 1.0, "verdict": THE_SAME}
        of = self.of_logs
        se = math.sqrt(max(float(of[place, place] + of[against, against] - 2 * of[place, against]), 0.0))
        if se == 0:
            return row | {"reason": ZERO, "verdict": CANNOT_TELL}
        logs = [side.log(place) - side.log(against) for side in (self.first, self.second)]
        change, units = logs[1] - logs[0], self._units(place, against)
        return measured_change(row, change, se, critical=critical_value(units), p=_p(change / se, units))

    def _side(self, side: _Rates, place: int) -> Row:
        own, other = side.value(place), side.value(self.attribute.reference)
        return {"ratio": None if own is None or not other else own / other}


def _p(z: float, units: Units) -> float:
    """Two-sided, of the distribution that the interval takes."""
    if units is None:
        return math.erfc(abs(z) / math.sqrt(2))
    from scipy.special import stdtr

    return float(2 * stdtr(max(units.count - 1, 1), -abs(z)))


def _verdict(difference: Estimate, moved: int) -> str:
    if difference.value is None:
        return "not computed"
    if moved == 0:
        return "the same"
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return "no clear change"
    return "higher" if difference.low > 0 else "lower"
