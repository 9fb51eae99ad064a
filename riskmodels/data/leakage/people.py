"""Is everybody one person, and is nobody here who objected?"""

from __future__ import annotations

import math

import narwhals as nw
import polars as pl

from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, counted

# How many more bits two rows must share than it takes to tell all pairs apart: by chance one pair in a thousand files.
BITS_TO_SPARE = 10.0
FEWEST_PAIRS = 2


def same_person_two_ids(evidence: Evidence) -> Verdict:
    """No two ids are one once case, blanks, punctuation and leading zeros are set aside. Exact."""
    ids = _every_id(evidence)
    plain = ids.to_frame("id").select(
        pl.col("id").str.to_lowercase().str.replace_all(r"[\s._/-]", "").str.replace_all(r"(^|[^0-9])0+([0-9])", "$1$2")
    )
    alike = int(plain.is_duplicated().sum())
    if alike:
        return CONCERN, f"{counted(alike, 'ids')} differ from another only in case, blanks or leading zeros"
    return PASS, f"{counted(len(ids), 'ids')}, all different without regard to case, blanks and leading zeros"


def _every_id(evidence: Evidence) -> pl.Series:
    """The ids of the study's own level, in every source of the model; of the cohort where there are no tables."""
    columns = [evidence.cohort.rows["entity_id"].unique()]
    for name, table in evidence.tables.tables.items() if evidence.tables is not None else ():
        if table.source.use == "model" and evidence.study.level_of(name) == evidence.study.level:
            columns.append(table.scan().select("entity_id").unique().collect().to_polars()["entity_id"])
    return pl.concat(columns).unique().sort()


def copied_rows(evidence: Evidence) -> Verdict:
    """No two ids have all features alike beyond chance: whoever is in the data twice does.

    On the latest date. What a row says is measured in bits (minus log2 of how common each of its values is), by the
    most telling feature of each fact or column, since several windows of one fact say much the same. Alike beyond
    chance are rows that say 10 bits more than it takes to tell all pairs apart. Those of one household, who may be
    twins, are not compared.
    """
    frame, rows = evidence.features.frame, evidence.cohort.rows
    newest = frame["as_of_date"] == frame["as_of_date"].max()
    frame, clusters = frame.filter(newest), rows.filter(newest)["cluster_id"]
    telling = _most_telling(evidence, frame)
    needed = math.log2(max(frame.height, 2) ** 2 / 2) + BITS_TO_SPARE
    bits = [-(pl.len().over(name) / frame.height).log(2) for name in telling]
    said = frame.select(pl.sum_horizontal(bits).alias("bits"), pl.Series("cluster_id", clusters))
    said = said.with_columns(frame.select(evidence.features.names).hash_rows().alias("row"))
    telling_rows = said.filter(pl.col("bits") >= needed)
    if telling_rows.height < frame.height / 4:
        return UNKNOWN, "most rows say too little to tell a copy from chance"
    # One of each household, so that only pairs of different households count.
    copies = telling_rows.unique(["row", "cluster_id"]).group_by("row").len().filter(pl.col("len") > 1)
    pairs = int(copies["len"].sum()) - copies.height
    if pairs >= FEWEST_PAIRS:
        return CONCERN, f"{counted(pairs, 'ids')} have the very features of one of another cluster"
    share = telling_rows.height / frame.height
    return PASS, f"of the {share:.0%} of rows that say enough, no two of different clusters are alike"


def _most_telling(evidence: Evidence, frame: pl.DataFrame) -> list[str]:
    best: dict[str, tuple[int, str]] = {}
    different = frame.select(pl.col(evidence.features.names).n_unique()).row(0, named=True)
    for spec in evidence.features.specs:
        best[spec.of] = max(best.get(spec.of, (0, "")), (different[spec.name], spec.name))
    return [name for _, name in best.values()]


def objections_honoured(evidence: Evidence) -> Verdict:
    """Nobody who objected to training is in the cohort or in a table of the model. Exact."""
    if evidence.study.objections is None:
        return UNKNOWN, "not looked at: the study names no list of those who objected"
    if evidence.objectors is None:
        return UNKNOWN, "who objected was not given to this check"
    objectors = sorted(evidence.objectors)
    left = {"the cohort": int(evidence.cohort.rows["entity_id"].unique().is_in(objectors).sum())}
    for name, table in evidence.tables.tables.items() if evidence.tables is not None else ():
        if table.source.use == "model" and evidence.study.level_of(name) == evidence.study.level:
            found = table.scan().filter(nw.col("entity_id").is_in(objectors)).select("entity_id").unique()
            left[name] = found.collect().to_polars().height
    found_in = [f"{where} ({counted(count)})" for where, count in left.items() if count]
    if found_in:
        return CONCERN, f"people who objected to training are still in {', '.join(found_in)}"
    return PASS, f"{counted(len(objectors), 'people')} objected to training; none of them is in the data"
