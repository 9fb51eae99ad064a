"""Which model scores: the champion, as the record says on any day. It is derived, never stored: it cannot disagree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodels.governance.acts import Promotion, Withdrawal
from riskmodels.governance.chain import Record


@dataclass(frozen=True)
class Reign:
    """How long one model was champion. ``ended`` is the record that ended it; None while it lasts."""

    began: Record
    ended: Record | None = None

    @property
    def promotion(self) -> Promotion:
        assert isinstance(self.began.act, Promotion)
        return self.began.act

    @property
    def digests(self) -> tuple[str, str]:
        return self.began.model_sha256, self.began.card_sha256


def reigns(chain: Sequence[Record]) -> list[Reign]:
    """Every champion in order. A reign ends with the next promotion, or with the withdrawal of its model."""
    found: list[Reign] = []
    for line in chain:
        lasting = found[-1] if found and found[-1].ended is None else None
        ends = isinstance(line.act, Promotion) or (
            isinstance(line.act, Withdrawal) and lasting is not None and line.model_sha256 == lasting.began.model_sha256
        )
        if lasting is not None and ends:
            found[-1] = Reign(lasting.began, line)
        if isinstance(line.act, Promotion):
            found.append(Reign(line))
    return found


def champion(chain: Sequence[Record], on: dt.date | None = None) -> Reign | None:
    """Who was champion at the end of a day; today's where none is given."""
    so_far = chain if on is None else [line for line in chain if line.recorded_on <= on]
    found = reigns(so_far)
    return found[-1] if found and found[-1].ended is None else None


def previous(chain: Sequence[Record]) -> Reign | None:
    """The champion to go back to: the last other model or card that was one and was not withdrawn since."""
    now = champion(chain)
    withdrawn: set[str] = set()
    for line in chain:
        if isinstance(line.act, Withdrawal):
            withdrawn.add(line.model_sha256)
        elif isinstance(line.act, Promotion):
            withdrawn.discard(line.model_sha256)
    for reign in reversed(reigns(chain)):
        if reign.began.model_sha256 not in withdrawn and (now is None or reign.digests != now.digests):
            return reign
    return None
