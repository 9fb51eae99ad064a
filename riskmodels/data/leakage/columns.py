"""Is a column something other than what it says: an id, a place in the file, the outcome itself, a late entry?"""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.data.leakage.auc import FOLDS, Z_99, auc_with_error, best_case, share_scores, tree_scores
from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, named
from riskmodels.data.splits import seeded_hash
from riskmodels.data.tables import Table
from riskmodels.study import fact_word, parts_of

ID_LIKE_SHARE = 0.95
ID_LIKE_ORDER = 0.98
ENOUGH_TO_TELL = 50
AS_IT_STANDS = ("attribute", "latest", "first", "mode")
COUNTED = ("count", "any", "sum", "rate", "distinct", "episodes")  # nothing recorded is nought, not missing

TOO_GOOD_AUC = 0.90
WORTH_A_TREE = 0.88
POSITION_AUC = 0.60
MOST_ROWS = 20_000
FEWEST_OF_EACH = 20

FILLED_ENOUGH = 0.2
FILLED_IN_RATIO = 0.5
HARDLY = 0.1


# ---------------------------------------------------------------- ids


def id_like(evidence: Evidence) -> Verdict:
    """Text or whole numbers, taken as they stand, that differ for nearly everybody on a date; or the file's own order.

    Numbers that rise or fall with the order of the extract (absolute Spearman correlation above 0.98, half of them
    different) are a running number under another name. Ages are not looked at: people may well stand by birth.
    """
    frame, found = evidence.features.frame, []
    for spec in evidence.features.specs:
        column = pl.col(spec.name).drop_nulls()
        if spec.take not in AS_IT_STANDS:
            continue
        if spec.kind == "number":
            column = column.filter(column == column.round(0))
        dates = frame.group_by("as_of_date").agg(column.len().alias("n"), column.n_unique().alias("u"))
        if dates.filter((pl.col("n") > ENOUGH_TO_TELL) & (pl.col("u") > ID_LIKE_SHARE * pl.col("n"))).height:
            found.append(spec.name)
    ordered = [name for name in _in_file_order(evidence) if name not in found]
    said = [f"nearly every value differs in: {named(found)}"] if found else []
    said += [f"values follow the order of the extract in: {named(ordered)}"] if ordered else []
    if said:
        return CONCERN, "; ".join(said)
    return PASS, "no feature looks like an id"


