"""Is a feature a consequence of the outcome, or made with its help?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.data.leakage.auc import auc_with_error
from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, named
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Tables
from riskmodels.study import OF_A_SOURCE, StudyFile

# ---------------------------------------------------------------- post-outcome proxies

QUARTER, HALF = 0.25, 0.5  # of the prevalence
Z_PROXY = -3.0
Z_APART = 5.0
FEWEST_ROWS = 200
FEWEST_EVENTS = 50
TAILS = (0.01, 0.5, 0.99)


def post_outcome_proxy(evidence: Evidence) -> Verdict:
    """Among people whose outcome cannot be known yet, a feature lies between its two means as they will turn out.

    If a feature's mean is m1 where the outcome happened and m0 where it did not, its mean in a cohort of prevalence p
    is m0 + p (m1 - m0), so (mean - m0) / (m1 - m0) estimates p. What is written down only once the outcome has come is
    still absent: it gives near 0. Flagged below a quarter of the prevalence, where that is beyond chance (z < -3) and
    the two means lie far enough apart to tell. Well below 0 is a feature that changes with time, not one that is
    absent; so is one that falls as short of the latest outcomes that are known, when taken for unknown ones. Our own
    construction: it warns, and does not stop.
    """
    scoring = evidence.to_come
    if scoring is None or scoring.frame.height < FEWEST_ROWS:
        return UNKNOWN, f"no cohort of {FEWEST_ROWS} rows whose outcomes nobody can know yet"
    rows, earlier = _newest_known(evidence)
    if not len(rows):
        return UNKNOWN, f"fewer than {FEWEST_EVENTS} known outcomes of each kind"
    frame, outcome = evidence.features.frame, evidence.outcome
    told, found = [], []
    for spec in evidence.features.specs:
        column = frame[spec.name]
        for number in _as_numbers(spec, column[rows.tolist()]):
            mixture = _mixture(number(column[rows.tolist()]), outcome[rows] == 1, number(scoring.frame[spec.name]))
            if mixture is None or not mixture.enough:
                continue
            told.append(spec.name)
            if mixture.absent and not _changes(number(column), evidence, rows, earlier):
                found.append(spec.name)
    if not told:
        return UNKNOWN, "with so few rows, no field differs enough between the two outcomes to be checked"
    if found:
        return CONCERN, (
            f"where outcomes are still to come, as absent as if none were to come: {named(dict.fromkeys(found))}. "
            "Perhaps it is written down only afterwards"
        )
    looked = len(set(told))
    return PASS, f"where outcomes are still to come, {looked} features that tell them apart look as they should"


def _newest_known(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Known rows of as few of the latest dates as hold enough of each outcome, and those before: things change."""
    dates = evidence.cohort.rows["as_of_date"].to_numpy()[evidence.known]
    for day in np.unique(dates)[::-1]:
        rows = evidence.known[dates >= day]
        events = evidence.outcome[rows].sum()
        if min(events, len(rows) - events) >= FEWEST_EVENTS:
            return rows, evidence.known[dates < day]
    return evidence.known[:0], evidence.known


def _as_numbers(spec: FeatureSpec, part: pl.Series) -> Iterator[Callable[[pl.Series], np.ndarray]]:
    """A feature as numbers: its being recorded, and its value without tails; a missing one is the middle one."""
    if part.null_count():
        yield lambda column: column.is_not_null().to_numpy().astype(float)
    if spec.kind == "number" and part.count():
        low, middle, high = (part.quantile(share) for share in TAILS)
        yield lambda column: column.cast(pl.Float64).fill_null(middle).clip(low, high).to_numpy()


@dataclass(frozen=True)
class _Mixture:
    """``share``: of outcomes, that a new cohort's mean speaks for; ``error``: its standard error."""

    share: float
    error: float
    prevalence: float

    @property
    def enough(self) -> bool:
        """Whether a share of a quarter could be told from the whole prevalence."""
        return 0 < -Z_PROXY * self.error < (1 - QUARTER) * self.prevalence

    @property
    def absent(self) -> bool:
        near_nought = -HALF < self.share / self.prevalence < QUARTER
        return near_nought and self.share - self.prevalence < Z_PROXY * self.error


