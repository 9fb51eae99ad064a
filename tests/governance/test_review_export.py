"""`review export`: the whole record as a folder that can be read and checked without this software."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from riskmodels import commands
from riskmodels.commands.review_exports import RECIPE
from riskmodels.governance.acts import parse_decision
from tests.governance.conftest import STUDY, TODAY
from tests.governance.review_workspace import Made

EVIL = "=cmd|'/c calc'!A1 <script>alert(1)</script> | [a](javascript:b) é"
READABLE = {"record.html", "record.md", "record.json", "record.csv"}


@pytest.fixture
def recorded(made: Made) -> Made:
    made.decide(reason=EVIL, example=False)
    made.promote(reason=EVIL)
    made.append(
        parse_decision({"kind": "withdrawal", "reason": EVIL, "owner_role": "director", "instead": "Teachers ask"})
    )
    return made


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def exported(made: Made, folder: Path) -> dict[str, bytes]:
    report = commands.export_review(STUDY, folder, made.workspace, TODAY)
    found = files_in(folder)
    assert sorted(report.files) == sorted(found)
    assert (report.records, report.seal) == (3, made.records[-1].sha256)
    return found


def recipe(folder: Path, chain: Path) -> tuple[int, str]:
    """The steps of README.txt: Python alone, in a folder where none of our code lies."""
    done = subprocess.run(
        [sys.executable, "-I", "check.py", str(chain)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_of_it_is_there_and_the_record_is_untouched(recorded: Made, tmp_path: Path) -> None:
    before = recorded.bytes()
    found = exported(recorded, tmp_path / "archive")
    always = {f"{STUDY}.jsonl", f"{STUDY}.head", "check.py", "README.txt", "SHA256SUMS"}
    assert set(found) == READABLE | always | {f"cards/{recorded.digests.card}.json"}
    assert found[f"{STUDY}.jsonl"] == recorded.chain.read_bytes()
    assert recorded.bytes() == before


def test_the_same_record_gives_the_same_bytes(recorded: Made, tmp_path: Path) -> None:
    assert exported(recorded, tmp_path / "a") == exported(recorded, tmp_path / "b")


def test_every_sum_is_right_and_each_file_has_one(recorded: Made, tmp_path: Path) -> None:
    found = exported(recorded, tmp_path / "archive")
    sums = dict(reversed(line.split("  ", 1)) for line in found.pop("SHA256SUMS").decode().splitlines())  # type: ignore[misc]
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    (card,) = (name for name in found if name.startswith("cards/"))
    assert f"cards/{sums[card]}.json" == card


def test_the_recipe_is_ten_lines_and_says_that_the_record_fits(recorded: Made, tmp_path: Path) -> None:
    found = exported(recorded, tmp_path / "archive")
    assert RECIPE.count("\n") == 10
    seal = recorded.records[-1].sha256
    assert recipe(tmp_path / "archive", Path(f"{STUDY}.jsonl")) == (
        0, f"3 records fit together; the newest seal is {seal}\n",
    )  # fmt: skip
    assert f"python3 check.py {STUDY}.jsonl" in found["README.txt"].decode()
    assert seal in found["README.txt"].decode()


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2), (1, 2), (0, 0, 1, 2)])
def test_the_recipe_finds_lines_that_were_moved_or_taken_out(
    recorded: Made, tmp_path: Path, order: tuple[int, ...]
) -> None:
    exported(recorded, tmp_path / "archive")
    lines = recorded.chain.read_bytes().splitlines(keepends=True)
    (tmp_path / "changed.jsonl").write_bytes(b"".join(lines[place] for place in order))
    code, said = recipe(tmp_path / "archive", tmp_path / "changed.jsonl")
    assert code == 1
    assert "was edited, moved or follows a line that is missing" in said


def test_the_recipe_finds_an_edit(recorded: Made, tmp_path: Path) -> None:
    exported(recorded, tmp_path / "archive")
    (tmp_path / "changed.jsonl").write_bytes(recorded.chain.read_bytes().replace(b"Teachers ask", b"Teachers say"))
    assert recipe(tmp_path / "archive", tmp_path / "changed.jsonl")[1].startswith("line 3 was edited")


def test_what_people_wrote_is_neither_markup_nor_a_formula(recorded: Made, tmp_path: Path) -> None:
    found = {name: content.decode() for name, content in exported(recorded, tmp_path / "archive").items()}
    assert "<script" not in found["record.html"]
    assert "&lt;script&gt;" in found["record.html"]
    assert "<script" not in found["record.md"]
    assert re.search(r"(?<!\\)\]\(", found["record.md"]) is None
    assert "\\](javascript" in found["record.md"]
    rows = list(csv.DictReader(io.StringIO(found["record.csv"])))
    assert [row["kind"] for row in rows] == ["decision", "promotion", "withdrawal"]
    assert {row["why"] for row in rows} == {f"'{EVIL}"}
    decided = recorded.records[0].act.model_dump(mode="json")
    said = (decided["stage"], decided["advice"], decided["owner_decision"], decided["expires"])
    assert tuple(rows[0][name] for name in ("stage", "advice", "decision", "expires")) == said
    (first,) = decided["conditions"]
    assert rows[0]["conditions"] == f"1. {first['text']} ({first['owner']}, by {first['due']})"
    assert rows[0]["answers"].splitlines() == [f"{name}: {one['reason']}" for name, one in decided["answers"].items()]
    assert {(row["advice"], row["conditions"]) for row in rows[1:]} == {("", "")}
    told = json.loads(found["record.json"])
    assert {row["act"]["reason"] for row in told["history"]} == {EVIL}
    assert told["versions"][0]["status"]["state"] == "WITHDRAWN"


def test_only_the_formats_that_were_asked_for(recorded: Made, tmp_path: Path) -> None:
    code, out, _ = recorded.call("review", "export", STUDY, "--output", tmp_path / "archive", "--format", "md,csv")
    assert code == 0
    assert READABLE & set(files_in(tmp_path / "archive")) == {"record.md", "record.csv"}
    assert f"Newest seal: {recorded.records[-1].sha256}" in out


# ---------------------------------------------------------------- refused


def test_a_broken_record_is_not_exported(recorded: Made, tmp_path: Path) -> None:
    recorded.chain.write_bytes(recorded.chain.read_bytes().replace(b"Teachers ask", b"Teachers say"))
    assert "line 3: was edited" in recorded.refused(6, "review", "export", STUDY, "--output", tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_a_card_that_is_another_is_not_exported(recorded: Made, tmp_path: Path) -> None:
    (recorded.kept / "card" / "card.json").write_bytes(b"{}")
    line = recorded.refused(5, "review", "export", STUDY, "--output", tmp_path / "archive")
    assert "is not the card that record 1 decides on" in line


def test_a_folder_that_holds_something_is_left_alone(recorded: Made, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "mine.txt").write_text("mine")
    line = recorded.refused(2, "review", "export", STUDY, "--output", tmp_path / "archive")
    assert "is there and not empty" in line
    assert files_in(tmp_path / "archive") == {"mine.txt": b"mine"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing", "--output", "x"), "nothing: has no review record"),
        (("../work", "--output", "x"), "../work: has no review record"),
        ((STUDY,), "--output: is needed"),
        ((STUDY, "--output", "x", "--format", "pdf"), "--format pdf: the formats are html, md, json, csv"),
        ((STUDY, "--output", "x", "--format", ","), "the formats are html, md, json, csv"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    recorded: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in recorded.refused(2, "review", "export", *arguments)
    assert not (tmp_path / "x").exists()
