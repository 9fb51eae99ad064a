"""Files that do something when they are loaded as what they are: each leaves a mark, a folder of a given name.

To add one: a function that makes its bytes, a function that loads it as its own library does, one row.
"""

from __future__ import annotations

import io
import marshal
import os
import pickle
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import yaml


class Marks:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


class MarksWhenSet:
    """Given back its state, as skops does for a type that it was told to trust, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __setstate__(self, state: dict[str, str]) -> None:
        os.mkdir(state["mark"])


@dataclass(frozen=True)
class Payload:
    """``name``: what such a file is called."""

    name: str
    make: Callable[[Path], bytes]
    load: Callable[[bytes], object]


def _cloudpickle(mark: Path) -> bytes:
    """By value: the code itself travels, so that it runs where no such class is known."""

    class Travels:
        def __reduce__(self) -> tuple[Any, ...]:
            return (lambda place: os.mkdir(place)), (str(mark),)

    return cloudpickle.dumps(Travels())


def _skops() -> Any:
    """It imports much, so it is imported where it is asked for."""
    import skops.io

    return skops.io


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _source(mark: Path) -> str:
    return f"import os\nos.mkdir({str(mark)!r})\n"


PAYLOADS = {
    "pickle in letters": Payload("model.pkl", lambda mark: pickle.dumps(Marks(mark), 0), pickle.loads),
    "pickle": Payload("model.pickle", lambda mark: pickle.dumps(Marks(mark), 5), pickle.loads),
    "cloudpickle": Payload("python_model.pkl", _cloudpickle, cloudpickle.loads),
    "joblib": Payload(
        "model.joblib",
        lambda mark: _written(lambda stream: joblib.dump(Marks(mark), stream)),
        lambda content: joblib.load(io.BytesIO(content)),
    ),
    "joblib, compressed": Payload(
        "model.joblib.gz",
        lambda mark: _written(lambda stream: joblib.dump(Marks(mark), stream, compress=("gzip", 3))),
        lambda content: joblib.load(io.BytesIO(content)),
    ),
    "skops with an unknown type": Payload(
        "model.skops",
        lambda mark: _skops().dumps(MarksWhenSet(mark)),
        lambda content: _skops().loads(content, trusted=_skops().get_untrusted_types(data=content)),
    ),
    "numpy with objects": Payload(
        "weights.npy",
        lambda mark: _written(lambda stream: np.save(stream, np.array([Marks(mark)], dtype=object), allow_pickle=True)),
        lambda content: np.load(io.BytesIO(content), allow_pickle=True),
    ),
    "compiled Python": Payload(
        "model.pyc",
        lambda mark: marshal.dumps(compile(_source(mark), "model", "exec")),
        lambda content: exec(marshal.loads(content)),
    ),
    "Python": Payload("model.py", lambda mark: _source(mark).encode(), lambda content: exec(content)),
    "YAML with a tag of Python": Payload(
        "model.yaml",
        lambda mark: f"!!python/object/apply:os.mkdir [{str(mark)!r}]\n".encode(),
        lambda content: yaml.unsafe_load(content),
    ),
}


# ---------------------------------------------------------------- a folder for MLflow

LOADER = "a_loader_of_its_own"


def write_mlflow_model(folder: Path, mark: Path) -> None:
    """A model of MLflow's that brings its own loader, whose import leaves a mark."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / f"{LOADER}.py").write_text(
        _source(mark) + "def _load_pyfunc(path):\n    return None\n", encoding="utf-8"
    )
    (folder / "MLmodel").write_text(
        textwrap.dedent(
            f"""\
            flavors:
              python_function:
                code: code
                data: riskmodel
                env: {{}}
                loader_module: {LOADER}
            mlflow_version: 3.17.2
            """
        ),
        encoding="utf-8",
    )
