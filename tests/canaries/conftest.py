"""The county, put through the commands once: what may be asked for in every run of the tests, and what takes longer."""

from __future__ import annotations

import pytest

from tests.canaries import steps
from tests.canaries.runs import Town, made


def put_through(town: Town, found: steps.Steps, **more: str) -> None:
    """Call the commands, and see that each ends as it should: nothing is shown by a command that did not work."""
    codes = town.call(*(one for one, _ in found), **more)
    for one, code in found:
        name = one["name"]
        assert codes.get(name) == code, f"{name}: {codes.get(name)}, not {code}\n{town.err(name)}"


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A model trained and approved, two lists, an audit, a public card, answers to people, bad inputs and crashes."""
    found = made(tmp_path_factory.mktemp("town"))
    put_through(found, steps.main_job(found))
    put_through(found, [*steps.answers(found), *steps.bad_inputs(found), *steps.crashes(found)])
    return found
