"""The letter: in plain words, of this person only, and honest about what is not known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.told_and_happened import ToldAndHappened
from riskmodels.cards.reading import reading_grade
from riskmodels.data.features import FeatureSpec
from riskmodels.errors import DataError
from riskmodels.models.places import HOUSEHOLD, HOUSEHOLD_CLOSED, NO_TEAM, NOT_REACHED
from riskmodels.models.reasons import SAME_FOR_ALL, reason_codes
from riskmodels.reports.cells import capital
from riskmodels.reports.letter_page import render_letter
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.people.letter import Answered, Decided, build_letter
from riskmodels.service.people.plain import hard_to_read
from riskmodels.service.people.record import PersonRecord
from riskmodels.service.people.shown import (
    HELD_BACK,
    reasons_for_person,
    shown_in_letter,
    sources_looked_at,
    sources_used,
)
from riskmodels.study import Study, load_study
from riskmodels.study.use import Route
from tests.models.reasons.made import feature, made_model
from tests.service.people.made_batch import facts_of

ROOT = Path(__file__).parents[3]
STUDIES = sorted(path.parent.name for path in (ROOT / "experiments").glob("*/study.yaml"))
TODAY = dt.date(2026, 11, 30)
ON = PersonRecord(0.234, "raised", 3, True, True, None, None, None)
OFF = replace(ON, listed=False, not_listed_because=BECAUSE[NOT_REACHED])


def study_of(name: str) -> Study:
    return load_study(ROOT / "experiments" / name)


def reasons_of(study: Study) -> dict[str, str | None]:
    """The study's own words for the features, the longest first: what is hardest to read."""
    words = sorted((line.high or line.words for line in study.file.features), key=len, reverse=True)
    raising = [f"{text} (23; typical is 4)" for text in words[:2]]
    caveats = f"outside the range the model learned from: {words[0]}; key facts missing: {words[1]}"
    names = ("reason_1", "reason_2", "reason_3", "lowers_1", "caveats")
    return dict(zip(names, (*raising, HELD_BACK, f"{words[-1]} (1; typical is 2)", caveats), strict=True))


def asked(study: Study, person: PersonRecord = ON, **more: Any) -> Answered:
    given: dict[str, Any] = {
        "study": study,
        "batch": facts_of(600, 50, study=study.name),
        "person": person,
        "sources": tuple(name for name, source in study.file.sources.items() if source.use == "model"),
        "reasons": reasons_of(study),
        "state": "APPROVED",
        "today": TODAY,
    }
    return Answered(**(given | more))


def text_of(one: Answered) -> str:
    return "\n".join(build_letter(one).paragraphs())


@pytest.fixture(scope="module")
def reading() -> Study:
    return study_of("early_reading_support")


@pytest.fixture(scope="module")
def county() -> Study:
    return study_of("county_early_help")


# ---------------------------------------------------------------- plain words


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize(
    "kind", ["listed", "not reached", "a rule", "held back", "no reasons", "decided", "not all named"]
)
def test_a_letter_of_every_shipped_study_reads_at_grade_seven(name: str, kind: str) -> None:
    study = study_of(name)
    letters = {
        "listed": asked(study),
        "not reached": asked(study, OFF),
        "a rule": asked(study, replace(OFF, not_listed_because="already has early help")),
        "held back": asked(study, replace(OFF, not_listed_because=BECAUSE[HOUSEHOLD])),
        "no reasons": asked(study, OFF, reasons=None, state="WITHDRAWN"),
        "decided": asked(study, decided=Decided("offered help", True, TODAY, True)),
        "not all named": asked(restricted(study, next(iter(study.file.sources))), looked_at=sources_looked_at(study)),
    }
    assert reading_grade(text_of(letters[kind])) <= 7.0


def test_the_grade_is_taken_of_sentences_and_not_of_headings(reading: Study) -> None:
    letter = build_letter(asked(reading))
    assert not {section.title for section in letter.sections} & set(letter.paragraphs())