def _in_file_order(evidence: Evidence) -> Iterator[str]:
    from scipy.stats import rankdata

    frame = evidence.features.frame
    newest = np.flatnonzero((frame["as_of_date"] == frame["as_of_date"].max()).to_numpy())
    rows = frame[evidence.draw(newest, MOST_ROWS // 4, "file order").tolist()]
    for _, place in _places(evidence, rows["entity_id"]):
        for spec in evidence.features.specs:
            if spec.kind != "number" or spec.take == "age":
                continue
            values = rows[spec.name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            both = ~np.isnan(values) & ~np.isnan(place)
            if both.sum() <= ENOUGH_TO_TELL or len(np.unique(values[both])) < both.sum() / 2:
                continue
            if abs(np.corrcoef(rankdata(values[both]), rankdata(place[both]))[0, 1]) > ID_LIKE_ORDER:
                yield spec.name


def _places(evidence: Evidence, ids: pl.Series) -> Iterator[tuple[str, np.ndarray]]:
    """The row number of each id in every source that has one row for each; NaN where it is not there."""
    for name, table in evidence.tables.tables.items() if evidence.tables is not None else ():
        if _one_row_each(table) and evidence.study.level_of(name) == evidence.study.level:
            rows = table.frame.select("entity_id", pl.int_range(pl.len()).cast(pl.Float64).alias("place"))
            found = ids.to_frame("entity_id").join(rows, on="entity_id", how="left", maintain_order="left")
            yield name, found["place"].fill_null(float("nan")).to_numpy()


def _one_row_each(table: Table) -> bool:
    return table.source.use == "model" and not (table.source.event_date or table.source.known_date)


def row_position(evidence: Evidence) -> Verdict:
    """Where somebody stands in a source's file says nothing of the outcome; a file sorted by what came later would.

    Looked at in sources with one row for each, whose order no date explains: the lower 99% limit of the AUC of the row
    number is below 0.60.
    """
    if evidence.tables is None:
        return UNKNOWN, "the source tables were not given"
    rows, outcome = _known_rows(evidence)
    if outcome is None:
        return UNKNOWN, f"fewer than {FEWEST_OF_EACH} outcomes of each kind"
    said, found = [], []
    for name, place in _places(evidence, evidence.features.frame["entity_id"][rows.tolist()]):
        there = ~np.isnan(place)
        if not _enough(outcome[there]):
            continue
        auc, error = auc_with_error(place[there], outcome[there])
        said.append(f"{name}, AUC of the row number {max(auc, 1 - auc):.2f}")
        if max(auc, 1 - auc) - Z_99 * error >= POSITION_AUC:
            found.append(name)
    if found:
        return CONCERN, f"the order of the rows tells the outcome: {'; '.join(said)} (0.50 is no knowledge)"
    if not said:
        return UNKNOWN, "no source has one row for each, so rows stand in the order of their dates"
    return PASS, f"the order of the rows says little of the outcome ({'; '.join(said)})"


# ---------------------------------------------------------------- columns that know too much


def too_good(evidence: Evidence) -> Verdict:
    """One column that almost tells the outcome by itself is more often a leak than a discovery.

    Each column, with a flag for its being missing, goes through a tree of depth 3, fitted on four fifths of the people
    and judged on the others (a word through its share of outcomes). It is too good if the lower 99% limit of its AUC is
    0.90 or more. A column whose best case does not come near is spared the tree. Finds strong leaks and misses partial
    ones: never the only test.
    """
    rows, outcome = _known_rows(evidence)
    if outcome is None:
        return UNKNOWN, f"fewer than {FEWEST_OF_EACH} outcomes of each kind"
    frame = evidence.features.frame[rows.tolist()]
    fold = (seeded_hash(frame["entity_id"].to_list(), evidence.study.seed, b"too good") % np.uint64(FOLDS)).astype(int)
    alone = {spec.name: _alone(frame[spec.name], outcome, fold) for spec in evidence.features.specs}
    limit = f"the limit is {TOO_GOOD_AUC:.2f} at the least"
    found = [f"{name} (AUC {auc:.2f})" for name, (auc, least) in alone.items() if least >= TOO_GOOD_AUC]
    if found:
        return CONCERN, f"almost tells the outcome alone: {named(found)}; {limit}"
    strongest, (auc, least) = max(alone.items(), key=lambda item: item[1])
    said = f"at most {auc:.2f}" if least == 0 else f"{auc:.2f}, at the least {least:.2f}"
    return PASS, f"the strongest single column is {strongest}, AUC {said}; {limit}"


def _alone(column: pl.Series, outcome: np.ndarray, fold: np.ndarray) -> tuple[float, float]:
    """The AUC of one column and its lower limit; of one that cannot come near, its best case and nought."""
    if column.dtype == pl.String:
        auc, error = auc_with_error(share_scores(column, outcome, fold), outcome)
        return auc, max(0.0, auc - Z_99 * error)
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    ceiling = best_case(values, outcome)
    if ceiling < WORTH_A_TREE:
        return ceiling, 0.0
    auc, error = auc_with_error(tree_scores(values, outcome, fold), outcome)
    return auc, max(0.0, auc - Z_99 * error)


def _known_rows(evidence: Evidence) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows whose outcome is known, at most 20,000 drawn by the seed, and their outcomes if there are enough of each."""
    rows = evidence.draw(evidence.known, MOST_ROWS, "known")
    outcome = evidence.outcome[rows] == 1
    return rows, outcome if _enough(outcome) else None


def _enough(outcome: np.ndarray) -> bool:
    return bool(min(outcome.sum(), (~outcome).sum()) >= FEWEST_OF_EACH)


# ---------------------------------------------------------------- entries that come late


def filled_in_afterwards(evidence: Evidence) -> Verdict:
    """A field that is filled when we look back but not yet when we score comes too late to help.

    Recorded means not missing, and for what is counted more than nought. Compared is everybody as they would be scored
    on the day of the extract with the rows that teach; where there are too few of them, the latest as-of date with
    those before it. A column without dates looks the same on every day, so of it another thing is asked: whether it is
    filled where the outcome came, and hardly (less than a tenth as often, beyond chance) where it never did.
    """
    late = [spec.name for spec in evidence.features.specs if _undated(spec, evidence) and _waits(spec, evidence)]
    said = [f"without dates, and filled hardly but where the outcome came: {named(late)}"] if late else []
    day, now, then = _scored_and_taught(evidence)
    if now is not None:
        recorded = [_is_recorded(spec).mean().alias(spec.name) for spec in evidence.features.specs]
        shares_now, shares_then = (part.select(recorded).row(0, named=True) for part in (now, then))
        found = [
            name for name, share in shares_then.items()
            if share >= FILLED_ENOUGH and shares_now[name] < FILLED_IN_RATIO * share
        ]  # fmt: skip
        said += [f"recorded less than half as often on {day}: {named(found)}"] if found else []
    if said:
        return CONCERN, "; ".join(said)
    if now is None:
        return UNKNOWN, "only one as-of date, and too few to score on the day of the extract"
    return PASS, f"as complete on {day} as before"


def _scored_and_taught(evidence: Evidence) -> tuple[str, pl.DataFrame | None, pl.DataFrame]:
    """A day, its rows, and the rows before it; no rows where there is nothing to compare."""
    frame, scored = evidence.features.frame, evidence.to_come
    if scored is not None and scored.frame.height >= ENOUGH_TO_TELL:
        day = scored.frame["as_of_date"].max()
        then = frame.filter(pl.col("as_of_date") < day)
        if not then.is_empty():
            return str(day), scored.frame, then
    newest = frame["as_of_date"].max()
    then = frame.filter(pl.col("as_of_date") < newest)
    return str(newest), None if then.is_empty() else frame.filter(pl.col("as_of_date") == newest), then


def _undated(spec: FeatureSpec, evidence: Evidence) -> bool:
    source = evidence.study.sources[spec.source]
    return spec.take == "attribute" and source.event_date is None and source.known_date is None


def _waits(spec: FeatureSpec, evidence: Evidence) -> bool:
    """Whether a column is filled for people to whom the outcome ever came, and hardly for the others."""
    rows = evidence.features.frame.select("entity_id", _is_recorded(spec).alias("filled"))
    rows = rows.with_columns(pl.Series("outcome", evidence.outcome))[evidence.known.tolist()]
    people = rows.group_by("entity_id").agg(pl.col("filled").any(), (pl.col("outcome") == 1).any().alias("came"))
    # To some it came before the first date or between two: they are none to whom it never did.
    outside = pl.col("entity_id").is_in(_with_outcome_facts(evidence))
    came, others = people.filter("came")["filled"], people.filter(~pl.col("came") & ~outside)["filled"]
    if min(len(came), len(others)) < FEWEST_OF_EACH:
        return False
    share, other, all_filled = (float(part.sum()) / len(part) for part in (came, others, people["filled"]))
    error = np.sqrt(all_filled * (1 - all_filled) * (1 / len(came) + 1 / len(others)))
    return share >= FILLED_ENOUGH and other < HARDLY * share and share - other > Z_99 * error


def _with_outcome_facts(evidence: Evidence) -> list[str]:
    """Ids of whom a fact of the outcome is recorded on any day, as far as its words are kinds without conditions."""
    if evidence.tables is None:
        return []
    study = evidence.study
    ids: set[str] = set()
    words = {word for part in parts_of(study.outcome.happens) if (word := fact_word(part))}
    for fact in (study.facts[word] for word in sorted(words)):
        if fact.kind is not None and not fact.where:
            facts = evidence.tables[fact.source].scan().filter(nw.col("kind").is_in(list(fact.kind)))
            ids |= set(facts.select("entity_id").unique().collect().to_polars()["entity_id"])
    return sorted(ids)


def _is_recorded(spec: FeatureSpec) -> pl.Expr:
    column = pl.col(spec.name)
    return column.fill_null(0) > 0 if _nought_is_nothing(spec) else column.is_not_null()


def _nought_is_nothing(spec: FeatureSpec) -> bool:
    return spec.kind == "number" and (spec.take in COUNTED or spec.missing == "zero")
