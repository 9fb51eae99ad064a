"""What is installed is what the lock says; a faulty package is named; what could not be looked up is not "clean"."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from riskmodels.errors import OutsideError, UsageError
from supply_chain import audit as auditing
from supply_chain import wheels
from supply_chain.__main__ import main
from supply_chain.advisories import each_name_once, look_up, vulnerabilities_in
from supply_chain.installed import Installed, installed, licence_of, not_as_locked, read_environment, without_licence
from supply_chain.lock import Locked, read_lock
from supply_chain.machines import PYTHONS, Machine
from supply_chain.wheelhouse import this_machine
from tests.conftest import ROOT

A = "a" * 64
FILES = sorted(ROOT.glob("requirements*.txt"))


def locked(name: str, version: str) -> Locked:
    return Locked(name, version, None, frozenset({A}))


def here(name: str, version: str, licence: str | None = "MIT") -> Installed:
    return Installed(name, version, licence, ())


# ---------------------------------------------------------------- installed


def test_our_environment_is_the_lock() -> None:
    locks = [read_lock(path.read_text(), path.name) for path in FILES]
    core = read_lock((ROOT / "requirements.txt").read_text(), "requirements.txt")
    wanted = [row for row in core if row.is_wanted(this_machine().environment)]
    found = read_environment(ROOT / ".venv")
    differ = not_as_locked(wanted, [row for lock in locks for row in lock], found)
    # A developer's own tools may stand beside it; `make audit-dependencies` names them.
    assert [line for line in differ if not line.endswith("in no lock")] == []
    assert len(found) > 100


def test_every_difference_is_named() -> None:
    wanted = [locked("one", "1"), locked("two", "2"), locked("three", "3")]
    found = [here("one", "1"), here("two", "2.1"), here("four", "4"), here("five", "5"), here("pip", "1")]
    assert not_as_locked(wanted, [locked("five", "5"), locked("pip", "2")], found) == [
        "three 3: is in the lock, and not installed",
        "four 4: is installed, and in no lock",
        "two 2.1: is installed, but the lock says 2",
    ]
    assert not_as_locked(wanted[:1], (), found[:1]) == []


def metadata_of(**said: str | list[str]) -> Any:
    message = Message()
    for key, value in said.items():
        for one in [value] if isinstance(value, str) else value:
            message[key.replace("_", "-")] = one
    return message


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License_Expression": "MIT", "License": "Other"}, "MIT"),
        ({"License": "BSD-3-Clause", "Classifier": ["License :: OSI Approved :: BSD License"]}, "BSD-3-Clause"),
        ({"License": "x" * 41, "Classifier": ["License :: OSI Approved :: BSD License"]}, "BSD License"),
        ({"Classifier": ["License :: A", "License :: B", "Typing :: Typed"]}, "A or B"),
        ({"Classifier": ["License :: OSI Approved"]}, None),
        ({"License": "UNKNOWN"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_licence_is_what_its_makers_state(said: dict[str, Any], licence: str | None) -> None:
    assert licence_of("some-package", metadata_of(**said)) == licence


def test_one_read_by_hand_is_known_and_one_without_is_named() -> None:
    assert licence_of("huey", metadata_of()) == "MIT"
    one = installed(metadata_of(Name="Some_Package", Version="1"), ["x", "y ; extra == 'z'"])
    assert (one.name, one.needs) == ("some-package", ("x",))
    (said,) = without_licence([one, here("two", "2")])
    assert said.startswith("some-package 1: states no licence")


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not a virtual environment; .* --environment"):
        read_environment(tmp_path)


# ---------------------------------------------------------------- wheels


def item(name: str, file: str, sha256: str = A) -> dict[str, Any]:
    download = {"url": f"https://example.org/{file}", "archive_info": {"hashes": {"sha256": sha256}}}
    return {"metadata": {"name": name}, "download_info": download}


def test_what_the_index_would_give_is_held_against_the_lock() -> None:
    rows = [locked(name, "1") for name in ("sound", "source", "other", "yanked", "missing")]
    report = {
        "install": [
            item("Sound", "sound-1-py3-none-any.whl"),
            item("source", "source-1.tar.gz"),
            item("other", "other-1-py3-none-any.whl", "b" * 64),
            item("yanked", "yanked-1-py3-none-any.whl"),
        ]
    }
    warned = (
        "WARNING: The candidate selected for download or install is a yanked version: 'Yanked' candidate (version 1"
    )
    assert wheels.not_as_locked(rows, wheels.found_in(report, warned)) == [
        "source 1: comes as source-1.tar.gz, which is no wheel",
        "other 1: the hash of other-1-py3-none-any.whl is not in the lock",
        "yanked 1: was withdrawn by its makers; move to another version",
        "missing 1: was not found",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
def test_every_row_is_a_wheel_on_windows(python: str) -> None:
    machine = Machine("windows", python)
    rows = read_lock((ROOT / "requirements.txt").read_text(), "requirements.txt")
    wanted = [row for row in rows if row.is_wanted(machine.environment)]
    assert {"pywin32", "waitress", "colorama"} <= {row.name for row in wanted}
    try:
        found = wheels.look_up(wanted, machine)
    except OutsideError as problem:
        pytest.skip(str(problem))
    assert wheels.not_as_locked(wanted, found) == []
    assert any(one.file.endswith("win_amd64.whl") for one in found)


@pytest.mark.slow
def test_a_package_without_a_wheel_and_one_that_was_withdrawn_are_found() -> None:
    """The one above can fail: one of these never came as a wheel, and the other was withdrawn."""
    try:
        (found,) = wheels.look_up([locked("attrs", "21.1.0")], Machine("windows", "3.12"))
        assert found.yanked
        with pytest.raises(UsageError, match="venn-abers"):
            wheels.look_up([locked("venn-abers", "1.5.4")], Machine("windows", "3.12"))
    except OutsideError as problem:
        pytest.skip(str(problem))


def test_an_index_that_cannot_be_reached_is_not_a_package_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(OutsideError, match="cannot be reached"):
        wheels.look_up([locked("venn-abers", "1.5.4")], Machine("linux", "3.12"))


# ---------------------------------------------------------------- advisories


def test_each_advisory_is_a_line() -> None:
    vulns = [{"id": "X-1", "fix_versions": ["1.1", "2"]}, {"id": "X-2", "fix_versions": []}]
    report = {
        "dependencies": [{"name": "a", "version": "1", "vulns": vulns}, {"name": "b", "version": "2", "vulns": []}]
    }
    assert vulnerabilities_in(report) == ["a 1: X-1; mended in 1.1, 2", "a 1: X-2; not mended yet"]


def test_what_was_passed_over_is_never_clean() -> None:
    report = {"dependencies": [{"name": "b", "version": "2", "vulns": []}, {"name": "a", "skip_reason": "not found"}]}
    with pytest.raises(OutsideError, match=r"could not be looked up: .* does not answer for a$"):
        vulnerabilities_in(report)


def test_two_versions_of_a_package_are_asked_apart() -> None:
    rows = [locked("a", "1"), locked("a", "2"), locked("b", "1"), locked("a", "3")]
    assert [[f"{row.name}{row.version}" for row in part] for part in each_name_once(rows)] == [
        ["a1", "b1"],
        ["a2"],
        ["a3"],
    ]


@contextmanager
def advisories(bad: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A source of advisories on this machine, in the manner of OSV, and which packages it was asked about."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            package = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = package["package"]["name"], package["version"]
            asked.append(name)
            found = {"id": "TEST-1", "published": "2026-01-01T00:00:00Z", "summary": "planted", "affected": []}
            content = json.dumps({"vulns": [found]} if bad.get(name) == version else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()
            thread.join()


needs_pip_audit = pytest.mark.skipif(
    importlib.util.find_spec("pip_audit") is None, reason="pip-audit is not installed (requirements-security.txt)"
)


@needs_pip_audit
@pytest.mark.slow
def test_a_planted_vulnerability_is_found() -> None:
    rows = [locked("one", "1"), locked("two", "2"), locked("two", "3")]
    with advisories({"two": "3"}) as (address, asked):
        assert look_up(rows, address) == ["two 3: TEST-1; not mended yet"]
    assert sorted(asked) == ["one", "two", "two"]
    with advisories({"two": "4"}) as (address, _):
        assert look_up(rows, address) == []


@needs_pip_audit
def test_a_source_that_cannot_be_reached_is_said_after_one_question() -> None:
    with pytest.raises(OutsideError, match="could not be looked up"):
        look_up([locked("one", "1"), locked("two", "2")], "http://127.0.0.1:9/v1/query")


# ---------------------------------------------------------------- the command


def test_offline_it_says_what_was_not_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "CHECKS", (auditing.CHECKS[0], *auditing.CHECKS[3:]))  # not what is installed
    assert main(["audit", "--offline", *map(str, FILES), "--environment", str(ROOT / ".venv")]) == 7
    said = capsys.readouterr().out
    assert [line[:4] for line in said.splitlines()] == ["yes ", "NOT ", "NOT "]


def test_a_fault_outweighs_what_was_not_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock.txt").write_text(f"huey==0 --hash=sha256:{A}\n")
    assert main(["audit", "--offline", str(tmp_path / "lock.txt"), "--environment", str(ROOT / ".venv")]) == 10
    assert "the lock says 0" in capsys.readouterr().out
    monkeypatch.setattr(auditing, "CHECKS", auditing.CHECKS[:1])
    assert main(["audit", str(tmp_path / "lock.txt"), "--environment", str(ROOT / ".venv")]) == 0
    (tmp_path / "lock.txt").write_text("huey==0\n")
    assert main(["audit", str(tmp_path / "lock.txt"), "--environment", str(ROOT / ".venv")]) == 10
    assert main(["audit", str(tmp_path / "none.txt")]) == 7
