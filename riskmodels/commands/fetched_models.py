"""A model that is named by its address in MLflow: fetched, and held to what this workspace registered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import ModelFileError
from riskmodels.governance import registry
from riskmodels.governance.registry import ResolvedModel
from riskmodels.workspace import Workspace

ADDRESS = "models:/"


@dataclass(frozen=True)
class FetchedModel(ResolvedModel):
    """A registered version whose ``riskmodel/`` files were fetched; its card and study are the workspace's own."""

    fetched: Path

    @property
    def model_folder(self) -> Path:
        return self.fetched


def resolve_model(
    reference: str, workspace: Workspace, tracking_uri: str | None = None, progress: Progress = silent
) -> ResolvedModel:
    """As `registry.resolve`; with ``--tracking-uri``, an address ``models:/...`` is looked up and fetched there.

    Without it, such an address names a version of the workspace, as the same name without ``models:/`` does.

    Raises
    ------
    UsageError
        if there is no such model, or the store is not one.
    ModelFileError
        if what is fetched is not a saved model, or is none that this workspace registered under that study: the tags of
        a store are no proof, since whoever may write the files may write them.
    OutsideError
        if the store cannot be reached.
    """
    if not reference.startswith(ADDRESS) or tracking_uri is None:
        return registry.resolve(workspace, reference)
    from riskmodels.tracking.fetching import fetch_model

    progress("fetching the model from MLflow")
    found = fetch_model(workspace, tracking_uri, reference, workspace.cache / "fetched")
    study = found.name.removesuffix("-live")
    known = registry.read_index(workspace).get(study)
    entries = [entry for entry in (known.versions if known else ()) if entry.model_sha256 == found.model_sha256]
    if not entries:
        raise ModelFileError(
            f"{reference}: is not a model that this workspace registered for {study}, whatever its tags say; score a "
            "registered version, or run the study here"
        )
    # Of two cards of one model, the one that the store names if it is ours, else the newest: the gate decides.
    named = [entry for entry in entries if entry.card_sha256 == found.tags.get("card.sha256")]
    entry = (named or entries)[-1]
    return FetchedModel(study, entry.version, workspace.root / entry.folder, entry, fetched=found.folder)