def _mixture(values: np.ndarray, outcome: np.ndarray, new: np.ndarray) -> _Mixture | None:
    """None where the means of the two outcomes lie too near each other for the answer to mean anything."""
    positive, negative = values[outcome], values[~outcome]
    apart = positive.mean() - negative.mean()
    var_positive, var_negative = positive.var() / len(positive), negative.var() / len(negative)
    if apart == 0 or abs(apart) < Z_APART * np.sqrt(var_positive + var_negative):
        return None
    share = (new.mean() - negative.mean()) / apart
    # Delta method for a quotient whose parts share the mean of the negatives.
    variance = new.var() / len(new) + var_negative * (1 - share) ** 2 + var_positive * share**2
    return _Mixture(float(share), float(np.sqrt(variance) / abs(apart)), float(outcome.mean()))


def _changes(values: np.ndarray, evidence: Evidence, rows: np.ndarray, earlier: np.ndarray) -> bool:
    """Whether the same sum, from earlier outcomes to those known since, falls short of them by half or more."""
    outcome = evidence.outcome[earlier] == 1
    if min(outcome.sum(), (~outcome).sum()) < FEWEST_EVENTS:
        return False
    mixture = _mixture(values[earlier], outcome, values[rows])
    return mixture is not None and mixture.share < HALF * evidence.outcome[rows].mean()


# ---------------------------------------------------------------- lead time

DAYS_IN_A_MONTH = 30
MONTHS = 6
JUMP = 0.03
Z_JUMP = 4.0
MOST_OF_EACH = 2_000
FEWEST_WITH_FACTS = 30


def lead_time(evidence: Evidence) -> Verdict:
    """What a month's facts tell of the outcome fades slowly as the month lies further back.

    The number of facts of each word in each of the six months (of 30 days) before the as-of date, as it was known then,
    is a score. If the last month tells the outcomes apart much better than any of the five before it (by 0.03 of AUC,
    beyond chance), the facts may be the first step of the outcome itself.
    """
    recent = recent_facts(evidence, MONTHS)
    if recent is None:
        return UNKNOWN, f"no source tables, or fewer than {FEWEST_EVENTS} known outcomes of each kind"
    looked, found = 0, []
    for word, counts in recent.counts.items():
        there = ~np.isnan(counts[:, 0])
        outcome, counts = recent.outcome[there], counts[there]
        if (counts[:, 0] > 0).sum() < FEWEST_WITH_FACTS or min(outcome.sum(), (~outcome).sum()) < FEWEST_EVENTS:
            continue
        looked += 1
        aucs, errors = zip(*(auc_with_error(counts[:, month], outcome) for month in range(MONTHS)), strict=True)
        apart = [abs(auc - 0.5) for auc in aucs]
        before = int(np.argmax(apart[1:])) + 1
        jump = apart[0] - apart[before]
        if jump >= JUMP and jump > Z_JUMP * np.hypot(errors[0], errors[before]):
            found.append(f"{word} (AUC {0.5 + apart[0]:.2f} in the last month, {0.5 + apart[before]:.2f} before)")
    if not looked:
        return UNKNOWN, "too few facts in the last month before the dates"
    if found:
        return CONCERN, f"tells much more in the last month before the date than earlier: {named(found)}"
    return PASS, f"of {looked} kinds of record, none foretells more in the last month than a little earlier"


@dataclass(frozen=True)
class RecentFacts:
    """``counts``: word -> array [rows, months], the month before the as-of date first; NaN for whom the source does not
    cover. ``rows``: row numbers.
    """

    rows: np.ndarray
    outcome: np.ndarray
    counts: dict[str, np.ndarray]


def recent_facts(evidence: Evidence, months: int) -> RecentFacts | None:
    """How many facts of each word of the features stand in each recent month, as known on the as-of date.

    Of at most 2,000 rows of each outcome, drawn by the seed. Words of the same source and kinds are one.
    """
    if evidence.tables is None:
        return None
    known = evidence.known
    parts = [
        evidence.draw(known[evidence.outcome[known] == value], MOST_OF_EACH, f"recent {value:.0f}") for value in (0, 1)
    ]
    if min(map(len, parts)) < FEWEST_EVENTS:
        return None
    rows = np.sort(np.concatenate(parts))
    people = evidence.cohort.rows.select("entity_id", "as_of_date")[rows.tolist()].with_row_index("row")
    counts = {}
    for word, source, kinds in words_of_features(evidence.study):
        facts = _facts_of(evidence.tables, source, kinds, people["entity_id"])
        counts[word] = _by_month(people, facts, months)
        covered = evidence.tables[source].covered
        if covered is not None:
            counts[word][~covered_on(covered, people["entity_id"], people["as_of_date"]).to_numpy()] = np.nan
    return RecentFacts(rows, evidence.outcome[rows] == 1, counts)


