"""A study folder: ``study.yaml``, ``register.yaml``, ``answers.yaml`` and ``examples.yaml``, read together."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import ModelFileError, StudyError
from riskmodels.study.answers import Answers
from riskmodels.study.examples import Examples
from riskmodels.study.file import StudyFile
from riskmodels.study.problems import Schema, validated
from riskmodels.study.register import Register
from riskmodels.study.wording import refuse_blaming

REQUIRED = ("study.yaml", "register.yaml", "answers.yaml")
EXAMPLES = "examples.yaml"


@dataclass(frozen=True)
class Study:
    """A study folder that has been read and checked."""

    folder: Path
    file: StudyFile
    register: Register
    answers: Answers
    files: tuple[tuple[str, bytes], ...]
    examples: Examples | None = None

    @property
    def name(self) -> str:
        return self.file.study

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what changes the model: ``study.yaml`` only."""
        return digest_of(dict(self.files))

    @cached_property
    def answers_digest(self) -> str:
        return answers_digest_of(dict(self.files))

    @property
    def extracted_on(self) -> dt.date:
        """The day up to which every source used by the model had been extracted."""
        used = [name for name, source in self.file.sources.items() if source.use == "model"]
        return min(self.register.sources[name].extracted_on for name in used)


def load_study(folder: str | Path) -> Study:
    """Read and check a study folder (or its ``study.yaml``).

    Raises
    ------
    StudyError
        naming the file, the path of the key and what to do.
    """
    folder = Path(folder)
    if folder.name == "study.yaml":
        folder = folder.parent
    if not folder.is_dir():
        raise StudyError(f"{folder}: no such study folder; `riskmodels new` makes one")
    files = {name: storage.read_bytes(folder / name, StudyError) for name in REQUIRED}
    if (folder / EXAMPLES).exists():
        files[EXAMPLES] = storage.read_bytes(folder / EXAMPLES, StudyError)
    return _checked(folder, files)


def load_kept_study(folder: str | Path, digests: tuple[object, object]) -> Study:
    """A study as a run kept it, held to its `Study.digest` and `Study.answers_digest` before a word of it is parsed.

    The digests do not cover the examples, which decide nothing; they are read as any file of unknown origin.

    Raises
    ------
    ModelFileError
        if a file is missing, is a link, a device or a pipe, or is not the one that the digests name.
    StudyError
        if the examples are wrong.
    """
    folder = Path(folder)
    files = {name: storage.read_plain_file(folder / name, storage.MOST_YAML, ModelFileError) for name in REQUIRED}
    if (digest_of(files), answers_digest_of(files)) != digests:
        raise ModelFileError(
            f"{folder}: a file of the study was changed after the card was built; restore the folder, or run the "
            "changed study and have it reviewed"
        )
    if os.path.lexists(folder / EXAMPLES):
        files[EXAMPLES] = storage.read_plain_file(folder / EXAMPLES, storage.MOST_YAML, ModelFileError)
    return _checked(folder, files)


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 of what changes the model: ``study.yaml`` only."""
    return storage.sha256(files["study.yaml"])


def answers_digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 of what people say in the card."""
    return storage.digest_of_files({name: files[name] for name in ("answers.yaml", "register.yaml")})


def _checked(folder: Path, files: dict[str, bytes]) -> Study:
    # Parsed from the very bytes whose digests are taken.
    study_file = _parsed(StudyFile, files, folder / "study.yaml")
    refuse_blaming(study_file, str(folder / "study.yaml"))
    register = _parsed(Register, files, folder / "register.yaml")
    answers = _parsed(Answers, files, folder / "answers.yaml")
    examples = _parsed(Examples, files, folder / EXAMPLES) if EXAMPLES in files else None
    unregistered = sorted(set(study_file.sources) - set(register.sources))
    if unregistered:
        raise StudyError(
            f"{folder / 'register.yaml'}: sources.{unregistered[0]} is missing; every source must be registered"
        )
    _refuse_hidden_from_readers(study_file, register, folder / "study.yaml")
    return Study(folder, study_file, register, answers, tuple(sorted(files.items())), examples)


def parse_study_file(raw: dict[str, Any], where: str = "study.yaml") -> StudyFile:
    """Check a study that is already a mapping. Raises StudyError."""
    return validated(StudyFile, raw, where)


def _refuse_hidden_from_readers(study: StudyFile, register: Register, path: Path) -> None:
    """Refuse what would tell a reader of a source that the register does not show to them.

    A team is read by everybody who sees the list; a route says to one role what its sources say.
    """
    if study.capacity.by is not None:
        source = study.capacity.by.partition(".")[0]
        if register.sources[source].may_show_to is not None:
            raise StudyError(
                f"{path}: capacity.by: teams are read by everybody who sees the list, and the register shows {source} "
                "to some roles only (may_show_to); take the team from another source"
            )
    for place, route in enumerate(study.routes):
        for source in sorted(study.sources_of([route.when])):
            roles = register.sources[source].may_show_to
            if roles is not None and route.to not in roles:
                raise StudyError(
                    f"{path}: routes[{place}]: {route.to} is not among those to whom the register shows {source} "
                    "(may_show_to); send it to a role that is, or have the owner of the source add this one"
                )


def _parsed(schema: type[Schema], files: dict[str, bytes], path: Path) -> Schema:
    return validated(schema, storage.parse_yaml(files[path.name], path), str(path))
