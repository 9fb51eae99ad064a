"""A county that does not exist: dated records of children whose risk is known exactly.

Everything here is drawn from a seed. No real person, place or record went into it. It serves two ends: an example that
can be shown to anybody, and tests that know the right answer.

**The process.** Time runs in quarters, from `START` to `EXTRACTED_ON`. Each child has a *need* in each quarter, on a
scale where 1 is about one standard deviation across children::

    need = ward + household + own + deprivation and disability    (do not change)
         + moving part: AR(1) from quarter to quarter, correlation `PHI`

- Agencies write down *facts*: of each kind Poisson with mean ``per_quarter * exp(load * need)`` for each child and
  quarter (`KINDS`). Rent arrears belong to a household and stand against each of its children.
- A *review* gives a concern score from 0 to 10: ``4 + 1.5 * (need + error)``.
- The *outcome*, a case with a social worker, starts with the hazard ``exp(level + hazard * need + frailty + age)`` per
  quarter. Frailty is the child's own, lasts, and shows in nothing else. A case stays open for 60 to 365 days, and no
  other starts meanwhile.
- Families move away, and children miss reviews, more often where need is high: then an outcome can be unknown.
- A fact happens on one day and is *known* some days later: exponential, and for 4% of facts 30 to 150 days more. What
  was not known by the extract is not in the tables.

Ethnic group and sex change neither need nor hazard: a gap between such groups comes from what was written down.
`riskmodels.data.synthetic_process` draws all this; `Knobs` (in `riskmodels.data.synthetic_knobs`) says what can be set.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.data.synthetic_knobs import (
    DAYS,
    EDGES,
    ETHNICITY,
    EXTRACTED_ON,
    KINDS,
    PHI,
    QUARTERS,
    SIGNALS,
    START,
    YEAR,
    Knobs,
)
from riskmodels.data.synthetic_process import Facts, Truth, draw_facts, draw_truth
from riskmodels.errors import DataError
from riskmodels.study import Period

__all__ = [
    "ETHNICITY", "EXTRACTED_ON", "FIFTHS", "KINDS", "SIGNALS", "START", "County", "Knobs", "make_county", "true_risk",
    "write_county",
]  # fmt: skip

FIFTHS = ("most deprived fifth", "second fifth", "third fifth", "fourth fifth", "least deprived fifth")
LINKED_AGENCIES = ("police", "housing", "health")  # those whose records have to be matched to the council's
LATE_SHARE = 0.04
NOT_GIVEN = {"ethnicity": 0.02, "disability": 0.06}  # shares of children


@dataclass(frozen=True, eq=False)
class County:
    """The tables that a council would extract, and the truth behind them.

    ``people``: entity_id, born_on, household_id, ward, followed_until, police_linked, housing_linked, health_linked.
    ``events``: entity_id, happened_on, known_on, kind, value.
    ``equality``: entity_id, known_on, sex, ethnicity, disability, deprivation.
    """

    people: pl.DataFrame
    events: pl.DataFrame
    equality: pl.DataFrame
    knobs: Knobs
    truth: Truth


def make_county(people: int = 6000, seed: int = 1, **knobs: Any) -> County:
    """A county of so many children, the same for the same arguments. `Knobs` lists what can be set.

    Raises
    ------
    UsageError
        if a knob is out of range, or names an unknown signal or group.
    """
    settings = Knobs(people, seed, **knobs)
    truth = draw_truth(settings)
    linked = {name: settings.rng(f"link {name}").random(people) >= settings.unlinked for name in LINKED_AGENCIES}
    events = [_written_down(facts, truth, linked, settings) for facts in draw_facts(truth, settings)]
    return County(
        people=_people(truth, linked),
        events=pl.concat(events).sort("happened_on", "entity_id", "kind", "known_on", "value"),
        equality=_equality(truth, settings),
        knobs=settings,
        truth=truth,
    )


def write_county(folder: Path, county: County, entity: str = "entity_id") -> None:
    """Write ``people.parquet``, ``events.parquet`` and ``equality.parquet``; ``entity`` names the column of ids.

    Raises
    ------
    OutsideError
        if the folder cannot be written.
    """
    for name in ("people", "events", "equality"):
        table = getattr(county, name).rename({"entity_id": entity})
        storage.write_whole(Path(folder) / f"{name}.parquet", storage.table_bytes(table, ".parquet"))


def true_risk(county: County, dates: Iterable[dt.date], horizon: Period) -> pl.DataFrame:
    """The probability that a case starts in [as_of, as_of + horizon), for each child here and under 18 on the day.

    It is the risk of a child who has no open case and stays: ``1 - E[exp(-sum of hazards)]``, given all that is true of
    the child the day before, and averaged over the need still to come (128 draws, shared by all). Days after the 18th
    birthday do not count. No model can rank better.

    Returns
    -------
    frame with entity_id, as_of_date, true_risk, sorted by date and id

    Raises
    ------
    DataError
        if a date and its horizon are not inside the county's years.
    """
    half = np.random.default_rng(0).standard_normal((64, QUARTERS))
    draws = np.concatenate([half, -half])
    frames = []
    for as_of in dates:
        first, last = (as_of - START).days, (horizon.after(as_of) - START).days
        if first < 1 or last > DAYS:
            raise DataError(f"true_risk: {as_of} with a horizon of {horizon} is not between {START} and {EXTRACTED_ON}")
        here = (county.truth.children.here_from <= first) & (first < county.truth.until)
        survival = np.mean([np.exp(-_hazards(county, here, first, last, draw)) for draw in draws], axis=0)
        frame = pl.DataFrame({"entity_id": county.truth.entity_id[here], "true_risk": 1 - survival})
        frames.append(frame.select("entity_id", pl.lit(as_of).alias("as_of_date"), "true_risk").sort("entity_id"))
    return pl.concat(frames)


def _hazards(county: County, here: np.ndarray, first: int, last: int, news: np.ndarray) -> np.ndarray:
    """The hazards of the days [first, last) added up, if the quarters to come bring this news of need."""
    truth, signal = county.truth, SIGNALS[county.knobs.signal]
    ends = np.minimum(last, truth.children.adult[here])
    now = int(np.searchsorted(EDGES, first - 1, side="right")) - 1
    moving, total = truth.moving[here, now], np.zeros(int(here.sum()))
    for quarter in range(now, int(np.searchsorted(EDGES, last))):
        if quarter > now:
            moving = PHI * moving + signal.news * news[quarter]
        days = np.minimum(ends, EDGES[quarter + 1]) - max(first, EDGES[quarter])
        share = np.maximum(days, 0) / (EDGES[quarter + 1] - EDGES[quarter])
        total += share * np.exp(truth.level[here, quarter] + signal.hazard * moving)
    return total


# ---------------------------------------------------------------- the tables


def _written_down(facts: Facts, truth: Truth, linked: Mapping[str, np.ndarray], knobs: Knobs) -> pl.DataFrame:
    """The facts of one kind that reached the extract, each with the day on which it was known."""
    rng, n = knobs.rng(f"known {facts.kind}"), len(facts.who)
    lag = (rng.exponential(facts.lag, n) + (rng.random(n) < LATE_SHARE) * rng.integers(30, 151, n)).astype(int)
    known = facts.day + lag * (facts.lag > 0)
    keep = (rng.random(n) >= facts.missed[truth.children.ethnicity[facts.who]]) & (known < DAYS)
    if facts.agency in linked:
        keep &= linked[facts.agency][facts.who]
    return pl.DataFrame(
        {
            "entity_id": truth.entity_id[facts.who[keep]],
            "happened_on": _dates(facts.day[keep]),
            "known_on": _dates(known[keep]),
            "kind": np.full(int(keep.sum()), facts.kind),
            "value": facts.value[keep],
        }
    ).with_columns(pl.col("value").fill_nan(None))


def _people(truth: Truth, linked: Mapping[str, np.ndarray]) -> pl.DataFrame:
    children = truth.children
    return pl.DataFrame(
        {
            "entity_id": truth.entity_id,
            "born_on": _dates(children.born),
            "household_id": [f"H{number + 1:06d}" for number in children.household],
            "ward": [f"W{number + 1:02d}" for number in children.ward],
            "followed_until": _dates(np.minimum(truth.left, DAYS - 1)),
            **{f"{agency}_linked": mask for agency, mask in linked.items()},
        }
    ).sort("entity_id")


def _equality(truth: Truth, knobs: Knobs) -> pl.DataFrame:
    """What parents said when the family came; a disability that was found later is a second row, from that day."""
    children, rng, n = truth.children, knobs.rng("equality"), knobs.people
    came = children.here_from
    found = children.born + rng.integers(0, round(8 * YEAR), n)  # the day on which a disability is recorded
    given = {name: rng.random(n) >= share for name, share in NOT_GIVEN.items()}
    sexes, groups, fifths = np.array(["female", "male"]), np.array(list(ETHNICITY)), np.array(FIFTHS)

    def rows(who: np.ndarray, day: np.ndarray, disabled: np.ndarray) -> pl.DataFrame:
        frame = pl.DataFrame(
            {
                "entity_id": truth.entity_id[who],
                "known_on": _dates(day[who]),
                "sex": sexes[children.male[who].astype(int)],
                "ethnicity": groups[children.ethnicity[who]],
                "disability": np.where(disabled[who], "disabled", "not disabled"),
                "deprivation": fifths[children.fifth[who]],
            }
        )
        return frame.with_columns(pl.when(pl.Series(mask[who])).then(pl.col(name)) for name, mask in given.items())

    later = children.disabled & (found > came) & (found < truth.until)
    at_first = rows(np.arange(n), came, children.disabled & (found <= came))
    return pl.concat([at_first, rows(np.flatnonzero(later), found, children.disabled)]).sort("known_on", "entity_id")


def _dates(days: np.ndarray) -> pl.Series:
    since_1970 = (START - dt.date(1970, 1, 1)).days
    return pl.Series(days + since_1970).cast(pl.Int32).cast(pl.Date)
