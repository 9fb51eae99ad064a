"""`riskmodels card missing MODEL`, and the public record, on the demo's own card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskmodels import __main__, storage
from tests.cards import example_card as example
from tests.conftest import TODAY, Demo

NAME = "early_reading_support"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A card outside any workspace, with gaps."""
    path = tmp_path / "draft" / "card.json"
    storage.write_whole(path, example.card().to_bytes())
    return path


def run(*arguments: object) -> int:
    return __main__.run([*map(str, arguments), "--today", str(TODAY)])


def test_the_demo_lacks_nothing_that_an_approval_or_live_use_needs(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("card", "missing", NAME, "--workspace", demo.workspace.root, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    gaps = [gap for some in said["owners"].values() for gap in some]
    assert {gap["tier"] for gap in gaps} == {3, 0}
    assert {gap["state"] for gap in gaps if gap["tier"] == 3} == {"drafted, not confirmed"}
    assert [gap["key"] for gap in gaps if gap["tier"] == 0] == ["people_process.override_rate"]


def test_gaps_are_listed_by_owner(draft: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = tmp_path / "work"
    assert run("card", "missing", draft, "--workspace", workspace) == 0
    out = capsys.readouterr().out
    assert "Information Officer (1)\n  Holds up any approval, a pilot or live use:\n    law.lawful_basis" in out
    assert run("card", "missing", draft, "--workspace", workspace, "--owner", "Head of Finance") == 0
    assert "questions.19" in (mine := capsys.readouterr().out)
    assert "lawful_basis" not in mine
    assert run("card", "missing", draft, "--workspace", workspace, "--yaml") == 0
    assert storage.parse_yaml(capsys.readouterr().out.encode(), draft)["law"]["lawful_basis"]["text"] is None


def test_bad_usage_is_one_line(draft: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = tmp_path / "work"
    assert run("card", "missing", draft, "--workspace", workspace, "--owner", "Nobody") == 2
    assert "has nothing to provide; those who have: Analytics" not in (said := capsys.readouterr().err)
    assert "Head of Finance" in said
    assert run("card", "missing", draft, "--workspace", workspace, "--json", "--yaml") == 2
    assert "choose one" in capsys.readouterr().err


def test_the_public_record_is_written(demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ("--workspace", demo.workspace.root, "--output", tmp_path)
    assert run("card", NAME, "--format", "atrs", *places) == 0
    assert run("card", NAME, "--format", "atrs", "--edition", "public", *places) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "atrs.md",
        "atrs.xlsx",
        "atrs-public.md",
        "atrs-public.xlsx",
    }
    text = (tmp_path / "atrs.md").read_text()
    # The demo's decision is an example of a pilot.
    assert "Private beta. It is approved as a pilot" in text
    assert "is an example, so nothing is in use" in text
    assert "and 0 empty" in text
