"""How the loops are compiled, and where the machine code is kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from numba import njit, types
from numba.core.caching import FunctionCache

BOOL, U8, U32, I32, U64, I64, F64 = (
    types.boolean, types.uint8, types.uint32, types.int32, types.uint64, types.int64, types.float64,
)  # fmt: skip


def given(kind: Any, dimensions: int = 1, layout: Literal["C", "A"] = "C") -> Any:
    """An array that is only read. One that may be written is taken too; layout A takes rows, columns and strides."""
    return types.Array(kind, dimensions, layout, readonly=True)


def compiled(*arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile for exactly these types of arguments, without the GIL, and without fastmath, which knows no NaN.

    The machine code is kept beside the source, or else in the user's own cache. It counts as stale when the source
    file or the processor changes: so a compiled function calls no compiled function of another file, whose changes
    would go unseen. Where nothing can be kept, what was kept cannot be read, or others may write it, each process
    compiles for itself: numba unpickles what it kept, so whoever may write it may run code.
    """

    def compile_now(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            # numba's own choice: NUMBA_CACHE_DIR, beside the source, or the user's cache. Asking reads nothing of it.
            if not only_ours(Path(FunctionCache(function).cache_path)):  # type: ignore[no-untyped-call]
                raise PermissionError
            return njit(arguments, nogil=True, error_model="numpy", cache=True)(function)
        except Exception:
            # If it was not the cache, but the function, this says so again.
            return njit(arguments, nogil=True, error_model="numpy")(function)

    return compile_now


def only_ours(folder: Path) -> bool:
    """Whether a folder of machine code, the folder that it stands in, and all that is kept in it belong to this user or
    to root, and nobody else may write them. Windows, which has no such bits, is trusted with it."""
    if os.name != "posix":
        return True
    parent = folder.parent.stat()
    # In a folder like /tmp others may add what is theirs, and not move what is ours.
    moved_by_nobody = _is_ours(parent) or (_is_owned(parent) and bool(parent.st_mode & stat.S_ISVTX))
    return moved_by_nobody and all(_is_ours(path.stat()) for path in (folder, *folder.glob("*.nb?")))


def _is_owned(found: os.stat_result) -> bool:
    return found.st_uid in (0, os.geteuid())


def _is_ours(found: os.stat_result) -> bool:
    return _is_owned(found) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
