"""`card diff`, and what a second run says of the first: two real cards of the reading study."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands
from riskmodels.cards.change.substantive import UNEXPLAINED_BUT_DATES
from riskmodels.errors import UsageError
from riskmodels.workspace import Workspace
from tests.cards.change.test_words import counted, numbers_of, sayable
from tests.conftest import STUDY as SHIPPED
from tests.conftest import TODAY
from tests.end_to_end.served import call, refused

STUDY = "early_reading_support"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The shipped study, and a second version with one test date more."""
    root = tmp_path_factory.mktemp("two")
    workspace = Workspace(root / "work")
    commands.run(SHIPPED, workspace, today=TODAY)
    assert commands.run(with_one_date_more(root), workspace, today=TODAY).version == 2
    return workspace


def with_one_date_more(root: Path) -> Path:
    study = Path(shutil.copytree(SHIPPED, root / "study"))
    text = (study / "study.yaml").read_text()
    planted = text.replace("dates: [1988-06-30]}", "dates: [1987-06-30, 1988-06-30]}")
    assert planted != text
    (study / "study.yaml").write_text(planted)
    return study


def card_of(workspace: Workspace, version: int) -> Any:
    from riskmodels.governance import registry

    return registry.resolve(workspace, f"{STUDY}/{version}").folder / "card"


@pytest.mark.slow
def test_the_second_run_says_what_changed_and_its_card_does_not(two: Workspace) -> None:
    first, second = (json.loads((card_of(two, version) / "card.json").read_text()) for version in (1, 2))
    page = (card_of(two, 2) / "card.html").read_text()
    assert "The model in service would be the same" in page
    assert "This card was not compared with an earlier one." not in page
    assert "This card was not compared with an earlier one." in (card_of(two, 1) / "card.md").read_text()
    assert "last time" not in (card_of(two, 2) / "card.json").read_text()
    report = commands.card_diff(f"{STUDY}/1", f"{STUDY}/2", two)
    may = sayable(first, second) | {"100"} | counted(report.change)
    for words in report.change.words:
        assert set(numbers_of(words)) <= may, words


@pytest.mark.slow
def test_the_command_prints_the_words_and_writes_files_that_are_the_same_twice(two: Workspace, tmp_path: Path) -> None:
    files = {name: tmp_path / f"change.{name}" for name in ("html", "md", "json")}
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    arguments = ["card", "diff", f"{STUDY}/1", f"{STUDY}/2", *options]
    done = call(two, *arguments)
    assert done.code == 0, done
    assert done.out.startswith("- Our advice")
    assert "This card was tested on 30 June 1987 and 30 June 1988" in " ".join(done.out.split())
    found = json.loads(files["json"].read_text())
    # The model and the data are the same, and nobody can tell whether the test dates are all that changed.
    assert found["substantive"] == [UNEXPLAINED_BUT_DATES]
    before = {name: path.read_bytes() for name, path in files.items()}
    assert call(two, *arguments).code == 0
    assert before == {name: path.read_bytes() for name, path in files.items()}


@pytest.mark.slow
def test_the_same_study_again_gives_the_same_pages(two: Workspace, tmp_path: Path) -> None:
    pages = {path.name: path.read_bytes() for path in card_of(two, 2).iterdir()}
    assert commands.run(with_one_date_more(tmp_path), two, today=TODAY).version == 2
    assert pages == {path.name: path.read_bytes() for path in card_of(two, 2).iterdir()}


@pytest.mark.slow
def test_the_same_card_twice_and_bad_input(two: Workspace, tmp_path: Path) -> None:
    assert commands.card_diff(f"{STUDY}/1", f"{STUDY}/1", two).change.is_nothing
    other = json.loads((card_of(two, 1) / "card.json").read_text())
    other["study"] = "another_study"
    path = tmp_path / "card.json"
    path.write_text(json.dumps(other))
    page = tmp_path / "page.html"
    refused(call(two, "card", "diff", f"{STUDY}/1", path, "--html", page), 2, "another_study", "add --across")
    assert not (tmp_path / "page.html").exists()
    across = commands.card_diff(f"{STUDY}/1", str(path), two, across=True)
    assert across.change.words[0].startswith("The last card is of another study")
    with pytest.raises(UsageError, match="name one file for each"):
        commands.card_diff(f"{STUDY}/1", f"{STUDY}/2", two, html=path, json=path)
    path.write_text("{}")
    refused(call(two, "card", "diff", f"{STUDY}/1", path), 5)
    refused(call(two, "card", "diff", f"{STUDY}/1", f"{STUDY}/9"), 2)
