"""Who is on the list and who was scored, by group: aggregate, rounded, and nothing of a small group."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.assessment.suppression import (
    PROFILES,
    SMALL_OR_TELLING,
    Profile,
    complementary,
    first_found_out,
    rounded,
    window,
)
from riskmodels.data.group_names import (
    FEWEST_PEOPLE,
    NOT_RECORDED,
    OTHERS,
    in_order,
    may_be_a_name,
    name_groups,
    recorded,
)
from riskmodels.errors import DataError
from riskmodels.service.outputs.facts import GroupFacts
from riskmodels.study import StudyFile

MOST_GROUPS = 40  # in one column: more are codes or numbers, not groups
HERE, GROUP = "is in the file", "group: {}"  # names that no column of the list has


def read_groups(path: Path, study: StudyFile) -> pl.DataFrame:
    """A file of groups: ``entity_id``, and a column for each characteristic; the names of groups as the study has them.

    Returns
    -------
    entity_id and the columns in the order of the file, all text; null where nothing is recorded.

    Raises
    ------
    DataError
        without ``entity_id`` or any other column, with a person who stands twice, a row without an id, or more than 40
        groups in a column.
    """
    raw = storage.read_table(path)
    name = path.name
    if "entity_id" not in raw.columns:
        raise DataError(f"{name}: there is no column entity_id; name the column of ids so")
    columns = [column for column in raw.columns if column not in ("entity_id", "as_of_date")]
    if not columns:
        raise DataError(f"{name}: there is no column of groups beside entity_id; add one for each characteristic")
    for column in raw.columns:
        if raw.schema[column].is_nested() or raw.schema[column] == pl.Binary:
            raise DataError(f"{name}: the column {column} does not hold words or numbers; write it as text")
    ids = raw["entity_id"].cast(pl.String).str.strip_chars()
    if (empty := (ids.is_null() | (ids == "")).arg_true()).len():
        raise DataError(
            f"{name}: row {empty[0] + 1} has no entity_id ({empty.len()} such rows); give it one or drop it"
        )
    if (twice := ids.is_duplicated()).any():
        first = int(twice.arg_true()[0]) + 1
        raise DataError(
            f"{name}: the person of row {first} stands more than once ({ids.n_unique()} people in {ids.len()} rows); "
            "keep one row for each person"
        )
    groups = pl.DataFrame({"entity_id": ids, **{column: recorded(raw[column]) for column in columns}})
    groups = _as_the_study_names_them(groups, study)
    for column in columns:
        if (found := groups[column].drop_nulls().n_unique()) > MOST_GROUPS:
            raise DataError(
                f"{name}: the column {column} has {found} different groups, more than {MOST_GROUPS}; "
                "put them together, or take the column out"
            )
    return groups


def _as_the_study_names_them(groups: pl.DataFrame, study: StudyFile) -> pl.DataFrame:
    """Labels and bands of the study. A column that stays with too many groups is left as it is, to be refused."""
    named = name_groups(groups.with_columns(as_of_date=pl.lit(None, dtype=pl.Date)), study)
    named = named.drop("entity_id", "as_of_date")
    return groups.with_columns(pl.when(column == NOT_RECORDED).then(None).otherwise(column).alias(column.name)
                               for column in named)  # fmt: skip


def composition(groups: pl.DataFrame, scored: Iterable[pl.DataFrame], study: StudyFile) -> tuple[GroupFacts, ...]:
    """Each group's part of everybody scored, and of the list.

    Whoever has no row in the file is "Not recorded". Groups of fewer than ten people that the study does not name are
    put together: what few have in a column may be somebody's name. A count below ten is hidden, and others with it
    where it could be found by subtraction from the totals, which the report shows as they are. All that is shown is
    made of rounded counts.

    Parameters
    ----------
    groups : of `read_groups`
    scored : frames with ``entity_id`` and ``listed`` (bool), of any size, each person once

    Raises
    ------
    DataError
        if the file of groups knows nobody who was scored.
    """
    columns = [name for name in groups.columns if name != "entity_id"]
    everybody, known = 0, 0
    here = groups.rename({name: GROUP.format(name) for name in columns})
    here = here.with_columns(pl.lit(True).alias(HERE))
    counts: dict[tuple[str, str], list[int]] = {}
    for part in scored:
        joined = part.select("entity_id", "listed").join(here, on="entity_id", how="left")
        everybody, known = everybody + joined.height, known + joined[HERE].count()
        for name in columns:
            found = joined.group_by(pl.col(GROUP.format(name)).fill_null(NOT_RECORDED)).agg(
                pl.len().alias("scored"), pl.col("listed").sum().alias("listed")
            )
            for group, people, listed in found.iter_rows():
                held = counts.setdefault((name, group), [0, 0])
                held[0] += people
                held[1] += listed
    if everybody and not known:
        raise DataError("the file of groups knows nobody who was scored; are its ids those of the cohort?")
    profile = PROFILES[study.disclosure]
    counts = _without_names(counts, study)
    rows: list[GroupFacts] = []
    for name in columns:
        spec = study.protected.get(name)
        # A characteristic that the study does not name is ordered as one without bands.
        found_names = [group for attribute, group in counts if attribute == name]
        ordered = (
            in_order(found_names, spec) if spec else sorted(found_names, key=lambda one: (one == NOT_RECORDED, one))
        )
        rows += published(name, {group: counts[name, group] for group in ordered}, profile)
    return tuple(rows)


def _without_names(counts: dict[tuple[str, str], list[int]], study: StudyFile) -> dict[tuple[str, str], list[int]]:
    """Groups of few people as one, unless the study names them: what few have in a column may be a person's name."""
    if study.level == "place":
        return counts
    pooled: dict[tuple[str, str], list[int]] = {}
    for (attribute, group), (scored, listed) in counts.items():
        rare = scored < FEWEST_PEOPLE and may_be_a_name(group, study.protected.get(attribute))
        held = pooled.setdefault((attribute, OTHERS if rare else group), [0, 0])
        held[0] += scored
        held[1] += listed
    return pooled


