"""The figure of other list sizes: its numbers are those of the table, and it is drawn from nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from riskmodels.cards.card import Figure
from riskmodels.cards.figures import Results
from riskmodels.cards.shown import Shown
from riskmodels.cards.use_figures import AS_IT_IS, capacity_sweep
from riskmodels.cards.use_published import published_use
from riskmodels.cards.use_words import use_words
from riskmodels.cards.words import language_of
from tests.cards import example_card as example
from tests.cards.example_use import use

STUDY = example.study()


def figure(found: dict[str, Any] | None = None) -> Figure | str:
    performance = example.performance() | ({"use": published_use(found, Shown())} if found else {})
    return capacity_sweep(Results(STUDY.file, language_of(STUDY.file), performance, {}, {}, (), ()))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found = figure(use())
    assert isinstance(found, Figure)
    plain: dict[str, Any] = found.model_dump(mode="json")
    return plain


def test_the_list_itself_is_marked_once(made):
    (own,) = [row for row in made["table"]["rows"] if row[8]]
    assert own[:2] == ["The places there are", 1.0]
    assert own[8] == AS_IT_IS
    assert own[3] < own[2] < own[4]
    assert own[6] < own[5] < own[7]


def test_sizes_rise_and_so_does_what_is_found(made):
    for column in (1, 5):
        values = [row[column] for row in made["table"]["rows"]]
        assert values == sorted(values)


def test_the_text_says_what_the_picture_shows(made):
    first, last = made["table"]["rows"][0], made["table"]["rows"][-1]
    numbers = re.findall(r"(\d+) of 100", made["alt"])
    assert [int(number) for number in numbers[:4]] == pytest.approx([first[2], first[5], last[2], last[5]], abs=1)
    assert made["n"]
    assert made["unit"]


def test_the_title_and_the_prose_say_the_numbers_of_the_table(made):
    rows = {row[0]: row for row in made["table"]["rows"]}
    own, twice = rows["The places there are"], rows["Twice the places"]
    assert made["title"] == (
        f"With twice the places, the list finds {twice[5]:g} of 100 rather than {own[5]:g}, and {twice[2]:g} of 100 "
        f"on it needed help rather than {own[2]:g}"
    )
    performance = example.performance() | {"use": published_use(use(), Shown())}
    said = use_words(performance, language_of(STUDY.file), STUDY)
    assert any(f"Of 100 on the list as it is, {own[2]:g} needed help." in line for line in said)


@pytest.mark.parametrize("found", [None, use(people=60, places=20, dates=1)])
def test_too_few_sizes_make_no_figure(found):
    assert figure(found) == "too few sizes of the list can be shown"
