"""A search that was stopped goes on where it was, and comes to what it would have come to."""

from __future__ import annotations

import json
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.storages.journal import JournalFileBackend

from riskmodels.errors import OutsideError
from riskmodels.models.tuning import TuningResult, journal, tune
from riskmodels.models.tuning.judge import Judge
from riskmodels.study import StudyFile
from tests.models.tuning.tuning_world import GOOD, dataset_of, splits_of, study_of

BOTH = ("logistic", "lightgbm")


def tuned(study: StudyFile, store: Path | None, say: Callable[[str], None] = lambda message: None) -> TuningResult:
    return tune(dataset_of(study), splits_of(study), study, store=store, progress=say)


def found(result: TuningResult) -> tuple[Any, Any, Any]:
    return result.to_dict(), result.trials, result.study


def journals(store: Path, family: str = "logistic") -> list[Path]:
    return sorted(store.glob(f"{family}-*.journal"))


@pytest.fixture(scope="module")
def study() -> StudyFile:
    return study_of(families=("logistic",), trials=5)


@pytest.fixture(scope="module")
def whole(study: StudyFile) -> TuningResult:
    """The search in one go, without a journal."""
    return tuned(study, None)


@pytest.fixture(scope="module")
def whole_of_both() -> TuningResult:
    return tuned(study_of(families=BOTH, trials=12), None)


# ---------------------------------------------------------------- stopped and taken up


@pytest.mark.parametrize("stop", [1, 5, 12, 13, 24])
def test_ctrl_c_loses_only_the_trial_under_way(
    stop: int, whole_of_both: TuningResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the first family, at its end, and in the second: the 13th setting is the second family's first."""
    study = study_of(families=BOTH, trials=12)
    judge, asked = Judge.judge, []

    def interrupted(self: Judge, settings: Any) -> Any:
        asked.append(settings)
        if len(asked) == stop:
            raise KeyboardInterrupt
        return judge(self, settings)

    monkeypatch.setattr(Judge, "judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tuned(study, tmp_path)
    monkeypatch.setattr(Judge, "judge", judge)
    result = tuned(study, tmp_path)
    assert sum(family.resumed for family in result.families) == stop - 1
    assert found(result) == found(whole_of_both)


def test_a_search_that_is_done_fits_no_trial_again(
    study: StudyFile, whole: TuningResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(tuned(study, tmp_path)) == found(whole)
    (kept,) = journals(tmp_path)
    before = kept.read_bytes().count(b"losses")
    said: list[str] = []
    monkeypatch.setattr("riskmodels.models.tuning.sampler.Sampler.propose", lambda self: pytest.fail("a new trial"))
    assert found(tuned(study, tmp_path, said.append)) == found(whole)
    assert said[-1] == "tuning logistic: 5 trials were done by an earlier run"
    assert kept.read_bytes().count(b"losses") == before == 5


def test_a_longer_budget_goes_on_and_a_shorter_one_takes_the_first(
    study: StudyFile, whole: TuningResult, tmp_path: Path
) -> None:
    """Fourteen trials: the last ones are proposed by what those before found, not at random."""
    long = study_of(families=("logistic",), trials=14)
    assert found(tuned(study, tmp_path)) == found(whole)
    assert found(tuned(long, tmp_path)) == found(tuned(long, None))
    assert found(tuned(study, tmp_path)) == found(whole)


def test_minutes_that_were_spent_are_spent(tmp_path: Path) -> None:
    """The second run of a search whose minutes are over tries nothing more, so the model stays as it was."""
    study = study_of(families=("logistic",), minutes=0.01)
    first = tuned(study, tmp_path)
    again = tuned(study, tmp_path)
    assert first.families[0].trials > 1
    assert found(again) == found(first)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 8},
        {"folds": 2},
        {"choose_by": "log_loss"},
        {"logistic": {"c": 0.5}},
        {"logistic": {"splines": ["need"]}},
    ],
)
def test_another_search_has_a_journal_of_its_own(other: dict[str, Any], tmp_path: Path) -> None:
    tuned(study_of(families=("logistic",), trials=2), tmp_path)
    result = tuned(study_of(families=("logistic",), trials=2, **other), tmp_path)
    assert result.families[0].resumed == 0
    assert len(journals(tmp_path)) == 2