# ---------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    ("risk", "said"), [(0.234, "23"), (0.006, "1"), (0.001, "less than 1"), (0.999, "more than 99")]
)
def test_the_number_and_what_it_guesses_at(reading: Study, risk: float, said: str) -> None:
    text = text_of(asked(reading, replace(ON, risk=risk)))
    guess = "It guesses at this: the pupil reads in the lowest quarter next spring."
    assert f"Your number is {said} of 100. {guess}" in text
    assert "Too few were tested with a number like yours" in text


def test_what_such_a_number_was_worth_when_it_was_tested(reading: Study) -> None:
    """A number of 91 may have meant 38 of 100: the letter says what happened, not only what was told."""
    tested = ToldAndHappened(0.49, Estimate(0.383, 0.314, 0.456, 196), 0.02)
    text = text_of(asked(reading, replace(ON, risk=0.912), tested=tested))
    assert "Your number is 91 of 100." in text
    assert "Take 100 whose number was near yours. It came true for about 38 of them. It could be from 31 to 46." in text
    assert "we do not know how it went" not in text
    unsure = text_of(asked(reading, ON, tested=replace(tested, unknown=0.62)))
    assert "For 62 of 100 of them we do not know how it went, so this is a rough guess." in unsure


def test_whoever_was_not_reached_is_told_that_nobody_looked(reading: Study) -> None:
    text = text_of(asked(reading, replace(ON, listed=False, not_listed_because=BECAUSE[NOT_REACHED])))
    assert "Nobody read your records for this list. You can ask that somebody does." in text
    assert "no worker was asked to decide" in text
    assert "No decision is recorded here yet" not in text


def test_what_was_used_and_when(reading: Study) -> None:
    text = text_of(asked(reading, sources=("records",)))
    assert "Which class each pupil was in each year, and the spring tests." in text
    assert "roughly when they were born" not in text  # the other source
    assert "gender" not in text  # never that of the audit
    assert "known before 30 June 2026" in text
    assert "made on 1 July 2026" in text


def test_days_since_each_one_s_own_start() -> None:
    study = study_of("heart_health_checks")
    batch = facts_of(600, 50, study=study.name, as_of=dt.date(2008, 12, 30))
    assert "known before day 3,286 of your own record" in text_of(asked(study, batch=batch))


def test_listed_and_not(reading: Study) -> None:
    on, off = text_of(asked(reading)), text_of(asked(reading, OFF))
    assert "You were on the list. It had 50 places." in on
    assert "You were not on the list. All places went to others with a higher number." in off
    process = reading.answers.people_process
    assert process["when_flagged"].text in on
    assert process["when_flagged"].text not in off
    assert process["when_not_flagged"].text in off


def test_a_rule_of_the_service_is_told(county: Study) -> None:
    assert "We noted this reason: already has early help." in text_of(
        asked(county, replace(OFF, not_listed_because="already has early help"))
    )


@pytest.mark.parametrize("code", [HOUSEHOLD, HOUSEHOLD_CLOSED])
def test_what_a_household_has_is_not_told(county: Study, code: int) -> None:
    text = text_of(asked(county, replace(OFF, not_listed_because=BECAUSE[code])))
    assert BECAUSE[code] not in text
    assert "household" not in text
    assert f"A rule of the service left you off. The rule is {HELD_BACK}." in text


def test_a_team_without_places(county: Study) -> None:
    text = text_of(asked(county, replace(OFF, not_listed_because=BECAUSE[NO_TEAM])))
    assert "We do not know of a team with places that serves you." in text


