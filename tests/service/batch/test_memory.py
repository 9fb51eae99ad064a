from __future__ import annotations

import ctypes
from typing import Any

import pytest

from riskmodels.service.batch import memory


def test_memory_is_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    called: list[str] = []

    class Pool:
        def release_unused(self) -> None:
            called.append("arrow")

    monkeypatch.setattr(pa, "default_memory_pool", Pool)
    monkeypatch.setattr(memory, "_trim", lambda: lambda keep: called.append(f"malloc, all but {keep}"))
    memory.let_go()
    assert called == ["arrow", "malloc, all but 0"]


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        def __init__(self, name: Any) -> None:
            pass

    monkeypatch.setattr(ctypes, "CDLL", Other)
    memory._trim.cache_clear()
    try:
        assert memory._trim() is None
        memory.let_go()
    finally:
        memory._trim.cache_clear()
