"""Kinds of hostile model, as one table. To add one: a function that spoils a run's folder, and a row."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from riskmodels.models.risk_model import LARGEST
from tests.hostile.payloads import PAYLOADS, write_mlflow_model


@dataclass(frozen=True)
class Tools:
    """``mark``: where a payload leaves its mark. ``outside``: a folder to point at. ``other``: another good model."""

    mark: Path
    outside: Path
    other: dict[str, bytes]


Spoil = Callable[[Path, Tools], None]


@dataclass(frozen=True)
class Kind:
    """``says``: part of what is said of it, a regular expression. ``spoil`` is given a run's ``riskmodel`` folder."""

    spoil: Spoil
    says: str


def seal(folder: Path) -> None:
    """Make the manifest name the files as they are now: whoever changes a file can do that too."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def put(name: str, content: bytes | Callable[[Tools], bytes], *, sealed: bool = False) -> Spoil:
    """Write a file, in place of the one that is there."""

    def spoil(folder: Path, tools: Tools) -> None:
        (folder / name).write_bytes(content(tools) if callable(content) else content)
        if sealed:
            seal(folder)

    return spoil


def edit(name: str, change: Callable[[Any], object], *, sealed: bool = False) -> Spoil:
    """Change what a JSON file says."""

    def spoil(folder: Path, tools: Tools) -> None:
        raw = json.loads((folder / name).read_bytes())
        change(raw)
        (folder / name).write_text(json.dumps(raw), encoding="utf-8")
        if sealed:
            seal(folder)

    return spoil


def replace(name: str, old: bytes, new: bytes, *, sealed: bool = False) -> Spoil:
    """Change a few bytes of a file."""

    def spoil(folder: Path, tools: Tools) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))
        if sealed:
            seal(folder)

    return spoil


def instead(name: str, make: Callable[[Path, Tools], object]) -> Spoil:
    """Something else than a file, where a file of the model stands."""

    def spoil(folder: Path, tools: Tools) -> None:
        (folder / name).rename(tools.outside / f"{folder.parent.name}-{name}")
        make(folder / name, tools)

    return spoil


def beside(name: str, make: Callable[[Path, Tools], object]) -> Spoil:
    return lambda folder, tools: make(folder / name, tools) and None


# ---------------------------------------------------------------- what runs


def _payloads() -> dict[str, Kind]:
    """Each payload under its own name, and in place of each file that is read, the manifest being none the wiser or
    made to fit."""
    kinds = {}
    for name, payload in PAYLOADS.items():

        def content(tools: Tools, payload: Any = payload) -> bytes:
            return payload.make(tools.mark)

        kinds[f"{name}, beside the model"] = Kind(put(payload.name, content), "does not belong in a saved model")
        for file, says in (("manifest.json", "not readable as JSON"), ("model.json", "not readable as JSON"),
                           ("booster.txt", "is not a set of trees")):  # fmt: skip
            fits = file != "manifest.json"
            kinds[f"{name}, as {file}"] = Kind(put(file, content, sealed=fits), says)
        kinds[f"{name}, as calibrator.json, the manifest unchanged"] = Kind(put("calibrator.json", content), "changed")
    return kinds


def _mlflow_inside(folder: Path, tools: Tools) -> None:
    write_mlflow_model(folder, tools.mark)


def _pointing(where: Callable[[Tools], str]) -> Spoil:
    """An MLmodel whose artefact lies elsewhere."""

    def spoil(folder: Path, tools: Tools) -> None:
        (folder / "MLmodel").write_text(
            "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.loaders.code_model\n"
            f"    artifacts: {{riskmodel: {{path: {where(tools)!r}, uri: {where(tools)!r}}}}}\n",
            encoding="utf-8",
        )

    return spoil


POINTING = {
    "upwards": lambda tools: "../../../outside",
    "absolutely": lambda tools: str(tools.outside),
    "by an address": lambda tools: tools.outside.as_uri(),
    "at another run": lambda tools: "runs:/0123456789abcdef0123456789abcdef/riskmodel",
    "at a server": lambda tools: "http://127.0.0.1:9/riskmodel",
}
MLFLOW = {
    "an MLmodel with its own loader and code": Kind(_mlflow_inside, "does not belong in a saved model"),
    **{f"an MLmodel that points {how}": Kind(_pointing(where), "does not belong") for how, where in POINTING.items()},
}

# ---------------------------------------------------------------- where names lead


def _listed(name: Callable[[Tools], str]) -> Spoil:
    """The manifest names a file elsewhere, with the digest that it really has."""

    def spoil(folder: Path, tools: Tools) -> None:
        (tools.outside / "model.json").write_bytes((folder / "model.json").read_bytes())
        edit("manifest.json", lambda raw: raw["files"].update({name(tools): raw["files"].pop("model.json")}))(
            folder, tools
        )

    return spoil


LISTED = {
    "upwards": lambda tools: "../../outside/model.json",
    "upwards and back": lambda tools: "../riskmodel/model.json",
    "absolute": lambda tools: str(tools.outside / "model.json"),
    "of Windows": lambda tools: "C:\\outside\\model.json",
    "of a share": lambda tools: "\\\\server\\share\\model.json",
    "with a NUL byte": lambda tools: "model.json\0.txt",
    "of another stream": lambda tools: "model.json::$DATA",
    "an address": lambda tools: (tools.outside / "model.json").as_uri(),
}


def _another_model(place: Path, tools: Tools) -> None:
    place.mkdir()
    for name, content in tools.other.items():
        (place / name).write_bytes(content)


def _linked(name: str, to: Callable[[Path, Tools], Path]) -> Spoil:
    return instead(name, lambda place, tools: place.symlink_to(to(place, tools)))


def _folder_linked(folder: Path, tools: Tools) -> None:
    moved = tools.outside / f"{folder.parent.name}-riskmodel"
    folder.rename(moved)
    folder.symlink_to(moved)


def _folder_linked_to_another(folder: Path, tools: Tools) -> None:
    another = tools.outside / f"{folder.parent.name}-another"
    _another_model(another, tools)
    folder.rename(tools.outside / f"{folder.parent.name}-riskmodel")
    folder.symlink_to(another)


LINKS = {
    **{f"a manifest with a name {how}": Kind(_listed(name), "does not list the files") for how, name in LISTED.items()},
    "a link to the file itself, moved away": Kind(
        _linked("model.json", lambda place, tools: tools.outside / f"{place.parent.parent.name}-model.json"),
        "is not a plain file",
    ),
    "a link to the passwords of the system": Kind(
        _linked("reasons.json", lambda place, tools: Path("/etc/passwd")), "is not a plain file"
    ),
    "a link to what never ends": Kind(
        _linked("reasons.json", lambda place, tools: Path("/dev/zero")), "is not a plain file"
    ),
    "a link to itself": Kind(_linked("reasons.json", lambda place, tools: place), "is not a plain file"),
    "a link to nothing": Kind(_linked("reasons.json", lambda place, tools: tools.outside / "no"), "not a plain file"),
    "a link to a folder": Kind(_linked("reasons.json", lambda place, tools: tools.outside), "is not a plain file"),
    "a link beside the model": Kind(
        beside("link", lambda place, tools: place.symlink_to("/etc/passwd")), "does not belong"
    ),
    "the whole folder a link": Kind(_folder_linked, "is not a folder"),
    "the whole folder a link to another model": Kind(_folder_linked_to_another, "is not a folder"),
}

# ---------------------------------------------------------------- what is no file


def _socket(place: Path, tools: Tools) -> None:
    """By a short name, from inside: the name of a socket may not be long."""
    here = os.getcwd()
    os.chdir(place.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(here)


def _device(place: Path, tools: Tools) -> None:
    try:
        os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes a device")


NO_FILES = {
    "a folder as a file": Kind(instead("reasons.json", lambda place, tools: place.mkdir()), "is not a plain file"),
    "a pipe as a file": Kind(instead("reasons.json", lambda place, tools: os.mkfifo(place)), "is not a plain file"),
    "a pipe as the manifest": Kind(
        instead("manifest.json", lambda place, tools: os.mkfifo(place)), "is not a plain file"
    ),
    "a device as a file": Kind(instead("reasons.json", _device), "is not a plain file"),
    "a socket as a file": Kind(instead("reasons.json", _socket), "is not a plain file"),
    "a folder beside the model": Kind(beside("code", lambda place, tools: place.mkdir()), "does not belong"),
}

# ---------------------------------------------------------------- archives


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def bomb(layers: int = 4) -> bytes:
    """A few kilobytes that hold 16 to the power of ``layers`` megabytes, were they unpacked to the end."""
    content = zipped({"0": b"\0" * 2**20})
    for _ in range(layers):
        content = zipped({f"{number:x}.zip": content for number in range(16)})
    return content


ARCHIVES: dict[str, Callable[[Tools], bytes]] = {
    "model.zip": lambda tools: zipped(tools.other),
    "model.tar.gz": lambda tools: tarred(tools.other),
    "climbs.zip": lambda tools: zipped({"../../../outside/climbed": b"x"}),
    "climbs.tar.gz": lambda tools: tarred({"../../../outside/climbed": b"x"}),
    "bomb.zip": lambda tools: bomb(),
    "bomb.gz": lambda tools: gzip.compress(b"\0" * 2**24),
    "nested.zip": lambda tools: zipped({"inner.tar.gz": tarred({"inner.zip": zipped(tools.other)})}),
}
ARCHIVED = {
    **{f"{name}, beside the model": Kind(put(name, make), "does not belong") for name, make in ARCHIVES.items()},
    **{
        f"{name}, as model.json": Kind(put("model.json", make, sealed=True), "model.json: is not readable as JSON")
        for name, make in ARCHIVES.items()
    },
    "a manifest that is squeezed": Kind(
        lambda folder, tools: put("manifest.json", gzip.compress((folder / "manifest.json").read_bytes()))(
            folder, tools
        ),
        "manifest.json: is not readable as JSON",
    ),
}

# ---------------------------------------------------------------- what was edited


def _swap(names: tuple[str, ...], *, sealed: bool) -> Spoil:
    """Files of another good model."""

    def spoil(folder: Path, tools: Tools) -> None:
        for name in names:
            (folder / name).write_bytes(tools.other[name])
        if sealed:
            seal(folder)

    return spoil


EDITS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "the knots of the calibrator": ("calibrator.json", lambda raw: raw.update(intercept=raw["intercept"] + 1)),
    "the words of a category": ("features.json", lambda raw: raw[3]["vocabulary"].pop()),
    "what fills a gap": ("features.json", lambda raw: raw[2].update(fill=0.0)),
    "the range of a feature": ("features.json", lambda raw: raw[0].update(high=1e9)),
    "the place that a feature is counted from": ("features.json", lambda raw: raw[0].update(of="facts.postcode")),
    "the words of a reason": ("reasons.json", lambda raw: raw["features"]["reading"].update(words="a good family")),
    "the direction of a reason": ("reasons.json", lambda raw: raw["directions"].update(reading=1)),
    "where the contributions start": ("model.json", lambda raw: raw["fitted"].update(base=9.0)),
    "the name of the study": ("model.json", lambda raw: raw.update(study="another_study")),
}
EDITED = {
    "another model's booster": Kind(_swap(("booster.txt",), sealed=False), r"booster\.txt: was changed after"),
    "a number in the booster": Kind(
        replace("booster.txt", b"leaf_value=", b"leaf_value=1"), "booster.txt: was changed"
    ),
    **{f"{what}, edited": Kind(edit(name, change), f"{name}: was changed") for what, (name, change) in EDITS.items()},
    "a file taken away": Kind(lambda folder, tools: (folder / "reasons.json").unlink(), "reasons.json: is missing"),
    "the manifest taken away": Kind(lambda folder, tools: (folder / "manifest.json").unlink(), "is missing"),
    "the study renamed all through": Kind(
        lambda folder, tools: edit("manifest.json", lambda raw: raw.update(study="../../outside/x"))(folder, tools),
        "does not list the files of a saved model",
    ),
    "a booster with a path that returns": Kind(
        replace("booster.txt", b"left_child=1 ", b"left_child=0 ", sealed=True), "is not a set of trees"
    ),
    "a booster with more leaves than it has": Kind(
        replace("booster.txt", b"num_leaves=", b"num_leaves=1", sealed=True), "is not a set of trees"
    ),
    "a booster that is not in letters": Kind(put("booster.txt", b"tree\n\xff\xfe", sealed=True), "not a set of trees"),
}
# A model that is whole, and another than the one that was registered: it can be loaded, and may not be used.
RESEALED = {
    "another model, whole": _swap(("manifest.json", "model.json", "booster.txt", "calibrator.json"), sealed=True),
    "another model's booster, sealed": _swap(("booster.txt", "model.json"), sealed=True),
    **{
        f"{what}, edited and sealed": edit(name, change, sealed=True)
        for what, (name, change) in EDITS.items()
        if "study" not in what and "category" not in what
    },
}

# ---------------------------------------------------------------- odd JSON

ODD: dict[str, tuple[bytes, str]] = {
    "nested 200,000 deep": (b"[" * 200_000 + b"]" * 200_000, "not readable as JSON"),
    "nested in objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not readable as JSON"),
    "a whole number of 5,000 digits": (b'{"format": ' + b"9" * 5_000 + b"}", "not readable as JSON"),
    "NaN": (b'{"format": NaN}', "not readable as JSON"),
    "Infinity": (b'{"format": -Infinity}', "not readable as JSON"),
    "a number without end": (b'{"format": 1e999}', "not readable as JSON"),
    "a key twice": (b'{"format": 3, "format": 3}', "not readable as JSON"),
    "a mark of the order of bytes": (b"\xef\xbb\xbf{}", "not readable as JSON"),
    "UTF-16": ("{}".encode("utf-16"), "not readable as JSON"),
    "NUL bytes": (b"{}\0\0\0\0", "not readable as JSON"),
    "half of a character": (b'{"format": "\\ud83d"}', "not readable as JSON"),
    "nothing": (b"", "not readable as JSON"),
    "two of them": (b"{}{}", "not readable as JSON"),
    "a comment": (b"{} // ours", "not readable as JSON"),
}


def _huge(name: str) -> Spoil:
    def spoil(folder: Path, tools: Tools) -> None:
        with (folder / name).open("ab") as file:
            file.truncate(LARGEST[name] + 1)

    return spoil


def _many(folder: Path, tools: Tools) -> None:
    for number in range(400):
        (folder / f"a{number}").touch()


def _renamed(name: str, to: str) -> Spoil:
    return lambda folder, tools: (folder / name).rename(folder / to) and None


JSON = {
    **{f"{how} as {name}": Kind(put(name, content, sealed=name != "manifest.json"), says)
       for how, (content, says) in ODD.items() for name in ("manifest.json", "calibrator.json")},
    **{f"a {name} that is too large": Kind(_huge(name), "is larger than") for name in LARGEST},
    "a format of the future": Kind(edit("manifest.json", lambda raw: raw.update(format=99)), "has format 99"),
    "a format of 4,000 digits": Kind(edit("manifest.json", lambda raw: raw.update(format=10**4_000)), "format 10{79},"),
    "a format that is nearly ours": Kind(edit("manifest.json", lambda raw: raw.update(format=3.0)), "has format 3.0"),
    "a format that is true": Kind(edit("manifest.json", lambda raw: raw.update(format=True)), "has format True"),
}  # fmt: skip
NAMES = {
    "a name in other letters that look the same": Kind(_renamed("model.json", "m\u043edel.json"), "does not belong"),
    "a name in wide letters": Kind(_renamed("model.json", "\uff4dodel.json"), "does not belong"),
    "a name in capitals": Kind(_renamed("model.json", "Model.json"), "does not belong"),
    "a name in capitals, beside": Kind(put("MANIFEST.JSON", b"{}"), "does not belong"),
    "a name with a space behind": Kind(put("model.json ", b"{}"), "does not belong"),
    "a hidden name": Kind(put(".model.json", b"{}"), "does not belong"),
    "a name of two lines and a colour": Kind(put("x\n\x1b[31mred", b"{}"), r"x\\n\\x1b"),
    "a name that turns the letters round": Kind(put("\u202enosj.ledom", b"{}"), r"\\u202e"),
    "a name as long as a name may be": Kind(put("x" * 255, b"{}"), "x{80}: does not belong"),
    "a name that is no text": Kind(
        lambda folder, tools: Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")).touch(), "does not belong"
    ),
    "very many files": Kind(_many, "does not belong"),
}

KINDS: dict[str, Kind] = _payloads() | MLFLOW | LINKS | NO_FILES | ARCHIVED | EDITED | JSON | NAMES
