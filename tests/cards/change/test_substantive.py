"""Each change of substance planted, and prose that is none."""

from __future__ import annotations

import pytest

from riskmodels.cards.change import compare_cards
from riskmodels.cards.change.compare import ANEW, NONE_OF_SUBSTANCE
from riskmodels.cards.change.substantive import NOT_OF_STUDY_YAML, SUBSTANTIVE, UNEXPLAINED, UNEXPLAINED_BUT_DATES
from tests.cards.change.pairs import all_of, change, changed, original, put


def cell(path, first, column, value):
    """Plants a cell of a table: the row that begins so, in the column of that name."""

    def plant(card):
        place = card
        for part in path.split("."):
            place = place[part]
        row = next(row for row in place["rows"] if row[0] == first)
        row[place["columns"].index(column)] = value

    return plant


def drop_row(path, first):
    def plant(card):
        place = card
        for part in path.split("."):
            place = place[part]
        place["rows"] = [row for row in place["rows"] if row[0] != first]

    return plant


def rename_step(card):
    for row in card["data"]["attrition"]["rows"]:
        row[1] = row[1].replace("this school year", "this spring")


def drop_gender(card):
    for key in ("rows", "contrasts"):
        card["audit"][key] = [row for row in card["audit"][key] if row["attribute"] != "gender"]


def other_reference(card):
    for row in card["audit"]["contrasts"]:
        if row["attribute"] == "gender" and row["against"] == "reference":
            row["reference"], row["reference_label"] = "female", "female"


def other_model(card):
    card["model"].update(sha256="cd" * 32, version="cd" * 6)


