"""What a card does not say: each gap with its owner, the key that fills it, and what it holds up.

`FINDERS` is the table: each finds one kind of gap. To add a kind, write its function, add its row, and test that what
is empty in a card is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from riskmodels.cards.blank import is_answer
from riskmodels.cards.indexes import NOT_ANSWERED, REASON_MISSING, items_of, lacking_of, tripod_index
from riskmodels.cards.records.atrs import build_record
from riskmodels.cards.sections import EXPECTED
from riskmodels.cards.words import at, label

Card = Mapping[str, Any]
ANSWERS, REGISTER = "answers.yaml", "register.yaml"
SECTIONS = ("ask", "purpose", "people_process", "risks", "law", "monitoring", "how_it_works")
ASKED = {"what_we_ask_you_to_decide": "ask", "what_this_cannot_see": "cannot_see"}  # fact -> its key in ANSWERS
# tier -> what a gap of it holds up; each tier needs those before it. 0 holds up nothing: the card shows the gap.
HOLDS_UP = {
    1: "any approval, a pilot or live use",
    2: "live use",
    3: "the public record",
    0: "nothing; the card shows the gap",
}


@dataclass(frozen=True)
class Gap:
    """Something that is not provided, or only drafted.

    ``key``: where in ``file`` it goes. ``also``: what else is filled with it. ``digits``: of a draft that a person may
    confirm instead.
    """

    what: str
    owner: str
    file: str
    key: str
    tier: int
    state: str = "not provided"
    also: tuple[str, ...] = ()
    digits: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "also": list(self.also), "holds_up": HOLDS_UP[self.tier]}


def missing(
    card: Card, status: Mapping[str, Any] | None = None, sign_off: Sequence[Mapping[str, Any]] = ()
) -> tuple[Gap, ...]:
    """Every gap of the card, what holds up most first.

    What one key fills is one gap: what else waits for it stands in ``also``.

    Parameters
    ----------
    status, sign_off : the review as it stands on a day, which the phase of the public record is drafted from
    """
    found: dict[tuple[str, str], Gap] = {}
    for find in FINDERS:
        for gap in find(card, status, sign_off):
            first = found.get((gap.file, gap.key))
            found[gap.file, gap.key] = gap if first is None else replace(first, also=(*first.also, gap.what))
    order = list(HOLDS_UP)
    return tuple(sorted(found.values(), key=lambda gap: order.index(gap.tier)))


# ---------------------------------------------------------------- the kinds of gap


def _facts(card: Card, *review: Any) -> Iterator[Gap]:
    for section in SECTIONS:
        facts = card[section]["facts"]
        for key, fact in facts.items():
            if not is_answer(fact["value"]):
                file, _, where = fact["source"].partition(": ")
                needed = section == "ask" or key in EXPECTED.get(section, ())
                yield Gap(label(key), fact["owner"], file, where, 1 if needed else 0)
        expected = ASKED if section == "ask" else {key: f"{section}.{key}" for key in EXPECTED.get(section, ())}
        for key in (key for key in expected if key not in facts):
            yield Gap(label(key), card["organisation"]["owner"], ANSWERS, expected[key], 1)


def _questions(card: Card, *review: Any) -> Iterator[Gap]:
    for question in card["questions"]:
        if not is_answer(question["answer"]):
            what = f"Question {question['number']}: {question['question']}"
            yield Gap(what, question["owner"], ANSWERS, f"questions.{question['number']}", 1)


def _tripod(card: Card, *review: Any) -> Iterator[Gap]:
    items = {item["item"]: item for item in items_of("tripod_ai")}
    # Made anew, since the index of an earlier card names no owners.
    for number, words, state, _where, owner in tripod_index(card).rows:
        if state not in (NOT_ANSWERED, REASON_MISSING):
            continue
        item, what = items[str(number)], f"TRIPOD+AI {number}: {words}"
        reason = item.get("reason")
        paths = [*(item.get("at") or ()), *(reason if isinstance(reason, list) else ())]
        told = "not provided" if state == NOT_ANSWERED else "reason missing"
        keys = _keys_of(card, paths) if item["by"] == "person" or isinstance(reason, list) else []
        for key in keys or [f"tripod.'{number}'"]:
            yield Gap(what, str(owner), ANSWERS, key, 2, told)


def _atrs(card: Card, status: Mapping[str, Any] | None, sign_off: Sequence[Mapping[str, Any]]) -> Iterator[Gap]:
    items = {item["item"]: item for item in items_of("atrs_v4")}
    for field in build_record(card, status, sign_off):
        if field.status == "confirmed":
            continue
        what = f"ATRS {field.item}: {field.name}"
        keys = _keys_of(card, items[field.item].get("at") or ()) if field.status == "empty" else []
        told = "not provided" if field.status == "empty" else "drafted, not confirmed"
        for key in keys or [field.key]:
            yield Gap(what, _owner_of(card, key) or field.owner, ANSWERS, key, 3, told, digits=field.digits)


def _register(card: Card, *review: Any) -> Iterator[Gap]:
    register = card["data"]["register"]
    owners = {row[0]: row[register["columns"].index("Owner")] for row in register["rows"]}
    for source, key, what in at(card, "data.tables.gaps.rows") or ():
        owner = str(owners.get(source) or card["organisation"]["owner"])
        yield Gap(f"{source}: {what}", owner, REGISTER, f"sources.{source}.{key}", 0)


FINDERS: tuple[Callable[..., Iterator[Gap]], ...] = (_facts, _questions, _tripod, _atrs, _register)


def _keys_of(card: Card, paths: Sequence[str]) -> list[str]:
    """The keys of ``answers.yaml`` that fill these places of the card; none where the pipeline should have."""
    keys = []
    for path in lacking_of(card, paths):
        steps = path.split(".")
        if path == "organisation.contact":
            keys.append("contact")
        elif steps[1:2] == ["facts"] and steps[0] in SECTIONS:
            source = str(at(card, ".".join([*steps[:3], "source"])) or f"{ANSWERS}: {steps[0]}.{steps[2]}")
            keys += [source.removeprefix(f"{ANSWERS}: ")] if source.startswith(ANSWERS) else []
    return keys


def _owner_of(card: Card, key: str) -> str | None:
    found = re.fullmatch(r"(\w+)\.(\w+)", key)
    return at(card, f"{found[1]}.facts.{found[2]}.owner") if found else None
