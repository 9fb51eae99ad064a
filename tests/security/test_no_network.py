"""Nothing here asks another machine for anything."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from riskmodels import commands
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, ROOT, STUDY, TODAY, Demo
from tests.security.no_network import AttemptError, attempts


def test_every_way_out_is_noticed() -> None:
    """The tests below can fail."""
    with socket.create_server(("127.0.0.1", 0)) as server, attempts() as found:
        with pytest.raises(AttemptError):
            socket.create_connection(server.getsockname())
        with pytest.raises(AttemptError):
            socket.getaddrinfo("localhost", 80)
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(AttemptError):
            datagrams.sendto(b"", server.getsockname())
    assert found == ["socket.getaddrinfo", "socket.getaddrinfo", "socket.sendto"]
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass  # and out of it, nothing is refused


def test_a_check_of_a_study_asks_nobody(demo: Demo, tmp_path: Path) -> None:
    with attempts() as found:
        commands.check(STUDY, Workspace(tmp_path / "work"), demo.data, today=TODAY)
    assert found == []


def test_scoring_asks_nobody(workspace: Workspace, demo: Demo, tmp_path: Path) -> None:
    with attempts() as found:
        commands.score("early_reading_support", demo.data, tmp_path / "list.csv", workspace, TODAY, AS_OF)
    assert found == []
    assert (tmp_path / "list.csv").exists()


# ---------------------------------------------------------------- with the network off

OFF = ["unshare", "--map-root-user", "--net"]


def network_can_be_switched_off() -> bool:
    return bool(shutil.which("unshare")) and subprocess.run([*OFF, "true"], capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not network_can_be_switched_off(), reason="this machine cannot switch the network off (unshare)")
def test_the_demo_runs_with_the_network_off(tmp_path: Path) -> None:
    """A home that cannot be written, a temporary folder in which nothing may be run, and no network at all."""
    (tmp_path / "startup").mkdir()
    shutil.copy(ROOT / "tests" / "security" / "no_network.py", tmp_path / "startup" / "sitecustomize.py")
    tried = tmp_path / "attempts.txt"
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/proc/nobody", "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": f"{tmp_path / 'startup'}:{ROOT}", "RISKMODELS_ATTEMPTS": str(tried),
    }  # fmt: skip
    (tmp_path / "tmp").mkdir()

    def inside(*command: str) -> subprocess.CompletedProcess[str]:
        mount = f'mount -t tmpfs -o noexec none {tmp_path / "tmp"} && exec "$@"'
        return subprocess.run(
            [*OFF, "--mount", "sh", "-c", mount, "sh", *command], env=environment, capture_output=True, text=True,
            cwd=tmp_path, timeout=600, check=False,
        )  # fmt: skip

    with socket.create_server(("127.0.0.1", 0)) as server:
        reach = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        # What is reached from here is not reached from there, the notice of attempts (-S: not loaded) apart.
        assert subprocess.run([sys.executable, "-S", "-c", reach], check=False).returncode == 0
        assert "Error" in inside(sys.executable, "-S", "-c", reach).stderr
        assert not tried.exists()
        assert "AttemptError" in inside(sys.executable, "-c", reach).stderr
    assert tried.read_text()
    tried.unlink()
    done = inside(sys.executable, "-m", "riskmodels", "demo", "--workspace", str(tmp_path / "work"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "APPROVED until" in done.stdout
    assert not tried.exists(), tried.read_text()