@pytest.mark.parametrize("how", ["kind", "source", "kept from the person", "of the household"])
def test_a_rule_about_a_record_that_may_not_be_shown_is_not_told(county: Study, how: str) -> None:
    because = "already has early help"
    if how == "kind":
        rules = tuple(rule.model_copy(update={"kind": "restricted"}) for rule in county.file.service_rules)
        study = replace(county, file=county.file.model_copy(update={"service_rules": rules}))
    elif how == "source":
        study = restricted(county, "events")
    elif how == "of the household":
        study = registered(county, "events", about="household")
    else:
        study = registered(county, "events", sensitivity="sensitive", may_show_to=("safeguarding_lead",))
    text = text_of(asked(study, replace(OFF, not_listed_because=because)))
    assert because not in text
    assert HELD_BACK in text


def test_reasons_and_that_they_are_no_causes(reading: Study) -> None:
    reasons = {"reason_1": "a low mark (4)", "reason_2": HELD_BACK, "reason_3": HELD_BACK, "lowers_1": None}
    text = text_of(asked(reading, reasons=reasons))
    assert "This raised your number:\nA low mark (4).\nSomething we may not show here." in text
    assert text.count("Something we may not show here") == 1
    assert "This lowered" not in text
    assert "You can ask us why, and ask to see it." in text
    assert "None of this is a cause." in text


def test_no_reason_at_all(reading: Study) -> None:
    empty = dict.fromkeys(("reason_1", "reason_2", "reason_3", "lowers_1", "caveats"))
    assert "Nothing in your records moved your number by much." in text_of(asked(reading, reasons=empty))
    assert "The model gives the same number to everybody." in text_of(
        asked(reading, reasons=empty | {"caveats": SAME_FOR_ALL})
    )


def test_who_decided(reading: Study) -> None:
    text = text_of(asked(reading))
    owner = reading.answers.people_process["who_decides"].owner
    assert f"No decision is recorded here yet. A worker decides, not the model. You can ask: {owner}." in text
    text = text_of(asked(reading, decided=Decided("not now", False, dt.date(2026, 7, 3), True)))
    assert "A worker decided on 3 July 2026: not now." in text
    assert f"We did not note who it was. We noted why. You can ask who it was, and why. Ask: {owner}." in text
    text = text_of(asked(reading, decided=Decided("not now", True, None, False)))
    assert "A worker decided: not now." in text
    assert "We noted who it was. We did not note why." in text


def test_nobody_who_died_gets_a_form(county: Study) -> None:
    (rule,) = county.file.service_rules
    died = rule.model_copy(update={"kind": "died", "because": "has died"})
    study = replace(county, file=county.file.model_copy(update={"service_rules": (rule, died)}))
    with pytest.raises(DataError, match=r"^no letter can be written: .* has died; please answer in person") as error:
        build_letter(asked(study, replace(OFF, not_listed_because="has died")))
    assert "\n" not in str(error.value)
    assert build_letter(asked(study, replace(OFF, not_listed_because=rule.because)))


def test_what_nobody_answered_is_said_with_its_owner(reading: Study) -> None:
    answers = reading.answers
    silent = answers.model_copy(
        update={
            "contact": None,
            "law": {"objection": answers.law["objection"].model_copy(update={"text": None, "owner": "The Officer"})},
            "people_process": {},
            "monitoring": {},
        }
    )
    text = text_of(asked(replace(reading, answers=silent)))
    assert "Not provided (owner: The Officer)" in text
    # Mistakes, retention, the contact and who decides fall to whoever answers for the model.
    assert text.count(f"Not provided (owner: {answers.owner_role})") == 4


def test_made_up_and_withdrawn_are_said(reading: Study) -> None:
    answers = reading.answers.model_copy(update={"fictional": False})
    real = replace(reading, answers=answers)
    assert "made it up" not in text_of(asked(real))
    assert "made it up" in text_of(asked(real, batch=facts_of(600, 50, example=True)))
    assert "stopped using this model" in text_of(asked(real, state="WITHDRAWN"))


def test_rights(reading: Study) -> None:
    text = text_of(asked(reading))
    for words in (
        reading.answers.law["objection"].text,
        reading.answers.people_process["putting_mistakes_right"].text,
        reading.answers.monitoring["retention"].text,
        reading.answers.contact,
        reading.register.sources["records"].retention,
        "Information Commissioner's Office (ICO)",
    ):
        assert words in text


