"""Load a saved model and predict, in a process in which nothing may be unpickled. Run by `test_nothing_is_unpickled`.

    python without_pickle.py FOLDER ROWS.parquet HOW

Every door to pickle raises, and an audit hook, which no module can get round, notes each global that an unpickler would
look up, each code object that is unmarshalled other than by an import, and each process that is started. HOW is
``nothing`` (no exception is made), or ``kept kernel``: numba may read the machine code of our own loops, which it keeps
as a pickle beside their source. That file comes with no model; it is read from a folder that nobody else may write
(`riskmodels.storage.only_ours`), and what is read there is noted too.
"""

from __future__ import annotations

import json
import marshal
import os
import pickle
import sys
import traceback
from pathlib import Path

KEPT_BY = os.path.join("numba", "core", "caching.py")
FOLDER, ROWS, HOW = sys.argv[1:]
broken: list[str] = []
kept: set[str] = set()


def of_the_kernel() -> bool:
    """Whether it is numba that asks, for the machine code that it keeps."""
    return HOW == "kept kernel" and any(frame.filename.endswith(KEPT_BY) for frame in traceback.extract_stack())


def hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "pickle.find_class":
        if not of_the_kernel():
            broken.append(f"{event} {arguments!r}")
    elif event in ("marshal.load", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        broken.append(f"{event} {arguments!r:.200}")
    elif event == "marshal.loads":
        if sys._getframe(1).f_code.co_filename != "<frozen importlib._bootstrap_external>":
            broken.append(event)
    elif event in ("exec", "compile"):
        code = arguments[0] if event == "exec" else arguments[1]
        if str(getattr(code, "co_filename", code)).startswith(FOLDER):
            broken.append(f"{event} of a file of the model")
    elif event == "open" and str(arguments[0]).endswith((".nbi", ".nbc")):
        kept.add(str(Path(str(arguments[0])).parent))


def shut(name: str, door: object) -> object:
    def refuse(*given: object, **named: object) -> object:
        if of_the_kernel():
            return door(*given, **named)  # type: ignore[operator]
        broken.append(f"{name} was called")
        raise AssertionError(name)

    return refuse


class Shut(pickle._Unpickler):
    """In the place of both unpicklers."""

    def load(self) -> object:
        broken.append("an Unpickler was asked to load")
        raise AssertionError("Unpickler.load")


import _pickle  # noqa: E402

for module in (pickle, _pickle):
    for name in ("load", "loads", "_load", "_loads"):
        if hasattr(module, name):
            setattr(module, name, shut(f"{module.__name__}.{name}", getattr(module, name)))
if HOW == "nothing":
    pickle.Unpickler = pickle._Unpickler = _pickle.Unpickler = Shut  # type: ignore[misc, assignment]
marshal.load = shut("marshal.load", marshal.load)  # type: ignore[assignment]
sys.addaudithook(hear)

import polars as pl  # noqa: E402

from riskmodels.models.risk_model import RiskModel, read_model_folder, verify_manifest  # noqa: E402

files = read_model_folder(FOLDER)
verify_manifest(files)
model = RiskModel.from_files(files)
rows = pl.read_parquet(ROWS)
risks = model.predict_risk(rows)
parts = model.contributions(rows)
# Whoever is not even imported loads nothing: each of these can unpickle, or calls somebody who can.
loaders = ("cloudpickle", "joblib", "skops", "dill", "shelve", "torch", "mlflow", "sklearn", "pandas", "lightgbm")
print(
    json.dumps({
        "risks": risks.tolist(),
        "parts": parts.sum(axis=1).tolist(),
        "fast": getattr(model.fitted, "fast", None) is not None,
        "broken": broken,
        "kept": sorted(kept),
        "imported": [name for name in loaders if name in sys.modules],
    })
)  # fmt: skip
