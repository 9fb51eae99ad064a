"""The card: same bytes, its own numbers, its gaps said."""

import json
from typing import Any

import jsonschema
import pytest

from riskmodels.assessment.estimate import Estimate
from riskmodels.cards.card import ModelCard, card_schema
from riskmodels.cards.checks import check_card
from riskmodels.cards.missing import missing
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.summary import page_one_text
from riskmodels.cards.words import at, spoken, word_count
from riskmodels.errors import CardError
from tests.cards import example_card as example

PLAIN: dict[str, Any] = {}
BOUNDS = {"performance": example.performance("single_best_column", unknown=290)}
MISSED = {"audit": example.audit(missed=True)}
NO_GAIN = {"performance": example.performance(gain=(0.001, -0.002, 0.004)), "baseline_column": "reading_now"}
CASES = {"plain": PLAIN, "bounds": BOUNDS, "missed": MISSED, "no gain": NO_GAIN}


@pytest.fixture(params=list(CASES))
def card(request: pytest.FixtureRequest) -> ModelCard:
    changes = dict(CASES[request.param])
    if request.param == "bounds":
        changes["model"] = {
            **example.arguments()["model"],
            "family": "single_best_column",
            "parameters": {"column": "reading_now"},
        }
    return example.card(**changes)


def block(card: ModelCard, name: str) -> str:
    return next(block.text for block in card.summary.blocks if block.id == name)


def test_same_bytes_twice_and_back(card: ModelCard) -> None:
    content = card.to_bytes()
    assert ModelCard.from_bytes(content) == card
    assert ModelCard.from_bytes(content).to_bytes() == content


def test_the_order_in_which_results_come_does_not_matter() -> None:
    given = example.arguments()
    assert example.card(**dict(reversed(list(given.items())))).to_bytes() == example.card().to_bytes()


def test_the_schema_accepts_the_card_and_refuses_another(card: ModelCard) -> None:
    schema = card_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plain = card.to_dict()
    validator.validate(plain)
    assert not validator.is_valid({**plain, "clock": "12:00"})
    assert not validator.is_valid({key: value for key, value in plain.items() if key != "audit"})


def test_contract_keys() -> None:
    keys = (
        "schema_version study title question edition_profile model digests summary ask purpose people_process data "
        "how_it_works performance audit explanation risks law monitoring questions annex figures not_computed"
    )
    plain = example.card().to_dict()
    assert set(keys.split()) <= set(plain)
    assert set(plain["data"]) >= {"register", "quality", "attrition", "outcome_status"}
    assert set(plain["annex"]) >= {"parameters", "splits", "checks", "suppressed", "tripod", "atrs"}
    assert plain["model"]["version"] == plain["model"]["sha256"][:12]
    assert {"family", "verdict", "attribute", "group", "metric"} <= set(plain["audit"]["contrasts"][0])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", example.card().to_bytes()[:500]])
def test_a_damaged_card_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(CardError, match=r"card\.json") as caught:
        ModelCard.from_bytes(content)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- page one


def test_page_one_is_short_and_easy(card: ModelCard) -> None:
    text = page_one_text(card.to_dict()["summary"])
    assert word_count(text) <= 350
    assert reading_grade(text) <= 7


def test_every_number_of_page_one_is_the_cards(card: ModelCard) -> None:
    plain = json.loads(card.to_bytes())
    assert plain["summary"]["numbers"]
    for number in plain["summary"]["numbers"]:
        assert spoken(at(plain, number["path"]), number["kind"]) == number["text"], number
    failed = {row["check"]: row["words"] for row in check_card(card) if not row["passed"]}
    assert "prose_agrees" not in failed, failed


def test_page_one_in_the_plain_case() -> None:
    card = example.card()
    assert card.summary.recommendation.code == "use_with_conditions"
    # 307 of 500 right, 20 unknown; precision .64 +- .043; recall .505
    assert "61 needed help, 35 did not need help, and for 4 we do not know" in block(card, "right")
    assert "64 needed help (could be 60 to 68)" in block(card, "right")
    assert "finds 51 and misses 49" in block(card, "missed")
    assert block(card, "simple").startswith(
        "Yes: its risks fit better, by more than chance. The list may be no better:"
    )
    assert "reads in the lowest quarter next spring" in block(card, "what")
    assert "made up" in block(card, "what")


