"""``answers.yaml``: what only people can say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from riskmodels.study.section import Section
from riskmodels.study.standards import ATRS, TRIPOD_AI

STANDARDS = {"tripod": ("TRIPOD+AI", "item", TRIPOD_AI), "atrs": ("the ATRS", "field", ATRS)}


class Answer(Section):
    """What people say: a text with its owner. No text prints as "Not provided (owner)"."""

    text: str | None = None
    owner: str


class RecordAnswer(Answer):
    """What a person says for a field of the public record.

    Either their own ``text``, or ``confirms``: the eight digits printed beside the draft that they agree to.
    """

    confirms: str | None = None

    @field_validator("confirms", mode="before")
    @classmethod
    def _digits(cls, value: Any) -> Any:
        # Digits without quotes may be read as a number, and lose their noughts.
        if value is not None and not (isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}", value.strip().lower())):
            raise ValueError("is the eight digits printed beside the draft, in quotes, as in '3fa9c1d2'")
        return value.strip().lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> RecordAnswer:
        if self.text is not None and self.confirms is not None:
            raise ValueError("has a text and confirms a draft; keep one of the two")
        return self


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

    @model_validator(mode="before")
    @classmethod
    def _numbers_as_texts(cls, values: Any) -> Any:
        """YAML reads ``4`` and ``0.4`` as numbers where they stand without quotes."""
        if not isinstance(values, Mapping):
            return values
        read = dict(values)
        for section in STANDARDS:
            if isinstance(read.get(section), Mapping):
                texts = [str(key) if type(key) in (int, float) else key for key in read[section]]
                twice = next((key for key in texts if texts.count(key) > 1), None)
                if twice is not None:
                    raise ValueError(f"{section}: {twice} stands there twice; keep one")
                read[section] = dict(zip(texts, read[section].values(), strict=True))
        return read

    @model_validator(mode="after")
    def _known_numbers(self) -> Answers:
        for section, (standard, word, numbers) in STANDARDS.items():
            for key in getattr(self, section):
                if key not in numbers:
                    close = difflib.get_close_matches(key, numbers, n=1, cutoff=0.5)
                    hint = f"did you mean '{close[0]}'?" if close else f"they run from {numbers[0]} to {numbers[-1]}"
                    raise ValueError(f"{section}.{key}: {standard} has no {word} of this number; {hint}")
        return self
