"""The proof that no pickle opcode of a model is read: it is loaded and asked in a process where none can be."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import riskmodels
from riskmodels import storage
from riskmodels.models.risk_model import RiskModel
from tests.models.planted import World

SCRIPT = Path(__file__).with_name("without_pickle.py")
PACKAGE = Path(riskmodels.__file__).parents[1]


@pytest.fixture
def ask(world: World, tmp_path: Path) -> Any:
    """What the script found of a model of a family, and the risks that it should have given."""

    def ask_(family: str, how: str, **environment: str) -> tuple[dict[str, Any], np.ndarray]:
        files = world.model(family).to_files()
        storage.write_folder(tmp_path / "riskmodel", files)
        rows = world.frame.head(50)
        rows.write_parquet(tmp_path / "rows.parquet")
        done = subprocess.run(
            [sys.executable, SCRIPT, tmp_path / "riskmodel", tmp_path / "rows.parquet", how],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), RiskModel.from_files(files).predict_risk(rows)

    return ask_


def test_a_model_without_trees_is_loaded_and_asked_without_any_unpickler(ask: Any) -> None:
    found, expected = ask("logistic", "nothing")
    assert found["broken"] == found["imported"] == found["kept"] == []
    assert found["risks"] == expected.tolist()


def test_a_model_of_trees_unpickles_nothing_but_our_own_machine_code(ask: Any) -> None:
    """What is left out: numba's file of our compiled loops, which is a pickle, is no model's, and is beside our source
    or in the user's own cache."""
    found, expected = ask("lightgbm", "kept kernel")
    assert found["fast"]
    assert found["broken"] == found["imported"] == []
    assert found["risks"] == expected.tolist()
    assert all(storage.only_ours(Path(folder)) for folder in found["kept"])


@pytest.mark.slow  # compiles the loops, which are kept nowhere
@pytest.mark.skipif(os.name != "posix", reason="there are no such bits")
def test_a_model_of_trees_is_loaded_and_asked_without_any_unpickler(ask: Any, tmp_path: Path) -> None:
    """Without that exception: where others may write the folder, nothing is kept in it, and nothing of it is read."""
    everybody = tmp_path / "everybody's"
    everybody.mkdir()
    everybody.chmod(0o777)
    found, expected = ask("lightgbm", "nothing", NUMBA_CACHE_DIR=str(everybody))
    assert found["fast"]
    assert found["broken"] == found["imported"] == found["kept"] == []
    assert found["risks"] == expected.tolist()


def test_the_script_would_see_a_pickle(tmp_path: Path) -> None:
    """The proof can fail: where `from_files` is made to unpickle, the script says so."""
    code = SCRIPT.read_text(encoding="utf-8")
    inside = "files = read_model_folder(FOLDER)"
    assert inside in code
    pickled = tmp_path / "model.pkl"
    pickled.write_bytes(pickle.dumps(Path("/")))
    # Through a name that was taken before the doors were shut, so that the hook alone can see it.
    code = code.replace("import _pickle  # noqa: E402", "import _pickle\nearly = _pickle.loads")
    code = code.replace(inside, f"early(open({str(pickled)!r}, 'rb').read())\nprint(broken)\nsys.exit(3)")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), "rows", "nothing"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)}, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "pickle.find_class" in done.stdout
