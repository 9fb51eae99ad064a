"""The public record: each field drafted from the card, confirmed by a person, or empty."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

import openpyxl
import pytest

from riskmodels.cards.card import ModelCard
from riskmodels.cards.editions import public_edition
from riskmodels.cards.indexes import items_of
from riskmodels.cards.records.atrs import DRAFTS, PHASE, Field, build_record, gaps_of
from riskmodels.cards.renderings import Beside, render
from riskmodels.study import load_study
from tests.cards import example_card as example
from tests.conftest import ROOT

AWAITING = {"state": "AWAITING REVIEW", "words": "AWAITING REVIEW. No decision.", "until": None, "example": False}
ONLY_A_PERSON = {"0.4", "1.3", "2.1.2", "2.1.4", "2.1.4.1", "2.1.4.2", "2.1.4.3", "2.1.4.4", "2.1.4.5"}


SHIPPED = sorted(path.parent.name for path in (ROOT / "experiments").glob("*/answers.yaml"))


def card(**atrs: dict[str, Any]) -> ModelCard:
    return example.card(example.study(answers={"atrs": atrs}))


def record(made: ModelCard, **review: Any) -> dict[str, Field]:
    return {field.item: field for field in build_record(made.to_dict(), **{"status": AWAITING, **review})}


def test_every_field_stands_once_in_template_order() -> None:
    found = build_record(example.card().to_dict(), AWAITING)
    assert [field.item for field in found] == [item["item"] for item in items_of("atrs_v4")]
    assert set(DRAFTS) | {PHASE} <= {field.item for field in found}


def test_each_field_is_drafted_or_empty_as_the_card_allows() -> None:
    found = record(example.card())
    empty = {item for item, field in found.items() if field.status == "empty"}
    # The example's answers leave these out, so the card cannot say them.
    assert empty == ONLY_A_PERSON | {"2.2.2", "2.2.3", "2.3.2", "2.3.4", "2.3.5", "2.4.4.4", "2.5.1"} | (
        empty & {"2.2.4"}
    )
    assert all(field.text and field.digits for item, field in found.items() if item not in empty)
    assert all(field.text is None and field.digits is None for item, field in found.items() if item in empty)


def test_digits_are_those_of_the_draft() -> None:
    title = record(example.card())["1.1"]
    assert title.text == "Spring reading"
    assert title.digits == hashlib.sha256(b"Spring reading").hexdigest()[:8]


def test_a_person_says_it() -> None:
    said = record(card(**{"0.4": {"owner": "Head of Schools", "text": " East \n of England "}}))["0.4"]
    assert (said.status, said.text, said.source) == ("confirmed", "East of England", "answers.yaml: atrs.'0.4'")


def test_digits_confirm_exactly_this_draft() -> None:
    digits = record(example.card())["1.2"].digits
    answers = {"1.2": {"owner": "Reading Manager", "confirms": digits}}
    held = record(card(**answers))["1.2"]
    assert (held.status, held.owner, held.note) == ("confirmed", "Reading Manager", "")
    changed = example.study(
        answers={
            "atrs": answers,
            "purpose": {**example.ANSWERS["purpose"], "intended_use": {"owner": "Head", "text": "Another use."}},
        }
    )
    lost = record(example.card(changed))["1.2"]
    assert (lost.status, lost.text) == ("drafted", "Another use.")
    assert f"the digits {digits}; it has changed since" in lost.note
    assert {row[0]: row[2] for row in example.card(changed).annex.atrs.rows}["1.2"] == "drafted"


def test_digits_without_a_draft_confirm_nothing() -> None:
    found = record(card(**{"0.4": {"owner": "Head", "confirms": "3fa9c1d2"}}))["0.4"]
    assert found.status == "empty"
    assert "there is no draft now" in found.note


def test_names_that_are_not_official_are_marked_and_others_not() -> None:
    found = record(example.card())
    assert "check against the official template" in found["2.3.4"].note
    assert found["2.2.1"].note == ""
    marked = {item["item"] for item in items_of("atrs_v4") if item["sure"] != "official"}
    assert {item for item, field in found.items() if not field.official} == marked


# ---------------------------------------------------------------- as files


def files(made: dict[str, Any]) -> dict[str, bytes]:
    return render(made, ["atrs"], Beside(AWAITING))


def test_the_same_card_gives_the_same_bytes() -> None:
    plain = example.card().to_dict()
    assert files(plain) == files(plain)
    assert set(files(plain)) == {"atrs.md", "atrs.xlsx"}


def test_markdown_has_every_field_under_its_published_number() -> None:
    text = files(example.card().to_dict())["atrs.md"].decode()
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert headings[:5] == ["Title", "Organisation name", "Phase", "Region", "One sentence description"]
    assert "1 - Name" in headings
    assert "1.4.1 - Third party" in headings
    assert "4.2.7 - Model performance" in headings
    assert "Not provided (owner: Head of Schools)" in text
    assert text.count("Template field ") == 56
    assert "None" not in text.replace("None stated", "").replace("None needed", "")


def test_the_gap_list_has_every_field_that_nobody_confirmed() -> None:
    made = card(**{"0.4": {"owner": "Head of Schools", "text": "North"}})
    text = files(made.to_dict())["atrs.md"].decode()
    listed = re.findall(r"^- (\S+) .*\((?:empty|drafted)\): atrs\.'\1'", text, re.MULTILINE)
    gaps = gaps_of(build_record(made.to_dict(), AWAITING))
    assert sorted(listed) == sorted(field.item for field in gaps)
    assert len(gaps) == 55


def test_the_workbook_has_a_sheet_for_each_part_and_one_of_gaps() -> None:
    made = example.card().to_dict()
    book = openpyxl.load_workbook(io.BytesIO(files(made)["atrs.xlsx"]))
    assert len(book.sheetnames) == 11
    assert book.sheetnames[-1] == "Gaps"
    found = [str(row[0].value) for sheet in book.worksheets[:-1] for row in sheet.iter_rows(min_row=3)]
    assert found == [item["item"] for item in items_of("atrs_v4")]
    assert [cell.value for cell in book["Tier 1 summary"][2]][:7] == [
        "Field",
        "Name",
        "What it holds",
        "Text",
        "Status",
        "Owner",
        "Where from",
    ]


def test_both_editions_have_a_record_and_the_same_drafts() -> None:
    made = example.card()
    public = public_edition(made.to_dict(), made.digest)
    assert set(files(public)) == {"atrs-public.md", "atrs-public.xlsx"}
    texts = [{field.item: field.text for field in build_record(plain, AWAITING)} for plain in (made.to_dict(), public)]
    assert texts[0] == texts[1]


def test_what_the_shipped_studies_confirm_is_what_is_drafted() -> None:
    """Of drafts that are made of answers.yaml alone; the others change with the data."""
    fixed = {"0.1": "title", "0.2": "organisation", "1.1": "title", "1.4": "contact", "2.1.1": "organisation",
             "2.1.3": "owner_role"}  # fmt: skip
    held = 0
    for folder in sorted((ROOT / "experiments").iterdir()):
        if not (folder / "answers.yaml").is_file():
            continue
        study = load_study(folder)
        for item, answer in study.answers.atrs.items():
            if answer.confirms:
                said = study.file.title if fixed[item] == "title" else getattr(study.answers, fixed[item])
                assert answer.confirms == hashlib.sha256(said.encode()).hexdigest()[:8], (folder.name, item)
                held += 1
    assert held


def test_text_of_people_cannot_become_markup() -> None:
    made = card(**{"0.4": {"owner": "Head", "text": "<script>alert(1)</script> # [x](y) =cmd()"}}).to_dict()
    text = files(made)["atrs.md"].decode()
    assert "<script>" not in text
    assert r"\[x\](y)" in text
    book = openpyxl.load_workbook(io.BytesIO(files(made)["atrs.xlsx"]))
    assert all(cell.data_type != "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("file", ["docs/cards.md", *(f"experiments/{name}/answers.yaml" for name in SHIPPED)])
def test_digits_stand_in_quotes_wherever_they_are_shown(file: str) -> None:
    """All digits and no letter, or with an e, they would be read as a number if they stood without quotes."""
    shown = re.findall(r"confirms: *([^,}\s]+)", (ROOT / file).read_text())
    assert all(re.fullmatch("'[0-9a-f]{8}'", digits) for digits in shown)
    assert shown or file != "docs/cards.md"


def test_the_record_asks_for_digits_in_quotes() -> None:
    text = files(example.card().to_dict())["atrs.md"].decode()
    assert "they copy its digits, in quotes" in text
    shown = re.findall(r"(?:confirms:|Digits of this draft:) ([^,.\s]+)", text)
    assert len(shown) > 50
    assert all(re.fullmatch("'[0-9a-f]{8}'", digits) for digits in shown)
