"""Cohort files that went wrong in any way, through the command line: one line, or every row accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.served import NAME, SCORED_ON, Called, Served, call, list_of
from tests.service.cohort.fuzzed import CANARY, CANARY_NUMBER, KINDS, Fuzzed, fuzzed_cohorts, plant

EARLIER = "the list of last month"
SUFFIXES = (".parquet", ".csv", ".xlsx")
# What is still a good file is scored, and not refused out of caution.
GOOD = {
    "as it was", "columns in another order", "a further column", "BOM", "CRLF", "CR", "no last line end", "blank lines",
    "all in quotes", "parts", "parts and a mark", "an empty part",
}  # fmt: skip
REFUSED = (2, 3, 4)  # the command, the study, the data; a file can be neither our bug nor the gate's or the disk's


def scored(county: Served, fuzzed: Fuzzed, folder: Path, suffix: str) -> Called:
    """The command on one file, where the list of last month stands."""
    folder.mkdir(parents=True)
    (folder / f"list{suffix}").write_text(EARLIER)
    objections = folder.parent / "objected.csv"
    if not objections.exists():
        objections.write_text(f"entity_id\n{CANARY}{county.matrix(4)['entity_id'][3]}\nsomebody else\n")
    return call(
        county.workspace, "score", NAME, fuzzed.path, "--as-of", SCORED_ON, "--output", folder / f"list{suffix}",
        "--exclude", objections, "--capacity", "north=3,south=2,east=1", "--threads", 1,
    )  # fmt: skip


def check_one(county: Served, fuzzed: Fuzzed, folder: Path, suffix: str) -> str:
    called = scored(county, fuzzed, folder, suffix)
    assert "Traceback" not in called.said, fuzzed
    assert CANARY[:-1].lower() not in called.said.lower(), (fuzzed, called)
    assert str(CANARY_NUMBER)[:6] not in called.said, (fuzzed, called)
    if called.code:
        assert called.code in REFUSED, (fuzzed, called)
        lines = [line for line in called.err.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, (fuzzed, called)
        assert lines[0].startswith("riskmodels: "), (fuzzed, called)
        assert [path.name for path in folder.iterdir()] == [f"list{suffix}"], fuzzed
        assert (folder / f"list{suffix}").read_text() == EARLIER, fuzzed
        return "refused"
    counts = called.counts
    frame, rejects = list_of(folder / f"list{suffix}"), pl.read_csv(folder / "list.rejects.csv", infer_schema=False)
    assert fuzzed.rows in (None, counts["rows_in"]), (fuzzed, called)
    assert counts["rows_in"] == counts["scored"] + counts["rejected"], (fuzzed, called)
    assert (frame.height, rejects.height) == (counts["scored"], counts["rejected"]), (fuzzed, called)
    assert counts["scored"] == counts["listed"] + sum(called.left_off.values()), (fuzzed, called)
    assert counts["rejected"] == sum(called.rejected.values()), (fuzzed, called)
    assert frame["listed"].sum() == counts["listed"] <= 6, (fuzzed, called)
    assert frame["entity_id"].is_unique().all(), fuzzed
    numbers = rejects["row_number"].cast(pl.Int64)
    assert numbers.is_unique().all(), fuzzed
    assert numbers.is_between(1, counts["rows_in"]).all(), fuzzed
    ledger = [json.loads(line) for line in county.workspace.ledger.read_text().splitlines()]
    (line,) = [line for line in ledger if line["batch_id"] == frame["batch_id"][0]]
    assert {name: line[name] for name in counts} == counts, fuzzed
    return "scored"


def check(county: Served, seeds: Iterable[int], folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for number, fuzzed in enumerate(fuzzed_cohorts(plant(county.matrix(60)), folder / "cohorts", seeds)):
        what = check_one(county, fuzzed, folder / "lists" / str(number), SUFFIXES[number % 3])
        assert what == "scored" or fuzzed.kind not in GOOD, fuzzed
        found[what] += 1
    return found


@pytest.mark.slow
def test_a_few_files_that_went_wrong(county: Served, tmp_path: Path) -> None:
    found = check(county, range(20), tmp_path)
    assert min(found["refused"], found["scored"]) > 2


@pytest.mark.slow
def test_many_files_that_went_wrong(county: Served, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    count = 2_000 if request.config.getoption("--full") else 200
    assert count > len(KINDS)  # so that each kind has its turn
    found = check(county, range(count), tmp_path)
    assert min(found["refused"], found["scored"]) > count / 10
