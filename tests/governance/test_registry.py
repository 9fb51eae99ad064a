from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import GateError, ModelFileError, OutsideError, RiskModelsError, UsageError
from riskmodels.governance import gate, registry, standing
from riskmodels.workspace import Workspace

TODAY = dt.date(2026, 11, 23)
STUDY = "reading_help"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work")


@pytest.fixture
def put_run(
    workspace: Workspace, files_of: Callable[[str], dict[str, bytes]], card_of: Callable[[dict[str, bytes]], bytes]
) -> Callable[..., dict[str, Any]]:
    """Write a run with its own model and card; return the entry to register it with."""

    def put(name: str, study: str = STUDY, text: str | None = None) -> dict[str, Any]:
        files = files_of(text or name)
        run = workspace.runs(study) / name
        storage.write_folder(run / "riskmodel", files)
        storage.write_folder(run / "card", {"card.json": card_of(files)})
        return {
            "model_sha256": storage.sha256(files["manifest.json"]),
            "card_sha256": storage.sha256(card_of(files)),
            "data_sha256": "d" * 64,
            "policy_sha256": "e" * 64,
            "folder": f"runs/{study}/{name}",
            "registered_on": TODAY,
            "verdict": "FAIL",
            "recommendation": "use with conditions",
        }

    return put


@pytest.fixture
def three(workspace: Workspace, put_run: Callable[..., dict[str, Any]]) -> Workspace:
    for name in ("first", "second", "third"):
        registry.register(workspace, STUDY, put_run(name))
    return workspace


# ---------------------------------------------------------------- registering


def test_versions_count_from_one_and_the_newest_is_the_candidate(three: Workspace) -> None:
    index = json.loads(three.models_index.read_bytes())
    assert [entry["version"] for entry in index[STUDY]["versions"]] == [1, 2, 3]
    assert index[STUDY]["aliases"] == {"candidate": 3}
    assert index[STUDY]["versions"][0]["registered_on"] == "2026-11-23"
    assert three.models_index.stat().st_mode & 0o077 == 0


def test_the_same_digests_are_the_same_version(three: Workspace, put_run: Callable[..., dict[str, Any]]) -> None:
    again = put_run("first_again", text="first") | {"registered_on": dt.date(2026, 12, 24)}
    assert registry.register(three, STUDY, again) == 1
    known = registry.read_index(three)[STUDY]
    assert len(known.versions) == 3
    assert known.versions[0].folder == "runs/reading_help/first_again"
    assert known.versions[0].registered_on == TODAY
    assert known.aliases == {"candidate": 1}


@pytest.mark.parametrize("digest", registry.DIGESTS)
def test_another_digest_is_another_version(
    three: Workspace, put_run: Callable[..., dict[str, Any]], digest: str
) -> None:
    assert registry.register(three, STUDY, put_run("first") | {digest: "f" * 64}) == 4


@pytest.mark.parametrize(
    "wrong", [{"folder": "/etc"}, {"folder": "../elsewhere"}, {"model_sha256": "abc"}, {"verdict": None}, {"extra": 1}]
)
def test_a_wrong_entry_is_not_registered(
    workspace: Workspace, put_run: Callable[..., dict[str, Any]], wrong: dict[str, Any]
) -> None:
    with pytest.raises(ModelFileError, match=f"the entry to register is wrong: {next(iter(wrong))}"):
        registry.register(workspace, STUDY, put_run("first") | wrong)
    assert not workspace.models_index.exists()


