"""Were things written down alike: month after month, and of every group?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.group_names import NOT_RECORDED, name_groups
from riskmodels.data.leakage.auc import Z_99
from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, named
from riskmodels.data.leakage.proxies import recent_facts
from riskmodels.data.linkage import linkage
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile, fact_word, parts_of

# ---------------------------------------------------------------- breaks in a feed

FEWEST_MONTHS = 30  # a year and a half before a break, half a year after it, and half a year to know the noise by
FEWEST_A_MONTH = 20
HALF_YEAR, YEAR = 6, 12
Z_BREAK = 6.0
LEAST_JUMP = float(np.log(1.3))
MAD_TO_SD = 1.4826
MEDIAN_TO_MEAN = 1.25  # the standard error of a median, in those of a mean
STILL_COMING_IN = dt.timedelta(days=92)


def undeclared_break(evidence: Evidence) -> Verdict:
    """No feed of facts jumps up or down for half a year without the study saying why (``breaks``).

    For each source and kind, the log of each month's number of facts is compared with the same month a year before, so
    that seasons and steady growth cancel. A break is a month from which half a year's comparison (its median) differs
    from the half year's before it by a factor of 1.3 or more, at six times the noise (the median absolute change from
    month to month, and at least that of counting). Months around a declared break are left out.
    """
    if evidence.tables is None:
        return UNKNOWN, "the source tables were not given"
    if evidence.study.clock == "relative":
        return UNKNOWN, "the dates count from each one's own start, so a month is not the same time for all"
    looked, found, short = 0, [], []
    for source, kind, months in _feeds(evidence.tables, evidence.study, evidence.extracted_on):
        name = f"{source}, {kind}" if kind else source
        if len(months) < FEWEST_MONTHS or np.median(months["facts"].to_numpy()) < FEWEST_A_MONTH:
            short.append(name)
            continue
        looked += 1
        jump = _jump(months["facts"].to_numpy(), _declared(evidence.study, source, kind, months["month"]))
        if jump is not None:
            place, change = jump
            found.append(f"{name}: about {months['month'][place]:%B %Y}, {np.exp(change) - 1:+.0%}")
    if found:
        return CONCERN, f"the number of facts a month changes at once: {named(found)}"
    if not looked:
        return UNKNOWN, f"no feed has {FEWEST_MONTHS} months with enough facts in each"
    more = f"; too few facts or months to tell: {named(short)}" if short else ""
    return PASS, f"no unexplained jump in {looked} feeds{more}"


def _feeds(
    tables: Tables, study: StudyFile, extracted_on: dt.date | None
) -> Iterator[tuple[str, str | None, pl.DataFrame]]:
    """source, kind, and month (Date), facts: every whole month from the first to the last that has come in."""
    for source, kinds in sorted(_kinds_used(study).items()):
        keys = ["kind"] if study.sources[source].kind else []
        day = nw.col("event_date")
        facts = tables[source].scan().with_columns(day.dt.year().alias("year"), day.dt.month().alias("month"))
        counts = facts.group_by(*keys, "year", "month").agg(nw.len().alias("facts")).collect().to_polars()
        counts = counts.with_columns(pl.date("year", "month", 1).alias("month")).drop("year").sort("month")
        for kind in sorted(kinds or set(counts["kind"].drop_nulls())) if keys else (None,):
            feed = counts.filter(pl.col("kind") == kind) if kind is not None else counts
            yield source, kind, _whole_months(feed.select("month", pl.col("facts").cast(pl.Float64)), extracted_on)


def _whole_months(feed: pl.DataFrame, extracted_on: dt.date | None) -> pl.DataFrame:
    """Without the first month, which may be a part, and the last three, of which not all has been written down yet."""
    if feed.is_empty():
        return feed
    last = min(feed["month"].max(), (extracted_on or dt.date.max) - STILL_COMING_IN)  # type: ignore[type-var]
    every = pl.select(pl.date_range(pl.lit(feed["month"].min()), pl.lit(last), "1mo")).to_series()[1:-1]
    return every.to_frame("month").join(feed, on="month", how="left", maintain_order="left").fill_null(0.0)


def _kinds_used(study: StudyFile) -> Mapping[str, set[str] | None]:
    """source -> the kinds that the study's words name; None where a word means them all."""
    words = [line.of.partition(".")[0] for line in study.features if line.of.partition(".")[0] in study.facts]
    predicates = [study.outcome.happens, *(step.keep or step.drop for step in study.cohort.steps)]
    words += [word for predicate in predicates for part in parts_of(predicate) if (word := fact_word(part))]
    used: dict[str, set[str] | None] = {}
    for fact in (study.facts[word] for word in words):
        before = used.get(fact.source, set())
        used[fact.source] = None if fact.kind is None or before is None else before | set(fact.kind)
    return used


