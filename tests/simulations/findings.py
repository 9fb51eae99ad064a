"""What the simulations found, as one page of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from riskmodels.assessment.audit.verdicts import QUESTIONS
from tests.simulations.alarms import Alarms
from tests.simulations.attrition import MECHANISMS, Held
from tests.simulations.audit_worlds import WORLDS as AUDIT_WORLDS
from tests.simulations.audit_worlds import Foretold, Said, Tabled
from tests.simulations.coverage import STATISTICS, Coverage
from tests.simulations.schemes import Scheme
from tests.simulations.worlds import WORLDS

COMMAND = '.venv/bin/python -m pytest -q -m "slow or not slow" tests/simulations --full docs/simulations.md'
HEAD = f"""# Simulations

Do the intervals cover, do the bounds hold, and would another way of testing have said something else? Worlds whose
truth is known answer. Written by

    {COMMAND}

and by `make full`, which keeps it under the day's date. Every draw is seeded (numpy {np.__version__}).
"""
COVERAGE = """## Intervals

How often the 95% interval held the truth, over many samples. It *holds* between 93% and 97%. The truth is the figure of
a population of two million rows; of precision and recall it is that of the list at hand: the mean true risk of those
who were selected, and their share of all true risk. *The rule* is the same list of other people: of that no claim is
made, since where its last risk falls is chance as well. *At the limit*: fewer events or clusters than the intervals are
made for; reported, and held to 90%.
"""
BOUNDS = """## Unknown outcomes

People on up to four dates; a fifth to a quarter of the outcomes are lost, for one reason or another. *Bounds*: how
often they held what the same rows gave with every outcome known. *Known only* and *weighted*: how often the interval
of the rows with a known outcome, and the one with inverse-probability weights, held the truth. Weighting mends what
depends on risk, and nothing that depends on the outcome.
"""
ALARMED = """## False alarms

Slices of a cohort that are alike, and test dates that are, two of three people coming again: how often they are said to
differ, or to show a trend. It *holds* at no more than "at most", but for Monte-Carlo error: a trend is told by its 95%
interval, which is held to 93%, and to 90% at the limit. *Compared*: how often there were enough events in two parts to
ask. *Spread*: of the log odds.
"""
AUDITED = """## The audit

What the fairness audit says in worlds in which it is known who is treated worse (a base rate of 0.2, a recall of 0.40).
*False FAIL*: samples in which any group that is treated alike FAILs, against its reference or everybody else; at most
5%. *Intervals*: how often all of a family held the truth together: rates (treatment), calibration (meaning).
"""
FORETOLD = """What was forecast before there was a model (`riskmodels check`), and what came of it: the chance of a
PASS of a group that is treated alike, and of a FAIL of one whose ratio is 0.6 (1.67 where more is worse). Held to 5
points, and to 10 where the same people come again. *Rests on*: the people that the comparison counts. A calibration
slope needs 500, and half of the samples in which 500 are expected have fewer.
"""
TABLED = """The policy's own table: of fair groups with so many positives (recall 0.40, 2,000 in the reference), how
often the plain ratio lies outside the band, and how often the interval rule gives a PASS.
"""
SCHEMES = """## Ways of testing

