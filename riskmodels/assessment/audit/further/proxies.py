"""Proxies: how well the features tell who belongs to each protected group, and which of them do.

A model that is never told somebody's group may still act on it by way of what goes with it: a postcode, a school, a
kind of benefit. For each group a few shallow trees learn from the features who belongs to it, and are tried on people
they have not seen. An area under the curve of 0.5 means that the features say nothing of the group, 1 that they give
it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.audit.coding import Attribute, as_series, as_text, cluster_codes, code_groups
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.discrimination import placements
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.errors import DataError
from riskmodels.models.matrix import Matrix, fit_encoder
from riskmodels.models.ranking import Ranking
from riskmodels.models.telling_apart import Told, tell_apart
from riskmodels.study import Protected, StudyFile

Row = dict[str, Any]

PEOPLE = 20_000
"""At most so many people are looked at, one row of each."""
FEWEST = 50
"""So many of the people looked at must belong to a group, and so many not."""
FOLDS = 3
TELLING = 0.6
"""From this area on it is said which features carry it; below, there is little to carry."""
MOST_CARRIERS = 10
SMALLEST_SHARE = 0.01

TOO_FEW = f"fewer than {FEWEST} people in it, or outside it"
NO_FEATURE = "no feature is left to tell it by"
NO_FOLDS = f"too few clusters: {FOLDS} are needed, so that people who belong together are left out together"


def feature_proxies(
    features: Any,
    groups: Mapping[str, Any],
    *,
    seed: int,
    policy: Policy | None = None,
    protected: Mapping[str, Protected] | None = None,
    people: Any = None,
    clusters: Any = None,
    is_the_group: Mapping[str, Sequence[str]] | None = None,
    belongs_to: Mapping[str, str] | None = None,
) -> tuple[Row, ...]:
    """How well the features predict each group, and which features carry it.

    One group against everybody else; gradient-boosted trees are fitted on two thirds of a seeded sample of at most
    20,000 people (one row of each, drawn) and tried on the rest, in turn; clusters stay together. The area under the
    curve is the mean over the three thirds, each weighted by its pairs: scores of different fits are never ranked
    together. What a feature carries is the fall of that area when its values are shuffled among the people left out
    (Breiman 2001), as a share of all such falls. Features that say the same share between them what they carry.

    Parameters
    ----------
    features : `Features`, or a table (Polars, pandas, pyarrow) of n rows: numbers, and text as categories
    groups : attribute -> (n,) values of any kind, missing where not recorded
    protected : attribute -> its labels and bands, as for the audit itself
    people : (n,) who each row is about; None where each row is somebody else
    clusters : (n,) ids of rows that belong together (a household); None: those of one person
    is_the_group : attribute -> features that are that attribute (``also_feature``): left out for it, and named
    belongs_to : column -> the feature it is part of, under which it is shuffled and named; else its own name

    Returns
    -------
    rows {attribute, group, label, auc_features, carried_by: [{feature, share}], left_out: [feature], flagged, reason}:
    one for each group that the audit has, in its order. ``flagged``: the area is above ``policy.proxy_auc``.

    Raises
    ------
    DataError
        if the columns are not of one length, or one of them cannot be read.
    """
    policy = policy or load_policy()
    frame, specs = _as_features(features)
    n = frame.height
    columns = {name: as_text(values, f"groups.{name}") for name, values in groups.items()}
    for name, values in columns.items():
        if len(values) != n:
            raise DataError(f"groups.{name}: {len(values)} values for {n} rows of features; there must be one for each")
    coded = [code_groups(name, values, _spec(name, protected), policy) for name, values in columns.items()]
    attributes = [attribute for attribute in coded if isinstance(attribute, Attribute)]
    if not attributes:
        return ()
    rows = _one_row_each(cluster_codes(people, n), n, np.random.default_rng([seed, *b"people"]))
    folds = _folds(cluster_codes(people if clusters is None else clusters, n), rows, seed)
    found: list[Row] = []
    matrix = _matrix(frame, specs, rows) if specs else None
    family = {spec.name: (belongs_to or {}).get(spec.name, spec.name) for spec in specs}
    for attribute in attributes:
        out = sorted(set((is_the_group or {}).get(attribute.name, ())) & set(family.values()))
        kept = [place for place, spec in enumerate(specs) if family[spec.name] not in out]
        task = None
        if matrix is not None and kept and folds is not None:
            names = tuple(family[specs[place].name] for place in kept)
            task = _Task(_columns_of(matrix, kept), names, attribute.codes[rows], folds, seed)
        reason = NO_FEATURE if not kept else NO_FOLDS if folds is None else None
        found += _rows_of(attribute, task, out, reason, policy)
    return tuple(found)


def study_proxies(
    ranking: Ranking, features: Features, groups: pl.DataFrame, study: StudyFile, policy: Policy | None = None
) -> tuple[Row, ...]:
    """`feature_proxies` of the people whom a study ranked.

    Parameters
    ----------
    features, groups : keyed by entity_id and as_of_date, in any order
    """
    keys = ["entity_id", "as_of_date"]
    ranked = ranking.frame.select(*keys, "cluster_id")
    names = [name for name in study.protected if name in groups.columns]
    told = ranked.select(keys).join(groups.select(*keys, *names), on=keys, how="left", maintain_order="left")
    held = ranked.select(keys).join(features.frame, on=keys, how="left", maintain_order="left")
    return feature_proxies(
        Features(held, features.specs),
        {name: told[name] for name in names},
        seed=study.seed,
        policy=policy or load_policy(study.fairness.policy),
        protected=study.protected,
        people=ranked["entity_id"],
        clusters=ranked["cluster_id"],
        is_the_group={name: study.features_that_are(name) for name in names},
        belongs_to={column.name: line.name for line in study.features for column in line.columns},
    )


# ---------------------------------------------------------------- whom and what to look at


def _spec(name: str, protected: Mapping[str, Protected] | None) -> Protected:
    return (protected or {}).get(name) or Protected(column=f"groups.{name}", law="none")


def _as_features(features: Any) -> tuple[pl.DataFrame, tuple[FeatureSpec, ...]]:
    if isinstance(features, Features):
        return features.frame, features.specs
    import narwhals as nw

    try:
        table = nw.from_native(features, eager_only=True)
        series = [as_series(table.get_column(name).to_native(), f"features.{name}") for name in table.columns]
    except TypeError:
        raise DataError("features: is not a table; give a Polars, pandas or pyarrow one") from None
    specs = []
    for name, column in zip(table.columns, series, strict=True):
        if column.dtype.is_temporal() or column.dtype.is_nested():
            raise DataError(f"features.{name}: is neither numbers nor text; make dates into days, or leave it out")
        kind = "number" if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null) else "category"
        specs.append(FeatureSpec(name, "attribute", name, "ever", "features", kind, "keep", name))
    named = [column.alias(name) for name, column in zip(table.columns, series, strict=True)]
    return pl.DataFrame(named), tuple(specs)


def _one_row_each(people: np.ndarray | None, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of the rows looked at, in their order: one drawn for each person, of at most `PEOPLE` drawn."""
    drawn = rng.permutation(n)
    if people is not None:
        drawn = drawn[np.sort(np.unique(people[drawn], return_index=True)[1])]
    return np.sort(drawn[:PEOPLE])


