"""What a printed copy shows: short tables opened, long ones named, and nothing dropped in silence."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.reports.outline import outline
from riskmodels.reports.parts import Section, table
from riskmodels.reports.pdf_outline import ROWS_PRINTED, for_paper, pieces
from tests.cards import example_card as example


def content(rows: int) -> dict[str, Any]:
    return {
        "caption": "Everything", "columns": ["a", "b"], "rows": [[str(n), n] for n in range(rows)], "source": "run",
        "note": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "fold", "printed"),
    [(ROWS_PRINTED, True, True), (ROWS_PRINTED + 1, True, False), (ROWS_PRINTED + 1, False, True)],
)
def test_a_long_folded_table_is_named_and_any_other_is_printed(rows: int, fold: bool, printed: bool) -> None:
    (section,), left_out = for_paper([Section(5, "Data", (table(content(rows), fold=fold),))], "card-public")
    (part,) = section.parts
    if printed:
        assert part == {"kind": "table", "table": content(rows), "fold": False}
        assert left_out == ()
    else:
        assert part == {
            "kind": "text",
            "text": "Not printed: Everything, 25 rows. It stands in card-public.html, section 5, and in "
            "card-public.json.",
        }
        assert [(line.section, line.number, line.caption, line.rows) for line in left_out] == [
            ("section-5", 5, "Everything", 25)
        ]


def test_every_table_of_a_card_is_printed_or_named() -> None:
    sections = outline(example.card().to_dict())
    made, left_out = for_paper(sections, "card")
    wanted = [part["table"]["caption"] for section in sections for part in section.parts if part["kind"] == "table"]
    shown = [part["table"]["caption"] for section in made for part in section.parts if part["kind"] == "table"]
    named = [line.caption for line in left_out]
    assert wanted
    assert [caption for caption in wanted if caption not in [*shown, *named]] == []
    assert not any(part.get("fold") for section in made for part in section.parts)


def test_a_tall_picture_comes_in_pieces_that_hold_its_rows_once() -> None:
    figure = {
        "id": "group_ratios", "title": "Is each group treated alike?", "alt": "Marks.", "unit": "ratio", "n": 100,
        "curve": content(1),
        "table": {**content(0), "columns": ["Group", "Characteristic"], "rows": [
            ["Male", "Sex"], ["Asian", "Ethnic group"], ["Black", "Ethnic group"],
        ]},
    }  # fmt: skip
    made = pieces(figure)
    assert [piece["title"] for piece in made] == ["Sex", "Ethnic group"]
    assert [row for piece in made for row in piece["table"]["rows"]] == figure["table"]["rows"]
    assert all(piece["alt"].startswith(piece["title"]) for piece in made)
    (section,), _ = for_paper([Section(8, "Audit", ({"kind": "figure", "figure": figure},))], "card")
    assert [part["kind"] for part in section.parts] == ["panels", "table", "table"]
