"""Where facts come from is said once where it is the same for all, and of none is it lost."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.reports.provenance import sources_in_words, with_provenance


def line(name: str, owner: str, source: str, value: Any = "said") -> dict[str, Any]:
    return {"label": name, "value": value, "owner": owner, "source": source}


def test_one_owner_and_one_file_are_said_once() -> None:
    part = with_provenance([line("a", "Head", "answers.yaml: risks.a"), line("b", "Head", "answers.yaml: risks.b")])
    assert part["note"] == "Source: answers.yaml: risks. Owner: Head."
    assert [fact["from"] for fact in part["facts"]] == ["", ""]


def test_of_several_owners_each_stands_with_its_fact_and_a_gap_names_its_own() -> None:
    lines = [line("a", "Head", "answers.yaml: risks.a"), line("b", "Lead", "answers.yaml: risks.b", None)]
    part = with_provenance([*lines, line("c", "Lead", "study.yaml: seed")])
    assert part["note"] == "Source: answers.yaml: risks; study.yaml: seed."
    assert [fact["from"] for fact in part["facts"]] == ["Owner: Head", "", "Owner: Lead"]


def test_a_fact_alone_says_both_itself() -> None:
    part = with_provenance([line("a", "Head", "run")])
    assert (part["note"], part["facts"][0]["from"]) == ("", "Owner: Head. Source: run")


def test_facts_without_a_source_say_nothing() -> None:
    part = with_provenance([line("a", "", ""), line("b", "", "")])
    assert (part["note"], [fact["from"] for fact in part["facts"]]) == ("", ["", ""])


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (["answers.yaml: risks.a", "answers.yaml: risks.b"], "answers.yaml: risks"),
        (["study.yaml: seed", "run", "study.yaml: capacity"], "study.yaml: seed, capacity; run"),
    ],
)
def test_sources_in_words(sources: list[str], words: str) -> None:
    assert sources_in_words(sources) == words
