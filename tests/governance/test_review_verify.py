"""`review verify`: any change to a record, or to what was kept with it, is found; and what only a noted seal finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodels import commands, storage
from riskmodels.governance.acts import Evidence
from riskmodels.governance.chain import read_chain
from tests.governance.conftest import STUDY
from tests.governance.review_workspace import Made


@pytest.fixture
def recorded(made: Made) -> Made:
    made.decide()
    made.promote()
    said = {"decision": 1, "condition": 1, "evidence": "The letter", "by_role": "head of service"}
    made.append(Evidence.model_validate(said))
    return made


def problems(made: Made, **asked: Any) -> list[str]:
    report = commands.verify_reviews(made.workspace, **asked)
    found = [*report.problems, *(problem for one in report.studies for problem in one.problems)]
    assert report.sound is (found == [])
    return found


def seal(made: Made) -> str:
    return made.records[-1].sha256


def test_a_record_that_is_whole_is_called_whole(recorded: Made) -> None:
    before = recorded.bytes()
    assert problems(recorded) == []
    assert problems(recorded, study=STUDY, seals=[record.sha256.upper() for record in recorded.records]) == []
    code, out, err = recorded.call("review", "verify", today=None)
    assert (code, err) == (0, "")
    assert f"{STUDY}: whole (3 records); newest seal {seal(recorded)}\n" in out
    assert recorded.bytes() == before


# ---------------------------------------------------------------- any change at all


def byte_changed(content: bytes, place: int, byte: int) -> bytes:
    place %= len(content)
    return content[:place] + bytes([byte]) + content[place + 1 :]


def cut(content: bytes, place: int, byte: int) -> bytes:
    return content[: place % len(content)]


def byte_added(content: bytes, place: int, byte: int) -> bytes:
    place %= len(content)
    return content[:place] + bytes([byte]) + content[place:]


def line_taken_out(content: bytes, place: int, byte: int) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[place % len(lines)]
    return b"".join(lines)


def line_twice(content: bytes, place: int, byte: int) -> bytes:
    lines = content.splitlines(keepends=True)
    lines.insert(byte % (len(lines) + 1), lines[place % len(lines)])
    return b"".join(lines)


def lines_swapped(content: bytes, place: int, byte: int) -> bytes:
    lines = content.splitlines(keepends=True)
    one, other = place % len(lines), byte % len(lines)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


CHANGES = [byte_changed, cut, byte_added, line_taken_out, line_twice, lines_swapped]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    change=st.sampled_from(CHANGES),
    ending=st.sampled_from([".jsonl", ".jsonl", ".head"]),
    place=st.integers(0, 10**6),
    byte=st.integers(0, 255),
)
def test_any_change_to_a_record_or_its_head_is_found(
    recorded: Made, change: Callable[[bytes, int, int], bytes], ending: str, place: int, byte: int
) -> None:
    path = recorded.chain.with_suffix(ending)
    whole = path.read_bytes()
    changed = change(whole, place, byte)
    if changed == whole:
        return
    path.write_bytes(changed)
    try:
        assert problems(recorded)
    finally:
        path.write_bytes(whole)


def test_every_file_that_was_kept_is_looked_at(recorded: Made) -> None:
    """But for run.json and the made-up people of examples.yaml, which no digest names."""
    files = sorted(path for path in recorded.kept.rglob("*") if path.is_file())
    assert len(files) > 8
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole + b" ")
        found = problems(recorded)
        path.write_bytes(whole)
        assert bool(found) is (path.name not in ("run.json", "examples.yaml")), path
    (recorded.kept / "run.json").unlink()
    assert "run.json" in problems(recorded)[0]


def _more(made: Made) -> None:
    (made.kept / "riskmodel" / "also.pkl").write_bytes(b"x")


def _beside(made: Made) -> None:
    (made.kept / "note.txt").write_bytes(b"x")


def _a_link(made: Made) -> None:
    (made.kept / "here").symlink_to("/etc")


def _no_run(made: Made) -> None:
    shutil.rmtree(made.workspace.runs(STUDY))


def _run_changed(made: Made) -> None:
    (path,) = made.workspace.runs(STUDY).glob("*/riskmodel/model.json")
    path.write_bytes(path.read_bytes() + b" ")


def _no_index(made: Made) -> None:
    made.workspace.models_index.unlink()


def _index_damaged(made: Made) -> None:
    made.workspace.models_index.write_bytes(b"[]")


def _other_data(made: Made) -> None:
    text = made.workspace.models_index.read_text()
    made.workspace.models_index.write_text(text.replace("d" * 64, "0" * 64))


def _unknown_batch(made: Made) -> None:
    line = {"batch_id": "0123abcd", "study": STUDY, "version": 1, "model_sha256": "a" * 64, "as_of_date": "2026-11-01",
            "scored_on": "2026-11-23", "stage": "pilot", "example": True, "scored": 3}  # fmt: skip
    storage.append_line(made.workspace.ledger, json.dumps(line))


def _put_back(made: Made) -> None:
    """As when somebody puts back a copy of governance/ from before a list was made."""
    _unknown_batch(made)
    text = made.workspace.ledger.read_text().replace("a" * 64, made.digests.model)
    made.workspace.ledger.write_text(text.replace("{", f'{{"record_sha256": "{"b" * 64}", ', 1))


def _nothing_kept(made: Made) -> None:
    shutil.rmtree(made.kept)


PLANTED: dict[str, tuple[Callable[[Made], None], str]] = {
    "a file more in the model": (_more, "also.pkl"),
    "a file more beside it": (_beside, "note.txt: was not kept with the decision"),
    "a link": (_a_link, "here: was not kept with the decision"),
    "what was kept is gone": (_nothing_kept, "is missing, which was kept with a decision"),
    "the champion's run is gone": (_no_run, "the champion's files are not what was registered"),
    "the champion's run was changed": (_run_changed, "the champion's files are not what was registered"),
    "no index": (_no_index, "that models.json does not list"),
    "a damaged index": (_index_damaged, "models.json"),
    "an index with other data": (_other_data, "names other data or another policy"),
    "a record that was put back": (_put_back, "older than a list that was made by it: the seal bbbbbbbbbbbb"),
    "a batch of a model that never was champion": (_unknown_batch, "was not champion on that day"),
}


@pytest.mark.parametrize(("plant", "words"), PLANTED.values(), ids=PLANTED)
def test_what_does_not_fit_the_record_is_found(recorded: Made, plant: Callable[[Made], None], words: str) -> None:
    plant(recorded)
    assert any(words in problem for problem in problems(recorded))
    code, out, err = recorded.call("review", "verify", today=None)
    assert (code, err) == (6, "")
    assert any("WRONG: " in line and words in line for line in out.splitlines())


# ---------------------------------------------------------------- what only a seal finds


def _made_anew(made: Made) -> None:
    """An insider writes the whole record again, with another reason, by our own code: every seal fits."""
    records = made.records
    for path in (made.chain, made.chain.with_suffix(".head")):
        path.unlink()
    made.append(records[0].act.model_copy(update={"reason": "Nobody was against it"}))
    for record in records[1:]:
        made.append(record.act)


def _cut_with_its_head(made: Made) -> None:
    lines = made.chain.read_bytes().splitlines(keepends=True)[:-1]
    made.chain.write_bytes(b"".join(lines))
    head = {"seq": len(lines), "sha256": json.loads(lines[-1])["sha256"]}
    made.chain.with_suffix(".head").write_bytes(storage.canonical_json(head))


def _all_gone(made: Made) -> None:
    made.chain.unlink()
    made.chain.with_suffix(".head").unlink()


@pytest.mark.parametrize("attack", [_made_anew, _cut_with_its_head, _all_gone])
def test_a_record_made_anew_is_found_by_a_seal_that_was_noted_and_by_nothing_else(
    recorded: Made, attack: Callable[[Made], None]
) -> None:
    noted = seal(recorded)
    attack(recorded)
    assert problems(recorded) == []
    (found,) = problems(recorded, seals=[noted])
    assert found.startswith(f"the seal {noted[:12]}… is on no record: ")
    code, out, _ = recorded.call("review", "verify", STUDY, "--seal", noted, today=None)
    assert code == 6
    assert f"WRONG: the seal {noted[:12]}… is on no record of {STUDY}: " in out


def test_a_seal_that_was_noted_stays_on_the_record_as_it_grows(recorded: Made) -> None:
    noted = seal(recorded)
    recorded.decide_again()
    assert problems(recorded, seals=[noted, seal(recorded)]) == []


def test_all_gone_is_found_where_a_list_was_made(recorded: Made) -> None:
    _unknown_batch(recorded)
    text = recorded.workspace.ledger.read_text().replace("a" * 64, recorded.digests.model)
    recorded.workspace.ledger.write_text(text)
    assert problems(recorded) == []
    _all_gone(recorded)
    assert "was not champion on that day" in problems(recorded)[0]


# ---------------------------------------------------------------- what a stop leaves, and what is asked wrongly


def test_a_line_that_a_stop_cut_short_is_explained_and_is_no_fault(recorded: Made) -> None:
    with recorded.chain.open("ab") as file:
        file.write(b'{"act":{"adv')
    (checked,) = commands.verify_reviews(recorded.workspace).studies
    assert checked.problems == ()
    assert "is unfinished: whoever was recording it was stopped" in checked.notes[0]
    assert f"{STUDY}: note: line 4 of" in recorded.call("review", "verify", today=None)[1]


def test_what_was_kept_for_a_decision_that_never_came_is_a_note(made: Made) -> None:
    from riskmodels.commands.deposits import deposit
    from riskmodels.governance import registry

    deposit(registry.resolve(made.workspace, made.name), made.workspace)
    (checked,) = commands.verify_reviews(made.workspace).studies
    assert (checked.problems, len(checked.notes), read_chain(made.chain)) == ((), 1, [])
    assert "no record names it" in checked.notes[0]


def test_as_json(recorded: Made) -> None:
    code, out, _ = recorded.call("review", "verify", "--json", today=None)
    told = json.loads(out)
    assert (code, told["sound"], told["studies"][0]["seal"]) == (0, True, seal(recorded))
    recorded.chain.with_suffix(".head").unlink()
    code, out, _ = recorded.call("review", "verify", "--json", today=None)
    assert (code, json.loads(out)["sound"]) == (6, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("nothing",), "nothing: has no record and no model in"), (("--seal", "abc"), "--seal: is the 64 letters")],
)
def test_what_is_asked_wrongly_is_one_line(recorded: Made, arguments: tuple[str, ...], words: str) -> None:
    assert words in recorded.refused(2, "review", "verify", *arguments, today=None)


def test_an_empty_workspace_has_no_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from riskmodels.__main__ import run

    assert run(["review", "verify", "--workspace", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"No record in {tmp_path}.\n"
    assert run(["review", "verify", "--workspace", str(tmp_path), "--seal", "a" * 64]) == 6
