"""Time and a batch: what ends while it runs, or before it is gone on with, and a clock that was set back."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from riskmodels import commands
from riskmodels.errors import GateError
from riskmodels.governance.chain import Digests, read_chain, writing
from riskmodels.study import clock
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, TODAY, Demo
from tests.end_to_end.served import call, refused

NAME = "early_reading_support"
LAST = dt.date(2027, 5, 22)  # of the EXAMPLE approval
DAY = dt.timedelta(days=1)
BY = ("--by", "Head of School Improvement")


def score(
    workspace: Workspace, demo: Demo, output: Path, today: dt.date, progress: Callable[[str], None], **more: Any
) -> commands.ScoreReport:
    return commands.score(NAME, demo.data, output, workspace, today, as_of=AS_OF, progress=progress, **more)


def withdraw(workspace: Workspace, today: dt.date = TODAY) -> None:
    commands.withdraw(NAME, workspace, today, by_role="Head of Service", reason="The spring test changed")


def kept(workspace: Workspace) -> dict[str, bytes]:
    """What the workspace knows of batches."""
    folder = workspace.root / "batches"
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


@pytest.fixture
def bare(workspace: Workspace) -> Workspace:
    """The demo's workspace with another capacity's batch still to be made, and no MLflow to be told."""
    (workspace.root / "mlflow.db").unlink()
    return workspace


@pytest.mark.parametrize("moment", ["reading the cohort", "scoring", "scored:", "writing the list"])
def test_a_model_withdrawn_while_its_batch_runs_leaves_no_list(
    bare: Workspace, demo: Demo, tmp_path: Path, moment: str
) -> None:
    before, met = kept(bare), []

    def interfere(said: str) -> None:
        if moment in said and not met:
            met.append(said)
            withdraw(bare)

    with pytest.raises(GateError, match="the model was withdrawn on 2026-11-22 by the Head of Service"):
        score(bare, demo, tmp_path / "list.csv", TODAY, interfere, capacity=7)
    assert met
    assert kept(bare) == before
    assert not [path for path in tmp_path.glob("*") if path.is_file()]


def test_a_withdrawal_waits_while_a_list_takes_its_place(
    bare: Workspace, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the last question to the gate until the ledger knows of the list nobody can write to the record."""
    from riskmodels.service import batch
    from riskmodels.service.people import ledger

    waiting, seen = Thread(target=withdraw, args=(bare,)), []
    publish, append = batch.publish, ledger.append_batch

    def published(*given: Any) -> None:
        waiting.start()
        publish(*given)

    def appended(*given: Any) -> bool:
        waiting.join(timeout=0.5)
        seen.append((waiting.is_alive(), read_chain(bare.reviews(NAME))[-1]))
        return append(*given)

    monkeypatch.setattr(batch, "publish", published)
    monkeypatch.setattr(ledger, "append_batch", appended)
    report = score(bare, demo, tmp_path / "list.csv", TODAY, lambda said: None, capacity=7)
    waiting.join()
    ((waited, newest),) = seen
    assert (waited, newest.act.kind, read_chain(bare.reviews(NAME))[-1].act.kind) == (True, "promotion", "withdrawal")
    (line,) = (line for line in ledger.read_ledger(bare) if line["batch_id"] == report.batch_id)
    assert line["record_sha256"] == newest.sha256


def test_a_record_that_was_put_back_scores_nobody(bare: Workspace, demo: Demo, tmp_path: Path) -> None:
    """A copy of governance/ from before an act, after which a list was made."""
    earlier, chain = tmp_path / "earlier", bare.reviews(NAME)
    shutil.copytree(bare.root / "governance", earlier)
    newest = read_chain(chain)[-1]
    with writing(chain, TODAY) as pen:
        pen.append(newest.act, Digests(newest.model_sha256, newest.card_sha256))
    score(bare, demo, tmp_path / "list.csv", TODAY, lambda said: None, capacity=7)
    shutil.rmtree(bare.root / "governance")
    shutil.copytree(earlier, bare.root / "governance")
    command = ["score", NAME, demo.data, "--as-of", AS_OF, "--output", tmp_path / "again.csv"]
    refused(call(bare, *command, today=TODAY), 6, "the review record is older than a list that was made by it")
    assert not (tmp_path / "again.csv").exists()


