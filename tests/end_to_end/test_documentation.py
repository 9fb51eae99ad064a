"""What the documentation says can be done, is done here."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.main import get_command

from tests.conftest import ROOT, Demo

README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_python_tour_runs() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "tour.py"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "A simple sort by reading score this spring does as well" in done.stdout


def test_every_command_in_the_readme_exists() -> None:
    from riskmodels.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    said = set(re.findall(r"^riskmodels (\w+)", README, flags=re.MULTILINE))
    assert said
    assert said <= known


def test_every_command_has_an_example_in_its_help() -> None:
    from riskmodels.cli.app import app, review_app

    commands = [*get_command(app).commands.values(), *get_command(review_app).commands.values()]  # type: ignore[attr-defined]
    for command in commands:
        if not hasattr(command, "commands"):
            assert (command.epilog or "").startswith("Example: riskmodels "), command.name
            assert command.help, command.name


def test_every_file_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("number", ["308"])
def test_numbers_in_the_readme_are_the_run_s(demo: Demo, number: str) -> None:
    at_capacity = demo.report.run.run.performance.at_capacity
    assert str(at_capacity["unknown"]) == number
    assert f"{number} of the" in README
    assert f"{demo.report.run.run.tables['pupils'].frame.height:,} real pupils" in README
