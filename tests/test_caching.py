"""Steps are made once for the same ingredients, a kept result is never trusted unread, and the log says why."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from riskmodels import storage
from riskmodels.caching import NO_CACHE, StepLog, Steps, digest_of_frame, digests
from riskmodels.caching import ingredients as made_from
from riskmodels.errors import OutsideError

FRAME = pl.DataFrame({"entity_id": ["a", None, "b"], "value": [1.5, None, -2.0]})
INGREDIENTS: dict[str, Any] = {
    "data/records": "d1",
    "line": {"take": "count", "of": "visit", "last": "30 days"},
    "from": dt.date(2020, 7, 1),
}


class Maker:
    """Makes a frame, and counts how often."""

    def __init__(self, frame: pl.DataFrame = FRAME) -> None:
        self.frame, self.times = frame, 0

    def __call__(self) -> pl.DataFrame:
        self.times += 1
        return self.frame


def results(folder: Path) -> list[Path]:
    return sorted((folder / "results").glob("*/*.parquet"))


def run(folder: Path, ingredients: Mapping[str, Any] = INGREDIENTS, name: str = "features.visits") -> StepLog:
    """One run of one step, which gives the frame whatever became of the cache; what its log says."""
    steps, maker = Steps(folder, "small"), Maker()
    assert_frame_equal(steps.frame(name, ingredients, maker), FRAME)
    assert maker.times == (0 if steps.log[0].reused else 1)
    assert len(steps.log) == 1
    return steps.log[0]


def changed(**parts: Any) -> dict[str, Any]:
    return {**INGREDIENTS, **parts}


# ---------------------------------------------------------------- made once


def test_an_unchanged_step_is_not_made_again(tmp_path: Path) -> None:
    assert run(tmp_path) == StepLog("features.visits", False, "made for the first time")
    assert run(tmp_path) == StepLog("features.visits", True, "nothing changed")


def test_without_a_folder_every_step_is_made_and_nothing_is_kept_or_logged() -> None:
    maker = Maker()
    for times in (1, 2):
        assert NO_CACHE.frame("a", {"what": object()}, maker) is FRAME
        assert maker.times == times
    assert NO_CACHE.frames({}, lambda names: pytest.fail("asked for nothing")) == {}
    assert NO_CACHE.log == []
    assert NO_CACHE.prune(0) == 0


def test_a_changed_ingredient_redoes_exactly_the_steps_that_have_it(tmp_path: Path) -> None:
    wanted = {f"features.{name}": {"data": "d1", "line": name} for name in "abc"}
    asked: list[list[str]] = []

    def make(names: list[str]) -> dict[str, pl.DataFrame]:
        asked.append(names)
        return {name: pl.DataFrame({name: [len(asked)]}) for name in reversed(names)}

    first = Steps(tmp_path, "small").frames(wanted, make)
    assert list(first) == list(wanted)
    steps = Steps(tmp_path, "small")
    second = steps.frames({**wanted, "features.b": {"data": "d1", "line": "b2"}}, make)
    assert asked == [["features.a", "features.b", "features.c"], ["features.b"]]
    assert [name for name, frame in second.items() if not frame.equals(first[name])] == ["features.b"]
    assert list(second) == list(wanted)
    assert [(log.name[-1], log.reused) for log in steps.log] == [("a", True), ("b", False), ("c", True)]
    Steps(tmp_path, "small").frames(wanted, make)
    assert len(asked) == 2  # nothing was missing: not even asked


def test_steps_with_the_same_ingredients_are_not_mixed_up(tmp_path: Path) -> None:
    steps = Steps(tmp_path, "small")
    for name in ("cohort.rows", "cohort.attrition"):
        steps.frame(name, INGREDIENTS, Maker(pl.DataFrame({"of": [name]})))
    for name in ("cohort.rows", "cohort.attrition"):
        again = steps.frame(name, INGREDIENTS, lambda: pytest.fail("made again"))
        assert again["of"].item() == name


def test_a_result_is_reused_by_another_study_and_after_going_back(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, changed(line={"take": "any"}))
    assert run(tmp_path) == StepLog("features.visits", True, "made before from the same ingredients")
    other = Steps(tmp_path, "another")
    other.frame("features.visits", INGREDIENTS, lambda: pytest.fail("made again"))
    assert other.log[0].why == "made before from the same ingredients"


def test_what_fails_to_be_made_is_not_kept(tmp_path: Path) -> None:
    steps = Steps(tmp_path, "small")
    with pytest.raises(ZeroDivisionError):
        steps.frame("a", INGREDIENTS, lambda: pl.DataFrame({"a": [1 // 0]}))
    assert results(tmp_path) == []
    assert steps.log == []
    with pytest.raises(KeyError, match="b"):
        steps.frames({"a": INGREDIENTS, "b": INGREDIENTS}, lambda names: {"a": FRAME})


# ---------------------------------------------------------------- ingredients


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": None}),
        ({"a": None}, {}),
        ({"a": "1"}, {"a": 1}),
        ({"a": ["b", "c"]}, {"a": ["c", "b"]}),
        ({"a": {"b": 1}}, {"a": {"c": 1}}),
        ({"a": dt.date(2020, 1, 1)}, {"a": dt.date(2020, 1, 2)}),
    ],
)
def test_different_ingredients_make_different_results(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    run(tmp_path, one)
    assert not run(tmp_path, other).reused
    assert run(tmp_path, one).reused


def test_the_order_of_keys_is_no_difference(tmp_path: Path) -> None:
    run(tmp_path, {"a": 1, "b": {"c": (2, 3), "d": 4}})
    assert run(tmp_path, {"b": {"d": 4, "c": [2, 3]}, "a": 1}).reused


@pytest.mark.parametrize(
    "value", [Path("a"), dt.datetime(2020, 1, 1), b"a", {1: 2}, {"a", "b"}, float("nan"), float("inf"), FRAME, object()]
)
def test_what_has_no_stable_text_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(TypeError, match="is no ingredient of a step"):
        Steps(tmp_path, "small").frame("a", {"what": {"nested": [value]}}, Maker())


def test_keys_are_the_same_in_every_process(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
import polars as pl
from riskmodels.caching import Steps
ingredients = {word: {inner: len(inner) for inner in {"x", "yy", "zzz"}} for word in {"v", "ww", "uuu", "tttt"}}
Steps(Path(sys.argv[1]), "small").frame("a", ingredients, lambda: pl.DataFrame({"a": [1]}))
print(" ".join(ingredients))
"""
    orders, names = set(), set()
    for seed in ("1", "2", "3"):
        folder = tmp_path / seed
        orders.add(child(code, str(folder), PYTHONHASHSEED=seed).communicate(timeout=60)[0])
        names |= {path.name for path in results(folder)}
    assert len(orders) > 1
    assert len(names) == 1


