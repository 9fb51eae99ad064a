"""What was decided on, kept beside the record as it was: so that a model can be rebuilt from there, whatever became of
its run, and shown to be the same to the bit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, data_folder, silent
from riskmodels.errors import DataError, ModelFileError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import ResolvedModel

KEPT = ("study", "riskmodel")
CARD, RUN = "card/card.json", "run.json"


@dataclass(frozen=True)
class RebuildReport:
    """Whether what was made anew is what was decided on, by digest. ``packages``: those whose version is another now,
    with the one then and the one now. ``folder``: where it was written; None where it was only compared."""

    study: str
    version: int | None
    model_sha256: str
    rebuilt_model_sha256: str
    card_sha256: str
    rebuilt_card_sha256: str
    packages: dict[str, tuple[str, str]]
    folder: Path | None

    @property
    def same_model(self) -> bool:
        return self.model_sha256 == self.rebuilt_model_sha256

    @property
    def same_card(self) -> bool:
        return self.card_sha256 == self.rebuilt_card_sha256


def deposit(found: ResolvedModel, workspace: Workspace) -> Path:
    """Keep the study, the model and the card of a version beside the record; once, since they never change.

    Raises
    ------
    ModelFileError
        if the run's files are not what was registered.
    OutsideError
        if the disk refuses.
    """
    from riskmodels.cards.card_file import read_card_file
    from riskmodels.governance.rules import read_model_folder, reviewed_study, verify_manifest

    entry = found.entry
    assert entry is not None
    folder = workspace.deposit(found.study, entry.model_sha256, entry.card_sha256)
    if (folder / CARD).is_file():
        return folder
    model = read_model_folder(found.model_folder)
    card = read_card_file(found.card_path)
    if (verify_manifest(model), storage.sha256(card)) != (entry.model_sha256, entry.card_sha256):
        raise ModelFileError(f"{found.folder}: is not what was registered; restore the run's folder")
    study = reviewed_study(found.folder / "study", json.loads(card))
    files = {f"study/{name}": content for name, content in study.files}
    files |= {f"riskmodel/{name}": content for name, content in model.items()}
    files |= {CARD: card, RUN: storage.read_bytes(found.folder / RUN)}
    storage.sweep_folders(folder.parent)
    storage.write_folder(folder, files)
    return folder


def rebuild(
    reference: str,
    workspace: Workspace,
    data: Path | None = None,
    output: Path | None = None,
    progress: Progress = silent,
) -> RebuildReport:
    """Make a model anew from what was kept with its decision and the same data; compare it with what was decided on.

    A withdrawn model can be rebuilt as well: it is not used, it is shown what it was.

    Parameters
    ----------
    data : the folder of the study's sources as they were; the workspace's own unless given
    output : a folder for the rebuilt ``riskmodel/`` and ``card/card.json``; nothing is written unless given

    Raises
    ------
    UsageError
        if no decision names the model, so that nothing of it was kept.
    DataError
        if the data are not those that the record names.
    """
    from riskmodels.governance import registry
    from riskmodels.pipeline import run_study
    from riskmodels.study import load_study

    found = registry.resolve(workspace, reference)
    if found.entry is None:
        raise UsageError("this model is not registered in the workspace; name it by study and version")
    entry = found.entry
    kept = workspace.deposit(found.study, entry.model_sha256, entry.card_sha256)
    if not (kept / CARD).is_file():
        raise UsageError(
            f"{found.study}/{entry.version}: no decision names it, so nothing of it was kept to rebuild from"
        )
    if output is not None:
        storage.refuse_unwritable(output, folder=True)
    study = load_study(kept / "study")
    if data is None and not (study.folder / "prepare.py").is_file():
        raise UsageError(
            f"{found.study}/{entry.version}: prepare.py is not kept with a decision; name the folder of the sources: "
            f"--data {workspace.data(found.study)}"
        )
    made = json.loads(storage.read_bytes(kept / RUN))
    progress("making the model anew")
    run = run_study(
        study,
        data_folder(study, workspace, data, progress),
        progress,
        # The agreements that held then; today they may be over, and nobody is scored.
        today=dt.date.fromisoformat(made["agreements_held_on"]),
        deep=made.get("deep", 0),
        mitigate=made.get("mitigate", False),
    )
    if run.tables.sha256 != entry.data_sha256:
        raise DataError(
            f"{found.study}/{entry.version}: the record names other data ({entry.data_sha256[:12]}, and these are "
            f"{run.tables.sha256[:12]}); name the folder of that extract with --data"
        )
    model, card = run.model.to_files(), run.card.to_bytes()
    if output is not None:
        storage.write_folder(output, {f"riskmodel/{name}": content for name, content in model.items()} | {CARD: card})
    return RebuildReport(
        found.study, entry.version, entry.model_sha256, run.model.model_sha256, entry.card_sha256,
        storage.sha256(card), _changed_packages(made), output,
    )  # fmt: skip


def _changed_packages(made: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    from riskmodels.commands.sources import version_of

    then = made.get("packages", {})
    return {name: (was, version_of(name)) for name, was in then.items() if version_of(name) != was}
