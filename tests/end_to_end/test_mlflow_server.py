"""A real MLflow server with its permissions on: the how-to's own commands, and what each account may and may not do."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests

from riskmodels import commands
from riskmodels.__main__ import run
from riskmodels.commands.demonstration import approved_by, example_decision
from riskmodels.errors import OutsideError
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, ROOT, STUDY, TODAY, Demo
from tests.end_to_end.served import Called, call, refused

pytest.importorskip("flask_wtf", reason="MLflow's accounts need the extra `server`")
pytestmark = pytest.mark.slow

NAME = "early_reading_support"
LIVE = f"{NAME}-live"
HOW_TO = (ROOT / "docs" / "shared-server.md").read_text(encoding="utf-8")
BY = ("--by", approved_by(STUDY / "example_decision.yaml"))
FIRST = {name: f"first password of {name}" for name in ("admin", "data_scientist", "approver", "service")}


def block(language: str, holding: str) -> str:
    """The one block of code in the how-to that holds these words."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", HOW_TO, flags=re.DOTALL) if holding in text]
    assert len(found) == 1, (language, holding)
    return str(found[0])


@dataclass
class Server:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    passwords: dict[str, str] = field(default_factory=lambda: dict(FIRST))

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = block("sh", "mlflow server").replace("python -m", f"exec {sys.executable} -m")
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", command.replace("--port 5000", f"--port {self.port}")],
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in range(240):
            try:
                if requests.get(f"{self.uri}/health", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                time.sleep(0.5)
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-3000:]
        raise AssertionError((self.folder / "server.log").read_text()[-3000:])

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    @contextmanager
    def account(self, name: str | None, **more: str) -> Iterator[None]:
        """The environment of somebody who has this account; of nobody, where none is named."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", self.uri)
            for variable in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
                patch.delenv(variable, raising=False)
            if name is not None:
                patch.setenv("MLFLOW_TRACKING_USERNAME", name)
                patch.setenv("MLFLOW_TRACKING_PASSWORD", self.passwords[name])
            for variable, value in more.items():
                patch.setenv(variable, value)
            yield

    def as_(self, name: str | None, ask: Callable[[mlflow.MlflowClient], Any]) -> Any:
        with self.account(name):
            return ask(mlflow.MlflowClient(self.uri, self.uri))

    def aliases(self) -> dict[str, str]:
        live = self.as_("admin", lambda client: client.get_registered_model(LIVE))
        return {name: str(version) for name, version in live.aliases.items()}

    def tags(self, model: str) -> dict[str, str]:
        found: dict[str, str] = self.as_("admin", lambda client: client.get_model_version(model, "1").tags)
        return found

    def moves(self) -> list[tuple[str, str, str, str]]:
        def ask(client: mlflow.MlflowClient) -> list[Any]:
            return list(client.search_runs([client.get_experiment_by_name(f"{NAME}/governance").experiment_id]))

        told = sorted((run.data.tags for run in self.as_("admin", ask)), key=lambda tags: int(tags["record.number"]))
        return [(tags["action"], tags["from"], tags["to"], tags["by.role"]) for tags in told]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Set up as the how-to says, down to the administrator's new password."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "basic_auth.ini").write_text(block("ini", "[mlflow]"))
    (folder / "admin_password").write_text(FIRST["admin"])
    (folder / "secret_key").write_text("not a secret in a test")
    found = Server(folder, port)
    try:
        found.start()
        given = {f"FIRST_PASSWORD_OF_{name.upper()}": password for name, password in FIRST.items()}
        with found.account("admin", STUDY=NAME, **given):
            run_block("create_user")
        with found.account("admin", NEW_PASSWORD="another password of admin"):
            run_block("update_user_password")
        found.passwords["admin"] = "another password of admin"
        yield found
    finally:
        found.stop()


def run_block(holding: str) -> None:
    done = subprocess.run([sys.executable, "-c", block("python", holding)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@dataclass(frozen=True)
class Team:
    server: Server
    workspace: Workspace
    data: Path

    @property
    def record(self) -> bytes:
        path = self.workspace.reviews(NAME)
        return path.read_bytes() if path.exists() else b""

    def call(self, account: str | None, *arguments: object) -> Called:
        with self.server.account(account):
            return call(self.workspace, *arguments, today=TODAY)

    def tell(self, account: str, *more: object) -> Called:
        """`riskmodels tell-mlflow`, which has no day."""
        out, err = io.StringIO(), io.StringIO()
        asked = ["tell-mlflow", NAME, *map(str, more), "--workspace", str(self.workspace.root)]
        with self.server.account(account), redirect_stdout(out), redirect_stderr(err):
            code = run(asked)
        return Called(code, out.getvalue(), err.getvalue())

    def score(self, account: str | None, output: Path) -> Called:
        return self.call(account, "score", NAME, self.data, "--as-of", AS_OF, "--output", output)


@pytest.fixture(scope="module")
def team(server: Server, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A shared workspace in which nothing was decided, and the data scientist's run of the study on the server."""
    import shutil

    workspace = Workspace(tmp_path_factory.mktemp("team") / "work")
    shutil.copytree(demo.workspace.root, workspace.root)
    shutil.rmtree(workspace.root / "governance")
    shutil.rmtree(workspace.root / "batches")
    (workspace.root / "mlflow.db").unlink()
    found = Team(server, workspace, demo.data)
    done = found.call("data_scientist", "run", STUDY)
    assert done.code == 0, done
    return found


