"""The first use of an explained word leads to its meaning and back; what people wrote stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from riskmodels.reports.glossary import GLOSSARY, explained, terms_in
from riskmodels.reports.parts import Part, Section, bullets, glossary, table, texts, with_words
from riskmodels.reports.terms import place, with_terms
from tests.reports.test_page import EVIL

WORDS = {"Recall": "the share on the list", "DPIA": "an assessment", "Break": "a day of change"}


def made(*parts: Part, words: dict[str, str] = WORDS) -> list[str]:
    """The first section's parts as they are written, beside a section that explains words."""
    sections = (Section(1, "One", parts), Section(2, "Two", tuple(glossary(words))))
    return [str(part) for part in with_terms(sections)[0].parts]


def fact(value: Any) -> Part:
    return {
        "kind": "facts",
        "facts": [{"label": "When", "value": value, "owner": "", "source": "", "from": ""}],
        "note": "",
    }


# ---------------------------------------------------------------- which words a text uses


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("the RECALL of a list", ["Recall"]),
        ("Average precision, then precision", ["Average precision", "Precision"]),
        ("calibration in the large", ["Calibration in the large"]),
        ("intervals, an interval", ["Interval"]),
        ("O/E, or observed to expected", ["Observed to expected (O/E)"]),
        ("TRIPOD+AI and A&E", ["TRIPOD+AI", "A&E"]),
        ("two DPIAs", ["DPIA"]),
        # Not words of the glossary: parts of other words, and short forms that are not written as such.
        ("recalled, precision-made, auc, aa, breakfast, LGPLx", []),
        ("", []),
    ],
)
def test_terms_of_a_text(text: str, terms: list[str]) -> None:
    assert terms_in(text) == terms


def test_every_term_finds_itself_and_only_itself() -> None:
    for term in GLOSSARY:
        assert terms_in(term)[0] == term
        assert terms_in(f"({term})")[0] == term


def test_the_glossary_is_in_the_order_of_the_alphabet_with_a_place_for_each() -> None:
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.lower)
    assert len({place(term) for term in GLOSSARY}) == len(GLOSSARY)
    assert all(re.fullmatch(r"word-[a-z0-9-]+", place(term)) for term in GLOSSARY)


def test_words_that_an_explanation_takes_are_explained_too() -> None:
    assert set(explained(["Cohort"])) >= {"Cohort", "As-of date"}
    assert list(explained(["DPIA"])) == ["DPIA"]
    assert explained([]) == {}


def test_a_page_explains_the_words_that_it_uses_and_no_others() -> None:
    sections = with_words([Section(1, "One", tuple(texts(["Its recall."]))), Section(2, "Two", tuple(glossary({})))])
    assert [term for term, _ in sections[1].parts[1]["terms"]] == ["Recall"]


# ---------------------------------------------------------------- links


def test_the_first_use_in_a_section_is_a_link_and_the_next_is_not() -> None:
    first, second = made(*texts(["The recall.", "Recall again."]))
    assert first.count('<a class="term" href="#word-recall" id="use-1-recall">recall</a>') == 1
    assert "<a" not in second


def test_a_folded_table_counts_for_itself_and_names_are_given_once() -> None:
    content = {"caption": "A", "columns": ["Who", "Recall"], "rows": [["x", 1]], "source": "run", "note": None}
    text, folded, open_one = made(*texts(["Recall."]), table(content, fold=True), table(content))
    assert "use-1-recall" in text
    assert '<a class="term" href="#word-recall">Recall</a>' in folded
    assert "<a" not in open_one


def test_the_meaning_leads_back_to_each_section() -> None:
    sections = (
        Section(1, "One", tuple(texts(["Recall."]))),
        Section(2, "Two", tuple(bullets(["Recall", "none"]))),
        Section(3, "Three", tuple(glossary(WORDS))),
    )
    found = with_terms(sections)[2].parts[1]["uses"]
    assert found == {"Recall": [(1, "use-1-recall"), (2, "use-2-recall")]}


def test_in_an_answer_short_forms_are_links_and_everyday_words_are_not() -> None:
    (answer,) = made(fact("After the spring break, recall our DPIA of 2026-03-11."))
    assert "word-dpia" in answer
    assert "word-break" not in answer
    assert "word-recall" not in answer
    assert "11 March 2026" in answer
    (ours,) = made(*texts(["A break in the records."]))
    assert "word-break" in ours


@pytest.mark.parametrize("wrap", [lambda text: texts([text])[0], fact])
def test_what_stands_around_a_link_is_escaped(wrap: Any) -> None:
    (part,) = made(wrap(f"{EVIL} DPIA {EVIL}"))
    assert "word-dpia" in part
    assert "<script" not in part
    assert "&lt;script" in part


def test_our_words_link_to_sections_and_an_act_in_an_answer_does_not() -> None:
    for said, links in (("See section 2.", 1), ("Section 2 has more.", 1), ("section 9", 0), ("section 1", 0)):
        assert made(*texts([said]))[0].count("<a ") == links
    assert "<a " not in made(fact("under section 2 of the Act"))[0]
    assert "<a " not in made(*texts(["under section 2 of the Act"]))[0]
    assert '#section-2"' in made(fact("We ask. (More in section 2.)"))[0]


def test_a_page_that_explains_nothing_has_no_links() -> None:
    sections = (Section(1, "One", tuple(texts(["Recall. See section 2."]))),)
    assert with_terms(sections) == sections


def test_a_column_that_is_not_shown_has_no_name_to_go_back_to() -> None:
    rows = [["x", "the same words for all"], ["y", "the same words for all"], ["z", "the same words for all"]]
    content = {"caption": "A", "columns": ["Who", "Recall"], "rows": rows, "source": "run", "note": None}
    empty = {**content, "rows": []}
    for one in (content, empty):
        sections = (Section(1, "One", (table(one),)), Section(2, "Two", tuple(glossary(WORDS))))
        assert with_terms(sections)[1].parts[1]["uses"] == {}