def test_other_data_is_another_search(tmp_path: Path) -> None:
    study = study_of(families=("logistic",), trials=2)
    for seed in (5, 6):
        result = tune(dataset_of(study, seed=seed), splits_of(study), study, store=tmp_path)
        assert result.families[0].resumed == 0


def test_the_settings_of_other_families_are_another_matter(tmp_path: Path) -> None:
    tuned(study_of(families=("logistic",), trials=2), tmp_path)
    result = tuned(study_of(families=("logistic",), trials=2, lightgbm=GOOD), tmp_path)
    assert result.families[0].resumed == 2


def test_old_journals_go_and_the_one_in_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT_JOURNALS", 3)

    def resumed(seed: int) -> int:
        return tuned(study_of(families=("logistic",), trials=1, seed=seed), tmp_path).families[0].resumed

    tuned(study_of(families=("lightgbm",), trials=1), tmp_path)
    assert [resumed(seed) for seed in (1, 2, 3)] == [0, 0, 0]
    monkeypatch.setattr(journal, "KEPT_JOURNALS", 2)
    # The oldest is in use, and was not written since: the second goes.
    assert resumed(1) == 1
    assert len(journals(tmp_path)) == 2
    assert [resumed(seed) for seed in (1, 3)] == [1, 1]
    assert resumed(2) == 0
    assert len(journals(tmp_path)) == 2
    assert len(journals(tmp_path, "lightgbm")) == 1


# ---------------------------------------------------------------- damaged, refused


def flipped(text: bytes) -> bytes:
    """One digit of one loss of the third trial is another."""
    lines = text.splitlines(keepends=True)
    line = json.loads(lines[3])
    line["user_attrs"]["losses"][0] += 0.01
    return b"".join([*lines[:3], json.dumps(line).encode() + b"\n", *lines[4:]])


def other_range(text: bytes) -> bytes:
    return text.replace(b'\\"high\\": 100.0', b'\\"high\\": 90.0', 1)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a loss that was changed": flipped,
    "a range that was changed": other_range,
    "a trial that is gone": lambda text: b"".join(
        text.splitlines(keepends=True)[:2] + text.splitlines(keepends=True)[3:]
    ),
    "a trial that stands twice": lambda text: text + text.splitlines(keepends=True)[-1],
    "a line cut short in the middle": lambda text: text[:900] + text[950:],
    "no beginning": lambda text: text[text.index(b"\n") + 1 :],
    "noughts at the end": lambda text: text + bytes(200) + b"\n",
    "other words": lambda text: b"words\n" * 40,
    "JSON of another kind": lambda text: b'{"op_code": 77}\n[1, 2]\n',
    "bytes": lambda text: bytes(range(256)) + b"\n",
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_journal_is_noticed_and_begun_anew(
    how: str, study: StudyFile, whole: TuningResult, tmp_path: Path
) -> None:
    tuned(study, tmp_path)
    (kept,) = journals(tmp_path)
    damaged = DAMAGES[how](kept.read_bytes())
    assert damaged != kept.read_bytes()
    kept.write_bytes(damaged)
    said: list[str] = []
    result = tuned(study, tmp_path, said.append)
    assert found(result) == found(whole)
    assert result.families[0].resumed == 0
    assert f"{kept}: this journal of tuning was damaged, and is begun anew" in said
    assert tuned(study, tmp_path).families[0].resumed == 5


@pytest.mark.parametrize(("left", "resumed"), [(-40, 4), (0, 0), (1, 0)])
def test_what_was_cut_off_is_made_again(
    left: int, resumed: int, study: StudyFile, whole: TuningResult, tmp_path: Path
) -> None:
    """The power went while a line was written: the trials before it are kept, and nobody need be told."""
    tuned(study, tmp_path)
    (kept,) = journals(tmp_path)
    kept.write_bytes(kept.read_bytes()[:left])
    said: list[str] = []
    result = tuned(study, tmp_path, said.append)
    assert found(result) == found(whole)
    assert result.families[0].resumed == resumed
    assert not any("damaged" in line for line in said)
    assert tuned(study, tmp_path).families[0].resumed == 5