# ---------------------------------------------------------------- what may be shown


def spec_of(study: Study, name: str) -> FeatureSpec:
    line = next(line for line in study.file.features if line.name == name)
    return FeatureSpec(
        name, line.take[0], line.of, "ever", study.file.source_of(line.take[0], line.of), "number", "keep", line.words
    )


def model_of(*specs: FeatureSpec, importance: dict[str, float] | None = None) -> Any:
    return SimpleNamespace(reasons=specs, fitted=SimpleNamespace(importance=importance or {}))


def restricted(study: Study, source: str) -> Study:
    return registered(study, source, sensitivity="restricted", may_show_to=("police",))


def registered(study: Study, source: str, **more: object) -> Study:
    entry = study.register.sources[source].model_copy(update=more)
    sources = {**study.register.sources, source: entry}
    return replace(study, register=study.register.model_copy(update={"sources": sources}))


def line_about(study: Study, name: str, **more: object) -> Study:
    lines = tuple(line.model_copy(update=more) if line.name == name else line for line in study.file.features)
    return replace(study, file=study.file.model_copy(update={"features": lines}))


def test_only_what_is_about_the_person(reading: Study) -> None:
    model = model_of(spec_of(reading, "reading_now"), spec_of(reading, "age"))
    assert shown_in_letter(model, reading).tolist() == [True, True]
    # A saved model may have forgotten whom a feature is about: the study has not.
    for more in ({"about": "household"}, {"about": "place"}, {"by": "pupils.school_id"}):
        assert shown_in_letter(model, line_about(reading, "reading_now", **more)).tolist() == [False, True]


def test_nothing_of_a_restricted_source(reading: Study) -> None:
    model = model_of(spec_of(reading, "reading_now"), spec_of(reading, "age"))
    assert shown_in_letter(model, restricted(reading, "records")).tolist() == [False, True]


def test_a_feature_that_the_study_does_not_know(reading: Study) -> None:
    stranger = replace(spec_of(reading, "reading_now"), name="stranger")
    assert shown_in_letter(model_of(stranger), reading).tolist() == [False]


def test_codes_of_another_version_are_not_guessed_at(reading: Study) -> None:
    codes = np.zeros(1, dtype=[("feature", "<i2", (2,))])
    assert reasons_for_person(model_of(), reading, codes) is None


def test_sources_of_the_features_that_move_the_number(reading: Study) -> None:
    specs = (spec_of(reading, "reading_now"), spec_of(reading, "age"))
    assert sources_used(model_of(*specs, importance={"reading_now": 0.4}), reading) == ("records",)
    assert sources_used(model_of(*specs, importance={"age": 0.1, "reading_now": 0.4}), reading) == ("pupils", "records")
    assert sources_used(model_of(*specs), reading) == ("pupils", "records")


def test_what_a_feature_is_made_from_was_used(county: Study) -> None:
    """Every source of a ratio and of a join, and the one that says whose records those of another agency are."""
    spec = replace(spec_of(county, "exclusions"), name="ratio", take="ratio", over="arrears")
    assert sources_used(model_of(spec), county) == ("people", "events", "housing")
    spec = replace(spec_of(county, "exclusions"), by="people.ward")
    assert sources_used(model_of(spec), county) == ("people", "events")


