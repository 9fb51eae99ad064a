from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from riskmodels.service.batch.ahead import ahead


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_gives_the_same_items(threads: int, count: int) -> None:
    assert list(ahead(range(count), threads)) == list(range(count))
    assert list(ahead([None] * count, threads)) == [None] * count


def test_the_next_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in ahead(items(), 2):
        if number < 2:
            assert made[number + 1].wait(10)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_goes_wrong_comes_when_its_turn_comes(threads: int) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    found = ahead(items(), threads)
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)