def test_a_disk_that_refuses_leaves_the_index_as_it_was(
    three: Workspace, put_run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = three.models_index.read_bytes()
    entry = put_run("fourth")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("riskmodels.storage.whole.os.replace", full)
    with pytest.raises(OutsideError, match="No space left on device"):
        registry.register(three, STUDY, entry)
    assert three.models_index.read_bytes() == before
    assert [path.name for path in three.root.iterdir() if path.name.endswith(".part")] == []


def test_several_at_once_lose_nothing(
    workspace: Workspace, put_run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [put_run(f"run_{number}") for number in range(12)]
    read_index = registry.read_index

    def read_slowly(workspace: Workspace) -> dict[str, registry.Registered]:
        index = read_index(workspace)
        time.sleep(0.003)  # long enough for another writer to come between reading and writing
        return index

    monkeypatch.setattr(registry, "read_index", read_slowly)
    writers = [threading.Thread(target=registry.register, args=(workspace, STUDY, entry)) for entry in entries]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    versions = read_index(workspace)[STUDY].versions
    assert [entry.version for entry in versions] == list(range(1, 13))
    assert {entry.model_sha256 for entry in versions} == {entry["model_sha256"] for entry in entries}


FOREIGN = [
    b"",
    b"not json",
    b"[]",
    b"3",
    b'{"models": ["a", "b"]}',
    b'{"reading_help": {"versions": [{"version": 1}]}}',
    b'{"reading_help": {"versions": [], "aliases": {"champion": 1}}}',
    b'{"Reading Help": {"versions": []}}',
    b"[" * 200_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("content", FOREIGN, ids=lambda content: content[:30].decode(errors="replace"))
def test_a_foreign_or_damaged_index_is_one_line(
    workspace: Workspace, put_run: Callable[..., dict[str, Any]], content: bytes
) -> None:
    entry = put_run("first")
    workspace.models_index.write_bytes(content)
    for act in (
        lambda: registry.read_index(workspace),
        lambda: registry.register(workspace, STUDY, entry),
        lambda: registry.resolve(workspace, STUDY),
        lambda: standing.states(workspace, TODAY),
    ):
        with pytest.raises(ModelFileError, match=r"models\.json") as refusal:
            act()
        assert len(str(refusal.value)) < 400
    assert workspace.models_index.read_bytes() == content


def test_versions_with_a_gap_are_refused(three: Workspace) -> None:
    index = json.loads(three.models_index.read_bytes())
    del index[STUDY]["versions"][1]
    three.models_index.write_bytes(storage.canonical_json(index))
    with pytest.raises(ModelFileError, match="numbered from 1, without gaps"):
        registry.read_index(three)


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("reading_help", 3),
        ("reading_help@candidate", 3),
        ("reading_help/2", 2),
        ("models:/reading_help/1", 1),
        ("models:/reading_help@candidate", 3),
    ],
)
def test_a_name_finds_its_version(three: Workspace, reference: str, version: int) -> None:
    found = registry.resolve(three, reference)
    assert (found.study, found.version) == (STUDY, version)
    assert found.entry is not None
    assert found.entry.version == version
    assert found.model_folder == three.root / "runs" / STUDY / ("first", "second", "third")[version - 1] / "riskmodel"
    assert storage.sha256((found.model_folder / "manifest.json").read_bytes()) == found.entry.model_sha256
    assert storage.sha256(found.card_path.read_bytes()) == found.entry.card_sha256


@pytest.mark.parametrize("below", ["", "riskmodel"])
def test_a_folder_finds_its_version(three: Workspace, below: str) -> None:
    found = registry.resolve(three, three.runs(STUDY) / "second" / below)
    assert (found.study, found.version) == (STUDY, 2)
    assert found.folder.name == "second"


def test_the_model_folder_of_here_is_found(three: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(three.runs(STUDY) / "second" / "riskmodel")
    assert registry.resolve(three, ".").version == 2


def test_a_copy_is_known_by_its_digests_and_an_edited_run_by_its_place(three: Workspace, tmp_path: Path) -> None:
    run = three.runs(STUDY) / "second"
    copy = tmp_path / "copy"
    for part in ("riskmodel", "card"):
        storage.write_folder(copy / part, {path.name: path.read_bytes() for path in (run / part).iterdir()})
    assert registry.resolve(three, copy).version == 2
    (run / "card" / "card.json").write_bytes(b"{}")
    assert registry.resolve(three, run).version == 2


def test_a_run_that_was_never_registered_is_found_without_a_version(
    three: Workspace, put_run: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    put_run("fourth")
    found = registry.resolve(three, three.runs(STUDY) / "fourth")
    assert (found.study, found.version, found.entry) == (STUDY, None, None)
    elsewhere = tmp_path / "stick" / "riskmodel"
    storage.write_folder(elsewhere, gate.read_model_folder(three.runs(STUDY) / "fourth" / "riskmodel"))
    assert registry.resolve(three, elsewhere).study == STUDY, "the model itself says which study it belongs to"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("reading", "no such study among the registered models; "),
        ("reading_help/4", "has no version 4; it has 1 to 3"),
        ("reading_help/0", "has no version 0"),
        ("reading_help@live", "has no alias 'live'; it has candidate"),
        ("runs/reading_help/nowhere", "no model lies there and it is not a name; "),
        ("models:/", "registered: reading_help"),
        ("reading_help/" + "9" * 5000, "registered: reading_help"),
        ("x" * 5000, "registered: reading_help"),
        ("", "registered: reading_help"),
    ],
)
def test_a_wrong_reference_lists_what_exists(three: Workspace, reference: str, words: str) -> None:
    with pytest.raises(UsageError) as refusal:
        registry.resolve(three, reference)
    assert words in str(refusal.value)


@pytest.mark.parametrize("alias", ["champion", "previous"])
def test_that_there_is_no_champion_is_a_matter_for_the_gate(three: Workspace, alias: str) -> None:
    with pytest.raises(GateError, match=f"has no {alias} now"):
        registry.resolve(three, f"{STUDY}@{alias}")


def test_an_empty_workspace_says_so(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="registered: nothing yet"):
        registry.resolve(workspace, STUDY)
    assert standing.states(workspace, TODAY) == []
    assert not workspace.root.exists()


# ---------------------------------------------------------------- aliases


def govern_second(three: Workspace, governed: Any) -> None:
    run = three.runs(STUDY) / "second"
    governed.path, governed.files = three.reviews(STUDY), gate.read_model_folder(run / "riskmodel")
    governed.card = (run / "card" / "card.json").read_bytes()


def test_the_champion_is_what_the_record_says(three: Workspace, governed: Any) -> None:
    govern_second(three, governed)
    governed.decide()
    assert registry.resolve(three, STUDY).version == 3, "approved is not promoted"
    governed.promote(version=2)
    assert registry.resolve(three, STUDY).version == 2
    assert registry.resolve(three, f"{STUDY}@champion").version == 2
    assert registry.resolve(three, f"{STUDY}@candidate").version == 3
    governed.withdraw()
    assert registry.resolve(three, STUDY).version == 3
    with pytest.raises(GateError, match="has no champion now"):
        registry.resolve(three, f"{STUDY}@champion")


def test_an_index_cannot_make_a_champion(three: Workspace) -> None:
    index = json.loads(three.models_index.read_bytes())
    index[STUDY]["aliases"]["champion"] = 3
    three.models_index.write_text(json.dumps(index))
    with pytest.raises(ModelFileError, match="the champion is what the record says"):
        registry.resolve(three, STUDY)


# ---------------------------------------------------------------- where everything stands


def test_states_follow_the_review_record_and_the_day(
    three: Workspace,
    put_run: Callable[..., dict[str, Any]],
    governed: Any,
) -> None:
    put_run("fourth")
    govern_second(three, governed)
    governed.decide()
    rows = standing.states(three, TODAY)
    assert [(row["version"], row["state"]) for row in rows] == [
        (1, "AWAITING REVIEW"),
        (2, "APPROVED"),
        (3, "AWAITING REVIEW"),
        (None, "DRAFT"),
    ]
    assert (rows[1]["until"], rows[1]["stage"], rows[1]["conditions_open"]) == ("2027-05-20", "pilot", 1)
    assert rows[2]["aliases"] == ["candidate"]
    assert rows[3]["folder"] == "runs/reading_help/fourth"
    assert len({frozenset(row) for row in rows}) == 1
    json.dumps(rows)
    assert standing.states(three, dt.date(2027, 6, 1))[1]["state"] == "EXPIRED"
    governed.withdraw()
    assert standing.states(three, TODAY)[1]["state"] == "WITHDRAWN"


def test_a_run_that_gave_the_same_bytes_again_is_no_draft(
    three: Workspace, put_run: Callable[..., dict[str, Any]]
) -> None:
    registry.register(three, STUDY, put_run("first_again", text="first"))
    assert [row["state"] for row in standing.states(three, TODAY)] == ["AWAITING REVIEW"] * 3


def test_a_broken_record_of_one_study_does_not_hide_the_others(
    three: Workspace, put_run: Callable[..., dict[str, Any]], governed: Any
) -> None:
    registry.register(three, "heart_check", put_run("first", study="heart_check"))
    governed.path = three.reviews("heart_check")
    governed.decide()
    governed.path.write_bytes(b"{}\n")
    rows = {(row["study"], row["version"]): row for row in standing.states(three, TODAY)}
    assert rows["heart_check", 1]["state"] == "RECORD BROKEN"
    assert "line 1" in rows["heart_check", 1]["words"]
    assert rows[STUDY, 1]["state"] == "AWAITING REVIEW"


def test_reading_writes_nothing(three: Workspace) -> None:
    before = sorted(path for path in three.root.rglob("*"))
    standing.states(three, TODAY)
    registry.resolve(three, STUDY)
    with pytest.raises(RiskModelsError):
        registry.resolve(three, "nothing")
    assert sorted(path for path in three.root.rglob("*")) == before
