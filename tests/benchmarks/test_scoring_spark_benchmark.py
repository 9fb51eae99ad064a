"""The sides of Spark's benchmark on a few rows: what is timed must be what is said."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import scoring_batch_sides, scoring_spark, scoring_spark_sides
from benchmarks.measure import Cost

ROWS, PARTS = 2_000, 3


def test_what_stays_is_measured_in_as_many_parts_as_are_said(tmp_path: Path) -> None:
    scoring_batch_sides.make_model(str(tmp_path), trees=4)
    scoring_batch_sides.make_cohort(str(tmp_path), ROWS)
    scoring_spark_sides.split(str(tmp_path), ROWS, PARTS)
    answer = scoring_spark_sides.what_stays(str(tmp_path), ROWS, PARTS, cores=1)
    assert {"open", "copies", "places", "list"} <= set(answer)
    assert all(answer[name] >= 0 for name in answer)
    # A record of 78 bytes, a hash of 8, an id of 11.
    assert answer["shard_bytes"] == pytest.approx(78 + 8 + 11, abs=5)
    assert len(list((tmp_path / f"work-{PARTS}" / "shards").iterdir())) == PARTS


def test_the_time_of_children_is_counted() -> None:
    before, _ = scoring_spark_sides._descendants()
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spent, most = scoring_spark_sides._descendants()
        child.communicate(b"\n")
    assert 0.45 <= spent - before < 5
    assert most > 1


def test_another_list_stops_the_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = iter(["one", "other"])

    def run(job: str, *_: Any, **__: Any) -> Cost:
        if job.endswith("make_cohort"):
            return Cost(0.0, 0.0, 0.0, None)
        return Cost(1.0, 1.0, 1.0, {"output_sha256": next(answers), "counts": {}, "others_cpu_s": 0.0})

    monkeypatch.setattr(scoring_spark, "run", run)
    bench = scoring_spark.Bench(str(tmp_path), scoring_spark.QUICK, 1)
    with pytest.raises(scoring_spark.OtherAnswerError, match="does not answer as our own engine"):
        list(scoring_spark.small(bench))


def test_a_part_that_is_not_there_is_refused() -> None:
    options = argparse.Namespace(quick=True, repeats=None, only=["nothing"], threads=None)
    with pytest.raises(SystemExit, match="no part is called 'nothing'"):
        scoring_spark.benchmark(options)