def _declared(study: StudyFile, source: str, kind: str | None, months: pl.Series) -> np.ndarray:
    """Boolean, one for each month: whether a declared break touches what is compared there."""
    touched = np.zeros(len(months), dtype=bool)
    for item in study.breaks:
        words = [study.facts[word] for word in item.affects if word in study.facts]
        named_here = source in item.affects or any(
            fact.source == source and (fact.kind is None or kind is None or kind in fact.kind) for fact in words
        )
        if not item.affects or named_here:
            since = ((months.dt.year() - item.date.year) * YEAR + months.dt.month() - item.date.month).to_numpy()
            # A break moves the comparison from half a year before it until a year and a half after.
            touched |= (since >= -HALF_YEAR) & (since <= YEAR + HALF_YEAR)
    return touched


def _jump(facts: np.ndarray, declared: np.ndarray) -> tuple[int, float] | None:
    """The place of the month from which a feed differs, and by how much (log ratio), or None."""
    logs = np.log(facts + 0.5)
    change = logs[YEAR:] - logs[:-YEAR]
    month_to_month = np.diff(change)
    # A difference of differences: four months' noise in each.
    noise = MAD_TO_SD * np.median(np.abs(month_to_month - np.median(month_to_month))) / 2
    noise = max(noise, float(np.sqrt(1 / np.median(facts))))
    half_years = np.lib.stride_tricks.sliding_window_view(change, HALF_YEAR)
    middles, means = np.median(half_years, axis=1), half_years.mean(axis=1)
    places = np.arange(HALF_YEAR, len(change) - HALF_YEAR + 1)
    left_out = declared[places + YEAR]
    # By the median, or one lost month would be a break.
    jumps = np.where(left_out, 0.0, middles[HALF_YEAR:] - middles[:-HALF_YEAR])
    limit = max(LEAST_JUMP, Z_BREAK * noise * MEDIAN_TO_MEAN * np.sqrt(4 / HALF_YEAR))
    if not len(jumps) or np.abs(jumps).max() < limit:
        return None
    # A year later the same break shows the other way round: the first peak is the break, and the means date it.
    first = int(np.flatnonzero(np.abs(jumps) >= 0.8 * np.abs(jumps).max())[0])
    sharp = np.where(left_out, 0.0, means[HALF_YEAR:] - means[:-HALF_YEAR])[first : first + HALF_YEAR]
    peak = first + int(np.argmax(np.abs(sharp)))
    return int(places[peak] + YEAR), float(jumps[peak])


# ---------------------------------------------------------------- gaps between groups

FEWEST_PEOPLE = 50
POINTS = 0.05
Z_95 = 1.959963984540054
RECORDED_MONTHS = 12
FEWER_RECORDS = 0.75
FEWEST_EVENTS_IN_GROUP = 50
FEWEST_FACTS = 20


def linkage_gap(evidence: Evidence) -> Verdict:
    """Each group's records were found in the other agencies about as often: no gap is surely wider than 5 points.

    People as they last stood in the cohort. The gap to the reference group has its 95% interval (Newcombe 1998).
    """
    if evidence.tables is None or evidence.groups is None:
        return UNKNOWN, "the source tables or the groups were not given"
    if all(table.covered is None for table in evidence.tables.tables.values()):
        return UNKNOWN, "no source says of whom it can speak (link, consented), so who was not found is not recorded"
    rows = list(linkage(evidence.tables, evidence.cohort, name_groups(evidence.groups, evidence.study), evidence.study))
    wide, widest = [], (0.0, "")
    for row in rows:
        reference = next((other for other in rows if _is_reference(other, row)), None)
        if reference is None or row["reference"] or min(row["n"], reference["n"]) < FEWEST_PEOPLE:
            continue
        gap, low, high = _difference(row["covered"], row["n"], reference["covered"], reference["n"])
        said = (
            f"{row['source']}, {row['group']} against {reference['group']}: {_points(gap)} points "
            f"({_points(low)} to {_points(high)})"
        )
        widest = max(widest, (abs(gap), said))
        if low > POINTS or high < -POINTS:
            wide.append((-abs(gap), said))
    if wide:
        return CONCERN, f"linked less or more often: {named(said for _, said in sorted(wide))}"
    if not widest[1]:
        return UNKNOWN, f"no two groups are of {FEWEST_PEOPLE} or more"
    return PASS, f"no gap surely wider than {_points(POINTS)} points; the widest is {widest[1]}"


