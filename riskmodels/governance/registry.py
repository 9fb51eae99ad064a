"""The models of a workspace: which versions there are, and where they lie.

``models.json`` maps a study to its versions, and ``candidate`` to the newest. It names digests and folders; which
version is the champion, and in what state each stands, the record says (`riskmodels.governance.standing`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, RootModel, ValidationError, field_validator, model_validator

from riskmodels import storage
from riskmodels.errors import GateError, ModelFileError, UsageError
from riskmodels.governance.chain import Record, read_chain
from riskmodels.governance.champions import champion, previous
from riskmodels.governance.rules import MANIFEST, read_model_folder
from riskmodels.study import Section, Slug
from riskmodels.workspace import Workspace

CANDIDATE, CHAMPION, PREVIOUS = "candidate", "champion", "previous"
REFERENCE = re.compile(r"(?P<study>[a-z][a-z0-9_]*)(?:@(?P<alias>[a-z_]+)|/(?P<version>[0-9]{1,6}))?")
MOST_BYTES = 64_000_000  # of the index: tens of thousands of versions
DIGESTS = ("model_sha256", "card_sha256", "data_sha256", "policy_sha256")


class Entry(Section):
    """One registered version. ``folder`` is the run's folder, relative to the workspace."""

    version: int = Field(ge=1)
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    card_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    data_sha256: str
    policy_sha256: str
    folder: str
    registered_on: dt.date
    verdict: str
    recommendation: str

    @field_validator("folder")
    @classmethod
    def _inside_the_workspace(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or ":" in value or "\\" in value:
            raise ValueError("a folder is a relative path inside the workspace")
        return value


class Registered(Section):
    versions: tuple[Entry, ...] = ()
    aliases: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> Registered:
        if [entry.version for entry in self.versions] != list(range(1, len(self.versions) + 1)):
            raise ValueError("versions are numbered from 1, without gaps")
        if set(self.aliases) - {CANDIDATE}:
            raise ValueError("only the candidate is kept here; the champion is what the record says")
        unknown = [name for name, version in self.aliases.items() if not 1 <= version <= len(self.versions)]
        if unknown:
            raise ValueError(f"the alias {unknown[0]!r} points at no version")
        return self


class _Index(RootModel[dict[Slug, Registered]]):
    pass


@dataclass(frozen=True)
class ResolvedModel:
    """Where a model lies. ``version`` and ``entry`` are None for a folder that was never registered."""

    study: str
    version: int | None
    folder: Path
    entry: Entry | None

    @property
    def model_folder(self) -> Path:
        return self.folder / "riskmodel"

    @property
    def card_path(self) -> Path:
        return self.folder / "card" / "card.json"


def read_index(workspace: Workspace) -> dict[str, Registered]:
    """Every study with its versions and aliases; empty in a new workspace.

    Raises
    ------
    ModelFileError
        if ``models.json`` is damaged or is not ours.
    """
    path = workspace.models_index
    if not os.path.lexists(path):
        return {}
    # A link would have another index obeyed, in a folder that others may write.
    text = storage.read_plain_file(path, MOST_BYTES, ModelFileError)
    try:
        return _Index.model_validate(storage.parse_json(text, path, ModelFileError)).root
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        what = problem["msg"].removeprefix("Value error, ")
        raise ModelFileError(
            f"{path}: {where}: {what}; this is not an index of models: restore it, or move it away and register again"
        ) from None


def register(workspace: Workspace, study: str, entry: Mapping[str, Any]) -> int:
    """Add a version and point ``candidate`` at it; return its number.

    The same digests are the same version: its folder is brought up to date, its number and date stay.

    Parameters
    ----------
    entry : the fields of `Entry` without ``version``; ask `gate.may_register` first

    Raises
    ------
    ModelFileError
        if the entry or the index is malformed.
    OutsideError
        if the disk refuses; the index is then as it was.
    """
    with storage.locked(workspace.models_index):
        storage.sweep_beside(workspace.models_index)
        index = read_index(workspace)
        known = index.get(study, Registered())
        new = _entry({**entry, "version": len(known.versions) + 1}, study)
        same = next((old for old in known.versions if _digests(old) == _digests(new)), None)
        if same is None:
            versions = (*known.versions, new)
        else:
            new = same.model_copy(update={"folder": new.folder})
            versions = tuple(new if old.version == new.version else old for old in known.versions)
        index[study] = Registered(versions=versions, aliases={**known.aliases, CANDIDATE: new.version})
        _write_index(workspace, index)
    return new.version


def aliases(workspace: Workspace, study: str, known: Registered) -> dict[str, int]:
    """What each alias points at. Raises GateError if the record is broken."""
    return aliases_in(read_chain(workspace.reviews(study)), known)


def aliases_in(chain: Sequence[Record], known: Registered) -> dict[str, int]:
    """What each alias points at: ``candidate`` by the index; ``champion`` and ``previous`` by the record."""
    found = dict(known.aliases)
    for name, reign in ((CHAMPION, champion(chain)), (PREVIOUS, previous(chain))):
        digests = None if reign is None else reign.digests
        version = next((one.version for one in known.versions if (one.model_sha256, one.card_sha256) == digests), None)
        if version is not None:
            found[name] = version
    return found


def resolve(workspace: Workspace, reference: str | Path) -> ResolvedModel:
    """Find the model that a user means.

    ``reference`` is ``study`` (its champion, else its candidate), ``study@alias``, ``study/3``, an MLflow address such
    as ``models:/study/3`` or ``models:/study@alias``, or a run's folder or its ``riskmodel/`` folder. The name of a
    registered study wins over a folder that lies where we are: such a folder is named ``./study``, or as a `Path`.

    Raises
    ------
    UsageError
        listing what exists.
    GateError
        if the study has no champion, or none before, and that is asked for; or its record is broken.
    ModelFileError
        if the index, or a model that was never registered, cannot be read.
    """
    index = read_index(workspace)
    folder = None if isinstance(reference, str) and _name_in(index, reference) else _run_folder(Path(reference))
    if folder is not None:
        return _resolve_folder(workspace, index, folder)
    found = REFERENCE.fullmatch(str(reference).removeprefix("models:/"))
    if found is None:
        raise UsageError(f"{reference}: no model lies there and it is not a name; {_known(index, workspace)}")
    name, alias = found["study"], found["alias"]
    if found["version"]:
        return _resolved(workspace, name, _version(index, name, int(found["version"]), workspace))
    known = aliases(workspace, name, _study(index, name, workspace))
    if alias in (CHAMPION, PREVIOUS) and alias not in known:
        raise GateError(
            f"{name} has no {alias} now: none was promoted, or it was withdrawn; see `riskmodels models`, then promote "
            "one that is approved"
        )
    if alias and alias not in known:
        raise UsageError(f"{name} has no alias {alias!r}; it has {', '.join(sorted(known)) or 'none'}")
    version = known[alias] if alias else known.get(CHAMPION, known.get(CANDIDATE, len(index[name].versions)))
    return _resolved(workspace, name, _version(index, name, version, workspace))


def names_a_model(workspace: Workspace, reference: str) -> bool:
    """Whether a reference is the name of a registered study, with or without a version; `./NAME` is a path."""
    return _name_in(read_index(workspace), reference) is not None


def bare_name(workspace: Workspace, reference: str) -> str | None:
    """The registered study that a reference names without a version or an alias; None for any other."""
    found = _name_in(read_index(workspace), reference)
    return found["study"] if found is not None and not (found["alias"] or found["version"]) else None


# ---------------------------------------------------------------- within


def _name_in(index: Mapping[str, Registered], reference: str) -> re.Match[str] | None:
    found = REFERENCE.fullmatch(reference.removeprefix("models:/"))
    return found if found is not None and found["study"] in index else None


def _entry(raw: Mapping[str, Any], study: str) -> Entry:
    try:
        return Entry.model_validate(dict(raw))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ModelFileError(f"{study}: the entry to register is wrong: {where}: {problem['msg']}") from None


def _digests(entry: Entry) -> tuple[str, ...]:
    return tuple(getattr(entry, name) for name in DIGESTS)


def _write_index(workspace: Workspace, index: dict[str, Registered]) -> None:
    content = {name: index[name].model_dump(mode="json") for name in sorted(index)}
    storage.write_whole(workspace.models_index, storage.canonical_json(content))


def _run_folder(path: Path) -> Path | None:
    """The run that a path means, if a saved model lies there."""
    try:
        if (path / "riskmodel" / MANIFEST).is_file():
            return path
        return path.absolute().parent if (path / MANIFEST).is_file() else None
    except OSError:  # a name too long for a path, or a folder that may not be entered
        return None


def _resolve_folder(workspace: Workspace, index: dict[str, Registered], folder: Path) -> ResolvedModel:
    """By place first, so that a changed file is not just unknown; then by digests, so that a copy is known."""
    entries = [(study, entry) for study, known in index.items() for entry in reversed(known.versions)]
    for study, entry in entries:
        if (workspace.root / entry.folder).resolve() == folder.resolve():
            return ResolvedModel(study, entry.version, folder, entry)
    from riskmodels.cards.card_file import read_card_file

    files = read_model_folder(folder / "riskmodel")
    card = folder / "card" / "card.json"
    card_sha256 = storage.sha256(read_card_file(card)) if card.is_file() else None
    for study, entry in entries:
        if (entry.model_sha256, entry.card_sha256) == (storage.sha256(files[MANIFEST]), card_sha256):
            return ResolvedModel(study, entry.version, folder, entry)
    # By what the manifest says: a model that nobody registered is not loaded to know its name.
    from riskmodels.models.risk_model import verify_manifest

    return ResolvedModel(verify_manifest(files)["study"], None, folder, None)


def _resolved(workspace: Workspace, study: str, entry: Entry) -> ResolvedModel:
    storage.refuse_links(workspace.root, entry.folder, ModelFileError)
    return ResolvedModel(study, entry.version, workspace.root / entry.folder, entry)


def _study(index: dict[str, Registered], study: str, workspace: Workspace) -> Registered:
    if study not in index or not index[study].versions:
        raise UsageError(f"{study}: no such study among the registered models; {_known(index, workspace)}")
    return index[study]


def _version(index: dict[str, Registered], study: str, version: int, workspace: Workspace) -> Entry:
    versions = _study(index, study, workspace).versions
    if not 1 <= version <= len(versions):
        raise UsageError(f"{study} has no version {version}; it has 1 to {len(versions)}")
    return versions[version - 1]


def _known(index: dict[str, Registered], workspace: Workspace) -> str:
    names = [f"{study} (versions 1 to {len(known.versions)})" for study, known in sorted(index.items())]
    said = ", ".join(names) or "nothing yet; `riskmodels run STUDY` registers a model"
    return f"{workspace.root} has registered: {said}"
