"""``study.yaml`` key by key, and the checks that need more than one section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from riskmodels.study.cohort import CohortSection, OutcomeSection
from riskmodels.study.features import OF_A_COLUMN, OF_A_SOURCE, FeatureLine
from riskmodels.study.models import ModelsSection, SplitSection
from riskmodels.study.predicates import Age, Attribute, FollowedUntil, fact_word, parts_of
from riskmodels.study.section import Column, Section, Slug
from riskmodels.study.sources import Fact, Source
from riskmodels.study.spelling import meant
from riskmodels.study.use import (
    PROTECTED_BY_LAW,
    Break,
    Capacity,
    Consents,
    FairnessSection,
    Floors,
    Help,
    Money,
    Objections,
    Protected,
    Route,
    ServiceRule,
)

# Columns that cohorts and lists have beside the features.
TAKEN = ("entity_id", "as_of_date", "cluster_id", "row_number", "excluded", "team", "household")


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
    objections: Objections | None = None
    consents: Consents | None = None
    facts: dict[Slug, Fact] = Field(default_factory=dict)
    cohort: CohortSection
    outcome: OutcomeSection
    features: tuple[FeatureLine, ...] = Field(min_length=1)
    split: SplitSection
    models: ModelsSection = ModelsSection()
    breaks: tuple[Break, ...] = ()
    capacity: Capacity
    service_rules: tuple[ServiceRule, ...] = ()
    routes: tuple[Route, ...] = ()
    list_unit: Literal["person", "household"] = "person"
    bands: dict[str, float] = Field({"lower": 0.0, "raised": 0.2, "high": 0.5})
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.2, 0.3, 0.5)
    money: Money | None = None
    help: Help | None = None
    slices: tuple[Column, ...] = ()
    protected: dict[str, Protected] = Field(default_factory=dict)
    not_audited: dict[str, str] = Field(default_factory=dict)
    fairness: FairnessSection = FairnessSection()
    disclosure: Literal["sro-10", "dfe-cin", "nhs-round5", "places"] = "sro-10"
    floors: Floors = Floors()
    accepted: dict[str, str] = Field(default_factory=dict)

    # -- checks that need more than one section

    @model_validator(mode="after")
    def _everything_named_exists(self) -> StudyFile:
        for name, fact in self.facts.items():
            source = self.sources.get(fact.source)
            if source is None:
                raise ValueError(
                    f"facts.{name}.in: no source is called {fact.source!r}{meant(fact.source, self.sources)}"
                )
            if source.use == "audit":
                raise ValueError(f"facts.{name}.in: {fact.source!r} is kept for the audit and cannot hold facts")
            if source.event_date is None:
                raise ValueError(f"facts.{name}.in: sources.{fact.source} names no event_date, so it holds no facts")
            if fact.kind and source.kind is None:
                raise ValueError(f"facts.{name}.kind: sources.{fact.source} names no kind column")
        self._check_links()
        for where, word in self._facts_used():
            if word not in self.facts:
                raise ValueError(f"{where}: no fact is called {word!r}{meant(word, self.facts)}")
        for where, column in self._columns_used():
            head = column.split(".")[0]
            if head not in self.sources:
                raise ValueError(f"{where}: no source is called {head!r}{meant(head, self.sources)}")
            if self.sources[head].use == "audit" and not where.startswith("protected."):
                raise ValueError(f"{where}: {head!r} is kept for the audit and decides nothing else")
        for index, item in enumerate(self.breaks):
            for word in item.affects:
                if word not in self.facts and word not in self.sources:
                    known = [*self.facts, *self.sources]
                    raise ValueError(
                        f"breaks[{index}].affects: no fact or source is called {word!r}{meant(word, known)}"
                    )
        return self

    def sources_of(self, predicates: Iterable[Any]) -> set[str]:
        """The sources that predicates look at."""
        found = set()
        for part in (part for predicate in predicates for part in parts_of(predicate)):
            if word := fact_word(part):
                found.add(self.facts[word].source)
            elif isinstance(part, (Attribute, Age, FollowedUntil)):
                found.add(_column_of(part).split(".")[0])
        return found

    def facts_of(self, predicates: Iterable[Any]) -> dict[str, Any]:
        """The definitions of the words that predicates use."""
        words = {word for predicate in predicates for part in parts_of(predicate) if (word := fact_word(part))}
        return {word: self.facts[word].model_dump(mode="json", by_alias=True) for word in sorted(words)}

    def level_of(self, source: str) -> str:
        """Whose ids a source holds: person, household or place."""
        return self.sources[source].level or self.level

    def _check_links(self) -> None:
        for name, source in self.sources.items():
            where = f"sources.{name}"
            if source.consented and self.level_of(name) != self.level:
                raise ValueError(
                    f"{where}.consented: consents are kept by the ids of the study's level ({self.level}) only"
                )
            if source.consented and self.consents is None:
                raise ValueError(f"{where}.consented: say under consents which file holds who consented")
            if source.link is None:
                continue
            other = source.link.through or str(source.link.flag).split(".")[0]
            if other not in self.sources:
                raise ValueError(f"{where}.link: no source is called {other!r}{meant(other, self.sources)}")
            if other == name or self.sources[other].link or self.sources[other].use == "audit":
                raise ValueError(
                    f"{where}.link: {other!r} must be another source that the model uses, and not linked itself"
                )
            if self.level_of(other) != self.level or self.level_of(name) != self.level:
                raise ValueError(f"{where}.link: only sources of the study's own level ({self.level}) are linked")

    @model_validator(mode="after")
    def _features_fit(self) -> StudyFile:
        for index, line in enumerate(self.features):
            self._check_feature(f"features[{index}] ({line.name})", line)
        names = [column.name for line in self.features for column in line.columns]
        for name, times in Counter(names).items():
            if times > 1:
                raise ValueError(f"features: two of them make the column {name!r}; rename one")
            if name in TAKEN:
                raise ValueError(f"features: the name {name!r} is taken; use another")
        for key in ("place", "current_practice"):
            column = getattr(self.models, key)
            if column is not None and column not in names:
                raise ValueError(f"models.{key}: no feature is called {column!r}{meant(column, names)}")
        candidates = self.models.candidates
        said = {
            "logistic.splines": candidates.logistic.splines if candidates.logistic else (),
            "lightgbm.monotone": tuple(candidates.lightgbm.monotone) if candidates.lightgbm else (),
        }
        for key, columns in said.items():
            for column in columns:
                if column not in names:
                    where = f"models.candidates.{key}"
                    raise ValueError(f"{where}: no feature is called {column!r}{meant(column, names)}")
        return self

    def source_of(self, take: str, of: str) -> str:
        """The source that a feature is made from: named by itself, or by its fact."""
        head = of.partition(".")[0]
        return head if take in OF_A_SOURCE else self.facts[head].source

    def features_that_are(self, attribute: str) -> tuple[str, ...]:
        """The feature lines that are this protected characteristic itself (``also_feature``)."""
        return tuple(line.name for line in self.features if _is_the_same(line, self.protected[attribute]))

    def _check_feature(self, where: str, line: FeatureLine) -> None:
        head, _, column = line.of.partition(".")
        if head in self.sources and self.sources[head].use == "audit":
            raise ValueError(f"{where}.of: {head!r} is kept for the audit (use: audit) and cannot be a feature")
        for take in line.take:
            if take in OF_A_SOURCE and (head not in self.sources or not column):
                raise ValueError(f"{where}.of: {take} needs source.column{meant(head, self.sources)}")
            if take not in OF_A_SOURCE and head not in self.facts:
                raise ValueError(f"{where}.of: no fact is called {head!r}{meant(head, self.facts)}")
            if take in OF_A_COLUMN and not column:
                raise ValueError(f"{where}.of: {take} needs a column, as in {head}.value")
        if line.over is not None:
            self._check_ratio(where, line)
        if line.each is not None and "kind" in line.each and self.sources[self.facts[head].source].kind is None:
            raise ValueError(f"{where}.each: sources.{self.facts[head].source} names no kind column")
        for name, spec in self.protected.items():
            if _is_the_same(line, spec) and not spec.also_feature:
                raise ValueError(
                    f"{where}: uses the protected characteristic {name!r}; take it out, or write the reason under "
                    f"protected.{name}.also_feature"
                )

    def _check_ratio(self, where: str, line: FeatureLine) -> None:
        head, _, column = str(line.over).partition(".")
        if head not in self.facts:
            raise ValueError(f"{where}.over: no fact is called {head!r}{meant(head, self.facts)}")
        if bool(column) != bool(line.of.partition(".")[2]):
            raise ValueError(f"{where}.over: divides counts by counts, or sums by sums: both name a column, or neither")
        if self.facts[head].source != self.facts[line.of.partition(".")[0]].source:
            raise ValueError(f"{where}.over: both facts of a ratio stand in one source")

    @model_validator(mode="after")
    def _levels_fit(self) -> StudyFile:
        """Facts of a household or place are reached through a column of ours that holds its id."""
        for where, source, by in self._joins():
            if by is None and self.level_of(source) != self.level:
                raise ValueError(
                    f"{where}: {source!r} holds facts of a {self.level_of(source)}, not of a {self.level}; name our "
                    "column that holds its id, as in by: people.area"
                )
            if by is not None and self.level_of(source) == self.level:
                raise ValueError(f"{where}.by: {source!r} holds our own ids; take 'by' out, or give the source a level")
            if by is not None and self.level_of(by.split(".")[0]) != self.level:
                raise ValueError(f"{where}.by: {by} is not a column of ours ({self.level})")
        return self

    def _joins(self) -> Iterator[tuple[str, str, str | None]]:
        for index, line in enumerate(self.features):
            yield f"features[{index}] ({line.name})", self.source_of(line.take[0], line.of), line.by
        for name, spec in self.protected.items():
            yield f"protected.{name}", spec.column.split(".")[0], spec.by
        for where, word in self._facts_used():
            yield where, self.facts[word].source, None
        for where, column in self._columns_used():
            if not where.startswith("protected.") and not where.endswith(".by"):
                yield where, column.split(".")[0], None

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
    def _slices_once(self) -> StudyFile:
        if len(set(self.slices)) != len(self.slices):
            raise ValueError("slices names a column twice")
        return self

    @model_validator(mode="after")
    def _lists_can_be_made(self) -> StudyFile:
        if self.list_unit == "household" and self.level != "person":
            raise ValueError(f"list_unit: a study of each {self.level} lists each {self.level}; leave it out")
        if self.list_unit == "household" and not self.cohort.cluster:
            raise ValueError("list_unit: household needs cohort.cluster, our column that says who lives together")
        return self

    @model_validator(mode="after")
    def _rules_can_be_answered_for(self) -> StudyFile:
        for name, rules in (("service_rules", self.service_rules), ("routes", self.routes)):
            for index, rule in enumerate(rules):
                for key in ("because", "owner"):
                    if not getattr(rule, key).strip():
                        raise ValueError(f"{name}[{index}].{key}: is empty; a rule has a reason and an owner")
        said = [rule.because.strip() for rule in self.service_rules]
        if twice := next((because for because in said if said.count(because) > 1), None):
            raise ValueError(f"service_rules: two rules give the reason {twice!r}; a cohort file names them by it")
        return self

    @model_validator(mode="after")
    def _audit_is_whole(self) -> StudyFile:
        pairs = self.fairness.intersections
        for name in dict.fromkeys(name for pair in (() if pairs == "all" else pairs) for name in pair):
            if name not in self.protected:
                raise ValueError(f"fairness.intersections: {name!r} does not stand under protected")
        for name in self.not_audited:
            if name not in PROTECTED_BY_LAW:
                raise ValueError(f"not_audited: the law protects no {name!r}{meant(name, PROTECTED_BY_LAW)}")
        if self.disclosure == "places" and self.level != "place":
            raise ValueError(
                "disclosure: 'places' hides nothing, so it is for level: place; a study of people or households has "
                "sro-10, dfe-cin or nhs-round5"
            )
        starts = list(self.bands.values())
        if starts and (starts != sorted(set(starts)) or starts[0] != 0 or starts[-1] >= 1):
            raise ValueError("bands: the first band starts at risk 0 and each later one higher, below 1")
        return self

    def _facts_used(self) -> Iterator[tuple[str, str]]:
        for where, predicate in self._predicates():
            for part in parts_of(predicate):
                if word := fact_word(part):
                    yield where, word

    def _columns_used(self) -> Iterator[tuple[str, str]]:
        for where, predicate in self._predicates():
            for part in parts_of(predicate):
                if isinstance(part, (Attribute, Age, FollowedUntil)):
                    yield where, _column_of(part)
        for name, spec in self.protected.items():
            yield f"protected.{name}.column", spec.column
            if spec.by:
                yield f"protected.{name}.by", spec.by
        for index, line in enumerate(self.features):
            if line.by:
                yield f"features[{index}] ({line.name}).by", line.by
        for name, source in self.sources.items():
            if source.link and source.link.flag:
                yield f"sources.{name}.link.flag", source.link.flag
        if self.cohort.cluster:
            yield "cohort.cluster", self.cohort.cluster
        if self.capacity.by:
            yield "capacity.by", self.capacity.by
        for index, column in enumerate(self.slices):
            yield f"slices[{index}]", column

    def _predicates(self) -> Iterator[tuple[str, Any]]:
        for index, step in enumerate(self.cohort.steps):
            yield f"cohort.steps[{index}]", step.keep or step.drop
        yield "outcome.happens", self.outcome.happens
        yield "outcome.known", self.outcome.known
        for name, predicate in self.outcome.exits.items():
            yield f"outcome.exits.{name}", predicate
        for index, rule in enumerate(self.service_rules):
            yield f"service_rules[{index}]", rule.exclude
        for index, route in enumerate(self.routes):
            yield f"routes[{index}]", route.when


def _column_of(part: Attribute | Age | FollowedUntil) -> str:
    if isinstance(part, Attribute):
        return part.attribute
    return part.age if isinstance(part, Age) else part.followed_until


def _is_the_same(line: FeatureLine, spec: Protected) -> bool:
    """The same column name is taken to be the same thing, whichever table it stands in; so is age."""
    column = line.of.partition(".")[2]
    return column.lower() == spec.column.split(".")[1].lower() or ("age" in line.take and spec.law == "age")
