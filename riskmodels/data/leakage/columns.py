"""Is a column something other than what it says: an id, a place in the file, the outcome itself, a late entry?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from riskmodels.data.features import FeatureSpec
from riskmodels.data.leakage.auc import FOLDS, Z_99, auc_with_error, best_case, share_scores, tree_scores
from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, named
from riskmodels.data.splits import seeded_hash
from riskmodels.data.tables import Table

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

    Recorded means not missing, and for what is counted more than nought.
    """
    frame = evidence.features.frame
    newest = frame["as_of_date"].max()
    now, then = frame.filter(pl.col("as_of_date") == newest), frame.filter(pl.col("as_of_date") < newest)
    if then.is_empty():
        return UNKNOWN, "only one as-of date"
    recorded = [
        (pl.col(spec.name).fill_null(0) > 0 if _nought_is_nothing(spec) else pl.col(spec.name).is_not_null())
        .mean()
        .alias(spec.name)
        for spec in evidence.features.specs
    ]
    shares_now, shares_then = (part.select(recorded).row(0, named=True) for part in (now, then))
    found = [
        name for name, share in shares_then.items()
        if share >= FILLED_ENOUGH and shares_now[name] < FILLED_IN_RATIO * share
    ]  # fmt: skip
    if found:
        return CONCERN, f"recorded less than half as often on {newest!s}: {named(found)}"
    return PASS, f"as complete on {newest!s} as before"


def _nought_is_nothing(spec: FeatureSpec) -> bool:
    return spec.kind == "number" and (spec.take in COUNTED or spec.missing == "zero")