def test_a_data_scientist_trains_and_proposes(team: Team) -> None:
    version = team.server.as_("data_scientist", lambda client: client.get_model_version_by_alias(NAME, "candidate"))
    assert version.tags["ethics.status"] == "not reviewed"
    assert str(version.version) == "1"
    assert team.server.aliases() == {}


@pytest.mark.parametrize("account", ["data_scientist", "service"])
def test_only_an_approver_changes_the_live_model(team: Team, account: str) -> None:
    tries: list[Callable[[mlflow.MlflowClient], Any]] = [
        lambda client: client.create_model_version(LIVE, f"models:/{NAME}/1"),
        lambda client: client.set_registered_model_alias(LIVE, "champion", "1"),
        lambda client: client.set_registered_model_tag(LIVE, "note", "mine"),
        lambda client: client.set_model_version_tag(LIVE, "1", "ethics.status", "approved"),
        lambda client: client.delete_registered_model(LIVE),
        lambda client: client.rename_registered_model(LIVE, "mine"),
        lambda client: client.create_run(client.get_experiment_by_name(f"{NAME}/governance").experiment_id),
    ]
    for ask in tries:
        with pytest.raises(mlflow.exceptions.MlflowException) as error:
            team.server.as_(account, ask)
        assert error.value.error_code == "PERMISSION_DENIED"


def test_the_administrators_first_password_is_of_no_use(team: Team) -> None:
    answers = [
        requests.get(f"{team.server.uri}/api/2.0/mlflow/users/get?username=admin", auth=("admin", word), timeout=20)
        for word in (FIRST["admin"], team.server.passwords["admin"])
    ]
    assert [answer.status_code for answer in answers] == [401, 200]


def test_anonymous_gets_nothing(team: Team) -> None:
    """Nor somebody with a wrong password; with the right one each of these is answered."""
    asked = (
        "mlflow/registered-models/search", "mlflow/experiments/search?max_results=5",
        f"mlflow/registered-models/get?name={LIVE}", f"mlflow/model-versions/search?filter=name%3D%27{NAME}%27",
    )  # fmt: skip
    for path in asked:
        address = f"{team.server.uri}/api/2.0/{path}"
        for account in (None, ("approver", "wrong password")):
            answer = requests.get(address, auth=account, timeout=20)
            assert answer.status_code == 401, path
            assert NAME not in answer.text
        known = requests.get(address, auth=("approver", team.server.passwords["approver"]), timeout=20)
        assert known.status_code == 200, path


def test_the_committee_s_decision_is_told(team: Team) -> None:
    """Recorded with no account on the server: the record stands, and the approver's next command tells of it."""
    decision = example_decision(STUDY / "example_decision.yaml", run_of(team), TODAY)
    with team.server.account(None):
        approval = commands.record_review(f"{NAME}/1", decision, team.workspace, TODAY)
    assert approval is not None
    assert team.server.tags(NAME)["ethics.status"] == "not reviewed"
    done = team.tell("approver")
    assert done.code == 0, done
    told = team.server.tags(NAME)
    assert told["ethics.status"].startswith("approved")
    assert (told["ethics.stage"], told["gates.status"]) == ("pilot", "awaiting promotion")


def test_who_may_not_promote_leaves_the_record_as_it_was(team: Team) -> None:
    before = team.record
    assert before
    for account, words in (
        ("data_scientist", "may not do that"), ("service", "holds no version of"), (None, "does not know this account")
    ):  # fmt: skip
        refused(team.call(account, "promote", f"{NAME}/1", *BY), 7, words, "nothing was recorded")
        assert team.record == before
        assert team.server.aliases() == {}


def test_an_approver_promotes(team: Team) -> None:
    done = team.call("approver", "promote", f"{NAME}/1", *BY)
    assert done.code == 0, done
    assert "Note" not in done.out
    assert team.server.aliases() == {"champion": "1"}
    assert team.server.tags(LIVE)["gates.status"] == team.server.tags(NAME)["gates.status"] == "champion"
    assert team.server.moves() == [("promotion", "none", "1", BY[1])]
    assert team.server.tags(LIVE)["model.sha256"] == team.server.tags(NAME)["model.sha256"]


def test_the_history_is_added_to_and_not_deleted_from(team: Team) -> None:
    def delete(client: mlflow.MlflowClient) -> None:
        experiment = client.get_experiment_by_name(f"{NAME}/governance").experiment_id
        client.delete_run(client.search_runs([experiment])[0].info.run_id)

    with pytest.raises(mlflow.exceptions.MlflowException) as error:
        team.server.as_("approver", delete)
    assert error.value.error_code == "PERMISSION_DENIED"
    assert len(team.server.moves()) == 1


