"""What the register forbids is refused, each thing planted and absent; what it lacks is listed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import pytest

from riskmodels.data.register import refuse_unpermitted, register_gaps
from riskmodels.errors import DataError
from riskmodels.study import Answers, Register, Study, load_study
from tests.data.small_study import study_file

TODAY = dt.date(2026, 3, 1)
BOTH = ("model", "audit")
WHOLE: dict[str, Any] = {
    "words": "visits", "owner": "Head of Visits", "collected_for": "visiting", "how": "typed in", "about": "person",
    "spatial_level": "ward", "lawful_basis": "public task", "agreement": "agreement 4",
    "agreement_expires": dt.date(2027, 1, 1), "dpia": {"reference": "DPIA 7", "date": dt.date(2025, 5, 1)},
    "permitted_purposes": ["Planning  visits", "fair lists"], "asked": "a panel of residents, in May",
    "people_were_told": "a letter", "seen_by": ["visitors"], "retention": "six years",
    "extracted_on": dt.date(2026, 1, 1), "columns": {"id": "a number"},
}  # fmt: skip


def study_of(
    entry: dict[str, Any] | None = None, law: str = "sex", audit_purpose: str | None = "fair lists", **sources: Any
) -> Study:
    """A study with ``records`` for the model and ``equality`` for the audit; ``entry`` changes that of records."""
    file = study_file(
        sources={
            "records": {"file": "r.csv", "entity": "id", "event_date": "on", "kind": "kind"},
            "equality": {"file": "e.csv", "entity": "id", "use": "audit"},
        },
        protected={"one": {"column": "equality.one", "law": law}},
    )
    entries = {"records": {**WHOLE, **(entry or {})}, "equality": {**WHOLE, **sources.get("equality", {})}}
    register = {"purpose": "planning visits", "audit_purpose": audit_purpose, "sources": entries}
    return Study(Path("small"), file, Register.model_validate(register), cast("Answers", None), ())


def refusal(study: Study, uses: tuple[str, ...] = BOTH, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        refuse_unpermitted(study, uses, TODAY, **how)
    assert "\n" not in str(caught.value)
    assert "register.yaml: sources." in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("scoring", [False, True])
def test_a_whole_register_is_let_through_and_has_no_gaps(scoring: bool) -> None:
    refuse_unpermitted(study_of(), BOTH, TODAY, scoring=scoring)
    assert register_gaps(study_of(), TODAY) == ()


# ---------------------------------------------------------------- refused


def test_a_purpose_that_is_not_permitted() -> None:
    said = refusal(study_of({"permitted_purposes": ["research"]}))
    assert "sources.records.permitted_purposes" in said
    assert "'planning visits'" in said
    assert "Head of Visits" in said


def test_purposes_are_compared_without_case_and_blanks() -> None:
    refuse_unpermitted(study_of({"permitted_purposes": ["  PLANNING visits "]}), BOTH, TODAY)
    assert "permitted_purposes" in refusal(study_of({"permitted_purposes": ["planning visits abroad"]}))


def test_an_audit_source_answers_to_the_purpose_of_the_audit() -> None:
    lists_only = {"equality": {"permitted_purposes": ["planning visits"]}}
    assert "sources.equality.permitted_purposes" in refusal(study_of(**lists_only))
    refuse_unpermitted(study_of(audit_purpose=None, **lists_only), BOTH, TODAY)
    refuse_unpermitted(study_of(**lists_only), ("model",), TODAY, scoring=True)  # not read, so not asked


def test_purposes_that_are_not_stated_stop_a_list_but_not_a_run() -> None:
    silent = study_of({"permitted_purposes": []})
    refuse_unpermitted(silent, BOTH, TODAY)
    assert "sources.records.permitted_purposes: is not stated" in refusal(silent, scoring=True)
    assert [row["key"] for row in register_gaps(silent, TODAY)] == ["permitted_purposes"]


@pytest.mark.parametrize("scoring", [False, True])
def test_an_agreement_that_is_over(scoring: bool) -> None:
    said = refusal(study_of({"agreement_expires": TODAY - dt.timedelta(1)}), scoring=scoring)
    assert "sources.records.agreement_expires: the agreement ended on 2026-02-28" in said
    refuse_unpermitted(study_of({"agreement_expires": TODAY}), BOTH, TODAY, scoring=scoring)
    refuse_unpermitted(study_of({"agreement_expires": None}), BOTH, TODAY, scoring=scoring)


def test_special_categories_need_a_condition() -> None:
    said = refusal(study_of({"special_category": ["health"]}))
    assert "sources.records.special_category_condition: is missing, and the source holds health" in said
    for nothing in ("  ", "CHECK", "n/a", "None."):
        with pytest.raises(ValueError, match="says nothing; write it out"):
            study_of({"special_category": ["health"], "special_category_condition": nothing})
    met = {"special_category": ["health"], "special_category_condition": "Article 9(2)(h)"}
    refuse_unpermitted(study_of(met), BOTH, TODAY)


@pytest.mark.parametrize(
    ("law", "special"),
    [
        ("race", True), ("religion or belief", True), ("disability", True), ("sexual orientation", True),
        ("gender reassignment", True), ("pregnancy and maternity", True), ("sex", False), ("age", False),
        ("none", False),
    ],
)  # fmt: skip
def test_a_protected_column_may_be_special_by_law(law: str, special: bool) -> None:
    silent = study_of(law=law)
    if not special:
        refuse_unpermitted(silent, BOTH, TODAY)
        return
    assert "sources.equality.special_category_condition" in refusal(silent)
    refuse_unpermitted(silent, ("model",), TODAY, scoring=True)  # the list never sees it
    said = study_of(law=law, equality={"special_category_condition": "Article 9(2)(g)"})
    refuse_unpermitted(said, BOTH, TODAY)
    assert [row["key"] for row in register_gaps(said, TODAY)] == ["special_category", "schedule_1_condition"]


def test_what_describes_a_place_is_special_only_if_it_says_so() -> None:
    refuse_unpermitted(study_of(law="race", equality={"about": "place"}), BOTH, TODAY)
    said = {"about": "place", "special_category": ["racial or ethnic origin"]}
    assert "special_category_condition" in refusal(study_of(law="race", equality=said))


def test_criminal_offences_need_a_condition_of_schedule_1() -> None:
    offences = {"criminal_offence": True, "special_category_condition": "Article 9(2)(g)"}
    assert "sources.records.schedule_1_condition" in refusal(study_of(offences))
    refuse_unpermitted(study_of({**offences, "schedule_1_condition": "paragraph 18"}), BOTH, TODAY)


# ---------------------------------------------------------------- gaps


@pytest.mark.parametrize(
    ("key", "nothing"),
    [
        ("agreement", None), ("people_were_told", " "), ("asked", None), ("spatial_level", None), ("seen_by", []),
        ("dpia", None),
    ],
)  # fmt: skip
def test_what_is_not_said_is_a_gap(key: str, nothing: object) -> None:
    rows = register_gaps(study_of({key: nothing}), TODAY)
    assert [(row["source"], row["key"]) for row in rows] == [("records", key)]
    assert set(rows[0]) == {"source", "key", "words"}
    refuse_unpermitted(study_of({key: nothing}), BOTH, TODAY, scoring=True)


@pytest.mark.parametrize(("days", "said"), [(0, True), (90, True), (91, False)])
def test_an_agreement_that_ends_soon_is_a_gap(days: int, said: bool) -> None:
    rows = register_gaps(study_of({"agreement_expires": TODAY + dt.timedelta(days)}), TODAY)
    assert [row["key"] for row in rows] == (["agreement_expires"] if said else [])


def test_no_purpose_for_the_audit_is_a_gap() -> None:
    rows = register_gaps(study_of(audit_purpose=None, equality={"permitted_purposes": ["planning visits"]}), TODAY)
    assert [row["key"] for row in rows] == ["audit_purpose"]


@pytest.mark.parametrize("name", ["early_reading_support", "county_early_help"])
def test_the_shipped_studies_may_be_run(name: str) -> None:
    study = load_study(Path(__file__).parents[2] / "experiments" / name)
    refuse_unpermitted(study, BOTH, TODAY)
    refuse_unpermitted(study, ("model",), TODAY, scoring=True)
