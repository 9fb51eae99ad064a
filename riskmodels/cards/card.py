"""The model card: its keys, their types, and its one way of being written.

``card.json`` is the truth; every page is a rendering of it. It holds no clock, run id, status or sign-off, so the same
study gives the same bytes and a committee's decision can name its digest.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from riskmodels import storage
from riskmodels.cards.card_file import parse_card_file
from riskmodels.cards.migrations import migrate
from riskmodels.cards.shapes import refuse_misshapen
from riskmodels.errors import CardError

Cell = str | int | float | bool | None
Code = Literal["use", "use_with_conditions", "simple_rule", "too_little_data", "do_not_use"]
Origin = Literal["run", "answers", "run and answers", "none"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OpenPart(Part):
    """A part that mirrors a result of `riskmodels.assessment`, which may carry more than the card knows by name."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


# ---------------------------------------------------------------- what sections are made of


class Fact(Part):
    """One statement and where it came from. A null value prints as "Not provided (owner)"."""

    value: Cell
    source: str
    owner: str


class Table(Part):
    caption: str
    columns: tuple[str, ...] = Field(min_length=1)
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    note: str | None = None

    @model_validator(mode="after")
    def _rectangular(self) -> Table:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"the table {self.caption!r} has a row that is not {len(self.columns)} cells long")
        return self


class Figure(Part):
    """A picture as its numbers: the drawing is made from ``table`` (and ``curve``) and nothing else.

    ``title`` says what is to be seen, ``reading`` how to read it, ``unit`` what is counted, ``n`` how many people stand
    behind it (rounded; None if not shown). A ``narrow`` one is as wide as a phone.
    """

    id: str
    title: str
    alt: str = Field(min_length=1)
    table: Table
    unit: str = Field(min_length=1)
    n: int | None
    curve: Table | None = None
    narrow: bool = False
    reading: str | None = None


class ModelIdentity(Part):
    version: str = Field(pattern=r"^[0-9a-f]{12}$", description="the first 12 digits of model_sha256")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    family: str
    recipe: dict[str, JsonValue]


class Digests(Part):
    study: str
    answers: str
    data: str
    policy: str


class Organisation(Part):
    name: str
    fictional: bool
    owner: str
    contact: str | None


class Edition(Part):
    """``of``: SHA-256 of the committee's card that a public edition was made from; None for the committee's own."""

    edition: Literal["committee", "public"]
    disclosure: str
    of: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


# ---------------------------------------------------------------- page one


class Recommendation(Part):
    code: Code
    headline: str
    reasons: tuple[str, ...]


class Block(Part):
    """One short answer on page one. ``source`` says whether the run or a person wrote it."""

    id: str
    heading: str
    text: str
    source: Literal["run", "answers", "none"]


class Number(Part):
    """A number in page one's prose: the value at ``path`` in this card, said as ``kind``.

    ``per_100`` is 100 times the value; ``rest_of_100`` is what that leaves of 100; ``count`` is the value itself.
    """

    text: str
    path: str
    kind: Literal["per_100", "rest_of_100", "count"]


class Summary(Part):
    recommendation: Recommendation
    blocks: tuple[Block, ...]
    numbers: tuple[Number, ...]


# ---------------------------------------------------------------- the sections


class DataSection(Part):
    words: tuple[str, ...]
    register_: Table = Field(alias="register")  # a method of every pydantic model has the plain name
    columns: Table
    quality: Table
    missing: Table
    attrition: Table
    outcome_status: Table
    unknown_by_fifth: Table
    tables: dict[str, Table] = {}  # links, gaps between groups, objections, what the register leaves open


class HowItWorks(Part):
    words: tuple[str, ...]
    facts: dict[str, Fact]
    features: Table


class CloserPart(Part):
    """A part of section 7 or 8 that looks closer: words, a list, figures and tables, in this order.

    ``figures`` are ids, of which those that could be drawn are shown.
    """

    id: str
    heading: str
    words: tuple[str, ...]
    items: tuple[str, ...] = ()
    tables: dict[str, Table]
    figures: tuple[str, ...] = ()