def test_bounds_lead_and_no_single_figure_is_given_when_outcomes_are_unknown() -> None:
    card = example.card(**BOUNDS)
    # 134 of 500 known to be right, 290 unknown
    assert "between 27 and 85" in block(card, "right")
    assert "58 of the 100 have no known result" in block(card, "right")
    assert "64" not in block(card, "right")
    assert "between 31 and 65" in block(card, "missed")


def test_a_missed_group_is_named_in_natural_frequencies() -> None:
    card = example.card(**MISSED)
    assert card.summary.recommendation.code == "do_not_use"
    assert "gender: female" in card.summary.recommendation.headline
    rows = {row["group"]: row["metrics"]["recall"]["value"] for row in card.audit.rows}
    assert f"the list finds {spoken(rows['female'], 'per_100')}" in block(card, "worse")
    assert f"For male it finds {spoken(rows['male'], 'per_100')}" in block(card, "worse")


def test_a_simple_rule_names_its_column() -> None:
    card = example.card(**NO_GAIN)
    assert card.summary.recommendation.code == "simple_rule"
    assert "reading score this spring" in card.summary.recommendation.headline


def test_where_the_rule_to_beat_is_chance_a_rule_that_one_could_use_stands_beside_it() -> None:
    results = example.performance()
    results["comparison"]["baseline"] = "base_rate"
    said = block(example.card(performance=results), "simple")
    assert said.startswith("It beats the same risk for all, by more than chance. Against a rule that one could use")
    assert "with a simple sort by one column 60" in said
    assert "Yes" not in said
    assert block(example.card(), "simple").startswith("Yes")


def test_long_answers_are_cut_at_a_sentence_and_stand_whole_in_their_section() -> None:
    text = " ".join(f"Sentence number {i} says little." for i in range(2500))
    card = example.card(example.study(answers={"ask": {"owner": "Head", "text": text}}))
    assert word_count(page_one_text(card.to_dict()["summary"])) <= 350
    assert "(More in section 2.)" in block(card, "ask")
    assert card.ask.facts["what_we_ask_you_to_decide"].value == text


# ---------------------------------------------------------------- sections


def test_missing_answers_are_named_with_their_owner() -> None:
    card = example.card()
    assert card.law.facts["lawful_basis"].value is None
    assert card.law.facts["lawful_basis"].owner == "Information Officer"
    assert card.people_process.facts["who_decides"].value is None  # not in answers.yaml at all
    assert card.people_process.facts["who_decides"].owner == "Head of Schools"
    gaps = {gap.key: gap.owner for gap in missing(card.to_dict())}
    assert (gaps["law.lawful_basis"], gaps["questions.19"]) == ("Information Officer", "Head of Finance")


def test_twenty_questions_say_who_answered() -> None:
    questions = {question.number: question for question in example.card().questions}
    assert list(questions) == list(range(1, 21))
    for number in (4, 5, 6, 10, 13, 18):
        assert questions[number].source == "run"
        assert questions[number].answer
    assert questions[1].source == "answers"
    assert (questions[19].answer, questions[19].source, questions[19].owner) == (None, "none", "Head of Finance")
    assert "30 June 1988" in str(questions[18].answer)
    assert "age" in str(questions[10].answer)  # the feature that drives nothing


def test_both_voices_are_heard_where_both_answer() -> None:
    answers = {"questions": {13: {"owner": "Reading Manager", "text": "Staff are trained to say so."}}}
    question = example.card(example.study(answers=answers)).questions[12]
    assert question.source == "run and answers"
    assert str(question.answer).endswith("Staff are trained to say so.")


def test_what_the_run_knows_is_added_to_what_people_say_and_alone_is_no_answer() -> None:
    asked = (2, 3, 7, 12, 19, 20)
    alone = {question.number: question for question in example.card().questions}
    assert [alone[number].answer for number in asked] == [None] * 6
    said = {number: {"owner": "Head of Schools", "text": "We say so."} for number in asked}
    purpose = {**example.ANSWERS["purpose"], "cost": {"owner": "Head of Finance", "text": None}}
    card = example.card(example.study(answers={"questions": said, "purpose": purpose}))
    answers = {question.number: str(question.answer) for question in card.questions}
    assert answers[2] == "Named pupils. We say so."
    assert answers[3] == "We say so. There is room for 500 on each list."
    assert answers[7] == "It is a need that is measured. We say so."
    # 624 of 3,104, as published.
    assert answers[12] == "We say so. In the test, the result is not known for 20 of 100 pupils."
    assert answers[19] == "We say so. What it cost is not provided (owner: Head of Finance)."
    assert answers[20] == "We say so. The first agreement on data ends on 31 August 1990."
    assert {card.questions[number - 1].source for number in asked} == {"run and answers"}


