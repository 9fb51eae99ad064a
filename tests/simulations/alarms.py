"""How often parts that are alike are said to differ, and dates that are alike to show a trend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.intervals import Floats, clusters_of
from riskmodels.assessment.over_time import assess_over_time
from riskmodels.assessment.ranked_rows import RankedRows
from riskmodels.assessment.slices import assess_slices
from riskmodels.study import Period
from tests.simulations.coverage import BY_CHANCE, LEAST, LEAST_AT_THE_LIMIT
from tests.simulations.worlds import stream

NOMINAL = 0.05
RATE, LISTED = 0.1, 0.1
MEASURES = ("auc", "oe_ratio")


@dataclass(frozen=True)
class Alike:
    """So many parts of equally many rows, with so many events to be expected of each; ``spread`` of the log odds.

    ``most``: how often they may be said to differ. A trend is told by its 95% interval, and may as often as intervals
    may miss (`coverage.LEAST`, at the limit `LEAST_AT_THE_LIMIT`).
    """

    parts: int
    events: int
    spread: float = 0.9
    most: float = NOMINAL


SLICES = (Alike(10, 25, 2.0), Alike(24, 8), Alike(24, 15), Alike(24, 43), Alike(100, 8), Alike(100, 25, 2.0))
DATES = (
    Alike(6, 10, most=1 - LEAST),
    Alike(6, 25, most=1 - LEAST),
    Alike(6, 25, 2.0, most=1 - LEAST_AT_THE_LIMIT),
)


@dataclass(frozen=True)
class Alarms:
    """How many of so many samples were said to differ; ``compared`` counts those in which it was asked at all."""

    kind: str
    measure: str
    alike: Alike
    replicates: int
    compared: int
    alarms: int

    @property
    def share(self) -> float:
        return self.alarms / self.replicates

    @property
    def holds(self) -> bool:
        """As seldom as it must be, or so little oftener that chance brings them once in a thousand times or oftener."""
        from scipy.stats import binom

        return bool(binom.sf(self.alarms - 1, self.replicates, self.alike.most) >= BY_CHANCE)


def _rows(risk: Floats, rng: np.random.Generator, dates: Floats, part: Floats, people: Floats | None) -> RankedRows:
    """Outcomes drawn from the risks themselves, so that all parts are alike, and a list on each date."""
    n = risk.size
    outcome = (rng.random(n) < risk).astype(np.float64)
    rank, ranked = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for here in (part == number for number in np.unique(part)):
        rank[here], ranked[here] = np.argsort(np.argsort(-risk[here])) + 1, here.sum()
    units = None if people is None else clusters_of(people, n)
    return RankedRows(outcome, np.ones(n, dtype=bool), risk, rank <= LISTED * ranked, rank, ranked, dates, units)


def _risk(linear: Floats) -> Floats:
    return 1 / (1 + np.exp(-(np.log(RATE / (1 - RATE)) + linear)))


def _slices(alike: Alike, rng: np.random.Generator) -> dict[str, str]:
    """Measure -> verdict of one sample of slices that are alike."""
    n = round(alike.parts * alike.events / RATE)
    risk = _risk(alike.spread * rng.normal(size=n) - alike.spread**2 / 4)
    rows = _rows(risk, rng, np.full(n, np.datetime64("2020-01-01")), np.zeros(n), None)
    (found,) = assess_slices(rows, {"part": np.arange(n) % alike.parts}).slices
    return {measure: found["spread"][measure]["verdict"] for measure in MEASURES}


def _dates(alike: Alike, rng: np.random.Generator) -> dict[str, str]:
    """Measure -> verdict of one sample of test dates that are alike, on which two of three people come again."""
    each = round(alike.events / RATE)
    part = np.repeat(np.arange(alike.parts), each)
    people = np.concatenate([rng.permutation(each * 3 // 2)[:each] for _ in range(alike.parts)])
    frailty = rng.normal(size=each * 3 // 2)[people]
    linear = alike.spread * (0.8 * frailty + 0.6 * rng.normal(size=part.size)) - alike.spread**2 / 4
    days = np.array([np.datetime64(dt.date(2018, 1, 1) + dt.timedelta(182 * number)) for number in range(alike.parts)])
    rows = _rows(_risk(linear), rng, days[part], part, people)
    trends = assess_over_time(rows, (), Period(6, "month"), Period(12, "month"), (0.8, 1.25)).trends
    return {row["metric"]: row["verdict"] for row in trends if row["metric"] in MEASURES}


KINDS: dict[str, tuple[tuple[Alike, ...], Callable[[Alike, np.random.Generator], dict[str, str]]]] = {
    "slices": (SLICES, _slices),
    "dates": (DATES, _dates),
}
ALARMS = ("more than chance", "rises", "falls")
CASES = [(kind, alike) for kind, (cases, _) in KINDS.items() for alike in cases]


def simulate(kind: str, alike: Alike, replicates: int) -> list[Alarms]:
    """Draw so many samples in which nothing differs, and count what is said of each measure."""
    draw = KINDS[kind][1]
    name = f"{kind} {alike.parts} {alike.events} {alike.spread}"
    said = [draw(alike, stream(name, "alarms", number)) for number in range(replicates)]
    verdicts = {measure: [one[measure] for one in said] for measure in MEASURES}
    return [
        Alarms(
            kind, measure, alike, replicates,
            sum(verdict != "not computed" for verdict in found), sum(verdict in ALARMS for verdict in found),
        )
        for measure, found in verdicts.items()
    ]  # fmt: skip