def _folds(clusters: np.ndarray | None, rows: np.ndarray, seed: int) -> np.ndarray | None:
    """The fold of each row looked at, whole clusters together; None if there are too few clusters."""
    together = rows if clusters is None else clusters[rows]
    distinct, number = np.unique(together, return_inverse=True)
    if len(distinct) < FOLDS:
        return None
    return np.asarray((np.random.default_rng([seed, *b"folds"]).permutation(len(distinct)) % FOLDS)[number])


def _matrix(frame: pl.DataFrame, specs: tuple[FeatureSpec, ...], rows: np.ndarray) -> Matrix:
    some = frame[rows.tolist()]
    return fit_encoder(Features(some, specs)).encode(some)


def _columns_of(matrix: Matrix, kept: Sequence[int]) -> Matrix:
    columns = tuple(matrix.columns[place] for place in kept)
    return Matrix(matrix.values[:, kept], matrix.recorded[:, kept], columns)


# ---------------------------------------------------------------- one attribute


@dataclass(frozen=True)
class _Task:
    """``names`` (p,): the feature that each column of the matrix is part of; ``codes`` (m,): each person's group."""

    matrix: Matrix
    names: tuple[str, ...]
    codes: np.ndarray
    folds: np.ndarray
    seed: int


def _rows_of(
    attribute: Attribute, task: _Task | None, out: Sequence[str], reason: str | None, policy: Policy
) -> Iterable[Row]:
    sizes = np.bincount(task.codes, minlength=len(attribute.groups)) if task else np.zeros(len(attribute.groups))
    enough = [place for place, own in enumerate(sizes) if task and min(own, len(task.codes) - own) >= FEWEST]
    told: dict[int, list[Told]] = {place: [] for place in enough}
    if task and enough:
        members = task.codes[:, None] == np.array(enough)
        for part in tell_apart(task.matrix, members, task.folds, task.seed):
            told[enough[part.group]].append(part)
    for place, (group, label) in enumerate(zip(attribute.groups, attribute.labels, strict=True)):
        row: Row = {
            "attribute": attribute.name, "group": group, "label": label, "auc_features": None, "carried_by": [],
            "left_out": list(out), "flagged": False, "reason": reason,
        }  # fmt: skip
        if reason is None and place not in told:
            row["reason"] = TOO_FEW
        elif task and reason is None:
            area = _area(told[place], task.codes == place)
            if area is None:
                row["reason"] = TOO_FEW
            else:
                carried = _carried_by(told[place], task, place, area) if area >= TELLING else []
                row |= {"auc_features": area, "carried_by": carried, "flagged": area > policy.proxy_auc}
        yield row