def _is_reference(other: Mapping[str, object], row: Mapping[str, object]) -> bool:
    same = other["source"] == row["source"] and other["attribute"] == row["attribute"]
    return bool(same and row["attribute"] and other["reference"])


def _difference(count: int, n: int, other: int, m: int) -> tuple[float, float, float]:
    """The difference of two shares with its 95% interval, by Wilson limits of each (Newcombe 1998, method 10)."""
    one, two = count / n, other / m
    (low_one, high_one), (low_two, high_two) = _wilson(count, n), _wilson(other, m)
    gap = one - two
    return gap, gap - np.hypot(one - low_one, high_two - two), gap + np.hypot(high_one - one, two - low_two)


def _wilson(count: int, n: int) -> tuple[float, float]:
    share, z2 = count / n, Z_95**2 / n
    middle, half = share + z2 / 2, Z_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return (middle - half) / (1 + z2), (middle + half) / (1 + z2)


def _points(share: float) -> str:
    return f"{round(100 * share):d}"


def recording_gap(evidence: Evidence) -> Verdict:
    """Before the same outcome, no group has far fewer records than everybody else.

    Among people to whom the outcome came, the number of facts that were known of the twelve months before. If a group
    has surely (99%, one-sided) less than three quarters of what the others have, then either less is written down of
    it or its outcome is set off by less; which of the two, no record can say. Groups by age are left out, since
    services reach each age differently.
    """
    if evidence.groups is None:
        return UNKNOWN, "the groups were not given"
    recent = recent_facts(evidence, RECORDED_MONTHS)
    if recent is None:
        return UNKNOWN, "no source tables, or too few known outcomes"
    groups = name_groups(evidence.groups, evidence.study)[recent.rows[recent.outcome].tolist()]
    attributes = [name for name in groups.columns[2:] if evidence.study.protected[name].law != "age"]
    facts = {word: counts[recent.outcome].sum(axis=1) for word, counts in recent.counts.items()}
    looked, found = 0, []
    for attribute in attributes:
        for group in sorted(set(groups[attribute]) - {NOT_RECORDED}):
            inside = (groups[attribute] == group).to_numpy()
            if min(inside.sum(), (~inside).sum()) < FEWEST_EVENTS_IN_GROUP:
                continue
            looked += 1
            fewer = {word: ratio for word, values in facts.items() if (ratio := _fewer(values, inside)) is not None}
            if fewer:
                most = min(fewer.values())
                found.append(f"{group} (by up to {1 - most:.0%}: {named(sorted(fewer))})")
    if found:
        return CONCERN, (
            f"before the same outcome much less is written down of: {'; '.join(found)}. Either less of what "
            "happens is written down, or the outcome comes after less has happened: records cannot say which"
        )
    if not looked:
        return UNKNOWN, f"no group has {FEWEST_EVENTS_IN_GROUP} known outcomes among those drawn"
    return PASS, f"before the same outcome none of {looked} groups has far fewer records than the others"


def _fewer(values: np.ndarray, inside: np.ndarray) -> float | None:
    """The ratio of two means, if the first is surely below three quarters of the other (one-sided z test); else None.

    Facts vary at the least as counts do, so that a group without any is not taken to be sure of it.
    """
    there = ~np.isnan(values)
    one, limit = values[inside & there], FEWER_RECORDS * values[~inside & there]
    if not len(one) or limit.mean() * len(one) < FEWEST_FACTS:
        return None
    error = np.sqrt(max(one.var(), limit.mean()) / len(one) + limit.var() / len(limit))
    surely = one.mean() - limit.mean() < -Z_99 * error
    return float(FEWER_RECORDS * one.mean() / limit.mean()) if surely else None