def test_what_decides_beside_the_model_was_looked_at(county: Study, reading: Study) -> None:
    # Who is asked about: those whom any of the agencies knows.
    assert sources_looked_at(county) == ("people", "events", "police", "housing", "health")
    (rule,) = county.file.service_rules
    steps = county.file.cohort.steps[:2]  # by people and by events
    cohort = county.file.cohort.model_copy(update={"steps": steps})
    county = replace(county, file=county.file.model_copy(update={"cohort": cohort}))
    assert sources_looked_at(county) == ("people", "events")
    for change in (
        {"service_rules": (type(rule)(exclude={"any": "emergency_visit"}, because="x", owner="y"),)},
        {"routes": (Route(when={"any": "emergency_visit"}, to="nurse", because="x", owner="y"),)},
    ):
        study = replace(county, file=county.file.model_copy(update=change))
        assert sources_looked_at(study) == ("people", "events", "health")
    bare = {"cohort": reading.file.cohort.model_copy(update={"steps": (), "cluster": "pupils.school_id"})}
    for change, expected in (
        ({}, ()),
        ({"list_unit": "household"}, ("pupils",)),
        ({"capacity": reading.file.capacity.model_copy(update={"by": "pupils.school_id"})}, ("pupils",)),
    ):
        file = reading.file.model_copy(update={**bare, "service_rules": (), "routes": (), **change})
        assert sources_looked_at(replace(reading, file=file)) == expected


def test_what_was_looked_at_is_said_apart_and_once(county: Study) -> None:
    text = text_of(asked(county, sources=("police",), looked_at=("people", "police")))
    words = {name: capital(source.words) for name, source in county.register.sources.items()}
    model, _, rest = text.partition("\nWe also looked at these, to see whom we ask about and who can be on the list:\n")
    assert words["police"] + "." in model
    assert words["people"] not in model
    assert rest.startswith(words["people"] + ".")
    assert words["police"] + "." not in rest
    assert f"{words['people']}: {county.register.sources['people'].retention}." in rest
    assert f"{words['police']}: {county.register.sources['police'].retention}." in rest
    assert "We also looked at these" not in text_of(asked(county, sources=("police",), looked_at=("police",)))


def test_a_source_kept_from_the_person_is_not_named_nor_how_long_it_is_kept(county: Study) -> None:
    """Whichever it is, of the model or beside it, the letter is the same."""
    said = set()
    for hidden, used, beside in (("health", ("events", "health"), ()), ("police", ("events",), ("events", "police"))):
        study = restricted(county, hidden)
        entry = study.register.sources[hidden]
        text = text_of(asked(study, sources=used, looked_at=beside, reasons={"reason_1": HELD_BACK}))
        assert capital(entry.words) not in text
        assert "We also used other records that we may not name in a letter." in text
        assert f"Ask: {study.answers.law['objection'].owner}. How to reach us: {study.answers.contact}" in text
        assert "How long we keep the other records is not said here." in text
        said.add(text)
    assert len(said) == 1
    assert "may not name" not in text_of(asked(county, sources=("events",), looked_at=("people",)))


def test_where_no_source_may_be_named(county: Study) -> None:
    text = text_of(asked(restricted(county, "events"), sources=("events",)))
    assert "The model looked at these records" not in text
    assert "We also used records that we may not name in a letter." in text
    assert "The records themselves are kept" not in text


@pytest.mark.parametrize(
    ("explain", "person", "expected"),
    [
        ("none", ON, "We made no reasons for this list, for you or for anybody else."),
        ("none", OFF, "We made no reasons for this list, for you or for anybody else."),
        ("selected", OFF, "We made no reasons for you. We made them for those on the list."),
        ("selected", ON, "We have no reasons for you on record."),
        (None, ON, "We have no reasons for you on record."),
        ("selected", replace(ON, codes=np.zeros(1)), "Your reasons were kept in a form that we can no longer read."),
        ("all", replace(OFF, codes=np.zeros(1)), "Your reasons were kept in a form that we can no longer read."),
    ],
)
def test_why_there_are_no_reasons(reading: Study, explain: str | None, person: PersonRecord, expected: str) -> None:
    batch = facts_of(600, 50, options={} if explain is None else {"explain": explain})
    text = text_of(asked(reading, person, batch=batch, reasons=None))
    assert f"{expected} You can ask us to look at your records with you." in text
    assert ("those on the list" in text) == ("those on the list" in expected)