A county of 8,000 children with a lasting frailty that nobody sees; the same rows, features and learner (LightGBM) for
every way of testing. *What came true* is the service model on the year after the extract. Errors are those of the AUC.
"""


@dataclass
class Findings:
    """Filled by the tests as they run."""

    coverage: list[Coverage] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    alarms: list[Alarms] = field(default_factory=list)
    audits: list[Said] = field(default_factory=list)
    foretold: list[Foretold] = field(default_factory=list)
    tabled: list[Tabled] = field(default_factory=list)
    schemes: dict[int, tuple[Scheme, tuple[Scheme, ...]]] = field(default_factory=dict)

    def page(self) -> str:
        """The whole page; a part that did not run is left out."""
        parts = [HEAD]
        if self.coverage:
            parts += [COVERAGE, _worlds(), _coverage(self.coverage)]
        if self.held:
            parts += [BOUNDS, _held(self.held)]
        if self.alarms:
            parts += [ALARMED, _alarms(self.alarms)]
        if self.audits:
            parts += [AUDITED, _audits(self.audits)]
        if self.foretold:
            parts += [FORETOLD, _foretold(self.foretold)]
        if self.tabled:
            parts += [TABLED, _tabled(self.tabled)]
        if self.schemes:
            parts += [SCHEMES, _schemes(self.schemes)]
        return "\n".join(parts)


def _worlds() -> str:
    return _table(("world", "who", "note"), ((n, w.words, "at the limit" * w.at_the_limit) for n, w in WORLDS.items()))


def _coverage(found: list[Coverage]) -> str:
    head = ("statistic", "world", "rows", "clusters", "samples", "coverage", "Monte-Carlo error", "holds", "note")
    return _table(
        head,
        (
            (
                STATISTICS[one.statistic].words, one.world, f"{one.rows:.0f}", f"{one.clusters:.0f}", one.replicates,
                f"{one.share:.1%}", f"{one.error:.1%}", _yes(one.holds), _promised(one),
            )
            for one in found
        ),
    )  # fmt: skip


def _promised(one: Coverage) -> str:
    if not STATISTICS[one.statistic].claimed:
        return "not claimed"
    return "at the limit" * WORLDS[one.world].at_the_limit


def _held(found: list[Held]) -> str:
    head = (
        "lost outcomes depend on",
        "unknown",
        "figure",
        "samples",
        "bounds",
        "their width",
        "known only",
        "weighted",
    )
    return _table(
        head,
        (
            (
                MECHANISMS[one.mechanism].words, f"{one.unknown:.0%}", STATISTICS[one.figure].words, one.replicates,
                f"{one.bounds / one.replicates:.1%}", f"{one.width:.2f}", f"{one.plain / one.replicates:.1%}",
                f"{one.weighted / one.replicates:.1%}",
            )
            for one in found
        ),
    )  # fmt: skip


def _alarms(found: list[Alarms]) -> str:
    return _table(
        ("parts", "how many", "events each", "measure", "spread", "samples", "compared", "alarms", "at most", "holds"),
        (
            (
                one.kind, one.alike.parts, one.alike.events, STATISTICS[one.measure].words, one.alike.spread,
                one.replicates, one.compared, f"{one.share:.1%}", f"{one.alike.most:.0%}", _yes(one.holds),
            )
            for one in found
        ),
    )  # fmt: skip


def _audits(found: list[Said]) -> str:
    return _table(
        ("world", "samples", "false FAIL", "holds", "intervals: treatment", "intervals: meaning"),
        (
            (
                AUDIT_WORLDS[one.world].words, one.samples, f"{one.alarms / one.samples:.1%}", _yes(one.holds),
                *(f"{one.held[question] / one.samples:.1%}" for question in QUESTIONS),
            )
            for one in found
        ),
    )  # fmt: skip


def _foretold(found: list[Foretold]) -> str:
    return _table(
        ("world", "comparison", "rests on", "verdict", "samples", "forecast", "found", "holds"),
        (
            (
                AUDIT_WORLDS[one.world].words, one.metric, f"{one.rests_on:.0f}", one.verdict, one.samples,
                f"{one.chance:.0%}", f"{one.count / one.samples:.1%}", _yes(one.holds),
            )
            for one in found
        ),
    )  # fmt: skip


def _tabled(found: list[Tabled]) -> str:
    return _table(
        ("positives", "samples", "outside the band", "published", "PASS", "published"),
        (
            (
                one.positives, one.samples, f"{one.outside:.1%}", f"{one.published[0]:.1%}", f"{one.passed:.1%}",
                f"{one.published[1]:.0%}",
            )
            for one in sorted(found, key=lambda one: one.positives)
        ),
    )  # fmt: skip


def _schemes(found: dict[int, tuple[Scheme, tuple[Scheme, ...]]]) -> str:
    rows = []
    for seed, (truth, schemes) in found.items():
        for one in (truth, *schemes):
            error = "" if one is truth else f"{_value(one.auc.value) - _value(truth.auc.value):+.3f}"
            auc = f"{_value(one.auc.value):.3f} ({_value(one.auc.low):.3f} to {_value(one.auc.high):.3f})"
            rows.append((seed, one.name, auc, error, f"{_value(one.oe_ratio.value):.2f}"))
    return _table(("seed", "way of testing", "AUC", "error", "O/E"), rows)


def _value(number: float | None) -> float:
    return float("nan") if number is None else number


def _yes(holds: bool) -> str:
    return "yes" if holds else "**no**"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
