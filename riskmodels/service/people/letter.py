"""The letter to somebody who asks: what was used, what it meant for them, who decided, and what they can do.

It is made from the study's own answers and register, the batch, and this one person's row of its record. Nothing of
anybody else, and nothing from a source that may not be shown to the person, is said: a reason or a rule made of such
facts reads `HELD_BACK`, and such a source is not named, nor how long it is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from riskmodels.assessment.told_and_happened import ToldAndHappened
from riskmodels.cards.words import Language, language_of
from riskmodels.errors import DataError
from riskmodels.models.places import NO_TEAM, NOT_REACHED
from riskmodels.models.reasons import SAME_FOR_ALL, named_to_person, rule_told_to_person
from riskmodels.reports.cells import NOT_PROVIDED, capital, day_text
from riskmodels.reports.letter_page import Letter
from riskmodels.reports.parts import Part, Section, bullets, texts
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.people.record import BatchNote, PersonRecord
from riskmodels.service.people.shown import HELD_BACK
from riskmodels.study import Study
from riskmodels.study.answers import Answer

RAISING = ("reason_1", "reason_2", "reason_3")
LOWERING = ("lowers_1",)
# Of the other reasons of the batch's own a letter says nothing: that of a household tells of somebody else.
NOT_LISTED = {
    BECAUSE[
        NOT_REACHED
    ]: "All places went to others with a higher number. Nobody read your records for this list. You can "
    "ask that somebody does.",
    BECAUSE[NO_TEAM]: "We do not know of a team with places that serves you.",
}
HAS_DIED = "no letter can be written: by the record this person has died; please answer in person, not with a form"
# Of those tested near a number, more without a known outcome make it a guess (page one of the card leads with bounds).
MANY_UNKNOWN = 0.1
DAY_NOUGHT = dt.date(2000, 1, 1)
BY_THE_MODEL = "The model looked at these records:"
BESIDE_THE_MODEL = "We also looked at these, to see whom we ask about and who can be on the list:"
ICO = (
    "You can also complain to the Information Commissioner's Office (ICO). It looks after the law on personal data. It "
    "is not part of us, and it is free. Its web page is ico.org.uk/make-a-complaint. Its phone number is 0303 123 1113."
)


@dataclass(frozen=True)
class Decided:
    """What the decision sheet says of one person. ``decision`` is one of the sheet's own words; who decided and why
    stay in the sheet, since what a worker wrote may tell of others: here is only whether they were noted."""

    decision: str
    has_decider: bool
    on: dt.date | None
    has_reason: bool


@dataclass(frozen=True)
class Answered:
    """All that a letter is made from. ``reasons``: by the names of `RAISING`, `LOWERING` and ``caveats``, in words for
    the person; None where there are none that can be read. ``sources``: those the model uses. ``looked_at``: those that
    decide beside it. ``state``: of the model, today. ``tested``: what happened to those tested whose numbers
    were nearest; None where too few were."""

    study: Study
    batch: BatchNote
    person: PersonRecord
    sources: tuple[str, ...]
    reasons: Mapping[str, str | None] | None
    state: str
    today: dt.date
    decided: Decided | None = None
    looked_at: tuple[str, ...] = ()
    tested: ToldAndHappened | None = None
    language: Language = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "language", language_of(self.study.file))

    @property
    def named(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of what the model uses, and of what else was looked at, the sources that may be named, each once."""
        beside = tuple(name for name in self.looked_at if name not in self.sources)
        model, rest = (
            tuple(name for name in names if named_to_person(name, self.study)) for names in (self.sources, beside)
        )
        return model, rest

    @property
    def some_unnamed(self) -> bool:
        """Whether a source was used that may not be named: of the model or beside it, which is not said."""
        return set().union(*self.named) != {*self.sources, *self.looked_at}


def build_letter(asked: Answered) -> Letter:
    """The letter as sections of plain parts, which every rendering shows alike.

    Raises
    ------
    DataError
        if a rule left the person off because they have died: the bereaved are not answered by a form.
    """
    answers = asked.study.answers
    rules = asked.study.file.service_rules
    if asked.person.not_listed_because in {rule.because for rule in rules if rule.kind == "died"}:
        raise DataError(HAS_DIED)
    parts = {
        "What this is about": _about(asked),
        "What we used": _used(asked),
        "What it meant for you": _meant(asked),
        "What moved your number": _moved(asked),
        "Who decides": _decides(asked),
        "How long we keep this": _kept(asked),
        "If you object": _objection(asked),
        "If something is wrong": [
            *_said(answers.people_process.get("putting_mistakes_right"), answers.owner_role),
            *texts([_contact(asked)]),
        ],
        "If you are still not happy": texts([ICO]),
    }
    sections = tuple(Section(number, title, tuple(part)) for number, (title, part) in enumerate(parts.items(), 1))
    name = f"{asked.batch.study}/{asked.batch.version}" if asked.batch.version else asked.batch.study
    return Letter(
        title=f"{asked.study.file.title}: about you",
        organisation=answers.organisation,
        day=day_text(asked.today.isoformat()),
        opening=("Dear reader,", "You asked what we did with your records. This letter tells you."),
        sections=sections,
        reference=f"If you write to us, give this number: {asked.batch.batch_id}. The model is {name}.",
    )