@pytest.mark.parametrize(("clock", "expected"), [("calendar", True), ("relative", False)])
def test_a_day_is_said_only_where_days_are_of_the_calendar(reading: Study, clock: str, expected: bool) -> None:
    made = made_model([feature("reading_now", take="latest", source="records")], [[0.5]])
    study = replace(reading, file=reading.file.model_copy(update={"clock": clock}))
    days = np.array([[(dt.date(2007, 5, 3) - dt.date(1970, 1, 1)).days]], dtype=np.int32)
    codes = reason_codes(made.model, made.matrix, days=days, as_of=dt.date(2008, 1, 1))
    said = reasons_for_person(made.model, study, codes)
    assert said is not None
    assert ("3 May 2007" in str(said["reason_1"])) == expected
    assert "reading_now" in str(said["reason_1"])


# ---------------------------------------------------------------- how hard it is to read

WORDY = (
    "Personal information originating from multidisciplinary safeguarding assessments is retained in accordance with "
    "the authority's statutory retention and disposition schedule, notwithstanding supplementary requirements"
)


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_is_said_of_a_letter_that_reads_plainly(name: str) -> None:
    one = asked(study_of(name))
    assert hard_to_read(build_letter(one), one) is None


def test_what_makes_a_letter_hard_to_read_is_named_by_its_field(county: Study) -> None:
    objection = county.answers.law["objection"].model_copy(update={"text": f"{WORDY}. " * 4})
    answers = county.answers.model_copy(update={"law": {"objection": objection}})
    study = registered(replace(county, answers=answers), "police", words=WORDY, retention=WORDY)
    notes = set()
    for person in (ON, OFF):
        one = asked(study, person)
        grade = reading_grade(text_of(one))
        assert grade > 7
        note = hard_to_read(build_letter(one), one)
        assert note is not None
        assert note.startswith(f"the letter reads at grade {grade:.1f}, above 7; put it more plainly")
        notes.add(note.partition("; mend these")[2])
    # The same of everybody: it tells nothing of the person.
    (fields,) = notes
    assert fields.startswith(
        " for the next model, the hardest first: answers.yaml: law.objection, register.yaml: sources.police.words, "
        "register.yaml: sources.police.retention"
    )
    # What a letter may not name, a note does not either.
    hidden = asked(restricted(study, "police"))
    assert "police" not in str(hard_to_read(build_letter(hidden), hidden))


# ---------------------------------------------------------------- its forms


def test_every_form_says_the_same(reading: Study) -> None:
    import html
    import re

    letter = build_letter(asked(reading))
    plain = " ".join(render_letter(letter, "txt").decode().split())
    page = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", render_letter(letter, "html").decode())).split())
    marks = " ".join(render_letter(letter, "md").decode().replace("\\", "").split())
    for text in letter.paragraphs():
        for form in (plain, page, marks):
            assert " ".join(text.split()) in form


def test_the_page_has_no_script_and_no_network(reading: Study) -> None:
    page = render_letter(build_letter(asked(reading)), "html").decode()
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert '<html lang="en-GB">' in page
    assert page.count("<h1>") == 1
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("form", ["html", "md", "txt"])
def test_what_people_wrote_is_text(reading: Study, form: str) -> None:
    wild = {"reason_1": "<b>[x](http://y)</b>\x1b[31m # *red*", "caveats": None}
    content = render_letter(build_letter(asked(reading, reasons=wild)), form).decode()
    assert "\x1b" not in content
    if form == "html":
        assert "<b>" not in content
    if form == "md":
        assert "[x](http" not in content


@pytest.mark.parametrize("form", ["html", "md", "txt"])
def test_the_same_letter_is_the_same_bytes(reading: Study, form: str) -> None:
    one, two = (render_letter(build_letter(asked(reading)), form) for _ in range(2))
    assert one == two


def test_plain_text_keeps_to_its_width(reading: Study) -> None:
    lines = render_letter(build_letter(asked(reading)), "txt").decode().splitlines()
    assert max(map(len, lines)) <= 78
