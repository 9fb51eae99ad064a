"""MLflow shows what the record says: after each act, after a process that was killed, and when it cannot be written."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy

from riskmodels import storage, tracking
from riskmodels.commands.mirrors import ask_mlflow, tell_mlflow, tell_record
from riskmodels.errors import OutsideError, UsageError
from riskmodels.governance.chain import read_chain
from riskmodels.governance.registry import Entry
from riskmodels.tracking import store
from riskmodels.tracking.mirror import Mirror, build_mirror
from riskmodels.workspace import Workspace
from tests.governance.recorded import DIRECTOR, HEAD, Recorded

NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Told:
    """A study with two trained versions that MLflow holds as well, and nothing decided."""

    recorded: Recorded
    first: Entry
    second: Entry

    @property
    def client(self) -> mlflow.MlflowClient:
        uri = self.recorded.workspace.tracking_uri
        return mlflow.MlflowClient(uri, uri)

    @property
    def mirror(self) -> Mirror:
        return build_mirror(self.recorded.study, read_chain(self.recorded.workspace.reviews(self.recorded.study)))

    def ask(self, entry: Entry, **where: Any) -> None:
        uri = where.get("uri")
        ask_mlflow(self.recorded.study, entry, where.get("workspace", self.recorded.workspace), uri, lambda _: None)

    def promote(self, entry: Entry, on: str, **changes: Any) -> None:
        """As the command does it: MLflow is asked, the record is written, MLflow is told."""
        self.ask(entry)
        self.recorded.promote(entry, on, **changes)
        assert self.tell() is None

    def tell(self, uri: str | None = None) -> str | None:
        return tell_mlflow(self.recorded.study, self.recorded.workspace, uri)

    def shown(self) -> dict[str, str]:
        """The aliases of the live model, each with the first letters of the model that it points at."""
        live = self.client.get_registered_model(f"{self.recorded.study}-live")
        pointed = {
            alias: self.client.get_model_version(live.name, str(version)) for alias, version in live.aliases.items()
        }
        names = {self.first.model_sha256: "first", self.second.model_sha256: "second"}
        return {alias: names[version.tags["model.sha256"]] for alias, version in pointed.items()}

    def tags(self, name: str, number: int = 1) -> dict[str, str]:
        tags: dict[str, str] = self.client.get_model_version(name, str(number)).tags
        return tags

    def runs(self) -> list[Any]:
        experiment = self.client.get_experiment_by_name(f"{self.recorded.study}/governance")
        return [] if experiment is None else list(self.client.search_runs([experiment.experiment_id]))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One store for all tests of this file, since making one takes seconds; each has a study of its own in it."""
    workspace = Workspace(tmp_path_factory.mktemp("mirror") / "work")
    with tracking.connected(workspace, workspace.tracking_uri) as found:
        found.MlflowClient().search_registered_models()
    return workspace


@pytest.fixture
def told(shared: Workspace) -> Told:
    recorded = Recorded(shared, f"study_{next(NUMBERS)}")
    found = Told(recorded, recorded.version(), recorded.version())
    found.client.create_registered_model(recorded.study)
    for entry in (found.first, found.second):
        digests = {"model.sha256": entry.model_sha256, "card.sha256": entry.card_sha256}
        folder = shared.root / entry.folder / "riskmodel"
        found.client.create_model_version(
            recorded.study, folder.as_uri(), tags=digests | {"ethics.status": "not reviewed"}
        )
    return found


# ---------------------------------------------------------------- what the record says


def test_tags_follow_the_decision(told: Told) -> None:
    recorded, first = told.recorded, told.first
    pair = (first.model_sha256, first.card_sha256)

    def shown() -> tuple[str, ...]:
        tags = told.mirror.tags(pair)
        return tuple(tags[name] for name in ("ethics.status", "ethics.stage", "ethics.expires", "gates.status"))

    assert told.mirror.tags(pair) == {}
    recorded.decide(first, "2026-01-10", stage="link")
    assert shown() == ("approved", "link", "2026-07-10", "shut")
    recorded.decide(first, "2026-01-11", expires="2026-07-01")
    assert shown() == ("approved", "pilot", "2026-07-01", "awaiting promotion")
    assert told.mirror.tags(pair)["ethics.reference"] == "DEC-2026-01-11"
    recorded.promote(first, "2026-01-12")
    assert shown() == ("approved", "pilot", "2026-07-01", "champion")
    recorded.withdraw(first, "2026-01-13")
    assert shown() == ("withdrawn", "none", "none", "shut")
    assert told.mirror.tags(pair)["ethics.reference"] == "none"
    recorded.decide(first, "2026-01-14", owner_decision="refuse", advice="do not proceed", expires=None)
    assert shown() == ("refused", "pilot", "none", "shut")
    recorded.decide(first, "2026-01-15", example=True)
    assert shown()[0] == "approved (an example decision, not a real one)"


