"""A study folder, read and checked: everything that one question may say.

`load_study` is the way in. `StudyFile` mirrors ``study.yaml`` key by key; it is frozen and refuses keys it does not
know, naming their path (``split.horizon_dys``). Sections are passed inwards as they are: there is no second schema.
"""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from riskmodels import storage
from riskmodels.errors import StudyError

AGGREGATIONS = (
    "count", "any", "sum", "mean", "min", "max", "latest", "first", "change", "trend",
    "days_since_first", "days_since_last", "attribute", "age",
)  # fmt: skip
OF_A_SOURCE = ("attribute", "age")  # what is taken of source.column; everything else is taken of a fact
BASELINES = ("base_rate", "single_best_column", "points", "place_only", "current_practice")
PROTECTED_BY_LAW = (
    "age", "disability", "gender reassignment", "marriage and civil partnership", "pregnancy and maternity", "race",
    "religion or belief", "sex", "sexual orientation",
)  # fmt: skip


# ---------------------------------------------------------------- small types


@dataclass(frozen=True)
class Period:
    """A length of calendar time such as ``90 days``, ``12 months`` or ``ever``."""

    amount: int | None
    unit: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read what `str` writes. Raises ValueError."""
        if text == "ever":
            return cls(None, "ever")
        found = re.fullmatch(r"(\d+) (day|week|month|year)s?", text.strip())
        if not found:
            raise ValueError(f"a period reads like '90 days', '12 months' or 'ever', got {text!r}")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        if self.amount is None:
            return "ever"
        return f"{self.amount} {self.unit}" + ("s" if self.amount != 1 else "")

    def before(self, day: dt.date) -> dt.date:
        """The first day of the window that ends just before ``day``."""
        return dt.date(1, 1, 1) if self.amount is None else self._shift(day, -self.amount)

    def after(self, day: dt.date) -> dt.date:
        """The first day after the window that starts on ``day``."""
        return dt.date(9999, 12, 31) if self.amount is None else self._shift(day, self.amount)

    def _shift(self, day: dt.date, amount: int) -> dt.date:
        # A period that leaves the calendar ends where the calendar does.
        if self.unit in ("day", "week"):
            days = day.toordinal() + amount * (7 if self.unit == "week" else 1)
            return dt.date.fromordinal(min(max(days, dt.date.min.toordinal()), dt.date.max.toordinal()))
        months = day.year * 12 + day.month - 1 + amount * (12 if self.unit == "year" else 1)
        year, month = divmod(months, 12)
        if not dt.MINYEAR <= year <= dt.MAXYEAR:
            return dt.date.min if amount < 0 else dt.date.max
        return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _period(value: Any) -> Any:
    return value if isinstance(value, Period) else Period.parse(str(value))


def _not_nought(value: Period) -> Period:
    if value.amount == 0:
        raise ValueError(f"a window is at least one {value.unit} long, got '{value}'")
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", value):
        raise ValueError("a name has lower-case letters, digits and _, starts with a letter and is at most 80 long")
    return value


def _source_and_column(value: str) -> str:
    if not re.fullmatch(r"[^.\s]+\.[^.]+", value):
        raise ValueError("reads source.column, as in pupils.born_on")
    return value


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


PeriodText = Annotated[Period, BeforeValidator(_period)]
WindowText = Annotated[Period, BeforeValidator(_period), AfterValidator(_not_nought)]
Slug = Annotated[str, AfterValidator(_slug)]
Column = Annotated[str, AfterValidator(_source_and_column)]


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, allow_inf_nan=False
    )


# ---------------------------------------------------------------- sources and facts


class Source(Section):
    file: str
    entity: str
    event_date: str | None = None
    known_date: str | None = None
    kind: str | None = None
    time_zone: str | None = None
    use: Literal["model", "audit"] = "model"

    @field_validator("file")
    @classmethod
    def _inside_the_data_folder(cls, value: str) -> str:
        if Path(value).is_absolute() or ".." in Path(value).parts:
            raise ValueError("a source's file is a relative path inside the data folder (--data)")
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bound(value: Any) -> float | dt.date | str | None:
    if value is None or type(value) is dt.date:
        return value
    if value == "as_of":
        return "as_of"
    if _is_number(value):
        return float(value)
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a limit is a number, a date such as 2024-06-30, or as_of") from None


def _scalar(value: Any) -> str | float | bool | None:
    if value is None or isinstance(value, (str, bool)):
        return value
    if _is_number(value):
        return float(value)
    raise ValueError("is one word, one number, true or false; for several words use one_of")


Bound = Annotated[float | dt.date | str | None, PlainValidator(_bound)]
Scalar = Annotated[str | float | bool | None, PlainValidator(_scalar)]


class Condition(Section):
    """What a column must satisfy; several keys must all hold."""

    at_most: Bound = None
    at_least: Bound = None
    below: Bound = None
    above: Bound = None
    equals: Scalar = None
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None

    @property
    def asked(self) -> dict[str, Any]:
        names = ("at_most", "at_least", "below", "above", "equals", "one_of", "none_of")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def holds(self) -> str:
        """What the column must hold for the question to make sense: number, date or text."""
        return _sort_of(next(iter(self.asked.values())))

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Condition:
        if not self.asked:
            raise ValueError("a condition needs one of at_most, at_least, below, above, equals, one_of, none_of")
        if len({_sort_of(value) for value in self.asked.values()}) > 1:
            raise ValueError("a condition asks for numbers, for dates or for words, not for several of them")
        return self


def _sort_of(value: Any) -> str:
    if value == "as_of" or isinstance(value, dt.date):
        return "date"
    return "text" if isinstance(value, (str, tuple)) else "number"


class Fact(Section):
    """A word: rows of one source, of some kinds, that satisfy conditions."""

    source: str = Field(alias="in")
    kind: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] | None = None
    where: dict[str, Condition] = {}


# ---------------------------------------------------------------- predicates: true or false of a person on a day


class AnyFact(Section):
    any: str
    last: WindowText | None = None


class NoFact(Section):
    none: str
    last: WindowText | None = None


class CountFact(Condition):
    count: str
    last: WindowText | None = None

    @model_validator(mode="after")
    def _of_numbers(self) -> CountFact:
        if self.holds != "number":
            raise ValueError("a count is compared with a number")
        return self


class Attribute(Condition):
    attribute: Column


class Age(Condition):
    age: Column

    @model_validator(mode="after")
    def _in_whole_years(self) -> Age:
        words = {"at_most", "at_least", "below", "above"}
        if set(self.asked) - words or not all(_is_number(v) and v >= 0 and v == int(v) for v in self.asked.values()):
            raise ValueError("an age is compared with whole years, by at_most, at_least, below or above")
        return self


class AllOf(Section):
    all_of: tuple[Predicate, ...] = Field(min_length=1)


class AnyOf(Section):
    any_of: tuple[Predicate, ...] = Field(min_length=1)


class Not(Section):
    not_: Predicate = Field(alias="not")


class FollowedUntil(Section):
    followed_until: Column


# Tags stand in angle brackets, so that they can be told from keys in the path of a problem.
_TAGGED: dict[str, type[Section]] = {
    "<any>": AnyFact, "<none>": NoFact, "<count>": CountFact, "<attribute>": Attribute, "<age>": Age, "<all_of>": AllOf,
    "<any_of>": AnyOf, "<not>": Not, "<followed_until>": FollowedUntil,
}  # fmt: skip
_PREDICATES = tuple(tag.strip("<>") for tag in _TAGGED)


def _which_predicate(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{name}>" for name in _PREDICATES if name in value), None)
    return next((tag for tag, section in _TAGGED.items() if type(value) is section), None)


Predicate = Annotated[
    Annotated[AnyFact, Tag("<any>")]
    | Annotated[NoFact, Tag("<none>")]
    | Annotated[CountFact, Tag("<count>")]
    | Annotated[Attribute, Tag("<attribute>")]
    | Annotated[Age, Tag("<age>")]
    | Annotated[AllOf, Tag("<all_of>")]
    | Annotated[AnyOf, Tag("<any_of>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[FollowedUntil, Tag("<followed_until>")],
    Discriminator(
        _which_predicate,
        custom_error_type="predicate",
        custom_error_message="needs one of the words " + ", ".join(_PREDICATES),
    ),
]


# ---------------------------------------------------------------- cohort and outcome


class AsOfDates(Section):
    first: dt.date
    last: dt.date
    every: WindowText

    @model_validator(mode="after")
    def _comes_again(self) -> AsOfDates:
        if self.every.amount is None or self.first > self.last:
            raise ValueError("first is not after last, and every has a length, such as '3 months'")
        return self


_TAGGED["<plan>"] = AsOfDates


def _list_or_plan(value: Any) -> str:
    return "<plan>" if isinstance(value, (dict, AsOfDates)) else "<list>"


class Step(Section):
    step: str
    keep: Predicate | None = None
    drop: Predicate | None = None

    @model_validator(mode="after")
    def _keep_or_drop(self) -> Step:
        if (self.keep is None) == (self.drop is None):
            raise ValueError("a step has either 'keep' or 'drop'")
        return self


class CohortSection(Section):
    as_of_dates: Annotated[
        Annotated[tuple[dt.date, ...], Tag("<list>")] | Annotated[AsOfDates, Tag("<plan>")],
        Discriminator(_list_or_plan),
    ]
    steps: tuple[Step, ...] = ()
    cluster: Column | None = None

    @property
    def dates(self) -> tuple[dt.date, ...]:
        if not isinstance(self.as_of_dates, AsOfDates):
            return self.as_of_dates
        plan, day = self.as_of_dates, self.as_of_dates.first
        dates: list[dt.date] = []
        while day <= plan.last and day not in dates[-1:]:
            dates.append(day)
            # Always counted from the first date, so that month ends do not drift.
            day = Period((plan.every.amount or 0) * len(dates), plan.every.unit).after(plan.first)
        return tuple(dates)

    @model_validator(mode="after")
    def _in_order(self) -> CohortSection:
        dates = self.dates
        if not dates or list(dates) != sorted(set(dates)):
            raise ValueError("as_of_dates must be at least one date, each once, earliest first")
        return self


class OutcomeSection(Section):
    name: Slug
    words: str
    measures: Literal["need", "service"]
    happens: Predicate
    known: Predicate
    horizon: WindowText
    lag: PeriodText

    @model_validator(mode="after")
    def _ends(self) -> OutcomeSection:
        if self.horizon.amount is None or self.lag.amount is None:
            raise ValueError("horizon and lag have a length, not 'ever'")
        return self

    def mature_on(self, as_of: dt.date) -> dt.date:
        """The first day on which the outcome of ``as_of`` can be trusted to be recorded."""
        return self.lag.after(self.horizon.after(as_of))


# ---------------------------------------------------------------- features


class FeatureLine(Section):
    """One line of ``features``; lists of ``take`` and ``last`` make several features."""

    name: Slug
    take: Annotated[tuple[Literal[AGGREGATIONS], ...], BeforeValidator(_one_or_many)]  # type: ignore[valid-type]
    of: str
    last: Annotated[tuple[WindowText, ...], BeforeValidator(_one_or_many)] = (Period(None, "ever"),)
    missing: Literal["keep", "zero", "median", "category"] = "keep"
    words: str
    high: str | None = None
    low: str | None = None
    value: str | None = None

    @property
    def columns(self) -> tuple[tuple[str, str, Period], ...]:
        """What the line makes: (column name, take, window) of each feature."""
        made = []
        for take in self.take:
            windows = self.last if take not in OF_A_SOURCE else self.last[:1]
            for last in windows:
                name = self.name + (f"_{take}" if len(self.take) > 1 else "")
                made.append((name + (f"_{last}".replace(" ", "_") if len(windows) > 1 else ""), take, last))
        return tuple(made)


# ---------------------------------------------------------------- split and models


class TestDates(Section):
    dates: tuple[dt.date, ...] | None = None
    last: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_of_them(self) -> TestDates:
        if (self.dates is None) == (self.last is None):
            raise ValueError("say either 'dates' or 'last' (how many of the latest as-of dates to test on)")
        if self.dates is not None and (not self.dates or list(self.dates) != sorted(set(self.dates))):
            raise ValueError("dates must be at least one date, each once, earliest first")
        return self


class SplitSection(Section):
    test: TestDates
    calibrate: Literal["later", "grouped"]
    why_grouped: str | None = None
    calibrate_share: float = Field(0.25, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _reason(self) -> SplitSection:
        if self.calibrate == "grouped" and not self.why_grouped:
            raise ValueError("calibrate: grouped needs why_grouped, which the card prints")
        return self


class NoSettings(Section):
    pass


class PointsSettings(Section):
    most: int = Field(6, ge=1, le=30, description="the most rules a tally may have")


class LogisticSettings(Section):
    c: float = Field(1.0, gt=0, description="inverse strength of the ridge penalty, on standardised features")


class LightGBMSettings(Section):
    trees: int = Field(120, ge=1, le=10_000)
    leaves: int = Field(15, ge=2, le=255)
    learning_rate: float = Field(0.05, gt=0, le=1)
    min_rows_in_leaf: int = Field(40, ge=1)


class Candidates(Section):
    """Families, simplest first. The baselines run whether listed or not."""

    base_rate: NoSettings = NoSettings()
    single_best_column: NoSettings = NoSettings()
    points: PointsSettings = PointsSettings()
    logistic: LogisticSettings | None = None
    lightgbm: LightGBMSettings | None = None

    @property
    def families(self) -> dict[str, Section]:
        listed = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: settings for name, settings in listed.items() if settings is not None}


class ModelsSection(Section):
    candidates: Candidates = Candidates()
    calibrator: Literal["sigmoid", "isotonic", "none"] = "sigmoid"
    choose_by: Literal["brier_score", "log_loss"] = "brier_score"
    current_practice: str | None = None
    place: str | None = None

    @property
    def families(self) -> dict[str, Section]:
        """Every family to fit, in order of complexity: baselines first."""
        families = dict(self.candidates.families)
        ordered: dict[str, Section] = {}
        for name in ("base_rate", "single_best_column", "points"):
            ordered[name] = families.pop(name)
        if self.place:
            ordered["place_only"] = NoSettings()
        if self.current_practice:
            ordered["current_practice"] = NoSettings()
        return ordered | families


# ---------------------------------------------------------------- use, audit, card


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
    exclude: Predicate
    because: str
    owner: str


class Money(Section):
    place_costs: tuple[float, float]
    success_saves: tuple[float, float]
    currency: str = "GBP"


class Protected(Section):
    column: Column
    law: Literal[(*PROTECTED_BY_LAW, "none")]  # type: ignore[valid-type]
    reference: str | None = None
    labels: dict[str, str] = {}
    words: str | None = None
    bands: tuple[float, ...] = ()
    also_feature: str | None = None


class FairnessSection(Section):
    policy: str = "default"
    intersections: tuple[tuple[str, str], ...] = ()


class Floors(Section):
    oe_ratio: tuple[float, float] = (0.8, 1.25)
    gain_over_baselines: float = 0.0


class StudyFile(Section):
    """``study.yaml``: everything that changes the model."""

    schema_version: Literal[1] = Field(alias="schema")
    study: Slug
    title: str
    question: str
    seed: int = Field(ge=0, lt=2**32)
    purpose: Literal["assistive", "punitive", "mixed"]
    level: Literal["person", "household", "place"]
    clock: Literal["calendar", "relative"]
    sources: dict[Slug, Source] = Field(min_length=1)
    facts: dict[Slug, Fact] = {}
    cohort: CohortSection
    outcome: OutcomeSection
    features: tuple[FeatureLine, ...] = Field(min_length=1)
    split: SplitSection
    models: ModelsSection = ModelsSection()
    breaks: tuple[Break, ...] = ()
    capacity: Capacity
    service_rules: tuple[ServiceRule, ...] = ()
    list_unit: Literal["person", "household"] = "person"
    bands: dict[str, float] = {"lower": 0.0, "raised": 0.2, "high": 0.5}
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.2, 0.3, 0.5)
    money: Money | None = None
    protected: dict[str, Protected] = {}
    not_audited: dict[str, str] = {}
    fairness: FairnessSection = FairnessSection()
    disclosure: Literal["sro-10"] = "sro-10"
    floors: Floors = Floors()
    accepted: dict[str, str] = {}

    # -- checks that need more than one section

    @model_validator(mode="after")
    def _everything_named_exists(self) -> StudyFile:
        for name, fact in self.facts.items():
            source = self.sources.get(fact.source)
            if source is None:
                raise ValueError(
                    f"facts.{name}.in: no source is called {fact.source!r}{_meant(fact.source, self.sources)}"
                )
            if source.use == "audit":
                raise ValueError(f"facts.{name}.in: {fact.source!r} is kept for the audit and cannot hold facts")
            if source.event_date is None:
                raise ValueError(f"facts.{name}.in: sources.{fact.source} names no event_date, so it holds no facts")
            if fact.kind and source.kind is None:
                raise ValueError(f"facts.{name}.kind: sources.{fact.source} names no kind column")
        for where, word in self._facts_used():
            if word not in self.facts:
                raise ValueError(f"{where}: no fact is called {word!r}{_meant(word, self.facts)}")
        for where, column in self._columns_used():
            head = column.split(".")[0]
            if head not in self.sources:
                raise ValueError(f"{where}: no source is called {head!r}{_meant(head, self.sources)}")
            if self.sources[head].use == "audit" and not where.startswith("protected."):
                raise ValueError(f"{where}: {head!r} is kept for the audit and decides nothing else")
        for index, item in enumerate(self.breaks):
            for word in item.affects:
                if word not in self.facts and word not in self.sources:
                    known = [*self.facts, *self.sources]
                    raise ValueError(
                        f"breaks[{index}].affects: no fact or source is called {word!r}{_meant(word, known)}"
                    )
        return self

    @model_validator(mode="after")
    def _features_fit(self) -> StudyFile:
        for index, line in enumerate(self.features):
            self._check_feature(f"features[{index}] ({line.name})", line)
        names = [name for line in self.features for name, _, _ in line.columns]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"features: two of them make the column {name!r}; rename one")
            if name in ("entity_id", "as_of_date", "cluster_id"):
                raise ValueError(f"features: the name {name!r} is taken; use another")
        for key in ("place", "current_practice"):
            column = getattr(self.models, key)
            if column is not None and column not in names:
                raise ValueError(f"models.{key}: no feature is called {column!r}{_meant(column, names)}")
        return self

    def source_of(self, take: str, of: str) -> str:
        """The source that a feature is made from: named by itself, or by its fact."""
        head = of.partition(".")[0]
        return head if take in OF_A_SOURCE else self.facts[head].source

    def _check_feature(self, where: str, line: FeatureLine) -> None:
        head, _, column = line.of.partition(".")
        if head in self.sources and self.sources[head].use == "audit":
            raise ValueError(f"{where}.of: {head!r} is kept for the audit (use: audit) and cannot be a feature")
        for take in line.take:
            if take in OF_A_SOURCE and (head not in self.sources or not column):
                raise ValueError(f"{where}.of: {take} needs source.column{_meant(head, self.sources)}")
            if take not in OF_A_SOURCE and head not in self.facts:
                raise ValueError(f"{where}.of: no fact is called {head!r}{_meant(head, self.facts)}")
            if take in ("sum", "mean", "min", "max", "latest", "first", "change", "trend") and not column:
                raise ValueError(f"{where}.of: {take} needs a column, as in {head}.value")
        for name, spec in self.protected.items():
            # The same column name is taken to be the same thing, whichever table it stands in; so is age.
            same = column.lower() == spec.column.split(".")[1].lower() or ("age" in line.take and spec.law == "age")
            if same and not spec.also_feature:
                raise ValueError(
                    f"{where}: uses the protected characteristic {name!r}; take it out, or write the reason under "
                    f"protected.{name}.also_feature"
                )

    @model_validator(mode="after")
    def _dates_fit(self) -> StudyFile:
        dates = self.cohort.dates
        if self.split.test.dates is not None:
            unknown = [day for day in self.split.test.dates if day not in dates]
            if unknown:
                raise ValueError(f"split.test.dates: {unknown[0]} is not one of cohort.as_of_dates")
        elif self.split.test.last is not None and self.split.test.last >= len(dates):
            raise ValueError(f"split.test.last: {self.split.test.last} leaves no as-of date to learn from")
        return self

    @model_validator(mode="after")
    def _within_what_is_built(self) -> StudyFile:
        # Refused rather than read and ignored: a list that breaks its own rules is worse than none.
        if self.capacity.by:
            raise ValueError("capacity.by: lists by team are not built yet; give one number of places")
        if self.list_unit != "person":
            raise ValueError("list_unit: only 'person' is built yet")
        for name, source in self.sources.items():
            if source.time_zone:
                raise ValueError(f"sources.{name}.time_zone: not built yet; give local dates")
        return self

    @model_validator(mode="after")
    def _audit_is_whole(self) -> StudyFile:
        for first, second in self.fairness.intersections:
            for name in (first, second):
                if name not in self.protected:
                    raise ValueError(f"fairness.intersections: {name!r} does not stand under protected")
        for name in self.not_audited:
            if name not in PROTECTED_BY_LAW:
                raise ValueError(f"not_audited: the law protects no {name!r}{_meant(name, PROTECTED_BY_LAW)}")
        starts = list(self.bands.values())
        if starts and (starts != sorted(set(starts)) or starts[0] != 0 or starts[-1] >= 1):
            raise ValueError("bands: the first band starts at risk 0 and each later one higher, below 1")
        return self

    def _facts_used(self) -> Iterator[tuple[str, str]]:
        for where, predicate in self._predicates():
            for part in parts_of(predicate):
                if isinstance(part, AnyFact):
                    yield where, part.any
                elif isinstance(part, NoFact):
                    yield where, part.none
                elif isinstance(part, CountFact):
                    yield where, part.count

    def _columns_used(self) -> Iterator[tuple[str, str]]:
        for where, predicate in self._predicates():
            for part in parts_of(predicate):
                if isinstance(part, Attribute):
                    yield where, part.attribute
                elif isinstance(part, Age):
                    yield where, part.age
                elif isinstance(part, FollowedUntil):
                    yield where, part.followed_until
        for name, spec in self.protected.items():
            yield f"protected.{name}.column", spec.column
        if self.cohort.cluster:
            yield "cohort.cluster", self.cohort.cluster
        if self.capacity.by:
            yield "capacity.by", self.capacity.by

    def _predicates(self) -> Iterator[tuple[str, Any]]:
        for index, step in enumerate(self.cohort.steps):
            yield f"cohort.steps[{index}]", step.keep or step.drop
        yield "outcome.happens", self.outcome.happens
        yield "outcome.known", self.outcome.known
        for index, rule in enumerate(self.service_rules):
            yield f"service_rules[{index}]", rule.exclude


def parts_of(predicate: Any) -> Iterator[Any]:
    """The predicate and everything inside it."""
    yield predicate
    inner: tuple[Any, ...] = ()
    if isinstance(predicate, AllOf):
        inner = predicate.all_of
    elif isinstance(predicate, AnyOf):
        inner = predicate.any_of
    elif isinstance(predicate, Not):
        inner = (predicate.not_,)
    for part in inner:
        yield from parts_of(part)


def _meant(word: str, names: Iterable[str]) -> str:
    """What to say after a word that nobody knows: the one that was probably meant, or those there are."""
    known = list(names)
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known) or 'none'})"


# ---------------------------------------------------------------- register and answers


class RegisterEntry(Section):
    """What the governance officer must know of one source."""

    words: str
    owner: str
    collected_for: str
    how: str
    about: Literal["person", "household", "place"]
    lawful_basis: str
    special_category_condition: str | None = None
    agreement: str | None = None
    agreement_expires: dt.date | None = None
    permitted_purposes: tuple[str, ...] = ()
    people_were_told: str | None = None
    retention: str
    extracted_on: dt.date
    columns: dict[str, str]


class Register(Section):
    sources: dict[str, RegisterEntry]


class Answer(Section):
    """What people say: a text with its owner. No text prints as "Not provided (owner)"."""

    text: str | None = None
    owner: str


class Answers(Section):
    """``answers.yaml``: what only people can say. Correcting it neither retrains nor changes the model."""

    organisation: str
    fictional: bool = False
    owner_role: str
    contact: str | None = None
    ask: Answer
    purpose: dict[str, Answer] = {}
    people_process: dict[str, Answer] = {}
    risks: dict[str, Answer] = {}
    law: dict[str, Answer] = {}
    monitoring: dict[str, Answer] = {}
    cannot_see: Answer
    questions: dict[int, Answer] = {}

    @field_validator("questions")
    @classmethod
    def _twenty(cls, value: dict[int, Answer]) -> dict[int, Answer]:
        wrong = [number for number in value if not 1 <= number <= 20]
        if wrong:
            raise ValueError(f"there are twenty questions; {wrong[0]} is not one of them")
        return value


# ---------------------------------------------------------------- the folder


@dataclass(frozen=True)
class Study:
    """A study folder that has been read and checked."""

    folder: Path
    file: StudyFile
    register: Register
    answers: Answers
    files: tuple[tuple[str, bytes], ...]

    @property
    def name(self) -> str:
        return self.file.study

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what changes the model: ``study.yaml`` only."""
        return storage.sha256(dict(self.files)["study.yaml"])

    @cached_property
    def answers_digest(self) -> str:
        both = {name: content for name, content in self.files if name in ("answers.yaml", "register.yaml")}
        return storage.digest_of_files(both)

    @property
    def extracted_on(self) -> dt.date:
        """The day up to which every source used by the model had been extracted."""
        used = [name for name, source in self.file.sources.items() if source.use == "model"]
        return min(self.register.sources[name].extracted_on for name in used)