class PerformanceSection(OpenPart):
    """`riskmodels.assessment.performance.Performance.to_dict()`, rounded and disclosure-controlled, and its tables."""

    words: tuple[str, ...]
    tables: dict[str, Table]
    closer: tuple[CloserPart, ...] = ()
    n: int | None
    events: int | None
    overall: dict[str, JsonValue]
    at_capacity: dict[str, JsonValue]


class AuditSection(OpenPart):
    """`riskmodels.assessment.audit.Audit.to_dict()`, rounded and disclosure-controlled, and its tables."""

    words: tuple[str, ...]
    tables: dict[str, Table]
    closer: tuple[CloserPart, ...] = ()
    verdict: Literal["PASS", "FAIL", "INSUFFICIENT EVIDENCE", "NOT AUDITED"]
    provisional: bool
    judged: dict[str, int]
    rows: tuple[dict[str, JsonValue], ...]
    contrasts: tuple[dict[str, JsonValue], ...]
    not_audited: tuple[dict[str, JsonValue], ...]


class ExplanationSection(Part):
    words: tuple[str, ...]
    method: str
    drivers: Table
    kinds: Table


class Facts(Part):
    """A section that people answer: labelled facts, and tables beside them."""

    facts: dict[str, Fact]
    tables: dict[str, Table] = {}


class Question(Part):
    number: int = Field(ge=1, le=20)
    question: str
    answer: str | None
    owner: str
    source: Origin
    section: int = Field(ge=1, le=16, description="where the card says more")


class Confirmable(Fact):
    """What a person says for a field of a public record. ``confirms``: digits of the draft that they agree to."""

    confirms: str | None = None


class Annex(Part):
    """``atrs_answers``, ``tripod_answers``: what people say for an item of a standard, by the item's number."""

    parameters: Table
    splits: Table
    checks: Table
    suppressed: Table
    tripod: Table
    atrs: Table
    tripod_answers: dict[str, Fact] = {}
    atrs_answers: dict[str, Confirmable] = {}


class ModelCard(Part):
    """Facts with their sources, and what the committee decides on."""

    schema_version: Literal[2] = 2
    study: str
    title: str
    question: str
    organisation: Organisation
    edition_profile: Edition
    model: ModelIdentity
    digests: Digests
    summary: Summary
    ask: Facts
    purpose: Facts
    people_process: Facts
    data: DataSection
    how_it_works: HowItWorks
    performance: PerformanceSection
    audit: AuditSection
    explanation: ExplanationSection
    risks: Facts
    law: Facts
    monitoring: Facts
    questions: tuple[Question, ...] = Field(min_length=20, max_length=20)
    annex: Annex
    figures: tuple[Figure, ...]
    not_computed: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The card as plain JSON values, which is what renderings take."""
        return self.model_dump(mode="json", by_alias=True)

    def to_bytes(self) -> bytes:
        """``card.json``. The same card gives the same bytes."""
        return storage.canonical_json(self.to_dict())

    @property
    def digest(self) -> str:
        """SHA-256 of ``card.json``: what a committee's decision names."""
        return storage.sha256(self.to_bytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> ModelCard:
        """Read ``card.json``, of this schema or an earlier one (`riskmodels.cards.migrations`).

        The digest of a card of an earlier schema is that of ``content``, not of what is made of it here.

        Raises
        ------
        CardError
            naming the key that is wrong, also in the parts that the schema leaves open (`riskmodels.cards.shapes`).
        """
        raw = migrate(parse_card_file(content))
        try:
            card = cls.model_validate(raw)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the file"
            raise CardError(f"card.json, {where}: {problem['msg']}; build the card again") from None
        refuse_misshapen(card.to_dict())
        return card


def card_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of ``card.json``."""
    schema = ModelCard.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
