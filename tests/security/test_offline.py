"""The how-to for a machine without a network is done here, as it stands there, with the network off."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from riskmodels import __version__
from riskmodels.errors import OutsideError, UsageError
from supply_chain.lock import read_lock
from supply_chain.machines import Machine
from supply_chain.wheelhouse import build_own_wheel, collect, sums_of, this_machine
from tests.conftest import ROOT
from tests.security.test_no_network import OFF, network_can_be_switched_off

PAGE = (ROOT / "docs" / "offline.md").read_text()


def commands_of(heading: str) -> list[str]:
    """The commands of the first shell block below a heading."""
    block = PAGE.split(f"## {heading}\n")[1].split("```sh\n")[1].split("```")[0]
    return [line for line in block.splitlines() if line]


def words_of(command: str) -> list[str]:
    return shlex.split(command.strip("()"), comments=True)


def test_the_makefile_does_what_the_page_says() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "offline", "WHEELHOUSE=wheelhouse", "OFFLINE=OFF", "PYTHON=python3"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    recipe = shown.replace("\\\n", " ").replace("OFF/venv", "riskmodels-env").replace("OFF/work", "work")
    done = [
        words_of(line.replace("unshare -rn ", "")) for line in recipe.splitlines() if "unshare -rn true" not in line
    ]
    for command in commands_of("3. Check, install, run: Linux"):
        assert words_of(command) in done
    assert words_of("rm -rf wheelhouse") not in done


def test_every_make_target_of_the_page_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", PAGE, flags=re.MULTILINE))
    assert {a or b for a, b in named} == {"wheelhouse", "offline", "sbom", "audit-dependencies"} <= targets


def test_the_lines_for_windows_install_as_those_for_linux_do() -> None:
    (linux,) = (line for line in commands_of("3. Check, install, run: Linux") if "pip install" in line)
    (windows,) = (line for line in PAGE.splitlines() if line.startswith("riskmodels-env\\Scripts\\python -m pip"))
    asked = set(windows.replace("\\", "/").split()) - {"riskmodels-env/Scripts/python"}
    assert asked == set(linux.split()) - {"riskmodels-env/bin/python", "--quiet", "--disable-pip-version-check"}


def test_our_wheel_is_the_same_bytes_and_holds_the_studies(tmp_path: Path) -> None:
    first, second = (build_own_wheel(tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.name == f"riskmodels-{__version__}-py3-none-any.whl"
    held = subprocess.run([sys.executable, "-m", "zipfile", "-l", first], capture_output=True, text=True, check=True)
    assert "riskmodels/_shipped/experiments/early_reading_support/study.yaml" in held.stdout


def test_a_list_of_sums_finds_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"abc")
    sum_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "SHA256SUMS").write_bytes(sums_of({"a.whl": sum_of_abc}))
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "a.whl").write_bytes(b"abd")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_wheelhouse_that_cannot_be_filled_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supply_chain.wheelhouse.pip", _refuse)
    with pytest.raises(UsageError, match="no such version"):
        collect(tmp_path / "wheelhouse", Machine("windows", "3.12"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "wheelhouse").write_text("")
    with pytest.raises(OutsideError, match="is a file"):
        collect(tmp_path / "wheelhouse", Machine("windows", "3.12"))


def _refuse(*arguments: str, **_: object) -> None:
    raise UsageError("no such version")


@pytest.mark.slow
@pytest.mark.skipif(not network_can_be_switched_off(), reason="this machine cannot switch the network off (unshare)")
def test_what_the_page_says_works_with_the_network_off(tmp_path: Path) -> None:
    try:
        wheels = collect(tmp_path / "wheelhouse", this_machine())
    except OutsideError as problem:
        pytest.skip(str(problem))
    rows = read_lock((tmp_path / "wheelhouse" / "requirements.txt").read_text(), "wheelhouse")
    assert len(rows) == wheels == len(list((tmp_path / "wheelhouse").glob("*.whl"))) > 100
    try:
        for command in commands_of("3. Check, install, run: Linux"):
            done = subprocess.run(
                [*OFF, "bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stderr[-2000:]}"
        assert "APPROVED until" in done.stdout
        ours = tmp_path / "riskmodels-env" / "lib"
        assert list(ours.glob("python3*/site-packages/riskmodels/_shipped")), "not what was installed ran"
    finally:
        for name in ("riskmodels-env", "wheelhouse"):  # two gigabytes
            shutil.rmtree(tmp_path / name, ignore_errors=True)
