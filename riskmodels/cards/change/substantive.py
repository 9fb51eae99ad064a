"""Changes of substance: those after which an earlier approval no longer says anything about what is used.

``SUBSTANTIVE`` is the table of them. To add one: a function of the two cards that gives sentences, each saying from
what to what; its row; a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from riskmodels.cards.change.speech import Card, from_to, quote, some, test_dates
from riskmodels.cards.words import at, family_words, label

# Columns of the register that say what data are, what for, and by what right; the others say how they are kept.
OF_SUBSTANCE = (
    "Used for", "Collected for", "About", "How fine its places are", "Lawful basis (Article 6)",
    "Special categories (Article 9)", "Special category condition", "Criminal offences (Article 10)",
    "Schedule 1 condition", "Agreement", "Permitted purposes",
)  # fmt: skip
UNEXPLAINED = "study.yaml changed in a way that the cards do not spell out. Ask what changed before you decide."
UNEXPLAINED_BUT_DATES = "study.yaml changed, and the test dates with it. Ask whether anything else in it did."
LESS_THAN_A_FIELD = ("Field", "Used", "Seen by")
Rows = dict[str, dict[str, Any]]


def substantive_changes(old: Card, new: Card) -> list[str]:
    """Every change of substance from one card to the next, in words; and a change of study.yaml that none explains."""
    found = {name: list(changes(old, new)) for name, changes in SUBSTANTIVE.items()}
    said = [sentence for sentences in found.values() for sentence in sentences]
    explained = any(sentences for name, sentences in found.items() if name not in NOT_OF_STUDY_YAML)
    if at(old, "digests.study") != at(new, "digests.study") and not explained:
        said.append(UNEXPLAINED if test_dates(old) == test_dates(new) else UNEXPLAINED_BUT_DATES)
    return said


def rows_by_first(content: Mapping[str, Any] | None) -> Rows:
    """A table's rows by their first cell, each as {column: cell}."""
    if not content:
        return {}
    return {str(row[0]): dict(zip(content["columns"], row, strict=True)) for row in content["rows"]}


def _paths(names: Mapping[str, str]) -> Callable[[Card, Card], Iterator[str]]:
    """Single values that must stay as they are, by their path, with what each is called."""

    def changes(old: Card, new: Card) -> Iterator[str]:
        for path, what in names.items():
            before, after = at(old, path), at(new, path)
            if before != after:
                yield from_to(what, before, after)

    return changes


# ---------------------------------------------------------------- what it counts and looks at


def _cohort(old: Card, new: Card) -> Iterator[str]:
    """The steps by which people are counted, by their names; how many each leaves is no change of substance."""
    before, after = ([str(row[1]) for row in _rows(card, "data.attrition")] for card in (old, new))
    before, after = list(dict.fromkeys(before)), list(dict.fromkeys(after))
    if before != after:
        yield f"Who is counted: from {_steps(before)} to {_steps(after)}."


def _steps(names: Sequence[str]) -> str:
    return quote("; ".join(names)) if names else "nothing"


def _rows(card: Card, path: str) -> Sequence[Sequence[Any]]:
    found: Sequence[Sequence[Any]] = (at(card, path) or {}).get("rows") or ()
    return found


def _features(old: Card, new: Card) -> Iterator[str]:
    before, after = (rows_by_first(at(card, "how_it_works.features")) for card in (old, new))
    yield from _only(before, after, "A field is new", "A field was dropped")
    for name, row in after.items():
        earlier = before.get(name)
        if earlier is None:
            continue
        for column, value in row.items():
            if column not in LESS_THAN_A_FIELD and earlier.get(column) != value:
                yield from_to(f"The field {quote(name)}, {column.lower()}", earlier.get(column), value)
    used = [{name for name, row in rows.items() if row.get("Used")} for rows in (before, after)]
    common = before.keys() & after.keys()
    for words, names in (("The scores now use", used[1] - used[0]), ("The scores no longer use", used[0] - used[1])):
        named = [name for name in after if name in names & common]
        if named:
            yield f"{words}: {some(named)}."


def _only(before: Rows, after: Rows, new: str, gone: str) -> Iterator[str]:
    for name in after:
        if name not in before:
            yield f"{new}: {quote(name)}."
    for name in before:
        if name not in after:
            yield f"{gone}: {quote(name)}."


def _sources(old: Card, new: Card) -> Iterator[str]:
    before, after = (rows_by_first(at(card, "data.register")) for card in (old, new))
    yield from _only(before, after, "A data source is new", "A data source was dropped")
    for name, row in after.items():
        for column in OF_SUBSTANCE:
            if name in before and before[name].get(column) != row.get(column):
                yield from_to(f"The source {quote(name)}, {_lower(column)}", before[name].get(column), row.get(column))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


