"""How far the work is, in words: rows a second, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 1.0  # seconds between two words


class Pace:
    """Says how many rows are done, at most once a second. Only one thread may count."""

    def __init__(
        self, doing: str, rows: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._doing, self._rows, self._say, self._clock = doing, rows, say, clock
        self._done = self._kept = 0
        self._began = self._said = clock()

    def keep(self, rows: int) -> None:
        """Count rows that an earlier run has done: they say nothing of how fast this one is."""
        self._kept += rows

    def add(self, rows: int) -> None:
        self._done += rows
        now = self._clock()
        done = self._kept + self._done
        if now - self._said < EVERY and done < self._rows:
            return
        self._said = now
        rate = self._done / max(now - self._began, 1e-6)
        left = (self._rows - done) / rate if rate else 0.0
        rest = f", about {in_words(left)} left" if done < self._rows else ""
        self._say(f"{self._doing}: {done:,} of {self._rows:,} rows, {rate:,.0f} a second{rest}")


def in_words(seconds: float) -> str:
    """40 seconds, 3 minutes, 2.5 hours."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
