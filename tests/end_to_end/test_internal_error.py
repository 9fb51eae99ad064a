"""An error of our own: one line, or the way to it; never what it says, which may quote a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from riskmodels import __main__

STORY = "Maria Weber, 9434765919, ZZ1 1ZZ"


class Panic(BaseException):
    """As Polars has them: no Exception."""


def raise_it(kind: type[BaseException]) -> Callable[..., None]:
    def outer(*_: object, **__: object) -> None:
        try:
            raise ValueError(STORY)
        except ValueError as reason:
            raise kind(f"{STORY} again") from reason

    return outer


@pytest.fixture(params=["", "1"], ids=["in one line", "with the way to it"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("RISKMODELS_TRACEBACK", request.param)
    return bool(request.param)


@pytest.mark.parametrize("kind", [KeyError, AssertionError, RecursionError, Panic])
def test_what_it_says_is_not_said(
    kind: type[BaseException], shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("riskmodels.commands.models", raise_it(kind))
    assert __main__.run(["models"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Weber" not in said.err.replace('raise kind(f"{STORY} again") from reason', "")
    *way, last = said.err.splitlines()
    assert last.startswith(f"riskmodels: internal error ({kind.__name__} in test_internal_error.py:")
    assert bool(way) == shown
    if shown:
        assert "ValueError" in way
        assert way.index("ValueError") < way.index("which led to") < way.index(kind.__name__)
        assert any("test_internal_error.py" in line and "in outer" in line for line in way)


def test_a_module_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **__: object) -> None:
        import riskmodels.no_such_module  # noqa: F401

    monkeypatch.setattr("riskmodels.commands.models", missing)
    monkeypatch.setenv("RISKMODELS_TRACEBACK", "1")
    assert __main__.run(["models"]) == 1
    assert "ModuleNotFoundError: No module named 'riskmodels.no_such_module'" in capsys.readouterr().err