def load_study(folder: str | Path) -> Study:
    """Read and check a study folder (or its ``study.yaml``).

    Raises
    ------
    StudyError
        naming the file, the path of the key and what to do.
    """
    folder = Path(folder)
    if folder.name == "study.yaml":
        folder = folder.parent
    if not folder.is_dir():
        raise StudyError(f"{folder}: no such study folder; `riskmodels new` makes one")
    files = {
        name: storage.read_bytes(folder / name, StudyError) for name in ("study.yaml", "register.yaml", "answers.yaml")
    }
    study_file = _parse(StudyFile, folder / "study.yaml")
    register = _parse(Register, folder / "register.yaml")
    answers = _parse(Answers, folder / "answers.yaml")
    unregistered = sorted(set(study_file.sources) - set(register.sources))
    if unregistered:
        raise StudyError(
            f"{folder / 'register.yaml'}: sources.{unregistered[0]} is missing; every source must be registered"
        )
    return Study(folder, study_file, register, answers, tuple(sorted(files.items())))


def parse_study_file(raw: dict[str, Any], where: str = "study.yaml") -> StudyFile:
    """Check a study that is already a mapping. Raises StudyError."""
    return validated(StudyFile, raw, where)


_Schema = TypeVar("_Schema", bound=Section)


def _parse(schema: type[_Schema], path: Path) -> _Schema:
    return validated(schema, storage.read_yaml(path), str(path))