# ---------------------------------------------------------------- why


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (changed(**{"data/records": "d2"}), "data/records changed"),
        (changed(line={"take": "count", "of": "visit", "last": "60 days"}), "line changed (last)"),
        (changed(line={"take": "count", "of": "visit"}), "line changed (last)"),
        (changed(line={"take": "count", "of": "visit", "last": "30 days", "than": "1 year"}), "line changed (than)"),
        (changed(line={"take": "any", "of": "call", "last": "ever", "over": "a"}),
         "line changed (last, of, over and 1 more)"),
        (changed(line="other"), "line changed"),
        (changed(cohort="c1"), "cohort added"),
        ({"line": INGREDIENTS["line"], "from": dt.date(2020, 7, 1)}, "data/records taken out"),
        (changed(**{"data/records": "d2", "from": dt.date(2020, 8, 1)}), "data/records changed; from changed"),
        (changed(**{"from": None}), "from changed"),
    ],
)  # fmt: skip
def test_the_log_says_what_changed(tmp_path: Path, now: dict[str, Any], why: str) -> None:
    run(tmp_path)
    assert run(tmp_path, now) == StepLog("features.visits", False, why)


def test_the_log_names_the_place_inside_lists_and_never_a_value(tmp_path: Path) -> None:
    def facts(last: str, *more: str) -> dict[str, Any]:
        return {"cohort": {"steps": [{"keep": {"any": "a"}}, {"keep": {"any": "b", "last": last}}, *more]}}

    run(tmp_path, facts("SECRET1"))
    assert run(tmp_path, facts("SECRET2")).why == "cohort changed (steps[1].keep.last)"
    assert run(tmp_path, facts("SECRET2", "SECRET3")).why == "cohort changed (steps[2])"
    assert "SECRET" in (tmp_path / "small.json").read_text()  # definitions may stand in the record: no data does
    assert "b" not in json.loads((tmp_path / "small.json").read_text())["steps"]["features.visits"]["made_by"]


