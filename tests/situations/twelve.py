"""The twelve situations in which a toolkit that always produces a model goes wrong, and what the card must say first.

Each is a county of which the truth is known, and a study of it: sizes are such that what the situation says is true of
the data that the study sees, and not only of the process that drew them. To add one: a row of `SITUATIONS`.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from riskmodels.cards.card import ModelCard
from riskmodels.errors import LeakError

from .county import STUDY, County, run

STOPPED = "stopped"
ENOUGH = 11  # of twelve


@dataclass(frozen=True)
class Situation:
    """``right``: the right answer in words. The first line is right if its code is one of ``codes`` and it has all of
    ``says``. ``quick``: runs with the fast tests.
    """

    title: str
    county: County
    right: str
    codes: tuple[str, ...]
    says: tuple[str, ...]
    quick: bool = False


@dataclass(frozen=True)
class Answer:
    """What a run said first. The rest is there unless it was stopped; ``events``: outcomes known to have come."""

    code: str
    first_line: str
    seconds: float
    card: ModelCard | None = None
    model: dict[str, bytes] | None = None
    events: int | None = None

    def is_right(self, situation: Situation) -> bool:
        return self.code in situation.codes and all(words in self.first_line for words in situation.says)

    def whole_card(self) -> ModelCard:
        assert self.card is not None, self.first_line
        return self.card

    def block(self, name: str) -> str:
        return next(block.text for block in self.whole_card().summary.blocks if block.id == name)


SERVICE = {"outcome": {**STUDY["outcome"], "measures": "service"}}
PLAN_MEETINGS = {
    "facts": {**STUDY["facts"], "plan_meeting": {"in": "events", "kind": "plan_meeting"}},
    "features": [
        *STUDY["features"],
        {"name": "plan_meetings", "take": "count", "of": "plan_meeting", "last": "12 months", "words": "plan meetings"},
    ],
}
FOUR_ORIGINS = {"split": {"test": {"last": 4}, "calibrate": "later"}}
NEW_LAW = dt.date(2026, 4, 1)  # the day after the last outcome that the last test, of 1 October 2025, looks at

SITUATIONS: dict[str, Situation] = {
    "real_gain": Situation(
        "Real, stable gain over a simple rule",
        County(20_000, {"base_rate": 0.2}),
        "use, with the audit's conditions",
        ("use", "use_with_conditions"),
        ("does better than a simple rule", "help staff decide"),
    ),
    "one_column": Situation(
        "Sorting by one column does as well",
        County(6_000, {"signal": "one_column"}),
        "a simple rule does as well: use that",
        ("simple_rule",),
        ("A simple sort by concern score at reviews does as well", "use that"),
        quick=True,
    ),
    "tally": Situation(
        "A points tally does as well",
        County(10_000, {"signal": "tally", "base_rate": 0.15}),
        "use the tally",
        ("simple_rule",),
        ("points tally does as well", "use the tally"),
    ),
    "area": Situation(
        "The area alone does as well",
        County(10_000, {"signal": "place", "base_rate": 0.15}),
        "target areas, not people",
        ("simple_rule",),
        ("area alone does as well", "Target areas, not people"),
    ),
    "few_events": Situation(
        "8,000 children, 40 events",
        County(8_000, {"base_rate": 0.0013}),
        "too little data for a person-level model: a rule, areas, or pool with neighbours",
        ("too_little_data",),
        ("too little data", "named people", "simple rule", "areas", "pool data with neighbours"),
        quick=True,
    ),
    "contact": Situation(
        "The outcome is contact, recorded more for one group",
        County(
            10_000,
            {"outcome_recorded": dict.fromkeys(("White British", "White other", "Black", "Mixed", "Any other"), 0.6)},
            SERVICE,
        ),
        "verdicts provisional; says what the outcome misses",
        ("use_with_conditions", "simple_rule", "do_not_use"),
        ("contact with a service", "misses need that no service saw", "no verdict on fairness is final"),
    ),
    "unknown_outcomes": Situation(
        "Outcome unknown more often for those at risk",
        County(20_000, {"base_rate": 0.2, "moved": 0.12, "by_need": 1.0}),
        "bounds lead; no single precision figure",
        ("use_with_conditions", "simple_rule", "do_not_use"),
        ("known only within a range",),
    ),
    "leak": Situation(
        "A post-outcome leak makes it look perfect",
        County(4_000, {"leak": True}, PLAN_MEETINGS),
        "stopped",
        (STOPPED,),
        ("almost tells the outcome alone", "plan_meetings"),
        quick=True,
    ),
    "break": Situation(
        "A break after the last mature data",
        County(
            20_000,
            {"base_rate": 0.2, "break_on": NEW_LAW},
            {"breaks": [{"date": NEW_LAW.isoformat(), "what": "a new law on early help"}]},
        ),
        "never tested on the present; no live approval",
        ("use_with_conditions", "simple_rule", "do_not_use"),
        ("never tested on the present", "do not go live"),
    ),
    "decay": Situation(
        "Calibration decays over the origins",
        County(16_000, {"drift": 0.5, "drift_from": dt.date(2024, 4, 1)}, FOUR_ORIGINS),
        "not recommended without recalibration; shows the trend",
        ("do_not_use",),
        ("until its risks are corrected", "have become too low"),
    ),
    "missed_group": Situation(
        "One group is missed (recall ratio 0.6)",
        County(
            36_000, {"base_rate": 0.25, "under_recorded": {"Asian": 0.38}}, {**FOUR_ORIGINS, "capacity": {"share": 0.2}}
        ),
        "FAIL, group named in natural frequencies",
        ("do_not_use",),
        ("treats one group worse", "ethnic group: Asian"),
    ),
    "noise": Situation(
        "Pure noise",
        County(5_000, {"signal": "none"}),
        "do not use",
        ("do_not_use",),
        ("Do not use this", "no better than chance"),
        quick=True,
    ),
}  # fmt: skip


def run_and_read(county: County, seed: int) -> Answer:
    """Run a situation's study whole; read the first line of its card, or why it was stopped."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = run(county, Path(folder), seed)
        except LeakError as stopped:
            return Answer(STOPPED, str(stopped), time.perf_counter() - began)
    advice = found.card.summary.recommendation
    return Answer(
        advice.code,
        advice.headline,
        time.perf_counter() - began,
        found.card,
        found.model.to_files(),
        int(found.dataset.outcomes.frame["outcome"].sum()),
    )


def answer(name: str, seed: int = 1) -> Answer:
    """What the card of this situation says first, in the county of this seed. Each is run once."""
    return _kept(name, seed)


@cache
def _kept(name: str, seed: int) -> Answer:
    return run_and_read(SITUATIONS[name].county, seed)
