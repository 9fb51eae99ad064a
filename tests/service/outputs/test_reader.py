"""What one role is told of a batch: of rules and sources that it may not see, only that there are some."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from riskmodels.models.places import HOUSEHOLD_CLOSED
from riskmodels.models.reasons import RULE_WITHHELD
from riskmodels.service.batch.slices import BECAUSE
from riskmodels.service.outputs.columns import dictionary
from riskmodels.service.outputs.facts import Tally
from riskmodels.service.outputs.reader import SOURCE_WITHHELD, Reader
from riskmodels.service.shapes import SCORED_SCHEMA, Slice
from riskmodels.study import Study, load_study
from riskmodels.study.use import ServiceRule
from tests.conftest import ROOT
from tests.service.outputs.example_batch import scored

CLOSED = str(BECAUSE[HOUSEHOLD_CLOSED])
MODEL: Any = SimpleNamespace(reasons=())


def rule(word: str, because: str, kind: str) -> ServiceRule:
    said = {"exclude": {"any": word}, "because": because, "owner": f"owner of {because}", "kind": kind}
    return ServiceRule.model_validate(said)


def study_of(*kinds: str, hidden: str = "police") -> Study:
    """A rule for each kind; those of kinds in capitals look at a source that only the lead may see."""
    study = load_study(ROOT / "experiments" / "county_early_help")
    words = {source: next(word for word, fact in study.file.facts.items() if fact.source == source)
             for source in ("events", hidden)}  # fmt: skip
    rules = tuple(
        rule(words[hidden if kind.isupper() else "events"], f"{kind} {place}", kind.lower())
        for place, kind in enumerate(kinds)
    )
    entry = study.register.sources[hidden].model_copy(update={"may_show_to": ("lead",)})
    register = study.register.model_copy(update={"sources": {**study.register.sources, hidden: entry}})
    return replace(study, file=study.file.model_copy(update={"service_rules": rules}), register=register)


def batch_of(*excluded: int, closed: int = 0) -> Any:
    counts = {"not_reached": 900, "household": 3, "household_closed": closed, "no_team": 0}
    return SimpleNamespace(excluded_by_rule=excluded, counts=counts)


def reader(study: Study, role: str | None, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setattr("riskmodels.service.outputs.reader.reason_words", _no_words)
    return Reader(MODEL, study, role)


def _no_words(model: object, codes: object, shown: object, dated: bool) -> dict[str, pl.Series]:
    return {}


def test_rules_that_are_withheld_are_one_count_of_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of("died", "OTHER", "OTHER", "moved")
    batch = batch_of(12, 1, 7, 20)
    for role in (None, "team"):
        told = reader(study, role, monkeypatch)
        assert told.excluded(batch) == [
            Tally("died 0", 12, "died", "owner of died 0"), Tally("moved 3", 20, "moved", "owner of moved 3"),
            Tally(RULE_WITHHELD, 8),
        ]  # fmt: skip
        assert "OTHER" not in json.dumps(told.left_off(batch))
        assert sum(told.left_off(batch).values()) == 900 + 3 + 40
    lead = reader(study, "lead", monkeypatch)
    assert [tally.words for tally in lead.excluded(batch)] == ["died 0", "OTHER 1", "OTHER 2", "moved 3"]
    assert list(lead.left_off(batch).values()) == [900, 12, 1, 7, 20, 3]


@pytest.mark.parametrize(
    ("kinds", "role", "closed"),
    [
        (("RESTRICTED", "moved"), None, RULE_WITHHELD),
        (("RESTRICTED", "DIED"), "team", RULE_WITHHELD),
        (("RESTRICTED", "moved"), "lead", CLOSED),
        (("RESTRICTED", "died"), None, CLOSED),
        (("died", "OTHER"), None, CLOSED),
    ],
)
def test_whom_a_withheld_rule_leaves_alone_with_somebody_else_is_told_as_that_rule(
    kinds: tuple[str, str], role: str | None, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = reader(study_of(*kinds), role, monkeypatch)
    assert told.closed == closed
    batch = batch_of(12, 20, closed=4)
    left = told.left_off(batch)
    assert sum(left.values()) == 900 + 3 + 36
    assert (CLOSED in left) == (closed == CLOSED)
    assert [tally.count for tally in told.excluded(batch) if tally.words == closed][-1] == (
        4 if closed == CLOSED else 4 + sum(n for kind, n in zip(kinds, (12, 20), strict=True) if kind.isupper())
    )
    frame = scored(3, listed=[False] * 3, not_listed_because=[CLOSED, told.study.service_rules[0].because, None])
    rows = told.rows(Slice(frame.select(pl.all()), np.zeros(3, dtype=bool), np.empty(0, dtype=[])))
    assert rows["not_listed_because"].to_list() == [closed, told.rules[0], None]
    assert rows.columns == list(SCORED_SCHEMA)


def test_notes_name_no_source_that_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of("died")
    notes = ("the newest record of police is of 2026-01-01", "events holds no record", "policed and police.")
    assert reader(study, "lead", monkeypatch).notes(notes) == notes
    assert reader(study, None, monkeypatch).notes(notes) == (
        f"the newest record of {SOURCE_WITHHELD} is of 2026-01-01", "events holds no record",
        f"policed and {SOURCE_WITHHELD}.",
    )  # fmt: skip


def test_the_dictionary_names_the_rules_that_the_role_may_see(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of("died", "OTHER")
    monkeypatch.setattr("riskmodels.models.risk_curves.risk_interval", lambda calibrator, scores: None)
    model = cast(Any, SimpleNamespace(calibrator=None))
    told = [
        dictionary(study.file, model, role, reader(study, role, monkeypatch).rules).decode() for role in (None, "lead")
    ]
    assert ["OTHER 1" in text for text in told] == [False, True]
    assert [RULE_WITHHELD in text for text in told] == [True, False]
