"""A file's bytes and their digest, and the one way that JSON is written and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskmodels.errors import DataError, OutsideError


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """One digest for a set of named files, whatever the order they were made in."""
    return sha256(canonical_json({name: sha256(files[name]) for name in sorted(files)}))


def canonical_json(value: Any) -> bytes:
    """The one way we write JSON: the same value with its keys in the same order gives the same bytes.

    Raises ValueError for NaN and infinity: they are not JSON.
    """
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path, error: type[Exception] = DataError) -> Any:
    return parse_json(read_bytes(path, error), path, error)


def parse_json(text: bytes, path: Path, error: type[Exception] = DataError) -> Any:
    """As `read_json`, of bytes already read; ``path`` is for the message."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as reason:
        raise error(f"{path}: not readable as JSON ({type(reason).__name__}); restore it from where it came") from None


def read_bytes(path: Path, error: type[Exception] = OutsideError, most: int = -1) -> bytes:
    """A file's bytes, or the first ``most`` of them."""
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror})") from None