def test_a_champion_replaced_while_its_batch_runs_leaves_no_list(
    workspace: Workspace, demo: Demo, tmp_path: Path
) -> None:
    from tests.end_to_end.test_promotions import approve_second, second_version

    before, met = kept(workspace), []
    with pytest.MonkeyPatch.context() as unlooked:
        second_version(workspace)
        approve_second(workspace, unlooked, TODAY)

        def interfere(said: str) -> None:
            if "scoring" in said and not met:
                met.append(said)
                commands.promote(f"{NAME}/2", workspace, TODAY, by_role="Head of Service")

        with pytest.raises(GateError, match="the champion is version 2, and only the champion scores"):
            score(workspace, demo, tmp_path / "list.csv", TODAY, interfere, capacity=7)
    assert met
    assert (kept(workspace), (tmp_path / "list.csv").exists()) == (before, False)


def test_an_approval_that_ends_at_a_midnight_in_between_leaves_no_list(
    bare: Workspace, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, days = kept(bare), [dt.date(2030, 1, 1)]
    monkeypatch.setattr(clock, "today", lambda: days[-1])

    def midnight(said: str) -> None:
        if "scoring" in said:
            days.append(days[0] + DAY)

    with pytest.raises(GateError, match="the approval expired on 2027-05-22"):
        score(bare, demo, tmp_path / "list.csv", LAST, midnight, capacity=7)
    assert len(days) > 1
    assert (kept(bare), (tmp_path / "list.csv").exists()) == (before, False)
    days[:] = days[:1]
    assert score(bare, demo, tmp_path / "list.csv", LAST, lambda said: None, capacity=7).counts["listed"] == 7


def test_a_batch_that_was_stopped_is_not_gone_on_with_after_a_withdrawal(
    bare: Workspace, demo: Demo, tmp_path: Path
) -> None:
    """Its parts and the workspace's cache are there, scored with the model while it might be used."""
    before = kept(bare)

    def stop(said: str) -> None:
        if "writing the list" in said:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(bare, demo, tmp_path / "list.csv", TODAY, stop, capacity=7)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".list")]
    withdraw(bare)
    command = ["score", NAME, demo.data, "--as-of", AS_OF, "--output", tmp_path / "list.csv", "--capacity", "7"]
    for resume in ([], ["--resume"]):
        refused(call(bare, *command, *resume, today=TODAY), 6, "the model was withdrawn on 2026-11-22")
    assert (kept(bare), (tmp_path / "list.csv").exists()) == (before, False)


def test_what_was_scored_later_shows_a_clock_that_was_set_back(bare: Workspace, demo: Demo, tmp_path: Path) -> None:
    """The record may be older than the last batch."""
    score(bare, demo, tmp_path / "list.csv", TODAY + 3 * DAY, lambda said: None, capacity=7)
    command = ["score", NAME, demo.data, "--as-of", AS_OF, "--output", tmp_path / "again.csv"]
    refused(call(bare, *command, today=TODAY + 2 * DAY), 6, "the workspace was last written on 2026-11-25; correct the")
    refused(call(bare, *command, today=TODAY - DAY), 6, "the record was last written on 2026-11-22; correct the clock")
    assert not (tmp_path / "again.csv").exists()


def test_no_cohort_of_a_day_after_the_approval(bare: Workspace, demo: Demo, tmp_path: Path) -> None:
    command = ["score", NAME, demo.data, "--output", tmp_path / "list.csv", "--as-of", LAST + DAY]
    refused(call(bare, *command, today=LAST), 2, "is in the future")
    refused(call(bare, *command, today=LAST + DAY), 6, "expired on 2027-05-22")


def test_the_champion_of_a_study_whose_champion_was_withdrawn(bare: Workspace, demo: Demo, tmp_path: Path) -> None:
    withdraw(bare)
    command = [demo.data, "--as-of", AS_OF, "--output", tmp_path / "list.csv"]
    refused(call(bare, "score", f"{NAME}@champion", *command, today=TODAY), 6, "has no champion now")
    refused(call(bare, "score", NAME, *command, today=TODAY), 6, "the model was withdrawn on 2026-11-22")
    assert not (tmp_path / "list.csv").exists()
