"""What waits for somebody: each kind is brought about, and gone without its cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.commands.standing import models
from riskmodels.governance.actions import KEEPER
from riskmodels.governance.overview import SOON_DAYS
from riskmodels.governance.registry import Entry
from riskmodels.workspace import Workspace
from tests.governance.recorded import DIRECTOR, HEAD, STUDY, Recorded, day

OPEN = {"text": "Tell parents", "owner": "team manager", "due": "2026-05-01"}
FIXED: dict[str, Any] = {"advice": "proceed with conditions", "conditions": [OPEN]}


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(Workspace(tmp_path / "work"))


def use(recorded: Recorded, *, card: dict[str, Any] | None = None, **decision: Any) -> Entry:
    """A version that is decided on and made champion on 1 February 2026, to be looked at again on 31 July."""
    entry = recorded.version(**(card or {}))
    recorded.decide(entry, "2026-02-01", **decision)
    recorded.promote(entry, "2026-02-01")
    return entry


def waiting(recorded: Recorded, on: str) -> list[tuple[int | None, str, str, bool]]:
    found = models(recorded.workspace, day(on)).found
    shut = [row["what"] for row in found["actions"] if row["stops"]]
    assert [row["stopped"] for row in found["in_use"]] == [shut]
    if found["in_use"][0]["version"] is not None:
        assert found["in_use"][0]["holds"] == (not shut)
    return [(row["version"], row["who"], row["what"], row["stops"]) for row in found["actions"]]


def test_nothing_waits_in_the_middle_of_an_approval(recorded: Recorded) -> None:
    use(recorded)
    assert waiting(recorded, "2026-03-01") == []


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("2026-07-01", []),  # SOON_DAYS and one before the last day
        ("2026-07-02", [(1, DIRECTOR, "the approval ends; have it reviewed again", False)]),
        ("2026-08-01", [(1, DIRECTOR, "the approval ends; have it reviewed again", False)]),
        ("2026-08-02", [(1, DIRECTOR, "the approval is over; have it reviewed again, or withdraw it", True)]),
    ],
)
def test_an_approval_ends(recorded: Recorded, on: str, said: list[Any]) -> None:
    use(recorded, expires="2026-08-01")
    assert SOON_DAYS == 30
    # The answers to the audit end on the same day, and are part of the same review.
    assert waiting(recorded, on) == said


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("2026-03-31", []),
        ("2026-04-01", [(1, "team manager", "condition 1 is due: Tell parents", False)]),
        ("2026-05-01", [(1, "team manager", "condition 1 is due: Tell parents", False)]),
        ("2026-05-02", [(1, "team manager", "condition 1 is late: Tell parents", True)]),
    ],
)
def test_a_condition_is_its_owners(recorded: Recorded, on: str, said: list[Any]) -> None:
    entry = use(recorded, **FIXED)
    assert waiting(recorded, on) == said
    recorded.meet(entry, "2026-02-20", decision=1, condition=1)
    assert waiting(recorded, on) == []


def test_an_answer_that_ends_before_the_approval_is_the_owners(recorded: Recorded) -> None:
    use(recorded, answers={"sex": {"reason": "By hand", "expires": "2026-05-01"}})
    said = "the answer to 1 verdict of the audit {}; have it answered in a new decision"
    assert waiting(recorded, "2026-03-31") == []
    assert waiting(recorded, "2026-05-01") == [(1, DIRECTOR, said.format("ends"), False)]
    assert waiting(recorded, "2026-05-02") == [(1, DIRECTOR, said.format("is over"), True)]


def test_an_answer_that_another_one_covers_is_not_missed(recorded: Recorded) -> None:
    answers = {key: {"reason": "By hand", "expires": end} for key, end in
               (("sex", "2026-05-01"), ("sex: F", "2026-07-31"))}  # fmt: skip
    use(recorded, answers=answers)
    assert waiting(recorded, "2026-05-02") == []


def test_an_agreement_is_of_whoever_answers_for_the_study(recorded: Recorded) -> None:
    use(recorded, card={"agreement": "2026-05-01"})
    assert waiting(recorded, "2026-03-31") == []
    said = "the agreement for the data of pupils {}; renew it"
    assert waiting(recorded, "2026-05-01") == [(1, HEAD, said.format("ends"), False)]
    assert waiting(recorded, "2026-05-02") == [(1, HEAD, said.format("is over"), True)]


def test_a_candidate_waits_for_the_committee_and_then_for_its_promotion(recorded: Recorded) -> None:
    use(recorded)
    second = recorded.version("2026-02-10")
    assert waiting(recorded, "2026-02-11") == [(2, HEAD, "put its card to the committee, or let it be", False)]
    recorded.decide(second, "2026-02-20")
    promote = (2, HEAD, "it is approved for pilot and not in use; promote it, or let it be", False)
    assert waiting(recorded, "2026-02-21") == [promote]
    recorded.promote(second, "2026-02-22")
    assert waiting(recorded, "2026-02-23") == []


def test_a_candidate_that_was_refused_or_only_explores_waits_for_nobody(recorded: Recorded) -> None:
    use(recorded)
    second = recorded.version()
    recorded.decide(second, "2026-02-20", stage="explore")
    assert waiting(recorded, "2026-02-21") == []
    recorded.decide(second, "2026-02-22", owner_decision="refuse", advice="do not proceed", expires=None)
    assert waiting(recorded, "2026-02-23") == []


def test_whoever_went_back_is_not_asked_to_go_forward(recorded: Recorded) -> None:
    first = use(recorded)
    second = recorded.version()
    recorded.decide(second, "2026-02-02")
    recorded.promote(second, "2026-02-03")
    recorded.promote(first, "2026-02-04", rollback=True, reason="Too short")
    assert waiting(recorded, "2026-02-05") == []


def test_a_refusal_of_the_champion_stops_it(recorded: Recorded) -> None:
    entry = use(recorded)
    recorded.decide(entry, "2026-03-01", owner_decision="refuse", advice="do not proceed", expires=None)
    ((version, who, what, stops),) = waiting(recorded, "2026-03-02")
    assert (version, who, stops) == (1, DIRECTOR, True)
    assert what.startswith("use was refused (record 3)")


def test_another_stage_wants_another_promotion(recorded: Recorded) -> None:
    entry = use(recorded)
    recorded.decide(entry, "2026-03-01", stage="live")
    assert waiting(recorded, "2026-03-02") == [
        (1, HEAD, "it was promoted for pilot, and the decision now is for live; promote it again, or withdraw it", True)
    ]
    recorded.promote(entry, "2026-03-02", stage="live")
    assert waiting(recorded, "2026-03-03") == []


def test_a_list_after_a_withdrawal_is_asked_about(recorded: Recorded) -> None:
    entry = use(recorded)
    recorded.score(entry, "2026-02-10")
    recorded.withdraw(entry, "2026-03-01")
    assert waiting(recorded, "2026-04-01") == []
    recorded.score(entry, "2026-03-05", "2026-03-06")
    ((version, who, what, stops),) = waiting(recorded, "2026-04-01")
    assert (version, who, stops) == (1, DIRECTOR, False)
    assert what.startswith("it made 2 lists after it was withdrawn, the last on 2026-03-06;")


def test_a_withdrawal_of_late_names_the_lists_that_are_out_and_the_versions_that_it_stopped_too(
    recorded: Recorded,
) -> None:
    entry = recorded.version(model="same")
    recorded.decide(entry, "2026-02-01")
    recorded.promote(entry, "2026-02-01")
    recorded.score(entry, "2026-02-10", "2026-02-20")
    recorded.version(model="same")
    recorded.withdraw(entry, "2026-03-01")
    lists = "tell the team that holds its 2 lists, the last of 2026-02-20: it was withdrawn on 2026-03-01"
    too = "it is stopped too: it is the same model as one withdrawn on 2026-03-01"
    assert waiting(recorded, "2026-03-02") == [(1, DIRECTOR, lists, False), (2, DIRECTOR, too, False)]
    assert waiting(recorded, "2026-04-01") == [], "by then they know"


def test_a_clock_that_was_set_back_stops_everything(recorded: Recorded) -> None:
    entry = use(recorded)
    assert waiting(recorded, "2026-02-01") == []
    ((_, who, what, stops),) = waiting(recorded, "2026-01-31")
    assert (who, stops) == (KEEPER, True)
    assert "it is 2026-01-31, and something was recorded on 2026-02-01 already" in what
    recorded.score(entry, "2026-03-01")
    assert "on 2026-03-01 already" in waiting(recorded, "2026-02-15")[0][2]


def cut(recorded: Recorded, entry: Entry) -> None:
    path = recorded.workspace.reviews(STUDY)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def change_card(recorded: Recorded, entry: Entry) -> None:
    path = recorded.workspace.root / entry.folder / "card" / "card.json"
    path.write_bytes(path.read_bytes() + b" ")


def lose_card(recorded: Recorded, entry: Entry) -> None:
    (recorded.workspace.root / entry.folder / "card" / "card.json").unlink()


def forget_version(recorded: Recorded, entry: Entry) -> None:
    path = recorded.workspace.models_index
    index = json.loads(path.read_bytes())
    index[STUDY] = {"versions": [], "aliases": {}}
    path.write_bytes(storage.canonical_json(index))


def lose_index(recorded: Recorded, entry: Entry) -> None:
    recorded.workspace.models_index.unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "line 2: is missing"),
        (change_card, "is not the registered card; restore it"),
        (lose_card, "no such file"),
        (forget_version, "the champion of the record is not among the registered models"),
        (lose_index, "the champion of the record is not among the registered models"),
    ],
)
def test_what_was_harmed_is_told_and_stops_the_scoring(
    recorded: Recorded, harm: Callable[[Recorded, Entry], None], words: str
) -> None:
    entry = use(recorded)
    harm(recorded, entry)
    ((_, who, what, stops),) = waiting(recorded, "2026-03-01")
    assert (who, stops) == (KEEPER, True)
    assert words in what


@pytest.mark.parametrize("content", [b"[]", b"{}", b"[" * 100_000, b'{"study": "a", "data": {"register": 3}}', b"\xff"])
def test_a_card_that_is_none_is_told(recorded: Recorded, content: bytes) -> None:
    """Registered so, by its digest: nothing of it is believed."""
    entry = use(recorded)
    path = recorded.workspace.models_index
    (recorded.workspace.root / entry.folder / "card" / "card.json").write_bytes(content)
    index = path.read_text().replace(entry.card_sha256, storage.sha256(content))
    path.write_text(index)
    found = models(recorded.workspace, day("2026-03-01")).found["actions"]
    assert any("is not a model card; restore it" in row["what"] for row in found)
