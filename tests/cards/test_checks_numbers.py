"""Every number of every rendering is the card's: pages read back, with wrong numbers planted."""

import copy
import dataclasses
import functools
import random
import sys
from typing import Any

import pytest

from riskmodels.cards.checks import CHECKS, Checked
from riskmodels.cards.checks.numbers import NUMERAL, PLACES, Held, foreign_numbers
from riskmodels.cards.reading_back import Block, PageTable, Written, read_html, read_markdown
from riskmodels.reports.visible import visible
from tests.cards import example_card as example

Card = dict[str, Any]


@functools.cache
def checked() -> Checked:
    return Checked(example.card().to_dict())


@functools.cache
def held() -> Held:
    return Held.of(visible(checked().card))


@pytest.mark.parametrize("name", list(checked().written))
def test_a_rendering_says_no_number_that_is_not_the_cards(name: str) -> None:
    assert foreign_numbers(checked().written[name], held()) == []


def bumped(text: str, draw: random.Random) -> str:
    """The text with one digit of one of its numbers changed, leaving out those that name a place on the page."""
    found = draw.choice(list(NUMERAL.finditer(PLACES.sub(lambda place: "x" * len(place[0]), text))))
    where = draw.choice([place for place in range(found.start(), found.end()) if text[place].isdigit()])
    return f"{text[:where]}{(int(text[where]) + draw.randint(1, 9)) % 10}{text[where + 1 :]}"


def numbered(text: str) -> bool:
    return bool(NUMERAL.search(PLACES.sub("", text)))


@pytest.mark.parametrize("name", list(checked().written))
def test_a_wrong_digit_in_a_sentence_is_found(name: str) -> None:
    draw = random.Random(7)
    blocks = [block for block in checked().written[name].blocks if numbered(block.text)]
    assert len(blocks) > 40
    missed = [
        wrong.text for block in blocks if held().has(wrong := dataclasses.replace(block, text=bumped(block.text, draw)))
    ]
    # A list's own number, such as "7." before a question, may turn into another's.
    assert len(missed) <= len(blocks) // 20, missed


@pytest.mark.parametrize("name", list(checked().written))
def test_a_wrong_digit_in_a_table_is_found(name: str) -> None:
    draw = random.Random(7)
    cells, missed = 0, []
    for table in checked().written[name].tables:
        for row in table.rows:
            for place, cell in enumerate(row):
                if numbered(cell):
                    cells += 1
                    wrong = PageTable(table.caption, [[*row[:place], bumped(cell, draw), *row[place + 1 :]]])
                    missed += [] if held().strangers(wrong) else [(table.caption, wrong.rows)]
    assert cells > 200
    assert len(missed) <= cells // 50, missed


def test_a_wrong_number_in_a_rendering_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.cards.checks import checked as module

    assert CHECKS["numbers"](checked())[0]
    render = module.render_card

    def wrong(*arguments: Any, **options: Any) -> bytes:
        return render(*arguments, **options).replace(b"61 needed help", b"62 needed help", 1)

    monkeypatch.setattr(module, "render_card", wrong)
    passed, words = CHECKS["numbers"](Checked(checked().card))
    assert not passed
    assert "62 needed help" in words


def test_a_number_that_stands_elsewhere_in_the_card_is_not_enough() -> None:
    """500 places, 3,100 people: each is the card's, and neither may take the other's place."""
    known = held()
    text = next(block["text"] for block in checked().card["summary"]["blocks"] if block["id"] == "missed")
    assert known.has(Block(text))
    assert "500" in text
    assert not known.has(Block(text.replace("500", "3,100")))
    assert not known.has(Block("500"))


@pytest.mark.parametrize(
    ("text", "is_the_cards"),
    [
        ("More in section 7.", True),
        ("Sections 3, 4 and 14", True),
        ("Of 100 people", True),
        ("Of 101 people", False),
        ("Nothing to count here", True),
    ],
)
def test_what_stands_on_every_page(text: str, is_the_cards: bool) -> None:
    assert held().has(Block(text)) is is_the_cards


def test_a_line_under_a_picture_has_its_picture_s_numbers() -> None:
    figure = next(one for one in checked().card["figures"] if one["id"] == "people_per_100")
    numbers = [row[1] for row in figure["table"]["rows"]]
    line = ", ".join(f"{number} of them" for number in numbers)
    assert held().has(Block(line, figure=figure["title"]))
    assert not held().has(Block(line))
    assert not held().has(Block(f"{numbers[0] + 1} of them", figure=figure["title"]))


def test_a_page_may_leave_columns_out_but_not_change_their_order() -> None:
    card: Card = {**copy.deepcopy(checked().card)}
    table = card["data"]["outcome_status"]
    table.update(columns=["Date", "Known", "Unknown"], rows=[["1 June", 120, 35], ["1 July", 140, 25]])
    known = Held.of(card)

    def strange(*row: str) -> list[str]:
        return known.strangers(PageTable(table["caption"], [list(row)]))

    assert not strange("1 June", "120", "35")
    assert not strange("1 June", "35")
    assert strange("1 June", "35", "120")
    assert strange("1 June", "140", "35")
    assert strange("1 June", "25")


def test_a_table_that_is_not_the_cards_may_say_its_sentences_only() -> None:
    question = checked().card["questions"][3]["answer"]
    assert not held().strangers(PageTable("Something else", [["An answer", question]]))
    assert held().strangers(PageTable("Something else", [["A count", "345"]]))


def test_markdown_is_read_as_it_is_seen() -> None:
    written = read_markdown(
        b"# A title\n\n**Counts**\n\n| Who | n |\n| --- | ---: |\n| A \\| B | 3,100 |\n\nSource: run.\n\n"
        b"- **Places**: 500 (source: study.yaml: capacity)\n- plain: 7 &amp; 8\n\n1986\\. It was so."
    )
    assert written == Written(
        [
            Block("A title", "h2"),
            Block("Counts"),
            Block("Source: run."),
            Block("500", "dd", "Places"),
            Block("plain: 7 & 8", "li"),
            Block("1986. It was so."),
        ],
        [PageTable("Counts", [["A | B", "3,100"]], ["Who", "n"])],
    )


def test_reading_a_large_page_asks_no_more_of_each_paragraph() -> None:
    def calls(paragraphs: int) -> int:
        made = 0

        def tally(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        page = b"<main>" + b"<p>Of 100 people, 35 needed help.</p>" * paragraphs + b"</main>"
        sys.setprofile(tally)
        try:
            read_html(page)
        finally:
            sys.setprofile(None)
        return made

    assert calls(4_000) < 4.5 * calls(1_000)