# ---------------------------------------------------------------- the sections


def _about(asked: Answered) -> list[Part]:
    answers, said = asked.study.answers, asked.language
    who = f'In this letter, "you" means the {said.one} that the records are about.'
    if asked.study.file.level == "person":
        who += " That may be you, or somebody you care for."
    lines = [
        f"We asked a computer model a question about many {said.many}. This was the question: "
        f"{asked.study.file.question}",
        f"You were one of the {said.many}. The model gave you a number. It is advice. It says whom a worker looks "
        "at first. A worker decides what to do.",
        who,
    ]
    if asked.state == "WITHDRAWN":
        lines.append("We have since stopped using this model.")
    if answers.fictional or asked.batch.example:
        lines.append("This is an example. We made it up to show what such a letter says.")
    return texts(lines)


def _used(asked: Answered) -> list[Part]:
    register = asked.study.register.sources
    parts: list[Part] = []
    for title, names in zip((BY_THE_MODEL, BESIDE_THE_MODEL), asked.named, strict=True):
        parts += [*texts([title]), *bullets([f"{capital(register[name].words)}." for name in names])] if names else []
    if asked.some_unnamed:
        others = "other records" if parts else "records"
        parts += texts(
            [
                f"Not all is listed here. We also used {others} that we may not name in a letter. You can ask what "
                f"they say about you. Ask: {_data_protection(asked)}. {_contact(asked)}"
            ]
        )
    return [
        *parts,
        *texts(
            [
                "Some of these may hold nothing about you.",
                f"We looked at what was known before {_day(asked)}. The list was made on "
                f"{day_text(asked.batch.scored_on.isoformat())}.",
            ]
        ),
    ]


def _data_protection(asked: Answered) -> str:
    """Who answers for what people may ask by law."""
    answers = asked.study.answers
    objection = answers.law.get("objection")
    return objection.owner if objection else answers.owner_role


def _day(asked: Answered) -> str:
    if asked.study.file.clock == "relative":
        return f"day {(asked.batch.as_of - DAY_NOUGHT).days:,} of your own record"
    return day_text(asked.batch.as_of.isoformat())


def _meant(asked: Answered) -> list[Part]:
    person = asked.person
    bands = list(asked.study.file.bands)
    next_for_them = asked.study.answers.people_process.get("when_flagged" if person.listed else "when_not_flagged")
    lines = texts(
        [
            *_number(asked),
            f"We sort the numbers into bands. Yours is in the band: {person.band}."
            + (f" The bands are: {', '.join(bands)}." if person.band in bands else ""),
            _listed(asked),
        ]
    )
    return [*lines, *(_said(next_for_them, "") if next_for_them else [])]


def _number(asked: Answered) -> list[str]:
    """What the number is, and what it was worth when it was tested: a number of 90 may mean 40 of 100."""
    said, tested = asked.language, asked.tested
    told = _of_100(asked.person.risk)
    lines = [f"Your number is {told} of 100. It guesses at this: the {said.one} {said.outcome}."]
    if tested is None or tested.happened.value is None or tested.happened.low is None or tested.happened.high is None:
        return [*lines, "Too few were tested with a number like yours to say how good a guess it is."]
    low, high = (round(100 * end) for end in (tested.happened.low, tested.happened.high))
    lines.append(
        f"We tested it on {said.many} of past years. Take 100 whose number was near yours. It came true for about "
        f"{_of_100(tested.happened.value)} of them. It could be from {low} to {high}. Nobody can say which of them you "
        "would be."
    )
    if tested.unknown > MANY_UNKNOWN:
        lines.append(
            f"For {_of_100(tested.unknown)} of 100 of them we do not know how it went, so this is a rough guess."
        )
    return lines


def _of_100(share: float) -> str:
    count = round(100 * share)
    return "less than 1" if count < 1 else "more than 99" if count > 99 else str(count)


