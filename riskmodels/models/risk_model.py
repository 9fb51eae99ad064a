"""The saved model: an encoder, a fitted family and a calibrator, as text and JSON that anybody can read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from riskmodels import storage
from riskmodels.data.features import FeatureSpec
from riskmodels.errors import ModelFileError
from riskmodels.models.booster_text import BOOSTER_FILE
from riskmodels.models.families import MODELS, Fitted
from riskmodels.models.matrix import Column, Encoder
from riskmodels.models.risk_curves import Calibrator, load_calibrator
from riskmodels.study import Period

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FORMAT = 3
MANIFEST = "manifest.json"
# What features.json says of a feature; reasons.json says the rest.
DEFINITION = ("name", "take", "of", "last", "source", "kind", "missing")
SAID = tuple(part.name for part in fields(FeatureSpec) if part.name not in DEFINITION)
MEGABYTE = 2**20
# What could not be written again: half of a pair, which JSON can only say in this way, and we never write.
HALF = re.compile(r"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
STUDY = re.compile(r"[a-z][a-z0-9_]{0,79}")
# Every name a saved model may hold, and how large it may be.
LARGEST = {
    MANIFEST: MEGABYTE,
    "model.json": 64 * MEGABYTE,
    BOOSTER_FILE: 512 * MEGABYTE,
    "features.json": 64 * MEGABYTE,
    "calibrator.json": 64 * MEGABYTE,
    "reasons.json": 16 * MEGABYTE,
}


@dataclass(frozen=True)
class RiskModel:
    """A calibrated model. Its predictions are numbers, not an approved list.

    Who may act on them is decided elsewhere: only `riskmodels.governance.gate.open_for_scoring` makes the model that
    the scoring command accepts. Frames are Polars or pandas, with a column for each feature; others are not looked at.

    Attributes
    ----------
    reasons : the features as the study says them, in the order of the encoder's columns
    wobble : how far the contribution of features that say the same thing (by that word) would move, had the sample
        been another (`riskmodels.models.reasons.fit_wobble`); empty where nobody looked
    directions : which way a high value of a feature points, by its name (`riskmodels.models.reasons.directions`)
    """

    study_id: str
    family: str
    fitted: Fitted
    encoder: Encoder
    calibrator: Calibrator
    reasons: tuple[FeatureSpec, ...]
    wobble: Mapping[str, float] = field(default_factory=dict)
    directions: Mapping[str, int] = field(default_factory=dict)

    def score(self, frame: pl.DataFrame | pd.DataFrame) -> np.ndarray:
        """Raw scores, float64 [n]. Raises DataError if a feature is not there or of another type."""
        return self.fitted.score(self.encoder.encode(frame))

    def predict_risk(self, frame: pl.DataFrame | pd.DataFrame) -> np.ndarray:
        """Calibrated risks, float64 [n], strictly between 0 and 1. Numbers, not an approved list."""
        return self.calibrator.apply(self.score(frame))

    def predict_proba(self, frame: pl.DataFrame | pd.DataFrame) -> np.ndarray:
        """scikit-learn's convention: float64 [n, 2], the columns being 1 - risk and risk."""
        risk = self.predict_risk(frame)
        return np.column_stack([1.0 - risk, risk])

    def contributions(self, frame: pl.DataFrame | pd.DataFrame) -> np.ndarray:
        """What each feature adds to the score, float64 [n, p]; ``fitted.base`` plus a row's sum is its score."""
        return self.fitted.contributions(self.encoder.encode(frame))

    @cached_property
    def model_sha256(self) -> str:
        """SHA-256 of the manifest, which holds the SHA-256 of every other file."""
        return storage.sha256(self.to_files()[MANIFEST])

    def to_files(self) -> dict[str, bytes]:
        """The saved form, by file name. The same model gives the same bytes: no time and no run is named."""
        files = {
            "model.json": storage.canonical_json(
                {"study": self.study_id, "family": self.family, "fitted": self.fitted.to_dict()}
            ),
            **self.fitted.to_files(),
            "features.json": storage.canonical_json([asdict(column) for column in self.encoder.columns]),
            "calibrator.json": storage.canonical_json(self.calibrator.to_dict()),
            "reasons.json": storage.canonical_json(
                {
                    "features": {spec.name: {part: getattr(spec, part) for part in SAID} for spec in self.reasons},
                    "wobble": self.wobble,
                    "directions": self.directions,
                }
            ),
        }
        manifest = {
            "format": FORMAT,
            "study": self.study_id,
            "family": self.family,
            "files": {name: storage.sha256(files[name]) for name in sorted(files)},
        }
        return {MANIFEST: storage.canonical_json(manifest), **files}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> RiskModel:
        """The model from its saved form, checked against its manifest before anything else is read.

        Raises
        ------
        ModelFileError
            naming the file that is missing, changed, foreign, too large, or not of the expected shape.
        """
        manifest = verify_manifest(files)
        raw = {name: _strict_json(name, content) for name, content in files.items() if name.endswith(".json")}
        try:
            name = "model.json"
            study, family, fitted = (raw[name][key] for key in ("study", "family", "fitted"))
            if (study, family) != (manifest["study"], manifest["family"]):
                raise ModelFileError(f"{name}: is another model than {MANIFEST} says; restore the model from its run")
            name = "features.json"
            columns = TypeAdapter(tuple[Column, ...]).validate_python(raw[name])
            _check_columns(columns)
            name = "reasons.json"
            specs, wobble, directions = _reasons(columns, **raw[name])
            name = "calibrator.json"
            calibrator = load_calibrator(raw[name])
            name = "model.json"
            loaded = MODELS[family].load(fitted, columns, files)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
            raise ModelFileError(
                f"{name}: is not of the shape that this version writes; restore the model from its run"
            ) from None
        return cls(study, family, loaded, Encoder(columns), calibrator, specs, wobble, directions)


