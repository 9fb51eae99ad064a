"""A model of MLflow's, copied from its store as text and JSON. No loader of MLflow's is called, and no `MLmodel` read.

A store may be wrong, or its owner hostile, so nothing it says is believed. It is asked for the names that a saved model
has and for no others: a list of names that it offers is never read. The manifest comes first, and the digest that
the version's tags state is held against it; each file is held against the manifest before it is written. Whoever may
write a file there may write a tag too: that the model is the one that was registered is for the caller to check, by
what is kept outside of MLflow (`riskmodels.commands.fetched_models.resolve_model`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from riskmodels import storage
from riskmodels.errors import ModelFileError, OutsideError, UsageError
from riskmodels.models.risk_model import LARGEST, MANIFEST, read_manifest, read_model_folder, verify_manifest
from riskmodels.tracking.store import connected, is_server
from riskmodels.workspace import Workspace

ADDRESS = re.compile(
    r"models:/(?P<name>[a-z][a-z0-9_]{0,79}(?:-live)?)(?:@(?P<alias>[a-z_]{1,80})|/(?P<version>[0-9]{1,6}))"
)
FOLDER = "artifacts/riskmodel"  # inside a LoggedModel
TAG = "model.sha256"
PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
CHUNK = 2**20


@dataclass(frozen=True)
class Fetched:
    """A model as it lies in ``folder`` now, whole by its own manifest.

    ``tags``: what the store says of the version, to be believed by nobody. ``model_sha256``: worked out here.
    """

    name: str
    version: int
    folder: Path
    model_sha256: str
    tags: dict[str, str]


def fetch_model(workspace: Workspace, tracking_uri: str, address: str, into: Path) -> Fetched:
    """Copy a model's files from a store into a new folder, for the owner alone.

    A store answers as fast and as long as it likes: what is read of it has an end (`LARGEST`), the time has not.

    Parameters
    ----------
    address : ``models:/NAME/3`` or ``models:/NAME@alias``
    into : the folder to make; its name is the digest of the model

    Raises
    ------
    UsageError
        if the address is none.
    ModelFileError
        if what the store holds is not a saved model, not the one that its tags name, or stands where no
        password should be sent.
    OutsideError
        if the store cannot be reached or has no such version, or the disk refuses.
    """
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError(
            f"{address}: is not an address of a model; name models:/STUDY/3 or models:/STUDY-live@champion"
        )
    with connected(workspace, tracking_uri, otherwise="nothing was fetched", retries=0) as mlflow:
        client = mlflow.MlflowClient()
        name = found["name"]
        version = (
            client.get_model_version_by_alias(name, found["alias"])
            if found["alias"]
            else client.get_model_version(name, found["version"])
        )
        tags = {str(tag): str(value) for tag, value in version.tags.items()}
        if urlsplit(str(version.source)).scheme != "models":
            raise ModelFileError(
                f"{address}: its files stand outside of MLflow's models, where anybody may have put them; register the "
                "version anew, from its run"
            )
        location = str(client.get_model_version_download_uri(name, version.version))
        files = _files_at(f"{location.rstrip('/')}/{FOLDER}", tracking_uri, address, tags.get(TAG))
    digest = storage.sha256(files[MANIFEST])
    if digest != tags.get(TAG):
        raise _not_the_one(address)
    verify_manifest(files)
    folder = into / digest
    with storage.outside_world(into):
        storage.make_private(into)
    storage.write_folder(folder, files)
    return Fetched(name, int(version.version), folder, digest, tags)


# ---------------------------------------------------------------- within


def _files_at(location: str, tracking_uri: str, address: str, sha256: str | None) -> dict[str, bytes]:
    """The files of a model by name, from a folder or through a server; verified by nobody yet."""
    parts = urlsplit(location)
    if parts.scheme in ("", "file") and parts.netloc in ("", "localhost") and not parts.path.startswith("//"):
        # Read as any folder that somebody else may have made: MLflow would copy a link, or a device to its end.
        return read_model_folder(Path(url2pathname(parts.path)))
    if parts.scheme == "mlflow-artifacts" and is_server(tracking_uri) and _is_of(parts.netloc, tracking_uri):
        return _through_server(lambda name, most: _get(tracking_uri, parts.path, name, most), address, sha256)
    raise ModelFileError(
        f"{address}: its files stand at an address of {parts.scheme or 'its own'}, to which nothing is sent from here; "
        "have the server serve its artefacts itself, or copy the folder riskmodel/ and name it"
    )


def _is_of(host: str, tracking_uri: str) -> bool:
    """Whether a store's files stand with the store itself: the password of one host is not sent to another."""
    return host in ("", urlsplit(tracking_uri).netloc.rpartition("@")[2])


def _through_server(get: Callable[[str, int], bytes], address: str, sha256: str | None) -> dict[str, bytes]:
    manifest = get(MANIFEST, LARGEST[MANIFEST])
    if storage.sha256(manifest) != sha256:
        raise _not_the_one(address)
    listed = read_manifest(manifest)["files"]
    return {MANIFEST: manifest, **{name: get(name, LARGEST[name]) for name in sorted(listed)}}


def _get(tracking_uri: str, folder: str, name: str, most: int) -> bytes:
    """One file, by the server that answers for the store: no redirection is followed, and no more is read than may be.

    Raises ModelFileError, OutsideError, and what `connected` turns into words.
    """
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    path = PurePosixPath(unquote(folder)) / name
    if ".." in path.parts:
        raise ModelFileError(f"{name}: the store names a place that leads upwards; register the version anew")
    answer: Any = http_request(
        get_default_host_creds(tracking_uri), PROXY + quote(str(path).lstrip("/")), "GET",
        max_retries=0, raise_on_status=False, stream=True, allow_redirects=False,
    )  # fmt: skip
    with answer:
        if answer.status_code == 404:
            raise ModelFileError(f"{name}: is missing from the model that MLflow keeps; log the run again")
        if answer.status_code != 200:
            raise OutsideError(f"MLflow answered {answer.status_code} for {name}; nothing was fetched")
        content = bytearray()
        for part in answer.iter_content(chunk_size=CHUNK):
            content += part
            if len(content) > most:
                raise ModelFileError(
                    f"{name}: is larger than {most:,} bytes, so it is not a model's; log the run again"
                )
    return bytes(content)


def _not_the_one(address: str) -> ModelFileError:
    return ModelFileError(
        f"{address}: is not the model that its tag {TAG} names; log the run again, and find out who changed it"
    )