def test_a_withdrawal_counts_for_each_card_of_its_model(told: Told) -> None:
    told.recorded.withdraw(told.first, "2026-01-13")
    assert told.mirror.tags((told.first.model_sha256, "f" * 64))["ethics.status"] == "withdrawn"
    assert told.mirror.tags(("f" * 64, told.first.card_sha256)) == {}


def test_each_move_says_who_from_where_to_where_and_no_more(told: Told) -> None:
    recorded = told.recorded
    recorded.decide(told.first, "2026-01-10")
    recorded.promote(told.first, "2026-01-11", reason="Zeisig asked for it")
    recorded.promote(told.second, "2026-01-12")
    recorded.promote(told.first, "2026-01-13", rollback=True, reason="Zeisig was ill")
    recorded.withdraw(told.first, "2026-01-14", reason="Zeisig left")
    moves = told.mirror.moves
    assert [(move.action, move.tags["from"], move.tags["to"], move.tags["by.role"]) for move in moves] == [
        ("promotion", "none", "1", HEAD),
        ("promotion", "1", "2", HEAD),
        ("rollback", "2", "1", HEAD),
        ("withdrawal", "1", "none", DIRECTOR),
    ]
    assert [move.number for move in moves] == [2, 3, 4, 5]
    assert "Zeisig" not in repr(moves)
    assert "Zeisig" in repr(told.mirror.chain)


# ---------------------------------------------------------------- what MLflow shows then


def test_mlflow_shows_what_the_record_says(told: Told) -> None:
    recorded = told.recorded
    recorded.decide(told.first, "2026-01-10")
    assert told.tell() is None
    assert told.tags(recorded.study)["gates.status"] == "awaiting promotion"
    assert told.tags(recorded.study, 2)["ethics.status"] == "not reviewed"
    assert told.runs() == []
    told.promote(told.first, "2026-01-11")
    assert told.shown() == {"champion": "first"}
    told.promote(told.second, "2026-01-12")
    assert told.shown() == {"champion": "second", "previous": "first"}
    told.promote(told.first, "2026-01-13", rollback=True, reason="Drift")
    assert told.shown() == {"champion": "first"}
    told.promote(told.second, "2026-01-14")
    assert told.shown() == {"champion": "second", "previous": "first"}
    recorded.withdraw(told.second, "2026-01-15")
    assert told.tell() is None
    assert told.shown() == {"previous": "first"}
    assert told.tags(f"{recorded.study}-live", 2)["ethics.status"] == "withdrawn"
    # One version for each model and card, however often it was champion, and one run for each move.
    assert len(told.client.search_model_versions(f"name = '{recorded.study}-live'")) == 2
    assert sorted(run.info.run_name for run in told.runs()) == [
        "record 2: promotion", "record 3: promotion", "record 4: rollback", "record 5: promotion",
        "record 6: withdrawal",
    ]  # fmt: skip
    assert {run.info.status for run in told.runs()} == {"FINISHED"}


def test_telling_it_again_changes_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.recorded.decide(told.first, "2026-01-10")
    told.promote(told.first, "2026-01-11")
    told.promote(told.second, "2026-01-12")
    writes = [name for name in dir(mlflow.MlflowClient) if name.startswith(("set_", "create_", "delete_", "log_"))]
    assert "set_registered_model_alias" in writes
    for name in writes:

        def refuse(*_: Any, name: str = name, **__: Any) -> None:
            raise AssertionError(name)

        monkeypatch.setattr(mlflow.MlflowClient, name, refuse)
    assert told.tell() is None
    told.recorded.withdraw(told.second, "2026-01-13")
    with pytest.raises(AssertionError, match="delete_registered_model_alias"):
        told.tell()


