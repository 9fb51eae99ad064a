"""How the model will be used and audited: places, rules of the service, protected characteristics, floors."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from riskmodels.errors import StudyError
from riskmodels.study.predicates import Predicate
from riskmodels.study.section import Column, Section, Slug

Share = Annotated[float, Field(ge=0, le=1)]

PROTECTED_BY_LAW = (
    "age", "disability", "gender reassignment", "marriage and civil partnership", "pregnancy and maternity", "race",
    "religion or belief", "sex", "sexual orientation",
)  # fmt: skip


class Objections(Section):
    """A file of who objected to what: a row for each person and scope (training, audit, scoring or all)."""

    file: str
    entity: str
    scope: str
    table: str | None = None


class Consents(Section):
    """A file of who consented to the use of which source, when, and until when: for sources with consented: true."""

    file: str
    entity: str
    source: str
    given_on: str
    withdrawn_on: str
    table: str | None = None


class Break(Section):
    date: dt.date
    what: str
    affects: tuple[str, ...] = ()


class Capacity(Section):
    places: (
        Annotated[
            Annotated[int, Tag("<one>")] | Annotated[dict[str, int], Tag("<teams>")],
            Discriminator(lambda value: "<teams>" if isinstance(value, dict) else "<one>"),
        ]
        | None
    ) = None
    share: float | None = Field(None, gt=0, lt=1)
    by: Column | None = None

    @model_validator(mode="after")
    def _shape(self) -> Capacity:
        if (self.places is None) == (self.share is None):
            raise ValueError("say either 'places' or 'share'")
        if isinstance(self.places, dict) != (self.by is not None):
            raise ValueError("capacity by team needs 'by' and a number of places for each")
        counts = self.places.values() if isinstance(self.places, dict) else (self.places,)
        if any(count is not None and count < 1 for count in counts):
            raise ValueError("places must be at least 1")
        return self

    def of(self, cohort_size: int) -> int:
        """Places for a cohort of this size. Raises StudyError if there are more places than people."""
        if self.share is not None:
            return max(1, round(self.share * cohort_size))
        places = sum(self.places.values()) if isinstance(self.places, dict) else int(self.places or 0)
        if places > cohort_size:
            raise StudyError(
                f"capacity.places: {places} places for a cohort of {cohort_size}; everybody could be offered help, "
                "so a ranking is not needed: lower the places, or do not rank"
            )
        return places


class ServiceRule(Section):
    """Whom the service would not contact. ``kind`` is what sort of rule it is: the people of ``already_known`` need no
    finding, so what the list is worth is also told without them."""

    exclude: Predicate
    because: str
    owner: str
    kind: Literal["already_known", "contacted", "died", "moved", "objected", "restricted", "other"] = "other"


class Route(Section):
    """A safeguarding flag: whoever it is true of is named to one role, in a file of its own, listed or not."""

    when: Predicate
    to: Slug
    because: str
    owner: str


class Money(Section):
    place_costs: tuple[float, float]
    success_saves: tuple[float, float]
    currency: str = "GBP"

    @model_validator(mode="after")
    def _ranges(self) -> Money:
        for name in ("place_costs", "success_saves"):
            low, high = getattr(self, name)
            if low > high or low < 0:
                raise ValueError(f"{name}: is a range of sums from 0 up, the lower end first")
        return self


class Help(Section):
    """What is *assumed* of the help on offer. Nothing here is measured, and the card says so.

    ``take_up``: of those offered help, the share who are reached. ``effect``: the share of the risk that help takes
    away from those it reaches, as a range; below 0 it does harm.
    """

    take_up: tuple[Share, Share]
    effect: tuple[Annotated[float, Field(ge=-1, le=1)], Annotated[float, Field(ge=-1, le=1)]]

    @model_validator(mode="after")
    def _in_order(self) -> Help:
        for name in ("take_up", "effect"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: is a range, the lower end first")
        return self


class Protected(Section):
    column: Column
    law: Literal[(*PROTECTED_BY_LAW, "none")]  # type: ignore[valid-type]
    reference: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    words: str | None = None
    bands: tuple[float, ...] = ()
    also_feature: str | None = None
    by: Column | None = None  # our own column that holds the id of the household or place, where ``column`` is its


class FairnessSection(Section):
    policy: str = "default"
    intersections: Annotated[
        Annotated[tuple[tuple[str, str], ...], Tag("<pairs>")] | Annotated[Literal["all"], Tag("<all>")],
        Discriminator(lambda value: "<all>" if isinstance(value, str) else "<pairs>"),
    ] = ()


class Floors(Section):
    oe_ratio: tuple[float, float] = (0.8, 1.25)
    gain_over_baselines: float = 0.0
