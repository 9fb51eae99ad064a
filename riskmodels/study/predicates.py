"""Predicates: true or false of a person on a day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from riskmodels.study.periods import WindowText
from riskmodels.study.section import Column, Section
from riskmodels.study.sources import Condition, is_number


class AnyFact(Section):
    any: str
    last: WindowText | None = None


class NoFact(Section):
    none: str
    last: WindowText | None = None


class FirstEver(Section):
    """The fact happens in the window, and no earlier one is known of."""

    first_ever: str


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
        if set(self.asked) - words or not all(is_number(v) and v >= 0 and v == int(v) for v in self.asked.values()):
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
TAGGED: dict[str, type[Section]] = {
    "<any>": AnyFact, "<none>": NoFact, "<first_ever>": FirstEver, "<count>": CountFact, "<attribute>": Attribute,
    "<age>": Age, "<all_of>": AllOf, "<any_of>": AnyOf, "<not>": Not, "<followed_until>": FollowedUntil,
}  # fmt: skip
PREDICATES = tuple(tag.strip("<>") for tag in TAGGED)


def _which_predicate(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{name}>" for name in PREDICATES if name in value), None)
    return next((tag for tag, section in TAGGED.items() if type(value) is section), None)


Predicate = Annotated[
    Annotated[AnyFact, Tag("<any>")]
    | Annotated[NoFact, Tag("<none>")]
    | Annotated[FirstEver, Tag("<first_ever>")]
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
        custom_error_message="needs one of the words " + ", ".join(PREDICATES),
    ),
]


def fact_word(part: Any) -> str | None:
    """The fact that a predicate names itself, if it names one."""
    if isinstance(part, AnyFact):
        return part.any
    if isinstance(part, NoFact):
        return part.none
    if isinstance(part, FirstEver):
        return part.first_ever
    return part.count if isinstance(part, CountFact) else None


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