def test_what_was_missed_is_made_up_for(told: Told) -> None:
    """Nobody told MLflow of any of it; a run that was begun and not ended is ended."""
    recorded = told.recorded
    recorded.decide(told.first, "2026-01-10")
    for number, entry in enumerate((told.first, told.second)):
        told.ask(entry)
        recorded.promote(entry, f"2026-01-1{number + 1}")
    experiment = told.client.create_experiment(f"{recorded.study}/governance")
    told.client.create_run(experiment, tags=dict(told.mirror.moves[0].tags))
    assert told.tell() is None
    assert told.shown() == {"champion": "second", "previous": "first"}
    assert len(told.runs()) == 2
    assert {run.info.status for run in told.runs()} == {"FINISHED"}


def test_killed_before_the_record_no_alias_points_at_what_was_asked_for(told: Told) -> None:
    told.recorded.decide(told.first, "2026-01-10")
    told.promote(told.first, "2026-01-11")
    told.ask(told.second)
    assert told.shown() == {"champion": "first"}
    assert told.tell() is None
    assert told.shown() == {"champion": "first"}
    told.promote(told.second, "2026-01-12")
    assert len(told.client.search_model_versions(f"name = '{told.recorded.study}-live'")) == 2


def test_an_alias_that_somebody_moved_is_put_back(told: Told) -> None:
    told.recorded.decide(told.first, "2026-01-10")
    told.promote(told.first, "2026-01-11")
    told.ask(told.second)
    told.client.set_registered_model_alias(f"{told.recorded.study}-live", "champion", "2")
    assert told.shown() == {"champion": "second"}
    assert told.tell() is None
    assert told.shown() == {"champion": "first"}


def test_a_record_that_was_cut_is_noticed(told: Told) -> None:
    """Cut and sealed anew, head and all, so that the record alone looks whole: MLflow knows of one move more."""
    recorded = told.recorded
    told.recorded.decide(told.first, "2026-01-10")
    told.promote(told.first, "2026-01-11")
    path = recorded.workspace.reviews(recorded.study)
    kept, head = path.read_bytes(), path.with_suffix(".head").read_bytes()
    recorded.withdraw(told.first, "2026-01-12")
    assert told.tell() is None
    path.write_bytes(kept)
    path.with_suffix(".head").write_bytes(head)
    assert len(read_chain(path)) == 2
    warning = told.tell()
    assert warning is not None
    assert "has a move that this record has not (record 3)" in warning
    with pytest.raises(OutsideError, match="compare the record with a copy"):
        tell_record(recorded.study, recorded.workspace, None)


# ---------------------------------------------------------------- what is refused


def test_a_version_that_mlflow_does_not_hold(told: Told) -> None:
    absent = told.recorded.version()
    with pytest.raises(OutsideError, match=r"holds no version.*run the study again.*nothing was recorded"):
        told.ask(absent)


def test_elsewhere_a_version_has_to_be_the_model_that_its_tags_name(told: Told, tmp_path: Path) -> None:
    """Those who train may write the tags: here the second version claims to be an approved one, and one truly is."""
    manifest = b'{"format": 1}\n'
    other = Workspace(tmp_path / "work")
    uri = told.recorded.workspace.tracking_uri
    for number, content in (("1", manifest), ("2", b"another")):
        folder = Path(tmp_path / number / "artifacts" / "riskmodel")
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(content)
        digests = {"model.sha256": storage.sha256(manifest), "card.sha256": number * 64}
        told.client.create_model_version(told.recorded.study, folder.parents[1].as_uri(), tags=digests)
    true, false = (
        told.first.model_copy(update={"model_sha256": storage.sha256(manifest), "card_sha256": number * 64})
        for number in "12"
    )
    told.ask(true, workspace=other, uri=uri)
    with pytest.raises(OutsideError, match="is not the model that its tags name; nothing was recorded"):
        told.ask(false, workspace=other, uri=uri)


def test_without_a_store_there_is_nobody_to_tell(told: Told, tmp_path: Path) -> None:
    recorded = Recorded(Workspace(tmp_path / "work"))
    entry = recorded.version()
    recorded.withdraw(entry, "2026-01-12")
    ask_mlflow(recorded.study, entry, recorded.workspace, None, lambda _: None)
    assert tell_mlflow(recorded.study, recorded.workspace) is None
    assert not (recorded.workspace.root / "mlflow.db").exists()
    with pytest.raises(UsageError, match="no MLflow store is there to tell"):
        tell_record(recorded.study, recorded.workspace, None)
    with pytest.raises(UsageError, match="has no record"):
        tell_record("nothing", recorded.workspace, None)


