from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.models.reasons import (
    NOT_ABOUT_YOU,
    NOT_IN_A_LETTER,
    RULE_WITHHELD,
    WITHHELD,
    named_to_person,
    person_words,
    reason_codes,
    reason_words,
    rule_shown_to,
    rule_told_to_person,
    rule_words,
    shown_to,
    shown_to_person,
    sources_of,
)
from riskmodels.study import load_study
from tests.conftest import ROOT
from tests.models.reasons.made import column, feature, made_model

SOURCES = ("people", "police", "health", "areas")


def study_of(about: dict[str, str] | None = None, **may: tuple[str, ...]):
    """Four sources, each with one fact of its own name; ``may``: to which roles a source may be shown."""
    entries = {
        name: SimpleNamespace(may_show_to=may.get(name), about=(about or {}).get(name, "person")) for name in SOURCES
    }
    facts = {name: SimpleNamespace(source=name) for name in SOURCES}
    return SimpleNamespace(file=SimpleNamespace(facts=facts), register=SimpleNamespace(sources=entries))


def made_of(source: str, **said) -> object:
    return feature(f"of_{source}", source=source, of=f"{source}.value", **said)


FEATURES = [
    made_of("people"),
    made_of("police"),
    made_of("people", take="ratio", over="police"),
    made_of("areas", by="people.area"),
    made_of("people", by="police.area"),
    made_of("people", take="ratio", over="nothing_known"),
    made_of("nowhere"),
]


@pytest.mark.parametrize(
    ("role", "may", "expected"),
    [
        (None, {}, [True, True, True, True, True, False, False]),
        # Without a role only what everybody may see.
        (None, {"police": ("manager",)}, [True, False, False, True, False, False, False]),
        ("worker", {"police": ("manager",)}, [True, False, False, True, False, False, False]),
        ("manager", {"police": ("manager",)}, [True, True, True, True, True, False, False]),
        # What divides, and the column that leads to a place, count as much.
        ("manager", {"people": ()}, [False, True, False, False, False, False, False]),
    ],
)
def test_every_source_of_a_feature_must_allow_it(role, may, expected):
    assert shown_to(role, FEATURES, study_of(**may)).tolist() == expected


def test_a_letter_names_nothing_about_anybody_else():
    study = study_of({"areas": "place", "health": "household"}, police=("manager",))
    specs = [
        made_of("people"),
        made_of("people", about="household"),
        made_of("health"),
        made_of("areas", by="people.area", about="place"),
        made_of("police"),
    ]
    assert shown_to_person(specs, study).tolist() == [True, False, False, False, False]
    assert person_words(specs, study)[1:] == [NOT_ABOUT_YOU] * 3 + [NOT_IN_A_LETTER]
    allowed = study_of(police=("manager", "the_person"))
    assert shown_to_person(specs[-1:], allowed).tolist() == [True]
    apart = [replace(spec, says=str(place)) for place, spec in enumerate(specs)]
    made = made_model(apart, [[0.5, 0.4, 0.3, -0.1, 0.0]])
    said = reason_words(
        made.model, reason_codes(made.model, made.matrix), shown_to_person(specs, study), person_words(specs, study)
    )
    assert said["reason_1"].to_list() == ["of_people: 7 (typical is 5)"]
    assert [said[name].to_list()[0] for name in ("reason_2", "reason_3", "lowers_1")] == [NOT_ABOUT_YOU] * 3


def test_a_rule_made_of_a_restricted_source_keeps_its_reason():
    study = load_study(ROOT / "experiments" / "county_early_help")
    (rule,) = study.file.service_rules
    source = study.register.sources["events"].model_copy(update={"may_show_to": ("manager",)})
    register = study.register.model_copy(update={"sources": {**study.register.sources, "events": source}})
    kept = replace(study, register=register)
    assert rule_shown_to(None, study) == rule_shown_to("manager", kept) == [True]
    assert rule_shown_to(None, kept) == rule_shown_to("worker", kept) == [False]
    assert rule_words("manager", kept) == [rule.because]
    assert rule_words("worker", kept) == [RULE_WITHHELD] == ["left off by a rule your team may not see"]


@pytest.mark.parametrize(
    ("entry", "kind", "told", "named"),
    [
        ({}, "already_known", True, True),
        ({}, "restricted", False, True),
        ({"may_show_to": ("manager",)}, "already_known", False, False),
        ({"may_show_to": ("manager", "the_person")}, "already_known", True, True),
        # What is true of a household tells of somebody else; that such records were used does not.
        ({"about": "household"}, "already_known", False, True),
        ({"about": "place"}, "already_known", False, True),
    ],
)
def test_what_a_letter_says_of_a_rule_and_of_a_source(entry, kind, told, named):
    study = load_study(ROOT / "experiments" / "county_early_help")
    (rule,) = study.file.service_rules
    file = study.file.model_copy(update={"service_rules": (rule.model_copy(update={"kind": kind}),)})
    source = study.register.sources["events"].model_copy(update=entry)
    register = study.register.model_copy(update={"sources": {**study.register.sources, "events": source}})
    changed = replace(study, file=file, register=register)
    assert rule_told_to_person(changed) == [told]
    assert named_to_person("events", changed) is named
    assert not named_to_person("nowhere", changed)


