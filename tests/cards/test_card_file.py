"""What is no card is refused in one line, before anything is built from it."""

import time

import pytest

from riskmodels.cards.card import ModelCard
from riskmodels.cards.card_file import MOST_BYTES, parse_card_file
from riskmodels.errors import CardError
from tests.cards import example_card as example


def test_a_card_is_read_as_it_was_written() -> None:
    content = example.card().to_bytes()
    assert ModelCard.from_bytes(content).to_bytes() == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1, column 1: is not readable as JSON"),
        (b"not a card", "is not readable as JSON"),
        (b"\xff\xfe", "is not readable as JSON"),
        (b"[]", "is not a model card; name the card.json of a run"),
        (b"null", "is not a model card"),
        (b'{"study": "a", "study": "b"}', "the key 'study' stands twice"),
        (b'{"data": {"words": 1, "words": 1}}', "the key 'words' stands twice"),
        (b'{"n": NaN}', "NaN is not a number in JSON"),
        (b'{"n": -Infinity}', "-Infinity is not a number"),
        (b'{"n": 1e999}', "a number too large to be one"),
        (b'{"n": ' + b"9" * 5000 + b"}", "is not readable as JSON"),
        (b'{"text": "\\ud800"}', "half a character"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "nested deeper than 40"),
        (b"[" * 200_000, "nested deeper than 40"),
        (b'{"a":' * 200_000, "nested deeper than 40"),
        (b'"' + b"a" * MOST_BYTES + b'"', "is larger than 20,000,000 bytes"),
    ],
    ids=lambda value: value[:12].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_what_is_no_card_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(CardError, match=r"^card\.json") as caught:
        parse_card_file(content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_in_a_message_is_short_and_cannot_steer_a_terminal() -> None:
    content = b'{"\\u001b[2J' + b"x" * 1000 + b'": 1, "\\u001b[2J' + b"x" * 1000 + b'": 2}'
    with pytest.raises(CardError) as caught:
        parse_card_file(content)
    assert len(str(caught.value)) < 200
    assert "\x1b" not in str(caught.value)


def test_many_keys_are_no_trap() -> None:
    """Whether one stands twice is found in one pass: 200,000 keys take no longer than it takes to read them."""
    keys = ", ".join(f'"key {number}": 1' for number in range(200_000))
    start = time.process_time()
    with pytest.raises(CardError, match="'key 7' stands twice"):
        parse_card_file(f'{{{keys}, "key 7": 2}}'.encode())
    assert time.process_time() - start < 2
