"""Asking about what matters, and keeping note of what had to be guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from riskmodels.errors import RiskModelsError, UsageError

NONE = "none"
TRIES = 3
Settled = TypeVar("Settled")


@dataclass(frozen=True)
class Question:
    """Something that matters enough to ask. ``choices`` is empty where any text will do."""

    path: str  # where the answer will stand in study.yaml
    words: str
    guess: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guess:
    """Something that nobody said. ``sure``: the columns leave little doubt."""

    path: str
    value: str
    why: str
    sure: bool


@dataclass
class Notebook:
    """Asks if there is somebody to ask, and keeps what had to be guessed."""

    answers: Callable[[Question], str] | None
    guesses: list[Guess] = field(default_factory=list)

    def note(self, path: str, value: str, why: str, sure: bool = False) -> None:
        self.guesses.append(Guess(path, value, why, sure))

    def ask(self, question: Question, why: str, sure: bool = False) -> str:
        """As `settle`, for an answer that is taken as it is."""
        return self.settle(question, why, sure, lambda answer: answer)

    def settle(self, question: Question, why: str, sure: bool, accept: Callable[[str], Settled]) -> Settled:
        """What ``accept`` makes of the answer, or of the guess where nobody answers.

        An answer that cannot be used is asked for again, and the question begins with the reason.

        Parameters
        ----------
        why, sure : about the guess
        accept : raises ValueError or one of our own errors for an answer that cannot be used

        Raises
        ------
        UsageError
            after `TRIES` answers that cannot be used.
        """
        answers, problem = self.answers, ""
        for _ in range(TRIES):
            answer = answers(replace(question, words=f"{problem}{question.words}")).strip() if answers else ""
            if not answer:
                self.note(question.path, question.guess, why, sure)
                return accept(question.guess)
            if question.choices and answer not in question.choices:
                problem = f"{answer!r} is not one of {', '.join(question.choices)}. "
                continue
            try:
                return accept(answer)
            except (ValueError, RiskModelsError) as error:
                problem = f"{error}. "
        raise UsageError(f"{question.path}: {problem}{question.words}")
