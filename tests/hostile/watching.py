"""What a process does, seen from its audit events: whether anything was unpickled, run, unpacked or opened."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import signal
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

SECONDS = 30
# No part of reading a model does any of these.
NEVER = frozenset({
    "pickle.find_class", "marshal.load", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
    "subprocess.Popen", "ctypes.dlopen", "socket.connect", "shutil.unpack_archive", "code.__new__",
})  # fmt: skip
BY_FILE = frozenset({"exec", "compile"})
UNPACKERS: tuple[tuple[Any, str], ...] = (
    (zipfile, "ZipFile"), (tarfile, "open"), (tarfile, "TarFile"), (gzip, "open"), (gzip, "GzipFile"),
    (bz2, "BZ2Decompressor"), (lzma, "LZMADecompressor"), (zlib, "decompress"), (zlib, "decompressobj"),
)  # fmt: skip


@dataclass
class Watch:
    """``broken``: what happened that must never. ``opened``: each path that was opened, as it was named."""

    folder: Path
    broken: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    _on: bool = False
    # An audit hook stays for the life of the process, so there is one for all watches.
    _now: ClassVar[Watch | None] = None
    _hooked: ClassVar[bool] = False

    @classmethod
    @contextmanager
    def over(cls, folder: Path) -> Iterator[Watch]:
        if not cls._hooked:
            sys.addaudithook(_hear)
            cls._hooked = True
        cls._now = cls(folder)
        try:
            yield cls._now
        finally:
            cls._now = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch what is done within: it also ends, soon, however long it would wait."""

        def late(*_: object) -> None:
            raise AssertionError(f"was still at it after {SECONDS} s")

        before = signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
        patches = [mock.patch.object(module, name, _unpacked) for module, name in UNPACKERS]
        for patch in patches:
            patch.start()
        self._on = True
        try:
            yield
        finally:
            self._on = False
            for patch in patches:
                patch.stop()
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in NEVER:
            self.broken.append(f"{event} {arguments!r:.200}")
        elif event in BY_FILE:
            code = arguments[0] if event == "exec" else arguments[1]
            name = getattr(code, "co_filename", code)
            if isinstance(name, (str, os.PathLike)) and str(self.folder) in str(name):
                self.broken.append(f"{event} of {name}")
        elif event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            self.opened.append(os.fsdecode(arguments[0]))


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    watch = Watch._now
    if watch is not None and watch._on:
        watch.hear(event, arguments)


def _unpacked(*_: object, **__: object) -> None:
    raise AssertionError("an archive was unpacked")
