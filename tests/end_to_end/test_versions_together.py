"""Real cards of one study, in both editions, and the version before: put together they give nothing hidden away."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands
from riskmodels.cards.differencing import SHOWN, _targets, recovered
from riskmodels.cards.editions import public_edition
from riskmodels.cards.published_cells import atoms_of, tells
from riskmodels.workspace import Workspace
from tests.conftest import ROOT, TODAY

SHIPPED = ROOT / "experiments" / "heart_health_checks"


def card_of(folder: Path, work: Path, old: str, new: str) -> Any:
    study = Path(shutil.copytree(SHIPPED, folder))
    text = (study / "study.yaml").read_text()
    assert old in text
    (study / "study.yaml").write_text(text.replace(old, new))
    report = commands.run(study, Workspace(work), today=TODAY)
    return json.loads((report.folder / "card" / "card.json").read_bytes())


@pytest.mark.slow
def test_a_version_with_a_test_date_fewer_gives_nothing_away_and_one_under_other_rules_is_told(tmp_path: Path) -> None:
    four, three = "test: {last: 4}", "test: {last: 3}"
    newer = card_of(tmp_path / "newer", tmp_path / "work", four, four)
    older = card_of(tmp_path / "older", tmp_path / "work", four, three)
    cards = [newer, public_edition(newer, "a" * 64), older, public_edition(older, "b" * 64)]
    assert recovered(cards) == []
    told = [one for place, card in enumerate(cards) for one in tells(place, card, atoms_of(cards))]
    assert sum(one.where.endswith("on some of the test dates") for one in _targets(told)) > 20  # 2003 by itself
    # The older card as if it had been published by rules that hide nothing, and so shows what the newer one hides.
    row = next(row for row in older["audit"]["rows"] if row["attribute"] == "age" and row["positives"] is None)
    older["edition_profile"]["disclosure"] = "places"
    same = next(one for one in newer["audit"]["rows"] if (one["attribute"], one["group"]) == ("age", row["group"]))
    assert same["tp"] is None
    dates = [one["as_of_date"] for one in older["performance"]["per_date"]]
    newer["performance"]["per_date"] = [one for one in newer["performance"]["per_date"] if one["as_of_date"] in dates]
    row["tp"] = 4
    assert SHOWN in [one.how for one in recovered([newer, older]) if one.where == f"audit, age: {row['group']}, tp"]
