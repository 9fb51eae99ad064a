"""``riskmodels update`` as a user meets it, on the reading study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskmodels.__main__ import run
from riskmodels.workspace import Workspace
from tests.conftest import Demo


def update(demo: Demo, workspace: Workspace, *more: str) -> int:
    return run(["update", "early_reading_support", str(demo.data), "--workspace", str(workspace.root), *more])


def test_a_day_that_the_model_learned_from_is_refused(demo: Demo, workspace: Workspace, capsys) -> None:
    assert update(demo, workspace, "--as-of", "1988-06-30", "--extracted-on", "1989-07-31") == 2
    assert "the model learned outcomes recorded up to 1989-06-30; use that day or a" in capsys.readouterr().err


def test_a_day_whose_outcome_is_not_over_is_refused(demo: Demo, workspace: Workspace, capsys) -> None:
    assert update(demo, workspace, "--as-of", "1989-06-30", "--extracted-on", "1989-09-30") == 2
    assert "its outcome is known on 1990-06-30, after the extract of 1989-09-30" in capsys.readouterr().err


def test_without_a_later_outcome_it_says_that_it_cannot_tell(
    demo: Demo, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pupils' records end in 1989, so of 1989's outcome nothing is known: nothing is tested, nothing is said."""
    out = tmp_path / "update.json"
    code = update(demo, workspace, "--as-of", "1989-06-30", "--extracted-on", "1990-07-31", "--json", str(out))
    said = capsys.readouterr().out
    assert code == 0
    assert said.startswith("It cannot be told: fewer than 20 rows of the rarer outcome are too few to test on")
    assert "nothing was changed" in said
    found = json.loads(out.read_text())
    assert (found["known"], found["update"]["method"]) == (0, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["early_reading_support", "nowhere", "--as-of", "1990-06-30", "--extracted-on", "1992-01-01"],
            "no such folder of data",
        ),
        (["no_such_study", ".", "--as-of", "1990-06-30", "--extracted-on", "1992-01-01"], "no_such_study"),
        (["early_reading_support", ".", "--as-of", "1990-06-30"], "--extracted-on"),
        (
            ["early_reading_support", ".", "--as-of", "June", "--extracted-on", "1992-01-01"],
            "a date reads like 2024-06-30",
        ),
    ],
)
def test_bad_input_is_one_line(workspace: Workspace, arguments: list[str], said: str, capsys) -> None:
    assert run(["update", *arguments, "--workspace", str(workspace.root)]) in (2, 3, 4)
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error