def _check_columns(columns: tuple[Column, ...]) -> None:
    if not columns or len({column.name for column in columns}) != len(columns):
        raise ValueError
    for column in columns:
        if list(column.vocabulary) != sorted(set(column.vocabulary)):
            raise ValueError
        typical_is_right = column.typical is None or isinstance(column.typical, str) == (column.kind == "category")
        if not typical_is_right or (column.kind == "category" and column.fill is not None):
            raise ValueError


def _reasons(
    columns: tuple[Column, ...], features: dict[str, Any], wobble: dict[str, float], directions: dict[str, int]
) -> tuple[tuple[FeatureSpec, ...], dict[str, float], dict[str, int]]:
    specs = tuple(_spec(column, features.pop(column.name)) for column in columns)
    known = {spec.says or spec.name for spec in specs}
    if features or not set(wobble) <= known or not all(size >= 0 for size in wobble.values()):
        raise ValueError
    if not set(directions) <= {spec.name for spec in specs}:
        raise ValueError
    if not all(type(way) is int and abs(way) <= 1 for way in directions.values()):
        raise ValueError
    return specs, {says: float(size) for says, size in wobble.items()}, directions


def _spec(column: Column, said: Mapping[str, Any]) -> FeatureSpec:
    if sorted(said) != sorted(SAID):
        raise ValueError
    spec = TypeAdapter(FeatureSpec).validate_python({**{part: getattr(column, part) for part in DEFINITION}, **said})
    if spec.stale_after is not None:
        Period.parse(spec.stale_after)
    return spec


# ---------------------------------------------------------------- files