def test_a_list_by_one_field_gives_one_reason_that_a_worker_can_explain() -> None:
    drivers = example.arguments()["explanation"]["drivers"]
    one = {**example.arguments()["explanation"], "drivers": drivers[:1]}
    model = {**example.arguments()["model"], "family": "single_best_column"}
    card = example.card(explanation=one, model=model, performance=example.performance("single_best_column"))
    assert "comes with one reason in plain words" in card.explanation.words[0]
    assert "so a worker can explain it" in str(card.questions[12].answer)
    complex_one = example.card()
    assert "up to two reasons" in complex_one.explanation.words[0]
    assert "not the sums behind them" in str(complex_one.questions[12].answer)


def test_a_relative_clock_forbids_the_words_tested_on_the_future() -> None:
    card = example.card(example.study({"clock": "relative"}))
    assert "nothing was tested on the future" in str(card.questions[17].answer)
    assert "It learned from earlier dates only" not in " ".join(card.how_it_works.words)


def test_places_are_those_of_one_list() -> None:
    card = example.card(example.study({"capacity": {"share": 0.05}}))
    # 3,104 on roll, of whom 5 of 100 is 155.
    assert card.performance.at_capacity["places"] == 155


def test_results_may_come_as_objects_with_estimates() -> None:
    class Result:
        def __init__(self, values: dict[str, Any]) -> None:
            self.values = values

        def to_dict(self) -> dict[str, Any]:
            return self.values

    raw = example.performance()
    raw["overall"]["auc"] = Estimate(0.88, 0.866, 0.894, 2480)
    assert example.card(performance=Result(raw), audit=example.exact_audit()).to_bytes() == example.card().to_bytes()


def test_what_has_no_value_says_why() -> None:
    raw = example.performance()
    raw["overall"]["calibration_slope"] = {"value": None, "reason": "separated"}
    raw["not_computed"] = {"calibration_slope": "separated"}
    raw["calibration_curve"] = {"spline": [], "bins": []}
    card = example.card(performance=raw)
    row = next(row for row in card.performance.tables["measures"].rows if row[0] == "Calibration slope")
    assert row[1] == "separated"
    assert card.not_computed["calibration_slope"] == "separated"
    assert "figures.calibration" in card.not_computed
    assert "calibration" not in {figure.id for figure in card.figures}


def test_a_table_must_be_rectangular() -> None:
    plain = example.card().to_dict()
    plain["annex"]["checks"]["rows"][0].append("one too many")
    with pytest.raises(CardError, match="row that is not"):
        ModelCard.from_bytes(json.dumps(plain).encode())


def test_figures_are_whole() -> None:
    figures = {figure.id: figure for figure in example.card().figures}
    assert set(figures) == {
        "people_per_100",
        "missed_per_100",
        "attrition",
        "unknown_by_fifth",
        "calibration",
        "net_benefit",
        "group_ratios",
        "groups",
        "drivers",
    }
    for figure in figures.values():
        assert figure.alt.endswith(".")
        assert figure.table.rows
        assert figure.unit
        assert figure.n
        assert figure.reading
        assert figure.reading.endswith(".")
        assert figure.narrow
    assert sum(int(row[1] or 0) for row in figures["people_per_100"].table.rows) == 100
    found, missed = (row[1] for row in figures["missed_per_100"].table.rows)
    assert found + missed == 100  # type: ignore[operator]
    assert figures["missed_per_100"].title.endswith(f"the list finds {found}")
    assert "Asian" in str(figures["groups"].table.note)
    assert len(figures["calibration"].curve.rows if figures["calibration"].curve else ()) <= 22


@pytest.mark.parametrize(
    ("by_rule", "said"),
    [(0.4, "The list is better too:"), (0.9, "The list is worse:"), (0.6, "The list may be no better:")],
)
def test_page_one_does_not_say_of_the_list_what_is_only_known_of_its_risks(by_rule: float, said: str) -> None:
    given = example.performance()
    rule = next(row for row in given["families"] if row["model"] == "single_best_column")
    rule["precision_at_k"] = example.estimate(by_rule, 0.04, 480)
    assert f"by more than chance. {said} of 100 on it, 63 " in block(example.card(performance=given), "simple")