def test_the_service_logs_its_batches_and_a_refusal_is_a_note(team: Team, tmp_path: Path) -> None:
    done = team.score("service", tmp_path / "list.csv")
    assert done.code == 0, done
    assert "PERMISSION" not in done.said
    refusal = team.score("data_scientist", tmp_path / "again.csv")
    assert refusal.code == 0, refusal
    assert "this account may not do that" in refusal.said
    assert (tmp_path / "list.csv").read_bytes().count(b"\n") == (tmp_path / "again.csv").read_bytes().count(b"\n") > 100

    def batches(client: mlflow.MlflowClient) -> list[Any]:
        return list(client.search_runs([client.get_experiment_by_name(f"{NAME}/scoring").experiment_id]))

    assert len(team.server.as_("service", batches)) == 1


def test_a_withdrawal_does_not_wait_for_the_server(team: Team, tmp_path: Path) -> None:
    team.server.stop()
    before = team.record
    try:
        blocked = team.call("approver", "promote", f"{NAME}/1", *BY)  # the champion already: told, or a note
        assert blocked.code == 0
        assert "cannot be reached" in blocked.out
        assert team.record == before
        done = team.call("approver", "withdraw", f"{NAME}/1", *BY, "--reason", "The test has ended")
        assert done.code == 0, done
        assert "cannot be reached" in done.out
        assert "trying again" in done.err
        assert len(team.record.splitlines()) == len(before.splitlines()) + 1
        refused(team.score("service", tmp_path / "list.csv"), 6, "withdrawn")
        assert not (tmp_path / "list.csv").exists()
    finally:
        team.server.start()
    assert team.server.aliases() == {"champion": "1"}  # what MLflow believes until it is told


def test_what_was_missed_is_made_up_for(team: Team) -> None:
    """By an approver with EDIT alone all but the alias, which takes MANAGE; then by one who has that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what MLflow's own server is built on
        from mlflow.server.auth.client import AuthServiceClient

    def grant(permission: str) -> None:
        with team.server.account("admin"):
            accounts = AuthServiceClient(team.server.uri)
            accounts.revoke_user_permission("approver", "registered_model", LIVE)
            accounts.grant_user_permission("approver", "registered_model", LIVE, permission)

    grant("EDIT")
    half = team.tell("approver")
    refused(half, 7, f"does not let this account change the aliases of {LIVE}")
    assert team.server.aliases() == {"champion": "1"}
    assert team.server.tags(LIVE)["ethics.status"].startswith("withdrawn")
    grant("MANAGE")
    done = team.tell("approver")
    assert done.code == 0, done
    assert team.server.aliases() == {}
    assert team.server.tags(NAME)["gates.status"] == "shut"
    told = [("promotion", "none", "1", BY[1]), ("withdrawal", "1", "none", BY[1])]
    assert team.server.moves() == told
    assert team.tell("approver").code == 0
    assert team.server.moves() == told


def test_no_password_and_no_pupil_reached_the_server(team: Team) -> None:
    """Its own file of the first password aside; each password is looked for where it could have been left."""
    from riskmodels.storage import read_table

    pupils = read_table(next(iter(sorted(team.data.glob("*.parquet")))), None)
    ids = {str(one) for one in pupils.get_column(pupils.columns[0]).head(200)}
    assert len(ids) > 50
    for folder in (team.server.folder, team.workspace.root / "runs", team.workspace.root / "governance"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in ("admin_password",) and path.suffix != ".parquet":
                content = path.read_bytes()
                assert not any(word.encode() in content for word in team.server.passwords.values()), path
                if folder == team.server.folder:
                    assert not any(f'"{one}"'.encode() in content for one in ids), path


def test_a_password_on_a_command_line_is_refused(team: Team) -> None:
    address = team.server.uri.replace("//", "//approver:secret-word@")
    done = team.tell("approver", "--tracking-uri", address)
    refused(done, 2, "MLFLOW_TRACKING_PASSWORD")
    assert "secret-word" not in done.said


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, team: Team) -> None:
    from riskmodels import tracking

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said: list[str] = []
        started = time.monotonic()
        with (
            pytest.raises(OutsideError, match=r"cannot be reached, 4 times.*run again to log it"),
            tracking.connected(team.workspace, address, progress=said.append),
        ):
            raise AssertionError
        assert time.monotonic() - started < 20
    assert said == ["MLflow cannot be reached; trying again"] * 3


def run_of(team: Team) -> Any:
    """What `example_decision` asks of a run: its card."""
    from types import SimpleNamespace

    from riskmodels.governance import registry
    from riskmodels.storage import read_json

    card = read_json(registry.resolve(team.workspace, f"{NAME}/1").card_path)
    return SimpleNamespace(run=SimpleNamespace(card=SimpleNamespace(to_dict=lambda: card)))
