"""Whoever writes a record is killed at every step, has a full disk at every step, or is not alone."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import GateError, OutsideError
from riskmodels.governance import chain as chain_file
from riskmodels.governance.chain import read_chain, unfinished_line, writing
from tests.interrupted import at_step, dies_at, fill, steps_left

TODAY = dt.date(2026, 11, 23)
BEGUN = b'{"act":{"adv'


def aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.unfinished")


@pytest.fixture
def two(governed: Any) -> Any:
    governed.decide()
    governed.promote()
    return governed


def refusal_of(governed: Any) -> str:
    with pytest.raises(GateError) as refusal:
        read_chain(governed.path)
    return str(refusal.value)


# ---------------------------------------------------------------- a line without an end


def test_a_line_that_was_never_finished_counts_for_nothing_and_is_put_aside(two: Any) -> None:
    before = read_chain(two.path)
    assert unfinished_line(two.path) is None
    two.path.write_bytes(two.path.read_bytes() + BEGUN)
    assert read_chain(two.path) == before
    assert "line 3 of" in (unfinished_line(two.path) or "")
    assert not aside(two.path).exists()  # reading changes nothing
    two.withdraw()
    assert [line.act.kind for line in read_chain(two.path)] == ["decision", "promotion", "withdrawal"]
    assert unfinished_line(two.path) is None
    assert aside(two.path).read_bytes() == BEGUN
    assert aside(two.path).stat().st_mode & 0o077 == 0


def test_bytes_that_are_no_text_are_put_aside_as_they_are(two: Any) -> None:
    """A machine that lost its power can leave what was never written."""
    two.path.write_bytes(two.path.read_bytes() + b"\0\xff" * 300)
    two.withdraw()
    assert len(read_chain(two.path)) == 3
    assert aside(two.path).read_bytes() == b"\0\xff" * 300


def test_a_last_line_that_was_acknowledged_is_missed_wherever_it_is_cut(two: Any) -> None:
    whole, last = two.path.read_bytes(), len(two.lines[-1])
    for cut in (*range(1, 40), *range(40, last, 7), last - 1):
        two.path.write_bytes(whole[:-cut])
        assert "line 2: is cut short" in refusal_of(two)
        with pytest.raises(GateError, match="is cut short"):
            two.withdraw()
    two.path.write_bytes(whole[:-last])
    assert "line 2: is missing (2 were recorded)" in refusal_of(two)
    assert not aside(two.path).exists()


@pytest.mark.parametrize("head", [None, 0, 1])
def test_an_unfinished_line_behind_what_the_head_does_not_know_is_a_broken_record(two: Any, head: int | None) -> None:
    """A writer moves the head up before it begins a line: so this is none that it left."""
    beside = two.path.with_suffix(".head")
    if head is None:
        beside.unlink()
    else:
        seal = json.loads(two.lines[0])["sha256"] if head else "0" * 64
        beside.write_bytes(storage.canonical_json({"seq": head, "sha256": seal}))
    two.path.write_bytes(two.path.read_bytes() + BEGUN)
    assert "line 3: is cut short" in refusal_of(two)


def test_a_whole_line_that_does_not_verify_is_never_taken_for_an_unfinished_one(two: Any) -> None:
    two.path.write_bytes(two.path.read_bytes() + BEGUN + b"\n")
    assert "line 3: is not a review record" in refusal_of(two)


# ---------------------------------------------------------------- killed, and full


def lines_of(governed: Any) -> list[str]:
    return [line.act.kind for line in read_chain(governed.path)]


def every_step(act: Callable[[int], bool]) -> int:
    """How many steps an act takes: it is done for each until one is beyond its last."""
    step = 0
    while act(step):
        step += 1
    return step


@pytest.mark.parametrize("before", [0, 1])
def test_killed_at_any_step_the_act_is_there_whole_or_not_at_all(governed: Any, tmp_path: Path, before: int) -> None:
    acts: list[Callable[[], Any]] = [governed.decide, governed.promote]
    for act in acts[:before]:
        act()
    folder, kept, came = governed.path.parent, tmp_path / "kept", set()
    folder.mkdir(exist_ok=True)
    shutil.copytree(folder, kept)

    def killed(step: int) -> bool:
        # What a step leaves would have the next act take other steps: each is of the same act.
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        was = lines_of(governed)
        died = dies_at(step, tmp_path, acts[before])
        now = lines_of(governed)  # so it verifies
        new = ["decision", "promotion"][before]
        assert now in (was, [*was, new])
        assert died or now == [*was, new]
        came.add((died, now == was))
        # Whoever comes next needs to tidy nothing up.
        if now != was:
            governed.withdraw()
            assert lines_of(governed) == [*now, "withdrawal"]
        else:
            acts[before]()
            assert lines_of(governed) == [*was, new]
        if died:
            assert not list(governed.path.parent.glob(".*.part"))
        return died

    assert every_step(killed) > 8
    assert came == {(True, True), (True, False), (False, False)}
    assert governed.path.stat().st_mode & 0o077 == 0


def test_a_torn_line_is_among_what_a_kill_leaves(two: Any, tmp_path: Path) -> None:
    """So that the test above is known to have met one."""

    def killed(step: int) -> bool:
        died = dies_at(step, tmp_path, two.withdraw)
        return died and unfinished_line(two.path) is None

    every_step(killed)
    assert unfinished_line(two.path) is not None


def test_a_disk_that_is_full_at_any_step_changes_nothing_or_says_that_the_line_stands(two: Any, tmp_path: Path) -> None:
    said = set()

    def filled(step: int) -> bool:
        was, bytes_were = lines_of(two), two.path.read_bytes()
        refusal, was_met = None, True
        with at_step(step, tmp_path, fill):
            try:
                two.withdraw()
            except OutsideError as full:
                refusal = str(full)
            was_met = steps_left() < 0
        stands = refusal is None or f"record {len(was) + 1} stands" in refusal
        assert lines_of(two) == ([*was, "withdrawal"] if stands else was)
        assert stands or two.path.read_bytes() == bytes_were
        if refusal is not None:
            said.add(stands)
            assert stands or "nothing was changed" in refusal
            assert "\n" not in refusal
        return was_met

    assert every_step(filled) > 8
    assert said == {True, False}
    two.withdraw()
    assert read_chain(two.path)


def test_a_line_that_the_disk_cut_is_not_called_recorded(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def short_write(path: Path, line: str) -> None:
        with path.open("ab") as file:
            file.write(line.encode()[:50])

    with monkeypatch.context() as full:
        full.setattr(storage, "append_line", short_write)
        with pytest.raises(OutsideError, match="did not take record 3 whole; nothing was recorded"):
            two.withdraw()
    assert lines_of(two) == ["decision", "promotion"]
    two.withdraw()
    assert lines_of(two) == ["decision", "promotion", "withdrawal"]


# ---------------------------------------------------------------- not alone


def test_whoever_judged_by_a_shorter_record_is_told(two: Any) -> None:
    with (
        pytest.raises(GateError, match=r"meanwhile head of service recorded a promotion \(record 2\); nothing was"),
        writing(two.path, TODAY, follows=1),
    ):
        pytest.fail("the pen was given")
    with writing(two.path, TODAY, follows=2) as writer:
        assert len(writer.chain) == 2


def test_many_read_while_some_write(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told of a broken record that is not, not even who reads the head long before the lines."""
    read_head, slow = chain_file._read_head, threading.Event()

    def head_first(path: Path) -> Any:
        head = read_head(path)
        if threading.current_thread().name == "reader":
            slow.wait(0.002)
        return head

    monkeypatch.setattr(chain_file, "_read_head", head_first)
    ended, lengths, faults = threading.Event(), [], []

    def read() -> None:
        seen = 0
        while not ended.is_set():
            try:
                now = len(read_chain(two.path))
            except GateError as fault:
                faults.append(fault)
                return
            assert now >= seen
            seen = now
        lengths.append(seen)

    readers = [threading.Thread(target=read, name="reader") for _ in range(3)]
    writers = [threading.Thread(target=lambda: [two.promote() for _ in range(15)]) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert len(lengths) == 3
    assert len(read_chain(two.path)) == 32