def validated(schema: type[_Schema], raw: Any, where: str) -> _Schema:
    if not isinstance(raw, dict):
        raise StudyError(f"{where}: must hold keys and values")
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise StudyError(f"{where}: {_first_problem(error, schema)}") from None


def _first_problem(error: ValidationError, schema: type[BaseModel]) -> str:
    """The most telling problem in one line: unknown keys first, since they often explain a missing one."""
    problems = error.errors()
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    path = _path(problem["loc"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{_meant(str(problem['loc'][-1]), _keys_at(problem['loc'][:-1], schema))}{more}"
    if problem["type"] == "missing":
        return f"{path}: is missing{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "predicate" and isinstance(problem["input"], dict):
        close = (difflib.get_close_matches(str(key), _PREDICATES, n=1) for key in problem["input"])
        message += next((f"; did you mean {found[0]!r}?" for found in close if found), "")
    return f"{path}: {message}{more}" if path else f"{message}{more}"


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]" and not part.startswith("<"):
            text += f".{part}" if text else part
    return text


def _keys_at(location: tuple[int | str, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that the schema knows at a place, found by walking it there."""
    here: type[BaseModel] | None = schema
    for part in location:
        if part in _TAGGED:
            here = _TAGGED[str(part)]
        elif here is not None:
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _section_in(fields[str(part)].annotation) if part in fields else here
    return [field.alias or name for name, field in here.model_fields.items()] if here is not None else []


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The first Section inside an annotation such as ``tuple[Step, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)
