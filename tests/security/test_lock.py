"""The lock names versions and hashes, and nothing else."""

from __future__ import annotations

import pytest

from riskmodels.errors import UsageError
from supply_chain.lock import as_text, faults_of, read_lock, together
from supply_chain.machines import Machine
from tests.conftest import ROOT

LOCKS = sorted(ROOT.glob("requirements*.txt"))
A, B = "a" * 64, "b" * 64
SOUND = f"""\
one==1.0 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
two==2 ; sys_platform == 'win32' \\
    --hash=sha256:{B}
"""


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_our_locks_are_sound(path) -> None:
    text = path.read_text()
    assert faults_of(text, path.name) == []
    assert len(read_lock(text, path.name)) == text.count("==") - text.count(" == ") > 100


def test_each_row_is_read() -> None:
    one, two = read_lock(SOUND, "lock")
    assert (one.name, one.version, one.hashes) == ("one", "1.0", {A, B})
    assert (two.name, two.hashes) == ("two", {B})
    windows, linux = Machine("windows", "3.12").environment, Machine("linux", "3.12").environment
    assert [row.name for row in (one, two) if row.is_wanted(windows)] == ["one", "two"]
    assert [row.name for row in (one, two) if row.is_wanted(linux)] == ["one"]
    assert read_lock(as_text([one]), "again") == (one,)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("three==3", "has no hash"),
        (f"three==3 --hash=md5:{A[:32]}", "no SHA-256"),
        (f"three==3 --hash=sha256:{A[:63]}", "no SHA-256"),
        (f"three>=3 --hash=sha256:{A}", "not one exact version"),
        (f"three==3.* --hash=sha256:{A}", "not one exact version"),
        (f"three --hash=sha256:{A}", "not one exact version"),
        (f"three===3 --hash=sha256:{A}", "not one exact version"),
        (f"three @ https://example.org/three.whl --hash=sha256:{A}", "an address or a file"),
        (f"three @ git+https://example.org/three --hash=sha256:{A}", "an address or a file"),
        (f"three @ file:///srv/three.whl --hash=sha256:{A}", "an address or a file"),
        (f"https://example.org/three.whl --hash=sha256:{A}", "an address or a file"),
        ("./three-3-py3-none-any.whl", "an address or a file"),
        ("three-3.tar.gz", "an address or a file"),
        ("-e .", "an option"),
        ("--editable .", "an option"),
        ("--index-url https://example.org/simple", "an option"),
        ("--extra-index-url https://example.org/simple", "an option"),
        ("--trusted-host example.org", "an option"),
        ("-r more.txt", "an option"),
        ("three = 3", "not a requirement"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(row: str, said: str) -> None:
    (fault,) = faults_of(f"{SOUND}# a comment\n{row}\n", "lock")
    assert fault.startswith("lock, line 7: ")
    assert said in fault
    with pytest.raises(UsageError, match="line 7"):
        read_lock(f"{SOUND}# a comment\n{row}\n", "lock")


def test_the_same_row_of_two_files_is_one_in_whatever_order() -> None:
    rows = read_lock(SOUND, "lock")
    assert together([rows, rows[::-1]]) == together([rows[::-1], rows]) == rows
