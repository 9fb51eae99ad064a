"""How the loops are compiled, and where the machine code is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from numba import njit, types
from numba.core.caching import FunctionCache

from riskmodels.storage import only_ours

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