def test_a_store_that_cannot_be_made_stops_nothing(study: StudyFile, whole: TuningResult, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    said: list[str] = []
    assert found(tuned(study, tmp_path / "store", said.append)) == found(whole)
    assert sum("tuning goes on, but its trials are not kept" in line for line in said) == 1


def test_a_journal_that_cannot_be_read_stops_nothing(
    study: StudyFile, whole: TuningResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned(study, tmp_path)
    (kept,) = journals(tmp_path)
    content = kept.read_bytes()

    def refused(path: Path, error: Any = None) -> bytes:
        raise OutsideError(f"{path}: cannot be read (Permission denied)")

    monkeypatch.setattr(journal.storage, "read_bytes", refused)
    said: list[str] = []
    assert found(tuned(study, tmp_path, said.append)) == found(whole)
    assert any("Permission denied" in line for line in said)
    assert kept.read_bytes() == content


def test_a_disk_that_fills_up_stops_nothing(
    study: StudyFile, whole: TuningResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, times = JournalFileBackend.append_logs, []

    def full(self: Any, logs: Any) -> None:
        times.append(1)
        if len(times) > 3:  # the search itself, and two trials
            raise OSError(28, "No space left on device")
        append(self, logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", full)
    said: list[str] = []
    assert found(tuned(study, tmp_path, said.append)) == found(whole)
    assert sum("no longer kept: No space left on device" in line for line in said) == 1
    assert len(times) == 4
    monkeypatch.setattr(JournalFileBackend, "append_logs", append)
    assert tuned(study, tmp_path).families[0].resumed == 2


# ---------------------------------------------------------------- what it holds


def test_a_journal_is_its_owners_and_holds_nobody(tmp_path: Path) -> None:
    study = study_of(families=BOTH, trials=3)
    tuned(study, tmp_path)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(files) == 4  # two journals and two locks
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(f'"p{number}"' in path.read_text() for number in range(300))


def test_a_lock_that_a_killed_process_left_is_no_lock(study: StudyFile, whole: TuningResult, tmp_path: Path) -> None:
    """Files named as a lock of Optuna's and of ours: only a process that lives holds one."""
    tuned(study_of(families=("logistic",), trials=3), tmp_path)
    (kept,) = journals(tmp_path)
    os.symlink(kept, f"{kept}.lock")
    assert (tmp_path / ".logistic.lock").exists()
    began = time.monotonic()
    assert found(tuned(study, tmp_path)) == found(whole)
    assert time.monotonic() - began < 15  # Optuna waits for 30 seconds


# ---------------------------------------------------------------- other processes

SEARCH = """
import pickle, sys
from pathlib import Path
from riskmodels.models.tuning import tune
if __name__ == "__main__":
    data, splits, study = pickle.loads(Path(sys.argv[1]).read_bytes())
    result = tune(data, splits, study, store=Path(sys.argv[2]), progress=lambda line: print(line, flush=True))
    Path(sys.argv[3]).write_bytes(pickle.dumps((result.to_dict(), dict(result.trials), result.families[0].resumed)))
"""


def in_a_process(study: StudyFile, folder: Path, output: str) -> subprocess.Popen[bytes]:
    given = folder / "given.pickle"
    given.write_bytes(pickle.dumps((dataset_of(study), splits_of(study), study)))
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", SEARCH, given, folder / "store", folder / output],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
    )


def lines(store: Path, family: str) -> int:
    return sum(path.read_bytes().count(b"losses") for path in journals(store, family))


@pytest.mark.slow
def test_kill_9_in_the_middle_and_again_is_the_same_as_never(tmp_path: Path) -> None:
    endless = study_of(trials=5_000)
    process = in_a_process(endless, tmp_path, "never")
    until = time.monotonic() + 120
    while lines(tmp_path / "store", "lightgbm") < 4:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = lines(tmp_path / "store", "lightgbm")
    study = study_of(trials=done + 10)
    result = tuned(study, tmp_path / "store")
    assert result.families[0].resumed == done >= 4
    assert found(result) == found(tuned(study, None))


@pytest.mark.slow
def test_two_processes_at_once_make_one_journal(tmp_path: Path) -> None:
    """The second waits, and then finds every trial done."""
    study = study_of(trials=40)
    processes = [in_a_process(study, tmp_path, name) for name in ("one", "two")]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    one, two = (pickle.loads((tmp_path / name).read_bytes()) for name in ("one", "two"))
    assert one[:2] == two[:2]
    assert sorted([one[2], two[2]]) == [0, 40]
    assert lines(tmp_path / "store", "lightgbm") == 40
