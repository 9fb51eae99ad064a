"""One run of the real study, made once; tests that change a workspace work on a copy."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from riskmodels import commands
from riskmodels.workspace import Workspace

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "experiments" / "early_reading_support"
TODAY = dt.date(2026, 11, 22)
AS_OF = dt.date(1989, 6, 30)


settings.register_profile("steady", derandomize=True)
settings.register_profile("searching", settings())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", metavar="FILE", help="simulate in full, and write what was found to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """The same examples each time, so that a change is judged by what it changed; `make full` looks for new ones."""
    settings.load_profile("searching" if config.getoption("--full") else "steady")


@dataclass(frozen=True)
class Demo:
    report: commands.DemoReport
    workspace: Workspace
    data: Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`riskmodels demo` on the reading study, whole."""
    workspace = Workspace(tmp_path_factory.mktemp("demo") / "work")
    report = commands.demo(STUDY, workspace, TODAY)
    return Demo(report, workspace, workspace.data("early_reading_support"))


@pytest.fixture
def workspace(demo: Demo, tmp_path: Path) -> Workspace:
    """A copy of the demo's workspace, approved for a pilot, to change at will."""
    shutil.copytree(demo.workspace.root, tmp_path / "work")
    return Workspace(tmp_path / "work")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A copy of the study's folder, to change at will."""
    return Path(shutil.copytree(STUDY, tmp_path / "study"))