def test_true_and_one_are_told_apart_in_words_too(tmp_path: Path) -> None:
    run(tmp_path, changed(flag=True))
    assert run(tmp_path, changed(flag=1)).why == "flag changed"


@pytest.mark.parametrize("name", ["riskmodels", "polars"])
def test_another_version_makes_everything_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    run(tmp_path)
    other = {**made_from.made_by(), name: "0.0.1"}
    monkeypatch.setattr(made_from, "made_by", lambda: other)
    assert run(tmp_path).why == f"another version of {name}"
    assert run(tmp_path).reused
    assert run(tmp_path, changed(cohort="c")).why == "cohort added"


def test_the_version_holds_the_code_that_makes_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(made_from.__file__).parents[1]

    def code_of(**edited: str) -> str:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for path in [*package.glob("*.py"), *package.glob("*/*.py")]:
            target = root / path.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text() + edited.get(path.stem, ""))
        monkeypatch.setattr(made_from, "__file__", str(root / "caching" / "ingredients.py"))
        made_from._code.cache_clear()
        return made_from._code()

    try:
        before = code_of()
        assert code_of() == before == code_of(cli="# another page")
        assert code_of(features="# another definition") != before
        assert code_of(__init__="# another version") != before
    finally:
        monkeypatch.undo()
        made_from._code.cache_clear()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": 2}',
     b'{"format": 2, "steps": {"features.visits": 3}, "results": [], "left_out": {}}',
     b'{"format": 0, "steps": {}, "results": [], "left_out": {}}',
     b'{"format": 2, "steps": {}, "results": [1], "left_out": {}}',
     b'{"format": 2, "steps": {}, "results": [], "left_out": []}',
     b'{"format": 2, "steps": {"features.visits": {"made_by": [], "ingredients": {}}}, "results": [], "left_out": {}}'],
)  # fmt: skip
def test_a_damaged_record_is_said_and_written_again(tmp_path: Path, content: bytes) -> None:
    run(tmp_path)
    (tmp_path / "small.json").write_bytes(content)
    assert run(tmp_path, changed(line="other")).why == "what it was last made from is not known"
    assert run(tmp_path, changed(line="other")).why == "nothing changed"


# ---------------------------------------------------------------- damage


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _edited(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _of_another(path: Path) -> None:
    path.write_bytes(storage.table_bytes(pl.DataFrame({"entity_id": ["z"]}), ".parquet"))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _put_under_this_name(path: Path) -> None:
    """Whole, and named after its own bytes, but the result of another step."""
    Steps(path.parents[2], "small").frame("another", {}, Maker(pl.DataFrame({"entity_id": ["z"]})))
    (other,) = set(results(path.parents[2])) - {path}
    path.unlink()
    other.rename(path.with_name(f"{path.name.split('.')[0]}.{other.name.split('.')[1]}.parquet"))


def _without_a_key(path: Path) -> None:
    path.unlink()
    content = storage.table_bytes(FRAME.head(1), ".parquet")
    path.with_name(f"{path.name.split('.')[0]}.{storage.sha256(content)}.parquet").write_bytes(content)


def _not_a_table(path: Path) -> None:
    path.unlink()
    key = path.name.split(".")[0]
    path.with_name(f"{key}.{storage.sha256(b'no table')}.parquet").write_bytes(b"no table")


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage", [_cut, _edited, _of_another, _put_under_this_name, _without_a_key, _empty, _not_a_table]
)
def test_a_damaged_result_is_noticed_and_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    run(tmp_path)
    (kept,) = results(tmp_path)
    damage(kept)
    assert run(tmp_path) == StepLog("features.visits", False, "the kept result was damaged")
    assert results(tmp_path) == [kept]
    assert run(tmp_path).reused


def test_a_result_that_is_gone_is_made_again(tmp_path: Path) -> None:
    run(tmp_path)
    results(tmp_path)[0].unlink()
    assert run(tmp_path).why == "the kept result is no longer there"
    assert run(tmp_path).reused


