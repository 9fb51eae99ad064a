"""Who may see which reason: the register says to which roles a source may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.study import Study

WITHHELD = "a factor your team may not see"
RULE_WITHHELD = "left off by a rule your team may not see"
# In a letter to the person: what is about others is theirs, and a source may be kept from the person too.
THE_PERSON = "the_person"
NOT_ABOUT_YOU = "something recorded about your household or area"
NOT_IN_A_LETTER = "something recorded about you that this letter may not name"


def shown_to(role: str | None, specs: Sequence[FeatureSpec], study: Study) -> np.ndarray:
    """Which features' words and values a role may read, bool [features].

    Every source that a feature is made from must allow it: that of its fact, of what a ratio divides by, and of the
    column that leads to a household or place. Without a role, only what may be shown to everybody who sees the list.
    ``seen_by`` of a feature line says who sees the fact at work; it opens nothing and closes nothing here.
    """
    return np.array([_may_show(role, sources_of(spec, study), study) for spec in specs], dtype=bool)


def shown_to_person(specs: Sequence[FeatureSpec], study: Study) -> np.ndarray:
    """Which features may be named in a letter to the person they help to judge, bool [features].

    Those about the person, as their line and each of their sources say, and made of sources that may be shown to
    everybody or to the role `THE_PERSON`. `person_words` stand for the others.
    """
    may = shown_to(THE_PERSON, specs, study)
    return may & np.array([_is_about_person(spec, study) for spec in specs], dtype=bool)


def person_words(specs: Sequence[FeatureSpec], study: Study) -> list[str]:
    """What a letter says instead of each feature that it may not name."""
    return [NOT_IN_A_LETTER if _is_about_person(spec, study) else NOT_ABOUT_YOU for spec in specs]


def rule_shown_to(role: str | None, study: Study) -> list[bool]:
    """Whether a role may read why each service rule leaves people off the list: every source it looks at allows it."""
    return [_may_show(role, study.file.sources_of([rule.exclude]), study) for rule in study.file.service_rules]


def rule_words(role: str | None, study: Study) -> list[str]:
    """What a role reads of each service rule: its ``because``, or `RULE_WITHHELD`."""
    shown = rule_shown_to(role, study)
    return [rule.because if may else RULE_WITHHELD for rule, may in zip(study.file.service_rules, shown, strict=True)]


def rule_told_to_person(study: Study) -> list[bool]:
    """Whether a letter to the person may say why each service rule leaves people off the list: it is of no restricted
    kind, and every source it looks at is about the person and may be shown to them."""
    return [
        rule.kind != "restricted" and _all_about_person(study.file.sources_of([rule.exclude]), study) and may
        for rule, may in zip(study.file.service_rules, rule_shown_to(THE_PERSON, study), strict=True)
    ]


def named_to_person(source: str, study: Study) -> bool:
    """Whether a letter to the person may name a source as one that was looked at. Whose facts it holds does not matter
    here: that a kind of record was used tells nothing of anybody."""
    return _may_show(THE_PERSON, [source], study)


def sources_of(spec: FeatureSpec, study: Study) -> set[str | None]:
    """What a feature is made from: its fact's source, that of what a ratio divides by, and that of the column which
    leads to a household or place. None for a fact that the study does not know."""
    found: set[str | None] = {spec.source}
    if spec.over is not None:
        fact = study.file.facts.get(spec.over.partition(".")[0])
        found.add(fact.source if fact else None)
    if spec.by is not None:
        found.add(spec.by.partition(".")[0])
    return found


def known_roles(study: Study) -> set[str]:
    """The roles that the register names, which may see what others may not."""
    return {role for entry in study.register.sources.values() for role in entry.may_show_to or ()}


def _may_show(role: str | None, sources: Iterable[str | None], study: Study) -> bool:
    """Whether every source may be shown; one that the register does not know may not."""
    for source in sources:
        entry = study.register.sources.get(source) if source is not None else None
        if entry is None or (entry.may_show_to is not None and role not in entry.may_show_to):
            return False
    return True


def _is_about_person(spec: FeatureSpec, study: Study) -> bool:
    return spec.about == "person" and spec.by is None and _all_about_person(sources_of(spec, study), study)


def _all_about_person(sources: Iterable[str | None], study: Study) -> bool:
    entries = [study.register.sources.get(source) if source else None for source in sources]
    return all(entry is not None and entry.about == "person" for entry in entries)
