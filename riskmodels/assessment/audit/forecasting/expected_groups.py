"""How large each group is expected to be in the audit, and how often it will have the outcome: known before training.

Everybody on the test dates can be counted. Of the outcome only that is used which a model could learn from on the first
test date: how often it is known, and how often it comes about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.assessment.audit.coding import as_text, code_groups
from riskmodels.assessment.audit.policy import Policy
from riskmodels.study import Protected

KEYS = ["entity_id", "as_of_date"]


@dataclass(frozen=True)
class ExpectedGroup:
    """A group on the pooled test dates.

    ``people`` counts rows; ``known`` is the share whose outcome will be known, ``base_rate`` the share of these who
    will have it. ``unknown`` marks people whose group is not known, ``reference`` the group others are compared with.
    """

    attribute: str
    group: str
    label: str
    people: int
    known: float
    base_rate: float
    unknown: bool = False
    reference: bool = False


@dataclass(frozen=True)
class Repeats:
    """How far rows belong together: a person on several dates, a household.

    ``rows`` : mean size of the cluster that a row of the test dates stands in
    ``again`` : of the other rows in the cluster of one with the outcome, the share that have it too
    """

    rows: float = 1.0
    again: float | None = None


@dataclass(frozen=True)
class ExpectedCohort:
    groups: tuple[ExpectedGroup, ...]
    base_rate: float
    repeats: Repeats


def expect(
    rows: pl.DataFrame,
    groups: pl.DataFrame,
    learned: pl.DataFrame,
    tests: Sequence[dt.date],
    protected: Mapping[str, Protected],
    policy: Policy,
) -> ExpectedCohort | None:
    """What to expect of each group; None where nobody stands on a test date, or before it all outcomes are alike.

    A group's own shares are used where at least ``policy.floors.verdict`` of its rows teach them, otherwise those of
    everybody.

    Parameters
    ----------
    rows : the cohort: entity_id, as_of_date, cluster_id
    groups : entity_id, as_of_date and a column for each protected characteristic
    learned : entity_id, as_of_date, outcome, outcome_status, as recorded before the first test date
    tests : the test dates whose outcome is no longer too early to know

    Raises
    ------
    StudyError
        if a reference named in the study is not one of the groups.
    """
    tested = pl.col("as_of_date").is_in(list(tests))
    earlier = learned.filter((pl.col("as_of_date") < min(tests)) & (pl.col("outcome_status") != "immature"))
    status = earlier.select(*KEYS, (pl.col("outcome_status") == "known").alias("known"), pl.col("outcome"))
    # Prefixed: a protected characteristic may have the name of one of our own columns.
    named = groups.select(*KEYS, *(pl.col(name).alias(f"group:{name}") for name in protected if name in groups.columns))
    frame = rows.select(*KEYS, "cluster_id").join(named, on=KEYS, how="left").join(status, on=KEYS, how="left")
    frame = frame.with_columns(tested.alias("tested")).filter(pl.col("tested") | pl.col("known").is_not_null())
    at_test = frame["tested"].to_numpy()
    taught = ~at_test & frame["known"].is_not_null().to_numpy()
    known = taught & frame["known"].fill_null(value=False).to_numpy()
    event = known & (frame["outcome"].fill_null(0) == 1).to_numpy()
    if not at_test.any() or not 0 < event.sum() < known.sum():
        return None
    overall = float(known.sum() / taught.sum()), float(event.sum() / known.sum())
    found: list[ExpectedGroup] = []
    for name, spec in protected.items():
        if f"group:{name}" not in frame.columns:
            continue
        coded = code_groups(name, as_text(frame[f"group:{name}"], f"groups.{name}"), spec, policy)
        if isinstance(coded, str):
            continue
        size = len(coded.groups)
        people, teach, knew, events = (
            np.bincount(coded.codes[part], minlength=size) for part in (at_test, taught, known, event)
        )
        comparable = people * ~np.array(coded.unknown)
        reference = coded.reference if spec.reference is not None else int(np.argmax(comparable))
        for place in np.flatnonzero(people).tolist():
            enough = knew[place] >= policy.floors.verdict
            shares = (knew[place] / teach[place], events[place] / knew[place]) if enough else overall
            found.append(
                ExpectedGroup(
                    name, coded.groups[place], coded.labels[place], int(people[place]), float(shares[0]),
                    float(shares[1]), coded.unknown[place], place == reference,
                )
            )  # fmt: skip
    return ExpectedCohort(tuple(found), overall[1], _repeats(frame, at_test, known, event))


def _repeats(frame: pl.DataFrame, at_test: np.ndarray, known: np.ndarray, event: np.ndarray) -> Repeats:
    """Means over rows, so that a large cluster counts as often as it has rows."""
    cluster = frame["cluster_id"].rank("dense").to_numpy().astype(np.int64)
    rows, told, events = (np.bincount(cluster[part]) for part in (at_test, known, event))
    told, events = (np.pad(part, (0, max(0, len(told) - len(part)))).astype(float) for part in (told, events))
    others = float((events * (told - 1)).sum())
    again = float((events * (events - 1)).sum()) / others if others else None
    return Repeats(float((rows.astype(float) ** 2).sum() / rows.sum()), again)
