"""A model is fetched from MLflow as text and JSON, whatever the store says of it."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import mlflow
import pytest

from riskmodels import commands, storage, tracking
from riskmodels.commands.fetched_models import resolve_model
from riskmodels.errors import ModelFileError, OutsideError, RiskModelsError, UsageError
from riskmodels.governance import registry
from riskmodels.models.risk_model import LARGEST, RiskModel, read_model_folder
from riskmodels.tracking.fetching import PROXY, fetch_model
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, TODAY, Demo
from tests.models.planted import make_world

NAME = "planted"
ADDRESS = f"models:/{NAME}/1"


@pytest.fixture(scope="module")
def saved() -> dict[str, bytes]:
    return make_world(rows=600).model("points").to_files()


@pytest.fixture(scope="module")
def other() -> dict[str, bytes]:
    return make_world(rows=600, seed=12).model("points").to_files()


def digest(files: dict[str, bytes]) -> str:
    return storage.sha256(files["manifest.json"])


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


# ---------------------------------------------------------------- a store on this disk


@dataclass(frozen=True)
class Store:
    """A workspace with its own store, which holds one version."""

    workspace: Workspace

    @property
    def uri(self) -> str:
        return self.workspace.tracking_uri

    @property
    def client(self) -> mlflow.MlflowClient:
        return mlflow.MlflowClient(self.uri, self.uri)

    @property
    def artefacts(self) -> Path:
        """Where the version's artefacts lie, the folder of `MLmodel`."""
        location = self.client.get_model_version_download_uri(NAME, "1")
        return Path(urlsplit(location).path)

    @property
    def model(self) -> Path:
        return self.artefacts / "artifacts" / "riskmodel"

    def tag(self, sha256: str) -> None:
        self.client.set_model_version_tag(NAME, "1", "model.sha256", sha256)

    def fetch(self, address: str = ADDRESS) -> Any:
        return fetch_model(self.workspace, self.uri, address, self.workspace.cache / "fetched")


@pytest.fixture(scope="module")
def first_store(tmp_path_factory: pytest.TempPathFactory, saved: dict[str, bytes]) -> Store:
    workspace = Workspace(tmp_path_factory.mktemp("store") / "work")
    run = workspace.runs(NAME) / "one"
    storage.write_folder(run / "riskmodel", saved)
    tags = {"model.sha256": digest(saved), "card.sha256": "c" * 64}
    record = tracking.RunRecord(NAME, run, {}, {}, {}, tags, (("reading", "double"),))
    tracking.log_training(workspace, workspace.tracking_uri, record)
    entry = {
        "model_sha256": digest(saved), "card_sha256": "c" * 64, "data_sha256": "d" * 64, "policy_sha256": "e" * 64,
        "folder": f"runs/{NAME}/one", "registered_on": dt.date(2026, 11, 23), "verdict": "PASS",
        "recommendation": "use",
    }  # fmt: skip
    registry.register(workspace, NAME, entry)
    return Store(workspace)


@pytest.fixture
def store(first_store: Store) -> Iterator[Store]:
    """The store, as it was before: MLflow writes where things lie in full, so that a copy would point at the first."""
    model, tags = first_store.artefacts, dict(first_store.client.get_model_version(NAME, "1").tags)
    kept = model.with_name("kept")
    shutil.copytree(model, kept)
    yield first_store
    shutil.rmtree(model)
    kept.rename(model)
    shutil.rmtree(first_store.workspace.cache, ignore_errors=True)
    for tag, value in tags.items():
        first_store.client.set_model_version_tag(NAME, "1", tag, value)


@pytest.mark.parametrize("address", [ADDRESS, f"models:/{NAME}@candidate"])
def test_a_model_is_fetched_for_its_owner_alone(store: Store, saved: dict[str, bytes], address: str) -> None:
    found = store.fetch(address)
    assert read_model_folder(found.folder) == saved
    assert (found.name, found.version, found.model_sha256) == (NAME, 1, digest(saved))
    assert found.folder.name == digest(saved)
    assert stat.S_IMODE(found.folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in found.folder.iterdir()} == {0o600}
    assert store.fetch(address) == found