FEATURES, REGISTER = "how_it_works.features", "data.register"
PLANTED = {
    "organisation": (put("organisation.name", "Southby Council"), "Northby Council (fictional)", "Southby Council"),
    "purpose": (put("audit.purpose", "punitive"), "assistive", "punitive"),
    "use: intended": (
        put("purpose.facts.intended_use.value", "To choose whom to visit."),
        "To choose whom to offer help.", "To choose whom to visit.",
    ),
    "use: never": (
        put("purpose.facts.never_used_for.value", None), "It is never used to judge a school.", "nothing",
    ),
    "use: pilot to live": (
        put("ask.facts.what_we_ask_you_to_decide.value", "May we use this list from now on?"),
        "What we ask you to decide: from “", "May we use this list from now on?",
    ),
    "deciding: who": (
        put("people_process.facts.who_decides.value", "The computer decides alone."), "Who decides: from",
        "The computer decides alone.",
    ),
    "deciding: a person's check": (
        put("people_process.facts.human_check.value", "No one looks."), "How a person checks: from", "No one looks.",
    ),
    "deciding: the computer alone": (
        put("law.facts.automated_decisions.value", "All decisions are automatic."),
        "What the computer decides alone: from", "All decisions are automatic.",
    ),
    "outcome": (put("how_it_works.facts.looks_ahead.value", "23 months"), "11 months", "23 months"),
    "cohort": (rename_step, "On roll this school year", "On roll this spring"),
    "capacity": (put("how_it_works.facts.places.value", "600 on each list"), "500 on each list", "600 on each list"),
    "features: dropped": (drop_row(FEATURES, "age"), "A field was dropped", "age"),
    "features: redefined": (cell(FEATURES, "reading score this spring", "Looks back", "ever"), "12 months", "ever"),
    "sources: dropped": (drop_row(REGISTER, "equality"), "A data source was dropped", "equality"),
    "sources: other use": (
        cell(REGISTER, "records", "Permitted purposes", "fraud"), "help with reading", "fraud",
    ),
    "family": (put("model.family", "logistic"), "gradient boosted trees", "logistic regression"),
    "family: calibration": (put("model.recipe.calibrate", "later"), "grouped", "later"),
    "disclosure": (put("edition_profile.disclosure", "places"), "sro-10", "places"),
    "policy": (put("digests.policy", "5" * 64), "(444444444444)", "(555555555555)"),
    "policy: named": (
        all_of(put("digests.policy", "5" * 64), put("audit.policy_name", "stricter 1")), "from “", "stricter 1",
    ),
    "protected": (drop_gender, "no longer looks at", "gender"),
    "protected: reference": (other_reference, "male", "female"),
    "fitted: the same data": (other_model, "fitted again, on the same data. Its version: from “", "to “cdcdcdcdcdcd”"),
    "fitted: other data": (
        all_of(other_model, put("digests.data", "7" * 64)),
        "fitted again, on data that are not those of last time", "to “cdcdcdcdcdcd”",
    ),
    "fitted: tested on other data": (
        put("digests.data", "7" * 64), "The model is the same", "tested on data that are not those of last time",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_said_from_what_to_what(name: str) -> None:
    plant, before, after = PLANTED[name]
    found = change(plant)
    assert found.resets_approval
    (sentence,) = found.substantive
    assert before in sentence
    assert after in sentence
    assert found.words[-1] == ANEW


def test_every_row_of_the_table_has_its_fault() -> None:
    assert set(SUBSTANTIVE) == {name.partition(":")[0] for name in PLANTED}


def test_a_new_field_and_a_new_source() -> None:
    def plant(card):
        card["how_it_works"]["features"]["rows"].append(["shoe size", *card["how_it_works"]["features"]["rows"][0][1:]])
        card["data"]["register"]["rows"].append(["shoes", *card["data"]["register"]["rows"][0][1:]])

    assert change(plant).substantive == ("A field is new: “shoe size”.", "A data source is new: “shoes”.")


def test_fields_that_the_scores_no_longer_use() -> None:
    def plant(card):
        rows = card["how_it_works"]["features"]["rows"]
        next(row for row in rows if row[0] == "years in these schools")[1] = False

    assert change(plant).substantive == ("The scores no longer use: years in these schools.",)


@pytest.mark.parametrize(
    "plant",
    [
        put("risks.facts.harms_if_missed.value", "Help may come late."),
        put("ask.facts.what_this_cannot_see.value", "It sees little."),
        put("digests.answers", "9" * 64),
        cell(REGISTER, "records", "Owner", "Somebody else"),
        cell(FEATURES, "age", "Seen by", "the analyst"),
    ],
)
def test_prose_is_no_change_of_substance(plant) -> None:
    found = change(plant)
    assert found.substantive == ()
    assert not found.resets_approval
    assert found.words[-1] == NONE_OF_SUBSTANCE


def test_a_study_that_changed_out_of_sight_counts() -> None:
    assert change(put("digests.study", "8" * 64)).substantive == (UNEXPLAINED,)
    both = change(all_of(put("digests.study", "8" * 64), PLANTED["capacity"][0]))
    assert UNEXPLAINED not in both.substantive


@pytest.mark.parametrize("name", [name for name in PLANTED if name.partition(":")[0] in NOT_OF_STUDY_YAML])
def test_what_study_yaml_does_not_say_explains_no_change_of_it(name: str) -> None:
    """A family is chosen by the data, and what people answer stands in another file."""
    assert change(all_of(put("digests.study", "8" * 64), PLANTED[name][0])).substantive[-1] == UNEXPLAINED


def test_new_test_dates_do_not_explain_a_changed_study() -> None:
    dates = put("performance.per_date.0.as_of_date", "1989-06-30")
    found = change(all_of(put("digests.study", "8" * 64), dates))
    assert found.substantive == (UNEXPLAINED_BUT_DATES,)
    assert found.resets_approval
    anew = change(all_of(put("digests.study", "8" * 64), dates, other_model, put("digests.data", "7" * 64)))
    assert anew.substantive[0].startswith("It was fitted again, on data that are not those of last time")
    assert anew.substantive[1:] == (UNEXPLAINED_BUT_DATES,)
    assert change(dates).substantive == ()


def test_a_long_text_is_cut_in_the_sentence_and_whole_in_the_table() -> None:
    long = " ".join(["Families are asked first."] * 40)
    found = change(put("purpose.facts.intended_use.value", long))
    assert len(found.substantive[0].split()) < 60
    assert any(long in row for row in found.tables["answers"].rows)
    assert original()["purpose"]["facts"]["intended_use"]["value"] in found.substantive[0]


def test_two_long_texts_that_begin_alike_are_not_said_to_go_from_one_to_the_same() -> None:
    path, start = "ask.facts.what_we_ask_you_to_decide.value", "We ask this with care. " * 8
    old, new = (changed(put(path, start + end)) for end in ("May it be a pilot?", "May it go live?"))
    (sentence,) = compare_cards(old, new).substantive
    assert sentence.startswith("What we ask you to decide: it begins as last time, “We ask this")
    assert sentence.endswith("and differs further on.")
