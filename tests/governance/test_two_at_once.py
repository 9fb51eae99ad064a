"""Two people act at once: one is first, the other is told, and whoever looks meanwhile sees a whole record."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands
from riskmodels.errors import GateError, RiskModelsError
from riskmodels.governance.registry import read_index
from riskmodels.governance.standing import states
from tests.governance.acting import HEAD, Acting, add_version, name
from tests.governance.conftest import DECISION, STUDY, TODAY

ROOT = Path(__file__).parents[2]
# A process of its own that waits for the others where its command says that it has come to ask the gate.
TOGETHER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from riskmodels import commands
from riskmodels.commands import card_checks
from riskmodels.errors import RiskModelsError
from riskmodels.workspace import Workspace
import datetime as dt
card_checks.failing_checks = lambda *asked: []
root, reference, mine, others = Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), sys.argv[5:]
def wait(said):
    if said == "asking the gate":
        mine.touch()
        until = time.monotonic() + 60
        while not all(map(lambda name: Path(name).exists(), others)) and time.monotonic() < until:
            time.sleep(0.001)
try:
    commands.promote(reference, Workspace(root), dt.date(2026, 11, 23), by_role="head of service", progress=wait)
except RiskModelsError as error:
    print(error, file=sys.stderr)
    sys.exit(int(error.exit_code))
"""


def at_once(*acts: Callable[[], Any]) -> list[str | None]:
    """What each was refused with; None for who was not. Each in a thread of its own."""
    said: list[str | None] = [None] * len(acts)

    def do(place: int) -> None:
        try:
            acts[place]()
        except RiskModelsError as error:
            said[place] = f"{int(error.exit_code)} {error}"

    working = [threading.Thread(target=do, args=(place,)) for place in range(len(acts))]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return said


def when_all_are_there(count: int) -> Callable[[str], None]:
    """A progress that lets nobody past the gate before ``count`` are at it."""
    barrier = threading.Barrier(count, timeout=60)

    def progress(said: str) -> None:
        if said == "asking the gate":
            barrier.wait()

    return progress


def promoted(acting: Acting, version: int, progress: Callable[[str], None]) -> Callable[[], Any]:
    return lambda: commands.promote(name(version), acting.workspace, TODAY, by_role=HEAD, progress=progress)


def test_of_two_promotions_one_wins_and_the_other_is_told(acting: Acting) -> None:
    before = acting.kinds
    together = when_all_are_there(2)
    said = at_once(promoted(acting, 1, together), promoted(acting, 3, together))
    assert sorted(line is None for line in said) == [False, True]
    (loser,) = [line for line in said if line]
    assert loser.startswith("6 meanwhile head of service recorded a promotion (record 6); nothing was changed")
    assert acting.kinds == [*before, "promotion"]
    assert acting.champion == (1 if said[0] is None else 3)


def test_one_after_the_other_both_win(acting: Acting) -> None:
    """So that it is their being at once that the test above is about."""
    for version in (1, 3):
        promoted(acting, version, lambda said: None)()
        assert acting.champion == version


def test_of_two_processes_one_wins_and_the_other_is_told(acting: Acting, tmp_path: Path) -> None:
    flags = [tmp_path / "one", tmp_path / "two"]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, ROOT, acting.workspace.root, name(version), mine, *flags],
            stderr=subprocess.PIPE, text=True,
        )
        for version, mine in zip((1, 3), flags, strict=True)
    ]  # fmt: skip
    said = [child.communicate(timeout=120)[1] for child in children]
    assert sorted(child.returncode for child in children) == [0, 6], said
    assert sum("meanwhile head of service recorded a promotion" in line for line in said) == 1
    assert acting.champion == (1 if children[0].returncode == 0 else 3)
    assert acting.kinds.count("promotion") == 3


def test_a_withdrawal_comes_through_while_its_model_is_promoted(acting: Acting) -> None:
    """Whichever is first: the model is not champion afterwards."""
    withdrawn = threading.Event()

    def wait(said: str) -> None:
        if said == "asking MLflow":
            assert withdrawn.wait(60)

    def withdraw() -> None:
        commands.withdraw(name(3), acting.workspace, TODAY, by_role=HEAD, reason="The source changed")
        withdrawn.set()

    said = at_once(promoted(acting, 3, wait), withdraw)
    assert said[1] is None
    assert str(said[0]).startswith("6 meanwhile head of service recorded a withdrawal")
    assert acting.champion == 2
    assert acting.states()[3] == "WITHDRAWN"


def test_a_withdrawal_does_not_wait_for_a_server_that_a_promotion_waits_for(
    acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, answer = threading.Event(), threading.Event()

    def slow(*asked: Any) -> None:
        waiting.set()
        assert answer.wait(60)

    monkeypatch.setattr("riskmodels.commands.promotions.ask_mlflow", slow)
    promotion = threading.Thread(target=lambda: at_once(promoted(acting, 3, lambda said: None)))
    promotion.start()
    assert waiting.wait(60)
    commands.withdraw(name(2), acting.workspace, TODAY, by_role=HEAD, reason="The source changed")
    assert acting.champion is None
    answer.set()
    promotion.join()
    assert acting.champion is None


def test_of_two_withdrawals_one_is_recorded(acting: Acting) -> None:
    def withdraw() -> None:
        commands.withdraw(name(2), acting.workspace, TODAY, by_role=HEAD, reason="The source changed")

    said = at_once(withdraw, withdraw, withdraw)
    assert sorted(line is None for line in said) == [False, False, True]
    assert all("was withdrawn on 2026-11-23 by the head of service" in line for line in said if line)
    assert acting.kinds.count("withdrawal") == 1


def test_of_two_decisions_the_second_is_told(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has read the record before the other wrote: it would not know what it overrules."""
    before = acting.kinds
    together = threading.Barrier(2, timeout=60)
    monkeypatch.setattr("riskmodels.commands.deposits.deposit", lambda *asked: together.wait())

    def decide(minute: str) -> None:
        decision = {**DECISION, "meeting": {"date": str(TODAY), "minute": minute}}
        commands.record_review(name(3), decision, acting.workspace, TODAY)

    said = at_once(lambda: decide("DEC-A"), lambda: decide("DEC-B"))
    (loser,) = [line for line in said if line]
    assert loser.startswith("6 meanwhile director of children's services recorded a decision (record 6)")
    assert acting.kinds == [*before, "decision"]
    assert acting.states()[3] == "APPROVED"


def test_a_registration_and_a_promotion_do_not_hold_each_other_up(acting: Acting) -> None:
    said = at_once(
        lambda: add_version(acting.workspace, "fourth"),
        lambda: add_version(acting.workspace, "fifth"),
        promoted(acting, 3, lambda said: None),
    )
    assert said == [None, None, None]
    known = read_index(acting.workspace)[STUDY]
    assert [entry.version for entry in known.versions] == [1, 2, 3, 4, 5]
    assert acting.champion == 3


def test_whoever_looks_while_others_act_sees_a_whole_record(acting: Acting) -> None:
    ended = threading.Event()
    seen: list[set[str]] = []

    def look() -> None:
        while not ended.is_set():
            seen.append({row["state"] for row in states(acting.workspace, TODAY)})

    def take_turns(version: int) -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            with suppress(GateError):  # told that the other was first
                promoted(acting, version, lambda said: None)()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for thread in lookers:
        thread.start()
    assert at_once(lambda: take_turns(1), lambda: take_turns(3)) == [None, None]
    ended.set()
    for thread in lookers:
        thread.join()
    assert len(seen) > 5
    assert all(found == {"APPROVED"} for found in seen)
    assert acting.kinds.count("promotion") > 4
