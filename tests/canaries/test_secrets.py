"""No password on a command line, in a study, or in anything that is written because the environment holds one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskmodels.__main__ import run
from riskmodels.tracking import without_password
from tests.canaries.county import TODAY, write_registered_study
from tests.canaries.runs import Town, made, step
from tests.canaries.seen import texts_of_file
from tests.situations.county import STUDY

SECRET = "Hunter7Zwei"
ADDRESSES = [
    f"http://analyst:{SECRET}@mlflow.example:5000", f"https://{SECRET}@mlflow.example",
    f"postgresql://analyst:{SECRET}@db.example/mlflow", f"postgresql+psycopg2://a:{SECRET}/x@y@db.example/mlflow",
    f"mysql://db.example/mlflow?user=a&password={SECRET}", f"https://mlflow.example/?access_token={SECRET}",
]  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_registered_study(folder)
    return folder


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("verb", ["run", "score", "promote", "withdraw"])
def test_an_address_with_a_password_is_refused_and_not_repeated(
    address: str, verb: str, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = {
        "run": ["run", str(study), "--data", str(tmp_path)],
        "score": ["score", "early_help", str(tmp_path), "--output", str(tmp_path / "list.csv")],
        "promote": ["promote", "early_help", "--by", "owner"],
        "withdraw": ["withdraw", "early_help", "--by", "owner", "--reason", "It ends."],
    }[verb]
    code = run([*argv, "--workspace", str(tmp_path / "work"), "--tracking-uri", address])
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in line
    assert SECRET not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////srv/a:b@c/mlflow.db",
        "file:///srv/a@b",
        "http://mlflow.example:5000",
        "postgresql://analyst@db/mlflow",
    ],
)
def test_an_address_without_one_is_taken(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It gets as far as the study, which is not there."""
    assert run(["run", str(tmp_path / "none"), "--tracking-uri", address]) == 3
    assert "no such study folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "connection",
    [f"postgresql://analyst:{SECRET}@db.example/cases", f"Driver=x;Uid=a;Pwd={SECRET}", f"CASES:{SECRET}"],
)
def test_a_study_names_a_variable_and_never_a_connection(
    connection: str, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = {key: value for key, value in STUDY["sources"]["events"].items() if key != "file"}
    changed = STUDY["sources"] | {"events": events | {"database": connection, "table": "events"}}
    found = json.loads((study / "study.yaml").read_text()) | {"sources": changed}
    for path in study.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "study.yaml").write_text(json.dumps(found))
    assert run(["check", str(tmp_path), "--data", str(tmp_path)]) == 3
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert "names the environment variable that holds the connection" in line
    assert SECRET not in said.out + said.err


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"http://a:{SECRET}@db:1/x", "http://db:1/x"), (f"mysql+y://a:{SECRET}/x@z@db", "mysql+y://db"),
        (f"no answer from http://{SECRET}@db, twice", "no answer from http://db, twice"),
        ("sqlite:////srv/a@b/m.db", "sqlite:////srv/a@b/m.db"), ("http://db:1/x", "http://db:1/x"),
    ],
)  # fmt: skip
def test_an_address_is_told_without_its_password(address: str, told: str) -> None:
    assert without_password(address) == told


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [f"http://analyst:{SECRET}@127.0.0.1:9/", f"http://analyst:{SECRET}/a@b@127.0.0.1:9"],
)
def test_a_password_in_the_environment_is_used_and_never_told(address: str, tmp_path: Path) -> None:
    """A server that does not answer, asked with a password that stands in its address."""
    town: Town = made(tmp_path)
    argv = town.at("run", town.study, "--data", town.data)
    assert town.call(step("run", *argv), MLFLOW_TRACKING_URI=address) == {"run": 7}
    assert "127.0.0.1:9" in town.err("run")
    for path in town.paths():
        if path.is_file():
            assert not any(SECRET in text for text in texts_of_file(path)), path
    assert TODAY.isoformat() in next(town.work.glob("runs/*/*/run.json")).read_text()
