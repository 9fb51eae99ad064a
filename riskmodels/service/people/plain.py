"""How hard a letter is to read, and which of a study's own words make it so. They are people's to mend, not ours."""

from __future__ import annotations

from collections.abc import Iterator

from riskmodels.cards.reading import WORD, reading_grade
from riskmodels.reports.letter_page import Letter
from riskmodels.service.people.letter import Answered
from riskmodels.study.wording import OF_A_FEATURE

GRADE = 7.0
MOST_NAMED = 5
PROCESS = ("who_decides", "when_flagged", "when_not_flagged", "putting_mistakes_right")


def hard_to_read(letter: Letter, asked: Answered) -> str | None:
    """One line where a letter reads above `GRADE`, with the fields whose words add most to it; None otherwise.

    The fields are those of anybody's letter from this study, so that the line tells nothing of the person.
    """
    grade = reading_grade("\n".join(letter.paragraphs()))
    if grade <= GRADE:
        return None
    # A short phrase may have any grade and hardly counts: what weighs is how hard a text is, and how long.
    weights = {field: _weight(text) for field, text in _written(asked) if WORD.search(text)}
    hard = sorted((field for field in weights if weights[field] > 0), key=lambda field: -weights[field])
    which = f"; mend these for the next model, the hardest first: {', '.join(hard[:MOST_NAMED])}" if hard else ""
    return f"the letter reads at grade {grade:.1f}, above {GRADE:.0f}; put it more plainly before you send it{which}"


def _weight(text: str) -> float:
    return (reading_grade(text) - GRADE) * len(WORD.findall(text))


def _written(asked: Answered) -> Iterator[tuple[str, str]]:
    """What people wrote and a letter may repeat, each by its file and key."""
    file, answers, register = asked.study.file, asked.study.answers, asked.study.register
    yield "study.yaml: question", file.question
    yield "study.yaml: outcome.words", file.outcome.words
    for number, line in enumerate(file.features):
        for key in OF_A_FEATURE:
            yield f"study.yaml: features[{number}].{key}", getattr(line, key) or ""
    for number, rule in enumerate(file.service_rules):
        yield f"study.yaml: service_rules[{number}].because", rule.because
    for name in (name for names in asked.named for name in names):
        for key in ("words", "retention"):
            yield f"register.yaml: sources.{name}.{key}", getattr(register.sources[name], key)
    sections = {
        "people_process": {key: answers.people_process.get(key) for key in PROCESS},
        "monitoring": {"retention": answers.monitoring.get("retention")},
        "law": {"objection": answers.law.get("objection")},
    }
    for section, held in sections.items():
        for key, answer in held.items():
            yield f"answers.yaml: {section}.{key}", (answer.text if answer else None) or ""
    yield "answers.yaml: contact", answers.contact or ""
