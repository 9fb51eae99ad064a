"""Page one stays a page, however much there is to say."""

import functools
from typing import Any

from riskmodels.cards.card import Recommendation
from riskmodels.cards.summary import FEWEST_ANSWER_WORDS, MOST_WORDS, WHERE_MORE, build_summary, page_one_text
from riskmodels.cards.words import language_of, word_count
from tests.cards import example_card as example


@functools.cache
def results() -> dict[str, Any]:
    card = example.card().to_dict()
    return {"performance": card["performance"], "audit": card["audit"]}


def made(filler: int) -> str:
    """Page one of the example, with so many words of reasons, and two answers of a dozen words."""
    study = example.study(
        answers={
            "ask": {"owner": "Head", "text": "May the team use this list as a pilot for a year?"},
            "cannot_see": {"owner": "Head", "text": "It sees what was written down, not what goes on at home."},
        }
    )
    summary = build_summary(
        study,
        language_of(study.file),
        Recommendation(code="use", headline="Use it.", reasons=("word " * filler,)),
        results(),
        column=None,
        harms=(),
        unlinked=f"Less is known.{WHERE_MORE}",
    )
    return page_one_text(summary.model_dump())


def test_where_there_is_more_is_said_while_there_is_room() -> None:
    assert WHERE_MORE in made(0)


def test_a_full_page_leaves_it_out() -> None:
    room = next(filler for filler in range(300) if WHERE_MORE not in made(filler))
    assert word_count(made(room)) <= MOST_WORDS
    # With the sentence in, the two answers would no longer have had the words that they are always given.
    assert word_count(made(room - 1)) > MOST_WORDS - 2 * FEWEST_ANSWER_WORDS