def words_of_features(study: StudyFile) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
    """word, source, kinds: each set of records that features count, once, in the study's own level."""
    seen = set()
    for line in study.features:
        word = line.of.partition(".")[0]
        if set(line.take) & set(OF_A_SOURCE) or line.by is not None:
            continue
        fact = study.facts[word]
        if (fact.source, fact.kind) not in seen:
            seen.add((fact.source, fact.kind))
            yield word, fact.source, fact.kind


def _facts_of(tables: Tables, source: str, kinds: tuple[str, ...] | None, ids: pl.Series) -> pl.DataFrame:
    facts = tables[source].scan().filter(nw.col("entity_id").is_in(ids.unique().sort().to_list()))
    if kinds is not None:
        facts = facts.filter(nw.col("kind").is_in(list(kinds)))
    return facts.select("entity_id", "event_date", "known_date").collect().to_polars()


def _by_month(people: pl.DataFrame, facts: pl.DataFrame, months: int) -> np.ndarray:
    ago = (pl.col("as_of_date") - pl.col("event_date")).dt.total_days()
    seen = people.join(facts, on="entity_id").filter(
        (ago >= 1) & (ago <= months * DAYS_IN_A_MONTH) & (pl.col("known_date") < pl.col("as_of_date"))
    )
    cells = seen.select("row", ((ago - 1) // DAYS_IN_A_MONTH).alias("month")).to_numpy().astype(np.int64)
    counts = np.bincount(cells[:, 0] * months + cells[:, 1], minlength=people.height * months)
    return counts.reshape(people.height, months).astype(float)


# ---------------------------------------------------------------- made with the outcome's help

PERMUTATIONS = 5
STANDARD_ERRORS = 3.0


def permuted_outcomes(evidence: Evidence) -> Verdict:
    """With outcomes shuffled among the people of each date, nothing can be foretold: the AUC is 0.5.

    ``evidence.predict`` fits a simple model through the very steps of the run. If anything was learned outside the
    fit rows (a share of outcomes, a choice of columns), the shuffled outcomes of the test date are in it, and the mean
    AUC of 5 shuffles at the last origin that can be judged is more than 3 standard errors from 0.5. The features are
    those that the real outcomes go with: what was made with the outcomes' help before the fit is not found here.
    """
    if evidence.predict is None:
        return UNKNOWN, "no model was given to fit on shuffled outcomes"
    days = evidence.cohort.rows["as_of_date"].to_numpy()
    for split in reversed(evidence.splits.origins):
        test = np.flatnonzero(days == np.datetime64(split.test or dt.date.min))
        judged = ~np.isnan(evidence.outcome[test])
        events = int(np.nansum(evidence.outcome[test]))
        others = int(judged.sum()) - events
        if min(events, others) < FEWEST_EVENTS:
            continue
        aucs = []
        for number in range(PERMUTATIONS):
            shuffled = _shuffled(evidence, days, number)
            series = pl.Series("outcome", shuffled).fill_nan(None).cast(pl.Int8)
            scores = np.asarray(evidence.predict(series, split), dtype=float)
            aucs.append(auc_with_error(scores[judged], shuffled[test][judged] == 1)[0])
        error = float(np.sqrt((events + others + 1) / (12 * events * others) / PERMUTATIONS))
        mean = float(np.mean(aucs))
        said = (
            f"AUC {mean:.3f} over {PERMUTATIONS} shuffles on {split.test} (0.500 within {STANDARD_ERRORS * error:.3f})"
            "; the features were not made again"
        )
        return (CONCERN if abs(mean - 0.5) > STANDARD_ERRORS * error else PASS), said
    return UNKNOWN, f"no test date has {FEWEST_EVENTS} known outcomes of each kind"


def _shuffled(evidence: Evidence, days: np.ndarray, number: int) -> np.ndarray:
    rng = np.random.default_rng([evidence.study.seed, number, *b"permuted"])
    shuffled = evidence.outcome.copy()
    for day in np.unique(days[evidence.known]):
        rows = evidence.known[days[evidence.known] == day]
        shuffled[rows] = rng.permutation(shuffled[rows])
    return shuffled
