"""A record is of one study and a name means one model, whatever is copied where."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands, storage
from riskmodels.commands.published import chain_of
from riskmodels.errors import GateError
from riskmodels.governance import gate, registry
from riskmodels.governance.chain import read_chain, writing
from riskmodels.governance.rules import MANIFEST
from riskmodels.workspace import Workspace
from tests.governance.acting import HEAD, Acting, name
from tests.governance.conftest import STUDY, TODAY, Governed
from tests.governance.review_workspace import Made

OTHER = "spelling_help"


def copied(path: Path, to: Path) -> Path:
    """A record with its head."""
    to.parent.mkdir(exist_ok=True)
    for ending in (".jsonl", ".head"):
        shutil.copyfile(path.with_suffix(ending), to.with_suffix(ending))
    return to


def list_under_another_name(workspace: Workspace) -> None:
    index = storage.read_json(workspace.models_index, GateError)
    storage.write_whole(workspace.models_index, storage.canonical_json(index | {OTHER: index[STUDY]}))


def test_a_record_under_another_name_is_broken(governed: Governed) -> None:
    governed.decide()
    other = copied(governed.path, governed.path.with_name(f"{OTHER}.jsonl"))
    with pytest.raises(GateError, match=rf"line 1: is of the study '{STUDY}', not of {OTHER}; restore"):
        read_chain(other)
    with pytest.raises(GateError, match="not of"), writing(other, TODAY):
        pass


def test_the_study_stands_under_the_seal(governed: Governed) -> None:
    governed.decide()
    (line,) = governed.lines
    assert json.loads(line)["study"] == STUDY
    governed.rewrite([line.replace(f'"study":"{STUDY}"'.encode(), f'"study":"{OTHER}"'.encode())])
    with pytest.raises(GateError, match="line 1: was edited"):
        read_chain(governed.path)


def test_a_published_copy_is_held_to_the_study_of_its_card(governed: Governed, tmp_path: Path) -> None:
    governed.decide()
    copied(governed.path, tmp_path / "tool" / "review.jsonl")
    assert len(chain_of(tmp_path / "tool", STUDY, None)) == 1
    with pytest.raises(GateError, match=f"not of {OTHER}"):
        chain_of(tmp_path / "tool", OTHER, None)


def test_a_withdrawn_model_does_not_score_under_another_name(acting: Acting) -> None:
    before = {path: path.read_bytes() for path in (acting.chain, acting.chain.with_suffix(".head"))}
    assert acting.act("withdraw", name(2), "--by", HEAD, "--reason", "The source changed")[0] == 0
    list_under_another_name(acting.workspace)
    for path, content in before.items():
        path.with_stem(OTHER).write_bytes(content)
    code, said = acting.act("gate", f"{OTHER}/2")
    assert code == 6
    assert f"the model was trained for the study {STUDY}, and this is the record of {OTHER}" in said.replace("\n", " ")
    assert f"is of the study '{STUDY}', not of {OTHER}" in " ".join(said.split())
    assert acting.act("review", "verify", today=None)[0] == 6


def test_the_gate_asks_for_the_study_of_the_model(governed: Governed) -> None:
    """Also where the record was made anew under the other name, seals and all."""
    other = dataclasses.replace(governed, path=governed.path.with_name(f"{OTHER}.jsonl"))
    other.decide()
    other.promote()
    rows = {row["rule"]: row for row in gate.explain_gate(other.case())}
    assert not rows["the model is registered"]["holds"]
    assert rows["the model is registered"]["words"].startswith(f"the model was trained for the study {STUDY}")
    with pytest.raises(GateError, match="was trained for the study"):
        gate.open_for_scoring(other.case())


def test_verify_finds_a_model_of_another_study(acting: Acting) -> None:
    list_under_another_name(acting.workspace)
    other = dataclasses.replace(acting, workspace=acting.workspace)
    with writing(acting.workspace.reviews(OTHER), TODAY) as writer:
        for line in acting.records[:1]:
            writer.append(line.act, other.digests)
    kept = acting.workspace.deposit(OTHER, other.digests.model, other.digests.card)
    shutil.copytree(other.kept, kept)
    found = {one.study: one.problems for one in commands.verify_reviews(acting.workspace, today=TODAY).studies}
    assert found[STUDY] == ()
    assert [problem for problem in found[OTHER] if f"was trained for the study {STUDY}" in problem]


# ---------------------------------------------------------------- a folder with a model's name


@pytest.mark.parametrize("reference", [STUDY, name(1), f"{STUDY}@candidate", f"models:/{STUDY}/1"])
def test_a_folder_that_lies_where_we_are_is_not_taken_for_a_registered_name(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, files_of: Any
) -> None:
    here = tmp_path / "here"
    storage.write_folder(here / reference / "riskmodel", files_of("another model"))
    monkeypatch.chdir(here)
    found = registry.resolve(made.workspace, reference)
    assert (found.version, found.folder) == (1, made.workspace.root / found.entry.folder if found.entry else None)
    as_path = registry.resolve(made.workspace, f"./{reference}")
    assert as_path.entry is None
    assert registry.resolve(made.workspace, Path(reference)).entry is None
    assert (as_path.model_folder / MANIFEST).read_bytes() == files_of("another model")[MANIFEST]


def test_a_folder_is_taken_where_the_name_is_not_registered(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_of: Any
) -> None:
    storage.write_folder(tmp_path / "here" / OTHER / "riskmodel", files_of("another model"))
    monkeypatch.chdir(tmp_path / "here")
    assert registry.resolve(made.workspace, OTHER).entry is None
