"""A made-up county whose approved model can be used in full, made once."""

from __future__ import annotations

import shutil

import pytest

from tests.conftest import Demo
from tests.end_to_end.served import Served, make_served


@pytest.fixture(scope="session")
def county(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """In a workspace that has the demo's model as well. Scoring adds batches to it; change nothing else."""
    folder = tmp_path_factory.mktemp("county")
    shutil.copytree(demo.workspace.root, folder / "work")
    return make_served(folder)