def test_every_source_that_a_rule_looks_at_must_be_told():
    study = load_study(ROOT / "experiments" / "county_early_help")
    (rule,) = study.file.service_rules
    both = type(rule).model_validate(
        {"exclude": {"all_of": [{"any": "early_help"}, {"any": "police_contact"}]}, "because": "x", "owner": "y"}
    )
    changed = replace(study, file=study.file.model_copy(update={"service_rules": (both,)}))
    assert rule_told_to_person(changed) == [True]
    police = study.register.sources["police"].model_copy(update={"may_show_to": ()})
    register = study.register.model_copy(update={"sources": {**study.register.sources, "police": police}})
    assert rule_told_to_person(replace(changed, register=register)) == [False]


def test_what_a_feature_is_made_from():
    assert [sources_of(spec, study_of()) for spec in FEATURES] == [
        {"people"}, {"police"}, {"people", "police"}, {"areas", "people"}, {"people", "police"}, {"people", None},
        {"nowhere"},
    ]  # fmt: skip


def test_every_shipped_feature_may_be_shown_to_somebody_who_sees_its_sources():
    study = load_study(ROOT / "experiments" / "county_early_help")
    specs = [feature(name, source="police") for name in "ab"]
    expected = study.register.sources["police"].may_show_to is None
    assert shown_to(None, specs, study).tolist() == [expected] * 2


# ---------------------------------------------------------------- canaries


@st.composite
def situations(draw):
    """Features of every shape whose words and values hold their sources' names as canaries, and a role."""
    kept = draw(st.sets(st.sampled_from(SOURCES)))
    may = {name: tuple(draw(st.sets(st.sampled_from(("worker", "manager"))))) for name in kept}
    specs, columns = [], []
    for number in range(draw(st.integers(2, 7))):
        source, other = draw(st.sampled_from(SOURCES)), draw(st.sampled_from(SOURCES))
        link = draw(st.sampled_from(["", "over", "by"]))
        canary = f"CANARY-{source}" + (f" CANARY-{other}" if link else "")
        said = {key: f"{canary} {key}" for key in ("words", "high", "low") if key == "words" or draw(st.booleans())}
        kind = draw(st.sampled_from(["number", "category"]))
        if draw(st.booleans()):
            said["value"] = f"{canary} {{value}}"
        where = {"over": other} if link == "over" else {"by": f"{other}.area"} if link == "by" else {}
        spec = feature(
            f"f{number}", source=source, of=source, kind=kind, says=draw(st.sampled_from("xyz")) + str(number % 4),
            stale_after=draw(st.sampled_from([None, "12 months"])), **said, **where,
        )  # fmt: skip
        specs.append(spec)
        levels = {"vocabulary": (f"{canary} level", f"{canary} other"), "typical": f"{canary} level"}
        columns.append(column(spec, **levels) if kind == "category" else column(spec))
    shape = (5, len(specs))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = seed.choice([0.0, 1.0, 20.0, -20.0, np.nan], shape)
    for place, spec in enumerate(specs):
        if spec.kind == "category":
            values[:, place] = seed.choice([0.0, 1.0, -1.0, np.nan], 5)
    days = seed.choice([9_000, 19_700, -(2**31)], shape).astype(np.int32)
    wobble = {spec.says: 0.3 for spec in specs}
    made = made_model(specs, seed.normal(0, 1, shape), values, columns=columns, wobble=wobble)
    return made, specs, days, may, draw(st.sampled_from([None, "worker", "manager"]))


@settings(max_examples=200, deadline=None)
@given(situations())
def test_no_word_or_value_of_a_restricted_source_reaches_a_role_that_may_not_see_it(situation):
    made, specs, days, may, role = situation
    codes = reason_codes(made.model, made.matrix, days=days, as_of=dt.date(2024, 1, 1))
    shown = shown_to(role, specs, study_of(**may))
    said = reason_words(made.model, codes, shown)
    text = "\n".join(words for series in said.values() for words in series.to_list() if words)
    for name, roles in may.items():
        if role not in roles:
            assert f"CANARY-{name}" not in text
    for place, name in enumerate(("reason_1", "reason_2", "reason_3", "lowers_1")):
        for feature_said, words in zip(codes["feature"][:, place].tolist(), said[name].to_list(), strict=True):
            assert (words == WITHHELD) == (feature_said >= 0 and not shown[feature_said])
    assert all(words is None or words.count(WITHHELD) <= 1 for words in said["caveats"].to_list())
