"""Give memory back as soon as it is free: allocators keep some, and what they keep would grow with the rows."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def let_go() -> None:
    """Hand what Arrow and the C library hold and do not use back to the system. Costs a millisecond."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    """glibc's malloc_trim; None where the C library is another."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
