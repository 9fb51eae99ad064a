"""All the other commands, engines and formats, and processes that are killed: nothing leaks there either."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries import planted, steps
from tests.canaries.allowed import allowed
from tests.canaries.conftest import put_through
from tests.canaries.county import NAME
from tests.canaries.planted import find
from tests.canaries.runs import LEFT_OPEN, Town, made, step
from tests.canaries.seen import texts_of_file

pytestmark = pytest.mark.slow

USUAL_UMASK = 0o022


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Everything, under the umask that most people have."""
    found = made(tmp_path_factory.mktemp("year"))
    for some in (steps.looks_closer, steps.main_job, steps.scores_again, steps.around, steps.the_end):
        put_through(found, some(found), umask=USUAL_UMASK)
    return found


def leaks_in(town: Town) -> list[str]:
    return [
        f"{found.where}: {found.kind}: {found.excerpt!r}"
        for found in town.finds()
        if allowed(found.where, found.kind) is None
    ]


def test_nothing_leaks_in_a_whole_year(year: Town) -> None:
    assert leaks_in(year) == []


def test_every_format_was_written(year: Town) -> None:
    written = {path.name for path in year.out.rglob("*")}
    assert {
        "list.csv", "list.xlsx", "matrix.parquet", "card.pdf", "card.html", "card.md", "card.json", "profile.html",
        "evaluation.json", "update.json", "compare.html", "index.html", "decided.html", "archive", "form.yaml",
    } <= written  # fmt: skip
    assert len(list(year.work.glob("runs/*/*"))) == 3


def test_a_letter_of_a_decision_says_nothing_that_the_team_wrote(year: Town) -> None:
    """Nor is it kept. The sheet itself holds it: without that, nothing would be shown here."""
    assert {found.kind for text in texts_of_file(year.given / "filled.xlsx") for found in find(text, "")} > {"decision"}
    letter = (year.out / "decided.html").read_text()
    assert find(letter, "") == []
    assert "1 July 2026" in letter


def test_only_what_is_for_others_was_open_to_them(year: Town) -> None:
    public = r"out/(\.?(site|card|cards|pdf|drafted|archive|profile|compare|form).*)|(home|tmp)(/.*)?"
    wrong = [path for path in year.open_once if not re.fullmatch(public, path.relative_to(year.root).as_posix())]
    assert wrong == []


# ---------------------------------------------------------------- killed, or without room


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Processes that are killed at the worst of times, and disks that are full, under a umask that closes nothing."""
    found = made(tmp_path_factory.mktemp("broken"))
    run = found.at("run", found.study, "--data", found.data)
    killed = "riskmodels.governance.registry:register", "riskmodels.tracking:log_training"
    for number, place in enumerate((*killed, "riskmodels.commands.runs:run_files")):
        assert found.call(step(f"killed {number}", *run, kills=place)) == {}
    put_through(found, steps.main_job(found))
    score = found.at("score", NAME, found.data, *steps.DAY, "--output", found.out / "half.csv", "--explain", "all")
    for number, place in enumerate(("batch.run:find_copies", "batch.run:fill_places", "batch.publishing:finish")):
        more = ("--resume",) if number else ()
        assert found.call(step(f"killed list {number}", *score, *more, kills=f"riskmodels.service.{place}")) == {}
    duckdb = found.at("run", found.study, "--data", found.data, "--engine", "duckdb", "--no-cache")
    assert found.call(step("killed duckdb", *duckdb, kills="riskmodels.data.preparing:build_dataset")) == {}
    full = {"at": "riskmodels.storage.whole:os.fsync", "kind": "full", "text": ""}
    put_through(
        found,
        [
            (step("full run", *run, "--no-cache", raises=full), 7),
            (step("full list", *found.at("score", NAME, found.data, *steps.DAY, "--output", found.out / "full.csv"),
                  raises=full), 7),
            (step("full audit", "audit", found.given / "vendor.csv", *steps.AUDIT, "--json", found.out / "full.json",
                  raises=full), 7),
        ],
    )  # fmt: skip
    return found


def test_nothing_leaks_where_a_process_is_killed_or_the_disk_is_full(broken: Town) -> None:
    assert leaks_in(broken) == []


def test_what_a_killed_process_leaves_is_for_its_owner_alone(broken: Town) -> None:
    places = (broken.out / ".half.csv.work", broken.root / "tmp", broken.work / "runs", broken.work / "cache")
    left = [path for place in places for path in place.rglob("*") if path.is_file()]
    holders = [path for path in left if any(find(text, "") for text in texts_of_file(path))]
    assert any("half.csv.work" in str(path) for path in holders)
    for path in holders:
        assert any(broken.mode(one) & LEFT_OPEN == 0 for one in path.parents if broken.root in one.parents), path


def test_the_killed_list_goes_on(broken: Town) -> None:
    score = broken.at("score", NAME, broken.data, *steps.DAY, "--output", broken.out / "half.csv", "--explain", "all")
    put_through(broken, [(step("goes on", *score, "--resume"), 0)])
    assert not (broken.out / ".half.csv.work").exists()
    assert planted.find((broken.out / "half.csv").read_text(), "")[0].kind == "id"


def test_a_process_that_is_killed_is_killed() -> None:
    """What `kills` does: without it, the tests above would show nothing."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import driver; driver.killing()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
