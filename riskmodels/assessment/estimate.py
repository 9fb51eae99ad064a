"""A number with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A value with a 95% interval, made from ``n`` rows.

    ``value`` is None when it could not be computed; ``reason`` then says why. It is never 0 by default.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None or key == "value"}


def not_computed(reason: str, n: int | None = None) -> Estimate:
    return Estimate(None, n=n, reason=reason)
