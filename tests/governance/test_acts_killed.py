"""Every act is killed at every step that it takes on the disk: it has happened whole, or not at all."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from riskmodels import storage
from riskmodels.governance.registry import read_index
from tests.governance.acting import HEAD, Acting, acts, add_version, copy_of, name
from tests.governance.conftest import STUDY
from tests.interrupted import dies_at

ACTS = ("promote", *(pytest.param(act, marks=pytest.mark.slow) for act in ("rollback", "withdraw", "record", "met")))


def leftovers(acting: Acting) -> list[Path]:
    return [path for path in acting.workspace.root.rglob("*.part") if "runs" not in path.parts]


@pytest.mark.parametrize("act", ACTS)
def test_killed_at_any_step_an_act_happened_whole_or_not_at_all(acting: Acting, tmp_path: Path, act: str) -> None:
    command, kind, after = acts(acting)[act]
    before, step, met = acting.kinds, 0, set()
    while True:
        now = copy_of(acting, tmp_path / str(step))
        command = acts(now)[act][0]
        died = dies_at(step, now.workspace.root, partial(_done, now, command))
        happened = now.kinds != before
        assert now.kinds == ([*before, kind] if happened else before)
        assert now.champion == (after if happened else 2)
        assert set(now.states().values()) <= {"APPROVED", "WITHDRAWN"}
        if step % 5 == 0 or not died:
            now.verify()
        met.add((died, happened))
        if not died:
            assert happened
            break
        # Nobody tidies up: whoever comes next finds it working, and done again it is done.
        if not happened:
            code, said = now.act(*command)
            assert code == 0, said
            assert (now.kinds, now.champion) == ([*before, kind], after)
        else:
            assert now.act("withdraw", name(1), "--by", HEAD, "--reason", "Old")[0] == 0
        assert leftovers(now) == []
        shutil.rmtree(tmp_path / str(step))
        step += 1
    assert met == {(True, False), (True, True), (False, True)}


def _done(acting: Acting, command: list[object]) -> None:
    code, said = acting.act(*command)
    assert code == 0, said


@pytest.mark.parametrize("act", ["promote", "withdraw", "met"])
def test_an_act_done_again_after_it_happened_says_so_and_records_nothing(acting: Acting, act: str) -> None:
    """Whoever was killed between the line and the word that it is there."""
    command = acts(acting)[act][0]
    assert acting.act(*command)[0] == 0
    lines = acting.kinds
    code, said = acting.act(*command)
    assert (code, acting.kinds) == (0 if act == "promote" else 6, lines)
    assert "nothing was" in said


def test_going_back_twice_does_not_go_forth_again(acting: Acting) -> None:
    command = acts(acting)["rollback"][0]
    assert acting.act(*command)[0] == 0
    assert acting.champion == 1
    assert "no earlier champion is left to go back to" in acting.told(6, *command)
    assert acting.champion == 1


def test_a_notice_that_a_kill_prevented_is_written_when_it_is_asked_for_again(acting: Acting, tmp_path: Path) -> None:
    command = acts(acting)["withdraw"][0]
    assert acting.act(*command)[0] == 0
    lines = acting.kinds
    code, said = acting.act(*command, "--notice", tmp_path / "register")
    assert (code, acting.kinds) == (0, lines), said
    assert f"{name(2)} was withdrawn before (record 6); nothing was recorded." in said
    assert storage.read_yaml(tmp_path / "register" / "notice.yaml")["why"] == "The source changed"


@pytest.mark.slow
def test_killed_at_any_step_a_registration_is_whole_or_not_at_all(acting: Acting) -> None:
    step = 0
    while dies_at(step, acting.workspace.models_index.parent, lambda: add_version(acting.workspace, "fourth")):
        known = read_index(acting.workspace)[STUDY]
        assert [entry.version for entry in known.versions] in ([1, 2, 3], [1, 2, 3, 4])
        assert all((acting.workspace.root / entry.folder / "card").is_dir() for entry in known.versions)
        assert acting.states()
        step += 1
    assert step > 20
    add_version(acting.workspace, "fourth")
    assert len(read_index(acting.workspace)[STUDY].versions) == 4
    assert leftovers(acting) == []
