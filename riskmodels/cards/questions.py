"""The committee's twenty questions: what the run can answer it answers, people answer the rest, and gaps are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.audit_closer import carriers_of
from riskmodels.cards.blank import answer_in
from riskmodels.cards.card import Origin, Question, Summary
from riskmodels.cards.deep_tables import source_words
from riskmodels.cards.sections import capacity_words, reasons_words
from riskmodels.cards.words import (
    Language,
    attribute_words,
    capital,
    day,
    feature_words,
    line_words,
    listing,
    of_100,
)
from riskmodels.study import BASELINES, EACH, Study

# number -> (question, section that says more)
QUESTIONS = {
    1: ("What is it for, and what will it never be used for?", 3),
    2: ("Places or named people, and why that level?", 3),
    3: ("What happens to somebody who is flagged? And not flagged?", 4),
    4: ("How often is it wrong, both ways (per 100)?", 7),
    5: ("Better than what staff do now, or than a simple rule?", 7),
    6: ("Who is treated worse?", 8),
    7: ("Is the outcome need, or contact with services? Who is missing?", 6),
    8: ("Where does the data come from, was it shared for this?", 5),
    9: ("Do people know, can they object?", 11),
    10: ("Could you use less data?", 6),
    11: ("Proxies for race, poverty or area?", 8),
    12: ("How good is the data?", 5),
    13: ("What drives a score, can a worker explain it?", 9),
    14: ("Who decides; is the human check real?", 4),
    15: ("How is a mistake put right?", 4),
    16: ("Stigma, self-fulfilling or chilling effects?", 10),
    17: ("Who sees scores, how long are they kept?", 12),
    18: ("Tested later in time, or elsewhere?", 7),
    19: ("Who built it, what did it cost, who signs?", 14),
    20: ("When do we look again, and what stops it?", 12),
}


FEW_FIELDS = 4  # a sentence names no more


@dataclass(frozen=True)
class Asked:
    """What the run knows when the questions are put to it."""

    study: Study
    language: Language
    summary: Summary
    results: Mapping[str, Any]  # performance, audit, explanation: published
    test_dates: tuple[str, ...]

    def block(self, name: str) -> str:
        return next(block.text for block in self.summary.blocks if block.id == name)


def _level(asked: Asked) -> str:
    many = asked.language.many
    return {"person": f"Named {many}.", "household": f"{capital(many)}.", "place": f"{capital(many)}, not people."}[
        asked.study.file.level
    ]


def _wrong(asked: Asked) -> str:
    return f"{asked.block('right')} {asked.block('missed')}"


def _simple_rule(asked: Asked) -> str:
    families = {row["model"] for row in asked.results["performance"].get("families") or []}
    practice = (
        ""
        if "current_practice" in families
        else " There is no record of what staff choose now, so that could not be compared."
    )
    return asked.block("simple") + practice


def _worse(asked: Asked) -> str:
    return asked.block("worse")


def _need(asked: Asked) -> str:
    return (
        "It is a need that is measured."
        if asked.study.file.outcome.measures == "need"
        else "It is contact with a service, or a decision of one. It is not need itself."
    )


def _less_data(asked: Asked) -> str | None:
    drivers = asked.results["explanation"]["drivers"]
    if not drivers:
        return "No field is used at all: all have the same risk."
    used = {row["words"] for row in drivers}
    unused = [
        line_words(line)
        for line in asked.study.file.features
        if not any(word.startswith(line.words.partition(EACH)[0]) for word in used)
    ]
    little = [row["words"] for row in drivers if row["share"] < 0.01]
    said = [
        f"The field that counts most is {drivers[0]['words']}: {of_100(drivers[0]['share'])} of 100 parts of a score."
    ]
    if len(drivers) == 1:
        said = [f"It uses one field only: {drivers[0]['words']}."]
    if len(unused) > FEW_FIELDS:
        said.append(f"{len(unused)} other fields are not used, so not needed; section 6 names them.")
    elif unused:
        said.append(f"Not used at all, so not needed: {listing(unused)}.")
    if little:
        said.append(f"Under 1 part of 100 each: {listing(little)}.")
    deep = asked.results["performance"].get("deep")
    said += source_words(deep) if deep else ["What would be lost without each source was not measured."]
    return " ".join(said)


def _proxies(asked: Asked) -> str | None:
    rows = asked.results["audit"].get("proxies") or []
    if not rows:
        return None
    file, flagged = asked.study.file, [row for row in rows if row.get("flagged")]
    if not flagged:
        looked_at_both = any(row.get("auc_features") is not None for row in rows)
        what = "Neither the score nor its fields give" if looked_at_both else "The score does not give"
        return f"{what} away any group that we could test."
    names = dict.fromkeys(attribute_words(file, row["attribute"]) for row in flagged)
    said = f"The score or its fields give away {listing(list(names))}, so they may act as a stand-in."
    carriers = dict.fromkeys(feature_words(file, one[0]["feature"]) for row in flagged if (one := carriers_of(row)))
    return f"{said} Most of that lies in {listing([str(name) for name in carriers])}." if carriers else said


def _drivers(asked: Asked) -> str | None:
    drivers = asked.results["explanation"]["drivers"][:3]
    if not drivers:
        return "Nothing: all have the same risk."
    first, *others = [f"{row['words']} ({of_100(row['share'])} of 100 parts)" for row in drivers]
    said = f"{first}. Then: {listing(others)}" if others else first
    reasons = reasons_words(len(asked.results["explanation"]["drivers"]))
    worker = (
        "The way is simple enough to do by hand, so a worker can explain it."
        if asked.results["performance"].get("model") in BASELINES
        else "A worker sees and can pass on these reasons, not the sums behind them."
    )
    return f"Most of all: {said}. Each name on the list comes with {reasons} in plain words. {worker}"


def _later(asked: Asked) -> str:
    if asked.study.file.clock == "relative" or not asked.test_dates:
        return "No. The data have no calendar, so nothing was tested on the future. It was not tested elsewhere."
    dates = listing([day(date) for date in asked.test_dates])
    return f"Later in time: yes, on {dates}, by a model that knew only what came before. It was not tested elsewhere."


def _places(asked: Asked) -> str:
    return f"There is room for {capacity_words(asked.study)}."


def _no_agreement(asked: Asked) -> str | None:
    without = [name for name, entry in asked.study.register.sources.items() if not entry.agreement]
    return f"The register names no agreement for {listing(without)}." if without else None


def _not_told(asked: Asked) -> str | None:
    without = [name for name, entry in asked.study.register.sources.items() if not entry.people_were_told]
    return f"The register does not say what people were told of {listing(without)}." if without else None


def _unknown(asked: Asked) -> str | None:
    performance = asked.results["performance"]
    n, unknown = performance.get("n"), performance.get("unknown")
    if not n or not unknown:
        return None
    return f"In the test, the result is not known for {of_100(unknown / n)} of 100 {asked.language.many}."


def _cost(asked: Asked) -> str | None:
    cost = asked.study.answers.purpose.get("cost")
    return None if cost is None or answer_in(cost.text) else f"What it cost is not provided (owner: {cost.owner})."


def _first_end(asked: Asked) -> str | None:
    ends = [entry.agreement_expires for entry in asked.study.register.sources.values() if entry.agreement_expires]
    return f"The first agreement on data ends on {day(min(ends))}." if ends else None


# What the run can answer by itself; what people say is added.
FROM_THE_RUN: dict[int, Callable[[Asked], str | None]] = {
    4: _wrong,
    5: _simple_rule,
    6: _worse,
    10: _less_data,
    11: _proxies,
    13: _drivers,
    18: _later,
}
# What the run adds to what people say, before it or after it. Alone it is no answer.
BEFORE: dict[int, Callable[[Asked], str | None]] = {2: _level, 7: _need}
AFTER: dict[int, Callable[[Asked], str | None]] = {
    3: _places,
    8: _no_agreement,
    9: _not_told,
    12: _unknown,
    19: _cost,
    20: _first_end,
}


def answer_questions(asked: Asked) -> tuple[Question, ...]:
    """All twenty, in order. What the run says comes first; what people say is added."""
    return tuple(_answer(number, asked) for number in QUESTIONS)


def _answer(number: int, asked: Asked) -> Question:
    question, section = QUESTIONS[number]
    given = asked.study.answers.questions.get(number)
    said = answer_in(given.text) if given is not None else None
    alone = _of(FROM_THE_RUN, number, asked)
    before, after = (_of(table, number, asked) if said else None for table in (BEFORE, AFTER))
    found = alone or before or after
    source: Origin = "run and answers" if found and said else "run" if found else "answers" if said else "none"
    return Question(
        number=number,
        question=question,
        answer=" ".join(part for part in (alone, before, said, after) if part) or None,
        owner=given.owner if given is not None else asked.study.answers.owner_role,
        source=source,
        section=section,
    )


def _of(table: Mapping[int, Callable[[Asked], str | None]], number: int, asked: Asked) -> str | None:
    return table[number](asked) if number in table else None
