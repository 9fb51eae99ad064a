"""``answers.yaml``: what only people can say."""

from __future__ import annotations

from pydantic import Field, field_validator

from riskmodels.study.section import Section


class Answer(Section):
    """What people say: a text with its owner. No text prints as "Not provided (owner)"."""

    text: str | None = None
    owner: str


class RecordAnswer(Answer):
    """What a person says for a field of the public record; ``confirms`` are the digits printed beside its draft."""

    confirms: str | None = None


class Answers(Section):
    """``answers.yaml``: what only people can say. Correcting it neither retrains nor changes the model."""

    organisation: str
    fictional: bool = False
    owner_role: str
    contact: str | None = None
    ask: Answer
    purpose: dict[str, Answer] = Field(default_factory=dict)
    people_process: dict[str, Answer] = Field(default_factory=dict)
    risks: dict[str, Answer] = Field(default_factory=dict)
    law: dict[str, Answer] = Field(default_factory=dict)
    monitoring: dict[str, Answer] = Field(default_factory=dict)
    cannot_see: Answer
    questions: dict[int, Answer] = Field(default_factory=dict)
    tripod: dict[str, Answer] = Field(default_factory=dict)
    atrs: dict[str, RecordAnswer] = Field(default_factory=dict)

    @field_validator("questions")
    @classmethod
    def _twenty(cls, value: dict[int, Answer]) -> dict[int, Answer]:
        wrong = [number for number in value if not 1 <= number <= 20]
        if wrong:
            raise ValueError(f"there are twenty questions; {wrong[0]} is not one of them")
        return value
