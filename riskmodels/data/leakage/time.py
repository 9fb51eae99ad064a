"""Does anything of the future reach the past? Facts, their knowledge dates, and the windows of outcomes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, counted, named
from riskmodels.data.leakage.recompute import Sources, Value, recompute
from riskmodels.data.splits import assert_no_overlap
from riskmodels.data.tables import Tables
from riskmodels.errors import LeakError
from riskmodels.study import OF_A_SOURCE, Attribute, Fact, StudyFile, fact_word, parts_of

ROWS_RECOMPUTED = 200
TOLERANCE = 1e-6


def future_facts(evidence: Evidence) -> Verdict:
    """Only what was known before each as-of date is in a feature. Exact, for the rows that are drawn.

    The rows are made again from the source tables by `riskmodels.data.leakage.recompute`, which shares no code with the
    engine. Half of them are drawn among those whose answer would differ if a fact were used before it was known.
    """
    if evidence.tables is None:
        return UNKNOWN, "the source tables were not given, so no feature was made again"
    frame, study = evidence.features.frame, evidence.study
    plan = [(line, column) for line in study.features for column in line.columns if column.name in frame.columns]
    if not plan or frame.is_empty():
        return UNKNOWN, "no feature is described by the study"
    late = _rows_with_late_facts(evidence, evidence.tables)
    drawn = np.union1d(
        evidence.draw(np.arange(frame.height), ROWS_RECOMPUTED // 2, "recompute"),
        evidence.draw(late, ROWS_RECOMPUTED // 2, "recompute late"),
    )
    rows = frame[drawn.tolist()]
    sources = Sources(evidence.tables, study, frozenset(rows["entity_id"]))
    wrong: Counter[str] = Counter()
    for row in rows.iter_rows(named=True):
        for line, column in plan:
            again = recompute(line, column, row["entity_id"], row["as_of_date"], sources)
            wrong[column.name] += not _same(row[column.name], again)
    differing = [name for name, count in wrong.items() if count]
    said = f"{len(plan)} features of {counted(len(rows), 'rows')} were made again from the source tables"
    if differing:
        return CONCERN, f"{said}; these came out differently: {named(differing)}"
    said += f", {counted(len(np.intersect1d(drawn, late)))} of them with a fact that was still to become known"
    return PASS, f"{said}: all are the same"


def _same(one: Value, other: Value) -> bool:
    if one is None or other is None or isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _rows_with_late_facts(evidence: Evidence, tables: Tables) -> np.ndarray:
    """Numbers of the rows whose person had a fact that had happened, but was not known, on the as-of date."""
    days = evidence.cohort.rows["as_of_date"].unique().to_list()
    found = []
    for name in _fact_sources(evidence.study):
        event, known = nw.col("event_date"), nw.col("known_date")
        late = nw.any_horizontal(*((event < day) & (known >= day) for day in days), ignore_nulls=True)
        rows = tables[name].scan().filter(late).select("entity_id", "event_date", "known_date").collect().to_polars()
        for day in days:
            on_day = (pl.col("event_date") < day) & (pl.col("known_date") >= day)
            ids = rows.filter(on_day).select("entity_id").unique()
            found.append(ids.with_columns(pl.lit(day, dtype=pl.Date).alias("as_of_date")))
    if not found:
        return np.empty(0, dtype=np.int64)
    keys = evidence.features.frame.select("entity_id", "as_of_date").with_row_index("row")
    late_rows = keys.join(pl.concat(found), on=["entity_id", "as_of_date"], how="semi", maintain_order="left")
    return late_rows["row"].to_numpy().astype(np.int64)


def _fact_sources(study: StudyFile) -> list[str]:
    """The sources whose facts the features count."""
    lines = (line for line in study.features if line.take[0] not in OF_A_SOURCE)
    return sorted({study.source_of(line.take[0], line.of) for line in lines})


# ---------------------------------------------------------------- knowledge dates


def known_date(evidence: Evidence) -> Verdict:
    """Every source that the cohort and the features use says when its rows became known; one that does not is named.

    Looked at is what decides who is in the cohort or is left out, what a feature holds, whose records it is taken from
    (``by``, links) and who belongs together. Without a knowledge date a fact counts from the day it happened, and a
    column as the extract has it. A date of birth needs none.
    """
    study = evidence.study
    silent: list[str] = []
    undated: dict[str, list[str]] = {}
    looked_at = set(_looked_at(study))
    links = [study.sources[column.partition(".")[0]].link for column in looked_at]
    looked_at |= {str(link.flag or link.through) for link in links if link is not None}
    for name in sorted({column.partition(".")[0] for column in looked_at}):
        source = study.sources[name]
        if source.event_date is None and source.known_date is None:
            undated[name] = sorted(column for column in looked_at if column.partition(".")[0] == name)
        elif source.known_date in (None, source.event_date):
            silent.append(f"{name}: taken to be known on the day it happened")
        elif source.event_date and evidence.tables is not None and _never_later(evidence.tables, name):
            silent.append(f"{name}: {source.known_date} is the same day as {source.event_date} in every row")
    silent = [*(f"{named(columns)}: as the extract has it" for columns in undated.values()), *silent]
    if silent:
        return UNKNOWN, f"when it became known is not recorded, so this cannot be checked ({'; '.join(silent)})"
    return PASS, "every source of the cohort and the features says when its rows became known"


def _looked_at(study: StudyFile) -> Iterator[str]:
    """Columns (source.column) and sources that must say when they were known; ages, which cannot change, left out."""
    for line in study.features:
        for take in line.take:
            if take not in OF_A_SOURCE:
                yield study.source_of(take, line.of)
            elif take != "age":
                yield line.of
        if line.by is not None:
            yield line.by
    steps = (step.keep or step.drop for step in study.cohort.steps)
    for predicate in (*steps, *(rule.exclude for rule in study.service_rules)):
        for part in parts_of(predicate):
            if word := fact_word(part):
                yield study.facts[word].source
            elif isinstance(part, Attribute):
                yield part.attribute
    yield from filter(None, (study.cohort.cluster, study.capacity.by))


def _never_later(tables: Tables, name: str) -> bool:
    later = tables[name].scan().select((nw.col("known_date") > nw.col("event_date")).max().alias("later"))
    return not later.collect().to_polars()["later"][0]


# ---------------------------------------------------------------- the outcome's own records


def lineage(evidence: Evidence) -> Verdict:
    """No feature is drawn from the records that the outcome itself is read from, unless they say when they were known.

    The rule. Two words are the same records if they stand in one source and have a kind in common. An attribute has no
    kind, so one of a source of facts is the same records as any word of that source; of a source without dates, with
    one row for each id, it is the same record as itself alone. A date of birth is drawn from no record. Earlier records
    of the outcome may be a feature (who had help before may need it again), as long as the source has a knowledge date
    of its own: then what was written once the outcome had come, under an earlier day, is kept out. Without one nothing
    keeps it out, and that is a concern. Exact, from the study alone.
    """
    study = evidence.study
    shared: list[str] = []
    held: list[str] = []
    for line in study.features:
        for of in filter(None, (line.of, line.over)):
            if not _is_of_the_outcome(of, line.take[0], study):
                continue
            source = study.sources[study.source_of(line.take[0], of)]
            own = source.known_date is not None and source.known_date != source.event_date
            (held if own else shared).append(line.name)
    if shared:
        return CONCERN, (
            f"{named(dict.fromkeys(shared))} and the outcome are read from the same records, and these have no "
            "knowledge date of their own: what was written down afterwards cannot be told from what was known before"
        )
    if held:
        return PASS, (
            f"{named(dict.fromkeys(held))}: from earlier records of the outcome's own kind, each used only once it was "
            "known"
        )
    return PASS, "no feature is drawn from the records that the outcome is read from"


def _is_of_the_outcome(of: str, take: str, study: StudyFile) -> bool:
    if take == "age":
        return False
    records = _records_of(of, study) if take in OF_A_SOURCE else study.facts[of.partition(".")[0]]
    if records is None:
        return any(isinstance(part, Attribute) and part.attribute == of for part in parts_of(study.outcome.happens))
    return any(_same_records(records, other) for other in _outcome_records(study))


def _outcome_records(study: StudyFile) -> Iterator[Fact]:
    for part in parts_of(study.outcome.happens):
        if word := fact_word(part):
            yield study.facts[word]
        elif isinstance(part, Attribute) and (records := _records_of(part.attribute, study)):
            yield records


def _records_of(column: str, study: StudyFile) -> Fact | None:
    """What an attribute is read from where its source holds facts: all of them, since it names no kind."""
    head = column.partition(".")[0]
    return Fact.model_validate({"in": head}) if study.sources[head].event_date else None


def _same_records(one: Fact, other: Fact) -> bool:
    kinds = one.kind is None or other.kind is None or bool(set(one.kind) & set(other.kind))
    return one.source == other.source and kinds


# ---------------------------------------------------------------- the windows of outcomes


def label_window_overlap(evidence: Evidence) -> Verdict:
    """Every outcome that teaches is over, and recorded, before the day that judges. Exact, by the dates of each origin.

    Places, bands and thresholds stand in the study before anything is fitted, so they learn from nothing.
    """
    study = evidence.study
    try:
        assert_no_overlap(evidence.splits, study)
    except LeakError as error:
        return CONCERN, str(error)
    gaps = [
        (split.test - study.outcome.mature_on(day)).days
        for split in evidence.splits.origins
        for day in (*split.fit, *split.calibrate)
        if split.test is not None
    ]
    if not gaps:
        return UNKNOWN, "no origin has a test date"
    least = min(gaps)
    said = f"at {len(evidence.splits.origins)} origins, for the model and its calibrator, the last outcome is recorded"
    return (CONCERN if least < 0 else PASS), f"{said} {least} days or more before the test date"


def break_spanned(evidence: Evidence) -> Verdict:
    """A declared break after the last mature test date means the model was never tested on the present."""
    if not evidence.study.breaks:
        return PASS, "no break is declared"
    last = max(evidence.study.breaks, key=lambda item: item.date)
    known = evidence.outcomes.frame.filter(pl.col("outcome_status") == "known")["as_of_date"].unique().to_list()
    if not any(split.test in known and split.test >= last.date for split in evidence.splits.origins if split.test):
        said = f"{last.what} ({last.date}) came after the last test date whose outcome is known"
        return CONCERN, f"never tested on the present: {said}"
    return PASS, f"tested after the last declared break ({last.date})"
