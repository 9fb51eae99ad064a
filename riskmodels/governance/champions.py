"""Which model scores: the champion, as the record says on any day. It is derived, never stored: it cannot disagree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
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
    """The champion to go back to: the last other model or card before this one that was not withdrawn since.

    What was gone back from is not gone back to: a rollback that is done twice does not undo itself.
    """
    before: list[Reign] = []
    for reign, line in _with_withdrawals(chain):
        if reign is None:
            before = [one for one in before if one.began.model_sha256 != line.model_sha256]
            continue
        if reign.promotion.rollback:
            while before and before[-1].digests != reign.digests:
                before.pop()
        before.append(reign)
    now = champion(chain)
    return next((one for one in reversed(before) if now is None or one.digests != now.digests), None)


def _with_withdrawals(chain: Sequence[Record]) -> Iterator[tuple[Reign | None, Record]]:
    """Every promotion with the reign that it began, and every withdrawal with None, in order."""
    began = {reign.began.seq: reign for reign in reigns(chain)}
    for line in chain:
        if isinstance(line.act, Promotion | Withdrawal):
            yield began.get(line.seq), line