def _area(
    told: Sequence[Told], member: np.ndarray, shuffled: Sequence[np.ndarray | None] | None = None
) -> float | None:
    """The area under the curve among the people left out, over all folds; None where no fold has both kinds."""
    won, pairs = 0.0, 0
    for part, inputs in zip(told, shuffled or [None] * len(told), strict=True):
        own = member[part.rows].astype(np.float64)
        weight = int(own.sum()) * int((1 - own).sum())
        if weight:
            won += weight * float(placements(own, part.scores(inputs))[own == 1].mean())
            pairs += weight
    return won / pairs if pairs else None


def _carried_by(told: Sequence[Told], task: _Task, place: int, area: float) -> list[Row]:
    """Each feature's share of what the features tell: strongest first, those under one in a hundred left out."""
    gain: dict[str, float] = {}
    for part in told:
        for name, size in zip(task.names, part.gain.tolist(), strict=True):
            gain[name] = gain.get(name, 0.0) + size
    used = sorted((name for name in gain if gain[name] > 0), key=lambda name: (-gain[name], name))[:MOST_CARRIERS]
    falls = {}
    for turn, name in enumerate(used):
        own = [column for column, of in enumerate(task.names) if of == name]
        shuffled = []
        for fold, part in enumerate(told):
            rng = np.random.default_rng([task.seed, *b"shuffle", place, turn, fold])
            inputs = part.inputs.copy()
            inputs[:, own] = inputs[rng.permutation(len(inputs))][:, own]
            shuffled.append(inputs)
        falls[name] = max(area - (_area(told, task.codes == place, shuffled) or 0.0), 0.0)
    total = sum(falls.values())
    carried: list[Row] = [{"feature": name, "share": fall / total} for name, fall in falls.items() if total]
    return sorted(
        (part for part in carried if part["share"] >= SMALLEST_SHARE),
        key=lambda part: (-part["share"], part["feature"]),
    )
