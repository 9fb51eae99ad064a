"""What section 5 says beyond its fixed tables: links, gaps, objections, exits, examples; all fit to be shown."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
from typing import Any

import pytest

from riskmodels.cards.card import ModelCard, Table
from riskmodels.cards.checks import CHECKS, check_card
from riskmodels.cards.data_tables import TABLES
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.summary import page_one_text
from riskmodels.cards.words import word_count
from riskmodels.reports.page import render_card
from tests.cards import example_card as example
from tests.reports.example_profile import profile

STATUS = {"state": "DRAFT", "words": "DRAFT."}
FOUND: dict[str, Any] = {
    "profile": profile(),
    "attrition_differences": profile()["attrition_differences"],
    "register_gaps": [
        {"source": "records", "key": "dpia", "words": "no data protection impact assessment is named"},
        {"source": "records", "key": "agreement_expires", "words": "the agreement ends on 2026-04-01"},
    ],
    "objected": {"training": 31, "audit": 0, "scoring": 4},
    "links": [
        {"source": "police", "linked": 2296, "not_linked": 201, "ambiguous": 0, "below_confidence": 7},
        {"source": "housing", "linked": 2492, "not_linked": 5, "ambiguous": 12, "below_confidence": 0},
    ],
    "examples": {"given": 7, "agree": 7},
}
STUDY: dict[str, Any] = {
    "objections": {"file": "objections.csv", "entity": "pupil_id", "scope": "scope"},
    "breaks": [{"date": "1987-09-01", "what": "a new test", "affects": ["reading_test"]}],
}


def card(**changes: Any) -> ModelCard:
    return example.card(example.study(STUDY), **{**FOUND, **changes})


@pytest.fixture(scope="module")
def whole() -> ModelCard:
    return card()


def rows(card: ModelCard, name: str) -> list[tuple[Any, ...]]:
    return list(card.data.tables[name].rows)


def test_every_table_is_there_and_on_the_page(whole: ModelCard) -> None:
    assert set(whole.data.tables) == set(TABLES)
    page = render_card(whole.to_dict(), status=STATUS).decode()
    for table in whole.data.tables.values():
        assert isinstance(table, Table)
        assert table.caption in page


def test_a_card_of_before_is_still_read_and_rendered() -> None:
    plain = json.loads(example.card().to_bytes())
    del plain["data"]["tables"]
    assert ModelCard.model_validate(plain).data.tables == {}
    assert b"Data register" in render_card(plain, status=STATUS)


def test_the_same_findings_give_the_same_bytes(whole: ModelCard) -> None:
    assert card().to_bytes() == whole.to_bytes()
    assert ModelCard.from_bytes(whole.to_bytes()) == whole


def test_with_nothing_found_only_the_gaps_are_said_to_be_none() -> None:
    assert set(example.card().data.tables) == {"gaps"}
    assert example.card().data.tables["gaps"].rows == ()


# ---------------------------------------------------------------- a link that fails for one group


def test_a_failing_link_is_told_in_words_with_numbers(whole: ModelCard) -> None:
    said = " ".join(whole.data.words)
    assert "Fewer pupils of the group roma could be linked to police than pupils of the group white" in said
    assert "80 of 100, against 95" in said


def test_a_failing_link_leads_on_page_one(whole: ModelCard) -> None:
    block = next(block for block in whole.summary.blocks if block.id == "unlinked")
    assert "Police can say less of pupils of the group roma" in block.text
    text = page_one_text(whole.to_dict()["summary"])
    assert word_count(text) <= 350
    assert reading_grade(text) <= 7
    assert {row["check"] for row in check_card(whole) if not row["passed"]} <= {"complete", "tripod", "annex_whole"}


def test_page_one_stays_as_it_is_without_such_a_gap() -> None:
    linkage = [{**row, "covered": row["n"] - row["n"] // 10} for row in profile()["linkage"]]
    same = card(profile={**profile(), "linkage": linkage})
    assert [block.id for block in same.summary.blocks] == [block.id for block in example.card().summary.blocks]
    assert same.data.words == example.card().data.words


def test_a_group_with_a_number_in_its_name_may_stand_on_page_one() -> None:
    linkage = [{**row, "group": "16-24" if row["group"] == "roma" else row["group"]} for row in profile()["linkage"]]
    found = card(profile={**profile(), "linkage": linkage})
    assert "16-24" in page_one_text(found.to_dict()["summary"])
    assert CHECKS["prose_agrees"](found.to_dict())[0]


def test_a_gap_whose_numbers_are_hidden_is_told_without_them() -> None:
    linkage = [{**row, "covered": row["n"] - 4 if row["reference"] else row["covered"]} for row in profile()["linkage"]]
    said = " ".join(card(profile={**profile(), "linkage": linkage}).data.words)
    assert "Fewer pupils of the group roma could be linked to police than pupils of the group white. Of those" in said


# ---------------------------------------------------------------- the tables


def test_links_hide_both_sides_of_a_handful(whole: ModelCard) -> None:
    police, housing = rows(whole, "links")
    assert police[:4] == ("police", 2295, 200, "92 of 100")
    assert police[4] == 0
    assert str(police[5]).startswith("not shown")
    assert all(str(cell).startswith("not shown") for cell in housing[1:4])
    assert housing[4:] == (10, 0)


def test_linkage_by_group(whole: ModelCard) -> None:
    found = {row[1]: row for row in rows(whole, "linkage")}
    assert found["Ethnicity: roma"][2:4] == (400, "80 of 100")
    assert found["Ethnicity: roma"][5:] == ("-15", "look here")
    assert found["Ethnicity: white"][5] == "the reference"
    assert str(found["Ethnicity: asian"][2]).startswith("not shown")


def test_who_was_left_out(whole: ModelCard) -> None:
    found = {row[1]: row for row in rows(whole, "attrition_differences")}
    assert found["Ethnicity: roma"][0] == "On roll"
    assert found["Ethnicity: roma"][4] > 0.1
    assert "Ethnicity: asian" not in found


def test_fields_that_lack_a_value_for_one_group(whole: ModelCard) -> None:
    assert rows(whole, "missing_by_group") == [("Score at visits", "Ethnicity: roma", "50 of 100", "25 of 100")]


def test_objections_that_were_honoured(whole: ModelCard) -> None:
    found = dict(rows(whole, "objections"))
    assert found["Training"] == 30
    assert found["Audit"] == 0
    assert str(found["Scoring"]).startswith("not shown")


def test_gaps_leave_to_the_page_what_depends_on_the_day(whole: ModelCard) -> None:
    assert [row[1] for row in rows(whole, "gaps")] == ["Data protection impact assessment"]
    register = whole.to_dict()
    soon = render_card(register, status=STATUS, today=dt.date(1990, 7, 1)).decode()
    assert "ends on 31 August 1990. Renew it before then." in soon
    assert "Renew it before then" not in render_card(register, status=STATUS, today=dt.date(1990, 5, 1)).decode()
    assert "Renew it before then" not in render_card(register, status=STATUS).decode()


def test_examples_breaks_and_whether_there_is_enough(whole: ModelCard) -> None:
    assert [row[1] for row in rows(whole, "examples")] == ["7", "7"]
    assert rows(whole, "breaks") == [("1 September 1987", "a new test", "reading_test")]
    assert rows(whole, "enough")[-1] == ("A simple floor of 10 for each column", "not reached")


def test_exits_are_columns_of_the_outcome_table() -> None:
    outcome = {**example.STUDY["outcome"], "exits": {"moved_away": {"any": "on_roll"}, "died": {"any": "on_roll"}}}
    status = [dict(row) for row in example.arguments()["outcome_status"]]
    for row, moved in zip(status, (812, 4, 0), strict=True):
        row["moved_away"] = moved
    table = example.card(example.study({"outcome": outcome}), outcome_status=status).data.outcome_status
    assert table.columns[-2:] == ("Moved away", "Died")
    assert [row[-1] for row in table.rows] == [0, 0, 0]
    assert table.rows[0][-2] == 810
    assert str(table.rows[1][-2]).startswith("not shown")
    assert table.rows[2][-2] == 0
    assert "moved away and died" in str(table.note)


def test_the_register_says_all_that_is_known() -> None:
    made = example.study()
    entry = made.register.sources["records"].model_copy(
        update={"special_category": ("health",), "criminal_offence": True, "seen_by": ("teachers", "the team")}
    )
    register = made.register.model_copy(update={"sources": {**made.register.sources, "records": entry}})
    table = example.card(dataclasses.replace(made, register=register))
    row = next(row for row in table.data.register_.rows if row[0] == "records")
    said = dict(zip(table.data.register_.columns, row, strict=True))
    assert said["Special categories (Article 9)"] == "health"
    assert said["Criminal offences (Article 10)"] is True
    assert said["Schedule 1 condition"] == "None stated"
    assert said["Data protection impact assessment"] == "Not provided (owner: Schools Data Manager)"
    assert said["Seen by"] == "teachers; the team"
    assert said["Was anybody asked"] == "Not provided (owner: Schools Data Manager)"


def test_each_field_says_where_it_comes_from_and_whether_it_is_used() -> None:
    table = example.card().how_it_works.features
    assert table.columns[:5] == ("Field", "Used", "Source", "About", "Seen by")
    found = {row[0]: row[1:5] for row in table.rows}
    assert found["reading score this spring"][:3] == (True, "records", "person")
    assert found["age"] == (False, "pupils", "person", "Not provided (owner: Schools Data Manager)")


def test_a_simple_sort_uses_one_field() -> None:
    family = {**example.arguments()["model"], "family": "single_best_column", "parameters": {"column": "age"}}
    table = example.card(
        model=family, explanation={"drivers": [], "method": "A sort.", "n": 3104}
    ).how_it_works.features
    assert {row[0] for row in table.rows if row[1]} == {"age"}


# ---------------------------------------------------------------- disclosure


def test_nothing_of_a_handful_enters_the_card(whole: ModelCard) -> None:
    assert CHECKS["disclosure"](whole.to_dict())[0]
    hidden = " ".join(str(row[0]) for row in whole.annex.suppressed.rows)
    assert "linkage" in hidden
    assert "data.links, housing" in hidden


@pytest.mark.parametrize("planted", [7, 203])
def test_a_count_planted_in_the_tables_of_the_data_is_found(whole: ModelCard, planted: int) -> None:
    plain = copy.deepcopy(whole.to_dict())
    plain["data"]["tables"]["links"]["rows"][0][2] = planted
    assert not CHECKS["disclosure"](plain)[0]
    fixed = copy.deepcopy(whole.to_dict())
    fixed["data"]["outcome_status"]["rows"][0][1] = planted
    assert not CHECKS["disclosure"](fixed)[0]
