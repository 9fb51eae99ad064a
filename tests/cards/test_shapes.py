"""A damaged card is refused when it is read, in one line, wherever its schema leaves a part open."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from riskmodels import __main__
from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards import shapes
from riskmodels.cards.card import ModelCard
from riskmodels.cards.change import compare_cards
from riskmodels.cards.differencing import recovered
from riskmodels.cards.editions import public_edition
from riskmodels.cards.records.atrs import build_record
from riskmodels.cards.words import at
from riskmodels.errors import CardError
from tests.cards.change.pairs import Card, all_of, changed, original, put
from tests.cards.test_migrations import OLD


def other_columns(path: str) -> Callable[[Card], None]:
    """A table of two columns that no reader knows."""

    def plant(card: Card) -> None:
        at(card, path).update(columns=["a", "b"], rows=[["x", "y"]])

    return plant


DAMAGED = {
    "a number is text": (put("performance.at_capacity.precision", "x"), "performance.at_capacity.precision: is not a"),
    "its end is text": (put("performance.overall.auc.low", "x"), "performance.overall.auc: is not a number with its"),
    "its people are text": (put("performance.overall.auc.n", "x"), "performance.overall.auc: is not a number with its"),
    "its reason is no text": (
        put("performance.overall.auc", {"value": None, "reason": 3}), "performance.overall.auc: is not a number",
    ),
    "no measures": (put("performance.overall.auc", 0.5), "performance.overall.auc: is not a number with its interval"),
    "deeper down": (
        put("performance.families.0.auc.value", []), "performance.families.0.auc: is not a number with its interval",
    ),
    "a count is text": (put("performance.known", "x"), "performance.known: is not a number"),
    "a share is text": (put("performance.at_capacity.unknown_share", "x"), "unknown_share: is not a number"),
    "a count with an interval": (put("performance.known", {"value": 3}), "performance.known: is not a number"),
    "a tally is text": (put("audit.tally.passed", "x"), "audit.tally.passed: is not a number"),
    "a tally is none": (put("audit.tally", "x"), "audit.tally: is missing, or is not a set"),
    "a rate is text": (put("performance.at_capacity.selection_rate", "x"), "selection_rate: is not a number"),
    "titles are text": (put("audit.titles", "x"), "audit.titles: is missing, or is not a set"),
    "an answer is a number": (
        put("annex.atrs_answers", {"2.1.4": {"value": -1, "source": "answers.yaml", "owner": "Head"}}),
        "annex.atrs_answers.2.1.4.value: is not text",
    ),
    "a longer list": (
        put("performance.use", {"capacity_sweep": [{"times": []}]}), "capacity_sweep.0.times: is not a number",
    ),
    "longer lists that are none": (put("performance.use", {"capacity_sweep": 5}), "capacity_sweep.0: is missing, or"),
    "one bound": (put("performance.at_capacity.recall_bounds", [0.1]), "recall_bounds: is not two numbers"),
    "no such rules": (put("edition_profile.disclosure", "none-such"), "edition_profile.disclosure: is one of sro-10"),
    "a date without a day": (put("performance.per_date", [{"x": 1}]), "performance.per_date.0.as_of_date: is missing"),
    "dates that are none": (put("performance.per_date", {"x": 1}), "performance.per_date: is not a list"),
    "a date that is none": (put("performance.per_date", ["x"]), "performance.per_date.0: is missing, or is not a set"),
    "a group without a name": (put("audit.rows", [{}]), "audit.rows.0.attribute: is missing, or is not text"),
    "a group without figures": (put("audit.rows.0.metrics", None), "audit.rows.0.metrics: is missing, or is not a"),
    "a group's figure": (put("audit.rows.0.metrics.recall", "x"), "audit.rows.0.metrics.recall: is not a number"),
    "a comparison": (put("audit.contrasts", [{}]), "audit.contrasts.0.attribute: is missing"),
    **{path: (other_columns(path), f"{path}: has no column") for path in (
        "data.quality", "data.attrition", "data.missing", "how_it_works.features", "annex.checks", "data.register",
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_card_is_refused_by_the_place(name: str) -> None:
    plant, words = DAMAGED[name]
    with pytest.raises(CardError) as caught:
        ModelCard.from_bytes(json.dumps(changed(plant)).encode())
    assert str(caught.value).startswith("card.json, ")
    assert words in str(caught.value)
    assert str(caught.value).endswith("restore it from the run it came from, or build the card again")


def test_whole_cards_of_every_kind_are_read() -> None:
    for card in (original(), original(bounds=True)):
        read = ModelCard.from_bytes(json.dumps(card).encode())
        assert read.to_dict() == card
        public = public_edition(card, read.digest)
        assert ModelCard.from_bytes(json.dumps(public).encode()).to_dict() == public
    ModelCard.from_bytes(OLD.read_bytes())
    for profile in PROFILES:
        ModelCard.from_bytes(json.dumps(changed(put("edition_profile.disclosure", profile))).encode())


def test_an_empty_table_may_have_any_columns() -> None:
    def empty(card: Card) -> None:
        card["data"]["quality"].update(columns=["Stand-in"], rows=[])

    ModelCard.from_bytes(json.dumps(changed(empty)).encode())


def test_every_place_that_is_named_here_is_one_of_a_card() -> None:
    """A name that no card has would guard nothing. What a run need not have is left out."""
    card = original()
    rare = {"audit.tables.also_features", "risks.tables.accepted", "performance.use.capacity_sweep.*"}
    for path in (*shapes.NAMED, *shapes.ESTIMATES, *shapes.NUMBERS, *shapes.COLUMNS):
        assert at(card, path.replace("*", "0")) is not None or path in rare, path


def damages(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a card, of a list its first and last."""
    places = [path]
    if isinstance(found, Mapping):
        places += [place for name, inner in found.items() for place in damages(inner, (*path, name))]
    elif isinstance(found, list):
        ends = sorted({0, len(found) - 1}) if found else ()
        places += [place for end in ends for place in damages(found[end], (*path, end))]
    return places


@pytest.mark.parametrize("value", ["x", None, [{}]], ids=["text", "nothing", "a list"])
def test_what_is_read_can_be_compared_published_and_recorded(value: Any) -> None:
    """Whatever stands in the place of any part: it is refused, or every reader can do with it."""
    card = original()
    sections = ("performance", "audit", "data", "how_it_works", "edition_profile")
    places = [place for name in sections for place in damages(card[name], (name,))][::23]
    read = 0
    for place in places:
        damaged = copy.deepcopy(card)
        inside: Any = damaged
        for part in place[:-1]:
            inside = inside[part]
        inside[place[-1]] = value
        try:
            found = ModelCard.from_bytes(json.dumps(damaged).encode())
        except CardError:
            continue
        read += 1
        plain = found.to_dict()
        compare_cards(card, plain)
        compare_cards(plain, card)
        build_record(plain)
        recovered([plain, public_edition(plain, found.digest)])
    assert read


@pytest.mark.parametrize("arguments", [("diff", "GOOD", "BAD"), ("BAD", "--check"), ("missing", "BAD")])
def test_the_commands_say_so_in_one_line(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = {"GOOD": original(), "BAD": changed(all_of(put("audit.rows", [{}])))}
    for name, card in cards.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(card))
    given = [str(tmp_path / f"{one}.json") if one in cards else one for one in arguments]
    assert __main__.run(["card", *given, "--workspace", str(tmp_path / "work")]) == 5
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("riskmodels: card.json, audit.rows.0.attribute: is missing")
