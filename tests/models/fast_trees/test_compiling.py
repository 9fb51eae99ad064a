"""What is compiled is kept, goes stale with its source, and is done without where nothing can be kept."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from numba.core import caching, config

import riskmodels.models.fast_trees as package
from riskmodels.models.fast_trees.compiling import F64, I64, compiled, given
from riskmodels.storage import only_ours

FOLDER = Path(package.__file__).parent
SOURCE = """
from riskmodels.models.fast_trees.compiling import I64, compiled

@compiled(I64)
def more(x):
    return x + {step}
"""


def in_fresh_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=FOLDER.parents[2], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def answer_of(source: Path) -> int:
    """What the file's function says of 1, imported anew."""
    spec = importlib.util.spec_from_file_location("kept", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.more(1)


def kept_beside(source: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (source.parent / "__pycache__").glob("*.nb?")}


def test_is_kept_and_goes_stale_with_its_source(tmp_path):
    source = tmp_path / "kept.py"
    source.write_text(SOURCE.format(step=1))
    assert answer_of(source) == 2
    kept = kept_beside(source)
    assert len(kept) == 2  # an index and the code
    assert answer_of(source) == 2
    assert kept_beside(source) == kept
    source.write_text(SOURCE.format(step=10))
    assert answer_of(source) == 11


def test_what_was_kept_and_is_broken_is_done_again(tmp_path):
    source = tmp_path / "kept.py"
    source.write_text(SOURCE.format(step=1))
    assert answer_of(source) == 2
    for name in kept_beside(source):
        path = tmp_path / "__pycache__" / name
        path.write_bytes(path.read_bytes()[:20])
    assert answer_of(source) == 2


class Marks:
    """Unpickled, it leaves a folder behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def write_index(kept: Path, mark: Path) -> None:
    """What somebody else might write into the index of what is kept."""
    (index,) = kept.glob("*.nbi")
    index.write_bytes(pickle.dumps(Marks(mark)))


OTHERS_WRITE = {
    "the folder": ("__pycache__", 0o777),
    "the folder, and none takes what is another's": ("__pycache__", 0o1777),
    "the folder, as a group": ("__pycache__", 0o775),
    "the folder above": (".", 0o777),
    "the index": ("__pycache__/*.nbi", 0o666),
}


@pytest.mark.skipif(os.name != "posix", reason="there are no such bits")
@pytest.mark.parametrize("what", OTHERS_WRITE)
def test_what_others_may_write_is_not_read(tmp_path, what):
    source, kept, mark = tmp_path / "kept.py", tmp_path / "__pycache__", tmp_path / "mark"
    source.write_text(SOURCE.format(step=1))
    assert answer_of(source) == 2
    write_index(kept, mark)
    pattern, mode = OTHERS_WRITE[what]
    wide = tmp_path if pattern == "." else next(tmp_path.glob(pattern))
    before = wide.stat().st_mode
    wide.chmod(mode)
    told = kept_beside(source)
    assert answer_of(source) == 2
    assert not mark.exists()
    assert kept_beside(source) == told
    # As it was, it is read: so what is written there matters.
    wide.chmod(before)
    assert answer_of(source) == 2
    assert mark.exists()


@pytest.mark.skipif(os.name != "posix", reason="there are no such bits")
def test_a_folder_that_is_asked_for_and_open_to_others_is_not_used(tmp_path, monkeypatch):
    source, asked = tmp_path / "kept.py", tmp_path / "asked"
    source.write_text(SOURCE.format(step=1))
    asked.mkdir()
    monkeypatch.setattr(config, "CACHE_DIR", str(asked))
    asked.chmod(0o777)
    assert answer_of(source) == 2
    assert not list(asked.rglob("*.nb?"))
    asked.chmod(0o700)
    assert answer_of(source) == 2
    assert len(list(asked.rglob("*.nb?"))) == 2


@pytest.mark.skipif(os.name != "posix", reason="there are no such bits")
def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o755)
    assert only_ours(kept)
    tmp_path.chmod(0o1777)  # as /tmp is
    assert only_ours(kept)
    theirs = SimpleNamespace(st_uid=54_321, st_mode=0o040755)
    monkeypatch.setattr(Path, "stat", lambda path, **_: theirs)
    assert not only_ours(kept)


def plus_one(x):
    return x + 1


def test_where_no_folder_can_be_written_it_is_compiled_in_memory(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiled(I64)(plus_one)(1) == 2


def test_where_the_disk_is_full_it_is_compiled_in_memory(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert compiled(F64)(plus_one)(1.5) == 2.5


def test_a_function_that_does_not_compile_says_so():
    with pytest.raises(Exception, match="no_such_thing"):
        compiled(given(F64))(lambda x: x.no_such_thing)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_no_compiled_function_calls_one_of_another_file(path):
    # A change in that file would go unseen: what is kept knows only the file it was compiled from.
    tree = ast.parse(path.read_text())
    compiles = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "compiled"
        for node in ast.walk(tree)
    )
    ours = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskmodels")
    }
    assert not compiles or ours == {"riskmodels.models.fast_trees.compiling"}


def test_warming_compiles_every_file_and_warns_of_nothing():
    compiling = sorted(path.stem for path in FOLDER.glob("*.py") if "\n@compiled(" in path.read_text())
    assert len(compiling) == 4
    loaded = in_fresh_process(
        "import json, sys; from riskmodels.models.fast_trees import warm; warm();"
        f"print(json.dumps([name for name in {compiling} if 'riskmodels.models.fast_trees.' + name in sys.modules]))"
    )
    assert json.loads(loaded) == compiling


def test_nothing_heavy_is_imported_before_trees_are_built():
    loaded = in_fresh_process(
        "import json, sys, riskmodels.models.boosting;"
        "print(json.dumps(sorted({'numba', 'llvmlite', 'lightgbm', 'scipy', 'sklearn'} & set(sys.modules))))"
    )
    assert json.loads(loaded) == []
