"""The record, told to MLflow for those who look there. It mirrors the record and decides nothing.

A registered model of its own, ``<study>-live``, holds the versions that were ever champion, so that a server can let
approvers alone change it: MLflow's permissions protect a registered model, not one alias of it. Version tags say what
was decided, the aliases ``champion`` and ``previous`` who scores, and the experiment ``<study>/governance`` holds one
run for each move, since MLflow keeps no history of its aliases. All of it follows from the record and can be told
again, after an outage or a process that was killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from riskmodels import storage
from riskmodels.governance.registry import CHAMPION, PREVIOUS
from riskmodels.tracking import ensure_experiment
from riskmodels.tracking.mirror import CARD, MODEL, NUMBER, SEAL, Mirror, Pair
from riskmodels.tracking.store import AmissError, connected, is_server, lets_anybody_in, refused
from riskmodels.workspace import Workspace

MANIFEST = "artifacts/riskmodel/manifest.json"
RUNS_IN_A_PAGE = 1000


def ask_to_promote(
    workspace: Workspace,
    tracking_uri: str,
    mirror: Mirror,
    pair: Pair,
    progress: Callable[[str], None] = lambda message: None,
) -> None:
    """Put a version into the live model, where it will be champion; who may not change that model is refused here.

    No alias is moved yet: a process that is killed after this leaves a version that nothing points at.

    Raises
    ------
    OutsideError
        if the store cannot be reached, refuses this account, or does not hold this version.
    """
    with connected(workspace, tracking_uri, otherwise="nothing was recorded", retries=0, progress=progress) as mlflow:
        store = _Store(mlflow, mlflow.MlflowClient(), workspace, tracking_uri, mirror)
        store.ensure_live()
        version = store.find(mirror.live, pair)
        if version is None:
            store.copy_to_live(pair)
        else:
            # Setting a tag to what it is changes nothing, and shows that this account may change the live model.
            store.client.set_model_version_tag(mirror.live, version.version, MODEL, pair[0])


def tell(
    workspace: Workspace,
    tracking_uri: str,
    mirror: Mirror,
    progress: Callable[[str], None] = lambda message: None,
) -> list[str]:
    """Bring tags, aliases and history up to the record; what this account may not change, or what is amiss, in words.

    Raises
    ------
    OutsideError
        if the store cannot be reached, read or written.
    """
    otherwise = f"the record stands; tell MLflow of it later with: riskmodels tell-mlflow {mirror.study}"
    notes: list[str] = []
    with connected(workspace, tracking_uri, otherwise=otherwise, retries=0, progress=progress) as mlflow:
        store = _Store(mlflow, mlflow.MlflowClient(), workspace, tracking_uri, mirror)
        for what, step in (
            (f"the aliases of {mirror.live}", store.tell_aliases),
            (f"the tags of {mirror.live}", lambda: store.tell_tags(mirror.live)),
            (f"the tags of {mirror.study}", lambda: store.tell_tags(mirror.study)),
            (f"{mirror.history}", store.tell_history),
        ):
            try:
                notes += step()
            except mlflow.exceptions.MlflowException as reason:
                if not refused(reason):
                    raise
                notes.append(f"MLflow does not let this account change {what}; {otherwise}")
    return notes


@dataclass(frozen=True)
class _Store:
    """One store and what it should show."""

    mlflow: Any
    client: Any
    workspace: Workspace
    tracking_uri: str
    mirror: Mirror

    @property
    def has_accounts(self) -> bool:
        return is_server(self.tracking_uri) and not lets_anybody_in(self.tracking_uri)

    def live(self) -> Any:
        named = self.client.search_registered_models(filter_string=f"name = '{self.mirror.live}'")
        return next(iter(named), None)

    def ensure_live(self) -> None:
        """On a server with accounts its administrator makes it: whoever makes a model may do anything with it."""
        if self.live() is not None:
            return
        if self.has_accounts:
            raise AmissError(
                f"it has no model {self.mirror.live} that this account may see; an approver's account may, once the "
                "server's administrator has set it up (docs/shared-server.md)"
            )
        self.client.create_registered_model(self.mirror.live)

    def find(self, name: str, pair: Pair) -> Any:
        """The version with these digests, the earliest if there are several; None if there is none."""
        found = [
            version
            for version in self.client.search_model_versions(f"name = '{name}'")
            if (version.tags.get(MODEL), version.tags.get(CARD)) == pair
        ]
        return min(found, key=lambda version: int(version.version), default=None)

    def copy_to_live(self, pair: Pair) -> str:
        """Copy a version from the study's model to the live one; its number there.

        Those who train may write the tags of the study's model, so elsewhere than in the workspace's own store the
        manifest is read: it has to be the one that was decided on.
        """
        study = self.mirror.study
        source = self.find(study, pair)
        if source is None:
            raise AmissError(
                f"it holds no version of {study} with this model and card that this account may see; run the study "
                "again with the same address, which logs it and changes nothing else"
            )
        address = f"models:/{study}/{source.version}"
        elsewhere = self.tracking_uri != self.workspace.tracking_uri
        if elsewhere and storage.sha256(self.manifest_of(address)) != pair[0]:
            raise AmissError(f"its {study}/{source.version} is not the model that its tags name")
        tags = {**source.tags, **self.mirror.tags(pair)}
        made = self.client.create_model_version(
            self.mirror.live, address, source.run_id, tags=tags, model_id=source.model_id
        )
        return str(made.version)

    def manifest_of(self, address: str) -> bytes:
        try:
            return bytes(self.mlflow.artifacts.load_text(f"{address}/{MANIFEST}").encode())
        except (self.mlflow.exceptions.MlflowException, OSError, ValueError) as reason:
            if refused(reason):
                raise
            name = address.removeprefix("models:/")
            raise AmissError(f"the files of its {name} cannot be read there; run the study again to log them") from None

    def tell_aliases(self) -> list[str]:
        mirror = self.mirror
        live = self.live()
        if live is None:
            if mirror.champion is None:
                return []
            self.ensure_live()
        standing = {} if live is None else {name: str(version) for name, version in live.aliases.items()}
        # First what may no longer be used, so that nothing in between calls it the champion.
        for alias, pair in ((CHAMPION, mirror.champion), (PREVIOUS, mirror.previous)):
            if pair is None and alias in standing:
                self.client.delete_registered_model_alias(mirror.live, alias)
        for alias, pair in ((PREVIOUS, mirror.previous), (CHAMPION, mirror.champion)):
            if pair is None:
                continue
            version = self.find(mirror.live, pair)
            number = self.copy_to_live(pair) if version is None else str(version.version)
            if standing.get(alias) != number:
                self.client.set_registered_model_alias(mirror.live, alias, number)
        return []

    def tell_tags(self, name: str) -> list[str]:
        for version in self.client.search_model_versions(f"name = '{name}'"):
            wanted = self.mirror.tags((version.tags.get(MODEL, ""), version.tags.get(CARD, "")))
            for tag, value in wanted.items():
                if version.tags.get(tag) != value:
                    self.client.set_model_version_tag(name, version.version, tag, value)
        return []

    def tell_history(self) -> list[str]:
        """One run for each move that has none yet. A move that MLflow has and the record has not is told."""
        moves, name = self.mirror.moves, self.mirror.history
        if self.client.get_experiment_by_name(name) is None:
            if not moves:
                return []
            if self.has_accounts:
                return [f"MLflow has no experiment {name} that this account may see; have its administrator make it"]
        experiment = ensure_experiment(self.client, self.workspace, self.tracking_uri, name)
        told = {run.data.tags.get(SEAL, ""): run for run in self.runs(experiment)}
        for move in moves:
            run = told.pop(move.seal, None)
            if run is None:
                label = f"record {move.number}: {move.action}"
                run = self.client.create_run(experiment, tags=dict(move.tags), run_name=label)
            if run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id)
        strangers = sorted(run.data.tags.get(NUMBER, "?") for seal, run in told.items() if seal)
        if not strangers:
            return []
        return [
            f"{name} in MLflow has {'a move' if len(strangers) == 1 else f'{len(strangers)} moves'} that this record "
            f"has not (record {', '.join(strangers[:3])}): the record was cut or rewritten, or another workspace tells "
            "this store too; compare the record with a copy"
        ]

    def runs(self, experiment: str) -> list[Any]:
        found, token = [], None
        while True:
            page = self.client.search_runs([experiment], max_results=RUNS_IN_A_PAGE, page_token=token)
            found += list(page)
            token = page.token
            if not token:
                return found
