"""A registered model on a shelf, a copy of it to spoil, and a watch that sees whatever runs, opens or unpickles."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskmodels import storage
from riskmodels.cards.card import ModelCard
from riskmodels.governance import registry
from riskmodels.workspace import Workspace
from tests.cards import example_card
from tests.hostile.watching import Watch
from tests.models.planted import World, make_world

STUDY = "spring_reading"
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(rows=600)


@pytest.fixture(scope="session")
def saved(world: World) -> dict[str, bytes]:
    """A model of trees, as it is saved."""
    return dataclasses.replace(world.model("lightgbm"), study_id=STUDY).to_files()


@pytest.fixture(scope="session")
def other() -> dict[str, bytes]:
    """Another model of trees of the same study, as good as the first."""
    return dataclasses.replace(make_world(rows=600, seed=12).model("lightgbm"), study_id=STUDY).to_files()


def card_for(files: dict[str, bytes]) -> bytes:
    """A whole card of a made-up study that names this model."""
    raw = example_card.card().to_dict()
    raw["model"]["sha256"] = storage.sha256(files["manifest.json"])
    content = storage.canonical_json(raw)
    ModelCard.from_bytes(content)
    return content


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, saved: dict[str, bytes]) -> Workspace:
    """A workspace with one registered version. To be copied, not changed."""
    workspace = Workspace(tmp_path_factory.mktemp("shelf") / "work")
    run = workspace.runs(STUDY) / "one"
    storage.write_folder(run / "riskmodel", saved)
    storage.write_folder(run / "card", {"card.json": card_for(saved)})
    study = {name: json.dumps({"study": STUDY}).encode() for name in ("study.yaml", "register.yaml", "answers.yaml")}
    storage.write_folder(run / "study", study)
    entry = {
        "model_sha256": storage.sha256(saved["manifest.json"]),
        "card_sha256": storage.sha256(card_for(saved)),
        "data_sha256": "d" * 64,
        "policy_sha256": "e" * 64,
        "folder": f"runs/{STUDY}/one",
        "registered_on": TODAY,
        "verdict": "PASS",
        "recommendation": "use",
    }
    registry.register(workspace, STUDY, entry)
    return workspace


@dataclass(frozen=True)
class Spoilt:
    """A registered run, and a copy of it that nobody registered: both are spoilt in the same way."""

    workspace: Workspace
    folder: Path
    outside: Path

    @property
    def runs(self) -> tuple[Path, Path]:
        return self.workspace.runs(STUDY) / "one", self.folder


@pytest.fixture
def spoilt(shelf: Workspace, tmp_path: Path) -> Spoilt:
    """Both are still whole; ``outside`` is an empty folder for what a spoilt model points at."""
    shutil.copytree(shelf.root, tmp_path / "work")
    shutil.copytree(shelf.runs(STUDY) / "one", tmp_path / "brought" / "run")
    (tmp_path / "outside").mkdir()
    return Spoilt(Workspace(tmp_path / "work"), tmp_path / "brought" / "run", tmp_path / "outside")


@pytest.fixture
def marks(tmp_path: Path) -> Callable[[], Path]:
    """A place for the mark that a payload leaves when it runs; a new one at each call."""
    made: list[Path] = []

    def mark() -> Path:
        made.append(tmp_path / f"mark-{len(made)}")
        return made[-1]

    return mark


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with Watch.over(tmp_path) as watching:
        yield watching