def _listed(asked: Answered) -> str:
    places = asked.batch.counts.get("places")
    if asked.person.listed:
        return "You were on the list." + (f" It had {places:,} places." if places else "")
    why = asked.person.not_listed_because or ""
    if why in NOT_LISTED:
        return f"You were not on the list. {NOT_LISTED[why]}"
    told = rule_told_to_person(asked.study)
    rules = {rule.because: rule for rule, may in zip(asked.study.file.service_rules, told, strict=True) if may}
    if why in rules:
        line = f"You were not on the list. A rule of the service left you off. We noted this reason: {why}."
        if rules[why].kind == "objected":
            line += " We still gave you a number. If you do not want that, tell us: see below."
        return line
    return f"You were not on the list. A rule of the service left you off. The rule is {HELD_BACK}. You can ask us."


def _moved(asked: Answered) -> list[Part]:
    if asked.reasons is None:
        return texts([f"{_why_no_reasons(asked)} You can ask us to look at your records with you."])
    raising, lowering = (_in_order(asked.reasons, names) for names in (RAISING, LOWERING))
    parts: list[Part] = []
    for title, found in (("This raised your number:", raising), ("This lowered your number:", lowering)):
        parts += [*texts([title]), *bullets([f"{capital(reason)}." for reason in found])] if found else []
    if not parts:
        parts += texts(["Nothing in your records moved your number by much."])
    caveats = asked.reasons.get("caveats")
    if caveats == SAME_FOR_ALL:
        return texts(["The model gives the same number to everybody."])
    if caveats:
        parts += texts([f"Your number is less sure than others. We noted: {caveats}."])
    if HELD_BACK in (*raising, *lowering) or HELD_BACK in (caveats or ""):
        parts += texts(
            ["Some of this we may not show here. It may tell of other people. You can ask us why, and ask to see it."]
        )
    return parts + texts(
        [
            "None of this is a cause. It says how your number differs from what is common. It does not say that "
            "anybody did wrong."
        ]
    )


def _why_no_reasons(asked: Answered) -> str:
    if asked.person.codes is not None:
        return "Your reasons were kept in a form that we can no longer read."
    if asked.batch.options.get("explain") == "none":
        return "We made no reasons for this list, for you or for anybody else."
    if asked.batch.options.get("explain") == "selected" and not asked.person.listed:
        return "We made no reasons for you. We made them for those on the list."
    return "We have no reasons for you on record."


def _in_order(reasons: Mapping[str, str | None], names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(text for name in names if (text := reasons.get(name))))


def _decides(asked: Answered) -> list[Part]:
    answers = asked.study.answers
    answer = answers.people_process.get("who_decides")
    owner = answer.owner if answer else answers.owner_role
    decided = asked.decided
    if decided is None and not asked.person.listed:
        lines = [f"You were not on the list, so no worker was asked to decide. You can ask: {owner}."]
    elif decided is None:
        lines = [f"No decision is recorded here yet. A worker decides, not the model. You can ask: {owner}."]
    else:
        on = f" on {day_text(decided.on.isoformat())}" if decided.on else ""
        who, why = ("We noted" if known else "We did not note" for known in (decided.has_decider, decided.has_reason))
        lines = [
            f"A worker decided{on}: {decided.decision}.",
            f"People decide, not the model. {who} who it was. {why} why. You can ask who it was, and why. "
            f"Ask: {owner}.",
        ]
    return [*texts(lines), *_said(answer, owner)]


def _kept(asked: Answered) -> list[Part]:
    answers = asked.study.answers
    sources = [asked.study.register.sources[name] for names in asked.named for name in names]
    parts = _said(answers.monitoring.get("retention"), answers.owner_role)
    if sources:
        parts += texts(["The records themselves are kept as follows."])
        parts += bullets([f"{capital(source.words)}: {source.retention}." for source in sources])
    if asked.some_unnamed:
        others = "other records" if sources else "records"
        parts += texts([f"How long we keep the {others} is not said here. You can ask: {_data_protection(asked)}."])
    return parts


def _objection(asked: Answered) -> list[Part]:
    answers = asked.study.answers
    return _said(answers.law.get("objection"), answers.owner_role)


def _said(answer: Answer | None, owner: str) -> list[Part]:
    if answer is None or answer.text is None:
        return texts([NOT_PROVIDED.format(owner=answer.owner if answer else owner)])
    return texts([answer.text])


def _contact(asked: Answered) -> str:
    answers = asked.study.answers
    return f"How to reach us: {answers.contact or NOT_PROVIDED.format(owner=answers.owner_role)}"