def verify_manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Check that the files are those that the manifest lists, whole and no others; return the manifest.

    Raises
    ------
    ModelFileError
        naming the file that is missing, changed, foreign or too large.
    """
    if MANIFEST not in files:
        raise ModelFileError(f"{MANIFEST}: is missing, so this is not a saved model; name the folder that holds it")
    for name, content in files.items():
        _refuse_foreign(name, len(content))
    manifest = read_manifest(files[MANIFEST])
    listed = manifest["files"]
    for name in sorted({*listed, *files} - {MANIFEST}):
        if name not in files:
            raise ModelFileError(f"{name}: is missing from the saved model; restore the model from its run")
        if name not in listed:
            raise ModelFileError(f"{name}: does not belong to this model (its manifest does not list it); take it away")
        if storage.sha256(files[name]) != listed[name]:
            raise ModelFileError(f"{name}: was changed after the model was saved; restore the model from its run")
    return manifest


def read_manifest(content: bytes) -> dict[str, Any]:
    """What a manifest says: ``format``, ``study``, ``family`` and ``files`` (name -> SHA-256), and nothing else.

    The files are those that a model of its family has, and the study is a name that a file may have.

    Raises
    ------
    ModelFileError
        if it is not readable, of another format, or lists other files.
    """
    _refuse_foreign(MANIFEST, len(content))
    manifest = _strict_json(MANIFEST, content)
    try:
        form, study, family, listed = (manifest[key] for key in ("format", "study", "family", "files"))
        expected = {"model.json", "features.json", "calibrator.json", "reasons.json", *MODELS[family].files}
        sound = len(manifest) == 4 and set(listed) == expected and STUDY.fullmatch(study) is not None
    except (KeyError, TypeError):
        form, sound = FORMAT, False
    if type(form) is not int or form != FORMAT:
        raise ModelFileError(
            f"{MANIFEST}: has format {_shown(str(form))}, and this version reads {FORMAT}; use the version that saved "
            "the model"
        )
    if not sound:
        raise ModelFileError(f"{MANIFEST}: does not list the files of a saved model; restore the model from its run")
    return dict(manifest)


def read_model_folder(folder: str | Path) -> dict[str, bytes]:
    """The files of a saved model, read once, so that what is checked is what is used.

    Raises
    ------
    ModelFileError
        if the folder is not there, or holds a link, a folder, a foreign name or a file that is too large.
    """
    folder = Path(folder)
    try:
        with storage.open_plain_folder(folder) as inside:
            # One name more than there can be says enough, however many there are; and no file is opened before all
            # the names are known to belong here.
            names = inside.names(len(LARGEST))
            for name in names:
                _refuse_foreign(name)
            return {name: _read(inside, name) for name in names}
    except ModelFileError:
        raise
    except (storage.NotPlainError, FileNotFoundError, ValueError):
        raise ModelFileError(f"{_shown(str(folder))}: is not a folder; name the folder that holds {MANIFEST}") from None
    except OSError as reason:
        raise ModelFileError(
            f"{_shown(str(folder))}: cannot be read ({reason.strerror}); restore the model from its run"
        ) from None


def _read(inside: storage.PlainFolder, name: str) -> bytes:
    try:
        return inside.read(name, LARGEST[name])
    except storage.NotPlainError as reason:
        raise ModelFileError(f"{name}: {reason.strerror}; a saved model holds plain files only, and no links") from None
    except storage.TooLargeError:
        raise ModelFileError(_too_large(name)) from None
    except OSError as reason:
        raise ModelFileError(f"{name}: cannot be read ({reason.strerror}); restore the model from its run") from None


def _refuse_foreign(name: str, size: int = 0) -> None:
    if name not in LARGEST:
        raise ModelFileError(
            f"{_shown(name)}: does not belong in a saved model; take it away, or restore the model from its run"
        )
    if size > LARGEST[name]:
        raise ModelFileError(_too_large(name))


def _too_large(name: str) -> str:
    return f"{name}: is larger than {LARGEST[name] // MEGABYTE} MB; restore the model from its run"


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:80]


def _strict_json(name: str, content: bytes) -> Any:
    """JSON as we write it: UTF-8, each key once, every number finite, no half of a character."""
    try:
        text = content.decode("utf-8")
        if HALF.search(text):
            raise ValueError
        return json.loads(text, object_pairs_hook=_each_once, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        raise ModelFileError(f"{name}: is not readable as JSON; restore the model from its run") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError
    return value
