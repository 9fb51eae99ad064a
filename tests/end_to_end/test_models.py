"""`riskmodels models`, as it is typed: one look says what is in use, what is about to end, and what waits for whom."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.governance import standing
from riskmodels.governance.registry import read_index
from riskmodels.service.people.record import BATCH, BatchNote
from riskmodels.workspace import Workspace
from tests.end_to_end.served import call, refused
from tests.governance.recorded import DIRECTOR, HEAD, STUDY, Recorded, busy_workspace, day

TODAY = day("2026-12-01")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("busy") / "work")
    busy_workspace(workspace)
    return workspace


def said(workspace: Workspace, *arguments: object, today: str = "2026-12-01") -> str:
    called = call(workspace, "models", *arguments, today=day(today))
    assert called.code == 0, called
    lines = () if "--json" in arguments else called.out.splitlines()
    assert all(len(line) <= 120 for line in lines if str(workspace.root) not in line)
    return called.out


def test_one_look_says_what_is_in_use_and_what_waits_for_whom(busy: Workspace) -> None:
    text = said(busy)
    in_use, waits = text.split("\n\n")[:2]
    assert in_use.startswith("In use on 1 December 2026\n")
    assert "reading_help: version 3 MAY NOT SCORE TODAY, pilot, approved until 2026-12-12 (11 days left); 4 lists" in (
        " ".join(in_use.split())
    )
    assert f"warm_homes: nothing. No champion: the last was withdrawn on 2026-05-01 by the {DIRECTOR}" in (
        " ".join(in_use.split())
    )
    when = [line[2:].split("  ")[0] for line in waits.splitlines()[1:] if not line.startswith(" " * 8)]
    assert when == ["SHUT, 11 days ago", "4 days left", "11 days left", "19 days left", "25 days left"]
    assert f"reading_help/3  {HEAD}: condition 1 is late: Tell parents in writing" in waits
    assert "team manager: condition 2 is due" in waits
    assert "Publish the record" not in waits, "it is met"


def test_each_version_has_a_line(busy: Workspace) -> None:
    lines = [re.split(r"\s{2,}", line.strip()) for line in said(busy).splitlines() if re.match(r"  [v\d]  ", line)]
    assert lines[0] == ["v", "is", "state", "stage", "until", "days", "open", "audit", "used", "trained"]
    assert lines[1] == ["1", "previous", "EXPIRED", "pilot", "2026-07-09", "0", "insufficient", "2026-07-20 x5!",
                        "2026-01-05"]  # fmt: skip
    assert lines[3] == ["3", "champion", "APPROVED", "pilot", "2026-12-12", "11", "2, 1 late", "insufficient",
                        "2026-11-02 x4", "2026-06-20"]  # fmt: skip
    assert lines[4][1:3] == ["candidate", "AWAITING REVIEW"]
    assert [line[1] for line in lines if line[0] == "1"] == ["previous", "WITHDRAWN"]


def test_json_has_everything(busy: Workspace) -> None:
    found = json.loads(said(busy, "--json"))
    assert set(found) == {
        "today", "soon_days", "in_use", "actions", "versions", "drafts", "approvals", "history",
    }  # fmt: skip
    third = next(row for row in found["versions"] if (row["study"], row["version"]) == (STUDY, 3))
    assert (third["recommendation"], third["next_due"], third["days_left"]) == ("use_with_conditions", "2026-11-20", 11)
    assert (third["used_outside"], third["aliases"]) == (0, ["champion"])
    (in_use, _) = found["in_use"]
    assert (in_use["holds"], in_use["stopped"]) == (False, ["condition 1 is late: Tell parents in writing"])
    assert [row["ended_by"] for row in found["approvals"] if row["study"] == "warm_homes"] == ["withdrawal", None]


def test_one_study_alone(busy: Workspace) -> None:
    assert "warm_homes" not in said(busy, STUDY)
    assert {row["study"] for row in json.loads(said(busy, STUDY, "--json"))["versions"]} == {STUDY}
    words = f"there is {STUDY}, warm_homes"
    refused(call(busy, "models", "other", today=TODAY), 2, "other: no such study", words)
    refused(call(busy, "models", f"{STUDY}/3", today=TODAY), 2, "no such study", words)


def test_the_champion_of_a_past_day_and_who_moved_it(busy: Workspace) -> None:
    before = " ".join(said(busy, "--on", "2026-06-09").split())
    after = " ".join(said(busy, "--on", "2026-06-10").split())
    assert (
        f"reading_help: version 2, for pilot; APPROVED until 19 October 2026 (stage: pilot) by the {DIRECTOR}" in before
    )
    assert f"promoted by the {HEAD} (record 4) on 2026-05-04" in before
    assert "reading_help: version 1, for pilot" in after
    assert f"brought back by the {HEAD} (record 5): Lists were too short on 2026-06-10" in after
    assert "no model had been made one by then" in said(busy, "--on", "2025-01-01")
    found = json.loads(said(busy, STUDY, "--on", "2026-07-15", "--json"))
    ((row,), on) = (found["champions"], found["on"])
    assert (on, row["version"], row["state"], row["since"]) == ("2026-07-15", 1, "EXPIRED", "2026-06-10")


def test_today_is_a_day_that_can_be_asked_for_and_tomorrow_is_not(busy: Workspace) -> None:
    assert "version 3" in said(busy, "--on", "2026-12-01")
    refused(call(busy, "models", "--on", "2026-12-02", today=TODAY), 2, "--on 2026-12-02: is still to come")
    refused(call(busy, "models", "--on", "March", today=TODAY), 2, "--on", "2024-06-30")


def test_the_history_tells_every_reign(busy: Workspace) -> None:
    text = said(busy, "--history")
    assert len(re.findall(r"^  version \d", text, flags=re.MULTILINE)) == 5
    assert "  version 1, pilot: from 2026-01-12 to 2026-05-04 (112 days); 3 lists, the last on 2026-03-15" in text
    assert f"      brought back by the {HEAD} (record 5): Lists were too short" in text
    assert "  version 3, pilot: from 2026-07-30 and still is (124 days)" in text
    assert "EXAMPLE ONLY: from 2026-02-11" in text
    rows = json.loads(said(busy, "--history", "--json"))["history"]
    assert rows == json.loads(said(busy, "--json"))["history"]


@pytest.mark.parametrize(
    "both", [("--history", "--on", "2026-03-01"), ("--history", "--html", "x"), ("--on", "2026-03-01", "--html", "x")]
)
def test_two_questions_at_once_are_refused(busy: Workspace, both: tuple[str, ...]) -> None:
    refused(call(busy, "models", *both, today=TODAY), 2, "are asked one at a time")


def test_the_page_holds_it_all_and_is_the_same_twice(busy: Workspace, tmp_path: Path) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        assert f"Page:  {page}" in call(busy, "models", "--html", page, today=TODAY).out
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert b"Where every model stands" in pages[0].read_bytes()
    refused(call(busy, "models", "--html", tmp_path / "one.html" / "x.html", today=TODAY), 7, "one.html")


# ---------------------------------------------------------------- drafts, and nothing at all


def test_drafts_are_one_line_unless_asked_for(busy: Workspace, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    Recorded(workspace).version()
    for name in ("a", "b"):
        storage.write_folder(workspace.runs(STUDY) / name / "riskmodel", {"manifest.json": name.encode()})
    assert "2 runs are not registered (drafts); list them with --drafts." in said(workspace)
    assert "runs/reading_help/a" not in said(workspace)
    assert "runs/reading_help/a" in said(workspace, "--drafts")
    assert len(json.loads(said(workspace, "--json"))["drafts"]) == 2
    assert "not registered" not in said(busy)


def test_an_empty_workspace_and_one_that_is_a_file(tmp_path: Path) -> None:
    nowhere, file = Workspace(tmp_path / "nowhere"), Workspace(tmp_path / "file")
    file.root.write_text("")
    for more in ((), ("--on", "2026-01-01")):
        assert said(nowhere, *more).startswith(f"No models in {nowhere.root}; make one with: riskmodels run")
        refused(call(file, "models", *more, today=TODAY), 2, "is a file; name the folder")
    assert said(nowhere, "--history").startswith("No model was ever made champion here")
    assert json.loads(said(nowhere, "--json"))["versions"] == []
    assert not nowhere.root.exists()
    refused(call(nowhere, "models", STUDY, today=TODAY), 2, "there is none yet")


# ---------------------------------------------------------------- what goes wrong


def test_a_broken_record_hides_nothing_else(busy: Workspace, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    busy_workspace(workspace)
    path = workspace.reviews("warm_homes")
    path.write_bytes(path.read_bytes().replace(b"pilot", b"live_", 1))
    text = said(workspace)
    assert "RECORD BROKEN" in text
    assert "warm_homes: cannot be told. Not known:" in text
    assert "line 1: was edited" in " ".join(text.split())
    assert "reading_help: version 3" in text
    assert "not known: " in said(workspace, "--on", "2026-06-01")
    refused(call(workspace, "models", "--history", today=TODAY), 6, "line 1: was edited")
    assert "reading_help" in said(workspace, STUDY, "--history")
    found = json.loads(said(workspace, "--json"))
    homes = [row for row in found["versions"] if row["study"] == "warm_homes"]
    assert {row["used_outside"] for row in homes} == {None}


def test_a_damaged_line_of_the_ledger_is_passed_over(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    recorded = Recorded(workspace)
    recorded.score(recorded.version(), "2026-02-01")
    with workspace.ledger.open("ab") as file:
        file.write(b'{"batch_id": "cut')
    called = call(workspace, "models", today=TODAY)
    assert "2026-02-01 x1" in called.out
    assert "line 2: is cut short or damaged and is passed over" in called.err


def test_a_list_whose_line_a_crash_left_out_counts_by_its_record(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    entry = Recorded(workspace).version()
    note = BatchNote(
        batch_id="0123456789abcdef", study=STUDY, version=entry.version, model_sha256=entry.model_sha256,
        card_sha256=entry.card_sha256, as_of=day("2026-02-01"), scored_on=day("2026-02-02"), counts={"scored": 3},
        options={}, output="list.csv", who=None, stage="pilot", example=False,
    )  # fmt: skip
    folder = workspace.batch(STUDY, note.batch_id)
    storage.write_folder(folder, {BATCH: note.model_dump_json().encode()})
    assert "2026-02-02 x1!" in said(workspace)


def test_each_record_is_read_once_and_nothing_is_written(busy: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    read_chain = standing.read_chain

    def counted(path: Path) -> Any:
        read[path.name] += 1
        return read_chain(path)

    monkeypatch.setattr(standing, "read_chain", counted)
    monkeypatch.setattr("riskmodels.governance.registry.read_chain", counted)
    before = sorted(busy.root.rglob("*"))
    assert len(read_index(busy)[STUDY].versions) == 4
    for arguments in ((), ("--history",), ("--on", "2026-03-01")):
        read.clear()
        said(busy, *arguments)
        assert read == {f"{STUDY}.jsonl": 1, "warm_homes.jsonl": 1}
    assert sorted(busy.root.rglob("*")) == before


def test_long_words_keep_the_width(tmp_path: Path) -> None:
    recorded = Recorded(Workspace(tmp_path / "work"), "a_study_with_a_name_that_goes_on_and_on", "Title " * 40)
    entry = recorded.version()
    recorded.decide(entry, "2026-01-10", example=True, owner_role="chief " * 30, advice="proceed with conditions",
                    conditions=[{"text": "Tell them " * 30, "owner": "team " * 30, "due": "2026-02-01"}] * 12,
                    expires="2026-03-01")  # fmt: skip
    recorded.promote(entry, "2026-01-10", reason="Because " * 40)
    recorded.score(entry, *["2026-05-01"] * 40)
    for more in ((), ("--history",), ("--on", "2026-02-02")):
        said(recorded.workspace, *more)
    assert "* an EXAMPLE decision, not a real one" in said(recorded.workspace)
