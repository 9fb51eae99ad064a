"""A link in the place of a record, its head, the index or a run would have other files obeyed: it is refused."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodels import storage
from riskmodels.errors import GateError, OutsideError, RiskModelsError
from riskmodels.governance.chain import read_chain, writing
from riskmodels.governance.registry import resolve
from tests.governance.conftest import STUDY, TODAY
from tests.governance.review_workspace import Made


def moved_and_linked(path: Path) -> None:
    """The same content, from a place that others may write."""
    elsewhere = path.with_name(f"elsewhere-{path.name}")
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def found_and_read(made: Made) -> None:
    resolve(made.workspace, made.name)
    read_chain(made.chain)


@pytest.fixture
def recorded(made: Made) -> Made:
    made.decide()
    made.promote()
    return made


PLACES: dict[str, Callable[[Made], Path]] = {
    "the record": lambda made: made.chain,
    "its head": lambda made: made.chain.with_suffix(".head"),
    "its folder": lambda made: made.chain.parent,
    "the index": lambda made: made.workspace.models_index,
    "the study's runs": lambda made: made.workspace.runs(STUDY),
    "the run": lambda made: next(made.workspace.runs(STUDY).iterdir()),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_link_is_not_obeyed(recorded: Made, place: str) -> None:
    path = PLACES[place](recorded)
    moved_and_linked(path)
    with pytest.raises(RiskModelsError, match=rf"{re.escape(str(path))}: is .*; put the (file|folder).* itself there$"):
        found_and_read(recorded)
    code, out, err = recorded.call("gate", recorded.name)
    assert code in (5, 6), (code, out, err)
    assert "itself there" in " ".join((out + err).split())
    assert "itself there" in recorded.refused(code, "withdraw", recorded.name, "--reason", "It is over", "--by", "head")


@pytest.mark.parametrize("name", ["jsonl", "head"])
def test_a_link_to_nowhere_is_no_empty_record(recorded: Made, name: str) -> None:
    path = recorded.chain.with_suffix(f".{name}")
    path.unlink()
    path.symlink_to(path.parent / "nowhere")
    with pytest.raises(GateError, match="is not a plain file"):
        read_chain(recorded.chain)


def test_nothing_is_written_through_a_link(made: Made) -> None:
    made.chain.parent.mkdir()
    lock = made.chain.with_name(f".{made.chain.name}.lock")
    lock.symlink_to(made.workspace.root / "taken")
    with pytest.raises(OutsideError, match="is a link; put the file itself there"), writing(made.chain, TODAY):
        pass
    line = made.workspace.root / "ledger.jsonl"
    line.symlink_to(made.workspace.root / "taken")
    with pytest.raises(OutsideError, match="is a link; put the file itself there"):
        storage.append_line(line, "{}")
    assert not (made.workspace.root / "taken").exists()
