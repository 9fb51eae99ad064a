"""What a file of exact counts holds, and what is refused before anything is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.counting.counts import CELLS, Counted, Patterns, Stratum
from riskmodels.assessment.audit.counting.people import SETS
from riskmodels.assessment.audit.policy import Policy
from riskmodels.errors import DataError
from riskmodels.study import Section

NOT_COUNTS = "counts file: is not a file of exact counts"
NEAR, LARGEST = 1e-6, 1e15

Whole = Annotated[int, Field(ge=0, strict=True)]
Sets = Annotated[tuple[Whole, ...], Field(min_length=SETS, max_length=SETS)]
Cells = Annotated[tuple[Whole, ...], Field(min_length=CELLS, max_length=CELLS)]


class KeptAttribute(Section):
    """An attribute without the codes of its rows."""

    name: str
    words: str
    law: str
    groups: tuple[str, ...] = Field(min_length=1)
    labels: tuple[str, ...]
    unknown: tuple[bool, ...]
    reference: Whole

    @classmethod
    def of(cls, attribute: Attribute) -> KeptAttribute:
        return cls(**{name: getattr(attribute, name) for name in cls.model_fields})

    def attribute(self) -> Attribute:
        return Attribute(
            codes=np.zeros(0, dtype=np.int32), **{name: getattr(self, name) for name in type(self).model_fields}
        )


class KeptStratum(Section):
    """An intersection."""

    attribute: str
    group: str
    label: str

    @classmethod
    def of(cls, stratum: Stratum) -> KeptStratum:
        return cls(attribute=stratum.attribute, group=stratum.group, label=stratum.label)


class Numbers(Section):
    """`Counted` as lists: of a symmetric matrix the lower triangle, row by row; a slope that was not fitted is null."""

    units: Annotated[int, Field(ge=1, strict=True)]
    sizes: tuple[Whole, ...] = Field(min_length=1)
    counts: tuple[Cells, ...]
    expected: tuple[float, ...]
    slopes: tuple[float | None, ...]
    sums: tuple[float, ...]
    moments: tuple[float, ...]
    multiplicity: tuple[Whole, ...]
    pattern_start: tuple[Whole, ...] = Field(min_length=1)
    pattern_column: tuple[Whole, ...]
    pattern_value: tuple[Whole, ...]
    pair_counts: tuple[Cells, ...]
    pair_moments: tuple[tuple[float, ...], ...]
    presence: tuple[Sets, ...]
    pair_presence: tuple[Sets, ...]
    everybody_present: Sets

    @classmethod
    def of(cls, counted: Counted) -> Numbers:
        patterns = counted.patterns
        below = np.tril_indices(2 * CELLS)
        return cls(
            units=counted.units,
            sizes=counted.sizes,
            counts=counted.counts.tolist(),
            expected=counted.expected.tolist(),
            slopes=[None if np.isnan(slope) else float(slope) for slope in counted.slopes],
            sums=counted.sums.tolist(),
            moments=counted.moments[np.tril_indices(len(counted.moments))].tolist(),
            multiplicity=patterns.multiplicity.tolist(),
            pattern_start=patterns.start.tolist(),
            pattern_column=patterns.column.tolist(),
            pattern_value=patterns.value.tolist(),
            pair_counts=counted.pair_counts.tolist(),
            pair_moments=[matrix[below].tolist() for matrix in counted.pair_moments],
            presence=counted.presence.tolist(),
            pair_presence=counted.pair_presence.tolist(),
            everybody_present=counted.everybody_present.tolist(),
        )

    def counted(self) -> Counted:
        return Counted(
            sizes=self.sizes,
            units=self.units,
            counts=np.array(self.counts, dtype=np.int64).reshape(-1, CELLS),
            expected=np.array(self.expected),
            slopes=np.array([np.nan if slope is None else slope for slope in self.slopes]),
            moments=_symmetric(self.moments, 8 * len(self.counts)),
            sums=np.array(self.sums),
            patterns=Patterns(
                *(
                    np.array(part, dtype=np.int64)
                    for part in (self.multiplicity, self.pattern_start, self.pattern_column, self.pattern_value)
                )
            ),
            pair_counts=np.array(self.pair_counts, dtype=np.int64).reshape(-1, CELLS),
            presence=np.array(self.presence, dtype=np.int64).reshape(-1, SETS),
            pair_presence=np.array(self.pair_presence, dtype=np.int64).reshape(-1, SETS),
            everybody_present=np.array(self.everybody_present, dtype=np.int64),
            pair_moments=np.array([_symmetric(part, 2 * CELLS) for part in self.pair_moments]).reshape(
                -1, 2 * CELLS, 2 * CELLS
            ),
        )


class Stated(Section):
    """What the audit found."""

    verdict: str
    judged: dict[str, Whole]
    critical_values: dict[str, float]
    contrasts: tuple[dict[str, Any], ...]


class Content(Section):
    """Everything that verdicts are made from, and the verdicts."""

    purpose: Literal["assistive", "punitive", "mixed"]
    outcome_measures: Literal["need", "service"]
    level: Literal["person", "household", "place"]
    seed: Whole
    policy: Policy
    attributes: tuple[KeptAttribute, ...] = Field(min_length=1)
    intersections: tuple[KeptStratum, ...]
    not_audited: tuple[dict[str, Any], ...]
    counted: Numbers
    stated: Stated

    def refuse_misfits(self) -> None:
        """Raises DataError, with the first thing that does not fit the others."""
        for what, fits in self._rules():
            if not fits:
                raise DataError(f"counts file: {what}; it was changed, get it from its owner")

    def _rules(self) -> list[tuple[str, bool]]:
        numbers, strata = self.counted, len(self.counted.counts)
        sizes = [len(attribute.groups) for attribute in self.attributes]
        rules = [
            ("its groups are not those that were counted", list(numbers.sizes) == sizes and sum(sizes) == strata),
            (
                "a group has no label, or an attribute no reference",
                all(
                    len(part.labels) == len(part.unknown) == len(part.groups) > part.reference
                    for part in self.attributes
                ),
            ),
            (
                "it has not as many numbers as it has groups",
                len(numbers.expected) == len(numbers.slopes) == strata
                and len(numbers.sums) == 2 * strata
                and len(numbers.moments) == 4 * strata * (8 * strata + 1)
                and len(numbers.pair_counts) == len(numbers.pair_moments) == len(self.intersections)
                and len(numbers.pair_presence) == len(self.intersections)
                and len(numbers.presence) == len(numbers.counts)
                and all(len(part) == CELLS * (2 * CELLS + 1) for part in numbers.pair_moments),
            ),
            ("a reason is missing for what was not audited", all({"accepted"} <= set(row) for row in self.not_audited)),
        ]
        return rules if not all(fits for _, fits in rules) else [*rules, *self._sums_fit()]

    def _sums_fit(self) -> list[tuple[str, bool]]:
        counted = self.counted.counted()
        ends = np.cumsum(counted.sizes)
        wholes = np.stack([part.sum(axis=0) for part in np.split(counted.counts, ends[:-1])])
        patterns, width = counted.patterns, counted.counts.size
        in_order = bool(
            len(patterns.start) == len(patterns.multiplicity) + 1
            and patterns.start[0] == 0
            and (np.diff(patterns.start) >= 0).all()
            and patterns.start[-1] == len(patterns.column) == len(patterns.value)
            and patterns.column.max(initial=0) < width
        )
        # The squares of whole numbers that add up to c add up to at least c^2 / units, and at most c^2.
        most = counted.counts.ravel().astype(np.float64) ** 2
        squares = np.diag(counted.moments)
        # The bound of Cauchy and Schwarz, on roots: the products of absurd numbers would overflow.
        root = np.sqrt(np.maximum(squares, 0.0))
        mixed = np.abs(counted.moments) <= (root[:, None] * (1 + NEAR)) * root + NEAR
        return [
            ("its groups do not add up to the same people for every attribute", bool((wholes == wholes[0]).all())),
            ("it counts nobody, or fewer people than units", bool(0 < counted.units <= wholes[0].sum())),
            (
                "its patterns do not fit its counts",
                in_order
                and bool(patterns.multiplicity.sum() <= counted.units)
                and bool((patterns.multiplicity @ patterns.table(width) <= counted.counts.ravel()).all()),
            ),
            (
                "its sums of squares do not fit its counts",
                bool((squares[:width] >= most / counted.units * (1 - NEAR)).all())
                and bool((squares[:width] <= most).all())
                and bool((squares <= LARGEST).all() and mixed.all())
                and bool((np.abs(counted.pair_moments) <= LARGEST).all()),
            ),
            (
                "its expected outcomes do not fit its counts",
                bool((counted.expected >= 0).all())
                and bool((counted.expected <= counted.counts[:, :4].sum(axis=1) * (1 + NEAR)).all())
                and bool((np.abs(counted.sums) <= LARGEST).all()),
            ),
        ]


def _symmetric(below: tuple[float, ...], size: int) -> np.ndarray:
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = below
    return np.asarray(matrix + np.tril(matrix, -1).T)
