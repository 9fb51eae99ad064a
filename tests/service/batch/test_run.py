"""The whole engine against the simple way: everything at once, in memory."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodels.errors import DataError, ModelFileError, OutsideError, RiskModelsError, UsageError
from riskmodels.governance.gate import ApprovedModel
from riskmodels.models.places import HOUSEHOLD_CLOSED, Share
from riskmodels.models.reasons import UNKNOWN_DAY
from riskmodels.service.batch import batch_id, run
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.shapes import SCORED_SCHEMA, WORDS, CheckedPart, day_of
from tests.service.batch.cohorts import (
    Approved,
    Parts,
    all_of,
    approved,
    bytes_of,
    cohort,
    same,
    score,
    simply,
    study,
)

TEAMS = ("north", "south", "east", None)
HOMES = {
    "list_unit": "household",
    "cohort": {"as_of_dates": [dt.date(2020, 7, 1)], "steps": [], "cluster": "people.home"},
}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(1, 120))
    with_teams = draw(st.booleans())
    rows = cohort(
        size,
        draw(st.integers(0, 1000)),
        different=draw(st.sampled_from([1, 3, 20, None])),
        doubled=draw(st.sampled_from([0, 1, 10])),
        rejected=draw(st.sampled_from([0.0, 0.2])),
        excluded=draw(st.sampled_from([0.0, 0.3, 1.0])),
        teams=TEAMS if with_teams else (None,),
        households=draw(st.sampled_from([None, 4, 60])),
    )
    places: dict[str | None, int] = {None: draw(st.integers(0, size + 3))}
    if with_teams:
        places = {"north": draw(st.integers(0, 9)), "south": draw(st.integers(0, 60))}
    return {
        "rows": rows,
        "cuts": tuple(sorted(draw(st.lists(st.integers(0, size), max_size=5)))),
        "places": places,
        "family": draw(st.sampled_from(["logistic", "points", "base_rate"])),
        "calibrator": draw(st.sampled_from(["sigmoid", "isotonic", "venn_abers"])),
        "explain": draw(st.sampled_from(["selected", "all", "none"])),
        "households": draw(st.booleans()),
        "threads": draw(st.integers(1, 2)),
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_is_what_the_simple_way_gives(small_steps: None, case: dict[str, Any]) -> None:
    rows, model = case["rows"], approved(case["family"], case["calibrator"])
    file = study(**HOMES) if case["households"] else study()
    options = {"explain": case["explain"], "threads": case["threads"], "study_file": file, "places": case["places"]}
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(rows, case["cuts"])
        expected = simply(
            rows,
            model,
            file,
            case["places"],
            case["explain"],
            batch_id(model, parts, file, case["places"], case["explain"]),
        )
        if not expected.frame.height:
            with pytest.raises(DataError, match=f"nobody of {rows.height} can be scored"):
                score(parts, Path(folder) / "work", model=model, **options)
            return
        batch = score(parts, Path(folder) / "work", model=model, **options)
        found = all_of(batch)
        same(replace(found, rejects=found.rejects.drop("reason")), expected)
        assert [piece.frame.height for piece in batch.slices()][:-1] == [10] * ((expected.frame.height - 1) // 10)
    counts = batch.counts
    assert counts["rows_in"] == rows.height == counts["scored"] + counts["rejected"]
    assert counts["scored"] == expected.frame.height == batch.histogram.sum()
    assert counts["listed"] == expected.frame["listed"].sum()
    assert counts["places"] == sum(case["places"].values())
    assert counts["excluded"] == sum(batch.excluded_by_rule)
    because = [rule.because for rule in file.service_rules]
    assert batch.excluded_by_rule == tuple((expected.frame["not_listed_because"] == why).sum() for why in because)
    for what, found in (("team", batch.by_team), ("band", batch.by_band)):
        by = expected.frame.group_by(what).agg(pl.len(), pl.col("listed").sum().alias("on"))
        assert found == {name: (scored, listed) for name, scored, listed in by.iter_rows()}
    assert batch.rejected_by_code == dict(expected.rejects["code"].value_counts().sort("code").iter_rows())
    np.testing.assert_array_equal(batch.histogram, np.histogram(expected.frame["risk"], bins=np.arange(101) / 100)[0])


@pytest.mark.parametrize("explain", ["selected", "all"])
def test_parts_and_threads_do_not_show(small_steps: None, tmp_path: Path, explain: str) -> None:
    rows = cohort(300, 5, different=40, doubled=20, rejected=0.1, teams=TEAMS)
    ways = [((), 1), ((), 2), ((1, 2, 150, 150, 299), 1), (tuple(range(0, 300, 7)), 2)]
    found = [
        bytes_of(score(Parts(rows, cuts), tmp_path / str(number), threads=threads, explain=explain))
        for number, (cuts, threads) in enumerate(ways)
    ]
    by_part = [content.count(b"PAR1") for content in found]
    assert found[0] == found[1]
    # The rejects come by part, so the whole is compared in memory.
    assert len(set(by_part)) > 1
    outs = [
        all_of(score(Parts(rows, cuts), tmp_path / f"again {number}", explain=explain))
        for number, (cuts, _) in enumerate(ways)
    ]
    for out in outs[1:]:
        same(out, outs[0])


def test_at_full_size_it_is_what_the_simple_way_gives(tmp_path: Path) -> None:
    """Several slices and buckets of the sizes that are used."""
    rows = cohort(80_000, 6, different=30_000, doubled=50, rejected=0.01)
    places: dict[str | None, int] = {None: 9_000}
    batch = score(Parts(rows, (40_000, 70_000)), tmp_path / "work", places=places, threads=2)
    found = all_of(batch)
    expected = simply(rows, approved(), study(), places, "selected", batch.batch_id)
    same(replace(found, rejects=found.rejects.drop("reason")), expected)
    assert [piece.frame.height for piece in batch.slices()] == [32_768, 32_768, expected.frame.height - 65_536]


def test_columns_are_those_of_the_scored_file(tmp_path: Path) -> None:
    frame = all_of(score(Parts(cohort(20)), tmp_path / "work")).frame
    expected = {name: kind for name, kind in SCORED_SCHEMA.items() if name not in WORDS}
    assert dict(frame.schema) == {"row_number": pl.Int64, **expected}


def test_words_of_the_rules_can_be_others(tmp_path: Path) -> None:
    batch = score(Parts(cohort(50, excluded=0.5)), tmp_path / "work")
    said = {word for piece in batch.slices(["one", "two"]) for word in piece.frame["not_listed_because"].drop_nulls()}
    assert {"one", "two"} < said
    assert not said & {"in service already", "has died"}


def test_copies_in_other_parts_are_rejected_wherever_they_stand(tmp_path: Path) -> None:
    """Row 2 is a copy of row 5, which has no number; 3 of 4; 1 and 6 objected, and are told so."""
    rows = cohort(7, excluded=0).with_columns(
        pl.Series("entity_id", ["a", "b", "c", "c", "b", "a", "d"]),
        pl.Series("code", ["objected", None, None, None, "not_a_number", "objected", None]),
    )
    batch = score(Parts(rows, (3, 5)), tmp_path / "work")
    found = all_of(batch)
    assert found.frame["entity_id"].to_list() == ["d"]
    codes = ["objected", "duplicate_id", "duplicate_id", "duplicate_id", "duplicate_id", "objected"]
    assert found.rejects.select("row_number", "code").rows() == list(zip(range(1, 7), codes, strict=True))
    assert batch.rejected_by_code == {"duplicate_id": 4, "objected": 2}


def test_ids_that_only_share_a_hash_are_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.service.batch import explaining, scoring

    def all_alike(ids: list[str], seed: int) -> np.ndarray:
        return np.zeros(len(ids), dtype=np.uint64)

    monkeypatch.setattr(scoring, "seeded_hash", all_alike)
    monkeypatch.setattr(explaining, "seeded_hash", all_alike)
    rows = cohort(30, different=1, excluded=0)
    found = all_of(score(Parts(rows, (10, 20)), tmp_path / "work"))
    # Equal in everything, they stand in the order of the rows.
    assert found.frame["row_number"].to_list() == list(range(1, 31))


def test_days_of_facts_reach_the_reasons(tmp_path: Path) -> None:
    day = dt.date(2019, 12, 1)
    rows = cohort(20, excluded=0).with_columns(pl.lit(day).alias(day_of(name)) for name in ("reading", "absences"))
    codes = all_of(score(Parts(rows), tmp_path / "work", explain="all")).codes
    known = set(np.unique(codes["day"]).tolist())
    assert known == {(day - dt.date(1970, 1, 1)).days, UNKNOWN_DAY}


def test_nobody_left_says_why(tmp_path: Path) -> None:
    rows = cohort(4).with_columns(pl.Series("code", ["objected", "objected", "not_a_number", "missing_id"]))
    with pytest.raises(DataError, match="nobody of 4 can be scored: 1 missing_id, 1 not_a_number, 2 objected; mend"):
        score(Parts(rows, (2,)), tmp_path / "work")


CHANGES: list[Callable[[pl.DataFrame], pl.DataFrame]] = [
    lambda frame: frame.with_columns(pl.col("entity_id").reverse()),
    lambda frame: frame.with_columns(pl.col("row_number") + 1),
    lambda frame: frame.clear(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_cohort_that_changes_meanwhile_is_refused(
    tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """The listed are read again for their reasons: as somebody else by then, or not there at all."""
    read: list[int] = []

    class Changing(Parts):
        def read(self, number: int) -> CheckedPart:
            part = super().read(number)
            read.append(number)
            return part if len(read) <= self.count else replace(part, frame=change(part.frame))

    with pytest.raises(DataError, match="changed while it was scored"):
        score(Changing(cohort(30, excluded=0)), tmp_path / "work")


def test_a_part_that_loses_rows_is_our_bug(tmp_path: Path) -> None:
    class Losing(Parts):
        def read(self, number: int) -> CheckedPart:
            part = super().read(number)
            return replace(part, frame=part.frame[:-1])

    with pytest.raises(RiskModelsError, match="part 1: 30 rows came in, and 29 are accounted for"):
        score(Losing(cohort(30)), tmp_path / "work")

    class Hiding(Parts):
        @property
        def rows_in(self) -> int:
            return self.rows.height + 1

    with pytest.raises(RiskModelsError, match="31 rows came in, 30 were scored and 0 rejected"):
        score(Hiding(cohort(30), (10,)), tmp_path / "work2")


# ---------------------------------------------------------------- the model


class Doubtful:
    """A family with a fast way, which is right or not."""

    importance: dict[str, float] = {}  # noqa: RUF012
    base = 0.0

    def __init__(self, difference: str | None) -> None:
        self.difference, self.verified = difference, list[int]()

    def score(self, matrix: Any) -> np.ndarray:
        return np.nan_to_num(matrix.values[:, 0])

    def contributions(self, matrix: Any) -> np.ndarray:
        return np.zeros(matrix.values.shape)

    def verify_fast(self, matrix: Any) -> str | None:
        self.verified.append(len(matrix))
        return self.difference


def with_fitted(fitted: Any) -> ApprovedModel:
    return cast("ApprovedModel", Approved(replace(approved().model, fitted=fitted)))


def test_a_sample_is_verified_once(tmp_path: Path) -> None:
    fitted = Doubtful(None)
    parts = Parts(cohort(300), (0, 100, 200))
    score(parts, tmp_path / "work", model=with_fitted(fitted))
    assert fitted.verified == [64]
    score(parts, tmp_path / "work", model=with_fitted(fitted), resume=True)
    assert fitted.verified == [64]
    # As if it had been killed between its last shard and the check.
    (tmp_path / "work" / "verified").unlink()
    score(parts, tmp_path / "work", model=with_fitted(fitted), resume=True)
    assert fitted.verified == [64, 64]


def test_a_model_whose_fast_scores_differ_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"not its own: 0\.2 apart; nothing was published"):
        score(Parts(cohort(30), (10,)), tmp_path / "work", model=with_fitted(Doubtful("0.2 apart")), threads=2)


@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_thread_uses_one_core_and_what_was_built_is_built_once(tmp_path: Path, threads: int, own: int) -> None:
    """A family that uses every core itself, or one, and builds something the first time it is asked: which is before
    several threads do."""
    built: list[tuple[int, bool]] = []
    asked: set[int] = set()

    @dataclass(frozen=True)
    class Shared(Doubtful):
        threads: int = own
        difference: None = None
        verified: list[int] = field(default_factory=list)

        @cached_property
        def fast(self) -> str:
            built.append((self.threads, threading.current_thread() is threading.main_thread()))
            return "built"

        def score(self, matrix: Any) -> np.ndarray:
            assert self.fast
            asked.add(self.threads)
            return np.nan_to_num(matrix.values[:, 0])

    fitted = Shared()
    score(Parts(cohort(30), (10,)), tmp_path / "work", model=with_fitted(fitted), threads=threads)
    assert fitted.fast
    assert (built, asked) == ([(own, True)], {1})


def test_both_at_once_is_the_same(tmp_path: Path) -> None:
    class Together(Doubtful):
        def score(self, matrix: Any) -> np.ndarray:
            raise AssertionError("asked twice")

        def score_and_contributions(self, matrix: Any) -> tuple[np.ndarray, np.ndarray]:
            return super().score(matrix), np.nan_to_num(matrix.values)

    class Apart(Doubtful):
        def contributions(self, matrix: Any) -> np.ndarray:
            return np.nan_to_num(matrix.values)

    one, other = (
        all_of(score(Parts(cohort(30)), tmp_path / name, model=with_fitted(kind(None)), explain="all"))
        for name, kind in (("one", Together), ("other", Apart))
    )
    same(one, other)
    assert (one.codes["feature"] >= 0).any()


def test_a_model_without_numbers_is_refused(tmp_path: Path) -> None:
    class Silent(Doubtful):
        def score(self, matrix: Any) -> np.ndarray:
            return np.full(len(matrix), np.nan)

    with pytest.raises(ModelFileError, match="part 1: the model gives somebody no number"):
        score(Parts(cohort(30)), tmp_path / "work", model=with_fitted(Silent(None)))


# ---------------------------------------------------------------- going on


def test_parts_that_are_done_are_not_read_again(tmp_path: Path) -> None:
    read: list[int] = []

    def stop_at_4(number: int) -> None:
        read.append(number)
        if number == 4 and read.count(4) == 1:
            raise OutsideError("the disk went away")

    parts = Parts(cohort(100), tuple(range(10, 100, 10)), hook=stop_at_4)
    with pytest.raises(OutsideError):
        score(parts, tmp_path / "work", explain="all")
    read.clear()
    read.append(4)
    said: list[str] = []
    batch = score(parts, tmp_path / "work", explain="all", resume=True, progress=said.append)
    assert read == [4, 4, 5, 6, 7, 8, 9]
    assert said[0] == "going on: 40 of 100 rows are scored already"
    whole = score(Parts(parts.rows, parts.cuts), tmp_path / "other", explain="all")
    assert bytes_of(batch) == bytes_of(whole)


def test_a_shard_that_is_not_whole_is_made_again(tmp_path: Path) -> None:
    parts = Parts(cohort(100), (50,))
    expected = bytes_of(score(parts, tmp_path / "work"))
    shard = tmp_path / "work" / "shards" / "00001.shard"
    for content in (shard.read_bytes()[:-1], b"", b"\xff" * 20, b"\x05" + bytes(7) + b"[1,2]"):
        shard.write_bytes(content)
        assert bytes_of(score(parts, tmp_path / "work", resume=True)) == expected


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "cohort": ({"parts": Parts(cohort(20, 9))}, "the cohort"),
    "parts": ({"parts": Parts(cohort(20), (5,))}, "the parts of the cohort"),
    "places": ({"places": {None: 6}}, "the places"),
    "teams": ({"places": {"north": 5}}, "the places"),
    "explain": ({"explain": "none"}, "--explain"),
    "study": ({"study_file": study(seed=8)}, "the study"),
    "model": ({"model": cast("Any", replace(cast("Any", approved()), model_sha256="6" * 64))}, "the model"),
}


@pytest.mark.parametrize(("other", "word"), OTHERS.values(), ids=OTHERS)
def test_another_plan_is_not_resumed(tmp_path: Path, other: dict[str, Any], word: str) -> None:
    score(Parts(cohort(20)), tmp_path / "work")
    options = {"parts": Parts(cohort(20)), **other}
    with pytest.raises(UsageError, match=rf"--resume: {word} changed since .* run without --resume"):
        score(work=tmp_path / "work", resume=True, **options)
    score(work=tmp_path / "work", **options)


@pytest.mark.parametrize("changed", ["Python", "lightgbm", "numba", "numpy", "polars", "pyarrow"])
def test_another_version_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    score(Parts(cohort(20)), tmp_path / "work")
    versions = importlib.metadata.version
    if changed == "Python":
        monkeypatch.setattr(run.platform, "python_version", lambda: "99")
    else:
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "99" if name == changed else versions(name))
    with pytest.raises(UsageError, match="the version of Python, riskmodels or a library changed"):
        score(Parts(cohort(20)), tmp_path / "work", resume=True)


def test_a_library_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "numba":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert run.made_with()["numba"] == "none"
    assert run.made_with()["lightgbm"] == "1"


def test_without_resume_what_was_left_is_cleared_and_said(tmp_path: Path) -> None:
    score(Parts(cohort(20)), tmp_path / "work")
    for name in ("shards/stray", "a cohort put there by its reader"):
        (tmp_path / "work" / name).write_text("x")
    said: list[str] = []
    score(Parts(cohort(20)), tmp_path / "work", progress=said.append)
    assert said[0].startswith("clearing what an earlier run left unfinished")
    assert not (tmp_path / "work" / "shards" / "stray").exists()
    assert (tmp_path / "work" / "a cohort put there by its reader").exists()


def test_the_same_batch_has_the_same_id_before_anything_is_read(tmp_path: Path) -> None:
    read: list[int] = []
    parts = Parts(cohort(20), hook=read.append)
    said = batch_id(approved(), parts, study(), {"b": 2, "a": 1}, "all")
    assert said == batch_id(approved(), parts, study(), {"a": 1, "b": 2}, "all")
    assert read == []
    assert re.fullmatch("[0-9a-f]{16}", said)
    assert said == score(parts, tmp_path / "work", places={"a": 1, "b": 2}, explain="all").batch_id
    others = [
        batch_id(approved(), parts, study(), {"a": 1, "b": 3}, "all"),
        batch_id(approved(), parts, study(), {"a": 1, "b": 2}, "none"),
        batch_id(approved(), parts, study(bands={"any": 0.0}), {"a": 1, "b": 2}, "all"),
        batch_id(approved(), replace(parts, as_of=dt.date(2020, 1, 2)), study(), {"a": 1, "b": 2}, "all"),
    ]
    assert len({said, *others}) == 5


def test_what_holds_people_is_owner_only(tmp_path: Path) -> None:
    work = tmp_path / "work"
    score(Parts(cohort(20)), work)
    assert work.stat().st_mode & 0o777 == 0o700
    files = [path for path in work.rglob("*") if path.is_file()]
    assert [path.name for path in files if path.stat().st_mode & 0o777 != 0o600] == []
    assert len(files) >= 5


def test_options_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--explain is selected, all or none, got 'some'"):
        score(Parts(cohort(20)), tmp_path / "work", explain="some")


# ---------------------------------------------------------------- households that are left alone, and places by share


def test_a_household_is_closed_by_a_reject_and_by_what_the_parts_know(tmp_path: Path) -> None:
    rows = cohort(40, excluded=0).with_columns(
        pl.Series("household", [f"home {row // 2}" for row in range(40)]),
        pl.Series("excluded", [1 if row in (0, 4) else None for row in range(40)], dtype=pl.Int16),
        # The first of home 0 died, and the row is rejected; so is one of home 1, of whom nothing is said.
        pl.Series("code", ["not_finite" if row in (0, 2) else None for row in range(40)], dtype=pl.String),
    )
    parts = Parts(rows, (17,), closed=frozenset({"home 9", "elsewhere"}))
    homes = dict(rows.select("row_number", "household").iter_rows())
    for folder, file, closed in (("homes", study(**HOMES), {"home 0", "home 2", "home 9"}), ("people", study(), set())):
        batch = score(parts, tmp_path / folder, study_file=file, places={None: 40})
        found = all_of(batch).frame
        left = found.filter(~pl.col("listed") & (pl.col("not_listed_because") != "has died"))
        alone = left.filter(pl.col("not_listed_because") == BECAUSE[HOUSEHOLD_CLOSED])
        assert {homes[row] for row in alone["row_number"]} == closed
        assert not {homes[row] for row in found.filter("listed")["row_number"]} & closed
        assert batch.counts["household_closed"] == (4 if closed else 0)


def test_a_share_is_of_those_who_are_scored(tmp_path: Path) -> None:
    # Of 100 rows 22 are rejected, two of them copies of one id.
    rows = cohort(100, excluded=0).with_columns(
        pl.Series("code", ["not_finite" if row < 20 else None for row in range(100)], dtype=pl.String),
        pl.when(pl.col("row_number") == 100).then(pl.col("entity_id").shift(1)).otherwise("entity_id"),
    )
    parts = Parts(rows, (50,))
    batch = score(parts, tmp_path / "work", places=Share(0.5))
    assert batch.counts["scored"] == 78
    assert batch.places == {None: 39}
    assert batch.counts["places"] == batch.counts["listed"] == all_of(batch).frame["selected"].sum() == 39
    assert score(parts, tmp_path / "fewer", places=Share(0.5, asked=7)).counts["listed"] == 7
    with pytest.raises(UsageError, match="40 places are more than the study's 39"):
        score(parts, tmp_path / "more", places=Share(0.5, asked=40))
    # What was asked is in the plan, so a run goes on where it was, and another share is another plan.
    again = score(parts, tmp_path / "work", places=Share(0.5), resume=True)
    assert bytes_of(again) == bytes_of(batch)
    with pytest.raises(UsageError, match="--resume: the places changed"):
        score(parts, tmp_path / "work", places=Share(0.4), resume=True)
