"""Between which values each family's settings are searched. To tune another family: add its row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from riskmodels.models.logit import significant
from riskmodels.study import Section

Settings = Mapping[str, float]

DIGITS = 3
# A leaf that holds a larger part of the rows than this could hardly be split from the others.
LARGEST_LEAF = 10


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, searched by ratio; whole numbers where ``whole``."""

    low: float
    high: float
    whole: bool = False

    def holding(self, value: float) -> Range:
        """Widened, where it must be, to a range that has this value."""
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def settled(self, value: float) -> float:
        """To three significant digits, within the range: more would be chance, and differ between processors."""
        return int(value) if self.whole else min(max(significant(value, DIGITS), self.low), self.high)


SPACES: Mapping[str, Mapping[str, Range]] = MappingProxyType(
    {
        "logistic": {"c": Range(1e-3, 1e2)},
        "explainable_boosting": {
            "learning_rate": Range(0.005, 0.1),
            "rounds": Range(200, 5_000, whole=True),
            "bins": Range(8, 256, whole=True),
            "min_rows_in_leaf": Range(10, 400, whole=True),
        },
        "lightgbm": {
            "learning_rate": Range(0.01, 0.2),
            "trees": Range(20, 600, whole=True),
            "leaves": Range(4, 63, whole=True),
            "min_rows_in_leaf": Range(10, 400, whole=True),
        },
    }
)


def own_settings(family: str, settings: Section) -> Settings:
    """Those of the study's own settings that are tuned."""
    return {name: getattr(settings, name) for name in SPACES[family]}


def space_of(family: str, own: Settings, rows: int) -> dict[str, Range]:
    """Where a family's settings are searched, given the study's own and how many rows the smallest fold learns from.

    Leaves hold at most a tenth of those rows. Every range is widened to hold the study's own setting.
    """
    space = dict(SPACES[family])
    if "min_rows_in_leaf" in space:
        most = max(1, min(int(space["min_rows_in_leaf"].high), rows // LARGEST_LEAF))
        space["min_rows_in_leaf"] = Range(min(space["min_rows_in_leaf"].low, most), most, whole=True)
    return {name: found.holding(own[name]) for name, found in space.items()}


def replaced(section: Section, settings: Settings) -> Section:
    """A family's section with these settings in it, checked as if the study had said them."""
    return type(section).model_validate({**section.model_dump(), **settings})
