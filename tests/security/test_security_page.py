"""What SECURITY.md and the page on machines without a network name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from tests.conftest import ROOT

PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "offline.md"]
HEADINGS = ("A stranger with a model file", "A colleague who", "An analyst", "edits the record", "An MLflow user",
            "reads logs, cards", "A curious member", "A dependency gone bad", "A lost laptop", "half-way")  # fmt: skip


def missing_in(text: str, home: Path) -> list[str]:
    """What a page names and is not there: files, make targets, commands."""
    from riskmodels.cli import app

    spoken = re.findall(r"`([^`\n]+)`", text)
    files = [word for word in spoken if re.fullmatch(r"(?:tests|riskmodels|docs|supply_chain)/[\w/.-]+", word)]
    files += [word for word in spoken if re.fullmatch(r"[\w-]+\.txt", word)]
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    made = [words.split()[1] for words in spoken if words.startswith("make ")]
    return [
        *(name for name in files if not (ROOT / name).is_file()),
        *(name for name in links if not (home / name).resolve().is_file()),
        *(f"make {name}" for name in made if name not in targets),
        *(words for words in spoken if words.startswith("riskmodels ") and not _is_command(app, words)),
    ]


def _is_command(app: object, words: str) -> bool:
    found = get_command(app)  # type: ignore[arg-type]
    for word in words.split()[1:]:
        if not hasattr(found, "commands"):
            break
        if word == "--version":
            return True
        if word not in found.commands:
            return False
        found = found.commands[word]
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_that_is_named_is_there(page: Path) -> None:
    assert missing_in(page.read_text(), page.parent) == []


@pytest.mark.parametrize(
    "planted",
    ["`tests/security/test_nothing.py`", "`make nothing`", "`riskmodels nothing`", "`riskmodels review nothing`",
     "[there](docs/nothing.md)", "`requirements-nothing.txt`"],
)  # fmt: skip
def test_what_is_not_there_would_be_found(planted: str) -> None:
    assert missing_in(f"See {planted}.", ROOT) != []


def test_each_who_might_attack_has_what_stops_them_and_what_does_not() -> None:
    sections = (ROOT / "SECURITY.md").read_text().split("\n### ")[1:]
    assert len(sections) == len(HEADINGS)
    for heading, section in zip(HEADINGS, sections, strict=True):
        assert heading in section.splitlines()[0]
        rows = re.findall(r"^\| ([a-z ]+) \|", section, flags=re.MULTILINE)
        assert rows == ["wants", "stops them", "shown by", "does not stop"], heading
