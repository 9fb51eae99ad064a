"""How long everything is kept, and what is due."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from riskmodels.errors import StudyError
from riskmodels.governance.acts import Purge, PurgedFile
from riskmodels.governance.chain import Digests, Record, read_chain, writing
from riskmodels.governance.retention import (
    ARTEFACTS,
    Item,
    Judged,
    Periods,
    Policy,
    judge,
    parse_policy,
    said_of_deleted,
    unfinished,
)
from riskmodels.study import Period

MADE = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
RUN = "runs/reading_help/first"
DECIDED = {"decided_by": "information governance officer", "decided_on": "2026-11-20"}


def item(artefact: str = "batches", since: dt.date | None = MADE, why: str | None = None) -> Item:
    return Item(artefact, "reading_help", f"{RUN}/a", since, (f"{RUN}/a",), 7, run=RUN, left_because=why)


def judged(one: Item, today: dt.date, policy: Policy | None = None, champions: dict[str, str] | None = None) -> Judged:
    (found,) = judge([one], policy or Policy(), today, champions or {})
    return found


# ---------------------------------------------------------------- the policy


def test_every_artefact_can_be_given_a_period() -> None:
    assert set(Periods.model_fields) == set(ARTEFACTS)


def test_a_study_s_own_period_comes_first_then_everybody_s_then_the_default() -> None:
    policy = parse_policy(
        {
            **DECIDED,
            "periods": {"batches": "18 months", "cache": "1 week"},
            "studies": {"reading_help": {"batches": "6 months"}},
        },
        "retention.yaml",
    )
    assert policy.period("reading_help", "batches") == (Period(6, "month"), "retention.yaml, studies.reading_help")
    assert policy.period("another", "batches") == (Period(18, "month"), "retention.yaml")
    assert policy.period("reading_help", "cache") == (Period(1, "week"), "retention.yaml")
    assert policy.period("reading_help", "drafts") == (ARTEFACTS["drafts"].default, "default")


WRONG = {
    "no period": ({"periods": {"batches": "soon"}}, "periods.batches: a period reads like '90 days'"),
    "negative": ({"periods": {"batches": "-3 months"}}, "periods.batches: a period reads like '90 days'"),
    "a number alone": ({"periods": {"batches": 24}}, "periods.batches: a period reads like '90 days'"),
    "nought": ({"periods": {"batches": "0 days"}}, "periods.batches: what is kept for '0 days' is gone before"),
    "for ever": ({"periods": {"batches": "ever"}}, "periods.batches: 'ever' is no retention"),
    "unknown artefact": ({"periods": {"batch": "9 days"}}, "periods.batch: unknown key; did you mean 'batches'?"),
    "unknown key": ({"period": {}}, "period: unknown key; did you mean 'periods'?"),
    "of a study": ({"studies": {"a": {"cash": "9 days"}}}, "studies.a.cash: unknown key; did you mean 'cache'?"),
    "no study": ({"studies": {"../a": {}}}, "studies.../a: a name has lower-case letters"),
    "a person": ({"decided_by": "jo@council.example"}, "decided_by: names a role, never a person's contact details"),
    "nobody decided": ({"decided_on": "2026-11-20"}, "decided_by: is missing; say the role that decided it"),
    "on no day": ({"decided_by": "officer"}, "decided_on: is missing; say the day"),
    "a list": ([], "must hold keys and values"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_policy_is_refused_in_one_line(case: str) -> None:
    raw, said = WRONG[case]
    with pytest.raises(StudyError) as refused:
        parse_policy(raw, "work/retention.yaml")
    assert str(refused.value).startswith(f"work/retention.yaml: {said}")
    assert "or 'ever'" not in str(refused.value), "it would be refused"
    assert "\n" not in str(refused.value)


# ---------------------------------------------------------------- what is due


@pytest.mark.parametrize(
    ("period", "goes"),
    [
        ("1 day", dt.date(2026, 2, 1)),
        ("2 weeks", dt.date(2026, 2, 14)),
        ("2  Weeks", dt.date(2026, 2, 14)),
        ("1 month", dt.date(2026, 2, 28)),  # February has no 31st
        ("25 months", dt.date(2028, 2, 29)),
        ("3 years", dt.date(2029, 1, 31)),
    ],
)
def test_it_goes_on_the_day_its_period_ends_and_not_before(period: str, goes: dt.date) -> None:
    policy = parse_policy({**DECIDED, "periods": {"batches": period}}, "")
    assert [judged(item(), day, policy).state for day in (MADE, goes - DAY, goes, goes + DAY)] == [
        "not yet", "not yet", "due", "due",
    ]  # fmt: skip
    assert judged(item(), MADE, policy).due == goes


def test_what_we_must_not_touch_is_kept_and_says_why() -> None:
    found = judged(item(why="is a link"), dt.date(2099, 1, 1))
    assert (found.state, found.why) == ("kept", "is a link")
    assert judged(item(), dt.date(2099, 1, 1)).state == "due"
    # While its time is not over, nobody needs to be told.
    assert judged(item(why="is a link"), MADE).why is None


def test_of_what_age_nobody_can_tell_is_kept_and_told_every_day() -> None:
    found = judged(item(since=None, why="cannot be read"), MADE)
    assert (found.state, found.why, found.due) == ("kept", "cannot be read", None)


def test_the_champion_keeps_the_test_that_its_lists_quote_and_nothing_else() -> None:
    late, champions = dt.date(2099, 1, 1), {RUN: "reading_help/2"}
    found = judged(item("predictions"), late, champions=champions)
    assert found.state == "kept"
    assert "reading_help/2 is the champion" in str(found.why)
    assert judged(item("exact_counts"), late, champions=champions).state == "due"
    assert judged(item("predictions"), late, champions={"runs/reading_help/second": "reading_help/3"}).state == "due"


# ---------------------------------------------------------------- a purge that was stopped


def chain_of(tmp_path: Path, *due: dt.date) -> list[Record]:
    path = tmp_path / "reading_help.jsonl"
    for day in due:
        said = Purge(
            artefact="batches", kept_for="24 months", due=day, by_role="officer",
            files=(PurgedFile(path=f"{RUN}/a", sha256="a" * 64, bytes=7),),
        )  # fmt: skip
        with writing(path, day) as pen:
            pen.append(said, Digests())
    return read_chain(path)


def test_files_on_record_that_are_still_there_are_found(tmp_path: Path) -> None:
    due = dt.date(2028, 1, 31)
    chain = chain_of(tmp_path, due)
    assert [file.path for file in unfinished(chain, [item()])] == [f"{RUN}/a"]
    # Half of it is gone, and what is left is not known for what it was.
    assert [file.path for file in unfinished(chain, [])] == [f"{RUN}/a"]
    assert unfinished([], [item()]) == []


def test_a_file_that_was_made_again_is_not_one_of_them(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, dt.date(2028, 1, 31))
    assert unfinished(chain, [item(since=dt.date(2028, 2, 1))]) == []


def test_the_last_time_counts(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, dt.date(2028, 1, 31), dt.date(2030, 1, 31))
    assert unfinished(chain, [item(since=MADE)]) == []
    assert len(unfinished(chain, [item(since=dt.date(2028, 1, 31))])) == 1


def test_a_longer_period_since_then_does_not_bring_it_back(tmp_path: Path) -> None:
    """What is on record as deleted goes, by the period of then."""
    chain = chain_of(tmp_path, dt.date(2028, 1, 31))
    policy = parse_policy({**DECIDED, "periods": {"batches": "9 years"}}, "")
    assert judged(item(), dt.date(2028, 2, 1), policy).state == "not yet"
    assert len(unfinished(chain, [item()])) == 1


def test_what_was_deleted_is_said(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, dt.date(2028, 1, 31), dt.date(2030, 1, 31))
    assert said_of_deleted(chain, f"{RUN}/a") == "was deleted on 2030-01-31, after 24 months (record 2)"
    assert said_of_deleted(chain, f"{RUN}/b") is None