def test_what_cannot_be_mended_does_not_stop_the_run(tmp_path: Path) -> None:
    run(tmp_path)
    _a_folder(results(tmp_path)[0])
    steps = Steps(tmp_path, "small")
    assert_frame_equal(steps.frame("features.visits", INGREDIENTS, Maker()), FRAME)
    assert steps.log[0].why == "the kept result was damaged"
    assert steps.log[1].why.startswith("results are not kept: ")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_is_trusted(tmp_path_factory: pytest.TempPathFactory, place: float, bit: int) -> None:
    folder = tmp_path_factory.mktemp("bit")
    run(folder)
    (kept,) = results(folder)
    content = bytearray(kept.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    kept.write_bytes(content)
    assert run(folder).why == "the kept result was damaged"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    run(tmp_path)
    for path in (*results(tmp_path), tmp_path / "small.json"):
        assert path.stat().st_mode & 0o777 == 0o600


# ---------------------------------------------------------------- the same frame

DTYPES: list[Any] = [
    pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32,
    pl.Float64, pl.String, pl.Binary, pl.Date, pl.Datetime("us"), pl.Datetime("ns"), pl.Duration("ms"), pl.Time,
    pl.Categorical, pl.Decimal(18, 3), pl.Null,
]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=dataframes(allowed_dtypes=DTYPES, max_cols=6, max_size=20, allow_null=True))
def test_a_frame_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, frame: pl.DataFrame) -> None:
    folder = tmp_path_factory.mktemp("same")
    Steps(folder, "small").frame("a", {}, lambda: frame)
    back = Steps(folder, "small").frame("a", {}, lambda: pytest.fail("made again"))
    assert back.schema == frame.schema
    assert_frame_equal(back, frame, categorical_as_str=True)
    assert digest_of_frame(back) == digest_of_frame(frame)


def test_a_frame_without_rows_or_columns_comes_back_too(tmp_path: Path) -> None:
    for number, frame in enumerate((pl.DataFrame(), pl.DataFrame(schema={"a": pl.Int8, "b": pl.Date}))):
        for _ in range(2):
            back = Steps(tmp_path, "small").frame("a", {"number": number}, Maker(frame))
            assert back.schema == frame.schema
            assert back.height == 0


# ---------------------------------------------------------------- digests of frames

WIDE = pl.DataFrame(
    {
        "text": ["a", None, "", "bc"],
        "number": [1.5, None, 0.0, -2.0],
        "count": pl.Series([1, 2, None, 4], dtype=pl.Int8),
        "day": [dt.date(2020, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)],
        "flag": [True, False, None, True],
    }
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    frame=dataframes(allowed_dtypes=DTYPES, min_cols=1, max_cols=4, max_size=12, allow_null=True), at=st.integers(0, 12)
)
def test_a_digest_does_not_depend_on_chunks_slices_or_what_stands_under_nulls(frame: pl.DataFrame, at: int) -> None:
    digest = digest_of_frame(frame)
    pieces = pl.concat([frame.slice(0, at), frame.slice(at)], rechunk=False)
    assert digest_of_frame(pieces) == digest
    longer = pl.concat([frame.slice(0, 1), frame, frame.slice(0, 1)])
    assert digest_of_frame(longer.slice(min(1, frame.height), frame.height)) == digest


def test_values_under_nulls_are_not_in_the_digest() -> None:
    hidden = [pl.DataFrame({"x": [1, under]}).select(pl.when(pl.col("x") < 2).then(pl.col("x"))) for under in (7, 8)]
    assert hidden[0].equals(hidden[1])
    assert digest_of_frame(hidden[0]) == digest_of_frame(hidden[1])


@pytest.mark.parametrize(
    "other",
    [
        WIDE.rename({"text": "texts"}),
        WIDE.select(reversed(WIDE.columns)),
        WIDE.reverse(),
        WIDE.head(3),
        WIDE.with_columns(pl.col("count").cast(pl.Int16)),
        WIDE.with_columns(pl.col("number").fill_null(0.0)),
        WIDE.with_columns(pl.col("text").fill_null("")),
        WIDE.with_columns(pl.Series("text", ["ab", None, "", "c"])),
        WIDE.with_columns(pl.Series("text", [None, "a", "", "bc"])),
        WIDE.with_columns(pl.col("flag").fill_null(False)),
        WIDE.with_columns(pl.col("number") + 1e-15),
        WIDE.with_columns(pl.col("day") + pl.duration(days=pl.lit(1)) - pl.duration(days=1)).with_columns(
            pl.col("day").cast(pl.Datetime)
        ),
    ],
    ids=lambda frame: "",
)
def test_any_difference_is_in_the_digest(other: pl.DataFrame) -> None:
    assert digest_of_frame(other) != digest_of_frame(WIDE)


