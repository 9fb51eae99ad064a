"""Twelve situations with a known right answer: what the card says first, and what makes it say so.

The quick ones run with the fast tests. Each situation is run once per seed in a session, whatever asks for it.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.cards.checks import check_card
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.summary import page_one_text
from riskmodels.cards.words import of_100, word_count
from riskmodels.data.leakage import DETECTORS
from riskmodels.errors import GateError
from riskmodels.governance import gate, review
from riskmodels.governance.acts import parse_decision
from riskmodels.governance.rules import Case
from tests.situations.county import County
from tests.situations.page import SEEDS, page, right_at, row
from tests.situations.twelve import ENOUGH, PLAN_MEETINGS, SITUATIONS, STOPPED, Answer, answer, run_and_read

TODAY = dt.date(2026, 11, 23)
READ = {"reason": "Read, and too few to judge.", "expires": "2027-05-20"}
DECISION: dict[str, Any] = {
    "kind": "decision",
    "advice": "proceed",
    "quorum": {"members": 9, "lay": 4, "specialist": 3},
    "meeting": {"date": "2026-11-20", "minute": "DEC-2026-11-04"},
    "owner_role": "director of children's services",
    "owner_decision": "approve",
    "expires": "2027-05-20",
    "answers": {"sex": READ, "ethnicity": READ},
    "trained_by_role": "data scientist",
    "approved_by_role": "director of children's services",
    "example": True,
}
PAGE = Path(__file__).parents[2] / "docs" / "right-answers.md"
ALL = [pytest.param(name, marks=() if situation.quick else pytest.mark.slow) for name, situation in SITUATIONS.items()]
WITH_A_CARD = [param for param in ALL if param.values[0] != "leak"]


def performance_of(found: Answer) -> dict[str, Any]:
    return found.whole_card().to_dict()["performance"]


def by_ethnic_group(name: str, metric: str) -> dict[str, float | None]:
    rows = answer(name).whole_card().to_dict()["audit"]["rows"]
    return {one["group"]: one["metrics"][metric]["value"] for one in rows if one["attribute"] == "ethnicity"}


# ---------------------------------------------------------------- what it says first


@pytest.mark.parametrize("name", ALL)
def test_the_first_line_is_right(name: str) -> None:
    found = answer(name)
    assert found.is_right(SITUATIONS[name]), (found.code, found.first_line)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_at_least_eleven_of_twelve_are_right(seed: int) -> None:
    for name, situation in SITUATIONS.items():
        found = answer(name, seed)
        print(f"{found.is_right(situation)!s:5} {situation.title}: {found.code}: {found.first_line}")
    assert right_at(seed) >= ENOUGH


@pytest.mark.parametrize("name", WITH_A_CARD)
def test_page_one_is_short_plain_and_agrees_with_the_card(name: str) -> None:
    card = answer(name).whole_card()
    text = page_one_text(card.to_dict()["summary"])
    assert word_count(text) <= 350
    assert reading_grade(text) <= 7
    assert reading_grade(card.summary.recommendation.headline) <= 7
    # What nobody has answered is no fault of the run.
    assert {found["check"] for found in check_card(card) if not found["passed"]} <= {"complete", "tripod"}


# ---------------------------------------------------------------- that each situation is what it says, and page one


@pytest.mark.slow
def test_the_gain_is_there_on_every_test_date() -> None:
    comparison = performance_of(answer("real_gain"))["comparison"]
    assert comparison["difference"]["low"] > 0
    assert comparison["auc_difference"]["low"] > 0


def test_there_are_about_forty_events() -> None:
    found = answer("few_events")
    assert 30 <= (found.events or 0) <= 50
    assert SITUATIONS["few_events"].county.people == 8000
    assert "fewer than 100 cases to learn from" in found.whole_card().summary.recommendation.reasons[0]


@pytest.mark.slow
def test_the_outcome_is_recorded_more_for_one_group() -> None:
    base = by_ethnic_group("contact", "base_rate")
    assert base["Asian"] > 1.3 * base["White British"]  # need is the same in both
    assert answer("contact").whole_card().audit.provisional


@pytest.mark.slow
def test_outcomes_are_unknown_most_often_where_risk_is_high_and_bounds_lead() -> None:
    found = answer("unknown_outcomes")
    shown = performance_of(found)
    fifths = {one["fifth"]: one["share"] for one in shown["unknown_by_fifth"]}
    assert fifths[5] > 1.5 * fifths[1]
    low, high = (of_100(end) for end in shown["at_capacity"]["precision_bounds"])
    assert f"between {low} and {high} needed help" in found.block("right")
    assert "known" not in found.block("right").replace("no known result", "")


@pytest.mark.slow
def test_no_single_precision_figure_stands_on_page_one_where_bounds_lead() -> None:
    found = answer("unknown_outcomes")
    shown = performance_of(found)
    single = of_100(shown["at_capacity"]["precision"]["value"])
    assert f" {single} " not in found.block("right") + found.block("simple")
    assert "of 100" not in found.block("simple")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "answered", "refused"),
    [
        ("pilot", False, "a concern that nobody has answered (Tested after the last known break)"),
        ("live", False, "a concern that nobody has answered (Tested after the last known break)"),
        ("pilot", True, None),
        ("live", True, "never tested on the present"),
    ],
)
def test_what_was_never_tested_on_the_present_gets_no_live_approval(
    tmp_path: Path, stage: str, answered: bool, refused: str | None
) -> None:
    found = answer("break")
    card = found.whole_card().to_dict()
    if answered:
        check = next(line for line in card["annex"]["checks"]["rows"] if line[0] == DETECTORS["break_spanned"].words)
        check[3] = "The law will be watched."
    content, model = storage.canonical_json(card), found.model or {}
    digests = {"model_sha256": storage.sha256(model["manifest.json"]), "card_sha256": storage.sha256(content)}
    decision = parse_decision({**DECISION, "stage": stage})
    digests |= {f"{name}_sha256": card["digests"][name] for name in ("data", "policy")}
    record = tmp_path / f"{card['study']}.jsonl"
    review.record(record, decision, **digests, today=TODAY, card=content)
    case = Case(model, content, record, digests | {"version": 1}, TODAY, failing_checks=lambda stage: ())
    opened = partial(gate.open_for_promotion, case)
    if refused is None:
        assert opened().stage == stage
    else:
        with pytest.raises(GateError, match=re.escape(refused)):
            opened()


@pytest.mark.slow
def test_calibration_leaves_its_floors_and_the_trend_is_shown() -> None:
    dates = performance_of(answer("decay"))["per_date"]
    first, last = (dates[end]["oe_ratio"]["value"] for end in (0, -1))
    assert 0.8 <= first <= 1.25 < last
    reasons = " ".join(answer("decay").whole_card().summary.recommendation.reasons)
    assert f"{100 * first:.0f} came about on 1 April 2024 and {100 * last:.0f} on 1 October 2025" in reasons


@pytest.mark.slow
def test_a_missed_group_is_named_in_natural_frequencies() -> None:
    found = answer("missed_group")
    theirs, others = (by_ethnic_group("missed_group", "recall")[group] for group in ("Asian", "White British"))
    assert 0.5 < theirs / others < 0.7
    assert found.whole_card().audit.verdict == "FAIL"
    said = f"Ethnic group, Asian: of 100 children who needed help, the list finds {of_100(theirs)}."
    assert f"{said} For White British it finds {of_100(others)}." in found.block("worse")


def test_no_way_of_ranking_noise_is_called_better() -> None:
    assert performance_of(answer("noise"))["comparison"]["chosen"] == "base_rate"
    assert answer("noise").block("simple").startswith("No.")


@pytest.mark.slow
def test_a_leak_that_was_overruled_is_on_the_first_line() -> None:
    """Whoever accepts the leak with a reason gets a card, and the card says so first."""
    assert answer("leak").code == STOPPED
    accepted = {"too_good": "They are held to be early.", "post_outcome_proxy": "The same.", "lead_time": "The same."}
    leaky = SITUATIONS["leak"].county
    found = run_and_read(County(leaky.people, leaky.knobs, {**PLAN_MEETINGS, "accepted": accepted}), seed=1)
    assert "A check that stops a run was overruled: take no figure on trust." in found.first_line
    assert performance_of(found)["overall"]["auc"]["value"] > 0.9


# ---------------------------------------------------------------- the page in docs


def test_the_page_has_the_quick_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for number, (name, situation) in enumerate(SITUATIONS.items(), 1):
        assert situation.title in text
        if situation.quick:
            assert row(number, name) in text


@pytest.mark.slow
def test_the_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