def published(attribute: str, counts: dict[str, list[int]], profile: Profile) -> list[GroupFacts]:
    """One characteristic as it may be shown. ``counts``: group -> [scored, listed]."""
    table = np.array(list(counts.values()), dtype=np.int64).reshape(-1, 2)
    hidden = _hidden(table, profile)
    totals = [rounded(int(total), profile) for total in table.sum(axis=0)]
    rows = []
    for group, pair, kept_back in zip(counts, table.tolist(), hidden.tolist(), strict=True):
        scored, listed = (
            None if back else rounded(count, profile) for count, back in zip(pair, kept_back, strict=True)
        )
        reason = SMALL_OR_TELLING if any(kept_back) else None
        shares = [_of_100(count, total) for count, total in zip((scored, listed), totals, strict=True)]
        rows.append(GroupFacts(attribute, group, scored, listed, shares[0], shares[1], reason))
    return rows


def _of_100(count: int | None, total: int) -> float | None:
    return None if count is None or not total else round(100 * count / total, 1)


def _hidden(table: np.ndarray, profile: Profile) -> np.ndarray:
    """Which counts (G, 2) to hide from a reader who knows both totals exactly, as the rest of the report tells them.

    `complementary` guards against rounded totals. What exact ones, and a group's two counts beside each other, give
    away is looked for over all tables that would have been published alike; then one more count of that column is
    hidden, the smallest.
    """
    hidden = np.column_stack([complementary(column.tolist(), profile) for column in table.T])
    while True:
        facts, windows, targets, columns = _known(table, hidden, profile)
        found = first_found_out(facts, windows, targets, profile) if columns else None
        if found is None:
            return hidden
        column = columns[found]
        rest = np.flatnonzero(~hidden[:, column])
        hidden[rest[np.argmin(table[rest, column])], column] = True


def _known(
    table: np.ndarray, hidden: np.ndarray, profile: Profile
) -> tuple[np.ndarray, list[tuple[int, int | None]], np.ndarray, list[int]]:
    """The sums that a reader knows, over the cells (listed, not listed) of every group; and the small hidden counts,
    each with its column."""
    groups = len(table)
    listed, everybody = np.eye(groups, 2 * groups), np.hstack([np.eye(groups), np.eye(groups)])
    facts = [everybody.sum(axis=0), listed.sum(axis=0)]
    windows: list[tuple[int, int | None]] = [(int(total), int(total)) for total in table.sum(axis=0)]
    targets, columns = [], []
    for (place, column), count in np.ndenumerate(table):
        cells = (everybody, listed)[column][place]
        if not hidden[place, column]:
            facts.append(cells)
            windows.append(window(int(count), profile))
        elif count < profile.below:
            facts.append(cells)
            windows.append((0, profile.below - 1))
            if not hidden[:, column].all():  # else the total alone says what can be known, and it is told anyway
                targets.append(cells)
                columns.append(column)
    return np.array(facts), windows, np.array(targets), columns