def test_the_digest_is_written_down() -> None:
    """Another value would mean that every kept result is made anew, so it takes a decision, not an accident."""
    assert digest_of_frame(WIDE)[:16] == "05594e59c8baacd9"


@pytest.mark.parametrize("column", [[[1]], [{"a": 1}]])
def test_what_has_no_digest_is_refused(column: list[Any]) -> None:
    with pytest.raises(TypeError, match="has no digest"):
        digest_of_frame(pl.DataFrame({"a": column}))


def test_long_columns_of_text_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest_of_frame(WIDE)
    monkeypatch.setattr(digests, "ROWS_AT_A_TIME", 1)
    assert digest_of_frame(WIDE) == whole


# ---------------------------------------------------------------- interrupted, crowded, full


def child(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("moment", ["half of it is written", "it is about to take its place"])
def test_a_killed_process_leaves_a_usable_cache(tmp_path: Path, moment: str) -> None:
    code = """
import os, sys, time
from pathlib import Path
import polars as pl
from riskmodels.caching import Steps

def stop(*args):
    print("there", flush=True)
    time.sleep(60)

write, replace = Path.write_bytes, os.replace

def half(path, content):
    if path.parent.parent.name != "results":
        return write(path, content)
    write(path, content[: len(content) // 2])
    stop()

def about_to(path, target):
    return stop() if target.parent.parent.name == "results" else replace(path, target)

if sys.argv[2].startswith("half"):
    Path.write_bytes = half
else:
    os.replace = about_to
Steps(Path(sys.argv[1]), "small").frame("features.visits", {"a": 1}, lambda: pl.DataFrame({"a": [1]}))
"""
    with child(code, str(tmp_path), moment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.send_signal(signal.SIGKILL)
    assert results(tmp_path) == []
    assert list((tmp_path / "results").glob("*/.*.part")) != []
    # Its lock went with it, nothing half-written counts, and what it left is swept up.
    assert run(tmp_path, {"a": 1}) == StepLog("features.visits", False, "made for the first time")
    assert Steps(tmp_path, "small").prune(10**9) == 0
    assert list((tmp_path / "results").glob("*/.*.part")) == []
    assert run(tmp_path, {"a": 1}).reused
    # And it was the study's before it was there.
    assert Steps(tmp_path, "small").forget_unless({"objections": "1"}) == 1


def test_two_processes_at_once(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
import polars as pl
from riskmodels.caching import Steps
Path(sys.argv[2]).touch()
while not Path(sys.argv[3]).exists():
    time.sleep(0.001)
for number in range(40):
    steps = Steps(Path(sys.argv[1]), "small")
    wanted = {f"s{i}": {"i": i} for i in range(number, number + 3)}
    found = steps.frames(wanted, lambda names: {name: pl.DataFrame({"i": [int(name[1:])] * 500}) for name in names})
    assert all(frame["i"].unique().to_list() == [int(name[1:])] for name, frame in found.items())
    assert not [log for log in steps.log if log.name == "cache" or "damaged" in log.why], steps.log
    steps.prune(2000)
print("done")
"""
    cache, started = tmp_path / "cache", [str(tmp_path / "one"), str(tmp_path / "two")]
    processes = [child(code, str(cache), *order) for order in (started, started[::-1])]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["done\n", "done\n"]
    assert list(cache.rglob("*.part")) == []
    for path in results(cache):
        assert storage.sha256(path.read_bytes()) == path.name.split(".")[1]
    assert set(json.loads((cache / "small.json").read_text())["steps"]) == {f"s{i}" for i in range(42)}


def test_the_results_used_longest_ago_go_first(tmp_path: Path) -> None:
    steps = Steps(tmp_path, "small")
    for number in range(4):
        steps.frame("a", {"number": number}, Maker())
    paths = {number: path for number in range(4) for path in results(tmp_path) if _holds(path, number)}
    for age, number in enumerate((2, 0, 3, 1)):
        os.utime(paths[number], (age, age))
    steps.frame("a", {"number": 2}, lambda: pytest.fail("made again"))  # used just now
    size = paths[0].stat().st_size
    assert steps.prune(10 * size) == 0
    assert steps.prune(2 * size + 1) == 2
    assert results(tmp_path) == sorted([paths[1], paths[2]])
    assert steps.prune(0) == 2
    assert results(tmp_path) == []
    assert run(tmp_path).why == "made for the first time"


def _holds(path: Path, number: int) -> bool:
    return path.name.startswith(made_from.key_of("a", made_from.recipe_of({"number": number})))


def test_a_folder_that_cannot_be_written_stops_nothing_and_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    steps = Steps(tmp_path / "file" / "cache", "small")
    for name in ("a", "b"):
        maker = Maker()
        assert_frame_equal(steps.frame(name, INGREDIENTS, maker), FRAME)
        assert maker.times == 1
    assert steps.prune(0) == 0
    assert [log.name for log in steps.log] == ["a", "cache", "b"]
    assert steps.log[1].why.startswith("results are not kept: ")
    assert "cannot be written" in steps.log[1].why


def test_a_disk_that_fills_up_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)

    def full(path: Path, content: bytes, mode: int = 0o600) -> None:
        raise OutsideError(f"{path}: cannot be written (No space left on device); nothing was changed")

    monkeypatch.setattr(storage, "write_whole", full)
    steps = Steps(tmp_path, "small")
    for name in ("a", "b"):
        assert_frame_equal(steps.frame(name, INGREDIENTS, Maker()), FRAME)
    steps.frame("features.visits", INGREDIENTS, lambda: pytest.fail("made again"))
    assert [(log.name, log.reused) for log in steps.log] == [
        ("a", False), ("cache", False), ("b", False), ("features.visits", True),
    ]  # fmt: skip
    monkeypatch.undo()
    assert run(tmp_path).reused


# ---------------------------------------------------------------- people who are left out


def test_a_study_s_results_go_when_others_are_left_out(tmp_path: Path) -> None:
    steps = Steps(tmp_path, "small")
    assert steps.forget_unless({}) == 0
    for name in ("tables.records", "features.visits"):
        steps.frame(name, {"data": "earlier"}, Maker())
        steps.frame(name, INGREDIENTS, Maker())
    Steps(tmp_path, "another").frame("features.visits", {"line": "its own"}, Maker())
    (tmp_path / "results" / "aa").mkdir(exist_ok=True)
    (tmp_path / "results" / "aa" / ".half.part").write_bytes(b"rows")
    assert Steps(tmp_path, "small").forget_unless({}) == 0
    assert Steps(tmp_path, "small").forget_unless({"objections": "1"}) == 4
    assert len(results(tmp_path)) == 1  # the other study's
    assert list(tmp_path.rglob("*.part")) == []
    assert run(tmp_path) == StepLog("features.visits", False, "the kept result is no longer there")
    assert Steps(tmp_path, "small").forget_unless({"objections": "1"}) == 0
    assert run(tmp_path).reused
    assert Steps(tmp_path, "small").forget_unless({}) == 1
    assert NO_CACHE.forget_unless({"objections": "1"}) == 0


def test_a_result_that_another_study_made_is_a_study_s_own_once_it_was_used(tmp_path: Path) -> None:
    Steps(tmp_path, "another").frame("features.visits", INGREDIENTS, Maker())
    assert run(tmp_path).reused
    assert Steps(tmp_path, "small").forget_unless({"objections": "1"}) == 1


def test_where_the_record_is_damaged_all_results_go(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "small.json").write_text("{")
    assert Steps(tmp_path, "small").forget_unless({}) == 1
    assert results(tmp_path) == []
    assert run(tmp_path).why == "made for the first time"


def test_what_was_pruned_is_no_longer_noted(tmp_path: Path) -> None:
    run(tmp_path)
    assert Steps(tmp_path, "small").prune(0) == 1
    assert json.loads((tmp_path / "small.json").read_text())["results"] == []


def test_what_cannot_be_removed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    steps = Steps(tmp_path, "small")
    steps.forget_unless({"objections": "1"})
    assert "Permission denied" in steps.log[0].why
    monkeypatch.undo()
    assert Steps(tmp_path, "small").forget_unless({"objections": "1"}) == 1