def test_no_loader_of_mlflow_is_called_and_nothing_beside_the_model_is_read(
    store: Store, saved: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its MLmodel names a loader of its own, whose code is there: MLflow itself would run it."""
    (store.artefacts / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: evil, code: code, env: {}}}\nmlflow_version: 3.17.2\n"
    )
    (store.artefacts / "code").mkdir()
    (store.artefacts / "code" / "evil.py").write_text(f"import os; os.mkdir({str(tmp_path / 'mark')!r})")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a loader was called")

    for module, name in (
        (mlflow.pyfunc, "load_model"),
        (mlflow.models.Model, "load"),
        (mlflow.artifacts, "download_artifacts"),
    ):
        monkeypatch.setattr(module, name, never)
    assert read_model_folder(store.fetch().folder) == saved
    assert not (tmp_path / "mark").exists()
    monkeypatch.undo()
    with pytest.raises(Exception, match="_load_pyfunc"):
        mlflow.pyfunc.load_model(str(store.artefacts))
    assert (tmp_path / "mark").is_dir()


@pytest.mark.parametrize("address", [
    "models:/planted", "models:/../planted/1", "models:/planted/1/../../x", "models:/planted/latest", "planted/1",
    "models:/m-0123456789abcdef0123456789abcdef", "runs:/abc/model", "models:/Planted/1", "models:/planted@a@b",
    "models:/planted/1\n",
])  # fmt: skip
def test_what_is_no_address_is_refused(store: Store, address: str) -> None:
    with pytest.raises(UsageError, match="is not an address of a model"):
        store.fetch(address)


@pytest.mark.parametrize("address", [f"models:/{NAME}/7", f"models:/{NAME}@champion", "models:/nobody/1"])
def test_a_version_that_there_is_not_is_one_line(store: Store, address: str) -> None:
    with pytest.raises(OutsideError, match="nothing was fetched") as refusal:
        store.fetch(address)
    assert "\n" not in str(refusal.value)


# ---------------------------------------------------------------- tags are no proof


def test_another_model_under_the_old_tag_is_refused(store: Store, other: dict[str, bytes]) -> None:
    write(store.model, other)
    with pytest.raises(ModelFileError, match=r"is not the model that its tag model\.sha256 names"):
        store.fetch()


def test_another_tag_over_the_old_model_is_refused(store: Store, other: dict[str, bytes]) -> None:
    store.tag(digest(other))
    with pytest.raises(ModelFileError, match=r"is not the model that its tag model\.sha256 names"):
        store.fetch()


def test_whoever_rewrites_the_tag_too_is_refused_by_what_is_kept_outside(
    store: Store, saved: dict[str, bytes], other: dict[str, bytes]
) -> None:
    assert resolve_model(ADDRESS, store.workspace, store.uri).entry is not None
    write(store.model, other)
    store.tag(digest(other))
    # The store agrees with itself, so the fetching cannot tell.
    assert store.fetch().model_sha256 == digest(other)
    with pytest.raises(ModelFileError, match="is not a model that this workspace registered for planted"):
        resolve_model(ADDRESS, store.workspace, store.uri)


def test_a_model_of_another_study_under_this_name_is_refused(store: Store, saved: dict[str, bytes]) -> None:
    client = store.client
    if not client.search_registered_models(filter_string="name = 'another'"):
        client.create_registered_model("another")
    made = client.create_model_version("another", ADDRESS, tags={"model.sha256": digest(saved)})
    with pytest.raises(ModelFileError, match="is not a model that this workspace registered for another"):
        resolve_model(f"models:/another/{made.version}", store.workspace, store.uri)


def test_what_was_fetched_is_what_is_used(store: Store, saved: dict[str, bytes]) -> None:
    """The card and the study are the workspace's own; the model's files are those that were fetched."""
    found = resolve_model(ADDRESS, store.workspace, store.uri)
    assert (found.study, found.version) == (NAME, 1)
    assert found.card_path == store.workspace.runs(NAME) / "one" / "card" / "card.json"
    assert found.model_folder.parent == store.workspace.cache / "fetched"
    assert RiskModel.from_files(read_model_folder(found.model_folder)).model_sha256 == digest(saved)


def test_without_a_store_an_address_names_a_version_of_the_workspace(store: Store) -> None:
    assert resolve_model(ADDRESS, store.workspace) == registry.resolve(store.workspace, f"{NAME}/1")
    assert not (store.workspace.cache / "fetched").exists()


# ---------------------------------------------------------------- a hostile folder


def _link(model: Path) -> None:
    (model / "model.json").rename(model.parent / "elsewhere")
    (model / "model.json").symlink_to(model.parent / "elsewhere")


def _oversize(model: Path) -> None:
    with (model / "model.json").open("ab") as file:
        file.truncate(LARGEST["model.json"] + 1)


def _endless(model: Path) -> None:
    (model / "model.json").unlink()
    (model / "model.json").symlink_to("/dev/zero")


def _pipe(model: Path) -> None:
    (model / "model.json").unlink()
    os.mkfifo(model / "model.json")


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (_link, "is not a plain file"),
    "a link to what never ends": (_endless, "is not a plain file"),
    "a pipe": (_pipe, "is not a plain file"),
    "a file too large": (_oversize, "is larger than 64 MB"),
    "a foreign file": (lambda model: (model / "model.pkl").write_bytes(b"\x80\x05."), "does not belong"),
    "a folder": (lambda model: (model / "code").mkdir(), "does not belong"),
    "a file changed": (lambda model: (model / "reasons.json").write_bytes(b"{}"), "was changed after"),
    "a file missing": (lambda model: (model / "reasons.json").unlink(), "is missing"),
    "nothing": (lambda model: shutil.rmtree(model), "is not a folder"),
}


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made here")
@pytest.mark.parametrize("how", FOLDERS)
def test_a_hostile_folder_is_refused_and_nothing_of_it_is_kept(store: Store, how: str) -> None:
    spoil, says = FOLDERS[how]
    spoil(store.model)
    with pytest.raises(ModelFileError, match=says) as refusal:
        store.fetch()
    assert "\n" not in str(refusal.value)
    assert not (store.workspace.cache / "fetched").exists()


@pytest.mark.parametrize(
    "source", ["file:///etc", "/etc", "runs:/0123/model", "s3://bucket/model", "http://127.0.0.1:9/m"]
)
def test_a_version_whose_source_is_elsewhere_is_refused(
    store: Store, saved: dict[str, bytes], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = store.client.get_model_version(NAME, "1")
    monkeypatch.setattr(type(version), "source", property(lambda _: source))
    with pytest.raises(ModelFileError, match="its files stand outside of MLflow's models"):
        store.fetch()


# ---------------------------------------------------------------- a hostile server


@dataclass
class Server:
    """Answers as an MLflow server does, and serves what it is told to. ``asked``: each path, in order."""

    files: dict[str, bytes]
    sha256: str
    source: str = "models:/m-0123456789abcdef0123456789abcdef"
    location: str = "mlflow-artifacts:/1/models/m-0123/artifacts"
    answer: Callable[[Any, str], bool] = lambda handler, name: False
    asked: list[str] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    port: int = 0

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server(saved: dict[str, bytes]) -> Iterator[Server]:
    made = Server(dict(saved), digest(saved))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            made.asked.append(self.path)
            made.secrets.append(self.headers.get("Authorization"))
            version = {
                "name": NAME, "version": "1", "source": made.source, "run_id": "0123", "status": "READY",
                "tags": [{"key": "model.sha256", "value": made.sha256}],
            }  # fmt: skip
            if path.endswith(("/model-versions/get", "/registered-models/alias")):
                self.say(200, json.dumps({"model_version": version}).encode())
            elif path.endswith("/registered-models/get"):
                self.say(200, json.dumps({"registered_model": {"name": NAME}}).encode())
            elif path.endswith("/get-download-uri"):
                self.say(200, json.dumps({"artifact_uri": made.location}).encode())
            elif path.startswith(PROXY):
                name = unquote(path).rpartition("/")[2]
                if made.answer(self, name):
                    return
                self.say(200 if name in made.files else 404, made.files.get(name, b"{}"))
            elif path == "/health":
                self.say(200, b"OK")
            elif path.endswith("/mlflow-artifacts/artifacts"):
                climbing = [{"path": "../../../evil", "is_dir": False, "file_size": 1}]
                self.say(200, json.dumps({"files": climbing, "of": parse_qs(urlsplit(self.path).query)}).encode())
            else:
                self.say(404, json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": self.path}).encode())

        def say(self, code: int, content: bytes, **headers: str) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        made.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        listening.shutdown()


@pytest.fixture
def from_server(server: Server, tmp_path: Path) -> Callable[[], Any]:
    workspace = Workspace(tmp_path / "work")
    return lambda: fetch_model(workspace, server.uri, ADDRESS, workspace.cache / "fetched")


def served(server: Server) -> list[str]:
    """The names of the files that were asked for."""
    return [urlsplit(path).path.rpartition("/")[2] for path in server.asked if path.startswith(PROXY)]


def test_a_server_is_asked_for_the_manifest_first_and_never_for_a_list(
    server: Server, from_server: Callable[[], Any], saved: dict[str, bytes], tmp_path: Path
) -> None:
    server.files["../../../evil"] = b"x"
    found = from_server()
    assert read_model_folder(found.folder) == saved
    assert served(server)[0] == "manifest.json"
    assert sorted(served(server)) == sorted(saved)
    assert not [path for path in server.asked if "path=" in path]
    assert not list(tmp_path.rglob("evil"))


def test_of_a_manifest_that_is_not_the_one_no_other_file_is_asked_for(
    server: Server, from_server: Callable[[], Any], other: dict[str, bytes]
) -> None:
    server.files |= other
    with pytest.raises(ModelFileError, match="is not the model that its tag"):
        from_server()
    assert served(server) == ["manifest.json"]


@pytest.mark.parametrize("location", [
    "s3://bucket/models", "http://127.0.0.1:{port}/models", "https://elsewhere.example/models", "ftp://127.0.0.1/m",
    "mlflow-artifacts://127.0.0.1:9/models", "mlflow-artifacts://user:secret@127.0.0.1:9/models", "dbfs:/models",
    "file://elsewhere/share/models", "//elsewhere/share/models", "file:////elsewhere/share/models",
    "hdfs://x/y", "data:,x",
])  # fmt: skip
def test_files_that_stand_elsewhere_are_not_asked_for(
    server: Server, from_server: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    """No password is sent to a host that a store names."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "someone")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    connect, connected = socket.socket.connect, []

    def noted(self: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    server.location = location.format(port=server.port)
    with pytest.raises(ModelFileError, match="to which nothing is sent from here"):
        from_server()
    assert served(server) == []
    assert {address[1] for address in connected} == {server.port}
    assert any(server.secrets)  # it is sent to the server itself


def test_a_place_that_leads_upwards_is_not_asked_for(server: Server, from_server: Callable[[], Any]) -> None:
    for location in ("mlflow-artifacts:/1/../../secret", "mlflow-artifacts:/1/%2e%2e/secret"):
        server.location = location
        with pytest.raises(ModelFileError, match="leads upwards"):
            from_server()
    assert served(server) == []


def _redirects(handler: Any, name: str) -> bool:
    handler.say(302, b"", Location="http://127.0.0.1:9/elsewhere")
    return True


def _never_ends(handler: Any, name: str) -> bool:
    """More than a manifest may be, a piece at a time, without saying how much there will be."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 2**16)
    except OSError:
        return True


def _breaks_off(handler: Any, name: str) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    return True


def _squeezed(handler: Any, name: str) -> bool:
    """A few kilobytes that swell to 64 megabytes where they are unpacked."""
    import zlib

    packer = zlib.compressobj(9, wbits=31)
    block = b"\0" * 2**20
    content = b"".join(packer.compress(block) for _ in range(64)) + packer.flush()
    handler.say(200, content, **{"Content-Encoding": "gzip"})
    return True


ANSWERS: dict[str, tuple[Callable[[Any, str], bool], type[RiskModelsError], str]] = {
    "sends us elsewhere": (_redirects, OutsideError, "answered 302"),
    "never ends": (_never_ends, ModelFileError, "is larger than"),
    "breaks off": (_breaks_off, OutsideError, "nothing was fetched"),
    "swells": (_squeezed, ModelFileError, "is larger than"),
    "says no": (lambda handler, name: handler.say(403, b"{}") or True, OutsideError, "answered 403"),
    "is broken": (lambda handler, name: handler.say(500, b"<html>") or True, OutsideError, "answered 500"),
    "has it not": (lambda handler, name: handler.say(404, b"") or True, ModelFileError, "is missing"),
    "gives a page": (lambda handler, name: handler.say(200, b"<html>") or True, ModelFileError, "is not the model"),
}


@pytest.mark.parametrize("how", ANSWERS)
def test_an_odd_answer_is_one_line_and_leaves_nothing(
    server: Server, from_server: Callable[[], Any], tmp_path: Path, how: str
) -> None:
    server.answer, error, says = ANSWERS[how]
    with pytest.raises(error, match=says) as refusal:
        from_server()
    assert "\n" not in str(refusal.value)
    assert served(server) == ["manifest.json"]
    assert not (tmp_path / "work" / "cache").exists()


# ---------------------------------------------------------------- the whole way


def test_the_champion_is_scored_with_by_its_address(demo: Demo, workspace: Workspace) -> None:
    """Even where the run's own copy is lost; not where the workspace no longer knows the model."""
    address, uri = "models:/early_reading_support-live@champion", demo.workspace.tracking_uri
    output = workspace.root / "by-address.csv"

    def score() -> commands.ScoreReport:
        return commands.score(address, demo.data, output, workspace, TODAY, AS_OF, dry_run=True, tracking_uri=uri)

    assert demo.report.score is not None
    counts = score().counts
    assert counts == demo.report.score.counts
    (run,) = workspace.runs("early_reading_support").iterdir()
    shutil.rmtree(run / "riskmodel")
    assert score().counts == counts
    assert commands.gate(address, workspace, TODAY, tracking_uri=uri).opens
    (workspace.root / "models.json").write_text("{}")
    with pytest.raises(ModelFileError, match="is not a model that this workspace registered"):
        score()
