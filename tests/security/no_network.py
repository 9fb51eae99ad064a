"""Notice, in a Python process, every attempt to reach another machine: to connect, to send, to look up a name.

Loaded at the start of a process it writes each attempt to the file that RISKMODELS_ATTEMPTS names, and refuses it.
What does not go through Python's sockets is not seen here: for that the slow test takes the network away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOOKS_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_listening: list[list[str]] = []


class AttemptError(OSError):
    """Somebody tried to reach the network."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _listening or not event.startswith("socket."):
        return
    # An address of a socket in the file system is a text; those of a network are a pair or more.
    if event in LOOKS_UP or (event in SENDS and isinstance(arguments[1], tuple)):
        _listening[-1].append(event)
        raise AttemptError(f"no network here ({event})")


@contextmanager
def attempts() -> Iterator[list[str]]:
    """The attempts of this process, all refused, as long as this is open."""
    found: list[str] = []
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.remove(found)


sys.addaudithook(_hook)

if path := os.environ.get("RISKMODELS_ATTEMPTS"):

    class _Written(list[str]):
        def append(self, event: str) -> None:
            with open(path, "a") as file:
                file.write(event + "\n")

    _listening.append(_Written())