# ---------------------------------------------------------------- how it chooses, and how it is judged


def _family(old: Card, new: Card) -> Iterator[str]:
    before, after = (at(card, "model.family") for card in (old, new))
    if before != after:
        yield from_to("The way of choosing", family_words(str(before), None), family_words(str(after), None))
    for key, what in (("calibrate", "Whose outcomes calibrate the risks"), ("calibrator", "The way of calibrating")):
        first, second = (at(card, f"model.recipe.{key}") for card in (old, new))
        if first != second:
            yield from_to(what, first, second)


def _fitted(old: Card, new: Card) -> Iterator[str]:
    """Another model, or other data, though every setting be the same."""
    model, data = ([at(card, path) for card in (old, new)] for path in ("model.sha256", "digests.data"))
    other_data = data[0] != data[1] and None not in data
    on = "data that are not those of last time" if other_data else "the same data"
    if model[0] != model[1]:
        versions = (at(card, "model.version") for card in (old, new))
        yield from_to(f"It was fitted again, on {on}. Its version", *versions)
    elif other_data:
        yield f"The model is the same, but it was tested on {on}."


def _policy(old: Card, new: Card) -> Iterator[str]:
    before, after = (at(card, "digests.policy") for card in (old, new))
    if before == after:
        return
    names = [at(card, "audit.policy_name") for card in (old, new)]
    if names[0] == names[1]:  # a policy that was changed, and kept its name
        names = [f"{name} ({str(digest)[:12]})" for name, digest in zip(names, (before, after), strict=True)]
    yield from_to("The rules of the fairness audit", *names)


def _protected(old: Card, new: Card) -> Iterator[str]:
    titles = [_audited(card) for card in (old, new)]
    for name in sorted(titles[1].keys() - titles[0].keys()):
        yield f"The fairness audit now looks at {quote(titles[1][name])}."
    for name in sorted(titles[0].keys() - titles[1].keys()):
        yield f"The fairness audit no longer looks at {quote(titles[0][name])}."
    references = [_references(card) for card in (old, new)]
    for name in sorted(references[0].keys() & references[1].keys()):
        before, after = (each[name] for each in references)
        if before != after:
            yield from_to(f"The group that others are compared with, for {quote(titles[1][name])}", before, after)


def _audited(card: Card) -> dict[str, str]:
    names = at(card, "audit.titles") or {}
    found = dict.fromkeys(str(row["attribute"]) for row in at(card, "audit.rows") or ())
    return {name: str(names.get(name, label(name).lower())) for name in sorted(found)}


def _references(card: Card) -> dict[str, str]:
    rows = at(card, "audit.contrasts") or ()
    return {
        str(row["attribute"]): str(row.get("reference_label") or row["reference"])
        for row in rows
        if row.get("against") == "reference" and row.get("reference")
    }


# To add a change: one function, one row, one test.
SUBSTANTIVE: dict[str, Callable[[Card, Card], Iterator[str]]] = {
    "organisation": _paths({"organisation.name": "The organisation"}),
    "purpose": _paths(
        {
            "question": "The question",
            "audit.purpose": "What it means to be on the list",
        }
    ),
    "use": _paths(
        {
            "purpose.facts.intended_use.value": "The intended use",
            "purpose.facts.never_used_for.value": "What it is never used for",
            "ask.facts.what_we_ask_you_to_decide.value": "What we ask you to decide",
        }
    ),
    "deciding": _paths(
        {
            "people_process.facts.who_decides.value": "Who decides",
            "people_process.facts.human_check.value": "How a person checks",
            "law.facts.automated_decisions.value": "What the computer decides alone",
        }
    ),
    "outcome": _paths(
        {
            "how_it_works.facts.outcome.value": "The outcome",
            "how_it_works.facts.looks_ahead.value": "How far it looks ahead",
            "how_it_works.facts.recorded_within.value": "How soon the outcome is recorded",
            "how_it_works.facts.the_outcome_is.value": "What the outcome is",
            "audit.level": "Whom it ranks",
        }
    ),
    "cohort": _cohort,
    "capacity": _paths({"how_it_works.facts.places.value": "The places"}),
    "features": _features,
    "sources": _sources,
    "family": _family,
    "disclosure": _paths({"edition_profile.disclosure": "The rules for what is not shown"}),
    "policy": _policy,
    "protected": _protected,
    "fitted": _fitted,
}
# Rows of which study.yaml says nothing: they do not explain that it changed.
NOT_OF_STUDY_YAML = frozenset({"organisation", "use", "deciding", "family", "fitted"})
