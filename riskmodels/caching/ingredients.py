"""What a step is made from: as text that is the same in every process, and in words where it changed."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.metadata
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from riskmodels import storage

FORMAT = 2
# What a step's result depends on besides its ingredients. Cards and reports may change without a step being done again.
CODE = ("__init__.py", "caching", "storage", "study", "data")
LIBRARIES = ("polars", "narwhals")
MOST_PATHS_SHOWN = 3


def recipe_of(ingredients: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All that a result depends on: ``made_by``, the versions, and its ``ingredients``. Raises TypeError."""
    return {"made_by": dict(made_by()), "ingredients": _plain(ingredients)}


def key_of(name: str, recipe: Mapping[str, Any]) -> str:
    """The digest under which the result of a step is kept."""
    return storage.sha256(storage.canonical_json({"format": FORMAT, "name": name, **recipe}))


def _plain(value: Any) -> Any:
    """An ingredient as JSON has it, keys in order. A date is its text, and a tuple a list."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if type(value) is dt.date:
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(value[key]) for key in sorted(value)}
    what = "a number that is not finite" if isinstance(value, float) else f"a {type(value).__name__}"
    raise TypeError(f"{what} is no ingredient of a step; give its definition or its digest")


@functools.cache
def _code() -> str:
    """One digest of the version and the modules that make results: a definition that was mended makes all anew."""
    root = Path(__file__).parents[1]
    files = [
        path for part in CODE for path in ((root / part).rglob("*.py") if (root / part).is_dir() else [root / part])
    ]
    return storage.digest_of_files({path.relative_to(root).as_posix(): path.read_bytes() for path in files})


@functools.cache
def made_by() -> Mapping[str, str]:
    """What a result depends on besides its ingredients: this package's code, and the versions of its engines."""
    return {"riskmodels": _code()} | {name: importlib.metadata.version(name) for name in LIBRARIES}


def changes_of(last: Mapping[str, Any], recipe: Mapping[str, Any]) -> list[str]:
    """What is not as it was when the step was last made, in words: names, never values."""
    versions = recipe["made_by"].items()
    words = [f"another version of {name}" for name, version in versions if last["made_by"].get(name) != version]
    before, now = last["ingredients"], recipe["ingredients"]
    for key in sorted({*before, *now}):
        if key not in before:
            words.append(f"{key} added")
        elif key not in now:
            words.append(f"{key} taken out")
        elif paths := list(_paths(before[key], now[key])):
            more = f" and {len(paths) - MOST_PATHS_SHOWN} more" if len(paths) > MOST_PATHS_SHOWN else ""
            inside = ", ".join(path for path in paths[:MOST_PATHS_SHOWN] if path)
            words.append(f"{key} changed" + (f" ({inside}{more})" if inside else ""))
    return words


def _paths(before: Any, now: Any, at: str = "") -> Iterator[str]:
    """Where two ingredients differ, as in ``steps[1].keep.last``."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            inner = f"{at}.{key}" if at else key
            if key in before and key in now:
                yield from _paths(before[key], now[key], inner)
            else:
                yield inner
    elif isinstance(before, list) and isinstance(now, list):
        for place in range(max(len(before), len(now))):
            if place < min(len(before), len(now)):
                yield from _paths(before[place], now[place], f"{at}[{place}]")
            else:
                yield f"{at}[{place}]"
    elif type(before) is not type(now) or before != now:
        yield at
