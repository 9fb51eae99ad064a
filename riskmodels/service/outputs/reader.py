"""A batch as one role reads it: with reasons in words, and without what the register does not show to that role."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from riskmodels.data.service_rules import CLOSE_THE_HOUSEHOLD
from riskmodels.models.places import HOUSEHOLD, HOUSEHOLD_CLOSED, NO_TEAM, NOT_REACHED
from riskmodels.models.reasons import RULE_WITHHELD, reason_words, rule_words, shown_to
from riskmodels.models.risk_model import RiskModel
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.outputs.facts import Tally
from riskmodels.service.shapes import SCORED_SCHEMA, WORDS, Slice
from riskmodels.study import Study

if TYPE_CHECKING:
    from riskmodels.service.batch import ScoredBatch

SOURCE_WITHHELD = "a source your team may not see"
CLOSED = str(BECAUSE[HOUSEHOLD_CLOSED])


class Reader:
    """What one role reads; without a role, what everybody may who sees the list.

    Attributes
    ----------
    rules : what the role is told of each of the study's service rules
    closed : what it is told of whom a rule about somebody else of the household leaves alone
    """

    def __init__(self, model: RiskModel, study: Study, role: str | None) -> None:
        self.model, self.study = model, study.file
        self.shown = shown_to(role, model.reasons, study)
        # Where time runs from each one's own start, the day of a fact is not one of the calendar.
        self.dated = study.file.clock == "calendar"
        self.rules = rule_words(role, study)
        told = list(zip(study.file.service_rules, self.rules, strict=True))
        closing = {words for rule, words in told if rule.kind in CLOSE_THE_HOUSEHOLD}
        # Else the words alone would say that there is such a rule.
        self.closed = RULE_WITHHELD if closing == {RULE_WITHHELD} else CLOSED
        sources = study.register.sources.items()
        self._hidden = [
            name for name, entry in sources if entry.may_show_to is not None and role not in entry.may_show_to
        ]
        self._instead = {rule.because: words for rule, words in told if words != rule.because}
        if self.closed != CLOSED:
            self._instead[CLOSED] = self.closed

    def rows(self, piece: Slice) -> pl.DataFrame:
        """The slice as the scored file has it."""
        frame = piece.frame
        if self._instead:
            frame = frame.with_columns(pl.col("not_listed_because").replace(self._instead))
        words = reason_words(self.model, piece.codes, self.shown, dated=self.dated)
        if piece.explained.all():
            return frame.with_columns(words[name].alias(name) for name in WORDS).select(list(SCORED_SCHEMA))
        if not piece.explained.any():
            return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in WORDS).select(
                list(SCORED_SCHEMA)
            )
        where = np.full(frame.height, -1, dtype=np.int64)
        where[piece.explained] = np.arange(len(piece.codes))
        places = pl.Series(where).replace(-1, None)
        return frame.with_columns(words[name].gather(places).alias(name) for name in WORDS).select(list(SCORED_SCHEMA))

    def notes(self, notes: Iterable[str]) -> tuple[str, ...]:
        """Notes on the sources, without the names of those that may not be shown."""
        return tuple(
            reduce(lambda said, name: re.sub(rf"\b{re.escape(name)}\b", SOURCE_WITHHELD, said), self._hidden, note)
            for note in notes
        )

    def excluded(self, batch: ScoredBatch) -> list[Tally]:
        """Whom each rule left off, and whom it left off with them; of the rules that are withheld one count, and
        nobody who answers for them: a count of each would tell their people apart."""
        told, hidden = [], []
        for rule, words, count in zip(self.study.service_rules, self.rules, batch.excluded_by_rule, strict=True):
            if words == RULE_WITHHELD:
                hidden.append(count)
            else:
                told.append(Tally(words, count, rule.kind, rule.owner))
        if closed := batch.counts["household_closed"]:
            if self.closed == RULE_WITHHELD:
                hidden.append(closed)
            else:
                told.append(Tally(self.closed, closed))
        return [*told, Tally(RULE_WITHHELD, sum(hidden))] if hidden else told

    def left_off(self, batch: ScoredBatch) -> dict[str, int]:
        """Why people are not listed -> how many; each person once."""
        found = {str(BECAUSE[NOT_REACHED]): batch.counts["not_reached"]}
        for tally in self.excluded(batch):
            found[tally.words] = found.get(tally.words, 0) + tally.count
        for code, name in ((HOUSEHOLD, "household"), (NO_TEAM, "no_team")):
            if batch.counts[name]:
                found[str(BECAUSE[code])] = batch.counts[name]
        return found
