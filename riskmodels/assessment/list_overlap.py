"""How far two lists name the same people, who stands on one of them only, and what became of those.

Everybody on either list counts here, known outcome or not. All is in aggregate: nobody is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import clusters_of, of_rows, proportion
from riskmodels.assessment.paired_rows import KEYS, Pair, RankedRun

SIDES = ("first", "second")
# Where those who stand on one list only stand on the other: up to so many times its places, and the words for it.
STANDING = {"just below its cut": 1.25, "lower, but within twice its places": 2.0}
FAR_BELOW, NOT_RANKED = "far below its cut", "not in its cohort"
NEW, BEFORE = "new", "ranked on an earlier test date"
ONLY = ("only_first", "only_second")


@dataclass(frozen=True)
class Shared:
    """How many are on both lists, and on one only. ``as_of_date`` is None for all dates together.

    ``of_first`` and ``of_second`` are the shares of each list that are on the other; ``jaccard`` is both / either.
    ``by_chance``: the share of the first list that would be on a second one drawn at random from those ranked.
    ``rank_correlation``: Spearman's, over those whom both ranked; of several dates the mean, weighted by their rows.
    """

    as_of_date: str | None
    both: int
    only_first: int
    only_second: int
    by_chance: float | None
    rank_correlation: Estimate

    @property
    def of_first(self) -> float | None:
        return _share(self.both, self.both + self.only_first)

    @property
    def of_second(self) -> float | None:
        return _share(self.both, self.both + self.only_second)

    @property
    def jaccard(self) -> float | None:
        return _share(self.both, self.both + self.only_first + self.only_second)

    def to_dict(self) -> dict[str, Any]:
        shares = {name: getattr(self, name) for name in ("of_first", "of_second", "jaccard")}
        return asdict(self) | shares | {"rank_correlation": self.rank_correlation.to_dict()}


@dataclass(frozen=True)
class OnOneOnly:
    """Those on one of two lists only: how many, of how many the outcome is known, and the share who had it."""

    listed: int
    known: int
    hits: int
    precision: Estimate

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "unknown": self.listed - self.known, "precision": self.precision.to_dict()}


@dataclass(frozen=True)
class Overlap:
    """Two lists against each other.

    ``hits_difference``: how many more of those with the outcome the second list holds; ``hits_bounds``: between what
    that would lie whatever became of those whose outcome is not known. People on both lists cancel. ``who_differs``:
    rows {by, group, both, only_first, only_second}; ``both`` is None where it has no meaning.
    """

    pooled: Shared
    per_date: tuple[Shared, ...]
    only_first: OnOneOnly
    only_second: OnOneOnly
    hits_difference: int
    hits_bounds: tuple[int, int]
    who_differs: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "pooled": self.pooled.to_dict(),
            "per_date": [shared.to_dict() for shared in self.per_date],
            "only_first": self.only_first.to_dict(),
            "only_second": self.only_second.to_dict(),
            "hits_difference": self.hits_difference,
            "hits_bounds": list(self.hits_bounds),
            "who_differs": [dict(row) for row in self.who_differs],
        }


def compare_lists(pair: Pair, bands: Mapping[str, float]) -> Overlap:
    """Everything of `Overlap`.

    Parameters
    ----------
    pair : two runs side by side
    bands : name -> the risk from which it reaches, lowest first: risk bands of both runs are made with these
    """
    rows = pair.everyone
    dates = rows.partition_by("as_of_date", maintain_order=True)
    per_date = tuple(_shared(part, part["as_of_date"][0].isoformat()) for part in dates)
    first, second = (_on_one_only(rows, side) for side in SIDES)
    # People on both lists count alike for both, known or not.
    gain = second.hits - first.hits
    return Overlap(
        pooled=_pooled(rows, per_date, [part.height for part in dates]),
        per_date=per_date,
        only_first=first,
        only_second=second,
        hits_difference=gain,
        hits_bounds=(gain - (first.listed - first.known), gain + (second.listed - second.known)),
        who_differs=tuple(_who_differs(rows, bands)),
    )


def shared_list(first: RankedRun, second: RankedRun) -> tuple[int, int, int] | None:
    """How many stand on both lists, on the first only and on the second only, on common dates; None without any."""
    days = [day for day in first.days if day in second.days]
    if not days:
        return None
    lists = [run.on(days).filter(pl.col("selected")).select(KEYS) for run in (first, second)]
    both = lists[0].join(lists[1], on=KEYS, how="semi").height
    return both, lists[0].height - both, lists[1].height - both


# ---------------------------------------------------------------- the lists


def _shared(rows: pl.DataFrame, day: str | None) -> Shared:
    on_first, on_second = (rows[f"selected_{side}"].to_numpy() for side in SIDES)
    return Shared(
        day,
        int((on_first & on_second).sum()),
        int((on_first & ~on_second).sum()),
        int((on_second & ~on_first).sum()),
        _share(int(on_second.sum()), int(rows["rank_second"].count())),
        rank_correlation(rows["rank_first"], rows["rank_second"]),
    )


def _pooled(rows: pl.DataFrame, per_date: Sequence[Shared], sizes: Sequence[int]) -> Shared:
    whole = _shared(rows, None)
    if len(per_date) == 1:
        return whole
    # Ranks of different dates are not of one list, so the dates' own correlations are averaged.
    found = [(one.rank_correlation, size) for one, size in zip(per_date, sizes, strict=True)]
    known = [(float(each.value), each.n or 0) for each, _ in found if each.value is not None]
    n = sum(count for _, count in known)
    average = (
        Estimate(sum(value * count for value, count in known) / n, n=n)
        if known
        else not_computed(str(found[0][0].reason), 0)
    )
    # By chance, each date's list holds its own share of the other's.
    places = sum(one.both + one.only_first for one in per_date)
    by_chance = (
        sum((one.by_chance or 0.0) * (one.both + one.only_first) for one in per_date) / places if places else None
    )
    return Shared(None, whole.both, whole.only_first, whole.only_second, by_chance, average)


def rank_correlation(first: pl.Series, second: pl.Series) -> Estimate:
    """Spearman's correlation of two rankings of the same people; who is missing from either is left out.

    Source: Spearman 1904.
    """
    both = (first.is_not_null() & second.is_not_null()).to_numpy()
    n = int(both.sum())
    if n < 3:
        return not_computed("fewer than 3 were ranked by both", n)
    from scipy.stats import spearmanr

    return Estimate(float(spearmanr(first.to_numpy()[both], second.to_numpy()[both]).statistic), n=n)


def _on_one_only(rows: pl.DataFrame, side: str) -> OnOneOnly:
    other = SIDES[1 - SIDES.index(side)]
    here = rows.filter(pl.col(f"selected_{side}") & ~pl.col(f"selected_{other}"))
    known = here["outcome"].is_not_null().to_numpy()
    hits = here["outcome"].drop_nulls().cast(pl.Float64).to_numpy()
    units = of_rows(clusters_of(here["cluster_id"], here.height), known)
    nobody = "nobody on this list only has a known outcome" if here.height else "nobody is on this list only"
    return OnOneOnly(here.height, hits.size, int(hits.sum()), proportion(hits, units, nobody))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# ---------------------------------------------------------------- who differs


def _who_differs(everyone: pl.DataFrame, bands: Mapping[str, float]) -> list[dict[str, Any]]:
    """Those on either list, counted by what the two runs know of them."""
    rows = _described(everyone, bands)
    groupings: dict[str, Sequence[str]] = {"standing_on_the_other": [*STANDING, FAR_BELOW, NOT_RANKED]}
    if bands:
        groupings |= {f"risk_band_{side}": [*bands, NOT_RANKED] for side in SIDES}
    if everyone["as_of_date"].n_unique() > 1:
        groupings["ranked_before"] = [NEW, BEFORE]
    found = []
    for by, groups in groupings.items():
        # Those on both lists stand on the other by definition.
        kinds = ONLY if by == "standing_on_the_other" else ("both", *ONLY)
        counted = {(group, on): count for group, on, count in rows.group_by(by, "on").len().iter_rows()}
        for group in groups:
            counts = {on: counted.get((group, on), 0) for on in kinds}
            if any(counts.values()):
                found.append({"by": by, "group": group, "both": None, **counts})
    return found


def _described(everyone: pl.DataFrame, bands: Mapping[str, float]) -> pl.DataFrame:
    """Those on either list: which of them (``on``), and the columns by which `_who_differs` counts."""
    first, second = (pl.col(f"selected_{side}") for side in SIDES)
    returned = pl.col("as_of_date") > pl.col("as_of_date").min().over("entity_id")
    listed = everyone.with_columns(
        pl.when(returned).then(pl.lit(BEFORE)).otherwise(pl.lit(NEW)).alias("ranked_before"),
        *(pl.col(f"selected_{side}").sum().over("as_of_date").alias(f"places_{side}") for side in SIDES),
    ).filter(first | second)
    columns = [
        pl.when(first & second).then(pl.lit("both")).when(first).then(pl.lit(ONLY[0])).otherwise(pl.lit(ONLY[1]))
    ]
    standing = [_standing(pl.col(f"rank_{side}"), pl.col(f"places_{side}")) for side in SIDES]
    columns.append(pl.when(first).then(standing[1]).otherwise(standing[0]))
    names = ["on", "standing_on_the_other"]
    for side in SIDES if bands else ():
        columns.append(_band(pl.col(f"risk_{side}"), bands))
        names.append(f"risk_band_{side}")
    return listed.with_columns(column.alias(name) for name, column in zip(names, columns, strict=True))


def _standing(rank: pl.Expr, places: pl.Expr) -> pl.Expr:
    words = pl.lit(FAR_BELOW)
    for name, times in reversed(STANDING.items()):
        words = pl.when(rank <= times * places).then(pl.lit(name)).otherwise(words)
    return pl.when(rank.is_null()).then(pl.lit(NOT_RANKED)).otherwise(words)


def _band(risk: pl.Expr, bands: Mapping[str, float]) -> pl.Expr:
    """The last band whose floor the risk reaches; the first has floor 0."""
    words = pl.lit(next(iter(bands)))
    for name, floor in bands.items():
        words = pl.when(risk >= floor).then(pl.lit(name)).otherwise(words)
    return pl.when(risk.is_null()).then(pl.lit(NOT_RANKED)).otherwise(words)
