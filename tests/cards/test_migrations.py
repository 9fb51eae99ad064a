"""A card of an earlier schema is read, rendered and checked as one of today's; its digest stays its own.

``card_of_schema_1.json`` is a committed card of schema 1, of a study of schools, with its tables cut short.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.cards.card import ModelCard
from riskmodels.cards.checks import check_card, failing
from riskmodels.cards.migrations import MIGRATIONS, SCHEMA_VERSION, migrate
from riskmodels.cards.renderings import Beside, render
from riskmodels.errors import CardError
from tests.cards import example_card as example

OLD = Path(__file__).with_name("card_of_schema_1.json")


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OLD.read_bytes())
    return found


def test_every_earlier_version_has_its_way_to_the_next() -> None:
    assert list(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
    assert ModelCard.model_fields["schema_version"].default == SCHEMA_VERSION


def test_an_old_card_is_read_as_one_of_today(raw: dict[str, Any]) -> None:
    assert raw["schema_version"] == 1
    card = ModelCard.from_bytes(OLD.read_bytes())
    assert card.schema_version == SCHEMA_VERSION
    assert card.edition_profile.of is None
    assert card.annex.tripod_answers == card.annex.atrs_answers == {}
    # All else is what the old file says.
    new = card.to_dict()
    assert new["summary"] == raw["summary"]
    assert new["performance"] == raw["performance"]
    assert new["data"]["register"] == raw["data"]["register"]


def test_migrating_changes_nothing_in_place_and_nothing_twice(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    migrated = migrate(raw)
    assert raw == before
    assert migrate(migrated) == migrated
    today = json.loads(example.card().to_bytes())
    assert migrate(today) is today


def test_the_digest_of_an_old_card_is_that_of_its_own_bytes() -> None:
    """What is made of it today has other bytes, so it may not take the old card's place."""
    content = OLD.read_bytes()
    assert ModelCard.from_bytes(content).digest != storage.sha256(content)


def test_an_old_card_is_rendered_and_checked() -> None:
    card = ModelCard.from_bytes(OLD.read_bytes()).to_dict()
    files = render(card, ("html", "md"), Beside({"state": "DRAFT", "words": "DRAFT."}))
    assert card["title"] in files["card.html"].decode()
    # What nobody answered then is not answered now; and its tables, which are cut short, are made otherwise today.
    rebuilt = {"annex_whole", "figures_agree", "audit_agrees", "tables_agree"}
    assert set(failing(check_card(card))) <= {"complete", "tripod", *rebuilt}


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (None, "is missing"),
        (0, "is one of 1 and 2"),
        (True, "is one of 1 and 2"),
        ("2", "is one of 1 and 2"),
        (2.0, "is one of 1 and 2"),
        (3, "is of schema 3, and this version reads 1 and 2; it needs a newer riskmodels"),
        (10**30, "it needs a newer riskmodels"),
    ],
)
def test_a_schema_that_is_not_known_is_refused(raw: dict[str, Any], version: Any, words: str) -> None:
    changed = {**raw, "schema_version": version}
    if version is None:
        del changed["schema_version"]
    with pytest.raises(CardError) as caught:
        ModelCard.from_bytes(json.dumps(changed).encode())
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("key", ["annex", "edition_profile"])
@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_an_old_card_that_is_not_whole_is_refused_by_key(raw: dict[str, Any], key: str, value: Any) -> None:
    with pytest.raises(CardError, match=f"card.json, {key}"):
        ModelCard.from_bytes(json.dumps({**raw, key: value}).encode())
