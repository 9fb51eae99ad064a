"""The page of a batch works without eyes, network or scripts, and whatever people wrote stays text."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from riskmodels.assessment.suppression import PROFILES
from riskmodels.service.outputs.report import batch_report
from tests.reports.test_page import EVIL, Page
from tests.service.outputs.example_batch import facts


def made(**changes: Any) -> bytes:
    return batch_report(facts(**changes), PROFILES["sro-10"]).encode()


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(made())


def test_same_bytes_twice() -> None:
    assert made() == made()


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_the_picture_has_words_and_a_table(page: Page) -> None:
    (picture,) = page.all("img")
    assert "Most people, 25 of 100, have a risk of 0 to 1 of 100" in str(picture["alt"])
    assert "In the model's test it was 25 of 100" in str(picture["alt"])
    svg = base64.b64decode(str(picture["src"]).partition(",")[2])
    assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)
    assert page.text.count("The numbers in this figure") == 1
    # 10 of 50 to 60; then 6 + 3 + 1 + 0 above, joined, as 10 again.
    assert "50 to 60 10 0.8 0.8" in page.text
    assert "60 to 100 10 0.8" in page.text


def test_without_the_models_test_the_picture_is_of_the_batch_alone() -> None:
    page = Page(made(trained=()))
    assert "beside the model's test" not in page.text
    assert len(page.all("img")) == 1


@pytest.mark.parametrize("evil", EVIL if isinstance(EVIL, (list, tuple)) else [EVIL])
def test_whatever_people_wrote_stays_text(evil: str) -> None:
    page = Page(made(title=evil, question=evil, warnings=(evil,), minute=evil, owner_role=evil, stage=evil))
    assert page.unbalanced == page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "form"}
    assert " ".join(evil.split()) in page.text