# ---------------------------------------------------------------- a store that cannot be written


@contextmanager
def full_disk() -> Iterator[None]:
    """No database grows any more: SQLite says what it says on a full disk."""

    def fill(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", fill)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", fill)


def promoted_unknown_to_mlflow(told: Told) -> bytes:
    told.recorded.decide(told.first, "2026-01-10")
    told.recorded.promote(told.first, "2026-01-11")
    return told.recorded.workspace.reviews(told.recorded.study).read_bytes()


def copy_of(told: Told, folder: Path) -> Path:
    return Path(shutil.copy(told.recorded.workspace.root / "mlflow.db", folder / "copy.db"))


def test_a_read_only_database_is_one_line(told: Told, tmp_path: Path) -> None:
    before = promoted_unknown_to_mlflow(told)
    uri = f"sqlite:///file:{copy_of(told, tmp_path)}?mode=ro&uri=true"
    with pytest.raises(OutsideError, match=r"may not be written; change its permissions.*; nothing was recorded"):
        told.ask(told.first, uri=uri, workspace=told.recorded.workspace)
    warning = told.tell(uri)
    assert warning is not None
    assert "may not be written" in warning
    assert f"the record stands; tell MLflow of it later with: riskmodels tell-mlflow {told.recorded.study}" in warning
    assert told.recorded.workspace.reviews(told.recorded.study).read_bytes() == before


def test_a_full_disk_is_one_line(told: Told, tmp_path: Path) -> None:
    promoted_unknown_to_mlflow(told)
    path = copy_of(told, tmp_path)
    with sqlite3.connect(path) as database:
        # A small row may still find room in a page that is there: this one does not.
        grow = "UPDATE registered_models SET description = hex(zeroblob(9000)) WHERE name = NEW.name"
        database.execute(f"CREATE TRIGGER grow AFTER INSERT ON registered_models BEGIN {grow}; END")
        database.execute("VACUUM")
    with full_disk(), pytest.raises(OutsideError, match=r"its disk is full; make room.*nothing was recorded"):
        told.ask(told.first, uri=f"sqlite:///{path}")
    with full_disk():
        warning = told.tell(f"sqlite:///{path}")
    assert warning is not None
    assert "its disk is full" in warning


@pytest.mark.slow
def test_a_locked_database_is_one_line(told: Told, tmp_path: Path) -> None:
    before = promoted_unknown_to_mlflow(told)
    path = copy_of(told, tmp_path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        started = time.monotonic()
        with pytest.raises(OutsideError, match=r"in use by another program.*nothing was recorded"):
            told.ask(told.first, uri=f"sqlite:///{path}")
        warning = told.tell(f"sqlite:///{path}")
        assert warning is not None
        assert "in use by another program" in warning
        assert time.monotonic() - started < 120
    finally:
        holder.close()
    assert told.recorded.workspace.reviews(told.recorded.study).read_bytes() == before
    after = told.tell(f"sqlite:///{path}")
    assert after is not None
    assert "the files of its" in after  # in a copy of the store that is not the workspace's own


# ---------------------------------------------------------------- a server that is not there


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens: bound, so that nobody else takes it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_server_that_is_not_there_is_tried_again_and_then_one_line(
    told: Told, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    promoted_unknown_to_mlflow(told)
    said: list[str] = []
    environment = dict(os.environ)
    warning = tell_mlflow(told.recorded.study, told.recorded.workspace, nowhere, said.append)
    assert said == ["MLflow cannot be reached; trying again"] * 3
    assert warning is not None
    assert f"MLflow at {nowhere}: it cannot be reached, 4 times" in warning
    assert "the record stands" in warning
    assert len(warning.splitlines()) == 1
    assert {name: os.environ.get(name) for name in environment} == environment
    assert store.RETRIES_VARIABLE not in os.environ


def test_the_waits_for_a_server_are_bounded() -> None:
    assert sum(store.WAITS) + store.ANSWERS_WITHIN * (len(store.WAITS) + 1) < 20


def test_no_password_is_printed(told: Told, nowhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAITS", ())
    address = nowhere.replace("//", "//me:secret-word@") + "/"
    warning = told.tell(address)
    assert warning is not None
    assert nowhere in warning
    assert "secret-word" not in warning
